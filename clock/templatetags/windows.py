from datetime import datetime, timedelta

from django import template

from clock import walls

register = template.Library()

LAST_DAY = timedelta(hours=24)


@register.simple_tag
def stage(opens_at: datetime | None, closes_at: datetime, now: datetime) -> str:
    """Where a window stands: “ahead”, “open”, “last_day” or “closed”."""
    if opens_at and now < opens_at:
        return "ahead"
    if now >= closes_at:
        return "closed"
    return "last_day" if closes_at - now <= LAST_DAY else "open"


@register.simple_tag
def percent_passed(opens_at: datetime, closes_at: datetime, now: datetime) -> int:
    """How much of a window has passed."""
    return max(0, min(100, int((now - opens_at) / (closes_at - opens_at) * 100)))


@register.filter
def last_minute(value: datetime, zone: str) -> datetime:
    """The moment that is shown as the closing one: 23:59 where the window shuts at 00:00."""
    return walls.last_minute(value, zone)
