"""The list of events, as it is chosen from."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import deadlines, schedule
from events.models import Deadline, Event, Process
from tests.conftest import an_event

DAY = timedelta(days=1)


@pytest.fixture
def publish(process, hearing, now) -> Callable[..., Event]:
    """An event beside the hearing, published ten days ago."""

    def publish(slug: str, *, of: Process = process, window: dict | None = None, **facts: Any):
        event = an_event(of, slug, hearing, **facts)
        if window:
            kind = Deadline.Kind.REGISTRATION
            deadlines.set_deadline(event, kind=kind, by=None, now=now - 10 * DAY, **window)
        schedule.publish(event, by=None, now=now - 10 * DAY)
        return event

    return publish


@pytest.fixture
def several(publish, now) -> None:
    """Beside the hearing in New York, which is open."""
    other = Process.objects.create(slug="other", name_en="Another process")
    publish(
        "ahead",
        kind="workshop",
        mode="online",
        window={"opens_at": now + DAY, "closes_at": now + 3 * DAY},
    )
    publish("shut", kind="workshop", country="CH", window={"closes_at": now - DAY})
    publish("without", of=other, kind="forum", mode="hybrid", country="CH")
    publish("past", of=other, starts_on=date(2018, 2, 21), ends_on=date(2018, 3, 2))


def slugs(response) -> list[str]:
    return [row["event"].slug for row in response.context["coming"] + response.context["past"]]


def options(response, name: str) -> list[str]:
    field = response.context["form"].fields[name]
    return [str(label) for _value, label in field.choices[1:]]


def test_what_comes_stands_by_date_and_then_what_was_the_newest_first(
    client, publish, process, hearing, now
):
    for slug, days in (("c", 20), ("b", 10), ("a", -10), ("z", -20)):
        day = now.date() + days * DAY
        publish(slug, starts_on=day, ends_on=day)
    an_event(process, "draft", hearing, name_en="Secret")

    page = client.get("/en/events/")

    assert [row["event"].slug for row in page.context["coming"]] == ["b", "c", "hearing"]
    assert [row["event"].slug for row in page.context["past"]] == ["a", "z"]
    assert "Secret" not in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["ahead", "hearing", "shut", "without", "past"]),
        ("process=other", ["without", "past"]),
        ("kind=workshop", ["ahead", "shut"]),
        ("registration=open", ["hearing"]),
        ("registration=ahead", ["ahead"]),
        ("registration=closed", ["shut"]),
        ("registration=none", ["without"]),
        ("registration=past", ["past"]),
        ("when=2018", ["past"]),
        ("when=2018-02", ["past"]),
        ("when=2018-03", ["past"]),
        ("country=CH", ["shut", "without"]),
        ("mode=online", ["ahead", "without"]),
        ("mode=in_person", ["hearing", "shut", "without", "past"]),
        ("country=CH&kind=forum", ["without"]),
        ("country=CH&kind=hearing", []),
        ("q=hearing+on+the", ["hearing"]),
        ("q=global+compact", ["ahead", "hearing", "shut"]),  # the name of the process
        ("q=جلسه", ["hearing"]),
        ("q=NEW+york+hearing", ["hearing"]),
        ("q=switzerland", ["shut", "without"]),
        ("q=another&kind=forum", ["without"]),
        ("q=nowhere", []),
    ],
)
def test_each_filter_shows_what_fits(client, several, asked, found):
    assert slugs(client.get(f"/en/events/?{asked}")) == found


def test_beside_each_choice_stands_what_it_would_show_with_the_others_chosen(client, several):
    everything = client.get("/en/events/")
    swiss = client.get("/en/events/?country=CH")

    assert options(everything, "registration") == [
        "Registration open (1)",
        "Opens later (1)",
        "Registration closed (1)",
        "Groups do not register here (1)",
        "Past event (1)",
    ]
    assert options(everything, "country") == ["Switzerland (2)", "United States of America (1)"]
    assert options(everything, "mode") == ["In person (4)", "Online (2)"]
    assert options(swiss, "country") == options(everything, "country")
    assert options(swiss, "kind") == ["Hearing (0)", "Workshop (1)", "Forum (1)"]
    (year, months) = everything.context["form"].fields["when"].choices[-1]
    assert year == "2018"
    assert [str(label) for _value, label in months] == [
        "All of 2018 (1)",
        "February 2018 (1)",
        "March 2018 (1)",
    ]


def test_what_is_chosen_can_be_taken_away_again_one_by_one(client, several):
    page = client.get("/en/events/?q=s&country=CH&kind=forum&mode=&page=1")

    assert [(str(chip["label"]), str(chip["text"]), chip["url"]) for chip in chips(page)] == [
        ("Search", "s", "/en/events/?country=CH&kind=forum"),
        ("Kind of event", "Forum", "/en/events/?q=s&country=CH"),
        ("Country", "Switzerland", "/en/events/?q=s&kind=forum"),
    ]
    assert '<option value="CH" selected>' in page.content.decode()


def chips(response) -> list[dict[str, Any]]:
    return response.context["chips"]


def test_where_nothing_fits_it_says_what_taking_a_filter_away_would_show(client, several):
    page = client.get("/en/events/?country=CH&kind=hearing")
    words = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())

    assert "No event fits" in words
    assert "Without Kind of event: Hearing (2 events)" in words
    assert "Without Country: Switzerland (2 events)" in words
    assert "Show all events" in words


def test_what_cannot_be_asked_for_gets_a_sentence_and_all_events(client, several):
    for asked, sentence in (
        ("country=XX", "Choose one from the list."),
        ("kind=%00", "Choose one from the list."),
        ("q=%00", "Null characters are not allowed."),
        ("q=" + "x" * 101, "Search with at most 100 characters."),
    ):
        page = client.get(f"/en/events/?{asked}")

        assert page.status_code == 200
        text = page.content.decode()
        assert text.count(sentence) == 2, asked  # in the summary and beside the field
        assert "<title>Error: Events" in text
        assert len(slugs(page)) == 5
    assert "x" * 101 in text


def test_fifty_stand_on_a_page(client, publish, hearing):
    for number in range(51):
        publish(f"m{number:02}", name_en=f"Meeting {number:02}")

    first, second = (client.get(f"/en/events/?kind=hearing&page={n}") for n in (1, 2))

    assert len(slugs(first)) == 50
    assert slugs(second) == ["m49", "m50"]
    assert 'href="?kind=hearing&amp;page=2"' in first.content.decode()
    assert slugs(client.get("/en/events/?page=no")) == slugs(client.get("/en/events/"))


@pytest.mark.parametrize("asked", ["", "?q=meeting&kind=hearing&page=2"])
def test_it_asks_the_database_as_often_for_many_events_as_for_few(client, publish, now, asked):
    publish("one")
    counts = []
    for of_all in (range(3), range(3, 60)):
        for number in of_all:
            publish(f"m{number}", name_en="Meeting", window={"closes_at": now + DAY})
        with CaptureQueriesContext(
            connection,
        ) as asked_for:
            client.get(f"/en/events/{asked}")
        counts.append(len(asked_for))

    assert counts == [5, 5]  # the clock; what there is and its windows; a page and its windows


def test_a_filtered_page_is_not_kept_and_the_whole_list_is(client, settings, several):
    settings.PAGES_KEPT_FOR = 60.0
    client.get("/en/events/")
    client.get("/en/events/?kind=forum")
    Event.objects.update(name_en="Renamed")

    assert "Renamed" not in client.get("/en/events/").content.decode()
    assert "Renamed" in client.get("/en/events/?kind=forum").content.decode()
