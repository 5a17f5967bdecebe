"""What an organiser does with letters: hold, release, cancel, send again, write to an address
again. Each calls one verb and is remembered."""

import pytest
from django.urls import reverse

from audit.models import Entry
from notifications import outbox, recall
from notifications.models import Kind, Letter, State, Suppression
from registrations.models import Registration

LETTERS = reverse("admin:notifications_letter_changelist")
TO = "amina@diaspora.example"
UNKNOWN = "0f6c1a52-6d0e-4c53-9d4b-52b1d0a5a001"


@pytest.fixture
def post(hearing, now):
    def post(key: str, **changes) -> Letter:
        facts = {
            "key": key,
            "to": TO,
            "language": "en",
            "subject": f"Subject of {key}",
            "text": "Registered",
            "html": "",
            "kind": Kind.TRANSACTIONAL,
            "scope": hearing.pk,
            "now": now,
        }
        return outbox.post(**{**facts, **changes})

    return post


def url(word: str, letter: Letter) -> str:
    return reverse(f"admin:notifications_letter_{word}", args=[letter.pk])


def choose(client, action: str, *letters: Letter, confirm: bool = True, **typed):
    chosen = {"action": action, "_selected_action": [letter.pk for letter in letters]}
    return client.post(LETTERS, chosen | ({"confirm": "yes"} if confirm else {}) | typed)


def states() -> dict[str, str]:
    return dict(Letter.objects.values_list("key", "state"))


def said(client) -> list[str]:
    return [str(message) for message in client.get(LETTERS).context["messages"]]


@pytest.mark.parametrize(
    ("action", "before", "after", "done"),
    [
        ("hold", State.QUEUED, State.HELD, "2 letters are held."),
        ("release", State.HELD, State.QUEUED, "2 letters are released."),
        ("cancel", State.QUEUED, State.CANCELLED, "2 letters are cancelled."),
        ("cancel", State.HELD, State.CANCELLED, "2 letters are cancelled."),
        ("send_again", State.CANCELLED, State.QUEUED, "2 letters are sent again."),
    ],
)
def test_chosen_letters_are_named_then_changed_and_remembered(
    clara_in, clara, hearing, post, now, action, before, after, done
):
    first, second, other = post("first"), post("second"), post("other")
    ended = {"ended_at": now} if before == State.CANCELLED else {}
    Letter.objects.update(state=before, **ended)

    page = choose(clara_in, action, first, second, confirm=False).content.decode()

    assert "Subject of first" in page and "Subject of second" in page
    assert "Subject of other" not in page
    assert set(states().values()) == {before}

    assert choose(clara_in, action, first, second).status_code == 302

    assert states() == {"first": after, "second": after, "other": before}
    assert said(clara_in) == [done]
    entries = Entry.objects.filter(subject_id__in=[first.pk, second.pk], actor=clara)
    assert [(entry.before, entry.after, entry.scope) for entry in entries] == [
        ({"state": before}, {"state": after}, hearing.pk)
    ] * 2
    assert not Entry.objects.about(other).exists()


def test_what_is_refused_is_said_and_the_others_go_on(clara_in, post, now):
    letters = [post("waits"), post("failed"), post("late", expires_at=now)]
    for letter in letters[1:]:
        Letter.objects.filter(pk=letter.pk).update(state=State.FAILED, ended_at=now)

    choose(clara_in, "send_again", *letters)

    assert states() == {"waits": State.QUEUED, "failed": State.QUEUED, "late": State.FAILED}
    assert sorted(said(clara_in)) == [
        "1 letter is sent again.",
        f"“Subject of late” to {TO} is not sent again: what it says is no longer true.",
        f"“Subject of waits” to {TO} is still on its way, or held.",
    ]


def test_where_nothing_changes_the_page_says_so(clara_in, post):
    page = choose(clara_in, "release", post("waits"))

    assert page.status_code == 200
    assert "Nothing was changed: none of these letters allows it." in page.content.decode()
    assert not Entry.objects.filter(verb="letter released").exists()


def test_a_letter_that_left_a_filtered_list_meanwhile_is_still_the_chosen_one(clara_in, post):
    letter = post("waits")
    recall.hold([letter.pk], now=letter.posted_at)

    choose(clara_in, "cancel", letter)

    assert states() == {"waits": State.CANCELLED}


def test_of_a_sent_letter_a_copy_goes(clara_in, post, now):
    letter = post("sent")
    Letter.objects.update(state=State.SENT, sent_at=now)

    choose(clara_in, "send_again", letter)

    assert states() == {"sent": State.SENT, "sent:again:1": State.QUEUED}


def test_letters_of_others_cannot_be_chosen(dina_in, post):
    letter = post("first")

    assert choose(dina_in, "hold", letter).status_code == 302
    assert dina_in.get(url("hold", letter)).status_code == 404
    assert dina_in.post(url("cancel", letter), {"confirm": "yes"}).status_code == 404
    assert dina_in.post(url("reach", letter), {"confirm": "yes"}).status_code == 404

    assert states() == {"first": State.QUEUED}


@pytest.mark.parametrize("chosen", ["notauuid", "", "\x00", "7", UNKNOWN])
def test_what_is_not_chosen_by_an_id_is_turned_away(clara_in, post, chosen):
    post("first")

    clara_in.post(LETTERS, {"action": "hold", "_selected_action": [chosen]})
    clara_in.post(LETTERS, {"action": "hold", "_selected_action": [chosen], "confirm": "yes"})

    assert states() == {"first": State.QUEUED}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.QUEUED, ["hold", "cancel"]),
        (State.HELD, ["release", "cancel"]),
        (State.FAILED, ["send_again"]),
        (State.EXPIRED, []),
    ],
)
def test_a_letters_page_offers_what_its_state_allows(clara_in, post, now, state, words):
    letter = post("first")
    ended = {} if state in (State.QUEUED, State.HELD) else {"ended_at": now}
    Letter.objects.update(state=state, **ended)

    tools = clara_in.get(url("change", letter)).context["tools"]

    assert [address for _words, address in tools] == [url(word, letter) for word in words]


def test_one_letter_is_held_from_its_own_page(clara_in, post):
    letter = post("first")

    assert clara_in.get(url("hold", letter)).status_code == 200
    assert states() == {"first": State.QUEUED}
    response = clara_in.post(url("hold", letter), {"confirm": "yes"})

    assert (response.status_code, response.url) == (302, url("change", letter))
    assert states() == {"first": State.HELD}


def test_an_address_that_cannot_be_reached_is_explained_and_can_be_written_to_again(
    clara_in, clara, hearing, post, now
):
    letter = post("first")
    page = clara_in.get(url("change", letter)).content.decode()
    assert "This address cannot be reached" not in page
    said = "550 5.1.1 <amina> unknown"
    Suppression.objects.add("Amina@diaspora.example", reason="bounce", said=said, now=now)

    page = clara_in.get(url("change", letter)).content.decode()

    assert "This address cannot be reached" in page
    assert "Letters come back" in page or "letters come back" in page
    assert "550 5.1.1 &lt;amina&gt; unknown" in page
    assert "write to another focal point" in page
    assert url("reach", letter) in page
    choose(clara_in, "send_again", letter)
    assert states() == {"first": State.SUPPRESSED}

    assert clara_in.get(url("reach", letter)).status_code == 200
    assert Suppression.objects.exists()
    response = clara_in.post(url("reach", letter), {"confirm": "yes"})

    assert response.url == url("change", letter)
    assert not Suppression.objects.exists()
    entry = Entry.objects.about(letter).get(verb="address written to again")
    assert (entry.actor, entry.after, entry.scope) == (clara, {"to": TO}, hearing.pk)
    choose(clara_in, "send_again", letter)
    assert states() == {"first": State.QUEUED}


def test_a_lifted_address_is_lifted_once(clara_in, post):
    letter = post("first")

    assert clara_in.post(url("reach", letter), {"confirm": "yes"}).status_code == 302

    assert not Entry.objects.about(letter).exists()


@pytest.mark.parametrize("state", State.values)
def test_the_list_is_narrowed_by_every_state(clara_in, sent, state):
    assert Registration.objects.exists()

    found = clara_in.get(LETTERS, {"state__exact": state})

    assert found.status_code == 200
    assert {letter.state for letter in found.context["cl"].result_list} <= {state}


def test_the_history_tells_what_was_done(clara_in, post):
    letter = post("first")
    choose(clara_in, "hold", letter)

    page = clara_in.get(url("history", letter)).content.decode()

    assert "Letter held" in page and "waiting" in page and "held" in page


def test_at_most_so_many_at_once(clara_in, post, monkeypatch):
    monkeypatch.setattr("events.admin.letters.MOST_AT_ONCE", 1)

    choose(clara_in, "hold", post("first"), post("second"))

    assert said(clara_in) == ["At most 1 letters can be chosen in one step."]
    assert set(states().values()) == {State.QUEUED}
