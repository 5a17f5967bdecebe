"""An entry that was taken into another one is found by nobody, and leads there."""

from datetime import timedelta

import pytest
from django.urls import reverse

from stakeholders import membership, refusals
from stakeholders.models import Membership, Organisation, Representative
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def stub(diaspora_network) -> Organisation:
    return Organisation.objects.create(
        name="Diaspora Network", country="SN", merged_into=diaspora_network
    )


def test_it_is_in_no_list_and_in_no_search(diaspora_network, stub):
    assert list(Organisation.objects.all()) == [diaspora_network]
    assert Organisation.objects.like("Diaspora Network") == [diaspora_network]
    assert set(Organisation.everyone.all()) == {diaspora_network, stub}


def test_its_name_is_free_for_another_one(stub, bo, now):
    membership.found(Organisation(name="Diaspora Network", country="SN"), by=bo, now=now)


def test_verbs_that_come_late_say_where_to_go_on(stub, amina, bo, clara, now):
    asked = Membership.objects.create(user=bo, organisation=stub, state="asked", since=now)
    acts = [
        lambda: membership.ask(stub, by=bo, now=now),
        lambda: membership.correct(stub, by=clara, now=now),
        lambda: membership.invite(stub, email="x@diaspora.example", by=amina, now=now),
        lambda: membership.agree(asked, by=amina, now=now),
        lambda: membership.appoint(stub, email="x@diaspora.example", by=clara, now=now),
    ]
    stub.acronym = "DNS"

    for act in acts:
        with pytest.raises(refusals.TakenIn) as refused:
            act()
        assert str(refused.value) == (
            "“Diaspora Network” is the same organisation as “Diaspora Network” here. Go on there."
        )


def test_a_request_that_was_left_there_troubles_no_sweep(stub, bo, now):
    since = now - timedelta(days=40)
    Membership.objects.create(user=bo, organisation=stub, state="asked", since=since)

    membership.settle_due(now=now)

    assert Membership.objects.get(organisation=stub).state == "asked"


def test_links_lead_whoever_belongs_there_to_the_one_that_is_kept(
    diaspora_network, stub, amina, bo
):
    def led(user, name) -> tuple[int, str]:
        answer = signed_in(user).get(reverse(f"stakeholders:{name}", args=[stub.pk]))
        return answer.status_code, answer.get("Location", "")

    page, ask = (
        reverse(f"stakeholders:{name}", args=[diaspora_network.pk])
        for name in ("organisation", "ask")
    )
    assert led(amina, "organisation") == (302, page)
    assert led(bo, "organisation") == (404, "")
    assert led(bo, "ask") == (302, ask)


def test_a_person_who_was_taken_in_can_be_entered_again(diaspora_network):
    facts = {"given_names": "Moussa", "family_name": "Keita", "email": ""}
    kept = Representative.objects.create(organisation=diaspora_network, given_names="Moussa")
    stub = Representative.objects.create(organisation=diaspora_network, merged_into=kept, **facts)

    again = Representative.objects.known_as(diaspora_network, **facts)

    assert again not in (kept, stub)
    assert set(diaspora_network.representatives.all()) == {kept, again}
