from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from accounts.models import User
from clock.fields import WallTimeForm
from events import deadlines, refusals
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin, ScopedFilter
from events.forms import SetDeadlineForm, reason_field
from events.models import Deadline, Event
from events.rights import Right
from notifications.models import Kind, Letter
from registrations import reminders
from registrations.admin import readers, reminding, steps
from registrations.models import Registration

BESIDE: dict[type[Exception], str] = {
    refusals.AlreadyPast: "day",
    refusals.SameMoment: "day",
    refusals.ClosesBeforeItOpens: "day",
}


class MoveDeadlineForm(WallTimeForm):
    reason = reason_field(
        gettext_lazy("It stands on the page of the event, and in the letters about it.")
    )


@admin.register(Deadline)
class DeadlineAdmin(ScopedAdmin):
    """Windows are set and moved by pages of their own; what they were stays readable."""

    page_rights = {"letters": Right.LOOK}
    list_display = ["event", "kind", "opens_said", "closes_said"]
    list_display_links = ["kind"]
    list_select_related = ["event"]
    list_filter = ["kind", ("event", ScopedFilter)]
    search_fields = ["event__name_en", "event__slug"]
    ordering = ["-closes_at"]
    fields = ["event", "kind", "opens_said", "closes_said", "set_said", "stated"]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        return everything.filter(event__in=Event.objects.open_to(user, right))

    def scope_of(self, obj: Deadline) -> UUID:
        return obj.event_id

    def zone_of(self, obj: Deadline) -> str:
        return obj.zone

    @admin.display(description=gettext_lazy("opens"), ordering="opens_at")
    def opens_said(self, obj: Deadline) -> str:
        return timeline.said(obj.opens_at, obj.zone)

    @admin.display(description=gettext_lazy("closes"), ordering="closes_at")
    def closes_said(self, obj: Deadline) -> str:
        return obj.said

    @admin.display(description=gettext_lazy("set or moved"))
    def set_said(self, obj: Deadline) -> str:
        return timeline.said(obj.set_at, obj.zone)

    @admin.display(description=gettext_lazy("what the source names"))
    def stated(self, obj: Deadline) -> str:
        if not obj.is_hour_stated:
            return _("the day; hour and zone are ours")
        if not obj.is_zone_stated:
            return _("the day and the hour; the zone is ours")
        return _("the day, the hour and the zone")

    def tools(self, request: HttpRequest, obj: Deadline) -> list[tuple[str, str]]:
        links = self.links(request, obj, [(_("Move the deadline"), "move")])
        links.append((_("Its event"), reverse("admin:events_event_change", args=[obj.event_id])))
        if self.may(request, obj, Right.CONTACT):
            letters = reverse("admin:notifications_letter_changelist")
            links.append((_("Its letters"), f"{letters}?about={obj.pk}"))
        return links

    def render_change_form(
        self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        deadline = kwargs["obj"]
        now = clock.now()
        context |= {
            "steps": self.steps(deadline, now),
            "can_change": self.may(request, deadline, self.changes),
            "has_readers": steps.has_readers(deadline),
            "add_url": self.page_url("add_step", deadline),
            "remove_url": self.page_url("remove_step", deadline),
            "letters_url": self.page_url("letters", deadline),
            "changes": deadline.changes.select_related("by").order_by("-at"),
            "lines": timeline.lines(self.entries(deadline), deadline.zone),
            "reminders_url": reverse("admin:events_event_reminders", args=[deadline.event_id]),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def steps(self, deadline: Deadline, now: datetime) -> list[dict[str, Any]]:
        """The reminders of a deadline, in the order of their moments."""
        letters = Letter.objects.about(deadline.pk).filter(
            kind=Kind.REMINDER, posted_at__gte=deadline.set_at
        )
        return [
            {
                "step": told.step,
                "at": told.moment,
                "said": timeline.said(told.moment, deadline.zone),
                "is_past": told.is_past,
                "is_skipped": told.is_skipped,
                "audience": told.step.get_audience_display(),
                "readers": timeline.NOTHING
                if told.is_past or told.is_skipped
                else readers.said(told.readers),
                "letters": letters.filter(key__contains=f":{told.step.code}:").count(),
            }
            for told in reminders.foretell(deadline, now=now)
        ]

    # Moving and setting

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("move", self.move),
            ("add_step", self.add_step),
            ("remove_step", self.remove_step),
            ("letters", self.letters),
        ]

    def add_step(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return steps.add(self, request, self.load(request, pk))

    def remove_step(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return steps.remove(self, request, self.load(request, pk))

    def letters(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return steps.letters(self, request, self.load(request, pk))

    def act_on(self, request: HttpRequest, pk: UUID, step: UUID, word: str) -> HttpResponse:
        deadline = self.load(request, pk, Right.RUN)
        return reminding.act_on(self, request, deadline, step, word)

    def get_urls(self) -> list[URLPattern]:
        return [
            *(
                path(
                    f"<uuid:pk>/steps/<uuid:step>/{word}/",
                    self.admin_site.admin_view(self.act_on),
                    {"word": word},
                    name=self.page_name(f"{word}_step"),
                )
                for word in reminding.PAGES
            ),
            path(
                "of/<uuid:event>/",
                self.admin_site.admin_view(self.set_for),
                name="events_deadline_set",
            ),
            *super().get_urls(),
        ]

    def move(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Asks for the new moment, shows what it would do, and does it when that was seen."""
        deadline = self.load(request, pk)
        form = MoveDeadlineForm(request.POST or None, zone=deadline.zone)

        def act(typed: dict) -> str:
            self.do_move(request, deadline, typed)
            return _("It now closes %(moment)s.") % {"moment": deadline.said}

        frame: dict[str, Any] = {
            "title": _("Move the deadline of “%(event)s”") % {"event": deadline.event},
            "lead": _("%(kind)s closes %(moment)s. Type the new moment on the same clocks.")
            % {"kind": deadline.get_kind_display(), "moment": deadline.said},
            "form": form,
            "back": self.change_url(deadline),
        }
        typed = form.cleaned_data["moment"].isoformat() if form.is_valid() else ""
        if typed and request.POST.get("previewed", typed) == typed:
            return pages.ask(
                self,
                request,
                submit_label=_("Move the deadline"),
                hidden=[("previewed", typed)],
                act=act,
                beside=BESIDE,
                **frame,
            )
        preview = self.rehearsed(request, deadline, form) if typed else {}
        return pages.show(
            self,
            request,
            submit_label=_("Move the deadline") if preview else _("Show what will happen"),
            hidden=[("previewed", typed if preview else "")],
            **frame,
            **preview,
        )

    def do_move(self, request: HttpRequest, deadline: Deadline, typed: dict) -> None:
        deadlines.move(
            deadline,
            closes_at=typed["moment"],
            by=request.user,
            now=clock.now(),
            reason=typed["reason"],
        )

    def rehearsed(
        self, request: HttpRequest, deadline: Deadline, form: MoveDeadlineForm
    ) -> dict[str, Any]:
        """What moving it does: moved, looked at, and put back. Nothing if that is refused."""
        waiting = Letter.objects.pending().about(deadline.pk).filter(kind=Kind.REMINDER).count()
        try:
            with transaction.atomic():
                self.do_move(request, deadline, form.cleaned_data)
                preview = self.preview(deadline, waiting)
                transaction.set_rollback(True)
        except refusals.Refusal as refused:
            form.add_error(BESIDE.get(type(refused)), str(refused))
            return {}
        return preview

    def preview(self, moved: Deadline, waiting: int) -> dict[str, Any]:
        now = clock.now()
        told = [_("It would close %(moment)s.") % {"moment": moved.said}]
        if moved.kind == Deadline.Kind.REGISTRATION:
            drafts = Registration.objects.drafts().filter(event=moved.event).count()
            unsent = ngettext(
                "%(n)s group has an unsent draft.", "%(n)s groups have unsent drafts.", drafts
            )
            told.append(unsent % {"n": drafts})
        if waiting:
            taken_back = ngettext(
                "%(n)s reminder with the old date waits and is taken back.",
                "%(n)s reminders with the old date wait and are taken back.",
                waiting,
            )
            told.append(taken_back % {"n": waiting})
        told.append(readers.told_of_deadline(moved))
        return {
            "letters": " ".join(told),
            "people_title": _("Reminders by the new date"),
            "people": [steps.foretold(each, moved) for each in reminders.foretell(moved, now=now)],
        }

    def set_for(self, request: HttpRequest, event: UUID) -> HttpResponse:
        """Give an event a window that it does not have yet."""
        of = self.admin_site.get_model_admin(Event).load(request, event, self.changes)

        def act(typed: dict) -> str:
            deadline = deadlines.set_deadline(
                of,
                kind=typed["kind"],
                opens_at=typed["opens_at"],
                closes_at=typed["closes_at"],
                by=request.user,
                now=clock.now(),
            )
            return _("The deadline is set. %(deadline)s.") % {"deadline": deadline}

        return pages.ask(
            self,
            request,
            title=_("Set a deadline of “%(event)s”") % {"event": of},
            lead=_(
                "Dates and times are those of %(zone)s. A registration deadline comes with "
                "reminders 14 days, 7 days, 48 hours and 24 hours before; they go to groups that "
                "have an unsent draft, to invited groups without an answer and to followers. With "
                "a confirmation deadline, everybody who gets a seat is asked whether they come; "
                "who does not answer in time loses the seat to the waiting list."
            )
            % {"zone": of.zone},
            form=SetDeadlineForm(request.POST or None, event=of),
            submit_label=_("Set the deadline"),
            back=reverse("admin:events_event_change", args=[of.pk]),
            beside={
                refusals.DeadlineExists: "kind",
                refusals.ClosesBeforeItOpens: "closes_on",
            },
            act=act,
        )
