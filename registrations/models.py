import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.models import Event
from stakeholders.models import Organisation, Representative


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def of(self, user: Any) -> "RegistrationQuerySet":
        """The delegations that this person works on."""
        return self.filter(organisation__in=Organisation.objects.spoken_for_by(user))

    def managed_by(self, user: Any) -> "RegistrationQuerySet":
        """The delegations to events that this organiser runs."""
        return self.filter(event__in=Event.objects.managed_by(user))

    def drafts(self) -> "RegistrationQuerySet":
        return self.filter(sent_at=None, withdrawn_at=None)

    def held(self, registration: "Registration") -> "Registration":
        """Its row, read anew under a lock that lasts until the transaction ends."""
        return (
            self.select_for_update(of=["self"])
            .select_related("event", "organisation")
            .get(pk=registration.pk)
        )


class Registration(models.Model):
    """The delegation that one organisation sends to one event."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="registrations", verbose_name=_("event")
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="registrations",
        verbose_name=_("organisation"),
    )
    reference = models.CharField(_("reference"), max_length=16, unique=True)
    begun_at = models.DateTimeField(_("begun"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    unfinished = models.JSONField(
        _("typed, not yet valid"), default=dict, blank=True, editable=False
    )

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            models.UniqueConstraint("event", "organisation", name="one_delegation_per_event"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(sent_at__gte=F("begun_at")),
                name="sent_after_it_was_begun",
            ),
        ]
        indexes = [
            GinIndex(OpClass(Upper("reference"), name="gin_trgm_ops"), name="registration_search"),
            models.Index(
                fields=["event", "begun_at"],
                condition=Q(sent_at=None, withdrawn_at=None),
                name="unsent_drafts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.organisation}"

    def get_absolute_url(self) -> str:
        return reverse("registrations:registration", args=[self.reference])

    @property
    def is_draft(self) -> bool:
        return self.sent_at is None and self.withdrawn_at is None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


class DelegateQuerySet(models.QuerySet["Delegate"]):
    def of(self, user: Any) -> "DelegateQuerySet":
        return self.filter(registration__in=Registration.objects.of(user))

    def managed_by(self, user: Any) -> "DelegateQuerySet":
        return self.filter(registration__event__in=Event.objects.managed_by(user))

    def sent(self) -> "DelegateQuerySet":
        """The people whom an organiser sees: of delegations that were sent, and are not drafts
        again."""
        return self.filter(registration__sent_at__isnull=False).exclude(state=Delegate.State.DRAFT)

    def in_order(self) -> "DelegateQuerySet":
        """Head of delegation first, then as they were entered."""
        return self.order_by(
            models.Case(models.When(role=Delegate.Role.HEAD, then=0), default=1), "position", "id"
        )


class Delegate(models.Model):
    """One person of a delegation."""

    class Role(models.TextChoices):
        HEAD = "head", _("Head of delegation")
        DELEGATE = "delegate", _("Delegate")
        SPEAKER = "speaker", _("Asks to speak")
        INTERPRETER = "interpreter", _("Interpreter")
        ASSISTANT = "assistant", _("Personal assistant")

    class State(models.TextChoices):
        DRAFT = "draft", _("Not sent")
        SUBMITTED = "submitted", _("Being checked")
        MORE_INFORMATION = "more_information", _("Question to you")
        APPROVED = "approved", _("Approved")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.ForeignKey(
        Registration,
        on_delete=models.CASCADE,
        related_name="delegates",
        verbose_name=_("registration"),
    )
    representative = models.ForeignKey(
        Representative,
        on_delete=models.PROTECT,
        related_name="delegates",
        verbose_name=_("person"),
    )
    position = models.PositiveIntegerField(default=0, editable=False)
    role = models.CharField(_("role"), max_length=12, choices=Role, default=Role.DELEGATE)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.DRAFT)
    access_needs = models.TextField(_("access needs"), max_length=2000, blank=True)

    objects = DelegateQuerySet.as_manager()

    class Meta:
        verbose_name = _("delegate")
        verbose_name_plural = _("delegates")
        constraints = [
            models.UniqueConstraint("registration", "representative", name="one_place_per_person"),
            models.UniqueConstraint(
                "registration",
                condition=Q(role="head") & ~Q(state="declined"),
                name="one_head_of_delegation",
            ),
        ]
        indexes = [models.Index(fields=["state"])]

    def __str__(self) -> str:
        return self.representative.full_name

    def get_absolute_url(self) -> str:
        return reverse("registrations:person", args=[self.registration.reference, self.id])

    @property
    def awaits_decision(self) -> bool:
        return self.state in AWAITS_DECISION

    @property
    def can_withdraw(self) -> bool:
        return self.state in {*AWAITS_DECISION, Delegate.State.APPROVED}


TAGS = {
    Delegate.State.MORE_INFORMATION: "warn",
    Delegate.State.APPROVED: "ok",
    Delegate.State.DECLINED: "bad",
}
AWAITS_DECISION = {Delegate.State.SUBMITTED, Delegate.State.MORE_INFORMATION}


class Exchange(models.Model):
    """A question of the organisers about one delegate, and its answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delegate = models.ForeignKey(Delegate, on_delete=models.CASCADE, related_name="exchanges")
    question = models.TextField(_("question"), max_length=2000)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"))
    answer = models.TextField(_("answer"), max_length=4000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True)

    class Meta:
        verbose_name = _("question and answer")
        verbose_name_plural = _("questions and answers")
        constraints = [
            models.UniqueConstraint(
                "delegate", condition=Q(answered_at=None), name="one_open_question_each"
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="")
                | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="answered_with_an_answer",
            ),
        ]

    def __str__(self) -> str:
        return self.question[:80]
