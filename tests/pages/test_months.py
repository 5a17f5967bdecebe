"""The calendar by month."""

from datetime import UTC, date, datetime, timedelta

import pytest

import clock
from clock import walls
from events import deadlines, schedule
from events.models import Deadline, Event
from tests.conftest import NEW_YORK, an_event

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def january(monkeypatch, now) -> None:
    """It is the 25th of January 2018."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2018, 1, 25, 12, tzinfo=UTC))


@pytest.fixture
def february(process, hearing, now) -> Event:
    """A hearing of 21 February in New York; its window runs from the last evening of January
    through 7 February, on the clocks there."""
    event = an_event(
        process,
        "february",
        hearing,
        starts_on=date(2018, 2, 21),
        ends_on=date(2018, 2, 21),
        starts_at=datetime(2018, 2, 21, 15, tzinfo=UTC),
        zone=NEW_YORK,
        city_en="New York",
    )
    deadlines.set_deadline(
        event,
        kind=Deadline.Kind.REGISTRATION,
        opens_at=datetime(2018, 2, 1, 1, tzinfo=UTC),
        closes_at=walls.closing(date(2018, 2, 7), None, NEW_YORK),
        by=None,
        now=now,
    )
    schedule.publish(event, by=None, now=now)
    Event.objects.exclude(pk=event.pk).update(state="draft")
    return event


def stands(response) -> list[tuple[str, str, str]]:
    return [
        (str(day), item.what, item.event.slug)
        for day, items in response.context["days"]
        for item in items
    ]


def test_a_month_has_its_events_and_windows_on_the_days_of_their_places(client, february):
    assert stands(client.get("/en/calendar/2018-02/")) == [
        ("2018-02-07", "closes", "february"),
        ("2018-02-21", "event", "february"),
    ]
    assert stands(client.get("/en/calendar/2018-01/")) == [("2018-01-31", "opens", "february")]
    assert stands(client.get("/en/calendar/2018-03/")) == []


def test_a_deadline_is_said_in_three_ways(client, february):
    page = client.get("/en/calendar/2018-02/").content.decode()

    assert '<strong class="tag warn">Deadline: Registration</strong>' in page
    assert "Wednesday 7 February 2018, 23:59" in page
    assert "New York time (UTC−5)" in page
    assert 'data-local="2018-02-08T04:59:00Z"' in page
    assert 'data-left="2018-02-08T05:00:00Z"' in page
    assert f'href="{february.calendar_url}"' in page


def test_it_leads_to_the_next_months_in_which_something_stands(client, february, process):
    Event.objects.filter(slug="hearing").update(
        state="published", starts_on=date(2018, 6, 30), ends_on=date(2018, 7, 2)
    )

    def ways(month: str) -> list[str]:
        context = client.get(f"/en/calendar/{month}").context
        return [f"{way:%Y-%m}" if way else "" for way in (context["earlier"], context["later"])]

    Deadline.objects.exclude(event=february).delete()
    assert ways("") == ["", "2018-02"]
    assert ways("2018-02/") == ["2018-01", "2018-06"]
    assert ways("2018-07/") == ["2018-06", ""]
    assert ways("1990-01/") == ["", "2018-01"]
    assert ways("2100-12/") == ["2018-07", ""]


def test_what_goes_on_stands_on_the_first_of_the_next_month(client, february):
    Event.objects.filter(pk=february.pk).update(ends_on=date(2018, 4, 2))

    assert stands(client.get("/en/calendar/2018-03/")) == [("2018-03-01", "event", "february")]


@pytest.mark.parametrize("state", ["postponed", "cancelled"])
def test_what_does_not_take_place_says_so_and_has_no_deadline(client, february, state):
    Event.objects.filter(pk=february.pk).update(state=state)

    page = client.get("/en/calendar/2018-02/")

    assert stands(page) == [("2018-02-21", "event", "february")]
    assert state.capitalize() in page.content.decode()


def test_drafts_stand_nowhere(client, february):
    Event.objects.update(state="draft")

    assert stands(client.get("/en/calendar/2018-02/")) == []
    assert client.get("/en/calendar/").context["later"] is None


def test_this_month_is_the_one_that_is_shown(client, february):
    page = client.get("/en/calendar/")

    assert page.context["month"] == date(2018, 1, 1)
    assert "<title>Calendar: January 2018" in page.content.decode()
    assert not client.cookies


@pytest.mark.parametrize("month", ["2018-13", "2018-00", "1989-12", "2101-01", "2018-2", "x"])
def test_what_is_no_month_is_not_found(client, now, month):
    assert client.get(f"/en/calendar/{month}/").status_code == 404


def test_many_events_need_no_more_queries(client, february, process, django_assert_num_queries):
    for number in range(20):
        event = an_event(
            process, f"m{number}", february, state="published", published_at=clock.now()
        )
        deadlines.set_deadline(
            event,
            kind=Deadline.Kind.REGISTRATION,
            closes_at=datetime(2018, 2, 9, tzinfo=UTC),
            by=None,
            now=clock.now(),
        )

    with django_assert_num_queries(4):  # the month's events and windows; all days there are
        client.get("/en/calendar/2018-02/")


def test_it_is_not_kept_over_the_close(client, february, settings, monkeypatch):
    settings.PAGES_KEPT_FOR = 60.0
    close = february.deadlines.get().closes_at
    monkeypatch.setattr(clock, "now", lambda: close - timedelta(seconds=0.001))
    assert " left</span>" in client.get("/en/calendar/2018-02/").content.decode()
    monkeypatch.setattr(clock, "now", lambda: close)

    import time

    time.sleep(0.01)
    assert "data-left" not in client.get("/en/calendar/2018-02/").content.decode()
