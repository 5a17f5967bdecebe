"""What an organiser has decided in one press, while it can still be undone."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from events.models import Event
from events.rights import Right
from registrations.models.delegates import Delegate


class BatchQuerySet(models.QuerySet["Batch"]):
    def open_to(self, user: Any, right: Right) -> "BatchQuerySet":
        """Of the events on which this organiser has this right."""
        return self.filter(event__in=Event.objects.open_to(user, right))

    def held(self, now: datetime) -> "BatchQuerySet":
        """Those that can still be undone."""
        return self.filter(undone_at=None, leaves_at__gt=now)


class Batch(models.Model):
    """Decisions of one press about people of one event. Their letters leave together, at
    `leaves_at`; until then all of it can be undone."""

    HELD_FOR = timedelta(minutes=5)

    class Word(models.TextChoices):
        APPROVE = "approve", _("approved")
        DECLINE = "decline", _("declined")
        ASK = "ask", _("question asked")
        WAIT_LIST = "wait_list", _("put on the waiting list")
        REOPEN = "reopen", _("decision taken back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="batches", verbose_name=_("event")
    )
    word = models.CharField(_("decision"), max_length=10, choices=Word)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("decided"))
    leaves_at = models.DateTimeField(_("letters leave"))
    letters = ArrayField(models.UUIDField(), default=list)
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch of decisions")
        verbose_name_plural = _("batches of decisions")
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="batch_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        """“12 people are approved.”"""
        n = self.people.filter(is_chosen=True).count()
        sentences = {
            self.Word.APPROVE: ngettext(
                "%(n)s person is approved.", "%(n)s people are approved.", n
            ),
            self.Word.DECLINE: ngettext(
                "%(n)s person is declined.", "%(n)s people are declined.", n
            ),
            self.Word.ASK: ngettext(
                "A question about %(n)s person is asked.",
                "A question about %(n)s people is asked.",
                n,
            ),
            self.Word.WAIT_LIST: ngettext(
                "%(n)s person is put on the waiting list.",
                "%(n)s people are put on the waiting list.",
                n,
            ),
            self.Word.REOPEN: ngettext(
                "%(n)s person waits for a decision again.",
                "%(n)s people wait for a decision again.",
                n,
            ),
        }
        return sentences[self.Word(self.word)] % {"n": n}

    def is_held(self, now: datetime) -> bool:
        return self.undone_at is None and now < self.leaves_at


class BatchedPersonQuerySet(models.QuerySet["BatchedPerson"]):
    def in_order(self) -> "BatchedPersonQuerySet":
        """Delegation by delegation."""
        known = self.select_related(
            "delegate__representative", "delegate__registration__organisation"
        )
        return known.order_by("delegate__registration__reference", "delegate__position")


class BatchedPerson(models.Model):
    """How somebody stood before a batch, and after it: one of those decided about, or whoever has
    got a seat or lost one by that."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="people")
    delegate = models.ForeignKey(
        Delegate, on_delete=models.CASCADE, related_name="batched", verbose_name=_("person")
    )
    is_chosen = models.BooleanField()
    was = models.JSONField()
    became = models.JSONField()
    went_back = models.BooleanField(default=False)

    objects = BatchedPersonQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("batch", "delegate", name="once_in_a_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.delegate_id}: {self.was['own']['state']} → {self.became['own']['state']}"
