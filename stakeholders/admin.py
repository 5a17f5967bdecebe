from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.models import User
from events.admin import pages
from events.admin.scope import ReadOnlyInline, ScopedAdmin
from events.models import Event
from stakeholders import forms, membership, refusals
from stakeholders.models import Membership, Organisation, Representative


class CorrectionForm(forms.OrganisationForm):
    """The facts, as an organiser corrects them."""

    class Meta(forms.OrganisationForm.Meta):
        labels: dict = {}
        help_texts = {"name": gettext_lazy("In full. Any script is fine.")}


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ["user", "kind", "state"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "organisation")


def seen_by(user: User) -> QuerySet[Organisation]:
    """Those that have sent a delegation to an event that this person manages."""
    if user.is_superuser:
        return Organisation.objects.all()
    return Organisation.objects.filter(
        registrations__event__in=Event.objects.managed_by(user),
        registrations__sent_at__isnull=False,
    )


@admin.register(Organisation)
class OrganisationAdmin(ScopedAdmin):
    """Entered by focal points; corrected by a page that calls the verb."""

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

    def managed(self, everything: QuerySet, user: User) -> QuerySet:
        return everything.filter(pk__in=seen_by(user).values("pk"))

    def tools(self, request: HttpRequest, obj: Organisation) -> list[tuple[str, str]]:
        return [(_("Correct the facts"), self.page_url("correct", obj))]

    def pages(self) -> list[tuple[str, Any]]:
        return [("correct", self.correct)]

    def correct(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        organisation = self.load(request, pk)
        name = str(organisation)

        def act(typed: dict) -> str:
            membership.correct(organisation, by=request.user, now=clock.now())
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
            back=self.change_url(organisation),
            refused_by=refusals.Refusal,
            beside={refusals.KnownHere: "name"},
            act=act,
        )


@admin.register(Representative)
class RepresentativeAdmin(ScopedAdmin):
    list_display = ["full_name", "organisation", "email"]
    list_select_related = ["organisation"]
    list_filter = ["organisation__category"]
    search_fields = ["given_names", "family_name", "organisation__name"]
    ordering = ["family_name", "given_names"]
    fields = ["organisation", "given_names", "family_name", "email"]

    def managed(self, everything: QuerySet, user: User) -> QuerySet:
        if user.is_superuser:
            return everything
        return everything.filter(
            delegates__registration__event__in=Event.objects.managed_by(user),
            delegates__registration__sent_at__isnull=False,
        ).distinct()
