"""What the frame of every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils import timezone
from django.utils.translation import get_language, get_language_info


def portal(request: HttpRequest) -> dict[str, Any]:
    here = get_language()
    path = request.get_full_path()
    return {
        "languages": [
            {
                "code": code,
                "name_local": name,
                "url": translate_url(path, code),
                "bidi": get_language_info(code)["bidi"],
                "is_current": code == here,
                "is_default": code == settings.LANGUAGE_CODE,
            }
            for code, name in settings.LANGUAGES
        ],
        "base_url": settings.BASE_URL,
        "demo": settings.DEMO,
        "contact_email": settings.CONTACT_EMAIL,
        "now": timezone.now(),
    }
