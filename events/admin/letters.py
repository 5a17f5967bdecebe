"""The letters of the events that an organiser manages."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html, linebreaks
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.models import User
from events.admin import timeline
from events.admin.scope import ScopedAdmin
from events.models import Event
from notifications.models import SIGNED, Letter

SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@admin.register(Letter)
class LetterAdmin(ScopedAdmin):
    list_display = ["subject", "to", "kind", "state", "posted_said", "sent_said"]
    list_filter = ["state", "kind"]
    narrowed_by = ("about",)
    search_fields = ["to", "subject"]
    ordering = ["-posted_at"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "state",
                    "to",
                    "reply_to",
                    "language",
                    "subject",
                    "kind",
                    "event_said",
                    "words",
                    "page",
                ]
            },
        ),
        (
            gettext_lazy("On its way"),
            {
                "fields": [
                    "posted_said",
                    "not_before_said",
                    "sent_said",
                    "expires_said",
                    "ended_said",
                    "attempts",
                    "last_error",
                ]
            },
        ),
    ]

    def managed(self, everything: QuerySet, user: User) -> QuerySet:
        if user.is_superuser:
            return everything
        return everything.filter(scope__in=Event.objects.managed_by(user).values("id"))

    def pages(self) -> list[tuple[str, Any]]:
        return [("page", xframe_options_sameorigin(self.html_part))]

    def html_part(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The letter's own page, in a box: nothing in it runs, loads or leads anywhere."""
        letter = self.load(request, pk)
        if not self.has_page(letter):
            raise Http404
        html = letter.html if settings.DEMO else SIGNED.sub(r"\1…", letter.html)
        return HttpResponse(html, headers={"Content-Security-Policy": SANDBOX})

    def has_page(self, letter: Letter) -> bool:
        return bool(letter.html) and (settings.DEMO or not letter.is_secret)

    @admin.display(description=gettext_lazy("event"))
    def event_said(self, letter: Letter) -> str:
        event = Event.objects.filter(id=letter.scope).first()
        return str(event) if event else timeline.NOTHING

    @admin.display(description=gettext_lazy("text"))
    def words(self, letter: Letter) -> str:
        return mark_safe(linebreaks(letter.shown_text(), autoescape=True))  # noqa: S308

    @admin.display(description=gettext_lazy("as it looks"))
    def page(self, letter: Letter) -> str:
        if not self.has_page(letter):
            return timeline.NOTHING
        return format_html(
            '<iframe class="letter" sandbox title="{}" src="{}" width="640" height="480"></iframe>',
            letter.subject,
            self.page_url("page", letter),
        )

    @admin.display(description=gettext_lazy("posted"), ordering="posted_at")
    def posted_said(self, letter: Letter) -> str:
        return timeline.said(letter.posted_at, "UTC")

    @admin.display(description=gettext_lazy("sent"), ordering="sent_at")
    def sent_said(self, letter: Letter) -> str:
        return timeline.said(letter.sent_at, "UTC")

    @admin.display(description=gettext_lazy("not before"))
    def not_before_said(self, letter: Letter) -> str:
        return timeline.said(letter.not_before, "UTC")

    @admin.display(description=gettext_lazy("true until"))
    def expires_said(self, letter: Letter) -> str:
        return timeline.said(letter.expires_at, "UTC")

    @admin.display(description=gettext_lazy("given up or taken back"))
    def ended_said(self, letter: Letter) -> str:
        return timeline.said(letter.ended_at, "UTC")
