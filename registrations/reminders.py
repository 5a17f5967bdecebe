"""Reminders are computed, never booked: what is due is asked of the deadline as it stands."""

from collections.abc import Iterable
from datetime import datetime, time
from functools import cache, reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min, Q

from accounts.models import User
from clock import walls
from events.models import (
    Deadline,
    DeadlineQuerySet,
    Event,
    Follower,
    ReminderStep,
    Role,
    Wish,
)
from events.rights import Right, kinds_with
from notifications.models import Letter
from registrations import audiences, mails
from registrations.audiences import PRECEDENCE, Audience, Concerned
from registrations.models import AWAITS_DECISION, Delegate, Invitation

OPENS = "opens"
CURIOUS = frozenset({Audience.INVITED, Audience.FOLLOWERS})
REMINDED_KINDS = (Deadline.Kind.REGISTRATION, Deadline.Kind.CONFIRMATION)
MORNING = time(8)


class Moment(NamedTuple):
    """When something is said of a deadline, what, and to whom."""

    at: datetime
    code: str
    reaches: frozenset[str]


class Foretold(NamedTuple):
    step: ReminderStep
    moment: datetime
    is_past: bool
    readers: dict[str, int]


def send_due(*, now: datetime) -> int:
    """Remind everybody for whom something is due now. Running it again posts nothing twice."""
    running = _running(now).select_related("event")
    return sum(_send_due_of(deadline, now=now) for deadline in running if _owed(deadline, now=now))


def foretell(deadline: Deadline, *, now: datetime) -> list[Foretold]:
    """What each step would send, and when, in that order, if nothing changed from now on: how
    many readers of each audience. Holds nothing."""
    concerned = audiences.of_deadline(deadline)
    told = []
    for step in deadline.steps.all():
        moment = Moment(step.due_at(deadline), step.code, _reached_by(step))
        is_past = moment.at <= now
        is_owed = not is_past and moment.at >= _owed_since(deadline)
        readers = [each for each in concerned if is_owed and _reaches(moment, each)]
        counts = {
            audience.value: count
            for audience in PRECEDENCE
            if (count := sum(each.audience == audience for each in readers))
        }
        told.append(Foretold(step, moment.at, is_past, counts))
    return sorted(told, key=lambda each: (each.moment, each.step.code, each.step.audience))


def tell_reviewers(*, now: datetime) -> None:
    """Tell each organiser who decides, once a day, at eight on their own clocks, where people wait
    for a decision; of whoever comes in after that they are told on the next day."""
    decided = _decided(now)
    days = {
        organiser: now.astimezone(walls.zone_of(organiser.zone)).date() for organiser in decided
    }
    keys = {organiser: f"queue:{day}:{organiser.id}" for organiser, day in days.items()}
    told = set(Letter.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    queues: dict[datetime, dict[UUID, tuple[int, datetime]]] = {}
    for organiser, events in decided.items():
        day = days[organiser]
        morning = datetime.combine(day, MORNING, walls.zone_of(organiser.zone))
        if morning > now or keys[organiser] in told:
            continue
        if morning not in queues:
            queues[morning] = _queues(sent_by=morning)
        rows = [
            (event, *queues[morning][event.pk]) for event in events if event.pk in queues[morning]
        ]
        if rows:
            mails.queue(organiser, rows, day, now=now)


def _running(now: datetime) -> DeadlineQuerySet:
    shown = Deadline.objects.of_shown_events().open_at(now).filter(kind__in=REMINDED_KINDS)
    return shown.prefetch_related("steps", "changes", "event__changes")


@transaction.atomic
def _send_due_of(seen: Deadline, *, now: datetime) -> int:
    """Whoever moves the deadline or postpones the event meanwhile waits, and then cancels."""
    Event.objects.select_for_update(no_key=True).get(pk=seen.event_id)
    held = _running(now).select_for_update(of=("self",), no_key=True).select_related("event")
    deadline = held.filter(pk=seen.pk).first()
    moments = _owed(deadline, now=now) if deadline else []
    if deadline is None or not moments:
        return 0
    due = _unwritten(deadline, _due(moments, audiences.of_deadline(deadline)))
    if not due:
        return 0
    hold = cache(lambda: audiences.hold(deadline))
    return sum(_post(deadline, code, each, hold, now=now) for code, each in due.items())


def _owed_since(deadline: Deadline) -> datetime:
    """What lay before the deadline was set, the window opened or the event was published is no
    longer owed to anybody."""
    since = (deadline.set_at, deadline.opens_at, deadline.event.published_at)
    return max(moment for moment in since if moment)


def _owed(deadline: Deadline, *, now: datetime) -> list[Moment]:
    """What may be due now, the latest first; nothing while people have yet to be told of a
    change."""
    if any(change.announced_at is None for change in deadline.changes.all()):
        return []
    if any(change.announced_at is None for change in deadline.event.changes.all()):
        return []
    moments = [
        Moment(at, step.code, _reached_by(step))
        for step in deadline.steps.all()
        if max(_owed_since(deadline), step.added_at) <= (at := step.due_at(deadline)) <= now
    ]
    if deadline.kind == Deadline.Kind.REGISTRATION:
        opened_at = _opened_at(deadline)
        if moments or _is_awaited(deadline, opened_at):
            moments.append(Moment(opened_at, OPENS, CURIOUS))
    return sorted(moments, key=lambda moment: (moment.at, moment.code), reverse=True)


def _opened_at(deadline: Deadline) -> datetime:
    """Since when one can register: a later move of the close opens nothing anew."""
    set_at = None if deadline.last_change else deadline.set_at
    since = (deadline.opens_at, deadline.event.published_at, set_at)
    return max(moment for moment in since if moment)


def _is_awaited(deadline: Deadline, opened_at: datetime) -> bool:
    """Whether anybody had asked to hear that it opens, or had been invited, by then."""
    followers = Follower.objects.wanting(Wish.NEWS).of(deadline.event)
    invited = Invitation.objects.filter(event=deadline.event, declined_at=None)
    return (
        followers.filter(confirmed_at__lte=opened_at).exists()
        or invited.filter(sent_at__lte=opened_at).exists()
    )


def _reached_by(step: ReminderStep) -> frozenset[str]:
    if step.audience == Audience.EVERYBODY:
        return frozenset(PRECEDENCE)
    return frozenset({step.audience})


def _reaches(moment: Moment, concerned: Concerned) -> bool:
    """Whether the reader had joined one of its audiences by then. Whoever has begun a draft knows
    that the window is open."""
    if moment.code == OPENS and concerned.takes_part:
        return False
    since = concerned.since | {Audience.FOLLOWERS: _wished_since(moment, concerned)}
    return any(
        audience in moment.reaches and joined and joined <= moment.at
        for audience, joined in since.items()
    )


def _wished_since(moment: Moment, concerned: Concerned) -> datetime | None:
    """Since when the reader, as a follower, wants to hear what is said at this moment."""
    return concerned.wishes.get(Wish.NEWS if moment.code == OPENS else Wish.REMINDERS)


def _due(moments: list[Moment], concerned: Iterable[Concerned]) -> dict[str, list[Concerned]]:
    """The latest of the moments that reach each reader, by its code."""
    due: dict[str, list[Concerned]] = {}
    for each in concerned:
        code = next((moment.code for moment in moments if _reaches(moment, each)), None)
        if code is not None:
            due.setdefault(code, []).append(each)
    return due


def _unwritten(deadline: Deadline, due: dict[str, list[Concerned]]) -> dict[str, list[Concerned]]:
    """What is new. In most minutes that is nothing, and then no row need be held."""
    begins = {code: _key_begins(deadline, code) for code in due}
    either = reduce(or_, (Q(key__startswith=begin) for begin in begins.values()), Q(pk=None))
    written = set(Letter.objects.filter(either).values_list("key", flat=True))
    if not written:
        return due
    new = {
        code: [each for each in readers if f"{begins[code]}{each.reader.id}" not in written]
        for code, readers in due.items()
    }
    return {code: readers for code, readers in new.items() if readers}


def _key_begins(deadline: Deadline, code: str) -> str:
    if code == OPENS:
        return f"{OPENS}:{deadline.id}:"
    return f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:{code}:"


def _post(
    deadline: Deadline, code: str, readers: list[Concerned], hold: mails.Hold, *, now: datetime
) -> int:
    if code == OPENS:
        return mails.opens(deadline, readers, now=now, hold=hold)
    return mails.reminder(deadline, code, readers, now=now, hold=hold)


def _decided(now: datetime) -> dict[User, list[Event]]:
    """Everybody who decides about the people of events that are to come or take place, and those
    events."""
    events = [
        event
        for event in Event.objects.filter(state=Event.State.PUBLISHED).in_order()
        if not event.is_over(now)
    ]
    on: dict[User, set[UUID | None]] = {}
    roles = Role.objects.filter(kind__in=kinds_with(Right.DECIDE), user__is_active=True)
    for role in roles.select_related("user").order_by("user__email"):
        on.setdefault(role.user, set()).add(role.event_id or role.process_id)
    return {
        user: [event for event in events if {event.pk, event.process_id} & subjects]
        for user, subjects in on.items()
    }


def _queues(*, sent_by: datetime) -> dict[UUID, tuple[int, datetime]]:
    """How many await a decision since before then, and since when the first, by event."""
    waiting = Delegate.objects.filter(
        state__in=AWAITS_DECISION, registration__sent_at__lte=sent_by
    ).values_list("registration__event")
    return {
        event: (count, oldest)
        for event, count, oldest in waiting.annotate(Count("pk"), Min("registration__sent_at"))
    }
