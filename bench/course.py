"""What is measured, in order."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import django

import clock
from bench import (
    attendees,
    counts,
    crowd,
    decided,
    figures,
    lists,
    organisations,
    place,
    post,
    queue,
    seed,
    walk,
)
from bench.figures import LEAST, Figure
from gcm_portal import env
from launcher import ROOT
from registrations.models import Registration

CLIENTS = 8
PAGE = f"/en/events/{seed.HEARING}/"


class Course:
    def __init__(self, ports: place.Ports) -> None:
        self.ports = ports
        self.seconds = env.number("BENCH_SECONDS", 5)
        self.only = env.words("BENCH_ONLY", "")
        self.figures: list[Figure] = []
        self.troubles: list[str] = []

    def run(self) -> None:
        with ExitStack() as stack:
            self.tell("starting the portal")
            post_office = stack.enter_context(place.mail_sink(self.ports.mail))
            portal = stack.enter_context(place.portal(self.ports.portal))
            now = clock.now()
            self.people(now)
            measurements = {
                "event page": lambda: self.event_page(portal.web),
                "page weight": self.weight,
                "registration": lambda: self.registration(portal.web),
                "attendee list": lambda: attendees.measure(self, portal, now),
                "review queue": lambda: queue.measure(self, now),
                "organisations": lambda: organisations.measure(self, now),
                "list of people": lambda: lists.measure(self, now),
                "bulk approval": lambda: decided.measure(self, now),
                "queries": self.queries,
                "rush for seats": lambda: crowd.rush(self, portal.web),
                "closing second": lambda: crowd.closing_second(self),
                "reminders": lambda: post.letters(self, post_office),
                "worker killed": lambda: post.killed(self, portal, post_office),
                "memory": lambda: self.memory(portal),
            }
            unknown = [name for name in self.only if name not in measurements]
            if unknown:
                raise place.Trouble(f"BENCH_ONLY names “{unknown[0]}”, which is not measured.")
            for name in self.only or measurements:
                self.tell(name)
                try:
                    measurements[name]()
                except (walk.Lost, place.Trouble, OSError) as error:
                    self.troubles.append(f"{name}: {error}")
            self.tell("ending the portal")

    def people(self, now: datetime) -> None:
        wanted = env.number("BENCH_DELEGATES", 100_000)
        self.tell("counting the delegates")
        self.delegates = seed.people(
            wanted, now=now, tell=lambda there: self.tell(f"{there:,} of {wanted:,} delegates")
        )
        seed.tidy()

    def event_page(self, web: int) -> None:
        size = len(counts.InProcess().open(PAGE).encode())
        with place.bare_view(self.ports.bare, place.command(web), size) as bare_web:
            order = {"port": self.ports.bare, "path": "/"}
            self.load("pages", seconds=1, **order)
            bare = self.load("pages", working=bare_web, **order)
        order = {"port": self.ports.portal, "path": PAGE}
        self.load("pages", seconds=1, **order)
        ours = self.load("pages", working=web, **order)
        self.page("bare view", bare)
        self.page("event page", ours, rate=800, p95=30)
        for name, key in (("waiting", "p50"), ("work", "work")):
            self.add(f"event page, times the bare view, {name}", ours[key] / bare[key])

    def page(
        self,
        name: str,
        measured: dict[str, float],
        rate: float | None = None,
        p95: float | None = None,
    ) -> None:
        self.add(f"{name}, {CLIENTS} clients", measured["rate"], "/s", rate, LEAST)
        self.add(f"{name}, p50", measured["p50"], "ms")
        self.add(f"{name}, p95", measured["p95"], "ms", p95)
        self.add(f"{name}, work of the processor", measured["work"], "ms")

    def weight(self) -> None:
        size, requests = counts.weight(f"http://127.0.0.1:{self.ports.portal}{PAGE}")
        self.add("event page with its files, compressed", size / 1024, "KB", 20)
        self.add("event page, requests", requests, "", 4)

    def registration(self, web: int) -> None:
        people = seed.newcomers(env.number("BENCH_REGISTRATIONS", 240) + CLIENTS)
        keys = seed.sessions(people)
        order = {"port": self.ports.portal, "slug": seed.HEARING}
        self.load("registrations", sessions=keys[:CLIENTS], **order)
        before = Registration.objects.exclude(sent_at=None).count()
        measured = self.load(
            "registrations", sessions=keys[CLIENTS:], seconds=30, working=web, **order
        )
        if Registration.objects.exclude(sent_at=None).count() != before + measured["done"]:
            raise walk.Lost("not every registration that was sent is in the database")
        self.add(f"whole registrations, {CLIENTS} clients", measured["rate"], "/s", 30, LEAST)
        self.add("whole registration, p95", measured["p95"], "ms")
        self.add("whole registration, work of the processor", measured["work"], "ms")

    def queries(self) -> None:
        self.add("queries of the event page", counts.queries_of_page(PAGE), "", 4)
        (person,) = seed.newcomers(1)
        whole = counts.queries_of_registration(seed.HEARING, person)
        self.add("queries of a whole registration", whole, "", 30)

    def memory(self, portal: place.Portal) -> None:
        time.sleep(3)
        pss = portal.pss()
        for name, size in pss.items():
            self.add(f"memory of {name}", size, "MB")
        self.add("memory together", sum(pss.values()), "MB", 250)

    def add(
        self,
        what: str,
        value: float,
        unit: str = "",
        promise: float | None = None,
        bound: str = figures.MOST,
    ) -> None:
        self.figures.append(Figure(what, value, unit, promise, bound))

    def load(self, act: str, *, working: int = 0, **order: Any) -> dict[str, float]:
        """`working`: the master of the web server whose work is counted."""
        order = {"act": act, "clients": CLIENTS, "seconds": self.seconds} | order
        if act == "pages":
            order.setdefault("limit", 50_000)
        before = place.processor_time(working) if working else 0
        measured = self.visit(**order)
        times = measured["times"]
        work = place.processor_time(working) - before if working else 0
        return {
            "done": len(times),
            "rate": len(times) / measured["seconds"],
            "p50": figures.milliseconds(times, 0.5),
            "p95": figures.milliseconds(times, 0.95),
            "work": 1000 * work / len(times),
        }

    def visit(self, **order: Any) -> Any:
        visit = subprocess.run(
            [sys.executable, "-m", "bench.visitors"],
            input=json.dumps({"port": self.ports.portal} | order),
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        if visit.returncode:
            raise walk.Lost(visit.stderr.strip().splitlines()[-1])
        return json.loads(visit.stdout)

    def tell(self, line: str) -> None:
        """All progress on one line, where there is a screen."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{line} …" if line else "\r\033[K")
        elif line:
            sys.stderr.write(f"{line} …\n")
        sys.stderr.flush()


def run(ports: place.Ports) -> int:
    home = place.home()
    course = Course(ports)
    load_before = os.getloadavg()[0]
    course.run()
    course.tell("")
    missed = sum(each.is_kept is False for each in course.figures)
    report = {
        "delegates": course.delegates,
        "machine": {"processors": os.cpu_count(), "load before": round(load_before, 2)},
        "versions": {"python": sys.version.split()[0], "django": django.__version__},
        "figures": [each.as_data() for each in course.figures],
        "troubles": course.troubles,
    }
    path = home / "bench.json"
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    print(
        f"{course.delegates:,} delegates; {os.cpu_count()} processors, load {load_before:.1f} "
        "before the start\n"
    )
    print(figures.table(course.figures))
    print(f"\n{missed} promises missed. Compare ratios in one run. Written to {path}")
    for trouble in course.troubles:
        print(f"DID NOT RUN: {trouble}")
    return 1 if course.troubles else 0
