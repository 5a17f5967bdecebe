"""Groups that are asked to register: many at once, each line looked at before a letter goes."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from accounts import names
from accounts.models import User
from clock import shown
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin, ScopedFilter
from events.models import Event
from events.rights import Right
from registrations import invitations, refusals
from registrations.models import Invitation

MOST_AT_ONCE = 2000
LONGEST_NAME = Invitation._meta.get_field("name").max_length
LONGEST_ADDRESS = Invitation._meta.get_field("email").max_length
NEW, KNOWN = "new", "known"
QUOTED = re.compile(r'"(.*)"')


@dataclass(frozen=True)
class Line:
    """One line as it was typed; its address and name, or why it is not understood."""

    number: int
    typed: str
    email: str = ""
    name: str = ""
    refused: str = ""
    is_known: bool = False


class InviteForm(forms.Form):
    groups = forms.CharField(
        label=gettext_lazy("Groups"),
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        max_length=400_000,
        strip=False,
        help_text=gettext_lazy(
            "One in each line: an email address, or a name with the address in angle brackets, "
            "like: Diaspora Network <amina@diaspora.example>"
        ),
        error_messages={"required": gettext_lazy("Write at least one address.")},
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the letter"),
        choices=settings.LANGUAGES,
        initial="en",
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.event = event
        self.lines: list[Line] = []

    def clean_groups(self) -> str:
        text = self.cleaned_data["groups"]
        self.lines = read(text, self.event)
        if not self.lines:
            raise ValidationError(self.fields["groups"].error_messages["required"])
        if len(self.lines) > MOST_AT_ONCE:
            raise ValidationError(
                _("At most %(n)s groups can be invited in one step."), params={"n": MOST_AT_ONCE}
            )
        raise_for(self.lines)
        return text

    def addresses(self) -> list[tuple[str, str]]:
        return [(line.email, line.name) for line in self.lines]


def raise_for(lines: list[Line]) -> None:
    bad = [
        ValidationError(
            _("Line %(number)s: %(sentence)s"),
            params={"number": line.number, "sentence": line.refused},
        )
        for line in lines
        if line.refused
    ]
    if bad:
        raise ValidationError(bad)


def read(text: str, event: Event) -> list[Line]:
    """What each line says. Those that an invitation of the event has already are known."""
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for number, typed in enumerate(text.splitlines(), start=1):
        if not typed.strip():
            continue
        name, email, refused = _parts(typed.strip())
        first = seen.setdefault(email.lower(), number) if email and not refused else number
        if first != number:
            refused = _("this address stands in line %(first)s already. Take one of them out.") % {
                "first": first
            }
        lines.append(Line(number, typed.strip(), email, name, refused))
    known = set(
        Invitation.objects.filter(event=event)
        .annotate(address=Lower("email"))
        .filter(address__in=seen)
        .values_list("address", flat=True)
    )
    return [
        Line(one.number, one.typed, one.email, one.name, one.refused, one.email.lower() in known)
        for one in lines
    ]


def _parts(typed: str) -> tuple[str, str, str]:
    """Name and address; and a sentence where that is not what the line says."""
    before, is_named, after = typed.rpartition("<")
    quoted = QUOTED.fullmatch(before.strip())
    name = names.one_line(quoted[1].replace('\\"', '"') if quoted else before.strip())
    email = after.partition(">")[0].strip() if is_named else typed
    try:
        validate_email(email)
    except ValidationError:
        return name, email, _("“%(typed)s” is no email address.") % {"typed": email or typed}
    if len(email) > LONGEST_ADDRESS:
        return name, email, _("the address is longer than an address can be.")
    if len(name) > LONGEST_NAME:
        return name, email, _("the name is longer than %(n)s letters.") % {"n": LONGEST_NAME}
    return name, email, ""


def page(of: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """Asks for the groups, shows what becomes of each line, and invites when that was seen."""
    form = InviteForm(request.POST if "confirm" in request.POST else None, event=event)
    frame: dict[str, Any] = {
        "title": _("Invite groups to “%(event)s”") % {"event": event},
        "lead": _(
            "Each gets a letter with a link to register, and one to say that nobody comes. While "
            "there is no answer they are reminded before registration closes."
        ),
        "form": form,
        "back": of.change_url(event),
        "template": "admin/events/event/invite.html",
        "lines": form.lines,
    }
    typed = ""
    if form.is_bound and form.is_valid():
        typed = pages.digest([form.cleaned_data["language"], form.addresses()])
    frame["lines"] = form.lines
    if typed and request.POST.get("previewed") == typed:

        def act(data: dict) -> str:
            new, known = invitations.invite(
                event,
                addresses=form.addresses(),
                language=data["language"],
                by=request.user,
                now=clock.now(),
            )
            return said(_number(new), _number(known))

        return pages.ask(
            of,
            request,
            submit_label=_("Invite"),
            hidden=[("previewed", typed)],
            refused_by=refusals.Refusal,
            act=act,
            **frame,
        )
    return pages.show(
        of,
        request,
        submit_label=_("Invite") if typed else _("Show what will happen"),
        hidden=[("previewed", typed)],
        letters=foretold(form.lines) if typed else "",
        **frame,
    )


def _number(of: Any) -> int:
    return of if isinstance(of, int) else len(of)


def foretold(lines: list[Line]) -> str:
    new = sum(1 for line in lines if not line.is_known)
    told = ngettext("%(n)s letter goes out.", "%(n)s letters go out.", new) % {"n": new}
    known = len(lines) - new
    if not known:
        return told
    return f"{told} " + ngettext(
        "%(n)s group is invited already: it gets no second letter.",
        "%(n)s groups are invited already: they get no second letter.",
        known,
    ) % {"n": known}


def said(new: int, known: int) -> str:
    told = ngettext("%(n)s group is invited.", "%(n)s groups are invited.", new) % {"n": new}
    if not known:
        return told
    return f"{told} " + ngettext(
        "%(n)s was invited before.", "%(n)s were invited before.", known
    ) % {"n": known}


UNANSWERED, REGISTERED, DECLINED = "unanswered", "registered", "declined"
STANDS = {
    UNANSWERED: (gettext_lazy("No answer yet"), "warn"),
    REGISTERED: (gettext_lazy("Registered"), "ok"),
    DECLINED: (gettext_lazy("Does not come"), ""),
}


class StandFilter(admin.SimpleListFilter):
    title = gettext_lazy("answer")
    parameter_name = "stand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stand, str(words)) for stand, (words, _kind) in STANDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        unanswered = Invitation.objects.unanswered().filter(pk=OuterRef("pk"))
        if self.value() == UNANSWERED:
            return queryset.filter(Exists(unanswered))
        if self.value() == REGISTERED:
            return queryset.filter(~Exists(unanswered), declined_at=None)
        return queryset.exclude(declined_at=None) if self.value() == DECLINED else queryset


@admin.register(Invitation)
class InvitationAdmin(ScopedAdmin):
    """Sent by a page of the event; what became of each stays readable."""

    sees = Right.RUN
    list_display = ["group", "email", "event", "stand", "sent_short"]
    list_display_links = ["email"]
    list_select_related = ["event"]
    list_filter = [StandFilter, ("event", ScopedFilter)]
    search_fields = ["name", "email"]
    ordering = ["-sent_at", "email"]
    fields = ["group", "email", "event", "language", "stand", "sent_said", "by", "declined_said"]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        unanswered = Invitation.objects.unanswered().filter(pk=OuterRef("pk"))
        return everything.filter(event__in=Event.objects.open_to(user, right)).annotate(
            waits=Exists(unanswered)
        )

    def scope_of(self, obj: Invitation) -> UUID:
        return obj.event_id

    def zone_of(self, obj: Invitation) -> str:
        return obj.event.zone

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Invited groups")} | (extra_context or {})
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("group"), ordering="name")
    def group(self, obj: Invitation) -> str:
        return obj.name or timeline.NOTHING

    @admin.display(description=gettext_lazy("answer"))
    def stand(self, obj: Invitation) -> SafeString:
        stand = UNANSWERED if obj.waits else DECLINED if obj.declined_at else REGISTERED
        words, kind = STANDS[stand]
        return render_to_string("components/tag.html", {"text": words, "kind": kind})

    @admin.display(description=gettext_lazy("invited"), ordering="sent_at")
    def sent_said(self, obj: Invitation) -> str:
        return timeline.said(obj.sent_at, obj.event.zone)

    @admin.display(description=gettext_lazy("invited (time of the event)"), ordering="sent_at")
    def sent_short(self, obj: Invitation) -> str:
        return shown.moment(obj.sent_at, obj.event.zone, weekday=False)

    @admin.display(description=gettext_lazy("declined"))
    def declined_said(self, obj: Invitation) -> str:
        return timeline.said(obj.declined_at, obj.event.zone)

    @admin.display(description=gettext_lazy("invited by"))
    def by(self, obj: Invitation) -> str:
        return str(obj.sent_by or timeline.NOTHING)
