"""The questions of an event: looked at as a group sees them, added, changed, moved, retired."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from translated_fields import to_attribute

import clock
from accounts.forms import NameField
from events import asking, questions, refusals, texts
from events.admin import pages
from events.admin.scope import ScopedAdmin
from events.forms import MOST_SEATS
from events.models import Event, Option, Question

Kind = Question.Kind
BESIDE: dict[type[Exception], str] = {
    refusals.NothingToChoose: "choices",
    refusals.TooManyOptions: "choices",
    refusals.OptionTwice: "choices",
    refusals.NotAskedBefore: "shown_when",
}
OTHERS = [(code, name) for code, name in settings.CONTENT_LANGUAGES if code != texts.SOURCE]


class InLanguages(forms.Form):
    """`texts` in English stand first, and in the other languages by themselves below."""

    said: dict[str, Any] = {}

    def add_languages(self, model: type[Question | Option], names: dict[str, Any]) -> None:
        for code, language in [(texts.SOURCE, ""), *OTHERS]:
            for name, label in names.items():
                column = to_attribute(name, code)
                self.fields[column] = NameField(
                    label=f"{label} ({language})" if language else label,
                    max_length=model._meta.get_field(column).max_length,  # type: ignore[union-attr]
                    required=not model._meta.get_field(column).blank,  # type: ignore[union-attr]
                    error_messages={"required": _("Write it in English.")},
                )

    def in_other_languages(self) -> list[Any]:
        ends = tuple(to_attribute("", code) for code, _name in OTHERS)
        return [field for field in self if field.name.endswith(ends)]

    def in_first_place(self) -> list[Any]:
        others = {field.name for field in self.in_other_languages()}
        return [field for field in self if field.name not in others]


class QuestionForm(InLanguages):
    """What is asked. Of whom, and how it is answered, is said only of a new one."""

    asked_of = forms.ChoiceField(
        label=gettext_lazy("Whom do you ask?"),
        choices=Question.Of,
        initial=Question.Of.PERSON,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("This stays, and the kind of answer too."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind of answer"), choices=Kind, initial=Kind.TEXT)
    choices = forms.CharField(
        label=gettext_lazy("Choices in English"),
        required=False,
        max_length=questions.MOST_OPTIONS * 130,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "Only where something is chosen: each on its own line. Other languages and limits are "
            "added afterwards."
        ),
    )
    is_required = forms.BooleanField(
        label=gettext_lazy("Must be answered before the registration is sent"), required=False
    )
    is_sensitive = forms.BooleanField(
        label=gettext_lazy("Sensitive: only those who may see access needs read the answers"),
        required=False,
    )
    shown_when = forms.ChoiceField(label=gettext_lazy("When is it asked?"), required=False)

    def __init__(
        self, *args: Any, event: Event, question: Question | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        names = {"wording": _("Question"), "help": _("Help below the question")}
        self.add_languages(Question, names)
        if question:
            for name in ("asked_of", "kind", "choices"):
                del self.fields[name]
        asked = [one for one in event.questions.asked().in_order() if one != question]
        if question:
            asked = [one for one in asked if one.asked_of == question.asked_of]
        self.options = {str(option.pk): option for one in asked for option in one.choosable}
        self.fields["shown_when"].choices = [
            ("", _("Always")),
            *(
                (
                    _("Only after “%(question)s”:") % {"question": one},
                    [(str(option.pk), str(option)) for option in one.choosable],
                )
                for one in asked
                if one.choosable
            ),
        ]
        first = ["asked_of", "kind", to_attribute("wording", texts.SOURCE)]
        self.order_fields([*first, to_attribute("help", texts.SOURCE), "choices"])

    def clean_choices(self) -> list[str]:
        lines = (" ".join(line.split()) for line in self.cleaned_data["choices"].splitlines())
        choices = [line for line in lines if line]
        longest = Option._meta.get_field("name_en").max_length  # type: ignore[union-attr]
        for choice in choices:
            if len(choice) > (longest or 0):
                raise forms.ValidationError(
                    _("This choice is longer than %(n)s characters: %(choice)s…")
                    % {"n": longest, "choice": choice[:40]}
                )
        return choices

    def facts(self) -> dict[str, Any]:
        """As the verbs take them."""
        typed = self.cleaned_data
        return {
            "words": {name: typed[name] for name in questions.WORDS},
            "is_required": typed["is_required"],
            "is_sensitive": typed["is_sensitive"],
            "shown_when": self.options.get(typed["shown_when"]),
        }


class OptionForm(InLanguages):
    limit = forms.IntegerField(
        label=gettext_lazy("How many may choose it"),
        required=False,
        min_value=1,
        max_value=MOST_SEATS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "vIntegerField"}),
        help_text=gettext_lazy(
            "Counted when a registration is sent. Leave it empty for no limit. Who has chosen it "
            "keeps it."
        ),
        error_messages={
            "invalid": gettext_lazy("Write a whole number, or leave it empty for no limit."),
            "min_value": gettext_lazy("Write at least %(limit_value)s, or leave it empty."),
            "max_value": gettext_lazy("Write at most %(limit_value)s."),
        },
    )

    def __init__(self, *args: Any, option: Option | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if option is None or not option.fixed:
            self.add_languages(Option, {"name": _("Choice")})
        self.order_fields([to_attribute("name", texts.SOURCE), "limit"])

    def names(self) -> dict[str, str]:
        return {name: self.cleaned_data.get(name, "") for name in questions.NAMES}


class RetireForm(forms.Form):
    RETIRE, REMOVE = "retire", "remove"
    what = forms.ChoiceField(
        label=gettext_lazy("What shall happen?"),
        choices=[
            (RETIRE, gettext_lazy("No longer ask it. What was answered stays, and can be read.")),
            (REMOVE, gettext_lazy("Remove it. Possible while nobody has answered it.")),
        ],
        initial=RETIRE,
        widget=forms.RadioSelect,
    )


class Preview(asking.AsksQuestions):
    """What a group sees; nobody sends it."""


def urls(admin: ScopedAdmin) -> list[URLPattern]:
    """Below the page of the questions."""
    one, choice = "<uuid:question>/", "<uuid:question>/<uuid:option>/"
    views = [
        ("add_question", "add/", add),
        ("change_question", one, change),
        ("retire_question", f"{one}retire/", retire),
        ("add_option", f"{one}add/", add_option),
        ("change_option", choice, change_option),
        ("retire_option", f"{choice}retire/", retire_option),
    ]

    def page(view: Any) -> Any:
        def answer(request: HttpRequest, pk: UUID, **which: UUID) -> HttpResponse:
            return view(admin, request, admin.load(request, pk, admin.changes), **which)

        return admin.admin_site.admin_view(answer)

    return [
        path(f"<uuid:pk>/questions/{address}", page(view), name=admin.page_name(name))
        for name, address, view in views
    ]


def shelf(admin: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """All of them, in order; a button moves one up or down."""
    back = admin.page_url("questions", event)
    if request.method == "POST":
        return _moved(request, event, back)
    every = list(event.questions.select_related("shown_when__question").in_order())
    groups = [_group(admin, event, whom, every) for whom in Question.Of]
    return TemplateResponse(
        request,
        "admin/events/event/questions.html",
        {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": _("Questions of “%(event)s”") % {"event": event},
            "event": event,
            "event_url": admin.change_url(event),
            "add_url": _url(admin, "add_question", event),
            "groups": [group for group in groups if group["rows"]],
            "retired": [question for question in every if question.is_retired],
        },
    )


def _group(
    admin: ScopedAdmin, event: Event, whom: Question.Of, every: Iterable[Question]
) -> dict[str, Any]:
    asked = [one for one in every if one.asked_of == whom and not one.is_retired]
    form = Preview(prefix=whom)
    form.ask(asked)
    rows = [
        {
            "question": question,
            "is_first": question is asked[0],
            "is_last": question is asked[-1],
            "url": _url(admin, "change_question", event, question),
            "retire_url": _url(admin, "retire_question", event, question),
        }
        for question in asked
    ]
    return {"title": whom.label, "rows": rows, "form": form}


def _moved(request: HttpRequest, event: Event, back: str) -> HttpResponse:
    which, _sep, way = request.POST.get("move", "").partition(":")
    try:
        question = event.questions.get(pk=UUID(which))
    except (ValueError, Question.DoesNotExist):
        raise Http404 from None
    try:
        questions.move(question, up=way == "up", by=request.user, now=clock.now())
    except refusals.Refusal as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Moved: %(question)s") % {"question": question})
    return redirect(back)


def add(admin: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    form = QuestionForm(_posted(request), event=event)

    def act(typed: dict[str, Any]) -> str:
        question = questions.add(
            event,
            asked_of=typed["asked_of"],
            kind=typed["kind"],
            options=typed["choices"],
            **form.facts(),
            by=request.user,
            now=clock.now(),
        )
        return _("Added: %(question)s") % {"question": question}

    return pages.ask(
        admin,
        request,
        template="admin/events/event/question.html",
        title=_("Add a question to “%(event)s”") % {"event": event},
        lead=_(
            "Groups that have sent their registration are asked too, on the page of their "
            "registration."
        ),
        submit_label=_("Add the question"),
        back=admin.page_url("questions", event),
        act=act,
        form=form,
        beside=BESIDE,
    )


def change(admin: ScopedAdmin, request: HttpRequest, event: Event, question: UUID) -> HttpResponse:
    held = _question(event, question)
    there = {name: getattr(held, name) for name in [*questions.WORDS, "is_required"]}
    there |= {"is_sensitive": held.is_sensitive, "shown_when": str(held.shown_when_id or "")}
    form = QuestionForm(_posted(request), event=event, question=held, initial=there)

    def act(_typed: dict[str, Any]) -> str:
        questions.change(held, **form.facts(), by=request.user, now=clock.now())
        return _("Saved: %(question)s") % {"question": form.cleaned_data["wording_en"]}

    options = [
        (option, _url(admin, "change_option", event, held, option)) for option in held.choosable
    ]
    return pages.ask(
        admin,
        request,
        template="admin/events/event/question.html",
        title=_("Change a question"),
        lead=f"{held.get_asked_of_display()}. {held.get_kind_display()}. "
        + _("What was answered before keeps the words in which it was asked."),
        submit_label=_("Save"),
        back=admin.page_url("questions", event),
        act=act,
        form=form,
        beside=BESIDE,
        options=options,
        add_option_url=_url(admin, "add_option", event, held)
        if held.has_options and held.kind != Kind.YES_NO
        else "",
        retire_url=_url(admin, "retire_question", event, held),
    )


def retire(admin: ScopedAdmin, request: HttpRequest, event: Event, question: UUID) -> HttpResponse:
    held = _question(event, question)

    def act(typed: dict[str, Any]) -> str:
        if typed["what"] == RetireForm.REMOVE:
            questions.remove(held, by=request.user, now=clock.now())
            return _("Removed: %(question)s") % {"question": held}
        questions.retire(held, by=request.user, now=clock.now())
        return _("No longer asked: %(question)s") % {"question": held}

    return pages.ask(
        admin,
        request,
        title=_("Retire a question"),
        lead=str(held),
        submit_label=_("Go on"),
        is_danger=True,
        back=admin.page_url("questions", event),
        act=act,
        form=RetireForm(_posted(request)),
        beside={refusals.HasAnswers: "what", refusals.LeadsToOthers: "what"},
    )


def add_option(
    admin: ScopedAdmin, request: HttpRequest, event: Event, question: UUID
) -> HttpResponse:
    held = _question(event, question)
    form = OptionForm(_posted(request))

    def act(typed: dict[str, Any]) -> str:
        option = questions.add_option(
            held, names=form.names(), limit=typed["limit"], by=request.user, now=clock.now()
        )
        return _("Added: %(choice)s") % {"choice": option}

    return pages.ask(
        admin,
        request,
        template="admin/events/event/question.html",
        title=_("Add a choice"),
        lead=str(held),
        submit_label=_("Add the choice"),
        back=_url(admin, "change_question", event, held),
        act=act,
        form=form,
        beside={refusals.OptionTwice: "name_en"},
    )


def change_option(
    admin: ScopedAdmin, request: HttpRequest, event: Event, question: UUID, option: UUID
) -> HttpResponse:
    held = _option(event, question, option)
    there = {name: getattr(held, name) for name in [*questions.NAMES, "limit"]}
    form = OptionForm(_posted(request), option=held, initial=there)

    def act(typed: dict[str, Any]) -> str:
        questions.change_option(
            held, names=form.names(), limit=typed["limit"], by=request.user, now=clock.now()
        )
        return _("Saved: %(choice)s") % {"choice": typed.get("name_en") or held}

    return pages.ask(
        admin,
        request,
        template="admin/events/event/question.html",
        title=_("Change the choice “%(choice)s”") % {"choice": held},
        lead=str(held.question),
        submit_label=_("Save"),
        back=_url(admin, "change_question", event, held.question),
        act=act,
        form=form,
        beside={refusals.OptionTwice: "name_en"},
        retire_url=_url(admin, "retire_option", event, held.question, held)
        if not held.fixed
        else "",
    )


def retire_option(
    admin: ScopedAdmin, request: HttpRequest, event: Event, question: UUID, option: UUID
) -> HttpResponse:
    held = _option(event, question, option)

    def act(_typed: dict[str, Any]) -> str:
        questions.retire_option(held, by=request.user, now=clock.now())
        return _("No longer offered: %(choice)s") % {"choice": held}

    return pages.ask(
        admin,
        request,
        title=_("Retire the choice “%(choice)s”") % {"choice": held},
        lead=_("It is no longer offered. Who has chosen it keeps it."),
        submit_label=_("Retire"),
        is_danger=True,
        back=_url(admin, "change_question", event, held.question),
        act=act,
    )


def _posted(request: HttpRequest) -> Any:
    return request.POST if "confirm" in request.POST else None


def _question(event: Event, pk: UUID) -> Question:
    return get_object_or_404(event.questions.asked().in_order(), pk=pk)


def _option(event: Event, question: UUID, pk: UUID) -> Option:
    offered = Option.objects.filter(question=_question(event, question), retired_at=None)
    return get_object_or_404(offered.select_related("question__event"), pk=pk)


def _url(admin: ScopedAdmin, word: str, event: Event, *rest: Question | Option) -> str:
    return reverse(f"admin:{admin.page_name(word)}", args=[event.pk, *(one.pk for one in rest)])
