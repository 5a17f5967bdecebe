"""The attendee list as a file: exactly what was searched, filtered and sorted, as it was shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from clock import walls
from events.admin import pages
from events.models import Event
from events.rights import Right
from registrations import exports
from registrations.admin import columns
from registrations.admin.filters import WITH_A_PLACE, StateFacet
from registrations.admin.sight import sight_of

CSV, XLSX = "CSV", "XLSX"
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


def page(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Say who and what leaves; once that is confirmed, write it down and hand out the file."""
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
    sheet = exports.Sheet(
        allowed.filter(registration__event__in=counted),
        columns.chosen(request, sight),
        events={pk: sight.everywhere[pk] for pk in counted},
        rights=sight.rights,
    )
    form = FileForm(request.POST if "confirm" in request.POST else None)
    if form.is_bound and form.is_valid():
        now = clock.now()
        kind = form.cleaned_data["kind"]
        exports.remember(sheet, counted, as_file=kind, by=request.user, now=now)
        name = file_name(sheet.events.values(), kind, now)
        return answer(sheet, kind, name)
    people = sum(counted.values())
    return pages.show(
        admin,
        request,
        template="admin/registrations/delegate/export.html",
        title=_("Export the attendee list"),
        lead=ngettext("The file holds %(n)s person.", "The file holds %(n)s people.", people)
        % {"n": people},
        submit_label=_("Export"),
        back=back,
        form=form,
        headings=[capfirst(heading) for heading in sheet.headings],
        chips=[said for said, _url in chosen.chips],
        presets=presets(request, columns.chosen(request, sight)),
        events=[(event, counted[pk]) for pk, event in sheet.events.items()],
    )


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
    return found


def answer(sheet: exports.Sheet, kind: str, name: str) -> HttpResponseBase:
    if kind == XLSX:
        return FileResponse(
            exports.as_xlsx(sheet), as_attachment=True, filename=name, content_type=TYPES[kind]
        )
    return StreamingHttpResponse(
        exports.as_csv(sheet),
        content_type=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def file_name(events: Iterable[Event], kind: str, now: Any) -> str:
    """“hearing-attendees-2018-02-07.csv”, by the day at the event."""
    all_of_them = list(events)
    one = all_of_them[0] if len(all_of_them) == 1 else None
    day = now.astimezone(walls.zone_of(one.zone if one else "UTC")).date()
    return f"{one.slug + '-' if one else ''}attendees-{day}.{kind.lower()}"
