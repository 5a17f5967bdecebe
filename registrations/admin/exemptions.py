"""Groups that come after the close: those that have asked, and who is let in until when."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.models import User
from audit.models import Entry
from clock import shown
from clock.fields import WallTimeForm
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin, ScopedFilter
from events.models import Event
from events.rights import Right
from registrations import exemptions, refusals
from registrations.models import Exemption, Registration
from stakeholders import matching
from stakeholders.models import Organisation

WAITS, LET_IN, REFUSED = "waits", "let_in", "refused"
STANDS = {
    WAITS: (gettext_lazy("Waits for an answer"), "warn"),
    LET_IN: (gettext_lazy("Let in"), "ok"),
    REFUSED: (gettext_lazy("Refused"), "bad"),
}
BESIDE: dict[type[Exception], str] = {
    refusals.UntilNotAhead: "day",
    refusals.ReasonMissing: "answer",
}


def answer_field(*, required: bool) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Answer"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2000,
        required=required,
        help_text=gettext_lazy("The group reads it, word for word, in its letter."),
        error_messages={"required": gettext_lazy("Write the reason. The group reads it.")},
    )


class LetInForm(WallTimeForm):
    answer = answer_field(required=False)


class RefuseForm(forms.Form):
    answer = answer_field(required=True)


class LetGroupInForm(LetInForm):
    """The group by what the organiser has of it: its name in full, or a reference."""

    group = forms.CharField(
        label=gettext_lazy("Group"),
        max_length=255,
        help_text=gettext_lazy(
            "Its name in full, its acronym, or the reference of its registration."
        ),
        error_messages={"required": gettext_lazy("Write which group.")},
    )
    field_order = ["group"]

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, zone=event.zone, **kwargs)
        self.event = event

    def clean_group(self) -> Organisation:
        typed = self.cleaned_data["group"]
        found = found_by(typed, self.event)
        if not found:
            raise ValidationError(
                _(
                    "No group here is called “%(typed)s”, and no registration has that reference. "
                    "Write the name as the group has entered it."
                ),
                params={"typed": typed},
            )
        if len(found) > 1:
            raise ValidationError(
                _("Several groups are called “%(typed)s”. Write the reference of the draft."),
                params={"typed": typed},
            )
        return found[0]


def found_by(typed: str, event: Event) -> list[Organisation]:
    """By the reference of this event's registration; by name or acronym as a whole. Those with a
    draft for this event come before others of that name."""
    by_reference = Registration.objects.filter(event=event, reference__iexact=typed)
    for registration in by_reference.select_related("organisation"):
        return [registration.organisation]
    named = Organisation.objects.filter(
        Q(matching_key=matching.key(typed)[:255]) | Q(acronym__iexact=typed)
    )
    with_draft = named.filter(registrations__in=Registration.objects.drafts().filter(event=event))
    return list(with_draft[:2]) or list(named[:2])


def lead(event: Event) -> str:
    return _(
        "The group can add people and register until that moment, as if the window were open for "
        "it alone. It gets a letter that says so. Times are those of %(city)s; the event ends on "
        "%(day)s."
    ) % {"city": shown.city(event.zone), "day": shown.day(event.ends_on)}


def page(of: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """Let a group in that has not asked, or not yet."""

    def act(typed: dict) -> str:
        return let_in(request, (event, typed["group"]), typed)

    return pages.ask(
        of,
        request,
        title=_("Let a group in to “%(event)s”") % {"event": event},
        lead=lead(event),
        form=LetGroupInForm(request.POST or None, event=event),
        submit_label=_("Let the group in"),
        back=of.change_url(event),
        refused_by=refusals.Refusal,
        beside=BESIDE,
        act=act,
    )


def let_in(request: HttpRequest, whom: exemptions.Whom, typed: dict) -> str:
    exemption = exemptions.grant(
        whom,
        until=typed["moment"],
        answer=typed["answer"],
        by=request.user,
        now=clock.now(),
    )
    return _("%(group)s is let in until %(moment)s.") % {
        "group": exemption.organisation,
        "moment": shown.closing_and_zone(typed["moment"], exemption.event.zone),
    }


class StandFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "stand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stand, str(words)) for stand, (words, _kind) in STANDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == WAITS:
            return queryset.filter(answered_at=None)
        if self.value() == LET_IN:
            return queryset.exclude(until=None)
        if self.value() == REFUSED:
            return queryset.filter(until=None).exclude(answered_at=None)
        return queryset


@admin.register(Exemption)
class ExemptionAdmin(ScopedAdmin):
    sees = Right.RUN
    list_display = ["organisation", "event", "stand", "until_said", "asked_short"]
    list_select_related = ["event", "organisation"]
    list_filter = [StandFilter, ("event", ScopedFilter)]
    search_fields = ["organisation__name", "event__name_en"]
    ordering = [F("answered_at").asc(nulls_first=True), F("asked_at").asc(nulls_last=True)]
    fields = [
        "group",
        "event",
        "stand",
        "asked_said",
        "asked_by_said",
        "reason",
        "until_said",
        "answered_said",
        "answered_by_said",
        "answer",
    ]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return everything.filter(event__in=Event.objects.open_to(user, right))

    def scope_of(self, obj: Exemption) -> UUID:
        return obj.event_id

    def zone_of(self, obj: Exemption) -> str:
        return obj.event.zone

    def entries(self, obj: Exemption) -> QuerySet[Entry]:
        """Where there is a draft, its history tells of the group's request too."""
        drafts = Registration.objects.filter(event=obj.event, organisation=obj.organisation)
        return Entry.objects.filter(
            Q(subject_type=Exemption._meta.label_lower, subject_id=str(obj.pk))
            | Q(
                subject_type=Registration._meta.label_lower,
                subject_id__in=[str(pk) for pk in drafts.values_list("pk", flat=True)],
            )
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Groups after the close")} | (extra_context or {})
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("state"))
    def stand(self, obj: Exemption) -> SafeString:
        words, kind = STANDS[WAITS if obj.waits else LET_IN if obj.until else REFUSED]
        return render_to_string("components/tag.html", {"text": words, "kind": kind})

    @admin.display(description=gettext_lazy("asked"), ordering="asked_at")
    def asked_said(self, obj: Exemption) -> str:
        return timeline.said(obj.asked_at, obj.event.zone)

    @admin.display(description=gettext_lazy("asked (time of the event)"), ordering="asked_at")
    def asked_short(self, obj: Exemption) -> str:
        if obj.asked_at is None:
            return timeline.NOTHING
        return shown.moment(obj.asked_at, obj.event.zone, weekday=False)

    @admin.display(description=gettext_lazy("organisation"))
    def group(self, obj: Exemption) -> str:
        """By its name only: as long as it has not registered, its page is not the organisers'."""
        return str(obj.organisation)

    @admin.display(description=gettext_lazy("asked by"))
    def asked_by_said(self, obj: Exemption) -> str:
        by = obj.asked_by
        return f"{by.name} <{by.email}>".strip() if by else timeline.NOTHING

    @admin.display(description=gettext_lazy("let in until"), ordering="until")
    def until_said(self, obj: Exemption) -> str:
        if obj.until is None:
            return timeline.NOTHING
        return shown.closing_and_zone(obj.until, obj.event.zone)

    @admin.display(description=gettext_lazy("answered"))
    def answered_said(self, obj: Exemption) -> str:
        return timeline.said(obj.answered_at, obj.event.zone)

    @admin.display(description=gettext_lazy("answered by"))
    def answered_by_said(self, obj: Exemption) -> str:
        return str(obj.answered_by or timeline.NOTHING)

    def tools(self, request: HttpRequest, obj: Exemption) -> list[tuple[str, str]]:
        again = _("Let in until another moment") if obj.until else _("Let in until…")
        links = [(again, self.page_url("let_in", obj))]
        if obj.waits:
            links.append((_("Refuse"), self.page_url("refuse", obj)))
        links.append((_("Its event"), reverse("admin:events_event_change", args=[obj.event_id])))
        return links

    def pages(self) -> list[tuple[str, Any]]:
        return [("let_in", self.let_in), ("refuse", self.refuse)]

    def let_in(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        exemption = self.load(request, pk)
        return pages.ask(
            self,
            request,
            title=_("Let %(group)s in to “%(event)s”")
            % {"group": exemption.organisation, "event": exemption.event},
            lead=lead(exemption.event),
            quoted=exemption.reason,
            form=LetInForm(request.POST or None, zone=exemption.event.zone),
            submit_label=_("Let the group in"),
            back=self.change_url(exemption),
            refused_by=refusals.Refusal,
            beside=BESIDE,
            act=lambda typed: let_in(request, exemption, typed),
        )

    def refuse(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        exemption = self.load(request, pk)

        def act(typed: dict) -> str:
            exemptions.refuse(exemption, answer=typed["answer"], by=request.user, now=clock.now())
            return _("%(group)s is not let in, and is told so.") % {"group": exemption.organisation}

        return pages.ask(
            self,
            request,
            title=_("Refuse %(group)s") % {"group": exemption.organisation},
            lead=_(
                "The draft stays, and nobody can register with it. The group gets a letter with "
                "your answer."
            ),
            quoted=exemption.reason,
            form=RefuseForm(request.POST or None),
            submit_label=_("Refuse"),
            is_danger=True,
            back=self.change_url(exemption),
            refused_by=refusals.Refusal,
            beside=BESIDE,
            act=act,
        )
