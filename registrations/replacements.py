"""How somebody else comes in a person's place."""

from datetime import datetime
from typing import Protocol

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import capacity
from events.models import Event
from registrations import mails, refusals, seats, waiting
from registrations.models import SEATED, Delegate, Registration, SegmentDecision
from stakeholders.models import Representative

State = Delegate.State


class Person(Protocol):
    """What a group says of the one who comes instead."""

    @property
    def given_names(self) -> str: ...
    @property
    def family_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def access_needs(self) -> str: ...
    @property
    def full_name(self) -> str: ...


def is_possible(delegate: Delegate, now: datetime) -> bool:
    """Whether somebody else may be named in this person's place now."""
    event = delegate.registration.event
    return delegate.state in SEATED and event.is_published and not seats.has_begun(event, now)


def has_begun(event: Event, now: datetime) -> bool:
    """From then on everybody stays who they are."""
    return seats.has_begun(event, now)


@transaction.atomic
def replace(delegate: Delegate, person: Person, *, by: User, now: datetime) -> Delegate:
    """Name somebody else for a place that was given, also after the close.

    First come, first served: the new person has the seat at once. Where organisers decide, the
    new person waits for their decision, and the one who is replaced stays until then.

    Refuses with NotTakingPlace, HasBegun, CannotReplace, ReplacementWaits, ListedAlready,
    TwoHeads, and what keeps a new person without a seat from getting one. Named twice in the same
    words, it is one person.
    """
    event = capacity.hold(delegate.registration.event)
    registration = Registration.objects.held(delegate.registration, event)
    delegate.refresh_from_db()
    delegate.registration = registration
    representative = Representative.objects.known_as(
        registration.organisation,
        given_names=person.given_names,
        family_name=person.family_name,
        email=person.email,
    )
    named = Delegate.objects.filter(replaces=delegate).select_related("representative").first()
    if named and named.representative == representative:
        return named
    if named and delegate.state in SEATED:
        raise refusals.ReplacementWaits(delegate, named)
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    if seats.has_begun(event, now):
        raise refusals.HasBegun(event)
    if delegate.state not in SEATED:
        raise refusals.CannotReplace(delegate)
    if registration.delegates.filter(representative=representative).exists():
        raise refusals.ListedAlready(person.full_name)
    _check_head(delegate, person)
    last = registration.delegates.aggregate(last=Max("position"))["last"] or 0
    new = Delegate.objects.create(
        registration=registration,
        representative=representative,
        position=last + 1,
        role=person.role,
        state=State.SUBMITTED,
        access_needs=person.access_needs,
        replaces=delegate,
    )
    SegmentDecision.objects.bulk_create(
        SegmentDecision(delegate=new, segment_id=segment)
        for segment in delegate.segments.values_list("segment", flat=True)
    )
    trail.record(
        by,
        gettext_noop("replacement asked for"),
        new,
        at=now,
        scope=event.id,
        after={"state": new.state, "replaces": str(delegate.pk)},
    )
    if event.is_first_come:
        _take_over(delegate, new, by=by, now=now)
    else:
        mails.replaced(registration, delegate, new, now=now)
    return new


def _take_over(old: Delegate, new: Delegate, *, by: User, now: datetime) -> None:
    """The new person has the place of the old one, and its parts of the event, at once."""
    event = new.registration.event
    table = seats.Table(event)
    if new.needs_seat and not old.needs_seat:
        why_not = table.why_not(new)
        if why_not:
            raise why_not
    table.hand_over(old, new, by=by, now=now, verb=gettext_noop("seat given"))
    waiting.stop_asking([old], event, now=now)
    mails.replaced(new.registration, old, new, now=now)
    waiting.ask_newcomers([new], now=now)
    waiting.serve(table, now=now)


def _check_head(delegate: Delegate, person: Person) -> None:
    heads = delegate.registration.delegates.heads(but=delegate)
    if person.role == Delegate.Role.HEAD and (head := heads.first()):
        raise refusals.TwoHeads(head)
