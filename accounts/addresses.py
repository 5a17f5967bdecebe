"""Another address for an account: proved by a code that is sent there, before anything changes."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core.internal.cryptokit import compare_user_code
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User

KEY = "another_address"


@dataclass(frozen=True)
class Asked:
    """What waits for its code."""

    email: str
    code: str
    until: str


def ask(session: SessionBase, user: User, email: str, *, now: datetime) -> None:
    """Send a code to the new address. Who has an account there already is told so in a letter;
    the page says the same."""
    adapter = get_adapter()
    code = adapter.generate_login_code()
    taken = is_taken(email, of=user)
    letter = "address_taken" if taken else "address_code"
    adapter.send_mail(f"account/email/{letter}", email, {"code": code})
    until = now + timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)
    session[KEY] = asdict(Asked(email, "" if taken else code, until.isoformat()))


def is_taken(email: str, *, of: User) -> bool:
    """Whether somebody else signs in with it; who only typed it at the door once does not."""
    others = User.objects.filter(email__iexact=email).exclude(pk=of.pk)
    return others.exists() and not others.unused().exists()


def waiting(session: SessionBase, *, now: datetime) -> Asked | None:
    asked = Asked(**session[KEY]) if KEY in session else None
    return asked if asked and now < datetime.fromisoformat(asked.until) else None


def is_right(asked: Asked, code: str) -> bool:
    return compare_user_code(actual=code, expected=asked.code)


def forget(session: SessionBase) -> None:
    session.pop(KEY, None)


def change(user: User, email: str) -> None:
    """To be called with the person held. Raises IntegrityError if somebody else has it."""
    User.objects.filter(email__iexact=email).exclude(pk=user.pk).unused().delete()
    user.email = email
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user_id=user.pk).delete()
