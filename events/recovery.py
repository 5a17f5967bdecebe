"""How somebody gets back to their account, or takes it along to another mailbox."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from accounts import addresses, factors
from accounts.models import User
from audit import trail
from events import mails, refusals
from events.models import Role
from events.rights import Right, kinds_with


def may_recover(by: User, user: User) -> bool:
    """Superusers, everybody; who runs an event, those who are no organisers. Nobody themselves.
    Whose people they are is for the door to know."""
    if not by.is_active or by.pk == user.pk:
        return False
    if by.is_superuser:
        return True
    if user.is_staff or user.is_superuser:
        return False
    return Role.objects.filter(user=by, kind__in=kinds_with(Right.RUN)).exists()


@transaction.atomic
def change(user: User, email: str, *, by: User, now: datetime) -> None:
    """Of somebody who has typed the code that was sent to the new address."""
    user = _held(user)
    old = _changed(user, email)
    trail.record(
        by,
        gettext_noop("address changed"),
        user,
        at=now,
        scope=None,
        before={"email": old},
        after={"email": user.email},
    )
    mails.address_changed(user, old, now=now)


@transaction.atomic
def move(user: User, email: str, *, by: User, now: datetime, reason: str) -> None:
    """Of somebody whose mailbox is lost: from now on they sign in with this address."""
    user = _recoverable(user, by)
    old = _changed(user, email)
    factors.end_sessions(user)
    trail.record(
        by,
        gettext_noop("account moved to another address"),
        user,
        at=now,
        scope=None,
        before={"email": old},
        after={"email": user.email},
        reason=reason,
    )
    mails.address_changed(user, old, now=now)
    mails.account_moved(user, by=by, now=now)


@transaction.atomic
def forget_factors(user: User, *, by: User, now: datetime, reason: str) -> None:
    """Of somebody whose phone or key is lost: they sign in with a letter, and set up anew."""
    user = _recoverable(user, by)
    kinds = factors.forget(user)
    if not kinds:
        raise refusals.NoFactors(user)
    factors.end_sessions(user)
    trail.record(
        by,
        gettext_noop("ways to sign in taken away"),
        user,
        at=now,
        scope=None,
        before={"ways to sign in": kinds},
        reason=reason,
    )
    mails.factors_forgotten(user, by=by, now=now)


def _held(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _recoverable(user: User, by: User) -> User:
    user = _held(user)
    if not may_recover(by, user):
        raise refusals.NotYoursToRecover(user)
    return user


def _changed(user: User, email: str) -> str:
    """What the address was."""
    old, email = user.email, email.strip()
    if email.lower() == old.lower():
        raise refusals.SameAddress(email)
    if addresses.is_taken(email, of=user):
        raise refusals.AddressTaken(email)
    try:
        with transaction.atomic():
            addresses.change(user, email)
    except IntegrityError:
        raise refusals.AddressTaken(email) from None
    return old
