"""How people who have a seat say whether they come, and what becomes of it when they do not."""

from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from accounts.models import User
from events import capacity
from events.models import Deadline, Event, EventChange
from registrations import links, mails, refusals, seats, waiting
from registrations.models import AWAITS_DECISION, SEATED, Delegate, Registration

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
    waiting.stop_asking([delegate], registration.event, now=now)
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
    waiting.stop_asking([delegate], registration.event, now=now)
    mails.declined_by_delegate(registration, delegate, now=now)
    waiting.fill(registration.event, now=now)


def lapse_due(*, now: datetime) -> int:
    """Take the seat of everybody who could confirm until now and has not; how many those were.

    Events that are postponed or cancelled take nobody's seat. Whoever is to be replaced keeps it
    until that is decided.
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
    asked = Delegate.objects.to_confirm().filter(~Exists(_taken_up()), registration__event=held)
    asked = asked.exclude(replaced_by__state__in=AWAITS_DECISION)
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
        seats.turn_all(people, State.LAPSED, gettext_noop("lapsed"), by=None, now=now)
        mails.lapsed(registration, people, now=now)
        mails.not_expected(people, now=now)
    lapsed = [delegate for people in late.values() for delegate in people]
    if lapsed:
        waiting.stop_asking(lapsed, held, now=now)
        waiting.fill(held, now=now)
    return len(lapsed)


def ask_due(*, now: datetime) -> int:
    """Ask everybody who got a place before their event asked anybody to confirm; and anew those
    whose event was postponed, once they have been told of its new days. How many people.

    They have the time that all have: until the deadline, but two days at least.
    """
    unasked = Delegate.objects.filter(
        registration__event=OuterRef("pk"), state=State.APPROVED, asked_at=None
    )
    in_vain = Delegate.objects.to_confirm().filter(
        Exists(_taken_up()), registration__event=OuterRef("pk")
    )
    asking = Deadline.objects.filter(
        event=OuterRef("pk"), kind=Deadline.Kind.CONFIRMATION, closes_at__gt=now
    )
    events = Event.objects.filter(
        Exists(in_vain) | (Exists(unasked) & Exists(asking)),
        state=Event.State.PUBLISHED,
        starts_on__gte=now.date() - timedelta(days=1),
    )
    return sum(_ask_of(event, now=now) for event in list(events.order_by("pk")))


@transaction.atomic
def _ask_of(event: Event, *, now: datetime) -> int:
    held = capacity.hold(event)
    deadline = held.confirmation_deadline
    is_news = EventChange.objects.unannounced().filter(event=held).exists()
    if not held.is_published or seats.has_begun(held, now) or is_news:
        return 0
    unasked = Delegate.objects.filter(
        Q(asked_at=None) | Exists(_taken_up()), registration__event=held, state=State.APPROVED
    )
    if deadline is None or not deadline.is_open(now):
        unasked.update(asked_at=None)
        return 0
    people = list(
        unasked.select_related("representative", "registration__organisation").order_by(
            "registration_id", "position"
        )
    )
    for registration, group in groupby(people, key=lambda each: each.registration):
        together = list(group)
        for delegate in together:
            delegate.asked_at = now
            delegate.registration = registration
        registration.event = held
        mails.to_confirm(registration, together, now=now)
        mails.confirm(*together, deadline=deadline, now=now)
    Delegate.objects.filter(pk__in=[each.pk for each in people]).update(asked_at=now)
    return len(people)


def _taken_up() -> QuerySet[EventChange]:
    """That the event takes place after all, though it was postponed when a person was asked: they
    were told that their place is kept."""
    return EventChange.objects.filter(
        event=OuterRef("registration__event"),
        old_state=Event.State.POSTPONED,
        new_state=Event.State.PUBLISHED,
        at__gte=OuterRef("asked_at"),
    )


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
