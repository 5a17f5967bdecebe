import uuid
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events.rights import Right, kinds_with
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


class ProcessQuerySet(models.QuerySet["Process"]):
    def open_to(self, user: Any, right: Right) -> "ProcessQuerySet":
        """Those on which this person has a role with this right; a superuser has all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        roles = user.roles.filter(kind__in=kinds_with(right)).exclude(process=None)
        return self.filter(id__in=roles.values("process"))


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

    objects = ProcessQuerySet.as_manager()

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
