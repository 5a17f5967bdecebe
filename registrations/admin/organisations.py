"""The pages of organisations and of their people, with those that make two entries one."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

import clock
from audit.models import Entry
from events.admin.scope import has_right
from events.rights import Right
from registrations.admin import merging
from registrations.models import Merge, Registration
from stakeholders.admin.organisations import OrganisationAdmin as OwnPages
from stakeholders.admin.representatives import RepresentativeAdmin as OwnPersonPages
from stakeholders.models import Membership, Organisation, Representative


@admin.register(Organisation)
class OrganisationAdmin(OwnPages):
    change_list_template = "admin/stakeholders/organisation/change_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"may_merge": has_right(request, Right.RUN)} | (extra_context or {})
        return super().changelist_view(request, context)

    def tools(self, request: HttpRequest, obj: Organisation) -> list[tuple[str, str]]:
        own = [
            (_("It stands here twice"), "merge"),
            (_("People who stand in it twice"), "people_alike"),
        ]
        links = [*super().tools(request, obj), *self.links(request, obj, own)]
        if self.may(request, obj, Right.RUN):
            for merge in Merge.objects.filter(organisation=obj).undoable(clock.now()):
                words = _("Undo: “%(name)s” taken in") % {"name": merge.taken}
                links.append((words, merging.undo_url(merge)))
        return links

    def pages(self) -> list[tuple[str, Any]]:
        return [
            *super().pages(),
            ("merge", self.merge),
            ("people_alike", self.people_alike),
        ]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("alike/", self.admin_site.admin_view(self.alike), name=self.page_name("alike")),
            path(
                "merges/<uuid:pk>/undo/",
                self.admin_site.admin_view(self.undo_merge),
                name=self.page_name("undo_merge"),
            ),
        ]
        return own + super().get_urls()

    def alike(self, request: HttpRequest) -> HttpResponse:
        return merging.alike(self, request)

    def merge(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return merging.page(self, request, self.load(request, pk))

    def people_alike(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return merging.people_alike(self, request, self.load(request, pk))

    def undo_merge(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return merging.undo(self, request, pk)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """An entry that was taken into another one leads there."""
        stub = merging.stub_of(Organisation, object_id)
        if stub and self.get_queryset(request).filter(pk=stub.merged_into_id).exists():
            return redirect(self.change_url(stub.merged_into))
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)

    def entries_for(self, request: HttpRequest, obj: Organisation) -> QuerySet[Entry]:
        """With what became of the entries that it has taken in; of its delegations to events whose
        history this organiser may read; and, for who may see them, of its people."""
        entries = Organisation.everyone.filter(Q(pk=obj.pk) | Q(merged_into=obj))
        registrations = Registration.objects.open_to(request.user, Right.CONTACT).filter(
            organisation__in=entries, sent_at__isnull=False
        )
        told = _about(Organisation, entries) | _about(Registration, registrations)
        if self.may(request, obj, Right.RUN):
            told |= _about(Membership, Membership.objects.filter(organisation__in=entries))
        return Entry.objects.filter(told)


@admin.register(Representative)
class RepresentativeAdmin(OwnPersonPages):
    def tools(self, request: HttpRequest, obj: Representative) -> list[tuple[str, str]]:
        own = [(_("This person stands here twice"), "merge")]
        organisation = reverse("admin:stakeholders_organisation_change", args=[obj.organisation_id])
        return [*self.links(request, obj, own), (_("The organisation"), organisation)]

    def pages(self) -> list[tuple[str, Any]]:
        return [("merge", self.merge)]

    def merge(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return merging.person_page(self, request, self.load(request, pk))

    def entries(self, obj: Representative) -> QuerySet[Entry]:
        """With what became of the entries that it has taken in."""
        entries = Representative.everyone.filter(Q(pk=obj.pk) | Q(merged_into=obj))
        return Entry.objects.filter(_about(Representative, entries))


def _about(model: Any, rows: QuerySet) -> Q:
    ids = [str(pk) for pk in rows.values_list("pk", flat=True)]
    return Q(subject_type=model._meta.label_lower, subject_id__in=ids)
