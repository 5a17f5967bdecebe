"""How moments are said to people: Gregorian, Latin digits, never “midnight”, zone always named."""

import re
from datetime import date, datetime, timedelta

from babel import Locale, dates
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clock import walls

LOCALES = {"zh-hans": "zh_Hans", "zh": "zh_Hans"}
DAY = {"es": "d 'de' MMMM 'de' y", "zh": "y年M月d日"}
WEEKDAY_DAY = {
    "es": "EEEE d 'de' MMMM 'de' y",
    "ru": "EEEE, d MMMM y",
    "zh": "y年M月d日EEEE",
}
MONTH = {"es": "LLLL 'de' y", "zh": "y年M月"}
FIRST = re.compile(r"\b1 ")
UN_MONTHS = [
    "كانون الثاني/يناير",
    "شباط/فبراير",
    "آذار/مارس",
    "نيسان/أبريل",
    "أيار/مايو",
    "حزيران/يونيه",
    "تموز/يوليه",
    "آب/أغسطس",
    "أيلول/سبتمبر",
    "تشرين الأول/أكتوبر",
    "تشرين الثاني/نوفمبر",
    "كانون الأول/ديسمبر",
]


def locale() -> Locale:
    """The reader's language, as Babel calls it."""
    language = get_language() or "en"
    return Locale.parse(LOCALES.get(language, language.replace("-", "_")))


def day(value: date, *, weekday: bool = False) -> str:
    """“21 February 2018”; Arabic with the double month names that the UN uses."""
    here = locale()
    if here.language == "ar":
        text = f"{value.day} {UN_MONTHS[value.month - 1]} {value.year}"
        return f"{dates.format_date(value, 'EEEE', here)} {text}" if weekday else text
    patterns = WEEKDAY_DAY if weekday else DAY
    pattern = patterns.get(here.language, "EEEE d MMMM y" if weekday else "d MMMM y")
    text = dates.format_date(value, pattern, here)
    if here.language == "fr" and value.day == 1:
        return FIRST.sub("1er ", text)
    return text


def month_short(value: date) -> str:
    here = locale()
    if here.language == "ar":
        return UN_MONTHS[value.month - 1].split("/")[1]
    return dates.format_date(value, "LLL", here)


def days(first: date, last: date) -> str:
    """“21 February 2018”, “8–9 May 2017” or “31 August – 1 September 2021”."""
    if first == last:
        return day(first)
    if (first.year, first.month) != (last.year, last.month):
        return f"{day(first)} – {day(last)}"
    if locale().language == "zh":
        return f"{day(first)}至{last.day}日"
    beginning = "1er" if locale().language == "fr" and first.day == 1 else first.day
    return day(last).replace(str(last.day), f"{beginning}–{last.day}", 1)


def months(first: date, last: date) -> str:
    """“May – October 2017”, “December 2017”, “July 2017 – May 2018”."""
    if (first.year, first.month) == (last.year, last.month):
        return _month(first)
    if locale().language == "zh" and first.year == last.year:
        return f"{_month(first)}至{last.month}月"
    return f"{_month(first, year=first.year != last.year)} – {_month(last)}"


def _month(value: date, *, year: bool = True) -> str:
    here = locale()
    if here.language == "ar":
        return UN_MONTHS[value.month - 1] + (f" {value.year}" if year else "")
    if not year:
        return dates.format_date(value, "LLLL", here)
    return dates.format_date(value, MONTH.get(here.language, "LLLL y"), here)


def clock_time(value: datetime) -> str:
    return f"{value:%H:%M}"


def moment(value: datetime, zone: str, *, weekday: bool = True) -> str:
    """“Wednesday 21 February 2018, 10:00”, on the clocks of `zone`."""
    local = value.astimezone(walls.zone_of(zone))
    return _("%(day)s, %(time)s") % {
        "day": day(local.date(), weekday=weekday),
        "time": clock_time(local),
    }


def closing(value: datetime, zone: str) -> str:
    """“Wednesday 7 February 2018, 23:59”: the last minute in which the window is open."""
    return moment(walls.last_minute(value, zone), zone)


def offset(value: datetime, zone: str) -> str:
    """“UTC−5”, “UTC+5:30”, “UTC”, as it is at that moment."""
    difference = value.astimezone(walls.zone_of(zone)).utcoffset() or timedelta(0)
    minutes = int(difference.total_seconds()) // 60
    if not minutes:
        return "UTC"
    sign = "−" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def city(zone: str) -> str:
    if zone == "UTC":
        return "UTC"
    return dates.get_timezone_location(zone, locale=locale(), return_city=True)


def zone_name(zone: str, value: datetime) -> str:
    """“New York time (UTC−5)”."""
    if zone == "UTC":
        return "UTC"
    return _("%(city)s time (%(offset)s)") % {"city": city(zone), "offset": offset(value, zone)}


def moment_and_zone(value: datetime, zone: str) -> str:
    """“Wednesday 21 February 2018, 10:00, New York time (UTC−5)”."""
    return _("%(moment)s, %(zone)s") % {
        "moment": moment(value, zone),
        "zone": zone_name(zone, value),
    }


def closing_and_zone(value: datetime, zone: str) -> str:
    """“Wednesday 7 February 2018, 23:59, New York time (UTC−5)”."""
    return moment_and_zone(walls.last_minute(value, zone), zone)


def time_left(until: datetime, now: datetime) -> str:
    """“6 days 13 hours”; in the last hour minutes; never seconds."""
    minutes = max(0, int((until - now).total_seconds()) // 60)
    whole_days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if not whole_days and not hours:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    in_hours = ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    if not whole_days:
        return in_hours
    in_days = ngettext("%(n)s day", "%(n)s days", whole_days) % {"n": whole_days}
    if not hours:
        return in_days
    return _("%(days)s %(hours)s") % {"days": in_days, "hours": in_hours}
