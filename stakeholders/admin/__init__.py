"""Organisations, their people and whom they send: seen by role, changed through the verbs."""

from stakeholders.admin import imports, memberships, organisations, representatives

__all__ = ["imports", "memberships", "organisations", "representatives"]
