"""A letter as a mail program reads it."""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.core.validators import validate_email

from notifications import mime
from notifications.models import Letter
from tests.hostile import forms

HEAD = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
WITH_ANSWERS = ["From", "To", "Reply-To", *HEAD[2:]]
STOPS = ["List-Unsubscribe", "List-Unsubscribe-Post"]
OWN = [[], STOPS, ["List-Id", *STOPS]]
TAIL = ["Content-Language", "MIME-Version", "Content-Type"]
LONGEST_LINE = 998


def wrong_with(letters: Iterable[Letter]) -> Iterator[str]:
    for letter in letters:
        yield from (f"letter {letter.key}: {what}" for what in wrong_with_one(letter))


def wrong_with_one(letter: Letter) -> Iterator[str]:
    validate_email(letter.to)
    raw = mime.message(letter)
    message = message_from_bytes(raw, policy=policy.SMTP)
    yield from (f"line {line[:50]!r}" for line in raw.split(b"\r\n") if is_no_line(line))
    yield from head_of(message, letter)
    yield from parts_of(message, letter)
    yield from (f"alive {what}" for what in forms.Page("", letter.html).alive if what != "style")


def is_no_line(line: bytes) -> bool:
    return len(line) > LONGEST_LINE or re.search(rb"[\r\n\0]", line) is not None


def head_of(message: EmailMessage, letter: Letter) -> Iterator[str]:
    head = WITH_ANSWERS if letter.reply_to else HEAD
    tail = TAIL if letter.html else [*TAIL, "Content-Transfer-Encoding"]
    if message.keys() not in [[*head, *own, *tail] for own in OWN] or message.defects:
        yield f"head {message.keys()}"
    if [each.addr_spec for each in message["To"].addresses] != [mime.ascii_address(letter.to)]:
        yield f"to {message['To']}"
    if plain(message["Subject"]) != plain(letter.subject):
        yield f"subject {message['Subject']!r}"


def parts_of(message: EmailMessage, letter: Letter) -> Iterator[str]:
    """Its words, and the same as a page; nothing else."""
    words = {"text/plain": letter.text, "text/html": letter.html}
    parts = [part for part in message.walk() if not part.is_multipart()]
    if [part.get_content_type() for part in parts] != [kind for kind in words if words[kind]]:
        yield f"parts {[part.get_content_type() for part in parts]}"
    for part in parts:
        if part.defects or plain(part.get_content()) != plain(words[part.get_content_type()]):
            yield f"part {part.get_content_type()}"


def plain(text: str) -> str:
    """Without what breaks lines and what they end in."""
    return re.sub(r"\s+", " ", text).strip()
