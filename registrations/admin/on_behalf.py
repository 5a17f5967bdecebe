"""A group that has only mail is registered by an organiser: which one, and who comes."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from events import texts
from events.admin import pages
from events.admin.scope import ScopedAdmin
from events.models import Event, Track
from registrations import on_behalf, refusals
from registrations.forms import PersonForm, TrackForm
from registrations.intake import Person
from registrations.models import Delegate
from stakeholders import refusals as stakeholder_refusals
from stakeholders.forms import FindForm, LikelyForm, OrganisationForm, address_field
from stakeholders.models import Organisation

MOST_AT_ONCE = 300
PARTS = re.compile("[;؛；]")
BESIDE: dict[type[Exception], str] = {
    refusals.KnownToUs: "name",
    refusals.LedByOthers: "focal_point",
    refusals.NotYoursToLead: "focal_point",
    stakeholder_refusals.ShutOut: "focal_point",
    stakeholder_refusals.NotForOneself: "focal_point",
    refusals.ListedAlready: "people",
    refusals.TwoHeads: "people",
    refusals.OverCap: "people",
}


class FindGroupForm(FindForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the organisation")
        self.fields["name"].error_messages["required"] = _("Write the name of the organisation.")


class LikelyGroupForm(LikelyForm):
    """Is it one of these? With what tells namesakes apart."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, can_be_new=True, **kwargs)
        field = self.fields["organisation"]
        field.choices = [
            (pk, _told_apart(label) if isinstance(label, Organisation) else label)
            for pk, label in field.choices
        ]


def _told_apart(organisation: Organisation) -> str:
    """“Diaspora Network (DN), Mali”"""
    named = organisation.name
    if organisation.acronym:
        named = f"{named} ({organisation.acronym})"
    return texts.listed([named, organisation.country.name]) if organisation.country else named


class PeopleForm(forms.Form):
    """Who wrote, and who comes: one person in each line."""

    focal_point = address_field()
    people = forms.CharField(
        label=gettext_lazy("People"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        max_length=200_000,
        strip=False,
        error_messages={"required": gettext_lazy("Write at least one person.")},
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: list[Line] = []
        self.fields["focal_point"].label = _("Email address of whoever wrote to us")
        self.fields["focal_point"].help_text = _(
            "This person becomes the group’s focal point, gets its letters, and can take over by "
            "signing in with this address."
        )
        self.fields["people"].help_text = _(
            "One in each line: given names; family name; email address; role; access needs. Only "
            "the given names are needed. Roles: %(roles)s. Lines from a spreadsheet will do."
        ) % {"roles": texts.listed(Delegate.Role.labels)}
        tracks = list(event.tracks.order_by("position", "name_en"))
        if tracks:
            self.fields["track"] = TrackForm(tracks=tracks).fields["track"]
            self.order_fields(["track", *self.fields])

    def clean_people(self) -> str:
        text = self.cleaned_data["people"]
        self.lines = read(text)
        if not self.lines:
            raise ValidationError(self.fields["people"].error_messages["required"])
        if len(self.lines) > MOST_AT_ONCE:
            raise ValidationError(
                _("At most %(n)s people can be entered in one step."), params={"n": MOST_AT_ONCE}
            )
        bad = [
            ValidationError(
                _("Line %(number)s: %(sentence)s"),
                params={"number": line.number, "sentence": line.refused},
            )
            for line in self.lines
            if line.refused
        ]
        if bad:
            raise ValidationError(bad)
        return text

    def persons(self) -> list[Person]:
        return [line.person for line in self.lines if line.person]


class GroupForm(PeopleForm, OrganisationForm):
    """The same of a group that is new here, or of which something is missing."""

    class Meta(OrganisationForm.Meta):
        labels: dict = {}
        help_texts = {"name": gettext_lazy("In full. Any script is fine.")}


@dataclass(frozen=True)
class Line:
    """One line as it was typed: a person, or why it is not understood."""

    number: int
    person: Person | None = None
    refused: str = ""


def read(text: str) -> list[Line]:
    return [
        _line(number, typed)
        for number, typed in enumerate(text.splitlines(), start=1)
        if typed.strip(" ;؛\t")
    ]


def _line(number: int, typed: str) -> Line:
    parts = [part.strip() for part in (typed.split("\t") if "\t" in typed else PARTS.split(typed))]
    names = ["given_names", "family_name", "email", "role", "access_needs"]
    if len(parts) > len(names):
        return Line(number, refused=_("there are more than five parts in it."))
    said = dict.fromkeys(names, "") | dict(zip(names, parts, strict=False))
    role = _roles().get(said["role"].casefold())
    if role is None:
        sentence = _("“%(typed)s” is no role. Write one of these: %(roles)s.")
        roles = texts.listed(Delegate.Role.labels)
        return Line(number, refused=sentence % {"typed": said["role"][:100], "roles": roles})
    form = PersonForm(said | {"role": role})
    if not form.is_valid():
        return Line(number, refused=" ".join(str(each[0]) for each in form.errors.values()))
    return Line(number, person=form.person())


def _roles() -> dict[str, str]:
    """What may be written for each role: its name here, in English, or as in an export."""
    known = {"": str(Delegate.Role.DELEGATE)}
    for role in Delegate.Role:
        known[role.value] = known[str(role.label).casefold()] = role.value
        with translation.override("en"):
            known[str(role.label).casefold()] = role.value
    return known


def page(of: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """Which group; is it one of these; who comes. What was chosen stands in the address."""
    frame = {
        "title": _("Register a group for “%(event)s”") % {"event": event},
        "back": of.change_url(event),
    }
    if "organisation" in request.GET:
        return _known(of, request, event, frame)
    finding = FindGroupForm(request.GET)
    if not finding.is_valid():
        return _find(of, request, frame)
    if "new" in request.GET:
        return _new(of, request, event, frame, finding.cleaned_data)
    return _pick(of, request, event, frame, finding.cleaned_data)


def _find(of: ScopedAdmin, request: HttpRequest, frame: dict[str, Any]) -> HttpResponse:
    form = FindGroupForm(request.POST or None)
    if form.is_valid():
        return redirect(f"{request.path}?{urlencode(form.cleaned_data)}")
    lead = _(
        "For a group that wrote to us and cannot register by itself, after the close too. First: "
        "which organisation is it?"
    )
    return pages.show(of, request, form=form, lead=lead, submit_label=_("Search"), **frame)


def _pick(
    of: ScopedAdmin, request: HttpRequest, event: Event, frame: dict[str, Any], typed: dict
) -> HttpResponse:
    likely = Organisation.objects.like(typed["name"], country=typed["country"])
    as_new = f"{request.path}?{urlencode(typed | {'new': 1})}"
    if not likely:
        return redirect(as_new)
    form = LikelyGroupForm(request.POST or None, likely=likely)
    if form.is_valid():
        chosen = form.chosen
        return redirect(f"{request.path}?organisation={chosen.pk}" if chosen else as_new)
    lead = _("Known here by a name like “%(name)s”:") % {"name": typed["name"]}
    return pages.show(of, request, form=form, lead=lead, submit_label=_("Go on"), **frame)


def _known(
    of: ScopedAdmin, request: HttpRequest, event: Event, frame: dict[str, Any]
) -> HttpResponse:
    try:
        pk = uuid.UUID(request.GET["organisation"])
    except ValueError:
        return redirect(request.path)
    organisation = get_object_or_404(Organisation, pk=pk)
    posted = request.POST or None
    if organisation.country and organisation.category:
        form: Any = PeopleForm(posted, event=event)
    else:
        form = GroupForm(posted, event=event, instance=organisation, categories=_categories(event))
    return _enter(of, request, event, frame, organisation, form)


def _new(
    of: ScopedAdmin, request: HttpRequest, event: Event, frame: dict[str, Any], typed: dict
) -> HttpResponse:
    organisation = Organisation()
    form = GroupForm(
        request.POST or None,
        event=event,
        instance=organisation,
        initial=typed,
        categories=_categories(event),
    )
    return _enter(of, request, event, frame, organisation, form)


def _enter(
    of: ScopedAdmin,
    request: HttpRequest,
    event: Event,
    frame: dict[str, Any],
    organisation: Organisation,
    form: Any,
) -> HttpResponse:
    name = str(organisation)
    entry = _entry(request)

    def act(typed: dict) -> str:
        people = form.persons()
        track = Track.objects.get(pk=typed["track"]) if typed.get("track") else None
        registration = on_behalf.enter(
            event,
            organisation,
            focal_point=typed["focal_point"],
            people=people,
            track=track,
            entry=entry,
            by=request.user,
            now=clock.now(),
        )
        return ngettext(
            "%(group)s is registered with %(n)s person: %(reference)s. We have written to "
            "%(address)s.",
            "%(group)s is registered with %(n)s people: %(reference)s. We have written to "
            "%(address)s.",
            len(people),
        ) % {
            "group": registration.organisation,
            "n": len(people),
            "reference": registration.reference,
            "address": typed["focal_point"],
        }

    return pages.ask(
        of,
        request,
        form=form,
        lead=_("“%(group)s” is known here. Who wrote, and who comes?") % {"group": name}
        if name
        else _("An organisation that is new here. Who is it, who wrote, and who comes?"),
        letters=_(
            "The delegation is sent at once. Whoever wrote gets the letters that every group gets."
        ),
        submit_label=_("Register the group"),
        hidden=[("entry", str(entry))],
        refused_by=(refusals.Refusal, stakeholder_refusals.Refusal),
        beside={kind: field for kind, field in BESIDE.items() if field in form.fields},
        act=act,
        **frame,
    )


def _entry(request: HttpRequest) -> uuid.UUID:
    """By which a form that is sent twice registers once."""
    try:
        return uuid.UUID(request.POST.get("entry", ""))
    except ValueError:
        return uuid.uuid4()


def _categories(event: Event) -> list[tuple[str, str]]:
    named = event.process.categories.order_by("position", "code")
    return [(category.code, category.name) for category in named]
