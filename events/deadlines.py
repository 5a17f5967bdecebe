"""Deadlines are set and moved here, and nowhere else."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import refusals
from events.models import Deadline, DeadlineChange, Event, ReminderStep
from notifications import recall
from notifications.models import Kind, Letter

DEFAULT_STEPS = {
    Deadline.Kind.REGISTRATION: [(14, "d"), (7, "d"), (48, "h"), (24, "h")],
    Deadline.Kind.CONFIRMATION: [(7, "d"), (48, "h"), (24, "h")],
}
CHANGED = "changed"


@transaction.atomic
def set_deadline(
    event: Event,
    *,
    kind: str,
    closes_at: datetime,
    by: User | None,
    now: datetime,
    opens_at: datetime | None = None,
    zone: str | None = None,
    is_hour_stated: bool = True,
    is_zone_stated: bool = True,
) -> Deadline:
    """Give the event a window of this kind, with the usual reminders for registration and for
    confirmation.

    `closes_at` is exclusive, in UTC. Refuses with DeadlineExists and ClosesBeforeItOpens.
    """
    zone = zone or event.zone
    Event.objects.select_for_update().get(pk=event.pk)
    existing = Deadline.objects.filter(event=event, kind=kind).first()
    if existing:
        raise refusals.DeadlineExists(existing)
    if opens_at and closes_at <= opens_at:
        raise refusals.ClosesBeforeItOpens(opens_at, zone)
    deadline = Deadline.objects.create(
        event=event,
        kind=kind,
        opens_at=opens_at,
        closes_at=closes_at,
        set_at=now,
        zone=zone,
        is_hour_stated=is_hour_stated,
        is_zone_stated=is_zone_stated,
    )
    ReminderStep.objects.bulk_create(
        ReminderStep(deadline=deadline, amount=amount, unit=unit, added_at=now)
        for amount, unit in DEFAULT_STEPS.get(Deadline.Kind(kind), [])
    )
    trail.record(
        by,
        gettext_noop("deadline set"),
        deadline,
        at=now,
        scope=event.id,
        after={"kind": kind, "opens_at": _iso(opens_at), "closes_at": _iso(closes_at)},
    )
    return deadline


@transaction.atomic
def move(
    deadline: Deadline, *, closes_at: datetime, by: User | None, now: datetime, reason: str
) -> DeadlineChange:
    """Let the window shut at another moment (exclusive, in UTC).

    Leaves a DeadlineChange for the floors above, which is news to nobody while the event is a
    draft, and cancels the letters that wait in the queue with the old date. Refuses with
    SameMoment, ClosesBeforeItOpens and AlreadyPast.
    """
    event = Event.objects.select_for_update(no_key=True).get(pk=deadline.event_id)
    held = Deadline.objects.select_for_update().get(pk=deadline.pk)
    if closes_at == held.closes_at:
        raise refusals.SameMoment(held)
    if held.opens_at and closes_at <= held.opens_at:
        raise refusals.ClosesBeforeItOpens(held.opens_at, held.zone)
    if closes_at <= now:
        raise refusals.AlreadyPast(closes_at, held.zone)
    change = DeadlineChange.objects.create(
        deadline=held,
        old_closes_at=held.closes_at,
        new_closes_at=closes_at,
        reason=reason,
        by=by,
        at=now,
        announced_at=now if event.state == Event.State.DRAFT else None,
    )
    held.closes_at, held.set_at = closes_at, now
    held.is_hour_stated = held.is_zone_stated = True
    held.save(update_fields=["closes_at", "set_at", "is_hour_stated", "is_zone_stated"])
    held.steps.update(skipped_for=None)
    reminders = Letter.objects.about(held.id).filter(kind=Kind.REMINDER)
    recall.take_back(reminders, now=now, is_owed=True)
    recall.take_back(Letter.objects.filter(key__startswith=f"{CHANGED}:{event.id}:"), now=now)
    trail.record(
        by,
        gettext_noop("deadline moved"),
        held,
        at=now,
        scope=held.event_id,
        before={"closes_at": _iso(change.old_closes_at)},
        after={"closes_at": _iso(closes_at)},
        reason=reason,
    )
    deadline.refresh_from_db()
    return change


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
