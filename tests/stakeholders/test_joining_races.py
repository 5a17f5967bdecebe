"""Two who act on one organisation at once. Each race is right under the lock, and goes wrong
without it: else the test would prove nothing."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.models import User, UserManager
from audit.models import Entry
from notifications import bell
from stakeholders import membership, refusals
from stakeholders.models import Membership, Organisation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet(monkeypatch) -> None:
    monkeypatch.setattr(bell, "ring", lambda: None)


@pytest.fixture
def locked(monkeypatch, meeting) -> None:
    """Whoever holds the organisation waits for the other; under the lock nobody comes."""
    monkeypatch.setattr(membership, "_held", _then(membership._held, meeting))


@pytest.fixture
def unlocked(monkeypatch, meeting) -> None:
    """Nobody waits for anybody: both have read before either writes."""
    monkeypatch.setattr(membership, "_held", lambda one: Organisation.objects.get(pk=one.pk))
    for name in ("_check_not_last", "_asked", "_membership"):
        monkeypatch.setattr(membership, name, _then(getattr(membership, name), meeting))


def _then(act: Callable, meeting: Callable[[], None]) -> Callable:
    def act_and_meet(*args: object, **kwargs: object) -> object:
        done = act(*args, **kwargs)
        meeting()
        return done

    return act_and_meet


@pytest.fixture
def two_points(diaspora_network, amina, now) -> list[Membership]:
    dana = User.objects.create_user("dana@youth.example")
    second = Membership.objects.create(user=dana, organisation=diaspora_network, since=now)
    return [amina.memberships.get(), second]


@pytest.fixture
def both_leave(at_once, two_points, now) -> Callable[[], list]:
    first, second = two_points
    return lambda: at_once(
        lambda: membership.leave(first, by=first.user, now=now),
        lambda: membership.leave(second, by=second.user, now=now),
    )


@pytest.fixture
def people_known(diaspora_network) -> None:
    diaspora_network.representatives.create(given_names="Awa")


def refused(results: list) -> list[type]:
    return [type(result) for result in results if isinstance(result, Exception)]


def test_of_two_focal_points_who_leave_at_once_one_stays(
    locked, people_known, both_leave, diaspora_network
):
    assert refused(both_leave()) == [refusals.LastFocalPoint]
    assert len(diaspora_network.focal_points) == 1


def test_without_the_lock_nobody_would_stay(unlocked, people_known, both_leave, diaspora_network):
    assert refused(both_leave()) == []
    assert diaspora_network.focal_points == []


@pytest.fixture
def yes_and_no(at_once, diaspora_network, two_points, bo, now) -> Callable[[], list]:
    """Two focal points answer the same request, each in their way."""
    asked = Membership.objects.create(
        user=bo, organisation=diaspora_network, kind="member", state="asked", since=now
    )
    first, second = (point.user for point in two_points)
    return lambda: at_once(
        lambda: membership.agree(asked, by=first, now=now),
        lambda: membership.refuse_to_join(asked, by=second, now=now),
    )


def test_a_request_is_answered_by_one_of_two(locked, yes_and_no):
    assert refused(yes_and_no()) == [refusals.AnsweredAlready]
    assert Entry.objects.filter(verb__startswith="request").count() == 1


def test_without_the_lock_it_would_be_answered_twice(unlocked, yes_and_no):
    assert refused(yes_and_no()) == []
    assert Entry.objects.filter(verb__startswith="request").count() == 2


@pytest.fixture
def ask_and_invite(at_once, diaspora_network, amina, bo, now) -> Callable[[], list]:
    return lambda: at_once(
        lambda: membership.ask(diaspora_network, by=bo, now=now),
        lambda: membership.invite(diaspora_network, email=bo.email, by=amina, now=now),
    )


def test_a_request_that_meets_an_invitation_lets_in(locked, ask_and_invite, diaspora_network, bo):
    assert refused(ask_and_invite()) == []
    assert bo.memberships.get(organisation=diaspora_network).state == "active"


def test_without_the_lock_one_would_stumble_over_the_other(
    unlocked, ask_and_invite, diaspora_network, bo
):
    assert len(refused(ask_and_invite())) == 1
    assert bo.memberships.get(organisation=diaspora_network).state in {"asked", "invited"}


@pytest.fixture
def accept_and_remove(
    at_once, meeting, diaspora_network, amina, bo, now, monkeypatch
) -> Callable[[], list]:
    """Bo has opened his invitation; before he says yes, Amina takes it back."""
    invited = Membership.objects.create(
        user=bo, organisation=diaspora_network, kind="member", state="invited", since=now
    )
    read, is_read = membership._invited, threading.Event()

    def read_and_wait(*args: object, **kwargs: object) -> Membership:
        found = read(*args, **kwargs)
        is_read.set()
        meeting()
        return found

    def remove() -> None:
        is_read.wait(20)
        membership.remove(invited, by=amina, now=now)
        meeting()

    monkeypatch.setattr(membership, "_invited", read_and_wait)
    return lambda: at_once(lambda: membership.accept(invited, by=bo, now=now), remove)


def test_whoever_is_removed_while_accepting_is_out(accept_and_remove, diaspora_network, bo):
    assert refused(accept_and_remove()) == []
    assert bo.memberships.get(organisation=diaspora_network).state == "left"
    assert not Organisation.objects.spoken_for_by(bo).contains(diaspora_network)


def test_without_the_lock_a_removed_person_would_be_in(
    accept_and_remove, diaspora_network, bo, monkeypatch
):
    monkeypatch.setattr(membership, "_held", lambda one: Organisation.objects.get(pk=one.pk))

    assert refused(accept_and_remove()) == []
    assert bo.memberships.get(organisation=diaspora_network).state == "active"


@pytest.fixture
def two_claims(at_once, now) -> Callable[[], list]:
    group = Organisation.objects.create(name="Youth Forum", country="KE")
    strangers = [User.objects.create_user(f"{name}@youth.example") for name in ("dana", "eli")]
    return lambda: at_once(
        *(lambda by=by: membership.ask(group, by=by, now=now) for by in strangers)
    )


def test_of_two_claims_at_once_one_is_a_request(locked, two_claims):
    assert sorted(claim.state for claim in two_claims()) == ["active", "asked"]


def test_without_the_lock_both_would_speak_for_it(unlocked, meeting, two_claims, monkeypatch):
    """Both have seen that nobody does, before either enters."""
    enter = membership._enter

    def enter_together(*args: object, **kwargs: object) -> Membership:
        meeting()
        return enter(*args, **kwargs)

    monkeypatch.setattr(membership, "_enter", enter_together)

    assert sorted(claim.state for claim in two_claims()) == ["active", "active"]


@pytest.fixture
def six_asks(at_once, bo, now) -> Callable[[], list]:
    """Dana has asked four times, and asks two more groups at once."""
    dana = User.objects.create_user("dana@youth.example")
    groups = [Organisation.objects.create(name=f"Group {n}", country="KE") for n in range(6)]
    for group in groups:
        Membership.objects.create(user=bo, organisation=group)
    for group in groups[:4]:
        membership.ask(group, by=dana, now=now)
    return lambda: at_once(
        *(lambda group=group: membership.ask(group, by=dana, now=now) for group in groups[4:])
    )


@pytest.fixture
def counted_together(six_asks, monkeypatch, meeting) -> None:
    monkeypatch.setattr(membership, "_check_may_ask", _then(membership._check_may_ask, meeting))


def test_requests_of_one_person_to_two_groups_are_counted_one_by_one(counted_together, six_asks):
    assert refused(six_asks()) == [refusals.TooManyAsks]
    assert Membership.objects.filter(state="asked").count() == 5


def test_without_the_lock_there_would_be_six(counted_together, six_asks, monkeypatch):
    monkeypatch.setattr(
        UserManager, "select_for_update", lambda self, **how: self.all(), raising=False
    )

    assert refused(six_asks()) == []
    assert Membership.objects.filter(state="asked").count() == 6


def test_a_sweep_beside_a_yes_ends_nobody(at_once, diaspora_network, amina, bo, now):
    asked_at: datetime = now - timedelta(days=30) + timedelta(minutes=1)
    asked = Membership.objects.create(
        user=bo, organisation=diaspora_network, kind="member", state="asked", since=asked_at
    )

    at_once(
        lambda: membership.agree(asked, by=amina, now=now),
        lambda: membership.settle_due(now=now),
    )

    assert Membership.objects.get(pk=asked.pk).state == "active"
