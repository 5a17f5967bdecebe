"""How a delegation comes in: begun as a draft, filled, sent, withdrawn."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events.models import Deadline, Event
from notifications import recall
from notifications.models import Kind
from registrations import mails, references, refusals
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation, Representative

State = Delegate.State


@dataclass(frozen=True)
class Person:
    """What a group says of one of its people."""

    given_names: str
    family_name: str = ""
    email: str = ""
    role: str = Delegate.Role.DELEGATE
    access_needs: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.given_names} {self.family_name}".strip()


@transaction.atomic
def begin(event: Event, organisation: Organisation, *, by: User, now: datetime) -> Registration:
    """The organisation's draft for this event: a new one, the one that is there, or the
    withdrawn one made a draft again.

    Refuses with NotTakingPlace, NoRegistration, WindowNotOpen and WindowClosed.
    """
    _check_window(event, now)
    registration = Registration.objects.filter(event=event, organisation=organisation).first()
    if registration is None:
        registration = _begin_anew(event, organisation, by=by, now=now)
    held = Registration.objects.held(registration)
    if held.is_withdrawn:
        held.sent_at = held.withdrawn_at = None
        held.begun_at = now
        held.save(update_fields=["sent_at", "withdrawn_at", "begun_at"])
        held.delegates.filter(state=State.WITHDRAWN).update(state=State.DRAFT)
        trail.record(by, gettext_noop("draft reopened"), held, at=now, scope=event.id)
    return held


@transaction.atomic
def add_person(registration: Registration, person: Person, *, by: User, now: datetime) -> Delegate:
    """Refuses with SentAlready, ListedAlready and TwoHeads."""
    held = _held_draft(registration)
    _check_head(held, person)
    representative = _representative(held.organisation, person)
    if held.delegates.filter(representative=representative).exists():
        raise refusals.ListedAlready(person.full_name)
    last = held.delegates.aggregate(last=Max("position"))["last"] or 0
    delegate = Delegate.objects.create(
        registration=held,
        representative=representative,
        position=last + 1,
        role=person.role,
        access_needs=person.access_needs,
    )
    _forget_typed(held, "person")
    return delegate


@transaction.atomic
def change_person(delegate: Delegate, person: Person, *, by: User, now: datetime) -> None:
    """Refuses with SentAlready, AlreadyDecided, ListedAlready and TwoHeads."""
    held = _held_draft(delegate.registration)
    _check_undecided(held, delegate)
    _check_head(held, person, but=delegate)
    representative = _representative(held.organisation, person)
    if held.delegates.filter(representative=representative).exclude(pk=delegate.pk).exists():
        raise refusals.ListedAlready(person.full_name)
    before = delegate.representative
    delegate.representative = representative
    delegate.role = person.role
    delegate.access_needs = person.access_needs
    delegate.save(update_fields=["representative", "role", "access_needs"])
    if before != representative:
        _forget_unsent(before)
    _forget_typed(held, str(delegate.id))


@transaction.atomic
def remove_person(delegate: Delegate, *, by: User, now: datetime) -> None:
    """Take a person out of a draft. Refuses with SentAlready and AlreadyDecided."""
    held = _held_draft(delegate.registration)
    _check_undecided(held, delegate)
    _forget_typed(held, str(delegate.id))
    delegate.delete()
    _forget_unsent(delegate.representative)


@transaction.atomic
def keep_typed(registration: Registration, task: str, typed: dict[str, Any]) -> None:
    """Keep what was typed though it is not valid yet, so that nobody types it twice; nothing
    typed forgets it. Refuses with SentAlready."""
    held = _held_draft(registration)
    if typed:
        held.unfinished = held.unfinished | {task: typed}
        held.save(update_fields=["unfinished"])
    else:
        _forget_typed(held, task)


@transaction.atomic
def submit(registration: Registration, *, by: User, now: datetime) -> None:
    """Send the delegation to the organisers.

    Refuses with SentAlready, NotTakingPlace, NoRegistration, WindowNotOpen, WindowClosed,
    OrganisationIncomplete and NobodyIn; the draft then stays as it is.
    """
    held = _held_draft(registration)
    deadline = _check_window(held.event, now)
    if not (held.organisation.country and held.organisation.category):
        raise refusals.OrganisationIncomplete
    waiting = held.delegates.filter(state=State.DRAFT)
    if not waiting.exists():
        raise refusals.NobodyIn
    held.sent_at = now
    held.unfinished = {}
    held.save(update_fields=["sent_at", "unfinished"])
    sent = waiting.update(state=State.SUBMITTED)
    trail.record(
        by, gettext_noop("sent"), held, at=now, scope=held.event_id, after={"people": sent}
    )
    _stop_reminders(held, deadline, now=now)
    mails.received(held, deadline, now=now)
    registration.refresh_from_db()


@transaction.atomic
def withdraw(registration: Registration, *, by: User, now: datetime) -> None:
    """Take the whole delegation back; a draft too. Refuses with nothing: it may be said twice."""
    held = Registration.objects.held(registration)
    if held.is_withdrawn:
        return
    was_sent = not held.is_draft
    held.withdrawn_at = now
    held.save(update_fields=["withdrawn_at"])
    held.delegates.exclude(state=State.DECLINED).update(state=State.WITHDRAWN)
    trail.record(by, gettext_noop("withdrawn"), held, at=now, scope=held.event_id)
    deadline = held.event.deadlines.filter(kind=Deadline.Kind.REGISTRATION).first()
    if deadline:
        _stop_reminders(held, deadline, now=now)
    recall.cancel(now=now, about=held.id, spare=mails.DECLINED)
    if was_sent:
        mails.withdrawn(held, now=now)
    registration.refresh_from_db()


@transaction.atomic
def withdraw_person(delegate: Delegate, *, by: User, now: datetime) -> None:
    """Take one person back. Refuses with CannotWithdraw."""
    held = Registration.objects.held(delegate.registration)
    delegate.refresh_from_db()
    if not delegate.can_withdraw:
        raise refusals.CannotWithdraw(delegate)
    before = delegate.state
    delegate.state = State.WITHDRAWN
    delegate.save(update_fields=["state"])
    trail.record(
        by,
        gettext_noop("withdrawn"),
        delegate,
        at=now,
        scope=held.event_id,
        before={"state": before},
        after={"state": delegate.state},
    )
    mails.person_withdrawn(held, delegate, now=now)


def _begin_anew(
    event: Event, organisation: Organisation, *, by: User, now: datetime
) -> Registration:
    """Two colleagues who begin at once work on the same draft."""
    try:
        with transaction.atomic():
            registration = Registration.objects.create(
                event=event,
                organisation=organisation,
                reference=_unused_reference(event.process.prefix),
                begun_at=now,
            )
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


def _check_window(event: Event, now: datetime) -> Deadline:
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    deadline = event.deadlines.filter(kind=Deadline.Kind.REGISTRATION).first()
    if deadline is None:
        raise refusals.NoRegistration(event)
    if deadline.is_not_yet_open(now):
        raise refusals.WindowNotOpen(deadline)
    if not deadline.is_open(now):
        raise refusals.WindowClosed(deadline)
    return deadline


def _check_head(registration: Registration, person: Person, but: Delegate | None = None) -> None:
    if person.role == Delegate.Role.HEAD:
        heads = registration.delegates.filter(role=Delegate.Role.HEAD).exclude(state=State.DECLINED)
        head = (heads.exclude(pk=but.pk) if but else heads).first()
        if head:
            raise refusals.TwoHeads(head)


def _check_undecided(registration: Registration, delegate: Delegate) -> None:
    """Whoever was declined before the delegation was withdrawn stays so in the new draft."""
    decided = registration.delegates.filter(pk=delegate.pk).exclude(state=State.DRAFT)
    if decided.exists():
        raise refusals.AlreadyDecided(decided)


def _representative(organisation: Organisation, person: Person) -> Representative:
    """The person as the organisation knows them, or entered anew."""
    representative, _is_new = Representative.objects.get_or_create(
        organisation=organisation,
        given_names=person.given_names,
        family_name=person.family_name,
        email=person.email,
    )
    return representative


def _forget_unsent(representative: Representative) -> None:
    """A misspelt or dropped name that is in no delegation is not kept."""
    with suppress(ProtectedError, IntegrityError), transaction.atomic():
        Representative.objects.filter(pk=representative.pk, delegates=None).delete()


def _forget_typed(registration: Registration, task: str) -> None:
    if registration.unfinished.pop(task, None) is not None:
        registration.save(update_fields=["unfinished"])


def _stop_reminders(registration: Registration, deadline: Deadline, *, now: datetime) -> None:
    """Whoever has no other draft for this event need not be reminded of its deadline."""
    for user in registration.organisation.focal_points:
        others = Registration.objects.of(user).drafts().filter(event=registration.event)
        if not others.exclude(pk=registration.pk).exists():
            recall.cancel(now=now, about=deadline.id, to=user.email, kinds=[Kind.REMINDER])
