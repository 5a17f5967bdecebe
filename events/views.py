"""What people without an account ask for by their address, and how they stop it; and another
address for an account."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

import clock
from accounts import addresses, throttles
from accounts.forms import TOO_OFTEN, AddressCodeForm, AddressForm
from events import following, recovery, refusals
from events.forms import FollowForm
from events.models import Event, Follower, Process
from notifications import preferences
from notifications.models import Kind

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@form_methods
def follow_event(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.public().select_related("process"), slug=slug)
    return _follow(request, event, event.zone)


@never_cache
@form_methods
def follow_process(request: HttpRequest, slug: str) -> HttpResponse:
    return _follow(request, get_object_or_404(Process, slug=slug), "UTC")


def _follow(request: HttpRequest, on: Event | Process, zone: str) -> HttpResponse:
    """The answer is the same whether the address follows already or not."""
    user = request.user if request.user.is_authenticated else None
    form = FollowForm(
        request.POST if request.method == "POST" else None,
        initial={"email": user.email if user else ""},
    )
    asked = False
    if request.method == "POST" and form.is_valid():
        try:
            following.follow(
                form.cleaned_data["email"],
                on=on,
                language=get_language(),
                zone=user.zone if user else zone,
                now=clock.now(),
            )
            asked = True
        except refusals.Refusal as refused:
            form.add_error(None, str(refused))
    event = on if isinstance(on, Event) else None
    context = {"subject": on, "event": event, "form": form, "asked": asked}
    return render(request, "events/follow.html", context)


@never_cache
@form_methods
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the letter: looking at it changes nothing."""
    follower = following.read(token)
    if follower is None:
        return _unknown(request)
    refusal = ""
    if request.method == "POST":
        try:
            following.confirm(follower, now=clock.now())
        except refusals.Refusal as refused:
            refusal = str(refused)
        else:
            return redirect(request.path)
    return render(
        request,
        "events/follow_confirm.html",
        _about(follower)
        | {
            "is_heard": following.is_heard(follower),
            "stop_url": reverse("events:follow_stop", args=[token]),
            "refusal": refusal,
        },
    )


@never_cache
@form_methods
def stop_following(request: HttpRequest, token: str) -> HttpResponse:
    follower = following.read(token)
    if follower is None:
        return _unknown(request)
    everything = Follower.objects.filter(email__iexact=follower.email)
    if request.method == "POST":
        now = clock.now()
        with transaction.atomic():
            for each in everything if request.POST.get("what") == "everything" else [follower]:
                following.stop(each, now=now)
        return render(request, "events/follow_stop.html", {"stopped": True})
    others = everything.exclude(pk=follower.pk).count()
    return render(request, "events/follow_stop.html", _about(follower) | {"others": others})


@never_cache
@csrf_exempt
@form_methods
def stop_letters(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058: mailbox providers post here themselves, without cookies; the token is the proof."""
    told = preferences.read(token)
    if told is None:
        return _unknown(request)
    done = request.method == "POST"
    if done:
        act = preferences.resume if "again" in request.POST else preferences.stop
        act(told.email, scope=told.scope, kind=told.kind, now=clock.now())
    stopped = told.email.lower() in preferences.unwanted(told.scope, told.kind)
    event = Event.objects.public().filter(pk=told.scope).first() if told.scope else None
    return render(
        request,
        "events/stop.html",
        {
            "email": told.email,
            "reminders": told.kind == Kind.REMINDER,
            "event": event,
            "stopped": stopped,
            "done": done,
        },
    )


@never_cache
@login_required
@reauthentication_required(app="allauth.mfa")
@form_methods
def address(request: HttpRequest) -> HttpResponse:
    """The answer is the same whether somebody else has this address already or not."""
    form = AddressForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        now = clock.now()
        if throttles.begin(throttles.What.ADDRESS, str(request.user.pk), now=now):
            addresses.ask(request.session, request.user, form.cleaned_data["email"], now=now)
            return redirect("events:address_code")
        form.add_error("email", TOO_OFTEN)
    return render(request, "accounts/address.html", {"form": form})


@never_cache
@login_required
@reauthentication_required(app="allauth.mfa")
@form_methods
def address_code(request: HttpRequest) -> HttpResponse:
    """Whoever types the code reads the new mailbox."""
    now = clock.now()
    asked = addresses.waiting(request.session, now=now)
    if asked is None:
        return redirect("events:address")
    form = AddressCodeForm(request.POST if request.method == "POST" else None, asked=asked)
    if request.method == "POST" and form.is_valid():
        try:
            recovery.change(request.user, asked.email, by=request.user, now=now)
        except refusals.Refusal as refused:
            form.add_error(None, str(refused))
        else:
            addresses.forget(request.session)
            messages.success(request, _("From now on you sign in with this address."))
            return redirect("accounts:me")
    return render(request, "accounts/address_code.html", {"form": form, "email": asked.email})


def _about(follower: Follower) -> dict:
    return {
        "follower": follower,
        "subject": follower.event or follower.process,
        "event": follower.event,
    }


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "events/unknown_link.html", status=404)
