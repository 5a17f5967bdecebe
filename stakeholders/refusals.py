from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clock import shown
from stakeholders.models import ImportRun, Membership, Organisation


class Refusal(Exception):
    """Why something may not happen: a sentence for a person."""


class KnownHere(Refusal):
    def __init__(self, organisation: Organisation, contact: str) -> None:
        super().__init__(
            _("“%(name)s” is known here already. Ask to join it, or write to %(contact)s.")
            % {"name": organisation, "contact": contact}
        )
        self.organisation = organisation


class ChangedMeanwhile(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _(
                "What is known of “%(name)s” was changed while you were writing, perhaps by a "
                "colleague. Nothing of yours is saved yet: compare the two, and save again."
            )
            % {"name": organisation}
        )


class TakenIn(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _("“%(name)s” is the same organisation as “%(kept)s” here. Go on there.")
            % {"name": organisation, "kept": organisation.merged_into}
        )


class NotYours(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _("Only the focal points of “%(name)s” and the organisers can do that.")
            % {"name": organisation}
        )


class NotForOneself(Refusal):
    def __init__(self) -> None:
        super().__init__(_("Somebody else has to decide that about you."))


class AnsweredAlready(Refusal):
    def __init__(self, membership: Membership) -> None:
        super().__init__(
            _("The request of %(person)s does not wait for an answer any more.")
            % {"person": membership.user}
        )


class InvitationOver(Refusal):
    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            _("The invitation to “%(name)s” does not hold any more. Ask to join instead.")
            % {"name": organisation}
        )


class TooManyAsks(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(
            ngettext(
                "%(n)s request of yours waits for an answer. Take it back before you ask again.",
                "%(n)s requests of yours wait for an answer. Take one back before you ask again.",
                most,
            )
            % {"n": most}
        )


class AskedLately(Refusal):
    def __init__(self, membership: Membership) -> None:
        assert membership.since
        again = membership.since + Membership.ASKED_AGAIN_AFTER
        super().__init__(
            _("You can ask “%(name)s” again from %(moment)s. It can invite you at any time.")
            % {
                "name": membership.organisation,
                "moment": shown.moment_and_zone(again, membership.user.zone),
            }
        )


class TooManyInvitations(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(
            ngettext(
                "%(n)s invitation is open. Take it back before you invite somebody else.",
                "%(n)s invitations are open. Take one back before you invite somebody else.",
                most,
            )
            % {"n": most}
        )


class InvitedTooOften(Refusal):
    def __init__(self, most: int, again: datetime, zone: str) -> None:
        super().__init__(
            ngettext(
                "You have invited %(n)s time within 24 hours. Invite again from %(moment)s.",
                "You have invited %(n)s times within 24 hours. Invite again from %(moment)s.",
                most,
            )
            % {"n": most, "moment": shown.moment_and_zone(again, zone)}
        )


class EnteredTooMany(Refusal):
    def __init__(self, most: int, again: datetime, zone: str) -> None:
        super().__init__(
            ngettext(
                "You have entered %(n)s organisation within 24 hours. Enter another one from "
                "%(moment)s.",
                "You have entered %(n)s organisations within 24 hours. Enter another one from "
                "%(moment)s.",
                most,
            )
            % {"n": most, "moment": shown.moment_and_zone(again, zone)}
        )


class InAlready(Refusal):
    def __init__(self, address: str, organisation: Organisation) -> None:
        super().__init__(
            _("%(address)s belongs to “%(name)s” already.")
            % {"address": address, "name": organisation}
        )


class NotInIt(Refusal):
    def __init__(self, membership: Membership) -> None:
        super().__init__(
            _("%(person)s does not belong to “%(name)s” any more.")
            % {"person": membership.user, "name": membership.organisation}
        )


class LastFocalPoint(Refusal):
    def __init__(self, organisation: Organisation, contact: str) -> None:
        super().__init__(
            _(
                "“%(name)s” would have no focal point any more. Hand over to a colleague first, "
                "or write to %(contact)s."
            )
            % {"name": organisation, "contact": contact}
        )


class ShutOut(Refusal):
    def __init__(self, address: str) -> None:
        super().__init__(
            _("%(address)s may not sign in here. Name somebody else.") % {"address": address}
        )


class TableTooLarge(Refusal):
    def __init__(self, megabytes: int) -> None:
        super().__init__(
            _("The file is too large: at most %(size)d MB can be read at once. Bring it in parts.")
            % {"size": megabytes}
        )


class TableTooLong(Refusal):
    def __init__(self, rows: int) -> None:
        super().__init__(
            _("The list is too long: at most %(rows)d rows can be read at once. Bring it in parts.")
            % {"rows": rows}
        )


class NotATable(Refusal):
    """A file that is none, or none that can be read: the sentence says what to do."""


class NoNames(Refusal):
    def __init__(self, headings: list[str]) -> None:
        super().__init__(
            _(
                "The first row must hold headings, and one of them must be “name”. This file "
                "begins with: %(headings)s."
            )
            % {"headings": ", ".join(heading for heading in headings if heading)[:200]}
        )


class TooAlike(Refusal):
    def __init__(self) -> None:
        super().__init__(
            _("The names in this list are too much alike to be compared. Bring it in parts.")
        )


class AppliedAlready(Refusal):
    def __init__(self, run: ImportRun) -> None:
        super().__init__(
            _("The list “%(name)s” was brought in already. Nothing was done a second time.")
            % {"name": run.file_name}
        )


class NotOffered(Refusal):
    def __init__(self, line: int) -> None:
        super().__init__(
            _("Line %(line)d cannot be decided like that. Nothing of this page was kept.")
            % {"line": line}
        )
