"""What has changed is told once, as each reader knew it."""

from datetime import timedelta

import pytest

from events import deadlines, following, schedule
from events.models import Deadline, DeadlineChange, Event, EventChange, Follower
from notifications import recall
from notifications.models import Kind, Letter
from registrations import announcements, audiences, mails, reminders
from registrations.models import Delegate

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def told(monkeypatch) -> list:
    """What the letters were told to say: reader and changes."""
    said = []
    write = mails.changed

    def note(event, pairs, *, now):
        pairs = list(pairs)
        said.extend((concerned.reader.email, changes) for concerned, changes in pairs)
        return write(event, pairs, now=now)

    monkeypatch.setattr(mails, "changed", note)
    return said


def move(deadline, days, *, now, reason="Visas") -> None:
    closes_at = deadline.closes_at + days * DAY
    deadlines.move(deadline, closes_at=closes_at, by=None, now=now, reason=reason)


def move_event(event, days, *, now, reason="The room") -> None:
    schedule.move(
        event,
        starts_on=event.starts_on + days * DAY,
        ends_on=event.ends_on + days * DAY,
        starts_at=None,
        ends_at=None,
        by=None,
        now=now,
        reason=reason,
    )


def follow(event, email, *, now) -> None:
    following.confirm(
        following.follow(email, on=event, language="en", zone="UTC", now=now), now=now
    )


def letters() -> list[tuple[str, str, int]]:
    posted = Letter.objects.filter(key__startswith="changed:").order_by("posted_at", "to")
    return [(letter.to, letter.state, letter.kind) for letter in posted]


def test_a_move_is_told_after_five_quiet_minutes(draft, deadline, amina, now, told):
    old = deadline.closes_at
    move(deadline, 3, now=now + MINUTE)

    assert announcements.tell_changes(now=now + 6 * MINUTE - timedelta(seconds=1)) == 0
    assert announcements.tell_changes(now=now + 6 * MINUTE) == 1
    assert announcements.tell_changes(now=now + 9 * MINUTE) == 0

    assert told == [
        (
            amina.email,
            audiences.Changes(
                state="published",
                old_state="published",
                deadlines=[(deadline, old)],
                reasons=["Visas"],
            ),
        )
    ]
    assert letters() == [(amina.email, "queued", Kind.TRANSACTIONAL)]
    assert DeadlineChange.objects.get().announced_at == now + 6 * MINUTE


def test_delegations_are_answered_and_others_may_stop_it(draft, hearing, deadline, amina, now):
    follow(hearing, "dana@readers.example", now=now)
    move(deadline, 3, now=now + MINUTE)

    announcements.tell_changes(now=now + 6 * MINUTE)

    assert letters() == [
        (amina.email, "queued", Kind.TRANSACTIONAL),
        ("dana@readers.example", "queued", Kind.ANNOUNCEMENT),
    ]
    stoppable = Letter.objects.filter(headers__has_key="List-Unsubscribe-Post")
    assert [letter.to for letter in stoppable.filter(key__startswith="changed:")] == [
        "dana@readers.example"
    ]


def test_everything_that_changed_is_one_letter(draft, hearing, deadline, now, told):
    days = (hearing.starts_on, hearing.ends_on)
    old = deadline.closes_at
    move_event(hearing, 7, now=now + MINUTE)
    move(deadline, 3, now=now + 2 * MINUTE)
    move(deadline, 1, now=now + 3 * MINUTE, reason="The room")

    assert announcements.tell_changes(now=now + 8 * MINUTE) == 1

    ((_email, changes),) = told
    assert changes.old_days == days
    assert changes.new_days == (hearing.starts_on, hearing.ends_on)
    assert changes.deadlines == [(deadline, old)]
    assert changes.reasons == ["The room", "Visas"]


def test_there_and_back_is_told_to_nobody_who_knew_it_before(draft, deadline, now, told):
    move(deadline, 3, now=now + MINUTE)
    move(deadline, -3, now=now + 2 * MINUTE)

    assert announcements.tell_changes(now=now + 7 * MINUTE) == 0
    assert told == []
    assert not DeadlineChange.objects.unannounced().exists()


def test_whoever_looked_between_two_moves_is_told_what_they_saw(
    draft, hearing, deadline, amina, now, told
):
    first = deadline.closes_at
    move(deadline, 3, now=now + MINUTE)
    between = deadline.closes_at
    follow(hearing, "dana@readers.example", now=now + 2 * MINUTE)
    move(deadline, 2, now=now + 3 * MINUTE)
    follow(hearing, "eva@readers.example", now=now + 4 * MINUTE)

    announcements.tell_changes(now=now + 8 * MINUTE)

    assert [(email, changes.deadlines) for email, changes in told] == [
        (amina.email, [(deadline, first)]),
        ("dana@readers.example", [(deadline, between)]),
    ]


def test_a_group_that_sent_between_two_moves_is_told_that_it_is_back(
    sent, deadline, amina, now, told
):
    between = deadline.closes_at + 3 * DAY
    sent.sent_at = now + 2 * MINUTE
    sent.save()
    move(deadline, 3, now=now + MINUTE)
    move(deadline, -3, now=now + 3 * MINUTE)

    announcements.tell_changes(now=now + 8 * MINUTE)

    assert [(email, changes.deadlines) for email, changes in told] == [
        (amina.email, [(deadline, between)])
    ]


@pytest.mark.parametrize(
    ("act", "state"), [(schedule.postpone, "postponed"), (schedule.cancel, "cancelled")]
)
def test_what_will_not_take_place_names_no_days_and_no_deadlines(
    draft, hearing, deadline, now, told, act, state
):
    move(deadline, 3, now=now + MINUTE)
    move_event(hearing, 7, now=now + 2 * MINUTE)
    act(hearing, by=None, now=now + 3 * MINUTE, reason="No mandate")

    announcements.tell_changes(now=now + 8 * MINUTE)

    ((_email, changes),) = told
    assert (changes.state, changes.old_state) == (state, "published")
    assert (changes.old_days, changes.new_days, changes.deadlines) == (None, None, [])
    assert changes.reasons[-1] == "No mandate"


def test_a_cancelled_event_tells_no_more_of_its_deadlines(draft, hearing, deadline, now):
    move(deadline, 3, now=now + MINUTE)
    schedule.cancel(hearing, by=None, now=now + 2 * MINUTE, reason="No mandate")

    announcements.tell_changes(now=now + 7 * MINUTE)

    assert not DeadlineChange.objects.unannounced().exists()
    assert not EventChange.objects.unannounced().exists()


def test_the_confirmation_deadline_matters_to_delegations_alone(sent, hearing, amina, now, told):
    confirmation = deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + 14 * DAY, by=None, now=now
    )
    Delegate.objects.filter(representative__given_names="Moussa").update(
        state="approved", asked_at=now
    )
    follow(hearing, "dana@readers.example", now=now)
    move(confirmation, 3, now=now + MINUTE)

    announcements.tell_changes(now=now + 6 * MINUTE)

    assert sorted(email for email, _changes in told) == [
        amina.email,
        "moussa@diaspora.example",
    ]


def test_a_delegate_who_only_confirms_hears_nothing_of_the_registration(
    sent, hearing, deadline, amina, now, told
):
    Delegate.objects.filter(representative__given_names="Moussa").update(
        state="approved", asked_at=now
    )
    move(deadline, 3, now=now + MINUTE)

    announcements.tell_changes(now=now + 6 * MINUTE)

    assert [email for email, _changes in told] == [amina.email]


def test_nobody_is_told_of_an_event_that_is_over(draft, hearing, deadline, now, told):
    move(deadline, 3, now=now + MINUTE)
    day = now.date() - 2 * DAY
    Event.objects.filter(pk=hearing.pk).update(starts_on=day, ends_on=day)

    announcements.tell_changes(now=now + 6 * MINUTE)

    assert told == []
    assert not DeadlineChange.objects.unannounced().exists()


def test_a_letter_that_has_not_left_is_taken_back_by_the_next_move(draft, deadline, amina, now):
    move(deadline, 3, now=now + MINUTE)
    announcements.tell_changes(now=now + 6 * MINUTE)
    move(deadline, 3, now=now + 7 * MINUTE)
    announcements.tell_changes(now=now + 12 * MINUTE)

    assert letters() == [
        (amina.email, "cancelled", Kind.TRANSACTIONAL),
        (amina.email, "queued", Kind.TRANSACTIONAL),
    ]


# At once


def test_two_sweeps_at_once_tell_it_once(at_once, draft, deadline, now):
    move(deadline, 3, now=now + MINUTE)

    def run():
        return announcements.tell_changes(now=now + 6 * MINUTE)

    assert sorted(at_once(run, run)) == [0, 1]
    assert len(letters()) == 1


def race(at_once, meeting, monkeypatch, deadline, now) -> list[tuple[str, bool]]:
    """A move while the sweep writes: the letters that will leave, and whether each says when the
    window closes now."""
    write = mails.changed

    def slowly(*arguments, **more):
        meeting()
        meeting()
        return write(*arguments, **more)

    monkeypatch.setattr(mails, "changed", slowly)

    def move_again():
        meeting()
        again = Deadline.objects.get(pk=deadline.pk)
        move(again, 3, now=now + 6 * MINUTE)
        meeting()

    results = at_once(lambda: announcements.tell_changes(now=now + 6 * MINUTE), move_again)
    assert results == [1, None]
    monkeypatch.setattr(mails, "changed", write)
    deadline.refresh_from_db()
    queued = Letter.objects.filter(key__startswith="changed:", state="queued")
    return [(letter.to, deadline.said in letter.text) for letter in queued]


def test_a_move_in_the_same_second_is_neither_lost_nor_contradicted(
    at_once, meeting, monkeypatch, draft, deadline, amina, now
):
    move(deadline, 3, now=now + MINUTE)

    assert race(at_once, meeting, monkeypatch, deadline, now) == []
    assert announcements.tell_changes(now=now + 11 * MINUTE) == 1

    (letter,) = Letter.objects.filter(key__startswith="changed:", state="queued")
    assert letter.to == amina.email
    assert deadline.said in letter.text


def test_without_the_locks_a_letter_leaves_that_is_no_longer_true(
    at_once, meeting, monkeypatch, draft, deadline, amina, now
):
    move(deadline, 3, now=now + MINUTE)
    for noun in (Event, Deadline):
        monkeypatch.setattr(
            type(noun.objects.all()), "select_for_update", lambda rows, **_how: rows.all()
        )

    assert race(at_once, meeting, monkeypatch, deadline, now) == [(amina.email, False)]


@pytest.mark.parametrize("size", [1, 12])
def test_the_queries_do_not_grow_with_the_readers(
    hearing, deadline, now, size, django_assert_num_queries
):
    for number in range(size):
        follow(hearing, f"reader{number}@readers.example", now=now)
    move(deadline, 3, now=now + MINUTE)

    with django_assert_num_queries(16):
        announcements.tell_changes(now=now + 6 * MINUTE)

    assert len(letters()) == size


# Letters that were taken back before they left


def test_what_a_letter_said_that_never_left_is_said_by_the_next(
    draft, hearing, deadline, amina, now, told
):
    old = deadline.closes_at
    move(deadline, 3, now=now + MINUTE)
    announcements.tell_changes(now=now + 6 * MINUTE)
    recall.hold(Letter.objects.filter(key__startswith="changed:"), now=now + 7 * MINUTE)
    move_event(hearing, 7, now=now + 8 * MINUTE)

    announcements.tell_changes(now=now + 13 * MINUTE)

    assert letters() == [
        (amina.email, "cancelled", Kind.TRANSACTIONAL),
        (amina.email, "queued", Kind.TRANSACTIONAL),
    ]
    changes = told[-1][1]
    assert changes.deadlines == [(deadline, old)]
    assert changes.old_days is not None
    assert changes.reasons == ["The room", "Visas"]


def test_whoever_has_read_of_it_is_not_told_again(draft, hearing, deadline, amina, now, told):
    follow(hearing, "dana@readers.example", now=now)
    old = deadline.closes_at
    move(deadline, 3, now=now + MINUTE)
    announcements.tell_changes(now=now + 6 * MINUTE)
    Letter.objects.filter(key__startswith="changed:", to=amina.email).update(
        state="sent", sent_at=now + 7 * MINUTE
    )
    move_event(hearing, 7, now=now + 8 * MINUTE)
    announcements.tell_changes(now=now + 13 * MINUTE)

    assert [(email, changes.deadlines) for email, changes in told[2:]] == [
        (amina.email, []),
        ("dana@readers.example", [(deadline, old)]),
    ]


def test_taken_back_and_back_again_is_news_to_those_who_have_read_it(
    draft, hearing, deadline, amina, now, told
):
    follow(hearing, "dana@readers.example", now=now)
    move(deadline, 3, now=now + MINUTE)
    between = deadline.closes_at
    announcements.tell_changes(now=now + 6 * MINUTE)
    Letter.objects.filter(key__startswith="changed:", to=amina.email).update(
        state="sent", sent_at=now + 7 * MINUTE
    )
    move(deadline, -3, now=now + 8 * MINUTE)
    announcements.tell_changes(now=now + 13 * MINUTE)

    assert [(email, changes.deadlines) for email, changes in told[2:]] == [
        (amina.email, [(deadline, between)])
    ]


def test_what_was_said_in_the_second_letter_is_known(draft, hearing, deadline, amina, now, told):
    move(deadline, 3, now=now + MINUTE)
    announcements.tell_changes(now=now + 6 * MINUTE)
    move(deadline, 3, now=now + 7 * MINUTE)
    known = deadline.closes_at
    announcements.tell_changes(now=now + 12 * MINUTE)
    Letter.objects.filter(state="queued", key__startswith="changed:").update(
        state="sent", sent_at=now + 13 * MINUTE
    )
    move(deadline, -6, now=now + 14 * MINUTE)
    announcements.tell_changes(now=now + 19 * MINUTE)

    assert [changes.deadlines for _email, changes in told[2:]] == [[(deadline, known)]]


# Events whose days are past


def test_a_cancellation_goes_also_when_the_old_days_are_past(draft, hearing, amina, now):
    schedule.postpone(hearing, by=None, now=now, reason="The room")
    announcements.tell_changes(now=now + 5 * MINUTE)
    later = now + 60 * DAY
    schedule.cancel(hearing, by=None, now=later, reason="No mandate")

    announcements.tell_changes(now=later + 5 * MINUTE)

    letter = Letter.objects.filter(key__startswith="changed:").latest("posted_at")
    assert (letter.to, letter.state, letter.expires_at) == (amina.email, "queued", None)


# What is owed still goes, as things stand now


def test_registration_opens_is_said_though_the_deadline_moved_meanwhile(hearing, deadline, now):
    follow(hearing, "dana@readers.example", now=now)
    opens_at = now + DAY
    Deadline.objects.filter(pk=deadline.pk).update(opens_at=opens_at)
    deadline.refresh_from_db()
    assert reminders.send_due(now=opens_at) == 1

    move(deadline, 3, now=opens_at + MINUTE)
    announcements.tell_changes(now=opens_at + 6 * MINUTE)

    assert reminders.send_due(now=opens_at + 7 * MINUTE) == 1
    assert reminders.send_due(now=opens_at + 8 * MINUTE) == 0
    said = Letter.objects.filter(key__startswith="opens:").order_by("posted_at")
    assert [letter.state for letter in said] == ["cancelled", "queued"]
    assert deadline.said in said[1].text


def test_a_draft_is_still_reminded_when_its_focal_point_follows_no_more(
    draft, hearing, deadline, amina, now
):
    follow(hearing, amina.email, now=now)
    reminders.send_due(now=deadline.closes_at - 7 * DAY)
    reminder = Letter.objects.get(key__startswith="reminder:")

    following.stop(Follower.objects.get(), now=deadline.closes_at - 7 * DAY)

    reminder.refresh_from_db()
    assert reminder.state == "queued"


def test_a_follower_who_stops_is_not_reminded(hearing, deadline, now):
    follow(hearing, "dana@readers.example", now=now)
    reminders.send_due(now=deadline.closes_at - 7 * DAY)

    following.stop(Follower.objects.get(), now=deadline.closes_at - 7 * DAY)

    assert Letter.objects.get(key__startswith="reminder:").state == "cancelled"
