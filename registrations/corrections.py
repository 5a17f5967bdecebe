"""How what is wrong about a person is put right, once the organisers have decided about them."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import capacity
from events.models import Event
from registrations import mails, refusals, seats, waiting
from registrations.models import (
    CORRECTABLE,
    SEATED,
    WITHOUT_SEAT,
    Correction,
    Delegate,
    Registration,
    SegmentDecision,
)
from stakeholders.models import Representative

State = Delegate.State
Facts = Mapping[str, str]
"""Some of Correction.FACTS, and what they are or should be."""


def is_possible(delegate: Delegate, now: datetime) -> bool:
    """Whether the group may ask now."""
    event = delegate.registration.event
    return delegate.state in CORRECTABLE and _takes_corrections(event) and not event.is_over(now)


def facts_of(delegate: Delegate) -> dict[str, str]:
    person = delegate.representative
    return {
        "given_names": person.given_names,
        "family_name": person.family_name,
        "email": person.email,
        "role": delegate.role,
    }


@transaction.atomic
def ask(
    delegate: Delegate, wished: Facts, *, reason: str, by: User, now: datetime, other: str = ""
) -> Correction:
    """Ask the organisers to put something right. Nothing is changed by it. Said twice in the same
    words, it is asked once.

    Refuses with CannotCorrect, NotTakingPlace, HasBegun, NothingToCorrect,
    CorrectionReasonMissing, CorrectionAsked, and with TwoHeads and ListedAlready what could not be
    accepted.
    """
    _hold(delegate)
    event = delegate.registration.event
    _check_correctable(delegate)
    if not _takes_corrections(event):
        raise refusals.NotTakingPlace(event)
    if event.is_over(now):
        raise refusals.HasBegun(event)
    is_now = facts_of(delegate)
    changed = {fact: value for fact, value in wished.items() if value != is_now[fact]}
    if not changed and not other.strip():
        raise refusals.NothingToCorrect
    if not reason.strip():
        raise refusals.CorrectionReasonMissing
    waiting_one = delegate.corrections.waiting().first()
    if waiting_one:
        if (waiting_one.wished, waiting_one.other, waiting_one.reason) == (changed, other, reason):
            return waiting_one
        raise refusals.CorrectionAsked(delegate)
    _check_fits(delegate, is_now | changed)
    correction = Correction.objects.create(
        delegate=delegate,
        was={fact: is_now[fact] for fact in changed},
        wished=changed,
        other=other,
        reason=reason,
        asked_by=by,
        asked_at=now,
    )
    _record(gettext_noop("correction asked for"), correction, by=by, now=now)
    mails.asks_correction(correction, now=now)
    return correction


@transaction.atomic
def accept(correction: Correction, *, by: User, now: datetime, answer: str = "") -> None:
    """Change the facts as the group wishes; it is told. Whoever has another name or another
    address is asked anew whether the public list may name them; at another address, whether they
    come.

    Refuses with CorrectionAnswered, CannotCorrect, TwoHeads, ListedAlready, and, where the new role
    needs a seat that the old one did not, with what keeps somebody from getting one.
    """
    held = _hold_asked(correction)
    delegate = held.delegate
    _check_correctable(delegate)
    is_now = facts_of(delegate)
    wished = is_now | held.wished
    _check_fits(delegate, wished)
    needed_seat = delegate.needs_seat
    _take_seat(delegate, wished["role"], now=now)
    _change(delegate, wished)
    _answer(held, is_accepted=True, answer=answer, by=by, now=now)
    _record(gettext_noop("corrected"), held, by=by, now=now, reason=answer)
    mails.corrected(held, now=now)
    _ask_anew(delegate, is_now, wished, now=now)
    if needed_seat and not delegate.needs_seat:
        _leave_seat(delegate, by=by, now=now)
    waiting.fill(delegate.registration.event, now=now)
    correction.refresh_from_db()


@transaction.atomic
def decline(correction: Correction, *, answer: str, by: User, now: datetime) -> None:
    """Leave everything as it is, with the reason that the group reads. Refuses with ReasonMissing
    and CorrectionAnswered."""
    if not answer.strip():
        raise refusals.ReasonMissing
    held = _hold_asked(correction)
    _answer(held, is_accepted=False, answer=answer, by=by, now=now)
    _record(gettext_noop("correction declined"), held, by=by, now=now, reason=answer)
    mails.not_corrected(held, now=now)
    correction.refresh_from_db()


def _takes_corrections(event: Event) -> bool:
    return event.state in {Event.State.PUBLISHED, Event.State.POSTPONED}


def _hold(delegate: Delegate) -> None:
    """The person, read anew under the lock of the event's seats."""
    event = capacity.hold(delegate.registration.event)
    held = Registration.objects.held(delegate.registration, event)
    delegate.refresh_from_db()
    delegate.registration = held


def _hold_asked(correction: Correction) -> Correction:
    delegate = Delegate.objects.select_related("registration__event").get(pk=correction.delegate_id)
    _hold(delegate)
    held = Correction.objects.select_for_update().get(pk=correction.pk)
    held.delegate = delegate
    if not held.waits:
        raise refusals.CorrectionAnswered(delegate)
    return held


def _check_correctable(delegate: Delegate) -> None:
    if delegate.state not in CORRECTABLE:
        raise refusals.CannotCorrect(delegate)


def _check_fits(delegate: Delegate, facts: Facts) -> None:
    others = delegate.registration.delegates
    if facts["role"] == Delegate.Role.HEAD and (head := others.heads(but=delegate).first()):
        raise refusals.TwoHeads(head)
    same = others.exclude(pk=delegate.pk).filter(
        representative__given_names=facts["given_names"],
        representative__family_name=facts["family_name"],
        representative__email=facts["email"],
    )
    if same.exists():
        raise refusals.ListedAlready(f"{facts['given_names']} {facts['family_name']}".strip())


def _take_seat(delegate: Delegate, role: str, *, now: datetime) -> None:
    """Make sure of a seat, where the new role needs one and the old one did not."""
    if delegate.needs_seat or role in WITHOUT_SEAT:
        return
    delegate.role = role
    table = seats.Table(delegate.registration.event)
    waiting.serve(table, now=now)
    why_not = table.why_not(delegate)
    if why_not:
        raise why_not
    table.take_up(delegate)


def _leave_seat(delegate: Delegate, *, by: User, now: datetime) -> None:
    """Whoever needs no seat any more waits for nothing."""
    if delegate.state == State.WAIT_LISTED:
        table = seats.Table(delegate.registration.event)
        table.give(delegate, by=by, now=now, verb=gettext_noop("seat given"))
        mails.approved(delegate.registration, [delegate], now=now)
        waiting.ask_newcomers([delegate], now=now)
    else:
        part = SegmentDecision.State
        delegate.segments.filter(state=part.WAIT_LISTED).update(state=part.GIVEN, waits_as=None)


def _change(delegate: Delegate, facts: Facts) -> None:
    before = delegate.representative
    delegate.role = facts["role"]
    delegate.representative = Representative.objects.known_as(
        delegate.registration.organisation,
        given_names=facts["given_names"],
        family_name=facts["family_name"],
        email=facts["email"],
    )
    if delegate.representative != before:
        delegate.listing_asked_at = delegate.listed_at = None
    delegate.save(update_fields=["role", "representative", "listing_asked_at", "listed_at"])
    if delegate.representative != before:
        with suppress(ProtectedError, IntegrityError), transaction.atomic():
            Representative.objects.filter(pk=before.pk, delegates=None).delete()


def _ask_anew(delegate: Delegate, was: Facts, facts: Facts, *, now: datetime) -> None:
    if delegate.state not in SEATED:
        return
    event = delegate.registration.event
    deadline = event.confirmation_deadline
    if was["email"] != facts["email"] and deadline and delegate.must_confirm and event.is_published:
        mails.confirm(delegate, deadline=deadline, now=now)
    waiting.ask_to_be_listed([delegate], now=now)


def _answer(
    correction: Correction, *, is_accepted: bool, answer: str, by: User, now: datetime
) -> None:
    correction.is_accepted, correction.answer = is_accepted, answer
    correction.answered_by, correction.answered_at = by, now
    correction.save(update_fields=["is_accepted", "answer", "answered_by", "answered_at"])


def _record(
    verb: str, correction: Correction, *, by: User, now: datetime, reason: str = ""
) -> None:
    """Which facts, and not what they say: nobody can take a name out of the memory again."""
    delegate = correction.delegate
    trail.record(
        by,
        verb,
        delegate,
        at=now,
        scope=delegate.registration.event_id,
        after={"facts": sorted(correction.wished) + ["other"] * bool(correction.other)},
        reason=reason,
    )
