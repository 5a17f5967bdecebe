from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

import clock
from clock import shown
from events.models import Deadline, Event, Process
from pages import cache


def home(request: HttpRequest) -> HttpResponse:
    """Have your say: what is open, what opens soon, where the process stands."""
    now = clock.now()
    windows = list(
        Deadline.objects.of_shown_events()
        .filter(kind=Deadline.Kind.REGISTRATION, closes_at__gt=now)
        .select_related("event", "event__process")
        .order_by("closes_at", "event__slug")
    )
    opened = [_row(window.event, window) for window in windows if window.is_open(now)]
    later = [_row(window.event, window) for window in windows if window.is_not_yet_open(now)]
    going_on = _process_going_on(now, windows)
    events = list(going_on.events.public().in_order()) if going_on else []
    response = render(
        request,
        "pages/home.html",
        {
            "now": now,
            "open": opened,
            "soon": sorted(later, key=lambda row: row["deadline"].opens_at),
            "process": going_on,
            "steps": _steps(events, now),
        },
    )
    cache.for_everybody(response, now, windows)
    return response


def process(request: HttpRequest, slug: str) -> HttpResponse:
    now = clock.now()
    found = get_object_or_404(Process, slug=slug)
    of_process = list(found.events.public().prefetch_related("deadlines").in_order())
    response = render(
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
    cache.for_everybody(response, now, _deadlines_of(of_process))
    return response


def _deadlines_of(found: Iterable[Event]) -> list[Deadline]:
    return [deadline for each in found for deadline in each.deadlines.all()]


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
