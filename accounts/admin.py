"""Takes out what other apps bring: rights come from roles, not from groups, and addresses are
proved at the portal's own door, not in a form."""

from allauth.account import admin as allauth_admin
from allauth.mfa import admin as mfa_admin
from allauth.usersessions import admin as sessions_admin
from django.contrib import admin
from django.contrib.auth import admin as auth_admin

admin.site.unregister(
    [
        allauth_admin.EmailAddress,
        auth_admin.Group,
        mfa_admin.Authenticator,
        sessions_admin.UserSession,
    ]
)
