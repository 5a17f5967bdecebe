import re
import time
from typing import Any
from uuid import UUID, uuid4

from allauth.account.adapter import get_adapter
from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

import clock
from accounts import calendars, factors, kept
from accounts.forms import MeForm
from accounts.models import User
from clock import shown

form_methods = require_http_methods(["GET", "HEAD", "POST"])


class DoorView(RequestLoginCodeView):
    """Whoever comes back to the door before typing a code had written a wrong address."""

    def _redirect_to_pending_stage(self, *_: object) -> None:
        """Stay here; allauth would lead on to the code."""

    def form_valid(self, form: Form) -> HttpResponse:
        if form._user is None:
            self.write_to_nobody(form.cleaned_data["email"])
        return super().form_valid(form)

    def write_to_nobody(self, email: str) -> None:
        """Who is shut out waits as long for the next page as everybody else."""
        adapter = get_adapter()
        with transaction.atomic():
            code = {"request": self.request, "code": adapter.generate_login_code()}
            adapter.send_mail("account/email/login_code", email, code)
            transaction.set_rollback(True)


class CodeView(ConfirmLoginCodeView):
    """Another code works as long as its letter says; allauth would count from the first one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever has to knock anew, such as one whose right code was never answered, still comes
        to where they wanted to go."""
        answer = super().dispatch(request, *args, **kwargs)
        door = reverse("account_login")
        if answer.get("Location") in (door, reverse("account_request_login_code")):
            answer["Location"] = self.passthrough_next_url(door)
        return answer

    def get_form_kwargs(self) -> dict[str, Any]:
        """Where there is nobody, somebody is looked for all the same: it takes as long."""
        if self.stage.login.user is None:
            User.objects.filter(pk=uuid4()).first()
        own = {} if self._action == "resend" else {"email": self._process.state["email"]}
        return super().get_form_kwargs() | own

    def _resend_form_valid(self, form: Form) -> HttpResponse:
        self.stage.login.initiated_at = self._process.state["at"] = time.time()
        return super()._resend_form_valid(form)

    def _verify_form_valid(self, form: Form) -> HttpResponse:
        """A code opens the account of the address that it went to, while it is theirs."""
        user, email = self._process.user, self._process.state["email"]
        if user is None or user.email.lower() != email.lower():
            self._process.abort()
            return redirect("account_login")
        return super()._verify_form_valid(form)

    def form_invalid(self, form: Form) -> HttpResponse:
        """The right code is not used up by typing it too early."""
        if getattr(form, "is_refused", False):
            return self.render_to_response(self.get_context_data(form=form))
        return super().form_invalid(form)


class SetUpAppView(ActivateTOTPView):
    def form_valid(self, form: Form) -> HttpResponse:
        answer = super().form_valid(form)
        factors.remember_use(self.request, Authenticator.Type.TOTP)
        return answer


class AddKeyView(AddWebAuthnView):
    def form_valid(self, form: Form) -> HttpResponse:
        answer = super().form_valid(form)
        factors.remember_use(self.request, Authenticator.Type.WEBAUTHN)
        return answer


class RemoveKeyView(RemoveWebAuthnView):
    def form_valid(self, form: Form) -> HttpResponse:
        adapter = get_mfa_adapter()
        if not adapter.can_delete_authenticator(self.object):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_list_webauthn")
        return super().form_valid(form)


@never_cache
@login_required
@form_methods
def me(request: HttpRequest) -> HttpResponse:
    form = MeForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:me")
    return render(
        request, "accounts/me.html", {"form": form, "calendar": _own_calendar(request.user)}
    )


@require_POST
@login_required
def calendar(request: HttpRequest) -> HttpResponse:
    """Another address for one's own calendar, or none any more."""
    if "end" in request.POST:
        calendars.end(request.user)
        messages.success(request, _("Your calendar has no address any more."))
    else:
        calendars.renew(request.user)
        messages.success(request, _("Your calendar has a new address."))
    return redirect(f"{reverse('accounts:me')}#calendar")


def _own_calendar(user: User) -> str:
    if not user.calendar_secret:
        return ""
    return settings.BASE_URL + reverse("pages:own_ics", args=[user.calendar_secret])


@never_cache
@login_required
@form_methods
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in, and the end of one such session or of all others."""
    if request.method == "POST":
        if "others" in request.POST:
            factors.end_sessions(request.user, but=request)
            messages.success(request, _("You are signed out everywhere else."))
        elif factors.end_session(request.user, _number(request.POST.get("end", ""))):
            messages.success(request, _("That session is ended."))
        return redirect("usersessions_list")
    listed = factors.sessions_of(request.user, now=clock.now())
    rows = [
        {
            "pk": one.pk,
            "where": device(one),
            "ip": one.ip,
            "begun": shown.moment_and_zone(one.created_at, request.user.zone),
            "used": shown.moment_and_zone(one.last_seen_at, request.user.zone),
            "is_current": one.session_key == request.session.session_key,
        }
        for one in listed
    ]
    rows.sort(key=lambda row: not row["is_current"])
    return render(request, "usersessions/usersession_list.html", {"rows": rows})


BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def device(session: UserSession) -> str:
    """“Firefox on Windows”, as far as the browser tells."""
    said = session.user_agent
    browser = next((name for sign, name in BROWSERS.items() if f"{sign}/" in said), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in said), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("A browser that does not say its name")


def _number(typed: str) -> int:
    return int(typed) if re.fullmatch(r"[0-9]{1,18}", typed, re.ASCII) else 0


@never_cache
@login_required
@form_methods
def go_on(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was sent when the session had ended: its own person sends it on its way, once."""
    now = clock.now()
    if request.method == "POST":
        post = kept.take(request.user, pk, now=now)
        if post is None:
            raise Http404
        return redirect(post.path, preserve_request=True)
    post = kept.find(request.user, pk, now=now)
    if post is None:
        raise Http404
    return render(
        request,
        "accounts/go_on.html",
        {
            "post": post,
            "answers": kept.answers(post),
            "sent": shown.moment_and_zone(post.at, request.user.zone),
        },
    )
