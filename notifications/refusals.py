from django.utils.translation import gettext as _

from notifications.models import Letter


class Refusal(Exception):
    """Why a letter may not be sent again: a sentence for a person."""


class NoLongerTrue(Refusal):
    def __init__(self, letter: Letter) -> None:
        super().__init__(
            _("“%(subject)s” to %(to)s is not sent again: what it says is no longer true.")
            % {"subject": letter.subject, "to": letter.to}
        )


class NotForSecrets(Refusal):
    def __init__(self, letter: Letter) -> None:
        super().__init__(
            _("A sign-in code is not sent again. %(to)s can ask for a new one.") % {"to": letter.to}
        )


class StillOnItsWay(Refusal):
    def __init__(self, letter: Letter) -> None:
        super().__init__(
            _("“%(subject)s” to %(to)s is still on its way, or held.")
            % {"subject": letter.subject, "to": letter.to}
        )


class CannotBeReached(Refusal):
    def __init__(self, letter: Letter) -> None:
        super().__init__(
            _(
                "%(to)s cannot be reached. If the address works again, first open the letter and "
                "choose “Write to this address again”."
            )
            % {"to": letter.to}
        )


class NotWanted(Refusal):
    def __init__(self, letter: Letter) -> None:
        super().__init__(
            _("%(to)s does not want letters of this kind, and has said so.") % {"to": letter.to}
        )
