"""What people without an account ask for by their address, and how they stop it; and another
address for an account."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

import clock
from accounts import addresses, throttles
from accounts.forms import TOO_OFTEN, AddressCodeForm, AddressForm
from events import following, recovery, refusals
from events.forms import FollowForm, WishesForm
from events.models import Event, Follower, Process
from notifications import preferences
from notifications.models import Kind

TOO_MANY_ASKED = {
    throttles.What.FOLLOW_TO: gettext_lazy(
        "We have sent ten such letters to this address within an hour. Wait an hour, and then ask "
        "again."
    ),
    throttles.What.FOLLOW_BY: gettext_lazy(
        "You have asked for ten such letters within an hour. Wait an hour, and then ask again."
    ),
    throttles.What.FOLLOW_FROM: gettext_lazy(
        "Thirty such letters were asked for from your network within an hour. Wait an hour, and "
        "then ask again."
    ),
}
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
            asked = _ask(request, form, on, zone)
        except refusals.Refusal as refused:
            form.add_error(None, str(refused))
    event = on if isinstance(on, Event) else None
    context = {"subject": on, "event": event, "form": form, "asked": asked}
    return render(request, "events/follow.html", context)


def _ask(request: HttpRequest, form: FollowForm, on: Event | Process, zone: str) -> bool:
    """Neither one mailbox nor many are filled by somebody who types addresses. Who is signed in is
    counted alone: a hall full of people has one network address."""
    user = request.user if request.user.is_authenticated else None
    email, now = form.cleaned_data["email"], clock.now()
    what, whose = (
        (throttles.What.FOLLOW_BY, str(user.pk))
        if user
        else (throttles.What.FOLLOW_FROM, throttles.network(request))
    )
    tries = [(what, whose), (throttles.What.FOLLOW_TO, email)]
    with transaction.atomic():
        too_many = throttles.begin_all(tries, now=now)
        if too_many:
            form.add_error("email", TOO_MANY_ASKED[too_many])
            return False
        following.follow(
            email, on=on, language=get_language(), zone=user.zone if user else zone, now=now
        )
    return True


@never_cache
@form_methods
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the letter: looking at it changes nothing. Whoever has said yes chooses here
    what to hear."""
    follower = following.read(token)
    if follower is None:
        return _unknown(request)
    refusal, is_choice = "", request.method == "POST" and "row" in request.POST
    form = _wishes_form(request, follower.email) if follower.confirmed_at else None
    if request.method == "POST":
        try:
            if not is_choice:
                following.confirm(follower, now=clock.now())
                return redirect(request.path)
            if form and form.is_valid():
                _choose(request, form)
                return redirect(request.path)
        except refusals.Refusal as refused:
            refusal = str(refused)
    return render(
        request,
        "events/follow_confirm.html",
        _about(follower)
        | {"form": form, "is_heard": following.is_heard(follower), "refusal": refusal},
    )


@never_cache
@login_required
@form_methods
def followed(request: HttpRequest) -> HttpResponse:
    """What somebody who is signed in follows, by the address that they sign in with."""
    form, refusal = _wishes_form(request, request.user.email), ""
    if request.method == "POST" and form.is_valid():
        try:
            _choose(request, form)
        except refusals.Refusal as refused:
            refusal = str(refused)
        else:
            return redirect("events:followed")
    return render(request, "events/followed.html", {"form": form, "refusal": refusal})


def _wishes_form(request: HttpRequest, email: str) -> WishesForm:
    data = request.POST if request.method == "POST" and "row" in request.POST else None
    return WishesForm(data, followers=following.of_address(email))


def _choose(request: HttpRequest, form: WishesForm) -> None:
    now = clock.now()
    with transaction.atomic():
        for follower, wishes in form.wishes():
            following.choose(follower, wishes, now=now)
    messages.success(request, _("Saved."))


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
        "subject": follower.on,
        "event": follower.event,
    }


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "events/unknown_link.html", status=404)
