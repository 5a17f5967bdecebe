"""How many seats are given, left and waited for, as organisers read it. Verbs count for themselves,
under the lock."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events.models import Event, Quota, Segment
from events.regions import REGION_OF
from registrations import queue, seats
from registrations.models import AWAITS_DECISION, WITHOUT_SEAT, Delegate, SegmentDecision

Part = SegmentDecision.State
TAKES_PART = ~Q(decisions__delegate__role__in=WITHOUT_SEAT)

# A name keeps its own direction within a sentence.
ISOLATE, END = "\u2068", "\u2069"


@dataclass(frozen=True)
class Standing:
    """One limit, or none: what of it is given, how many wait for a seat, and how many for a
    decision."""

    words: str
    limit: int | None
    given: int
    waiting: int
    undecided: int = 0

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.given)


class Stand:
    """An event's seats as they stand, for each sort of group, with a limit or without: four
    queries."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.table = seats.Table(event)
        of = "registration__organisation"
        rows = (
            Delegate.objects.filter(registration__event=event)
            .exclude(role__in=WITHOUT_SEAT)
            .values_list(of, f"{of}__category", f"{of}__country", "registration__track")
            .annotate(
                given=Count("pk", filter=seats.HOLDS_SEAT),
                waiting=Count("pk", filter=Q(state=Delegate.State.WAIT_LISTED)),
            )
            .order_by()
        )
        self.groups = [
            (seats.Group(pk, category, REGION_OF.get(country, ""), track), given, waiting)
            for pk, category, country, track, given, waiting in rows
        ]

    def of_event(self) -> Standing:
        tally = self.table.all
        return Standing(str(self.event), tally.seats, tally.given, tally.waiting)

    def of_segment(self, segment: Segment) -> Standing:
        tally = self.table.segments.get(segment.pk, seats.Tally(segment.seats))
        return Standing(str(segment), segment.seats, tally.given, tally.waiting)

    def of_quota(self, quota: Quota) -> Standing:
        """Of a quota, or of one that could be: without a number it has no limit."""
        counted = [row for row in self.groups if row[0].counts_for(quota)]
        given, waiting = sum(row[1] for row in counted), sum(row[2] for row in counted)
        return Standing(str(quota), quota.seats, given, waiting)

    def limits(self) -> list[Standing]:
        """The event's own, then its parts', then those of sorts of groups."""
        segments = self.event.segments.exclude(seats=None).order_by("date", "starts_at")
        return [
            self.of_event(),
            *(self.of_segment(segment) for segment in segments),
            *(self.of_quota(quota) for quota in self.table.quotas),
        ]

    def groups_over(self, cap: int) -> int:
        """How many organisations hold more seats than that."""
        held: Counter = Counter()
        for group, given, _waiting in self.groups:
            held[group.organisation] += given
        return sum(1 for given in held.values() if given > cap)


def in_sight(event: Event, cells: Collection[queue.Cell]) -> list[Standing]:
    """The event's own, then its parts', then those of sorts of groups; two queries."""
    parts = (
        event.segments.exclude(seats=None)
        .annotate(
            given=Count("decisions", filter=TAKES_PART & Q(decisions__state=Part.GIVEN)),
            waiting=Count("decisions", filter=TAKES_PART & Q(decisions__state=Part.WAIT_LISTED)),
            undecided=Count(
                "decisions",
                filter=TAKES_PART & Q(decisions__delegate__state__in=AWAITS_DECISION),
            ),
        )
        .order_by("date", "starts_at")
    )
    return [
        _standing(event, event.seats, cells),
        *(
            Standing(str(part), part.seats, part.given, part.waiting, part.undecided)
            for part in parts
        ),
        *(
            _standing(quota, quota.seats, [cell for cell in cells if _counts_for(cell, quota)])
            for quota in event.quotas.select_related("track").order_by("category", "region")
        ),
    ]


def _standing(whose: object, limit: int | None, cells: Iterable[queue.Cell]) -> Standing:
    given, waiting, undecided = 0, 0, 0
    for cell in cells:
        given += cell.given
        waiting += cell.waiting
        undecided += cell.undecided
    return Standing(str(whose), limit, given, waiting, undecided)


def _counts_for(cell: queue.Cell, quota: Quota) -> bool:
    if quota.category:
        return quota.category == cell.category
    if quota.region:
        return quota.region == cell.region
    return quota.track_id == cell.track


def of_choice(delegates: Iterable[Delegate]) -> list[str]:
    """What approving these people takes, and what is left to take it from."""
    told: list[str] = []
    by_event = sorted(delegates, key=lambda delegate: str(delegate.registration.event_id))
    for event, people in groupby(by_event, key=lambda delegate: delegate.registration.event):
        told += _of_event(event, list(people))
    return told


def _of_event(event: Event, people: list[Delegate]) -> list[str]:
    takers = [one for one in people if one.needs_seat and not _takes_over(one)]
    if not takers:
        return [_("“%(event)s”: nobody of them needs a new seat.") % {"event": event}]
    table = seats.Table(event)
    taken = Counter(seats.Group.of(one) for one in takers)
    told = [_takes(event, len(takers), table.all)]
    for quota, tally in table.quotas.items():
        n = sum(people for group, people in taken.items() if group.counts_for(quota))
        if n:
            told.append(_takes(quota, n, tally))
    if event.cap is not None:
        groups = Counter(one.registration.organisation for one in takers)
        told += [_takes(group, n, table.of_organisation(group)) for group, n in groups.items()]
    return told


def _takes_over(delegate: Delegate) -> bool:
    """Who stands in for somebody with a seat gets that one."""
    return delegate.replaces is not None and delegate.replaces.is_seated


def _takes(whose: object, n: int, tally: seats.Tally) -> str:
    takes = ngettext("“%(whose)s”: this takes %(n)s seat", "“%(whose)s”: this takes %(n)s seats", n)
    if tally.left is None:
        rest = _("there is no limit")
    else:
        rest = _("%(left)s of %(limit)s are left") % {
            "left": max(0, tally.left),
            "limit": tally.seats,
        }
    takes = takes % {"whose": f"{ISOLATE}{whose}{END}", "n": n}
    return _("%(takes)s; %(rest)s.") % {"takes": takes, "rest": rest}
