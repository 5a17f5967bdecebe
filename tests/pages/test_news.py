"""The feed is read here by xml.etree and the letter of RFC 4287, in tests.pages.reading."""

from datetime import date, timedelta

import pytest
from django.utils.http import http_date

from clock import walls
from events import deadlines, schedule
from events.models import Deadline, DeadlineChange, Event, EventChange, Process
from tests.conftest import an_event
from tests.pages.reading import ATOM, LANG, feed_of, link_of, updated

pytestmark = pytest.mark.django_db

ALL, OF_PROCESS = "/en/news.atom", "/en/processes/gcm/news.atom"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OLD = "New: Hearing on the Global Compact"
BASE = "http://127.0.0.1:8000"


def titles(response) -> list[str]:
    return [entry.title for entry in feed_of(response)[1]]


@pytest.fixture
def told(hearing, deadline, now) -> Event:
    """Published thirty days ago, its deadline moved ten days ago, postponed, moved, cancelled."""
    new = deadline.closes_at + 3 * DAY
    deadlines.move(deadline, closes_at=new, by=None, now=now - 10 * DAY, reason="Visas & <more>")
    schedule.postpone(hearing, by=None, now=now - 9 * DAY, reason="The room")
    schedule.move(
        hearing,
        starts_on=date(2030, 3, 1),
        ends_on=date(2030, 3, 2),
        starts_at=None,
        ends_at=None,
        by=None,
        now=now - 8 * DAY,
        reason="Another room",
    )
    schedule.cancel(hearing, by=None, now=now - 7 * DAY, reason="No mandate")
    return hearing


def test_everything_that_happened_to_an_event_is_told_the_newest_first(client, told, now):
    _feed, entries = feed_of(client.get(ALL))

    assert [entry.title for entry in entries] == [
        "Cancelled: Hearing on the Global Compact",
        "Other days: Hearing on the Global Compact",
        "Postponed: Hearing on the Global Compact",
        "Registration closes at another time: Hearing on the Global Compact",
        "New: Hearing on the Global Compact",
    ]
    assert [entry.updated for entry in entries] == [
        *(now - days * DAY for days in (7, 8, 9, 10)),
        told.published_at,
    ]
    assert {entry.link for entry in entries} == {f"{BASE}/en/events/hearing/"}


def test_ids_are_tags_of_the_row_and_of_the_day_on_which_it_happened(client, told, now):
    _feed, entries = feed_of(client.get(ALL))

    cancelled, moved, postponed = EventChange.objects.order_by("-at")
    rows = [cancelled, moved, postponed, DeadlineChange.objects.get(), told]
    whats = ["cancelled", "days", "postponed", "deadline", "published"]
    assert [entry.id for entry in entries] == [
        f"tag:127.0.0.1,{entry.updated.date()}:en/{what}/{row.pk}"
        for entry, what, row in zip(entries, whats, rows, strict=True)
    ]


def test_a_moved_deadline_says_the_new_moment_the_old_one_and_why(client, told, deadline):
    change = DeadlineChange.objects.get()

    (entry,) = [each for each in feed_of(client.get(ALL))[1] if "closes at" in each.title]

    assert entry.moments == [change.new_closes_at, change.old_closes_at]
    assert deadline.said in entry.html.replace("</time>", "").replace(
        f'<time datetime="{change.new_closes_at:%Y-%m-%dT%H:%M:%SZ}">', ""
    )
    assert "The date was changed: Visas &amp; &lt;more&gt;" in entry.html


def test_other_days_say_the_old_ones_and_why(client, told):
    (entry,) = [each for each in feed_of(client.get(ALL))[1] if "Other days" in each.title]

    assert "It takes place on 1–2 March 2030." in entry.html
    assert "<s>" in entry.html
    assert "Why: Another room" in entry.html


def test_the_feed_has_what_the_standard_asks_for(client, told, now):
    feed, _entries = feed_of(client.get(ALL))

    assert feed.get(LANG) == "en"
    assert feed.findtext(f"{ATOM}id") == link_of(feed, "self") == f"{BASE}{ALL}"
    assert link_of(feed, "alternate") == f"{BASE}/en/events/"
    assert updated(feed) == now - 7 * DAY


def test_the_feed_is_in_the_language_of_its_address(client, told):
    feed, entries = feed_of(client.get("/ar/news.atom"))
    _english, others = feed_of(client.get(ALL))

    assert feed.get(LANG) == "ar"
    assert {entry.link for entry in entries} == {f"{BASE}/ar/events/hearing/"}
    assert all("جلسة استماع بشأن الاتفاق العالمي" in entry.title for entry in entries)
    assert {entry.id for entry in entries}.isdisjoint(entry.id for entry in others)


def test_a_name_in_another_language_is_marked_with_it(client, hearing):
    Event.objects.filter(pk=hearing.pk).update(name_ar="")

    ((entry,),) = [feed_of(client.get("/ar/news.atom"))[1]]

    assert f'<span lang="en" dir="ltr">{hearing.name_en}</span>' in entry.html


def test_drafts_are_no_news_nor_is_what_happened_to_one(client, hearing, second, now):
    window = deadlines.set_deadline(
        second, kind="registration", closes_at=now + DAY, by=None, now=now - 3 * DAY
    )
    deadlines.move(window, closes_at=now + 2 * DAY, by=None, now=now - 2 * DAY, reason="Visas")
    assert titles(client.get(ALL)) == [OLD]

    schedule.publish(second, by=None, now=now - DAY)

    assert titles(client.get(ALL)) == ["New: Second", OLD]


@pytest.fixture
def opening(second, now) -> Deadline:
    """The window of an event that was published ten days ago opens at this moment."""
    window = deadlines.set_deadline(
        second, kind="registration", opens_at=now, closes_at=now + 9 * DAY,
        by=None, now=now - 20 * DAY,
    )  # fmt: skip
    schedule.publish(second, by=None, now=now - 10 * DAY)
    return window


def test_a_window_that_has_opened_is_news_with_the_close_of_that_moment(client, opening, now):
    first = opening.closes_at
    deadlines.move(opening, closes_at=first + DAY, by=None, now=now + HOUR, reason="Visas")

    entries = feed_of(client.get(ALL))[1]
    (entry,) = [each for each in entries if each.title == "Registration is open: Second"]

    assert entry.updated == now
    assert entry.moments == [now.replace(microsecond=0), first.replace(microsecond=0)]


def test_a_window_that_will_open_is_no_news_yet(client, opening, now):
    Deadline.objects.filter(pk=opening.pk).update(opens_at=now + DAY)

    assert titles(client.get(ALL)) == ["New: Second", OLD]


def test_what_opens_while_the_event_is_postponed_is_no_news(client, opening, second, now):
    schedule.postpone(second, by=None, now=now - DAY, reason="The room")

    assert titles(client.get(ALL)) == ["Postponed: Second", "New: Second", OLD]


def test_what_was_open_when_the_event_was_published_is_one_piece_of_news(client, opening, now):
    Deadline.objects.filter(pk=opening.pk).update(opens_at=now - 11 * DAY)

    assert titles(client.get(ALL)) == ["New: Second", OLD]


def test_until_when_people_confirm_is_no_news(client, hearing, now):
    window = deadlines.set_deadline(
        hearing, kind="confirmation", opens_at=now - DAY, closes_at=now + DAY, by=None, now=now
    )
    deadlines.move(window, closes_at=now + 2 * DAY, by=None, now=now, reason="Visas")

    assert titles(client.get(ALL)) == [OLD]


def test_a_process_tells_of_its_own_events(client, told, now):
    other = Process.objects.create(slug="other", prefix="OTH", name_en="Other process")
    elsewhere = an_event(other, "elsewhere", told)
    schedule.publish(elsewhere, by=None, now=now)

    feed, entries = feed_of(client.get(OF_PROCESS))

    assert feed.findtext(f"{ATOM}title") == "News of “Global Compact for Migration”"
    assert link_of(feed, "alternate") == f"{BASE}/en/processes/gcm/"
    assert entries == feed_of(client.get(ALL))[1][1:]
    assert titles(client.get("/en/processes/other/news.atom")) == ["New: Elsewhere"]


def test_the_newest_fifty_are_told(client, process, hearing, now):
    for number in range(55):
        event = an_event(process, f"e{number}", hearing, name_en=f"E{number}")
        schedule.publish(event, by=None, now=now - timedelta(minutes=55 - number))

    assert titles(client.get(ALL)) == [f"New: E{number}" for number in range(54, 4, -1)]


def test_a_process_without_news_has_a_feed_that_never_changes(client, now):
    Process.objects.create(slug="other", prefix="OTH", name_en="Other process")

    first, again = (client.get("/en/processes/other/news.atom") for _time in range(2))

    assert feed_of(first)[1] == []
    assert first.content == again.content


def test_what_is_known_is_not_sent_again(client, hearing, deadline, now):
    answer = client.get(ALL)
    etag, since = answer["ETag"], answer["Last-Modified"]
    assert since == http_date(hearing.published_at.timestamp())
    assert client.get(ALL, headers={"if-none-match": etag}).status_code == 304
    assert client.get(ALL, headers={"if-modified-since": since}).status_code == 304

    deadlines.move(deadline, closes_at=deadline.closes_at + DAY, by=None, now=now, reason="Visas")

    assert client.get(ALL, headers={"if-none-match": etag}).status_code == 200
    assert client.get(ALL, headers={"if-modified-since": since}).status_code == 200


def test_what_may_not_stand_in_xml_is_left_out(client, hearing, deadline, now):
    name = "Ann\x01\x0b\ufffe\uffff <b>]]>&amp;\u202e Lee"
    Event.objects.filter(pk=hearing.pk).update(name_en=name, summary_en=name)
    deadlines.move(deadline, closes_at=deadline.closes_at + DAY, by=None, now=now, reason=name)

    assert titles(client.get(ALL))[1] == "New: Ann <b>]]>&amp;\u202e Lee"


def test_moments_are_those_of_the_database_over_both_changes_of_the_clocks(client, process):
    """In March 2018, two weeks apart in New York and in Geneva."""
    told = []
    for zone in ("America/New_York", "Europe/Zurich"):
        event = an_event(
            process, zone[:2].lower(), Event(starts_on=date(2018, 4, 4), ends_on=date(2018, 4, 4)),
            zone=zone,
        )  # fmt: skip
        days = [date(2018, 3, 10), date(2018, 3, 11), date(2018, 3, 24), date(2018, 3, 25)]
        closings = [walls.closing(day, None, zone) for day in days]
        at = closings[0] - 30 * DAY
        window = deadlines.set_deadline(
            event, kind="registration", closes_at=closings[0], by=None, now=at
        )
        schedule.publish(event, by=None, now=at)
        for old, new in zip(closings, closings[1:], strict=False):
            deadlines.move(window, closes_at=new, by=None, now=old - HOUR, reason="Visas")
            told.append((old - HOUR, [new, old]))

    entries = [each for each in feed_of(client.get(ALL))[1] if "closes at" in each.title]

    assert sorted((entry.updated, entry.moments) for entry in entries) == sorted(told)


def test_the_feed_asks_as_much_for_many_events_as_for_few(
    client, told, opening, process, now, django_assert_num_queries
):
    for number in range(5):
        schedule.publish(an_event(process, f"e{number}", told), by=None, now=now)

    with django_assert_num_queries(6):
        client.get(ALL)
    with django_assert_num_queries(7):
        client.get(OF_PROCESS)


@pytest.mark.parametrize(
    ("page", "feeds"),
    [
        ("/en/", [ALL]),
        ("/en/events/", [ALL]),
        ("/en/processes/gcm/", [OF_PROCESS]),
        ("/ar/", ["/ar/news.atom"]),
    ],
)
def test_pages_tell_feed_readers_where_it_is(client, hearing, page, feeds):
    head = client.get(page).content.decode().split("</head>")[0]

    found = [
        line.split('href="')[1].split('"')[0]
        for line in head.splitlines()
        if 'type="application/atom+xml"' in line
    ]
    assert found == feeds
