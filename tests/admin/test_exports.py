"""Exporting the attendee list: what is shown leaves, by whom it may, and is remembered first."""

import csv
import html
import io
import re

import openpyxl
import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import roles
from events.models import Event
from registrations.admin import exporting
from registrations.models import Delegate
from stakeholders.models import Representative
from tests.admin.test_pages import INLINE
from tests.conftest import signed_in

LIST = reverse("admin:registrations_delegate_changelist")
EXPORT = reverse("admin:registrations_delegate_export")


@pytest.fixture
def everybody(sent, sent_by_bo):
    """Three of Diaspora Network and one of Port Workers, at the hearing."""
    return sent.event


@pytest.fixture
def organiser(now):
    def organiser(kind: str, on) -> User:
        user = User.objects.create_user("eva@secretariat.example", name="Eva")
        roles.grant(user, on=on, kind=kind, by=None, now=now)
        return user

    return organiser


def take(client, query: str = "", kind: str = "CSV"):
    return client.post(f"{EXPORT}?{query}", {"confirm": "yes", "kind": kind})


def rows(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def entries() -> list[tuple]:
    found = Entry.objects.filter(verb="attendee list exported").order_by("id")
    return [(entry.actor.email, entry.scope, entry.after) for entry in found]


def test_the_page_before_says_how_many_and_which_columns(clara_in, everybody):
    page = clara_in.get(f"{EXPORT}?state=submitted&q=network&columns=name,email,sent")

    assert page.context["lead"] == "The file holds 3 people."
    assert page.context["headings"] == ["Name", "Sent (New York time)", "Email address"]
    assert page.context["chips"] == ["State: Waits for a decision", "Search: network"]
    assert page.context["events"] == [(everybody, 3)]
    assert "The history of each event remembers" in page.content.decode()
    assert INLINE.findall(page.content.decode()) == []
    assert entries() == []


def test_the_file_holds_what_the_list_shows_in_its_order(clara_in, everybody):
    columns = "columns=name,organisation,role"
    listed = clara_in.get(f"{LIST}?{columns}&o=-2.1&state=submitted")

    response = take(clara_in, listed.context["export_url"].partition("?")[2])

    assert rows(response) == [
        ["Name", "Organisation", "Role"],
        ["Jun Reyes", "Port Workers", "Delegate"],
        ["Moussa Keïta", "Diaspora Network", "Delegate"],
        ["Fatoumata Sow", "Diaspora Network", "Asks to speak"],
        ["Aïssata Traoré", "Diaspora Network", "Head of delegation"],
    ]
    assert [str(one) for one in listed.context["cl"].result_list] == [
        "Jun Reyes",
        "Moussa Keïta",
        "Fatoumata Sow",
        "Aïssata Traoré",
    ]


def preset(page, title: str) -> dict:
    (found,) = [each for each in page.context["presets"] if each["title"] == title]
    return found


def test_for_a_purpose_its_columns_are_chosen_of_those_with_a_place(clara_in, everybody, sent):
    sent.delegates.filter(role="head").update(state="confirmed")
    before = clara_in.get(LIST).context["cl"].list_display
    page = clara_in.get(f"{EXPORT}?role=head&columns=name,sent&o=-2")
    assert [each["title"] for each in page.context["presets"]] == [
        "Security list",
        "Badges",
        "Name tents",
        "Access needs",
        "Statistics without names",
    ]
    assert [each["is_shown"] for each in page.context["presets"]] == [False] * 5

    badges = preset(page, "Badges")["url"]
    chosen = clara_in.get(f"{EXPORT}{badges}")

    assert preset(chosen, "Badges")["is_shown"]
    assert chosen.context["chips"] == ["State: Has a place", "Role: Head of delegation"]
    assert rows(take(clara_in, badges.removeprefix("?"))) == [
        ["Name", "Given names", "Family name", "Organisation", "Acronym", "Country", "Role"],
        [
            *("Aïssata Traoré", "Aïssata", "Traoré", "Diaspora Network", "DN", "Mali"),
            "Head of delegation",
        ],
    ]
    assert clara_in.get(LIST).context["cl"].list_display == before


def test_a_state_that_was_chosen_stays_chosen(clara_in, everybody):
    page = clara_in.get(f"{EXPORT}?state=submitted")

    shown = clara_in.get(EXPORT + preset(page, "Name tents")["url"])

    assert shown.context["chips"] == ["State: Waits for a decision"]
    assert shown.context["headings"] == ["Name", "Organisation", "Acronym", "Country"]


def test_a_reader_is_not_offered_access_needs(organiser, everybody):
    eva_in = signed_in(organiser("reader", everybody))

    page = eva_in.get(EXPORT)

    assert [str(each["title"]) for each in page.context["presets"]] == [
        "Security list",
        "Badges",
        "Name tents",
        "Statistics without names",
    ]


def test_a_file_is_named_after_its_event_and_day(clara_in, everybody, now):
    response = take(clara_in)

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = response.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="hearing-attendees-2')
    assert name.endswith('.csv"')


def test_a_spreadsheet_of_the_same(clara_in, everybody):
    response = take(clara_in, "columns=name,state&q=reyes", "XLSX")

    assert response.headers["Content-Disposition"].endswith('.xlsx"')
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert [[cell.value for cell in row] for row in book.active.iter_rows()] == [
        ["Name", "State"],
        ["Jun Reyes", "Waits for a decision"],
    ]


@pytest.mark.parametrize("kind", ["CSV", "XLSX"])
def test_it_is_remembered_before_the_first_byte_leaves(clara_in, clara, everybody, kind):
    take(clara_in, "columns=name,email&role=head", kind)

    assert entries() == [
        (
            clara.email,
            everybody.pk,
            {"people": 1, "columns": ["name", "email address"], "file": kind},
        )
    ]
    history = clara_in.get(reverse("admin:events_event_history", args=[everybody.pk]))
    assert "Attendee list exported" in history.content.decode()


def test_each_event_remembers_its_own_people(root_in, root, everybody, second_with_jun):
    take(root_in, "columns=name")

    assert {(who, scope, after["people"]) for who, scope, after in entries()} == {
        (root.email, everybody.pk, 4),
        (root.email, second_with_jun.pk, 1),
    }


@pytest.fixture
def second_with_jun(dina_in, sent_by_bo, now) -> Event:
    """Dina's hearing, to which Port Workers have sent Jun as well."""
    other = Event.objects.get(slug="other-hearing")
    jun = sent_by_bo.delegates.get()
    registration = sent_by_bo
    registration.pk, registration.event, registration.reference = None, other, "OTH-2222-2222"
    registration._state.adding = True
    registration.save()
    Delegate.objects.create(
        registration=registration, representative=jun.representative, state="submitted"
    )
    return other


def test_nobody_takes_what_is_not_theirs(clara_in, dina_in, everybody, second_with_jun):
    assert [row[0] for row in rows(take(dina_in, "columns=name,event"))] == ["Name", "Jun Reyes"]
    assert len(rows(take(clara_in, "columns=name"))) == 5
    foreign = f"registration__event__id__exact={second_with_jun.pk}"
    assert take(clara_in, foreign).status_code == 302
    assert clara_in.get(f"{EXPORT}?representative__email__contains=a").status_code == 400


def test_a_reader_takes_no_addresses_along(organiser, everybody, process):
    eva_in = signed_in(organiser("reader", process))

    found = rows(take(eva_in, "columns=name,email,access_needs"))

    assert found[0] == ["Name"]
    assert len(found) == 5


def test_the_door_takes_nothing(organiser, everybody, process):
    eva_in = signed_in(organiser("door", process))

    assert eva_in.get(EXPORT).status_code == 404
    assert take(eva_in).status_code == 404
    assert entries() == []


def test_who_looks_without_the_right_to_export_takes_nothing(
    organiser, everybody, process, monkeypatch
):
    from events import rights

    monkeypatch.setitem(rights.KINDS, "reader", frozenset({"arrivals", "look"}))
    eva_in = signed_in(organiser("reader", process))

    assert eva_in.get(LIST).context["export_url"] == ""
    assert take(eva_in).status_code == 404


def test_somebody_without_a_role_is_led_to_the_door(amina, everybody):
    assert signed_in(amina).get(EXPORT).status_code == 302


def test_a_list_of_nobody_is_no_file(clara_in, everybody):
    page = clara_in.get(f"{EXPORT}?q=nobody", follow=True)

    assert [str(message) for message in page.context["messages"]] == ["There is nobody to export."]


@pytest.mark.parametrize("query", ["state=x", "p=99", "q=%00", "columns=%00", "o=x", "since=x"])
def test_no_address_breaks_it(clara_in, everybody, query):
    assert clara_in.get(f"{EXPORT}?{query}").status_code in (200, 302)


def test_without_a_kind_of_file_the_page_comes_again(clara_in, everybody):
    response = clara_in.post(EXPORT, {"confirm": "yes", "kind": "EXE"})

    assert response.status_code == 200
    assert "kind" in response.context["form"].errors
    assert entries() == []


def test_an_arabic_organiser_gets_an_arabic_head(clara, clara_in, everybody):
    clara.language = "ar"
    clara.save()

    response = take(clara_in, "columns=name", "XLSX")

    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert book.active.sheet_view.rightToLeft


def test_exports_ask_as_much_for_many_as_for_few(clara_in, everybody, connection_queries):
    few = connection_queries(lambda: rows(take(clara_in)))
    group = everybody.registrations.first().organisation
    registration = everybody.registrations.first()
    for number in range(10):
        person = group.representatives.create(given_names=f"P{number}")
        Delegate.objects.create(registration=registration, representative=person, state="submitted")

    assert connection_queries(lambda: rows(take(clara_in))) == few


# On paper, and in numbers

STATISTICS = reverse("admin:registrations_delegate_statistics")


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


def test_the_list_goes_on_paper_as_it_is_shown_and_is_remembered(clara_in, clara, everybody):
    page = take(clara_in, "columns=name,email,sent&role=head", "paper")

    assert page.context["headings"] == ["Name", "Sent (New York time)", "Email address"]
    assert [row[0] for row in page.context["rows"]] == ["Aïssata Traoré"]
    assert "1 person · " in words(page)
    assert "Role: Head of delegation" in words(page)
    assert "<button" not in page.content.decode().partition("<main")[2]
    assert INLINE.findall(page.content.decode()) == []
    columns = ["name", "sent", "email address"]
    assert entries() == [
        (clara.email, everybody.pk, {"people": 1, "columns": columns, "file": "paper"})
    ]


def test_too_long_a_list_is_not_for_paper(clara_in, everybody, monkeypatch):
    monkeypatch.setattr(exporting, "MOST_ON_PAPER", 3)

    page = take(clara_in, "columns=name", "paper")

    assert page.context["form"].errors["kind"] == [
        "A page to print holds at most 3 people. Choose XLSX, or filter the list."
    ]
    assert entries() == []


def test_what_is_hostile_is_a_text_on_paper(clara_in, everybody):
    Representative.objects.update(given_names="<b>&", family_name="=1+1")

    page = take(clara_in, "columns=name,organisation", "paper")

    assert "<td><bdi>&lt;b&gt;&amp; =1+1</bdi></td>" in page.content.decode()


def test_statistics_hold_no_names_and_no_small_numbers(clara_in, clara, everybody):
    link = next(
        preset["url"]
        for preset in clara_in.get(f"{EXPORT}?state=submitted").context["presets"]
        if preset["title"] == "Statistics without names"
    )
    asked = clara_in.get(link)
    assert asked.context["chips"] == ["State: Waits for a decision"]
    assert "The file counts 4 people by state" in asked.context["lead"]
    assert "Numbers under 5 are held back" in asked.context["letters"]

    response = clara_in.post(link, {"confirm": "yes", "kind": "CSV"})

    assert "hearing-statistics-" in response["Content-Disposition"]
    found = rows(response)
    assert found[0] == ["Event", "Counted by", "Value", "Number", "Held back"]
    assert ["Mali", "", "yes"] in [row[2:] for row in found]
    assert [row[3] for row in found[1:] if row[3]] == []
    assert "Traor" not in str(found)
    assert [after["people"] for _who, _event, after in entries()] == [4]


def test_who_takes_no_files_takes_no_numbers(everybody, organiser):
    omar_in = signed_in(organiser("door", everybody))

    assert omar_in.get(STATISTICS).status_code == 404
    assert signed_in(User.objects.create_user("x@y.example")).get(STATISTICS).status_code == 302


@pytest.mark.parametrize("kind", ["EXE", "paper", ""])
def test_numbers_leave_as_a_file_only(clara_in, everybody, kind):
    page = clara_in.post(STATISTICS, {"confirm": "yes", "kind": kind})

    assert "kind" in page.context["form"].errors
    assert entries() == []
