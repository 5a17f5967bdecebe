from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_in
from django.core import checks
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import middleware

        user_logged_in.connect(middleware.note_beginning, dispatch_uid="accounts.idle")
        checks.register(safe_factors, checks.Tags.security, deploy=True)


class PortalAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "accounts.site.PortalAdminSite"


def safe_factors(**_asked: Any) -> list[checks.CheckMessage]:
    """What allauth offers for trying things out has no place where people sign in."""
    found: list[checks.CheckMessage] = []
    if getattr(settings, "MFA_TOTP_INSECURE_BYPASS_CODE", None):
        found.append(
            checks.Error(
                "MFA_TOTP_INSECURE_BYPASS_CODE opens every account. Take it out.",
                id="accounts.E001",
            )
        )
    if getattr(settings, "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", False) and not _is_tried_out():
        found.append(
            checks.Error(
                "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN takes passkeys from other sites. Take it out.",
                id="accounts.E002",
            )
        )
    return found


def _is_tried_out() -> bool:
    parts = urlsplit(settings.BASE_URL)
    on_this_machine = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return settings.DEBUG and parts.scheme == "http" and on_this_machine
