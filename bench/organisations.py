"""A list of organisations: how long it takes to bring in, and who is found afterwards."""

import csv
import io
import os
import random
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import User
from bench import figures, names, seed
from bench.figures import LEAST
from bench.place import Trouble
from stakeholders import importing, refusals
from stakeholders.models import ImportRun, Organisation

if TYPE_CHECKING:
    from bench.course import Course

INVENTED = 8_000
ALIKE = 20_000
ASKED = 200
SEED = 20_180_221


def measure(course: "Course", now: datetime) -> None:
    """In a transaction that is taken back: nothing of it stays."""
    content = listed()
    by = seed.manager(now)
    try:
        with transaction.atomic():
            _bring_in(course, content, by, now)
            _turn_away(course, by, now)
            transaction.set_rollback(True)
    except refusals.Refusal as refused:
        raise Trouble(str(refused)) from None
    seed.tidy()


def listed() -> bytes:
    """The list that BENCH_ORGANISATIONS names, or invented names."""
    path = os.environ.get("BENCH_ORGANISATIONS")
    if path:
        return Path(path).read_bytes()
    text = io.StringIO()
    csv.writer(text).writerows(
        [["name"], *([name] for name in names.invented(INVENTED, seed=SEED))]
    )
    return text.getvalue().encode()


def _bring_in(course: "Course", content: bytes, by: User, now: datetime) -> None:
    began = time.monotonic()
    run = importing.read("organisations.csv", content, by=by, now=now)
    importing.decide_rest(run, importing.NEW)
    importing.apply(run, by=by, now=now)
    took = time.monotonic() - began
    rows = importing.rows(run)
    course.add(f"a list of {len(rows):,} organisations, read and brought in", took, "s", 30)
    course.add("rows that a person decides", run.counts["near"])
    course.add("groups of near-duplicates", groups(rows))

    again = importing.read("organisations.csv", content, by=by, now=now)
    importing.apply(again, by=by, now=now)
    added = again.counts[importing.CREATED] + again.counts[importing.JOINED]
    course.add("organisations that a second run adds", added, "", 0)

    _search(course, run)
    strange = names.strangers(ASKED, [row.name for row in rows], seed=SEED)
    file = "name\n" + "\n".join(strange)
    strangers = importing.read("strangers.csv", file.encode(), by=by, now=now)
    joined = strangers.counts[importing.KNOWN]
    course.add(f"of {ASKED} strangers, joined without a person", joined, "", 0)


def _turn_away(course: "Course", by: User, now: datetime) -> None:
    """A list whose names are all alike would take minutes to compare."""
    content = "name\n" + "\n".join(f"Youth Forum {number:05}" for number in range(ALIKE))
    began = time.monotonic()
    try:
        importing.read("alike.csv", content.encode(), by=by, now=now)
    except refusals.TooAlike:
        took = time.monotonic() - began
        course.add(f"a list of {ALIKE:,} names that are all alike, refused", took, "s", 30)
    else:
        raise Trouble("A list of names that are all alike was not refused.")


def _search(course: "Course", run: ImportRun) -> None:
    """Variants of names in the list, each kind in its turn."""
    chance = random.Random(SEED)
    created = [row for row in importing.rows(run) if row.outcome == importing.CREATED]
    times, right = [], 0
    for number in range(ASKED):
        row = chance.choice(created)
        typed = names.variant(row.name, number, chance)
        began = time.monotonic()
        found = Organisation.objects.like(typed)
        times.append(time.monotonic() - began)
        right += bool(found) and str(found[0].pk) == row.became
    course.add(f"of {ASKED} variants, found first", 100 * right / ASKED, "%", 98, LEAST)
    course.add("search for an organisation, p50", figures.milliseconds(times, 0.5), "ms", 50)
    course.add("search for an organisation, p95", figures.milliseconds(times, 0.95), "ms")


def groups(rows: list[importing.Row]) -> int:
    """Of rows of the list that hang together, each known as or near another one."""
    leads: dict[int, int] = {}

    def lead(line: int) -> int:
        while leads.setdefault(line, line) != line:
            line = leads[line]
        return line

    for row in rows:
        for candidate in row.candidates:
            if candidate.line:
                leads[lead(row.line)] = lead(candidate.line)
    return len({lead(line) for line in list(leads)})
