from datetime import timedelta

import pytest

from audit.models import Entry
from notifications.models import Letter
from registrations import decisions, exchanges, intake, refusals
from registrations.models import Delegate

LATER = timedelta(hours=1)
STILL_LATER = timedelta(hours=2)


@pytest.fixture
def asked(sent, clara, now) -> Delegate:
    """Moussa, about whom Clara asked."""
    moussa = sent.delegates.get(representative__given_names="Moussa")
    decisions.ask(sent, [moussa], by=clara, now=now + LATER, question="Who pays the travel?")
    return moussa


def test_an_answer_is_kept_and_the_person_waits_for_a_decision_again(
    asked, sent, hearing, amina, now
):
    exchanges.answer(asked, "We do.", by=amina, now=now + STILL_LATER)

    assert Delegate.objects.get(pk=asked.pk).state == "submitted"
    exchange = asked.exchanges.get()
    assert (exchange.answer, exchange.answered_by, exchange.answered_at) == (
        "We do.",
        amina,
        now + STILL_LATER,
    )
    entry = Entry.objects.about(asked).get(verb="question answered")
    assert (entry.actor, entry.scope) == (amina, hearing.id)
    assert (entry.before, entry.after) == ({"state": "more_information"}, {"state": "submitted"})


def test_an_answer_is_confirmed_by_a_letter_to_the_group(asked, amina, now):
    exchanges.answer(asked, "We do.", by=amina, now=now + STILL_LATER)

    letters = Letter.objects.order_by("posted_at")
    assert [letter.key.split(":")[0] for letter in letters] == ["received", "asked", "answered"]
    assert "Moussa Keïta" in letters.last().text


def test_what_was_not_asked_is_not_answered(sent, amina, now):
    head = sent.delegates.in_order().first()

    with pytest.raises(refusals.NothingAsked) as refused:
        exchanges.answer(head, "We do.", by=amina, now=now)

    assert str(refused.value) == (
        "There is no open question about Aïssata Traoré. It may have been answered already."
    )


def test_an_answer_is_given_once(asked, amina, now):
    exchanges.answer(asked, "We do.", by=amina, now=now + STILL_LATER)

    with pytest.raises(refusals.NothingAsked):
        exchanges.answer(asked, "They do.", by=amina, now=now + STILL_LATER)

    assert asked.exchanges.get().answer == "We do."


def test_two_colleagues_who_answer_at_once_give_one_answer(at_once, asked, amina, now):
    results = at_once(
        lambda: exchanges.answer(asked, "We do.", by=amina, now=now + STILL_LATER),
        lambda: exchanges.answer(
            Delegate.objects.get(pk=asked.pk), "They do.", by=amina, now=now + STILL_LATER
        ),
    )

    assert [type(each) for each in results if each] == [refusals.NothingAsked]
    assert Letter.objects.filter(key__startswith="answered:").count() == 1


@pytest.mark.parametrize("how", ["approved", "withdrawn"])
def test_a_question_lapses_when_the_person_no_longer_waits(asked, sent, clara, amina, now, how):
    if how == "approved":
        decisions.approve(sent, [asked], by=clara, now=now + STILL_LATER)
    else:
        intake.withdraw_person(asked, by=amina, now=now + STILL_LATER)

    with pytest.raises(refusals.NothingAsked):
        exchanges.answer(asked, "We do.", by=amina, now=now + STILL_LATER)

    assert Delegate.objects.get(pk=asked.pk).state == how


def test_after_an_answer_one_may_be_asked_again(asked, sent, clara, amina, now):
    exchanges.answer(asked, "We do.", by=amina, now=now + STILL_LATER)

    decisions.ask(sent, [asked], by=clara, now=now + STILL_LATER, question="And the hotel?")

    assert list(asked.exchanges.order_by("asked_at").values_list("question", "answer")) == [
        ("Who pays the travel?", "We do."),
        ("And the hotel?", ""),
    ]


def test_a_person_who_comes_back_after_withdrawing_can_be_asked_again(
    asked, sent, hearing, diaspora_network, clara, amina, now
):
    intake.withdraw(sent, by=amina, now=now + STILL_LATER)
    again = intake.begin(hearing, diaspora_network, by=amina, now=now + STILL_LATER)
    intake.submit(again, by=amina, now=now + STILL_LATER)

    decisions.ask(again, [asked], by=clara, now=now + STILL_LATER, question="And the hotel?")
    exchanges.answer(asked, "It is booked.", by=amina, now=now + STILL_LATER)

    exchange = asked.exchanges.get()
    assert (exchange.question, exchange.answer) == ("And the hotel?", "It is booked.")
    asked_of = Entry.objects.about(asked).filter(verb="question asked").order_by("id")
    assert [entry.reason for entry in asked_of] == ["Who pays the travel?", "And the hotel?"]
