import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms.boundfield import BoundWidget
from django.utils.translation import gettext_lazy as _

from accounts.forms import NameField
from events import texts
from events.asking import AsksQuestions, Said
from events.models import Question, Segment, Track
from registrations.intake import Person
from registrations.models import Correction, Delegate
from stakeholders.models import Membership, Representative


def typed(form: forms.BaseForm) -> dict[str, Any]:
    """What stands in the fields, valid or not; nothing where only choices are made. What somebody
    declares by ticking a box is not typed, and not kept."""
    kept = said(form)
    if isinstance(form, QuestionsForm):
        return kept if any(kept.values()) else {}
    words = [kept[name] for name in kept if not isinstance(form.fields[name], forms.ChoiceField)]
    return kept if any(text.strip() for text in words) else {}


def said(form: forms.BaseForm) -> dict[str, Any]:
    return {
        name: _said(form, name)
        for name, field in form.fields.items()
        if not isinstance(field, forms.BooleanField | forms.FileField)
    }


def unjudged(form: forms.BaseForm) -> forms.BaseForm:
    """The same answers, in a form that nobody has sent yet."""
    form.initial = form.initial | said(form)
    form.data, form.is_bound = form.data.__class__(), False
    return form


def _said(form: forms.BaseForm, name: str) -> str | list[str]:
    value, most = form[name].data, getattr(form.fields[name], "max_length", None)
    if isinstance(value, list):
        return [_storable(each) for each in value[:100]]
    return _storable(value or "", most or 0)


def _storable(text: str, most: int = 0) -> str:
    return text.replace("\x00", "")[: max(2000, most)]


def show_theirs(form: forms.BaseForm, theirs: dict[str, Any]) -> None:
    """Let each question that a colleague has answered otherwise meanwhile say so."""
    for name, value in theirs.items():
        if name in form.fields and _as_words(form, name, form[name].data) != (
            said := _as_words(form, name, value)
        ):
            form.fields[name].theirs = said or _("nothing")


def _as_words(form: forms.BaseForm, name: str, value: Any) -> str:
    """An answer as its reader sees it; of choices, their names."""
    field = form.fields[name]
    if not isinstance(field, forms.ChoiceField):
        return " ".join(str(value or "").split())
    chosen = {str(each) for each in (value if isinstance(value, list | tuple) else [value])}
    return texts.listed(label for key, label in field.choices if key and str(key) in chosen)


class PersonForm(AsksQuestions):
    """One person of a delegation."""

    given_names = NameField(
        label=_("Given names"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write at least one name.")},
    )
    family_name = NameField(
        label=_("Family name"),
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        required=False,
        help_text=_("Two people may share one address."),
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "off",
                "dir": "ltr",
                "inputmode": "email",
                "list": "known-addresses",
            }
        ),
        error_messages={
            "invalid": _("This is not a whole email address. Write it like name@example.org")
        },
    )
    role = forms.ChoiceField(
        label=_("Role at the event"),
        choices=Delegate.Role.choices,
        initial=Delegate.Role.DELEGATE,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a role.")},
    )
    access_needs = forms.CharField(
        label=_("Access needs"),
        max_length=2000,
        required=False,
        help_text=_(
            "For example a wheelchair, sign language or large print. Only the team reads it."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    segments = forms.MultipleChoiceField(
        label=_("Which parts does this person want to attend?"),
        required=False,
        help_text=_("The seats of these parts are counted by themselves."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Choose from the parts in the list.")},
    )

    def __init__(
        self,
        *args: Any,
        segments: Sequence[Segment] = (),
        questions: Sequence[Question] = (),
        answered: Mapping[uuid.UUID, Said] | None = None,
        full: Collection[uuid.UUID] = (),
        **kwargs: Any,
    ) -> None:
        """`segments`: the parts of the event whose seats are counted; without, nobody is asked.
        `questions`: those of the organisers about each person."""
        super().__init__(*args, **kwargs)
        self.ask(questions, answered=answered, full=full)
        if segments:
            self.fields["segments"].choices = [(str(each.pk), str(each)) for each in segments]
        else:
            del self.fields["segments"]

    def person(self) -> Person:
        said = self.cleaned_data
        facts = {name: said[name] for name in ("given_names", "family_name", "email", "role")}
        segments = tuple(uuid.UUID(pk) for pk in said.get("segments", []))
        return Person(**facts, access_needs=said["access_needs"].strip(), segments=segments)

    @staticmethod
    def of(delegate: Delegate) -> dict[str, Any]:
        return {
            "given_names": delegate.representative.given_names,
            "family_name": delegate.representative.family_name,
            "email": delegate.representative.email,
            "role": delegate.role,
            "access_needs": delegate.access_needs,
            "segments": [str(part.segment_id) for part in delegate.segments.all()],
        }


class QuestionsForm(AsksQuestions):
    """Nothing but questions of the organisers."""

    def __init__(
        self,
        *args: Any,
        questions: Sequence[Question],
        answered: Mapping[uuid.UUID, Said],
        full: Collection[uuid.UUID] = (),
        must: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ask(questions, answered=answered, full=full, must=must)


class RowsInput(forms.Textarea):
    """Without a character that no page can show again."""

    def value_from_datadict(self, *args: Any) -> str:
        return (super().value_from_datadict(*args) or "").replace("\x00", "")


class RowsField(forms.CharField):
    """Rows of a spreadsheet, as they were copied."""

    LARGEST = 100 * 1024
    default_error_messages = {
        "required": _("Paste at least one row."),
        "too_large": _("These rows are more than 100 KB. Paste a part of them, then the others."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)
        # Said afterwards: a browser would cut what is pasted at `maxlength`, and not say so.
        self.max_length = self.LARGEST

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value.encode()) > self.LARGEST:
            raise forms.ValidationError(self.error_messages["too_large"], code="too_large")


class PasteForm(forms.Form):
    rows = RowsField(
        label=_("Rows of your spreadsheet"),
        help_text=_(
            "One row for each person: given names, family name, email address, role. In another "
            "order, copy the row with the headings too. Whoever has no role is a delegate."
        ),
        widget=RowsInput(
            attrs={
                "class": "rows",
                "rows": 8,
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "dir": "auto",
            }
        ),
    )


class ChoosePeopleForm(forms.Form):
    """Who of the people whom the organisation has named before comes this time, and as what."""

    people = forms.MultipleChoiceField(
        label=_("People"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick at least one person."),
            "invalid_choice": _("Somebody whom you ticked is no longer in the list. Look again."),
        },
    )

    def __init__(self, *args: Any, known: Sequence[Representative], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self.fields["people"].choices = [(str(each.pk), each.full_name) for each in known]
        for each in known:
            self.fields[self.role_field(each)] = forms.ChoiceField(
                choices=Delegate.Role.choices,
                initial=Delegate.Role.DELEGATE,
                required=False,
                error_messages={"invalid_choice": _("Choose a role from the list.")},
            )

    @staticmethod
    def role_field(of: Representative) -> str:
        return f"role-{of.pk}"

    def lines(self) -> Iterator[tuple[Representative, BoundWidget, forms.BoundField]]:
        """Of each: the box to tick, and the role."""
        for each, box in zip(self.known, self["people"], strict=True):
            yield each, box, self[self.role_field(each)]

    def chosen(self) -> list[Representative]:
        ticked = set(self.cleaned_data["people"])
        return [each for each in self.known if str(each.pk) in ticked]

    def person(self, of: Representative) -> Person:
        role = self.cleaned_data[self.role_field(of)] or Delegate.Role.DELEGATE
        return Person(of.given_names, of.family_name, of.email, role)


class CorrectionForm(PersonForm):
    """What should be otherwise about somebody who was decided about: over the facts as they are."""

    access_needs = None
    other = forms.CharField(
        label=_("Something else"),
        max_length=2000,
        required=False,
        help_text=_("What is wrong that you cannot change above, and what it should be."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    reason = forms.CharField(
        label=_("Why?"),
        max_length=2000,
        help_text=_("For example “the name as in the passport”."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Write why. The organisers decide by it.")},
    )

    def wished(self) -> dict[str, str]:
        return {fact: self.cleaned_data[fact] for fact in Correction.FACTS}


class TrackForm(forms.Form):
    """The way in that a group chooses, where an event has several."""

    track = forms.ChoiceField(
        label=_("How does your group take part?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how your group takes part."),
            "invalid_choice": _("Choose one from the list."),
        },
    )

    def __init__(self, *args: Any, tracks: Sequence[Track], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["track"].choices = [(str(track.pk), str(track)) for track in tracks]


class ChooseOrganisationForm(forms.Form):
    """For people who speak for more than one organisation, or for a new one."""

    NEW = "new"
    organisation = forms.ChoiceField(
        label=_("Which organisation do you register?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose an organisation."),
            "invalid_choice": _("Choose one of the organisations in the list."),
        },
    )

    def __init__(self, *args: Any, organisations: list, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].choices = [
            *((str(organisation.id), organisation.name) for organisation in organisations),
            (self.NEW, _("Another organisation")),
        ]


class ColleaguesForm(forms.Form):
    """Which members work on a delegation."""

    colleagues = forms.MultipleChoiceField(
        label=_("Members who work on it"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": _("Somebody whom you chose is no longer a member. Look again."),
        },
    )

    def __init__(self, *args: Any, members: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["colleagues"].choices = [(str(each.pk), _called(each)) for each in members]


def _called(member: Membership) -> str:
    """“Dalia Haddad <dalia@example.org>”"""
    return f"{member.user.name} <{member.user.email}>" if member.user.name else member.user.email


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Your answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write your answer.")},
    )


class AskInForm(forms.Form):
    """Why a group comes after the close."""

    reason = forms.CharField(
        label=_("Why do you come late?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write why you come late. The organisers decide by it.")},
    )
