"""Many at once. Each race is run five times with the lock, and is right each time; and without it,
where it must go wrong: else the test would prove nothing. A crowd gets five tries for that, two who
meet get one."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from uuid import uuid4

import pytest
from django.db import connection, transaction

from accounts.models import User
from audit.models import Entry
from events import capacity, deadlines, schedule
from events.capacity import Share
from events.models import Event
from notifications import bell
from notifications.models import Letter
from registrations import (
    announcements,
    confirmations,
    decisions,
    exchanges,
    intake,
    refusals,
    reminders,
    replacements,
    seats,
    waiting,
)
from registrations.intake import Person
from registrations.models import Delegate, Registration, RegistrationQuerySet
from stakeholders.models import Representative
from tests.registrations import crowd

RUNS = 5
HANDS = 24
ACTS = 160
A_PAUSE = 0.03
SECOND = timedelta(seconds=1)
MOUSSA = Person("Moussa", "Keïta", "moussa@diaspora.example")

pytestmark = pytest.mark.django_db(transaction=True)


def all_at_once(*acts: Callable[[], object], hands: int = HANDS) -> list:
    """Let acts run beside each other, each hand on its own connection, taking the next when it
    has done one: what each returned or raised."""
    queue: SimpleQueue = SimpleQueue()
    for number, act in enumerate(acts):
        queue.put((number, act))
    results: list = [None] * len(acts)
    ready = threading.Barrier(min(hands, len(acts)))

    def work() -> None:
        try:
            connection.ensure_connection()
            ready.wait(20)
            while True:
                number, act = queue.get_nowait()
                try:
                    results[number] = act()
                except Exception as error:
                    results[number] = error
        except Empty:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _hand in range(min(hands, len(acts)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture(autouse=True)
def quiet(monkeypatch) -> None:
    """Nobody rings for the worker: its bell has tests of its own."""
    monkeypatch.setattr(bell, "ring", lambda: None)


@pytest.fixture
def unlocked(monkeypatch) -> None:
    """Nobody waits for anybody, and between counting and giving there is a moment."""
    count = seats.Table._count_people

    def count_and_dawdle(table: seats.Table) -> None:
        count(table)
        time.sleep(A_PAUSE)

    monkeypatch.setattr(capacity, "_lock", lambda name: None)
    monkeypatch.setattr(seats.Table, "_count_people", count_and_dawdle)


@pytest.fixture
def unheld(monkeypatch, meeting_before_writing) -> None:
    """Nobody waits for anybody's draft either: two have read all before one of them writes."""

    def read(
        self: RegistrationQuerySet, registration: Registration, event: Event | None = None
    ) -> Registration:
        meeting_before_writing()
        return self.select_related("event", "organisation").get(pk=registration.pk)

    monkeypatch.setattr(capacity, "_lock", lambda name: None)
    monkeypatch.setattr(RegistrationQuerySet, "held", read)


@pytest.fixture
def another(hearing, now) -> Callable[..., Event]:
    """One more event like the hearing."""

    def another(**facts) -> Event:
        event = Event.objects.get(pk=hearing.pk)
        event.pk, event.slug = uuid4(), f"event-{uuid4().hex[:6]}"
        for name, value in facts.items():
            setattr(event, name, value)
        event.save(force_insert=True)
        deadlines.set_deadline(
            event, kind="registration", closes_at=now + timedelta(days=9), by=None, now=now
        )
        return event

    return another


@pytest.fixture
def organisers(clara) -> list[User]:
    return [
        clara,
        *(User.objects.create_user(f"{name}@secretariat.example") for name in ("dora", "emil")),
    ]


def submission(registration: Registration, now: datetime) -> Callable[[], None]:
    by = registration.organisation.focal_points[0]
    return lambda: intake.submit(registration, by=by, now=now)


def approvals(groups: list[Registration], by: User, now: datetime) -> Callable[[], list]:
    """One organiser goes through a list."""

    def approve_all() -> list:
        outcomes = []
        for registration in groups:
            try:
                decisions.approve(registration, registration.delegates.all(), by=by, now=now)
            except refusals.Refusal as refused:
                outcomes.append(type(refused).__name__)
            else:
                outcomes.append("approved")
        return outcomes

    return approve_all


# 200 at once for 50 first-come seats


@pytest.fixture
def commits(transactional_db) -> Iterator[Callable[[], list]]:
    """Who was put on the waiting list, in the order in which the database committed it: a number
    is drawn by a trigger that waits until the very end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("""
            create table committed (number bigserial primary key, delegate uuid not null);
            create function note_commit() returns trigger language plpgsql as $$
            begin
                insert into committed (delegate) values (new.id);
                return null;
            end $$;
            create constraint trigger note_commit after update on registrations_delegate
            deferrable initially deferred for each row
            when (new.state = 'wait_listed' and old.state <> 'wait_listed')
            execute function note_commit();
        """)

    def commits() -> list:
        with connection.cursor() as cursor:
            cursor.execute("select delegate from committed order by number")
            return [delegate for (delegate,) in cursor.fetchall()]

    yield commits
    with connection.cursor() as cursor:
        cursor.execute("""
            drop trigger note_commit on registrations_delegate;
            drop function note_commit();
            drop table committed;
        """)


@dataclass
class Rush:
    results: list
    states: dict[str, int]
    order: list
    committed: list
    letters: Counter = field(default_factory=Counter)


@pytest.fixture
def rush(another, commits, now) -> Callable[..., Rush]:
    def rush(groups: int, limit: int) -> Rush:
        event = another(admission="first_come", seats=limit)
        before = len(commits())
        acts = [submission(each, now) for each in crowd.drafts(event, groups, now=now)]

        results = all_at_once(*acts)

        waits = Delegate.objects.waiting().filter(registration__event=event)
        keys = Letter.objects.in_scope(event.pk).values_list("key", flat=True)
        return Rush(
            results,
            crowd.states(event),
            list(waits.values_list("pk", flat=True)),
            commits()[before:],
            Counter(key.split(":")[0] for key in keys),
        )

    return rush


def test_of_200_at_once_50_have_a_seat_and_150_wait_in_the_order_of_commit(rush):
    for _run in range(RUNS):
        seen = rush(groups=200, limit=50)

        assert kinds(seen.results) == ["list"] * 200
        assert seen.states == {"approved": 50, "wait_listed": 150}
        assert seen.order == seen.committed
        assert seen.letters == {"approved": 50, "wait_listed": 150}


def test_without_the_lock_more_would_have_a_seat_than_there_are(rush, unlocked):
    runs = (rush(groups=48, limit=12) for _run in range(RUNS))

    assert any(seen.states["approved"] > 12 for seen in runs)


def test_without_the_lock_the_order_would_not_be_that_of_commit(rush, unlocked):
    runs = (rush(groups=48, limit=0) for _run in range(RUNS))

    assert any(seen.order != seen.committed for seen in runs)


# 60 approvals by three organisers for 10 seats


@pytest.fixture
def sixty(another, organisers, now) -> Callable[[], tuple[dict, Counter]]:
    def sixty() -> tuple[dict, Counter]:
        event = another(seats=10)
        groups = crowd.sent(event, 60, now=now)
        acts = [approvals(groups[turn::3], by, now) for turn, by in enumerate(organisers)]
        outcomes = Counter(outcome for each in all_at_once(*acts) for outcome in each)
        return crowd.states(event), outcomes

    return sixty


def test_of_60_approvals_10_are_given_and_50_refused(sixty):
    for _run in range(RUNS):
        states, outcomes = sixty()

        assert states == {"approved": 10, "submitted": 50}
        assert outcomes == {"approved": 10, "HearingFull": 50}


def test_without_the_lock_more_would_be_approved(sixty, unlocked):
    assert any(sixty()[0]["approved"] > 10 for _run in range(RUNS))


# Capacity lowered among approvals


@dataclass
class Lowered:
    given_then: set = field(default_factory=set)
    given_after: set = field(default_factory=set)

    def is_right(self) -> bool:
        """Nobody lost a seat, and nobody was given one that was not there any more."""
        return self.given_then <= self.given_after and len(self.given_after) == max(
            5, len(self.given_then)
        )


@pytest.fixture
def lowered(another, organisers, now) -> Callable[[], Lowered]:
    def lowered() -> Lowered:
        event = another(seats=40)
        groups = crowd.sent(event, 24, now=now)
        seen, begun = Lowered(), threading.Event()
        seated = Delegate.objects.seated().filter(registration__event=event)
        clara, dora, emil = organisers

        def lower() -> None:
            begun.wait(10)
            with transaction.atomic():
                capacity.hold(event)
                seen.given_then = set(seated.values_list("pk", flat=True))
                capacity.change(
                    event, admission=event.admission, seats=5, cap=None, by=clara, now=now
                )

        def approve(chosen: list[Registration], by: User) -> Callable[[], None]:
            def act() -> None:
                approvals(chosen[:4], by, now)()
                begun.set()
                approvals(chosen[4:], by, now)()

            return act

        all_at_once(lower, approve(groups[::2], dora), approve(groups[1::2], emil))
        seen.given_after = set(seated.values_list("pk", flat=True))
        return seen

    return lowered


def test_lowered_among_approvals_nobody_is_unseated_and_nobody_new_is_seated(lowered):
    for _run in range(RUNS):
        seen = lowered()

        assert seen.is_right()
        assert len(seen.given_then) >= 4


def test_without_the_lock_some_would_be_seated_after_the_lowering(lowered, unlocked):
    assert any(not lowered().is_right() for _run in range(RUNS))


# A quota reached by bulk approvals from two sides


@pytest.fixture
def bulk(another, organisers, now) -> Callable[[], tuple[int, Counter]]:
    def bulk() -> tuple[int, Counter]:
        event = another(seats=100)
        clara, dora, _emil = organisers
        capacity.change(
            event,
            admission=event.admission,
            seats=100,
            cap=None,
            by=clara,
            now=now,
            quotas=[Share(7, category="youth"), Share(50, region="002")],
        )
        groups = crowd.sent(event, 12, now=now, people=2)
        acts = [approvals(groups[::2], clara, now), approvals(groups[1::2], dora, now)]
        outcomes = Counter(outcome for each in all_at_once(*acts) for outcome in each)
        return crowd.states(event)["approved"], outcomes

    return bulk


def test_a_quota_reached_in_bulk_is_never_passed_and_no_delegation_is_cut(bulk):
    for _run in range(RUNS):
        assert bulk() == (6, {"approved": 3, "QuotaFull": 9})


def test_without_the_lock_the_quota_would_be_passed(bulk, unlocked):
    assert any(bulk()[0] > 7 for _run in range(RUNS))


# Moving up while others come


@dataclass
class Moved:
    results: list
    seated: list[str]
    order: list[str]
    moved: int
    expected: list[str]
    late: list[str]

    def is_right(self) -> bool:
        """Every seat is given once, to those who waited longest; newcomers wait after them."""
        return (
            not any(isinstance(result, Exception) for result in self.results)
            and self.seated == self.expected
            and self.moved == 5
            and self.order[:1] == ["Waits 5"]
            and sorted(self.order[1:]) == self.late
        )


@pytest.fixture
def moved(another, now) -> Callable[[], Moved]:
    """Five seats, six who wait. At once: three withdraw, three newcomers come, the sweep runs
    twice, and there are two seats more."""

    def moved() -> Moved:
        event = another(admission="first_come", seats=5)
        first = crowd.drafts(event, 5, now=now, name="First")
        waits = crowd.drafts(event, 6, now=now, name="Waits")
        late = crowd.drafts(event, 3, now=now, name="Late")
        for each in [*first, *waits]:
            submission(each, now)()
        Event.objects.filter(pk=event.pk).update(seats=7)

        def withdrawal(registration: Registration) -> Callable[[], None]:
            by = registration.organisation.focal_points[0]
            return lambda: intake.withdraw(registration, by=by, now=now + SECOND)

        acts = [withdrawal(each) for each in first[:3]]
        acts += [submission(each, now + SECOND) for each in late]
        acts += [lambda: waiting.fill_all(now=now + SECOND)] * 2
        results = all_at_once(*acts)

        def short(name: str) -> str:
            kind, _slug, number = name.split()
            return f"{kind} {int(number)}"

        return Moved(
            results,
            sorted(short(name) for name in crowd.seated(event)),
            [short(name) for name in crowd.order(event)],
            Entry.objects.filter(scope=event.pk, verb="moved up").count(),
            ["First 3", "First 4", *(f"Waits {number}" for number in range(5))],
            [f"Late {number}" for number in range(3)],
        )

    return moved


def test_nobody_overtakes_the_waiting_list_and_no_seat_is_given_twice(moved):
    for _run in range(RUNS):
        assert moved().is_right()


def test_without_the_lock_a_seat_would_be_given_twice_or_lost(moved, unlocked):
    assert any(not moved().is_right() for _run in range(RUNS))


# One draft, two hands


def kinds(results: list) -> list[str]:
    return sorted(type(result).__name__ for result in results)


@pytest.fixture
def two_submit(at_once, another, now) -> Callable[[], tuple[list[str], int]]:
    def two_submit() -> tuple[list[str], int]:
        (draft,) = crowd.drafts(another(), 1, now=now)
        again = Registration.objects.get(pk=draft.pk)
        results = at_once(submission(draft, now), submission(again, now + SECOND))
        return kinds(results), Letter.objects.about(draft.pk).count()

    return two_submit


def test_a_draft_that_is_sent_twice_at_once_is_sent_once(two_submit):
    for _run in range(RUNS):
        assert two_submit() == (["SentAlready", "list"], 1)


def test_without_the_locks_it_would_be_sent_twice(two_submit, unheld):
    assert two_submit() == (["list", "list"], 2)


@pytest.fixture
def two_add(at_once, another, now) -> Callable[[], tuple[list[str], int]]:
    def two_add() -> tuple[list[str], int]:
        (draft,) = crowd.drafts(another(), 1, now=now)
        by, entry = draft.organisation.focal_points[0], uuid4()

        def add() -> Delegate:
            return intake.add_person(draft, MOUSSA, by=by, now=now, entry=entry)

        return kinds(at_once(add, add)), draft.delegates.count()

    return two_add


def test_a_form_that_comes_twice_at_once_is_one_person(two_add):
    for _run in range(RUNS):
        assert two_add() == (["Delegate", "Delegate"], 2)


def test_without_the_draft_s_lock_the_second_form_would_fail(two_add, unheld):
    assert two_add()[0] != ["Delegate", "Delegate"]


@pytest.fixture
def two_add_several(at_once, another, now) -> Callable[[], tuple[list[str], int]]:
    def two_add_several() -> tuple[list[str], int]:
        (draft,) = crowd.drafts(another(), 1, now=now)
        by, entry = draft.organisation.focal_points[0], uuid4()
        several = [MOUSSA, Person("Awa", "Ba"), Person("Olga", role="interpreter")]

        def add() -> list[Delegate]:
            return intake.add_people(draft, several, by=by, now=now, entry=entry)

        return kinds(at_once(add, add)), draft.delegates.count()

    return two_add_several


def test_several_who_come_twice_at_once_are_there_once(two_add_several):
    for _run in range(RUNS):
        assert two_add_several() == (["list", "list"], 4)


def test_without_the_draft_s_lock_the_second_of_several_would_fail(two_add_several, unheld):
    assert two_add_several()[0] != ["list", "list"]


@pytest.fixture
def two_ways_in(at_once, another, now) -> Callable[[], tuple[list[str], int]]:
    """One pastes, another types: one place is left."""

    def two_ways_in() -> tuple[list[str], int]:
        (draft,) = crowd.drafts(another(cap=2), 1, now=now)
        by = draft.organisation.focal_points[0]
        results = at_once(
            lambda: intake.add_people(draft, [MOUSSA], by=by, now=now),
            lambda: intake.add_person(draft, Person("Awa", "Ba"), by=by, now=now),
        )
        return kinds(results), draft.delegates.count()

    return two_ways_in


def test_of_two_for_the_last_place_of_a_group_one_is_told(two_ways_in):
    for _run in range(RUNS):
        assert two_ways_in() in [(["Delegate", "InRow"], 2), (["OverCap", "list"], 2)]


def test_without_the_draft_s_lock_both_would_come(two_ways_in, unheld):
    assert two_ways_in()[1] == 3


@pytest.fixture
def two_change(at_once, another, now) -> Callable[[], list[str]]:
    def two_change() -> list[str]:
        (draft,) = crowd.drafts(another(), 1, now=now)
        by = draft.organisation.focal_points[0]
        seen = draft.delegates.get().mark

        def change(person: Person) -> Callable[[], None]:
            delegate = draft.delegates.get()
            return lambda: intake.change_person(delegate, person, by=by, now=now, seen=seen)

        return kinds(at_once(change(MOUSSA), change(Person("Awa", "Ba"))))

    return two_change


def test_of_two_colleagues_at_once_one_is_told(two_change):
    for _run in range(RUNS):
        assert two_change() == ["ChangedMeanwhile", "NoneType"]


def test_without_the_draft_s_lock_one_would_overwrite_the_other(two_change, unheld):
    assert two_change() == ["NoneType", "NoneType"]


# Everything at once: nobody waits in a circle


def with_addresses(event: Event) -> None:
    """Every other of the people has an address, so that it is asked and reminded."""
    people = Representative.objects.filter(organisation__registrations__event=event)
    for number, person in enumerate(people.order_by("family_name")[::2]):
        person.email = f"person{number}@{event.slug}.example"
        person.save()


class Crowd:
    """What groups, organisers, delegates and sweeps do, each time to somebody else."""

    def __init__(self, event: Event, by: User, now: datetime, seed: int) -> None:
        self.event, self.by, self.now = event, by, now
        self.chance = random.Random(seed)
        self.acts = [
            *[self.submit] * 3,
            *[self.approve] * 3,
            self.withdraw,
            self.begin_again,
            self.withdraw_person,
            self.decline,
            self.wait_list,
            self.ask,
            self.answer,
            self.replace,
            *[self.confirm] * 2,
            self.say_no,
            self.sweep,
            self.tell,
            *[self.remind] * 3,
            self.move_deadline,
            self.postpone,
            *[self.take_place] * 3,
            self.change_capacity,
        ]

    def at_random(self, number: int) -> Callable[[], object]:
        """An act, and all that is random about it, chosen now; it is looked up when it is done."""
        act, lot = self.chance.choice(self.acts), self.chance.random()
        at = self.now + timedelta(days=3, minutes=10 * number)
        return lambda: act(lot, at)

    def group(self, lot: float) -> Registration:
        groups = self.event.registrations.select_related("organisation", "event").order_by("pk")
        return groups[int(lot * groups.count())]

    def person(self, lot: float, *states: str) -> Delegate:
        people = Delegate.objects.filter(registration__event=self.event).order_by("pk")
        people = people.select_related("representative", "registration__event")
        fitting = list(people.filter(state__in=states)) or list(people)
        return fitting[int(lot * len(fitting))]

    def submit(self, lot: float, at: datetime) -> None:
        submission(self.group(lot), at)()

    def withdraw(self, lot: float, at: datetime) -> None:
        intake.withdraw(self.group(lot), by=self.by, now=at)

    def begin_again(self, lot: float, at: datetime) -> None:
        group = self.group(lot)
        intake.begin(group.event, group.organisation, by=self.by, now=at - timedelta(hours=1))

    def withdraw_person(self, lot: float, at: datetime) -> None:
        intake.withdraw_person(self.person(lot, "approved", "wait_listed"), by=self.by, now=at)

    def approve(self, lot: float, at: datetime) -> None:
        group = self.group(lot)
        decisions.approve(group, group.delegates.all(), by=self.by, now=at)

    def decline(self, lot: float, at: datetime) -> None:
        one = self.person(lot, "submitted", "wait_listed")
        decisions.decline(one.registration, [one], by=self.by, now=at, reason="Full")

    def wait_list(self, lot: float, at: datetime) -> None:
        one = self.person(lot, "submitted")
        decisions.wait_list(one.registration, [one], by=self.by, now=at)

    def ask(self, lot: float, at: datetime) -> None:
        one = self.person(lot, "submitted")
        decisions.ask(one.registration, [one], by=self.by, now=at, question="Which topic?")

    def answer(self, lot: float, at: datetime) -> None:
        exchanges.answer(self.person(lot, "more_information"), "Youth", by=self.by, now=at)

    def replace(self, lot: float, at: datetime) -> None:
        person = Person("Heir", f"{lot}")
        replacements.replace(self.person(lot, "approved"), person, by=self.by, now=at)

    def confirm(self, lot: float, at: datetime) -> None:
        confirmations.confirm(self.person(lot, "approved"), now=at)

    def say_no(self, lot: float, at: datetime) -> None:
        confirmations.decline(self.person(lot, "approved", "confirmed"), now=at)

    def sweep(self, lot: float, at: datetime) -> None:
        confirmations.lapse_due(now=at + timedelta(days=8) * lot)
        confirmations.ask_due(now=at)
        waiting.fill_all(now=at)

    def tell(self, lot: float, at: datetime) -> None:
        announcements.tell_changes(now=at + timedelta(hours=1))

    def remind(self, lot: float, at: datetime) -> None:
        reminders.send_due(now=at + timedelta(days=5) * lot)

    def move_deadline(self, lot: float, at: datetime) -> None:
        deadline = self.event.deadlines.order_by("kind")[int(lot * 2)]
        shut = self.now + timedelta(days=9 + 4 * lot)
        deadlines.move(deadline, closes_at=shut, by=self.by, now=self.now, reason="Visas")

    def postpone(self, lot: float, at: datetime) -> None:
        schedule.postpone(self.event, by=self.by, now=at, reason="No hall")

    def take_place(self, lot: float, at: datetime) -> None:
        schedule.move(
            self.event,
            starts_on=self.event.starts_on,
            ends_on=self.event.ends_on,
            starts_at=None,
            ends_at=None,
            by=self.by,
            now=at,
            reason="A hall",
        )

    def change_capacity(self, lot: float, at: datetime) -> None:
        capacity.change(
            self.event,
            admission="first_come" if lot < 0.5 else "reviewed",
            seats=int(lot * 20),
            cap=3,
            by=self.by,
            now=at,
            quotas=[Share(12, category="youth")],
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_at_once_nobody_waits_in_a_circle(another, organisers, now, seed):
    event = another(admission="first_come", seats=8)
    deadlines.set_deadline(
        event, kind="confirmation", closes_at=now + timedelta(days=11), by=None, now=now
    )
    crowd.drafts(event, 12, now=now, people=2)
    with_addresses(event)
    everybody = Crowd(event, organisers[0], now, seed)

    results = all_at_once(*(everybody.at_random(number) for number in range(ACTS)), hands=8)

    odd = [
        result
        for result in results
        if isinstance(result, Exception) and not type(result).__module__.endswith("refusals")
    ]
    assert odd == []
    assert sum(not isinstance(result, Exception) for result in results) > ACTS / 4


def test_who_takes_the_lock_after_a_row_waits_in_a_circle(another, organisers, meeting, now):
    """So the test above would see it."""
    (group,) = crowd.sent(another(), 1, now=now)

    @transaction.atomic
    def in_order() -> None:
        capacity.hold(group.event)
        meeting()
        Registration.objects.held(group)

    @transaction.atomic
    def upside_down() -> None:
        Registration.objects.held(group)
        meeting()
        capacity.hold(group.event)

    assert kinds(all_at_once(in_order, upside_down)) == ["NoneType", "OperationalError"]
