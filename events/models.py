import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_countries.fields import CountryField

from clock import shown, walls
from clock.zones import check_zone
from events.texts import translated


class StakeholderGroup(models.TextChoices):
    """The stable codes for statistics. Each process shows its own names for them (Category)."""

    CIVIL_SOCIETY = "civil_society", _("Civil society")
    MIGRANT_LED = "migrant_led", _("Migrant organisation")
    DIASPORA = "diaspora", _("Diaspora organisation")
    TRADE_UNION = "trade_union", _("Trade union")
    FAITH_BASED = "faith_based", _("Faith-based organisation")
    YOUTH = "youth", _("Youth organisation")
    ACADEMIA = "academia", _("Academic institution")
    PRIVATE_SECTOR = "private_sector", _("Private sector")
    PARLIAMENT = "parliament", _("Parliament")
    LOCAL_AUTHORITY = "local_authority", _("Local authority")
    NHRI = "nhri", _("National human rights institution")
    RED_CROSS = "red_cross", _("Red Cross and Red Crescent")
    MEDIA = "media", _("Media")
    OTHER = "other", _("Other")


class Process(models.Model):
    """An intergovernmental process, such as the Global Compact for Migration 2016–2018."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(_("address"), unique=True)
    prefix = models.CharField(
        _("prefix of references"),
        max_length=6,
        default="GCM",
        validators=[
            RegexValidator(
                r"^[A-Z0-9]{2,6}$", _("Write 2 to 6 capital Latin letters or digits, like GCM.")
            )
        ],
    )
    name = translated(models.CharField(_("name"), max_length=200, blank=True), blank=False)
    summary = translated(models.TextField(_("summary"), blank=True))
    source = models.TextField(_("source"), blank=True)

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pages:process", args=[self.slug])


class Category(models.Model):
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="categories")
    code = models.CharField(_("statistical group"), max_length=20, choices=StakeholderGroup)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = translated(models.CharField(_("name"), max_length=120, blank=True), blank=False)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints = [
            models.UniqueConstraint(fields=["process", "code"], name="one_category_per_group"),
        ]

    def __str__(self) -> str:
        return self.name


class EventQuerySet(models.QuerySet["Event"]):
    def public(self) -> "EventQuerySet":
        """What everybody may read: all but drafts."""
        return self.exclude(state=Event.State.DRAFT)

    def managed_by(self, user: Any) -> "EventQuerySet":
        """The events on which this person has an organiser's role; a superuser has all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        roles = Role.objects.filter(user=user, kind=Role.Kind.MANAGER)
        return self.filter(
            Q(id__in=roles.exclude(event=None).values("event"))
            | Q(process__in=roles.exclude(process=None).values("process"))
        )

    def in_order(self) -> "EventQuerySet":
        return self.order_by("starts_on", "ends_on", "slug")


class Event(models.Model):
    class Kind(models.TextChoices):
        HEARING = "hearing", _("Hearing")
        CONSULTATION = "consultation", _("Consultation")
        THEMATIC_SESSION = "thematic_session", _("Thematic session")
        WORKSHOP = "workshop", _("Workshop")
        DIALOGUE = "dialogue", _("Dialogue")
        COORDINATION_MEETING = "coordination_meeting", _("Coordination meeting")
        STOCKTAKING = "stocktaking", _("Stocktaking meeting")
        NEGOTIATION_ROUND = "negotiation_round", _("Negotiation round")
        REGIONAL_REVIEW = "regional_review", _("Regional review")
        CONFERENCE = "conference", _("Conference")
        FORUM = "forum", _("Forum")
        CIVIL_SOCIETY_MEETING = "civil_society_meeting", _("Civil society meeting")
        WINDOW = "window", _("Application window")

    class Mode(models.TextChoices):
        IN_PERSON = "in_person", _("In person")
        ONLINE = "online", _("Online")
        HYBRID = "hybrid", _("In person and online")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        POSTPONED = "postponed", _("Postponed")
        CANCELLED = "cancelled", _("Cancelled")

    class Evidence(models.TextChoices):
        VERIFIED = "V", _("Read in the source")
        PARTLY = "P", _("Partly verified: the sources are cut off or disagree")
        UNVERIFIED = "U", _("Not verified")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    process = models.ForeignKey(
        Process, on_delete=models.PROTECT, related_name="events", verbose_name=_("process")
    )
    slug = models.SlugField(_("address"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=24, choices=Kind)
    name = translated(models.CharField(_("name"), max_length=200, blank=True), blank=False)
    summary = translated(models.TextField(_("summary"), blank=True))
    eligibility = translated(models.TextField(_("who can register"), blank=True))
    organiser = translated(models.CharField(_("organised by"), max_length=200, blank=True))
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    starts_at = models.DateTimeField(_("begins"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    zone = models.CharField(_("time zone"), max_length=64, validators=[check_zone])
    venue = translated(models.CharField(_("venue"), max_length=200, blank=True))
    room = translated(models.CharField(_("room"), max_length=120, blank=True))
    city = translated(models.CharField(_("city"), max_length=80, blank=True))
    country = CountryField(verbose_name=_("country"), blank=True)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.IN_PERSON)
    interpretation = ArrayField(
        models.CharField(max_length=10, choices=settings.CONTENT_LANGUAGES),
        verbose_name=_("interpretation languages"),
        default=list,
        blank=True,
    )
    contact_email = models.EmailField(_("contact that a person reads"), blank=True)
    webcast_url = models.URLField(_("webcast"), blank=True)
    recording_url = models.URLField(_("recording"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    previous_starts_on = models.DateField(_("first day before it was moved"), null=True, blank=True)
    previous_ends_on = models.DateField(_("last day before it was moved"), null=True, blank=True)
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note of the editors"), blank=True)
    evidence = models.CharField(_("evidence"), max_length=1, choices=Evidence, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")), name="event_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(published_at__isnull=False),
                name="event_shown_since_a_moment",
            ),
        ]
        indexes = [models.Index(fields=["process", "starts_on"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pages:event", args=[self.slug])

    @property
    def calendar_url(self) -> str:
        return reverse("pages:event_ics", args=[self.slug])

    @property
    def is_published(self) -> bool:
        return self.state == self.State.PUBLISHED

    @property
    def contact(self) -> str:
        return self.contact_email or settings.CONTACT_EMAIL

    @property
    def interpretation_names(self) -> list[str]:
        names = dict(settings.CONTENT_LANGUAGES)
        return [str(names[code]) for code in self.interpretation]

    @property
    def registration_deadline(self) -> "Deadline | None":
        """The window of registration, if it has one. Reads what a prefetch has brought."""
        windows = (each for each in self.deadlines.all() if each.kind == Deadline.Kind.REGISTRATION)
        return next(windows, None)

    def is_over(self, now: datetime) -> bool:
        return now >= walls.closing(self.ends_on, None, self.zone)


class Segment(models.Model):
    """A day, panel or session of an event."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="segments")
    name = translated(models.CharField(_("name"), max_length=200, blank=True), blank=False)
    date = models.DateField(_("day"))
    starts_at = models.DateTimeField(_("begins"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "date", "name_en"], name="one_segment_per_day_and_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


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

    class Meta:
        verbose_name = _("change of a deadline")
        verbose_name_plural = _("changes of deadlines")

    def __str__(self) -> str:
        return f"{self.old_closes_at:%Y-%m-%d %H:%M} → {self.new_closes_at:%Y-%m-%d %H:%M} UTC"


class ReminderStep(models.Model):
    """How long before a deadline a reminder goes out, in wall-clock days or hours."""

    class Unit(models.TextChoices):
        DAYS = "d", _("days")
        HOURS = "h", _("hours")

    class Audience(models.TextChoices):
        DRAFTS = "drafts", _("Groups with an unsent draft")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deadline = models.ForeignKey(Deadline, on_delete=models.CASCADE, related_name="steps")
    amount = models.PositiveSmallIntegerField(_("how many"))
    unit = models.CharField(_("unit"), max_length=1, choices=Unit)
    audience = models.CharField(
        _("to whom"), max_length=12, choices=Audience, default=Audience.DRAFTS
    )
    added_at = models.DateTimeField(_("added"))

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

    def due_at(self, deadline: Deadline) -> datetime:
        """The moment of this step for `deadline` as it stands, on the clocks of its zone."""
        if self.unit == self.Unit.DAYS:
            return walls.earlier(deadline.closes_at, deadline.zone, days=self.amount)
        return walls.earlier(deadline.closes_at, deadline.zone, hours=self.amount)


class Document(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="documents")
    title = translated(models.CharField(_("title"), max_length=200, blank=True), blank=False)
    url = models.URLField(_("address"), max_length=500)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.CONTENT_LANGUAGES, blank=True
    )

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            models.UniqueConstraint(fields=["event", "url"], name="one_document_per_address")
        ]

    def __str__(self) -> str:
        return self.title


class Role(models.Model):
    """What an organiser may do, on one event or on a whole process."""

    class Kind(models.TextChoices):
        MANAGER = "manager", _("Manager")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="roles",
        verbose_name=_("person"),
    )
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("event")
    )
    process = models.ForeignKey(
        Process, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("process")
    )
    kind = models.CharField(_("role"), max_length=10, choices=Kind, default=Kind.MANAGER)

    class Meta:
        verbose_name = _("organiser's role")
        verbose_name_plural = _("organisers' roles")
        constraints = [
            models.CheckConstraint(
                condition=Q(event=None) ^ Q(process=None),
                name="role_on_an_event_or_a_process",
            ),
            models.UniqueConstraint(
                "user", "event", "process", "kind", name="one_role_each", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_kind_display()}, {self.event or self.process}"
