from datetime import timedelta

import pytest

from audit.models import Entry
from clock import walls
from events import capacity, deadlines
from events.models import Deadline, Event
from notifications.models import Kind, Letter, State
from registrations import confirmations, decisions, intake, refusals
from registrations.intake import Person
from registrations.models import Delegate, Registration

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
    assert letters(since=confirming.closes_at) == ["confirm", "lapsed", "moved_up"]
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


# Rush


@pytest.fixture
def both_read(meeting, monkeypatch):
    """Whoever answers waits for another one between reading and writing."""
    turn = confirmations.seats.turn

    def turn_later(*args, **kwargs):
        meeting()
        turn(*args, **kwargs)

    monkeypatch.setattr(confirmations.seats, "turn", turn_later)


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


def test_two_sweeps_at_once_lapse_everybody_once(at_once, both_read, asked, confirming):
    assert sorted(lapse_twice(at_once, confirming)) == [0, 1]
    assert letters().count("lapsed") == 1
    assert Entry.objects.filter(verb="lapsed").count() == 1


def test_without_the_lock_they_would_lapse_twice(at_once, both_read, unheld, asked, confirming):
    lapse_twice(at_once, confirming)

    assert Entry.objects.filter(verb="lapsed").count() == 2
