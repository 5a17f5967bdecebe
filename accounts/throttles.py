"""What may be tried a few times only, however many processes and sessions it is tried in."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from accounts.models import Try

MOST = 10
WITHIN = timedelta(minutes=5)
KEPT_FOR = timedelta(hours=1)


class What(StrEnum):
    CODE = "code"
    """The code from a letter, for an address."""
    FACTOR = "factor"
    """The code of an app or a recovery code, of a person."""
    ADDRESS = "address"
    """Codes that somebody has sent to other addresses."""


@transaction.atomic
def begin(what: What, whose: str, *, now: datetime) -> Try | None:
    """A try, counted as a wrong one until it is forgiven; nothing after too many wrong ones."""
    key = _key(whose)
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{what}:{key}"])
    wrong = Try.objects.filter(what=what, key=key, at__gt=now - WITHIN)
    if wrong.count() >= MOST:
        return None
    return Try.objects.create(what=what, key=key, at=now)


def forgive(this: Try) -> None:
    """It was right."""
    this.delete()


def sweep(*, now: datetime) -> int:
    deleted, _by_model = Try.objects.filter(at__lte=now - KEPT_FOR).delete()
    return deleted


def _key(whose: str) -> str:
    """Addresses are not kept here in clear."""
    return salted_hmac("accounts.throttles", whose.lower(), algorithm="sha256").hexdigest()
