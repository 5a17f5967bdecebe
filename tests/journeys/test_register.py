"""A group registers: whole ways through the pages, as a browser without script goes them."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from events.models import Deadline, Track
from notifications.models import Kind, Letter
from registrations import decisions, intake
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation

pytestmark = pytest.mark.django_db

State = Delegate.State
ORGANISATION = {
    "name": "Sahel Women Migrants Network",
    "acronym": "SWMN",
    "country": "SN",
    "category": "diaspora",
    "consultative_status": "",
    "website": "",
    "enter": "1",
}
PEOPLE = [
    {"given_names": "Amina", "family_name": "Diallo", "email": "a@swmn.example", "role": "head"},
    {"given_names": "José Luis", "family_name": "Herrera", "email": "", "role": "speaker"},
    {"given_names": "Олена", "family_name": "", "email": "o@swmn.example", "role": "delegate"},
]


def words(response) -> str:
    """What a reader sees, in one line."""
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def post(client: Client, address: str, data: dict | None = None):
    return client.post(address, data or {}, follow=True)


def close(deadline: Deadline, now) -> None:
    Deadline.objects.filter(pk=deadline.pk).update(
        opens_at=now - timedelta(days=9), closes_at=now - timedelta(seconds=1)
    )


def states(registration: Registration) -> dict[str, int]:
    return dict(Counter(registration.delegates.values_list("state", flat=True)))


def letters() -> list[tuple[int, str]]:
    """Kind and what happened, in the order in which they were posted."""
    return [
        (letter.kind, "code" if letter.kind == Kind.SECRET else letter.key.split(":")[0])
        for letter in Letter.objects.order_by("posted_at")
    ]


@pytest.fixture
def real_door(settings) -> None:
    """Codes leave as rows, as in the running portal, and not into the test runner's box."""
    settings.EMAIL_BACKEND = "notifications.backends.OutboxBackend"


def sign_in(client: Client, address: str, email: str):
    """Through the one door, with the code that the letter brings."""
    response = post(client, address, {"email": email})
    code = re.search(r"^\s{4}(\S{6})$", Letter.objects.get(to=email).text, re.M)[1]
    return post(client, response.redirect_chain[-1][0], {"code": code})


def test_newcomer_registers_three_people(client, hearing, real_door):
    event_page = client.get(hearing.get_absolute_url())
    start = reverse("registrations:start", args=[hearing.slug])
    assert f'href="{start}"' in event_page.content.decode()
    door = client.get(start, follow=True)

    response = sign_in(client, door.redirect_chain[-1][0], "newcomer@swmn.example")
    assert response.request["PATH_INFO"] == start
    people = post(client, start, ORGANISATION)
    registration = Registration.objects.get()
    page = registration.get_absolute_url()
    assert people.request["PATH_INFO"] == f"{page}people/"
    for person in PEOPLE:
        post(client, f"{page}people/", person | {"more": "1"})
    check = client.get(f"{page}check/")
    assert "Send registration for 3 people" in words(check)
    status = post(client, f"{page}check/")

    assert status.request["PATH_INFO"] == page
    assert registration.reference in words(status)
    assert words(status).count("Being checked") == 4  # the step, and each person
    assert states(Registration.objects.get()) == {State.SUBMITTED: 3}
    assert letters() == [(Kind.SECRET, "code"), (Kind.TRANSACTIONAL, "received")]


def test_a_new_group_sees_its_tasks_first_where_more_is_asked_of_it(at_desk, hearing):
    Track.objects.create(event=hearing, name_en="In the room")

    hub = post(at_desk, reverse("registrations:start", args=[hearing.slug]), ORGANISATION)

    assert hub.request["PATH_INFO"] == Registration.objects.get().get_absolute_url()
    assert [task["status"] for task in hub.context["tasks"]] == [
        "In progress",
        "Not started",
        "Not ready yet",
    ]


def test_the_last_person_leads_on_to_check_and_send(at_desk, page, draft):
    check = post(at_desk, f"{page}people/", PEOPLE[1])

    assert check.request["PATH_INFO"] == f"{page}check/"
    assert "José Luis Herrera" in words(check)


def test_task_list_says_what_is_done_and_what_is_missing(at_desk, hearing, diaspora_network):
    start = reverse("registrations:start", args=[hearing.slug])

    hub = post(at_desk, start, {"organisation": diaspora_network.id, "choose": "1"})

    assert [(task["title"], task["status"]) for task in hub.context["tasks"]] == [
        ("Your organisation", "Completed"),
        ("People in your delegation", "Not started"),
        ("Check and send", "Not ready yet"),
    ]
    post(at_desk, f"{hub.request['PATH_INFO']}people/", PEOPLE[0])
    hub = at_desk.get(hub.request["PATH_INFO"])
    assert [task["status"] for task in hub.context["tasks"]] == [
        "Completed",
        "Completed",
        "Ready to send",
    ]


def test_address_without_at_sign_gets_a_sentence_and_nothing_is_lost(at_desk, page):
    typed = PEOPLE[2] | {"email": "olena.example.org", "access_needs": "A ramp,\nplease"}

    response = at_desk.post(f"{page}people/", typed)

    sentence = "This is not a whole email address. Write it like name@example.org"
    html = response.content.decode()
    assert response.status_code == 200
    assert "<title>Error: " in html
    assert f'<a href="#id_email">{sentence}</a>' in html
    assert re.search(rf'id="id_email_error".*{re.escape(sentence)}', html)
    returned = at_desk.get(f"{page}people/").content.decode()
    for kept in (html, returned):
        assert 'value="Олена"' in kept
        assert 'value="olena.example.org"' in kept
        assert "A ramp,\nplease</textarea>" in kept
        assert re.search(r'value="delegate"[^>]*checked', kept)
    assert Delegate.objects.count() == 1


def test_person_that_becomes_valid_is_forgotten_as_typed(at_desk, page):
    at_desk.post(f"{page}people/", PEOPLE[2] | {"email": "olena.example.org"})

    post(at_desk, f"{page}people/", PEOPLE[2])

    assert Registration.objects.get().unfinished == {}
    assert 'value="Олена"' not in at_desk.get(f"{page}people/").content.decode()


def test_what_is_typed_and_not_saved_is_said_until_it_is_emptied(at_desk, page):
    at_desk.post(f"{page}people/", PEOPLE[2] | {"email": "olena.example.org"})
    assert "typed but not saved yet" in words(at_desk.get(f"{page}check/"))

    at_desk.post(f"{page}people/", {"given_names": "", "email": " ", "role": "delegate"})

    assert "typed but not saved yet" not in words(at_desk.get(f"{page}check/"))


def test_removed_person_leaves_nothing_unfinished(at_desk, page, draft):
    person = draft.delegates.get()
    at_desk.post(f"{page}people/{person.pk}/", PEOPLE[2] | {"email": "olena.example.org"})
    check = at_desk.get(f"{page}check/").content.decode()
    assert f'<a href="{person.get_absolute_url()}">Go on with it</a>' in check

    post(at_desk, f"{page}people/{person.pk}/remove/")

    hub = at_desk.get(page)
    assert [task["status"] for task in hub.context["tasks"]] == [
        "Completed",
        "Not started",
        "Not ready yet",
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"more": "1"},
        {"given_names": "\x00", "email": "\x00@", "role": "\x00"},
        {"given_names": "x" * 5000, "email": "x" * 5000, "role": "emperor"},
        {"given_names": " \n ", "role": "delegate"},
    ],
)
def test_bad_input_is_answered_with_sentences(at_desk, page, typed):
    response = at_desk.post(f"{page}people/", typed)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert Delegate.objects.count() == 1


def test_markup_and_breaks_in_names_are_shown_as_typed(at_desk, page):
    post(at_desk, f"{page}people/", {"given_names": "<b>Eve</b>\r\nBcc: x", "role": "delegate"})

    response = at_desk.get(f"{page}people/")

    assert "<bdi>&lt;b&gt;Eve&lt;/b&gt; Bcc: x</bdi>" in response.content.decode()


def test_second_head_is_refused_beside_the_role(at_desk, page):
    response = at_desk.post(f"{page}people/", PEOPLE[0])

    assert response.context["form"].errors == {
        "role": ["Aïssata Traoré is the head of your delegation. There can be only one."]
    }


def test_person_is_changed_and_removed(at_desk, page, draft):
    person = draft.delegates.get()

    post(at_desk, f"{page}people/{person.pk}/", PEOPLE[0])
    person.refresh_from_db()
    assert str(person) == "Amina Diallo"
    post(at_desk, f"{page}people/{person.pk}/remove/")

    assert not draft.delegates.exists()


def test_deadline_that_passes_before_sending_keeps_the_draft(at_desk, page, deadline, now):
    close(deadline, now)
    deadline.refresh_from_db()

    response = at_desk.post(f"{page}check/")

    assert f"Registration closed on {deadline.said}." in words(response)
    assert "Send registration for" not in words(response)
    assert Registration.objects.get().is_draft
    assert states(Registration.objects.get()) == {State.DRAFT: 1}
    assert letters() == []
    for place in ("", "people/", "check/"):
        shown = words(at_desk.get(page + place))
        assert f"It closed on {deadline.said}." in shown
        assert "Everything you typed is kept." in shown
        assert "Send registration for" not in shown


def test_closed_event_says_so_before_anything_is_typed(elsewhere, hearing, deadline, now):
    close(deadline, now)

    response = elsewhere.get(reverse("registrations:start", args=[hearing.slug]))

    assert "You cannot register now" in words(response)
    assert 'name="organisation"' not in response.content.decode()


def test_question_is_answered_and_the_person_waits_again(at_desk, sent, page, clara, now):
    person = sent.delegates.get(role="speaker")
    decisions.ask(sent, [person], by=clara, now=now, question="Which topic?\nIn one line.")

    status = at_desk.get(page)
    assert "One thing to do" in words(status)
    assert "Which topic? In one line." in words(status)
    assert f'href="{person.get_absolute_url()}#answer"' in status.content.decode()
    response = at_desk.post(person.get_absolute_url(), {"answer": " "})
    assert response.context["form"].errors == {"answer": ["Write your answer."]}
    response = post(at_desk, person.get_absolute_url(), {"answer": "Remittances"})

    assert "Remittances" in words(response)
    person.refresh_from_db()
    assert person.state == State.SUBMITTED
    assert "One thing to do" not in words(at_desk.get(page))
    assert Letter.objects.filter(key__startswith="answered:").count() == 1


def test_answer_that_comes_too_late_is_not_lost(at_desk, sent, page, clara, now):
    person = sent.delegates.get(role="speaker")
    decisions.ask(sent, [person], by=clara, now=now, question="Which topic?")
    decisions.approve(sent, [person], by=clara, now=now)

    response = at_desk.post(person.get_absolute_url(), {"answer": "Remittances"})

    assert "There is no open question about Fatoumata Sow." in words(response)
    assert "Remittances" in words(response)


def test_decline_shows_its_reason(at_desk, sent, page, clara, now):
    person = sent.delegates.get(role="head")
    decisions.decline(sent, [person], by=clara, now=now, reason="Not on the list <yet>.")

    response = at_desk.get(person.get_absolute_url())

    assert "Why the organisers said no Not on the list &lt;yet&gt;." in words(response)


def test_one_is_withdrawn_then_all_then_the_group_begins_again(
    at_desk, sent, page, hearing, diaspora_network
):
    one = sent.delegates.get(role="speaker")
    confirm = at_desk.get(f"{page}people/{one.pk}/withdraw/")
    assert "Withdraw Fatoumata Sow ?" in words(confirm)
    assert states(sent) == {State.SUBMITTED: 3}

    post(at_desk, f"{page}people/{one.pk}/withdraw/")
    assert states(sent) == {State.SUBMITTED: 2, State.WITHDRAWN: 1}
    assert "no longer expected" in words(at_desk.get(f"{page}withdraw/"))
    status = post(at_desk, f"{page}withdraw/")
    assert "This registration is withdrawn" in words(status)
    assert states(sent) == {State.WITHDRAWN: 3}
    start = reverse("registrations:start", args=[hearing.slug])
    assert f'href="{start}"' in status.content.decode()
    hub = post(at_desk, start, {"organisation": diaspora_network.id, "choose": "1"})

    assert hub.request["PATH_INFO"] == page
    assert "Draft, not sent" in words(hub)
    assert states(sent) == {State.DRAFT: 3}
    assert [what for _kind, what in letters()] == ["received", "person_withdrawn", "withdrawn"]


def test_declined_person_stays_declined_when_the_group_begins_again(
    at_desk, sent, page, hearing, diaspora_network, clara, amina, now
):
    person = sent.delegates.get(role="head")
    decisions.decline(sent, [person], by=clara, now=now, reason="Not on the list.")
    intake.withdraw(sent, by=amina, now=now)
    intake.begin(hearing, diaspora_network, by=amina, now=now)

    assert "Send registration for 2 people" in words(at_desk.get(f"{page}check/"))
    assert "Not on the list." in words(at_desk.get(person.get_absolute_url()))
    post(at_desk, f"{page}check/")

    assert states(sent) == {State.DECLINED: 1, State.SUBMITTED: 2}
    last = Letter.objects.filter(key__startswith="received:").latest("posted_at")
    assert "2 people were sent:\n" in last.text


@pytest.mark.parametrize(
    "place",
    [
        "",
        "organisation/",
        "people/",
        "check/",
        "withdraw/",
        "ask/",
        "{0}/",
        "{0}/withdraw/",
        "{0}/replace/",
    ],
)
def test_another_group_finds_nothing_and_a_stranger_is_led_to_sign_in(
    elsewhere, client, sent, page, place
):
    address = page + place.format(f"people/{sent.delegates.first().pk}")

    for ask in (elsewhere.get, elsewhere.post):
        assert ask(address).status_code == 404
    for ask in (client.get, client.post):
        response = ask(address)
        assert (response.status_code, response.headers["Location"]) == (
            302,
            f"/en/accounts/login/?next={address}",
        )
    assert states(sent) == {State.SUBMITTED: 3}


def test_person_of_another_group_is_not_reached_through_ones_own_registration(
    elsewhere, draft, hearing, bo, port_workers, now
):
    own = intake.begin(hearing, port_workers, by=bo, now=now)
    person = draft.delegates.get()

    address = f"{own.get_absolute_url()}people/{person.pk}/"

    assert elsewhere.get(address).status_code == 404
    assert elsewhere.post(f"{address}remove/").status_code == 404
    assert draft.delegates.count() == 1


def test_nobody_is_added_to_what_was_sent(at_desk, sent, page):
    response = post(at_desk, f"{page}people/", PEOPLE[1])

    assert f"This registration ({sent.reference}) was sent." in words(response)
    assert f'value="{PEOPLE[1]["given_names"]}"' in response.content.decode()
    assert sent.delegates.count() == 3


def test_who_changes_somebody_after_the_decision_is_told_and_keeps_what_was_typed(
    at_desk, sent, page
):
    delegate = sent.delegates.in_order().first()
    sent.delegates.update(state="approved")

    response = post(at_desk, f"{page}people/{delegate.pk}/", PEOPLE[1])

    assert "Aïssata Traoré (Approved) no longer waits for a decision." in words(response)
    assert f'value="{PEOPLE[1]["given_names"]}"' in response.content.decode()


def test_a_wrong_website_is_kept_until_it_is_right(at_desk, draft, page):
    facts = {"name": "Diaspora Network", "country": "ML", "category": "diaspora"}
    post(at_desk, f"{page}organisation/", facts | {"website": "nowhere at all"})

    assert 'value="nowhere at all"' in at_desk.get(f"{page}organisation/").content.decode()

    post(at_desk, f"{page}organisation/", facts | {"website": "https://diaspora.example"})
    draft.refresh_from_db()
    assert draft.unfinished == {}


@pytest.mark.parametrize("reference", ["%00", "gcm-7f3k-92qd", "GCM-7F3K-92QD%00", "x" * 300])
def test_what_is_no_reference_is_not_found(at_desk, reference):
    assert at_desk.get(f"/en/registrations/{reference}/").status_code == 404


def test_sending_twice_posts_one_letter(at_desk, draft, page):
    for _time in range(2):
        response = post(at_desk, f"{page}check/")

    assert response.request["PATH_INFO"] == page
    assert [what for _kind, what in letters()] == ["received"]


def test_my_registrations_lists_drafts_and_leads_newcomers_to_what_is_open(
    at_desk, elsewhere, draft
):
    mine = reverse("registrations:mine")

    assert draft.reference in words(at_desk.get(mine))
    empty = elsewhere.get(mine)
    assert draft.reference not in words(empty)
    assert f'href="{reverse("pages:home")}#open"' in empty.content.decode()


def test_known_organisation_is_not_entered_twice(elsewhere, hearing, diaspora_network):
    start = reverse("registrations:start", args=[hearing.slug])
    twin = ORGANISATION | {"name": "DIASPORA network", "country": "ML"}

    response = elsewhere.post(start, twin)

    assert "is known here already" in words(response)
    assert Organisation.objects.count() == 2
    assert not Registration.objects.exists()


@pytest.mark.parametrize("place", ["", "people/", "check/", "organisation/", "withdraw/"])
def test_arabic_pages_run_from_right_to_left_and_stay_arabic(at_desk, page, place):
    html = at_desk.get(page.replace("/en/", "/ar/") + place).content.decode()

    assert '<html lang="ar" dir="rtl"' in html
    inward = re.findall(r' (?:href|action)="(/(?:ar|en)/[^"]*)"', html)
    assert [address for address in inward if address.startswith("/en/")] == [page + place]
    assert len(inward) > 6


def test_no_page_carries_a_style_or_script_of_its_own(at_desk, draft, page):
    person = draft.delegates.get()
    places = ["", "organisation/", "people/", f"people/{person.pk}/", "check/", "withdraw/"]
    addresses = [page + place for place in places] + [
        "/en/registrations/",
        "/en/events/hearing/register/",
    ]
    for address in addresses:
        html = at_desk.get(address).content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", html), address


def test_event_page_asks_the_database_little(client, hearing, django_assert_num_queries):
    """The clock, the event with all that is its own, deadlines, their changes."""
    with django_assert_num_queries(4):
        client.get(hearing.get_absolute_url())


def test_the_sixth_person_costs_as_many_queries_as_the_first(
    at_desk, page, django_assert_num_queries
):
    for number in range(6):
        person = {"given_names": f"Person {number}", "role": "delegate", "more": "1"}
        with django_assert_num_queries(17):
            at_desk.post(f"{page}people/", person)

    with django_assert_num_queries(18):
        at_desk.post(f"{page}check/")
    assert states(Registration.objects.get()) == {State.SUBMITTED: 7}
