"""Every page as it is met: rules of accessibility, width, and a quiet console."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import Sink
from tests.browser.test_thin_line import HEARING, ORGANISER, sign_in

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

AMINA, BO, TOMAS = "amina@diaspora.example", "bo@ports.example", "tomas@valley.example"
PUBLIC = [
    "",
    "help/",
    "accessibility/",
    "privacy/",
    "events/",
    "events/?q=forum&kind=forum&mode=online",
    "events/?q=nowhere",
    "events/?country=XX",
    "calendar/",
    "calendar/2018-02/",
    HEARING.removeprefix("/en/"),
    HEARING.removeprefix("/en/") + "check/",
    HEARING.removeprefix("/en/") + "check/?group=diaspora",
    HEARING.removeprefix("/en/") + "check/?group=none",
    HEARING.removeprefix("/en/") + "follow/",
    "events/live-gfmd-civil-society-days-applications-2018/",
    "events/multi-stakeholder-hearing-february-2018/",
    "processes/gcm/",
    "processes/gcm/follow/",
    "accounts/login/",
]
# Who has a letter with a link to a page that needs no account, and which page that is.
LINKED = [
    ("nadia@news.example", "follow/confirm"),
    ("harbour@union.example", "invitations"),
    ("harbour@union.example", "letters/stop"),
    ("ines@atlas.example", "confirm"),
]
# Pairs, not all: each language, width and scheme meets each other once.
MANNERS = [("en", 1280, "dark"), ("en", 360, "light"), ("ar", 1280, "light"), ("ar", 360, "dark")]


# What axe would load by itself it cannot in the frame of a letter, and says so in the console.
AXE = """async () => (await axe.run({resultTypes: ["violations"], preload: false})).violations.map(
  rule => rule.id + " at " + rule.nodes.map(node => node.target.join(" ")).join(", "))"""


@contextmanager
def listened_to(page: Page) -> Iterator[list[str]]:
    """What the console says meanwhile."""
    said: list[str] = []
    listeners = {
        "console": lambda message: said.append(message.text),
        "pageerror": lambda error: said.append(str(error)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield said
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    return [f"{wide} px wider than the window"] * (wide > 0) + page.evaluate(AXE)


def check(page: Page, address: str) -> list[str]:
    """What is wrong with the page at this address, in words."""
    with listened_to(page) as said:
        answer = page.goto(address)
        found = faults(page)
    wrong = [f"status {answer.status}"] * (answer.status != 200)
    return [f"{address}: {fault}" for fault in wrong + said + found]


def own_registration(page: Page, language: str) -> str:
    """The address of the signed-in person's only registration."""
    page.goto(f"/{language}/registrations/")
    link = page.locator("main a[href*='/registrations/GCM-']").first.get_attribute("href")
    return re.search(r"^.*?/registrations/GCM-\w{4}-\w{4}/", link).group()


def linked(page: Page, address: str, place: str) -> str:
    """The link to such a page in a letter of the demo mailbox, without its language."""
    page.goto(f"/demo/mailbox/?to={address}")
    letters = page.locator("main table a").evaluate_all("links => links.map(link => link.href)")
    for letter in letters:
        page.goto(letter)
        if link := re.search(rf"/en/({place}/[^/\s]{{40,}}/)", page.locator("main").inner_text()):
            return link.group(1)
    raise AssertionError(f"No letter to {address} links to {place}.")


@pytest.mark.parametrize(("language", "width", "scheme"), MANNERS)
def test_public_pages_hold(visitor: Visitor, language: str, width: int, scheme: str) -> None:
    context = visitor(width, color_scheme=scheme)

    wrong = [
        fault for address in PUBLIC for fault in check(context.new_page(), f"/{language}/{address}")
    ]

    assert wrong == []
    assert {cookie["name"] for cookie in context.cookies()} <= {"csrftoken"}  # of the sign-in form


@pytest.mark.parametrize(("language", "width", "scheme"), MANNERS[1:3])
def test_pages_behind_the_links_in_letters_hold(
    visitor: Visitor, language: str, width: int, scheme: str
) -> None:
    context = visitor(width, color_scheme=scheme)
    page = context.new_page()
    links = [linked(page, address, place) for address, place in LINKED]
    links += [links[0].replace("/confirm/", "/stop/")]

    wrong = [fault for link in links for fault in check(context.new_page(), f"/{language}/{link}")]

    assert wrong == []
    page.goto(f"/{language}/{links[1]}")
    assert page.locator(".nav [aria-current]").count() == 0  # nobody is at “My registrations”


@pytest.mark.parametrize(("language", "width", "scheme"), MANNERS[1:3])
def test_pages_of_a_group_hold(
    visitor: Visitor, sink: Sink, language: str, width: int, scheme: str
) -> None:
    wrong = []
    for address, paths in (
        (AMINA, ["", "organisation/", "people/", "check/", "withdraw/"]),
        (BO, ["", "withdraw/"]),
        (TOMAS, ["", "{person}", "{person}replace/", "{person}withdraw/"]),
    ):
        context = visitor(width, color_scheme=scheme)
        page = context.new_page()
        page.goto("/en/accounts/login/")
        sign_in(page, address, sink)
        page.wait_for_url("**/registrations/")
        own = own_registration(page, language)
        page.goto(own)
        people = page.locator(f"main a[href^='{own}people/']")
        person = people.first.get_attribute("href") if people.count() else ""
        person = person.partition("#")[0].removeprefix(own)
        paths = [own + path.format(person=person) for path in paths]
        for path in [*paths, f"/{language}/accounts/me/"]:
            wrong += check(context.new_page(), path)

    assert wrong == []


def test_pages_of_an_organiser_hold(visitor: Visitor, sink: Sink) -> None:
    at_a_desk = visitor(1280)
    page = at_a_desk.new_page()
    page.goto("/admin/")
    sign_in(page, ORGANISER, sink)
    page.wait_for_url("**/admin/")
    event, deadline, letter, delegation = (
        first_of(page, path)
        for path in (
            "/admin/events/event/?q=facts+and+narratives",
            "/admin/events/deadline/?q=facts+and+narratives",
            "/admin/notifications/letter/?q=harbour",
            "/admin/registrations/registration/",
        )
    )
    brought = an_import(page, event)
    message = a_message(page, event)
    organisation = first_of(page, "/admin/stakeholders/organisation/")
    person = first_of(page, "/admin/stakeholders/representative/")
    asked = a_question(page, event)
    on_a_phone = visitor(360, color_scheme="dark", storage_state=at_a_desk.storage_state())
    lists = [
        "/admin/",
        "/admin/registrations/delegate/",
        "/admin/registrations/delegate/views/",
        "/admin/registrations/registration/",
        "/admin/registrations/invitation/",
        "/admin/registrations/exemption/",
        "/admin/registrations/importrun/",
        "/admin/registrations/message/",
        "/admin/events/event/",
        "/admin/events/deadline/",
        "/admin/notifications/letter/",
        "/admin/audit/entry/",
        "/admin/stakeholders/organisation/",
    ]
    own = [
        f"{event}overview/",
        f"{event}queue/?status=all",
        f"{event}queue/?status=approved&q=port&case={case_of(page, event)}",
        "/admin/registrations/delegate/views/keep/?state=submitted",
        "/admin/registrations/delegate/export/statistics/",
        f"{event}seats/",
        f"{event}reminders/",
        f"{event}questions/",
        f"{event}questions/add/",
        asked,
        f"{asked}retire/",
        f"{asked}add/",
        f"{event}invite/",
        f"{event}let_in/",
        f"{event}import_people/",
        f"{brought}columns/",
        f"{brought}look/",
        f"{brought}look/?show=wrong",
        f"{brought}bring_in/",
        f"{brought}take_back/",
        f"{event}write/?state=approved",
        *(f"{message}{word}/" for word in ("look", "words", "try_out", "send", "stop")),
        "/admin/stakeholders/organisation/alike/",
        f"{organisation}merge/",
        f"{organisation}people_alike/",
        f"{organisation}history/",
        f"{person}merge/",
        f"{deadline}change/",
        f"{deadline}add_step/",
        f"{deadline}letters/",
        f"{letter}change/",
        f"{delegation}change/",
        f"{delegation}note/",
        f"{delegation}assign/",
        f"{delegation}tags/",
    ]

    wrong = [
        fault
        for context, paths in ((at_a_desk, lists + own), (on_a_phone, own))
        for path in paths
        for fault in check(context.new_page(), path)
    ]

    assert wrong == []


def case_of(page: Page, event: str) -> str:
    """The reference of a delegation in the review queue."""
    page.goto(f"{event}queue/?status=approved&q=port")
    link = page.locator("#rows tbody th a").first.get_attribute("href")
    return re.search(r"GCM-\w{4}-\w{4}", link).group()


def an_import(page: Page, event: str) -> str:
    """Where the pages about a list of people begin, which is pasted and looked at."""
    page.goto(f"{event}import_people/")
    rows = ["organisation,country,category,given names,role"]
    rows += ["Choir of Gozo,MT,diaspora,Kim,", "Choir of Gozo,MT,diaspora,Lee,pilot"]
    page.fill("[name=rows]", "\n".join(rows))
    page.click("[name=confirm]")
    page.wait_for_url("**/columns/")
    for choice in page.locator("select").all():
        if choice.input_value() == "":
            choice.select_option(index=1)
    for choice in page.locator("input[name=track]").all()[:1]:
        choice.check()
    page.click("[name=confirm]")
    page.wait_for_url("**/look/")
    return page.url.partition("look/")[0]


def a_message(page: Page, event: str) -> str:
    """Where the pages about a letter begin, which is written here."""
    page.goto(f"{event}write/")
    page.fill("[name=subject_en]", "Before you travel")
    page.fill("[name=text_en]", "Dear {name},\n\nthe room of {organisation} has changed.")
    page.click("[name=confirm]")
    page.wait_for_url("**/look/")
    return page.url.partition("look/")[0]


def a_question(page: Page, event: str) -> str:
    """The address of one that is asked of each person, and need not be answered."""
    page.goto(f"{event}questions/add/")
    page.fill("[name=wording_en]", "What do you eat?")
    page.fill("[name=choices]", "Everything\nNo meat")
    page.select_option("[name=kind]", "choice")
    page.click("[name=confirm]")
    page.wait_for_url("**/questions/")
    return page.locator("table tbody th a").first.get_attribute("href")


def first_of(page: Page, path: str) -> str:
    """Where the pages about the first row of an admin list begin."""
    page.goto(path)
    first = page.locator("#result_list tbody th a").first
    return first.get_attribute("href").partition("change/")[0]
