from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.models import User
from audit.models import Entry
from events.admin import pages, timeline
from events.admin.scope import ReadOnlyInline, ScopedAdmin
from events.rights import Right
from stakeholders import forms, membership, refusals
from stakeholders.models import Membership, Organisation


class CorrectionForm(forms.OrganisationForm):
    """The facts, as an organiser corrects them."""

    class Meta(forms.OrganisationForm.Meta):
        labels: dict = {}
        help_texts = {"name": gettext_lazy("In full. Any script is fine.")}


class MembershipInline(ReadOnlyInline):
    """Its people, each with a page of their own."""

    model = Membership
    fields = ["person", "address", "kind", "state", "since_said"]
    readonly_fields = ["person", "address", "since_said"]
    ordering = ["state", "kind", "user__email"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "organisation")

    @admin.display(description=gettext_lazy("person"))
    def person(self, obj: Membership) -> SafeString:
        url = reverse("admin:stakeholders_membership_change", args=[obj.pk])
        return format_html('<a href="{}"><bdi>{}</bdi></a>', url, obj.user)

    @admin.display(description=gettext_lazy("email address"))
    def address(self, obj: Membership) -> SafeString:
        return format_html('<bdi dir="ltr">{}</bdi>', obj.user.email)

    @admin.display(description=gettext_lazy("since"))
    def since_said(self, obj: Membership) -> str:
        return timeline.said(obj.since, "UTC")


class OrganisationAdmin(ScopedAdmin):
    """Entered by focal points; corrected by pages that call the verbs. Their people are seen by
    who runs an event that they have sent a delegation to."""

    list_display = ["name", "acronym", "country", "category", "consultative_status"]
    list_filter = ["category", "consultative_status"]
    search_fields = ["name", "acronym"]
    ordering = ["name"]
    fields = [
        "name",
        "acronym",
        "country",
        "category",
        "website",
        "consultative_status",
        "matching_key",
    ]
    inlines = [MembershipInline]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        return everything.filter(pk__in=Organisation.objects.open_to(user, right).values("pk"))

    def get_inlines(self, request: HttpRequest, obj: Organisation | None) -> list[Any]:
        return self.inlines if obj and self.may(request, obj, Right.RUN) else []

    def entries(self, obj: Organisation) -> QuerySet[Entry]:
        """With what became of its people."""
        people = [str(pk) for pk in obj.memberships.values_list("pk", flat=True)]
        return Entry.objects.filter(
            Q(subject_type=Organisation._meta.label_lower, subject_id=str(obj.pk))
            | Q(subject_type=Membership._meta.label_lower, subject_id__in=people)
        )

    def tools(self, request: HttpRequest, obj: Organisation) -> list[tuple[str, str]]:
        own = [(_("Correct the facts"), "correct"), (_("Name a focal point"), "appoint")]
        return self.links(request, obj, own)

    def pages(self) -> list[tuple[str, Any]]:
        return [("correct", self.correct), ("appoint", self.appoint)]

    def correct(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        organisation = self.load(request, pk)
        name = str(organisation)
        seen = {"seen": request.POST.get("seen") or organisation.mark}

        def act(typed: dict) -> str:
            try:
                membership.correct(organisation, by=request.user, now=clock.now(), **seen)
            except refusals.ChangedMeanwhile:
                seen["seen"] = Organisation.objects.get(pk=pk).mark
                raise
            return _("The facts about “%(organisation)s” are kept.") % {
                "organisation": organisation
            }

        return pages.ask(
            self,
            request,
            title=_("Correct the facts about “%(organisation)s”") % {"organisation": name},
            lead=_("The organisation’s people see what you write. Nobody is written to."),
            form=CorrectionForm(request.POST or None, instance=organisation),
            submit_label=_("Keep the facts"),
            hidden=seen.items(),
            back=self.change_url(organisation),
            refused_by=refusals.Refusal,
            beside={refusals.KnownHere: "name"},
            act=act,
        )

    def appoint(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        organisation = self.load(request, pk)

        def act(typed: dict) -> str:
            named = membership.appoint(
                organisation,
                email=typed["email"],
                by=request.user,
                now=clock.now(),
                reason=typed["reason"],
            )
            return _("“%(organisation)s” has a focal point: %(person)s.") % {
                "person": named.user.email,
                "organisation": organisation,
            }

        return pages.ask(
            self,
            request,
            title=_("Name a focal point of “%(organisation)s”") % {"organisation": organisation},
            lead=_(
                "For an organisation whose focal point cannot be reached any more, or that has "
                "none. Whoever signs in with this address sees and changes all of its "
                "delegations at once. Make sure whose address it is."
            ),
            letters=_(
                "A letter goes to this address, and says how to take over. The focal points of "
                "today are told of it."
            ),
            people=[f"{user} <{user.email}>" for user in organisation.focal_points],
            people_title=_("Its focal points today"),
            form=forms.AppointForm(request.POST or None),
            submit_label=_("Name as focal point"),
            back=self.change_url(organisation),
            refused_by=refusals.Refusal,
            beside={refusals.ShutOut: "email", refusals.NotForOneself: "email"},
            act=act,
        )
