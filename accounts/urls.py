from allauth.account import views as allauth_views
from django.urls import include, path
from django.views.generic import RedirectView

from accounts import views

own = (
    [
        path("me/", views.me, name="me"),
        path("me/calendar/", views.calendar, name="calendar"),
        path("go-on/<uuid:pk>/", views.go_on, name="kept"),
    ],
    "accounts",
)

urlpatterns = [
    path("", include(own)),
    path("login/", views.DoorView.as_view(), name="account_login"),
    path(
        "login/code/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="account_request_login_code",
    ),
    path(
        "login/code/confirm/",
        views.CodeView.as_view(),
        name="account_confirm_login_code",
    ),
    path(
        "signup/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="account_signup",
    ),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("sessions/", views.sessions, name="usersessions_list"),
    path("factors/totp/activate/", views.SetUpAppView.as_view(), name="mfa_activate_totp"),
    path("factors/webauthn/add/", views.AddKeyView.as_view(), name="mfa_add_webauthn"),
    path(
        "factors/webauthn/keys/<int:pk>/remove/",
        views.RemoveKeyView.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("factors/", include("allauth.mfa.urls")),
]
