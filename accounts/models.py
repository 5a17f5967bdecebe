import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from clock.zones import check_zone


class UserQuerySet(models.QuerySet["User"]):
    def discreet(self, *addresses: str) -> set[str]:
        """Those of the addresses, in lower case, at which somebody wants neutral subjects."""
        folded = [Lower(Value(address)) for address in addresses]
        found = self.alias(folded=Lower("email")).filter(neutral_subjects=True, folded__in=folded)
        return {email.lower() for email in found.values_list("email", flat=True)}

    def unused(self) -> "UserQuerySet":
        """Addresses that were typed at the door, by somebody who never came in; nothing in the
        database is about them."""
        unused = self.filter(last_login=None, is_staff=False, is_superuser=False, is_active=True)
        for relation in User._meta.get_fields(include_hidden=True):
            if isinstance(relation, models.ForeignObjectRel) and not relation.concrete:
                rows = relation.related_model._base_manager
                about = rows.filter(**{relation.field.name: models.OuterRef("pk")})
                unused = unused.exclude(models.Exists(about))
        return unused


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, **fields: Any) -> "User":
        """A person who signs in by a code; there is no password."""
        user = self.model(email=email.strip(), **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        """Compared as `one_account_per_address` compares: `iexact` tells some letters apart."""
        return self.alias(folded=Lower("email")).get(folded=Lower(Value(email)))


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"), max_length=254)
    name = models.CharField(_("name"), max_length=255, blank=True)
    language = models.CharField(
        _("language of letters"), max_length=10, choices=settings.LANGUAGES, default="en"
    )
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_zone])
    neutral_subjects = models.BooleanField(_("neutral subjects of letters"), default=False)
    calendar_secret = models.CharField(max_length=43, default="", blank=True, editable=False)
    is_staff = models.BooleanField(_("may open the organisers' side"), default=False)
    is_active = models.BooleanField(_("may sign in"), default=True)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_address"),
            models.UniqueConstraint(
                fields=["calendar_secret"],
                condition=~models.Q(calendar_secret=""),
                name="one_owner_per_calendar",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email


def wants_neutral_subjects(address: str) -> models.Exists:
    """Whether somebody signs in with the address in this field who wants neutral subjects."""
    users = User.objects.alias(folded=Lower("email")).filter(neutral_subjects=True)
    return models.Exists(users.filter(folded=Lower(models.OuterRef(address))))


class KeptPost(models.Model):
    """What somebody sent when their session had ended: sent again by themselves once they are
    back, and then forgotten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=2000)
    body = models.TextField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user}: {self.path}"


class Try(models.Model):
    """Something that may be tried a few times only. It is counted here, so that the count holds
    over processes and without the broker."""

    what = models.CharField(max_length=30)
    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["what", "key", "at"], name="tries_of")]

    def __str__(self) -> str:
        return f"{self.what}: {self.at}"
