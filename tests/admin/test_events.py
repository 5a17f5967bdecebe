from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import roles
from events.models import Category, Document, Event, Process, Segment
from tests.admin.conftest import NEW_YORK, formset
from tests.conftest import signed_in

ADD = reverse("admin:events_event_add")


def typed(process, segments=(), documents=(), tracks=(), **changes):
    return {
        "process": process.pk,
        "kind": "hearing",
        "slug": "new-hearing",
        "name_en": "A new hearing",
        "zone": NEW_YORK,
        "starts_on": "2018-02-21",
        "starts_time": "10:00",
        "ends_on": "2018-02-21",
        "ends_time": "18:00",
        "mode": "in_person",
        "interpretation": ["ar", "fr"],
        **formset("segments", segments),
        **formset("documents", documents),
        **formset("tracks", tracks),
        **changes,
    }


def errors(response):
    return response.context["adminform"].form.errors


def test_an_event_is_entered_as_a_draft_with_times_of_its_zone(clara_in, clara, process):
    opening = {"name_en": "Opening", "date": "2018-02-21", "starts_time": "10:00"}

    response = clara_in.post(ADD, typed(process, [opening]))

    assert response.status_code == 302
    event = Event.objects.get()
    assert event.state == "draft"
    assert event.starts_at == datetime(2018, 2, 21, 15, tzinfo=UTC)
    assert event.ends_at == datetime(2018, 2, 21, 23, tzinfo=UTC)
    assert event.interpretation == ["ar", "fr"]
    assert event.segments.get().starts_at == datetime(2018, 2, 21, 15, tzinfo=UTC)
    entry = Entry.objects.get(scope=event.pk)
    assert (entry.actor, entry.verb) == (clara, "entered")
    assert entry.after["name_en"] == "A new hearing"
    assert entry.after["segment"]["Opening"]["starts_time"] == "10:00"


def test_titles_leave_their_sentences_alone(clara_in, process):
    opening = {"name_en": "Ope\x01ning\u202e", "date": "2018-02-21"}

    clara_in.post(ADD, typed(process, [opening], name_en="A new\r\n hearing\u2067"))

    event = Event.objects.get()
    assert (event.name, event.segments.get().name) == ("A new hearing", "Ope ning")


def test_its_history_names_the_process_it_was_entered_in(root_in, process):
    root_in.post(ADD, typed(process))
    event = Event.objects.get()

    page = root_in.get(reverse("admin:events_event_history", args=[event.pk]))

    (entered,) = page.context["lines"]
    told = {change.label: change.after for change in entered.changes}
    assert told["Process"] == "Global Compact for Migration"


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        (
            {"starts_on": "2018-03-11", "ends_on": "2018-03-11", "starts_time": "02:30"},
            "starts_time",
            "that time does not exist",
        ),
        (
            {"starts_on": "2018-11-04", "ends_on": "2018-11-04", "starts_time": "01:30"},
            "starts_time",
            "Say which of the two you mean",
        ),
        ({"ends_on": "2018-02-20"}, "ends_on", "The last day lies before the first."),
        ({"ends_time": "09:00"}, "ends_time", "It ends before it begins."),
        ({"starts_on": "2018-02-30"}, "starts_on", "Write a date that exists"),
        ({"zone": "Mars/Olympus"}, "zone", "Select a valid choice"),
        ({"slug": ""}, "slug", "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(clara_in, process, changes, field, sentence):
    response = clara_in.post(ADD, typed(process, **changes))

    assert list(errors(response)) == [field]
    assert sentence in errors(response)[field][0]
    assert "A new hearing" in response.content.decode()
    assert Event.objects.count() == 0


def test_a_time_that_comes_twice_is_asked_about(clara_in, process):
    twice = {"starts_on": "2018-11-04", "ends_on": "2018-11-04", "starts_time": "01:30"}

    page = clara_in.post(ADD, typed(process, **twice)).content.decode()
    assert '<select name="starts_which"' in page
    assert '<input type="hidden" name="ends_which"' in page
    clara_in.post(ADD, typed(process, **twice, starts_which="1"))

    event = Event.objects.get()
    assert event.starts_at == datetime(2018, 11, 4, 6, 30, tzinfo=UTC)
    form = clara_in.get(change_url(event)).context["adminform"].form
    assert form.initial["starts_which"] == 1


def change_url(event):
    return reverse("admin:events_event_change", args=[event.pk])


def page_url(event, word):
    return reverse(f"admin:events_event_{word}", args=[event.pk])


def test_a_draft_is_published_and_then_keeps_its_days_in_the_form(clara_in, process):
    clara_in.post(ADD, typed(process))
    event = Event.objects.get()

    clara_in.post(page_url(event, "publish"), {"confirm": "yes"})
    event.refresh_from_db()
    assert event.is_published
    changed = typed(
        process, starts_on="2019-01-01", ends_on="2019-01-01", slug="x", venue_en="Hall"
    )
    response = clara_in.post(change_url(event), changed)

    assert response.status_code == 302
    event.refresh_from_db()
    assert event.venue_en == "Hall"
    assert (event.starts_on, event.slug) == (date(2018, 2, 21), "new-hearing")
    assert event.starts_at == datetime(2018, 2, 21, 15, tzinfo=UTC)
    verbs = list(Entry.objects.filter(scope=event.pk).order_by("id").values_list("verb", flat=True))
    assert verbs == ["entered", "published", "changed"]
    entry = Entry.objects.get(verb="changed")
    assert (entry.before, entry.after) == ({"venue_en": ""}, {"venue_en": "Hall"})


def test_the_timeline_tells_who_did_what(clara_in, clara, hearing):
    clara_in.post(change_url(hearing), typed(hearing.process, name_ar="جلسة", mode="online"))

    page = clara_in.get(reverse("admin:events_event_history", args=[hearing.pk]))

    newest = page.context["lines"][0]
    assert (newest.what, newest.who) == ("Changed", "Clara Weiss")
    assert newest.when.endswith(("New York time (UTC−5)", "New York time (UTC−4)"))
    told = {change.label: (change.before, change.after) for change in newest.changes}
    assert told["Mode"] == ("In person", "Online")
    assert told["Name (Arabic)"] == ("جلسة استماع بشأن الاتفاق العالمي", "جلسة")
    assert "Deadline set" in [line.what for line in page.context["lines"]]


def test_moved_postponed_cancelled(clara_in, hearing):
    moved = {
        "starts_on": "2035-05-08",
        "starts_time": "09:30",
        "ends_on": "2035-05-09",
        "reason": "The room floods.",
        "confirm": "yes",
    }
    old = hearing.starts_on

    clara_in.post(page_url(hearing, "postpone"), {"reason": "Wait.", "confirm": "yes"})
    hearing.refresh_from_db()
    assert hearing.state == "postponed"
    clara_in.post(page_url(hearing, "move"), moved)
    hearing.refresh_from_db()
    assert (hearing.state, hearing.previous_starts_on) == ("published", old)
    assert hearing.starts_at == datetime(2035, 5, 8, 13, 30, tzinfo=UTC)
    clara_in.post(page_url(hearing, "cancel"), {"reason": "No money.", "confirm": "yes"})
    hearing.refresh_from_db()
    assert hearing.state == "cancelled"


def test_what_may_not_happen_is_said_and_what_was_typed_is_kept(clara_in, hearing):
    clara_in.post(page_url(hearing, "cancel"), {"reason": "No money.", "confirm": "yes"})

    for word in ("publish", "postpone", "cancel"):
        response = clara_in.post(
            page_url(hearing, word), {"reason": "Because of it.", "confirm": "yes"}
        )
        assert response.context["form"].non_field_errors() == [
            "“Hearing on the Global Compact” is cancelled. That cannot be done now."
        ]
        assert "Because of it." in response.content.decode() or word == "publish"


@pytest.mark.parametrize("word", ["postpone", "cancel", "move"])
def test_the_reason_must_be_given(clara_in, hearing, word):
    response = clara_in.post(page_url(hearing, word), {"reason": "", "confirm": "yes"})

    assert response.context["form"].errors["reason"] == ["Write the reason."]
    hearing.refresh_from_db()
    assert hearing.is_published


def test_a_manager_adds_events_in_own_processes_only(clara_in, dina_in, process):
    other = Process.objects.get(slug="other")

    response = clara_in.post(ADD, typed(other))

    assert list(errors(response)) == ["process"]
    offered = clara_in.get(ADD).context["adminform"].form.fields["process"].queryset
    assert list(offered) == [process]
    assert clara_in.get(ADD).context["adminform"].form.initial["process"] == process.pk


def test_nobody_shuts_the_door_on_themselves(root_in, root):
    url = reverse("admin:accounts_user_change", args=[root.pk])

    root_in.post(url, {"name": "Root", "language": "en", "zone": "UTC"})

    root.refresh_from_db()
    assert (root.is_superuser, root.is_staff, root.is_active) == (True, True, True)


def test_who_made_a_superuser_is_remembered(root_in, root, amina):
    url = reverse("admin:accounts_user_change", args=[amina.pk])

    root_in.post(
        url,
        {"name": "Amina", "language": "en", "zone": "UTC", "is_active": "on", "is_superuser": "on"},
    )

    entry = Entry.objects.about(amina).get()
    assert entry.actor == root
    assert entry.after["is_superuser"] is True
    assert entry.before["is_superuser"] is False


OPENING = {"name_en": "Opening", "date": "2018-02-21"}
AGENDA = {"title_en": "Agenda", "url": "https://example.org/agenda"}
TWICE = [
    ("segments", OPENING, {**OPENING, "starts_time": "10:00"}, "name_en", "day and name"),
    ("documents", AGENDA, {**AGENDA, "title_en": "Programme"}, "url", "address"),
]


def row_errors(response, prefix):
    [formset] = [
        one.formset
        for one in response.context["inline_admin_formsets"]
        if one.formset.prefix == prefix
    ]
    return formset.errors


@pytest.mark.parametrize(("prefix", "row", "again", "field", "words"), TWICE)
def test_the_same_row_twice_is_said_beside_it(clara_in, process, prefix, row, again, field, words):
    response = clara_in.post(ADD, typed(process, **{prefix: [row, again]}))

    name = next(iter(row.values()))
    sentence = f"“{name}” has the same {words}. Change one of the two."
    assert row_errors(response, prefix) == [{}, {field: [sentence]}]
    assert sentence in response.content.decode()
    assert again["title_en" if prefix == "documents" else "name_en"] in response.content.decode()
    assert Event.objects.count() == 0


@pytest.mark.parametrize(("prefix", "row", "again", "field", "words"), TWICE)
def test_a_page_sent_twice_enters_its_rows_once(
    clara_in, hearing, prefix, row, again, field, words
):
    posted = typed(hearing.process, **{prefix: [row]})
    clara_in.post(change_url(hearing), posted)

    response = clara_in.post(change_url(hearing), posted)

    assert list(row_errors(response, prefix)[0]) == [field]
    assert Segment.objects.count() + Document.objects.count() == 1


def test_rows_change_places_without_harm(clara_in, hearing):
    """What a row gives up, a later one may take; an earlier one would collide, and hears so."""
    first = Document.objects.create(event=hearing, title_en="A", url="https://example.org/1")
    second = Document.objects.create(event=hearing, title_en="B", url="https://example.org/2")
    third = Document.objects.create(event=hearing, title_en="C", url="https://example.org/3")

    def save(*urls, **extra):
        rows = [
            {"id": one.pk, "title_en": one.title_en, "url": url}
            for one, url in zip((first, second, third), urls, strict=True)
        ]
        posted = typed(hearing.process, documents=rows, **extra)
        return clara_in.post(change_url(hearing), posted | {"documents-INITIAL_FORMS": 3})

    one, two, three, four = (f"https://example.org/{n}" for n in (1, 2, 3, 4))
    assert list(row_errors(save(two, one, three), "documents")[0]) == ["url"]
    assert save(four, one, three).status_code == 302
    deleted = save(four, one, one, **{"documents-1-DELETE": "on"})
    assert deleted.status_code == 302
    assert sorted(Document.objects.values_list("title_en", "url")) == [("A", four), ("C", one)]


def test_a_group_stands_in_a_process_once(root_in):
    row = {"code": "youth", "position": 0, "name_en": "Youth"}
    posted = {
        "slug": "new",
        "prefix": "NEW",
        "name_en": "New",
        **formset("categories", [row, {**row, "name_en": "Young people"}]),
    }

    response = root_in.post(reverse("admin:events_process_add"), posted)

    assert row_errors(response, "categories") == [
        {},
        {"code": ["“Youth” has the same statistical group. Change one of the two."]},
    ]
    assert "Young people" in response.content.decode()
    assert Category.objects.count() == 0


@pytest.mark.parametrize("prefix", ["G", "gcm", "G/M", "GCM-1", "ج م"])
def test_references_begin_with_capitals_and_digits(root_in, prefix):
    posted = {"slug": "new", "prefix": prefix, "name_en": "New", **formset("categories")}

    response = root_in.post(reverse("admin:events_process_add"), posted)

    assert errors(response) == {
        "prefix": ["Write 2 to 6 capital Latin letters or digits, like GCM."]
    }
    assert Process.objects.count() == 0


def like(event) -> str:
    return reverse("admin:events_event_begin_like", args=[event.pk])


def test_a_new_event_is_begun_like_an_old_one(clara_in, hearing, deadline):
    page = reverse("admin:events_event_change", args=[hearing.pk])
    assert like(hearing) in clara_in.get(page).content.decode()

    day = (hearing.starts_on + timedelta(days=90)).isoformat()
    typed = {"name": "Hearing of May", "slug": "may", "starts_on": day, "confirm": "yes"}
    done = clara_in.post(like(hearing), typed, follow=True)

    new = Event.objects.get(slug="may")
    assert done.request["PATH_INFO"] == reverse("admin:events_event_change", args=[new.pk])
    assert "“Hearing of May” is begun." in done.content.decode()
    assert new.deadlines.get().closes_at.date() > deadline.closes_at.date()


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"name": ""}, "name", "required"),
        ({"slug": "hearing"}, "slug", "Another event has this address already: hearing"),
        ({"slug": "a b"}, "slug", "letters, numbers, underscores or hyphens"),
        ({"starts_on": "2026-02-30"}, "starts_on", "date"),
        ({"starts_on": "9999-12-31"}, "starts_on", "2100"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(clara_in, hearing, typed, field, sentence):
    right = {"name": "May", "slug": "may", "starts_on": "2026-05-21", "confirm": "yes"}

    answer = clara_in.post(like(hearing), right | typed)

    assert answer.status_code == 200
    assert sentence in " ".join(answer.context["form"].errors[field])
    assert answer.context["form"][field].value() == typed[field]
    assert not Event.objects.filter(slug="may").exists()


def test_whoever_manages_one_event_begins_no_other(hearing, now):
    eva = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(eva, on=hearing, by=None, now=now)
    eva_in = signed_in(eva)

    page = reverse("admin:events_event_change", args=[hearing.pk])
    assert like(hearing) not in eva_in.get(page).content.decode()
    assert eva_in.get(like(hearing)).status_code == 403
