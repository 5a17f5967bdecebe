"""Codes that are guessed: ten wrong ones in five minutes, wherever they are typed."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as portal_settings
from django.db import connection
from django.test import Client

import clock
from accounts import throttles
from accounts.models import Try
from accounts.throttles import What
from tests.accounts.test_second_factor import AGAIN, app_of, code_for, code_of
from tests.conftest import let_in

CONFIRM = "/en/accounts/login/code/confirm/"
DOOR = "/en/accounts/login/"
TOO_MANY = "Ten wrong codes were typed here in five minutes."
GUESSES = Path(__file__).parent / "guesses.py"


@pytest.fixture(autouse=True)
def only_our_own(settings):
    """What allauth counts stays; here it is out of the way, to see what holds without it."""
    settings.ACCOUNT_RATE_LIMITS = False


def knock(email: str) -> Client:
    client = Client()
    client.post(DOOR, {"email": email})
    return client


def guess(email: str, times: int) -> None:
    """Each guess in a browser of its own."""
    for _time in range(times):
        assert knock(email).post(CONFIRM, {"code": "WRONG1"}).status_code == 200


def said(page) -> str:
    return page.context["verify_form"].errors["code"][0]


def test_the_tenth_wrong_code_leaves_the_door_open_for_the_right_one(amina):
    guess(amina.email, 9)

    client = knock(amina.email)
    client.post(CONFIRM, {"code": code_for(amina.email)})

    assert "_auth_user_id" in client.session


def test_after_ten_wrong_codes_the_right_one_is_refused_with_a_sentence(amina):
    guess(amina.email, 10)
    client = knock(amina.email)
    code = code_for(amina.email)

    for _time in range(7):
        page = client.post(CONFIRM, {"code": code})
        assert said(page).startswith(TOO_MANY)
    assert "_auth_user_id" not in client.session

    Try.objects.update(at=clock.now() - timedelta(minutes=5))
    client.post(CONFIRM, {"code": code})
    assert "_auth_user_id" in client.session


def test_however_the_address_is_written(amina):
    for number in range(10):
        written = amina.email.upper() if number % 2 else amina.email
        knock(written).post(CONFIRM, {"code": "WRONG1"})

    assert said(knock(amina.email).post(CONFIRM, {"code": "WRONG1"})).startswith(TOO_MANY)


def test_an_unknown_address_is_counted_alike(now):
    guess("nobody@nowhere.example", 10)

    page = knock("nobody@nowhere.example").post(CONFIRM, {"code": "WRONG1"})

    assert said(page).startswith(TOO_MANY)


def test_one_address_does_not_shut_another(amina, bo):
    guess(amina.email, 10)

    client = knock(bo.email)
    client.post(CONFIRM, {"code": code_for(bo.email)})

    assert "_auth_user_id" in client.session


def test_codes_of_an_app_are_counted_for_their_person(clara):
    secret = app_of(clara)
    for _time in range(10):
        client = Client()
        client.force_login(clara)
        client.post(AGAIN, {"code": "000000"})

    client = Client()
    client.force_login(clara)
    page = client.post(AGAIN, {"code": code_of(secret)})

    assert page.context["form"].errors["code"][0].startswith(TOO_MANY)
    assert client.get("/admin/").status_code == 302


def test_recovery_codes_are_counted_with_them(clara):
    from allauth.mfa.models import Authenticator

    app_of(clara)
    for number in range(10):
        knocking = knock(clara.email)
        knocking.post(CONFIRM, {"code": code_for(clara.email)})
        knocking.post("/en/accounts/factors/authenticate/", {"code": f"{number:08}"})
    rescue = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]

    client = knock(clara.email)
    client.post(CONFIRM, {"code": code_for(clara.email)})
    page = client.post("/en/accounts/factors/authenticate/", {"code": rescue})

    assert page.context["form"].errors["code"][0].startswith(TOO_MANY)
    assert "_auth_user_id" not in client.session


def test_addresses_are_not_kept_in_clear(amina, now):
    throttles.begin(What.CODE, amina.email, now=now)

    assert "amina" not in Try.objects.get().key
    assert len(Try.objects.get().key) == 64


def test_a_right_code_is_forgiven(amina, now):
    this = throttles.begin(What.CODE, amina.email, now=now)

    throttles.forgive(this)

    assert not Try.objects.exists()


def test_of_many_at_once_ten_are_let_through(now, at_once):
    tries = at_once(*[lambda: throttles.begin(What.CODE, "a@b.example", now=now)] * 16)

    assert sum(one is not None for one in tries) == 10


def test_the_eleventh_is_refused_over_four_processes_and_without_a_broker(
    transactional_db, amina, process, clara
):
    """Nobody listens at their REDIS_URL."""
    parts = urlsplit(portal_settings.DATABASE_URL)
    url = urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DJANGO_SETTINGS_MODULE": "gcm_portal.settings",
        "PYTHONPATH": str(portal_settings.BASE_DIR),
        "SECRET_KEY": portal_settings.SECRET_KEY,
        "BASE_URL": portal_settings.BASE_URL,
    }
    running = [
        subprocess.Popen(
            [sys.executable, str(GUESSES), amina.email, "3"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _process in range(4)
    ]

    answers = [one for each in running for one in json.loads(each.communicate(timeout=120)[0])]

    assert sorted(answer.startswith(TOO_MANY) for answer in answers) == [False] * 10 + [True] * 2
    client = knock(amina.email)
    page = client.post(CONFIRM, {"code": code_for(amina.email)})
    assert said(page).startswith(TOO_MANY)


def test_allauth_counts_too(amina, settings):
    """Knocks at the door, which send letters."""
    del settings.ACCOUNT_RATE_LIMITS

    pages = [Client().post(DOOR, {"email": amina.email}) for _time in range(4)]

    assert [page.status_code for page in pages] == [302, 302, 302, 200]


def test_nobody_sends_codes_to_one_address_after_another(client, amina):
    let_in(client, amina)
    for number in range(10):
        page = client.post("/en/accounts/address/", {"email": f"a{number}@b.example"})
        assert page.status_code == 302

    page = client.post("/en/accounts/address/", {"email": "a11@b.example"})

    assert page.context["form"].errors["email"][0].startswith("Ten codes were asked for")
