from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django_countries import countries

import clock
from events.models import Event
from pages.finding import MOST_WORDS
from pages.forms import LONGEST_SEARCH
from registrations.models import Delegate, DelegateQuerySet
from stakeholders import matching

LISTED_AT_ONCE = 50


@never_cache
def participants(request: HttpRequest, slug: str) -> HttpResponse:
    """Who comes and has agreed to be named; read anew each time, so that nobody is named longer
    than they want."""
    found = get_object_or_404(Event.objects.public().select_related("process"), slug=slug)
    if not has_list(found):
        raise Http404
    asked = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:LONGEST_SEARCH]
    people = _looked_for(Delegate.objects.listed().filter(registration__event=found), asked)
    in_order = people.select_related("representative", "registration__organisation").order_by(
        "representative__search_text", "pk"
    )
    page = Paginator(in_order, LISTED_AT_ONCE).get_page(request.GET.get("page"))
    context = {"event": found, "page": page, "asked": asked, "now": clock.now()}
    response = render(request, "pages/participants.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def has_list(found: Event) -> bool:
    return found.lists_participants and found.state != Event.State.CANCELLED


def _looked_for(people: DelegateQuerySet, asked: str) -> DelegateQuerySet:
    """Those of whom each word is in the name, the organisation or the country."""
    for word in matching.fold(asked).split()[:MOST_WORDS]:
        codes = [code for code, name in countries if word in matching.fold(name)]
        people = people.filter(
            Q(representative__search_text__contains=word)
            | Q(registration__organisation__search_text__contains=word)
            | Q(registration__organisation__country__in=codes)
        )
    return people
