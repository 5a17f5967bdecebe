"""Two entries of one organisation, or of one person, become one; and two again."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import capacity, roles, schedule
from events.models import Deadline, Event
from notifications import bell
from notifications.models import Letter
from registrations import decisions, exemptions, intake, links, merging, refusals
from registrations.intake import Person
from registrations.models import Delegate, Exemption, Merge, Registration
from stakeholders import membership
from stakeholders import refusals as stakeholders_refusals
from stakeholders.models import Membership, Organisation, Representative
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db
State, Kind = Membership.State, Membership.Kind
A_DAY = timedelta(hours=24)


@pytest.fixture
def dana(now) -> User:
    """She has entered Amina's organisation a second time."""
    user = User.objects.create_user("dana@diaspora.example", name="Dana Ba", language="fr")
    twin = Organisation(name="Network of the Diaspora", country="ML", category="diaspora")
    membership.found(twin, by=user, now=now - timedelta(days=20))
    return user


@pytest.fixture
def twin(dana) -> Organisation:
    return Organisation.objects.get(memberships__user=dana)


@pytest.fixture
def published(second, now) -> Event:
    """The second event, open for registration."""
    second.deadlines.create(
        kind=Deadline.Kind.REGISTRATION,
        closes_at=now + timedelta(days=9),
        set_at=now - timedelta(days=3),
        zone="UTC",
    )
    schedule.publish(second, by=None, now=now - timedelta(days=3))
    return second


@pytest.fixture
def of_twin(published, twin, dana, now) -> Registration:
    """Dana's delegation to the second event, with one person whom Amina sends too."""
    registration = intake.begin(published, twin, by=dana, now=now)
    for person in (
        Person("Aïssata", "Traoré", "aissata@diaspora.example"),
        Person("Binta", "Sarr", "binta@diaspora.example", role="head"),
    ):
        intake.add_person(registration, person, by=dana, now=now)
    intake.submit(registration, by=dana, now=now)
    Letter.objects.all().delete()
    return registration


def take_in(kept, other, *, by, now, staying=None) -> Merge:
    plan = merging.look(kept, other)
    chosen = plan.sure if staying is None else {user.pk for user in staying}
    return merging.take_in(kept, other, staying=chosen, seen=plan.mark, by=by, now=now)


def take_in_person(kept, other, *, by, now) -> Merge:
    plan = merging.look_at_people(kept, other)
    return merging.take_in_person(kept, other, seen=plan.mark, by=by, now=now)


def everything() -> dict:
    """All rows that a merge may touch."""
    tables = (Organisation, Membership, Representative, Registration, Delegate, Exemption)
    through = Registration.colleagues.through
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in (*tables, through)
    }


def people_of(organisation) -> list[str]:
    return sorted(map(str, organisation.representatives.all()))


@pytest.mark.parametrize("model", [Organisation, Membership, Representative])
def test_every_relation_is_thought_of(model):
    """A new one fails here until somebody has said what a merge does with it."""
    fields = model._meta.get_fields(include_hidden=True)
    relations = {str(each.field) for each in fields if each.auto_created and not each.concrete}

    assert relations == merging.RELATIONS[model]


def test_everything_goes_to_the_one_that_is_kept(
    sent, of_twin, diaspora_network, twin, clara, amina, dana, now
):
    take_in(diaspora_network, twin, by=clara, now=now)

    of_twin.refresh_from_db()
    assert of_twin.organisation == diaspora_network
    assert people_of(diaspora_network) == [
        "Aïssata Traoré", "Binta Sarr", "Fatoumata Sow", "Moussa Keïta",
    ]  # fmt: skip
    aissata = diaspora_network.representatives.get(given_names="Aïssata")
    named = Delegate.objects.filter(representative=aissata)
    assert {one.registration for one in named} == {sent, of_twin}
    assert set(Registration.objects.of(amina)) == {sent, of_twin}
    assert not Organisation.objects.filter(pk=twin.pk).exists()
    assert not twin.representatives.exists()
    assert Organisation.everyone.get(pk=twin.pk).merged_into == diaspora_network


def test_it_is_found_by_its_old_name_and_by_no_other_way(
    sent, diaspora_network, twin, clara, dana, now
):
    take_in(diaspora_network, twin, by=clara, now=now)

    found = Organisation.objects.like("Network of the Diaspora")
    assert found == [diaspora_network]
    assert found[0].other_names == ["Network of the Diaspora"]
    namesake = Organisation(name="Diaspora Network", country="ML")
    with pytest.raises(stakeholders_refusals.KnownHere):
        membership.found(namesake, by=dana, now=now)


def test_what_is_not_known_of_it_is_taken_over(diaspora_network, twin, clara, now, sent):
    Organisation.objects.filter(pk=twin.pk).update(website="https://d.example", acronym="NOD")
    twin.refresh_from_db()

    take_in(diaspora_network, twin, by=clara, now=now)

    diaspora_network.refresh_from_db()
    assert diaspora_network.website == "https://d.example"
    assert diaspora_network.acronym == "DN"
    assert diaspora_network.other_names == ["Network of the Diaspora", "NOD"]


def test_whoever_is_not_let_stay_has_to_ask(
    sent, of_twin, diaspora_network, twin, clara, amina, dana, now
):
    take_in(diaspora_network, twin, by=clara, now=now)

    of_dana = dana.memberships.get()
    assert (of_dana.organisation, of_dana.state, of_dana.kind, of_dana.since) == (
        diaspora_network, State.ASKED, Kind.MEMBER, now,
    )  # fmt: skip
    assert not Registration.objects.of(dana).exists()
    membership.agree(of_dana, kind=Kind.FOCAL_POINT, by=amina, now=now)
    assert set(Registration.objects.of(dana)) == {sent, of_twin}


def test_an_invitation_to_the_one_that_was_taken_in_opens_nothing(
    sent, of_twin, diaspora_network, twin, clara, dana, now
):
    email = "ibra@diaspora.example"
    invited = membership.invite(twin, email=email, kind=Kind.FOCAL_POINT, by=dana, now=now)

    merge = take_in(diaspora_network, twin, by=clara, now=now)

    invited.refresh_from_db()
    with pytest.raises(stakeholders_refusals.InvitationOver):
        membership.accept(invited, by=invited.user, now=now)
    assert not Registration.objects.of(invited.user).exists()
    merging.undo(merge, by=clara, now=now)
    invited.refresh_from_db()
    membership.accept(invited, by=invited.user, now=now)
    assert list(Registration.objects.of(invited.user)) == [of_twin]


def test_whoever_is_let_stay_sees_everything(
    sent, of_twin, diaspora_network, twin, clara, amina, dana, now
):
    take_in(diaspora_network, twin, by=clara, now=now, staying=[amina, dana])

    assert dana.memberships.get().is_focal_point
    assert set(Registration.objects.of(dana)) == {sent, of_twin}


def test_where_nobody_leads_the_one_that_is_kept_the_others_stay(of_twin, twin, clara, dana, now):
    kept = Organisation.objects.create(name="The Diaspora Network", country="ML")

    take_in(kept, twin, by=clara, now=now)

    assert dana.memberships.get().is_focal_point
    assert Registration.objects.of(dana).get() == of_twin


def test_somebody_of_both_belongs_to_it_once_with_what_they_work_on(
    sent, of_twin, diaspora_network, twin, clara, amina, dana, now
):
    helper = User.objects.create_user("ibra@diaspora.example")
    facts = {"user": helper, "since": now}
    own = Membership.objects.create(organisation=diaspora_network, state="left", **facts)
    other = Membership.objects.create(organisation=twin, kind="member", **facts)
    of_twin.colleagues.add(other)

    take_in(diaspora_network, twin, by=clara, now=now, staying=[amina, dana, helper])

    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.state, own.kind, other.state) == (State.ACTIVE, Kind.MEMBER, State.LEFT)
    assert list(Registration.objects.of(helper)) == [of_twin]


def test_somebody_has_to_lead_it(sent, of_twin, diaspora_network, twin, clara, now):
    before = everything()

    with pytest.raises(refusals.NobodyLeads, match="would have no focal point"):
        take_in(diaspora_network, twin, by=clara, now=now, staying=[])

    assert everything() == before


def test_two_delegations_to_one_event_cannot_be_joined(
    sent, diaspora_network, twin, hearing, dana, clara, now
):
    other = intake.begin(hearing, twin, by=dana, now=now)
    intake.add_person(other, Person("Binta", "Sarr"), by=dana, now=now)

    with pytest.raises(refusals.BothRegistered, match="has to be withdrawn first") as refused:
        take_in(diaspora_network, twin, by=clara, now=now)

    assert sent.reference in str(refused.value) and other.reference in str(refused.value)
    intake.withdraw(other, by=dana, now=now)
    take_in(diaspora_network, twin, by=clara, now=now)
    other.refresh_from_db()
    assert other.organisation_id == twin.pk


def test_an_empty_draft_stays_behind_and_counts_no_more(
    sent, diaspora_network, twin, hearing, dana, clara, now
):
    empty = intake.begin(hearing, twin, by=dana, now=now)

    merge = take_in(diaspora_network, twin, by=clara, now=now)

    empty.refresh_from_db()
    assert (empty.organisation_id, empty.withdrawn_at) == (twin.pk, now)
    merging.undo(merge, by=clara, now=now)
    empty.refresh_from_db()
    assert empty.is_draft


def test_the_empty_one_has_to_be_the_one_that_is_taken_in(
    sent, diaspora_network, twin, hearing, dana, clara, now
):
    intake.begin(hearing, twin, by=dana, now=now)

    with pytest.raises(refusals.BothRegistered, match="keep the other organisation instead"):
        take_in(twin, diaspora_network, by=clara, now=now)


def test_the_longer_permission_to_register_late_counts(
    sent, diaspora_network, twin, hearing, clara, now
):
    soon, later = now + timedelta(days=1), now + timedelta(days=2)
    own = exemptions.grant((hearing, diaspora_network), until=soon, by=clara, now=now)
    exemptions.grant((hearing, twin), until=later, by=clara, now=now)

    take_in(diaspora_network, twin, by=clara, now=now)

    own.refresh_from_db()
    assert own.until == later


def test_whoever_does_not_run_all_of_their_events_cannot(
    sent, of_twin, diaspora_network, twin, hearing, now
):
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=hearing, by=None, now=now)

    for kept, other in ((diaspora_network, twin), (twin, diaspora_network)):
        with pytest.raises(refusals.ElsewhereToo, match="events that you do not manage"):
            take_in(kept, other, by=eva, now=now)


def test_what_has_changed_since_it_was_looked_at_is_looked_at_again(
    sent, diaspora_network, twin, published, dana, clara, now
):
    seen = merging.look(diaspora_network, twin).mark
    intake.begin(published, twin, by=dana, now=now)

    with pytest.raises(refusals.MergeChanged):
        merging.take_in(diaspora_network, twin, staying=[], seen=seen, by=clara, now=now)


def test_it_happens_once(sent, diaspora_network, twin, clara, now):
    take_in(diaspora_network, twin, by=clara, now=now)

    for kept, other in ((diaspora_network, twin), (twin, diaspora_network)):
        with pytest.raises(refusals.TakenIn, match="Go on there"):
            merging.take_in(kept, other, staying=[], seen="", by=clara, now=now)
    with pytest.raises(refusals.SameEntry):
        merging.take_in(diaspora_network, diaspora_network, staying=[], seen="", by=clara, now=now)


def test_focal_points_of_both_are_told_in_their_language(
    sent, of_twin, diaspora_network, twin, clara, amina, dana, now
):
    Letter.objects.all().delete()

    merge = take_in(diaspora_network, twin, by=clara, now=now)

    told = dict(Letter.objects.values_list("to", "text"))
    assert set(told) == {amina.email, dana.email}
    assert "Whoever has to be let in waits for your answer." in told[amina.email]
    assert Letter.objects.get(to=dana.email).language == "fr"
    assert {letter.key.split(":")[:2] == ["merged", str(merge.pk)] for letter in
            Letter.objects.all()} == {True}  # fmt: skip


def test_both_remember_it_and_so_does_the_delegation(
    sent, of_twin, diaspora_network, twin, clara, now
):
    merge = take_in(diaspora_network, twin, by=clara, now=now)
    merging.undo(merge, by=clara, now=now + A_DAY / 2)

    def verbs(thing) -> list[str]:
        entries = Entry.objects.about(thing).filter(actor=clara).order_by("pk")
        return list(entries.values_list("verb", flat=True))

    assert verbs(diaspora_network) == [
        "organisation corrected", "another entry taken in", "merge undone",
    ]  # fmt: skip
    assert verbs(twin) == ["taken into another entry", "merge undone"]
    assert verbs(of_twin) == ["came with another entry", "went back with its entry"]


def test_undone_everything_is_as_it_was(
    sent, of_twin, diaspora_network, twin, hearing, clara, amina, dana, now
):
    helper = User.objects.create_user("ibra@diaspora.example")
    facts = {"user": helper, "since": now, "kind": "member"}
    Membership.objects.create(organisation=diaspora_network, **facts)
    other = Membership.objects.create(organisation=twin, **facts)
    of_twin.colleagues.add(other)
    exemptions.grant((hearing, twin), until=now + timedelta(days=2), by=clara, now=now)
    before = everything()

    merge = take_in(diaspora_network, twin, by=clara, now=now)
    assert everything() != before
    Letter.objects.all().delete()
    merging.undo(merge, by=clara, now=now + A_DAY - timedelta(seconds=1))

    assert everything() == before
    told = sorted(Letter.objects.values_list("to", flat=True))
    assert told == [amina.email, dana.email]
    assert (merge.undone_by, merge.undone_at) == (clara, now + A_DAY - timedelta(seconds=1))


def test_it_is_undone_once_and_within_a_day(sent, diaspora_network, twin, clara, now):
    merge = take_in(diaspora_network, twin, by=clara, now=now)

    with pytest.raises(refusals.CannotUnmerge, match="could be undone until"):
        merging.undo(merge, by=clara, now=now + A_DAY)
    merging.undo(merge, by=clara, now=now)
    with pytest.raises(refusals.CannotUnmerge, match="was undone already"):
        merging.undo(merge, by=clara, now=now)


def test_a_decision_since_does_not_stand_in_the_way(
    sent, of_twin, diaspora_network, twin, clara, now
):
    merge = take_in(diaspora_network, twin, by=clara, now=now)
    of_twin.refresh_from_db()
    decisions.approve(of_twin, list(of_twin.delegates.all()), by=clara, now=now)

    merging.undo(merge, by=clara, now=now)

    of_twin.refresh_from_db()
    assert of_twin.organisation_id == twin.pk
    assert set(of_twin.delegates.values_list("state", flat=True)) == {"approved"}


def answered(merge, amina, now):
    asked = Membership.objects.get(state=State.ASKED)
    membership.agree(asked, by=amina, now=now)
    return str(asked)


def corrected(merge, amina, now):
    merge.kept.refresh_from_db()
    merge.kept.name = "Diaspora Network International"
    membership.correct(merge.kept, by=amina, now=now)
    merge.kept.other_names.append("Another")
    merge.kept.save()
    return "Diaspora Network International"


def entered(merge, amina, now):
    draft = Registration.objects.get(organisation=merge.kept, sent_at=None)
    intake.add_person(draft, Person("Oumou", "Diarra"), by=amina, now=now)
    return f"Oumou Diarra was entered in {draft.reference}"


@pytest.mark.parametrize("touch", [answered, corrected, entered])
def test_what_was_touched_since_stands_in_the_way_by_name(
    sent, published, diaspora_network, twin, clara, amina, dana, now, touch
):
    intake.begin(published, twin, by=dana, now=now)
    merge = take_in(diaspora_network, twin, by=clara, now=now)
    named = touch(merge, amina, now)
    before = everything()

    with pytest.raises(refusals.InTheWay) as refused:
        merging.undo(merge, by=clara, now=now)

    assert named in str(refused.value)
    assert merging.stands_in_the_way(merge) != []
    assert everything() == before


def test_the_later_of_two_merges_is_undone_first(sent, of_twin, diaspora_network, twin, clara, now):
    third = Organisation.objects.create(name="Diaspora Net", country="ML")
    first = take_in(twin, third, by=clara, now=now)
    twin.refresh_from_db()
    later = take_in(diaspora_network, twin, by=clara, now=now)
    assert Organisation.everyone.get(pk=third.pk).merged_into == diaspora_network

    with pytest.raises(refusals.InTheWay):
        merging.undo(first, by=clara, now=now)

    merging.undo(later, by=clara, now=now)
    merging.undo(first, by=clara, now=now)
    assert Organisation.objects.filter(pk__in=[third.pk, twin.pk]).count() == 2


# Links of the entry that was taken in


def test_links_in_old_letters_lead_to_the_one_that_is_kept(
    sent, of_twin, diaspora_network, twin, clara, amina, dana, bo, now
):
    take_in(diaspora_network, twin, by=clara, now=now, staying=[amina, dana])
    old, new = (
        reverse("stakeholders:organisation", args=[one.pk]) for one in (twin, diaspora_network)
    )

    assert signed_in(dana).get(old).url == new
    assert signed_in(bo).get(old).status_code == 404
    ask = reverse("stakeholders:ask", args=[twin.pk])
    assert signed_in(bo).get(ask).url == reverse("stakeholders:ask", args=[diaspora_network.pk])


def test_verbs_that_come_late_say_so(sent, published, diaspora_network, twin, clara, bo, now):
    take_in(diaspora_network, twin, by=clara, now=now)

    with pytest.raises(stakeholders_refusals.TakenIn):
        membership.ask(twin, by=bo, now=now)
    with pytest.raises(refusals.TakenIn):
        intake.begin(published, twin, by=bo, now=now)
    with pytest.raises(refusals.TakenIn):
        exemptions.grant((published, twin), until=now + A_DAY, by=clara, now=now)


# People


@pytest.fixture
def moussa(sent) -> Representative:
    return sent.organisation.representatives.get(given_names="Moussa")


@pytest.fixture
def moussa_again(published, diaspora_network, amina, now) -> Representative:
    """The same man, spelt another way, in a draft for the second event."""
    registration = intake.begin(published, diaspora_network, by=amina, now=now)
    person = Person("Moussa", "Keita", "moussa.keita@mail.example")
    return intake.add_person(registration, person, by=amina, now=now).representative


def test_a_person_becomes_one_and_two_again(moussa, moussa_again, clara, now):
    before = everything()

    merge = take_in_person(moussa, moussa_again, by=clara, now=now)

    assert moussa.delegates.count() == 2
    assert not Representative.objects.filter(pk=moussa_again.pk).exists()
    assert not Letter.objects.filter(key__startswith="merged").exists()
    merging.undo(merge, by=clara, now=now)
    assert everything() == before


def test_two_of_one_delegation_cannot_be_one(sent, moussa, clara, amina, now):
    fatoumata = sent.delegates.get(representative__given_names="Fatoumata")

    with pytest.raises(refusals.BothInDelegation, match=sent.reference):
        take_in_person(moussa, fatoumata.representative, by=clara, now=now)

    intake.withdraw_person(fatoumata, by=amina, now=now)
    take_in_person(moussa, fatoumata.representative, by=clara, now=now)
    fatoumata.refresh_from_db()
    assert str(fatoumata) == "Fatoumata Sow"


def test_people_of_two_organisations_cannot_be_one(moussa, of_twin, clara, now):
    binta = Representative.objects.get(given_names="Binta")

    with pytest.raises(refusals.OtherPeople, match="Merge the organisations first"):
        take_in_person(moussa, binta, by=clara, now=now)


def test_a_person_entered_again_in_the_old_words_stands_in_the_way(
    moussa, moussa_again, published, clara, amina, now
):
    merge = take_in_person(moussa, moussa_again, by=clara, now=now)
    draft = Registration.objects.get(event=published)
    person = Person("Moussa", "Keita", "moussa.keita@mail.example")
    again = intake.add_person(draft, person, by=amina, now=now)

    assert again.representative_id not in (moussa.pk, moussa_again.pk)
    with pytest.raises(refusals.InTheWay, match="Moussa Keita was entered again"):
        merging.undo(merge, by=clara, now=now)


def test_a_link_to_be_listed_still_finds_its_person(moussa, moussa_again, clara, now):
    [delegate] = moussa_again.delegates.all()
    token = links.listing_path(delegate).rstrip("/").rpartition("/")[2]

    take_in_person(moussa, moussa_again, by=clara, now=now)

    assert list(links.listing_of(token)) == [delegate]


# Two at once. Each race is right under the lock, and goes wrong without it.


@pytest.fixture
def quiet(monkeypatch) -> None:
    monkeypatch.setattr(bell, "ring", lambda: None)


@pytest.fixture
def unlocked(monkeypatch) -> None:
    """Nobody waits for anybody."""
    for queryset in (type(Organisation.everyone.all()), type(Merge.objects.all())):
        monkeypatch.setattr(queryset, "select_for_update", lambda rows, **how: rows)
    monkeypatch.setattr(type(Registration.objects.all()), "select_for_update", lambda r, **how: r)
    monkeypatch.setattr(capacity, "hold_only", lambda event: None)


def kinds(outcomes) -> list[str]:
    return sorted(type(one).__name__ for one in outcomes)


def merge_and_begin(at_once, before_writing, kept, twin, event, dana, clara, now) -> list:
    plan = merging.look(kept, twin)

    def merge() -> object:
        before_writing()
        return merging.take_in(kept, twin, staying=plan.sure, seen=plan.mark, by=clara, now=now)

    def begin() -> object:
        before_writing()
        return intake.begin(event, twin, by=dana, now=now)

    return at_once(merge, begin)


@pytest.mark.django_db(transaction=True)
def test_a_registration_begun_at_once_is_not_left_behind(
    quiet,
    at_once,
    meeting_before_writing,
    sent,
    published,
    diaspora_network,
    twin,
    dana,
    clara,
    now,
):
    outcomes = merge_and_begin(
        at_once, meeting_before_writing, diaspora_network, twin, published, dana, clara, now
    )

    assert kinds(outcomes) in (["Merge", "TakenIn"], ["MergeChanged", "Registration"])
    stub = Organisation.everyone.exclude(merged_into=None)
    assert not Registration.objects.filter(organisation__in=stub).exists()


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_is(
    quiet, unlocked, at_once, meeting_before_writing, sent, published, diaspora_network, twin, dana,
    clara, now,
):  # fmt: skip
    merge_and_begin(
        at_once, meeting_before_writing, diaspora_network, twin, published, dana, clara, now
    )

    stub = Organisation.everyone.exclude(merged_into=None)
    assert Registration.objects.filter(organisation__in=stub).exists()


def merge_twice(at_once, before_writing, kept, twin, clara, now) -> list:
    plan = merging.look(kept, twin)

    def merge() -> object:
        before_writing()
        return merging.take_in(kept, twin, staying=plan.sure, seen=plan.mark, by=clara, now=now)

    return at_once(merge, merge)


@pytest.mark.django_db(transaction=True)
def test_merged_twice_at_once_it_happens_once(
    quiet, at_once, meeting_before_writing, sent, diaspora_network, twin, clara, now
):
    outcomes = merge_twice(at_once, meeting_before_writing, diaspora_network, twin, clara, now)

    assert kinds(outcomes) == ["Merge", "TakenIn"]
    assert Merge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_happens_twice(
    quiet, unlocked, at_once, meeting_before_writing, sent, diaspora_network, twin, clara, now
):
    merge_twice(at_once, meeting_before_writing, diaspora_network, twin, clara, now)

    assert Merge.objects.count() == 2


def undo_twice(at_once, before_writing, merge, clara, now) -> list:
    def undo() -> object:
        before_writing()
        return merging.undo(Merge.objects.get(pk=merge.pk), by=clara, now=now)

    return at_once(undo, undo)


@pytest.mark.django_db(transaction=True)
def test_undone_twice_at_once_it_is_undone_once(
    quiet, at_once, meeting_before_writing, sent, diaspora_network, twin, clara, now
):
    merge = take_in(diaspora_network, twin, by=clara, now=now)

    outcomes = undo_twice(at_once, meeting_before_writing, merge, clara, now)

    assert kinds(outcomes) == ["CannotUnmerge", "NoneType"]
    assert Entry.objects.about(twin).filter(verb="merge undone").count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_is_undone_twice(
    quiet, unlocked, at_once, meeting_before_writing, sent, diaspora_network, twin, clara, now
):
    merge = take_in(diaspora_network, twin, by=clara, now=now)

    undo_twice(at_once, meeting_before_writing, merge, clara, now)

    assert Entry.objects.about(twin).filter(verb="merge undone").count() == 2
