"""Addresses by which people without an account answer us: signed, so that nobody guesses one."""

import uuid
from datetime import datetime, timedelta

from django.core import signing
from django.urls import reverse

from registrations.models import Delegate, Invitation

CONFIRM, INVITATION = "confirm", "invitation"
TIME_TO_ANSWER = timedelta(hours=48)


def confirmation_path(delegate: Delegate) -> str:
    """Where this person says whether they come, in the language that is spoken now."""
    return reverse("registrations:confirm", args=[_signed(delegate.pk, CONFIRM)])


def delegate_id(token: str) -> uuid.UUID | None:
    return _read(token, CONFIRM)


def invitation_path(invitation: Invitation) -> str:
    """Where an invited group registers, or says that it does not come."""
    return reverse("registrations:invitation", args=[_signed(invitation.pk, INVITATION)])


def invitation_id(token: str) -> uuid.UUID | None:
    return _read(token, INVITATION)


def answer_until(delegate: Delegate) -> datetime | None:
    """Until when this person may say whether they come: the event's deadline, but two days at
    least, and never longer than until the event begins. None when they are not asked."""
    event = delegate.registration.event
    deadline = event.confirmation_deadline
    if delegate.asked_at is None or deadline is None:
        return None
    return min(max(deadline.closes_at, delegate.asked_at + TIME_TO_ANSWER), event.begins_at)


def _signed(pk: uuid.UUID, salt: str) -> str:
    return signing.Signer(salt=salt).sign(str(pk))


def _read(token: str, salt: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(signing.Signer(salt=salt).unsign(token))
    except (signing.BadSignature, ValueError):
        return None
