"""Wall times: what people say and type, with a zone, and the moments they mean."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

from django.utils.translation import gettext as _

FIRST, SECOND = 0, 1
ONE_MINUTE = timedelta(minutes=1)


class WallTimeError(ValueError):
    """A wall time that names no single moment. Its text is a sentence for a person."""


class NoSuchTime(WallTimeError):
    pass


class TwiceTime(WallTimeError):
    def __init__(self, sentence: str, first: datetime, second: datetime) -> None:
        super().__init__(sentence)
        self.first, self.second = first, second


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def moment(day: date, at: time, zone: str, fold: int | None = None) -> datetime:
    """The moment, in UTC, that the clocks of `zone` show as `day` and `at`.

    Refuses with NoSuchTime what the clocks skip. What they show twice is refused with TwiceTime
    until `fold` says FIRST or SECOND.
    """
    here = zone_of(zone)
    wall = datetime.combine(day, at.replace(second=0, microsecond=0, tzinfo=None, fold=0))
    first = wall.replace(tzinfo=here, fold=0)
    second = wall.replace(tzinfo=here, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(here).replace(tzinfo=None) != wall:
        raise NoSuchTime(
            _(
                "On %(day)s the clocks of %(zone)s skip %(time)s: that time does not exist. "
                "Choose an earlier or a later time."
            )
            % {"day": f"{day:%Y-%m-%d}", "zone": zone, "time": f"{at:%H:%M}"}
        )
    if fold is None:
        raise TwiceTime(
            _(
                "On %(day)s the clocks of %(zone)s show %(time)s twice, because they are put "
                "back. Say which of the two you mean."
            )
            % {"day": f"{day:%Y-%m-%d}", "zone": zone, "time": f"{at:%H:%M}"},
            first=first.astimezone(UTC),
            second=second.astimezone(UTC),
        )
    return (second if fold else first).astimezone(UTC)


def closing(day: date, at: time | None, zone: str, fold: int | None = None) -> datetime:
    """The moment, exclusive, in UTC, at which a window shuts that is open “through” this time.

    A day alone means through that day. 23:59 means through that minute, so that both are stored
    as the next 00:00; any other time is the closing moment itself. Refuses as `moment` does.
    """
    if at is None or (at.hour, at.minute) == (23, 59):
        return start_of(day + timedelta(days=1), zone)
    return moment(day, at, zone, fold)


def start_of(day: date, zone: str) -> datetime:
    """The first moment, in UTC, of a day. Where the clocks skip 00:00, the moment of the skip."""
    return datetime.combine(day, time(0), zone_of(zone)).astimezone(UTC)


def earlier(closes_at: datetime, zone: str, *, days: int = 0, hours: int = 0) -> datetime:
    """The moment so many wall-clock days and hours before: a 23-hour day does not shift it.

    Where the clocks skip that time, the moment they jump to; where they show it twice, the first.
    """
    here = zone_of(zone)
    wall = closes_at.astimezone(here).replace(tzinfo=None) - timedelta(days=days, hours=hours)
    return wall.replace(tzinfo=here, fold=0).astimezone(UTC)


def last_minute(closes_at: datetime, zone: str) -> datetime:
    """How a closing moment is said: only the start of a day is said as 23:59 of the day before."""
    local = closes_at.astimezone(zone_of(zone))
    if closes_at == start_of(local.date(), zone):
        return (closes_at - ONE_MINUTE).astimezone(zone_of(zone))
    return local
