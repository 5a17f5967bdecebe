from datetime import timedelta

import pytest
from celery import current_app

import clock
from notifications import tasks
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
