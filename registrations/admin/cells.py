"""What stands in the columns of the attendee list."""

from functools import lru_cache

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Case, Value, When
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from clock import shown
from events import texts
from events.admin.timeline import NOTHING
from events.asking import name_of
from events.models import Question, StakeholderGroup
from events.regions import COUNTRIES, REGION_OF, Region
from registrations.exports import COLUMNS, STATES
from registrations.models import TAGS, Delegate, said_as
from stakeholders.models import in_order_of_names

GROUP = "registration__organisation"
BOX = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">'
METHODS = {
    "name": "person",
    "state": "stand_and_post",
    "role": "role_said",
    "sent": "sent_short",
    "email": "email_guarded",
    "access_needs": "access_needs_guarded",
}
"""The columns whose method is not called as they are."""
KEYS = {method: key for key, method in METHODS.items()}


@lru_cache(maxsize=256)
def tag(text: str, kind: str) -> SafeString:
    return render_to_string("components/tag.html", {"text": text, "kind": kind})


def stand_of(delegate: Delegate) -> SafeString:
    """The state in the organisers' words, as a tag; the model's own words are the group's."""
    state = Delegate.State(delegate.state)
    return tag(str(STATES.get(state, state.label)), TAGS.get(state, ""))


def in_order_of_regions() -> Case:
    whens = [
        When(**{f"{GROUP}__country__in": codes}, then=Value(number))
        for number, codes in enumerate(COUNTRIES.values())
    ]
    return Case(*whens, default=Value(len(whens)))


def column(key: str, ordering: object = None) -> object:
    return admin.display(description=COLUMNS[key].heading, ordering=ordering)


def guarded(delegate: Delegate, key: str, text: str) -> str:
    """Nothing where the organiser has no right to it."""
    return text or NOTHING if COLUMNS[key].needs in delegate.rights else NOTHING


class AnswerCell:
    """The answers to one question, as the list has read them."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.__name__ = name_of(question)
        self.read_as = self.__name__.replace("-", "_")
        self.short_description = Truncator(str(question)).chars(60)

    def __call__(self, obj: Delegate) -> str:
        kept = getattr(obj, self.read_as)
        return said_as(self.question, kept) if kept else NOTHING


class Cells:
    """Each takes a delegate as the list has read it."""

    @admin.display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Delegate) -> SafeString:
        """Django's own box, without asking a template for each."""
        label = _("Select %(name)s for an action") % {"name": obj}
        return format_html(BOX, ACTION_CHECKBOX_NAME, obj.pk, label)

    @column("name", "representative__search_text")
    def person(self, obj: Delegate) -> str:
        return obj.representative.full_name

    @column("given_names", "representative__given_names")
    def given_names(self, obj: Delegate) -> str:
        return obj.representative.given_names

    @column("family_name", "representative__family_name")
    def family_name(self, obj: Delegate) -> str:
        return obj.representative.family_name or NOTHING

    @column("organisation", in_order_of_names(f"{GROUP}__search_text"))
    def organisation(self, obj: Delegate) -> str:
        return str(obj.registration.organisation)

    @column("acronym", f"{GROUP}__acronym")
    def acronym(self, obj: Delegate) -> str:
        return obj.registration.organisation.acronym or NOTHING

    @column("country", f"{GROUP}__country")
    def country(self, obj: Delegate) -> str:
        code = obj.registration.organisation.country.code
        return str(countries.name(code)) if code else NOTHING

    @column("region", in_order_of_regions())
    def region(self, obj: Delegate) -> str:
        region = REGION_OF.get(obj.registration.organisation.country.code)
        return str(Region(region).label) if region else NOTHING

    @column("category", f"{GROUP}__category")
    def category(self, obj: Delegate) -> str:
        code = obj.registration.organisation.category
        return str(StakeholderGroup(code).label) if code else NOTHING

    @column("event", "registration__event__starts_on")
    def event(self, obj: Delegate) -> str:
        return obj.event_said

    @column("role", "role")
    def role_said(self, obj: Delegate) -> str:
        return str(Delegate.Role(obj.role).label)

    @column("state", "state")
    def stand_and_post(self, obj: Delegate) -> SafeString:
        """The state; and a warning where letters to a focal point come back."""
        if not obj.letters_come_back:
            return stand_of(obj)
        return stand_of(obj) + mark_safe(" ") + tag(_("Letters come back"), "bad")

    @column("place", "waits_as")
    def place(self, obj: Delegate) -> str:
        return str(obj.place) if obj.place is not None else NOTHING

    @column("track", "registration__track__name_en")
    def track(self, obj: Delegate) -> str:
        return str(obj.registration.track or NOTHING)

    @column("reference", "registration__reference")
    def reference(self, obj: Delegate) -> str:
        return obj.registration.reference

    @admin.display(
        description=gettext_lazy("sent (time of the event)"), ordering="registration__sent_at"
    )
    def sent_short(self, obj: Delegate) -> str:
        sent_at = obj.registration.sent_at
        if sent_at is None:
            return NOTHING
        return shown.moment(sent_at, obj.registration.event.zone, weekday=False)

    @column("confirmed", "state")
    def confirmed(self, obj: Delegate) -> str:
        return _("yes") if obj.state == Delegate.State.CONFIRMED else _("no")

    @column("listed", "listed_at")
    def listed(self, obj: Delegate) -> str:
        return _("yes") if obj.listed_at else _("no")

    @column("assigned_to", "registration__assigned_to__name")
    def assigned_to(self, obj: Delegate) -> str:
        return str(obj.registration.assigned_to or NOTHING)

    @column("tags")
    def tags(self, obj: Delegate) -> str:
        return texts.listed(obj.tags) or NOTHING

    @column("email")
    def email_guarded(self, obj: Delegate) -> str:
        return guarded(obj, "email", obj.representative.email)

    @column("access_needs")
    def access_needs_guarded(self, obj: Delegate) -> str:
        return guarded(obj, "access_needs", obj.access_needs)
