"""The demonstration: the real calendar, an open hearing with groups in every state, and an event
that is full (both with invented groups)."""

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
from audit.models import Entry
from clock import walls
from events import capacity, deadlines, following, roles
from events.models import Deadline, Event, Process
from notifications.models import Letter
from registrations import decisions, exchanges, intake, invitations, listing
from registrations.intake import Person
from registrations.models import Delegate, Registration
from stakeholders import membership
from stakeholders.models import Organisation

ORGANISER = "clara@secretariat.example"
REVIEWER, MEMBER = "omar@secretariat.example", "awa@diaspora.example"
AMINA, BO, TOMAS = "amina@diaspora.example", "bo@ports.example", "tomas@valley.example"
HEARING = "live-multi-stakeholder-hearing-february-2018"
FIRST_COME = "live-gfmd-civil-society-days-applications-2018"
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
            if not is_limited(hearing):
                seats(hearing, now)
                sent_from_the_mailbox(hearing, now)
            if not hearing.registrations.exists():
                delegations(hearing, now)
                sent_from_the_mailbox(hearing, now)
            days = Event.objects.select_related("process").get(slug=FIRST_COME)
            if not is_limited(days) and not days.registrations.exists():
                full(days, now)
                sent_from_the_mailbox(days, now)
        self.stdout.write(self.told())

    def told(self) -> str:
        with override("en"):
            door = settings.BASE_URL + reverse("account_login")
        return "\n".join(
            [
                "",
                f"Sign in at {door} as",
                f"  {ORGANISER:28} organiser of the hearings",
                f"  {REVIEWER:28} reviewer of the hearings: decides, and changes nothing else",
                f"  {AMINA:28} focal point of Diaspora Network, with a draft",
                f"  {MEMBER:28} asks to join Diaspora Network",
                f"  {BO:28} focal point of Port Workers, with a delegation sent",
                f"  {TOMAS:28} focal point of Valley Farm Workers, with people who wait",
                f"The codes come to {settings.BASE_URL}{reverse('notifications:mailbox')}",
            ]
        )


def person(email: str, name: str, language: str = "en", zone: str = "UTC") -> User:
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, name=name, language=language, zone=zone)


def people(now: datetime) -> None:
    clara = person(ORGANISER, "Clara", zone="America/New_York")
    omar = person(REVIEWER, "Omar", zone="America/New_York")
    for process in Process.objects.all():
        roles.grant(clara, on=process, by=None, now=now)
        roles.grant(omar, on=process, kind="reviewer", by=None, now=now)


def organisation(
    name: str, country: str, category: str, focal_point: User, now: datetime
) -> Organisation:
    existing = Organisation.objects.spoken_for_by(focal_point).filter(name=name).first()
    return existing or membership.found(
        Organisation(name=name, country=country, category=category),
        by=focal_point,
        now=now,
    )


def is_limited(event: Event) -> bool:
    """Somebody has said how many may come; what organisers have set stays."""
    return Entry.objects.about(event).filter(verb="capacity changed").exists()


def sent_from_the_mailbox(event: Event, now: datetime) -> None:
    """What is “sent” has come out of the mailbox: no letter of the demonstration's past leaves
    the house."""
    Letter.objects.pending().in_scope(event.id).update(state="sent", sent_at=now)


def seats(hearing: Event, now: datetime) -> None:
    """Forty seats, somebody who follows, and a group that was invited."""
    capacity.change(
        hearing,
        admission=Event.Admission.REVIEWED,
        seats=40,
        cap=4,
        by=User.objects.get(email=ORGANISER),
        now=now,
    )
    follower = following.follow(
        "nadia@news.example", on=hearing, language="en", zone="Africa/Nairobi", now=now
    )
    following.confirm(follower, now=now)
    invitations.invite(
        hearing,
        addresses=[("harbour@union.example", "Harbour Union")],
        language="en",
        by=User.objects.get(email=ORGANISER),
        now=now,
    )


def full(days: Event, now: datetime) -> None:
    """Three seats, first come, first served: the last of the second group wait; whoever has a
    seat is asked whether they come."""
    yesterday, this_morning = now - timedelta(days=1), now - timedelta(hours=3)
    capacity.change(
        days,
        admission=Event.Admission.FIRST_COME,
        seats=3,
        cap=None,
        by=User.objects.get(email=ORGANISER),
        now=yesterday,
    )
    deadlines.set_deadline(
        days,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=max(
            walls.start_of(days.starts_on - timedelta(days=7), days.zone),
            days.registration_deadline.closes_at + timedelta(days=2),
        ),
        by=None,
        now=yesterday,
    )
    ines = person("ines@atlas.example", "Inês Carvalho", zone="Europe/Lisbon")
    tomas = person(TOMAS, "Tomás Quispe", zone="America/Lima")
    for group, members, at in (
        (
            organisation("Atlas Migrants’ Forum", "PT", "migrant_led", ines, now),
            [
                Person("Inês", "Carvalho", "ines@atlas.example", ROLE.HEAD),
                Person("Youssef", "El Idrissi", "youssef@atlas.example"),
            ],
            yesterday,
        ),
        (
            organisation("Valley Farm Workers", "PE", "trade_union", tomas, now),
            [
                Person("Tomás", "Quispe", TOMAS, ROLE.HEAD),
                Person("Rosa", "Mamani", "rosa@valley.example"),
                Person("Luz", "Huamán"),
            ],
            this_morning,
        ),
    ):
        by = group.focal_points[0]
        intake.submit(delegation(days, group, by, members, begun_at=at), by=by, now=at)


def delegation(
    hearing: Event, group: Organisation, by: User, members: list[Person], *, begun_at: datetime
) -> Registration:
    registration = intake.begin(hearing, group, by=by, now=begun_at)
    for member in members:
        intake.add_person(registration, member, by=by, now=begun_at)
    return registration


def delegations(hearing: Event, now: datetime) -> None:
    """One group per state that a group can be in; one person is on the public list."""
    hearing.lists_participants = True
    hearing.save(update_fields=["lists_participants"])
    clara = User.objects.get(email=ORGANISER)
    yesterday, this_morning = now - timedelta(days=1), now - timedelta(hours=3)

    amina = person(AMINA, "Amina Diallo", zone="Africa/Bamako")
    network = organisation("Diaspora Network", "ML", "diaspora", amina, now)
    awa = person(MEMBER, "Awa Sissoko", "ar", zone="Africa/Bamako")
    asked = membership.ask(
        network, by=awa, now=this_morning, note="I write your letters in Bamako."
    )
    Letter.objects.pending().about(asked.id).update(state="sent", sent_at=now)
    delegation(
        hearing,
        network,
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
    named["Bo"].refresh_from_db()
    listing.agree(named["Bo"], now=now)
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
