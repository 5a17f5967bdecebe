"""Rows that somebody copies from a spreadsheet and pastes: who stands in each, or what is wrong."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import texts
from registrations import refusals
from registrations.forms import PersonForm
from registrations.intake import Person
from registrations.models import Delegate
from stakeholders import matching, tables

MOST_ROWS = 200

READY, TWICE, THERE, WRONG = "ready", "twice", "there", "wrong"
"""What becomes of a row: it can be added, stands above already, is in the delegation already, or
has to be mended."""

ORDER = ("given_names", "family_name", "email", "role")
"""Of the columns, where no heading says otherwise."""
HEADINGS = {
    "given_names": """given names | given name | first name | first names | forename | forenames |
        prénom | prénoms | nombre | nombres | nombre de pila | الاسم الأول | الاسم الشخصي |
        الأسماء الشخصية | имя | имена | имя и отчество | 名 | 名字""",
    "family_name": """family name | family names | last name | last names | surname | surnames |
        nom de famille | nom | noms | apellido | apellidos | اسم العائلة | اللقب | الشهرة |
        النسبة | фамилия | 姓 | 姓氏""",
    "whole_name": """name | names | full name | person | participant | nom complet |
        nom et prénom | prénom et nom | nombre completo | nombre y apellido |
        nombre y apellidos | nombres y apellidos | الاسم | الاسم الكامل | фио | полное имя |
        имя и фамилия | фамилия и имя | участник | 姓名 | 全名""",
    "email": """email | e-mail | mail | email address | e-mail address | courriel |
        adresse électronique | adresse de courriel | adresse email | adresse e-mail |
        adresse mail | correo | correo electrónico | dirección de correo |
        dirección de correo electrónico | البريد الإلكتروني | البريد | عنوان البريد الإلكتروني |
        الإيميل | электронная почта | адрес электронной почты | эл почта | почта | имейл |
        电子邮件 | 电子邮箱 | 邮箱 | 电邮 | 电子邮件地址 | 邮件""",
    "role": """role | role at the event | function | rôle | fonction | rôle à l'événement | rol |
        función | cargo | الدور | الصفة | الدور في الفعالية | роль | функция |
        роль на мероприятии | 角色 | 职务 | 身份""",
}
Role = Delegate.Role
ROLES: dict[str, str] = {
    Role.HEAD: """head | leader | chief | chef | cheffe | chef de délégation |
        cheffe de délégation | jefe | jefa | jefe de delegación | jefa de delegación |
        رئيس الوفد | رئيسة الوفد | رئيس | глава | глава делегации | 团长 | 代表团团长""",
    Role.DELEGATE: """delegate | member | participant | délégué | déléguée | membre | delegado |
        delegada | miembro | مندوب | مندوبة | عضو | делегат | участник | член делегации |
        代表 | 成员""",
    Role.SPEAKER: """speaker | asks to speak | orateur | oratrice | orador | oradora | ponente |
        متحدث | متحدثة | докладчик | выступающий | 发言人 | 发言者""",
    Role.INTERPRETER: """interpreter | interprète | intérprete | مترجم | مترجمة | مترجم شفوي |
        переводчик | переводчица | 口译员 | 翻译""",
    Role.ASSISTANT: """assistant | personal assistant | assistante | assistant personnel |
        assistante personnelle | asistente | asistente personal | مساعد | مساعدة | مساعد شخصي |
        ассистент | помощник | личный помощник | 助理 | 个人助理""",
}
DELIMITERS = ("\t", ";؛；", ",،，")
"""Likeliest first; those of one kind may stand beside each other."""
QUOTED = re.compile(r'"[^"]*"')
AN_ADDRESS = re.compile(r"\S@\S+\.\S")


@dataclass
class Row:
    line: int
    """Where it begins, counted from 1."""
    text: str
    """As it was pasted."""
    said: dict[str, str]
    person: Person | None = None
    wrong: list[str] = field(default_factory=list)
    becomes: str = READY
    above: int = 0
    """The line in which the same person stands already."""

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.said["given_names"], self.said["family_name"]]))

    @property
    def role(self) -> str:
        """As its reader sees it: what was typed, where that is no role."""
        return str(Role(self.person.role).label) if self.person else self.said["role"]


@dataclass(frozen=True)
class Pasted:
    heading: str
    """The first row as it was pasted, where it says what the columns are."""
    rows: list[Row]
    unread: list[str]
    """Headings of columns that nobody asks for."""

    @property
    def ready(self) -> list[Row]:
        return [row for row in self.rows if row.becomes == READY]

    @property
    def there(self) -> list[Row]:
        return [row for row in self.rows if row.becomes == THERE]

    @property
    def wrong(self) -> list[Row]:
        return [row for row in self.rows if row.becomes == WRONG]

    @property
    def rest(self) -> str:
        """What has to be mended, to be pasted again."""
        wrong = [row.text for row in self.wrong]
        return "\n".join(filter(None, [self.heading, *wrong])) if wrong else ""

    @property
    def unread_said(self) -> str:
        return texts.listed(self.unread)


def read(text: str) -> Pasted:
    """Refuses with NothingPasted, NoNamesPasted and TooManyRows."""
    text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    filled = _filled_lines(text)
    columns, unread = _columns(filled[0][2]) if filled else ({}, [])
    heading = filled.pop(0)[1] if columns else ""
    if not filled:
        raise refusals.NothingPasted
    if len(filled) > MOST_ROWS:
        raise refusals.TooManyRows(len(filled), MOST_ROWS)
    if columns and "given_names" not in columns:
        raise refusals.NoNamesPasted
    rows = [_row(line, raw, cells, columns) for line, raw, cells in filled]
    _mark_twins(rows)
    return Pasted(heading, rows, unread)


def _filled_lines(text: str) -> list[tuple[int, str, list[str]]]:
    """Of each row that is not empty: where it begins, as it stands there, and its cells."""
    text, delimiter = _with_one_delimiter(text)
    records = _records(text, delimiter)
    lines = text.split("\n")
    ends = [line - 1 for line, _cells in records[1:]] + [len(lines)]
    filled = []
    for (line, values), end in zip(records, ends, strict=True):
        cells = [tables.clean(value) for value in values[: tables.MOST_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            filled.append((line, "\n".join(lines[line - 1 : end]).strip("\n"), cells))
    return filled


def _with_one_delimiter(text: str) -> tuple[str, str]:
    """The text with the kind that stands in most of its lines, all of them written alike."""
    text = text.removeprefix("\ufeff")
    lines = [line.strip() for line in QUOTED.sub("", text).split("\n")]
    kind = max(DELIMITERS, key=lambda kind: sum(not set(kind).isdisjoint(each) for each in lines))
    others = str.maketrans(dict.fromkeys(kind[1:], kind[0]))
    parts = re.split(f"({QUOTED.pattern})", text)
    parts[::2] = [part.translate(others) for part in parts[::2]]
    return "".join(parts), kind[0]


def _records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """A quotation mark that is never closed is taken for a letter."""
    for strict in (True, False):
        try:
            return list(tables.records(text, delimiter, strict=strict))
        except csv.Error as error:
            if "unexpected end" in str(error):
                break
    return [(line, row.split(delimiter)) for line, row in enumerate(text.split("\n"), start=1)]


def _columns(first: list[str]) -> tuple[dict[str, int], list[str]]:
    """Which column holds what, and the headings of those that are left; nothing where the first
    row is no heading."""
    found: dict[str, int] = {}
    unread = []
    for number, cell in enumerate(first):
        meant = spelled_headings().get(matching.compact(cell))
        if meant and meant not in found:
            found[meant] = number
        elif cell:
            unread.append(cell)
    is_heading = len(found) > 1 or len(found) * 2 >= sum(map(bool, first))
    if not found or not is_heading or any(map(AN_ADDRESS.search, first)):
        return {}, []
    whole_name = found.pop("whole_name", None)
    if "given_names" not in found:
        given_names = found.pop("family_name", None) if whole_name is None else whole_name
        if given_names is not None:
            found["given_names"] = given_names
    return found, unread


def _row(line: int, text: str, cells: list[str], columns: Mapping[str, int]) -> Row:
    places = columns or {name: number for number, name in enumerate(ORDER)}
    said = {
        name: cells[places[name]] if places.get(name, len(cells)) < len(cells) else ""
        for name in ORDER
    }
    if not said["given_names"]:
        said |= {"given_names": said["family_name"], "family_name": ""}
    row = Row(line, text, said)
    role = spelled_roles().get(matching.compact(said["role"])) if said["role"] else Role.DELEGATE
    form = PersonForm(said | {"role": role or Role.DELEGATE})
    row.wrong = [
        *_out_of_order(said, [] if columns else cells),
        *(
            _("%(question)s: %(error)s") % {"question": form[name].label, "error": error}
            for name, errors in form.errors.items()
            for error in errors
        ),
        *([] if role else [no_role(said["role"])]),
    ]
    if row.wrong:
        row.becomes = WRONG
    else:
        row.person = form.person()
    return row


def _out_of_order(said: Mapping[str, str], cells: list[str]) -> list[str]:
    """Why the columns are not in the order that is read; `cells` where no heading says it."""
    if len(cells) > len(ORDER):
        return [
            ngettext(
                "There is %(n)s cell in this row, and four are read. Write above the columns "
                "what they hold.",
                "There are %(n)s cells in this row, and four are read. Write above the columns "
                "what they hold.",
                len(cells),
            )
            % {"n": len(cells)}
        ]
    return [
        _(
            "“%(text)s” stands where a name should be. Write above the columns what they hold, or "
            "keep the order: given names, family name, email address, role."
        )
        % {"text": said[name]}
        for name in ("given_names", "family_name")
        if AN_ADDRESS.search(said[name])
    ]


def no_role(word: str) -> str:
    return _("“%(word)s” is no role. Write one of these, or nothing for a delegate: %(roles)s.") % {
        "word": word,
        "roles": texts.listed(Role.labels),
    }


def _mark_twins(rows: list[Row]) -> None:
    first: dict[tuple[str, ...], int] = {}
    for row in rows:
        if row.person:
            facts = (row.person.given_names, row.person.family_name, row.person.email)
            above = first.setdefault(tuple(map(str.casefold, facts)), row.line)
            if above != row.line:
                row.becomes, row.above = TWICE, above


@cache
def spelled_headings() -> dict[str, str]:
    return spelled(HEADINGS)


@cache
def spelled_roles() -> dict[str, str]:
    """As people write them, and as the portal calls them in each of its languages."""
    roles = spelled(ROLES)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            roles |= {matching.compact(str(label)): role for role, label in Role.choices}
    return roles


def spelled(meanings: Mapping[str, str]) -> dict[str, str]:
    return {
        matching.compact(spelling): meant
        for meant, spellings in meanings.items()
        for spelling in spellings.split("|")
    }
