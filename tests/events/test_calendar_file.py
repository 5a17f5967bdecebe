"""The calendar in the database equals the real one, row by row.

The rows below are written by hand from the published facts, not from the files under test.
"""

import re
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from translated_fields import to_attribute

from clock import walls
from events import calendar_file, texts
from events.management.commands.load_calendar import FOLDER
from events.models import (
    Category,
    Deadline,
    DeadlineChange,
    Document,
    Event,
    Process,
    ReminderStep,
    Segment,
    StakeholderGroup,
)

NY, GENEVA, VIENNA = "America/New_York", "Europe/Zurich", "Europe/Vienna"
BANGKOK, BEIRUT, VALLARTA = "Asia/Bangkok", "Asia/Beirut", "America/Bahia_Banderas"
MARRAKECH, UNHQ, PALAIS = "Africa/Casablanca", "United Nations Headquarters", "Palais des Nations"

# id, first day, last day, city, zone, venue, room, window, its last day
VERIFIED = [
    ("cofac-16-07", "2016-07-07", "2016-07-07", "New York", NY, UNHQ, "", None, None),
    ("summit16", "2016-09-19", "2016-09-19", "New York", NY, UNHQ, "", None, None),
    ("modal-ny", "2016-11-22", "2016-11-22", "New York", NY, "", "", None, None),
    ("modal-gva", "2016-12-01", "2016-12-02", "Geneva", GENEVA, "", "", None, None),
    ("coord15", "2017-02-16", "2017-02-17", "New York", NY, UNHQ, "", None, None),
    ("sa17", "2017-03-14", "2017-04-17", "", NY, "", "", "accreditation", "2017-04-17"),
    (
        *("idm17-1", "2017-04-18", "2017-04-19", "New York", NY, UNHQ, "Conference Room 1"),
        *(None, None),
    ),
    ("ts1", "2017-05-08", "2017-05-09", "Geneva", GENEVA, PALAIS, "Room XIX", None, None),
    ("sc17", "2017-05-09", "2017-05-09", "", NY, "", "", "registration", "2017-05-09"),
    (
        *("ts2", "2017-05-22", "2017-05-23", "New York", NY, UNHQ, "ECOSOC Chamber"),
        *("registration", "2017-05-15"),
    ),
    ("ts3", "2017-06-19", "2017-06-20", "Geneva", GENEVA, "", "", "registration", "2017-05-30"),
    ("gfmd10", "2017-06-29", "2017-07-01", "Berlin", "Europe/Berlin", "", "", None, None),
    ("idm17-2", "2017-07-18", "2017-07-19", "Geneva", GENEVA, PALAIS, "Room XVIII", None, None),
    ("ts4", "2017-07-24", "2017-07-25", "New York", NY, UNHQ, "", None, None),
    (
        *("msh1", "2017-07-26", "2017-07-26", "New York", NY, UNHQ),
        *("Trusteeship Council Chamber", None, None),
    ),
    ("rcsc-asia", "2017-08-04", "2017-08-05", "Bangkok", BANGKOK, "", "", None, None),
    ("rcsc-mena", "2017-08-24", "2017-08-25", "Beirut", BEIRUT, "", "", None, None),
    (
        *("rcsc-afr", "2017-08-28", "2017-08-29", "Bamako", "Africa/Bamako"),
        *("Azalai Grand Hotel", "", None, None),
    ),
    (
        *("reg-lac", "2017-08-30", "2017-08-31", "Santiago", "America/Santiago"),
        *("ECLAC headquarters", "", None, None),
    ),
    (
        *("ts5", "2017-09-04", "2017-09-05", "Vienna", VIENNA, "Vienna International Centre"),
        *("Plenary Room", None, None),
    ),
    (
        *("reg-arab", "2017-09-26", "2017-09-27", "Beirut", BEIRUT),
        *("UN House, Riad el-Solh Square", "", None, None),
    ),
    ("rcsc-eur", "2017-10-02", "2017-10-03", "Brussels", "Europe/Brussels", "", "", None, None),
    ("grcp7", "2017-10-10", "2017-10-11", "Geneva", GENEVA, "", "", None, None),
    ("msh2", "2017-10-11", "2017-10-11", "Geneva", GENEVA, PALAIS, "", None, None),
    ("ts6", "2017-10-12", "2017-10-13", "Geneva", GENEVA, PALAIS, "Room XIX", None, None),
    (
        *("reg-afr", "2017-10-26", "2017-10-27", "Addis Ababa", "Africa/Addis_Ababa"),
        *("Economic Commission for Africa (ECA)", "", None, None),
    ),
    ("reg-ap", "2017-11-06", "2017-11-08", "Bangkok", BANGKOK, "", "", None, None),
    ("inputs-gov", "2017-12-01", "2017-12-01", "", NY, "", "", "written_input", "2017-12-01"),
    ("cs-stock", "2017-12-02", "2017-12-03", "Puerto Vallarta", VALLARTA, "", "", None, None),
    ("stock", "2017-12-04", "2017-12-06", "Puerto Vallarta", VALLARTA, "", "", None, None),
    ("coord16", "2018-02-15", "2018-02-16", "New York", NY, UNHQ, "", None, None),
    ("neg1", "2018-02-20", "2018-02-23", "New York", NY, UNHQ, "", None, None),
    (
        *("msh4", "2018-02-21", "2018-02-21", "New York", NY, UNHQ),
        *("Trusteeship Council Chamber", "registration", "2018-02-07"),
    ),
    ("neg2", "2018-03-12", "2018-03-15", "New York", NY, UNHQ, "", None, None),
    ("idm18-1", "2018-03-26", "2018-03-27", "New York", NY, UNHQ, "", None, None),
    ("sa18", "2018-03-31", "2018-03-31", "", NY, "", "", "accreditation", "2018-03-31"),
    ("neg3", "2018-04-03", "2018-04-06", "New York", NY, UNHQ, "", None, None),
    ("neg4", "2018-05-14", "2018-05-18", "New York", NY, UNHQ, "", None, None),
    ("neg5", "2018-06-04", "2018-06-08", "New York", NY, UNHQ, "", None, None),
    ("neg6", "2018-07-09", "2018-07-13", "New York", NY, UNHQ, "", None, None),
    ("msh5", "2018-05-21", "2018-05-21", "New York", NY, UNHQ, "", None, None),
    ("csd18-app", "2018-08-31", "2018-08-31", "", GENEVA, "", "", "registration", "2018-08-31"),
    (
        *("csd18", "2018-12-04", "2018-12-06", "Marrakech", MARRAKECH, "Palm Plaza Hotel"),
        *("", None, None),
    ),
    (
        *("gfmd11", "2018-12-05", "2018-12-07", "Marrakech", MARRAKECH),
        *("Palmeraie conference centre", "", None, None),
    ),
    ("igc", "2018-12-10", "2018-12-11", "Marrakech", MARRAKECH, "Bab Ighli", "", None, None),
]
NOT_VERIFIED = ["msh3", "cs-jul", "idm18-2"]

# id, when it begins and ends in UTC: only where a source states the hour
HOURS = [
    ("coord15", "2017-02-16T15:00", None),
    ("ts1", "2017-05-08T08:00", "2017-05-09T15:50"),
    ("ts2", "2017-05-22T14:00", "2017-05-23T21:50"),
    ("ts5", "2017-09-04T08:00", "2017-09-05T16:00"),
    ("reg-arab", "2017-09-26T06:00", None),
    ("ts6", "2017-10-12T08:00", "2017-10-13T16:00"),
    ("msh4", "2018-02-21T15:00", None),
]

# id, name, day, begins, ends (wall time at the venue)
SEGMENTS = [
    ("ts1", "Day 1, morning session", "2017-05-08", "10:00", "13:00"),
    ("ts1", "Day 1, afternoon session", "2017-05-08", "15:00", "17:50"),
    ("ts1", "Day 2, morning session", "2017-05-09", "10:00", "13:00"),
    ("ts1", "Day 2, afternoon session", "2017-05-09", "15:00", "17:50"),
    ("ts2", "Day 1, morning session", "2017-05-22", "10:00", "13:00"),
    ("ts2", "Day 1, afternoon session", "2017-05-22", "15:00", "17:50"),
    ("ts2", "Day 2, morning session", "2017-05-23", "10:00", "13:00"),
    ("ts2", "Day 2, afternoon session", "2017-05-23", "15:00", "17:50"),
    ("gfmd10", "Civil Society Days, first day", "2017-06-29", None, None),
    ("gfmd10", "Common Space", "2017-06-30", None, None),
    ("gfmd10", "Civil Society Days, second day", "2017-07-01", None, None),
    ("ts5", "Day 1, morning session", "2017-09-04", "10:00", "13:00"),
    ("ts5", "Day 1, afternoon session", "2017-09-04", "15:00", "18:00"),
    ("ts5", "Day 2, morning session", "2017-09-05", "10:00", "13:00"),
    ("ts5", "Day 2, afternoon session", "2017-09-05", "15:00", "18:00"),
    ("ts6", "Day 1, morning session", "2017-10-12", "10:00", "13:00"),
    ("ts6", "Day 1, afternoon session", "2017-10-12", "15:00", "18:00"),
    ("ts6", "Stakeholder dialogue", "2017-10-13", "09:00", "09:50"),
    ("ts6", "Day 2, morning session", "2017-10-13", "10:00", "13:00"),
    ("ts6", "Day 2, afternoon session", "2017-10-13", "15:00", "18:00"),
    ("neg1", "First day", "2018-02-20", None, None),
    ("neg1", "Second day", "2018-02-22", None, None),
    ("neg1", "Third day", "2018-02-23", None, None),
    ("msh4", "Opening", "2018-02-21", "10:00", "10:20"),
    (
        *("msh4", "Panel 1: From fiction to fact: the case for quality data"),
        *("2018-02-21", "10:20", "11:45"),
    ),
    (
        *("msh4", "Panel 2: The challenge of inaccurate narratives about migration"),
        *("2018-02-21", "11:45", "13:00"),
    ),
    ("msh4", "Afternoon", "2018-02-21", None, None),
    ("csd18", "Civil Society Days, first day", "2018-12-04", None, None),
    ("csd18", "Common Space", "2018-12-05", None, None),
    ("csd18", "Civil Society Days, second day", "2018-12-06", None, None),
]


def load(folder=FOLDER, **options):
    out = StringIO()
    call_command("load_calendar", folder=Path(folder), stdout=out, **options)
    return out.getvalue()


def slugs():
    return {event.id: event.slug for event in calendar_file.read(FOLDER).events}


def event_of(event_id):
    return Event.objects.get(slug=slugs()[event_id])


@pytest.fixture
def calendar(db):
    load()


def test_the_verified_rows_stand_in_the_database_one_by_one(calendar):
    slug_of = slugs()
    events = {event.slug: event for event in Event.objects.prefetch_related("deadlines")}
    found = []
    for row in VERIFIED:
        event = events[slug_of[row[0]]]
        windows = [
            (window.kind, walls.last_minute(window.closes_at, window.zone).date().isoformat())
            for window in event.deadlines.all()
        ] or [(None, None)]
        (window,) = windows
        found.append(
            (
                *(row[0], event.starts_on.isoformat(), event.ends_on.isoformat(), event.city_en),
                *(event.zone, event.venue_en, event.room_en, *window),
            )
        )
        assert (event.process.slug, event.evidence, event.state) == ("gcm", "V", "published")

    assert found == VERIFIED


def test_no_other_row_of_the_process_is_called_verified(calendar):
    unverified = {slugs()[event_id] for event_id in NOT_VERIFIED}
    others = Event.objects.filter(process__slug="gcm").exclude(evidence="V")

    assert {event.slug for event in others} == unverified
    assert Event.objects.filter(process__slug="gcm").count() == len(VERIFIED) + len(NOT_VERIFIED)


def test_hours_stand_only_where_a_source_states_them(calendar):
    ids = {slug: event_id for event_id, slug in slugs().items()}
    with_hours = Event.objects.filter(process__slug="gcm").exclude(starts_at=None, ends_at=None)
    found = {
        (
            ids[event.slug],
            f"{event.starts_at:%Y-%m-%dT%H:%M}" if event.starts_at else None,
            f"{event.ends_at:%Y-%m-%dT%H:%M}" if event.ends_at else None,
        )
        for event in with_hours
    }

    assert found == set(HOURS)


def test_days_and_panels_of_the_process_stand_as_stated(calendar):
    ids = {slug: event_id for event_id, slug in slugs().items()}

    def wall(moment, zone):
        return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}" if moment else None

    found = {
        (
            *(ids[segment.event.slug], segment.name_en, segment.date.isoformat()),
            wall(segment.starts_at, segment.event.zone),
            wall(segment.ends_at, segment.event.zone),
        )
        for segment in Segment.objects.filter(event__process__slug="gcm").select_related("event")
    }

    assert found == set(SEGMENTS)


def test_seventh_of_february_means_through_its_last_second_in_new_york(calendar):
    deadline = event_of("msh4").deadlines.get()
    last_second = deadline.closes_at - timedelta(seconds=1)

    assert deadline.closes_at == datetime(2018, 2, 8, 5, 0, tzinfo=UTC)
    assert last_second == datetime(2018, 2, 7, 23, 59, 59, tzinfo=ZoneInfo(NY))
    assert last_second == datetime(2018, 2, 8, 4, 59, 59, tzinfo=UTC)
    assert deadline.is_open(last_second)
    assert not deadline.is_open(deadline.closes_at)
    assert (deadline.zone, deadline.is_hour_stated, deadline.is_zone_stated) == (NY, False, False)


def test_the_hearing_opens_at_ten_in_new_york(calendar):
    assert event_of("msh4").starts_at == datetime(2018, 2, 21, 15, 0, tzinfo=UTC)


def test_a_deadline_of_the_end_of_march_is_in_summer_time(calendar):
    closes_at = event_of("sa18").deadlines.get().closes_at

    assert closes_at == datetime(2018, 4, 1, 4, 0, tzinfo=UTC)
    assert closes_at.astimezone(ZoneInfo(NY)).utcoffset() == timedelta(hours=-4)


@pytest.mark.parametrize(
    ("event_id", "hours"),
    [("msh4", -5), ("neg2", -4), ("reg-lac", -3), ("reg-afr", 3), ("reg-ap", 7), ("stock", -6)],
)
def test_offsets_at_the_venue(calendar, event_id, hours):
    event = event_of(event_id)
    noon = datetime.combine(event.starts_on, datetime.min.time(), ZoneInfo(event.zone)).replace(
        hour=12
    )

    assert noon.utcoffset() == timedelta(hours=hours)


def test_new_york_and_geneva_are_five_hours_apart_in_the_second_round(calendar):
    def apart(event):
        noon = datetime.combine(event.starts_on, datetime.min.time()).replace(hour=12)
        return walls.moment(event.starts_on, noon.time(), NY) - walls.moment(
            event.starts_on, noon.time(), GENEVA
        )

    assert apart(event_of("neg2")) == timedelta(hours=5)
    assert apart(event_of("neg1")) == timedelta(hours=6)


def test_a_stated_hour_is_the_closing_moment(calendar):
    deadline = event_of("imrf22-sa").deadlines.get()

    assert deadline.closes_at == datetime(2022, 1, 26, 22, 0, tzinfo=UTC)
    assert (deadline.is_hour_stated, deadline.is_zone_stated) == (True, True)


def test_the_extended_window_shows_its_earlier_date(calendar):
    deadline = event_of("sa17").deadlines.get()
    change = deadline.changes.get()

    assert deadline.opens_at == datetime(2017, 3, 14, 4, 0, tzinfo=UTC)
    assert deadline.closes_at == datetime(2017, 4, 18, 4, 0, tzinfo=UTC)
    assert (change.old_closes_at, change.new_closes_at, change.reason) == (
        datetime(2017, 4, 10, 4, 0, tzinfo=UTC),
        datetime(2017, 4, 18, 4, 0, tzinfo=UTC),
        "extended",
    )
    assert (deadline.is_hour_stated, deadline.is_zone_stated) == (False, False)


def test_moved_events_keep_their_earlier_days(calendar):
    forum, days = event_of("imrf22"), event_of("csd18")

    assert (forum.previous_starts_on, forum.previous_ends_on) == (
        date(2022, 5, 10),
        date(2022, 5, 13),
    )
    assert (days.previous_starts_on, days.previous_ends_on) == (
        date(2018, 12, 3),
        date(2018, 12, 4),
    )


TRANSLATED = [
    (Process, ["name", "summary"]),
    (Category, ["name"]),
    (Event, ["name", "summary", "venue", "room", "city", "organiser", "eligibility"]),
    (Segment, ["name"]),
    (Document, ["title"]),
]


def test_every_text_stands_in_the_database_in_all_six_languages(db):
    load(live=True)

    missing = [
        (row, name, code)
        for model, names in TRANSLATED
        for row in model.objects.all()
        for name in names
        for code in texts.CODES
        if getattr(row, f"{name}_en") and not getattr(row, to_attribute(name, code))
    ]

    assert missing == []
    assert not Event.objects.filter(name_en="").exists()


def test_the_hearing_of_february_stands_in_six_languages(calendar):
    hearing = event_of("msh4")

    assert [getattr(hearing, to_attribute("name", code)) for code in texts.CODES] == [
        "جلسة الاستماع غير الرسمية لأصحاب المصلحة المتعددين: الحقائق والروايات",
        "非正式多利益攸关方听证会：事实与叙事",
        "Informal multi-stakeholder hearing: facts and narratives",
        "Audition multipartite informelle\u00a0: faits et discours",
        "Неофициальные слушания с участием многих заинтересованных сторон: факты и представления",
        "Audiencia oficiosa de múltiples partes interesadas: hechos y discursos",
    ]
    assert [getattr(hearing, to_attribute("room", code)) for code in texts.CODES[1:]] == [
        "托管理事会会议厅",
        "Trusteeship Council Chamber",
        "Salle du Conseil de tutelle",
        "Зал Совета по Опеке",
        "Salón del Consejo de Administración Fiduciaria",
    ]


SAME_AS_ENGLISH = {
    "fr": {
        *("Bab Ighli", "Bamako", "Bangkok", "Berlin", "Marrakech", "New York"),
        *("Palais des Nations", "Puerto Vallarta", "Santiago"),
    },
    "es": {"Bab Ighli", "Bamako", "Bangkok", "Beirut", "Marrakech", "Puerto Vallarta", "Santiago"},
}
"""Names of places that are the same there."""
SCRIPTS = {"ar": "[\u0621-\u064a]", "ru": "[А-Яа-яЁё]", "zh-hans": "[\u4e00-\u9fff]"}


def written(folder=FOLDER):
    """Each text of the files as its languages."""
    calendar = calendar_file.read(folder)
    rows = [
        *(*calendar.processes, *calendar.categories, *calendar.events),
        *(*calendar.segments, *calendar.documents),
    ]
    return [text for row in rows for text in vars(row).values() if isinstance(text, dict)]


def amiss(text):
    """What of a text is not there, or not in its language, as far as a machine can tell."""
    english = text["en"]
    found = [code for code in texts.CODES if bool(text[code]) != bool(english)]
    if english:
        found += [code for code, script in SCRIPTS.items() if not re.search(script, text[code])]
        found += [
            code
            for code, same in SAME_AS_ENGLISH.items()
            if (text[code] == english) != (english in same)
        ]
    return sorted(set(found))


def test_each_text_is_there_in_each_language_and_its_script():
    assert [(text["en"], amiss(text)) for text in written() if amiss(text)] == []


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("fr", "Parlement", "Parliament"),
        ("fr", "Parlement", ""),
        ("es", "Parlamento", "Parliament"),
        ("ru", "Парламент", "Parlament"),
        ("ru", "Парламент", ""),
        ("zh-hans", "议会", "yihui"),
        ("zh-hans", "议会", ""),
    ],
)
def test_a_text_that_is_left_in_english_would_be_seen(folder, code, old, new):
    path = folder / "phrases.csv"
    change(path, line_of(path, "Parliament,"), old, new)

    found = [(text["en"], amiss(text)) for text in written(folder) if amiss(text)]

    assert found == [("Parliament", [code])]


def test_no_translation_loses_a_number():
    def numbers(text):
        return Counter(re.findall(r"\d+", re.sub(r"(?<=\d)[,\u202f](?=\d{3})", "", text)))

    lost = [
        (text["en"], code)
        for text in written()
        for code in calendar_file.PHRASED
        if numbers(text["en"]) - numbers(text[code])
    ]

    assert lost == []


def test_an_english_text_without_a_row_is_left_to_fall_back(folder):
    path = folder / "phrases.csv"
    rows = path.read_text(encoding="utf-8").split("\n")
    del rows[line_of(path, "Geneva,") - 1]
    path.write_text("\n".join(rows), encoding="utf-8")

    cities = {tuple(event.city.items()) for event in calendar_file.read(folder).events}

    assert {dict(city)["fr"] for city in cities if dict(city)["en"] == "Geneva"} == {""}
    assert {dict(city)["fr"] for city in cities if dict(city)["en"] == "Vienna"} == {"Vienne"}


def test_a_phrase_is_as_short_as_the_narrowest_of_its_columns_and_told_once(folder):
    path = folder / "phrases.csv"
    line = line_of(path, "Geneva,")
    change(folder / "events.csv", line_of(folder / "events.csv", "ts1,"), PALAIS, "Geneva")
    change(path, line, "Genève", "G" * 81)

    with pytest.raises(calendar_file.CalendarError) as refused:
        calendar_file.read(folder)

    assert str(refused.value) == (
        f"phrases.csv, line {line}: the French has 81 characters, 80 at most."
    )


def test_the_reader_knows_the_same_words_as_the_database():
    assert {"en", "ar", *calendar_file.PHRASED} == set(texts.CODES)
    assert set(Event.Kind.values) == calendar_file.KINDS
    assert set(Event.Mode.values) == calendar_file.MODES
    assert set(Event.Evidence.values) == calendar_file.EVIDENCE
    assert set(Deadline.Kind.values) == calendar_file.DEADLINE_KINDS
    assert set(StakeholderGroup.values) == calendar_file.CATEGORY_CODES


def everything():
    tables = [
        *(Process, Category, Event, Segment, Deadline, DeadlineChange, ReminderStep),
        Document,
    ]
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in tables}


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FOLDER, tmp_path / "calendar"))


def change(path, line, old, new):
    """Plants a mistake on one line of a file; line 1 holds the heads."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[line - 1].count(old), f"{path.name}, line {line} has no {old}"
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="utf-8")


def line_of(path, start):
    lines = path.read_text(encoding="utf-8").split("\n")
    (number,) = [number for number, line in enumerate(lines, 1) if line.startswith(start)]
    return number


BAD = [
    ("events.csv", "msh4,", "2018-02-21", "2018-02-30", "the first day 2018-02-30 does not exist."),
    (
        *("events.csv", "msh4,", "2018-02-21", "21.02.2018"),
        "the first day “21.02.2018” is not written like 2018-02-07.",
    ),
    (
        *("events.csv", "neg2,", "2018-03-12,2018-03-15", "2018-03-12,2018-03-11"),
        "the last day 2018-03-11 is before the first, 2018-03-12.",
    ),
    (
        *("events.csv", "msh4,", "America/New_York", "America/New York"),
        "the zone “America/New York” is not known.",
    ),
    ("events.csv", "msh4,", ",hearing,", ",meeting,", "the kind “meeting” is not known."),
    ("events.csv", "msh4,", "msh4,gcm,", "msh4,gmc,", "the process “gmc” is not known."),
    ("events.csv", "msh4,", ",in_person,", ",in person,", "the mode “in person” is not known."),
    ("events.csv", "msh4,", ",US,", ",usa,", "the country “usa” is not a code of two capitals."),
    ("events.csv", "msh4,", ",V,", ",X,", "the evidence “X” is not known."),
    (
        "events.csv",
        "idm18-1,",
        ",IISD SDG Knowledge Hub 29 March 2018,",
        ",,",
        "a row marked V needs its source.",
    ),
    (
        *("events.csv", "neg2,", "Second round of negotiations", ""),
        "the English name is missing.",
    ),
    (
        *("events.csv", "neg2,", "الجولة الثانية من المفاوضات", ""),
        "the Arabic name is missing.",
    ),
    (
        *("events.csv", "msh4,", "10:00,", "25:00,"),
        "the starting time 25:00 does not exist.",
    ),
    (
        *("events.csv", "neg2,", "2018-03-12,2018-03-15,,,,", "2018-03-11,2018-03-15,,,02:30,"),
        "the starting time is not one moment: On 2018-03-11 the clocks of America/New_York skip "
        "02:30: that time does not exist. Choose an earlier or a later time.",
    ),
    (
        *("events.csv", "neg2,", "2018-03-12,2018-03-15,,,,", "2018-11-04,2018-11-04,,,01:30,"),
        "the starting time is not one moment: On 2018-11-04 the clocks of America/New_York show "
        "01:30 twice, because they are put back. Say which of the two you mean.",
    ),
    ("events.csv", "neg2,", ",V,", ",V,surplus,", "the row has 33 cells instead of 32."),
    ("events.csv", "id,", "id,process", "id,prozess", "the column heads must be these"),
    ("events.csv", "id,", "id,process", "id;process", "the column heads must be these"),
    ("segments.csv", "neg1,First", "2018-02-20", "2018-02-24", "is not a day of “neg1”."),
    ("segments.csv", "neg1,First", "neg1", "neg9", "the event “neg9” is not known."),
    (
        *("segments.csv", "msh4,Opening", "10:00,10:20", "10:20,10:00"),
        "the ending time is before the starting time.",
    ),
    (
        *("segments.csv", "neg1,Second", "Second day", "First day"),
        "segment of this name stands on line",
    ),
    (
        *("deadlines.csv", "msh4,", "2018-02-07", "2018-02-30"),
        "the closing date 2018-02-30 does not exist.",
    ),
    (
        *("deadlines.csv", "msh4,", ",no,no,", ",maybe,no,"),
        "the hour stated must be yes or no, not “maybe”.",
    ),
    (
        *("deadlines.csv", "msh4,", "msh4,registration,,", "msh4,registration,2018-03-01,"),
        "it closes on 2018-02-07, before it opens.",
    ),
    (
        *("deadlines.csv", "msh4,", "2018-02-07,,", "2018-03-11,02:30,"),
        "the closing time is not one moment",
    ),
    ("deadlines.csv", "hld13,", "hld13,", "hld13-hearing,", "deadline of “hld13-hearing” stands"),
    ("documents.csv", "msh4,", "https://", "http://", "does not look like https://"),
    ("documents.csv", "msh4,", ",en,", ",xx,", "the language “xx” is not known."),
    ("categories.csv", "gcm,diaspora", "diaspora", "civil_society", "stands on line"),
    ("categories.csv", "gcm,diaspora", ",2,", ",two,", "is not a number from 0 to 999."),
    ("processes.csv", "hld,", ",HLD,", ",hld!,", "does not look like GCM."),
    (
        *("phrases.csv", "Geneva,", "Geneva,", "Genevra,"),
        "the English “Genevra” stands in none of the other files.",
    ),
    ("phrases.csv", "Geneva,", "Geneva,", "geneva,", "the English “geneva” stands in none"),
    ("phrases.csv", "Geneva,", "Geneva,", ",", "the English is missing."),
    ("phrases.csv", "Vienna,", "Vienna,", "Geneva,", "the English “Geneva” stands on line"),
    (
        *("phrases.csv", "Geneva,", "日内瓦", "日" * 81),
        "the Chinese has 81 characters, 80 at most.",
    ),
    (
        *("phrases.csv", "Parliament,", "Парламент", "П" * 121),
        "the Russian has 121 characters, 120 at most.",
    ),
    ("phrases.csv", "Geneva,", ",Ginebra", "", "the row has 4 cells instead of 5."),
    ("phrases.csv", "en,", "zh-hans", "zh", "the column heads must be these"),
]


@pytest.mark.parametrize(("name", "start", "old", "new", "sentence"), BAD)
def test_a_bad_row_is_refused_with_its_line(folder, name, start, old, new, sentence):
    line = line_of(folder / name, start)
    change(folder / name, line, old, new)

    with pytest.raises(calendar_file.CalendarError) as refused:
        calendar_file.read(folder)

    told = str(refused.value).split("\n")
    assert any(at.startswith(f"{name}, line {line}: ") and sentence in at for at in told), told


def test_a_file_with_a_bad_row_leaves_the_database_as_it_was(calendar, tmp_path):
    before = everything()
    for number, (name, start, old, new, sentence) in enumerate(BAD):
        folder = Path(shutil.copytree(FOLDER, tmp_path / str(number)))
        events = folder / "events.csv"
        change(events, line_of(events, "summit16,"), "UN Summit", "Top")
        change(folder / name, line_of(folder / name, start), old, new)

        with pytest.raises(CommandError) as refused:
            load(folder)

        assert str(refused.value).startswith("Nothing was loaded.\n")
        assert sentence in str(refused.value)
        assert everything() == before


@pytest.mark.parametrize(("column", "said"), [(0, "id “neg2” stands"), (2, "slug “")])
def test_a_second_row_of_the_same_name_is_refused(folder, column, said):
    path = folder / "events.csv"
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    row = lines[line_of(path, "neg2,") - 1].split(",")
    other = row[:]
    other[0], other[2] = "neg2b", "another-round"
    other[column] = row[column]
    path.write_text("\n".join([*lines, ",".join(other)]), encoding="utf-8")

    with pytest.raises(calendar_file.CalendarError) as refused:
        calendar_file.read(folder)

    (problem,) = refused.value.problems
    assert problem.line == len(lines) + 1
    assert said in problem.sentence
    assert problem.column == ("id", "process", "slug")[column]


def test_text_that_is_not_utf_8_is_refused_with_its_line(folder):
    path = folder / "events.csv"
    line = line_of(path, "neg2,")
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = lines[line - 1].replace(b"Second round", b"Second \xe9 round")
    path.write_bytes(b"\n".join(lines))

    with pytest.raises(calendar_file.CalendarError) as refused:
        calendar_file.read(folder)

    problem = refused.value.problems[0]
    assert str(problem) == f"events.csv, line {line}: this is not UTF-8 text."


def test_a_line_break_within_a_cell_is_refused_with_the_line_where_the_row_begins(folder):
    path = folder / "events.csv"
    line = line_of(path, "neg2,")
    change(path, line, "Second round of negotiations", '"Second\nround"')

    with pytest.raises(calendar_file.CalendarError) as refused:
        calendar_file.read(folder)

    (problem,) = refused.value.problems
    assert (problem.line, problem.sentence) == (
        line,
        "a cell holds a line break; a row is one line.",
    )


def test_a_missing_file_is_refused(folder):
    (folder / "segments.csv").unlink()

    with pytest.raises(calendar_file.CalendarError, match="segments.csv, line 1: the file cannot"):
        calendar_file.read(folder)


def test_every_problem_is_told_at_once(folder):
    change(folder / "events.csv", line_of(folder / "events.csv", "msh4,"), ",US,", ",usa,")
    change(folder / "deadlines.csv", line_of(folder / "deadlines.csv", "msh4,"), ",V,", ",W,")

    with pytest.raises(calendar_file.CalendarError) as refused:
        calendar_file.read(folder)

    assert [problem.file for problem in refused.value.problems] == ["events.csv", "deadlines.csv"]


def test_what_a_spreadsheet_adds_is_taken(folder):
    """A byte order mark, carriage returns and empty rows at the end."""
    for path in folder.glob("*.csv"):
        text = path.read_text(encoding="utf-8").replace("\n", "\r\n") + ",,,\r\n"
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert calendar_file.read(folder) == calendar_file.read(FOLDER)
