from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from events import capacity, deadlines
from events.models import Deadline, Segment
from notifications import bell, delivery, recall
from notifications.models import Letter
from registrations import (
    batches,
    decisions,
    exchanges,
    intake,
    refusals,
    replacements,
    timeline,
)
from registrations.intake import Person
from registrations.models import Batch, Delegate, Exchange, Registration, SegmentDecision
from tests.registrations import crowd

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def ports(hearing, bo, port_workers, now) -> Registration:
    """Bo's, with one person, sent."""
    registration = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(registration, Person("Jun", "Reyes", "jun@ports.example"), by=bo, now=now)
    intake.submit(registration, by=bo, now=now)
    return registration


@pytest.fixture
def decide(sent, ports, clara, now):
    """Clara decides, a minute after everything came in, about all people of these delegations."""
    Letter.objects.all().delete()

    def decide(word, *registrations, people=None, **typed) -> Batch:
        groups = [(one, people or list(one.delegates.in_order())) for one in registrations]
        batch, refused = batches.decide(
            word, sent.event, groups, by=clara, now=now + MINUTE, **typed
        )
        assert refused == []
        return batch

    return decide


def facts(registration: Registration) -> list:
    """All that a decision changes of the people of this delegation."""
    own = registration.delegates.order_by("pk").values(*batches.OWN, "pk")
    parts = SegmentDecision.objects.filter(delegate__registration=registration).order_by("pk")
    asked = Exchange.objects.filter(delegate__registration=registration).order_by("pk")
    return [list(own), list(parts.values()), list(asked.values())]


def states(registration: Registration) -> list[str]:
    return [person.state for person in registration.delegates.in_order()]


def letters() -> list[tuple[str, str, str]]:
    return sorted((one.key.split(":")[0], one.to, one.state) for one in Letter.objects.all())


def seated(hearing, seats_left: int) -> None:
    hearing.seats = seats_left
    hearing.save()


# Letters are held


def test_letters_of_a_batch_leave_after_five_minutes_and_not_before(
    decide, sent, ports, now, settings
):
    settings.DEMO = True
    batch = decide("approve", sent, ports)

    assert batch.leaves_at == now + MINUTE + timedelta(minutes=5)
    assert {one.not_before for one in Letter.objects.all()} == {batch.leaves_at}
    assert delivery.deliver(now=batch.leaves_at - SECOND) == 0
    assert delivery.deliver(now=batch.leaves_at) == 2
    assert letters() == [
        ("approved", "amina@diaspora.example", "sent"),
        ("approved", "bo@ports.example", "sent"),
    ]


def test_letters_that_follow_from_it_are_held_too(decide, sent, hearing, now):
    deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now + timedelta(days=12),
        by=None,
        now=now,
    )
    batch = decide("approve", sent)

    assert {(one.key.split(":")[0], one.not_before) for one in Letter.objects.all()} == {
        ("approved", batch.leaves_at),
        ("confirm", batch.leaves_at),
    }
    assert len(batch.letters) == 4
    assert set(batch.letters) == set(Letter.objects.values_list("pk", flat=True))


def test_who_is_withdrawn_meanwhile_is_not_asked_to_come(decide, sent, hearing, amina, now):
    deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now + timedelta(days=12),
        by=None,
        now=now,
    )
    decide("approve", sent)
    moussa = sent.delegates.get(representative__given_names="Moussa")

    intake.withdraw_person(moussa, by=amina, now=now + 2 * MINUTE)

    confirm = {one.to: one.state for one in Letter.objects.filter(key__startswith="confirm:")}
    assert confirm[moussa.representative.email] == "cancelled"
    assert sorted(confirm.values()) == ["cancelled", "queued", "queued"]


def test_what_one_delegation_refuses_is_handed_back_with_no_letter_of_it(sent, ports, clara, now):
    decisions.decline(sent, sent.delegates.all()[:1], by=clara, now=now, reason="No.")
    Letter.objects.all().delete()

    groups = [(one, list(one.delegates.all())) for one in (sent, ports)]
    batch, refused = batches.decide("approve", sent.event, groups, by=clara, now=now + MINUTE)

    assert [one for one, _why in refused] == [sent]
    assert isinstance(refused[0][1], refusals.AlreadyDecided)
    assert [str(row.delegate) for row in batch.people.all()] == ["Jun Reyes"]
    assert letters() == [("approved", "bo@ports.example", "queued")]


def test_where_all_refuse_there_is_no_batch(sent, clara, now):
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)

    batch, refused = batches.decide(
        "approve", sent.event, [(sent, list(sent.delegates.all()))], by=clara, now=now
    )

    assert batch is None
    assert len(refused) == 1
    assert list(Batch.objects.all()) == []


def test_letters_can_leave_sooner_and_then_it_cannot_be_undone(decide, sent, clara, now):
    batch = decide("approve", sent)

    batches.send(batch, now=now + 2 * MINUTE)

    assert Letter.objects.get().next_attempt_at == now + 2 * MINUTE
    for act in (
        lambda: batches.undo(batch, by=clara, now=now + 2 * MINUTE),
        lambda: batches.send(batch, now=now + 3 * MINUTE),
    ):
        with pytest.raises(refusals.LettersHaveLeft):
            act()


@pytest.mark.parametrize(
    ("word", "typed"), [("approve", {}), ("decline", {"reason": "No."}), ("wait_list", {})]
)
def test_one_more_delegation_costs_four_queries_more(hearing, clara, now, word, typed):
    """Two for its savepoint, one for its people and one for what is remembered of them."""
    seated(hearing, 0 if word == "wait_list" else 1_000)

    def queries(count: int) -> int:
        groups = crowd.sent(hearing, count, now=now, people=2, name=f"{count} of them")
        chosen = [(one, list(one.delegates.all())) for one in groups]
        with CaptureQueriesContext(connection) as seen:
            batches.decide(word, hearing, chosen, by=clara, now=now + MINUTE, **typed)
        return len(seen)

    assert queries(9) - queries(4) == 5 * 4


# Undone


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("approve", {}),
        ("decline", {"reason": "The list is full."}),
        ("ask", {"question": "Who is paying?"}),
    ],
)
def test_everything_goes_back_and_no_letter_ever_leaves(
    decide, sent, ports, clara, now, settings, word, typed
):
    settings.DEMO = True
    panel = Segment.objects.create(
        event=sent.event, name_en="Panel", date=sent.event.starts_on, seats=1
    )
    for person in sent.delegates.all():
        SegmentDecision.objects.create(delegate=person, segment=panel)
    before = facts(sent), facts(ports)
    batch = decide(word, sent, ports, **typed)
    assert (facts(sent), facts(ports)) != before

    people, refused = batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert (people, refused) == (4, [])
    assert (facts(sent), facts(ports)) == before
    assert [state for _name, _to, state in letters()] == ["cancelled"] * 2
    assert delivery.deliver(now=now + timedelta(hours=1)) == 0
    for letter in Letter.objects.all():
        with pytest.raises(Exception, match="no longer true"):
            recall.send_again(letter, now=now + 3 * MINUTE)
    assert list(
        Entry.objects.filter(verb="decision undone").values_list("actor", "before", "after")
    ) == [
        (clara.pk, {"state": now_state}, {"state": "submitted"})
        for now_state in [
            {"approve": "approved", "decline": "declined", "ask": "more_information"}[word]
        ]
        * 4
    ]


def test_the_reason_of_what_was_undone_is_not_read_by_the_group(decide, sent, clara, now):
    head = sent.delegates.in_order().first()
    decisions.decline(sent, [head], by=clara, now=now, reason="Too late.")
    decisions.reopen(sent, [head], by=clara, now=now, reason="We erred.")
    batch = decide("decline", sent, people=[head], reason="Meant for somebody else.")

    batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    told = timeline.of(sent, list(sent.delegates.all()))
    assert [(one["verb"], one["reason"]) for one in told if one["who"] == head] == [
        ("decision undone", ""),
        ("declined", ""),
        ("decision taken back", "We erred."),
        ("declined", "Too late."),
    ]


def test_people_of_the_waiting_list_come_back_to_their_places(decide, sent, ports, clara, now):
    seated(sent.event, 0)
    first, second, third = sent.delegates.in_order()
    decisions.wait_list(sent, [first, second, third], by=clara, now=now)
    batch = decide("decline", sent, people=[second, third], reason="No.")
    decisions.wait_list(ports, ports.delegates.all(), by=clara, now=now + MINUTE + SECOND)

    batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    waits = Delegate.objects.waiting().filter(registration__event=sent.event)
    names = ["Aïssata Traoré", "Moussa Keïta", "Fatoumata Sow", "Jun Reyes"]
    assert [str(person) for person in waits] == names
    assert len(set(waits.values_list("waits_as", flat=True))) == 4


def test_who_was_put_on_the_waiting_list_leaves_it(decide, sent, clara, now):
    seated(sent.event, 0)
    before = facts(sent)
    batch = decide("wait_list", sent)

    batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert facts(sent) == before


def test_seats_that_come_free_go_to_those_who_wait(decide, sent, ports, clara, now):
    seated(sent.event, 3)
    batch = decide("approve", sent)
    decisions.wait_list(ports, ports.delegates.all(), by=clara, now=now + MINUTE)

    batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert states(ports) == ["approved"]
    moved = Letter.objects.get(key__startswith="moved_up:")
    assert (moved.to, moved.not_before) == ("bo@ports.example", None)


def test_who_moved_up_by_a_decision_taken_back_waits_again(decide, sent, ports, clara, now):
    seated(sent.event, 3)
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    decisions.wait_list(ports, ports.delegates.all(), by=clara, now=now)
    Letter.objects.all().delete()
    before = facts(sent), facts(ports)
    batch = decide("reopen", sent, reason="We erred.")
    assert states(ports) == ["approved"]
    assert [name for name, _to, _state in letters()] == ["moved_up", "reopened"]

    people, refused = batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert (people, refused) == (3, [])
    assert (facts(sent), facts(ports)) == before
    assert [state for _name, _to, state in letters()] == ["cancelled"] * 2


def test_where_the_seats_have_gone_that_delegation_stays(decide, sent, ports, clara, now):
    seated(sent.event, 3)
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    batch = decide("reopen", sent, reason="We erred.")
    decisions.approve(ports, ports.delegates.all(), by=clara, now=now + MINUTE + SECOND)

    with pytest.raises(refusals.NothingUndone, match="Only 2 of the 3 seats") as refused:
        batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert str(refused.value).startswith(f"{sent.reference} Diaspora Network: ")
    assert str(refused.value).endswith("Nothing of this delegation was undone.")
    assert states(sent) == ["submitted"] * 3
    batch.refresh_from_db()
    assert batch.undone_at is None


def test_a_part_of_the_event_that_has_gone_keeps_its_delegation(decide, sent, ports, clara, now):
    panel = Segment.objects.create(
        event=sent.event, name_en="Panel", date=sent.event.starts_on, seats=1
    )
    for registration in (sent, ports):
        person = registration.delegates.in_order().first()
        SegmentDecision.objects.create(delegate=person, segment=panel)
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    batch = decide("reopen", sent, reason="We erred.")
    decisions.approve(ports, ports.delegates.all(), by=clara, now=now + MINUTE + SECOND)

    with pytest.raises(refusals.NothingUndone, match="All places of “Panel” are given"):
        batches.undo(batch, by=clara, now=now + 2 * MINUTE)


def test_who_was_to_be_replaced_comes_again(decide, sent, amina, clara, now):
    head = sent.delegates.in_order().first()
    decisions.approve(sent, [head], by=clara, now=now)
    new = replacements.replace(
        head, Person("Nana", "Ba", "nana@diaspora.example", role="head"), by=amina, now=now
    )
    Letter.objects.all().delete()
    for word, typed in (("approve", {}), ("decline", {"reason": "No."})):
        before = facts(sent)
        batch = decide(word, sent, people=[new], **typed)
        assert facts(sent) != before

        assert batches.undo(batch, by=clara, now=now + 2 * MINUTE) == (1, [])

        assert facts(sent) == before
        Letter.objects.all().delete()


def test_a_question_that_lapsed_stands_again(decide, sent, clara, amina, now):
    head = sent.delegates.in_order().first()
    decisions.ask(sent, [head], by=clara, now=now, question="Which topic?")
    Delegate.objects.filter(pk=head.pk).update(state="submitted")
    before = facts(sent)
    batch = decide("ask", sent, people=[head], question="Who is paying?")

    batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert facts(sent) == before
    with pytest.raises(refusals.NothingAsked):
        exchanges.answer(head, "We are.", by=amina, now=now + 3 * MINUTE)


# Not undone


def test_what_was_touched_since_stays_and_the_others_go_back(
    decide, sent, ports, amina, clara, now
):
    batch = decide("approve", sent, ports)
    moussa = sent.delegates.get(representative__given_names="Moussa")
    intake.withdraw_person(moussa, by=amina, now=now + MINUTE + SECOND)

    people, refused = batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert people == 1
    assert [(one.reference, str(why)) for one, why in refused] == [
        (
            sent.reference,
            "Moussa Keïta (Withdrawn) was changed since by somebody. Nothing of this delegation "
            "was undone.",
        )
    ]
    assert states(sent) == ["approved", "withdrawn", "approved"]
    assert states(ports) == ["submitted"]
    assert [one for one in letters() if one[0] == "approved"] == [
        ("approved", "amina@diaspora.example", "queued"),
        ("approved", "bo@ports.example", "cancelled"),
    ]
    assert [row.went_back for row in batch.people.in_order()] == [
        row.delegate.registration == ports for row in batch.people.in_order()
    ]


def test_who_was_decided_anew_stays(decide, sent, clara, now):
    batch = decide("decline", sent, reason="No.")
    first = sent.delegates.in_order().first()
    decisions.reopen(sent, [first], by=clara, now=now + MINUTE + SECOND, reason="We erred.")

    with pytest.raises(refusals.NothingUndone, match=r"Aïssata Traoré \(Being checked\)"):
        batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert states(sent) == ["submitted", "declined", "declined"]


def test_nobody_comes_back_as_a_second_head(decide, sent, clara, now):
    head, second, _third = sent.delegates.in_order()
    batch = decide("decline", sent, people=[head], reason="No.")
    Delegate.objects.filter(pk=second.pk).update(role="head")

    with pytest.raises(refusals.NothingUndone, match="Aïssata Traoré"):
        batches.undo(batch, by=clara, now=now + 2 * MINUTE)


def test_whoever_was_named_in_the_place_of_somebody_since_keeps_that_place(
    decide, sent, amina, clara, now
):
    head = sent.delegates.in_order().first()
    batch = decide("approve", sent, people=[head])
    person = Person("Nana", "Ba", "nana@diaspora.example", role="head")
    replacements.replace(head, person, by=amina, now=now + MINUTE + SECOND)

    with pytest.raises(refusals.NothingUndone, match="Aïssata Traoré"):
        batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    decisions.approve(
        sent, sent.delegates.filter(state="submitted"), by=clara, now=now + 3 * MINUTE
    )
    assert states(sent) == ["replaced", "approved", "approved", "approved"]


def test_after_five_minutes_the_way_back_is_named(decide, sent, clara, now):
    batch = decide("decline", sent, reason="No.")

    with pytest.raises(refusals.LettersHaveLeft, match="Take the decision back"):
        batches.undo(batch, by=clara, now=batch.leaves_at)

    assert states(sent) == ["declined"] * 3


@pytest.mark.parametrize("state", ["sent", "sending", "failed"])
def test_once_a_letter_has_left_nothing_is_undone(decide, sent, ports, clara, now, state):
    batch = decide("decline", sent, ports, reason="No.")
    left = {
        "sent": {"sent_at": now},
        "failed": {"ended_at": now},
        "sending": {"claim": batch.pk, "claimed_until": now + timedelta(hours=1)},
    }[state]
    Letter.objects.filter(to="bo@ports.example").update(state=state, **left)

    with pytest.raises(refusals.LettersHaveLeft):
        batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    assert states(sent) == ["declined"] * 3


def test_undone_twice_is_refused_and_names_who_and_when(decide, sent, clara, now):
    batch = decide("decline", sent, reason="No.")
    batches.undo(batch, by=clara, now=now + 2 * MINUTE)

    with pytest.raises(refusals.UndoneAlready, match="Clara Weiss has undone this on "):
        batches.undo(batch, by=clara, now=now + 3 * MINUTE)
    with pytest.raises(refusals.UndoneAlready):
        batches.send(batch, now=now + 3 * MINUTE)


# Races


@pytest.fixture
def raced(at_once, hearing, clara, now, monkeypatch):
    """Somebody was declined in a batch; what acts upon it at once return, and the batch."""
    monkeypatch.setattr(bell, "ring", lambda: None)

    def raced(*acts) -> tuple[list, Batch]:
        (group,) = crowd.sent(hearing, 1, now=now, name=f"Race {Batch.objects.count()}")
        batch, _refused = batches.decide(
            "decline",
            hearing,
            [(group, list(group.delegates.all()))],
            by=clara,
            now=now,
            reason="No",
        )
        return at_once(*(lambda act=act: act(batch, group) for act in acts)), batch

    return raced


@pytest.fixture
def undoing(clara, now):
    return lambda batch, group: batches.undo(batch, by=clara, now=now + MINUTE)


def kinds(results: list) -> list[str]:
    return sorted(type(result).__name__ for result in results)


@pytest.fixture
def unlocked(monkeypatch, meeting_before_writing):
    """Nobody waits for anybody: two have read all before one of them writes."""

    def hold(batch):
        meeting_before_writing()
        return Batch.objects.get(pk=batch.pk)

    monkeypatch.setattr(capacity, "_lock", lambda name: None)
    monkeypatch.setattr(batches, "_hold", hold)
    monkeypatch.setattr(batches, "_hold_rows", lambda model, ids: None)
    monkeypatch.setattr(recall, "have_left", lambda letters: False)


@pytest.mark.django_db(transaction=True)
def test_undone_twice_at_once_it_is_undone_once(raced, undoing):
    for _run in range(3):
        assert kinds(raced(undoing, undoing)[0]) == ["UndoneAlready", "tuple"]


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_it_would_be_undone_twice(raced, undoing, unlocked):
    assert kinds(raced(undoing, undoing)[0]) == ["tuple", "tuple"]


@pytest.fixture
def reopening(clara, now):
    return lambda batch, group: decisions.reopen(
        group, group.delegates.all(), by=clara, now=now + MINUTE, reason="We erred."
    )


@pytest.mark.django_db(transaction=True)
def test_undone_while_it_is_decided_anew_one_of_the_two_happens(raced, undoing, reopening):
    for _run in range(3):
        assert kinds(raced(undoing, reopening)[0]) in (
            ["NotDecided", "tuple"],
            ["NoneType", "NothingUndone"],
        )


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_both_would_happen(
    raced, undoing, reopening, unlocked, meeting_before_writing
):
    def reopen(batch, group):
        meeting_before_writing()
        return reopening(batch, group)

    assert kinds(raced(undoing, reopen)[0]) == ["NoneType", "tuple"]


@pytest.fixture
def delivered_meanwhile(raced, undoing, meeting, monkeypatch, settings):
    """How many letters leave after undoing has looked whether any has left, and before it goes
    on."""
    settings.DEMO = True

    def delivered_meanwhile(look) -> tuple[list[str], int]:
        def look_and_wait(letters) -> bool:
            seen = look(letters)
            meeting()
            meeting()
            return seen

        def deliver(batch, _group) -> int:
            meeting()
            left = delivery.deliver(now=batch.leaves_at)
            meeting()
            return left

        monkeypatch.setattr(recall, "have_left", look_and_wait)
        (undone, left), _batch = raced(undoing, deliver)
        return type(undone).__name__, left

    return delivered_meanwhile


@pytest.mark.django_db(transaction=True)
def test_no_letter_leaves_while_it_is_undone(delivered_meanwhile):
    assert delivered_meanwhile(recall.have_left) == ("tuple", 0)


@pytest.mark.django_db(transaction=True)
def test_without_holding_the_letters_one_would_leave(delivered_meanwhile):
    def only_look(letters) -> bool:
        return letters.filter(state__in=["sending", "sent"]).exists()

    assert delivered_meanwhile(only_look) == ("tuple", 1)
