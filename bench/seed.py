"""Invented people in several scripts, in one process of their own; what is there is used again."""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from importlib import import_module

from allauth.account.internal.flows import login
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection, transaction

from accounts.models import User
from bench.place import Trouble
from clock import walls
from events import deadlines, roles, schedule
from events.models import Category, Deadline, Document, Event, Process, Segment, Track
from registrations import references
from registrations.models import Delegate, Registration
from stakeholders import matching
from stakeholders.models import Membership, Organisation, Representative

SLUG, CROWDS = "bench", "bench-crowds"
ZONE = "America/New_York"
EVENTS = {"bench-hearing": 40, "bench-session": 30, "bench-dialogue": 20, "bench-workshop": 10}
HEARING, SMALL = "bench-hearing", "bench-workshop"
BLOCK = 1000
RARE, RARE_EVERY = "Ķēniņš-Zvirbule", 20_000
SCRIPTS = [
    {
        "share": 50,
        "countries": ["ML", "FR", "BR", "DE", "PH", "KE", "MX", "US"],
        "organisation": "Network of migrant workers and families of the {} region",
        "given": ["María José", "Aïssata", "Zoë", "John", "Wanjirũ", "Łukasz", "Nguyễn", "Ana"],
        "family": ["Traoré"] * 5
        + ["Núñez", "Müller", "Santos", "Smith", "Ouédraogo", "Kowalski", "Cruz"],
    },
    {
        "share": 22,
        "countries": ["EG", "JO", "MA", "LB"],
        "organisation": "اتحاد جمعيات المهاجرين في المنطقة {}",
        "given": ["محمد", "فاطمة", "أحمد", "ليلى", "يوسف", "مريم"],
        "family": ["الخطيب", "حداد", "بن علي", "النجار", "السيد"],
    },
    {
        "share": 14,
        "countries": ["CN", "SG"],
        "organisation": "移民工人互助协会第{}分会",
        "given": ["伟", "芳", "秀英", "敏", "静怡", "建国"],
        "family": ["王", "李", "张", "刘", "欧阳"],
    },
    {
        "share": 14,
        "countries": ["RU", "UA", "KZ", "BG"],
        "organisation": "Союз трудящихся-мигрантов, отделение {}",
        "given": ["Иван", "Ольга", "Дмитрий", "Наталья", "Сергей"],
        "family": ["Иванов", "Шевченко", "Кузнецова", "Петров", "Соколова"],
    },
]
SENT_STATES = {
    Delegate.State.SUBMITTED: 50,
    Delegate.State.APPROVED: 25,
    Delegate.State.CONFIRMED: 15,
    Delegate.State.DECLINED: 6,
    Delegate.State.MORE_INFORMATION: 4,
}
# At the event with a limit some wait.
WAITING_STATES = {Delegate.State.WAIT_LISTED: 40, **SENT_STATES}
TRACKS = ["In consultative status", "Applies anew"]


def calendar(now: datetime) -> Process:
    """The process and its events, open for registration whenever this runs."""
    measured = process(SLUG, "BEN")
    for slug in EVENTS:
        if not measured.events.filter(slug=slug).exists():
            made = event(measured, slug, closes_at=now + timedelta(days=60), now=now)
            if slug != HEARING:
                Track.objects.bulk_create(Track(event=made, name_en=name) for name in TRACKS)
    measured.events.filter(slug=SMALL).update(seats=1)
    late = Deadline.objects.filter(event__process=measured, closes_at__lt=now + timedelta(days=40))
    set_closing(late, now + timedelta(days=60), now=now)
    return measured


def process(slug: str, prefix: str) -> Process:
    """Ours, in a database that holds no other than ours."""
    if Process.objects.exclude(slug__in=[SLUG, CROWDS, slug]).exists():
        raise Trouble("This database holds a real calendar. Invented people want one of their own.")
    made, is_new = Process.objects.get_or_create(
        slug=slug, defaults={"prefix": prefix, "name_en": f"Measured process ({slug})"}
    )
    if is_new:
        Category.objects.bulk_create(
            Category(process=made, code=code, position=position, name_en=code.capitalize())
            for position, code in enumerate(["diaspora", "trade_union", "academia", "youth"])
        )
    return made


def set_closing(moved: Iterable[Deadline], closes_at: datetime, *, now: datetime) -> None:
    """Without the verb: nobody is to be told of it."""
    for deadline in moved:
        deadline.closes_at, deadline.set_at = closes_at, now
        deadline.save(update_fields=["closes_at", "set_at"])


@transaction.atomic
def event(process: Process, slug: str, *, closes_at: datetime, now: datetime) -> Event:
    """With everything that its page can show."""
    day = now.date() + timedelta(days=400)
    made = Event.objects.create(
        process=process,
        slug=slug,
        kind=Event.Kind.HEARING,
        name_en=f"Multi-stakeholder hearing ({slug})",
        name_ar="جلسة استماع لأصحاب المصلحة المتعددين",
        summary_en="Civil society and other stakeholders are heard before negotiations. " * 4,
        eligibility_en="Organisations in consultative status and others accredited. " * 4,
        organiser_en="Office of the President of the General Assembly",
        starts_on=day,
        ends_on=day + timedelta(days=1),
        zone=ZONE,
        venue_en="United Nations Headquarters",
        room_en="Trusteeship Council Chamber",
        city_en="New York",
        country="US",
        interpretation=[code for code, _name in settings.CONTENT_LANGUAGES],
        contact_email="hearing@secretariat.example",
        webcast_url="https://webtv.example.org/",
        source="https://www.example.org/calendar",
    )
    Segment.objects.bulk_create(
        Segment(
            event=made,
            name_en=f"Panel {number + 1}: protection, inclusion and cooperation",
            date=day + timedelta(days=number // 4),
            starts_at=walls.start_of(day + timedelta(days=number // 4), ZONE)
            + timedelta(hours=9 + 2 * (number % 4)),
        )
        for number in range(8)
    )
    Document.objects.bulk_create(
        Document(event=made, title_en=f"Paper {number}", url=f"https://example.org/{number}.pdf")
        for number in range(6)
    )
    deadlines.set_deadline(
        made, kind=Deadline.Kind.REGISTRATION, closes_at=closes_at, by=None, now=now
    )
    schedule.publish(made, by=None, now=now)
    return made


def people(wanted: int, *, now: datetime, tell: Callable[[int], None]) -> int:
    """As many delegates as are wanted, about four in a registration; how many there are."""
    measured = calendar(now)
    events = list(measured.events.order_by("slug").prefetch_related("tracks"))
    there = Delegate.objects.filter(registration__event__process=measured).count()
    begun = Registration.objects.filter(event__process=measured).count()
    while there < wanted:
        block = list(_registrations(begun, there, wanted, events, now))
        _keep(block)
        begun += len(block)
        there += sum(len(each.people) for each in block)
        tell(there)
    return there


def tidy() -> None:
    """What the database does by itself some minutes after so many new rows."""
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")


class _Group:
    """A registration with all that hangs on it, not yet kept."""

    def __init__(self, number: int, first: int, size: int, events: list[Event], now: datetime):
        chance = random.Random(number)
        (script,) = chance.choices(SCRIPTS, [each["share"] for each in SCRIPTS])
        (event,) = chance.choices(events, [EVENTS[each.slug] for each in events])
        name = script["organisation"].format(number)
        self.user = User(email=f"focal{number}@groups.example")
        self.user.set_unusable_password()
        self.organisation = Organisation(
            name=name,
            country=chance.choice(script["countries"]),
            category=chance.choice(["diaspora", "trade_union", "academia", "youth"]),
            matching_key=matching.key(name),
            search_text=matching.search_text(name),
        )
        self.membership = Membership(user=self.user, organisation=self.organisation)
        begun_at = now - timedelta(minutes=chance.randrange(1, 30 * 24 * 60))
        is_draft = chance.random() < 0.05
        self.registration = Registration(
            event=event,
            organisation=self.organisation,
            reference=_reference(number),
            track=chance.choice([None, *event.tracks.all()]),
            begun_at=begun_at,
            sent_at=None if is_draft else begun_at,
        )
        self.representatives = [
            Representative(
                organisation=self.organisation,
                given_names=chance.choice(script["given"]),
                family_name=RARE
                if (first + position) % RARE_EVERY == 7
                else chance.choice(script["family"]),
                email=f"person{first + position}@people.example",
            )
            for position in range(size)
        ]
        fold(self.representatives)
        shares = WAITING_STATES if event.slug == SMALL else SENT_STATES
        states = list(shares), list(shares.values())
        self.people = [
            Delegate(
                registration=self.registration,
                representative=representative,
                position=position,
                role=Delegate.Role.DELEGATE if position else Delegate.Role.HEAD,
                state=Delegate.State.DRAFT if is_draft else chance.choices(*states)[0],
            )
            for position, representative in enumerate(self.representatives)
        ]
        for position, person in enumerate(self.people):
            if person.state == Delegate.State.WAIT_LISTED:
                person.waits_as = first + position


def _registrations(
    begun: int, there: int, wanted: int, events: list[Event], now: datetime
) -> Iterator[_Group]:
    for number in range(begun, begun + BLOCK):
        size = min(1 + number % 7, wanted - there)
        if size <= 0:
            return
        yield _Group(number, there, size, events, now)
        there += size


def drafts(of: Event, number: int, address: str, *, now: datetime) -> list["Draft"]:
    """Groups that began a draft yesterday, one person in it; `address` takes their number."""
    before = of.registrations.count()
    groups = [Draft(of, address.format(each), now) for each in range(before, before + number)]
    for start in range(0, len(groups), BLOCK):
        _keep(groups[start : start + BLOCK])
    return groups


class Draft:
    """A group that has begun: its focal point, its registration, its person."""

    def __init__(self, of: Event, address: str, now: datetime):
        name = f"Group of {address} {uuid.uuid4()}"
        self.user = User(email=address)
        self.user.set_unusable_password()
        self.organisation = Organisation(
            name=name,
            country="ML",
            category="diaspora",
            matching_key=matching.key(name),
            search_text=matching.search_text(name),
        )
        self.membership = Membership(user=self.user, organisation=self.organisation)
        self.registration = Registration(
            event=of,
            organisation=self.organisation,
            reference=references.new(of.process.prefix),
            begun_at=now - timedelta(days=1),
        )
        self.representatives = [
            Representative(
                organisation=self.organisation, given_names="Aïssata", family_name="Traoré"
            )
        ]
        fold(self.representatives)
        self.people = [
            Delegate(
                registration=self.registration,
                representative=self.representatives[0],
                role=Delegate.Role.HEAD,
            )
        ]


def fold(people: list[Representative]) -> None:
    """What saving them one by one would do."""
    for person in people:
        person.search_text = matching.name_text(person.given_names, person.family_name)


def _reference(number: int) -> str:
    """Counted, with a prefix of its own: never one that a measured registration may draw."""
    letters = ""
    for _position in range(8):
        number, digit = divmod(number, len(references.ALPHABET))
        letters = references.ALPHABET[digit] + letters
    return f"SEED-{letters[:4]}-{letters[4:]}"


@transaction.atomic
def _keep(groups: list["_Group"] | list["Draft"]) -> None:
    User.objects.bulk_create(each.user for each in groups)
    Organisation.objects.bulk_create(each.organisation for each in groups)
    Membership.objects.bulk_create(each.membership for each in groups)
    Registration.objects.bulk_create(each.registration for each in groups)
    Representative.objects.bulk_create(r for each in groups for r in each.representatives)
    Delegate.objects.bulk_create(person for each in groups for person in each.people)


def manager(now: datetime) -> User:
    user = User.objects.filter(email="clara@secretariat.example").first()
    user = user or User.objects.create_user("clara@secretariat.example", name="Clara Weiss")
    roles.grant(user, on=Process.objects.get(slug=SLUG), by=None, now=now)
    return user


def newcomers(number: int) -> list[User]:
    """People who have never registered anybody."""
    users = [User(email=f"{uuid.uuid4()}@newcomers.example") for _number in range(number)]
    for user in users:
        user.set_unusable_password()
    return User.objects.bulk_create(users)


def sessions(users: list[User]) -> list[str]:
    """Signed in, without a code or a second factor: the keys of their sessions."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = []
    with transaction.atomic():
        for user in users:
            session = store()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            used = {"method": "mfa", "at": time.time()}
            session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [used]
            session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
            session.save()
            keys.append(session.session_key)
    return keys
