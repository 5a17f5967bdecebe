"""Organisations, their people and whom they send: seen by role, changed through the verbs.

`registrations.admin.organisations` adds what looks at whole delegations, and registers the pages of
organisations and representatives.
"""

from stakeholders.admin import imports, memberships

__all__ = ["imports", "memberships"]
