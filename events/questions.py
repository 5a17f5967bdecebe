"""What the organisers ask beside what every registration asks: added, worded, ordered, retired."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, ProtectedError
from django.utils.translation import gettext_noop
from translated_fields import to_attribute

from accounts.models import User
from audit import trail
from events import refusals, texts
from events.models import Event, Option, Question

Kind = Question.Kind
MOST, MOST_OPTIONS = 40, 60
"""So many questions are asked at an event, and so many choices offered in one."""
WORDS = [to_attribute(name, code) for name in ("wording", "help") for code in texts.CODES]
NAMES = [to_attribute("name", code) for code in texts.CODES]


@transaction.atomic
def add(
    event: Event,
    *,
    asked_of: str,
    kind: str,
    words: Mapping[str, str],
    is_required: bool = False,
    is_sensitive: bool = False,
    shown_when: Option | None = None,
    options: Sequence[str] = (),
    by: User,
    now: datetime,
) -> Question:
    """Ask this after the others. `words` are columns of the question in any languages, `options`
    choices in English.

    Refuses with TooManyQuestions, NothingToChoose, TooManyOptions, OptionTwice and NotAskedBefore.
    """
    held = _held(event)
    if held.questions.asked().count() >= MOST:
        raise refusals.TooManyQuestions(MOST)
    question = Question(
        event=held,
        asked_of=asked_of,
        kind=kind,
        position=_next(held.questions),
        is_required=is_required,
        is_sensitive=is_sensitive,
        shown_when=shown_when,
        **_words(words, WORDS),
    )
    if kind in (Kind.CHOICE, Kind.CHOICES) and not options:
        raise refusals.NothingToChoose
    _check_before(question)
    question.save(force_insert=True)
    if kind == Kind.YES_NO:
        _offer(question, [(fixed.label, fixed) for fixed in Option.Fixed])
    elif question.has_options:
        _check_options(options)
        _offer(question, [(name, "") for name in options])
    _record(gettext_noop("question added"), question, by=by, now=now, after=_facts(question))
    return question


@transaction.atomic
def change(
    question: Question,
    *,
    words: Mapping[str, str],
    is_required: bool,
    is_sensitive: bool,
    shown_when: Option | None,
    by: User,
    now: datetime,
) -> None:
    """Say it otherwise. Answers keep the words in which they were asked. Refuses with NotAskedNow
    and NotAskedBefore."""
    held = _held_question(question)
    before = _facts(held)
    for name, text in _words(words, WORDS).items():
        setattr(held, name, text)
    held.is_required, held.is_sensitive = is_required, is_sensitive
    held.shown_when = shown_when
    _check_before(held)
    held.save()
    if (after := _facts(held)) != before:
        _record(gettext_noop("question changed"), held, by=by, now=now, before=before, after=after)


@transaction.atomic
def retire(question: Question, *, by: User, now: datetime) -> None:
    """Ask it no more; what was answered stays. Refuses with NotAskedNow, and with LeadsToOthers
    while another question is asked by its answer."""
    held = _held_question(question)
    _check_leads_nowhere(list(held.options.all()))
    held.retired_at = now
    held.save(update_fields=["retired_at"])
    after = {"retired_at": now.isoformat()}
    _record(gettext_noop("question retired"), held, by=by, now=now, after=after)


@transaction.atomic
def remove(question: Question, *, by: User, now: datetime) -> None:
    """Forget a question that nobody has answered. Refuses with HasAnswers, LeadsToOthers and, the
    second time, NotAskedNow."""
    event = _held(question.event)
    held = event.questions.select_for_update().filter(pk=question.pk).first()
    if held is None:
        raise refusals.NotAskedNow
    _check_leads_nowhere(list(held.options.all()))
    before = _facts(held)
    try:
        with transaction.atomic():
            Question.objects.filter(pk=held.pk).delete()
    except ProtectedError:
        raise refusals.HasAnswers(held) from None
    _record(gettext_noop("question removed"), held, by=by, now=now, before=before)


@transaction.atomic
def move(question: Question, *, up: bool, by: User, now: datetime) -> None:
    """Ask it before the one above it, or after the one below. Refuses with NotAskedNow, AtTheEnd
    and NotAskedBefore."""
    held = _held_question(question)
    row = list(held.event.questions.asked().of_each(held.asked_of).order_by("position", "id"))
    at = row.index(held)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(row):
        raise refusals.AtTheEnd(held)
    row[at], row[to] = row[to], row[at]
    for position, one in enumerate(row):
        one.position = position
    Question.objects.bulk_update(row, ["position"])
    for one in (row[at], row[to]):
        _check_before(one)
    before, after = {"position": at + 1}, {"position": to + 1}
    _record(gettext_noop("question moved"), held, by=by, now=now, before=before, after=after)


@transaction.atomic
def add_option(
    question: Question,
    *,
    names: Mapping[str, str],
    limit: int | None = None,
    by: User,
    now: datetime,
) -> Option:
    """Offer one more choice. Refuses with NotAskedNow, NoChoices, TooManyOptions, OptionTwice."""
    held = _held_question(question)
    if held.kind not in (Kind.CHOICE, Kind.CHOICES):
        raise refusals.NoChoices(held)
    option = Option(
        question=held, position=_next(held.options), limit=limit, **_words(names, NAMES)
    )
    _check_options([*_offered(held), option.in_english])
    option.save(force_insert=True)
    _record_option(gettext_noop("choice added"), option, by=by, now=now, after=_facts_of(option))
    return option


@transaction.atomic
def change_option(
    option: Option, *, names: Mapping[str, str], limit: int | None, by: User, now: datetime
) -> None:
    """Call it otherwise, or let more or fewer choose it: whoever has chosen it keeps it. Refuses
    with NotAskedNow and OptionTwice."""
    held = _held_option(option)
    before = _facts_of(held)
    if not held.fixed:
        for name, text in _words(names, NAMES).items():
            setattr(held, name, text)
        _check_options([*_offered(held.question, but=held), held.in_english])
    held.limit = limit
    held.save()
    if (after := _facts_of(held)) != before:
        verb = gettext_noop("choice changed")
        _record_option(verb, held, by=by, now=now, before=before, after=after)


@transaction.atomic
def retire_option(option: Option, *, by: User, now: datetime) -> None:
    """Offer it no more. Refuses with NotAskedNow, LeadsToOthers, and NothingToChoose for the last
    one and for yes and no."""
    held = _held_option(option)
    if held.fixed or len(_offered(held.question)) < 2:
        raise refusals.NothingToChoose
    _check_leads_nowhere([held])
    held.retired_at = now
    held.save(update_fields=["retired_at"])
    after = {"retired_at": now.isoformat()}
    _record_option(gettext_noop("choice retired"), held, by=by, now=now, after=after)


def _held(event: Event) -> Event:
    """Its questions change one after the other."""
    return Event.objects.select_for_update(no_key=True).get(pk=event.pk)


def _held_question(question: Question) -> Question:
    held = _held(question.event).questions.asked().filter(pk=question.pk).first()
    if held is None:
        raise refusals.NotAskedNow
    return held


def _held_option(option: Option) -> Option:
    question = _held_question(option.question)
    held = question.options.filter(pk=option.pk, retired_at=None).first()
    if held is None:
        raise refusals.NotAskedNow
    held.question = question
    return held


def _next(rows: Any) -> int:
    last = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _words(words: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    return {name: words.get(name, "") for name in columns}


def _offer(question: Question, options: Sequence[tuple[Any, str]]) -> None:
    Option.objects.bulk_create(
        Option(question=question, position=position, name_en=str(name), fixed=fixed)
        for position, (name, fixed) in enumerate(options)
    )


def _offered(question: Question, but: Option | None = None) -> list[str]:
    offered = question.options.filter(retired_at=None)
    if but:
        offered = offered.exclude(pk=but.pk)
    return list(offered.values_list("name_en", flat=True))


def _check_options(names: Sequence[str]) -> None:
    if len(names) > MOST_OPTIONS:
        raise refusals.TooManyOptions(MOST_OPTIONS)
    seen = set()
    for name in names:
        if name.casefold() in seen:
            raise refusals.OptionTwice(name)
        seen.add(name.casefold())


def _check_before(question: Question) -> None:
    """What leads to a question is asked of the same, earlier, and still."""
    if question.shown_when is None:
        return
    parent = Question.objects.get(pk=question.shown_when.question_id)
    if (
        parent.event_id != question.event_id
        or parent.asked_of != question.asked_of
        or parent.is_retired
        or question.shown_when.is_retired
        or parent.position >= question.position
    ):
        raise refusals.NotAskedBefore(question, parent)


def _check_leads_nowhere(options: Sequence[Option]) -> None:
    shown = Question.objects.asked().filter(shown_when__in=options).first()
    if shown:
        raise refusals.LeadsToOthers(shown)


def _facts(question: Question) -> dict[str, Any]:
    """For the memory, without what is empty."""
    names = ["asked_of", "kind", *WORDS, "is_required", "is_sensitive", "shown_when_id"]
    facts = {name.removesuffix("_id"): getattr(question, name) for name in names}
    return {name: str(fact) if fact is not True else True for name, fact in facts.items() if fact}


def _facts_of(option: Option) -> dict[str, Any]:
    facts = {name: getattr(option, name) for name in [*NAMES, "limit"]}
    return {name: fact for name, fact in facts.items() if fact not in ("", None)}


def _record(
    verb: str,
    question: Question,
    *,
    by: User,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """In the history of the event, under its words in English."""
    _remember(verb, question, "question", question.in_english, before, after, by=by, now=now)


def _record_option(
    verb: str,
    option: Option,
    *,
    by: User,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    name = f"{option.question.in_english}: {option.in_english}"
    _remember(verb, option.question, "option", name, before, after, by=by, now=now)


def _remember(
    verb: str,
    question: Question,
    kind: str,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    by: User,
    now: datetime,
) -> None:
    trail.record(
        by,
        verb,
        question.event,
        at=now,
        scope=question.event_id,
        before={kind: {name: before}} if before else None,
        after={kind: {name: after or {}}},
    )
