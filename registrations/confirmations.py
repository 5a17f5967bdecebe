"""How people who have a seat say whether they come, and what becomes of it when they do not."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from accounts.models import User
from events import capacity
from events.models import Deadline, Event
from notifications import recall
from notifications.models import Kind
from registrations import links, mails, refusals, seats, waiting
from registrations.models import SEATED, Delegate, Registration

State = Delegate.State


def until(delegate: Delegate) -> datetime | None:
    """Until when this person may confirm; None when nothing is asked of them."""
    return links.answer_until(delegate)


@transaction.atomic
def confirm(delegate: Delegate, *, now: datetime, by: User | None = None) -> None:
    """This person comes. Said twice, it is so once.

    Refuses with NotTakingPlace, ConfirmedTooLate and NothingToConfirm.
    """
    registration = _hold(delegate)
    if delegate.state == State.CONFIRMED:
        return
    last = until(delegate)
    if last and (delegate.state == State.LAPSED or (delegate.must_confirm and now >= last)):
        raise refusals.ConfirmedTooLate(delegate, last)
    if not delegate.must_confirm:
        raise refusals.NothingToConfirm(delegate)
    seats.turn(delegate, State.CONFIRMED, gettext_noop("confirmed"), by=by, now=now)
    _stop_reminders(delegate, now=now)
    mails.confirmed(registration, delegate, now=now)


@transaction.atomic
def decline(delegate: Delegate, *, now: datetime, by: User | None = None) -> None:
    """This person does not come; the seat goes on. Said twice, it is so once.

    Whoever has confirmed may still say so. Refuses with NotTakingPlace and NothingToConfirm.
    """
    registration = _hold(delegate)
    if delegate.state == State.DECLINED_BY_DELEGATE:
        return
    if delegate.asked_at is None or delegate.state not in SEATED:
        raise refusals.NothingToConfirm(delegate)
    verb = gettext_noop("declined by delegate")
    seats.turn(delegate, State.DECLINED_BY_DELEGATE, verb, by=by, now=now)
    _stop_reminders(delegate, now=now)
    mails.declined_by_delegate(registration, delegate, now=now)
    waiting.fill(registration.event, now=now)


def lapse_due(*, now: datetime) -> int:
    """Take the seat of everybody who could confirm until now and has not; how many those were.

    Events that are postponed or cancelled take nobody's seat.
    """
    tomorrow = now.date() + timedelta(days=1)
    events = (
        Event.objects.filter(
            Q(deadlines__closes_at__lte=now) | Q(starts_on__lte=tomorrow),
            state=Event.State.PUBLISHED,
            deadlines__kind=Deadline.Kind.CONFIRMATION,
            registrations__delegates__in=Delegate.objects.to_confirm(),
        )
        .order_by("pk")
        .distinct()
    )
    return sum(_lapse_of(event, now=now) for event in list(events))


@transaction.atomic
def _lapse_of(event: Event, *, now: datetime) -> int:
    held = capacity.hold(event)
    if not held.is_published:
        return 0
    late: dict[Registration, list[Delegate]] = {}
    asked = Delegate.objects.to_confirm().filter(registration__event=held)
    known = {
        each.pk: each
        for each in Registration.objects.filter(event=held).select_related("organisation")
    }
    for delegate in asked.select_related("representative").order_by("registration_id", "position"):
        delegate.registration = known[delegate.registration_id]
        delegate.registration.event = held
        last = until(delegate)
        if last and now >= last:
            late.setdefault(delegate.registration, []).append(delegate)
    for registration, people in late.items():
        for delegate in people:
            seats.turn(delegate, State.LAPSED, gettext_noop("lapsed"), by=None, now=now)
            _stop_reminders(delegate, now=now)
        mails.lapsed(registration, people, now=now)
    if late:
        waiting.fill(held, now=now)
    return sum(len(people) for people in late.values())


def _hold(delegate: Delegate) -> Registration:
    """The registration, with the event held; the delegate is read anew."""
    event = capacity.hold(delegate.registration.event)
    delegate.refresh_from_db()
    registration = Registration.objects.select_related("organisation").get(
        pk=delegate.registration_id
    )
    registration.event = event
    delegate.registration = registration
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    return registration


def _stop_reminders(delegate: Delegate, *, now: datetime) -> None:
    """Whoever has answered need not be reminded; an address that serves others still is."""
    event = delegate.registration.event
    deadline = event.confirmation_deadline
    email = delegate.representative.email
    if deadline is None or not email:
        return
    others = Delegate.objects.to_confirm().filter(
        registration__event=event, representative__email__iexact=email
    )
    if not others.exists():
        recall.cancel(now=now, about=deadline.id, to=email, kinds=[Kind.REMINDER])
