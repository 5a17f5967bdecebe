"""A desk two days before a hearing: 800 applications wait.

Run by a running portal's own `manage.py shell`: prints the event and the sessions of those who
work on it.
"""

import json
import random
from datetime import timedelta

from django.db import transaction

import clock
from accounts.models import User
from events import deadlines, roles, schedule
from events.models import Deadline, Event, Process
from registrations import references
from registrations.models import Delegate, Registration
from stakeholders import matching
from stakeholders.models import Membership, Organisation, Representative
from tests.conftest import signed_in

APPLICATIONS = 800
PLACES = ["Bobo-Dioulasso", "Sylhet", "Tijuana", "Odesa", "Manila", "Amman"]
COUNTRIES = ["BF", "BD", "MX", "UA", "PH", "JO"]
WORDS = ["Kalimba", "Zampoña", "Бандура", "ربابة"]
GIVEN = ["Aïssata", "Rahim", "María José", "Олена", "Grace", "ليلى"]
FAMILY = ["Traoré", "Chowdhury", "Rojas", "Шевченко", "Reyes", "حداد"]
LANGUAGES = ["en", "fr", "es", "ru", "en", "ar"]


@transaction.atomic
def tell(slug: str) -> None:
    now = clock.now()
    event = _event(slug)
    newest = _applications(event)
    people = {
        "focal point": newest,
        "clara": User.objects.get(email="clara@secretariat.example"),
        "ahmad": User.objects.create_user(
            f"ahmad@{slug}.example", name="أحمد منصور", language="ar"
        ),
    }
    roles.grant(people["ahmad"], on=event.process, by=None, now=now)
    keys = {name: signed_in(user).cookies["sessionid"].value for name, user in people.items()}
    reference = Registration.objects.get(organisation__memberships__user=newest).reference
    deadline = str(event.registration_deadline.pk)
    facts = {"event": str(event.pk), "deadline": deadline, "reference": reference}
    print(json.dumps(facts | {"sessions": keys}))


def _event(slug: str) -> Event:
    now = clock.now()
    process = Process.objects.get(slug="gcm-live")
    starts_on = (now + timedelta(days=12)).date()
    event = Event.objects.create(
        process=process,
        slug=slug,
        kind=Event.Kind.HEARING,
        name_en=f"Hearing with a {slug}",
        name_ar=f"جلسة استماع {slug}",
        summary_en="Everybody has applied.",
        starts_on=starts_on,
        ends_on=starts_on,
        zone="America/New_York",
        city_en="New York",
        country="US",
        seats=500,
        contact_email="hearing@secretariat.example",
    )
    deadlines.set_deadline(
        event,
        kind=Deadline.Kind.REGISTRATION,
        closes_at=now + timedelta(days=2),
        by=None,
        now=now - timedelta(days=30),
    )
    schedule.publish(event, by=None, now=now - timedelta(days=30))
    return event


def _applications(event: Event) -> User:
    """One to three people in each; the newest first. Nobody is written to of it. The focal point of
    the newest."""
    chance = random.Random(800)
    now = clock.now()
    groups = [str(code) for code in event.process.categories.values_list("code", flat=True)]
    users, organisations, memberships = [], [], []
    registrations, representatives, delegates = [], [], []
    for number in range(APPLICATIONS):
        at = number % len(PLACES)
        name = f"{WORDS[number % len(WORDS)]} {PLACES[at]} {number:03} ({event.slug})"
        user = User(email=f"focal{number:03}@{event.slug}.example", language=LANGUAGES[at])
        user.set_unusable_password()
        organisation = Organisation(
            name=name,
            country=COUNTRIES[at],
            category=groups[number % len(groups)],
            matching_key=matching.key(name),
            search_text=matching.search_text(name),
        )
        sent_at = now - timedelta(hours=2 + 0.8 * number)
        registration = Registration(
            event=event,
            organisation=organisation,
            reference=references.new(event.process.prefix),
            begun_at=sent_at - timedelta(minutes=20),
            sent_at=sent_at,
        )
        users.append(user)
        organisations.append(organisation)
        memberships.append(Membership(user=user, organisation=organisation))
        registrations.append(registration)
        for position in range(chance.randint(1, 3)):
            given, family = chance.choice(GIVEN), chance.choice(FAMILY)
            person = Representative(
                organisation=organisation,
                given_names=given,
                family_name=f"{family} {number:03}{'abc'[position]}",
            )
            person.search_text = matching.name_text(person.given_names, person.family_name)
            representatives.append(person)
            delegates.append(
                Delegate(
                    registration=registration,
                    representative=person,
                    position=position,
                    role=Delegate.Role.DELEGATE if position else Delegate.Role.HEAD,
                    state=Delegate.State.SUBMITTED,
                )
            )
    User.objects.bulk_create(users)
    Organisation.objects.bulk_create(organisations)
    Membership.objects.bulk_create(memberships)
    Registration.objects.bulk_create(registrations)
    Representative.objects.bulk_create(representatives)
    Delegate.objects.bulk_create(delegates)
    return users[0]
