from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.models import User
from events import forms, refusals, roles
from events.admin import pages
from events.admin.scope import ScopedAdmin, ScopedFilter
from events.models import Event, Process, Role
from events.rights import Right


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Who organises what: given, changed and taken by those who run it, through the verbs."""

    sees = remembers = Right.RUN
    list_display = ["user", "email", "kind", "process", "event"]
    list_select_related = ["user", "process", "event"]
    list_filter = ["kind", ("process", ScopedFilter), ("event", ScopedFilter)]
    search_fields = ["user__email", "user__name"]
    ordering = ["user__email", "kind"]
    fields = ["person", "email", "kind", "means", "process", "event"]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        return everything.filter(
            Q(event__in=Event.objects.open_to(user, right))
            | Q(process__in=Process.objects.open_to(user, right))
        )

    def scope_of(self, obj: Role) -> UUID:
        return obj.on.id

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_right(request, None, self.changes)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Who organises")} | (extra_context or {})
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("person"))
    def person(self, obj: Role) -> str:
        return str(obj.user)

    @admin.display(description=gettext_lazy("email address"), ordering="user__email")
    def email(self, obj: Role) -> str:
        return obj.user.email

    @admin.display(description=gettext_lazy("what the role lets do"))
    def means(self, obj: Role) -> str:
        return obj.means

    # Giving, changing, taking

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def act(typed: dict) -> str:
            role = roles.give(**typed, by=request.user, now=clock.now())
            return _("%(person)s has the role. We have written to %(email)s.") % {
                "person": role.user,
                "email": role.user.email,
            }

        return pages.ask(
            self,
            request,
            title=_("Give a role"),
            lead=_(
                "One letter goes to this address: what the role lets do, on what, that you have "
                "given it, and that a second step is asked for when signing in."
            ),
            form=forms.RoleForm(
                request.POST or None, by=request.user, initial={"on": request.GET.get("on")}
            ),
            submit_label=_("Give the role"),
            back=reverse("admin:events_role_changelist"),
            beside={
                refusals.MayNotSignIn: "email",
                refusals.RoleExists: "email",
                refusals.NotYoursToGive: "on",
            },
            act=act,
        )

    def tools(self, request: HttpRequest, obj: Role) -> list[tuple[str, str]]:
        return self.links(
            request,
            obj,
            [(_("Give another role instead"), "change_kind"), (_("Take the role away"), "revoke")],
        )

    def pages(self) -> list[tuple[str, Any]]:
        return [("change_kind", self.change_kind), ("revoke", self.revoke)]

    def change_kind(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        role = self.load(request, pk)

        def act(typed: dict) -> str:
            roles.change(role, kind=typed["kind"], by=request.user, now=clock.now())
            return _("The role is changed: %(role)s.") % {"role": role}

        return pages.ask(
            self,
            request,
            title=_("Give %(person)s another role on “%(on)s”")
            % {"person": role.user, "on": role.on},
            lead=_("From then on the person may do what the new role says, and no more."),
            letters=self.told_of(role),
            form=forms.RoleKindForm(request.POST or None, initial={"kind": role.kind}),
            submit_label=_("Change the role"),
            back=self.change_url(role),
            beside={refusals.RoleExists: "kind"},
            act=act,
        )

    def revoke(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Whoever gives up their own role may find the list shut afterwards."""
        role = self.load(request, pk)
        is_own = role.user == request.user

        def act(typed: dict) -> str:
            roles.revoke(role, by=request.user, now=clock.now())
            return _("The role is taken away: %(role)s.") % {"role": role}

        return pages.ask(
            self,
            request,
            title=_("Take the role away: %(role)s") % {"role": role},
            lead=self.what_ends(request, role),
            letters=self.told_of(role),
            submit_label=_("Take the role away"),
            is_danger=True,
            back=self.change_url(role),
            after=reverse("accounts:me" if is_own else "admin:events_role_changelist"),
            act=act,
        )

    def told_of(self, role: Role) -> str:
        return _("One letter goes to %(email)s.") % {"email": role.user.email}

    def what_ends(self, request: HttpRequest, role: Role) -> str:
        told = [_("What it opens shuts at once, also where the person is signed in now.")]
        if Right.RUN in role.rights and not roles.others_who_run(role):
            told.append(
                _(
                    "Nobody else runs “%(on)s”: afterwards only those who run the whole portal can "
                    "give a role there."
                )
                % {"on": role.on}
            )
        if role.user == request.user:
            told.append(_("It is your own."))
        return " ".join(told)
