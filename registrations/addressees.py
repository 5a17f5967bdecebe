"""Who reads a letter that an organiser writes to people of the attendee list.

One letter for each address; for each address and delegation, where the letter speaks of that. The
number of queries is the same for ten people and for ten thousand.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Lower

from accounts.models import User
from notifications import preferences
from notifications.models import Kind, Suppression
from notifications.writing import Reader
from registrations import placeholders
from registrations.models import DelegateQuerySet, Message
from stakeholders.models import Membership

FACTS = (
    "registration_id",
    "registration__reference",
    "registration__organisation_id",
    "registration__organisation__name",
    "representative__given_names",
    "representative__family_name",
    "representative__email",
)


@dataclass
class Addressee:
    """One letter: who reads it, and of what it may speak."""

    reader: Reader
    names: list[str] = field(default_factory=list)
    organisations: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    reference: str = ""
    registration: UUID | None = None
    """The one delegation that it speaks of."""

    @property
    def key(self) -> str:
        """The end of the key of the letter, which is posted once."""
        about = f"{self.registration}:" if self.registration else ""
        return f"{about}{self.reader.id}"


class Chosen(NamedTuple):
    """Somebody whom the filters let through."""

    registration: UUID
    reference: str
    group: UUID
    organisation: str
    given_names: str
    family_name: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.given_names} {self.family_name}".strip()


class Point(NamedTuple):
    group: UUID
    email: str
    name: str
    language: str
    zone: str
    neutral_subjects: bool


@dataclass
class Addressed:
    """All letters of a message, and who gets none."""

    letters: list[Addressee]
    people: int = 0
    silent: list[str] = field(default_factory=list)
    """Groups without a focal point; or people without an address."""

    def at(self, addresses: set[str]) -> int:
        """How many of the letters go to one of these, in lower case."""
        return sum(one.reader.email.lower() in addresses for one in self.letters)


def of(message: Message, people: DelegateQuerySet) -> Addressed:
    """Two queries; three where the letter goes to the people themselves. An entry that was taken
    into another one of the same person is not written to."""
    people = people.filter(representative__merged_into=None)
    order = ("registration__organisation__name", "registration_id", "position", "id")
    chosen = [Chosen(*row) for row in people.order_by(*order).values_list(*FACTS)]
    points = _points(people)
    if message.to == Message.To.POINTS:
        found, silent = _to_points(chosen, points)
    else:
        found, silent = _to_people(chosen, points)
    apart = placeholders.is_about_a_delegation(message.wording)
    return Addressed(_gathered(found, apart), len(chosen), list(dict.fromkeys(silent)))


def unreachable(addressed: Addressed) -> int:
    """How many go to addresses from which letters come back."""
    found = Suppression.objects.values_list("email", flat=True)
    return addressed.at({email.lower() for email in found})


def unwelcome(message: Message, addressed: Addressed) -> int:
    """How many go to those who want no news of the event."""
    return addressed.at(preferences.unwanted(message.event_id, Kind.ANNOUNCEMENT))


Found = Iterable[tuple[Chosen, Reader, str]]
"""Whom it is about, who reads it, and what that reader is called."""


def _points(people: DelegateQuerySet) -> dict[UUID, list[Point]]:
    """The focal points of each organisation."""
    groups = people.order_by().values("registration__organisation")
    rows = Membership.objects.of_focal_points().filter(organisation__in=groups)
    points: dict[UUID, list[Point]] = {}
    for row in rows.order_by("user__email").values_list(
        "organisation_id",
        "user__email",
        "user__name",
        "user__language",
        "user__zone",
        "user__neutral_subjects",
    ):
        points.setdefault(row[0], []).append(Point(*row))
    return points


def _to_points(chosen: list[Chosen], points: dict[UUID, list[Point]]) -> tuple[Found, list[str]]:
    found = [
        (one, Reader.of(point), point.name or one.organisation)
        for one in chosen
        for point in points.get(one.group, [])
    ]
    return found, [one.organisation for one in chosen if one.group not in points]


def _to_people(chosen: list[Chosen], points: dict[UUID, list[Point]]) -> tuple[Found, list[str]]:
    """Whoever has no account reads as the first focal point of the group does."""
    addresses = {one.email.lower() for one in chosen if one.email}
    accounts = User.objects.alias(folded=Lower("email")).filter(
        folded__in=addresses, is_active=True
    )
    known: dict[str, Any] = {user.email.lower(): user for user in accounts}
    found = [
        (one, _reader(one.email, known.get(one.email.lower()), points.get(one.group, [])), one.name)
        for one in chosen
        if one.email
    ]
    return found, [one.name for one in chosen if not one.email]


def _reader(email: str, account: User | None, points: list[Point]) -> Reader:
    likes: list[Any] = [account] if account else []
    likes += points[:1]
    language, zone = (
        (likes[0].language, likes[0].zone) if likes else (settings.LANGUAGE_CODE, "UTC")
    )
    return Reader(email, language, zone, any(like.neutral_subjects for like in likes))


def _gathered(found: Found, apart: bool) -> list[Addressee]:
    """One for each address; `apart`: for each address and delegation."""
    letters: dict[tuple[str, UUID | None], Addressee] = {}
    for one, reader, name in found:
        about = one.registration if apart else None
        letter = letters.setdefault(
            (reader.email.lower(), about),
            Addressee(reader, reference=one.reference if apart else "", registration=about),
        )
        _add(letter.names, name)
        _add(letter.organisations, one.organisation)
        letter.people.append(one.name)
    return list(letters.values())


def _add(said: list[str], words: str) -> None:
    if words not in said:
        said.append(words)
