"""Lists as people keep them, and files that are none: a table, or a sentence."""

import io
import time
import zipfile
from datetime import date

import openpyxl
import pytest

from stakeholders import refusals, tables

LIST = "name,country\nDiaspora Network,ML\nشبكة المهاجرين,EG\nRéseau «Été»,FR\n"
READ = [
    (2, ["Diaspora Network", "ML"]),
    (3, ["شبكة المهاجرين", "EG"]),
    (4, ["Réseau «Été»", "FR"]),
]


def rows(table: tables.Table) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in table.rows]


def workbook(*values: list, sheets: int = 1) -> bytes:
    book = openpyxl.Workbook()
    for row in values:
        book.active.append(row)
    for number in range(1, sheets):
        book.create_sheet(f"More {number}").append(["name"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(**parts: bytes | str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def altered(content: bytes, part: str, change) -> bytes:
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[part] = change(parts[part])
    return archive(**parts)


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
def test_a_list_is_read_in_any_unicode(encoding, read_as):
    table = tables.read(LIST.encode(encoding))

    assert table.headings == ["name", "country"]
    assert rows(table) == READ
    assert table.read_as == read_as


@pytest.mark.parametrize(
    ("encoding", "names", "read_as"),
    [
        ("cp1252", ["Réseau d’été", "Fundação Ação", "Müller & Söhne"], "Windows-1252"),
        ("cp1256", ["شبكة المهاجرين", "اتحاد العمال", "Port Workers"], "Windows-1256"),
    ],
)
def test_an_older_encoding_is_guessed_and_told(encoding, names, read_as):
    table = tables.read("\r\n".join(["name", *names]).encode(encoding))

    assert [row.cells[0] for row in table.rows] == names
    assert table.read_as.startswith(read_as)
    assert table.read_as.endswith("by guess")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found(delimiter, newline):
    text = LIST.replace(",", delimiter).replace("\n", newline)

    assert rows(tables.read(text.encode())) == READ


def test_a_list_may_say_its_delimiter():
    table = tables.read(b"sep=;\nname;country\nWorkers, of the Port;PH\n")

    assert (table.headings, rows(table)) == (
        ["name", "country"],
        [(3, ["Workers, of the Port", "PH"])],
    )


def test_quotation_marks_hold_delimiters_line_breaks_and_each_other():
    text = 'name,country\n"Workers, ""Port""\nand Sea",PH\n\n ,\n"Next",FR\n'

    assert rows(tables.read(text.encode())) == [
        (2, ['Workers, "Port" and Sea', "PH"]),
        (6, ["Next", "FR"]),
    ]


def test_a_mark_inside_a_word_is_no_trouble():
    assert rows(tables.read(b'name,country\n"Port" Workers,PH\n5" Club,FR\n')) == [
        (2, ["Port Workers", "PH"]),
        (3, ['5" Club', "FR"]),
    ]


def test_rows_may_be_short_or_long():
    table = tables.read(b"name,country\nA\nB,FR,more,and more\n")

    assert rows(table) == [(2, ["A"]), (3, ["B", "FR", "more", "and more"])]


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("a\x00b", "a b"),
        ("a\x1b[31mb\x07", "a [31mb"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2067اسم\u2069", "اسم"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("e\u0301te", "éte"),
        ("  many \t spaces\u00a0 ", "many spaces"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("'=1+1", "=1+1"),
        ("'@home", "@home"),
        ("'＝1+1", "＝1+1"),
        ("'\u200b=1+1", "\u200b=1+1"),
        ("'Ndrangheta watch", "'Ndrangheta watch"),
        ("x" * 5000, "x" * 2000),
    ],
)
def test_cells_are_clean_text(typed, cell):
    assert rows(tables.read(f'name\n"{typed}"\n'.encode())) == [(2, [cell])]


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("=1+1", "'=1+1"),
        ("-2+3", "'-2+3"),
        ("＝1+1", "'＝1+1"),
        ("\u200b=1+1", "'\u200b=1+1"),
        ("\u00a0@home", "'\u00a0@home"),
        ("+41 22 917 00 00", "+41 22 917 00 00"),
        ("1=1", "1=1"),
        ("(=1)", "(=1)"),
        ("", ""),
    ],
)
def test_what_would_be_a_formula_is_guarded(text, stands):
    assert tables.guarded(text) == stands
    assert tables.clean(stands) == tables.clean(text)


def test_a_workbook_is_read_from_its_first_sheet():
    content = workbook(
        ["name", "founded", "members", "share", "active"],
        ["شبكة المهاجرين", date(1998, 5, 1), 12.0, 0.5, True],
        [None, None],
        ["=1+1", "'=x", "\u202eevil", None, 7],
        sheets=3,
    )

    table = tables.read(content)

    assert table.headings == ["name", "founded", "members", "share", "active"]
    assert rows(table) == [
        (2, ["شبكة المهاجرين", "1998-05-01T00:00:00", "12", "0.5", "True"]),
        (4, ["", "=x", "evil", "", "7"]),
    ]
    assert table.read_as == "XLSX"


def test_a_workbook_that_lies_about_its_size_is_read_whole():
    content = altered(
        workbook(["name"], ["A"], ["B"]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'ref="A1:A3"', b'ref="A1:A1"'),
    )

    assert rows(tables.read(content)) == [(2, ["A"]), (3, ["B"])]


def test_a_workbook_is_known_by_what_it_is_and_not_by_its_name():
    assert rows(tables.read(workbook(["name"], ["A"]))) == [(2, ["A"])]


EMPTY = "The file is empty."
OLD = "This is an old Excel file, or one with a password. Save it as XLSX or CSV."
NONE = "This is no list that can be read. Save it as XLSX, or as CSV in UTF-8."
OTHER = "This is another kind of file than a list. Save the list as XLSX or CSV."
BROKEN = "This workbook is broken. Open it, save it once more as XLSX, and bring that."
LARGE = "The file is too large: at most 5 MB can be read at once. Bring it in parts."
LONG = "The list is too long: at most 20000 rows can be read at once. Bring it in parts."
OPEN = "A quotation mark is opened and never closed. Save the list once more."
ENTITIES = "This is no workbook that a spreadsheet has written."
ENTITY = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
SHEET = "xl/worksheets/sheet1.xml"


def bomb() -> bytes:
    zeros = b"0" * (tables.LARGEST_UNPACKED // 2 + 1)
    return archive(**{"[Content_Types].xml": zeros, "xl/workbook.xml": zeros})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", EMPTY),
        (b" \r\n\t ", EMPTY),
        (b"\xef\xbb\xbf", EMPTY),
        (b",,,\n,,\n", EMPTY),
        (workbook(), EMPTY),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, OLD),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 20, NONE),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, NONE),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20, NONE),
        (b"name\n\x81 caf\xe9\n", NONE),
        (b"\xff\xfen\x00a\x00m\x00e\x00\n\x00\x00\xd8", NONE),
        (b"\x00" * 5000, NONE),
        (archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), OTHER),
        (archive(**{"[Content_Types].xml": "", "word/document.xml": ""}), OTHER),
        (archive(**{"[Content_Types].xml": "", "xl/workbook.xml": "<"}), BROKEN),
        (b"PK\x03\x04", BROKEN),
        (b"PK\x03\x04" + b"name\nA\n" * 50, BROKEN),
        (workbook(["name"], ["A"])[:-300], BROKEN),
        (altered(workbook(["name"], ["A"]), SHEET, lambda xml: xml[:-40]), BROKEN),
        (altered(workbook(["name"], ["A"]), SHEET, lambda xml: ENTITY + xml), ENTITIES),
        (altered(workbook(["name"], ["A"]), "xl/workbook.xml", lambda xml: ENTITY), ENTITIES),
        (b"x" * (tables.LARGEST + 1), LARGE),
        (bomb(), LARGE),
        (archive(**{f"xl/{n}.xml": "" for n in range(600)}, **{"[Content_Types].xml": "",
            "xl/workbook.xml": ""}), LARGE),
        (b"name\n" + b"A\n" * 20_001, LONG),
        (b"name\n" + b"\n" * 70_000 + b"A\n", LONG),
        (b'name,country\n"Diaspora Network,ML\nPort Workers,PH\n', OPEN),
    ],
)  # fmt: skip
def test_what_is_no_list_gets_a_sentence(content, sentence):
    with pytest.raises(refusals.Refusal) as refused:
        tables.read(content)

    assert str(refused.value) == sentence


def test_as_many_rows_as_may_be_are_read():
    assert len(tables.read(b"name\n" + b"A\n" * 20_000).rows) == 20_000


@pytest.mark.parametrize("row", ["99999999999", "1048576"])
def test_a_row_that_claims_to_be_far_below_is_not_waited_for(row):
    content = sheet_with('<row r="2"', f'<row r="{row}"')
    began = time.monotonic()

    with pytest.raises(refusals.TableTooLong):
        tables.read(content)

    assert time.monotonic() - began < 5


@pytest.mark.parametrize("place", ["ZZZZZZZ1", "1", "A-1"])
def test_a_cell_that_claims_to_be_nowhere_breaks_the_workbook(place):
    with pytest.raises(refusals.NotATable) as refused:
        tables.read(sheet_with('r="A2"', f'r="{place}"'))

    assert str(refused.value) == BROKEN


def test_a_cell_far_to_the_right_is_not_waited_for():
    assert rows(tables.read(sheet_with('r="A2"', 'r="XFD2"'))) == []


def sheet_with(before: str, after: str) -> bytes:
    return altered(
        workbook(["name"], ["A"]),
        SHEET,
        lambda xml: xml.replace(before.encode(), after.encode()),
    )
