from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from clock import shown

NEW_YORK = "America/New_York"
HEARING = datetime(2018, 2, 21, 15, tzinfo=UTC)
CUT_OFF = datetime(2018, 2, 8, 5, tzinfo=UTC)
NOON = datetime(2018, 2, 1, 12, tzinfo=UTC)


def test_a_moment_names_its_weekday_and_its_time():
    assert shown.moment(HEARING, NEW_YORK) == "Wednesday 21 February 2018, 10:00"
    assert shown.moment(HEARING, "Asia/Kolkata") == "Wednesday 21 February 2018, 20:30"


def test_a_deadline_is_shown_as_its_last_minute():
    assert shown.closing(CUT_OFF, NEW_YORK) == "Wednesday 7 February 2018, 23:59"
    assert shown.closing(CUT_OFF - timedelta(hours=7), NEW_YORK) == (
        "Wednesday 7 February 2018, 17:00"
    )


def test_a_moment_may_leave_out_its_weekday():
    assert shown.moment(HEARING, NEW_YORK, weekday=False) == "21 February 2018, 10:00"


def test_moments_are_said_with_their_zone():
    assert shown.moment_and_zone(HEARING, NEW_YORK) == (
        "Wednesday 21 February 2018, 10:00, New York time (UTC−5)"
    )
    assert shown.closing_and_zone(CUT_OFF, NEW_YORK) == (
        "Wednesday 7 February 2018, 23:59, New York time (UTC−5)"
    )
    with translation.override("ar"):
        said = shown.closing_and_zone(CUT_OFF, NEW_YORK)
    assert "23:59، " in said


@pytest.mark.parametrize("language", ["en", "ar", "fr", "es", "ru", "zh-hans"])
@pytest.mark.parametrize("hour", range(24))
def test_no_hour_is_called_24_or_midnight(language, hour):
    with translation.override(language):
        said = shown.closing(CUT_OFF + timedelta(hours=hour), NEW_YORK)

    assert "24:00" not in said
    assert "midnight" not in said.lower()
    assert said.endswith("23:59" if hour == 0 else f"{hour:02}:00")


UN_MONTHS = [
    "كانون الثاني/يناير",
    "شباط/فبراير",
    "آذار/مارس",
    "نيسان/أبريل",
    "أيار/مايو",
    "حزيران/يونيه",
    "تموز/يوليه",
    "آب/أغسطس",
    "أيلول/سبتمبر",
    "تشرين الأول/أكتوبر",
    "تشرين الثاني/نوفمبر",
    "كانون الأول/ديسمبر",
]


def test_arabic_months_have_the_two_names_that_the_un_writes():
    with translation.override("ar"):
        said = [shown.day(date(2018, month, 7)) for month in range(1, 13)]

    assert said == [f"7 {name} 2018" for name in UN_MONTHS]


def test_days_in_each_language():
    said = {}
    for language in ("en", "ar", "fr", "es", "ru", "zh-hans"):
        with translation.override(language):
            said[language] = shown.day(date(2018, 2, 21), weekday=True)

    assert said == {
        "en": "Wednesday 21 February 2018",
        "ar": "الأربعاء 21 شباط/فبراير 2018",
        "fr": "mercredi 21 février 2018",
        "es": "miércoles 21 de febrero de 2018",
        "ru": "среда, 21 февраля 2018",
        "zh-hans": "2018年2月21日星期三",
    }


@pytest.mark.parametrize(
    ("language", "one", "two", "month", "span"),
    [
        ("fr", "1er mai 2017", "1er–3 mai 2017", "mai 2017", "mai – octobre 2017"),
        (
            "es",
            "1 de mayo de 2017",
            "1–3 de mayo de 2017",
            "mayo de 2017",
            "mayo – octubre de 2017",
        ),
        ("ru", "1 мая 2017", "1–3 мая 2017", "май 2017", "май – октябрь 2017"),
        ("zh-hans", "2017年5月1日", "2017年5月1日至3日", "2017年5月", "2017年5月至10月"),
    ],
)
def test_spans_in_each_language(language, one, two, month, span):
    first = date(2017, 5, 1)
    with translation.override(language):
        assert shown.day(first) == one
        assert shown.days(first, date(2017, 5, 3)) == two
        assert shown.months(first, date(2017, 5, 31)) == month
        assert shown.months(first, date(2017, 10, 12)) == span


def test_the_eleventh_is_no_first():
    with translation.override("fr"):
        assert shown.day(date(2018, 2, 11), weekday=True) == "dimanche 11 février 2018"
        assert shown.day(date(2018, 2, 1), weekday=True) == "jeudi 1er février 2018"


def test_digits_are_latin_in_arabic_too():
    with translation.override("ar"):
        said = [
            shown.moment(HEARING, NEW_YORK),
            shown.zone_name(NEW_YORK, HEARING),
            shown.days(date(2017, 5, 8), date(2017, 5, 9)),
            shown.time_left(CUT_OFF, NOON),
        ]

    assert [char for char in "".join(said) if char.isdigit() and not char.isascii()] == []
    assert "21" in said[0] and "10:00" in said[0]


@pytest.mark.parametrize(
    ("first", "last", "english", "arabic"),
    [
        (date(2018, 2, 21), date(2018, 2, 21), "21 February 2018", "21 شباط/فبراير 2018"),
        (date(2017, 5, 8), date(2017, 5, 9), "8–9 May 2017", "8–9 أيار/مايو 2017"),
        (
            date(2021, 8, 31),
            date(2021, 9, 1),
            "31 August 2021 – 1 September 2021",
            "31 آب/أغسطس 2021 – 1 أيلول/سبتمبر 2021",
        ),
    ],
)
def test_periods_of_days(first, last, english, arabic):
    assert shown.days(first, last) == english
    with translation.override("ar"):
        assert shown.days(first, last) == arabic


def test_a_period_of_days_in_a_month_whose_days_stand_in_the_year_too():
    assert shown.days(date(2020, 2, 18), date(2020, 2, 20)) == "18–20 February 2020"


@pytest.mark.parametrize(
    ("first", "last", "english", "arabic"),
    [
        (
            date(2017, 5, 1),
            date(2017, 10, 1),
            "May – October 2017",
            "أيار/مايو – تشرين الأول/أكتوبر 2017",
        ),
        (date(2017, 12, 4), date(2017, 12, 6), "December 2017", "كانون الأول/ديسمبر 2017"),
        (
            date(2017, 7, 1),
            date(2018, 5, 1),
            "July 2017 – May 2018",
            "تموز/يوليه 2017 – أيار/مايو 2018",
        ),
    ],
)
def test_periods_of_months(first, last, english, arabic):
    assert shown.months(first, last) == english
    with translation.override("ar"):
        assert shown.months(first, last) == arabic


@pytest.mark.parametrize(
    ("zone", "moment", "offset"),
    [
        (NEW_YORK, HEARING, "UTC−5"),
        (NEW_YORK, datetime(2018, 5, 21, 14, tzinfo=UTC), "UTC−4"),
        ("Asia/Kolkata", HEARING, "UTC+5:30"),
        ("Asia/Kathmandu", HEARING, "UTC+5:45"),
        ("America/St_Johns", HEARING, "UTC−3:30"),
        ("Africa/Abidjan", HEARING, "UTC"),
        ("UTC", HEARING, "UTC"),
    ],
)
def test_offsets(zone, moment, offset):
    assert shown.offset(moment, zone) == offset


def test_zones_are_named_by_their_city():
    assert shown.zone_name(NEW_YORK, HEARING) == "New York time (UTC−5)"
    assert shown.zone_name("Asia/Kolkata", HEARING) == "Kolkata time (UTC+5:30)"
    assert shown.zone_name("UTC", HEARING) == "UTC"
    with translation.override("ar"):
        assert shown.city(NEW_YORK) == "نيويورك"
        assert shown.zone_name("UTC", HEARING) == "UTC"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=6, hours=13, minutes=59), "6 days 13 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, hours=1), "1 day 1 hour"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(seconds=-1), "0 minutes"),
    ],
)
def test_the_time_left_is_never_counted_in_seconds(left, said):
    assert shown.time_left(NOON + left, NOON) == said


def test_moments_and_zones_in_arabic():
    with translation.override("ar"):
        assert shown.moment(HEARING, NEW_YORK) == "الأربعاء 21 شباط/فبراير 2018، 10:00"
        assert shown.closing(CUT_OFF, NEW_YORK) == "الأربعاء 7 شباط/فبراير 2018، 23:59"
        assert shown.zone_name(NEW_YORK, HEARING) == "بتوقيت نيويورك (UTC−5)"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=2, hours=3), "يومان و3 ساعات"),
        (timedelta(days=11, hours=1), "11 يومًا وساعة واحدة"),
        (timedelta(hours=2), "ساعتان"),
        (timedelta(minutes=1), "دقيقة واحدة"),
    ],
)
def test_the_time_left_in_arabic_takes_all_its_plurals(left, said):
    with translation.override("ar"):
        assert shown.time_left(NOON + left, NOON) == said
