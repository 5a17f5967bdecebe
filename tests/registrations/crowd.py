"""Groups by the dozen, each with a focal point who reads its letters."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Model

from accounts.models import User
from events.models import Event, Track
from registrations import references
from registrations.models import Delegate, Registration
from stakeholders import matching
from stakeholders.models import Membership, Organisation, Representative

CROWDED = 500
"""So many people at once are a surprise to a planner that last saw nearly empty tables."""


def drafts(
    event: Event,
    count: int,
    *,
    now: datetime,
    people: int = 1,
    name: str = "Group",
    country: str = "KE",
    category: str = "youth",
    track: Track | None = None,
) -> list[Registration]:
    """So many groups with an unsent delegation of so many people each, in the order of their
    names."""
    names = [f"{name} {event.slug} {number:03}" for number in range(count)]
    users = User.objects.bulk_create(
        User(email=f"{each.replace(' ', '-').lower()}@groups.example", language="en")
        for each in names
    )
    organisations = Organisation.objects.bulk_create(
        Organisation(
            name=each,
            country=country,
            category=category,
            matching_key=matching.key(each),
            search_text=matching.search_text(each),
        )
        for each in names
    )
    Membership.objects.bulk_create(
        Membership(user=user, organisation=organisation)
        for user, organisation in zip(users, organisations, strict=True)
    )
    registrations = Registration.objects.bulk_create(
        Registration(
            event=event,
            organisation=organisation,
            reference=references.new("GCM"),
            begun_at=now - timedelta(days=1),
            track=track,
        )
        for organisation in organisations
    )
    for position in range(people):
        known = Representative.objects.bulk_create(
            Representative(
                organisation=organisation,
                given_names=f"Person {position}",
                family_name=organisation.name,
            )
            for organisation in organisations
        )
        Delegate.objects.bulk_create(
            Delegate(registration=registration, representative=person, position=position)
            for registration, person in zip(registrations, known, strict=True)
        )
    _tell_the_planner(count * people, Delegate, Registration, Representative, Organisation)
    return registrations


def _tell_the_planner(people: int, *models: type[Model]) -> None:
    """As the server does by itself a minute later."""
    if people < CROWDED:
        return
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"analyze {model._meta.db_table}")


def states(event: Event) -> dict[str, int]:
    """How many people are in which state."""
    counted: dict[str, int] = {}
    for state in Delegate.objects.filter(registration__event=event).values_list("state", flat=True):
        counted[state] = counted.get(state, 0) + 1
    return counted


def order(event: Event) -> list[str]:
    """The waiting list, by the names of the groups."""
    waiting = Delegate.objects.waiting().filter(registration__event=event)
    return list(waiting.values_list("registration__organisation__name", flat=True))


def seated(event: Event) -> list[str]:
    """The groups whose people have a seat, in the order of their names."""
    people = Delegate.objects.seated().filter(registration__event=event)
    names = people.order_by("registration__organisation__name", "position")
    return list(names.values_list("registration__organisation__name", flat=True))


def sent(event: Event, count: int, *, now: datetime, **facts) -> list[Registration]:
    """The same, sent, and waiting for a decision."""
    groups = drafts(event, count, now=now, **facts)
    Registration.objects.filter(pk__in=[each.pk for each in groups]).update(sent_at=now)
    people = Delegate.objects.filter(registration__in=groups)
    changed = people.update(state=Delegate.State.SUBMITTED)
    _tell_the_planner(changed, Delegate, Registration)
    return groups
