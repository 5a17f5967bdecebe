import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.models import Event, Segment
from events.rights import Right
from registrations.models.delegations import Registration
from stakeholders.models import Representative


class DelegateQuerySet(models.QuerySet["Delegate"]):
    def of(self, user: Any) -> "DelegateQuerySet":
        return self.filter(registration__in=Registration.objects.of(user))

    def open_to(self, user: Any, right: Right) -> "DelegateQuerySet":
        """Of the events on which this organiser has this right."""
        return self.filter(registration__event__in=Event.objects.open_to(user, right))

    def sent(self) -> "DelegateQuerySet":
        """The people whom an organiser sees: of delegations that were sent, and are not drafts
        again."""
        return self.filter(registration__sent_at__isnull=False).exclude(state=Delegate.State.DRAFT)

    def seated(self) -> "DelegateQuerySet":
        """Those who hold a seat: assistants and interpreters hold none."""
        return self.filter(state__in=SEATED).exclude(role__in=WITHOUT_SEAT)

    def waiting(self) -> "DelegateQuerySet":
        """The waiting list, in its order."""
        return self.filter(state=Delegate.State.WAIT_LISTED).order_by("waits_as")

    def heads(self, but: "Delegate | None" = None) -> "DelegateQuerySet":
        """Those who lead their delegation, but for this one."""
        leading = self.filter(role=Delegate.Role.HEAD).exclude(state__in=GONE)
        return leading.exclude(pk=but.pk) if but else leading

    def to_confirm(self) -> "DelegateQuerySet":
        """Those who were asked whether they come, and have not said so."""
        return self.filter(state=Delegate.State.APPROVED, asked_at__isnull=False)

    def with_own_address(self) -> "DelegateQuerySet":
        """Those who can be asked in person: nobody else of their delegation has this address."""
        others = Delegate.objects.filter(
            registration=OuterRef("registration"),
            representative__email__iexact=OuterRef("representative__email"),
        ).exclude(pk=OuterRef("pk"))
        present = others.exclude(state__in=[*GONE, Delegate.State.WITHDRAWN])
        return self.exclude(representative__email="").filter(~Exists(present))

    def listed(self) -> "DelegateQuerySet":
        """Those whom the public list of their event names: with a place, and by their own yes."""
        return self.seated().filter(
            listed_at__isnull=False,
            registration__withdrawn_at=None,
            registration__event__lists_participants=True,
            registration__event__state__in=[Event.State.PUBLISHED, Event.State.POSTPONED],
        )

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
        CONFIRMED = "confirmed", _("Confirmed")
        WAIT_LISTED = "wait_listed", _("On the waiting list")
        DECLINED = "declined", _("Declined")
        DECLINED_BY_DELEGATE = "declined_by_delegate", _("Does not come")
        LAPSED = "lapsed", _("Not confirmed in time")
        REPLACED = "replaced", _("Replaced")
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
    waits_as = models.PositiveBigIntegerField(_("place in the order"), null=True, editable=False)
    asked_at = models.DateTimeField(_("asked to confirm"), null=True, editable=False)
    listing_asked_at = models.DateTimeField(
        _("asked whether to be listed"), null=True, editable=False
    )
    listed_at = models.DateTimeField(_("agreed to be listed"), null=True, editable=False)
    replaces = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="replaced_by",
        verbose_name=_("replaces"),
    )

    objects = DelegateQuerySet.as_manager()

    class Meta:
        verbose_name = _("delegate")
        verbose_name_plural = _("delegates")
        constraints = [
            models.UniqueConstraint("registration", "representative", name="one_place_per_person"),
            models.UniqueConstraint(
                "registration",
                condition=Q(role="head")
                & ~Q(state__in=["declined", "declined_by_delegate", "lapsed", "replaced"])
                & ~Q(
                    replaces__isnull=False,
                    state__in=["submitted", "more_information", "wait_listed"],
                ),
                name="one_head_of_delegation",
            ),
            models.CheckConstraint(
                condition=Q(state="wait_listed", waits_as__isnull=False)
                | (~Q(state="wait_listed") & Q(waits_as=None)),
                name="waiting_has_a_place",
            ),
            models.CheckConstraint(
                condition=Q(listed_at=None) | Q(state__in=["approved", "confirmed"]),
                name="listed_with_a_place",
            ),
        ]
        indexes = [
            models.Index(fields=["state"]),
            models.Index(
                fields=["waits_as"], condition=Q(state="wait_listed"), name="waiting_list"
            ),
        ]

    def __str__(self) -> str:
        return self.representative.full_name

    def get_absolute_url(self) -> str:
        return reverse("registrations:person", args=[self.registration.reference, self.id])

    @property
    def awaits_decision(self) -> bool:
        return self.state in AWAITS_DECISION

    @property
    def can_withdraw(self) -> bool:
        return self.state in {*AWAITS_DECISION, *SEATED, Delegate.State.WAIT_LISTED}

    @property
    def needs_seat(self) -> bool:
        return self.role not in WITHOUT_SEAT

    @property
    def is_seated(self) -> bool:
        return self.state in SEATED and self.needs_seat

    @property
    def mark(self) -> str:
        """A short digest of what the group's form shows of this person: another mark means that
        somebody has changed it meanwhile."""
        person = self.representative
        shown = [person.given_names, person.family_name, person.email, self.role, self.access_needs]
        shown += sorted(str(part.segment_id) for part in self.segments.all())
        shown += sorted(f"{one.question_id}{one.text}{one.options}" for one in self.answers.all())
        return hashlib.sha256("\x00".join(shown).encode()).hexdigest()[:16]

    @property
    def role_without_rival(self) -> str:
        """Of a head and the head who stands in, the one who is taken back leads no more."""
        rivals = self.registration.delegates.heads(but=self)
        if self.role == Delegate.Role.HEAD and rivals.exists():
            return Delegate.Role.DELEGATE
        return self.role

    @property
    def must_confirm(self) -> bool:
        return self.state == Delegate.State.APPROVED and self.asked_at is not None


TAGS = {
    Delegate.State.MORE_INFORMATION: "warn",
    Delegate.State.APPROVED: "ok",
    Delegate.State.CONFIRMED: "ok",
    Delegate.State.WAIT_LISTED: "warn",
    Delegate.State.DECLINED: "bad",
    Delegate.State.LAPSED: "bad",
}
AWAITS_DECISION = {Delegate.State.SUBMITTED, Delegate.State.MORE_INFORMATION}
SEATED = {Delegate.State.APPROVED, Delegate.State.CONFIRMED}
DECIDED = {*SEATED, Delegate.State.DECLINED}
CORRECTABLE = {*SEATED, Delegate.State.WAIT_LISTED}
WITHOUT_SEAT = {Delegate.Role.INTERPRETER, Delegate.Role.ASSISTANT}
GONE = {
    Delegate.State.DECLINED,
    Delegate.State.DECLINED_BY_DELEGATE,
    Delegate.State.LAPSED,
    Delegate.State.REPLACED,
}


class SegmentDecision(models.Model):
    """A part of the event that a delegate asks for, where its seats are counted by themselves.

    It follows the delegate: asked for with the delegation, given with the seat at the event, or
    waiting where only this part is full.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        GIVEN = "given", _("Given")
        WAIT_LISTED = "wait_listed", _("On the waiting list")

    delegate = models.ForeignKey(Delegate, on_delete=models.CASCADE, related_name="segments")
    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("segment")
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.ASKED)
    waits_as = models.PositiveBigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("part of the event")
        verbose_name_plural = _("parts of the event")
        constraints = [
            models.UniqueConstraint("delegate", "segment", name="one_decision_per_segment"),
            models.CheckConstraint(
                condition=Q(state="wait_listed", waits_as__isnull=False)
                | (~Q(state="wait_listed") & Q(waits_as=None)),
                name="waiting_for_a_segment_has_a_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment}: {self.get_state_display()}"


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
