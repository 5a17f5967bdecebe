from django.db.models import QuerySet

from accounts.models import User
from events.admin.scope import ScopedAdmin
from events.models import Event
from events.rights import Right


class RepresentativeAdmin(ScopedAdmin):
    sees = Right.RUN
    list_display = ["full_name", "organisation", "email"]
    list_select_related = ["organisation"]
    list_filter = ["organisation__category"]
    search_fields = ["given_names", "family_name", "organisation__name"]
    ordering = ["family_name", "given_names"]
    fields = ["organisation", "given_names", "family_name", "email"]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        if user.is_superuser:
            return everything
        return everything.filter(
            delegates__registration__event__in=Event.objects.open_to(user, right),
            delegates__registration__sent_at__isnull=False,
        ).distinct()
