"""Statistics without names: how many, by what groups and people are, and no number so small that it
tells of somebody.

Numbers under five are held back; and with them as many more as it takes that they cannot be worked
out from the others and the whole.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from events.models import Event, StakeholderGroup
from registrations.exports import (
    GROUP,
    NOTHING,
    STATES,
    Column,
    Kind,
    Value,
    region_names,
)
from registrations.models import Delegate, DelegateQuerySet
from stakeholders.models import Membership

LEAST = 5
POINTS = "organisation__registrations__"


@dataclass(frozen=True)
class Dimension:
    """By what is counted: where that is read, and what is said of each code."""

    heading: Any
    lookup: str
    words: Callable[[], Mapping[Any, Any]]


DIMENSIONS = [
    Dimension(gettext_lazy("state"), "state", lambda: STATES),
    Dimension(gettext_lazy("role"), "role", lambda: dict(Delegate.Role.choices)),
    Dimension(
        gettext_lazy("stakeholder group"),
        f"{GROUP}category",
        lambda: dict(StakeholderGroup.choices),
    ),
    Dimension(gettext_lazy("region"), f"{GROUP}country", region_names),
    Dimension(gettext_lazy("country"), f"{GROUP}country", lambda: dict(countries)),
]


def _column(key: str, heading: Any, width: int, kind: Kind) -> Column:
    return Column(key, heading, lambda sheet: lambda row: NOTHING, width, kind)


COLUMNS = [
    _column("event", gettext_lazy("event"), 36, Kind.TYPED),
    _column("about", gettext_lazy("counted by"), 28, Kind.SAID),
    _column("value", gettext_lazy("value"), 36, Kind.SAID),
    _column("number", gettext_lazy("number"), 12, Kind.NUMBER),
    _column("held_back", gettext_lazy("held back"), 40, Kind.SAID),
]


class Tally:
    """A table (registrations.exports.Table) of numbers about these people."""

    columns = COLUMNS

    def __init__(
        self, people: DelegateQuerySet, *, events: Mapping[UUID, Event], languages: Mapping
    ) -> None:
        self.people, self.events, self.languages = people.order_by(), events, languages

    @property
    def title(self) -> str:
        return _("Statistics")

    @property
    def headings(self) -> list[str]:
        return [capfirst(str(column.heading)) for column in self.columns]

    def rows(self) -> Iterator[list[Value]]:
        for pk, event in self.events.items():
            for about, counted in self.counts:
                numbers = counted.get(pk, {})
                held = held_back(numbers)
                for value, n in sorted(numbers.items()):
                    is_held = value in held
                    yield [
                        str(event),
                        about,
                        value,
                        NOTHING if is_held else n,
                        _("yes") if is_held else NOTHING,
                    ]
        yield [notice(), NOTHING, NOTHING, NOTHING, NOTHING]

    @cached_property
    def counts(self) -> list[tuple[str, dict[UUID, dict[str, int]]]]:
        """By what, and how many of each value come to each event."""
        found = [(str(one.heading), self._of(one)) for one in DIMENSIONS]
        return [*found, (_("language of focal points"), self._languages())]

    def _of(self, dimension: Dimension) -> dict[UUID, dict[str, int]]:
        rows = self.people.values_list("registration__event", dimension.lookup)
        return _by_words(rows.annotate(n=Count("pk")), dimension.words())

    def _languages(self) -> dict[UUID, dict[str, int]]:
        """Of those who read the letters of their delegations."""
        points = Membership.objects.of_focal_points().filter(
            **{f"{POINTS}delegates__in": self.people.values("pk")}
        )
        rows = points.order_by().values_list(f"{POINTS}event", "user__language")
        return _by_words(rows.annotate(n=Count("user", distinct=True)), self.languages)


def notice() -> str:
    """What stands below the numbers."""
    return _(
        "Numbers under %(least)s are held back, so that they tell of nobody; so are others from "
        "which one could work them out."
    ) % {"least": LEAST}


def held_back(numbers: Mapping[str, int]) -> set[str]:
    """Those that are small; and then the next ones, until what is missing from the whole could be
    shared out among them in several ways."""
    rising = sorted(numbers, key=lambda value: (numbers[value], value))
    held = {value for value in rising if numbers[value] < LEAST}
    for value in rising[len(held) :]:
        if not held or (len(held) > 1 and sum(numbers[one] for one in held) >= 2 * LEAST):
            break
        held.add(value)
    return held


def _by_words(rows: Any, words: Mapping[Any, Any]) -> dict[UUID, dict[str, int]]:
    said = {str(code): str(word) for code, word in words.items()}
    found: dict[UUID, dict[str, int]] = {}
    for event, code, n in rows:
        numbers = found.setdefault(event, {})
        value = said.get(str(code), _("Not known"))
        numbers[value] = numbers.get(value, 0) + n
    return found
