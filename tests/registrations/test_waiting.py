from datetime import timedelta

import pytest

from audit.models import Entry
from events import capacity, deadlines, schedule
from events.capacity import Share
from events.models import Event, Segment
from notifications.models import Letter
from registrations import decisions, intake, refusals, waiting
from registrations.intake import Person
from registrations.models import Delegate, SegmentDecision
from tests.registrations import crowd

LATER = timedelta(hours=1)


@pytest.fixture
def limit(hearing, clara, now):
    """Say how many may come; whoever is first, comes."""

    def limit(seats=None, **facts) -> None:
        kept = {"admission": "first_come", "seats": seats, "cap": None}
        capacity.change(hearing, **(kept | facts), by=clara, now=now)

    return limit


@pytest.fixture
def submit(now):
    """Groups, each sent by its focal point, one after the other."""

    def submit(registrations, at=None):
        for registration in registrations:
            by = registration.organisation.focal_points[0]
            intake.submit(registration, by=by, now=at or now)
        return registrations

    return submit


@pytest.fixture
def withdraw(now):
    def withdraw(registration, at=None) -> None:
        by = registration.organisation.focal_points[0]
        intake.withdraw(registration, by=by, now=at or now + LATER)

    return withdraw


def one(registration) -> Delegate:
    return registration.delegates.select_related("representative").get()


def letters(name: str) -> list[str]:
    """Who was written a letter of this name to, in the order of their addresses."""
    posted = Letter.objects.filter(key__startswith=f"{name}:").order_by("to")
    return list(posted.values_list("to", flat=True))


def focal_point(registration) -> str:
    return registration.organisation.focal_points[0].email


def waits(registration) -> list[int | None]:
    return [waiting.place_of(delegate) for delegate in registration.delegates.in_order()]


# First come, first served


def test_the_first_have_a_seat_and_the_others_a_place(hearing, limit, submit, now):
    limit(2)

    groups = submit(crowd.drafts(hearing, 4, now=now))

    assert [one(each).state for each in groups] == [
        "approved",
        "approved",
        "wait_listed",
        "wait_listed",
    ]
    assert [waits(each) for each in groups] == [[None], [None], [1], [2]]
    assert letters("approved") == [focal_point(each) for each in groups[:2]]
    assert letters("wait_listed") == [focal_point(each) for each in groups[2:]]
    assert letters("received") == []
    told = Letter.objects.get(to=focal_point(groups[3]))
    assert f"Person 0 {groups[3].organisation}" in told.text


def test_each_seat_and_place_is_remembered(hearing, limit, submit, now):
    limit(1)

    groups = submit(crowd.drafts(hearing, 2, now=now))

    entries = [Entry.objects.about(one(each)).get() for each in groups]
    assert [(entry.verb, entry.before, entry.after) for entry in entries] == [
        ("seat given", {"state": "submitted"}, {"state": "approved"}),
        ("wait-listed", {"state": "submitted"}, {"state": "wait_listed"}),
    ]
    assert [entry.actor.email for entry in entries] == [focal_point(each) for each in groups]


def test_the_last_seats_go_in_the_order_of_the_delegation(
    hearing, limit, draft, amina, submit, now
):
    limit(2)
    intake.add_person(draft, Person("Awa"), by=amina, now=now)
    intake.add_person(draft, Person("Binta"), by=amina, now=now)

    submit([draft])

    people = draft.delegates.select_related("representative").in_order()
    assert [(str(each), each.state) for each in people] == [
        ("Aïssata Traoré", "approved"),
        ("Awa", "approved"),
        ("Binta", "wait_listed"),
    ]
    assert letters("approved") == letters("wait_listed") == ["amina@diaspora.example"]


def test_an_assistant_never_waits(hearing, limit, draft, amina, submit, now):
    limit(0)
    intake.add_person(draft, Person("Awa", role="assistant"), by=amina, now=now)

    submit([draft])

    assert [each.state for each in draft.delegates.in_order()] == ["wait_listed", "approved"]


def test_without_a_limit_everybody_has_a_seat(hearing, limit, submit, now):
    limit()

    submit(crowd.drafts(hearing, 3, now=now))

    assert crowd.states(hearing) == {"approved": 3}


# Moving up


def test_a_withdrawn_delegation_leaves_its_seat_to_the_first_who_waits(
    hearing, limit, submit, withdraw, now
):
    limit(1)
    first, second, third = submit(crowd.drafts(hearing, 3, now=now))

    withdraw(first)

    assert crowd.seated(hearing) == [second.organisation.name]
    assert waits(third) == [1]
    assert letters("moved_up") == [focal_point(second)]
    (_joined, entry) = Entry.objects.about(one(second)).order_by("id")
    assert (entry.verb, entry.actor, entry.at) == ("moved up", None, now + LATER)


def test_a_withdrawn_person_leaves_the_seat_too(hearing, limit, submit, now):
    limit(2)
    first, second = submit(crowd.drafts(hearing, 2, now=now, people=2))
    gone = first.delegates.get(position=0)

    intake.withdraw_person(gone, by=first.organisation.focal_points[0], now=now + LATER)

    assert crowd.seated(hearing) == [first.organisation.name, second.organisation.name]
    assert waits(second) == [None, 1]


def test_who_gives_up_waiting_frees_nothing(hearing, limit, submit, withdraw, now):
    limit(1)
    first, second, third = submit(crowd.drafts(hearing, 3, now=now))

    withdraw(second)

    assert crowd.seated(hearing) == [first.organisation.name]
    assert waits(third) == [1]
    assert letters("moved_up") == []


def test_a_draft_that_is_given_up_moves_nobody(hearing, limit, submit, withdraw, now):
    limit(0)
    submit(crowd.drafts(hearing, 1, now=now))
    (draft,) = crowd.drafts(hearing, 1, now=now, name="Draft")
    Event.objects.filter(pk=hearing.pk).update(seats=1)

    withdraw(draft)

    assert crowd.states(hearing) == {"wait_listed": 1, "withdrawn": 1}


def test_several_of_a_delegation_who_move_up_are_one_letter(hearing, limit, submit, withdraw, now):
    limit(2)
    first, second = submit(crowd.drafts(hearing, 2, now=now, people=2))

    withdraw(first)

    (letter,) = Letter.objects.filter(key__startswith="moved_up:")
    assert letter.to == focal_point(second)
    for position in (0, 1):
        assert f"Person {position} {second.organisation}" in letter.text


def test_who_does_not_fit_is_passed_over_and_keeps_the_place(hearing, limit, submit, withdraw, now):
    limit(2, quotas=[Share(1, category="youth")])
    young, old = (
        crowd.drafts(hearing, 3, now=now),
        crowd.drafts(hearing, 2, now=now, name="Old", category="media"),
    )
    submit([young[0], old[0], young[1], young[2], old[1]])
    assert crowd.order(hearing) == [
        young[1].organisation.name,
        young[2].organisation.name,
        old[1].organisation.name,
    ]

    withdraw(old[0])

    assert crowd.seated(hearing) == [young[0].organisation.name, old[1].organisation.name]
    assert [waits(each) for each in young[1:]] == [[1], [2]]

    withdraw(young[0])

    assert crowd.seated(hearing) == [young[1].organisation.name, old[1].organisation.name]


def test_the_cap_of_an_organisation_passes_it_over_too(hearing, limit, submit, withdraw, now):
    limit(2)
    first, second, third = submit(crowd.drafts(hearing, 3, now=now, people=2))
    limit(2, cap=1)

    withdraw(first)

    assert crowd.seated(hearing) == [second.organisation.name, third.organisation.name]
    assert (waits(second), waits(third)) == ([None, 1], [None, 2])


def test_raised_capacity_is_given_by_the_sweep(hearing, limit, submit, now):
    limit(1)
    groups = submit(crowd.drafts(hearing, 4, now=now))

    limit(3)
    assert crowd.states(hearing) == {"approved": 1, "wait_listed": 3}
    assert waiting.fill_all(now=now + LATER) == 2

    assert crowd.seated(hearing) == [each.organisation.name for each in groups[:3]]
    assert waiting.fill_all(now=now + LATER) == 0
    assert len(letters("moved_up")) == 2


def test_lowered_capacity_unseats_nobody_and_moves_nobody(hearing, limit, submit, withdraw, now):
    limit(2)
    groups = submit(crowd.drafts(hearing, 3, now=now))

    limit(1)
    waiting.fill_all(now=now + LATER)
    assert crowd.states(hearing) == {"approved": 2, "wait_listed": 1}

    withdraw(groups[0])
    assert crowd.seated(hearing) == [groups[1].organisation.name]

    withdraw(groups[1])
    assert crowd.seated(hearing) == [groups[2].organisation.name]


def test_a_newcomer_does_not_overtake_who_waits(hearing, limit, submit, now):
    limit(1)
    groups = submit(crowd.drafts(hearing, 3, now=now))
    limit(2)

    (late,) = submit(crowd.drafts(hearing, 1, now=now, name="Late"), at=now + LATER)

    assert crowd.seated(hearing) == [each.organisation.name for each in groups[:2]]
    assert crowd.order(hearing) == [groups[2].organisation.name, late.organisation.name]
    assert letters("moved_up") == [focal_point(groups[1])]


def test_a_newcomer_may_have_a_seat_that_nobody_who_waits_could_take(hearing, limit, submit, now):
    limit(2, quotas=[Share(1, category="youth")])
    _seated, waits_on = submit(crowd.drafts(hearing, 2, now=now))

    (other,) = submit(crowd.drafts(hearing, 1, now=now, name="Other", category="media"))

    assert (one(other).state, waits(waits_on)) == ("approved", [1])


def test_approving_does_not_overtake_who_waits_either(hearing, limit, submit, clara, now):
    limit(1, admission="reviewed")
    seated, first, second = submit(crowd.drafts(hearing, 3, now=now))
    decisions.approve(seated, [one(seated)], by=clara, now=now)
    decisions.wait_list(first, [one(first)], by=clara, now=now)
    limit(2, admission="reviewed")

    with pytest.raises(refusals.HearingFull):
        decisions.approve(second, [one(second)], by=clara, now=now + LATER)

    waiting.fill_all(now=now + LATER)
    assert one(first).state == "approved"


def test_no_newcomer_overtakes_when_the_list_stands_still_because_the_event_has_begun(
    hearing, limit, submit, now
):
    limit(0)
    (early,) = submit(crowd.drafts(hearing, 1, now=now))
    limit(5)
    Event.objects.filter(pk=hearing.pk).update(starts_at=now)

    (late,) = submit(crowd.drafts(hearing, 1, now=now, name="Late"), at=now)

    assert (waits(early), waits(late)) == ([1], [2])


# Where nobody moves


def begin(hearing, clara, now) -> None:
    Event.objects.filter(pk=hearing.pk).update(starts_at=now + LATER)


def postpone(hearing, clara, now) -> None:
    schedule.postpone(hearing, by=clara, now=now, reason="The room was taken")


def cancel(hearing, clara, now) -> None:
    schedule.cancel(hearing, by=clara, now=now, reason="The room was taken")


@pytest.mark.parametrize("stop", [begin, postpone, cancel])
def test_nobody_moves_up_where_nothing_takes_place(
    hearing, limit, submit, withdraw, clara, now, stop
):
    limit(1)
    first, second = submit(crowd.drafts(hearing, 2, now=now))
    stop(hearing, clara, now)

    withdraw(first)
    waiting.fill_all(now=now + LATER)

    assert waits(second) == [1]
    assert letters("moved_up") == []


def test_who_waits_moves_up_when_a_postponed_event_has_new_days(
    hearing, limit, submit, withdraw, clara, now
):
    limit(1)
    first, second = submit(crowd.drafts(hearing, 2, now=now))
    postpone(hearing, clara, now)
    withdraw(first)

    schedule.move(
        hearing,
        starts_on=hearing.starts_on,
        ends_on=hearing.ends_on,
        starts_at=None,
        ends_at=None,
        by=clara,
        now=now,
        reason="There is a room",
    )
    waiting.fill_all(now=now + LATER)

    assert one(second).state == "approved"


def test_the_sweep_asks_one_thing_where_nobody_waits(
    hearing, limit, submit, now, django_assert_num_queries
):
    limit(5)
    submit(crowd.drafts(hearing, 3, now=now))

    with django_assert_num_queries(1):
        assert waiting.fill_all(now=now) == 0


def test_filling_twice_is_filling_once(hearing, limit, submit, now):
    limit(0)
    submit(crowd.drafts(hearing, 2, now=now))
    limit(1)

    assert len(waiting.fill(hearing, now=now)) == 1
    assert waiting.fill(hearing, now=now) == []


# The order


def test_the_places_of_a_delegation_are_one_query(
    hearing, limit, submit, now, django_assert_num_queries
):
    limit(0)
    first, second = submit(crowd.drafts(hearing, 2, now=now, people=2))

    with django_assert_num_queries(1):
        places = waiting.places(second)

    assert places == {each.pk: waiting.place_of(each) for each in second.delegates.all()}
    assert sorted(places.values()) == [3, 4]
    assert sorted(waiting.places(first).values()) == [1, 2]


def test_who_comes_back_waits_at_the_end(hearing, limit, submit, withdraw, now):
    limit(0)
    first, second = submit(crowd.drafts(hearing, 2, now=now))
    withdraw(first)
    by = first.organisation.focal_points[0]

    again = intake.begin(hearing, first.organisation, by=by, now=now + LATER)
    submit([again], at=now + LATER)

    assert crowd.order(hearing) == [second.organisation.name, first.organisation.name]


# Confirming


def test_who_moves_up_is_asked_to_confirm(hearing, limit, draft, submit, withdraw, now):
    deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + timedelta(days=20), by=None, now=now
    )
    limit(1)
    (first,) = submit(crowd.drafts(hearing, 1, now=now))
    submit([draft])
    assert letters("confirm") == []

    withdraw(first)

    assert one(draft).asked_at == now + LATER
    assert letters("confirm") == ["aissata@diaspora.example"]


# Organisers' waiting list


@pytest.fixture
def reviewed(hearing, limit, submit, clara, now):
    """One seat, which is given, and a second group that waits for a decision."""
    limit(1, admission="reviewed")
    seated, other = submit(crowd.drafts(hearing, 2, now=now))
    decisions.approve(seated, [one(seated)], by=clara, now=now)
    return seated, other


def test_an_organiser_lets_people_wait(hearing, reviewed, clara, now):
    _seated, other = reviewed

    decisions.wait_list(other, [one(other)], by=clara, now=now + LATER)

    assert waits(other) == [1]
    assert letters("wait_listed") == [focal_point(other)]
    entry = Entry.objects.about(one(other)).get()
    assert (entry.verb, entry.actor) == ("wait-listed", clara)


def test_nobody_waits_for_a_seat_that_is_there(hearing, reviewed, withdraw, clara, now):
    seated, other = reviewed
    withdraw(seated)

    with pytest.raises(refusals.SeatIsFree) as refused:
        decisions.wait_list(other, [one(other)], by=clara, now=now + LATER)

    assert str(refused.value) == (
        f"Person 0 {other.organisation} does not have to wait: there is a place. Approve or "
        "decline; whoever stands on the waiting list moves up by themselves."
    )
    assert one(other).state == "submitted"


def test_who_waits_can_be_declined_and_leaves_the_order(hearing, reviewed, submit, clara, now):
    _seated, other = reviewed
    decisions.wait_list(other, [one(other)], by=clara, now=now)

    decisions.decline(other, [one(other)], by=clara, now=now, reason="The room is small.")

    assert (one(other).state, one(other).waits_as) == ("declined", None)


def test_who_was_decided_is_not_put_on_the_list(reviewed, clara, now):
    seated, _other = reviewed

    with pytest.raises(refusals.AlreadyDecided):
        decisions.wait_list(seated, [one(seated)], by=clara, now=now)


# Parts of the event


@pytest.fixture
def morning(hearing) -> Segment:
    return Segment.objects.create(event=hearing, name_en="Morning", date=hearing.starts_on, seats=1)


@pytest.fixture
def three(hearing, limit, morning, submit, now):
    """Three groups with a seat each, who want the morning, where there is room for one."""
    limit()
    groups = crowd.drafts(hearing, 3, now=now)
    for registration in groups:
        SegmentDecision.objects.create(delegate=one(registration), segment=morning)
    return submit(groups)


def parts(groups) -> list[str]:
    return [one(registration).segments.get().state for registration in groups]


def test_a_part_that_comes_free_goes_to_the_first_who_waits_for_it(three, withdraw, now):
    assert parts(three) == ["given", "wait_listed", "wait_listed"]

    withdraw(three[0])

    assert parts(three) == ["asked", "given", "wait_listed"]
    assert letters("part_given") == [focal_point(three[1])]
    assert "Morning" in Letter.objects.get(key__startswith="part_given").text
    entry = Entry.objects.about(one(three[1])).get(verb="part given")
    assert (entry.actor, entry.after) == (None, {"segment": "Morning"})


@pytest.mark.parametrize("whole", [True, False])
def test_who_has_no_seat_any_more_neither_has_nor_awaits_a_part(three, withdraw, now, whole):
    for registration in three[:2]:
        if whole:
            withdraw(registration)
        else:
            by = registration.organisation.focal_points[0]
            intake.withdraw_person(one(registration), by=by, now=now + LATER)

    assert parts(three) == ["asked", "asked", "given"]


def test_who_has_no_seat_any_more_does_not_get_a_part(three, limit, morning, withdraw, now):
    withdraw(three[1])

    limit(segments={morning.pk: 2})
    waiting.fill_all(now=now + LATER)

    assert parts([three[0], three[2]]) == ["given", "given"]
    assert letters("part_given") == [focal_point(three[2])]


def test_a_part_without_a_limit_any_more_is_given_to_all_who_wait(three, limit, morning, now):
    limit(segments={morning.pk: None})

    waiting.fill_all(now=now + LATER)

    assert parts(three) == ["given"] * 3


def test_who_moves_up_gets_what_they_asked_for(hearing, limit, morning, submit, withdraw, now):
    limit(1)
    first, second = groups = crowd.drafts(hearing, 2, now=now)
    for registration in groups:
        SegmentDecision.objects.create(delegate=one(registration), segment=morning)
    submit(groups)
    assert parts(groups) == ["given", "asked"]

    withdraw(first)

    assert parts([second]) == ["given"]
    assert letters("part_given") == []
