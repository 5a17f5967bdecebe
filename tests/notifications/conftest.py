import asyncio
import contextlib
import email
import email.policy
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from notifications import outbox
from notifications.models import Kind, Letter

NOON = datetime(2018, 2, 1, 12, tzinfo=UTC)


class Sink:
    """A real SMTP server that keeps letters and can be told to misbehave.

    `at_recipient` and `at_data` hold the answers to the next letters, one for each: "" takes it,
    "drop" breaks the line, "take and drop" breaks it before the answer is out, anything else is
    the answer itself. `at_sender` is the answer to every sender, `refused` those to some
    recipients, and `asked` counts all recipients. `slow` seconds pass before each answer to a
    letter. `offers` is what it says it can do.
    """

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.at_sender = ""
        self.refused: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.offers: list[str] = []
        self.at_recipient: list[str] = []
        self.at_data: list[str] = []
        self.slow = 0.0
        self.lines = 0
        self.has_letter = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def subjects(self) -> list[str]:
        return [str(letter["Subject"]) for letter in self.letters]

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        self.lines += 1
        session.host_name = name
        first, *others = answers
        return [first, *(f"250-{offer}" for offer in self.offers), *others]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        if self.at_sender:
            return self.at_sender
        envelope.mail_from = sender
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        self.asked[to] += 1
        answer = self.refused.get(to) or (self.at_recipient.pop(0) if self.at_recipient else "")
        if answer == "drop":
            server.transport.abort()
        if answer:
            return answer
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.has_letter.set()
        while not self.may_answer.is_set():
            await asyncio.sleep(0.01)
        await asyncio.sleep(self.slow)
        answer = self.at_data.pop(0) if self.at_data else ""
        if answer in ("", "take and drop"):
            self.raw.append(envelope.original_content)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
            self.letters.append(
                email.message_from_bytes(envelope.original_content, policy=email.policy.default)
            )
        if "drop" in answer:
            server.transport.abort()
        return answer or "250 Taken"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(sink: Sink, port: int) -> Iterator[None]:
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        sink.may_answer.set()
        controller.stop()


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    sink, port = Sink(), free_port()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.DEMO = False
    settings.BASE_URL = "https://portal.example.org"
    settings.EMAIL_FROM = "GCM Portal <portal@example.org>"
    with served(sink, port):
        sink.lines = 0
        yield sink


@pytest.fixture
def post():
    def post(key: str = "letter", **changes) -> Letter:
        letter = outbox.post(
            **{
                "key": key,
                "to": "amina@diaspora.example",
                "language": "en",
                "subject": key,
                "text": "Your delegation is registered.",
                "html": "",
                "kind": Kind.TRANSACTIONAL,
                "now": NOON,
                **changes,
            }
        )
        assert letter is not None
        return letter

    return post
