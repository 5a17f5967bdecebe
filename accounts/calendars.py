"""The secret in the address of somebody's own calendar: whoever has it reads the calendar."""

import secrets

from accounts.models import User


def renew(user: User) -> None:
    """Another address than before; the one of before leads nowhere from now on."""
    _put(user, secrets.token_urlsafe(32))


def end(user: User) -> None:
    """No address any more."""
    _put(user, "")


def owner(secret: str) -> User | None:
    """Who may sign in, and has this secret now."""
    return (
        User.objects.filter(is_active=True, calendar_secret=secret)
        .exclude(calendar_secret="")
        .first()
    )


def _put(user: User, secret: str) -> None:
    user.calendar_secret = secret
    user.save(update_fields=["calendar_secret"])
