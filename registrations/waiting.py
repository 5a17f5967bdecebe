"""Who moves up when a seat is free: the first in the order for whom there is one.

The order is the order in which people joined the list under the lock of the event: the order of
commit. Whoever does not fit, because a quota or the cap of the organisation is reached, is passed
over and keeps the place.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import groupby
from operator import or_
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events import capacity
from events.models import Event
from notifications import recall
from notifications.models import Kind, Letter
from notifications.writing import Reader
from registrations import audiences, mails, seats
from registrations.models import SEATED, Delegate, Registration, SegmentDecision

ONE_DAY = timedelta(days=1)


def join(
    registration: Registration,
    delegates: Iterable[Delegate],
    table: seats.Table,
    *,
    by: User | None,
    now: datetime,
    and_acts: Sequence[Entry] = (),
    readers: Sequence[Reader] | None = None,
) -> None:
    """Put these people at the end of the list; one letter to the group names them all."""
    people = list(delegates)
    if people:
        places = table.queue(*people, by=by, now=now, and_acts=and_acts)
        mails.wait_listed(registration, people, now=now, places=places, readers=readers)


def place_of(delegate: Delegate) -> int | None:
    """How many wait before this person, and one; None for who does not wait."""
    if delegate.waits_as is None:
        return None
    before = Delegate.objects.waiting().filter(
        registration__event=delegate.registration.event_id, waits_as__lt=delegate.waits_as
    )
    return before.count() + 1


def places(registration: Registration) -> dict[UUID, int]:
    """The places of all who wait in this delegation: one query."""
    before = (
        Delegate.objects.filter(
            registration__event=registration.event_id,
            state=Delegate.State.WAIT_LISTED,
            waits_as__lte=OuterRef("waits_as"),
        )
        .order_by()
        .values("registration__event")
        .annotate(count=Count("pk"))
        .values("count")
    )
    waiting = registration.delegates.waiting().annotate(place=Subquery(before))
    return dict(waiting.values_list("pk", "place"))


@transaction.atomic
def fill(event: Event, *, now: datetime) -> list[Delegate]:
    """Give the free seats of an event to those who wait; who moved up."""
    held = capacity.hold(event)
    return serve(seats.Table(held), now=now)


def fill_all(*, now: datetime) -> int:
    """The sweep: seats that came from a changed capacity. How many people moved up."""
    waiting = Delegate.objects.waiting().filter(registration__event=OuterRef("pk")).order_by()
    for_a_part = SegmentDecision.objects.filter(
        segment__event=OuterRef("pk"), state=SegmentDecision.State.WAIT_LISTED
    )
    events = Event.objects.filter(
        Exists(waiting) | Exists(for_a_part),
        state=Event.State.PUBLISHED,
        starts_on__gte=(now - ONE_DAY).date(),
    )
    return sum(len(fill(event, now=now)) for event in events.order_by("starts_on", "pk"))


def serve(table: seats.Table, *, now: datetime) -> list[Delegate]:
    """As `fill`, for a verb that has counted under the lock. Nobody moves up at an event that
    does not take place, or that has begun."""
    if not table.event.is_published or seats.has_begun(table.event, now):
        return []
    people = _move_up(table, now=now)
    by_delegation = sorted(people, key=lambda delegate: str(delegate.registration_id))
    for registration, group in groupby(by_delegation, key=lambda each: each.registration):
        together = list(group)
        mails.moved_up(registration, together, now=now, parts=bool(table.segments))
        ask_newcomers(together, now=now)
    _give_parts(table, now=now)
    return people


def ask_newcomers(people: Iterable[Delegate], *, now: datetime) -> None:
    """Ask those of one delegation who have just got a seat, each at their own address, whether
    they come, and whether they may be named in public."""
    newcomers = list(people)
    asked = [delegate for delegate in newcomers if delegate.must_confirm]
    deadline = asked[0].registration.event.confirmation_deadline if asked else None
    if deadline:
        mails.confirm(*asked, deadline=deadline, now=now)
    ask_to_be_listed(newcomers, now=now)


def ask_to_be_listed(people: Iterable[Delegate], *, now: datetime) -> int:
    """Ask those of one delegation who have a seat, and an address of their own, whether the
    public list of the event may name them; each once. How many those are."""
    unasked = [one for one in people if one.is_seated and one.listing_asked_at is None]
    event = unasked[0].registration.event if unasked else None
    if event is None or not (event.is_published and event.lists_participants):
        return 0
    of_them = Delegate.objects.filter(pk__in=[one.pk for one in unasked])
    reached = set(of_them.with_own_address().values_list("pk", flat=True))
    asked = [one for one in unasked if one.pk in reached]
    Delegate.objects.filter(pk__in=reached).update(listing_asked_at=now)
    for one in asked:
        one.listing_asked_at = now
    mails.listing(*asked, now=now)
    return len(asked)


def stop_asking(people: Sequence[Delegate], event: Event, *, now: datetime) -> None:
    """Who has answered, or is no longer asked, need not be reminded to confirm; nor be asked, where
    the letter that does so has not left."""
    recall.cancel(now=now, letters=Letter.objects.filter(reminders_to(people, event)))
    recall.cancel(now=now, letters=_asking(people))


def _asking(people: Sequence[Delegate]) -> list[UUID]:
    """The letters that have not left; but whoever keeps the seat is asked to be listed."""
    asked = {
        (name, str(one.pk))
        for one in people
        for name in (["confirm"] if one.state in SEATED else ["confirm", "listing"])
    }
    letters = Letter.objects.pending().about(*{one.registration_id for one in people})
    keys = letters.values_list("pk", "key")
    return [pk for pk, key in keys if tuple(key.split(":")[:2]) in asked]


def reminders_to(people: Sequence[Delegate], event: Event) -> Q:
    """The reminders to confirm that need not be sent, because these people have answered, or are
    no longer asked: to their own addresses, or to the focal points who answer for them. Who is
    reminded of others too gets them."""
    deadline = event.confirmation_deadline
    if deadline is None or not Letter.objects.pending().about(deadline.id).exists():
        return Q(pk=None)
    addresses = {delegate.representative.email.lower() for delegate in people}
    silent = {each.registration for each in people if not each.representative.email}
    for registration in silent:
        addresses |= {reader.email.lower() for reader in mails.readers_of(registration)}
    addresses -= {one.reader.email.lower() for one in audiences.of_deadline(deadline)}
    fitting = (Q(to__iexact=address) for address in sorted(filter(None, addresses)))
    return reduce(or_, fitting, Q(pk=None)) & Q(about=deadline.id, kind=Kind.REMINDER)


def _move_up(table: seats.Table, *, now: datetime) -> list[Delegate]:
    if not table.serves_somebody():
        return []
    moved = []
    waiting = Delegate.objects.waiting().filter(registration__event=table.event)
    for delegate in waiting.select_related("representative", "registration__organisation"):
        delegate.registration.event = table.event
        if table.why_not(delegate) is None:
            table.give(delegate, by=None, now=now, verb=gettext_noop("moved up"))
            moved.append(delegate)
    return moved


def _give_parts(table: seats.Table, *, now: datetime) -> None:
    """The same for each part of the event that is waited for by itself."""
    for decision in _waiting_for_parts(table):
        tally, delegate = table.segments[decision.segment_id], decision.delegate
        if not tally.has_room_for(1):
            continue
        delegate.registration.event = table.event
        table.give_part(decision)
        trail.record(
            None,
            gettext_noop("part given"),
            delegate,
            at=now,
            scope=table.event.pk,
            after={"segment": str(decision.segment)},
        )
        mails.part_given(delegate.registration, delegate, decision.segment, now=now)


def _waiting_for_parts(table: seats.Table) -> Iterable[SegmentDecision]:
    free = [pk for pk, part in table.segments.items() if part.waiting and part.has_room_for(1)]
    if not free:
        return []
    people = Delegate.objects.seated().filter(registration__event=table.event)
    return (
        SegmentDecision.objects.filter(
            segment__in=free, state=SegmentDecision.State.WAIT_LISTED, delegate__in=people
        )
        .select_related(
            "segment", "delegate__representative", "delegate__registration__organisation"
        )
        .order_by("segment", "waits_as")
    )
