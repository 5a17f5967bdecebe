import uuid
from collections.abc import Collection
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from events.models.meetings import Event
from events.models.processes import Process
from events.rights import KINDS, MEANS, Right


class Role(models.Model):
    """What an organiser may do, on one event or on a whole process."""

    class Kind(models.TextChoices):
        MANAGER = "manager", _("Manager")
        REVIEWER = "reviewer", _("Reviewer")
        READER = "reader", _("Reader")
        DOOR = "door", _("Door")

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
        return f"{self.user}: {self.get_kind_display()}, {self.on}"

    @property
    def on(self) -> Event | Process:
        on = self.event or self.process
        assert on is not None
        return on

    @property
    def rights(self) -> frozenset[Right]:
        return KINDS[self.kind]

    @property
    def means(self) -> str:
        """What it lets its organiser do, in a sentence."""
        return str(MEANS[self.kind])


class Wish(models.TextChoices):
    """What a follower may want to hear."""

    REMINDERS = "reminders", _("Reminders: it closes soon")
    CHANGES = "changes", _("Changes: a date moves, or it is postponed or cancelled")
    NEWS = "news", _("News: registration opens")


class FollowerQuerySet(models.QuerySet["Follower"]):
    def confirmed(self) -> "FollowerQuerySet":
        return self.exclude(confirmed_at=None)

    def wanting(self, *wishes: Wish) -> "FollowerQuerySet":
        """Those who have one of these wishes at least."""
        return self.confirmed().filter(reduce(or_, (Q((f"wants_{one}", True)) for one in wishes)))

    def of(self, event: Event) -> "FollowerQuerySet":
        """Of the event itself, or of its process."""
        return self.filter(Q(event=event) | Q(process=event.process_id))


class Follower(models.Model):
    """An address that wants to hear of an event or of a whole process, once it has said so by the
    link that was sent to it. Whoever stops is forgotten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"))
    language = models.CharField(_("language"), max_length=10)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, null=True, blank=True, related_name="followers"
    )
    process = models.ForeignKey(
        Process, on_delete=models.CASCADE, null=True, blank=True, related_name="followers"
    )
    asked_at = models.DateTimeField(_("asked"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    wants_reminders = models.BooleanField(_("wants to hear that it closes soon"), default=True)
    wants_changes = models.BooleanField(_("wants to hear of changes"), default=True)
    wants_news = models.BooleanField(_("wants to hear that it opens"), default=True)

    objects = FollowerQuerySet.as_manager()

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        constraints = [
            models.CheckConstraint(
                condition=Q(event=None) ^ Q(process=None), name="follows_an_event_or_a_process"
            ),
            models.UniqueConstraint(
                Lower("email"), "event", "process", name="follows_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.on}"

    @property
    def on(self) -> Event | Process:
        on = self.event or self.process
        assert on is not None
        return on

    @property
    def wishes(self) -> set[Wish]:
        return {wish for wish in Wish if getattr(self, f"wants_{wish}")}

    @wishes.setter
    def wishes(self, wanted: Collection[Wish]) -> None:
        for wish in Wish:
            setattr(self, f"wants_{wish}", wish in wanted)
