"""What happened to an organisation and to an event, as each organiser may read it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit import trail
from events import roles
from registrations import decisions, invitations
from stakeholders import membership
from tests.conftest import signed_in


def history(client: Client, thing, **query) -> list:
    opts = thing._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_history", args=[thing.pk])
    return client.get(url, query).context["lines"]


@pytest.fixture
def reviewer_in(process, now) -> Client:
    user = User.objects.create_user("rita@secretariat.example", name="Rita")
    roles.grant(user, on=process, kind="reviewer", by=None, now=now)
    return signed_in(user)


@pytest.fixture
def asked(sent, bo, now):
    return membership.ask(sent.organisation, by=bo, now=now, note="I run the office.")


def test_of_an_organisation_with_its_delegations_and_its_people(clara_in, sent, asked):
    lines = history(clara_in, sent.organisation)

    assert [(line.what, line.thing, line.name, line.who) for line in lines] == [
        ("Asked to join", "membership", "Bo Santos: Diaspora Network", "Bo Santos"),
        ("Sent", "registration", f"{sent.reference} Diaspora Network", "Amina Diallo"),
        ("Draft begun", "registration", f"{sent.reference} Diaspora Network", "Amina Diallo"),
        ("Organisation entered", "organisation", "", "Amina Diallo"),
    ]


def test_its_people_are_told_only_to_who_may_see_them(reviewer_in, sent, asked):
    lines = history(reviewer_in, sent.organisation)

    assert [line.what for line in lines] == ["Sent", "Draft begun", "Organisation entered"]


def test_what_it_does_at_events_of_others_is_not_told(dina_in, clara_in, sent, second, now):
    other = User.objects.create_user("eva@secretariat.example")
    roles.grant(other, on=second, by=None, now=now)

    assert [line.what for line in history(clara_in, sent.organisation)][0] == "Sent"
    assert signed_in(other).get(
        reverse("admin:stakeholders_organisation_history", args=[sent.organisation_id])
    ).status_code in (302, 403)


def test_of_an_event_with_all_that_its_managers_did(
    clara_in, reviewer_in, sent, invitation, clara, now
):
    hearing = sent.event
    invitations.decline(invitation, now=now)
    decisions.approve(sent, list(sent.delegates.all()), by=clara, now=now)
    deadline = str(hearing.registration_deadline)
    own = [("Published", "event", ""), ("Deadline set", "deadline", deadline)]

    told = [(line.what, line.thing, line.name) for line in history(clara_in, hearing)]

    declined = ("Invitation declined", "invitation", f"Harbour Union: {hearing}")
    assert told == [declined, *own]
    read = [(line.what, line.thing, line.name) for line in history(reviewer_in, hearing)]
    assert read == own


def test_a_long_one_is_read_page_by_page_newest_first(
    clara_in, sent, clara, now, connection_queries
):
    organisation = sent.organisation
    many = [
        trail.act(clara, f"act {number}", about, at=now, scope=None)
        for number in range(30)
        for about in (sent, organisation)
    ]
    few = connection_queries(lambda: history(clara_in, organisation))
    trail.record_many(many)

    first, second = history(clara_in, organisation), history(clara_in, organisation, page="2")

    assert [line.what for line in first][:2] == ["Act 29", "Act 29"]
    assert (len(first), len(second)) == (50, 13)
    assert len(history(clara_in, organisation, page="nonsense")) == 50
    assert connection_queries(lambda: history(clara_in, organisation)) == few
