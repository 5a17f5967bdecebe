"""How a group answers a question of the organisers."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from registrations import mails, refusals
from registrations.models import Delegate, Registration


@transaction.atomic
def answer(delegate: Delegate, text: str, *, by: User, now: datetime) -> None:
    """Answer the open question about this person, who then waits for a decision again.

    Refuses with NothingAsked.
    """
    held = Registration.objects.held(delegate.registration)
    delegate.refresh_from_db()
    exchange = delegate.exchanges.filter(answered_at=None).first()
    if exchange is None or delegate.state != Delegate.State.MORE_INFORMATION:
        raise refusals.NothingAsked(delegate)
    exchange.answer, exchange.answered_by, exchange.answered_at = text, by, now
    exchange.save(update_fields=["answer", "answered_by", "answered_at"])
    delegate.state = Delegate.State.SUBMITTED
    delegate.save(update_fields=["state"])
    trail.record(
        by,
        gettext_noop("question answered"),
        delegate,
        at=now,
        scope=held.event_id,
        before={"state": Delegate.State.MORE_INFORMATION},
        after={"state": delegate.state},
    )
    mails.answered(held, delegate, exchange, now=now)
