"""A month on a simulated clock: which letters the sweeps write, to whom, at which moment, exactly.

Each row is a story of acts. The sweeps run at 05:00 UTC, which is midnight in New York, every ten
minutes for half an hour after each act, and when a row asks; what they write leaves the house at
once. Unless a row says otherwise the hearing is in New York, and one registers through 7 February
2018 there, that is until 8 February, 05:00 UTC.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import User
from events import deadlines, following, roles, schedule, steps
from events.models import Deadline, Event, Follower, Process
from notifications import preferences
from notifications.models import Kind, Letter
from registrations import (
    announcements,
    confirmations,
    decisions,
    intake,
    invitations,
    reminders,
)
from registrations.models import Delegate, Invitation, Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation

NEW_YORK, GENEVA = "America/New_York", "Europe/Zurich"
TEN_MINUTES, DAY = timedelta(minutes=10), timedelta(days=1)
REFERENCE = re.compile(r"GCM-[0-9A-Z]{4}-[0-9A-Z]{4}")


def moment(said: str) -> datetime:
    return datetime.strptime(f"{said} 2018", "%d %b %H:%M %Y").replace(tzinfo=UTC)


# The acts


class World:
    """What the acts of a story act upon, by name."""

    def __init__(self) -> None:
        self.clara = User.objects.create_user("clara@secretariat.example")
        self.process = Process.objects.create(slug="gcm", name_en="GCM", prefix="GCM")
        roles.grant(self.clara, on=self.process, by=None, now=moment("01 Jan 00:00"))

    def user(self, name: str) -> User:
        email = f"{name}@groups.example"
        return User.objects.filter(email=email).first() or User.objects.create_user(email)

    def event(self, slug: str = "hearing") -> Event:
        return Event.objects.get(slug=slug)

    def deadline(self, slug: str = "hearing", kind: str = "registration") -> Deadline:
        return Deadline.objects.get(event__slug=slug, kind=kind)

    def registration(self, group: str) -> Registration:
        return Registration.objects.get(organisation__name=group)


Act = Callable[[World, datetime], object]


def publishes(
    closes: str = "08 Feb 05:00",
    *,
    opens: str | None = None,
    confirms: str | None = None,
    slug: str = "hearing",
    zone: str = NEW_YORK,
    starts_on: date = date(2018, 2, 21),
) -> Act:
    def act(world: World, now: datetime) -> None:
        event = Event.objects.create(
            process=world.process,
            slug=slug,
            kind=Event.Kind.HEARING,
            name_en=f"The {slug}",
            starts_on=starts_on,
            ends_on=starts_on,
            zone=zone,
        )
        deadlines.set_deadline(
            event,
            kind="registration",
            opens_at=moment(opens) if opens else None,
            closes_at=moment(closes),
            by=world.clara,
            now=now,
        )
        if confirms:
            deadlines.set_deadline(
                event, kind="confirmation", closes_at=moment(confirms), by=world.clara, now=now
            )
        schedule.publish(event, by=world.clara, now=now)

    return act


def begins(name: str, group: str = "", slug: str = "hearing") -> Act:
    def act(world: World, now: datetime) -> None:
        user, group_name = world.user(name), group or name
        organisation = Organisation.objects.filter(name=group_name).first()
        if organisation is None:
            organisation = membership.found(
                Organisation(name=group_name, country="ML", category="diaspora"), by=user, now=now
            )
        elif not organisation.memberships.filter(user=user).exists():
            Membership.objects.create(user=user, organisation=organisation)
        intake.begin(world.event(slug), organisation, by=user, now=now)

    return act


def sends(name: str, *people: str) -> Act:
    """The delegation of the group of that name; a person with an address of their own, or
    without."""

    def act(world: World, now: datetime) -> None:
        draft, user = world.registration(name), world.user(name)
        for person in people or (name,):
            given, _at, _domain = person.partition("@")
            email = f"{given}@people.example" if "@" in person else ""
            intake.add_person(draft, intake.Person(given, email=email), by=user, now=now)
        intake.submit(draft, by=user, now=now)

    return act


def approves(name: str) -> Act:
    def act(world: World, now: datetime) -> None:
        registration = world.registration(name)
        delegates = list(registration.delegates.all())
        decisions.approve(registration, delegates, by=world.clara, now=now)

    return act


def comes(given: str) -> Act:
    def act(world: World, now: datetime) -> None:
        delegate = Delegate.objects.get(representative__given_names=given)
        confirmations.confirm(delegate, now=now)

    return act


def withdraws(name: str) -> Act:
    def act(world: World, now: datetime) -> None:
        intake.withdraw(world.registration(name), by=world.user(name), now=now)

    return act


def follows(name: str, slug: str = "hearing", *, process: bool = False) -> Act:
    def act(world: World, now: datetime) -> None:
        on = world.process if process else world.event(slug)
        follower = following.follow(
            f"{name}@groups.example", on=on, language="en", zone=GENEVA, now=now
        )
        following.confirm(follower, now=now)

    return act


def forgets(name: str) -> Act:
    def act(world: World, now: datetime) -> None:
        following.stop(Follower.objects.get(email=f"{name}@groups.example"), now=now)

    return act


def invites(name: str) -> Act:
    def act(world: World, now: datetime) -> None:
        addresses = [(f"{name}@groups.example", name)]
        invitations.invite(
            world.event(), addresses=addresses, language="en", by=world.clara, now=now
        )

    return act


def declines(name: str) -> Act:
    def act(world: World, now: datetime) -> None:
        invitations.decline(Invitation.objects.get(email=f"{name}@groups.example"), now=now)

    return act


def stops(name: str, kind: Kind) -> Act:
    def act(world: World, now: datetime) -> None:
        scope = world.event().id
        preferences.stop(f"{name}@groups.example", scope=scope, kind=kind, now=now)

    return act


def moves_close(to: str, kind: str = "registration") -> Act:
    def act(world: World, now: datetime) -> None:
        deadline = world.deadline(kind=kind)
        deadlines.move(deadline, closes_at=moment(to), by=world.clara, now=now, reason="Visas")

    return act


def moves_event(day: date) -> Act:
    def act(world: World, now: datetime) -> None:
        days = {"starts_on": day, "ends_on": day, "starts_at": None, "ends_at": None}
        schedule.move(world.event(), **days, by=world.clara, now=now, reason="The room")

    return act


def postpones(world: World, now: datetime) -> None:
    schedule.postpone(world.event(), by=world.clara, now=now, reason="The room")


def cancels(world: World, now: datetime) -> None:
    schedule.cancel(world.event(), by=world.clara, now=now, reason="No mandate")


def adds_step(amount: int, unit: str, audience: str = "everybody") -> Act:
    def act(world: World, now: datetime) -> None:
        steps.add(
            world.deadline(), amount=amount, unit=unit, audience=audience, by=world.clara, now=now
        )

    return act


def removes_step(code: str) -> Act:
    def act(world: World, now: datetime) -> None:
        (step,) = (step for step in world.deadline().steps.all() if step.code == code)
        steps.remove(step, by=world.clara, now=now)

    return act


# The stories


@dataclass
class Story:
    name: str
    acts: list[tuple[str, Act]]
    letters: list[str]
    until: str = "09 Feb 05:00"
    down: tuple[str, str] | None = None
    more: list[str] = field(default_factory=list)


STORIES = [
    Story(
        "a draft begun before every step",
        [("02 Jan 15:00", publishes()), ("10 Jan 12:00", begins("amina"))],
        [
            "25 Jan 05:00 14d draft amina",
            "01 Feb 05:00 7d draft amina",
            "06 Feb 05:00 48h draft amina",
            "07 Feb 05:00 24h draft amina",
        ],
    ),
    Story(
        "a draft begun four days before the close",
        [("02 Jan 15:00", publishes()), ("04 Feb 05:00", begins("amina"))],
        ["06 Feb 05:00 48h draft amina", "07 Feb 05:00 24h draft amina"],
    ),
    Story(
        "a draft begun at the very moment of a step, and one a minute later",
        [
            ("02 Jan 15:00", publishes()),
            ("01 Feb 05:00", begins("amina")),
            ("01 Feb 05:01", begins("bo")),
        ],
        [
            "01 Feb 05:00 7d draft amina",
            "06 Feb 05:00 48h draft amina",
            "06 Feb 05:00 48h draft bo",
            "07 Feb 05:00 24h draft amina",
            "07 Feb 05:00 24h draft bo",
        ],
    ),
    Story(
        "an event published eight days before the close",
        [
            ("20 Jan 12:00", follows("dana", process=True)),
            ("31 Jan 05:00", publishes()),
            ("31 Jan 09:00", begins("amina")),
        ],
        [
            "31 Jan 05:00 opens follower dana",
            "01 Feb 05:00 7d draft amina",
            "01 Feb 05:00 7d follower dana",
            "06 Feb 05:00 48h draft amina",
            "06 Feb 05:00 48h follower dana",
            "07 Feb 05:00 24h draft amina",
            "07 Feb 05:00 24h follower dana",
        ],
    ),
    Story(
        "a step added late, another one just in time, and one removed",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("03 Feb 05:00", adds_step(6, "d")),
            ("03 Feb 05:00", adds_step(4, "d")),
            ("05 Feb 12:00", removes_step("48h")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "01 Feb 05:00 7d draft amina",
            "04 Feb 05:00 4d draft amina",
            "07 Feb 05:00 24h draft amina",
        ],
    ),
    Story(
        "steps for one audience",
        [
            ("02 Jan 15:00", publishes()),
            ("02 Jan 16:00", follows("dana")),
            ("10 Jan 12:00", begins("amina")),
            ("11 Jan 12:00", adds_step(10, "d", "drafts")),
            ("11 Jan 12:00", adds_step(9, "d", "followers")),
            ("11 Jan 12:00", adds_step(8, "d", "invited")),
            ("12 Jan 12:00", removes_step("14d")),
            ("12 Jan 12:00", removes_step("7d")),
            ("12 Jan 12:00", removes_step("48h")),
            ("12 Jan 12:00", removes_step("24h")),
        ],
        ["29 Jan 05:00 10d draft amina", "30 Jan 05:00 9d follower dana"],
    ),
    Story(
        "a deadline moved to later",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("06 Feb 10:00", moves_close("16 Feb 05:00")),
            ("10 Feb 12:00", begins("bo")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "01 Feb 05:00 7d draft amina",
            "06 Feb 05:00 48h draft amina",
            "06 Feb 10:10 changed draft amina",
            "09 Feb 05:00 7d draft amina",
            "14 Feb 05:00 48h draft amina",
            "14 Feb 05:00 48h draft bo",
            "15 Feb 05:00 24h draft amina",
            "15 Feb 05:00 24h draft bo",
        ],
        until="17 Feb 05:00",
    ),
    Story(
        "a deadline moved to sooner, over two of its steps",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 10:00", moves_close("01 Feb 05:00")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "26 Jan 10:10 changed draft amina",
            "30 Jan 05:00 48h draft amina",
            "31 Jan 05:00 24h draft amina",
        ],
    ),
    Story(
        "a deadline moved twice in quick succession is told of once",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 10:00", moves_close("10 Feb 05:00")),
            ("26 Jan 10:04", moves_close("12 Feb 05:00")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "26 Jan 10:10 changed draft amina",
            "29 Jan 05:00 14d draft amina",
            "05 Feb 05:00 7d draft amina",
            "10 Feb 05:00 48h draft amina",
            "11 Feb 05:00 24h draft amina",
        ],
        until="13 Feb 05:00",
    ),
    Story(
        "a deadline moved and moved back is not told of, but to whoever began between the moves",
        [
            ("02 Jan 15:00", publishes()),
            ("03 Jan 12:00", follows("dana")),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 10:00", moves_close("20 Feb 05:00")),
            ("26 Jan 10:02", begins("bo")),
            ("26 Jan 10:04", moves_close("08 Feb 05:00")),
            ("26 Jan 10:05", begins("chi")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "25 Jan 05:00 14d follower dana",
            "26 Jan 10:10 changed draft bo",
            "01 Feb 05:00 7d draft amina",
            "01 Feb 05:00 7d draft bo",
            "01 Feb 05:00 7d draft chi",
            "01 Feb 05:00 7d follower dana",
            "06 Feb 05:00 48h draft amina",
            "06 Feb 05:00 48h draft bo",
            "06 Feb 05:00 48h draft chi",
            "06 Feb 05:00 48h follower dana",
            "07 Feb 05:00 24h draft amina",
            "07 Feb 05:00 24h draft bo",
            "07 Feb 05:00 24h draft chi",
            "07 Feb 05:00 24h follower dana",
        ],
    ),
    Story(
        "everybody who had been told hears of a move, whoever withdrew or declined does not",
        [
            ("02 Jan 15:00", publishes()),
            ("03 Jan 12:00", follows("dana")),
            ("04 Jan 12:00", invites("eva")),
            ("04 Jan 13:00", invites("finn")),
            ("05 Jan 12:00", declines("finn")),
            ("10 Jan 12:00", begins("amina")),
            ("10 Jan 13:00", begins("bo")),
            ("10 Jan 14:00", sends("bo")),
            ("10 Jan 15:00", begins("gus")),
            ("10 Jan 16:00", withdraws("gus")),
            ("12 Jan 12:00", moves_close("09 Feb 05:00")),
        ],
        [
            "12 Jan 12:10 changed draft amina",
            "12 Jan 12:10 changed draft bo",
            "12 Jan 12:10 changed follower dana",
            "12 Jan 12:10 changed invited eva",
        ],
        until="13 Jan 05:00",
    ),
    Story(
        "a reminder waits until a move in the same minutes has been told",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("01 Feb 04:59", moves_close("09 Feb 05:00")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "01 Feb 05:09 changed draft amina",
            "02 Feb 05:00 7d draft amina",
            "07 Feb 05:00 48h draft amina",
            "08 Feb 05:00 24h draft amina",
        ],
    ),
    Story(
        "an event postponed reminds nobody, and moved to other days it does again",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 10:00", postpones),
            ("02 Feb 10:00", moves_event(date(2018, 3, 14))),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "26 Jan 10:10 changed draft amina",
            "02 Feb 10:10 7d draft amina",
            "02 Feb 10:10 changed draft amina",
            "06 Feb 05:00 48h draft amina",
            "07 Feb 05:00 24h draft amina",
        ],
    ),
    Story(
        "a deadline that moves while the event has no days is told with the new days",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 10:00", postpones),
            ("30 Jan 10:00", moves_close("01 Mar 05:00")),
            ("02 Feb 10:00", moves_event(date(2018, 3, 14))),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "26 Jan 10:10 changed draft amina",
            "02 Feb 10:10 changed draft amina",
            "15 Feb 05:00 14d draft amina",
            "22 Feb 05:00 7d draft amina",
            "27 Feb 05:00 48h draft amina",
            "28 Feb 05:00 24h draft amina",
        ],
        until="02 Mar 05:00",
    ),
    Story(
        "an event postponed and moved back to its days at once is not told of",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 10:00", postpones),
            ("26 Jan 10:03", moves_event(date(2018, 2, 21))),
        ],
        ["25 Jan 05:00 14d draft amina"],
        until="27 Jan 05:00",
    ),
    Story(
        "an event cancelled, to everybody and then silence",
        [
            ("02 Jan 15:00", publishes()),
            ("03 Jan 12:00", follows("dana")),
            ("10 Jan 12:00", begins("amina")),
            ("10 Jan 13:00", begins("bo")),
            ("10 Jan 14:00", sends("bo")),
            ("26 Jan 10:00", cancels),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "25 Jan 05:00 14d follower dana",
            "26 Jan 10:10 changed draft amina",
            "26 Jan 10:10 changed draft bo",
            "26 Jan 10:10 changed follower dana",
        ],
    ),
    Story(
        "a focal point of two organisations reads one letter with both drafts",
        [
            ("02 Jan 15:00", publishes()),
            ("28 Jan 12:00", begins("amina", "One")),
            ("05 Feb 12:00", begins("amina", "Other")),
        ],
        [
            "01 Feb 05:00 7d draft amina",
            "06 Feb 05:00 48h draft×2 amina",
            "07 Feb 05:00 24h draft×2 amina",
        ],
    ),
    Story(
        "a person who follows, is invited and has a draft reads the draft's words; once it is sent "
        "nothing more",
        [
            ("02 Jan 15:00", publishes(opens="20 Jan 05:00")),
            ("03 Jan 12:00", follows("amina")),
            ("04 Jan 12:00", invites("amina")),
            ("28 Jan 12:00", begins("amina")),
            ("06 Feb 12:00", sends("amina")),
        ],
        [
            "20 Jan 05:00 opens invited amina",
            "25 Jan 05:00 14d invited amina",
            "01 Feb 05:00 7d draft amina",
            "06 Feb 05:00 48h draft amina",
        ],
    ),
    Story(
        "invited groups: one answers, one declines, one is silent",
        [
            ("02 Jan 15:00", publishes()),
            ("26 Jan 12:00", invites("amina")),
            ("26 Jan 12:00", invites("bo")),
            ("26 Jan 12:00", invites("chi")),
            ("02 Feb 12:00", begins("amina")),
            ("02 Feb 13:00", sends("amina")),
            ("02 Feb 14:00", declines("bo")),
        ],
        [
            "01 Feb 05:00 7d invited amina",
            "01 Feb 05:00 7d invited bo",
            "01 Feb 05:00 7d invited chi",
            "06 Feb 05:00 48h invited chi",
            "07 Feb 05:00 24h invited chi",
        ],
    ),
    Story(
        "followers hear that it opens, once, when they came before; a move opens nothing anew",
        [
            ("02 Jan 15:00", publishes(opens="27 Jan 05:00")),
            ("20 Jan 12:00", follows("dana")),
            ("21 Jan 12:00", follows("dana", process=True)),
            ("28 Jan 12:00", follows("eva")),
            ("29 Jan 12:00", moves_close("09 Feb 05:00")),
            ("30 Jan 12:00", forgets("eva")),
        ],
        [
            "27 Jan 05:00 opens follower dana",
            "29 Jan 12:10 changed follower dana",
            "29 Jan 12:10 changed follower eva",
            "02 Feb 05:00 7d follower dana",
            "07 Feb 05:00 48h follower dana",
            "08 Feb 05:00 24h follower dana",
        ],
    ),
    Story(
        "whoever stops reminders still hears of moves, and the other way round",
        [
            ("02 Jan 15:00", publishes()),
            ("03 Jan 12:00", follows("dana")),
            ("03 Jan 12:00", follows("eva")),
            ("10 Jan 12:00", begins("amina")),
            ("26 Jan 12:00", stops("amina", Kind.REMINDER)),
            ("26 Jan 12:00", stops("dana", Kind.REMINDER)),
            ("26 Jan 12:00", stops("amina", Kind.ANNOUNCEMENT)),
            ("26 Jan 12:00", stops("eva", Kind.ANNOUNCEMENT)),
            ("27 Jan 12:00", moves_close("09 Feb 05:00")),
        ],
        [
            "25 Jan 05:00 14d draft amina",
            "25 Jan 05:00 14d follower dana",
            "25 Jan 05:00 14d follower eva",
            "27 Jan 12:10 changed draft amina",
            "27 Jan 12:10 changed follower dana",
            "02 Feb 05:00 7d follower eva",
            "07 Feb 05:00 48h follower eva",
            "08 Feb 05:00 24h follower eva",
        ],
    ),
    Story(
        "a sweep that was down for three days sends the latest step late, once",
        [
            ("02 Jan 15:00", publishes()),
            ("10 Jan 12:00", begins("amina")),
            ("06 Feb 07:00", begins("bo")),
        ],
        ["25 Jan 05:00 14d draft amina", "06 Feb 12:00 48h draft amina"],
        down=("31 Jan 23:00", "06 Feb 11:59"),
        more=["06 Feb 12:00"],
        until="06 Feb 23:00",
    ),
    Story(
        "down from the last step to the close, and past it",
        [("02 Jan 15:00", publishes()), ("10 Jan 12:00", begins("amina"))],
        ["25 Jan 05:00 14d draft amina"],
        down=("31 Jan 23:00", "08 Feb 04:59"),
    ),
    Story(
        "delegates who must confirm, by their own address or by the focal point's",
        [
            ("02 Jan 15:00", publishes("20 Jan 05:00", confirms="08 Feb 05:00")),
            ("03 Jan 12:00", follows("dana")),
            ("18 Jan 12:00", begins("amina")),
            ("18 Jan 13:00", sends("amina", "awa@", "ben@", "cai")),
            ("22 Jan 12:00", approves("amina")),
            ("02 Feb 12:00", comes("awa")),
        ],
        [
            "06 Jan 05:00 14d follower dana",
            "13 Jan 05:00 7d follower dana",
            "18 Jan 05:00 48h follower dana",
            "19 Jan 05:00 24h follower dana",
            "01 Feb 05:00 7d draft amina",
            "01 Feb 05:00 7d confirm awa",
            "01 Feb 05:00 7d confirm ben",
            "06 Feb 05:00 48h draft amina",
            "06 Feb 05:00 48h confirm ben",
            "07 Feb 05:00 24h draft amina",
            "07 Feb 05:00 24h confirm ben",
        ],
    ),
    Story(
        "in New York, whose clocks change on 11 March 2018, steps stay at midnight there",
        [
            ("05 Feb 12:00", publishes("20 Mar 04:00", starts_on=date(2018, 4, 4))),
            ("06 Feb 12:00", begins("amina")),
        ],
        [
            "06 Mar 05:00 14d draft amina",
            "13 Mar 04:00 7d draft amina",
            "18 Mar 04:00 48h draft amina",
            "19 Mar 04:00 24h draft amina",
        ],
        until="20 Mar 05:00",
        more=[f"{day:02} Mar 04:00" for day in range(5, 21)],
    ),
    Story(
        "in Geneva, whose clocks change a fortnight later, at midnight there",
        [
            (
                "05 Feb 12:00",
                publishes("27 Mar 22:00", zone=GENEVA, starts_on=date(2018, 4, 10)),
            ),
            ("06 Feb 12:00", begins("amina")),
        ],
        [
            "13 Mar 23:00 14d draft amina",
            "20 Mar 23:00 7d draft amina",
            "25 Mar 22:00 48h draft amina",
            "26 Mar 22:00 24h draft amina",
        ],
        until="28 Mar 05:00",
        more=[f"{day:02} Mar {hour}:00" for day in range(12, 28) for hour in (22, 23)],
    ),
]


def ticks(story: Story) -> set[datetime]:
    """When the sweeps run."""
    first, last = moment("01 Jan 05:00"), moment(story.until)
    first = max(first, moment(story.acts[0][0]).replace(hour=5, minute=0))
    moments = {first + number * DAY for number in range((last - first) // DAY + 1)}
    moments |= {moment(at) + n * TEN_MINUTES for at, _act in story.acts for n in range(4)}
    moments |= {moment(at) for at in story.more}
    if story.down:
        begin, end = (moment(at) for at in story.down)
        moments = {at for at in moments if not begin <= at <= end}
    return {at for at in moments if at <= last}


def leave(now: datetime) -> None:
    Letter.objects.filter(state="queued").update(state="sent", sent_at=now)


def words(letter: Letter) -> str:
    """By what the letter links to: whose words they are."""
    drafts = set(REFERENCE.findall(letter.text))
    if "/confirm/" in letter.text:
        return "confirm"
    if drafts:
        return "draft" if len(drafts) == 1 else f"draft×{len(drafts)}"
    return "invited" if "/invitations/" in letter.text else "follower"


def told() -> list[str]:
    lines = []
    for letter in Letter.objects.filter(state="sent").order_by("posted_at", "key"):
        name, *rest = letter.key.split(":")
        if name in ("reminder", "opens", "changed"):
            name = rest[2] if name == "reminder" else name
            reader = letter.to.partition("@")[0]
            lines.append(f"{letter.posted_at:%d %b %H:%M} {name} {words(letter)} {reader}")
    return lines


def in_order(lines: list[str]) -> list[str]:
    return sorted(lines, key=lambda line: (moment(line[:12]), line))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_letters_of_a_month(db, story):
    world = World()
    waiting = [(moment(at), act) for at, act in story.acts]
    sweeps = ticks(story)

    for now in sorted({*sweeps, *(at for at, _act in waiting)}):
        while waiting and waiting[0][0] <= now:
            at, act = waiting.pop(0)
            act(world, at)
        if now in sweeps:
            announcements.tell_changes(now=now)
            reminders.send_due(now=now)
            leave(now)

    assert in_order(told()) == in_order(story.letters)
