"""Letters are taken back when they are no longer true, held when somebody wants to look first, and
sent again when they did not arrive."""

import re
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Coalesce, Concat, Greatest

from notifications import bell, models, refusals
from notifications.models import Letter, LetterQuerySet, State

AGAIN = re.compile(r":again:\d+$")
Letters = LetterQuerySet | Iterable[uuid.UUID]


def cancel(
    *,
    now: datetime,
    letters: Letters | None = None,
    about: uuid.UUID | None = None,
    to: str | None = None,
    scope: uuid.UUID | None = None,
    kinds: Iterable[models.Kind] | None = None,
    spare: str = "",
) -> int:
    """Cancel what waits, is held or is claimed and fits everything named; how many letters that
    were.

    Letters whose key begins with `spare` stay: what they say is still true.
    """
    if letters is None and about is None and to is None and scope is None:
        raise ValueError("Name what to cancel: letters, about, to or scope.")
    fitting = _chosen(letters) if letters is not None else Letter.objects.all()
    fitting = fitting.pending()
    if about is not None:
        fitting = fitting.about(about)
    if to is not None:
        fitting = fitting.to(to)
    if scope is not None:
        fitting = fitting.in_scope(scope)
    if kinds is not None:
        fitting = fitting.filter(kind__in=list(kinds))
    if spare:
        fitting = fitting.exclude(key__startswith=f"{spare}:")
    return fitting.end(State.CANCELLED, now=now)


@transaction.atomic
def take_back(letters: LetterQuerySet, *, now: datetime, is_owed: bool = False) -> int:
    """Cancel those that have not left, because what they say has changed; how many. None of them
    is sent again, those that have left neither.

    Where something `is_owed` all the same, the keys are free again: it is written anew, as things
    stand then.
    """
    taken = _locked(letters.pending())
    count = taken.end(State.CANCELLED, now=now)
    letters.exclude(expires_at__lte=now).update(expires_at=now)
    if is_owed:
        taken.update(key=Concat("key", Value(":void:"), Cast("pk", CharField())))
    return count


def have_left(letters: LetterQuerySet) -> bool:
    """Whether one of them has, or is in the hands of the mail server. Their rows are held until
    the transaction ends: what has not left by now stays."""
    held = letters.order_by("pk").select_for_update()
    return any(state in models.GONE for state in held.values_list("state", flat=True))


@transaction.atomic
def hurry(letters: Letters, *, now: datetime) -> int:
    """Those that wait for their moment leave now; how many."""
    waiting = _locked(_chosen(letters).filter(state=State.QUEUED, next_attempt_at__gt=now))
    hurried = waiting.update(not_before=now, next_attempt_at=now)
    if hurried:
        transaction.on_commit(bell.ring, robust=True)
    return hurried


@transaction.atomic
def hold(letters: Letters, *, now: datetime) -> int:
    """Those that wait or are claimed do not leave until they are released; how many.

    What the server has in hand in this very moment may still be taken; then it is sent.
    """
    waiting = _chosen(letters).filter(state__in=[State.QUEUED, State.SENDING])
    return _locked(waiting).update(state=State.HELD, claim=None, claimed_until=None)


@transaction.atomic
def release(letters: Letters, *, now: datetime) -> int:
    """Those that are held go on their way; how many. What is no longer true expires instead."""
    held = _locked(_chosen(letters).filter(state=State.HELD))
    held.untrue(now).end(State.EXPIRED, now=now)
    released = held.filter(state=State.HELD).update(
        state=State.QUEUED, next_attempt_at=Greatest(now, Coalesce(F("not_before"), now))
    )
    if released:
        transaction.on_commit(bell.ring, robust=True)
    return released


@transaction.atomic
def send_again(letter: Letter, *, now: datetime) -> Letter:
    """The same letter once more where it did not arrive, and a copy of it where it did."""
    letter = Letter.objects.select_for_update().get(pk=letter.pk)
    if letter.is_secret:
        raise refusals.NotForSecrets(letter)
    if letter.state in models.PENDING:
        raise refusals.StillOnItsWay(letter)
    if letter.expires_at is not None and letter.expires_at <= now:
        raise refusals.NoLongerTrue(letter)
    if models.Suppression.objects.of(letter.to).exists():
        raise refusals.CannotBeReached(letter)
    if models.Preference.objects.against(letter).exists():
        raise refusals.NotWanted(letter)
    if letter.state == State.SENT:
        letter.pk, letter.key, letter.posted_at = uuid.uuid4(), _next_key(letter), now
        letter._state.adding = True
    letter.state, letter.attempts, letter.last_error = State.QUEUED, 0, ""
    letter.sent_at = letter.ended_at = letter.reported_at = None
    letter.not_before = letter.next_attempt_at = now
    letter.save()
    transaction.on_commit(bell.ring, robust=True)
    return letter


def _chosen(letters: Letters) -> LetterQuerySet:
    if isinstance(letters, LetterQuerySet):
        return letters.all()
    return Letter.objects.filter(pk__in=list(letters))


def _locked(letters: LetterQuerySet) -> LetterQuerySet:
    held = letters.order_by("pk").select_for_update().values_list("pk", flat=True)
    return Letter.objects.filter(pk__in=list(held))


def _next_key(letter: Letter) -> str:
    """Copies of one letter are numbered, from whichever of them one sends again."""
    first = AGAIN.sub("", letter.key)
    Letter.objects.select_for_update().filter(key=first).first()
    copies = Letter.objects.filter(key__startswith=f"{first}:again:")
    return f"{first}:again:{copies.count() + 1}"
