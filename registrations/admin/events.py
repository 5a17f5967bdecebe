"""An event's page with what looks at who comes: its overview, seats, invitations, groups let in."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from audit.models import Entry
from events.admin.events import EventAdmin as OwnPages
from events.models import Event
from events.rights import Right
from registrations.admin import (
    composing,
    exemptions,
    importing,
    invitations,
    on_behalf,
    overview,
    queue,
    readers,
    reminding,
    seats,
)
from registrations.models import Delegate, Registration

State = Event.State


@admin.register(Event)
class EventAdmin(OwnPages):
    page_rights = {
        "overview": Right.LOOK,
        "queue": Right.LOOK,
        "seats": Right.LOOK,
        "reminders": Right.LOOK,
        "write": Right.CONTACT,
    }

    def tools(self, request: HttpRequest, obj: Event) -> list[tuple[str, str]]:
        possible = [(_("Seats"), "seats"), (_("Reminders"), "reminders")]
        if obj.state == State.PUBLISHED:
            possible += [
                (_("Invite groups"), "invite"),
                (_("Let a group in"), "let_in"),
                (_("Register a group that wrote to us"), "on_behalf"),
                (_("Import people"), "import_people"),
            ]
        links = [
            *self.links(request, obj, [(_("Overview"), "overview"), (_("Review queue"), "queue")]),
            *super().tools(request, obj),
            *self.links(request, obj, possible),
        ]
        if obj.state == State.DRAFT:
            return links
        links.append(
            (_("Who comes"), _list("delegate", f"registration__event__id__exact={obj.pk}"))
        )
        links += self.links(request, obj, [(_("Write to people"), "write")])
        if self.may(request, obj, Right.CONTACT):
            links.append((_("Letters to people"), composing.list_url(obj)))
        if self.may(request, obj, Right.RUN):
            links += [
                (_("Invitations"), _list("invitation", f"event__id__exact={obj.pk}")),
                (_("Groups let in"), _list("exemption", f"event__id__exact={obj.pk}")),
            ]
        return links

    def pages(self) -> list[tuple[str, Any]]:
        return [
            *super().pages(),
            ("overview", self.overview),
            ("queue", self.queue),
            ("seats", self.seats),
            ("reminders", self.reminders),
            ("invite", self.invite),
            ("let_in", self.let_in),
            ("on_behalf", self.on_behalf),
            ("import_people", self.import_people),
            ("write", self.write),
        ]

    def overview(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return overview.page(self, request, self.load(request, pk))

    def queue(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return queue.page(self, request, self.load(request, pk))

    def seats(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return seats.page(self, request, self.load(request, pk))

    def reminders(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return reminding.page(self, request, self.load(request, pk))

    def invite(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return invitations.page(self, request, self.load(request, pk))

    def let_in(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return exemptions.page(self, request, self.load(request, pk))

    def on_behalf(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return on_behalf.page(self, request, self.load(request, pk))

    def import_people(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return importing.bring(self, request, self.load(request, pk))

    def write(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return composing.write(self, request, self.load(request, pk))

    def entries_for(self, request: HttpRequest, obj: Event) -> QuerySet[Entry]:
        """Whoever runs the event reads all that belongs to it, but for what became of each
        delegation: that stands there."""
        own = self.entries(obj)
        if not self.may(request, obj, Right.RUN):
            return own
        told_there = [Registration._meta.label_lower, Delegate._meta.label_lower]
        return own | Entry.objects.in_scope(obj.pk).exclude(subject_type__in=told_there)

    def told_of(self, obj: Event) -> str:
        return readers.told_of(obj)


def _list(of: str, query: str) -> str:
    return f"{reverse(f'admin:registrations_{of}_changelist')}?{query}"
