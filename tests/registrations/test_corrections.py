from datetime import timedelta

import pytest

from audit.models import Entry
from events import schedule
from events.models import Event, Segment
from notifications.models import Letter
from registrations import corrections, decisions, intake, refusals
from registrations.intake import Person
from registrations.models import Correction, Delegate, Registration, SegmentDecision
from stakeholders.models import Representative

HOUR = timedelta(hours=1)
WHY = "As in the passport."


@pytest.fixture
def moussa(sent, clara, now) -> Delegate:
    """Approved."""
    delegate = sent.delegates.get(representative__given_names="Moussa")
    decisions.approve(sent, [delegate], by=clara, now=now)
    return Delegate.objects.get(pk=delegate.pk)


@pytest.fixture
def asked(moussa, amina, now) -> Correction:
    return corrections.ask(
        moussa,
        {"family_name": "Keita", "email": "keita@diaspora.example"},
        reason=WHY,
        by=amina,
        now=now + HOUR,
    )


def letters() -> list[tuple[str, str]]:
    """Of the last act."""
    last = Letter.objects.order_by("-posted_at").first().posted_at
    return sorted(
        (letter.key.split(":")[0], letter.to) for letter in Letter.objects.filter(posted_at=last)
    )


def facts(delegate: Delegate) -> dict[str, str]:
    return corrections.facts_of(Delegate.objects.get(pk=delegate.pk))


# Asking


def test_a_request_changes_nothing_and_the_organisers_are_told(asked, moussa, sent, amina, now):
    assert facts(moussa)["family_name"] == "Keïta"
    assert (asked.was, asked.wished) == (
        {"family_name": "Keïta", "email": "moussa@diaspora.example"},
        {"family_name": "Keita", "email": "keita@diaspora.example"},
    )
    assert letters() == [("asks_correction", "clara@secretariat.example")]
    entry = Entry.objects.about(moussa).get(verb="correction asked for")
    assert (entry.actor, entry.scope) == (amina, sent.event_id)
    assert entry.after == {"facts": ["email", "family_name"]}


def test_what_stays_as_it_is_is_not_asked_for(moussa, amina, now):
    wished = corrections.facts_of(moussa) | {"role": "speaker"}

    correction = corrections.ask(moussa, wished, reason=WHY, by=amina, now=now)

    assert correction.wished == {"role": "speaker"}


def test_the_same_words_twice_are_one_request(asked, moussa, amina, now):
    wished = {"family_name": "Keita", "email": "keita@diaspora.example"}

    assert corrections.ask(moussa, wished, reason=WHY, by=amina, now=now + HOUR) == asked
    with pytest.raises(refusals.CorrectionAsked):
        corrections.ask(moussa, wished, reason="Otherwise.", by=amina, now=now + HOUR)

    assert Correction.objects.count() == 1


def test_two_at_once_ask_once(at_once, moussa, amina, now):
    def ask():
        delegate = Delegate.objects.get(pk=moussa.pk)
        return corrections.ask(delegate, {"role": "speaker"}, reason=WHY, by=amina, now=now)

    one, other = at_once(ask, ask)

    assert one == other
    assert Correction.objects.count() == 1


@pytest.mark.parametrize(
    ("wished", "other", "reason", "refusal"),
    [
        ({}, "", WHY, refusals.NothingToCorrect),
        ({"family_name": "Keïta"}, " \n", WHY, refusals.NothingToCorrect),
        ({"family_name": "Keita"}, "", " \n", refusals.CorrectionReasonMissing),
        ({"role": "head"}, "", WHY, refusals.TwoHeads),
    ],
)
def test_what_cannot_be_asked(moussa, amina, now, wished, other, reason, refusal):
    with pytest.raises(refusal):
        corrections.ask(moussa, wished, other=other, reason=reason, by=amina, now=now)

    assert not Correction.objects.exists()


def test_nobody_becomes_somebody_who_is_in_already(moussa, amina, now):
    fatoumata = {
        "given_names": "Fatoumata",
        "family_name": "Sow",
        "email": "fatoumata@diaspora.example",
    }

    with pytest.raises(refusals.ListedAlready, match="Fatoumata Sow"):
        corrections.ask(moussa, fatoumata, reason=WHY, by=amina, now=now)


@pytest.mark.parametrize(
    ("state", "is_possible"),
    [
        ("draft", False),
        ("submitted", False),
        ("more_information", False),
        ("approved", True),
        ("confirmed", True),
        ("wait_listed", True),
        ("declined", False),
        ("declined_by_delegate", False),
        ("lapsed", False),
        ("replaced", False),
        ("withdrawn", False),
    ],
)
def test_whom_a_request_may_be_about(moussa, amina, now, state, is_possible):
    waits_as = 1 if state == "wait_listed" else None
    Delegate.objects.filter(pk=moussa.pk).update(state=state, waits_as=waits_as)
    moussa.refresh_from_db()

    assert corrections.is_possible(moussa, now) is is_possible
    if is_possible:
        corrections.ask(moussa, {"role": "speaker"}, reason=WHY, by=amina, now=now)
    else:
        with pytest.raises(refusals.CannotCorrect):
            corrections.ask(moussa, {"role": "speaker"}, reason=WHY, by=amina, now=now)


def test_nobody_asks_once_the_event_is_over_or_cancelled(moussa, hearing, amina, now):
    over = now + timedelta(days=40)
    with pytest.raises(refusals.HasBegun):
        corrections.ask(moussa, {"role": "speaker"}, reason=WHY, by=amina, now=over)
    assert not corrections.is_possible(moussa, over)

    schedule.cancel(hearing, by=None, reason="No room.", now=now)

    with pytest.raises(refusals.NotTakingPlace):
        corrections.ask(moussa, {"role": "speaker"}, reason=WHY, by=amina, now=now)


# Answers


def test_what_is_accepted_is_changed_and_the_group_is_told(asked, moussa, sent, clara, now):
    corrections.accept(asked, by=clara, now=now + 2 * HOUR)

    assert facts(moussa) == {
        "given_names": "Moussa",
        "family_name": "Keita",
        "email": "keita@diaspora.example",
        "role": "delegate",
    }
    assert (asked.is_accepted, asked.answered_by) == (True, clara)
    assert letters() == [("corrected", "amina@diaspora.example")]
    entry = Entry.objects.about(moussa).get(verb="corrected")
    assert (entry.actor, entry.after) == (clara, {"facts": ["email", "family_name"]})
    assert Delegate.objects.get(pk=moussa.pk).state == "approved"


def test_a_misspelt_name_that_is_nowhere_else_is_not_kept(asked, clara, now):
    corrections.accept(asked, by=clara, now=now + 2 * HOUR)

    assert not Representative.objects.filter(family_name="Keïta").exists()


def test_what_was_changed_otherwise_meanwhile_stays(asked, moussa, clara, now):
    Delegate.objects.filter(pk=moussa.pk).update(role="speaker")

    corrections.accept(asked, by=clara, now=now + 2 * HOUR)

    assert facts(moussa)["role"] == "speaker"


def test_what_is_declined_stays_and_the_group_reads_why(asked, moussa, clara, now):
    corrections.decline(asked, answer="Your badge is printed.", by=clara, now=now + 2 * HOUR)

    assert facts(moussa)["family_name"] == "Keïta"
    assert letters() == [("not_corrected", "amina@diaspora.example")]
    assert "Your badge is printed." in Letter.objects.latest("posted_at").text
    assert Entry.objects.about(moussa).get(verb="correction declined").reason == (
        "Your badge is printed."
    )


@pytest.mark.parametrize("answer", ["", " \n"])
def test_a_no_says_why(asked, clara, now, answer):
    with pytest.raises(refusals.ReasonMissing):
        corrections.decline(asked, answer=answer, by=clara, now=now + 2 * HOUR)


def test_an_answer_is_given_once(asked, clara, now):
    corrections.decline(asked, answer="No.", by=clara, now=now + 2 * HOUR)

    with pytest.raises(refusals.CorrectionAnswered, match="Nothing was changed"):
        corrections.accept(asked, by=clara, now=now + 2 * HOUR)
    with pytest.raises(refusals.CorrectionAnswered):
        corrections.decline(asked, answer="No, no.", by=clara, now=now + 2 * HOUR)


def test_a_yes_and_a_no_at_once_are_one_answer(at_once, asked, moussa, clara, now):
    def answer(yes: bool):
        correction = Correction.objects.get(pk=asked.pk)
        if yes:
            return corrections.accept(correction, by=clara, now=now + HOUR)
        return corrections.decline(correction, answer="No.", by=clara, now=now + HOUR)

    results = at_once(lambda: answer(True), lambda: answer(False))

    assert sorted(type(each).__name__ for each in results) == ["CorrectionAnswered", "NoneType"]
    asked.refresh_from_db()
    assert facts(moussa)["family_name"] == ("Keita" if asked.is_accepted else "Keïta")
    answers = Letter.objects.filter(key__regex="^(not_)?corrected:")
    assert answers.count() == 1


def test_without_reading_anew_both_would_be_given(
    at_once, meeting, monkeypatch, asked, moussa, clara, now
):
    """The control: all is read before the lock, and not again."""
    people = Delegate.objects.select_related(
        "representative",
        "registration__event__process",
        "registration__organisation",
    )

    def hold(correction):
        held = Correction.objects.get(pk=correction.pk)
        held.delegate = people.get(pk=moussa.pk)
        meeting()
        return held

    monkeypatch.setattr(corrections, "_hold_asked", hold)
    results = at_once(
        lambda: corrections.accept(asked, by=clara, now=now + HOUR),
        lambda: corrections.decline(
            Correction.objects.get(pk=asked.pk), answer="No.", by=clara, now=now + 2 * HOUR
        ),
    )

    assert results == [None, None]
    assert Letter.objects.filter(key__regex="^(not_)?corrected:").count() == 2


def test_whoever_is_gone_meanwhile_is_not_corrected(asked, moussa, amina, clara, now):
    intake.withdraw_person(moussa, by=amina, now=now + HOUR)

    with pytest.raises(refusals.CannotCorrect):
        corrections.accept(asked, by=clara, now=now + 2 * HOUR)
    corrections.decline(asked, answer="Withdrawn.", by=clara, now=now + 2 * HOUR)


def test_a_head_who_was_named_meanwhile_stays_the_only_one(sent, moussa, amina, clara, now):
    head = sent.delegates.get(role="head")
    Delegate.objects.filter(pk=head.pk).update(role="delegate")
    asked = corrections.ask(moussa, {"role": "head"}, reason=WHY, by=amina, now=now)
    Delegate.objects.filter(pk=head.pk).update(role="head")

    with pytest.raises(refusals.TwoHeads):
        corrections.accept(asked, by=clara, now=now)

    asked.refresh_from_db()
    assert asked.waits


# Seats


@pytest.fixture
def full(sent, moussa, hearing) -> Event:
    """Of one seat, which Moussa has."""
    hearing.seats = 1
    hearing.save(update_fields=["seats"])
    return hearing


def correct(delegate: Delegate, by, answered_by, now, **wished: str) -> None:
    delegate = Delegate.objects.get(pk=delegate.pk)
    asked = corrections.ask(delegate, wished, reason=WHY, by=by, now=now)
    corrections.accept(asked, by=answered_by, now=now)


def test_a_seat_that_a_role_leaves_goes_to_who_waits(full, sent, moussa, amina, clara, now):
    head = sent.delegates.get(role="head")
    decisions.wait_list(sent, [head], by=clara, now=now)

    correct(moussa, amina, clara, now + HOUR, role="interpreter")

    assert dict(sent.delegates.values_list("role", "state")) == {
        "head": "approved",
        "interpreter": "approved",
        "speaker": "submitted",
    }


def test_a_role_that_needs_a_seat_is_not_accepted_without_one(full, sent, amina, clara, now):
    helper = sent.delegates.get(role="speaker")
    Delegate.objects.filter(pk=helper.pk).update(role="assistant")
    decisions.approve(sent, [helper], by=clara, now=now)

    with pytest.raises(refusals.HearingFull):
        correct(helper, amina, clara, now, role="speaker")

    assert facts(helper)["role"] == "assistant"
    full.seats = 2
    full.save(update_fields=["seats"])
    corrections.accept(Correction.objects.get(), by=clara, now=now)
    assert facts(helper)["role"] == "speaker"


def test_whoever_needs_no_seat_any_more_waits_no_longer(full, sent, moussa, amina, clara, now):
    head = sent.delegates.get(role="head")
    decisions.wait_list(sent, [head], by=clara, now=now)

    correct(head, amina, clara, now + HOUR, role="assistant")

    assert Delegate.objects.get(pk=head.pk).state == "approved"
    assert ("approved", "amina@diaspora.example") in letters()


def test_parts_of_the_event_follow_the_seat(sent, hearing, moussa, amina, clara, now):
    panel = Segment.objects.create(event=hearing, name_en="Panel", date=hearing.starts_on, seats=1)
    helper = sent.delegates.get(role="speaker")
    Delegate.objects.filter(pk=helper.pk).update(role="assistant")
    SegmentDecision.objects.create(delegate=moussa, segment=panel, state="given")
    SegmentDecision.objects.create(delegate=helper, segment=panel)
    decisions.approve(sent, [helper], by=clara, now=now)
    assert helper.segments.get().state == "given"

    correct(helper, amina, clara, now, role="speaker")

    assert helper.segments.get().state == "wait_listed"
    correct(helper, amina, clara, now + HOUR, role="assistant")
    assert helper.segments.get().state == "given"


# What was agreed to by another name, or at another address


def test_another_name_or_address_asks_anew(sent, hearing, moussa, amina, clara, now):
    hearing.lists_participants = True
    hearing.save(update_fields=["lists_participants"])
    Delegate.objects.filter(pk=moussa.pk).update(listing_asked_at=now, listed_at=now)

    correct(moussa, amina, clara, now + HOUR, email="keita@diaspora.example")

    moussa.refresh_from_db()
    assert (moussa.listed_at, moussa.listing_asked_at) == (None, now + HOUR)
    assert ("listing", "keita@diaspora.example") in letters()


def test_another_role_does_not_ask_anew(sent, hearing, moussa, amina, clara, now):
    Delegate.objects.filter(pk=moussa.pk).update(listing_asked_at=now, listed_at=now)

    correct(moussa, amina, clara, now + HOUR, role="speaker")

    moussa.refresh_from_db()
    assert moussa.listed_at == now


# While nobody has decided


def test_facts_of_who_waits_for_a_decision_are_changed_at_once(sent, amina, now):
    head = sent.delegates.get(role="head")

    intake.change_person(head, Person("Aïssata", "Sow", role="head"), by=amina, now=now)

    assert facts(head)["family_name"] == "Sow"
    assert Entry.objects.about(head).get(verb="facts changed").actor == amina
    assert Registration.objects.get(pk=sent.pk).sent_at == sent.sent_at


def test_once_somebody_has_decided_they_are_not(moussa, amina, now):
    with pytest.raises(refusals.AlreadyDecided):
        intake.change_person(moussa, Person("Moussa", "Keita"), by=amina, now=now)


def test_a_change_and_a_decision_at_once_come_one_after_the_other(at_once, sent, amina, clara, now):
    moussa = sent.delegates.get(representative__given_names="Moussa")

    def change():
        delegate = Delegate.objects.get(pk=moussa.pk)
        return intake.change_person(delegate, Person("Moussa", "Keita"), by=amina, now=now)

    changed, approved = at_once(
        change, lambda: decisions.approve(sent, [moussa], by=clara, now=now)
    )

    assert approved is None
    is_refused = isinstance(changed, refusals.AlreadyDecided)
    assert facts(moussa)["family_name"] == ("Keïta" if is_refused else "Keita")
    assert is_refused or changed is None
