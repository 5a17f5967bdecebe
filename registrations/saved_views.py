"""Views of the attendee list are kept, renamed, shared and removed by whoever has made them."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from events.models import Event
from events.rights import Right
from registrations import refusals
from registrations.models import SavedView, SavedViewQuerySet

MOST = 50
"""So many of one organiser."""


@transaction.atomic
def keep(
    name: str, *, query: str, shared_on: Event | None = None, by: User, now: datetime
) -> SavedView:
    """Give a name to what the list shows. Refuses with TooManyViews, ViewNameTaken, and with
    NotToShare on an event whose people this organiser may not look at."""
    own = _own(by)
    if own.count() >= MOST:
        raise refusals.TooManyViews(MOST)
    view = SavedView(owner=by, query=query, made_at=now)
    return _written(view, name, shared_on)


@transaction.atomic
def change(view: SavedView, *, name: str, shared_on: Event | None, by: User) -> SavedView:
    """Rename it; share it or not. Refuses with NotYourView, ViewNameTaken and NotToShare."""
    return _written(_held(view, by), name, shared_on)


@transaction.atomic
def remove(view: SavedView, *, by: User) -> None:
    """Forget it, for all who have used it. Refuses with NotYourView, also the second time."""
    _held(view, by).delete()


def _own(owner: User) -> SavedViewQuerySet:
    """Of one organiser, one at a time."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    return SavedView.objects.filter(owner=owner)


def _held(view: SavedView, by: User) -> SavedView:
    held = _own(by).filter(pk=view.pk).first()
    if held is None:
        raise refusals.NotYourView(view)
    return held


def _written(view: SavedView, name: str, shared_on: Event | None) -> SavedView:
    same = SavedView.objects.filter(owner=view.owner, name__iexact=name).exclude(pk=view.pk)
    if same.exists():
        raise refusals.ViewNameTaken(name)
    if shared_on and not Event.objects.open_to(view.owner, Right.LOOK).contains(shared_on):
        raise refusals.NotToShare(shared_on)
    view.name, view.shared_on = name, shared_on
    view.save()
    return view
