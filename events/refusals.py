from datetime import datetime

from django.utils.translation import gettext as _

from clock import shown
from events.models import Deadline, Event


class Refusal(Exception):
    """Why something may not happen: a sentence for a person."""


class ClosesBeforeItOpens(Refusal):
    def __init__(self, opens_at: datetime, zone: str) -> None:
        super().__init__(
            _("The window opens on %(moment)s. It cannot close before that.")
            % {"moment": shown.moment(opens_at, zone)}
        )


class AlreadyPast(Refusal):
    def __init__(self, closes_at: datetime, zone: str) -> None:
        super().__init__(
            _("%(moment)s (%(zone)s) is past. Choose a later moment.")
            % {
                "moment": shown.closing(closes_at, zone),
                "zone": shown.zone_name(zone, closes_at),
            }
        )


class SameMoment(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__(
            _("It closes on %(moment)s already.")
            % {"moment": shown.closing(deadline.closes_at, deadline.zone)}
        )


class DeadlineExists(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__(
            _("This event has such a deadline already: %(deadline)s. Move that one instead.")
            % {"deadline": deadline}
        )


class NotPossibleNow(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(
            _("“%(event)s” is %(state)s. That cannot be done now.")
            % {"event": event, "state": event.get_state_display().lower()}
        )


class NothingToShow(Refusal):
    def __init__(self, missing: str) -> None:
        super().__init__(
            _("The event cannot be published yet: %(missing)s.") % {"missing": missing}
        )
