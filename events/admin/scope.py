"""What every list and form of the organisers' side stands on.

Rights come from roles alone (events.rights). What lies outside the events on which a person may
look does not exist for them; what they may look at and not do is refused. What was done is kept in
the audit trail.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

import clock
from accounts.forms import NameField
from accounts.models import User
from audit import trail
from audit.models import Entry
from events.admin import changes, timeline
from events.models import Role
from events.rights import Right

ENTRIES_A_PAGE = 50
# How Django's own filters ask about a field.
ASKED_AS = ("", "__exact", "__id__exact", "__isnull", "__in")


def is_organiser(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff


def roles_of(request: HttpRequest) -> list[Role]:
    """This organiser's, asked once for a page."""
    known = vars(request)
    if "roles" not in known:
        known["roles"] = list(request.user.roles.all())
    return known["roles"]


def has_right(request: HttpRequest, right: Right) -> bool:
    """On some event or process."""
    if not is_organiser(request):
        return False
    return request.user.is_superuser or any(right in role.rights for role in roles_of(request))


def words_of(search_term: str) -> list[str]:
    """What is looked for: each word costs a look at the table, so ten are enough, of 100
    characters."""
    return [word[:100] for word in search_term.split()[:10]]


class ScopedFilter(admin.RelatedFieldListFilter):
    """Offers what lies where this organiser may see the list, as far as something belongs to it."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[Any, str]]:
        of_that = model_admin.admin_site.get_model_admin(field.remote_field.model)
        used = field.model._default_manager.values(field.attname)
        rows = of_that.rows(request, model_admin.sees).filter(pk__in=used)
        return [(row.pk, str(row)) for row in rows]


class Choices:
    """Choices in forms are what the organiser may change, without Django's small windows to do
    so; columns name their language."""

    admin_site: admin.AdminSite
    changes = Right.RUN

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        model = db_field.remote_field.model
        if self.admin_site.is_registered(model):
            of_that = self.admin_site.get_model_admin(model)
            kwargs.setdefault("queryset", of_that.rows(request, self.changes))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("label", timeline.label(db_field.model, db_field.name))
        if isinstance(db_field, models.URLField):
            kwargs.setdefault("assume_scheme", "https")
        if type(db_field) is models.CharField:
            kwargs.setdefault("form_class", NameField)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class ScopedAdmin(Choices, admin.ModelAdmin):
    """To be filled in: `open_to`; and where it differs `scope_of`, `zone_of`, `tools`, `pages`.

    Rights are asked on the event or process that a thing belongs to: `sees` for the list and the
    page, `changes` for the form and for own pages and actions that `page_rights` does not name,
    `remembers` for the history. A list is narrowed by its `list_filter`, and by the parameters
    `narrowed_by` of links to it.
    """

    sees = Right.LOOK
    remembers = Right.CONTACT
    page_rights: dict[str, Right] = {}
    is_editable = False
    narrowed_by: tuple[str, ...] = ()
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    def open_to(self, everything: Any, user: User, right: Right) -> Any:
        """Of everything, what lies where this organiser has this right."""
        raise NotImplementedError

    def scope_of(self, obj: Any) -> UUID | None:
        """Whose history an entry about this belongs to."""
        return None

    def zone_of(self, obj: Any) -> str:
        return "UTC"

    def tools(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """The links above a thing's page, each with its address."""
        return []

    def pages(self) -> list[tuple[str, Any]]:
        """Own pages about one thing: the word in the address, and the view(request, pk)."""
        return []

    def entries(self, obj: Any) -> models.QuerySet[Entry]:
        """What the history of this thing tells."""
        return Entry.objects.about(obj)

    def entries_for(self, request: HttpRequest, obj: Any) -> models.QuerySet[Entry]:
        """What it tells this organiser."""
        return self.entries(obj)

    # What may be seen and done

    def rows(self, request: HttpRequest, right: Right) -> Any:
        return self.open_to(super().get_queryset(request), request.user, right)

    def get_queryset(self, request: HttpRequest) -> Any:
        return self.rows(request, self.sees)

    def may(self, request: HttpRequest, obj: Any, right: Right) -> bool:
        """Whether this organiser has this right on this thing; asked once for a page."""
        known = vars(request).setdefault("rights_known", {})
        key = (self.opts.label, obj.pk, right)
        if key not in known:
            known[key] = has_right(request, right) and (
                self.rows(request, right).filter(pk=obj.pk).exists()
            )
        return known[key]

    def right_for(self, word: str) -> Right:
        """To open this page, or to take this action."""
        return self.page_rights.get(word, self.changes)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """What is about to be changed is held until it is, so that no verb comes in between."""
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and request.method == "POST":
            held = self.model._default_manager.select_for_update(of=("self",))
            return held.filter(pk=obj.pk).first()
        return obj

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Nothing else of a row may be asked, least of all what its page does not show."""
        filters: list[Any] = [*self.get_list_filter(request)]
        names = [
            one if isinstance(one, str) else getattr(one, "parameter_name", None) or one[0]
            for one in filters
        ]
        return lookup in {*self.narrowed_by, *(name + how for name in names for how in ASKED_AS)}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict | None = None
    ) -> HttpResponse:
        """PostgreSQL keeps no text with a NUL in it, so nothing is found by one."""
        if any("\x00" in value for _name, values in request.GET.lists() for value in values):
            return redirect(request.path)
        return super().changelist_view(request, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        return super().get_search_results(request, queryset, " ".join(words_of(search_term)))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_right(self, request: HttpRequest, obj: Any, right: Right) -> bool:
        return has_right(request, right) if obj is None else self.may(request, obj, right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_right(request, obj, self.sees)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_view = self.is_editable and self.has_view_permission(request, obj)
        return may_view and self.has_right(request, obj, self.changes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {
            word: action
            for word, action in super().get_actions(request).items()
            if has_right(request, self.right_for(word))
        }

    # What is remembered

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return changes.of(form, formsets)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        self.remember(request, gettext_noop("entered"), obj, *message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        if any(message):
            self.remember(request, gettext_noop("changed"), obj, *message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self.remember(request, gettext_noop("deleted"), obj, {"name": str(obj)}, {})

    def remember(
        self, request: HttpRequest, verb: str, obj: Any, before: dict, after: dict
    ) -> None:
        trail.record(
            request.user,
            verb,
            obj,
            at=clock.now(),
            scope=self.scope_of(obj),
            before=before or None,
            after=after or None,
        )

    # Pages about one thing

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:pk>/{word}/",
                self.admin_site.admin_view(self.guarded(word, view)),
                name=self.page_name(word),
            )
            for word, view in self.pages()
        ]
        return own + super().get_urls()

    def guarded(self, word: str, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """The view, for those who have the right to this page."""

        @wraps(view)
        def opened(request: HttpRequest, pk: UUID) -> HttpResponse:
            self.load(request, pk, self.right_for(word))
            return view(request, pk)

        return opened

    def page_name(self, word: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{word}"

    def page_url(self, word: str, obj: Any) -> str:
        return reverse(f"admin:{self.page_name(word)}", args=[obj.pk])

    def change_url(self, obj: Any) -> str:
        return reverse(f"admin:{self.page_name('change')}", args=[obj.pk])

    def links(
        self, request: HttpRequest, obj: Any, pages: Iterable[tuple[Any, str]]
    ) -> list[tuple[str, str]]:
        """Of own pages, by what the link says and by word, those that open to this organiser."""
        return [
            (str(said), self.page_url(word, obj))
            for said, word in pages
            if self.may(request, obj, self.right_for(word))
        ]

    def load(self, request: HttpRequest, pk: Any, right: Right | None = None) -> Any:
        """The thing that a page is about; one out of scope is as missing as one that is not."""
        if not self.has_view_permission(request):
            raise Http404
        obj = get_object_or_404(self.get_queryset(request), pk=pk)
        if right is not None and not self.may(request, obj, right):
            raise PermissionDenied
        return obj

    def render_change_form(
        self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        context["tools"] = self.tools(request, obj) if obj is not None else []
        context["has_history"] = obj is not None and self.may(request, obj, self.remembers)
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict | None = None
    ) -> HttpResponse:
        """The timeline: who did what, when, and why."""
        obj = super().get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.may(request, obj, self.remembers):
            raise PermissionDenied
        entries = self.entries_for(request, obj).select_related("actor").order_by("-at", "-id")
        page = Paginator(entries, ENTRIES_A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of “%(name)s”") % {"name": obj},
            "object": obj,
            "opts": self.opts,
            "page": page,
            "lines": timeline.named_lines(page, self.zone_of(obj), but=obj),
        }
        return TemplateResponse(request, "admin/timeline.html", context)


class ScopedInline(Choices):
    """Rows inside a page: whoever may write there may write them."""

    parent_model: type[models.Model]
    is_editable = True
    extra = 0

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        page = self.admin_site.get_model_admin(self.parent_model)
        may = page.has_change_permission(request, obj) if obj else page.has_add_permission(request)
        return self.is_editable and may

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_organiser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_write(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_write(request, obj)


class ReadOnlyInline(ScopedInline, admin.TabularInline):
    """Rows that only verbs write, inside a page that only shows."""

    is_editable = False
    template = "admin/edit_inline/read_only.html"
