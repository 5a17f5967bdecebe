"""When people are reminded of a deadline: steps are added and removed here."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import refusals
from events.models import Deadline, ReminderStep
from notifications import recall
from notifications.models import Letter

Audience = ReminderStep.Audience
MOST = {ReminderStep.Unit.DAYS: 365, ReminderStep.Unit.HOURS: 720}
AUDIENCES = {
    Deadline.Kind.REGISTRATION: (
        Audience.EVERYBODY,
        Audience.DRAFTS,
        Audience.INVITED,
        Audience.FOLLOWERS,
    ),
    Deadline.Kind.CONFIRMATION: (Audience.EVERYBODY, Audience.TO_CONFIRM),
}


@transaction.atomic
def add(
    deadline: Deadline,
    *,
    amount: int,
    unit: str,
    audience: str = Audience.EVERYBODY,
    by: User | None,
    now: datetime,
) -> ReminderStep:
    """Remind this audience so long before the close. Nobody is owed a moment that is past.

    Refuses with ClosedAlready, StepOutOfReach, NobodyToRemind and StepExists.
    """
    held = _held(deadline)
    if now >= held.closes_at:
        raise refusals.ClosedAlready(held)
    if not 1 <= amount <= MOST[ReminderStep.Unit(unit)]:
        raise refusals.StepOutOfReach(MOST)
    if audience not in AUDIENCES.get(Deadline.Kind(held.kind), ()):
        raise refusals.NobodyToRemind(held, audience)
    step = ReminderStep(deadline=held, amount=amount, unit=unit, audience=audience, added_at=now)
    for other in held.steps.filter(audience=audience):
        if other.due_at(held) == step.due_at(held):
            raise refusals.StepExists(other)
    step.save()
    trail.record(
        by,
        gettext_noop("reminder added"),
        held,
        at=now,
        scope=held.event_id,
        after={"step": step.code, "audience": audience},
    )
    return step


@transaction.atomic
def remove(step: ReminderStep, *, by: User | None, now: datetime) -> None:
    """Remind nobody at this moment; letters of this step that have not left are taken back,
    unless another step of the same distance stays. Removing it twice is the same.

    Of a moment that is past, it stands for those before it: nobody is reminded of them now.
    """
    held = _held(step.deadline)
    if not held.steps.filter(pk=step.pk).exists():
        return
    held.steps.filter(pk=step.pk).delete()
    moment = step.due_at(held)
    if moment <= now:
        older = [other.pk for other in held.steps.all() if other.due_at(held) <= moment]
        held.steps.filter(pk__in=older).update(added_at=now)
    if not held.steps.filter(amount=step.amount, unit=step.unit).exists():
        begin = f"reminder:{held.id}:{held.closes_at:%Y%m%dT%H%M%SZ}:{step.code}:"
        recall.cancel(now=now, letters=Letter.objects.filter(key__startswith=begin))
    trail.record(
        by,
        gettext_noop("reminder removed"),
        held,
        at=now,
        scope=held.event_id,
        before={"step": step.code, "audience": step.audience},
    )


def _held(deadline: Deadline) -> Deadline:
    """A sweep that reminds people just now ends first, and what it wrote can be taken back."""
    return Deadline.objects.select_for_update(no_key=True).get(pk=deadline.pk)
