from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

import clock
from accounts.models import User
from events import forms, roles
from events.admin.scope import ManagedFilter, ScopedAdmin
from events.models import Role


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Who organises what: given and taken by superusers, through the verbs, never edited."""

    form = forms.RoleForm
    list_display = ["user", "kind", "process", "event"]
    list_select_related = ["user", "process", "event"]
    list_filter = [("process", ManagedFilter)]
    search_fields = ["user__email", "user__name"]
    ordering = ["user__email"]

    def managed(self, everything: QuerySet, user: User) -> QuerySet:
        return everything if user.is_superuser else everything.none()

    def scope_of(self, obj: Role) -> UUID | None:
        return obj.event_id or obj.process_id

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user", "kind", "event", "process"] if obj else ["email", "event", "process"]

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        role = roles.grant(form.user, on=obj.event or obj.process, by=request.user, now=clock.now())
        obj.pk, obj.user = role.pk, role.user

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        roles.revoke(obj, by=request.user, now=clock.now())

    def log_addition(self, request: HttpRequest, obj: Role, message: Any) -> None:
        """The verb has written it down."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The verb has written it down."""
