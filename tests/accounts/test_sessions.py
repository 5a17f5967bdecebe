"""Where somebody is signed in, as they see it, and how they end it."""

import re

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.accounts.test_second_factor import code_for

SESSIONS, ME = "/en/accounts/sessions/", "/en/accounts/me/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 "
    "Mobile Safari/537.36"
)


def browser(user, agent: str = FIREFOX) -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/en/accounts/login/", {"email": user.email})
    client.post("/en/accounts/login/code/confirm/", {"code": code_for(user.email)})
    assert "_auth_user_id" in client.session
    return client


def shown(page) -> list[tuple[str, bool]]:
    return [(row["where"], row["is_current"]) for row in page.context["rows"]]


@pytest.fixture
def here(amina) -> Client:
    return browser(amina)


@pytest.fixture
def there(amina, here) -> Client:
    return browser(amina, PHONE)


def test_each_is_shown_in_plain_words_and_the_current_one_marked(here, there, bo):
    browser(bo)

    page = here.get(SESSIONS)

    assert shown(page) == [("Firefox on Linux", True), ("Chrome on Android", False)]
    assert page.content.decode().count("This is where you are now") == 1
    assert shown(there.get(SESSIONS)) == [("Chrome on Android", True), ("Firefox on Linux", False)]


def test_one_is_ended_and_the_others_stay(here, there, amina):
    other = browser(amina, "curl/8")
    row = next(row for row in here.get(SESSIONS).context["rows"] if "Android" in row["where"])

    here.post(SESSIONS, {"end": row["pk"]})

    assert there.get(ME).status_code == 302
    assert [here.get(ME).status_code, other.get(ME).status_code] == [200, 200]
    assert shown(here.get(SESSIONS)) == [
        ("Firefox on Linux", True),
        ("A browser that does not say its name", False),
    ]


def test_all_others_are_ended_and_this_one_stays(here, there, amina):
    unlisted = Client()
    unlisted.force_login(amina)

    here.post(SESSIONS, {"others": "yes"})

    assert [there.get(ME).status_code, unlisted.get(ME).status_code] == [302, 302]
    assert here.get(ME).status_code == 200
    assert shown(here.get(SESSIONS)) == [("Firefox on Linux", True)]


def test_nobody_ends_a_session_of_somebody_else(here, bo):
    bo_in = browser(bo)
    pk = UserSession.objects.get(user=bo).pk

    here.post(SESSIONS, {"end": pk})

    assert bo_in.get(ME).status_code == 200


@pytest.mark.parametrize("typed", ["", "x", "-1", "9" * 40, "١", "\x00", "1e3"])
def test_what_is_no_session_ends_nothing(here, typed):
    assert here.post(SESSIONS, {"end": typed}).status_code == 302
    assert here.get(ME).status_code == 200


def test_an_ended_session_is_not_listed(here, there):
    there.post("/en/accounts/logout/")

    assert shown(here.get(SESSIONS)) == [("Firefox on Linux", True)]


def test_a_browser_says_its_name_as_it_likes(amina):
    client = browser(amina, "<script>alert(1)</script> Firefox/1")

    page = client.get(SESSIONS).content.decode()

    assert "<script>alert" not in page
    assert re.search("<bdi>Firefox</bdi>", page)


def test_the_list_costs_the_same_for_one_and_for_many(here, amina, django_assert_num_queries):
    for _time in range(5):
        Client().force_login(amina)
    with django_assert_num_queries(4):
        here.get(SESSIONS)
    browser(amina)
    browser(amina)
    with django_assert_num_queries(4):
        here.get(SESSIONS)


def test_strangers_are_sent_to_the_door(client, now):
    assert client.get(SESSIONS)["Location"] == f"/en/accounts/login/?next={SESSIONS}"
