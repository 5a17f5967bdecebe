"""The line to the mail server (RFC 5321): one letter after the other, every answer looked at."""

import re
import smtplib
import ssl
import time
from contextlib import suppress
from email.utils import parseaddr
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from django.conf import settings

from notifications import mime
from notifications.models import Letter

SMTP_TIMEOUT = 20.0
LETTER_LASTS = 40.0
MAIL, RCPT, DATA, CONTENT = "MAIL", "RCPT", "DATA", "CONTENT"
TAKEN = {250, 251}
OK, GO_ON, CLOSING = 250, 354, 421
NOT_IN_COMMANDS = re.compile(r"[<>]")
# What servers say of a mailbox that is not there. 5.1.7 and 5.1.8 speak of the sender.
NO_MAILBOX = re.compile(r"^5\d\d 5\.1\.(1|2|3|6|10)\b")
HAS_CODE = re.compile(r"^5\d\d 5\.\d{1,3}\.\d{1,3}\b")
NO_MAILBOX_IN_WORDS = re.compile(
    r"^5(50|51|53) .*\b("
    r"(no such|unknown|invalid) (\w+ )?(user|mailbox|recipient|address|account|person)"
    r"|(user|mailbox|recipient|address|account|person)\b.{0,80}"
    r"\b(unknown|not found|not exist|doesn'?t exist|not known|does not have an account)"
    r")\b",
    re.IGNORECASE,
)


class Later(Exception):
    """The server says: not this letter now."""


class Never(Exception):
    """The server refuses this letter for good."""


class NoSuchMailbox(Never):
    """The server refuses whatever goes to this address."""


class Broken(Exception):
    """The line broke with this letter on it."""


class Away(Exception):
    """There is no line to the server: no letter's fault."""


class Mailbox:
    """Demo without a mail server: letters are kept for the mailbox page."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def open(self) -> bool:
        return False

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


class Line:
    """One connection to the mail server of an EMAIL_URL, opened again where it broke."""

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        sender = settings.EMAIL_BOUNCES or parseaddr(settings.EMAIL_FROM)[1]
        self.sender = mime.ascii_address(sender)
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

    def open(self) -> bool:
        """True when it was not open before."""
        if self.server is not None:
            return False
        try:
            self.server = self._connect()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Away(_said(error)) from error
        return True

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
        """Hand it over: it is taken, or Later, Never, Broken or Away says why not."""
        assert self.server is not None
        try:
            content = mime.message(letter)
            to = _in_commands(letter.to)
        except Exception as error:
            raise Never(f"This can not be made into an e-mail: {_said(error)}") from error
        if not to.isascii() and not self.server.has_extn("smtputf8"):
            raise Never("The mail server does not take addresses in this script.")
        self.server.start_letter()
        try:
            self._ask(to)
            self.server.send(_with_end(content))
            _check(CONTENT, *self.server.getreply())
        except _Refused as refused:
            self._go_on_after(refused)
            raise refused.meaning() from refused
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise Broken(_said(error)) from error

    def _ask(self, to: str) -> None:
        """Whether the server takes our sender, this recipient, a letter: in one go where it offers
        that (RFC 2920), else one by one. After a no, no word of the letter leaves."""
        assert self.server is not None
        steps = {
            MAIL: f"MAIL FROM:<{self.sender}>{'' if to.isascii() else ' SMTPUTF8'}\r\n".encode(),
            RCPT: f"RCPT TO:<{to}>\r\n".encode(),
            DATA: b"DATA\r\n",
        }
        in_one_go = self.server.has_extn("pipelining")
        if in_one_go:
            self.server.send(b"".join(steps.values()))
        for step, words in steps.items():
            if not in_one_go:
                self.server.send(words)
            try:
                _check(step, *self.server.getreply())
            except _Refused:
                if in_one_go:
                    self._hear_out(list(steps)[list(steps).index(step) + 1 :])
                raise

    def _hear_out(self, steps: list[str]) -> None:
        """Answers to what was asked together with what was refused. A server that goes on all the
        same waits for a letter that it does not get."""
        assert self.server is not None
        try:
            answers = [self.server.getreply()[0] for _step in steps]
        except (OSError, smtplib.SMTPException):
            self._hang_up()
        else:
            if GO_ON in answers:
                self._hang_up()

    def _go_on_after(self, refused: "_Refused") -> None:
        if self.server is None:
            return
        try:
            if refused.is_final or self.server.rset()[0] != OK:
                self._hang_up()
        except (OSError, smtplib.SMTPException):
            self._hang_up()


class _Refused(Exception):
    """A no of the server, and at which step of handing a letter over it came."""

    def __init__(self, step: str, code: int, answer: bytes) -> None:
        self.step, self.code, self.said = step, code, f"{code} {_decoded(answer)}"
        super().__init__(self.said)

    @property
    def is_final(self) -> bool:
        """It speaks no more on this line, or to us at all."""
        return self.code == CLOSING or (self.step == MAIL and self.code >= 500)

    def meaning(self) -> Exception:
        """A sender that the server refuses is the settings' fault, and the same in all letters."""
        if self.code < 500:
            return Later(self.said)
        if self.step == MAIL:
            return Away(f"The server does not take letters from us: {self.said}")
        if self.step == RCPT and says_no_mailbox(self.said):
            return NoSuchMailbox(self.said)
        return Never(self.said)


def says_no_mailbox(said: str) -> bool:
    """Whether a refusal means that there is nobody at that address."""
    if HAS_CODE.match(said):
        return bool(NO_MAILBOX.match(said))
    return bool(NO_MAILBOX_IN_WORDS.match(said))


def _check(step: str, code: int, answer: bytes) -> None:
    if code in ({GO_ON} if step == DATA else TAKEN):
        return
    if 400 <= code < 600:
        raise _Refused(step, code, answer)
    raise smtplib.SMTPServerDisconnected(f"Not an answer: {code} {_decoded(answer)}")


def _in_commands(address: str) -> str:
    if NOT_IN_COMMANDS.search(address) or not address.isprintable():
        raise ValueError(f"Not an address: {address!r}")
    return mime.ascii_address(address)


def _with_end(content: bytes) -> bytes:
    """Dots at the beginning of lines doubled, and a line of its own with the last one."""
    return content.replace(b"\n.", b"\n..") + b".\r\n"


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error) or type(error).__name__


def _decoded(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.replace("\x00", "").split())
