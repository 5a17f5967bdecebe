"""Letters that did not arrive are told to the organisers who may read them."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper

from accounts.models import User
from events import mails
from events.models import Event, Role
from events.rights import Right, kinds_with
from notifications.models import Letter, State, Suppression

GATHERED = timedelta(minutes=1)
APART = timedelta(hours=1)
OURS = "unreachable:"


def report(now: datetime) -> int:
    """Tell each organiser of an event, in one letter, whom its letters do not reach; of how many
    letters.

    A minute is left for a burst to gather, and an hour between two such letters. What its reader
    did not want is not named, and neither are these letters themselves: one that does not arrive
    is no reason to write another one.
    """
    scopes = Letter.objects.unreported().exclude(scope=None).values("scope")
    return sum(_report(event, now) for event in Event.objects.filter(id__in=scopes).order_by("pk"))


@transaction.atomic
def _report(event: Event, now: datetime) -> int:
    """Whoever comes beside finds the letters locked, passes them over, and says nothing."""
    letters = list(
        Letter.objects.unreported()
        .in_scope(event.id)
        .defer("text", "html")
        .order_by("ended_at", "pk")
        .select_for_update(skip_locked=True)
    )
    unwelcome = _unwelcome(letters)
    named = [letter for letter in letters if letter not in unwelcome and not _is_ours(letter)]
    if named:
        organisers = _organisers(event)
        if not organisers or not _is_time(event, named, now):
            return 0
        for organiser in organisers:
            mails.unreachable(event, organiser, named, now=now)
    Letter.objects.filter(pk__in=[letter.pk for letter in letters]).update(reported_at=now)
    return len(named)


def _is_time(event: Event, letters: list[Letter], now: datetime) -> bool:
    oldest = min(letter.ended_at or now for letter in letters)
    told = Letter.objects.about(event.id).filter(
        key__startswith=f"{OURS}{event.id}:", posted_at__gt=now - APART
    )
    return now - oldest >= GATHERED and not told.exists()


def _is_ours(letter: Letter) -> bool:
    return letter.key.startswith(OURS)


def _unwelcome(letters: list[Letter]) -> list[Letter]:
    """Set aside because their readers said so, not because nobody reads them."""
    aside = [letter for letter in letters if letter.state == State.SUPPRESSED]
    reachable = Letter.objects.filter(pk__in=[letter.pk for letter in aside]).exclude(
        Exists(Suppression.objects.annotate(who=Upper("email")).filter(who=Upper(OuterRef("to"))))
    )
    return list(reachable.only("pk")) if aside else []


def _organisers(event: Event) -> list[User]:
    roles = Role.objects.filter(
        Q(event=event) | Q(process=event.process_id),
        kind__in=kinds_with(Right.CONTACT),
        user__is_active=True,
    )
    return list(User.objects.filter(pk__in=roles.values("user")).order_by("pk"))
