"""How a group is let in after the close: it asks, or an organiser thinks of it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from clock import walls
from events.models import Event
from registrations import mails, refusals
from registrations.models import Exemption, Registration
from stakeholders.models import Organisation

Whom = Exemption | tuple[Event, Organisation]


@transaction.atomic
def ask(registration: Registration, *, reason: str, by: User, now: datetime) -> Exemption:
    """Ask the organisers to let this draft in after the close. Said twice in the same words, it
    is asked once.

    Refuses with WhyMissing, SentAlready, NotTakingPlace, NotClosed, HasBegun and AskedInAlready.
    """
    if not reason.strip():
        raise refusals.WhyMissing
    held = Registration.objects.held(registration)
    if not held.is_draft:
        raise refusals.SentAlready(held)
    event = held.event
    _check_late(event, now)
    exemption, is_new = Exemption.objects.get_or_create(
        event=event,
        organisation=held.organisation,
        defaults={"asked_by": by, "asked_at": now, "reason": reason},
    )
    if is_new:
        trail.record(
            by, gettext_noop("asked to be let in"), held, at=now, scope=event.id, reason=reason
        )
        mails.asks_in(exemption, now=now)
    elif not (exemption.waits and exemption.reason == reason):
        raise refusals.AskedInAlready(exemption)
    return exemption


@transaction.atomic
def grant(whom: Whom, *, until: datetime, by: User, now: datetime, answer: str = "") -> Exemption:
    """Let a group in until a moment, whether it has asked or not; granted again, the moment
    moves. Refuses with NotTakingPlace, NoRegistration, UntilNotAhead and TakenIn."""
    exemption = _held(whom)
    event = exemption.event
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    if event.registration_deadline is None:
        raise refusals.NoRegistration(event)
    if not now < until <= walls.closing(event.ends_on, None, event.zone):
        raise refusals.UntilNotAhead(event)
    if (exemption.until, exemption.answer) == (until, answer):
        return exemption
    before = exemption.until
    _answer(exemption, answer, until, by=by, now=now)
    trail.record(
        by,
        gettext_noop("let in"),
        _subject(exemption),
        at=now,
        scope=event.id,
        before={"until": before.isoformat() if before else None},
        after={"until": until.isoformat()},
        reason=answer,
    )
    mails.let_in(exemption, now=now)
    return exemption


@transaction.atomic
def refuse(exemption: Exemption, *, answer: str, by: User, now: datetime) -> None:
    """Say no, with the reason that the group reads. Refuses with ReasonMissing and
    AnsweredAlready."""
    if not answer.strip():
        raise refusals.ReasonMissing
    held = _held(exemption)
    if not held.waits:
        raise refusals.AnsweredAlready(held)
    _answer(held, answer, None, by=by, now=now)
    trail.record(
        by,
        gettext_noop("not let in"),
        _subject(held),
        at=now,
        scope=held.event_id,
        reason=answer,
    )
    mails.not_let_in(held, now=now)
    exemption.refresh_from_db()


def _check_late(event: Event, now: datetime) -> None:
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    deadline = event.registration_deadline
    if deadline is None:
        raise refusals.NoRegistration(event)
    if now < deadline.closes_at:
        raise refusals.NotClosed(event)
    if event.is_over(now):
        raise refusals.HasBegun(event)


def _held(whom: Whom) -> Exemption:
    """Its row, read anew under a lock that lasts until the transaction ends."""
    if not isinstance(whom, Exemption):
        event, organisation = whom
        there = Organisation.everyone.held(organisation)
        if there.merged_into_id:
            raise refusals.TakenIn(there)
        whom, _is_new = Exemption.objects.get_or_create(event=event, organisation=organisation)
    return (
        Exemption.objects.select_for_update(of=("self",))
        .select_related("event", "organisation")
        .get(pk=whom.pk)
    )


def _answer(
    exemption: Exemption, answer: str, until: datetime | None, *, by: User, now: datetime
) -> None:
    exemption.answer, exemption.until = answer, until
    exemption.answered_by, exemption.answered_at = by, now
    exemption.save(update_fields=["answer", "until", "answered_by", "answered_at"])


def _subject(exemption: Exemption) -> Registration | Exemption:
    """The draft that the group reads the history of, where there is one."""
    drafts = Registration.objects.filter(
        event=exemption.event_id, organisation=exemption.organisation_id
    )
    return drafts.first() or exemption
