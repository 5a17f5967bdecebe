"""What organisers say to each other about a delegation, and its group never reads."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from events.models import Event

LONGEST_WORD = 30
LONGEST_NOTE = 2000


class TagQuerySet(models.QuerySet["Tag"]):
    def in_order(self) -> "TagQuerySet":
        return self.order_by(Lower("word"), "word")


class Tag(models.Model):
    """A short word on delegations to one event."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="tags")
    word = models.CharField(_("tag"), max_length=LONGEST_WORD)

    objects = TagQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint("event", Lower("word"), name="one_tag_of_a_word")]

    def __str__(self) -> str:
        return self.word


class Note(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.ForeignKey(
        "registrations.Registration", on_delete=models.CASCADE, related_name="notes"
    )
    text = models.TextField(_("note"), max_length=LONGEST_NOTE)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("written by"),
    )
    at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self) -> str:
        return self.text
