from datetime import timedelta

import pytest

from audit.models import Entry
from clock import walls
from events import capacity, deadlines
from events.models import Deadline, Event, Segment
from notifications.models import Letter
from registrations import decisions, intake, refusals, reminders, replacements
from registrations.intake import Person
from registrations.models import Delegate, Registration, SegmentDecision

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_MOMENT = timedelta(microseconds=1)
BINTA = Person("Binta", "Ba", "binta@diaspora.example")
HEAD = Person("Binta", "Ba", "binta@diaspora.example", role="head")
INTERPRETER = Person("Binta", "Ba", "binta@diaspora.example", role="interpreter")


def person(registration: Registration, name: str) -> Delegate:
    return registration.delegates.select_related("representative").get(
        representative__given_names=name
    )


def state(delegate: Delegate) -> str:
    return Delegate.objects.get(pk=delegate.pk).state


def letters(since) -> list[str]:
    found = Letter.objects.filter(posted_at__gte=since).order_by("posted_at", "key")
    return [letter.key.split(":")[0] for letter in found]


@pytest.fixture
def first_come(hearing) -> Event:
    """Three seats."""
    Event.objects.filter(pk=hearing.pk).update(admission="first_come", seats=3)
    return Event.objects.get(pk=hearing.pk)


@pytest.fixture
def seated(first_come, sent) -> Registration:
    """All three have a seat."""
    return Registration.objects.get(pk=sent.pk)


@pytest.fixture
def waits(seated, hearing, bo, port_workers, now) -> Delegate:
    """Bo's person, first on the waiting list."""
    other = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(other, Person("Pia", "Reyes", "pia@ports.example"), by=bo, now=now)
    intake.submit(other, by=bo, now=now)
    return other.delegates.get()


@pytest.fixture
def approved(sent, clara, now) -> Registration:
    """Where organisers decide: all three are approved."""
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    return Registration.objects.get(pk=sent.pk)


# First come, first served


def test_the_new_person_has_the_seat_at_once_also_after_the_close(
    seated, waits, deadline, amina, first_come
):
    late = deadline.closes_at + DAY
    moussa = person(seated, "Moussa")

    new = replacements.replace(moussa, BINTA, by=amina, now=late)

    assert [state(moussa), state(new), state(waits)] == ["replaced", "approved", "wait_listed"]
    assert new.replaces == moussa
    assert letters(late) == ["replaced"]
    assert list(Entry.objects.filter(at=late).order_by("id").values_list("verb", "subject_id")) == [
        ("replacement asked for", str(new.pk)),
        ("replaced", str(moussa.pk)),
        ("seat given", str(new.pk)),
    ]


def test_the_new_person_is_asked_to_confirm(seated, hearing, amina, now):
    deadlines.set_deadline(
        hearing, kind=Deadline.Kind.CONFIRMATION, closes_at=now + 15 * DAY, by=None, now=now
    )

    new = replacements.replace(person(seated, "Moussa"), BINTA, by=amina, now=now + HOUR)

    assert new.must_confirm
    assert letters(now + HOUR) == ["confirm", "replaced"]


def test_a_seat_that_is_not_taken_up_goes_to_who_waits(seated, waits, amina, now):
    new = replacements.replace(person(seated, "Moussa"), INTERPRETER, by=amina, now=now + HOUR)

    assert [state(new), state(waits)] == ["approved", "approved"]
    assert letters(now + HOUR) == ["moved_up", "replaced"]


def test_whoever_needs_a_seat_that_is_not_there_is_refused(
    draft, first_come, waits_full, amina, now
):
    binta = person(draft, "Binta")

    with pytest.raises(refusals.HearingFull):
        replacements.replace(binta, Person("Cheick", "Sy"), by=amina, now=now)

    assert state(binta) == "approved"
    assert not Delegate.objects.filter(replaces=binta).exists()


@pytest.fixture
def waits_full(draft, first_come, amina, now) -> None:
    """Amina's head has the only seat; Binta interprets."""
    Event.objects.filter(pk=first_come.pk).update(seats=1)
    intake.add_person(draft, INTERPRETER, by=amina, now=now)
    intake.submit(draft, by=amina, now=now)


def test_more_seats_given_than_there_are_still_hand_over(seated, first_come, amina, clara, now):
    capacity.change(first_come, admission="first_come", seats=1, cap=None, by=clara, now=now)

    new = replacements.replace(person(seated, "Moussa"), BINTA, by=amina, now=now)

    assert state(new) == "approved"
    assert Delegate.objects.seated().count() == 3


def test_the_parts_of_the_event_are_handed_over(seated, hearing, amina, now):
    part = Segment.objects.create(event=hearing, name_en="Panel", date=hearing.starts_on, seats=1)
    moussa = person(seated, "Moussa")
    SegmentDecision.objects.create(delegate=moussa, segment=part, state="given")

    new = replacements.replace(moussa, BINTA, by=amina, now=now)

    assert [(one.segment, one.state) for one in new.segments.all()] == [(part, "given")]


# Where organisers decide


def test_the_old_one_keeps_the_seat_until_the_organisers_say_yes(approved, amina, clara, now):
    moussa = person(approved, "Moussa")

    new = replacements.replace(moussa, BINTA, by=amina, now=now + HOUR)
    assert [state(moussa), state(new)] == ["approved", "submitted"]
    assert letters(now + HOUR) == ["replaced"]

    decisions.approve(approved, [new], by=clara, now=now + 2 * HOUR)
    assert [state(moussa), state(new)] == ["replaced", "approved"]
    assert letters(now + 2 * HOUR) == ["replaced"]


def test_with_a_no_the_old_one_stays_and_another_can_be_named(approved, amina, clara, now):
    moussa = person(approved, "Moussa")
    new = replacements.replace(moussa, BINTA, by=amina, now=now)
    decisions.decline(approved, [new], by=clara, now=now, reason="Unknown here.")

    other = replacements.replace(moussa, Person("Cheick", "Sy"), by=amina, now=now)

    assert [state(moussa), state(new), state(other)] == ["approved", "declined", "submitted"]


def test_only_one_is_named_at_a_time(approved, amina, now):
    moussa = person(approved, "Moussa")
    new = replacements.replace(moussa, BINTA, by=amina, now=now)

    with pytest.raises(refusals.ReplacementWaits, match="Binta Ba is already named"):
        replacements.replace(moussa, Person("Cheick", "Sy"), by=amina, now=now)
    assert replacements.replace(moussa, BINTA, by=amina, now=now) == new
    assert approved.delegates.count() == 4


@pytest.mark.parametrize("admission", ["reviewed", "first_come"])
def test_a_head_is_replaced_by_a_head(approved, amina, clara, now, admission):
    Event.objects.update(admission=admission)
    head = person(approved, "Aïssata")

    new = replacements.replace(head, HEAD, by=amina, now=now)
    if admission == "reviewed":
        decisions.approve(approved, [new], by=clara, now=now)

    assert [(state(head), head.role), (state(new), new.role)] == [
        ("replaced", "head"),
        ("approved", "head"),
    ]


def test_there_are_not_two_heads(approved, amina, now):
    with pytest.raises(refusals.TwoHeads):
        replacements.replace(person(approved, "Moussa"), HEAD, by=amina, now=now)


# Refused


def test_who_is_in_the_delegation_is_not_named_again(approved, amina, now):
    fatoumata = Person("Fatoumata", "Sow", "fatoumata@diaspora.example")

    with pytest.raises(refusals.ListedAlready):
        replacements.replace(person(approved, "Moussa"), fatoumata, by=amina, now=now)


def test_only_who_has_a_place_is_replaced(sent, amina, now):
    with pytest.raises(refusals.CannotReplace, match="Moussa Keïta: Being checked"):
        replacements.replace(person(sent, "Moussa"), BINTA, by=amina, now=now)


def test_until_the_event_begins_and_not_from_then_on(approved, hearing, amina):
    begins = walls.start_of(hearing.starts_on, hearing.zone)
    moussa = person(approved, "Moussa")

    assert replacements.is_possible(moussa, begins - A_MOMENT)
    assert not replacements.is_possible(moussa, begins)
    with pytest.raises(refusals.HasBegun):
        replacements.replace(moussa, BINTA, by=amina, now=begins)
    replacements.replace(moussa, BINTA, by=amina, now=begins - A_MOMENT)


def test_nobody_is_replaced_while_the_event_does_not_take_place(approved, amina, now):
    Event.objects.update(state="postponed")

    with pytest.raises(refusals.NotTakingPlace):
        replacements.replace(person(approved, "Moussa"), BINTA, by=amina, now=now)


# Rush


@pytest.fixture
def both_read(meeting, monkeypatch):
    drawn = replacements._check_head

    def check_head(*args):
        meeting()
        drawn(*args)

    monkeypatch.setattr(replacements, "_check_head", check_head)


def name_two(at_once, seated, amina, now):
    def name(given_names):
        moussa = person(seated, "Moussa")
        return replacements.replace(moussa, Person(given_names, "Ba"), by=amina, now=now)

    return at_once(lambda: name("Binta"), lambda: name("Cheick"))


def test_two_colleagues_who_name_somebody_at_once_give_one_seat(
    at_once, both_read, seated, amina, now
):
    results = name_two(at_once, seated, amina, now)

    assert sorted(type(each).__name__ for each in results) == ["CannotReplace", "Delegate"]
    assert Delegate.objects.seated().count() == 3


def test_without_the_locks_and_the_constraint_they_would_give_two(
    at_once, both_read, seated, amina, now, monkeypatch, unlinked
):
    monkeypatch.setattr(
        capacity, "hold", lambda event: Event.objects.prefetch_related("deadlines").get(pk=event.pk)
    )
    monkeypatch.setattr(
        type(Registration.objects.all()), "held", lambda self, one, event=None: self.get(pk=one.pk)
    )

    name_two(at_once, seated, amina, now)

    assert Delegate.objects.seated().count() == 4


@pytest.fixture
def unlinked(monkeypatch):
    """Nobody is said to come in anybody's place: the database would not let two do so."""
    create = Delegate.objects.create
    monkeypatch.setattr(
        replacements.Delegate.objects,
        "create",
        lambda **facts: create(**facts | {"replaces": None}),
    )


# Reminders


@pytest.mark.parametrize("admission", ["reviewed", "first_come"])
def test_whoever_is_replaced_is_not_reminded_to_confirm(
    draft, hearing, amina, clara, now, admission
):
    Event.objects.filter(pk=hearing.pk).update(admission=admission)
    deadline = deadlines.set_deadline(
        hearing, kind=Deadline.Kind.CONFIRMATION, closes_at=now + 12 * DAY, by=None, now=now
    )
    intake.submit(draft, by=amina, now=now)
    old = person(draft, "Aïssata")
    if admission == "reviewed":
        decisions.approve(draft, [old], by=clara, now=now)
    due = deadline.closes_at - DAY
    assert reminders.send_due(now=due) == 1

    new = replacements.replace(person(draft, "Aïssata"), HEAD, by=amina, now=due)
    if admission == "reviewed":
        decisions.approve(draft, [new], by=clara, now=due)

    assert Letter.objects.get(key__startswith="reminder:").state == "cancelled"
