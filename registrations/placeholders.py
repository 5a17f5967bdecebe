"""What organisers may leave for the portal to fill in: {organisation}, {reference} and so on."""

import re
from collections.abc import Callable, Iterable, Mapping

from django.utils.translation import gettext_lazy as _

BRACED = re.compile(r"\{([^{}\r\n]*)\}")
BRACE = re.compile(r"[{}]")

MEANS = {
    "name": _("The name of whoever reads the letter"),
    "event": _("The name of the event, in the language of the reader"),
    "deadline": _("Until when one registers, on the clocks of the event"),
    "organisation": _("The organisation of the delegation"),
    "reference": _("The reference of the delegation"),
    "people": _("Those of the delegation whom you have chosen, by name"),
    "status_page": _("The address of the page that shows the delegation"),
}
OF_DELEGATION = {"organisation", "reference", "people", "status_page"}
"""With one of these, whoever leads two delegations gets a letter about each."""
OF_PERSONS = {"name", "people"}
"""Never in a subject, which others may read over somebody's shoulder."""


def used(*texts: str) -> set[str]:
    return {name for text in texts for name in BRACED.findall(text)}


def stray(text: str) -> str:
    """The first brace that is none of a placeholder, with what stands around it."""
    rest = BRACED.sub("\x00", text)
    found = BRACE.search(rest)
    if found is None:
        return ""
    around = rest[max(0, found.start() - 10) : found.end() + 10]
    return " ".join(around.replace("\x00", " ").split())


def unknown(text: str) -> list[str]:
    return sorted(used(text) - set(MEANS))


def fill(text: str, values: Mapping[str, str], said: Callable[[str], str] = str) -> str:
    """With each placeholder said; what it says is not looked at again."""
    return BRACED.sub(lambda found: said(values[found[1]]), text)


def is_about_a_delegation(texts: Iterable[str]) -> bool:
    return bool(used(*texts) & OF_DELEGATION)
