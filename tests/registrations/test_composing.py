"""Letters that organisers write: their words, who gets them, when they leave, and how often."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from audit.models import Entry
from events import roles
from events.models import Deadline, Event
from notifications import bell, delivery, preferences, recall
from notifications.models import Kind, Letter, Suppression
from registrations import addressees, composing, intake, mails, refusals
from registrations.intake import Person
from registrations.models import Delegate, DelegateQuerySet, Message, Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation, Representative

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)
WORDS = {
    "subject_en": "Before you travel",
    "text_en": "Dear {name},\n\nthe room has changed.",
    "subject_ar": "قبل السفر",
    "text_ar": "عزيزي {name}، تغيرت القاعة.",
}


@pytest.fixture
def port_sent(hearing, bo, port_workers, now) -> Registration:
    registration = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(registration, Person("Jun", "Reyes", "jun@ports.example"), by=bo, now=now)
    intake.submit(registration, by=bo, now=now)
    Letter.objects.all().delete()
    return registration


@dataclass
class Desk:
    """Where Clara writes to everybody who was sent to the hearing."""

    event: Event
    by: User
    now: datetime

    @property
    def people(self) -> DelegateQuerySet:
        return Delegate.objects.sent().filter(registration__event=self.event)

    def people_of(self, message: Message) -> DelegateQuerySet:
        return self.people

    def draft(self, **typed: str) -> Message:
        return composing.draft(self.event, **(WORDS | typed), by=self.by, now=self.now)

    def send(self, message: Message, **how: Any) -> Message:
        facts = {"people": self.people, "by": self.by, "now": self.now} | how
        return composing.send(message, **facts)

    def leave(self, after: timedelta = SOON) -> int:
        return composing.leave_due(people_of=self.people_of, now=self.now + after)

    def written(self, **typed: str) -> list[Letter]:
        """The letters of a message that has left."""
        message = self.send(self.draft(**typed))
        self.leave()
        return list(message.letters.order_by("to", "text"))


@pytest.fixture
def desk(sent, port_sent, clara, hearing, now) -> Desk:
    Letter.objects.all().delete()
    return Desk(hearing, clara, now)


def state(message: Message) -> str:
    return Message.objects.get(pk=message.pk).state


def done(message: Message) -> list[str]:
    return list(Entry.objects.about(message).order_by("at", "id").values_list("verb", flat=True))


# Words


def test_a_draft_is_kept_and_goes_nowhere(desk):
    message = desk.draft()

    assert (message.state, message.by, message.languages) == ("draft", desk.by, ["ar", "en"])
    assert desk.leave(timedelta(days=30)) == 0
    assert not Letter.objects.exists()
    assert done(message) == ["drafted"]


def test_an_entry_that_was_taken_in_is_not_written_to(desk, sent):
    moussa, fatoumata = (
        sent.delegates.get(representative__given_names=name).representative
        for name in ("Moussa", "Fatoumata")
    )
    Representative.objects.filter(pk=moussa.pk).update(merged_into=fatoumata)

    letters = desk.written(to=Message.To.PEOPLE)

    assert [letter.to for letter in letters] == [
        "aissata@diaspora.example", "fatoumata@diaspora.example", "jun@ports.example",
    ]  # fmt: skip


def test_what_is_changed_is_remembered(desk):
    message = desk.draft()

    composing.change(message, subject_en="Good to know", by=desk.by, now=desk.now)
    composing.change(message, subject_en="Good to know", by=desk.by, now=desk.now)

    assert str(Message.objects.get()) == "Good to know"
    assert done(message) == ["drafted", "changed"]
    entry = Entry.objects.about(message).get(verb="changed")
    assert (entry.before, entry.after) == (
        {"subject_en": "Before you travel"},
        {"subject_en": "Good to know"},
    )


@pytest.mark.parametrize(
    ("column", "words", "refusal", "said"),
    [
        ("text_en", "Dear {nmae}", refusals.UnknownPlaceholder, "{nmae}"),
        ("text_fr", "{a} {b} {name}", refusals.UnknownPlaceholder, "{a}, {b}"),
        ("subject_en", "{reference", refusals.StrayBrace, "{reference"),
        ("text_en", "a } b", refusals.StrayBrace, "a } b"),
        ("text_en", "{na\nme}", refusals.StrayBrace, "{na me}"),
        ("text_en", "{{name}}", refusals.StrayBrace, "{"),
        ("subject_ar", "{name}", refusals.NameInSubject, "{name}"),
        ("subject_en", "{people} of {name}", refusals.NameInSubject, "{name}, {people}"),
        ("subject_en", "One\nBcc: all@example.org", refusals.BreakInSubject, "one line"),
        ("subject_en", "One\u2028two", refusals.BreakInSubject, "one line"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_beside_their_column(
    desk, column, words, refusal, said
):
    with pytest.raises(refusal) as refused:
        desk.draft(**{column: words})

    assert said in str(refused.value)
    assert refused.value.column == column
    assert not Message.objects.exists()


def test_a_deadline_that_the_event_has_not_is_refused(desk):
    Deadline.objects.filter(event=desk.event).delete()

    with pytest.raises(refusals.NoSuchDeadline):
        desk.draft(text_en="Until {deadline}")


def test_a_page_of_focal_points_is_nothing_for_the_people_themselves(desk):
    with pytest.raises(refusals.OfFocalPoints):
        desk.draft(text_en="See {status_page}", to="people")


def test_placeholders_are_filled_in(desk):
    text = "{name} | {event} | {organisation} | {reference} | {people}\n{deadline}\n{status_page}"
    letters = desk.written(subject_en="About {reference} of {organisation}", text_en=text)

    amina = next(letter for letter in letters if letter.to == "amina@diaspora.example")
    reference = Registration.objects.get(organisation__name="Diaspora Network").reference
    assert amina.subject == f"About {reference} of Diaspora Network"
    assert (
        "Amina Diallo | Hearing on the Global Compact | Diaspora Network | "
        f"{reference} | Aïssata Traoré, Moussa Keïta, Fatoumata Sow" in amina.text
    )
    assert "23:59, New York time" in amina.text
    assert f"/en/registrations/{reference}/" in amina.text
    assert f'/en/registrations/{reference}/">' in amina.html


def test_what_is_filled_in_is_neither_markup_nor_a_placeholder(desk):
    Organisation.objects.filter(name="Port Workers").update(name="<b>{reference}</b> %s & Co")

    letters = desk.written(text_en="Dear <i>{organisation}</i> {reference}", to="points")

    bo = next(letter for letter in letters if letter.to == "bo@ports.example")
    assert "Dear <i><b>{reference}</b> %s & Co</i>" in bo.text
    assert "&lt;i&gt;&lt;b&gt;{reference}&lt;/b&gt; %s &amp; Co&lt;/i&gt;" in bo.html


# Who gets it


def test_each_focal_point_gets_one_letter_in_the_language_of_each(desk, amina):
    User.objects.filter(pk=amina.pk).update(language="ar")

    letters = desk.written()

    assert [(letter.to, letter.language, letter.subject) for letter in letters] == [
        ("amina@diaspora.example", "ar", "قبل السفر"),
        ("bo@ports.example", "en", "Before you travel"),
    ]
    assert {(letter.kind, letter.scope) for letter in letters} == {
        (Kind.ANNOUNCEMENT, desk.event.pk)
    }
    assert "Dear Bo Santos," in letters[1].text


def test_whoever_reads_a_missing_language_gets_english_marked_as_such(desk, amina):
    User.objects.filter(pk=amina.pk).update(language="ar")

    letter = desk.written(subject_ar="", text_ar="كلمات")[0]

    assert (letter.language, letter.subject) == ("ar", "Before you travel")
    assert '<div lang="en" dir="ltr">' in letter.html


def leads_both(desk: Desk) -> None:
    """Amina leads Port Workers as well."""
    Membership.objects.create(
        user=User.objects.get(email="amina@diaspora.example"),
        organisation=Organisation.objects.get(name="Port Workers"),
        kind="focal_point",
        state="active",
        since=desk.now,
    )


def test_who_leads_two_delegations_gets_one_letter(desk):
    leads_both(desk)

    assert [letter.to for letter in desk.written()] == [
        "amina@diaspora.example",
        "bo@ports.example",
    ]


def test_who_leads_two_delegations_gets_one_about_each_where_it_speaks_of_them(desk):
    leads_both(desk)

    letters = desk.written(text_en="About {organisation}: {people}")

    assert [(letter.to, letter.text.splitlines()[5]) for letter in letters] == [
        (
            "amina@diaspora.example",
            "About Diaspora Network: Aïssata Traoré, Moussa Keïta, Fatoumata Sow",
        ),
        ("amina@diaspora.example", "About Port Workers: Jun Reyes"),
        ("bo@ports.example", "About Port Workers: Jun Reyes"),
    ]


def test_the_people_themselves_read_it_where_they_have_an_address(desk):
    message = desk.draft(to="people", text_en="Dear {name} of {organisation}")

    addressed = addressees.of(message, desk.people)

    assert [(one.reader.email, one.names) for one in addressed.letters] == [
        ("aissata@diaspora.example", ["Aïssata Traoré"]),
        ("moussa@diaspora.example", ["Moussa Keïta"]),
        ("fatoumata@diaspora.example", ["Fatoumata Sow"]),
        ("jun@ports.example", ["Jun Reyes"]),
    ]
    assert (addressed.people, addressed.silent) == (4, [])


def test_people_with_one_address_get_one_letter_that_names_them(desk):
    for person in Delegate.objects.filter(registration__organisation__name="Diaspora Network"):
        person.representative.email = "Office@diaspora.example"
        person.representative.save()
    jun = Delegate.objects.get(representative__given_names="Jun").representative
    jun.email = ""
    jun.save()
    message = desk.draft(to="people")

    addressed = addressees.of(message, desk.people)

    assert [one.names for one in addressed.letters] == [
        ["Aïssata Traoré", "Moussa Keïta", "Fatoumata Sow"]
    ]
    assert addressed.silent == ["Jun Reyes"]


def test_a_person_without_an_account_reads_as_the_first_focal_point(desk, amina):
    User.objects.filter(pk=amina.pk).update(language="fr", neutral_subjects=True)
    User.objects.create_user("MOUSSA@diaspora.example", language="ar")
    message = desk.draft(to="people")

    readers = [one.reader for one in addressees.of(message, desk.people).letters]

    assert [(reader.language, reader.is_discreet) for reader in readers] == [
        ("fr", True),
        ("ar", True),
        ("fr", True),
        ("en", False),
    ]


def test_whoever_wishes_so_gets_a_neutral_subject(desk, amina):
    User.objects.filter(pk=amina.pk).update(neutral_subjects=True)

    assert [letter.subject for letter in desk.written()] == ["News for you", "Before you travel"]


def test_groups_that_nobody_leads_are_named(desk, bo):
    bo.memberships.all().delete()

    addressed = addressees.of(desk.draft(), desk.people)

    assert ([one.names for one in addressed.letters], addressed.silent) == (
        [["Amina Diallo"]],
        ["Port Workers"],
    )


def test_who_cannot_be_reached_or_wants_no_news_is_counted(desk, now):
    preferences.stop("Amina@diaspora.example", scope=desk.event.pk, kind=Kind.ANNOUNCEMENT, now=now)
    Suppression.objects.add("BO@ports.example", reason="bounce", said="gone", now=now)
    message = desk.draft()

    addressed = addressees.of(message, desk.people)

    assert (addressees.unwelcome(message, addressed), addressees.unreachable(addressed)) == (1, 1)


@pytest.mark.parametrize(("to", "queries"), [("points", 2), ("people", 3)])
def test_the_number_of_queries_is_the_same_for_any_number(
    desk, django_assert_num_queries, to, queries
):
    message = desk.draft(to=to)

    with django_assert_num_queries(queries):
        addressees.of(message, desk.people)


# Sending


def test_it_is_held_for_five_minutes(desk):
    message = desk.send(desk.draft())

    assert (message.state, message.leaves_at) == ("waiting", desk.now + SOON)
    assert desk.leave(SOON - timedelta(seconds=1)) == 0
    assert desk.leave() == 2
    assert desk.leave() == 0
    assert Letter.objects.count() == 2
    assert done(message) == ["drafted", "sent"]


def test_it_is_sent_when_all_its_letters_have_ended(desk, monkeypatch):
    message = desk.send(desk.draft())
    desk.leave()
    assert state(message) == "sending"

    message.letters.update(state="sent", sent_at=desk.now)
    desk.leave()

    assert state(message) == "sent"
    assert done(message) == ["drafted", "sent", "went out"]
    assert Entry.objects.about(message).get(verb="went out").after == {"letters": 2}


def test_it_leaves_at_a_chosen_moment(desk):
    message = desk.send(desk.draft(), at=desk.now + timedelta(days=1))

    assert desk.leave(timedelta(hours=23)) == 0
    assert desk.leave(timedelta(days=1)) == 2
    assert Message.objects.get() == message


@pytest.mark.parametrize("minutes", [-1, 0, 4])
def test_a_moment_that_is_past_or_too_soon_is_refused(desk, minutes):
    message = desk.draft()

    with pytest.raises(refusals.LeavesTooSoon, match="at least 5 minutes from now"):
        desk.send(message, at=desk.now + timedelta(minutes=minutes))

    assert state(message) == "draft"


@pytest.mark.parametrize("column", ["subject_en", "text_en"])
def test_english_is_needed_to_send(desk, column):
    message = desk.draft(**{column: ""})

    with pytest.raises(refusals.EnglishMissing):
        desk.send(message)


def test_a_letter_to_nobody_is_refused(desk):
    with pytest.raises(refusals.NobodyToWriteTo):
        desk.send(desk.draft(), people=Delegate.objects.none())


def test_whoever_comes_meanwhile_gets_it_and_whoever_goes_does_not(desk, bo):
    message = desk.draft()
    desk.send(message, people=desk.people.filter(registration__organisation__name="Port Workers"))

    composing.leave_due(
        people_of=lambda message: desk.people.exclude(
            registration__organisation__name="Port Workers"
        ),
        now=desk.now + SOON,
    )

    assert [letter.to for letter in message.letters] == ["amina@diaspora.example"]


def test_what_is_sent_is_neither_changed_nor_sent_again(desk, now):
    message = desk.draft()
    desk.send(message)

    for act in (
        lambda: composing.change(message, subject_en="Other", by=desk.by, now=now),
        lambda: desk.send(message),
    ):
        with pytest.raises(refusals.SentByNow, match="Clara Weiss has sent this letter. It leaves"):
            act()

    assert str(Message.objects.get()) == "Before you travel"


def test_one_whose_readers_nobody_can_tell_is_stopped_and_says_why(desk):
    message = desk.send(desk.draft())

    def nobody_knows(message: Message) -> DelegateQuerySet:
        raise refusals.MayNotWrite(message)

    composing.leave_due(people_of=nobody_knows, now=desk.now + SOON)

    assert (state(message), message.letters.count()) == ("stopped", 0)
    assert Entry.objects.about(message).get(verb="stopped").reason == (
        "Clara Weiss may no longer write to the people of this event."
    )


def test_where_nobody_can_tell_any_more_what_has_not_left_stays(desk, monkeypatch):
    monkeypatch.setattr(composing, "PORTION", 1)
    message = desk.send(desk.draft())
    asked = iter([desk.people])

    def nobody_knows_later(message: Message) -> DelegateQuerySet:
        try:
            return next(asked)
        except StopIteration:
            raise refusals.AudienceUnknown from None

    composing.leave_due(people_of=nobody_knows_later, now=desk.now + SOON)

    assert state(message) == "stopped"
    assert [letter.state for letter in message.letters] == ["cancelled"]


def test_a_deadline_that_has_gone_meanwhile_is_not_sent_as_nothing(desk):
    message = desk.draft(text_en="Until {deadline}.")
    Deadline.objects.filter(event=desk.event, kind=Deadline.Kind.REGISTRATION).delete()

    with pytest.raises(refusals.NoSuchDeadline):
        desk.send(message)

    assert state(message) == "draft"


# Stopping


def test_stopped_before_it_leaves_it_is_a_draft_again(desk):
    message = desk.send(desk.draft())

    assert composing.stop(message, by=desk.by, now=desk.now) == 0

    assert state(message) == "draft"
    assert desk.leave(timedelta(days=1)) == 0
    desk.send(message)
    assert desk.leave() == 2


def test_stopped_on_its_way_what_has_not_left_stays(desk):
    message = desk.send(desk.draft())
    desk.leave()
    first = message.letters.order_by("to").first()
    Letter.objects.filter(pk=first.pk).update(state="sent", sent_at=desk.now)

    assert composing.stop(message, by=desk.by, now=desk.now) == 1

    assert state(message) == "stopped"
    assert list(message.letters.order_by("to").values_list("state", flat=True)) == [
        "sent",
        "cancelled",
    ]
    with pytest.raises(refusals.NothingToStop, match="stopped already"):
        composing.stop(message, by=desk.by, now=desk.now)


def test_a_draft_is_not_stopped(desk):
    with pytest.raises(refusals.NothingToStop, match="is a draft"):
        composing.stop(desk.draft(), by=desk.by, now=desk.now)


# Portions


@pytest.fixture
def one_by_one(monkeypatch) -> None:
    monkeypatch.setattr(composing, "PORTION", 1)


def test_in_portions_everybody_gets_it_once(desk, one_by_one):
    leads_both(desk)
    message = desk.send(desk.draft())

    assert desk.leave() == 2

    assert sorted(letter.to for letter in message.letters) == [
        "amina@diaspora.example",
        "bo@ports.example",
    ]


def test_stopped_between_two_portions_no_more_are_written(desk, one_by_one, monkeypatch):
    message = desk.send(desk.draft())
    write = mails.message

    def write_and_stop(*args: Any, **kwargs: Any) -> int:
        new = write(*args, **kwargs)
        Message.objects.update(state="stopped")
        return new

    monkeypatch.setattr(mails, "message", write_and_stop)

    assert desk.leave() == 1
    assert message.letters.count() == 1


class Killed(BaseException):
    """As by kill -9: nothing of the worker's runs any more."""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_is_taken_over_and_nobody_gets_it_twice(
    desk, one_by_one, monkeypatch
):
    leads_both(desk)
    message = desk.send(desk.draft())
    post, calls = mails.message, []

    def post_and_die(*args: Any, **kwargs: Any) -> int:
        new = post(*args, **kwargs)
        calls.append(new)
        if len(calls) == 2:
            raise Killed
        return new

    monkeypatch.setattr(mails, "message", post_and_die)
    with pytest.raises(Killed):
        desk.leave()
    assert (state(message), message.letters.count()) == ("sending", 2 if calls[0] == 2 else 1)

    desk.leave()

    assert sorted(message.letters.values_list("to", flat=True)) == [
        "amina@diaspora.example",
        "bo@ports.example",
    ]
    assert Message.objects.get().written_at


# Trying it out


def test_a_test_goes_to_the_organiser_alone_and_counts_as_none_of_its_letters(desk):
    message = desk.draft(text_en="{name} | {organisation} | {reference}")

    composing.try_out(message, people=desk.people, language="ar", by=desk.by, now=desk.now)
    composing.try_out(
        message,
        people=Delegate.objects.none(),
        language="en",
        by=desk.by,
        now=desk.now + timedelta(seconds=1),
    )

    letters = Letter.objects.order_by("posted_at")
    assert [(letter.to, letter.language) for letter in letters] == [
        ("clara@secretariat.example", "ar"),
        ("clara@secretariat.example", "en"),
    ]
    assert letters[1].subject == "Test: Before you travel"
    assert "Sample Person | Sample Network | GCM-…" in letters[1].text
    assert (message.letters.count(), state(message)) == (0, "draft")


# Two at once


@pytest.fixture
def two_press(desk, at_once, monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda: None)
    eva = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(eva, on=desk.event, by=None, now=desk.now)

    def two_press(message: Message) -> list:
        return at_once(lambda: desk.send(message), lambda: desk.send(message, by=eva))

    return two_press


@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_send_one_sends(desk, two_press):
    message = desk.draft()

    results = two_press(message)

    assert sorted(type(result).__name__ for result in results) == ["Message", "SentByNow"]
    assert done(message) == ["drafted", "sent"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_would(desk, two_press, meeting, monkeypatch):
    def read(message: Message) -> Message:
        found = Message.objects.select_related("event", "sent_by").get(pk=message.pk)
        meeting()
        return found

    monkeypatch.setattr(composing, "_held", read)
    message = desk.draft()

    results = two_press(message)

    assert [type(result).__name__ for result in results] == ["Message", "Message"]
    assert done(message) == ["drafted", "sent", "sent"]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_beside_each_other_write_each_letter_once(desk, at_once, monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda: None)
    message = desk.send(desk.draft())

    results = at_once(desk.leave, desk.leave)

    assert sum(results) == 2
    assert message.letters.count() == 2


@pytest.fixture
def stopped_meanwhile(desk, at_once, meeting, monkeypatch):
    """Somebody stops a letter while its letters are being written: how many still wait then."""
    monkeypatch.setattr(bell, "ring", lambda: None)
    message = desk.send(desk.draft())
    composing._begin(message.pk, now=desk.now + SOON)
    post, cancel = mails.message, recall.cancel

    def meet_and_post(*args: Any, **kwargs: Any) -> int:
        meeting()
        return post(*args, **kwargs)

    def cancel_and_meet(**kwargs: Any) -> int:
        cancelled = cancel(**kwargs)
        meeting()
        return cancelled

    monkeypatch.setattr(mails, "message", meet_and_post)
    monkeypatch.setattr(recall, "cancel", cancel_and_meet)

    def stopped_meanwhile() -> int:
        stop = lambda: composing.stop(message, by=desk.by, now=desk.now)  # noqa: E731
        results = at_once(desk.leave, stop)
        assert not [result for result in results if isinstance(result, Exception)]
        assert state(message) == "stopped"
        return message.letters.pending().count()

    return stopped_meanwhile


@pytest.mark.django_db(transaction=True)
def test_who_stops_while_letters_are_written_leaves_none_behind(stopped_meanwhile):
    assert stopped_meanwhile() == 0


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_some_would_leave_all_the_same(stopped_meanwhile, monkeypatch):
    messages = Message.objects.select_related("event", "sent_by")
    monkeypatch.setattr(composing, "_held", lambda message: messages.get(pk=message.pk))
    monkeypatch.setattr(
        composing, "_free", lambda pk, state: messages.filter(pk=pk, state=state).first()
    )

    assert stopped_meanwhile() == 2


def test_many_are_written_to_in_portions(desk, hearing, now, monkeypatch):
    """Twenty groups more, by sevens."""
    monkeypatch.setattr(composing, "PORTION", 7)
    for number in range(20):
        user = User.objects.create_user(f"point{number}@group.example")
        group = Organisation(name=f"Group {number}", country="ML", category="diaspora")
        membership.found(group, by=user, now=now)
        registration = intake.begin(hearing, group, by=user, now=now)
        intake.add_person(registration, Person("Kim", "Lee"), by=user, now=now)
        intake.submit(registration, by=user, now=now)
    Letter.objects.all().delete()
    message = desk.send(desk.draft())

    assert desk.leave() == 22
    assert message.letters.count() == 22
    assert delivery.deliver(desk.now) == 0
