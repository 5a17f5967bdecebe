"""A run: the portal is set up, visited, struck, let calm, and counted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection

import clock
from bench import figures, place, seed, walk
from bench.figures import Figure
from chaos import groups, judge
from chaos.fate import Fate
from chaos.judge import Evidence
from chaos.sink import REFUSED
from gcm_portal import env
from launcher import ROOT, processes, servers
from notifications.models import PENDING, Letter, State
from registrations.models import Registration

SLUG, HEARING = "chaos", "chaos-hearing"
PAGE = f"/en/events/{HEARING}/"
STEP = timedelta(hours=24)
WAVES = 6
REFUSED_EVERY = 50
CALM_LASTS = 300
CLIENTS = 5
SABOTAGES = ("lost", "doubled")


class Course:
    def __init__(self, ports: place.Ports) -> None:
        self.ports, self.home = ports, place.home()
        self.seconds = env.number("CHAOS_SECONDS", 120)
        self.seed = os.environ["CHAOS_SEED"]
        self.sabotage = os.environ.get("CHAOS_SABOTAGE", "")
        if self.sabotage not in ("", *SABOTAGES):
            raise place.Trouble(f"CHAOS_SABOTAGE is one of {', '.join(SABOTAGES)}, or empty.")
        self.evidence = Evidence()
        self.told = ""
        self.notes = self.home / "groups.jsonl", self.home / "looks.jsonl"

    def run(self) -> list[Figure]:
        with ExitStack() as stack:
            post = stack.enter_context(place.mail_sink(self.ports.mail, "chaos.sink"))
            self.tell("starting the portal")
            portal = stack.enter_context(place.portal(self.ports.portal))
            self.tell("writing invitations")
            self.set_up()
            fate = Fate(portal, post, servers.read(self.home), self.seed)
            self.storm(fate)
            os.kill(post.pid, signal.SIGUSR1)
            self.resume(fate)
            self.spoil()
            self.drain()
            self.evidence.deeds = [deed.as_data() for deed in fate.deeds]
            self.collect(post)
        return judge.judge(self.evidence)

    def set_up(self) -> None:
        """A hearing to which groups come, and waves of drafts whose reminders fall due."""
        now = clock.now()
        process = seed.process(SLUG, "CHA")
        seed.event(process, HEARING, closes_at=now + timedelta(days=60), now=now)
        each = env.number("CHAOS_REMINDERS", 2_000) // WAVES
        for wave in range(WAVES):
            begins = now + timedelta(seconds=20 + self.seconds * wave / WAVES)
            closes_at = begins + STEP
            event = seed.event(process, f"chaos-wave-{wave}", closes_at=closes_at, now=now)
            there = f"wave{wave}-{{}}"
            refused = each // REFUSED_EVERY
            drafts = seed.drafts(event, each - refused, f"{there}@groups.example", now=now)
            drafts += seed.drafts(event, refused, there + REFUSED, now=now)
            self.evidence.reminded += [draft.user.email for draft in drafts]
        self.sessions = seed.sessions(seed.newcomers(self.seconds * 12 + 100))

    def storm(self, fate: Fate) -> None:
        for path in self.notes:
            path.unlink(missing_ok=True)
        until = time.time() + self.seconds
        visit = {
            "port": self.ports.portal,
            "slug": HEARING,
            "sessions": self.sessions[10:],
            "clients": CLIENTS,
            "pause": 0.3,
            "until": until,
            "seed": self.seed,
            "evidence": str(self.notes[0]),
        }
        paths = [PAGE, judge.HEALTH]
        look = {
            "port": self.ports.portal,
            "paths": paths,
            # Looked at for a while longer: what comes after the last deed counts, too.
            "until": until + 10,
            "evidence": str(self.notes[1]),
        }
        others = [_start("chaos.groups", visit), _start("chaos.watch", look)]
        try:
            fate.storm(self.seconds, self.tell)
            self.tell("the storm is over")
            for other in others:
                if other.wait(120):
                    raise place.Trouble(f"“{' '.join(map(str, other.args))}” failed.")
        finally:
            for other in others:
                other.kill()
                other.wait()

    def resume(self, fate: Fate) -> None:
        """Once more broker and database, one by one, while nobody touches the worker."""
        for number, what in enumerate(("broker stopped", "broker frozen", "database")):
            self.tell(f"{what}, and the worker untouched")
            fate.strike(what)
            self.register(self.sessions[number])
            self.wait_for_answer()

    def wait_for_answer(self) -> None:
        """The letter to the group that came last."""
        connection.close()
        newest = Letter.objects.filter(kind=judge.TRANSACTIONAL).order_by("posted_at").last()
        assert newest
        sent = Letter.objects.filter(pk=newest.pk, state=State.SENT)
        processes.wait_until(sent.exists, judge.LETTERS_MOVE_WITHIN, pause=0.2)

    def register(self, session: str) -> None:
        """As soon as the portal lets one in; each try is another group."""
        notebook = groups.Notebook(self.notes[0])
        end = time.time() + judge.LETTERS_MOVE_WITHIN
        while time.time() < end:
            try:
                browser = groups.Browser(self.ports.portal, session, notebook)
                groups.register(browser, HEARING, random.Random(self.seed))
                return
            except (groups.Unanswered, walk.Lost):
                time.sleep(0.2)
        raise place.Trouble("The portal does not answer, although all is calm.")

    def spoil(self) -> None:
        """What the judge must find, when it is asked to show that it can."""
        if self.sabotage == "lost":
            sent = Registration.objects.filter(event__slug=HEARING).exclude(sent_at=None)
            lost = sent.order_by("?").first()
            assert lost
            lost.delete()
        if self.sabotage == "doubled":
            twin = Letter.objects.filter(kind=judge.TRANSACTIONAL, state=State.SENT).first()
            assert twin
            twin.pk, twin.key, twin.sent_at = uuid.uuid4(), f"{twin.key}:twin", None
            twin.state = State.QUEUED
            twin.save(force_insert=True)

    def drain(self) -> None:
        """Until every reminder is written and nothing waits. Letters that wait for their next try
        need not wait it out: that is all the help they get."""
        end = time.time() + CALM_LASTS
        while time.time() < end:
            now = clock.now()
            waiting = Letter.objects.filter(state__in=PENDING)
            Letter.objects.filter(state=State.QUEUED, next_attempt_at__gt=now).update(
                next_attempt_at=now
            )
            written = Letter.objects.filter(kind=judge.REMINDER).count()
            number = waiting.count()
            self.tell(
                f"post drains: {written} of {len(self.evidence.reminded)} reminders written, "
                f"{number} letters wait"
            )
            if not number and written >= len(self.evidence.reminded):
                return
            time.sleep(1)

    def collect(self, post: place.Post) -> None:
        connection.close()
        wanted = Registration.objects.filter(event__slug=HEARING).prefetch_related(
            "delegates__representative", "organisation__memberships__user"
        )
        for each in wanted:
            (membership,) = each.organisation.memberships.all()
            self.evidence.registrations[each.reference] = {
                "sent": each.sent_at is not None,
                "people": [person.representative.full_name for person in each.delegates.all()],
                "to": membership.user.email,
            }
        self.evidence.letters = [
            {
                "id": letter.message_id,
                "to": letter.to,
                "kind": letter.kind,
                "subject": letter.subject,
                "state": letter.state,
                "attempts": letter.attempts,
            }
            for letter in Letter.objects.defer("text", "html")
        ]
        self.evidence.taken = post.read()
        self.evidence.acknowledged = _lines(self.notes[0])
        self.evidence.looks = _lines(self.notes[1])

    def tell(self, line: str) -> None:
        """All progress on one line, where there is a screen."""
        if line == self.told:
            return
        self.told = line
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{line} …" if line else "\r\033[K")
        elif line:
            sys.stderr.write(f"{line} …\n")
        sys.stderr.flush()


def _start(module: str, order: dict[str, Any]) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdin
    with process.stdin as stdin:
        json.dump(order, stdin)
    return process


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(ports: place.Ports) -> int:
    course = Course(ports)
    load_before = os.getloadavg()[0]
    found = course.run()
    course.tell("")
    missed = [each for each in found if each.is_kept is False]
    path = course.home / "chaos.json"
    report = {
        "seconds": course.seconds,
        "seed": course.seed,
        "sabotage": course.sabotage,
        "machine": {"processors": os.cpu_count(), "load before": round(load_before, 2)},
        "figures": [each.as_data() for each in found],
        "evidence": asdict(course.evidence),
    }
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    print(
        f"{course.seconds} s of chaos, CHAOS_SEED={course.seed}: {course.evidence.kills} kills, "
        f"{len(course.evidence.deeds)} deeds; load {load_before:.1f} before the start\n"
    )
    print(figures.table(found))
    print(f"\n{len(missed)} promises missed. Written to {path}")
    return 1 if missed else 0
