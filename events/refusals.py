from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from clock import shown
from events.models import Deadline, Event, Process, Question, Quota, ReminderStep, Role


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


class SlugTaken(Refusal):
    def __init__(self, slug: str) -> None:
        super().__init__(
            _("Another event has this address already: %(address)s") % {"address": slug}
        )


class LessThanNobody(Refusal):
    def __init__(self, number: int) -> None:
        super().__init__(
            _("%(number)s: a number of seats is 0 or more. Leave it empty for no limit.")
            % {"number": number}
        )


class ShareUnclear(Refusal):
    def __init__(self) -> None:
        super().__init__(_("A quota is for one category, one region or one track."))


class ShareTwice(Refusal):
    def __init__(self, quota: Quota) -> None:
        super().__init__(_("There are two quotas for “%(quota)s”. Keep one.") % {"quota": quota})


class RemovedMeanwhile(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _("A part of the event or a track was removed meanwhile. Look at the page again.")
        )


class NotToFollow(Refusal):
    def __init__(self, event: Event) -> None:
        if event.state == Event.State.CANCELLED:
            sentence = _("“%(event)s” is cancelled. There is nothing more to hear of.")
        elif event.state == Event.State.DRAFT:
            sentence = _("“%(event)s” is not published. It cannot be followed yet.")
        else:
            sentence = _("“%(event)s” is over. There is nothing more to hear of.")
        super().__init__(sentence % {"event": event})


class FollowsNoMore(Refusal):
    def __init__(self) -> None:
        super().__init__(_("These letters were stopped meanwhile. You can ask for them again."))


class StepOutOfReach(Refusal):
    def __init__(self, most: Mapping[ReminderStep.Unit, int]) -> None:
        super().__init__(
            _("A reminder goes out 1 to %(days)s days, or 1 to %(hours)s hours, before.")
            % {
                "days": most[ReminderStep.Unit.DAYS],
                "hours": most[ReminderStep.Unit.HOURS],
            }
        )


class StepExists(Refusal):
    def __init__(self, step: ReminderStep) -> None:
        super().__init__(
            _("There is a reminder at that moment already: %(step)s before, to: %(audience)s.")
            % {"step": step, "audience": step.get_audience_display()}
        )


class NobodyToRemind(Refusal):
    def __init__(self, deadline: Deadline, audience: str) -> None:
        super().__init__(
            _("Nobody can be reminded so: “%(kind)s” is nothing to “%(audience)s”.")
            % {
                "kind": deadline.get_kind_display(),
                "audience": ReminderStep.Audience(audience).label,
            }
        )


class ClosedAlready(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__(
            _("It closed on %(moment)s. Nobody is reminded any more.") % {"moment": deadline.said}
        )


class NotYoursToGive(Refusal):
    def __init__(self, on: Event | Process) -> None:
        super().__init__(
            _("You cannot give or take this role on “%(on)s”: you have not got its rights there.")
            % {"on": on}
        )


class MayNotSignIn(Refusal):
    def __init__(self, email: str) -> None:
        super().__init__(
            _("%(email)s may not sign in here. Ask those who run the portal.") % {"email": email}
        )


class RoleExists(Refusal):
    def __init__(self, role: Role) -> None:
        super().__init__(
            _("%(person)s has this role on “%(on)s” already: %(kind)s.")
            % {"person": role.user, "on": role.on, "kind": role.get_kind_display()}
        )


class NotThereAnyMore(Refusal):
    def __init__(self) -> None:
        super().__init__(_("This role has been taken away meanwhile."))


class NotYoursToRecover(Refusal):
    def __init__(self, user: User) -> None:
        super().__init__(
            _("You cannot do this for %(person)s. Ask those who run the portal.") % {"person": user}
        )


class SameAddress(Refusal):
    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s is the address already.") % {"email": email})


class AddressTaken(Refusal):
    def __init__(self, email: str) -> None:
        super().__init__(
            _("%(email)s has an account of its own. Two people cannot sign in with one address.")
            % {"email": email}
        )


class NoFactors(Refusal):
    def __init__(self, user: User) -> None:
        super().__init__(
            _("%(person)s has no key and no app: a code in a letter is enough.") % {"person": user}
        )


class TooManyQuestions(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(
            _("An event asks at most %(n)s questions of its own. Retire one first.") % {"n": most}
        )


class TooManyOptions(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(_("A question offers at most %(n)s choices.") % {"n": most})


class NothingToChoose(Refusal):
    def __init__(self) -> None:
        super().__init__(_("There must be something to choose. Write each choice on its own line."))


class NoChoices(Refusal):
    def __init__(self, question: Question) -> None:
        super().__init__(
            _("Nothing is chosen in “%(question)s”: %(kind)s.")
            % {"question": question, "kind": question.get_kind_display()}
        )


class OptionTwice(Refusal):
    def __init__(self, name: str) -> None:
        super().__init__(_("This choice is there twice: %(name)s") % {"name": name})


class NotAskedNow(Refusal):
    def __init__(self) -> None:
        super().__init__(_("This is not asked any more: somebody retired or removed it meanwhile."))


class NotAskedBefore(Refusal):
    def __init__(self, question: Question, parent: Question) -> None:
        super().__init__(
            _("“%(question)s” depends on “%(parent)s”, which must be asked of the same, before it.")
            % {"question": question, "parent": parent}
        )


class LeadsToOthers(Refusal):
    def __init__(self, question: Question) -> None:
        super().__init__(
            _("“%(question)s” is asked by this answer. Change that question first.")
            % {"question": question}
        )


class HasAnswers(Refusal):
    def __init__(self, question: Question) -> None:
        super().__init__(
            _("“%(question)s” was answered already. It can be retired, so that the answers stay.")
            % {"question": question}
        )


class AtTheEnd(Refusal):
    def __init__(self, question: Question) -> None:
        super().__init__(_("“%(question)s” cannot go further.") % {"question": question})
