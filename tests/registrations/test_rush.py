"""A double click, a form that is sent again, and two colleagues on one draft: one registration,
and nothing overwritten unseen. The races themselves are in test_races."""

from uuid import uuid4

import pytest

from accounts.models import User
from events.models import Segment
from registrations import intake, refusals
from registrations.intake import Person
from registrations.models import Delegate, Registration
from stakeholders import membership
from stakeholders import refusals as stakeholder_refusals
from stakeholders.models import Membership, Organisation

MOUSSA = Person("Moussa", "Keïta", "moussa@diaspora.example", access_needs="Large print")


@pytest.fixture
def dede(diaspora_network) -> User:
    """Amina's colleague."""
    user = User.objects.create_user("dede@diaspora.example", name="Dédé Sow")
    Membership.objects.create(user=user, organisation=diaspora_network)
    return user


def names(registration) -> list[str]:
    people = registration.delegates.select_related("representative").in_order()
    return [str(each) for each in people]


# A form that is sent again


def test_a_form_that_comes_twice_is_one_person(draft, amina, now):
    entry = uuid4()

    first = intake.add_person(draft, MOUSSA, by=amina, now=now, entry=entry)
    second = intake.add_person(draft, MOUSSA, by=amina, now=now, entry=entry)

    assert first.pk == second.pk == entry
    assert draft.delegates.count() == 2


def test_an_old_form_with_other_words_is_another_person(draft, amina, now):
    """Whoever goes back in the browser and types the next person loses nobody."""
    entry = uuid4()
    intake.add_person(draft, MOUSSA, by=amina, now=now, entry=entry)

    other = intake.add_person(draft, Person("Awa", "Ba"), by=amina, now=now, entry=entry)

    assert other.pk != entry
    assert names(draft) == ["Aïssata Traoré", "Moussa Keïta", "Awa Ba"]


def test_an_entry_of_another_delegation_is_not_touched(
    draft, hearing, amina, bo, port_workers, now
):
    entry = uuid4()
    theirs = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(theirs, MOUSSA, by=bo, now=now, entry=entry)

    ours = intake.add_person(draft, MOUSSA, by=amina, now=now, entry=entry)

    assert (ours.registration, ours.pk != entry) == (draft, True)
    assert Delegate.objects.get(pk=entry).registration == theirs


def test_without_an_entry_the_same_words_are_refused(draft, amina, now):
    intake.add_person(draft, MOUSSA, by=amina, now=now)

    with pytest.raises(refusals.ListedAlready):
        intake.add_person(draft, MOUSSA, by=amina, now=now)


def test_a_change_that_comes_twice_is_one_change(draft, amina, now):
    head = draft.delegates.get()
    seen = head.mark

    intake.change_person(head, MOUSSA, by=amina, now=now, seen=seen)
    intake.change_person(head, MOUSSA, by=amina, now=now, seen=seen)

    assert names(draft) == ["Moussa Keïta"]


# Two colleagues


def test_what_a_colleague_changed_meanwhile_is_not_overwritten(draft, amina, dede, now):
    hers, his = draft.delegates.get(), draft.delegates.get()
    seen = hers.mark
    intake.change_person(hers, MOUSSA, by=amina, now=now, seen=seen)

    with pytest.raises(refusals.ChangedMeanwhile) as refused:
        intake.change_person(his, Person("Musa", "Keita"), by=dede, now=now, seen=seen)

    assert str(refused.value) == (
        "What is known of Moussa Keïta was changed while you were writing, perhaps by a "
        "colleague. Nothing of yours is saved yet: compare the two, and save again."
    )
    assert names(draft) == ["Moussa Keïta"]

    now_seen = draft.delegates.get()
    intake.change_person(now_seen, Person("Musa", "Keita"), by=dede, now=now, seen=now_seen.mark)
    assert names(draft) == ["Musa Keita"]


@pytest.mark.parametrize(
    "other",
    [
        Person("Musa", "Keïta", "moussa@diaspora.example", access_needs="Large print"),
        Person("Moussa", "Keita", "moussa@diaspora.example", access_needs="Large print"),
        Person("Moussa", "Keïta", "m@diaspora.example", access_needs="Large print"),
        Person("Moussa", "Keïta", "moussa@diaspora.example", "speaker", "Large print"),
        Person("Moussa", "Keïta", "moussa@diaspora.example"),
    ],
)
def test_the_mark_tells_each_change(draft, amina, now, other):
    moussa = intake.add_person(draft, MOUSSA, by=amina, now=now)
    before = moussa.mark

    intake.change_person(moussa, other, by=amina, now=now)
    assert Delegate.objects.get(pk=moussa.pk).mark != before

    intake.change_person(moussa, MOUSSA, by=amina, now=now)
    assert Delegate.objects.get(pk=moussa.pk).mark == before


def test_the_mark_tells_the_parts_of_the_event_too(draft, hearing, amina, now):
    day = Segment.objects.create(event=hearing, name_en="Day 1", date=hearing.starts_on, seats=5)
    moussa = intake.add_person(draft, MOUSSA, by=amina, now=now)
    before = moussa.mark

    wish = Person("Moussa", "Keïta", MOUSSA.email, access_needs="Large print", segments=(day.pk,))
    intake.change_person(moussa, wish, by=amina, now=now, seen=before)

    assert Delegate.objects.get(pk=moussa.pk).mark != before
    assert [part.segment for part in moussa.segments.all()] == [day]


def test_colleagues_keep_their_own_unfinished_words(draft, amina, dede, now):
    intake.keep_typed(draft, "person", {"email": "moussa@"}, by=amina)
    intake.keep_typed(draft, "person", {"email": "awa@"}, by=dede)

    draft.refresh_from_db()
    assert draft.typed("person", amina) == {"email": "moussa@"}
    assert draft.typed("person", dede) == {"email": "awa@"}

    intake.add_person(draft, MOUSSA, by=amina, now=now)

    draft.refresh_from_db()
    assert draft.typed("person", amina) == {}
    assert draft.typed("person", dede) == {"email": "awa@"}
    assert draft.is_unfinished("person")


def test_words_about_who_is_taken_out_are_kept_for_nobody(draft, amina, dede, now):
    head = draft.delegates.get()
    for by in (amina, dede):
        intake.keep_typed(draft, str(head.pk), {"email": "aissata@"}, by=by)

    intake.remove_person(head, by=amina, now=now)

    draft.refresh_from_db()
    assert draft.unfinished == {}


def test_words_are_forgotten_when_there_are_none(draft, amina, dede):
    for by in (amina, dede):
        intake.keep_typed(draft, "person", {"email": "awa@"}, by=by)

    intake.keep_typed(draft, "person", {}, by=amina)

    draft.refresh_from_db()
    assert (draft.typed("person", amina), draft.typed("person", dede)) == ({}, {"email": "awa@"})


def test_what_a_colleague_sent_is_sent(draft, amina, dede, now):
    intake.submit(draft, by=amina, now=now)

    with pytest.raises(refusals.SentAlready):
        intake.submit(Registration.objects.get(pk=draft.pk), by=dede, now=now)


# The organisation


def test_what_a_colleague_corrected_meanwhile_is_not_overwritten(
    diaspora_network, amina, dede, now
):
    hers, his = (Organisation.objects.get(pk=diaspora_network.pk) for _twice in range(2))
    seen = hers.mark
    hers.acronym = "DNM"
    membership.correct(hers, by=amina, now=now, seen=seen)

    his.website = "https://diaspora.example"
    with pytest.raises(stakeholder_refusals.ChangedMeanwhile) as refused:
        membership.correct(his, by=dede, now=now, seen=seen)

    assert str(refused.value) == (
        "What is known of “Diaspora Network” was changed while you were writing, perhaps by a "
        "colleague. Nothing of yours is saved yet: compare the two, and save again."
    )
    kept = Organisation.objects.get(pk=diaspora_network.pk)
    assert (kept.acronym, kept.website) == ("DNM", "")


def test_a_correction_that_comes_twice_is_one(diaspora_network, amina, now):
    seen = diaspora_network.mark
    diaspora_network.acronym = "DNM"

    membership.correct(diaspora_network, by=amina, now=now, seen=seen)
    membership.correct(diaspora_network, by=amina, now=now, seen=seen)

    assert Organisation.objects.get(pk=diaspora_network.pk).acronym == "DNM"
