from datetime import date

import pytest
from django.utils import translation

from audit.models import Entry
from events import asking, copying, questions, refusals
from events.asking import Said
from events.models import Option, Question, to_answer


@pytest.fixture
def meal(ask) -> Question:
    return ask("What do you eat?", "choice", options=["Everything", "No meat"])


def asked(event) -> list[str]:
    return [str(question) for question in event.questions.asked().in_order()]


def option(question, name) -> Option:
    return question.options.get(name_en=name)


def words_of(question, **others):
    return {name: getattr(question, name) for name in questions.WORDS} | others


def change(question, by, now, **facts):
    there = {
        "words": words_of(question),
        "is_required": question.is_required,
        "is_sensitive": question.is_sensitive,
        "shown_when": question.shown_when,
    }
    questions.change(question, **(there | facts), by=by, now=now)


def test_questions_stand_in_the_order_in_which_they_were_added(ask, hearing):
    ask("Who pays?", of="delegation")
    ask("When do you arrive?", "date")
    ask("Where from?", "country")

    assert asked(hearing) == ["Who pays?", "When do you arrive?", "Where from?"]


def test_a_question_is_asked_in_the_language_of_the_reader_or_in_english(ask):
    question = ask("Who pays?", words={"wording_ar": "من يدفع؟"})

    with translation.override("ar"):
        assert str(question) == "من يدفع؟"
    with translation.override("fr"):
        assert str(question) == "Who pays?"


def test_yes_and_no_are_said_in_each_language(ask):
    question = ask("Do you need a visa?", "yes_no")

    assert [str(each) for each in question.options.order_by("position")] == ["Yes", "No"]
    with pytest.raises(refusals.NothingToChoose):
        questions.retire_option(option(question, "Yes"), by=None, now=None)


def test_what_is_done_is_remembered_by_the_event(ask, hearing, clara, now):
    question = ask("Who pays?", is_required=True)
    change(question, clara, now, words={"wording_en": "Who pays for you?"}, is_required=False)
    questions.retire(question, by=clara, now=now)

    entries = Entry.objects.about(hearing).filter(verb__startswith="question").order_by("id")
    old = {"asked_of": "person", "kind": "text", "wording_en": "Who pays?", "is_required": True}
    new = {"asked_of": "person", "kind": "text", "wording_en": "Who pays for you?"}
    assert [(each.actor, each.verb, each.before, each.after) for each in entries] == [
        (clara, "question added", None, {"question": {"Who pays?": old}}),
        (
            clara,
            "question changed",
            {"question": {"Who pays for you?": old}},
            {"question": {"Who pays for you?": new}},
        ),
        (
            clara,
            "question retired",
            None,
            {"question": {"Who pays for you?": {"retired_at": now.isoformat()}}},
        ),
    ]


def test_saying_the_same_again_is_no_news(meal, hearing, clara, now):
    change(meal, clara, now)

    assert not Entry.objects.about(hearing).filter(verb="question changed").exists()


@pytest.mark.parametrize("options", [[], ["Everything", "everything"]], ids=["none", "twice"])
def test_choices_are_some_and_each_is_another(ask, hearing, options):
    with pytest.raises((refusals.NothingToChoose, refusals.OptionTwice)):
        ask("What do you eat?", "choice", options=options)

    assert asked(hearing) == []


def test_there_is_an_end_to_questions_and_choices(ask, meal, hearing, clara, now, monkeypatch):
    monkeypatch.setattr(questions, "MOST", 1)
    monkeypatch.setattr(questions, "MOST_OPTIONS", 2)

    with pytest.raises(refusals.TooManyQuestions):
        ask("One more?")
    with pytest.raises(refusals.TooManyOptions):
        questions.add_option(meal, names={"name_en": "Nothing"}, by=clara, now=now)
    questions.retire(meal, by=clara, now=now)
    ask("One more?")
    assert asked(hearing) == ["One more?"]


def test_choices_are_added_renamed_limited_and_retired(meal, clara, now):
    nothing = questions.add_option(
        meal, names={"name_en": "Nothing", "name_fr": "Rien"}, limit=3, by=clara, now=now
    )
    questions.change_option(
        nothing, names={"name_en": "Only drinks"}, limit=None, by=clara, now=now
    )
    questions.retire_option(option(meal, "No meat"), by=clara, now=now)

    offered = Question.objects.in_order().get(pk=meal.pk).choosable
    assert [(each.name_en, each.name_fr, each.limit) for each in offered] == [
        ("Everything", "", None),
        ("Only drinks", "", None),
    ]
    with pytest.raises(refusals.OptionTwice):
        questions.change_option(
            nothing, names={"name_en": "Everything"}, limit=None, by=clara, now=now
        )
    with pytest.raises(refusals.NotAskedNow):
        questions.retire_option(option(meal, "No meat"), by=clara, now=now)


def test_the_last_choice_stays(ask, clara, now):
    only = ask("What do you eat?", "choice", options=["Everything"])

    with pytest.raises(refusals.NothingToChoose):
        questions.retire_option(option(only, "Everything"), by=clara, now=now)


def test_nothing_is_chosen_in_a_text(ask, clara, now):
    with pytest.raises(refusals.NoChoices):
        questions.add_option(ask("Who pays?"), names={"name_en": "We"}, by=clara, now=now)


def test_what_leads_to_a_question_is_asked_of_the_same_and_before(ask, meal, clara, now):
    which = ask("Which meat?", shown_when=option(meal, "Everything"))

    with pytest.raises(refusals.NotAskedBefore):
        ask("Who cooks?", of="delegation", shown_when=option(meal, "Everything"))
    with pytest.raises(refusals.NotAskedBefore):
        questions.move(which, up=True, by=clara, now=now)
    with pytest.raises(refusals.NotAskedBefore):
        questions.move(meal, up=False, by=clara, now=now)
    with pytest.raises(refusals.NotAskedBefore):
        change(meal, clara, now, shown_when=option(meal, "No meat"))


def test_what_leads_to_a_question_stays_while_it_does(ask, meal, clara, now):
    which = ask("Which meat?", shown_when=option(meal, "Everything"))

    for act in (
        lambda: questions.retire(meal, by=clara, now=now),
        lambda: questions.remove(meal, by=clara, now=now),
        lambda: questions.retire_option(option(meal, "Everything"), by=clara, now=now),
    ):
        with pytest.raises(refusals.LeadsToOthers):
            act()

    questions.retire(which, by=clara, now=now)
    questions.retire(meal, by=clara, now=now)


def test_questions_are_moved_among_those_of_the_same(ask, hearing, clara, now):
    first, second = ask("First?"), ask("Second?")
    ask("Who pays?", of="delegation")

    questions.move(second, up=True, by=clara, now=now)

    assert asked(hearing) == ["Who pays?", "Second?", "First?"]
    with pytest.raises(refusals.AtTheEnd):
        questions.move(first, up=False, by=clara, now=now)


def test_what_nobody_has_answered_is_removed(meal, hearing, clara, now):
    questions.remove(meal, by=clara, now=now)

    assert Question.objects.count() == Option.objects.count() == 0
    with pytest.raises(refusals.NotAskedNow):
        questions.remove(meal, by=clara, now=now)


def test_what_a_choice_leaves_unasked_asks_for_nothing(ask, meal, hearing):
    which = ask("Which meat?", "choice", options=["Fish"], shown_when=option(meal, "Everything"))
    ask("Which fish?", shown_when=option(which, "Fish"))
    every = hearing.questions.asked().in_order()

    def asked_after(*chosen):
        return [str(one) for one in to_answer(every, [each.pk for each in chosen])]

    assert asked_after() == ["What do you eat?"]
    assert asked_after(option(meal, "Everything")) == ["What do you eat?", "Which meat?"]
    assert asked_after(option(which, "Fish")) == ["What do you eat?"]
    assert asked_after(option(meal, "Everything"), option(which, "Fish")) == [
        "What do you eat?",
        "Which meat?",
        "Which fish?",
    ]


def test_a_new_event_like_an_old_one_asks_the_same(ask, meal, hearing, clara, now):
    ask("Which meat?", is_sensitive=True, shown_when=option(meal, "Everything"))
    questions.change_option(
        option(meal, "No meat"), names={"name_en": "No meat"}, limit=5, by=clara, now=now
    )
    questions.retire(ask("Old?"), by=clara, now=now)

    new = copying.begin_like(
        hearing, name="Next", slug="next", starts_on=date(2031, 5, 5), by=clara, now=now
    )

    asks, which = new.questions.in_order()
    assert [(each.name_en, each.limit) for each in asks.choosable] == [
        ("Everything", None),
        ("No meat", 5),
    ]
    assert (str(which), which.is_sensitive, which.shown_when) == (
        "Which meat?",
        True,
        option(asks, "Everything"),
    )
    assert not {asks.pk, which.pk} & set(hearing.questions.values_list("pk", flat=True))


# What is typed


class Form(asking.AsksQuestions):
    pass


def filled(question, *typed, **how):
    form = Form({asking.name_of(question): list(typed) if len(typed) > 1 else "".join(typed)})
    form.ask([Question.objects.in_order().get(pk=question.pk)], **how)
    return form


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", " We   pay ", "We pay"),
        ("long_text", "One\ntwo", "One\ntwo"),
        ("number", "12.50", "12.5"),
        ("number", "٣", "3"),
        ("number", "0", "0"),
        ("date", "1951-03-04", "1951-03-04"),
        ("country", "ML", "ML"),
    ],
)
def test_each_kind_is_kept_in_one_form(ask, kind, typed, kept):
    question = ask("What?", kind)
    form = filled(question, typed)

    assert form.is_valid(), form.errors
    assert form.answers() == {question.pk: Said(kept)}


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("text", "a" * 301),
        ("long_text", "a\x00b"),
        ("long_text", "a" * 4001),
        ("number", "many"),
        ("number", "1e999999"),
        ("number", "NaN"),
        ("number", "9" * 40),
        ("date", "31 February"),
        ("date", "1899-12-31"),
        ("date", "9999-12-31"),
        ("country", "XX"),
        ("yes_no", "perhaps"),
        ("yes_no", "00000000-0000-0000-0000-000000000001"),
        ("yes_no", "\x00"),
    ],
)
def test_what_is_no_answer_is_said_beside_its_field(ask, kind, typed):
    question = ask("What?", kind)

    assert list(filled(question, typed).errors) == [asking.name_of(question)]


def test_what_is_full_is_not_offered_but_to_who_has_it(meal):
    no_meat = option(meal, "No meat")

    form = filled(meal, str(no_meat.pk), full={no_meat.pk})
    assert list(form.errors) == [asking.name_of(meal)]
    assert form[asking.name_of(meal)].help_text == "Full already: No meat."
    theirs = filled(
        meal,
        str(no_meat.pk),
        full={no_meat.pk},
        answered={meal.pk: Said(options=(no_meat.pk,))},
    )
    assert theirs.is_valid()
