"""What the organisers ask beside: of a delegation, and of its people once they were sent."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

import clock
from registrations import answering, refusals
from registrations.forms import QuestionsForm, unjudged
from registrations.models import Delegate, Registration
from registrations.views import drafts, frame

TASK = "questions"


@never_cache
@login_required
def of_delegation(request: HttpRequest, reference: str) -> HttpResponse:
    own = frame.own(request, reference)
    return _page(request, own, None, back=own.get_absolute_url())


@never_cache
@login_required
def of_person(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    """While somebody is in a draft, these questions stand with the others about them."""
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
    if own.is_draft:
        return redirect(delegate)
    return _page(request, own, delegate, back=delegate.get_absolute_url())


def _page(
    request: HttpRequest, own: Registration, delegate: Delegate | None, *, back: str
) -> HttpResponse:
    now = clock.now()
    answered = answering.given(own, delegate)
    questions = answering.possible(own, frame.asked(own), answered, delegate=delegate, now=now)
    if not questions:
        if request.method == "POST":
            messages.error(request, str(refusals.NothingToAnswer()))
        return redirect(back)
    form = QuestionsForm(
        frame.posted(request),
        questions=questions,
        answered=answered,
        full=answering.full(questions),
        must=not own.is_draft,
        initial=own.typed(TASK, request.user) if own.is_draft else {},
    )
    if frame.is_kept(request) and own.is_draft:
        return drafts.keep(request, own, TASK, form)
    if frame.is_kept(request):
        form = unjudged(form)
    elif request.method == "POST":
        if form.is_valid() and _answered(request, own, delegate, form, now):
            return redirect(back)
        if own.is_draft:
            drafts.keep_refused(request, own, TASK, form)
    context = frame.page(own, request.user, now, form=form, delegate=delegate, back=back, here=TASK)
    return render(request, "registrations/questions.html", context)


def _answered(
    request: HttpRequest,
    own: Registration,
    delegate: Delegate | None,
    form: QuestionsForm,
    now: datetime,
) -> bool:
    try:
        answering.answer(own, form.answers(), delegate=delegate, by=request.user, now=now)
    except refusals.Refusal as refused:
        form.add_error(None, str(refused))
        return False
    drafts.forget(request, own, TASK)
    messages.success(request, _("Your answers are saved."))
    return True
