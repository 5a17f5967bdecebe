"""Whom the filters of the attendee list let through, asked outside of the list: for a letter that
an organiser writes, also when the clock lets it leave."""

from typing import NamedTuple

from django.contrib.admin import site
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, QueryDict
from django.urls import resolve, reverse

from accounts.models import User
from events.asking import PREFIX
from events.models import Event
from events.rights import Right
from registrations import refusals
from registrations.admin import columns, filters
from registrations.admin.sight import EVENT, sight_of
from registrations.models import Delegate, DelegateQuerySet, Message
from registrations.models.saved import LONGEST_QUERY

KEPT = sorted({facet.parameter_name for facet in filters.ALL} - {EVENT} | {SEARCH_VAR})

ASSIGNED = filters.AssignedFacet.parameter_name


def normal(query: str) -> str:
    """The filters and the search, and nothing else of the address of a list. Refuses with
    AudienceUnknown."""
    asked, kept = QueryDict(query), QueryDict(mutable=True)
    for name in [*KEPT, *sorted(name for name in asked if name.startswith(PREFIX))]:
        if value := asked.get(name, "").strip():
            kept[name] = value
    said = kept.urlencode()
    if len(said) > LONGEST_QUERY or any("\x00" in value for value in kept.values()):
        raise refusals.AudienceUnknown
    return said


def named(query: str, user: User) -> str:
    """“Mine” by name, so that it stays theirs whoever looks at the letter and sends it."""
    kept = QueryDict(normal(query), mutable=True)
    if kept.get(ASSIGNED) == filters.MINE:
        kept[ASSIGNED] = str(user.pk)
    return kept.urlencode()


class Audience(NamedTuple):
    people: DelegateQuerySet
    chips: list[str]
    """“State: Approved”"""


def of(event: Event, query: str, user: User) -> Audience:
    """Of this event, as this organiser sees it; nobody, where nobody has begun to register. Refuses
    with AudienceUnknown."""
    request = _request(event, query, user)
    sight = sight_of(request)
    if event.pk not in sight.where(Right.LOOK):
        return Audience(Delegate.objects.none(), [])
    try:
        listed = site.get_model_admin(Delegate).get_changelist_instance(request)
    except IncorrectLookupParameters:
        raise refusals.AudienceUnknown from None
    if any(facet.error for facet in listed.filter_specs):
        raise refusals.AudienceUnknown
    return Audience(listed.queryset, [said for said, _url in listed.chips])


def when_it_leaves(message: Message) -> DelegateQuerySet:
    """As whoever has sent it sees the list then. Refuses with MayNotWrite and AudienceUnknown."""
    user = message.sent_by
    if not Event.objects.open_to(user, Right.CONTACT).contains(message.event):
        raise refusals.MayNotWrite(message)
    return of(message.event, message.query, user).people


def _request(event: Event, query: str, user: User) -> HttpRequest:
    request = HttpRequest()
    request.method, request.user, request.session = "GET", user, {}
    request.resolver_match = resolve(reverse("admin:registrations_delegate_export"))
    asked = QueryDict(normal(query), mutable=True)
    asked[EVENT] = str(event.pk)
    asked[columns.PARAMETER] = columns.ALWAYS
    request.GET = asked
    return request
