"""Whoever does at once what is limited within a day is counted one by one. Without the lock on the
person the limit would not hold: else these tests would prove nothing."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db.models import Model

from accounts.models import User, UserManager
from audit import trail
from notifications import bell
from stakeholders import membership, refusals
from stakeholders.models import Membership, Organisation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet(monkeypatch) -> None:
    monkeypatch.setattr(bell, "ring", lambda: None)


@pytest.fixture(autouse=True)
def counted_together(monkeypatch, meeting, amina, bo) -> None:
    """From when the cast is there, whoever has counted waits for the other; under the lock nobody
    comes."""
    count = membership._again

    def count_and_meet(*args: object, **kwargs: object) -> object:
        counted = count(*args, **kwargs)
        meeting()
        return counted

    monkeypatch.setattr(membership, "_again", count_and_meet)


@pytest.fixture
def unlocked(monkeypatch) -> None:
    monkeypatch.setattr(
        UserManager, "select_for_update", lambda self, **how: self.all(), raising=False
    )


def refused(results: list) -> list[type]:
    return [type(result) for result in results if isinstance(result, Exception)]


def remembered(user: User, verb: str, times: int, *, subject: Model, now: datetime) -> None:
    """They have done it so often today."""
    for _time in range(times):
        trail.record(user, verb, subject, at=now, scope=None)


@pytest.fixture
def two_invitations(at_once, amina, diaspora_network, port_workers, now) -> Callable[[], list]:
    """Amina, who has invited nineteen times, leads two groups, and invites for both at once."""
    own = Membership.objects.create(user=amina, organisation=port_workers, since=now)
    remembered(amina, membership.INVITED, 19, subject=own, now=now)
    return lambda: at_once(
        lambda: membership.invite(diaspora_network, email="x@x.example", by=amina, now=now),
        lambda: membership.invite(port_workers, email="y@x.example", by=amina, now=now),
    )


def test_of_two_invitations_at_once_the_twenty_first_waits(two_invitations):
    assert refused(two_invitations()) == [refusals.InvitedTooOften]
    assert Membership.objects.filter(state="invited").count() == 1


def test_without_the_lock_both_would_leave(unlocked, two_invitations):
    assert refused(two_invitations()) == []
    assert Membership.objects.filter(state="invited").count() == 2


@pytest.fixture
def two_new(at_once, amina, diaspora_network, now) -> Callable[[], list]:
    """Amina, who has entered nine groups, enters two more at once."""
    remembered(amina, membership.ENTERED, 9, subject=diaspora_network, now=now)
    new = [Organisation(name=f"Group {n}", country="KE") for n in range(2)]
    return lambda: at_once(
        *(lambda one=one: membership.found(one, by=amina, now=now) for one in new)
    )


def test_of_two_organisations_at_once_the_eleventh_waits(two_new):
    assert refused(two_new()) == [refusals.EnteredTooMany]
    assert Organisation.objects.filter(name__startswith="Group").count() == 1


def test_without_the_lock_both_would_be_entered(unlocked, two_new):
    assert refused(two_new()) == []
    assert Organisation.objects.filter(name__startswith="Group").count() == 2
