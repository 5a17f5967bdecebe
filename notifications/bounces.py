"""Letters that come back, and complaints about them, as mail servers report them.

Anybody can write to the address where reports arrive. A report is believed when it carries the
Message-ID of a letter that went to the very address of which it speaks.
"""

import email
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from email.utils import parseaddr
from itertools import islice
from uuid import UUID

import flufl.bounce
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from notifications import models
from notifications.models import Letter, State, Suppression

MOST = 1_000_000
# What says why stands at the top. The detectors would take minutes for lines without an end.
TOP, LONGEST_LINE, MOST_PARTS = 64_000, 300, 50
LONG_LINE = re.compile(rb"([^\n]{%d})[^\n]+" % LONGEST_LINE)
OUR_ID = re.compile(rb"[0-9a-f]{32}@[a-z0-9.-]+", re.IGNORECASE)
PERMANENT = re.compile(r"\b5(\d\d[ -]|\.\d{1,3}\.\d).{0,300}")
TEMPORARY = re.compile(r"\b4(\d\d[ -]|\.\d{1,3}\.\d)")
COMPLAINTS = {"abuse", "fraud", "opt-out", "opt-out-list"}
SAID_AT_MOST = 500


def take(raw: bytes, now: datetime) -> str:
    """Believe a report or leave it, and say which in one line. No input makes it fail."""
    if len(raw) > MOST:
        return _("Ignored: too long for a report.")
    try:
        report = _Report(raw)
        addresses = {**report.bounced(), **report.complained()}
        ids = report.ids()
    except Exception as error:
        return _("Ignored: not readable (%(error)s).") % {"error": type(error).__name__}
    for address, (reason, said) in addresses.items():
        letters = list(_sent_with(ids, address))
        if letters:
            return _believe(letters, reason, said, now)
    return _("Ignored: it names no letter of ours that went to the address it speaks of.")


@transaction.atomic
def _believe(letters: list[UUID], reason: Suppression.Reason, said: str, now: datetime) -> str:
    held = list(Letter.objects.select_for_update().order_by("pk").filter(pk__in=letters))
    came_back = [letter.pk for letter in held if letter.state in (State.SENT, *models.PENDING)]
    Letter.objects.filter(pk__in=came_back).update(
        state=State.FAILED,
        ended_at=now,
        claim=None,
        claimed_until=None,
        last_error=said,
        **models.without_codes(),
    )
    to = held[0].to
    if Suppression.objects.add(to, reason=reason, said=said, now=now):
        return _("%(to)s cannot be reached: %(said)s") % {"to": to, "said": said}
    return _("%(to)s is known as an address that cannot be reached.") % {"to": to}


def _sent_with(ids: set[str], address: str) -> Iterator[UUID]:
    """The letters to this address that have one of these ids."""
    letters = Letter.objects.filter(Q(to__iexact=address) | Q(to__iexact=_as_typed(address)))
    for letter in letters.only("pk", "key").order_by() if ids else ():
        if letter.message_id.strip("<>").lower() in ids:
            yield letter.pk


def _as_typed(address: str) -> str:
    """With its domain as people write it: mail servers write xn--…"""
    name, _at, domain = address.rpartition("@")
    try:
        return f"{name}@{domain.encode().decode('idna')}"
    except UnicodeError:
        return address


class _Report:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.message = email.message_from_bytes(LONG_LINE.sub(rb"\1", raw[:TOP]))
        self.parts = list(islice(self.message.walk(), MOST_PARTS))

    def ids(self) -> set[str]:
        """Whatever could be the Message-ID of a letter of ours, wherever it stands."""
        texts = [part.get_payload(decode=True) for part in self.parts if not part.is_multipart()]
        found = [OUR_ID.findall(text) for text in (self.raw, *texts) if isinstance(text, bytes)]
        return {one.decode().lower() for some in found for one in some}

    def bounced(self) -> dict[str, tuple[Suppression.Reason, str]]:
        """The addresses that refuse our letters for good, each with what was said of it."""
        temporary, permanent = flufl.bounce.all_failures(self.message)
        blocks = {_address(block): block for block in self._blocks()}
        told = {}
        for address in permanent - temporary:
            name = address.decode("ascii", "replace").lower()
            block = blocks.get(name)
            said = self._said_in_words() if block is None else self._said_in(block)
            if said and _can_be_asked_for(name):
                told[name] = (Suppression.Reason.BOUNCE, said)
        return told

    def complained(self) -> dict[str, tuple[Suppression.Reason, str]]:
        """Of a feedback report (RFC 5965), whom the letter went to."""
        told = {}
        for part in self._of_type("message/feedback-report"):
            for report in _inside(part):
                sort = str(report.get("Feedback-Type", "")).strip().lower()
                if sort not in COMPLAINTS:
                    continue
                named = [*report.get_all("Original-Rcpt-To", []), *self._recipients()]
                for address in (_bare(str(one)) for one in named):
                    if _can_be_asked_for(address):
                        told[address] = (Suppression.Reason.COMPLAINT, sort)
        return told

    def _of_type(self, kind: str) -> Iterator[Message]:
        return (part for part in self.parts if part.get_content_type() == kind)

    def _blocks(self) -> Iterator[Message]:
        """What a status report (RFC 3464) says of each recipient."""
        for part in self._of_type("message/delivery-status"):
            yield from _inside(part)

    def _recipients(self) -> Iterator[str]:
        """Of the letter that a report brings along, whole or but its headers."""
        for part in self._of_type("message/rfc822"):
            for letter in _inside(part):
                yield str(letter.get("To", ""))
        for part in self._of_type("text/rfc822-headers"):
            headers = part.get_payload(decode=True)
            if isinstance(headers, bytes):
                yield str(email.message_from_bytes(headers).get("To", ""))

    def _said_in(self, block: Message) -> str:
        """Nothing where the server would try again, or gave up because it was told to."""
        status = str(block.get("Status", "")).strip()
        if status.startswith("4"):
            return ""
        said = str(block.get("Diagnostic-Code", "")).partition(";")[2] or status
        return _short(said) or _short(str(self.message.get("Subject", ""))) or "5.0.0"

    def _said_in_words(self) -> str:
        """Of a report that is written for people."""
        texts = [part.get_payload(decode=True) for part in self._of_type("text/plain")]
        words = texts[0].decode("utf-8", "replace") if texts and isinstance(texts[0], bytes) else ""
        if refusal := PERMANENT.search(words):
            return _short(refusal.group())
        if TEMPORARY.search(words):
            return ""
        return _short(str(self.message.get("Subject", ""))) or "5.0.0"


def _inside(part: Message) -> list[Message]:
    inside = part.get_payload()
    return [one for one in inside if isinstance(one, Message)] if isinstance(inside, list) else []


def _address(block: Message) -> str:
    named = block.get("Original-Recipient") or block.get("Final-Recipient") or ""
    return _bare(str(named).rpartition(";")[2])


def _bare(address: str) -> str:
    return parseaddr(address)[1].strip().lower()


def _can_be_asked_for(address: str) -> bool:
    return "@" in address and address.isprintable()


def _short(said: str) -> str:
    return " ".join(said.replace("\x00", "").split())[:SAID_AT_MOST]
