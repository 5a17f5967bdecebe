"""Whoever wants to hear of an event or a process says so by a link, and stops by another."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower

from events import mails, refusals
from events.models import Event, Follower, Process, ReminderStep
from notifications import preferences, recall
from notifications.models import Kind, Letter

SALT = "follow"
ONCE_IN = timedelta(days=1)
KINDS = (Kind.REMINDER, Kind.ANNOUNCEMENT)


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
    if held.confirmed_at is None:
        held.confirmed_at = now
        held.save(update_fields=["confirmed_at"])
    if held.event_id:
        for kind in KINDS:
            preferences.resume(held.email, scope=held.event_id, kind=kind, now=now)
    follower.refresh_from_db()


@transaction.atomic
def stop(follower: Follower, *, now: datetime) -> None:
    """Forget the address, and take back what waits for it as a follower: who has a draft too is
    still reminded of it. Stopping twice is the same."""
    held = Follower.objects.select_for_update(of=("self",)).filter(pk=follower.pk).first()
    if held is None:
        return
    held.delete()
    others = Follower.objects.confirmed().filter(email__iexact=held.email)
    for event in Event.objects.filter(Q(pk=held.event_id) | Q(process=held.process_id)):
        if not others.of(event).exists():
            as_follower = mails.list_id(event, ReminderStep.Audience.FOLLOWERS)
            letters = Letter.objects.filter(headers__contains={"List-Id": as_follower})
            recall.cancel(now=now, letters=letters, to=held.email, scope=event.pk)


def is_heard(follower: Follower) -> bool:
    """It has said so by the link, and has not stopped letters of its event since."""
    stopped = follower.event_id and any(
        follower.email.lower() in preferences.unwanted(follower.event_id, kind) for kind in KINDS
    )
    return follower.confirmed_at is not None and not stopped


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


def _check(event: Event, now: datetime) -> None:
    is_to_come = event.is_published and not event.is_over(now)
    if not is_to_come and event.state != Event.State.POSTPONED:
        raise refusals.NotToFollow(event)
