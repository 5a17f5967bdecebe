from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from events import deadlines, roles, schedule
from events.models import Deadline, Event, Process
from registrations import composing, importing, intake
from registrations.intake import Person
from registrations.models import Correction, Exemption, ImportRun, Invitation, Message
from tests.conftest import signed_in

NEW_YORK = "America/New_York"


def formset(prefix, rows=()):
    typed = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": 0,
        f"{prefix}-MIN_NUM_FORMS": 0,
        f"{prefix}-MAX_NUM_FORMS": 1000,
    }
    for number, row in enumerate(rows):
        typed |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return typed


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@secretariat.example", name="Root")


@pytest.fixture
def clara_in(clara) -> Client:
    return signed_in(clara)


@pytest.fixture
def root_in(root) -> Client:
    return signed_in(root)


@pytest.fixture
def dina_in(now) -> Client:
    """Dina manages another process, with one hearing of its own."""
    other = Process.objects.create(slug="other", prefix="OTH", name_en="Other process")
    day = now.date() + timedelta(days=30)
    event = Event.objects.create(
        process=other,
        slug="other-hearing",
        kind=Event.Kind.HEARING,
        name_en="Another hearing",
        starts_on=day,
        ends_on=day,
        zone="UTC",
    )
    deadlines.set_deadline(
        event,
        kind=Deadline.Kind.REGISTRATION,
        closes_at=now + timedelta(days=20),
        by=None,
        now=now - timedelta(days=3),
    )
    schedule.publish(event, by=None, now=now - timedelta(days=3))
    dina = User.objects.create_user("dina@secretariat.example", name="Dina")
    roles.grant(dina, on=other, by=None, now=now)
    return signed_in(dina)


@pytest.fixture
def sent_by_bo(hearing, bo, port_workers, now):
    """Bo's, with one person, sent."""
    registration = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(registration, Person("Jun", "Reyes", "jun@ports.example"), by=bo, now=now)
    intake.submit(registration, by=bo, now=now)
    return registration


@pytest.fixture
def invitation(hearing, clara, now) -> Invitation:
    """Of a group that has not answered."""
    return Invitation.objects.create(
        event=hearing,
        email="nadia@harbour.example",
        name="Harbour Union",
        language="en",
        sent_by=clara,
        sent_at=now,
    )


@pytest.fixture
def correction(sent, amina, now) -> Correction:
    """One that Amina has asked for."""
    return Correction.objects.create(
        delegate=sent.delegates.in_order().first(),
        was={"family_name": "Traoré"},
        wished={"family_name": "Traore"},
        reason="As in the passport.",
        asked_by=amina,
        asked_at=now,
    )


@pytest.fixture
def exemption(hearing, diaspora_network, amina, now) -> Exemption:
    """One that Amina has asked for."""
    return Exemption.objects.create(
        event=hearing,
        organisation=diaspora_network,
        asked_by=amina,
        asked_at=now,
        reason="The lines were down all week.",
    )


@pytest.fixture
def import_run(hearing, clara, now) -> ImportRun:
    """A list that Clara has brought, with one person in it who would come in."""
    content = b"organisation,country,category,given names\nChoir of Gozo,MT,diaspora,Kim"
    run = importing.read(hearing, "people.csv", content, by=clara, now=now)
    importing.choose(run, run.columns)
    return run


@pytest.fixture
def message(hearing, clara, now) -> Message:
    """A letter that Clara has begun."""
    words = {"subject_en": "Before you travel", "text_en": "Dear {name},\n\nthe room has changed."}
    return composing.draft(hearing, **words, by=clara, now=now)


@pytest.fixture
def connection_queries():
    def count(act) -> int:
        with CaptureQueriesContext(connection) as queries:
            act()
        return len(queries)

    return count
