"""Who organises what. Whoever runs an event or a process gives, changes and takes roles there; one
at a time, so that two who take each other's role do not both lose it."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import mails, refusals
from events.models import Event, Process, Role
from events.rights import KINDS, Right, kinds_with
from notifications import recall


@transaction.atomic
def grant(
    user: User, *, on: Event | Process, by: User | None, now: datetime, kind: str = "manager"
) -> Role:
    """See to it that this person organises an event or a whole process; nobody is written to."""
    _hold(on)
    return _of(user, on, kind) or _add(user, on, kind, by=by, now=now)


@transaction.atomic
def give(email: str, *, on: Event | Process, kind: str, by: User, now: datetime) -> Role:
    """Let the person with this address organise an event or a whole process, and write to them.
    An address that is new here gets an account, which opens to whoever reads its letters.

    Refuses with NotYoursToGive, MayNotSignIn and RoleExists.
    """
    _hold(on)
    _check_gives(by, kind, on)
    user = _person(email)
    if not user.is_active:
        raise refusals.MayNotSignIn(email)
    if existing := _of(user, on, kind):
        raise refusals.RoleExists(existing)
    role = _add(user, on, kind, by=by, now=now)
    mails.role_given(role, by=by, now=now)
    return role


@transaction.atomic
def change(role: Role, *, kind: str, by: User, now: datetime) -> None:
    """Let the person do more there, or less, and write to them.

    Refuses with NotThereAnyMore, NotYoursToGive and RoleExists.
    """
    held = _held(role)
    _check_gives(by, held.kind, held.on)
    _check_gives(by, kind, held.on)
    if existing := _of(held.user, held.on, kind):
        raise refusals.RoleExists(existing)
    trail.record(
        by,
        gettext_noop("role changed"),
        held,
        at=now,
        scope=held.on.id,
        before={"user": str(held.user_id), "role": held.kind},
        after={"user": str(held.user_id), "role": kind},
    )
    role.kind = held.kind = kind
    held.save(update_fields=["kind"])
    recall.cancel(about=held.pk, now=now)
    mails.role_given(held, by=by, now=now)


@transaction.atomic
def revoke(role: Role, *, by: User | None, now: datetime) -> None:
    """End a role at once; with the last one the organisers' side shuts. Who took it tells the
    person so by a letter.

    Refuses with NotThereAnyMore and NotYoursToGive.
    """
    held = _held(role)
    user = held.user
    if by is not None:
        _check_gives(by, held.kind, held.on)
    trail.record(
        by,
        gettext_noop("role revoked"),
        held,
        at=now,
        scope=held.on.id,
        before={"user": str(user.id), "role": held.kind},
    )
    if by is not None:
        recall.cancel(about=held.pk, now=now)
        mails.role_taken(held, by=by, now=now)
    held.delete()
    if not user.is_superuser and not user.roles.exists():
        user.is_staff = False
        user.save(update_fields=["is_staff"])


def rights_on(user: User, on: Event | Process) -> frozenset[Right]:
    """What this person may do there; a superuser everything."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(Right)
    roles = Role.objects.filter(_reaching(on), user=user)
    return frozenset().union(*(role.rights for role in roles))


def others_who_run(role: Role) -> bool:
    """Whether anybody but this person runs what the role is on. Superusers are not counted."""
    running = Role.objects.filter(
        _reaching(role.on), kind__in=kinds_with(Right.RUN), user__is_active=True
    )
    return running.exclude(user=role.user_id).exists()


def _check_gives(by: User, kind: str, on: Event | Process) -> None:
    """Nobody gives or takes what they have not got themselves."""
    rights = rights_on(by, on)
    if Right.RUN not in rights or not KINDS[kind] <= rights:
        raise refusals.NotYoursToGive(on)


def _hold(on: Event | Process) -> None:
    process = on.process_id if isinstance(on, Event) else on.pk
    Process.objects.select_for_update(no_key=True).get(pk=process)


def _held(role: Role) -> Role:
    """The role and its person, read anew under locks that last until the transaction ends."""
    _hold(role.on)
    held = Role.objects.select_related("event", "process").filter(pk=role.pk).first()
    if held is None:
        raise refusals.NotThereAnyMore
    held.user = _held_person(held.user_id)
    return held


def _held_person(pk: Any) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=pk)


def _person(email: str) -> User:
    """Whoever has this address; two who name a new one at once name the same person."""
    known = User.objects.filter(email__iexact=email).first()
    try:
        with transaction.atomic():
            return known or User.objects.create_user(email)
    except IntegrityError:
        return User.objects.get_by_natural_key(email)


def _add(user: User, on: Event | Process, kind: str, *, by: User | None, now: datetime) -> Role:
    held = _held_person(user.pk)
    if not held.is_staff:
        held.is_staff = True
        held.save(update_fields=["is_staff"])
    user.is_staff = True
    role = Role.objects.create(user=user, kind=kind, **_where(on))
    trail.record(
        by,
        gettext_noop("role granted"),
        role,
        at=now,
        scope=on.id,
        after={"user": str(user.id), "role": kind},
    )
    return role


def _of(user: User, on: Event | Process, kind: str) -> Role | None:
    return Role.objects.filter(user=user, kind=kind, **_where(on)).first()


def _where(on: Event | Process) -> dict[str, Any]:
    return {"event": on} if isinstance(on, Event) else {"process": on}


def _reaching(on: Event | Process) -> Q:
    """Roles on an event are those on its process too."""
    if isinstance(on, Event):
        return Q(event=on) | Q(process=on.process_id)
    return Q(process=on)
