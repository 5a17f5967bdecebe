from celery import shared_task

import clock
from registrations import (
    announcements,
    composing,
    confirmations,
    listing,
    reminders,
    undoing,
    waiting,
)
from registrations.admin import audience


@shared_task(name="registrations.remind")
def remind() -> None:
    reminders.send_due(now=clock.now())


@shared_task(name="registrations.announce")
def announce() -> None:
    announcements.tell_changes(now=clock.now())


@shared_task(name="registrations.tell_reviewers")
def tell_reviewers() -> None:
    reminders.tell_reviewers(now=clock.now())


@shared_task(name="registrations.fill_seats")
def fill_seats() -> None:
    """Seats that nobody confirmed in time go on, as do those that a change of capacity brought;
    whoever got theirs before there was a time to confirm is asked."""
    now = clock.now()
    confirmations.lapse_due(now=now)
    confirmations.ask_due(now=now)
    waiting.fill_all(now=now)


@shared_task(name="registrations.ask_to_be_listed")
def ask_to_be_listed() -> None:
    listing.ask_due(now=clock.now())


@shared_task(name="registrations.forget_imports")
def forget_imports() -> None:
    undoing.forget_due(now=clock.now())


@shared_task(name="registrations.send_messages")
def send_messages() -> None:
    composing.leave_due(people_of=audience.when_it_leaves, now=clock.now())
