"""When people are reminded of a deadline: looked at before, and read as they will be."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import clock
from events import refusals, steps
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin
from events.forms import StepForm
from events.models import Deadline, ReminderStep
from registrations import reminders
from registrations.admin import readers, samples

BESIDE: dict[type[Exception], str] = {
    refusals.StepOutOfReach: "amount",
    refusals.StepExists: "amount",
    refusals.NobodyToRemind: "audience",
}


class RemoveStepForm(forms.Form):
    step = forms.ModelChoiceField(
        label=gettext_lazy("Which reminder"),
        queryset=ReminderStep.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose one."),
            "invalid_choice": gettext_lazy("It has been removed already. Choose another one."),
        },
    )

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["step"]
        field.queryset = deadline.steps.order_by("unit", "-amount", "audience")
        field.label_from_instance = said


def said(step: ReminderStep) -> str:
    """“14 days before, everybody concerned”"""
    return _("%(step)s before: %(audience)s") % {
        "step": step,
        "audience": step.get_audience_display(),
    }


def foretold(told: reminders.Foretold, deadline: Deadline) -> str:
    """“24 hours before: Tuesday …; to 2 focal points with an unsent draft as of now”"""
    if told.is_past:
        return _("%(step)s before: past, nobody is reminded") % {"step": told.step}
    if told.is_skipped:
        return _("%(step)s before: skipped, nobody is reminded") % {"step": told.step}
    return _("%(step)s before: %(moment)s; to %(readers)s as of now") % {
        "step": told.step,
        "moment": timeline.said(told.moment, deadline.zone),
        "readers": readers.said(told.readers),
    }


def has_readers(deadline: Deadline) -> bool:
    """Whether anybody can be reminded of deadlines of this kind."""
    return Deadline.Kind(deadline.kind) in steps.AUDIENCES


def add(of: ScopedAdmin, request: HttpRequest, deadline: Deadline) -> HttpResponse:
    """Asks how long before and whom, shows when and what that sends, and adds it when seen."""
    if not has_readers(deadline):
        raise Http404
    form = StepForm(
        request.POST if "confirm" in request.POST else None,
        audiences=samples.audiences_of(deadline),
    )
    frame: dict[str, Any] = {
        "title": _("Add a reminder of “%(deadline)s”") % {"deadline": deadline},
        "lead": _(
            "Everybody gets one letter per reminder, whatever the reason. Nobody is reminded of "
            "a moment that is past."
        ),
        "form": form,
        "back": of.change_url(deadline),
        "template": "admin/events/deadline/step.html",
    }
    typed = pages.digest(form.cleaned_data) if form.is_bound and form.is_valid() else ""
    if typed and request.POST.get("previewed") == typed:

        def act(data: dict) -> str:
            step = steps.add(deadline, **data, by=request.user, now=clock.now())
            return _("The reminder is added. %(step)s.") % {"step": said(step)}

        return pages.ask(
            of,
            request,
            submit_label=_("Add the reminder"),
            hidden=[("previewed", typed)],
            beside=BESIDE,
            act=act,
            **frame,
        )
    preview = rehearsed(request, deadline, form, now=clock.now()) if typed else {}
    return pages.show(
        of,
        request,
        submit_label=_("Add the reminder") if preview else _("Show what will happen"),
        hidden=[("previewed", typed if preview else "")],
        **frame,
        **preview,
    )


def rehearsed(
    request: HttpRequest, deadline: Deadline, form: StepForm, *, now: datetime
) -> dict[str, Any]:
    """What the step would send, and when: added, looked at, and put back."""
    try:
        with transaction.atomic():
            step = steps.add(deadline, **form.cleaned_data, by=request.user, now=now)
            told = next(
                one for one in reminders.foretell(deadline, now=now) if one.step.pk == step.pk
            )
            transaction.set_rollback(True)
    except refusals.Refusal as refused:
        form.add_error(BESIDE.get(type(refused)), str(refused))
        return {}
    languages = dict.fromkeys([settings.LANGUAGE_CODE, request.user.language])
    return {
        "people": [foretold(told, deadline)],
        "people_title": _("What it sends, and when"),
        "samples": samples.of(deadline, step.audience, languages, now=now),
    }


def remove(of: ScopedAdmin, request: HttpRequest, deadline: Deadline) -> HttpResponse:
    """Names what each reminder would still send; then takes one away."""
    if not has_readers(deadline):
        raise Http404

    def act(data: dict) -> str:
        step = data["step"]
        words = said(step)
        steps.remove(step, by=request.user, now=clock.now())
        return _("The reminder is removed. %(step)s.") % {"step": words}

    told = reminders.foretell(deadline, now=clock.now())
    return pages.ask(
        of,
        request,
        title=_("Remove a reminder of “%(deadline)s”") % {"deadline": deadline},
        lead=_("Letters of it that have not left are taken back. Those that were sent stay sent."),
        people=[foretold(one, deadline) for one in told],
        people_title=_("What they would send, and when"),
        form=RemoveStepForm(
            request.POST or None,
            deadline=deadline,
            initial={"step": request.GET.get("step")},
        ),
        submit_label=_("Remove the reminder"),
        is_danger=True,
        back=of.change_url(deadline),
        act=act,
    )


def letters(of: ScopedAdmin, request: HttpRequest, deadline: Deadline) -> HttpResponse:
    """The letters themselves, one for each audience and each language."""
    if not has_readers(deadline):
        raise Http404
    everybody = ReminderStep.Audience.EVERYBODY
    return pages.show(
        of,
        request,
        title=_("How the reminders of “%(deadline)s” read") % {"deadline": deadline},
        lead=_("With an invented reader. Nothing is sent from here."),
        submit_label="",
        back=of.change_url(deadline),
        form=forms.Form(),
        template="admin/events/deadline/step.html",
        samples=samples.of(deadline, everybody, dict(settings.CONTENT_LANGUAGES), now=clock.now()),
    )
