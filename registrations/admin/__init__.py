"""The organisers' daily work: who comes, what is decided, and until when one may register."""

from registrations.admin import (
    composing,
    corrections,
    deadlines,
    delegates,
    delegations,
    events,
    exemptions,
    importing,
    invitations,
    organisations,
)

__all__ = [
    "composing",
    "corrections",
    "deadlines",
    "delegates",
    "delegations",
    "events",
    "exemptions",
    "importing",
    "invitations",
    "organisations",
]
