"""What organisers decide about the people of a delegation."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from registrations import mails, refusals
from registrations.models import Delegate, Exchange, Registration

State = Delegate.State


@transaction.atomic
def approve(
    registration: Registration, delegates: Iterable[Delegate], *, by: User, now: datetime
) -> None:
    """Say yes to these people of one delegation; one letter to the group names them all.

    Refuses with NotSent, NobodyChosen, and AlreadyDecided if one of them waits no more; then
    nothing is changed.
    """
    held, people = _hold(registration, delegates)
    for delegate in people:
        _turn(delegate, State.APPROVED, gettext_noop("approved"), held, by=by, now=now)
    mails.approved(held, people, now=now)


@transaction.atomic
def decline(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    reason: str,
) -> None:
    """Say no, with the reason that the group reads. Refuses as `approve`, and ReasonMissing."""
    if not reason.strip():
        raise refusals.ReasonMissing
    held, people = _hold(registration, delegates)
    for delegate in people:
        _turn(
            delegate, State.DECLINED, gettext_noop("declined"), held, by=by, now=now, reason=reason
        )
    mails.declined(held, people, reason=reason, now=now)


@transaction.atomic
def ask(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    question: str,
) -> None:
    """Ask the group about these people; they wait for its answer. A question that lapsed without
    one gives way to the new one.

    Refuses as `approve`, and with QuestionMissing and AskedAlready.
    """
    if not question.strip():
        raise refusals.QuestionMissing
    held, people = _hold(registration, delegates)
    for delegate in people:
        if delegate.state == State.MORE_INFORMATION:
            raise refusals.AskedAlready(delegate)
        Exchange.objects.update_or_create(
            delegate=delegate,
            answered_at=None,
            defaults={"question": question, "asked_by": by, "asked_at": now},
        )
        _turn(
            delegate,
            State.MORE_INFORMATION,
            gettext_noop("question asked"),
            held,
            by=by,
            now=now,
            reason=question,
        )
    mails.asked(held, people, question=question, now=now)


def _hold(
    registration: Registration, delegates: Iterable[Delegate]
) -> tuple[Registration, list[Delegate]]:
    held = Registration.objects.held(registration)
    chosen = [delegate.pk for delegate in delegates]
    people = list(held.delegates.filter(pk__in=chosen).select_related("representative").in_order())
    if held.is_draft:
        raise refusals.NotSent(held)
    if not people:
        raise refusals.NobodyChosen
    decided = [delegate for delegate in people if not delegate.awaits_decision]
    if decided:
        raise refusals.AlreadyDecided(decided)
    return held, people


def _turn(
    delegate: Delegate,
    state: str,
    verb: str,
    registration: Registration,
    *,
    by: User,
    now: datetime,
    reason: str = "",
) -> None:
    before = delegate.state
    delegate.state = state
    delegate.save(update_fields=["state"])
    trail.record(
        by,
        verb,
        delegate,
        at=now,
        scope=registration.event_id,
        before={"state": before},
        after={"state": state},
        reason=reason,
    )
