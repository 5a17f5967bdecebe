"""What a role lets its organiser do, on an event or on a whole process."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Right(StrEnum):
    """The weakest first. Each is asked for by name; none follows from another."""

    ARRIVALS = "arrivals"
    """Who is expected: names, organisations, roles and states of people with a place."""
    LOOK = "look"
    """The event, its attendee list and its delegations; no addresses, no access needs."""
    EXPORT = "export"
    """The attendee list as a file, with the columns that may be seen."""
    CONTACT = "contact"
    """Addresses of people, letters and history."""
    DECIDE = "decide"
    """Approve, decline, ask, put on the waiting list."""
    SENSITIVE = "sensitive"
    """Access needs."""
    RUN = "run"
    """Everything else: the event, its deadlines and seats, invitations, exemptions, roles."""


KINDS: dict[str, frozenset[Right]] = {
    "manager": frozenset(Right),
    "reviewer": frozenset({Right.ARRIVALS, Right.LOOK, Right.EXPORT, Right.CONTACT, Right.DECIDE}),
    "reader": frozenset({Right.ARRIVALS, Right.LOOK, Right.EXPORT}),
    "door": frozenset({Right.ARRIVALS}),
}

MEANS = {
    "manager": _(
        "Everything: the event, its deadlines and seats, invitations, decisions, access needs, "
        "letters, and who organises."
    ),
    "reviewer": _(
        "Decide about the people of each delegation; read addresses, letters and the history; "
        "take the attendee list as a file."
    ),
    "reader": _(
        "Look at the event, its delegations and its attendee list, and take the list as a file. "
        "No addresses, no letters."
    ),
    "door": _("See who is expected: name, organisation, role and state of people with a place."),
}


def kinds_with(right: Right) -> list[str]:
    """The kinds of roles that have it."""
    return [kind for kind, rights in KINDS.items() if right in rights]
