"""A new event begins as another one: most hearings are like the one before."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_noop
from translated_fields import to_attribute

from accounts.models import User
from audit import trail
from clock import walls
from events import refusals, texts
from events.models import (
    Deadline,
    Event,
    Option,
    Question,
    Quota,
    ReminderStep,
    Segment,
    Track,
)

TRANSLATED = ["summary", "eligibility", "organiser", "venue", "room", "city"]
PLAIN = ["process_id", "kind", "zone", "country", "mode", "interpretation", "contact_email"]
ASKED = ["asked_of", "kind", "position", "is_required", "is_sensitive"]
SEATS = ["admission", "seats", "cap", "lists_participants"]


@transaction.atomic
def begin_like(
    event: Event, *, name: str, slug: str, starts_on: date, by: User, now: datetime
) -> Event:
    """A draft with what the organisers have set up for this event: texts, place, seats, tracks and
    quotas, parts, questions, windows and their reminders; all days as much later or earlier, at the
    same time of day. What belongs to the old one alone stays there: people, roles, documents,
    recording, source, and its name in other languages.

    `name` is English. Refuses with SlugTaken.
    """
    Event.objects.select_for_update(no_key=True).get(pk=event.pk)
    days = (starts_on - event.starts_on).days
    new = Event(
        slug=slug,
        name_en=name,
        starts_on=starts_on,
        ends_on=event.ends_on + timedelta(days=days),
        starts_at=_later(event.starts_at, event.zone, days),
        ends_at=_later(event.ends_at, event.zone, days),
        **{fact: getattr(event, fact) for fact in [*PLAIN, *SEATS]},
        **_texts(event, *TRANSLATED),
    )
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError:
        raise refusals.SlugTaken(slug) from None
    _copy_seating(event, new)
    _copy_segments(event, new, days)
    _copy_deadlines(event, new, days, now)
    _copy_questions(event, new)
    trail.record(
        by,
        gettext_noop("begun as another one"),
        new,
        at=now,
        scope=new.id,
        after={"as": event.slug},
    )
    return new


def _copy_seating(event: Event, new: Event) -> None:
    tracks = {
        track.pk: Track(event=new, position=track.position, **_texts(track, "name"))
        for track in event.tracks.all()
    }
    Track.objects.bulk_create(tracks.values())
    Quota.objects.bulk_create(
        Quota(
            event=new,
            category=quota.category,
            region=quota.region,
            track=tracks[quota.track_id] if quota.track_id else None,
            seats=quota.seats,
        )
        for quota in event.quotas.all()
    )


def _copy_segments(event: Event, new: Event, days: int) -> None:
    Segment.objects.bulk_create(
        Segment(
            event=new,
            date=segment.date + timedelta(days=days),
            starts_at=_later(segment.starts_at, event.zone, days),
            ends_at=_later(segment.ends_at, event.zone, days),
            seats=segment.seats,
            **_texts(segment, "name"),
        )
        for segment in event.segments.all()
    )


def _copy_deadlines(event: Event, new: Event, days: int, now: datetime) -> None:
    for old in event.deadlines.prefetch_related("steps"):
        deadline = Deadline.objects.create(
            event=new,
            kind=old.kind,
            opens_at=_later(old.opens_at, old.zone, days),
            closes_at=walls.earlier(old.closes_at, old.zone, days=-days),
            set_at=now,
            zone=old.zone,
            is_hour_stated=old.is_hour_stated,
            is_zone_stated=old.is_zone_stated,
        )
        ReminderStep.objects.bulk_create(
            ReminderStep(
                deadline=deadline,
                amount=step.amount,
                unit=step.unit,
                audience=step.audience,
                added_at=now,
            )
            for step in old.steps.all()
        )


def _copy_questions(event: Event, new: Event) -> None:
    """In their order: what a question depends on is there before it."""
    options: dict[UUID, Option] = {}
    for old in event.questions.asked().in_order():
        question = Question.objects.create(
            event=new,
            shown_when=options[old.shown_when_id] if old.shown_when_id else None,
            **{fact: getattr(old, fact) for fact in ASKED},
            **_texts(old, "wording", "help"),
        )
        for choice in old.choosable:
            options[choice.pk] = Option.objects.create(
                question=question,
                position=choice.position,
                fixed=choice.fixed,
                limit=choice.limit,
                **_texts(choice, "name"),
            )


def _later(moment: datetime | None, zone: str, days: int) -> datetime | None:
    """At the same time of day there."""
    return moment and walls.earlier(moment, zone, days=-days)


def _texts(of: models.Model, *names: str) -> dict[str, str]:
    """In every language."""
    columns = [to_attribute(name, code) for name in names for code in texts.CODES]
    return {column: getattr(of, column) for column in columns}
