"""What calendar files say (RFC 5545). An entry has the same UID in every file that it stands in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Entry
from events.models import Deadline, Event, EventQuerySet
from events.texts import listed
from registrations import links
from registrations.models import Delegate, Exemption, Registration

STATUS = {Event.State.CANCELLED: "CANCELLED", Event.State.POSTPONED: "TENTATIVE"}
TURNS = ("moved", "postponed", "cancelled")
CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
LOOK_AGAIN_AFTER = timedelta(hours=6)


class Story(NamedTuple):
    """How often a meeting was turned, and when anything about it was last changed."""

    turns: int
    changed_at: datetime


@dataclass
class Own:
    """What somebody has to do with an event: by which references, and what is asked of them alone
    until other moments than of everybody."""

    references: list[str] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)


def dated(found: EventQuerySet) -> EventQuerySet:
    """With what an entry says of their windows."""
    return found.prefetch_related("deadlines", "deadlines__changes").in_order()


def of_events(events: Iterable[Event], *, name: str = "") -> bytes:
    """The meetings, and their windows."""
    events = list(events)
    return _file(name, _entries(events, {}))


def of_deadlines(events: Iterable[Event], *, name: str) -> bytes:
    """The windows alone, the first to close first."""
    stories = _stories(events := list(events))
    windows = [_window(deadline, stories) for each in events for deadline in _windows(each)]
    return _file(name, sorted(windows, key=lambda entry: (entry["dtstart"], entry["uid"])))


def of_person(user: User, *, name: str) -> bytes:
    """The events at which this person has a delegation, with what is asked of it alone. It names
    nobody: whoever gets hold of the address learns of no one else."""
    registrations = list(
        Registration.objects.of(user).filter(withdrawn_at=None).order_by("reference").distinct()
    )
    events = list(
        dated(Event.objects.public().filter(pk__in={each.event_id for each in registrations}))
    )
    return _file(name, _entries(events, _own(registrations, events)))


def _entries(events: list[Event], own: Mapping[UUID, Own]) -> list[dict[str, Any]]:
    stories = _stories(events)
    entries = []
    for event in events:
        mine = own.get(event.pk, Own())
        entries.append(_meeting(event, stories[event.pk], mine.references))
        entries += [_window(deadline, stories) for deadline in _windows(event)]
        entries += mine.windows
    return entries


def _windows(event: Event) -> list[Deadline]:
    return sorted(event.deadlines.all(), key=lambda each: (each.closes_at, each.kind))


def _stories(events: Iterable[Event]) -> dict[UUID, Story]:
    published = {event.pk: event.published_at for event in events}
    found = (
        Entry.objects.filter(
            subject_type=Event._meta.label_lower, subject_id__in=map(str, published)
        )
        .order_by()
        .values_list("subject_id")
        .annotate(
            turns=Count("pk", filter=Q(verb__in=TURNS)),
            last=Max("at", filter=Q(verb__in=(*TURNS, "changed"))),
        )
    )
    told = {UUID(pk): (turns, last) for pk, turns, last in found}
    return {
        pk: Story(turns, max(filter(None, (at, last))))
        for pk, at in published.items()
        for turns, last in [told.get(pk, (0, None))]
    }


def _meeting(event: Event, story: Story, references: list[str]) -> dict[str, Any]:
    place = ", ".join(part for part in (event.room, event.venue, event.city) if part)
    return {
        "uid": _uid(event.id),
        "dtstamp": story.changed_at,
        "last-modified": story.changed_at,
        "sequence": story.turns,
        "summary": one_line(event.name),
        "url": _address(event),
        "status": STATUS.get(Event.State(event.state), "CONFIRMED"),
        **({"location": one_line(place)} if place else {}),
        **({"description": _registered(references)} if references else {}),
        **_when(event),
    }


def _when(event: Event) -> dict[str, date]:
    """Its hours, or whole days where none are known."""
    if event.starts_at is None:
        return {"dtstart": event.starts_on, "dtend": event.ends_on + timedelta(days=1)}
    ends = {"dtend": event.ends_at.astimezone(UTC)} if event.ends_at else {}
    return {"dtstart": event.starts_at.astimezone(UTC), **ends}


def _window(deadline: Deadline, stories: Mapping[UUID, Story]) -> dict[str, Any]:
    """An entry of no length at `closes_at`."""
    event = deadline.event
    is_cancelled = event.state == Event.State.CANCELLED
    changed_at = stories[event.pk].changed_at
    return _closing(event, deadline.get_kind_display(), deadline.closes_at, deadline.id) | {
        "dtstamp": max(deadline.set_at, changed_at) if is_cancelled else deadline.set_at,
        "sequence": len(deadline.changes.all()) + is_cancelled,
        "description": deadline.said,
        **({"status": "CANCELLED"} if is_cancelled else {}),
    }


def _closing(event: Event, kind: str, closes_at: datetime, of: UUID | str) -> dict[str, Any]:
    name = {"kind": kind, "event": one_line(event.name)}
    return {
        "uid": _uid(of),
        "dtstart": closes_at.astimezone(UTC),
        "transp": "TRANSPARENT",
        "summary": _("%(kind)s closes: %(event)s") % name,
        "url": _address(event),
    }


def _own(registrations: list[Registration], events: list[Event]) -> dict[UUID, Own]:
    by_pk = {event.pk: event for event in events}
    own = {pk: Own() for pk in by_pk}
    for registration in registrations:
        if registration.event_id in own:
            own[registration.event_id].references.append(registration.reference)
    for registration, delegates in _still_asked(registrations):
        event = by_pk.get(registration.event_id)
        if event and event.is_published:
            own[event.pk].windows += _own_confirmation(event, registration, delegates)
    for exemption, reference in _let_in(registrations):
        event = by_pk.get(exemption.event_id)
        if event and event.is_published:
            own[event.pk].windows.append(_own_registration(event, exemption, reference))
    return own


def _still_asked(
    registrations: list[Registration],
) -> Iterable[tuple[Registration, list[Delegate]]]:
    """The people who have yet to confirm, by their delegation."""
    by_pk = {each.pk: (each, list[Delegate]()) for each in registrations}
    for delegate in Delegate.objects.to_confirm().filter(registration__in=by_pk):
        by_pk[delegate.registration_id][1].append(delegate)
    return by_pk.values()


def _own_confirmation(
    event: Event, registration: Registration, delegates: list[Delegate]
) -> list[dict[str, Any]]:
    """Whoever got a place late has longer than the others: until when the first of them has."""
    deadline = event.confirmation_deadline
    if deadline is None:
        return []
    registration.event = event
    for delegate in delegates:
        delegate.registration = registration
    later = [
        (until, one.asked_at)
        for one in delegates
        if one.asked_at and (until := links.answer_until(one)) and until != deadline.closes_at
    ]
    if not later:
        return []
    until, asked_at = min(later)
    kind = deadline.get_kind_display()
    return [
        _closing(event, kind, until, f"confirmation-{registration.id}")
        | {
            "dtstamp": max(asked_at, deadline.set_at),
            "sequence": len(deadline.changes.all()),
            "description": _registered([registration.reference]),
        }
    ]


def _let_in(registrations: list[Registration]) -> Iterable[tuple[Exemption, str]]:
    """The delegations that may be sent after the close."""
    of = {(each.event_id, each.organisation_id): each.reference for each in registrations}
    found = Exemption.objects.exclude(until=None).filter(
        event__in={event for event, _organisation in of},
        organisation__in={organisation for _event, organisation in of},
    )
    for exemption in found.order_by("until", "pk"):
        reference = of.get((exemption.event_id, exemption.organisation_id))
        if reference:
            yield exemption, reference


def _own_registration(event: Event, exemption: Exemption, reference: str) -> dict[str, Any]:
    assert exemption.until is not None
    kind = str(Deadline.Kind.REGISTRATION.label)
    return _closing(event, kind, exemption.until, exemption.id) | {
        "dtstamp": exemption.answered_at,
        "sequence": 0,
        "description": _registered([reference]),
    }


def _registered(references: list[str]) -> str:
    return _("Your registration: %(reference)s") % {"reference": listed(references)}


def _uid(of: UUID | str) -> str:
    return f"{of}@{_host()}"


def _address(event: Event) -> str:
    return f"{settings.BASE_URL}{event.get_absolute_url()}"


def _host() -> str:
    return urlsplit(settings.BASE_URL).hostname or ""


def one_line(text: str) -> str:
    """What was typed, without characters that a calendar may not hold."""
    return " ".join(CONTROLS.sub(" ", text).split())


def _file(name: str, entries: Iterable[dict[str, Any]]) -> bytes:
    import icalendar

    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//GCM Portal//{_host()}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("name", one_line(name))
        calendar.add("x-wr-calname", one_line(name))
        calendar.add("refresh-interval", LOOK_AGAIN_AFTER, parameters={"value": "DURATION"})
    for facts in entries:
        entry = icalendar.Event()
        for key, value in facts.items():
            entry.add(key, value)
        calendar.add_component(entry)
    written: bytes = calendar.to_ical()
    return written
