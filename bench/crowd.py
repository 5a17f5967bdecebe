"""Many who want the same at once: the last seats, and the last second."""

import random
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

import clock
from bench import place, seed, walk
from bench.figures import LEAST
from events.models import Deadline, Event
from gcm_portal import env
from registrations.models import Delegate, Registration

SEATS, RUNS, PATIENCE = 50, 5, 5
AROUND, OPEN_WITHIN = 2.0, 18.0
COUNTS = (
    *("sent", "refused", "sent too late", "refused too early", "refused but sent"),
    *("said to be sent, but not", "drafts lost", "errors"),
)
State = Delegate.State
IN_ORDER_OF_COMMIT = """
    select subject_id from audit_entry
    where scope = %s and subject_type = 'registrations.registration' and verb = 'sent'
    order by xmin::text::bigint
"""


def rush(course: Any, web: int) -> None:
    """The worst of five runs. `web`: the master of the web server, whose work is counted."""
    clients = env.number("BENCH_RUSH", 200)
    seated, waiting, lasted = [], [], []
    errors = out_of_order = 0
    before = place.processor_time(web)
    for run in range(RUNS):
        course.tell(f"rush {run + 1} of {RUNS}")
        event, groups = _event(clients, timedelta(hours=1))
        Event.objects.filter(pk=event.pk).update(admission=Event.Admission.FIRST_COME, seats=SEATS)
        answers = course.visit(act="posts", forms=_forms(groups))
        people = Delegate.objects.filter(registration__event=event)
        seated.append(people.seated().count())
        waiting.append(people.waiting().count())
        errors += sum(answer["status"] != 302 for answer in answers)
        came = [answer for answer in answers if answer["status"]]
        lasted.append(max(a["ended_at"] for a in came) - min(a["began_at"] for a in came))
        out_of_order += not is_in_order_of_commit(event)
    name = f"{clients} clients for {SEATS} seats"
    course.add(f"{name}, seated at most", max(seated), "", SEATS)
    course.add(f"{name}, seated at least", min(seated), "", min(SEATS, clients), LEAST)
    course.add(f"{name}, waiting at least", min(waiting), "", max(clients - SEATS, 0), LEAST)
    course.add(f"{name}, errors", errors, "", 0)
    course.add(f"{name}, last answer", max(lasted), "s", PATIENCE)
    work = place.processor_time(web) - before
    course.add(
        f"{name}, work of the processor, page and answer", 1000 * work / clients / RUNS, "ms"
    )
    course.add(f"{name}, runs whose waiting order is another", out_of_order, "", 0)


def is_in_order_of_commit(event: Event) -> bool:
    """Whether the list waits as its registrations were committed.

    The transaction of a registration gets its number under the lock of the event, which it holds
    until it is committed; its row in the history, which nobody changes, keeps that number.
    """
    with connection.cursor() as cursor:
        cursor.execute(IN_ORDER_OF_COMMIT, [event.pk])
        order = [row[0] for row in cursor.fetchall()]
    waiting = Delegate.objects.filter(registration__event=event).waiting()
    waits = [str(pk) for pk in dict.fromkeys(waiting.values_list("registration", flat=True))]
    return waits == [pk for pk in order if pk in set(waits)]


def closing_second(course: Any) -> None:
    clients = env.number("BENCH_CLOSING", 80)
    event, groups = _event(clients, timedelta(hours=1))
    closes_at = clock.now() + timedelta(seconds=AROUND + OPEN_WITHIN)
    deadlines = event.deadlines.filter(kind=Deadline.Kind.REGISTRATION)
    seed.set_closing(deadlines, closes_at, now=clock.now())
    forms = _forms(groups)
    for form in forms:
        form["moment"] = closes_at.timestamp() + random.uniform(-AROUND, AROUND)
    answers = course.visit(act="posts", forms=forms)
    time.sleep(0.5)
    counts = judged(closes_at, groups, answers)
    name = f"{clients} clients around the closing second"
    for what, count in counts.items():
        if what in ("sent", "refused"):
            course.add(f"{name}, {what}", count)
        else:
            course.add(f"{name}, {what}", count, "", 0)


def judged(
    closes_at: datetime, groups: list[seed.Draft], answers: list[dict[str, Any]]
) -> dict[str, int]:
    """Each answer by the moment that it carries itself, and by what is in the database."""
    counts = dict.fromkeys(COUNTS, 0)
    for group, answer in zip(groups, answers, strict=True):
        registration = Registration.objects.get(pk=group.registration.pk)
        is_sent, says_sent = registration.sent_at is not None, answer["status"] == 302
        counts["sent" if is_sent else "refused"] += 1
        if answer["status"] not in (200, 302) or not answer.get("judged_at"):
            counts["errors"] += 1
            continue
        judged_at = datetime.fromisoformat(answer["judged_at"])
        counts["sent too late"] += is_sent and judged_at >= closes_at
        counts["refused too early"] += not is_sent and judged_at < closes_at
        counts["refused but sent"] += is_sent and not says_sent
        counts["said to be sent, but not"] += says_sent and not is_sent
        people = registration.delegates.values_list("representative", "state")
        wanted = [(each.representative_id, State.DRAFT) for each in group.people]
        counts["drafts lost"] += not is_sent and list(people) != wanted
    return counts


def _event(clients: int, until_closing: timedelta) -> tuple[Event, list[seed.Draft]]:
    """A new one, with a draft of each client. It closes soon, so that nobody is ever reminded."""
    now = clock.now()
    process = seed.process(seed.CROWDS, "BCR")
    slug = f"bench-crowd-{uuid.uuid4()}"
    event = seed.event(process, slug, closes_at=now + until_closing, now=now)
    groups = seed.drafts(event, clients, f"{slug}-{{}}@crowds.example", now=now)
    return event, groups


def _forms(groups: list[seed.Draft]) -> list[dict[str, Any]]:
    if not groups:
        raise walk.Lost("nobody comes")
    keys = seed.sessions([group.user for group in groups])
    return [
        {"session": key, "path": f"/en/registrations/{group.registration.reference}/check/"}
        for key, group in zip(keys, groups, strict=True)
    ]
