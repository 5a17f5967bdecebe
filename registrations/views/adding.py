"""Several people come into a draft at once: pasted from a spreadsheet, or known from before."""

import hashlib
import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

import clock
from accounts import names
from accounts.models import User
from events import texts
from events.models import Event
from registrations import intake, pasting, refusals
from registrations.forms import ChoosePeopleForm, PasteForm, typed, unjudged
from registrations.models import Delegate, Registration
from registrations.views import drafts, frame
from stakeholders import matching
from stakeholders.models import Representative, RepresentativeQuerySet

TASK = "paste"
AT_ONCE = 50
SEARCHED_FROM = 20
"""More people than these can be searched."""
LONGEST_SEARCH = 100
MOST_WORDS = 8


@never_cache
@login_required
def paste(request: HttpRequest, reference: str) -> HttpResponse:
    """What is pasted is explained row by row; the second post adds what was explained."""
    own = frame.own(request, reference)
    now = clock.now()
    if not own.is_draft and request.method != "POST":
        return redirect(own)
    if frame.is_kept(request):
        return drafts.keep(request, own, TASK, PasteForm(request.POST))
    form = PasteForm(frame.posted(request), initial=own.typed(TASK, request.user))
    if form.is_bound:
        _keep(own, typed(form), request.user)
    text = form["rows"].value() or ""
    pasted = _pasted(own, form, text)
    if pasted and "add" in request.POST:
        if _added(request, own, form, pasted, now):
            return redirect(f"registrations:{'paste' if pasted.rest else 'people'}", own.reference)
        pasted = _explained(own, text)
    if pasted and form.is_bound:
        _say_what_is_wrong(form, pasted)
    context = frame.adding(own, request.user, now, form=form, pasted=pasted, text=text)
    context["seen"] = _mark(text)
    context["entry"] = frame.entry(request) or uuid.uuid4()
    return render(request, "registrations/paste.html", context)


def _keep(own: Registration, words: dict[str, Any], by: User) -> None:
    with suppress(refusals.SentAlready):
        intake.keep_typed(own, TASK, words, by=by)


def _pasted(own: Registration, form: PasteForm, text: str) -> pasting.Pasted | None:
    """What the rows say; nothing where they cannot be read, and the form says why."""
    if not (form.is_valid() if form.is_bound else text.strip()):
        return None
    try:
        return _explained(own, text)
    except refusals.Refusal as refused:
        if form.is_bound:
            form.add_error("rows", str(refused))
        return None


def _explained(own: Registration, text: str) -> pasting.Pasted:
    """And what would become of each row now."""
    pasted = pasting.read(text)
    ready = pasted.ready
    people = [row.person for row in ready if row.person]
    for row, reason in zip(ready, intake.why_not(own, people), strict=True):
        if isinstance(reason, refusals.ListedAlready):
            row.becomes = pasting.THERE
        elif reason:
            row.becomes, row.wrong = pasting.WRONG, [str(reason)]
    return pasted


def _added(
    request: HttpRequest,
    own: Registration,
    form: PasteForm,
    pasted: pasting.Pasted,
    now: datetime,
) -> bool:
    """Add what the page had explained. It is said alike, whether they come in now or came in when
    the same was sent before."""
    if request.POST.get("seen") != _mark(form.cleaned_data["rows"]):
        form.add_error("rows", _("The rows have changed. Look at them once more, then add them."))
        return False
    ready = pasted.ready
    people = [row.person for row in ready if row.person]
    try:
        with transaction.atomic():
            intake.add_people(own, people, by=request.user, now=now, entry=frame.entry(request))
            _keep(own, {"rows": pasted.rest} if pasted.rest else {}, request.user)
    except refusals.InRow as refused:
        form.add_error("rows", str(refusals.InRow(ready[refused.row - 1].line, refused.reason)))
        return False
    except refusals.Refusal as refused:
        form.add_error(None, str(refused))
        return False
    _say_how_many(request, len(ready) + len(pasted.there))
    return True


def _say_how_many(request: HttpRequest, people: int) -> None:
    sentence = ngettext(
        "%(n)s person is in your delegation.", "%(n)s people are in your delegation.", people
    )
    if people:
        messages.success(request, sentence % {"n": people})


def _say_what_is_wrong(form: PasteForm, pasted: pasting.Pasted) -> None:
    lines = [row.line for row in pasted.wrong]
    if lines:
        sentence = ngettext(
            "Row %(rows)s has to be mended. What to do stands beside it.",
            "Rows %(rows)s have to be mended. What to do stands beside each.",
            len(lines),
        )
        form.add_error("rows", sentence % {"rows": texts.listed(lines)})


def _mark(text: str) -> str:
    """By which rows are known to be those that were explained, whatever ends them."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()[:16]


@never_cache
@login_required
def choose(request: HttpRequest, reference: str) -> HttpResponse:
    """People whom the organisation has named before come again."""
    own = frame.own(request, reference)
    now = clock.now()
    if not own.is_draft and request.method != "POST":
        return redirect(own)
    asked = names.one_line(request.GET.get("q", ""))[:LONGEST_SEARCH]
    found = _with_last_event(_found(own, asked, request.user), request.user)
    page = Paginator(found, AT_ONCE).get_page(request.GET.get("page"))
    people = list(page.object_list)
    if request.method == "POST":
        people += _ticked(own, request, but=people)
    events = Event.objects.in_bulk([each.last_event for each in people])
    for each in people:
        each.last = events.get(each.last_event)
    form = ChoosePeopleForm(frame.posted(request), known=people)
    if frame.is_kept(request):
        form = unjudged(form)
    elif form.is_bound and form.is_valid() and _chosen(request, own, form, now):
        return redirect("registrations:people", own.reference)
    context = frame.adding(own, request.user, now, form=form, page=page, asked=asked)
    context["entry"] = frame.entry(request) or uuid.uuid4()
    context["can_search"] = bool(asked) or page.paginator.count > SEARCHED_FROM
    return render(request, "registrations/choose_people.html", context)


def _found(own: Registration, asked: str, user: User) -> RepresentativeQuerySet:
    """Those who can be chosen, with each word that is asked for in their name or address."""
    found = own.choosable_by(user)
    for word in matching.fold(asked).split()[:MOST_WORDS]:
        found = found.filter(Q(search_text__contains=word) | Q(email__icontains=word))
    return found.order_by("search_text", "pk")


def _with_last_event(people: RepresentativeQuerySet, user: User) -> RepresentativeQuerySet:
    """That this person knows of."""
    named = Delegate.objects.of(user).filter(representative=OuterRef("pk"))
    latest = named.order_by("-registration__event__starts_on", "pk")
    return people.annotate(last_event=Subquery(latest.values("registration__event")[:1]))


def _ticked(
    own: Registration, request: HttpRequest, but: list[Representative]
) -> list[Representative]:
    """Those too who are no longer on the page, because the same was sent before."""
    listed = {str(each.pk) for each in but}
    others = [pk for pk in request.POST.getlist("people") if pk not in listed and _is_id(pk)]
    if not others:
        return []
    known = own.known_to(request.user).filter(pk__in=others[:AT_ONCE])
    return list(_with_last_event(known, request.user).order_by("search_text", "pk"))


def _is_id(text: str) -> bool:
    with suppress(ValueError):
        return str(uuid.UUID(text)) == text
    return False


def _chosen(request: HttpRequest, own: Registration, form: ChoosePeopleForm, now: datetime) -> bool:
    chosen = form.chosen()
    there = set(own.delegates.values_list("representative", flat=True))
    new = [each for each in chosen if each.pk not in there]
    people = [form.person(each) for each in new]
    try:
        intake.add_people(own, people, by=request.user, now=now, entry=frame.entry(request))
    except refusals.InRow as refused:
        is_role = isinstance(refused.reason, refusals.TwoHeads)
        role = form.role_field(new[refused.row - 1])
        form.add_error(role if is_role else "people", str(refused.reason))
        return False
    except refusals.Refusal as refused:
        form.add_error(None, str(refused))
        return False
    _say_how_many(request, len(chosen))
    return True
