"""Lists of organisations: brought as a file, looked at, decided, brought in."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_countries import countries

import clock
from accounts.models import User
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin, roles_of
from events.models import Process
from events.rights import Right
from stakeholders import importing, refusals, tables
from stakeholders.models import ImportRun, Organisation

A_PAGE = 50
VIEWS = {
    importing.NEAR: gettext_lazy("To decide"),
    importing.NEW: gettext_lazy("New"),
    importing.KNOWN: gettext_lazy("Known already"),
    importing.WRONG: gettext_lazy("Not understood"),
}
OUTCOMES = {
    importing.CREATED: gettext_lazy("Entered"),
    importing.JOINED: gettext_lazy("The same as another"),
    importing.KNOWN: gettext_lazy("Known already"),
    importing.LEFT_OUT: gettext_lazy("Left out"),
    importing.UNDECIDED: gettext_lazy("Not decided"),
    importing.WRONG: gettext_lazy("Not understood"),
}
STAYED_OUT = [importing.LEFT_OUT, importing.UNDECIDED, importing.WRONG]


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "XLSX or CSV, 5 MB and 20,000 rows at most. The first row holds the headings: name; "
            "and, where you have them, acronym, country, category, website, status with ECOSOC, "
            "other names (with a semicolon between them)."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )


class RestForm(forms.Form):
    choice = forms.ChoiceField(
        label=gettext_lazy("All of these rows are"),
        choices=[
            (importing.NEW, gettext_lazy("organisations of their own: enter each of them")),
            (importing.SKIP, gettext_lazy("left out of this list")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one of the two.")},
    )


@dataclass(frozen=True)
class Option:
    """What may be decided about a row."""

    value: str
    said: str
    bears: str = ""
    """The name of the organisation that it would be."""
    is_chosen: bool = False


@dataclass(frozen=True)
class Line:
    """A row of the list, as its page shows it."""

    row: importing.Row
    place: str
    options: list[Option]
    url: str = ""


def may_import(request: HttpRequest) -> bool:
    """Organisations belong to no event: who brings a list runs a process, or the portal."""
    return request.user.is_superuser or any(
        role.process_id and Right.RUN in role.rights for role in roles_of(request)
    )


@admin.register(ImportRun)
class ImportRunAdmin(ScopedAdmin):
    """Each organiser sees the lists that they have brought; a superuser sees all."""

    sees = remembers = Right.RUN
    list_display = ["list_link", "read_said", "by", "found", "applied_said"]
    list_display_links = None
    list_select_related = ["by"]
    ordering = ["-at"]
    fields = ["file_name", "by", "read_said", "found", "applied_said"]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        if user.is_superuser:
            return everything
        runs_a_process = Process.objects.open_to(user, Right.RUN).exists()
        return everything.filter(by=user) if runs_a_process else everything.none()

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("rows", "decisions")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and may_import(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Lists of organisations")} | (extra_context or {})
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("list"), ordering="file_name")
    def list_link(self, obj: ImportRun) -> SafeString:
        return format_html('<a href="{}"><bdi>{}</bdi></a>', self.page_url("look", obj), obj)

    @admin.display(description=gettext_lazy("read"), ordering="at")
    def read_said(self, obj: ImportRun) -> str:
        return timeline.said(obj.at, "UTC")

    @admin.display(description=gettext_lazy("brought in"), ordering="applied_at")
    def applied_said(self, obj: ImportRun) -> str:
        return timeline.said(obj.applied_at, "UTC")

    @admin.display(description=gettext_lazy("found"))
    def found(self, obj: ImportRun) -> str:
        return _("%(new)d new, %(near)d to decide, %(known)d known, %(wrong)d not understood") % {
            judged: obj.counts.get(judged, 0) for judged in VIEWS
        }

    def tools(self, request: HttpRequest, obj: ImportRun) -> list[tuple[str, str]]:
        return self.links(request, obj, [(_("Look at the list"), "look")])

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("look", self.look),
            ("rest", self.rest),
            ("bring_in", self.bring_in),
            ("stayed_out", self.stayed_out),
        ]

    # The file

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                run = importing.read(
                    file.name, file.read(tables.LARGEST + 1), by=request.user, now=clock.now()
                )
            except refusals.Refusal as refused:
                form.add_error("file", str(refused))
            else:
                return redirect(self.page_url("look", run))
        return pages.show(
            self,
            request,
            title=_("Bring a list of organisations"),
            lead=_(
                "The list is read and compared with what is known here. Nothing is entered before "
                "you have seen what would be."
            ),
            submit_label=_("Read the list"),
            back=reverse(f"admin:{self.page_name('changelist')}"),
            form=form,
        )

    # The list

    def look(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        typed = {}
        if request.method == "POST":
            typed = decisions(request)
            try:
                importing.decide(run, typed)
            except refusals.Refusal as refused:
                messages.error(request, str(refused))
            else:
                left = len(importing.undecided(run))
                messages.success(request, said_of_decisions(left))
                return redirect(f"{request.path}?page={number_in(request, left)}")
        foreseen = importing.foreseen(run)
        views = OUTCOMES if run.applied_at else VIEWS
        shown = shown_in(request, run, views)
        rows = [row for row in importing.rows(run) if kind(row, run) == shown]
        page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("List “%(name)s”") % {"name": run},
            "run": run,
            "shown": shown,
            "shown_title": views[shown],
            "views": [(view, words, run.counts.get(view, 0)) for view, words in views.items()],
            "read_as": run.notes.get("read_as", ""),
            "unknown_columns": run.notes.get("unknown_columns", []),
            "page": page,
            "lines": self.lines(request, page, run, typed),
            "undecided": len(importing.undecided(run)),
            "foreseen": foreseen,
            "enters": enters(foreseen) and not run.applied_at,
            "is_decided_here": shown == importing.NEAR and not run.applied_at,
            "stayed_out": sum(run.counts.get(view, 0) for view in STAYED_OUT if view in views),
            "urls": {word: self.page_url(word, run) for word, _view in self.pages()},
            "list_url": reverse(f"admin:{self.page_name('changelist')}"),
        }
        return TemplateResponse(request, "admin/imports/look.html", context)

    def whole(self, request: HttpRequest, pk: UUID) -> ImportRun:
        run = self.load(request, pk)
        return ImportRun.objects.get(pk=run.pk)

    def lines(
        self, request: HttpRequest, page: Page, run: ImportRun, typed: dict[int, str]
    ) -> list[Line]:
        became = {row.became for row in page if row.became}
        rights = self.admin_site.get_model_admin(Organisation)
        open_here = rights.get_queryset(request).filter(pk__in=became).values_list("pk", flat=True)
        urls = {
            str(pk): reverse("admin:stakeholders_organisation_change", args=[pk])
            for pk in open_here
        }
        return [
            Line(
                row,
                place(row.country),
                options(row, typed.get(row.line, run.decisions.get(str(row.line), ""))),
                urls.get(row.became, ""),
            )
            for row in page
        ]

    def rest(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        left = importing.undecided(run)

        def act(typed: dict) -> str:
            number = importing.decide_rest(run, typed["choice"])
            return ngettext("%(n)d row is decided.", "%(n)d rows are decided.", number) % {
                "n": number
            }

        return pages.ask(
            self,
            request,
            title=_("Decide all rows that are left"),
            lead=_(
                "Each of these has a name near another one. What you choose holds for all of "
                "them; nothing is entered yet, and each can still be decided by itself."
            ),
            people=[row.name for row in left],
            people_title=ngettext("This concerns %(n)d row", "This concerns %(n)d rows", len(left))
            % {"n": len(left)},
            form=RestForm(request.POST if "confirm" in request.POST else None),
            submit_label=_("Decide them all") if left else "",
            back=self.page_url("look", run),
            refused_by=refusals.Refusal,
            act=act,
        )

    def bring_in(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        foreseen = importing.foreseen(run)

        def act(typed: dict) -> str:
            importing.apply(run, by=request.user, now=clock.now())
            return _("%(created)d organisations are entered, %(joined)d got another spelling.") % {
                outcome: run.counts[outcome] for outcome in (importing.CREATED, importing.JOINED)
            }

        return pages.ask(
            self,
            request,
            title=_("Bring in the list “%(name)s”") % {"name": run},
            lead=_("This is done once. Nobody is written to."),
            seats=said_of_foreseen(foreseen),
            seats_title=_("What happens"),
            submit_label=""
            if run.applied_at or not enters(foreseen)
            else ngettext(
                "Bring in %(n)d organisation",
                "Bring in %(n)d organisations",
                foreseen[importing.CREATED],
            )
            % {"n": foreseen[importing.CREATED]},
            back=self.page_url("look", run),
            refused_by=refusals.Refusal,
            act=act,
        )

    def stayed_out(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What was not brought in, as a file that can be mended and brought again."""
        run = self.whole(request, pk)
        response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="stayed-out.csv"'
        writer = csv.writer(response)
        writer.writerow([*FILE, "line", "reason"])
        for row in importing.rows(run):
            reason = why_out(row, run)
            if reason:
                values = [getattr(row, fact) for fact in FILE.values()]
                said = [value if isinstance(value, str) else "; ".join(value) for value in values]
                writer.writerow([*map(tables.guarded, said), row.line, reason])
        return response


# Headings that a list is read by, and what stands below them.
FILE = {
    "name": "name",
    "acronym": "acronym",
    "country": "country",
    "category": "category",
    "website": "website",
    "status with ECOSOC": "consultative_status",
    "other names": "other_names",
}


def enters(foreseen: dict[str, int]) -> bool:
    """Whether bringing the list in would change anything."""
    return bool(foreseen[importing.CREATED] or foreseen[importing.JOINED])


def kind(row: importing.Row, run: ImportRun) -> str:
    return row.outcome if run.applied_at else row.judged


def shown_in(request: HttpRequest, run: ImportRun, views: Iterable[str]) -> str:
    """The part of the list that is asked for, or the first that has any rows."""
    return part_in(request, {view: run.counts.get(view, 0) for view in views})


def part_in(request: HttpRequest, counted: dict[str, int]) -> str:
    asked = request.GET.get("show", "")
    full = [view for view, number in counted.items() if number]
    return asked if asked in counted else next(iter(full or counted))


def decisions(request: HttpRequest) -> dict[int, str]:
    """What was chosen, by the line of the list."""
    chosen = {}
    for name, value in request.POST.items():
        stem, _dash, line = name.partition("-")
        if stem == "line" and line.isascii() and line.isdigit() and len(line) < 8:
            chosen[int(line)] = value
    return chosen


def number_in(request: HttpRequest, left: int) -> int:
    """The page after the one that was decided, while any is left."""
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 1
    return number + 1 if left else number


def place(country: str) -> str:
    """By its name; what is no country, as it was typed."""
    return countries.name(country) if country in countries else country


def options(row: importing.Row, chosen: str) -> list[Option]:
    if row.judged != importing.NEAR:
        return []
    found = [
        Option(
            candidate.choice,
            said_of(candidate),
            candidate.name,
            candidate.choice == chosen,
        )
        for candidate in row.candidates
    ]
    return [
        *found,
        Option(importing.NEW, _("An organisation of its own"), "", chosen == importing.NEW),
        Option(importing.SKIP, _("Leave it out"), "", chosen == importing.SKIP),
    ]


def said_of(candidate: importing.Candidate) -> str:
    """Where it is known from, and how like it is."""
    parts = [place(candidate.country)] if candidate.country else []
    if candidate.line:
        parts.append(_("line %(line)d of this list") % {"line": candidate.line})
    parts.append(
        _("the names are %(n)d %% alike") % {"n": round(candidate.likeness * 100)}
        if candidate.likeness
        else _("the acronym is the same")
    )
    return ", ".join(parts)


def said_of_decisions(left: int) -> str:
    if not left:
        return _("Your decisions are kept. No row is left to decide.")
    return ngettext(
        "Your decisions are kept. %(n)d row is left to decide.",
        "Your decisions are kept. %(n)d rows are left to decide.",
        left,
    ) % {"n": left}


def said_of_foreseen(foreseen: dict[str, int]) -> list[str]:
    sentences = {
        importing.CREATED: _("Entered as new: %(n)d"),
        importing.JOINED: _("The same as another: its spelling is kept as another name: %(n)d"),
        importing.KNOWN: _("Known already, and left as they are: %(n)d"),
        importing.LEFT_OUT: _("Left out, as you have decided: %(n)d"),
        importing.UNDECIDED: _("Not decided, and therefore not entered: %(n)d"),
        importing.WRONG: _("Not understood, and therefore not entered: %(n)d"),
    }
    return [words % {"n": foreseen[outcome]} for outcome, words in sentences.items()]


def why_out(row: importing.Row, run: ImportRun) -> str:
    """The reason that stands beside it in the file; empty for what is not out."""
    if row.judged == importing.WRONG:
        return row.reason
    if not run.applied_at or row.outcome not in STAYED_OUT:
        return ""
    return str(OUTCOMES[row.outcome])
