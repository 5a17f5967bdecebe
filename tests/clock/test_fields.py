from datetime import UTC, datetime

import pytest

from clock.fields import WallTimeForm

NEW_YORK = "America/New_York"


def typed(day: str, time: str = "", **more: str) -> WallTimeForm:
    return WallTimeForm({"day": day, "time": time, **more}, zone=NEW_YORK)


def test_a_day_alone_means_through_that_day():
    form = typed("2018-02-07")

    assert form.is_valid()
    assert form.cleaned_data["moment"] == datetime(2018, 2, 8, 5, tzinfo=UTC)


def test_a_form_for_a_beginning_takes_the_time_as_it_is():
    class Beginning(WallTimeForm):
        takes_through = False

    form = Beginning({"day": "2018-02-07", "time": "23:59"}, zone=NEW_YORK)

    assert form.is_valid()
    assert form.cleaned_data["moment"] == datetime(2018, 2, 8, 4, 59, tzinfo=UTC)


def test_a_beginning_without_a_time_is_the_start_of_that_day():
    class Beginning(WallTimeForm):
        takes_through = False

    form = Beginning({"day": "2018-02-07", "time": ""}, zone=NEW_YORK)

    assert form.is_valid()
    assert form.cleaned_data["moment"] == datetime(2018, 2, 7, 5, tzinfo=UTC)


def test_a_time_written_with_a_point_is_taken():
    form = typed("2018-02-07", "17.30")

    assert form.is_valid()
    assert form.cleaned_data["moment"] == datetime(2018, 2, 7, 22, 30, tzinfo=UTC)


def test_a_skipped_time_is_refused_beside_the_time():
    form = typed("2018-03-11", "02:30")

    assert not form.is_valid()
    assert form.errors.get_json_data() == {
        "time": [
            {
                "code": "",
                "message": "On 2018-03-11 the clocks of America/New_York skip 02:30: that time "
                "does not exist. Choose an earlier or a later time.",
            }
        ]
    }


def test_wrong_words_are_refused_beside_their_fields():
    form = typed("30 February", "half past")

    assert not form.is_valid()
    assert form.errors == {
        "day": ["Write a date that exists, like 2018-02-07."],
        "time": ["Write the time in 24 hours, like 17:30."],
    }


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31", "2101-01-01", "9999-12-31"])
@pytest.mark.parametrize("time", ["", "12:00", "23:59"])
def test_a_day_far_from_ours_is_refused_beside_the_day(day, time):
    form = typed(day, time)

    assert not form.is_valid()
    assert form.errors == {"day": ["Write a day from 1990 to 2100, like 2018-02-07."]}


@pytest.mark.parametrize("day", ["1990-01-01", "2100-12-31"])
def test_the_first_and_the_last_day_are_taken(day):
    assert typed(day).is_valid()


def test_which_of_two_is_not_asked_where_there_is_only_one():
    assert "which" not in typed("2018-02-07", "17:00").fields
    assert "which" not in WallTimeForm(zone=NEW_YORK).fields


def test_a_time_that_comes_twice_is_asked_about_with_both_moments():
    form = typed("2018-11-04", "01:30")

    assert not form.is_valid()
    assert list(form.errors) == ["which"]
    assert form.fields["which"].choices == [
        (0, "Sunday 4 November 2018, 01:30, New York time (UTC−4)"),
        (1, "Sunday 4 November 2018, 01:30, New York time (UTC−5)"),
    ]
    assert form.as_p().count('type="radio"') == 2


def test_the_answer_to_which_is_taken_with_the_second_post():
    first = typed("2018-11-04", "01:30", which="0")
    second = typed("2018-11-04", "01:30", which="1")

    assert first.is_valid() and second.is_valid()
    assert first.cleaned_data["moment"] == datetime(2018, 11, 4, 5, 30, tzinfo=UTC)
    assert second.cleaned_data["moment"] == datetime(2018, 11, 4, 6, 30, tzinfo=UTC)


def test_an_answer_that_was_not_offered_is_refused():
    form = typed("2018-11-04", "01:30", which="2")

    assert not form.is_valid()
    assert list(form.errors) == ["which"]
