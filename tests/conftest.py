"""The cast: Amina speaks for Diaspora Network, Bo for Port Workers, Clara organises."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.internal.flows import login
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings as portal_settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import translation

import clock
from accounts.models import User
from clock import walls
from events import deadlines, questions, roles, schedule
from events.models import Category, Deadline, Event, Process, Question
from registrations import intake
from registrations.intake import Person
from registrations.models import Registration
from stakeholders import membership
from stakeholders.models import Organisation

NEW_YORK = "America/New_York"


def pytest_configure() -> None:
    """No test reaches the mail server of whoever runs it, needs collected files, or meets a page
    that another one has kept."""
    os.environ.pop("EMAIL_URL", None)
    portal_settings.EMAIL_URL = ""
    portal_settings.PAGES_KEPT_FOR = 0
    portal_settings.STORAGES = portal_settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    portal_settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def outbox_in_use(django_test_environment: None) -> None:
    """Django's test runner would keep the codes to itself."""
    portal_settings.EMAIL_BACKEND = "notifications.backends.OutboxBackend"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """No test inherits the language of the page that another one looked at."""
    with translation.override("en"):
        yield


def signed_in(user: User) -> Client:
    """A browser of this person, who has used a second factor in it."""
    client = Client()
    let_in(client, user)
    return client


def let_in(client: Client, user: User) -> None:
    client.force_login(user)
    session = client.session
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "code", "at": time.time()},
        {"method": "mfa", "type": "totp", "at": time.time()},
    ]
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
    session.save()


@pytest.fixture
def has_ended() -> threading.Event:
    """Whether one of those who act at once is done."""
    return threading.Event()


@pytest.fixture
def at_once(transactional_db, has_ended) -> Callable[..., list]:
    """Let acts run beside each other, each on its own connection: what each returned or raised."""

    def run(act: Callable[[], object]) -> object:
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()
            has_ended.set()

    def at_once(*acts: Callable[[], object]) -> list:
        has_ended.clear()
        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(run, acts))

    return at_once


@pytest.fixture
def meeting(has_ended) -> Callable[[], None]:
    """A place where two threads wait for each other, unless the other is held by a lock, or done:
    then neither waits here any more. It does not matter how busy the machine is."""
    coming, came, is_over = threading.Lock(), 0, False

    def meet() -> None:
        nonlocal came, is_over
        with coming:
            came += 1
            both = came + came % 2
        lookout = connection.copy()
        patience = time.monotonic() + 20
        while came < both and not is_over:
            is_over = has_ended.is_set() or is_held(lookout)
            if time.monotonic() > patience:
                raise TimeoutError("Nobody comes, though nothing holds them.")
            time.sleep(0.01)
        lookout.close()

    return meet


@pytest.fixture
def meeting_before_writing(meeting) -> Callable[[], None]:
    """Said in a thread: it meets the other before it writes for the first time. So both have read
    all that they go by, however slow a line is."""
    has_written = threading.local()

    def before_writing(execute: Callable, sql: str, *rest: object) -> object:
        if sql.startswith(("INSERT", "UPDATE")) and not hasattr(has_written, "once"):
            has_written.once = True
            meeting()
        return execute(sql, *rest)

    return lambda: connection.execute_wrappers.append(before_writing)


def is_held(lookout: BaseDatabaseWrapper) -> bool:
    """Whether somebody waits for a lock in this database."""
    with lookout.cursor() as cursor:
        cursor.execute(
            "select exists (select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock')"
        )
        return cursor.fetchone()[0]


@pytest.fixture
def now(db) -> datetime:
    return clock.now()


@pytest.fixture
def amina(now) -> User:
    user = User.objects.create_user("amina@diaspora.example", name="Amina Diallo")
    membership.found(
        Organisation(name="Diaspora Network", acronym="DN", country="ML", category="diaspora"),
        by=user,
        now=now - timedelta(days=30),
    )
    return user


@pytest.fixture
def diaspora_network(amina) -> Organisation:
    return Organisation.objects.get(memberships__user=amina)


@pytest.fixture
def bo(now) -> User:
    user = User.objects.create_user("bo@ports.example", name="Bo Santos")
    membership.found(
        Organisation(name="Port Workers", country="PH", category="trade_union"),
        by=user,
        now=now - timedelta(days=30),
    )
    return user


@pytest.fixture
def port_workers(bo) -> Organisation:
    return Organisation.objects.get(memberships__user=bo)


@pytest.fixture
def process(now) -> Process:
    process = Process.objects.create(
        slug="gcm", prefix="GCM", name_en="Global Compact for Migration", name_ar="الاتفاق العالمي"
    )
    Category.objects.bulk_create(
        Category(process=process, position=position, code=code, name_en=name)
        for position, (code, name) in enumerate(
            [
                ("diaspora", "Diaspora and migrant organisations"),
                ("trade_union", "Trade unions"),
                ("academia", "Academia"),
            ]
        )
    )
    return process


@pytest.fixture
def clara(process, now) -> User:
    user = User.objects.create_user("clara@secretariat.example", name="Clara Weiss")
    roles.grant(user, on=process, by=None, now=now - timedelta(days=60))
    return user


@pytest.fixture
def hearing(process, now) -> Event:
    """Published 30 days ago; one registers through the tenth day from now, 23:59 New York."""
    last_day = now.astimezone(walls.zone_of(NEW_YORK)).date() + timedelta(days=10)
    starts_on = last_day + timedelta(days=14)
    event = Event.objects.create(
        process=process,
        slug="hearing",
        kind=Event.Kind.HEARING,
        name_en="Hearing on the Global Compact",
        name_ar="جلسة استماع بشأن الاتفاق العالمي",
        starts_on=starts_on,
        ends_on=starts_on,
        zone=NEW_YORK,
        city_en="New York",
        country="US",
        contact_email="hearing@secretariat.example",
    )
    published_at = now - timedelta(days=30)
    deadlines.set_deadline(
        event,
        kind=Deadline.Kind.REGISTRATION,
        closes_at=walls.closing(last_day, None, NEW_YORK),
        by=None,
        now=published_at,
    )
    schedule.publish(event, by=None, now=published_at)
    return event


def an_event(process: Process, slug: str, like: Event, **facts: Any) -> Event:
    """On the days of that one, with nothing set."""
    told = {
        "kind": Event.Kind.HEARING,
        "name_en": slug.title(),
        "starts_on": like.starts_on,
        "ends_on": like.ends_on,
        "zone": "UTC",
    }
    return Event.objects.create(process=process, slug=slug, **(told | facts))


@pytest.fixture
def second(process, hearing) -> Event:
    """Another one of the same process."""
    return an_event(process, "second", hearing)


@pytest.fixture
def deadline(hearing) -> Deadline:
    return hearing.deadlines.get(kind=Deadline.Kind.REGISTRATION)


@pytest.fixture
def draft(hearing, amina, diaspora_network, now) -> Registration:
    """Amina's, with one person in it."""
    registration = intake.begin(hearing, diaspora_network, by=amina, now=now)
    intake.add_person(
        registration,
        Person("Aïssata", "Traoré", "aissata@diaspora.example", role="head"),
        by=amina,
        now=now,
    )
    return registration


@pytest.fixture
def sent(draft, amina, now) -> Registration:
    """Amina's, with three people, sent just now."""
    for person in (
        Person("Moussa", "Keïta", "moussa@diaspora.example"),
        Person("Fatoumata", "Sow", "fatoumata@diaspora.example", role="speaker"),
    ):
        intake.add_person(draft, person, by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    return draft


@pytest.fixture
def ask(hearing, clara, now) -> Callable[..., Question]:
    """Clara's question at the hearing, of each person unless said otherwise."""

    def ask(wording: str, kind: str = "text", *, of: str = "person", **facts: Any) -> Question:
        words = {"wording_en": wording, **facts.pop("words", {})}
        return questions.add(
            hearing, asked_of=of, kind=kind, words=words, **facts, by=clara, now=now
        )

    return ask
