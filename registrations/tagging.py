"""Organisers put short words on delegations, and take them off."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events.models import Event
from registrations import refusals
from registrations.models import Registration, Tag
from registrations.models.notes import LONGEST_WORD, TagQuerySet

MOST_OF_AN_EVENT = 50
MOST_ON_ONE = 10


@transaction.atomic
def change(
    registration: Registration,
    *,
    on: Collection[str] = (),
    off: Collection[str] = (),
    by: User,
    now: datetime,
) -> None:
    """Put these words on it and take those off, whatever their case. A word that is on no
    delegation any more is forgotten.

    Refuses with TagTooLong, TooManyTagsOn, TooManyTags and TaggedAlready.
    """
    for word in on:
        if len(word) > LONGEST_WORD:
            raise refusals.TagTooLong(word, LONGEST_WORD)
    event = _held(registration.event)
    was = _words(registration)
    registration.tags.remove(*_spelled(event, off))
    registration.tags.add(*[_tag(event, word) for word in on])
    now_on = _words(registration)
    if now_on == was:
        raise refusals.TaggedAlready(registration)
    if len(now_on) > MOST_ON_ONE:
        raise refusals.TooManyTagsOn(MOST_ON_ONE)
    event.tags.filter(registrations=None).delete()
    if event.tags.count() > MOST_OF_AN_EVENT:
        raise refusals.TooManyTags(event, MOST_OF_AN_EVENT)
    trail.record(
        by,
        gettext_noop("tags changed"),
        registration,
        at=now,
        scope=event.pk,
        before={"tags": was},
        after={"tags": now_on},
    )


def _held(event: Event) -> Event:
    """So that its words are counted, begun and forgotten by one at a time."""
    return Event.objects.select_for_update(no_key=True).get(pk=event.pk)


def _words(registration: Registration) -> list[str]:
    return [tag.word for tag in registration.tags.in_order()]


def _spelled(event: Event, words: Collection[str]) -> TagQuerySet:
    """The tags of the event that are these words in any case."""
    folded = [Lower(Value(word)) for word in words]
    return event.tags.alias(folded=Lower("word")).filter(folded__in=folded)


def _tag(event: Event, word: str) -> Tag:
    return _spelled(event, [word]).first() or event.tags.create(word=word)
