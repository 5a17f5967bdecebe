from datetime import timedelta

import pytest

from events import deadlines
from events.models import Event
from registrations import intake
from registrations.intake import Person

LIST = "/admin/stakeholders/representative/"


@pytest.fixture
def elsewhere(dina_in, sent, amina, now):
    """Amina's group has a draft for Dina's hearing too, with somebody who is in no other."""
    event = Event.objects.get(slug="other-hearing")
    if not event.deadlines.exists():
        deadlines.set_deadline(
            event, kind="registration", closes_at=now + timedelta(days=9), by=None, now=now
        )
    registration = intake.begin(event, sent.organisation, by=amina, now=now)
    intake.add_person(registration, Person("Oumou", "Diarra"), by=amina, now=now)
    return registration


def named(client) -> list[bool]:
    page = client.get(LIST).content.decode()
    return ["Moussa" in page, "Oumou" in page]


def test_an_organiser_reads_only_the_people_sent_to_own_events(
    clara_in, dina_in, elsewhere, amina, now
):
    assert named(clara_in) == [True, False]
    assert named(dina_in) == [False, False]

    intake.submit(elsewhere, by=amina, now=now)

    assert named(clara_in) == [True, False]
    assert named(dina_in) == [False, True]
