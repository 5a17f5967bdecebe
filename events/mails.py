"""Every letter about events is one function here and one set of templates; and what all letters
about an event have in common."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from events.models import Event, Follower, Role
from notifications import outbox, preferences, writing
from notifications.models import Kind, Letter
from notifications.writing import OF_ACCOUNT, OF_WISH, OF_WORK, Reader, Sort, Words

Rules = dict[str, Callable[[dict[str, Any]], datetime | None]]

NEVER = "never"
A_DAY_LATER = "a day later"
STOPPABLE = {Kind.REMINDER, Kind.ANNOUNCEMENT}
NAMED = 20

SORTS = {
    sort.name: sort
    for sort in (
        Sort(
            "follow",
            Kind.TRANSACTIONAL,
            "whoever asked to hear of an event or a process",
            A_DAY_LATER,
            OF_WISH,
        ),
        Sort(
            "unreachable",
            Kind.TRANSACTIONAL,
            "each organiser of the event who may read its letters",
            NEVER,
            OF_WORK,
        ),
        Sort("role_given", Kind.TRANSACTIONAL, "whoever has the role", NEVER, OF_WORK),
        Sort("role_taken", Kind.TRANSACTIONAL, "whoever had the role", NEVER, OF_WORK),
        Sort("address_changed", Kind.TRANSACTIONAL, "the address that it was", NEVER, OF_ACCOUNT),
        Sort("account_moved", Kind.TRANSACTIONAL, "the address that it is now", NEVER, OF_ACCOUNT),
        Sort("factors_forgotten", Kind.TRANSACTIONAL, "whose account it is", NEVER, OF_ACCOUNT),
    )
}
UNTIL: Rules = {
    NEVER: lambda facts: None,
    A_DAY_LATER: lambda facts: facts["now"] + timedelta(days=1),
}


def follow(follower: Follower, *, now: datetime) -> None:
    """The link by which this address says that it wants to hear of the event or the process."""
    is_discreet = bool(User.objects.discreet(follower.email))
    reader = replace(Reader.of(follower), is_discreet=is_discreet)
    post(
        SORTS["follow"],
        reader,
        follower.event,
        {
            "followed": follower.on,
            "path": writing.path("events:follow_confirm", reader.language, follow_token(follower)),
        },
        key=f"follow:{follower.id}:{now:%Y%m%dT%H%M%S.%fZ}",
        about=follower.id,
        rules=UNTIL,
        now=now,
    )


def follow_token(follower: Follower) -> str:
    """What the link in that letter carries; `events.following` reads it."""
    return signing.Signer(salt="follow").sign(str(follower.id))


def unreachable(event: Event, organiser: User, letters: Sequence[Letter], *, now: datetime) -> None:
    """Which addresses our letters do not reach, what their mail servers said, and what to do."""
    reader = Reader.of(organiser)
    by_address = {letter.to.lower(): letter for letter in letters}
    post(
        SORTS["unreachable"],
        reader,
        event,
        {
            "letters": list(by_address.values())[:NAMED],
            "more": max(0, len(by_address) - NAMED),
            "count": len(by_address),
            "path": reverse("admin:notifications_letter_changelist")
            + f"?state__exact={letters[0].state}",
        },
        key=f"unreachable:{event.id}:{now:%Y%m%dT%H%M%S.%fZ}:{reader.id}",
        about=event.id,
        rules=UNTIL,
        now=now,
    )


def role_given(role: Role, *, by: User, now: datetime) -> None:
    """What the role lets its organiser do, on what, by whom; and how to begin."""
    _about_role("role_given", role, by, reverse("admin:index"), now=now)


def role_taken(role: Role, *, by: User, now: datetime) -> None:
    """That the organisers' side is shut there, and by whom."""
    with translation.override(role.user.language):
        path = reverse("accounts:me")
    _about_role("role_taken", role, by, path, now=now)


def _about_role(name: str, role: Role, by: User, path: str, *, now: datetime) -> None:
    post(
        SORTS[name],
        Reader.of(role.user),
        role.event,
        {"role": role, "on": role.on, "by": by, "path": path},
        key=f"{name}:{role.id}:{now:%Y%m%dT%H%M%S.%fZ}",
        about=role.id,
        rules=UNTIL,
        now=now,
    )


def address_changed(user: User, old: str, *, now: datetime) -> None:
    """That the account has another address; not which, as somebody else may read this one."""
    _about_account("address_changed", replace(Reader.of(user), email=old), user, now=now)


def account_moved(user: User, *, by: User, now: datetime) -> None:
    """Who let them sign in with this address from now on."""
    _about_account("account_moved", Reader.of(user), user, by=by, now=now)


def factors_forgotten(user: User, *, by: User, now: datetime) -> None:
    """Who took their keys and their app away, and what to do now."""
    _about_account("factors_forgotten", Reader.of(user), user, by=by, now=now)


def _about_account(
    name: str, reader: Reader, user: User, *, by: User | None = None, now: datetime
) -> None:
    with translation.override(reader.language):
        path = reverse("account_login")
    post(
        SORTS[name],
        reader,
        None,
        {"by": by, "path": path},
        key=f"{name}:{user.id}:{now:%Y%m%dT%H%M%S.%fZ}",
        about=user.id,
        rules=UNTIL,
        now=now,
    )


def post(
    sort: Sort,
    reader: Reader,
    event: Event | None,
    facts: dict[str, Any],
    *,
    key: str,
    about: UUID,
    rules: Rules,
    now: datetime,
) -> None:
    """One letter to one reader."""
    facts = facts | {"now": now, "stop": stop_path(sort, reader, event)}
    words = written(sort, reader, event, facts)
    outbox.post_many(
        [
            letter(
                sort,
                reader,
                event,
                words,
                key=key,
                about=about,
                expires_at=rules[sort.until](facts),
                stop=facts["stop"],
                now=now,
            )
        ]
    )


def stop_path(sort: Sort, reader: Reader, event: Event | None) -> str:
    """Where one click stops letters of this kind about this event; "" where answers always go."""
    if sort.kind not in STOPPABLE or event is None:
        return ""
    token = preferences.token(reader.email, event.id, sort.kind)
    return writing.path("events:stop", reader.language, token)


def list_id(event: Event, audience: str) -> str:
    """Why a letter went to its reader, for their mail program (RFC 2919) and for us."""
    return f"<{audience}.{event.id}.{urlsplit(settings.BASE_URL).hostname}>"


def written(sort: Sort, reader: Reader, event: Event | None, facts: dict[str, Any]) -> Words:
    """The words of a letter in its reader's language."""
    with translation.override(reader.language):
        return writing.render(
            sort.name,
            facts
            | {
                "event": event,
                "reader": reader,
                "kind": sort.kind.name.lower(),
                "base_url": settings.BASE_URL,
                "contact": event.contact if event else settings.CONTACT_EMAIL,
            },
        )


def letter(
    sort: Sort,
    reader: Reader,
    event: Event | None,
    words: Words,
    *,
    key: str,
    about: UUID,
    expires_at: datetime | None,
    stop: str,
    now: datetime,
    audience: str = "",
) -> Letter:
    return outbox.write(
        key=key,
        to=reader.email,
        language=reader.language,
        subject=_subject(sort, reader, words),
        text=words.text,
        html=words.html,
        kind=sort.kind,
        now=now,
        scope=event.id if event else None,
        about=about,
        expires_at=expires_at,
        headers={
            "List-Unsubscribe": f"<{settings.BASE_URL}{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            **({"List-Id": list_id(event, audience)} if event and audience else {}),
        }
        if stop
        else {},
        reply_to=event.contact if event else settings.CONTACT_EMAIL,
    )


def _subject(sort: Sort, reader: Reader, words: Words) -> str:
    if not reader.is_discreet:
        return words.subject
    with translation.override(reader.language):
        return sort.neutral_subject()
