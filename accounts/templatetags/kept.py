from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import kept

register = template.Library()


@register.simple_tag(takes_context=True)
def whose(context: dict[str, Any]) -> SafeString:
    """To whom this form was shown: theirs is what is sent by it, though the session has ended."""
    sign = kept.sign(context["request"].user)
    return format_html('<input type="hidden" name="{}" value="{}">', kept.WHOSE, sign)
