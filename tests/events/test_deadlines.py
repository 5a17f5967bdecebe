from datetime import timedelta

import pytest
from django.utils import translation

from audit.models import Entry
from events import deadlines, refusals
from events.models import Deadline, DeadlineChange, Event, ReminderStep
from notifications import outbox
from notifications.models import Kind, Letter

REGISTRATION = Deadline.Kind.REGISTRATION
A_DAY = timedelta(days=1)


@pytest.fixture
def letter(now):
    def letter(key: str, kind: Kind, about) -> Letter:
        outbox.post(
            key=key,
            to="amina@diaspora.example",
            language="en",
            subject=key,
            text=key,
            html="",
            kind=kind,
            now=now,
            about=about,
        )
        return Letter.objects.get(key=key)

    return letter


def states() -> dict[str, str]:
    return dict(Letter.objects.values_list("key", "state"))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1 day", "7 days", "14 days", "1 hour", "48 hours"]),
        ("ar", ["يوم واحد", "7 أيام", "14 يومًا", "ساعة واحدة", "48 ساعة"]),
    ],
)
def test_a_step_says_its_distance_in_the_readers_grammar(language, said):
    distances = [(1, "d"), (7, "d"), (14, "d"), (1, "h"), (48, "h")]
    steps = [ReminderStep(amount=amount, unit=unit) for amount, unit in distances]

    with translation.override(language):
        assert [str(step) for step in steps] == said


def test_a_deadline_says_its_moment_and_zone_in_the_readers_punctuation(deadline):
    with translation.override("ar"):
        assert "23:59، " in deadline.said


def test_a_registration_deadline_gets_the_usual_four_steps(hearing, deadline, now):
    steps = deadline.steps.all()

    assert sorted(step.code for step in steps) == ["14d", "24h", "48h", "7d"]
    assert {step.added_at for step in steps} == {now - 30 * A_DAY}
    assert {step.audience for step in steps} == {"everybody"}


def test_a_confirmation_deadline_gets_three_steps(hearing, now):
    confirmation = deadlines.set_deadline(
        hearing, kind=Deadline.Kind.CONFIRMATION, closes_at=now + 9 * A_DAY, by=None, now=now
    )

    steps = confirmation.steps.all()
    assert sorted(step.code for step in steps) == ["24h", "48h", "7d"]
    assert {step.audience for step in steps} == {"everybody"}


def test_a_deadline_of_another_kind_gets_no_steps(hearing, now):
    speaking = deadlines.set_deadline(
        hearing, kind=Deadline.Kind.SPEAKING, closes_at=now + A_DAY, by=None, now=now
    )

    assert not speaking.steps.exists()


def test_a_deadline_is_set_in_the_zone_of_its_event_unless_told(hearing, clara, now):
    speaking = deadlines.set_deadline(
        hearing, kind=Deadline.Kind.SPEAKING, closes_at=now + A_DAY, by=clara, now=now
    )
    written = deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.WRITTEN_INPUT,
        closes_at=now + A_DAY,
        by=clara,
        now=now,
        zone="Europe/Zurich",
    )

    assert (speaking.zone, written.zone) == ("America/New_York", "Europe/Zurich")
    assert (speaking.set_at, speaking.closes_at) == (now, now + A_DAY)


def test_setting_a_deadline_is_remembered(hearing, clara, now):
    opens_at, closes_at = now, now + A_DAY

    speaking = deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.SPEAKING,
        opens_at=opens_at,
        closes_at=closes_at,
        by=clara,
        now=now,
    )

    (entry,) = Entry.objects.about(speaking)
    assert (entry.actor, entry.verb, entry.at, entry.scope) == (
        clara,
        "deadline set",
        now,
        hearing.id,
    )
    assert entry.after == {
        "kind": "speaking",
        "opens_at": opens_at.isoformat(),
        "closes_at": closes_at.isoformat(),
    }


def test_an_event_has_one_deadline_of_each_kind(hearing, deadline, now):
    with pytest.raises(refusals.DeadlineExists) as refused:
        deadlines.set_deadline(hearing, kind=REGISTRATION, closes_at=now + A_DAY, by=None, now=now)

    assert str(refused.value) == (
        f"This event has such a deadline already: Registration: {deadline.said}. "
        "Move that one instead."
    )
    assert list(hearing.deadlines.all()) == [deadline]


@pytest.mark.parametrize("earlier", [timedelta(0), timedelta(microseconds=1)])
def test_a_window_does_not_close_before_it_opens(hearing, now, earlier):
    with pytest.raises(refusals.ClosesBeforeItOpens):
        deadlines.set_deadline(
            hearing,
            kind=Deadline.Kind.SPEAKING,
            opens_at=now + A_DAY,
            closes_at=now + A_DAY - earlier,
            by=None,
            now=now,
        )

    assert not hearing.deadlines.filter(kind=Deadline.Kind.SPEAKING).exists()


def test_moving_changes_the_row_and_leaves_a_change(deadline, clara, now):
    old, new = deadline.closes_at, deadline.closes_at + 7 * A_DAY

    change = deadlines.move(deadline, closes_at=new, by=clara, now=now, reason="Visas take longer")

    assert (deadline.closes_at, deadline.set_at) == (new, now)
    assert list(DeadlineChange.objects.all()) == [change]
    assert (change.deadline, change.old_closes_at, change.new_closes_at) == (deadline, old, new)
    assert (change.reason, change.by, change.at) == ("Visas take longer", clara, now)
    assert deadline.last_change == change


def test_a_move_is_left_to_be_announced(deadline, clara, now):
    change = deadlines.move(
        deadline, closes_at=deadline.closes_at + A_DAY, by=clara, now=now, reason="Visas"
    )

    assert list(DeadlineChange.objects.unannounced()) == [change]


def test_a_move_of_a_draft_is_news_to_nobody(deadline, hearing, clara, now):
    Event.objects.filter(pk=hearing.pk).update(state="draft")

    change = deadlines.move(
        deadline, closes_at=deadline.closes_at + A_DAY, by=clara, now=now, reason="Visas"
    )

    assert change.announced_at == now
    assert not DeadlineChange.objects.unannounced().exists()


def test_moving_takes_back_what_was_said_of_an_earlier_move(deadline, hearing, clara, now, letter):
    letter(f"changed:{hearing.id}:one", Kind.TRANSACTIONAL, hearing.id)
    letter("changed:another event", Kind.TRANSACTIONAL, hearing.id)
    letter(f"unreachable:{hearing.id}", Kind.TRANSACTIONAL, hearing.id)

    deadlines.move(
        deadline, closes_at=deadline.closes_at + A_DAY, by=clara, now=now, reason="Visas"
    )

    assert states() == {
        f"changed:{hearing.id}:one": "cancelled",
        "changed:another event": "queued",
        f"unreachable:{hearing.id}": "queued",
    }


def test_moving_is_remembered(deadline, hearing, clara, now):
    old, new = deadline.closes_at, deadline.closes_at + 7 * A_DAY

    deadlines.move(deadline, closes_at=new, by=clara, now=now, reason="Visas take longer")

    entry = Entry.objects.about(deadline).get(verb="deadline moved")
    assert (entry.actor, entry.at, entry.scope) == (clara, now, hearing.id)
    assert (entry.before, entry.after) == (
        {"closes_at": old.isoformat()},
        {"closes_at": new.isoformat()},
    )
    assert entry.reason == "Visas take longer"


def test_moving_makes_an_unstated_hour_and_zone_stated(hearing, clara, now):
    deadline = deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.SPEAKING,
        closes_at=now + A_DAY,
        by=None,
        now=now,
        is_hour_stated=False,
        is_zone_stated=False,
    )

    deadlines.move(deadline, closes_at=now + 2 * A_DAY, by=clara, now=now, reason="Typed anew")

    assert deadline.is_hour_stated and deadline.is_zone_stated


def test_moving_cancels_only_the_reminders_about_that_deadline(
    deadline, hearing, clara, now, letter
):
    other = deadlines.set_deadline(
        hearing, kind=Deadline.Kind.SPEAKING, closes_at=now + A_DAY, by=None, now=now
    )
    letter("queued", Kind.REMINDER, deadline.id)
    letter("of another deadline", Kind.REMINDER, other.id)
    letter("an answer", Kind.TRANSACTIONAL, deadline.id)
    letter("sent", Kind.REMINDER, deadline.id)
    Letter.objects.filter(key="sent").update(state="sent", sent_at=now)

    deadlines.move(
        deadline, closes_at=deadline.closes_at + A_DAY, by=clara, now=now, reason="Later"
    )

    assert dict(Letter.objects.values_list("subject", "state")) == {
        "queued": "cancelled",
        "of another deadline": "queued",
        "an answer": "queued",
        "sent": "sent",
    }


def test_moving_to_the_same_moment_is_refused(deadline, clara, now, letter):
    letter("queued", Kind.REMINDER, deadline.id)

    with pytest.raises(refusals.SameMoment):
        deadlines.move(deadline, closes_at=deadline.closes_at, by=clara, now=now, reason="None")

    assert not DeadlineChange.objects.exists()
    assert states() == {"queued": "queued"}


@pytest.mark.parametrize("before", [timedelta(0), timedelta(days=3)])
def test_moving_into_the_past_is_refused(deadline, clara, now, before):
    old = deadline.closes_at

    with pytest.raises(refusals.AlreadyPast):
        deadlines.move(deadline, closes_at=now - before, by=clara, now=now, reason="Wrong day")

    deadline.refresh_from_db()
    assert deadline.closes_at == old
    assert not DeadlineChange.objects.exists()


def test_moving_before_the_opening_is_refused(hearing, clara, now):
    speaking = deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.SPEAKING,
        opens_at=now + 5 * A_DAY,
        closes_at=now + 9 * A_DAY,
        by=None,
        now=now,
    )

    with pytest.raises(refusals.ClosesBeforeItOpens):
        deadlines.move(speaking, closes_at=now + 5 * A_DAY, by=clara, now=now, reason="Sooner")


def test_a_window_that_has_shut_can_be_opened_again_by_moving_its_close(deadline, clara):
    after = deadline.closes_at + A_DAY

    deadlines.move(deadline, closes_at=after + A_DAY, by=clara, now=after, reason="Second call")

    assert deadline.is_open(after)


def test_a_window_is_shut_at_its_closing_moment(deadline):
    a_moment = timedelta(microseconds=1)

    assert deadline.is_open(deadline.closes_at - a_moment)
    assert not deadline.is_open(deadline.closes_at)
    assert list(Deadline.objects.open_at(deadline.closes_at - a_moment)) == [deadline]
    assert list(Deadline.objects.open_at(deadline.closes_at)) == []
