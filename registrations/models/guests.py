"""Groups that are asked to come, and groups that ask to be let in late."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from events.models import Event
from registrations.models.delegations import Registration
from stakeholders.models import Organisation


class Exemption(models.Model):
    """A group that may register after the close, until a moment; or that has asked to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="exemptions", verbose_name=_("event")
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.CASCADE,
        related_name="exemptions",
        verbose_name=_("organisation"),
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), null=True)
    reason = models.TextField(_("reason"), max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True)
    answer = models.TextField(_("answer"), max_length=2000, blank=True)
    until = models.DateTimeField(_("let in until"), null=True)

    class Meta:
        verbose_name = _("exemption")
        verbose_name_plural = _("exemptions")
        constraints = [
            models.UniqueConstraint("event", "organisation", name="one_exemption_each"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(answered_at__isnull=False),
                name="let_in_by_an_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.event}"

    @property
    def waits(self) -> bool:
        return self.answered_at is None

    def is_open(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def unanswered(self) -> "InvitationQuerySet":
        """Neither declined, nor answered by a delegation that was sent: a focal point with this
        address has registered."""
        answered = Registration.objects.filter(
            event=models.OuterRef("event"),
            sent_at__isnull=False,
            organisation__memberships__state="active",
            organisation__memberships__user__email__iexact=models.OuterRef("email"),
        )
        return self.filter(~models.Exists(answered), declined_at=None)


class Invitation(models.Model):
    """A group that the organisers ask to register, by the address of a person in it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("event")
    )
    email = models.EmailField(_("email address"))
    name = models.CharField(_("group"), max_length=255, blank=True)
    language = models.CharField(_("language"), max_length=10)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    sent_at = models.DateTimeField(_("invited"))
    declined_at = models.DateTimeField(_("declined"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(Lower("email"), "event", name="invited_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.email}: {self.event}"
