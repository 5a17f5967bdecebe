"""Every page in every state, light and dark, wide and narrow, in three languages.

`make test` plays a share of it, `make browser` all.
"""

from dataclasses import dataclass
from itertools import product
from urllib.parse import urlsplit

import pytest
from django.template.loader import render_to_string
from django.utils.translation import gettext, override
from playwright.sync_api import Page, Route

from gcm_portal.middleware import PAGE as AWAY
from tests.browser.conftest import ALL, Arrival, States
from tests.browser.test_pages import PUBLIC, faults, listened_to

pytestmark = pytest.mark.browser

LANGUAGES = ["en", "ar", "zh-hans"]
MANNERS = list(product([1280, 360, 320], ["light", "dark"]))
# In `make test`: one manner for each language, and one in so many places.
ONE_MANNER = {"en": (320, "dark"), "ar": (320, "light"), "zh-hans": (1280, "dark")}
OF_EVENTS, OF_FORMS = 3, 15
PEOPLE = ["anonymous", "zora", "mia", "new"]
BUTTON = "main form .btn"


@dataclass(frozen=True)
class Steps:
    """What is typed on the way from an address to a page that has no address of its own."""

    who: str
    path: str
    typed: tuple[dict[str, str], ...] = ({},)
    button: str = BUTTON
    is_wrong: bool = True


NOBODY = {"[name=email]": "nobody@"}
SOMEBODY = {"[name=email]": "somebody-{language}@nowhere.example"}
CODE = {"[name=code]": "222222"}
KNOWN = {"[name=name]": "Port Workers", "[name=country]": "PH"}
UNKNOWN = {"[name=name]": "Quite another thing", "[name=country]": "PH"}
START = "events/state-open/register/"
FORMS = [
    Steps("anonymous", "accounts/login/", (NOBODY,)),
    Steps("anonymous", "accounts/login/", (SOMEBODY,), is_wrong=False),
    Steps("anonymous", "accounts/login/", (SOMEBODY, CODE)),
    Steps("anonymous", "events/state-last/follow/"),
    Steps("anonymous", "events/state-last/follow/", (SOMEBODY,), is_wrong=False),
    Steps("new", START),
    Steps("new", START, (KNOWN,), is_wrong=False),
    Steps("new", START, (KNOWN, {})),
    Steps("new", START, (UNKNOWN,), is_wrong=False),
    Steps("new", START, (UNKNOWN, {})),
    Steps("zora", "{draft}people/", (NOBODY,), "[name=more]"),
    Steps("zora", "{draft}people/paste/", ({"[name=rows]": "Ana\tCosta\tana@"},), "[name=look]"),
    Steps("zora", "{draft}people/choose/", ({},), "main form[method=post] .btn"),
    Steps("zora", "{draft}organisation/", ({"[name=name]": ""},)),
    Steps("zora", "{person}", ({"[name=given_names]": ""},)),
    Steps("zora", "{ask}"),
    Steps("zora", "{approved}correct/"),
    Steps("zora", "{approved}replace/"),
    Steps("zora", "{asked}"),
    Steps("zora", "{group}", (NOBODY,)),
    Steps("zora", "{answer}"),
    Steps("zora", "organisations/find/"),
    Steps("zora", "organisations/find/", (KNOWN,), is_wrong=False),
    Steps("zora", "organisations/find/", (KNOWN, {})),
    Steps("zora", "organisations/find/", (UNKNOWN,), is_wrong=False),
    Steps("zora", "accounts/me/", is_wrong=False),
    Steps("zora", "accounts/address/", (NOBODY,)),
    Steps("zora", "accounts/address/", (SOMEBODY,), is_wrong=False),
    Steps("zora", "accounts/address/", (SOMEBODY, CODE)),
    Steps("zora", "accounts/factors/totp/activate/", (CODE,)),
]


def looked_at(page: Page, language: str) -> list[str]:
    """What is wrong with the page as it stands, in each manner."""
    wrong = []
    for width, scheme in MANNERS if ALL else [ONE_MANNER[language]]:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        wrong += [f"{width} px, {scheme}: {fault}" for fault in faults(page)]
    return wrong


def visited(page: Page, path: str, language: str, status: int = 200) -> list[str]:
    """What is wrong at this address. Chromium itself tells its console of a refusal."""
    address = f"/{language}/{path}"
    with listened_to(page) as said:
        answer = page.goto(address)
        wrong = looked_at(page, language)
    wrong += [
        text for text in said if f"the server responded with a status of {status}" not in text
    ]
    if (answer.status, urlsplit(page.url).path) != (status, urlsplit(address).path):
        wrong.append(f"status {answer.status} at {page.url}")
    return [f"{address}: {fault}" for fault in wrong]


def stepped(page: Page, steps: Steps, states: States, language: str) -> list[str]:
    """What is wrong with the page after these steps."""
    address = f"/{language}/{steps.path.format(**states.named)}"
    with listened_to(page) as said:
        page.goto(address)
        for typed in steps.typed:
            for field, value in typed.items():
                there = page.locator(f"main {field}")
                if there.evaluate("it => it.tagName") == "SELECT":
                    there.select_option(value)
                else:
                    there.fill(value.format(language=language))
            page.locator(steps.button).first.click()
            page.wait_for_load_state()
        wrong = looked_at(page, language) + said
    with override(language):
        begins = page.title().startswith(gettext("Error:"))
    is_told = page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    if (begins, is_told) != (steps.is_wrong, steps.is_wrong):
        wrong.append(f"title {page.title()!r}, focus on the summary: {is_told}")
    return [f"{address} {steps.typed}: {fault}" for fault in wrong]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PEOPLE if ALL else PEOPLE[:1])
def test_pages_hold_in_every_state(
    arrival: Arrival, states: States, who: str, language: str
) -> None:
    page = arrival(who)
    places = states.seen[who]
    if ALL and who == "anonymous":
        places = PUBLIC + places
    elif not ALL:
        events = [path for path in places if path.startswith("events/") and path.count("/") == 2]
        places = events[LANGUAGES.index(language) :: OF_EVENTS]

    wrong = [fault for path in places for fault in visited(page, path, language)]

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_follows_a_form_holds(arrival: Arrival, states: States, language: str) -> None:
    forms = FORMS if ALL else FORMS[LANGUAGES.index(language) :: OF_FORMS]

    wrong = [
        fault for steps in forms for fault in stepped(arrival(steps.who), steps, states, language)
    ]

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES if ALL else LANGUAGES[1:2])
def test_what_is_refused_holds(arrival: Arrival, states: States, language: str) -> None:
    page = arrival("zora")
    with override(language):
        broken = {500: render_to_string("500.html"), 503: AWAY.decode()}

    wrong = visited(page, "nowhere/", language, 404)
    wrong += visited(page, "accounts/reauthenticate/", language, 403)
    for path in states.seen["nothing"]:
        wrong += visited(page, path, language, 404)
    for status, body in broken.items():
        put_in_place(page, status, body)
        wrong += visited(page, f"{status}/", language, status)
    wrong += without_a_token(arrival("anonymous"), language)

    assert wrong == []


def put_in_place(page: Page, status: int, body: str) -> None:
    """What a portal answers that is broken; this one is not."""

    def answer(route: Route) -> None:
        route.fulfill(body=body, status=status, content_type="text/html; charset=utf-8")

    page.route(f"**/{status}/", answer)


def without_a_token(page: Page, language: str) -> list[str]:
    page.goto(f"/{language}/accounts/login/")
    page.context.clear_cookies()
    page.locator(BUTTON).first.click()
    page.wait_for_load_state()
    return [f"without a token: {fault}" for fault in looked_at(page, language)]
