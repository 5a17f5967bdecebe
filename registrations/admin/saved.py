"""Saved views of the attendee list: offered above it, kept on a page, changed on another."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from accounts.forms import NameField
from events.admin import pages
from events.admin.scope import has_right
from events.models import Event
from events.rights import Right
from registrations import refusals, saved_views
from registrations.admin import columns
from registrations.admin.sight import EVENT, sight_of
from registrations.models import SavedView
from registrations.models.saved import LONGEST_NAME, LONGEST_QUERY


class ViewForm(forms.Form):
    """`event`: on which it can be shared; none when the view is not of one event."""

    name = NameField(
        label=gettext_lazy("Name of the view"),
        max_length=LONGEST_NAME,
        error_messages={"required": gettext_lazy("Write a name for the view.")},
    )
    is_shared = forms.BooleanField(required=False)

    def __init__(self, *args: Any, event: Event | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if event is None:
            del self.fields["is_shared"]
        else:
            self.fields["is_shared"].label = _(
                "Share it with all who may look at the people of “%(event)s”"
            ) % {"event": event}


def urls(admin: Any) -> list[URLPattern]:
    views = {"views/": shelf, "views/keep/": keep, "views/<uuid:pk>/": change}
    views["views/<uuid:pk>/remove/"] = remove
    names = ["views", "keep_view", "change_view", "remove_view"]

    def page(view: Any) -> Any:
        def answer(request: HttpRequest, **which: UUID) -> HttpResponse:
            if not has_right(request, Right.LOOK):
                raise Http404
            return view(admin, request, **which)

        return admin.admin_site.admin_view(answer)

    return [
        path(address, page(view), name=admin.page_name(name))
        for (address, view), name in zip(views.items(), names, strict=True)
    ]


def offered(admin: Any, request: HttpRequest) -> dict[str, Any]:
    """What the list says of them; nothing at a door."""
    if sight_of(request).is_door:
        return {}
    query = query_of(admin, request)
    keep_url = reverse(f"admin:{admin.page_name('keep_view')}")
    return {
        "views": [
            {"name": view.name, "url": f"?{view.query}", "is_shown": view.query == query}
            for view in SavedView.objects.open_to(request.user).in_order()
        ],
        "keep_url": f"{keep_url}?{query}",
        "views_url": reverse(f"admin:{admin.page_name('views')}"),
    }


def query_of(admin: Any, request: HttpRequest) -> str:
    """The filters, the search, the order and the columns of a list, and nothing else."""
    filtered = [facet.parameter_name for facet in admin.get_list_filter(request)]
    query = QueryDict(mutable=True)
    for name in sorted([*filtered, SEARCH_VAR]):
        if value := request.GET.get(name, "").strip():
            query[name] = value
    order = request.GET.get(ORDER_VAR, "")
    query[columns.SORTED_BY] = request.GET.get(columns.SORTED_BY) or columns.order_by_name(
        order, admin.keys_shown(request)
    )
    query[columns.PARAMETER] = ",".join(columns.chosen(request, sight_of(request)))
    return query.urlencode(safe=",")


def keep(admin: Any, request: HttpRequest) -> HttpResponse:
    """Say what the view shows; once it has a name, keep it."""
    people = reverse(f"admin:{admin.page_name('changelist')}")
    if sight_of(request).is_door:
        raise Http404
    if any("\x00" in value for _name, values in request.GET.lists() for value in values):
        return redirect(people)
    query = query_of(admin, request)
    if len(query) > LONGEST_QUERY:
        messages.error(request, _("These filters are too long to be kept."))
        return redirect(people)
    try:
        chips = chips_of(admin, request, query)
    except IncorrectLookupParameters:
        return redirect(f"{people}?e=1")
    event = event_of(request, query)
    form = ViewForm(request.POST if "confirm" in request.POST else None, event=event)

    def act(typed: dict[str, Any]) -> str:
        shared_on = event if typed.get("is_shared") else None
        view = saved_views.keep(
            typed["name"], query=query, shared_on=shared_on, by=request.user, now=clock.now()
        )
        return _("Saved: %(name)s") % {"name": view}

    return pages.ask(
        admin,
        request,
        template="admin/registrations/delegate/keep_view.html",
        title=_("Save this view"),
        submit_label=_("Save"),
        back=f"{people}?{query}",
        act=act,
        form=form,
        refused_by=refusals.Refusal,
        beside={refusals.ViewNameTaken: "name", refusals.NotToShare: "is_shared"},
        chips=chips,
    )


def shelf(admin: Any, request: HttpRequest) -> HttpResponse:
    """All that this organiser can open; one's own can be changed."""
    people = reverse(f"admin:{admin.page_name('changelist')}")
    views = SavedView.objects.open_to(request.user).in_order().select_related("owner", "shared_on")
    rows = [
        {
            "view": view,
            "url": f"{people}?{view.query}",
            "change_url": url(admin, "change_view", view) if view.owner == request.user else "",
        }
        for view in views
    ]
    return TemplateResponse(
        request,
        "admin/registrations/delegate/views.html",
        {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": _("Saved views"),
            "rows": rows,
            "people_url": people,
        },
    )


def change(admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    view = own(request, pk)
    event = event_of(request, view.query)
    form = ViewForm(
        request.POST if "confirm" in request.POST else None,
        event=event,
        initial={"name": view.name, "is_shared": view.shared_on_id is not None},
    )

    def act(typed: dict[str, Any]) -> str:
        shared_on = event if typed.get("is_shared") else None
        saved_views.change(view, name=typed["name"], shared_on=shared_on, by=request.user)
        return _("Saved: %(name)s") % {"name": typed["name"]}

    return pages.ask(
        admin,
        request,
        template="admin/registrations/delegate/change_view.html",
        title=_("Change a saved view"),
        submit_label=_("Save"),
        back=reverse(f"admin:{admin.page_name('views')}"),
        act=act,
        form=form,
        refused_by=refusals.Refusal,
        beside={refusals.ViewNameTaken: "name", refusals.NotToShare: "is_shared"},
        remove_url=url(admin, "remove_view", view),
    )


def remove(admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    view = own(request, pk)

    def act(_typed: dict[str, Any]) -> str:
        saved_views.remove(view, by=request.user)
        return _("Removed: %(name)s") % {"name": view}

    is_shared = view.shared_on_id is not None
    return pages.ask(
        admin,
        request,
        title=_("Remove a saved view"),
        lead=_("%(name)s. All who use it lose it.") % {"name": view} if is_shared else view.name,
        submit_label=_("Remove"),
        is_danger=True,
        back=reverse(f"admin:{admin.page_name('views')}"),
        act=act,
        refused_by=refusals.Refusal,
    )


def own(request: HttpRequest, pk: UUID) -> SavedView:
    views = SavedView.objects.filter(owner=request.user).select_related("shared_on")
    return get_object_or_404(views, pk=pk)


def url(admin: Any, word: str, view: SavedView) -> str:
    return reverse(f"admin:{admin.page_name(word)}", args=[view.pk])


def event_of(request: HttpRequest, query: str) -> Event | None:
    """The one event whose people it shows, if this organiser may look at them."""
    wanted = QueryDict(query).get(EVENT, "")
    looked_at = sight_of(request).where(Right.LOOK)
    return {str(pk): event for pk, event in looked_at.items()}.get(wanted)


def chips_of(admin: Any, request: HttpRequest, query: str) -> list[str]:
    """“State: Approved”; refuses with IncorrectLookupParameters what no list understands."""
    asked = QueryDict(query, mutable=True)
    del asked[columns.SORTED_BY]
    request.GET = asked
    return [said for said, _url in admin.get_changelist_instance(request).chips]
