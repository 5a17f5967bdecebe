import uuid
from datetime import timedelta

import pytest

from notifications import recall
from notifications.models import Kind, Letter, State
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
