"""The history of the events whose letters and history an organiser may read."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit.models import Entry
from events.admin import timeline
from events.admin.scope import ScopedAdmin
from events.models import Event, Process
from events.rights import Right


@admin.register(Entry)
class EntryAdmin(ScopedAdmin):
    sees = Right.CONTACT
    list_display = ["when", "who", "what", "thing", "told", "reason"]
    list_display_links = None
    list_select_related = ["actor"]
    search_fields = ["actor__email", "reason"]
    ordering = ["-id"]
    fields = ["when", "who", "what", "thing", "told", "reason"]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        event = Event.objects.filter(id=OuterRef("scope"))
        everything = everything.annotate(
            zone=Coalesce(Subquery(event.values("zone")[:1]), Value("UTC"))
        )
        if user.is_superuser:
            return everything
        return everything.filter(
            Q(scope__in=Event.objects.open_to(user, right).values("id"))
            | Q(scope__in=Process.objects.open_to(user, right).values("id"))
        )

    def line(self, entry: Any) -> timeline.Line:
        """Told once for all columns of the list."""
        if not hasattr(entry, "line"):
            entry.line = timeline.line(entry, entry.zone)
        return entry.line

    @admin.display(description=gettext_lazy("when"), ordering="id")
    def when(self, entry: Entry) -> str:
        return self.line(entry).when

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry: Entry) -> str:
        return self.line(entry).who

    @admin.display(description=gettext_lazy("what"))
    def what(self, entry: Entry) -> str:
        return self.line(entry).what

    @admin.display(description=gettext_lazy("thing"))
    def thing(self, entry: Entry) -> str:
        return self.line(entry).thing

    @admin.display(description=gettext_lazy("before → after"))
    def told(self, entry: Entry) -> str:
        changes = self.line(entry).changes
        return format_html_join(
            mark_safe("<br>"),
            "{}: <bdi>{}</bdi> → <bdi>{}</bdi>",
            ((change.label, change.before, change.after) for change in changes),
        )
