"""Statistics without names: every number is right, and none tells of somebody."""

import csv
import io

import openpyxl
import pytest
from django.conf import settings

from events.models import Event
from registrations import exports, tallies
from registrations.models import Delegate, Registration
from stakeholders import membership
from stakeholders.models import Organisation, Representative

pytestmark = pytest.mark.django_db
NOTICE = (
    "Numbers under 5 are held back, so that they tell of nobody; so are others from which one "
    "could work them out."
)


@pytest.mark.parametrize(
    ("numbers", "held"),
    [
        ({}, ""),
        ({"a": 5, "b": 60}, ""),
        # alone, it could be worked out from the whole
        ({"a": 4, "b": 7, "c": 9}, "ab"),
        ({"a": 4, "b": 4, "c": 9}, "abc"),
        ({"a": 1, "b": 1, "c": 1, "d": 30, "e": 31}, "abcd"),
        ({"a": 4, "b": 4, "c": 4, "d": 30}, "abc"),
        ({"a": 3}, "a"),
        ({"a": 3, "b": 2}, "ab"),
        ({"a": 4, "b": 6, "c": 6}, "ab"),
    ],
)
def test_small_numbers_are_held_back_and_those_that_would_tell_them(numbers, held):
    assert tallies.held_back(numbers) == set(held)


def enter(event: Event, country: str, n: int, now, **facts) -> None:
    group, _is_new = Organisation.objects.get_or_create(
        name=f"Group of {country or 'nowhere'}", country=country
    )
    registration, _is_new = Registration.objects.get_or_create(
        event=event,
        organisation=group,
        defaults={"reference": f"GCM-{country}-{event.slug}"[:16], "begun_at": now, "sent_at": now},
    )
    for number in range(n):
        person = Representative.objects.create(
            organisation=group, given_names=f"Person {event.slug} {number}"
        )
        Delegate.objects.create(
            registration=registration, representative=person, **({"state": "submitted"} | facts)
        )


def tally() -> tallies.Tally:
    events = {event.pk: event for event in Event.objects.filter(registrations__isnull=False)}
    return tallies.Tally(
        Delegate.objects.sent().order_by("pk"),
        events=events,
        languages=dict(settings.CONTENT_LANGUAGES),
    )


def counted(about: str) -> list[tuple]:
    return [tuple(row[2:]) for row in tally().rows() if row[1] == about]


def test_people_are_counted_by_what_they_and_their_groups_are(hearing, now):
    enter(hearing, "ML", 7, now)
    enter(hearing, "SN", 6, now, state="approved", role="speaker")
    enter(hearing, "PH", 5, now)
    enter(hearing, "", 8, now)

    assert counted("state") == [("Approved", 6, ""), ("Waits for a decision", 20, "")]
    assert counted("role") == [("Asks to speak", 6, ""), ("Delegate", 20, "")]
    assert counted("region") == [("Africa", 13, ""), ("Asia", 5, ""), ("Not known", 8, "")]
    assert counted("country") == [
        ("Mali", 7, ""),
        ("Not known", 8, ""),
        ("Philippines", 5, ""),
        ("Senegal", 6, ""),
    ]
    assert counted("stakeholder group") == [("Not known", 26, "")]


def lines_without_mark(lines: list[list[str]]) -> list[list[str]]:
    return [[cell.removeprefix("\ufeff") for cell in line] for line in lines]


def test_what_is_small_is_in_no_file(hearing, now):
    enter(hearing, "ML", 3, now)
    enter(hearing, "SN", 17, now)
    enter(hearing, "PH", 19, now)

    assert counted("country") == [
        ("Mali", "", "yes"),
        ("Philippines", 19, ""),
        ("Senegal", "", "yes"),
    ]
    lines = list(csv.reader(io.StringIO("".join(exports.as_csv(tally())))))
    assert lines[-1] == [NOTICE, "", "", "", ""]
    assert [line for line in lines if line[3] in ("3", "17")] == []
    assert "Person" not in str(lines)
    with exports.as_xlsx(tally()) as file:
        page = openpyxl.load_workbook(io.BytesIO(file.read())).active
    assert page.title == "Statistics"
    assert [
        [cell or "" for cell in row] for row in page.iter_rows(min_row=2, values_only=True)
    ] == [[int(cell) if cell.isdigit() else cell for cell in line] for line in lines[1:]]


def test_events_are_counted_apart_and_languages_by_focal_points(hearing, second, bo, now):
    enter(hearing, "ML", 5, now)
    enter(second, "ML", 6, now)
    for number in range(5):
        user = type(bo).objects.create_user(f"p{number}@group.example", language="ar")
        group = Organisation(name=f"Choir {number}", country="EG")
        membership.found(group, by=user, now=now)
        registration = Registration.objects.create(
            event=second, organisation=group, reference=f"C-{number}", begun_at=now, sent_at=now
        )
        person = Representative.objects.create(organisation=group, given_names="Singer")
        Delegate.objects.create(registration=registration, representative=person, state="submitted")

    rows = [row for row in tally().rows() if row[1] in ("country", "language of focal points")]
    assert sorted(row[:4] for row in rows) == [
        ["Hearing on the Global Compact", "country", "Mali", 5],
        ["Second", "country", "Egypt", 5],
        ["Second", "country", "Mali", 6],
        ["Second", "language of focal points", "Arabic", 5],
    ]


def test_they_are_asked_for_once_each_whatever_there_is(
    hearing, second, now, django_assert_num_queries
):
    enter(hearing, "ML", 5, now)
    enter(second, "PH", 30, now)
    sheet = tally()

    with django_assert_num_queries(6):
        list(sheet.rows())
