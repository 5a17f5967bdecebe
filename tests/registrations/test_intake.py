import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Entry
from events import capacity, deadlines, schedule
from events.models import Deadline, Event, Segment, Track
from notifications import outbox
from notifications.models import Kind, Letter
from registrations import decisions, intake, references, refusals, replacements
from registrations.intake import Person
from registrations.models import GONE, Delegate, Exemption, Registration
from stakeholders.models import Membership, Organisation, Representative
from tests.registrations import crowd

A_MOMENT = timedelta(microseconds=1)
MOUSSA = Person("Moussa", "Keïta", "moussa@diaspora.example")


def letters() -> list[tuple[str, str]]:
    """What was posted, in order: the name of the letter and its reader."""
    posted = Letter.objects.order_by("posted_at", "to")
    return [(letter.key.split(":")[0], letter.to) for letter in posted]


def people(registration: Registration) -> list[tuple[str, str]]:
    delegates = registration.delegates.select_related("representative").in_order()
    return [(str(delegate), delegate.state) for delegate in delegates]


def verbs(subject) -> list[str]:
    return list(Entry.objects.about(subject).order_by("id").values_list("verb", flat=True))


# Beginning


def test_a_draft_begins_with_a_reference(hearing, amina, diaspora_network, now):
    registration = intake.begin(hearing, diaspora_network, by=amina, now=now)

    assert (registration.event, registration.organisation) == (hearing, diaspora_network)
    assert registration.is_draft
    assert registration.begun_at == now
    assert registration.reference.startswith("GCM-")
    assert verbs(registration) == ["draft begun"]
    assert letters() == []


def test_references_have_no_letters_that_sound_or_look_alike(now):
    drawn = "".join(references.new("GCM")[4:] for _time in range(200))

    assert set(drawn) <= set(references.ALPHABET) | {"-"}
    assert not set(references.ALPHABET) & set("01ILOU")
    assert len(references.new("GCM")) == len("GCM-7F3K-92QD")


def test_beginning_twice_is_the_same_draft(hearing, amina, diaspora_network, now):
    first = intake.begin(hearing, diaspora_network, by=amina, now=now)
    second = intake.begin(hearing, diaspora_network, by=amina, now=now + timedelta(hours=1))

    assert first == second
    assert second.begun_at == now
    assert Registration.objects.count() == 1
    assert verbs(first) == ["draft begun"]


def test_beginning_after_sending_is_what_was_sent(sent, hearing, amina, diaspora_network, now):
    again = intake.begin(hearing, diaspora_network, by=amina, now=now)

    assert again == sent
    assert not again.is_draft


@pytest.fixture
def two_begin(at_once, meeting, monkeypatch, hearing, amina, diaspora_network, now):
    """Two colleagues begin, neither seeing the other's draft yet."""
    drawn = intake._unused_reference

    def unused_reference(prefix):
        meeting()
        return drawn(prefix)

    monkeypatch.setattr(intake, "_unused_reference", unused_reference)

    def begin():
        return intake.begin(hearing, diaspora_network, by=amina, now=now)

    return lambda: at_once(begin, begin)


def test_two_who_begin_at_once_work_on_the_same_draft(two_begin):
    one, other = two_begin()

    assert isinstance(one, Registration)
    assert one == other
    assert Registration.objects.count() == 1
    assert verbs(one) == ["draft begun"]


def test_without_the_constraint_they_would_make_two(two_begin):
    (constraint,) = (
        each for each in Registration._meta.constraints if each.name == "one_delegation_per_event"
    )
    with connection.schema_editor() as schema:
        schema.remove_constraint(Registration, constraint)
    try:
        two_begin()
        assert Registration.objects.count() == 2
    finally:
        Registration.objects.all().delete()
        with connection.schema_editor() as schema:
            schema.add_constraint(Registration, constraint)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("draft", "This event is not open for registration."),
        ("postponed", "This event is postponed. Nobody can register now."),
        ("cancelled", "This event is cancelled. Nobody can register."),
    ],
)
def test_what_does_not_take_place_takes_no_registrations(
    draft, hearing, bo, port_workers, amina, now, state, sentence
):
    Event.objects.filter(pk=hearing.pk).update(state=state)
    hearing.refresh_from_db()

    with pytest.raises(refusals.NotTakingPlace) as refused:
        intake.begin(hearing, port_workers, by=bo, now=now)
    with pytest.raises(refusals.NotTakingPlace):
        intake.submit(draft, by=amina, now=now)

    assert str(refused.value) == sentence
    assert people(draft) == [("Aïssata Traoré", "draft")]
    assert letters() == []


def test_an_event_without_a_window_takes_no_registrations(hearing, deadline, bo, port_workers, now):
    deadline.delete()

    with pytest.raises(refusals.NoRegistration) as refused:
        intake.begin(hearing, port_workers, by=bo, now=now)

    assert str(refused.value) == "Groups do not register here for “Hearing on the Global Compact”."


def test_nobody_begins_before_the_window_opens(hearing, deadline, bo, port_workers, now):
    opens_at = now + timedelta(days=1)
    Deadline.objects.filter(pk=deadline.pk).update(opens_at=opens_at)

    with pytest.raises(refusals.WindowNotOpen):
        intake.begin(hearing, port_workers, by=bo, now=opens_at - A_MOMENT)

    assert intake.begin(hearing, port_workers, by=bo, now=opens_at).is_draft


def test_nobody_begins_when_the_window_is_shut(hearing, deadline, bo, port_workers):
    with pytest.raises(refusals.WindowClosed) as refused:
        intake.begin(hearing, port_workers, by=bo, now=deadline.closes_at)

    assert str(refused.value) == f"Registration closed on {deadline.said}."
    assert ", 23:59, New York time (UTC−" in str(refused.value)


# Filling


def test_people_are_listed_head_first_then_as_they_were_entered(draft, amina, now):
    intake.add_person(draft, MOUSSA, by=amina, now=now)
    intake.add_person(draft, Person("Madonna"), by=amina, now=now)

    assert people(draft) == [
        ("Aïssata Traoré", "draft"),
        ("Moussa Keïta", "draft"),
        ("Madonna", "draft"),
    ]


def test_a_person_is_known_to_the_organisation_from_then_on(draft, amina, diaspora_network, now):
    known = Representative.objects.create(
        organisation=diaspora_network,
        given_names="Moussa",
        family_name="Keïta",
        email="moussa@diaspora.example",
    )

    delegate = intake.add_person(draft, MOUSSA, by=amina, now=now)

    assert delegate.representative == known


def test_two_people_may_share_one_address(draft, amina, now):
    intake.add_person(draft, Person("Oumar", "Ba", "office@diaspora.example"), by=amina, now=now)
    intake.add_person(draft, Person("Awa", "Ba", "office@diaspora.example"), by=amina, now=now)

    assert draft.delegates.count() == 3


def test_the_same_person_is_not_listed_twice(draft, amina, now):
    intake.add_person(draft, MOUSSA, by=amina, now=now)

    with pytest.raises(refusals.ListedAlready) as refused:
        intake.add_person(draft, MOUSSA, by=amina, now=now)

    assert str(refused.value) == (
        "Moussa Keïta with this email address is in your delegation already."
    )
    assert draft.delegates.count() == 2


def test_case_does_not_make_another_person(draft, amina, now):
    intake.add_person(draft, MOUSSA, by=amina, now=now)
    again = Person("moussa", "KEÏTA", "Moussa@Diaspora.example")

    with pytest.raises(refusals.ListedAlready):
        intake.add_person(draft, again, by=amina, now=now)


def test_several_come_in_at_once_in_their_order(draft, amina, diaspora_network, now):
    known = Representative.objects.known_as(
        diaspora_network, given_names="Awa", family_name="Ba", email=""
    )
    several = [MOUSSA, Person("Olga", role="interpreter"), Person("Awa", "Ba", access_needs="Lift")]

    added = intake.add_people(draft, several, by=amina, now=now)

    assert [str(delegate) for delegate in added] == ["Moussa Keïta", "Olga", "Awa Ba"]
    assert people(draft)[1:] == [(str(delegate), "draft") for delegate in added]
    assert [(each.role, each.access_needs) for each in added] == [
        ("delegate", ""),
        ("interpreter", ""),
        ("delegate", "Lift"),
    ]
    assert added[2].representative == known
    assert added[0].representative.search_text == "keita moussa"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            MOUSSA,
            "Row 3: Moussa Keïta with this email address is in your delegation already. Nobody "
            "was added.",
        ),
        (
            Person("Aïssata", "Traoré", "aissata@diaspora.example"),
            "Row 3: Aïssata Traoré with this email address is in your delegation already. Nobody "
            "was added.",
        ),
        (
            Person("Oumar", role="head"),
            "Row 3: Aïssata Traoré is the head of your delegation. There can be only one. Nobody "
            "was added.",
        ),
        (
            Person("Oumar"),
            "Row 3: One organisation can send 3 people who take a seat. Interpreters and personal "
            "assistants are not counted. Nobody was added.",
        ),
    ],
)
def test_of_several_all_come_in_or_nobody(draft, hearing, amina, now, wrong, sentence):
    Event.objects.filter(pk=hearing.pk).update(cap=3)
    draft.event.refresh_from_db()
    several = [MOUSSA, Person("Awa", "Ba"), wrong, Person("Olga", role="interpreter")]

    with pytest.raises(refusals.InRow) as refused:
        intake.add_people(draft, several, by=amina, now=now)

    assert str(refused.value) == sentence
    assert refused.value.row == 3
    assert people(draft) == [("Aïssata Traoré", "draft")]
    assert not Representative.objects.filter(given_names__in=["Awa", "Moussa"]).exists()


def test_of_several_one_can_lead(sent, second, amina, diaspora_network, now):
    empty = Registration.objects.create(
        event=second, organisation=diaspora_network, reference="GCM-EMPT-EMPT", begun_at=now
    )

    with pytest.raises(refusals.InRow) as refused:
        intake.add_people(
            empty, [Person("Awa", role="head"), Person("Bo", role="head")], by=amina, now=now
        )

    assert "Row 2: Awa is the head of your delegation." in str(refused.value)


def test_several_who_are_sent_twice_come_in_once(draft, amina, now):
    several, entry = [MOUSSA, Person("Awa", "Ba"), Person("Olga")], uuid4()

    first = intake.add_people(draft, several, by=amina, now=now, entry=entry)
    intake.remove_person(first[1], by=amina, now=now)
    again = intake.add_people(draft, several, by=amina, now=now, entry=entry)

    assert [again[0], again[2]] == [first[0], first[2]]
    assert sorted(people(draft)) == [
        ("Awa Ba", "draft"),
        ("Aïssata Traoré", "draft"),
        ("Moussa Keïta", "draft"),
        ("Olga", "draft"),
    ]


def test_another_form_does_not_take_the_place_of_an_entry(draft, amina, now):
    entry = uuid4()

    (first,) = intake.add_people(draft, [MOUSSA], by=amina, now=now, entry=entry)
    (other,) = intake.add_people(draft, [Person("Awa")], by=amina, now=now, entry=entry)

    assert first.pk == entry != other.pk
    assert draft.delegates.count() == 3


def test_why_not_is_said_of_each_without_adding_anybody(draft, amina):
    reasons = intake.why_not(draft, [MOUSSA, Person("Awa", role="head"), MOUSSA, Person("Olga")])

    assert [type(reason).__name__ for reason in reasons] == [
        "NoneType",
        "TwoHeads",
        "ListedAlready",
        "NoneType",
    ]
    assert draft.delegates.count() == 1


@pytest.mark.parametrize("number", [1, 12])
def test_adding_asks_as_much_for_twelve_people_as_for_one(
    draft, amina, now, number, django_assert_num_queries
):
    several = [Person(f"Person {at}", "Ba", f"p{at}@diaspora.example") for at in range(number)]

    with django_assert_num_queries(11):
        intake.add_people(draft, several, by=amina, now=now, entry=uuid4())


def test_a_delegation_has_one_head(draft, amina, now):
    with pytest.raises(refusals.TwoHeads) as refused:
        intake.add_person(draft, Person("Moussa", "Keïta", role="head"), by=amina, now=now)

    assert str(refused.value) == (
        "Aïssata Traoré is the head of your delegation. There can be only one."
    )
    assert draft.delegates.count() == 1


def test_changing_a_person(draft, amina, now):
    head = draft.delegates.get()

    intake.change_person(
        head,
        Person("Aïssata", "Traoré Sow", "a@diaspora.example", "speaker", "Large print"),
        by=amina,
        now=now,
    )

    changed = Delegate.objects.get(pk=head.pk)
    assert (str(changed), changed.representative.email) == (
        "Aïssata Traoré Sow",
        "a@diaspora.example",
    )
    assert (changed.role, changed.access_needs) == ("speaker", "Large print")


def test_the_head_may_be_changed_and_stay_the_head(draft, amina, now):
    head = draft.delegates.get()

    intake.change_person(head, Person("Aïssata", "Sow", role="head"), by=amina, now=now)

    assert Delegate.objects.get(pk=head.pk).role == "head"


def test_a_second_person_is_not_changed_into_the_head_or_into_the_first(draft, amina, now):
    moussa = intake.add_person(draft, MOUSSA, by=amina, now=now)
    aissata = Person("Aïssata", "Traoré", "aissata@diaspora.example")

    with pytest.raises(refusals.TwoHeads):
        intake.change_person(moussa, Person("Moussa", role="head"), by=amina, now=now)
    with pytest.raises(refusals.ListedAlready):
        intake.change_person(moussa, aissata, by=amina, now=now)

    assert people(draft) == [("Aïssata Traoré", "draft"), ("Moussa Keïta", "draft")]


def test_who_is_taken_out_or_renamed_before_being_sent_anywhere_is_not_kept(draft, amina, now):
    moussa = intake.add_person(draft, MOUSSA, by=amina, now=now)
    intake.change_person(moussa, Person("Mousa", "Keita"), by=amina, now=now)
    intake.remove_person(draft.delegates.in_order()[0], by=amina, now=now)

    assert people(draft) == [("Mousa Keita", "draft")]
    assert [str(known) for known in Representative.objects.all()] == ["Mousa Keita"]


def test_who_was_in_a_delegation_stays_known_to_the_organisation(sent, hearing, amina, now):
    other = Event.objects.get(pk=hearing.pk)
    other.pk, other.slug = uuid4(), "another-hearing"
    other.save(force_insert=True)
    deadlines.set_deadline(
        other, kind="registration", closes_at=now + timedelta(days=9), by=None, now=now
    )
    again = intake.begin(other, sent.organisation, by=amina, now=now)

    intake.remove_person(intake.add_person(again, MOUSSA, by=amina, now=now), by=amina, now=now)

    assert Representative.objects.filter(given_names="Moussa").count() == 1


def test_after_a_declined_head_another_may_lead(sent, hearing, amina, clara, now):
    head = sent.delegates.get(role="head")
    decisions.decline(sent, [head], by=clara, now=now, reason="Not accredited.")
    intake.withdraw(sent, by=amina, now=now)
    draft = intake.begin(hearing, sent.organisation, by=amina, now=now)

    intake.add_person(draft, Person("Kadi", role="head"), by=amina, now=now)

    assert people(draft)[:2] == [("Aïssata Traoré", "declined"), ("Kadi", "draft")]


def test_organisers_never_see_people_who_were_not_sent(draft, hearing, amina, now):
    intake.withdraw(draft, by=amina, now=now)

    assert list(Delegate.objects.sent()) == []


def test_withdrawing_leaves_a_decline_in_the_post(sent, amina, clara, now):
    head = sent.delegates.get(role="head")
    decisions.decline(sent, [head], by=clara, now=now, reason="Not accredited.")

    intake.withdraw(sent, by=amina, now=now)

    waiting = Letter.objects.pending().order_by("key").values_list("key", flat=True)
    assert [key.split(":")[0] for key in waiting] == ["declined", "withdrawn"]


def test_what_was_typed_is_kept_until_the_person_is_in(draft, amina, now):
    typed = {"given_names": "", "email": "moussa@"}
    intake.keep_typed(draft, "person", typed, by=amina)
    draft.refresh_from_db()
    assert draft.typed("person", amina) == typed
    assert draft.is_unfinished("person")

    intake.add_person(draft, MOUSSA, by=amina, now=now)
    draft.refresh_from_db()
    assert draft.typed("person", amina) == {}
    assert not draft.is_unfinished("person")


def test_what_was_sent_is_not_filled_any_more(sent, amina, now):
    head = sent.delegates.in_order().first()
    refused = [
        lambda: intake.add_person(sent, Person("Awa"), by=amina, now=now),
        lambda: intake.add_people(sent, [Person("Awa")], by=amina, now=now),
        lambda: intake.remove_person(head, by=amina, now=now),
        lambda: intake.keep_typed(sent, "person", {"given_names": "Awa"}, by=amina),
    ]

    for act in refused:
        with pytest.raises(refusals.SentAlready):
            act()

    assert people(sent) == [
        ("Aïssata Traoré", "submitted"),
        ("Moussa Keïta", "submitted"),
        ("Fatoumata Sow", "submitted"),
    ]


# Sending


def test_sending_turns_the_people_and_writes_to_the_focal_point(draft, amina, hearing, now):
    intake.add_person(draft, MOUSSA, by=amina, now=now)

    intake.submit(draft, by=amina, now=now)

    assert draft.sent_at == now
    assert people(draft) == [("Aïssata Traoré", "submitted"), ("Moussa Keïta", "submitted")]
    assert letters() == [("received", "amina@diaspora.example")]
    letter = Letter.objects.get()
    assert (letter.kind, letter.language) == (Kind.TRANSACTIONAL, "en")
    assert (letter.scope, letter.about) == (hearing.id, draft.id)
    assert letter.reply_to == "hearing@secretariat.example"
    assert draft.reference in letter.subject
    for words in ("Aïssata Traoré", "Moussa Keïta", draft.get_absolute_url()):
        assert words in letter.text
        assert words in letter.html
    entry = Entry.objects.about(draft).get(verb="sent")
    assert (entry.actor, entry.at, entry.scope) == (amina, now, hearing.id)
    assert entry.after == {"people": 2}


def test_sending_is_refused_at_the_closing_moment(draft, deadline, amina):
    with pytest.raises(refusals.WindowClosed):
        intake.submit(draft, by=amina, now=deadline.closes_at)

    draft.refresh_from_db()
    assert draft.is_draft
    assert people(draft) == [("Aïssata Traoré", "draft")]
    assert letters() == []


def test_sending_is_accepted_one_moment_before_the_close(draft, deadline, amina):
    intake.submit(draft, by=amina, now=deadline.closes_at - A_MOMENT)

    assert draft.sent_at == deadline.closes_at - A_MOMENT


def test_a_moved_deadline_counts_at_once(draft, deadline, amina, clara, now):
    shut = deadline.closes_at
    deadlines.move(deadline, closes_at=shut + timedelta(days=1), by=clara, now=now, reason="Visas")

    intake.submit(draft, by=amina, now=shut)

    assert draft.sent_at == shut


def test_nobody_sends_an_empty_delegation(draft, amina, now):
    intake.remove_person(draft.delegates.get(), by=amina, now=now)

    with pytest.raises(refusals.NobodyIn):
        intake.submit(draft, by=amina, now=now)

    draft.refresh_from_db()
    assert draft.is_draft


@pytest.mark.parametrize("missing", ["country", "category"])
def test_the_organisation_must_be_complete(draft, amina, diaspora_network, now, missing):
    Organisation.objects.filter(pk=diaspora_network.pk).update(**{missing: ""})

    with pytest.raises(refusals.OrganisationIncomplete):
        intake.submit(draft, by=amina, now=now)

    draft.refresh_from_db()
    assert draft.is_draft
    assert letters() == []


def test_sending_twice_is_one_registration_and_one_letter(draft, amina, now):
    intake.submit(draft, by=amina, now=now)

    with pytest.raises(refusals.SentAlready) as refused:
        intake.submit(draft, by=amina, now=now + timedelta(seconds=1))

    assert str(refused.value) == (
        f"This registration ({draft.reference}) was sent. It is no longer a draft."
    )
    draft.refresh_from_db()
    assert draft.sent_at == now
    assert letters() == [("received", "amina@diaspora.example")]


def test_a_double_click_is_one_registration_and_one_letter(at_once, draft, amina, now):
    later = now + timedelta(milliseconds=5)

    results = at_once(
        lambda: intake.submit(Registration.objects.get(pk=draft.pk), by=amina, now=now),
        lambda: intake.submit(Registration.objects.get(pk=draft.pk), by=amina, now=later),
    )

    assert {type(each) for each in results} == {list, refusals.SentAlready}
    assert letters() == [("received", "amina@diaspora.example")]
    assert verbs(draft) == ["draft begun", "sent"]


def test_each_focal_point_reads_in_a_language_of_their_own(draft, amina, diaspora_network, now):
    layla = User.objects.create_user("layla@diaspora.example", language="ar")
    Membership.objects.create(user=layla, organisation=diaspora_network)
    member = User.objects.create_user("member@diaspora.example")
    Membership.objects.create(user=member, organisation=diaspora_network, kind="member")

    intake.submit(draft, by=amina, now=now)

    assert list(Letter.objects.order_by("to").values_list("to", "language")) == [
        ("amina@diaspora.example", "en"),
        ("layla@diaspora.example", "ar"),
    ]
    arabic = Letter.objects.get(language="ar")
    assert "جلسة استماع بشأن الاتفاق العالمي" in arabic.subject
    assert f"/ar/registrations/{draft.reference}/" in arabic.text
    assert 'dir="rtl"' in arabic.html


def remind(user: User, deadline: Deadline, *, now) -> None:
    outbox.post(
        key=f"reminder:{deadline.id}:{user.email}",
        to=user.email,
        language="en",
        subject="Soon",
        text="Soon",
        html="",
        kind=Kind.REMINDER,
        now=now,
        about=deadline.id,
    )


@pytest.mark.parametrize("end", [intake.submit, intake.withdraw])
def test_sending_or_giving_up_stops_the_reminders_of_that_group_only(
    draft, deadline, amina, bo, now, end
):
    remind(amina, deadline, now=now)
    remind(bo, deadline, now=now)

    end(draft, by=amina, now=now)

    reminders = Letter.objects.filter(kind=Kind.REMINDER)
    assert dict(reminders.values_list("to", "state")) == {
        "amina@diaspora.example": "cancelled",
        "bo@ports.example": "queued",
    }


def test_who_has_another_unsent_draft_is_still_reminded(
    draft, deadline, hearing, amina, port_workers, now
):
    Membership.objects.create(user=amina, organisation=port_workers)
    intake.begin(hearing, port_workers, by=amina, now=now)
    remind(amina, deadline, now=now)

    intake.submit(draft, by=amina, now=now)

    assert Letter.objects.get(kind=Kind.REMINDER).state == "queued"


# Late, and let in


@pytest.fixture
def let_in(hearing, diaspora_network, deadline, clara):
    """Amina's group may register for two hours after the close."""
    return Exemption.objects.create(
        event=hearing,
        organisation=diaspora_network,
        answered_by=clara,
        answered_at=deadline.closes_at,
        until=deadline.closes_at + timedelta(hours=2),
    )


def test_nobody_new_comes_into_a_draft_that_is_too_late(draft, deadline, amina):
    with pytest.raises(refusals.WindowClosed):
        intake.add_person(draft, MOUSSA, by=amina, now=deadline.closes_at)
    with pytest.raises(refusals.WindowClosed):
        intake.add_people(draft, [MOUSSA], by=amina, now=deadline.closes_at)

    intake.keep_typed(draft, "person", {"given_names": "Moussa"}, by=amina)
    draft.refresh_from_db()
    assert draft.typed("person", amina) == {"given_names": "Moussa"}
    assert people(draft) == [("Aïssata Traoré", "draft")]


def test_who_is_let_in_fills_and_sends_after_the_close(draft, deadline, amina, let_in):
    intake.add_person(draft, MOUSSA, by=amina, now=deadline.closes_at)

    intake.submit(draft, by=amina, now=let_in.until - A_MOMENT)

    assert people(draft) == [("Aïssata Traoré", "submitted"), ("Moussa Keïta", "submitted")]


def test_who_is_let_in_begins_after_the_close(hearing, deadline, amina, diaspora_network, let_in):
    assert intake.begin(hearing, diaspora_network, by=amina, now=deadline.closes_at).is_draft


def test_being_let_in_ends_at_its_moment(draft, deadline, amina, let_in):
    with pytest.raises(refusals.WindowClosed):
        intake.submit(draft, by=amina, now=let_in.until)

    draft.refresh_from_db()
    assert draft.is_draft


def test_who_is_let_in_lets_nobody_else_in(hearing, deadline, bo, port_workers, let_in):
    with pytest.raises(refusals.WindowClosed):
        intake.begin(hearing, port_workers, by=bo, now=deadline.closes_at)


def test_who_has_asked_or_was_refused_is_not_in(draft, deadline, amina, let_in):
    Exemption.objects.update(until=None)

    with pytest.raises(refusals.WindowClosed):
        intake.submit(draft, by=amina, now=deadline.closes_at)


def test_being_let_in_does_not_open_what_does_not_take_place(
    draft, hearing, deadline, amina, clara, let_in
):
    schedule.cancel(hearing, by=clara, now=deadline.closes_at, reason="No room")

    with pytest.raises(refusals.NotTakingPlace):
        intake.submit(draft, by=amina, now=deadline.closes_at)


# Tracks, parts and caps


@pytest.fixture
def track(hearing) -> Track:
    return Track.objects.create(event=hearing, name_en="In consultative status")


def test_where_there_are_tracks_a_group_chooses_one(draft, track, amina, now):
    with pytest.raises(refusals.TrackMissing):
        intake.submit(draft, by=amina, now=now)
    assert draft.is_draft

    intake.choose_track(draft, track, by=amina, now=now)
    intake.submit(draft, by=amina, now=now)

    draft.refresh_from_db()
    assert (draft.track, draft.is_draft) == (track, False)


def test_a_track_of_another_event_is_none(draft, hearing, amina, now):
    other = Event.objects.get(pk=hearing.pk)
    other.pk, other.slug = uuid4(), "another-hearing"
    other.save(force_insert=True)
    foreign = Track.objects.create(event=other, name_en="Elsewhere")

    for wrong in (foreign, None):
        with pytest.raises(refusals.TrackMissing):
            intake.choose_track(draft, wrong, by=amina, now=now)


def test_the_track_of_what_was_sent_stays(sent, track, amina, now):
    with pytest.raises(refusals.SentAlready):
        intake.choose_track(sent, track, by=amina, now=now)


def test_people_ask_for_parts_whose_seats_are_counted(draft, hearing, amina, now):
    morning, evening = (
        Segment.objects.create(event=hearing, name_en=name, date=hearing.starts_on, seats=seats)
        for name, seats in (("Morning", 5), ("Evening", None))
    )

    moussa = intake.add_person(
        draft, replace(MOUSSA, segments=(morning.pk, evening.pk)), by=amina, now=now
    )
    assert [part.segment for part in moussa.segments.all()] == [morning]

    intake.change_person(moussa, MOUSSA, by=amina, now=now)
    assert not moussa.segments.exists()


def test_a_group_sends_no_more_people_than_its_cap(draft, hearing, amina, now):
    intake.add_person(draft, MOUSSA, by=amina, now=now)
    Event.objects.filter(pk=hearing.pk).update(cap=1)

    with pytest.raises(refusals.OverCap) as refused:
        intake.submit(draft, by=amina, now=now)

    assert str(refused.value) == (
        "One organisation can send 1 person who takes a seat. Interpreters and personal "
        "assistants are not counted."
    )
    draft.refresh_from_db()
    assert draft.is_draft

    intake.remove_person(draft.delegates.in_order()[1], by=amina, now=now)
    intake.submit(draft, by=amina, now=now)
    assert people(draft) == [("Aïssata Traoré", "submitted")]


def test_nobody_beyond_the_cap_comes_in_but_who_takes_no_seat(draft, hearing, amina, now):
    Event.objects.filter(pk=hearing.pk).update(cap=1)

    with pytest.raises(refusals.OverCap):
        intake.add_person(draft, MOUSSA, by=amina, now=now)
    helper = intake.add_person(draft, Person("Awa", role="assistant"), by=amina, now=now)
    with pytest.raises(refusals.OverCap):
        intake.change_person(helper, Person("Awa"), by=amina, now=now)

    intake.submit(draft, by=amina, now=now)
    assert len(people(draft)) == 2


def test_who_is_gone_does_not_count_to_the_cap(reopened, hearing, amina, now):
    Event.objects.filter(pk=hearing.pk).update(cap=2)

    intake.submit(reopened, by=amina, now=now)

    assert [state for _name, state in people(reopened)] == ["declined", "submitted", "submitted"]


@pytest.mark.parametrize("state", sorted(GONE))
def test_who_is_gone_stays_so_when_the_delegation_is_opened_again(
    sent, hearing, amina, diaspora_network, now, state
):
    moussa = sent.delegates.get(representative__given_names="Moussa")
    Delegate.objects.filter(pk=moussa.pk).update(state=state)
    intake.withdraw(sent, by=amina, now=now)

    again = intake.begin(hearing, diaspora_network, by=amina, now=now)

    assert [state for _name, state in people(again)] == ["draft", state, "draft"]


def test_sending_waits_for_the_lock_and_is_judged_by_what_stands_then(
    at_once, draft, deadline, amina, now
):
    """The close was moved while the request waited; its own moment stays what it was."""
    shut = deadline.closes_at
    stale = Registration.objects.select_related("event").get(pk=draft.pk)
    assert stale.event.registration_deadline.closes_at == shut
    held = threading.Event()

    def move():
        with transaction.atomic():
            capacity.hold(draft.event)
            held.set()
            deadlines.move(
                deadline, closes_at=shut + timedelta(days=1), by=None, now=now, reason="Visas"
            )

    def submit():
        held.wait(5)
        intake.submit(stale, by=amina, now=shut)

    assert at_once(move, submit) == [None, None]
    assert Registration.objects.get(pk=draft.pk).sent_at == shut


# Taking back


def test_withdrawing_takes_everybody_back_and_writes(sent, amina, now):
    intake.withdraw(sent, by=amina, now=now + timedelta(hours=1))

    assert sent.is_withdrawn
    assert {state for _name, state in people(sent)} == {"withdrawn"}
    assert letters() == [
        ("received", "amina@diaspora.example"),
        ("withdrawn", "amina@diaspora.example"),
    ]
    assert verbs(sent) == ["draft begun", "sent", "withdrawn"]


def test_withdrawing_takes_back_the_letters_that_have_not_left(sent, amina, now):
    intake.withdraw(sent, by=amina, now=now + timedelta(hours=1))

    posted = Letter.objects.order_by("posted_at")
    assert [letter.state for letter in posted] == ["cancelled", "queued"]


def test_withdrawing_twice_is_one_letter(sent, amina, now):
    intake.withdraw(sent, by=amina, now=now)
    intake.withdraw(sent, by=amina, now=now + timedelta(hours=1))

    assert sent.withdrawn_at == now
    assert [name for name, _to in letters()].count("withdrawn") == 1


def test_giving_up_a_draft_writes_no_letter(draft, amina, now):
    intake.withdraw(draft, by=amina, now=now)

    assert draft.is_withdrawn
    assert letters() == []


def test_withdrawing_leaves_a_decline_as_it_was(sent, amina, clara, now):
    head, *_others = sent.delegates.in_order()
    decisions.decline(sent, [head], by=clara, now=now, reason="No pass")

    intake.withdraw(sent, by=amina, now=now + timedelta(hours=1))

    assert [state for _name, state in people(sent)] == ["declined", "withdrawn", "withdrawn"]


def test_beginning_again_after_withdrawing_is_the_same_draft_with_its_people(
    sent, hearing, amina, diaspora_network, now
):
    reference, later = sent.reference, now + timedelta(days=1)
    intake.withdraw(sent, by=amina, now=now)

    again = intake.begin(hearing, diaspora_network, by=amina, now=later)

    assert (again, again.reference) == (sent, reference)
    assert again.is_draft
    assert again.begun_at == later
    assert {state for _name, state in people(again)} == {"draft"}
    assert verbs(again) == ["draft begun", "sent", "withdrawn", "draft reopened"]


def test_what_was_opened_again_can_be_sent_again(sent, hearing, amina, diaspora_network, now):
    intake.withdraw(sent, by=amina, now=now + timedelta(hours=1))
    later = now + timedelta(days=1)
    again = intake.begin(hearing, diaspora_network, by=amina, now=later)

    intake.submit(again, by=amina, now=later)

    assert [name for name, _to in letters()] == ["received", "withdrawn", "received"]
    assert {state for _name, state in people(again)} == {"submitted"}


@pytest.fixture
def reopened(sent, hearing, amina, clara, diaspora_network, now) -> Registration:
    """Opened again after the head was declined."""
    head = sent.delegates.in_order().first()
    decisions.decline(sent, [head], by=clara, now=now, reason="No pass")
    intake.withdraw(sent, by=amina, now=now)
    return intake.begin(hearing, diaspora_network, by=amina, now=now)


def test_a_declined_person_is_not_sent_again_or_named_as_sent(reopened, amina, now):
    intake.submit(reopened, by=amina, now=now + timedelta(days=1))

    assert people(reopened) == [
        ("Aïssata Traoré", "declined"),
        ("Moussa Keïta", "submitted"),
        ("Fatoumata Sow", "submitted"),
    ]
    received = Letter.objects.order_by("posted_at").last()
    assert "Moussa Keïta" in received.text
    assert "Aïssata Traoré" not in received.text


def test_a_declined_person_is_not_changed_or_removed_in_the_draft(reopened, amina, now):
    declined = reopened.delegates.get(state="declined")

    with pytest.raises(refusals.AlreadyDecided):
        intake.remove_person(declined, by=amina, now=now)
    with pytest.raises(refusals.AlreadyDecided):
        intake.change_person(declined, Person("Awa", "Ba"), by=amina, now=now)

    assert people(reopened)[0] == ("Aïssata Traoré", "declined")


@pytest.mark.parametrize("state", ["submitted", "more_information", "approved"])
def test_one_person_is_taken_back(sent, amina, now, state):
    moussa = sent.delegates.get(representative__given_names="Moussa")
    Delegate.objects.filter(pk=moussa.pk).update(state=state)

    intake.withdraw_person(moussa, by=amina, now=now + timedelta(hours=1))

    assert people(sent) == [
        ("Aïssata Traoré", "submitted"),
        ("Moussa Keïta", "withdrawn"),
        ("Fatoumata Sow", "submitted"),
    ]
    assert [name for name, _to in letters()] == ["received", "person_withdrawn"]
    letter = Letter.objects.order_by("posted_at").last()
    assert "Moussa Keïta" in letter.text
    assert "Aïssata Traoré" not in letter.text
    (entry,) = Entry.objects.about(moussa)
    assert (entry.before, entry.after) == ({"state": state}, {"state": "withdrawn"})


@pytest.mark.parametrize("state", ["draft", "declined", "withdrawn"])
def test_there_is_nothing_to_take_back_of_one_who_is_not_coming(sent, amina, now, state):
    moussa = sent.delegates.get(representative__given_names="Moussa")
    Delegate.objects.filter(pk=moussa.pk).update(state=state)

    with pytest.raises(refusals.CannotWithdraw):
        intake.withdraw_person(moussa, by=amina, now=now)

    assert [name for name, _to in letters()] == ["received"]


@pytest.fixture
def two_heads(sent, amina, clara, now) -> tuple[Delegate, Delegate]:
    """Aïssata leads and has a seat; Awa is to lead in her place."""
    head = sent.delegates.get(role="head")
    decisions.approve(sent, [head], by=clara, now=now)
    return head, replacements.replace(head, Person("Awa", role="head"), by=amina, now=now)


def test_the_head_may_go_while_another_is_to_lead(sent, two_heads, amina, clara, now):
    head, stand_in = two_heads

    intake.withdraw_person(head, by=amina, now=now)
    decisions.approve(sent, [stand_in], by=clara, now=now)

    roles = sent.delegates.values_list("role", "state")
    assert {("delegate", "withdrawn"), ("head", "approved")} <= set(roles)


def test_who_was_to_lead_may_go_and_another_be_named(sent, two_heads, amina, now):
    head, stand_in = two_heads

    intake.withdraw_person(stand_in, by=amina, now=now)

    head.refresh_from_db()
    assert (head.role, head.state) == ("head", "approved")
    other = replacements.replace(head, Person("Binta", role="head"), by=amina, now=now)
    assert other.replaces == head


def test_a_delegation_with_two_heads_to_be_is_taken_back_and_opened_again_with_one(
    sent, two_heads, hearing, amina, diaspora_network, now
):
    intake.withdraw(sent, by=amina, now=now)

    again = intake.begin(hearing, diaspora_network, by=amina, now=now)

    assert again.delegates.filter(role="head").get() == two_heads[0]
    assert {state for _name, state in people(again)} == {"draft"}
    assert not again.delegates.exclude(replaces=None).exists()


def test_one_may_withdraw_after_the_close_and_from_a_postponed_event(
    sent, hearing, deadline, amina, clara, now
):
    schedule.postpone(hearing, by=clara, now=now, reason="The room was taken")

    intake.withdraw(sent, by=amina, now=deadline.closes_at + timedelta(days=1))

    assert sent.is_withdrawn


# How little is asked of the database, most of it while everybody else waits


@pytest.mark.parametrize(
    ("admission", "seats", "state", "queries"),
    [
        ("first_come", 50, "approved", 14),
        ("first_come", 0, "wait_listed", 14),
        ("reviewed", 0, "submitted", 13),
    ],
)
@pytest.mark.parametrize("size", [1, 12])
def test_sending_asks_as_much_for_twelve_people_as_for_one(
    hearing, now, django_assert_num_queries, admission, seats, state, queries, size
):
    Event.objects.filter(pk=hearing.pk).update(admission=admission, seats=seats)
    (group,) = crowd.drafts(hearing, 1, now=now, people=size)
    by = group.organisation.focal_points[0]

    with django_assert_num_queries(queries):
        intake.submit(group, by=by, now=now)

    assert crowd.states(hearing) == {state: size}
    assert Letter.objects.count() == 1


def test_until_the_lock_is_held_only_the_readers_and_the_tracks_are_read(hearing, now):
    (group,) = crowd.drafts(hearing, 1, now=now)
    by = group.organisation.focal_points[0]

    with CaptureQueriesContext(connection) as asked:
        intake.submit(group, by=by, now=now)

    place = [place for place, one in enumerate(asked) if "pg_advisory_xact_lock" in one["sql"]]
    assert place == [3]


def test_where_there_are_tracks_one_that_was_chosen_meanwhile_counts(hearing, now):
    track = Track.objects.create(event=hearing, name_en="In status")
    (group,) = crowd.drafts(hearing, 1, now=now)
    by = group.organisation.focal_points[0]
    stale = Registration.objects.get(pk=group.pk)
    intake.choose_track(group, track, by=by, now=now)

    intake.submit(stale, by=by, now=now)

    assert people(group)[0][1] == "submitted"
