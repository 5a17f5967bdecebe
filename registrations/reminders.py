"""Reminders are computed, never booked: what is due is asked of the deadline as it stands.

An organiser can skip one that is to come, or send it before its moment: then the sweep, which
writes the same keys, finds it written.
"""

from collections.abc import Iterable
from datetime import datetime, time
from functools import cache, reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
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
from registrations import audiences, mails, refusals
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
    is_skipped: bool = False
    """Nothing is said; nor is what would have been said before it."""


class Foretold(NamedTuple):
    step: ReminderStep
    moment: datetime
    is_past: bool
    is_skipped: bool
    readers: dict[str, int]


def send_due(*, now: datetime) -> int:
    """Remind everybody for whom something is due now. Running it again posts nothing twice."""
    running = _running(now).select_related("event")
    return sum(_send_due_of(deadline, now=now) for deadline in running if _owed(deadline, now=now))


def foretell(deadline: Deadline, *, now: datetime) -> list[Foretold]:
    """What each step would send, and when, in that order, if nothing changed from now on: how
    many readers of each audience, without those who have it already. Holds nothing."""
    concerned = audiences.of_deadline(deadline)
    written = _written(Q(key__startswith=_all_keys_begin(deadline)))
    told = []
    for step in deadline.steps.all():
        moment = Moment(step.due_at(deadline), step.code, _reached_by(step))
        begin = key_begins(deadline, step.code)
        is_past, is_skipped = moment.at <= now, step.is_skipped(deadline)
        is_owed = not is_past and not is_skipped and moment.at >= _owed_since(deadline)
        readers = [
            each
            for each in concerned
            if is_owed and _reaches(moment, each) and f"{begin}{each.reader.id}" not in written
        ]
        counts = {
            audience.value: count
            for audience in PRECEDENCE
            if (count := sum(each.audience == audience for each in readers))
        }
        told.append(Foretold(step, moment.at, is_past, is_skipped, counts))
    return sorted(told, key=lambda each: (each.moment, each.step.code, each.step.audience))


@transaction.atomic
def skip(step: ReminderStep, *, by: User, now: datetime) -> None:
    """Remind nobody at its moment; a move of the deadline forgets that.

    Refuses with ReminderGone, ReminderPast and ReminderSkipped.
    """
    deadline = _hold(step.deadline)
    held = _to_come(deadline, step, now=now)
    if held.is_skipped(deadline):
        raise refusals.ReminderSkipped(held)
    held.skipped_for = deadline.closes_at
    held.save(update_fields=["skipped_for"])
    _remember(gettext_noop("reminder skipped"), deadline, held, by=by, now=now)


@transaction.atomic
def resume(step: ReminderStep, *, by: User, now: datetime) -> None:
    """Take the skip back. Refuses with ReminderGone, ReminderPast and ReminderNotSkipped."""
    deadline = _hold(step.deadline)
    held = _to_come(deadline, step, now=now)
    if not held.is_skipped(deadline):
        raise refusals.ReminderNotSkipped(held)
    held.skipped_for = None
    held.save(update_fields=["skipped_for"])
    _remember(gettext_noop("reminder no longer skipped"), deadline, held, by=by, now=now)


@transaction.atomic
def send_now(step: ReminderStep, *, by: User, now: datetime) -> int:
    """Remind those who are its audience now, before its moment; how many. At its moment the sweep
    finds it written, and reminds only those who have joined since.

    Refuses with ReminderGone, ReminderPast, ReminderSkipped, RemindersRest, ReminderTooEarly,
    ChangeUntold, NobodyReached and ReminderSent.
    """
    deadline = _hold(step.deadline)
    held = _to_come(deadline, step, now=now)
    if held.is_skipped(deadline):
        raise refusals.ReminderSkipped(held)
    if not deadline.event.is_published:
        raise refusals.RemindersRest(deadline.event)
    if not deadline.is_open(now):
        raise refusals.ReminderTooEarly(deadline)
    if _has_untold_changes(deadline):
        raise refusals.ChangeUntold(deadline)
    reached = reached_now(held, deadline, now=now)
    if not reached:
        raise refusals.NobodyReached(held)
    new = _unwritten(deadline, {held.code: reached}).get(held.code)
    if not new:
        raise refusals.ReminderSent(held)
    hold = cache(lambda: audiences.hold(deadline))
    posted = _post(deadline, held.code, new, hold, now=now)
    _remember(gettext_noop("reminder sent now"), deadline, held, by=by, now=now, people=posted)
    return posted


def reached_now(step: ReminderStep, deadline: Deadline, *, now: datetime) -> list[Concerned]:
    """Whom the step reaches if this is its moment, whether they have it already or not."""
    moment = Moment(now, step.code, _reached_by(step))
    return [each for each in audiences.of_deadline(deadline) if _reaches(moment, each)]


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
    deadline = _hold(seen)
    moments = _owed(deadline, now=now) if _runs(deadline, now) else []
    if not moments:
        return 0
    due = _unwritten(deadline, _due(moments, audiences.of_deadline(deadline)))
    if not due:
        return 0
    hold = cache(lambda: audiences.hold(deadline))
    return sum(_post(deadline, code, each, hold, now=now) for code, each in due.items())


def _hold(seen: Deadline) -> Deadline:
    """Whoever moves the deadline, postpones the event, skips or sends a reminder meanwhile waits;
    and the sweep does."""
    Event.objects.select_for_update(no_key=True).get(pk=seen.event_id)
    rows = Deadline.objects.select_for_update(of=("self",), no_key=True).select_related("event")
    return rows.prefetch_related("steps", "changes", "event__changes").get(pk=seen.pk)


def _runs(deadline: Deadline, now: datetime) -> bool:
    """As `_running` asks the database."""
    return deadline.event.is_published and deadline.is_open(now)


def _to_come(deadline: Deadline, step: ReminderStep, *, now: datetime) -> ReminderStep:
    """The step as it stands, if its moment is to come; the sweep may have been there first."""
    held = next((one for one in deadline.steps.all() if one.pk == step.pk), None)
    if held is None:
        raise refusals.ReminderGone(step)
    moment = held.due_at(deadline)
    swept = _written(Q(key__startswith=key_begins(deadline, held.code), posted_at__gte=moment))
    if moment <= now or swept:
        raise refusals.ReminderPast(held, moment, deadline)
    return held


def _remember(
    verb: str, deadline: Deadline, step: ReminderStep, *, by: User, now: datetime, **more: int
) -> None:
    after = {"step": step.code, "audience": step.audience, **more}
    trail.record(by, verb, deadline, at=now, scope=deadline.event_id, after=after)


def _owed_since(deadline: Deadline) -> datetime:
    """What lay before the deadline was set, the window opened or the event was published is no
    longer owed to anybody."""
    since = (deadline.set_at, deadline.opens_at, deadline.event.published_at)
    return max(moment for moment in since if moment)


def _owed(deadline: Deadline, *, now: datetime) -> list[Moment]:
    """What may be due now, the latest first; nothing while people have yet to be told of a
    change."""
    if _has_untold_changes(deadline):
        return []
    moments = [
        Moment(at, step.code, _reached_by(step), step.is_skipped(deadline))
        for step in deadline.steps.all()
        if max(_owed_since(deadline), step.added_at) <= (at := step.due_at(deadline)) <= now
    ]
    if deadline.kind == Deadline.Kind.REGISTRATION:
        opened_at = _opened_at(deadline)
        if moments or _is_awaited(deadline, opened_at):
            moments.append(Moment(opened_at, OPENS, CURIOUS))
    return sorted(
        moments, key=lambda moment: (moment.at, not moment.is_skipped, moment.code), reverse=True
    )


def _has_untold_changes(deadline: Deadline) -> bool:
    return any(change.announced_at is None for change in deadline.changes.all()) or any(
        change.announced_at is None for change in deadline.event.changes.all()
    )


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
    """The latest of the moments that reach each reader, by its code; nothing if that is skipped."""
    due: dict[str, list[Concerned]] = {}
    for each in concerned:
        latest = next((moment for moment in moments if _reaches(moment, each)), None)
        if latest and not latest.is_skipped:
            due.setdefault(latest.code, []).append(each)
    return due


def _unwritten(deadline: Deadline, due: dict[str, list[Concerned]]) -> dict[str, list[Concerned]]:
    """What is new. In most minutes that is nothing, and then no row need be held."""
    begins = {code: key_begins(deadline, code) for code in due}
    either = reduce(or_, (Q(key__startswith=begin) for begin in begins.values()), Q(pk=None))
    written = _written(either)
    if not written:
        return due
    new = {
        code: [each for each in readers if f"{begins[code]}{each.reader.id}" not in written]
        for code, readers in due.items()
    }
    return {code: readers for code, readers in new.items() if readers}


def _written(which: Q) -> set[str]:
    """The keys of these letters."""
    return set(Letter.objects.filter(which).values_list("key", flat=True))


def key_begins(deadline: Deadline, code: str) -> str:
    """How the keys of the letters of one step begin."""
    if code == OPENS:
        return f"{OPENS}:{deadline.id}:"
    return f"{_all_keys_begin(deadline)}{code}:"


def _all_keys_begin(deadline: Deadline) -> str:
    """Those of reminders of the deadline as it stands."""
    return f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:"


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
