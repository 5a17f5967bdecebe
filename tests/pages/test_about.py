"""What the portal says of itself, and the frame of every page."""

import re
from datetime import timedelta

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from accounts import tasks
from pages.views import about
from stakeholders.models import Membership

pytestmark = pytest.mark.django_db
PAGES = ["help", "accessibility", "privacy"]


def read(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_everybody_can_read_it_without_a_cookie(client, page):
    read(client, f"/en/{page}/")

    assert not client.cookies


@pytest.mark.parametrize("page", PAGES)
def test_it_is_made_once_in_a_second(client, settings, page, django_assert_num_queries):
    settings.PAGES_KEPT_FOR = 60.0
    first = read(client, f"/en/{page}/")

    with django_assert_num_queries(0):
        assert read(client, f"/en/{page}/") == first


@pytest.mark.parametrize("page", PAGES)
def test_its_headings_stand_in_steps(client, page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", read(client, f"/en/{page}/"))]

    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("page", PAGES)
def test_it_says_whom_to_ask_and_when_an_answer_comes(client, settings, page):
    settings.CONTACT_EMAIL = "help@portal.example"
    words = read(client, f"/en/{page}/")

    assert 'href="mailto:help@portal.example"' in words
    assert "A person answers within 10 working days." in words


def test_every_page_tells_machines_where_it_is_in_each_language(client, hearing, settings):
    settings.BASE_URL = "https://portal.example.org"
    page = read(client, "/ar/events/hearing/")

    assert re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', page) == [
        (code, f"https://portal.example.org/{place}/events/hearing/")
        for code, place in [
            ("ar", "ar"),
            ("zh-hans", "zh-hans"),
            ("en", "en"),
            ("x-default", "en"),
            ("fr", "fr"),
            ("ru", "ru"),
            ("es", "es"),
        ]
    ]


def test_every_page_leads_there_in_the_same_order(client, hearing):
    for address in ("/en/", "/en/events/hearing/", "/en/help/", "/en/accounts/login/"):
        page = read(client, address)
        foot = page[page.index('<footer class="foot">') :]
        assert re.findall(r'href="([^"]+)"', foot)[:3] == [
            "/en/accessibility/",
            "/en/privacy/",
            "/en/help/#contact",
        ]
        assert '<li><a href="/en/help/"' in page


def test_the_way_out_is_explained_first_and_loads_nothing_before_it_is_taken(client):
    page = read(client, "/en/privacy/")

    link = re.search(r"<a [^>]*data-leave>", page)
    assert page.index('id="leave"') < link.start()
    assert f'href="{about.ELSEWHERE}" rel="noreferrer"' in link.group()
    assert re.findall(r'(?:src|action)="https?://', page) == []
    assert re.findall(r'<(?:link (?!rel="alternate")|script)[^>]*"https?://', page) == []
    assert page.count(about.ELSEWHERE) == 1


def test_the_home_page_leads_people_at_risk_to_it(client):
    assert f'<a href="{reverse("pages:privacy")}">How we protect people at risk</a>' in read(
        client, "/en/"
    )


def test_the_days_that_are_told_are_those_that_are_kept(client, settings):
    page = read(client, "/en/privacy/")

    assert timedelta(days=7) == tasks.UNUSED_AFTER
    assert "If you never used a code: 7 days" in page
    assert settings.SESSION_COOKIE_AGE == 14 * 24 * 3600
    assert "at most 14 days" in page
    words = read(client, "/en/help/")
    assert settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT == 30 * 60
    assert "for 30 minutes" in words
    assert timedelta(days=7) == Membership.ANSWERED_WITHIN
    assert "within seven days" in words


def test_the_style_of_all_public_pages_is_small():
    with open(finders.find("portal.css"), "rb") as style:
        assert len(style.read()) < 20 * 1024
