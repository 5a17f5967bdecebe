"""Who reads a letter, what sort of letter it is, and how many are written at once."""

import itertools
import re
import secrets
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from html import escape
from typing import Any, Self
from urllib.parse import quote

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.models import Kind

NEUTRAL = {
    Kind.TRANSACTIONAL: _("News about your registration"),
    Kind.REMINDER: _("A date to remember"),
    Kind.ANNOUNCEMENT: _("News for you"),
}
OF_ACCOUNT = _("News about your account")
OF_GROUP = _("News about your group")
OF_WORK = _("News about your work")
OF_WISH = _("Please confirm your wish")
"""Neutral subjects of letters that are about something else than a registration."""

SAMPLE = "AA-0000-0000"
PLAIN = re.compile(r"[\w.:~-]+", re.ASCII)
SAFE_IN_PATHS = "!$&'()*+,;=/~:@"


@dataclass(frozen=True)
class Reader:
    """Somebody to whom a letter goes, with or without an account."""

    email: str
    language: str
    zone: str = "UTC"
    is_discreet: bool = False
    """Subjects of letters say nothing of what they are about."""

    @classmethod
    def of(cls, person: Any) -> Self:
        """Whoever has an address, a language and a zone: a user, a follower, an invitation."""
        is_discreet = getattr(person, "neutral_subjects", False)
        return cls(person.email, person.language, person.zone, is_discreet)

    @cached_property
    def id(self) -> uuid.UUID:
        """The same for one address however it is written: the end of a letter's key."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{self.email.lower()}")


@dataclass(frozen=True)
class Sort:
    """One of the letters that the portal can send, as docs/letters.md lists them."""

    name: str
    kind: Kind
    to: str
    until: str
    neutral: str | Promise = ""

    def neutral_subject(self) -> str:
        """In the language that is spoken now; it says nothing that others should not read."""
        return str(self.neutral or NEUTRAL[self.kind])


@dataclass(frozen=True)
class Words:
    """What a letter says: one line of subject, and the same facts as text and as HTML."""

    subject: str
    text: str
    html: str


def render(name: str, context: dict[str, Any]) -> Words:
    """The words of the templates of this name, in the language that is active."""
    return Words(
        _one_line(render_to_string(f"letters/{name}.subject.txt", context)),
        render_to_string(f"letters/{name}.txt", context),
        render_to_string(f"letters/{name}.html", context),
    )


def path(view: str, language: str, value: str) -> str:
    """What reverse() says in that language for a page with one value, at a tenth of its price."""
    safe = value if PLAIN.fullmatch(value) else quote(value, safe=SAFE_IN_PATHS)
    return _pattern(view, language).replace(SAMPLE, safe)


@lru_cache(maxsize=256)
def _pattern(view: str, language: str) -> str:
    with translation.override(language):
        return reverse(view, args=[SAMPLE])


Own = dict[str, Any]
"""What is one reader's own: texts, and lists of such."""


class Stencil:
    """The words of letters that differ only in what is each reader's own, written once.

    `write` makes words of such values. Here it is given gaps: a number between private-use
    characters and a secret, which stand in nobody's name and which HTML does not escape.
    """

    def __init__(self, write: Callable[[Own], Words], own: Own) -> None:
        secret, numbers = secrets.token_hex(16), itertools.count()
        gap = re.compile(f"\ue000{secret}:(\\d+)\ue001")
        words = write(_swapped(own, lambda text: text and f"\ue000{secret}:{next(numbers)}\ue001"))
        self.subject = _Form(words.subject, gap)
        self.text = _Form(words.text, gap)
        self.html = _Form(words.html, gap)

    def fill(self, own: Own) -> Words:
        """What `write` would say of these values."""
        texts, _shape = flat(own)
        return self.filled(texts)

    def filled(self, texts: list[str]) -> Words:
        return Words(
            _one_line(self.subject.fill(texts)),
            self.text.fill(texts),
            self.html.fill([escape(text) for text in texts]),
        )


class _Form:
    """Words with numbered gaps."""

    def __init__(self, words: str, gap: re.Pattern[str]) -> None:
        pieces = gap.split(words)
        self.words = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
        self.gaps = [int(number) for number in pieces[1::2]]

    def fill(self, texts: list[str]) -> str:
        return self.words % tuple([texts[gap] for gap in self.gaps])


@dataclass
class Stencils:
    """Cuts a stencil when letters of a look are needed for the first time."""

    cut: dict[Hashable, Stencil] = field(default_factory=dict)

    def words(self, look: Hashable, write: Callable[[Own], Words], own: Own) -> Words:
        """What `write` says of these values; `look` names everything else that it looks at."""
        texts, shape = flat(own)
        stencil = self.cut.get((look, shape))
        if stencil is None:
            stencil = self.cut[look, shape] = Stencil(write, own)
        return stencil.filled(texts)


def flat(own: Own) -> tuple[list[str], tuple[int, ...]]:
    """Every text in there that says something, in order; and how many there are where, and which
    of them say something."""
    texts: list[str] = []
    shape: list[int] = []
    _flatten(own, texts, shape)
    return texts, tuple(shape)


def _flatten(own: Any, texts: list[str], shape: list[int]) -> None:
    for value in own.values() if isinstance(own, dict) else own:
        if not isinstance(value, str):
            shape.append(~len(value))
            _flatten(value, texts, shape)
        elif value:
            shape.append(1)
            texts.append(value)
        else:
            shape.append(0)


def _swapped(own: Any, change: Callable[[str], str]) -> Any:
    if isinstance(own, str):
        return change(own)
    if isinstance(own, dict):
        return {name: _swapped(value, change) for name, value in own.items()}
    return [_swapped(value, change) for value in own]


def _one_line(subject: str) -> str:
    return " ".join(subject.split())
