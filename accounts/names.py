"""Names as people type them, and titles: shown in the middle of sentences, so in one line."""

import re

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# They change the direction of the text around them; a name needs none.
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")


def one_line(name: str) -> str:
    """Without control and direction characters."""
    return " ".join(DIRECTION.sub("", CONTROLS.sub(" ", name)).split())
