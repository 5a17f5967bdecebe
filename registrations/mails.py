"""Every letter about registrations is one function here and one set of templates.

A group's letters go to its focal points, one each, in the language of each. The decision of one
act is one letter that names all the people it concerns: a focal point of twelve delegates reads
one letter, not twelve, and a delegate without an address of their own is not left out.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User
from events.models import Deadline, Event, ReminderStep
from notifications import outbox
from notifications.models import Kind, Letter
from registrations.models import Delegate, Exchange, Registration

DECLINED = "declined"


def received(registration: Registration, deadline: Deadline, *, now: datetime) -> None:
    sent = registration.delegates.filter(state=Delegate.State.SUBMITTED)
    people = list(sent.select_related("representative").in_order())
    _to_group(registration, "received", now=now, people=people, deadline=deadline)


def withdrawn(registration: Registration, *, now: datetime) -> None:
    _to_group(registration, "withdrawn", now=now)


def person_withdrawn(registration: Registration, delegate: Delegate, *, now: datetime) -> None:
    _to_group(registration, "person_withdrawn", now=now, people=[delegate])


def approved(registration: Registration, people: Sequence[Delegate], *, now: datetime) -> None:
    _to_group(registration, "approved", now=now, people=people)


def declined(
    registration: Registration, people: Sequence[Delegate], *, reason: str, now: datetime
) -> None:
    _to_group(registration, DECLINED, now=now, people=people, reason=reason)


def asked(
    registration: Registration, people: Sequence[Delegate], *, question: str, now: datetime
) -> None:
    _to_group(registration, "asked", now=now, people=people, question=question)


def answered(
    registration: Registration, delegate: Delegate, exchange: Exchange, *, now: datetime
) -> None:
    _to_group(registration, "answered", now=now, people=[delegate], exchange=exchange)


def deadline_near(
    deadline: Deadline,
    step: ReminderStep,
    drafts: Iterable[tuple[User, list[Registration]]],
    *,
    now: datetime,
) -> int:
    """One reminder for each person, naming all that person's unsent drafts. How many are new."""
    begin = f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:{step.code}:"
    written = set(Letter.objects.filter(key__startswith=begin).values_list("key", flat=True))
    letters = [
        outbox.write(
            **_written(
                user,
                "deadline_near",
                deadline.event,
                {"deadline": deadline, "registrations": registrations},
            ),
            key=f"{begin}{user.id}",
            kind=Kind.REMINDER,
            now=now,
            scope=deadline.event_id,
            about=deadline.id,
            expires_at=deadline.closes_at,
        )
        for user, registrations in drafts
        if f"{begin}{user.id}" not in written
    ]
    return outbox.post_many(letters)


def _to_group(registration: Registration, name: str, *, now: datetime, **context: Any) -> None:
    for user in registration.organisation.focal_points:
        outbox.post(
            **_written(user, name, registration.event, context | {"registration": registration}),
            key=f"{name}:{registration.id}:{now:%Y%m%dT%H%M%S.%fZ}:{user.id}",
            kind=Kind.TRANSACTIONAL,
            now=now,
            scope=registration.event_id,
            about=registration.id,
        )


def _written(user: User, name: str, event: Event, context: dict[str, Any]) -> dict[str, Any]:
    """The letter in the reader's language."""
    with translation.override(user.language):
        full = context | {
            "event": event,
            "user": user,
            "base_url": settings.BASE_URL,
            "contact": event.contact,
        }
        return {
            "to": user.email,
            "language": user.language,
            "subject": " ".join(render_to_string(f"letters/{name}.subject.txt", full).split()),
            "text": render_to_string(f"letters/{name}.txt", full),
            "html": render_to_string(f"letters/{name}.html", full),
            "reply_to": event.contact,
        }
