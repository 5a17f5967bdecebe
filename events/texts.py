"""Texts that organisers write, with a column for each UN language and English to fall back on."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import get_language, pgettext
from translated_fields import TranslatedField, to_attribute

SOURCE = "en"
CODES = [code for code, _name in settings.CONTENT_LANGUAGES]


def text_and_language(instance: models.Model, name: str) -> tuple[str, str]:
    """What stands in the reader's language, else in English, else in any; and its language."""
    wanted = get_language() or SOURCE
    for code in dict.fromkeys([wanted, SOURCE, *CODES]):
        text = getattr(instance, to_attribute(name, code), "")
        if text:
            return text, code
    return "", wanted


def _reader(name: str, field: Any) -> Callable[[models.Model], str]:
    return lambda instance: text_and_language(instance, name)[0]


def translated(field: models.Field, **english: Any) -> TranslatedField:
    """One column per content language, all optional but what `english` says of the English one."""
    return TranslatedField(
        field, {SOURCE: english} if english else None, languages=CODES, attrgetter=_reader
    )


def listed(parts: Iterable[Any]) -> str:
    """“Amina Diallo, Bo Santos”, with the comma of the language that is spoken now."""
    return pgettext("between the parts of a list", ", ").join(str(part) for part in parts)


def listed_apart(parts: Iterable[object]) -> str:
    """Parts that hold commas of their own."""
    return pgettext("between the parts of a list", "; ").join(str(part) for part in parts)
