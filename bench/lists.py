"""A list of people for an event: how long it takes to look at, to bring in and to take back."""

import csv
import io
import time
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from bench import names, seed
from bench.place import Trouble
from events.models import Event
from registrations import importing, refusals, undoing
from registrations.models import Registration
from stakeholders import refusals as list_refusals

if TYPE_CHECKING:
    from bench.course import Course

ROWS = 5_000
KNOWN, NEW = 500, 500
"""Groups of the list: those that have sent people already, and those of which nobody knows."""
HEAD = ["organisation", "country", "stakeholder group", "given names", "family name", "email"]
SEED = 20_180_222


def measure(course: "Course", now: datetime) -> None:
    """In a transaction that is taken back: nothing of it stays."""
    event = Event.objects.get(process__slug=seed.SLUG, slug=seed.HEARING)
    by = seed.manager(now)
    try:
        with transaction.atomic():
            content = listed(event)
            began = time.monotonic()
            run = importing.read(event, "people.csv", content, by=by, now=now)
            importing.choose(run, run.columns, track=event.tracks.first())
            took = time.monotonic() - began
            course.add(f"a list of {len(run.rows):,} people, looked at", took, "s", 10)
            course.add("of them, those who come in", run.counts[importing.COMES])
            _time(course, "brought in", lambda: importing.apply(run, by=by, now=now))
            _time(course, "taken back", lambda: undoing.undo(run, by=by, now=now))
            course.add("people who stay of it", len(run.stayed), "", 0)
            transaction.set_rollback(True)
    except (refusals.Refusal, list_refusals.Refusal) as refused:
        raise Trouble(str(refused)) from None
    seed.tidy()


def listed(event: Event) -> bytes:
    """Half of the people come for groups that are in the event, half for groups of their own."""
    sent = Registration.objects.filter(event=event, sent_at__isnull=False, withdrawn_at=None)
    there = sent.exclude(organisation__country="").exclude(organisation__category="")
    groups = [
        [name, str(country), category]
        for name, country, category in there.order_by("pk").values_list(
            "organisation__name", "organisation__country", "organisation__category"
        )[:KNOWN]
    ]
    groups += [[name, "MT", "diaspora"] for name in names.invented(NEW, seed=SEED)[:NEW]]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    for number in range(ROWS):
        person = [f"Given {number}", "Family", f"person-{number}@lists.example"]
        writer.writerow([*groups[number % len(groups)], *person])
    return text.getvalue().encode()


def _time(course: "Course", what: str, act) -> None:
    began = time.monotonic()
    act()
    course.add(f"the same list, {what}", time.monotonic() - began, "s")
