"""How two entries of one organisation, or of one person, become one; and two again.

Everything that belongs to the entry that is taken in goes to the one that is kept. The other stays
as a stub that nobody finds, with `merged_into`. What has moved is remembered row by row, so that
for a day all of it can go back.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import capacity
from events.models import Event
from events.rights import Right
from notifications import recall
from registrations import mails, refusals
from registrations.models import GONE, Delegate, Exemption, Merge, Registration
from stakeholders.models import Membership, Organisation, Representative

State, Kind = Membership.State, Membership.Kind
STRENGTH = [State.LEFT, State.ASKED, State.INVITED, State.ACTIVE]

RELATIONS = {
    Organisation: {
        "stakeholders.Membership.organisation",
        "stakeholders.Representative.organisation",
        "stakeholders.Organisation.merged_into",
        "registrations.Registration.organisation",
        "registrations.Exemption.organisation",
        "registrations.Merge.organisation",
    },
    Membership: {
        "registrations.Registration.colleagues",
        "registrations.Registration_colleagues.membership",
    },
    Representative: {
        "stakeholders.Representative.merged_into",
        "registrations.Delegate.representative",
    },
}
"""Whatever points to what a merge moves. All of it goes to the entry that is kept, but for earlier
merges, which stay where they were made: they can be undone after this one."""


@dataclass(frozen=True)
class Member:
    """Somebody who belongs to one of the two organisations, or to both."""

    user: User
    of_kept: Membership | None
    of_taken: Membership | None

    @property
    def rows(self) -> list[Membership]:
        return [one for one in (self.of_kept, self.of_taken) if one]

    @property
    def active(self) -> list[Membership]:
        return [one for one in self.rows if one.state == State.ACTIVE]

    @property
    def leads(self) -> bool:
        return any(one.kind == Kind.FOCAL_POINT for one in self.active)

    @property
    def is_known(self) -> bool:
        """They have access to the one that is kept already."""
        return any(one == self.of_kept for one in self.active)

    def outcome(self, stays: bool, now: datetime) -> dict[str, Any]:
        """As what they belong to the one that is kept. Whoever was invited to the other one was not
        invited to this one."""
        if self.active and stays:
            kind = Kind.FOCAL_POINT if self.leads else Kind.MEMBER
            since = self.active[0].since
            return {"state": State.ACTIVE, "kind": kind, "since": since}
        if self.active:
            return {"state": State.ASKED, "kind": Kind.MEMBER, "since": now}
        lasting = [one for one in self.rows if one == self.of_kept or one.state != State.INVITED]
        if not lasting:
            return {"state": State.LEFT}
        best = max(lasting, key=lambda one: STRENGTH.index(State(one.state)))
        return {"state": best.state, "kind": best.kind, "since": best.since}


@dataclass(frozen=True)
class Plan:
    """What would become of everything that belongs to two organisations."""

    kept: Organisation
    taken: Organisation
    moving: list[Registration]
    behind: list[Registration]
    """Withdrawn or empty, where the other one is registered for the same event."""
    both: list[tuple[Registration, Registration]]
    exemptions: list[Exemption]
    exemptions_of_both: list[tuple[Exemption, Exemption]]
    members: list[Member]
    people: list[Representative]
    twins: list[tuple[Representative, Representative]]
    """Entered for both in the same words."""
    facts: dict[str, Any]
    """What the one that is kept learns."""

    @property
    def active(self) -> list[Member]:
        return [one for one in self.members if one.active]

    @cached_property
    def sure(self) -> set[uuid.UUID]:
        """Those whose access nobody need think about: they have it already, or there is nobody yet
        who could be shown something."""
        has_points = any(one.leads and one.is_known for one in self.active)
        return {one.user.pk for one in self.active if one.is_known or not has_points}

    @property
    def mark(self) -> str:
        """Another one as soon as something about it has changed."""
        told = [
            *((row.mark, row.other_names) for row in (self.kept, self.taken)),
            *((one.pk, one.withdrawn_at, one.sent_at) for one in [*self.moving, *self.behind]),
            *((one.pk, other.pk) for one, other in self.both),
            *((one.pk, one.until) for one in self.exemptions),
            *((one.until, other.until) for one, other in self.exemptions_of_both),
            *((row.pk, row.state, row.kind) for one in self.members for row in one.rows),
            *(one.pk for one in self.people),
        ]
        return _digest(told)


@dataclass(frozen=True)
class PersonPlan:
    """The same of two entries of one person."""

    kept: Representative
    taken: Representative
    moving: list[Delegate]
    behind: list[Delegate]
    both: list[Delegate]

    @property
    def mark(self) -> str:
        named = [(one.given_names, one.family_name, one.email) for one in (self.kept, self.taken)]
        people = [*self.moving, *self.behind, *self.both]
        return _digest([*named, *((one.pk, one.state) for one in people)])


def look(kept: Organisation, taken: Organisation) -> Plan:
    """What would happen if the second one were taken into the first."""
    registrations = Registration.objects.select_related("event", "organisation").order_by("pk")
    there = {one.event_id: one for one in registrations.filter(organisation=kept)}
    moving: list[Registration] = []
    behind: list[Registration] = []
    both: list[tuple[Registration, Registration]] = []
    for one in registrations.filter(organisation=taken):
        if one.event_id not in there:
            moving.append(one)
        elif _is_void(one):
            behind.append(one)
        else:
            both.append((there[one.event_id], one))
    let_in = {one.event_id: one for one in kept.exemptions.all()}
    exemptions = list(taken.exemptions.order_by("pk"))
    entries = Representative.everyone.filter(organisation=taken).order_by("search_text", "pk")
    known = {_facts_of(one): one for one in kept.representatives.all()}
    live = [one for one in entries if one.merged_into_id is None]
    return Plan(
        kept,
        taken,
        moving,
        behind,
        both,
        [one for one in exemptions if one.event_id not in let_in],
        [(let_in[one.event_id], one) for one in exemptions if one.event_id in let_in],
        _members(kept, taken),
        list(entries),
        [(known[_facts_of(one)], one) for one in live if _facts_of(one) in known],
        _learnt(kept, taken),
    )


def look_at_people(kept: Representative, taken: Representative) -> PersonPlan:
    """What would happen if the second entry were taken into the first."""
    there = set(kept.delegates.values_list("registration", flat=True))
    named = taken.delegates.select_related("registration__event", "representative").order_by("pk")
    moving: list[Delegate] = []
    behind: list[Delegate] = []
    both: list[Delegate] = []
    for one in named:
        is_void = one.state in {*GONE, Delegate.State.WITHDRAWN}
        is_alone = one.registration_id not in there
        (moving if is_alone else behind if is_void else both).append(one)
    return PersonPlan(kept, taken, moving, behind, both)


def why_not(plan: Plan | PersonPlan, by: User) -> refusals.Refusal | None:
    """What keeps this organiser from it."""
    if isinstance(plan, Plan):
        for one in (plan.kept, plan.taken):
            if _is_elsewhere(Registration.objects.filter(organisation=one), by):
                return refusals.ElsewhereToo(one, settings.CONTACT_EMAIL)
        return refusals.BothRegistered(*plan.both[0]) if plan.both else None
    if plan.kept.organisation_id != plan.taken.organisation_id:
        return refusals.OtherPeople(plan.taken)
    named = Registration.objects.filter(delegates__representative=plan.taken)
    if _is_elsewhere(named, by):
        return refusals.ElsewhereToo(plan.taken, settings.CONTACT_EMAIL)
    return refusals.BothInDelegation(plan.both[0]) if plan.both else None


@transaction.atomic
def take_in(
    kept: Organisation,
    other: Organisation,
    *,
    staying: Collection[uuid.UUID],
    seen: str,
    by: User,
    now: datetime,
) -> Merge:
    """Make another entry of an organisation part of the one that is kept. Of those who belong to
    them the users `staying` have access from now on; the others have to be let in. `seen` is the
    mark of what was looked at.

    Refuses with SameEntry, TakenIn, MergeChanged, ElsewhereToo, BothRegistered and NobodyLeads.
    """
    if kept.pk == other.pk:
        raise refusals.SameEntry
    pair = [kept.pk, other.pk]
    _hold(Registration.objects.filter(organisation__in=pair))
    rows = _held_organisations(pair)
    plan = look(rows[kept.pk], rows[other.pk])
    _check(plan, seen, by)
    leading = [one.user for one in plan.active if one.leads]
    waiting = [one.user for one in plan.active if one.user.pk not in staying]
    if leading and all(user in waiting for user in leading):
        raise refusals.NobodyLeads(plan.kept)
    moves = _Moves()
    _learn(plan, moves, by=by, now=now)
    _move_delegations(plan, moves, by=by, now=now)
    _move_members(plan, moves, staying, by=by, now=now)
    _move_people(plan, moves)
    for stub in [*Organisation.everyone.filter(merged_into=plan.taken), plan.taken]:
        moves.put(stub, merged_into_id=plan.kept.pk)
    merge = Merge.objects.create(
        kind=Merge.Kind.ORGANISATION,
        organisation=plan.kept,
        kept_id=plan.kept.pk,
        taken_id=plan.taken.pk,
        by=by,
        at=now,
        moved=moves.rows,
    )
    _remember(merge, TOOK_IN, WAS_TAKEN_IN, by=by, now=now)
    mails.merged(merge, dict.fromkeys([*leading, *waiting]), waiting, now=now)
    return merge


@transaction.atomic
def take_in_person(
    kept: Representative, other: Representative, *, seen: str, by: User, now: datetime
) -> Merge:
    """Make another entry of a person part of the one that is kept, in each delegation.

    Refuses with SameEntry, MergeChanged, OtherPeople, ElsewhereToo and BothInDelegation.
    """
    if kept.pk == other.pk:
        raise refusals.SameEntry
    pair = [kept.pk, other.pk]
    _hold(Registration.objects.filter(delegates__representative__in=pair))
    rows = _held_people(pair)
    if len(rows) < len(pair):
        raise refusals.MergeChanged
    plan = look_at_people(rows[kept.pk], rows[other.pk])
    _check(plan, seen, by)
    moves = _Moves()
    _join(plan.kept, plan.taken, moves, plan.moving)
    merge = Merge.objects.create(
        kind=Merge.Kind.PERSON,
        organisation_id=plan.kept.organisation_id,
        kept_id=plan.kept.pk,
        taken_id=plan.taken.pk,
        by=by,
        at=now,
        moved=moves.rows,
    )
    _remember(merge, PERSON_TOOK_IN, PERSON_TAKEN_IN, by=by, now=now)
    _tell_of_facts(plan.moving, plan.taken, plan.kept, by=by, now=now)
    return merge


@transaction.atomic
def undo(merge: Merge, *, by: User, now: datetime) -> None:
    """Make two of them again. Refuses with CannotUnmerge, ElsewhereToo, and with InTheWay,
    which names what stands in the way."""
    moved = Registration.objects.filter(pk__in=_registrations_of(merge))
    _hold(moved)
    held = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    if held.kind == Merge.Kind.ORGANISATION:
        list(Organisation.everyone.select_for_update(no_key=True).filter(pk=held.kept_id))
    if not held.can_be_undone(now):
        raise refusals.CannotUnmerge(held)
    if _is_elsewhere(moved, by):
        raise refusals.ElsewhereToo(held.kept, settings.CONTACT_EMAIL)
    rows = _moved_rows(held)
    if found := list(_in_the_way(held, rows)):
        raise refusals.InTheWay(found)
    for row, before, _after in reversed(rows):
        for name, value in before.items():
            setattr(row, name, row._meta.get_field(name).to_python(value))
        row.save(update_fields=list(before))
    held.undone_at, held.undone_by = now, by
    held.save(update_fields=["undone_at", "undone_by"])
    _remember(held, UNDONE, UNDONE, by=by, now=now)
    if held.kind == Merge.Kind.ORGANISATION:
        back = [
            row
            for row, before, _after in rows
            if isinstance(row, Registration) and "organisation_id" in before
        ]
        _tell_of_move(back, WENT_BACK, held.kept, held.taken, by=by, now=now)
        points = Membership.objects.of_focal_points().select_related("user")
        of_both = points.filter(organisation__in=[held.kept_id, held.taken_id])
        mails.unmerged(held, list({one.user_id: one.user for one in of_both}.values()), now=now)
    else:
        people = [row for row, _before, _after in rows if isinstance(row, Delegate)]
        _tell_of_facts(people, held.kept, held.taken, by=by, now=now)
    merge.refresh_from_db()


def stands_in_the_way(merge: Merge) -> list[str]:
    """What was touched since, in words; nothing where it can be undone."""
    return list(_in_the_way(merge, _moved_rows(merge)))


TOOK_IN = gettext_noop("another entry taken in")
WAS_TAKEN_IN = gettext_noop("taken into another entry")
PERSON_TOOK_IN = gettext_noop("another entry of this person taken in")
PERSON_TAKEN_IN = gettext_noop("taken into another entry of this person")
UNDONE = gettext_noop("merge undone")
CAME = gettext_noop("came with another entry")
WENT_BACK = gettext_noop("went back with its entry")


class _Moves:
    """Rows, as they were and as they are since."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []

    def put(self, row: models.Model, **after: Any) -> None:
        before = {name: getattr(row, name) for name in after}
        changed = [name for name in after if before[name] != after[name]]
        if not changed:
            return
        for name in changed:
            setattr(row, name, after[name])
        row.save(update_fields=changed)
        self.rows.append(
            [
                row._meta.label,
                str(row.pk),
                {name: _plain(before[name]) for name in changed},
                {name: _plain(after[name]) for name in changed},
            ]
        )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, list)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _digest(told: Sequence[Any]) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:20]


# Hold


def _hold(registrations: models.QuerySet[Registration]) -> None:
    """The seats of their events, then the registrations: nobody is entered, decided about or let in
    there meanwhile."""
    for event in sorted(set(registrations.values_list("event", flat=True))):
        capacity.hold_only(Event(pk=event))
    chosen = Registration.objects.filter(pk__in=registrations.values("pk"))
    list(chosen.select_for_update(of=("self",)).order_by("pk"))


def _held_organisations(pks: Collection[uuid.UUID]) -> dict[uuid.UUID, Organisation]:
    rows = Organisation.everyone.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk")
    for row in rows:
        if row.merged_into_id:
            raise refusals.TakenIn(row)
    return {row.pk: row for row in rows}


def _held_people(pks: Collection[uuid.UUID]) -> dict[uuid.UUID, Representative]:
    rows = Representative.objects.select_for_update(no_key=True, of=("self",))
    return {row.pk: row for row in rows.filter(pk__in=pks).order_by("pk")}


def _check(plan: Plan | PersonPlan, seen: str, by: User) -> None:
    if plan.mark != seen:
        raise refusals.MergeChanged
    if refused := why_not(plan, by):
        raise refused


def _is_elsewhere(registrations: models.QuerySet[Registration], by: User) -> bool:
    """Some are for events that this organiser does not run."""
    if by.is_superuser:
        return False
    return registrations.exclude(event__in=Event.objects.open_to(by, Right.RUN)).exists()


# Look


def _is_void(registration: Registration) -> bool:
    """Nothing is lost if nobody of the group sees it any more."""
    is_empty = registration.is_draft and not registration.delegates.exists()
    return registration.is_withdrawn or is_empty


def _members(kept: Organisation, taken: Organisation) -> list[Member]:
    rows = Membership.objects.filter(organisation__in=[kept, taken]).select_related("user")
    by_user: dict[uuid.UUID, dict[uuid.UUID, Membership]] = {}
    for row in rows.order_by("user__email", "pk"):
        by_user.setdefault(row.user_id, {})[row.organisation_id] = row
    return [
        Member(next(iter(own.values())).user, own.get(kept.pk), own.get(taken.pk))
        for own in by_user.values()
    ]


def _facts_of(person: Representative) -> tuple[str, str, str]:
    return person.given_names, person.family_name, person.email


def _learnt(kept: Organisation, taken: Organisation) -> dict[str, Any]:
    """The names by which the other one was known, and facts that were missing."""
    spelled = [kept.name, kept.acronym, *kept.other_names]
    names = [taken.name, taken.acronym if kept.acronym else "", *taken.other_names]
    new = [name for name in dict.fromkeys(names) if name and name not in spelled]
    learnt: dict[str, Any] = {"other_names": [*kept.other_names, *new]} if new else {}
    for fact in Organisation.FACTS:
        if not getattr(kept, fact) and getattr(taken, fact):
            learnt[fact] = str(getattr(taken, fact))
    return learnt


# Move


def _learn(plan: Plan, moves: _Moves, *, by: User, now: datetime) -> None:
    if not plan.facts:
        return
    before = {name: _plain(getattr(plan.kept, name)) for name in plan.facts}
    moves.put(plan.kept, **plan.facts)
    verb = gettext_noop("organisation corrected")
    trail.record(by, verb, plan.kept, at=now, scope=None, before=before, after=plan.facts)


def _move_delegations(plan: Plan, moves: _Moves, *, by: User, now: datetime) -> None:
    for registration in plan.moving:
        moves.put(registration, organisation_id=plan.kept.pk)
    for registration in plan.behind:
        if registration.is_draft:
            moves.put(registration, withdrawn_at=now)
    _tell_of_move(plan.moving, CAME, plan.taken, plan.kept, by=by, now=now)
    for exemption in plan.exemptions:
        moves.put(exemption, organisation_id=plan.kept.pk)
    for own, other in plan.exemptions_of_both:
        if other.until and (own.until is None or own.until < other.until):
            moves.put(
                own,
                until=other.until,
                answer=other.answer,
                answered_by_id=other.answered_by_id,
                answered_at=other.answered_at,
            )


def _move_members(
    plan: Plan, moves: _Moves, staying: Collection[uuid.UUID], *, by: User, now: datetime
) -> None:
    for member in plan.members:
        outcome = member.outcome(member.user.pk in staying, now)
        row = member.of_kept or member.rows[0]
        was_active = bool(member.active)
        if member.of_kept and member.of_taken:
            _end_twin(member.of_kept, member.of_taken, moves, now=now)
        moves.put(row, organisation_id=plan.kept.pk, **outcome)
        if was_active and outcome["state"] == State.ASKED:
            trail.record(
                by,
                gettext_noop("has to be let in after a merge"),
                row,
                at=now,
                scope=None,
                after={"user": str(row.user_id)},
            )


def _end_twin(own: Membership, other: Membership, moves: _Moves, *, now: datetime) -> None:
    """Somebody belongs to both: what they work on goes to the membership that stays."""
    for link in Registration.colleagues.through.objects.filter(membership=other).order_by("pk"):
        moves.put(link, membership_id=own.pk)
    moves.put(other, state=State.LEFT)
    recall.cancel(now=now, about=other.pk)


def _move_people(plan: Plan, moves: _Moves) -> None:
    twins = {other.pk: own for own, other in plan.twins}
    for person in plan.people:
        if own := twins.get(person.pk):
            _join(own, person, moves, person.delegates.order_by("pk"))
        moves.put(person, organisation_id=plan.kept.pk)


def _join(
    own: Representative, other: Representative, moves: _Moves, named: Iterable[Delegate]
) -> None:
    for delegate in named:
        moves.put(delegate, representative_id=own.pk)
    for stub in [*Representative.everyone.filter(merged_into=other), other]:
        moves.put(stub, merged_into_id=own.pk)


# Remember


def _remember(merge: Merge, of_kept: str, of_taken: str, *, by: User, now: datetime) -> None:
    kept, taken = merge.kept, merge.taken
    trail.record(by, of_kept, kept, at=now, scope=None, after={"taken_in": str(taken)})
    trail.record(by, of_taken, taken, at=now, scope=None, after={"kept": str(kept)})


def _tell_of_move(
    registrations: Iterable[Registration],
    verb: str,
    old: Any,
    new: Any,
    *,
    by: User,
    now: datetime,
) -> None:
    trail.record_many(
        trail.act(
            by,
            verb,
            registration,
            at=now,
            scope=registration.event_id,
            before={"organisation": str(old)},
            after={"organisation": str(new)},
        )
        for registration in registrations
    )


def _tell_of_facts(
    people: Iterable[Delegate], old: Any, new: Any, *, by: User, now: datetime
) -> None:
    for delegate in people:
        trail.record(
            by,
            gettext_noop("facts changed"),
            delegate,
            at=now,
            scope=delegate.registration.event_id,
            before={"name": str(old), "email": old.email},
            after={"name": str(new), "email": new.email},
        )


# Undo

Moved = tuple[Any, dict[str, Any], dict[str, Any]]


def _registrations_of(merge: Merge) -> list[str]:
    """Those that were moved, and those whose people were."""
    by_label: dict[str, list[str]] = {}
    for label, pk, _before, _after in merge.moved:
        by_label.setdefault(label, []).append(pk)
    people = Delegate.objects.filter(pk__in=by_label.get(Delegate._meta.label, []))
    named = people.values_list("registration", flat=True)
    return [*by_label.get(Registration._meta.label, []), *map(str, named)]


def _moved_rows(merge: Merge) -> list[Moved]:
    """In the order in which they were moved; who was dropped from a draft since is not missed."""
    wanted: dict[str, list[str]] = {}
    for label, pk, _before, _after in merge.moved:
        wanted.setdefault(label, []).append(pk)
    found: dict[tuple[str, str], Any] = {}
    for label, pks in wanted.items():
        for row in apps.get_model(label)._base_manager.filter(pk__in=pks):
            found[label, str(row.pk)] = row
    return [
        (found[label, pk], before, after)
        for label, pk, before, after in merge.moved
        if (label, pk) in found
    ]


def _in_the_way(merge: Merge, rows: Sequence[Moved]) -> Iterable[str]:
    last: dict[tuple[Any, str], Any] = {}
    for row, _before, after in rows:
        last |= {(row, name): value for name, value in after.items()}
    changed = {row for (row, name), value in last.items() if _plain(getattr(row, name)) != value}
    for row in dict.fromkeys(row for row, _before, _after in rows):
        if row in changed:
            yield _("%(what)s was changed") % {"what": row}
    if merge.kind == Merge.Kind.PERSON:
        taken: Any = merge.taken
        again = dict(zip(("given_names", "family_name", "email"), _facts_of(taken), strict=True))
        there = Representative.objects.filter(organisation=taken.organisation_id, **again)
        if there.exists():
            yield _("%(name)s was entered again") % {"name": taken}
        return
    delegations = [row for row, _before, _after in rows if isinstance(row, Registration)]
    people = {row.pk for row, _before, _after in rows if isinstance(row, Representative)}
    moved = {row.pk for row, _before, _after in rows if isinstance(row, Delegate)}
    named = Delegate.objects.select_related("representative", "registration").order_by("pk")
    of_delegations = named.filter(registration__in=delegations)
    for one in of_delegations.exclude(representative__in=people).exclude(pk__in=moved):
        yield _("%(name)s was entered in %(reference)s") % {
            "name": one,
            "reference": one.registration.reference,
        }
    theirs = named.filter(representative__in=people, registration__organisation=merge.kept_id)
    for one in theirs.exclude(registration__in=delegations):
        yield _("%(name)s was entered in %(reference)s") % {
            "name": one,
            "reference": one.registration.reference,
        }
