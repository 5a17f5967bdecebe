import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from events.models import StakeholderGroup
from stakeholders import matching


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def spoken_for_by(self, user: Any) -> "OrganisationQuerySet":
        """Those that this person is a focal point or member of, today."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(
            id__in=Membership.objects.active().filter(user=user).values("organisation")
        )


class Organisation(models.Model):
    class Status(models.TextChoices):
        NONE = "none", _("No consultative status")
        GENERAL = "general", _("General consultative status with ECOSOC")
        SPECIAL = "special", _("Special consultative status with ECOSOC")
        ROSTER = "roster", _("On the ECOSOC Roster")

    FACTS = ("name", "acronym", "country", "category", "website", "consultative_status")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=255)
    acronym = models.CharField(_("acronym"), max_length=40, blank=True)
    country = CountryField(verbose_name=_("country"), blank=True)
    category = models.CharField(
        _("stakeholder group"), max_length=20, choices=StakeholderGroup, blank=True
    )
    website = models.URLField(_("website"), blank=True)
    consultative_status = models.CharField(
        _("status with ECOSOC"), max_length=10, choices=Status, blank=True
    )
    other_names = ArrayField(
        models.CharField(max_length=255), verbose_name=_("other names"), default=list, blank=True
    )
    matching_key = models.CharField(max_length=255, editable=False, db_index=True)
    search_text = models.TextField(editable=False, default="")

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="organisation_has_a_name"),
        ]
        indexes = [
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="organisation_search"),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="organisation_likeness"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.matching_key = matching.key(self.name)[:255]
        self.search_text = matching.search_text(self.name, *self.other_names, acronym=self.acronym)
        super().save(*args, **kwargs)

    @property
    def mark(self) -> str:
        """A short digest of what its form shows: another mark means that somebody has changed it
        meanwhile."""
        shown = [str(getattr(self, field)) for field in Organisation.FACTS]
        return hashlib.sha256("\x00".join(shown).encode()).hexdigest()[:16]

    @property
    def focal_points(self) -> list[Any]:
        """The people whom letters about this organisation go to."""
        memberships = self.memberships.of_focal_points()
        return [
            membership.user
            for membership in memberships.select_related("user").order_by("user__email")
        ]


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> "MembershipQuerySet":
        """Of those who speak for their organisation, or work for it, today."""
        return self.filter(state=Membership.State.ACTIVE, user__is_active=True)

    def of_focal_points(self) -> "MembershipQuerySet":
        """Of those whom letters about their organisation go to, today."""
        return self.active().filter(kind=Membership.Kind.FOCAL_POINT)


class Membership(models.Model):
    class Kind(models.TextChoices):
        FOCAL_POINT = "focal_point", _("Focal point")
        MEMBER = "member", _("Member")

    class State(models.TextChoices):
        ASKED = "asked", _("Has asked to join")
        INVITED = "invited", _("Invited")
        ACTIVE = "active", _("Active")
        LEFT = "left", _("Left")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships"
    )
    kind = models.CharField(_("role"), max_length=12, choices=Kind, default=Kind.FOCAL_POINT)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    since = models.DateTimeField(_("since"), null=True)
    note = models.TextField(_("note"), max_length=1000, blank=True)
    organisers_told_at = models.DateTimeField(_("organisers were told"), null=True, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint("user", "organisation", name="one_membership_each"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.organisation}"


class RepresentativeQuerySet(models.QuerySet["Representative"]):
    def known_as(
        self, organisation: Organisation, *, given_names: str, family_name: str, email: str
    ) -> "Representative":
        """The person as the organisation knows them, or entered anew."""
        representative, _is_new = self.get_or_create(
            organisation=organisation,
            given_names=given_names,
            family_name=family_name,
            email=email,
        )
        return representative


class Representative(models.Model):
    """A person whom the organisation sends; kept between events."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="representatives"
    )
    given_names = models.CharField(_("given names"), max_length=120)
    family_name = models.CharField(_("family name"), max_length=120, blank=True)
    email = models.EmailField(_("email address"), max_length=254, blank=True)

    objects = RepresentativeQuerySet.as_manager()

    class Meta:
        verbose_name = _("representative")
        verbose_name_plural = _("representatives")
        constraints = [
            models.CheckConstraint(condition=~Q(given_names=""), name="person_has_a_name"),
            models.UniqueConstraint(
                fields=["organisation", "given_names", "family_name", "email"],
                name="one_entry_per_person",
            ),
        ]
        indexes = [
            models.Index(Lower("family_name"), Lower("given_names"), name="by_name"),
            GinIndex(
                OpClass(Upper("given_names"), name="gin_trgm_ops"),
                OpClass(Upper("family_name"), name="gin_trgm_ops"),
                name="representative_search",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.given_names} {self.family_name}".strip()


class ImportRun(models.Model):
    """A list of organisations that an organiser brings: read, compared, decided, applied once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("read"))
    file_name = models.CharField(_("file"), max_length=255)
    rows = models.JSONField(_("rows"), default=list, editable=False)
    decisions = models.JSONField(_("decisions"), default=dict, editable=False)
    counts = models.JSONField(_("counts"), default=dict, editable=False)
    applied_at = models.DateTimeField(_("applied"), null=True)

    class Meta:
        verbose_name = _("import of organisations")
        verbose_name_plural = _("imports of organisations")

    def __str__(self) -> str:
        return self.file_name
