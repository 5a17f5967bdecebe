import logging
import socket
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications import delivery, line, recall
from notifications.models import Kind, Letter, State
from tests.notifications.conftest import NOON, Sink, free_port, served

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.ERROR, "mail.log")


def beside(act: Callable, *arguments, **named):
    """Run in a thread with a database connection of its own; the Future tells the end."""

    def run():
        try:
            return act(*arguments, **named)
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(run)
    pool.shutdown(wait=False)
    return future


def states() -> dict[str, str]:
    return dict(Letter.objects.values_list("key", "state"))


def test_a_letter_goes_out_once_as_clean_mail(sink, post):
    post(
        "received:1",
        subject="Received",
        text="Dear Amina,\n\n.A line with a dot\n" + "long " * 300,
        html="<p>Dear Amina</p>",
        reply_to="desk@example.org",
        headers={"List-Unsubscribe": "<https://portal.example.org/" + "x" * 200 + ">"},
    )

    assert delivery.deliver(NOON) == 1
    assert delivery.deliver(NOON) == 0

    assert sink.envelopes == [("portal@example.org", ["amina@diaspora.example"])]
    (mail,) = sink.letters
    assert {name: mail.get_all(name) for name in mail if name != "Content-Type"} == {
        "From": ["GCM Portal <portal@example.org>"],
        "To": ["amina@diaspora.example"],
        "Reply-To": ["desk@example.org"],
        "Subject": ["Received"],
        "Date": ["Thu, 01 Feb 2018 12:00:00 +0000"],
        "Message-ID": [Letter.objects.get().message_id],
        "Auto-Submitted": ["auto-generated"],
        "Content-Language": ["en"],
        "List-Unsubscribe": ["<https://portal.example.org/" + "x" * 200 + ">"],
        "MIME-Version": ["1.0"],
    }
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content().splitlines() == Letter.objects.get().text.splitlines()
    assert html.get_content_type() == "text/html"
    assert html.get_content().strip() == "<p>Dear Amina</p>"
    letter = Letter.objects.get()
    assert (letter.state, letter.attempts, letter.claim) == (State.SENT, 1, None)
    assert NOON <= letter.sent_at < NOON + timedelta(seconds=5)


def test_arabic_arrives_as_it_was_written_in_seven_bits(sink, post):
    subject = "تم تسجيل وفدكم في جلسة الاستماع غير الرسمية المواضيعية " * 3
    post(subject=subject, text="مرحباً أمينة", language="ar")

    delivery.deliver(NOON)

    assert sink.raw[0].isascii()
    assert max(map(len, sink.raw[0].split(b"\r\n"))) <= 78
    assert sink.subjects == [subject.strip()]
    assert sink.letters[0].get_content().splitlines() == ["مرحباً أمينة"]
    assert sink.letters[0].get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "hostile",
    [
        "Hearing\r\nBcc: everybody@example.org",
        "=?utf-8?q?a=0D=0ABcc:_everybody@example.org?=",
        "=?utf-8?b?YQ0KQmNjOiBldmVyeWJvZHlAZXhhbXBsZS5vcmc=?= جلسة",
        "x" * 5000,
        "جلسة" * 500,
        "\u202e\u2066 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_no_subject_adds_a_header(sink, post, hostile):
    post("plain")
    post("hostile", subject=hostile)

    assert delivery.deliver(NOON) == 2

    plain, other = sink.letters
    assert other.keys() == plain.keys()
    assert [to for _, to in sink.envelopes] == [["amina@diaspora.example"]] * 2
    assert b"\nBcc" not in sink.raw[1]


def test_an_address_with_an_international_domain_is_sent_in_ascii(sink, post):
    post(to="amina@diasporá.example")

    delivery.deliver(NOON)

    assert sink.envelopes[0][1] == ["amina@xn--diaspor-nwa.example"]
    assert sink.letters[0]["To"] == "amina@xn--diaspor-nwa.example"


def test_codes_go_first_then_answers_reminders_announcements_and_the_oldest_of_each(sink, post):
    for kind in reversed(Kind):
        post(f"{kind.name} new", kind=kind, now=NOON)
        post(f"{kind.name} old", kind=kind, now=NOON - MINUTE)

    delivery.deliver(NOON)

    assert sink.subjects == [f"{kind.name} {age}" for kind in Kind for age in ("old", "new")]
    assert sink.lines == 1


def test_a_letter_waits_for_its_moment(sink, post):
    post(not_before=NOON + MINUTE)

    assert delivery.deliver(NOON) == 0
    assert delivery.deliver(NOON + MINUTE) == 1


def test_a_letter_that_is_no_longer_true_expires_unsent(sink, post):
    post("late", expires_at=NOON + MINUTE)
    post("code", expires_at=NOON + MINUTE, kind=Kind.SECRET)
    post("true", expires_at=NOON + 2 * MINUTE)

    delivery.deliver(NOON + MINUTE)

    assert sink.subjects == ["true"]
    assert states() == {"late": State.EXPIRED, "code": State.EXPIRED, "true": State.SENT}
    assert Letter.objects.get(key="code").text == ""
    assert Letter.objects.get(key="late").ended_at >= NOON + MINUTE


def test_a_held_letter_expires_at_its_moment(sink, post):
    letter = post(expires_at=NOON + MINUTE)
    recall.hold([letter.pk], now=NOON)

    delivery.deliver(NOON)
    assert states() == {"letter": State.HELD}
    delivery.deliver(NOON + MINUTE)
    assert states() == {"letter": State.EXPIRED}


def test_a_letter_that_expires_behind_a_slow_one_is_not_sent(sink, post):
    post("slow", now=NOON - MINUTE)
    post("short", expires_at=NOON + timedelta(seconds=0.3))
    sink.slow = 0.5

    delivery.deliver(NOON)

    assert sink.subjects == ["slow"]
    assert states() == {"slow": State.SENT, "short": State.QUEUED}
    delivery.deliver(NOON + MINUTE)
    assert states() == {"slow": State.SENT, "short": State.EXPIRED}


def test_later_backs_off_step_by_step_and_after_three_days_fails(sink, post):
    letter, now, waits = post(), NOON, []
    while now - NOON < timedelta(days=4):
        sink.at_recipient = ["451 4.7.1 Greylisted"]
        assert delivery.deliver(now) == 0
        letter.refresh_from_db()
        if letter.state == State.FAILED:
            break
        assert letter.state == State.QUEUED
        waits.append(round((letter.next_attempt_at - now) / MINUTE))
        assert delivery.deliver(letter.next_attempt_at - timedelta(seconds=5)) == 0
        now = letter.next_attempt_at

    assert waits == [1, 5, 15, 60] + [240] * 18
    assert (letter.state, letter.attempts) == (State.FAILED, 23)
    assert letter.last_error == "451 4.7.1 Greylisted"
    assert sink.letters == []


def test_later_holds_up_nobody_else_and_the_letter_is_sent_in_the_end(sink, post):
    post("first", now=NOON - MINUTE)
    post("second")
    sink.at_data = ["452 4.3.1 Full"]

    assert delivery.deliver(NOON) == 1
    assert delivery.deliver(NOON + 2 * MINUTE) == 1

    assert sink.subjects == ["second", "first"]
    letter = Letter.objects.get(key="first")
    assert (letter.attempts, letter.last_error) == (2, "")


@pytest.mark.parametrize("stage", ["at_recipient", "at_data"])
def test_no_is_asked_once_and_kept_for_the_organiser(sink, post, stage):
    post("refused", now=NOON - MINUTE)
    post("code", kind=Kind.SECRET)
    post("taken")
    setattr(sink, stage, ["550 5.7.1 No such code", "550 5.7.1 No such words"])

    assert delivery.deliver(NOON) == 1
    assert delivery.deliver(NOON + timedelta(days=1)) == 0

    assert sink.subjects == ["taken"]
    refused = Letter.objects.get(key="refused")
    assert (refused.state, refused.attempts) == (State.FAILED, 1)
    assert refused.last_error == "550 5.7.1 No such words"
    assert refused.text == "Your delegation is registered."
    code = Letter.objects.get(key="code")
    assert (code.state, code.text, code.last_error) == (State.FAILED, "", "550 5.7.1 No such code")


@pytest.mark.parametrize("stage", ["at_recipient", "at_data"])
def test_a_line_that_breaks_is_opened_again_for_the_next_letter(sink, post, stage):
    post("broken", now=NOON - MINUTE)
    post("whole")
    setattr(sink, stage, ["drop"])

    assert delivery.deliver(NOON) == 1
    assert sink.subjects == ["whole"]
    assert sink.lines == 2
    assert states() == {"broken": State.QUEUED, "whole": State.SENT}

    assert delivery.deliver(NOON + 2 * MINUTE) == 1
    assert sink.subjects == ["whole", "broken"]


def test_when_the_line_breaks_again_and_again_the_server_is_left_alone(sink, post):
    for n in range(6):
        post(f"letter {n}", now=NOON + timedelta(seconds=n))
    sink.at_data = ["drop"] * 6

    assert delivery.deliver(NOON + MINUTE) == 0

    assert sink.lines == 3
    assert set(states().values()) == {State.QUEUED}
    sink.at_data = []
    assert delivery.deliver(NOON + 3 * MINUTE) == 6


def test_what_left_before_the_server_went_away_is_counted(sink, post):
    for n in range(4):
        post(f"letter {n}", now=NOON + timedelta(seconds=n))
    sink.at_data = ["", "drop", "drop", "drop"]

    assert delivery.deliver(NOON + MINUTE) == 1
    assert sink.subjects == ["letter 0"]


def test_a_sender_that_the_server_refuses_is_not_the_letters_fault(sink, settings, post):
    post()
    sink.at_sender = "530 5.7.0 Authentication required"

    assert delivery.deliver(NOON) == 0
    letter = Letter.objects.get()
    assert (letter.state, letter.attempts) == (State.QUEUED, 1)
    assert "530 5.7.0 Authentication required" in letter.last_error

    sink.at_sender = ""
    assert delivery.deliver(NOON + 2 * MINUTE) == 1


def test_a_copy_that_could_not_be_avoided_has_the_same_message_id(sink, post):
    post()
    sink.at_data = ["take and drop"]

    assert delivery.deliver(NOON) == 0
    assert delivery.deliver(NOON + 2 * MINUTE) == 1

    first, second = sink.letters
    assert first["Message-ID"] == second["Message-ID"] == Letter.objects.get().message_id


def test_a_server_that_refuses_connections_leaves_the_letters_waiting(settings, post):
    port = free_port()
    settings.EMAIL_URL, settings.DEMO = f"smtp://127.0.0.1:{port}", False
    post("one", kind=Kind.SECRET, expires_at=NOON + 30 * MINUTE)
    post("two")

    for minutes in range(3):
        assert delivery.deliver(NOON + minutes * 2 * MINUTE) == 0

    assert sorted(Letter.objects.values_list("key", "state", "attempts")) == [
        ("one", State.QUEUED, 1),
        ("two", State.QUEUED, 1),
    ]
    assert "refused" in Letter.objects.get(key="one").last_error
    assert all(
        letter.next_attempt_at < NOON + timedelta(minutes=5, seconds=5)
        for letter in Letter.objects.all()
    )
    sink = Sink()
    with served(sink, port):
        assert delivery.deliver(NOON + 6 * MINUTE) == 2
    assert sink.subjects == ["one", "two"]


def test_a_server_that_stays_away_for_more_than_three_days_fails_the_letter(settings, post):
    settings.EMAIL_URL, settings.DEMO = f"smtp://127.0.0.1:{free_port()}", False
    post()

    delivery.deliver(NOON + timedelta(days=2, hours=23))
    assert states() == {"letter": State.QUEUED}
    delivery.deliver(NOON + timedelta(days=3, minutes=2))

    assert states() == {"letter": State.FAILED}


def test_a_server_that_does_not_know_us_leaves_the_letters_waiting(sink, settings, post):
    post()
    settings.EMAIL_URL = settings.EMAIL_URL.replace("smtp://", "smtp://portal:wrong@")

    assert delivery.deliver(NOON) == 0

    assert states() == {"letter": State.QUEUED}


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtps"])
def test_a_server_without_the_agreed_encryption_gets_no_letter(sink, settings, post, scheme):
    post()
    settings.EMAIL_URL = settings.EMAIL_URL.replace("smtp://", f"{scheme}://")

    assert delivery.deliver(NOON) == 0

    assert (sink.letters, states()) == ([], {"letter": State.QUEUED})


def test_a_frozen_server_costs_the_worker_its_timeout_and_no_letter(settings, post, monkeypatch):
    monkeypatch.setattr(line, "SMTP_TIMEOUT", 0.3)
    post()
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.getsockname()[1]}"
        settings.DEMO = False

        assert delivery.deliver(NOON) == 0

    assert states() == {"letter": State.QUEUED}


def test_a_slow_server_can_not_hold_a_letter_longer_than_its_claim(sink, post, monkeypatch):
    monkeypatch.setattr(line, "LETTER_LASTS", 0.3)
    post()
    sink.slow = 2

    assert delivery.deliver(NOON) == 0

    assert states() == {"letter": State.QUEUED}


def test_no_letter_is_begun_so_late_that_it_outlasts_its_claim():
    assert delivery.CLAIM_LASTS.total_seconds() > delivery.BATCH_LASTS + line.LETTER_LASTS


def test_a_letter_that_can_not_become_mail_holds_up_nobody(sink, post):
    bad, good = post("bad", now=NOON - MINUTE), post("good")
    Letter.objects.filter(pk=bad.pk).update(to=f"amina@{'é' * 70}.example")

    assert delivery.deliver(NOON) == 1

    assert states() == {"bad": State.FAILED, "good": State.SENT}
    assert sink.subjects == [good.subject]


def test_a_letter_cancelled_between_claim_and_sending_is_not_sent(sink, post):
    post("first", now=NOON - MINUTE)
    hearing = uuid.uuid4()
    post("second", scope=hearing)
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)
    assert states() == {"first": State.SENDING, "second": State.SENDING}

    assert recall.cancel(now=NOON, scope=hearing) == 1
    sink.may_answer.set()

    assert delivering.result(timeout=10) == 1
    assert sink.subjects == ["first"]
    assert states() == {"first": State.SENT, "second": State.CANCELLED}


def take_back_while_delivering(sink: Sink, post) -> None:
    """Somebody takes the second letter back, and has not finished when its turn comes."""
    post("first", now=NOON - MINUTE)
    second = post("second")
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)
    sink.has_letter.clear()
    with transaction.atomic():
        assert recall.cancel(now=NOON, letters=[second.pk]) == 1
        sink.may_answer.set()
        sink.has_letter.wait(timeout=1)
    delivering.result(timeout=10)


def test_a_letter_that_is_being_taken_back_is_not_begun(sink, post):
    take_back_while_delivering(sink, post)

    assert sink.subjects == ["first"]
    assert states() == {"first": State.SENT, "second": State.CANCELLED}


def test_without_a_look_at_locks_it_is_sent(sink, post, monkeypatch):
    blind = delivery.KEEP_AND_LOOK.replace("for share skip locked", "")
    monkeypatch.setattr(delivery, "KEEP_AND_LOOK", blind)

    take_back_while_delivering(sink, post)

    assert sink.subjects == ["first", "second"]


def test_who_holds_one_letter_and_waits_for_the_next_stops_nobody(sink, post):
    first, second = post("first", now=NOON - MINUTE), post("second")
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)
    with transaction.atomic():
        assert recall.hold([first.pk], now=NOON) == 1
        sink.may_answer.set()
        assert recall.hold([second.pk], now=NOON) in (0, 1)
    delivering.result(timeout=10)

    assert states()["first"] == State.SENT
    assert sink.subjects[0] == "first"


def hold_what_is_claimed(sink: Sink, post) -> None:
    post("first", now=NOON - MINUTE)
    second = post("second")
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)
    assert recall.hold([second.pk], now=NOON) == 1
    sink.may_answer.set()
    delivering.result(timeout=10)


def test_a_claimed_letter_that_is_held_does_not_leave_until_it_is_released(sink, post):
    hold_what_is_claimed(sink, post)

    assert sink.subjects == ["first"]
    assert states() == {"first": State.SENT, "second": State.HELD}
    assert delivery.deliver(NOON + MINUTE) == 0

    assert recall.release(Letter.objects.all(), now=NOON + MINUTE) == 1
    assert delivery.deliver(NOON + MINUTE) == 1


def test_a_worker_that_does_not_look_sends_what_is_held(sink, post, monkeypatch):
    monkeypatch.setattr(delivery, "_is_ours", lambda *_: True)

    hold_what_is_claimed(sink, post)

    assert sink.subjects == ["first", "second"]


def test_what_the_server_takes_while_it_is_held_is_sent(sink, post):
    letter = post()
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)
    assert recall.hold([letter.pk], now=NOON) == 1
    assert recall.release([letter.pk], now=NOON) == 1
    sink.may_answer.set()

    assert delivering.result(timeout=10) == 1
    assert states() == {"letter": State.SENT}
    assert delivery.deliver(NOON + MINUTE) == 0


def test_a_long_way_to_the_server_does_not_eat_the_claim(sink, post, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH_LASTS", 0.0)
    post("one")
    claims = []
    claim = delivery._claim
    monkeypatch.setattr(delivery, "_claim", lambda *facts: (claims.append(facts), claim(*facts))[1])

    assert delivery.deliver(NOON) == 1
    assert len(claims) == 3


def test_a_letter_costs_one_statement(sink, post):
    for n in range(10):
        post(f"letter {n}")
    with CaptureQueriesContext(connection) as quiet:
        delivery.deliver(NOON - MINUTE)

    with CaptureQueriesContext(connection) as queries:
        assert delivery.deliver(NOON) == 10

    claim, look_after_opening = 4, 1
    assert len(queries) - len(quiet) == 10 + claim + look_after_opening


def test_cancelling_does_not_wait_for_the_server_and_what_was_taken_is_sent(sink, post):
    hearing = uuid.uuid4()
    post(scope=hearing)
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)

    assert recall.cancel(now=NOON, scope=hearing) == 1
    assert states() == {"letter": State.CANCELLED}
    sink.may_answer.set()

    assert delivering.result(timeout=10) == 1
    assert states() == {"letter": State.SENT}
    assert Letter.objects.get().ended_at is None


def test_a_cancelled_letter_that_the_server_did_not_take_stays_cancelled(sink, post):
    hearing = uuid.uuid4()
    post(scope=hearing)
    sink.may_answer.clear()
    sink.at_data = ["451 4.3.0 Later"]
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)

    recall.cancel(now=NOON, scope=hearing)
    sink.may_answer.set()

    assert delivering.result(timeout=10) == 0
    assert states() == {"letter": State.CANCELLED}


def test_a_dead_workers_claims_come_back_after_45_seconds(sink, post):
    post("one")
    post("two")
    delivery._claim(uuid.uuid4(), NOON)

    assert delivery.deliver(NOON + timedelta(seconds=44)) == 0
    assert delivery.deliver(NOON + timedelta(seconds=45)) == 2
    assert sorted(sink.subjects) == ["one", "two"]


def test_a_worker_that_lost_its_claim_does_not_send(sink, post):
    letter = post()
    claim = uuid.uuid4()
    delivery._claim(claim, NOON)
    assert delivery.deliver(NOON + MINUTE) == 1

    assert not delivery._is_ours(letter, claim, NOON + MINUTE)


def test_the_rest_of_a_batch_is_free_when_a_worker_fails(sink, post, monkeypatch):
    post("one")
    post("two")

    def gone(*_) -> None:
        raise ConnectionError

    monkeypatch.setattr(delivery, "_keep_sent", gone)
    with pytest.raises(ConnectionError):
        delivery.deliver(NOON)

    assert set(states().values()) == {State.QUEUED}


def test_an_urgent_letter_overtakes_the_rest_of_a_long_batch(sink, post, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH_LASTS", 0.0)
    for n in range(3):
        post(f"answer {n}", now=NOON - (3 - n) * MINUTE)
    sink.may_answer.clear()
    delivering = beside(delivery.deliver, NOON)
    assert sink.has_letter.wait(timeout=10)
    post("code", kind=Kind.SECRET)
    sink.may_answer.set()

    assert delivering.result(timeout=10) == 4
    assert sink.subjects == ["answer 0", "code", "answer 1", "answer 2"]


def deliver_twice_at_once(sink: Sink, post) -> None:
    for n in range(80):
        post(f"letter {n:02}")
    sink.slow = 0.005
    for future in [beside(delivery.deliver, NOON) for _ in range(2)]:
        future.result(timeout=30)


def test_two_deliverers_at_once_send_each_letter_once(sink, post):
    deliver_twice_at_once(sink, post)

    assert sorted(sink.subjects) == [f"letter {n:02}" for n in range(80)]
    assert sink.lines == 2
    assert list(Letter.objects.exclude(state=State.SENT, attempts=1)) == []


def test_without_claims_two_deliverers_do_send_letters_twice(sink, post, monkeypatch):
    both_looked = threading.Barrier(2)

    def look(claim: uuid.UUID, now) -> list[Letter]:
        letters = list(Letter.objects.due(now).order_by("kind", "posted_at"))
        if letters:
            both_looked.wait(timeout=10)
        return letters

    monkeypatch.setattr(delivery, "_claim", look)
    monkeypatch.setattr(delivery, "_is_ours", lambda *_: True)
    monkeypatch.setattr(
        delivery,
        "_keep_sent",
        lambda letter, claim, now, after: Letter.objects.filter(pk=letter.pk).update(
            state=State.SENT, sent_at=now
        ),
    )

    deliver_twice_at_once(sink, post)

    assert len(sink.subjects) > len(set(sink.subjects)) == 80


def test_in_the_demo_without_a_server_letters_go_to_the_mailbox(settings, post):
    settings.EMAIL_URL, settings.DEMO = "", True
    post("answer")
    post("code", kind=Kind.SECRET, text="7F3K92", expires_at=NOON + 30 * MINUTE)

    assert delivery.deliver(NOON) == 2
    assert states() == {"answer": State.SENT, "code": State.SENT}
    assert Letter.objects.get(key="code").text == "7F3K92"

    delivery.deliver(NOON + 30 * MINUTE)
    assert Letter.objects.get(key="code").text == ""
    assert states() == {"answer": State.SENT, "code": State.SENT}


def test_without_a_server_and_without_the_demo_letters_wait(settings, post):
    settings.EMAIL_URL, settings.DEMO = "", False
    post()

    assert delivery.deliver(NOON) == 0
    assert states() == {"letter": State.QUEUED}


def test_a_code_is_wiped_when_sent_outside_the_demo(sink, post):
    post(kind=Kind.SECRET, text="7F3K92", html="<b>7F3K92</b>")

    delivery.deliver(NOON)

    letter = Letter.objects.get()
    assert (letter.state, letter.text, letter.html) == (State.SENT, "", "")
