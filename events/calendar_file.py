"""Reads the calendar's CSV files (docs/calendar.md) and says of every bad row where it stands."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from math import inf
from pathlib import Path

from clock import walls, zones
from events import models, texts

KINDS = set(models.Event.Kind.values)
DEADLINE_KINDS = set(models.Deadline.Kind.values)
CATEGORY_CODES = set(models.StakeholderGroup.values)
MODES = set(models.Event.Mode.values)
LANGUAGES = set(texts.CODES)
EVIDENCE = set(models.Event.Evidence.values)

HEADS = {
    "processes.csv": "slug prefix name_en name_ar summary_en summary_ar source",
    "categories.csv": "process code position name_en name_ar source",
    "events.csv": (
        "id process slug kind name_en name_ar summary_en summary_ar starts_on ends_on"
        " previous_starts_on previous_ends_on starts_time ends_time zone zone_stated venue_en"
        " venue_ar room_en room_ar city_en city_ar country mode organiser_en organiser_ar"
        " interpretation eligibility_en eligibility_ar evidence source note"
    ),
    "segments.csv": "event name_en name_ar date starts_time ends_time evidence source",
    "deadlines.csv": (
        "event kind opens_on closes_on closes_time zone hour_stated zone_stated"
        " previous_closes_on evidence source"
    ),
    "documents.csv": "event title_en title_ar url language evidence",
    "phrases.csv": "en fr es ru zh-hans",
}
PHRASED = HEADS["phrases.csv"].split()[1:]
SAID = {
    "starts_on": "first day",
    "ends_on": "last day",
    "previous_starts_on": "earlier first day",
    "previous_ends_on": "earlier last day",
    "starts_time": "starting time",
    "ends_time": "ending time",
    "opens_on": "opening date",
    "closes_on": "closing date",
    "closes_time": "closing time",
    "previous_closes_on": "earlier closing date",
    "name_en": "English name",
    "name_ar": "Arabic name",
    "title_en": "English title",
    "title_ar": "Arabic title",
    "prefix": "reference prefix",
    "code": "category code",
    "url": "address",
    "en": "English",
    "fr": "French",
    "es": "Spanish",
    "ru": "Russian",
    "zh-hans": "Chinese",
}
LONGEST = {
    "slug": 90,
    "prefix": 6,
    "name": 200,
    "title": 200,
    "venue": 200,
    "room": 120,
    "city": 80,
    "organiser": 200,
    "url": 500,
}
LONGEST_IN = {("categories.csv", "name"): 120}
A_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
A_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
A_TIME = re.compile(r"\d{2}:\d{2}")


@dataclass(frozen=True)
class Problem:
    file: str
    line: int
    column: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.sentence}"


class CalendarError(Exception):
    """The files are not a calendar. Holds every problem found; its text has one on each line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True)
class Process:
    slug: str
    prefix: str
    name: dict[str, str]
    summary: dict[str, str]
    source: str


@dataclass(frozen=True)
class Category:
    process: str
    code: str
    position: int
    name: dict[str, str]
    source: str


@dataclass(frozen=True)
class Segment:
    event: str
    name: dict[str, str]
    date: date
    starts_time: time | None
    ends_time: time | None
    evidence: str
    source: str


@dataclass(frozen=True)
class Deadline:
    event: str
    kind: str
    opens_on: date | None
    closes_on: date
    closes_time: time | None
    zone: str
    is_hour_stated: bool
    is_zone_stated: bool
    previous_closes_on: date | None
    evidence: str
    source: str


@dataclass(frozen=True)
class Document:
    event: str
    title: dict[str, str]
    url: str
    language: str
    evidence: str


@dataclass(frozen=True)
class Event:
    id: str
    process: str
    slug: str
    kind: str
    name: dict[str, str]
    summary: dict[str, str]
    starts_on: date
    ends_on: date
    previous_starts_on: date | None
    previous_ends_on: date | None
    starts_time: time | None
    ends_time: time | None
    zone: str
    is_zone_stated: bool
    venue: dict[str, str]
    room: dict[str, str]
    city: dict[str, str]
    country: str
    mode: str
    organiser: dict[str, str]
    interpretation: list[str]
    eligibility: dict[str, str]
    evidence: str
    source: str
    note: str
    segments: list[Segment] = field(default_factory=list)
    deadlines: list[Deadline] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)


@dataclass(frozen=True)
class Calendar:
    processes: list[Process]
    categories: list[Category]
    events: list[Event]

    @property
    def segments(self) -> list[Segment]:
        return [segment for event in self.events for segment in event.segments]

    @property
    def deadlines(self) -> list[Deadline]:
        return [deadline for event in self.events for deadline in event.deadlines]

    @property
    def documents(self) -> list[Document]:
        return [document for event in self.events for document in event.documents]


class _Row:
    """One line of one file. Each reading notes what is wrong and goes on."""

    def __init__(self, file: str, line: int, cells: dict[str, str], problems: list[Problem]):
        self.file, self.line, self.cells, self.problems = file, line, cells, problems
        for column in cells:
            self.at_most(column, self.longest(column.removesuffix("_en").removesuffix("_ar")))

    def longest(self, column: str) -> float:
        return LONGEST_IN.get((self.file, column), LONGEST.get(column, inf))

    def at_most(self, column: str, longest: float) -> None:
        length = len(self.cells[column])
        if length > longest:
            self.refuse(column, f"the {_said(column)} has {length} characters, {longest} at most.")

    def refuse(self, column: str, sentence: str) -> None:
        self.problems.append(Problem(self.file, self.line, column, sentence))

    def text(self, column: str, *, required: bool = False) -> str:
        text = self.cells[column]
        if required and not text:
            self.refuse(column, f"the {_said(column)} is missing.")
        return text

    def texts(self, column: str, phrases: "_Phrases", *, required: bool = False) -> dict[str, str]:
        english = self.text(f"{column}_en", required=required)
        arabic = self.text(f"{column}_ar", required=required)
        others = phrases.of(english, self.longest(column))
        return {"en": english, "ar": arabic} | others

    def shaped(self, column: str, shape: re.Pattern[str], like: str) -> str:
        text = self.text(column, required=True)
        if text and not shape.fullmatch(text):
            self.refuse(column, f"the {_said(column)} “{text}” does not look like {like}.")
        return text

    def one_of(self, column: str, known: Iterable[str]) -> str:
        text = self.text(column, required=True)
        if text and text not in known:
            self.refuse(column, f"the {_said(column)} “{text}” is not known.")
        return text

    def yes_or_no(self, column: str) -> bool:
        text = self.cells[column]
        if text not in ("yes", "no"):
            self.refuse(column, f"the {_said(column)} must be yes or no, not “{text}”.")
        return text == "yes"

    def number(self, column: str) -> int:
        text = self.text(column, required=True)
        if not text.isascii() or not text.isdigit() or int(text) > 999:
            self.refuse(column, f"the {_said(column)} “{text}” is not a number from 0 to 999.")
            return 0
        return int(text)

    def day(self, column: str, *, required: bool = False) -> date | None:
        text = self.text(column, required=required)
        if not text:
            return None
        if not A_DATE.fullmatch(text):
            self.refuse(column, f"the {_said(column)} “{text}” is not written like 2018-02-07.")
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.refuse(column, f"the {_said(column)} {text} does not exist.")
            return None

    def wall(self, column: str) -> time | None:
        text = self.cells[column]
        if not text:
            return None
        if not A_TIME.fullmatch(text):
            self.refuse(column, f"the {_said(column)} “{text}” is not written like 17:30.")
            return None
        try:
            return time.fromisoformat(text)
        except ValueError:
            self.refuse(column, f"the {_said(column)} {text} does not exist.")
            return None

    def zone(self, column: str = "zone") -> str:
        name = self.text(column, required=True)
        if name and name not in zones.KNOWN:
            self.refuse(column, f"the zone “{name}” is not known.")
            return ""
        return name

    def evidence(self) -> str:
        mark = self.one_of("evidence", EVIDENCE)
        if mark == "V" and "source" in self.cells and not self.cells["source"]:
            self.refuse("source", "a row marked V needs its source.")
        return mark

    def moment(
        self,
        column: str,
        day: date | None,
        at: time | None,
        zone: str,
        meaning: Callable[..., datetime] = walls.moment,
    ) -> datetime | None:
        """The moment that day, time and zone name together, or a note why there is none."""
        if not day or not zone or (at is None and meaning is walls.moment):
            return None
        try:
            return meaning(day, at, zone)
        except walls.WallTimeError as error:
            self.refuse(column, f"the {_said(column)} is not one moment: {error}")
        except OverflowError:
            self.refuse(column, f"the {_said(column)} is too far away.")
        return None

    def in_order(self, column: str, earlier: object, later: object, sentence: str) -> None:
        if earlier is not None and later is not None and earlier > later:  # type: ignore[operator]
            self.refuse(column, sentence)

    def once(self, column: str, key: object, seen: dict[object, int], said: str) -> None:
        if key in seen:
            self.refuse(column, f"the {said} stands on line {seen[key]} already.")
        else:
            seen[key] = self.line


class _Phrases:
    """What the English texts of the other files are in the languages that have no columns there."""

    def __init__(self, rows: list[_Row]) -> None:
        self.rows: dict[str, _Row] = {}
        self.longest: dict[str, float] = {}
        seen: dict[object, int] = {}
        for row in rows:
            english = row.text("en", required=True)
            row.once("en", english, seen, f"English “{english}”")
            self.rows.setdefault(english, row)

    def of(self, english: str, longest: float) -> dict[str, str]:
        """Nothing where there is no row: the reader sees the English."""
        row = self.rows.get(english) if english else None
        if row is None:
            return dict.fromkeys(PHRASED, "")
        self.longest[english] = min(longest, self.longest.get(english, inf))
        return {language: row.cells[language] for language in PHRASED}

    def refuse_longer(self) -> None:
        for english, longest in self.longest.items():
            for language in PHRASED:
                self.rows[english].at_most(language, longest)

    def refuse_unused(self) -> None:
        for english, row in self.rows.items():
            if english not in self.longest:
                row.refuse("en", f"the English “{english}” stands in none of the other files.")


def read(folder: Path) -> Calendar:
    """Raises CalendarError with every problem of every file.

    Which phrases nobody uses can only be told once the other files are right.
    """
    problems: list[Problem] = []
    rows = {name: _rows(Path(folder) / name, problems) for name in HEADS}
    phrases = _Phrases(rows["phrases.csv"])
    processes = _processes(rows["processes.csv"], phrases)
    slugs = {process.slug for process in processes}
    categories = _categories(rows["categories.csv"], slugs, phrases)
    events = _events(rows["events.csv"], slugs, phrases)
    by_id = {event.id: event for event in events}
    _segments(rows["segments.csv"], by_id, phrases)
    _deadlines(rows["deadlines.csv"], by_id)
    _documents(rows["documents.csv"], by_id, phrases)
    phrases.refuse_longer()
    if not problems:
        phrases.refuse_unused()
    if problems:
        raise CalendarError(problems)
    return Calendar(processes=processes, categories=categories, events=events)


def _said(column: str) -> str:
    return SAID.get(column) or column.removesuffix("_en").replace("_", " ")


def _rows(path: Path, problems: list[Problem]) -> list[_Row]:
    name, heads = path.name, HEADS[path.name].split()

    def refuse(line: int, sentence: str, column: str = "") -> None:
        problems.append(Problem(name, line, column, sentence))

    try:
        content = path.read_bytes()
    except OSError:
        refuse(1, f"the file cannot be read in {path.parent}.")
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(content.count(b"\n", 0, error.start) + 1, "this is not UTF-8 text.")
        return []
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    begins = 1
    try:
        for cells in lines:
            line, begins = begins, lines.line_num + 1
            if line == 1:
                if cells != heads:
                    refuse(
                        1, "the column heads must be these, with commas: " + ",".join(heads) + "."
                    )
                    return []
            elif not any(cells):
                continue
            elif lines.line_num != line:
                refuse(line, "a cell holds a line break; a row is one line.")
            elif len(cells) != len(heads):
                refuse(line, f"the row has {len(cells)} cells instead of {len(heads)}.")
            else:
                stripped = (cell.strip() for cell in cells)
                row = _Row(name, line, dict(zip(heads, stripped, strict=True)), problems)
                rows.append(row)
    except csv.Error as error:
        refuse(begins, f"this is not a row of comma-separated values ({error}).")
    if begins == 1:
        refuse(1, "the file is empty.")
    return rows


def _processes(rows: list[_Row], phrases: _Phrases) -> list[Process]:
    seen: dict[object, int] = {}
    found = []
    for row in rows:
        process = Process(
            slug=row.shaped("slug", A_SLUG, "gcm-review"),
            prefix=row.shaped("prefix", re.compile(r"[A-Z]{2,6}"), "GCM"),
            name=row.texts("name", phrases, required=True),
            summary=row.texts("summary", phrases),
            source=row.text("source"),
        )
        row.once("slug", process.slug, seen, f"process “{process.slug}”")
        found.append(process)
    return found


def _categories(rows: list[_Row], processes: set[str], phrases: _Phrases) -> list[Category]:
    seen: dict[object, int] = {}
    found = []
    for row in rows:
        category = Category(
            process=row.one_of("process", processes),
            code=row.one_of("code", CATEGORY_CODES),
            position=row.number("position"),
            name=row.texts("name", phrases, required=True),
            source=row.text("source"),
        )
        key = (category.process, category.code)
        row.once("code", key, seen, f"category “{category.code}” of this process")
        found.append(category)
    return found


def _events(rows: list[_Row], processes: set[str], phrases: _Phrases) -> list[Event]:
    ids: dict[object, int] = {}
    slugs: dict[object, int] = {}
    found = []
    for row in rows:
        first, last = row.day("starts_on", required=True), row.day("ends_on", required=True)
        begins, ends = row.wall("starts_time"), row.wall("ends_time")
        before = row.day("previous_starts_on"), row.day("previous_ends_on")
        zone = row.zone()
        interpretation = row.text("interpretation").split()
        for code in interpretation:
            if code not in LANGUAGES:
                row.refuse("interpretation", f"the language “{code}” is not known.")
        country = row.text("country")
        if country and not re.fullmatch(r"[A-Z]{2}", country):
            row.refuse("country", f"the country “{country}” is not a code of two capitals.")
        row.in_order("ends_on", first, last, f"the last day {last} is before the first, {first}.")
        row.in_order(
            "previous_ends_on", *before, "the earlier last day is before the earlier first day."
        )
        if (before[0] is None) != (before[1] is None):
            row.refuse("previous_ends_on", "the earlier first and last day go together.")
        row.in_order(
            "ends_time",
            row.moment("starts_time", first, begins, zone),
            row.moment("ends_time", last, ends, zone),
            "the ending time is before the starting time.",
        )
        event_id = row.shaped("id", A_SLUG, "msh4")
        slug = row.shaped("slug", A_SLUG, "hearing-february-2018")
        row.once("id", event_id, ids, f"id “{event_id}”")
        row.once("slug", slug, slugs, f"slug “{slug}”")
        found.append(
            Event(
                id=event_id,
                process=row.one_of("process", processes),
                slug=slug,
                kind=row.one_of("kind", KINDS),
                name=row.texts("name", phrases, required=True),
                summary=row.texts("summary", phrases),
                starts_on=first or date.min,
                ends_on=last or date.min,
                previous_starts_on=before[0],
                previous_ends_on=before[1],
                starts_time=begins,
                ends_time=ends,
                zone=zone,
                is_zone_stated=row.yes_or_no("zone_stated"),
                venue=row.texts("venue", phrases),
                room=row.texts("room", phrases),
                city=row.texts("city", phrases),
                country=country,
                mode=row.one_of("mode", MODES),
                organiser=row.texts("organiser", phrases),
                interpretation=interpretation,
                eligibility=row.texts("eligibility", phrases),
                evidence=row.evidence(),
                source=row.text("source"),
                note=row.text("note"),
            )
        )
    return found


def _segments(rows: list[_Row], events: dict[str, Event], phrases: _Phrases) -> None:
    seen: dict[object, int] = {}
    for row in rows:
        event = events.get(row.one_of("event", events))
        day = row.day("date", required=True)
        begins, ends = row.wall("starts_time"), row.wall("ends_time")
        name = row.texts("name", phrases, required=True)
        mark = row.evidence()
        if event is None or day is None:
            continue
        if not event.starts_on <= day <= event.ends_on:
            row.refuse("date", f"the date {day} is not a day of “{event.id}”.")
        row.in_order(
            "ends_time",
            row.moment("starts_time", day, begins, event.zone),
            row.moment("ends_time", day, ends, event.zone),
            "the ending time is before the starting time.",
        )
        row.once("name_en", (event.id, name["en"]), seen, "segment of this name")
        event.segments.append(Segment(event.id, name, day, begins, ends, mark, row.text("source")))


def _deadlines(rows: list[_Row], events: dict[str, Event]) -> None:
    seen: dict[object, int] = {}
    for row in rows:
        event = events.get(row.one_of("event", events))
        opens, closes = row.day("opens_on"), row.day("closes_on", required=True)
        before = row.day("previous_closes_on")
        at, zone = row.wall("closes_time"), row.zone()
        kind = row.one_of("kind", DEADLINE_KINDS)
        stated = row.yes_or_no("hour_stated"), row.yes_or_no("zone_stated")
        mark = row.evidence()
        row.moment("closes_time" if at else "closes_on", closes, at, zone, walls.closing)
        row.moment("previous_closes_on", before, at, zone, walls.closing)
        row.in_order("closes_on", opens, closes, f"it closes on {closes}, before it opens.")
        row.in_order(
            "previous_closes_on", opens, before, f"it was to close on {before}, before it opens."
        )
        if before and before == closes:
            row.refuse("previous_closes_on", "the earlier closing date is the closing date.")
        if stated[0] and at is None:
            row.refuse("hour_stated", "the hour is said to be stated, but there is none.")
        if event is None or closes is None:
            continue
        row.once("kind", (event.id, kind), seen, f"{kind} deadline of “{event.id}”")
        event.deadlines.append(
            Deadline(
                event.id,
                kind,
                opens,
                closes,
                at,
                zone,
                *stated,
                before,
                mark,
                row.text("source"),
            )
        )


def _documents(rows: list[_Row], events: dict[str, Event], phrases: _Phrases) -> None:
    seen: dict[object, int] = {}
    for row in rows:
        event = events.get(row.one_of("event", events))
        title = row.texts("title", phrases, required=True)
        url = row.shaped("url", re.compile(r"https://[^\s/]+\.[^\s]+"), "https://example.org/page")
        language = row.one_of("language", LANGUAGES)
        mark = row.evidence()
        if event is None:
            continue
        row.once("url", (event.id, url), seen, f"address {url}")
        event.documents.append(Document(event.id, title, url, language, mark))
