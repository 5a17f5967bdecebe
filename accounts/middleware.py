import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

import clock
from accounts import factors, kept
from accounts.models import User

Answer = Callable[[HttpRequest], HttpResponse]

ORGANISERS_SIDE = "/admin/"
OWN_PAGES = re.compile(r"/[a-z-]+/accounts/")
SEEN_AT = "seen_at"
GO_ON_TO = "go_on_to"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
IN_TAB, A_MARK = "in_tab", re.compile(r"[0-9a-z]{1,20}")
A_MINUTE, A_DAY = 60, 24 * 3600


class OwnLanguageInAdmin:
    """The admin has no language in its address; it speaks the organiser's own."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(ORGANISERS_SIDE) and request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


def note_beginning(request: HttpRequest, **_signal: object) -> None:
    """From here the idle minutes of a session are counted."""
    request.session[SEEN_AT] = int(time.time())


class Idle:
    """A session of an organiser ends when nothing was done in it for a while. Those of others
    are prolonged, once a day. Comes after the token of a form was checked."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        if not is_for_people(request) or request.user.is_anonymous:
            return None
        now = int(time.time())
        idle = now - request.session.get(SEEN_AT, 0)
        is_organiser = request.user.is_staff or request.user.is_superuser
        if is_organiser and SEEN_AT in request.session and idle > settings.ORGANISER_IDLE_SECONDS:
            return self.end(request)
        if idle > (A_MINUTE if is_organiser else A_DAY):
            request.session[SEEN_AT] = now
            key = request.session.session_key
            UserSession.objects.filter(session_key=key).update(last_seen_at=clock.now())
        return None

    def end(self, request: HttpRequest) -> HttpResponse | None:
        """The door, where the page needs somebody; what was sent waits for them behind it."""
        is_sent = request.method == "POST" and not OWN_PAGES.match(request.path_info)
        if not is_sent and not request.path_info.startswith(ORGANISERS_SIDE):
            logout(request)
            return None
        after, lost = back_to(request, request.user)
        logout(request)
        return to_the_door(request, after, lost)


class Ended:
    """What a group sends when its session has ended waits behind the door, for whom the form was
    shown to. Comes after the token of a form was checked."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        if request.method != "POST" or kept.WHOSE not in request.POST:
            return None
        if request.user.is_authenticated:
            return None
        if request.POST.get("keep") == "1":
            return HttpResponse(status=403)
        user = kept.owner(request.POST[kept.WHOSE])
        return to_the_door(request, *back_to(request, user)) if user else None


class Answered:
    """Tells the script of the next page that what it keeps in its tab has been dealt with."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.method == "POST" and answer.status_code == 302:
            mark = request.POST.get(IN_TAB, "")
            if A_MARK.fullmatch(mark) and request.user.is_authenticated:
                answer["Location"] += "" if "#" in answer["Location"] else f"#answered-{mark}"
        return answer


class SecondFactor:
    """The organisers' side opens for those who have shown more than their mailbox, in this very
    session. Comes after the token of a form was checked."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        if not request.path_info.startswith(ORGANISERS_SIDE) or request.user.is_anonymous:
            return None
        if not factors.is_needed_by(request.user) or factors.was_used(request):
            request.session.pop(GO_ON_TO, None)
            return None
        after, lost = back_to(request, request.user)
        if lost:
            messages.warning(request, lost)
        if factors.has_one(request.user):
            return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': after})}")
        request.session[GO_ON_TO] = after
        return redirect("mfa_index")


def is_for_people(request: HttpRequest) -> bool:
    """A page that may be somebody's own, asked for by a browser that has a session; all others
    are answered without looking for one."""
    path = request.path_info
    is_page = path.startswith(ORGANISERS_SIDE) or translation.get_language_from_path(path)
    return bool(is_page) and settings.SESSION_COOKIE_NAME in request.COOKIES


def to_the_door(request: HttpRequest, after: str, lost: str) -> HttpResponse:
    messages.info(request, _("You were away for a while. Sign in again to go on."))
    if lost:
        messages.warning(request, lost)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': after})}")


def back_to(request: HttpRequest, user: User) -> tuple[str, str]:
    """Where to go on afterwards; and what is lost on the way, if anything."""
    path = request.get_full_path()
    if request.method != "POST":
        return path, ""
    post = None
    if request.content_type in FORMS and not request.FILES:
        post = kept.keep(user, path, request.POST, now=clock.now())
    if post is None:
        return path, _(
            "What you sent could not be kept: it was a file, or too much. Please send it again."
        )
    return reverse("accounts:kept", args=[post.pk]), ""
