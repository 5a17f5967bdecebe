"""What a page weighs on the line with all that it needs, and how many requests that is.

Pages are asked for as browsers do, and weighed as they come. Files are compressed as the portal
serves them in production; `pytest -s` shows the table.
"""

import gzip
from collections.abc import Iterable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from whitenoise.compress import Compressor

from bench.counts import FILES, FILES_OF_STYLE
from events.models import Process
from registrations.management.commands import load_demo
from tests import test_who_may

LIGHT, WITH_FORM = 20 * 1024, 22 * 1024
MOST_REQUESTS = {"mfa_add_webauthn": 8}
"""Four, but where somebody sets up a key: its scripts are three, and a fourth sets them going."""
WITH_TOKEN = {
    "account_login",
    "events:follow",
    "events:follow_confirm",
    "events:follow_process",
    "events:follow_stop",
    "registrations:confirm",
    "registrations:invitation",
}
"""Pages that are open to everybody and hold a form that changes something: its token needs one."""

cast = test_who_may.cast


class Weight(NamedTuple):
    size: int
    page: int
    requests: int
    name: str
    has_form: bool

    @property
    def is_light(self) -> bool:
        most = WITH_FORM if self.has_form else LIGHT
        return self.size <= most and self.requests <= MOST_REQUESTS.get(self.name, 4)

    def __str__(self) -> str:
        size, page = self.size / 1024, self.page / 1024
        return f"{size:5.1f} KB, page {page:4.1f} KB, {self.requests} requests  {self.name}"


def ask(client: Client, address: str) -> HttpResponse:
    return client.get(address, headers={"accept-encoding": "gzip, deflate, br, zstd"})


def is_page(answer: HttpResponse) -> bool:
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html")


def weight(answer: HttpResponse, name: str) -> Weight:
    page, html = len(answer.content), gzip.decompress(answer.content).decode()
    files = needed(html)
    has_form = 'method="post"' in html
    size = page + sum(map(size_of, files))
    return Weight(size, page, 1 + len(files), name, has_form)


def needed(html: str) -> set[str]:
    files = {each for each in FILES.findall(html) if not each.startswith("data:")}
    for style in [each for each in files if each.endswith(".css")]:
        files |= set(FILES_OF_STYLE.findall(file_of(style).decode()))
    return files


def file_of(address: str) -> bytes:
    found = finders.find(address.removeprefix("/static/"))
    assert found, address
    return Path(found).read_bytes()


@cache
def size_of(address: str) -> int:
    whole = file_of(address)
    return min(len(whole), len(Compressor.compress_gzip(whole)))


def table(weights: Iterable[Weight]) -> str:
    return "\n".join(map(str, sorted(weights, reverse=True)))


def too_heavy(weights: Iterable[Weight]) -> list[str]:
    return [str(each) for each in weights if not each.is_light]


def open_to(who: str) -> list[str]:
    """The addresses that this person may open, but for the organisers' side."""
    at = list(test_who_may.PEOPLE).index(who)
    rows = test_who_may.rows(test_who_may.TABLE).items()
    return [
        name
        for name, letters in rows
        if letters.replace(" ", "")[at] == "." and not name.startswith("admin")
    ]


def weigh(cast, who: str) -> list[Weight]:
    client = cast.people[who]
    addresses = {name: test_who_may.url_of(name, cast) for name in open_to(who)}
    answers = {name: ask(client, url) for name, url in addresses.items()}
    return [weight(answer, name) for name, answer in answers.items() if is_page(answer)]


@pytest.mark.parametrize("who", ["anonymous", "own"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_is_light(cast, who, language, monkeypatch):
    """Each that this person may open, by the table of all addresses."""
    in_english = test_who_may.url_of
    monkeypatch.setattr(
        test_who_may,
        "url_of",
        lambda name, cast: in_english(name, cast).replace("/en/", f"/{language}/", 1),
    )
    weights = weigh(cast, who)
    print(f"\n{who}, {language}\n{table(weights)}")

    assert {"pages:home", "pages:event", "events:follow"} < {each.name for each in weights}
    assert too_heavy(weights) == []


def test_who_only_reads_gets_no_cookie(cast):
    answers = {name: Client().get(test_who_may.url_of(name, cast)) for name in open_to("anonymous")}

    with_one = {name: list(answer.cookies) for name, answer in answers.items() if answer.cookies}
    assert with_one == dict.fromkeys(sorted(WITH_TOKEN), ["csrftoken"])


@pytest.mark.django_db
def test_pages_of_a_full_calendar_are_light_too(settings):
    settings.DEMO = True
    call_command("load_demo", stdout=StringIO())
    settings.DEMO = False
    paths = ["", "events/", "calendar/2018-02/"]
    paths += [f"processes/{each.slug}/" for each in Process.objects.all()]
    paths += [f"events/{slug}/" for slug in (load_demo.HEARING, load_demo.FIRST_COME)]
    addresses = [f"/{language}/{path}" for path in paths for language in ("en", "ar", "ru")]
    weights = [weight(ask(Client(), address), address) for address in addresses]
    print(f"\na full calendar\n{table(weights)}")

    assert too_heavy(weights) == []
