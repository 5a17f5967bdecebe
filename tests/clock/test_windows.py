from datetime import UTC, datetime, timedelta

import pytest

from clock.templatetags import windows

OPENS = datetime(2018, 1, 12, 17, tzinfo=UTC)
CLOSES = datetime(2018, 2, 8, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "stage"),
    [
        (OPENS - SECOND, "ahead"),
        (OPENS, "open"),
        (CLOSES - timedelta(hours=24) - SECOND, "open"),
        (CLOSES - timedelta(hours=24), "last_day"),
        (CLOSES - SECOND, "last_day"),
        (CLOSES, "closed"),
    ],
)
def test_a_window_has_four_stages(now, stage):
    assert windows.stage(OPENS, CLOSES, now) == stage


def test_a_window_without_an_opening_is_never_ahead():
    assert windows.stage(None, CLOSES, OPENS - timedelta(days=900)) == "open"


@pytest.mark.parametrize(
    ("now", "percent"),
    [(OPENS - SECOND, 0), (OPENS, 0), (OPENS + (CLOSES - OPENS) / 2, 50), (CLOSES + SECOND, 100)],
)
def test_the_bar_stays_between_nothing_and_full(now, percent):
    assert windows.percent_passed(OPENS, CLOSES, now) == percent


def test_the_last_minute_of_a_midnight_is_the_day_before():
    shown = windows.last_minute(CLOSES, "America/New_York")

    assert shown == datetime(2018, 2, 8, 4, 59, tzinfo=UTC)
