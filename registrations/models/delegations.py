import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.models import Event, Track
from events.rights import Right
from registrations.models.notes import Tag
from stakeholders.models import Membership, Organisation, Representative, RepresentativeQuerySet


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def of(self, user: Any) -> "RegistrationQuerySet":
        """The delegations that this person works on: a focal point on all of the organisation, a
        member on those where a focal point has put them."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        own = Membership.objects.active().filter(user=user)
        led = own.filter(kind=Membership.Kind.FOCAL_POINT).values("organisation")
        shared = Registration.colleagues.through.objects.filter(membership__in=own)
        return self.filter(Q(organisation__in=led) | Q(pk__in=shared.values("registration")))

    def open_to(self, user: Any, right: Right) -> "RegistrationQuerySet":
        """The delegations to events on which this organiser has this right."""
        return self.filter(event__in=Event.objects.open_to(user, right))

    def drafts(self) -> "RegistrationQuerySet":
        return self.filter(sent_at=None, withdrawn_at=None)

    def held(self, registration: "Registration", event: Event | None = None) -> "Registration":
        """Its row, read anew under a lock that lasts until the transaction ends; with the event,
        where a verb holds that already. Whoever waited while it went to another organisation
        finds it there by looking twice."""
        related = ["organisation"] if event else ["organisation", "event"]
        rows = self.select_for_update(of=["self"]).select_related(*related)
        held = rows.filter(pk=registration.pk).first() or rows.get(pk=registration.pk)
        if event:
            held.event = event
        return held

    def all_held(self, ids: Iterable[uuid.UUID], event: Event) -> "dict[uuid.UUID, Registration]":
        """The same of several delegations to an event that a verb holds already, by their ids."""
        rows = self.select_for_update(of=["self"]).select_related("organisation")
        held: dict[uuid.UUID, Registration] = {
            one.pk: one for one in rows.filter(pk__in=list(ids)).order_by("pk")
        }
        for one in held.values():
            one.event = event
        return held


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
    track = models.ForeignKey(
        Track, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("track")
    )
    colleagues = models.ManyToManyField(
        Membership,
        blank=True,
        related_name="registrations",
        verbose_name=_("members who work on it"),
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned",
        verbose_name=_("looked after by"),
    )
    """An organiser. The group does not know of it, nor of the tags."""
    tags = models.ManyToManyField(
        Tag, blank=True, related_name="registrations", verbose_name=_("tags")
    )
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

    def known_to(self, user: Any) -> RepresentativeQuerySet:
        """The people of the organisation who are in any delegation that this person works on."""
        theirs = Registration.objects.of(user).filter(organisation=self.organisation_id)
        return Representative.objects.filter(pk__in=theirs.values("delegates__representative"))

    def choosable_by(self, user: Any) -> RepresentativeQuerySet:
        """Of them, those who are not in this delegation yet."""
        return self.known_to(user).exclude(pk__in=self.delegates.values("representative"))

    def typed(self, task: str, by: Any) -> dict[str, Any]:
        """What this person typed there that is not valid yet; colleagues keep their own words."""
        return self.unfinished.get(f"{task}:{by.pk}", {})

    def is_unfinished(self, task: str) -> bool:
        """Somebody of the group has typed something there that is not valid yet."""
        return any(key.startswith(f"{task}:") for key in self.unfinished)
