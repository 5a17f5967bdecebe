"""Finding events: what can be said of each, what there is to choose, and which ones fit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from translated_fields import to_attribute

from clock import shown
from events import texts
from events.models import Event
from stakeholders import matching

SEARCHED = ("name", "summary", "organiser", "venue", "city")
LIGHT = ("process", "slug", "kind", "mode", "state", "country", "zone", "starts_on", "ends_on")
MOST_WORDS = 8
STAGES = {
    "open": gettext_lazy("Registration open"),
    "ahead": gettext_lazy("Opens later"),
    "closed": gettext_lazy("Registration closed"),
    "none": gettext_lazy("Groups do not register here"),
    "past": gettext_lazy("Past event"),
}


def in_all_languages(*names: str) -> list[str]:
    return [to_attribute(name, code) for name in names for code in texts.CODES]


def public(*, with_texts: bool) -> QuerySet[Event]:
    """All that everybody may read, with as little of each as is needed to choose among them."""
    of_process = [f"process__{name}" for name in ("slug", *in_all_languages("name"))]
    own = in_all_languages(*SEARCHED) if with_texts else []
    found = Event.objects.public().select_related("process").prefetch_related("deadlines")
    return found.only(*LIGHT, *of_process, *own)


@dataclass(frozen=True)
class Known:
    """What can be said of an event, filter by filter."""

    event: Event
    is_over: bool
    said: Mapping[str, frozenset[str]]
    words: str = field(default="", repr=False)

    @classmethod
    def of(cls, event: Event, now: datetime, *, with_texts: bool) -> "Known":
        is_over = event.is_over(now)
        is_hybrid = event.mode == Event.Mode.HYBRID
        said = {
            "registration": frozenset({"past" if is_over else stage(event, now)}),
            "process": frozenset({event.process.slug}),
            "kind": frozenset({event.kind}),
            "when": frozenset(months_and_years(event.starts_on, event.ends_on)),
            "country": frozenset({country_of(event)[0]} - {""}),
            "mode": frozenset({"in_person", "online"} if is_hybrid else {event.mode}),
        }
        return cls(event, is_over, said, words_of(event) if with_texts else "")

    def fits(self, chosen: Mapping[str, str], but: str = "") -> bool:
        """It is as chosen; the filter `but` is left aside."""
        return all(value in self.said[name] for name, value in chosen.items() if name != but)


def stage(event: Event, now: datetime) -> str:
    """Where registration for an event stands that is not over."""
    deadline = event.registration_deadline
    if deadline is None:
        return "none"
    if not event.is_published:
        return "closed"
    if deadline.is_open(now):
        return "open"
    return "ahead" if deadline.is_not_yet_open(now) else "closed"


def months_and_years(first: date, last: date) -> Iterator[str]:
    """“2017”, “2017-12”, “2018”, “2018-01” of an event from December to January."""
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"{number // 12:04}"
        yield f"{number // 12:04}-{number % 12 + 1:02}"


def words_of(event: Event) -> str:
    """What a search looks in: every language, folded."""
    own = [getattr(event, name) for name in in_all_languages(*SEARCHED)]
    of_process = [getattr(event.process, name) for name in in_all_languages("name")]
    named = [country_of(event)[1], event.get_kind_display()]
    return matching.fold(" ".join([*own, *of_process, *named]))


def country_of(event: Event) -> tuple[str, str]:
    """Its code and its name; both empty where there is none."""
    country: Any = event.country
    return country.code or "", str(country.name)


class Search:
    """All that is known, and what of it a reader wants."""

    def __init__(self, events: Iterable[Event], now: datetime, *, with_texts: bool) -> None:
        self.known = [Known.of(event, now, with_texts=with_texts) for event in events]
        self.chosen: dict[str, str] = {}

    def want(self, words: str, chosen: Mapping[str, str]) -> None:
        folded = matching.fold(words).split()[:MOST_WORDS]
        self.known = [each for each in self.known if all(word in each.words for word in folded)]
        self.chosen = {name: value for name, value in chosen.items() if value}

    @property
    def found(self) -> list[Known]:
        """What comes by date, then what was, the newest first."""
        fitting = [each for each in self.known if each.fits(self.chosen)]
        fitting.sort(key=lambda each: (each.event.starts_on, each.event.ends_on, each.event.slug))
        coming = [each for each in fitting if not each.is_over]
        return coming + [each for each in fitting if each.is_over][::-1]

    def without(self, name: str) -> int:
        """How many there would be if this filter were taken away."""
        return sum(each.fits(self.chosen, but=name) for each in self.known)

    def counts(self, name: str) -> Counter[str]:
        """For each value of this filter, how many it would show beside the others chosen."""
        fitting = (each for each in self.known if each.fits(self.chosen, but=name))
        return Counter(value for each in fitting for value in each.said[name])

    def choices(self) -> dict[str, list[tuple[str, Any]]]:
        """What there is to choose at all."""
        there = {
            name: {value for each in self.known for value in each.said[name]}
            for name in ("registration", "process", "kind", "when", "country", "mode")
        }
        return {
            "registration": among(there["registration"], STAGES.items()),
            "process": self._processes(),
            "kind": among(there["kind"], Event.Kind.choices),
            "when": _by_year(there["when"]),
            "country": self._countries(),
            "mode": among(there["mode"], Event.Mode.choices),
        }

    def _processes(self) -> list[tuple[str, str]]:
        """The one with the latest event first."""
        last = sorted(self.known, key=lambda each: each.event.ends_on, reverse=True)
        return list({each.event.process.slug: each.event.process.name for each in last}.items())

    def _countries(self) -> list[tuple[str, str]]:
        there = dict(country_of(each.event) for each in self.known if each.event.country)
        return sorted(there.items(), key=lambda pair: matching.fold(pair[1]))


def among(there: set[str], choices: Iterable[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [(str(value), label) for value, label in choices if value in there]


def _by_year(there: set[str]) -> list[tuple[str, Any]]:
    """A group for each year, the newest first: all of it, then its months."""
    years = sorted((value for value in there if len(value) == 4), reverse=True)
    return [
        (
            year,
            [
                (year, _("All of %(year)s") % {"year": year}),
                *((month, month_said(month)) for month in sorted(there) if month[:5] == f"{year}-"),
            ],
        )
        for year in years
    ]


def month_said(month: str) -> str:
    """“February 2018” of “2018-02”."""
    first = date.fromisoformat(f"{month}-01")
    return shown.months(first, first)


def flat(choices: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Those of groups, too."""
    for value, label in choices:
        if isinstance(label, list):
            yield from label
        else:
            yield value, label


def counted(choices: Sequence[Any], counts: Mapping[str, int]) -> list[Any]:
    """The same choices, each with how many it shows."""
    return [
        (value, counted(label, counts))
        if isinstance(label, list)
        else (value, _("%(choice)s (%(n)s)") % {"choice": label, "n": counts.get(value, 0)})
        for value, label in choices
    ]
