"""An organiser brings a list of organisations: reads, decides, brings in."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from events import roles
from events.models import Role
from stakeholders import importing
from stakeholders.models import ImportRun, Organisation
from tests.conftest import signed_in

ADD = "admin:stakeholders_importrun_add"
LISTS = "admin:stakeholders_importrun_changelist"
RADIO = re.compile(r'<input type="radio" name="(line-\d+)" value="([^"]+)"( checked)?>')


def page(run: ImportRun, word: str) -> str:
    return reverse(f"admin:stakeholders_importrun_{word}", args=[run.pk])


def bring(client, text: str, name: str = "list.csv"):
    file = SimpleUploadedFile(name, text.encode())
    return client.post(reverse(ADD), {"file": file, "confirm": "yes"})


@pytest.fixture
def network(db) -> Organisation:
    return Organisation.objects.create(name="Diaspora Network", country="ML")


@pytest.fixture
def run(clara_in, network) -> ImportRun:
    lines = ["name,country,colour", "Harbour Choir,MT,red", "Diaspora Netwrok,ML,blue"]
    bring(clara_in, "\n".join([*lines, "Diaspora Network", "Lone Star,Atlantis"]))
    return ImportRun.objects.get()


def test_from_the_file_to_the_organisations(clara_in, network):
    assert "Bring a list of organisations" in clara_in.get(reverse(ADD)).content.decode()
    assert reverse(ADD) in clara_in.get(reverse(LISTS)).content.decode()

    response = bring(
        clara_in, "name,country\nHarbour Choir,MT\nDiaspora Netwrok,ML\nDiaspora Network"
    )
    run = ImportRun.objects.get()
    assert response.url == page(run, "look")
    look = clara_in.get(response.url).content.decode()
    assert "1 organisation would be entered" in look
    assert RADIO.findall(look) == [
        ("line-3", str(network.pk), ""),
        ("line-3", "new", ""),
        ("line-3", "skip", ""),
    ]
    assert Organisation.objects.count() == 1

    response = clara_in.post(page(run, "look"), {"line-3": str(network.pk)}, follow=True)
    assert "No row is left to decide" in response.content.decode()
    assert RADIO.findall(response.content.decode())[0] == ("line-3", str(network.pk), " checked")
    preview = clara_in.get(page(run, "bring_in")).content.decode()
    assert "Bring in 1 organisation" in preview
    assert Organisation.objects.count() == 1

    response = clara_in.post(page(run, "bring_in"), {"confirm": "yes"}, follow=True)
    assert "1 organisations are entered, 1 got another spelling" in response.content.decode()
    assert "This list was brought in" in response.content.decode()
    network.refresh_from_db()
    assert network.other_names == ["Diaspora Netwrok"]
    assert sorted(Organisation.objects.values_list("name", flat=True)) == [
        "Diaspora Network",
        "Harbour Choir",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "Choose a file."),
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"colour\nred", "one of them must be “name”"),
        (b"PK\x03\x04", "This workbook is broken."),
        (b"name\n" + b"A\n" * 20_001, "at most 20000 rows"),
        (b"x" * (5 * 1024 * 1024 + 1), "at most 5 MB"),
        (b"\x00\x01\x02" * 100, "This is no list that can be read."),
    ],
)
def test_a_file_that_is_no_list_gets_a_sentence_beside_the_field(clara_in, content, sentence):
    file = {} if content is None else {"file": SimpleUploadedFile("list.xlsx", content)}

    response = clara_in.post(reverse(ADD), {"confirm": "yes", **file})

    assert response.status_code == 200
    (error,) = response.context["form"].errors["file"]
    assert sentence in error
    assert 'enctype="multipart/form-data"' in response.content.decode()
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("country", ["①②③", "٠٠٤", "<b>", "=1+1"])
def test_what_is_no_country_is_shown_as_it_was_typed(clara_in, country):
    bring(clara_in, f"name,country\nHarbour Choir,{country}")
    (run,) = ImportRun.objects.all()

    lines = clara_in.get(page(run, "look"), {"show": "wrong"}).context["lines"]

    assert [line.place for line in lines] == [country]


def test_each_part_of_a_list_is_shown(clara_in, run):
    def shown(part: str) -> list[str]:
        response = clara_in.get(page(run, "look"), {"show": part})
        return [line.row.name for line in response.context["lines"]]

    assert {part: shown(part) for part in ("near", "new", "known", "wrong", "", "\x00")} == {
        "near": ["Diaspora Netwrok"],
        "new": ["Harbour Choir"],
        "known": ["Diaspora Network"],
        "wrong": ["Lone Star"],
        "": ["Diaspora Netwrok"],
        "\x00": ["Diaspora Netwrok"],
    }
    text = clara_in.get(page(run, "look"), {"show": "wrong"}).content.decode()
    assert "“Atlantis” is not a country that we know." in text
    assert "<bdi>colour</bdi>" in text


@pytest.mark.parametrize("number", ["", "0", "-1", "99", "x", "\x00", "9" * 50, "²"])
def test_a_page_that_is_none_is_the_nearest(clara_in, run, number):
    assert clara_in.get(page(run, "look"), {"page": number}).status_code == 200
    url = f"{page(run, 'look')}?page={'2' if number == chr(0) else number}"
    assert clara_in.post(url, {"line-3": "new"}).status_code == 302


@pytest.fixture
def long_run(clara_in, network) -> ImportRun:
    """A hundred and twenty rows near one organisation, and near each other."""
    names = [f"Diaspora Network {number:03}" for number in range(120)]
    bring(clara_in, "name\n" + "\n".join(names))
    return ImportRun.objects.get()


def test_many_are_decided_page_by_page(clara_in, long_run):
    first = clara_in.get(page(long_run, "look"))
    lines = {name for name, _value, _checked in RADIO.findall(first.content.decode())}
    assert len(lines) == 50

    response = clara_in.post(f"{page(long_run, 'look')}?page=1", dict.fromkeys(lines, "skip"))

    assert response.url == f"{page(long_run, 'look')}?page=2"
    long_run.refresh_from_db()
    assert long_run.decisions == {str(line): "skip" for line in range(2, 52)}
    again = clara_in.get(f"{page(long_run, 'look')}?page=1").content.decode()
    assert {(v, c) for _n, v, c in RADIO.findall(again) if c} == {("skip", " checked")}


def test_all_that_are_left_are_decided_after_a_second_look(clara_in, long_run):
    clara_in.post(page(long_run, "look"), {"line-2": "skip"})
    url = page(long_run, "rest")

    look = clara_in.get(url)
    assert "This concerns 119 rows" in look.content.decode()
    assert "Diaspora Network 119" in look.content.decode()
    assert clara_in.post(url, {"confirm": "yes"}).context["form"].errors == {
        "choice": ["Choose one of the two."]
    }
    assert clara_in.post(url, {"confirm": "yes", "choice": "x"}).status_code == 200
    long_run.refresh_from_db()
    assert long_run.decisions == {"2": "skip"}

    response = clara_in.post(url, {"confirm": "yes", "choice": "new"}, follow=True)

    assert "119 rows are decided." in response.content.decode()
    long_run.refresh_from_db()
    assert importing.foreseen(long_run)["created"] == 119


@pytest.mark.parametrize(
    "typed",
    [
        {"line-3": "nonsense"},
        {"line-3": "\x00"},
        {"line-2": "new"},
        {"line-99": "new"},
        {"line-3": "new", "line-4": "new"},
    ],
)
def test_what_is_not_offered_is_refused_and_kept_on_the_page(clara_in, run, typed):
    response = clara_in.post(page(run, "look"), typed)

    assert response.status_code == 200
    assert "cannot be decided like that" in response.content.decode()
    chosen = [value for _name, value, checked in RADIO.findall(response.text) if checked]
    assert chosen == (["new"] if typed.get("line-3") == "new" else [])
    run.refresh_from_db()
    assert run.decisions == {}


@pytest.mark.parametrize("typed", [{}, {"line-": "new"}, {"line-x": "new"}, {"line-²": "new"}])
def test_what_decides_nothing_changes_nothing(clara_in, run, typed):
    assert clara_in.post(page(run, "look"), typed).status_code == 302
    run.refresh_from_db()
    assert run.decisions == {}


def test_a_second_click_does_nothing_and_says_so(clara_in, run):
    clara_in.post(page(run, "bring_in"), {"confirm": "yes"})
    before = list(Organisation.objects.order_by("pk").values())

    for word, typed in [
        ("bring_in", {"confirm": "yes"}),
        ("rest", {"confirm": "yes", "choice": "new"}),
        ("look", {"line-3": "new"}),
    ]:
        response = clara_in.post(page(run, word), typed)
        assert response.status_code == 200, word
        assert "was brought in already" in response.content.decode(), word
    assert list(Organisation.objects.order_by("pk").values()) == before


def test_after_it_each_row_says_what_it_became(clara_in, root_in, run):
    clara_in.post(page(run, "bring_in"), {"confirm": "yes"})

    def shown(client, part: str) -> list[tuple[str, bool]]:
        response = client.get(page(run, "look"), {"show": part})
        return [(line.row.name, bool(line.url)) for line in response.context["lines"]]

    parts = ("created", "known", "undecided", "wrong", "joined", "left_out")
    assert {part: shown(clara_in, part) for part in parts} == {
        "created": [("Harbour Choir", False)],
        "known": [("Diaspora Network", False)],
        "undecided": [("Diaspora Netwrok", False)],
        "wrong": [("Lone Star", False)],
        "joined": [],
        "left_out": [],
    }
    assert shown(root_in, "created") == [("Harbour Choir", True)]
    history = clara_in.get(page(run, "history")).content.decode()
    assert "List of organisations brought in" in history


def table(client, run: ImportRun) -> list[list[str]]:
    response = client.get(page(run, "stayed_out"))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_what_stays_out_can_be_mended_and_brought_again(clara_in, run):
    headings = [
        *("name", "acronym", "country", "category", "website", "status with ECOSOC"),
        *("other names", "line", "reason"),
    ]
    wrong = ["Lone Star", "", "Atlantis", "", "", "", "", "5"]
    near = ["Diaspora Netwrok", "", "ML", "", "", "", "", "3"]
    assert table(clara_in, run) == [
        headings,
        [*wrong, "“Atlantis” is not a country that we know."],
    ]

    clara_in.post(page(run, "bring_in"), {"confirm": "yes"})

    rows = table(clara_in, run)
    assert rows == [
        headings,
        [*near, "Not decided"],
        [*wrong, "“Atlantis” is not a country that we know."],
    ]
    rows[2][2] = "MT"
    bring(clara_in, "\n".join(",".join(row) for row in rows))
    second = ImportRun.objects.latest("at")
    assert second.counts == {"new": 1, "known": 0, "near": 1, "wrong": 0}
    assert second.notes["unknown_columns"] == ["line", "reason"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "\u200b="])
def test_no_cell_of_that_file_is_a_formula(clara_in, start):
    name = f"{start}cmd{'x' * 255}"
    bring(clara_in, f"name,country\n{name},{start}A1\n", name=f"{start}list.csv")

    rows = table(clara_in, ImportRun.objects.get())

    assert rows[1][:3] == [f"'{name}", "", f"'{start}A1"]


HOSTILE = [
    *("<script>alert(1)</script>", '"><img src=x onerror=x>', "{{ 7*7 }}", "\u202egpj.exe"),
    *("</bdi></fieldset>", "{% csrf_token %}", "&lt;b&gt;", "شبكة \u202eabc"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_text(clara_in, name):
    quoted = '"{}"'.format(name.replace('"', '""'))
    bring(clara_in, f'name,{quoted}\n{quoted},x\n{quoted[:-1]}s",x\n', name=name)
    run = ImportRun.objects.get()

    for url in (
        *(f"{page(run, 'look')}?show={part}" for part in ("new", "near", "known")),
        page(run, "rest"),
        page(run, "bring_in"),
        page(run, "change"),
        reverse(LISTS),
    ):
        text = clara_in.get(url).content.decode()
        assert "<" not in name or name not in text, url
        assert "\u202e" not in text, url
        assert "49" not in re.findall(r"<bdi>(\d+)</bdi>", text), url


# Who may


@pytest.mark.parametrize("kind", ["reviewer", "reader", "door"])
def test_who_does_not_run_a_process_brings_no_list(process, hearing, now, run, kind):
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=process, kind=kind, by=None, now=now)

    assert closed_to(signed_in(eva), run)


def test_who_runs_only_an_event_brings_no_list(hearing, now, run):
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=hearing, kind=Role.Kind.MANAGER, by=None, now=now)

    assert closed_to(signed_in(eva), run)


def closed_to(client, run: ImportRun) -> bool:
    statuses = {client.get(reverse(LISTS)).status_code, bring(client, "name\nA").status_code}
    own = {client.get(page(run, word)).status_code for word in ("look", "rest", "stayed_out")}
    posted = client.post(page(run, "bring_in"), {"confirm": "yes"}).status_code
    return (statuses, own, posted, ImportRun.objects.count()) == ({403}, {404}, 404, 1)


def test_a_list_belongs_to_who_brought_it(clara_in, dina_in, root_in, run):
    def listed(client) -> list[ImportRun]:
        return list(client.get(reverse(LISTS)).context["cl"].result_list)

    assert (listed(clara_in), listed(dina_in), listed(root_in)) == ([run], [], [run])
    for word in ("look", "rest", "bring_in", "stayed_out"):
        assert dina_in.get(page(run, word)).status_code == 404
        assert dina_in.post(page(run, word), {"confirm": "yes"}).status_code == 404
        assert root_in.get(page(run, word)).status_code == 200


def test_the_list_of_lists_does_not_read_their_rows(clara_in, run, connection_queries):
    few = connection_queries(lambda: clara_in.get(reverse(LISTS)))
    for _time in range(5):
        ImportRun.objects.create(by=run.by, at=run.at, file_name="more.csv")

    assert connection_queries(lambda: clara_in.get(reverse(LISTS))) == few


def test_a_page_of_a_list_asks_as_much_for_many_rows(clara_in, run, connection_queries):
    few = connection_queries(lambda: clara_in.get(page(run, "look")))
    names = [f"Diaspora Network {number:03}" for number in range(60)]
    bring(clara_in, "name\n" + "\n".join(names))
    long = ImportRun.objects.latest("at")

    assert connection_queries(lambda: clara_in.get(page(long, "look"))) == few
