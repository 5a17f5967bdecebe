"""An organiser writes a letter to people of the attendee list, and sends it.

It is held for a while in which it can be stopped. Then its letters are written, some delegations at
a time, in the order of their ids: whoever stops, or is killed, in the middle leaves a mark from
where another one goes on, and the key of each letter lets nobody get it twice.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from translated_fields import to_attribute

from accounts.models import User
from audit import trail
from events import texts
from events.models import Event
from notifications import recall
from notifications.models import State as LetterState
from notifications.writing import Reader
from registrations import addressees, mails, placeholders, refusals
from registrations.addressees import Addressee
from registrations.models import DelegateQuerySet, Message

HOLD = timedelta(minutes=5)
PORTION = 500
"""So many delegations are written to under one lock."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SUBJECTS = [to_attribute("subject", code) for code in texts.CODES]
TEXTS = [to_attribute("text", code) for code in texts.CODES]
State = Message.State

Resolve = Callable[[Message], DelegateQuerySet]
"""Whom the filters of a message let through now; or why nobody can tell, as a refusal."""


def draft(event: Event, *, by: User, now: datetime, **typed: str) -> Message:
    """Begin a letter. Refuses with Misworded."""
    message = Message(event=event, by=by, made_at=now)
    _write(message, typed)
    with transaction.atomic():
        message.save(force_insert=True)
        _record(by, gettext_noop("drafted"), message, now=now)
    return message


@transaction.atomic
def change(message: Message, *, by: User, now: datetime, **typed: str) -> Message:
    """Write on. Refuses with Misworded, and with SentByNow."""
    held = _held(message)
    if held.state != State.DRAFT:
        raise refusals.SentByNow(held)
    before = {name: getattr(held, name) for name in typed}
    _write(held, typed)
    held.save()
    after = {name: getattr(held, name) for name in typed}
    changed = [name for name in typed if before[name] != after[name]]
    if changed:
        _record(
            by,
            gettext_noop("changed"),
            held,
            now=now,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return held


def faults(message: Message) -> Iterator[refusals.Misworded]:
    """What keeps these words from being kept."""
    for column in SUBJECTS:
        subject = getattr(message, column)
        if CONTROL.search(subject):
            yield refusals.BreakInSubject(column)
        named = placeholders.used(subject) & placeholders.OF_PERSONS
        if named:
            yield refusals.NameInSubject(column, sorted(named))
    for column in [*SUBJECTS, *TEXTS]:
        words = getattr(message, column)
        used = placeholders.used(words)
        if unknown := placeholders.unknown(words):
            yield refusals.UnknownPlaceholder(column, unknown)
        if around := placeholders.stray(words):
            yield refusals.StrayBrace(column, around)
        if "deadline" in used and message.event.registration_deadline is None:
            yield refusals.NoSuchDeadline(column)
        if "status_page" in used and message.to == Message.To.PEOPLE:
            yield refusals.OfFocalPoints(column)


@transaction.atomic
def send(
    message: Message,
    *,
    people: DelegateQuerySet,
    at: datetime | None = None,
    by: User,
    now: datetime,
) -> Message:
    """Let it leave when it has been held for a while, or at a later moment. Refuses with SentByNow,
    EnglishMissing, LeavesTooSoon, Misworded, and with NobodyToWriteTo as of now."""
    held = _held(message)
    if held.state != State.DRAFT:
        raise refusals.SentByNow(held)
    if texts.SOURCE not in held.languages:
        raise refusals.EnglishMissing
    if at is not None and at < now + HOLD:
        raise refusals.LeavesTooSoon(HOLD // timedelta(minutes=1))
    _check_words(held)
    if not addressees.of(held, people).letters:
        raise refusals.NobodyToWriteTo
    held.state, held.sent_by, held.leaves_at = State.WAITING, by, at or now + HOLD
    held.save()
    _record(
        by, gettext_noop("sent"), held, now=now, after={"leaves_at": held.leaves_at.isoformat()}
    )
    return held


@transaction.atomic
def stop(message: Message, *, by: User, now: datetime) -> int:
    """Before it leaves, it is a draft again; while it goes out, what has not left stays. How many
    had left. Refuses with NothingToStop."""
    held = _held(message)
    if held.state == State.WAITING:
        held.state, held.sent_by, held.leaves_at = State.DRAFT, None, None
    elif held.state == State.SENDING:
        held.state = State.STOPPED
        recall.cancel(letters=held.letters, now=now)
    else:
        raise refusals.NothingToStop(held)
    held.save()
    left = held.letters.filter(state=LetterState.SENT).count()
    _record(by, gettext_noop("stopped"), held, now=now, after={"letters": left})
    return left


def try_out(
    message: Message, *, people: DelegateQuerySet, language: str, by: User, now: datetime
) -> None:
    """One letter to the organiser, as the first of its readers would read it in this language; as
    somebody invented would, while it has none."""
    first = next(iter(addressees.of(message, people).letters), None)
    reader = Reader(by.email, language, by.zone, by.neutral_subjects)
    with translation.override(language):
        one = first or Addressee(
            reader,
            names=[_("Sample Person")],
            organisations=[_("Sample Network")],
            people=[_("Sample Person")],
            reference=f"{message.event.process.prefix}-…",
        )
    with transaction.atomic():
        mails.message_test(message, replace(one, reader=reader), now=now)


# When it leaves


def leave_due(*, people_of: Resolve, now: datetime) -> int:
    """Write the letters of all messages whose moment has come; how many are new. One that nobody
    can tell the readers of is stopped, and says why."""
    due = Message.objects.filter(state=State.WAITING, leaves_at__lte=now)
    for pk in _ids(due.order_by("leaves_at", "pk")):
        _begin(pk, now=now)
    written = 0
    for pk in _ids(Message.objects.filter(state=State.SENDING, written_at=None).order_by("pk")):
        while (new := _write_on(pk, people_of, now=now)) is not None:
            written += new
    for pk in _ids(Message.objects.filter(state=State.SENDING).exclude(written_at=None)):
        _settle(pk, now=now)
    return written


@transaction.atomic
def _begin(pk: UUID, *, now: datetime) -> None:
    message = _free(pk, State.WAITING)
    if message and message.leaves_at and message.leaves_at <= now:
        message.state = State.SENDING
        message.save(update_fields=["state"])


@transaction.atomic
def _write_on(pk: UUID, people_of: Resolve, *, now: datetime) -> int | None:
    """The letters of the next delegations; None when there are none, or somebody else writes."""
    message = _free(pk, State.SENDING)
    if message is None or message.written_at:
        return None
    try:
        people = people_of(message)
    except refusals.Refusal as refused:
        message.state = State.STOPPED
        message.save(update_fields=["state"])
        recall.cancel(letters=message.letters, now=now)
        _record(None, gettext_noop("stopped"), message, now=now, reason=str(refused))
        return None
    rest = people.filter(registration__gt=message.reached) if message.reached else people
    of_rest = rest.order_by("registration").values_list("registration", flat=True)
    portion = list(of_rest.distinct()[:PORTION])
    if not portion:
        message.written_at = now
        message.save(update_fields=["written_at"])
        return None
    chosen = people.filter(registration__in=portion)
    new = mails.message(message, addressees.of(message, chosen).letters, now=now)
    message.reached = portion[-1]
    message.save(update_fields=["reached"])
    return new


@transaction.atomic
def _settle(pk: UUID, *, now: datetime) -> None:
    """It is sent when none of its letters waits any more."""
    message = _free(pk, State.SENDING)
    if message is None or message.letters.pending().exists():
        return
    message.state = State.SENT
    message.save(update_fields=["state"])
    left = message.letters.filter(state=LetterState.SENT).count()
    _record(None, gettext_noop("went out"), message, now=now, after={"letters": left})


def _ids(messages: Any) -> list[UUID]:
    return list(messages.values_list("pk", flat=True))


def _free(pk: UUID, state: Message.State) -> Message | None:
    """Held until the transaction ends; None where somebody else holds it."""
    messages = Message.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return messages.select_related("event", "sent_by").filter(pk=pk, state=state).first()


def _held(message: Message) -> Message:
    messages = Message.objects.select_for_update(of=("self",), no_key=True)
    return messages.select_related("event", "sent_by").get(pk=message.pk)


def _write(message: Message, typed: dict[str, str]) -> None:
    for name, value in typed.items():
        setattr(message, name, value.replace("\r\n", "\n"))
    _check_words(message)


def _check_words(message: Message) -> None:
    if fault := next(faults(message), None):
        raise fault


def _record(by: User | None, verb: str, message: Message, *, now: datetime, **facts: Any) -> None:
    trail.record(by, verb, message, at=now, scope=message.event_id, **facts)
