"""A group puts right what is wrong about a person who was sent."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

import clock
from registrations import corrections, refusals
from registrations.forms import CorrectionForm, unjudged
from registrations.models import Delegate
from registrations.views import drafts, frame


@never_cache
@login_required
def correct(request: HttpRequest, reference: str, pk: uuid.UUID) -> HttpResponse:
    """At once, while nobody has decided; then by asking the organisers."""
    own = frame.own(request, reference)
    delegate = frame.person_of(own, pk)
    now = clock.now()
    if delegate.awaits_decision:
        return drafts.change(request, own, delegate, now)
    is_waiting = delegate.corrections.waiting().exists()
    if request.method != "POST" and (is_waiting or not corrections.is_possible(delegate, now)):
        return redirect(delegate)
    form = CorrectionForm(frame.posted(request), initial=corrections.facts_of(delegate))
    if frame.is_kept(request):
        form = unjudged(form)
    elif request.method == "POST" and form.is_valid() and _asked(request, delegate, form):
        return redirect(delegate)
    context = frame.page(own, request.user, now, form=form, delegate=delegate)
    return render(request, "registrations/correct.html", context)


def _asked(request: HttpRequest, delegate: Delegate, form: CorrectionForm) -> bool:
    said = form.cleaned_data
    try:
        corrections.ask(
            delegate,
            form.wished(),
            other=said["other"],
            reason=said["reason"],
            by=request.user,
            now=clock.now(),
        )
    except refusals.Refusal as refused:
        drafts.beside(form, refused)
        return False
    messages.success(request, _("Your request is with the organisers. You get a letter."))
    return True
