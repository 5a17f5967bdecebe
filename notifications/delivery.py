"""Letters leave the house: claimed, checked once more, sent one by one, each answer kept."""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Greatest, Upper

import clock
from notifications import models
from notifications.line import Away, Broken, Later, Line, Mailbox, Never, NoSuchMailbox
from notifications.models import Kind, Letter, Preference, State, Suppression

logger = logging.getLogger(__name__)

BATCH = 50
BATCH_LASTS = 4.0
RUN_LASTS = 30.0
CLAIM_LASTS = timedelta(seconds=45)
BROKEN_IN_A_ROW = 3
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
SERVER_WAIT = timedelta(minutes=1)
GIVE_UP_AFTER = timedelta(days=3)


def deliver(now: datetime | None = None) -> int:
    """Send what is due, the most urgent first; how many letters left the house.

    Answers are kept one by one, so this is not for the inside of a transaction. The moment is
    `now` or the clock's, and runs on from there.
    """
    tell = _running_from(now or clock.now())
    _tidy(tell())
    if not settings.EMAIL_URL and not settings.DEMO:
        return 0
    end = time.monotonic() + RUN_LASTS
    sent = 0
    with Line(settings.EMAIL_URL) if settings.EMAIL_URL else Mailbox() as line:
        while time.monotonic() < end:
            claim = uuid.uuid4()
            letters = _claim(claim, tell())
            if not letters:
                break
            answered = 0
            try:
                for has_left in _send_batch(letters, claim, line, tell):
                    answered += 1
                    sent += has_left
            except Away as error:
                _wait_for_server(claim, str(error), tell())
                logger.warning("The mail server is away; letters wait: %s", error)
                break
            finally:
                if answered < len(letters):
                    _release(claim)
    return sent


def _running_from(start: datetime) -> Callable[[], datetime]:
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def _tidy(now: datetime) -> None:
    """Expire what is no longer true, wipe dead codes, take back the claims of dead workers, set
    aside what is not wanted where it goes."""
    lapsed = Letter.objects.filter(state=State.SENDING, claimed_until__lte=now)
    _update(lapsed, state=State.QUEUED, claim=None, claimed_until=None)
    _update(Letter.objects.untrue(now), state=State.EXPIRED, ended_at=now)
    dead = Letter.objects.filter(kind=Kind.SECRET, expires_at__lte=now).exclude(text="")
    _update(dead.exclude(state=State.SENDING), text="", html="")
    _set_aside(now)


def _set_aside(now: datetime) -> None:
    """Codes still go: whoever types an address is there to read them."""
    waiting = Letter.objects.filter(state=State.QUEUED).exclude(kind=Kind.SECRET)
    of_suppressed = Suppression.objects.annotate(who=Upper("email")).filter(
        who=Upper(OuterRef("to"))
    )
    said = Subquery(of_suppressed.values("said")[:1])
    waiting.filter(Exists(of_suppressed)).end(State.SUPPRESSED, now=now, said=said, waits=False)
    against = Preference.objects.annotate(who=Upper("email")).filter(
        Q(scope=None) | Q(scope=OuterRef("scope")), who=Upper(OuterRef("to")), kind=OuterRef("kind")
    )
    waiting.filter(Exists(against)).end(State.SUPPRESSED, now=now, waits=False)


def _update(letters: models.LetterQuerySet, **changes: Any) -> None:
    """Change many rows without waiting for one that somebody else holds."""
    with transaction.atomic():
        held = list(letters.select_for_update(skip_locked=True).values_list("pk", flat=True))
        if held:
            Letter.objects.filter(pk__in=held).update(**changes)


# Without fresh statistics, PostgreSQL would sort the whole queue for each batch.
IN_ORDER = "set local enable_bitmapscan = off"
CLAIM = """
    with due as (
        select id from notifications_letter letter
        where state = 'queued' and next_attempt_at <= %(now)s
        and (expires_at is null or expires_at > %(now)s)
        and (kind = 1 or not exists (
            select from notifications_suppression where upper(email) = upper(letter.to)
        ) and not exists (
            select from notifications_preference preference
            where upper(email) = upper(letter.to) and preference.kind = letter.kind
            and (preference.scope is null or preference.scope = letter.scope)
        ))
        order by kind, posted_at limit %(most)s for update of letter skip locked
    )
    update notifications_letter letter
    set state = 'sending', claim = %(claim)s, claimed_until = %(until)s
    from due where letter.id = due.id
    returning letter.*
"""
IS_OURS = """
    select from notifications_letter
    where id = %(letter)s and state = 'sending' and claim = %(claim)s
    and (expires_at is null or expires_at > %(now)s)
    for share skip locked
"""
KEEP_SENT = """
    update notifications_letter letter
    set state = 'sent', sent_at = %(now)s, ended_at = null, claim = null, claimed_until = null,
        attempts = attempts + 1, last_error = '',
        text = case when %(wipes)s then '' else text end,
        html = case when %(wipes)s then '' else html end
    where id = %(sent)s and state not in ('sent', 'failed')
"""
KEEP_AND_LOOK = f"""
    with free as (
        select id from notifications_letter where id = %(sent)s for update skip locked
    ), kept as (
        {KEEP_SENT} and exists (select from free)
    ), ours as (
        {IS_OURS}
    )
    select exists (select from free), exists (select from ours)
"""  # noqa: S608


def _claim(claim: uuid.UUID, now: datetime) -> list[Letter]:
    """The most urgent ones, in order; until the claim ends, they are nobody else's."""
    facts = {"now": now, "most": BATCH, "claim": claim, "until": now + CLAIM_LASTS}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(IN_ORDER)
        letters = list(Letter.objects.raw(CLAIM, facts))
    return sorted(letters, key=lambda letter: (letter.kind, letter.posted_at))


def _release(claim: uuid.UUID) -> None:
    _update(
        Letter.objects.filter(claim=claim, state=State.SENDING),
        state=State.QUEUED,
        claim=None,
        claimed_until=None,
    )


def _send_batch(
    letters: list[Letter],
    claim: uuid.UUID,
    line: Line | Mailbox,
    tell: Callable[[], datetime],
) -> Iterator[bool]:
    """Of each that was answered, in order, whether it left. No letter is begun so late that it
    could outlast its claim: the rest goes back, behind urgent ones."""
    end = time.monotonic() + BATCH_LASTS
    broken = 0
    ours: Letter | None = letters[0]
    for letter, after in zip(letters, [*letters[1:], None], strict=True):
        if line.open():
            ours = None
            if time.monotonic() > end:
                break
        if ours is not letter and not _is_ours(letter, claim, tell()):
            continue
        ours = None
        try:
            line.send(letter)
        except Never as error:
            _end_failed(letter, claim, error, tell())
            yield False
        except Later as error:
            _put_back(letter, claim, error, tell())
            yield False
        except Broken as error:
            _put_back(letter, claim, error, tell())
            broken += 1
            if broken == BROKEN_IN_A_ROW:
                raise Away(str(error)) from error
            yield False
            continue
        else:
            if _keep_sent(letter, claim, tell(), after):
                ours = after
            yield True
        broken = 0
        if time.monotonic() > end:
            break


def _is_ours(letter: Letter, claim: uuid.UUID, now: datetime) -> bool:
    """False when it was cancelled or held, has expired, is another worker's, or is being changed
    by somebody who has not finished: then it waits for the next round."""
    with connection.cursor() as cursor:
        cursor.execute(IS_OURS, {"letter": letter.pk, "claim": claim, "now": now})
        return bool(cursor.rowcount)


def _keep_sent(letter: Letter, claim: uuid.UUID, now: datetime, after: Letter | None) -> bool:
    """What the server took is sent, even when somebody took it back in that very moment. In the
    same breath, whether the letter after it is still ours.

    Somebody who holds a row may wait for the other one of ours, so this waits for no row while
    it holds one.
    """
    facts: dict[str, Any] = {
        "sent": letter.pk,
        "now": now,
        "wipes": letter.is_secret and not settings.DEMO,
        "letter": after and after.pk,
        "claim": claim,
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP_AND_LOOK, facts)
        is_kept, is_ours = cursor.fetchone()
        if not is_kept:
            cursor.execute(KEEP_SENT, facts)
    return bool(is_ours)


def _end_failed(letter: Letter, claim: uuid.UUID, error: Exception, now: datetime) -> None:
    """It failed for good; where nobody is at the address, nothing more goes there."""
    said = str(error)
    logger.warning("Letter %s failed for good: %s", letter.pk, said)
    with transaction.atomic():
        _answer(letter, claim, said, state=State.FAILED, ended_at=now, **models.without_codes())
        if isinstance(error, NoSuchMailbox):
            Suppression.objects.add(letter.to, reason=Suppression.Reason.BOUNCE, said=said, now=now)


def _put_back(letter: Letter, claim: uuid.UUID, error: Exception, now: datetime) -> None:
    if _waited_too_long(letter, now):
        _end_failed(letter, claim, error, now)
        return
    wait = WAITS[min(letter.attempts, len(WAITS) - 1)]
    _answer(letter, claim, str(error), state=State.QUEUED, next_attempt_at=now + wait)


def _answer(letter: Letter, claim: uuid.UUID, said: str, **changes: Any) -> None:
    Letter.objects.filter(pk=letter.pk, claim=claim).update(
        attempts=F("attempts") + 1, claim=None, claimed_until=None, last_error=said, **changes
    )


def _waited_too_long(letter: Letter, now: datetime) -> bool:
    return now - max(letter.posted_at, letter.not_before or letter.posted_at) > GIVE_UP_AFTER


def _wait_for_server(claim: uuid.UUID, error: str, now: datetime) -> None:
    """However long the server is away, that is one attempt: the letters are not to blame."""
    held = Letter.objects.filter(claim=claim, state=State.SENDING)
    for letter in held:
        if _waited_too_long(letter, now):
            _end_failed(letter, claim, Away(error), now)
    _update(
        held,
        state=State.QUEUED,
        attempts=Greatest(F("attempts"), Value(1)),
        next_attempt_at=now + SERVER_WAIT,
        claim=None,
        claimed_until=None,
        last_error=error,
    )
