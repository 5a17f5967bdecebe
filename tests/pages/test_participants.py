import gzip
import re

import pytest
from django.urls import reverse

from events import schedule
from events.models import Event
from notifications import bell
from registrations import decisions, intake, listing
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation, Representative
from tests.registrations import crowd

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch) -> None:
    monkeypatch.setattr(bell, "ring", lambda: None)


@pytest.fixture
def address(hearing) -> str:
    Event.objects.update(lists_participants=True)
    hearing.refresh_from_db()
    return reverse("pages:participants", args=["hearing"])


@pytest.fixture
def approved(address, sent, clara, now) -> Registration:
    """Amina's three, each with a place; nobody has said anything yet."""
    decisions.approve(sent, list(sent.delegates.all()), by=clara, now=now)
    return sent


@pytest.fixture
def moussa(approved, now) -> Delegate:
    """Who has said yes."""
    delegate = approved.delegates.get(representative__given_names="Moussa")
    listing.agree(delegate, now=now)
    return delegate


def names(response) -> list[str]:
    return [str(delegate) for delegate in response.context["page"]]


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture
def crowded(address, hearing, now) -> None:
    """120 people who have said yes."""
    crowd.drafts(hearing, 60, people=2, now=now)
    Registration.objects.update(sent_at=now)
    Delegate.objects.update(state="confirmed", listing_asked_at=now, listed_at=now)
    for one in Representative.objects.all():
        one.save()


# Who stands there


def test_only_who_said_yes_is_named_with_organisation_and_country(client, address, moussa):
    page = client.get(address)

    assert names(page) == ["Moussa Keïta"]
    said = words(page)
    for told in ("Keïta Moussa", "Diaspora Network", "Mali", "1 person"):
        assert told in said
    for hidden in ("Traoré", "Sow", "moussa@diaspora.example", "Delegate"):
        assert hidden not in page.content.decode()


def test_the_page_says_as_of_when_on_the_clocks_of_the_event(client, address, moussa):
    assert re.search(r"As of \w+ .*New York time", words(client.get(address)))


def test_people_stand_by_family_name_and_who_has_none_by_the_given_one(client, address, approved):
    for name, family in (("Aïssata", ""), ("Moussa", "Zongo"), ("Fatoumata", "ba")):
        person = Representative.objects.get(given_names=name)
        person.family_name = family
        person.save()
    Delegate.objects.update(listed_at="2026-01-01T00:00Z")

    assert names(client.get(address)) == ["Aïssata", "Fatoumata ba", "Moussa Zongo"]


def take_back(moussa, by, now):
    listing.take_back(moussa, now=now)


def withdraw(moussa, by, now):
    intake.withdraw_person(moussa, by=by, now=now)


def withdraw_all(moussa, by, now):
    intake.withdraw(moussa.registration, by=by, now=now)


def switch_off(moussa, by, now):
    Event.objects.update(lists_participants=False)


def cancel(moussa, by, now):
    schedule.cancel(moussa.registration.event, by=by, now=now, reason="Storm")


@pytest.mark.parametrize("act", [take_back, withdraw, withdraw_all])
def test_who_is_gone_is_gone_at_the_next_request(client, address, moussa, amina, now, act):
    assert names(client.get(address)) == ["Moussa Keïta"]

    act(moussa, amina, now)

    page = client.get(address)
    assert names(page) == []
    assert "Keïta" not in page.content.decode()
    assert "Nobody has agreed to be named yet." in words(page)


@pytest.mark.parametrize(
    "state",
    ["submitted", "wait_listed", "declined", "declined_by_delegate", "lapsed", "replaced"],
)
def test_nobody_without_a_place_is_named(client, address, moussa, state):
    waits_as = 1 if state == "wait_listed" else None
    Delegate.objects.filter(pk=moussa.pk).update(state=state, waits_as=waits_as, listed_at=None)

    assert names(client.get(address)) == []


def test_who_took_it_back_is_not_found_by_a_search_either(client, address, moussa, now):
    assert names(client.get(address, {"q": "keïta"})) == ["Moussa Keïta"]
    listing.take_back(moussa, now=now)

    assert "Nobody of that name is listed." in words(client.get(address, {"q": "keïta"}))


@pytest.mark.parametrize("act", [switch_off, cancel])
def test_what_has_no_list_now_has_no_page(client, address, moussa, clara, now, act):
    act(moussa, clara, now)

    assert client.get(address).status_code == 404
    assert address not in client.get("/en/events/hearing/").content.decode()


def test_a_draft_of_an_event_has_no_list(client, address, moussa):
    Event.objects.update(state="draft")

    assert client.get(address).status_code == 404


def test_event_leads_to_its_list_only_where_it_has_one(client, hearing):
    there = reverse("pages:participants", args=["hearing"])
    assert there not in client.get(hearing.get_absolute_url()).content.decode()
    assert client.get(there).status_code == 404

    Event.objects.update(lists_participants=True)

    assert f'href="{there}"' in client.get(hearing.get_absolute_url()).content.decode()
    assert client.get(there).status_code == 200


# How it is answered


def test_the_list_is_kept_nowhere_and_found_by_no_search_engine(client, address, moussa):
    page = client.get(address)

    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in page.content.decode()
    assert not page.cookies


@pytest.mark.parametrize("typed", ["", "?q=person+kenya", "?page=2"])
def test_a_hundred_people_take_four_queries(
    client, address, crowded, django_assert_num_queries, typed
):
    with django_assert_num_queries(4):
        client.get(address + typed)


def test_fifty_stand_on_a_page_which_weighs_little(client, address, crowded):
    first, last = client.get(address), client.get(address, {"page": "3"})

    assert [len(names(page)) for page in (first, last)] == [50, 20]
    assert "Page 1 of 3" in words(first)
    assert 'href="?page=2"' in first.content.decode()
    assert len(gzip.compress(first.content)) < 10_000


@pytest.mark.parametrize(("asked", "shown"), [("0", 3), ("-1", 3), ("99999999999", 3), ("x", 1)])
def test_a_page_that_is_none_is_the_first_or_the_last(client, address, crowded, asked, shown):
    assert client.get(address, {"page": asked}).context["page"].number == shown


# Searching


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("keïta", ["Moussa Keïta"]),
        ("keita", ["Moussa Keïta"]),
        ("MOUSSA  keï", ["Moussa Keïta"]),
        ("diáspora", ["Moussa Keïta"]),
        ("mali", ["Moussa Keïta"]),
        ("moussa mali network", ["Moussa Keïta"]),
        ("moussa kenya", []),
        ("traoré", []),
        ("moussa@diaspora.example", []),
        ("%", []),
        ("'; drop table--", []),
        ("\x00", ["Moussa Keïta"]),
        ("x" * 5000, []),
        ("ا ب ت", []),
    ],
)
def test_search_finds_names_organisations_and_countries(client, address, moussa, typed, found):
    page = client.get(address, {"q": typed})

    assert page.status_code == 200
    assert names(page) == found


def test_search_goes_on_over_pages_and_keeps_its_words(client, address, crowded):
    page = client.get(address, {"q": "person kenya"})

    assert "120 people found" in words(page)
    assert 'href="?q=person+kenya&amp;page=2"' in page.content.decode()
    assert 'value="person kenya"' in page.content.decode()


def test_names_are_shown_as_text(client, address, moussa):
    Representative.objects.update(family_name="<script>alert(1)</script>")
    Organisation.objects.update(name='"><img src=x>')

    page = client.get(address, {"q": '"><svg onload=1>'}).content.decode()
    page += client.get(address).content.decode()

    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "<svg onload" not in page


def test_arabic_list_runs_from_right_to_left(client, address, moussa):
    page = client.get(address.replace("/en/", "/ar/"))

    assert 'dir="rtl"' in page.content.decode()
    assert names(client.get(address.replace("/en/", "/ar/"), {"q": "مالي"})) == ["Moussa Keïta"]
