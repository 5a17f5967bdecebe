"""Calendar files (RFC 5545)."""

from datetime import UTC, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from events.models import Event

STATUS = {Event.State.CANCELLED: "CANCELLED", Event.State.POSTPONED: "TENTATIVE"}


def event_ics(request: HttpRequest, slug: str) -> HttpResponse:
    """The event and its deadlines. A deadline is an entry of no length at `closes_at`."""
    import icalendar

    event = get_object_or_404(
        Event.objects.public().prefetch_related("deadlines", "deadlines__changes"), slug=slug
    )
    host = urlsplit(settings.BASE_URL).hostname
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//GCM Portal//{host}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    address = f"{settings.BASE_URL}{event.get_absolute_url()}"

    meeting = icalendar.Event()
    meeting.add("uid", f"{event.id}@{host}")
    meeting.add("dtstamp", event.published_at)
    meeting.add("summary", event.name)
    meeting.add("url", address)
    meeting.add("status", STATUS.get(event.state, "CONFIRMED"))
    place = ", ".join(part for part in (event.room, event.venue, event.city) if part)
    if place:
        meeting.add("location", place)
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
        entry.add("dtstamp", deadline.set_at)
        entry.add("sequence", len(deadline.changes.all()))
        entry.add("dtstart", deadline.closes_at.astimezone(UTC))
        entry.add("transp", "TRANSPARENT")
        entry.add(
            "summary",
            _("%(kind)s closes: %(event)s")
            % {"kind": deadline.get_kind_display(), "event": event.name},
        )
        entry.add("description", deadline.said)
        entry.add("url", address)
        calendar.add_component(entry)

    return HttpResponse(
        calendar.to_ical(),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{event.slug}.ics"'},
    )
