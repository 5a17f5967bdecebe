"""The attendee list at 100,000 people: counted once, and read only as far as it is shown."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.paginator import InvalidPage
from django.db.models import Exists, F, OrderBy, OuterRef, QuerySet, Subquery
from django.db.models.functions import Concat, Substr
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import User
from events.models import Track
from events.rights import Right
from notifications.models import Suppression
from registrations import exports
from registrations.admin import columns, filters
from registrations.admin.cells import AnswerCell
from registrations.admin.sight import sight_of, unknown_answers
from registrations.models import Delegate, Tag
from stakeholders.models import Membership

MOST_COUNTED = 2_000
"""So many people are counted for every option on each look; more are when that is asked for."""
EVENT_ORDER = "registration__event__starts_on"


def letters_come_back() -> Exists:
    """Whether nothing is sent any more to a focal point of the delegation."""
    suppressed = Suppression.objects.filter(email__iexact=OuterRef("user__email"))
    points = Membership.objects.of_focal_points().filter(
        Exists(suppressed), organisation=OuterRef("registration__organisation")
    )
    return Exists(points)


def gathered_first(part: str | OrderBy) -> str | OrderBy:
    """Whoever is searched for may stand at the end of an order. So the database is not to walk
    through it and pick them out, but to gather them and sort: what it sorts by holds nothing of a
    person, yet cannot be had without."""
    if not isinstance(part, OrderBy):
        if not part.endswith("search_text"):
            return part
        part = OrderBy(F(part.removeprefix("-")), descending=part.startswith("-"))
    return OrderBy(Concat(part.expression, Substr("state", 99)), descending=part.descending)


class AttendeeList(ChangeList):
    """`shows_counts`: whether the filters say how many people each option would show."""

    filter_specs: list[filters.Facet]
    shows_counts = False

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        found.pop(columns.PARAMETER, None)
        return found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        self.sight = sight_of(request)
        if unknown_answers(request):
            raise IncorrectLookupParameters
        self.root_queryset = self.sight.people()
        if self.sight.is_door:
            self.search_help_text = _("Name or organisation")
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        ordering = super().get_ordering(request, queryset)
        return [gathered_first(part) for part in ordering] if self.query else ordering

    def get_results(self, request: HttpRequest) -> None:
        total = self.count(request)
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        paginator.count = total
        self.multi_page = total > self.list_per_page
        try:
            number = paginator.validate_number(self.page_num) if self.multi_page else 1
        except InvalidPage:
            raise IncorrectLookupParameters from None
        self.result_count, self.full_result_count = total, None
        self.show_full_result_count = self.can_show_all = False
        self.show_admin_actions = True
        self.paginator = paginator
        self.result_list = self.rows(self.ids(number, total)) if total else []

    # How many

    def count(self, request: HttpRequest) -> int:
        """How many people the list holds; and, where that is cheap, each option of its filters."""
        apart = [facet for facet in self.filter_specs if facet.is_apart and facet.is_counted]
        together = [facet for facet in self.filter_specs if not facet.is_apart]
        people = self.but_for(request, together)
        if any(facet.chosen for facet in together):
            total = None
            is_cheap = self.is_few(people)
        else:
            total = self.total
            is_cheap = total <= MOST_COUNTED
        self.shows_counts = is_cheap or self.add_facets
        if self.shows_counts:
            total = filters.count(together, filters.cells(people))
            for facet in apart:
                others = self.but_for(request, [facet])
                is_few = self.is_few(others) if facet.chosen else total <= MOST_COUNTED
                if is_few or self.add_facets:
                    facet.offer(others)
        return self.total if total is None else total

    @cached_property
    def total(self) -> int:
        return sum(self.of_days.values()) if self.of_days else self.queryset.count()

    @cached_property
    def of_days(self) -> dict[date, int]:
        """How many people come to the events of each day, in the order of the list, where that is
        the order of the events. Most of such a list need not be read then to show a page of it."""
        first = self.queryset.query.order_by[0]
        if first not in [EVENT_ORDER, f"-{EVENT_ORDER}"] or self.query:
            return {}
        days: Counter[date] = Counter()
        for event, n in exports.concerned(self.queryset).items():
            days[self.sight.everywhere[event].starts_on] += n
        return dict(sorted(days.items(), reverse=first.startswith("-")))

    def but_for(self, request: HttpRequest, left_out: Iterable[filters.Facet]) -> QuerySet:
        """Whom the search and all filters but these let through."""
        people, _may_repeat = self.model_admin.get_search_results(
            request, self.root_queryset, self.query
        )
        for facet in self.filter_specs:
            if facet not in left_out:
                people = facet.queryset(request, people)
        return people

    def is_few(self, people: QuerySet) -> bool:
        return people.order_by()[: MOST_COUNTED + 1].count() <= MOST_COUNTED

    # Who

    def ids(self, number: int, total: int) -> list[UUID]:
        """Of one page; beyond the middle of the list counted from its end."""
        first = (number - 1) * self.list_per_page
        last = min(first + self.list_per_page, total)
        if self.of_days:
            return self.ids_by_day(first, last)
        return self.between(self.queryset, first, last, total)

    def ids_by_day(self, first: int, last: int) -> list[UUID]:
        found, before = list[UUID](), 0
        order = self.queryset.query.order_by[1:]
        for day, n in self.of_days.items():
            start, end = max(first - before, 0), min(last - before, n)
            if start < end:
                people = self.queryset.filter(registration__event__in=self.events_of(day))
                found += self.between(people.order_by(*order), start, end, n)
            before += n
        return found

    def events_of(self, day: date) -> list[UUID]:
        return [pk for pk, event in self.sight.everywhere.items() if event.starts_on == day]

    def between(self, people: QuerySet, first: int, last: int, total: int) -> list[UUID]:
        people = people.values_list("pk", flat=True)
        if first <= total // 2:
            return list(people[first:last])
        return list(people.reverse()[total - last : total - first])[::-1]

    def rows(self, ids: list[UUID]) -> list[Delegate]:
        """With what their columns show, and what of it this organiser may see."""
        shown = set(self.list_display)
        found = (
            Delegate.objects.filter(pk__in=ids)
            .select_related("representative", "registration__organisation")
            .annotate(letters_come_back=letters_come_back(), **self.answers())
            .defer("registration__unfinished", "registration__organisation__search_text")
        )
        by_id = {person.pk: person for person in found}
        people = [by_id[pk] for pk in ids if pk in by_id]
        waiting = [one for one in people if one.state == Delegate.State.WAIT_LISTED]
        events = {one.registration.event_id for one in waiting}
        asked = [one.pk for one in waiting] if "place" in shown else []
        places = exports.places(events, of=asked) if asked else {}
        tracks = self.tracks(people) if "track" in shown else {}
        organisers = self.organisers(people) if "assigned_to" in shown else {}
        tags = self.tags(people) if "tags" in shown else {}
        said = {pk: str(event) for pk, event in self.sight.events.items()}
        for one in people:
            registration = one.registration
            registration.event = self.sight.everywhere[registration.event_id]
            if registration.track_id in tracks:
                registration.track = tracks[registration.track_id]
            if registration.assigned_to_id in organisers:
                registration.assigned_to = organisers[registration.assigned_to_id]
            one.tags = tags.get(registration.pk, [])
            one.place = places.get(one.pk)
            one.event_said = said[registration.event_id]
            one.rights = self.sight.rights[registration.event_id]
            one.letters_come_back &= Right.CONTACT in one.rights
        return people

    def answers(self) -> dict[str, Subquery]:
        """To the questions that have a column here."""
        cells = [cell for cell in self.list_display if isinstance(cell, AnswerCell)]
        return {cell.read_as: exports.answer_to(cell.question) for cell in cells}

    def tracks(self, people: list[Delegate]) -> dict[UUID, Track]:
        return Track.objects.in_bulk({one.registration.track_id for one in people} - {None})

    def organisers(self, people: list[Delegate]) -> dict[UUID, User]:
        return User.objects.in_bulk({one.registration.assigned_to_id for one in people} - {None})

    def tags(self, people: list[Delegate]) -> dict[UUID, list[str]]:
        """The words on each delegation."""
        delegations = {one.registration_id for one in people}
        found: dict[UUID, list[str]] = {}
        tags = Tag.objects.filter(registrations__in=delegations).in_order()
        for registration, word in tags.values_list("registrations", "word"):
            found.setdefault(registration, []).append(word)
        return found

    # What is said about it

    @cached_property
    def headers(self) -> list[dict[str, Any]]:
        return list(result_headers(self))

    @property
    def sorted_by(self) -> int:
        """How many columns."""
        return sum(header["sortable"] and header["sorted"] for header in self.headers)

    @property
    def lines(self) -> list[list[SafeString]]:
        """The cells of each person, as Django's own table shows them; it asks anew for each cell
        what it is, and takes half of the time of the whole page for that."""
        fields = [
            (name.__name__, name) if callable(name) else (name, getattr(self.model_admin, name))
            for name in self.list_display
        ]
        links = self.list_display_links or ()
        return [
            [self.cell(person, name, said, is_link=name in links) for name, said in fields]
            for person in self.result_list
        ]

    def cell(
        self, person: Delegate, name: str, said: Callable[[Delegate], str], *, is_link: bool
    ) -> SafeString:
        if is_link:
            url = f"{self.url_for_result(person)}?{self.preserved_filters}"
            link = '<th class="field-{}"><a href="{}">{}</a></th>'
            return format_html(link, name, url.removesuffix("?"), said(person))
        kind = "action-checkbox" if name == "action_checkbox" else f"field-{name}"
        return format_html('<td class="{}">{}</td>', kind, said(person))

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Each chosen filter, and the list without it."""
        chips = [
            (facet.said, self.get_query_string(remove=[facet.parameter_name]))
            for facet in self.filter_specs
            if facet.chosen
        ]
        if self.query:
            said = _("Search: %(words)s") % {"words": self.query}
            chips.append((said, self.get_query_string({SEARCH_VAR: None})))
        return chips


class ChosenPeople(AttendeeList):
    """The same people, of whom nothing is shown yet."""

    def get_results(self, request: HttpRequest) -> None:
        pass
