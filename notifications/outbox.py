"""Letters are rows, written in the transaction of the change that they tell of."""

import re
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from notifications import bell, models

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
HEADER_VALUE = re.compile(r"[\x20-\x7e]{1,900}")
OURS = {
    "auto-submitted", "bcc", "cc", "date", "from", "message-id", "mime-version", "reply-to",
    "return-path", "sender", "subject", "to",
}  # fmt: skip
ROWS_AT_ONCE = 1000


def write(
    *,
    key: str,
    to: str,
    language: str,
    subject: str,
    text: str,
    html: str,
    kind: models.Kind,
    now: datetime,
    scope: uuid.UUID | None = None,
    about: uuid.UUID | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    headers: dict[str, str] | None = None,
    reply_to: str = "",
) -> models.Letter:
    """A letter that is not posted yet; ValueError where an address or a header is not one."""
    return models.Letter(
        key=key,
        to=_address(to),
        reply_to=_address(reply_to) if reply_to else "",
        language=language,
        subject=_one_line(subject),
        text=text.replace("\x00", ""),
        html=html.replace("\x00", ""),
        headers=_headers(headers or {}),
        kind=kind,
        scope=scope,
        about=about,
        posted_at=now,
        not_before=not_before,
        next_attempt_at=max(now, not_before or now),
        expires_at=expires_at,
    )


def post(
    *,
    key: str,
    to: str,
    language: str,
    subject: str,
    text: str,
    html: str,
    kind: models.Kind,
    now: datetime,
    scope: uuid.UUID | None = None,
    about: uuid.UUID | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    headers: dict[str, str] | None = None,
    reply_to: str = "",
) -> models.Letter | None:
    """Post a letter; None when that key was posted before: nothing is written twice."""
    letter = write(
        key=key,
        to=to,
        language=language,
        subject=subject,
        text=text,
        html=html,
        kind=kind,
        now=now,
        scope=scope,
        about=about,
        not_before=not_before,
        expires_at=expires_at,
        headers=headers,
        reply_to=reply_to,
    )
    return letter if post_many([letter]) else None


def post_many(letters: Iterable[models.Letter]) -> int:
    """Post what `write` wrote; how many of the keys are new."""
    letters = list(letters)
    new = 0
    with transaction.atomic():
        for start in range(0, len(letters), ROWS_AT_ONCE):
            rows = letters[start : start + ROWS_AT_ONCE]
            models.Letter.objects.bulk_create(rows, ignore_conflicts=True)
            new += models.Letter.objects.filter(pk__in=[row.pk for row in rows]).count()
        if new:
            transaction.on_commit(bell.ring, robust=True)
    return new


def _address(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValueError(f"Not an e-mail address: {address!r}") from error
    return address


def _one_line(subject: str) -> str:
    """Without line breaks, and without a beginning that mail programs would decode into one."""
    return CONTROL.sub(" ", subject).replace("=?", "= ?").strip()


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        ours = name.lower() in OURS or name.lower().startswith("content-")
        if ours or not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise ValueError(f"Not a header that a letter may carry: {name!r}: {value!r}")
    return headers
