"""How a group answers a question of the organisers."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from events import capacity
from registrations import mails, refusals, seats
from registrations.models import Delegate, Registration


@transaction.atomic
def answer(delegate: Delegate, text: str, *, by: User, now: datetime) -> None:
    """Answer the open question about this person, who then waits for a decision again.

    Refuses with NothingAsked.
    """
    event = capacity.hold(delegate.registration.event)
    held = Registration.objects.held(delegate.registration, event)
    delegate.refresh_from_db()
    delegate.registration = held
    exchange = delegate.exchanges.filter(answered_at=None).first()
    if exchange is None or delegate.state != Delegate.State.MORE_INFORMATION:
        raise refusals.NothingAsked(delegate)
    exchange.answer, exchange.answered_by, exchange.answered_at = text, by, now
    exchange.save(update_fields=["answer", "answered_by", "answered_at"])
    verb = gettext_noop("question answered")
    seats.turn(delegate, Delegate.State.SUBMITTED, verb, by=by, now=now)
    mails.answered(held, delegate, exchange, now=now)
