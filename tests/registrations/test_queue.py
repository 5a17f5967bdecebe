"""The delegations of an event: what the database counts is what one counts by hand."""

from collections import Counter

import pytest

from events.regions import REGION_OF
from registrations import queue
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation
from tests.registrations import crowd

SEATED, UNDECIDED = {"approved", "confirmed"}, {"submitted", "more_information"}


@pytest.fixture
def crowded(hearing, second, now):
    """Groups of four kinds, people in every state and some without a seat; a draft, and a group of
    another event."""
    states = [str(state) for state in Delegate.State if state not in {"draft", "wait_listed"}]
    for number, (country, category) in enumerate(
        [("KE", "youth"), ("PH", "diaspora"), ("", ""), ("FR", "youth")]
    ):
        groups = crowd.sent(
            hearing,
            3,
            now=now,
            people=3,
            name=f"Group of {country or 'nowhere'}",
            country=country,
            category=category,
        )
        people = Delegate.objects.filter(registration__in=groups).order_by("pk")
        for position, one in enumerate(people):
            state = states[(position + number) % len(states)]
            role = "interpreter" if position % 4 == 3 else "delegate"
            Delegate.objects.filter(pk=one.pk).update(state=state, role=role)
    last = Delegate.objects.filter(registration__event=hearing).order_by("pk").last()
    Delegate.objects.filter(pk=last.pk).update(state="wait_listed", waits_as=1)
    crowd.drafts(hearing, 1, now=now, name="Draft")
    crowd.sent(second, 2, now=now, name="Elsewhere")
    for organisation in Organisation.objects.all():
        organisation.save()
    return hearing


def ways(registration) -> frozenset[str]:
    states = set(registration.delegates.values_list("state", flat=True))
    return frozenset(name for name, of in queue.STATUSES.items() if states & set(of))


def sent(event) -> list[Registration]:
    return list(event.registrations.exclude(sent_at=None).select_related("organisation"))


def alike(event, groups) -> Counter:
    """What one counts by hand: how many delegations, and the seats of their people."""
    counted: Counter = Counter()
    for one in groups:
        category, country = one.organisation.category, one.organisation.country.code or ""
        key = (category, country, ways(one))
        counted[*key, "n"] += 1
        for person in one.delegates.exclude(role="interpreter"):
            counted[*key, "given"] += person.state in SEATED
            counted[*key, "undecided"] += person.state in UNDECIDED
            counted[*key, "waiting"] += person.state == "wait_listed"
    return +counted


def told(cells) -> Counter:
    counted: Counter = Counter()
    for cell in cells:
        key = (cell.category, cell.country, frozenset(cell.statuses))
        for figure in ("n", "given", "undecided", "waiting"):
            counted[*key, figure] += getattr(cell, figure)
    return +counted


def test_delegations_are_counted_as_one_counts_them_by_hand(crowded):
    cells = queue.cells(crowded)

    assert told(cells) == alike(crowded, sent(crowded))
    assert all(cell.is_found for cell in cells)
    assert {cell.region for cell in cells} == {"002", "142", "150", queue.UNKNOWN}


def test_those_that_a_search_has_found_are_counted_apart(crowded):
    groups = sent(crowded)[::2]

    cells = queue.cells(crowded, {str(one.pk) for one in groups})

    assert told(cell for cell in cells if cell.is_found) == alike(crowded, groups)
    assert told(cells) == alike(crowded, sent(crowded))


@pytest.mark.parametrize("name", queue.STATUSES)
def test_each_way_to_stand_finds_those_that_it_counts(crowded, name):
    found = queue.delegations(crowded, statuses=[name])

    assert set(found) == {one for one in sent(crowded) if name in ways(one)}
    cells = queue.cells(crowded)
    assert found.count() == sum(cell.n for cell in cells if name in cell.statuses)


@pytest.mark.parametrize(
    ("categories", "regions"),
    [
        (["youth"], []),
        ([queue.UNKNOWN, "diaspora"], []),
        ([], ["002", "150"]),
        ([], [queue.UNKNOWN]),
        (["youth"], ["150", queue.UNKNOWN]),
    ],
)
def test_groups_are_found_by_category_and_region(crowded, categories, regions):
    found = queue.delegations(crowded, categories=categories, regions=regions)

    def fits(one) -> bool:
        own = one.organisation
        region = REGION_OF.get(own.country.code, queue.UNKNOWN)
        return (not categories or (own.category or queue.UNKNOWN) in categories) and (
            not regions or region in regions
        )

    assert set(found) == {one for one in sent(crowded) if fits(one)} != set()


def test_nothing_found_is_nothing(crowded):
    assert list(queue.delegations(crowded, found=set())) == []


def test_a_delegation_withdrawn_and_begun_again_is_a_draft(crowded):
    first = sent(crowded)[0]
    first.delegates.update(state="draft", waits_as=None)

    assert first not in queue.delegations(crowded)
    assert sum(cell.n for cell in queue.cells(crowded)) == len(sent(crowded)) - 1


def test_a_name_of_two_groups_is_doubled_where_both_have_sent(crowded):
    one, other, *_rest = sent(crowded)
    drafted = crowded.registrations.get(sent_at=None).organisation
    for organisation in (one.organisation, other.organisation, drafted):
        organisation.name = "Choir of Gozo"
        organisation.save()

    assert queue.doubled(crowded, ["choir of gozo", "nobody"]) == {"choir of gozo"}
    other.organisation.name = "Band of Gozo"
    other.organisation.save()
    assert queue.doubled(crowded, ["choir of gozo", "band of gozo"]) == set()


def test_groups_of_a_like_name_are_told_of(crowded):
    one, other, third, *_rest = sent(crowded)
    for registration, name in (
        (one, "Migrant Workers Network of Gozo"),
        (other, "The Migrant Worker Network of Gozo"),
        (third, "Choir of Malta"),
    ):
        registration.organisation.name = name
        registration.organisation.save()

    assert queue.like(one) == [other]
