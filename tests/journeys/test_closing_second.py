"""Eighty groups send around the second at which registration closes, on the real clock: each is
judged by the moment that its own answer carries, and by nothing else."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

import clock
from bench import crowd, seed
from events.models import Deadline, Event
from registrations import intake

CLIENTS = 80
AT_ONCE = 8
AROUND = timedelta(seconds=1.5)


@pytest.fixture
def hearing_that_closes(transactional_db) -> Event:
    now = clock.now()
    process = seed.process(seed.CROWDS, "BCR")
    return seed.event(process, "hearing", closes_at=now + timedelta(hours=1), now=now)


@pytest.fixture
def around_the_second(hearing_that_closes) -> Callable[[], dict[str, int]]:
    """Everybody sends, one after the other over three seconds; what became of it."""

    def send() -> dict[str, int]:
        now = clock.now()
        groups = seed.drafts(hearing_that_closes, CLIENTS, "group{}@groups.example", now=now)
        sessions = seed.sessions([group.user for group in groups])
        closes_at = clock.now() + AROUND
        start = time.monotonic()
        seed.set_closing(Deadline.objects.all(), closes_at, now=now)

        def post(number: int) -> dict:
            path = f"/en/registrations/{groups[number].registration.reference}/check/"
            client = Client()
            client.cookies["sessionid"] = sessions[number]
            moment = start + 2 * AROUND.total_seconds() * number / (CLIENTS - 1)
            time.sleep(max(moment - time.monotonic(), 0))
            try:
                answer = client.post(path)
            finally:
                connection.close()
            return {"status": answer.status_code, "judged_at": answer.headers.get("X-Judged-At")}

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(post, range(CLIENTS)))
        return crowd.judged(closes_at, groups, answers)

    return send


def wrong(counts: dict[str, int]) -> set[str]:
    return {what for what, count in counts.items() if count and what not in ("sent", "refused")}


def test_each_is_judged_by_the_moment_that_its_answer_carries(around_the_second):
    counts = around_the_second()

    assert wrong(counts) == set()
    assert counts["sent"] > 0
    assert counts["refused"] > 0
    assert counts["sent"] + counts["refused"] == CLIENTS


def test_without_the_check_of_the_window_it_would_be_wrong(around_the_second, monkeypatch):
    monkeypatch.setattr(
        intake,
        "_check_window",
        lambda event, *_others: event.deadlines.get(kind=Deadline.Kind.REGISTRATION),
    )

    assert wrong(around_the_second()) == {"sent too late"}


@pytest.mark.parametrize(
    ("other_clock", "found"),
    [
        (lambda now: now - timedelta(seconds=1), "sent too late"),
        (lambda now: now + timedelta(seconds=1), "refused too early"),
    ],
)
def test_judged_by_another_clock_than_the_one_shown_it_would_be_wrong(
    around_the_second, monkeypatch, other_clock: Callable[[datetime], datetime], found: str
):
    submit = intake.submit
    monkeypatch.setattr(
        intake,
        "submit",
        lambda registration, *, by, now: submit(registration, by=by, now=other_clock(now)),
    )

    assert wrong(around_the_second()) == {found}
