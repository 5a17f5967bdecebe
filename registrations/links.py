"""Addresses by which people without an account answer us: signed, so that nobody guesses one."""

import uuid
from datetime import datetime, timedelta

from django.core import signing
from django.db.models import Q
from django.urls import reverse

from registrations.models import Delegate, DelegateQuerySet, Invitation
from stakeholders.models import Representative

CONFIRM, INVITATION, LISTING = "confirm", "invitation", "listing"
TIME_TO_ANSWER = timedelta(hours=48)


def confirmation_path(delegate: Delegate) -> str:
    """Where this person says whether they come, in the language that is spoken now."""
    return reverse("registrations:confirm", args=[_signed(CONFIRM, delegate.pk)])


def delegate_id(token: str) -> uuid.UUID | None:
    return next(iter(_read(token, CONFIRM)), None)


def invitation_path(invitation: Invitation) -> str:
    """Where an invited group registers, or says that it does not come."""
    return reverse("registrations:invitation", args=[_signed(INVITATION, invitation.pk)])


def invitation_id(token: str) -> uuid.UUID | None:
    return next(iter(_read(token, INVITATION)), None)


def listing_path(delegate: Delegate) -> str:
    """Where this person says whether the public list may name them. It is of this person only:
    who is entered in the same place later cannot be listed by it."""
    token = _signed(LISTING, delegate.pk, delegate.representative_id)
    return reverse("registrations:listing", args=[token])


def listing_of(token: str) -> DelegateQuerySet:
    """The one whom such a link is of, or nobody; also where the entry of that person was taken into
    another."""
    match _read(token, LISTING):
        case [delegate, representative]:
            entries = Representative.everyone.filter(pk=representative)
            of_that_person = Q(representative=representative) | Q(
                representative__in=entries.values("merged_into")
            )
            return Delegate.objects.filter(of_that_person, pk=delegate)
    return Delegate.objects.none()


def answer_until(delegate: Delegate) -> datetime | None:
    """Until when this person may say whether they come: the event's deadline, but two days at
    least, and never longer than until the event begins. None when they are not asked."""
    event = delegate.registration.event
    deadline = event.confirmation_deadline
    if delegate.asked_at is None or deadline is None:
        return None
    return min(max(deadline.closes_at, delegate.asked_at + TIME_TO_ANSWER), event.begins_at)


def _signed(salt: str, *ids: uuid.UUID) -> str:
    return signing.Signer(salt=salt).sign(".".join(str(each) for each in ids))


def _read(token: str, salt: str) -> list[uuid.UUID]:
    try:
        signed = signing.Signer(salt=salt).unsign(token)
        return [uuid.UUID(each) for each in signed.split(".")]
    except (signing.BadSignature, ValueError):
        return []
