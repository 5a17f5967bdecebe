"""Who organises what."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events.models import Event, Process, Role


@transaction.atomic
def grant(
    user: User, *, on: Event | Process, by: User | None, now: datetime, kind: str = "manager"
) -> Role:
    """Let this person organise an event or a whole process, and open the organisers' side."""
    where = {"event": on} if isinstance(on, Event) else {"process": on}
    role, is_new = Role.objects.get_or_create(user=user, kind=kind, **where)
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    if is_new:
        trail.record(
            by,
            gettext_noop("role granted"),
            role,
            at=now,
            scope=on.id,
            after={"user": str(user.id), "role": kind},
        )
    return role


@transaction.atomic
def revoke(role: Role, *, by: User | None, now: datetime) -> None:
    """End a role at once; with the last one the organisers' side shuts."""
    user = role.user
    trail.record(
        by,
        gettext_noop("role revoked"),
        role,
        at=now,
        scope=role.event_id or role.process_id,
        before={"user": str(user.id), "role": role.kind},
    )
    role.delete()
    if not user.is_superuser and not user.roles.exists():
        user.is_staff = False
        user.save(update_fields=["is_staff"])
