from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock import shown, walls

NEW_YORK = "America/New_York"
ZONES = [
    NEW_YORK,
    "UTC",
    "Europe/Zurich",
    "Asia/Beirut",
    "America/Havana",
    "America/Santiago",
    "Africa/Addis_Ababa",
    "Africa/Cairo",
    "Asia/Bangkok",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_an_ordinary_wall_time_is_one_moment():
    assert walls.moment(date(2018, 2, 21), time(10), NEW_YORK) == utc(2018, 2, 21, 15)


def test_a_time_that_the_clocks_skip_is_refused_with_a_sentence():
    with pytest.raises(walls.NoSuchTime) as refused:
        walls.moment(date(2018, 3, 11), time(2, 30), NEW_YORK)

    assert str(refused.value) == (
        "On 2018-03-11 the clocks of America/New_York skip 02:30: that time does not exist. "
        "Choose an earlier or a later time."
    )


@pytest.mark.parametrize(
    ("at", "moment"),
    [(time(1, 59), utc(2018, 3, 11, 6, 59)), (time(3), utc(2018, 3, 11, 7))],
)
def test_the_minutes_beside_the_skipped_hour_are_taken(at, moment):
    assert walls.moment(date(2018, 3, 11), at, NEW_YORK) == moment


@pytest.mark.parametrize("fold", [walls.FIRST, walls.SECOND])
def test_a_skipped_time_is_refused_whichever_of_two_is_meant(fold):
    with pytest.raises(walls.NoSuchTime):
        walls.moment(date(2018, 3, 11), time(2, 30), NEW_YORK, fold)


def test_a_time_that_comes_twice_is_asked_about():
    with pytest.raises(walls.TwiceTime) as asked:
        walls.moment(date(2018, 11, 4), time(1, 30), NEW_YORK)

    assert asked.value.first == utc(2018, 11, 4, 5, 30)
    assert asked.value.second == utc(2018, 11, 4, 6, 30)
    assert str(asked.value) == (
        "On 2018-11-04 the clocks of America/New_York show 01:30 twice, because they are put "
        "back. Say which of the two you mean."
    )


@pytest.mark.parametrize(
    ("fold", "moment"),
    [(walls.FIRST, utc(2018, 11, 4, 5, 30)), (walls.SECOND, utc(2018, 11, 4, 6, 30))],
)
def test_the_answer_picks_one_of_the_two(fold, moment):
    assert walls.moment(date(2018, 11, 4), time(1, 30), NEW_YORK, fold) == moment


@pytest.mark.parametrize(
    ("day", "at", "zone", "closes_at"),
    [
        pytest.param(
            date(2018, 2, 7), None, NEW_YORK, utc(2018, 2, 8, 5), id="a day is meant through"
        ),
        pytest.param(
            date(2018, 2, 7),
            time(23, 59),
            NEW_YORK,
            utc(2018, 2, 8, 5),
            id="23:59 is meant through",
        ),
        pytest.param(
            date(2018, 2, 7), time(17), NEW_YORK, utc(2018, 2, 7, 22), id="17:00 is the moment"
        ),
        pytest.param(
            date(2018, 2, 7), time(0), NEW_YORK, utc(2018, 2, 7, 5), id="00:00 begins the day"
        ),
        pytest.param(
            date(2018, 3, 10), None, NEW_YORK, utc(2018, 3, 11, 5), id="eve of the 23-hour day"
        ),
        pytest.param(date(2018, 3, 11), None, NEW_YORK, utc(2018, 3, 12, 4), id="the 23-hour day"),
        pytest.param(date(2018, 11, 4), None, NEW_YORK, utc(2018, 11, 5, 5), id="the 25-hour day"),
        pytest.param(
            date(2018, 3, 24), None, "Asia/Beirut", utc(2018, 3, 24, 22), id="Beirut skips 00:00"
        ),
        pytest.param(
            date(2018, 3, 10), None, "America/Havana", utc(2018, 3, 11, 5), id="Havana skips 00:00"
        ),
        pytest.param(
            date(2018, 11, 3),
            None,
            "America/Havana",
            utc(2018, 11, 4, 4),
            id="Havana has 00:00 twice",
        ),
    ],
)
def test_what_a_window_is_open_through(day, at, zone, closes_at):
    assert walls.closing(day, at, zone) == closes_at


def test_a_closing_time_that_does_not_exist_is_refused():
    with pytest.raises(walls.NoSuchTime):
        walls.closing(date(2018, 3, 11), time(2, 30), NEW_YORK)


def test_the_offsets_of_the_calendar():
    assert shown.offset(utc(2018, 2, 8, 4, 59, 59), NEW_YORK) == "UTC−5"
    assert walls.moment(date(2018, 2, 21), time(10), NEW_YORK) == utc(2018, 2, 21, 15)
    assert walls.closing(date(2018, 3, 31), None, NEW_YORK) == utc(2018, 4, 1, 4)
    assert shown.offset(utc(2018, 3, 31, 12), NEW_YORK) == "UTC−4"
    assert shown.offset(utc(2017, 8, 30, 12), "America/Santiago") == "UTC−3"
    assert shown.offset(utc(2017, 8, 30, 12), "Africa/Addis_Ababa") == "UTC+3"
    assert shown.offset(utc(2017, 8, 30, 12), "Asia/Bangkok") == "UTC+7"


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2018, 3, 9), 6), (date(2018, 3, 12), 5), (date(2018, 3, 24), 5), (date(2018, 3, 26), 6)],
)
def test_new_york_and_geneva_are_five_hours_apart_between_the_two_changes(day, hours):
    new_york = walls.moment(day, time(10), NEW_YORK)
    geneva = walls.moment(day, time(10), "Europe/Zurich")

    assert new_york - geneva == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("distance", "moment"),
    [
        ({"days": 14}, utc(2018, 3, 6, 5)),
        ({"days": 7}, utc(2018, 3, 13, 4)),
        ({"hours": 48}, utc(2018, 3, 18, 4)),
        ({"hours": 24}, utc(2018, 3, 19, 4)),
    ],
)
def test_steps_back_go_by_the_clock_on_the_wall(distance, moment):
    closes_at = utc(2018, 3, 20, 4)

    assert walls.earlier(closes_at, NEW_YORK, **distance) == moment


def test_a_step_to_a_skipped_time_is_the_moment_of_the_skip():
    closes_at = walls.moment(date(2018, 3, 18), time(2, 30), NEW_YORK)

    assert walls.earlier(closes_at, NEW_YORK, days=7) == utc(2018, 3, 11, 7, 30)


def test_a_step_to_a_time_that_comes_twice_is_the_first_of_the_two():
    closes_at = walls.moment(date(2018, 11, 11), time(1, 30), NEW_YORK)

    assert walls.earlier(closes_at, NEW_YORK, days=7) == utc(2018, 11, 4, 5, 30)


@pytest.mark.parametrize(
    ("closes_at", "said"),
    [
        (utc(2018, 2, 8, 5), "2018-02-07 23:59"),
        (utc(2018, 2, 7, 22), "2018-02-07 17:00"),
        (utc(2018, 2, 8, 5, 1), "2018-02-08 00:01"),
        (utc(2018, 3, 11, 7), "2018-03-11 03:00"),
    ],
)
def test_only_the_start_of_a_day_is_said_as_the_minute_before(closes_at, said):
    assert f"{walls.last_minute(closes_at, NEW_YORK):%Y-%m-%d %H:%M}" == said


@pytest.mark.parametrize(
    ("day", "zone"), [(date(2018, 3, 24), "Asia/Beirut"), (date(2018, 3, 10), "America/Havana")]
)
def test_the_end_of_a_day_is_said_as_23_59_where_the_next_day_begins_at_01_00(day, zone):
    said = walls.last_minute(walls.closing(day, None, zone), zone)

    assert f"{said:%Y-%m-%d %H:%M}" == f"{day:%Y-%m-%d} 23:59"


@given(
    day=st.dates(date(2006, 1, 1), date(2035, 12, 31)),
    zone=st.sampled_from(ZONES),
)
def test_a_day_that_is_typed_is_shown_again_as_the_last_minute_of_that_day(day, zone):
    said = walls.last_minute(walls.closing(day, None, zone), zone)

    assert (said.date(), said.hour, said.minute) == (day, 23, 59)


@given(
    at=st.datetimes(datetime(2006, 1, 1), datetime(2035, 12, 31)),
    zone=st.sampled_from(ZONES),
    fold=st.sampled_from([walls.FIRST, walls.SECOND]),
)
def test_a_wall_time_that_is_taken_is_the_time_that_the_clocks_then_show(at, zone, fold):
    typed = at.replace(second=0, microsecond=0)
    try:
        moment = walls.moment(typed.date(), typed.time(), zone, fold)
    except walls.NoSuchTime:
        return

    assert moment.astimezone(walls.zone_of(zone)).replace(tzinfo=None, fold=0) == typed
