"""What a group answers to the questions of the organisers: while it fills a draft, and later what
nobody has answered yet."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import capacity
from events.asking import Said
from events.models import Event, Option, Question, to_answer
from registrations import refusals
from registrations.models import GONE, Answer, AnswerQuerySet, Delegate, Registration

State = Delegate.State
Given = Mapping[uuid.UUID, Said]
"""Answers by question."""


def asked(event: Event) -> list[Question]:
    """All that is asked now, with what can be chosen."""
    return list(event.questions.asked().in_order())


def for_each(whom: str, questions: Iterable[Question]) -> list[Question]:
    """Of these, what is asked of each delegation, or of each person."""
    return [question for question in questions if question.asked_of == whom]


def whom(delegate: Delegate | None) -> str:
    return Question.Of.PERSON if delegate else Question.Of.DELEGATION


def given(registration: Registration, delegate: Delegate | None = None) -> dict[uuid.UUID, Said]:
    """What this person, or the delegation as such, has answered."""
    return said_in(registration.answers.filter(delegate=delegate))


def said_in(answers: Iterable[Answer]) -> dict[uuid.UUID, Said]:
    return {one.question_id: Said(one.text, tuple(one.options)) for one in answers}


def chosen_in(answers: Given) -> set[uuid.UUID]:
    return {option for said in answers.values() for option in said.options}


def possible(
    registration: Registration,
    questions: Iterable[Question],
    answered: Given,
    *,
    delegate: Delegate | None = None,
    now: datetime,
) -> list[Question]:
    """What can be answered now: all while somebody is still to decide; then only what nobody has
    answered, for what was judged stays."""
    theirs = for_each(whom(delegate), questions)
    people = [delegate] if delegate else list(registration.delegates.all())
    if registration.is_draft:
        return theirs if delegate is None or delegate.state == State.DRAFT else []
    if registration.is_withdrawn or registration.event.is_over(now):
        return []
    if any(one.awaits_decision for one in people):
        return theirs
    if all(one.state in {*GONE, State.WITHDRAWN} for one in people):
        return []
    live = to_answer(theirs, chosen_in(answered))
    return [question for question in live if question.pk not in answered]


def missing(questions: Iterable[Question], answered: Given) -> list[Question]:
    """Those that must be answered, and are not."""
    live = to_answer(questions, chosen_in(answered))
    return [one for one in live if one.is_required and one.pk not in answered]


def full(questions: Iterable[Question]) -> set[uuid.UUID]:
    """The options that as many have chosen as may."""
    limited = _limited(questions)
    taken = _taken(Answer.objects.standing(), limited)
    return {pk for pk, option in limited.items() if taken[pk] >= (option.limit or 0)}


@transaction.atomic
def answer(
    registration: Registration,
    answers: Given,
    *,
    delegate: Delegate | None = None,
    by: User,
    now: datetime,
) -> None:
    """Answer for the delegation, or for one of its people, what can be answered now. In a draft
    nothing need be answered; afterwards what must be is, and nothing is chosen that is full.

    Refuses with NothingToAnswer, AnswerMissing and OptionFull.
    """
    capacity.hold_only(registration.event)
    held = Registration.objects.held(registration)
    if delegate:
        delegate.refresh_from_db(fields=["state"])
    before = given(held, delegate)
    questions = possible(held, _held_questions(held.event), before, delegate=delegate, now=now)
    if not questions:
        raise refusals.NothingToAnswer
    if not held.is_draft:
        here = {question.pk for question in questions}
        others = {pk: said for pk, said in before.items() if pk not in here}
        for question in missing(questions, {**others, **answers}):
            raise refusals.AnswerMissing(question, delegate)
        new = Counter(chosen_in(answers) - chosen_in(before))
        _check_left(new, _limited(questions), Answer.objects.standing())
    if _keep(held, answers, questions, delegate=delegate, by=by, now=now) and not held.is_draft:
        verb = gettext_noop("questions answered")
        trail.record(by, verb, delegate or held, at=now, scope=held.event_id)


def give(delegate: Delegate, answers: Given, *, by: User, now: datetime) -> bool:
    """Keep the answers of a person of a draft, whose registration is held; whether any is new."""
    held = delegate.registration
    questions = for_each(Question.Of.PERSON, _held_questions(held.event))
    return _keep(held, answers, questions, delegate=delegate, by=by, now=now)


def check(held: Registration, people: Sequence[Delegate], questions: Sequence[Question]) -> None:
    """Whether these people can be sent with the answers as they are; the event is held.

    Refuses with AnswerMissing and OptionFull.
    """
    answers: dict[uuid.UUID | None, list[Answer]] = {}
    for one in held.answers.filter(question__in=questions):
        answers.setdefault(one.delegate_id, []).append(one)
    chosen = Counter[uuid.UUID]()
    for delegate in [None, *people]:
        theirs = for_each(whom(delegate), questions)
        said = said_in(answers.get(delegate.pk if delegate else None, []))
        for question in missing(theirs, said):
            raise refusals.AnswerMissing(question, delegate)
        chosen.update(chosen_in(said))
    others = Answer.objects.standing().exclude(registration=held)
    _check_left(chosen, _limited(questions), others)


def _held_questions(event: Event) -> list[Question]:
    """None of them is removed before the answers are in."""
    with connection.cursor() as cursor:
        sql = "select id from events_question where event_id = %s for key share"
        cursor.execute(sql, [event.pk])
    return asked(event)


def _keep(
    held: Registration,
    answers: Given,
    questions: Sequence[Question],
    *,
    delegate: Delegate | None,
    by: User,
    now: datetime,
) -> bool:
    """These answers to these questions and no others, in the words in which they were asked;
    whether anything is new."""
    there = held.answers.filter(delegate=delegate, question__in=questions)
    before = said_in(there)
    changed = [one for one in questions if before.get(one.pk) != answers.get(one.pk)]
    there.filter(question__in=changed).delete()
    Answer.objects.bulk_create(
        Answer(
            registration=held,
            delegate=delegate,
            question=question,
            text=said.text,
            options=list(said.options),
            asked_as=question.wording,
            chosen_as=_words(question, said.options),
            answered_by=by,
            answered_at=now,
        )
        for question in changed
        if (said := answers.get(question.pk))
    )
    return bool(changed)


def _words(question: Question, options: Collection[uuid.UUID]) -> list[str]:
    names = {option.pk: str(option) for option in question.options.all()}
    return [names[pk] for pk in options]


def _limited(questions: Iterable[Question]) -> dict[uuid.UUID, Option]:
    return {
        option.pk: option
        for question in questions
        for option in question.options.all()
        if option.limit is not None
    }


def _taken(answers: AnswerQuerySet, options: Collection[uuid.UUID]) -> Counter[uuid.UUID]:
    """How many of these answers have chosen each."""
    if not options:
        return Counter()
    counted = {pk.hex: Count("pk", filter=Q(options__contains=[pk])) for pk in options}
    found = answers.aggregate(**{f"n_{name}": n for name, n in counted.items()})
    return Counter({pk: found[f"n_{pk.hex}"] for pk in options})


def _check_left(
    chosen: Counter[uuid.UUID], limited: Mapping[uuid.UUID, Option], others: AnswerQuerySet
) -> None:
    wanted = {pk: n for pk, n in chosen.items() if pk in limited}
    taken = _taken(others, wanted)
    for pk, n in wanted.items():
        left = max((limited[pk].limit or 0) - taken[pk], 0)
        if n > left:
            raise refusals.OptionFull(limited[pk], left)
