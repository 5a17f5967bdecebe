"""Mail servers that do what mail servers do: nothing is missing, and a copy is known as one."""

import logging
import random
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from notifications import delivery, outbox
from notifications.models import Kind, Letter, State, Suppression
from tests.notifications.conftest import NOON, free_port

pytestmark = pytest.mark.django_db(transaction=True)
IN_ONE_GO = ["PIPELINING"]


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.ERROR, "mail.log")


def post_many(number: int) -> None:
    outbox.post_many(
        outbox.write(
            key=f"reminder:{n}",
            to=f"group{n}@example.org",
            language="en",
            subject=f"reminder {n}",
            text="Registration closes soon.",
            html="<p>Registration closes soon.</p>",
            kind=Kind.REMINDER,
            now=NOON,
        )
        for n in range(number)
    )


def deliver_to_the_end() -> int:
    """Sweep at each moment at which something is due; how many sweeps that took."""
    now, sweeps = NOON, 0
    while waiting := Letter.objects.filter(state=State.QUEUED).order_by("next_attempt_at").first():
        assert sweeps < 300
        now = max(now + timedelta(seconds=30), waiting.next_attempt_at)
        delivery.deliver(now)
        sweeps += 1
    return sweeps


@pytest.mark.parametrize("offers", [[], IN_ONE_GO], ids=["one by one", "in one go"])
def test_with_temporary_failures_and_cut_lines_nothing_is_missing(sink, offers):
    luck = random.Random(3)
    ways = ["451 4.3.0 Later", "take and drop", ""]
    answers = luck.choices(ways, weights=[25, 10, 65], k=3000)
    sink.offers, sink.at_data = offers, list(answers)
    sink.refused = {"group7@example.org": "554 5.7.1 Not from you"}
    post_many(300)

    deliver_to_the_end()

    used = answers[: len(answers) - len(sink.at_data)]
    assert used.count("take and drop") > 20 and used.count("451 4.3.0 Later") > 60
    ids = [letter["Message-ID"] for letter in sink.letters]
    sent = Letter.objects.filter(state=State.SENT)
    assert set(ids) == {letter.message_id for letter in sent}
    assert (len(set(ids)), sent.count()) == (299, 299)
    assert len(ids) - len(set(ids)) == used.count("take and drop")
    assert all(len(recipients) == 1 for _, recipients in sink.envelopes)
    refused = Letter.objects.exclude(state=State.SENT).get()
    assert (refused.state, refused.attempts) == (State.FAILED, 1)
    assert sink.asked["group7@example.org"] == 1


def test_a_slow_server_gets_every_letter_once(sink, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH_LASTS", 0.05)
    sink.slow = 0.02
    post_many(30)

    assert delivery.deliver(NOON) == 30

    assert len({letter["Message-ID"] for letter in sink.letters}) == len(sink.letters) == 30


def test_what_a_server_takes_in_one_go_is_asked_in_one_go(sink, post, monkeypatch):
    written = []
    send = smtplib.SMTP.send
    monkeypatch.setattr(
        smtplib.SMTP, "send", lambda self, words: (written.append(words), send(self, words))[1]
    )
    post("one")
    sink.offers = IN_ONE_GO

    assert delivery.deliver(NOON) == 1

    asked = b"MAIL FROM:<portal@example.org>\r\nRCPT TO:<amina@diaspora.example>\r\nDATA\r\n"
    assert written[1] == asked
    assert written[2].endswith(b"\r\n.\r\n")
    assert sink.subjects == ["one"]


@pytest.mark.parametrize("offers", [[], IN_ONE_GO], ids=["one by one", "in one go"])
def test_the_line_is_good_for_the_next_letter_after_a_no(sink, post, offers):
    sink.offers = offers
    for n, answer in enumerate(["554 5.7.1 No", "451 4.7.1 Later", ""]):
        post(f"letter {n}", to=f"group{n}@example.org", now=NOON + timedelta(seconds=n))
        sink.refused[f"group{n}@example.org"] = answer

    assert delivery.deliver(NOON + timedelta(minutes=1)) == 1

    assert (sink.subjects, sink.lines) == (["letter 2"], 1)
    states = Letter.objects.order_by("posted_at").values_list("state", flat=True)
    assert list(states) == [State.FAILED, State.QUEUED, State.SENT]


def test_a_line_that_ends_behind_a_no_is_a_no_all_the_same(post, settings):
    with scripted([b"250 OK\r\n550 5.7.1 No\r\n"], ends=True) as server:
        settings.EMAIL_URL, settings.DEMO = server.url, False
        post()

        assert delivery.deliver(NOON) == 0

    letter = Letter.objects.get()
    assert (letter.state, letter.last_error) == (State.FAILED, "550 5.7.1 No")


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (b"250 OK\r\n550 5.7.1 No\r\n354 Go on\r\n", State.FAILED),
        (b"250 OK\r\n451 4.7.1 Later\r\n354 Go on\r\n", State.QUEUED),
        (b"451 4.7.1 Later\r\n250 OK\r\n354 Go on\r\n", State.QUEUED),
        (b"550 5.7.1 No\r\n250 OK\r\n354 Go on\r\n", State.QUEUED),
        (b"250 OK\r\nhello\r\n354 Go on\r\n", State.QUEUED),
        (b"250 OK\r\n250 OK\r\n250 Go on\r\n", State.QUEUED),
    ],
)
def test_no_word_of_a_letter_leaves_after_a_no(post, settings, answers, state):
    with scripted([answers]) as server:
        settings.EMAIL_URL, settings.DEMO = server.url, False
        post(text="Not for everybody")

        assert delivery.deliver(NOON) == 0

    assert b"DATA\r\n" in server.heard
    assert b"Not for everybody" not in server.heard
    assert Letter.objects.get().state == state


class Scripted:
    """A server that offers PIPELINING and answers what it was told to, whatever it hears."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard = b""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def scripted(answers: list[bytes], *, ends: bool = False) -> Iterator[Scripted]:
    server = Scripted()
    hello = [b"220 here\r\n", b"250-here\r\n250 PIPELINING\r\n"]

    def serve() -> None:
        line, _address = listener.accept()
        with line:
            line.sendall(hello[0])
            for answer in [hello[1], *answers]:
                server.heard += line.recv(65536)
                line.sendall(answer)
            while not ends and (words := line.recv(65536)):
                server.heard += words
                line.sendall(b"250 OK\r\n")

    with socket.create_server(("127.0.0.1", server.port)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 <amina@diaspora.example>: Recipient address rejected: User unknown",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
        "550 5.1.1 double-checking the address.",
        "550 5.1.10 Null MX",
        "550 No such user here",
        "550 Requested action not taken: mailbox not found",
        "551 User amina does not exist",
    ],
)
def test_nothing_more_goes_where_nobody_is(sink, post, answer):
    post("first", now=NOON - timedelta(minutes=2))
    post("second", now=NOON - timedelta(minutes=1), to="Amina@diaspora.example")
    post("held", now=NOON - timedelta(minutes=1))
    Letter.objects.filter(key="held").update(state=State.HELD)
    post("to bo", to="bo@ports.example")
    sink.refused = dict.fromkeys(("amina@diaspora.example", "Amina@diaspora.example"), answer)

    assert delivery.deliver(NOON) == 1

    assert sink.asked == {"amina@diaspora.example": 1, "bo@ports.example": 1}
    assert dict(Letter.objects.values_list("key", "state")) == {
        "first": State.FAILED,
        "second": State.SUPPRESSED,
        "held": State.HELD,
        "to bo": State.SENT,
    }
    suppression = Suppression.objects.get()
    assert (suppression.email, suppression.reason) == ("amina@diaspora.example", "bounce")
    assert suppression.said == Letter.objects.get(key="first").last_error != ""
    assert Letter.objects.get(key="second").last_error == suppression.said


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.7.1 User unknown to our spam filter",
        "550 5.1.8 Sender address rejected: user unknown",
        "552 5.2.2 Mailbox full",
        "554 Transaction failed",
        "550 Rejected because of its words",
    ],
)
def test_any_other_no_is_about_that_letter_alone(sink, post, answer):
    post("first", now=NOON - timedelta(minutes=2))
    post("second")
    sink.at_recipient = [answer]

    assert delivery.deliver(NOON) == 1

    assert sink.subjects == ["second"]
    assert Letter.objects.get(key="first").state == State.FAILED
    assert not Suppression.objects.exists()


def test_a_no_to_the_words_says_nothing_of_the_mailbox(sink, post):
    post("first")
    sink.at_data = ["550 5.1.1 No such user"]

    delivery.deliver(NOON)

    assert not Suppression.objects.exists()


def test_codes_still_go_where_nothing_else_does(sink, post):
    said = "550 5.1.1 Unknown"
    Suppression.objects.add("AMINA@diaspora.example", reason="bounce", said=said, now=NOON)
    post("code", kind=Kind.SECRET)
    post("answer")

    assert delivery.deliver(NOON) == 1

    assert sink.subjects == ["code"]
    answer = Letter.objects.get(key="answer")
    assert (answer.state, answer.attempts, answer.last_error) == (State.SUPPRESSED, 0, said)
    assert answer.ended_at >= NOON


def test_a_suppressed_address_is_not_even_claimed_after_the_sweep_has_looked(
    sink, post, monkeypatch
):
    monkeypatch.setattr(delivery, "_set_aside", lambda now: None)
    Suppression.objects.add("amina@diaspora.example", reason="bounce", said="", now=NOON)
    post("answer")

    assert delivery.deliver(NOON) == 0
    assert sink.asked == {}


def test_the_envelope_names_who_takes_what_comes_back(sink, post, settings):
    settings.EMAIL_BOUNCES = "bounces@example.org"
    post()

    delivery.deliver(NOON)

    assert sink.envelopes == [("bounces@example.org", ["amina@diaspora.example"])]
    assert sink.letters[0]["From"] == "GCM Portal <portal@example.org>"


def test_an_address_in_another_script_needs_a_server_that_takes_it(sink, post):
    Letter.objects.filter(pk=post().pk).update(to="أمينة@diaspora.example")

    delivery.deliver(NOON)

    assert sink.envelopes[0][1] == ["أمينة@diaspora.example"]
    assert b"To: \xd8\xa3" in sink.raw[0]


def test_without_such_a_server_that_letter_fails_and_no_other(post, settings):
    with scripted([b"250 OK\r\n250 OK\r\n354 Go on\r\n"]) as server:
        settings.EMAIL_URL, settings.DEMO = server.url, False
        first = post("first", now=NOON - timedelta(minutes=1))
        Letter.objects.filter(pk=first.pk).update(to="أمينة@diaspora.example")
        post("second")

        assert delivery.deliver(NOON) == 1

    assert "script" in Letter.objects.get(key="first").last_error


@pytest.mark.parametrize(
    "to", ['"a b>"@example.org', '"a\x0bb"@example.org', '"a"<b>"@example.org']
)
def test_no_address_adds_to_a_command(sink, post, to):
    Letter.objects.filter(pk=post("first").pk).update(to=to)
    post("second")

    assert delivery.deliver(NOON) == 1

    assert list(sink.asked) == ["amina@diaspora.example"]
    assert Letter.objects.get(key="first").state == State.FAILED
