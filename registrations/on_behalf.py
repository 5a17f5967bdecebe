"""How an organiser registers a group that has only mail."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from clock import walls
from events import capacity
from events.models import Event, Track
from events.rights import Right
from notifications import recall
from registrations import exemptions, intake, refusals
from registrations.intake import Person
from registrations.models import Exemption, Registration
from stakeholders import membership
from stakeholders import refusals as stakeholder_refusals
from stakeholders.models import Organisation

A_MINUTE = timedelta(minutes=1)


@transaction.atomic
def enter(
    event: Event,
    organisation: Organisation,
    *,
    focal_point: str,
    people: Sequence[Person],
    by: User,
    now: datetime,
    track: Track | None = None,
    entry: uuid.UUID | None = None,
) -> Registration:
    """Register these people of an organisation, known or new, and send them at once; after the
    close too. Whoever reads the address becomes its focal point and can take over, and
    answers later what the organisers ask beside. The same
    `entry` is a form that was sent twice: the registration that it made is returned.

    Refuses with NobodyIn, KnownToUs, TakenIn, LedByOthers, NotYoursToLead, RegisteredAlready and
    HasBegun, as `membership.appoint` does, and with whatever keeps a group from registering by
    itself.
    """
    held = capacity.hold(event)
    made = Registration.objects.filter(event=held, delegates=entry).first() if entry else None
    if made:
        return made
    if not people:
        raise refusals.NobodyIn
    known = _known(organisation, by=by, now=now)
    _check_focal_point(known, focal_point, by)
    _check_not_registered(held, known)
    _let_in(held, known, by=by, now=now)
    membership.appoint(known, email=focal_point, by=by, now=now)
    registration = _begun(held, known, by=by, now=now)
    if track:
        intake.choose_track(registration, track, by=by, now=now)
    for number, person in enumerate(people):
        first = None if number else entry
        intake.add_person(registration, person, by=by, now=now, entry=first)
    intake.submit(registration, by=by, now=now, asks=False)
    return registration


def _known(organisation: Organisation, *, by: User, now: datetime) -> Organisation:
    """Entered, if it is new here; of one that is known, what was missing is kept."""
    if organisation._state.adding:
        try:
            return membership.enter(organisation, by=by, now=now)
        except stakeholder_refusals.KnownHere as refused:
            raise refusals.KnownToUs(refused.organisation) from refused
    there = Organisation.everyone.held(organisation)
    if there.merged_into_id:
        raise refusals.TakenIn(there)
    if not (there.country and there.category):
        membership.correct(organisation, by=by, now=now)
    return organisation


def _check_focal_point(organisation: Organisation, address: str, by: User) -> None:
    """Nobody becomes focal point beside another one by a letter to the organisers alone, or of a
    group whose people only organisers of other events may see."""
    held = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    points = [user.email.lower() for user in held.focal_points]
    if points and address.lower() not in points:
        raise refusals.LedByOthers(organisation)
    is_theirs = Organisation.objects.open_to(by, Right.RUN).contains(held)
    if not points and held.representatives.exists() and not is_theirs:
        raise refusals.NotYoursToLead(held, settings.CONTACT_EMAIL)


def _check_not_registered(event: Event, organisation: Organisation) -> None:
    there = Registration.objects.filter(event=event, organisation=organisation).first()
    if there and not there.is_withdrawn:
        raise refusals.RegisteredAlready(there)


def _let_in(event: Event, organisation: Organisation, *, by: User, now: datetime) -> None:
    """After the close, for as long as this takes; the group need not be told of it."""
    deadline = event.registration_deadline
    if deadline is None or now < deadline.closes_at:
        return
    if event.is_over(now):
        raise refusals.HasBegun(event)
    granted = Exemption.objects.filter(event=event, organisation=organisation).first()
    if granted is None or not granted.is_open(now):
        until = min(now + A_MINUTE, walls.closing(event.ends_on, None, event.zone))
        granted = exemptions.grant((event, organisation), until=until, by=by, now=now)
        recall.cancel(now=now, about=granted.pk)


def _begun(event: Event, organisation: Organisation, *, by: User, now: datetime) -> Registration:
    """An empty draft: of one that the group had withdrawn, only who is named now comes."""
    registration = intake.begin(event, organisation, by=by, now=now)
    trail.record(by, gettext_noop("entered on behalf"), registration, at=now, scope=event.id)
    drafts = registration.delegates.filter(state=intake.State.DRAFT)
    for delegate in drafts.select_related("representative"):
        delegate.registration = registration
        intake.remove_person(delegate, by=by, now=now)
    return registration
