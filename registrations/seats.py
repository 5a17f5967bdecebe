"""Seats are counted and given here. Verbs do it under the lock of the event: `capacity.hold`."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events.models import Event, Quota
from events.regions import REGION_OF
from registrations import refusals
from registrations.models import SEATED, WITHOUT_SEAT, Delegate, SegmentDecision
from stakeholders.models import Organisation

State = Delegate.State
Part = SegmentDecision.State
HOLDS_SEAT = Q(state__in=SEATED) & ~Q(role__in=WITHOUT_SEAT)
UNLISTED = {"listing_asked_at": None, "listed_at": None}
STANDS = """
    select 'quota', id, category, region, track_id, seats, null::bigint, null::bigint
    from events_quota where event_id = %(of)s
    union all
    select 'segment', id, '', '', null, seats, null, null
    from events_segment part
    where event_id = %(of)s and (seats is not null or exists (
        select from registrations_segmentdecision where segment_id = part.id
    ))
    union all
    select 'people', {whose},
        count(*) filter (where person.state <> 'wait_listed'),
        count(*) filter (where person.state = 'wait_listed'),
        max(person.waits_as)
    from registrations_registration delegation
    cross join lateral (
        select state, waits_as from registrations_delegate
        where registration_id = delegation.id and (
            state = 'wait_listed' or (state = any(%(seated)s) and role <> all(%(without)s))
        )
        offset 0
    ) person
    {organisation}
    where delegation.event_id = %(of)s
    group by 1, 2, 3, 4, 5
"""
BY_GROUP = {
    "whose": "organisation.id, organisation.category, organisation.country, delegation.track_id",
    "organisation": """
        cross join lateral (
            select id, category, country from stakeholders_organisation
            where id = delegation.organisation_id
            offset 0
        ) organisation
    """,
}
ALL_ALIKE = {"whose": "null::uuid, '', '', null::uuid", "organisation": ""}
HOLDERS = {
    "seated": [str(each) for each in SEATED],
    "without": [str(each) for each in WITHOUT_SEAT],
}


@dataclass(frozen=True)
class Group:
    """People who count alike: of one organisation, in one track."""

    organisation: UUID
    category: str
    region: str
    track: UUID | None

    @classmethod
    def of(cls, delegate: Delegate) -> "Group":
        registration = delegate.registration
        organisation = registration.organisation
        region = REGION_OF.get(str(organisation.country), "")
        return cls(organisation.pk, organisation.category, region, registration.track_id)

    def counts_for(self, quota: Quota) -> bool:
        if quota.category:
            return quota.category == self.category
        if quota.region:
            return quota.region == self.region
        return quota.track_id == self.track


@dataclass
class Tally:
    """A limit, or none, and what of it is given. After a limit was lowered, less than nothing
    may be left."""

    seats: int | None
    given: int = 0
    waiting: int = 0
    last_place: int = 0

    @property
    def left(self) -> int | None:
        return None if self.seats is None else self.seats - self.given

    def has_room_for(self, people: int) -> bool:
        return self.left is None or self.left >= people


class Table:
    """The seats of one event: given, left and waited for, as they stand. One query, however many
    people there are, one more to count by groups, and one more where an event has parts.

    Where all groups count alike, because neither they nor sorts of them have a limit of their
    own, they are counted as one.
    """

    def __init__(self, event: Event) -> None:
        self.event = event
        self.all = Tally(event.seats)
        self.quotas: dict[Quota, Tally] = {}
        self.segments: dict[UUID, Tally] = {}
        self._organisations: dict[UUID, Tally] = {}
        self._waiting: Counter[Group | None] = Counter()
        self._count_people()
        if self.segments:
            _count_parts(self.segments)

    @property
    def given(self) -> int:
        return self.all.given

    @property
    def left(self) -> int | None:
        return self.all.left

    def of_organisation(self, organisation: Organisation | UUID) -> Tally:
        pk = organisation if isinstance(organisation, UUID) else organisation.pk
        return self._organisations.setdefault(pk, Tally(self.event.cap))

    def why_not(self, *delegates: Delegate) -> refusals.Refusal | None:
        """Why these people cannot all have a seat; None when they can."""
        takers = [delegate for delegate in delegates if delegate.needs_seat]
        named = {each.registration.organisation_id: each.registration for each in takers}
        asked = Counter(Group.of(delegate) for delegate in takers)
        if asked and not self.all.has_room_for(asked.total()):
            return refusals.HearingFull(self.event, self.all.left or 0)
        for pk, registration in named.items():
            tally = self.of_organisation(pk)
            if not tally.has_room_for(_sum(asked, lambda group, pk=pk: group.organisation == pk)):
                return refusals.CapReached(
                    registration.organisation, self.event.cap or 0, tally.left or 0
                )
        for quota, tally in self.quotas.items():
            if not tally.has_room_for(_sum(asked, lambda group, of=quota: group.counts_for(of))):
                return refusals.QuotaFull(quota, tally.left or 0)
        return None

    def serves_somebody(self) -> bool:
        """There is a seat for somebody on the waiting list."""
        return self.all.has_room_for(1) and any(self._fits(group) for group in +self._waiting)

    def give(
        self,
        *delegates: Delegate,
        by: User | None,
        now: datetime,
        verb: str,
        parts: Collection[UUID] = (),
        and_acts: Sequence[Entry] = (),
    ) -> None:
        """Say yes to these people of one delegation, and count the seats of those who need one;
        ask for the confirmation, and give what they asked for of the event's parts: those with
        room, and `parts` in any case. Whether there are seats is for the caller to know."""
        for delegate in delegates:
            if delegate.state == State.WAIT_LISTED:
                self._wait(self._group(delegate), -1)
        asked_at = now if self._asks(now) else None
        turn_all(
            delegates, State.APPROVED, verb, by=by, now=now, and_acts=and_acts, asked_at=asked_at
        )
        for delegate in delegates:
            self._add(self._group(delegate), 1 if delegate.needs_seat else 0)
            for decision in self._decisions(delegate):
                tally = self.segments[decision.segment_id]
                if not delegate.needs_seat:
                    _settle(decision, Part.GIVEN)
                elif decision.segment_id in parts or tally.has_room_for(1):
                    self.give_part(decision)
                else:
                    tally.last_place += 1
                    _settle(decision, Part.WAIT_LISTED, tally.last_place)

    def give_part(self, decision: SegmentDecision) -> None:
        """Count this person in at a part of the event."""
        self.segments[decision.segment_id].given += 1
        _settle(decision, Part.GIVEN)

    def take_up(self, delegate: Delegate) -> None:
        """Count in somebody who has come without a seat until now, here and at their parts of
        the event; for a part that is full they wait."""
        self._add(self._group(delegate), 1)
        for decision in self._decisions(delegate):
            tally = self.segments[decision.segment_id]
            if tally.has_room_for(1):
                self.give_part(decision)
            else:
                tally.last_place += 1
                _settle(decision, Part.WAIT_LISTED, tally.last_place)

    def swap(
        self, leaving: Sequence[Delegate], coming: Sequence[Delegate], parts: Mapping[UUID, int]
    ) -> refusals.Refusal | None:
        """Count out those of a delegation who go, and in those who come, who take so many more of
        each part of the event; or why there are not seats for them: then nothing is counted."""
        going = [delegate for delegate in leaving if delegate.is_seated]
        for delegate in going:
            self._add(self._group(delegate), -1)
        why = self.why_not(*coming) or self._why_not_parts(parts)
        for delegate in going if why else [one for one in coming if one.needs_seat]:
            self._add(self._group(delegate), 1)
        if not why:
            for pk, more in parts.items():
                self.segments[pk].given += more
        return why

    def _why_not_parts(self, parts: Mapping[UUID, int]) -> refusals.Refusal | None:
        for part in self.event.segments.filter(pk__in=parts):
            more = parts[part.pk]
            if more > 0 and not self.segments[part.pk].has_room_for(more):
                return refusals.PartFull(part)
        return None

    def hand_over(
        self, old: Delegate, new: Delegate, *, by: User | None, now: datetime, verb: str
    ) -> None:
        """Let the new person have what the old one had; what is not taken up is free."""
        held = {decision.segment_id for decision in self._decisions(old, state=Part.GIVEN)}
        if old.is_seated:
            self._add(self._group(old), -1)
            for pk in held:
                self.segments[pk].given -= 1
        turn(old, State.REPLACED, gettext_noop("replaced"), by=by, now=now)
        self.give(new, by=by, now=now, verb=verb, parts=held)

    def queue(
        self,
        *delegates: Delegate,
        by: User | None,
        now: datetime,
        and_acts: Sequence[Entry] = (),
    ) -> dict[UUID, int]:
        """Put these people at the end of the waiting list; the place of each."""
        turn_all(
            delegates,
            State.WAIT_LISTED,
            gettext_noop("wait-listed"),
            by=by,
            now=now,
            and_acts=and_acts,
            after=self.all.last_place,
        )
        places = {}
        for delegate in delegates:
            self.all.last_place += 1
            self._wait(self._group(delegate), 1)
            places[delegate.pk] = self.all.waiting
        return places

    def _count_people(self) -> None:
        stands = _stands(self.event, ALL_ALIKE if self.event.cap is None else BY_GROUP)
        quotas = [
            Quota(pk, self.event.pk, category, region, track, seats)
            for pk, category, region, track, seats, _none, _nor in stands["quota"]
        ]
        quotas.sort(key=lambda each: (each.category, each.region, str(each.track_id)))
        self.quotas = {quota: Tally(quota.seats) for quota in quotas}
        self.segments = {pk: Tally(seats) for pk, _c, _r, _t, seats, _g, _w in stands["segment"]}
        if self.event.cap is None and quotas:
            stands = _stands(self.event, BY_GROUP)
        for organisation, category, country, track, given, waiting, last in stands["people"]:
            group = None
            if organisation:
                group = Group(organisation, category, REGION_OF.get(country, ""), track)
            self._add(group, given)
            self._wait(group, waiting)
            self.all.last_place = max(self.all.last_place, last or 0)

    @property
    def _counts_all_alike(self) -> bool:
        return self.event.cap is None and not self.quotas

    def _group(self, delegate: Delegate) -> Group | None:
        return None if self._counts_all_alike else Group.of(delegate)

    def _wait(self, group: Group | None, people: int) -> None:
        self.all.waiting += people
        self._waiting[group] += people

    def _add(self, group: Group | None, people: int) -> None:
        self.all.given += people
        if group is None:
            return
        self.of_organisation(group.organisation).given += people
        for quota, tally in self.quotas.items():
            if group.counts_for(quota):
                tally.given += people

    def _fits(self, group: Group | None) -> bool:
        return group is None or (
            self.of_organisation(group.organisation).has_room_for(1)
            and all(
                tally.has_room_for(1)
                for quota, tally in self.quotas.items()
                if group.counts_for(quota)
            )
        )

    def _asks(self, now: datetime) -> bool:
        return self.event.confirmation_deadline is not None and not has_begun(self.event, now)

    def _decisions(self, delegate: Delegate, **only: Any) -> list[SegmentDecision]:
        if not self.segments:
            return []
        return list(delegate.segments.filter(**only).order_by("segment_id"))


def has_begun(event: Event, now: datetime) -> bool:
    return now >= event.begins_at


def turn(
    delegate: Delegate,
    state: str,
    verb: str,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    **facts: Any,
) -> None:
    """Change a person's state, and remember it. Who is not put on the waiting list leaves it, and
    who has no seat any more has no part of the event and no line in its public list."""
    turn_all([delegate], state, verb, by=by, now=now, reason=reason, **facts)


def turn_all(
    delegates: Sequence[Delegate],
    state: str,
    verb: str,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    and_acts: Sequence[Entry] = (),
    after: int | None = None,
    **facts: Any,
) -> None:
    """The same of several people at once: one statement for them, and one for what is remembered
    of them, with the acts that went before. `after` is the last place in the waiting order, which
    they join one by one."""
    before = {delegate.pk: delegate.state for delegate in delegates}
    lost = [pk for pk, old in before.items() if old in SEATED and state not in SEATED]
    if lost:
        take_parts(SegmentDecision.objects.filter(delegate__in=lost))
        facts |= UNLISTED
    facts = {"state": state, "waits_as": None} | facts
    for number, delegate in enumerate(delegates, start=1):
        for name, value in facts.items():
            setattr(delegate, name, value)
        if after is not None:
            delegate.waits_as = after + number
    if after is None or len(delegates) == 1:
        same = {name: getattr(delegates[0], name) for name in facts}
        Delegate.objects.filter(pk__in=before).update(**same)
    else:
        Delegate.objects.bulk_update(delegates, list(facts))
    acts = [
        trail.act(
            by,
            verb,
            delegate,
            at=now,
            scope=delegate.registration.event_id,
            before={"state": before[delegate.pk]},
            after={"state": state},
            reason=reason,
        )
        for delegate in delegates
    ]
    trail.record_many([*and_acts, *acts])


def take_parts(decisions: QuerySet[SegmentDecision]) -> None:
    """What was given or waited for is only asked for again."""
    decisions.exclude(state=Part.ASKED).update(state=Part.ASKED, waits_as=None)


def _stands(event: Event, whose: Mapping[str, str]) -> dict[str, list[tuple]]:
    """The quotas; the segments that have a limit, or were asked for when they had; and how many
    people have seats or wait, by what `whose` names.

    People are looked up delegation by delegation: what the others of a large database do must not
    cost anything here, where everybody waits for the lock.
    """
    found: dict[str, list[tuple]] = {"quota": [], "segment": [], "people": []}
    with connection.cursor() as cursor:
        cursor.execute(STANDS.format(**whose), {"of": event.pk, **HOLDERS})
        for what, *facts in cursor.fetchall():
            found[what].append(tuple(facts))
    return found


def _count_parts(parts: dict[UUID, Tally]) -> None:
    """What of the segments is given and waited for, and the last place in the order."""
    holds = Q(delegate__state__in=SEATED) & ~Q(delegate__role__in=WITHOUT_SEAT)
    counted = (
        SegmentDecision.objects.filter(segment__in=parts)
        .values_list("segment")
        .annotate(
            given=Count("pk", filter=holds & Q(state=Part.GIVEN)),
            waiting=Count("pk", filter=holds & Q(state=Part.WAIT_LISTED)),
            last=Max("waits_as"),
        )
        .order_by()
    )
    for pk, given, waiting, last in counted:
        parts[pk] = Tally(parts[pk].seats, given, waiting, last or 0)


def _settle(decision: SegmentDecision, state: str, waits_as: int | None = None) -> None:
    decision.state, decision.waits_as = state, waits_as
    decision.save(update_fields=["state", "waits_as"])


def _sum(asked: Counter[Group], counts: Any) -> int:
    return sum(people for group, people in asked.items() if counts(group))
