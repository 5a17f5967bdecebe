from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

import clock
from events.models import Deadline, Event
from registrations import exchanges, intake, refusals, timeline
from registrations.forms import AnswerForm, ChooseOrganisationForm, PersonForm, typed
from registrations.models import TAGS, Delegate, Exchange, Registration
from stakeholders import membership
from stakeholders import refusals as stakeholder_refusals
from stakeholders.forms import OrganisationForm
from stakeholders.models import Organisation


@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """My registrations."""
    registrations = (
        Registration.objects.of(request.user)
        .select_related("event", "organisation")
        .prefetch_related("delegates", "event__deadlines")
        .order_by("event__starts_on", "event__slug")
    )
    now = clock.now()
    cards = [_card(registration, now) for registration in registrations]
    return render(
        request,
        "registrations/mine.html",
        {
            "now": now,
            "drafts": [card for card in cards if card["registration"].is_draft],
            "sent": [card for card in cards if not card["registration"].is_draft],
        },
    )


def _card(registration: Registration, now: Any) -> dict:
    deadline = registration.event.registration_deadline
    delegates = list(registration.delegates.all())
    counts = [
        (state, sum(delegate.state == state for delegate in delegates)) for state in Delegate.State
    ]
    return {
        "registration": registration,
        "deadline": deadline,
        "is_open": _is_open(registration.event, deadline, now),
        "counts": [(state.label, TAGS.get(state, ""), count) for state, count in counts if count],
        "people": len(delegates),
        "to_do": any(d.state == Delegate.State.MORE_INFORMATION for d in delegates),
    }


def _is_open(event: Event, deadline: Deadline | None, now: Any) -> bool:
    return event.is_published and deadline is not None and deadline.is_open(now)


@never_cache
@login_required
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin: choose the organisation, or enter it; the draft exists from here on."""
    event = get_object_or_404(Event.objects.public().select_related("process"), slug=slug)
    now = clock.now()
    organisations = list(Organisation.objects.spoken_for_by(request.user).order_by("name"))
    choosing = ChooseOrganisationForm(
        request.POST if "choose" in request.POST else None,
        organisations=organisations,
        initial={"organisation": organisations[0].id} if len(organisations) == 1 else None,
    )
    form = OrganisationForm(
        request.POST if "enter" in request.POST else None, categories=_categories(event)
    )
    refusal = ""
    wants_new = not organisations or "enter" in request.POST
    if "choose" in request.POST and choosing.is_valid():
        chosen = choosing.cleaned_data["organisation"]
        wants_new = chosen == ChooseOrganisationForm.NEW
        if not wants_new:
            organisation = next(o for o in organisations if str(o.id) == chosen)
            try:
                return redirect(intake.begin(event, organisation, by=request.user, now=now))
            except refusals.Refusal as refused:
                refusal = str(refused)
    if "enter" in request.POST and form.is_valid():
        try:
            return redirect(_found_and_begin(event, form, request, now))
        except stakeholder_refusals.Refusal as refused:
            form.add_error("name", str(refused))
        except refusals.Refusal as refused:
            refusal = str(refused)
    deadline = event.registration_deadline
    return render(
        request,
        "registrations/start.html",
        {
            "event": event,
            "deadline": deadline,
            "is_open": _is_open(event, deadline, now),
            "now": now,
            "form": form if wants_new else choosing,
            "is_choosing": not wants_new,
            "refusal": refusal,
        },
    )


def _found_and_begin(
    event: Event, form: OrganisationForm, request: HttpRequest, now: Any
) -> Registration:
    with transaction.atomic():
        organisation = membership.found(form.save(commit=False), by=request.user, now=now)
        return intake.begin(event, organisation, by=request.user, now=now)


def _categories(event: Event) -> list[tuple[str, str]]:
    return [
        (category.code, category.name)
        for category in event.process.categories.order_by("position", "code")
    ]


def _own(request: HttpRequest, reference: str) -> Registration:
    return get_object_or_404(
        Registration.objects.of(request.user).select_related(
            "event", "event__process", "organisation"
        ),
        reference=reference,
    )


def _page(registration: Registration, now: Any, **context: Any) -> dict:
    """What every page of a registration shows: its tasks, its people, its deadline."""
    delegates = list(registration.delegates.select_related("representative").in_order())
    for delegate in delegates:
        delegate.registration = registration
    deadline = registration.event.registration_deadline
    organisation = registration.organisation
    page = {
        "registration": registration,
        "event": registration.event,
        "organisation": organisation,
        "delegates": delegates,
        "deadline": deadline,
        "is_open": _is_open(registration.event, deadline, now),
        "is_organisation_complete": bool(organisation.country and organisation.category),
        "now": now,
    } | context
    page["to_send"] = sum(delegate.state == Delegate.State.DRAFT for delegate in delegates)
    page["is_ready"] = page["is_open"] and page["is_organisation_complete"] and page["to_send"] > 0
    page["unfinished_url"] = _unfinished_url(registration, delegates)
    page["tasks"] = _tasks(page) if registration.is_draft else []
    return page


def _unfinished_url(registration: Registration, delegates: list[Delegate]) -> str | None:
    """Where something is typed that is not valid yet."""
    if registration.unfinished.get("person"):
        return reverse("registrations:people", args=[registration.reference])
    typed = (d for d in delegates if registration.unfinished.get(str(d.pk)))
    return next((delegate.get_absolute_url() for delegate in typed), None)


def _tasks(page: dict) -> list[dict]:
    """The task list of a draft, in words; only what is not done yet wears a tag."""
    has_people, has_unfinished = page["to_send"] > 0, bool(page["unfinished_url"])
    is_known = page["is_organisation_complete"]
    return [
        _task(page, "organisation", _("Your organisation"), is_begun=True, is_done=is_known),
        _task(
            page,
            "people",
            _("People in your delegation"),
            is_begun=has_unfinished,
            is_done=has_people and not has_unfinished,
        ),
        _last_task(page),
    ]


def _task(page: dict, name: str, title: str, *, is_begun: bool, is_done: bool) -> dict:
    begun = _("In progress") if is_begun else _("Not started")
    return {
        "title": title,
        "url": reverse(f"registrations:{name}", args=[page["registration"].reference]),
        "status": _("Completed") if is_done else begun,
        "kind": "plain" if is_done else "",
        "is_current": name == page.get("here"),
    }


def _last_task(page: dict) -> dict:
    task = {"title": _("Check and send"), "is_current": page.get("here") == "check"}
    if page["is_ready"]:
        url = reverse("registrations:check", args=[page["registration"].reference])
        return task | {"url": url, "status": _("Ready to send"), "kind": "ok"}
    status = _("Not ready yet") if page["is_open"] else _("Not possible now")
    return task | {"url": None, "status": status, "kind": "plain"}


def _people_rows(delegates: list[Delegate]) -> list[dict]:
    return [
        {
            "name": str(delegate),
            "role": delegate.get_role_display(),
            "status": delegate.get_state_display(),
            "kind": TAGS.get(delegate.state, ""),
            "url": delegate.get_absolute_url(),
        }
        for delegate in delegates
    ]


@never_cache
@login_required
def registration(request: HttpRequest, reference: str) -> HttpResponse:
    """The task list of a draft; the status page of what was sent."""
    own = _own(request, reference)
    context = _page(own, clock.now())
    if own.is_draft:
        return render(request, "registrations/tasks.html", context)
    context["timeline"] = timeline.of(own, context["delegates"])
    context["rows"] = _people_rows(context["delegates"])
    context["questions"] = list(
        Exchange.objects.filter(
            delegate__registration=own,
            delegate__state=Delegate.State.MORE_INFORMATION,
            answered_at=None,
        )
        .select_related("delegate__representative", "delegate__registration")
        .order_by("asked_at", "id")
    )
    context["decided"] = sum(not delegate.awaits_decision for delegate in context["delegates"])
    return render(request, "registrations/status.html", context)


@never_cache
@login_required
def organisation(request: HttpRequest, reference: str) -> HttpResponse:
    own = _own(request, reference)
    now = clock.now()
    form = OrganisationForm(
        request.POST or None,
        instance=own.organisation,
        initial=own.unfinished.get("organisation"),
        categories=_categories(own.event),
    )
    if request.method == "POST":
        if form.is_valid() and _corrected(request, form, now):
            with suppress(refusals.SentAlready):
                intake.keep_typed(own, "organisation", {})
            return redirect(own)
        _keep(own, "organisation", form)
    return render(
        request, "registrations/organisation.html", _page(own, now, form=form, here="organisation")
    )


def _corrected(request: HttpRequest, form: OrganisationForm, now: Any) -> bool:
    try:
        membership.correct(form.instance, by=request.user, now=now)
    except stakeholder_refusals.Refusal as refused:
        form.add_error("name", str(refused))
        return False
    messages.success(request, _("Your organisation is saved."))
    return True


@never_cache
@login_required
def people(request: HttpRequest, reference: str) -> HttpResponse:
    own = _own(request, reference)
    now = clock.now()
    if not own.is_draft and request.method != "POST":
        return redirect(own)
    form = PersonForm(request.POST or None, initial=own.unfinished.get("person"))
    if request.method == "POST":
        if form.is_valid() and _added(request, own, form, now):
            if "more" in request.POST:
                return redirect("registrations:people", own.reference)
            return redirect(own)
        _keep(own, "person", form)
    context = _page(own, now, form=form, here="people")
    return render(request, "registrations/people.html", context)


def _added(request: HttpRequest, own: Registration, form: PersonForm, now: Any) -> bool:
    try:
        intake.add_person(own, form.person(), by=request.user, now=now)
    except refusals.Refusal as refused:
        _beside(form, refused)
        return False
    messages.success(
        request, _("%(name)s is in your delegation.") % {"name": form.person().full_name}
    )
    return True


def _beside(form: PersonForm, refused: refusals.Refusal) -> None:
    field = {refusals.ListedAlready: "email", refusals.TwoHeads: "role"}.get(type(refused))
    form.add_error(field, str(refused))


def _keep(own: Registration, task: str, form: BaseForm) -> None:
    with suppress(refusals.SentAlready):
        intake.keep_typed(own, task, typed(form))


@never_cache
@login_required
def person(request: HttpRequest, reference: str, pk: str) -> HttpResponse:
    """A person: the form while they are a draft; then the status page of that person."""
    own = _own(request, reference)
    delegate = get_object_or_404(own.delegates.select_related("representative"), pk=pk)
    delegate.registration = own
    now = clock.now()
    is_in_draft = own.is_draft and delegate.state == Delegate.State.DRAFT
    if is_in_draft or "given_names" in request.POST:
        initial = PersonForm.of(delegate) | own.unfinished.get(str(delegate.pk), {})
        form = PersonForm(request.POST or None, initial=initial)
        if request.method == "POST":
            if form.is_valid() and _changed(request, delegate, form, now):
                return redirect("registrations:people", own.reference)
            _keep(own, str(delegate.pk), form)
        context = _page(own, now, form=form, delegate=delegate, here="people")
        return render(request, "registrations/person.html", context)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            exchanges.answer(delegate, form.cleaned_data["answer"], by=request.user, now=now)
        except refusals.Refusal as refused:
            form.add_error("answer", str(refused))
        else:
            messages.success(request, _("Your answer is sent. We have written to you."))
            return redirect(delegate)
    delegate.refresh_from_db(fields=["state"])
    context = _page(
        own,
        now,
        form=form,
        delegate=delegate,
        answered=list(delegate.exchanges.exclude(answered_at=None).order_by("asked_at")),
        asked=delegate.exchanges.filter(answered_at=None).first()
        if delegate.state == Delegate.State.MORE_INFORMATION
        else None,
    )
    context["timeline"] = timeline.of(own, [delegate])
    context["kind"] = TAGS.get(delegate.state, "")
    if delegate.state == Delegate.State.DECLINED:
        context["reason"] = timeline.reason_of_decline(context["timeline"])
    return render(request, "registrations/person_status.html", context)


def _changed(request: HttpRequest, delegate: Delegate, form: PersonForm, now: Any) -> bool:
    try:
        intake.change_person(delegate, form.person(), by=request.user, now=now)
    except refusals.Refusal as refused:
        _beside(form, refused)
        return False
    messages.success(request, _("%(name)s is saved.") % {"name": form.person().full_name})
    return True


@require_POST
@login_required
def remove_person(request: HttpRequest, reference: str, pk: str) -> HttpResponse:
    own = _own(request, reference)
    delegate = get_object_or_404(own.delegates.select_related("representative"), pk=pk)
    try:
        intake.remove_person(delegate, by=request.user, now=clock.now())
    except refusals.Refusal as refused:
        messages.error(request, str(refused))
        return redirect(own)
    messages.success(request, _("%(name)s is taken out.") % {"name": delegate})
    return redirect("registrations:people", own.reference)


@never_cache
@login_required
def check(request: HttpRequest, reference: str) -> HttpResponse:
    """Check the answers, and send."""
    own = _own(request, reference)
    now = clock.now()
    refusal = ""
    if request.method == "POST":
        try:
            intake.submit(own, by=request.user, now=now)
        except refusals.SentAlready:
            return redirect(own)
        except refusals.Refusal as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("Your delegation is registered. We have written to you."))
            return redirect(own)
    if not own.is_draft:
        return redirect(own)
    context = _page(own, now, refusal=refusal, here="check")
    names = dict(_categories(own.event))
    context["category"] = names.get(
        own.organisation.category, own.organisation.get_category_display()
    )
    return render(request, "registrations/check.html", context)


@never_cache
@login_required
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    own = _own(request, reference)
    now = clock.now()
    if request.method == "POST":
        intake.withdraw(own, by=request.user, now=now)
        messages.success(request, _("Your registration is withdrawn."))
        return redirect(own)
    if own.is_withdrawn:
        return redirect(own)
    return render(request, "registrations/withdraw.html", _page(own, now))


@never_cache
@login_required
def withdraw_person(request: HttpRequest, reference: str, pk: str) -> HttpResponse:
    own = _own(request, reference)
    delegate = get_object_or_404(own.delegates.select_related("representative"), pk=pk)
    delegate.registration = own
    now = clock.now()
    if request.method == "POST":
        try:
            intake.withdraw_person(delegate, by=request.user, now=now)
        except refusals.Refusal as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("%(name)s is withdrawn.") % {"name": delegate})
        return redirect(delegate)
    if not delegate.can_withdraw:
        return redirect(delegate)
    return render(request, "registrations/withdraw.html", _page(own, now, delegate=delegate))
