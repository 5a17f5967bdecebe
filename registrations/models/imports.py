"""Lists of people that an organiser brings to an event."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from events.models import Event, Track
from events.rights import Right


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def open_to(self, user: Any, right: Right) -> "ImportRunQuerySet":
        """Of the events on which this organiser has this right."""
        return self.filter(event__in=Event.objects.open_to(user, right))


class ImportRun(models.Model):
    """A list of people: read, its columns named, looked at, brought in once, perhaps taken back.

    What was brought is kept until it can no longer be taken back, and the list no longer than that.
    """

    UNDONE_WITHIN = timedelta(hours=24)
    KEPT_FOR = timedelta(hours=24)
    """A list that nobody brings in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="import_runs", verbose_name=_("event")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("read"))
    file_name = models.CharField(_("file"), max_length=255)
    read_as = models.CharField(_("read as"), max_length=100)
    table = models.JSONField(_("table"), default=dict, editable=False)
    columns = models.JSONField(_("columns"), default=list, editable=False)
    track = models.ForeignKey(
        Track, on_delete=models.SET_NULL, null=True, editable=False, verbose_name=_("track")
    )
    groups = models.JSONField(_("organisations"), default=list, editable=False)
    decisions = models.JSONField(_("decisions"), default=dict, editable=False)
    rows = models.JSONField(_("rows"), default=list, editable=False)
    counts = models.JSONField(_("counts"), default=dict, editable=False)
    applied_at = models.DateTimeField(_("brought in"), null=True, editable=False)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    brought = models.JSONField(_("what came in"), default=dict, editable=False)
    undone_at = models.DateTimeField(_("taken back"), null=True, editable=False)
    stayed = models.JSONField(_("what stayed"), default=list, editable=False)
    forgotten_at = models.DateTimeField(_("list forgotten"), null=True, editable=False)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of people")
        verbose_name_plural = _("imports of people")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(undone_at=None) | models.Q(applied_at__isnull=False),
                name="undone_after_it_was_applied",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def undone_until(self) -> datetime | None:
        return self.applied_at and self.applied_at + self.UNDONE_WITHIN

    def can_be_undone(self, now: datetime) -> bool:
        until = self.undone_until
        return until is not None and now < until and self.undone_at is None
