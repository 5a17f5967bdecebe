from django import template
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_info

from events import texts

register = template.Library()


@register.filter
def text(instance: models.Model, name: str) -> str | SafeString:
    """{{ event|text:"name" }}: marked with its language where it is not the reader's."""
    words, code = texts.text_and_language(instance, name)
    if code == get_language():
        return words
    direction = "rtl" if get_language_info(code)["bidi"] else "ltr"
    return format_html('<span lang="{}" dir="{}">{}</span>', code, direction, words)
