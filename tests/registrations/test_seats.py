from datetime import timedelta

import pytest

from audit.models import Entry
from events import capacity, deadlines
from events.capacity import Share
from events.models import Segment, Track
from notifications.models import Letter
from registrations import decisions, intake, refusals, seats
from registrations.intake import Person
from registrations.models import Delegate, SegmentDecision
from stakeholders.models import Representative
from tests.registrations import crowd

LATER = timedelta(hours=1)


@pytest.fixture
def limit(hearing, clara, now):
    """Say how many may come."""

    def limit(**facts) -> None:
        kept = {"admission": hearing.admission, "seats": hearing.seats, "cap": hearing.cap}
        capacity.change(hearing, **(kept | facts), by=clara, now=now)

    return limit


@pytest.fixture
def submit(now):
    """Groups, each sent by its focal point."""

    def submit(registrations, at=None):
        for registration in registrations:
            by = registration.organisation.focal_points[0]
            intake.submit(registration, by=by, now=at or now)
        return registrations

    return submit


@pytest.fixture
def approve(clara, now):
    def approve(registration, *people, at=None) -> None:
        chosen = people or registration.delegates.all()
        decisions.approve(registration, chosen, by=clara, now=at or now + LATER)

    return approve


def one(registration) -> Delegate:
    return registration.delegates.select_related("registration__organisation").get()


def sentence(limit_reached) -> str:
    return str(limit_reached.value)


# Counting


def test_the_table_is_counted_in_two_queries_however_many_people_there_are(
    hearing, limit, submit, approve, now, django_assert_num_queries
):
    limit(seats=50, cap=2, quotas=[Share(40, category="youth"), Share(3, region="142")])
    Segment.objects.create(event=hearing, name_en="Day 1", date=hearing.starts_on, seats=5)
    held = capacity.hold(hearing)

    with django_assert_num_queries(2):
        assert seats.Table(held).given == 0

    for registration in submit(crowd.drafts(hearing, 12, now=now, people=2)):
        approve(registration)
    held = capacity.hold(hearing)
    with django_assert_num_queries(2):
        table = seats.Table(held)
        assert (table.given, table.left) == (24, 26)
        assert [tally.left for tally in table.quotas.values()] == [3, 16]


@pytest.mark.parametrize(
    ("limits", "queries"),
    [({}, 1), ({"cap": 2}, 1), ({"quotas": [Share(40, category="youth")]}, 2)],
)
def test_an_event_without_parts_is_counted_in_one_and_quotas_in_one_more(
    hearing, limit, django_assert_num_queries, limits, queries
):
    limit(seats=50, **limits)
    held = capacity.hold(hearing)

    with django_assert_num_queries(queries):
        seats.Table(held)


def test_what_is_held_holds_the_event_in_three_queries(hearing, django_assert_num_queries):
    with django_assert_num_queries(3):
        capacity.hold(hearing)


def test_without_a_limit_nothing_is_ever_full(hearing, submit, approve, now):
    (registration,) = submit(crowd.drafts(hearing, 1, now=now, people=5))

    approve(registration)

    table = seats.Table(hearing)
    assert (table.given, table.left) == (5, None)


def test_who_is_declined_withdrawn_lapsed_or_replaced_holds_no_seat(hearing, limit, submit, now):
    limit(seats=20)
    submit(crowd.drafts(hearing, 1, now=now, people=len(Delegate.State.values)))
    for delegate, state in zip(Delegate.objects.all(), Delegate.State.values, strict=True):
        waits_as = 1 if state == "wait_listed" else None
        Delegate.objects.filter(pk=delegate.pk).update(state=state, waits_as=waits_as)

    table = seats.Table(hearing)

    assert (table.given, table.all.waiting) == (2, 1)


@pytest.mark.parametrize("role", ["interpreter", "assistant"])
def test_assistants_and_interpreters_take_no_seat(
    hearing, limit, submit, approve, amina, draft, now, role
):
    limit(seats=1, cap=1, quotas=[Share(1, category="diaspora")])
    intake.add_person(draft, Person("Awa", role=role), by=amina, now=now)
    submit([draft])

    approve(draft)

    assert [delegate.state for delegate in draft.delegates.all()] == ["approved", "approved"]
    assert (seats.Table(hearing).given, seats.Table(hearing).left) == (1, 0)


# Full


def test_a_full_event_is_refused_with_its_seats(hearing, limit, submit, approve, now):
    limit(seats=1)
    first, second = submit(crowd.drafts(hearing, 2, now=now))
    approve(first)

    with pytest.raises(refusals.HearingFull) as refused:
        approve(second)

    assert sentence(refused) == "All seats of “Hearing on the Global Compact” are given: 1."
    assert one(second).state == "submitted"
    assert Letter.objects.filter(key__startswith="approved").count() == 1


def test_more_people_than_seats_are_refused_together(hearing, limit, submit, approve, now):
    limit(seats=2)
    (registration,) = submit(crowd.drafts(hearing, 1, now=now, people=3))

    with pytest.raises(refusals.HearingFull) as refused:
        approve(registration)

    assert sentence(refused) == (
        "Only 2 of the 2 seats of “Hearing on the Global Compact” are left."
    )
    assert crowd.states(hearing) == {"submitted": 3}
    assert not Entry.objects.filter(verb="approved").exists()


def test_a_lowered_cap_is_checked_again(hearing, limit, submit, approve, now):
    (registration,) = submit(crowd.drafts(hearing, 1, now=now, people=2))
    limit(cap=1)
    first, second = registration.delegates.order_by("position")
    approve(registration, first)

    with pytest.raises(refusals.CapReached) as refused:
        approve(registration, second)

    assert sentence(refused) == (
        f"“{registration.organisation}” has all the seats that one organisation may have: 1."
    )


@pytest.mark.parametrize(
    ("share", "other", "name"),
    [
        ({"category": "youth"}, {"category": "media"}, "Youth organisation"),
        ({"region": "002"}, {"country": "FR"}, "Africa"),
    ],
)
def test_a_full_quota_is_named_and_stops_only_its_own(
    hearing, limit, submit, approve, now, share, other, name
):
    limit(quotas=[Share(1, **share)])
    first, second = submit(crowd.drafts(hearing, 2, now=now))
    (free,) = submit(crowd.drafts(hearing, 1, now=now, name="Other", **other))
    approve(first)

    with pytest.raises(refusals.QuotaFull) as refused:
        approve(second)
    approve(free)

    assert sentence(refused) == f"All seats for “{name}” are given: 1."
    assert crowd.states(hearing) == {"approved": 2, "submitted": 1}


def test_a_track_has_a_quota_too(hearing, limit, submit, approve, now):
    track = Track.objects.create(event=hearing, name_en="Applies anew")
    other = Track.objects.create(event=hearing, name_en="In consultative status")
    limit(quotas=[Share(1, track=track)])
    first, second = submit(crowd.drafts(hearing, 2, now=now, track=track))
    (free,) = submit(crowd.drafts(hearing, 1, now=now, name="Other", track=other))
    approve(first)
    approve(free)

    with pytest.raises(refusals.QuotaFull) as refused:
        approve(second)

    assert sentence(refused) == "All seats for “Applies anew” are given: 1."


def test_every_quota_that_counts_a_person_must_have_a_seat(hearing, limit, submit, approve, now):
    limit(quotas=[Share(5, category="youth"), Share(0, region="002")])
    (registration,) = submit(crowd.drafts(hearing, 1, now=now))

    with pytest.raises(refusals.QuotaFull) as refused:
        approve(registration)

    assert sentence(refused) == "All seats for “Africa” are given: 0."


def test_lowering_unseats_nobody_and_seats_nobody_until_there_is_room(
    hearing, limit, submit, approve, now
):
    first, second, third = submit(crowd.drafts(hearing, 3, now=now))
    approve(first)
    approve(second)

    limit(seats=1)
    with pytest.raises(refusals.HearingFull):
        approve(third)
    assert (seats.Table(hearing).given, seats.Table(hearing).left) == (2, -1)

    intake.withdraw(first, by=first.organisation.focal_points[0], now=now + LATER)
    with pytest.raises(refusals.HearingFull):
        approve(third)

    intake.withdraw(second, by=second.organisation.focal_points[0], now=now + LATER)
    approve(third)
    assert crowd.seated(hearing) == [third.organisation.name]


# Confirming


@pytest.fixture
def confirmation(hearing, now):
    return deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + timedelta(days=20), by=None, now=now
    )


def test_who_gets_a_seat_is_asked_to_confirm_at_their_own_address(
    hearing, confirmation, draft, amina, submit, approve, now
):
    intake.add_person(draft, Person("Awa", role="assistant"), by=amina, now=now)
    submit([draft])

    approve(draft)

    assert {delegate.asked_at for delegate in draft.delegates.all()} == {now + LATER}
    asked = Letter.objects.filter(key__startswith="confirm:")
    assert [letter.to for letter in asked] == ["aissata@diaspora.example"]


def test_nobody_is_asked_without_such_a_deadline(draft, submit, approve):
    submit([draft])

    approve(draft)

    assert one(draft).asked_at is None
    assert not Letter.objects.filter(key__startswith="confirm:").exists()


# Replacing


@pytest.fixture
def stand_in(draft, submit, approve, now):
    """Aïssata has a seat, and Awa is to come in her place."""

    def stand_in(role="delegate", old_role="head") -> tuple[Delegate, Delegate]:
        draft.delegates.update(role=old_role)
        submit([draft])
        approve(draft)
        old = draft.delegates.get()
        new = Delegate.objects.create(
            registration=draft,
            representative=Representative.objects.known_as(
                draft.organisation, given_names="Awa", family_name="Ba", email=""
            ),
            state="submitted",
            role=role,
            replaces=old,
        )
        return old, new

    return stand_in


def test_who_stands_in_takes_the_seat_over_though_there_is_none_left(
    hearing, limit, draft, stand_in, approve, now
):
    old, new = stand_in()
    limit(seats=0)

    approve(draft, new, at=now + 2 * LATER)

    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == ("replaced", "approved")
    assert seats.Table(hearing).given == 1
    written = Letter.objects.filter(posted_at=now + 2 * LATER)
    assert [letter.key.split(":")[0] for letter in written] == ["replaced"]
    assert [entry.verb for entry in Entry.objects.about(old)] == ["approved", "replaced"]


def test_declining_who_stands_in_leaves_the_other_as_they_are(draft, stand_in, clara, now):
    old, new = stand_in()

    decisions.decline(draft, [new], by=clara, now=now + LATER, reason="No pass")

    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state, new.replaces) == ("approved", "declined", None)


def test_a_seat_that_is_not_taken_over_goes_to_who_waits(
    hearing, limit, draft, stand_in, submit, approve, clara, now
):
    _old, new = stand_in(role="interpreter")
    limit(seats=1)
    (waiting,) = submit(crowd.drafts(hearing, 1, now=now))
    decisions.wait_list(waiting, [one(waiting)], by=clara, now=now + LATER)

    approve(draft, new, at=now + 2 * LATER)

    assert one(waiting).state == "approved"
    assert crowd.seated(hearing) == [waiting.organisation.name]


def test_who_stands_in_for_somebody_without_a_seat_needs_one(
    hearing, limit, draft, stand_in, approve
):
    old, new = stand_in(old_role="interpreter")
    limit(seats=0)

    with pytest.raises(refusals.HearingFull):
        approve(draft, new)

    old.refresh_from_db()
    assert old.state == "approved"


def test_who_was_to_be_replaced_and_has_gone_leaves_no_seat_to_take_over(
    hearing, limit, draft, stand_in, approve, amina, now
):
    old, new = stand_in()
    limit(seats=0)
    intake.withdraw_person(old, by=amina, now=now + LATER)

    with pytest.raises(refusals.HearingFull):
        approve(draft, new)


# Parts of the event


@pytest.fixture
def morning(hearing) -> Segment:
    return Segment.objects.create(event=hearing, name_en="Morning", date=hearing.starts_on, seats=1)


def wants(registration, segment) -> None:
    for delegate in registration.delegates.all():
        SegmentDecision.objects.create(delegate=delegate, segment=segment)


def parts(segment) -> list[tuple[str, int | None]]:
    decisions = segment.decisions.order_by("delegate__registration__organisation__name")
    return list(decisions.values_list("state", "waits_as"))


def test_a_full_part_is_waited_for_by_itself(hearing, morning, submit, approve, now):
    groups = submit(crowd.drafts(hearing, 3, now=now))
    for registration in groups:
        wants(registration, morning)

    for registration in groups:
        approve(registration)

    assert crowd.states(hearing) == {"approved": 3}
    assert parts(morning) == [("given", None), ("wait_listed", 1), ("wait_listed", 2)]
    tally = seats.Table(hearing).segments[morning.pk]
    assert (tally.given, tally.left, tally.waiting) == (1, 0, 2)


def test_nobody_has_a_part_before_the_seat(hearing, morning, submit, now):
    (registration,) = submit(crowd.drafts(hearing, 1, now=now))

    wants(registration, morning)

    assert parts(morning) == [("asked", None)]
    assert seats.Table(hearing).segments[morning.pk].left == 1


def test_assistants_have_the_part_without_a_seat_in_it(hearing, morning, submit, approve, now):
    (registration,) = submit(crowd.drafts(hearing, 1, now=now))
    registration.delegates.update(role="assistant")
    wants(registration, morning)

    approve(registration)

    assert parts(morning) == [("given", None)]
    assert seats.Table(hearing).segments[morning.pk].left == 1


def test_who_stands_in_takes_the_part_over(hearing, morning, draft, stand_in, approve, limit, now):
    wants(draft, morning)
    old, new = stand_in()
    SegmentDecision.objects.create(delegate=new, segment=morning)
    limit(segments={morning.pk: 0})

    approve(draft, new)

    assert new.segments.get().state == "given"
    assert seats.Table(hearing).segments[morning.pk].given == 1
