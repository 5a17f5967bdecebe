from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls.converters import StringConverter

import clock
from clock import walls
from events.models import Deadline, Event
from pages import cache, finding

ONE_DAY = timedelta(days=1)


class MonthConverter(StringConverter):
    """“2018-02”, as its first day. Of the years whose days can be typed."""

    regex = "(?:199[0-9]|20[0-9]{2}|2100)-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date) -> str:
        return f"{value:%Y-%m}"


@dataclass(frozen=True)
class Item:
    """What stands on a day: an event that begins (or goes on), or a window that opens or closes."""

    day: date
    at: datetime
    what: str
    event: Event
    deadline: Deadline | None = None


def calendar(request: HttpRequest, month: date | None = None) -> HttpResponse:
    """What happens in a month, day by day; this one where none is named."""
    now = clock.now()
    this_month = now.date().replace(day=1)
    month = month or this_month
    end = _next(month)
    events = list(
        Event.objects.public()
        .filter(starts_on__lt=end, ends_on__gte=month)
        .select_related("process")
    )
    windows = list(_windows_near(month, end))
    items = [each for each in _items(events, windows, month) if month <= each.day < end]
    items.sort(key=lambda each: (each.day, each.at, each.what, each.event.slug))
    others = sorted({each for each in _months() if each != month} | {this_month} - {month})
    context = {
        "now": now,
        "month": month,
        "days": [(day, list(of_day)) for day, of_day in groupby(items, key=lambda each: each.day)],
        "today": now.date(),
        "earlier": max((each for each in others if each < month), default=None),
        "later": min((each for each in others if each > month), default=None),
    }
    response = render(request, "pages/calendar.html", context)
    cache.for_everybody(response, now, windows)
    return response


def _next(month: date) -> date:
    return (month + 31 * ONE_DAY).replace(day=1)


def _windows_near(month: date, end: date) -> Iterable[Deadline]:
    """Those that turn in this month, in whichever zone."""
    near = [
        datetime.combine(day, time(), UTC) + step
        for day, step in ((month, -ONE_DAY), (end, 2 * ONE_DAY))
    ]
    return (
        Deadline.objects.of_shown_events()
        .filter(Q(closes_at__range=near) | Q(opens_at__range=near))
        .select_related("event", "event__process")
    )


def _items(events: Iterable[Event], windows: Iterable[Deadline], month: date) -> Iterator[Item]:
    for event in events:
        day = max(event.starts_on, month)
        begins = event.begins_at if day == event.starts_on else walls.start_of(day, event.zone)
        yield Item(day, begins, "event", event)
    for window in windows:
        if window.opens_at:
            yield Item(
                _day(window, window.opens_at), window.opens_at, "opens", window.event, window
            )
        last = walls.last_minute(window.closes_at, window.zone)
        yield Item(_day(window, last), last, "closes", window.event, window)


def _day(window: Deadline, at: datetime) -> date:
    return at.astimezone(walls.zone_of(window.zone)).date()


def _months() -> set[date]:
    """All in which something stands."""
    days = Event.objects.public().values_list("starts_on", "ends_on")
    found = {
        date.fromisoformat(f"{each}-01")
        for first, last in days
        for each in finding.months_and_years(first, last)
        if len(each) > 4
    }
    windows: Any = Deadline.objects.of_shown_events().only("opens_at", "closes_at", "zone")
    for window in windows:
        moments = [window.opens_at, walls.last_minute(window.closes_at, window.zone)]
        found |= {_day(window, at).replace(day=1) for at in moments if at}
    return found
