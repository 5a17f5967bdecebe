from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from events import forms
from events.admin.scope import ScopedAdmin, ScopedInline, managed_processes
from events.models import Category, Process


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

    def managed(self, everything: QuerySet, user: User) -> QuerySet:
        return everything.filter(pk__in=managed_processes(user).values("pk"))

    def scope_of(self, obj: Process) -> UUID:
        return obj.id

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Addresses and references stay what they are."""
        return ["slug", "prefix"] if obj else []
