from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]


class DatabaseAway:
    """Turn “the database does not answer” into a still page that needs nothing: 503."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.page = (Path(settings.BASE_DIR) / "static" / "503.html").read_bytes()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.is_database_away = False
        try:
            response = self.get_response(request)
        except (OperationalError, InterfaceError):
            return self.away()
        return self.away() if request.is_database_away else response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        request.is_database_away = isinstance(exception, OperationalError | InterfaceError)

    def away(self) -> HttpResponse:
        connection.close_if_unusable_or_obsolete()
        return HttpResponse(self.page, status=503, headers={"Retry-After": "5"})
