import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clock import shown, walls
from clock.zones import check_zone
from events.models.meetings import Event


class DeadlineQuerySet(models.QuerySet["Deadline"]):
    def open_at(self, now: datetime) -> "DeadlineQuerySet":
        return self.filter(Q(opens_at=None) | Q(opens_at__lte=now), closes_at__gt=now)

    def of_shown_events(self) -> "DeadlineQuerySet":
        """Of events that are published, and neither postponed nor cancelled."""
        return self.filter(event__state=Event.State.PUBLISHED)


class Deadline(models.Model):
    """A window of an event: open from `opens_at`, shut at `closes_at`."""

    class Kind(models.TextChoices):
        ACCREDITATION = "accreditation", _("Accreditation")
        REGISTRATION = "registration", _("Registration")
        CONFIRMATION = "confirmation", _("Confirmation")
        SPEAKING = "speaking", _("Speaking requests")
        WRITTEN_INPUT = "written_input", _("Written input")
        SIDE_EVENT = "side_event", _("Side events")
        TRAVEL_SUPPORT = "travel_support", _("Travel support")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="deadlines", verbose_name=_("event")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"))
    set_at = models.DateTimeField(_("set or moved"))
    zone = models.CharField(_("time zone"), max_length=64, validators=[check_zone])
    is_hour_stated = models.BooleanField(_("the source names the hour"), default=True)
    is_zone_stated = models.BooleanField(_("the source names the zone"), default=True)

    objects = DeadlineQuerySet.as_manager()

    class Meta:
        verbose_name = _("deadline")
        verbose_name_plural = _("deadlines")
        constraints = [
            models.UniqueConstraint("event", "kind", name="one_deadline_per_kind"),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(opens_at__lt=F("closes_at")),
                name="deadline_closes_after_it_opens",
            ),
        ]
        indexes = [models.Index(fields=["closes_at"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.said}"

    @property
    def said(self) -> str:
        """“Wednesday 7 February 2018, 23:59, New York time (UTC−5)”"""
        return shown.closing_and_zone(self.closes_at, self.zone)

    @property
    def zone_said(self) -> str:
        return shown.zone_name(self.zone, walls.last_minute(self.closes_at, self.zone))

    def is_open(self, now: datetime) -> bool:
        return (self.opens_at is None or self.opens_at <= now) and now < self.closes_at

    def is_not_yet_open(self, now: datetime) -> bool:
        return self.opens_at is not None and now < self.opens_at

    @property
    def last_change(self) -> "DeadlineChange | None":
        """The newest move. Reads what a prefetch of `changes` brought."""
        changes = sorted(self.changes.all(), key=lambda change: change.at)
        return changes[-1] if changes else None


class DeadlineChangeQuerySet(models.QuerySet["DeadlineChange"]):
    def unannounced(self) -> "DeadlineChangeQuerySet":
        return self.filter(announced_at=None)


class DeadlineChange(models.Model):
    """A move of a deadline; the floors above read it and tell people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deadline = models.ForeignKey(Deadline, on_delete=models.CASCADE, related_name="changes")
    old_closes_at = models.DateTimeField(_("old moment"))
    new_closes_at = models.DateTimeField(_("new moment"))
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(_("moved"))
    announced_at = models.DateTimeField(_("announced"), null=True)

    objects = DeadlineChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a deadline")
        verbose_name_plural = _("changes of deadlines")
        indexes = [
            models.Index(
                fields=["deadline"], condition=Q(announced_at=None), name="deadline_unannounced"
            )
        ]

    def __str__(self) -> str:
        return f"{self.old_closes_at:%Y-%m-%d %H:%M} → {self.new_closes_at:%Y-%m-%d %H:%M} UTC"


class ReminderStep(models.Model):
    """How long before a deadline a reminder goes out, in wall-clock days or hours."""

    class Unit(models.TextChoices):
        DAYS = "d", _("days")
        HOURS = "h", _("hours")

    class Audience(models.TextChoices):
        EVERYBODY = "everybody", _("Everybody concerned")
        TO_CONFIRM = "to_confirm", _("People who have not confirmed yet")
        DRAFTS = "drafts", _("Groups with an unsent draft")
        INVITED = "invited", _("Invited groups without an answer")
        FOLLOWERS = "followers", _("Followers")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deadline = models.ForeignKey(Deadline, on_delete=models.CASCADE, related_name="steps")
    amount = models.PositiveSmallIntegerField(_("how many"))
    unit = models.CharField(_("unit"), max_length=1, choices=Unit)
    audience = models.CharField(
        _("to whom"), max_length=12, choices=Audience, default=Audience.EVERYBODY
    )
    added_at = models.DateTimeField(_("added"))
    skipped_for = models.DateTimeField(_("skipped for the close at"), null=True, editable=False)
    """Once the deadline is moved, the step counts again."""

    class Meta:
        verbose_name = _("reminder step")
        verbose_name_plural = _("reminder steps")
        constraints = [
            models.UniqueConstraint(
                "deadline", "audience", "amount", "unit", name="one_step_per_distance"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="step_lies_before"),
        ]

    def __str__(self) -> str:
        if self.unit == self.Unit.DAYS:
            said = ngettext("%(n)s day", "%(n)s days", self.amount)
        else:
            said = ngettext("%(n)s hour", "%(n)s hours", self.amount)
        return said % {"n": self.amount}

    @property
    def code(self) -> str:
        """“7d”, “48h”: how letters' keys name it."""
        return f"{self.amount}{self.unit}"

    def is_skipped(self, deadline: Deadline) -> bool:
        return self.skipped_for == deadline.closes_at

    def due_at(self, deadline: Deadline) -> datetime:
        """The moment of this step for `deadline` as it stands, on the clocks of its zone."""
        if self.unit == self.Unit.DAYS:
            return walls.earlier(deadline.closes_at, deadline.zone, days=self.amount)
        return walls.earlier(deadline.closes_at, deadline.zone, hours=self.amount)
