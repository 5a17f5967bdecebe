"""Organisers write notes to each other about a delegation. Its group never reads them."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from registrations import refusals
from registrations.models import Note, Registration


@transaction.atomic
def write(registration: Registration, text: str, *, by: User, now: datetime) -> Note:
    """The history says that there is one; what it says stands in the note alone. Refuses with
    NoteMissing."""
    if not text.strip():
        raise refusals.NoteMissing
    note = Note.objects.create(registration=registration, text=text.strip(), by=by, at=now)
    _remember(gettext_noop("note written"), note, by=by, now=now)
    return note


@transaction.atomic
def remove(note: Note, *, by: User, now: datetime) -> None:
    """By whoever has written it. Refuses with NotYourNote, also the second time."""
    own = Note.objects.select_for_update(of=["self"]).select_related("registration")
    held = own.filter(pk=note.pk, by=by).first()
    if held is None:
        raise refusals.NotYourNote(note)
    _remember(gettext_noop("note removed"), held, by=by, now=now)
    held.delete()


def _remember(verb: str, note: Note, *, by: User, now: datetime) -> None:
    registration = note.registration
    trail.record(by, verb, registration, at=now, scope=registration.event_id)
