"""A list of people: looked at, brought in, taken back."""

import csv
import io
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from audit.models import Entry
from events import capacity
from events.models import Deadline, Event, Track
from notifications.models import Letter
from registrations import decisions, importing, intake, refusals, tasks, timeline, undoing
from registrations.models import Delegate, ImportRun, Registration
from stakeholders import membership
from stakeholders import refusals as list_refusals
from stakeholders.models import Organisation, Representative

LOOKS = 8
HEAD = ["Organisation", "Country", "Category", "First name", "Last name", "E-mail", "Role"]
GROUP = ["Riverside Fishers", "NE", "diaspora"]


def content(*rows, head=HEAD) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    return text.getvalue().encode()


@pytest.fixture
def bring(hearing, clara, now):
    def bring(*rows, head=HEAD, event=hearing) -> ImportRun:
        run = importing.read(event, "people.csv", content(*rows, head=head), by=clara, now=now)
        importing.choose(run, run.columns)
        return run

    return bring


@pytest.fixture
def apply(clara, now):
    def apply(run: ImportRun, **said) -> None:
        importing.apply(run, **{"by": clara, "now": now} | said)

    return apply


@pytest.fixture
def undo(clara, now):
    def undo(run: ImportRun, **said) -> None:
        undoing.undo(run, **{"by": clara, "now": now} | said)

    return undo


def fates(run: ImportRun) -> list[tuple[int, str]]:
    return [(row.line, row.fate) for row in importing.rows(run)]


def reasons(run: ImportRun) -> dict[int, str]:
    typed = importing.said(run)
    return {
        row.line: importing.reason(row, typed[row.line])
        for row in importing.rows(run)
        if row.fate != importing.COMES
    }


def everything() -> dict[str, int]:
    """How many rows each table has, but for the memory and the lists themselves."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model not in (Entry, ImportRun)
    }


# A whole spreadsheet


def faults() -> list[tuple[list[str], str]]:
    """Rows that do not come in, each with what is said of it."""
    new = ["Lake Readers", "TG", "academia"]
    known = ["Diaspora Network", "ML", ""]
    no_role = "is no role. Write one of these"
    return [
        (["", "ML", "diaspora", "Ana", "A", "", ""], "No organisation is named."),
        (["", "", "", "Ana", "B", "", ""], "No organisation is named."),
        (["…", "ML", "diaspora", "Ana", "C", "", ""], "has no letters"),
        (["x" * 256, "ML", "diaspora", "Ana", "D", "", ""], "longer than 255 characters"),
        (
            ["Delta Group", "Atlantis", "diaspora", "Ana", "E", "", ""],
            "“Atlantis” is not a country",
        ),
        (["Delta Group", "ML", "pirates", "Ana", "F", "", ""], "“pirates” is not a stakeholder"),
        (["Echo Group", "", "diaspora", "Ana", "G", "", ""], "country or the stakeholder group"),
        (["Foxtrot Group", "ML", "", "Ana", "H", "", ""], "country or the stakeholder group"),
        ([*new, "", "", "x@lake.example", ""], "Given names: Write at least one name."),
        ([*new, "y" * 256, "I", "", ""], "Given names: Ensure this value has at most 255"),
        ([*new, "Ana", "z" * 256, "", ""], "Family name: Ensure this value has at most 255"),
        ([*new, "Ana", "J", "ana at lake", ""], "This is not a whole email address."),
        ([*new, "Ana", "K", "ana@", ""], "This is not a whole email address."),
        ([*new, "Ana", "L", "", "pilot"], f"“pilot” {no_role}"),
        ([*new, "Ana", "M", "", "=1+1"], f"“=1+1” {no_role}"),
        ([*new, "Good", "Number 0", "", ""], "The same person stands in line 2 already."),
        ([*new, "good", "NUMBER 1", "", ""], "The same person stands in line 3 already."),
        ([*new, "Ana", "N", "", "head"], "Good Head leads this delegation already."),
        ([*known, "Aïssata", "Traoré", "aissata@diaspora.example", ""], "is in the delegation"),
        ([*known, "Moussa", "Keïta", "moussa@diaspora.example", ""], "is in the delegation"),
        (["Diaspora Netwrok", "ML", "diaspora", "Ana", "O", "", ""], "is like an organisation"),
        (["Port Workers", "PH", "", "Ana", "P", "", ""], "has begun a delegation itself"),
        (["Full House", "ML", "academia", "Ana", "Q", "", ""], "can send 40 people"),
        (["Full House", "ML", "academia", "Ana", "R", "", "speaker"], "can send 40 people"),
        (["Lake Readers", "TG", "diaspora", "Ana", "S", "", ""], "Line 2 names another"),
    ]


@pytest.fixture
def spreadsheet(hearing, sent, bo, port_workers, clara, now) -> tuple[bytes, dict[int, str]]:
    """200 rows, 25 of them with a fault; and what each of these is told."""
    hearing.cap = 40
    hearing.save(update_fields=["cap"])
    intake.begin(hearing, port_workers, by=bo, now=now)
    lake = ["Lake Readers", "TG", "academia"]
    good = [[*lake, "Good", "Number 0", "", ""], [*lake, "Good", "Number 1", "", ""]]
    good.append([*lake, "Good", "Head", "", "head"])
    good += [["Full House", "ML", "academia", f"Guest {n}", "Full", "", ""] for n in range(40)]
    good += [[*lake, f"Aide {n}", "Lake", "", "assistant"] for n in range(175 - len(good))]
    planted = faults()
    rows = [*good, *(row for row, _said in planted)]
    said = {len(good) + 2 + at: words for at, (_row, words) in enumerate(planted)}
    return content(*rows), said


def test_each_planted_fault_is_named_the_rest_comes_in_and_the_undo_leaves_nothing_behind(
    spreadsheet, hearing, clara, now, apply, undo
):
    file, said = spreadsheet
    before = everything()
    run = importing.read(hearing, "people.csv", file, by=clara, now=now)
    importing.choose(run, run.columns)

    told = reasons(run)
    assert (len(importing.rows(run)), len(said)) == (200, 25)
    assert told.keys() == said.keys()
    assert [line for line, words in said.items() if words not in told[line]] == []
    assert run.counts == {"comes": 175, "asks": 1, "wrong": 22, "there": 2}
    assert everything() == before

    apply(run)

    assert Delegate.objects.filter(state="submitted").count() == 3 + 175
    assert Letter.objects.count() == before["notifications.Letter"]

    undo(run)

    assert everything() == before
    assert run.stayed == []
    verbs = Entry.objects.filter(subject_id=run.pk).values_list("verb", flat=True)
    assert list(verbs) == ["list of people brought in", "list of people taken back"]


# Read


@pytest.mark.parametrize(
    ("head", "meant"),
    [
        (
            HEAD,
            ["organisation", "country", "category", "given_names", "family_name", "email", "role"],
        ),
        (
            ["Nom de l'organisation", "Pays", "Catégorie", "Prénom", "Nom", "Courriel", "Rôle"],
            ["organisation", "country", "category", "given_names", "family_name", "email", "role"],
        ),
        (
            ["Organización", "País", "Nombre", "Apellidos", "Correo", "Accesibilidad"],
            ["organisation", "country", "given_names", "family_name", "email", "access_needs"],
        ),
        (
            ["اسم المنظمة", "البلد", "الاسم الكامل", "البريد الإلكتروني"],
            ["organisation", "country", "given_names", "email"],
        ),
        (
            ["Организация", "Страна", "Имя", "Фамилия", "Почта"],
            ["organisation", "country", "given_names", "family_name", "email"],
        ),
        (
            ["机构名称", "国家", "名", "姓", "邮箱", "角色"],
            ["organisation", "country", "given_names", "family_name", "email", "role"],
        ),
        (["Name", "Affiliation", "Shoe size"], ["given_names", "organisation", ""]),
        (["Surname", "Organisation", "Organization"], ["given_names", "organisation", ""]),
        (["x", "", "y"], ["", "", ""]),
    ],
)
def test_columns_are_known_by_their_heads_in_six_languages(head, meant):
    assert importing.guess(head) == meant


def test_samples_are_the_first_three_that_differ(hearing, clara, now):
    file = content(["A"], ["A"], [""], ["B"], ["C"], ["D"], head=["Organisation"])

    run = importing.read(hearing, "x.csv", file, by=clara, now=now)

    assert importing.samples(run, 0) == ["A", "B", "C"]


def test_columns_must_say_who_comes_for_whom(hearing, clara, now):
    run = importing.read(hearing, "x.csv", content(["a", "b"], head=["x", "y"]), by=clara, now=now)

    with pytest.raises(refusals.ColumnMissing, match="holds this: Organisation, Given names"):
        importing.choose(run, ["", ""])

    importing.choose(run, ["organisation", "given_names"])
    assert importing.unread(run) == []


def test_a_column_that_is_ignored_is_said_and_comes_in_nowhere(bring):
    run = bring([*GROUP, "Sani", "red"], head=[*HEAD[:4], "Colour"])

    assert importing.unread(run) == ["Colour"]
    assert fates(run) == [(2, "comes")]


def test_a_list_without_rows_is_none(bring):
    with pytest.raises(list_refusals.NotATable, match="headings in this list, and no rows"):
        bring()


def test_a_list_that_is_too_long_is_refused(hearing, clara, now):
    with pytest.raises(list_refusals.TableTooLong, match="at most 20000 rows"):
        importing.read(hearing, "x", b"Organisation\n" + b"A\n" * 150_000, by=clara, now=now)


@pytest.mark.parametrize(
    ("state", "kind"), [("draft", refusals.NotTakingPlace), ("cancelled", refusals.NotTakingPlace)]
)
def test_nobody_is_brought_to_an_event_that_takes_nobody(hearing, bring, state, kind):
    Event.objects.filter(pk=hearing.pk).update(state=state)
    hearing.refresh_from_db()

    with pytest.raises(kind):
        bring([*GROUP, "Sani"])


def test_nobody_is_brought_before_the_window_opens(hearing, deadline, bring, now):
    Deadline.objects.filter(pk=deadline.pk).update(opens_at=now + timedelta(days=1))

    with pytest.raises(refusals.WindowNotOpen):
        bring([*GROUP, "Sani"], event=Event.objects.get(pk=hearing.pk))


def test_after_the_close_people_come_in_until_the_event_is_over(hearing, bring, apply, clara, now):
    late = now + timedelta(days=12)
    run = bring([*GROUP, "Sani"])

    apply(run, now=late)

    assert Registration.objects.get().sent_at == late
    with pytest.raises(refusals.HasBegun):
        importing.read(
            hearing, "x", content([*GROUP, "Ana"]), by=clara, now=now + timedelta(days=60)
        )


def test_groups_of_an_event_with_tracks_get_one(hearing, clara, now, apply):
    track = Track.objects.create(event=hearing, name_en="In person", position=1)
    run = importing.read(hearing, "x", content([*GROUP, "Sani"]), by=clara, now=now)
    with pytest.raises(refusals.TrackMissing):
        importing.choose(run, run.columns)

    importing.choose(run, run.columns, track=track)
    apply(run)

    assert Registration.objects.get().track == track


# Look


def test_people_of_a_delegation_that_is_there_join_it(sent, bring, apply):
    known = ["Diaspora Network", "ML", ""]
    run = bring([*known, "Awa", "Ba", "", "speaker"], [*known, "Moussa", "Keïta", "", ""])

    apply(run)

    assert list(sent.delegates.in_order().values_list("representative__family_name", "role")) == [
        ("Traoré", "head"),
        ("Keïta", "delegate"),
        ("Sow", "speaker"),
        ("Ba", "speaker"),
        ("Keïta", "delegate"),
    ]


def test_an_organisation_is_known_by_its_name_in_other_letters(diaspora_network, bring):
    run = bring(["DIASPORA network", "Mali", "", "Awa"], ["Diaspora Network", "", "", "Oumou"])

    assert [(row.fate, row.target) for row in importing.rows(run)] == [
        ("comes", str(diaspora_network.pk)),
        ("comes", str(diaspora_network.pk)),
    ]


def test_of_what_is_like_a_known_one_a_person_decides(diaspora_network, bring, apply):
    row = ["Diaspora Netwrok", "ML", "diaspora"]
    run = bring([*row, "Awa"], [*row, "Oumou"], ["Choir of Gozo", "MT", "diaspora", "Kim"])
    assert fates(run) == [(2, "asks"), (3, "asks"), (4, "comes")]
    assert [group.line for group in importing.undecided(run)] == [2]

    importing.decide(run, {2: str(diaspora_network.pk)})
    assert fates(run) == [(2, "comes"), (3, "comes"), (4, "comes")]
    importing.decide(run, {2: ""})
    assert fates(run) == [(2, "asks"), (3, "asks"), (4, "comes")]
    importing.decide(run, {2: "new"})
    apply(run)

    assert sorted(Organisation.objects.values_list("name", flat=True)) == [
        "Choir of Gozo",
        "Diaspora Network",
        "Diaspora Netwrok",
    ]


def test_a_row_may_be_the_same_as_an_earlier_one(bring, apply):
    run = bring([*GROUP, "Sani"], ["Riverside Fishrs", "NE", "", "Hadiza"])

    importing.decide(run, {3: "line:2"})
    apply(run)

    assert Registration.objects.get().delegates.count() == 2
    assert Organisation.objects.get().name == "Riverside Fishers"


@pytest.mark.parametrize("decided", [{2: "nonsense"}, {9: "new"}, {2: "skip"}, {3: "new"}])
def test_what_is_not_offered_is_not_decided(diaspora_network, bring, decided):
    run = bring(["Diaspora Netwrok", "ML", "diaspora", "Awa"], [*GROUP, "Sani"])

    with pytest.raises(list_refusals.NotOffered):
        importing.decide(run, decided)

    run.refresh_from_db()
    assert run.decisions == {}


def test_what_is_missing_of_a_known_organisation_is_kept_and_given_back(bring, apply, undo):
    known = Organisation.objects.create(name="Riverside Fishers")
    run = bring([*GROUP, "Sani"])

    apply(run)
    known.refresh_from_db()
    assert (known.country, known.category) == ("NE", "diaspora")

    undo(run)
    known.refresh_from_db()
    assert (known.country, known.category) == ("", "")


def test_a_group_that_has_withdrawn_is_left_alone(sent, amina, now, bring):
    intake.withdraw(sent, by=amina, now=now)

    run = bring(["Diaspora Network", "ML", "", "Awa"])

    assert reasons(run) == {2: f"The group has withdrawn its delegation: {sent.reference}."}


@pytest.mark.parametrize("rows", [3, 60])
def test_a_look_asks_as_often_for_many_rows_as_for_few(sent, bo, hearing, clara, now, rows):
    lines = [
        [f"Group {n} of {'abcdef'[n % 6] * 9}", "ML", "diaspora", "Kim", str(n)]
        for n in range(rows)
    ]
    lines += [["Diaspora Network", "ML", "", f"Awa {n}"] for n in range(rows)]
    run = importing.read(hearing, "x", content(*lines), by=clara, now=now)

    with CaptureQueriesContext(connection) as queries:
        importing.choose(run, run.columns)

    assert len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]) == LOOKS


# Bring in


def test_it_is_applied_once(bring, apply, clara):
    run = bring([*GROUP, "Sani"])
    apply(run)

    again = ImportRun.objects.get()
    with pytest.raises(refusals.ImportApplied, match="Nothing was done a second time"):
        apply(again)
    for act in (
        lambda: importing.choose(again, again.columns),
        lambda: importing.look_again(again),
    ):
        with pytest.raises(refusals.ImportApplied):
            act()
    assert Delegate.objects.count() == 1


def test_the_same_file_again_brings_nobody(bring, apply):
    apply(bring([*GROUP, "Sani", "Abdou"]))

    run = bring([*GROUP, "Sani", "Abdou"])

    assert reasons(run) == {2: "Sani Abdou is in the delegation already."}
    with pytest.raises(refusals.NobodyComesIn):
        apply(run)


def test_what_has_changed_since_somebody_looked_is_told_row_by_row(bring, apply, sent, amina, now):
    known = ["Diaspora Network", "ML", ""]
    run = bring([*known, "Awa", "Ba"], [*GROUP, "Sani"])
    intake.withdraw(sent, by=amina, now=now)

    with pytest.raises(refusals.ImportChanged, match="1 row has changed"):
        apply(run)
    assert not Registration.objects.exclude(pk=sent.pk).exists()

    assert importing.look_again(run) == 1
    assert [(row.line, row.was, row.fate) for row in importing.rows(run)] == [
        (2, "comes", "wrong"),
        (3, "", "comes"),
    ]
    apply(run)
    assert Registration.objects.exclude(pk=sent.pk).get().organisation.name == GROUP[0]


def test_nobody_is_written_to_unless_somebody_says_so(sent, bring, apply, now):
    Letter.objects.all().delete()
    known = ["Diaspora Network", "ML", ""]

    apply(bring([*known, "Awa"]))
    assert not Letter.objects.exists()

    apply(bring([*known, "Oumou"], [*GROUP, "Sani"]), writes=True)
    (letter,) = Letter.objects.all()
    assert (letter.to, letter.about) == ("amina@diaspora.example", sent.pk)
    assert "Oumou" in letter.text


def test_first_come_gives_seats_and_places_on_the_waiting_list(
    hearing, bring, apply, undo, clara, now
):
    capacity.change(hearing, admission="first_come", seats=2, cap=None, by=clara, now=now)
    run = bring([*GROUP, "A"], [*GROUP, "B"], [*GROUP, "C"], event=Event.objects.get(pk=hearing.pk))
    before = everything()

    apply(run)
    assert sorted(Delegate.objects.values_list("state", flat=True)) == [
        *("approved", "approved", "wait_listed")
    ]
    undo(run)

    assert (run.stayed, everything()) == ([], before)


def test_the_history_says_that_they_came_from_a_list(bring, apply, undo):
    run = bring([*GROUP, "Sani"], [*GROUP, "Hadiza"])
    apply(run)
    registration = Registration.objects.get()
    told = timeline.of(registration, [])
    assert [(one["what"], one["people"]) for one in told] == [
        ("People entered by the organisers, from a list", 2)
    ]
    undo(run)
    acts = Entry.objects.filter(subject_id=registration.pk).order_by("id")
    assert list(acts.values_list("verb", "after__people")) == [
        ("people entered from a list", 2),
        ("list taken back", 2),
    ]


def test_of_two_who_bring_it_in_at_once_the_second_is_told(
    at_once, meeting, monkeypatch, bring, apply
):
    run = bring([*GROUP, "Sani"])
    dawdle(monkeypatch, meeting)

    answers = at_once(lambda: apply(run), lambda: apply(ImportRun.objects.get()))

    assert sorted(map(repr, map(type, answers))) == sorted(
        map(repr, [type(None), refusals.ImportApplied])
    )
    assert Delegate.objects.count() == 1


def test_without_the_lock_both_would_bring_it_in(at_once, meeting, monkeypatch, bring, apply):
    """The race that is closed, opened again."""
    run = bring([*GROUP, "Sani"])
    monkeypatch.setattr(capacity, "hold", lambda event: Event.objects.get(pk=event.pk))
    monkeypatch.setattr(
        importing, "_held", lambda run: ImportRun.objects.select_related("event").get(pk=run.pk)
    )
    monkeypatch.setattr(type(Organisation.objects.all()), "hold_names", lambda self: None)
    dawdle(monkeypatch, meeting)

    answers = at_once(lambda: apply(run), lambda: apply(ImportRun.objects.get()))

    assert answers == [None, None]
    assert Delegate.objects.count() == 2


def dawdle(monkeypatch, meeting) -> None:
    """Each has looked before the other writes, unless a lock holds it."""
    differing = importing._Look.differing

    def slowly(*facts) -> list:
        found = differing(*facts)
        meeting()
        return found

    monkeypatch.setattr(importing._Look, "differing", slowly)


def test_who_registers_in_the_very_moment_is_not_doubled(
    diaspora_network, hearing, amina, now, bring, apply, monkeypatch
):
    """A draft takes no lock that the list takes too."""
    run = bring(["Diaspora Network", "ML", "", "Awa"])
    number = importing._references

    def meanwhile(*facts):
        intake.begin(hearing, diaspora_network, by=amina, now=now)
        return number(*facts)

    monkeypatch.setattr(importing, "_references", meanwhile)
    with pytest.raises(refusals.ImportCrossed):
        apply(run)

    assert not Delegate.objects.exists()


# Take back


def test_what_was_decided_or_claimed_since_stays_and_is_named(
    bring, apply, undo, clara, bo, hearing, now
):
    run = bring(
        [*GROUP, "Sani", "Abdou"],
        [*GROUP, "Hadiza", "Issa"],
        ["Choir of Gozo", "MT", "diaspora", "Kim", "Lee"],
        ["Readers of Togo", "TG", "academia", "Afi", "Mensah"],
    )
    apply(run)
    group, choir = (
        Registration.objects.get(organisation__name=name) for name in (GROUP[0], "Choir of Gozo")
    )
    sani = group.delegates.get(representative__given_names="Sani")
    decisions.approve(group, [sani], by=clara, now=now)
    membership.ask(choir.organisation, by=bo, now=now)

    foreseen = undoing.would_leave(run)
    undo(run)

    assert [list(each) for each in foreseen.stays] == run.stayed
    assert sorted(map(tuple, run.stayed)) == sorted(
        [
            ("Choir of Gozo", "claimed"),
            (GROUP[0], "claimed"),
            ("Sani Abdou", "decided"),
            (str(group), "people"),
        ]
    )
    assert [str(each) for each in Delegate.objects.all()] == ["Sani Abdou"]
    assert [str(each) for each in Representative.objects.all()] == ["Sani Abdou"]
    assert not Organisation.objects.filter(name="Readers of Togo").exists()


def test_letters_that_wait_are_cancelled(sent, bring, apply, undo, now):
    run = bring(["Diaspora Network", "ML", "", "Awa"])
    apply(run, writes=True, now=now + timedelta(minutes=1))
    (letter,) = undoing.letters_of(run)

    undo(run)

    letter.refresh_from_db()
    assert letter.state == "cancelled"
    assert sent.delegates.count() == 3


def test_it_is_taken_back_within_a_day_and_once(bring, apply, undo, now):
    run = bring([*GROUP, "Sani"])
    with pytest.raises(refusals.CannotUndo, match="was not brought in"):
        undo(run)
    apply(run)
    with pytest.raises(refusals.CannotUndo, match="could be taken back until"):
        undo(run, now=now + timedelta(hours=24))
    undo(run, now=now + timedelta(hours=24, seconds=-1))
    with pytest.raises(refusals.CannotUndo, match="taken back already"):
        undo(run)


def test_of_two_who_take_it_back_at_once_the_second_is_told(
    at_once, meeting, monkeypatch, bring, apply, undo
):
    run = bring([*GROUP, "Sani"])
    apply(run)
    look = undoing.would_leave

    def slowly(*facts, **said):
        found = look(*facts, **said)
        meeting()
        return found

    monkeypatch.setattr(undoing, "would_leave", slowly)
    answers = at_once(lambda: undo(run), lambda: undo(ImportRun.objects.get()))

    assert {type(each) for each in answers} == {type(None), refusals.CannotUndo}
    assert Entry.objects.filter(verb="list of people taken back").count() == 1


def test_a_seat_that_comes_free_goes_to_whoever_waits(
    hearing, bring, apply, undo, sent, clara, now
):
    capacity.change(hearing, admission="first_come", seats=1, cap=None, by=clara, now=now)
    event = Event.objects.get(pk=hearing.pk)
    first = bring([*GROUP, "Sani"], event=event)
    apply(first)
    apply(bring(["Choir of Gozo", "MT", "diaspora", "Kim"], event=event))

    undo(first)

    kim = Delegate.objects.get(representative__given_names="Kim")
    assert kim.state == "approved"


# Forget


def test_lists_are_forgotten_when_they_are_of_no_use_any_more(bring, apply, now):
    unused, used = bring([*GROUP, "Awa"]), bring([*GROUP, "Sani"])
    apply(used)

    undoing.forget_due(now=now + timedelta(hours=23))
    assert ImportRun.objects.count() == 2
    for _time in range(2):
        undoing.forget_due(now=now + timedelta(hours=24))

    (kept,) = ImportRun.objects.all()
    assert (kept.pk, kept.table, kept.rows, kept.brought) == (used.pk, {}, [], {})
    assert kept.counts["comes"] == 1
    assert not ImportRun.objects.filter(pk=unused.pk).exists()
    tasks.forget_imports()


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_column_is_known_by_what_the_portal_calls_it(language):
    with translation.override(language):
        headings = [str(said) for said in importing.MEANINGS.values()]

    assert importing.guess(headings) == list(importing.MEANINGS)
