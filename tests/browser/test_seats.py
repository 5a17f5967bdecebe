"""First come, first served: a free seat goes to the first who waits, who confirms by a link."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Sink, text_of
from tests.browser.test_thin_line import sign_in

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

FULL = "/en/events/live-gfmd-civil-society-days-applications-2018/"
INES, TOMAS, ROSA = "ines@atlas.example", "tomas@valley.example", "rosa@valley.example"
KIM = "kim@news.example"


def link_in(text: str, place: str) -> str:
    return re.search(rf"/en/{place}/\S+", text).group()


def own_registration(page: Page, address: str, sink: Sink) -> None:
    page.goto("/en/registrations/")
    sign_in(page, address, sink)
    page.get_by_role("link", name=re.compile("Civil Society Days")).click()


def test_the_first_who_waits_gets_the_seat_that_comes_free(visitor: Visitor, sink: Sink) -> None:
    waiting = visitor().new_page()
    own_registration(waiting, TOMAS, sink)
    people = waiting.get_by_role("region", name=re.compile("People"))
    expect(people.get_by_text("Number 1 on the waiting list")).to_be_visible()
    expect(people.get_by_text("Number 2 on the waiting list")).to_be_visible()

    seen = len(sink.to(TOMAS))
    seated = visitor().new_page()
    own_registration(seated, INES, sink)
    seated.get_by_role("listitem").filter(has_text="Youssef El Idrissi").get_by_role(
        "link", name="Details"
    ).click()
    seated.get_by_role("link", name="Withdraw this person").click()
    seated.get_by_role("button", name="Yes, withdraw this person").click()
    expect(seated.get_by_role("status")).to_contain_text("Youssef El Idrissi is withdrawn")

    told = text_of(sink.next_to(TOMAS, seen))
    assert "moved up from the waiting list" in told
    assert "Rosa Mamani" in told and "Luz Huamán" not in told

    delegate = visitor(360).new_page()
    delegate.goto(link_in(text_of(sink.next_to(ROSA, 0)), "confirm"))
    expect(delegate.get_by_role("heading", name="Rosa Mamani, do you come?")).to_be_visible()
    delegate.get_by_role("button", name="Yes, I come").click()
    expect(delegate.get_by_role("heading", name="Rosa Mamani, you are expected")).to_be_visible()

    waiting.reload()
    expect(people.get_by_text("Confirmed", exact=True)).to_have_count(1)
    expect(people.get_by_text("Number 1 on the waiting list")).to_have_count(1)
    expect(people.get_by_text("Number 2 on the waiting list")).to_have_count(0)


def test_a_follower_is_asked_once_and_stops_by_the_link(visitor: Visitor, sink: Sink) -> None:
    page = visitor(360).new_page()
    page.goto(FULL)
    page.get_by_role("link", name=re.compile("^Tell me")).click()
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("alert")).to_contain_text("Write your email address.")
    page.get_by_label("Your email address").fill(KIM)
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()

    page.goto(link_in(text_of(sink.next_to(KIM, 0)), "follow/confirm"))
    page.get_by_role("button", name="Yes, tell me").click()
    expect(page.get_by_role("heading", name="We tell you")).to_be_visible()
    page.get_by_role("link", name="Stop these letters").click()
    page.get_by_role("button", name="Stop these letters").click()
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    assert len(sink.to(KIM)) == 1
