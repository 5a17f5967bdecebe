from allauth.account import views as allauth_views
from django.urls import include, path
from django.views.generic import RedirectView

from accounts import views

own = ([path("me/", views.me, name="me")], "accounts")

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
]
