"""The attendee list: one row per person, and what an organiser decides about them."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from clock import shown
from events.admin import timeline
from events.admin.scope import ReadOnlyInline, ScopedAdmin, has_right, words_of
from events.asking import name_of
from events.models import Event
from events.rights import Right
from registrations import confirmations
from registrations.admin import (
    cells,
    columns,
    composing,
    deciding,
    exporting,
    filters,
    handling,
    saved,
    undoing,
)
from registrations.admin.attendees import AttendeeList, ChosenPeople
from registrations.admin.cells import stand_of
from registrations.admin.corrections import CorrectionInline
from registrations.admin.sight import sight_of, unknown_answers
from registrations.models import DECIDED, Answer, Delegate, Exchange, SegmentDecision

WAIT_LISTED = Delegate.State.WAIT_LISTED


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


def without(request: HttpRequest, filters: Iterable[str]) -> str:
    """The address of the list without these, which says that they are gone."""
    query = request.GET.copy()
    for name in filters:
        del query[name]
    query[ERROR_FLAG] = "1"
    return f"{request.path}?{query.urlencode(safe=',')}"


def link_to(delegate: Delegate | None) -> str:
    if delegate is None:
        return timeline.NOTHING
    url = reverse("admin:registrations_delegate_change", args=[delegate.pk])
    return format_html('<a href="{}">{}</a>', url, delegate)


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


class AnswerInline(ReadOnlyInline):
    """Of what the organisers ask, as far as this one may read it."""

    model = Answer
    fields = ["question_said", "answer_said", "asked_otherwise"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        open_to = Event.objects.open_to(request.user, Right.SENSITIVE)
        mine = Q(question__is_sensitive=False) | Q(question__event__in=open_to)
        found = super().get_queryset(request).filter(mine).select_related("question")
        return found.prefetch_related("question__options").in_order()

    @admin.display(description=gettext_lazy("question"))
    def question_said(self, obj: Answer) -> str:
        return str(obj.question)

    @admin.display(description=gettext_lazy("answer"))
    def answer_said(self, obj: Answer) -> str:
        return str(obj)

    @admin.display(description=gettext_lazy("asked in other words"))
    def asked_otherwise(self, obj: Answer) -> str:
        if not obj.is_of_other_words:
            return timeline.NOTHING
        return f"{obj.asked_as} {obj.chosen_then}".strip()


class SegmentInline(ReadOnlyInline):
    model = SegmentDecision
    fields = ["segment", "state"]
    ordering = ["segment__date", "segment__starts_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("segment")


@admin.register(Delegate)
class DelegateAdmin(cells.Cells, ScopedAdmin):
    page_rights = {one.word: Right.DECIDE for one in [*deciding.ALL, *handling.ALL]}
    list_display = [cells.METHODS.get(key, key) for key in columns.DEFAULT]
    list_filter = filters.ALL
    search_fields = [
        "representative__given_names",
        "representative__family_name",
        "registration__organisation__name",
        "registration__reference",
    ]
    search_help_text = gettext_lazy("Name, organisation or reference")
    ordering = ["representative__search_text"]
    actions = ["approve", "decline", "ask", "wait_list", "reopen", "assign", "tag"]
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
    inlines = [AnswerInline, SegmentInline, ExchangeInline, CorrectionInline]
    guarded_by = {"email": Right.CONTACT, "access_needs": Right.SENSITIVE}

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return (
            everything.open_to(user, right)
            .sent()
            .annotate(place=place())
            .select_related("representative", "registration__organisation", "registration__event")
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list opens to who keeps a door too; the pages of its people do not."""
        if obj is None and has_right(request, Right.ARRIVALS):
            return True
        return super().has_view_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Of a person's page, what this organiser may see."""
        return [
            field
            for field in self.fields
            if obj is None or self.may(request, obj, self.guarded_by.get(field, self.sees))
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """What was asked and answered is part of the history."""
        if obj is None or self.may(request, obj, self.remembers):
            return self.inlines
        return [AnswerInline, SegmentInline]

    def scope_of(self, obj: Delegate) -> UUID:
        return obj.registration.event_id

    def zone_of(self, obj: Delegate) -> str:
        return obj.registration.event.zone

    # The list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AttendeeList]:
        is_shown = request.resolver_match.url_name == self.page_name("changelist")
        return AttendeeList if is_shown else ChosenPeople

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        sight = sight_of(request)
        answers = {name_of(one): cells.AnswerCell(one) for one in sight.questions}
        shown = columns.chosen(request, sight)
        return [answers.get(key) or cells.METHODS.get(key, key) for key in shown]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return None if sight_of(request).is_door else list_display[:1]

    def get_list_filter(self, request: HttpRequest) -> list[type[filters.Facet]]:
        sight = sight_of(request)
        if sight.is_door:
            return filters.AT_THE_DOOR
        return [*filters.ALL, *filters.of_questions(sight.questions)]

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return lookup in {facet.parameter_name for facet in self.get_list_filter(request)}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {} if sight_of(request).is_door else super().get_actions(request)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """The waiting list stands in its own order."""
        if request.GET.get(filters.StateFacet.parameter_name) == WAIT_LISTED:
            return ["registration__event__starts_on", "registration__event", "waits_as"]
        return super().get_ordering(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Every word in the name, the organisation or, but at the door, the reference."""
        known = vars(request).setdefault("words_found", {})
        for word in words_of(search_term):
            if word not in known:
                known[word] = filters.found_by(word, references=not sight_of(request).is_door)
            queryset = queryset.filter(known[word])
        return queryset, False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        sight = sight_of(request)
        if request.method == "GET" and columns.is_form(request):
            return redirect(self.with_columns(request))
        if request.method == "GET" and (unknown := unknown_answers(request)):
            return redirect(without(request, unknown))
        columns.keep(request, columns.chosen(request, sight))
        context = {
            "title": _("Arrivals") if sight.is_door else _("Attendee list"),
            "columns": self.columns_offered(request),
            "sorted_by": columns.order_by_name(
                request.GET.get(ORDER_VAR, ""), self.keys_shown(request)
            ),
            "export_url": self.export_url(request),
            "write_url": self.write_url(request),
            **saved.offered(self, request),
        }
        if ERROR_FLAG in request.GET:
            messages.warning(request, _("A filter of that address is no longer here."))
        return super().changelist_view(request, context | (extra_context or {}))

    # Its columns

    def keys_shown(self, request: HttpRequest) -> list[str]:
        """As addresses count them."""
        boxes = [""] if self.get_actions(request) else []
        return [*boxes, *columns.chosen(request, sight_of(request))]

    def columns_offered(self, request: HttpRequest) -> list[dict[str, Any]]:
        sight = sight_of(request)
        if sight.is_door:
            return []
        shown, known = columns.chosen(request, sight), columns.known(sight)
        return [
            {
                "key": key,
                "heading": known[key].heading,
                "is_shown": key in shown,
                "is_fixed": key == columns.ALWAYS,
            }
            for key in columns.possible(sight)
        ]

    def with_columns(self, request: HttpRequest) -> str:
        """The address of the list with the columns that were typed, sorted as before."""
        query = request.GET.copy()
        order = "".join(query.pop(columns.SORTED_BY, [])[:1])
        query[columns.PARAMETER] = ",".join(columns.chosen(request, sight_of(request)))
        query.pop(ORDER_VAR, None)
        if order := columns.order_by_number(order, self.keys_shown(request)):
            query[ORDER_VAR] = order
        return f"{request.path}?{query.urlencode(safe=',')}"

    # As a file

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        export = path("export/", view(self.export), name=self.page_name("export"))
        numbers = path(
            "export/statistics/", view(self.statistics), name=self.page_name("statistics")
        )
        return [export, numbers, *saved.urls(self), *undoing.urls(self), *super().get_urls()]

    def export_url(self, request: HttpRequest) -> str:
        sight = sight_of(request)
        if sight.is_door or not sight.has(Right.EXPORT):
            return ""
        query = request.GET.copy()
        query.pop(PAGE_VAR, None)
        query[columns.PARAMETER] = ",".join(columns.chosen(request, sight))
        url = reverse(f"admin:{self.page_name('export')}")
        return f"{url}?{query.urlencode(safe=',')}"

    def write_url(self, request: HttpRequest) -> str:
        sight = sight_of(request)
        return "" if sight.is_door else composing.write_url(sight, saved.query_of(self, request))

    def export(self, request: HttpRequest) -> HttpResponseBase:
        return exporting.page(self, request)

    def statistics(self, request: HttpRequest) -> HttpResponseBase:
        return exporting.statistics(self, request)

    # What is shown

    @admin.display(description=gettext_lazy("email address"))
    def email(self, obj: Delegate) -> str:
        return obj.representative.email or timeline.NOTHING

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def stand(self, obj: Delegate) -> SafeString:
        return stand_of(obj)

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

    @admin.display(description=gettext_lazy("sent"))
    def sent_said(self, obj: Delegate) -> str:
        return timeline.said(obj.registration.sent_at, obj.registration.event.zone)

    # What is decided

    def tools(self, request: HttpRequest, obj: Delegate) -> list[tuple[str, str]]:
        decide = [
            (_("Approve"), "approve"),
            (_("Decline with a reason"), "decline"),
            (_("Ask a question"), "ask"),
            (_("Put on the waiting list"), "wait_list"),
        ]
        delegation = reverse("admin:registrations_registration_change", args=[obj.registration_id])
        if obj.state == WAIT_LISTED:
            possible = decide[1:2]
        elif obj.state in DECIDED:
            possible = [(_("Take the decision back"), "reopen")]
        else:
            possible = decide if obj.awaits_decision else []
        return [
            *self.links(request, obj, possible),
            *undoing.links(self, request, obj),
            *self.correction_link(request, obj),
            (_("The delegation"), delegation),
        ]

    def correction_link(self, request: HttpRequest, obj: Delegate) -> list[tuple[str, str]]:
        waiting = obj.corrections.waiting().first()
        if waiting is None or not self.may(request, obj, Right.DECIDE):
            return []
        url = reverse("admin:registrations_correction_change", args=[waiting.pk])
        return [(_("Answer the correction"), url)]

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
        """Of these, those about whom this organiser may decide."""
        return (
            self.rows(request, Right.DECIDE)
            .filter(pk__in=ids)
            .select_related(
                "representative",
                "registration__organisation",
                "registration__event",
                "replaces__registration",
            )
        )

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """People are chosen by their ids, one by one or in one field, which holds more of them
        than a form may have fields; whatever else is posted chooses nobody."""
        try:
            ids = [str(pk) for pk in deciding.named(request)]
        except ValueError:
            return deciding.turn_away(request, back=request.get_full_path())
        posted = request.POST.copy()
        posted.setlist(ACTION_CHECKBOX_NAME, ids)
        request.POST = posted
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

    @admin.action(description=gettext_lazy("Take the decision back…"))
    def reopen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.decide(request, deciding.REOPEN, queryset)

    @admin.action(description=gettext_lazy("Assign…"))
    def assign(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.handle(request, handling.ASSIGN, queryset)

    @admin.action(description=gettext_lazy("Tag…"))
    def tag(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.handle(request, handling.TAG, queryset)

    def decide(
        self, request: HttpRequest, decision: deciding.Decision, listed: QuerySet
    ) -> HttpResponse:
        people = self.named(request, listed)
        return deciding.confirm(self, request, decision, people, back=request.get_full_path())

    def handle(
        self, request: HttpRequest, what: handling.Handling, listed: QuerySet
    ) -> HttpResponse:
        people = self.named(request, listed)
        return handling.choose(self, request, what, people, back=request.get_full_path())

    def named(self, request: HttpRequest, listed: QuerySet) -> QuerySet:
        """At first those whom the list holds; then those whom the page before has named,
        though a decision meanwhile may have taken them out of a filtered list."""
        if "confirm" in request.POST:
            return self.chosen(request, request.POST.getlist(ACTION_CHECKBOX_NAME))
        return self.chosen(request, listed.values("pk"))
