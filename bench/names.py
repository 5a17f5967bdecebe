"""Invented names of organisations, other ways to write them, and others that nobody bears."""

import random
import re
import unicodedata
from collections.abc import Callable

from stakeholders import matching

KINDS = ["Association", "Network", "Forum", "Union", "Council", "Centre", "Réseau", "Foundation"]
OF = [
    *("Migrant", "Domestic", "Seasonal", "Harbour", "Rural", "Coastal", "Young", "Island"),
    *("Refugee", "Returning", "Northern", "Mountain", "River", "Textile", "Fishing", "Nursing"),
]
WHO = [
    *("Workers", "Families", "Women", "Mothers", "Students", "Nurses", "Sailors", "Builders"),
    *("Teachers", "Farmers", "Children", "Elders", "Drivers", "Weavers", "Cooks", "Writers"),
]
WHAT = ["Rights", "Health", "Housing", "Education", "Dignity", "Safety", "Work", "Return"]
WHERE = [
    *("Andara", "Belmora", "Castrè", "Dovânia", "Elmstad", "Förde", "Galtéa", "Hollin"),
    *("Isvara", "Jundel", "Kéroua", "Lumbala", "Mandrax", "Norvik", "Ossola", "Pertuño"),
    *("Quillim", "Rovanda", "Sélingo", "Tamsir", "Ubarré", "Vintow", "Wolmir", "Zandoa"),
]
SUFFIXES = [", Inc.", " Ltd", " e.V.", ", asbl", " ONLUS", " LLC", ", z.s.", " S.A."]


def invented(number: int, *, seed: int) -> list[str]:
    """So many names, no two with one key."""
    chance = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < number:
        name = _name(chance)
        found.setdefault(matching.key(name), name)
    return list(found.values())


def strangers(number: int, known: list[str], *, seed: int) -> list[str]:
    """Names of the same words as theirs, that nobody of them bears."""
    keys = {matching.key(name) for name in known}
    chance = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < number:
        name = _name(chance)
        if matching.key(name) not in keys:
            found.setdefault(matching.key(name), name)
    return list(found.values())


def _name(chance: random.Random) -> str:
    shape = chance.randrange(4)
    kind, of, who = chance.choice(KINDS), chance.choice(OF), chance.choice(WHO)
    what, where = chance.choice(WHAT), chance.choice(WHERE)
    name = [
        f"{kind} of {of} {who} for {what} in {where}",
        f"{where} {of} {who} {kind}",
        f"{kind} for {what} and {chance.choice(WHAT)} of {of} {who}, {where}",
        f"{kind} {where}: {of} {who} for {what}",
    ][shape]
    if chance.random() < 0.2:
        name += f" ({''.join(word[0] for word in name.split() if word[0].isupper())})"
    return name


def variant(name: str, number: int, chance: random.Random) -> str:
    """Another way to write it; the kinds take turns."""
    return KINDS_OF_VARIANT[number % len(KINDS_OF_VARIANT)](name, chance)


def _case(name: str, chance: random.Random) -> str:
    return chance.choice([name.upper(), name.lower(), name.title(), name.swapcase()])


def _accents(name: str, chance: random.Random) -> str:
    """Without its accents; or with one, where it has none."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    vowels = [at for at, letter in enumerate(name) if letter in "aeiou"]
    if plain != name or not vowels:
        return plain
    at = chance.choice(vowels)
    return name[:at] + unicodedata.normalize("NFC", name[at] + "\u0301") + name[at + 1 :]


def _acronym(name: str, chance: random.Random) -> str:
    """The one in brackets somewhere else or left out; or initials, where there is none."""
    inside = re.search(r"\(([^()\s]+)\)", name)
    rest = " ".join(name.replace(inside[0], " ").split()) if inside else name
    acronym = inside[1] if inside else "".join(w[0] for w in name.split() if w[0].isupper())
    forms = [f"({acronym}) {rest}", f"{acronym} – {rest}", f"{rest}, {acronym}", rest]
    return chance.choice([*forms, f"{rest} ({acronym})", f"{acronym} {rest}"])


def _suffix(name: str, chance: random.Random) -> str:
    return name + chance.choice(SUFFIXES)


def _typo(name: str, chance: random.Random) -> str:
    at = chance.choice([at for at, letter in enumerate(name[:-1]) if letter.isalpha()] or [0])
    return chance.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + chance.choice("abcdefghijklmnopqrstuvwxyz") + name[at + 1 :],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        ]
    )


def _order(name: str, chance: random.Random) -> str:
    words = name.split()
    if len(words) == 1:
        return _case(name, chance)
    at = chance.randrange(1, len(words))
    return " ".join(words[at:] + words[:at])


KINDS_OF_VARIANT: list[Callable[[str, random.Random], str]] = [
    *(_case, _accents, _acronym, _suffix, _typo, _order),
]
