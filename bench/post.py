"""Reminders to very many: planned by the portal's own code, then taken away by its worker."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import clock
from bench import seed, walk
from bench.figures import LEAST
from bench.place import Portal, Post
from events.models import Deadline, Event
from gcm_portal import env
from launcher import ROOT
from notifications import bell
from notifications.models import Letter

AHEAD = timedelta(minutes=10)
PLAN = """
import json, sys, time
from datetime import datetime
import django
django.setup()
from registrations import reminders
now = datetime.fromisoformat(sys.argv[1])
start = time.perf_counter()
planned = reminders.send_due(now=now)
print(json.dumps({"planned": planned, "seconds": time.perf_counter() - start}))
"""
PATIENCE = 180
LEAST_UNSENT = 500
KILLS = 3


def letters(course: Any, post: Post) -> None:
    """Planned at a moment that is still to come, so that beat plans nothing meanwhile and nothing
    leaves before all is planned."""
    number = env.number("BENCH_LETTERS", 10_000)
    event = _groups("bench-letters", number, "group{}@letters.example")
    planned = _plan(event, number)
    course.add(f"reminders, {number:,} groups, planned in", planned["seconds"], "s", 2)
    wanted = _release(event)
    came = _wait(post, wanted, PATIENCE)
    times = [line["at"] for line in came]
    if len({line["id"] for line in came}) < number:
        raise walk.Lost(f"{number - len(came)} of {number} reminders did not come")
    rate = len(times) / (max(times) - min(times))
    course.add("reminders, taken to a mail server", rate, "/s", 500, LEAST)
    course.add("reminders, doubled", len(times) - len(wanted), "", 0)


def killed(course: Any, portal: Portal, post: Post) -> None:
    number = env.number("BENCH_KILLED", 2_000)
    event = _groups("bench-killed", number, "group{}" + "@slow.example")
    _plan(event, number)
    wanted = _release(event)
    start = time.time()
    fewest_unsent = number
    for kill in range(1, KILLS + 1):
        upto = kill * (number - LEAST_UNSENT) // (KILLS + 1)
        _wait(post, wanted, PATIENCE, upto=upto)
        worker = portal.find("worker")
        os.kill(worker, signal.SIGKILL)
        fewest_unsent = number - len({line["id"] for line in _came(post, wanted)})
    came = _wait(post, wanted, start + PATIENCE - time.time())
    there = {line["id"] for line in came}
    name = f"{number:,} reminders, worker killed {KILLS} times"
    course.add(f"{name}, unsent at the last", fewest_unsent, "", LEAST_UNSENT, LEAST)
    course.add(f"{name}, came", len(there), "", number, LEAST)
    course.add(f"{name}, last one", max(line["at"] for line in came) - start, "s", PATIENCE)
    course.add(f"{name}, copies", len(came) - len(there), "", KILLS)


def _groups(slug: str, number: int, address: str) -> Event:
    """Each with a draft; the letters of an earlier run are thrown away."""
    now = clock.now()
    process = seed.process(seed.CROWDS, "BCR")
    event = process.events.filter(slug=slug).first()
    event = event or seed.event(process, slug, closes_at=now + timedelta(days=60), now=now)
    seed.drafts(event, number - event.registrations.count(), address, now=now)
    Letter.objects.filter(scope=event.pk).delete()
    seed.tidy()
    return event


def _plan(event: Event, number: int) -> dict[str, Any]:
    """The step of 24 hours is due in ten minutes, and in ten minutes it is planned."""
    now = clock.now()
    deadlines = event.deadlines.filter(kind=Deadline.Kind.REGISTRATION)
    seed.set_closing(deadlines, now + timedelta(hours=24) + AHEAD, now=now)
    done = subprocess.run(
        [sys.executable, "-c", PLAN, (now + AHEAD).isoformat()],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise walk.Lost(done.stderr.strip().splitlines()[-1])
    planned = json.loads(done.stdout.splitlines()[-1])
    written = Letter.objects.filter(scope=event.pk).count()
    if written != number:
        raise walk.Lost(f"{written} reminders were planned, not {number}")
    return planned


def _release(event: Event) -> set[str]:
    """As if the ten minutes were over. The names of the letters."""
    now: datetime = clock.now()
    written = Letter.objects.filter(scope=event.pk)
    written.update(posted_at=now, next_attempt_at=now)
    bell.ring()
    return {letter.message_id for letter in written.only("key")}


def _came(post: Post, wanted: set[str]) -> list[dict[str, Any]]:
    return [line for line in post.read() if line.get("id") in wanted]


def _wait(
    post: Post, wanted: set[str], seconds: float, *, upto: int | None = None
) -> list[dict[str, Any]]:
    """Until so many came, or the time is over; all that came."""
    end = time.time() + seconds
    upto = len(wanted) if upto is None else upto
    while True:
        came = _came(post, wanted)
        if len({line["id"] for line in came}) >= upto or time.time() > end:
            return came
        time.sleep(0.25)
