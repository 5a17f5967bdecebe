"""Ways of looking at the attendee list that organisers have given a name."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from events.models import Event
from events.rights import Right

LONGEST_NAME = 80
LONGEST_QUERY = 4000


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def open_to(self, user: Any) -> "SavedViewQuerySet":
        """One's own, and those shared on an event whose people this organiser may look at."""
        events = Event.objects.open_to(user, Right.LOOK)
        return self.filter(Q(owner=user) | Q(shared_on__in=events.values("pk")))

    def in_order(self) -> "SavedViewQuerySet":
        return self.order_by(Lower("name"), "made_at", "id")


class SavedView(models.Model):
    """Filters, a search, an order and columns. It shows each reader what they may see, no more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        verbose_name=_("whose"),
    )
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    query = models.CharField(_("what it shows"), max_length=LONGEST_QUERY)
    """As in the address of the list; columns by their names."""
    shared_on = models.ForeignKey(
        Event,
        on_delete=models.CASCADE,
        null=True,
        related_name="shared_views",
        verbose_name=_("shared on"),
    )
    """All who may look at the people of this event find it in their list."""
    made_at = models.DateTimeField(_("made"))

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="one_view_of_a_name_each"),
        ]

    def __str__(self) -> str:
        return self.name
