"""What may be tried a few times only, however many processes and sessions it is tried in."""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.models import Try

KEPT_FOR = timedelta(hours=1)


class What(StrEnum):
    CODE = "code"
    """The code from a letter, for an address."""
    FACTOR = "factor"
    """The code of an app or a recovery code, of a person."""
    ADDRESS = "address"
    """Codes that somebody has sent to other addresses."""
    FOLLOW_TO = "follow to"
    """Links to confirm that somebody follows, to one address."""
    FOLLOW_BY = "follow by"
    """The same, asked for by somebody who is signed in."""
    FOLLOW_FROM = "follow from"
    """The same, asked for by others, from one network address."""


class Limit(NamedTuple):
    most: int
    within: timedelta


FEW_MINUTES = timedelta(minutes=5)
LIMITS = {
    What.CODE: Limit(10, FEW_MINUTES),
    What.FACTOR: Limit(10, FEW_MINUTES),
    What.ADDRESS: Limit(10, FEW_MINUTES),
    What.FOLLOW_TO: Limit(10, KEPT_FOR),
    What.FOLLOW_BY: Limit(10, KEPT_FOR),
    What.FOLLOW_FROM: Limit(30, KEPT_FOR),
}


@transaction.atomic
def begin(what: What, whose: str, *, now: datetime) -> Try | None:
    """A try, counted as a wrong one until it is forgiven; nothing after too many wrong ones."""
    key = _key(whose)
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{what}:{key}"])
    most, within = LIMITS[what]
    wrong = Try.objects.filter(what=what, key=key, at__gt=now - within)
    if wrong.count() >= most:
        return None
    return Try.objects.create(what=what, key=key, at=now)


def begin_all(tries: Iterable[tuple[What, str]], *, now: datetime) -> What | None:
    """One try of each, or of none: which there were too many of already. Whoever tries the same
    at once takes the locks in the same order."""
    with transaction.atomic():
        for what, whose in sorted(tries):
            if begin(what, whose, now=now) is None:
                transaction.set_rollback(True)
                return what
    return None


def network(request: HttpRequest) -> str:
    """Where a request comes from, past the proxies that we trust. Whoever has one address of IPv6
    has the 64 bits behind it. Those of whom nobody says it are one network."""
    try:
        address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def forgive(this: Try) -> None:
    """It was right."""
    this.delete()


def sweep(*, now: datetime) -> int:
    deleted, _by_model = Try.objects.filter(at__lte=now - KEPT_FOR).delete()
    return deleted


def _key(whose: str) -> str:
    """Addresses are not kept here in clear."""
    return salted_hmac("accounts.throttles", whose.lower(), algorithm="sha256").hexdigest()
