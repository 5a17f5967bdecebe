"""The bench's own parts. How fast anything is, no test says."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

import clock
from bench import counts, crowd, figures, post, seed, walk
from bench.figures import LEAST, Figure
from bench.place import Trouble
from events.models import Event
from notifications.models import Letter
from registrations import intake, reminders
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation, Representative


@pytest.fixture
def fifty(now) -> int:
    return seed.people(50, now=now, tell=lambda there: None)


def test_fifty_delegates_are_seeded_in_several_scripts(fifty):
    names = " ".join(Organisation.objects.values_list("name", flat=True))

    assert fifty == Delegate.objects.count() == Representative.objects.count() == 50
    assert re.search("[a-z]", names)
    assert re.search("[\u0627-\u064a\u4e00-\u9fff\u0410-\u044f]", names)


def test_what_an_earlier_run_seeded_is_used_again(fifty, now):
    before = set(Registration.objects.values_list("reference", flat=True))

    assert seed.people(50, now=now, tell=lambda there: None) == 50
    assert set(Registration.objects.values_list("reference", flat=True)) == before
    assert seed.people(60, now=now, tell=lambda there: None) == 60
    assert set(Registration.objects.values_list("reference", flat=True)) > before


def test_a_database_with_a_real_calendar_is_left_alone(process, now):
    with pytest.raises(Trouble, match="real calendar"):
        seed.people(50, now=now, tell=lambda there: None)

    assert not Delegate.objects.exists()


def test_a_prepared_person_is_signed_in(fifty):
    (key,) = seed.sessions(seed.newcomers(1))
    client = Client()
    client.cookies["sessionid"] = key

    assert client.get(reverse("registrations:mine")).status_code == 200


def test_the_measured_registration_is_a_whole_one(fifty):
    (person,) = seed.newcomers(1)

    reference = walk.register(counts.InProcess(person), seed.HEARING).split("/")[-2]

    registration = Registration.objects.get(reference=reference)
    assert registration.sent_at
    assert [delegate.state for delegate in registration.delegates.all()] == ["submitted"]


def test_files_of_a_page_are_found():
    page = (
        '<link rel="icon" href="/i.svg" type="image/svg+xml"><link rel="stylesheet" href="/p.css">'
        '<link rel="alternate" hreflang="ar" href="/ar/"><script src="/p.js" defer></script>'
    )

    assert counts.FILES.findall(page) == ["/i.svg", "/p.css", "/p.js"]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 10), (0.95, 19), (1, 20), (0.01, 1)])
def test_a_percentile_is_one_of_the_times(share, expected):
    assert figures.percentile(range(20, 0, -1), share) == expected


@pytest.mark.parametrize(
    ("value", "bound", "kept"),
    [(29, LEAST, False), (30, LEAST, True), (30, figures.MOST, True), (31, figures.MOST, False)],
)
def test_a_promise_is_kept_up_to_its_bound(value, bound, kept):
    assert Figure("registrations", value, "/s", 30, bound).is_kept is kept


def test_the_table_shows_the_promise_beside_the_figure():
    shown = figures.table(
        [
            Figure("event page", 812.4, "/s", 800, LEAST),
            Figure("event page, p50", 9.27, "ms"),
            Figure("memory together", 1325, "MB", 250),
        ]
    )

    assert shown.splitlines()[2:] == [
        "event page         812 /s  at least 800 /s  kept",
        "event page, p50   9.27 ms",
        "memory together  1,325 MB  at most 250 MB   MISSED",
    ]


@pytest.fixture
def crowded(now) -> tuple[Event, list[seed.Draft]]:
    """Three groups, each with a draft of one person."""
    return crowd._event(3, timedelta(hours=1))


@pytest.mark.parametrize(
    ("is_sent", "answer", "judged_after", "found"),
    [
        (True, 302, -0.001, {"sent"}),
        (False, 200, 0, {"refused"}),
        (True, 302, 0, {"sent", "sent too late"}),
        (False, 200, -0.001, {"refused", "refused too early"}),
        (True, 200, -0.001, {"sent", "refused but sent"}),
        (False, 302, 0, {"refused", "said to be sent, but not"}),
        (True, 500, -0.001, {"sent", "errors"}),
        (True, 302, None, {"sent", "errors"}),
    ],
)
def test_the_closing_second_is_judged(crowded, now, is_sent, answer, judged_after, found):
    event, groups = crowded
    if is_sent:
        event.registrations.update(sent_at=now)
    judged_at = None
    if judged_after is not None:
        judged_at = (now + timedelta(seconds=judged_after)).isoformat()
    answers = [{"status": answer, "judged_at": judged_at}] * 3

    counts = crowd.judged(now, groups, answers)

    assert {what for what, count in counts.items() if count} == found
    assert set(counts.values()) == {0, 3}


def test_a_draft_that_lost_its_people_is_found(crowded, now):
    event, groups = crowded
    Delegate.objects.filter(registration=groups[0].registration).delete()
    answers = [{"status": 200, "judged_at": now.isoformat()}] * 3

    assert crowd.judged(now, groups, answers)["drafts lost"] == 1


def test_a_list_that_waits_in_the_order_of_commit_is_told_from_another(transactional_db):
    event, groups = crowd._event(3, timedelta(hours=1))
    Event.objects.filter(pk=event.pk).update(admission=Event.Admission.FIRST_COME, seats=0)
    for group in reversed(groups):
        intake.submit(group.registration, by=group.user, now=clock.now())

    assert crowd.is_in_order_of_commit(event)

    first, last = Delegate.objects.order_by("waits_as")[::2]
    Delegate.objects.filter(pk=first.pk).update(waits_as=last.waits_as + 1)

    assert not crowd.is_in_order_of_commit(event)


def test_planned_ahead_each_group_gets_one_reminder(transactional_db):
    now = clock.now()
    event = post._groups("bench-letters", 3, "group{}@letters.example")
    deadlines = event.deadlines.all()
    seed.set_closing(deadlines, now + timedelta(hours=24) + post.AHEAD, now=now)

    assert reminders.send_due(now=now) == 0
    assert reminders.send_due(now=now + post.AHEAD) == 3
    assert not Letter.objects.due(clock.now()).exists()
    assert len(post._release(event)) == 3
    assert Letter.objects.due(clock.now()).count() == 3
