"""The public list of participants: each person says for themselves whether it may name them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from audit import trail
from events.models import Event
from registrations import refusals, waiting
from registrations.models import Delegate, DelegateQuerySet, Registration

AT_ONCE = 200
ONE_DAY = timedelta(days=1)


def is_possible(delegate: Delegate) -> bool:
    """Whether the list may name this person, if they say yes."""
    event = delegate.registration.event
    has_list = event.lists_participants and event.state in {
        Event.State.PUBLISHED,
        Event.State.POSTPONED,
    }
    return has_list and delegate.is_seated and delegate.listing_asked_at is not None


@transaction.atomic
def agree(delegate: Delegate, *, now: datetime) -> None:
    """This person may be named. Said twice, it is so once. Refuses with NotToBeListed."""
    held = _held(delegate)
    if held.listed_at is not None:
        return
    if not is_possible(held):
        raise refusals.NotToBeListed(held)
    _turn(held, now, gettext_noop("agreed to be listed"), now=now)


@transaction.atomic
def take_back(delegate: Delegate, *, now: datetime) -> None:
    """This person is named no more. Refuses with nothing: it may be said at any time, and twice."""
    held = _held(delegate)
    if held.listed_at is not None:
        _turn(held, None, gettext_noop("taken off the list"), now=now)


def ask_due(*, now: datetime) -> int:
    """Ask everybody with a place who has not been asked yet: their event had no public list when
    they got it. How many; the next sweep goes on with those who are left."""
    due = _unasked(Delegate.objects.with_own_address()).filter(
        registration__event__lists_participants=True,
        registration__event__state=Event.State.PUBLISHED,
        registration__event__ends_on__gte=(now - ONE_DAY).date(),
    )
    delegations = due.order_by("registration").values_list("registration", flat=True).distinct()
    return sum(_ask_of(pk, now=now) for pk in list(delegations[:AT_ONCE]))


@transaction.atomic
def _ask_of(pk: UUID, *, now: datetime) -> int:
    """Who is being changed or asked in this moment is left to the next sweep."""
    of_it = _unasked(Delegate.objects.filter(registration=pk)).select_related("representative")
    people = list(of_it.select_for_update(of=("self",), skip_locked=True, no_key=True))
    registration = Registration.objects.select_related("event", "organisation").get(pk=pk)
    if registration.event.is_over(now):
        return 0
    for delegate in people:
        delegate.registration = registration
    return waiting.ask_to_be_listed(people, now=now)


def _unasked(people: DelegateQuerySet) -> DelegateQuerySet:
    return people.seated().filter(listing_asked_at=None)


def _held(delegate: Delegate) -> Delegate:
    """Read anew, under a lock that lasts until the transaction ends."""
    Delegate.objects.select_for_update().get(pk=delegate.pk)
    related = ["representative", "registration__event"]
    return Delegate.objects.select_related(*related).get(pk=delegate.pk)


def _turn(delegate: Delegate, listed_at: datetime | None, verb: str, *, now: datetime) -> None:
    delegate.listed_at = listed_at
    delegate.save(update_fields=["listed_at"])
    trail.record(None, verb, delegate, at=now, scope=delegate.registration.event_id)
