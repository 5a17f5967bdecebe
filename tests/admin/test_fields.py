"""No form of the organisers' side goes round a verb: whatever is posted, history stays."""

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events.models import (
    Category,
    Deadline,
    Document,
    Event,
    Option,
    Process,
    Question,
    Quota,
    ReminderStep,
    Role,
    Segment,
)
from notifications.models import Letter
from registrations.models import (
    Answer,
    Correction,
    Delegate,
    Exchange,
    Exemption,
    Invitation,
    Message,
    Registration,
    SegmentDecision,
)
from registrations.models import ImportRun as PeopleRun
from stakeholders.models import ImportRun, Membership, Organisation, Representative
from tests.admin.conftest import formset

# What an organiser may type; everything else of a registered model must stay as it is.
TYPED = {
    Process: {"name", "summary", "source"},
    Event: {
        *("kind", "name", "summary", "eligibility", "organiser", "venue", "room", "city"),
        *("country", "mode", "interpretation", "contact_email", "webcast_url", "recording_url"),
        *("source", "note", "evidence", "lists_participants"),
    },
    User: {"name", "language", "zone", "is_active", "is_staff", "is_superuser"},
    Role: set(),
    Deadline: set(),
    Letter: set(),
    Entry: set(),
    Organisation: set(),
    Membership: set(),
    ImportRun: set(),
    Representative: set(),
    Registration: set(),
    Delegate: set(),
    Invitation: set(),
    Exemption: set(),
    Correction: set(),
    PeopleRun: set(),
    Message: set(),
}
# Rows inside those pages that only verbs write.
KEPT = [
    *(Deadline, ReminderStep, Quota, Exchange, Membership, Delegate, Representative, Registration),
    *(Invitation, Exemption, SegmentDecision, Correction, Question, Option, Answer),
]
INLINES = {
    *("segments", "documents", "tracks", "categories", "memberships", "delegates", "exchanges"),
    *("corrections", "questions", "answers"),
}


@pytest.fixture
def things(
    sent,
    sent_by_bo,
    amina,
    deadline,
    clara_in,
    invitation,
    exemption,
    correction,
    import_run,
    message,
    now,
):
    delegate = sent.delegates.first()
    clara_in.post(
        reverse("admin:registrations_delegate_ask", args=[delegate.pk]),
        {"question": "Who pays?", "confirm": "yes"},
    )
    return {
        Process: sent.event.process,
        Event: sent.event,
        User: amina,
        Role: Role.objects.first(),
        Deadline: deadline,
        Letter: Letter.objects.first(),
        Entry: Entry.objects.first(),
        Organisation: sent.organisation,
        Membership: sent.organisation.memberships.get(),
        ImportRun: ImportRun.objects.create(by=amina, at=now, file_name="list.csv"),
        Representative: delegate.representative,
        Registration: sent,
        Delegate: delegate,
        Invitation: invitation,
        Exemption: exemption,
        Correction: correction,
        PeopleRun: import_run,
        Message: message,
    }


def columns(model):
    return list(model._meta.concrete_fields)


def is_typed(model, field):
    languages = ("_ar", "_zh_hans", "_en", "_fr", "_ru", "_es")
    stems = {field.name, *(field.name.removesuffix(code) for code in languages)}
    return bool(stems & TYPED[model])


def other_value(field, value):
    """Something valid that this column does not hold."""
    if field.is_relation:
        other = field.related_model.objects.exclude(pk=getattr(value, "pk", value)).first()
        return other.pk if other else ""
    if field.choices:
        others = (str(choice) for choice, _words in field.flatchoices if choice != value)
        return next(others, "mallory")
    if isinstance(field, models.BooleanField):
        return "" if value else "on"
    if isinstance(field, models.DateTimeField):
        return "2031-01-02 03:04:05"
    if isinstance(field, models.DateField):
        return "2031-01-02"
    if isinstance(field, models.IntegerField):
        return "7"
    if isinstance(field, models.EmailField):
        return "mallory@example.org"
    if isinstance(field, models.JSONField):
        return '{"mallory": 1}'
    if isinstance(field, models.UUIDField):
        return "00000000-0000-0000-0000-000000000001"
    return "mallory"


def attack(thing):
    """Every column of the thing under every name a form might read it by, made to differ."""
    posted = {"_save": "Save"}
    for field in columns(type(thing)):
        value = getattr(thing, field.attname)
        changed = other_value(field, value)
        posted[field.name] = posted[field.attname] = changed
        if isinstance(field, models.DateTimeField):
            posted[f"{field.name}_0"], posted[f"{field.name}_1"] = changed.split(" ")
        if is_typed(type(thing), field):
            posted[field.name] = value if value is not None else ""
    posted |= {"starts_time": "03:04", "ends_time": "05:06", "password": "x", "mallory": "x"}
    for prefix in INLINES:
        posted |= formset(prefix)
    return {name: "" if value is None else value for name, value in posted.items()}


def kept(thing):
    fresh = type(thing)._default_manager.get(pk=thing.pk)
    return {
        field.attname: getattr(fresh, field.attname)
        for field in columns(type(thing))
        if not is_typed(type(thing), field)
    }


def rows():
    return {model: list(model.objects.order_by("pk").values()) for model in KEPT}


def change_url(thing):
    opts = thing._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[thing.pk])


def test_every_registered_model_is_covered(things):
    assert set(admin.site._registry) == set(TYPED) == set(things)


def test_a_superuser_posts_everything_everywhere_and_history_stays(root_in, things):
    saved = set()
    for model, thing in things.items():
        before, all_rows, number = kept(thing), rows(), model.objects.count()

        response = root_in.post(change_url(thing), attack(thing))

        assert response.status_code in (302, 403), (model, response.status_code)
        saved |= {model} if response.status_code == 302 else set()
        assert kept(thing) == before, model
        assert rows() == all_rows, model
        assert model.objects.count() == number
    assert saved == {Process, Event, User}


def test_a_draft_event_keeps_its_state_too(root_in, things, hearing):
    Event.objects.filter(pk=hearing.pk).update(state="draft", published_at=None)
    hearing.refresh_from_db()
    posted = attack(hearing) | {
        "zone": "UTC",
        "slug": "hearing",
        "starts_on": "2031-01-02",
        "ends_on": "2031-01-02",
    }

    assert root_in.post(change_url(hearing), posted).status_code == 302

    fresh = Event.objects.get(pk=hearing.pk)
    assert fresh.starts_on.isoformat() == "2031-01-02"
    for name in ("id", "process_id", "state", "published_at", "previous_starts_on"):
        assert getattr(fresh, name) == getattr(hearing, name), name


def test_nothing_with_history_can_be_added_or_deleted(root_in, things):
    addable, deletable = set(), set()
    for model, thing in things.items():
        opts = model._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
        if root_in.get(url).status_code == 200:
            addable.add(model)
        else:
            number = model.objects.count()
            assert root_in.post(url, attack(thing)).status_code == 403, model
            assert model.objects.count() == number
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_delete", args=[thing.pk])
        if root_in.get(url).status_code == 200:
            deletable.add(model)
        else:
            assert root_in.post(url, {"post": "yes"}).status_code == 403, model
            assert model.objects.filter(pk=thing.pk).exists()
    assert addable == {Process, Event, Role, ImportRun}
    assert deletable == set()


def test_a_new_event_is_a_draft_whatever_is_posted(root_in, things, process):
    posted = attack(things[Event]) | {
        "slug": "planted",
        "process": process.pk,
        "name_en": "Planted",
        "zone": "UTC",
        "starts_on": "2031-01-02",
        "ends_on": "2031-01-02",
    }

    assert root_in.post(reverse("admin:events_event_add"), posted).status_code == 302

    event = Event.objects.get(slug="planted")
    assert (event.state, event.published_at, event.previous_starts_on) == ("draft", None, None)
    assert not event.deadlines.exists()


def test_rows_of_other_pages_cannot_be_smuggled_in(root_in, things):
    """A segment, document or category is written where its event or process is, and only there."""
    foreign = Event.objects.create(
        process=things[Process],
        slug="foreign",
        kind="hearing",
        name_en="Foreign",
        starts_on="2031-01-02",
        ends_on="2031-01-02",
        zone="UTC",
    )
    segment = Segment.objects.create(event=foreign, name_en="Theirs", date="2031-01-02")
    posted = attack(things[Event]) | formset(
        "segments", [{"id": segment.pk, "name_en": "Mine", "date": "2031-01-02"}]
    )
    posted["segments-INITIAL_FORMS"] = 1

    root_in.post(change_url(things[Event]), posted)

    segment.refresh_from_db()
    assert (segment.name_en, segment.event) == ("Theirs", foreign)
    assert Document.objects.count() == 0
    assert Category.objects.count() == 3


def test_a_pages_fields_are_named_here(root_in, things):
    """What a form offers is what TYPED says, so that a new field is a decision."""
    for model, thing in things.items():
        form = root_in.get(change_url(thing)).context["adminform"].form
        offered = {field.name for field in columns(model) if field.name in form.fields}
        unknown = [n for n in offered if not is_typed(model, model._meta.get_field(n))]
        assert unknown == [], model
        assert set(form.fields) == offered, model
