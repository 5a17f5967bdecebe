"""Letters leave the house: claimed, checked once more, sent one by one, each answer kept."""

import logging
import smtplib
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

import clock
from notifications import models
from notifications.models import Kind, Letter, State

logger = logging.getLogger(__name__)

BATCH = 25
BATCH_LASTS = 5.0
RUN_LASTS = 30.0
CLAIM_LASTS = timedelta(seconds=45)
SMTP_TIMEOUT = 20.0
LETTER_LASTS = 40.0
BROKEN_IN_A_ROW = 3
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
SERVER_WAIT = timedelta(minutes=1)
GIVE_UP_AFTER = timedelta(days=3)
TAKEN = (250, 251)
OK, CLOSING = 250, 421
LONGEST_LINE = 990


class Later(Exception):
    """The server says: not this letter now."""


class Never(Exception):
    """The server refuses this letter for good."""


class Broken(Exception):
    """The line broke with this letter on it."""


class Away(Exception):
    """There is no line to the server: no letter's fault."""


def deliver(now: datetime | None = None) -> int:
    """Send what is due, the most urgent first; how many letters left the house.

    Answers are kept one by one, so this is not for the inside of a transaction. The moment is
    `now` or the clock's, and runs on from there.
    """
    tell = _running_from(now or clock.now())
    _tidy(tell())
    if not settings.EMAIL_URL and not settings.DEMO:
        return 0
    end = time.monotonic() + RUN_LASTS
    sent = 0
    with _Line(settings.EMAIL_URL) if settings.EMAIL_URL else _Mailbox() as line:
        while time.monotonic() < end:
            claim = uuid.uuid4()
            letters = _claim(claim, tell())
            if not letters:
                break
            try:
                for _ in _send_batch(letters, claim, line, tell):
                    sent += 1
            except Away as error:
                _wait_for_server(claim, str(error), tell())
                logger.warning("The mail server is away; letters wait: %s", error)
                break
            finally:
                _release(claim)
    return sent


def _running_from(start: datetime) -> Callable[[], datetime]:
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def _tidy(now: datetime) -> None:
    """Expire what is no longer true, wipe dead codes, take back the claims of dead workers."""
    lapsed = Letter.objects.filter(state=State.SENDING, claimed_until__lte=now)
    _update(lapsed, state=State.QUEUED, claim=None, claimed_until=None)
    _update(Letter.objects.untrue(now), state=State.EXPIRED, ended_at=now)
    dead = Letter.objects.filter(kind=Kind.SECRET, expires_at__lte=now).exclude(text="")
    _update(dead.exclude(state=State.SENDING), text="", html="")


def _update(letters: models.LetterQuerySet, **changes: Any) -> None:
    """Change many rows without waiting for one that somebody else holds."""
    with transaction.atomic():
        held = list(letters.select_for_update(skip_locked=True).values_list("pk", flat=True))
        if held:
            Letter.objects.filter(pk__in=held).update(**changes)


def _claim(claim: uuid.UUID, now: datetime) -> list[Letter]:
    with transaction.atomic():
        due = Letter.objects.due(now).order_by("kind", "posted_at")
        letters = list(due.select_for_update(skip_locked=True)[:BATCH])
        Letter.objects.filter(pk__in=[letter.pk for letter in letters]).update(
            state=State.SENDING, claim=claim, claimed_until=now + CLAIM_LASTS
        )
    return letters


def _release(claim: uuid.UUID) -> None:
    _update(
        Letter.objects.filter(claim=claim, state=State.SENDING),
        state=State.QUEUED,
        claim=None,
        claimed_until=None,
    )


def _send_batch(
    letters: list[Letter],
    claim: uuid.UUID,
    line: "_Line | _Mailbox",
    tell: Callable[[], datetime],
) -> Iterator[Letter]:
    """Those that left, in order. When a batch gets long, the rest goes back behind urgent ones."""
    end = time.monotonic() + BATCH_LASTS
    broken = 0
    for letter in letters:
        line.open()
        if not _take(letter, claim, tell()):
            continue
        try:
            line.send(letter)
        except Never as error:
            _end_failed(letter, claim, str(error), tell())
        except Later as error:
            _put_back(letter, claim, str(error), tell())
        except Broken as error:
            _put_back(letter, claim, str(error), tell())
            broken += 1
            if broken == BROKEN_IN_A_ROW:
                raise Away(str(error)) from error
            continue
        else:
            _keep_sent(letter, claim, tell())
            yield letter
        broken = 0
        if time.monotonic() > end:
            break


TAKE = """
    update notifications_letter set claimed_until = %s, attempts = attempts + 1
    where id = %s and state = 'sending' and claim = %s and (expires_at is null or expires_at > %s)
"""
KEEP_SENT = """
    update notifications_letter
    set state = 'sent', sent_at = %s, ended_at = null, claim = null, claimed_until = null,
        last_error = '', text = case when %s then '' else text end,
        html = case when %s then '' else html end
    where id = %s and (claim = %s or state = 'cancelled')
"""


def _take(letter: Letter, claim: uuid.UUID, now: datetime) -> bool:
    """Renew the claim; False when the letter was cancelled, has expired or is another worker's."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [now + CLAIM_LASTS, letter.pk, claim, now])
        return bool(cursor.rowcount)


def _keep_sent(letter: Letter, claim: uuid.UUID, now: datetime) -> None:
    """What the server took is sent, even when somebody cancelled it in that very moment."""
    wipes = letter.is_secret and not settings.DEMO
    with connection.cursor() as cursor:
        cursor.execute(KEEP_SENT, [now, wipes, wipes, letter.pk, claim])


def _end_failed(letter: Letter, claim: uuid.UUID, error: str, now: datetime) -> None:
    logger.warning("Letter %s failed for good: %s", letter.pk, error)
    Letter.objects.filter(pk=letter.pk, claim=claim).update(
        state=State.FAILED,
        ended_at=now,
        claim=None,
        claimed_until=None,
        last_error=error,
        **models.without_codes(),
    )


def _put_back(letter: Letter, claim: uuid.UUID, error: str, now: datetime) -> None:
    if _waited_too_long(letter, now):
        _end_failed(letter, claim, error, now)
        return
    wait = WAITS[min(letter.attempts, len(WAITS) - 1)]
    Letter.objects.filter(pk=letter.pk, claim=claim).update(
        state=State.QUEUED,
        next_attempt_at=now + wait,
        claim=None,
        claimed_until=None,
        last_error=error,
    )


def _waited_too_long(letter: Letter, now: datetime) -> bool:
    return now - max(letter.posted_at, letter.not_before or letter.posted_at) > GIVE_UP_AFTER


def _wait_for_server(claim: uuid.UUID, error: str, now: datetime) -> None:
    """However long the server is away, that is one attempt: the letters are not to blame."""
    held = Letter.objects.filter(claim=claim, state=State.SENDING)
    for letter in held:
        if _waited_too_long(letter, now):
            _end_failed(letter, claim, error, now)
    _update(
        held,
        state=State.QUEUED,
        attempts=Greatest(F("attempts"), Value(1)),
        next_attempt_at=now + SERVER_WAIT,
        claim=None,
        claimed_until=None,
        last_error=error,
    )


class _Mailbox:
    """Demo without a mail server: letters are kept for the mailbox page."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def open(self) -> None:
        pass

    def send(self, letter: Letter) -> None:
        pass


class _Server(smtplib.SMTP):
    """An SMTP connection on which no letter, however many steps it takes, outlasts its claim."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.must_end = time.monotonic() + LETTER_LASTS
        super().__init__(*args, **kwargs)

    def start_letter(self) -> None:
        self.must_end = time.monotonic() + LETTER_LASTS

    def _hurry(self) -> None:
        left = self.must_end - time.monotonic()
        if left <= 0:
            self.close()
            raise smtplib.SMTPServerDisconnected("The mail server is too slow.")
        if self.sock is not None:
            self.sock.settimeout(min(SMTP_TIMEOUT, left))

    def send(self, s: Any) -> None:
        self._hurry()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._hurry()
        return super().getreply()


class _TlsServer(_Server, smtplib.SMTP_SSL):
    pass


class _Line:
    """One connection to the mail server of an EMAIL_URL, opened again where it broke."""

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self.sender = parseaddr(settings.EMAIL_FROM)[1]
        self.server: _Server | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.server is not None and kind is None:
            with suppress(OSError, smtplib.SMTPException):
                self.server.quit()
        self._hang_up()

    def open(self) -> None:
        if self.server is not None:
            return
        try:
            self.server = self._connect()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Away(_said(error)) from error

    def _connect(self) -> _Server:
        host, tls = self.url.hostname or "", ssl.create_default_context()
        name = urlsplit(settings.BASE_URL).hostname
        if self.url.scheme == "smtps":
            server: _Server = _TlsServer(
                host, self.url.port or 465, name, timeout=SMTP_TIMEOUT, context=tls
            )
        else:
            port = self.url.port or (587 if self.url.scheme == "smtp+tls" else 25)
            server = _Server(host, port, name, timeout=SMTP_TIMEOUT)
        try:
            if self.url.scheme == "smtp+tls":
                server.starttls(context=tls)
            server.ehlo_or_helo_if_needed()
            if self.url.username:
                server.login(unquote(self.url.username), unquote(self.url.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    def _hang_up(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    def send(self, letter: Letter) -> None:
        assert self.server is not None
        try:
            content = mime(letter)
            to = _ascii(letter.to)
        except Exception as error:
            raise Never(f"This can not be made into an e-mail: {_said(error)}") from error
        self.server.start_letter()
        try:
            self._begin()
            _expect(*self.server.rcpt(to))
            _expect(*self.server.data(content))
        except smtplib.SMTPResponseException as error:
            self._go_on_after(error)
            refusal = Never if error.smtp_code >= 500 else Later
            raise refusal(_said(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise Broken(_said(error)) from error

    def _begin(self) -> None:
        """A sender that the server refuses is the settings' fault, and the same in all letters."""
        assert self.server is not None
        code, answer = self.server.mail(self.sender)
        if code >= 500:
            self._hang_up()
            raise Away(f"The server does not take letters from us: {code} {_decoded(answer)}")
        _expect(code, answer)

    def _go_on_after(self, error: smtplib.SMTPResponseException) -> None:
        assert self.server is not None
        try:
            if error.smtp_code == CLOSING or self.server.rset()[0] != OK:
                self._hang_up()
        except (OSError, smtplib.SMTPException):
            self._hang_up()


def _expect(code: int, answer: bytes) -> None:
    if code in TAKEN:
        return
    if 400 <= code < 600:
        raise smtplib.SMTPResponseException(code, answer)
    raise smtplib.SMTPServerDisconnected(f"Not an answer: {code} {_decoded(answer)}")


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error) or type(error).__name__


def _decoded(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.replace("\x00", "").split())


def _ascii(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name}@{domain.encode('idna').decode()}"


class _Policy(EmailPolicy):
    """Writes plain ASCII headers as they are.

    Python would encode links that are longer than a line, decode what looks encoded, and take half
    of the time of a letter for it.
    """

    def header_store_parse(self, name: str, value: str) -> tuple[str, Any]:
        if name in PARSED:
            return _parsed(name, value)
        if _is_plain(f"{name}: {value}"):
            return name, value
        return super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        line = f"{name}: {value}"
        return line.encode() + b"\r\n" if _is_plain(line) else super().fold_binary(name, value)


def _is_plain(line: str) -> bool:
    return len(line) <= LONGEST_LINE and line.isascii() and line.isprintable()


@lru_cache(maxsize=64)
def _parsed(name: str, value: str) -> tuple[str, Any]:
    return SMTP.header_store_parse(name, value)


PARSED = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")
POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def mime(letter: Letter) -> bytes:
    message = EmailMessage(POLICY)
    message["From"] = settings.EMAIL_FROM
    message["To"] = _ascii(letter.to)
    if letter.reply_to:
        message["Reply-To"] = _ascii(letter.reply_to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.posted_at)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    for name, value in letter.headers.items():
        message[name] = value
    message.set_content(letter.text)
    if letter.html:
        message.make_alternative(boundary=f"=_{uuid.uuid4().hex}")
        message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = letter.language
    return message.as_bytes()
