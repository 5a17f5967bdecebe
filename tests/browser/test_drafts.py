"""What is typed is not lost: on a dead line, in another language, when a session ends."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as BrowserError

from tests.browser.conftest import Sink, wait_for
from tests.browser.test_thin_line import HEARING, sign_in

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

START = f"{HEARING}register/"
IDLE = 20_500


def begin(page: Page, address: str, sink: Sink) -> str:
    """A new group's draft: the address of the page of its people."""
    page.goto(START)
    sign_in(page, address, sink)
    page.get_by_label("Name of your organisation").fill(f"{address.split('@')[1]} Friends")
    page.get_by_label("Country").select_option("ML")
    enter(page)
    return page.url.split("#")[0]


def enter(page: Page) -> None:
    """From the name of an organisation that is new here to its people."""
    page.get_by_role("button", name="Continue").click()
    none_of_these = page.get_by_label("None of these: enter it as new")
    category = page.get_by_label("Which group describes you best?")
    expect(none_of_these.or_(category)).to_be_visible()
    if none_of_these.count():
        none_of_these.check()
        page.get_by_role("button", name="Continue").click()
    category.select_option(index=1)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(re.compile(r"/registrations/[^/]+/people/"))


def test_a_draft_saves_itself_and_says_so(visitor: Visitor, sink: Sink) -> None:
    context = visitor()
    page = context.new_page()
    page.clock.install()
    people = begin(page, "awa@kept.example", sink)
    page.goto(people)
    given, status = page.get_by_label("Given names"), page.locator("[data-saved]")

    given.fill("Awa")
    page.clock.fast_forward(IDLE)

    expect(status).to_have_text(re.compile(r"^Draft saved at \d\d:\d\d$"))
    expect(status).to_have_attribute("role", "status")
    expect(given).to_be_focused()

    context.set_offline(True)
    given.press_sequentially(" Marie")
    page.clock.fast_forward(IDLE)
    expect(status).to_have_text("Not saved yet: no connection. We try again.")
    expect(given).to_be_focused()

    context.set_offline(False)
    page.clock.fast_forward(IDLE)
    expect(status).to_have_text(re.compile(r"^Draft saved at \d\d:\d\d$"))
    other = context.new_page()
    other.goto(people)
    expect(other.get_by_label("Given names")).to_have_value("Awa Marie")


def test_a_hidden_page_saves_at_once(visitor: Visitor, sink: Sink) -> None:
    context = visitor()
    page = context.new_page()
    people = begin(page, "awa@hidden.example", sink)
    page.goto(people)
    page.get_by_label("Family name").fill("Diop")

    page.goto("/en/")

    other = context.new_page()
    family = other.get_by_label("Family name")
    wait_for(lambda: other.goto(people) and family.input_value() == "Diop", 10, "It was not saved.")


def test_a_session_that_ends_in_mid_form_loses_nothing(visitor: Visitor, sink: Sink) -> None:
    context = visitor()
    page = context.new_page()
    page.goto(begin(page, "awa@ended.example", sink))
    page.get_by_label("Given names").fill("Moussa")
    page.get_by_label("Access needs").fill("Large print\nand a chair")
    context.clear_cookies(name="sessionid")

    page.get_by_role("button", name="Save and add another person").click()
    expect(page.get_by_text("You were away for a while")).to_be_visible()
    sign_in(page, "awa@ended.example", sink)
    page.get_by_role("button", name="Send it now").click()

    expect(page.get_by_role("status")).to_contain_text(["Moussa is in your delegation.", ""])
    expect(page.get_by_label("Given names")).to_have_value("")
    page.get_by_role("link", name="Change Moussa").click()
    expect(page.get_by_label("Access needs")).to_have_value("Large print\nand a chair")


def test_a_dead_line_before_the_first_post_loses_nothing(visitor: Visitor, sink: Sink) -> None:
    context = visitor()
    page = context.new_page()
    page.goto(START)
    sign_in(page, "awa@dead.example", sink)
    name = page.get_by_label("Name of your organisation")
    name.fill("Dead Line Friends")
    page.get_by_label("Country").select_option("SN")
    context.set_offline(True)
    page.get_by_role("button", name="Continue").click()

    context.set_offline(False)
    for _time in range(3):
        try:
            page.goto(START)
            break
        except BrowserError:
            continue
    expect(name).to_have_value("Dead Line Friends")
    expect(page.get_by_label("Country")).to_have_value("SN")

    enter(page)
    assert page.evaluate("sessionStorage.length") == 0


def test_signing_out_leaves_nothing_in_the_tab(visitor: Visitor, sink: Sink) -> None:
    page = visitor().new_page()
    page.goto(START)
    sign_in(page, "awa@out.example", sink)
    page.get_by_label("Name of your organisation").fill("Left Behind")
    page.goto("/en/accounts/logout/")
    assert page.evaluate("sessionStorage.length") == 1

    page.locator("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "logout" not in url)

    assert page.evaluate("sessionStorage.length") == 0


def test_somebody_else_in_the_same_tab_is_shown_nothing(visitor: Visitor, sink: Sink) -> None:
    context = visitor()
    page = context.new_page()
    page.goto(START)
    sign_in(page, "awa@first.example", sink)
    page.get_by_label("Name of your organisation").fill("A secret of Awa")
    page.goto("/en/")
    context.clear_cookies()
    page.goto(START)
    sign_in(page, "eve@second.example", sink)

    expect(page.get_by_label("Name of your organisation")).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("with_script", [True, False])
def test_another_language_keeps_what_was_typed(
    visitor: Visitor, sink: Sink, with_script: bool
) -> None:
    context = visitor(java_script_enabled=with_script)
    page = context.new_page()
    address = f"awa@language{int(with_script)}.example"
    people = begin(page, address, sink)
    links = page.get_by_role("navigation", name="Language")
    buttons = page.locator("noscript")
    page.goto(people)
    page.get_by_label("Given names").fill("Moussa")
    page.get_by_label("Email address").fill("moussa@")

    if with_script:
        links.get_by_role("link", name="العربية").click()
    else:
        buttons.get_by_role("button", name="العربية").click()

    page.wait_for_url(re.compile(re.escape(people.replace("/en/", "/ar/"))))
    expect(page.locator("[name=given_names]")).to_have_value("Moussa")
    expect(page.locator("[name=email]")).to_have_value("moussa@")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")


def test_enter_sends_the_form_and_changes_no_language(visitor: Visitor, sink: Sink) -> None:
    page = visitor(java_script_enabled=False).new_page()
    page.goto(begin(page, "awa@enter.example", sink))
    page.get_by_label("Given names").fill("Moussa")

    page.get_by_label("Given names").press("Enter")

    expect(page.get_by_role("status").first).to_contain_text("Moussa is in your delegation.")
    expect(page.locator("html")).to_have_attribute("lang", "en")
