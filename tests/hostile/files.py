"""Files that are handed out, as the programs read them that open them."""

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator

import icalendar
import openpyxl
from django.test import Client
from django.urls import reverse

from events.models import Event
from registrations import exports
from registrations.models import Delegate
from tests.hostile import forms

# Before the sign that begins a formula there may be spaces, and what nobody sees.
UNSEEN = "\\s\x00-\x20\x7f-\xa0\xad\u034f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
FORMULA = re.compile(f"[{UNSEEN}\U000e0000-\U000e007f]*[=+\\-@＝＋－＠]|[\t\r\n]")
NUMBER = re.compile(r"\+[0-9][0-9 ]+")
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
LONGEST_LINE = 75
PROPERTIES = {
    "VCALENDAR": {"PRODID", "VERSION", "METHOD", "NAME", "X-WR-CALNAME", "REFRESH-INTERVAL"},
    "VEVENT": {
        *("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "URL", "STATUS", "LOCATION"),
        *("DTSTART", "DTEND", "TRANSP", "DESCRIPTION"),
    },
}
ATOM = "{http://www.w3.org/2005/Atom}"


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def formulas_in(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    for cell in (str(cell) for row in rows for cell in row):
        if FORMULA.match(cell) and not NUMBER.fullmatch(cell):
            yield f"formula {cell[:60]!r}"


def wrong_with_attendees(client: Client) -> Iterator[str]:
    """Both files, with every column; of the names that not one is lost or changed."""
    people = Delegate.objects.sent().select_related("representative")
    names = [each.representative.given_names for each in people]
    rows = rows_of(taken(client, "CSV"))
    yield from formulas_in(rows)
    at = list(exports.COLUMNS).index("given_names")
    if Counter(cell_of(row[at]) for row in rows[1:]) != Counter(map(cell_of, names)):
        yield "names in CSV"
    book = taken(client, "XLSX")
    yield from parts_of(book)
    page = openpyxl.load_workbook(io.BytesIO(book)).active
    cells = [cell for row in page.iter_rows() for cell in row]
    yield from (f"{each.data_type} {each.value!r}" for each in cells if each.data_type not in "snd")
    kept = [page.cell(row, at + 1) for row in range(2, page.max_row + 1)]
    if Counter(cell_of(each.value) for each in kept) != Counter(map(cell_of, names)):
        yield "names in XLSX"
    yield from (f"unquoted {each.value!r}" for each in kept if is_bare(each))


def is_bare(cell) -> bool:
    """It would become a formula when somebody edits it."""
    return any(formulas_in([[cell.value]])) and not cell.quotePrefix


def taken(client: Client, kind: str) -> bytes:
    page = reverse("admin:registrations_delegate_export")
    answer = client.post(
        f"{page}?columns={','.join(exports.COLUMNS)}", {"confirm": "yes", "kind": kind}
    )
    return b"".join(answer)


def cell_of(text: str) -> str:
    """A text as files keep it, without what guards it."""
    return re.sub(r"\s", "", UNREADABLE.sub("", text)).removeprefix("'")


def parts_of(book: bytes) -> Iterator[str]:
    """A book of one page, without formulas and links."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if re.search(rb"<f[ >]|<hyperlink|relationships/hyperlink", content):
                yield f"part {name}"
            if re.search(r"externalLink|vba|sheet2", name):
                yield f"part {name}"


def wrong_with_calendar(content: bytes, events: Iterable[Event]) -> Iterator[str]:
    for line in content.removesuffix(b"\r\n").split(b"\r\n"):
        if len(line) > LONGEST_LINE or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line):
            yield f"line {line!r}"
    calendar = icalendar.Calendar.from_ical(content)
    for part in calendar.walk():
        twice = [name for name, value in part.items() if isinstance(value, list)]
        if twice or set(part) - PROPERTIES[part.name]:
            yield f"{part.name} {list(part)}"
    said = [cell_of(part["SUMMARY"]) for part in calendar.subcomponents]
    for event in events:
        if not any(summary.endswith(cell_of(event.name)) for summary in said):
            yield f"no {event.name!r}"


def wrong_with_news(content: bytes) -> Iterator[str]:
    """What each entry says is a page of its own, written down as a text."""
    entries = ElementTree.fromstring(content).findall(f"{ATOM}entry")
    if not entries:
        yield "no news"
    for entry in entries:
        summary = entry.findtext(f"{ATOM}summary")
        alive = forms.Page("", summary).alive if summary else ["nothing said"]
        yield from (f"{entry.findtext(f'{ATOM}id')}: {what}" for what in alive)
