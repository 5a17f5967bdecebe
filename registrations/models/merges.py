"""Two entries of one organisation, or of one person, that an organiser has made one."""

import uuid
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from events.rights import Right
from stakeholders.models import Organisation, Representative


class MergeQuerySet(models.QuerySet["Merge"]):
    def open_to(self, user: Any, right: Right) -> "MergeQuerySet":
        """Of the organisations where this organiser has this right."""
        return self.filter(organisation__in=Organisation.objects.open_to(user, right).values("pk"))

    def of(self, kind: str) -> "MergeQuerySet":
        return self.filter(kind=kind)

    def undoable(self, now: datetime) -> "MergeQuerySet":
        return self.filter(undone_at=None, at__gt=now - Merge.UNDONE_WITHIN)


class Merge(models.Model):
    """What became of the entry that was taken in: every row that has moved, as it was before and as
    it is since, so that all of it can move back."""

    class Kind(models.TextChoices):
        ORGANISATION = "organisation", _("Organisation")
        PERSON = "person", _("Person")

    UNDONE_WITHIN = timedelta(hours=24)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="merges",
        verbose_name=_("organisation"),
    )
    """The one that is kept; of a person, the one that they are entered for."""
    kept_id = models.UUIDField()
    taken_id = models.UUIDField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"))
    moved = models.JSONField(default=list, editable=False)
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kept_id=models.F("taken_id")), name="merged_into_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taken} → {self.kept}"

    @cached_property
    def kept(self) -> Organisation | Representative:
        return self._entries.get(pk=self.kept_id)

    @cached_property
    def taken(self) -> Organisation | Representative:
        return self._entries.get(pk=self.taken_id)

    @property
    def _entries(self) -> Any:
        of = Organisation if self.kind == Merge.Kind.ORGANISATION else Representative
        return of.everyone

    @property
    def undone_until(self) -> datetime:
        return self.at + self.UNDONE_WITHIN

    def can_be_undone(self, now: datetime) -> bool:
        return self.undone_at is None and now < self.undone_until
