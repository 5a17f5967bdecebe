"""People are on the ground floor, which keeps no history; so their list stands here."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

import clock
from accounts.models import User
from events import recovery, refusals
from events.admin import pages
from events.admin.scope import ScopedAdmin
from events.forms import MoveAccountForm, RecoveryForm
from events.rights import Right


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """Accounts begin at the portal's own door; nobody has a password."""

    is_editable = True
    list_display = ["email", "name", "is_staff", "is_superuser", "is_active"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    fields = [
        "email",
        "name",
        "language",
        "zone",
        "is_active",
        "is_staff",
        "is_superuser",
        "date_joined",
    ]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        return everything if user.is_superuser else everything.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody shuts the door on themselves."""
        own = ["is_active", "is_staff", "is_superuser"] if obj == request.user else []
        return ["email", "date_joined", *own]

    def pages(self) -> list[tuple[str, Any]]:
        return [("move", self.move), ("forget_factors", self.forget_factors)]

    def tools(self, request: HttpRequest, obj: User) -> list[tuple[str, str]]:
        if not recovery.may_recover(request.user, obj):
            return []
        return [
            (_("Mailbox lost"), self.page_url("move", obj)),
            (_("Phone or key lost"), self.page_url("forget_factors", obj)),
        ]

    def move(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        person = self.load(request, pk)
        return move_page(self, request, person, back=self.change_url(person))

    def forget_factors(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        person = self.load(request, pk)
        return forget_factors_page(self, request, person, back=self.change_url(person))


def move_page(
    page: admin.ModelAdmin, request: HttpRequest, person: User, *, back: str
) -> HttpResponse:
    """An organiser gives somebody their account back, at another address."""

    def act(typed: dict[str, Any]) -> str:
        recovery.move(
            person, typed["email"], by=request.user, now=clock.now(), reason=typed["reason"]
        )
        return _("%(person)s signs in with %(email)s from now on.") % {
            "person": person,
            "email": typed["email"],
        }

    return pages.ask(
        page,
        request,
        title=_("Mailbox lost: %(person)s") % {"person": person},
        lead=_("The account of %(address)s opens with another address from now on.")
        % {"address": person.email},
        letters=_(
            "A letter goes to the old address and to the new one. All sessions of this person end. "
            "Make sure first that it is them: whoever reads the new mailbox has their account."
        ),
        submit_label=_("Move the account"),
        is_danger=True,
        form=MoveAccountForm(request.POST if "confirm" in request.POST else None),
        act=act,
        back=back,
        beside={refusals.AddressTaken: "email", refusals.SameAddress: "email"},
    )


def forget_factors_page(
    page: admin.ModelAdmin, request: HttpRequest, person: User, *, back: str
) -> HttpResponse:
    """An organiser lets somebody set up new ways to sign in."""

    def act(typed: dict[str, Any]) -> str:
        recovery.forget_factors(person, by=request.user, now=clock.now(), reason=typed["reason"])
        return _("%(person)s signs in with a letter, and sets up a new key or app.") % {
            "person": person
        }

    return pages.ask(
        page,
        request,
        title=_("Phone or key lost: %(person)s") % {"person": person},
        lead=_("Keys, app and recovery codes are taken away from the account."),
        letters=_(
            "A letter goes to this person. All their sessions end. Until they set up a new key or "
            "app, the mailbox alone opens the account. Make sure first that it is them."
        ),
        submit_label=_("Take them away"),
        is_danger=True,
        form=RecoveryForm(request.POST if "confirm" in request.POST else None),
        act=act,
        back=back,
    )
