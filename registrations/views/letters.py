"""The links in letters to people without an account. Looking at such a page changes nothing."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

import clock
from events.models import Event
from registrations import confirmations, invitations, links, listing, refusals, replacements
from registrations.models import TAGS, Delegate, Invitation
from registrations.views import frame

State = Delegate.State


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """A delegate says whether they come."""
    delegate = (
        Delegate.objects.filter(pk=links.delegate_id(token))
        .select_related("representative", "registration__event", "registration__organisation")
        .prefetch_related("registration__event__deadlines")
        .first()
    )
    if delegate is None:
        return _unknown(request)
    now = clock.now()
    refusal = ""
    if request.method == "POST":
        answer = {"yes": confirmations.confirm, "no": confirmations.decline}.get(
            request.POST.get("answer", "")
        )
        try:
            if answer:
                answer(delegate, now=now)
                return redirect(request.path)
            refusal = _("Choose one of the two answers.")
        except refusals.Refusal as refused:
            refusal = str(refused)
    return render(request, "registrations/confirm.html", _confirming(delegate, refusal, now))


def _confirming(delegate: Delegate, refusal: str, now: datetime) -> dict:
    event = delegate.registration.event
    until = confirmations.until(delegate)
    can_answer = event.is_published and delegate.must_confirm and not (until and now >= until)
    status, kind = delegate.get_state_display(), TAGS.get(delegate.state, "")
    return {
        "delegate": delegate,
        "registration": delegate.registration,
        "organisation": delegate.registration.organisation,
        "event": event,
        "until": until,
        "can_answer": can_answer,
        "is_late": delegate.must_confirm and not can_answer,
        "can_decline": event.is_published
        and delegate.state == State.CONFIRMED
        and not replacements.has_begun(event, now),
        "status": _("Not confirmed yet") if can_answer else status,
        "kind": "warn" if can_answer else kind,
        "refusal": refusal,
        "now": now,
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def be_listed(request: HttpRequest, token: str) -> HttpResponse:
    """A delegate says whether the public list may name them, or takes that back."""
    delegate = (
        links.listing_of(token)
        .select_related("representative", "registration__event", "registration__organisation")
        .first()
    )
    if delegate is None or delegate.registration.event.state == Event.State.DRAFT:
        return _unknown(request)
    refusal = ""
    if request.method == "POST":
        try:
            return _said(request, delegate)
        except refusals.Refusal as refused:
            refusal = str(refused)
    event = delegate.registration.event
    has_list = event.lists_participants and event.state != Event.State.CANCELLED
    context = {
        "delegate": delegate,
        "event": event,
        "organisation": delegate.registration.organisation,
        "list_url": reverse("pages:participants", args=[event.slug]) if has_list else None,
        "is_possible": listing.is_possible(delegate),
        "refusal": refusal,
        "now": clock.now(),
    }
    return render(request, "registrations/listing.html", context)


def _said(request: HttpRequest, delegate: Delegate) -> HttpResponse:
    answer, now = request.POST.get("answer"), clock.now()
    if answer == "yes":
        listing.agree(delegate, now=now)
        messages.success(request, _("Thank you. The list names you from now on."))
    elif answer == "no":
        listing.take_back(delegate, now=now)
        messages.success(request, _("Thank you. The list does not name you."))
    else:
        messages.error(request, _("Choose one of the two answers."))
    return redirect(request.path)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """A group that was invited registers, or says that it does not come."""
    invited = (
        Invitation.objects.filter(pk=links.invitation_id(token))
        .select_related("event")
        .prefetch_related("event__deadlines", "event__deadlines__changes")
        .first()
    )
    if invited is None or not invited.event.published_at:
        return _unknown(request)
    now = clock.now()
    if request.method == "POST":
        invitations.decline(invited, now=now)
        return redirect(request.path)
    event = invited.event
    context = frame.window(event, now, exemption=None) | {
        "invitation": invited,
        "event": event,
        "now": now,
        "register_url": reverse("registrations:start", args=[event.slug]),
        "is_over": event.state == Event.State.CANCELLED or event.is_over(now),
    }
    return render(request, "registrations/invitation.html", context)


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "events/unknown_link.html", status=404)
