"""Events are shown, moved, postponed and cancelled here; their address stays the same."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import refusals
from events.models import Deadline, Event, EventChange
from notifications import recall
from notifications.models import Kind, Letter

State = Event.State
CHANGED = "changed"


@transaction.atomic
def publish(event: Event, *, by: User | None, now: datetime) -> None:
    """Show the event to everybody. Refuses with NotPossibleNow and NothingToShow."""
    held = _hold(event, State.DRAFT)
    if not held.name:
        raise refusals.NothingToShow(_("it has no name"))
    held.published_at = now
    _turn(held, State.PUBLISHED, ["published_at"], by=by, now=now, verb=gettext_noop("published"))
    event.refresh_from_db()


@transaction.atomic
def postpone(event: Event, *, by: User | None, now: datetime, reason: str) -> None:
    """The event will not take place on its days; new ones come with `move`."""
    held = _hold(event, State.PUBLISHED)
    change = _change(held, by=by, now=now, reason=reason)
    _turn(held, State.POSTPONED, [], by=by, now=now, verb=gettext_noop("postponed"), reason=reason)
    _leave(change, now=now)
    _silence(held, now=now)
    event.refresh_from_db()


@transaction.atomic
def move(
    event: Event,
    *,
    starts_on: date,
    ends_on: date,
    starts_at: datetime | None,
    ends_at: datetime | None,
    by: User | None,
    now: datetime,
    reason: str,
) -> None:
    """Give a published or postponed event other days, and keep the old ones to be struck out.
    Its windows stay as they are."""
    held = _hold(event, State.PUBLISHED, State.POSTPONED)
    change = _change(held, by=by, now=now, reason=reason)
    before = {"starts_on": held.starts_on.isoformat(), "ends_on": held.ends_on.isoformat()}
    held.previous_starts_on, held.previous_ends_on = held.starts_on, held.ends_on
    held.starts_on, held.ends_on = starts_on, ends_on
    held.starts_at, held.ends_at = starts_at, ends_at
    _turn(
        held,
        State.PUBLISHED,
        [
            "starts_on",
            "ends_on",
            "starts_at",
            "ends_at",
            "previous_starts_on",
            "previous_ends_on",
        ],
        by=by,
        now=now,
        verb=gettext_noop("moved"),
        reason=reason,
        before=before,
        after={"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()},
    )
    _leave(change, now=now)
    event.refresh_from_db()


@transaction.atomic
def cancel(event: Event, *, by: User | None, now: datetime, reason: str) -> None:
    """The event will not take place."""
    held = _hold(event, State.PUBLISHED, State.POSTPONED)
    change = _change(held, by=by, now=now, reason=reason)
    _turn(held, State.CANCELLED, [], by=by, now=now, verb=gettext_noop("cancelled"), reason=reason)
    _leave(change, now=now)
    _silence(held, now=now)
    event.refresh_from_db()


def _hold(event: Event, *states: str) -> Event:
    held = Event.objects.select_for_update().get(pk=event.pk)
    if held.state not in states:
        raise refusals.NotPossibleNow(held)
    return held


def _change(event: Event, *, by: User | None, now: datetime, reason: str) -> EventChange:
    """How the event stands before it changes."""
    return EventChange(
        event=event,
        old_state=event.state,
        old_starts_on=event.starts_on,
        old_ends_on=event.ends_on,
        reason=reason,
        by=by,
        at=now,
    )


def _leave(change: EventChange, *, now: datetime) -> None:
    """Leave the change for the floors above; what they told of an older one and has not left the
    house is no longer true."""
    event = change.event
    change.new_state = event.state
    change.new_starts_on, change.new_ends_on = event.starts_on, event.ends_on
    change.save()
    recall.take_back(Letter.objects.filter(key__startswith=f"{CHANGED}:{event.id}:"), now=now)


def _turn(
    event: Event,
    state: str,
    fields: list[str],
    *,
    by: User | None,
    now: datetime,
    verb: str,
    reason: str = "",
    before: dict | None = None,
    after: dict | None = None,
) -> None:
    before = {"state": event.state} | (before or {})
    after = {"state": state} | (after or {})
    event.state = state
    event.save(update_fields=["state", *fields])
    trail.record(by, verb, event, at=now, scope=event.id, before=before, after=after, reason=reason)


def _silence(event: Event, *, now: datetime) -> None:
    """Reminders in the queue would now be false; what is owed when it takes place after all is
    written then."""
    for deadline in Deadline.objects.filter(event=event).order_by("kind"):
        reminders = Letter.objects.about(deadline.id).filter(kind=Kind.REMINDER)
        recall.take_back(reminders, now=now, is_owed=True)
