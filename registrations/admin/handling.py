"""What organisers tell each other about delegations: notes, who looks after one, tags."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

import clock
from accounts.forms import NameField
from accounts.models import User
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin
from events.models import Event
from registrations import assigning, notes, refusals, tagging
from registrations.admin import deciding
from registrations.models import Registration, Tag
from registrations.models.notes import LONGEST_NOTE, LONGEST_WORD

BETWEEN_TAGS = re.compile("[,،，、;؛；]")
ON, OFF = "on", "off"


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=LONGEST_NOTE,
        help_text=gettext_lazy("The organisers of the event read it. The group never does."),
        error_messages={"required": deciding.sentence(refusals.NoteMissing)},
    )


class AssignForm(forms.Form):
    to = forms.ModelChoiceField(
        label=gettext_lazy("Who looks after it"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody"),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the list.")},
    )

    def __init__(self, data: Any, registrations: Iterable[Registration], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["to"].queryset = assigning.possible(*events_of(registrations))


class TagsForm(forms.Form):
    """The words of these events, and new ones. `chosen` is what of both was named."""

    tags = forms.MultipleChoiceField(
        label=gettext_lazy("Tags of the event"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("%(value)s is no longer among the tags.")},
    )
    new = NameField(
        label=gettext_lazy("New tags"),
        required=False,
        max_length=tagging.MOST_ON_ONE * (LONGEST_WORD + 2),
        help_text=gettext_lazy("Short words, with commas between them. The group never sees them."),
    )

    def __init__(self, data: Any, registrations: Iterable[Registration], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        words = Tag.objects.filter(event__in=events_of(registrations)).in_order()
        self.offered = list(dict.fromkeys(tag.word for tag in words))
        if self.offered:
            self.fields["tags"].choices = [(word, word) for word in self.offered]
        else:
            del self.fields["tags"]

    def clean_new(self) -> list[str]:
        """Each by itself, and none of them too long."""
        parts = (part.strip() for part in BETWEEN_TAGS.split(self.cleaned_data["new"]))
        words = list(dict.fromkeys(part for part in parts if part))
        for word in words:
            if len(word) > LONGEST_WORD:
                raise forms.ValidationError(str(refusals.TagTooLong(word, LONGEST_WORD)))
        return words

    @property
    def chosen(self) -> list[str]:
        return [*self.cleaned_data.get("tags", []), *self.cleaned_data["new"]]


class ManyTagsForm(TagsForm):
    how = forms.ChoiceField(
        label=gettext_lazy("What to do with them"),
        widget=forms.RadioSelect,
        choices=[(ON, gettext_lazy("Put them on")), (OFF, gettext_lazy("Take them off"))],
        initial=ON,
    )

    def clean(self) -> None:
        if not self.errors and not self.chosen:
            self.add_error("new", _("Choose a tag, or write one."))


def events_of(registrations: Iterable[Registration]) -> list[Event]:
    return list({one.event_id: one.event for one in registrations}.values())


# One delegation


def of(admin: ScopedAdmin, request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """What its page says."""
    zone = registration.event.zone
    return {
        "handling_links": admin.links(
            request,
            registration,
            [(_("Write a note"), "note"), (_("Assign"), "assign"), (_("Change the tags"), "tags")],
        ),
        "assigned_to": registration.assigned_to,
        "tags": registration.tags.in_order(),
        "notes": [
            {
                "note": note,
                "said": timeline.said(note.at, zone),
                "remove_url": removal_url(admin, registration, note.pk)
                if note.by == request.user
                else "",
            }
            for note in registration.notes.select_related("by").order_by("-at", "id")
        ],
    }


def removal_url(admin: ScopedAdmin, registration: Registration, note: UUID) -> str:
    return reverse(f"admin:{admin.page_name('remove_note')}", args=[registration.pk, note])


def write_note(
    admin: ScopedAdmin, request: HttpRequest, registration: Registration
) -> HttpResponse:
    def act(typed: dict[str, Any]) -> str:
        notes.write(registration, typed["text"], by=request.user, now=clock.now())
        return _("The note is written.")

    return pages.ask(
        admin,
        request,
        title=_("Write a note about “%(delegation)s”") % {"delegation": registration},
        form=NoteForm(request.POST if "confirm" in request.POST else None),
        submit_label=_("Write the note"),
        back=admin.change_url(registration),
        act=act,
        refused_by=refusals.Refusal,
    )


def remove_note(
    admin: ScopedAdmin, request: HttpRequest, registration: Registration, pk: UUID
) -> HttpResponse:
    note = get_object_or_404(registration.notes.filter(by=request.user), pk=pk)

    def act(_typed: dict[str, Any]) -> str:
        notes.remove(note, by=request.user, now=clock.now())
        return _("The note is removed.")

    return pages.ask(
        admin,
        request,
        title=_("Remove a note about “%(delegation)s”") % {"delegation": registration},
        lead=_("The history keeps that there was one, not what it said."),
        people=[note.text],
        people_title=_("Your note"),
        submit_label=_("Remove"),
        is_danger=True,
        back=admin.change_url(registration),
        act=act,
        refused_by=refusals.Refusal,
    )


def assign(admin: ScopedAdmin, request: HttpRequest, registration: Registration) -> HttpResponse:
    def act(typed: dict[str, Any]) -> str:
        assigning.assign(registration, to=typed["to"], by=request.user, now=clock.now())
        if typed["to"] is None:
            return _("Nobody looks after the delegation now.")
        return _("%(organiser)s looks after the delegation now.") % {"organiser": typed["to"]}

    return pages.ask(
        admin,
        request,
        title=_("Assign “%(delegation)s”") % {"delegation": registration},
        lead=_("As of now: %(organiser)s. The group is not told.")
        % {"organiser": registration.assigned_to or _("nobody")},
        form=AssignForm(
            request.POST if "confirm" in request.POST else None,
            [registration],
            initial={"to": registration.assigned_to_id},
        ),
        submit_label=_("Assign"),
        back=admin.change_url(registration),
        act=act,
        refused_by=refusals.Refusal,
        beside={refusals.AssignedAlready: "to", refusals.CannotLookAfter: "to"},
    )


def tag(admin: ScopedAdmin, request: HttpRequest, registration: Registration) -> HttpResponse:
    form = TagsForm(
        request.POST if "confirm" in request.POST else None,
        [registration],
        initial={"tags": [tag.word for tag in registration.tags.all()]},
    )

    def act(_typed: dict[str, Any]) -> str:
        off = [word for word in form.offered if word not in form.chosen]
        tagging.change(registration, on=form.chosen, off=off, by=request.user, now=clock.now())
        return _("The tags are changed.")

    return pages.ask(
        admin,
        request,
        title=_("Tags of “%(delegation)s”") % {"delegation": registration},
        form=form,
        submit_label=_("Change the tags"),
        back=admin.change_url(registration),
        act=act,
        refused_by=refusals.Refusal,
    )


# Many delegations


@dataclass(frozen=True)
class Handling:
    """Something that is done with each of several delegations; `as_it_is` is how the verb says
    that one of them needs it not."""

    word: str
    title: Any
    submit_label: Any
    form: Callable[[Any, list[Registration]], forms.Form]
    act: Callable[[Registration, forms.Form, User, datetime], None]
    done: Any
    as_it_is: type[refusals.Refusal]


def _assign_one(registration: Registration, form: forms.Form, by: User, now: datetime) -> None:
    assigning.assign(registration, to=form.cleaned_data["to"], by=by, now=now)


def _tag_one(registration: Registration, form: forms.Form, by: User, now: datetime) -> None:
    assert isinstance(form, ManyTagsForm)
    words = {form.cleaned_data["how"]: form.chosen}
    tagging.change(registration, on=words.get(ON, []), off=words.get(OFF, []), by=by, now=now)


ASSIGN = Handling(
    "assign",
    gettext_lazy("Assign delegations"),
    gettext_lazy("Assign"),
    AssignForm,
    _assign_one,
    ngettext_lazy("%(n)s delegation is assigned.", "%(n)s delegations are assigned.", "n"),
    refusals.AssignedAlready,
)
TAG = Handling(
    "tag",
    gettext_lazy("Tag delegations"),
    gettext_lazy("Change the tags"),
    ManyTagsForm,
    _tag_one,
    ngettext_lazy(
        "The tags of %(n)s delegation are changed.",
        "The tags of %(n)s delegations are changed.",
        "n",
    ),
    refusals.TaggedAlready,
)
ALL = [ASSIGN, TAG]


def choose(
    admin: ModelAdmin, request: HttpRequest, handling: Handling, people: QuerySet, *, back: str
) -> HttpResponse:
    """Name the delegations of these people and ask what; once that is confirmed, one after the
    other. Where none could be changed, the page comes again with why, and with what was typed."""
    most = deciding.MOST_AT_ONCE
    delegates = list(people.order_by("registration__reference", "position")[: most + 1])
    if not delegates:
        return deciding.turn_away(request, back=back)
    if len(delegates) > most:
        messages.error(request, _("At most %(n)s people can be chosen in one step.") % {"n": most})
        return redirect(back)
    delegations = list({one.registration_id: one.registration for one in delegates}.values())
    form = handling.form(request.POST if "confirm" in request.POST else None, delegations)
    if form.is_bound and form.is_valid():
        changed, refused = handle(request, handling, delegations, form)
        if changed or not refused:
            for sentence in refused:
                messages.error(request, sentence)
            messages.success(request, handling.done % {"n": changed})
            return redirect(back)
        for sentence in refused:
            form.add_error(None, sentence)
    return pages.show(
        admin,
        request,
        title=str(handling.title),
        submit_label=handling.submit_label,
        people=[str(registration) for registration in delegations],
        people_title=ngettext(
            "This concerns %(n)s delegation", "This concerns %(n)s delegations", len(delegations)
        )
        % {"n": len(delegations)},
        form=form,
        back=back,
        action_name=handling.word,
        hidden=[deciding.in_one_field(delegates)],
    )


def handle(
    request: HttpRequest, handling: Handling, delegations: list[Registration], form: forms.Form
) -> tuple[int, list[str]]:
    """How many were changed, and what was refused; those that are so already are neither."""
    changed, refused, now = 0, [], clock.now()
    for registration in delegations:
        try:
            handling.act(registration, form, request.user, now)
        except handling.as_it_is:
            continue
        except refusals.Refusal as refusal:
            refused.append(
                _("%(delegation)s: %(refusal)s") % {"delegation": registration, "refusal": refusal}
            )
        else:
            changed += 1
    return changed, refused
