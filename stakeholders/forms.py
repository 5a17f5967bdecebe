from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from accounts.forms import EmailField, NameField
from stakeholders.models import Membership, Organisation


class OrganisationForm(forms.ModelForm):
    """What a focal point says of the organisation. Names may be in any script."""

    website = forms.URLField(
        label=_("Website"),
        required=False,
        assume_scheme="https",
        help_text=_("For example https://example.org"),
        widget=forms.URLInput(attrs={"dir": "ltr"}),
        error_messages={"invalid": _("Write the whole address, like https://example.org")},
    )

    class Meta:
        model = Organisation
        fields = ["name", "acronym", "country", "category", "consultative_status", "website"]
        field_classes = {"name": NameField, "acronym": NameField}
        labels = {
            "name": _("Name of your organisation"),
            "acronym": _("Acronym"),
            "category": _("Which group describes you best?"),
            "consultative_status": _("Do you have consultative status with ECOSOC?"),
        }
        help_texts = {
            "name": _("In full, as on your letterhead. Any script is fine."),
        }
        error_messages = {
            "name": {"required": _("Write the name of your organisation.")},
        }

    def __init__(self, *args, categories: list[tuple[str, str]] | None = None, **kwargs) -> None:
        """`categories`: the process's own names for the statistical groups; else all of them."""
        super().__init__(*args, **kwargs)
        self.fields["consultative_status"].choices = [
            ("", _("Choose one")),
            *Organisation.Status.choices,
        ]
        for name, sentence in (
            ("country", _("Choose the country of your organisation.")),
            ("category", _("Choose the group that describes you best.")),
        ):
            self.fields[name].required = True
            self.fields[name].error_messages["required"] = sentence
        self.fields["country"].choices = [("", _("Choose one")), *countries]
        if categories:
            self.fields["category"].choices = [("", _("Choose one")), *categories]


def address_field() -> EmailField:
    return EmailField(widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "off"}))


def reason_field(help_text: str, *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        max_length=1000,
        required=required,
        error_messages={"required": _("Write the reason.")},
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=help_text,
    )


class FindForm(forms.Form):
    """An organisation that may be known here."""

    name = NameField(
        label=_("Name of your organisation"),
        max_length=255,
        help_text=_("In full, or its acronym. Any script is fine."),
        error_messages={"required": _("Write the name of your organisation.")},
    )
    country = forms.ChoiceField(
        label=_("Country"),
        required=False,
        error_messages={"invalid_choice": _("Choose a country from the list.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", _("Choose one")), *countries]


class LikelyForm(forms.Form):
    """Is it one of these?"""

    NEW = "new"
    organisation = forms.ChoiceField(
        label=_("Is it one of these?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose an organisation, or say that it is none of these."),
            "invalid_choice": _("Choose one of the organisations in the list."),
        },
    )

    def __init__(
        self, *args: Any, likely: Sequence[Organisation], can_be_new: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.likely = {str(one.pk): one for one in likely}
        points = Membership.objects.of_focal_points().filter(organisation__in=self.likely)
        led = set(points.values_list("organisation", flat=True))
        for one in likely:
            one.has_focal_point = one.pk in led
        none_of_these = [(self.NEW, _("None of these: enter it as new"))] if can_be_new else []
        self.fields["organisation"].choices = [
            *self.likely.items(),
            *none_of_these,
        ]

    @property
    def chosen(self) -> Organisation | None:
        """None is a new one."""
        return self.likely.get(self.cleaned_data["organisation"])


class AskForm(forms.Form):
    """A request to join."""

    note = forms.CharField(
        label=_("Who are you in the organisation?"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whoever answers reads this, your name and your email address."),
    )


class AnswerForm(forms.Form):
    """To a request to join."""

    NO = "no"
    answer = forms.ChoiceField(
        label=_("Your answer"),
        choices=[
            (
                Membership.Kind.MEMBER,
                _("Yes, as a member: works on the delegations that a focal point chooses"),
            ),
            (
                Membership.Kind.FOCAL_POINT,
                _("Yes, as a focal point: registers delegations and says who belongs to it"),
            ),
            (NO, _("No")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose an answer."),
            "invalid_choice": _("Choose an answer."),
        },
    )
    reason = reason_field(_("Only with a no. The person reads it, word for word, in a letter."))


class InviteForm(forms.Form):
    email = address_field()
    kind = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (Membership.Kind.MEMBER, _("Member: works on the delegations you choose")),
            (Membership.Kind.FOCAL_POINT, _("Focal point: may do all that you may")),
        ],
        initial=Membership.Kind.MEMBER,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a role."), "invalid_choice": _("Choose a role.")},
    )


class AppointForm(forms.Form):
    """Whom organisers name, and why."""

    email = address_field()
    reason = reason_field(
        _("How you made sure, for the history. Only organisers read it."), required=True
    )


class ReasonForm(forms.Form):
    reason = reason_field(_("The person reads it, word for word, in a letter."))
