"""The demonstration: the real calendar, an open hearing, groups in every state (invented)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import override

import clock
from accounts.models import User
from events import roles
from events.models import Event, Process
from notifications.models import Letter
from registrations import decisions, exchanges, intake
from registrations.intake import Person
from registrations.models import Delegate, Registration
from stakeholders import membership
from stakeholders.models import Organisation

ORGANISER = "clara@secretariat.example"
AMINA, BO = "amina@diaspora.example", "bo@ports.example"
HEARING = "live-multi-stakeholder-hearing-february-2018"
ROLE = Delegate.Role


class Command(BaseCommand):
    help = "Loads the demonstration; again without harm. Only in demo mode."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not a demonstration: DEMO is not set.")
        call_command("load_calendar", live=True, stdout=self.stdout)
        now = clock.now()
        with transaction.atomic():
            people(now)
            hearing = Event.objects.select_related("process").get(slug=HEARING)
            if not hearing.registrations.exists():
                delegations(hearing, now)
        self.stdout.write(self.told())

    def told(self) -> str:
        with override("en"):
            door = settings.BASE_URL + reverse("account_login")
        return "\n".join(
            [
                "",
                f"Sign in at {door} as",
                f"  {ORGANISER:28} organiser of the hearings",
                f"  {AMINA:28} focal point of Diaspora Network, with a draft",
                f"  {BO:28} focal point of Port Workers, with a delegation sent",
                f"The codes come to {settings.BASE_URL}{reverse('notifications:mailbox')}",
            ]
        )


def person(email: str, name: str, language: str = "en", zone: str = "UTC") -> User:
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, name=name, language=language, zone=zone)


def people(now: datetime) -> None:
    clara = person(ORGANISER, "Clara", zone="America/New_York")
    for process in Process.objects.all():
        roles.grant(clara, on=process, by=None, now=now)


def organisation(
    name: str, country: str, category: str, focal_point: User, now: datetime
) -> Organisation:
    existing = Organisation.objects.spoken_for_by(focal_point).filter(name=name).first()
    return existing or membership.found(
        Organisation(name=name, country=country, category=category),
        by=focal_point,
        now=now,
    )


def delegation(
    hearing: Event, group: Organisation, by: User, members: list[Person], *, begun_at: datetime
) -> Registration:
    registration = intake.begin(hearing, group, by=by, now=begun_at)
    for member in members:
        intake.add_person(registration, member, by=by, now=begun_at)
    return registration


def delegations(hearing: Event, now: datetime) -> None:
    """One group per state that a group can be in. What is “sent” has come out of the mailbox:
    no letter of the demonstration's past leaves the house."""
    clara = User.objects.get(email=ORGANISER)
    yesterday, this_morning = now - timedelta(days=1), now - timedelta(hours=3)

    amina = person(AMINA, "Amina Diallo", zone="Africa/Bamako")
    delegation(
        hearing,
        organisation("Diaspora Network", "ML", "diaspora", amina, now),
        amina,
        [
            Person("Amina", "Diallo", AMINA, ROLE.HEAD),
            Person("José Luis", "Herrera Cruz", "jose@diaspora.example", ROLE.SPEAKER),
        ],
        begun_at=this_morning,
    )

    bo = person(BO, "Bo Santos", zone="Asia/Manila")
    ports = delegation(
        hearing,
        organisation("Port Workers", "PH", "civil_society", bo, now),
        bo,
        [
            Person("Bo", "Santos", BO, ROLE.HEAD),
            Person("Kwame", "Mensah", "kwame@ports.example", ROLE.SPEAKER),
            Person("Олена", "Коваль", "olena@ports.example"),
            Person("Mei", "Chen", "mei@ports.example", ROLE.INTERPRETER),
        ],
        begun_at=yesterday,
    )
    intake.submit(ports, by=bo, now=yesterday)
    named = {each.representative.given_names: each for each in ports.delegates.all()}
    decisions.approve(ports, [named["Bo"]], by=clara, now=this_morning)
    decisions.ask(
        ports,
        [named["Kwame"]],
        by=clara,
        now=this_morning,
        question="Which topic does Kwame wish to speak about, in one sentence?",
    )
    decisions.decline(
        ports,
        [named["Mei"]],
        by=clara,
        now=this_morning,
        reason="The hearing has interpretation into six languages in the room.",
    )

    layla = person("layla@bridge.example", "ليلى حداد", language="ar", zone="Asia/Beirut")
    bridge = delegation(
        hearing,
        organisation("منظمة الجسر للمهاجرين", "LB", "migrant_led", layla, now),
        layla,
        [Person("ليلى", "حداد", "layla@bridge.example", ROLE.HEAD), Person("سامي", "منصور")],
        begun_at=yesterday,
    )
    intake.submit(bridge, by=layla, now=yesterday)
    first = bridge.delegates.in_order()[0]
    decisions.ask(bridge, [first], by=clara, now=this_morning, question="هل ترغبين في إلقاء كلمة؟")
    exchanges.answer(first, "نعم، عن حماية العاملات.", by=layla, now=now)

    maria = person("maria@frontera.example", "María Rojas", zone="America/Bogota")
    frontera = delegation(
        hearing,
        organisation("Instituto de Estudios Fronterizos", "CO", "academia", maria, now),
        maria,
        [Person("María", "Rojas", "maria@frontera.example", ROLE.SPEAKER)],
        begun_at=yesterday,
    )
    intake.submit(frontera, by=maria, now=yesterday)

    sione = person("sione@pacific.example", "Sione Taufa", zone="Pacific/Tongatapu")
    pacific = delegation(
        hearing,
        organisation("Pacific Climate Mobility Lab", "TO", "academia", sione, now),
        sione,
        [Person("Sione", "Taufa", "sione@pacific.example", ROLE.HEAD)],
        begun_at=yesterday,
    )
    intake.submit(pacific, by=sione, now=yesterday)
    intake.withdraw(pacific, by=sione, now=this_morning)

    Letter.objects.pending().in_scope(hearing.id).update(state="sent", sent_at=now)
