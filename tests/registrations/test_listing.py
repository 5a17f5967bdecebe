import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

import clock
from audit.models import Entry
from events import deadlines, schedule
from events.models import Deadline, Event
from notifications.models import Kind, Letter
from registrations import confirmations, decisions, intake, listing, refusals, replacements, tasks
from registrations.intake import Person
from registrations.models import Delegate, DelegateQuerySet, Registration

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def with_list(hearing) -> Event:
    hearing.lists_participants = True
    hearing.save(update_fields=["lists_participants"])
    return hearing


def person(registration: Registration, name: str) -> Delegate:
    return registration.delegates.select_related("representative", "registration__event").get(
        representative__given_names=name
    )


@pytest.fixture
def approve(sent, clara, now) -> Callable[..., list[Delegate]]:
    def approve(*names: str) -> list[Delegate]:
        decisions.approve(sent, [person(sent, name) for name in names], by=clara, now=now)
        return [person(sent, name) for name in names]

    return approve


@pytest.fixture
def listed(with_list, approve, now) -> Delegate:
    """Moussa, who has a place and has said yes."""
    (moussa,) = approve("Moussa")
    listing.agree(moussa, now=now)
    return person(moussa.registration, "Moussa")


def asked() -> list[str]:
    return sorted(Letter.objects.filter(key__startswith="listing:").values_list("to", flat=True))


def named() -> list[str]:
    people = Delegate.objects.listed().order_by("representative__given_names")
    return [str(one) for one in people.select_related("representative")]


# Who is asked, and when


def test_nobody_is_asked_where_there_is_no_public_list(approve, now):
    approve("Moussa", "Aïssata")
    listing.ask_due(now=now)

    assert asked() == []


def test_who_gets_a_seat_is_asked_at_their_own_address_with_it(with_list, approve, now):
    (moussa,) = approve("Moussa")

    letter = Letter.objects.get(key__startswith="listing:")
    assert (letter.to, letter.kind) == ("moussa@diaspora.example", Kind.TRANSACTIONAL)
    assert letter.scope == with_list.pk
    assert moussa.listing_asked_at == now


def test_who_got_a_seat_before_there_was_a_list_is_asked_by_the_sweep_once(sent, approve, hearing):
    approve("Moussa", "Aïssata")
    assert asked() == []
    Event.objects.update(lists_participants=True)

    tasks.ask_to_be_listed()
    tasks.ask_to_be_listed()

    assert asked() == ["aissata@diaspora.example", "moussa@diaspora.example"]


def test_sweep_goes_on_where_it_stopped(
    sent, approve, port_workers, bo, clara, hearing, now, monkeypatch
):
    approve("Moussa")
    other = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(other, Person("Jun", "Reyes", "jun@ports.example"), by=bo, now=now)
    intake.submit(other, by=bo, now=now)
    decisions.approve(other, list(other.delegates.all()), by=clara, now=now)
    Event.objects.update(lists_participants=True)
    monkeypatch.setattr(listing, "AT_ONCE", 1)

    assert [listing.ask_due(now=now) for _sweep in range(3)] == [1, 1, 0]
    assert asked() == ["jun@ports.example", "moussa@diaspora.example"]


def test_who_has_said_yes_is_not_asked_again(listed, now):
    Letter.objects.all().delete()

    listing.ask_due(now=now + DAY)

    assert asked() == []


@pytest.mark.parametrize("state", ["draft", "postponed", "cancelled"])
def test_nobody_is_asked_while_the_event_does_not_take_place(approve, now, state):
    approve("Moussa")
    Event.objects.update(lists_participants=True, state=state)

    assert listing.ask_due(now=now) == 0


def test_nobody_is_asked_after_the_event(approve, hearing, now):
    approve("Moussa")
    Event.objects.update(lists_participants=True)

    assert listing.ask_due(now=now + 25 * DAY) == 0


@pytest.mark.parametrize("role", ["interpreter", "assistant"])
def test_assistants_and_interpreters_are_neither_asked_nor_named(
    with_list, draft, amina, clara, now, role
):
    helper = Person("Ibrahim", "Ba", "ibrahim@diaspora.example", role=role)
    intake.add_person(draft, helper, by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    decisions.approve(draft, list(draft.delegates.all()), by=clara, now=now)
    listing.ask_due(now=now)

    assert asked() == ["aissata@diaspora.example"]
    with pytest.raises(refusals.NotToBeListed):
        listing.agree(person(draft, "Ibrahim"), now=now)


def test_an_address_that_two_people_share_is_nobodys_own(with_list, draft, amina, clara, now):
    for name, address in (
        ("Binta", "office@diaspora.example"),
        ("Omar", "Office@diaspora.example"),
    ):
        intake.add_person(draft, Person(name, "Ba", address), by=amina, now=now)
    intake.add_person(draft, Person("Awa", "Ba"), by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    decisions.approve(draft, list(draft.delegates.all()), by=clara, now=now)
    listing.ask_due(now=now)

    assert asked() == ["aissata@diaspora.example"]


def test_letter_is_in_the_language_of_the_focal_point_and_ends_with_the_event(
    with_list, amina, approve
):
    amina.language = "ar"
    amina.save()

    approve("Moussa")

    letter = Letter.objects.get(key__startswith="listing:")
    assert letter.language == "ar"
    assert "/ar/listing/" in letter.text
    assert letter.expires_at.astimezone(clock.walls.zone_of(with_list.zone)).date() == (
        with_list.ends_on + DAY
    )


# Yes, and taking it back


def test_yes_names_the_person_and_is_remembered_once(with_list, approve, now):
    (moussa,) = approve("Moussa")

    listing.agree(moussa, now=now)
    listing.agree(moussa, now=now + DAY)

    assert named() == ["Moussa Keïta"]
    assert person(moussa.registration, "Moussa").listed_at == now
    entries = Entry.objects.about(moussa).filter(verb="agreed to be listed")
    assert [(entry.actor, entry.scope) for entry in entries] == [(None, with_list.pk)]


def test_taking_it_back_twice_is_taking_it_back_once(listed, now):
    listing.take_back(listed, now=now)
    listing.take_back(listed, now=now)

    assert named() == []
    assert Entry.objects.about(listed).filter(verb="taken off the list").count() == 1


def test_who_took_it_back_may_say_yes_again(listed, now):
    listing.take_back(listed, now=now)
    listing.agree(listed, now=now + DAY)

    assert named() == ["Moussa Keïta"]


def test_yes_of_who_has_no_place_is_refused(with_list, sent, now):
    with pytest.raises(refusals.NotToBeListed, match="Moussa Keïta has no place"):
        listing.agree(person(sent, "Moussa"), now=now)


def test_yes_where_there_is_no_list_any_more_is_refused(with_list, approve, now):
    (moussa,) = approve("Moussa")
    Event.objects.update(lists_participants=False)

    with pytest.raises(refusals.NotToBeListed):
        listing.agree(moussa, now=now)


# Who loses the place is gone, and comes back only by another yes


@pytest.fixture
def confirming(hearing, now) -> Deadline:
    return deadlines.set_deadline(
        hearing, kind=Deadline.Kind.CONFIRMATION, closes_at=now + 15 * DAY, by=None, now=now - DAY
    )


def withdraws(moussa, amina, now):
    intake.withdraw_person(moussa, by=amina, now=now)


def withdraws_all(moussa, amina, now):
    intake.withdraw(moussa.registration, by=amina, now=now)


def declines(moussa, amina, now):
    confirmations.decline(moussa, now=now)


def lapses(moussa, amina, now):
    confirmations.lapse_due(now=now + 16 * DAY)


def is_replaced(moussa, amina, now):
    Event.objects.update(admission="first_come")
    binta = Person("Binta", "Ba", "binta@diaspora.example")
    replacements.replace(moussa, binta, by=amina, now=now)


@pytest.mark.parametrize("goes", [withdraws, withdraws_all, declines, lapses, is_replaced])
def test_who_loses_the_place_is_named_no_more_and_the_yes_is_forgotten(
    confirming, listed, amina, now, goes
):
    assert named() == ["Moussa Keïta"]

    goes(listed, amina, now)

    assert named() == []
    left = Delegate.objects.get(pk=listed.pk)
    assert (left.listed_at, left.listing_asked_at) == (None, None)


def test_who_comes_in_the_place_of_somebody_is_asked_anew(listed, amina, now):
    is_replaced(listed, amina, now)

    assert asked() == ["binta@diaspora.example", "moussa@diaspora.example"]


def test_who_is_let_in_again_after_a_withdrawal_is_asked_anew(
    listed, amina, clara, diaspora_network, now
):
    again = now + DAY
    intake.withdraw(listed.registration, by=amina, now=now)
    held = intake.begin(listed.registration.event, diaspora_network, by=amina, now=again)
    intake.submit(held, by=amina, now=again)
    decisions.approve(held, [person(held, "Moussa")], by=clara, now=again)

    assert named() == []
    assert asked() == ["moussa@diaspora.example"] * 2


def test_a_yes_cannot_outlive_the_place(listed):
    with pytest.raises(IntegrityError, match="listed_with_a_place"), transaction.atomic():
        Delegate.objects.filter(pk=listed.pk).update(state="declined")


def test_a_cancelled_event_names_nobody_and_a_postponed_one_does(listed, clara, now):
    schedule.postpone(listed.registration.event, by=clara, now=now, reason="Storm")
    assert named() == ["Moussa Keïta"]

    schedule.cancel(listed.registration.event, by=clara, now=now, reason="Storm")

    assert named() == []


# At once


def losing_locks(monkeypatch) -> None:
    """Rows are read without a lock, and then there is a moment."""

    def no_lock(self: DelegateQuerySet, **_how: object) -> DelegateQuerySet:
        return self

    monkeypatch.setattr(DelegateQuerySet, "select_for_update", no_lock)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False])
def test_two_sweeps_at_once_ask_once(at_once, meeting, approve, now, monkeypatch, is_locked):
    approve("Moussa")
    Event.objects.update(lists_participants=True)
    ask = listing.waiting.ask_to_be_listed

    def dawdle(people, *, now):
        meeting()
        return ask(people, now=now)

    monkeypatch.setattr(listing.waiting, "ask_to_be_listed", dawdle)
    if not is_locked:
        losing_locks(monkeypatch)

    at_once(*(lambda n=n: listing.ask_due(now=now + n * DAY) for n in range(2)))

    assert (len(asked()) == 1) is is_locked


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False])
def test_yes_and_withdrawal_at_once_name_nobody(
    at_once, meeting, with_list, approve, amina, now, monkeypatch, is_locked
):
    (moussa,) = approve("Moussa")
    has_looked, possible = threading.Event(), listing.is_possible

    def look_and_dawdle(delegate: Delegate) -> bool:
        found = possible(delegate)
        has_looked.set()
        meeting()
        return found

    def withdraw() -> None:
        has_looked.wait(20)
        intake.withdraw_person(moussa, by=amina, now=now)
        meeting()

    monkeypatch.setattr(listing, "is_possible", look_and_dawdle)
    if not is_locked:
        losing_locks(monkeypatch)

    yes, gone = at_once(lambda: listing.agree(moussa, now=now), withdraw)

    assert (named(), gone) == ([], None)
    assert (yes is None) is is_locked
