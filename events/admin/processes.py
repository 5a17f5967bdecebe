from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from events import forms
from events.admin.scope import ScopedAdmin, ScopedInline
from events.models import Category, Process
from events.rights import Right


class CategoryInline(ScopedInline, admin.StackedInline):
    model = Category
    formset = forms.RowFormSet
    ordering = ["position", "code"]


@admin.register(Process)
class ProcessAdmin(ScopedAdmin):
    is_editable = True
    list_display = ["name", "slug", "prefix"]
    search_fields = ["name_en", "slug"]
    ordering = ["slug"]
    inlines = [CategoryInline]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return everything.open_to(user, right)

    def scope_of(self, obj: Process) -> UUID:
        return obj.id

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Addresses and references stay what they are."""
        return ["slug", "prefix"] if obj else []
