"""From a choice in the attendee list to letters: named, confirmed, one call per delegation."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from events import texts
from events.admin import pages
from events.models import Event
from notifications.writing import Reader
from registrations import batches, mails, refusals
from registrations.admin import counting, undoing
from registrations.models import Batch, Delegate, Registration

MOST_AT_ONCE = 1_000
LANGUAGES = dict(settings.CONTENT_LANGUAGES)
sentence = lazy(lambda refusal: str(refusal()), str)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=2000,
        help_text=gettext_lazy("The group reads it, word for word, in its letter."),
        error_messages={"required": sentence(refusals.ReasonMissing)},
    )


class QuestionForm(forms.Form):
    question = forms.CharField(
        label=gettext_lazy("Question"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=2000,
        help_text=gettext_lazy("The group reads it, word for word, and answers on its own page."),
        error_messages={"required": sentence(refusals.QuestionMissing)},
    )


@dataclass(frozen=True)
class Decision:
    word: str
    form: type[forms.Form]
    title: Any
    submit_label: Any
    is_danger: bool = False
    lead: Any = ""
    takes_seats: bool = False


APPROVE = Decision(
    "approve",
    forms.Form,
    gettext_lazy("Approve"),
    gettext_lazy("Approve"),
    takes_seats=True,
)
DECLINE = Decision(
    "decline",
    ReasonForm,
    gettext_lazy("Decline with a reason"),
    gettext_lazy("Decline"),
    is_danger=True,
)
ASK = Decision(
    "ask",
    QuestionForm,
    gettext_lazy("Ask a question"),
    gettext_lazy("Ask"),
)
WAIT = Decision(
    "wait_list",
    forms.Form,
    gettext_lazy("Put on the waiting list"),
    gettext_lazy("Put on the waiting list"),
    lead=gettext_lazy(
        "They wait in the order in which they are put there. When a seat comes free, the first "
        "who fits gets it by itself."
    ),
)
REOPEN = Decision(
    "reopen",
    ReasonForm,
    gettext_lazy("Take the decision back"),
    gettext_lazy("Take it back"),
    is_danger=True,
    lead=gettext_lazy(
        "They wait for a decision again. A seat that one of them had goes at once to the first who "
        "waits for it; then there may be none when you decide anew."
    ),
)
ALL = [APPROVE, DECLINE, ASK, WAIT, REOPEN]


def confirm(
    admin: ModelAdmin, request: HttpRequest, decision: Decision, people: QuerySet, *, back: str
) -> HttpResponse:
    """Name the people and the letters; once that is confirmed, decide, one delegation at a time.

    Where nobody could be decided, the page comes again with why, and with what was typed.
    """
    delegates = list(people.order_by("registration__reference", "position")[: MOST_AT_ONCE + 1])
    if not delegates:
        return turn_away(request, back=back)
    if len(delegates) > MOST_AT_ONCE:
        messages.error(
            request,
            _("At most %(n)s people can be decided in one step.") % {"n": MOST_AT_ONCE},
        )
        return redirect(back)
    delegations = [
        (registration, list(group))
        for registration, group in groupby(delegates, key=lambda delegate: delegate.registration)
    ]
    form = decision.form(request.POST if "confirm" in request.POST else None)
    if form.is_bound and form.is_valid():
        made, refused = decide(request, decision, delegations, form.cleaned_data)
        if made:
            for sentence in refused:
                messages.error(request, sentence)
            undoing.offer(request, made)
            return redirect(back)
        for sentence in refused:
            form.add_error(None, sentence)
    return pages.show(
        admin,
        request,
        title=str(decision.title),
        lead=str(decision.lead),
        submit_label=decision.submit_label,
        is_danger=decision.is_danger,
        people=[said(delegate) for delegate in delegates],
        seats=counting.of_choice(delegates) if decision.takes_seats else [],
        letters=letters(delegations, are_asked=decision.takes_seats),
        form=form,
        back=back,
        action_name=decision.word,
        hidden=[in_one_field(delegates)],
    )


def in_one_field(delegates: Iterable[Delegate]) -> tuple[str, str]:
    """They are more than a form may have fields."""
    return ACTION_CHECKBOX_NAME, ",".join(str(delegate.pk) for delegate in delegates)


def named(request: HttpRequest) -> list[UUID]:
    """The people who are chosen, one by one or in one field. Whatever else is posted raises
    ValueError."""
    posted = ",".join(request.POST.getlist(ACTION_CHECKBOX_NAME))
    return [UUID(pk) for pk in posted.split(",")] if posted else []


def turn_away(request: HttpRequest, *, back: str) -> HttpResponse:
    messages.error(request, _("None of these people is in your list. Nothing was changed."))
    return redirect(back)


def decide(
    request: HttpRequest,
    decision: Decision,
    delegations: list[tuple[Registration, list[Delegate]]],
    typed: dict[str, Any],
) -> tuple[list[Batch], list[str]]:
    """One batch for each event. What one delegation refuses is said; the others go on."""
    made, told, now = [], [], clock.now()
    by_event: dict[Event, list[tuple[Registration, list[Delegate]]]] = {}
    for registration, delegates in delegations:
        by_event.setdefault(registration.event, []).append((registration, delegates))
    for event, groups in by_event.items():
        batch, refused = batches.decide(
            decision.word, event, groups, by=request.user, now=now, **typed
        )
        made += [batch] if batch else []
        told += [str(refusals.OfDelegation(*each)) for each in refused]
    return made, told


def said(delegate: Delegate) -> str:
    registration = delegate.registration
    return f"{delegate}, {registration.organisation} ({registration.reference})"


def _told(point: Reader, names: str) -> str:
    """“amina@diaspora.example (Aïssata Traoré; in French)”"""
    return _("%(address)s (%(people)s; in %(language)s)") % {
        "address": point.email,
        "people": names,
        "language": LANGUAGES[point.language],
    }


def letters(
    delegations: list[tuple[Registration, list[Delegate]]], *, are_asked: bool = False
) -> str:
    """Which letters will go: one to each focal point of each delegation, naming its people; and
    to the people themselves, where they are asked whether they come."""
    told, silent = [], []
    readers = mails.readers_of_all(registration for registration, _delegates in delegations)
    for registration, delegates in delegations:
        points = readers[registration.pk]
        names = texts.listed(delegates)
        told += [_told(point, names) for point in points]
        silent += [] if points else [str(registration.organisation)]
    sentences = []
    if told:
        goes = ngettext(
            "%(n)s letter goes to %(people)s.", "%(n)s letters go to %(people)s.", len(told)
        )
        sentences.append(goes % {"n": len(told), "people": texts.listed_apart(told)})
    if silent:
        sentences.append(
            _("Nobody is written to for %(organisations)s: no focal point is there.")
            % {"organisations": texts.listed(silent)}
        )
    if are_asked and any(
        event.confirmation_deadline for event in {of.event for of, _people in delegations}
    ):
        sentences.append(_("Each of the people is asked at their own address whether they come."))
    return " ".join(sentences)
