"""Whatever is remembered of a group's registration is told to the group in words."""

import re
from pathlib import Path

from django.conf import settings

from registrations import timeline

ROOMS = (
    "answering",
    "batches",
    "colleagues",
    "confirmations",
    "corrections",
    "decisions",
    "exchanges",
    "exemptions",
    "importing",
    "intake",
    "listing",
    "merging",
    "on_behalf",
    "replacements",
    "seats",
    "undoing",
    "waiting",
)
OF_NO_GROUP = {
    *("list of people brought in", "list of people taken back"),
    *("another entry taken in", "taken into another entry", "merge undone"),
    *("another entry of this person taken in", "taken into another entry of this person"),
    *("organisation corrected", "has to be let in after a merge"),
}


def test_every_verb_has_its_words_and_no_words_are_without_a_verb():
    house = Path(settings.BASE_DIR) / "registrations"
    remembered = {
        verb
        for room in ROOMS
        for verb in re.findall(r'gettext_noop\("([^"]+)"\)', (house / f"{room}.py").read_text())
    }

    assert remembered - OF_NO_GROUP == timeline.OF_THE_GROUP.keys() | timeline.OF_A_PERSON.keys()
