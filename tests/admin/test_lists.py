"""Lists answer what their own filters and links ask, and nothing else."""

from datetime import date, time

import pytest
from django.contrib import admin
from django.urls import reverse

from clock import walls
from notifications import outbox
from notifications.models import Kind, Letter
from tests.admin.conftest import NEW_YORK

LETTERS = reverse("admin:notifications_letter_changelist")
PEOPLE = reverse("admin:registrations_delegate_changelist")


@pytest.fixture
def secret(now) -> Letter:
    return outbox.post(
        key="code",
        to="amina@diaspora.example",
        language="en",
        subject="Your code",
        text="ABC123",
        html="",
        kind=Kind.SECRET,
        now=now,
    )


@pytest.mark.parametrize(
    "query",
    [
        "text__contains=ABC",
        "kind__exact=1&text__startswith=ABC",
        "subject__regex=(",
        "posted_at__year=0",
        "key=code",
        "kind__gt=0",
    ],
)
def test_a_letter_is_not_found_by_what_its_page_does_not_show(root_in, secret, query):
    assert root_in.get(f"{LETTERS}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("url", "query"),
    [
        (PEOPLE, "representative__email__contains=a"),
        (PEOPLE, "access_needs__contains=a"),
        (PEOPLE, "registration__event__process__slug=gcm"),
        (reverse("admin:events_event_changelist"), "note__contains=a"),
    ],
)
def test_nor_is_any_other_row(clara_in, sent, url, query):
    assert clara_in.get(f"{url}?{query}").status_code == 400


def test_the_letters_about_one_thing_are_found(clara_in, sent, sent_by_bo):
    found = clara_in.get(LETTERS, {"about": sent.pk}).context["cl"].result_list

    assert [letter.about for letter in found] == [sent.pk]


def lists():
    return [
        (reverse(f"admin:{one.page_name('changelist')}"), one)
        for one in admin.site._registry.values()
    ]


def test_every_filter_of_every_list_works(root_in, sent, sent_by_bo, deadline):
    tried = 0
    for url, _admin in lists():
        page = root_in.get(url)
        for spec in page.context["cl"].filter_specs:
            for choice in spec.choices(page.context["cl"]):
                assert root_in.get(url + choice["query_string"]).status_code == 200, choice
                tried += 1
    assert tried > 30


@pytest.mark.parametrize("value", ["", "(", "9" * 30, "x,y"])
def test_no_value_of_a_filter_breaks_a_list(root_in, sent, deadline, value):
    for url, one in lists():
        filters = one.list_filter
        names = [
            name if isinstance(name, str) else getattr(name, "parameter_name", None) or name[0]
            for name in filters
        ]
        for name in [*names, "about", "q", "o", "p", "e"]:
            for how in ("", "__exact", "__id__exact", "__isnull", "__in"):
                status = root_in.get(url, {name + how: value}).status_code
                assert status in (200, 302, 400), (url, name + how)


def test_a_nul_leads_back_to_the_whole_list(root_in, sent, deadline):
    for url, _admin in lists():
        for name in ("state", "q", "about", "role__exact", "o"):
            response = root_in.get(f"{url}?{name}=%00x")
            assert (response.status_code, response.url) == (302, url), name


@pytest.mark.parametrize("typed", [{}, {"confirm": "yes", "reason": "x", "question": "x"}])
@pytest.mark.parametrize("action", ["approve", "decline", "ask"])
@pytest.mark.parametrize("chosen", ["notauuid", "", "\x00", "7"])
def test_who_is_not_chosen_by_an_id_is_turned_away(clara_in, sent, action, chosen, typed):
    both = [chosen, sent.delegates.first().pk]

    response = clara_in.post(PEOPLE, {"action": action, "_selected_action": both, **typed})
    page = clara_in.get(response.url)

    assert [str(message) for message in page.context["messages"]] == [
        "None of these people is in your list. Nothing was changed."
    ]
    assert set(sent.delegates.values_list("state", flat=True)) == {"submitted"}


def test_the_attendee_list_says_in_short_when_it_was_sent(clara_in, sent):
    sent.sent_at = walls.moment(date(2035, 11, 21), time(23, 55), NEW_YORK)
    sent.save()

    page = clara_in.get(PEOPLE).content.decode()

    assert "Sent (time of the event)" in page
    assert page.count(">21 November 2035, 23:55<") == 3


@pytest.mark.parametrize(
    ("state", "tag"),
    [
        ("submitted", '<span class="tag">Waits for a decision</span>'),
        ("more_information", '<span class="tag warn">Asked, waits for the answer</span>'),
        ("approved", '<span class="tag ok">Approved</span>'),
        ("declined", '<span class="tag bad">Declined</span>'),
        ("withdrawn", '<span class="tag">Withdrawn</span>'),
    ],
)
def test_states_are_tags(clara_in, sent, state, tag):
    sent.delegates.update(state=state)
    person = sent.delegates.first()

    assert clara_in.get(PEOPLE).content.decode().count(tag) == 3
    change = reverse("admin:registrations_delegate_change", args=[person.pk])
    assert tag in clara_in.get(change).content.decode()
