from contextlib import nullcontext
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from accounts.models import User
from audit.models import Entry
from clock import shown
from stakeholders import membership, refusals
from stakeholders.models import Membership, Organisation


def test_whoever_enters_an_organisation_is_its_focal_point(now):
    dana = User.objects.create_user("dana@youth.example")

    youth = membership.found(
        Organisation(name="Youth Forum", country="KE", category="youth"), by=dana, now=now
    )

    (held,) = Membership.objects.filter(organisation=youth)
    assert (held.user, held.kind, held.state) == (dana, "focal_point", "active")
    assert youth.focal_points == [dana]
    assert list(Organisation.objects.spoken_for_by(dana)) == [youth]
    entry = Entry.objects.about(youth).get()
    assert (entry.actor, entry.verb, entry.at, entry.scope) == (
        dana,
        "organisation entered",
        now,
        None,
    )
    assert entry.after == {"name": "Youth Forum", "country": "KE"}


def test_a_name_that_is_known_in_that_country_is_refused(diaspora_network, bo, now):
    with pytest.raises(refusals.KnownHere) as refused:
        membership.found(Organisation(name="DIASPORA Nétwork (DN)", country="ML"), by=bo, now=now)

    assert str(refused.value) == (
        "“Diaspora Network” is known here already. Ask to join it, or write to "
        "secretariat@example.org."
    )
    assert Organisation.objects.filter(country="ML").get() == diaspora_network
    assert Membership.objects.filter(user=bo).count() == 1


def test_entered_twice_by_the_same_person_it_is_the_same(diaspora_network, amina, now):
    again = membership.found(
        Organisation(name="Diaspora network", country="ML", category="diaspora"), by=amina, now=now
    )

    assert again == diaspora_network
    assert Organisation.objects.count() == 1


def test_the_same_name_in_another_country_is_another_organisation(diaspora_network, bo, now):
    membership.found(Organisation(name="Diaspora Network", country="SN"), by=bo, now=now)

    assert Organisation.objects.filter(name="Diaspora Network").count() == 2


def test_one_person_enters_ten_organisations_in_a_day(now):
    dana = User.objects.create_user("dana@youth.example", zone="Africa/Nairobi")

    def enter(n: int, at: datetime) -> Organisation:
        return membership.found(Organisation(name=f"Group {n}", country="KE"), by=dana, now=at)

    for n in range(10):
        own = enter(n, now + timedelta(minutes=n)).memberships.get()
        membership.leave(own, by=dana, now=now + timedelta(minutes=n))

    day = timedelta(days=1)
    with pytest.raises(refusals.EnteredTooMany) as refused:
        enter(10, now + day - timedelta(seconds=1))

    again = shown.moment_and_zone(now + day, "Africa/Nairobi")
    assert str(refused.value) == (
        f"You have entered 10 organisations within 24 hours. Enter another one from {again}."
    )
    assert not Organisation.objects.filter(name="Group 10").exists()
    assert enter(10, now + day).focal_points == [dana]


def test_entering_ones_own_again_is_not_counted(diaspora_network, amina, now):
    for n in range(9):
        membership.found(Organisation(name=f"Group {n}", country="KE"), by=amina, now=now)
        again = Organisation(name="Diaspora Network", country="ML")
        assert membership.found(again, by=amina, now=now) == diaspora_network

    membership.found(Organisation(name="Group 9", country="KE"), by=amina, now=now)


def test_organisers_enter_as_many_as_they_bring(clara, now):
    for n in range(11):
        membership.enter(Organisation(name=f"Group {n}", country="KE"), by=clara, now=now)

    assert Organisation.objects.count() == 11


def test_who_has_left_or_may_not_sign_in_is_no_focal_point(amina, bo, diaspora_network):
    Membership.objects.create(user=bo, organisation=diaspora_network, state="left")
    assert diaspora_network.focal_points == [amina]
    assert diaspora_network not in Organisation.objects.spoken_for_by(bo)

    User.objects.filter(pk=amina.pk).update(is_active=False)
    assert diaspora_network.focal_points == []


def test_correcting_keeps_the_facts_and_remembers_the_old_ones(amina, diaspora_network, now):
    diaspora_network.name = "Diaspora Network of Mali"
    diaspora_network.website = "https://diaspora.example"

    membership.correct(diaspora_network, by=amina, now=now)

    kept = Organisation.objects.get(pk=diaspora_network.pk)
    assert (kept.name, kept.website) == ("Diaspora Network of Mali", "https://diaspora.example")
    assert kept.matching_key == "diaspora network of mali"
    entry = Entry.objects.about(kept).get(verb="organisation corrected")
    assert (entry.actor, entry.at) == (amina, now)
    assert (entry.before["name"], entry.after["name"]) == (
        "Diaspora Network",
        "Diaspora Network of Mali",
    )


def test_correcting_nothing_is_not_remembered(amina, diaspora_network, now):
    membership.correct(diaspora_network, by=amina, now=now)

    assert not Entry.objects.filter(verb="organisation corrected").exists()


def test_correcting_the_spelling_of_ones_own_name_is_not_a_twin(amina, diaspora_network, now):
    diaspora_network.name = "DIASPORA NETWORK"

    membership.correct(diaspora_network, by=amina, now=now)

    assert Organisation.objects.get(pk=diaspora_network.pk).name == "DIASPORA NETWORK"


def test_correcting_into_a_known_name_is_refused(amina, diaspora_network, port_workers, now):
    diaspora_network.name, diaspora_network.country = "Port Workers", "PH"

    with pytest.raises(refusals.KnownHere):
        membership.correct(diaspora_network, by=amina, now=now)

    assert Organisation.objects.get(pk=diaspora_network.pk).name == "Diaspora Network"


@pytest.fixture
def two_at_once(at_once, meeting, monkeypatch, now):
    """Two strangers enter the same name, neither sure that the other has been there."""
    saved = Organisation.save

    def save(organisation, **kwargs):
        meeting()
        saved(organisation, **kwargs)

    monkeypatch.setattr(Organisation, "save", save)
    strangers = [User.objects.create_user(f"{name}@youth.example") for name in ("dana", "eli")]

    def enter(user):
        return membership.found(Organisation(name="Youth Forum", country="KE"), by=user, now=now)

    return lambda: at_once(lambda: enter(strangers[0]), lambda: enter(strangers[1]))


def test_two_who_enter_the_same_name_at_once_make_one_organisation(two_at_once):
    results = two_at_once()

    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [
        refusals.KnownHere
    ]
    assert Organisation.objects.filter(name="Youth Forum").count() == 1
    assert Membership.objects.count() == 1


def test_without_the_lock_they_would_make_two(two_at_once, monkeypatch):
    no_lock = SimpleNamespace(
        cursor=lambda: nullcontext(SimpleNamespace(execute=lambda *statement: None))
    )
    monkeypatch.setattr(membership, "connection", no_lock)

    two_at_once()

    assert Organisation.objects.filter(name="Youth Forum").count() == 2
