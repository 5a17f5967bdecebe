"""What an address does not want, as its reader has said with one click, and how to take it back."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.core import signing
from django.db import transaction
from django.db.models import Q

from notifications.models import Kind, Letter, Preference, State, Suppression

STOPPABLE = (Kind.REMINDER, Kind.ANNOUNCEMENT)
SALT = "stop"


@dataclass(frozen=True)
class Stop:
    """What a link to stop letters is about."""

    email: str
    scope: uuid.UUID | None
    kind: Kind


def token(email: str, scope: uuid.UUID | None, kind: Kind) -> str:
    """For links that stop letters of this kind; they work as long as the portal's key holds."""
    said = f"{kind:d} {scope.hex if scope else ''} {email}"
    return _signer().sign(signing.b64_encode(said.encode()).decode())


def read(token: str) -> Stop | None:
    """What such a link is about; None where it is not one of ours."""
    try:
        said = _signer().unsign(token)
    except signing.BadSignature:
        return None
    kind, scope, email = signing.b64_decode(said.encode()).decode().split(" ", 2)
    return Stop(email, uuid.UUID(scope) if scope else None, Kind(int(kind)))


@lru_cache(maxsize=1)
def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT)


@transaction.atomic
def stop(email: str, *, scope: uuid.UUID | None, kind: Kind, now: datetime) -> None:
    """No more letters of this kind about this event (no scope: about anything) to this address;
    those that wait are taken back."""
    if kind not in STOPPABLE:
        raise ValueError(f"Letters of this kind always go: {kind!r}")
    wish = Preference(email=email, scope=scope, kind=kind, since=now)
    Preference.objects.bulk_create([wish], ignore_conflicts=True)
    letters = Letter.objects.pending().to(email).filter(kind=kind)
    if scope is not None:
        letters = letters.in_scope(scope)
    letters.end(State.CANCELLED, now=now)


def resume(email: str, *, scope: uuid.UUID | None, kind: Kind, now: datetime) -> bool:
    """Letters of this kind go to this address again, if they were stopped until this moment;
    False when they were not."""
    wishes = Preference.objects.filter(email__iexact=email, scope=scope, kind=kind)
    return bool(wishes.filter(since__lte=now).delete()[0])


def unwanted(scope: uuid.UUID | None, kind: Kind) -> set[str]:
    """The addresses, in lower case, that want no letters of this kind about this event."""
    wishes = Preference.objects.filter(Q(scope=scope) | Q(scope=None), kind=kind)
    return {email.lower() for email in wishes.values_list("email", flat=True)}


def lift(email: str, now: datetime) -> bool:
    """Write to this address again, if it was known until this moment as one that cannot be
    reached; False when it was not."""
    return bool(Suppression.objects.of(email).filter(since__lte=now).delete()[0])
