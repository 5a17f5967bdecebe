"""The attendee list as a file: exactly what was searched, filtered and sorted, as it was shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from clock import walls
from events.admin import pages, timeline
from events.models import Event
from events.rights import Right
from registrations import exports, tallies
from registrations.admin import columns
from registrations.admin.filters import WITH_A_PLACE, StateFacet
from registrations.admin.sight import sight_of

CSV, XLSX, PAPER = "CSV", "XLSX", "paper"
MOST_ON_PAPER = 2_000
TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Preset:
    """Columns that are asked for again and again, of the people with a place."""

    title: Any
    columns: tuple[str, ...]
    needs: Right = Right.LOOK


PRESETS = [
    Preset(
        gettext_lazy("Security list"),
        ("given_names", "family_name", "organisation", "country", "event", "role", "reference"),
    ),
    Preset(
        gettext_lazy("Badges"),
        ("given_names", "family_name", "organisation", "acronym", "country", "role"),
    ),
    Preset(gettext_lazy("Name tents"), ("organisation", "acronym", "country")),
    Preset(
        gettext_lazy("Access needs"),
        ("organisation", "event", "email", "access_needs"),
        Right.SENSITIVE,
    ),
]


class FileForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("File"),
        widget=forms.RadioSelect,
        choices=[
            (XLSX, gettext_lazy("XLSX, for spreadsheets")),
            (CSV, gettext_lazy("CSV, for other programs")),
        ],
        initial=XLSX,
    )


class ListForm(FileForm):
    """The list itself may go on paper too."""

    def __init__(self, *args: Any, people: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.fields["kind"].choices += [(PAPER, _("A page to print"))]

    def clean_kind(self) -> str:
        kind = self.cleaned_data["kind"]
        if kind == PAPER and self.people > MOST_ON_PAPER:
            raise forms.ValidationError(
                _("A page to print holds at most %(n)s people. Choose XLSX, or filter the list.")
                % {"n": MOST_ON_PAPER}
            )
        return kind


@dataclass(frozen=True)
class Leaving:
    """Whom the list holds of whom this organiser may take files along, and how many come to each
    event. `back` is the list."""

    people: Any
    counted: dict[Any, int]
    events: dict[Any, Event]
    chips: list[str]
    back: str


def leaving(admin: Any, request: HttpRequest) -> Leaving | HttpResponseBase:
    """Or where to, if nobody leaves."""
    sight = sight_of(request)
    back = reverse(f"admin:{admin.page_name('changelist')}")
    if sight.is_door or not sight.has(Right.EXPORT):
        raise Http404
    if any("\x00" in value for _name, values in request.GET.lists() for value in values):
        return redirect(back)
    try:
        chosen = admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(f"{back}?e=1")
    back += chosen.get_query_string()
    allowed = chosen.queryset.filter(registration__event__in=sight.where(Right.EXPORT))
    counted = exports.concerned(allowed)
    if not counted:
        messages.error(request, _("There is nobody to export."))
        return redirect(back)
    return Leaving(
        allowed.filter(registration__event__in=counted),
        counted,
        {pk: sight.everywhere[pk] for pk in counted},
        [said for said, _url in chosen.chips],
        back,
    )


def page(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Say who and what leaves; once that is confirmed, write it down and hand it out."""
    found = leaving(admin, request)
    if not isinstance(found, Leaving):
        return found
    sight, people = sight_of(request), sum(found.counted.values())
    shown = columns.chosen(request, sight)
    sheet = exports.Sheet(
        found.people, shown, events=found.events, rights=sight.rights, questions=sight.questions
    )
    form = ListForm(request.POST if "confirm" in request.POST else None, people=people)
    if form.is_bound and form.is_valid():
        return handed_out(admin, request, found, sheet, form.cleaned_data["kind"])
    return show(
        admin,
        request,
        found,
        sheet,
        form,
        title=_("Export the attendee list"),
        lead=ngettext("The file holds %(n)s person.", "The file holds %(n)s people.", people)
        % {"n": people},
        presets=presets(request, shown),
    )


def statistics(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """The same of numbers about them."""
    found = leaving(admin, request)
    if not isinstance(found, Leaving):
        return found
    sheet = tallies.Tally(
        found.people, events=found.events, languages=dict(settings.CONTENT_LANGUAGES)
    )
    form = FileForm(request.POST if "confirm" in request.POST else None)
    if form.is_bound and form.is_valid():
        return handed_out(admin, request, found, sheet, form.cleaned_data["kind"])
    people = sum(found.counted.values())
    return show(
        admin,
        request,
        found,
        sheet,
        form,
        title=_("Statistics without names"),
        lead=ngettext(
            "The file counts %(n)s person by state, role, stakeholder group, region, country and "
            "language.",
            "The file counts %(n)s people by state, role, stakeholder group, region, country and "
            "language.",
            people,
        )
        % {"n": people},
        letters=tallies.notice(),
    )


def show(
    admin: Any,
    request: HttpRequest,
    found: Leaving,
    sheet: exports.Table,
    form: forms.Form,
    **context: Any,
) -> HttpResponseBase:
    return pages.show(
        admin,
        request,
        template="admin/registrations/delegate/export.html",
        submit_label=_("Export"),
        back=found.back,
        form=form,
        headings=[capfirst(heading) for heading in sheet.headings],
        chips=found.chips,
        events=[(event, found.counted[pk]) for pk, event in sheet.events.items()],
        **context,
    )


def handed_out(
    admin: Any, request: HttpRequest, found: Leaving, sheet: exports.Table, kind: str
) -> HttpResponseBase:
    now = clock.now()
    exports.remember(sheet, found.counted, as_file=kind, by=request.user, now=now)
    if kind == PAPER:
        return paper(admin, request, found, sheet, now)
    return answer(sheet, kind, file_name(sheet, kind, now))


def paper(
    admin: Any, request: HttpRequest, found: Leaving, sheet: exports.Table, now: datetime
) -> HttpResponseBase:
    """The list as a page that prints well."""
    zones = {event.zone for event in sheet.events.values()}
    zone = zones.pop() if len(zones) == 1 else "UTC"
    return TemplateResponse(
        request,
        "admin/registrations/delegate/paper.html",
        {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": _("Attendee list"),
            "events": [str(event) for event in sheet.events.values()],
            "chips": found.chips,
            "people": sum(found.counted.values()),
            "made": timeline.said(now, zone),
            "headings": sheet.headings,
            "rows": [[on_paper(value) for value in row] for row in sheet.rows()],
            "back": found.back,
        },
    )


def on_paper(value: exports.Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return exports.clean(str(value))


def presets(request: HttpRequest, shown: list[str]) -> list[dict[str, Any]]:
    """Each with the address of this page where it is chosen. The other filters stay; who has
    chosen a state keeps that as well."""
    sight = sight_of(request)
    found = []
    for preset in PRESETS:
        if not sight.has(preset.needs):
            continue
        wanted = [
            key for key in columns.possible(sight) if key in (columns.ALWAYS, *preset.columns)
        ]
        query = request.GET.copy()
        query.pop(ORDER_VAR, None)
        query[columns.PARAMETER] = ",".join(wanted)
        query.setdefault(StateFacet.parameter_name, WITH_A_PLACE)
        found.append(
            {
                "title": preset.title,
                "url": f"?{query.urlencode(safe=',')}",
                "is_shown": wanted == shown,
            }
        )
    query = request.GET.urlencode(safe=",")
    numbers = reverse("admin:registrations_delegate_statistics")
    title = _("Statistics without names")
    return [*found, {"title": title, "url": f"{numbers}?{query}", "is_shown": False}]


def answer(sheet: exports.Table, kind: str, name: str) -> HttpResponseBase:
    if kind == XLSX:
        return FileResponse(
            exports.as_xlsx(sheet), as_attachment=True, filename=name, content_type=TYPES[kind]
        )
    return StreamingHttpResponse(
        exports.as_csv(sheet),
        content_type=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def file_name(sheet: exports.Table, kind: str, now: datetime) -> str:
    """“hearing-attendees-2018-02-07.csv”, by the day at the event."""
    events = list(sheet.events.values())
    one = events[0] if len(events) == 1 else None
    day = now.astimezone(walls.zone_of(one.zone if one else "UTC")).date()
    what = "attendees" if isinstance(sheet, exports.Sheet) else "statistics"
    return f"{one.slug + '-' if one else ''}{what}-{day}.{kind.lower()}"
