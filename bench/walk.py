"""One whole registration, as a person with a browser goes through it."""

import re
import uuid
from typing import Protocol

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')


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
    own = _sent(browser, start, organisation).removesuffix("people/")
    person = {"given_names": "Aïssata", "family_name": "Traoré", "role": "head"}
    _sent(browser, f"{own}people/", person, expected=f"{own}check/")
    return _sent(browser, f"{own}check/", {}, expected=own)


def hidden(page: str) -> dict[str, str]:
    """What a form sends without showing it, the token among it."""
    fields = dict(HIDDEN.findall(page))
    if "csrfmiddlewaretoken" not in fields:
        raise Lost("there is no form")
    return fields


def _sent(browser: Browser, path: str, fields: dict[str, str], *, expected: str = "") -> str:
    try:
        landed, _text = browser.send(path, hidden(browser.open(path)) | fields)
    except Lost as lost:
        raise Lost(f"{path}: {lost}") from lost
    if landed == path or (expected and landed != expected):
        raise Lost(f"{path} was not accepted")
    return landed
