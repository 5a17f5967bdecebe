"""Letters that organisers write: to whom, in which words, looked at, sent, followed and stopped."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from translated_fields import to_attribute

import clock
from accounts.models import User
from clock.fields import WallTimeForm
from events import texts
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin, ScopedFilter
from events.models import Event
from events.rights import Right
from notifications.models import Letter
from notifications.models import State as LetterState
from registrations import addressees, composing, mails, placeholders, refusals
from registrations.addressees import Addressed, Addressee
from registrations.admin import audience
from registrations.admin.sight import EVENT, Sight
from registrations.models import Message, SavedView
from registrations.models.messages import LONGEST_SUBJECT, LONGEST_TEXT

LANGUAGES = dict(settings.CONTENT_LANGUAGES)
CODES = sorted(LANGUAGES, key=lambda code: code != texts.SOURCE)
"""English first: the others are read against it."""
GIVEN, ALL = "given", "all"
SHOWN = 50
SAMPLES = 3
State = Message.State
TAGS = {State.WAITING: "warn", State.SENDING: "warn", State.SENT: "ok", State.STOPPED: "bad"}
UNWANTED = gettext_lazy("They want no news of this event.")


class MessageForm(forms.Form):
    """To whom, and what; the filters that one comes with stand first."""

    audience = forms.ChoiceField(
        label=gettext_lazy("To whom"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Who that is, is asked again when the letter leaves: whoever comes to it meanwhile "
            "gets the letter, whoever leaves it gets none."
        ),
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("It is no longer here. Choose another one."),
        },
    )
    to = forms.ChoiceField(
        label=gettext_lazy("Who reads it"),
        widget=forms.RadioSelect,
        choices=Message.To,
        initial=Message.To.POINTS,
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("Choose one."),
        },
    )

    def __init__(self, *args: Any, event: Event, given: str, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given, self.user = given, user
        self.views = {str(view.pk): view for view in views_of(event, user)}
        chips = audience.of(event, given, user).chips if given else []
        self.fields["audience"].choices = [
            *([(GIVEN, texts.listed_apart(chips))] if given else []),
            (ALL, _("Everybody in the attendee list of this event")),
            *(
                (key, _("Saved view: %(name)s") % {"name": view})
                for key, view in self.views.items()
            ),
        ]
        self.fields["audience"].initial = GIVEN if given else ALL
        for code in CODES:
            said = {"language": LANGUAGES[code]}
            attrs = {"lang": code, "dir": "auto"}
            self.fields[to_attribute("subject", code)] = forms.CharField(
                label=_("Subject (%(language)s)") % said,
                required=False,
                max_length=LONGEST_SUBJECT,
                widget=forms.TextInput(attrs=attrs),
            )
            self.fields[to_attribute("text", code)] = forms.CharField(
                label=_("Text (%(language)s)") % said,
                required=False,
                max_length=LONGEST_TEXT,
                widget=forms.Textarea(attrs=attrs | {"rows": 10 if code == texts.SOURCE else 6}),
            )

    def typed(self) -> dict[str, str]:
        """What the verbs take."""
        typed = dict(self.cleaned_data)
        chosen = typed.pop("audience")
        query = {GIVEN: self.given, ALL: ""}.get(chosen)
        view = self.views.get(chosen)
        return typed | {"query": audience.named(view.query if view else query or "", self.user)}

    def languages(self) -> list[dict[str, Any]]:
        """The questions of each language; those that hold something, or need mending, are open."""
        rows = []
        for code in CODES:
            fields = [self[to_attribute(name, code)] for name in ("subject", "text")]
            is_open = any(field.value() or field.errors for field in fields)
            rows.append(
                {
                    "name": LANGUAGES[code],
                    "fields": fields,
                    "is_first": code == texts.SOURCE,
                    "is_open": is_open,
                    "is_missing": not all(field.value() for field in fields),
                }
            )
        return rows


class SendForm(WallTimeForm):
    SOON, LATER = "soon", "later"
    takes_through = False

    when = forms.ChoiceField(
        label=gettext_lazy("When does it leave?"),
        widget=forms.RadioSelect,
        choices=[
            (SOON, gettext_lazy("In five minutes. Until then you can stop it.")),
            (LATER, gettext_lazy("At a moment that I choose")),
        ],
        initial=SOON,
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("Choose one."),
        },
    )
    field_order = ["when", "day", "time"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"].required = False
        self.fields["time"].help_text = _("By the clocks of the event. Empty means 00:00.")

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        if typed.get("when") == self.LATER and not typed.get("day") and "day" not in self.errors:
            self.add_error("day", _("Write the day."))
        return typed

    @property
    def moment(self) -> datetime | None:
        is_later = self.cleaned_data["when"] == self.LATER
        return self.cleaned_data["moment"] if is_later else None


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=gettext_lazy("In which language"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("Choose one."),
        },
    )

    def __init__(self, *args: Any, message: Message, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [
            (
                code,
                LANGUAGES[code]
                if code in message.languages
                else _("%(language)s: missing, read in English") % {"language": LANGUAGES[code]},
            )
            for code in CODES
        ]
        self.fields["language"].initial = texts.SOURCE


@dataclass(frozen=True)
class Sample:
    language: str
    to: str
    subject: str
    text: str


def views_of(event: Event, user: User) -> list[SavedView]:
    """Those that this organiser can open, but for views of another event."""
    views = SavedView.objects.open_to(user).in_order()
    return [view for view in views if QueryDict(view.query).get(EVENT) in (None, str(event.pk))]


def write(of: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """The page of an event on which a letter is begun; its address may hold filters."""
    own = of.admin_site.get_model_admin(Message)

    def keep(typed: dict[str, str]) -> Message:
        return composing.draft(event, **typed, by=request.user, now=clock.now())

    try:
        given = audience.normal(request.GET.urlencode())
        return own.wording(request, event, given, {}, keep, back=of.change_url(event))
    except refusals.AudienceUnknown as refused:
        own.message_user(request, str(refused), "ERROR")
        return own.wording(request, event, "", {"audience": None}, keep, back=of.change_url(event))


@admin.register(Message)
class MessageAdmin(ScopedAdmin):
    sees = changes = remembers = Right.CONTACT
    list_display = ["subject_link", "event", "state_said", "by_said", "leaves_said", "left_said"]
    list_display_links = None
    list_select_related = ["event", "by"]
    list_filter = ["state", ("event", ScopedFilter)]
    ordering = ["-made_at"]
    fields = ["subject_said", "event", "state_said", "by_said", "made_said", "leaves_said"]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return everything.open_to(user, right)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        letters = Letter.objects.filter(about=OuterRef("pk")).order_by().values("about")
        left = letters.filter(state=LetterState.SENT).annotate(n=Count("pk")).values("n")
        return (
            super()
            .get_queryset(request)
            .annotate(
                written=Coalesce(Subquery(letters.annotate(n=Count("pk")).values("n")), 0),
                left=Coalesce(Subquery(left), 0),
            )
        )

    def scope_of(self, obj: Message) -> UUID:
        return obj.event_id

    def zone_of(self, obj: Message) -> str:
        return obj.event.zone

    @admin.display(description=gettext_lazy("subject"))
    def subject_link(self, obj: Message) -> SafeString:
        return format_html('<a href="{}"><bdi>{}</bdi></a>', self.page_url("look", obj), obj)

    @admin.display(description=gettext_lazy("subject"))
    def subject_said(self, obj: Message) -> str:
        return str(obj)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_said(self, obj: Message) -> str:
        return obj.get_state_display()

    @admin.display(description=gettext_lazy("by"))
    def by_said(self, obj: Message) -> str:
        return str(obj.by)

    @admin.display(description=gettext_lazy("begun"), ordering="made_at")
    def made_said(self, obj: Message) -> str:
        return timeline.said(obj.made_at, obj.event.zone)

    @admin.display(description=gettext_lazy("leaves"), ordering="leaves_at")
    def leaves_said(self, obj: Message) -> str:
        return timeline.said(obj.leaves_at, obj.event.zone)

    @admin.display(description=gettext_lazy("have left"))
    def left_said(self, obj: Message) -> str:
        if not obj.written:
            return timeline.NOTHING
        return _("%(left)s of %(all)s") % {"left": obj.left, "all": obj.written}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Letters to people")} | (extra_context or {})
        return super().changelist_view(request, context)

    def tools(self, request: HttpRequest, obj: Message) -> list[tuple[str, str]]:
        return self.links(request, obj, [(_("Look at the letter"), "look")])

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("words", self.words),
            ("look", self.look),
            ("try_out", self.try_out),
            ("send", self.send),
            ("stop", self.stop),
        ]

    # Its words

    def words(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        message = self.load(request, pk)
        if message.state != State.DRAFT:
            self.message_user(request, str(refusals.SentByNow(message)), "ERROR")
            return redirect(self.page_url("look", message))
        columns = [*composing.SUBJECTS, *composing.TEXTS, "to"]
        initial = {name: getattr(message, name) for name in columns}

        def keep(typed: dict[str, str]) -> Message:
            return composing.change(message, **typed, by=request.user, now=clock.now())

        back = self.page_url("look", message)
        try:
            return self.wording(request, message.event, message.query, initial, keep, back=back)
        except refusals.AudienceUnknown as refused:
            self.message_user(request, str(refused), "ERROR")
            chosen = initial | {"audience": None}
            return self.wording(request, message.event, "", chosen, keep, back=back)

    def wording(
        self,
        request: HttpRequest,
        event: Event,
        given: str,
        initial: dict[str, str],
        keep: Any,
        *,
        back: str,
    ) -> HttpResponse:
        is_confirmed = request.method == "POST" and "confirm" in request.POST
        form = MessageForm(
            request.POST if is_confirmed else None,
            event=event,
            given=given,
            user=request.user,
            initial=initial,
        )
        if is_confirmed and form.is_valid():
            try:
                return redirect(self.page_url("look", keep(form.typed())))
            except refusals.Misworded:
                for fault in composing.faults(Message(event=event, **form.typed())):
                    form.add_error(fault.column, str(fault))
            except refusals.AudienceUnknown as refused:
                form.add_error("audience", str(refused))
            except refusals.SentByNow as refused:
                form.add_error(None, str(refused))
        return pages.show(
            self,
            request,
            template="admin/registrations/message/words.html",
            title=_("Write to people of “%(event)s”") % {"event": event},
            lead=_("Nothing leaves from this page. You look at the letter first."),
            submit_label=_("Save and look"),
            back=back,
            form=form,
            languages=form.languages(),
            placeholders=[(f"{{{name}}}", means) for name, means in placeholders.MEANS.items()],
        )

    # Looked at, before and after

    def look(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        message = self.load(request, pk)
        is_before = message.state in (State.DRAFT, State.WAITING)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Letter “%(subject)s”") % {"subject": message},
            "message": message,
            "tag": TAGS.get(message.state, ""),
            "leaves": self.leaves_said(message),
            "is_before": is_before,
            "is_draft": message.state == State.DRAFT,
            "can_stop": message.state in (State.WAITING, State.SENDING),
            "urls": {word: self.page_url(word, message) for word, _view in self.pages()},
            "event_url": self.admin_site.get_model_admin(Event).change_url(message.event),
            "list_url": list_url(message.event),
            "languages": [
                {"name": LANGUAGES[code], "is_missing": code not in message.languages}
                for code in CODES
            ],
            **(self.foreseen(request, message) if is_before else self.progress(message)),
        }
        return TemplateResponse(request, "admin/registrations/message/look.html", context)

    def foreseen(self, request: HttpRequest, message: Message) -> dict[str, Any]:
        """Who would get it as of now."""
        try:
            people, chips = audience.of(message.event, message.query, request.user)
        except refusals.AudienceUnknown as refused:
            return {"unknown": str(refused)}
        prefetch_related_objects([message.event], "deadlines")
        addressed = addressees.of(message, people)
        readers = Counter(one.reader.language for one in addressed.letters)
        return {
            "chips": chips,
            "addressed": addressed,
            "shown": [
                {"one": one, "language": LANGUAGES[one.reader.language]}
                for one in addressed.letters[:SHOWN]
            ],
            "more": max(0, len(addressed.letters) - SHOWN),
            "unreachable": addressees.unreachable(addressed),
            "unwelcome": addressees.unwelcome(message, addressed),
            "languages": [
                {
                    "name": LANGUAGES[code],
                    "is_missing": code not in message.languages,
                    "readers": readers[code],
                }
                for code in CODES
            ],
            "samples": samples(message, addressed, now=clock.now()),
        }

    def progress(self, message: Message) -> dict[str, Any]:
        """How far its letters have come, and what became of those that did not arrive."""
        counted = dict(message.letters.order_by().values_list("state").annotate(n=Count("pk")))
        all_of_them = sum(counted.values())
        lost = message.letters.filter(state__in=[LetterState.FAILED, LetterState.SUPPRESSED])
        return {
            "is_being_written": message.state == State.SENDING and message.written_at is None,
            "left": counted.get(LetterState.SENT, 0),
            "all": all_of_them,
            "figures": [
                (state.label, counted[state]) for state in LetterState if counted.get(state)
            ],
            "lost": [
                {
                    "letter": letter,
                    "reason": letter.last_error or UNWANTED,
                    "url": reverse("admin:notifications_letter_change", args=[letter.pk]),
                }
                for letter in lost.defer("text", "html").order_by("to")[:SHOWN]
            ],
            "letters_url": f"{reverse('admin:notifications_letter_changelist')}?about={message.pk}",
            "written": [
                {"language": code, "name": LANGUAGES[code], "words": message.written_in(code)}
                for code in CODES
                if code in message.languages
            ],
        }

    # Tried out, sent, stopped

    def try_out(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        message = self.load(request, pk)
        form = LanguageForm(request.POST if "confirm" in request.POST else None, message=message)

        def act(typed: dict[str, Any]) -> str:
            composing.try_out(
                message,
                people=audience.of(message.event, message.query, request.user).people,
                language=typed["language"],
                by=request.user,
                now=clock.now(),
            )
            return _("A test is on its way to %(address)s.") % {"address": request.user.email}

        return pages.ask(
            self,
            request,
            title=_("Try out “%(subject)s”") % {"subject": message},
            lead=_(
                "One letter goes to you, at %(address)s, as the first of its readers would read it "
                "in that language. Nobody else is written to."
            )
            % {"address": request.user.email},
            submit_label=_("Send it to me"),
            form=form,
            back=self.page_url("look", message),
            refused_by=refusals.Refusal,
            act=act,
        )

    def send(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        message = self.load(request, pk)
        form = SendForm(
            request.POST if "confirm" in request.POST else None, zone=message.event.zone
        )
        back = self.page_url("look", message)
        try:
            people = audience.of(message.event, message.query, request.user).people
        except refusals.AudienceUnknown as refused:
            self.message_user(request, str(refused), "ERROR")
            return redirect(back)
        addressed = addressees.of(message, people)

        def act(_typed: dict[str, Any]) -> str:
            held = composing.send(
                message, people=people, at=form.moment, by=request.user, now=clock.now()
            )
            return _("The letter leaves on %(moment)s. Until then you can stop it.") % {
                "moment": timeline.said(held.leaves_at, held.event.zone)
            }

        return pages.ask(
            self,
            request,
            title=_("Send “%(subject)s”") % {"subject": message},
            lead=letters_said(len(addressed.letters)),
            people=missing_said(message, addressed),
            people_title=_("Languages that are missing"),
            submit_label=_("Send"),
            form=form,
            back=back,
            refused_by=refusals.Refusal,
            beside={refusals.LeavesTooSoon: "day"},
            act=act,
        )

    def stop(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        message = self.load(request, pk)

        def act(_typed: dict[str, Any]) -> str:
            was_waiting = message.state == State.WAITING
            left = composing.stop(message, by=request.user, now=clock.now())
            if was_waiting and not left:
                return _("The letter is stopped: nothing has left. It is a draft again.")
            return ngettext(
                "The letter is stopped. %(n)s letter had left.",
                "The letter is stopped. %(n)s letters had left.",
                left,
            ) % {"n": left}

        return pages.ask(
            self,
            request,
            title=_("Stop “%(subject)s”") % {"subject": message},
            lead=_("What has not left is cancelled. What has left cannot be taken back."),
            submit_label=_("Stop the letter"),
            is_danger=True,
            back=self.page_url("look", message),
            refused_by=refusals.Refusal,
            act=act,
        )


def list_url(event: Event) -> str:
    """All letters that organisers have written to people of an event."""
    place = reverse("admin:registrations_message_changelist")
    return f"{place}?event__id__exact={event.pk}"


def write_url(sight: Sight, query: str) -> str:
    """Where one writes to those whom the attendee list shows, if they are of one event and this
    organiser may."""
    events = {str(pk): pk for pk in sight.where(Right.CONTACT)}
    only = next(iter(events)) if len(events) == 1 else ""
    chosen = events.get(sight.wanted or only)
    return f"{reverse('admin:events_event_write', args=[chosen])}?{query}" if chosen else ""


def samples(message: Message, addressed: Addressed, *, now: datetime) -> list[dict[str, Any]]:
    """As its first readers in each language will read it."""
    if not any(message.written_in(texts.SOURCE)):
        return []
    by_language: dict[str, list[Addressee]] = {}
    for one in addressed.letters:
        by_language.setdefault(one.reader.language, []).append(one)
    return [
        {
            "name": LANGUAGES[code],
            "language": code,
            "letters": [
                Sample(code, letter.to, letter.subject, letter.shown_text())
                for one in by_language[code][:SAMPLES]
                for letter in [mails.message_sample(message, one, now=now)]
            ],
        }
        for code in CODES
        if code in by_language
    ]


def letters_said(n: int) -> str:
    """“3 letters would go out as of now.”"""
    return ngettext(
        "%(n)s letter would go out as of now. Who gets it is asked again when it leaves.",
        "%(n)s letters would go out as of now. Who gets them is asked again when they leave.",
        n,
    ) % {"n": n}


def missing_said(message: Message, addressed: Addressed) -> list[str]:
    """“Arabic: 3 readers get English”"""
    readers = Counter(one.reader.language for one in addressed.letters)
    return [
        ngettext(
            "%(language)s: %(n)s reader gets English",
            "%(language)s: %(n)s readers get English",
            readers[code],
        )
        % {"language": LANGUAGES[code], "n": readers[code]}
        for code in CODES
        if readers[code] and code not in message.languages
    ]
