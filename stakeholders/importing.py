"""How a list of organisations that an organiser brings becomes organisations.

Nothing is joined by likeness. A row is known when its name has the key of one organisation, in the
same country or where one of the two is not known; whatever else is near, a person decides.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django_countries import countries

from accounts.models import User
from audit import trail
from audit.models import Entry
from events.models import StakeholderGroup
from stakeholders import matching, refusals, tables
from stakeholders.models import ImportRun, Organisation

NEW, KNOWN, NEAR, WRONG = "new", "known", "near", "wrong"
SKIP = "skip"
# What became of a row.
CREATED, JOINED, LEFT_OUT, UNDECIDED = "created", "joined", "left_out", "undecided"
OUTCOMES = (CREATED, JOINED, KNOWN, LEFT_OUT, UNDECIDED, WRONG)

COMPLETED = gettext_noop("organisation completed from a list")

OFFERED = 5
NEAR_ABROAD = 0.85
"""Names of two countries that are both known are near from this likeness on."""
NEAR_WITH_ACRONYM = 0.4
"""Names beside one and the same acronym are near from this likeness on."""
MOST_NAMESAKES = 300
PARTS = re.compile("[;؛；]")
BLOCK = 1000

FACTS = ("acronym", "country", "category", "website", "consultative_status")
LIMITS = {"name": 255, "acronym": 40, "website": 200}
HEADINGS = {
    "name": """name | organisation | organization | name of organisation | name of organization |
        organisation name | organization name | name of the organisation | applicant | ngo name |
        nom | nom de l'organisation | nombre | nombre de la organización | organización |
        الاسم | اسم المنظمة | المنظمة | название | название организации | организация |
        名称 | 组织名称 | 机构名称""",
    "acronym": """acronym | abbreviation | short name | acronyme | sigle | sigla | siglas |
        acrónimo | الاختصار | الاسم المختصر | аббревиатура | сокращение | 缩写 | 简称""",
    "country": """country | country code | iso | pays | país | البلد | الدولة | страна | 国家""",
    "category": """category | stakeholder group | group | type | catégorie | categoría | الفئة |
        категория | 类别""",
    "website": """website | web site | web | url | homepage | site web | site internet |
        sitio web | الموقع | الموقع الإلكتروني | сайт | веб-сайт | 网站 | 网址""",
    "consultative_status": """status with ecosoc | ecosoc status | consultative status | status |
        statut consultatif | statut | estado consultivo | المركز الاستشاري |
        консультативный статус | 咨商地位""",
    "other_names": """other names | other name | also known as | aka | former names |
        autres noms | otros nombres | أسماء أخرى | другие названия | 其他名称""",
}
# Names of countries that are in use beside those of the list.
COUNTRIES = {
    "AE": "UAE",
    "BO": "Bolivia",
    "CD": "DRC | DR Congo | Democratic Republic of the Congo",
    "CG": "Congo | Republic of the Congo",
    "CI": "Ivory Coast",
    "CV": "Cape Verde",
    "CZ": "Czech Republic",
    "GB": "UK | Great Britain | England | Scotland | Wales",
    "GM": "The Gambia",
    "IR": "Iran",
    "KP": "North Korea",
    "KR": "South Korea | Republic of Korea",
    "LA": "Laos",
    "MD": "Moldova",
    "MK": "Macedonia",
    "MM": "Burma",
    "NL": "Holland",
    "PS": "Palestine | State of Palestine",
    "RU": "Russia",
    "SY": "Syria",
    "SZ": "Swaziland",
    "TR": "Turkey",
    "TZ": "Tanzania",
    "US": "USA | United States",
    "VE": "Venezuela",
    "VN": "Vietnam",
}
REASONS = {
    "no_name": gettext_lazy("There is no name."),
    "no_letters": gettext_lazy("The name “%(value)s” has no letters."),
    "name_too_long": gettext_lazy("The name is longer than 255 characters."),
    "acronym_too_long": gettext_lazy("The acronym is longer than 40 characters."),
    "website_too_long": gettext_lazy("The address of the website is longer than 200 characters."),
    "other_name_too_long": gettext_lazy("Another name is longer than 255 characters."),
    "unknown_country": gettext_lazy("“%(value)s” is not a country that we know."),
    "unknown_category": gettext_lazy("“%(value)s” is not a stakeholder group that we know."),
    "unknown_status": gettext_lazy("“%(value)s” is not a status with ECOSOC that we know."),
    "no_address": gettext_lazy("“%(value)s” is not the address of a website."),
}


@dataclass(frozen=True)
class Candidate:
    """An organisation, or an earlier row of the same list, that a row may be."""

    name: str
    country: str
    likeness: float
    id: str = ""
    line: int = 0

    @property
    def choice(self) -> str:
        """How a decision names it."""
        return self.id or f"line:{self.line}"


@dataclass
class Row:
    """A row of the list, and what is thought of it."""

    line: int
    name: str = ""
    acronym: str = ""
    country: str = ""
    category: str = ""
    website: str = ""
    consultative_status: str = ""
    other_names: list[str] = field(default_factory=list)
    judged: str = NEW
    wrong: list[str] = field(default_factory=list)
    """The reason, and what was typed."""
    candidates: list[Candidate] = field(default_factory=list)
    """Of a known row: the one that it is."""
    outcome: str = ""
    became: str = ""

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Row":
        row = cls(**data)
        row.candidates = [Candidate(**each) for each in data["candidates"]]
        return row

    @property
    def reason(self) -> str:
        """Why it is wrong."""
        if not self.wrong:
            return ""
        code, value = self.wrong
        return str(REASONS[code]) % {"value": value}

    @property
    def choices(self) -> list[str]:
        """What a person may decide about it."""
        if self.judged != NEAR:
            return []
        return [*(candidate.choice for candidate in self.candidates), NEW, SKIP]


# Read


def read(file_name: str, content: bytes, *, by: User, now: datetime) -> ImportRun:
    """Read a list, compare it with what is known here, and keep what was found; nothing else
    changes. Refuses as tables.read does, and with NoNames and TooAlike."""
    table = tables.read(content)
    columns, unknown = _columns(table)
    rows = [_row(row, columns) for row in table.rows]
    compare(rows)
    name = tables.clean(file_name.replace("\\", "/").rsplit("/", 1)[-1])[:255]
    return ImportRun.objects.create(
        by=by,
        at=now,
        file_name=name or _("list without a name"),
        rows=[asdict(row) for row in rows],
        counts=_counts(rows),
        notes={"unknown_columns": unknown, "read_as": table.read_as},
    )


def compare(rows: Iterable[Row]) -> None:
    """Say of each row whether it is wrong, and what its words mean; then what it is beside all that
    is known here: new, known, or near others. Refuses with TooAlike."""
    understood = [row for row in rows if _is_right(row)]
    try:
        _judge(understood)
    except matching.TooAlike:
        raise refusals.TooAlike from None


def rows(run: ImportRun) -> list[Row]:
    return [Row.of(data) for data in run.rows]


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    found = Counter(row.judged for row in rows)
    return {judged: found[judged] for judged in (NEW, KNOWN, NEAR, WRONG)}


def _columns(table: tables.Table) -> tuple[dict[str, int], list[str]]:
    """Which column holds what, and the headings of those that are left."""
    columns: dict[str, int] = {}
    unknown = []
    for number, heading in enumerate(table.headings):
        meant = _headings().get(matching.compact(heading))
        if meant is None or meant in columns or not _is_understood(meant, number, table):
            unknown.append(heading)
        else:
            columns[meant] = number
    if "name" not in columns:
        raise refusals.NoNames(table.headings)
    return columns, [heading for heading in unknown if heading]


def _is_understood(meant: str, number: int, table: tables.Table) -> bool:
    """Other lists have groups and statuses of their own: such a column is left as a whole."""
    if meant not in ("category", "consultative_status"):
        return True
    meanings = _categories() if meant == "category" else _statuses()
    values = {row.cells[number] for row in table.rows if number < len(row.cells)} - {""}
    return not values or any(matching.compact(value) in meanings for value in values)


@cache
def _headings() -> dict[str, str]:
    return _spelled(HEADINGS)


def _spelled(meanings: Mapping[str, str]) -> dict[str, str]:
    return {
        matching.compact(spelling): meant
        for meant, spellings in meanings.items()
        for spelling in spellings.split("|")
    }


def _in_all_languages(choices: Callable[[], Iterable[tuple[str, Any]]]) -> dict[str, str]:
    """The code of each name in any language that the portal speaks, and of each code."""
    meanings = {}
    for language, _name in settings.CONTENT_LANGUAGES:
        with translation.override(language):
            for code, words in choices():
                meanings[matching.compact(str(words))] = code
                meanings[matching.compact(code)] = code
    return meanings


@cache
def _countries() -> dict[str, str]:
    meanings = _in_all_languages(lambda: [(each.code, each.name) for each in countries])
    codes = set(meanings.values())
    meanings |= {matching.compact(countries.alpha3(code)): code for code in codes}
    return meanings | _spelled(COUNTRIES)


@cache
def _categories() -> dict[str, str]:
    return _in_all_languages(lambda: StakeholderGroup.choices)


@cache
def _statuses() -> dict[str, str]:
    choices = Organisation.Status.choices
    meanings = _in_all_languages(lambda: choices)
    for code in ("general", "special", "roster"):
        for words in (f"{code} status", f"{code} consultative status", f"{code} with ecosoc"):
            meanings[matching.compact(words)] = code
    return meanings


def _row(row: tables.Row, columns: dict[str, int]) -> Row:
    typed = {
        meant: row.cells[number] if number < len(row.cells) else ""
        for meant, number in columns.items()
    }
    others = [each.strip() for each in PARTS.split(typed.pop("other_names", ""))]
    read = Row(row.line)
    for meant, value in typed.items():
        setattr(read, meant, value)
    read.other_names = [each for each in dict.fromkeys(others) if each and each != read.name]
    return read


def _is_right(row: Row) -> bool:
    """Then its words are those that the portal keeps."""
    row.wrong = _wrong(row)
    if row.wrong:
        row.judged = WRONG
        return False
    row.country = _countries().get(matching.compact(row.country), "")
    row.category = _categories().get(matching.compact(row.category), "")
    row.consultative_status = _statuses().get(matching.compact(row.consultative_status), "")
    row.website = _address(row.website)
    return True


def _wrong(row: Row) -> list[str]:
    """The first reason for which it cannot be taken."""
    if not row.name:
        return ["no_name", ""]
    if not matching.compact(row.name):
        return ["no_letters", row.name]
    for meant, most in LIMITS.items():
        if len(getattr(row, meant)) > most:
            return [f"{meant}_too_long", ""]
    if any(len(each) > LIMITS["name"] for each in row.other_names):
        return ["other_name_too_long", ""]
    for code, value, meanings in (
        ("unknown_country", row.country, _countries()),
        ("unknown_category", row.category, _categories()),
        ("unknown_status", row.consultative_status, _statuses()),
    ):
        if value and matching.compact(value) not in meanings:
            return [code, value[:100]]
    try:
        URLValidator(schemes=["http", "https"])(_address(row.website) or "https://example.org")
    except ValidationError:
        return ["no_address", row.website[:100]]
    return []


def _address(typed: str) -> str:
    return f"https://{typed}" if typed and "://" not in typed else typed


# Judge


@dataclass
class _Bearer:
    """Who bears names: an organisation, or a row that would become one."""

    name: str
    country: str
    spellings: list[str]
    acronym: str
    id: str = ""
    line: int = 0

    def __post_init__(self) -> None:
        self.keys = list(dict.fromkeys(map(matching.key, self.spellings)))
        own = [matching.compact(self.acronym)]
        own += [each for name in self.spellings for each in matching.acronyms(name)]
        self.acronyms = {each for each in own if each}

    @cached_property
    def trigrams(self) -> list[frozenset[str]]:
        return [matching.trigrams(key) for key in self.keys]

    def is_abroad(self, other: "_Bearer") -> bool:
        """Each has a country, and not the same."""
        return bool(self.country and other.country and self.country != other.country)

    def likeness(self, other: "_Bearer") -> float:
        return max(
            matching.likeness(one, another) for one in self.trigrams for another in other.trigrams
        )

    def as_candidate(self, likeness: float) -> Candidate:
        return Candidate(self.name, self.country, round(likeness, 2), self.id, self.line)


def _standing() -> list[_Bearer]:
    """All organisations, as bearers of names."""
    organisations = Organisation.objects.order_by("id")
    return [
        _Bearer(name, str(country), [name, *other_names], acronym, id=str(pk))
        for pk, name, other_names, country, acronym in organisations.values_list(
            "id", "name", "other_names", "country", "acronym"
        )
    ]


class _Register:
    """Who bears which key and which acronym."""

    def __init__(self, bearers: Iterable[_Bearer] = ()) -> None:
        self._by_key: dict[str, list[_Bearer]] = defaultdict(list)
        self._by_acronym: dict[str, list[_Bearer]] = defaultdict(list)
        for bearer in bearers:
            self.add(bearer)

    def add(self, bearer: _Bearer) -> None:
        for key in bearer.keys:
            self._by_key[key].append(bearer)
        for acronym in bearer.acronyms:
            self._by_acronym[acronym].append(bearer)

    def namesakes(self, bearer: _Bearer) -> list[_Bearer]:
        found = self._by_key[bearer.keys[0]]
        if len(found) > MOST_NAMESAKES:
            raise matching.TooAlike
        return found

    def known(self, bearer: _Bearer, *, but: Iterable[str] = ()) -> _Bearer | None:
        """The one that this surely is; None where there is none, or more than one."""
        compatible = [
            each
            for each in self.namesakes(bearer)
            if not each.is_abroad(bearer) and each.id not in but
        ]
        here = [each for each in compatible if each.country == bearer.country] or compatible
        if len(here) > 1:
            here = [each for each in here if bearer.name in each.spellings]
        return here[0] if len(here) == 1 else None

    def beside_an_acronym(self, bearer: _Bearer) -> list[tuple[float, _Bearer]]:
        """Those with one of its acronyms and a name that is a little like its own, and those
        whose acronym is its name, or the other way round."""
        found = []
        for acronym in bearer.acronyms:
            for other in self._by_acronym[acronym][:MOST_NAMESAKES]:
                likeness = bearer.likeness(other)
                if likeness >= NEAR_WITH_ACRONYM:
                    found.append((likeness, other))
            found += [(0.0, other) for other in self._by_key[acronym]]
        found += [(0.0, other) for other in self._by_acronym[matching.compact(bearer.name)]]
        return found


def _judge(rows: list[Row]) -> None:
    """Say of each row what it is: new, known, or near others that come before it."""
    standing = _standing()
    names = [(key, bearer) for bearer in standing for key in bearer.keys]
    bearers = [_bearer(row) for row in rows]
    shelf = matching.Names([key for key, _bearer in names] + [each.keys[0] for each in bearers])
    register = _Register(standing)
    is_what: list[_Bearer | None] = [bearer for _key, bearer in names] + [None] * len(rows)
    for number, (row, bearer) in enumerate(zip(rows, bearers, strict=True), start=len(names)):
        known = register.known(bearer)
        if known:
            row.judged, row.candidates = KNOWN, [known.as_candidate(1)]
            is_what[number] = known
            continue
        alike = [(1.0, each) for each in register.namesakes(bearer)]
        alike += [(how, other) for how, at in shelf.near(number) if (other := is_what[at])]
        alike += register.beside_an_acronym(bearer)
        row.candidates = _candidates(bearer, alike)
        row.judged = NEAR if row.candidates else NEW
        is_what[number] = bearer
        register.add(bearer)


def _bearer(row: Row) -> _Bearer:
    return _Bearer(row.name, row.country, [row.name], row.acronym, line=row.line)


def _candidates(bearer: _Bearer, alike: list[tuple[float, _Bearer]]) -> list[Candidate]:
    offered: dict[str, Candidate] = {}
    likest = sorted(alike, key=lambda each: (-each[0], each[1].line, each[1].name))
    for likeness, other in likest:
        if bearer.is_abroad(other) and likeness < NEAR_ABROAD:
            continue
        candidate = other.as_candidate(likeness)
        offered.setdefault(candidate.choice, candidate)
    return list(offered.values())[:OFFERED]


# Decide


@transaction.atomic
def decide(run: ImportRun, decisions: Mapping[int, str]) -> None:
    """Keep what a person says of rows that are near others: "new", "skip", or the one that it is.

    An empty word takes a decision back. Refuses with AppliedAlready and NotOffered, and then
    keeps none of them.
    """
    held = _held(run)
    near = {row.line: row for row in rows(held)}
    for line, choice in decisions.items():
        if line not in near or choice not in ["", *near[line].choices]:
            raise refusals.NotOffered(line)
        held.decisions[str(line)] = choice
    held.decisions = {line: choice for line, choice in held.decisions.items() if choice}
    held.save(update_fields=["decisions"])
    run.decisions = held.decisions


@transaction.atomic
def decide_rest(run: ImportRun, choice: str) -> int:
    """Say the same, "new" or "skip", of all near rows that nobody has decided: how many."""
    held = _held(run)
    rest = [row.line for row in undecided(held)]
    decide(run, dict.fromkeys(rest, choice))
    return len(rest)


def undecided(run: ImportRun) -> list[Row]:
    return [row for row in rows(run) if row.judged == NEAR and str(row.line) not in run.decisions]


def foreseen(run: ImportRun) -> dict[str, int]:
    """How many rows would become what, if the list were brought in as it is decided now."""
    found: Counter[str] = Counter()
    for row in rows(run):
        choice = run.decisions.get(str(row.line), "")
        if row.judged == NEW or (row.judged == NEAR and choice == NEW):
            found[CREATED] += 1
        elif row.judged != NEAR:
            found[row.judged] += 1
        else:
            found[{"": UNDECIDED, SKIP: LEFT_OUT}.get(choice, JOINED)] += 1
    return {outcome: found[outcome] for outcome in OUTCOMES}


def _held(run: ImportRun) -> ImportRun:
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    if held.applied_at:
        raise refusals.AppliedAlready(held)
    return held


# Apply


@transaction.atomic
def apply(run: ImportRun, *, by: User, now: datetime) -> None:
    """Enter what is new, and give what is the same its other spelling; once.

    What somebody has entered since the list was read is not entered a second time. The history
    has one entry about the list, which names what became of each row, and one about each
    organisation that was there before and has changed. Refuses with AppliedAlready.
    """
    held = _held(run)
    Organisation.objects.hold_names()
    work = _Work(held)
    for row in work.rows:
        row.outcome = work.outcome(row)
    work.keep(by, now)
    held.rows = [asdict(row) for row in work.rows]
    held.counts |= {
        outcome: sum(row.outcome == outcome for row in work.rows) for outcome in OUTCOMES
    }
    held.applied_at = now
    held.save()
    trail.record(
        by,
        gettext_noop("list of organisations brought in"),
        held,
        at=now,
        scope=None,
        after={
            "file_name": held.file_name,
            **{outcome: held.counts[outcome] for outcome in (CREATED, JOINED, LEFT_OUT)},
        },
    )
    run.refresh_from_db()


class _Work:
    """A list on its way in."""

    def __init__(self, run: ImportRun) -> None:
        self.rows = rows(run)
        self._decisions = run.decisions
        self._register = _Register(_standing())
        self._created: dict[str, Organisation] = {}
        self._changed: dict[str, Organisation] = {}
        self._before: dict[str, dict[str, Any]] = {}
        self._lines: dict[int, Row] = {row.line: row for row in self.rows}
        chosen = [choice for choice in run.decisions.values() if _is_id(choice)]
        there = Organisation.objects.select_for_update().order_by("id")
        self._there = {str(each.pk): each for each in there.filter(pk__in=chosen)}

    def outcome(self, row: Row) -> str:
        if row.judged == WRONG:
            return WRONG
        if row.judged == KNOWN:
            row.became = self._meant(row.candidates[0])
            return KNOWN if row.became else UNDECIDED
        choice = NEW if row.judged == NEW else self._decisions.get(str(row.line), "")
        if choice == NEW:
            return self._enter(row)
        if choice == SKIP:
            return LEFT_OUT
        chosen = [each for each in row.candidates if each.choice == choice]
        row.became = self._meant(chosen[0]) if chosen else ""
        return self._join(row) if row.became else UNDECIDED

    def _meant(self, candidate: Candidate) -> str:
        """The organisation; of an earlier row, what it became, if anything."""
        return candidate.id or self._lines[candidate.line].became

    def _enter(self, row: Row) -> str:
        bearer = _bearer(row)
        seen = [self._meant(candidate) for candidate in row.candidates]
        twin = self._register.known(bearer, but=seen)
        if twin:
            row.became = twin.id
            return KNOWN
        organisation = Organisation(
            name=row.name,
            other_names=row.other_names,
            **{fact: getattr(row, fact) for fact in FACTS},
        )
        row.became = bearer.id = str(organisation.pk)
        self._created[row.became] = organisation
        self._register.add(bearer)
        return CREATED

    def _join(self, row: Row) -> str:
        organisation = self._created.get(row.became) or self._there.get(row.became)
        if organisation is None:
            row.became = ""
            return UNDECIDED
        self._before.setdefault(row.became, _facts(organisation))
        spellings = [organisation.name, *organisation.other_names]
        new = [each for each in (row.name, *row.other_names) if each not in spellings]
        organisation.other_names = [*organisation.other_names, *new]
        for fact in FACTS:
            if not getattr(organisation, fact):
                setattr(organisation, fact, getattr(row, fact))
        if row.became in self._there:
            self._changed[row.became] = organisation
        return JOINED

    def keep(self, by: User, now: datetime) -> None:
        changed = [
            organisation
            for pk, organisation in self._changed.items()
            if _facts(organisation) != self._before[pk]
        ]
        for organisation in [*self._created.values(), *changed]:
            organisation.fold()
        Organisation.objects.bulk_create(self._created.values(), batch_size=BLOCK)
        fields = [*FACTS, "other_names", "search_text"]
        Organisation.objects.bulk_update(changed, fields, batch_size=BLOCK)
        trail.record_many(self._entry(organisation, by, now) for organisation in changed)

    def _entry(self, organisation: Organisation, by: User, now: datetime) -> Entry:
        before, after = self._before[str(organisation.pk)], _facts(organisation)
        other = [fact for fact in after if after[fact] != before[fact]]
        return trail.act(
            by,
            COMPLETED,
            organisation,
            at=now,
            scope=None,
            before={fact: before[fact] for fact in other},
            after={fact: after[fact] for fact in other},
        )


def _facts(organisation: Organisation) -> dict[str, Any]:
    facts: dict[str, Any] = {fact: str(getattr(organisation, fact)) for fact in FACTS}
    return facts | {"other_names": list(organisation.other_names)}


def _is_id(choice: str) -> bool:
    try:
        UUID(choice)
    except ValueError:
        return False
    return True
