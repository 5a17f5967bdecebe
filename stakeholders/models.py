import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import TrigramDistance, TrigramWordDistance
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Left, Lower, Upper
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import User
from events.models import Event, StakeholderGroup
from events.rights import Right, kinds_with
from stakeholders import matching

# How many rows the database proposes in each way; which of them fit best is told by matching.
LOOKED_AT = 30


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def spoken_for_by(self, user: Any) -> "OrganisationQuerySet":
        """Those that this person is a focal point or member of, today."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(
            id__in=Membership.objects.active().filter(user=user).values("organisation")
        )

    def led_by(self, user: Any) -> "OrganisationQuerySet":
        """Those that this person is a focal point of, today."""
        if not user.is_authenticated:
            return self.none()
        led = Membership.objects.of_focal_points().filter(user=user)
        return self.filter(id__in=led.values("organisation"))

    def open_to(self, user: Any, right: Right) -> "OrganisationQuerySet":
        """Those that have sent a delegation to an event on which this organiser has this right; a
        superuser has all."""
        if user.is_superuser and user.is_active:
            return self
        sent = Organisation.objects.filter(
            registrations__event__in=Event.objects.open_to(user, right),
            registrations__sent_at__isnull=False,
        )
        return self.filter(id__in=sent.values("id"))

    def bare(self) -> "OrganisationQuerySet":
        """Those that nothing belongs to: a name in a list, with nobody to protect."""
        return self.filter(
            memberships=None, representatives=None, registrations=None, exemptions=None
        )

    def held(self, organisation: "Organisation") -> "Organisation":
        """Its row, read anew under a lock that lasts until the transaction ends."""
        return self.select_for_update(no_key=True).get(pk=organisation.pk)

    def hold_names(self) -> None:
        """Let nobody else enter or rename organisations until this transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtextextended('organisations', 0))")

    def like(self, text: str, *, country: str = "", limit: int = 8) -> list["Organisation"]:
        """Those that may be meant, likeliest first. It proposes; nobody is joined by likeness."""
        query = matching.Query(text)
        if not query.key:
            return []
        named = Q()
        for part in query.parts:
            named |= Q(search_text__contains=f"|{part}|")
        proposed = self.filter(named).union(
            self.order_by(TrigramDistance("search_text", query.key))[:LOOKED_AT],
            self.order_by(TrigramWordDistance(query.key, "search_text"))[:LOOKED_AT],
            all=True,
        )
        rows = {row.pk: row for row in proposed}.values()
        scored = [(query.score(row.name, row.acronym, row.search_text), row) for row in rows]
        found = [(score, row) for score, row in scored if score >= matching.WORTH_SHOWING]
        found.sort(
            key=lambda each: (
                -round(each[0], 2),
                bool(country) and each[1].country != country,
                each[1].name,
            )
        )
        return [row for _score, row in found[:limit]]


class OrganisationManager(models.Manager.from_queryset(OrganisationQuerySet)):  # type: ignore[misc]
    """Of those that were not taken into another one."""

    def get_queryset(self) -> OrganisationQuerySet:
        return super().get_queryset().filter(merged_into=None)


def in_order_of_names(path: str) -> Left:
    """As far into the names as an index can hold."""
    return Left(path, 200)


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
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    """The same organisation, which has taken this entry in; it has never been taken in itself."""

    objects = OrganisationManager()
    everyone = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="organisation_has_a_name"),
        ]
        indexes = [
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="organisation_search"),
            GistIndex(
                OpClass("search_text", name="gist_trgm_ops(siglen=256)"),
                name="organisation_likeness",
            ),
            models.Index(in_order_of_names("search_text"), name="organisation_order"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.fold()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "matching_key", "search_text"}
        super().save(*args, **kwargs)

    def fold(self) -> None:
        """Keep beside the names what they are found by."""
        self.matching_key = matching.key(self.name)
        self.search_text = matching.search_text(self.name, *self.other_names, acronym=self.acronym)

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

    @property
    def organisers(self) -> list[User]:
        """Those who run an event that it has sent a delegation to."""
        events = Event.objects.filter(
            registrations__organisation=self, registrations__sent_at__isnull=False
        )
        organisers = User.objects.filter(
            Q(roles__event__in=events) | Q(roles__process__events__in=events),
            roles__kind__in=kinds_with(Right.RUN),
            is_active=True,
        )
        return list(organisers.order_by("email").distinct())

    @property
    def is_unclaimed(self) -> bool:
        """Nobody has ever spoken for it, and it has entered nobody: there is nothing to protect."""
        spoken = self.memberships.filter(state__in=[Membership.State.ACTIVE, Membership.State.LEFT])
        return not spoken.exists() and not self.representatives.exists()


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> "MembershipQuerySet":
        """Of those who speak for their organisation, or work for it, today."""
        return self.filter(state=Membership.State.ACTIVE, user__is_active=True)

    def of_focal_points(self) -> "MembershipQuerySet":
        """Of those whom letters about their organisation go to, today."""
        return self.active().filter(kind=Membership.Kind.FOCAL_POINT)

    def asked(self, now: datetime) -> "MembershipQuerySet":
        """Requests to join that wait for an answer."""
        return self.filter(state=Membership.State.ASKED, since__gt=now - Membership.LAPSES_AFTER)

    def invited(self, now: datetime) -> "MembershipQuerySet":
        """Invitations that can still be accepted."""
        return self.filter(state=Membership.State.INVITED, since__gt=now - Membership.LAPSES_AFTER)


class Membership(models.Model):
    class Kind(models.TextChoices):
        FOCAL_POINT = "focal_point", _("Focal point")
        MEMBER = "member", _("Member")

    class State(models.TextChoices):
        ASKED = "asked", _("Has asked to join")
        INVITED = "invited", _("Invited")
        ACTIVE = "active", _("Active")
        LEFT = "left", _("Ended")

    ANSWERED_WITHIN = timedelta(days=7)
    LAPSES_AFTER = timedelta(days=30)
    ASKED_AGAIN_AFTER = timedelta(days=7)

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
            models.CheckConstraint(
                condition=~Q(state__in=["asked", "invited"]) | Q(since__isnull=False),
                name="open_since_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.organisation}"

    @property
    def is_active(self) -> bool:
        return self.state == Membership.State.ACTIVE and self.user.is_active

    @property
    def is_focal_point(self) -> bool:
        return self.is_active and self.kind == Membership.Kind.FOCAL_POINT

    @property
    def answer_by(self) -> datetime | None:
        """Until when the focal points answer a request; then the organisers do."""
        return self.since and self.since + self.ANSWERED_WITHIN

    @property
    def lapses_at(self) -> datetime | None:
        """When a request or an invitation without an answer ends."""
        return self.since and self.since + self.LAPSES_AFTER

    def is_open(self, state: str, now: datetime) -> bool:
        """It is a request, or an invitation, that can still be answered."""
        return self.state == state and self.lapses_at is not None and now < self.lapses_at


PERSON_FACTS = ("given_names", "family_name", "email")


class RepresentativeQuerySet(models.QuerySet["Representative"]):
    def known_as(
        self, organisation: Organisation, *, given_names: str, family_name: str, email: str
    ) -> "Representative":
        """The person as the organisation knows them, or entered anew."""
        (representative,) = self.all_known_as(organisation, [(given_names, family_name, email)])
        return representative

    def all_known_as(
        self, organisation: Organisation, people: Sequence[tuple[str, str, str]]
    ) -> list["Representative"]:
        """Each of these people (given names, family name, address), in this order."""
        known = self._named(organisation, people)
        new = [facts for facts in dict.fromkeys(people) if facts not in known]
        if new:
            entered = [
                Representative(
                    organisation=organisation, **dict(zip(PERSON_FACTS, facts, strict=True))
                )
                for facts in new
            ]
            for representative in entered:
                representative.fold()
            Representative.objects.bulk_create(entered, ignore_conflicts=True)
            known |= self._named(organisation, new)
        return [known[facts] for facts in people]

    def _named(
        self, organisation: Organisation, people: Sequence[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], "Representative"]:
        likely = self.filter(
            organisation=organisation,
            given_names__in={given_names for given_names, _family_name, _email in people},
        )
        return {(each.given_names, each.family_name, each.email): each for each in likely}


class RepresentativeManager(models.Manager.from_queryset(RepresentativeQuerySet)):  # type: ignore[misc]
    """Of those that were not taken into another entry of the same person."""

    def get_queryset(self) -> RepresentativeQuerySet:
        return super().get_queryset().filter(merged_into=None)


class Representative(models.Model):
    """A person whom the organisation sends; kept between events."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="representatives"
    )
    given_names = models.CharField(_("given names"), max_length=255)
    family_name = models.CharField(_("family name"), max_length=255, blank=True)
    email = models.EmailField(_("email address"), max_length=254, blank=True)
    search_text = models.TextField(editable=False, default="")
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    """The same person, whose entry has taken this one in."""

    objects = RepresentativeManager()
    everyone = RepresentativeQuerySet.as_manager()

    class Meta:
        verbose_name = _("representative")
        verbose_name_plural = _("representatives")
        constraints = [
            models.CheckConstraint(condition=~Q(given_names=""), name="person_has_a_name"),
            models.UniqueConstraint(
                fields=["organisation", "given_names", "family_name", "email"],
                condition=Q(merged_into=None),
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
            models.Index(fields=["search_text"], name="representative_order"),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="representative_likeness"),
        ]

    def __str__(self) -> str:
        return self.full_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.fold()
        super().save(*args, **kwargs)

    def fold(self) -> None:
        """Keep beside the name what it is found by."""
        self.search_text = matching.name_text(self.given_names, self.family_name)

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
    notes = models.JSONField(_("notes"), default=dict, editable=False)
    applied_at = models.DateTimeField(_("applied"), null=True)

    class Meta:
        verbose_name = _("import of organisations")
        verbose_name_plural = _("imports of organisations")

    def __str__(self) -> str:
        return self.file_name
