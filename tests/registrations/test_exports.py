"""Files of attendees: every cell is what was typed, and none is anything else."""

import csv
import io
import zipfile
from datetime import UTC, datetime

import openpyxl
import pytest
from django.utils import translation

from events.models import Event
from events.rights import KINDS, Right
from registrations import exports
from registrations.models import Delegate, Registration
from stakeholders import tables
from stakeholders.models import Organisation, Representative
from tests.conftest import an_event

EVERYTHING = frozenset(Right)
HOSTILE = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1-1",
    "-2+3",
    "@SUM(A1)",
    '  =HYPERLINK("http://x")',
    "\t=1",
    "\r=1",
    "\n=1",
    "\u00a0=1",
    "\u200b=1",
    "\u202e=1",
    "\ufeff=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "'=1",
    "<script>alert(1)</script>",
    "&amp; \"quoted\", and 'so'; more",
    "]]>",
    "_x0041_ and _x000D_",
    "{{ 7*7 }} ${7*7}",
    "http://example.org/",
    "mailto:a@b.example",
    "0042",
    "1e5",
    "2018-02-21",
    "TRUE",
    "#REF!",
    "two\nlines\r\nand three",
    " space around ",
    "محمد \u202eabc\u202c",
    "王秀英",
    "Łukasz 👩‍👩‍👧",
    "x" * 120,
]
CONTROLS = "a\x01\x02\x08\x0b\x0c\x0e\x1f\x7f\ufffe\uffffb"


@pytest.fixture
def person(hearing, now):
    """Enter somebody of this name, whose delegation was sent in the winter of New York."""
    sent_at = datetime(2035, 1, 15, 3, 30, tzinfo=UTC)

    def person(given: str, family: str = "", *, event: Event = hearing, **facts) -> Delegate:
        group, _is_new = Organisation.objects.get_or_create(name="Group", country="ML")
        registration, _is_new = Registration.objects.get_or_create(
            event=event,
            organisation=group,
            defaults={
                "reference": f"GCM-{event.slug[:4].upper()}-0001",
                "begun_at": sent_at,
                "sent_at": sent_at,
            },
        )
        representative = Representative(organisation=group, given_names=given, family_name=family)
        representative.save()
        return Delegate.objects.create(
            registration=registration,
            representative=representative,
            **({"state": "submitted"} | facts),
        )

    return person


@pytest.fixture
def second(process, hearing) -> Event:
    kind, zone = Event.Kind.WORKSHOP, "Africa/Nairobi"
    return an_event(process, "second", hearing, kind=kind, name_en="=Second", zone=zone)


def sheet(columns: str, rights=EVERYTHING) -> exports.Sheet:
    people = Delegate.objects.sent().order_by("pk")
    events = {event.pk: event for event in Event.objects.filter(registrations__isnull=False)}
    if not isinstance(rights, dict):
        rights = dict.fromkeys(events, rights)
    return exports.Sheet(
        people.order_by("representative__given_names", "pk"),
        columns.split(),
        events=events,
        rights=rights,
    )


def read_csv(of: exports.Sheet) -> list[list[str]]:
    text = "".join(exports.as_csv(of))
    assert text[0] == "\ufeff"
    assert text.encode()[:3] == b"\xef\xbb\xbf"
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def read_xlsx(of: exports.Sheet):
    with exports.as_xlsx(of) as file:
        return openpyxl.load_workbook(io.BytesIO(file.read())).active


def values(page) -> list[list]:
    return [[cell.value for cell in row] for row in page.iter_rows()]


def test_both_files_hold_the_same_in_the_order_of_the_list(person, hearing):
    person("Bo", "Santos", role="head", state="confirmed")
    person("Ana", "Cruz", access_needs="A ramp")
    columns = "name organisation country region role state reference confirmed listed access_needs"

    expected = [
        [
            *("Name", "Organisation", "Country", "Region", "Role", "State", "Reference"),
            *("Confirmed", "Publicly listed", "Access needs"),
        ],
        [
            *("Ana Cruz", "Group", "Mali", "Africa", "Delegate", "Waits for a decision"),
            *("GCM-HEAR-0001", "no", "no", "A ramp"),
        ],
        [
            *("Bo Santos", "Group", "Mali", "Africa", "Head of delegation", "Confirmed"),
            *("GCM-HEAR-0001", "yes", "no", ""),
        ],
    ]
    assert read_csv(sheet(columns)) == expected
    assert values(read_xlsx(sheet(columns))) == [
        [value or None for value in row] for row in expected
    ]


def test_every_column_can_be_written(person):
    person("Ana", "Cruz", access_needs="A ramp")

    every = " ".join(exports.COLUMNS)

    assert [len(row) for row in read_csv(sheet(every))] == [len(exports.COLUMNS)] * 2
    assert read_xlsx(sheet(every)).max_column == len(exports.COLUMNS)


def test_lines_end_as_the_standard_says(person):
    person("Ana")
    assert "".join(exports.as_csv(sheet("name"))) == "\ufeffName\r\nAna\r\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_anything_else(person, text):
    person(text, access_needs=text)
    of = sheet("given_names access_needs")

    [_heads, row] = read_csv(of)
    for cell in row:
        assert cell.removeprefix("'") == text.removeprefix("'")
        assert cell.lstrip()[:1] not in set("=+-@") or exports.NUMBER.fullmatch(cell)
        assert not tables.is_formula(cell)

    page = read_xlsx(of)
    stored = text.replace("\r\n", "\n").replace("\r", "\n").replace("_x", "_x005F_x")
    for cell in page[2]:
        assert (cell.data_type, cell.hyperlink) == ("s", None)
        assert cell.value in (stored, text.replace("\r\n", "\n").replace("\r", "\n"))
        assert bool(cell.quotePrefix) == tables.is_formula(text)


def test_a_cell_that_looks_like_a_formula_stays_a_text_when_it_is_edited(person):
    person("=1+1")
    assert read_xlsx(sheet("name"))["A2"].quotePrefix


@pytest.mark.parametrize("number", ["+41 22 917 00 00", "+33123456789"])
def test_a_telephone_number_stays_as_it_is(person, number):
    person(number)

    assert read_csv(sheet("name"))[1] == [number]
    assert read_xlsx(sheet("name"))["A2"].value == number


def test_what_no_spreadsheet_can_hold_is_left_out(person):
    person(CONTROLS)

    assert read_csv(sheet("name"))[1] == ["ab"]
    assert read_xlsx(sheet("name"))["A2"].value == "ab"


def test_names_of_events_are_typed_too(person, second):
    person("Ana", event=second)

    assert read_csv(sheet("event"))[1] == ["'=Second"]
    assert read_xlsx(sheet("event"))["A2"].data_type == "s"


def test_moments_are_on_the_clocks_of_the_event_which_the_heading_names(person):
    person("Ana")

    assert read_csv(sheet("name sent")) == [
        ["Name", "Sent (New York time)"],
        ["Ana", "2035-01-14 22:30"],
    ]
    page = read_xlsx(sheet("name sent"))
    assert page["B1"].value == "Sent (New York time)"
    assert (page["B2"].value, page["B2"].is_date) == (datetime(2035, 1, 14, 22, 30), True)


def test_of_several_zones_each_row_names_its_own(person, second):
    person("Ana")
    person("Bo", event=second)

    assert read_csv(sheet("name sent state")) == [
        ["Name", "Sent (time of the event)", "Time zone", "State"],
        ["Ana", "2035-01-14 22:30", "America/New_York", "Waits for a decision"],
        ["Bo", "2035-01-15 06:30", "Africa/Nairobi", "Waits for a decision"],
    ]


def test_a_missing_right_leaves_the_cells_of_its_event_empty(person, hearing, second):
    for name, event in (("Ana", hearing), ("Bo", second)):
        person(name, event=event, access_needs="A ramp")
    Representative.objects.update(email="a@b.example")

    rights = {hearing.pk: KINDS["reader"], second.pk: KINDS["reviewer"]}
    assert read_csv(sheet("name email access_needs", rights))[1:] == [
        ["Ana", "", ""],
        ["Bo", "a@b.example", ""],
    ]
    rights = {hearing.pk: EVERYTHING, second.pk: KINDS["reader"]}
    assert values(read_xlsx(sheet("name email access_needs", rights)))[1:] == [
        ["Ana", "a@b.example", "A ramp"],
        ["Bo", None, None],
    ]


def test_places_are_numbers_of_each_event(person, hearing, second):
    person("Ana", state="wait_listed", waits_as=9)
    person("Bo", state="wait_listed", waits_as=5)
    person("Cy")
    person("Di", event=second, state="wait_listed", waits_as=7)

    assert [row[1] for row in read_csv(sheet("name place"))[1:]] == ["2", "1", "", "1"]
    assert [row[1] for row in values(read_xlsx(sheet("name place")))[1:]] == [2, 1, None, 1]


def test_the_book_has_a_fixed_head_a_filter_and_a_direction(person):
    for name in ("Ana", "Bo", "Cy"):
        person(name)

    page = read_xlsx(sheet("name organisation"))
    assert (page.freeze_panes, page.auto_filter.ref) == ("A2", "A1:B4")
    assert page["A1"].font.bold
    assert not page.sheet_view.rightToLeft

    with translation.override("ar"):
        assert read_xlsx(sheet("name organisation")).sheet_view.rightToLeft


def test_a_book_of_many_rows_is_whole(person, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 3)
    for number in range(10):
        person(f"P{number}")

    assert [row[0] for row in values(read_xlsx(sheet("name")))[1:]] == [f"P{n}" for n in range(10)]
    assert [row[0] for row in read_csv(sheet("name"))[1:]] == [f"P{n}" for n in range(10)]


def test_its_parts_are_those_that_xlsxwriter_makes(person):
    person("Ana")
    with exports.as_xlsx(sheet("name")) as file, zipfile.ZipFile(file) as book:
        assert book.testzip() is None
        assert exports.PAGE in book.namelist()
        assert len(book.namelist()) == len(set(book.namelist()))


def test_a_file_is_read_in_two_queries_however_long_it_is(person, django_assert_num_queries):
    """Of them one is the cursor's, and one asks for the waiting list."""
    for number in range(5):
        person(f"P{number}")
    few = sheet("name organisation event state place sent")
    with django_assert_num_queries(2):
        read_csv(few)
    for number in range(5, 10):
        person(f"P{number}")
    many = sheet("name organisation event state place sent")
    with django_assert_num_queries(2):
        read_xlsx(many)
