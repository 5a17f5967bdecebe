"""How a list of people that an organiser has brought in is taken back, and forgotten."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events import capacity
from notifications import recall
from notifications.models import Letter, LetterQuerySet
from registrations import refusals, waiting
from registrations.models import SEATED, Delegate, ImportRun, ImportRunQuerySet, Registration
from stakeholders.models import Membership, Organisation, Representative

STAYS = {
    "decided": gettext_lazy("decided about, asked or changed since"),
    "people": gettext_lazy("somebody is still in it"),
    "claimed": gettext_lazy("used, claimed or changed since"),
}


@dataclass(frozen=True)
class Leaving:
    """What would be taken back, and what stays: its name, and why."""

    delegates: list[Delegate]
    registrations: list[Registration]
    representatives: list[Representative]
    organisations: list[Organisation]
    completed: list[Organisation]
    stays: list[tuple[str, str]]


@transaction.atomic
def undo(run: ImportRun, *, by: User, now: datetime) -> None:
    """Take back whoever and whatever the list has brought in and nobody has touched since; the
    rest stays, and is named. The history keeps that it happened. Refuses with CannotUndo."""
    event = capacity.hold(run.event)
    held = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    held.event = event
    if not held.can_be_undone(now):
        raise refusals.CannotUndo(held)
    leaving = would_leave(held, is_held=True)
    had_seats = any(one.state in SEATED for one in leaving.delegates)
    _forget(leaving, held, by=by, now=now)
    held.undone_at = now
    held.stayed = [list(each) for each in leaving.stays]
    held.save(update_fields=["undone_at", "stayed"])
    trail.record(
        by,
        gettext_noop("list of people taken back"),
        held,
        at=now,
        scope=event.id,
        after={"people": len(leaving.delegates), "stayed": len(leaving.stays)},
    )
    if had_seats:
        waiting.fill(event, now=now)
    run.refresh_from_db()


def would_leave(run: ImportRun, *, is_held: bool = False) -> Leaving:
    """What nobody has touched since the list was brought in, and what somebody has."""
    look = _Look(run, is_held)
    registrations = look.registrations()
    delegates = look.delegates()
    going = [one.pk for one in delegates]
    empty = look.empty(registrations, going)
    people = look.representatives(going)
    organisations = look.organisations(empty, people)
    return Leaving(delegates, empty, people, organisations, look.completed(), look.stays)


class _Look:
    """What the list has brought in, as it stands now. Rows are held in the order in which every
    verb holds them: registrations, then their people, then organisations."""

    def __init__(self, run: ImportRun, is_held: bool) -> None:
        self._brought, self._is_held = run.brought, is_held
        self._entry = run.brought.get("entry", 0)
        self.stays: list[tuple[str, str]] = []

    def registrations(self) -> list[Registration]:
        return self._rows(Registration, "registrations")

    def delegates(self) -> list[Delegate]:
        kept = self._brought.get("delegates", {})
        people = self._rows(Delegate, "delegates", "representative", "registration__organisation")
        touched = self._touched(Delegate, people)
        decided = touched | {one.pk for one in people if one.state != kept[str(one.pk)]}
        self.stays += [(str(one), "decided") for one in people if one.pk in decided]
        return [one for one in people if one.pk not in decided]

    def empty(
        self, registrations: Sequence[Registration], going: Sequence[uuid.UUID]
    ) -> list[Registration]:
        left = Delegate.objects.filter(registration__in=registrations).exclude(pk__in=going)
        full = set(left.values_list("registration", flat=True))
        touched = self._touched(Registration, registrations, but={Delegate})
        touched |= {one.pk for one in registrations if one.is_withdrawn}
        for one in registrations:
            if one.pk in full | touched:
                self.stays.append((str(one), "people" if one.pk in full else "claimed"))
        return [one for one in registrations if one.pk not in full | touched]

    def representatives(self, going: Sequence[uuid.UUID]) -> list[Representative]:
        known = self._rows(Representative, "representatives")
        left = Delegate.objects.filter(representative__in=known).exclude(pk__in=going)
        used = set(left.values_list("representative", flat=True))
        used |= self._touched(Representative, known, but={Delegate})
        return [one for one in known if one.pk not in used]

    def organisations(
        self, registrations: Sequence[Registration], people: Sequence[Representative]
    ) -> list[Organisation]:
        """Those that nothing belongs to any more."""
        made = self._rows(Organisation, "organisations")
        used = self._touched(Organisation, made, but={Registration, Representative})
        for model, going in ((Registration, registrations), (Representative, people)):
            left = model._default_manager.filter(organisation__in=made)
            left = left.exclude(pk__in=[one.pk for one in going])
            used |= set(left.values_list("organisation", flat=True))
        self.stays += [(str(one), "claimed") for one in made if one.pk in used]
        return [one for one in made if one.pk not in used]

    def completed(self) -> list[Organisation]:
        """Those of which only the list has said what was missing."""
        those = self._rows(Organisation, "completed")
        led = Membership.objects.active().filter(organisation__in=those)
        changed = self._told_of(Organisation, those) | set(
            led.values_list("organisation", flat=True)
        )
        return [one for one in those if one.pk not in changed]

    def _rows(self, model: Any, kind: str, *related: str) -> list[Any]:
        found = model.objects.filter(pk__in=list(self._brought.get(kind, []))).order_by("pk")
        found = found.select_related(*related) if related else found
        return list(found.select_for_update(of=("self",)) if self._is_held else found)

    def _touched(self, model: Any, those: Sequence[Any], but: Iterable[Any] = ()) -> set[Any]:
        """Those that anything belongs to by now, or that somebody has done something about."""
        touched = self._told_of(model, those)
        for relation in model._meta.related_objects:
            if relation.related_model not in but or relation.many_to_many:
                name = relation.field.name
                belongs = relation.related_model._default_manager.filter(**{f"{name}__in": those})
                touched |= set(belongs.values_list(name, flat=True))
        for chosen in model._meta.local_many_to_many:
            name = chosen.m2m_field_name()
            through = chosen.remote_field.through.objects.filter(**{f"{name}__in": those})
            touched |= set(through.values_list(f"{name}_id", flat=True))
        return touched & {one.pk for one in those}

    def _told_of(self, model: Any, those: Sequence[Any]) -> set[Any]:
        """Those of whom the history knows something since."""
        acts = Entry.objects.filter(
            subject_type=model._meta.label_lower,
            subject_id__in=[str(one.pk) for one in those],
            pk__gt=self._entry,
        )
        return {uuid.UUID(pk) for pk in acts.values_list("subject_id", flat=True)}


def _forget(leaving: Leaving, run: ImportRun, *, by: User, now: datetime) -> None:
    gone = Counter(one.registration_id for one in leaving.delegates)
    registrations = {one.registration_id: one.registration for one in leaving.delegates}
    trail.record_many(
        trail.act(
            by,
            gettext_noop("list taken back"),
            registration,
            at=now,
            scope=run.event_id,
            after={"people": gone[pk]},
        )
        for pk, registration in registrations.items()
    )
    recall.cancel(now=now, letters=letters_of(run).filter(about__in=registrations))
    for model, those in (
        (Delegate, leaving.delegates),
        (Registration, leaving.registrations),
        (Representative, leaving.representatives),
        (Organisation, leaving.organisations),
    ):
        model.objects.filter(pk__in=[one.pk for one in those]).delete()
    for organisation in leaving.completed:
        before = run.brought["completed"][str(organisation.pk)]
        organisation.country, organisation.category = before[:2]
    Organisation.objects.bulk_update(leaving.completed, ["country", "category"])


def letters_of(run: ImportRun) -> LetterQuerySet:
    """Those that went to groups when the list was brought in."""
    if run.applied_at is None:
        return Letter.objects.none()
    moment = f"{run.applied_at:%Y%m%dT%H%M%S.%fZ}"
    return Letter.objects.filter(scope=run.event_id, key__contains=f":{moment}:")


@transaction.atomic
def forget_due(*, now: datetime) -> None:
    """Lists that nobody has brought in for a day, and those that can no longer be taken back: what
    stays is that there was one, and how many came in."""
    unused = ImportRun.objects.filter(applied_at=None, at__lte=now - ImportRun.KEPT_FOR)
    unused.filter(pk__in=_free(unused)).delete()
    over = ImportRun.objects.filter(
        applied_at__lte=now - ImportRun.UNDONE_WITHIN, forgotten_at=None
    )
    over.filter(pk__in=_free(over)).update(
        table={}, groups=[], rows=[], decisions={}, brought={}, stayed=[], forgotten_at=now
    )


def _free(runs: ImportRunQuerySet) -> list[uuid.UUID]:
    return list(runs.select_for_update(skip_locked=True).values_list("pk", flat=True))
