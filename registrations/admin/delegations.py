from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit.models import Entry
from events.admin import timeline
from events.admin.scope import ReadOnlyInline, ScopedAdmin, ScopedFilter
from events.rights import Right
from notifications.models import Letter, Suppression
from notifications.models import State as LetterState
from registrations.admin import handling
from registrations.admin.delegates import AnswerInline, stand_of
from registrations.models import Delegate, Registration


class DelegateInline(ReadOnlyInline):
    model = Delegate
    fields = ["person", "role", "stand"]
    readonly_fields = ["person", "stand"]
    ordering = ["position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("representative")

    @admin.display(description=gettext_lazy("name"))
    def person(self, obj: Delegate) -> str:
        url = reverse("admin:registrations_delegate_change", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', url, obj.representative.full_name)

    @admin.display(description=gettext_lazy("state"))
    def stand(self, obj: Delegate) -> SafeString:
        return stand_of(obj)


class OwnAnswerInline(AnswerInline):
    """Of the delegation as such; those of its people stand with each."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(delegate=None)


@dataclass(frozen=True)
class Point:
    """A focal point, and why letters do not arrive there, if they do not."""

    user: User
    since: str = ""
    said: str = ""
    lift_url: str | None = None

    @property
    def is_reached(self) -> bool:
        return not self.since


def points_of(registration: Registration) -> list[Point]:
    return [_point(user, registration) for user in registration.organisation.focal_points]


def _point(user: User, registration: Registration) -> Point:
    """A letter that went through after one that came back shows that the address is well."""
    zone = registration.event.zone
    letters = Letter.objects.to(user.email).in_scope(registration.event_id)
    suppression = Suppression.objects.of(user.email).first()
    if suppression:
        newest = letters.order_by("-posted_at").first()
        return Point(
            user,
            since=timeline.said(suppression.since, zone),
            said=suppression.said or suppression.get_reason_display(),
            lift_url=newest and reverse("admin:notifications_letter_reach", args=[newest.pk]),
        )
    last = (
        letters.filter(state__in=[LetterState.SENT, LetterState.FAILED])
        .order_by(Coalesce("ended_at", "sent_at").desc())
        .first()
    )
    if last and last.state == LetterState.FAILED:
        return Point(user, since=timeline.said(last.ended_at, zone), said=last.last_error)
    return Point(user)


@admin.register(Registration)
class RegistrationAdmin(ScopedAdmin):
    """Delegations that were sent. They are written by their group, and decided person by person."""

    page_rights = {"note": Right.DECIDE, "assign": Right.DECIDE, "tags": Right.DECIDE}
    list_display = ["reference", "organisation", "event", "sent_said", "withdrawn_said"]
    list_select_related = ["organisation", "event"]
    list_filter = [("event", ScopedFilter), "organisation__category"]
    search_fields = ["reference", "organisation__name"]
    ordering = ["-sent_at"]
    fields = [
        "reference",
        "organisation",
        "event",
        "track_said",
        "begun_said",
        "sent_said",
        "withdrawn_said",
    ]
    inlines = [DelegateInline, OwnAnswerInline]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return everything.open_to(user, right).exclude(sent_at=None)

    def scope_of(self, obj: Registration) -> UUID:
        return obj.event_id

    def zone_of(self, obj: Registration) -> str:
        return obj.event.zone

    def entries(self, obj: Registration) -> QuerySet[Entry]:
        people = [str(pk) for pk in obj.delegates.values_list("pk", flat=True)]
        return Entry.objects.filter(
            Q(subject_type=Registration._meta.label_lower, subject_id=str(obj.pk))
            | Q(subject_type=Delegate._meta.label_lower, subject_id__in=people)
        )

    def tools(self, request: HttpRequest, obj: Registration) -> list[tuple[str, str]]:
        organisation = reverse("admin:stakeholders_organisation_change", args=[obj.organisation_id])
        links = [(_("The organisation"), organisation)]
        if self.may(request, obj, Right.CONTACT):
            letters = reverse("admin:notifications_letter_changelist")
            links.insert(0, (_("Its letters"), f"{letters}?about={obj.pk}"))
        return links

    def render_change_form(
        self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        registration = kwargs["obj"]
        context |= handling.of(self, request, registration)
        if self.may(request, registration, Right.CONTACT):
            context |= {
                "has_contact": True,
                "points": points_of(registration),
                "letters_url": reverse("admin:notifications_letter_changelist"),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    # Among organisers

    def pages(self) -> list[tuple[str, Any]]:
        return [("note", self.note), ("assign", self.assign), ("tags", self.tags)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.remove_note)
        address = "<uuid:pk>/notes/<uuid:note>/remove/"
        return [path(address, view, name=self.page_name("remove_note")), *super().get_urls()]

    def note(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return handling.write_note(self, request, self.load(request, pk))

    def remove_note(self, request: HttpRequest, pk: UUID, note: UUID) -> HttpResponse:
        return handling.remove_note(self, request, self.load(request, pk, Right.DECIDE), note)

    def assign(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return handling.assign(self, request, self.load(request, pk))

    def tags(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return handling.tag(self, request, self.load(request, pk))

    # What is shown

    @admin.display(description=gettext_lazy("track"))
    def track_said(self, obj: Registration) -> str:
        return str(obj.track) if obj.track else timeline.NOTHING

    @admin.display(description=gettext_lazy("begun"))
    def begun_said(self, obj: Registration) -> str:
        return timeline.said(obj.begun_at, obj.event.zone)

    @admin.display(description=gettext_lazy("sent"), ordering="sent_at")
    def sent_said(self, obj: Registration) -> str:
        return timeline.said(obj.sent_at, obj.event.zone)

    @admin.display(description=gettext_lazy("withdrawn"), ordering="withdrawn_at")
    def withdrawn_said(self, obj: Registration) -> str:
        return timeline.said(obj.withdrawn_at, obj.event.zone)
