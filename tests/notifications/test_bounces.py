"""What mail servers report is believed when it can only come from who had the letter."""

import base64
import io
import random
import sys
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError

from notifications import bounces
from notifications.models import Kind, Letter, State, Suppression, SuppressionQuerySet
from tests.notifications.conftest import NOON

pytestmark = pytest.mark.django_db
AMINA = "amina@diaspora.example"
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def letter(post, settings) -> Letter:
    settings.BASE_URL = "https://portal.example.org"
    post("earlier")
    letter = post("received:1")
    Letter.objects.update(state=State.SENT, sent_at=NOON, attempts=1)
    letter.refresh_from_db()
    return letter


def dsn(
    message_id: str,
    *,
    to: str = AMINA,
    action: str = "failed",
    status: str = "5.1.1",
    said: str = "smtp; 550 5.1.1 User unknown",
    original: str = "",
) -> bytes:
    """A report as RFC 3464 has it."""
    original = original or f"From: portal@example.org\nTo: {to}\nMessage-ID: {message_id}\n\nDear"
    return f"""\
From: MAILER-DAEMON@mx.example
To: bounces@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: {said}

--b
Content-Type: message/rfc822

{original}

--b--
""".encode()


IN_WORDS = """\
From: MAILER-DAEMON@mx.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{to}>:
550 No such user here

--- Below this line is a copy of the message.

Message-ID: {message_id}
"""


def arf(message_id: str, *, sort: str = "abuse", named: str = f"Original-Rcpt-To: <{AMINA}>"):
    """A complaint as RFC 5965 has it."""
    return f"""\
From: <abusedesk@provider.example>
Subject: FW: Your delegation
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: {sort}
User-Agent: SomeGenerator/1.0
Version: 1
{named}

--b
Content-Type: message/rfc822
Content-Disposition: inline

From: <portal@example.org>
To: <{AMINA}>
Message-ID: {message_id}
Subject: Your delegation

Dear Amina

--b--
""".encode()


def nothing_happened() -> bool:
    sent = Letter.objects.filter(state=State.SENT, last_error="", ended_at=None)
    return sent.count() == Letter.objects.count() and not Suppression.objects.exists()


def test_a_letter_that_comes_back_has_failed_and_its_address_is_left_alone(letter, post):
    post("waits")

    line = bounces.take(dsn(letter.message_id), LATER)

    assert line == f"{AMINA} cannot be reached: 550 5.1.1 User unknown"
    letter.refresh_from_db()
    assert (letter.state, letter.sent_at, letter.ended_at) == (State.FAILED, NOON, LATER)
    assert (letter.last_error, letter.reported_at) == ("550 5.1.1 User unknown", None)
    suppression = Suppression.objects.get()
    assert (suppression.email, suppression.reason, suppression.since) == (AMINA, "bounce", LATER)
    assert suppression.said == "550 5.1.1 User unknown"
    states = dict(Letter.objects.values_list("key", "state"))
    assert (states["earlier"], states["waits"]) == (State.SENT, State.SUPPRESSED)


def test_the_same_report_again_changes_nothing(letter):
    bounces.take(dsn(letter.message_id), LATER)

    line = bounces.take(dsn(letter.message_id), LATER + timedelta(hours=1))

    assert line == f"{AMINA} is known as an address that cannot be reached."
    assert Suppression.objects.get().since == LATER
    assert Letter.objects.get(pk=letter.pk).ended_at == LATER


@pytest.mark.django_db(transaction=True)
def test_two_reports_at_once_make_one_suppression(letter, at_once):
    def take() -> str:
        return bounces.take(dsn(letter.message_id), LATER)

    lines = at_once(take, take)

    assert all(AMINA in line for line in lines)
    assert Suppression.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_leave_to_come_second_one_of_two_reports_breaks(letter, at_once, monkeypatch):
    bulk_create = SuppressionQuerySet.bulk_create
    monkeypatch.setattr(
        SuppressionQuerySet, "bulk_create", lambda self, rows, **_: bulk_create(self, rows)
    )

    def take() -> str:
        return bounces.take(dsn(letter.message_id), LATER)

    assert {type(end) for end in at_once(take, take)} == {str, IntegrityError}


def test_a_report_in_words_is_read_too(letter):
    words = IN_WORDS.format(to=AMINA, message_id=letter.message_id)

    bounces.take(words.encode(), LATER)

    assert Suppression.objects.get().said == "550 No such user here"


def test_a_report_may_hide_the_id_in_base64(letter):
    headers = base64.encodebytes(f"Message-ID: {letter.message_id}\n".encode()).decode()
    raw = dsn("", original=headers).replace(
        b"Content-Type: message/rfc822\n",
        b"Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n",
    )

    bounces.take(raw, LATER)

    assert Suppression.objects.exists()


def test_an_international_domain_is_known_in_both_ways(post, letter):
    other = post("other", to="amina@diasporá.example")
    Letter.objects.filter(pk=other.pk).update(state=State.SENT, sent_at=NOON)

    bounces.take(dsn(other.message_id, to="amina@xn--diaspor-nwa.example"), LATER)

    assert Suppression.objects.get().email == "amina@diasporá.example"


def test_a_complaint_counts_as_one(letter):
    bounces.take(arf(letter.message_id), LATER)

    suppression = Suppression.objects.get()
    assert (suppression.email, suppression.reason, suppression.said) == (
        AMINA,
        "complaint",
        "abuse",
    )
    assert Letter.objects.get(pk=letter.pk).state == State.FAILED


def test_a_complaint_that_hides_the_address_is_known_by_the_letter_that_it_brings(letter):
    bounces.take(arf(letter.message_id, named="Source-IP: 192.0.2.1"), LATER)

    assert Suppression.objects.get().reason == "complaint"


@pytest.mark.parametrize("sort", ["not-spam", "auth-failure", "", "virus"])
def test_feedback_of_other_sorts_is_no_complaint(letter, sort):
    bounces.take(arf(letter.message_id, sort=sort), LATER)

    assert nothing_happened()


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "delayed", "status": "4.4.1"},
        {"action": "failed", "status": "4.4.7"},
        {"action": "delivered", "status": "2.0.0"},
        {"action": "relayed", "status": "2.0.0"},
    ],
)
def test_what_may_still_arrive_is_left_alone(letter, changes):
    assert bounces.take(dsn(letter.message_id, **changes), LATER).startswith("Ignored")

    assert nothing_happened()


def test_words_about_a_delay_are_left_alone(letter):
    words = IN_WORDS.format(to=AMINA, message_id=letter.message_id)

    bounces.take(words.replace("550 No such", "451 4.3.0 Try").encode(), LATER)

    assert nothing_happened()


def test_nobody_shuts_an_address_out_without_its_letter(letter, post):
    other = post("other", to="bo@ports.example")
    Letter.objects.filter(pk=other.pk).update(state=State.SENT, sent_at=NOON)

    for raw in (
        dsn("<made-up@portal.example.org>"),
        dsn("<" + "0" * 32 + "@portal.example.org>"),
        dsn(other.message_id),
        dsn(letter.message_id, to="bo@ports.example"),
        dsn(letter.message_id.replace("portal.example.org", "elsewhere.example")),
        arf(other.message_id, named="").replace(AMINA.encode(), b"clara@secretariat.example"),
        IN_WORDS.format(to=AMINA, message_id=other.message_id).encode(),
    ):
        assert bounces.take(raw, LATER).startswith("Ignored")

    assert nothing_happened()


@pytest.mark.parametrize("kind", [State.QUEUED, State.SENDING])
def test_a_report_may_be_faster_than_the_servers_answer(letter, kind):
    waits = {"claim": letter.pk, "claimed_until": LATER} if kind == State.SENDING else {}
    Letter.objects.filter(pk=letter.pk).update(state=kind, sent_at=None, **waits)

    bounces.take(dsn(letter.message_id), LATER)

    letter.refresh_from_db()
    assert (letter.state, letter.claim) == (State.FAILED, None)


def test_a_code_that_came_back_stays_wiped(letter, settings):
    settings.DEMO = False
    Letter.objects.filter(pk=letter.pk).update(kind=Kind.SECRET, text="7F3K92")

    bounces.take(dsn(letter.message_id), LATER)

    letter.refresh_from_db()
    assert (letter.state, letter.text) == (State.FAILED, "")


def hostile() -> list[bytes]:
    luck = random.Random(5)
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(1300)
    )
    messages = b"Content-Type: message/rfc822\n\n" * 1900
    return [
        b"",
        b"\x00" * 1000,
        luck.randbytes(50_000),
        nested,
        messages,
        b"Subject: x\n\n" + b"a" * 900_000,
        b"Subject: " + b"=?utf-8?b?" * 5000,
        b"Content-Type: text/plain; charset=nothing\n\nThis is the Postfix program\n\xff\xfe",
        b"Content-Type: multipart/report; boundary=\n\n--\n",
        b"To: x\nContent-Type: multipart/report; boundary=b\n\n--b\n"
        b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a\x00@b.org\n"
        b"Action: failed\nStatus: 5.1.1\n\n--b--\n",
        b"Intended recipient: " + b"a " * 400_000,
        b"here is your list of failed recipients\n" + b"<" * 800_000,
    ]


@pytest.mark.parametrize("number", range(12))
def test_no_input_makes_it_fail(letter, number):
    raw = hostile()[number]
    for more in (b"", letter.message_id.encode()):
        assert bounces.take(raw + more, LATER).startswith("Ignored")

    assert nothing_happened()


def test_a_spoilt_report_does_not_make_it_fail(letter):
    luck, whole = random.Random(7), dsn(letter.message_id) + arf(letter.message_id)
    for _turn in range(150):
        spoilt = bytearray(whole)
        for _change in range(luck.randint(1, 40)):
            spoilt[luck.randrange(len(spoilt))] = luck.randrange(256)
        assert isinstance(bounces.take(bytes(spoilt), LATER), str)


def test_lines_without_an_end_do_not_take_minutes(letter):
    starts = b"here is your list of failed recipients\nYour message\n"
    began = time.process_time()

    bounces.take(b"Subject: x\n\n" + (starts + b"a@" * 40_000 + b"\n") * 12, LATER)

    assert time.process_time() - began < 20


def test_more_than_a_report_is_not_read(letter):
    raw = dsn(letter.message_id)

    assert bounces.take(raw + b"x" * bounces.MOST, LATER) == "Ignored: too long for a report."
    assert nothing_happened()


class Pipe:
    def __init__(self, raw: bytes) -> None:
        self.buffer = io.BytesIO(raw)


def taken(monkeypatch, raw: bytes) -> str:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdin", Pipe(raw))
    call_command("take_bounce", stdout=out)
    return out.getvalue()


def test_the_command_reads_a_pipe_to_its_end_and_says_one_line(letter, monkeypatch):
    assert taken(monkeypatch, dsn(letter.message_id)) == (
        f"{AMINA} cannot be reached: 550 5.1.1 User unknown\n"
    )
    assert taken(monkeypatch, b"\xff" * 3_000_000) == "Ignored: too long for a report.\n"
    assert sys.stdin.buffer.read() == b""
    assert taken(monkeypatch, b"").startswith("Ignored: ")


def test_without_a_database_the_mail_server_is_told_to_try_again(monkeypatch):
    def away(*_) -> None:
        raise OperationalError

    monkeypatch.setattr(bounces, "take", away)

    with pytest.raises(CommandError) as error:
        taken(monkeypatch, b"x")

    assert error.value.returncode == 75
