"""The first page about an event: what waits, what comes when, and how it stands in plots."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import clock
from clock import shown, walls
from events.admin import timeline
from events.admin.events import EventAdmin
from events.models import Deadline, Event, ReminderStep, StakeholderGroup
from events.regions import Region
from events.rights import Right
from notifications.models import State as LetterState
from registrations import figures, reminders
from registrations.admin import plots, readers, steps
from registrations.admin.sight import EVENT
from registrations.models import Delegate

State = Delegate.State
Kind = Deadline.Kind
MOST_NAMED = 5
MOST_FORETOLD = 1_000
"""So many readers of a reminder are looked up on each look; of more the deadline's page tells."""


@dataclass(frozen=True)
class Task:
    """Something that waits: how many, in words, the list of them, and some of them by name."""

    n: str
    words: str
    url: str = ""
    named: list[tuple[str, str]] | None = None


@dataclass(frozen=True)
class Date:
    """A moment, what happens then, and to whom."""

    at: datetime
    said: str
    what: str
    then: str = ""
    url: str = ""
    is_past: bool = False
    is_next: bool = False


@dataclass(frozen=True)
class KeyFigure:
    about: str
    n: str
    words: str


class Overview:
    """Of one event, for one organiser, at one moment."""

    def __init__(self, admin: EventAdmin, request: HttpRequest, event: Event) -> None:
        self.admin, self.request, self.event = admin, request, event
        self.now = clock.now()
        self.windows = list(event.deadlines.prefetch_related("steps").order_by("closes_at"))
        self.window = next((one for one in self.windows if one.kind == Kind.REGISTRATION), None)
        self.people = figures.people(event, now=self.now)
        self.pace = figures.pace(event, self.window, now=self.now)
        self.funnel = figures.funnel(event)

    def may(self, right: Right) -> bool:
        return self.admin.may(self.request, self.event, right)

    # Key figures

    def key_figures(self) -> Iterator[KeyFigure]:
        people = self.people
        yield KeyFigure(_("Delegations sent"), plots.number(self.funnel.sent), self._left())
        yield KeyFigure(
            _("People who may come"), plots.number(people.may_come), self._of_all_people()
        )
        yield KeyFigure(_("Undecided people"), plots.number(people.undecided), self._oldest())
        yield KeyFigure(_("Seats given"), plots.number(people.seats_given), self._of_seats())

    def _left(self) -> str:
        if self.window is None:
            return _("Registration has no deadline.")
        if self.window.is_open(self.now):
            return _("Registration closes in %(time)s.") % {
                "time": shown.time_left(self.window.closes_at, self.now)
            }
        if self.window.is_not_yet_open(self.now):
            return _("Registration is not open yet.")
        return _("Registration is closed.")

    def _of_all_people(self) -> str:
        sent = self.people.sent
        return ngettext(
            "of %(n)s person in delegations that were sent",
            "of %(n)s people in delegations that were sent",
            sent,
        ) % {"n": plots.number(sent)}

    def _oldest(self) -> str:
        sent_at = self.people.oldest_sent_at
        if sent_at is None:
            return _("Everybody is decided about.")
        return _("Oldest: %(time)s") % {"time": shown.time_left(self.now, sent_at)}

    def _of_seats(self) -> str:
        if self.event.seats is None:
            return _("There is no limit.")
        return _("of %(seats)s") % {"seats": plots.number(self.event.seats)}

    # What waits

    def tasks(self) -> list[Task]:
        """Only what there is, and what this organiser may see."""
        found = [*self._people_waiting()]
        if self.may(Right.CONTACT):
            found += self._answered()
        if self.may(Right.DECIDE):
            found += self._corrections()
        if self.may(Right.RUN):
            found += self._requests()
        if self.may(Right.CONTACT):
            found += [*self._unreachable(), *self._letters()]
        return found

    def _people_waiting(self) -> Iterator[Task]:
        for state, words in (
            (
                State.SUBMITTED,
                lambda n: ngettext("person waits for a decision", "people wait for a decision", n),
            ),
            (
                State.MORE_INFORMATION,
                lambda n: ngettext(
                    "person was asked a question, and has not answered",
                    "people were asked a question, and have not answered",
                    n,
                ),
            ),
        ):
            n = self.people.states.get(state, 0)
            if n:
                url = _list("registrations_delegate", **{EVENT: self.event.pk, "state": state})
                yield Task(plots.number(n), words(n), url)

    def _answered(self) -> Iterator[Task]:
        people = figures.answered(self.event)
        yield from self._some(
            people.select_related("representative").order_by("registration__sent_at", "pk"),
            lambda n: ngettext(
                "answered question has not been followed by a decision",
                "answered questions have not been followed by a decision",
                n,
            ),
            "registrations_delegate",
        )

    def _corrections(self) -> Iterator[Task]:
        n = figures.corrections(self.event).count()
        if n:
            words = ngettext("correction waits for an answer", "corrections wait for an answer", n)
            asked = {"stand": "waits", "delegate__registration__event__id__exact": self.event.pk}
            yield Task(plots.number(n), words, _list("registrations_correction", **asked))

    def _requests(self) -> Iterator[Task]:
        n = figures.requests(self.event).count()
        if n:
            words = ngettext(
                "group asks to be let in after the close",
                "groups ask to be let in after the close",
                n,
            )
            asked = {"stand": "waits", "event__id__exact": self.event.pk}
            yield Task(plots.number(n), words, _list("registrations_exemption", **asked))

    def _unreachable(self) -> Iterator[Task]:
        yield from self._some(
            figures.unreachable(self.event)
            .select_related("organisation")
            .order_by("organisation__name", "pk"),
            lambda n: ngettext(
                "delegation has a focal point whom letters do not reach",
                "delegations have a focal point whom letters do not reach",
                n,
            ),
            "registrations_registration",
        )

    def _letters(self) -> Iterator[Task]:
        stopped = figures.stopped_letters(self.event)
        for state, words in (
            (LetterState.HELD, lambda n: ngettext("letter is held", "letters are held", n)),
            (LetterState.FAILED, lambda n: ngettext("letter failed", "letters failed", n)),
        ):
            n = stopped[state]
            if n:
                asked = {"state__exact": state, "scope": self.event.pk}
                yield Task(plots.number(n), words(n), _list("notifications_letter", **asked))

    def _some(self, rows: QuerySet, words: Any, admin_of: str) -> Iterator[Task]:
        """How many, and the first ones by name."""
        first = list(rows[: MOST_NAMED + 1])
        n = rows.count() if len(first) > MOST_NAMED else len(first)
        if n:
            named = [(str(row), _page(admin_of, row)) for row in first[:MOST_NAMED]]
            yield Task(plots.number(n), words(n), named=named)

    # What comes when

    def dates(self) -> list[Date]:
        found = sorted([*self._of_event(), *self._of_windows()], key=lambda one: one.at)
        upcoming = next((one for one in found if not one.is_past), None)
        return [replace(one, is_next=one is upcoming) for one in found]

    def _of_event(self) -> Iterator[Date]:
        event = self.event
        n = self.people.with_a_place
        comes = ngettext("%(n)s person has a place.", "%(n)s people have a place.", n)
        begins = event.begins_at
        said = timeline.said(begins, event.zone) if event.starts_at else shown.day(event.starts_on)
        yield Date(
            begins,
            said,
            _("The event begins"),
            comes % {"n": plots.number(n)},
            is_past=begins <= self.now,
        )
        ends = event.ends_at or walls.closing(event.ends_on, None, event.zone)
        said = timeline.said(ends, event.zone) if event.ends_at else shown.day(event.ends_on)
        yield Date(ends, said, _("The event ends"), is_past=ends <= self.now)

    def _of_windows(self) -> Iterator[Date]:
        for window in self.windows:
            kind = str(window.get_kind_display())
            url = reverse("admin:events_deadline_change", args=[window.pk])
            if window.opens_at:
                is_past = window.opens_at <= self.now
                yield Date(
                    window.opens_at,
                    timeline.said(window.opens_at, window.zone),
                    _("%(window)s: opens") % {"window": kind},
                    "" if is_past else self._at_the_opening(window),
                    url,
                    is_past,
                )
            yield from self._reminders(window, kind, url)
            is_past = window.closes_at <= self.now
            yield Date(
                window.closes_at,
                shown.closing_and_zone(window.closes_at, window.zone),
                _("%(window)s: closes") % {"window": kind},
                "" if is_past else self._at_the_close(window),
                url,
                is_past,
            )

    def _at_the_opening(self, window: Deadline) -> str:
        if window.kind != Kind.REGISTRATION or not self.event.is_published:
            return ""
        return _("Invited groups, and followers who want to hear of it, are told.")

    def _at_the_close(self, window: Deadline) -> str:
        if not self.event.is_published:
            return ""
        if window.kind == Kind.REGISTRATION:
            n = self.funnel.drafts
            return ngettext(
                "%(n)s delegation is begun and not sent as of now. After the close a group has to "
                "ask to be let in.",
                "%(n)s delegations are begun and not sent as of now. After the close a group has "
                "to ask to be let in.",
                n,
            ) % {"n": plots.number(n)}
        if window.kind == Kind.CONFIRMATION:
            n = self.people.to_confirm
            return ngettext(
                "%(n)s person has not confirmed as of now. Who has not by then loses the seat to "
                "the next.",
                "%(n)s people have not confirmed as of now. Who has not by then loses the seat to "
                "the next.",
                n,
            ) % {"n": plots.number(n)}
        return ""

    def _reminders(self, window: Deadline, kind: str, url: str) -> Iterator[Date]:
        """Those ahead, with whom they reach as of now."""
        if not steps.has_readers(window) or not self.event.is_published:
            return
        ahead = [step for step in window.steps.all() if step.due_at(window) > self.now]
        if not ahead:
            return
        for step, readers_said in self._readers(window, ahead):
            at = step.due_at(window)
            words = _("%(window)s: reminder “%(step)s”") % {
                "window": kind,
                "step": steps.said(step),
            }
            yield Date(at, timeline.said(at, window.zone), words, readers_said, url)

    def _readers(
        self, window: Deadline, ahead: list[ReminderStep]
    ) -> Iterator[tuple[ReminderStep, str]]:
        if self._most_readers(window) > MOST_FORETOLD:
            for step in ahead:
                yield step, _("How many it reaches as of now is counted on the deadline’s page.")
            return
        for told in reminders.foretell(window, now=self.now):
            if told.is_skipped and not told.is_past:
                yield told.step, _("Skipped: nobody is reminded.")
            elif not told.is_past:
                yield (
                    told.step,
                    _("To %(readers)s as of now.") % {"readers": readers.said(told.readers)},
                )

    def _most_readers(self, window: Deadline) -> int:
        if window.kind == Kind.CONFIRMATION:
            return self.people.to_confirm
        return figures.at_most_reminded(self.event, self.funnel.begun)

    # Plots

    def plots(self) -> list[plots.Plot]:
        names = {code: str(label) for code, label in StakeholderGroup.choices}
        names |= {row.code: str(row.name) for row in self.event.process.categories.all()}
        regions = {code: str(label) for code, label in Region.choices}
        spoken = {code: str(name) for code, name in settings.CONTENT_LANGUAGES}
        return [
            plots.days(self.pace),
            plots.funnel(self.funnel, self.people),
            plots.categories(self.people, names),
            plots.regions(self.people, regions),
            plots.ages(self.people),
            plots.effects(self._effects()),
            plots.languages(figures.languages(self.event), spoken),
        ]

    def _effects(self) -> list[tuple[str, figures.Effect]]:
        if self.window is None:
            return []
        return [(self._reminder_said(each), each) for each in figures.effects(self.window)]

    def _reminder_said(self, effect: figures.Effect) -> str:
        """“3 days before, sent 4 Feb”: a deadline that was moved has some of them twice."""
        zone = walls.zone_of(self.event.zone)
        return _("%(step)s, sent %(day)s") % {
            "step": timeline.step_said(effect.step),
            "day": plots.short_day(effect.sent_at.astimezone(zone).date()),
        }


def page(admin: EventAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    overview = Overview(admin, request, event)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Overview of “%(event)s”") % {"event": event},
        "event": event,
        "event_url": admin.change_url(event),
        "tools": admin.tools(request, event)[1:],
        "key_figures": list(overview.key_figures()),
        "tasks": overview.tasks(),
        "queue_url": admin.page_url("queue", event),
        "dates": overview.dates(),
        "plots": overview.plots(),
    }
    return TemplateResponse(request, "admin/overview/page.html", context)


def _list(of: str, **asked: Any) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{reverse(f'admin:{of}_changelist')}?{query}"


def _page(of: str, row: Model) -> str:
    return reverse(f"admin:{of}_change", args=[row.pk])
