"""Entries that may be one: found, looked at side by side, made one, made two again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import clock
from accounts.forms import NameField
from accounts.models import User
from clock import shown
from events import texts
from events.admin import pages, timeline
from events.admin.scope import ScopedAdmin, has_right
from events.rights import Right
from registrations import merging, refusals
from registrations.models import Merge
from stakeholders import matching
from stakeholders.models import Membership, Organisation, Representative

A_PAGE = 25
LOOKED_AT, OFFERED = 30, 8
CHOOSE = gettext_lazy("Choose one of them, or look for another name.")


@dataclass(frozen=True)
class Entry:
    """One of several that may be the same, as the list of possible duplicates shows it."""

    row: Any
    facts: list[str]
    merge_url: str


class OtherForm(forms.Form):
    """Which other entry is the same."""

    other = forms.ChoiceField(
        label=gettext_lazy("The same as"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": CHOOSE},
    )
    name = NameField(
        label=gettext_lazy("Or look for another name"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("In full, or an acronym."),
    )

    def __init__(self, *args: Any, others: Iterable[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(pk), said) for pk, said in others]
        self.fields["other"].choices = choices
        if not choices:
            del self.fields["other"]

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if not self.errors and not typed.get("other") and not typed.get("name"):
            self.add_error("other" if "other" in self.fields else "name", CHOOSE)
        return typed


class OtherPersonForm(forms.Form):
    other = forms.ChoiceField(
        label=gettext_lazy("The same person as"),
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Choose from the list.")
        ),
    )

    def __init__(self, *args: Any, others: Iterable[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(pk), said) for pk, said in others]
        self.fields["other"].choices = [("", _("Choose one")), *choices]


class AccessForm(forms.Form):
    """Who has access once the two are one."""

    staying = forms.MultipleChoiceField(
        label=gettext_lazy("Who has access afterwards"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Whoever is not ticked has to be let in: by a focal point, or by you."
        ),
        error_messages={"invalid_choice": gettext_lazy("Choose from the list.")},
    )

    def __init__(self, *args: Any, plan: merging.Plan) -> None:
        super().__init__(*args, initial={"staying": [str(pk) for pk in plan.sure]})
        self.fields["staying"].choices = [
            (str(one.user.pk), _said_of_member(one, plan)) for one in plan.active
        ]


# Possible duplicates


def alike(of: ScopedAdmin, request: HttpRequest) -> HttpResponse:
    """Groups of organisations of like names, and what can be undone."""
    if not has_right(request, Right.RUN):
        raise Http404
    rows = list(pool(request.user).only("name", "other_names", "acronym", "country").order_by("pk"))
    open_ones = Organisation.objects.open_to(request.user, Right.RUN)
    theirs = set(open_ones.values_list("pk", flat=True))
    groups, is_whole = organisations_alike(rows)
    groups = [group for group in groups if any(row.pk in theirs for row in group)]
    page = Paginator(groups, A_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    undoable = Merge.objects.open_to(request.user, Right.RUN).undoable(now).select_related("by")
    return TemplateResponse(
        request,
        "admin/merging/alike.html",
        {
            **of.admin_site.each_context(request),
            "opts": of.opts,
            "title": _("Organisations that may stand here twice"),
            "page": page,
            "groups": _shown(of, page, theirs),
            "is_whole": is_whole,
            "merges": [
                (merge, _until(merge), undo_url(merge)) for merge in undoable.order_by("-at")
            ],
            "back": _list(of),
            "back_title": of.opts.verbose_name_plural,
        },
    )


def pool(user: User) -> QuerySet[Organisation]:
    """Those of the events that this organiser runs, and those to which nothing belongs."""
    theirs = Organisation.objects.open_to(user, Right.RUN).values("pk")
    return Organisation.objects.filter(
        Q(pk__in=theirs) | Q(pk__in=Organisation.objects.bare().values("pk"))
    )


def organisations_alike(rows: Sequence[Organisation]) -> tuple[list[list[Organisation]], bool]:
    """Group by group, and whether all names were compared: else only those that are the same."""
    named = [
        (matching.key(name), number)
        for number, row in enumerate(rows)
        for name in (row.name, *row.other_names)
    ]

    def are_abroad(one: int, other: int) -> bool:
        countries = {rows[one].country.code, rows[other].country.code} - {"", None}
        return len(countries) > 1

    keys, owners = [key for key, _n in named], [number for _key, number in named]
    try:
        found, is_whole = matching.groups(keys, owners, are_apart=are_abroad), True
    except matching.TooAlike:
        same: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            same[matching.key(row.name), str(row.country)].append(number)
        found, is_whole = [each for each in same.values() if len(each) > 1], False
    groups = [[rows[number] for number in each] for each in found]
    for group in groups:
        group.sort(key=lambda row: row.name.casefold())
    return sorted(groups, key=lambda group: group[0].name.casefold()), is_whole


def _shown(of: ScopedAdmin, page: Page[list[Organisation]], theirs: set[UUID]) -> list[list[Entry]]:
    """The first of each group is one that the others can be compared with."""
    groups = [sorted(group, key=lambda row: row.pk not in theirs) for group in page]
    pks = [row.pk for group in groups for row in group]
    counted = Organisation.objects.filter(pk__in=pks).annotate(
        delegations=Count("registrations", distinct=True),
        people=Count("representatives", distinct=True),
    )
    numbers = {row.pk: (row.delegations, row.people) for row in counted}
    points: dict[UUID, list[str]] = defaultdict(list)
    led = Membership.objects.of_focal_points().filter(organisation__in=pks)
    for one in led.select_related("user").order_by("user__email"):
        points[one.organisation_id].append(str(one.user))
    return [
        [
            Entry(
                row,
                _facts_of(row, points[row.pk], *numbers[row.pk]),
                f"{of.page_url('merge', group[0])}?other={row.pk}" if number else "",
            )
            for number, row in enumerate(group)
        ]
        for group in groups
    ]


def _facts_of(row: Organisation, points: list[str], delegations: int, people: int) -> list[str]:
    return [
        row.country.name or _("country not known"),
        _("Focal points: %(names)s") % {"names": texts.listed(points) or timeline.NOTHING},
        ngettext("%(n)d registration", "%(n)d registrations", delegations) % {"n": delegations},
        ngettext("%(n)d person entered", "%(n)d people entered", people) % {"n": people},
    ]


def people_alike(of: ScopedAdmin, request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """Groups of people of one organisation with like names, or one address."""
    own = of.admin_site.get_model_admin(Representative)
    seen = own.get_queryset(request).filter(organisation=organisation).values("pk")
    people = Representative.objects.filter(pk__in=seen).annotate(times=Count("delegates"))
    groups = persons_alike(list(people.order_by("search_text", "pk")))
    page = Paginator(groups, A_PAGE).get_page(request.GET.get("page"))
    return TemplateResponse(
        request,
        "admin/merging/alike.html",
        {
            **of.admin_site.each_context(request),
            "opts": of.opts,
            "title": _("People who may stand twice in “%(name)s”") % {"name": organisation},
            "page": page,
            "groups": [_shown_people(own, group) for group in page],
            "is_whole": True,
            "back": of.change_url(organisation),
            "back_title": organisation,
        },
    )


def persons_alike(people: Sequence[Representative]) -> list[list[Representative]]:
    first: dict[str, int] = {}
    addresses = [(one.email.casefold(), number) for number, one in enumerate(people) if one.email]
    same = [(first.setdefault(address, number), number) for address, number in addresses]
    keys = [one.search_text for one in people]
    try:
        found = matching.groups(keys, range(len(keys)), joined=same)
    except matching.TooAlike:
        found = matching.groups([""] * len(keys), range(len(keys)), joined=same)
    return [[people[number] for number in group] for group in found]


def _shown_people(own: ScopedAdmin, group: list[Representative]) -> list[Entry]:
    return [
        Entry(
            one,
            [
                one.email or _("no email address"),
                ngettext("in %(n)d delegation", "in %(n)d delegations", one.times)
                % {"n": one.times},
            ],
            f"{own.page_url('merge', group[0])}?other={one.pk}" if number else "",
        )
        for number, one in enumerate(group)
    ]


# Make two organisations one


def page(of: ScopedAdmin, request: HttpRequest, own: Organisation) -> HttpResponse:
    """Which other one; what would happen; and then it does. What was chosen stands in the
    address."""
    asked = _uuid(request.GET.get("other", ""))
    if asked is None:
        return _choose(of, request, own)
    if _is_in_already(Organisation, asked, own):
        return _done_already(request, of.change_url(own))
    other = get_object_or_404(pool(request.user).exclude(pk=own.pk), pk=asked)
    keeps_other = request.GET.get("keep") == "other"
    kept, taken = (other, own) if keeps_other else (own, other)
    plan = merging.look(kept, taken)
    refused = merging.why_not(plan, request.user)
    form = AccessForm(request.POST if "confirm" in request.POST else None, plan=plan)
    if not plan.active:
        del form.fields["staying"]
    swap = f"?other={other.pk}" + ("" if keeps_other else "&keep=other")

    def act(typed: dict[str, Any]) -> str:
        merge = merging.take_in(
            kept,
            taken,
            staying={UUID(pk) for pk in typed.get("staying", [])},
            seen=request.POST.get("seen", ""),
            by=request.user,
            now=clock.now(),
        )
        return _("“%(taken)s” is part of “%(kept)s” now. You can undo it until %(until)s.") % {
            "taken": taken,
            "kept": kept,
            "until": _until(merge),
        }

    return pages.ask(
        of,
        request,
        template="admin/merging/organisations.html",
        title=_("Make “%(taken)s” part of “%(kept)s”?") % {"taken": taken, "kept": kept},
        plan=plan,
        columns=[_column(of, row, plan) for row in (kept, taken)],
        goes=list(_goes(plan)),
        sight=list(_sight(plan)),
        refused=str(refused or ""),
        swap_url=swap,
        letters=_letters(plan),
        form=form,
        hidden=[("seen", plan.mark)],
        submit_label="" if refused else _("Make them one"),
        back=of.change_url(own),
        after=of.change_url(kept) if not keeps_other or plan.moving else _list(of),
        refused_by=refusals.Refusal,
        beside={refusals.NobodyLeads: "staying"} if "staying" in form.fields else None,
        act=act,
    )


def _choose(of: ScopedAdmin, request: HttpRequest, own: Organisation) -> HttpResponse:
    name = request.GET.get("name", "")[:255] or own.name
    likely = Organisation.objects.like(name, country=str(own.country), limit=LOOKED_AT)
    found = pool(request.user).filter(pk__in=[row.pk for row in likely])
    theirs = set(found.exclude(pk=own.pk).values_list("pk", flat=True))
    others = [row for row in likely if row.pk in theirs][:OFFERED]
    form = OtherForm(
        request.POST if request.method == "POST" else None,
        others=[(row.pk, _with_country(row)) for row in others],
    )
    if form.is_valid():
        chosen = "name" if form.cleaned_data["name"] else "other"
        return redirect(f"{request.path}?{urlencode({chosen: form.cleaned_data[chosen]})}")
    return pages.show(
        of,
        request,
        title=_("Which other entry is “%(name)s” too?") % {"name": own},
        lead=_("Nothing happens yet. The next page shows both side by side.")
        if others
        else _("No other one that you manage has a name like “%(name)s”.") % {"name": name},
        form=form,
        submit_label=_("Go on"),
        back=of.change_url(own),
    )


def _with_country(row: Organisation) -> str:
    return f"{row.name} ({row.country.name})" if row.country else row.name


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def stub_of(model: Any, pk: Any) -> Any:
    """The entry that was taken into another one, by what stands in an address."""
    asked = _uuid(str(pk))
    return model.everyone.filter(pk=asked).exclude(merged_into=None).first() if asked else None


def _is_in_already(model: Any, asked: UUID, own: Any) -> bool:
    stub = stub_of(model, asked)
    return stub is not None and stub.merged_into_id == own.pk


def _done_already(request: HttpRequest, url: str) -> HttpResponse:
    messages.info(request, _("The two are one already."))
    return redirect(url)


def _list(of: ScopedAdmin) -> str:
    return reverse(f"admin:{of.page_name('changelist')}")


def _until(merge: Merge) -> str:
    until = merge.undone_until
    return _("%(moment)s, %(zone)s") % {
        "moment": shown.moment(until, "UTC"),
        "zone": shown.zone_name("UTC", until),
    }


def _column(of: ScopedAdmin, row: Organisation, plan: merging.Plan) -> dict[str, Any]:
    """What is known of one of the two, in the order of the rows of the preview."""
    is_kept = row == plan.kept
    members = [one.of_kept if is_kept else one.of_taken for one in plan.active]
    active = [one for one in members if one and one.state == Membership.State.ACTIVE]
    registrations = row.registrations.select_related("event").order_by("event__starts_on", "pk")
    return {
        "row": row,
        "facts": [
            (label_of("name"), row.name),
            (label_of("acronym"), row.acronym),
            (label_of("other_names"), texts.listed_apart(row.other_names)),
            (label_of("country"), row.country.name),
            (label_of("category"), row.get_category_display()),
            (label_of("consultative_status"), row.get_consultative_status_display()),
            (label_of("website"), row.website),
            (
                _("Who has access"),
                texts.listed(f"{one.user} ({one.get_kind_display()})" for one in active),
            ),
            (
                _("Registrations"),
                texts.listed_apart(f"{one.reference}: {one.event}" for one in registrations),
            ),
            (_("People entered"), str(row.representatives.count())),
        ],
    }


def label_of(name: str) -> str:
    return timeline.label(Organisation, name)


def _goes(plan: merging.Plan) -> Iterable[str]:
    """What goes where, in sentences."""
    names = {"kept": plan.kept, "taken": plan.taken}
    for one in plan.moving:
        yield _("%(reference)s (%(event)s) belongs to “%(kept)s”, and keeps its reference.") % {
            "reference": one.reference,
            "event": one.event,
            **names,
        }
    for one in plan.behind:
        yield _(
            "%(reference)s (%(event)s) is withdrawn or empty: it stays behind, and the group does "
            "not see it any more."
        ) % {"reference": one.reference, "event": one.event}
    live = len(plan.people) - len(plan.twins)
    if live:
        yield ngettext(
            "%(n)d person of “%(taken)s” is a person of “%(kept)s” then.",
            "%(n)d people of “%(taken)s” are people of “%(kept)s” then.",
            live,
        ) % {"n": live, **names}
    if plan.twins:
        yield ngettext(
            "%(n)d person is entered for both in the same words, and becomes one.",
            "%(n)d people are entered for both in the same words, and become one each.",
            len(plan.twins),
        ) % {"n": len(plan.twins)}
    late = len(plan.exemptions) + len(plan.exemptions_of_both)
    if late:
        yield _("Permissions to register after the close go along; of two, the longer one counts.")
    if learnt := plan.facts.get("other_names"):
        yield _("Found by these names too: %(names)s") % {"names": texts.listed_apart(learnt)}
    others = [label_of(name) for name in plan.facts if name != "other_names"]
    if others:
        yield _("Taken over, because it is not known there: %(facts)s") % {
            "facts": texts.listed(others)
        }
    yield (
        _("“%(taken)s” is in no list, search or import any more; links to it lead to “%(kept)s”.")
        % names
    )


def _sight(plan: merging.Plan) -> Iterable[str]:
    """Who sees what they have not seen before: a matter of safety, said plainly."""
    known = [str(one.user) for one in plan.active if one.is_known and one.leads]
    come = [str(one.user) for one in plan.active if not one.is_known]
    if known and (plan.moving or plan.people):
        yield _("%(names)s will see the registrations and the people of “%(taken)s”.") % {
            "names": texts.listed(known),
            "taken": plan.taken,
        }
    if come:
        yield _(
            "%(names)s will see the registrations and the people of “%(kept)s”, if you let them "
            "keep their access."
        ) % {"names": texts.listed(come), "kept": plan.kept}


def _said_of_member(one: merging.Member, plan: merging.Plan) -> str:
    roles = texts.listed(
        _("%(role)s of “%(name)s”")
        % {
            "role": row.get_kind_display(),
            "name": plan.kept if row == one.of_kept else plan.taken,
        }
        for row in one.active
    )
    return f"{one.user} <{one.user.email}>: {roles}" if one.user.name else f"{one.user}: {roles}"


def _letters(plan: merging.Plan) -> str:
    told = sum(one.leads for one in plan.active)
    return ngettext(
        "A letter goes to %(n)d focal point of the two, and to whoever has to be let in: in the "
        "language of each.",
        "A letter goes to %(n)d focal points of the two, and to whoever has to be let in: in the "
        "language of each.",
        told,
    ) % {"n": told}


# Make two entries of one person one


def person_page(of: ScopedAdmin, request: HttpRequest, own: Representative) -> HttpResponse:
    asked = _uuid(request.GET.get("other", ""))
    own.organisation = Organisation.everyone.get(pk=own.organisation_id)
    others = Representative.objects.filter(
        pk__in=of.get_queryset(request).values("pk"), organisation=own.organisation_id
    ).exclude(pk=own.pk)
    if asked is None:
        return _choose_person(of, request, own, others)
    if _is_in_already(Representative, asked, own):
        return _done_already(request, of.change_url(own))
    other = get_object_or_404(others, pk=asked)
    keeps_other = request.GET.get("keep") == "other"
    kept, taken = (other, own) if keeps_other else (own, other)
    plan = merging.look_at_people(kept, taken)
    refused = merging.why_not(plan, request.user)
    names = {"kept": kept, "taken": taken}

    def act(typed: dict[str, Any]) -> str:
        merge = merging.take_in_person(
            kept,
            taken,
            seen=request.POST.get("seen", ""),
            by=request.user,
            now=clock.now(),
        )
        return _("The two are one: %(kept)s. You can undo it until %(until)s.") % {
            "kept": kept,
            "until": _until(merge),
        }

    return pages.ask(
        of,
        request,
        template="admin/merging/people.html",
        title=_("Are %(kept)s and %(taken)s one person?") % names,
        lead=_("Both are entered for “%(organisation)s”. The words of the first one stay.")
        % {"organisation": own.organisation},
        columns=[
            {
                "row": row,
                "facts": [
                    (_("Name"), row.full_name),
                    (_("Email address"), row.email),
                    (_("Registrations"), texts.listed_apart(_delegations_of(row))),
                ],
            }
            for row in (kept, taken)
        ],
        goes=[
            *(
                _("In %(reference)s (%(event)s) the name is %(kept)s, no longer %(taken)s.")
                % {
                    "reference": one.registration.reference,
                    "event": one.registration.event,
                    **names,
                }
                for one in plan.moving
            ),
            *(
                _("In %(reference)s the entry %(taken)s stays: it holds no place there.")
                % {"reference": one.registration.reference, **names}
                for one in plan.behind
            ),
        ],
        refused=str(refused or ""),
        swap_url=f"?other={other.pk}" + ("" if keeps_other else "&keep=other"),
        letters=_("Nobody is written to."),
        form=None,
        hidden=[("seen", plan.mark)],
        submit_label="" if refused else _("Make them one"),
        back=of.change_url(own),
        after=of.change_url(kept),
        refused_by=refusals.Refusal,
        act=act,
    )


def _delegations_of(person: Representative) -> list[str]:
    named = person.delegates.select_related("registration__event").order_by("pk")
    return [f"{one.registration.reference}: {one.registration.event}" for one in named]


def _choose_person(
    of: ScopedAdmin, request: HttpRequest, own: Representative, others: QuerySet[Representative]
) -> HttpResponse:
    offered = others.order_by("search_text", "pk")
    form = OtherPersonForm(
        request.POST if request.method == "POST" else None,
        others=[(one.pk, f"{one} <{one.email}>" if one.email else str(one)) for one in offered],
    )
    if form.is_valid():
        return redirect(f"{request.path}?{urlencode(form.cleaned_data)}")
    return pages.show(
        of,
        request,
        title=_("Which other entry is %(name)s too?") % {"name": own},
        lead=_("Nothing happens yet. The next page shows both side by side."),
        form=form,
        submit_label=_("Go on"),
        back=of.change_url(own),
    )


# Undo


def undo(of: ScopedAdmin, request: HttpRequest, pk: UUID) -> HttpResponse:
    if not has_right(request, Right.RUN):
        raise Http404
    merge = get_object_or_404(Merge.objects.open_to(request.user, Right.RUN), pk=pk)
    names = {"kept": merge.kept, "taken": merge.taken}
    can = merge.can_be_undone(clock.now())
    stands = merging.stands_in_the_way(merge) if can else []
    is_person = merge.kind == Merge.Kind.PERSON

    def act(typed: dict[str, Any]) -> str:
        merging.undo(merge, by=request.user, now=clock.now())
        return _("“%(kept)s” and “%(taken)s” are two again.") % names

    if stands:
        lead = _("Somebody has gone on with it since, so it cannot be undone.")
    elif not can:
        lead = str(refusals.CannotUnmerge(merge))
    else:
        lead = _("Everything that was moved goes back to where it was: until %(until)s.") % {
            "until": _until(merge)
        }
    return pages.ask(
        of,
        request,
        title=_("Make “%(kept)s” and “%(taken)s” two again?") % names,
        lead=lead,
        people=stands,
        people_title=_("What stands in the way"),
        letters=""
        if is_person or not can or stands
        else _("A letter goes to each focal point of the two."),
        submit_label=_("Make them two again") if can and not stands else "",
        is_danger=True,
        back=of.change_url(merge.organisation),
        refused_by=refusals.Refusal,
        act=act,
    )


def undo_url(merge: Merge) -> str:
    return reverse("admin:stakeholders_organisation_undo_merge", args=[merge.pk])
