from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clock import shown
from events.models import Deadline, Event
from registrations.models import Delegate, Registration


class Refusal(Exception):
    """Why something may not happen: a sentence for a person."""


class NotTakingPlace(Refusal):
    def __init__(self, event: Event) -> None:
        sentences = {
            Event.State.DRAFT: _("This event is not open for registration."),
            Event.State.POSTPONED: _("This event is postponed. Nobody can register now."),
            Event.State.CANCELLED: _("This event is cancelled. Nobody can register."),
        }
        super().__init__(sentences[Event.State(event.state)])


class NoRegistration(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(_("Groups do not register here for “%(event)s”.") % {"event": event})


class WindowNotOpen(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        opens_at = deadline.opens_at or deadline.set_at
        super().__init__(
            _("Registration opens on %(moment)s, %(zone)s.")
            % {
                "moment": shown.moment(opens_at, deadline.zone),
                "zone": shown.zone_name(deadline.zone, opens_at),
            }
        )


class WindowClosed(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__(
            _("Registration closed on %(moment)s, %(zone)s.")
            % {
                "moment": shown.closing(deadline.closes_at, deadline.zone),
                "zone": deadline.zone_said,
            }
        )


class SentAlready(Refusal):
    def __init__(self, registration: Registration) -> None:
        super().__init__(
            _("This registration (%(reference)s) was sent. It is no longer a draft.")
            % {"reference": registration.reference}
        )


class NotSent(Refusal):
    def __init__(self, registration: Registration) -> None:
        super().__init__(
            _("This registration (%(reference)s) has not been sent.")
            % {"reference": registration.reference}
        )


class NobodyIn(Refusal):
    def __init__(self) -> None:
        super().__init__(_("There is nobody in your delegation yet. Add at least one person."))


class OrganisationIncomplete(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Your organisation’s country and group are missing. Add them first."))


class ListedAlready(Refusal):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("%(name)s with this email address is in your delegation already.") % {"name": name}
        )


class TwoHeads(Refusal):
    def __init__(self, head: Delegate) -> None:
        super().__init__(
            _("%(name)s is the head of your delegation. There can be only one.") % {"name": head}
        )


class AlreadyDecided(Refusal):
    def __init__(self, delegates: Iterable[Delegate]) -> None:
        people = list(delegates)
        super().__init__(
            ngettext(
                "%(people)s no longer waits for a decision. Nothing was changed.",
                "%(people)s no longer wait for a decision. Nothing was changed.",
                len(people),
            )
            % {
                "people": ", ".join(
                    f"{delegate} ({delegate.get_state_display()})" for delegate in people
                )
            }
        )


class NobodyChosen(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Nobody of this delegation is chosen."))


class ReasonMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Write the reason. The group reads it in its letter."))


class QuestionMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Write the question. The group reads it in its letter."))


class AskedAlready(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("There is a question about %(name)s without an answer yet.") % {"name": delegate}
        )


class NothingAsked(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("There is no open question about %(name)s. It may have been answered already.")
            % {"name": delegate}
        )


class CannotWithdraw(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("%(name)s: %(state)s. There is nothing to withdraw.")
            % {"name": delegate, "state": delegate.get_state_display()}
        )
