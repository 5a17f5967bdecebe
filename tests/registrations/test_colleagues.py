"""Which members of a group work on which of its delegations; and what the others do not see."""

import re
import threading
from collections.abc import Callable

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events.models import Event, Track
from notifications.models import Letter
from registrations import colleagues, decisions, intake, refusals
from registrations.intake import Person
from registrations.models import Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db

NAMES = ("Aïssata", "Traoré", "aissata@diaspora.example")


@pytest.fixture
def join(diaspora_network, now) -> Callable[..., Membership]:
    """Somebody who is a member of Amina's organisation."""

    def join(name: str, organisation: Organisation = diaspora_network) -> Membership:
        user = User.objects.create_user(f"{name.lower()}@diaspora.example", name=name)
        return Membership.objects.create(
            user=user, organisation=organisation, kind="member", since=now
        )

    return join


@pytest.fixture
def musa(join) -> Membership:
    return join("Musa")


@pytest.fixture
def nora(join) -> Membership:
    return join("Nora")


def working_on(registration: Registration) -> list[str]:
    people = registration.colleagues.order_by("user__email").select_related("user")
    return [member.user.name for member in people]


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


# Putting on, taking off


def test_a_focal_point_puts_members_on_and_takes_them_off(draft, amina, musa, nora, now):
    colleagues.change(draft, on=[musa, nora], by=amina, now=now)
    colleagues.change(draft, on=[nora], off=[musa], by=amina, now=now)
    colleagues.change(draft, on=[nora], by=amina, now=now)

    assert working_on(draft) == ["Nora"]
    entries = Entry.objects.about(draft).filter(verb="colleagues changed").order_by("id")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"colleagues": ""}, {"colleagues": "Musa, Nora"}),
        ({"colleagues": "Musa, Nora"}, {"colleagues": "Nora"}),
    ]


def test_who_is_no_focal_point_puts_nobody_on(draft, amina, bo, clara, musa, nora, now):
    colleagues.change(draft, on=[musa], by=amina, now=now)

    for by in (musa.user, nora.user, bo, clara):
        with pytest.raises(refusals.OnlyFocalPoints):
            colleagues.change(draft, on=[nora], off=[musa], by=by, now=now)
    assert working_on(draft) == ["Musa"]


def test_a_member_of_another_group_is_not_put_on(draft, amina, join, port_workers, now):
    stranger = join("Stranger", port_workers)

    with pytest.raises(refusals.NoMember):
        colleagues.change(draft, on=[stranger], by=amina, now=now)
    assert working_on(draft) == []


@pytest.mark.parametrize("state", ["asked", "invited", "left"])
def test_who_is_not_a_member_yet_or_any_more_is_not_put_on(draft, amina, musa, now, state):
    Membership.objects.filter(pk=musa.pk).update(state=state)

    with pytest.raises(refusals.NoMember):
        colleagues.change(draft, on=[musa], by=amina, now=now)


def test_who_comes_back_to_the_organisation_works_on_nothing_yet(draft, amina, musa, now):
    colleagues.change(draft, on=[musa], by=amina, now=now)
    membership.remove(musa, by=amina, now=now)
    Membership.objects.filter(pk=musa.pk).update(state="active")

    assert list(Registration.objects.of(musa.user)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False])
def test_a_member_who_is_removed_at_the_same_time_is_not_left_on(
    at_once, meeting, draft, amina, musa, now, monkeypatch, is_locked
):
    has_looked, look = threading.Event(), colleagues.may_work_on

    def look_unlocked_and_dawdle(registration: Registration) -> QuerySet:
        found = look(registration)
        if not is_locked:
            monkeypatch.setattr(type(found), "select_for_update", lambda self, **how: self)
        return found

    def names_after_a_while(registration: Registration) -> str:
        if registration.colleagues.exists():
            has_looked.set()
            meeting()
        return ""

    def remove() -> None:
        has_looked.wait(20)
        membership.remove(musa, by=amina, now=now)
        meeting()

    monkeypatch.setattr(colleagues, "may_work_on", look_unlocked_and_dawdle)
    monkeypatch.setattr(colleagues, "_names", names_after_a_while)

    put_on, removed = at_once(
        lambda: colleagues.change(draft, on=[musa], by=amina, now=now), remove
    )

    assert (put_on, removed) == (None, None)
    assert (working_on(draft) == []) is is_locked


# A member begins


def test_a_member_who_begins_works_on_it(hearing, diaspora_network, musa, now):
    registration = intake.begin(hearing, diaspora_network, by=musa.user, now=now)

    assert working_on(registration) == ["Musa"]
    assert list(Registration.objects.of(musa.user)) == [registration]
    assert intake.begin(hearing, diaspora_network, by=musa.user, now=now) == registration


def test_a_focal_point_who_begins_is_no_colleague(draft):
    assert working_on(draft) == []


def test_a_member_does_not_get_into_what_colleagues_have_begun(draft, hearing, musa, now):
    with pytest.raises(refusals.BegunByColleagues, match="Ask a focal point"):
        intake.begin(hearing, draft.organisation, by=musa.user, now=now)

    assert working_on(draft) == []


def test_a_member_does_not_get_into_what_was_withdrawn(sent, hearing, amina, musa, now):
    intake.withdraw(sent, by=amina, now=now)

    with pytest.raises(refusals.BegunByColleagues):
        intake.begin(hearing, sent.organisation, by=musa.user, now=now)

    sent.refresh_from_db()
    assert sent.is_withdrawn


# What a member who works on it can do


@pytest.fixture
def with_musa(draft, amina, musa, now) -> Registration:
    colleagues.change(draft, on=[musa], by=amina, now=now)
    return draft


def test_a_member_fills_and_sends_and_the_letters_go_to_the_focal_points(with_musa, musa):
    musa_in, page = signed_in(musa.user), with_musa.get_absolute_url()
    person = {"given_names": "Binta", "family_name": "Ba", "role": "delegate"}

    assert with_musa.reference in words(musa_in.get(reverse("registrations:mine")))
    musa_in.post(f"{page}people/", person)
    sent = musa_in.post(f"{page}check/", follow=True)

    assert "Your delegation is registered." in words(sent)
    assert with_musa.delegates.filter(state="submitted").count() == 2
    received = Letter.objects.filter(key__startswith="received:")
    assert list(received.values_list("to", flat=True)) == ["amina@diaspora.example"]


def test_a_member_withdraws_a_person_of_what_was_sent(sent, amina, musa, now):
    colleagues.change(sent, on=[musa], by=amina, now=now)
    moussa = sent.delegates.get(representative__given_names="Moussa")

    signed_in(musa.user).post(f"{moussa.get_absolute_url()}withdraw/")

    moussa.refresh_from_db()
    assert moussa.state == "withdrawn"


def test_a_member_reads_the_facts_and_does_not_change_them(with_musa, musa):
    musa_in = signed_in(musa.user)
    address = f"{with_musa.get_absolute_url()}organisation/"

    page = musa_in.get(address)
    musa_in.post(
        address,
        {"name": "Mine now", "country": "SN", "category": "academia", "consultative_status": ""},
    )

    assert "Only a focal point of your organisation can change these facts." in words(page)
    assert "Mali" in words(page)
    assert 'name="name"' not in page.content.decode()
    assert Organisation.objects.get(pk=with_musa.organisation_id).name == "Diaspora Network"


def test_a_member_says_how_the_group_takes_part(with_musa, musa, hearing):
    track = Track.objects.create(event=hearing, name_en="Speakers", position=1)
    musa_in = signed_in(musa.user)
    address = f"{with_musa.get_absolute_url()}organisation/"

    wrong = musa_in.post(address, {"track": "x"})
    assert "Choose one from the list." in words(wrong)
    assert musa_in.post(address, {"track": str(track.pk)}).status_code == 302

    assert Registration.objects.get(pk=with_musa.pk).track == track


def test_a_member_does_not_choose_colleagues(with_musa, musa, nora):
    musa_in = signed_in(musa.user)
    address = reverse("registrations:colleagues", args=[with_musa.reference])

    assert address not in musa_in.get(with_musa.get_absolute_url()).content.decode()
    assert musa_in.get(address).status_code == 404
    assert musa_in.post(address, {"colleagues": [str(nora.pk)]}).status_code == 404
    assert working_on(with_musa) == ["Musa"]


# Those who do not work on it see nothing


def addresses(registration: Registration) -> list[str]:
    one, person = [registration.reference], registration.delegates.first()
    return [
        *(
            reverse(f"registrations:{name}", args=one)
            for name in (
                "registration",
                "organisation",
                "people",
                "check",
                "withdraw",
                "ask_in",
                "colleagues",
            )
        ),
        *(
            reverse(f"registrations:{name}", args=[*one, person.pk])
            for name in (
                "person",
                "remove_person",
                "withdraw_person",
                "replace",
                "confirm_person",
            )
        ),
    ]


POST_ONLY = ("/remove/", "/confirm/")


def sees_nothing_of(registration: Registration, user: User) -> None:
    client = signed_in(user)
    for address in addresses(registration):
        assert client.post(address, {"answer": "no"}).status_code == 404, address
        if not address.endswith(POST_ONLY):
            assert client.get(address).status_code == 404, address
    for address in (
        reverse("registrations:mine"),
        reverse("accounts:me"),
        reverse("stakeholders:mine"),
        reverse("stakeholders:organisation", args=[registration.organisation_id]),
        reverse("registrations:start", args=["hearing"]),
        reverse("pages:event", args=["hearing"]),
        reverse("pages:event_ics", args=["hearing"]),
        reverse("pages:home"),
    ):
        page = client.get(address).content.decode()
        for secret in (*NAMES, registration.reference):
            assert secret not in page, address
    assert list(Registration.objects.of(user)) == []


@pytest.fixture(params=["draft", "sent", "approved"])
def theirs(request, sent_or_draft) -> Registration:
    return sent_or_draft(request.param)


@pytest.fixture
def sent_or_draft(draft, amina, clara, now) -> Callable[[str], Registration]:
    def made(stage: str) -> Registration:
        if stage != "draft":
            intake.submit(draft, by=amina, now=now)
        if stage == "approved":
            decisions.approve(draft, list(draft.delegates.all()), by=clara, now=now)
        return draft

    return made


def test_another_member_sees_nothing_of_it(theirs, amina, musa, nora, now):
    colleagues.change(theirs, on=[musa], by=amina, now=now)

    sees_nothing_of(theirs, nora.user)
    assert list(Registration.objects.of(musa.user)) == [theirs]


def test_who_is_taken_off_sees_nothing_at_once(theirs, amina, musa, now):
    colleagues.change(theirs, on=[musa], by=amina, now=now)
    client = signed_in(musa.user)
    assert client.get(theirs.get_absolute_url()).status_code == 200

    colleagues.change(theirs, off=[musa], by=amina, now=now)

    assert client.get(theirs.get_absolute_url()).status_code == 404
    sees_nothing_of(theirs, musa.user)


@pytest.mark.parametrize("goes", ["leaves", "is removed", "is shut out"])
def test_who_has_left_sees_nothing_at_once(draft, amina, musa, now, goes):
    colleagues.change(draft, on=[musa], by=amina, now=now)
    client = signed_in(musa.user)
    assert client.get(draft.get_absolute_url()).status_code == 200

    if goes == "leaves":
        membership.leave(musa, by=musa.user, now=now)
    elif goes == "is removed":
        membership.remove(musa, by=amina, now=now)
    else:
        User.objects.filter(pk=musa.user_id).update(is_active=False)

    assert client.get(draft.get_absolute_url()).status_code in {302, 404}
    assert list(Registration.objects.of(User.objects.get(pk=musa.user_id))) == []


def test_a_focal_point_who_has_left_sees_nothing_at_once(draft, amina, musa, now):
    client = signed_in(amina)
    membership.make_focal_point(musa, by=amina, now=now)
    own = Membership.objects.get(user=amina)
    membership.leave(own, by=amina, now=now)

    assert client.get(draft.get_absolute_url()).status_code == 404
    assert draft.reference not in client.get(reverse("registrations:mine")).content.decode()
    assert signed_in(musa.user).get(draft.get_absolute_url()).status_code == 200


def test_a_member_sees_only_the_delegation_they_work_on(
    draft, hearing, process, amina, diaspora_network, musa, now
):
    """Not the people of the same organisation at another event."""
    other = Event.objects.get(pk=hearing.pk)
    other.pk, other.slug, other.name_en = None, "second", "Second hearing"
    other.save(force_insert=True)
    hearing.deadlines.get().__class__.objects.create(
        event=other, kind="registration", closes_at=hearing.registration_deadline.closes_at,
        set_at=now, zone=other.zone,
    )  # fmt: skip
    second = intake.begin(other, diaspora_network, by=amina, now=now)
    intake.add_person(second, Person("Secret", "Guest"), by=amina, now=now)
    colleagues.change(draft, on=[musa], by=amina, now=now)
    client = signed_in(musa.user)

    mine = client.get(reverse("registrations:mine")).content.decode()

    assert draft.reference in mine
    assert second.reference not in mine
    assert client.get(second.get_absolute_url()).status_code == 404
    assert "Secret" not in client.get(f"{draft.get_absolute_url()}people/").content.decode()


# The page


@pytest.fixture
def address(draft) -> str:
    return reverse("registrations:colleagues", args=[draft.reference])


def test_the_page_ticks_and_unticks(client, amina, draft, address, musa, nora):
    client.force_login(amina)
    assert address in client.get(draft.get_absolute_url()).content.decode()
    page = client.get(address)
    assert "Musa &lt;musa@diaspora.example&gt;" in page.content.decode()

    client.post(address, {"colleagues": [str(musa.pk), str(nora.pk)]})
    assert working_on(draft) == ["Musa", "Nora"]
    page = client.get(address)
    assert page.content.decode().count(" checked") == 2
    both = [str(musa.pk), str(nora.pk)]
    done = client.post(address, {"shown": both, "colleagues": [str(nora.pk)]}, follow=True)

    assert "Saved." in words(done)
    assert working_on(draft) == ["Nora"]


def test_what_another_focal_point_ticked_meanwhile_stays(client, amina, draft, address, musa, nora):
    """Amina’s page was made before somebody put Musa on."""
    client.force_login(amina)
    draft.colleagues.add(musa)

    client.post(address, {"colleagues": [str(nora.pk)]})

    assert working_on(draft) == ["Musa", "Nora"]


@pytest.mark.parametrize("typed", ["x", "\x00", "11111111-1111-1111-1111-111111111111", "x" * 9999])
def test_what_is_no_member_gets_a_sentence(client, amina, draft, address, musa, typed):
    client.force_login(amina)

    page = client.post(address, {"colleagues": [typed], "shown": [typed]})

    assert page.status_code == 200
    assert "is no longer a member. Look again." in words(page)
    assert working_on(draft) == []


def test_a_stranger_is_not_offered_and_not_taken(client, amina, draft, address, join, port_workers):
    stranger = join("Stranger", port_workers)
    client.force_login(amina)
    assert "Your organisation has no members yet." in words(client.get(address))

    client.post(address, {"colleagues": [str(stranger.pk)]})

    assert working_on(draft) == []


def test_another_group_finds_no_such_page(elsewhere_in, address, musa):
    assert elsewhere_in.get(address).status_code == 404
    assert elsewhere_in.post(address, {"colleagues": [str(musa.pk)]}).status_code == 404
    assert Client().get(address).status_code == 302


@pytest.fixture
def elsewhere_in(bo) -> Client:
    return signed_in(bo)
