"""Organisers ask groups to register; a group may say that it does not come."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events.models import Deadline, Event
from notifications import recall
from notifications.models import Kind
from registrations import mails, refusals
from registrations.models import Invitation, Registration
from stakeholders.models import Membership


@transaction.atomic
def invite(
    event: Event,
    *,
    addresses: Iterable[tuple[str, str]],
    language: str,
    by: User | None,
    now: datetime,
) -> tuple[int, int]:
    """Invite groups, each by an address and its name: how many are new, and how many had been
    invited before and are left in peace.

    Whoever has an account reads the letter in their own language, the others in `language`.
    Refuses with NotTakingPlace, NoRegistration and WindowClosed.
    """
    deadline = _open_deadline(event, now)
    names: dict[str, tuple[str, str]] = {}
    for email, name in addresses:
        names.setdefault(email.lower(), (email, name))
    accounts = {
        user.email.lower(): user
        for user in User.objects.alias(address=Lower("email")).filter(address__in=names)
    }
    wanted = []
    for address, (email, name) in names.items():
        account = accounts.get(address)
        wanted.append(
            Invitation(
                event=event,
                email=email,
                name=name,
                language=account.language if account else language,
                zone=account.zone if account else event.zone,
                sent_by=by,
                sent_at=now,
            )
        )
    Invitation.objects.bulk_create(wanted, ignore_conflicts=True)
    there = set(
        Invitation.objects.filter(pk__in=[each.pk for each in wanted]).values_list("pk", flat=True)
    )
    new = [each for each in wanted if each.pk in there]
    mails.all_invited(new, deadline, now=now)
    if new:
        trail.record(
            by,
            gettext_noop("groups invited"),
            event,
            at=now,
            scope=event.id,
            after={"groups": len(new)},
        )
    return len(new), len(wanted) - len(new)


@transaction.atomic
def decline(invitation: Invitation, *, now: datetime) -> None:
    """The group does not come and hears of the deadline no more. It may be said twice, and does
    not keep anybody from registering later. Refuses with nothing."""
    held = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if held.declined_at is None:
        held.declined_at = now
        held.save(update_fields=["declined_at"])
        trail.record(None, gettext_noop("invitation declined"), held, at=now, scope=held.event_id)
        _stop_reminders(held, now=now)
    invitation.refresh_from_db()


def _open_deadline(event: Event, now: datetime) -> Deadline:
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    deadline = event.deadlines.filter(kind=Deadline.Kind.REGISTRATION).first()
    if deadline is None:
        raise refusals.NoRegistration(event)
    if now >= deadline.closes_at:
        raise refusals.WindowClosed(deadline)
    return deadline


def _stop_reminders(invitation: Invitation, *, now: datetime) -> None:
    """Not those of a draft that the same reader has."""
    drafts = Registration.objects.drafts().filter(event=invitation.event)
    has_draft = (
        Membership.objects.of_focal_points()
        .filter(
            user__email__iexact=invitation.email, organisation__in=drafts.values("organisation")
        )
        .exists()
    )
    deadline = invitation.event.registration_deadline
    if deadline and not has_draft:
        recall.cancel(now=now, about=deadline.id, to=invitation.email, kinds=[Kind.REMINDER])
