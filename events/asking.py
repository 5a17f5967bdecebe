"""The questions of an event as fields of a form, and what is typed there."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from accounts.forms import NameField
from events import texts
from events.models import Option, Question, to_answer

Kind = Question.Kind
LONGEST = {Kind.TEXT: 300, Kind.LONG_TEXT: 4000}
AS_BUTTONS = 12
"""So many choices stand as buttons; more are chosen from a list."""
FAR = gettext_lazy("Write a day from 1900 to 2100, like 2018-02-07.")


@dataclass(frozen=True)
class Said:
    """An answer: what was written, or which options were chosen."""

    text: str = ""
    options: tuple[uuid.UUID, ...] = ()


PREFIX = "answer-"


def name_of(question: Question) -> str:
    """Of its field in a form, its column and its filter."""
    return PREFIX + question.pk.hex


class AsksQuestions(forms.Form):
    """A form with questions of the organisers after its own.

    Nothing need be answered in it but what `must` be; what a choice leaves unasked is ignored.
    """

    questions: list[Question] = []
    already: set[uuid.UUID] = set()
    must = False

    def ask(
        self,
        questions: Iterable[Question],
        *,
        answered: Mapping[uuid.UUID, Said] | None = None,
        full: Collection[uuid.UUID] = (),
        must: bool = False,
    ) -> None:
        """`answered`: these questions and others; `full`: options that nobody else can choose."""
        self.questions, self.must = list(questions), must
        here = {question.pk for question in self.questions}
        others = [said for pk, said in (answered or {}).items() if pk not in here]
        self.already = {option for said in others for option in said.options}
        options = {option.pk: option for one in self.questions for option in one.options.all()}
        for question in self.questions:
            said = (answered or {}).get(question.pk, Said())
            field: Any = _field(question, said, full)
            field.question, field.is_needed = question, question.is_required
            if question.shown_when_id in options:
                self._depend(field, options[question.shown_when_id])
            self.fields[name_of(question)] = field
        self.initial = {**self.shown_as(answered or {}), **self.initial}

    def _depend(self, field: Any, option: Option) -> None:
        """Say when it is asked: to who reads, and to the script of the page."""
        field.when = self.add_prefix(name_of(option.question))
        field.when_chosen = str(option.pk)
        said = _("Only if the answer to “%(question)s” is “%(choice)s”.")
        said %= {"question": option.question, "choice": option}
        field.help_text = f"{said} {field.help_text}".strip()

    def shown_as(self, answered: Mapping[uuid.UUID, Said]) -> dict[str, Any]:
        """What stood in its fields for these answers."""
        return {
            name_of(question): _typed(question, answered.get(question.pk, Said()))
            for question in self.questions
        }

    def asked(self) -> list[BoundField]:
        return [self[name_of(question)] for question in self.questions]

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        live = self._live()
        for question in self.questions:
            name = name_of(question)
            is_missing = said_of(question, typed.get(name)) == Said()
            if question not in live:
                self.errors.pop(name, None)
            elif self.must and question.is_required and is_missing and name not in self.errors:
                self.add_error(name, _("Answer this question."))
        return typed

    def answers(self) -> dict[uuid.UUID, Said]:
        """By question; nothing of those that are not asked, or not answered."""
        found = {
            question.pk: said_of(question, self.cleaned_data.get(name_of(question)))
            for question in self._live()
        }
        return {pk: said for pk, said in found.items() if said != Said()}

    def _live(self) -> list[Question]:
        chosen = {
            option
            for question in self.questions
            for option in said_of(question, self.cleaned_data.get(name_of(question))).options
        }
        return to_answer(self.questions, chosen, self.already)


def said_of(question: Question, value: Any) -> Said:
    """What a field of the form has made of what was typed."""
    if value in (None, "", []):
        return Said()
    if question.kind == Kind.CHOICES:
        return Said(options=tuple(uuid.UUID(each) for each in value))
    if question.has_options:
        return Said(options=(uuid.UUID(value),))
    if isinstance(value, Decimal):
        return Said(f"{value.normalize():f}")
    return Said(value.isoformat() if isinstance(value, date) else str(value))


def _typed(question: Question, said: Said) -> Any:
    """As the field shows it."""
    chosen = [str(option) for option in said.options]
    if question.kind == Kind.CHOICES:
        return chosen
    return chosen[0] if chosen else said.text


def _field(question: Question, said: Said, full: Collection[uuid.UUID]) -> forms.Field:
    common = {"label": question.wording, "help_text": question.help, "required": False}
    if question.has_options:
        return _choice_field(question, said, full, common)
    match question.kind:
        case Kind.LONG_TEXT:
            rows = forms.Textarea(attrs={"rows": 4})
            return forms.CharField(max_length=LONGEST[Kind.LONG_TEXT], widget=rows, **common)
        case Kind.NUMBER:
            return forms.DecimalField(
                max_digits=12,
                decimal_places=2,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
                error_messages={"invalid": _("Write a number, like 3.")},
                **common,
            )
        case Kind.DATE:
            return forms.DateField(
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                validators=[
                    MinValueValidator(date(1900, 1, 1), FAR),
                    MaxValueValidator(date(2100, 12, 31), FAR),
                ],
                error_messages={"invalid": _("Write a date that exists, like 2018-02-07.")},
                **common,
            )
        case Kind.COUNTRY:
            return forms.ChoiceField(
                choices=[("", _("Choose one")), *countries],
                error_messages={"invalid_choice": _("Choose a country from the list.")},
                **common,
            )
        case _:
            plain = forms.TextInput(attrs={"autocomplete": "off"})
            return NameField(max_length=LONGEST[Kind.TEXT], widget=plain, **common)


def _choice_field(
    question: Question, said: Said, full: Collection[uuid.UUID], common: dict[str, Any]
) -> forms.Field:
    """Who has chosen an option before keeps it, though it is full or no longer offered."""
    offered = [
        option
        for option in question.options.all()
        if option.pk in said.options or not (option.is_retired or option.pk in full)
    ]
    gone = [one for one in question.choosable if one.pk in full and one not in offered]
    if gone:
        note = _("Full already: %(choices)s.") % {"choices": texts.listed(gone)}
        common["help_text"] = f"{common['help_text']} {note}".strip()
    common["error_messages"] = {
        "invalid_choice": _("Choose from the list. What is not there may be full by now.")
    }
    choices: list[tuple[str, str]] = [(str(option.pk), str(option)) for option in offered]
    if question.kind == Kind.CHOICES:
        box = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=choices, widget=box, **common)
    if len(choices) > AS_BUTTONS:
        return forms.ChoiceField(choices=[("", _("Choose one")), *choices], **common)
    if not question.is_required:
        choices.append(("", _("No answer")))
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
