"""What has happened to events, as a feed (RFC 4287) tells it: how things stood then."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery
from django.template.loader import render_to_string
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from events.models import Deadline, DeadlineChange, Event, EventChange, Process

MOST = 50
BEFORE_ALL_NEWS = datetime(1970, 1, 1, tzinfo=UTC)
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
State = Event.State


@dataclass(frozen=True)
class Item:
    """One thing that has happened to an event."""

    what: str
    of: UUID
    at: datetime
    event: Event
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for good (RFC 4151), whichever feed it stands in; each language has its own."""
        host = urlsplit(settings.BASE_URL).hostname
        day = self.at.astimezone(UTC).date()
        return f"tag:{host},{day}:{get_language()}/{self.what}/{self.of}"

    @property
    def title(self) -> str:
        names = {"event": self.event.name, "kind": self.facts.get("kind", "")}
        return _titles()[self.what] % names


class _Feed(Atom1Feed):
    def latest_post_date(self) -> datetime:
        """Of a feed without news, always the same."""
        return super().latest_post_date() if self.items else BEFORE_ALL_NEWS


def newest(now: datetime, process: Process | None = None) -> list[Item]:
    """The newest first; of everything, or of one process. Five queries."""
    events = Event.objects.public()
    if process is not None:
        events = events.filter(process=process)
    items = [*_published(events), *_opened(events, now), *_moved(events), *_turned(events)]
    return sorted(items, key=lambda item: (item.at, item.what, item.of), reverse=True)[:MOST]


def written(items: Iterable[Item], *, title: str, page: str, address: str) -> str:
    """The feed, in the language that is spoken now."""
    feed = _Feed(
        title=_clean(title),
        link=f"{settings.BASE_URL}{page}",
        description="",
        language=get_language(),
        author_name=_("GCM Portal"),
        feed_url=f"{settings.BASE_URL}{address}",
        feed_guid=f"{settings.BASE_URL}{address}",
    )
    for item in items:
        feed.add_item(
            title=_clean(item.title),
            link=f"{settings.BASE_URL}{item.event.get_absolute_url()}",
            description=_clean(render_to_string("pages/news_item.html", _context(item))).strip(),
            unique_id=item.id,
            pubdate=item.at,
            updateddate=item.at,
        )
    said: str = feed.writeString("utf-8")
    return said


def _titles() -> dict[str, str]:
    return {
        "published": _("New: %(event)s"),
        "opened": _("%(kind)s is open: %(event)s"),
        "deadline": _("%(kind)s closes at another time: %(event)s"),
        "days": _("Other days: %(event)s"),
        "postponed": _("Postponed: %(event)s"),
        "cancelled": _("Cancelled: %(event)s"),
    }


def _context(item: Item) -> dict[str, Any]:
    return {"what": item.what, "event": item.event, "at": item.at} | item.facts


def _published(events: Any) -> Iterator[Item]:
    for event in events.select_related("process").order_by("-published_at", "pk")[:MOST]:
        yield Item("published", event.pk, event.published_at, event)


def _opened(events: Any, now: datetime) -> Iterator[Item]:
    """Windows of events that took place as things stood then; those that had opened when the event
    was published are part of that news."""
    before = EventChange.objects.filter(event=OuterRef("event"), at__lte=OuterRef("opens_at"))
    state = before.order_by("-at").values("new_state")[:1]
    found = (
        Deadline.objects.filter(event__in=events, opens_at__lte=now)
        .exclude(kind=Deadline.Kind.CONFIRMATION)
        .filter(opens_at__gt=F("event__published_at"))
        .annotate(then=Subquery(state))
        .filter(Q(then=None) | Q(then=State.PUBLISHED))
        .select_related("event")
        .prefetch_related("changes")
    )
    for deadline in found.order_by("-opens_at", "pk")[:MOST]:
        assert deadline.opens_at is not None
        facts = {
            "kind": deadline.get_kind_display(),
            "zone": deadline.zone,
            "closes_at": _closed_then(deadline, deadline.opens_at),
        }
        yield Item("opened", deadline.pk, deadline.opens_at, deadline.event, facts)


def _closed_then(deadline: Deadline, moment: datetime) -> datetime:
    """When it was to close, as things stood at that moment."""
    later = [change for change in deadline.changes.all() if change.at > moment]
    first = min(later, key=lambda change: change.at, default=None)
    return first.old_closes_at if first else deadline.closes_at


def _moved(events: Any) -> Iterator[Item]:
    """Until when people confirm is nothing to those who are not in a delegation."""
    found = (
        DeadlineChange.objects.filter(deadline__event__in=events)
        .exclude(deadline__kind=Deadline.Kind.CONFIRMATION)
        .filter(at__gte=F("deadline__event__published_at"))
        .select_related("deadline__event")
    )
    for change in found.order_by("-at", "pk")[:MOST]:
        deadline = change.deadline
        facts = {
            "kind": deadline.get_kind_display(),
            "zone": deadline.zone,
            "old": change.old_closes_at,
            "new": change.new_closes_at,
            "reason": change.reason,
        }
        yield Item("deadline", change.pk, change.at, deadline.event, facts)


def _turned(events: Any) -> Iterator[Item]:
    """Postponed, cancelled, or on other days."""
    found = EventChange.objects.filter(event__in=events).select_related("event")
    for change in found.order_by("-at", "pk")[:MOST]:
        what = "days" if change.new_state == State.PUBLISHED else change.new_state
        yield Item(what, change.pk, change.at, change.event, {"change": change})


def _clean(text: str) -> str:
    """Without what may not stand in XML, nor be written so that it could."""
    return NOT_IN_XML.sub("", text)
