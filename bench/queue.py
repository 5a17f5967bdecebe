"""The review queue, with all delegates in one event: how long each look at it takes, and how long
the overview of that event does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.db import transaction

from bench import counts, seed
from events.models import Event
from registrations.models import Delegate, Registration

TRIES, WARM_UP, PROMISE = 20, 6, 300


def measure(course: Any, now: datetime) -> None:
    manager = seed.manager(now)
    (session,) = seed.sessions([manager])
    hearing = Event.objects.get(slug=seed.HEARING)
    url = f"/admin/events/event/{hearing.pk}"
    order = {"session": session, "clients": 1, "seconds": 60}
    with all_at(hearing):
        people = Delegate.objects.sent().filter(registration__event=hearing).count()
        course.add("review queue, people in the event", people)
        course.load("pages", path=f"{url}/queue/", limit=WARM_UP, **order)
        for name, query in looks(hearing).items():
            course.tell(f"review queue, {name}")
            measured = course.load("pages", path=f"{url}/queue/{query}", limit=TRIES, **order)
            course.add(f"review queue, {name}, p95", measured["p95"], "ms", PROMISE)
        course.tell("overview beside the review queue")
        measured = course.load("pages", path=f"{url}/overview/", limit=TRIES, **order)
        course.add("overview of the same event, p95", measured["p95"], "ms", PROMISE)
        queries = counts.queries_of_page(f"{url}/queue/", manager)
        course.add("queries of the review queue", queries)


def looks(hearing: Event) -> dict[str, str]:
    """What an organiser asks of the queue, by name."""
    case = hearing.registrations.exclude(sent_at=None).order_by("sent_at")[25]
    return {
        "what waits": "",
        "everything": "?status=all",
        "filtered by status": "?status=approved&status=declined",
        "filtered by stakeholder group": "?status=all&category=youth",
        "filtered by region": "?status=all&region=002",
        "newest first": "?sort=newest",
        "by name": "?status=all&sort=name",
        "page in the middle": "?status=all&page=200",
        "with a case open": f"?case={case.reference}",
        "search, few hits": f"?status=all&q={quote(seed.RARE)}",
        "search, many hits": "?status=all&q=traore",
        "search, no hit": "?status=all&q=qqqqqq",
    }


@contextmanager
def all_at(hearing: Event) -> Iterator[None]:
    """Every measured delegation is of this one event meanwhile."""
    others = Registration.objects.filter(event__process=hearing.process).exclude(event=hearing)
    before = list(others.only("event", "track"))
    others.update(event=hearing, track=None)
    seed.tidy()
    try:
        yield
    finally:
        with transaction.atomic():
            Registration.objects.bulk_update(before, ["event", "track"], batch_size=2000)
        seed.tidy()
