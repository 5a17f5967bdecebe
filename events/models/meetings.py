import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from clock import walls
from clock.zones import check_zone
from events.models.processes import Process
from events.rights import Right, kinds_with
from events.texts import translated

if TYPE_CHECKING:
    from events.models.deadlines import Deadline


class EventQuerySet(models.QuerySet["Event"]):
    def public(self) -> "EventQuerySet":
        """What everybody may read: all but drafts."""
        return self.exclude(state=Event.State.DRAFT)

    def managed_by(self, user: Any) -> "EventQuerySet":
        """The events that this person runs; a superuser runs all."""
        return self.open_to(user, Right.RUN)

    def open_to(self, user: Any, right: Right) -> "EventQuerySet":
        """The events on which this person has a role with this right; a superuser has all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        roles = user.roles.filter(kind__in=kinds_with(right))
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

    class Admission(models.TextChoices):
        REVIEWED = "reviewed", _("Organisers decide about each person")
        FIRST_COME = "first_come", _("First come, first served")

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
    admission = models.CharField(
        _("admission"), max_length=10, choices=Admission, default=Admission.REVIEWED
    )
    seats = models.PositiveIntegerField(_("seats"), null=True, blank=True)
    cap = models.PositiveIntegerField(_("seats for one organisation"), null=True, blank=True)
    lists_participants = models.BooleanField(
        _("has a public list of participants"),
        default=False,
        help_text=_(
            "Everybody with a place is asked by a letter of their own whether their name may "
            "stand there. Who does not say yes is not named."
        ),
    )
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
    def is_first_come(self) -> bool:
        return self.admission == self.Admission.FIRST_COME

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
        return self._window("registration")

    @property
    def confirmation_deadline(self) -> "Deadline | None":
        """Until when those who have a seat say that they come, if they are asked to."""
        return self._window("confirmation")

    def _window(self, kind: str) -> "Deadline | None":
        return next((each for each in self.deadlines.all() if each.kind == kind), None)

    @property
    def begins_at(self) -> datetime:
        """Its first moment: the start of its first day where no hour is known."""
        return self.starts_at or walls.start_of(self.starts_on, self.zone)

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
    seats = models.PositiveIntegerField(_("seats"), null=True, blank=True)

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


class EventChangeQuerySet(models.QuerySet["EventChange"]):
    def unannounced(self) -> "EventChangeQuerySet":
        return self.filter(announced_at=None)


class EventChange(models.Model):
    """An event that was moved to other days, postponed or cancelled; the floors above read it and
    tell people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="changes")
    old_state = models.CharField(_("old state"), max_length=10, choices=Event.State)
    new_state = models.CharField(_("new state"), max_length=10, choices=Event.State)
    old_starts_on = models.DateField(_("old first day"))
    old_ends_on = models.DateField(_("old last day"))
    new_starts_on = models.DateField(_("new first day"))
    new_ends_on = models.DateField(_("new last day"))
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(_("changed"))
    announced_at = models.DateTimeField(_("announced"), null=True)

    objects = EventChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of an event")
        verbose_name_plural = _("changes of events")
        indexes = [
            models.Index(fields=["event"], condition=Q(announced_at=None), name="event_unannounced")
        ]

    def __str__(self) -> str:
        return f"{self.old_state} {self.old_starts_on} → {self.new_state} {self.new_starts_on}"


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
