"""The delegations that were sent to an event, as organisers decide about them: counted by what is
alike in them, and found.

All counts, and the seats, come from one query, grouped by the database, whatever the number of
people.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Count, Exists, OuterRef, Q
from django.db.models.expressions import RawSQL

from events.models import Event
from events.regions import COUNTRIES, REGION_OF, Region
from registrations.models import (
    AWAITS_DECISION,
    SEATED,
    WITHOUT_SEAT,
    Delegate,
    Registration,
    RegistrationQuerySet,
)
from stakeholders import matching
from stakeholders.models import Organisation

State = Delegate.State
STATUSES: dict[str, set[State]] = {
    "waits": {State.SUBMITTED},
    "asked": {State.MORE_INFORMATION},
    "wait_listed": {State.WAIT_LISTED},
    "approved": SEATED,
    "declined": {State.DECLINED},
    "gone": {State.DECLINED_BY_DELEGATE, State.LAPSED, State.REPLACED, State.WITHDRAWN},
}
"""How a delegation stands: each has somebody in one of these states. One may stand in several
ways."""
BIT_OF = {name: 1 << number for number, name in enumerate(STATUSES)}
UNKNOWN = "-"
"""For those of whom it is not known."""

# What is said of a delegation is worked out before its people are joined to it.
CELLS = """
    select category, country, track_id, is_found, standing, count(*),
        sum(given)::int, sum(undecided)::int, sum(waiting)::int
    from (
        select delegation.id, category, country, track_id, is_found,
            bit_or({bits}) as standing,
            count(*) filter (where person.state = any(%(seated)s) and {takes}) as given,
            count(*) filter (where person.state = any(%(awaits)s) and {takes}) as undecided,
            count(*) filter (where person.state = 'wait_listed' and {takes}) as waiting
        from (
            select own.id, own.track_id, organisation.category, organisation.country,
                {is_found} as is_found
            from registrations_registration own
            join stakeholders_organisation organisation on organisation.id = own.organisation_id
            where own.event_id = %(event)s and own.sent_at is not null
            offset 0
        ) delegation
        join registrations_delegate person on person.registration_id = delegation.id
        where person.state <> 'draft'
        group by 1, 2, 3, 4, 5
    ) each_of_them
    group by 1, 2, 3, 4, 5
"""
BITS = "case person.state {} end".format(
    " ".join(
        f"when '{state.value}' then {BIT_OF[name]}"
        for name, states in STATUSES.items()
        for state in sorted(states)
    )
)
TAKES = "person.role <> all(%(without_seat)s)"
AMONG = "registrations_registration.id = any(%s::uuid[])"


class Cell(NamedTuple):
    """Delegations that are alike in all that is filtered by, how many they are, and the seats of
    their people."""

    category: str
    country: str
    track: UUID | None
    is_found: bool
    standing: int
    n: int
    given: int
    undecided: int
    waiting: int

    @property
    def statuses(self) -> tuple[str, ...]:
        return _statuses(self.standing)

    @property
    def region(self) -> str:
        return REGION_OF.get(self.country, UNKNOWN)


def cells(event: Event, found: Collection[str] | None = None) -> list[Cell]:
    """Of the whole event; `found` are the ids of those that a search has found."""
    is_found = "true" if found is None else "own.id = any(%(found)s::uuid[])"
    with connection.cursor() as cursor:
        cursor.execute(
            CELLS.format(bits=BITS, takes=TAKES, is_found=is_found),
            {
                "event": event.pk,
                "found": list(found or ()),
                "seated": [str(state) for state in SEATED],
                "awaits": [str(state) for state in AWAITS_DECISION],
                "without_seat": [str(role) for role in WITHOUT_SEAT],
            },
        )
        return [Cell(*row) for row in cursor.fetchall()]


def delegations(
    event: Event,
    *,
    statuses: Iterable[str] = (),
    categories: Collection[str] = (),
    regions: Collection[str] = (),
    found: Collection[str] | None = None,
) -> RegistrationQuerySet:
    """Those that stand in one of these ways, are of one of these categories, and so on; of nothing
    said, all."""
    states = [state for name in statuses or STATUSES for state in STATUSES[name]]
    people = Delegate.objects.filter(registration=OuterRef("pk"), state__in=states)
    fitting = Registration.objects.filter(Exists(people), event=event, sent_at__isnull=False)
    if categories:
        codes = ["" if code == UNKNOWN else code for code in categories]
        fitting = fitting.filter(organisation__category__in=codes)
    if regions:
        fitting = fitting.filter(_in_regions(regions))
    if found is not None:
        among = RawSQL(AMONG, [list(found)], BooleanField())  # noqa: S611 (ids are bound)
        fitting = fitting.filter(among)
    return fitting


def doubled(event: Event, keys: Iterable[str]) -> set[str]:
    """Which of these names more than one organisation has that sent a delegation."""
    sent = Registration.objects.filter(
        event=event,
        sent_at__isnull=False,
        organisation__merged_into=None,
        organisation__matching_key__in=set(keys),
    )
    counted = sent.order_by().values_list("organisation__matching_key").annotate(n=Count("pk"))
    return set(counted.filter(n__gt=1).values_list("organisation__matching_key", flat=True))


def like(registration: Registration) -> list[Registration]:
    """Delegations of the same event whose organisation may be the same one by its name."""
    own = registration.organisation
    query = matching.Query(own.name)
    near = [
        each.pk
        for each in Organisation.objects.like(own.name)
        if query.score(each.name, each.acronym, each.search_text) >= matching.NEAR
    ]
    sent = Registration.objects.filter(
        event=registration.event_id, sent_at__isnull=False, organisation__in=near
    )
    others = sent.exclude(pk=registration.pk).select_related("organisation")
    return list(others.order_by("organisation__name", "pk"))


@lru_cache
def _statuses(standing: int) -> tuple[str, ...]:
    return tuple(name for name, bit in BIT_OF.items() if standing & bit)


def _in_regions(regions: Collection[str]) -> Q:
    known = [code for region in regions if region != UNKNOWN for code in COUNTRIES[Region(region)]]
    of_them = Q(organisation__country__in=known)
    if UNKNOWN in regions:
        of_them |= ~Q(organisation__country__in=list(REGION_OF))
    return of_them
