"""One delegation as an organiser decides about it: its people, facts, seats and history."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_countries import countries

from clock import shown
from events import texts
from events.admin.timeline import NOTHING
from events.models import StakeholderGroup
from events.regions import REGION_OF, Region
from events.rights import Right
from registrations import queue, timeline
from registrations.admin import counting, deciding
from registrations.admin.cells import stand_of
from registrations.models import AWAITS_DECISION, DECIDED, Delegate, Exchange, Registration
from stakeholders.models import Organisation

State = Delegate.State
MOST_LINES = 30
ALIKE = itemgetter("at", "what", "by", "reason")
IN_BULK = [deciding.APPROVE, deciding.ASK, deciding.WAIT, deciding.DECLINE]
DECIDES = {
    deciding.APPROVE.word: AWAITS_DECISION,
    deciding.ASK.word: {State.SUBMITTED},
    deciding.WAIT.word: AWAITS_DECISION,
    deciding.DECLINE.word: {*AWAITS_DECISION, State.WAIT_LISTED},
    deciding.REOPEN.word: DECIDED,
}
"""About people in which states each decision can be taken."""
KEYS = {deciding.APPROVE.word: "a", deciding.ASK.word: "q", deciding.DECLINE.word: "d"}


@dataclass(frozen=True)
class Person:
    """As the panel shows them. `is_chosen`: decided about unless that is unticked."""

    pk: str
    name: str
    url: str
    role: str
    state: SafeString
    parts: str
    replaces: str
    access_needs: str
    exchanges: list[Exchange]
    can_be_chosen: bool
    is_chosen: bool


@dataclass(frozen=True)
class Line:
    """What was done at one moment, by one person, to some of the people."""

    what: str
    people: str
    by: str
    at: datetime
    reason: str


class Case:
    """`may`: whether this organiser has a right on the event."""

    def __init__(
        self, registration: Registration, *, may: Callable[[Right], bool], now: datetime
    ) -> None:
        self.registration, self.event = registration, registration.event
        self.organisation = registration.organisation
        self.may, self.now = may, now
        self.url = reverse("admin:registrations_registration_change", args=[registration.pk])
        self.delegates = list(
            registration.delegates.exclude(state=State.DRAFT)
            .select_related("representative", "replaces__representative")
            .prefetch_related(
                "segments__segment", Prefetch("exchanges", Exchange.objects.order_by("asked_at"))
            )
            .in_order()
        )
        for delegate in self.delegates:
            delegate.registration = registration
            if delegate.replaces:
                delegate.replaces.registration = registration

    @cached_property
    def people(self) -> list[Person]:
        sees_needs, sees_history = self.may(Right.SENSITIVE), self.may(Right.CONTACT)
        decidable = set[str]().union(*DECIDES.values()) if self.may(Right.DECIDE) else set()
        return [
            Person(
                pk=str(each.pk),
                name=str(each),
                url=reverse("admin:registrations_delegate_change", args=[each.pk]),
                role=str(each.get_role_display()),
                state=stand_of(each),
                parts=texts.listed(part.segment for part in each.segments.all()),
                replaces=str(each.replaces) if each.replaces else "",
                access_needs=each.access_needs if sees_needs else "",
                exchanges=list(each.exchanges.all()) if sees_history else [],
                can_be_chosen=each.state in decidable,
                is_chosen=each.awaits_decision,
            )
            for each in self.delegates
        ]

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        registration, organisation = self.registration, self.organisation
        country = organisation.country.code
        facts = [
            (_("Stakeholder group"), category_said(organisation)),
            (_("Country"), str(countries.name(country)) if country else NOTHING),
            (_("Region"), region_said(organisation)),
            (_("Status with ECOSOC"), str(organisation.get_consultative_status_display())),
            (_("Track"), str(registration.track or "")),
            (_("People"), self._people_said()),
            (_("Sent"), self._sent_said()),
        ]
        if registration.withdrawn_at:
            withdrawn = shown.moment(registration.withdrawn_at, self.event.zone, weekday=False)
            facts.append((_("Withdrawn"), withdrawn))
        return [(label, said) for label, said in facts if said]

    def _people_said(self) -> str:
        n = len(self.delegates)
        if self.event.cap is None:
            return str(n)
        return ngettext(
            "%(n)s; at most %(cap)s seat for one organisation",
            "%(n)s; at most %(cap)s seats for one organisation",
            self.event.cap,
        ) % {"n": n, "cap": self.event.cap}

    def _sent_said(self) -> str:
        sent_at = self.registration.sent_at
        return _("%(moment)s (%(ago)s)") % {
            "moment": shown.moment(sent_at, self.event.zone, weekday=False),
            "ago": ago(sent_at, self.now),
        }

    @cached_property
    def doubles(self) -> list[Registration]:
        return queue.like(self.registration)

    @cached_property
    def seats(self) -> list[str]:
        """What it takes to approve all of them who wait for a decision."""
        waiting = [each for each in self.delegates if each.awaits_decision]
        return counting.of_choice(waiting) if waiting else []

    @cached_property
    def buttons(self) -> list[dict[str, Any]]:
        """The decisions that can be taken about somebody of it."""
        if not self.may(Right.DECIDE):
            return []
        states = {each.state for each in self.delegates}
        return buttons(
            each
            for each in [*IN_BULK, deciding.REOPEN]
            if not states.isdisjoint(DECIDES[each.word])
        )

    @cached_property
    def lines(self) -> list[Line]:
        """Newest first; what was done to several people at once is one line."""
        if not self.may(Right.CONTACT):
            return []
        told = timeline.of(self.registration, self.delegates)
        alike = groupby(
            told, key=lambda one: (one["at"], str(one["what"]), one["by"], one["reason"])
        )
        lines = []
        for (at, what, by, reason), group in alike:
            people = texts.listed(sorted(str(one["who"]) for one in group if one["who"]))
            lines.append(Line(what, people, str(by or _("the clock")), at, reason))
        return lines[:MOST_LINES]


def buttons(decisions: Iterable[deciding.Decision]) -> list[dict[str, Any]]:
    return [
        {
            "word": each.word,
            "title": each.title,
            "key": KEYS.get(each.word, ""),
            "is_first": each is deciding.APPROVE,
        }
        for each in decisions
    ]


def category_said(organisation: Organisation) -> str:
    code = organisation.category
    return str(StakeholderGroup(code).label) if code else NOTHING


def region_said(organisation: Organisation) -> str:
    region = REGION_OF.get(organisation.country.code)
    return str(Region(region).label) if region else NOTHING


def ago(moment: datetime, now: datetime) -> str:
    """In whole days, as one counts how long somebody waits."""
    days = (now - moment).days
    if days < 1:
        return _("less than a day ago")
    return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
