"""How a reminder would read: the letter itself, to somebody invented."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from events import steps
from events.models import Deadline, Follower, ReminderStep
from notifications.models import Letter
from notifications.writing import Reader
from registrations import mails
from registrations.audiences import Audience, Concerned
from registrations.models import Delegate, Invitation, Registration
from stakeholders.models import Organisation, Representative

ADDRESS = "reader@portal.example"


@dataclass(frozen=True)
class Sample:
    audience: str
    language: str
    language_name: str
    subject: str
    text: str


def of(
    deadline: Deadline, audience: str, languages: Iterable[str], *, now: datetime
) -> list[Sample]:
    """For each audience that a step with this audience reaches, in each of these languages."""
    reached = steps.AUDIENCES.get(Deadline.Kind(deadline.kind), ())
    wanted = [one for one in reached if one != Audience.EVERYBODY]
    if audience != Audience.EVERYBODY:
        wanted = [one for one in wanted if one == audience]
    languages = list(languages)
    return [_written(deadline, one, language, now=now) for one in wanted for language in languages]


def audiences_of(deadline: Deadline) -> Iterable[tuple[str, str]]:
    """To whom a step of this deadline may go: value and words."""
    known = steps.AUDIENCES.get(Deadline.Kind(deadline.kind), ())
    return [(str(one), str(ReminderStep.Audience(one).label)) for one in known]


def _written(deadline: Deadline, audience: str, language: str, *, now: datetime) -> Sample:
    """Posted, read, and put back."""
    reader = Reader(ADDRESS, language, deadline.zone)
    with transaction.atomic():
        mails.reminder(deadline, "sample", [_concerned(deadline, audience, reader)], now=now)
        letter = Letter.objects.to(ADDRESS).about(deadline.pk).get(key__contains=":sample:")
        transaction.set_rollback(True)
    return Sample(
        audience=str(ReminderStep.Audience(audience).label),
        language=language,
        language_name=dict(settings.LANGUAGES)[language],
        subject=letter.subject,
        text=letter.shown_text(),
    )


def _concerned(deadline: Deadline, audience: str, reader: Reader) -> Concerned:
    event, since = deadline.event, deadline.set_at
    concerned = Concerned(reader, {audience: since})
    with override(reader.language):
        group, person = _("Sample Network"), _("Sample Person")
    registration = Registration(
        event=event, organisation=Organisation(name=group), reference=f"{event.process.prefix}-…"
    )
    if audience == Audience.TO_CONFIRM:
        someone = Representative(given_names=person, email=reader.email)
        concerned.delegates.append(Delegate(registration=registration, representative=someone))
    elif audience == Audience.DRAFTS:
        concerned.registrations.append(registration)
    elif audience == Audience.INVITED:
        concerned.invitation = Invitation(event=event, email=reader.email, name=group)
    else:
        concerned.follower = Follower(event=event, email=reader.email)
    return concerned
