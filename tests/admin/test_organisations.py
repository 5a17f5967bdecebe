"""Organisations and their people, as organisers see and repair them."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import roles
from events.models import Event
from notifications.models import Letter
from registrations import intake
from registrations.models import Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db

HOSTILE = [
    "nul\x00@group.example",
    "<b>@group.example",
    "x" * 300 + "@group.example",
    "two@group.example\nBcc: all@group.example",
    "",
]


def page_of(thing, word: str = "change") -> str:
    return reverse(f"admin:stakeholders_{thing._meta.model_name}_{word}", args=[thing.pk])


def with_role(kind: str, hearing, now) -> Client:
    user = User.objects.create_user(f"{kind}@secretariat.example", name=kind.title())
    roles.grant(user, on=hearing, by=None, now=now, kind=kind)
    return signed_in(user)


@pytest.fixture
def organisation(sent) -> Organisation:
    """Amina's, which has sent a delegation."""
    return sent.organisation


@pytest.fixture
def asked(organisation, bo, now) -> Membership:
    return membership.ask(organisation, by=bo, now=now, note="I run <the> office.")


@pytest.fixture
def of_amina(organisation, amina) -> Membership:
    return amina.memberships.get()


@pytest.mark.parametrize(
    ("kind", "sees_facts", "sees_people"),
    [
        ("manager", True, True),
        ("reviewer", True, False),
        ("reader", True, False),
        ("door", False, False),
    ],
)
def test_facts_are_for_all_who_look_and_people_for_who_runs_the_event(
    organisation, of_amina, asked, hearing, now, kind, sees_facts, sees_people
):
    client = with_role(kind, hearing, now)

    facts, person = client.get(page_of(organisation)), client.get(page_of(of_amina))

    assert (facts.status_code == 200) == sees_facts
    assert ("amina@diaspora.example" in facts.content.decode()) == sees_people
    assert ("Amina Diallo" in facts.content.decode()) == sees_people
    assert (person.status_code == 200) == sees_people
    words = {
        word: client.get(page_of(thing, word)).status_code == 200
        for thing, word in [
            (organisation, "appoint"),
            (organisation, "correct"),
            (asked, "answer"),
            (of_amina, "remove"),
            (of_amina, "lost_mailbox"),
            (of_amina, "lost_factors"),
        ]
    }
    assert set(words.values()) == {sees_people}


def test_nothing_of_it_exists_for_organisers_of_other_events(
    dina_in, organisation, of_amina, asked
):
    for thing, word in [
        (organisation, "correct"),
        (organisation, "appoint"),
        (asked, "answer"),
        (of_amina, "remove"),
        (of_amina, "lost_mailbox"),
        (of_amina, "lost_factors"),
    ]:
        assert dina_in.get(page_of(thing, word)).status_code == 404
        assert dina_in.post(page_of(thing, word), {"confirm": "yes"}).status_code == 404
    for model in ("organisation", "membership"):
        page = dina_in.get(reverse(f"admin:stakeholders_{model}_changelist"))
        assert "Diaspora Network" not in page.content.decode()


def test_a_draft_shows_the_organisation_to_nobody(draft, clara_in, dina_in):
    assert clara_in.get(page_of(draft.organisation, "appoint")).status_code == 404


def test_a_focal_point_is_named_and_takes_over_at_once(clara_in, clara, organisation, amina):
    User.objects.filter(pk=amina.pk).update(is_active=False)
    url = page_of(organisation, "appoint")

    done = clara_in.post(
        url,
        {"email": "heir@diaspora.example", "reason": "Called the office.", "confirm": "yes"},
        follow=True,
    )

    said = [str(message) for message in done.context["messages"]]
    assert said == ["“Diaspora Network” has a focal point: heir@diaspora.example."]
    heir = User.objects.get(email="heir@diaspora.example")
    assert organisation.focal_points == [heir]
    assert Registration.objects.of(heir).count() == 1
    assert Letter.objects.get(to=heir.email).key.startswith("appointed:")
    entry = Entry.objects.get(verb="named focal point by the organisers")
    assert (entry.actor, entry.reason) == (clara, "Called the office.")
    history = clara_in.get(page_of(organisation, "history")).context["lines"]
    assert history[0].what == "Named focal point by the organisers"


@pytest.mark.parametrize("email", HOSTILE)
def test_what_is_no_address_is_said_beside_it_and_kept(clara_in, organisation, email):
    before = Membership.objects.count()

    page = clara_in.post(
        page_of(organisation, "appoint"), {"email": email, "reason": "Why.", "confirm": "yes"}
    )

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["email"]
    assert "Why." in page.content.decode()
    assert Membership.objects.count() == before


def test_a_request_is_answered_with_what_they_wrote_in_sight(clara_in, asked, bo):
    url = page_of(asked, "answer")
    page = clara_in.get(url).content.decode()
    assert "I run &lt;the&gt; office." in page
    assert "bo@ports.example" in page

    clara_in.post(url, {"answer": "focal_point", "confirm": "yes"})

    assert Membership.objects.get(pk=asked.pk).is_focal_point
    again = clara_in.post(url, {"answer": "no", "confirm": "yes"})
    assert again.context["form"].non_field_errors() == [
        "The request of Bo Santos does not wait for an answer any more."
    ]


def test_a_refusal_of_a_request_is_told(clara_in, asked, bo):
    clara_in.post(
        page_of(asked, "answer"), {"answer": "no", "reason": "Not theirs.", "confirm": "yes"}
    )

    assert Membership.objects.get(pk=asked.pk).state == "left"
    assert "Not theirs." in Letter.objects.get(to=bo.email).text


def test_an_organiser_does_not_agree_to_themselves(clara_in, clara, organisation, now):
    own = membership.ask(organisation, by=clara, now=now)

    page = clara_in.post(page_of(own, "answer"), {"answer": "member", "confirm": "yes"})

    assert page.context["form"].non_field_errors() == [
        "Somebody else has to decide that about you."
    ]


def test_removing_the_last_focal_point_says_what_follows(clara_in, of_amina, amina):
    url = page_of(of_amina, "remove")
    assert "has no focal point: nobody reads its letters" in " ".join(
        clara_in.get(url).content.decode().split()
    )

    clara_in.post(url, {"reason": "Not theirs.", "confirm": "yes"})

    assert Membership.objects.get(pk=of_amina.pk).state == "left"
    assert not Registration.objects.of(amina).exists()


def test_a_lost_mailbox_is_moved_with_a_reason(clara_in, of_amina, amina):
    url = page_of(of_amina, "lost_mailbox")
    before = clara_in.get(url)
    assert before.context["title"] == "Mailbox lost: Amina Diallo"
    assert "The account of amina@diaspora.example opens with another address" in (
        before.content.decode()
    )
    empty = clara_in.post(url, {"email": "a@new.example", "reason": " ", "confirm": "yes"})
    assert list(empty.context["form"].errors) == ["reason"]

    clara_in.post(url, {"email": "a@new.example", "reason": "Known voice.", "confirm": "yes"})

    amina.refresh_from_db()
    assert amina.email == "a@new.example"
    assert Entry.objects.about(amina).get().reason == "Known voice."


@pytest.mark.parametrize("email", [*HOSTILE, "bo@ports.example", "AMINA@diaspora.example"])
def test_an_address_that_cannot_be_moved_to_is_said_beside_it(clara_in, of_amina, amina, bo, email):
    page = clara_in.post(
        page_of(of_amina, "lost_mailbox"), {"email": email, "reason": "Why.", "confirm": "yes"}
    )

    assert list(page.context["form"].errors) == ["email"]
    assert "Why." in page.content.decode()
    amina.refresh_from_db()
    assert amina.email == "amina@diaspora.example"


def test_a_lost_phone_or_key_is_taken_away_with_a_reason(clara_in, of_amina, amina):
    url = page_of(of_amina, "lost_factors")
    typed = {"reason": "Known voice.", "confirm": "yes"}
    assert clara_in.get(url).context["title"] == "Phone or key lost: Amina Diallo"
    none_yet = clara_in.post(url, typed)
    assert len(none_yet.context["form"].non_field_errors()) == 1
    Authenticator.objects.create(user=amina, type="totp", data={})

    done = clara_in.post(url, typed)

    assert done["Location"] == page_of(of_amina)
    assert not Authenticator.objects.exists()
    assert Entry.objects.about(amina).get().reason == "Known voice."


def test_whoever_speaks_for_a_group_elsewhere_is_not_theirs_to_move(
    clara_in, root_in, of_amina, amina, port_workers, now
):
    Membership.objects.create(user=amina, organisation=port_workers, since=now)
    url = page_of(of_amina, "lost_mailbox")

    assert clara_in.get(url).status_code == 403
    assert clara_in.post(url, {"email": "a@new.example", "reason": "x"}).status_code == 403
    assert "lost_mailbox" not in clara_in.get(page_of(of_amina)).content.decode()
    assert root_in.get(url).status_code == 200


@pytest.mark.parametrize("state", ["asked", "invited"])
def test_whoever_may_come_into_a_group_elsewhere_is_not_theirs_to_move(
    clara_in, of_amina, amina, port_workers, now, state
):
    Membership.objects.create(
        user=amina, organisation=port_workers, kind="member", state=state, since=now
    )

    assert clara_in.get(page_of(of_amina, "lost_mailbox")).status_code == 403


def test_somebody_shut_out_who_belongs_to_a_group_elsewhere_is_not_theirs_to_move(
    clara_in, of_amina, amina, port_workers, now
):
    Membership.objects.create(user=amina, organisation=port_workers, since=now)
    User.objects.filter(pk=amina.pk).update(is_active=False)

    assert clara_in.get(page_of(of_amina, "lost_mailbox")).status_code == 403


def test_nobody_names_a_stranger_focal_point_to_move_their_account(
    clara_in, root_in, clara, organisation, now
):
    stranger = User.objects.create_user("stranger@elsewhere.example")
    there = membership.appoint(organisation, email=stranger.email, by=clara, now=now)

    for word in ("lost_mailbox", "lost_factors"):
        assert clara_in.get(page_of(there, word)).status_code == 403
        assert word not in clara_in.get(page_of(there)).content.decode()
        assert root_in.get(page_of(there, word)).status_code == 200


def test_an_organiser_is_moved_by_superusers_only(clara_in, organisation, process, now):
    colleague = User.objects.create_user("emil@secretariat.example")
    roles.grant(colleague, on=process, by=None, now=now)
    there = Membership.objects.create(user=colleague, organisation=organisation, since=now)

    assert clara_in.get(page_of(there, "lost_mailbox")).status_code == 403


def test_what_was_changed_meanwhile_is_not_overwritten_unseen(clara_in, organisation, amina, now):
    url = page_of(organisation, "correct")
    page = clara_in.get(url)
    shown = dict(page.context["hidden"])
    typed = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    theirs = Organisation.objects.get(pk=organisation.pk)
    theirs.website = "https://diaspora.example"
    membership.correct(theirs, by=amina, now=now)

    refused = clara_in.post(url, typed | shown | {"acronym": "DNW", "confirm": "yes"})

    assert "was changed while you were writing" in refused.content.decode()
    organisation.refresh_from_db()
    assert (organisation.acronym, organisation.website) == ("DN", "https://diaspora.example")

    again = dict(refused.context["hidden"])
    clara_in.post(url, typed | again | {"acronym": "DNW", "confirm": "yes"})
    organisation.refresh_from_db()
    assert organisation.acronym == "DNW"


def test_states_and_roles_are_not_typed(root_in, of_amina):
    typed = {"kind": "member", "state": "left", "user": "", "note": "x"}

    assert root_in.post(page_of(of_amina), typed).status_code == 403
    of_amina.refresh_from_db()
    assert (of_amina.kind, of_amina.state) == ("focal_point", "active")
    assert root_in.get(reverse("admin:stakeholders_membership_add")).status_code == 403
    assert root_in.get(page_of(of_amina, "delete")).status_code == 403


def test_what_waits_can_be_listed(clara_in, organisation, asked, of_amina):
    page = clara_in.get(reverse("admin:stakeholders_membership_changelist") + "?state__exact=asked")

    assert [row.pk for row in page.context["cl"].result_list] == [asked.pk]


def test_the_list_costs_the_same_for_many(clara_in, organisation, now, connection_queries):
    url = reverse("admin:stakeholders_membership_changelist")
    few = connection_queries(lambda: clara_in.get(url))
    for n in range(20):
        user = User.objects.create_user(f"{n}@diaspora.example")
        Membership.objects.create(
            user=user, organisation=organisation, kind="member", since=now - timedelta(days=n)
        )

    assert connection_queries(lambda: clara_in.get(url)) == few


def test_draft_of_another_event_does_not_open_it(dina_in, organisation, amina, now):
    intake.begin(Event.objects.get(slug="other-hearing"), organisation, by=amina, now=now)

    assert dina_in.get(page_of(organisation, "appoint")).status_code == 404
