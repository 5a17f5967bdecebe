"""Pages that everybody sees alike, kept for a second in the memory of each web process.

That is long enough for a crowd that comes at once, and so short that nobody has to be told when an
organiser changes something. No page is kept over a moment at which a window opens or closes: the
page of before would say of registration what is no longer true.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from events.models import Deadline

MOST = 500
"""So many pages at a time."""
FOR = "kept_for"


def for_everybody(response: HttpResponse, now: datetime, deadlines: Iterable[Deadline]) -> None:
    """Say of a page, made at this moment, that it may be kept: up to the next turn of these."""
    turns = [at for each in deadlines for at in (each.opens_at, each.closes_at) if at and at > now]
    setattr(response, FOR, (min(turns) - now).total_seconds() if turns else settings.PAGES_KEPT_FOR)


@dataclass(frozen=True)
class Kept:
    """An answer, and until when it is given, in seconds of a clock that nobody sets."""

    content: bytes
    headers: dict[str, str]
    until: float

    def answer(self) -> HttpResponse:
        return HttpResponse(self.content, headers=self.headers)


class KeptPages:
    """The outermost of all: whoever brings no cookie and asks nothing more gets what is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.kept: dict[tuple[str, str, str, bool], Kept] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.is_everybody(request):
            return self.get_response(request)
        began = time.monotonic()
        asked = request.META
        is_compressed = "gzip" in asked.get("HTTP_ACCEPT_ENCODING", "")
        key = (request.scheme or "", asked.get("HTTP_HOST", ""), request.path, is_compressed)
        kept = self.kept.get(key)
        if kept and began < kept.until:
            return kept.answer()
        response = self.get_response(request)
        seconds = min(getattr(response, FOR, 0), settings.PAGES_KEPT_FOR)
        if seconds > 0 and response.status_code == 200 and not response.cookies:
            if len(self.kept) >= MOST:
                self.kept.clear()
            headers = dict(response.items())
            self.kept[key] = Kept(response.content, headers, began + seconds)
        return response

    def is_everybody(self, request: HttpRequest) -> bool:
        asked = request.META
        return request.method == "GET" and not (
            asked.get("QUERY_STRING") or asked.get("HTTP_COOKIE")
        )
