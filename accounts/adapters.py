import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import factors
from accounts.models import User


class PortalAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """There is one door (accounts.forms.DoorForm), for newcomers too."""
        return False

    def get_reauthentication_methods(self, user: User) -> list[dict]:
        """A key before codes where there is no app: then the only codes are for emergencies."""
        methods = [
            method
            for method in super().get_reauthentication_methods(user)
            if method["id"] != "reauthenticate"
        ]
        has_app = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP)
        if len(methods) > 1 and not has_app.exists():
            methods.reverse()
        return methods

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        with translation.override(user.language):
            super().send_notification_mail(template_prefix, user, context, user.email)

    def render_mail(
        self,
        template_prefix: str,
        email: str,
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Whoever wants neutral subjects gets them; a code to a new address of theirs too."""
        mail = super().render_mail(template_prefix, email, context, headers)
        user = getattr(context.get("request"), "user", None)
        if User.objects.discreet(email) or getattr(user, "neutral_subjects", False):
            mail.subject = gettext("Your code") if "code" in context else gettext("News for you")
        return mail


class FactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _(
            "Organisers need it. Set up another way to sign in before you take this one away."
        ),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (factors.is_needed_by(authenticator.user) and factors.is_last(authenticator))

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return gettext("Key %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Keys belong to the portal's own name, whatever a request calls itself."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": settings.MFA_TOTP_ISSUER}

    def encrypt(self, text: str) -> str:
        """Whoever reads the database alone cannot make codes."""
        return _ring().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _ring().decrypt(encrypted_text.encode()).decode()


def _ring() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(f"accounts.factors:{key}".encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
