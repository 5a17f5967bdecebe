from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django_countries import countries

import clock
from clock import shown
from events.models import Deadline, Event, Process
from registrations.models import Delegate, DelegateQuerySet, Registration
from stakeholders import matching

REGISTRATION = Deadline.Kind.REGISTRATION
LAST = datetime.max.replace(tzinfo=UTC)
LISTED_AT_ONCE = 50
LONGEST_SEARCH = 100
MOST_WORDS = 8


def home(request: HttpRequest) -> HttpResponse:
    """Have your say: what is open, what opens soon, where the process stands."""
    now = clock.now()
    windows = list(
        Deadline.objects.of_shown_events()
        .filter(kind=REGISTRATION, closes_at__gt=now)
        .select_related("event", "event__process")
        .order_by("closes_at", "event__slug")
    )
    opened = [_row(window.event, window) for window in windows if window.is_open(now)]
    later = [_row(window.event, window) for window in windows if window.is_not_yet_open(now)]
    process = _process_going_on(now, windows)
    events = list(process.events.public().in_order()) if process else []
    return render(
        request,
        "pages/home.html",
        {
            "now": now,
            "open": opened,
            "soon": sorted(later, key=lambda row: row["deadline"].opens_at),
            "process": process,
            "steps": _steps(events, now),
        },
    )


def events(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    by_process: dict[Process, list[Event]] = {}
    for event in _with_deadlines(Event.objects.public().select_related("process")):
        by_process.setdefault(event.process, []).append(event)
    groups = [
        {"process": process, **_coming_and_past(of_process, now)}
        for process, of_process in by_process.items()
    ]
    groups.sort(
        key=lambda group: max(each.ends_on for each in by_process[group["process"]]), reverse=True
    )
    return render(request, "pages/events.html", {"now": now, "groups": groups})


def process(request: HttpRequest, slug: str) -> HttpResponse:
    now = clock.now()
    found = get_object_or_404(Process, slug=slug)
    of_process = list(_with_deadlines(found.events.public()))
    return render(
        request,
        "pages/process.html",
        {
            "now": now,
            "process": found,
            "steps": _steps(of_process, now),
            "categories": found.categories.order_by("position", "code"),
            **_coming_and_past(of_process, now),
        },
    )


def event(request: HttpRequest, slug: str) -> HttpResponse:
    now = clock.now()
    found = get_object_or_404(
        Event.objects.public()
        .select_related("process")
        .annotate(seated=_seated())
        .prefetch_related("deadlines", "deadlines__changes", "segments", "documents"),
        slug=slug,
    )
    deadline = found.registration_deadline
    can_register = found.is_published and deadline is not None and deadline.is_open(now)
    own = Registration.objects.of(request.user).filter(event=found).first()
    return render(
        request,
        "pages/event.html",
        {
            "now": now,
            "event": found,
            "deadline": deadline,
            "key_dates": _key_dates(found, now),
            "segments": sorted(
                found.segments.all(),
                key=lambda s: (s.date, s.starts_at or s.ends_at or LAST, s.name_en),
            ),
            "documents": sorted(found.documents.all(), key=lambda document: document.title_en),
            "seats": _seats(found, now),
            "follow_url": reverse("events:follow", args=[slug]) if _goes_on(found, now) else None,
            "register_url": reverse("registrations:start", args=[slug]) if can_register else None,
            "registration": own,
            "is_over": found.is_over(now),
            "list_url": reverse("pages:participants", args=[slug]) if _has_list(found) else None,
        },
    )


@never_cache
def participants(request: HttpRequest, slug: str) -> HttpResponse:
    """Who comes and has agreed to be named; read anew each time, so that nobody is named longer
    than they want."""
    found = get_object_or_404(Event.objects.public().select_related("process"), slug=slug)
    if not _has_list(found):
        raise Http404
    asked = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:LONGEST_SEARCH]
    people = _looked_for(Delegate.objects.listed().filter(registration__event=found), asked)
    in_order = people.select_related("representative", "registration__organisation").order_by(
        "representative__search_text", "pk"
    )
    page = Paginator(in_order, LISTED_AT_ONCE).get_page(request.GET.get("page"))
    context = {"event": found, "page": page, "asked": asked, "now": clock.now()}
    response = render(request, "pages/participants.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _has_list(found: Event) -> bool:
    return found.lists_participants and found.state != Event.State.CANCELLED


def _looked_for(people: DelegateQuerySet, asked: str) -> DelegateQuerySet:
    """Those of whom each word is in the name, the organisation or the country."""
    for word in matching.fold(asked).split()[:MOST_WORDS]:
        codes = [code for code, name in countries if word in matching.fold(name)]
        people = people.filter(
            Q(representative__search_text__contains=word)
            | Q(registration__organisation__search_text__contains=word)
            | Q(registration__organisation__country__in=codes)
        )
    return people


def _seated() -> Subquery:
    """How many seats of an event are given."""
    seated = Delegate.objects.seated().filter(registration__event=OuterRef("pk"))
    counted = seated.order_by().values("registration__event").annotate(n=Count("pk")).values("n")
    return Subquery(counted)


def _seats(found: Any, now: datetime) -> dict[str, Any] | None:
    """How many may come, and what is left of it where that decides at once."""
    if found.seats is None or not _goes_on(found, now) or not found.is_published:
        return None
    left = max(0, found.seats - (found.seated or 0)) if found.is_first_come else None
    return {"total": found.seats, "left": left, "is_full": left == 0}


def _goes_on(found: Event, now: datetime) -> bool:
    return found.state != Event.State.CANCELLED and not found.is_over(now)


def _with_deadlines(found: Any) -> Iterable[Event]:
    return found.prefetch_related("deadlines").in_order()


def _row(found: Event, deadline: Deadline | None) -> dict[str, Any]:
    return {"event": found, "deadline": deadline}


def _coming_and_past(found: list[Event], now: datetime) -> dict[str, Any]:
    rows = [_row(each, each.registration_deadline) for each in found]
    past = [row for row in rows if row["event"].is_over(now)]
    return {"coming": [row for row in rows if row not in past], "past": past[::-1]}


def _process_going_on(now: datetime, windows: list[Deadline]) -> Process | None:
    """The process of the next deadline, else that of the next event."""
    if windows:
        return windows[0].event.process
    coming = (
        Event.objects.public()
        .filter(ends_on__gte=now.date())
        .select_related("process")
        .in_order()
        .first()
    )
    return coming.process if coming else None


def _steps(found: list[Event], now: datetime) -> list[dict[str, Any]]:
    """The stages of a process, one per kind of its main meetings, in order of time. A process
    leads to its last conference; an earlier one is where it began."""
    names = {
        Event.Kind.THEMATIC_SESSION: _("Thematic sessions"),
        Event.Kind.HEARING: _("Multi-stakeholder hearings"),
        Event.Kind.STOCKTAKING: _("Stocktaking"),
        Event.Kind.NEGOTIATION_ROUND: _("Negotiations"),
        Event.Kind.REGIONAL_REVIEW: _("Regional reviews"),
        Event.Kind.CONFERENCE: _("Conference"),
    }
    stages = []
    for kind, name in names.items():
        meetings = [each for each in found if each.kind == kind]
        if kind == Event.Kind.CONFERENCE:
            meetings = meetings[-1:]
        if meetings:
            first = min(each.starts_on for each in meetings)
            last = max(each.ends_on for each in meetings)
            stages.append((first, last, name))
    return [
        {
            "title": name,
            "text": shown.months(first, last),
            "state": _state(first, last, now.date()),
            "tag": _("Now") if first <= now.date() <= last else "",
        }
        for first, last, name in sorted(stages)
    ]


def _state(first: date, last: date, today: date) -> str:
    if last < today:
        return "done"
    return "current" if first <= today else "next"


def _key_dates(found: Event, now: datetime) -> list[dict[str, Any]]:
    dates: list[tuple[datetime, dict[str, Any]]] = []
    for deadline in found.deadlines.all():
        kind = deadline.get_kind_display()
        if deadline.opens_at:
            dates.append(
                (
                    deadline.opens_at,
                    {
                        "title": _("%(kind)s: opens") % {"kind": kind},
                        "text": shown.moment(deadline.opens_at, deadline.zone),
                    },
                )
            )
        change = deadline.last_change
        dates.append(
            (
                deadline.closes_at,
                {
                    "title": _("%(kind)s: closes") % {"kind": kind},
                    "text": shown.closing(deadline.closes_at, deadline.zone),
                    "was": shown.closing(change.old_closes_at, deadline.zone) if change else "",
                },
            )
        )
    begins = found.begins_at
    dates.append(
        (
            begins,
            {
                "title": found.get_kind_display(),
                "text": shown.moment(begins, found.zone)
                if found.starts_at
                else shown.days(found.starts_on, found.ends_on),
            },
        )
    )
    ordered = sorted(dates, key=lambda pair: pair[0])
    coming = next((index for index, (moment, each) in enumerate(ordered) if moment > now), None)
    return [
        step | {"state": "done" if moment <= now else "current" if index == coming else "next"}
        for index, (moment, step) in enumerate(ordered)
    ]
