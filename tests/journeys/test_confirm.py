"""A delegate without an account answers by the link in the letter; an invited group, too."""

import re
from datetime import timedelta

import pytest
from django.test import Client

import clock
from events import deadlines
from events.models import Deadline, Event
from notifications.models import Letter
from registrations import confirmations, decisions, intake, invitations, links
from registrations.models import Delegate, Invitation

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def confirming(hearing, now) -> Deadline:
    return deadlines.set_deadline(
        hearing, kind=Deadline.Kind.CONFIRMATION, closes_at=now + 15 * DAY, by=None, now=now - DAY
    )


@pytest.fixture
def moussa(sent, confirming, clara, now) -> Delegate:
    delegate = sent.delegates.get(representative__given_names="Moussa")
    decisions.approve(sent, [delegate], by=clara, now=now)
    return Delegate.objects.get(pk=delegate.pk)


@pytest.fixture
def address(moussa) -> str:
    """In the letter to Moussa's own address."""
    letter = Letter.objects.get(key__startswith="confirm:", to="moussa@diaspora.example")
    (found,) = set(re.findall(r"https?://[^/\s]+(/\S*/confirm/\S*)", letter.text))
    return found


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def state(delegate: Delegate) -> str:
    return Delegate.objects.get(pk=delegate.pk).state


def test_the_link_shows_what_it_is_about_and_a_button_says_yes(client, moussa, address, confirming):
    page = client.get(address)
    assert client.head(address).status_code == 200
    assert state(moussa) == "approved"
    seen = words(page)
    for told in ("Moussa Keïta", "Hearing on the Global Compact", "Diaspora Network"):
        assert told in seen
    assert "New York time" in seen
    assert 'data-local="' in page.content.decode()

    answered = client.post(address, {"answer": "yes"}, follow=True)

    assert state(moussa) == "confirmed"
    assert "you are expected" in words(answered)
    assert "I do not come after all" in words(answered)


def test_a_no_gives_the_place_on_and_says_how_to_change_ones_mind(client, moussa, address):
    answered = client.post(address, {"answer": "no"}, follow=True)

    assert state(moussa) == "declined_by_delegate"
    assert "You have said that you do not come." in words(answered)
    assert "hearing@secretariat.example" in words(answered)
    assert "<button" not in answered.content.decode().split("<main")[1]


def test_a_yes_becomes_a_no(client, moussa, address):
    client.post(address, {"answer": "yes"})
    client.post(address, {"answer": "no"})

    assert state(moussa) == "declined_by_delegate"


def test_a_yes_after_a_no_is_refused_with_a_sentence(client, moussa, address):
    client.post(address, {"answer": "no"})
    late = client.post(address, {"answer": "yes"})

    assert state(moussa) == "declined_by_delegate"
    assert "There is nothing to confirm." in words(late)


@pytest.mark.parametrize("typed", [{}, {"answer": ""}, {"answer": "\x00"}, {"answer": "x" * 9999}])
def test_an_answer_that_is_none_changes_nothing(client, moussa, address, typed):
    response = client.post(address, typed)

    assert response.status_code == 200
    assert "Choose one of the two answers." in words(response)
    assert state(moussa) == "approved"


def test_after_the_deadline_the_page_has_no_button(client, moussa, address, confirming, now):
    Deadline.objects.filter(pk=confirming.pk).update(closes_at=now - timedelta(seconds=1))
    Delegate.objects.update(asked_at=now - 3 * DAY)
    page = client.get(address)
    assert 'name="answer"' not in page.content.decode()
    assert "We had no answer in time." in words(page)

    late = client.post(address, {"answer": "yes"})
    assert "could confirm until" in words(late)
    confirmations.lapse_due(now=clock.now())

    assert state(moussa) == "lapsed"
    assert "We had no answer in time." in words(client.get(address))


@pytest.mark.parametrize("shown", ["postponed", "cancelled"])
def test_what_does_not_take_place_is_not_confirmed(client, moussa, address, shown):
    Event.objects.update(state=shown)

    page = client.get(address)

    assert f"This event is {shown}." in words(page)
    assert 'name="answer"' not in page.content.decode()


@pytest.mark.parametrize("shown", ["postponed", "cancelled"])
def test_nobody_is_expected_at_what_does_not_take_place(client, moussa, address, at_desk, shown):
    client.post(address, {"answer": "yes"})
    assert "you are expected" in words(client.get(address))
    Event.objects.update(state=shown)

    for page in (client.get(address), at_desk.get(moussa.get_absolute_url())):
        assert "expected" not in words(page)
        assert f"This event is {shown}." in words(page)


def test_nobody_need_decline_what_is_cancelled(client, invited):
    assert "You do not come?" in words(client.get(links.invitation_path(invited)))
    Event.objects.update(state="cancelled")

    assert "You do not come?" not in words(client.get(links.invitation_path(invited)))


@pytest.mark.parametrize("place", ["confirm", "invitations"])
@pytest.mark.parametrize("token", ["x", "a:b", "%00", "~" * 900, "x" * 5000, "%F0%9F%98%80"])
def test_what_is_no_link_of_ours_is_a_clear_page(client, now, place, token):
    for ask in (client.get, client.head, client.post):
        assert ask(f"/en/{place}/{token}/").status_code == 404


def test_a_link_to_somebody_who_is_gone_is_a_clear_page(client, draft, amina, now):
    delegate = draft.delegates.get()
    address = links.confirmation_path(delegate)
    intake.remove_person(delegate, by=amina, now=now)

    page = client.get(address)

    assert page.status_code == 404
    assert "This link does not work" in words(page)


def test_a_link_of_one_person_cannot_be_made_into_that_of_another(client, moussa, address, sent):
    other = sent.delegates.get(role="head")

    forged = address.replace(str(moussa.pk), str(other.pk))

    assert client.post(forged, {"answer": "yes"}).status_code == 404


def test_no_form_is_taken_without_the_token_of_the_page(moussa, address):
    stranger = Client(enforce_csrf_checks=True)

    assert stranger.post(address, {"answer": "no"}).status_code == 403
    assert state(moussa) == "approved"


def test_the_focal_point_answers_on_the_page_of_the_person(at_desk, moussa, sent):
    hub = at_desk.get(sent.get_absolute_url())
    assert "One thing to do" in words(hub)
    assert f'href="{moussa.get_absolute_url()}#confirm"' in hub.content.decode()
    page = at_desk.get(moussa.get_absolute_url())
    assert "Does Moussa Keïta come? Please say so until" in words(page)

    done = at_desk.post(f"{moussa.get_absolute_url()}confirm/", {"answer": "yes"}, follow=True)
    assert "Moussa Keïta is expected." in words(done)
    assert "One thing to do" not in words(at_desk.get(sent.get_absolute_url()))
    at_desk.post(f"{moussa.get_absolute_url()}confirm/", {"answer": "no"})

    assert state(moussa) == "declined_by_delegate"


def test_another_group_does_not_answer_for_a_person(elsewhere, client, moussa):
    address = f"{moussa.get_absolute_url()}confirm/"

    assert elsewhere.post(address, {"answer": "no"}).status_code == 404
    assert client.post(address, {"answer": "no"}).status_code == 302
    assert state(moussa) == "approved"


# Invitations


@pytest.fixture
def invited(hearing, clara, now) -> Invitation:
    invitations.invite(
        hearing, addresses=[("rosa@unions.example", "Unions")], language="en", by=clara, now=now
    )
    return Invitation.objects.get()


def test_the_link_of_an_invitation_leads_to_the_registration(client, invited, hearing):
    page = client.get(links.invitation_path(invited))

    assert "Unions , you are invited" in words(page)
    assert 'href="/en/events/hearing/register/"' in page.content.decode()
    assert Invitation.objects.get().declined_at is None


def test_a_group_says_that_it_does_not_come_and_may_change_its_mind(client, invited):
    address = links.invitation_path(invited)

    for _time in range(2):
        page = client.post(address, follow=True)

    assert Invitation.objects.get().declined_at is not None
    assert "You have said that you do not come." in words(page)
    assert 'href="/en/events/hearing/register/"' in page.content.decode()


def test_after_the_close_an_invitation_says_when_it_closed(client, invited, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now - timedelta(seconds=1))

    page = client.get(links.invitation_path(invited))

    assert "Registration is closed" in words(page)
    assert 'href="/en/events/hearing/register/"' not in page.content.decode()
