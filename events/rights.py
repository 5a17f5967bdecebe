"""What a role lets its organiser do, on an event or on a whole process."""

from enum import StrEnum


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


def kinds_with(right: Right) -> list[str]:
    """The kinds of roles that have it."""
    return [kind for kind, rights in KINDS.items() if right in rights]
