"""Decisions of one press: taken together, told together and, while nobody is told, undone."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model, Q
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events import capacity
from events.models import Event
from notifications import recall
from notifications.models import Letter
from registrations import decisions, mails, refusals, seats, waiting
from registrations.models import (
    GONE,
    SEATED,
    Batch,
    BatchedPerson,
    Delegate,
    Exchange,
    Registration,
    SegmentDecision,
)

Group = tuple[Registration, list[Delegate]]
Refused = list[tuple[Registration, refusals.Refusal]]
Rows = list[BatchedPerson]

State, Word = Delegate.State, Batch.Word
VERBS: dict[str, Callable[..., None]] = {
    Word.APPROVE: decisions.approve,
    Word.DECLINE: decisions.decline,
    Word.ASK: decisions.ask,
    Word.WAIT_LIST: decisions.wait_list,
    Word.REOPEN: decisions.reopen,
}
COUNTS_SEATS = {Word.APPROVE, Word.WAIT_LIST}
OWN = ["state", "role", "waits_as", "asked_at", "listing_asked_at", "listed_at", "replaces_id"]
OF_A_PART = ["segment_id", "state", "waits_as"]
OF_A_QUESTION = ["question", "asked_by_id", "asked_at"]
PLACES = {"waits_as"}
"""Places in an order say nothing about whom they belong to: others come and go."""
MAY_LEAD_TOO = {State.SUBMITTED, State.MORE_INFORMATION, State.WAIT_LISTED}
"""As long as this is so, who is named in the place of a head is one beside that head."""


@transaction.atomic
def decide(
    word: str, event: Event, groups: Iterable[Group], *, by: User, now: datetime, **typed: Any
) -> tuple[Batch | None, Refused]:
    """Decide the same about people of several delegations of an event. Their letters, and those
    that follow from it, are held for five minutes.

    What one delegation refuses is handed back; the others go on. No batch, where all refuse.
    """
    groups, word = list(groups), Word(word)
    hall = decisions.Hall(event, groups)
    if word in COUNTS_SEATS:
        waiting.serve(hall.table, now=now)
    before = _stands(_concerned(event, groups))
    chosen: set[UUID] = set()
    letters: list[Letter] = []
    refused: Refused = []
    for registration, people in groups:
        try:
            with mails.gathered() as written:
                VERBS[word](registration, people, by=by, now=now, hall=hall, **typed)
        except refusals.Refusal as refusal:
            refused.append((registration, refusal))
            if any(person.replaces_id for person in people):
                hall.recount()
        else:
            letters += written
            chosen |= {person.pk for person in people}
    if not chosen:
        return None, refused
    if word == Word.REOPEN:
        with mails.gathered() as written:
            waiting.serve(seats.Table(hall.event), now=now)
        letters += written
    batch = Batch.objects.create(
        event=event,
        word=word,
        by=by,
        at=now,
        leaves_at=now + Batch.HELD_FOR,
        letters=[letter.pk for letter in letters],
    )
    after = _stands(before)
    BatchedPerson.objects.bulk_create(
        BatchedPerson(
            batch=batch, delegate_id=pk, is_chosen=pk in chosen, was=before[pk], became=after[pk]
        )
        for pk in before
        if before[pk] != after[pk]
    )
    mails.post_held(letters, until=batch.leaves_at)
    return batch, refused


@transaction.atomic
def undo(batch: Batch, *, by: User, now: datetime) -> tuple[int, Refused]:
    """Put everybody back to how they stood, and let no letter of it leave, ever. Seats that come
    free by it go to those who wait. How many of those decided about went back.

    Of a delegation all go back or none: where somebody has been changed since, or the seats have
    gone, that is handed back. Refuses with UndoneAlready, LettersHaveLeft and NothingUndone.
    """
    held = _hold(batch)
    rows = list(held.people.in_order())
    for row in rows:
        row.delegate.registration.event = held.event
    _hold_rows(Registration, {row.delegate.registration_id for row in rows})
    _hold_rows(Delegate, {row.delegate_id for row in rows})
    letters = Letter.objects.filter(pk__in=held.letters)
    if now >= held.leaves_at or recall.have_left(letters):
        raise refusals.LettersHaveLeft(held)
    _make_room(held, rows)
    back, refused = _go_back(rows, held.event)
    if not any(row.is_chosen for row in back):
        raise refusals.NothingUndone(refused)
    trail.record_many(
        trail.act(
            by,
            gettext_noop("decision undone"),
            row.delegate,
            at=now,
            scope=held.event_id,
            before={"state": row.became["own"]["state"]},
            after={"state": row.was["own"]["state"]},
        )
        for row in back
    )
    recall.take_back(letters.about(*{row.delegate.registration_id for row in back}), now=now)
    held.people.filter(pk__in=[row.pk for row in back]).update(went_back=True)
    held.undone_at, held.undone_by = now, by
    held.save(update_fields=["undone_at", "undone_by"])
    waiting.fill(held.event, now=now)
    return sum(row.is_chosen for row in back), refused


@transaction.atomic
def send(batch: Batch, *, now: datetime) -> None:
    """Let its letters leave now: from then on it cannot be undone. Refuses as `undo`."""
    held = _hold(batch)
    if not held.is_held(now):
        raise refusals.LettersHaveLeft(held)
    recall.hurry(held.letters, now=now)
    held.leaves_at = now
    held.save(update_fields=["leaves_at"])


def _hold(batch: Batch) -> Batch:
    event = capacity.hold(batch.event)
    held = Batch.objects.select_for_update(of=("self",)).select_related("undone_by")
    batch = held.get(pk=batch.pk)
    batch.event = event
    if batch.undone_at:
        raise refusals.UndoneAlready(batch)
    return batch


def _hold_rows(model: type[Model], ids: Collection[UUID]) -> None:
    rows = model._default_manager.filter(pk__in=ids).order_by("pk").select_for_update()
    list(rows.values_list("pk", flat=True))


# How people stand


def _concerned(event: Event, groups: Iterable[Group]) -> set[UUID]:
    """Whom a decision about these may change: they themselves, those whose place they take, and
    those who wait, for a seat or for a part of the event."""
    people = [person for _registration, group in groups for person in group]
    waits = Delegate.objects.waiting().filter(registration__event=event)
    for_parts = SegmentDecision.objects.filter(
        segment__event=event, state=SegmentDecision.State.WAIT_LISTED
    )
    return {
        *(person.pk for person in people),
        *(person.replaces_id for person in people if person.replaces_id),
        *waits.values_list("pk", flat=True),
        *for_parts.values_list("delegate", flat=True),
    }


def _stands(ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """How these people stand, in what the database keeps as JSON: all that a decision changes."""
    ids = list(ids)
    own = Delegate.objects.filter(pk__in=ids).values("pk", *OWN)
    found: dict[UUID, dict[str, Any]] = {
        facts.pop("pk"): {"own": facts, "parts": {}, "question": None} for facts in own
    }
    parts = SegmentDecision.objects.filter(delegate__in=ids)
    for facts in parts.values("pk", "delegate_id", *OF_A_PART):
        found[facts.pop("delegate_id")]["parts"][facts.pop("pk")] = facts
    open_ones = Exchange.objects.filter(delegate__in=ids, answered_at=None)
    for facts in open_ones.values("delegate_id", *OF_A_QUESTION):
        found[facts.pop("delegate_id")]["question"] = facts
    return {pk: json.loads(json.dumps(stand, default=str)) for pk, stand in found.items()}


def _but_places(stand: Any) -> Any:
    if not isinstance(stand, dict):
        return stand
    return {name: _but_places(value) for name, value in stand.items() if name not in PLACES}


# Who goes back


def _go_back(rows: Rows, event: Event) -> tuple[Rows, Refused]:
    """Put them back, delegation by delegation; first those who take nobody's seat."""
    stands = _stands(row.delegate_id for row in rows)
    rivals = _rivals(rows)
    back: Rows = []
    refused: Refused = []
    to_seats: list[tuple[Registration, Rows]] = []
    for registration, together in groupby(rows, key=lambda row: row.delegate.registration):
        group = list(together)
        touched = [
            row.delegate for row in group if _is_touched(row, stands[row.delegate_id], rivals)
        ]
        if touched and any(row.is_chosen for row in group):
            refused.append((registration, refusals.TouchedSince(touched)))
        elif not touched and any(_had_place(row) for row in group):
            to_seats.append((registration, group))
        elif not touched:
            back += group
    _put_back(back)
    table = seats.Table(event)
    for registration, group in to_seats:
        why = _take_seats_again(table, group)
        if why:
            refused.append((registration, refusals.SeatsGone(why)))
        else:
            _put_back(group)
            back += group
    return back, refused


def _is_touched(row: BatchedPerson, stand: dict[str, Any], rivals: set[str]) -> bool:
    """Somebody has changed this person since, or has named somebody else in the same place."""
    was = row.was["own"]
    return (
        _but_places(stand) != _but_places(row.became)
        or not rivals.isdisjoint({was["replaces_id"], str(row.delegate_id)})
        or (_leads(was) and str(row.delegate.registration_id) in rivals)
    )


def _rivals(rows: Rows) -> set[str]:
    """The delegations that somebody else leads by now, and those in whose place somebody else is
    named."""
    others = Delegate.objects.exclude(pk__in=[row.delegate_id for row in rows])
    delegations = {row.delegate.registration_id for row in rows}
    places = {row.was["own"]["replaces_id"] for row in rows} - {None}
    places |= {str(row.delegate_id) for row in rows if _got_place(row)}
    rivals = others.filter(Q(registration__in=delegations) | Q(replaces__in=places))
    found = set()
    for own in rivals.values("registration_id", *OWN):
        if _leads(own):
            found.add(str(own["registration_id"]))
        if str(own["replaces_id"]) in places:
            found.add(str(own["replaces_id"]))
    return found


def _leads(own: dict[str, Any]) -> bool:
    is_beside = own["replaces_id"] and own["state"] in MAY_LEAD_TOO
    return own["role"] == Delegate.Role.HEAD and own["state"] not in GONE and not is_beside


def _had_place(row: BatchedPerson) -> bool:
    return row.was["own"]["state"] in SEATED and row.became["own"]["state"] not in SEATED


def _got_place(row: BatchedPerson) -> bool:
    return row.was["own"]["state"] not in SEATED and row.became["own"]["state"] in SEATED


def _take_seats_again(table: seats.Table, group: Rows) -> refusals.Refusal | None:
    """Count those of a delegation who had seats in again; or why there are none for them."""
    leaving = [row.delegate for row in group if row.became["own"]["state"] in SEATED]
    coming = [row.delegate for row in group if _had_place(row)]
    parts = Counter(part for row in group for part in _parts_given(row.was))
    parts.subtract(part for row in group for part in _parts_given(row.became))
    return table.swap(leaving, coming, parts)


def _parts_given(stand: dict[str, Any]) -> list[UUID]:
    given = SegmentDecision.State.GIVEN
    return [UUID(part["segment_id"]) for part in stand["parts"].values() if part["state"] == given]


def _make_room(batch: Batch, rows: Rows) -> None:
    """Who joined the waiting list since stays behind those who come back to it."""
    places = [row.was["own"]["waits_as"] for row in rows if row.was["own"]["waits_as"]]
    if not places:
        return
    joined = Entry.objects.in_scope(batch.event_id).filter(verb="wait-listed", at__gte=batch.at)
    since = Delegate.objects.waiting().filter(registration__event=batch.event)
    since.filter(pk__in=[UUID(pk) for pk in joined.values_list("subject_id", flat=True)]).exclude(
        pk__in=[row.delegate_id for row in rows]
    ).order_by().update(waits_as=F("waits_as") + max(places))


def _put_back(rows: Rows) -> None:
    """All who stood alike in one statement; who leads again after who leads no more."""
    alike: dict[str, list[UUID]] = {}
    for row in sorted(rows, key=lambda row: _leads(row.was["own"])):
        alike.setdefault(json.dumps(row.was["own"]), []).append(row.delegate_id)
    for own, ids in alike.items():
        Delegate.objects.filter(pk__in=ids).update(**json.loads(own))
    parts: dict[tuple[str, int | None], list[int]] = {}
    for row in rows:
        for pk, part in row.was["parts"].items():
            if part != row.became["parts"].get(pk):
                parts.setdefault((part["state"], part["waits_as"]), []).append(int(pk))
    for (state, waits_as), those in parts.items():
        SegmentDecision.objects.filter(pk__in=those).update(state=state, waits_as=waits_as)
    asked = [row for row in rows if row.was["question"] != row.became["question"]]
    open_ones = Exchange.objects.filter(answered_at=None)
    for row in asked:
        if row.was["question"]:
            open_ones.filter(delegate=row.delegate_id).update(**row.was["question"])
    new = [row.delegate_id for row in asked if row.was["question"] is None]
    open_ones.filter(delegate__in=new).delete()
