"""The organisers' side: what each may see follows from roles, what changes goes through verbs."""

from django.contrib import admin

from events.admin import entries, events, letters, people, processes, roles

__all__ = ["entries", "events", "letters", "people", "processes", "roles"]

admin.site.disable_action("delete_selected")
