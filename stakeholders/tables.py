"""Lists that somebody brings as a file: CSV or XLSX, read as text, row by row."""

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import names
from stakeholders import refusals

LARGEST = 5 * 1024 * 1024
LARGEST_UNPACKED = 50 * 1024 * 1024
MOST_PARTS = 500
MOST_ROWS = 20_000
MOST_LINES = 60_000
MOST_COLUMNS = 50
LONGEST_CELL = 2_000

ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": gettext_lazy("Windows-1252 (Western European), by guess"),
    "cp1256": gettext_lazy("Windows-1256 (Arabic), by guess"),
}
DELIMITERS = ",;\t"
ZIP = b"PK\x03\x04"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
GUARD = "'"
"""Our own files put it before what a spreadsheet would take for a formula."""
STARTS_A_FORMULA = frozenset("=+-@＝＋－＠")
NUMBER = re.compile(r"\+[0-9][0-9 ]{4,}")
BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError)
WORDS_OF_HIGH_BYTES = re.compile(rb"[\x80-\xff]{3,}")


@dataclass(frozen=True)
class Row:
    line: int
    """Where it begins in the file, counted from 1."""
    cells: list[str]


@dataclass(frozen=True)
class Table:
    headings: list[str]
    rows: list[Row]
    read_as: str
    """The encoding, or what else a reader should know."""


def read(content: bytes) -> Table:
    """Refuses with TableTooLarge, TableTooLong and NotATable."""
    if len(content) > LARGEST:
        raise refusals.TableTooLarge(LARGEST // 1024 // 1024)
    if not content.strip():
        raise refusals.NotATable(_("The file is empty."))
    if content.startswith(OLD_OFFICE):
        raise refusals.NotATable(
            _("This is an old Excel file, or one with a password. Save it as XLSX or CSV.")
        )
    if content.startswith(ZIP):
        lines, read_as = _lines_of_workbook(content), "XLSX"
    else:
        text, encoding = _text_of(content)
        lines, read_as = _lines_of_text(text), str(ENCODINGS[encoding])
    return _table(lines, read_as)


def clean(value: str) -> str:
    """In one line, without control and direction characters."""
    value = names.one_line(value)
    if value[:1] == GUARD and is_formula(value[1:]):
        value = value[1:].strip()
    return unicodedata.normalize("NFC", value)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might work it out; spaces and invisible characters before it do not
    hinder that. A telephone number is left alone: it is worked out to itself."""
    if not text or text[0].isalnum():
        return False
    if text[0] in "\t\r\n":
        return True
    first = next((letter for letter in text if unicodedata.category(letter)[0] not in "ZC"), "")
    return first in STARTS_A_FORMULA and not NUMBER.fullmatch(text.strip())


def guarded(text: str) -> str:
    """As it may stand in a file that a spreadsheet opens."""
    return GUARD + text if is_formula(text) else text


def _table(lines: Iterator[tuple[int, Iterable[str]]], read_as: str) -> Table:
    filled: list[Row] = []
    for line, values in lines:
        cells = [clean(value[:LONGEST_CELL]) for value in islice(values, MOST_COLUMNS)]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            filled.append(Row(line, cells))
        if len(filled) > MOST_ROWS + 1 or line > MOST_LINES:
            raise refusals.TableTooLong(MOST_ROWS)
    if not filled:
        raise refusals.NotATable(_("The file is empty."))
    return Table(filled[0].cells, filled[1:], read_as)


def _text_of(content: bytes) -> tuple[str, str]:
    """The text, and the encoding by which it could be read."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif content[:200].count(0) > len(content[:200]) // 3:
        encodings = ["utf-16-le" if content[1] == 0 else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1256" if _looks_arabic(content) else "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        strange = sum(unicodedata.category(letter) == "Cc" for letter in text[:2000])
        if strange - sum(map(text[:2000].count, "\t\r\n")) > len(text[:2000]) // 50 + 5:
            break
        return text, encoding
    raise refusals.NotATable(
        _("This is no list that can be read. Save it as XLSX, or as CSV in UTF-8.")
    )


def _looks_arabic(content: bytes) -> bool:
    """Arabic words are wholly of bytes that in Western languages stand alone."""
    together = sum(map(len, WORDS_OF_HIGH_BYTES.findall(content)))
    return together > sum(byte > 127 for byte in content) / 2


def _lines_of_text(text: str) -> Iterator[tuple[int, list[str]]]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter, skipped = _delimiter(text), 0
    if text[:4].lower() == "sep=":
        _stated, _newline, text = text.partition("\n")
        skipped = 1
    for strict in (True, False):
        try:
            lines = list(records(text, delimiter, strict=strict))
        except csv.Error as error:
            if "unexpected end" in str(error) or not strict:
                raise refusals.NotATable(
                    _("A quotation mark is opened and never closed. Save the list once more.")
                ) from None
        else:
            break
    for line, cells in lines:
        yield line + skipped, cells


def records(text: str, delimiter: str, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, and the line in which it begins. Raises csv.Error."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=strict)
    line = 1
    for cells in reader:
        yield line, cells
        line = reader.line_num + 1


def _delimiter(text: str) -> str:
    """The one that the first line uses most, or says to use."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    if first[:4].lower() == "sep=" and first[4:5] in DELIMITERS and first[4:5]:
        return first[4]
    outside = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=outside.count)


def _lines_of_workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Of its first sheet, as the workbook last showed it: nothing is computed."""
    import openpyxl

    _check_archive(content)
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
        for line, values in enumerate(rows, start=1):
            yield line, list(map(_said, values)) if any(values) else []
    except refusals.Refusal:
        raise
    except Exception as error:
        # openpyxl has no name of its own for a broken file: it fails as it falls.
        raise refusals.NotATable(
            _("This workbook is broken. Open it, save it once more as XLSX, and bring that.")
        ) from error


def _check_archive(content: bytes) -> None:
    """That it is a workbook, of a size that can be opened, and defines no entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
                raise refusals.NotATable(
                    _("This is another kind of file than a list. Save the list as XLSX or CSV.")
                )
            size = sum(part.file_size for part in parts)
            if size > LARGEST_UNPACKED or len(parts) > MOST_PARTS:
                raise refusals.TableTooLarge(LARGEST // 1024 // 1024)
            if any(b"<!DOCTYPE" in archive.read(part) for part in parts):
                raise refusals.NotATable(_("This is no workbook that a spreadsheet has written."))
    except BROKEN as error:
        raise refusals.NotATable(
            _("This workbook is broken. Open it, save it once more as XLSX, and bring that.")
        ) from error


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
