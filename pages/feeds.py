"""Files that calendars and feed readers ask for again and again."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import conditional_page

import clock
from accounts import calendars as secrets
from events.models import Event, Process
from pages import calendars, news


@conditional_page
def event_ics(request: HttpRequest, slug: str) -> HttpResponse:
    """The event and its deadlines."""
    event = get_object_or_404(calendars.dated(Event.objects.public()), slug=slug)
    return _calendar(calendars.of_events([event]), event.slug)


@conditional_page
def process_ics(request: HttpRequest, slug: str) -> HttpResponse:
    """All events of the process and their deadlines."""
    process = get_object_or_404(Process, slug=slug)
    events = calendars.dated(Event.objects.public().filter(process=process))
    return _calendar(calendars.of_events(events, name=process.name), process.slug)


@conditional_page
def deadlines_ics(request: HttpRequest) -> HttpResponse:
    """The deadlines of all events."""
    events = calendars.dated(Event.objects.public())
    return _calendar(calendars.of_deadlines(events, name=_("All deadlines")), "deadlines")


@never_cache
def own_ics(request: HttpRequest, secret: str) -> HttpResponse:
    """What one person has registered for: a calendar program comes without signing in."""
    user = secrets.owner(secret)
    if user is None:
        raise Http404
    response = _calendar(calendars.of_person(user, name=_("My registrations")), "calendar")
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@conditional_page
def news_atom(request: HttpRequest) -> HttpResponse:
    """What has happened to any event."""
    now = clock.now()
    return _feed(request, now, title=_("News of all events"), page=reverse("pages:events"))


@conditional_page
def process_atom(request: HttpRequest, slug: str) -> HttpResponse:
    """What has happened to events of one process."""
    process, now = get_object_or_404(Process, slug=slug), clock.now()
    title = _("News of “%(process)s”") % {"process": process.name}
    return _feed(request, now, title=title, page=process.get_absolute_url(), process=process)


def _calendar(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.ics"'},
    )


def _feed(
    request: HttpRequest, now: datetime, *, title: str, page: str, process: Process | None = None
) -> HttpResponse:
    items = news.newest(now, process)
    content = news.written(items, title=title, page=page, address=request.path)
    response = HttpResponse(content, content_type="application/atom+xml; charset=utf-8")
    if items:
        response.headers["Last-Modified"] = http_date(items[0].at.timestamp())
    return response
