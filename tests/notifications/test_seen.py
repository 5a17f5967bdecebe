"""manage.py seen: the health check of worker and beat."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

import clock
from notifications.models import Heartbeat


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_who_was_seen_of_late_is_well(now, name, capsys):
    Heartbeat.mark(name, now=now)

    call_command("seen", name)

    assert capsys.readouterr().out.startswith(f"{name} was seen ")


def test_who_was_not_seen_for_a_minute_is_not(now):
    Heartbeat.mark("worker", now=now)
    Heartbeat.mark("beat", now=now - timedelta(seconds=70))

    call_command("seen", "worker")
    call_command("seen", "beat", within=120)
    with pytest.raises(CommandError, match=r"^beat was last seen 7\d s ago\.$"):
        call_command("seen", "beat")


def test_who_was_never_seen_is_not(db):
    with pytest.raises(CommandError, match=r"^worker was never seen\.$"):
        call_command("seen", "worker")


def test_without_a_database_nobody_can_say(monkeypatch):
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(clock, "now", away)

    with pytest.raises(CommandError, match=r"^No database; nobody can say\.$"):
        call_command("seen", "worker")
