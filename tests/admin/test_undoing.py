from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import User
from events import roles
from notifications.models import Letter
from registrations.models import Batch
from tests.admin.test_decisions import LIST, people, post, states
from tests.conftest import an_event, signed_in

HOME = reverse("admin:index")


@pytest.fixture(autouse=True)
def no_letters(sent, sent_by_bo):
    Letter.objects.all().delete()


@pytest.fixture
def declined(clara_in, sent, sent_by_bo) -> Batch:
    """Clara has just declined everybody."""
    everybody = [*people(sent), *people(sent_by_bo)]
    post(clara_in, "decline", everybody, confirm="yes", reason="The list is full.")
    return Batch.objects.get()


def url(word: str, batch: Batch) -> str:
    return reverse(f"admin:registrations_delegate_{word}", args=[batch.pk])


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_every_page_says_when_the_letters_leave_and_can_undo(clara_in, sent, declined):
    own = reverse("admin:registrations_registration_change", args=[sent.pk])
    for page in (LIST, own, HOME):
        shown = clara_in.get(page, follow=True).content.decode()
        assert "4 people are declined. The letters leave at " in shown
        assert f'action="{url("undo_batch", declined)}" data-undo' in shown


def test_it_is_undone_from_the_page_on_which_the_button_was(clara_in, sent, sent_by_bo, declined):
    there = f"{LIST}?state=declined"

    response = clara_in.post(url("undo_batch", declined), {"next": there})

    assert response.url == there
    page = clara_in.get(there)
    assert said(page) == ["Undone: 4 people are as before. No letter of it leaves."]
    assert "data-undo" not in page.content.decode()
    assert states(sent) + states(sent_by_bo) == ["submitted"] * 4
    assert set(Letter.objects.values_list("state", flat=True)) == {"cancelled"}


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "\x00", "x", ""])
def test_it_leads_nowhere_else(clara_in, declined, there):
    assert clara_in.post(url("undo_batch", declined), {"next": there}).url == LIST


def test_what_stays_is_said_on_its_page(clara_in, root_in, sent, sent_by_bo, declined):
    first = people(sent)[0]
    post(root_in, "reopen", [first], confirm="yes", reason="We erred.")

    response = clara_in.post(url("undo_batch", declined), {"next": LIST}, follow=True)

    assert said(response) == [
        f"{sent.reference} Diaspora Network: Aïssata Traoré (Being checked) was changed since by "
        "somebody. Nothing of this delegation was undone.",
        "Undone: 1 person is as before. No letter of it leaves.",
    ]
    assert response.redirect_chain == [(url("batch", declined), 302)]
    groups = response.context["groups"]
    assert [
        (str(registration), [row["went_back"] for row in rows]) for registration, rows in groups
    ] == sorted([(str(sent), [False] * 3), (str(sent_by_bo), [True])])


def test_its_page_names_the_people_and_the_letters(clara_in, sent, declined):
    page = clara_in.get(url("batch", declined))

    assert sorted(str(letter.to) for _url, letter in page.context["letters"]) == [
        "amina@diaspora.example",
        "bo@ports.example",
    ]
    assert "Decided by Clara Weiss" in page.content.decode()
    assert page.content.decode().count("data-undo") == 1


def test_letters_that_leave_now_cannot_be_undone(clara_in, sent, declined):
    response = clara_in.post(url("send_batch", declined), follow=True)
    assert said(response) == ["The letters leave now."]
    assert "choose “Take the decision back”" in response.content.decode()

    response = clara_in.post(url("undo_batch", declined), follow=True)

    assert said(response) == [response.context["too_late"]]
    assert states(sent) == ["declined"] * 3


def test_a_colleague_undoes_it_from_the_page_of_a_person(root_in, sent, declined):
    first = people(sent)[0]
    own = reverse("admin:registrations_delegate_change", args=[first.pk])
    assert "data-undo" not in root_in.get(own).content.decode()
    assert url("batch", declined) in root_in.get(own).content.decode()

    root_in.post(url("undo_batch", declined))

    assert states(sent) == ["submitted"] * 3
    assert url("batch", declined) not in root_in.get(own).content.decode()


def test_to_open_the_address_of_undoing_undoes_nothing(clara_in, sent, declined):
    for word in ("undo_batch", "send_batch"):
        assert clara_in.get(url(word, declined)).url == url("batch", declined)
    assert states(sent) == ["declined"] * 3
    assert Batch.objects.get().leaves_at == declined.leaves_at


@pytest.mark.parametrize("kind", ["reader", "door"])
def test_it_does_not_exist_for_who_may_not_decide(sent, declined, now, kind):
    user = User.objects.create_user("eli@secretariat.example", name="Eli")
    roles.grant(user, on=sent.event, kind=kind, by=None, now=now)
    for word in ("batch", "undo_batch", "send_batch"):
        assert signed_in(user).get(url(word, declined)).status_code == 404
        assert signed_in(user).post(url(word, declined)).status_code == 404


def test_it_does_not_exist_for_organisers_of_other_events(dina_in, declined):
    for word in ("batch", "undo_batch", "send_batch"):
        assert dina_in.post(url(word, declined)).status_code == 404


def test_one_press_at_two_events_is_two_batches(clara_in, sent, sent_by_bo, process, hearing, now):
    other = an_event(process, "second", hearing, state="published", published_at=now)
    sent_by_bo.event = other
    sent_by_bo.save()

    post(clara_in, "approve", [*people(sent), *people(sent_by_bo)], confirm="yes")

    assert sorted(str(batch) for batch in Batch.objects.all()) == [
        "1 person is approved.",
        "3 people are approved.",
    ]
    assert clara_in.get(LIST).content.decode().count("data-undo") == 2


def test_it_is_no_longer_shown_once_the_letters_leave(clara_in, declined):
    Batch.objects.update(leaves_at=declined.at + timedelta(microseconds=1))
    assert "data-undo" not in clara_in.get(LIST).content.decode()
    assert "batches" not in clara_in.session
