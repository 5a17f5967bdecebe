from datetime import timedelta

import pytest

from audit.models import Entry
from clock import walls
from events.models import Event
from notifications.models import Letter
from registrations import exemptions, intake, refusals
from registrations.intake import Person
from registrations.models import Exemption

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_MOMENT = timedelta(microseconds=1)
WHY = "The power was cut."


@pytest.fixture
def late(draft, deadline, now):
    """A moment after the close."""
    return deadline.closes_at + HOUR


@pytest.fixture
def asked(draft, amina, clara, late) -> Exemption:
    return exemptions.ask(draft, reason=WHY, by=amina, now=late)


def letters() -> list[tuple[str, str]]:
    return [
        (letter.key.split(":")[0], letter.to)
        for letter in Letter.objects.order_by("posted_at", "key")
    ]


def test_a_late_group_asks_once_and_the_organisers_are_told(
    asked, draft, amina, hearing, diaspora_network, late
):
    again = exemptions.ask(draft, reason=WHY, by=amina, now=late + HOUR)

    assert again == asked
    assert asked.waits
    assert not asked.is_open(late)
    assert (asked.event, asked.organisation, asked.asked_at, asked.reason) == (
        hearing,
        diaspora_network,
        late,
        WHY,
    )
    assert letters() == [("asks_in", "clara@secretariat.example")]
    entry = Entry.objects.get(verb="asked to be let in")
    assert (entry.actor, entry.subject_id, entry.reason) == (amina, str(draft.pk), WHY)


def test_other_words_do_not_make_it_two(asked, draft, amina, late):
    with pytest.raises(refusals.AskedInAlready, match="You asked on"):
        exemptions.ask(draft, reason="And a storm.", by=amina, now=late + HOUR)


def test_a_double_click_asks_once(at_once, draft, amina, clara, late):
    one, other = at_once(
        *[lambda: exemptions.ask(draft, reason=WHY, by=amina, now=late) for _time in range(2)]
    )

    assert one == other
    assert Exemption.objects.count() == 1
    assert letters() == [("asks_in", "clara@secretariat.example")]


@pytest.mark.parametrize("why", ["", " \n"])
def test_one_says_why(draft, amina, late, why):
    with pytest.raises(refusals.WhyMissing):
        exemptions.ask(draft, reason=why, by=amina, now=late)


def test_nobody_asks_before_the_close(draft, amina, deadline):
    with pytest.raises(refusals.NotClosed):
        exemptions.ask(draft, reason=WHY, by=amina, now=deadline.closes_at - A_MOMENT)
    assert not Exemption.objects.exists()


def test_nobody_asks_for_what_is_over(draft, amina, hearing):
    over = walls.closing(hearing.ends_on, None, hearing.zone)

    with pytest.raises(refusals.HasBegun):
        exemptions.ask(draft, reason=WHY, by=amina, now=over)


def test_what_was_sent_need_not_be_let_in(sent, amina, late):
    with pytest.raises(refusals.SentAlready):
        exemptions.ask(sent, reason=WHY, by=amina, now=late)


@pytest.mark.parametrize("shown", ["postponed", "cancelled"])
def test_nobody_is_let_in_to_what_does_not_take_place(asked, draft, amina, clara, late, shown):
    Event.objects.update(state=shown)

    with pytest.raises(refusals.NotTakingPlace):
        exemptions.ask(draft, reason=WHY, by=amina, now=late)
    with pytest.raises(refusals.NotTakingPlace):
        exemptions.grant(asked, until=late + DAY, by=clara, now=late)


def test_who_is_let_in_sends_until_that_moment_and_not_at_it(asked, draft, amina, clara, late):
    exemptions.grant(asked, until=late + DAY, by=clara, now=late, answer="Until tomorrow.")

    with pytest.raises(refusals.WindowClosed):
        intake.submit(draft, by=amina, now=late + DAY)
    intake.add_person(draft, Person("Moussa", "Keïta"), by=amina, now=late + DAY - A_MOMENT)
    intake.submit(draft, by=amina, now=late + DAY - A_MOMENT)

    draft.refresh_from_db()
    assert draft.sent_at == late + DAY - A_MOMENT
    assert letters()[1:] == [
        ("let_in", "amina@diaspora.example"),
        ("received", "amina@diaspora.example"),
    ]
    assert Entry.objects.get(verb="let in").after == {"until": (late + DAY).isoformat()}


def test_a_group_that_never_asked_is_let_in_and_begins(
    hearing, amina, diaspora_network, bo, port_workers, clara, late
):
    exemption = exemptions.grant((hearing, diaspora_network), until=late + DAY, by=clara, now=late)

    assert exemption.is_open(late)
    assert intake.begin(hearing, diaspora_network, by=amina, now=late).is_draft
    with pytest.raises(refusals.WindowClosed):
        intake.begin(hearing, port_workers, by=bo, now=late)


def test_granting_twice_is_one_letter_and_another_moment_moves_it(asked, clara, late):
    for until in (late + DAY, late + DAY, late + 2 * DAY):
        exemptions.grant(asked, until=until, by=clara, now=late)
        late += A_MOMENT

    asked.refresh_from_db()
    assert asked.until == late - 3 * A_MOMENT + 2 * DAY
    assert [name for name, _to in letters()] == ["asks_in", "let_in", "let_in"]


def test_until_lies_ahead_and_not_after_the_event(asked, hearing, clara, late):
    over = walls.closing(hearing.ends_on, None, hearing.zone)

    for until in (late, over + A_MOMENT):
        with pytest.raises(refusals.UntilNotAhead):
            exemptions.grant(asked, until=until, by=clara, now=late)
    exemptions.grant(asked, until=over, by=clara, now=late)


def test_nobody_is_let_in_where_groups_do_not_register(hearing, diaspora_network, clara, late):
    hearing.deadlines.all().delete()

    with pytest.raises(refusals.NoRegistration):
        exemptions.grant((hearing, diaspora_network), until=late + DAY, by=clara, now=late)
    assert not Exemption.objects.exists()


def test_organisers_are_asked_also_while_the_event_takes_place(draft, hearing, amina, clara, late):
    """Until it is over a group may be let in; a letter that had expired would reach nobody."""
    day = late.date()
    Event.objects.filter(pk=hearing.pk).update(starts_on=day - DAY, ends_on=day + DAY)

    exemptions.ask(draft, reason=WHY, by=amina, now=late)

    letter = Letter.objects.get(key__startswith="asks_in:")
    assert letter.expires_at > late


def test_a_no_has_its_reason_and_is_said_once(asked, draft, clara, late):
    with pytest.raises(refusals.ReasonMissing):
        exemptions.refuse(asked, answer=" ", by=clara, now=late)

    exemptions.refuse(asked, answer="The list is with security.", by=clara, now=late)
    with pytest.raises(refusals.AnsweredAlready):
        exemptions.refuse(asked, answer="No.", by=clara, now=late)

    assert (asked.answer, asked.waits, asked.until) == ("The list is with security.", False, None)
    assert [name for name, _to in letters()] == ["asks_in", "not_let_in"]
    assert Entry.objects.filter(verb="not let in", subject_id=str(draft.pk)).count() == 1


def test_a_no_may_become_a_yes(asked, draft, amina, clara, late):
    exemptions.refuse(asked, answer="No.", by=clara, now=late)
    exemptions.grant(asked, until=late + DAY, by=clara, now=late)

    intake.submit(draft, by=amina, now=late)

    assert not draft.is_draft


@pytest.fixture
def two_answer(at_once, meeting, monkeypatch, asked, clara, late):
    """Two organisers say no, each after having read that nobody has yet."""
    answer = exemptions._answer

    def answer_later(*args, **kwargs):
        meeting()
        answer(*args, **kwargs)

    monkeypatch.setattr(exemptions, "_answer", answer_later)

    def refuse(words: str):
        one = Exemption.objects.get(pk=asked.pk)
        return lambda: exemptions.refuse(one, answer=words, by=clara, now=late)

    return lambda: at_once(refuse("No."), refuse("Never."))


def test_two_organisers_who_answer_at_once_give_one_answer(two_answer):
    results = two_answer()

    assert [type(each) for each in results if each] == [refusals.AnsweredAlready]
    assert Entry.objects.filter(verb="not let in").count() == 1
    assert [name for name, _to in letters()] == ["asks_in", "not_let_in"]


def test_without_the_lock_they_would_give_two(two_answer, monkeypatch):
    monkeypatch.setattr(
        exemptions,
        "_held",
        lambda one: Exemption.objects.select_related("event", "organisation").get(pk=one.pk),
    )

    two_answer()

    assert Entry.objects.filter(verb="not let in").count() == 2
