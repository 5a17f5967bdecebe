"""A walk along every link: of pages, their forms that only ask, files for calendars and feeds; and,
for who has not signed in, along the links of all letters.

Only in English, and for who has not signed in, it is a full walk. Otherwise so many addresses of
each kind (those of one view) are opened in each language as the tables below say, the first that
are come upon; of those with a question (?…) at most QUESTIONS.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from typing import NamedTuple
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import get_language_info

from accounts.models import User
from events import deadlines, schedule
from events.models import Deadline, Event
from notifications.models import Letter
from registrations import confirmations, corrections, exemptions, intake
from registrations.management.commands import load_demo
from registrations.models import Delegate
from stakeholders.models import Membership, Organisation
from tests.conftest import an_event, signed_in
from tests.hostile import forms

LANGUAGES = [code for code, _name in settings.LANGUAGES]
FINE, LED_ON = {200, 301, 302, 307}, {301, 302, 307}
QUESTIONS = 4
ALL = 10**6
EVERYBODYS = dict.fromkeys(LANGUAGES, 2) | {"ar": 8, "en": ALL}
FOCAL_POINTS = dict.fromkeys(LANGUAGES, 1) | {"ar": 2, "en": 6}
ORGANISERS = dict.fromkeys(LANGUAGES, 0) | {"ar": 1, "en": 2, "": 2}
"""By language; the organisers' side has none in its addresses."""
LINKS = {"a": "href", "area": "href", "link": "href", "img": "src", "script": "src"}
ASKING = re.compile(r"<form(?![^>]*method=\"post\")")
IN_TEXT = re.compile(rf"{re.escape(settings.BASE_URL)}[^\s<>\"]*")


class Step(NamedTuple):
    address: str
    seen_on: str


class Page(HTMLParser):
    """Where a page leads, and what it says of itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root: dict[str, str | None] = {}
        self.title = ""
        self.links: list[str] = []
        self.places: set[str] = set()
        self.is_in_title = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "html":
            self.root = told
        self.is_in_title = tag == "title"
        self.links += filter(None, [told.get(LINKS.get(tag, ""))])
        self.places |= {name for name in (told.get("id"), told.get("name")) if name}

    def handle_data(self, data: str) -> None:
        if self.is_in_title:
            self.title += data.strip()

    def handle_endtag(self, tag: str) -> None:
        self.is_in_title = False


class Walk:
    """Each address once; what is wrong with any, and where it was linked from."""

    def __init__(self, client: Client, starts: list[str], most: dict[str, int]) -> None:
        self.client, self.most = client, most
        self.wrong: list[str] = []
        self.pages: Counter[str] = Counter()
        self.places: dict[str, set[str]] = {}
        self.pointed: set[tuple[str, str, str]] = set()
        self.known: set[str] = set()
        self.of_a_kind: Counter[tuple[str, str, bool]] = Counter()
        self.ahead = deque([Step(start, "the start") for start in starts])
        while self.ahead:
            self.go(self.ahead.popleft())
        self.wrong += [
            f"{address}#{place}, linked on {seen_on}: there is no such place"
            for address, place, seen_on in sorted(self.pointed)
            if place not in self.places.get(address, {place})
        ]

    def go(self, step: Step) -> None:
        address, place = urldefrag(step.address.removeprefix(settings.BASE_URL))
        if place:
            self.pointed.add((address, place, step.seen_on))
        if address in self.known or not self.is_within_bounds(address):
            return
        self.known.add(address)
        if address.startswith(settings.STATIC_URL):
            is_there = finders.find(address.removeprefix(settings.STATIC_URL))
            self.wrong += [] if is_there else [f"{address}, linked on {step.seen_on}: no file"]
            return
        answer = self.client.get(address)
        if answer.status_code not in FINE:
            self.wrong.append(f"{address}, linked on {step.seen_on}: {answer.status_code}")
        self.pages[answer.headers.get("Content-Type", "").partition(";")[0]] += 1
        self.ahead += [Step(link, address) for link in self.links_of(address, answer)]

    def is_within_bounds(self, address: str) -> bool:
        path, question, _ = address.partition("?")
        if path.startswith(settings.STATIC_URL):
            return True
        language = language_of(path)
        kind = language, view_of(path), bool(question)
        self.of_a_kind[kind] += 1
        most = self.most.get(language, ALL)
        return self.of_a_kind[kind] <= (min(QUESTIONS, most) if question else most)

    def links_of(self, address: str, answer: HttpResponse) -> Iterator[str]:
        """Those within the site, in full."""
        if answer.status_code in LED_ON:
            yield from ours(address, [answer.url])
        elif answer.status_code == 200 and is_page(answer):
            html = answer.content.decode()
            page = Page(html)
            self.places[address] = page.places
            yield from ours(address, page.links)
            yield from ours(address, asked_by(address, html))
            self.wrong += [f"{address}: {what}" for what in untold(address, page)]
        elif answer.status_code == 200 and not answer.streaming:
            whole_lines = answer.content.decode().replace("\r\n ", "")
            yield from IN_TEXT.findall(whole_lines)


def ours(address: str, links: list[str]) -> Iterator[str]:
    here = urljoin(settings.BASE_URL, address)
    for link in links:
        to = urljoin(here, link)
        if to.startswith(f"{settings.BASE_URL}/"):
            yield to


def asked_by(address: str, html: str) -> list[str]:
    """Where its forms lead that change nothing, sent as they stand."""
    if not ASKING.search(html):
        return []
    found = forms.Page(address, html).found
    asking = [form for form in found if form.method == "get"]
    return [f"{form.action.partition('?')[0]}?{urlencode(form.values, True)}" for form in asking]


def untold(address: str, page: Page) -> Iterator[str]:
    """What a page does not say of itself, or says wrong."""
    language = language_of(urlsplit(address).path)
    lang, direction = page.root.get("lang"), page.root.get("dir")
    if not page.title or page.title.startswith("- "):
        yield "no title"
    if lang not in LANGUAGES or (language and lang != language):
        yield f"lang is {lang}"
    elif direction != ("rtl" if get_language_info(lang)["bidi"] else "ltr"):
        yield f"dir is {direction}"


def is_page(answer: HttpResponse) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html")


def view_of(path: str) -> str:
    """Nothing has one that leads elsewhere before any view is asked, or nowhere."""
    try:
        with translation.override(language_of(path) or None):
            return resolve(path).view_name
    except Resolver404:
        return path


def language_of(path: str) -> str:
    first = path.split("/")[1]
    return first if first in LANGUAGES else ""


@pytest.fixture
def site(settings, now) -> User:
    """The demonstration as a real portal would show it, with what it lacks: events in all states,
    and more of what happens to delegations. Its focal point, who leads all organisations."""
    settings.DEMO = True
    call_command("load_demo", stdout=StringIO())
    settings.DEMO = False
    amina = User.objects.get(email=load_demo.AMINA)
    clara = User.objects.get(email=load_demo.ORGANISER)
    for organisation in Organisation.objects.exclude(memberships__user=amina):
        Membership.objects.create(
            user=amina, organisation=organisation, kind="focal_point", state="active", since=now
        )
    events_in_all_states(clara, now)
    what_happens_to_delegations(amina, clara, now)
    return amina


HOURS_TO_OPEN_AND_CLOSE = {
    "draft": (None, 100),
    "ahead": (50, 100),
    "last-day": (None, 20),
    "closed": (None, -1),
    "extended": (None, 100),
    "postponed": (None, 100),
    "moved": (None, 100),
    "cancelled": (None, 100),
}


def events_in_all_states(clara: User, now: datetime) -> None:
    hearing, before = Event.objects.get(slug=load_demo.HEARING), now - timedelta(days=9)
    for slug, (opens, closes) in HOURS_TO_OPEN_AND_CLOSE.items():
        event = an_event(hearing.process, slug, hearing)
        deadlines.set_deadline(
            event,
            kind=Deadline.Kind.REGISTRATION,
            opens_at=opens and now + timedelta(hours=opens),
            closes_at=now + timedelta(hours=closes),
            by=clara,
            now=before,
        )
        if slug != "draft":
            schedule.publish(event, by=clara, now=before)
    window = Deadline.objects.get(event__slug="extended")
    later = window.closes_at + timedelta(days=2)
    deadlines.move(window, closes_at=later, by=clara, now=now, reason="More time for visas.")
    for slug, turn in (
        ("postponed", schedule.postpone),
        ("moved", schedule.postpone),
        ("cancelled", schedule.cancel),
    ):
        turn(Event.objects.get(slug=slug), by=clara, now=now, reason="The room is not ready.")
    moved = Event.objects.get(slug="moved")
    days = {"starts_on": moved.starts_on, "ends_on": moved.ends_on + timedelta(days=1)}
    hours = {"starts_at": None, "ends_at": None}
    schedule.move(moved, **days, **hours, by=clara, now=now, reason="There is a room.")


def what_happens_to_delegations(amina: User, clara: User, now: datetime) -> None:
    """Somebody confirms, somebody does not come, a name is put right, a group comes too late."""
    comes, stays_away, *_ = Delegate.objects.to_confirm().order_by("pk")
    confirmations.confirm(comes, now=now)
    confirmations.decline(stays_away, now=now)
    approved = Delegate.objects.get(representative__email=load_demo.BO)
    wished = corrections.facts_of(approved) | {"given_names": "Boaventura"}
    corrections.ask(approved, wished, reason="As in the passport.", by=amina, now=now)
    network = Organisation.objects.get(name="Diaspora Network")
    late = Event.objects.get(slug="closed")
    draft = intake.begin(late, network, by=amina, now=now - timedelta(days=1))
    exemptions.ask(draft, reason="The line was down.", by=amina, now=now)


HOMES = ["/", *(f"/{code}/" for code in LANGUAGES)]


def told(walk: Walk) -> str:
    return f"{walk.pages.total()} answers: {dict(walk.pages.most_common())}"


def test_everybody_can_go_wherever_a_link_leads(site):
    letters = [link for one in Letter.objects.all() for link in IN_TEXT.findall(one.text)]
    walk = Walk(Client(), [*HOMES, *letters], EVERYBODYS)
    print(told(walk))

    assert walk.wrong == []
    assert walk.pages["text/html"] > 300
    assert walk.pages["text/calendar"] > 60
    assert walk.pages["application/atom+xml"] > 5


def test_so_can_a_focal_point(site):
    walk = Walk(signed_in(site), HOMES, FOCAL_POINTS)
    print(told(walk))

    assert walk.wrong == []


def test_so_can_an_organiser(site):
    clara = User.objects.get(email=load_demo.ORGANISER)
    walk = Walk(signed_in(clara), [*HOMES, "/admin/"], ORGANISERS)
    print(told(walk))

    assert walk.wrong == []


PLANTED = {
    "/en/": '<html lang="en" dir="ltr"><title>Home</title><p id="top"><a href="/ar/"></a>'
    '<a href="mute/"></a><a href="gone/#x"></a><a href="#nowhere"></a><a href="#top"></a>'
    '<img src="/static/lost.png"><form action="broken/"><input name="q" value="x"></form>'
    '<form method="post" action="act/"></form><a href="https://elsewhere.example/"></a>',
    "/ar/": '<html lang="ar" dir="ltr"><title>Home</title>',
    "/en/mute/": '<html lang="fr" dir="ltr"><title> - GCM Portal</title>',
}


class PlantedSite:
    def get(self, address: str) -> HttpResponse:
        if address == "/en/broken/?q=x":
            return HttpResponse(status=500)
        return HttpResponse(PLANTED.get(address, ""), status=200 if address in PLANTED else 404)


def test_what_is_wrong_is_found():
    walk = Walk(PlantedSite(), ["/en/"], EVERYBODYS)

    assert sorted(walk.wrong) == [
        "/ar/: dir is ltr",
        "/en/#nowhere, linked on /en/: there is no such place",
        "/en/broken/?q=x, linked on /en/: 500",
        "/en/gone/, linked on /en/: 404",
        "/en/mute/: lang is fr",
        "/en/mute/: no title",
        "/static/lost.png, linked on /en/: no file",
    ]
