"""How a delegation comes in: begun as a draft, filled, sent, withdrawn."""

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import (
    Exists,
    Max,
    OuterRef,
    ProtectedError,
    Q,
    prefetch_related_objects,
)
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events import capacity
from events.models import Deadline, Event, Question, Track
from notifications import recall
from notifications.models import Kind, Letter
from notifications.writing import Reader
from registrations import answering, mails, references, refusals, seats, waiting
from registrations.models import (
    AWAITS_DECISION,
    GONE,
    SEATED,
    WITHOUT_SEAT,
    Delegate,
    Exemption,
    Registration,
    SegmentDecision,
)
from stakeholders.models import Membership, Organisation, Representative

State = Delegate.State


@dataclass(frozen=True)
class Person:
    """What a group says of one of its people."""

    given_names: str
    family_name: str = ""
    email: str = ""
    role: str = Delegate.Role.DELEGATE
    access_needs: str = ""
    segments: tuple[uuid.UUID, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.given_names} {self.family_name}".strip()


@transaction.atomic
def begin(event: Event, organisation: Organisation, *, by: User, now: datetime) -> Registration:
    """The organisation's draft for this event: a new one, the one that is there, or the
    withdrawn one made a draft again.

    A member who begins a new one works on it. Refuses with NotTakingPlace, NoRegistration,
    WindowNotOpen, WindowClosed and TakenIn, and with BegunByColleagues a member who does not work
    on the one that is there.
    """
    _check_window(event, organisation, now)
    member = organisation.memberships.active().filter(user=by, kind=Membership.Kind.MEMBER).first()
    registration = Registration.objects.filter(event=event, organisation=organisation).first()
    if registration is None:
        registration = _begin_anew(event, organisation, member, by=by, now=now)
    if member and not registration.colleagues.contains(member):
        raise refusals.BegunByColleagues(organisation)
    if registration.is_withdrawn:
        capacity.hold(event)
    held = Registration.objects.held(registration)
    if held.is_withdrawn:
        held.sent_at = held.withdrawn_at = None
        held.begun_at = now
        held.save(update_fields=["sent_at", "withdrawn_at", "begun_at"])
        held.delegates.filter(state=State.WITHDRAWN).update(state=State.DRAFT)
        trail.record(by, gettext_noop("draft reopened"), held, at=now, scope=event.id)
    return held


@transaction.atomic
def choose_track(
    registration: Registration, track: Track | None, *, by: User, now: datetime
) -> None:
    """Say how the group takes part. Refuses with SentAlready, and with TrackMissing what is no
    track of this event."""
    held = _held_draft(registration)
    if track is None or track.event_id != held.event_id:
        raise refusals.TrackMissing
    held.track = track
    held.save(update_fields=["track"])
    registration.track = track


@transaction.atomic
def add_person(
    registration: Registration,
    person: Person,
    *,
    by: User,
    now: datetime,
    entry: uuid.UUID | None = None,
    answers: answering.Given | None = None,
) -> Delegate:
    """Put a person in a draft, with what they answer. The same `entry` with the same words is a
    form that was sent twice: the person who is in already is returned.

    Refuses with SentAlready, WindowClosed, ListedAlready, TwoHeads and OverCap.
    """
    held = _held_draft(registration)
    try:
        (delegate,) = _add(held, [person], [entry], now=now)
    except refusals.InRow as refused:
        raise refused.reason from None
    if answers:
        delegate.registration = held
        answering.give(delegate, answers, by=by, now=now)
    _forget_typed(held, "person", by)
    return delegate


@transaction.atomic
def add_people(
    registration: Registration,
    people: Sequence[Person],
    *,
    by: User,
    now: datetime,
    entry: uuid.UUID | None = None,
) -> list[Delegate]:
    """Put all of them in a draft, or nobody; in this order. The same `entry` is a form that was
    sent twice, and adds each of them once.

    Refuses with SentAlready, WindowClosed, and InRow, which says of whom: ListedAlready, TwoHeads
    or OverCap.
    """
    held = _held_draft(registration)
    return _add(held, people, _entries(people, entry), now=now)


def why_not(registration: Registration, people: Iterable[Person]) -> list[refusals.Refusal | None]:
    """Of each, what keeps them out of the delegation, if those before them come in."""
    there = list(registration.delegates.select_related("representative"))
    room = Room(there, cap=registration.event.cap, free=_free_under_cap(registration))
    return [room.take(person) for person in people]


class Room:
    """Who is in a delegation, and how many more may come: `free`, where its event has a `cap`."""

    def __init__(self, there: Sequence[Delegate], *, cap: int | None, free: int | None) -> None:
        self.listed = {name_and_address(delegate.representative) for delegate in there}
        heads = [one for one in there if one.role == Delegate.Role.HEAD and one.state not in GONE]
        self.head = str(heads[0]) if heads else ""
        self._cap, self._free = cap or 0, free

    def take(self, person: Person) -> refusals.Refusal | None:
        """Count the person in, or say what keeps them out."""
        takes_seat = person.role not in WITHOUT_SEAT
        is_head = person.role == Delegate.Role.HEAD
        if name_and_address(person) in self.listed:
            return refusals.ListedAlready(person.full_name)
        if self.head and is_head:
            return refusals.TwoHeads(self.head)
        if takes_seat and self._free is not None and self._free < 1:
            return refusals.OverCap(self._cap)
        self.listed.add(name_and_address(person))
        self.head = person.full_name if is_head else self.head
        self._free = self._free - 1 if takes_seat and self._free is not None else self._free
        return None


@transaction.atomic
def change_person(
    delegate: Delegate,
    person: Person,
    *,
    by: User,
    now: datetime,
    seen: str = "",
    answers: answering.Given | None = None,
) -> None:
    """Keep what is said of a person of a draft, or of one who was sent and about whom nobody has
    decided; `seen` is the mark of what the form showed, and `answers` what a form of a draft asks
    beside.

    Refuses with AlreadyDecided, ChangedMeanwhile, ListedAlready, TwoHeads and OverCap.
    """
    held = Registration.objects.held(delegate.registration)
    delegate.refresh_from_db()
    delegate.registration = held
    if held.is_draft or not delegate.awaits_decision:
        _check_undecided(delegate)
    person, mark = _tidy(held, person), delegate.mark
    is_asked = answers is not None and held.is_draft
    is_answered = is_asked and answering.give(delegate, answers or {}, by=by, now=now)
    if _said_of(delegate) == person and not is_answered:
        _forget_typed(held, str(delegate.id), by)
        return
    if seen and seen != mark:
        raise refusals.ChangedMeanwhile(delegate)
    if person.role != delegate.role:
        _check_head(held, person, but=delegate)
    if person.role not in WITHOUT_SEAT and not delegate.needs_seat:
        _check_cap(held, more=1)
    representative = Representative.objects.known_as(
        held.organisation,
        given_names=person.given_names,
        family_name=person.family_name,
        email=person.email,
    )
    if held.delegates.filter(representative=representative).exclude(pk=delegate.pk).exists():
        raise refusals.ListedAlready(person.full_name)
    before = delegate.representative
    delegate.representative = representative
    delegate.role = person.role
    delegate.access_needs = person.access_needs
    delegate.save(update_fields=["representative", "role", "access_needs"])
    _choose_segments(delegate, person.segments)
    if before != representative:
        _forget_unsent(before)
    _forget_typed(held, str(delegate.id), by)
    if not held.is_draft:
        trail.record(by, gettext_noop("facts changed"), delegate, at=now, scope=held.event_id)


@transaction.atomic
def remove_person(delegate: Delegate, *, by: User, now: datetime) -> None:
    """Take a person out of a draft. Refuses with SentAlready and AlreadyDecided."""
    held = _held_draft(delegate.registration)
    delegate.refresh_from_db()
    _check_undecided(delegate)
    _forget_typed(held, str(delegate.id))
    delegate.delete()
    _forget_unsent(delegate.representative)


@transaction.atomic
def keep_typed(
    registration: Registration,
    task: str,
    typed: dict[str, Any],
    *,
    by: User,
    entry: uuid.UUID | None = None,
) -> None:
    """Keep what this person typed though it is not valid yet, so that nobody types it twice;
    nothing typed forgets it. Colleagues keep their own words. What comes late, of an `entry` that
    is in already, is no news. Refuses with SentAlready."""
    held = _held_draft(registration)
    if entry and held.delegates.filter(pk=entry).exists():
        return
    if typed:
        held.unfinished = held.unfinished | {_place(task, by): typed}
        held.save(update_fields=["unfinished"])
    else:
        _forget_typed(held, task, by)


@transaction.atomic
def submit(
    registration: Registration, *, by: User, now: datetime, asks: bool = True
) -> list[Delegate]:
    """Send the delegation to the organisers; first come, first served, each of its people gets a
    seat or a place on the waiting list. The people, with what became of them.

    What this is judged by is read under the lock of the event's seats; only `now` is the moment
    at which the request came in, however long it has waited. Unless it `asks`, the questions of the
    organisers are left to be answered later.

    Refuses with SentAlready, NotTakingPlace, NoRegistration, WindowNotOpen, WindowClosed,
    OrganisationIncomplete, TrackMissing, NobodyIn, OverCap, AnswerMissing and OptionFull; the draft
    then stays as it is.
    """
    has_tracks, has_questions = _asks(registration.event)
    questions = answering.asked(registration.event) if asks and has_questions else []
    readers = mails.readers_of(registration)
    capacity.hold_only(registration.event)
    held = _held_draft(registration)
    event = held.event
    prefetch_related_objects([event], "deadlines")
    if held.organisation_id != registration.organisation_id:
        readers = mails.readers_of(held)
    deadline = _check_window(event, held.organisation, now)
    if not (held.organisation.country and held.organisation.category):
        raise refusals.OrganisationIncomplete
    if has_tracks and held.track_id is None:
        raise refusals.TrackMissing
    people = list(
        held.delegates.filter(state=State.DRAFT).select_related("representative").in_order()
    )
    if not people:
        raise refusals.NobodyIn
    _check_cap(held)
    if questions:
        answering.check(held, people, questions)
    held.sent_at, held.unfinished = now, {}
    Registration.objects.filter(pk=held.pk).update(sent_at=now, unfinished={})
    if Letter.objects.pending().about(deadline.id).filter(kind=Kind.REMINDER).exists():
        recall.cancel(now=now, letters=Letter.objects.filter(_reminders_to_register(held)))
    for delegate in people:
        delegate.registration = held
        delegate.state = State.SUBMITTED
    sent = trail.act(
        by, gettext_noop("sent"), held, at=now, scope=event.id, after={"people": len(people)}
    )
    if event.is_first_come:
        seat(held, people, sent, readers, by=by, now=now)
    else:
        held.delegates.filter(state=State.DRAFT).update(state=State.SUBMITTED)
        trail.record_many([sent])
        mails.received(held, deadline, now=now, people=people, readers=readers)
    registration.sent_at, registration.unfinished = held.sent_at, held.unfinished
    return people


@transaction.atomic
def withdraw(registration: Registration, *, by: User, now: datetime) -> None:
    """Take the whole delegation back; a draft too. Its seats go to those who wait. Refuses with
    nothing: it may be said twice."""
    event = capacity.hold(registration.event)
    held = Registration.objects.held(registration, event)
    if held.is_withdrawn:
        return
    was_sent = not held.is_draft
    held.withdrawn_at = now
    held.save(update_fields=["withdrawn_at"])
    asked = list(held.delegates.to_confirm().select_related("representative"))
    for delegate in asked:
        delegate.registration = held
    stand_ins = held.delegates.filter(state__in=AWAITS_DECISION, replaces__isnull=False)
    stand_ins.filter(role=Delegate.Role.HEAD).update(role=Delegate.Role.DELEGATE)
    stand_ins.update(replaces=None)
    held.delegates.exclude(state__in=GONE).update(
        state=State.WITHDRAWN, waits_as=None, **seats.UNLISTED
    )
    seats.take_parts(SegmentDecision.objects.filter(delegate__registration=held))
    trail.record(by, gettext_noop("withdrawn"), held, at=now, scope=event.id)
    for untrue in (waiting.reminders_to(asked, event), _reminders_to_register(held)):
        recall.cancel(now=now, letters=Letter.objects.filter(untrue))
    recall.cancel(now=now, about=held.id, spare=mails.DECLINED)
    if was_sent:
        mails.withdrawn(held, now=now)
        waiting.fill(event, now=now)
    registration.refresh_from_db()


@transaction.atomic
def withdraw_person(delegate: Delegate, *, by: User, now: datetime) -> None:
    """Take one person back; the seat goes to those who wait. Refuses with CannotWithdraw."""
    event = capacity.hold(delegate.registration.event)
    held = Registration.objects.held(delegate.registration, event)
    delegate.refresh_from_db()
    delegate.registration = held
    if not delegate.can_withdraw:
        raise refusals.CannotWithdraw(delegate)
    seats.turn(
        delegate,
        State.WITHDRAWN,
        gettext_noop("withdrawn"),
        by=by,
        now=now,
        replaces=None if delegate.awaits_decision else delegate.replaces,
        role=delegate.role_without_rival,
    )
    waiting.stop_asking([delegate], event, now=now)
    mails.person_withdrawn(held, delegate, now=now)
    waiting.fill(event, now=now)


def _add(
    held: Registration,
    people: Sequence[Person],
    entries: Sequence[uuid.UUID | None],
    *,
    now: datetime,
) -> list[Delegate]:
    """Those whom this very form has entered already are taken as they are."""
    people = [_tidy(held, person) for person in people]
    known = Delegate.objects.select_related("representative").prefetch_related("segments")
    entered = known.in_bulk([entry for entry in entries if entry])
    there = {
        number: delegate
        for number, (entry, person) in enumerate(zip(entries, people, strict=True))
        if (delegate := entered.get(entry))
        and delegate.registration_id == held.pk
        and _said_of(delegate) == person
    }
    new = [number for number in range(len(people)) if number not in there]
    if new:
        _check_not_closed(held, now)
        for number, reason in zip(new, why_not(held, [people[each] for each in new]), strict=True):
            if reason:
                raise refusals.InRow(number + 1, reason)
        pks = [None if entries[each] in entered else entries[each] for each in new]
        there |= zip(new, _enter(held, [people[each] for each in new], pks), strict=True)
    return [there[number] for number in range(len(people))]


def _enter(
    held: Registration, people: Sequence[Person], pks: Sequence[uuid.UUID | None]
) -> list[Delegate]:
    representatives = Representative.objects.all_known_as(
        held.organisation,
        [(person.given_names, person.family_name, person.email) for person in people],
    )
    last = held.delegates.aggregate(last=Max("position"))["last"] or 0
    added = Delegate.objects.bulk_create(
        Delegate(
            pk=pk or uuid.uuid4(),
            registration=held,
            representative=representative,
            position=position,
            role=person.role,
            access_needs=person.access_needs,
        )
        for position, (person, representative, pk) in enumerate(
            zip(people, representatives, pks, strict=True), start=last + 1
        )
    )
    for delegate, person in zip(added, people, strict=True):
        if person.segments:
            _choose_segments(delegate, person.segments)
    return added


def _entries(people: Sequence[Person], entry: uuid.UUID | None) -> list[uuid.UUID | None]:
    """By which each of them is known when the form comes again; the first by that of the form."""
    if entry is None:
        return [None] * len(people)
    return [uuid.uuid5(entry, repr(person)) if at else entry for at, person in enumerate(people)]


def name_and_address(person: Person | Representative) -> tuple[str, ...]:
    facts = (person.given_names, person.family_name, person.email)
    return tuple(fact.casefold() for fact in facts)


def _begin_anew(
    event: Event, organisation: Organisation, member: Membership | None, *, by: User, now: datetime
) -> Registration:
    """Two colleagues who begin at once work on the same draft."""
    held = Organisation.everyone.held(organisation)
    if held.merged_into_id:
        raise refusals.TakenIn(held)
    try:
        with transaction.atomic():
            registration = Registration.objects.create(
                event=event,
                organisation=organisation,
                reference=_unused_reference(event.process.prefix),
                begun_at=now,
            )
            if member:
                registration.colleagues.add(member)
    except IntegrityError:
        return Registration.objects.get(event=event, organisation=organisation)
    trail.record(by, gettext_noop("draft begun"), registration, at=now, scope=event.id)
    return registration


def _unused_reference(prefix: str) -> str:
    reference = references.new(prefix)
    while Registration.objects.filter(reference=reference).exists():
        reference = references.new(prefix)
    return reference


def _held_draft(registration: Registration) -> Registration:
    held = Registration.objects.held(registration)
    if not held.is_draft:
        raise refusals.SentAlready(held)
    return held


def _asks(event: Event) -> tuple[bool, bool]:
    """Whether a group chooses a track there, and whether the organisers ask more; in one look."""
    tracks = Track.objects.filter(event=OuterRef("pk"))
    questions = Question.objects.asked().filter(event=OuterRef("pk"))
    return Event.objects.values_list(Exists(tracks), Exists(questions)).get(pk=event.pk)


def _check_window(event: Event, organisation: Organisation, now: datetime) -> Deadline:
    """An organisation that was let in may register while the window is shut for others."""
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    deadline = event.registration_deadline
    if deadline is None:
        raise refusals.NoRegistration(event)
    if deadline.is_open(now) or _is_let_in(event, organisation, now):
        return deadline
    if deadline.is_not_yet_open(now):
        raise refusals.WindowNotOpen(deadline)
    raise refusals.WindowClosed(deadline)


def _check_not_closed(registration: Registration, now: datetime) -> None:
    """Nobody new comes into a draft that is too late."""
    deadline = registration.event.registration_deadline
    if deadline is None or now < deadline.closes_at:
        return
    if not _is_let_in(registration.event, registration.organisation, now):
        raise refusals.WindowClosed(deadline)


def _is_let_in(event: Event, organisation: Organisation, now: datetime) -> bool:
    exemption = Exemption.objects.filter(event=event, organisation=organisation).first()
    return exemption is not None and exemption.is_open(now)


def _check_head(registration: Registration, person: Person, but: Delegate | None = None) -> None:
    head = registration.delegates.heads(but).first() if person.role == Delegate.Role.HEAD else None
    if head:
        raise refusals.TwoHeads(head)


def _check_undecided(delegate: Delegate) -> None:
    """Whoever was declined before the delegation was withdrawn stays so in the new draft."""
    if delegate.state != State.DRAFT:
        raise refusals.AlreadyDecided([delegate], {})


def _check_cap(registration: Registration, more: int = 0) -> None:
    free = _free_under_cap(registration)
    if free is not None and free < more:
        raise refusals.OverCap(registration.event.cap or 0)


def _free_under_cap(registration: Registration) -> int | None:
    """How many may still come; None where nothing limits them. Those of the draft, those who wait
    and those who have a seat count; whoever is to stand in for one of them does not."""
    cap = registration.event.cap
    if cap is None:
        return None
    takers = registration.delegates.exclude(state__in=[*GONE, State.WITHDRAWN])
    takers = takers.exclude(role__in=WITHOUT_SEAT)
    stand_ins = Q(state__in=AWAITS_DECISION, replaces__state__in=SEATED)
    return cap - takers.exclude(stand_ins).count()


def seat(
    registration: Registration,
    people: list[Delegate],
    sent: Entry,
    readers: list[Reader],
    *,
    by: User,
    now: datetime,
) -> None:
    """In the order of the delegation. Nobody overtakes those who wait already and for whom there
    is a seat."""
    table = seats.Table(registration.event)
    waiting.serve(table, now=now)
    would_overtake = table.serves_somebody()
    seated: list[Delegate] = []
    late: list[Delegate] = []
    for delegate in people:
        has_to_wait = would_overtake or table.why_not(*seated, delegate)
        (late if delegate.needs_seat and has_to_wait else seated).append(delegate)
    if seated:
        verb = gettext_noop("seat given")
        table.give(*seated, by=by, now=now, verb=verb, and_acts=[sent])
        mails.approved(registration, seated, now=now, parts=bool(table.segments), readers=readers)
        waiting.ask_newcomers(seated, now=now)
    acts = [] if seated else [sent]
    waiting.join(registration, late, table, by=by, now=now, and_acts=acts, readers=readers)


def _choose_segments(delegate: Delegate, segments: Iterable[uuid.UUID]) -> None:
    """Ask for these parts of the event, and for no others."""
    delegate.segments.exclude(segment__in=segments).delete()
    SegmentDecision.objects.bulk_create(
        [SegmentDecision(delegate=delegate, segment_id=segment) for segment in segments],
        ignore_conflicts=True,
    )


def _said_of(delegate: Delegate) -> Person:
    known = delegate.representative
    return Person(
        known.given_names,
        known.family_name,
        known.email,
        delegate.role,
        delegate.access_needs,
        tuple(sorted(part.segment_id for part in delegate.segments.all())),
    )


def _tidy(registration: Registration, person: Person) -> Person:
    """With those parts of the event whose seats are counted, in order: for the others nobody
    need ask."""
    if not person.segments:
        return person
    counted = registration.event.segments.exclude(seats=None).filter(pk__in=person.segments)
    return replace(person, segments=tuple(sorted(counted.values_list("pk", flat=True))))


def _forget_unsent(representative: Representative) -> None:
    """A misspelt or dropped name that is in no delegation is not kept."""
    with suppress(ProtectedError, IntegrityError), transaction.atomic():
        Representative.objects.filter(pk=representative.pk, delegates=None).delete()


def _place(task: str, by: User) -> str:
    return f"{task}:{by.pk}"


def _forget_typed(registration: Registration, task: str, by: User | None = None) -> None:
    """What one of the colleagues has typed there, or all of them."""
    kept = {
        place: typed
        for place, typed in registration.unfinished.items()
        if (place != _place(task, by) if by else not place.startswith(f"{task}:"))
    }
    if kept != registration.unfinished:
        registration.unfinished = kept
        registration.save(update_fields=["unfinished"])


def _reminders_to_register(registration: Registration) -> Q:
    """Those that the group need not be sent: but whoever has another draft for this event gets
    them."""
    event, deadline = registration.event, registration.event.registration_deadline
    fitting = Q(pk=None)
    if deadline is None:
        return fitting
    for user in registration.organisation.focal_points:
        others = Registration.objects.of(user).drafts().filter(event=event)
        if not others.exclude(pk=registration.pk).exists():
            fitting |= Q(to__iexact=user.email)
    return fitting & Q(about=deadline.id, kind=Kind.REMINDER)
