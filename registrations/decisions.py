"""What organisers decide about the people of a delegation."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit.models import Entry
from events import capacity
from events.models import Event
from registrations import mails, refusals, seats, waiting
from registrations.models import (
    AWAITS_DECISION,
    DECIDED,
    SEATED,
    Delegate,
    Exchange,
    Registration,
)

Group = tuple[Registration, Iterable[Delegate]]

State = Delegate.State


class Hall:
    """An event whose seats are held until the transaction ends, and counted once; and of each
    delegation those to be decided about, and whom its letters go to. All of it is read together,
    so several decisions cost hardly more than one. Who gets the seats that they free is then for
    their caller to say."""

    def __init__(self, event: Event, groups: Iterable[Group]) -> None:
        self.event = capacity.hold(event)
        chosen = {registration.pk: list(people) for registration, people in groups}
        self.registrations = Registration.objects.all_held(chosen, self.event)
        self.people: dict[UUID, list[Delegate]] = {pk: [] for pk in chosen}
        ids = [delegate.pk for people in chosen.values() for delegate in people]
        people = Delegate.objects.filter(pk__in=ids, registration__in=chosen)
        for delegate in people.select_related(
            "representative", "replaces__representative"
        ).in_order():
            held = self.registrations[delegate.registration_id]
            delegate.registration = held
            if delegate.replaces:
                delegate.replaces.registration = held
            self.people[held.pk].append(delegate)
        self.readers = mails.readers_of_all(self.registrations.values())

    @cached_property
    def table(self) -> seats.Table:
        return seats.Table(self.event)

    def recount(self) -> None:
        vars(self).pop("table", None)


@transaction.atomic
def approve(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    hall: Hall | None = None,
) -> None:
    """Say yes to these people of one delegation, and give them their seats; one letter to the
    group names them all. Who stands in for somebody with a seat takes that one over.

    Refuses with NotTakingPlace what is cancelled, with NotSent, NobodyChosen, AlreadyDecided if
    one of them waits no more, and with HearingFull, CapReached and QuotaFull if there are not seats
    for all; then nothing is changed.
    """
    hall = hall or Hall(registration.event, [(registration, delegates)])
    held, people = _hold(registration, hall)
    table = hall.table
    verb = gettext_noop("approved")
    heirs = [delegate for delegate in people if _takes_over(delegate)]
    others = [delegate for delegate in people if not _takes_over(delegate)]
    for heir in heirs:
        if heir.replaces:
            table.hand_over(heir.replaces, heir, by=by, now=now, verb=verb)
    if heirs:
        gone = [heir.replaces for heir in heirs if heir.replaces]
        waiting.stop_asking(gone, held.event, now=now)
    waiting.serve(table, now=now)
    refusal = table.why_not(*others)
    if refusal:
        raise refusal
    for delegate in others:
        if _is_instead(delegate) and delegate.replaces:
            table.hand_over(delegate.replaces, delegate, by=by, now=now, verb=verb)
    newcomers = [delegate for delegate in others if not _is_instead(delegate)]
    if newcomers:
        table.give(*newcomers, by=by, now=now, verb=verb)
    if others:
        readers = hall.readers[held.pk]
        mails.approved(held, others, now=now, parts=bool(table.segments), readers=readers)
    for heir in heirs:
        if heir.replaces:
            mails.replaced(held, heir.replaces, heir, now=now)
    waiting.ask_newcomers(people, now=now)


@transaction.atomic
def wait_list(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    hall: Hall | None = None,
) -> None:
    """Let these people wait for a seat, after all who wait already.

    Refuses as `approve` does of people who were decided, and with SeatIsFree if one of them has
    no need to wait.
    """
    hall = hall or Hall(registration.event, [(registration, delegates)])
    held, people = _hold(registration, hall)
    table = hall.table
    waiting.serve(table, now=now)
    for delegate in people:
        if _takes_over(delegate) or table.why_not(delegate) is None:
            raise refusals.SeatIsFree(delegate)
    waiting.join(held, people, table, by=by, now=now, readers=hall.readers[held.pk])


@transaction.atomic
def decline(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    reason: str,
    hall: Hall | None = None,
) -> None:
    """Say no, with the reason that the group reads; to people on the waiting list too. No seat
    comes free of it: none of them had one, and whoever was to be replaced stays.

    Refuses as `approve` does of people who were decided, and with ReasonMissing.
    """
    if not reason.strip():
        raise refusals.ReasonMissing
    hall = hall or Hall(registration.event, [(registration, delegates)])
    held, people = _hold(registration, hall, only={*AWAITS_DECISION, State.WAIT_LISTED})
    verb = gettext_noop("declined")
    seats.turn_all(people, State.DECLINED, verb, by=by, now=now, reason=reason, replaces=None)
    mails.declined(held, people, reason=reason, now=now, readers=hall.readers[held.pk])


@transaction.atomic
def reopen(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    reason: str,
    hall: Hall | None = None,
) -> None:
    """Take back what was decided about these people: they wait for a decision again, and the group
    reads why. Seats that they had go to those who wait; where there is a `hall`, by its owner.

    Refuses as `approve` what is cancelled or was not sent and where nobody is chosen; with
    ReasonMissing, and with NotDecided if one of them is neither approved nor declined.
    """
    if not reason.strip():
        raise refusals.ReasonMissing
    own = hall or Hall(registration.event, [(registration, delegates)])
    held, people = _hold(registration, own, only=DECIDED)
    for delegate in people:
        delegate.role = delegate.role_without_rival
        seats.turn(
            delegate,
            State.SUBMITTED,
            gettext_noop("decision taken back"),
            by=by,
            now=now,
            reason=reason,
            asked_at=None,
            role=delegate.role,
        )
    waiting.stop_asking(people, held.event, now=now)
    mails.reopened(held, people, reason=reason, now=now, readers=own.readers[held.pk])
    if hall is None:
        waiting.fill(held.event, now=now)


@transaction.atomic
def ask(
    registration: Registration,
    delegates: Iterable[Delegate],
    *,
    by: User,
    now: datetime,
    question: str,
    hall: Hall | None = None,
) -> None:
    """Ask the group about these people; they wait for its answer. A question that lapsed without
    one gives way to the new one.

    Refuses as `approve`, and with QuestionMissing and AskedAlready.
    """
    if not question.strip():
        raise refusals.QuestionMissing
    hall = hall or Hall(registration.event, [(registration, delegates)])
    held, people = _hold(registration, hall)
    for delegate in people:
        if delegate.state == State.MORE_INFORMATION:
            raise refusals.AskedAlready(delegate)
        Exchange.objects.update_or_create(
            delegate=delegate,
            answered_at=None,
            defaults={"question": question, "asked_by": by, "asked_at": now},
        )
        seats.turn(
            delegate,
            State.MORE_INFORMATION,
            gettext_noop("question asked"),
            by=by,
            now=now,
            reason=question,
        )
    mails.asked(held, people, question=question, now=now, readers=hall.readers[held.pk])


def _hold(
    registration: Registration, hall: Hall, only: Collection[str] = AWAITS_DECISION
) -> tuple[Registration, list[Delegate]]:
    """The delegation and those people of it, all of them in one of these states, as they are under
    the lock of the event's seats."""
    held, people = hall.registrations[registration.pk], hall.people[registration.pk]
    if hall.event.state == Event.State.CANCELLED:
        raise refusals.NotTakingPlace(hall.event)
    if held.is_draft:
        raise refusals.NotSent(held)
    if not people:
        raise refusals.NobodyChosen
    others = [delegate for delegate in people if delegate.state not in only]
    if others and only is DECIDED:
        raise refusals.NotDecided(others)
    if others:
        raise refusals.AlreadyDecided(others, _last_acts(others))
    return held, people


def _last_acts(people: Iterable[Delegate]) -> dict[str, Entry]:
    """The one about each of them by which their state became what it is."""
    acts = Entry.objects.filter(
        subject_type=Delegate._meta.label_lower,
        subject_id__in=[str(delegate.pk) for delegate in people],
        after__state__isnull=False,
    )
    return {act.subject_id: act for act in acts.select_related("actor").order_by("at", "pk")}


def _is_instead(delegate: Delegate) -> bool:
    """Somebody of the same group, who comes until now, is to come no more."""
    return delegate.replaces is not None and delegate.replaces.state in SEATED


def _takes_over(delegate: Delegate) -> bool:
    """There is a seat for this person that somebody of the same group has until now; or the
    person needs none."""
    old = delegate.replaces
    return old is not None and _is_instead(delegate) and (old.needs_seat or not delegate.needs_seat)
