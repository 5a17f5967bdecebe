from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError

from accounts import addresses, factors
from accounts.models import User
from audit.models import Entry
from events import recovery, refusals, roles
from events.models import Role
from notifications.models import Letter
from tests.accounts.test_second_factor import app_of, code_for
from tests.conftest import signed_in

NEW = "amina@elsewhere.example"
WHY = "Her mailbox is gone; we have phoned her."


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@secretariat.example", name="Root")


def letters() -> list[tuple[str, str]]:
    found = Letter.objects.order_by("posted_at", "key")
    return sorted((letter.key.split(":")[0], letter.to) for letter in found)


def test_an_account_moves_to_another_mailbox(amina, root, now):
    client = signed_in(amina)

    recovery.move(amina, f" {NEW} ", by=root, now=now, reason=WHY)

    amina.refresh_from_db()
    assert amina.email == NEW
    assert client.get("/en/accounts/me/").status_code == 302
    assert letters() == [("account_moved", NEW), ("address_changed", "amina@diaspora.example")]
    entry = Entry.objects.about(amina).get()
    assert (entry.actor, entry.verb, entry.reason, entry.scope, entry.at) == (
        root,
        "account moved to another address",
        WHY,
        None,
        now,
    )
    assert (entry.before, entry.after) == (
        {"email": "amina@diaspora.example"},
        {"email": NEW},
    )


def test_the_letter_to_the_old_mailbox_does_not_tell_the_new_one(amina, root, now):
    recovery.move(amina, NEW, by=root, now=now, reason=WHY)

    old = Letter.objects.get(to="amina@diaspora.example")
    assert "elsewhere" not in old.text + old.html + old.subject


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("BO@ports.example", refusals.AddressTaken),
        ("AMINA@diaspora.example", refusals.SameAddress),
    ],
)
def test_an_address_of_somebody_else_or_the_same_is_refused(amina, bo, root, now, typed, refusal):
    with pytest.raises(refusal):
        recovery.move(amina, typed, by=root, now=now, reason=WHY)

    amina.refresh_from_db()
    assert amina.email == "amina@diaspora.example"
    assert letters() == []
    assert not Entry.objects.about(amina).exists()


def test_an_address_that_was_only_typed_at_the_door_is_free(client, amina, root, now):
    client.post("/en/accounts/login/", {"email": NEW})

    recovery.move(amina, NEW, by=root, now=now, reason=WHY)

    assert User.objects.filter(email=NEW).get() == amina


def test_an_address_taken_meanwhile_is_refused(amina, root, now, monkeypatch):
    def beaten(user: User, email: str) -> None:
        raise IntegrityError

    monkeypatch.setattr(addresses, "change", beaten)

    with pytest.raises(refusals.AddressTaken):
        recovery.move(amina, NEW, by=root, now=now, reason=WHY)


def test_two_moves_to_one_address_at_once_give_it_to_one(amina, bo, root, now, at_once):
    told = at_once(
        lambda: recovery.move(amina, NEW, by=root, now=now, reason=WHY),
        lambda: recovery.move(bo, NEW, by=root, now=now, reason=WHY),
    )

    assert sorted(type(one).__name__ for one in told) == ["AddressTaken", "NoneType"]
    assert User.objects.filter(email=NEW).count() == 1


def test_a_code_on_its_way_to_the_old_mailbox_opens_nothing_any_more(client, amina, root, now):
    client.post("/en/accounts/login/", {"email": amina.email})
    code = code_for(amina.email)

    recovery.move(amina, NEW, by=root, now=now, reason=WHY)
    answer = client.post("/en/accounts/login/code/confirm/", {"code": code})

    assert (answer.status_code, answer["Location"]) == (302, "/en/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_the_old_address_opens_an_account_of_its_own(client, amina, root, now):
    recovery.move(amina, NEW, by=root, now=now, reason=WHY)
    Letter.objects.all().delete()

    client.post("/en/accounts/login/", {"email": "amina@diaspora.example"})
    client.post("/en/accounts/login/code/confirm/", {"code": code_for("amina@diaspora.example")})

    assert client.session["_auth_user_id"] != str(amina.pk)


def test_lost_factors_are_taken_away_and_all_sessions_end(amina, root, now):
    app_of(amina)
    client = signed_in(amina)

    recovery.forget_factors(amina, by=root, now=now, reason=WHY)

    assert not Authenticator.objects.exists()
    assert client.get("/en/accounts/me/").status_code == 302
    assert letters() == [("factors_forgotten", amina.email)]
    entry = Entry.objects.about(amina).get()
    assert (entry.actor, entry.verb, entry.reason) == (root, "ways to sign in taken away", WHY)
    assert entry.before == {"ways to sign in": ["totp", "recovery_codes"]}


def test_where_there_is_none_that_is_said(amina, root, now):
    with pytest.raises(refusals.NoFactors):
        recovery.forget_factors(amina, by=root, now=now, reason=WHY)

    assert letters() == []


def test_who_may_recover_whom(amina, bo, clara, root, process, now):
    dina = User.objects.create_user("dina@secretariat.example")
    roles.grant(dina, on=process, by=None, now=now, kind=Role.Kind.REVIEWER)
    shut_out = User.objects.create_superuser("gone@secretariat.example", is_active=False)
    everybody = {"amina": amina, "clara": clara, "dina": dina, "root": root}

    allowed = {
        (by, whom)
        for by, user in (everybody | {"bo": bo, "shut out": shut_out}).items()
        for whom, other in everybody.items()
        if recovery.may_recover(user, other)
    }

    assert allowed == {
        ("root", "amina"), ("root", "clara"), ("root", "dina"), ("clara", "amina"),
    }  # fmt: skip


@pytest.mark.parametrize("verb", ["move", "forget_factors"])
def test_verbs_refuse_who_may_not(amina, bo, clara, now, verb):
    app_of(clara)
    acts = {
        "move": lambda: recovery.move(clara, NEW, by=amina, now=now, reason=WHY),
        "forget_factors": lambda: recovery.forget_factors(clara, by=amina, now=now, reason=WHY),
    }

    with pytest.raises(refusals.NotYoursToRecover):
        acts[verb]()

    clara.refresh_from_db()
    assert clara.email == "clara@secretariat.example"
    assert factors.has_one(clara)


def test_somebody_who_became_an_organiser_meanwhile_is_not_moved_by_a_manager(
    amina, clara, process, now
):
    before = User.objects.get(pk=amina.pk)
    roles.grant(amina, on=process, by=None, now=now)

    with pytest.raises(refusals.NotYoursToRecover):
        recovery.move(before, NEW, by=clara, now=now, reason=WHY)


def test_changing_ones_own_keeps_the_session_and_tells_the_old_mailbox(amina, now):
    client = signed_in(amina)

    recovery.change(amina, NEW, by=amina, now=now)

    assert client.get("/en/accounts/me/").status_code == 200
    assert letters() == [("address_changed", "amina@diaspora.example")]
    entry = Entry.objects.about(amina).get()
    assert (entry.actor, entry.verb) == (amina, "address changed")


# The pages of superusers


def test_a_superuser_moves_an_account(amina, root, now):
    client = signed_in(root)
    page = client.get(f"/admin/accounts/user/{amina.pk}/change/").content.decode()
    assert f"/admin/accounts/user/{amina.pk}/move/" in page

    answer = client.post(
        f"/admin/accounts/user/{amina.pk}/move/",
        {"email": NEW, "reason": WHY, "confirm": "yes"},
        follow=True,
    )

    assert answer.redirect_chain == [(f"/admin/accounts/user/{amina.pk}/change/", 302)]
    amina.refresh_from_db()
    assert amina.email == NEW


def test_a_superuser_takes_lost_factors_away(amina, root):
    app_of(amina)

    signed_in(root).post(
        f"/admin/accounts/user/{amina.pk}/forget_factors/", {"reason": WHY, "confirm": "yes"}
    )

    assert not factors.has_one(amina)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "bo@ports.example"}, "email"),
        ({"email": "no address"}, "email"),
        ({"email": "a" * 300 + "@b.example"}, "email"),
        ({"email": "a\x00@b.example"}, "email"),
        ({"reason": ""}, "reason"),
        ({"reason": "x\x00"}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(amina, bo, root, typed, field):
    answer = signed_in(root).post(
        f"/admin/accounts/user/{amina.pk}/move/",
        {"email": NEW, "reason": WHY, "confirm": "yes"} | typed,
    )

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]


@pytest.mark.parametrize("page", ["move", "forget_factors"])
def test_for_other_organisers_these_pages_do_not_exist(clara, amina, page):
    client = signed_in(clara)

    for ask in (client.get, client.post):
        assert ask(f"/admin/accounts/user/{amina.pk}/{page}/").status_code == 404


def test_no_superuser_recovers_their_own_account(root):
    page = signed_in(root).get(f"/admin/accounts/user/{root.pk}/change/").content.decode()

    assert "/move/" not in page


def test_the_history_tells_it(amina, root, now):
    recovery.move(amina, NEW, by=root, now=now - timedelta(minutes=1), reason=WHY)
    page = signed_in(root).get(f"/admin/accounts/user/{amina.pk}/history/").content.decode()

    assert "Account moved to another address" in page
    assert WHY in page


def test_ending_sessions_reaches_those_that_no_list_knows(amina):
    clients = [signed_in(amina) for _time in range(2)]

    factors.end_sessions(amina)

    assert [c.get("/en/accounts/me/").status_code for c in clients] == [302, 302]
