import threading
import time
from datetime import timedelta

import pytest
from celery import current_app

import clock
from notifications import bell, tasks
from notifications.models import Heartbeat, Letter, State

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_bell_and_the_sweep_both_deliver(sink, post):
    post("one", now=clock.now())
    tasks.deliver()
    post("two", now=clock.now())
    tasks.sweep()

    assert sink.subjects == ["one", "two"]
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}


def test_the_sweep_says_that_beat_and_worker_live(sink):
    tasks.deliver()
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker"}
    Heartbeat.objects.update(at=clock.now() - timedelta(hours=1))

    before = clock.now()
    tasks.sweep()

    assert sorted(Heartbeat.objects.filter(at__gte=before).values_list("name", flat=True)) == [
        "beat",
        "worker",
    ]


def test_the_tasks_are_known_by_the_names_that_bell_and_timetable_use():
    assert current_app.tasks["notifications.deliver"] == tasks.deliver
    assert current_app.tasks["notifications.sweep"] == tasks.sweep


def test_a_sweep_without_a_mail_server_is_quiet(settings, post):
    settings.EMAIL_URL, settings.DEMO = "", False
    post("one", now=clock.now())

    tasks.sweep()

    assert Letter.objects.get().state == State.QUEUED


def test_a_letter_that_comes_within_the_echo_of_the_bell_leaves_with_it(sink, post, monkeypatch):
    def meanwhile(_seconds: float) -> None:
        post("two", now=clock.now())

    monkeypatch.setattr(tasks.time, "sleep", meanwhile)
    post("one", now=clock.now())

    tasks.deliver()

    assert sink.subjects == ["one", "two"]


def test_the_worker_looks_for_longer_than_the_bell_is_silent():
    assert tasks.LOOKS_AGAIN_AFTER > bell.ECHO


def at_work_together(at_once, monkeypatch) -> tuple[int, int]:
    """How many threads delivered at the same time, and how often anybody did, when two are called
    and a third call comes while they are at work."""
    inside, most, runs = [], [], []
    third = threading.Event()

    def deliver() -> None:
        inside.append(threading.get_ident())
        runs.append(1)
        most.append(len(inside))
        if not third.is_set():
            third.set()
            tasks.deliver()
        real_sleep(0.2)
        inside.remove(threading.get_ident())

    real_sleep = time.sleep
    monkeypatch.setattr(tasks.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(tasks.delivery, "deliver", deliver)
    done = at_once(tasks.deliver, tasks.deliver)
    assert done == [None, None]
    return max(most), len(runs)


def test_a_worker_has_one_letter_in_flight(at_once, monkeypatch):
    most, runs = at_work_together(at_once, monkeypatch)

    assert most == 1
    assert runs >= 4, "who called meanwhile was not heard"


def test_without_the_lock_two_threads_deliver_at_once(at_once, monkeypatch):
    class NoLock:
        def acquire(self, blocking: bool) -> bool:
            return True

        def release(self) -> None:
            pass

    monkeypatch.setattr(tasks, "_at_work", NoLock())

    assert at_work_together(at_once, monkeypatch)[0] > 1
