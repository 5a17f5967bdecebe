from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import clock
from audit.models import Entry
from clock import walls
from events.models import DeadlineChange
from notifications.models import Kind, Letter
from registrations import announcements, reminders
from tests.admin.conftest import NEW_YORK


@pytest.fixture
def move_url(deadline) -> str:
    return reverse("admin:events_deadline_move", args=[deadline.pk])


@pytest.fixture
def page_url(deadline) -> str:
    return reverse("admin:events_deadline_change", args=[deadline.pk])


@pytest.fixture
def tomorrow(now):
    return now.astimezone(walls.zone_of(NEW_YORK)).date() + timedelta(days=1)


@pytest.fixture
def typed(tomorrow) -> dict:
    return {"day": tomorrow.isoformat(), "time": "23:59", "reason": "The room is booked."}


@pytest.fixture
def reminded(draft, deadline) -> Letter:
    """A reminder with the old date, in the queue."""
    draft.begun_at -= timedelta(days=20)
    draft.save()
    step = deadline.steps.get(amount=14)
    assert reminders.send_due(now=step.due_at(deadline) + timedelta(hours=1)) == 1
    return Letter.objects.get(about=deadline.pk)


def test_what_would_happen_is_shown_first(clara_in, deadline, move_url, typed, reminded):
    before = deadline.closes_at

    response = clara_in.post(move_url, {**typed, "previewed": "", "confirm": "yes"})

    deadline.refresh_from_db()
    assert deadline.closes_at == before
    assert DeadlineChange.objects.count() == 0
    assert "1 group has an unsent draft." in response.context["letters"]
    assert "1 reminder with the old date waits and is taken back." in response.context["letters"]
    assert [line.split(":")[0] for line in response.context["people"]] == [
        "14 days before",
        "7 days before",
        "48 hours before",
        "24 hours before",
    ]
    assert "Told of it as of now: 1 focal point of a group." in response.context["letters"]
    whom = "to 1 focal point with an unsent draft as of now"
    assert [line.endswith(whom) for line in response.context["people"]] == [
        False,
        False,
        False,
        True,
    ]
    reminded.refresh_from_db()
    assert reminded.state == "queued"


def test_moved_to_2359_tomorrow(
    clara_in, clara, client, deadline, hearing, move_url, page_url, typed, tomorrow, reminded
):
    old = deadline.closes_at
    new = walls.start_of(tomorrow + timedelta(days=1), NEW_YORK)
    shown = clara_in.post(move_url, {**typed, "previewed": "", "confirm": "yes"})

    response = clara_in.post(move_url, {**typed, **dict(shown.context["hidden"]), "confirm": "yes"})

    assert response.url == page_url
    deadline.refresh_from_db()
    assert deadline.closes_at == new
    change = DeadlineChange.objects.get()
    assert (change.old_closes_at, change.new_closes_at) == (old, new)
    assert (change.by, change.reason) == (clara, "The room is booked.")
    entry = Entry.objects.about(deadline).get(verb="deadline moved")
    assert entry.after == {"closes_at": new.isoformat()}
    reminded.refresh_from_db()
    assert reminded.state == "cancelled"

    page = clara_in.get(page_url).content.decode()
    assert f"{tomorrow.day} {tomorrow:%B %Y}, 23:59" in page
    assert "The room is booked." in page
    assert "Deadline moved" in page
    assert "Clara Weiss" in page

    public = client.get(hearing.get_absolute_url()).content.decode()
    assert f"{tomorrow.day} {tomorrow:%B %Y}, 23:59" in public
    calendar = client.get(hearing.calendar_url).content.decode()
    assert f"{new:%Y%m%dT%H%M%SZ}" in calendar
    assert f"{old:%Y%m%dT%H%M%SZ}" not in calendar


def test_the_next_reminder_follows_the_new_date(clara_in, deadline, move_url, typed, reminded):
    clara_in.post(move_url, {**typed, "confirm": "yes"})
    deadline.refresh_from_db()

    step = deadline.steps.get(amount=24)
    due_at = step.due_at(deadline)
    announcements.tell_changes(now=clock.now() + timedelta(minutes=5))
    assert reminders.send_due(now=due_at - timedelta(minutes=1)) == 0
    assert reminders.send_due(now=due_at) == 1
    letter = Letter.objects.get(about=deadline.pk, kind=Kind.REMINDER, state="queued")
    assert ":24h:" in letter.key
    assert letter.expires_at == deadline.closes_at


@pytest.mark.django_db(transaction=True)
def test_the_pages_stand_without_a_transaction_around_them(
    clara_in, deadline, draft, move_url, page_url, typed
):
    assert clara_in.get(page_url).context["steps"][-1]["readers"] == (
        "1 focal point with an unsent draft"
    )
    shown = clara_in.post(move_url, {**typed, "previewed": "", "confirm": "yes"})
    assert len(shown.context["people"]) == 4
    moved = clara_in.post(move_url, {**typed, **dict(shown.context["hidden"]), "confirm": "yes"})
    assert moved.url == page_url


def test_who_looks_at_a_deadline_holds_no_draft(clara_in, draft, page_url):
    with CaptureQueriesContext(connection) as queries:
        response = clara_in.get(page_url)

    assert response.context["steps"][-1]["readers"] == "1 focal point with an unsent draft"
    assert [query["sql"] for query in queries if " FOR " in query["sql"]] == []


def test_a_date_changed_after_the_preview_is_shown_again(
    clara_in, deadline, move_url, typed, tomorrow
):
    shown = clara_in.post(move_url, {**typed, "previewed": "", "confirm": "yes"})
    later = {**typed, "day": (tomorrow + timedelta(days=2)).isoformat()}

    again = clara_in.post(move_url, {**later, **dict(shown.context["hidden"]), "confirm": "yes"})

    assert again.status_code == 200
    assert DeadlineChange.objects.count() == 0
    assert again.context["hidden"] != shown.context["hidden"]


@pytest.mark.parametrize("previewed", [{}, {"previewed": ""}])
def test_refusals_stand_beside_the_field_and_nothing_is_lost(
    clara_in, deadline, move_url, tomorrow, previewed
):
    past = {"day": (tomorrow - timedelta(days=3)).isoformat(), "time": "", "reason": "An error."}

    response = clara_in.post(move_url, {**past, **previewed, "confirm": "yes"})

    assert "is past. Choose a later moment." in response.context["form"].errors["day"][0]
    assert "An error." in response.content.decode()
    assert DeadlineChange.objects.count() == 0


def test_a_move_needs_a_reason(clara_in, move_url, typed):
    response = clara_in.post(move_url, {**typed, "reason": " ", "confirm": "yes"})

    assert response.context["form"].errors == {"reason": ["Write the reason."]}
    assert DeadlineChange.objects.count() == 0


@pytest.mark.parametrize(
    ("day", "time", "field", "sentence"),
    [
        ("2035-03-11", "02:30", "time", "that time does not exist"),
        ("2035-11-04", "01:30", "which", "Say which of the two you mean"),
        ("2035-02-30", "", "day", "Write a date that exists"),
    ],
)
def test_times_that_are_not_one_moment(clara_in, move_url, day, time, field, sentence):
    response = clara_in.post(
        move_url, {"day": day, "time": time, "reason": "Later.", "confirm": "yes"}
    )

    assert sentence in response.context["form"].errors[field][0]
    assert DeadlineChange.objects.count() == 0


def test_a_deadline_is_set_once(clara_in, hearing, tomorrow):
    url = reverse("admin:events_deadline_set", args=[hearing.pk])
    typed = {
        "kind": "speaking",
        "opens_on": tomorrow.isoformat(),
        "closes_on": tomorrow.isoformat(),
        "closes_time": "23:59",
        "confirm": "yes",
    }
    assert "registration" not in [kind for kind, _ in form_of(clara_in, url).fields["kind"].choices]

    assert clara_in.post(url, typed).status_code == 302
    again = clara_in.post(url, typed)

    assert "kind" in again.context["form"].errors
    deadline = hearing.deadlines.get(kind="speaking")
    assert deadline.opens_at == walls.start_of(tomorrow, NEW_YORK)
    assert deadline.closes_at == walls.start_of(tomorrow + timedelta(days=1), NEW_YORK)
    assert deadline.set_at <= clock.now()


def test_a_window_does_not_close_before_it_opens(clara_in, hearing, tomorrow):
    url = reverse("admin:events_deadline_set", args=[hearing.pk])
    typed = {
        "kind": "speaking",
        "opens_on": (tomorrow + timedelta(days=3)).isoformat(),
        "closes_on": tomorrow.isoformat(),
        "confirm": "yes",
    }

    form = clara_in.post(url, typed).context["form"]

    assert "It cannot close before that." in form.errors["closes_on"][0]
    assert not hearing.deadlines.filter(kind="speaking").exists()


def form_of(client, url):
    return client.get(url).context["form"]
