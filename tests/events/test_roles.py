import pytest

from accounts.models import User
from audit.models import Entry
from events import roles
from events.models import Event, Process, Role


@pytest.fixture
def dana(now) -> User:
    return User.objects.create_user("dana@secretariat.example")


@pytest.fixture
def elsewhere(now) -> Event:
    """A meeting of another process."""
    other = Process.objects.create(slug="gfmd", name_en="Global Forum")
    return Event.objects.create(
        process=other,
        slug="forum",
        kind=Event.Kind.FORUM,
        name_en="Forum",
        starts_on="2018-12-05",
        ends_on="2018-12-07",
        zone="Africa/Casablanca",
    )


def test_a_role_on_an_event_opens_the_organisers_side_for_that_event(
    dana, clara, hearing, elsewhere, now
):
    role = roles.grant(dana, on=hearing, by=clara, now=now)

    dana.refresh_from_db()
    assert dana.is_staff
    assert (role.event, role.process, role.kind) == (hearing, None, "manager")
    assert list(Event.objects.managed_by(dana)) == [hearing]


def test_a_role_on_a_process_covers_its_events_and_no_others(clara, hearing, elsewhere):
    assert list(Event.objects.managed_by(clara)) == [hearing]


def test_who_has_no_role_manages_nothing(amina, hearing, client):
    assert list(Event.objects.managed_by(amina)) == []


def test_a_superuser_manages_everything(hearing, elsewhere):
    root = User.objects.create_superuser("root@secretariat.example")

    assert set(Event.objects.managed_by(root)) == {hearing, elsewhere}


def test_granting_twice_is_one_role_and_one_memory(dana, clara, hearing, now):
    first = roles.grant(dana, on=hearing, by=clara, now=now)
    second = roles.grant(dana, on=hearing, by=clara, now=now)

    assert first == second
    (entry,) = Entry.objects.about(first)
    assert (entry.verb, entry.actor, entry.scope) == ("role granted", clara, hearing.id)
    assert entry.after == {"user": str(dana.id), "role": "manager"}


def test_with_the_last_role_the_organisers_side_shuts(dana, clara, hearing, process, now):
    on_event = roles.grant(dana, on=hearing, by=clara, now=now)
    on_process = roles.grant(dana, on=process, by=clara, now=now)

    roles.revoke(on_event, by=clara, now=now)
    dana.refresh_from_db()
    assert dana.is_staff

    roles.revoke(on_process, by=clara, now=now)
    dana.refresh_from_db()
    assert not dana.is_staff
    assert list(Event.objects.managed_by(dana)) == []


def test_revoking_is_remembered_although_the_role_is_gone(dana, clara, hearing, now):
    role = roles.grant(dana, on=hearing, by=clara, now=now)
    role_id = role.pk

    roles.revoke(role, by=clara, now=now)

    assert not Role.objects.filter(pk=role_id).exists()
    entry = Entry.objects.get(verb="role revoked")
    assert (entry.subject_id, entry.actor, entry.scope) == (str(role_id), clara, hearing.id)
    assert entry.before == {"user": str(dana.id), "role": "manager"}


def test_a_superuser_keeps_the_organisers_side_without_a_role(clara, hearing, now):
    root = User.objects.create_superuser("root@secretariat.example")
    role = roles.grant(root, on=hearing, by=clara, now=now)

    roles.revoke(role, by=clara, now=now)

    root.refresh_from_db()
    assert root.is_staff
