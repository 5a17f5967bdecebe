"""One whole registration, as a person with a browser goes through it."""

import re
import uuid
from typing import Protocol

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Lost(Exception):
    """A page was not the one that should have come."""


class Browser(Protocol):
    def open(self, path: str) -> str:
        """The text of the page."""

    def send(self, path: str, fields: dict[str, str]) -> tuple[str, str]:
        """Where one lands after sending the form, and the text of that page."""


def register(browser: Browser, slug: str) -> str:
    """Open, enter the organisation, one person, check, send. The address of the registration."""
    start = f"/en/events/{slug}/register/"
    name = f"Bench Network {uuid.uuid4()}"
    organisation = {"enter": "1", "name": name, "country": "ML", "category": "diaspora"}
    own = _sent(browser, start, organisation)
    person = {"given_names": "Aïssata", "family_name": "Traoré", "role": "head"}
    _sent(browser, f"{own}people/", person, expected=own)
    return _sent(browser, f"{own}check/", {}, expected=own)


def _sent(browser: Browser, path: str, fields: dict[str, str], *, expected: str = "") -> str:
    token = TOKEN.search(browser.open(path))
    if not token:
        raise Lost(f"{path} has no form")
    landed, _text = browser.send(path, {**fields, "csrfmiddlewaretoken": token[1]})
    if landed == path or (expected and landed != expected):
        raise Lost(f"{path} was not accepted")
    return landed
