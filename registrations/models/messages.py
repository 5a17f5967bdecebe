"""Letters that organisers write themselves, to people of the attendee list."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from translated_fields import to_attribute

from events import texts
from events.models import Event
from events.rights import Right
from notifications.models import Letter, LetterQuerySet
from registrations.models.saved import LONGEST_QUERY

LONGEST_SUBJECT = 150
LONGEST_TEXT = 10_000


class MessageQuerySet(models.QuerySet["Message"]):
    def open_to(self, user: Any, right: Right) -> "MessageQuerySet":
        """Of the events on which this organiser has this right."""
        return self.filter(event__in=Event.objects.open_to(user, right))


class Message(models.Model):
    """One letter to many: written, sent after a while in which it can be stopped.

    To whom it goes is asked when it leaves. How many have left, and what failed, is counted.
    """

    class To(models.TextChoices):
        POINTS = "points", _("The focal points of their groups")
        PEOPLE = "people", _("The people themselves, where they have an address")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        WAITING = "waiting", _("Leaves later")
        SENDING = "sending", _("Going out")
        SENT = "sent", _("Sent")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="messages", verbose_name=_("event")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    query = models.CharField(_("to whom"), max_length=LONGEST_QUERY, blank=True)
    """Filters and a search, as in the address of the attendee list."""
    to = models.CharField(_("who reads it"), max_length=6, choices=To, default=To.POINTS)
    subject = texts.translated(
        models.CharField(_("subject"), max_length=LONGEST_SUBJECT, blank=True)
    )
    text = texts.translated(models.TextField(_("text"), blank=True))
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.DRAFT)
    made_at = models.DateTimeField(_("begun"))
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("sent by"),
    )
    leaves_at = models.DateTimeField(_("leaves"), null=True)
    reached = models.UUIDField(null=True, editable=False)
    """The last delegation whose letters are written; they are written in the order of their ids."""
    written_at = models.DateTimeField(_("all letters written"), null=True, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(
                condition=Q(leaves_at=None, sent_by=None, state="draft")
                | (~Q(state="draft") & Q(leaves_at__isnull=False, sent_by__isnull=False)),
                name="message_leaves_once_it_is_sent",
            ),
        ]
        indexes = [
            models.Index(
                fields=["leaves_at"],
                condition=Q(state__in=["waiting", "sending"]),
                name="messages_to_write",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or str(_("without a subject"))

    @property
    def letters(self) -> LetterQuerySet:
        """Those to its readers, each of which tells how far it has come."""
        return Letter.objects.about(self.pk)

    @property
    def languages(self) -> list[str]:
        """Those in which it is written: subject and text."""
        return [code for code in texts.CODES if all(self.written_in(code))]

    def written_in(self, code: str) -> tuple[str, str]:
        subject: str = getattr(self, to_attribute("subject", code))
        text: str = getattr(self, to_attribute("text", code))
        return subject, text

    def language_for(self, code: str) -> str:
        """Whoever reads a language that is missing reads English."""
        return code if code in self.languages else texts.SOURCE

    @property
    def wording(self) -> list[str]:
        """All that its readers may read."""
        return [words for code in texts.CODES for words in self.written_in(code)]
