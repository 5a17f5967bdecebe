"""Who asks to speak for an organisation, and who does."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.models import User
from audit.models import Entry
from events import recovery
from events.admin import pages, people, timeline
from events.admin.scope import ScopedAdmin
from events.rights import Right
from stakeholders import forms, membership, refusals
from stakeholders.models import Membership, Organisation

State = Membership.State


def may_recover(by: User, user: User) -> bool:
    """Whoever belongs to an organisation that is not this organiser's, or is about to, is not
    theirs to recover: the account opens that one too. Nor is whoever they have named themselves:
    else they would choose whom to recover."""
    if by.is_superuser or not recovery.may_recover(by, user):
        return recovery.may_recover(by, user)
    theirs = Organisation.objects.open_to(by, Right.RUN)
    there = user.memberships.exclude(state=State.LEFT)
    named = Entry.objects.filter(
        actor=by,
        verb=membership.NAMED,
        subject_type=Membership._meta.label_lower,
        subject_id__in=[str(one.pk) for one in there],
    )
    elsewhere = there.exclude(organisation__in=theirs.values("pk"))
    return not elsewhere.exists() and not named.exists()


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    sees = Right.RUN
    remembers = Right.RUN
    list_display = ["person", "organisation", "kind", "state", "since_said"]
    list_select_related = ["user", "organisation"]
    list_filter = ["state", "kind"]
    search_fields = ["user__name", "user__email", "organisation__name", "organisation__acronym"]
    ordering = ["-since", "pk"]
    fields = [
        "person",
        "address",
        "organisation",
        "kind",
        "state",
        "since_said",
        "note",
        "told_said",
        "lapses_said",
    ]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        organisations = Organisation.objects.open_to(user, right)
        return everything.filter(organisation__in=organisations.values("pk"))

    @admin.display(description=gettext_lazy("person"), ordering="user__name")
    def person(self, obj: Membership) -> str:
        return str(obj.user)

    @admin.display(description=gettext_lazy("email address"))
    def address(self, obj: Membership) -> str:
        return obj.user.email

    @admin.display(description=gettext_lazy("since"), ordering="since")
    def since_said(self, obj: Membership) -> str:
        return timeline.said(obj.since, "UTC")

    @admin.display(description=gettext_lazy("organisers were told"))
    def told_said(self, obj: Membership) -> str:
        return timeline.said(obj.organisers_told_at, "UTC")

    @admin.display(description=gettext_lazy("lapses without an answer"))
    def lapses_said(self, obj: Membership) -> str:
        is_open = obj.state in {State.ASKED, State.INVITED}
        return timeline.said(obj.lapses_at if is_open else None, "UTC")

    def tools(self, request: HttpRequest, obj: Membership) -> list[tuple[str, str]]:
        own = []
        if obj.state == State.ASKED:
            own.append((_("Answer the request"), "answer"))
        if obj.state == State.ACTIVE:
            own.append((_("Remove from the organisation"), "remove"))
            if may_recover(request.user, obj.user):
                own.append((_("Mailbox lost"), "lost_mailbox"))
                own.append((_("Phone or key lost"), "lost_factors"))
        if obj.state == State.INVITED:
            own.append((_("Take the invitation back"), "remove"))
        organisation = reverse("admin:stakeholders_organisation_change", args=[obj.organisation_id])
        return [*self.links(request, obj, own), (_("Its organisation"), organisation)]

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("answer", self.answer),
            ("remove", self.remove),
            ("lost_mailbox", self.lost_mailbox),
            ("lost_factors", self.lost_factors),
        ]

    def load(self, request: HttpRequest, pk: Any, right: Right | None = None) -> Membership:
        found = super().load(request, pk, right)
        return Membership.objects.select_related("user", "organisation").get(pk=found.pk)

    def answer(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        asked = self.load(request, pk)
        form = forms.AnswerForm(request.POST or None)

        def act(typed: dict) -> str:
            said = {"by": request.user, "now": clock.now()}
            if typed["answer"] == forms.AnswerForm.NO:
                membership.refuse_to_join(asked, reason=typed["reason"], **said)
                return _("%(person)s is not let in, and is told so.") % {"person": asked.user}
            membership.agree(asked, kind=typed["answer"], **said)
            return _("%(person)s belongs to “%(organisation)s” now.") % {
                "person": asked.user,
                "organisation": asked.organisation,
            }

        return pages.ask(
            self,
            request,
            title=_("Answer the request to join “%(organisation)s”")
            % {"organisation": asked.organisation},
            lead=_(
                "%(person)s (%(address)s) asks to join. Say yes only if you know that they speak "
                "for the organisation."
            )
            % {"person": asked.user, "address": asked.user.email},
            quoted=asked.note,
            letters=_(
                "A letter with your answer goes to that address. Of a new focal point, those of "
                "today are told too."
            ),
            people=[f"{user} <{user.email}>" for user in asked.organisation.focal_points],
            people_title=_("Its focal points today"),
            form=form,
            submit_label=_("Send the answer"),
            back=self.change_url(asked),
            refused_by=refusals.Refusal,
            act=act,
        )

    def remove(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        there = self.load(request, pk)

        def act(typed: dict) -> str:
            membership.remove(there, by=request.user, now=clock.now(), reason=typed["reason"])
            return _("%(person)s does not belong to “%(organisation)s” any more.") % {
                "person": there.user,
                "organisation": there.organisation,
            }

        others = [user for user in there.organisation.focal_points if user != there.user]
        return pages.ask(
            self,
            request,
            title=_("Remove %(person)s from “%(organisation)s”")
            % {"person": there.user, "organisation": there.organisation},
            lead=_("Access to its delegations ends at once.")
            if others
            else _(
                "Access to its delegations ends at once. The organisation then has no focal "
                "point: nobody reads its letters until you name another one."
            ),
            letters=_("A letter with the reason goes to the person.")
            if there.state == State.ACTIVE
            else "",
            form=forms.ReasonForm(request.POST or None),
            submit_label=_("Remove from the organisation"),
            is_danger=True,
            back=self.change_url(there),
            refused_by=refusals.Refusal,
            act=act,
        )

    def lost_mailbox(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        there = self._recoverable(request, pk)
        return people.move_page(self, request, there.user, back=self.change_url(there))

    def lost_factors(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        there = self._recoverable(request, pk)
        return people.forget_factors_page(self, request, there.user, back=self.change_url(there))

    def _recoverable(self, request: HttpRequest, pk: UUID) -> Membership:
        there = self.load(request, pk)
        if there.state != State.ACTIVE or not may_recover(request.user, there.user):
            raise PermissionDenied
        return there
