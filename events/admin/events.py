from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from translated_fields import to_attribute

import clock
from accounts.models import User
from audit.models import Entry
from clock import shown
from events import copying, forms, refusals, schedule, texts
from events.admin import pages, questions, timeline
from events.admin.scope import ScopedAdmin, ScopedFilter, ScopedInline, has_right, roles_of
from events.models import Deadline, Document, Event, Follower, Process, Segment, Track
from events.rights import Right

TEXTS = ["name", "summary", "eligibility", "organiser", "venue", "room", "city"]
DAYS = [
    "zone",
    ("starts_on", "starts_time", "starts_which"),
    ("ends_on", "ends_time", "ends_which"),
]
State = Event.State


def in_language(code: str, names: list[str]) -> list[str]:
    return [to_attribute(name, code) for name in names]


def other_languages(names: list[str]) -> list[tuple[Any, dict]]:
    """A closed group of fields for each language but English."""
    return [
        (name, {"fields": in_language(code, names), "classes": ["collapse"]})
        for code, name in settings.CONTENT_LANGUAGES
        if code != texts.SOURCE
    ]


class SegmentInline(ScopedInline, admin.StackedInline):
    model = Segment
    form = forms.SegmentForm
    formset = forms.SegmentFormSet
    ordering = ["date", "starts_at"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name_en",
                    ("date", "starts_time", "starts_which", "ends_time", "ends_which"),
                ]
            },
        ),
        *other_languages(["name"]),
    ]


class DocumentInline(ScopedInline, admin.StackedInline):
    model = Document
    formset = forms.RowFormSet
    ordering = ["title_en"]
    fieldsets = [(None, {"fields": ["title_en", "url", "language"]}), *other_languages(["title"])]


class TrackInline(ScopedInline, admin.StackedInline):
    model = Track
    formset = forms.TrackFormSet
    ordering = ["position", "name_en"]
    fieldsets = [(None, {"fields": ["name_en", "position"]}), *other_languages(["name"])]


class EventAdmin(ScopedAdmin):
    """The event's own page. It is registered two floors up, with the pages about who comes."""

    is_editable = True
    list_display = ["name", "days_said", "kind", "state"]
    list_filter = ["state", "kind", ("process", ScopedFilter)]
    search_fields = ["name_en", "name_ar", "slug", "city_en"]
    ordering = ["-starts_on", "slug"]
    inlines = [SegmentInline, DocumentInline, TrackInline]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet[Event]:
        return everything.open_to(user, right)

    def scope_of(self, obj: Event) -> UUID:
        return obj.id

    def zone_of(self, obj: Event) -> str:
        return obj.zone

    def entries(self, obj: Event) -> QuerySet[Entry]:
        deadlines = [str(pk) for pk in obj.deadlines.values_list("pk", flat=True)]
        return Entry.objects.filter(
            Q(subject_type=Event._meta.label_lower, subject_id=str(obj.pk))
            | Q(subject_type=Deadline._meta.label_lower, subject_id__in=deadlines)
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever runs a process; one event gives no others."""
        if not has_right(request, self.changes):
            return False
        return request.user.is_superuser or bool(self.processes_run(request))

    def processes_run(self, request: HttpRequest) -> set[UUID]:
        roles = [role for role in roles_of(request) if self.changes in role.rights]
        return {role.process_id for role in roles if role.process_id}

    def may_begin_like(self, request: HttpRequest, event: Event) -> bool:
        """Whoever may begin an event in its process."""
        return request.user.is_superuser or event.process_id in self.processes_run(request)

    # The form

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        is_draft = obj is None or obj.state == State.DRAFT
        kwargs.setdefault("form", forms.DraftEventForm if is_draft else forms.EventForm)
        return super().get_form(request, obj, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever runs one process need not choose it."""
        processes = list(Process.objects.open_to(request.user, self.changes)[:2])
        initial = {"process": processes[0].pk} if len(processes) == 1 else {}
        return initial | super().get_changeform_initial_data(request)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict:
        return {} if obj else {"slug": ["name_en"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        always = [
            "process_said",
            "state",
            "published_said",
            "days_said",
            "previous_said",
            "seats_said",
            "followers_said",
        ]
        if obj is None:
            return always
        return always if obj.state == State.DRAFT else [*always, "slug"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, dict]]:
        is_draft = obj is None or obj.state == State.DRAFT
        process = "process" if obj is None else "process_said"
        first = [process, "kind", "name_en", "slug", "summary_en"]
        stand = ["state", "published_said", "previous_said", "seats_said", "followers_said"]
        return [
            (None, {"fields": first if obj is None else [*stand, *first]}),
            (
                gettext_lazy("When"),
                {
                    "fields": DAYS if is_draft else ["days_said"],
                    "description": gettext_lazy(
                        "While the event is a draft you may change its days here."
                    )
                    if is_draft
                    else gettext_lazy("The days are changed by the page “Move to other days”."),
                },
            ),
            (
                gettext_lazy("Where"),
                {"fields": ["mode", *in_language("en", ["venue", "room", "city"]), "country"]},
            ),
            (
                gettext_lazy("For whom"),
                {
                    "fields": [
                        "organiser_en",
                        "eligibility_en",
                        "interpretation",
                        "contact_email",
                        "lists_participants",
                        "webcast_url",
                        "recording_url",
                    ]
                },
            ),
            *other_languages(TEXTS),
            (
                gettext_lazy("Sources"),
                {"fields": ["source", "note", "evidence"], "classes": ["collapse"]},
            ),
        ]

    @admin.display(description=gettext_lazy("process"))
    def process_said(self, obj: Event) -> str:
        """By its name only: a role on an event does not open its process."""
        return str(obj.process)

    @admin.display(description=gettext_lazy("days"), ordering="starts_on")
    def days_said(self, obj: Event) -> str:
        said = [shown.days(obj.starts_on, obj.ends_on)]
        said += [timeline.said(at, obj.zone) for at in (obj.starts_at, obj.ends_at) if at]
        return " · ".join(said) if obj.starts_at else f"{said[0]} ({shown.city(obj.zone)})"

    @admin.display(description=gettext_lazy("published"))
    def published_said(self, obj: Event) -> str:
        return timeline.said(obj.published_at, obj.zone)

    @admin.display(description=gettext_lazy("days before it was moved"))
    def previous_said(self, obj: Event) -> str:
        if not obj.previous_starts_on or not obj.previous_ends_on:
            return timeline.NOTHING
        return shown.days(obj.previous_starts_on, obj.previous_ends_on)

    @admin.display(description=gettext_lazy("seats"))
    def seats_said(self, obj: Event) -> str:
        """“40 seats, at most 4 for one organisation. First come, first served”"""
        if obj.seats is None:
            seats = _("As many as come")
        else:
            seats = ngettext("%(n)s seat", "%(n)s seats", obj.seats) % {"n": obj.seats}
        if obj.cap is not None:
            seats = _("%(seats)s, at most %(cap)s for one organisation") % {
                "seats": seats,
                "cap": obj.cap,
            }
        return f"{seats}. {obj.get_admission_display()}."

    @admin.display(description=gettext_lazy("followers"))
    def followers_said(self, obj: Event) -> str:
        """How many have confirmed that they follow it; nobody needs to know who."""
        confirmed = Follower.objects.confirmed()
        return _("%(event)s of the event, %(process)s of its process") % {
            "event": confirmed.filter(event=obj).count(),
            "process": confirmed.filter(process=obj.process_id).count(),
        }

    # What may happen to it

    def told_of(self, obj: Event) -> str:
        """Who hears of it when the event is moved, postponed or cancelled. A higher floor knows."""
        raise NotImplementedError

    def tools(self, request: HttpRequest, obj: Event) -> list[tuple[str, str]]:
        possible = {
            State.DRAFT: [(_("Publish"), "publish")],
            State.PUBLISHED: [
                (_("Move to other days"), "move"),
                (_("Postpone"), "postpone"),
                (_("Cancel"), "cancel"),
            ],
            State.POSTPONED: [(_("Move to other days"), "move"), (_("Cancel"), "cancel")],
        }.get(obj.state, [])
        links = self.links(request, obj, possible)
        links += [
            (str(deadline.get_kind_display()), reverse("admin:events_deadline_change", args=[pk]))
            for deadline in obj.deadlines.order_by("closes_at")
            if (pk := deadline.pk)
        ]
        can_set = self.has_change_permission(request, obj)
        if can_set and obj.deadlines.count() < len(Deadline.Kind):
            links.append((_("Set a deadline"), reverse("admin:events_deadline_set", args=[obj.pk])))
        links += self.links(request, obj, [(_("Questions"), "questions")])
        if self.may_begin_like(request, obj):
            links += self.links(request, obj, [(_("Begin a new event like this"), "begin_like")])
        if self.may(request, obj, Right.RUN):
            organisers = reverse("admin:events_role_changelist")
            links.append((_("Its organisers"), f"{organisers}?event__id__exact={obj.pk}"))
        if obj.state != State.DRAFT:
            links.append((_("Its public page"), obj.get_absolute_url()))
        return links

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("publish", self.publish),
            ("postpone", self.postpone),
            ("move", self.move),
            ("cancel", self.cancel),
            ("begin_like", self.begin_like),
            ("questions", self.questions),
        ]

    def get_urls(self) -> list[URLPattern]:
        return [*questions.urls(self), *super().get_urls()]

    def questions(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return questions.shelf(self, request, self.load(request, pk))

    def publish(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        event = self.load(request, pk)

        def act(typed: dict) -> str:
            schedule.publish(event, by=request.user, now=clock.now())
            return _("“%(event)s” is published.") % {"event": event}

        return pages.ask(
            self,
            request,
            title=_("Publish “%(event)s”") % {"event": event},
            lead=_(
                "Everybody will see the event, on %(days)s. Afterwards its days change only by "
                "moving it, and its address stays."
            )
            % {"days": shown.days(event.starts_on, event.ends_on)},
            submit_label=_("Publish"),
            back=self.change_url(event),
            act=act,
        )

    def postpone(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        event = self.load(request, pk)

        def act(typed: dict) -> str:
            schedule.postpone(event, by=request.user, now=clock.now(), reason=typed["reason"])
            return _("“%(event)s” is postponed.") % {"event": event}

        return pages.ask(
            self,
            request,
            title=_("Postpone “%(event)s”") % {"event": event},
            lead=_(
                "The event stays on its page, marked as postponed. Nobody can register until you "
                "move it to other days. Reminders that wait in the queue are cancelled."
            ),
            form=forms.ReasonForm(request.POST or None),
            letters=self.told_of(event),
            submit_label=_("Postpone"),
            is_danger=True,
            back=self.change_url(event),
            act=act,
        )

    def move(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        event = self.load(request, pk)

        def act(typed: dict) -> str:
            schedule.move(
                event,
                **{name: typed[name] for name in ("starts_on", "ends_on", "starts_at", "ends_at")},
                by=request.user,
                now=clock.now(),
                reason=typed["reason"],
            )
            return _("“%(event)s” is moved to %(days)s.") % {
                "event": event,
                "days": shown.days(event.starts_on, event.ends_on),
            }

        return pages.ask(
            self,
            request,
            title=_("Move “%(event)s” to other days") % {"event": event},
            lead=_(
                "It is planned for %(days)s. The old days stay on the page, struck out. Times "
                "are those of %(city)s. Deadlines do not move with it: move them one by one."
            )
            % {
                "days": shown.days(event.starts_on, event.ends_on),
                "city": shown.city(event.zone),
            },
            form=forms.MoveEventForm(
                request.POST or None,
                zone=event.zone,
                initial={"starts_on": event.starts_on, "ends_on": event.ends_on}
                | forms.typed_times(event, event.zone),
            ),
            letters=self.told_of(event),
            submit_label=_("Move the event"),
            back=self.change_url(event),
            act=act,
        )

    def begin_like(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        event = self.load(request, pk)
        if not self.may_begin_like(request, event):
            raise PermissionDenied
        new: list[Event] = []

        def act(typed: dict) -> str:
            new.append(copying.begin_like(event, **typed, by=request.user, now=clock.now()))
            return _(
                "“%(event)s” is begun. Look at its texts and deadlines before you publish."
            ) % {"event": new[0]}

        answer = pages.ask(
            self,
            request,
            title=_("Begin a new event like “%(event)s”") % {"event": event},
            lead=_(
                "The new one is a draft. It has the texts, the place, the seats, the parts, the "
                "deadlines, the reminders and the questions of this one, all as many days later or "
                "earlier. "
                "People, documents and organisers of this one alone stay here."
            ),
            form=forms.LikeEventForm(request.POST or None),
            beside={refusals.SlugTaken: "slug"},
            submit_label=_("Begin it"),
            back=self.change_url(event),
            act=act,
        )
        return redirect(self.change_url(new[0])) if new else answer

    def cancel(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        event = self.load(request, pk)

        def act(typed: dict) -> str:
            schedule.cancel(event, by=request.user, now=clock.now(), reason=typed["reason"])
            return _("“%(event)s” is cancelled.") % {"event": event}

        return pages.ask(
            self,
            request,
            title=_("Cancel “%(event)s”") % {"event": event},
            lead=_(
                "The event stays on its page, marked as cancelled, for good. Nobody can register. "
                "Reminders that wait in the queue are cancelled."
            ),
            form=forms.ReasonForm(request.POST or None),
            letters=self.told_of(event),
            submit_label=_("Cancel the event"),
            is_danger=True,
            back=self.change_url(event),
            act=act,
        )
