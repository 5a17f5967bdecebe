"""A group fills a draft and sends it."""

import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

import clock
from clock import shown
from events.models import Event, Question, Segment, Track
from registrations import answering, exemptions, intake, refusals
from registrations.forms import (
    AskInForm,
    PersonForm,
    TrackForm,
    said,
    show_theirs,
    typed,
    unjudged,
)
from registrations.models import SEATED, Delegate, Registration, SegmentDecision
from registrations.views import frame
from stakeholders import membership
from stakeholders import refusals as stakeholder_refusals
from stakeholders.forms import OrganisationForm
from stakeholders.models import Organisation

State = Delegate.State


@never_cache
@login_required
def organisation(request: HttpRequest, reference: str) -> HttpResponse:
    own = frame.own(request, reference)
    if not own.is_led:
        return _way_in(request, own)
    now = clock.now()
    categories = frame.categories(own.event)
    if _keeps(request, own):
        form = OrganisationForm(request.POST, instance=own.organisation, categories=categories)
        return keep(request, own, "organisation", form, _track_form(request, own, {}))
    kept = own.typed("organisation", request.user)
    seen = request.POST.get("seen") or kept.get("seen") or own.organisation.mark
    form = OrganisationForm(
        frame.posted(request), instance=own.organisation, initial=kept, categories=categories
    )
    choosing = _track_form(request, own, kept)
    if frame.is_kept(request):
        form = unjudged(form)
    elif request.method == "POST":
        are_valid = form.is_valid() and (choosing is None or choosing.is_valid())
        if are_valid:
            seen = _corrected(request, own, form, choosing, seen, now)
            if not form.errors:
                return redirect(own)
        keep_refused(request, own, "organisation", form, seen)
    context = frame.page(
        own, request.user, now, form=form, choosing=choosing, seen=seen, here="organisation"
    )
    return render(request, "registrations/organisation.html", context)


def _way_in(request: HttpRequest, own: Registration) -> HttpResponse:
    """A member reads the facts, and says only how the group takes part."""
    form = _track_form(request, own, {})
    if form and frame.is_kept(request):
        form = unjudged(form)
    elif request.method == "POST":
        if form is None:
            return redirect(own)
        if form.is_valid():
            track = Track.objects.get(pk=form.cleaned_data["track"])
            try:
                intake.choose_track(own, track, by=request.user, now=clock.now())
                return redirect(own)
            except refusals.Refusal as refused:
                form.add_error(None, str(refused))
    names = dict(frame.categories(own.event))
    category = own.organisation.get_category_display()
    context = frame.page(
        own,
        request.user,
        clock.now(),
        form=form,
        category=names.get(own.organisation.category, category),
        here="organisation",
    )
    return render(request, "registrations/organisation.html", context)


def _track_form(request: HttpRequest, own: Registration, kept: dict[str, Any]) -> TrackForm | None:
    """Only where there are several ways in, and until the draft is sent."""
    tracks = list(own.event.tracks.order_by("position", "name_en")) if own.is_draft else []
    if not tracks:
        return None
    there = {"track": str(own.track_id) if own.track_id else None}
    return TrackForm(frame.posted(request), tracks=tracks, initial=there | kept)


def _corrected(
    request: HttpRequest,
    own: Registration,
    form: OrganisationForm,
    choosing: TrackForm | None,
    seen: str,
    now: datetime,
) -> str:
    """Keep the facts, or say beside them why not; the mark of what the page now shows."""
    try:
        with transaction.atomic():
            membership.correct(form.instance, by=request.user, now=now, seen=seen)
            if choosing:
                track = Track.objects.get(pk=choosing.cleaned_data["track"])
                intake.choose_track(own, track, by=request.user, now=now)
    except stakeholder_refusals.ChangedMeanwhile as refused:
        there = Organisation.objects.get(pk=own.organisation_id)
        form.add_error(None, str(refused))
        show_theirs(form, {name: getattr(there, name) for name in Organisation.FACTS})
        return there.mark
    except stakeholder_refusals.Refusal as refused:
        form.add_error("name", str(refused))
    except refusals.Refusal as refused:
        form.add_error(None, str(refused))
    else:
        forget(request, own, "organisation")
        messages.success(request, _("Your organisation is saved."))
    return seen


@never_cache
@login_required
def people(request: HttpRequest, reference: str) -> HttpResponse:
    own = frame.own(request, reference)
    now = clock.now()
    if not own.is_draft and request.method != "POST":
        return redirect(own)
    asks = _asks(own)
    if frame.is_kept(request):
        return keep(request, own, "person", PersonForm(request.POST, **asks))
    kept = own.typed("person", request.user)
    form = PersonForm(frame.posted(request), initial=kept, **asks)
    entry = frame.entry(request)
    if request.method == "POST":
        if form.is_valid() and _added(request, own, form, entry, now):
            onward = "people" if "more" in request.POST else "check"
            return redirect(f"registrations:{onward}", own.reference)
        keep_refused(request, own, "person", form)
    context = frame.adding(
        own, request.user, now, form=form, typed=kept, entry=entry or uuid.uuid4()
    )
    return render(request, "registrations/people.html", context)


def parts(event: Event) -> list[Segment]:
    """The parts of an event whose seats are counted by themselves, in order."""
    return list(event.segments.exclude(seats=None).order_by("date", "starts_at", "name_en"))


def _asks(own: Registration, delegate: Delegate | None = None) -> dict[str, Any]:
    """What the form of a person asks at this event alone: of parts and, in a draft, the questions
    of the organisers."""
    asked = frame.asked(own) if own.is_draft else []
    questions = answering.for_each(Question.Of.PERSON, asked)
    return {
        "segments": parts(own.event),
        "questions": questions,
        "answered": answering.given(own, delegate) if questions and delegate else {},
        "full": answering.full(questions),
    }


def _added(
    request: HttpRequest,
    own: Registration,
    form: PersonForm,
    entry: uuid.UUID | None,
    now: datetime,
) -> bool:
    try:
        intake.add_person(
            own, form.person(), by=request.user, now=now, entry=entry, answers=form.answers()
        )
    except refusals.Refusal as refused:
        beside(form, refused)
        return False
    messages.success(
        request, _("%(name)s is in your delegation.") % {"name": form.person().full_name}
    )
    return True


def beside(form: PersonForm, refused: refusals.Refusal) -> None:
    field = {refusals.ListedAlready: "email", refusals.TwoHeads: "role"}.get(type(refused))
    form.add_error(field, str(refused))


def forget(request: HttpRequest, own: Registration, task: str) -> None:
    with suppress(refusals.SentAlready):
        intake.keep_typed(own, task, {}, by=request.user)


def keep_refused(
    request: HttpRequest, own: Registration, task: str, form: BaseForm, seen: str = ""
) -> None:
    """`seen`: the mark of what was overwritten, which the page shows again with the words."""
    words = typed(form)
    if words and seen:
        words["seen"] = seen
    with suppress(refusals.SentAlready):
        intake.keep_typed(own, task, words, by=request.user)
        own.refresh_from_db(fields=["unfinished"])


def _keeps(request: HttpRequest, own: Registration) -> bool:
    """What was sent keeps no words: on the way to another language they go along in the form."""
    return frame.is_kept(request) and (own.is_draft or not frame.is_on_the_way(request))


def keep(
    request: HttpRequest,
    own: Registration,
    task: str,
    form: BaseForm,
    choosing: BaseForm | None = None,
) -> HttpResponse:
    """Keep what somebody is writing, valid or not, and nothing else. `form`: over what stands
    there already, which need not be kept."""
    forms = [each for each in (form, choosing) if each]
    words = typed(form) if any(each.has_changed() for each in forms) else {}
    if words and choosing:
        words |= said(choosing)
    if words and (seen := request.POST.get("seen", "")[:64].replace("\x00", "")):
        words["seen"] = seen
    is_last = request.POST["keep"] == frame.ON_THE_WAY
    try:
        intake.keep_typed(own, task, words, by=request.user, entry=frame.entry(request))
    except refusals.SentAlready:
        if not is_last:
            return HttpResponse(status=409)
    return redirect(request.path) if is_last else HttpResponse(status=204)


def change(
    request: HttpRequest, own: Registration, delegate: Delegate, now: datetime
) -> HttpResponse:
    """The form of a person who is in the draft already, or waits for a decision."""
    task = str(delegate.pk)
    there, asks = PersonForm.of(delegate), _asks(own, delegate)
    if _keeps(request, own):
        form = PersonForm(request.POST, initial=there, **asks)
        return keep(request, own, task, form)
    kept = own.typed(task, request.user)
    form = PersonForm(frame.posted(request), initial=there | kept, **asks)
    seen = request.POST.get("seen") or kept.get("seen") or delegate.mark
    if frame.is_on_the_way(request):
        form = unjudged(form)
    elif request.method == "POST":
        if form.is_valid():
            seen = _changed(request, delegate, form, seen, now)
            if not form.errors and not own.is_draft:
                return redirect(delegate)
            if not form.errors:
                return redirect("registrations:people", own.reference)
        keep_refused(request, own, task, form, seen)
    context = frame.page(
        own, request.user, now, form=form, delegate=delegate, seen=seen, here="people"
    )
    return render(request, "registrations/person.html", context)


def _changed(
    request: HttpRequest, delegate: Delegate, form: PersonForm, seen: str, now: datetime
) -> str:
    """Keep the change, or say beside the fields why not; the mark of what the page now shows."""
    try:
        intake.change_person(
            delegate,
            form.person(),
            by=request.user,
            now=now,
            seen=seen,
            answers=form.answers() if form.questions else None,
        )
    except refusals.ChangedMeanwhile as refused:
        there = Delegate.objects.select_related("representative").get(pk=delegate.pk)
        theirs = answering.given(delegate.registration, there)
        form.add_error(None, str(refused))
        show_theirs(form, PersonForm.of(there) | form.shown_as(theirs))
        return there.mark
    except refusals.Refusal as refused:
        beside(form, refused)
    else:
        messages.success(request, _("%(name)s is saved.") % {"name": form.person().full_name})
    return seen


@require_POST
@login_required
def remove_person(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
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
    """Check the answers, and send. The answer says by which moment it was judged."""
    own = frame.own(request, reference)
    now = clock.now()
    if request.method == "POST":
        response = _sent(request, own, now)
        response.headers["X-Judged-At"] = now.isoformat(timespec="microseconds")
        return response
    return _check_page(request, own, now)


def _sent(request: HttpRequest, own: Registration, now: datetime) -> HttpResponse:
    event = own.event
    try:
        people = intake.submit(own, by=request.user, now=now)
    except refusals.SentAlready:
        return redirect(own)
    except refusals.Refusal as refused:
        return _check_page(request, own, now, refusal=str(refused))
    messages.success(request, f"{_what_became(people, event)} {_reached_us(event, now)}")
    return redirect(own)


def _check_page(
    request: HttpRequest, own: Registration, now: datetime, *, refusal: str = ""
) -> HttpResponse:
    if not own.is_draft:
        return redirect(own)
    context = frame.page(own, request.user, now, refusal=refusal, here="check")
    in_order = SegmentDecision.objects.select_related("segment").order_by(
        "segment__date", "segment__starts_at", "segment__name_en"
    )
    prefetch_related_objects(context["delegates"], Prefetch("segments", in_order))
    if refusal:
        context["reached_us"] = _reached_us(own.event, now)
    names = dict(frame.categories(own.event))
    context["category"] = names.get(
        own.organisation.category, own.organisation.get_category_display()
    )
    return render(request, "registrations/check.html", context)


def _what_became(people: list[Delegate], event: Event) -> str:
    """First come, first served: who has a place and who waits; else that it is registered."""
    if not event.is_first_come:
        return _("Your delegation is registered. We have written to you.")
    states = [delegate.state for delegate in people]
    given = sum(state in SEATED for state in states)
    waiting = states.count(State.WAIT_LISTED)
    sentences = [_("Your delegation is registered.")]
    if given:
        sentences.append(
            ngettext("%(n)s person has a place.", "%(n)s people have a place.", given)
            % {"n": given}
        )
    if waiting:
        sentences.append(
            ngettext(
                "%(n)s person is on the waiting list.",
                "%(n)s people are on the waiting list.",
                waiting,
            )
            % {"n": waiting}
        )
    return " ".join(sentences)


def _reached_us(event: Event, now: datetime) -> str:
    return _("It reached us on %(moment)s.") % {"moment": shown.moment_and_zone(now, event.zone)}


@never_cache
@login_required
def ask_in(request: HttpRequest, reference: str) -> HttpResponse:
    """A draft that comes too late asks to be let in."""
    own = frame.own(request, reference)
    now = clock.now()
    form = AskInForm(frame.posted(request))
    if frame.is_kept(request):
        form = unjudged(form)
    if request.method == "POST" and form.is_valid():
        try:
            exemptions.ask(own, reason=form.cleaned_data["reason"], by=request.user, now=now)
        except refusals.Refusal as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("Your request is with the organisers."))
        return redirect(own)
    context = frame.page(own, request.user, now, form=form)
    if not context["can_ask"]:
        return redirect(own)
    return render(request, "registrations/ask_in.html", context)
