import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.views import defaults

Answer = Callable[[HttpRequest], HttpResponse]
AWAY = (OperationalError, InterfaceError)
PAGE = (Path(settings.BASE_DIR) / "static" / "503.html").read_bytes()
TEXTS = ("text/", "application/atom+xml", "application/json")


class Compressed(GZipMiddleware):
    """Pages, calendars and feeds travel compressed to browsers that take them so. Each gets a
    random length more, so that nobody learns from it what stands there (BREACH). Files that are
    streamed are left alone."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        is_text = response.headers.get("Content-Type", "").startswith(TEXTS)
        if response.streaming or not is_text:
            return response
        return super().process_response(request, response)


class DatabaseAway:
    """Turn “the database does not answer” into a still page that needs nothing: 503."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return away() if isinstance(exception, AWAY) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """The handler of what no view raised: middleware below needs the database, too."""
    return away() if isinstance(sys.exc_info()[1], AWAY) else defaults.server_error(request)


def away() -> HttpResponse:
    connection.close_if_unusable_or_obsolete()
    return HttpResponse(PAGE, status=503, headers={"Retry-After": "5"})
