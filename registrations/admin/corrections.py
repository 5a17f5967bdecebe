"""What groups ask to put right about people who were decided about, and the organisers' answers."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.models import User
from audit.models import Entry
from clock import shown
from events.admin import pages, timeline
from events.admin.scope import ReadOnlyInline, ScopedAdmin, ScopedFilter
from events.rights import Right
from registrations import corrections, refusals
from registrations.models import Correction

WAITS, ACCEPTED, DECLINED = "waits", "accepted", "declined"
STANDS = {
    WAITS: (gettext_lazy("Waits for an answer"), "warn", Q(answered_at=None)),
    ACCEPTED: (gettext_lazy("Accepted"), "ok", Q(is_accepted=True)),
    DECLINED: (gettext_lazy("Declined"), "bad", Q(is_accepted=False)),
}


class AcceptForm(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("Answer"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
        help_text=gettext_lazy("The group reads it, word for word, in its letter."),
    )


class DeclineForm(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2000,
        help_text=gettext_lazy("The group reads it, word for word, in its letter."),
        error_messages={"required": gettext_lazy("Write the reason. The group reads it.")},
    )


def stand_of(correction: Correction) -> SafeString:
    stand = WAITS if correction.waits else ACCEPTED if correction.is_accepted else DECLINED
    words, kind, _which = STANDS[stand]
    return render_to_string("components/tag.html", {"text": words, "kind": kind})


def changes_of(correction: Correction) -> list[str]:
    """“Family name: Traore becomes Traoré”"""
    nothing = _("nothing")
    lines = [
        _("%(fact)s: %(old)s becomes %(new)s")
        % {"fact": fact, "old": old or nothing, "new": new or nothing}
        for fact, old, new in correction.changes
    ]
    return [*lines, correction.other] if correction.other else lines


class StandFilter(admin.SimpleListFilter):
    """With how many there are of each, of those that this organiser may see."""

    title = gettext_lazy("state")
    parameter_name = "stand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = model_admin.get_queryset(request).aggregate(
            **{stand: Count("pk", filter=which) for stand, (_w, _k, which) in STANDS.items()}
        )
        return [(stand, f"{words} ({counted[stand]})") for stand, (words, _k, _q) in STANDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(STANDS[self.value()][2]) if self.value() in STANDS else queryset


class Shown:
    """How a correction is shown, in its list, on its page and on the page of its person."""

    @admin.display(description=gettext_lazy("what should change"))
    def changes_said(self, obj: Correction) -> SafeString:
        return format_html_join(
            "", "<div><bdi>{}</bdi></div>", ((line,) for line in changes_of(obj))
        )

    @admin.display(description=gettext_lazy("state"))
    def stand(self, obj: Correction) -> SafeString:
        return stand_of(obj)

    @admin.display(description=gettext_lazy("asked"), ordering="asked_at")
    def asked_said(self, obj: Correction) -> str:
        return timeline.said(obj.asked_at, obj.delegate.registration.event.zone)

    @admin.display(description=gettext_lazy("asked by"))
    def asked_by_said(self, obj: Correction) -> str:
        return f"{obj.asked_by.name} <{obj.asked_by.email}>".strip()

    @admin.display(description=gettext_lazy("answered"))
    def answered_said(self, obj: Correction) -> str:
        return timeline.said(obj.answered_at, obj.delegate.registration.event.zone)

    @admin.display(description=gettext_lazy("answered by"))
    def answered_by_said(self, obj: Correction) -> str:
        return str(obj.answered_by or timeline.NOTHING)


class CorrectionInline(Shown, ReadOnlyInline):
    """On the page of a person."""

    model = Correction
    fields = ["changes_said", "reason", "asked_said", "stand", "answer"]
    readonly_fields = ["changes_said", "asked_said", "stand"]
    ordering = ["asked_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("delegate__registration__event")


@admin.register(Correction)
class CorrectionAdmin(Shown, ScopedAdmin):
    sees = changes = Right.DECIDE
    list_display = ["person", "group", "event", "changes_said", "stand", "asked_short"]
    list_filter = [StandFilter, ("delegate__registration__event", ScopedFilter)]
    search_fields = [
        "delegate__representative__given_names",
        "delegate__representative__family_name",
        "delegate__registration__organisation__name",
        "delegate__registration__reference",
    ]
    ordering = [F("answered_at").asc(nulls_first=True), "asked_at"]
    fields = [
        "person_linked",
        "group",
        "event",
        "stand",
        "changes_said",
        "reason",
        "asked_said",
        "asked_by_said",
        "answered_said",
        "answered_by_said",
        "answer",
    ]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return everything.open_to(user, right).select_related(
            "delegate__representative",
            "delegate__registration__organisation",
            "delegate__registration__event",
            "asked_by",
            "answered_by",
        )

    def scope_of(self, obj: Correction) -> UUID:
        return obj.delegate.registration.event_id

    def zone_of(self, obj: Correction) -> str:
        return obj.delegate.registration.event.zone

    def entries(self, obj: Correction) -> QuerySet[Entry]:
        """The history of the person."""
        return Entry.objects.about(obj.delegate)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Corrections that groups ask for")} | (extra_context or {})
        return super().changelist_view(request, context)

    @admin.display(
        description=gettext_lazy("person"), ordering="delegate__representative__search_text"
    )
    def person(self, obj: Correction) -> str:
        return str(obj.delegate)

    @admin.display(description=gettext_lazy("person"))
    def person_linked(self, obj: Correction) -> SafeString:
        url = reverse("admin:registrations_delegate_change", args=[obj.delegate_id])
        return format_html('<a href="{}">{}</a>', url, obj.delegate)

    @admin.display(description=gettext_lazy("organisation"))
    def group(self, obj: Correction) -> str:
        registration = obj.delegate.registration
        return f"{registration.organisation} ({registration.reference})"

    @admin.display(description=gettext_lazy("event"))
    def event(self, obj: Correction) -> str:
        return str(obj.delegate.registration.event)

    @admin.display(description=gettext_lazy("asked (time of the event)"), ordering="asked_at")
    def asked_short(self, obj: Correction) -> str:
        return shown.moment(obj.asked_at, obj.delegate.registration.event.zone, weekday=False)

    def tools(self, request: HttpRequest, obj: Correction) -> list[tuple[str, str]]:
        if not obj.waits:
            return []
        return self.links(request, obj, [(_("Accept"), "accept"), (_("Decline"), "decline")])

    def pages(self) -> list[tuple[str, Any]]:
        return [("accept", self.accept), ("decline", self.decline)]

    def accept(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        correction = self.load(request, pk)

        def act(typed: dict) -> str:
            corrections.accept(correction, answer=typed["answer"], by=request.user, now=clock.now())
            return _("%(name)s is corrected, and the group is told so.") % {
                "name": correction.delegate
            }

        return self.answer_page(
            request,
            correction,
            title=_("Accept the correction about %(name)s") % {"name": correction.delegate},
            lead=_(
                "The facts below are changed as the group wishes. What stands under “something "
                "else” is yours to do. The group gets a letter."
            ),
            form=AcceptForm(request.POST or None),
            submit_label=_("Accept"),
            act=act,
        )

    def decline(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        correction = self.load(request, pk)

        def act(typed: dict) -> str:
            corrections.decline(
                correction, answer=typed["answer"], by=request.user, now=clock.now()
            )
            return _("Nothing is changed about %(name)s, and the group is told why.") % {
                "name": correction.delegate
            }

        return self.answer_page(
            request,
            correction,
            title=_("Decline the correction about %(name)s") % {"name": correction.delegate},
            lead=_("Nothing is changed. The group gets a letter with your reason."),
            form=DeclineForm(request.POST or None),
            submit_label=_("Decline"),
            is_danger=True,
            act=act,
        )

    def answer_page(
        self, request: HttpRequest, correction: Correction, **context: Any
    ) -> HttpResponse:
        return pages.ask(
            self,
            request,
            people=changes_of(correction),
            people_title=_("What should change"),
            quoted=correction.reason,
            back=self.change_url(correction),
            refused_by=refusals.Refusal,
            beside={refusals.ReasonMissing: "answer"},
            **context,
        )
