from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Model, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

import clock
from clock import shown
from events.models import Document, Event, EventChange, Segment
from pages import cache
from pages.views.participants import has_list
from registrations.models import Delegate, Registration

FILES = {"PDF", "DOC", "DOCX", "ODT", "RTF", "XLS", "XLSX", "PPT", "PPTX", "MP3", "MP4", "ZIP"}
GATHERED = {"segment_rows": Segment, "document_rows": Document, "change_rows": EventChange}
LAST = datetime.max.replace(tzinfo=UTC)


def event(request: HttpRequest, slug: str) -> HttpResponse:
    now = clock.now()
    found = get_object_or_404(
        Event.objects.public()
        .select_related("process")
        .annotate(seated=seated(), **{name: _rows_of(model) for name, model in GATHERED.items()})
        .prefetch_related("deadlines", "deadlines__changes"),
        slug=slug,
    )
    gathered = {name: _read(model, getattr(found, name)) for name, model in GATHERED.items()}
    deadline = found.registration_deadline
    can_register = found.is_published and deadline is not None and deadline.is_open(now)
    own = Registration.objects.of(request.user).filter(event=found).first()
    response = render(
        request,
        "pages/event.html",
        {
            "now": now,
            "event": found,
            "deadline": deadline,
            "key_dates": _key_dates(found, now),
            "segments": sorted(
                gathered["segment_rows"],
                key=lambda s: (s.date, s.starts_at or s.ends_at or LAST, s.name_en),
            ),
            "documents": _documents(gathered["document_rows"]),
            "seats": seats(found, now),
            "turn": _turn(found, gathered["change_rows"]),
            "follow_url": follow_url(found, now),
            "check_url": reverse("pages:check", args=[slug]) if can_come_to(found, now) else None,
            "register_url": reverse("registrations:start", args=[slug]) if can_register else None,
            "registration": own,
            "is_over": found.is_over(now),
            "list_url": reverse("pages:participants", args=[slug]) if has_list(found) else None,
        },
    )
    cache.for_everybody(response, now, found.deadlines.all())
    return response


def _rows_of(model: type[Model]) -> ArraySubquery:
    """What belongs to an event, in the query that reads the event."""
    columns = {field.attname: field.attname for field in model._meta.concrete_fields}
    own = model._default_manager.filter(event=OuterRef("pk"))
    return ArraySubquery(own.values(row=JSONObject(**columns)))


def _read(model: type[Model], rows: list[dict[str, Any]]) -> list[Any]:
    fields = model._meta.concrete_fields
    return [
        model(**{field.attname: field.to_python(row[field.attname]) for field in fields})
        for row in rows
    ]


def seated() -> Subquery:
    """How many seats of an event are given."""
    people = Delegate.objects.seated().filter(registration__event=OuterRef("pk"))
    counted = people.order_by().values("registration__event").annotate(n=Count("pk")).values("n")
    return Subquery(counted)


def seats(found: Any, now: datetime) -> dict[str, Any] | None:
    """How many may come, and what is left of it where that decides at once."""
    if found.seats is None or not _goes_on(found, now) or not found.is_published:
        return None
    left = max(0, found.seats - (found.seated or 0)) if found.is_first_come else None
    return {"total": found.seats, "left": left, "is_full": left == 0}


def follow_url(found: Event, now: datetime) -> str | None:
    """Where one asks to be told, as long as there is something to tell."""
    return reverse("events:follow", args=[found.slug]) if _goes_on(found, now) else None


def can_come_to(found: Event, now: datetime) -> bool:
    """Groups register for it now, or will."""
    deadline = found.registration_deadline
    return found.is_published and deadline is not None and now < deadline.closes_at


def _turn(found: Event, changes: list[EventChange]) -> EventChange | None:
    """Why it does not take place when it was to, as far as somebody has said so."""
    if found.is_published and not found.previous_starts_on:
        return None
    return max(changes, key=lambda each: each.at, default=None)


def _documents(found: list[Document]) -> list[dict[str, Any]]:
    """Each with where it stands, and what it is where its address says so."""
    rows = []
    for document in sorted(found, key=lambda each: each.title_en):
        address = urlsplit(document.url)
        ending = PurePosixPath(address.path).suffix[1:].upper()
        rows.append(
            {
                "document": document,
                "host": (address.hostname or "").removeprefix("www."),
                "type": ending if ending in FILES else "",
            }
        )
    return rows


def _goes_on(found: Event, now: datetime) -> bool:
    """It takes place, or has no days yet."""
    return found.state == Event.State.POSTPONED or (found.is_published and not found.is_over(now))


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
