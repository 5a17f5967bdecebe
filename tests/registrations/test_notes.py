"""What organisers write to each other about a delegation, and its group never reads."""

import pytest
from django.core import mail
from django.urls import reverse

from accounts.models import User
from audit import trail
from audit.models import Entry
from events import roles
from events.models import Event
from notifications.models import Letter
from registrations import assigning, decisions, exports, notes, refusals, tagging, timeline
from registrations.models import Delegate, Note
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db

WORDS = "Paid for by a smuggler?"


@pytest.fixture
def eva(hearing, now) -> User:
    """Decides about the people of the hearing."""
    user = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(user, on=hearing, kind="reviewer", by=None, now=now)
    return user


def remembered(registration) -> list[tuple]:
    entries = Entry.objects.about(registration).order_by("id")
    return [(entry.verb, entry.actor, entry.before, entry.after) for entry in entries][2:]


def test_a_note_is_kept_and_the_history_does_not_say_what_it_says(sent, clara, now):
    note = notes.write(sent, f"  {WORDS}\n", by=clara, now=now)

    assert (note.registration, note.text, note.by, note.at) == (sent, WORDS, clara, now)
    assert remembered(sent) == [("note written", clara, None, None)]


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_note_says_something(sent, clara, now, text):
    with pytest.raises(refusals.NoteMissing, match="Write the note"):
        notes.write(sent, text, by=clara, now=now)

    assert not Note.objects.exists()


def test_whoever_wrote_it_removes_it_once(sent, clara, eva, now):
    note = notes.write(sent, WORDS, by=clara, now=now)

    with pytest.raises(refusals.NotYourNote, match="not yours"):
        notes.remove(note, by=eva, now=now)
    notes.remove(Note.objects.get(), by=clara, now=now)
    with pytest.raises(refusals.NotYourNote):
        notes.remove(note, by=clara, now=now)

    assert [verb for verb, *_rest in remembered(sent)] == ["note written", "note removed"]


def test_its_group_reads_none_of_it_on_any_page_in_any_letter_or_file(
    sent, amina, clara, eva, now, client
):
    notes.write(sent, WORDS, by=clara, now=now)
    assigning.assign(sent, to=eva, by=clara, now=now)
    tagging.change(sent, on=["doubtful"], by=clara, now=now)
    people = list(sent.delegates.in_order())
    decisions.ask(sent, people[:1], question="When were you born?", by=clara, now=now)
    decisions.approve(sent, people[1:], by=clara, now=now)
    amina_in = signed_in(amina)

    pages = [
        sent.get_absolute_url(),
        reverse("registrations:mine"),
        reverse("registrations:colleagues", args=[sent.reference]),
        reverse("pages:event", args=[sent.event.slug]),
        reverse("pages:participants", args=[sent.event.slug]),
        reverse("accounts:me"),
    ]
    told = [amina_in.get(page).content.decode() for page in pages]
    told += [client.get(page).content.decode() for page in pages[3:5]]
    told += [f"{letter.subject} {letter.text} {letter.html}" for letter in Letter.objects.all()]
    told += [message.body for message in mail.outbox]
    told.append(str(timeline.of(sent, people)))

    assert "When were you born?" in told[0]
    for word in (WORDS, "doubtful", "Eva", "eva@", "note written", "assigned", "tags changed"):
        assert [text for text in told if word in text] == [], word


def test_no_column_of_a_file_holds_a_note(sent, clara, now):
    notes.write(sent, WORDS, by=clara, now=now)
    every = exports.Sheet(
        Delegate.objects.sent().order_by("pk"),
        list(exports.COLUMNS),
        events={sent.event_id: sent.event},
        rights={sent.event_id: frozenset(exports.Right)},
    )

    assert WORDS not in "".join(exports.as_csv(every))


# Who looks after it


def test_an_organiser_who_decides_looks_after_it(sent, clara, eva, now):
    assigning.assign(sent, to=eva, by=clara, now=now)
    assigning.assign(sent, to=None, by=eva, now=now)

    sent.refresh_from_db()
    assert sent.assigned_to is None
    assert remembered(sent) == [
        ("assigned", clara, {"assigned_to": None}, {"assigned_to": str(eva.pk)}),
        ("assigned", eva, {"assigned_to": str(eva.pk)}, {"assigned_to": None}),
    ]


@pytest.mark.parametrize("kind", ["reader", "door", None])
def test_nobody_else_does(sent, clara, hearing, second, now, kind):
    omar = User.objects.create_user("omar@secretariat.example", name="Omar")
    roles.grant(omar, on=second, kind="manager", by=None, now=now)
    if kind:
        roles.grant(omar, on=hearing, kind=kind, by=None, now=now)

    with pytest.raises(refusals.CannotLookAfter, match="Omar does not decide"):
        assigning.assign(sent, to=omar, by=clara, now=now)

    assert list(assigning.possible(hearing)) == [clara]
    assert list(assigning.possible(hearing, second)) == [clara]
    assert list(assigning.possible(second)) == [clara, omar]


def test_who_looks_after_it_already_is_told_so(sent, clara, now):
    with pytest.raises(refusals.AssignedAlready, match="assigned to nobody as it is"):
        assigning.assign(sent, to=None, by=clara, now=now)
    assigning.assign(sent, to=clara, by=clara, now=now)
    with pytest.raises(refusals.AssignedAlready, match="Clara Weiss looks after"):
        assigning.assign(sent, to=clara, by=clara, now=now)


# Tags


def words(registration) -> list[str]:
    return [tag.word for tag in registration.tags.in_order()]


def of_event(event: Event) -> list[str]:
    return [tag.word for tag in event.tags.in_order()]


def test_tags_are_put_on_and_taken_off_whatever_their_case(sent, clara, hearing, now):
    tagging.change(sent, on=["visa", "متابعة"], by=clara, now=now)
    tagging.change(sent, on=["VIP", "Visa"], off=["متابعة"], by=clara, now=now)

    assert words(sent) == ["VIP", "visa"]
    assert remembered(sent) == [
        ("tags changed", clara, {"tags": []}, {"tags": ["visa", "متابعة"]}),
        ("tags changed", clara, {"tags": ["visa", "متابعة"]}, {"tags": ["VIP", "visa"]}),
    ]
    assert of_event(hearing) == ["VIP", "visa"]


def test_a_tag_is_of_one_event(sent, clara, hearing, second, now):
    tagging.change(sent, on=["visa"], by=clara, now=now)

    assert (of_event(hearing), of_event(second)) == (["visa"], [])


def test_what_changes_nothing_says_so(sent, clara, now):
    tagging.change(sent, on=["visa"], by=clara, now=now)

    with pytest.raises(refusals.TaggedAlready, match="these already"):
        tagging.change(sent, on=["VISA"], off=["late"], by=clara, now=now)


def test_there_is_an_end_to_tags(sent, clara, hearing, now, monkeypatch):
    with pytest.raises(refusals.TagTooLong, match="longer than 30 characters: xxx"):
        tagging.change(sent, on=["x" * 31], by=clara, now=now)
    with pytest.raises(refusals.TooManyTagsOn, match="10 tags at most"):
        tagging.change(sent, on=[f"tag {n}" for n in range(11)], by=clara, now=now)
    monkeypatch.setattr(tagging, "MOST_OF_AN_EVENT", 1)
    tagging.change(sent, on=["x" * 30], by=clara, now=now)
    with pytest.raises(refusals.TooManyTags, match="has 1 tag already"):
        tagging.change(sent, on=["late"], by=clara, now=now)
    tagging.change(sent, on=["late"], off=["x" * 30], by=clara, now=now)

    assert of_event(hearing) == ["late"]


@pytest.fixture
def both(sent, clara, now, at_once, meeting, monkeypatch):
    """What becomes of two tags of an event that may have one, put on in the same moment: each has
    counted before one of them ends."""
    monkeypatch.setattr(tagging, "MOST_OF_AN_EVENT", 1)
    record = trail.record

    def meet_and_record(*facts, **more) -> Entry:
        meeting()
        return record(*facts, **more)

    monkeypatch.setattr(trail, "record", meet_and_record)

    def put(word: str) -> list[str]:
        tagging.change(sent, on=[word], by=clara, now=now)
        return words(sent)

    return lambda: at_once(lambda: put("visa"), lambda: put("late"))


@pytest.mark.django_db(transaction=True)
def test_two_who_begin_a_tag_at_once_are_counted_one_after_the_other(both, hearing):
    refused = [one for one in both() if isinstance(one, refusals.TooManyTags)]

    assert (len(refused), len(of_event(hearing))) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_if_nobody_waited_there_would_be_too_many(both, hearing, monkeypatch):
    monkeypatch.setattr(tagging, "_held", lambda event: event)

    both()

    assert len(of_event(hearing)) == 2
