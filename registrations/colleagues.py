"""Which members of a group work on which of its delegations."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from registrations import refusals
from registrations.models import Registration
from stakeholders.models import Membership, MembershipQuerySet, Organisation


def may_work_on(registration: Registration) -> MembershipQuerySet:
    """The members of its group; focal points work on all of its delegations anyway."""
    of_group = registration.organisation.memberships.active().filter(kind=Membership.Kind.MEMBER)
    return of_group.select_related("user").order_by("user__name", "user__email")


@transaction.atomic
def change(
    registration: Registration,
    *,
    on: Iterable[Membership] = (),
    off: Iterable[Membership] = (),
    by: User,
    now: datetime,
) -> None:
    """Let some members work on the delegation, and others no more; those who are not named stay
    as they are. Said twice, it is so once.

    Refuses with OnlyFocalPoints, and with NoMember whoever has left meanwhile.
    """
    held = Registration.objects.held(registration)
    if not Organisation.objects.led_by(by).contains(held.organisation):
        raise refusals.OnlyFocalPoints(held.organisation)
    before = _names(held)
    wanted = {member.pk: member for member in on}
    there = may_work_on(held).filter(pk__in=wanted).select_for_update(of=("self",), no_key=True)
    still = {member.pk: member for member in there}
    for pk, member in wanted.items():
        if pk not in still:
            raise refusals.NoMember(member)
    held.colleagues.remove(*off)
    held.colleagues.add(*still.values())
    after = _names(held)
    if before != after:
        trail.record(
            by,
            gettext_noop("colleagues changed"),
            held,
            at=now,
            scope=held.event_id,
            before={"colleagues": before},
            after={"colleagues": after},
        )


def _names(registration: Registration) -> str:
    people = registration.colleagues.active().select_related("user").order_by("user__email")
    return ", ".join(str(member.user) for member in people)
