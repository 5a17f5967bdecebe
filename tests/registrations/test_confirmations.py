from datetime import timedelta

import pytest

from audit.models import Entry
from clock import walls
from events import capacity, deadlines, schedule
from events.models import Deadline, Event
from notifications.models import Kind, Letter, State
from registrations import (
    announcements,
    confirmations,
    decisions,
    intake,
    refusals,
    reminders,
    replacements,
    tasks,
)
from registrations.intake import Person
from registrations.models import Delegate, Registration
from stakeholders.models import Representative

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def confirming(hearing, now) -> Deadline:
    """Whoever gets a seat confirms until a moment 15 days from now; the hearing is on day 24."""
    return deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now + 15 * DAY,
        by=None,
        now=now - 20 * DAY,
    )


@pytest.fixture
def begins(hearing):
    return walls.start_of(hearing.starts_on, hearing.zone)


@pytest.fixture
def asked(sent, confirming, clara, now) -> Delegate:
    """Moussa, approved: asked whether he comes."""
    moussa = person(sent, "Moussa")
    decisions.approve(sent, [moussa], by=clara, now=now)
    return person(sent, "Moussa")


def person(registration: Registration, name: str) -> Delegate:
    return registration.delegates.select_related("representative").get(
        representative__given_names=name
    )


def ask_at(delegate: Delegate, moment) -> Delegate:
    Delegate.objects.filter(pk=delegate.pk).update(asked_at=moment)
    return Delegate.objects.get(pk=delegate.pk)


def state(delegate: Delegate) -> str:
    return Delegate.objects.get(pk=delegate.pk).state


def letters(since=None) -> list[str]:
    found = Letter.objects.order_by("posted_at", "key")
    if since:
        found = found.filter(posted_at__gte=since)
    return [letter.key.split(":")[0] for letter in found]


def test_until_is_the_deadline_but_two_days_at_least_and_never_after_the_beginning(
    asked, confirming, begins, now
):
    assert confirmations.until(asked) == confirming.closes_at
    late = ask_at(asked, confirming.closes_at - HOUR)
    assert confirmations.until(late) == confirming.closes_at + 47 * HOUR
    later_still = ask_at(asked, begins - HOUR)
    assert confirmations.until(later_still) == begins
    assert confirmations.until(ask_at(asked, None)) is None


def test_the_person_confirms_and_the_group_is_told(asked, sent, hearing, now):
    confirmations.confirm(asked, now=now + HOUR)

    assert state(asked) == "confirmed"
    assert letters(since=now + HOUR) == ["confirmed"]
    entry = Entry.objects.get(verb="confirmed")
    assert (entry.actor, entry.subject_id, entry.scope) == (None, str(asked.pk), hearing.pk)


def test_confirming_twice_is_confirming_once(asked, amina, now):
    confirmations.confirm(asked, now=now + HOUR)
    confirmations.confirm(asked, by=amina, now=now + 2 * HOUR)

    assert letters(since=now + HOUR) == ["confirmed"]
    assert Entry.objects.filter(verb="confirmed").count() == 1


def test_declining_gives_the_seat_to_the_first_who_waits(asked, sent, hearing, clara, now):
    Event.objects.filter(pk=hearing.pk).update(seats=1)
    waits = person(sent, "Fatoumata")
    decisions.wait_list(sent, [waits], by=clara, now=now)

    confirmations.decline(asked, now=now + HOUR)
    confirmations.decline(asked, now=now + 2 * HOUR)

    assert [state(asked), state(waits)] == ["declined_by_delegate", "approved"]
    assert letters(since=now + HOUR) == ["confirm", "declined_by_delegate", "moved_up"]


def test_whoever_has_confirmed_may_still_say_no(asked, now):
    confirmations.confirm(asked, now=now + HOUR)
    confirmations.decline(asked, now=now + 2 * HOUR)

    assert state(asked) == "declined_by_delegate"


def test_at_the_closing_moment_it_is_too_late(asked, confirming):
    with pytest.raises(refusals.ConfirmedTooLate, match="Moussa Keïta could confirm until"):
        confirmations.confirm(asked, now=confirming.closes_at)
    assert state(asked) == "approved"

    confirmations.confirm(asked, now=confirming.closes_at - A_MOMENT)
    assert state(asked) == "confirmed"


def test_a_moved_deadline_counts_at_once(asked, confirming, clara, now):
    shut = confirming.closes_at
    deadlines.move(confirming, closes_at=shut + DAY, by=clara, now=now, reason="Visas")

    confirmations.confirm(Delegate.objects.get(pk=asked.pk), now=shut)

    assert state(asked) == "confirmed"


@pytest.mark.parametrize("act", [confirmations.confirm, confirmations.decline])
def test_who_is_not_asked_has_nothing_to_answer(sent, confirming, act, now):
    waits = person(sent, "Moussa")

    with pytest.raises(refusals.NothingToConfirm, match="Moussa Keïta: Being checked"):
        act(waits, now=now)
    assert state(waits) == "submitted"


@pytest.mark.parametrize("act", [confirmations.confirm, confirmations.decline])
@pytest.mark.parametrize("shown", ["postponed", "cancelled"])
def test_nobody_answers_for_what_does_not_take_place(asked, hearing, act, shown, now):
    Event.objects.filter(pk=hearing.pk).update(state=shown)

    with pytest.raises(refusals.NotTakingPlace):
        act(asked, now=now)
    assert state(asked) == "approved"


def test_reminders_to_who_has_answered_are_taken_back(asked, confirming, hearing, now):
    def remind(to: str) -> Letter:
        return Letter.objects.create(
            key=f"reminder:{to}",
            to=to,
            language="en",
            subject="Soon",
            kind=Kind.REMINDER,
            scope=hearing.pk,
            about=confirming.pk,
            posted_at=now,
            next_attempt_at=now,
        )

    own, other = remind("Moussa@diaspora.example"), remind("aissata@diaspora.example")
    confirmations.confirm(asked, now=now + HOUR)

    own.refresh_from_db()
    other.refresh_from_db()
    assert [own.state, other.state] == [State.CANCELLED, State.QUEUED]


# Nobody answered


def test_who_does_not_answer_lapses_and_the_seat_goes_on(
    asked, sent, confirming, hearing, clara, now
):
    Event.objects.filter(pk=hearing.pk).update(seats=1)
    waits = person(sent, "Fatoumata")
    decisions.wait_list(sent, [waits], by=clara, now=now)

    assert confirmations.lapse_due(now=confirming.closes_at - A_MOMENT) == 0
    assert confirmations.lapse_due(now=confirming.closes_at) == 1
    assert confirmations.lapse_due(now=confirming.closes_at) == 0

    assert [state(asked), state(waits)] == ["lapsed", "approved"]
    assert letters(since=confirming.closes_at) == ["confirm", "lapsed", "moved_up", "not_expected"]
    with pytest.raises(refusals.ConfirmedTooLate):
        confirmations.confirm(asked, now=confirming.closes_at)
    moved = Delegate.objects.get(pk=waits.pk)
    assert confirmations.until(moved) == confirming.closes_at + 48 * HOUR


def test_several_of_a_group_that_lapse_are_one_letter(sent, confirming, clara, now):
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    confirmations.confirm(person(sent, "Fatoumata"), now=now)

    assert confirmations.lapse_due(now=confirming.closes_at) == 2

    (letter,) = Letter.objects.filter(key__startswith="lapsed:")
    assert "Aïssata Traoré" in letter.text
    assert "Moussa Keïta" in letter.text
    assert "Fatoumata Sow" not in letter.text


def test_who_lapses_hears_it_at_their_own_address_and_a_focal_point_once(
    sent, confirming, amina, clara, now
):
    aissata, moussa = person(sent, "Aïssata"), person(sent, "Moussa")
    Representative.objects.filter(pk=aissata.representative_id).update(email="")
    Representative.objects.filter(pk=moussa.representative_id).update(
        email="Amina@Diaspora.example"
    )
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)

    assert confirmations.lapse_due(now=confirming.closes_at) == 3

    told = Letter.objects.filter(posted_at=confirming.closes_at)
    assert {(letter.key.split(":")[0], letter.to) for letter in told} == {
        ("lapsed", "amina@diaspora.example"),
        ("not_expected", "fatoumata@diaspora.example"),
    }


@pytest.mark.parametrize("shown", ["postponed", "cancelled"])
def test_nobody_lapses_while_the_event_does_not_take_place(asked, confirming, hearing, shown):
    Event.objects.filter(pk=hearing.pk).update(state=shown)

    assert confirmations.lapse_due(now=confirming.closes_at) == 0
    assert state(asked) == "approved"


def test_who_was_approved_without_being_asked_does_not_lapse(sent, clara, begins, now):
    decisions.approve(sent, [person(sent, "Moussa")], by=clara, now=now)

    assert confirmations.lapse_due(now=begins + DAY) == 0


def test_interpreters_are_asked_too(hearing, confirming, draft, amina, clara, now):
    intake.add_person(
        draft,
        Person("Binta", "Ba", "binta@diaspora.example", role="interpreter"),
        by=amina,
        now=now,
    )
    intake.submit(draft, by=amina, now=now)
    binta = person(draft, "Binta")
    decisions.approve(draft, [binta], by=clara, now=now)

    confirmations.confirm(Delegate.objects.get(pk=binta.pk), now=now)

    assert state(binta) == "confirmed"


# Asked afterwards


@pytest.fixture
def unasked(sent, clara, now) -> Registration:
    """Three people approved while the hearing asked nobody to confirm; Aïssata has no address."""
    head = person(sent, "Aïssata").representative
    Representative.objects.filter(pk=head.pk).update(email="")
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now - DAY)
    return sent


def test_who_was_approved_before_there_was_a_deadline_is_asked_once(unasked, confirming, now):
    assert confirmations.ask_due(now=now) == 3
    assert confirmations.ask_due(now=now + HOUR) == 0

    assert set(unasked.delegates.values_list("asked_at", flat=True)) == {now}
    asked = Letter.objects.filter(posted_at__gte=now, expires_at=confirming.closes_at)
    assert sorted((letter.key.split(":")[0], letter.to) for letter in asked) == [
        ("confirm", "fatoumata@diaspora.example"),
        ("confirm", "moussa@diaspora.example"),
        ("to_confirm", "amina@diaspora.example"),
    ]
    of_group = asked.get(key__startswith="to_confirm:")
    for name in ("Aïssata Traoré", "Moussa Keïta", "Fatoumata Sow"):
        assert f"- {name}," in of_group.text
    moussa = person(unasked, "Moussa")
    confirmations.confirm(moussa, now=now + HOUR)
    assert state(moussa) == "confirmed"


def test_shortly_before_the_deadline_they_still_have_two_days(unasked, confirming):
    late = confirming.closes_at - HOUR

    assert confirmations.ask_due(now=late) == 3

    assert confirmations.until(person(unasked, "Moussa")) == late + 48 * HOUR
    assert confirmations.lapse_due(now=late + 48 * HOUR - A_MOMENT) == 0


def test_nobody_is_asked_where_there_is_nothing_to_ask(unasked, hearing, confirming, begins, now):
    def ask(**facts) -> int:
        Event.objects.filter(pk=hearing.pk).update(**facts)
        return confirmations.ask_due(now=now)

    assert ask(state="postponed") == 0
    assert ask(state="cancelled") == 0
    assert ask(state="published", starts_at=now - HOUR) == 0
    Event.objects.filter(pk=hearing.pk).update(starts_at=None)
    assert confirmations.ask_due(now=begins) == 0
    assert confirmations.ask_due(now=confirming.closes_at) == 0
    Deadline.objects.filter(pk=confirming.pk).update(opens_at=now + HOUR)
    assert confirmations.ask_due(now=now) == 0
    assert confirmations.ask_due(now=now + HOUR) == 3


def test_those_who_are_not_approved_are_not_asked(sent, confirming, now):
    assert confirmations.ask_due(now=now) == 0


def test_the_sweep_asks(unasked, confirming):
    tasks.fill_seats()

    assert not unasked.delegates.filter(asked_at=None).exists()


def ask_twice(at_once, now):
    return at_once(*[lambda: confirmations.ask_due(now=now)] * 2)


@pytest.fixture
def both_read_unasked(unasked, meeting, monkeypatch):
    """Whoever asks waits for another one between reading and writing."""
    by_delegation = confirmations.groupby

    def later(people, key):
        meeting()
        return by_delegation(people, key)

    monkeypatch.setattr(confirmations, "groupby", later)


def test_two_sweeps_at_once_ask_once(at_once, both_read_unasked, unasked, confirming, now):
    assert sorted(ask_twice(at_once, now)) == [0, 3]


# To be replaced


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_place_is_kept_until_the_replacement_is_decided(
    asked, sent, confirming, amina, clara, is_wanted
):
    late = confirming.closes_at + HOUR
    new = replacements.replace(asked, Person("Binta", "Ba"), by=amina, now=late - DAY)

    assert confirmations.lapse_due(now=late) == 0
    if is_wanted:
        decisions.approve(sent, [new], by=clara, now=late)
    else:
        decisions.decline(sent, [new], by=clara, now=late, reason="Unknown")
    confirmations.lapse_due(now=late + HOUR)

    decided = ["replaced", "approved"] if is_wanted else ["lapsed", "declined"]
    assert [state(asked), state(new)] == decided


# Postponed, and taken up again


def postponed_and_moved(hearing, clara, *, at) -> None:
    schedule.postpone(hearing, by=clara, now=at - 20 * DAY, reason="The room")
    announcements.tell_changes(now=at - 19 * DAY)
    day = (at + 60 * DAY).date()
    schedule.move(
        hearing, starts_on=day, ends_on=day, starts_at=None, ends_at=None, by=clara, now=at,
        reason="A new room",
    )  # fmt: skip


def test_a_place_that_was_kept_is_not_lost_by_taking_the_event_up_again(
    asked, hearing, confirming, clara, now
):
    """The deadline has passed while nobody could confirm: nobody is asked until it is moved."""
    at = now + 30 * DAY
    postponed_and_moved(hearing, clara, at=at)

    assert confirmations.lapse_due(now=at + HOUR) == 0
    announcements.tell_changes(now=at + HOUR)
    assert confirmations.ask_due(now=at + HOUR) == 0
    assert confirmations.lapse_due(now=at + HOUR) == 0
    assert (state(asked), Delegate.objects.get(pk=asked.pk).asked_at) == ("approved", None)

    deadlines.move(confirming, closes_at=at + 9 * DAY, by=clara, now=at + 2 * HOUR, reason="New")
    assert confirmations.ask_due(now=at + 3 * HOUR) == 1
    assert confirmations.lapse_due(now=at + 9 * DAY) == 1


def test_people_are_asked_anew_once_they_were_told_of_the_new_days(
    asked, hearing, confirming, clara, now
):
    deadlines.move(confirming, closes_at=now + 31 * DAY, by=clara, now=now, reason="Later")
    at = now + 30 * DAY
    postponed_and_moved(hearing, clara, at=at)

    assert confirmations.ask_due(now=at + HOUR) == 0
    announcements.tell_changes(now=at + HOUR)
    assert confirmations.ask_due(now=at + HOUR) == 1
    assert confirmations.ask_due(now=at + 2 * HOUR) == 0

    person = Delegate.objects.get(pk=asked.pk)
    assert confirmations.until(person) == at + HOUR + 2 * DAY
    assert confirmations.lapse_due(now=at + 2 * DAY) == 0
    told = Letter.objects.filter(to="moussa@diaspora.example").order_by("posted_at")
    assert [letter.key.split(":")[0] for letter in told] == [
        "confirm",
        "changed",
        "changed",
        "confirm",
    ]


# Reminders to focal points


def test_a_focal_point_who_has_answered_for_a_person_is_not_reminded(
    hearing, confirming, draft, amina, clara, now
):
    for name in ("Binta", "Ousmane"):
        intake.add_person(draft, Person(name), by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    decisions.approve(draft, draft.delegates.exclude(role="head"), by=clara, now=now)
    due = confirming.closes_at - DAY
    assert reminders.send_due(now=due) == 1
    reminder = Letter.objects.filter(kind=Kind.REMINDER)

    confirmations.confirm(person(draft, "Binta"), by=amina, now=due)
    assert reminder.get().state == State.QUEUED
    confirmations.decline(person(draft, "Ousmane"), by=amina, now=due)
    assert reminder.get().state == State.CANCELLED


def test_a_delegate_who_answers_leaves_the_focal_point_of_that_address_reminded(
    hearing, confirming, draft, amina, clara, now
):
    """She comes herself, and answers for Binta, who has no address."""
    intake.add_person(draft, Person("Amina", "Diallo", amina.email), by=amina, now=now)
    intake.add_person(draft, Person("Binta"), by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    decisions.approve(draft, draft.delegates.exclude(role="head"), by=clara, now=now)
    due = confirming.closes_at - DAY
    reminders.send_due(now=due)

    confirmations.confirm(person(draft, "Amina"), now=due)

    assert Letter.objects.get(kind=Kind.REMINDER).state == State.QUEUED


# Rush


@pytest.fixture
def both_read(asked, meeting, monkeypatch):
    """Whoever answers waits for another one between reading and writing."""
    turn = confirmations.seats.turn_all

    def turn_later(*args, **kwargs):
        meeting()
        turn(*args, **kwargs)

    monkeypatch.setattr(confirmations.seats, "turn_all", turn_later)


@pytest.fixture
def unheld(monkeypatch):
    """The lock of the event is switched off."""
    monkeypatch.setattr(
        capacity, "hold", lambda event: Event.objects.prefetch_related("deadlines").get(pk=event.pk)
    )


def answer_and_lapse(at_once, delegate, deadline):
    return at_once(
        lambda: confirmations.confirm(
            Delegate.objects.get(pk=delegate.pk), now=deadline.closes_at - A_MOMENT
        ),
        lambda: confirmations.lapse_due(now=deadline.closes_at),
    )


def test_an_answer_in_the_second_of_the_lapse_is_one_or_the_other(
    at_once, both_read, asked, confirming
):
    answered, lapsed = answer_and_lapse(at_once, asked, confirming)

    if state(asked) == "confirmed":
        assert (answered, lapsed) == (None, 0)
    else:
        assert (type(answered), lapsed) == (refusals.ConfirmedTooLate, 1)
    assert len(set(letters()) & {"confirmed", "lapsed"}) == 1


def test_without_the_lock_it_would_be_both(at_once, both_read, unheld, asked, confirming):
    answer_and_lapse(at_once, asked, confirming)

    assert set(letters()) >= {"confirmed", "lapsed"}


def lapse_twice(at_once, deadline):
    return at_once(
        lambda: confirmations.lapse_due(now=deadline.closes_at),
        lambda: confirmations.lapse_due(now=deadline.closes_at + A_MOMENT),
    )


def test_without_the_lock_they_would_ask_twice(
    at_once, both_read_unasked, unheld, unasked, confirming, now
):
    assert ask_twice(at_once, now) == [3, 3]


def test_two_sweeps_at_once_lapse_everybody_once(at_once, both_read, asked, confirming):
    assert sorted(lapse_twice(at_once, confirming)) == [0, 1]
    assert letters().count("lapsed") == 1
    assert Entry.objects.filter(verb="lapsed").count() == 1


def test_without_the_lock_they_would_lapse_twice(at_once, both_read, unheld, asked, confirming):
    lapse_twice(at_once, confirming)

    assert Entry.objects.filter(verb="lapsed").count() == 2
