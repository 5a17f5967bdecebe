from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")


class PortalAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "accounts.site.PortalAdminSite"
