"""Entries of the audit trail, told to a person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from translated_fields import to_attribute

from accounts.models import User
from audit.models import Entry
from clock import shown, walls
from events import texts
from events.models import ReminderStep, Role

LANGUAGE_OF = {to_attribute("", code): name for code, name in settings.CONTENT_LANGUAGES}
WORDS = {
    "people": gettext_lazy("people"),
    "columns": gettext_lazy("columns"),
    "file": gettext_lazy("file"),
    "user": gettext_lazy("person"),
    "role": gettext_lazy("role"),
    "groups": gettext_lazy("groups"),
    "letters": gettext_lazy("letters that have left"),
    "segment": gettext_lazy("part of the event"),
    "step": gettext_lazy("reminder"),
    "audience": gettext_lazy("to whom"),
    "until": gettext_lazy("until"),
    "starts_time": gettext_lazy("begins"),
    "ends_time": gettext_lazy("ends"),
    "starts_which": gettext_lazy("begins: the first or the second"),
    "ends_which": gettext_lazy("ends: the first or the second"),
    "created": gettext_lazy("organisations entered"),
    "joined": gettext_lazy("organisations given another spelling"),
    "left_out": gettext_lazy("rows left out"),
    "stayed": gettext_lazy("stayed"),
    "name": gettext_lazy("name"),
    "email": gettext_lazy("email address"),
    "taken_in": gettext_lazy("taken in"),
    "kept": gettext_lazy("kept"),
}
NOTHING = "–"
NAMED_BY = {"user", "organisation", "representative", "event", "process"}


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    what: str
    who: str
    when: str
    at: datetime
    thing: str
    changes: list[Change]
    reason: str
    name: str = ""


def lines(entries: models.QuerySet[Entry], zone: str) -> list[Line]:
    """Newest first, on the clocks of `zone`."""
    return [line(entry, zone) for entry in entries.select_related("actor").order_by("-at", "-id")]


def named_lines(entries: Iterable[Entry], zone: str, but: models.Model) -> list[Line]:
    """Each with the name of what it is about, where that is not the thing whose history it is."""
    entries = list(entries)
    about: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        about[entry.subject_type].add(entry.subject_id)
    names = {(but._meta.label_lower, str(but.pk)): ""}
    for kind, pks in about.items():
        rows = _with_names(apps.get_model(kind)).filter(pk__in=pks)
        names = {(kind, str(row.pk)): str(row) for row in rows} | names
    return [
        replace(line(entry, zone), name=names.get((entry.subject_type, entry.subject_id), ""))
        for entry in entries
    ]


def _with_names(model: type[models.Model]) -> models.QuerySet[Any]:
    """With whatever the name of a row is made of."""
    related = [
        field.name
        for field in model._meta.concrete_fields
        if field.is_relation and field.name in NAMED_BY
    ]
    return model._base_manager.select_related(*related)


def line(entry: Entry, zone: str) -> Line:
    model = apps.get_model(entry.subject_type)
    return Line(
        what=capfirst(_(entry.verb)),
        who=str(entry.actor) if entry.actor else _("the clock"),
        when=said(entry.at, zone),
        at=entry.at,
        thing=str(model._meta.verbose_name),
        changes=list(_changes(model, entry.before or {}, entry.after or {}, zone)),
        reason=entry.reason,
    )


def said(moment: datetime | None, zone: str) -> str:
    """“Wednesday 7 February 2018, 10:00, New York time (UTC−5)”"""
    if moment is None:
        return NOTHING
    return shown.moment_and_zone(moment, zone)


def label(model: type[models.Model], name: str) -> str:
    """The name of a field; of a column of a translated text, with its language."""
    try:
        words = model._meta.get_field(name).verbose_name  # type: ignore[union-attr]
    except (FieldDoesNotExist, AttributeError):
        words = WORDS.get(name, name.replace("_", " "))
    for suffix, language in LANGUAGE_OF.items():
        if name.endswith(suffix):
            return capfirst(f"{words} ({language})")
    return capfirst(str(words))


def _changes(
    model: type[models.Model], before: dict, after: dict, zone: str, of: str = ""
) -> Iterator[Change]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) or isinstance(new, dict):
            yield from _of_rows(model, name, old or {}, new or {}, zone)
            continue
        said_old, said_new = _value(model, name, old, zone), _value(model, name, new, zone)
        if said_old != said_new:
            yield Change(of + label(model, name), said_old, said_new)


def _of_rows(
    model: type[models.Model], kind: str, before: dict, after: dict, zone: str
) -> Iterator[Change]:
    row_model = apps.get_model(model._meta.app_label, kind)
    for row in {**before, **after}:
        kind_said = capfirst(str(row_model._meta.verbose_name))
        of = _("%(kind)s “%(name)s”:") % {"kind": kind_said, "name": row} + " "
        yield from _changes(row_model, before.get(row) or {}, after.get(row) or {}, zone, of)


def step_said(code: str) -> str:
    """“3d” as “3 days before”"""
    return _("%(step)s before") % {"step": ReminderStep(amount=int(code[:-1]), unit=code[-1])}


def _called(model: type[models.Model], value: Any) -> str:
    """By the name of what has this key; forms keep the name itself."""
    try:
        found = model._default_manager.filter(pk=value).first()
    except ValidationError:
        found = None
    return str(found or value)


def _value(model: type[models.Model], name: str, value: Any, zone: str) -> str:
    if value in (None, "", []):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name.endswith("_which"):
        return _("the second") if value == walls.SECOND else _("the first")
    if name == "user":
        return str(User.objects.filter(pk=value).first() or value)
    if isinstance(value, list):
        return texts.listed(value)
    if model is Role and name == "role":
        return str(Role.Kind(value).label)
    if name == "step":
        return step_said(value)
    if name == "audience":
        return str(ReminderStep.Audience(value).label)
    if name == "until":
        return shown.closing(datetime.fromisoformat(value), zone)
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return str(value)
    if field.related_model:
        return _called(field.related_model, value)
    if isinstance(field, models.DateTimeField):
        moment = datetime.fromisoformat(value)
        return shown.closing(moment, zone) if name == "closes_at" else shown.moment(moment, zone)
    if isinstance(field, models.DateField):
        return shown.day(date.fromisoformat(value))
    return str(dict(getattr(field, "flatchoices", None) or {}).get(value, value))
