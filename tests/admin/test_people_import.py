"""An organiser brings a list of people: columns, a dry run, all at once, taken back."""

import csv
import io
import re
import zipfile

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audit.models import Entry
from events.models import Event, Track
from events.rights import KINDS, Right
from notifications.models import Letter
from registrations import importing, intake
from registrations.models import Delegate, ImportRun, Registration
from stakeholders import tables
from stakeholders.models import Organisation

HEAD = "Organisation,Country,Category,First name,Last name,E-mail,Role,Shoe size"
GOOD = "Riverside Fishers,NE,diaspora,Sani,Abdou,sani@riverside.example,head,42"
RADIO = re.compile(r'<input type="radio" name="(line-\d+)" value="([^"]*)"( checked)?>')
SELECT = re.compile(r'<select name="(column-\d+)".*?</select>', re.S)
CHOSEN = re.compile(r'<option value="(\w+)" selected>')


@pytest.fixture
def start(hearing) -> str:
    return reverse("admin:events_event_import_people", args=[hearing.pk])


def page(run: ImportRun, word: str) -> str:
    return reverse(f"admin:registrations_importrun_{word}", args=[run.pk])


@pytest.fixture
def bring(clara_in, start):
    """From the file to the dry run, with the columns as they are guessed."""

    def bring(*lines: str, head: str = HEAD) -> ImportRun:
        file = SimpleUploadedFile("people.csv", "\n".join([head, *lines]).encode())
        there = set(ImportRun.objects.values_list("pk", flat=True))
        clara_in.post(start, {"file": file, "confirm": "yes"})
        run = ImportRun.objects.exclude(pk__in=there).get()
        response = clara_in.post(page(run, "columns"), columns(clara_in, run))
        assert response.status_code == 302, response.context["form"].errors
        run.refresh_from_db()
        return run

    return bring


def columns(client, run: ImportRun) -> dict[str, str]:
    """As the page proposes them."""
    text = client.get(page(run, "columns")).content.decode()
    chosen = {found[1]: CHOSEN.search(found[0])[1] for found in SELECT.finditer(text)}
    return chosen | {"confirm": "yes"}


def test_from_the_file_to_the_delegations_and_back(clara_in, hearing, start):
    event = clara_in.get(reverse("admin:events_event_change", args=[hearing.pk])).content.decode()
    assert start in event
    file = SimpleUploadedFile("people.csv", f"{HEAD}\n{GOOD}\n{GOOD}\n".encode())

    response = clara_in.post(start, {"file": file, "confirm": "yes"})
    run = ImportRun.objects.get()
    assert response.url == page(run, "columns")
    text = clara_in.get(response.url).content.decode()
    assert "For example: sani@riverside.example" in text
    assert columns(clara_in, run) == {
        "column-0": "organisation",
        "column-1": "country",
        "column-2": "category",
        "column-3": "given_names",
        "column-4": "family_name",
        "column-5": "email",
        "column-6": "role",
        "column-7": "ignored",
        "confirm": "yes",
    }

    look = clara_in.post(response.url, columns(clara_in, run), follow=True).content.decode()
    assert "1 person would come in." in look
    assert "<bdi>Shoe size</bdi>" in look
    assert "New here" in look
    wrong = clara_in.get(page(run, "look"), {"show": "wrong"}).content.decode()
    assert "The same person stands in line 2 already." in wrong
    preview = clara_in.get(page(run, "bring_in")).content.decode()
    assert "Bring in 1 person" in preview
    assert "No group is written to unless you tick the box below." in preview
    assert not Delegate.objects.exists()

    done = clara_in.post(page(run, "bring_in"), {"confirm": "yes"}, follow=True).content.decode()
    assert "1 person has come in. You can take the list back until" in done
    assert Delegate.objects.get().state == "submitted"
    assert not Letter.objects.filter(about=Registration.objects.get().pk).exists()

    preview = clara_in.get(page(run, "take_back")).content.decode()
    assert "People: 1" in preview
    back = clara_in.post(page(run, "take_back"), {"confirm": "yes"}, follow=True).content.decode()
    assert "Nothing of it is left." in back
    assert not Delegate.objects.exists()
    assert not Organisation.objects.exists()
    history = clara_in.get(page(run, "history")).content.decode()
    assert "List of people brought in" in history
    assert "List of people taken back" in history


def test_rows_can_be_pasted(clara_in, start):
    rows = f"{HEAD}\n{GOOD}".replace(",", "\t")

    clara_in.post(start, {"rows": rows, "confirm": "yes"})

    run = ImportRun.objects.get()
    assert (run.file_name, len(run.table["rows"])) == ("pasted rows", 1)


def workbook(rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_is_read(clara_in, start):
    content = workbook([HEAD.split(","), GOOD.split(",")])

    clara_in.post(start, {"file": SimpleUploadedFile("p.xlsx", content), "confirm": "yes"})

    assert ImportRun.objects.get().read_as == "XLSX"


def bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", b" " * (60 * 1024 * 1024))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "Choose a file, or paste rows."),
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"organisation,name\n", "There are headings in this list, and no rows."),
        (b"PK\x03\x04", "This workbook is broken."),
        (b"name\n" + b"A\n" * 20_001, "at most 20000 rows"),
        (b"name\n" + b"A\n" * 150_000, "at most 20000 rows"),
        (b"x" * (5 * 1024 * 1024 + 1), "at most 5 MB"),
        (b"\x00\x01\x02" * 100, "This is no list that can be read."),
        (b"\xff\xfe\x00", "This is no list that can be read."),
        (b"%PDF-1.7\n\x00\x01\x02" + b"\x00\x01" * 100, "This is no list that can be read."),
        (b"\xd0\xcf\x11\xe0" * 9, "This is an old Excel file"),
        (b'name\n"open', "A quotation mark is opened and never closed."),
        pytest.param(bomb, "at most 5 MB", id="bomb"),
    ],
)
def test_a_file_that_is_no_list_gets_a_sentence_beside_the_field(
    clara_in, start, content, sentence
):
    content = content() if callable(content) else content
    file = {} if content is None else {"file": SimpleUploadedFile("list.xlsx", content)}

    response = clara_in.post(start, {"confirm": "yes", **file})

    assert response.status_code == 200
    (error,) = response.context["form"].errors["file"]
    assert sentence in error
    assert 'enctype="multipart/form-data"' in response.content.decode()
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"rows": "x" * 200_000}, "more than 100 KB"),
        ({"rows": "\x00"}, None),
        ({"rows": "organisation"}, "headings in this list, and no rows"),
        ({"rows": "a\nb", "file": SimpleUploadedFile("x.csv", b"a\nb")}, "not both"),
    ],
)
def test_rows_that_are_none_get_one_too(clara_in, start, typed, sentence):
    response = clara_in.post(start, {"confirm": "yes", **typed})

    errors = response.context["form"].errors
    assert [*errors] == (["rows"] if sentence else ["file"])
    assert sentence is None or sentence in errors["rows"][0]


@pytest.mark.parametrize(
    ("typed", "where", "sentence"),
    [
        ({"column-0": "ignored"}, "__all__", "Say which column holds this: Organisation."),
        ({"column-4": "given_names"}, "column-4", "“Given names” is chosen for another"),
        ({"column-2": "nonsense"}, "column-2", "Choose from the list."),
        ({"column-2": ""}, "column-2", "Choose from the list."),
        ({"column-2": "\x00"}, "column-2", "Choose from the list."),
    ],
)
def test_columns_that_cannot_be_are_refused_and_kept(clara_in, bring, typed, where, sentence):
    run = bring(GOOD)

    response = clara_in.post(page(run, "columns"), columns(clara_in, run) | typed)

    assert response.status_code == 200
    assert sentence in response.context["form"].errors[where][0]


def test_groups_of_an_event_with_tracks_are_asked_for_theirs(clara_in, hearing, start):
    track = Track.objects.create(event=hearing, name_en="In person", position=1)
    file = SimpleUploadedFile("people.csv", f"{HEAD}\n{GOOD}".encode())
    clara_in.post(start, {"file": file, "confirm": "yes"})
    run = ImportRun.objects.get()
    typed = columns(clara_in, run)

    missing = clara_in.post(page(run, "columns"), typed)
    assert [*missing.context["form"].errors] == ["track"]
    assert clara_in.post(page(run, "columns"), typed | {"track": str(track.pk)}).status_code == 302

    run.refresh_from_db()
    assert run.track == track


def test_of_likeness_a_person_decides_on_the_page(clara_in, bring, diaspora_network):
    run = bring("Diaspora Netwrok,ML,diaspora,Awa", "Diaspora Netwrok,ML,diaspora,Oumou", GOOD)
    look = page(run, "look")

    text = clara_in.get(look, {"show": "asks"}).content.decode()
    assert RADIO.findall(text) == [
        ("line-2", str(diaspora_network.pk), ""),
        ("line-2", "new", ""),
        ("line-2", "", " checked"),
    ]
    assert "2 rows" in text

    response = clara_in.post(look, {"line-2": str(diaspora_network.pk)}, follow=True)
    assert "No row is left to decide." in response.content.decode()
    assert "3 people would come in." in response.content.decode()
    assert "<bdi>Diaspora Network</bdi>" in response.content.decode()


@pytest.mark.parametrize("typed", [{"line-2": "nonsense"}, {"line-3": "new"}, {"line-9": "\x00"}])
def test_what_is_not_offered_is_refused(clara_in, bring, diaspora_network, typed):
    run = bring("Diaspora Netwrok,ML,diaspora,Awa", GOOD)

    response = clara_in.post(f"{page(run, 'look')}?show=asks", typed)

    assert "cannot be decided like that" in response.content.decode()


def test_what_changed_since_is_told_and_marked(clara_in, bring, sent, amina, now):
    run = bring("Diaspora Network,ML,,Awa", GOOD)
    intake.withdraw(sent, by=amina, now=now)

    response = clara_in.post(page(run, "bring_in"), {"confirm": "yes"}, follow=True)

    text = response.content.decode()
    assert "Nobody was brought in: since you looked, 1 row has changed." in text
    assert [(line.row.line, line.was) for line in response.context["lines"]] == [(2, "Comes in")]
    assert "The group has withdrawn its delegation" in text
    assert not Organisation.objects.filter(name="Riverside Fishers").exists()


def test_a_second_click_does_nothing_and_says_so(clara_in, bring):
    run = bring(GOOD)
    clara_in.post(page(run, "bring_in"), {"confirm": "yes"})

    for word, typed in [
        ("bring_in", {}),
        ("columns", columns(clara_in, run)),
        ("look", {"line-2": "new"}),
    ]:
        response = clara_in.post(page(run, word), {"confirm": "yes"} | typed)
        assert "was brought in already" in response.content.decode(), word
    clara_in.post(page(run, "take_back"), {"confirm": "yes"})
    again = clara_in.post(page(run, "take_back"), {"confirm": "yes"})
    assert "was taken back already" in again.content.decode()


def test_the_letters_that_go_are_said_and_go(clara_in, bring, sent):
    run = bring("Diaspora Network,ML,,Awa", GOOD)
    Letter.objects.all().delete()
    preview = clara_in.get(page(run, "bring_in")).content.decode()
    assert "their delegation was received, and who is in it" in preview
    assert "1 group has a focal point now" in preview

    clara_in.post(page(run, "bring_in"), {"confirm": "yes", "writes": "on"})

    assert [letter.to for letter in Letter.objects.all()] == ["amina@diaspora.example"]
    assert "left already: 0" in clara_in.get(page(run, "take_back")).content.decode()


def test_what_stays_is_named_before_and_after(clara_in, bring):
    run = bring(GOOD, "Riverside Fishers,NE,diaspora,Hadiza")
    clara_in.post(page(run, "bring_in"), {"confirm": "yes"})
    sani = Delegate.objects.get(representative__given_names="Sani")
    approve = reverse("admin:registrations_delegate_approve", args=[sani.pk])
    clara_in.post(approve, {"confirm": "yes"})

    why = "Sani Abdou: decided about, asked or changed since"
    assert why in clara_in.get(page(run, "take_back")).content.decode()
    after = clara_in.post(page(run, "take_back"), {"confirm": "yes"}, follow=True)
    assert "<bdi>Sani Abdou</bdi>: decided about" in after.content.decode()


def table(client, run: ImportRun) -> list[list[str]]:
    response = client.get(page(run, "stayed_out"))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_what_stays_out_can_be_mended_and_brought_again(clara_in, bring):
    run = bring(GOOD, "Lone Star,Atlantis,diaspora,Ana,Silva,,,7")

    rows = table(clara_in, run)

    assert rows == [
        [*HEAD.split(","), "line", "reason"],
        [
            *("Lone Star", "Atlantis", "diaspora", "Ana", "Silva", "", "", "7", "3"),
            "Organisation: “Atlantis” is not a country that we know.",
        ],
    ]
    rows[1][1] = "MT"
    again = bring(*[",".join(f'"{cell}"' for cell in rows[1])], head=",".join(rows[0]))
    assert again.counts["comes"] == 1
    assert importing.unread(again) == ["Shoe size", "line", "reason"]


@pytest.mark.parametrize("start_with", ["=", "+", "-", "@", "＝", "\u200b="])
def test_no_cell_of_that_file_is_a_formula(clara_in, bring, start_with):
    run = bring(
        f"{start_with}cmd,Atlantis,,{start_with}A1,,,{start_with}B1,{start_with}C1",
        head=f"{HEAD[:-9]}{start_with}size",
    )

    cells = [cell for row in table(clara_in, run) for cell in row]

    assert [cell for cell in cells if tables.is_formula(cell)] == []


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=x>', "{{ 7*7 }}", "</bdi></option>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_cells_are_shown_as_text(clara_in, bring, text, diaspora_network):
    cell = '"{}"'.format(text.replace('"', '""'))
    run = bring(
        f"{cell},NE,diaspora,{cell},{cell},,,{cell}",
        f"Diaspora Netwrok,ML,diaspora,{cell}",
        f"Group,{cell},{cell},{cell},,{cell},{cell}",
        head=f"{HEAD},{cell}",
    )
    for word in ("columns", "look", "bring_in", "take_back", "change"):
        for part in ("comes", "asks", "wrong") if word == "look" else ("",):
            shown = clara_in.get(page(run, word), {"show": part}).content.decode()
            assert "<" not in text or text not in shown, (word, part)
            assert ">49<" not in shown
    clara_in.post(page(run, "bring_in"), {"confirm": "yes"})
    assert clara_in.get(page(run, "look")).status_code == 200


@pytest.mark.parametrize("number", ["", "0", "-1", "99", "x", "\x00", "9" * 50, "²"])
def test_a_page_that_is_none_is_the_nearest(clara_in, bring, number):
    run = bring(GOOD)

    assert clara_in.get(page(run, "look"), {"page": number, "show": number}).status_code == 200


def test_who_may_not_see_access_needs_maps_no_column_to_them(clara_in, bring, monkeypatch):
    run = bring(GOOD)
    assert '<option value="access_needs">' in clara_in.get(page(run, "columns")).content.decode()

    monkeypatch.setitem(KINDS, "manager", KINDS["manager"] - {Right.SENSITIVE})
    text = clara_in.get(page(run, "columns")).content.decode()
    assert "access_needs" not in text
    typed = columns(clara_in, run) | {"column-7": "access_needs"}
    assert clara_in.post(page(run, "columns"), typed).status_code == 200


def test_a_page_asks_as_often_for_many_rows(clara_in, bring, connection_queries):
    few = bring(GOOD, *(f"Riverside Fishers,NE,diaspora,Ana {n}" for n in range(3)))
    many = bring(GOOD, *(f"Riverside Fishers,NE,diaspora,Ana {n}" for n in range(300)))

    first, second = (
        connection_queries(lambda run=run: clara_in.get(page(run, "look"))) for run in (few, many)
    )

    assert first == second


def test_the_list_of_lists_does_not_read_their_rows(clara_in, bring, connection_queries):
    bring(GOOD)
    lists = reverse("admin:registrations_importrun_changelist")
    few = connection_queries(lambda: clara_in.get(lists))
    for _time in range(4):
        bring(GOOD)

    assert connection_queries(lambda: clara_in.get(lists)) == few


def test_an_event_that_takes_nobody_says_so(clara_in, start, hearing):
    Event.objects.filter(pk=hearing.pk).update(state="cancelled")

    response = clara_in.post(start, {"rows": f"{HEAD}\n{GOOD}", "confirm": "yes"})

    assert "cancelled" in response.context["form"].errors["rows"][0]
    assert not Entry.objects.filter(verb="list of people brought in").exists()
