from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

import clock
from events import texts
from events.models import Deadline, Event, StakeholderGroup
from pages import cache
from pages.forms import CheckForm, Choices, Status
from pages.views.event import can_come_to, follow_url, seated, seats

STATUS_WORDS = ("ecosoc", "accredit")
CAN, BUT, ASK, NOT_FOR = "can", "but", "ask", "not_for"


def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether a group can register, in a minute: nothing is asked that is kept."""
    now = clock.now()
    found = get_object_or_404(
        Event.objects.public()
        .select_related("process")
        .annotate(seated=seated())
        .prefetch_related("deadlines", "deadlines__changes"),
        slug=slug,
    )
    groups, tracks = _groups(found), _tracks(found)
    form = CheckForm(
        request.GET or None, groups=groups, tracks=tracks, names_status=_names_status(found)
    )
    context: dict[str, Any] = {
        "now": now,
        "event": found,
        "deadline": found.registration_deadline,
        "can_come": can_come_to(found, now),
        "form": form,
        "follow_url": follow_url(found, now),
        "seats": seats(found, now),
    }
    if context["can_come"] and form.is_bound and form.is_valid():
        context |= _answer(found, form.cleaned_data, groups, tracks, now)
        deadline = found.registration_deadline
        if deadline and deadline.is_open(now):
            context["register_url"] = reverse("registrations:start", args=[slug])
    response = render(request, "pages/check.html", context)
    cache.for_everybody(response, now, found.deadlines.all())
    return response


def _groups(found: Event) -> Choices:
    """As the form of registration names them."""
    named = found.process.categories.order_by("position", "code")
    return [(each.code, each.name) for each in named] or list(StakeholderGroup.choices)


def _tracks(found: Event) -> Choices:
    named = found.tracks.order_by("position", "name_en")
    return [(str(track.pk), str(track)) for track in named]


def _names_status(found: Event) -> bool:
    """The organisers have written of status with ECOSOC, or of accreditation."""
    return any(word in found.eligibility_en.lower() for word in STATUS_WORDS)


def _answer(
    found: Event, said: dict[str, str], groups: Choices, tracks: Choices, now: datetime
) -> dict[str, Any]:
    """What the portal knows for sure, and where only the organisers do."""
    for name, choices in (("group", groups), ("track", tracks)):
        if said.get(name) == CheckForm.NONE:
            return {"verdict": NOT_FOR, "for_whom": [label for _value, label in choices]}
    status = said.get("status")
    reasons = []
    if status in (Status.ECOSOC, Status.ACCREDITED):
        reasons.append(_("The organisers have written about this status, and your group has one."))
    elif status == Status.NEITHER:
        reasons.append(_("The organisers have written about this status, and your group has none."))
    elif status == Status.UNKNOWN:
        reasons.append(
            _("The organisers have written about this status. Find out how your group stands.")
        )
    if said.get("track") == CheckForm.UNKNOWN:
        reasons.append(_("You have to say how your group takes part when you register."))
    is_unsure = status in (Status.NEITHER, Status.UNKNOWN) or said.get("track") == CheckForm.UNKNOWN
    has_condition = bool(texts.text_and_language(found, "eligibility")[0])
    is_full = bool((seats(found, now) or {}).get("is_full"))
    return {
        "verdict": ASK if is_unsure else BUT if has_condition or is_full else CAN,
        "reasons": reasons,
        "accreditations": _accreditations(found, now) if status == Status.NEITHER else [],
    }


def _accreditations(found: Event, now: datetime) -> Iterable[Deadline]:
    """Where a group can still be accredited to this process."""
    return (
        Deadline.objects.of_shown_events()
        .filter(event__process=found.process, kind=Deadline.Kind.ACCREDITATION, closes_at__gt=now)
        .select_related("event")
        .order_by("closes_at")
    )
