"""People are told what has changed since they last looked: the net change, once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from events.deadlines import CHANGED
from events.models import Deadline, DeadlineChange, Event, EventChange
from notifications.models import Letter
from notifications.models import State as LetterState
from registrations import audiences, mails
from registrations.audiences import Audience, Changes, Concerned

QUIET = timedelta(minutes=5)
State = Event.State
Value = TypeVar("Value")
Change = TypeVar("Change", EventChange, DeadlineChange)


class Turn(NamedTuple, Generic[Value]):
    at: datetime
    value: Value
    reason: str


@dataclass
class Story(Generic[Value]):
    """How something stood before it changed, and its changes in order."""

    first: Value
    turns: list[Turn[Value]] = field(default_factory=list)

    def at(self, moment: datetime) -> Value:
        known = [turn.value for turn in self.turns if turn.at <= moment]
        return known[-1] if known else self.first

    def news(self, seen: Iterable[datetime]) -> tuple[Value, list[str]] | None:
        """What a reader who looked at these moments believes, where that no longer holds, and the
        reasons given since. The latest look counts most, but nobody is left with an older one."""
        for moment in sorted(seen, reverse=True):
            believed = self.at(moment)
            if self.turns and believed != self.turns[-1].value:
                return believed, [turn.reason for turn in self.turns if turn.at > moment]
        return None


@dataclass
class Stories:
    """Everything about one event that people have not been told yet."""

    event: Event
    state: Story[str]
    days: Story[tuple[date, date]]
    closings: list[tuple[Deadline, Story[datetime]]]

    def changes_for(self, concerned: Concerned) -> Changes | None:
        """The net changes that matter to this reader; None where everything is as it was.

        Without a date of its own the event has no days and no deadlines to speak of.
        """
        reasons: list[str] = []
        old_state, old_days, deadlines = self.event.state, None, []
        state_news = self.state.news(concerned.seen)
        if state_news:
            old_state, reasons = state_news
        if self.event.is_published:
            days_news = self.days.news(concerned.seen)
            if days_news:
                old_days = days_news[0]
                reasons = reasons + days_news[1]
            for deadline, closing in self.closings:
                closing_news = closing.news(concerned.seen)
                if closing_news and _matters(deadline, concerned):
                    deadlines.append((deadline, closing_news[0]))
                    reasons = reasons + closing_news[1]
        if not (state_news or old_days or deadlines):
            return None
        return Changes(
            state=self.event.state,
            old_state=old_state,
            old_days=old_days,
            new_days=(self.event.starts_on, self.event.ends_on) if old_days else None,
            deadlines=deadlines,
            reasons=list(dict.fromkeys(reason for reason in reasons if reason)),
        )


def tell_changes(*, now: datetime) -> int:
    """Tell everybody concerned of the events that have changed, once nothing has changed for five
    minutes: another move, or one back, may follow at once. How many letters are new."""
    return sum(_tell(event, now=now) for event in list(_changed_events()))


def _changed_events() -> Iterable[UUID]:
    turned = EventChange.objects.unannounced().filter(event=OuterRef("pk"))
    moved = DeadlineChange.objects.unannounced().filter(deadline__event=OuterRef("pk"))
    changed = Event.objects.filter(Exists(turned) | Exists(moved))
    return changed.order_by("pk").values_list("pk", flat=True)


@transaction.atomic
def _tell(pk: UUID, *, now: datetime) -> int:
    """Whoever changes the event meanwhile waits, and is told of by a later sweep.

    Moves of a deadline while its event has no days wait until it has some, or never will.
    """
    event = Event.objects.select_for_update(no_key=True).get(pk=pk)
    deadlines = list(
        Deadline.objects.select_for_update(no_key=True).filter(event=event).order_by("kind")
    )
    turns = list(EventChange.objects.unannounced().filter(event=event).order_by("at", "id"))
    moves = DeadlineChange.objects.unannounced().filter(deadline__in=deadlines)
    if event.state == State.POSTPONED:
        moves = moves.none()
    moved = list(moves.order_by("at", "id"))
    moments = [turn.at for turn in turns] + [move.at for move in moved]
    latest = max(moments, default=None)
    if latest is None or latest > now - QUIET:
        return 0
    told = []
    if not (event.is_published and event.is_over(now)):
        unread = _Unread(event)
        stories = _stories(
            event,
            deadlines,
            unread.with_untold(EventChange.objects.filter(event=event), turns),
            unread.with_untold(DeadlineChange.objects.filter(deadline__in=deadlines), moved),
        )
        told = [
            (concerned, changes)
            for concerned in unread.as_they_know_it(audiences.of_event(event))
            if (changes := stories.changes_for(concerned))
        ]
    EventChange.objects.filter(pk__in=[change.pk for change in turns]).update(announced_at=now)
    DeadlineChange.objects.filter(pk__in=[change.pk for change in moved]).update(announced_at=now)
    return mails.changed(event, told, now=now)


class _Unread:
    """Letters about former changes of an event that were taken back before they left: what they
    said has not been told to their readers, and has been to all others."""

    def __init__(self, event: Event) -> None:
        begin = f"{CHANGED}:{event.id}:"
        self.unread_at: dict[str, set[datetime]] = {}
        taken_back = Letter.objects.filter(key__startswith=begin, state=LetterState.CANCELLED)
        for key, posted_at in taken_back.values_list("key", "posted_at"):
            self.unread_at.setdefault(key.rpartition(":")[2], set()).add(posted_at)
        self.first = min(chain(*self.unread_at.values()), default=None)
        self.told_at: set[datetime] = set()

    def with_untold(self, changes: QuerySet[Change], new: list[Change]) -> list[Change]:
        """The new changes, after those that some readers have not read of."""
        if self.first is None:
            return new
        older = list(changes.filter(announced_at__gte=self.first).order_by("at", "id"))
        self.told_at |= {change.announced_at for change in older if change.announced_at}
        return older + new

    def as_they_know_it(self, concerned: Iterable[Concerned]) -> Iterable[Concerned]:
        """Each as having looked at the last thing that they were told."""
        for one in concerned:
            read_at = self.told_at - self.unread_at.get(str(one.reader.id), set())
            if read_at:
                last = max(read_at)
                one.seen = [last, *(moment for moment in one.seen if moment > last)]
            yield one


def _stories(
    event: Event,
    deadlines: Iterable[Deadline],
    turns: list[EventChange],
    moved: list[DeadlineChange],
) -> Stories:
    days = (event.starts_on, event.ends_on)
    stories = Stories(event, Story(event.state), Story(days), [])
    if turns:
        stories.state.first = turns[0].old_state
        stories.days.first = (turns[0].old_starts_on, turns[0].old_ends_on)
    for turn in turns:
        stories.state.turns.append(Turn(turn.at, turn.new_state, turn.reason))
        stories.days.turns.append(
            Turn(turn.at, (turn.new_starts_on, turn.new_ends_on), turn.reason)
        )
    for deadline in deadlines:
        own = [change for change in moved if change.deadline_id == deadline.pk]
        if own:
            closing = Story(own[0].old_closes_at)
            closing.turns = [Turn(each.at, each.new_closes_at, each.reason) for each in own]
            stories.closings.append((deadline, closing))
    return stories


def _matters(deadline: Deadline, concerned: Concerned) -> bool:
    """Until when one confirms is nothing to those who are not in a delegation; the other windows
    are nothing to somebody who only says whether they come."""
    if deadline.kind == Deadline.Kind.CONFIRMATION:
        is_sent = any(registration.sent_at for registration in concerned.registrations)
        return Audience.TO_CONFIRM in concerned.since or is_sent
    return any(audience != Audience.TO_CONFIRM for audience in concerned.since)
