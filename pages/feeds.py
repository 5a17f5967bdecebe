"""Calendar files (RFC 5545)."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from audit.models import Entry
from events.models import Event

STATUS = {Event.State.CANCELLED: "CANCELLED", Event.State.POSTPONED: "TENTATIVE"}
TURNS = ("moved", "postponed", "cancelled")
CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def _line(text: str) -> str:
    """What was typed, without characters that a calendar may not hold."""
    return " ".join(CONTROLS.sub(" ", text).split())


def _turns_and_last_change(event: Event) -> tuple[int, datetime | None]:
    """How often the meeting was turned, and when anything about it was last changed."""
    found = Entry.objects.about(event).aggregate(
        turns=Count("pk", filter=Q(verb__in=TURNS)),
        last=Max("at", filter=Q(verb__in=(*TURNS, "changed"))),
    )
    return found["turns"], found["last"]


def event_ics(request: HttpRequest, slug: str) -> HttpResponse:
    """The event and its deadlines. A deadline is an entry of no length at `closes_at`."""
    import icalendar

    event = get_object_or_404(
        Event.objects.public().prefetch_related("deadlines", "deadlines__changes"), slug=slug
    )
    turns, last_change = _turns_and_last_change(event)
    changed_at = max(filter(None, (event.published_at, last_change)))
    is_cancelled = event.state == Event.State.CANCELLED
    host = urlsplit(settings.BASE_URL).hostname
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//GCM Portal//{host}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    address = f"{settings.BASE_URL}{event.get_absolute_url()}"

    meeting = icalendar.Event()
    meeting.add("uid", f"{event.id}@{host}")
    meeting.add("dtstamp", changed_at)
    meeting.add("last-modified", changed_at)
    meeting.add("sequence", turns)
    meeting.add("summary", _line(event.name))
    meeting.add("url", address)
    meeting.add("status", STATUS.get(event.state, "CONFIRMED"))
    place = ", ".join(part for part in (event.room, event.venue, event.city) if part)
    if place:
        meeting.add("location", _line(place))
    if event.starts_at:
        meeting.add("dtstart", event.starts_at.astimezone(UTC))
        if event.ends_at:
            meeting.add("dtend", event.ends_at.astimezone(UTC))
    else:
        meeting.add("dtstart", event.starts_on)
        meeting.add("dtend", event.ends_on + timedelta(days=1))
    calendar.add_component(meeting)

    for deadline in sorted(event.deadlines.all(), key=lambda each: each.closes_at):
        entry = icalendar.Event()
        entry.add("uid", f"{deadline.id}@{host}")
        entry.add("dtstamp", max(deadline.set_at, changed_at) if is_cancelled else deadline.set_at)
        entry.add("sequence", len(deadline.changes.all()) + is_cancelled)
        if is_cancelled:
            entry.add("status", "CANCELLED")
        entry.add("dtstart", deadline.closes_at.astimezone(UTC))
        entry.add("transp", "TRANSPARENT")
        entry.add(
            "summary",
            _("%(kind)s closes: %(event)s")
            % {"kind": deadline.get_kind_display(), "event": _line(event.name)},
        )
        entry.add("description", deadline.said)
        entry.add("url", address)
        calendar.add_component(entry)

    return HttpResponse(
        calendar.to_ical(),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{event.slug}.ics"'},
    )
