"""When two spellings are one name."""

import re
import unicodedata

SUFFIXES = {"inc", "ltd", "llc", "ev", "asbl", "vzw", "ong", "ngo"}


def search_text(*names: str, acronym: str = "") -> str:
    """What a search looks in: every name and the acronym, folded."""
    return " | ".join(dict.fromkeys(key(name) for name in (*names, acronym) if name))


def key(name: str) -> str:
    """Without case, accents, marks, punctuation, a bracketed acronym and legal suffixes."""
    folded = unicodedata.normalize("NFKD", re.sub(r"\([^)]*\)", " ", name).casefold())
    letters = "".join(c for c in folded if not unicodedata.combining(c)).replace(".", "")
    words = re.findall(r"\w+", letters)
    kept = [word for word in words if word not in SUFFIXES]
    return " ".join(kept or words) or name.strip().casefold()
