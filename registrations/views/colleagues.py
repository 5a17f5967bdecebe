"""A focal point lets members of the organisation work on a delegation."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

import clock
from registrations import colleagues, refusals
from registrations.forms import ColleaguesForm
from registrations.models import Registration
from registrations.views import frame
from stakeholders.models import Membership


@never_cache
@login_required
def choose(request: HttpRequest, reference: str) -> HttpResponse:
    """Only what was ticked, or is no longer ticked, is changed: another focal point may be here
    at the same time."""
    own = frame.own(request, reference)
    if not own.is_led:
        raise Http404
    now = clock.now()
    members = list(colleagues.may_work_on(own))
    working = set(own.colleagues.values_list("pk", flat=True))
    ticked = [str(member.pk) for member in members if member.pk in working]
    shown = request.POST.getlist("shown") if request.method == "POST" else ticked
    form = ColleaguesForm(frame.posted(request), members=members, initial={"colleagues": ticked})
    if request.method == "POST" and form.is_valid():
        chosen = set(form.cleaned_data["colleagues"])
        if _changed(request, own, members, chosen=chosen, shown=set(shown), form=form):
            return redirect(own)
    context = frame.page(own, request.user, now, form=form, members=members, shown=shown)
    return render(request, "registrations/colleagues.html", context)


def _changed(
    request: HttpRequest,
    own: Registration,
    members: list[Membership],
    *,
    chosen: set[str],
    shown: set[str],
    form: ColleaguesForm,
) -> bool:
    try:
        colleagues.change(
            own,
            on=[member for member in members if str(member.pk) in chosen - shown],
            off=[member for member in members if str(member.pk) in shown - chosen],
            by=request.user,
            now=clock.now(),
        )
    except refusals.Refusal as refused:
        form.add_error("colleagues", str(refused))
        return False
    messages.success(request, _("Saved. Whoever works on it finds it under “My registrations”."))
    return True
