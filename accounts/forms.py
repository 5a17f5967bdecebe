from allauth.account.forms import RequestLoginCodeForm
from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clock import zones


class DoorForm(RequestLoginCodeForm):
    """The one door, with one answer for known and unknown addresses: whoever reads the letter
    may come in. A newcomer's account is made here and is empty until the code is typed."""

    email = forms.EmailField(
        label=_("Email address"),
        max_length=User._meta.get_field("email").max_length,
        error_messages={
            "max_length": _(
                "This address is too long: it has more than %(limit_value)s characters."
            )
        },
    )

    def clean_email(self) -> str:
        email = super().clean_email()
        if email and self._user is None:
            self._user = self.newcomer(email)
        return email

    def newcomer(self, email: str) -> User | None:
        try:
            with transaction.atomic():
                return User.objects.create_user(email, language=get_language() or "en")
        except IntegrityError:
            return User.objects.filter(email__iexact=email, is_active=True).first()


CONTINENTS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ZONES = ["UTC"] + sorted(name for name in zones.KNOWN if name.split("/")[0] in CONTINENTS)


class MeForm(forms.ModelForm):
    zone = forms.ChoiceField(
        label=_("Your time zone"),
        choices=[(name, name.replace("_", " ")) for name in ZONES],
        help_text=_("Letters give deadlines in this zone too."),
    )

    class Meta:
        model = User
        fields = ["name", "language", "zone"]
        help_texts = {
            "name": _("Only the organisers and your colleagues see it."),
            "language": _("We write to you in this language."),
        }
