from django import template

from events import following
from events.models import Follower

register = template.Library()


@register.filter
def follow_token(follower: Follower) -> str:
    """What a link carries that is about this follower."""
    return following.token(follower)
