"""The letters of the events whose letters and history an organiser may read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, linebreaks
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

import clock
from accounts.models import User
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin
from events.models import Event
from events.rights import Right
from notifications import preferences, recall, refusals
from notifications.models import PENDING, SIGNED, Letter, State, Suppression

SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Act:
    """Something that an organiser with the right does with letters. The verb takes one, and says
    whether it did something, or why it does not."""

    word: str
    verb: Callable[[Letter, datetime], object]
    fits: tuple[State, ...]
    title: Any
    submit_label: Any
    lead: Any
    done: Any
    remembered: str
    right: Right = Right.RUN
    is_danger: bool = False


HOLD = Act(
    "hold",
    lambda letter, now: recall.hold([letter.pk], now=now),
    (State.QUEUED, State.SENDING),
    gettext_lazy("Hold letters"),
    gettext_lazy("Hold"),
    gettext_lazy("They do not leave until they are released. What has left already is not held."),
    ngettext_lazy("%(n)s letter is held.", "%(n)s letters are held.", "n"),
    gettext_noop("letter held"),
)
RELEASE = Act(
    "release",
    lambda letter, now: recall.release([letter.pk], now=now),
    (State.HELD,),
    gettext_lazy("Release letters"),
    gettext_lazy("Release"),
    gettext_lazy("They go on their way at once. What is no longer true expires instead."),
    ngettext_lazy("%(n)s letter is released.", "%(n)s letters are released.", "n"),
    gettext_noop("letter released"),
)
CANCEL = Act(
    "cancel",
    lambda letter, now: recall.cancel(letters=[letter.pk], now=now),
    PENDING,
    gettext_lazy("Cancel letters"),
    gettext_lazy("Cancel the letters"),
    gettext_lazy("They are not sent. What has left already cannot be taken back."),
    ngettext_lazy("%(n)s letter is cancelled.", "%(n)s letters are cancelled.", "n"),
    gettext_noop("letter cancelled"),
    is_danger=True,
)
SEND_AGAIN = Act(
    "send_again",
    lambda letter, now: recall.send_again(letter, now=now),
    (State.SENT, State.FAILED, State.CANCELLED, State.SUPPRESSED),
    gettext_lazy("Send letters again"),
    gettext_lazy("Send again"),
    gettext_lazy(
        "What did not arrive is sent once more; of what has been sent, a copy goes to the same "
        "address."
    ),
    ngettext_lazy("%(n)s letter is sent again.", "%(n)s letters are sent again.", "n"),
    gettext_noop("letter sent again"),
    right=Right.CONTACT,
)
ACTS = [HOLD, RELEASE, CANCEL, SEND_AGAIN]


@admin.register(Letter)
class LetterAdmin(ScopedAdmin):
    sees = Right.CONTACT
    page_rights = {
        "page": Right.CONTACT,
        "reach": Right.CONTACT,
        **{act.word: act.right for act in ACTS},
    }
    list_display = ["subject", "to", "kind", "state", "posted_said", "sent_said"]
    list_filter = ["state", "kind"]
    actions = [act.word for act in ACTS]
    narrowed_by = ("about", "scope")
    search_fields = ["to", "subject"]
    ordering = ["-posted_at"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "state",
                    "to",
                    "reply_to",
                    "language",
                    "subject",
                    "kind",
                    "event_said",
                    "words",
                    "page",
                ]
            },
        ),
        (
            gettext_lazy("On its way"),
            {
                "fields": [
                    "posted_said",
                    "not_before_said",
                    "sent_said",
                    "expires_said",
                    "ended_said",
                    "attempts",
                    "last_error",
                ]
            },
        ),
    ]

    def open_to(self, everything: QuerySet, user: User, right: Right) -> QuerySet:
        if user.is_superuser:
            return everything
        return everything.filter(scope__in=Event.objects.open_to(user, right).values("id"))

    def scope_of(self, obj: Letter) -> UUID | None:
        return obj.scope

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("page", xframe_options_sameorigin(self.html_part)),
            ("reach", self.write_again),
            *((act.word, partial(self.act_on_one, act=act)) for act in ACTS),
        ]

    def tools(self, request: HttpRequest, obj: Letter) -> list[tuple[str, str]]:
        possible = [(act.submit_label, act.word) for act in ACTS if obj.state in act.fits]
        if self.suppression_of(obj):
            possible.insert(0, (_("Write to this address again"), "reach"))
        return self.links(request, obj, possible)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.suppression_of(obj) is None:
            return self.fieldsets
        cannot = (
            gettext_lazy("This address cannot be reached"),
            {"fields": ["cannot_since", "cannot_reason", "cannot_said", "cannot_advice"]},
        )
        return [cannot, *self.fieldsets]

    # Holding, releasing, cancelling, sending again

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Letters are chosen by their ids; whatever else is posted chooses none."""
        try:
            for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
                UUID(chosen)
        except ValueError:
            return self.turn_away(request, request.get_full_path())
        return super().response_action(request, queryset)

    @admin.action(description=gettext_lazy("Hold…"))
    def hold(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.act_on_many(request, HOLD, queryset)

    @admin.action(description=gettext_lazy("Release…"))
    def release(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.act_on_many(request, RELEASE, queryset)

    @admin.action(description=gettext_lazy("Cancel…"))
    def cancel(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.act_on_many(request, CANCEL, queryset)

    @admin.action(description=gettext_lazy("Send again…"))
    def send_again(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        return self.act_on_many(request, SEND_AGAIN, queryset)

    def act_on_one(self, request: HttpRequest, pk: UUID, act: Act) -> HttpResponse:
        letter = self.load(request, pk)
        return self.confirm(request, act, [letter], back=self.change_url(letter))

    def act_on_many(self, request: HttpRequest, act: Act, listed: QuerySet) -> HttpResponse:
        """At first those whom the list holds; then those that the page before has named, though
        they may have left a filtered list meanwhile."""
        chosen: Any = listed.values("pk")
        if "confirm" in request.POST:
            chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        letters = self.rows(request, act.right).filter(pk__in=chosen).order_by("posted_at", "pk")
        back = request.get_full_path()
        most = list(letters[: MOST_AT_ONCE + 1])
        if not most:
            return self.turn_away(request, back)
        if len(most) > MOST_AT_ONCE:
            too_many = _("At most %(n)s letters can be chosen in one step.") % {"n": MOST_AT_ONCE}
            messages.error(request, too_many)
            return redirect(back)
        return self.confirm(
            request,
            act,
            most,
            back=back,
            action_name=act.word,
            hidden=[(ACTION_CHECKBOX_NAME, str(letter.pk)) for letter in most],
        )

    def turn_away(self, request: HttpRequest, back: str) -> HttpResponse:
        messages.error(request, _("None of these letters is in your list. Nothing was changed."))
        return redirect(back)

    def confirm(
        self, request: HttpRequest, act: Act, letters: list[Letter], *, back: str, **context: Any
    ) -> HttpResponse:
        """Name the letters; once that is confirmed, act on each, and say what was refused."""
        form = forms.Form(request.POST if "confirm" in request.POST else None)
        if form.is_bound:
            done, refused = self.act(request, act, letters)
            if done:
                for sentence in refused:
                    messages.error(request, sentence)
                messages.success(request, act.done % {"n": done})
                return redirect(back)
            for sentence in refused or [_("Nothing was changed: none of these letters allows it.")]:
                form.add_error(None, sentence)
        return pages.show(
            self,
            request,
            title=str(act.title),
            lead=str(act.lead),
            submit_label=act.submit_label,
            is_danger=act.is_danger,
            people_title=_("These letters"),
            people=[f"{letter} ({letter.get_state_display()})" for letter in letters],
            form=form,
            back=back,
            **context,
        )

    def act(self, request: HttpRequest, act: Act, letters: list[Letter]) -> tuple[int, list[str]]:
        """On how many, and what was refused."""
        done, told, now = 0, [], clock.now()
        for letter in letters:
            try:
                with transaction.atomic():
                    if not act.verb(letter, now):
                        continue
                    self.remember_act(request, act, letter)
            except refusals.Refusal as refused:
                told.append(str(refused))
            else:
                done += 1
        return done, told

    def remember_act(self, request: HttpRequest, act: Act, letter: Letter) -> None:
        before, after = letter.state, Letter.objects.only("state").get(pk=letter.pk).state
        self.remember(request, act.remembered, letter, {"state": before}, {"state": after})

    # Addresses that cannot be reached

    def suppression_of(self, letter: Letter) -> Suppression | None:
        return Suppression.objects.of(letter.to).first()

    def write_again(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        letter = self.load(request, pk)

        def act(typed: dict) -> str:
            if preferences.lift(letter.to, clock.now()):
                verb = gettext_noop("address written to again")
                self.remember(request, verb, letter, {}, {"to": letter.to})
            return _("Letters go to %(to)s again. Those that did not arrive can be sent again.") % {
                "to": letter.to
            }

        return pages.ask(
            self,
            request,
            title=_("Write to this address again"),
            lead=_("Do so when %(to)s works again, or never was at fault. New letters go there.")
            % {"to": letter.to},
            submit_label=_("Write to this address again"),
            back=self.change_url(letter),
            act=act,
        )

    @admin.display(description=gettext_lazy("since"))
    def cannot_since(self, letter: Letter) -> str:
        cannot = self.suppression_of(letter)
        return timeline.said(cannot and cannot.since, "UTC")

    @admin.display(description=gettext_lazy("why"))
    def cannot_reason(self, letter: Letter) -> str:
        cannot = self.suppression_of(letter)
        return cannot.get_reason_display() if cannot else timeline.NOTHING

    @admin.display(description=gettext_lazy("what the mail server said"))
    def cannot_said(self, letter: Letter) -> str:
        cannot = self.suppression_of(letter)
        return (cannot and cannot.said) or timeline.NOTHING

    @admin.display(description=gettext_lazy("what to do"))
    def cannot_advice(self, letter: Letter) -> str:
        return _(
            "Phone the group, or write to another focal point of it. Correct the address where it "
            "is misspelt. When the address works again, choose “Write to this address again”, and "
            "then send the letter again. Sign-in codes still go there."
        )

    def html_part(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The letter's own page, in a box: nothing in it runs, loads or leads anywhere."""
        letter = self.load(request, pk)
        if not self.has_page(letter):
            raise Http404
        html = letter.html if settings.DEMO else SIGNED.sub(r"\1…", letter.html)
        return HttpResponse(html, headers={"Content-Security-Policy": SANDBOX})

    def has_page(self, letter: Letter) -> bool:
        return bool(letter.html) and (settings.DEMO or not letter.is_secret)

    @admin.display(description=gettext_lazy("event"))
    def event_said(self, letter: Letter) -> str:
        event = Event.objects.filter(id=letter.scope).first()
        return str(event) if event else timeline.NOTHING

    @admin.display(description=gettext_lazy("text"))
    def words(self, letter: Letter) -> str:
        return mark_safe(linebreaks(letter.shown_text(), autoescape=True))  # noqa: S308

    @admin.display(description=gettext_lazy("as it looks"))
    def page(self, letter: Letter) -> str:
        if not self.has_page(letter):
            return timeline.NOTHING
        return format_html(
            '<iframe class="letter" sandbox title="{}" src="{}" width="640" height="480"></iframe>',
            letter.subject,
            self.page_url("page", letter),
        )

    @admin.display(description=gettext_lazy("posted"), ordering="posted_at")
    def posted_said(self, letter: Letter) -> str:
        return timeline.said(letter.posted_at, "UTC")

    @admin.display(description=gettext_lazy("sent"), ordering="sent_at")
    def sent_said(self, letter: Letter) -> str:
        return timeline.said(letter.sent_at, "UTC")

    @admin.display(description=gettext_lazy("not before"))
    def not_before_said(self, letter: Letter) -> str:
        return timeline.said(letter.not_before, "UTC")

    @admin.display(description=gettext_lazy("true until"))
    def expires_said(self, letter: Letter) -> str:
        return timeline.said(letter.expires_at, "UTC")

    @admin.display(description=gettext_lazy("given up or taken back"))
    def ended_said(self, letter: Letter) -> str:
        return timeline.said(letter.ended_at, "UTC")
