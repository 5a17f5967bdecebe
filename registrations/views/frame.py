"""What every page of a registration shows: its tasks, its people, its deadline."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from events.models import Deadline, Event, Question
from registrations import answering
from registrations.models import Answer, Delegate, Exemption, Registration
from stakeholders.models import Organisation


def posted(request: HttpRequest) -> Any:
    """What was typed, be it nothing at all; None while somebody only looks."""
    return request.POST if request.method == "POST" else None


ON_THE_WAY = "again"


def is_kept(request: HttpRequest) -> bool:
    """What was typed is not sent yet, only to be kept: by the page itself while somebody writes
    (`keep=1`), or on the way to another language (ON_THE_WAY)."""
    return request.method == "POST" and "keep" in request.POST


def is_on_the_way(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("keep") == ON_THE_WAY


def entry(request: HttpRequest) -> uuid.UUID | None:
    """By which a form that is sent twice adds whom it names once."""
    try:
        return uuid.UUID(request.POST.get("entry", ""))
    except ValueError:
        return None


def own(request: HttpRequest, reference: str) -> Any:
    """The registration, if this person works on it; `is_led`: as a focal point."""
    led = Organisation.objects.led_by(request.user).filter(pk=OuterRef("organisation"))
    return get_object_or_404(
        Registration.objects.of(request.user)
        .annotate(is_led=Exists(led))
        .select_related("event", "event__process", "organisation")
        .prefetch_related("event__deadlines"),
        reference=reference,
    )


def person_of(registration: Registration, pk: uuid.UUID) -> Delegate:
    delegate = get_object_or_404(registration.delegates.select_related("representative"), pk=pk)
    delegate.registration = registration
    return delegate


def categories(event: Event) -> list[tuple[str, str]]:
    return [
        (category.code, category.name)
        for category in event.process.categories.order_by("position", "code")
    ]


def page(registration: Registration, user: User, now: datetime, **context: Any) -> dict:
    delegates = list(registration.delegates.select_related("representative").in_order())
    for delegate in delegates:
        delegate.registration = registration
    organisation = registration.organisation
    event = registration.event
    found = {
        "registration": registration,
        "event": event,
        "organisation": organisation,
        "delegates": delegates,
        "now": now,
    }
    found |= window(event, now, exemption=exemption_of(event, organisation, now)) | context
    found |= answers(registration, delegates)
    found["unanswered"] = _unanswered(registration, found)
    found["is_organisation_complete"] = is_complete(registration)
    addresses = [user.email, *(delegate.representative.email for delegate in delegates)]
    found["known_addresses"] = [address for address in dict.fromkeys(addresses) if address]
    found["to_send"] = sum(delegate.state == Delegate.State.DRAFT for delegate in delegates)
    found["is_ready"] = (
        found["is_open"] and found["is_organisation_complete"] and found["to_send"] > 0
    )
    found["can_ask"] = (
        registration.is_draft
        and found["is_closed"]
        and found["exemption"] is None
        and not event.is_over(now)
    )
    found["unfinished_url"] = _unfinished_url(registration, delegates, user)
    found["is_unfinished"] = any(
        registration.is_unfinished(task)
        for task in ["person", "paste", *(str(delegate.pk) for delegate in delegates)]
    )
    found["tasks"] = _tasks(found) if registration.is_draft else []
    return found


def answers(registration: Registration, delegates: Iterable[Delegate]) -> dict[str, Any]:
    """What the organisers ask of this delegation now, and its answers: its own, and with each of
    these people theirs. Nothing is looked up where nothing was ever asked."""
    ever = ever_asked(registration)
    known = {question.pk: question for question in ever}
    said: dict[uuid.UUID | None, list[Answer]] = {}
    for one in registration.answers.in_order() if ever else []:
        one.question = known[one.question_id]
        said.setdefault(one.delegate_id, []).append(one)
    for delegate in delegates:
        delegate.own_answers = said.get(delegate.pk, [])
    return {
        "asks": asked(registration),
        "own_questions": answering.for_each(Question.Of.DELEGATION, asked(registration)),
        "own_answers": said.get(None, []),
        "has_unsaved_answers": registration.is_unfinished("questions"),
    }


def ever_asked(registration: Registration) -> list[Question]:
    """At its event, looked up once for a page."""
    known = vars(registration)
    if "ever_asked" not in known:
        known["ever_asked"] = list(registration.event.questions.in_order())
    return known["ever_asked"]


def asked(registration: Registration) -> list[Question]:
    return [question for question in ever_asked(registration) if not question.is_retired]


def questions_url(registration: Registration, delegate: Delegate | None = None) -> str:
    if delegate is None:
        return reverse("registrations:questions", args=[registration.reference])
    if registration.is_draft:
        return delegate.get_absolute_url()
    return reverse("registrations:person_questions", args=[registration.reference, delegate.pk])


def _unanswered(registration: Registration, found: dict) -> list[dict[str, Any]]:
    """For each of whom something that must be answered is not: what, and where that is done."""
    rows = []
    for delegate in [None, *found["delegates"]] if found["asks"] else []:
        said = answering.said_in(delegate.own_answers if delegate else found["own_answers"])
        may = answering.possible(
            registration, found["asks"], said, delegate=delegate, now=found["now"]
        )
        missing = answering.missing(may, said)
        if missing:
            url = questions_url(registration, delegate)
            rows.append({"who": delegate, "questions": missing, "url": url})
    return rows


def adding(registration: Registration, user: User, now: datetime, **context: Any) -> dict:
    """What the pages show by which people come into a draft."""
    found = page(registration, user, now, here="people", **context)
    found["is_read_only"] = found["is_closed"] and not found["is_let_in"]
    found["can_choose"] = not found["is_read_only"] and registration.choosable_by(user).exists()
    return found


def window(event: Event, now: datetime, *, exemption: Exemption | None) -> dict:
    """Whether this group can send now, and until when."""
    deadline = event.registration_deadline
    is_closed = event.is_published and deadline is not None and now >= deadline.closes_at
    is_let_in = is_closed and exemption is not None and exemption.is_open(now)
    return {
        "deadline": deadline,
        "exemption": exemption,
        "is_closed": is_closed,
        "is_let_in": is_let_in,
        "is_open": is_let_in or is_open(event, deadline, now),
        "closes_at": exemption.until if is_let_in and exemption else _closes_at(deadline),
    }


def is_open(event: Event, deadline: Deadline | None, now: datetime) -> bool:
    return event.is_published and deadline is not None and deadline.is_open(now)


def exemption_of(event: Event, organisation: Organisation, now: datetime) -> Exemption | None:
    """What the organisers said to this group after the close; before it, nobody asks."""
    deadline = event.registration_deadline
    if deadline is None or now < deadline.closes_at:
        return None
    return Exemption.objects.filter(event=event, organisation=organisation).first()


def exemptions_of(
    registrations: Iterable[Registration], now: datetime
) -> dict[tuple[uuid.UUID, uuid.UUID], Exemption]:
    """Those that are open, of all these drafts: one query, or none."""
    late = [
        each
        for each in registrations
        if each.is_draft
        and (deadline := each.event.registration_deadline)
        and now >= deadline.closes_at
    ]
    if not late:
        return {}
    found = Exemption.objects.filter(
        event__in=[each.event_id for each in late],
        organisation__in=[each.organisation_id for each in late],
        until__gt=now,
    )
    return {(each.event_id, each.organisation_id): each for each in found}


def _closes_at(deadline: Deadline | None) -> datetime | None:
    return deadline.closes_at if deadline else None


def is_complete(registration: Registration) -> bool:
    """All that must be said of the organisation is said, and how the group takes part."""
    organisation = registration.organisation
    if not (organisation.country and organisation.category):
        return False
    return bool(registration.track_id) or not registration.event.tracks.exists()


def _unfinished_url(
    registration: Registration, delegates: list[Delegate], user: User
) -> str | None:
    """Where this person has typed something that is not valid yet."""
    if registration.typed("person", user):
        return reverse("registrations:people", args=[registration.reference])
    if registration.typed("paste", user):
        return reverse("registrations:paste", args=[registration.reference])
    mine = (d for d in delegates if registration.typed(str(d.pk), user))
    return next((delegate.get_absolute_url() for delegate in mine), None)


def _tasks(found: dict) -> list[dict]:
    """The task list of a draft, in words; only what is not done yet wears a tag."""
    has_people, has_unfinished = found["to_send"] > 0, found["is_unfinished"]
    has_unfinished |= any(row["who"] for row in found["unanswered"])
    is_known = found["is_organisation_complete"]
    tasks = [
        _task(found, "organisation", _("Your organisation"), is_begun=True, is_done=is_known),
        _task(
            found,
            "people",
            _("People in your delegation"),
            is_begun=has_unfinished,
            is_done=has_people and not has_unfinished,
        ),
    ]
    if found["own_questions"]:
        tasks.append(_questions_task(found))
    return [*tasks, _last_task(found)]


def _questions_task(found: dict) -> dict:
    is_missing = any(row["who"] is None for row in found["unanswered"])
    return _task(
        found,
        "questions",
        _("Questions of the organisers"),
        is_begun=bool(found["own_answers"]) or found["has_unsaved_answers"],
        is_done=bool(found["own_answers"]) and not (is_missing or found["has_unsaved_answers"]),
    )


def _task(found: dict, name: str, title: str, *, is_begun: bool, is_done: bool) -> dict:
    begun = _("In progress") if is_begun else _("Not started")
    return {
        "title": title,
        "url": reverse(f"registrations:{name}", args=[found["registration"].reference]),
        "status": _("Completed") if is_done else begun,
        "kind": "plain" if is_done else "",
        "is_current": name == found.get("here"),
    }


def _last_task(found: dict) -> dict:
    task = {"title": _("Check and send"), "is_current": found.get("here") == "check"}
    if found["is_ready"]:
        url = reverse("registrations:check", args=[found["registration"].reference])
        if found["unanswered"]:
            return task | {"url": url, "status": _("Answers are missing"), "kind": "warn"}
        return task | {"url": url, "status": _("Ready to send"), "kind": "ok"}
    status = _("Not ready yet") if found["is_open"] else _("Not possible now")
    return task | {"url": None, "status": status, "kind": "plain"}
