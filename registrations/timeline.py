"""What happened to a registration, as its group reads it."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from registrations.models import Delegate, Registration

OF_THE_GROUP = {
    "draft begun": _("Draft begun"),
    "draft reopened": _("Draft begun again"),
    "entered on behalf": _("Entered by the organisers, for a group that wrote to them"),
    "colleagues changed": _("Who works on it was changed"),
    "people entered from a list": _("People entered by the organisers, from a list"),
    "list taken back": _("People taken back whom the organisers had entered from a list"),
    "sent": _("Registration sent"),
    "questions answered": _("Questions of the organisers answered"),
    "withdrawn": _("Registration withdrawn"),
    "came with another entry": _("Came here when two entries of the organisation became one"),
    "went back with its entry": _("Went back when the two entries became two again"),
    "asked to be let in": _("Asked to register after the close"),
    "let in": _("Let in after the close"),
    "not let in": _("Not let in after the close"),
}
OF_A_PERSON = {
    "approved": _("Approved"),
    "declined": _("Declined"),
    "decision taken back": _("Decision taken back"),
    "decision undone": _("Undone by the organisers"),
    "question asked": _("Question from the organisers"),
    "question answered": _("Question answered"),
    "withdrawn": _("Withdrawn"),
    "seat given": _("Seat given"),
    "wait-listed": _("Put on the waiting list"),
    "moved up": _("Moved up from the waiting list"),
    "part given": _("Moved up for a part of the event"),
    "confirmed": _("Confirmed"),
    "declined by delegate": _("Said that they do not come"),
    "lapsed": _("Not confirmed in time"),
    "agreed to be listed": _("Agreed to be named in the public list"),
    "taken off the list": _("Taken off the public list, as they asked"),
    "questions answered": _("Questions of the organisers answered"),
    "facts changed": _("Facts changed"),
    "correction asked for": _("Correction asked for"),
    "corrected": _("Corrected"),
    "correction declined": _("Correction declined"),
    "replaced": _("Replaced"),
    "replacement asked for": _("Named to come in somebody’s place"),
}
SHOWN_REASONS = {
    "declined",
    "decision taken back",
    "question asked",
    "asked to be let in",
    "let in",
    "not let in",
    "corrected",
    "correction declined",
}


def of(registration: Registration, delegates: list[Delegate]) -> list[dict]:
    """Newest first: what (a sentence), when, by whom, about whom, and why where that is for the
    group: not where that was undone. What has no words here is among organisers."""
    people = {str(delegate.pk): delegate for delegate in delegates}
    of_the_group = Q(subject_type=Registration._meta.label_lower, verb__in=OF_THE_GROUP)
    of_a_person = Q(subject_type=Delegate._meta.label_lower, verb__in=OF_A_PERSON)
    entries = Entry.objects.filter(
        (of_the_group & Q(subject_id=str(registration.pk)))
        | (of_a_person & Q(subject_id__in=people))
    ).order_by("-at", "-id")
    told = []
    undone: set[str] = set()
    for entry in entries.select_related("actor"):
        told.append(_told(entry, people.get(entry.subject_id)))
        if entry.verb == "decision undone":
            undone.add(entry.subject_id)
        elif entry.subject_id in undone and "state" in (entry.after or {}):
            undone.remove(entry.subject_id)
            told[-1]["reason"] = ""
    return told


def reason_of_decline(told: list[dict]) -> str:
    return next((one["reason"] for one in told if one["verb"] == "declined"), "")


def _told(entry: Entry, who: Delegate | None) -> dict:
    words = OF_A_PERSON if who else OF_THE_GROUP
    return {
        "verb": entry.verb,
        "what": words[entry.verb],
        "who": who,
        "people": (entry.after or {}).get("people"),
        "at": entry.at,
        "by": entry.actor,
        "reason": entry.reason if entry.verb in SHOWN_REASONS else "",
    }
