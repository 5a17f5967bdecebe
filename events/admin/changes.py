"""What a form changed, as it is kept in the audit trail."""

from collections.abc import Iterable
from datetime import date, time
from typing import Any

from django.forms import ModelForm
from django.forms.models import BaseInlineFormSet

Told = dict[str, Any]


def of(form: ModelForm, formsets: Iterable[BaseInlineFormSet] | None) -> tuple[Told, Told]:
    """Before and after; of rows inside the page under the row's kind and name."""
    before, after = _of_one(form, form.changed_data)
    for formset in formsets or []:
        kind = formset.model._meta.model_name
        deleted = set(formset.deleted_forms)
        unsaid = {"id", "DELETE", formset.fk.name}
        for row in formset.forms:
            if not row.has_changed() and row not in deleted:
                continue
            is_new = row.instance._state.adding or row.instance in formset.new_objects
            names = row.changed_data if not is_new and row not in deleted else list(row.fields)
            old, new = _of_one(row, [name for name in names if name not in unsaid])
            if not is_new:
                before.setdefault(kind, {})[str(row.instance)] = old
            if row not in deleted:
                after.setdefault(kind, {})[str(row.instance)] = new
    return before, after


def _of_one(form: ModelForm, names: Iterable[str]) -> tuple[Told, Told]:
    typed = getattr(form, "cleaned_data", {})
    return (
        {name: _plain(form.get_initial_for_field(form.fields[name], name)) for name in names},
        {name: _plain(typed.get(name)) for name in names},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, time):
        return value.isoformat("minutes")
    if value is None or isinstance(value, str | bool | int | list | date):
        return value
    return str(value)
