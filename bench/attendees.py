"""The organisers' attendee list: how long each look at it takes, and a file of all of it; and the
overview of an event."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench import counts, place, seed, walk
from events.models import Event, Track
from registrations import exports
from registrations.models import Delegate

LIST, EXPORT = "/admin/registrations/delegate/", "/admin/registrations/delegate/export/"
TRIES, WARM_UP, FEW = 20, 12, 10_000
SEARCH, LOOK, LOOK_AT_FEW, OVERVIEW = 300, 150, 100, 300
FILES = {"XLSX": 10, "CSV": 3}
FLAT = 15
COLUMNS = ["name", "organisation", "event", "role", "state", "place", "reference", "sent"]


def measure(course: Any, portal: place.Portal, now: datetime) -> None:
    manager = seed.manager(now)
    (session,) = seed.sessions([manager])
    look(course, session, now)
    course.add("queries of the attendee list", counts.queries_of_page(LIST, manager))
    overview(course, session)
    course.add("queries of the overview", counts.queries_of_page(overview_url(), manager))
    for kind, seconds in FILES.items():
        export(course, portal, session, kind, seconds)


def look(course: Any, session: str, now: datetime) -> None:
    order = {"session": session, "clients": 1, "seconds": 60}
    course.load("pages", path=LIST, limit=WARM_UP, **order)
    for name, query in looks(course.delegates, now).items():
        course.tell(f"attendee list, {name}")
        measured = course.load("pages", path=LIST + query, limit=TRIES, **order)
        promise = LOOK_AT_FEW if course.delegates <= FEW else LOOK
        if "search" in name:
            promise = SEARCH
        if name == "counts on request":
            promise = None
        course.add(f"attendee list, {name}, p95", measured["p95"], "ms", promise)


def overview(course: Any, session: str) -> None:
    """Of the event with most people."""
    course.tell("overview of an event")
    order = {"path": overview_url(), "session": session, "clients": 1, "seconds": 60}
    course.load("pages", limit=3, **order)
    measured = course.load("pages", limit=TRIES, **order)
    people = Delegate.objects.filter(registration__event__slug=seed.HEARING).count()
    name = f"overview of an event of {people:,} people, p95"
    course.add(name, measured["p95"], "ms", OVERVIEW)


def overview_url() -> str:
    return f"/admin/events/event/{Event.objects.get(slug=seed.HEARING).pk}/overview/"


def looks(delegates: int, now: datetime) -> dict[str, str]:
    """What an organiser asks of the list, by name."""
    small = Event.objects.get(slug=seed.SMALL).pk
    track = Track.objects.filter(event=small).first().pk
    filters = {
        "state": "state=submitted",
        "event": f"registration__event__id__exact={small}",
        "role": "role=head",
        "stakeholder group": "category=youth",
        "region": "region=002",
        "country": "country=ML",
        "organisation": f"organisation={quote('network 12')}",
        "track": f"track={track}",
        "sent in 7 days": "since=week",
        "sent since a day": f"since={(now - timedelta(days=10)).date()}",
    }
    searches = {
        "few hits": seed.RARE,
        "many hits": "traore",
        "many hits, Arabic": "جمعيات",
        "no hit": "qqqqqq",
    }
    last = delegates * 9 // 10 // 50
    return {
        "first page": "",
        **{f"filtered by {name}": f"?{query}" for name, query in filters.items()},
        **{f"sorted by {name}": f"?o={n}" for n, name in enumerate(COLUMNS, start=1)},
        "page in the middle": f"?p={max(last // 2, 1)}",
        "page near the end": f"?p={max(last, 1)}",
        "counts on request": "?_facets=True",
        **{f"search, {name}": f"?q={quote(word)}" for name, word in searches.items()},
    }


def export(course: Any, portal: place.Portal, session: str, kind: str, promise: int) -> None:
    """Of all people with every column; how much memory it takes, beside a file of a tenth."""
    every = ",".join(exports.COLUMNS)
    small = Event.objects.get(slug=seed.SMALL)
    tenth = f"registration__event__id__exact={small.pk}"
    people = Delegate.objects.sent().filter(registration__event__process__slug=seed.SLUG)
    grown = {}
    for name, query in (("a tenth", tenth), ("all", "")):
        course.tell(f"{kind} of {name}")
        before = peaks(portal, reset=True)
        path = f"{EXPORT}?columns={every}&{query}"
        got = course.visit(act="download", session=session, path=path, kind=kind)
        after = peaks(portal)
        grown[name] = max(after[pid] - before[pid] for pid in before)
        if got["bytes"] < 20 * people.count() * (1 if name == "all" else 0):
            raise walk.Lost(f"{path} gave {got['bytes']} bytes")
    course.add(f"{kind} of {people.count():,} people, every column", got["seconds"], "s", promise)
    course.add(f"{kind} of all, size", got["bytes"] / 2**20, "MB")
    course.add(f"{kind} of a tenth, memory grows by", grown["a tenth"], "MB")
    course.add(f"{kind} of all, memory grows by", grown["all"], "MB", FLAT)


def peaks(portal: place.Portal, *, reset: bool = False) -> dict[int, float]:
    """The most memory that each web process has held since it was last asked, in MB."""
    found = {}
    for pid in place.children(portal.web):
        if reset:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                found[pid] = int(line.split()[1]) / 1024
    return found
