from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import mode
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models, transaction
from translated_fields import to_attribute

import clock
from audit import trail
from clock import walls
from events import calendar_file, deadlines, refusals, schedule
from events.models import Category, Deadline, Document, Event, Process, Segment

FOLDER = Path(settings.BASE_DIR) / "events" / "data" / "calendar"
ADDED, CHANGED, UNCHANGED = "added", "changed", "unchanged"

LIVE_OF, LIVE, LIVE_PREFIX = "gcm", "gcm-live", "live-"
LIVE_NAME = {
    "en": "Global Compact for Migration (demonstration)",
    "ar": "الاتفاق العالمي للهجرة (عرض توضيحي)",
    "fr": "Pacte mondial sur les migrations (démonstration)",
    "es": "Pacto Mundial sobre Migración (demostración)",
    "ru": "Глобальный договор о миграции (демонстрация)",
    "zh-hans": "移民问题全球契约（演示）",
}
LIVE_SUMMARY = {
    "en": (
        "The calendar of the Global Compact with every date moved by the same number of weeks, "
        "to try the portal with."
    ),
    "ar": "تقويم الاتفاق العالمي مع نقل كل المواعيد بالعدد نفسه من الأسابيع، لتجربة البوابة.",
    "fr": (
        "Le calendrier du Pacte mondial, toutes les dates étant déplacées du même nombre de "
        "semaines, pour essayer le portail."
    ),
    "es": (
        "El calendario del Pacto Mundial con todas las fechas desplazadas el mismo número de "
        "semanas, para probar el portal."
    ),
    "ru": (
        "Календарь Глобального договора, в котором все даты сдвинуты на одно и то же число "
        "недель, чтобы опробовать портал."
    ),
    "zh-hans": "全球契约日历，所有日期移动相同的周数，供试用本门户。",
}
LIVE_HEARING, AHEAD = "msh4", timedelta(days=9)


class Command(BaseCommand):
    help = "Loads the calendar's files (docs/calendar.md), all of them or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files are")
        parser.add_argument(
            "--live",
            action="store_true",
            help="load the Global Compact once more, as a demonstration that lies ahead",
        )

    def handle(self, *args: Any, folder: Path, live: bool, **options: Any) -> None:
        try:
            told = load(folder, live=live, now=clock.now())
        except (calendar_file.CalendarError, refusals.Refusal) as error:
            raise CommandError(f"Nothing was loaded.\n{error}") from error
        for line in told:
            self.stdout.write(line)


@transaction.atomic
def load(folder: Path, *, live: bool, now: datetime) -> list[str]:
    """Bring the database to what the files say, and tell it in lines. Nothing is ever deleted."""
    calendar = calendar_file.read(folder)
    history = _History(now)
    history.load(calendar)
    told = _told("history", history.count)
    if live:
        demonstration = _Demonstration(now)
        weeks = demonstration.load(calendar)
        told += _told(LIVE, demonstration.count)
        told.append(f"{LIVE}: every date lies {weeks} weeks after the true one.")
    return told


def _told(heading: str, count: Counter[tuple[str, str]]) -> list[str]:
    things = dict.fromkeys(thing for thing, _what in count)
    return [
        f"{heading}: {thing}: "
        + ", ".join(f"{count[thing, what]} {what}" for what in (ADDED, CHANGED, UNCHANGED))
        for thing in things
    ]


class _Loader:
    corrects = False
    """Whether what it moves is news to those who were told of it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.count: Counter[tuple[str, str]] = Counter()

    def put(
        self, model: type[models.Model], key: dict[str, Any], values: dict[str, Any]
    ) -> tuple[Any, str]:
        """The row with this key, made or brought to these values."""
        row = model._default_manager.filter(**key).first()
        if row is None:
            row, what = model._default_manager.create(**key, **values), ADDED
        else:
            what = _bring(row, values)
        self.tell(model, what)
        return row, what

    def tell(self, model: type[models.Model], what: str) -> None:
        self.count[str(model._meta.model_name), what] += 1

    def add_deadline(
        self, event: Event, row: calendar_file.Deadline, moments: "_Moments", closes_at: datetime
    ) -> Deadline:
        self.tell(Deadline, ADDED)
        return deadlines.set_deadline(
            event,
            kind=row.kind,
            opens_at=moments.opening(row.opens_on, row.zone),
            closes_at=closes_at,
            zone=row.zone,
            is_hour_stated=row.is_hour_stated,
            is_zone_stated=row.is_zone_stated,
            by=None,
            now=self.now,
        )

    def bring_deadline(
        self, deadline: Deadline, row: calendar_file.Deadline, moments: "_Moments", reason: str
    ) -> None:
        """Move what differs. The move says that the hour is known; the file knows better."""
        closes_at = moments.closing(row.closes_on, row.closes_time, row.zone)
        is_moved = deadline.closes_at != closes_at
        if is_moved:
            self.move(deadline, closes_at, reason, at=self.now, is_news=self.corrects)
        what = _bring(
            deadline,
            {
                "opens_at": moments.opening(row.opens_on, row.zone),
                "zone": row.zone,
                "is_hour_stated": row.is_hour_stated,
                "is_zone_stated": row.is_zone_stated,
            },
        )
        self.tell(Deadline, CHANGED if is_moved else what)

    def move(
        self, deadline: Deadline, closes_at: datetime, reason: str, *, at: datetime, is_news: bool
    ) -> None:
        """A window that is shut by now is moved as of the last minute before it shut. Nobody is
        told of what is history."""
        at = min(at, closes_at - timedelta(minutes=1))
        change = deadlines.move(deadline, closes_at=closes_at, by=None, now=at, reason=reason)
        if not is_news or closes_at <= self.now:
            change.announced_at = at
            change.save(update_fields=["announced_at"])

    def add_documents(self, event: Event, row: calendar_file.Event) -> None:
        for document in row.documents:
            self.put(
                Document,
                {"event": event, "url": document.url},
                {"language": document.language} | _columns("title", document.title),
            )

    def add_segments(self, event: Event, row: calendar_file.Event, moments: "_Moments") -> None:
        for segment in row.segments:
            names = _columns("name", segment.name)
            self.put(
                Segment,
                {"event": event, "name_en": names.pop("name_en")},
                {
                    "date": moments.day(segment.date),
                    "starts_at": moments.at(segment.date, segment.starts_time, row.zone),
                    "ends_at": moments.at(segment.date, segment.ends_time, row.zone),
                }
                | names,
            )


class _History(_Loader):
    """The true dates: what the files say holds."""

    corrects = True

    def load(self, calendar: calendar_file.Calendar) -> None:
        moments = _Moments()
        processes = {row.slug: self.put_process(row) for row in calendar.processes}
        for category in calendar.categories:
            self.put(
                Category,
                {"process": processes[category.process], "code": category.code},
                {"position": category.position} | _columns("name", category.name),
            )
        for row in calendar.events:
            event = self.put_event(row, processes[row.process], moments)
            self.add_segments(event, row, moments)
            self.add_documents(event, row)
            for deadline in row.deadlines:
                self.put_deadline(event, deadline, moments)

    def put_process(self, row: calendar_file.Process) -> Process:
        values = {"prefix": row.prefix, "source": row.source}
        values |= _columns("name", row.name) | _columns("summary", row.summary)
        process, _what = self.put(Process, {"slug": row.slug}, values)
        return process

    def put_event(self, row: calendar_file.Event, process: Process, moments: "_Moments") -> Event:
        values = {
            "process": process,
            "previous_starts_on": row.previous_starts_on,
            "previous_ends_on": row.previous_ends_on,
            "source": row.source,
            "note": row.note,
            "evidence": row.evidence,
        }
        values |= _event_facts(row) | moments.of_event(row)
        event, what = self.put(Event, {"slug": row.slug}, values)
        if what == ADDED:
            schedule.publish(event, by=None, now=self.now)
        elif what == CHANGED:
            trail.record(None, "brought to the calendar file", event, at=self.now, scope=event.id)
        return event

    def put_deadline(self, event: Event, row: calendar_file.Deadline, moments: "_Moments") -> None:
        deadline = Deadline.objects.filter(event=event, kind=row.kind).first()
        if deadline is not None:
            self.bring_deadline(deadline, row, moments, "The calendar file was corrected.")
            return
        closes_at = moments.closing(row.closes_on, row.closes_time, row.zone)
        if row.previous_closes_on is None:
            self.add_deadline(event, row, moments, closes_at)
            return
        first = moments.closing(row.previous_closes_on, row.closes_time, row.zone)
        deadline = self.add_deadline(event, row, moments, first)
        self.move(
            deadline,
            closes_at,
            "extended",
            at=min(self.now, first - timedelta(minutes=1)),
            is_news=False,
        )
        _bring(
            deadline,
            {"is_hour_stated": row.is_hour_stated, "is_zone_stated": row.is_zone_stated},
        )


class _Demonstration(_Loader):
    """The Global Compact once more, moved ahead.

    What stands belongs to its organisers and is left alone, until the hearing's registration has
    closed: then every date moves on.
    """

    def load(self, calendar: calendar_file.Calendar) -> int:
        rows = [row for row in calendar.events if row.process == LIVE_OF]
        standing = {
            event.slug: event
            for event in Event.objects.filter(slug__in=[LIVE_PREFIX + row.slug for row in rows])
        }
        weeks = self.standing_weeks(rows, standing)
        is_kept = weeks is not None
        if weeks is None:
            weeks = self.weeks_ahead(rows)
        moments = _Moments(timedelta(weeks=weeks))
        process = self.add_process(calendar)
        for row in rows:
            event = standing.get(LIVE_PREFIX + row.slug)
            if event is None:
                self.add_event(process, row, moments)
            elif is_kept:
                self.tell(Event, UNCHANGED)
            else:
                self.move_on(event, row, moments)
        return weeks

    def standing_weeks(
        self, rows: list[calendar_file.Event], standing: dict[str, Event]
    ) -> int | None:
        """By how many weeks the demonstration lies ahead, if its hearing can still be joined."""
        hearing, _closing = _hearing(rows)
        is_open = Deadline.objects.filter(
            event__slug=LIVE_PREFIX + hearing.slug,
            kind=Deadline.Kind.REGISTRATION,
            closes_at__gt=self.now,
        ).exists()
        moved = [
            standing[LIVE_PREFIX + row.slug].starts_on - row.starts_on
            for row in rows
            if LIVE_PREFIX + row.slug in standing
        ]
        return mode(moved).days // 7 if is_open else None

    def weeks_ahead(self, rows: list[calendar_file.Event]) -> int:
        """The fewest weeks by which the hearing's registration closes late enough."""
        _event, closing = _hearing(rows)
        weeks = (self.now.date() - closing.closes_on).days // 7
        while _last_minute(closing, weeks) - self.now < AHEAD:
            weeks += 1
        return weeks

    def add_process(self, calendar: calendar_file.Calendar) -> Process:
        true = next(row for row in calendar.processes if row.slug == LIVE_OF)
        process, is_new = Process.objects.get_or_create(
            slug=LIVE,
            defaults={"prefix": true.prefix, "source": true.source}
            | _columns("name", LIVE_NAME)
            | _columns("summary", LIVE_SUMMARY),
        )
        self.tell(Process, ADDED if is_new else UNCHANGED)
        for row in calendar.categories:
            if row.process == LIVE_OF:
                _category, is_new = Category.objects.get_or_create(
                    process=process,
                    code=row.code,
                    defaults={"position": row.position} | _columns("name", row.name),
                )
                self.tell(Category, ADDED if is_new else UNCHANGED)
        return process

    def add_event(self, process: Process, row: calendar_file.Event, moments: "_Moments") -> None:
        event, _what = self.put(
            Event,
            {"slug": LIVE_PREFIX + row.slug},
            {
                "process": process,
                "source": row.source,
                "note": f"A demonstration. The true event: {row.slug}.",
            }
            | _event_facts(row)
            | moments.of_event(row),
        )
        self.add_segments(event, row, moments)
        self.add_documents(event, row)
        for deadline in row.deadlines:
            self.add_deadline(
                event,
                deadline,
                moments,
                moments.closing(deadline.closes_on, deadline.closes_time, deadline.zone),
            )
        schedule.publish(event, by=None, now=self.now)

    def move_on(self, event: Event, row: calendar_file.Event, moments: "_Moments") -> None:
        further = _Moments(moments.day(row.starts_on) - event.starts_on)
        for segment in event.segments.all():
            what = _bring(
                segment,
                {
                    "date": further.day(segment.date),
                    "starts_at": further.same_wall(segment.starts_at, event.zone),
                    "ends_at": further.same_wall(segment.ends_at, event.zone),
                },
            )
            self.tell(Segment, what)
        days = {"previous_starts_on": None, "previous_ends_on": None} | moments.of_event(row)
        what = _bring(event, days)
        self.tell(Event, what)
        if what == CHANGED:
            trail.record(None, "demonstration moved on", event, at=self.now, scope=event.id)
        for deadline in row.deadlines:
            standing = Deadline.objects.filter(event=event, kind=deadline.kind).first()
            if standing is not None:
                self.bring_deadline(standing, deadline, moments, "The demonstration moved on.")


class _Moments:
    """The days and wall times of the files as moments, all moved by the same days.

    The files hold no wall time that does not exist or comes twice. Moved to another year one may:
    where the clocks skip it, it is the same distance later; where it comes twice, the first.
    """

    def __init__(self, further: timedelta = timedelta(0)) -> None:
        self.further = further

    def day(self, day: date) -> date:
        return day + self.further

    def at(self, day: date, at: time | None, zone: str) -> datetime | None:
        if at is None:
            return None
        return datetime.combine(self.day(day), at, walls.zone_of(zone)).astimezone(UTC)

    def same_wall(self, moment: datetime | None, zone: str) -> datetime | None:
        if moment is None:
            return None
        local = moment.astimezone(walls.zone_of(zone))
        return self.at(local.date(), local.time(), zone)

    def opening(self, day: date | None, zone: str) -> datetime | None:
        return walls.start_of(self.day(day), zone) if day else None

    def closing(self, day: date, at: time | None, zone: str) -> datetime:
        try:
            return walls.closing(self.day(day), at, zone)
        except walls.WallTimeError:
            return datetime.combine(self.day(day), at or time(0), walls.zone_of(zone)).astimezone(
                UTC
            )

    def of_event(self, row: calendar_file.Event) -> dict[str, Any]:
        return {
            "starts_on": self.day(row.starts_on),
            "ends_on": self.day(row.ends_on),
            "starts_at": self.at(row.starts_on, row.starts_time, row.zone),
            "ends_at": self.at(row.ends_on, row.ends_time, row.zone),
        }


def _hearing(
    rows: list[calendar_file.Event],
) -> tuple[calendar_file.Event, calendar_file.Deadline]:
    for row in rows:
        for deadline in row.deadlines:
            if row.id == LIVE_HEARING and deadline.kind == Deadline.Kind.REGISTRATION:
                return row, deadline
    sentence = f"the demonstration needs the registration deadline of “{LIVE_HEARING}”."
    raise calendar_file.CalendarError(
        [calendar_file.Problem("deadlines.csv", 1, "event", sentence)]
    )


def _last_minute(closing: calendar_file.Deadline, weeks: int) -> datetime:
    moments = _Moments(timedelta(weeks=weeks))
    return walls.last_minute(
        moments.closing(closing.closes_on, closing.closes_time, closing.zone), closing.zone
    )


def _event_facts(row: calendar_file.Event) -> dict[str, Any]:
    facts = {
        "kind": row.kind,
        "zone": row.zone,
        "country": row.country,
        "mode": row.mode,
        "interpretation": row.interpretation,
    }
    for name in ("name", "summary", "venue", "room", "city", "organiser", "eligibility"):
        facts |= _columns(name, getattr(row, name))
    return facts


def _columns(name: str, texts: dict[str, str]) -> dict[str, Any]:
    return {to_attribute(name, language): text for language, text in texts.items()}


def _bring(row: models.Model, values: dict[str, Any]) -> str:
    """Bring the row to these values and say whether it had others."""
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    if not differing:
        return UNCHANGED
    for name in differing:
        setattr(row, name, values[name])
    row.save(update_fields=differing)
    return CHANGED
