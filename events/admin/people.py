"""People are on the ground floor, which keeps no history; so their list stands here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from events.admin.scope import ScopedAdmin


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """Accounts begin at the portal's own door; nobody has a password."""

    is_editable = True
    list_display = ["email", "name", "is_staff", "is_superuser", "is_active"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    fields = [
        "email",
        "name",
        "language",
        "zone",
        "is_active",
        "is_staff",
        "is_superuser",
        "date_joined",
    ]

    def managed(self, everything: QuerySet, user: User) -> QuerySet:
        return everything if user.is_superuser else everything.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody shuts the door on themselves."""
        own = ["is_active", "is_staff", "is_superuser"] if obj == request.user else []
        return ["email", "date_joined", *own]
