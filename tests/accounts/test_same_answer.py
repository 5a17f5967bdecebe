"""Nobody learns at the door who has an account: by the words, by the cookies, or by the clock."""

import random
import re
from statistics import median
from time import perf_counter

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Letter

DOOR, CONFIRM = "/en/accounts/login/", "/en/accounts/login/code/confirm/"
TRIES = 50


@pytest.fixture(autouse=True)
def every_knock_is_let_in(settings):
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.fixture
def kinds(transactional_db):
    """Fifty addresses of each kind."""
    for number in range(TRIES):
        User.objects.create_user(f"known{number}@one.example")
        User.objects.create_user(f"shut{number}@two.example", is_active=False)
    return {
        "known": [f"known{number}@one.example" for number in range(TRIES)],
        "unknown": [f"never{number}@one.example" for number in range(TRIES)],
        "shut out": [f"shut{number}@two.example" for number in range(TRIES)],
    }


def knock(email: str) -> tuple[float, float]:
    """How long the door took, and how long a wrong code took."""
    client = Client()
    begun = perf_counter()
    assert client.post(DOOR, {"email": email}).status_code == 302
    knocked = perf_counter()
    assert client.post(CONFIRM, {"code": "WRONG1"}).status_code == 200
    return knocked - begun, perf_counter() - knocked


def test_it_takes_as_long_for_every_address(kinds):
    """In one process, each kind now first, now last."""
    shuffled = random.Random(1)
    knock("warm@up.example")
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for number in range(TRIES):
        for kind in shuffled.sample(list(kinds), len(kinds)):
            times[kind].append(knock(kinds[kind][number]))

    for part in (0, 1):
        medians = {kind: median(pair[part] for pair in pairs) for kind, pairs in times.items()}
        assert max(medians.values()) < 1.5 * min(medians.values()), medians


def test_it_says_the_same_to_every_address(kinds):
    told = set()
    for emails in kinds.values():
        client = Client()
        page = client.post(DOOR, {"email": emails[0]}, follow=True)
        wrong = client.post(CONFIRM, {"code": "WRONG1"})
        words = re.sub(
            r'(csrfmiddlewaretoken" value|data-now)="[^"]+"',
            "",
            page.content.decode() + wrong.content.decode(),
        )
        cookies = tuple(sorted(client.cookies))
        told.add((words.replace(emails[0], "EMAIL"), tuple(page.redirect_chain), cookies))

    assert len(told) == 1
    assert {letter.to for letter in Letter.objects.all()} == {
        "known0@one.example",
        "never0@one.example",
    }
