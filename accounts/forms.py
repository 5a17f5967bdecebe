import struct
from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature
from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

import clock
from accounts import addresses, names, throttles
from accounts.models import User
from clock import zones

WRONG_CODE = _("This code is not right. Look again, and type it as it is written.")
TOO_MANY = _(
    "Ten wrong codes were typed here in five minutes. Wait five minutes, and then type it again."
)
TOO_OFTEN = _("Ten codes were asked for in five minutes. Wait five minutes, and then ask again.")
NO_KEY = _("This key could not be read. Try again, or choose another way.")
CODE = {"class": "code", "autocomplete": "one-time-code", "dir": "ltr"}
"""How a field for a code looks."""


class NameField(forms.CharField):
    """What stands in sentences, on pages and in letters."""

    def to_python(self, value: Any) -> Any:
        return names.one_line(super().to_python(value) or "") or self.empty_value


class EmailField(forms.EmailField):
    def __init__(self, label: str = _("Email address"), **options: Any) -> None:
        super().__init__(
            label=label,
            max_length=User._meta.get_field("email").max_length,
            error_messages={
                "required": _("Write the email address."),
                "invalid": _("This is not a whole email address. Write it like name@example.org"),
                "max_length": _(
                    "This address is too long: it has more than %(limit_value)s characters."
                ),
            },
            **options,
        )


class DoorForm(RequestLoginCodeForm):
    """The one door, with one answer for known and unknown addresses: whoever reads the letter
    may come in. A newcomer's account is made here and is empty until the code is typed."""

    email = EmailField()

    def clean_email(self) -> str:
        """The same steps for all: an account is begun, and where there is one already, that is
        found."""
        email = super().clean_email()
        if email:
            newcomer = self.newcomer(email)
            self._user = self._user or newcomer
        return email

    def newcomer(self, email: str) -> User | None:
        try:
            with transaction.atomic():
                return User.objects.create_user(email, language=get_language() or "en")
        except IntegrityError:
            return User.objects.filter(email__iexact=email, is_active=True).first()


class Counted:
    """Refuses all codes after too many wrong ones, those of other sessions included."""

    what: throttles.What
    is_refused = False

    def whose(self) -> str:
        raise NotImplementedError

    def clean_code(self) -> str:
        this = throttles.begin(self.what, self.whose(), now=clock.now())
        if this is None:
            self.is_refused = True
            raise ValidationError(TOO_MANY)
        code = super().clean_code()  # type: ignore[misc]
        throttles.forgive(this)
        return code


class CodeForm(Counted, ConfirmLoginCodeForm):
    what = throttles.What.CODE

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        self.email = email
        super().__init__(*args, **kwargs)

    def whose(self) -> str:
        return self.email


class FactorForm(Counted, AuthenticateForm):
    what = throttles.What.FACTOR

    def whose(self) -> str:
        return str(self.user.pk)


class FactorAgainForm(Counted, ReauthenticateForm):
    what = throttles.What.FACTOR

    def whose(self) -> str:
        return str(self.user.pk)


class SetUpAppForm(ActivateTOTPForm):
    code = forms.CharField(
        label=_("Code that the app shows"),
        max_length=20,
        widget=forms.TextInput(attrs=CODE | {"inputmode": "numeric"}),
    )


class Key(forms.JSONField):
    """What a browser says of a key. It is good once, so no page repeats it."""

    widget = forms.HiddenInput
    default_error_messages = {"invalid": NO_KEY, "required": NO_KEY}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and ("\\u0000" in value or "\x00" in value):
            raise ValidationError(NO_KEY)
        key = super().to_python(value)
        if key in self.empty_values:
            return None
        if not isinstance(key, dict) or not isinstance(key.get("response"), dict):
            raise ValidationError(NO_KEY)
        return key

    def bound_data(self, data: Any, initial: Any) -> None:
        return None

    def prepare_value(self, value: Any) -> str:
        return ""


UNREADABLE = (
    ArithmeticError,
    AttributeError,
    InvalidSignature,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class Read:
    """A key that is no key is refused with a sentence."""

    def full_clean(self) -> None:
        try:
            super().full_clean()  # type: ignore[misc]
        except UNREADABLE:
            self.add_error("credential", NO_KEY)  # type: ignore[attr-defined]


class NewKeyForm(Read, AddWebAuthnForm):
    name = forms.CharField(
        label=_("Name of this key"),
        required=False,
        max_length=100,
        help_text=_("So that you know it again, like “phone” or “key at the office”."),
    )
    credential = Key()
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without a code from a letter"),
        required=False,
        initial=True,
        help_text=_("Then the key asks for your finger, your face or its PIN."),
    )


class KeyNameForm(EditWebAuthnForm):
    name = forms.CharField(label=_("Name of this key"), max_length=100)


class KeyForm(Read, AuthenticateWebAuthnForm):
    credential = Key()


class KeyAgainForm(Read, ReauthenticateWebAuthnForm):
    credential = Key()


class KeyAtDoorForm(Read, LoginWebAuthnForm):
    credential = Key()


class AddressForm(forms.Form):
    email = EmailField(
        _("New email address"),
        help_text=_("We send a code there. Until you type it, nothing changes."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs |= {"autocomplete": "email", "dir": "ltr"}

    def clean_email(self) -> str:
        email = self.cleaned_data["email"]
        if email.lower() == self.user.email.lower():
            raise ValidationError(_("This is your address already."))
        return email


class AddressCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=50,
        help_text=_("Six characters. You can paste them; capitals do not matter."),
        widget=forms.TextInput(
            attrs=CODE | {"autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, asked: addresses.Asked, **kwargs: Any) -> None:
        self.asked = asked
        super().__init__(*args, **kwargs)

    def clean_code(self) -> str:
        this = throttles.begin(throttles.What.CODE, self.asked.email, now=clock.now())
        if this is None:
            raise ValidationError(TOO_MANY)
        if not addresses.is_right(self.asked, self.cleaned_data["code"]):
            raise ValidationError(WRONG_CODE)
        throttles.forgive(this)
        return self.cleaned_data["code"]


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
        fields = ["name", "language", "zone", "neutral_subjects"]
        labels = {
            "neutral_subjects": _(
                "Say nothing of migration or of the event in the subject of letters"
            ),
        }
        field_classes = {"name": NameField}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}
        help_texts = {
            "name": _("Only the organisers and your colleagues see it."),
            "language": _("We write to you in this language."),
            "neutral_subjects": _(
                "Then it reads “News about your registration”, for those who see your screen or "
                "your mailbox."
            ),
        }
