from datetime import timedelta

import pytest

from accounts.models import User
from audit.models import Entry
from events import schedule
from events.models import Event
from notifications.models import Kind, Letter
from registrations import decisions, intake, refusals
from registrations.models import Delegate, Exchange, Registration
from stakeholders.models import Membership

LATER = timedelta(hours=1)


@pytest.fixture
def trio(sent) -> list[Delegate]:
    """Aïssata, Moussa and Fatoumata."""
    return list(sent.delegates.select_related("representative").in_order())


def states(registration: Registration) -> list[str]:
    return [delegate.state for delegate in registration.delegates.in_order()]


def decided(now) -> list[Letter]:
    """The letters since the delegation was sent."""
    return list(Letter.objects.filter(posted_at__gt=now).order_by("to", "key"))


def names(letter: Letter) -> list[str]:
    everybody = ["Aïssata Traoré", "Moussa Keïta", "Fatoumata Sow"]
    in_text = [name for name in everybody if name in letter.text]
    assert in_text == [name for name in everybody if name in letter.html]
    return in_text


def test_approving_two_of_three_is_one_letter_that_names_both(sent, trio, hearing, clara, now):
    decisions.approve(sent, trio[:2], by=clara, now=now + LATER)

    assert states(sent) == ["approved", "approved", "submitted"]
    (letter,) = decided(now)
    assert letter.key.split(":")[0] == "approved"
    assert (letter.to, letter.kind) == ("amina@diaspora.example", Kind.TRANSACTIONAL)
    assert (letter.scope, letter.about) == (hearing.id, sent.id)
    assert names(letter) == ["Aïssata Traoré", "Moussa Keïta"]


def test_each_decision_is_remembered(sent, trio, hearing, clara, now):
    decisions.approve(sent, trio[:1], by=clara, now=now + LATER)
    decisions.decline(sent, trio[1:2], by=clara, now=now + LATER, reason="No pass")

    entries = Entry.objects.filter(subject_type="registrations.delegate").order_by("id")
    assert list(
        entries.values_list("verb", "subject_id", "before", "after", "reason", "at", "scope")
    ) == [
        (
            "approved",
            str(trio[0].id),
            {"state": "submitted"},
            {"state": "approved"},
            "",
            now + LATER,
            hearing.id,
        ),
        (
            "declined",
            str(trio[1].id),
            {"state": "submitted"},
            {"state": "declined"},
            "No pass",
            now + LATER,
            hearing.id,
        ),
    ]
    assert {entry.actor for entry in entries} == {clara}


def test_declining_tells_the_reason(sent, trio, clara, now):
    decisions.decline(
        sent, trio[2:], by=clara, now=now + LATER, reason="The list of speakers is <full>."
    )

    assert states(sent) == ["submitted", "submitted", "declined"]
    (letter,) = decided(now)
    assert letter.key.split(":")[0] == "declined"
    assert names(letter) == ["Fatoumata Sow"]
    assert "The list of speakers is <full>." in letter.text
    assert "The list of speakers is &lt;full&gt;." in letter.html


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nobody_is_declined_without_a_reason(sent, trio, clara, now, reason):
    with pytest.raises(refusals.ReasonMissing):
        decisions.decline(sent, trio, by=clara, now=now + LATER, reason=reason)

    assert states(sent) == ["submitted"] * 3
    assert decided(now) == []


def test_asking_is_one_question_to_each_and_one_letter(sent, trio, clara, now):
    decisions.ask(sent, trio[:2], by=clara, now=now + LATER, question="Who pays the travel?")

    assert states(sent) == ["more_information", "more_information", "submitted"]
    assert list(
        Exchange.objects.order_by("delegate__position").values_list(
            "delegate", "question", "asked_by", "asked_at", "answered_at"
        )
    ) == [
        (trio[0].id, "Who pays the travel?", clara.id, now + LATER, None),
        (trio[1].id, "Who pays the travel?", clara.id, now + LATER, None),
    ]
    (letter,) = decided(now)
    assert letter.key.split(":")[0] == "asked"
    assert names(letter) == ["Aïssata Traoré", "Moussa Keïta"]
    assert "Who pays the travel?" in letter.text


def test_an_empty_question_is_refused(sent, trio, clara, now):
    with pytest.raises(refusals.QuestionMissing):
        decisions.ask(sent, trio, by=clara, now=now + LATER, question=" ")

    assert not Exchange.objects.exists()


def test_nobody_is_asked_twice_at_a_time(sent, trio, clara, now):
    decisions.ask(sent, trio[1:2], by=clara, now=now, question="Who pays?")

    with pytest.raises(refusals.AskedAlready) as refused:
        decisions.ask(sent, trio, by=clara, now=now + LATER, question="Since when?")

    assert str(refused.value) == ("There is a question about Moussa Keïta without an answer yet.")
    assert states(sent) == ["submitted", "more_information", "submitted"]
    assert Exchange.objects.count() == 1
    assert decided(now) == []


def test_one_who_was_asked_can_be_decided_without_waiting_for_the_answer(sent, trio, clara, now):
    decisions.ask(sent, trio[:1], by=clara, now=now, question="Who pays?")

    decisions.approve(sent, trio[:1], by=clara, now=now + LATER)

    assert states(sent) == ["approved", "submitted", "submitted"]


@pytest.mark.parametrize("state", ["approved", "declined", "withdrawn"])
@pytest.mark.parametrize("act", ["approve", "decline", "ask"])
def test_one_who_waits_no_more_leaves_all_unchanged(sent, trio, clara, now, state, act):
    Delegate.objects.filter(pk=trio[1].pk).update(state=state)
    entries = Entry.objects.count()
    verbs = {
        "approve": lambda: decisions.approve(sent, trio, by=clara, now=now + LATER),
        "decline": lambda: decisions.decline(
            sent, trio, by=clara, now=now + LATER, reason="No pass"
        ),
        "ask": lambda: decisions.ask(sent, trio, by=clara, now=now + LATER, question="Who pays?"),
    }

    with pytest.raises(refusals.AlreadyDecided) as refused:
        verbs[act]()

    assert str(refused.value) == (
        f"Moussa Keïta ({Delegate.State(state).label}) no longer waits for a decision. "
        "Nothing was changed."
    )
    assert states(sent) == ["submitted", state, "submitted"]
    assert decided(now) == []
    assert Entry.objects.count() == entries


def test_a_draft_is_not_decided(draft, clara, now):
    with pytest.raises(refusals.NotSent):
        decisions.approve(draft, draft.delegates.all(), by=clara, now=now)

    assert states(draft) == ["draft"]


def test_two_focal_points_get_a_letter_each_in_their_own_language(
    sent, trio, clara, diaspora_network, now
):
    layla = User.objects.create_user("layla@diaspora.example", language="ar")
    Membership.objects.create(user=layla, organisation=diaspora_network)

    decisions.approve(sent, trio, by=clara, now=now + LATER)

    english, arabic = decided(now)
    assert (english.to, english.language) == ("amina@diaspora.example", "en")
    assert (arabic.to, arabic.language) == ("layla@diaspora.example", "ar")
    assert names(english) == names(arabic) == ["Aïssata Traoré", "Moussa Keïta", "Fatoumata Sow"]
    assert 'dir="rtl"' in arabic.html


def test_two_organisers_who_decide_at_once_do_not_overrule_each_other(
    at_once, sent, trio, clara, now
):
    results = at_once(
        lambda: decisions.approve(sent, trio, by=clara, now=now + LATER),
        lambda: decisions.decline(sent, trio, by=clara, now=now + LATER, reason="No pass"),
    )

    refused = [result for result in results if result is not None]
    assert [type(each) for each in refused] == [refusals.AlreadyDecided]
    (letter,) = decided(now)
    assert {letter.key.split(":")[0]} == set(states(sent))
    assert len(set(states(sent))) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_approving_and_withdrawing_at_once_end_withdrawn(
    at_once, sent, trio, clara, amina, now, whole
):
    def withdraw():
        if whole:
            intake.withdraw(sent, by=amina, now=now + LATER)
        else:
            intake.withdraw_person(trio[0], by=amina, now=now + LATER)

    results = at_once(
        lambda: decisions.approve(sent, trio[:1], by=clara, now=now + LATER), withdraw
    )

    assert [type(each) for each in results if each is not None] in (
        [],
        [refusals.AlreadyDecided],
    )
    assert Delegate.objects.get(pk=trio[0].pk).state == "withdrawn"
    entries = Entry.objects.filter(subject_id=str(trio[0].pk)).order_by("id")
    approved_first = results[0] is None
    whole_delegation = [] if whole else ["withdrawn"]
    assert [entry.verb for entry in entries] == (["approved"] * approved_first + whole_delegation)


@pytest.mark.parametrize("act", ["approve", "decline", "ask", "wait_list"])
def test_nobody_is_decided_about_at_what_is_cancelled(sent, hearing, clara, now, act):
    schedule.cancel(hearing, by=clara, now=now, reason="No mandate")
    words = {"decline": {"reason": "Full"}, "ask": {"question": "Who pays?"}}.get(act, {})

    with pytest.raises(refusals.NotTakingPlace):
        getattr(decisions, act)(sent, sent.delegates.all(), by=clara, now=now, **words)


# Taken back

WHY = "The list was <wrong>."


def test_a_decision_that_is_taken_back_waits_again_and_the_group_reads_why(sent, trio, clara, now):
    decisions.approve(sent, trio[:1], by=clara, now=now)
    decisions.decline(sent, trio[1:2], by=clara, now=now, reason="No pass")

    decisions.reopen(sent, trio[:2], by=clara, now=now + LATER, reason=WHY)

    assert states(sent) == ["submitted"] * 3
    (letter,) = decided(now)
    assert letter.key.split(":")[0] == "reopened"
    assert letter.text.startswith("The organisers look again at 2 people of your delegation.\n")
    assert names(letter) == ["Aïssata Traoré", "Moussa Keïta"]
    assert WHY in letter.text
    assert "The list was &lt;wrong&gt;." in letter.html
    entries = Entry.objects.filter(verb="decision taken back").order_by("id")
    assert [(entry.before, entry.after, entry.reason, entry.actor) for entry in entries] == [
        ({"state": "approved"}, {"state": "submitted"}, WHY, clara),
        ({"state": "declined"}, {"state": "submitted"}, WHY, clara),
    ]


def test_then_it_is_decided_anew(sent, trio, clara, now):
    decisions.decline(sent, trio[:1], by=clara, now=now, reason="No pass")
    decisions.reopen(sent, trio[:1], by=clara, now=now, reason=WHY)

    decisions.approve(sent, trio[:1], by=clara, now=now + LATER)

    assert states(sent) == ["approved", "submitted", "submitted"]


def test_the_seat_goes_to_the_first_who_waits(sent, trio, clara, hearing, now):
    Event.objects.filter(pk=hearing.pk).update(seats=1)
    decisions.approve(sent, trio[:1], by=clara, now=now)
    decisions.wait_list(sent, trio[1:], by=clara, now=now)

    decisions.reopen(sent, trio[:1], by=clara, now=now + LATER, reason=WHY)

    assert states(sent) == ["submitted", "approved", "wait_listed"]
    assert [letter.key.split(":")[0] for letter in decided(now)] == ["moved_up", "reopened"]
    with pytest.raises(refusals.HearingFull):
        decisions.approve(sent, trio[:1], by=clara, now=now + LATER)


def test_whoever_had_confirmed_is_asked_anew_and_is_listed_no_more(sent, trio, clara, now):
    sent.delegates.filter(pk=trio[0].pk).update(
        state="confirmed", asked_at=now, listing_asked_at=now, listed_at=now
    )

    decisions.reopen(sent, trio[:1], by=clara, now=now + LATER, reason=WHY)

    person = Delegate.objects.get(pk=trio[0].pk)
    assert (person.state, person.asked_at, person.listed_at) == ("submitted", None, None)


def test_of_two_heads_the_one_who_comes_back_leads_no_more(sent, trio, clara, now):
    decisions.decline(sent, trio[:1], by=clara, now=now, reason="No pass")
    sent.delegates.filter(pk=trio[1].pk).update(role="head")

    decisions.reopen(sent, trio[:1], by=clara, now=now + LATER, reason=WHY)

    roles_now = dict(sent.delegates.values_list("pk", "role"))
    assert (roles_now[trio[0].pk], roles_now[trio[1].pk]) == ("delegate", "head")


@pytest.mark.parametrize("reason", ["", " \n"])
def test_nothing_is_taken_back_without_a_reason(sent, trio, clara, now, reason):
    decisions.approve(sent, trio, by=clara, now=now)

    with pytest.raises(refusals.ReasonMissing):
        decisions.reopen(sent, trio, by=clara, now=now + LATER, reason=reason)

    assert states(sent) == ["approved"] * 3


@pytest.mark.parametrize("state", ["submitted", "more_information", "withdrawn", "replaced"])
def test_what_was_not_decided_is_not_taken_back(sent, trio, clara, now, state):
    decisions.approve(sent, trio, by=clara, now=now)
    Delegate.objects.filter(pk=trio[1].pk).update(state=state)

    with pytest.raises(refusals.NotDecided, match="Moussa Keïta .* is neither approved nor"):
        decisions.reopen(sent, trio, by=clara, now=now + LATER, reason=WHY)

    assert states(sent) == ["approved", state, "approved"]
    assert decided(now) == []
