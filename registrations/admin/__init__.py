"""The organisers' daily work: who comes, what is decided, and until when one may register."""

from registrations.admin import (
    corrections,
    deadlines,
    delegates,
    delegations,
    events,
    exemptions,
    importing,
    invitations,
)

__all__ = [
    "corrections",
    "deadlines",
    "delegates",
    "delegations",
    "events",
    "exemptions",
    "importing",
    "invitations",
]
