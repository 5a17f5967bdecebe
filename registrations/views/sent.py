"""What became of a delegation that was sent, and what its group can still do."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

import clock
from registrations import (
    answering,
    confirmations,
    corrections,
    exchanges,
    intake,
    refusals,
    replacements,
    timeline,
    waiting,
)
from registrations.forms import AnswerForm, PersonForm, unjudged
from registrations.models import (
    GONE,
    SEATED,
    TAGS,
    Delegate,
    Exchange,
    Registration,
)
from registrations.views import drafts, frame

State = Delegate.State


@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """My registrations."""
    registrations = list(
        Registration.objects.of(request.user)
        .select_related("event", "organisation")
        .prefetch_related("delegates", "event__deadlines")
        .order_by("event__starts_on", "event__slug")
    )
    now = clock.now()
    let_in = frame.exemptions_of(registrations, now)
    cards = [
        _card(each, now, let_in.get((each.event_id, each.organisation_id)))
        for each in registrations
    ]
    return render(
        request,
        "registrations/mine.html",
        {
            "now": now,
            "drafts": [card for card in cards if card["registration"].is_draft],
            "sent": [card for card in cards if not card["registration"].is_draft],
        },
    )


def _card(registration: Registration, now: datetime, exemption: Any) -> dict:
    delegates = list(registration.delegates.all())
    counts = [(state, sum(delegate.state == state for delegate in delegates)) for state in State]
    return frame.window(registration.event, now, exemption=exemption) | {
        "registration": registration,
        "counts": [(state.label, TAGS.get(state, ""), count) for state, count in counts if count],
        "people": len(delegates),
        "to_do": any(delegate.state == State.MORE_INFORMATION for delegate in delegates),
        "to_confirm": registration.event.is_published
        and any(delegate.must_confirm for delegate in delegates),
    }


@never_cache
@login_required
def registration(request: HttpRequest, reference: str) -> HttpResponse:
    """The task list of a draft; the status page of what was sent."""
    own = frame.own(request, reference)
    now = clock.now()
    context = frame.page(own, request.user, now)
    if own.is_draft:
        return render(request, "registrations/tasks.html", context)
    delegates = context["delegates"]
    context["timeline"] = timeline.of(own, delegates)
    context["rows"] = _people_rows(own, delegates)
    said = answering.said_in(context["own_answers"])
    if answering.possible(own, context["asks"], said, now=now):
        context["answers_url"] = frame.questions_url(own)
    context["questions"] = list(
        Exchange.objects.filter(
            delegate__registration=own,
            delegate__state=State.MORE_INFORMATION,
            answered_at=None,
        )
        .select_related("delegate__representative", "delegate__registration")
        .order_by("asked_at", "id")
    )
    context["to_confirm"] = _to_confirm(own, delegates)
    context["things_to_do"] = (
        len(context["questions"]) + bool(context["to_confirm"]) + bool(context["unanswered"])
    )
    context["decided"] = sum(not delegate.awaits_decision for delegate in delegates)
    context["seated"] = sum(delegate.state in SEATED for delegate in delegates)
    context["confirmed"] = sum(delegate.state == State.CONFIRMED for delegate in delegates)
    context["confirmation"] = own.event.confirmation_deadline
    return render(request, "registrations/status.html", context)


def _people_rows(own: Registration, delegates: list[Delegate]) -> list[dict]:
    places = _places(own, delegates)
    return [
        {
            "name": str(delegate),
            "role": delegate.get_role_display(),
            "status": delegate.get_state_display(),
            "kind": TAGS.get(delegate.state, ""),
            "url": delegate.get_absolute_url(),
            "more": _("Number %(n)s on the waiting list") % {"n": places[delegate.pk]}
            if delegate.pk in places
            else "",
        }
        for delegate in delegates
    ]


def _places(own: Registration, delegates: list[Delegate]) -> dict[uuid.UUID, int]:
    if not any(delegate.state == State.WAIT_LISTED for delegate in delegates):
        return {}
    return waiting.places(own)


def _to_confirm(own: Registration, delegates: list[Delegate]) -> dict | None:
    """Who has not said whether they come, and the first moment at which a place is lost."""
    people = [delegate for delegate in delegates if delegate.must_confirm]
    if not people or not own.event.is_published:
        return None
    moments = [moment for each in people if (moment := confirmations.until(each))]
    return {"people": people, "until": min(moments, default=None)}


@never_cache
@login_required
def person(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    """A person: the form while they are a draft; then the status page of that person."""
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
    now = clock.now()
    is_in_draft = own.is_draft and delegate.state == State.DRAFT
    if is_in_draft or "given_names" in request.POST:
        return drafts.change(request, own, delegate, now)
    form = AnswerForm(frame.posted(request))
    if frame.is_kept(request):
        form = unjudged(form)
    if request.method == "POST" and form.is_valid():
        if _answered(request, delegate, form, now):
            return redirect(delegate)
        delegate.refresh_from_db(fields=["state"])
    context = frame.page(own, request.user, now, form=form, delegate=delegate)
    context["timeline"] = timeline.of(own, [delegate])
    context |= _own_answers(own, delegate, context, now)
    context["kind"] = TAGS.get(delegate.state, "")
    context |= _corrections(delegate, now)
    context |= _questions(delegate) | _place(own, delegate, now) | _around(delegate, now)
    context["in_public"] = _in_public(delegate)
    if delegate.state == State.DECLINED:
        context["reason"] = timeline.reason_of_decline(context["timeline"])
    return render(request, "registrations/person_status.html", context)


def _answered(request: HttpRequest, delegate: Delegate, form: AnswerForm, now: datetime) -> bool:
    """The same answer sent twice is one answer."""
    text = form.cleaned_data["answer"]
    try:
        exchanges.answer(delegate, text, by=request.user, now=now)
    except refusals.Refusal as refused:
        last = delegate.exchanges.exclude(answered_at=None).order_by("answered_at").last()
        if last is None or last.answer != text:
            form.add_error("answer", str(refused))
            return False
    messages.success(request, _("Your answer is sent. We have written to you."))
    return True


def _questions(delegate: Delegate) -> dict:
    exchanges_of = delegate.exchanges.order_by("asked_at")
    is_asked = delegate.state == State.MORE_INFORMATION
    return {
        "answered": list(exchanges_of.exclude(answered_at=None)),
        "asked": exchanges_of.filter(answered_at=None).first() if is_asked else None,
    }


def _own_answers(own: Registration, delegate: Delegate, found: dict, now: datetime) -> dict:
    """What this person has answered to the organisers, and where more can be."""
    answers = next(one.own_answers for one in found["delegates"] if one == delegate)
    said = answering.said_in(answers)
    may = answering.possible(own, found["asks"], said, delegate=delegate, now=now)
    return {"answers": answers, "answers_url": may and frame.questions_url(own, delegate)}


def _corrections(delegate: Delegate, now: datetime) -> dict:
    asked = list(delegate.corrections.order_by("asked_at", "id"))
    is_waiting = any(correction.waits for correction in asked)
    can_ask = not is_waiting and corrections.is_possible(delegate, now)
    return {"corrections": asked, "can_correct": can_ask or delegate.awaits_decision}


def _place(own: Registration, delegate: Delegate, now: datetime) -> dict:
    """The place on the waiting list; what must be confirmed; the parts of the event."""
    found: dict[str, Any] = {}
    has_begun = replacements.has_begun(own.event, now)
    if delegate.state == State.WAIT_LISTED:
        found["place"] = waiting.place_of(delegate)
        found["is_served"] = own.event.is_published and not has_begun
        found["waiting"] = (
            Delegate.objects.waiting().filter(registration__event=own.event_id).count()
        )
    if own.event.is_published and delegate.must_confirm:
        found["must_confirm"], found["until"] = True, confirmations.until(delegate)
    found["can_decline"] = (
        own.event.is_published and delegate.state == State.CONFIRMED and not has_begun
    )
    if delegate.state not in {*GONE, State.WITHDRAWN}:
        found["parts"] = list(
            delegate.segments.select_related("segment").order_by(
                "segment__date", "segment__starts_at", "segment__name_en"
            )
        )
    return found


def _in_public(delegate: Delegate) -> str:
    """How the public list of participants has this person, if there is one. Nobody else can
    change it."""
    if not (delegate.registration.event.lists_participants and delegate.is_seated):
        return ""
    if delegate.listed_at:
        return _("Named, as this person has agreed.")
    if Delegate.objects.filter(pk=delegate.pk).with_own_address().exists():
        return _("Not named. Only this person can agree, by a letter to their own address.")
    return _(
        "Not named. There is no email address that is this person’s alone, so nobody can ask them."
    )


def _around(delegate: Delegate, now: datetime) -> dict:
    """Who came in whose place."""
    new = Delegate.objects.filter(replaces=delegate).select_related("representative").first()
    if new:
        new.registration = delegate.registration
    old = delegate.replaces
    if old:
        old.registration = delegate.registration
    is_named = new is not None and new.awaits_decision
    return {
        "replaced_by": new if is_named or delegate.state == State.REPLACED else None,
        "is_named": is_named,
        "in_place_of": old,
        "can_replace": not is_named and replacements.is_possible(delegate, now),
    }


@require_POST
@login_required
def confirm_person(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    """The focal point answers for a person."""
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
    answer = request.POST.get("answer")
    now = clock.now()
    try:
        if answer == "yes":
            confirmations.confirm(delegate, by=request.user, now=now)
            messages.success(request, _("%(name)s is expected.") % {"name": delegate})
        elif answer == "no":
            confirmations.decline(delegate, by=request.user, now=now)
            messages.success(
                request, _("%(name)s does not come. The place goes on.") % {"name": delegate}
            )
        else:
            messages.error(request, _("Choose one of the two answers."))
    except refusals.Refusal as refused:
        messages.error(request, str(refused))
    return redirect(delegate)


@never_cache
@login_required
def replace(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    """Somebody else comes in a person's place."""
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
    now = clock.now()
    if request.method != "POST" and not replacements.is_possible(delegate, now):
        return redirect(delegate)
    form = PersonForm(frame.posted(request), initial={"role": delegate.role})
    if frame.is_kept(request):
        form = unjudged(form)
    if request.method == "POST" and form.is_valid():
        try:
            new = replacements.replace(delegate, form.person(), by=request.user, now=now)
        except refusals.Refusal as refused:
            drafts.beside(form, refused)
        else:
            messages.success(request, _replaced(delegate, new))
            return redirect(new)
    context = frame.page(own, request.user, now, form=form, delegate=delegate)
    return render(request, "registrations/replace.html", context)


def _replaced(old: Delegate, new: Delegate) -> str:
    names = {"new": new, "old": old}
    if new.awaits_decision:
        return (
            _("%(new)s is named in place of %(old)s. The organisers decide; you get a letter.")
            % names
        )
    return _("%(new)s comes in place of %(old)s.") % names


@never_cache
@login_required
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    own = frame.own(request, reference)
    now = clock.now()
    if request.method == "POST":
        intake.withdraw(own, by=request.user, now=now)
        messages.success(request, _("Your registration is withdrawn."))
        return redirect(own)
    if own.is_withdrawn:
        return redirect(own)
    return render(request, "registrations/withdraw.html", frame.page(own, request.user, now))


@never_cache
@login_required
def withdraw_person(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
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
    context = frame.page(own, request.user, now, delegate=delegate)
    return render(request, "registrations/withdraw.html", context)
