from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction

from audit.models import Entry
from events import capacity, refusals
from events.capacity import Share
from events.models import Event, Quota, Segment, Track


@pytest.fixture
def day(hearing) -> Segment:
    return Segment.objects.create(event=hearing, name_en="Morning", date=hearing.starts_on)


@pytest.fixture
def accredited(hearing) -> Track:
    return Track.objects.create(event=hearing, name_en="In consultative status")


@pytest.fixture
def another(hearing) -> Event:
    other = Event.objects.get(pk=hearing.pk)
    other.pk, other.slug = uuid4(), "another-hearing"
    other.save(force_insert=True)
    return other


def change(event, clara, now, **facts) -> None:
    kept = {"admission": event.admission, "seats": event.seats, "cap": event.cap}
    capacity.change(event, **(kept | facts), by=clara, now=now)


def quotas(event) -> list[tuple[str, int]]:
    return sorted((str(quota), quota.seats) for quota in event.quotas.all())


def remembered(event) -> list[tuple[dict, dict]]:
    entries = Entry.objects.about(event).filter(verb="capacity changed").order_by("id")
    return list(entries.values_list("before", "after"))


def test_an_event_has_no_limits_at_first(hearing):
    assert (hearing.admission, hearing.seats, hearing.cap) == ("reviewed", None, None)


def test_numbers_are_changed_and_the_old_ones_remembered(hearing, clara, now):
    change(hearing, clara, now, admission="first_come", seats=50, cap=3)
    change(hearing, clara, now, seats=None)

    assert (hearing.admission, hearing.seats, hearing.cap) == ("first_come", None, 3)
    assert Event.objects.get(pk=hearing.pk).cap == 3
    assert remembered(hearing) == [
        (
            {"admission": "reviewed", "seats": None, "cap": None},
            {"admission": "first_come", "seats": 50, "cap": 3},
        ),
        ({"seats": 50}, {"seats": None}),
    ]
    entry = Entry.objects.about(hearing).filter(verb="capacity changed").first()
    assert (entry.actor, entry.at, entry.scope) == (clara, now, hearing.id)


def test_what_stays_the_same_is_not_remembered(hearing, clara, now):
    change(hearing, clara, now, quotas=[])

    assert remembered(hearing) == []


@pytest.mark.parametrize(
    "facts",
    [{"seats": -1}, {"cap": -1}, {"quotas": [Share(-1, category="youth")]}],
)
def test_less_than_nobody_is_refused(hearing, clara, now, facts):
    with pytest.raises(refusals.LessThanNobody) as refused:
        change(hearing, clara, now, **({"seats": 10} | facts))

    assert str(refused.value) == (
        "-1: a number of seats is 0 or more. Leave it empty for no limit."
    )
    assert Event.objects.get(pk=hearing.pk).seats is None


def test_nobody_at_all_is_a_number(hearing, clara, now):
    change(hearing, clara, now, seats=0)

    assert hearing.seats == 0


def test_parts_that_are_not_named_stay_as_they_are(hearing, day, clara, now):
    evening = Segment.objects.create(
        event=hearing, name_en="Evening", date=hearing.starts_on, seats=7
    )

    change(hearing, clara, now, segments={day.pk: 20})

    assert [each.seats for each in hearing.segments.order_by("name_en")] == [evening.seats, 20]
    name = f"{day.date} Morning"
    assert remembered(hearing) == [
        ({"segment": {name: {"seats": None}}}, {"segment": {name: {"seats": 20}}})
    ]


def test_quotas_become_those_named_and_what_stays_is_the_same_row(hearing, accredited, clara, now):
    first = [Share(5, category="youth"), Share(9, region="002"), Share(4, track=accredited)]
    change(hearing, clara, now, quotas=first)
    youth = hearing.quotas.get(category="youth")

    change(hearing, clara, now, quotas=[Share(6, category="youth"), Share(2, category="media")])

    assert quotas(hearing) == [("Media", 2), ("Youth organisation", 6)]
    assert hearing.quotas.get(category="youth").pk == youth.pk
    assert remembered(hearing)[-1] == (
        {
            "quota": {
                "Youth organisation": {"seats": 5},
                "Africa": {"seats": 9},
                "In consultative status": {"seats": 4},
            }
        },
        {"quota": {"Youth organisation": {"seats": 6}, "Media": {"seats": 2}}},
    )


def test_quotas_that_are_not_spoken_of_stay(hearing, clara, now):
    change(hearing, clara, now, quotas=[Share(5, category="youth")])

    change(hearing, clara, now, seats=40)

    assert quotas(hearing) == [("Youth organisation", 5)]


@pytest.mark.parametrize("of", [{}, {"category": "youth", "region": "002"}])
def test_a_quota_is_of_one_sort(hearing, clara, now, of):
    with pytest.raises(refusals.ShareUnclear):
        change(hearing, clara, now, quotas=[Share(5, **of)])


def test_two_quotas_for_the_same_are_refused(hearing, clara, now):
    with pytest.raises(refusals.ShareTwice) as refused:
        change(hearing, clara, now, quotas=[Share(5, region="002"), Share(6, region="002")])

    assert str(refused.value) == "There are two quotas for “Africa”. Keep one."


def test_what_is_not_of_this_event_is_refused(hearing, another, day, accredited, clara, now):
    with pytest.raises(refusals.RemovedMeanwhile):
        change(another, clara, now, segments={day.pk: 5})
    with pytest.raises(refusals.RemovedMeanwhile):
        change(another, clara, now, quotas=[Share(5, track=accredited)])

    assert not Quota.objects.exists()
    assert Segment.objects.get(pk=day.pk).seats is None


def is_free(event) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"seats:{event.pk}"]
        )
        return cursor.fetchone()[0]


def test_one_holds_an_event_at_a_time_until_the_transaction_ends(at_once, hearing, another):
    with transaction.atomic():
        capacity.hold(hearing)

        assert at_once(lambda: is_free(hearing), lambda: is_free(another)) == [False, True]

    assert at_once(lambda: is_free(hearing)) == [True]


def test_what_is_held_is_read_anew(hearing, deadline):
    assert hearing.registration_deadline == deadline
    Event.objects.filter(pk=hearing.pk).update(seats=7)
    moved = deadline.closes_at + timedelta(days=1)
    hearing.deadlines.update(closes_at=moved)

    with transaction.atomic():
        held = capacity.hold(hearing)

    assert (held.seats, held.registration_deadline.closes_at) == (7, moved)


def test_changing_waits_while_somebody_counts(at_once, hearing, clara, now):
    def impatient():
        with connection.cursor() as cursor:
            cursor.execute("set lock_timeout = '20ms'")
        change(Event.objects.get(pk=hearing.pk), clara, now, seats=5)

    with transaction.atomic():
        capacity.hold(hearing)
        (result,) = at_once(impatient)

    assert isinstance(result, OperationalError)
    assert at_once(impatient) == [None]
    assert Event.objects.get(pk=hearing.pk).seats == 5
