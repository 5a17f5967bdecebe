"""The reminders of an event in the order of their moments: looked at, skipped, sent before."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import clock
from events import texts
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin
from events.models import Deadline, Event, ReminderStep
from events.rights import Right
from notifications.models import Kind, Letter
from notifications.models import State as LetterState
from registrations import refusals, reminders
from registrations.admin import readers, samples, steps
from registrations.audiences import Concerned

LANGUAGES = dict(settings.CONTENT_LANGUAGES)


@dataclass(frozen=True)
class Row:
    """One reminder in the timeline."""

    at: datetime
    said: str
    window: str
    step: str
    stand: str
    readers: str
    letters: str
    letters_url: str
    links: list[tuple[str, str]]


def page(admin: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    now = clock.now()
    windows = [
        window
        for window in event.deadlines.prefetch_related("steps").order_by("closes_at")
        if steps.has_readers(window)
    ]
    for window in windows:
        window.event = event
    may_act = admin.may(request, event, Right.RUN)
    rows = [row for window in windows for row in _rows(window, now=now, may_act=may_act)]
    return TemplateResponse(
        request,
        "admin/events/event/reminders.html",
        {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": _("Reminders of “%(event)s”") % {"event": event},
            "event": event,
            "event_url": admin.change_url(event),
            "rests": "" if event.is_published else str(refusals.RemindersRest(event)),
            "rows": sorted(rows, key=lambda row: row.at),
            "windows": [
                {"window": window, "url": reverse("admin:events_deadline_change", args=[window.pk])}
                for window in windows
            ],
        },
    )


def _rows(window: Deadline, *, now: datetime, may_act: bool) -> Iterator[Row]:
    letters_url = reverse("admin:events_deadline_letters", args=[window.pk])
    for told in reminders.foretell(window, now=now):
        yield Row(
            told.moment,
            timeline.said(told.moment, window.event.zone),
            str(window.get_kind_display()),
            steps.said(told.step),
            _stand(told),
            timeline.NOTHING if told.is_past or told.is_skipped else readers.said(told.readers),
            _letters(window, told.step),
            letters_url,
            _links(window, told) if may_act and not told.is_past else [],
        )


def _stand(told: reminders.Foretold) -> str:
    if told.is_skipped:
        return _("skipped")
    return _("past") if told.is_past else _("to come")


def _links(window: Deadline, told: reminders.Foretold) -> list[tuple[str, str]]:
    possible = [(_("Skip"), "skip"), (_("Send now"), "send")]
    if told.is_skipped:
        possible = [(_("Take the skip back"), "resume")]
    return [(said, url_of(window, told.step, word)) for said, word in possible]


def _letters(window: Deadline, step: ReminderStep) -> str:
    """“12 sent, 1 failed”, whatever has become of them since; nothing where there are none."""
    begin = reminders.key_begins(window, step.code)
    counted = (
        Letter.objects.filter(kind=Kind.REMINDER, key__startswith=begin)
        .order_by("state")
        .values_list("state")
        .annotate(n=Count("pk"))
    )
    said = [
        _("%(state)s: %(n)s") % {"state": LetterState(state).label, "n": n} for state, n in counted
    ]
    return texts.listed(said) or timeline.NOTHING


def url_of(window: Deadline, step: ReminderStep, word: str) -> str:
    return reverse(f"admin:events_deadline_{word}_step", args=[window.pk, step.pk])


# One of them


def act_on(
    admin: ScopedAdmin, request: HttpRequest, deadline: Deadline, pk: UUID, word: str
) -> HttpResponse:
    """Say whom it concerns, in which languages; once that is confirmed, do it."""
    if not steps.has_readers(deadline):
        raise Http404
    step = get_object_or_404(deadline.steps, pk=pk)
    return PAGES[word](admin, request, deadline, step)


def _skip(
    admin: ScopedAdmin, request: HttpRequest, deadline: Deadline, step: ReminderStep
) -> HttpResponse:
    def act(_typed: dict[str, Any]) -> str:
        reminders.skip(step, by=request.user, now=clock.now())
        return _("Skipped: %(step)s.") % {"step": steps.said(step)}

    return _ask(
        admin,
        request,
        deadline,
        step,
        act,
        title=_("Skip a reminder of “%(deadline)s”"),
        lead=_(
            "%(step)s, on %(moment)s. Nobody is reminded then. You can take it back until that "
            "moment. If the deadline is moved, the reminder counts again."
        ),
        submit_label=_("Skip the reminder"),
        is_danger=True,
    )


def _resume(
    admin: ScopedAdmin, request: HttpRequest, deadline: Deadline, step: ReminderStep
) -> HttpResponse:
    def act(_typed: dict[str, Any]) -> str:
        reminders.resume(step, by=request.user, now=clock.now())
        return _("No longer skipped: %(step)s.") % {"step": steps.said(step)}

    return _ask(
        admin,
        request,
        deadline,
        step,
        act,
        title=_("Do not skip a reminder of “%(deadline)s”"),
        lead=_("%(step)s, on %(moment)s. It goes out then."),
        submit_label=_("Take the skip back"),
    )


def _send(
    admin: ScopedAdmin, request: HttpRequest, deadline: Deadline, step: ReminderStep
) -> HttpResponse:
    def act(_typed: dict[str, Any]) -> str:
        posted = reminders.send_now(step, by=request.user, now=clock.now())
        return ngettext(
            "The reminder is on its way to %(n)s reader.",
            "The reminder is on its way to %(n)s readers.",
            posted,
        ) % {"n": posted}

    return _ask(
        admin,
        request,
        deadline,
        step,
        act,
        title=_("Send a reminder of “%(deadline)s” now"),
        lead=_(
            "%(step)s, on %(moment)s. Those whom it reaches now get it at once, and not again "
            "then. Who joins them before that moment gets it then."
        ),
        submit_label=_("Send it now"),
        samples=samples.of(deadline, step.audience, [settings.LANGUAGE_CODE], now=clock.now()),
    )


PAGES = {"skip": _skip, "resume": _resume, "send": _send}
"""What can be done with one that is to come, by the last word of the address."""


def _ask(
    admin: ScopedAdmin,
    request: HttpRequest,
    deadline: Deadline,
    step: ReminderStep,
    act: Any,
    *,
    title: str,
    lead: str,
    **frame: Any,
) -> HttpResponse:
    moment = timeline.said(step.due_at(deadline), deadline.event.zone)
    reached = reminders.reached_now(step, deadline, now=clock.now())
    return pages.ask(
        admin,
        request,
        title=title % {"deadline": deadline},
        lead=lead % {"step": steps.said(step), "moment": moment},
        people=said_of(reached),
        people_title=_("Whom it reaches as of now"),
        template="admin/events/deadline/step.html",
        back=reverse("admin:events_event_reminders", args=[deadline.event_id]),
        act=act,
        refused_by=refusals.Refusal,
        **frame,
    )


def said_of(reached: list[Concerned]) -> list[str]:
    """How many of each audience, and of each language."""
    audiences = Counter(str(one.audience) for one in reached)
    languages = Counter(one.reader.language for one in reached)
    spoken = [
        _("%(language)s: %(n)s") % {"language": LANGUAGES.get(code, code), "n": languages[code]}
        for code in sorted(languages)
    ]
    return [readers.said(audiences), *spoken]
