"""What the portal says of itself."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

import clock
from pages import cache

TESTED_ON = date(2026, 11, 23)
ANSWERED_WITHIN = 10
"""Working days."""
ELSEWHERE = "https://worldweather.wmo.int/"
"""Where somebody goes who must not be seen here: the weather, in the languages of this portal."""


def help_page(request: HttpRequest) -> HttpResponse:
    return _for_everybody(request, "pages/help.html")


def accessibility(request: HttpRequest) -> HttpResponse:
    return _for_everybody(request, "pages/accessibility.html", tested_on=TESTED_ON)


def privacy(request: HttpRequest) -> HttpResponse:
    return _for_everybody(request, "pages/privacy.html", elsewhere=ELSEWHERE)


def _for_everybody(request: HttpRequest, template: str, **context: object) -> HttpResponse:
    response = render(request, template, {"answered_within": ANSWERED_WITHIN} | context)
    cache.for_everybody(response, clock.now(), [])
    return response
