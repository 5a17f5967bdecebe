"""The demonstration shows what the portal can do; loaded again, it adds only what is missing."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import Entry
from events import capacity
from events.models import Event, Follower
from notifications.models import Letter
from registrations.management.commands import load_demo
from registrations.models import Delegate, Invitation, Registration

pytestmark = pytest.mark.django_db


def load():
    call_command("load_demo", stdout=StringIO())


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def people(slug):
    delegates = Delegate.objects.filter(registration__event__slug=slug)
    return [
        (str(one), one.state, one.asked_at is not None)
        for one in delegates.order_by("registration__begun_at", "position")
    ]


def test_an_event_is_full_and_a_hearing_has_seats(demo):
    load()

    hearing = Event.objects.get(slug=load_demo.HEARING)
    days = Event.objects.get(slug=load_demo.FIRST_COME)
    assert (hearing.admission, hearing.seats, hearing.cap) == ("reviewed", 40, 4)
    assert (days.admission, days.seats) == ("first_come", 3)
    assert people(load_demo.FIRST_COME) == [
        ("Inês Carvalho", "approved", True),
        ("Youssef El Idrissi", "approved", True),
        ("Tomás Quispe", "approved", True),
        ("Rosa Mamani", "wait_listed", False),
        ("Luz Huamán", "wait_listed", False),
    ]
    assert Follower.objects.confirmed().of(hearing).count() == 1
    assert Invitation.objects.unanswered().filter(event=hearing).count() == 1
    assert not Letter.objects.pending().exists()


def counts():
    return [model.objects.count() for model in (Registration, Delegate, Follower, Letter, Entry)]


def test_loaded_again_it_changes_nothing(demo, clara):
    load()
    hearing = Event.objects.get(slug=load_demo.HEARING)
    capacity.change(
        hearing, admission="reviewed", seats=None, cap=None, by=clara, now=hearing.published_at
    )
    before = counts()

    load()

    assert counts() == before
    hearing.refresh_from_db()
    assert hearing.seats is None


def test_a_demonstration_from_before_there_were_seats_gets_them(demo, monkeypatch):
    monkeypatch.setattr(load_demo, "is_limited", lambda event: True)
    load()
    assert people(load_demo.FIRST_COME) == []
    delegates = people(load_demo.HEARING)
    monkeypatch.undo()

    load()

    assert people(load_demo.HEARING) == delegates
    assert len(people(load_demo.FIRST_COME)) == 5
    assert Event.objects.get(slug=load_demo.HEARING).seats == 40


def test_it_is_for_demonstrations_only(settings):
    settings.DEMO = False
    with pytest.raises(CommandError):
        load()
