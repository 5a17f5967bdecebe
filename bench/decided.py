"""A thousand people decided about in one press, and undone: how long the page works for it."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from django.db import transaction

from bench import seed
from bench.place import Trouble
from events.models import Event
from registrations import batches
from registrations.models import Batch, Delegate

if TYPE_CHECKING:
    from bench.course import Course

PEOPLE = 1_000
PROMISE = 5


def measure(course: "Course", now: datetime) -> None:
    """At the event with most people, each time from the same stand; nothing of it stays."""
    event = Event.objects.get(process__slug=seed.SLUG, slug=seed.HEARING)
    by = seed.manager(now)
    for word, typed in (("approve", {}), ("decline", {"reason": "The list is full."})):
        with transaction.atomic():
            groups = list(chosen(event))
            said = f"{word} {PEOPLE:,} people of {len(groups)} delegations"
            batch = timed(
                course,
                said,
                lambda word=word, typed=typed, groups=groups: batches.decide(
                    word, event, groups, by=by, now=now, **typed
                )[0],
            )
            if batch is None or batch.people.count() < PEOPLE:
                raise Trouble(f"{said}: not all of them were decided about.")
            timed(
                course, f"{said}: undone", lambda batch=batch: batches.undo(batch, by=by, now=now)
            )
            transaction.set_rollback(True)
    seed.tidy()


def chosen(event: Event) -> Iterator[batches.Group]:
    """As the page of the decision loads them."""
    people = Delegate.objects.filter(
        registration__event=event, state=Delegate.State.SUBMITTED
    ).select_related("registration__organisation", "registration__event", "representative")
    in_order = people.order_by("registration__reference", "position")[:PEOPLE]
    for registration, group in groupby(in_order, key=lambda person: person.registration):
        yield registration, list(group)


def timed(course: "Course", what: str, act: Callable[[], Batch | None]) -> Batch | None:
    began = time.monotonic()
    result = act()
    course.add(what, time.monotonic() - began, "s", PROMISE)
    return result
