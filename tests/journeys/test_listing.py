"""A delegate without an account says by the link in the letter whether the public list names them,
and takes it back by the same link."""

import re

import pytest
from django.test import Client

from audit.models import Entry
from events.models import Event
from notifications.models import Letter
from registrations import decisions, intake, links, listing
from registrations.intake import Person
from registrations.models import Delegate

pytestmark = pytest.mark.django_db


@pytest.fixture
def moussa(sent, clara, now) -> Delegate:
    Event.objects.update(lists_participants=True)
    delegate = sent.delegates.get(representative__given_names="Moussa")
    decisions.approve(sent, [delegate], by=clara, now=now)
    return Delegate.objects.get(pk=delegate.pk)


@pytest.fixture
def address(moussa) -> str:
    letter = Letter.objects.get(key__startswith="listing:", to="moussa@diaspora.example")
    (found,) = set(re.findall(r"https?://[^/\s]+(/\S*/listing/\S*)", letter.text))
    return found


@pytest.fixture
def public(hearing) -> str:
    return f"{hearing.get_absolute_url()}participants/"


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def is_listed(delegate: Delegate) -> bool:
    return Delegate.objects.get(pk=delegate.pk).listed_at is not None


def test_the_link_says_what_would_be_shown_and_to_whom_and_changes_nothing(client, moussa, address):
    assert client.head(address).status_code == 200
    page = client.get(address)

    assert not is_listed(moussa)
    seen = words(page)
    for told in (
        "Moussa Keïta",
        "may the public list name you?",
        "Diaspora Network",
        "Mali",
        "Hearing on the Global Compact",
        "Everybody",
        "Yes, name me",
        "No, do not name me",
    ):
        assert told in seen
    assert page["Referrer-Policy"] == "same-origin"


def test_yes_then_the_list_then_back_by_the_same_link(client, moussa, address, public):
    answered = client.post(address, {"answer": "yes"}, follow=True)
    assert "the public list names you" in words(answered)
    assert "Moussa" in words(client.get(public))

    back = client.post(address, {"answer": "no"}, follow=True)

    assert "The list does not name you." in words(back)
    assert "Yes, name me" in words(back)
    assert "Moussa" not in words(client.get(public))


def test_no_names_nobody(client, moussa, address, public):
    answered = client.post(address, {"answer": "no"}, follow=True)

    assert "Thank you. The list does not name you." in words(answered)
    assert "Moussa" not in words(client.get(public))


def test_yes_twice_is_remembered_once(client, moussa, address):
    client.post(address, {"answer": "yes"})
    client.post(address, {"answer": "yes"})

    assert Entry.objects.about(moussa).filter(verb="agreed to be listed").count() == 1


@pytest.mark.parametrize("typed", [{}, {"answer": ""}, {"answer": "\x00"}, {"answer": "x" * 9999}])
def test_an_answer_that_is_none_changes_nothing(client, moussa, address, typed):
    response = client.post(address, typed, follow=True)

    assert "Choose one of the two answers." in words(response)
    assert not is_listed(moussa)


def test_no_form_is_taken_without_the_token_of_the_page(moussa, address):
    stranger = Client(enforce_csrf_checks=True)

    assert stranger.post(address, {"answer": "yes"}).status_code == 403
    assert not is_listed(moussa)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_no_other_method_answers(client, moussa, address, method):
    assert getattr(client, method)(address).status_code == 405


@pytest.mark.parametrize("token", ["x", "a:b", "%00", "~" * 900, "x" * 5000, "%F0%9F%98%80"])
def test_what_is_no_link_of_ours_is_a_clear_page(client, now, token):
    for ask in (client.get, client.head, client.post):
        assert ask(f"/en/listing/{token}/").status_code == 404


def test_the_link_to_confirm_is_no_link_to_be_listed(client, moussa):
    other = links.confirmation_path(moussa).replace("/confirm/", "/listing/")

    assert client.post(other, {"answer": "yes"}).status_code == 404


def test_a_link_of_one_person_cannot_be_made_into_that_of_another(client, moussa, address, sent):
    other = sent.delegates.get(role="head")

    forged = address.replace(str(moussa.pk), str(other.pk))

    assert client.post(forged, {"answer": "yes"}).status_code == 404


def test_who_stands_in_the_same_place_later_is_not_listed_by_an_old_link(
    client, moussa, address, amina, clara, diaspora_network, now
):
    """The group withdraws, begins again, and writes somebody else over Moussa."""
    intake.withdraw(moussa.registration, by=amina, now=now)
    draft = intake.begin(moussa.registration.event, diaspora_network, by=amina, now=now)
    place = draft.delegates.get(pk=moussa.pk)
    intake.change_person(place, Person("Binta", "Ba", "binta@diaspora.example"), by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    decisions.approve(draft, [place], by=clara, now=now)

    assert client.post(address, {"answer": "yes"}).status_code == 404
    assert not is_listed(moussa)


def test_who_has_lost_the_place_reads_so_and_cannot_agree(client, moussa, address, amina, now):
    intake.withdraw_person(moussa, by=amina, now=now)

    assert "You have no place at the event now." in words(client.get(address))
    assert "has no place at" in words(client.post(address, {"answer": "yes"}))
    assert not is_listed(moussa)


def test_where_the_list_is_gone_one_can_still_take_it_back(client, moussa, address):
    client.post(address, {"answer": "yes"})
    Event.objects.update(lists_participants=False)
    assert "This event has no public list now." in words(client.get(address))

    client.post(address, {"answer": "no"})

    assert not is_listed(moussa)


def test_a_cancelled_event_says_so_and_takes_it_back(client, moussa, address):
    client.post(address, {"answer": "yes"})
    Event.objects.update(state="cancelled")
    assert "This event is cancelled." in words(client.get(address))

    client.post(address, {"answer": "no"})

    assert not is_listed(moussa)


def test_the_link_works_after_the_event_too(client, moussa, address, hearing):
    client.post(address, {"answer": "yes"})
    Event.objects.update(starts_on="2020-02-02", ends_on="2020-02-02")

    client.post(address, {"answer": "no"})

    assert not is_listed(moussa)


# The focal point reads how it stands, and can do nothing about it


def test_the_focal_point_reads_how_it_stands(at_desk, client, moussa, address, now):
    page = words(at_desk.get(moussa.get_absolute_url()))
    assert "Not named. Only this person can agree" in page
    listing.agree(moussa, now=now)

    page = at_desk.get(moussa.get_absolute_url())

    assert "Named, as this person has agreed." in words(page)
    assert "/listing/" not in page.content.decode()


def test_the_focal_point_reads_that_somebody_cannot_be_asked(at_desk, draft, amina, clara, now):
    Event.objects.update(lists_participants=True)
    intake.add_person(draft, Person("Awa", "Ba"), by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    awa = draft.delegates.get(representative__given_names="Awa")
    assert "Public list" not in words(at_desk.get(awa.get_absolute_url()))
    decisions.approve(draft, [awa], by=clara, now=now)

    assert "nobody can ask them" in words(at_desk.get(awa.get_absolute_url()))
