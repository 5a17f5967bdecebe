"""The first page about an event: what waits, what comes when, and how it stands."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from events import deadlines, roles, schedule
from events.models import Category, Deadline
from notifications.models import Letter, Suppression
from registrations import exchanges, figures, reminders
from registrations.admin import overview, plots
from registrations.models import Delegate, Exchange, Registration
from tests.admin.conftest import signed_in
from tests.registrations import crowd

DAY = timedelta(days=1)


@pytest.fixture
def url(hearing) -> str:
    return reverse("admin:events_event_overview", args=[hearing.pk])


@pytest.fixture
def crowded(hearing, now):
    """Groups of three regions, sent on four days of the last twelve, people in several states."""
    for number, (country, category) in enumerate(
        [("KE", "youth"), ("PH", "diaspora"), ("FR", "academia"), ("", "")]
    ):
        groups = crowd.sent(
            hearing,
            number + 1,
            now=now,
            people=2,
            name=f"Group {number}",
            country=country,
            category=category,
        )
        own = Registration.objects.filter(pk__in=[one.pk for one in groups])
        at = now - 4 * number * DAY
        own.update(begun_at=at - DAY, sent_at=at)
        first = Delegate.objects.filter(registration__in=own).order_by("pk").first()
        Delegate.objects.filter(pk=first.pk).update(state="confirmed" if number % 2 else "approved")
    crowd.drafts(hearing, 3, now=now)
    return hearing


def words(page) -> list[tuple[str, str]]:
    return [(task.n, task.words) for task in page.context_data["tasks"]]


def plot(page, key) -> plots.Plot:
    return next(one for one in page.context_data["plots"] if one.key == key)


def drawn(page, key) -> list[str]:
    """The words of a picture, in their order."""
    figure = page.content.decode().partition(f'id="plot-{key}"')[2].partition("</figure>")[0]
    return [unescape(said) for said in re.findall(r"<text[^>]*>([^<]*)</text>", figure)]


def test_who_may_look_at_people_sees_it_first_among_the_pages(clara_in, hearing, url):
    page = clara_in.get(reverse("admin:events_event_change", args=[hearing.pk]))

    assert page.context_data["tools"][0] == ("Overview", url)
    assert clara_in.get(url).status_code == 200


def test_whoever_keeps_a_door_or_runs_another_process_does_not(dina_in, process, url, now):
    door = User.objects.create_user("door@secretariat.example")
    roles.grant(door, on=process, kind="door", by=None, now=now)

    assert signed_in(door).get(url).status_code == 404
    assert dina_in.get(url).status_code == 404


def test_an_event_without_anybody(clara_in, hearing, url):
    page = clara_in.get(url)

    assert [one.finding for one in page.context_data["plots"]] == [
        "Nobody has registered yet",
        "Nobody has begun to register yet",
        "Nobody has registered yet",
        "Nobody has registered yet",
        "Nobody is undecided",
        "No group has been reminded yet",
        "There is no focal point yet",
    ]
    assert words(page) == []
    assert [one.rows or one.bars for one in page.context_data["plots"]] == [[]] * 7
    assert "Nothing waits for you." in page.content.decode()


def test_what_each_picture_shows_stands_in_its_table(clara_in, crowded, url):
    page = clara_in.get(url)

    for one in page.context_data["plots"]:
        said = drawn(page, one.key)
        if one.kind == "bars":
            labels, values = said[::2], said[1::2]
            assert labels == [row[0] for row in one.rows]
            assert [value.partition(" (")[0] for value in values] == [row[1] for row in one.rows]
            widths = [float(bar.width.rstrip("%")) for bar in one.bars]
            assert max(widths, default=0) in (0, plots.WIDEST)
    table = page.content.decode().partition('aria-labelledby="plot-categories"><table>')[2]
    cells = re.findall(r"<(?:th scope=\"row\"><bdi|td class=\"num\")>([^<]*)<", table)[:12]
    assert cells == [cell for row in plot(page, "categories").rows for cell in row]


def test_the_plots_say_what_one_counts_by_hand(clara_in, crowded, url):
    page = clara_in.get(url)

    assert {key: plot(page, key).rows for key in ("categories", "regions", "funnel", "ages")} == {
        "categories": [
            ["Not known", "8", "40 %"],
            ["Academia", "6", "30 %"],
            ["Diaspora and migrant organisations", "4", "20 %"],
            ["Youth organisation", "2", "10 %"],
        ],
        "regions": [
            ["Not known", "8", "40 %"],
            ["Europe", "6", "30 %"],
            ["Asia", "4", "20 %"],
            ["Africa", "2", "10 %"],
        ],
        "funnel": [
            ["Delegations begun", "13"],
            ["Delegations with people entered", "13"],
            ["Delegations sent", "10"],
            ["People in the delegations sent", "20"],
            ["People with a place", "4"],
            ["People who have confirmed", "2"],
        ],
        "ages": [
            ["0 to 2 days", "1"],
            ["3 to 5 days", "3"],
            ["6 to 10 days", "5"],
            ["11 days and more", "7"],
        ],
    }
    assert plot(page, "languages").rows == [["English", "13", "100 %"]]
    assert [row[1:] for row in plot(page, "days").rows] == [
        ["4", "4"],
        ["3", "7"],
        ["2", "9"],
        ["1", "10"],
    ]


def test_the_course_of_the_days_is_drawn_from_its_table(clara_in, crowded, deadline, url, now):
    page = clara_in.get(url)

    one = plot(page, "days")
    foretold = figures.pace(crowded, deadline, now=now).forecast
    assert drawn(page, "days")[:2] == ["10", f"Close: {foretold}"]
    heights = [float(column.height) for column in one.course.columns]
    a_day = [int(row[1]) for row in one.rows]
    assert heights == [pytest.approx(plots.SENT_HEIGHT * n / max(a_day)) for n in a_day]
    points = re.findall(r"[\d.]+ ([\d.]+)", one.course.line)
    so_far = [int(row[2]) for row in one.rows]
    drawn_so_far = sorted({round((100 - float(y)) * foretold / 100) for y in points})
    assert drawn_so_far == [0, *so_far]


def test_the_headings_say_what_is_found(clara_in, crowded, url):
    page = clara_in.get(url)

    assert [one.finding for one in page.context_data["plots"]] == [
        "10 delegations have registered, 3 of them in the last seven days",
        "Of 13 delegations begun, 10 have been sent",
        "“Academia” is the largest group: 30 % of the people",
        "50 % of the people come from Europe and Asia",
        "7 people have been undecided for more than 10 days",
        "No group has been reminded yet",
        "100 % of the focal points read English",
    ]
    assert plot(page, "days").note.startswith("At the pace of the last seven days, about 1")


def test_it_counts_those_who_wait_as_the_morning_letter_does(clara_in, crowded, url, now):
    page = clara_in.get(url)

    ((n, _oldest),) = reminders._queues(sent_by=now).values()
    waiting = page.context_data["key_figures"][2]
    assert (waiting.about, waiting.n) == ("Undecided people", str(n))
    assert waiting.words == "Oldest: 12 days"


@pytest.fixture
def troubled(hearing, sent, correction, exemption, clara, amina, now):
    """Something of everything that can wait."""
    asked, told, _third = sent.delegates.in_order()
    for one in (asked, told):
        Delegate.objects.filter(pk=one.pk).update(state="more_information")
        Exchange.objects.create(delegate=one, question="Which?", asked_by=clara, asked_at=now)
    told.refresh_from_db()
    exchanges.answer(told, "Wages.", by=amina, now=now)
    Suppression.objects.create(email=amina.email, reason="bounce", since=now)
    first, second = Letter.objects.in_scope(hearing.pk).order_by("pk")[:2]
    Letter.objects.filter(pk=first.pk).update(state="held")
    Letter.objects.filter(pk=second.pk).update(state="failed", ended_at=now)
    return told


PEOPLE_WAIT = [
    ("2", "people wait for a decision"),
    ("1", "person was asked a question, and has not answered"),
]
REST = [
    ("1", "answered question has not been followed by a decision"),
    ("1", "correction waits for an answer"),
    ("1", "group asks to be let in after the close"),
    ("1", "delegation has a focal point whom letters do not reach"),
    ("1", "letter is held"),
    ("1", "letter failed"),
]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("manager", [*PEOPLE_WAIT, *REST]),
        ("reviewer", [*PEOPLE_WAIT, *REST[:2], *REST[3:]]),
        ("reader", PEOPLE_WAIT),
    ],
)
def test_each_sees_what_waits_as_far_as_their_rights_go(troubled, process, url, now, kind, seen):
    user = User.objects.create_user("somebody@secretariat.example")
    roles.grant(user, on=process, kind=kind, by=None, now=now)

    assert words(signed_in(user).get(url)) == seen


def test_every_link_leads_to_what_it_counts(clara_in, troubled, url):
    tasks = clara_in.get(url).context_data["tasks"]

    lists = [task for task in tasks if task.url]
    assert len(lists) == 6
    for task in lists:
        found = clara_in.get(task.url)
        assert found.status_code == 200, task.url
        assert str(found.context_data["cl"].result_count) == task.n, task.url
    named = [entry for task in tasks for entry in task.named or []]
    assert [name for name, _url in named] == ["Moussa Keïta", str(troubled.registration)]
    assert [clara_in.get(url).status_code for _name, url in named] == [200, 200]


def test_many_answers_are_counted_and_five_are_named(clara_in, hearing, clara, url, now):
    crowd.sent(hearing, 7, now=now)
    for one in Delegate.objects.all():
        Exchange.objects.create(
            delegate=one,
            question="Which?",
            asked_by=clara,
            asked_at=now,
            answer="Wages.",
            answered_at=now,
        )

    task = clara_in.get(url).context_data["tasks"][1]

    assert task.n == "7"
    assert len({name for name, _url in task.named}) == 5


def test_dates_say_what_will_happen(clara_in, clara, crowded, deadline, url, now):
    Delegate.objects.filter(state="approved").update(asked_at=now)
    deadlines.set_deadline(
        crowded,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=deadline.closes_at + 3 * DAY,
        by=clara,
        now=now,
    )
    dates = clara_in.get(url).context_data["dates"]

    closes = next(one for one in dates if one.what == "Registration: closes")
    assert closes.then.startswith("3 delegations are begun and not sent as of now.")
    confirms = next(one for one in dates if one.what == "Confirmation: closes")
    assert confirms.then.startswith("2 people have not confirmed as of now.")
    assert [one.then for one in dates if one.what.startswith("Registration: reminder")] == [
        "To 3 focal points with an unsent draft as of now."
    ] * 3
    assert [one.what for one in dates][-2:] == ["The event begins", "The event ends"]
    assert dates == sorted(dates, key=lambda one: one.at)
    assert [one.is_next for one in dates].index(True) == 0


def test_of_thousands_readers_the_deadlines_page_tells(clara_in, crowded, url, monkeypatch):
    monkeypatch.setattr(overview, "MOST_FORETOLD", 12)

    dates = clara_in.get(url).context_data["dates"]

    said = {one.then for one in dates if "reminder" in one.what}
    assert said == {"How many it reaches as of now is counted on the deadline’s page."}


def test_of_a_postponed_event_nobody_is_reminded(clara_in, clara, crowded, url, now):
    schedule.postpone(crowded, by=clara, now=now, reason="The room was flooded.")

    page = clara_in.get(url)

    assert not any("reminder" in one.what for one in page.context_data["dates"])
    assert "This event is postponed: nobody can register" in page.content.decode()
    assert plot(page, "days").note == ""


def test_names_of_groups_are_words_and_nothing_else(clara_in, process, sent, url):
    hostile = '"><script>alert(1)</script>'
    Category.objects.filter(process=process, code="diaspora").update(name_en=hostile)

    body = clara_in.get(url).content.decode()

    assert "<script>alert" not in body
    assert body.count("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") == 3


def test_the_page_in_arabic_reads_from_the_right(clara_in, clara, crowded, url):
    clara_in.cookies["language"] = "ar"
    with translation.override("ar"):
        User.objects.filter(pk=clara.pk).update(language="ar")
        page = clara_in.get(url, headers={"accept-language": "ar"})

    body = page.content.decode()
    assert re.search(r'<html lang="ar" dir="rtl"', body)
    for bar in plot(page, "regions").bars:
        assert bar.start == "100.00%" and bar.gap < 0
        assert float(bar.x[:-1]) + float(bar.width[:-1]) == pytest.approx(100, abs=0.02)
    assert '<div dir="ltr"><svg' in body


def test_nothing_is_styled_within_the_page(clara_in, crowded, url):
    content = clara_in.get(url).content.decode().partition('<div class="overview">')[2]

    assert (
        " style=" not in content
        and "<style" not in content
        and "<script" not in (content.partition("</main>")[0])
    )


@pytest.mark.parametrize("groups", [1, 30])
def test_the_queries_do_not_grow_with_the_people(clara_in, hearing, url, now, groups):
    crowd.sent(hearing, groups, now=now, people=3)
    crowd.drafts(hearing, groups, now=now, name="Draft")
    clara_in.get(url)

    with CaptureQueriesContext(connection) as queries:
        clara_in.get(url)

    assert len(queries) == 35


def test_numbers_stand_as_the_language_writes_them():
    assert (plots.number(1234567), plots.share(1, 3)) == ("1,234,567", "33 %")
    with translation.override("fr"):
        assert plots.number(1234567) == "1\xa0234\xa0567"
