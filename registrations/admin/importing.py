"""Lists of people: brought to an event, columns named, looked at, brought in, taken back."""

import csv
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
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

import clock
from accounts.models import User
from clock import shown
from events import texts
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin
from events.models import Deadline, Event, Track
from events.rights import Right
from registrations import importing, refusals, undoing
from registrations.forms import RowsField, RowsInput, TrackForm
from registrations.models import ImportRun
from stakeholders import importing as lists
from stakeholders import refusals as list_refusals
from stakeholders import tables
from stakeholders.admin import imports
from stakeholders.models import Membership, Organisation

A_PAGE = imports.A_PAGE
CHANGED, IGNORED = "changed", "ignored"
FATES = {
    importing.COMES: gettext_lazy("Comes in"),
    importing.ASKS: gettext_lazy("To decide"),
    importing.WRONG: gettext_lazy("To mend"),
    importing.THERE: gettext_lazy("In the delegation already"),
}
OUTCOMES = {
    importing.COMES: gettext_lazy("Has come in"),
    importing.ASKS: gettext_lazy("Not decided"),
    importing.WRONG: gettext_lazy("Not understood"),
    importing.THERE: gettext_lazy("Was in the delegation already"),
}
REFUSED = (refusals.Refusal, list_refusals.Refusal)


class BringForm(forms.Form):
    """A file, or rows that were copied."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        help_text=gettext_lazy(
            "XLSX or CSV, 5 MB and 20,000 rows at most. The first row holds the headings, in any "
            "of the six languages: organisation, country, stakeholder group, given names, family "
            "name, email address, role, access needs. What each column holds is asked on the next "
            "page."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )
    rows = RowsField(
        label=gettext_lazy("Or rows of a spreadsheet"),
        required=False,
        help_text=gettext_lazy("Copied with the headings."),
        widget=RowsInput(
            attrs={
                "class": "rows",
                "rows": 6,
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "dir": "auto",
            }
        ),
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        file, rows = typed.get("file"), typed.get("rows", "").strip()
        if not self.errors and not file and not rows:
            self.add_error("file", _("Choose a file, or paste rows."))
        if file and rows:
            self.add_error("rows", _("Bring a file or rows, not both."))
        return typed

    @property
    def used(self) -> str:
        return "file" if self.cleaned_data.get("file") else "rows"

    def content(self) -> tuple[str, bytes]:
        file = self.cleaned_data.get("file")
        if file:
            return file.name, file.read(tables.LARGEST + 1)
        return _("pasted rows"), self.cleaned_data["rows"].encode()


class ColumnsForm(forms.Form):
    """What each column of the list holds."""

    def __init__(
        self, *args: Any, run: ImportRun, meanings: dict[str, Any], tracks: list[Track]
    ) -> None:
        super().__init__(*args)
        self.numbers = range(len(run.columns))
        if tracks:
            field = TrackForm(tracks=tracks).fields["track"]
            field.label = _("How do the groups that are new to the event take part?")
            field.initial = str(run.track_id or "")
            self.fields["track"] = field
        for number, heading in enumerate(run.table.get("headings", [])):
            values = [value[:60] for value in importing.samples(run, number)]
            meant = run.columns[number]
            self.fields[f"column-{number}"] = forms.ChoiceField(
                label=heading[:100] or _("Column %(n)d") % {"n": number + 1},
                choices=[(IGNORED, _("Ignored")), *meanings.items()],
                initial=meant if meant in meanings else IGNORED,
                help_text=_("For example: %(values)s") % {"values": texts.listed(values)}
                if values
                else _("Empty."),
                error_messages=dict.fromkeys(
                    ("invalid_choice", "required"), _("Choose from the list.")
                ),
            )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        seen: dict[str, int] = {}
        for number in self.numbers:
            name = f"column-{number}"
            meant = typed.get(name)
            if meant and meant != IGNORED and seen.setdefault(meant, number) != number:
                self.add_error(
                    name,
                    ValidationError(
                        _("“%(meaning)s” is chosen for another column already."),
                        params={"meaning": importing.MEANINGS[meant]},
                    ),
                )
        return typed

    @property
    def columns(self) -> list[str]:
        chosen = [self.cleaned_data[f"column-{number}"] for number in self.numbers]
        return ["" if meant == IGNORED else meant for meant in chosen]


class WriteForm(forms.Form):
    writes = forms.BooleanField(
        label=gettext_lazy("Write to the focal points of the groups"), required=False
    )


@dataclass(frozen=True)
class Line:
    """A row of the list, as its page shows it."""

    row: importing.Row
    reason: str
    comes_to: str
    was: str = ""


@dataclass(frozen=True)
class Question:
    """An organisation that a person has to tell apart, and how many rows name it."""

    row: lists.Row
    place: str
    people: int
    options: list[imports.Option]


def bring(of: ScopedAdmin, request: HttpRequest, event: Event) -> HttpResponse:
    """The page of an event that takes a list."""
    form = BringForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        name, content = form.content()
        try:
            run = importing.read(event, name, content, by=request.user, now=clock.now())
        except REFUSED as refused:
            form.add_error(form.used, str(refused))
        else:
            own = of.admin_site.get_model_admin(ImportRun)
            return redirect(own.page_url("columns", run))
    return pages.show(
        of,
        request,
        title=_("Import people to “%(event)s”") % {"event": event},
        lead=_(
            "For a list that a secretariat keeps. Nobody comes in before you have seen what "
            "becomes of each row."
        ),
        submit_label=_("Read the list"),
        back=of.change_url(event),
        form=form,
    )


@admin.register(ImportRun)
class ImportRunAdmin(ScopedAdmin):
    sees = remembers = Right.RUN
    list_display = ["list_link", "event", "by", "read_said", "found", "applied_said"]
    list_display_links = None
    list_select_related = ["by", "event"]
    ordering = ["-at"]
    fields = ["file_name", "event", "by_said", "read_said", "found", "applied_said", "undone_said"]

    def open_to(self, everything: Any, user: User, right: Right) -> QuerySet:
        return everything.open_to(user, right)

    def scope_of(self, obj: ImportRun) -> UUID:
        return obj.event_id

    def zone_of(self, obj: ImportRun) -> str:
        return obj.event.zone

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        big = ("table", "groups", "rows", "decisions", "brought", "stayed")
        return super().get_queryset(request).defer(*big)

    @admin.display(description=gettext_lazy("list"), ordering="file_name")
    def list_link(self, obj: ImportRun) -> SafeString:
        return format_html('<a href="{}"><bdi>{}</bdi></a>', self.page_url("look", obj), obj)

    @admin.display(description=gettext_lazy("by"))
    def by_said(self, obj: ImportRun) -> str:
        return str(obj.by)

    @admin.display(description=gettext_lazy("read"), ordering="at")
    def read_said(self, obj: ImportRun) -> str:
        return timeline.said(obj.at, obj.event.zone)

    @admin.display(description=gettext_lazy("brought in"), ordering="applied_at")
    def applied_said(self, obj: ImportRun) -> str:
        return timeline.said(obj.applied_at, obj.event.zone)

    @admin.display(description=gettext_lazy("taken back"))
    def undone_said(self, obj: ImportRun) -> str:
        return timeline.said(obj.undone_at, obj.event.zone)

    @admin.display(description=gettext_lazy("rows"))
    def found(self, obj: ImportRun) -> str:
        return _(
            "%(comes)d come in, %(asks)d to decide, %(wrong)d to mend, %(there)d in already"
        ) % {fate: obj.counts.get(fate, 0) for fate in FATES}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        context = {"title": _("Imports of people")} | (extra_context or {})
        return super().changelist_view(request, context)

    def tools(self, request: HttpRequest, obj: ImportRun) -> list[tuple[str, str]]:
        return self.links(request, obj, [(_("Look at the list"), "look")])

    def pages(self) -> list[tuple[str, Any]]:
        return [
            ("columns", self.columns),
            ("look", self.look),
            ("bring_in", self.bring_in),
            ("take_back", self.take_back),
            ("stayed_out", self.stayed_out),
        ]

    def whole(self, request: HttpRequest, pk: UUID) -> ImportRun:
        run = self.load(request, pk)
        return ImportRun.objects.select_related("event").get(pk=run.pk)

    # What the columns hold

    def columns(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        event = self.admin_site.get_model_admin(Event)
        meanings = {
            meant: words
            for meant, words in importing.MEANINGS.items()
            if meant != "access_needs" or event.may(request, run.event, Right.SENSITIVE)
        }
        form = ColumnsForm(
            request.POST or None,
            run=run,
            meanings=meanings,
            tracks=list(run.event.tracks.order_by("position", "name_en")),
        )

        def act(typed: dict) -> str:
            track = Track.objects.get(pk=typed["track"]) if typed.get("track") else None
            importing.choose(run, form.columns, track=track)
            return _("Nobody has come in yet. Look at what becomes of each row.")

        return pages.ask(
            self,
            request,
            title=_("What do the columns of “%(name)s” hold?") % {"name": run},
            lead=ngettext(
                "%(n)d row was read. What stands in a column that is ignored comes in nowhere.",
                "%(n)d rows were read. What stands in a column that is ignored comes in nowhere.",
                len(run.table.get("rows", [])),
            )
            % {"n": len(run.table.get("rows", []))},
            form=form,
            submit_label="" if run.applied_at else _("Look at the rows"),
            back=self.admin_site.get_model_admin(Event).page_url("import_people", run.event),
            after=self.page_url("look", run),
            refused_by=REFUSED,
            beside={refusals.TrackMissing: "track"} if "track" in form.fields else None,
            act=act,
        )

    # The rows

    def look(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        typed = {}
        if request.method == "POST":
            typed = imports.decisions(request)
            try:
                importing.decide(run, typed)
            except REFUSED as refused:
                messages.error(request, str(refused))
            else:
                left = len(importing.undecided(run))
                messages.success(request, imports.said_of_decisions(left))
                part = importing.ASKS if left else importing.COMES
                return redirect(f"{request.path}?show={part}")
        rows = importing.rows(run)
        views = self.views(run, rows)
        counted = {view: number for view, _words, number in views}
        shown_part = imports.part_in(request, counted)
        is_decided_here = shown_part == importing.ASKS and not run.applied_at
        page = Paginator(
            self.questions(run, rows, typed)
            if is_decided_here
            else [row for row in rows if shown_part in (row.fate, CHANGED if row.was else "")],
            A_PAGE,
        ).get_page(request.GET.get("page"))
        now = clock.now()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("List “%(name)s”") % {"name": run},
            "run": run,
            "event_url": self.admin_site.get_model_admin(Event).change_url(run.event),
            "read_as": run.read_as,
            "shown": shown_part,
            "shown_title": next(words for view, words, _n in views if view == shown_part),
            "views": views,
            "page": page,
            "questions": page if is_decided_here else [],
            "lines": [] if is_decided_here else self.lines(run, page),
            "is_decided_here": is_decided_here,
            "comes": run.counts.get(importing.COMES, 0),
            "undecided": len(importing.undecided(run)),
            "unknown_columns": importing.unread(run),
            "stayed_out": len(rows) - run.counts.get(importing.COMES, 0),
            "can_be_undone": run.can_be_undone(now),
            "until": said_until(run),
            "stayed": [(name, undoing.STAYS[why]) for name, why in run.stayed],
            "urls": {word: self.page_url(word, run) for word, _view in self.pages()},
            "list_url": reverse(f"admin:{self.page_name('changelist')}"),
        }
        return TemplateResponse(request, "admin/imports/people.html", context)

    def views(self, run: ImportRun, rows: list[importing.Row]) -> list[tuple[str, Any, int]]:
        words_of = OUTCOMES if run.applied_at else FATES
        found = [(fate, words, run.counts.get(fate, 0)) for fate, words in words_of.items()]
        changed = sum(bool(row.was) for row in rows)
        if changed and not run.applied_at:
            found.append((CHANGED, _("Changed since you looked"), changed))
        return found

    def questions(
        self, run: ImportRun, rows: list[importing.Row], typed: dict[int, str]
    ) -> list[Question]:
        people: dict[int, int] = {}
        for row in rows:
            people[row.group] = people.get(row.group, 0) + 1
        return [
            Question(
                group,
                imports.place(group.country),
                people.get(group.line, 0),
                options(group, typed.get(group.line, run.decisions.get(str(group.line), ""))),
            )
            for group in importing.groups(run)
            if group.judged == lists.NEAR
        ]

    def lines(self, run: ImportRun, page: Page) -> list[Line]:
        typed = importing.said(run)
        known = {row.target for row in page if row.target and ":" not in row.target}
        names = dict(Organisation.objects.filter(pk__in=known).values_list("pk", "name"))
        by_key = {str(pk): name for pk, name in names.items()}
        return [
            Line(
                row,
                importing.reason(row, typed.get(row.line, {})),
                by_key.get(row.target, ""),
                str(FATES.get(row.was, "")),
            )
            for row in page
        ]

    # Bring in, take back

    def bring_in(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        comes = run.counts.get(importing.COMES, 0)
        changed: list[str] = []

        def act(typed: dict) -> str:
            try:
                importing.apply(run, writes=typed["writes"], by=request.user, now=clock.now())
            except (refusals.ImportChanged, refusals.ImportCrossed) as refused:
                importing.look_again(run)
                changed.append(str(refused))
                raise
            return ngettext(
                "%(n)d person has come in. You can take the list back until %(until)s.",
                "%(n)d people have come in. You can take the list back until %(until)s.",
                comes,
            ) % {"n": comes, "until": said_until(run)}

        response = pages.ask(
            self,
            request,
            title=_("Bring in the list “%(name)s”") % {"name": run},
            lead=_(
                "This is done once, for all rows that come in together. Their delegations count as "
                "sent, entered by the organisers. For a day you can take them back."
            ),
            seats=self.foreseen(run),
            seats_title=_("What happens"),
            letters=letters_said(run),
            form=WriteForm(request.POST if "confirm" in request.POST else None),
            submit_label=""
            if run.applied_at or not comes
            else ngettext("Bring in %(n)d person", "Bring in %(n)d people", comes) % {"n": comes},
            back=self.page_url("look", run),
            refused_by=REFUSED,
            act=act,
        )
        if changed:
            messages.error(request, changed[0])
            return redirect(f"{self.page_url('look', run)}?show={CHANGED}")
        return response

    def foreseen(self, run: ImportRun) -> list[str]:
        sentences = {
            importing.COMES: _("Come in: %(n)d"),
            importing.ASKS: _("Not decided, and therefore not brought in: %(n)d"),
            importing.WRONG: _("To be mended, and therefore not brought in: %(n)d"),
            importing.THERE: _("In the delegation already, and left as they are: %(n)d"),
        }
        new = {row.target for row in importing.rows(run) if row.fate == importing.COMES}
        return [
            *(words % {"n": run.counts.get(fate, 0)} for fate, words in sentences.items()),
            _("Organisations that are new here: %(n)d")
            % {"n": sum(key.startswith("line:") for key in new)},
        ]

    def take_back(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        run = self.whole(request, pk)
        leaving = undoing.would_leave(run)
        can = run.can_be_undone(clock.now())

        def act(typed: dict) -> str:
            undoing.undo(run, by=request.user, now=clock.now())
            if run.stayed:
                return _(
                    "The list is taken back, but for what was touched since. It is named below."
                )
            return _("The list is taken back. Nothing of it is left.")

        return pages.ask(
            self,
            request,
            title=_("Take back the list “%(name)s”") % {"name": run},
            lead=_("What nobody has touched since is deleted. The history keeps that it was here.")
            if can
            else str(refusals.CannotUndo(run)),
            seats=[
                _("People: %(n)d") % {"n": len(leaving.delegates)},
                _("Delegations: %(n)d") % {"n": len(leaving.registrations)},
                _("Organisations: %(n)d") % {"n": len(leaving.organisations)},
            ]
            if can
            else [],
            seats_title=_("What goes"),
            people=[
                _("%(name)s: %(why)s") % {"name": name, "why": undoing.STAYS[why]}
                for name, why in leaving.stays
            ]
            if can
            else [],
            people_title=_("What stays"),
            letters=letters_left(run) if can else "",
            submit_label=_("Take the list back") if can else "",
            is_danger=True,
            back=self.page_url("look", run),
            refused_by=REFUSED,
            act=act,
        )

    def stayed_out(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The rows that do not come in, as they were brought, with the reason: a file that can be
        mended and brought again."""
        run = self.whole(request, pk)
        typed = importing.said(run)
        cells = dict(run.table.get("rows", []))
        headings = run.table.get("headings", [])
        response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="stayed-out.csv"'
        writer = csv.writer(response)
        writer.writerow([*map(tables.guarded, headings), "line", "reason"])
        for row in importing.rows(run):
            if row.fate != importing.COMES:
                own = [*cells[row.line], *[""] * len(headings)][: len(headings)]
                why = importing.reason(row, typed[row.line])
                writer.writerow([*map(tables.guarded, own), row.line, tables.guarded(why)])
        return response


def options(group: lists.Row, chosen: str) -> list[imports.Option]:
    """Which organisation may be meant; without an answer its rows stay out."""
    offered = [each for each in imports.options(group, chosen) if each.value != lists.SKIP]
    return [*offered, imports.Option("", _("Not decided: stays out"), "", not chosen)]


def said_until(run: ImportRun) -> str:
    until, zone = run.undone_until, run.event.zone
    if until is None:
        return ""
    return _("%(moment)s, %(zone)s") % {
        "moment": shown.moment(until, zone),
        "zone": shown.zone_name(zone, until),
    }


def letters_said(run: ImportRun) -> str:
    """Which letters go, and to how many groups."""
    keys = {row.target for row in importing.rows(run) if row.fate == importing.COMES}
    known = [key for key in keys if not key.startswith("line:")]
    led = Membership.objects.of_focal_points().filter(organisation__in=known)
    groups = led.values("organisation").distinct().count()
    sentences = [_("No group is written to unless you tick the box below.")]
    sentences.append(
        _("Then its focal points read who of this list has a seat, and who waits for one.")
        if run.event.is_first_come
        else _("Then its focal points read that their delegation was received, and who is in it.")
    )
    sentences.append(
        ngettext(
            "%(n)d group has a focal point now; the others get no letter.",
            "%(n)d groups have a focal point now; the others get no letter.",
            groups,
        )
        % {"n": groups}
    )
    asks = run.event.deadlines.filter(kind=Deadline.Kind.CONFIRMATION)
    if run.event.is_first_come and asks.exists():
        sentences.append(_("Whoever gets a seat is asked to confirm it, as everybody is."))
    return " ".join(sentences)


def letters_left(run: ImportRun) -> str:
    """What becomes of letters to groups, where there are any."""
    letters = undoing.letters_of(run)
    if not letters.exists():
        return ""
    gone = letters.exclude(sent_at=None).count()
    return _(
        "Letters to groups about this list that have left already: %(gone)d. Nobody tells those "
        "groups; write to them. The others are cancelled."
    ) % {"gone": gone}
