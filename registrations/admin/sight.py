"""Whom an organiser sees in the attendee list, and how much of them."""

from collections.abc import Collection
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from translated_fields import to_attribute

from events import texts
from events.admin.scope import roles_of
from events.asking import PREFIX, name_of
from events.models import Event, Question
from events.rights import Right
from registrations.models import SEATED, Delegate, DelegateQuerySet, Registration

EVENT = "registration__event__id__exact"
NAMES = [to_attribute("name", code) for code in texts.CODES]


class Sight:
    """The events of one organiser, and the rights there.

    Where somebody keeps the door and may not look, the list is another one: of the people with a
    place, with what a door needs. It opens by choosing that event, or by itself to who only keeps
    doors; so no filter of the one list tells anything about people of the other.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.user = request.user
        self.roles = [] if self.user.is_superuser else roles_of(request)
        self.wanted = request.GET.get(EVENT, "")

    @cached_property
    def rights(self) -> dict[UUID, frozenset[Right]]:
        return {pk: self._rights(event) for pk, event in self.everywhere.items()}

    def _rights(self, event: Event) -> frozenset[Right]:
        if self.user.is_superuser:
            return frozenset(Right)
        here = [r for r in self.roles if r.event_id == event.pk or r.process_id == event.process_id]
        return frozenset[Right]().union(*(role.rights for role in here))

    @cached_property
    def everywhere(self) -> dict[UUID, Event]:
        """Every event that somebody has begun to register for."""
        begun = Registration.objects.filter(event=OuterRef("pk"))
        events = Event.objects.open_to(self.user, Right.ARRIVALS).filter(Exists(begun))
        events = events.annotate(asks=Exists(Question.objects.filter(event=OuterRef("pk"))))
        fields = ["slug", "zone", "process", "starts_on", *NAMES]
        return {event.pk: event for event in events.in_order().only(*fields)}

    def where(self, right: Right) -> dict[UUID, Event]:
        return {pk: event for pk, event in self.everywhere.items() if right in self.rights[pk]}

    @cached_property
    def doors(self) -> dict[UUID, Event]:
        looked_at = self.where(Right.LOOK)
        arrivals = self.where(Right.ARRIVALS)
        return {pk: event for pk, event in arrivals.items() if pk not in looked_at}

    @cached_property
    def is_door(self) -> bool:
        if not self.where(Right.LOOK):
            return bool(self.doors)
        return self.wanted in map(str, self.doors)

    @property
    def events(self) -> dict[UUID, Event]:
        """Those whose people stand in the list that is asked for."""
        return self.doors if self.is_door else self.where(Right.LOOK)

    @cached_property
    def questions(self) -> list[Question]:
        """What was ever asked at the event of which the list is, where it is of one; of that, whose
        answers this organiser may see."""
        event = next((one for pk, one in self.events.items() if str(pk) == self.wanted), None)
        if self.is_door or event is None or not event.asks:  # type: ignore[attr-defined]
            return []
        may = Right.SENSITIVE in self.rights[event.pk]
        return [one for one in event.questions.in_order() if may or not one.is_sensitive]

    def people(self, right: Right = Right.LOOK) -> DelegateQuerySet:
        """All of them, before any filter."""
        sent = Delegate.objects.sent()
        if self.is_door:
            return sent.filter(registration__event__in=self.doors, state__in=SEATED)
        if self.user.is_superuser:
            return sent
        return sent.filter(registration__event__in=self.where(right))

    def has(self, right: Right, events: Collection[Any] | None = None) -> bool:
        """On some of the events of this list."""
        return any(right in self.rights[pk] for pk in events or self.events)


def sight_of(request: HttpRequest) -> Sight:
    """Asked once for a page."""
    known = vars(request)
    if "sight" not in known:
        known["sight"] = Sight(request)
    return known["sight"]


def unknown_answers(request: HttpRequest) -> set[str]:
    """Filters of an address by answers that are none of this list, or not for this organiser."""
    known = {name_of(question) for question in sight_of(request).questions}
    return {name for name in request.GET if name.startswith(PREFIX)} - known
