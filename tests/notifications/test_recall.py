import uuid
from datetime import timedelta

import pytest
from django.db import transaction

from notifications import bell, preferences, recall, refusals
from notifications.models import (
    Kind,
    Letter,
    LetterQuerySet,
    State,
    Suppression,
    SuppressionQuerySet,
)
from tests.notifications.conftest import NOON

pytestmark = pytest.mark.django_db
DEADLINE, HEARING = uuid.uuid4(), uuid.uuid4()
LATER = NOON + timedelta(hours=1)


def cancelled() -> list[str]:
    letters = Letter.objects.filter(state=State.CANCELLED, ended_at=LATER)
    return sorted(letters.values_list("key", flat=True))


def test_letters_about_a_deadline_are_cancelled_and_no_others(post):
    post("a", about=DEADLINE)
    post("b", about=DEADLINE, to="bo@ports.example")
    post("c", about=uuid.uuid4())
    post("d")

    assert recall.cancel(now=LATER, about=DEADLINE) == 2

    assert cancelled() == ["a", "b"]
    assert Letter.objects.due(LATER).count() == 2


def test_all_that_is_named_must_fit(post):
    post("amina's reminder", about=DEADLINE, scope=HEARING, kind=Kind.REMINDER)
    post("amina's answer", about=DEADLINE, scope=HEARING, kind=Kind.TRANSACTIONAL)
    post("bo's", about=DEADLINE, scope=HEARING, kind=Kind.REMINDER, to="bo@ports.example")
    post("elsewhere", about=DEADLINE, scope=uuid.uuid4(), kind=Kind.REMINDER)

    count = recall.cancel(
        now=LATER,
        about=DEADLINE,
        scope=HEARING,
        to="Amina@Diaspora.example",
        kinds=[Kind.REMINDER, Kind.ANNOUNCEMENT],
    )

    assert count == 1
    assert cancelled() == ["amina's reminder"]


def test_a_claimed_letter_is_cancelled_and_loses_its_claim(post):
    letter = post("a", about=DEADLINE)
    Letter.objects.update(state=State.SENDING, claim=uuid.uuid4(), claimed_until=LATER)

    assert recall.cancel(now=LATER, about=DEADLINE) == 1

    letter.refresh_from_db()
    assert (letter.state, letter.claim, letter.claimed_until) == (State.CANCELLED, None, None)


def test_what_has_left_the_house_or_has_ended_stays_as_it_is(post):
    for key in ("sent", "failed", "cancelled", "expired"):
        letter = post(key, about=DEADLINE)
        when = {"sent_at": NOON} if key == "sent" else {"ended_at": NOON}
        Letter.objects.filter(pk=letter.pk).update(state=key, **when)

    assert recall.cancel(now=LATER, about=DEADLINE) == 0

    assert sorted(Letter.objects.values_list("key", "state")) == [
        ("cancelled", "cancelled"),
        ("expired", "expired"),
        ("failed", "failed"),
        ("sent", "sent"),
    ]


@pytest.mark.parametrize(("demo", "code"), [(False, ("", "")), (True, ("7F3K92", "<b>7F3K92</b>"))])
def test_a_cancelled_code_is_wiped_and_other_words_are_kept(post, settings, demo, code):
    settings.DEMO = demo
    post("code", kind=Kind.SECRET, text="7F3K92", html="<b>7F3K92</b>", scope=HEARING)
    post("answer", text="Registered", html="<p>Registered</p>", scope=HEARING)

    recall.cancel(now=LATER, scope=HEARING)

    assert sorted(Letter.objects.values_list("key", "text", "html")) == [
        ("answer", "Registered", "<p>Registered</p>"),
        ("code", *code),
    ]


def test_cancelling_everything_by_accident_is_refused(post):
    post("a")

    with pytest.raises(ValueError, match="Name what to cancel"):
        recall.cancel(now=LATER, kinds=[Kind.REMINDER])

    assert cancelled() == []


def test_chosen_letters_are_cancelled_held_ones_too(post):
    chosen = [post("a").pk, post("b").pk, post("sent").pk]
    post("c")
    Letter.objects.filter(key="sent").update(state=State.SENT, sent_at=NOON)
    recall.hold(chosen[:1], now=NOON)

    assert recall.cancel(letters=chosen, now=LATER) == 2
    assert cancelled() == ["a", "b"]


def test_choosing_none_cancels_none(post):
    post("a")

    assert recall.cancel(letters=[], now=LATER) == 0


def test_held_letters_stay_until_they_are_released(post):
    letters = [post("a"), post("b"), post("c", not_before=LATER + timedelta(hours=1))]
    Letter.objects.filter(key="b").update(
        state=State.SENDING, claim=uuid.uuid4(), claimed_until=LATER
    )

    assert recall.hold(Letter.objects.all(), now=NOON) == 3
    assert recall.hold(Letter.objects.all(), now=NOON) == 0
    assert not Letter.objects.due(LATER).exists()

    assert recall.release([letter.pk for letter in letters], now=LATER) == 3
    assert recall.release(Letter.objects.all(), now=LATER) == 0
    assert set(Letter.objects.due(LATER).values_list("key", flat=True)) == {"a", "b"}


def test_what_is_no_longer_true_expires_when_it_is_released_or_before(post):
    post("a", expires_at=LATER)
    post("b", expires_at=LATER + timedelta(hours=1))
    recall.hold(Letter.objects.all(), now=NOON)

    assert recall.release(Letter.objects.all(), now=LATER) == 1
    assert sorted(Letter.objects.values_list("key", "state")) == [
        ("a", State.EXPIRED),
        ("b", State.QUEUED),
    ]


def test_the_bell_rings_for_what_goes_on_its_way(post, django_capture_on_commit_callbacks):
    letter = post("a")
    recall.hold([letter.pk], now=NOON)

    with django_capture_on_commit_callbacks() as rung:
        recall.release([letter.pk], now=NOON)
    assert rung == [bell.ring]

    recall.cancel(letters=[letter.pk], now=NOON)
    with django_capture_on_commit_callbacks() as rung:
        recall.send_again(letter, now=NOON)
    assert rung == [bell.ring]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.SUPPRESSED])
def test_what_did_not_arrive_is_sent_again_with_fresh_attempts(post, state):
    letter = post("a", expires_at=LATER + timedelta(hours=1))
    facts = {"attempts": 23, "last_error": "No", "ended_at": NOON, "reported_at": NOON}
    Letter.objects.update(state=state, **facts)

    again = recall.send_again(letter, now=LATER)

    assert again.pk == letter.pk
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.last_error) == (State.QUEUED, 0, "")
    assert (letter.ended_at, letter.reported_at) == (None, None)
    assert (letter.not_before, letter.next_attempt_at) == (LATER, LATER)
    assert letter.message_id == again.message_id


def test_what_came_back_is_sent_again_as_if_it_had_not_left(post):
    letter = post("a")
    Letter.objects.update(state=State.FAILED, sent_at=NOON, ended_at=NOON)

    recall.send_again(letter, now=LATER)

    assert Letter.objects.get().sent_at is None


def test_of_what_was_sent_a_copy_goes(post):
    letter = post("a", scope=HEARING, about=DEADLINE, headers={"X-Event": "h"}, reply_to="d@x.org")
    Letter.objects.update(state=State.SENT, sent_at=NOON, attempts=1)

    first = recall.send_again(letter, now=LATER)
    Letter.objects.filter(pk=first.pk).update(state=State.SENT, sent_at=LATER)
    second = recall.send_again(first, now=LATER)

    assert (first.key, second.key) == ("a:again:1", "a:again:2")
    assert len({letter.message_id, first.message_id, second.message_id}) == 3
    letter.refresh_from_db()
    assert (letter.state, letter.sent_at) == (State.SENT, NOON)
    second.refresh_from_db()
    assert (second.state, second.posted_at, second.attempts) == (State.QUEUED, LATER, 0)
    for name in ("to", "reply_to", "subject", "text", "headers", "kind", "scope", "about"):
        assert getattr(second, name) == getattr(letter, name)


def test_what_may_not_be_sent_again_says_why(post):
    ended = {"state": State.FAILED, "ended_at": NOON}

    def refused(letter: Letter, **facts) -> type:
        Letter.objects.filter(pk=letter.pk).update(**facts)
        with pytest.raises(refusals.Refusal) as refusal:
            recall.send_again(letter, now=LATER)
        assert len(str(refusal.value)) > 30
        return refusal.type

    assert refused(post("a", expires_at=LATER), **ended) == refusals.NoLongerTrue
    assert refused(post("b", kind=Kind.SECRET), **ended) == refusals.NotForSecrets
    assert refused(post("c")) == refusals.StillOnItsWay
    assert refused(post("d"), state=State.HELD) == refusals.StillOnItsWay
    preferences.stop("Amina@diaspora.example", scope=None, kind=Kind.REMINDER, now=NOON)
    assert refused(post("e", kind=Kind.REMINDER, scope=HEARING), **ended) == refusals.NotWanted
    Suppression.objects.add("AMINA@diaspora.example", reason="bounce", said="", now=NOON)
    assert refused(post("f"), **ended) == refusals.CannotBeReached


def send_again_twice_at_once(letter: Letter, at_once, meeting, monkeypatch) -> list[type]:
    """Both have looked at the letter before either writes, unless a lock lets only one look."""
    of = SuppressionQuerySet.of
    monkeypatch.setattr(SuppressionQuerySet, "of", lambda *facts: (meeting(), of(*facts))[1])

    def again() -> Letter:
        return recall.send_again(letter, now=LATER)

    return sorted((type(result) for result in at_once(again, again)), key=str)


@pytest.mark.django_db(transaction=True)
def test_two_who_send_a_letter_again_send_it_once(post, at_once, meeting, monkeypatch):
    letter = post("a")
    Letter.objects.update(state=State.FAILED, ended_at=NOON)

    ends = send_again_twice_at_once(letter, at_once, meeting, monkeypatch)

    assert ends == [Letter, refusals.StillOnItsWay]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_would_send_it(post, at_once, meeting, monkeypatch):
    letter = post("a")
    Letter.objects.update(state=State.FAILED, ended_at=NOON)
    monkeypatch.setattr(LetterQuerySet, "select_for_update", lambda letters, **_: letters)

    ends = send_again_twice_at_once(letter, at_once, meeting, monkeypatch)

    assert ends == [Letter, Letter]


def reminders() -> LetterQuerySet:
    return Letter.objects.about(DEADLINE).filter(kind=Kind.REMINDER)


def test_what_is_taken_back_though_it_is_owed_may_be_written_anew(post):
    post("reminder", kind=Kind.REMINDER, about=DEADLINE)
    post("held", kind=Kind.REMINDER, about=DEADLINE)
    post("answer", about=DEADLINE)
    recall.hold(Letter.objects.filter(key="held"), now=NOON)

    assert recall.take_back(reminders(), now=LATER, is_owed=True) == 2

    assert [letter.subject for letter in Letter.objects.pending()] == ["answer"]
    assert post("reminder", kind=Kind.REMINDER, about=DEADLINE).state == State.QUEUED


def test_what_is_no_longer_true_is_not_sent_again(post):
    waits = post("waits", kind=Kind.REMINDER, about=DEADLINE)
    sent = post("sent", kind=Kind.REMINDER, about=DEADLINE, expires_at=LATER + timedelta(days=1))
    Letter.objects.filter(pk=sent.pk).update(state=State.SENT, sent_at=NOON)
    over = post("over", kind=Kind.REMINDER, about=DEADLINE, expires_at=NOON)

    assert recall.take_back(reminders(), now=LATER) == 2

    for letter in (waits, sent, over):
        with pytest.raises(refusals.NoLongerTrue):
            recall.send_again(letter, now=LATER)
    assert cancelled() == ["over", "waits"]
    over.refresh_from_db()
    assert over.expires_at == NOON


@pytest.mark.parametrize(
    ("state", "is_gone"),
    [(state, state in {"sending", "sent", "failed"}) for state in State.values],
)
def test_what_the_mail_server_has_or_may_have_has_left(post, state, is_gone):
    facts = {
        "sending": {"claim": uuid.uuid4(), "claimed_until": LATER},
        "sent": {"sent_at": NOON},
    }
    ended = {"ended_at": NOON} if state in {"failed", "cancelled", "expired", "suppressed"} else {}
    Letter.objects.filter(pk=post("a").pk).update(state=state, **facts.get(state, ended))

    with transaction.atomic():
        assert recall.have_left(Letter.objects.all()) == is_gone


def test_what_waits_for_its_moment_can_leave_sooner(post):
    letters = [post("a", not_before=LATER).pk, post("b").pk]
    post("c", not_before=LATER)

    assert recall.hurry(letters, now=NOON) == 1

    assert Letter.objects.due(NOON).count() == 2
