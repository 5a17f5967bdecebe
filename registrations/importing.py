"""How a list of people that an organiser brings becomes delegations.

A list is read, its columns are named, and every row is told its fate before anybody comes in. All
who come in do so together, once.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events import capacity
from events.models import Event, Track
from registrations import intake, mails, pasting, references, refusals
from registrations.forms import PersonForm
from registrations.intake import Person
from registrations.models import (
    AWAITS_DECISION,
    GONE,
    SEATED,
    Delegate,
    ImportRun,
    Registration,
)
from stakeholders import importing as lists
from stakeholders import matching, membership, tables
from stakeholders import refusals as list_refusals
from stakeholders.models import Organisation, Representative

COMES, THERE, ASKS, WRONG = "comes", "there", "asks", "wrong"
"""What becomes of a row: it comes in, is in the delegation already, needs a person to say which
organisation is meant, or has to be mended."""
FATES = (COMES, ASKS, WRONG, THERE)

OF_THE_GROUP = ("organisation", "country", "category")
OF_THE_PERSON = ("given_names", "family_name", "email", "role", "access_needs")
NEEDED = ("organisation", "given_names")
MEANINGS = {
    "organisation": gettext_lazy("Organisation"),
    "country": gettext_lazy("Country"),
    "category": gettext_lazy("Stakeholder group"),
    "given_names": gettext_lazy("Given names"),
    "family_name": gettext_lazy("Family name"),
    "email": gettext_lazy("Email address"),
    "role": gettext_lazy("Role"),
    "access_needs": gettext_lazy("Access needs"),
}
HEADINGS = {
    "organisation": """affiliation | entity | institution | employer | délégation | delegación |
        institución | الجهة | الوفد | учреждение | делегация | 单位 | 代表团""",
    "access_needs": """access needs | access need | accessibility | accessibility needs |
        special needs | accessibilité | besoins d'accessibilité | besoins particuliers |
        accesibilidad | necesidades de accesibilidad | necesidades especiales |
        احتياجات الوصول | إمكانية الوصول | احتياجات خاصة | доступность |
        потребности в доступности | особые потребности | 无障碍 | 无障碍需求 | 特殊需求""",
}
WHY = {
    "no_organisation": gettext_lazy("No organisation is named."),
    "twice": gettext_lazy("The same person stands in line %(value)s already."),
    "there": gettext_lazy("%(value)s is in the delegation already."),
    "head": gettext_lazy("%(value)s leads this delegation already. There can be only one."),
    "near": gettext_lazy("“%(value)s” is like an organisation that is known. Say which is meant."),
    "draft": gettext_lazy("The group has begun a delegation itself, and not sent it: %(value)s."),
    "withdrawn": gettext_lazy("The group has withdrawn its delegation: %(value)s."),
    "incomplete": gettext_lazy(
        "Of “%(value)s” the country or the stakeholder group is not known. Write both in the row."
    ),
    "other_category": gettext_lazy("Line %(value)s names another stakeholder group for it."),
    "other_country": gettext_lazy("Line %(value)s names another country for it."),
}
BLOCK = 1000


@dataclass
class Row:
    line: int
    fate: str = COMES
    why: list[str] = field(default_factory=list)
    """The reason, and what it is about."""
    group: int = 0
    """The line that names its organisation first in these words."""
    target: str = ""
    """The organisation, or “line:3”: the one that this line makes."""
    name: str = ""
    organisation: str = ""
    was: str = ""
    """Its fate before, where that has changed since somebody looked."""


# Read


def read(event: Event, file_name: str, content: bytes, *, by: User, now: datetime) -> ImportRun:
    """Keep a list, with a guess of what its columns hold. Refuses as `tables.read` does, and
    where nobody can be registered: NotTakingPlace, NoRegistration, WindowNotOpen and HasBegun."""
    _check_window(event, now)
    table = tables.read(content)
    if not table.rows:
        raise list_refusals.NotATable(_("There are headings in this list, and no rows."))
    width = max(len(row.cells) for row in [tables.Row(0, table.headings), *table.rows])
    headings = [*table.headings, *[""] * (width - len(table.headings))]
    name = tables.clean(file_name.replace("\\", "/").rsplit("/", 1)[-1])[:255]
    return ImportRun.objects.create(
        event=event,
        by=by,
        at=now,
        file_name=name or _("list without a name"),
        read_as=table.read_as[:100],
        table={"headings": headings, "rows": [[row.line, row.cells] for row in table.rows]},
        columns=guess(headings),
    )


def guess(headings: Sequence[str]) -> list[str]:
    """What each column seems to hold; nothing where nobody can know."""
    found: list[str] = []
    for heading in headings:
        meant = _spelled().get(matching.compact(heading), "")
        found.append(meant if meant not in found else "")
    if "whole_name" in found:
        at = found.index("whole_name")
        found[at] = "" if "given_names" in found else "given_names"
    if "given_names" not in found and "family_name" in found:
        found[found.index("family_name")] = "given_names"
    return found


def samples(run: ImportRun, column: int) -> list[str]:
    """The first three values of a column that differ."""
    cells = (row[column] for _line, row in run.table["rows"] if column < len(row))
    found: dict[str, None] = {}
    for cell in cells:
        if cell:
            found[cell] = None
        if len(found) == 3:
            break
    return list(found)


@cache
def _spelled() -> dict[str, str]:
    """As people write them, and as the portal calls them in each of its languages."""
    of_groups = pasting.spelled(
        {
            "organisation": lists.HEADINGS["name"],
            "country": lists.HEADINGS["country"],
            "category": lists.HEADINGS["category"],
        }
    )
    known = of_groups | pasting.spelled_headings() | pasting.spelled(HEADINGS)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            known |= {matching.compact(str(said)): meant for meant, said in MEANINGS.items()}
    return known


# Name the columns, decide


@transaction.atomic
def choose(run: ImportRun, columns: Sequence[str], *, track: Track | None = None) -> None:
    """Say what each column holds, an empty word for what is left; then every row has its fate.
    Refuses with ImportApplied, ColumnMissing, TrackMissing and TooAlike."""
    held = _held(run)
    missing = [str(MEANINGS[name]) for name in NEEDED if name not in columns]
    if missing:
        raise refusals.ColumnMissing(missing)
    if track is None and held.event.tracks.exists():
        raise refusals.TrackMissing
    held.columns, held.track, held.decisions = list(columns), track, {}
    _keep(held, _Look(held))
    run.refresh_from_db()


@transaction.atomic
def decide(run: ImportRun, decisions: Mapping[int, str]) -> None:
    """Keep which organisation is meant, by the line that names it first: “new”, or the one that it
    is; an empty word takes a decision back. Refuses with ImportApplied and NotOffered, and then
    keeps none of them."""
    held = _held(run)
    near = {group.line: group for group in groups(held) if group.judged == lists.NEAR}
    for line, choice in decisions.items():
        if line not in near or choice not in ["", *_choices(near[line])]:
            raise list_refusals.NotOffered(line)
        held.decisions[str(line)] = choice
    held.decisions = {line: choice for line, choice in held.decisions.items() if choice}
    _keep(held, _Look(held, groups(held)))
    run.refresh_from_db()


@transaction.atomic
def look_again(run: ImportRun) -> int:
    """Tell every row its fate as things stand now: how many have another one. Refuses with
    ImportApplied."""
    held = _held(run)
    look = _Look(held)
    changed = look.differing(rows(held))
    for row, before in changed:
        row.was = before.fate
    _keep(held, look)
    run.refresh_from_db()
    return len(changed)


def rows(run: ImportRun) -> list[Row]:
    return [Row(**data) for data in run.rows]


def groups(run: ImportRun) -> list[lists.Row]:
    return [lists.Row.of(data) for data in run.groups]


def undecided(run: ImportRun) -> list[lists.Row]:
    """The organisations that a person has to tell apart still."""
    asked = {row.group for row in rows(run) if row.fate == ASKS}
    return [group for group in groups(run) if group.line in asked]


def unread(run: ImportRun) -> list[str]:
    """The headings of columns that nobody asks for."""
    headings = run.table.get("headings", [])
    named = zip(headings, run.columns, strict=False)
    return [heading for heading, meant in named if heading and not meant]


def said(run: ImportRun) -> dict[int, dict[str, str]]:
    """What each line says, by what its columns hold."""
    places = {meant: at for at, meant in enumerate(run.columns) if meant}
    return {line: _said(cells, places) for line, cells in run.table.get("rows", [])}


def reason(row: Row, typed: Mapping[str, str]) -> str:
    """Why it does not come in, or nothing."""
    if not row.why:
        return ""
    code, value = row.why
    if code == "person":
        form = PersonForm({**typed, "role": Delegate.Role.DELEGATE})
        return " ".join(
            _("%(question)s: %(error)s") % {"question": form[name].label, "error": errors[0]}
            for name, errors in form.errors.items()
        )
    if code == "role":
        return pasting.no_role(value)
    if code == "cap":
        return str(refusals.OverCap(int(value)))
    if code in WHY:
        return str(WHY[code]) % {"value": value}
    return _("Organisation: %(sentence)s") % {
        "sentence": str(lists.REASONS[code]) % {"value": value}
    }


def _said(cells: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    typed = dict.fromkeys(MEANINGS, "")
    typed |= {name: cells[at] if at < len(cells) else "" for name, at in places.items()}
    if not typed["given_names"]:
        typed |= {"given_names": typed["family_name"], "family_name": ""}
    return typed


def _choices(group: lists.Row) -> list[str]:
    return [choice for choice in group.choices if choice != lists.SKIP]


def _held(run: ImportRun) -> ImportRun:
    held = ImportRun.objects.select_for_update(of=("self",)).select_related("event").get(pk=run.pk)
    if held.applied_at:
        raise refusals.ImportApplied(held)
    return held


def _keep(run: ImportRun, look: "_Look") -> None:
    run.groups = [asdict(group) for group in look.groups]
    run.rows = [asdict(row) for row in look.rows]
    run.counts = _counts(look.rows)
    run.save()


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    found = Counter(row.fate for row in rows)
    return {fate: found[fate] for fate in FATES}


def _check_window(event: Event, now: datetime) -> None:
    """After the close too, as long as the event has not passed."""
    if not event.is_published:
        raise refusals.NotTakingPlace(event)
    deadline = event.registration_deadline
    if deadline is None:
        raise refusals.NoRegistration(event)
    if deadline.is_not_yet_open(now):
        raise refusals.WindowNotOpen(deadline)
    if event.is_over(now):
        raise refusals.HasBegun(event)


# Look


class _Target:
    """An organisation that people of the list come for, known or new."""

    def __init__(
        self, key: str, group: lists.Row, organisation: Organisation | None, cap: int | None
    ) -> None:
        self.key, self._cap = key, cap
        self.organisation = organisation
        self.name = organisation.name if organisation else group.name
        self.country = str(organisation.country) if organisation else group.country
        self.category = organisation.category if organisation else group.category
        self.said_in = {"country": group.line, "category": group.line}
        self.registration: Registration | None = None
        self.delegates: list[Delegate] = []
        self.lines: dict[tuple[str, ...], int] = {}

    def learn(self, group: lists.Row) -> None:
        """What is missing of it may stand in another row."""
        for fact in ("country", "category"):
            if not getattr(self, fact) and getattr(group, fact):
                setattr(self, fact, getattr(group, fact))
                self.said_in[fact] = group.line

    @cached_property
    def room(self) -> intake.Room:
        free = None if self._cap is None else self._cap - self._takers()
        return intake.Room(self.delegates, cap=self._cap, free=free)

    def _takers(self) -> int:
        """Whoever is to stand in for one who has a seat takes none."""
        seated = {one.pk for one in self.delegates if one.state in SEATED}
        return sum(
            one.needs_seat
            and one.state not in {*GONE, Delegate.State.WITHDRAWN}
            and not (one.state in AWAITS_DECISION and one.replaces_id in seated)
            for one in self.delegates
        )


class _Look:
    """What becomes of each row, as things stand now. It asks the database as often for many rows
    as for few. With `judged`, the names of organisations are not compared anew."""

    def __init__(
        self, run: ImportRun, judged: list[lists.Row] | None = None, *, is_held: bool = False
    ) -> None:
        self.run, self.event = run, run.event
        self.said = said(run)
        self.persons: dict[int, Person] = {}
        self._form = PersonForm({})
        self._roles = pasting.spelled_roles()
        self._lines: dict[tuple[str, ...], int] = {}
        for line, typed in self.said.items():
            self._lines.setdefault(_named(typed), line)
        self.groups = self._judged() if judged is None else judged
        self._by_line = {group.line: group for group in self.groups}
        self.targets = self._targets(is_held)
        self.rows = [self._row(line, typed) for line, typed in self.said.items()]

    def differing(self, before: Sequence[Row]) -> list[tuple[Row, Row]]:
        """Rows that have another fate, reason or organisation than before."""
        return [
            (row, old)
            for row, old in zip(self.rows, before, strict=True)
            if (row.fate, row.why, row.target) != (old.fate, old.why, old.target)
        ]

    def _judged(self) -> list[lists.Row]:
        found = []
        for named, line in self._lines.items():
            name, country, category = named
            found.append(lists.Row(line, name=name, country=country, category=category))
        lists.compare(found)
        return found

    def _meant(self, group: lists.Row) -> str:
        """The key of the organisation that is meant; nothing where a person has to say it."""
        choice = lists.NEW
        if group.judged == lists.KNOWN:
            choice = group.candidates[0].choice
        elif group.judged == lists.NEAR:
            choice = self.run.decisions.get(str(group.line), "")
            choice = choice if choice in _choices(group) else ""
        if choice == lists.NEW:
            return f"line:{group.line}"
        if choice.startswith("line:"):
            return self._meant(self._by_line[int(choice.removeprefix("line:"))])
        return choice

    def _targets(self, is_held: bool) -> dict[str, _Target]:
        right = [group for group in self.groups if group.judged != lists.WRONG]
        meant = {group.line: self._meant(group) for group in right}
        known = {key for key in meant.values() if key and not key.startswith("line:")}
        organisations = Organisation.objects.filter(pk__in=known).order_by("pk")
        if is_held:
            organisations = organisations.select_for_update(no_key=True)
        there = {str(each.pk): each for each in organisations}
        targets: dict[str, _Target] = {}
        for group in right:
            key = meant[group.line]
            if key in there or key.startswith("line:"):
                if key not in targets:
                    targets[key] = _Target(key, group, there.get(key), self.event.cap)
                targets[key].learn(group)
        self._keys = meant
        self._load(targets, list(there.values()), is_held)
        return targets

    def _load(self, targets: dict[str, _Target], there: list[Organisation], is_held: bool) -> None:
        """The delegations that are in the event already, and their people."""
        registrations = Registration.objects.filter(event=self.event, organisation__in=there)
        if is_held:
            registrations = registrations.select_for_update().order_by("pk")
        by_pk = {each.pk: each for each in registrations}
        for registration in by_pk.values():
            targets[str(registration.organisation_id)].registration = registration
        people = Delegate.objects.filter(registration__in=by_pk).select_related("representative")
        for delegate in people:
            delegate.registration = by_pk[delegate.registration_id]
            targets[str(delegate.registration.organisation_id)].delegates.append(delegate)

    def _row(self, line: int, typed: dict[str, str]) -> Row:
        group = self._by_line[self._lines[_named(typed)]]
        name = f"{typed['given_names']} {typed['family_name']}".strip()
        row = Row(line, group=group.line, name=name, organisation=typed["organisation"])
        row.fate, row.why = self._fate(row, group, typed)
        return row

    def _fate(self, row: Row, group: lists.Row, typed: dict[str, str]) -> tuple[str, list[str]]:
        if not typed["organisation"]:
            return WRONG, ["no_organisation", ""]
        if group.judged == lists.WRONG:
            return WRONG, group.wrong
        person, why = self._person(typed)
        if person is None:
            return WRONG, why
        target = self.targets.get(self._keys[group.line])
        if target is None:
            return ASKS, ["near", typed["organisation"]]
        row.target = target.key
        why = _unfit(target, group)
        if why:
            return WRONG, why
        key = intake.name_and_address(person)
        above = target.lines.setdefault(key, row.line)
        if above != row.line:
            return WRONG, ["twice", str(above)]
        refused = target.room.take(person)
        if isinstance(refused, refusals.ListedAlready):
            return THERE, ["there", person.full_name]
        if isinstance(refused, refusals.TwoHeads):
            return WRONG, ["head", target.room.head]
        if refused:
            return WRONG, ["cap", str(self.event.cap or 0)]
        self.persons[row.line] = person
        return COMES, []

    def _person(self, typed: dict[str, str]) -> tuple[Person | None, list[str]]:
        role = str(Delegate.Role.DELEGATE)
        if typed["role"]:
            role = self._roles.get(matching.compact(typed["role"]), "")
        if not role:
            return None, ["role", typed["role"][:100]]
        # One form for all rows: to make one of each takes longer than all the rest.
        self._form.data = typed | {"role": role}
        self._form.full_clean()
        return (None, ["person", ""]) if self._form.errors else (self._form.person(), [])


def _named(typed: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(typed[name] for name in OF_THE_GROUP)


def _unfit(target: _Target, group: lists.Row) -> list[str]:
    """Why nobody comes in for this organisation, or not as this row says."""
    there = target.registration
    if there and there.is_withdrawn:
        return ["withdrawn", there.reference]
    if there and there.is_draft:
        return ["draft", there.reference]
    if not (target.country and target.category):
        return ["incomplete", target.name]
    if target.organisation is None:
        for fact in ("country", "category"):
            if getattr(group, fact) not in ("", getattr(target, fact)):
                return [f"other_{fact}", str(target.said_in[fact])]
    return []


# Bring in


def apply(run: ImportRun, *, writes: bool = False, by: User, now: datetime) -> None:
    """Let all who can come in, or nobody; once. The delegations are sent, by the organisers;
    groups are written to only if somebody `writes`.

    Refuses with ImportApplied, NobodyComesIn, as `read` does where nobody can be registered, with
    ImportChanged what is no longer as it was looked at, and with ImportCrossed.
    """
    try:
        _apply(run, writes=writes, by=by, now=now)
    except IntegrityError:
        raise refusals.ImportCrossed from None


@transaction.atomic
def _apply(run: ImportRun, *, writes: bool, by: User, now: datetime) -> None:
    event = capacity.hold(run.event)
    held = _held(run)
    held.event = event
    _check_window(event, now)
    if not held.counts.get(COMES):
        raise refusals.NobodyComesIn
    Organisation.objects.hold_names()
    look = _Look(held, is_held=True)
    changed = look.differing(rows(held))
    if changed:
        raise refusals.ImportChanged(len(changed))
    work = _Work(look, writes=writes, by=by, now=now)
    work.enter()
    held.applied_at, held.applied_by = now, by
    entry = trail.record(
        by,
        gettext_noop("list of people brought in"),
        held,
        at=now,
        scope=event.id,
        after={"file_name": held.file_name, "people": len(work.delegates)},
    )
    held.brought = work.brought() | {"entry": entry.pk}
    held.save()
    run.refresh_from_db()


class _Work:
    """A list on its way in."""

    def __init__(self, look: _Look, *, writes: bool, by: User, now: datetime) -> None:
        self.run, self.event = look.run, look.event
        self.writes, self.by, self.now = writes, by, now
        self.people: dict[str, list[Person]] = defaultdict(list)
        for row in look.rows:
            if row.fate == COMES:
                self.people[row.target].append(look.persons[row.line])
        self.targets = {key: look.targets[key] for key in self.people}
        self.acts: list[Entry] = []
        self.created: list[Organisation] = []
        self.completed: dict[str, list[str]] = {}
        self.representatives: list[Representative] = []
        self.registrations: list[Registration] = []
        self.delegates: list[Delegate] = []

    def enter(self) -> None:
        self._organisations()
        self._registrations()
        self._people()
        if self.event.is_first_come:
            trail.record_many(self.acts)
            self._give_seats()
            return
        trail.record_many([*self.acts, *(self._sent(key) for key in self.targets)])
        if self.writes:
            self._write()

    def brought(self) -> dict[str, Any]:
        """What can be taken back."""
        return {
            "organisations": [str(each.pk) for each in self.created],
            "completed": self.completed,
            "registrations": [str(each.pk) for each in self.registrations],
            "representatives": [str(each.pk) for each in self.representatives],
            "delegates": {str(each.pk): each.state for each in self.delegates},
        }

    def _organisations(self) -> None:
        completed = []
        for target in self.targets.values():
            there = target.organisation
            if there is None:
                target.organisation = Organisation(
                    name=target.name, country=target.country, category=target.category
                )
                target.organisation.fold()
                self.created.append(target.organisation)
                after = {"name": target.name, "country": target.country}
                self.acts.append(self._act(membership.ENTERED, target.organisation, None, after))
            elif not (there.country and there.category):
                before = {"country": str(there.country), "category": there.category}
                there.country, there.category = target.country, target.category
                after = {"country": target.country, "category": target.category}
                self.completed[str(there.pk)] = [*before.values(), *after.values()]
                completed.append(there)
                verb = lists.COMPLETED
                self.acts.append(self._act(verb, there, None, after, before))
        Organisation.objects.bulk_create(self.created, batch_size=BLOCK)
        Organisation.objects.bulk_update(completed, ["country", "category"], batch_size=BLOCK)

    def _registrations(self) -> None:
        new = [target for target in self.targets.values() if target.registration is None]
        free = iter(_references(self.event.process.prefix, len(new)))
        for target in new:
            target.registration = Registration(
                event=self.event,
                organisation=target.organisation,
                reference=next(free),
                track=self.run.track,
                begun_at=self.now,
                sent_at=self.now,
            )
            self.registrations.append(target.registration)
        Registration.objects.bulk_create(self.registrations, batch_size=BLOCK)
        for target in self.targets.values():
            if target.registration and target.organisation:
                target.registration.event = self.event
                target.registration.organisation = target.organisation

    def _people(self) -> None:
        known = self._representatives()
        self._of: dict[str, list[Delegate]] = {}
        for key, people in self.people.items():
            target = self.targets[key]
            last = max((one.position for one in target.delegates), default=0)
            self._of[key] = [
                Delegate(
                    registration=target.registration,
                    representative=known[_facts(target, person)],
                    position=position,
                    role=person.role,
                    access_needs=person.access_needs,
                    state=Delegate.State.SUBMITTED,
                )
                for position, person in enumerate(people, start=last + 1)
            ]
            self.delegates += self._of[key]
        Delegate.objects.bulk_create(self.delegates, batch_size=BLOCK)

    def _representatives(self) -> dict[tuple, Representative]:
        """As their organisations know them, or entered anew."""
        wanted = {
            _facts(self.targets[key], person): self.targets[key].organisation
            for key, people in self.people.items()
            for person in people
        }
        known = self._known(wanted)
        new = []
        for facts, organisation in wanted.items():
            if facts not in known:
                _pk, given_names, family_name, email = facts
                entered = Representative(
                    organisation=organisation,
                    given_names=given_names,
                    family_name=family_name,
                    email=email,
                )
                entered.fold()
                new.append(entered)
        Representative.objects.bulk_create(new, batch_size=BLOCK)
        self.representatives = new
        return known | {_key_of(each): each for each in new}

    def _known(self, wanted: Mapping[tuple, Any]) -> dict[tuple, Representative]:
        likely = Representative.objects.filter(
            organisation__in={facts[0] for facts in wanted},
            given_names__in={facts[1] for facts in wanted},
        )
        return {_key_of(each): each for each in likely}

    def _sent(self, key: str) -> Entry:
        return self._act(
            gettext_noop("people entered from a list"),
            self.targets[key].registration,
            self.event.id,
            {"people": len(self._of[key])},
        )

    def _give_seats(self) -> None:
        for key, target in self.targets.items():
            registration = target.registration
            if registration:
                readers = mails.readers_of(registration) if self.writes else []
                people = self._of[key]
                intake.seat(
                    registration, people, self._sent(key), readers, by=self.by, now=self.now
                )

    def _write(self) -> None:
        deadline = self.event.registration_deadline
        for key, target in self.targets.items():
            if target.registration and deadline:
                mails.received(target.registration, deadline, now=self.now, people=self._of[key])

    def _act(
        self,
        verb: str,
        subject: Any,
        scope: uuid.UUID | None,
        after: dict[str, Any],
        before: dict[str, Any] | None = None,
    ) -> Entry:
        return trail.act(
            self.by, verb, subject, at=self.now, scope=scope, before=before, after=after
        )


def _facts(target: _Target, person: Person) -> tuple:
    pk = target.organisation.pk if target.organisation else None
    return pk, person.given_names, person.family_name, person.email


def _key_of(one: Representative) -> tuple:
    return one.organisation_id, one.given_names, one.family_name, one.email


def _references(prefix: str, wanted: int) -> list[str]:
    """As many that nobody has."""
    found: set[str] = set()
    while len(found) < wanted:
        new = {references.new(prefix) for _each in range(wanted - len(found))}
        taken = Registration.objects.filter(reference__in=new)
        found |= new - set(taken.values_list("reference", flat=True))
    return list(found)
