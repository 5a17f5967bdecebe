"""How people come to speak for an organisation that is known, and how that ends."""

from datetime import timedelta

import pytest
from django.conf import settings

from accounts.models import User
from audit.models import Entry
from clock import shown
from notifications.models import Letter
from registrations.models import Registration
from stakeholders import membership, refusals
from stakeholders.models import Membership, Organisation, Representative

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def dana(db) -> User:
    return User.objects.create_user("dana@youth.example", name="Dana")


@pytest.fixture
def imported(db) -> Organisation:
    """Known from a list; nobody speaks for it."""
    return Organisation.objects.create(name="Youth Forum", acronym="YF", country="KE")


@pytest.fixture
def member(diaspora_network, dana, now) -> Membership:
    return Membership.objects.create(
        user=dana, organisation=diaspora_network, kind="member", since=now - 9 * DAY
    )


@pytest.fixture
def request_of_bo(diaspora_network, bo, now) -> Membership:
    return membership.ask(diaspora_network, by=bo, now=now, note="I run the office in Gao.")


def stands(organisation: Organisation) -> list[tuple[str, str, str]]:
    """Who, as what, and how."""
    rows = organisation.memberships.order_by("user__email")
    return list(rows.values_list("user__email", "kind", "state"))


def acts(membership: Membership) -> list[str]:
    return list(Entry.objects.about(membership).order_by("id").values_list("verb", flat=True))


def letters() -> list[tuple[str, str]]:
    rows = Letter.objects.exclude(state="cancelled")
    return sorted((letter.key.split(":")[0], letter.to) for letter in rows)


# Asking


def test_whoever_asks_sees_nothing_until_a_focal_point_says_yes(
    diaspora_network, amina, bo, request_of_bo, now
):
    assert stands(diaspora_network) == [
        ("amina@diaspora.example", "focal_point", "active"),
        ("bo@ports.example", "member", "asked"),
    ]
    assert diaspora_network not in Organisation.objects.spoken_for_by(bo)
    assert letters() == [("asks_to_join", "amina@diaspora.example")]

    membership.agree(request_of_bo, by=amina, now=now + DAY)

    held = Membership.objects.get(pk=request_of_bo.pk)
    assert (held.kind, held.state, held.since, held.note) == ("member", "active", now + DAY, "")
    assert diaspora_network in Organisation.objects.spoken_for_by(bo)
    assert diaspora_network not in Organisation.objects.led_by(bo)
    assert letters() == [("joined", "bo@ports.example")]
    assert acts(held) == ["asked to join", "request agreed to"]
    entry = Entry.objects.about(held).get(verb="request agreed to")
    assert (entry.actor, entry.at, entry.scope) == (amina, now + DAY, None)
    assert entry.after == {"user": str(bo.pk), "kind": "member"}


def test_asking_again_is_the_same_request(diaspora_network, bo, request_of_bo, now):
    again = membership.ask(diaspora_network, by=bo, now=now + DAY, note="Hello?")

    assert (again, again.since, again.note) == (request_of_bo, now, "I run the office in Gao.")
    assert len(letters()) == 1
    assert acts(again) == ["asked to join"]


def test_whoever_belongs_to_it_does_not_ask(diaspora_network, amina, now):
    there = membership.ask(diaspora_network, by=amina, now=now)

    assert (there.kind, there.state) == ("focal_point", "active")
    assert letters() == []


def test_a_refusal_is_told_with_its_reason_and_lasts_a_week(
    diaspora_network, amina, bo, request_of_bo, now
):
    membership.refuse_to_join(request_of_bo, by=amina, now=now, reason="Nobody knows you.")

    assert letters() == [("not_joined", "bo@ports.example")]
    assert "The reason:\nNobody knows you.\n" in Letter.objects.get(to=bo.email).text
    with pytest.raises(refusals.AskedLately):
        membership.ask(diaspora_network, by=bo, now=now + 7 * DAY - timedelta(seconds=1))
    again = membership.ask(diaspora_network, by=bo, now=now + 7 * DAY)
    assert again.state == "asked"


def test_nobody_agrees_to_themselves(diaspora_network, bo, request_of_bo, root, now):
    with pytest.raises(refusals.NotForOneself):
        membership.agree(request_of_bo, by=bo, now=now)
    asked = membership.ask(diaspora_network, by=root, now=now)

    with pytest.raises(refusals.NotForOneself):
        membership.agree(asked, by=root, now=now)
    with pytest.raises(refusals.NotForOneself):
        membership.remove(asked, by=root, now=now)


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@secretariat.example", name="Root")


def test_members_and_strangers_answer_nobody(request_of_bo, member, dana, clara, now):
    for stranger in (dana, clara, User.objects.create_user("eli@youth.example")):
        with pytest.raises(refusals.NotYours):
            membership.agree(request_of_bo, by=stranger, now=now)
        with pytest.raises(refusals.NotYours):
            membership.refuse_to_join(request_of_bo, by=stranger, now=now)


def test_organisers_answer_for_groups_that_have_sent_to_their_events(
    sent, clara, request_of_bo, now
):
    membership.agree(request_of_bo, by=clara, kind="focal_point", now=now)

    assert Membership.objects.get(pk=request_of_bo.pk).is_focal_point


def test_a_request_is_answered_once(request_of_bo, amina, now):
    membership.agree(request_of_bo, by=amina, now=now)

    with pytest.raises(refusals.AnsweredAlready) as refused:
        membership.refuse_to_join(request_of_bo, by=amina, now=now)

    assert str(refused.value) == "The request of Bo Santos does not wait for an answer any more."


def test_five_requests_of_one_person_may_be_open(dana, bo, now):
    groups = [Organisation.objects.create(name=f"Group {n}", country="KE") for n in range(6)]
    for group in groups:
        Membership.objects.create(user=bo, organisation=group)
    for group in groups[:5]:
        membership.ask(group, by=dana, now=now)

    with pytest.raises(refusals.TooManyAsks):
        membership.ask(groups[5], by=dana, now=now)

    membership.leave(dana.memberships.get(organisation=groups[0]), by=dana, now=now)
    assert membership.ask(groups[5], by=dana, now=now).state == "asked"


# Claiming


def test_whoever_asks_for_an_unclaimed_one_is_its_focal_point(imported, dana, now):
    claimed = membership.ask(imported, by=dana, now=now)

    assert (claimed.kind, claimed.state, claimed.since) == ("focal_point", "active", now)
    assert acts(claimed) == ["organisation claimed"]
    assert letters() == []


def test_the_second_one_asks_the_first(imported, dana, bo, now):
    membership.ask(imported, by=dana, now=now)

    assert membership.ask(imported, by=bo, now=now).state == "asked"
    assert letters() == [("asks_to_join", "dana@youth.example")]


def test_one_that_has_entered_people_is_not_claimed(imported, dana, now):
    """Its delegations would be a stranger's at once."""
    Representative.objects.create(organisation=imported, given_names="Awa")

    asked = membership.ask(imported, by=dana, now=now)

    assert (asked.state, asked.organisers_told_at) == ("asked", now)
    assert letters() == [("ask_unanswered", settings.CONTACT_EMAIL)]


def test_one_whose_focal_point_may_not_sign_in_is_the_organisers_to_give(
    sent, amina, clara, dana, now
):
    User.objects.filter(pk=amina.pk).update(is_active=False)
    Letter.objects.all().delete()

    asked = membership.ask(sent.organisation, by=dana, now=now)

    assert asked.state == "asked"
    assert letters() == [("ask_unanswered", "clara@secretariat.example")]


def test_a_sixth_claim_is_looked_at(dana, now):
    groups = [Organisation.objects.create(name=f"Group {n}", country="KE") for n in range(6)]

    states = [membership.ask(group, by=dana, now=now).state for group in groups]

    assert states == ["active"] * 5 + ["asked"]


# The stated time


def test_after_seven_days_the_organisers_are_told_once(sent, clara, request_of_bo, now):
    Letter.objects.all().delete()
    membership.settle_due(now=now + 7 * DAY - timedelta(seconds=1))
    assert letters() == []

    membership.settle_due(now=now + 7 * DAY)
    membership.settle_due(now=now + 8 * DAY)

    assert letters() == [("ask_unanswered", "clara@secretariat.example")]
    request_of_bo.refresh_from_db()
    assert request_of_bo.organisers_told_at == now + 7 * DAY


def test_without_organisers_the_contact_is_told(request_of_bo, now):
    membership.settle_due(now=now + 7 * DAY)

    assert letters() == [
        ("ask_unanswered", settings.CONTACT_EMAIL),
        ("asks_to_join", "amina@diaspora.example"),
    ]


def test_after_thirty_days_a_request_lapses_with_a_letter(request_of_bo, amina, now):
    membership.settle_due(now=now + 30 * DAY)

    assert letters() == [("ask_lapsed", "bo@ports.example")]
    request_of_bo.refresh_from_db()
    assert request_of_bo.state == "left"
    assert acts(request_of_bo) == ["asked to join", "request lapsed"]
    entry = Entry.objects.about(request_of_bo).get(verb="request lapsed")
    assert entry.actor is None


def test_a_request_is_over_also_before_the_sweep_says_so(request_of_bo, amina, now):
    with pytest.raises(refusals.AnsweredAlready):
        membership.agree(request_of_bo, by=amina, now=now + 30 * DAY)


def test_an_invitation_lapses_without_a_letter(diaspora_network, amina, now):
    invited = membership.invite(diaspora_network, email="new@youth.example", by=amina, now=now)
    before = letters()

    with pytest.raises(refusals.InvitationOver):
        membership.accept(invited, by=invited.user, now=now + 30 * DAY)
    membership.settle_due(now=now + 30 * DAY)

    assert Membership.objects.get(pk=invited.pk).state == "left"
    assert [each for each in letters() if each not in before] == []


# Inviting


def test_a_newcomer_is_invited_accepts_and_belongs(diaspora_network, amina, now):
    amina.language, amina.zone = "ar", "Africa/Bamako"

    invited = membership.invite(diaspora_network, email="new@youth.example", by=amina, now=now)

    assert (invited.user.email, invited.user.name) == ("new@youth.example", "")
    assert (invited.user.language, invited.user.zone) == ("ar", "Africa/Bamako")
    assert not invited.user.has_usable_password()
    assert letters() == [("invited_to_join", "new@youth.example")]
    assert diaspora_network not in Organisation.objects.spoken_for_by(invited.user)

    membership.accept(invited, by=invited.user, now=now + DAY)
    membership.accept(invited, by=invited.user, now=now + DAY)

    assert ("new@youth.example", "member", "active") in stands(diaspora_network)
    assert acts(invited) == ["invited", "invitation accepted"]


def test_known_and_unknown_addresses_are_invited_alike(diaspora_network, amina, bo, now):
    User.objects.create_user("shut@youth.example", is_active=False)
    for email in ("BO@ports.example", "new@youth.example", "shut@youth.example"):
        membership.invite(diaspora_network, email=email, by=amina, now=now)

    assert {state for _who, _kind, state in stands(diaspora_network)} == {"active", "invited"}
    assert letters() == [
        ("invited_to_join", "bo@ports.example"),
        ("invited_to_join", "new@youth.example"),
    ]


def test_inviting_again_is_the_same_and_writes_again_a_day_later(diaspora_network, amina, bo, now):
    invited = membership.invite(diaspora_network, email=bo.email, by=amina, now=now)
    for moment in (now, now + DAY - timedelta(seconds=1), now + DAY):
        assert membership.invite(diaspora_network, email=bo.email, by=amina, now=moment) == invited

    assert len(letters()) == 2
    assert Membership.objects.get(pk=invited.pk).since == now + DAY


def test_asking_meets_an_invitation_and_the_other_way_round(
    diaspora_network, port_workers, amina, bo, now
):
    membership.invite(diaspora_network, email=bo.email, by=amina, now=now, kind="focal_point")
    assert membership.ask(diaspora_network, by=bo, now=now).is_focal_point

    membership.ask(port_workers, by=amina, now=now)
    assert membership.invite(port_workers, email=amina.email, by=bo, now=now).is_active


def test_only_the_invited_person_answers(diaspora_network, amina, bo, now):
    invited = membership.invite(diaspora_network, email="new@youth.example", by=amina, now=now)

    for verb in (membership.accept, membership.decline):
        with pytest.raises(refusals.NotYours):
            verb(invited, by=bo, now=now)


def test_who_declines_is_not_in_it_and_may_be_invited_again(diaspora_network, amina, bo, now):
    invited = membership.invite(diaspora_network, email=bo.email, by=amina, now=now)

    membership.decline(invited, by=bo, now=now)

    with pytest.raises(refusals.InvitationOver):
        membership.accept(invited, by=bo, now=now)
    assert letters() == []  # the letter that has not left is taken back
    again = membership.invite(diaspora_network, email=bo.email, by=amina, now=now + DAY)
    assert (again, again.state) == (invited, "invited")


def test_members_invite_nobody(diaspora_network, member, dana, now):
    with pytest.raises(refusals.NotYours):
        membership.invite(diaspora_network, email="x@youth.example", by=dana, now=now)


def test_twenty_invitations_may_be_open(diaspora_network, amina, now):
    for n in range(20):
        membership.invite(diaspora_network, email=f"{n}@youth.example", by=amina, now=now)

    with pytest.raises(refusals.TooManyInvitations):
        membership.invite(diaspora_network, email="one@more.example", by=amina, now=now)


def test_twenty_invitations_of_one_person_leave_in_a_day_taken_back_or_not(
    diaspora_network, port_workers, amina, bo, now
):
    amina.zone = "Africa/Bamako"
    own = [(diaspora_network, n) for n in range(10)] + [(port_workers, n) for n in range(10, 20)]
    Membership.objects.create(user=amina, organisation=port_workers, since=now)
    for organisation, n in own:
        at = now + timedelta(minutes=n)
        invited = membership.invite(organisation, email=f"{n}@youth.example", by=amina, now=at)
        membership.remove(invited, by=amina, now=at)

    last = now + DAY - timedelta(seconds=1)
    with pytest.raises(refusals.InvitedTooOften) as refused:
        membership.invite(diaspora_network, email="one@more.example", by=amina, now=last)

    again = shown.moment_and_zone(now + DAY, "Africa/Bamako")
    assert str(refused.value) == (
        f"You have invited 20 times within 24 hours. Invite again from {again}."
    )
    assert not User.objects.filter(email="one@more.example").exists()
    membership.invite(port_workers, email="one@more.example", by=bo, now=last)
    membership.invite(diaspora_network, email="one@more.example", by=amina, now=now + DAY)


def test_whoever_is_in_is_not_invited(diaspora_network, amina, member, now):
    with pytest.raises(refusals.InAlready):
        membership.invite(diaspora_network, email="DANA@youth.example", by=amina, now=now)


# Leaving, handing over, removing


def test_a_member_leaves_and_comes_back_without_delegations(draft, amina, member, dana, now):
    draft.colleagues.add(member)
    assert list(Registration.objects.of(dana)) == [draft]

    membership.leave(member, by=dana, now=now)

    assert list(Registration.objects.of(dana)) == []
    invited = membership.invite(draft.organisation, email=dana.email, by=amina, now=now)
    membership.accept(invited, by=dana, now=now)
    assert list(Registration.objects.of(dana)) == []
    assert acts(member) == ["left the organisation", "invited", "invitation accepted"]


def test_the_last_focal_point_hands_over_before_leaving(diaspora_network, amina, member, now):
    own = amina.memberships.get()
    with pytest.raises(refusals.LastFocalPoint):
        membership.leave(own, by=amina, now=now)
    with pytest.raises(refusals.LastFocalPoint):
        membership.make_member(own, by=amina, now=now)

    membership.hand_over(diaspora_network, to=member, by=amina, now=now)

    assert stands(diaspora_network) == [
        ("amina@diaspora.example", "member", "active"),
        ("dana@youth.example", "focal_point", "active"),
    ]
    assert letters() == [("role_changed", "dana@youth.example")]
    membership.leave(own, by=amina, now=now)
    assert stands(diaspora_network)[0] == ("amina@diaspora.example", "member", "left")


def test_whoever_is_alone_and_has_entered_nobody_may_leave(diaspora_network, amina, now):
    membership.leave(amina.memberships.get(), by=amina, now=now)

    assert stands(diaspora_network) == [("amina@diaspora.example", "focal_point", "left")]


def test_with_people_registered_somebody_must_stay(sent, amina, now):
    with pytest.raises(refusals.LastFocalPoint):
        membership.leave(amina.memberships.get(), by=amina, now=now)


def test_removing_ends_access_at_once(draft, amina, member, dana, now):
    draft.colleagues.add(member)

    membership.remove(member, by=amina, now=now, reason="Works elsewhere.")

    assert list(Registration.objects.of(dana)) == []
    assert not Organisation.objects.spoken_for_by(dana).exists()
    assert letters() == [("removed", "dana@youth.example")]
    entry = Entry.objects.about(member).get()
    assert (entry.verb, entry.reason) == ("removed from the organisation", "Works elsewhere.")


def test_members_remove_nobody(diaspora_network, amina, member, dana, now):
    with pytest.raises(refusals.NotYours):
        membership.remove(amina.memberships.get(), by=dana, now=now)


def test_an_invitation_is_taken_back_without_a_letter(diaspora_network, amina, bo, now):
    invited = membership.invite(diaspora_network, email=bo.email, by=amina, now=now)

    membership.remove(invited, by=amina, now=now)

    with pytest.raises(refusals.InvitationOver):
        membership.accept(invited, by=bo, now=now)
    assert letters() == []


def test_an_invitation_that_is_taken_back_and_repeated_writes_once_a_day(
    diaspora_network, amina, bo, now
):
    invited = membership.invite(diaspora_network, email=bo.email, by=amina, now=now)
    Letter.objects.update(state="sent", sent_at=now)

    for moment in (now, now + DAY):
        membership.remove(invited, by=amina, now=moment)
        membership.invite(diaspora_network, email=bo.email, by=amina, now=moment)

    assert acts(invited) == ["invited", "invitation taken back"] * 2 + ["invited"]
    assert letters() == [("invited_to_join", bo.email)] * 2


def test_an_address_of_other_letters_that_are_the_same_in_small_is_that_persons(
    diaspora_network, amina, dana, now
):
    kim = User.objects.create_user("kim@youth.example")

    invited = membership.invite(
        diaspora_network, email="\N{KELVIN SIGN}im@youth.example", by=amina, now=now
    )

    assert invited.user == kim
    assert letters() == [("invited_to_join", kim.email)]


def test_roles_change_with_a_letter_to_whom_they_concern(diaspora_network, amina, member, now):
    membership.make_focal_point(member, by=amina, now=now)
    membership.make_focal_point(member, by=amina, now=now)
    membership.make_member(member, by=amina, now=now + DAY)

    assert letters() == [("role_changed", "dana@youth.example")] * 2
    assert acts(member) == ["role changed", "role changed"]


def test_whoever_left_is_given_no_role(diaspora_network, amina, member, dana, now):
    membership.leave(member, by=dana, now=now)

    for verb in (membership.make_focal_point, membership.make_member, membership.remove):
        with pytest.raises(refusals.NotInIt):
            verb(member, by=amina, now=now)
    with pytest.raises(refusals.NotInIt):
        membership.hand_over(diaspora_network, to=member, by=amina, now=now)


def test_nothing_is_handed_to_somebody_of_another_organisation(diaspora_network, amina, bo, now):
    of_bo = bo.memberships.get()

    with pytest.raises(refusals.NotYours):
        membership.hand_over(diaspora_network, to=of_bo, by=amina, now=now)

    assert bo.memberships.get().is_focal_point


# Repairing


def test_organisers_name_a_focal_point_at_once(sent, amina, clara, now):
    Letter.objects.all().delete()
    User.objects.filter(pk=amina.pk).update(is_active=False)

    named = membership.appoint(
        sent.organisation, email="heir@diaspora.example", by=clara, now=now, reason="Called us."
    )

    assert sent.organisation.focal_points == [named.user]
    assert list(Registration.objects.of(named.user)) == [sent]
    assert letters() == [("appointed", "heir@diaspora.example")]
    entry = Entry.objects.about(named).get()
    assert (entry.actor, entry.verb, entry.reason) == (
        clara,
        "named focal point by the organisers",
        "Called us.",
    )
    again = membership.appoint(
        sent.organisation, email="heir@diaspora.example", by=clara, now=now + DAY
    )
    assert again == named
    assert len(letters()) == 1


# Who else is told of a new focal point


@pytest.fixture
def second(diaspora_network, now) -> User:
    """A focal point beside Amina."""
    user = User.objects.create_user("eli@youth.example", name="Eli")
    Membership.objects.create(user=user, organisation=diaspora_network, since=now)
    return user


def told(*, of: str) -> list[str]:
    """Who has a letter that somebody has become focal point, and who that is in each."""
    letters = Letter.objects.filter(key__startswith="point_added:").order_by("to")
    assert all(f"Who it is: {of}\n" in letter.text for letter in letters)
    return [letter.to for letter in letters]


def words_of_letter_to(user: User) -> str:
    return Letter.objects.get(key__startswith="point_added:", to=user.email).text


def test_focal_points_are_told_of_one_whom_organisers_name(sent, amina, second, clara, now):
    membership.appoint(sent.organisation, email="heir@diaspora.example", by=clara, now=now)

    assert told(of="heir@diaspora.example") == [amina.email, second.email]
    letter = words_of_letter_to(amina)
    assert "The organisers have named this person." in letter
    assert "Clara" not in letter


def test_focal_points_are_told_of_one_whom_organisers_let_in(
    sent, amina, request_of_bo, clara, now
):
    membership.agree(request_of_bo, by=clara, kind="focal_point", now=now)

    assert told(of="Bo Santos, bo@ports.example") == [amina.email]


def test_focal_points_are_told_of_one_whom_a_colleague_names_and_the_colleague_is_not(
    diaspora_network, amina, second, member, now
):
    membership.make_focal_point(member, by=amina, now=now)

    assert told(of="Dana, dana@youth.example") == [second.email]
    assert "Amina Diallo has named this person." in words_of_letter_to(second)


def test_focal_points_are_told_of_one_who_accepts_an_invitation(
    diaspora_network, amina, second, bo, now
):
    invited = membership.invite(
        diaspora_network, email=bo.email, by=amina, now=now, kind="focal_point"
    )
    assert told(of="nobody") == []

    membership.accept(invited, by=bo, now=now)

    assert told(of="Bo Santos, bo@ports.example") == [amina.email, second.email]
    assert "This person has accepted an invitation." in words_of_letter_to(amina)


def test_focal_points_are_told_of_the_heir_of_another(diaspora_network, amina, second, member, now):
    membership.hand_over(diaspora_network, to=member, by=amina, now=now)

    assert told(of="Dana, dana@youth.example") == [second.email]


def test_focal_points_are_not_told_of_a_member_or_of_one_who_may_not_sign_in(
    diaspora_network, amina, second, request_of_bo, now
):
    User.objects.filter(pk=second.pk).update(is_active=False)
    membership.agree(request_of_bo, by=amina, now=now)

    membership.make_focal_point(request_of_bo, by=amina, now=now)

    assert told(of="nobody") == []


def test_nobody_is_named_who_may_not_sign_in(diaspora_network, clara, now):
    User.objects.create_user("shut@youth.example", is_active=False)

    with pytest.raises(refusals.ShutOut):
        membership.appoint(diaspora_network, email="shut@youth.example", by=clara, now=now)


def test_no_organiser_names_themselves(sent, clara, now):
    with pytest.raises(refusals.NotForOneself):
        membership.appoint(sent.organisation, email=clara.email.upper(), by=clara, now=now)

    assert stands(sent.organisation) == [("amina@diaspora.example", "focal_point", "active")]


def test_organisers_remove_the_last_focal_point(sent, amina, clara, now):
    membership.remove(amina.memberships.get(), by=clara, now=now, reason="Not theirs.")

    assert sent.organisation.focal_points == []
    assert not sent.organisation.is_unclaimed
