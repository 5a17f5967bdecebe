"""What was decided in one press: on every page while it can be undone, and on one of its own."""

from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import clock
from clock import shown, walls
from events.admin import timeline
from events.admin.scope import has_right
from events.models import Event
from events.rights import Right
from notifications.models import Letter
from registrations import batches, refusals
from registrations.admin.cells import stand_of
from registrations.models import Batch, Delegate

OFFERED_AS = "batches"
MOST_LETTERS = 100


def urls(admin: Any) -> list[URLPattern]:
    views = {"": ("batch", show), "undo/": ("undo_batch", undo), "send/": ("send_batch", send)}
    return [
        path(
            f"batches/<uuid:pk>/{word}",
            admin.admin_site.admin_view(partial(view, admin)),
            name=admin.page_name(name),
        )
        for word, (name, view) in views.items()
    ]


def url(word: str, batch: Batch) -> str:
    return reverse(f"admin:registrations_delegate_{word}", args=[batch.pk])


def offer(request: HttpRequest, made: list[Batch]) -> None:
    """Remember this organiser's last press."""
    request.session[OFFERED_AS] = [str(batch.pk) for batch in made]


def shown_everywhere(request: HttpRequest) -> dict[str, Any]:
    """For every template: what this organiser has decided last, while it can be undone."""
    return {"batches_shown": partial(_offered, request)}


def _offered(request: HttpRequest) -> list[dict[str, Any]]:
    ids = request.session.get(OFFERED_AS)
    if not ids:
        return []
    open_ones = Batch.objects.open_to(request.user, Right.DECIDE).held(clock.now())
    found = list(open_ones.filter(pk__in=ids).select_related("event").order_by("pk"))
    if not found:
        del request.session[OFFERED_AS]
    return [said(batch) for batch in found]


def said(batch: Batch) -> dict[str, Any]:
    """“12 people are approved.”, and until when that can be undone."""
    zone = batch.event.zone
    local = batch.leaves_at.astimezone(walls.zone_of(zone))
    return {
        "what": str(batch),
        "time": shown.clock_time(local),
        "zone": shown.zone_name(zone, batch.leaves_at),
        "url": url("batch", batch),
        "undo_url": url("undo_batch", batch),
    }


def links(admin: Any, request: HttpRequest, delegate: Delegate) -> list[tuple[str, str]]:
    """To the decision about this person that can still be undone, whoever has taken it."""
    if not admin.may(request, delegate, Right.DECIDE):
        return []
    held = Batch.objects.held(Now()).filter(people__delegate=delegate)
    return [(_("Undo the decision…"), url("batch", batch)) for batch in held.order_by("-at")]


def show(admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who, which letters, and until when it can be undone; or whom it was undone for."""
    batch, now = load(request, pk), clock.now()
    zone = batch.event.zone
    rows = batch.people.in_order().filter(is_chosen=True)
    return TemplateResponse(
        request,
        "admin/registrations/delegate/batch.html",
        {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": str(batch),
            "batch": batch,
            "said": said(batch),
            "decided": timeline.said(batch.at, zone),
            "undone": timeline.said(batch.undone_at, zone),
            "is_held": batch.is_held(now),
            "too_late": str(refusals.LettersHaveLeft(batch)),
            "send_url": url("send_batch", batch),
            "groups": [
                (registration, [_row(row) for row in group])
                for registration, group in groupby(rows, key=lambda row: row.delegate.registration)
            ],
            **_letters(request, batch),
        },
    )


def undo(admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = load(request, pk)
    if request.method != "POST":
        return redirect(url("batch", batch))
    try:
        people, refused = batches.undo(batch, by=request.user, now=clock.now())
    except refusals.Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(url("batch", batch))
    for each in refused:
        messages.error(request, str(refusals.OfDelegation(*each)))
    messages.success(
        request,
        ngettext(
            "Undone: %(n)s person is as before. No letter of it leaves.",
            "Undone: %(n)s people are as before. No letter of it leaves.",
            people,
        )
        % {"n": people},
    )
    return redirect(url("batch", batch) if refused else _back(request))


def send(admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = load(request, pk)
    if request.method == "POST":
        try:
            batches.send(batch, now=clock.now())
        except refusals.Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The letters leave now."))
    return redirect(url("batch", batch))


def load(request: HttpRequest, pk: UUID) -> Batch:
    open_ones = Batch.objects.open_to(request.user, Right.DECIDE)
    if not has_right(request, Right.DECIDE):
        open_ones = open_ones.none()
    return get_object_or_404(open_ones.select_related("event", "by", "undone_by"), pk=pk)


def _row(row: Any) -> dict[str, Any]:
    return {
        "name": str(row.delegate),
        "url": reverse("admin:registrations_delegate_change", args=[row.delegate_id]),
        "stand": stand_of(row.delegate),
        "went_back": row.went_back,
    }


def _letters(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """What it has written, for those who may know addresses."""
    if not Event.objects.open_to(request.user, Right.CONTACT).filter(pk=batch.event_id).exists():
        return {}
    letters = Letter.objects.filter(pk__in=batch.letters[:MOST_LETTERS]).order_by("to", "key")
    return {
        "letters": [
            (reverse("admin:notifications_letter_change", args=[letter.pk]), letter)
            for letter in letters.only("to", "subject", "state")
        ],
        "more": max(0, len(batch.letters) - MOST_LETTERS),
    }


def _back(request: HttpRequest) -> str:
    """The page on which the button was."""
    came_from = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure())
    people = reverse("admin:registrations_delegate_changelist")
    return came_from if is_ours and came_from.startswith("/") else people
