from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registrations.intake import Person
from registrations.models import Delegate


def typed(form: forms.BaseForm) -> dict[str, str]:
    """What stands in the fields, valid or not; nothing where only choices are made."""
    kept = {
        name: form.data.get(form.add_prefix(name), "").replace("\x00", "")[:2000]
        for name in form.fields
    }
    words = [kept[name] for name in kept if not isinstance(form.fields[name], forms.ChoiceField)]
    return kept if any(text.strip() for text in words) else {}


class PersonForm(forms.Form):
    """One person of a delegation."""

    given_names = forms.CharField(
        label=_("Given names"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write at least one name.")},
    )
    family_name = forms.CharField(
        label=_("Family name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        required=False,
        help_text=_("Two people may share one address."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "dir": "ltr", "inputmode": "email"}),
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

    def person(self) -> Person:
        tidy = {name: " ".join(value.split()) for name, value in self.cleaned_data.items()}
        return Person(**(tidy | {"access_needs": self.cleaned_data["access_needs"].strip()}))

    @staticmethod
    def of(delegate: Delegate) -> dict[str, str]:
        return {
            "given_names": delegate.representative.given_names,
            "family_name": delegate.representative.family_name,
            "email": delegate.representative.email,
            "role": delegate.role,
            "access_needs": delegate.access_needs,
        }


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


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Your answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write your answer.")},
    )
