"""The reminders of an event: looked at in the order of their moments, skipped, sent before."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import deadlines, roles, schedule, steps
from events.models import Follower
from notifications.models import Letter
from registrations import reminders
from tests.conftest import signed_in


@pytest.fixture
def url(hearing) -> str:
    return reverse("admin:events_event_reminders", args=[hearing.pk])


@pytest.fixture
def step(deadline):
    """The one of two days before, which is to come."""
    return deadline.steps.get(amount=48)


@pytest.fixture
def followers(hearing, now) -> None:
    for address, language in (("nadia@news.example", "en"), ("hala@news.example", "ar")):
        Follower.objects.create(
            event=hearing,
            email=address,
            language=language,
            asked_at=now - timedelta(days=20),
            confirmed_at=now - timedelta(days=20),
        )


def page_of(step, word: str) -> str:
    return reverse(f"admin:events_deadline_{word}_step", args=[step.deadline_id, step.pk])


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


def rows(response) -> list[tuple]:
    return [
        (row.window, row.step, row.stand, row.readers, row.letters, [said for said, _ in row.links])
        for row in response.context["rows"]
    ]


def test_they_stand_in_the_order_of_their_moments(clara_in, draft, followers, url, hearing, now):
    deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + timedelta(days=16), by=None, now=now
    )

    page = clara_in.get(url)

    reached = "1 focal point with an unsent draft, 2 followers"
    everybody = "before: Everybody concerned"
    can = ["Skip", "Send now"]
    assert [row for row in rows(page) if row[0] == "Registration"] == [
        ("Registration", f"14 days {everybody}", "past", "–", "–", []),
        ("Registration", f"7 days {everybody}", "to come", reached, "–", can),
        ("Registration", f"48 hours {everybody}", "to come", reached, "–", can),
        ("Registration", f"24 hours {everybody}", "to come", reached, "–", can),
    ]
    moments = [row.at for row in page.context["rows"]]
    assert moments == sorted(moments)
    assert {row.window for row in page.context["rows"]} == {"Registration", "Confirmation"}
    assert all("New York time" in row.said for row in page.context["rows"])


def test_one_is_skipped_and_taken_up_again(clara_in, clara, draft, url, step, deadline):
    asked = clara_in.get(page_of(step, "skip"))
    assert asked.context["people"] == ["1 focal point with an unsent draft", "English: 1"]
    done = clara_in.post(page_of(step, "skip"), {"confirm": "yes"}, follow=True)

    assert "Skipped: 48 hours before: Everybody concerned." in words(done)
    skipped = ("Registration", "48 hours before: Everybody concerned", "skipped", "–", "–")
    assert rows(done)[2] == (*skipped, ["Take the skip back"])
    change = reverse("admin:events_deadline_change", args=[deadline.pk])
    assert [row["is_skipped"] for row in clara_in.get(change).context["steps"]] == [
        False,
        False,
        True,
        False,
    ]
    overview = clara_in.get(reverse("admin:events_event_overview", args=[deadline.event_id]))
    assert "Skipped: nobody is reminded." in words(overview)
    again = clara_in.post(page_of(step, "skip"), {"confirm": "yes"})
    assert "The reminder 48 hours before is skipped." in words(again)

    done = clara_in.post(page_of(step, "resume"), {"confirm": "yes"}, follow=True)
    assert rows(done)[2][2] == "to come"
    told = Entry.objects.about(deadline).filter(actor=clara).order_by("id")
    assert [entry.verb for entry in told] == ["reminder skipped", "reminder no longer skipped"]
    history = clara_in.get(reverse("admin:events_deadline_history", args=[deadline.pk]))
    assert "Reminder: – → 48 hours before" in words(history)


def test_one_is_sent_now_and_not_again(clara_in, draft, followers, url, step, deadline):
    asked = clara_in.get(page_of(step, "send"))
    assert asked.context["people"] == [
        "1 focal point with an unsent draft, 2 followers",
        "Arabic: 1",
        "English: 2",
    ]
    done = clara_in.post(page_of(step, "send"), {"confirm": "yes"}, follow=True)

    assert "The reminder is on its way to 3 readers." in words(done)
    assert rows(done)[2][2:5] == ("to come", "nobody", "waiting: 3")
    again = clara_in.post(page_of(step, "send"), {"confirm": "yes"})
    assert "Everybody whom the reminder 48 hours before reaches has it already." in words(again)
    reminders.send_due(now=step.due_at(deadline))
    assert Letter.objects.filter(key__contains=":48h:").count() == 3


def test_where_nobody_is_reminded_the_page_says_so(clara_in, clara, draft, url, step, hearing, now):
    schedule.postpone(hearing, by=clara, now=now, reason="Flood.")

    assert clara_in.get(url).context["rests"] == ("Nobody is reminded now: the event is postponed.")
    refused = clara_in.post(page_of(step, "send"), {"confirm": "yes"})
    assert "Nobody is reminded now: the event is postponed." in words(refused)


def test_a_reader_looks_and_does_nothing(draft, url, step, hearing, now):
    eva = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(eva, on=hearing, kind="reader", by=None, now=now)
    eva_in = signed_in(eva)

    assert [row[5] for row in rows(eva_in.get(url))] == [[], [], [], []]
    for word in ("skip", "resume", "send"):
        assert eva_in.post(page_of(step, word), {"confirm": "yes"}).status_code == 403
    step.refresh_from_db()
    assert (step.skipped_for, Letter.objects.filter(key__contains=":48h:").count()) == (None, 0)


def test_a_reminder_of_another_deadline_or_of_none_is_not_there(
    clara_in, step, deadline, hearing, now
):
    other = deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + timedelta(days=16), by=None, now=now
    )
    crossed = reverse("admin:events_deadline_skip_step", args=[other.pk, step.pk])
    removed = page_of(step, "skip")
    steps.remove(step, by=None, now=now)

    assert [clara_in.get(address).status_code for address in (crossed, removed)] == [404, 404]


def test_the_page_asks_as_much_for_many_readers_as_for_few(
    clara_in, draft, url, hearing, now, connection_queries
):
    def follow(first: int, last: int) -> None:
        for number in range(first, last):
            Follower.objects.create(
                event=hearing,
                email=f"f{number}@news.example",
                language="en",
                asked_at=now,
                confirmed_at=now,
            )

    follow(0, 2)
    clara_in.get(url)
    few = connection_queries(lambda: clara_in.get(url))
    follow(2, 20)
    assert connection_queries(lambda: clara_in.get(url)) == few
