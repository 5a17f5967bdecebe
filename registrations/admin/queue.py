"""The review queue of an event: its delegations, how they stand, and what is decided about them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from clock import shown
from events.admin.events import EventAdmin
from events.admin.scope import words_of
from events.models import Event, StakeholderGroup
from events.regions import Region
from events.rights import Right
from registrations import queue
from registrations.admin import cases, counting, deciding, filters
from registrations.admin.cells import tag
from registrations.exports import STATES
from registrations.models import AWAITS_DECISION, TAGS, Delegate, Exchange, Registration
from stakeholders.models import in_order_of_names

ROWS = 50
FEW_LIMITS = 6
State = Delegate.State
CHOSEN = "delegation"
"""What a box of a row is called; those of people are called as in the attendee list."""
EVERYTHING = "all"
SORTS = {
    "longest": (gettext_lazy("longest waiting first"), ["sent_at", "pk"]),
    "newest": (gettext_lazy("newest first"), ["-sent_at", "-pk"]),
    "name": (
        gettext_lazy("by name"),
        [in_order_of_names("organisation__search_text"), "organisation__name", "pk"],
    ),
}
LONGEST = "longest"
STATUS_WORDS = {
    "waits": STATES[State.SUBMITTED],
    "asked": STATES[State.MORE_INFORMATION],
    "wait_listed": STATES[State.WAIT_LISTED],
    "approved": STATES[State.APPROVED],
    "declined": STATES[State.DECLINED],
    "gone": gettext_lazy("Comes no more"),
}


class Facet:
    """One filter: any of the chosen options lets a delegation through."""

    def __init__(
        self,
        name: str,
        title: Any,
        words: Mapping[str, Any],
        of: Callable[[queue.Cell], tuple[str, ...]],
        chosen: Iterable[str],
    ) -> None:
        self.name, self.title, self.words, self.of = name, title, words, of
        self.chosen = [option for option in dict.fromkeys(chosen) if option in words]
        self.counts: Counter[str] = Counter()

    def lets(self, cell: queue.Cell) -> bool:
        return not self.chosen or not set(self.chosen).isdisjoint(self.of(cell))

    @property
    def shown(self) -> list[tuple[str, str, int, bool]]:
        """An option that shows nothing is left out, unless it is chosen."""
        return [
            (option, str(words), self.counts[option], option in self.chosen)
            for option, words in self.words.items()
            if self.counts[option] or option in self.chosen
        ]


class Asked:
    """What an address asks of the queue. Without a status it shows what waits for a decision."""

    def __init__(self, query: QueryDict) -> None:
        self.query = query.copy()
        status = query.getlist("status") if "status" in query else ["waits"]
        unknown = {queue.UNKNOWN: _("Not known")}
        self.facets = [
            Facet("status", _("Status"), STATUS_WORDS, lambda cell: cell.statuses, status),
            Facet(
                "category",
                _("Stakeholder group"),
                {**dict(StakeholderGroup.choices), **unknown},
                lambda cell: (cell.category or queue.UNKNOWN,),
                query.getlist("category"),
            ),
            Facet(
                "region",
                _("Region"),
                {**dict(Region.choices), **unknown},
                lambda cell: (cell.region,),
                query.getlist("region"),
            ),
        ]
        self.search = " ".join(query.get("q", "").replace("\x00", "").split())
        self.sort = query.get("sort") if query.get("sort") in SORTS else LONGEST
        self.page, self.case, self.at = (query.get(name, "") for name in ("page", "case", "at"))

    @property
    def chosen(self) -> dict[str, list[str]]:
        status, category, region = (facet.chosen for facet in self.facets)
        return {"statuses": status, "categories": category, "regions": region}

    def url(self, **changes: Any) -> str:
        """The same but for these; what is None is left out."""
        query = self.query.copy()
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query.setlist(name, value if isinstance(value, list) else [value])
        return f"?{query.urlencode()}"

    def anew(self, **changes: Any) -> str:
        """Another list: from its first page, with nothing open."""
        return self.url(**({"page": None, "case": None, "at": None} | changes))

    @property
    def chips(self) -> Iterator[tuple[str, str]]:
        """Each chosen filter, and the list without it."""
        for facet in self.facets:
            for option in facet.chosen:
                said = _("%(filter)s: %(chosen)s") % {
                    "filter": facet.title,
                    "chosen": facet.words[option],
                }
                others = [other for other in facet.chosen if other != option]
                if facet.name == "status":
                    others = others or [EVERYTHING]
                yield said, self.anew(**{facet.name: others or None})
        if self.search:
            yield _("Search: %(words)s") % {"words": self.search}, self.anew(q=None)

    @property
    def everything(self) -> str:
        """Without any filter, in the same order."""
        query = QueryDict(mutable=True)
        query["status"] = EVERYTHING
        if self.sort != LONGEST:
            query["sort"] = self.sort
        return f"?{query.urlencode()}"


@dataclass(frozen=True)
class Row:
    registration: Registration
    lead: str
    others: int
    states: list[SafeString]
    category: str
    region: str
    sent: str
    waited: str
    marks: list[SafeString]
    is_open: bool
    is_next: bool


class Queue:
    """Of one event, for one organiser, at one moment."""

    def __init__(self, admin: EventAdmin, request: HttpRequest, event: Event) -> None:
        self.admin, self.request, self.event = admin, request, event
        self.now = clock.now()
        self.asked = Asked(request.GET)
        self.found = found(event, self.asked.search)
        self.cells = queue.cells(event, self.found)
        self.total = count(self.asked.facets, self.cells)

    def may(self, right: Right) -> bool:
        return self.admin.may(self.request, self.event, right)

    @cached_property
    def page(self) -> Page:
        fitting = queue.delegations(self.event, found=self.found, **self.asked.chosen)
        _words, order = SORTS[self.asked.sort]
        paginator = Paginator(fitting.order_by(*order).values_list("pk", flat=True), ROWS)
        paginator.count = self.total
        return paginator.get_page(self.asked.page)

    @cached_property
    def ids(self) -> list[UUID]:
        return list(self.page.object_list)

    def after(self, decided: set[UUID]) -> UUID | None:
        """The next row after those, or else the last before them."""
        places = [number for number, pk in enumerate(self.ids) if pk in decided]
        last = max(places, default=-1)
        others = [pk for pk in self.ids[last + 1 :] + self.ids[:last][::-1] if pk not in decided]
        return next(iter(others), None)

    # Its rows

    @cached_property
    def rows(self) -> list[Row]:
        known = (
            Registration.objects.select_related("organisation")
            .defer("unfinished", "organisation__search_text")
            .in_bulk(self.ids)
        )
        registrations = [known[pk] for pk in self.ids if pk in known]
        people: dict[UUID, list[Delegate]] = {pk: [] for pk in known}
        for person in (
            Delegate.objects.filter(registration__in=known)
            .exclude(state=State.DRAFT)
            .select_related("representative")
            .in_order()
        ):
            people[person.registration_id].append(person)
        exchanges = self._exchanges(known)
        keys = [each.organisation.matching_key for each in registrations]
        doubled = queue.doubled(self.event, keys) if keys else set()
        references = [each.reference for each in registrations]
        at = self.asked.at
        if at and at not in references:
            at = next(iter(references), "")
        return [
            self._row(
                each,
                people[each.pk],
                marks=[*self._marks(each, people[each.pk], doubled), *exchanges.get(each.pk, [])],
                is_next=each.reference == at,
            )
            for each in registrations
        ]

    def _row(
        self,
        registration: Registration,
        people: list[Delegate],
        *,
        marks: list[SafeString],
        is_next: bool,
    ) -> Row:
        organisation = registration.organisation
        counted = Counter(State(person.state) for person in people)
        return Row(
            registration=registration,
            lead=str(people[0]) if people else "",
            others=max(0, len(people) - 1),
            states=[
                tag(f"{counted[state]} · {words}", TAGS.get(state, ""))
                for state, words in STATES.items()
                if counted[state]
            ],
            category=cases.category_said(organisation),
            region=cases.region_said(organisation),
            sent=shown.moment(registration.sent_at, self.event.zone, weekday=False),
            waited=cases.ago(registration.sent_at, self.now),
            marks=marks,
            is_open=registration.reference == self.asked.case,
            is_next=is_next,
        )

    def _marks(
        self, registration: Registration, people: list[Delegate], doubled: set[str]
    ) -> Iterator[SafeString]:
        if registration.organisation.matching_key in doubled:
            yield tag(_("Possible duplicate"), "warn")
        if any(person.replaces_id and person.awaits_decision for person in people):
            yield tag(_("Replaces somebody"), "")

    def _exchanges(self, registrations: Iterable[UUID]) -> dict[UUID, list[SafeString]]:
        """What was asked about people who wait, and is not followed by a decision; part of the
        history."""
        if not self.may(Right.CONTACT):
            return {}
        asked: dict[UUID, datetime] = {}
        answered: set[UUID] = set()
        for pk, state, asked_at, answered_at in Exchange.objects.filter(
            delegate__registration__in=registrations, delegate__state__in=AWAITS_DECISION
        ).values_list("delegate__registration", "delegate__state", "asked_at", "answered_at"):
            if answered_at is None:
                asked[pk] = min(asked_at, asked.get(pk, asked_at))
            elif state == State.SUBMITTED:
                answered.add(pk)
        marks: dict[UUID, list[SafeString]] = {}
        for pk, at in asked.items():
            said = _("Question open: asked %(ago)s") % {"ago": cases.ago(at, self.now)}
            marks.setdefault(pk, []).append(tag(said, "warn"))
        for pk in answered:
            marks.setdefault(pk, []).append(tag(_("Question answered"), "ok"))
        return marks

    # The case that is open

    @cached_property
    def case(self) -> cases.Case | None:
        """Any delegation of the event that was sent, though the filters may leave it out."""
        reference = self.asked.case.replace("\x00", "")
        registration = (
            Registration.objects.filter(
                event=self.event, sent_at__isnull=False, reference=reference
            )
            .select_related("organisation", "track")
            .first()
            if reference
            else None
        )
        if registration is None:
            return None
        registration.event = self.event
        return cases.Case(registration, may=self.may, now=self.now)

    def context(self) -> dict[str, Any]:
        limits = counting.in_sight(self.event, self.cells)
        words, _order = SORTS[self.asked.sort]
        is_newest = self.asked.sort == "newest"
        return {
            "asked": self.asked,
            "limits": limits,
            "are_few": len(limits) <= FEW_LIMITS,
            "rows": self.rows,
            "page": self.page,
            "total": self.total,
            "sorted": words,
            "by_name": self.asked.anew(sort="name"),
            "by_age": self.asked.anew(sort="newest" if self.asked.sort == LONGEST else LONGEST),
            "order": "descending" if is_newest else "ascending",
            "chips": list(self.asked.chips),
            "case": self.case,
            "decisions": cases.buttons(cases.IN_BULK) if self.may(Right.DECIDE) else [],
        }


def page(admin: EventAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """Shows the queue; what is posted is chosen in it, and goes on to the page that says what will
    happen."""
    if request.method == "POST":
        return decide(admin, request, event)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Review queue of “%(event)s”") % {"event": event},
        "event": event,
        "event_url": admin.change_url(event),
        "overview_url": admin.page_url("overview", event),
        **Queue(admin, request, event).context(),
    }
    return TemplateResponse(request, "admin/queue/page.html", context)


def decide(admin: EventAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    if not admin.may(request, event, Right.DECIDE):
        raise PermissionDenied
    word = request.POST.get("action", "")
    decision = next((each for each in deciding.ALL if each.word == word), None)
    people = decision and chosen(admin, request, event, decision)
    if not people:
        messages.error(request, _("Nobody is chosen about whom this can be decided."))
        return redirect(request.get_full_path())
    response = deciding.confirm(
        admin, request, decision, people, back=back(admin, request, event, people)
    )
    if isinstance(response, TemplateResponse):
        focus(response.context_data)
    return response


def chosen(
    admin: EventAdmin, request: HttpRequest, event: Event, decision: deciding.Decision
) -> QuerySet | None:
    """People who are named one by one; or of delegations, those about whom it can be decided."""
    of_people = admin.admin_site.get_model_admin(Delegate)
    try:
        named = deciding.named(request)
        groups = [UUID(pk) for pk in request.POST.getlist(CHOSEN)]
    except ValueError:
        return None
    own = Delegate.objects.filter(registration__event=event)
    if named:
        own = own.filter(pk__in=named)
    else:
        own = own.filter(registration__in=groups, state__in=cases.DECIDES[decision.word])
    people = of_people.chosen(request, own.values("pk"))
    return people if people.exists() else None


def back(admin: EventAdmin, request: HttpRequest, event: Event, people: QuerySet) -> str:
    """The queue where one was: at what was chosen, or once that is decided at the next one."""
    asked = Asked(request.GET)
    groups = dict(
        people.order_by("registration__sent_at", "registration__reference").values_list(
            "registration", "registration__reference"
        )
    )
    at, case = next(iter(groups.values())), asked.case
    if "confirm" in request.POST:
        following = Queue(admin, request, event).after(set(groups))
        after = Registration.objects.filter(pk=following).values_list("reference", flat=True)
        coming = after.first()
        case = coming if case in groups.values() else case
        at = coming or at
    return request.path + asked.url(at=at, case=case or None)


def focus(context: dict[str, Any]) -> None:
    """One key has led here: what is to be typed or pressed next has the focus."""
    form = context["form"]
    if form.is_bound:
        return
    field = next(iter(form.fields.values()), None)
    if field:
        field.widget.attrs["autofocus"] = True
    else:
        context["is_quick"] = True


def found(event: Event, search: str) -> set[str] | None:
    """The ids of delegations of which each word is in the name of somebody, in the name of the
    group or in the reference. Said as texts: there may be as many as there are delegations."""
    of_words = [_found_by(event, word) for word in words_of(search)]
    return set.intersection(*of_words) if of_words else None


def _found_by(event: Event, word: str) -> set[str]:
    own = Registration.objects.order_by().filter(event=event, sent_at__isnull=False)
    people = Delegate.objects.order_by().filter(
        filters.in_person(word, "representative__"), registration__event=event
    )
    hits = people.exclude(state=State.DRAFT).values_list(Cast("registration", TextField()))
    by_name = own.filter(filters.in_organisation(word, "organisation__"))
    by_reference = own.filter(filters.in_reference(word))
    own_ids = Cast("pk", TextField())
    return {
        pk
        for (pk,) in hits.union(
            by_name.values_list(own_ids), by_reference.values_list(own_ids), all=True
        )
    }


def count(facets: list[Facet], cells: Iterable[queue.Cell]) -> int:
    """Fill in the counts of these filters; how many delegations all of them let through. An option
    counts those that the search and all other filters let through."""
    total = 0
    for cell in cells:
        if not cell.is_found:
            continue
        barring = [facet for facet in facets if not facet.lets(cell)]
        if not barring:
            total += cell.n
        if len(barring) > 1:
            continue
        for facet in barring or facets:
            for option in facet.of(cell):
                facet.counts[option] += cell.n
    return total
