"""When two spellings are one name, and how like two names are."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

# How a register says what kind of body it is. Written or left out as one pleases, so it is no part
# of the name. Words that carry meaning in a name (foundation, stichting, vakfi) are not here.
SUFFIXES = {
    *("inc", "incorporated", "ltd", "limited", "llc", "llp", "plc", "corp", "pty", "gte", "cic"),
    *("gmbh", "ggmbh", "ev", "asbl", "aisbl", "vzw", "ivzw", "sarl", "srl", "onlus", "ngo", "ong"),
}
# The same, where only a full stop or a comma tells them from a word or a place.
MARKED_SUFFIXES = {
    *("sa", "ac", "as", "ag", "bv", "co", "no", "ops", "oz", "ra", "ry", "spa", "zs", "zu"),
}
SUFFIX_PHRASES = [
    *(["limited", "by", "guarantee"], ["registered", "association"], ["registered", "trustees"]),
    *(["asociacion", "civil"], ["eingetragener", "verein"], ["gemeinnutziger", "verein"]),
]
PREFIXES = {"ngo", "ong", "asbl"}
ARTICLES = {
    *("the", "a", "an", "la", "le", "les", "l", "el", "los", "las", "il", "lo", "gli"),
    *("o", "os", "as", "der", "die", "das", "het"),
}
CONJUNCTIONS = {"and", "et", "y", "e", "und", "en", "og", "och", "ve", "и", "و"}
SMALL_WORDS = {
    *ARTICLES,
    *("and", "of", "for", "in", "on", "at", "to", "by", "with", "from", "de", "du", "des", "d"),
    *("pour", "au", "aux", "dans", "sur", "del", "para", "por", "con", "do", "da", "dos", "di"),
    *("per", "della", "dei", "delle", "fur", "von", "van", "voor", "zur", "im"),
}
# In brackets these say where, not who.
PLACES = {"us", "usa", "uk", "uae", "eu", "drc", "prc", "rsa", "png", "car"}
# Letters that Unicode does not take apart.
LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
        "ʻ": "",
        "ʼ": "",
        "ʿ": "",
        "ʾ": "",
        "ˮ": "",
        "ٱ": "ا",
        "ة": "ه",
        "ى": "ي",
        "ی": "ي",
        "ے": "ي",
        "ک": "ك",
        "ہ": "ه",
        "ھ": "ه",
        "ە": "ه",
        "ـ": "",
    }
)
ARABIC_ARTICLE = re.compile("ال(?=...)")
ELISION = re.compile(r"\b([cdjlmnst]|qu)['’](?=\w)")
APOSTROPHES = re.compile(r"['’‘`´′]")
BRACKETS = re.compile(r"[(\[（]([^()\[\]（）]*)[)\]）]")
MARKS_BETWEEN = re.compile(r"\s+[-–—/|]\s+|[,:;]\s+")
SINGLE_LETTERS = re.compile(r"(?<!\S)\S(?: \S)+(?!\S)")
DOTTED = re.compile(r"\s(?:\w\.\s?)+\w?$")
NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
NO_WORD = re.compile(r"[\W_]+")
LONGEST_ACRONYM = 14
LONGEST_NAME = 300
LONGEST_KEY = 255
SHORTEST_SLIP = 4
MOST_COMPARISONS = 30_000_000
KEPT_COSTS = SLIP_COSTS = 5

WORTH_SHOWING = 0.3
"""From this score on, an organisation is proposed to who searches."""
NEAR = 0.7
"""From this likeness on, a person is asked whether two names are one."""


def key(name: str) -> str:
    """Without case, accents, marks, its own acronym, articles and legal suffixes.

    Two names of one key are taken for one, so whatever else stands in brackets stays in it.
    """
    words = _words(_without_suffixes(_without_acronyms(name)))
    while ending := _suffix(words):
        del words[-ending:]
    while len(words) > 1 and words[0] in PREFIXES | ARTICLES:
        words.pop(0)
    if words:
        words[0] = ARABIC_ARTICLE.sub("", words[0], count=1)
    found = " ".join(words) or " ".join(_words(name)) or " ".join(NO_TEXT.sub(" ", name).split())
    return found.replace("|", "¦")[:LONGEST_KEY]


def search_text(*names: str, acronym: str = "") -> str:
    """What a search looks in: each name, its acronyms and its initials, folded, between bars."""
    keys = [key(name) for name in names if name]
    parts = [*keys, compact(acronym)]
    parts += [each for name in names for each in acronyms(name)]
    parts += [each for key in keys for each in initials(key)]
    return "|" + "".join(f"{part}|" for part in dict.fromkeys(parts) if part)


def name_text(given_names: str, family_name: str) -> str:
    """What a search for a person looks in, and what lists of people are sorted by."""
    return fold(f"{family_name} {given_names}".strip())[:LONGEST_NAME]


def fold(text: str) -> str:
    """One form for each letter, whatever its case, accents and width."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if plain.isascii():
        return plain
    letters = "".join(map(_plain, unicodedata.normalize("NFKD", plain)))
    return unicodedata.normalize("NFC", letters).translate(LETTERS)


def compact(text: str) -> str:
    """The letters and figures alone, as an acronym is compared."""
    return "".join(letter for letter in fold(text) if _is_word(letter))


def acronyms(name: str) -> list[str]:
    """Those that the name itself carries, in brackets or beside a dash."""
    inside = [each for each in BRACKETS.findall(name) if sum(map(str.isupper, each)) > 1]
    found = [*(each for each in inside if " " not in each.strip()), *_own_acronyms(name)]
    return list(dict.fromkeys(filter(None, map(compact, found))))


def initials(key: str) -> list[str]:
    """Of all words but the small ones, and of all words; from three letters on."""
    words = key.split()
    if not all(_has_case(word[0]) for word in words):
        return []
    big = "".join(word[0] for word in words if word not in SMALL_WORDS)
    every = "".join(word[0] for word in words)
    return [each for each in dict.fromkeys([big, every]) if 3 <= len(each) <= LONGEST_ACRONYM]


def trigrams(text: str) -> frozenset[str]:
    """As pg_trgm makes them: word by word, so that the order of words does not matter."""
    padded = [f"  {word} " for word in text.split()]
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def is_slip(one: str, other: str) -> bool:
    """One letter is missing, too many, another one, or has changed places with its neighbour."""
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < SHORTEST_SLIP or one == other:
        return False
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    rest, others_rest = one[at:], other[at:]
    return (
        rest[1:] in (others_rest, others_rest[1:])
        or rest == others_rest[1:]
        or (rest[1::-1] == others_rest[:2] and rest[2:] == others_rest[2:])
    )


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Of two sets of trigrams: 1 when they are the same, 0 when they share nothing."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


class Query:
    """What somebody types to find an organisation."""

    def __init__(self, text: str) -> None:
        self.key = key(text)
        self.acronyms = acronyms(text)
        self.initials = initials(self.key)
        whole = compact(text)
        self.as_acronym = whole if len(whole) <= LONGEST_ACRONYM else ""
        self._trigrams = trigrams(self.key)

    @property
    def parts(self) -> list[str]:
        """What a search text that holds one of them is found by, however unlike the rest is."""
        found = [self.key, self.as_acronym, *self.acronyms, *self.initials]
        return list(dict.fromkeys(filter(None, found)))

    def score(self, name: str, acronym: str, search_text: str) -> float:
        """How well an organisation answers: 4 by its name, 3 by another of its names, 2.5 by its
        acronym, 2 by its initials; else how like its likest name is, and a little for an acronym
        that both have."""
        parts = search_text.strip("|").split("|")
        own = {compact(acronym), *acronyms(name)} - {""}
        if self.key == parts[0]:
            return 4
        if self.key in parts and " " in self.key:
            return 3
        if self.as_acronym in own:
            return 2.5
        if self.as_acronym in parts:
            return 2
        best = max(self._likeness(trigrams(part)) for part in parts)
        if own & {*self.acronyms, *self.initials}:
            best = max(best + 0.15, 0.5)
        return best

    def _likeness(self, those: frozenset[str]) -> float:
        """What is typed may be a beginning, or one word of many: that it is there counts too."""
        there = len(self._trigrams & those) / max(len(self._trigrams), 1)
        return max(0.8 * likeness(self._trigrams, those) + 0.2 * there, 0.4 * there)


class TooAlike(Exception):
    """So many names are so much alike that comparing them would take minutes."""


class Names:
    """Many names side by side: which of them are near a given one."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        found = [trigrams(key) for key in keys]
        often = Counter(trigram for each in found for trigram in each).most_common()
        place = {trigram: at for at, (trigram, _times) in enumerate(often)}
        ranks = [sorted(map(place.__getitem__, each), reverse=True) for each in found]
        self._sizes = [len(each) for each in ranks]
        self._bits = [sum(1 << at for at in each) for each in ranks]
        self._telling = [self._rarest(each) for each in ranks]
        self._bearers: dict[int, list[int]] = defaultdict(list)
        self._but_one: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._compared = 0
        for number, telling in enumerate(self._telling):
            for trigram in telling:
                self._bearers[trigram].append(number)
            for rest, word in _each_word(keys[number]):
                self._but_one[rest].append((number, word))

    def near(self, number: int) -> list[tuple[float, int]]:
        """Likeness and number of each that a person should compare with this one, likest first:
        those with most of its trigrams, and those of the same words but for a slip in one."""
        found = {**self._alike(number), **self._slips(number)}
        found.pop(number, None)
        self._compared += KEPT_COSTS * len(found)
        if self._compared > MOST_COMPARISONS:
            raise TooAlike
        return sorted(((how, each) for each, how in found.items()), key=lambda it: (-it[0], it[1]))

    def _alike(self, number: int) -> dict[int, float]:
        others = {each for trigram in self._telling[number] for each in self._bearers[trigram]}
        self._compared += len(others)
        own, size = self._bits[number], self._sizes[number]
        sizes = range(math.ceil(NEAR * size), int(size / NEAR) + 1)
        found = {}
        for each in others:
            if self._sizes[each] in sizes:
                shared = (own & self._bits[each]).bit_count()
                how = shared / (size + self._sizes[each] - shared)
                if how >= NEAR:
                    found[each] = how
        return found

    def _slips(self, number: int) -> dict[int, float]:
        found = {}
        for rest, word in _each_word(self._keys[number]):
            self._compared += SLIP_COSTS * len(self._but_one[rest])
            for each, other in self._but_one[rest]:
                if is_slip(word, other):
                    found[each] = 1 - 1 / len(self._keys[number])
        return found

    @staticmethod
    def _rarest(ranks: list[int]) -> list[int]:
        """Two names that are near have one of these in common."""
        return ranks[: len(ranks) - math.ceil(NEAR * len(ranks)) + 1]


def groups(
    keys: Sequence[str],
    owners: Sequence[int],
    *,
    joined: Iterable[tuple[int, int]] = (),
    are_apart: Callable[[int, int], bool] = lambda one, other: False,
) -> list[list[int]]:
    """Owners of names that are near each other, group by group; each may have several keys, and
    some are `joined` whatever their names are. Refuses with TooAlike."""
    leader = {owner: owner for owner in owners}

    def first_of(owner: int) -> int:
        while leader[owner] != owner:
            owner = leader[owner]
        return owner

    names = Names(keys)
    near = (
        (owner, owners[other])
        for number, owner in enumerate(owners)
        for _how, other in names.near(number)
    )
    for one, other in chain(joined, near):
        if not are_apart(one, other):
            first, second = sorted([first_of(one), first_of(other)])
            leader[second] = first
    found: dict[int, list[int]] = defaultdict(list)
    for owner in leader:
        found[first_of(owner)].append(owner)
    return [each for each in found.values() if len(each) > 1]


def _each_word(key: str) -> Iterator[tuple[str, str]]:
    """The other words in the order of the alphabet, and the word."""
    words = sorted(key.split())
    for at, word in enumerate(words):
        if len(word) >= SHORTEST_SLIP and word not in words[:at]:
            yield " ".join(words[:at] + words[at + 1 :]), word


def _plain(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Nd":
        return str(unicodedata.digit(letter))
    if kind == "Cc":
        return " "
    return "" if kind == "Cf" or _is_accent(letter) else letter.translate(LETTERS)


def _is_accent(letter: str) -> bool:
    """Marks that writers leave out. Vowels of Indian and Thai scripts, and the dots of kana, are
    letters to their readers."""
    mark = unicodedata.combining(letter)
    return mark == 1 or 10 <= mark <= 36 or mark >= 200


def _has_case(letter: str) -> bool:
    return letter.upper() != letter.lower()


def _is_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter)[0] == "M"


def _words(text: str) -> list[str]:
    plain = APOSTROPHES.sub("", ELISION.sub(r"\1 ", fold(text)))
    plain = plain.replace(".", "").replace("&", " and ")
    if plain.isascii():
        spaced = NO_WORD.sub(" ", plain)
    else:
        spaced = "".join(letter if _is_word(letter) else " " for letter in plain)
    joined = SINGLE_LETTERS.sub(lambda run: run[0].replace(" ", ""), " ".join(spaced.split()))
    return ["and" if word in CONJUNCTIONS else word for word in joined.split()]


def _without_suffixes(name: str) -> str:
    """Without those that only their marks betray."""
    name = name.rstrip(" .*")
    before, comma, last = name.rpartition(",")
    if comma and "".join(_words(last)) in MARKED_SUFFIXES:
        return before
    dotted = DOTTED.search(name)
    if dotted and "".join(_words(dotted[0])) in MARKED_SUFFIXES:
        return name[: dotted.start()]
    return name


def _suffix(words: list[str]) -> int:
    """How many words at the end are one; a name of nothing else keeps them."""
    for ending in SUFFIX_PHRASES:
        if words[-len(ending) :] == ending and len(words) > len(ending):
            return len(ending)
    return int(len(words) > 1 and words[-1] in SUFFIXES)


def _pieces(name: str) -> Iterator[tuple[str, str]]:
    """What could be an acronym, and the name without it."""
    for found in BRACKETS.finditer(name):
        yield found[1], f"{name[: found.start()]} {name[found.end() :]}"
    marks = list(MARKS_BETWEEN.finditer(name))
    if marks:
        yield name[: marks[0].start()], name[marks[0].end() :]
        yield name[marks[-1].end() :], name[: marks[-1].start()]


def _own_acronyms(name: str) -> list[str]:
    return [piece for piece, rest in _pieces(name) if _is_acronym_of(piece, rest)]


def _without_acronyms(name: str) -> str:
    for piece, rest in _pieces(name):
        if _is_acronym_of(piece, rest):
            return rest
    return name


def _is_acronym_of(piece: str, name: str) -> bool:
    """Made of the beginnings of at least two of its words, in their order."""
    letters = "".join(letter for letter in compact(piece) if not letter.isdigit())
    if " " in piece.strip() or not 2 <= len(letters) <= LONGEST_ACRONYM or letters in PLACES:
        return False
    reached = {(0, 0)}
    for word in _words(name):
        for at, used in list(reached):
            for more in range(1, len(word) + 1):
                if letters[at : at + more] != word[:more]:
                    break
                reached.add((at + more, min(used + 1, 2)))
    return (len(letters), 2) in reached
