from datetime import timedelta

import pytest
from django.utils import translation

from audit.models import Entry
from events import capacity, questions, refusals
from events.asking import Said
from registrations import answering, decisions, intake, on_behalf
from registrations import refusals as ours
from registrations.intake import Person
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation

DAY = timedelta(days=1)
MOUSSA = Person("Moussa", "Keïta", "moussa@diaspora.example")


@pytest.fixture
def meal(ask):
    return ask("What do you eat?", "choice", options=["Everything", "No meat"], is_required=True)


@pytest.fixture
def payer(ask):
    return ask("Who pays?", of="delegation", is_required=True)


@pytest.fixture
def aissata(draft) -> Delegate:
    return draft.delegates.get()


def option(question, name):
    return question.options.get(name_en=name)


def chosen(question, *names) -> dict:
    return {question.pk: Said(options=tuple(option(question, name).pk for name in names))}


def answers(of) -> list[tuple[str, str]]:
    found = of.answers.select_related("question").in_order()
    return [(str(one.question), str(one)) for one in found]


def change(delegate, given, by, now):
    person = Person("Aïssata", "Traoré", "aissata@diaspora.example", role="head")
    intake.change_person(delegate, person, answers=given, by=by, now=now)


def test_answers_of_a_person_come_with_them(draft, meal, amina, now):
    moussa = intake.add_person(draft, MOUSSA, answers=chosen(meal, "No meat"), by=amina, now=now)
    assert answers(moussa) == [("What do you eat?", "No meat")]

    intake.change_person(moussa, MOUSSA, answers=chosen(meal, "Everything"), by=amina, now=now)
    assert answers(moussa) == [("What do you eat?", "Everything")]
    intake.change_person(moussa, MOUSSA, answers={}, by=amina, now=now)
    assert answers(moussa) == []


def test_what_a_colleague_has_answered_meanwhile_is_not_overwritten(aissata, meal, amina, now):
    seen = aissata.mark
    change(aissata, chosen(meal, "No meat"), amina, now)
    person = Person("Aïssata", "Traoré", "aissata@diaspora.example", role="head")

    with pytest.raises(ours.ChangedMeanwhile):
        intake.change_person(
            aissata, person, answers=chosen(meal, "Everything"), seen=seen, by=amina, now=now
        )

    assert answers(aissata) == [("What do you eat?", "No meat")]


def test_answers_of_a_delegation_are_its_own(draft, payer, amina, now):
    answering.answer(draft, {payer.pk: Said("We")}, by=amina, now=now)

    assert answers(draft) == [("Who pays?", "We")]
    answering.answer(draft, {}, by=amina, now=now)
    assert answers(draft) == []


def test_an_answer_keeps_the_words_in_which_it_was_asked(aissata, meal, amina, clara, now):
    questions.change_option(
        option(meal, "No meat"),
        names={"name_en": "No meat", "name_fr": "Sans viande"},
        limit=None,
        by=clara,
        now=now,
    )
    with translation.override("fr"):
        change(aissata, chosen(meal, "No meat"), amina, now)
    answer = aissata.answers.get()
    assert (answer.asked_as, answer.chosen_then) == ("What do you eat?", "Sans viande")
    assert (str(answer), answer.is_of_other_words) == ("No meat", False)

    questions.change_option(
        option(meal, "No meat"), names={"name_en": "Vegan"}, limit=None, by=clara, now=now
    )

    answer = aissata.answers.get()
    assert (str(answer), answer.is_of_other_words) == ("Vegan", True)
    assert (answer.asked_as, answer.chosen_then) == ("What do you eat?", "Sans viande")


def test_what_was_answered_is_retired_and_not_removed(aissata, meal, amina, clara, now):
    change(aissata, chosen(meal, "No meat"), amina, now)

    with pytest.raises(refusals.HasAnswers) as refused:
        questions.remove(meal, by=clara, now=now)

    assert str(refused.value) == (
        "“What do you eat?” was answered already. It can be retired, so that the answers stay."
    )
    questions.retire(meal, by=clara, now=now)
    assert answers(aissata) == [("What do you eat?", "No meat")]


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        ("date", "1951-03-04", "4 March 1951"),
        ("country", "ML", "Mali"),
        ("number", "3", "3"),
    ],
)
def test_an_answer_is_said_in_the_words_of_the_reader(aissata, ask, amina, now, kind, said, words):
    question = ask("What?", kind)

    change(aissata, {question.pk: Said(said)}, amina, now)

    assert answers(aissata) == [("What?", words)]


# Sending


def test_what_must_be_answered_is_asked_for_before_it_is_sent(
    draft, aissata, payer, meal, amina, now
):
    with pytest.raises(ours.AnswerMissing) as refused:
        intake.submit(draft, by=amina, now=now)
    assert str(refused.value) == "Answer this question of the organisers first: “Who pays?”"

    answering.answer(draft, {payer.pk: Said("We")}, by=amina, now=now)
    with pytest.raises(ours.AnswerMissing) as refused:
        intake.submit(draft, by=amina, now=now)
    assert str(refused.value) == (
        "Answer this question about Aïssata Traoré first: “What do you eat?”"
    )

    change(aissata, chosen(meal, "No meat"), amina, now)
    intake.submit(draft, by=amina, now=now)
    assert not draft.is_draft


def test_what_is_not_asked_need_not_be_answered(draft, aissata, ask, amina, now):
    visa = ask("Do you need a visa?", "yes_no")
    ask("Number of the passport", is_required=True, shown_when=option(visa, "Yes"))
    change(aissata, chosen(visa, "Yes"), amina, now)
    with pytest.raises(ours.AnswerMissing):
        intake.submit(draft, by=amina, now=now)

    change(aissata, chosen(visa, "No"), amina, now)
    intake.submit(draft, by=amina, now=now)


def test_of_a_group_that_an_organiser_enters_nothing_is_asked_yet(hearing, clara, payer, meal, now):
    registration = on_behalf.enter(
        hearing,
        Organisation(name="Valley Women", country="KE", category="diaspora"),
        focal_point="tomas@valley.example",
        people=[Person("Tomas", "Otieno")],
        by=clara,
        now=now,
    )

    assert not registration.is_draft
    asked = answering.asked(hearing)
    assert answering.possible(registration, asked, {}, now=now) == [payer]


# Afterwards


@pytest.fixture
def sent_with(draft, aissata, payer, amina, now) -> Registration:
    """With who pays, and a question that came later."""
    answering.answer(draft, {payer.pk: Said("We")}, by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    return draft


def test_while_nobody_has_decided_answers_can_change(sent_with, aissata, payer, amina, now):
    answering.answer(sent_with, {payer.pk: Said("The fund")}, by=amina, now=now)

    assert answers(sent_with) == [("Who pays?", "The fund")]
    entry = Entry.objects.about(sent_with).get(verb="questions answered")
    assert (entry.actor, entry.before, entry.after) == (amina, None, None)
    with pytest.raises(ours.AnswerMissing):
        answering.answer(sent_with, {}, by=amina, now=now)


def test_once_it_is_decided_only_what_is_missing_can_be_answered(
    sent_with, aissata, payer, meal, amina, clara, now
):
    decisions.approve(sent_with, sent_with.delegates.all(), by=clara, now=now)
    asked = answering.asked(sent_with.event)

    with pytest.raises(ours.NothingToAnswer):
        answering.answer(sent_with, {payer.pk: Said("The fund")}, by=amina, now=now)
    aissata.refresh_from_db()
    aissata.registration = sent_with
    assert answering.possible(sent_with, asked, {}, delegate=aissata, now=now) == [meal]
    answering.answer(sent_with, chosen(meal, "No meat"), delegate=aissata, by=amina, now=now)
    assert answers(aissata) == [("What do you eat?", "No meat")]
    with pytest.raises(ours.NothingToAnswer):
        answering.answer(sent_with, chosen(meal, "Everything"), delegate=aissata, by=amina, now=now)


def test_what_follows_from_an_answer_can_be_answered_later(draft, aissata, ask, amina, clara, now):
    visa = ask("Do you need a visa?", "yes_no")
    change(aissata, chosen(visa, "Yes"), amina, now)
    intake.submit(draft, by=amina, now=now)
    decisions.approve(draft, draft.delegates.all(), by=clara, now=now)
    passport = ask("Number of the passport", shown_when=option(visa, "Yes"))
    aissata.refresh_from_db()

    answering.answer(draft, {passport.pk: Said("A 12")}, delegate=aissata, by=amina, now=now)

    assert answers(aissata)[1] == ("Number of the passport", "A 12")


@pytest.mark.parametrize("over", ["withdrawn", "past"])
def test_in_the_end_nothing_can_be_answered(sent_with, payer, amina, now, over):
    if over == "withdrawn":
        intake.withdraw(sent_with, by=amina, now=now)
    later = now if over == "withdrawn" else now + 90 * DAY

    with pytest.raises(ours.NothingToAnswer):
        answering.answer(sent_with, {payer.pk: Said("We")}, by=amina, now=later)


# Limits


@pytest.fixture
def few(meal, clara, now):
    """One can do without meat."""
    limited = option(meal, "No meat")
    questions.change_option(limited, names={"name_en": "No meat"}, limit=1, by=clara, now=now)
    return meal


@pytest.fixture
def both(draft, aissata, hearing, bo, port_workers, few, amina, now):
    """Two drafts, in each of which somebody goes without meat; each with who sends it."""
    change(aissata, chosen(few, "No meat"), amina, now)
    other = intake.begin(hearing, port_workers, by=bo, now=now)
    person = Person("Jun", "Reyes", "jun@ports.example")
    intake.add_person(other, person, answers=chosen(few, "No meat"), by=bo, now=now)
    return [(draft, amina), (other, bo)]


def test_a_draft_takes_up_nothing_and_who_sends_first_has_it(both, few, now):
    (first, amina), (second, bo) = both
    assert answering.full(answering.asked(few.event)) == set()

    intake.submit(second, by=bo, now=now)

    with pytest.raises(ours.OptionFull) as refused:
        intake.submit(first, by=amina, now=now)
    assert str(refused.value) == (
        "“No meat” is full: as many as can have chosen it. Choose another one."
    )
    assert answering.full(answering.asked(few.event)) == {option(few, "No meat").pk}
    intake.withdraw(second, by=bo, now=now)
    intake.submit(first, by=amina, now=now)


def test_a_delegation_counts_its_own(draft, aissata, few, amina, now):
    change(aissata, chosen(few, "No meat"), amina, now)
    intake.add_person(draft, MOUSSA, answers=chosen(few, "No meat"), by=amina, now=now)

    with pytest.raises(ours.OptionFull) as refused:
        intake.submit(draft, by=amina, now=now)

    assert str(refused.value) == "“No meat” can be chosen by 1 more person only."


def test_what_is_full_is_not_chosen_later_but_kept(both, few, now):
    (first, amina), (second, bo) = both
    intake.submit(second, by=bo, now=now)
    [jun] = second.delegates.all()
    answering.answer(second, chosen(few, "No meat"), delegate=jun, by=bo, now=now)
    change(first.delegates.get(), chosen(few, "Everything"), amina, now)
    intake.submit(first, by=amina, now=now)

    with pytest.raises(ours.OptionFull):
        answering.answer(
            first, chosen(few, "No meat"), delegate=first.delegates.get(), by=amina, now=now
        )


@pytest.fixture
def race(both, at_once, meeting_before_writing, now):
    """What becomes of the last place when both send at once."""

    def sending(registration, by):
        def send() -> None:
            meeting_before_writing()
            intake.submit(registration, by=by, now=now)

        return send

    return lambda: sorted(type(one).__name__ for one in at_once(*(sending(*each) for each in both)))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_want_the_last_place_one_gets_it(race):
    assert race() == ["NoneType", "OptionFull"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_of_the_event_both_would(race, monkeypatch):
    monkeypatch.setattr(capacity, "_lock", lambda name: None)

    assert race() == ["NoneType", "NoneType"]


@pytest.fixture
def removal(aissata, meal, amina, clara, at_once, meeting, monkeypatch, now):
    """What becomes of a question that is removed while somebody answers it."""
    keep = answering._keep

    def keep_later(*args, **facts) -> bool:
        meeting()
        meeting()
        return keep(*args, **facts)

    def remove() -> None:
        meeting()
        questions.remove(meal, by=clara, now=now)
        meeting()

    monkeypatch.setattr(answering, "_keep", keep_later)
    given = chosen(meal, "No meat")
    return lambda: [
        type(one).__name__ for one in at_once(lambda: change(aissata, given, amina, now), remove)
    ]


@pytest.mark.django_db(transaction=True)
def test_what_is_being_answered_is_not_removed(removal):
    assert removal() == ["NoneType", "HasAnswers"]


@pytest.mark.django_db(transaction=True)
def test_what_nobody_held_would_be_gone_under_its_answer(removal, monkeypatch):
    monkeypatch.setattr(answering, "_held_questions", answering.asked)

    assert removal() == ["IntegrityError", "NoneType"]
