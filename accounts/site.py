from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _


def not_here(request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
    """Instead of the redirect to an object's public address: that would tell a reference."""
    raise Http404


class PortalAdminSite(AdminSite):
    """The organisers' side. People have codes, not passwords: its door is the portal's own."""

    site_header = site_title = _("GCM Portal · Organiser")
    index_title = _("What would you like to work on?")
    enable_nav_sidebar = False
    site_url = "/"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("r/<path:content_type_id>/<path:object_id>/", not_here, name="view_on_site"),
            *super().get_urls(),
        ]

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        after = request.GET.get("next") or reverse("admin:index")
        if request.user.is_authenticated:
            raise Http404
        return redirect(f"{reverse('account_login')}?{urlencode({'next': after})}")

    def logout(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        return redirect("account_logout")

    def password_change(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        raise Http404

    password_change_done = password_change
