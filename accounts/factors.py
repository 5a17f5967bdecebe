"""What a person has beside the mailbox to sign in with, and the sessions they have opened."""

from datetime import datetime

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from accounts.models import User

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def is_needed_by(user: User) -> bool:
    """Whoever may open the organisers' side, outside the demo."""
    return (user.is_staff or user.is_superuser) and not settings.DEMO


def has_one(user: User) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()


def is_last(authenticator: Authenticator) -> bool:
    """Whether nothing but recovery codes would be left without it."""
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS)
    return not others.exclude(pk=authenticator.pk).exists()


def was_used(request: HttpRequest) -> bool:
    """Whether this person, in this session, has shown more than their mailbox."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def remember_use(request: HttpRequest, kind: Authenticator.Type) -> None:
    """Whoever has just set one up has shown it."""
    newest = Authenticator.objects.filter(user_id=request.user.pk, type=kind).latest("pk")
    post_authentication(request, newest, reauthenticated=True)


@transaction.atomic
def forget(user: User) -> list[str]:
    """Take away all factors and recovery codes: what they were."""
    held = Authenticator.objects.select_for_update().filter(user_id=user.pk).order_by("pk")
    kinds = [str(one.type) for one in held]
    Authenticator.objects.filter(user_id=user.pk).delete()
    return kinds


def sessions_of(user: User, *, now: datetime) -> QuerySet[UserSession]:
    """The open ones, the one used last first."""
    kept = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    return UserSession.objects.filter(Exists(kept), user_id=user.pk).order_by("-last_seen_at")


@transaction.atomic
def end_sessions(user: User, *, but: HttpRequest | None = None) -> None:
    """Sign this person out everywhere, also where no list knows of; but not in the session of
    that request."""
    current = but.session.session_key if but else None
    user.set_unusable_password()
    user.save(update_fields=["password"])
    _end(UserSession.objects.filter(user_id=user.pk).exclude(session_key=current))
    if but:
        update_session_auth_hash(but, user)
        kept = UserSession.objects.filter(session_key=current)
        kept.update(session_key=but.session.session_key)


@transaction.atomic
def end_session(user: User, pk: int) -> bool:
    """One of their own: whether there was such a one."""
    return _end(UserSession.objects.filter(user_id=user.pk, pk=pk)) > 0


def sweep(*, now: datetime) -> None:
    """Sessions that are over, and the lines in people's lists that tell of one that is gone."""
    Session.objects.filter(expire_date__lte=now).delete()
    kept = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(kept)).delete()


def _end(listed: QuerySet[UserSession]) -> int:
    Session.objects.filter(session_key__in=listed.values("session_key")).delete()
    deleted, _by_model = listed.delete()
    return deleted
