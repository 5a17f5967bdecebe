from datetime import timedelta

import pytest

from audit.models import Entry
from events import deadlines, refusals, steps
from events.models import Deadline, ReminderStep
from notifications import outbox
from notifications.models import Kind, Letter

A_DAY = timedelta(days=1)


def codes(deadline) -> list[tuple[str, str]]:
    return sorted((step.code, step.audience) for step in deadline.steps.all())


USUAL = [("14d", "everybody"), ("24h", "everybody"), ("48h", "everybody"), ("7d", "everybody")]


def test_a_step_is_added_from_now_on(deadline, clara, now):
    step = steps.add(deadline, amount=3, unit="d", audience="drafts", by=clara, now=now)

    assert (step.code, step.audience, step.added_at) == ("3d", "drafts", now)
    assert codes(deadline) == sorted([*USUAL, ("3d", "drafts")])


def test_adding_and_removing_are_remembered(deadline, hearing, clara, now):
    step = steps.add(deadline, amount=3, unit="d", audience="drafts", by=clara, now=now)
    steps.remove(step, by=clara, now=now + A_DAY)

    entries = Entry.objects.about(deadline).filter(verb__startswith="reminder").order_by("id")
    said = {"step": "3d", "audience": "drafts"}
    assert [
        (entry.actor, entry.verb, entry.at, entry.scope, entry.before, entry.after)
        for entry in entries
    ] == [
        (clara, "reminder added", now, hearing.id, None, said),
        (clara, "reminder removed", now + A_DAY, hearing.id, said, None),
    ]


@pytest.mark.parametrize(("amount", "unit"), [(365, "d"), (1, "h"), (720, "h")], ids=str)
def test_the_longest_and_the_shortest_steps(deadline, now, amount, unit):
    assert steps.add(deadline, amount=amount, unit=unit, by=None, now=now).amount == amount


@pytest.mark.parametrize(("amount", "unit"), [(0, "d"), (-1, "h"), (366, "d"), (721, "h")], ids=str)
def test_a_step_out_of_reach_is_refused(deadline, now, amount, unit):
    with pytest.raises(refusals.StepOutOfReach) as refused:
        steps.add(deadline, amount=amount, unit=unit, by=None, now=now)

    assert str(refused.value) == ("A reminder goes out 1 to 365 days, or 1 to 720 hours, before.")
    assert codes(deadline) == USUAL


@pytest.mark.parametrize(("amount", "unit"), [(7, "d"), (2, "d"), (1, "d")])
def test_one_moment_is_one_step(deadline, now, amount, unit):
    with pytest.raises(refusals.StepExists):
        steps.add(deadline, amount=amount, unit=unit, by=None, now=now)

    assert codes(deadline) == USUAL


def test_another_audience_may_have_a_step_at_the_same_moment(deadline, now):
    steps.add(deadline, amount=7, unit="d", audience="followers", by=None, now=now)

    assert ("7d", "followers") in codes(deadline)


def test_a_deadline_that_is_past_takes_no_steps(deadline):
    with pytest.raises(refusals.ClosedAlready) as refused:
        steps.add(deadline, amount=3, unit="d", by=None, now=deadline.closes_at)

    assert str(refused.value) == f"It closed on {deadline.said}. Nobody is reminded any more."


@pytest.mark.parametrize(
    ("kind", "audience", "words"),
    [
        ("registration", "to_confirm", "“Registration” is nothing to “People who have not confirm"),
        ("confirmation", "drafts", "“Confirmation” is nothing to “Groups with an unsent draft”"),
        ("speaking", "everybody", "“Speaking requests” is nothing to “Everybody concerned”"),
    ],
)
def test_a_step_that_reaches_nobody_is_refused(hearing, deadline, now, kind, audience, words):
    of = deadline
    if kind != "registration":
        of = deadlines.set_deadline(hearing, kind=kind, closes_at=now + 9 * A_DAY, by=None, now=now)

    with pytest.raises(refusals.NobodyToRemind) as refused:
        steps.add(of, amount=3, unit="d", audience=audience, by=None, now=now)

    assert words in str(refused.value)


def waiting(deadline: Deadline, code: str, now) -> str:
    key = f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:{code}:someone"
    outbox.post(
        key=key,
        to="amina@diaspora.example",
        language="en",
        subject=code,
        text=code,
        html="",
        kind=Kind.REMINDER,
        now=now,
        about=deadline.id,
    )
    return key


def test_removing_a_step_takes_back_its_letters_and_no_others(deadline, clara, now):
    seven, fourteen = waiting(deadline, "7d", now), waiting(deadline, "14d", now)

    steps.remove(deadline.steps.get(amount=7), by=clara, now=now)

    assert dict(Letter.objects.values_list("key", "state")) == {
        seven: "cancelled",
        fourteen: "queued",
    }
    assert ("7d", "everybody") not in codes(deadline)


def test_letters_stay_where_another_step_of_that_distance_does(deadline, clara, now):
    steps.add(deadline, amount=7, unit="d", audience="drafts", by=clara, now=now)
    waiting(deadline, "7d", now)

    steps.remove(deadline.steps.get(amount=7, audience="everybody"), by=clara, now=now)

    assert Letter.objects.get().state == "queued"


def test_removing_twice_is_the_same(deadline, clara, now):
    step = deadline.steps.get(amount=7)
    steps.remove(ReminderStep.objects.get(pk=step.pk), by=clara, now=now)

    steps.remove(step, by=clara, now=now)

    assert Entry.objects.about(deadline).filter(verb="reminder removed").count() == 1


def test_removing_a_past_step_brings_back_none_before_it(deadline, clara, now):
    """A sweep that was down then would send the older one instead, and late."""
    later = deadline.closes_at - 6 * A_DAY

    steps.remove(deadline.steps.get(amount=7), by=clara, now=later)

    added = {step.code: step.added_at for step in deadline.steps.all()}
    assert added.pop("14d") == later
    assert set(added.values()) == {deadline.set_at}


def test_removing_a_step_to_come_leaves_the_others_as_they_are(deadline, clara, now):
    steps.remove(deadline.steps.get(amount=7), by=clara, now=deadline.closes_at - 8 * A_DAY)

    assert {step.added_at for step in deadline.steps.all()} == {deadline.set_at}
