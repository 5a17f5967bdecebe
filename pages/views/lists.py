from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

import clock
from events.models import Event
from pages import cache, finding
from pages.finding import Known, Search
from pages.forms import FindForm

LISTED_AT_ONCE = 50


def events(request: HttpRequest) -> HttpResponse:
    """All public events: what comes by date, then what was; as many as fit what is chosen."""
    now = clock.now()
    is_searching = bool(request.GET.get("q"))
    known = list(finding.public(with_texts=is_searching))
    search = Search(known, now, with_texts=is_searching)
    choices = search.choices()
    form = FindForm(request.GET, choices=choices)
    form.is_valid()
    asked = {name: form.cleaned_data.get(name, "") for name in form.fields}
    words = asked.pop("q")
    search.want(words, asked)
    for name, of_field in choices.items():
        every = finding.counted(of_field, search.counts(name))
        form.fields[name].choices = [form.fields[name].choices[0], *every]
    page = Paginator(search.found, LISTED_AT_ONCE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "form": form,
        "page": page,
        "chips": _chips(request, form, search, words, choices),
        "processes": list({each.process.slug: each.process for each in known}.values()),
        **_coming_and_past(page.object_list),
    }
    response = render(request, "pages/events.html", context)
    cache.for_everybody(response, now, [d for each in known for d in each.deadlines.all()])
    return response


def _coming_and_past(found: Iterable[Known]) -> dict[str, Any]:
    """Those of one page, read in full."""
    found = list(found)
    full = Event.objects.select_related("process").prefetch_related("deadlines")
    read = full.in_bulk([each.event.pk for each in found])
    rows: dict[str, list[dict[str, Any]]] = {"coming": [], "past": []}
    for each in found:
        event = read[each.event.pk]
        row = {"event": event, "deadline": event.registration_deadline}
        rows["past" if each.is_over else "coming"].append(row)
    return rows


def _chips(
    request: HttpRequest, form: FindForm, search: Search, words: str, choices: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What is chosen, each with the address without it, and how many there would be."""
    said = {name: dict(finding.flat(choices[name]))[value] for name, value in search.chosen.items()}
    chips = [
        {
            "label": form.fields[name].label,
            "text": text,
            "url": _without(request, name),
            "found": search.without(name),
        }
        for name, text in said.items()
    ]
    if words:
        chips.insert(
            0, {"label": form.fields["q"].label, "text": words, "url": _without(request, "q")}
        )
    return chips


def _without(request: HttpRequest, name: str) -> str:
    """This address, with this filter and what is empty left out."""
    kept = {key: value for key, value in request.GET.items() if value and key not in (name, "page")}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
