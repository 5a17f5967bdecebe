"""The review queue by its keys alone, and without them."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ROOT
from tests.browser.test_pages import faults, listened_to

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

MAKE = """
import clock
from datetime import timedelta
from accounts.models import User
from events.models import Event
from tests.conftest import signed_in
from tests.registrations import crowd
live = Event.objects.filter(process__slug="gcm-live", state="published", registrations=None)
event = live.order_by("slug").first()
crowd.sent(event, 60, now=clock.now() - timedelta(days=2), people=2, name="Queue")
clara = User.objects.get(email="clara@secretariat.example")
print(event.pk, signed_in(clara).cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def queue(portal_environment: dict[str, str]) -> tuple[str, str]:
    """The address of a queue in which sixty groups wait for a decision, and Clara's session."""
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKE],
        cwd=ROOT,
        env=portal_environment,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    event, session = made.stdout.split()[-2:]
    return f"/admin/events/event/{event}/queue/?q=queue", session


@pytest.fixture
def desk(visitor: Visitor, queue: tuple[str, str], portal: str) -> Page:
    """It is open before Clara."""
    address, session = queue
    context = visitor()
    context.add_cookies([{"name": "sessionid", "value": session, "url": portal}])
    page = context.new_page()
    page.goto(address)
    return page


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.innerText")


def row(page: Page, number: int) -> str:
    return page.locator("#rows tbody th a").nth(number).inner_text()


def total(page: Page) -> int:
    return int(page.locator("#list-title").inner_text().split()[0])


def test_clear_cases_are_approved_by_keys_alone(desk: Page) -> None:
    before, done, began = total(desk), 5, time.monotonic()
    with listened_to(desk) as said:
        desk.keyboard.press("j")
        assert focused(desk) == row(desk, 0)
        for _case in range(done):
            name = focused(desk)
            desk.keyboard.press("a")
            desk.wait_for_selector(".confirm button[name=confirm]")
            expect(desk.locator(".confirm")).to_contain_text(name)
            desk.keyboard.press("Enter")
            desk.wait_for_selector("#rows")
            assert focused(desk) == row(desk, 0) != name

    assert said == []
    assert total(desk) == before - done
    assert (time.monotonic() - began) / done < 180 / 50


def test_keys_move_choose_and_open_the_pages_of_each_decision(desk: Page) -> None:
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        desk.keyboard.press(key)
        assert focused(desk) == row(desk, at)
    for key, words in (("d", "Decline with a reason"), ("q", "Ask a question")):
        first, second = row(desk, 0), row(desk, 1)
        desk.locator("#rows tbody th a").nth(1).focus()
        desk.keyboard.press("x")
        desk.keyboard.press("k")
        desk.keyboard.press("x")
        expect(desk.locator("[data-chosen]")).to_have_text("2")
        desk.keyboard.press(key)
        expect(desk.locator("h1")).to_have_text(words)
        expect(desk.locator(".confirm")).to_contain_text(first)
        expect(desk.locator(".confirm")).to_contain_text(second)
        assert desk.evaluate("document.activeElement.tagName") == "TEXTAREA"
        desk.get_by_role("link", name="Cancel").click()
        desk.wait_for_selector("#rows")


def test_the_case_that_is_open_is_decided_as_it_is_ticked(desk: Page) -> None:
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("#case")
    people = desk.locator("#case .people li")
    kept, left = (people.nth(at).locator("a").inner_text() for at in (0, 1))
    people.nth(1).get_by_role("checkbox").uncheck()
    desk.keyboard.press("a")

    expect(desk.locator(".confirm .panel").first).to_contain_text(kept)
    expect(desk.locator(".confirm .panel").first).not_to_contain_text(left)


def test_keys_do_nothing_in_fields_with_others_or_when_they_are_off(desk: Page) -> None:
    here = desk.url
    search = desk.get_by_role("searchbox")
    search.click()
    desk.keyboard.type("axdjz?")
    assert search.input_value() == "queueaxdjz?"
    assert (desk.url, desk.locator("#rows :checked").count()) == (here, 0)

    desk.locator("#rows tbody th a").first.focus()
    desk.keyboard.press("Control+x")
    desk.keyboard.press("Alt+x")
    assert desk.locator("#rows :checked").count() == 0

    desk.get_by_role("button", name="Turn off single keys").click()
    expect(desk.get_by_text("Single keys are off, in this browser.")).to_be_visible()
    desk.reload()
    desk.locator("#rows tbody th a").first.focus()
    for key in "jxadq?":
        desk.keyboard.press(key)
    assert focused(desk) == row(desk, 0)
    assert (desk.url, desk.locator("#rows :checked").count()) == (here, 0)

    desk.get_by_role("button", name="Turn on single keys").click()
    desk.locator("#rows tbody th a").first.focus()
    desk.keyboard.press("x")
    assert desk.locator("#rows :checked").count() == 1


def test_help_tells_the_keys(desk: Page) -> None:
    desk.keyboard.press("?")

    expect(desk.locator("#keys")).to_contain_text("next and previous delegation")
    assert desk.locator("#keys").get_attribute("open") is not None
    assert focused(desk) == "Keys of this page"


def test_a_key_undoes_what_was_just_decided(desk: Page) -> None:
    before = total(desk)
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    desk.wait_for_selector(".confirm button[name=confirm]")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("[data-undo]")
    assert total(desk) == before - 1
    with desk.expect_navigation():
        desk.keyboard.press("z")

    assert total(desk) == before


def test_without_script_several_are_decided_by_buttons(visitor: Visitor, desk: Page) -> None:
    plain = visitor(java_script_enabled=False, storage_state=desk.context.storage_state())
    page = plain.new_page()
    page.goto(desk.url)
    before = total(page)
    for number in range(2):
        page.locator("#rows tbody input[type=checkbox]").nth(number).check()
    page.locator("#rows .bulk").get_by_role("button", name="Decline with a reason").click()
    page.get_by_label("Reason").fill("The list is full.")
    page.get_by_role("button", name="Decline").click()

    expect(page.get_by_text("4 people are declined.")).to_be_visible()
    assert total(page) == before - 2
    assert page.get_by_role("button", name="single keys").count() == 0


def test_the_queue_holds_with_a_case_open(visitor: Visitor, desk: Page) -> None:
    desk.keyboard.press("j")
    case = desk.evaluate("document.activeElement.href").partition("#")[0]
    wrong = []
    for width, scheme in ((1280, "dark"), (360, "light")):
        page = visitor(
            width, color_scheme=scheme, storage_state=desk.context.storage_state()
        ).new_page()
        with listened_to(page) as said:
            page.goto(case)
            page.keyboard.press("?")
            wrong += said + faults(page)

    assert wrong == []
