from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class EntryQuerySet(models.QuerySet["Entry"]):
    def about(self, subject: models.Model) -> "EntryQuerySet":
        return self.filter(subject_type=subject._meta.label_lower, subject_id=str(subject.pk))

    def in_scope(self, *scopes: UUID) -> "EntryQuerySet":
        return self.filter(scope__in=scopes)


class Entry(models.Model):
    """What somebody did, kept for good: the database refuses to change or delete it."""

    id = models.BigAutoField(primary_key=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: the clock."),
    )
    verb = models.CharField(_("what"), max_length=50)
    subject_type = models.CharField(_("kind of thing"), max_length=100)
    subject_id = models.CharField(_("thing"), max_length=64)
    scope = models.UUIDField(_("whose event"), null=True, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), null=True, blank=True, encoder=DjangoJSONEncoder)
    reason = models.TextField(_("reason"), blank=True)
    at = models.DateTimeField(_("when"))

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("history")
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "at"], name="entry_subject"),
            models.Index(fields=["scope", "at"], name="entry_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.subject_type} {self.subject_id}"
