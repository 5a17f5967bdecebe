"""The main job, played by people: a group registers, an organiser decides, a deadline moves."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import icalendar
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Sink, code_in, text_of

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

HEARING = "/en/events/live-multi-stakeholder-hearing-february-2018/"
ORGANISER, FATOU = "clara@secretariat.example", "fatou@kafo.example"
NEW_YORK = ZoneInfo("America/New_York")
PEOPLE = [("Fatou", "Keita"), ("Ибрагим", "Садыков"), ("نور", "")]


def sign_in(page: Page, address: str, sink: Sink) -> None:
    """Through the one door; the page may be any that has led to it."""
    seen = len(sink.to(address))
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Send me a code").click()
    code = page.get_by_label("Code")
    code.wait_for()
    code.fill(code_in(sink.next_to(address, seen)))
    page.get_by_role("button", name="Sign in").click()


def add(page: Page, given: str, family: str) -> None:
    page.get_by_label("Given names").fill(given)
    page.get_by_label("Family name").fill(family)
    page.get_by_role("button", name="Save and add another person").click()
    expect(page.get_by_role("status").first).to_contain_text(given)


def decide(page: Page, organisation: str, names: list[str], action: str) -> None:
    """Choose people in the attendee list, and go on to the page that says what will happen."""
    page.goto(f"/admin/registrations/delegate/?q={organisation}")
    for name in names:
        page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go").click()


def let_letters_leave(page: Page) -> None:
    """Those of the decision just taken, which would be held for five minutes."""
    page.get_by_role("link", name="Who, and which letters").click()
    page.get_by_role("button", name="Let the letters leave now").click()


def test_a_group_registers_and_an_organiser_decides(visitor: Visitor, sink: Sink) -> None:
    group = visitor().new_page()
    group.goto("/en/")
    group.get_by_role("link", name="Informal multi-stakeholder hearing: facts").first.click()
    group.get_by_role("link", name="Start registration").click()
    sign_in(group, FATOU, sink)

    group.get_by_label("Name of your organisation").fill("Kafo Migrant Women")
    group.get_by_label("Country").select_option(label="Mali")
    group.get_by_role("button", name="Continue").click()
    group.get_by_label("Which group describes you best?").select_option(index=1)
    group.get_by_role("button", name="Save and continue").click()

    for given, family in PEOPLE:
        add(group, given, family)
    group.get_by_role("link", name="Check and send").first.click()
    group.get_by_role("button", name="Send registration for 3 people").click()

    expect(group.get_by_text(re.compile(r"^GCM-[2-9A-Z]{4}-[2-9A-Z]{4}$"))).to_be_visible()
    reference = re.search(r"GCM-\w{4}-\w{4}", group.url).group()
    expect(group.get_by_text("Being checked", exact=True)).to_have_count(4)  # and the step
    assert reference in text_of(sink.next_to(FATOU, 1))

    organiser = visitor().new_page()
    organiser.goto("/admin/registrations/delegate/")
    sign_in(organiser, ORGANISER, sink)
    organiser.goto("/admin/registrations/delegate/?q=Kafo")
    expect(organiser.locator("#result_list tbody tr")).to_have_count(3)

    decide(organiser, "Kafo", ["Fatou Keita", "Ибрагим Садыков"], "Approve…")
    expect(organiser.get_by_text("This concerns 2 people")).to_be_visible()
    organiser.locator("button[name=confirm]").click()
    let_letters_leave(organiser)

    decide(organiser, "Kafo", ["نور"], "Decline with a reason…")
    organiser.locator("button[name=confirm]").click()
    expect(organiser.get_by_role("alert")).to_contain_text("reason")
    organiser.locator("textarea").fill("The delegation is limited to two people.")
    organiser.locator("button[name=confirm]").click()
    let_letters_leave(organiser)

    sink.next_to(FATOU, 3)
    code, received, approved, declined = map(text_of, sink.to(FATOU))
    assert re.search(r"^\s*[0-9A-Z]{6}\s*$", code, re.MULTILINE)
    assert all(reference in letter for letter in (received, approved, declined))
    assert ["Fatou Keita" in approved, "Ибрагим Садыков" in approved, "نور" in approved] == [
        True,
        True,
        False,
    ]
    assert ["Fatou Keita" in declined, "نور" in declined] == [False, True]
    assert "The delegation is limited to two people." in declined

    group.reload()
    people = group.get_by_role("region", name=re.compile("People"))
    expect(people.get_by_text("Approved", exact=True)).to_have_count(2)
    expect(people.get_by_text("Declined", exact=True)).to_have_count(1)
    assert len(sink.to(FATOU)) == 4


def test_a_deadline_moves_and_everything_agrees(
    visitor: Visitor, desk_of_clara: BrowserContext, portal: str
) -> None:
    tomorrow = datetime.now(NEW_YORK).date() + timedelta(days=1)
    closes_at = datetime.combine(
        tomorrow + timedelta(days=1), datetime.min.time(), NEW_YORK
    ).astimezone(ZoneInfo("UTC"))

    organiser = desk_of_clara.new_page()
    organiser.goto("/admin/events/deadline/?q=facts+and+narratives")
    organiser.locator("#result_list").get_by_role("link", name="Registration").first.click()
    organiser.get_by_role("link", name="Move the deadline").click()
    organiser.get_by_label("Date").fill(f"{tomorrow:%Y-%m-%d}")
    organiser.get_by_label("Time").fill("23:59")
    organiser.get_by_label("Reason").fill("The room was changed.")
    organiser.get_by_role("button", name="Show what will happen").click()
    organiser.get_by_role("button", name="Move the deadline").click()
    expect(organiser.get_by_role("region", name="Timeline")).to_contain_text(
        "The room was changed."
    )

    page = visitor().new_page()
    page.goto(HEARING)
    said = f"{tomorrow:%A} {tomorrow.day} {tomorrow:%B %Y}, 23:59"
    expect(page.get_by_role("complementary")).to_contain_text(said)
    expect(page.get_by_role("complementary")).to_contain_text("The room was changed.")

    calendar = icalendar.Calendar.from_ical(urlopen(f"{portal}{HEARING}calendar.ics").read())
    deadlines = [
        entry["DTSTART"].dt
        for entry in calendar.walk("VEVENT")
        if str(entry["SUMMARY"]).startswith("Registration closes")
    ]
    assert deadlines == [closes_at]
