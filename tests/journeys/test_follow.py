"""Somebody without an account follows an event, from its page to the last letter."""

import re

import pytest
from django.test import Client

from events.models import Event, Follower
from notifications.models import Letter

pytestmark = pytest.mark.django_db


def test_from_the_event_page_to_the_link_and_out_again(hearing):
    browser = Client(enforce_csrf_checks=True)

    page = browser.get(hearing.get_absolute_url()).content.decode()
    assert "csrfmiddlewaretoken" not in page
    (follow,) = re.findall(r'href="([^"]*/follow/)"', page)
    browser.post(follow, {"email": "lena@example.org"} | token(browser, follow))
    (confirm,) = addresses("follow/confirm")
    browser.post(confirm, token(browser, confirm))
    assert Follower.objects.confirmed().of(hearing).count() == 1

    told = browser.get(confirm).content.decode()
    (stop,) = re.findall(r'href="([^"]*/follow/stop/[^"]*)"', told)
    browser.post(stop, {"what": "this"} | token(browser, stop))

    assert not Follower.objects.exists()


def test_without_the_token_of_the_page_nothing_is_taken(hearing):
    browser = Client(enforce_csrf_checks=True)

    assert browser.post("/en/events/hearing/follow/", {"email": "a@b.example"}).status_code == 403
    assert not Follower.objects.exists()


@pytest.mark.parametrize(
    ("state", "offered"), [("published", 1), ("postponed", 1), ("cancelled", 0)]
)
def test_only_what_still_has_news_offers_to_tell(client, hearing, state, offered):
    Event.objects.filter(pk=hearing.pk).update(state=state)

    page = client.get(hearing.get_absolute_url()).content.decode()

    assert page.count('href="/en/events/hearing/follow/"') == offered


def token(browser: Client, address: str) -> dict[str, str]:
    """What the form of that page carries."""
    page = browser.get(address).content.decode()
    return {"csrfmiddlewaretoken": re.search(r'csrfmiddlewaretoken" value="([^"]+)', page)[1]}


def addresses(part: str) -> set[str]:
    texts = "\n".join(Letter.objects.values_list("text", flat=True))
    return set(re.findall(rf"https?://[^/\s]+(/\S*{part}\S*)", texts))
