"""The filters of the attendee list, with how many people each option would show.

An option counts those whom all other filters and the search let through. All counts of a list
come from one grouped query, over the people that all filters but these let through.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property, lru_cache, reduce
from operator import or_
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Case, Count, Model, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.models import User
from clock import shown, walls
from clock.fields import DAY_VALIDATORS
from events.admin.scope import words_of
from events.asking import name_of
from events.models import Question, StakeholderGroup, Track
from events.regions import COUNTRIES, REGION_OF, Region
from registrations.admin.sight import EVENT, sight_of
from registrations.exports import STATES
from registrations.models import SEATED, Answer, Delegate, Registration, Tag
from stakeholders import matching
from stakeholders.models import Organisation, Representative

GROUP = "registration__organisation"
UNKNOWN = "-"
"""The option for those of whom it is not known."""
WITH_A_PLACE = "seated"
MINE = "mine"
SHORT = 12
"""So many options stand as links; more are chosen from a list."""
FEW = 1000
SHORTLY_NAMED = 100
MOST_ORGANISATIONS = 300
"""So many are offered by name; more are found by typing a part of it."""


class Cell(NamedTuple):
    """People who are alike in everything that is filtered by, and how many they are."""

    event: UUID
    state: str
    role: str
    category: str
    country: str
    track: UUID | None
    assigned: UUID | None
    age: str
    n: int


def cells(people: QuerySet) -> list[Cell]:
    age = Case(
        *(When(Q(registration__sent_at__gte=Now() - past), Value(word)) for word, past in AGES),
        default=Value(""),
        output_field=TextField(),
    )
    rows = (
        people.order_by()
        .annotate(age=age)
        .values_list(
            *("registration__event", "state", "role", f"{GROUP}__category", f"{GROUP}__country"),
            *("registration__track", "registration__assigned_to", "age"),
        )
        .annotate(n=Count("pk"))
    )
    return [Cell(*row) for row in rows]


@lru_cache(maxsize=32)
def country_names(_language: str | None) -> dict[str, str]:
    """In the order of their names."""
    return dict(countries)


class Facet(admin.ListFilter):
    """One filter. `counts` is filled in by the list, where it is known."""

    parameter_name: str
    template = "admin/registrations/delegate/facet.html"
    counts: Mapping[str, int] | None = None
    hidden: list[tuple[str, str]] = []
    error = ""
    is_apart = False
    """It narrows whom the counts are made of; its own are asked for by themselves."""
    is_counted = True

    def __init__(
        self, request: HttpRequest, params: dict, model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.sight = sight_of(request)
        self.request = request
        self.chosen = params.pop(self.parameter_name, [""])[-1].strip()
        if self.chosen:
            self.check()

    def check(self) -> None:
        if self.chosen not in self.words:
            raise IncorrectLookupParameters

    @cached_property
    def words(self) -> Mapping[str, str]:
        """What each option is called, in the order in which they stand."""
        raise NotImplementedError

    def q(self) -> Q:
        """Whom the chosen option lets through."""
        raise NotImplementedError

    def options_of(self, cell: Cell) -> Iterable[str]:
        """Which options let these people through."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(self.q()) if self.chosen else queryset

    def expected_parameters(self) -> list[str]:
        return [self.parameter_name]

    def has_output(self) -> bool:
        return True

    def offer(self, people: QuerySet) -> None:
        """Count these people, whom all other filters let through."""
        count([self], cells(people))

    @property
    def said(self) -> str:
        """“State: Approved”"""
        return _("%(filter)s: %(chosen)s") % {
            "filter": capfirst(str(self.title)),
            "chosen": self.words.get(self.chosen, self.chosen),
        }

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Where counts are known, an option that shows nobody is left out."""
        counts = self.counts
        return [
            (option, words)
            for option, words in self.words.items()
            if counts is None or counts.get(option) or option == self.chosen
        ]

    @property
    def is_long(self) -> bool:
        return len(self.shown) > SHORT

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        self.hidden = [
            (name, value)
            for name, value in changelist.params.items()
            if name != self.parameter_name
        ]
        base = changelist.get_query_string(remove=[self.parameter_name])
        and_then = base if base == "?" else f"{base}&"
        yield {
            "selected": not self.chosen,
            "query_string": base,
            "display": _("All"),
            "value": "",
            "n": None,
        }
        for option, words in self.shown:
            yield {
                "selected": option == self.chosen,
                "query_string": and_then + urlencode({self.parameter_name: option}),
                "display": words,
                "value": option,
                "n": None if self.counts is None else self.counts.get(option, 0),
            }


class StateFacet(Facet):
    title = gettext_lazy("state")
    parameter_name = "state"

    @cached_property
    def words(self) -> Mapping[str, str]:
        if self.sight.is_door:
            return {str(state): str(STATES[state]) for state in STATES if state in SEATED}
        every = {str(state): str(said) for state, said in STATES.items()}
        return {WITH_A_PLACE: _("Has a place"), **every}

    def q(self) -> Q:
        return Q(state__in=SEATED) if self.chosen == WITH_A_PLACE else Q(state=self.chosen)

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (cell.state, WITH_A_PLACE) if cell.state in SEATED else (cell.state,)


class CategoryFacet(Facet):
    title = gettext_lazy("stakeholder group")
    parameter_name = "category"

    @cached_property
    def words(self) -> Mapping[str, str]:
        every = {code: str(label) for code, label in StakeholderGroup.choices}
        return {**every, UNKNOWN: _("Not known")}

    def q(self) -> Q:
        return Q(**{f"{GROUP}__category": "" if self.chosen == UNKNOWN else self.chosen})

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (cell.category or UNKNOWN,)


class RegionFacet(Facet):
    title = gettext_lazy("region")
    parameter_name = "region"

    @cached_property
    def words(self) -> Mapping[str, str]:
        return {**{code: str(label) for code, label in Region.choices}, UNKNOWN: _("Not known")}

    def q(self) -> Q:
        if self.chosen == UNKNOWN:
            return ~Q(**{f"{GROUP}__country__in": list(REGION_OF)})
        return Q(**{f"{GROUP}__country__in": COUNTRIES[Region(self.chosen)]})

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (REGION_OF.get(cell.country, UNKNOWN),)


class CountryFacet(Facet):
    title = gettext_lazy("country")
    parameter_name = "country"

    @cached_property
    def words(self) -> Mapping[str, str]:
        return {**country_names(get_language()), UNKNOWN: _("Not known")}

    def q(self) -> Q:
        return Q(**{f"{GROUP}__country": "" if self.chosen == UNKNOWN else self.chosen})

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (cell.country or UNKNOWN,)


class RoleFacet(Facet):
    title = gettext_lazy("role")
    parameter_name = "role"

    @cached_property
    def words(self) -> Mapping[str, str]:
        return {code: str(label) for code, label in Delegate.Role.choices}

    def q(self) -> Q:
        return Q(role=self.chosen)

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (cell.role,)


class TrackFacet(Facet):
    """Of the events of the list; named with its event where there are several."""

    title = gettext_lazy("track")
    parameter_name = "track"

    @cached_property
    def words(self) -> Mapping[str, str]:
        events = self.sight.events
        if self.sight.wanted in map(str, events):
            events = {UUID(self.sight.wanted): events[UUID(self.sight.wanted)]}
        tracks = Track.objects.filter(event__in=events).order_by("position", "name_en")
        order = {pk: number for number, pk in enumerate(events)}
        words = {
            str(track.pk): str(track) if len(events) == 1 else f"{track} ({events[track.event_id]})"
            for track in sorted(tracks, key=lambda track: order[track.event_id])
        }
        return {**words, UNKNOWN: _("None")} if words else {}

    def has_output(self) -> bool:
        return bool(self.words)

    def q(self) -> Q:
        return Q(registration__track=None if self.chosen == UNKNOWN else self.chosen)

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (str(cell.track) if cell.track else UNKNOWN,)


class AssignedFacet(Facet):
    title = gettext_lazy("looked after by")
    parameter_name = "assigned"

    @cached_property
    def words(self) -> Mapping[str, str]:
        """“Mine”, “nobody's”, and each organiser who looks after a delegation of these events."""
        assigned = Registration.objects.filter(
            event__in=self.sight.events, assigned_to__isnull=False
        )
        organisers = User.objects.filter(pk__in=assigned.order_by().values("assigned_to"))
        named = {str(one.pk): str(one) for one in organisers.order_by("name", "email")}
        return {MINE: _("Me"), UNKNOWN: _("Nobody"), **named}

    def q(self) -> Q:
        known = {MINE: self.sight.user.pk, UNKNOWN: None}
        return Q(registration__assigned_to=known.get(self.chosen, self.chosen))

    def options_of(self, cell: Cell) -> Iterable[str]:
        if cell.assigned is None:
            return (UNKNOWN,)
        mine = (MINE,) if cell.assigned == self.sight.user.pk else ()
        return (str(cell.assigned), *mine)


class TagFacet(Facet):
    """By the word, on whichever of the events. A delegation has several, so they are counted by
    themselves."""

    title = gettext_lazy("tag")
    parameter_name = "tag"
    template = "admin/registrations/delegate/tags.html"
    is_apart = True
    named: Mapping[str, str] | None = None

    def check(self) -> None:
        if not Tag.objects.filter(event__in=self.sight.events, word=self.chosen).exists():
            raise IncorrectLookupParameters

    @cached_property
    def words(self) -> Mapping[str, str]:
        if self.named is not None:
            return self.named
        tags = Tag.objects.filter(event__in=self.sight.events).in_order()
        return {word: word for word in tags.values_list("word", flat=True)}

    def q(self) -> Q:
        on_them = Registration.tags.through.objects.filter(tag__word=self.chosen)
        return Q(registration__in=on_them.values("registration"))

    def offer(self, people: QuerySet) -> None:
        counted = (
            Tag.objects.filter(registrations__delegates__in=people.order_by().values("pk"))
            .in_order()
            .values_list("word")
            .annotate(n=Count("registrations__delegates"))
        )
        self.counts = dict(counted)
        self.named = {word: word for word in self.counts}


AGES = [("day", timedelta(hours=24)), ("week", timedelta(days=7))]


class SinceFacet(Facet):
    """Sent in the last 24 hours, in the last 7 days, or from a day on."""

    title = gettext_lazy("sent")
    parameter_name = "since"
    template = "admin/registrations/delegate/since.html"
    day: date | None = None
    typed = ""

    def check(self) -> None:
        if self.chosen in self.words:
            return
        try:
            self.day = date.fromisoformat(self.chosen)
            for validate in DAY_VALIDATORS:
                validate(self.day)
        except (ValueError, ValidationError):
            self.error = _("“%(typed)s” is no day like 2018-02-21.") % {"typed": self.chosen[:40]}
            self.typed, self.chosen, self.day = self.chosen, "", None

    @cached_property
    def words(self) -> Mapping[str, str]:
        return {"day": _("In the last 24 hours"), "week": _("In the last 7 days")}

    @property
    def is_apart(self) -> bool:
        return self.day is not None

    @property
    def is_long(self) -> bool:
        return False

    @property
    def value(self) -> str:
        return self.day.isoformat() if self.day else self.typed

    @property
    def zone(self) -> str:
        """That of the event, where the list is of one."""
        zones = {event.zone for event in self.sight.events.values()}
        for pk, event in self.sight.events.items():
            if str(pk) == self.sight.wanted:
                return event.zone
        return zones.pop() if len(zones) == 1 else "UTC"

    @property
    def help_text(self) -> str:
        return _("From 00:00 of that day, by the clocks of: %(city)s") % {
            "city": shown.city(self.zone)
        }

    @property
    def said(self) -> str:
        if self.day:
            return _("Sent since %(day)s") % {"day": shown.day(self.day)}
        return super().said

    def q(self) -> Q:
        if self.day:
            return Q(registration__sent_at__gte=walls.start_of(self.day, self.zone))
        return Q(registration__sent_at__gte=Now() - dict(AGES)[self.chosen])

    def options_of(self, cell: Cell) -> Iterable[str]:
        return {"day": ("day", "week"), "week": ("week",)}.get(cell.age, ())


class EventFacet(Facet):
    title = gettext_lazy("event")
    parameter_name = EVENT
    field_path = "registration__event"

    @cached_property
    def words(self) -> Mapping[str, str]:
        return {str(pk): str(event) for pk, event in self.sight.everywhere.items()}

    @property
    def is_apart(self) -> bool:
        return bool(self.chosen)

    @property
    def lookup_choices(self) -> list[tuple[UUID, str]]:
        return [(pk, str(event)) for pk, event in self.sight.everywhere.items()]

    def q(self) -> Q:
        return Q(registration__event=self.chosen)

    def options_of(self, cell: Cell) -> Iterable[str]:
        return (str(cell.event),)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Those whose door one keeps stand here too, and are counted in their own list."""
        doors = {str(pk) for pk in self.sight.doors}
        offered = dict(super().shown)
        return [
            (option, words)
            for option, words in self.words.items()
            if option in offered or (option in doors and not self.sight.is_door)
        ]


class OrganisationFacet(Facet):
    """Chosen from a list where they are few; else by a part of the name, in any script."""

    title = gettext_lazy("organisation")
    parameter_name = "organisation"
    template = "admin/registrations/delegate/organisation.html"
    is_apart = True
    named: Mapping[str, str] | None = None
    one: Organisation | None = None

    def check(self) -> None:
        """One that nobody of the list comes from is as unknown as one that is not."""
        try:
            of_it = self.sight.people().filter(registration__organisation=UUID(self.chosen))
        except ValueError:
            return
        groups = of_it.order_by().values(GROUP)
        self.one = Organisation.everyone.only("name").filter(pk__in=groups).first()

    @cached_property
    def words(self) -> Mapping[str, str]:
        return {self.chosen: str(self.one)} if self.one else {}

    @property
    def shown(self) -> list[tuple[str, str]]:
        return list((self.named or self.words).items())

    @property
    def is_long(self) -> bool:
        return self.named is not None

    @property
    def value(self) -> str:
        return str(self.one or self.chosen)

    def q(self) -> Q:
        return self.found

    @cached_property
    def found(self) -> Q:
        if self.one:
            return Q(**{GROUP: self.one})
        found = Organisation.objects.order_by()
        for word in words_of(self.chosen):
            found = found.filter(in_organisation(word))
        named = list(found.values_list("pk", flat=True)[: SHORTLY_NAMED + 1])
        return Q(**{f"{GROUP}__in": named if len(named) <= SHORTLY_NAMED else found.values("pk")})

    def offer(self, people: QuerySet) -> None:
        """Each by its name, with how many of them are its own; unless these are too many."""
        rows = (
            people.order_by(f"{GROUP}__search_text")
            .values_list(GROUP, f"{GROUP}__name", f"{GROUP}__search_text")
            .annotate(n=Count("pk"))[: MOST_ORGANISATIONS + 1]
        )
        found = list(rows)
        if len(found) <= MOST_ORGANISATIONS:
            self.named = {str(pk): name for pk, name, _text, _n in found}
            self.counts = {str(pk): n for pk, _name, _text, n in found}


class AnswerFacet(Facet):
    """By the answers to one question; how many have given each is not counted."""

    is_apart = True
    is_counted = False
    question: Question
    ANSWERED = "yes"

    @cached_property
    def words(self) -> Mapping[str, str]:
        options = {str(option.pk): str(option) for option in self.question.options.all()}
        return {**(options or {self.ANSWERED: _("Answered")}), UNKNOWN: _("Not answered")}

    def q(self) -> Q:
        theirs = Answer.objects.filter(question=self.question)
        if self.chosen not in (UNKNOWN, self.ANSWERED):
            theirs = theirs.filter(options__contains=[UUID(self.chosen)])
        if self.question.asked_of == Question.Of.PERSON:
            found = Q(pk__in=theirs.filter(delegate__isnull=False).values("delegate"))
        else:
            found = Q(registration__in=theirs.filter(delegate=None).values("registration"))
        return ~found if self.chosen == UNKNOWN else found


def of_questions(questions: Iterable[Question]) -> list[type[Facet]]:
    return [
        type(
            "AnswerFacet",
            (AnswerFacet,),
            {"question": one, "title": str(one), "parameter_name": name_of(one)},
        )
        for one in questions
    ]


ALL = [
    StateFacet,
    EventFacet,
    RoleFacet,
    CategoryFacet,
    RegionFacet,
    CountryFacet,
    OrganisationFacet,
    TrackFacet,
    AssignedFacet,
    TagFacet,
    SinceFacet,
]
AT_THE_DOOR = [EventFacet, StateFacet, RoleFacet, OrganisationFacet]


def in_organisation(word: str, to: str = "") -> Q:
    """A part of the name as it is written, or of the names and acronyms as they are folded."""
    folded = {matching.fold(word), matching.key(word)} - {""}
    q = Q(**{f"{to}name__icontains": word})
    for text in folded:
        q |= Q(**{f"{to}search_text__contains": text})
    return q


def in_person(word: str, to: str = "") -> Q:
    folded = matching.fold(word)
    if folded:
        return Q(**{f"{to}search_text__contains": folded})
    return Q(**{f"{to}given_names__icontains": word}) | Q(**{f"{to}family_name__icontains": word})


def in_reference(word: str, to: str = "") -> Q:
    return Q(**{f"{to}reference__icontains": word})


PLACES = {
    "representative": (Representative, in_person),
    GROUP: (Organisation, in_organisation),
    "registration": (Registration, in_reference),
}
"""Where a word of a search is looked for."""


def found_by(word: str, *, references: bool) -> Q:
    """Whom a word of a search finds. Each place is asked by its own index, once. What a place has
    little of is named one by one; of much it is cheaper to ask everybody."""
    places = {to: place for to, place in PLACES.items() if references or to != "registration"}
    first, *others = (
        model.objects.order_by()
        .filter(holds(word))
        .annotate(place=Value(to, output_field=TextField()))
        .values_list("place", "pk")[: FEW + 1]
        for to, (model, holds) in places.items()
    )
    hits: dict[str, list[UUID]] = {}
    for to, pk in first.union(*others, all=True):
        hits.setdefault(to, []).append(pk)
    parts = [
        Q(**{f"{to}__in": pks}) if len(pks) <= FEW else places[to][1](word, f"{to}__")
        for to, pks in hits.items()
    ]
    if len(parts) < 2:
        return parts[0] if parts else Q(pk__in=[])
    first, *others = (Delegate.objects.order_by().filter(part).values_list("pk") for part in parts)
    found = {pk for (pk,) in first.union(*others, all=True)[: FEW + 1]}
    return Q(pk__in=found) if len(found) <= FEW else reduce(or_, parts)


def count(facets: Iterable[Facet], counted: Iterable[Cell]) -> int:
    """Fill in the counts of these filters; how many people all of them let through."""
    tallies: dict[Facet, Counter[str]] = {facet: Counter() for facet in facets}
    chosen = [facet for facet in tallies if facet.chosen]
    total = 0
    for cell in counted:
        barring = [facet for facet in chosen if facet.chosen not in facet.options_of(cell)]
        if not barring:
            total += cell.n
        if len(barring) > 1:
            continue
        for facet in barring or tallies:
            tally = tallies[facet]
            for option in facet.options_of(cell):
                tally[option] += cell.n
    for facet, tally in tallies.items():
        facet.counts = tally
    return total
