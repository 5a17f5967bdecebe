"""Letters that somebody has sent to others, by typing their addresses to follow with."""

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
from django.test import Client, RequestFactory

import clock
from accounts import throttles
from accounts.models import Try
from accounts.throttles import What
from events import schedule
from events.models import Event, Follower
from notifications.models import Letter
from tests.conftest import an_event

FOLLOW = "/en/events/hearing/follow/"
TO_ONE = "We have sent ten such letters to this address within an hour."
BY_ONE = "You have asked for ten such letters within an hour."
FROM_ONE = "Thirty such letters were asked for from your network within an hour."
ASKS = Path(__file__).parent / "asks.py"

pytestmark = pytest.mark.django_db


def ask(email: str, *, client: Client | None = None, address: str = FOLLOW, **headers):
    return (client or Client()).post(address, {"email": email}, **headers)


def refused(page) -> str:
    """The sentence beside the field, or that the letter is on its way."""
    errors = page.context["form"].errors
    assert page.context["asked"] is (not errors)
    return errors["email"][0] if errors else ""


def use_up(what: What, whose: str, now) -> None:
    for _time in range(throttles.LIMITS[what].most):
        assert throttles.begin(what, whose, now=now)


def test_thirty_are_sent_from_one_network_in_an_hour_and_no_more(hearing):
    pages = [ask(f"a{number}@readers.example") for number in range(30)]
    assert {refused(page) for page in pages} == {""}

    page = ask("late@readers.example")

    assert refused(page).startswith(FROM_ONE)
    assert 'value="late@readers.example"' in page.content.decode()
    assert 'id="id_email_error"' in page.content.decode()
    assert (Letter.objects.count(), Follower.objects.count()) == (30, 30)

    Try.objects.update(at=clock.now() - timedelta(hours=1))
    assert refused(ask("late@readers.example")) == ""


def test_whoever_is_signed_in_has_ten_of_their_own(hearing, amina, bo, now):
    use_up(What.FOLLOW_FROM, "127.0.0.1", now)
    client = Client()
    client.force_login(amina)
    pages = [ask(f"a{number}@readers.example", client=client) for number in range(11)]
    other = Client()
    other.force_login(bo)

    assert [refused(page)[:30] for page in pages] == [""] * 10 + [BY_ONE[:30]]
    assert refused(ask("late@readers.example", client=other)) == ""


def test_ten_are_sent_to_one_address_whoever_asks_and_for_whatever(hearing, process, now):
    for number in range(11):
        event = an_event(process, f"e{number}", hearing)
        schedule.publish(event, by=None, now=now)
    pages = [
        ask(
            "DANA@readers.example" if number % 2 else "dana@readers.example",
            address=f"/en/events/e{number}/follow/",
            REMOTE_ADDR=f"203.0.113.{number}",
        )
        for number in range(11)
    ]

    assert [refused(page)[:30] for page in pages] == [""] * 10 + [TO_ONE[:30]]
    assert Letter.objects.count() == 10


def test_what_is_refused_uses_up_nothing(hearing, now):
    use_up(What.FOLLOW_FROM, "127.0.0.1", now)
    counted = Try.objects.count()

    assert refused(ask("dana@readers.example")).startswith(FROM_ONE)
    use_up(What.FOLLOW_TO, "eva@readers.example", now)
    assert refused(ask("eva@readers.example", REMOTE_ADDR="203.0.113.7")).startswith(TO_ONE)

    assert Try.objects.count() == counted + 10


def test_what_cannot_be_followed_uses_up_nothing(hearing):
    Event.objects.filter(pk=hearing.pk).update(state="cancelled")

    page = ask("dana@readers.example")

    assert "There is nothing more to hear of." in page.content.decode()
    assert not Try.objects.exists()


def test_of_many_at_once_as_many_are_sent_as_may_be(at_once, hearing, now):
    for _time in range(22):
        throttles.begin(What.FOLLOW_FROM, "127.0.0.1", now=now)

    pages = at_once(*[lambda n=n: ask(f"a{n}@readers.example") for n in range(12)])

    assert sorted(FROM_ONE in page.content.decode() for page in pages) == [False] * 8 + [True] * 4
    assert Letter.objects.count() == 8


def test_many_processes_count_together_without_a_broker(transactional_db, hearing, now):
    """Nobody listens at their REDIS_URL."""
    for _time in range(24):
        throttles.begin(What.FOLLOW_FROM, "127.0.0.1", now=now)
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
            [sys.executable, str(ASKS), name, "3"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abc"
    ]

    answers = [one for each in running for one in json.loads(each.communicate(timeout=120)[0])]

    assert sorted(answers) == [False] * 3 + [True] * 6


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "network"),
    [
        (0, "198.51.100.1", "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "10.0.0.1", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.2", "10.0.0.1", "203.0.113.7"),
        (0, "", "::ffff:203.0.113.7", "203.0.113.7"),
        (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (0, "", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (1, "unknown", "10.0.0.1", "unknown"),
    ],
)
def test_a_sender_is_known_by_what_trusted_proxies_say(
    settings, proxies, forwarded, remote, network
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)

    assert throttles.network(request) == network


def test_behind_a_proxy_one_reader_does_not_use_up_the_letters_of_another(hearing, now, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    use_up(What.FOLLOW_FROM, "203.0.113.7", now)

    def asked(forwarded: str) -> str:
        return refused(ask("dana@readers.example", headers={"x-forwarded-for": forwarded}))

    assert asked("203.0.113.7").startswith(FROM_ONE)
    assert asked("198.51.100.1, 203.0.113.7").startswith(FROM_ONE)
    assert asked("203.0.113.8") == ""
