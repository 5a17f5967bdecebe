"""A list of organisations: what each row is taken for, what a person decides, what is entered."""

import json
import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Entry
from bench import names
from stakeholders import importing, matching, membership, refusals
from stakeholders.models import ImportRun, Organisation, OrganisationQuerySet

COLUMNS = "name,acronym,country,category,website,status with ECOSOC,other names"


@pytest.fixture
def clara(db) -> User:
    return User.objects.create_user("clara@secretariat.example", name="Clara Weiss")


@pytest.fixture
def read(clara, now):
    def read(*lines: str, headings: str = COLUMNS, name: str = "list.csv") -> ImportRun:
        return importing.read(name, "\n".join([headings, *lines]).encode(), by=clara, now=now)

    return read


@pytest.fixture
def apply(clara, now):
    return lambda run: importing.apply(run, by=clara, now=now)


def judged(run: ImportRun) -> list[tuple[int, str, list[str]]]:
    return [
        (row.line, row.judged, [each.choice for each in row.candidates])
        for row in importing.rows(run)
    ]


def outcomes(run: ImportRun) -> list[tuple[int, str]]:
    return [(row.line, row.outcome) for row in importing.rows(run)]


def entered() -> list[tuple]:
    fields = ["name", "acronym", "country", "category", "website", "consultative_status"]
    return sorted(
        tuple(map(str, each)) for each in Organisation.objects.values_list(*fields, "other_names")
    )


# Columns


@pytest.mark.parametrize(
    ("headings", "unknown"),
    [
        ("name", []),
        ("Name of Organisation;Acronym;Country", []),
        ("NOM DE L’ORGANISATION;Sigle;Pays", []),
        ("Nombre de la organización;Siglas;País", []),
        ("اسم المنظمة;الاختصار;البلد", []),
        ("Название организации;Сокращение;Страна", []),
        ("名称;缩写;国家", []),
        ("name;times deferred;colour", ["times deferred", "colour"]),
        ("name;organisation;name", ["organisation", "name"]),
        ("name;;", []),
    ],
)
def test_columns_are_known_by_their_headings(read, headings, unknown):
    run = read("Diaspora Network", headings=headings)

    assert [row.name for row in importing.rows(run)] == ["Diaspora Network"]
    assert run.notes == {"unknown_columns": unknown, "read_as": "UTF-8"}


@pytest.mark.parametrize("headings", ["Diaspora Network", "colour,country", "=1+1", "\u202e,x"])
def test_a_list_without_names_is_refused_and_not_kept(read, headings):
    with pytest.raises(refusals.NoNames) as refused:
        read("Port Workers", headings=headings)

    assert "one of them must be “name”" in str(refused.value)
    assert not ImportRun.objects.exists()


def test_a_column_of_other_statuses_is_left_as_a_whole(read):
    run = read("Diaspora Network,granted,A", headings="name,status,group")

    assert run.notes["unknown_columns"] == ["status", "group"]
    assert run.counts == {"new": 1, "known": 0, "near": 0, "wrong": 0}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("list.csv", "list.csv"),
        ("C:\\lists\\of\u202e 2018\x00.csv", "of 2018 .csv"),
        ("../../etc/passwd", "passwd"),
        ("", "list without a name"),
        ("x" * 400, "x" * 255),
    ],
)
def test_a_list_is_called_what_its_file_was_called(read, name, kept):
    assert read("Diaspora Network", name=name).file_name == kept


# What a row says


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("ML", "ML"),
        ("ml", "ML"),
        ("MLI", "ML"),
        ("Mali", "ML"),
        ("مالي", "ML"),
        ("Égypte", "EG"),
        ("مصر", "EG"),
        ("Rusia", "RU"),
        ("Германия", "DE"),
        ("中国", "CN"),
        ("COTE D'IVOIRE", "CI"),
        ("United States of America", "US"),
        ("United States", "US"),
        ("U.K.", "GB"),
        ("DR Congo", "CD"),
        ("", ""),
    ],
)
def test_a_country_is_known_by_code_or_name(read, typed, code):
    (row,) = importing.rows(read(f'Diaspora Network,,"{typed}"'))

    assert (row.judged, row.country) == ("new", code)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",DN,ML", "There is no name."),
        ("★★★", "The name “★★★” has no letters."),
        ("\u202e\u202c!", "The name “!” has no letters."),
        ("x" * 256, "The name is longer than 255 characters."),
        (f"A,{'x' * 41}", "The acronym is longer than 40 characters."),
        ("A,,Atlantis", "“Atlantis” is not a country that we know."),
        ("A,,=1+1", "“=1+1” is not a country that we know."),
        ("A,,,flowers", "“flowers” is not a stakeholder group that we know."),
        ("A,,,,no address", "“no address” is not the address of a website."),
        ("A,,,,javascript:alert(1)", "“javascript:alert(1)” is not the address of a website."),
        ("A,,,,javascript://x.org", "“javascript://x.org” is not the address of a website."),
        (f"A,,,,x.org/{'x' * 200}", "The address of the website is longer than 200 characters."),
        ("A,,,,,best", "“best” is not a status with ECOSOC that we know."),
        (f"A,,,,,,B; {'x' * 256}", "Another name is longer than 255 characters."),
    ],
)
def test_a_row_that_is_wrong_says_why(read, apply, line, reason):
    run = read(line, "Good,,ML,youth,,special")

    assert run.counts == {"new": 1, "known": 0, "near": 0, "wrong": 1}
    assert importing.rows(run)[0].reason == reason
    apply(run)
    assert [name for name, *_facts in entered()] == ["Good"]


def test_all_facts_of_a_row_are_read(read, apply):
    apply(
        read(
            "Réseau «Été»,RÉ,France,Youth organisation,été.example.org/x,General status,"
            "Summer Network; Netz ; Réseau «Été»",
            "شبكة المهاجرين,,مصر,منظمة شبابية,http://a.example,special,",
        )
    )

    assert entered() == [
        *[("Réseau «Été»", "RÉ", "FR", "youth", "https://été.example.org/x", "general",
           "['Summer Network', 'Netz']")],
        *[("شبكة المهاجرين", "", "EG", "youth", "http://a.example", "special", "[]")],
    ]  # fmt: skip
    assert Organisation.objects.like("summer network")[0].name == "Réseau «Été»"


HOSTILE = [
    *("=HYPERLINK(1)", "+1+1", "-1+1 Club", "@SUM(A1)", "|calc", "%0d%0aBcc: x", "'=2+3 Club"),
    *("<script>alert(1)</script>", '"><img src=x onerror=x>', "{{ 7*7 }}", "{% now %}", "%(name)s"),
    *("Robert'); DROP TABLE x;--", "a\\b", "%s%d", "😀 Club", "مرحبا \u202eabc", "a" * 255),
    *("Ω≈ç√∫", "ก็ไทย", "हिन्दी", "日本語", "Ꮳ Nation", "İI ıi", "ﷺ" * 255, "\u200b\u200bzero"),
]


def test_hostile_names_are_kept_as_text(read, apply):
    lines = ['"{}"'.format(name.replace('"', '""')) for name in HOSTILE]

    run = read(*lines, "\tA tab first", "\rA return first", headings="name")

    assert run.counts["wrong"] == 0
    importing.decide_rest(run, "new")
    apply(run)
    kept = {name for name, *_facts in entered()}
    assert kept == {
        *(set(HOSTILE) - {"'=2+3 Club", "مرحبا \u202eabc", "\u200b\u200bzero"}),
        *("=2+3 Club", "مرحبا abc", "\u200b\u200bzero", "A tab first", "A return first"),
    }


# What a row is taken for


def test_what_each_row_is_taken_for(read):
    known = {
        name: str(Organisation.objects.create(name=name, **facts).pk)
        for name, facts in {
            "Diaspora Network": {"country": "ML", "acronym": "DN"},
            "Port Workers": {},
            "Youth Forum": {"country": "KE"},
            "Youth Forum Ltd": {"country": "UG"},
            "Réseau des femmes": {"country": "FR", "other_names": ["Women’s Net"]},
        }.items()
    }
    network, port = known["Diaspora Network"], known["Port Workers"]
    kenya, uganda = known["Youth Forum"], known["Youth Forum Ltd"]
    women = known["Réseau des femmes"]

    run = read(
        "DIASPORA NETWORK (DN),,Mali",  # 2: its key, its country
        "The Diaspora-Network",  # 3: its key, no country
        "Diaspora Network,,FR",  # 4: its key, another country
        "Port Workers Inc.,,PH",  # 5: its key, and its country is not known
        "Youth Forum,,KE",  # 6: one of two
        "Youth Forum,,TZ",  # 7: neither of two
        "Youth Forum",  # 8: any of three
        "Youth Forum Ltd",  # 9: that one again, of no country either
        "Women's Net",  # 10: another name
        "Diaspora Netwrok,,ML",  # 11: a slip of the pen
        "DN",  # 12: an acronym
        "Diaspora Network of Mali (DN)",  # 13: beside the same acronym
        "Harbour Choir,,MT",  # 14: nobody's
        "Harbour Choir e.V.,,MT",  # 15: that one again
        "Harbour Choirs,,MT",  # 16: near that one
        "Harbour Choirs,,IT",  # 17: of another country, but very much alike
        "Port Worker Unions,,FR",  # 18: a little like line 5's
        ",,ML",  # 19: wrong
        "Lone Star",  # 20: nobody's
    )

    assert judged(run) == [
        (2, "known", [network]),
        (3, "known", [network]),
        (4, "near", [network]),
        (5, "known", [port]),
        (6, "known", [kenya]),
        (7, "near", [kenya, uganda]),
        (8, "near", [kenya, uganda, "line:7"]),
        (9, "known", ["line:8"]),
        (10, "known", [women]),
        (11, "near", [network, "line:4"]),
        (12, "near", [network]),
        (13, "near", [network, "line:12"]),
        (14, "new", []),
        (15, "known", ["line:14"]),
        (16, "near", ["line:14"]),
        (17, "near", ["line:16", "line:14"]),
        (18, "new", []),
        (19, "wrong", []),
        (20, "new", []),
    ]
    assert run.counts == {"new": 3, "known": 7, "near": 8, "wrong": 1}


@pytest.mark.parametrize("name", ["Youth Forum {:05}", "{:x}a Forum of Young Seafarers"])
def test_a_list_of_endless_variations_is_refused(read, name, monkeypatch):
    """However long it is: after so many comparisons, which `make bench` puts in seconds."""
    monkeypatch.setattr(matching, "MOST_COMPARISONS", 300_000)

    with pytest.raises(refusals.TooAlike):
        read(*(name.format(number) for number in range(3_000)), headings="name")


def test_reading_enters_nothing(read):
    read("Diaspora Network", "Port Workers")

    assert not Organisation.objects.exists()
    assert not Entry.objects.exists()


def test_what_is_kept_of_a_list_is_plain_data(read, apply):
    run = read("Diaspora Network", "Diaspora Networks")
    apply(run)

    assert json.loads(json.dumps(run.rows)) == run.rows
    assert run.rows == ImportRun.objects.get().rows


# What a person decides


@pytest.fixture
def network(db) -> Organisation:
    return Organisation.objects.create(name="Diaspora Network", country="ML", acronym="DN")


def test_a_decision_can_be_taken_changed_and_taken_back(read, network):
    run = read("Diaspora Netwrok,,ML", "Diaspora Netwrook,,ML")

    importing.decide(run, {2: str(network.pk), 3: "line:2"})
    assert run.decisions == {"2": str(network.pk), "3": "line:2"}
    importing.decide(run, {2: "", 3: "skip"})
    assert run.decisions == {"3": "skip"}
    assert [row.line for row in importing.undecided(run)] == [2]
    assert ImportRun.objects.get().decisions == {"3": "skip"}


@pytest.mark.parametrize(
    "line_and_choice",
    [
        (2, "nonsense"),
        (2, "NEW"),
        (2, "line:2"),
        (2, "line:3"),
        (2, str(uuid4())),
        (2, "\x00"),
        (3, "new"),
        (4, "new"),
        (9, "new"),
        (0, "skip"),
    ],
)
def test_what_is_not_offered_cannot_be_decided(read, network, line_and_choice):
    Organisation.objects.create(name="Diaspora Netwerk", country="ML")
    run = read("Diaspora Netwrok,,ML", "Port Workers", ",,ML", "Diaspora Netwrrk,,ML")
    line, choice = line_and_choice

    with pytest.raises(refusals.NotOffered):
        importing.decide(run, {5: "new", line: choice})

    assert ImportRun.objects.get().decisions == {}


def test_all_that_are_left_are_decided_at_once(read, network):
    run = read("Diaspora Netwrok,,ML", "Diaspora Netwerk,,ML", "Diaspora Netw0rk,,ML", "Other")
    importing.decide(run, {3: "skip"})

    assert importing.decide_rest(run, "new") == 2
    assert run.decisions == {"2": "new", "3": "skip", "4": "new"}
    assert importing.decide_rest(run, "skip") == 0


# What is entered


def test_what_becomes_of_each_row(read, apply, network):
    run = read(
        "Harbour Choir,HC,MT",  # 2: new
        "Harbour Choir Inc.,,MT",  # 3: known as line 2
        "Harbour Choirs,,MT,,choirs.example",  # 4: the same as line 2
        "Diaspora Netwrok,,ML,diaspora,dn.example,special,DiaNet",  # 5: the same as the network
        "Diaspora Netwerk,,ML",  # 6: of its own
        "Diaspora Netw0rk,,ML",  # 7: left out
        "Diaspora Netvork,,ML",  # 8: not decided
        "Diaspora-Netvork,,ML",  # 9: known as line 8, which stays out
        "Diaspora  Netwurk,,ML",  # 10: the same as line 7, which is left out
        ",,ML",  # 11: wrong
        "DIASPORA NETWORK,,ML,academia",  # 12: known
    )
    importing.decide(run, {4: "line:2", 5: str(network.pk), 6: "new", 7: "skip", 10: "line:7"})
    foreseen = importing.foreseen(run)

    apply(run)

    assert outcomes(run) == [
        (2, "created"),
        (3, "known"),
        (4, "joined"),
        (5, "joined"),
        (6, "created"),
        (7, "left_out"),
        (8, "undecided"),
        (9, "undecided"),
        (10, "undecided"),
        (11, "wrong"),
        (12, "known"),
    ]
    assert entered() == [
        *[("Diaspora Netwerk", "", "ML", "", "", "", "[]")],
        *[("Diaspora Network", "DN", "ML", "diaspora", "https://dn.example", "special",
           "['Diaspora Netwrok', 'DiaNet']")],
        *[("Harbour Choir", "HC", "MT", "", "https://choirs.example", "",
           "['Harbour Choirs']")],
    ]  # fmt: skip
    assert foreseen == {
        "created": 2,
        "joined": 3,
        "known": 3,
        "left_out": 1,
        "undecided": 1,
        "wrong": 1,
    }
    assert {outcome: run.counts[outcome] for outcome in foreseen} == {
        "created": 2,
        "joined": 2,
        "known": 2,
        "left_out": 1,
        "undecided": 3,
        "wrong": 1,
    }


def test_what_an_organisation_says_of_itself_is_not_overwritten(read, apply, network):
    network.website, network.category = "https://own.example", "academia"
    network.save()
    run = read("Diaspora Netwrok,XX,ML,diaspora,other.example,special")
    importing.decide(run, {2: str(network.pk)})

    apply(run)

    assert entered() == [
        *[("Diaspora Network", "DN", "ML", "academia", "https://own.example", "special",
           "['Diaspora Netwrok']")],
    ]  # fmt: skip


def test_the_history_tells_of_the_list_once_and_of_each_that_has_changed(
    read, apply, network, clara, now
):
    run = read("Diaspora Netwrok,,ML,diaspora", "Harbour Choir", "Lone Star", "Diaspora Network")
    importing.decide(run, {2: str(network.pk)})

    apply(run)

    told = [
        (entry.verb, entry.subject_id, entry.actor, entry.at, entry.before, entry.after)
        for entry in Entry.objects.order_by("id")
    ]
    assert told == [
        (
            "organisation completed from a list",
            str(network.pk),
            clara,
            now,
            {"category": "", "other_names": []},
            {"category": "diaspora", "other_names": ["Diaspora Netwrok"]},
        ),
        (
            "list of organisations brought in",
            str(run.pk),
            clara,
            now,
            None,
            {"file_name": "list.csv", "created": 2, "joined": 1, "left_out": 0},
        ),
    ]


def test_each_row_says_which_organisation_it_became(read, apply, network):
    run = read("Harbour Choir", "Diaspora Network", "Diaspora Netwrok,,ML")
    importing.decide(run, {4: str(network.pk)})

    apply(run)

    choir = Organisation.objects.get(name="Harbour Choir")
    became = [row.became for row in importing.rows(run)]
    assert became == [str(choir.pk), str(network.pk), str(network.pk)]


def test_a_list_is_brought_in_once(read, apply, network):
    run = read("Harbour Choir")
    apply(run)
    before = list(Organisation.objects.order_by("pk").values())

    with pytest.raises(refusals.AppliedAlready) as refused:
        apply(ImportRun.objects.get())
    with pytest.raises(refusals.AppliedAlready):
        importing.decide(run, {2: "new"})
    with pytest.raises(refusals.AppliedAlready):
        importing.decide_rest(run, "new")

    assert "was brought in already" in str(refused.value)
    assert list(Organisation.objects.order_by("pk").values()) == before
    assert Entry.objects.count() == 1


def test_the_same_list_again_adds_nothing(read, apply, network):
    lines = [
        "Harbour Choir,HC,MT",
        "Harbour Choirs,,MT",
        "Diaspora Netwrok,,ML",
        "Diaspora Network,,FR",
        "Diaspora Network,,UG",
        "Diaspora Network",
        "Diaspora Netwerk",
        "!!!",
    ]
    first = read(*lines)
    importing.decide(
        first, {3: "line:2", 4: str(network.pk), 5: "new", 6: "new", 7: "new", 8: "new"}
    )
    apply(first)
    before = list(Organisation.objects.order_by("pk").values())

    second = read(*lines)

    assert second.counts == {"new": 0, "known": 7, "near": 0, "wrong": 1}
    apply(second)
    assert list(Organisation.objects.order_by("pk").values()) == before
    assert second.counts["created"] == second.counts["joined"] == 0


def test_what_nobody_decided_stays_out_the_second_time_too(read, apply, network):
    for _time in range(2):
        run = read("Diaspora Netwrok,,ML")
        apply(run)

        assert outcomes(run) == [(2, "undecided")]
    assert Organisation.objects.count() == 1


def test_what_was_entered_meanwhile_is_not_entered_again(read, apply, clara, now):
    run = read("Harbour Choir,,MT", "Lone Star,,FR")
    membership.found(Organisation(name="Harbour Choir Ltd", country="MT"), by=clara, now=now)

    apply(run)

    assert outcomes(run) == [(2, "known"), (3, "created")]
    assert [name for name, *_facts in entered()] == ["Harbour Choir Ltd", "Lone Star"]


def test_one_that_is_gone_meanwhile_takes_nothing(read, apply, network):
    run = read("Diaspora Netwrok,,ML")
    importing.decide(run, {2: str(network.pk)})
    network.delete()

    apply(run)

    assert outcomes(run) == [(2, "undecided")]
    assert entered() == []


def test_a_list_asks_as_much_for_many_rows_as_for_few(read, apply):
    def queries(lines: list[str]) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as reading:
            run = read(*lines, headings="name")
        importing.decide_rest(run, "new")
        with CaptureQueriesContext(connection) as applying:
            apply(run)
        return len(reading), len(applying)

    few = queries(names.invented(5, seed=1))
    many = queries(names.invented(400, seed=2))

    # Reading: all organisations, the list itself.
    # Applying: savepoint, the list, the lock, all organisations, those chosen, the new ones, the
    # list, the entry, release; and the list once more.
    assert few == many == (2, 9)


# At once


@pytest.mark.django_db(transaction=True)
def test_two_lists_at_once_make_no_doubles(at_once, read, clara, now):
    runs = [read("Harbour Choir,,MT", "Lone Star"), read("Lone Star", "Harbour Choir,,MT")]

    results = at_once(*(lambda run=run: importing.apply(run, by=clara, now=now) for run in runs))

    assert results == [None, None]
    assert [name for name, *_facts in entered()] == ["Harbour Choir", "Lone Star"]
    created = sorted(ImportRun.objects.get(pk=run.pk).counts["created"] for run in runs)
    assert created == [0, 2]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_would(at_once, meeting, read, clara, now, monkeypatch):
    monkeypatch.setattr(OrganisationQuerySet, "hold_names", lambda self: None)
    standing = importing._standing

    def read_and_wait() -> list:
        found = standing()
        meeting()
        return found

    runs = [read("Harbour Choir,,MT"), read("Harbour Choir,,MT")]
    monkeypatch.setattr(importing, "_standing", read_and_wait)

    at_once(*(lambda run=run: importing.apply(run, by=clara, now=now) for run in runs))

    assert [name for name, *_facts in entered()] == ["Harbour Choir", "Harbour Choir"]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_bring_a_list_in_once(at_once, read, clara, now):
    run = read("Harbour Choir,,MT")

    results = at_once(*[lambda: importing.apply(run, by=clara, now=now)] * 2)

    assert sorted(type(result).__name__ for result in results) == ["AppliedAlready", "NoneType"]
    assert [name for name, *_facts in entered()] == ["Harbour Choir"]


@pytest.fixture
def slow_founder(meeting, monkeypatch) -> threading.Event:
    """Whoever enters an organisation looks for its twin, and then waits for a list to come."""
    looked = threading.Event()
    twin = membership._twin

    def look_and_wait(organisation: Organisation) -> Organisation | None:
        found = twin(organisation)
        looked.set()
        meeting()
        return found

    monkeypatch.setattr(membership, "_twin", look_and_wait)
    return looked


def found_and_import(at_once, meeting, run, looked, clara, now) -> list:
    def bring_in() -> None:
        looked.wait(20)
        importing.apply(run, by=clara, now=now)
        meeting()

    choir = Organisation(name="Harbour Choir", country="MT")
    return at_once(lambda: membership.found(choir, by=clara, now=now) and None, bring_in)


@pytest.mark.django_db(transaction=True)
def test_a_list_waits_for_whoever_enters_the_same_name(
    at_once, meeting, read, slow_founder, clara, now
):
    run = read("Harbour Choir,,MT")

    assert found_and_import(at_once, meeting, run, slow_founder, clara, now) == [None, None]

    assert [name for name, *_facts in entered()] == ["Harbour Choir"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_would_not(
    at_once, meeting, read, slow_founder, clara, now, monkeypatch
):
    monkeypatch.setattr(OrganisationQuerySet, "hold_names", lambda self: None)
    run = read("Harbour Choir,,MT")

    found_and_import(at_once, meeting, run, slow_founder, clara, now)

    assert [name for name, *_facts in entered()] == ["Harbour Choir", "Harbour Choir"]
