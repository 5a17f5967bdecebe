from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

handler500 = "gcm_portal.middleware.server_error"

urlpatterns = [
    path("", include("pages.health_urls")),
    path("", include("notifications.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url="/static/favicon.svg", permanent=True)),
]
urlpatterns += i18n_patterns(
    path("", include("pages.urls")),
    path("accounts/", include("accounts.urls")),
    path("", include("registrations.urls")),
    path("", include("stakeholders.urls")),
    path("", include("events.urls")),
)
