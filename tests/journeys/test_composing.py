"""An organiser writes to the delegations, and everybody reads it once, in the right language."""

import html
import re
from email.message import EmailMessage

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications import bell, delivery
from notifications.models import Letter
from registrations import intake, tasks
from registrations.intake import Person
from registrations.models import Message, Registration
from tests.conftest import signed_in
from tests.notifications.conftest import Sink

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN = {
    "audience": "given",
    "to": "points",
    "subject_en": "The room has changed",
    "text_en": "Dear {name},\n\ncome to room 4 with {people}.\n{status_page}",
    "subject_ar": "تغيرت القاعة",
    "text_ar": "عزيزتي {name}، القاعة 4.\n{status_page}",
    "confirm": "yes",
}


@pytest.fixture
def delegations(sent, hearing, amina, bo, port_workers, now, monkeypatch) -> list[Registration]:
    """Amina's, who reads Arabic, and Bo's. Nothing else is to be delivered."""
    monkeypatch.setattr(bell, "ring", lambda: None)
    registration = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(registration, Person("Jun", "Reyes"), by=bo, now=now)
    intake.submit(registration, by=bo, now=now)
    User.objects.filter(pk=amina.pk).update(language="ar")
    Letter.objects.all().delete()
    return [sent, registration]


@pytest.fixture
def clara_in(clara) -> Client:
    return signed_in(clara)


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


def said(letter: EmailMessage) -> tuple[str, str]:
    return str(letter["To"]), str(letter["Subject"])


def text(letter: EmailMessage) -> str:
    return letter.get_body(("plain",)).get_content().replace("\r\n", "\n")


def page(word: str) -> str:
    return reverse(f"admin:registrations_message_{word}", args=[Message.objects.get().pk])


def five_minutes_pass() -> None:
    Message.objects.update(leaves_at=F("made_at"))


def the_clock_knocks() -> None:
    tasks.send_messages()
    delivery.deliver()
    tasks.send_messages()
    delivery.deliver()


def test_from_the_list_to_the_mailboxes(delegations, hearing, clara_in, sink: Sink):
    ours, ports = delegations
    people = clara_in.get(
        reverse("admin:registrations_delegate_changelist"),
        {"registration__event__id__exact": hearing.pk, "state": "submitted"},
    )

    look = clara_in.post(people.context["write_url"], WRITTEN, follow=True)
    assert "As of now 2 letters go out" in words(look)
    clara_in.post(page("try_out"), {"language": "ar", "confirm": "yes"})
    the_clock_knocks()
    (test,) = map(said, sink.letters)
    assert test[0] == "clara@secretariat.example"
    assert test[1].endswith(": تغيرت القاعة")

    clara_in.post(page("send"), {"when": "soon", "confirm": "yes"})
    the_clock_knocks()
    assert len(sink.letters) == 1
    five_minutes_pass()
    the_clock_knocks()
    the_clock_knocks()

    amina, bo = sorted(sink.letters[1:], key=said)
    assert said(amina) == ("amina@diaspora.example", "تغيرت القاعة")
    assert said(bo) == ("bo@ports.example", "The room has changed")
    assert f"/ar/registrations/{ours.reference}/" in text(amina)
    assert "Dear Bo Santos,\n\ncome to room 4 with Jun Reyes.\n" in text(bo)
    assert f"/en/registrations/{ports.reference}/" in text(bo)
    assert "2 of 2 have left" in words(clara_in.get(page("look")))
    assert Message.objects.get().state == "sent"


def test_a_mailbox_that_is_gone_is_named(delegations, hearing, clara_in, sink: Sink):
    sink.refused["bo@ports.example"] = "550 5.1.1 nobody of that name"
    clara_in.post(
        reverse("admin:events_event_write", args=[hearing.pk]), WRITTEN | {"audience": "all"}
    )
    clara_in.post(page("send"), {"when": "soon", "confirm": "yes"})
    five_minutes_pass()

    the_clock_knocks()

    look = words(clara_in.get(page("look")))
    assert "1 of 2 have left" in look
    assert "bo@ports.example : failed. 550 5.1.1 nobody of that name" in look
