"""How many may come: the numbers beside what is given, left and waited for."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import clock
from events import capacity, refusals, texts
from events.admin import pages
from events.admin.events import EventAdmin
from events.forms import SeatsForm
from events.models import Event, Quota
from registrations import waiting
from registrations.admin import counting
from registrations.models import AWAITS_DECISION, Delegate

MOST_NAMED = 5


def page(admin: EventAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """Asks for the numbers, shows what they would do, and sets them when that was seen. Whoever
    may not change the event only reads them."""
    may_set = admin.has_change_permission(request, event)
    if request.method == "POST" and not may_set:
        raise PermissionDenied
    seen = mark(event)
    form = SeatsForm(request.POST if "confirm" in request.POST else None, event=event)
    for field in form.fields.values():
        field.disabled = not may_set
    typed, preview = "", {}
    if form.is_bound and form.is_valid():
        typed = pages.digest(form.cleaned_data)
        if request.POST.get("seen") != seen:
            form.add_error(None, changed_meanwhile(form))
        elif request.POST.get("previewed") == typed:
            if change(request, event, form, seen):
                messages.success(request, _("The seats of “%(event)s” are set.") % {"event": event})
                return redirect(admin.page_url("seats", event))
            seen = mark(event)
        else:
            preview = rehearsed(request, event, form)
    return pages.show(
        admin,
        request,
        title=_("Seats of “%(event)s”") % {"event": event},
        lead=_(
            "Nobody ever loses a seat by a lower number: nobody new gets one until enough are "
            "free. What comes free goes to the first on the waiting list who fits."
        ),
        submit_label=submit_label(may_set, bool(preview)),
        hidden=[("seen", seen), ("previewed", typed if preview else "")],
        form=form,
        back=admin.change_url(event),
        template="admin/events/event/seats.html",
        groups=groups(form, event),
        names_url=admin.change_url(event),
        **preview,
    )


def submit_label(may_set: bool, is_previewed: bool) -> str:
    if not may_set:
        return ""
    return _("Set the seats") if is_previewed else _("Show what will happen")


def mark(event: Event) -> str:
    """Another one as soon as somebody changes a number."""
    own = Event.objects.values_list("admission", "seats", "cap").get(pk=event.pk)
    segments = event.segments.order_by("pk").values_list("pk", "seats")
    quotas = event.quotas.order_by("category", "region", "track")
    return pages.digest(
        [own, list(segments), list(quotas.values_list("category", "region", "track", "seats"))]
    )


def changed_meanwhile(form: SeatsForm) -> str:
    """What a colleague has set: the values now, where they are not what is typed here."""
    said = [
        f"{field.label}: {_value(form, name)}"
        for name, field in form.fields.items()
        if form.cleaned_data.get(name) != (form.initial.get(name))
    ]
    return _(
        "A colleague has changed the seats meanwhile. Nothing of yours is set. Now it is: "
        "%(values)s. Look at your numbers again."
    ) % {"values": texts.listed_apart(said) or _("as you have typed it")}


def _value(form: SeatsForm, name: str) -> str:
    value = form.initial.get(name)
    if name == "admission":
        return str(Event.Admission(value).label)
    return _("no limit") if value is None else str(value)


def change(request: HttpRequest, event: Event, form: SeatsForm, seen: str) -> bool:
    """Whether the numbers were set. Who comes second is refused, and told what stands now."""
    try:
        with transaction.atomic():
            held = capacity.hold(event)
            if mark(held) != seen:
                fresh = SeatsForm(event=held)
                form.initial = fresh.initial
                form.add_error(None, changed_meanwhile(form))
                return False
            set_numbers(request, held, form)
    except refusals.Refusal as refused:
        form.add_error(None, str(refused))
        return False
    return True


def set_numbers(request: HttpRequest, event: Event, form: SeatsForm) -> None:
    capacity.change(
        event,
        admission=form.cleaned_data["admission"],
        seats=form.cleaned_data["seats"],
        cap=form.cleaned_data["cap"],
        segments=form.typed_segments(),
        quotas=[
            capacity.Share(quota.seats, quota.category, quota.region, quota.track)
            for quota in form.typed_quotas()
        ],
        by=request.user,
        now=clock.now(),
    )


def rehearsed(request: HttpRequest, event: Event, form: SeatsForm) -> dict[str, Any]:
    """What the numbers do: set, the free seats given, looked at, and put back."""
    before = (event.admission, event.cap)
    try:
        with transaction.atomic():
            held = capacity.hold(event)
            set_numbers(request, held, form)
            stands = counting.Stand(held)
            told = list(preview(stands, before))
            told += moved_up(stands, waiting.fill(held, now=clock.now()))
            transaction.set_rollback(True)
    except refusals.Refusal as refused:
        form.add_error(None, str(refused))
        return {}
    return {"people": told, "people_title": _("What will happen")}


def preview(stands: counting.Stand, before: tuple[str, int | None]) -> Iterable[str]:
    event = stands.event
    for count in stands.limits():
        if count.limit is not None and count.given > count.limit:
            yield over(count)
    if event.cap is not None and event.cap != before[1]:
        yield from over_cap(stands)
    if event.admission != before[0]:
        yield admission(event)


def over(count: counting.Standing) -> str:
    free = count.given - (count.limit or 0) + 1
    limit = count.limit or 0
    return ngettext(
        "“%(whose)s”: %(given)s are seated, %(limit)s seat: nobody loses a seat, nobody new gets "
        "one until %(free)s are free.",
        "“%(whose)s”: %(given)s are seated, %(limit)s seats: nobody loses a seat, nobody new gets "
        "one until %(free)s are free.",
        limit,
    ) % {"whose": count.words, "given": count.given, "limit": limit, "free": free}


def over_cap(stands: counting.Stand) -> Iterable[str]:
    cap = stands.event.cap or 0
    groups = stands.groups_over(cap)
    if groups:
        yield ngettext(
            "%(n)s group has more seats than the cap of %(cap)s: it keeps them and gets no more.",
            "%(n)s groups have more seats than the cap of %(cap)s: they keep them and get no more.",
            groups,
        ) % {"n": groups, "cap": cap}


def admission(event: Event) -> str:
    wait = Delegate.objects.filter(
        registration__event=event, state__in=AWAITS_DECISION, registration__sent_at__isnull=False
    ).count()
    if not event.is_first_come:
        return _("Who registers from now on waits for your decision.")
    told = _("Who registers from now on gets a seat at once, or a place on the waiting list.")
    if not wait:
        return told
    return f"{told} " + ngettext(
        "%(n)s person who registered before still waits for your decision.",
        "%(n)s people who registered before still wait for your decision.",
        wait,
    ) % {"n": wait}


def moved_up(stands: counting.Stand, people: list[Delegate]) -> list[str]:
    wait = stands.of_event().waiting
    if not people:
        return [_("Nobody on the waiting list gets a seat by this.")] if wait else [_nothing()]
    said = ngettext(
        "%(n)s person on the waiting list would get a seat within a minute",
        "%(n)s people on the waiting list would get a seat within a minute",
        len(people),
    ) % {"n": len(people)}
    names = texts.listed(people[:MOST_NAMED])
    if len(people) > MOST_NAMED:
        names = _("%(names)s and %(n)s more") % {"names": names, "n": len(people) - MOST_NAMED}
    return [f"{said}: {names}."]


def _nothing() -> str:
    return _("Nobody waits for a seat.")


def groups(form: SeatsForm, event: Event) -> list[tuple[str, list[dict[str, Any]]]]:
    """The fields with what stands now beside them, sort by sort."""
    stands = counting.Stand(event)

    def sort(names: Iterable[str]) -> list[dict[str, Any]]:
        rows = []
        for name in names:
            quota = form.sorts[name]
            limit = Quota(**{**_sort(quota), "seats": form.initial.get(name)})
            rows.append({"field": form[name], "stand": stands.of_quota(limit)})
        return rows

    return [
        (
            _("The whole event"),
            [{"field": form["seats"], "stand": stands.of_event()}, {"field": form["cap"]}],
        ),
        (
            _("Its parts"),
            [
                {"field": form[name], "stand": stands.of_segment(segment)}
                for name, segment in form.segments.items()
            ],
        ),
        (_("Stakeholder groups"), sort(form.categories)),
        (_("Regions"), sort(form.regions)),
        (_("Tracks"), sort(form.tracks)),
    ]


def _sort(quota: Quota) -> dict[str, Any]:
    return {"category": quota.category, "region": quota.region, "track": quota.track}
