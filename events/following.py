"""Whoever wants to hear of an event or a process says so by a link, and stops by another."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower

from events import mails, refusals
from events.models import Event, Follower, FollowerQuerySet, Process, ReminderStep, Wish
from notifications import preferences, recall
from notifications.models import Kind, Letter, LetterQuerySet

SALT = "follow"
ONCE_IN = timedelta(days=1)
KINDS = (Kind.REMINDER, Kind.ANNOUNCEMENT)
KIND_OF = {
    Wish.REMINDERS: Kind.REMINDER,
    Wish.CHANGES: Kind.ANNOUNCEMENT,
    Wish.NEWS: Kind.REMINDER,
}
OPENS = "opens:"
"""How the keys of letters begin that say that a window opens."""


@transaction.atomic
def follow(email: str, *, on: Event | Process, language: str, zone: str, now: datetime) -> Follower:
    """Ask for word of an event or of all events of a process. A letter with the link that
    confirms it goes to the address at once, and not again on the same day.

    Refuses with NotToFollow.
    """
    if isinstance(on, Event):
        _check(on, now)
    where = {"event": None, "process": on}
    if isinstance(on, Event):
        where = {"event": on, "process": None}
    follower, is_new = Follower.objects.alias(folded=Lower("email")).get_or_create(
        folded__exact=Lower(Value(email)),
        **where,
        defaults={"email": email, "language": language, "zone": zone, "asked_at": now, **where},
    )
    held = Follower.objects.select_for_update(of=("self",)).get(pk=follower.pk)
    if is_new or held.asked_at <= now - ONCE_IN:
        held.asked_at, held.language, held.zone = now, language, zone
        held.save(update_fields=["asked_at", "language", "zone"])
        mails.follow(held, now=now)
    return held


@transaction.atomic
def confirm(follower: Follower, *, now: datetime) -> None:
    """From now on the address hears of what it follows, also if it had stopped such letters
    before. Refuses with NotToFollow."""
    held = Follower.objects.select_for_update(of=("self",)).get(pk=follower.pk)
    if held.event:
        _check(held.event, now)
    held.confirmed_at = held.confirmed_at or now
    _wish(held, list(Wish), now=now)
    follower.refresh_from_db()


@transaction.atomic
def choose(follower: Follower, wishes: Collection[Wish], *, now: datetime) -> None:
    """Write of this alone, also of what the address had stopped before; what waits for it of the
    rest is taken back. Refuses with FollowsNoMore."""
    held = Follower.objects.confirmed().select_for_update(of=("self",)).filter(pk=follower.pk)
    found = held.first()
    if found is None:
        raise refusals.FollowsNoMore
    dropped = sorted(found.wishes.difference(wishes))
    _wish(found, wishes, now=now)
    for wish in dropped:
        _take_back(found, wish, now=now)
    follower.refresh_from_db()


@transaction.atomic
def stop(follower: Follower, *, now: datetime) -> None:
    """Forget the address, and take back what waits for it as a follower: who has a draft too is
    still reminded of it. Stopping twice is the same."""
    held = Follower.objects.select_for_update(of=("self",)).filter(pk=follower.pk).first()
    if held is None:
        return
    Follower.objects.filter(pk=held.pk).delete()
    for wish in Wish:
        _take_back(held, wish, now=now)


def is_heard(follower: Follower) -> bool:
    """It has said so by the link, and has not stopped letters of its event since."""
    stopped = follower.event_id and any(
        follower.email.lower() in preferences.unwanted(follower.event_id, kind) for kind in KINDS
    )
    return follower.confirmed_at is not None and not stopped


def wishes(follower: Follower) -> set[Wish]:
    """What it is written to about: what it wants, but for what was stopped by one click."""
    if follower.event_id is None:
        return follower.wishes
    email = follower.email.lower()
    stopped = {kind for kind in KINDS if email in preferences.unwanted(follower.event_id, kind)}
    return {wish for wish in follower.wishes if KIND_OF[wish] not in stopped}


def of_address(email: str) -> FollowerQuerySet:
    """What an address follows: events by their days, then processes."""
    found = Follower.objects.confirmed().filter(email__iexact=email)
    return found.select_related("event", "process").order_by(
        "event__starts_on", "event__slug", "process__slug"
    )


def token(follower: Follower) -> str:
    """For the links in letters to this address."""
    return mails.follow_token(follower)


def read(token: str) -> Follower | None:
    """Whose link this is; None where it is not one of ours, or the address has stopped."""
    try:
        pk = UUID(signing.Signer(salt=SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    return Follower.objects.select_related("event", "process").filter(pk=pk).first()


def _wish(held: Follower, wishes: Collection[Wish], *, now: datetime) -> None:
    held.wishes = wishes
    held.save(update_fields=["confirmed_at", *(f"wants_{wish}" for wish in Wish)])
    if held.event_id:
        for kind in {KIND_OF[wish] for wish in wishes}:
            preferences.resume(held.email, scope=held.event_id, kind=kind, now=now)


def _take_back(held: Follower, wish: Wish, *, now: datetime) -> None:
    """What waits for the address as a follower, unless it follows the same by another way."""
    others = Follower.objects.wanting(wish).filter(email__iexact=held.email).exclude(pk=held.pk)
    for event in Event.objects.filter(Q(pk=held.event_id) | Q(process=held.process_id)):
        if not others.of(event).exists():
            as_follower = mails.list_id(event, ReminderStep.Audience.FOLLOWERS)
            letters = _letters_of(wish).filter(headers__contains={"List-Id": as_follower})
            recall.cancel(now=now, letters=letters, to=held.email, scope=event.pk)


def _letters_of(wish: Wish) -> LetterQuerySet:
    found = Letter.objects.filter(kind=KIND_OF[wish])
    if wish == Wish.NEWS:
        return found.filter(key__startswith=OPENS)
    return found.exclude(key__startswith=OPENS)


def _check(event: Event, now: datetime) -> None:
    is_to_come = event.is_published and not event.is_over(now)
    if not is_to_come and event.state != Event.State.POSTPONED:
        raise refusals.NotToFollow(event)
