from django.utils.translation import gettext as _

from stakeholders.models import Organisation


class Refusal(Exception):
    """Why something may not happen: a sentence for a person."""


class KnownHere(Refusal):
    def __init__(self, organisation: Organisation, contact: str) -> None:
        super().__init__(
            _(
                "“%(name)s” is known here already and has a focal point. Ask your colleague to "
                "register your delegation, or write to %(contact)s."
            )
            % {"name": organisation, "contact": contact}
        )


class ChangedMeanwhile(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _(
                "What is known of “%(name)s” was changed while you were writing, perhaps by a "
                "colleague. Nothing of yours is saved yet: compare the two, and save again."
            )
            % {"name": organisation}
        )
