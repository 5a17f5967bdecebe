from django import forms
from django.utils.translation import gettext_lazy as _

from stakeholders.models import Organisation


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
        if categories:
            self.fields["category"].choices = [("", _("Choose one")), *categories]

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())
