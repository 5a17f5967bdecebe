from datetime import date, timedelta

import pytest

from accounts.models import User
from audit.models import Entry
from events import refusals, roles
from events.models import Event, Process, Role
from events.rights import KINDS, MEANS, Right, kinds_with
from notifications.models import Letter


@pytest.fixture
def dana(now) -> User:
    return User.objects.create_user("dana@secretariat.example", name="Dana")


@pytest.fixture
def elsewhere(now) -> Event:
    """A meeting of another process."""
    other = Process.objects.create(slug="gfmd", name_en="Global Forum")
    return Event.objects.create(
        process=other,
        slug="forum",
        kind=Event.Kind.FORUM,
        name_en="Forum",
        starts_on=date(2018, 12, 5),
        ends_on=date(2018, 12, 7),
        zone="Africa/Casablanca",
    )


@pytest.fixture
def runs_the_hearing(dana, hearing, now) -> Role:
    """Dana manages the hearing, and nothing else."""
    return roles.grant(dana, on=hearing, by=None, now=now)


def letters() -> list[tuple[str, str]]:
    return [(letter.key.split(":")[0], letter.to) for letter in Letter.objects.order_by("pk")]


def test_every_kind_has_rights_and_words():
    assert set(KINDS) == set(MEANS) == set(Role.Kind.values)


@pytest.mark.parametrize(
    ("right", "kinds"),
    [
        (Right.ARRIVALS, ["manager", "reviewer", "reader", "door"]),
        (Right.LOOK, ["manager", "reviewer", "reader"]),
        (Right.EXPORT, ["manager", "reviewer", "reader"]),
        (Right.CONTACT, ["manager", "reviewer"]),
        (Right.DECIDE, ["manager", "reviewer"]),
        (Right.SENSITIVE, ["manager"]),
        (Right.RUN, ["manager"]),
    ],
)
def test_rights_of_the_kinds(right, kinds):
    assert kinds_with(right) == kinds


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


@pytest.mark.parametrize("kind", Role.Kind.values)
@pytest.mark.parametrize("right", list(Right))
def test_an_event_is_open_as_far_as_the_role_goes(
    dana, hearing, process, elsewhere, now, kind, right
):
    roles.grant(dana, on=process, kind=kind, by=None, now=now)

    opens = right in KINDS[kind]
    assert list(Event.objects.open_to(dana, right)) == ([hearing] if opens else [])
    assert list(Process.objects.open_to(dana, right)) == ([process] if opens else [])


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
    assert letters() == []


# Giving


def test_a_manager_gives_a_role_and_the_person_is_written_to(dana, clara, hearing, now):
    role = roles.give("DANA@secretariat.example", on=hearing, kind="reviewer", by=clara, now=now)

    dana.refresh_from_db()
    assert (role.user, role.event, role.kind, dana.is_staff) == (dana, hearing, "reviewer", True)
    letter = Letter.objects.get()
    assert (letter.to, letter.scope, letter.about) == (dana.email, hearing.id, role.id)
    assert letter.subject == "You are an organiser: Hearing on the Global Compact"
    for words in (
        "You have a role as organiser: Reviewer.",
        str(MEANS["reviewer"]),
        "The role was given to you by Clara Weiss.",
        "You are then asked for a second step",
        "/admin/",
    ):
        assert words in letter.text
    entry = Entry.objects.about(role).get()
    assert (entry.verb, entry.actor, entry.after["role"]) == ("role granted", clara, "reviewer")


def test_an_address_that_is_new_here_gets_an_account(clara, process, now):
    role = roles.give("new@secretariat.example", on=process, kind="reader", by=clara, now=now)

    assert (role.user.email, role.user.is_staff) == ("new@secretariat.example", True)
    assert not role.user.has_usable_password()
    assert letters() == [("role_given", "new@secretariat.example")]
    assert "Process: Global Compact for Migration" in Letter.objects.get().text


def test_a_role_is_given_once(dana, clara, hearing, now):
    roles.give(dana.email, on=hearing, kind="door", by=clara, now=now)

    with pytest.raises(refusals.RoleExists, match="Dana has this role on “Hearing .* Door"):
        roles.give(dana.email, on=hearing, kind="door", by=clara, now=now)
    assert len(letters()) == 1


def test_who_may_not_sign_in_gets_no_role(dana, clara, hearing, now):
    User.objects.filter(pk=dana.pk).update(is_active=False)

    with pytest.raises(refusals.MayNotSignIn):
        roles.give(dana.email, on=hearing, kind="reader", by=clara, now=now)
    assert not dana.roles.exists()


def test_the_manager_of_an_event_gives_nothing_on_its_process_or_elsewhere(
    dana, runs_the_hearing, hearing, process, elsewhere, now
):
    roles.give("eva@secretariat.example", on=hearing, kind="manager", by=dana, now=now)

    for on in (process, elsewhere):
        with pytest.raises(refusals.NotYoursToGive):
            roles.give("eva@secretariat.example", on=on, kind="door", by=dana, now=now)
        with pytest.raises(refusals.NotYoursToGive):
            roles.give(dana.email, on=on, kind="manager", by=dana, now=now)
    assert list(Event.objects.managed_by(dana)) == [hearing]


@pytest.mark.parametrize("kind", ["reviewer", "reader", "door"])
def test_nobody_but_a_manager_gives_changes_or_takes(dana, clara, hearing, process, now, kind):
    own = roles.grant(dana, on=hearing, kind=kind, by=None, now=now)

    with pytest.raises(refusals.NotYoursToGive):
        roles.give("eva@secretariat.example", on=hearing, kind="door", by=dana, now=now)
    with pytest.raises(refusals.NotYoursToGive):
        roles.change(own, kind="manager", by=dana, now=now)
    with pytest.raises(refusals.NotYoursToGive):
        roles.revoke(Role.objects.get(user=clara), by=dana, now=now)
    assert not User.objects.filter(email="eva@secretariat.example").exists()
    assert sorted(Role.objects.values_list("user__email", "kind")) == [
        (clara.email, "manager"),
        (dana.email, kind),
    ]


def test_whoever_was_shut_out_gives_nothing(dana, runs_the_hearing, hearing, now):
    dana.is_active = False

    with pytest.raises(refusals.NotYoursToGive):
        roles.give("eva@secretariat.example", on=hearing, kind="door", by=dana, now=now)


# Changing


def test_a_role_is_changed_and_the_person_is_written_to(dana, clara, hearing, now):
    role = roles.give(dana.email, on=hearing, kind="manager", by=clara, now=now)

    roles.change(role, kind="door", by=clara, now=now + timedelta(seconds=1))

    assert Role.objects.get(pk=role.pk).kind == "door"
    assert list(Event.objects.open_to(dana, Right.LOOK)) == []
    entry = Entry.objects.about(role).get(verb="role changed")
    assert (entry.before["role"], entry.after["role"]) == ("manager", "door")
    told = Letter.objects.order_by("posted_at")
    assert list(told.values_list("state", flat=True)) == ["cancelled", "queued"]
    assert "You have a role as organiser: Door." in told.last().text


def test_a_role_does_not_become_one_that_is_there(dana, clara, hearing, now):
    role = roles.grant(dana, on=hearing, kind="reader", by=None, now=now)
    roles.grant(dana, on=hearing, kind="door", by=None, now=now)

    for kind in ("reader", "door"):
        with pytest.raises(refusals.RoleExists):
            roles.change(role, kind=kind, by=clara, now=now)


# Taking


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

    roles.revoke(role, by=clara, now=now)

    assert not Role.objects.filter(pk=role.pk).exists()
    entry = Entry.objects.get(verb="role revoked")
    assert (entry.subject_id, entry.actor, entry.scope) == (str(role.pk), clara, hearing.id)
    assert entry.before == {"user": str(dana.id), "role": "manager"}


def test_the_person_reads_who_took_the_role(dana, clara, hearing, now):
    role = roles.give(dana.email, on=hearing, kind="reader", by=clara, now=now)

    roles.revoke(role, by=clara, now=now + timedelta(seconds=1))

    assert [
        (letter.key.split(":")[0], letter.state) for letter in Letter.objects.order_by("posted_at")
    ] == [("role_given", "cancelled"), ("role_taken", "queued")]
    taken = Letter.objects.get(key__startswith="role_taken:")
    assert taken.subject == "Your role has ended: Hearing on the Global Compact"
    assert "The role was taken away by Clara Weiss." in taken.text


def test_a_role_that_is_gone_is_neither_changed_nor_taken(dana, clara, hearing, now):
    role = roles.grant(dana, on=hearing, by=clara, now=now)
    roles.revoke(role, by=clara, now=now)

    with pytest.raises(refusals.NotThereAnyMore):
        roles.revoke(role, by=clara, now=now)
    with pytest.raises(refusals.NotThereAnyMore):
        roles.change(role, kind="door", by=clara, now=now)


def test_a_superuser_keeps_the_organisers_side_without_a_role(clara, hearing, now):
    root = User.objects.create_superuser("root@secretariat.example")
    role = roles.grant(root, on=hearing, by=clara, now=now)

    roles.revoke(role, by=clara, now=now)

    root.refresh_from_db()
    assert root.is_staff


def test_the_last_manager_is_told_apart(dana, clara, hearing, process, now):
    on_process = Role.objects.get(user=clara)
    on_event = roles.grant(dana, on=hearing, by=None, now=now)
    roles.grant(dana, on=process, kind="reviewer", by=None, now=now)

    assert not roles.others_who_run(on_process)
    assert roles.others_who_run(on_event)


# At once


def test_two_managers_who_take_each_others_role_do_not_both_lose_it(
    at_once, dana, clara, hearing, process, now
):
    roles.grant(dana, on=process, by=None, now=now)
    hers, his = Role.objects.get(user=clara), Role.objects.get(user=dana)

    done = at_once(
        lambda: roles.revoke(his, by=clara, now=now), lambda: roles.revoke(hers, by=dana, now=now)
    )

    assert [type(one) for one in done if one] == [refusals.NotYoursToGive]
    assert Role.objects.count() == 1
    assert User.objects.filter(is_staff=True).count() == 1


def test_without_the_lock_both_lose_it(at_once, meeting, monkeypatch, dana, clara, process, now):
    roles.grant(dana, on=process, by=None, now=now)
    hers, his = Role.objects.get(user=clara), Role.objects.get(user=dana)
    check = roles._check_gives

    def slow(*args: object) -> None:
        check(*args)
        meeting()

    monkeypatch.setattr(roles, "_hold", lambda on: None)
    monkeypatch.setattr(roles, "_check_gives", slow)

    at_once(
        lambda: roles.revoke(his, by=clara, now=now), lambda: roles.revoke(hers, by=dana, now=now)
    )

    assert Role.objects.count() == 0


def test_the_same_role_given_by_two_at_once_is_one_role_and_one_letter(
    at_once, clara, hearing, process, now
):
    eva = "eva@secretariat.example"
    dana = User.objects.create_user("dana@secretariat.example")
    roles.grant(dana, on=process, by=None, now=now)

    done = at_once(
        lambda: roles.give(eva, on=hearing, kind="door", by=clara, now=now),
        lambda: roles.give(eva, on=hearing, kind="door", by=dana, now=now),
    )

    assert sorted(type(one).__name__ for one in done) == ["Role", "RoleExists"]
    assert Role.objects.filter(user__email=eva).count() == 1
    assert letters() == [("role_given", eva)]


def test_one_new_address_named_for_two_processes_at_once_is_one_account(
    at_once, meeting, monkeypatch, clara, hearing, elsewhere, now
):
    create = User.objects.create_user
    root = User.objects.create_superuser("root@secretariat.example")

    def slow(email: str) -> User:
        meeting()
        return create(email)

    monkeypatch.setattr(User.objects, "create_user", slow)

    at_once(
        lambda: roles.give("eva@x.example", on=hearing, kind="door", by=clara, now=now),
        lambda: roles.give("EVA@x.example", on=elsewhere, kind="door", by=root, now=now),
    )

    (eva,) = User.objects.filter(email__iexact="eva@x.example")
    assert (eva.roles.count(), eva.is_staff) == (2, True)


def test_an_address_with_letters_that_are_the_same_in_small_is_that_persons(clara, hearing, now):
    kim = User.objects.create_user("kim@secretariat.example")
    typed = "\N{KELVIN SIGN}im@secretariat.example"

    assert roles.give(typed, on=hearing, kind="door", by=clara, now=now).user == kim
    assert letters() == [("role_given", kim.email)]


def test_a_role_given_while_the_last_one_is_taken_keeps_the_door_open(
    at_once, meeting, monkeypatch, dana, clara, hearing, elsewhere, runs_the_hearing, now
):
    """Taken on one process, given on another: both look at the person's row in turn."""
    root = User.objects.create_superuser("root@secretariat.example")
    held_person = roles._held_person

    def slow(pk: object) -> User:
        meeting()
        return held_person(pk)

    monkeypatch.setattr(roles, "_held_person", slow)

    at_once(
        lambda: roles.revoke(runs_the_hearing, by=clara, now=now),
        lambda: roles.give(dana.email, on=elsewhere, kind="door", by=root, now=now),
    )

    dana.refresh_from_db()
    assert (dana.roles.get().on, dana.is_staff) == (elsewhere, True)
