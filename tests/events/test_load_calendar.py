from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from translated_fields import to_attribute

from audit.models import Entry
from clock import walls
from events import calendar_file, deadlines, schedule
from events.management.commands import load_calendar
from events.management.commands.load_calendar import FOLDER
from events.models import Category, Deadline, DeadlineChange, Event, Process, Segment
from tests.events.test_calendar_file import change, everything, folder, line_of

__all__ = ["folder"]
NY = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HEARING = "multi-stakeholder-hearing-february-2018"


def load(now=NOW, *, live=True, where=FOLDER):
    return load_calendar.load(where, live=live, now=now)


def live_hearing():
    return Event.objects.get(slug=f"live-{HEARING}")


@pytest.mark.parametrize("live", [False, True])
def test_a_second_run_changes_nothing(db, live):
    load(live=live)
    before = everything(), Entry.objects.count()

    told = load(NOW + timedelta(hours=1), live=live)

    assert (everything(), Entry.objects.count()) == before
    counted = [line for line in told if "unchanged" in line]
    assert counted
    assert all(": 0 added, 0 changed, " in line for line in counted)


def test_translations_cost_no_query(db, folder):
    def asked(where):
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            load(where=where)
            transaction.set_rollback(True)
        return len(queries)

    (folder / "phrases.csv").write_text("en,fr,es,ru,zh-hans\n", encoding="utf-8")

    assert asked(FOLDER) == asked(folder)


def test_a_corrected_translation_is_brought_over(db, folder):
    load(live=False)
    path = folder / "phrases.csv"
    change(path, line_of(path, "Second round of negotiations,"), "Deuxième cycle", "Second cycle")
    change(path, line_of(path, "Third day,"), "第三天", "第3天")

    told = load(NOW + timedelta(hours=1), live=False, where=folder)

    event = Event.objects.get(slug="negotiation-round-2-march-2018")
    assert event.name_fr == "Second cycle de négociations"
    assert Segment.objects.get(name_en="Third day").name_zh_hans == "第3天"
    assert "history: event: 0 added, 1 changed, 70 unchanged" in told
    assert "history: segment: 0 added, 1 changed, 38 unchanged" in told


@pytest.mark.parametrize("slug", [HEARING, f"live-{HEARING}"])
@pytest.mark.parametrize("code", ["ar", "zh-hans", "fr", "ru", "es"])
def test_the_page_of_the_hearing_has_no_english_left(db, client, slug, code):
    load()

    page = client.get(f"/{code}/events/{slug}/").content.decode()

    main = page.partition("<main")[2].partition("</main>")[0]
    assert f"<h1>{getattr(Event.objects.get(slug=slug), to_attribute('name', code))}</h1>" in main
    assert ' lang="en"' not in main


def test_the_command_tells_what_it_did(db, capsys):
    call_command("load_calendar")

    calendar = calendar_file.read(FOLDER)
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(
        f"history: {name}: {len(rows)} added, 0 changed, 0 unchanged"
        for name, rows in [
            ("process", calendar.processes),
            ("category", calendar.categories),
            ("event", calendar.events),
            ("segment", calendar.segments),
            ("document", calendar.documents),
            ("deadline", calendar.deadlines),
        ]
    )


def test_events_are_published_at_the_first_load_and_stay_so(db):
    load(live=False)
    load(NOW + timedelta(days=1), live=False)

    assert set(Event.objects.values_list("state", "published_at")) == {("published", NOW)}


def test_a_corrected_row_is_brought_over_and_remembered(db, folder):
    load(live=False)
    path = folder / "events.csv"
    change(path, line_of(path, "neg2,"), "2018-03-15", "2018-03-16")

    told = load(NOW + timedelta(hours=1), live=False, where=folder)

    event = Event.objects.get(slug="negotiation-round-2-march-2018")
    assert event.ends_on == date(2018, 3, 16)
    assert "history: event: 0 added, 1 changed, 70 unchanged" in told
    assert Entry.objects.filter(subject_id=event.pk, verb="brought to the calendar file").exists()


def test_a_corrected_deadline_is_moved_and_keeps_its_history(db, folder):
    load(live=False)
    path = folder / "deadlines.csv"
    change(path, line_of(path, "msh4,"), "2018-02-07", "2018-02-08")

    load(NOW + timedelta(hours=1), live=False, where=folder)

    deadline = Event.objects.get(slug=HEARING).deadlines.get()
    assert deadline.closes_at == datetime(2018, 2, 9, 5, 0, tzinfo=UTC)
    assert deadline.changes.get().old_closes_at == datetime(2018, 2, 8, 5, 0, tzinfo=UTC)
    assert (deadline.is_hour_stated, deadline.is_zone_stated) == (False, False)


def test_nothing_is_half_loaded_when_the_database_refuses(db, monkeypatch):
    publish = schedule.publish

    def until_the_hearing(event, **options):
        if event.slug == HEARING:
            raise load_calendar.refusals.Refusal("Not this one.")
        publish(event, **options)

    monkeypatch.setattr(schedule, "publish", until_the_hearing)

    with pytest.raises(CommandError, match="Nothing was loaded.\nNot this one."):
        call_command("load_calendar")

    assert everything() == {table: [] for table in everything()}


def test_the_demonstration_lies_ahead_by_the_fewest_whole_weeks(db):
    load()

    hearing, true = live_hearing(), Event.objects.get(slug=HEARING)
    weeks, rest = divmod((hearing.starts_on - true.starts_on).days, 7)
    last_minute = walls.last_minute(hearing.deadlines.get().closes_at, "America/New_York")
    assert rest == 0
    assert (last_minute.weekday(), f"{last_minute:%H:%M}") == (2, "23:59")
    assert timedelta(days=9) <= last_minute - NOW < timedelta(days=16)
    moved = {
        live.starts_on - Event.objects.get(slug=live.slug.removeprefix("live-")).starts_on
        for live in Event.objects.filter(process__slug="gcm-live")
    }
    assert moved == {timedelta(weeks=weeks)}


@pytest.mark.parametrize(
    ("now", "closing_day"),
    [
        (datetime(2026, 11, 23, 23, 59, tzinfo=NY), date(2026, 12, 2)),
        (datetime(2026, 11, 24, 0, 0, tzinfo=NY), date(2026, 12, 9)),
    ],
)
def test_nine_days_are_left_to_the_minute(db, now, closing_day):
    load(now)

    closes_at = live_hearing().deadlines.get().closes_at
    assert walls.last_minute(closes_at, "America/New_York").date() == closing_day


def test_the_demonstration_has_every_row_of_the_process(db):
    load()

    def rows(process, prefix=""):
        return {
            (
                *(event.slug.removeprefix(prefix), event.kind, event.name_ar, event.venue_zh_hans),
                *(event.zone, event.segments.count(), event.documents.count()),
                tuple(event.deadlines.order_by("kind").values_list("kind", flat=True)),
            )
            for event in Event.objects.filter(process__slug=process)
        }

    assert rows("gcm-live", "live-") == rows("gcm")
    live = Process.objects.get(slug="gcm-live")
    assert (live.name_en, live.prefix) == ("Global Compact for Migration (demonstration)", "GCM")
    assert live.name_fr == "Pacte mondial sur les migrations (démonstration)"
    assert set(Category.objects.filter(process=live).values_list("code", "name_ru")) == set(
        Category.objects.filter(process__slug="gcm").values_list("code", "name_ru")
    )


def test_wall_times_are_kept_whatever_the_season(db):
    load(datetime(2027, 6, 1, 12, 0, tzinfo=UTC))

    hearing = live_hearing()
    assert f"{hearing.starts_at.astimezone(NY):%H:%M %z}" == "10:00 -0400"
    opening = hearing.segments.get(name_en="Opening")
    assert (opening.date, opening.starts_at) == (hearing.starts_on, hearing.starts_at)


def test_a_wall_time_that_the_new_year_skips_or_repeats_is_still_one_moment():
    moments = load_calendar._Moments()

    skipped = moments.at(date(2027, 3, 14), datetime(2027, 3, 14, 2, 30).time(), NY.key)
    repeated = moments.at(date(2027, 11, 7), datetime(2027, 11, 7, 1, 30).time(), NY.key)

    assert f"{skipped.astimezone(NY):%H:%M}" == "03:30"
    assert repeated == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)


def test_what_organisers_changed_in_the_demonstration_stays_while_it_lasts(db):
    load()
    hearing = live_hearing()
    tomorrow = NOW + timedelta(days=1)
    deadlines.move(
        hearing.deadlines.get(), closes_at=tomorrow, by=None, now=NOW, reason="The room is full."
    )
    Event.objects.filter(pk=hearing.pk).update(name_en="Our hearing")
    before = everything()

    load(NOW + timedelta(hours=2))

    assert everything() == before


def test_when_its_registration_has_closed_the_demonstration_moves_on(db):
    load()
    hearing = live_hearing()
    closed_at = hearing.deadlines.get().closes_at
    Event.objects.filter(pk=hearing.pk).update(name_en="Our hearing")
    ids = set(Event.objects.values_list("pk", flat=True))

    load(closed_at)

    moved = live_hearing()
    further = moved.starts_on - hearing.starts_on
    deadline = moved.deadlines.get()
    assert further.days > 0
    assert further.days % 7 == 0
    assert moved.name_en == "Our hearing"
    assert set(Event.objects.values_list("pk", flat=True)) == ids
    assert walls.last_minute(deadline.closes_at, deadline.zone) - closed_at >= timedelta(days=9)
    assert (deadline.is_hour_stated, deadline.is_zone_stated) == (False, False)
    assert {segment.date for segment in moved.segments.all()} == {moved.starts_on}
    assert f"{moved.segments.get(name_en='Opening').ends_at.astimezone(NY):%H:%M}" == "10:20"


def test_the_demonstration_moves_on_in_one_step_with_all_its_windows(db):
    load()
    closed_at = live_hearing().deadlines.get().closes_at
    load(closed_at)

    moved = live_hearing().starts_on - Event.objects.get(slug=HEARING).starts_on
    for deadline in Deadline.objects.filter(event__process__slug="gcm-live"):
        true = Deadline.objects.get(
            event__slug=deadline.event.slug.removeprefix("live-"), kind=deadline.kind
        )
        days = [
            walls.last_minute(row.closes_at, row.zone).replace(tzinfo=None)
            for row in (deadline, true)
        ]
        assert days[0] - days[1] == moved
    before = everything()

    load(closed_at + timedelta(minutes=1))

    assert everything() == before


def test_without_the_hearing_there_is_no_demonstration(db, folder):
    path = folder / "deadlines.csv"
    change(path, line_of(path, "msh4,"), ",registration,", ",confirmation,")

    with pytest.raises(CommandError, match="the demonstration needs the registration deadline"):
        call_command("load_calendar", folder=folder, live=True)

    assert not Process.objects.exists()


def test_nobody_is_told_of_history_nor_of_a_demonstration_that_moves_on(db):
    load()
    load(NOW + timedelta(weeks=60))

    assert DeadlineChange.objects.exists()
    assert not DeadlineChange.objects.unannounced().exists()


def test_a_correction_of_a_deadline_to_come_is_left_to_be_announced(db, folder):
    before = datetime(2018, 1, 10, tzinfo=UTC)
    load(before, live=False, where=folder)
    deadlines_file = folder / "deadlines.csv"
    change(deadlines_file, line_of(deadlines_file, "msh4,reg"), "2018-02-07", "2018-02-09")

    load(before + timedelta(hours=1), live=False, where=folder)

    (moved,) = DeadlineChange.objects.unannounced()
    assert moved.deadline.event.slug == HEARING
