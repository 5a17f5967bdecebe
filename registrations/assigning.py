"""Which of the organisers looks after a delegation."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events.models import Event, Role
from events.rights import Right, kinds_with
from registrations import refusals
from registrations.models import Registration


def possible(*events: Event) -> QuerySet[User]:
    """Those who decide about the people of each of these events."""
    organisers = User.objects.filter(is_active=True)
    for event in events:
        on_it = Q(event=event) | Q(process=event.process_id)
        deciding = Role.objects.filter(on_it, kind__in=kinds_with(Right.DECIDE))
        organisers = organisers.filter(pk__in=deciding.values("user"))
    return organisers.order_by("name", "email")


@transaction.atomic
def assign(registration: Registration, *, to: User | None, by: User, now: datetime) -> None:
    """Give it to this organiser, or to nobody. Refuses with CannotLookAfter and AssignedAlready."""
    held = Registration.objects.held(registration)
    if to is not None and not possible(held.event).contains(to):
        raise refusals.CannotLookAfter(to, held.event)
    was = held.assigned_to_id
    if was == (to.pk if to else None):
        raise refusals.AssignedAlready(held)
    held.assigned_to = to
    held.save(update_fields=["assigned_to"])
    trail.record(
        by,
        gettext_noop("assigned"),
        held,
        at=now,
        scope=held.event_id,
        before={"assigned_to": was},
        after={"assigned_to": held.assigned_to_id},
    )
