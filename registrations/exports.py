"""The attendee list as a file: one row per person, told in the organiser's language.

A file keeps what it was given: a text never becomes a formula, a link or a number. Rows are read
from a cursor and written as they come, so that a long list takes no more memory than a short one.
"""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from typing import IO, Any, Protocol
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Count, DateTimeField, F, Func, OuterRef, Q, Subquery, TextField, Window
from django.db.models.functions import Cast, RowNumber
from django.utils.text import capfirst
from django.utils.translation import get_language_bidi, gettext_lazy, gettext_noop
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.models import User
from audit import trail
from clock import shown
from events import asking, texts
from events.models import Event, Question, StakeholderGroup, Track
from events.regions import REGION_OF, Region
from events.rights import Right
from registrations.models import Answer, Delegate, DelegateQuerySet, Tag, said_as
from stakeholders.tables import guarded, is_formula

STATES = {
    Delegate.State.SUBMITTED: gettext_lazy("Waits for a decision"),
    Delegate.State.MORE_INFORMATION: gettext_lazy("Asked, waits for the answer"),
    Delegate.State.APPROVED: gettext_lazy("Approved"),
    Delegate.State.CONFIRMED: gettext_lazy("Confirmed"),
    Delegate.State.WAIT_LISTED: gettext_lazy("On the waiting list"),
    Delegate.State.DECLINED: gettext_lazy("Declined"),
    Delegate.State.DECLINED_BY_DELEGATE: gettext_lazy("Does not come"),
    Delegate.State.LAPSED: gettext_lazy("Not confirmed in time"),
    Delegate.State.REPLACED: gettext_lazy("Replaced"),
    Delegate.State.WITHDRAWN: gettext_lazy("Withdrawn"),
}
"""The state in the organisers' words; the model's own words are the group's."""

NOTHING = ""
AT_ONCE = 2000
BOM = "\ufeff"
NO_CHARACTERS = dict.fromkeys({*range(32), 127, 0xFFFE, 0xFFFF} - set(b"\t\n\r"))

CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
PAGE = "xl/worksheets/sheet1.xml"
COMPRESSION = 3
DAY_NOUGHT, DAY = datetime(1899, 12, 30), timedelta(days=1)

Value = str | int | float | datetime
Cell = Callable[[tuple], Value]


class Table(Protocol):
    """What becomes a file, and of which events it tells."""

    @property
    def title(self) -> str: ...
    @property
    def events(self) -> Mapping[UUID, Event]: ...
    @property
    def columns(self) -> Sequence["Column"]: ...
    @property
    def headings(self) -> list[str]: ...
    def rows(self) -> Iterator[list[Value]]: ...


class Sheet:
    """People of a list, in its order, with these columns.

    `events` holds every event that somebody comes from, `rights` what the organiser may do there:
    a cell that a right is missing for stays empty. `questions` are those that may be columns.
    """

    def __init__(
        self,
        people: DelegateQuerySet,
        columns: Sequence[str],
        *,
        events: Mapping[UUID, Event],
        rights: Mapping[UUID, frozenset[Right]],
        questions: Iterable[Question] = (),
    ) -> None:
        self.people, self.events, self.rights = people, events, rights
        self.reads: list[str] = []
        self.local: dict[str, Func | Subquery] = {}
        known = with_answers(questions)
        self.columns = [known[key] for key in columns]
        zone = [ZONE] if len(self.zones) > 1 else []
        for at, column in enumerate(self.columns):
            if column is COLUMNS["sent"]:
                self.columns[at + 1 : at + 1] = zone
                break
        self.cells = [self.guarded(column) for column in self.columns]

    @property
    def zones(self) -> set[str]:
        return {event.zone for event in self.events.values()}

    @cached_property
    def tracks(self) -> dict[UUID, str]:
        return {track.pk: str(track) for track in Track.objects.filter(event__in=self.events)}

    @cached_property
    def places(self) -> dict[str, int]:
        return {str(pk): place for pk, place in places(self.events).items()}

    @property
    def title(self) -> str:
        return _("Attendees")

    @property
    def headings(self) -> list[str]:
        return [self.heading(column) for column in self.columns]

    def heading(self, column: "Column") -> str:
        words = capfirst(str(column.heading))
        if column is not COLUMNS["sent"]:
            return words
        if len(self.zones) != 1:
            return _("%(column)s (time of the event)") % {"column": words}
        (zone,) = self.zones
        city = shown.city(zone)
        if zone == "UTC":
            return _("%(column)s (%(zone)s)") % {"column": words, "zone": city}
        return _("%(column)s (%(city)s time)") % {"column": words, "city": city}

    def at(self, lookup: str) -> int:
        """Where this is found in each row that is read."""
        if lookup not in self.reads:
            self.reads.append(lookup)
        return self.reads.index(lookup)

    def id_at(self, lookup: str) -> int:
        """As `at`, of something that is known by its id: read as a text, which takes a third of
        the time that a UUID does."""
        name = f"{lookup.rpartition('__')[2]}_id_said"
        self.local[name] = Cast(lookup, TextField())
        return self.at(name)

    def guarded(self, column: "Column") -> Cell:
        cell = column.cell(self)
        if all(column.needs in self.rights[event] for event in self.events):
            return cell
        event = self.id_at("registration__event")
        open_at = {str(pk) for pk in self.events if column.needs in self.rights[pk]}
        return lambda row: cell(row) if row[event] in open_at else NOTHING

    def rows(self) -> Iterator[list[Value]]:
        people = self.people.annotate(**self.local).values_list(*self.reads)
        read = people.iterator(chunk_size=AT_ONCE)
        return ([cell(row) for cell in self.cells] for row in read)


class Kind(StrEnum):
    """What stands in the cells of a column. Only what somebody typed can be hostile."""

    TYPED = "typed"
    SAID = "said"
    NUMBER = "number"
    MOMENT = "moment"


@dataclass(frozen=True)
class Column:
    key: str
    heading: Any
    cell: Callable[[Sheet], Cell]
    width: int = 14
    kind: Kind = Kind.TYPED
    needs: Right = Right.LOOK


def _text(lookup: str) -> Callable[[Sheet], Cell]:
    return lambda sheet: itemgetter(sheet.at(lookup))


def _words(lookup: str, known: Callable[[Sheet], Mapping[Any, Any]]) -> Callable[[Sheet], Cell]:
    """What a code or an id means; asked once for each."""

    def make(sheet: Sheet) -> Cell:
        words = {str(code): str(said) for code, said in known(sheet).items()}
        at = sheet.id_at(lookup) if lookup in IDS else sheet.at(lookup)
        return lambda row: words.get(row[at], NOTHING)

    return make


def _is(lookup: str, holds: Callable[[Any], bool]) -> Callable[[Sheet], Cell]:
    def make(sheet: Sheet) -> Cell:
        at, yes, no = sheet.at(lookup), _("yes"), _("no")
        return lambda row: yes if holds(row[at]) else no

    return make


def _name(sheet: Sheet) -> Cell:
    given = sheet.at("representative__given_names")
    family = sheet.at("representative__family_name")
    return lambda row: f"{row[given]} {row[family]}".strip()


def _place(sheet: Sheet) -> Cell:
    at = sheet.id_at("pk")
    return lambda row: sheet.places.get(row[at], NOTHING)


def _sent(sheet: Sheet) -> Cell:
    """On the clocks of the event."""
    sheet.local["sent_here"] = Func(
        F("registration__event__zone"),
        F("registration__sent_at"),
        function="timezone",
        output_field=DateTimeField(),
    )
    return _text("sent_here")(sheet)


def _tags(sheet: Sheet) -> Cell:
    on_it = Tag.objects.filter(registrations=OuterRef("registration")).in_order()
    sheet.local["tags_said"] = ArraySubquery(on_it.values("word"))
    at = sheet.at("tags_said")
    return lambda row: texts.listed(row[at])


def _organisers(sheet: Sheet) -> dict[UUID, str]:
    """Who looks after some of the delegations."""
    assigned = User.objects.filter(assigned__event__in=sheet.events).distinct()
    return {organiser.pk: str(organiser) for organiser in assigned}


def _of_events(said: Callable[[Event], str]) -> Callable[[Sheet], Mapping[UUID, str]]:
    return lambda sheet: {pk: said(event) for pk, event in sheet.events.items()}


def region_names() -> dict[str, str]:
    """By country."""
    return {country: str(Region(region).label) for country, region in REGION_OF.items()}


def _ours(
    key: str, heading: Any, width: int, known: Callable[[Sheet], Mapping[Any, Any]], lookup: str
) -> Column:
    return Column(key, heading, _words(lookup, known), width, Kind.SAID)


GROUP = "registration__organisation__"
IDS = {"registration__event", "registration__track", "registration__assigned_to"}
ALL = [
    Column("name", gettext_lazy("name"), _name, 28),
    Column("given_names", gettext_lazy("given names"), _text("representative__given_names"), 20),
    Column("family_name", gettext_lazy("family name"), _text("representative__family_name"), 20),
    Column("organisation", gettext_lazy("organisation"), _text(f"{GROUP}name"), 44),
    Column("acronym", gettext_lazy("acronym"), _text(f"{GROUP}acronym")),
    _ours("country", gettext_lazy("country"), 20, lambda sheet: dict(countries), f"{GROUP}country"),
    _ours("region", gettext_lazy("region"), 14, lambda sheet: region_names(), f"{GROUP}country"),
    _ours(
        "category",
        gettext_lazy("stakeholder group"),
        26,
        lambda sheet: dict(StakeholderGroup.choices),
        f"{GROUP}category",
    ),
    Column("event", gettext_lazy("event"), _words("registration__event", _of_events(str)), 36),
    _ours("role", gettext_lazy("role"), 20, lambda sheet: dict(Delegate.Role.choices), "role"),
    _ours("state", gettext_lazy("state"), 24, lambda sheet: STATES, "state"),
    Column("place", gettext_lazy("waiting list"), _place, kind=Kind.NUMBER),
    Column("track", gettext_lazy("track"), _words("registration__track", lambda s: s.tracks), 24),
    Column("reference", gettext_lazy("reference"), _text("registration__reference"), 18, Kind.SAID),
    Column("sent", gettext_lazy("sent"), _sent, 18, Kind.MOMENT),
    Column(
        "confirmed",
        gettext_lazy("confirmed"),
        _is("state", lambda state: state == Delegate.State.CONFIRMED),
        kind=Kind.SAID,
    ),
    Column("listed", gettext_lazy("publicly listed"), _is("listed_at", bool), kind=Kind.SAID),
    Column(
        "assigned_to",
        gettext_lazy("looked after by"),
        _words("registration__assigned_to", _organisers),
        24,
    ),
    Column("tags", gettext_lazy("tags"), _tags, 24),
    Column(
        "email",
        gettext_lazy("email address"),
        _text("representative__email"),
        32,
        needs=Right.CONTACT,
    ),
    Column(
        "access_needs",
        gettext_lazy("access needs"),
        _text("access_needs"),
        40,
        needs=Right.SENSITIVE,
    ),
]
COLUMNS = {column.key: column for column in ALL}


def with_answers(questions: Iterable[Question]) -> dict[str, Column]:
    """All columns, and those of these questions."""
    return COLUMNS | {(column := _of_question(one)).key: column for one in questions}


def _of_question(question: Question) -> Column:
    kind = {
        Question.Kind.NUMBER: Kind.NUMBER,
        Question.Kind.DATE: Kind.SAID,
        Question.Kind.COUNTRY: Kind.SAID,
    }.get(Question.Kind(question.kind), Kind.TYPED)
    needs = Right.SENSITIVE if question.is_sensitive else Right.LOOK
    key = asking.name_of(question)
    return Column(key, str(question), _answers(question, key), 24, kind, needs)


def answer_to(question: Question) -> Subquery:
    """Of each person in a list; as it is kept."""
    theirs = Answer.objects.filter(question=question)
    if question.asked_of == Question.Of.PERSON:
        theirs = theirs.filter(delegate=OuterRef("pk"))
    else:
        theirs = theirs.filter(delegate=None, registration=OuterRef("registration"))
    return Subquery(theirs.values("options" if question.has_options else "text")[:1])


def _answers(question: Question, key: str) -> Callable[[Sheet], Cell]:
    """In the words of the reader's language; a day as spreadsheets know it, a number as one."""

    def said(value: Any) -> Value:
        if not value:
            return NOTHING
        if question.kind == Question.Kind.NUMBER:
            return float(value) if "." in value else int(value)
        return value if question.kind == Question.Kind.DATE else said_as(question, value)

    def make(sheet: Sheet) -> Cell:
        name = key.replace("-", "_")
        sheet.local[name] = answer_to(question)
        at = sheet.at(name)
        return lambda row: said(row[at])

    return make


ZONE = _ours(
    "zone",
    gettext_lazy("time zone"),
    20,
    _of_events(lambda event: event.zone),
    "registration__event",
)


def places(events: Collection[UUID], of: Collection[UUID] | None = None) -> dict[UUID, int]:
    """The place of everybody who waits, or of these, in the order of each event."""
    waiting = Delegate.objects.waiting().filter(registration__event__in=events)
    row = Window(RowNumber(), partition_by=F("registration__event"), order_by="waits_as")
    waiting = waiting.order_by().annotate(place=row)
    if of is not None:
        # Said in one breath with the place, so that all are numbered before these are chosen.
        waiting = waiting.filter(Q(place=0) | Q(pk__in=of))
    return dict(waiting.values_list("pk", "place"))


def concerned(people: DelegateQuerySet) -> dict[UUID, int]:
    """How many of them come to each event."""
    counted = people.order_by().values_list("registration__event").annotate(n=Count("pk"))
    return dict(counted)


@transaction.atomic
def remember(
    sheet: Table, people: Mapping[UUID, int], *, as_file: str, by: User, now: datetime
) -> None:
    """Write into the history of each event who takes how many of its people along, and what of
    them; before the file leaves."""
    columns = [str(column.heading) for column in sheet.columns]
    trail.record_many(
        trail.act(
            by,
            gettext_noop("attendee list exported"),
            sheet.events[event],
            at=now,
            scope=event,
            after={"people": n, "columns": columns, "file": as_file},
        )
        for event, n in people.items()
    )


# Texts that stay texts


def clean(text: str) -> str:
    """Without characters that no spreadsheet can hold."""
    return text if text.isprintable() else text.translate(NO_CHARACTERS)


# Files


def as_csv(sheet: Table) -> Iterator[str]:
    """UTF-8 with the mark that spreadsheets know it by; lines end as RFC 4180 says."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow([_typed_in_csv(heading) for heading in sheet.headings])
    forms = [(at, IN_CSV.get(column.kind)) for at, column in enumerate(sheet.columns)]
    changed = [(at, form) for at, form in forms if form]
    for number, row in enumerate(sheet.rows(), start=1):
        for at, form in changed:
            row[at] = form(row[at])
        writer.writerow(row)
        if number % AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _typed_in_csv(text: Any) -> Value:
    if not text or (text[0].isalnum() and text.isprintable()):
        return text
    return guarded(clean(text))


def _moment_in_csv(moment: Any) -> Value:
    return moment.isoformat(" ", "minutes")


IN_CSV: dict[Kind, Callable[[Value], Value]] = {
    Kind.TYPED: _typed_in_csv,
    Kind.MOMENT: _moment_in_csv,
}
"""What is written of a cell, where it is not the cell itself."""


def as_xlsx(sheet: Table) -> IO[bytes]:
    """In a file that is gone when it is closed.

    XlsxWriter makes a book of the headings. The rows are put into its page as XlsxWriter would
    write them, in a third of the time.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the answer closes it)
    start, styles, _end = _page(_book(sheet, 0)[PAGE])
    people, lines = 0, list[str]()
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        with archive.open(PAGE, "w", force_zip64=True) as page:
            page.write(start.encode())
            for line in _lines(sheet, styles):
                lines.append(line)
                if len(lines) == AT_ONCE:
                    page.write("".join(lines).encode())
                    people += len(lines)
                    lines.clear()
            parts = _book(sheet, people + len(lines))
            page.write(("".join(lines) + _page(parts.pop(PAGE))[2]).encode())
        for name, content in parts.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def _book(sheet: Table, people: int) -> dict[str, str]:
    """The parts of a book without its people: their headings, and one row with the styles."""
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    page = book.add_worksheet(sheet.title[:31])
    if get_language_bidi():
        page.right_to_left()
    page.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for at, (column, heading) in enumerate(zip(sheet.columns, sheet.headings, strict=True)):
        page.set_column(at, at, column.width)
        page.write_string(0, at, clean(heading), bold)
    page.write_string(1, 0, "quoted", book.add_format({"quote_prefix": True}))
    page.write_number(1, 1, 0, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
    page.autofilter(0, 0, people, len(sheet.columns) - 1)
    book.close()
    with ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _page(xml: str) -> tuple[str, list[str], str]:
    """What stands before the people and after them, and their styles: quoted, moment."""
    start, second, rest = re.split(r'(?=<row r="2")|(?=</sheetData>)', xml)
    return re.sub("<dimension[^>]*/>", "", start), re.findall(r' s="\d+"', second), rest


def _lines(sheet: Table, styles: list[str]) -> Iterator[str]:
    from xlsxwriter.utility import xl_col_to_name

    quoted, moment = styles
    forms = {
        Kind.TYPED: lambda at, value: _string(at, clean(value), quoted),
        Kind.SAID: _string,
        Kind.NUMBER: _number,
        Kind.MOMENT: lambda at, value: _number(at, (value - DAY_NOUGHT) / DAY, moment),
    }
    columns = [(xl_col_to_name(at), forms[column.kind]) for at, column in enumerate(sheet.columns)]
    for number, row in enumerate(sheet.rows(), start=2):
        cells = [
            form(f"{letter}{number}", value)
            for (letter, form), value in zip(columns, row, strict=True)
            if value != NOTHING
        ]
        yield f'<row r="{number}">{"".join(cells)}</row>'


def _string(at: str, text: str, quoted: str = "") -> str:
    """A text stays one, also when somebody edits its cell: that is what its style says."""
    style = quoted if is_formula(text) else ""
    if text != text.strip() or not text.isprintable():
        space, text = ' xml:space="preserve"', text.replace("\r\n", "\n").replace("\r", "\n")
    else:
        space = ""
    text = CODE.sub("_x005F_", text) if "_x" in text else text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<c r="{at}"{style} t="inlineStr"><is><t{space}>{text}</t></is></c>'


def _number(at: str, number: float, style: str = "") -> str:
    return f'<c r="{at}"{style}><v>{number:.15g}</v></c>'
