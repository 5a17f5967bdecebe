"""Reminders are computed, never booked: what is due is asked of the deadline as it stands."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from events.models import Deadline, DeadlineQuerySet, ReminderStep
from registrations import mails
from registrations.models import Registration
from stakeholders.models import Membership


def send_due(*, now: datetime) -> int:
    """Remind everybody for whom a step is due now. Running it again posts nothing twice."""
    deadlines = _running(now).values_list("pk", flat=True)
    return sum(_send_due_of(deadline, now=now) for deadline in list(deadlines))


def due_step(deadline: Deadline, *, now: datetime) -> tuple[ReminderStep, datetime] | None:
    """The latest step that is due, and its moment.

    A step whose moment lay before the deadline was set, the window opened, the event was
    published or the step was added is no longer owed to anybody.
    """
    since = max(
        moment
        for moment in (deadline.set_at, deadline.opens_at, deadline.event.published_at)
        if moment
    )
    due = [
        (moment, step)
        for step in deadline.steps.all()
        if max(since, step.added_at) <= (moment := step.due_at(deadline)) <= now
    ]
    if not due or now >= deadline.closes_at:
        return None
    moment, step = max(due, key=lambda pair: pair[0])
    return step, moment


def audience(deadline: Deadline, *, since: datetime) -> list[tuple[User, list[Registration]]]:
    """The focal points with unsent drafts that they had begun by `since`, and those drafts.

    The drafts are held until the transaction ends; one that is being sent now is left out.
    """
    drafts = {
        draft.organisation_id: draft
        for draft in Registration.objects.drafts()
        .filter(event=deadline.event)
        .select_related("organisation")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .order_by("begun_at")
    }
    memberships = (
        Membership.objects.of_focal_points()
        .filter(organisation__in=drafts)
        .select_related("user")
        .order_by("user__email", "organisation__name")
    )
    by_person: dict[User, list[Registration]] = {}
    for membership in memberships:
        by_person.setdefault(membership.user, []).append(drafts[membership.organisation_id])
    return [
        (user, registrations)
        for user, registrations in by_person.items()
        if min(draft.begun_at for draft in registrations) <= since
    ]


def count_audience(deadline: Deadline) -> int:
    """How many people a reminder would reach if it went now. Holds nothing."""
    drafts = Registration.objects.drafts().filter(event=deadline.event)
    points = Membership.objects.of_focal_points().filter(
        organisation__in=drafts.values("organisation")
    )
    return points.values("user").distinct().count()


def _running(now: datetime) -> DeadlineQuerySet:
    return Deadline.objects.of_shown_events().open_at(now).filter(kind=Deadline.Kind.REGISTRATION)


@transaction.atomic
def _send_due_of(pk: UUID, *, now: datetime) -> int:
    """Whoever moves the deadline or postpones the event meanwhile waits, and then cancels."""
    held = _running(now).select_for_update(of=("self", "event"), no_key=True)
    deadline = held.select_related("event").filter(pk=pk).first()
    if deadline is None:
        return 0
    due = due_step(deadline, now=now)
    if due is None:
        return 0
    step, moment = due
    return mails.deadline_near(deadline, step, audience(deadline, since=moment), now=now)
