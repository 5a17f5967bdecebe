"""The attendee list: one row per person, and what an organiser decides about them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Lower
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from clock import shown
from events.admin import timeline
from events.admin.scope import ManagedFilter, ReadOnlyInline, ScopedAdmin
from events.rights import Right
from notifications.models import Suppression
from registrations import confirmations
from registrations.admin import deciding
from registrations.models import TAGS, Delegate, Exchange, Registration, SegmentDecision
from stakeholders.models import Membership, Organisation, Representative

STATES = {
    Delegate.State.SUBMITTED: gettext_lazy("Waits for a decision"),
    Delegate.State.MORE_INFORMATION: gettext_lazy("Asked, waits for the answer"),
    Delegate.State.APPROVED: gettext_lazy("Approved"),
    Delegate.State.CONFIRMED: gettext_lazy("Confirmed"),
    Delegate.State.WAIT_LISTED: gettext_lazy("On the waiting list"),
    Delegate.State.DECLINED: gettext_lazy("Declined"),
    Delegate.State.DECLINED_BY_DELEGATE: gettext_lazy("Does not come"),
    Delegate.State.LAPSED: gettext_lazy("Not confirmed in time"),
    Delegate.State.REPLACED: gettext_lazy("Replaced"),
    Delegate.State.WITHDRAWN: gettext_lazy("Withdrawn"),
}
WAIT_LISTED = Delegate.State.WAIT_LISTED


def stand_of(delegate: Delegate) -> SafeString:
    """The state in the organisers' words, as a tag; the model's own words are the group's."""
    state = Delegate.State(delegate.state)
    words = STATES.get(state, delegate.get_state_display())
    return render_to_string("components/tag.html", {"text": words, "kind": TAGS.get(state, "")})


def place() -> Case:
    """The place on the waiting list: how many wait before, and one."""
    before = (
        Delegate.objects.filter(
            state=WAIT_LISTED,
            registration__event=OuterRef("registration__event"),
            waits_as__lt=OuterRef("waits_as"),
        )
        .order_by()
        .values("state")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Case(When(state=WAIT_LISTED, then=Coalesce(Subquery(before), 0) + 1))


def letters_come_back() -> Exists:
    """Whether nothing is sent any more to a focal point of the delegation."""
    suppressed = Suppression.objects.filter(email__iexact=OuterRef("user__email"))
    points = Membership.objects.of_focal_points().filter(
        Exists(suppressed), organisation=OuterRef("registration__organisation")
    )
    return Exists(points)


def link_to(delegate: Delegate | None) -> str:
    if delegate is None:
        return timeline.NOTHING
    url = reverse("admin:registrations_delegate_change", args=[delegate.pk])
    return format_html('<a href="{}">{}</a>', url, delegate)


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(state), str(words)) for state, words in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(state=self.value()) if self.value() else queryset


class ExchangeInline(ReadOnlyInline):
    model = Exchange
    fields = ["question", "asked_said", "answer", "answered_said"]
    readonly_fields = ["asked_said", "answered_said"]
    ordering = ["asked_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("delegate__registration__event")

    @admin.display(description=gettext_lazy("asked"))
    def asked_said(self, obj: Exchange) -> str:
        return timeline.said(obj.asked_at, obj.delegate.registration.event.zone)

    @admin.display(description=gettext_lazy("answered"))
    def answered_said(self, obj: Exchange) -> str:
        return timeline.said(obj.answered_at, obj.delegate.registration.event.zone)


class SegmentInline(ReadOnlyInline):
    model = SegmentDecision
    fields = ["segment", "state"]
    ordering = ["segment__date", "segment__starts_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("segment")


@admin.register(Delegate)
class DelegateAdmin(ScopedAdmin):
    list_display = [
        "person",
        "organisation",
        "event",
        "role",
        "stand_and_post",
        "place",
        "reference",
        "sent_short",
    ]
    list_select_related = [
        "representative",
        "registration__organisation",
        "registration__event",
    ]
    list_filter = [
        StateFilter,
        ("registration__event", ManagedFilter),
        "role",
        "registration__organisation__category",
    ]
    search_fields = [
        "representative__given_names",
        "representative__family_name",
        "registration__organisation__name",
        "registration__reference",
    ]
    search_help_text = gettext_lazy("Name, organisation or reference")
    ordering = [Lower("representative__family_name"), Lower("representative__given_names")]
    actions = ["approve", "decline", "ask", "wait_list"]
    fields = [
        "person",
        "email",
        "organisation",
        "event",
        "role",
        "stand",
        "place",
        "confirm_until",
        "replaces_said",
        "replaced_by_said",
        "access_needs",
        "reference",
        "sent_said",
    ]
    inlines = [SegmentInline, ExchangeInline]

    def managed(self, everything: Any, user: User) -> QuerySet:
        return (
            everything.open_to(user, Right.LOOK)
            .sent()
            .annotate(place=place(), letters_come_back=letters_come_back())
        )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """The waiting list stands in its own order."""
        if request.GET.get(StateFilter.parameter_name) == WAIT_LISTED:
            return ["registration__event__starts_on", "registration__event", "waits_as"]
        return super().get_ordering(request)

    def scope_of(self, obj: Delegate) -> UUID:
        return obj.registration.event_id

    def zone_of(self, obj: Delegate) -> str:
        return obj.registration.event.zone

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Attendee list")} | (extra_context or {})
        return super().changelist_view(request, context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Every word in the name, the organisation or the reference. Each table is asked by
        itself, so that its own index serves."""
        for word in search_term.split():
            names = Q(given_names__icontains=word) | Q(family_name__icontains=word)
            groups = Organisation.objects.filter(name__icontains=word)
            delegations = Q(reference__icontains=word) | Q(organisation__in=groups)
            queryset = queryset.filter(
                Q(representative__in=Representative.objects.filter(names))
                | Q(registration__in=Registration.objects.filter(delegations))
            )
        return queryset, False

    # What is shown

    @admin.display(description=gettext_lazy("name"), ordering=Lower("representative__family_name"))
    def person(self, obj: Delegate) -> str:
        return obj.representative.full_name

    @admin.display(description=gettext_lazy("email address"))
    def email(self, obj: Delegate) -> str:
        return obj.representative.email or timeline.NOTHING

    @admin.display(
        description=gettext_lazy("organisation"), ordering="registration__organisation__name"
    )
    def organisation(self, obj: Delegate) -> str:
        return str(obj.registration.organisation)

    @admin.display(description=gettext_lazy("event"), ordering="registration__event__starts_on")
    def event(self, obj: Delegate) -> str:
        return str(obj.registration.event)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def stand(self, obj: Delegate) -> SafeString:
        return stand_of(obj)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def stand_and_post(self, obj: Delegate) -> SafeString:
        """The state; and a warning where letters to a focal point come back."""
        if not obj.letters_come_back:
            return stand_of(obj)
        warning = {"text": _("Letters come back"), "kind": "bad"}
        return stand_of(obj) + mark_safe(" ") + render_to_string("components/tag.html", warning)

    @admin.display(description=gettext_lazy("waiting list"), ordering="waits_as")
    def place(self, obj: Delegate) -> str:
        return str(obj.place) if obj.place is not None else timeline.NOTHING

    @admin.display(description=gettext_lazy("may confirm until"))
    def confirm_until(self, obj: Delegate) -> str:
        until = confirmations.until(obj)
        if until is None:
            return timeline.NOTHING
        return shown.closing_and_zone(until, obj.registration.event.zone)

    @admin.display(description=gettext_lazy("replaces"))
    def replaces_said(self, obj: Delegate) -> str:
        return link_to(obj.replaces)

    @admin.display(description=gettext_lazy("replaced by"))
    def replaced_by_said(self, obj: Delegate) -> str:
        return link_to(Delegate.objects.filter(replaces=obj).first())

    @admin.display(description=gettext_lazy("reference"), ordering="registration__reference")
    def reference(self, obj: Delegate) -> str:
        return obj.registration.reference

    @admin.display(description=gettext_lazy("sent"))
    def sent_said(self, obj: Delegate) -> str:
        return timeline.said(obj.registration.sent_at, obj.registration.event.zone)

    @admin.display(
        description=gettext_lazy("sent (time of the event)"), ordering="registration__sent_at"
    )
    def sent_short(self, obj: Delegate) -> str:
        sent_at = obj.registration.sent_at
        if sent_at is None:
            return timeline.NOTHING
        return shown.moment(sent_at, obj.registration.event.zone, weekday=False)

    # What is decided

    def tools(self, request: HttpRequest, obj: Delegate) -> list[tuple[str, str]]:
        decide = [
            (_("Approve"), self.page_url("approve", obj)),
            (_("Decline with a reason"), self.page_url("decline", obj)),
            (_("Ask a question"), self.page_url("ask", obj)),
            (_("Put on the waiting list"), self.page_url("wait_list", obj)),
        ]
        delegation = reverse("admin:registrations_registration_change", args=[obj.registration_id])
        if obj.state == WAIT_LISTED:
            possible = decide[1:2]
        else:
            possible = decide if obj.awaits_decision else []
        return [*possible, (_("The delegation"), delegation)]

    def pages(self) -> list[tuple[str, Any]]:
        return [(decision.word, self.page_of(decision)) for decision in deciding.ALL]

    def page_of(self, decision: deciding.Decision) -> Any:
        def page(request: HttpRequest, pk: UUID) -> HttpResponse:
            obj = self.load(request, pk)
            return deciding.confirm(
                self, request, decision, self.chosen(request, [obj.pk]), back=self.change_url(obj)
            )

        return page

    def chosen(self, request: HttpRequest, ids: Iterator[Any] | list[Any]) -> QuerySet:
        """Of these, those whom this organiser may see."""
        return (
            self.get_queryset(request)
            .filter(pk__in=ids)
            .select_related(
                "representative",
                "registration__organisation",
                "registration__event",
                "replaces__registration",
            )
        )

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """People are chosen by their ids; whatever else is posted chooses nobody."""
        try:
            for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
                UUID(chosen)
        except ValueError:
            return deciding.turn_away(request, back=request.get_full_path())
        return super().response_action(request, queryset)

    @admin.action(description=gettext_lazy("Approve…"))
    def approve(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.decide(request, deciding.APPROVE, queryset)

    @admin.action(description=gettext_lazy("Decline with a reason…"))
    def decline(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.decide(request, deciding.DECLINE, queryset)

    @admin.action(description=gettext_lazy("Ask a question…"))
    def ask(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.decide(request, deciding.ASK, queryset)

    @admin.action(description=gettext_lazy("Put on the waiting list…"))
    def wait_list(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.decide(request, deciding.WAIT, queryset)

    def decide(
        self, request: HttpRequest, decision: deciding.Decision, listed: QuerySet
    ) -> HttpResponse:
        """At first those whom the list holds; then those whom the page before has named,
        though a decision meanwhile may have taken them out of a filtered list."""
        if "confirm" in request.POST:
            people = self.chosen(request, request.POST.getlist(ACTION_CHECKBOX_NAME))
        else:
            people = self.chosen(request, listed.values("pk"))
        return deciding.confirm(self, request, decision, people, back=request.get_full_path())
