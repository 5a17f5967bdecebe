from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

Choices = list[Any]
"""Of a select: values with their labels, or groups of those."""
LONGEST_SEARCH = 100


class FindForm(forms.Form):
    """Which events a reader wants to see. Nothing chosen is all of them."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=LONGEST_SEARCH,
        help_text=_("Words of the name, the place or the organiser, in any script."),
        widget=forms.TextInput(attrs={"type": "search"}),
        error_messages={"max_length": _("Search with at most %(limit_value)s characters.")},
    )
    registration = forms.ChoiceField(label=_("Registration"), required=False)
    process = forms.ChoiceField(label=_("Process"), required=False)
    kind = forms.ChoiceField(label=_("Kind of event"), required=False)
    when = forms.ChoiceField(label=_("Month or year"), required=False)
    country = forms.ChoiceField(label=_("Country"), required=False)
    mode = forms.ChoiceField(label=_("Format"), required=False)

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, of_field in choices.items():
            field = self.fields[name]
            field.choices = [("", _("All")), *of_field]
            field.error_messages["invalid_choice"] = _("Choose one from the list.")


class Status(TextChoices):
    """How a group stands to the United Nations, as far as it knows."""

    ECOSOC = "ecosoc", _("In consultative status with ECOSOC")
    ACCREDITED = "accredited", _("Not that, but accredited to this process")
    NEITHER = "neither", _("Neither of them")
    UNKNOWN = "unknown", _("I do not know")


class CheckForm(forms.Form):
    """Who asks whether they can register. Nothing of it is kept."""

    NONE = "none"
    UNKNOWN = "unknown"

    group = forms.ChoiceField(
        label=_("Which group describes you best?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the group that describes you best.")},
    )
    status = forms.ChoiceField(
        label=_("How does your organisation stand to the United Nations?"),
        choices=Status.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one, or that you do not know.")},
    )
    track = forms.ChoiceField(
        label=_("How would your group take part?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one, or that you do not know.")},
    )

    def __init__(
        self, *args: Any, groups: Choices, tracks: Choices, names_status: bool, **kwargs: Any
    ) -> None:
        """`names_status`: the organisers have written about it."""
        super().__init__(*args, **kwargs)
        self.fields["group"].choices = [*groups, (self.NONE, _("None of these"))]
        if tracks:
            self.fields["track"].choices = [
                *tracks,
                (self.NONE, _("None of these")),
                (self.UNKNOWN, _("I do not know")),
            ]
        else:
            del self.fields["track"]
        if not names_status:
            del self.fields["status"]
        for field in self.fields.values():
            field.error_messages["invalid_choice"] = _("Choose one from the list.")
