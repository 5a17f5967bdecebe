"""How an event stands, counted: who comes, from where, how fast, and what waits.

Each question is one query, grouped by the database, whatever the number of people.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from accounts.models import User
from clock import walls
from events.models import Deadline, Event, Follower
from events.regions import REGION_OF
from notifications.models import Letter, Suppression
from notifications.models import State as LetterState
from registrations.models import (
    AWAITS_DECISION,
    SEATED,
    WITHOUT_SEAT,
    Correction,
    CorrectionQuerySet,
    Delegate,
    DelegateQuerySet,
    Exchange,
    Exemption,
    Invitation,
    Registration,
    RegistrationQuerySet,
)
from stakeholders.models import Membership

State = Delegate.State
DAY = timedelta(days=1)
WEEK = 7
FEWEST_DAYS = 3
"""A pace of fewer days says nothing."""
MAY_COME = {*AWAITS_DECISION, *SEATED, State.WAIT_LISTED}
UNKNOWN = ""
AGES = {"0-2": 0, "3-5": 3, "6-10": 6, "11": 11}
"""Whole days since a delegation was sent: the fewest of each."""

# What is said of a delegation is worked out before its people are joined to it; so the database
# gathers 100,000 people without sorting them.
CROWD = """
    select person.state, delegation.category, delegation.country, delegation.days, count(*),
        count(*) filter (where person.role <> all(%(without_seat)s)), count(person.asked_at),
        min(delegation.sent_at)
    from (
        select own.id, own.sent_at, organisation.category, organisation.country,
            least(%(most)s, extract(day from %(now)s - own.sent_at)::int) as days
        from registrations_registration own
        join stakeholders_organisation organisation on organisation.id = own.organisation_id
        where own.event_id = %(event)s and own.sent_at is not null
        offset 0
    ) delegation
    join registrations_delegate person on person.registration_id = delegation.id
    where person.state <> 'draft'
    group by 1, 2, 3, 4
"""
EFFECTS = """
    select split_part(letter.key, ':', 4), min(letter.sent_at), count(distinct delegation.id),
        count(distinct delegation.id) filter (
            where delegation.sent_at <= letter.sent_at + interval '48 hours'
        )
    from notifications_letter letter
    join accounts_user reader on upper(reader.email) = upper(letter.to)
    join stakeholders_membership point on point.user_id = reader.id
        and point.kind = 'focal_point' and point.state = 'active'
    join registrations_registration delegation
        on delegation.organisation_id = point.organisation_id
    where letter.about = %(deadline)s and letter.state = 'sent'
        and letter.key like %(key)s
        and delegation.event_id = %(event)s
        and delegation.begun_at <= letter.sent_at
        and (delegation.sent_at is null or delegation.sent_at > letter.sent_at)
        and (delegation.withdrawn_at is null or delegation.withdrawn_at > letter.sent_at)
    group by split_part(letter.key, ':', 3), split_part(letter.key, ':', 4)
    order by 2, 1
"""


@dataclass(frozen=True)
class People:
    """Those of delegations that were sent. What lies in `categories` and `regions` are those who
    come or may come; in `ages`, those who wait for a decision."""

    states: Mapping[str, int]
    categories: Mapping[str, int]
    regions: Mapping[str, int]
    ages: Mapping[str, int]
    oldest_sent_at: datetime | None
    seats_given: int
    to_confirm: int

    @property
    def sent(self) -> int:
        return sum(self.states.values())

    @property
    def may_come(self) -> int:
        return self._of(MAY_COME)

    @property
    def undecided(self) -> int:
        return self._of(AWAITS_DECISION)

    @property
    def with_a_place(self) -> int:
        return self._of(SEATED)

    @property
    def confirmed(self) -> int:
        return self._of({State.CONFIRMED})

    def _of(self, states: set[State]) -> int:
        return sum(self.states.get(state, 0) for state in states)


@dataclass(frozen=True)
class Day:
    day: date
    sent: int
    so_far: int


@dataclass(frozen=True)
class Pace:
    """How delegations came in, and how many will have come by the close if it goes on so."""

    days: list[Day]
    opened_on: date | None
    today: date
    closes_on: date | None
    recent: int
    paced_days: float
    """How many of the last seven days registration was open; 0 while it is not."""
    forecast: int | None

    @property
    def sent(self) -> int:
        return self.days[-1].so_far if self.days else 0


@dataclass(frozen=True)
class Funnel:
    begun: int
    with_people: int
    sent: int
    drafts: int
    """Begun and not sent, without those that were withdrawn."""


@dataclass(frozen=True)
class Effect:
    """Of one reminder: how many groups without a sent delegation it reached, and how many of them
    sent theirs within 48 hours."""

    step: str
    sent_at: datetime
    groups: int
    registered: int


def people(event: Event, *, now: datetime) -> People:
    states: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    ages: Counter[str] = Counter(dict.fromkeys(AGES, 0))
    oldest_sent_at: datetime | None = None
    seats = to_confirm = 0
    for state, category, country, days, n, seated, asked, oldest in _crowd(event, now):
        states[state] += n
        if state in MAY_COME:
            categories[category] += n
            regions[REGION_OF.get(country, UNKNOWN)] += n
        if state in AWAITS_DECISION:
            ages[_age(days)] += n
            oldest_sent_at = min(oldest, oldest_sent_at or oldest)
        seats += seated if state in SEATED else 0
        to_confirm += asked if state == State.APPROVED else 0
    return People(states, categories, regions, ages, oldest_sent_at, seats, to_confirm)


def pace(event: Event, window: Deadline | None, *, now: datetime) -> Pace:
    """Days are those of the event's zone."""
    zone = walls.zone_of(event.zone)
    rows = (
        Registration.objects.filter(event=event, sent_at__isnull=False)
        .order_by()
        .annotate(day=TruncDate("sent_at", tzinfo=zone))
        .values_list("day")
        .annotate(n=Count("pk"), recent=Count("pk", filter=Q(sent_at__gt=now - WEEK * DAY)))
        .order_by("day")
    )
    days: list[Day] = []
    total = recent = 0
    for day, n, of_these in rows:
        total += n
        recent += of_these
        days.append(Day(day, n, total))
    opened_at = (window.opens_at if window else None) or event.published_at
    is_open = window is not None and event.is_published and window.is_open(now)
    paced = min(float(WEEK), (now - opened_at) / DAY) if is_open and opened_at else 0
    forecast = None
    if window and paced >= FEWEST_DAYS:
        forecast = total + round(recent / paced * ((window.closes_at - now) / DAY))
    return Pace(
        days=days,
        opened_on=opened_at.astimezone(zone).date() if opened_at else None,
        today=now.astimezone(zone).date(),
        closes_on=_last_day(window) if window else None,
        recent=recent,
        paced_days=paced,
        forecast=forecast,
    )


def funnel(event: Event) -> Funnel:
    """Nobody sends a delegation without people."""
    has_people = Exists(Delegate.objects.filter(registration=OuterRef("pk")))
    of_event = Registration.objects.filter(event=event)
    sent = of_event.filter(sent_at__isnull=False).count()
    unsent = of_event.filter(sent_at=None).aggregate(
        n=Count("pk"),
        with_people=Count("pk", filter=has_people),
        drafts=Count("pk", filter=Q(withdrawn_at=None)),
    )
    return Funnel(unsent["n"] + sent, unsent["with_people"] + sent, sent, unsent["drafts"])


def languages(event: Event) -> dict[str, int]:
    """Those in which the focal points of its groups read their letters."""
    groups = Registration.objects.filter(event=event).values("organisation")
    points = Membership.objects.of_focal_points().filter(organisation__in=groups)
    users = User.objects.filter(pk__in=points.values("user")).order_by()
    return dict(users.values_list("language").annotate(n=Count("pk")))


def effects(window: Deadline) -> list[Effect]:
    """The reminders of a deadline that have left, the first one first."""
    with connection.cursor() as cursor:
        cursor.execute(
            EFFECTS,
            {
                "deadline": window.pk,
                "event": window.event_id,
                "key": f"reminder:{window.pk}:%",
            },
        )
        return [Effect(*row) for row in cursor.fetchall()]


def at_most_reminded(event: Event, begun: int) -> int:
    """No fewer readers than a reminder of registration can have."""
    invited = Invitation.objects.filter(event=event, declined_at=None).count()
    return begun + invited + Follower.objects.confirmed().of(event).count()


def answered(event: Event) -> DelegateQuerySet:
    """People about whom a question was answered, and who have not been decided about since."""
    return Delegate.objects.filter(
        Exists(Exchange.objects.filter(delegate=OuterRef("pk"), answered_at__isnull=False)),
        registration__event=event,
        state=State.SUBMITTED,
    )


def corrections(event: Event) -> CorrectionQuerySet:
    return Correction.objects.waiting().filter(delegate__registration__event=event)


def requests(event: Event) -> QuerySet[Exemption]:
    """Groups that ask to be let in after the close."""
    return Exemption.objects.filter(event=event, answered_at=None)


def unreachable(event: Event) -> RegistrationQuerySet:
    """Delegations that were sent, to a focal point of which nothing is sent any more."""
    suppressed = Suppression.objects.filter(email__iexact=OuterRef("user__email"))
    points = Membership.objects.of_focal_points().filter(
        Exists(suppressed), organisation=OuterRef("organisation")
    )
    return Registration.objects.filter(
        Exists(points), event=event, sent_at__isnull=False, withdrawn_at=None
    )


def stopped_letters(event: Event) -> dict[str, int]:
    """How many are held, and how many failed: asked apart, for each has a small index of its
    own."""
    own = Letter.objects.in_scope(event.pk)
    return {
        str(state): own.filter(state=state).count()
        for state in (LetterState.HELD, LetterState.FAILED)
    }


def _crowd(event: Event, now: datetime) -> list[tuple]:
    """People who are alike, and how many they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            CROWD,
            {
                "event": event.pk,
                "now": now,
                "most": max(AGES.values()),
                "without_seat": [str(role) for role in WITHOUT_SEAT],
            },
        )
        return cursor.fetchall()


def _age(days: int) -> str:
    return next(age for age in reversed(AGES) if days >= AGES[age])


def _last_day(window: Deadline) -> date:
    return (
        walls.last_minute(window.closes_at, window.zone)
        .astimezone(walls.zone_of(window.zone))
        .date()
    )
