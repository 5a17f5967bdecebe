"""Letters are rows, written in the transaction of the change that they tell of."""

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction

from notifications import bell, models

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
HEADER_VALUE = re.compile(r"[\x20-\x7e]{1,900}")
OURS = {
    "auto-submitted", "bcc", "cc", "date", "from", "message-id", "mime-version", "reply-to",
    "return-path", "sender", "subject", "to",
}  # fmt: skip
FEW = 100
_basket: ContextVar[list[models.Letter] | None] = ContextVar("basket", default=None)
TABLE = models.Letter._meta.db_table
FIELDS = models.Letter._meta.concrete_fields
facts = attrgetter(*(field.attname for field in FIELDS))
AFTERWARDS = {
    "state", "attempts", "claim", "claimed_until", "sent_at", "ended_at", "last_error",
    "reported_at",
}  # fmt: skip
NOT_TRIED_YET = {
    field.attname: field.get_default() for field in FIELDS if field.attname in AFTERWARDS
}


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
        **NOT_TRIED_YET,
        id=uuid.uuid4(),
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
    basket = _basket.get()
    if basket is not None:
        basket += letters
        return len(letters)
    if not letters:
        return 0
    with transaction.atomic(savepoint=False):
        new = _insert(letters) if len(letters) <= FEW else _post_thousands(letters)
        if new:
            transaction.on_commit(bell.ring, robust=True)
    return new


@contextmanager
def gathered() -> Iterator[list[models.Letter]]:
    """What is posted inside is not posted yet, but gathered: whoever asks for it posts it."""
    basket: list[models.Letter] = []
    token = _basket.set(basket)
    try:
        yield basket
    finally:
        _basket.reset(token)


def post_held(letters: Iterable[models.Letter], *, until: datetime) -> int:
    """Post these, to leave no sooner than that; at once, what would no longer be true then. How
    many of the keys are new."""
    letters = list(letters)
    for letter in letters:
        if letter.expires_at is None or letter.expires_at > until:
            letter.not_before = letter.next_attempt_at = until
    return post_many(letters)


def _insert(letters: list[models.Letter]) -> int:
    columns, values = _columns(), [value for letter in letters for value in _values(letter)]
    row = f"({', '.join(['%s'] * (len(values) // len(letters)))})"
    rows = ", ".join([row] * len(letters))
    with connection.cursor() as cursor:
        new_ones = f"values {rows} on conflict do nothing"
        cursor.execute(f"insert into {TABLE} ({columns}) {new_ones}", values)
        new: int = cursor.rowcount
    return new


def _post_thousands(letters: list[models.Letter]) -> int:
    """Straight into the table, which is several times as fast; where a key is there already, by
    way of a table of their own."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                _copy(letters, TABLE, cursor)
                return len(letters)
        except IntegrityError:
            cursor.execute(
                f"create temporary table posted (like {TABLE} including storage) on commit drop"
            )
        _copy(letters, "posted", cursor)
        columns = _columns()
        new_ones = f"select {columns} from posted on conflict do nothing"  # noqa: S608
        cursor.execute(f"insert into {TABLE} ({columns}) {new_ones}")
        new: int = cursor.rowcount
        cursor.execute("drop table posted")
    return new


def _copy(letters: list[models.Letter], table: str, cursor: Any) -> None:
    kinds = [str(field.db_type(connection)).partition("(")[0] for field in FIELDS]
    copy = f"copy {table} ({_columns()}) from stdin (format binary)"
    with connection.wrap_database_errors, cursor.copy(copy) as rows:
        rows.set_types(kinds)
        for letter in letters:
            rows.write_row(facts(letter))


def _columns() -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in FIELDS)


def _values(letter: models.Letter) -> list[Any]:
    return [json.dumps(each) if isinstance(each, dict) else each for each in facts(letter)]


@lru_cache(maxsize=1000)
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
