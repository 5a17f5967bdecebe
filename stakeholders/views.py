"""People, and the organisations that they speak for or work for.

What is not theirs does not exist. Focal points see who belongs to the organisation, with their
addresses, who has asked and who is invited; members see the names of their colleagues.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

import clock
from stakeholders import membership, refusals
from stakeholders.forms import AnswerForm, AskForm, FindForm, InviteForm, LikelyForm
from stakeholders.models import Membership, Organisation

Kind, State = Membership.Kind, Membership.State


def follows(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Links in old letters: an entry that was taken into another leads to that one, whoever
    belongs there or asks to."""

    @wraps(view)
    def opened(request: HttpRequest, pk: UUID, **rest: Any) -> HttpResponse:
        try:
            return view(request, pk, **rest)
        except Http404:
            kept = Organisation.everyone.filter(pk=pk).values_list("merged_into", flat=True).first()
            theirs = request.user.memberships.exclude(state=State.LEFT).filter(organisation=kept)
            if kept and (theirs.exists() or request.resolver_match.url_name == "ask"):
                return redirect(request.resolver_match.view_name, pk=kept, **rest)
            raise

    return opened


@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    all_of_mine = request.user.memberships.select_related("organisation", "user").order_by(
        "organisation__name", "pk"
    )
    context = {
        "active": list(all_of_mine.active()),
        "invited": list(all_of_mine.invited(now)),
        "asked": list(all_of_mine.asked(now)),
        "now": now,
    }
    return render(request, "stakeholders/mine.html", context)


@never_cache
@login_required
def find(request: HttpRequest) -> HttpResponse:
    """An organisation that is known here, to ask to join it."""
    form: Any = FindForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        likely = Organisation.objects.like(
            form.cleaned_data["name"], country=form.cleaned_data["country"]
        )
        picking = LikelyForm(
            request.POST if "pick" in request.POST else None, likely=likely, can_be_new=False
        )
        if "pick" in request.POST and picking.is_valid():
            return redirect("stakeholders:ask", picking.chosen.pk)
        if likely:
            context = {"form": picking, "looked_for": form.cleaned_data}
        else:
            context["nothing_like"] = form.cleaned_data["name"]
    return render(request, "stakeholders/find.html", context)


@never_cache
@login_required
@follows
def organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What is known of it, and who belongs to it. A focal point invites people here."""
    own = _own(request, pk)
    now = clock.now()
    form = InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        _check_leads(own)
        if form.is_valid() and _invited(request, own, form):
            return redirect(request.path)
    context = {"own": own, "organisation": own.organisation, "form": form, "now": now}
    return render(request, "stakeholders/organisation.html", context | _people_of(own, now))


def _people_of(own: Membership, now: Any) -> dict[str, Any]:
    everybody = own.organisation.memberships.select_related("user")
    people = list(everybody.active().order_by("kind", "user__name", "user__email"))
    if not own.is_focal_point:
        return {"people": people}
    by_date = everybody.order_by("since", "pk")
    return {
        "people": people,
        "asked": list(by_date.asked(now)),
        "invited": list(by_date.invited(now)),
        "is_alone": sum(person.kind == Kind.FOCAL_POINT for person in people) == 1,
    }


def _invited(request: HttpRequest, own: Membership, form: InviteForm) -> bool:
    """The answer is the same whether the address is known here or not."""
    email = form.cleaned_data["email"]
    try:
        membership.invite(
            own.organisation,
            email=email,
            kind=form.cleaned_data["kind"],
            by=request.user,
            now=clock.now(),
        )
    except refusals.Refusal as refused:
        form.add_error("email", str(refused))
        return False
    messages.success(
        request,
        _("%(address)s is invited. The invitation holds for %(days)s days.")
        % {"address": email, "days": Membership.LAPSES_AFTER.days},
    )
    return True


@never_cache
@login_required
@follows
def ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask to join: who answers and until when is said before, and nobody is named."""
    found = get_object_or_404(Organisation, pk=pk)
    onward = _onward(request)
    if Organisation.objects.spoken_for_by(request.user).contains(found):
        return redirect(onward or _page_of(found))
    now = clock.now()
    if request.user.memberships.asked(now).filter(organisation=found).exists():
        messages.info(request, _("You have asked already. You get a letter with the answer."))
        return redirect("stakeholders:mine")
    form = AskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = membership.ask(found, note=form.cleaned_data["note"], by=request.user, now=now)
        except refusals.Refusal as refused:
            form.add_error(None, str(refused))
        else:
            return _asked(request, asked, onward)
    due = Membership(user=request.user, organisation=found, since=now)
    context = {
        "organisation": found,
        "form": form,
        "onward": onward,
        "due": due,
        "has_focal_point": found.memberships.of_focal_points().exists(),
        "is_unclaimed": found.is_unclaimed,
    }
    return render(request, "stakeholders/ask.html", context)


def _page_of(organisation: Organisation) -> str:
    return reverse("stakeholders:organisation", args=[organisation.pk])


def _onward(request: HttpRequest) -> str:
    """Where this person came from, if it is one of our own pages."""
    told = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        told, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return told if is_ours else ""


def _asked(request: HttpRequest, asked: Membership, onward: str) -> HttpResponse:
    names = {"organisation": asked.organisation}
    if asked.state == State.ACTIVE:
        messages.success(request, _("You belong to “%(organisation)s” now.") % names)
        return redirect(onward or _page_of(asked.organisation))
    messages.success(
        request,
        _("You have asked to join “%(organisation)s”. You get a letter with the answer.") % names,
    )
    return redirect("stakeholders:mine")


@require_POST
@login_required
def invitation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Accept it, or decline it."""
    invited = get_object_or_404(
        request.user.memberships.filter(state__in=[State.INVITED, State.ACTIVE]), organisation=pk
    )
    is_yes = request.POST.get("answer") == "yes"
    act = membership.accept if is_yes else membership.decline
    try:
        act(invited, by=request.user, now=clock.now())
    except refusals.Refusal as refused:
        messages.error(request, str(refused))
        return redirect("stakeholders:mine")
    if is_yes:
        return redirect("stakeholders:organisation", pk)
    messages.success(request, _("You have declined the invitation."))
    return redirect("stakeholders:mine")


@never_cache
@login_required
def leave(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leave, or take back one's request."""
    own = get_object_or_404(
        request.user.memberships.select_related("organisation", "user").filter(
            state__in=[State.ACTIVE, State.ASKED]
        ),
        organisation=pk,
    )
    refusal = ""
    if request.method == "POST":
        try:
            membership.leave(own, by=request.user, now=clock.now())
        except refusals.Refusal as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("Done. You can be invited again at any time."))
            return redirect("stakeholders:mine")
    context = {"own": own, "organisation": own.organisation, "refusal": refusal}
    return render(request, "stakeholders/leave.html", context)


@never_cache
@login_required
@follows
def answer(request: HttpRequest, pk: UUID, person: UUID) -> HttpResponse:
    """A focal point answers a request to join."""
    own = _own(request, pk)
    _check_leads(own)
    asked = _person_of(own, person)
    if asked.state == State.INVITED:
        raise Http404
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if asked.state != State.ASKED:
        messages.info(request, str(refusals.AnsweredAlready(asked)))
        return redirect("stakeholders:organisation", pk)
    if request.method == "POST" and form.is_valid():
        try:
            said = _answered(request, asked, form.cleaned_data)
        except refusals.Refusal as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, said)
            return redirect("stakeholders:organisation", pk)
    context = {"own": own, "organisation": own.organisation, "asked": asked, "form": form}
    return render(request, "stakeholders/answer.html", context)


def _answered(request: HttpRequest, asked: Membership, typed: dict[str, Any]) -> str:
    now = clock.now()
    if typed["answer"] == AnswerForm.NO:
        membership.refuse_to_join(asked, reason=typed["reason"], by=request.user, now=now)
        return _("%(person)s is not let in, and is told so.") % {"person": asked.user}
    membership.agree(asked, kind=typed["answer"], by=request.user, now=now)
    return _("%(person)s belongs to “%(organisation)s” now.") % {
        "person": asked.user,
        "organisation": asked.organisation,
    }


@dataclass(frozen=True)
class Change:
    """What a focal point can do about somebody: the question, and the verb."""

    title: str | Promise
    lead: str | Promise
    button: str | Promise
    act: Callable[[Membership, HttpRequest], None]
    states: tuple[str, ...] = (State.ACTIVE,)


CHANGES = {
    "remove": Change(
        gettext_lazy("Remove %(person)s?"),
        gettext_lazy(
            "Access to the delegations of your organisation ends at once. We write to the person."
        ),
        gettext_lazy("Yes, remove"),
        lambda person, request: membership.remove(person, by=request.user, now=clock.now()),
    ),
    "take-back": Change(
        gettext_lazy("Take back the invitation of %(person)s?"),
        gettext_lazy("It cannot be accepted any more. Nobody is written to."),
        gettext_lazy("Yes, take it back"),
        lambda person, request: membership.remove(person, by=request.user, now=clock.now()),
        (State.INVITED,),
    ),
    "focal-point": Change(
        gettext_lazy("Make %(person)s a focal point?"),
        gettext_lazy(
            "A focal point may do all that you may. We write to the person, and to other focal "
            "points."
        ),
        gettext_lazy("Yes, make a focal point"),
        lambda person, request: membership.make_focal_point(
            person, by=request.user, now=clock.now()
        ),
    ),
    "member": Change(
        gettext_lazy("Make %(person)s a member?"),
        gettext_lazy(
            "A member works on the delegations that a focal point puts them on, and sees no "
            "others. We write to the person."
        ),
        gettext_lazy("Yes, make a member"),
        lambda person, request: membership.make_member(person, by=request.user, now=clock.now()),
    ),
    "hand-over": Change(
        gettext_lazy("Hand over to %(person)s?"),
        gettext_lazy(
            "This person becomes focal point and you become a member: you then see only the "
            "delegations that you are put on. We write to the person, and to other focal points."
        ),
        gettext_lazy("Yes, hand over"),
        lambda person, request: membership.hand_over(
            person.organisation, to=person, by=request.user, now=clock.now()
        ),
    ),
}


@never_cache
@login_required
def change(request: HttpRequest, pk: UUID, person: UUID, change: str) -> HttpResponse:
    """Are you sure? And then the verb."""
    own = _own(request, pk)
    _check_leads(own)
    if change not in CHANGES:
        raise Http404
    asked, there = CHANGES[change], _person_of(own, person)
    if there.pk == own.pk or there.state not in asked.states:
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            asked.act(there, request)
        except refusals.Refusal as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("Done."))
            return redirect("stakeholders:organisation", pk)
    is_invited = there.state == State.INVITED
    context = {
        "own": own,
        "organisation": own.organisation,
        "title": str(asked.title)
        % {"person": there.user.email.lower() if is_invited else there.user},
        "lead": asked.lead,
        "button": asked.button,
        "refusal": refusal,
    }
    return render(request, "stakeholders/change.html", context)


def _own(request: HttpRequest, pk: UUID) -> Membership:
    """This person's own place in the organisation."""
    return get_object_or_404(
        Membership.objects.active().select_related("organisation", "user"),
        user=request.user,
        organisation=pk,
    )


def _check_leads(own: Membership) -> None:
    if not own.is_focal_point:
        raise Http404


def _person_of(own: Membership, pk: UUID) -> Membership:
    others = own.organisation.memberships.exclude(state=State.LEFT)
    return get_object_or_404(others.select_related("user", "organisation"), pk=pk)
