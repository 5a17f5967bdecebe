from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from audit.models import Entry
from clock import shown
from events import texts
from events.models import Deadline, Event, Option, Question, Quota, ReminderStep, Segment
from registrations.models import (
    Batch,
    Delegate,
    Exemption,
    ImportRun,
    Merge,
    Message,
    Note,
    Registration,
    SavedView,
)
from stakeholders import refusals as stakeholders_refusals
from stakeholders.models import Membership, Organisation, Representative


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


class BegunByColleagues(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _(
                "Colleagues of yours have begun the registration of “%(name)s”. Ask a focal point "
                "of your organisation to let you work on it."
            )
            % {"name": organisation}
        )


class OnlyFocalPoints(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _("Only a focal point of “%(name)s” says who works on it.") % {"name": organisation}
        )


class NoMember(Refusal):
    def __init__(self, member: Membership) -> None:
        super().__init__(
            _("%(person)s is no longer a member of your organisation, or leads it. Look again.")
            % {"person": member.user}
        )


class KnownToUs(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _("“%(name)s” of this country is known here already. Go back and choose it.")
            % {"name": organisation}
        )


class LedByOthers(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _(
                "“%(name)s” has a focal point with another address. Ask them, or name this person "
                "on the page of the organisation first."
            )
            % {"name": organisation}
        )


class NotYoursToLead(Refusal):
    def __init__(self, organisation: Organisation, contact: str) -> None:
        super().__init__(
            _(
                "“%(name)s” has named people for other events, and has no focal point now. Who "
                "becomes it is not for you to say: write to %(contact)s."
            )
            % {"name": organisation, "contact": contact}
        )


class RegisteredAlready(Refusal):
    def __init__(self, registration: Registration) -> None:
        sentence = (
            _("“%(name)s” has begun a registration by itself: %(reference)s. It is not sent yet.")
            if registration.is_draft
            else _("“%(name)s” is registered already: %(reference)s.")
        )
        super().__init__(
            sentence % {"name": registration.organisation, "reference": registration.reference}
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


class InRow(Refusal):
    """Why one of several people cannot be added: then none is."""

    def __init__(self, row: int, reason: Refusal) -> None:
        self.row = row
        self.reason = reason
        super().__init__(
            _("Row %(row)s: %(reason)s Nobody was added.") % {"row": row, "reason": reason}
        )


class NothingPasted(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Nobody stands in these rows. Paste at least one row with a name."))


class NoNamesPasted(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _("No column holds names. Write “Given names” above the one that does, and look again.")
        )


class TooManyRows(Refusal):
    def __init__(self, rows: int, most: int) -> None:
        super().__init__(
            ngettext(
                "There is %(rows)s row. Paste at most %(most)s at once, and the others afterwards.",
                "There are %(rows)s rows. Paste at most %(most)s at once, and the others "
                "afterwards.",
                rows,
            )
            % {"rows": rows, "most": most}
        )


class TwoHeads(Refusal):
    def __init__(self, head: Delegate | str) -> None:
        super().__init__(
            _("%(name)s is the head of your delegation. There can be only one.") % {"name": head}
        )


class NotDecided(Refusal):
    def __init__(self, delegates: Iterable[Delegate]) -> None:
        people = list(delegates)
        super().__init__(
            ngettext(
                "%(people)s is neither approved nor declined. Nothing was changed.",
                "%(people)s are neither approved nor declined. Nothing was changed.",
                len(people),
            )
            % {"people": texts.listed(_stands(delegate) for delegate in people)}
        )


class AlreadyDecided(Refusal):
    """`acts`: the last one about each of them, by whom and when."""

    def __init__(self, delegates: Iterable[Delegate], acts: Mapping[str, Entry]) -> None:
        people = list(delegates)
        super().__init__(
            ngettext(
                "%(people)s no longer waits for a decision. Nothing was changed.",
                "%(people)s no longer wait for a decision. Nothing was changed.",
                len(people),
            )
            % {
                "people": texts.listed(
                    _stands(delegate, acts.get(str(delegate.pk))) for delegate in people
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


class NothingToConfirm(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("%(name)s: %(state)s. There is nothing to confirm.")
            % {"name": delegate, "state": delegate.get_state_display()}
        )


class ConfirmedTooLate(Refusal):
    def __init__(self, delegate: Delegate, until: datetime) -> None:
        zone = delegate.registration.event.zone
        super().__init__(
            _("%(name)s could confirm until %(moment)s. It is too late now.")
            % {"name": delegate, "moment": shown.closing_and_zone(until, zone)}
        )


class NotToBeListed(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("%(name)s has no place at “%(event)s” now, or the event has no public list.")
            % {"name": delegate, "event": delegate.registration.event}
        )


class CannotReplace(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("%(name)s: %(state)s. Nobody can come in this place.")
            % {"name": delegate, "state": delegate.get_state_display()}
        )


class ReplacementWaits(Refusal):
    def __init__(self, delegate: Delegate, new: Delegate) -> None:
        super().__init__(
            _("%(new)s is already named in place of %(old)s, and the organisers have not decided.")
            % {"new": new, "old": delegate}
        )


class HasBegun(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(_("“%(event)s” has begun.") % {"event": event})


class NotClosed(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(
            _("Registration for “%(event)s” has not closed. You need not ask.") % {"event": event}
        )


class AskedInAlready(Refusal):
    def __init__(self, exemption: Exemption) -> None:
        zone = exemption.event.zone
        super().__init__(
            _("You asked on %(moment)s. One request is enough.")
            % {"moment": shown.moment_and_zone(exemption.asked_at, zone)}
            if exemption.asked_at
            else _("The organisers have already decided about your group.")
        )


class WhyMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Write why you come late. The organisers decide by it."))


class UntilNotAhead(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(
            _("Choose a moment that is still to come, and not after “%(event)s” is over.")
            % {"event": event}
        )


class AnsweredAlready(Refusal):
    def __init__(self, exemption: Exemption) -> None:
        super().__init__(
            _("%(organisation)s has an answer already. Nothing was changed.")
            % {"organisation": exemption.organisation}
        )


class HearingFull(Refusal):
    def __init__(self, event: Event, left: int) -> None:
        if left > 0:
            sentence = ngettext(
                "Only %(left)s of the %(seats)s seats of “%(event)s” is left.",
                "Only %(left)s of the %(seats)s seats of “%(event)s” are left.",
                left,
            )
        else:
            sentence = _("All seats of “%(event)s” are given: %(seats)s.")
        super().__init__(sentence % {"event": event, "seats": event.seats, "left": left})


class CapReached(Refusal):
    def __init__(self, organisation: Organisation, cap: int, left: int) -> None:
        if left > 0:
            sentence = ngettext(
                "Only %(left)s of the %(cap)s seats that “%(organisation)s” may have is left.",
                "Only %(left)s of the %(cap)s seats that “%(organisation)s” may have are left.",
                left,
            )
        else:
            sentence = _(
                "“%(organisation)s” has all the seats that one organisation may have: %(cap)s."
            )
        super().__init__(sentence % {"organisation": organisation, "cap": cap, "left": left})


class QuotaFull(Refusal):
    def __init__(self, quota: Quota, left: int) -> None:
        if left > 0:
            sentence = ngettext(
                "Only %(left)s of the %(seats)s seats for “%(quota)s” is left.",
                "Only %(left)s of the %(seats)s seats for “%(quota)s” are left.",
                left,
            )
        else:
            sentence = _("All seats for “%(quota)s” are given: %(seats)s.")
        super().__init__(sentence % {"quota": quota, "seats": quota.seats, "left": left})


class OverCap(Refusal):
    def __init__(self, cap: int) -> None:
        super().__init__(
            ngettext(
                "One organisation can send %(cap)s person who takes a seat. Interpreters and "
                "personal assistants are not counted.",
                "One organisation can send %(cap)s people who take a seat. Interpreters and "
                "personal assistants are not counted.",
                cap,
            )
            % {"cap": cap}
        )


class SeatIsFree(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _(
                "%(name)s does not have to wait: there is a place. Approve or decline; whoever "
                "stands on the waiting list moves up by themselves."
            )
            % {"name": delegate}
        )


class TrackMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Choose first how your organisation takes part."))


class ChangedMeanwhile(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _(
                "What is known of %(name)s was changed while you were writing, perhaps by a "
                "colleague. Nothing of yours is saved yet: compare the two, and save again."
            )
            % {"name": delegate}
        )


class CannotCorrect(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("%(name)s: %(state)s. There is nothing to correct by a request.")
            % {"name": delegate, "state": delegate.get_state_display()}
        )


class NothingToCorrect(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Nothing is changed. Write what should be otherwise."))


class CorrectionReasonMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Write why. The organisers decide by it."))


class CorrectionAsked(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("A correction about %(name)s waits for the organisers already.") % {"name": delegate}
        )


class CorrectionAnswered(Refusal):
    def __init__(self, delegate: Delegate) -> None:
        super().__init__(
            _("The request about %(name)s has an answer already. Nothing was changed.")
            % {"name": delegate}
        )


class ColumnMissing(Refusal):
    def __init__(self, meanings: Iterable[str]) -> None:
        super().__init__(
            _("Say which column holds this: %(meanings)s.") % {"meanings": texts.listed(meanings)}
        )


class ImportApplied(Refusal):
    def __init__(self, run: ImportRun) -> None:
        super().__init__(
            _("The list “%(name)s” was brought in already. Nothing was done a second time.")
            % {"name": run}
        )


class ImportChanged(Refusal):
    def __init__(self, rows: int) -> None:
        super().__init__(
            ngettext(
                "Nobody was brought in: since you looked, %(n)s row has changed. It is marked "
                "below. Look again, then bring the list in.",
                "Nobody was brought in: since you looked, %(n)s rows have changed. They are marked "
                "below. Look again, then bring the list in.",
                rows,
            )
            % {"n": rows}
        )


class ImportCrossed(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Nobody was brought in: in this very moment somebody else has entered one of the "
                "same people or groups. Look again, then bring the list in."
            )
        )


class NobodyComesIn(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Nobody in this list can come in. Mend the rows, and bring it again."))


class CannotUndo(Refusal):
    def __init__(self, run: ImportRun) -> None:
        until = run.undone_until
        if until is None:
            sentence = _("The list “%(name)s” was not brought in.")
        elif run.undone_at:
            sentence = _("The list “%(name)s” was taken back already.")
        else:
            sentence = _("The list “%(name)s” could be taken back until %(moment)s, %(zone)s.")
        zone = run.event.zone
        super().__init__(
            sentence
            % {
                "name": run,
                "moment": shown.moment(until, zone) if until else "",
                "zone": shown.zone_name(zone, until) if until else "",
            }
        )


class TooManyViews(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(
            ngettext(
                "You have %(n)s saved view. Remove it first.",
                "You have %(n)s saved views. Remove one first.",
                most,
            )
            % {"n": most}
        )


class ViewNameTaken(Refusal):
    def __init__(self, name: str) -> None:
        super().__init__(_("You have a view of this name already: %(name)s") % {"name": name})


class NotYourView(Refusal):
    def __init__(self, view: SavedView) -> None:
        super().__init__(_("This view is not yours, or it was removed: %(name)s") % {"name": view})


class NotToShare(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(
            _("You cannot share a view with those who work on “%(event)s”.") % {"event": event}
        )


class AnswerMissing(Refusal):
    def __init__(self, question: Question, delegate: Delegate | None) -> None:
        if delegate is None:
            sentence = _("Answer this question of the organisers first: “%(question)s”")
        else:
            sentence = _("Answer this question about %(name)s first: “%(question)s”")
        super().__init__(sentence % {"question": question, "name": delegate})


class OptionFull(Refusal):
    def __init__(self, option: Option, left: int) -> None:
        if left:
            sentence = ngettext(
                "“%(choice)s” can be chosen by %(n)s more person only.",
                "“%(choice)s” can be chosen by %(n)s more people only.",
                left,
            )
        else:
            sentence = _("“%(choice)s” is full: as many as can have chosen it. Choose another one.")
        super().__init__(sentence % {"choice": option, "n": left})


class NothingToAnswer(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Nothing can be answered here now. Look at the page again."))


class TakenIn(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(str(stakeholders_refusals.TakenIn(organisation)))


class SameEntry(Refusal):
    def __init__(self) -> None:
        super().__init__(_("These are one entry already. Choose another one."))


class OtherPeople(Refusal):
    def __init__(self, person: Representative) -> None:
        super().__init__(
            _("%(name)s is entered for another organisation. Merge the organisations first.")
            % {"name": person}
        )


class ElsewhereToo(Refusal):
    def __init__(self, name: object, contact: str) -> None:
        super().__init__(
            _(
                "“%(name)s” registers for events that you do not manage. Write to %(contact)s: "
                "whoever manages all of them can merge it."
            )
            % {"name": name, "contact": contact}
        )


class BothRegistered(Refusal):
    def __init__(self, kept: Registration, taken: Registration) -> None:
        sentence = (
            _(
                "Both are registered for “%(event)s”: %(kept)s and %(taken)s. The first one is "
                "withdrawn, or empty: keep the other organisation instead."
            )
            if kept.is_withdrawn or kept.is_draft
            else _(
                "Both are registered for “%(event)s”: %(kept)s and %(taken)s. One of the two "
                "delegations has to be withdrawn first."
            )
        )
        super().__init__(
            sentence % {"event": kept.event, "kept": kept.reference, "taken": taken.reference}
        )


class BothInDelegation(Refusal):
    def __init__(self, taken: Delegate) -> None:
        super().__init__(
            _(
                "Both are in the delegation %(reference)s to “%(event)s”. One of the two has to be "
                "withdrawn from it first."
            )
            % {"reference": taken.registration.reference, "event": taken.registration.event}
        )


class NobodyLeads(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _("“%(name)s” would have no focal point. Let at least one of them keep the access.")
            % {"name": organisation}
        )


class MergeChanged(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _(
                "Nothing was merged: since you looked, one of the two was changed. Look again at "
                "what would happen, then decide."
            )
        )


class CannotUnmerge(Refusal):
    def __init__(self, merge: Merge) -> None:
        sentence = (
            _("This was undone already.")
            if merge.undone_at
            else _("This could be undone until %(moment)s, %(zone)s.")
        )
        super().__init__(
            sentence
            % {
                "moment": shown.moment(merge.undone_until, "UTC"),
                "zone": shown.zone_name("UTC", merge.undone_until),
            }
        )


class Misworded(Refusal):
    """What is wrong with the words in one column of a message."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


class UnknownPlaceholder(Misworded):
    def __init__(self, column: str, names: Iterable[str]) -> None:
        said = texts.listed(f"{{{name[:40]}}}" for name in names)
        super().__init__(
            column, _("Nothing is known by this name: %(placeholders)s") % {"placeholders": said}
        )


class StrayBrace(Misworded):
    def __init__(self, column: str, around: str) -> None:
        super().__init__(
            column,
            _("A brace stands alone here: %(around)s. Braces only go around a placeholder.")
            % {"around": around},
        )


class NameInSubject(Misworded):
    def __init__(self, column: str, names: Iterable[str]) -> None:
        said = texts.listed(f"{{{name}}}" for name in names)
        super().__init__(
            column,
            _(
                "Names of people do not stand in subjects, which others may see: take out "
                "%(placeholders)s."
            )
            % {"placeholders": said},
        )


class BreakInSubject(Misworded):
    def __init__(self, column: str) -> None:
        super().__init__(column, _("A subject is one line."))


class NoSuchDeadline(Misworded):
    def __init__(self, column: str) -> None:
        super().__init__(
            column, _("This event has no registration that closes: take out {deadline}.")
        )


class OfFocalPoints(Misworded):
    def __init__(self, column: str) -> None:
        super().__init__(
            column,
            _("Only focal points can open that page: take out {status_page}, or write to them."),
        )


class AudienceUnknown(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _("Some of these filters are no longer here. Choose whom to write to once more.")
        )


class MayNotWrite(Refusal):
    def __init__(self, message: Message) -> None:
        super().__init__(
            _("%(name)s may no longer write to the people of this event.")
            % {"name": message.sent_by}
        )


class EnglishMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _("Write the subject and the text in English: it is read where a language is missing.")
        )


class NobodyToWriteTo(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Nobody would get this letter. Choose other people."))


class LeavesTooSoon(Refusal):
    def __init__(self, minutes: int) -> None:
        super().__init__(
            ngettext(
                "Choose a moment at least %(n)s minute from now.",
                "Choose a moment at least %(n)s minutes from now.",
                minutes,
            )
            % {"n": minutes}
        )


class SentByNow(Refusal):
    """Whoever writes on, or sends once more, is told who was quicker."""

    def __init__(self, message: Message) -> None:
        zone = message.event.zone
        sentences = {
            Message.State.WAITING: _("%(name)s has sent this letter. It leaves on %(moment)s."),
            Message.State.SENDING: _("%(name)s has sent this letter. It is going out."),
            Message.State.SENT: _("%(name)s has sent this letter. It has left."),
            Message.State.STOPPED: _("%(name)s has sent this letter. Then it was stopped."),
        }
        super().__init__(
            sentences[Message.State(message.state)]
            % {
                "name": message.sent_by,
                "moment": shown.moment_and_zone(message.leaves_at, zone)
                if message.leaves_at
                else "",
            }
        )


class NothingToStop(Refusal):
    def __init__(self, message: Message) -> None:
        sentences = {
            Message.State.DRAFT: _("This letter is a draft. It does not leave by itself."),
            Message.State.SENT: _("This letter has left already."),
            Message.State.STOPPED: _("This letter was stopped already."),
        }
        super().__init__(sentences[Message.State(message.state)])


class UndoneAlready(Refusal):
    def __init__(self, batch: Batch) -> None:
        zone = batch.event.zone
        super().__init__(
            _("%(who)s has undone this on %(moment)s.")
            % {
                "who": batch.undone_by,
                "moment": shown.moment_and_zone(batch.undone_at or batch.at, zone),
            }
        )


class LettersHaveLeft(Refusal):
    """It is too late to undo a batch, but not to decide otherwise."""

    def __init__(self, batch: Batch) -> None:
        is_decided = batch.word in {Batch.Word.APPROVE, Batch.Word.DECLINE}
        super().__init__(
            _(
                "The letters have left, so this can no longer be undone. On the page of a person, "
                "or in the attendee list, choose “Take the decision back”: it has a letter of its "
                "own."
            )
            if is_decided
            else _("The letters have left, so this can no longer be undone. Decide anew.")
        )


class TouchedSince(Refusal):
    def __init__(self, delegates: Iterable[Delegate]) -> None:
        people = list(delegates)
        super().__init__(
            ngettext(
                "%(people)s was changed since by somebody. Nothing of this delegation was undone.",
                "%(people)s were changed since by somebody. Nothing of this delegation was undone.",
                len(people),
            )
            % {"people": texts.listed(_stands(delegate) for delegate in people)}
        )


class OfDelegation(Refusal):
    """What one of several delegations refuses."""

    def __init__(self, registration: Registration, why: Refusal) -> None:
        super().__init__(
            _("%(delegation)s: %(refusal)s") % {"delegation": registration, "refusal": why}
        )


class NothingUndone(Refusal):
    def __init__(self, refused: Iterable[tuple[Registration, Refusal]]) -> None:
        super().__init__(" ".join(str(OfDelegation(*each)) for each in refused))


class PartFull(Refusal):
    def __init__(self, part: Segment) -> None:
        super().__init__(_("All places of “%(part)s” are given.") % {"part": part})


class SeatsGone(Refusal):
    def __init__(self, why: Refusal) -> None:
        super().__init__(_("%(why)s Nothing of this delegation was undone.") % {"why": why})


def _stands(delegate: Delegate, act: Entry | None = None) -> str:
    """“Aïssata Traoré (Approved: Clara Weiss, 7 February 2018, 14:31, New York time (UTC−5))”"""
    state = delegate.get_state_display()
    if act is None:
        return f"{delegate} ({state})"
    zone = delegate.registration.event.zone
    return _("%(name)s (%(state)s: %(who)s, %(moment)s, %(zone)s)") % {
        "name": delegate,
        "state": state,
        "who": act.actor or _("the clock"),
        "moment": shown.moment(act.at, zone, weekday=False),
        "zone": shown.zone_name(zone, act.at),
    }


class NoteMissing(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Write the note."))


class NotYourNote(Refusal):
    def __init__(self, note: Note) -> None:
        super().__init__(
            _("This note is not yours, or it was removed: %(note)s") % {"note": str(note)[:100]}
        )


class CannotLookAfter(Refusal):
    def __init__(self, organiser: User, event: Event) -> None:
        super().__init__(
            _("%(organiser)s does not decide about people of “%(event)s”.")
            % {"organiser": organiser, "event": event}
        )


class AssignedAlready(Refusal):
    def __init__(self, registration: Registration) -> None:
        if registration.assigned_to is None:
            super().__init__(_("This delegation is assigned to nobody as it is."))
        else:
            super().__init__(
                _("%(organiser)s looks after this delegation already.")
                % {"organiser": registration.assigned_to}
            )


class TagTooLong(Refusal):
    def __init__(self, word: str, longest: int) -> None:
        super().__init__(
            ngettext(
                "This tag is longer than %(n)s character: %(tag)s",
                "This tag is longer than %(n)s characters: %(tag)s",
                longest,
            )
            % {"n": longest, "tag": word}
        )


class TooManyTagsOn(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(
            ngettext(
                "A delegation can have %(n)s tag at most. Take one off first.",
                "A delegation can have %(n)s tags at most. Take one off first.",
                most,
            )
            % {"n": most}
        )


class TooManyTags(Refusal):
    def __init__(self, event: Event, most: int) -> None:
        super().__init__(
            ngettext(
                "“%(event)s” has %(n)s tag already. Use it.",
                "“%(event)s” has %(n)s tags already. Use one of them.",
                most,
            )
            % {"event": event, "n": most}
        )


class TaggedAlready(Refusal):
    def __init__(self, registration: Registration) -> None:
        super().__init__(
            _("The tags of this delegation are these already: %(delegation)s")
            % {"delegation": registration}
        )


class ReminderGone(Refusal):
    def __init__(self, step: ReminderStep) -> None:
        super().__init__(_("The reminder %(step)s before was removed meanwhile.") % {"step": step})


class ReminderPast(Refusal):
    def __init__(self, step: ReminderStep, moment: datetime, deadline: Deadline) -> None:
        super().__init__(
            _("The moment of this reminder (%(step)s before) is past: %(moment)s, %(zone)s.")
            % {
                "step": step,
                "moment": shown.moment(moment, deadline.zone),
                "zone": shown.zone_name(deadline.zone, moment),
            }
        )


class ReminderSkipped(Refusal):
    def __init__(self, step: ReminderStep) -> None:
        super().__init__(_("The reminder %(step)s before is skipped.") % {"step": step})


class ReminderNotSkipped(Refusal):
    def __init__(self, step: ReminderStep) -> None:
        super().__init__(_("The reminder %(step)s before is not skipped.") % {"step": step})


class RemindersRest(Refusal):
    def __init__(self, event: Event) -> None:
        super().__init__(
            _("Nobody is reminded now: the event is %(state)s.")
            % {"state": event.get_state_display().lower()}
        )


class ReminderTooEarly(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        opens_at = deadline.opens_at or deadline.set_at
        super().__init__(
            _("Nobody is reminded before the window opens: %(moment)s, %(zone)s.")
            % {
                "moment": shown.moment(opens_at, deadline.zone),
                "zone": shown.zone_name(deadline.zone, opens_at),
            }
        )


class ChangeUntold(Refusal):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__(
            _(
                "People have yet to be told of a change of “%(event)s”. They are in a few minutes; "
                "send the reminder then."
            )
            % {"event": deadline.event}
        )


class NobodyReached(Refusal):
    def __init__(self, step: ReminderStep) -> None:
        super().__init__(
            _("The reminder %(step)s before reaches nobody as of now.") % {"step": step}
        )


class ReminderSent(Refusal):
    def __init__(self, step: ReminderStep) -> None:
        super().__init__(
            _("Everybody whom the reminder %(step)s before reaches has it already.")
            % {"step": step}
        )


class InTheWay(Refusal):
    def __init__(self, what: Iterable[str]) -> None:
        super().__init__(
            _("This cannot be undone any more. What stands in the way: %(what)s")
            % {"what": texts.listed_apart(what)}
        )
