"""What everybody sees alike is kept for a second, and never over a turn of a window."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

import clock
from events.models import Deadline, Event
from pages import cache

pytestmark = pytest.mark.django_db
EVERYBODYS = ["/en/", "/en/events/", "/ar/events/hearing/", "/en/processes/gcm/"]


class Watch:
    """The clock of the database and that of the machine, going together, by hand."""

    def __init__(self, now: datetime) -> None:
        self.now, self.seconds = now, 1000.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def watch(monkeypatch, settings, now) -> Watch:
    watch = Watch(now)
    settings.PAGES_KEPT_FOR = 1.0
    monkeypatch.setattr(clock, "now", lambda: watch.now)
    monkeypatch.setattr(cache.time, "monotonic", lambda: watch.seconds)
    return watch


@pytest.fixture
def browser(watch, deadline) -> Client:
    return Client()


@pytest.fixture
def page(browser, hearing) -> Callable[[], str]:
    return lambda: browser.get(hearing.get_absolute_url()).content.decode()


@pytest.mark.parametrize("address", EVERYBODYS)
def test_a_page_is_made_once_in_a_second(browser, watch, address, django_assert_num_queries):
    first = browser.get(address)
    assert first.status_code == 200
    watch.pass_by(0.9)

    with django_assert_num_queries(0):
        again = browser.get(address)

    assert (again.content, dict(again.items())) == (first.content, dict(first.items()))


@pytest.mark.parametrize("first", ["gzip, deflate, br", ""])
def test_it_is_kept_as_it_travels_and_each_gets_it_as_they_take_it(browser, page, hearing, first):
    address, whole = hearing.get_absolute_url(), page()
    for taken in (first, "gzip", "", "gzip"):
        answer = browser.get(address, headers={"accept-encoding": taken})
        is_gzip = answer.headers.get("Content-Encoding") == "gzip"
        assert is_gzip is ("gzip" in taken)
        said = gzip.decompress(answer.content) if is_gzip else answer.content
        assert said.decode() == whole
        assert "Accept-Encoding" in answer["Vary"]


@pytest.mark.parametrize("address", EVERYBODYS)
def test_nobody_gets_a_cookie_with_it(browser, address):
    assert not browser.get(address).cookies
    assert not browser.get(address).cookies


def test_what_changes_is_seen_after_a_second(page, hearing, watch):
    page()
    Event.objects.update(name_en="Another hearing")
    watch.pass_by(0.9)
    assert "Another hearing" not in page()

    watch.pass_by(0.2)
    assert "Another hearing" in page()


def is_said_to_be_open(page: str) -> bool:
    assert ("Registration open" in page) is not ("Registration closed" in page)
    return "Registration open" in page


def test_at_the_closing_second_no_page_says_open(page, deadline, watch):
    """However short before it was made."""
    to_the_close = (deadline.closes_at - watch.now).total_seconds()
    watch.pass_by(to_the_close - 0.3)
    assert is_said_to_be_open(page())
    watch.pass_by(0.29)
    assert is_said_to_be_open(page())
    watch.pass_by(0.01)

    assert watch.now == deadline.closes_at
    assert not is_said_to_be_open(page())


def test_if_it_did_not_look_at_the_deadlines_it_would(page, deadline, watch, monkeypatch):
    mark = cache.for_everybody
    monkeypatch.setattr(cache, "for_everybody", lambda response, now, _: mark(response, now, []))
    watch.pass_by((deadline.closes_at - watch.now).total_seconds() - 0.3)
    page()
    watch.pass_by(0.3)

    assert is_said_to_be_open(page())


def test_it_opens_to_the_second(page, deadline, watch):
    Deadline.objects.update(opens_at=watch.now + timedelta(seconds=0.5))
    assert "Registration not open yet" in page()
    watch.pass_by(0.5)

    assert is_said_to_be_open(page())


def test_who_is_known_gets_a_page_of_their_own(browser, page, amina, hearing):
    page()
    browser.force_login(amina)

    assert "My account" in page()
    browser.logout()
    assert "My account" not in page()


@pytest.mark.parametrize("address", ["/en/events/?page=2", "/en/accounts/login/", "/healthz"])
def test_other_pages_are_made_anew(browser, address):
    browser.get(address)
    (handler,) = [browser.handler._middleware_chain]

    assert handler.kept == {}


def test_another_host_gets_another_page(browser, page, hearing, watch, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    page()

    assert (
        browser.get(hearing.get_absolute_url(), headers={"host": "evil.example"}).status_code == 400
    )
    other = browser.get(hearing.get_absolute_url(), headers={"host": "other.example"})
    assert "testserver" not in other.content.decode()


def test_no_more_are_kept_than_there_is_room_for(watch, monkeypatch):
    monkeypatch.setattr(cache, "MOST", 2)

    def answer(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("page")
        cache.for_everybody(response, watch.now, [])
        return response

    pages = cache.KeptPages(answer)
    kept = []
    for number in range(5):
        pages(RequestFactory().get(f"/en/{number}/"))
        kept.append(len(pages.kept))

    assert kept == [1, 2, 1, 2, 1]
