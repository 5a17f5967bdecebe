"""How many may come, and of whom."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events.models.meetings import Event
from events.models.processes import StakeholderGroup
from events.regions import Region
from events.texts import translated


class Track(models.Model):
    """A way in that groups choose from, such as “in consultative status” or “applies anew”."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="tracks")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = translated(models.CharField(_("name"), max_length=120, blank=True), blank=False)

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        constraints = [
            models.UniqueConstraint(fields=["event", "name_en"], name="one_track_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class Quota(models.Model):
    """At most so many seats for one category, one region or one track of an event.

    A person may be counted by several quotas; each of them must have a seat left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="quotas")
    category = models.CharField(
        _("stakeholder group"), max_length=20, choices=StakeholderGroup, blank=True
    )
    region = models.CharField(_("region"), max_length=3, choices=Region, blank=True)
    track = models.ForeignKey(
        Track, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("track")
    )
    seats = models.PositiveIntegerField(_("seats"))

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        constraints = [
            models.CheckConstraint(
                condition=(~Q(category="") & Q(region="") & Q(track=None))
                | (Q(category="") & ~Q(region="") & Q(track=None))
                | (Q(category="") & Q(region="") & Q(track__isnull=False)),
                name="quota_of_one_sort",
            ),
            models.UniqueConstraint(
                fields=["event", "category", "region", "track"],
                name="one_quota_each",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_category_display() or self.get_region_display() or self.track)
