"""What a group says is wrong about one of its people, once that person was decided about."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events.models import Event
from events.rights import Right
from registrations.models.delegates import Delegate


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def waiting(self) -> "CorrectionQuerySet":
        """Those without an answer."""
        return self.filter(answered_at=None)

    def open_to(self, user: Any, right: Right) -> "CorrectionQuerySet":
        """Of the events on which this organiser has this right."""
        return self.filter(delegate__registration__event__in=Event.objects.open_to(user, right))


class Correction(models.Model):
    """A request of a group, and its answer. `was` and `wished` hold the facts that shall change,
    and no others; `other` is what no fact holds."""

    FACTS = ("given_names", "family_name", "email", "role")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delegate = models.ForeignKey(
        Delegate, on_delete=models.CASCADE, related_name="corrections", verbose_name=_("person")
    )
    was = models.JSONField(_("is now"), default=dict)
    wished = models.JSONField(_("should be"), default=dict)
    other = models.TextField(_("something else"), max_length=2000, blank=True)
    reason = models.TextField(_("reason"), max_length=2000)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"))
    is_accepted = models.BooleanField(_("accepted"), null=True)
    answer = models.TextField(_("answer"), max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        constraints = [
            models.UniqueConstraint(
                "delegate", condition=Q(answered_at=None), name="one_open_correction_each"
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, is_accepted=None)
                | Q(answered_at__isnull=False, is_accepted__isnull=False),
                name="corrected_by_an_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delegate}"

    @property
    def waits(self) -> bool:
        return self.answered_at is None

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Each fact in words, as it was, and as it should be."""
        names = {
            "given_names": _("Given names"),
            "family_name": _("Family name"),
            "email": _("Email address"),
            "role": _("Role at the event"),
        }
        return [
            (str(names[fact]), _said(fact, self.was.get(fact)), _said(fact, self.wished[fact]))
            for fact in self.FACTS
            if fact in self.wished
        ]


def _said(fact: str, value: Any) -> str:
    if fact == "role":
        return str(dict(Delegate.Role.choices).get(value, value))
    return str(value or "")
