"""Changing the address that one signs in with."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Entry
from notifications.models import Kind, Letter
from tests.accounts.test_second_factor import app_of, code_for, code_of

ASK, CODE = "/en/accounts/address/", "/en/accounts/address/code/"
NEW = "amina@elsewhere.example"


@pytest.fixture
def amina_in(amina) -> Client:
    client = Client()
    client.force_login(amina)
    return client


def test_nothing_changes_before_the_code_is_typed(amina_in, amina):
    answer = amina_in.post(ASK, {"email": NEW})

    assert answer["Location"] == CODE
    amina.refresh_from_db()
    assert amina.email == "amina@diaspora.example"
    letter = Letter.objects.get()
    assert (letter.to, letter.kind) == (NEW, Kind.SECRET)


def test_the_code_changes_it_and_the_old_mailbox_is_told(amina_in, amina):
    amina_in.post(ASK, {"email": NEW})

    answer = amina_in.post(CODE, {"code": code_for(NEW).lower()})

    assert answer["Location"] == "/en/accounts/me/"
    amina.refresh_from_db()
    assert amina.email == NEW
    assert [letter.to for letter in Letter.objects.order_by("posted_at")] == [
        NEW,
        "amina@diaspora.example",
    ]
    assert Entry.objects.about(amina).get().verb == "address changed"
    assert amina_in.get(CODE)["Location"] == ASK


def test_an_address_of_somebody_else_gets_the_same_answer(amina_in, bo):
    pages = []
    for email in (NEW, "BO@ports.example"):
        page = amina_in.post(ASK, {"email": email}, follow=True)
        words = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page.content.decode())
        words = re.sub(r'data-now="[^"]+"', "", words)
        pages.append((page.redirect_chain, words.replace(email, "EMAIL")))

    assert pages[0] == pages[1]
    taken = Letter.objects.get(to="BO@ports.example")
    assert not re.search(r"^ +[A-Z0-9]{6}$", taken.text, re.MULTILINE)
    assert "has an account of its own already" in taken.text


@pytest.mark.parametrize("typed", ["", "ABCDEF", "\x00", "x" * 100])
def test_no_code_opens_an_address_of_somebody_else(amina_in, bo, amina, typed):
    amina_in.post(ASK, {"email": bo.email})

    page = amina_in.post(CODE, {"code": typed})

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["code"]
    amina.refresh_from_db()
    assert amina.email == "amina@diaspora.example"


def test_an_address_taken_meanwhile_is_refused_with_a_sentence(amina_in, amina):
    amina_in.post(ASK, {"email": NEW})
    User.objects.create_superuser(NEW)

    page = amina_in.post(CODE, {"code": code_for(NEW)})

    assert page.context["form"].non_field_errors() == [
        f"{NEW} has an account of its own. Two people cannot sign in with one address."
    ]


def test_after_half_an_hour_the_code_is_no_code(amina_in, amina, now):
    amina_in.post(ASK, {"email": NEW})
    session = amina_in.session
    session["another_address"] = session["another_address"] | {
        "until": (now - timedelta(seconds=1)).isoformat()
    }
    session.save()

    assert amina_in.post(CODE, {"code": code_for(NEW)})["Location"] == ASK


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "amina@",
        "AMINA@diaspora.example",
        "a" * 300 + "@b.example",
        "a\x00@b.example",
        "a\n@b.c",
    ],
)
def test_what_is_no_other_address_is_refused_beside_the_field(amina_in, typed):
    page = amina_in.post(ASK, {"email": typed})

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["email"]
    assert not Letter.objects.exists()


def test_who_has_an_app_shows_it_first(amina_in, amina):
    secret = app_of(amina)

    asked = amina_in.post(ASK, {"email": NEW})
    assert asked["Location"].startswith("/en/accounts/factors/reauthenticate/")
    assert not Letter.objects.exists()
    answer = amina_in.post(asked["Location"], {"code": code_of(secret), "next": ASK})

    assert answer["Location"] == CODE


def test_strangers_are_sent_to_the_door(client, now):
    for address in (ASK, CODE):
        assert client.get(address)["Location"] == f"/en/accounts/login/?next={address}"
