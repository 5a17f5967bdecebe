"""A group begins: it finds its organisation, or enters it. The draft exists from there on."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

import clock
from events.models import Event
from registrations import intake, refusals
from registrations.forms import ChooseOrganisationForm, said, unjudged
from registrations.models import Exemption
from registrations.views import frame
from stakeholders import matching, membership
from stakeholders import refusals as stakeholder_refusals
from stakeholders.forms import FindForm, LikelyForm, OrganisationForm
from stakeholders.models import Organisation

Context = dict[str, Any]
LOOKED_FOR = "looked_for"


@dataclass
class Desk:
    """Who begins, for which event."""

    request: HttpRequest
    event: Event
    now: datetime

    @cached_property
    def led(self) -> list[Organisation]:
        return list(Organisation.objects.led_by(self.request.user).order_by("name"))

    @cached_property
    def worked_for(self) -> list[Organisation]:
        """Those where a focal point begins, and puts members on the delegation."""
        all_of_them = Organisation.objects.spoken_for_by(self.request.user)
        return list(all_of_them.exclude(pk__in=[one.pk for one in self.led]).order_by("name"))

    def begin(self, organisation: Organisation, otherwise: Context) -> HttpResponse | Context:
        try:
            draft = intake.begin(self.event, organisation, by=self.request.user, now=self.now)
        except refusals.Refusal as refused:
            return otherwise | {"refusal": str(refused)}
        return redirect(draft)


@never_cache
@login_required
def start(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(
        Event.objects.public().select_related("process").prefetch_related("deadlines"), slug=slug
    )
    desk = Desk(request, event, clock.now())
    steps = {"choose": _choose, "find": _find, "pick": _pick, "enter": _enter}
    step = next((act for word, act in steps.items() if word in request.POST), _first)
    answer = _again(desk) if frame.is_kept(request) else step(desk)
    if isinstance(answer, HttpResponse):
        return answer
    let_in = Exemption.objects.filter(event=event, organisation__in=desk.led, until__gt=desk.now)
    window = frame.window(event, desk.now, exemption=let_in.order_by("until").last())
    context = {"event": event, "now": desk.now, "worked_for": desk.worked_for}
    return render(request, "registrations/start.html", window | context | answer)


def _first(desk: Desk) -> Context:
    if not desk.led:
        return {"step": "find", "form": FindForm()}
    one = desk.led[0].id if len(desk.led) == 1 else None
    form = ChooseOrganisationForm(organisations=desk.led, initial={"organisation": one})
    return {"step": "choose", "form": form}


def _again(desk: Desk) -> Context:
    """The same step on the way to another language, with what was typed. There is no draft yet
    that could keep it."""
    posted = desk.request.POST
    entering = OrganisationForm(posted, categories=frame.categories(desk.event))
    step = posted.get("step")
    if step == "choose":
        choosing = ChooseOrganisationForm(posted, organisations=desk.led)
        return {"step": step, "form": unjudged(choosing)}
    if step == "enter":
        looked_for = posted.get(LOOKED_FOR, "")
        return {"step": step, "form": unjudged(entering), LOOKED_FOR: looked_for}
    finding = FindForm(posted)
    if step == "pick" and finding.is_valid():
        typed = said(entering)
        return _picking(desk, typed) or _entering(desk, typed)
    return {"step": "find", "form": unjudged(finding)}


def _choose(desk: Desk) -> HttpResponse | Context:
    """One of one's own, or another one."""
    form = ChooseOrganisationForm(desk.request.POST, organisations=desk.led)
    here = {"step": "choose", "form": form}
    if not form.is_valid():
        return here
    chosen = form.cleaned_data["organisation"]
    if chosen == ChooseOrganisationForm.NEW:
        return {"step": "find", "form": FindForm()}
    return desk.begin(next(one for one in desk.led if str(one.id) == chosen), here)


def _find(desk: Desk) -> Context:
    """What is known here by such a name; the form for a new one where there is nothing."""
    form = FindForm(desk.request.POST)
    if not form.is_valid():
        return {"step": "find", "form": form}
    typed = form.cleaned_data
    return _picking(desk, typed) or _entering(desk, typed)


def _picking(desk: Desk, typed: Context, form: LikelyForm | None = None) -> Context | None:
    """Is it one of these? What was typed goes along, unseen."""
    form = form or LikelyForm(likely=_like(typed), can_be_new=True)
    kept = [(name, value) for name, value in typed.items() if name in OrganisationForm.Meta.fields]
    return {"step": "pick", "form": form, "kept": kept} if form.likely else None


def _entering(desk: Desk, typed: Context) -> Context:
    """A new one; the same name is not looked for twice."""
    form = OrganisationForm(initial=typed, categories=frame.categories(desk.event))
    return {"step": "enter", "form": form, LOOKED_FOR: typed.get("name", "")}


def _pick(desk: Desk) -> HttpResponse | Context:
    typed = {name: desk.request.POST.get(name, "") for name in OrganisationForm.Meta.fields}
    finding = FindForm(desk.request.POST)
    if not finding.is_valid():
        return {"step": "find", "form": finding}
    form = LikelyForm(desk.request.POST, likely=_like(finding.cleaned_data), can_be_new=True)
    if not form.is_valid():
        return _picking(desk, typed, form) or _entering(desk, typed)
    chosen = form.chosen
    if chosen is None:
        return _entering(desk, typed)
    if chosen in desk.led:
        return desk.begin(chosen, {"step": "pick", "form": form, "kept": typed.items()})
    return redirect(_asking(desk, chosen))


def _enter(desk: Desk) -> HttpResponse | Context:
    """An organisation that is new here. Another name than was looked for is looked for first."""
    posted = desk.request.POST
    form = OrganisationForm(posted, categories=frame.categories(desk.event))
    here = {"step": "enter", "form": form, LOOKED_FOR: posted.get(LOOKED_FOR, "")}
    if not form.is_valid():
        return here
    looked_for = posted.get(LOOKED_FOR)
    if looked_for is not None and matching.key(looked_for) != matching.key(
        form.cleaned_data["name"]
    ):
        picking = _picking(desk, form.cleaned_data)
        if picking:
            return picking
    try:
        with transaction.atomic():
            user = desk.request.user
            organisation = membership.found(form.save(commit=False), by=user, now=desk.now)
            if not Organisation.objects.led_by(user).contains(organisation):
                raise stakeholder_refusals.NotYours(organisation)
            draft = intake.begin(desk.event, organisation, by=user, now=desk.now)
            if frame.is_complete(draft):
                return redirect("registrations:people", draft.reference)
            return redirect(draft)
    except stakeholder_refusals.KnownHere as refused:
        form.add_error("name", str(refused))
        here["ask_url"], here["known"] = _asking(desk, refused.organisation), refused.organisation
    except stakeholder_refusals.Refusal as refused:
        form.add_error("name", str(refused))
    except refusals.Refusal as refused:
        here["refusal"] = str(refused)
    return here


def _like(typed: Context) -> list[Organisation]:
    return Organisation.objects.like(typed["name"], country=typed.get("country") or "")


def _asking(desk: Desk, organisation: Organisation) -> str:
    """Where one asks to join it, and comes back from."""
    onward = reverse("registrations:start", args=[desk.event.slug])
    page = reverse("stakeholders:ask", args=[organisation.pk])
    return f"{page}?{urlencode({'next': onward})}"
