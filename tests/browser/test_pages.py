"""Every page as it is met: rules of accessibility, width, and a quiet console."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import Sink
from tests.browser.test_thin_line import HEARING, ORGANISER, sign_in

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

AMINA, BO = "amina@diaspora.example", "bo@ports.example"
PUBLIC = ["", "events/", HEARING.removeprefix("/en/"), "processes/gcm/", "accounts/login/"]
# Pairs, not all: each language, width and scheme meets each other once.
MANNERS = [("en", 1280, "dark"), ("en", 360, "light"), ("ar", 1280, "light"), ("ar", 360, "dark")]


def check(page: Page, address: str) -> list[str]:
    """What is wrong with the page at this address, in words."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(address)
    wrong = [] if answer.status == 200 else [f"{address}: status {answer.status}"]
    wrong += [f"{address}: {text}" for text in said]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        wrong.append(f"{address}: {wide} px wider than the window")
    for violation in Axe().run(page).response["violations"]:
        where = [node["target"] for node in violation["nodes"]]
        wrong.append(f"{address}: {violation['id']} at {where}")
    return wrong


def own_registration(page: Page, language: str) -> str:
    """The address of the signed-in person's only registration."""
    page.goto(f"/{language}/registrations/")
    link = page.locator("main a[href*='/registrations/GCM-']").first.get_attribute("href")
    return re.search(r"^.*?/registrations/GCM-\w{4}-\w{4}/", link).group()


@pytest.mark.parametrize(("language", "width", "scheme"), MANNERS)
def test_public_pages_hold(visitor: Visitor, language: str, width: int, scheme: str) -> None:
    context = visitor(width, color_scheme=scheme)

    wrong = [
        fault for address in PUBLIC for fault in check(context.new_page(), f"/{language}/{address}")
    ]

    assert wrong == []
    assert {cookie["name"] for cookie in context.cookies()} <= {"csrftoken"}  # of the sign-in form


@pytest.mark.parametrize(("language", "width", "scheme"), MANNERS[1:3])
def test_pages_of_a_group_hold(
    visitor: Visitor, sink: Sink, language: str, width: int, scheme: str
) -> None:
    wrong = []
    for address, paths in (
        (AMINA, ["", "organisation/", "people/", "check/", "withdraw/"]),
        (BO, ["", "withdraw/"]),
    ):
        context = visitor(width, color_scheme=scheme)
        page = context.new_page()
        page.goto("/en/accounts/login/")
        sign_in(page, address, sink)
        page.wait_for_url("**/registrations/")
        own = own_registration(page, language)
        for path in [own + path for path in paths] + [f"/{language}/accounts/me/"]:
            wrong += check(context.new_page(), path)

    assert wrong == []


def test_pages_of_an_organiser_hold(visitor: Visitor, sink: Sink) -> None:
    context = visitor(1280)
    page = context.new_page()
    page.goto("/admin/")
    sign_in(page, ORGANISER, sink)
    page.wait_for_url("**/admin/")

    wrong = [
        fault
        for path in (
            "/admin/",
            "/admin/registrations/delegate/",
            "/admin/registrations/registration/",
            "/admin/events/event/",
            "/admin/events/deadline/",
            "/admin/notifications/letter/",
            "/admin/audit/entry/",
        )
        for fault in check(context.new_page(), path)
    ]

    assert wrong == []
