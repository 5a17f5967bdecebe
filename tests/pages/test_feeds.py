from datetime import date, datetime, time, timedelta

import icalendar
import pytest

from audit import trail
from clock import walls
from events import deadlines, schedule
from events.models import Event

ADDRESS = "/en/events/hearing/calendar.ics"


def entries(client, address: str = ADDRESS) -> tuple:
    """The meeting and its deadlines."""
    answer = client.get(address)
    assert answer.status_code == 200
    calendar = icalendar.Calendar.from_ical(answer.content)
    meeting, *windows = calendar.walk("VEVENT")
    return meeting, windows


@pytest.fixture
def timed(hearing) -> Event:
    """The hearing, from 10:00 to 18:00 New York."""
    begins = walls.moment(hearing.starts_on, time(10), hearing.zone)
    Event.objects.filter(pk=hearing.pk).update(
        starts_at=begins, ends_at=begins + timedelta(hours=8)
    )
    hearing.refresh_from_db()
    return hearing


def test_the_deadline_stands_at_its_closing_moment(client, hearing, deadline):
    _meeting, (window,) = entries(client)

    assert window.decoded("dtstart") == deadline.closes_at
    assert window.get("dtend") is None
    assert window["summary"] == "Registration closes: Hearing on the Global Compact"
    assert window["description"] == deadline.said
    assert str(window["url"]) == "http://127.0.0.1:8000/en/events/hearing/"


def test_the_file_says_in_utc_what_new_york_means(client, hearing, deadline):
    content = client.get(ADDRESS).content.decode()

    assert f"DTSTART:{deadline.closes_at:%Y%m%dT%H%M%SZ}" in content.splitlines()


def test_a_meeting_with_hours_begins_and_ends_at_those(client, timed):
    meeting, _windows = entries(client)

    assert meeting.decoded("dtstart") == timed.starts_at
    assert meeting.decoded("dtend") == timed.ends_at


def test_a_meeting_without_hours_takes_whole_days(client, hearing):
    Event.objects.filter(pk=hearing.pk).update(
        starts_on=date(2030, 2, 21), ends_on=date(2030, 2, 22)
    )

    meeting, _windows = entries(client)

    assert meeting.decoded("dtstart") == date(2030, 2, 21)
    assert not isinstance(meeting.decoded("dtstart"), datetime)
    assert meeting.decoded("dtend") == date(2030, 2, 23)


def test_the_meeting_says_what_and_where_it_is(client, hearing):
    meeting, _windows = entries(client)

    assert meeting["summary"] == "Hearing on the Global Compact"
    assert meeting["location"] == "New York"
    assert meeting["status"] == "CONFIRMED"
    assert str(meeting["uid"]) == f"{hearing.id}@127.0.0.1"
    assert meeting.decoded("dtstamp") == hearing.published_at.replace(microsecond=0)


def test_what_a_calendar_may_not_hold_is_left_out(client, hearing):
    typed = {"name_en": "Ann\x01\x1b\rATTENDEE:mailto:x@y.example\r\nLee\x7f", "room_en": "A\x0bB"}
    Event.objects.filter(pk=hearing.pk).update(**typed)

    meeting, (window,) = entries(client)

    assert meeting["summary"] == "Ann ATTENDEE:mailto:x@y.example Lee"
    assert window["summary"] == "Registration closes: Ann ATTENDEE:mailto:x@y.example Lee"
    assert meeting["location"] == "A B, New York"
    assert [meeting.get("attendee"), window.get("attendee")] == [None, None]


def test_the_file_is_in_the_readers_language(client, hearing):
    meeting, _windows = entries(client, "/ar/events/hearing/calendar.ics")

    assert meeting["summary"] == "جلسة استماع بشأن الاتفاق العالمي"
    assert str(meeting["url"]) == "http://127.0.0.1:8000/ar/events/hearing/"


@pytest.mark.parametrize(
    ("act", "status"), [(schedule.postpone, "TENTATIVE"), (schedule.cancel, "CANCELLED")]
)
def test_what_does_not_take_place_is_marked(client, hearing, now, act, status):
    act(hearing, by=None, now=now, reason="The room")

    meeting, _windows = entries(client)

    assert meeting["status"] == status


def test_a_moved_deadline_replaces_its_entry_in_calendars(client, hearing, deadline, now):
    _meeting, (before,) = entries(client)
    new = deadline.closes_at + timedelta(days=3)
    deadlines.move(deadline, closes_at=new, by=None, now=now, reason="Visas")

    _meeting, (after,) = entries(client)

    assert after["uid"] == before["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)
    assert after.decoded("dtstart") == new
    assert after.decoded("dtstamp") == now.replace(microsecond=0)


def test_a_moved_meeting_replaces_its_entry_in_calendars(client, hearing, now):
    before, _windows = entries(client)
    day = hearing.starts_on + timedelta(days=7)
    schedule.move(
        hearing,
        starts_on=day,
        ends_on=day,
        starts_at=None,
        ends_at=None,
        by=None,
        now=now,
        reason="The room",
    )

    after, _windows = entries(client)

    assert after["uid"] == before["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)
    assert after.decoded("dtstart") == day
    assert before.decoded("dtstamp") == hearing.published_at.replace(microsecond=0)
    assert after.decoded("dtstamp") == now.replace(microsecond=0)
    assert after.decoded("last-modified") == now.replace(microsecond=0)


def test_each_change_of_what_takes_place_counts(client, hearing, now):
    schedule.postpone(hearing, by=None, now=now - timedelta(hours=2), reason="The room")
    schedule.cancel(hearing, by=None, now=now - timedelta(hours=1), reason="No mandate")

    meeting, _windows = entries(client)

    assert meeting["sequence"] == 2
    assert meeting.decoded("dtstamp") == (now - timedelta(hours=1)).replace(microsecond=0)


def test_a_corrected_text_is_a_newer_entry_of_the_same_meeting(client, hearing, now):
    trail.record(None, "changed", hearing, at=now, scope=hearing.id)

    meeting, _windows = entries(client)

    assert meeting["sequence"] == 0
    assert meeting.decoded("last-modified") == now.replace(microsecond=0)


def test_what_happens_to_another_event_changes_nothing(client, hearing, now):
    other = Event.objects.create(
        process=hearing.process,
        slug="other",
        kind="hearing",
        name_en="Another hearing",
        starts_on=hearing.starts_on,
        ends_on=hearing.ends_on,
        zone="UTC",
    )
    schedule.publish(other, by=None, now=now)
    schedule.cancel(other, by=None, now=now, reason="No mandate")

    meeting, _windows = entries(client)

    assert meeting["sequence"] == 0
    assert meeting.decoded("dtstamp") == hearing.published_at.replace(microsecond=0)


def test_the_deadlines_of_a_cancelled_event_leave_the_calendar_too(client, hearing, now):
    _meeting, (before,) = entries(client)
    schedule.cancel(hearing, by=None, now=now, reason="No mandate")

    _meeting, (after,) = entries(client)

    assert before.get("status") is None
    assert after["status"] == "CANCELLED"
    assert after["sequence"] == before["sequence"] + 1
    assert after.decoded("dtstamp") == now.replace(microsecond=0)


def test_the_file_asks_once_what_happened(client, hearing, now, django_assert_num_queries):
    for _turn in range(3):
        schedule.postpone(hearing, by=None, now=now, reason="The room")
        schedule.move(
            hearing,
            starts_on=hearing.starts_on,
            ends_on=hearing.ends_on,
            starts_at=None,
            ends_at=None,
            by=None,
            now=now,
            reason="Another room",
        )

    with django_assert_num_queries(4):
        meeting, _windows = entries(client)

    assert meeting["sequence"] == 6


def test_the_file_is_offered_under_the_name_of_the_event(client, hearing):
    answer = client.get(ADDRESS)

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="hearing.ics"'
