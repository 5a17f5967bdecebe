from datetime import UTC, date, datetime

from django import template

from clock import shown

register = template.Library()


@register.filter
def moment(value: datetime, zone: str) -> str:
    return shown.moment(value, zone)


@register.filter
def closing(value: datetime, zone: str) -> str:
    return shown.closing(value, zone)


@register.filter
def zone_name(zone: str, value: datetime) -> str:
    return shown.zone_name(zone, value)


@register.filter
def day(value: date) -> str:
    return shown.day(value)


@register.filter
def weekday_day(value: date) -> str:
    return shown.day(value, weekday=True)


@register.filter
def days_until(first: date, last: date) -> str:
    """A period of days: {{ event.starts_on|days_until:event.ends_on }}"""
    return shown.days(first, last)


@register.filter
def month(value: date) -> str:
    return shown.months(value, value)


@register.filter
def month_short(value: date) -> str:
    return shown.month_short(value)


@register.filter
def clock_time(value: datetime, zone: str) -> str:
    return shown.clock_time(value.astimezone(shown.walls.zone_of(zone)))


@register.filter
def time_left(until: datetime, now: datetime) -> str:
    return shown.time_left(until, now)


@register.filter
def iso(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
