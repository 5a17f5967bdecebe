"""Organisers hear of letters that do not arrive, in one letter, and not every minute."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from events import roles, undelivered
from events.models import Role
from notifications import outbox, preferences
from notifications.models import Kind, Letter, LetterQuerySet, State, Suppression
from tests.conftest import an_event

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def lost(hearing, now):
    """Post a letter about the hearing that does not arrive."""

    def lost(to: str, *, at: datetime = now, state: State = State.FAILED, **changes) -> Letter:
        facts = {
            "key": f"lost:{Letter.objects.count()}",
            "to": to,
            "language": "en",
            "subject": "Registered",
            "text": "Registered",
            "html": "",
            "kind": Kind.TRANSACTIONAL,
            "scope": hearing.id,
            "now": at,
        }
        letter = outbox.post(**{**facts, **changes})
        said = f"550 5.1.1 {to} is unknown"
        Letter.objects.filter(pk=letter.pk).update(state=state, ended_at=at, last_error=said)
        return letter

    return lost


def told() -> list[Letter]:
    return list(Letter.objects.filter(key__startswith="unreachable:").order_by("posted_at", "to"))


def unreported() -> list[str]:
    return list(Letter.objects.unreported().order_by("key").values_list("to", flat=True))


def test_each_organiser_gets_one_letter_that_names_all(lost, hearing, clara, now):
    dina = User.objects.create_user("dina@secretariat.example", name="Dina", language="en")
    roles.grant(dina, on=hearing, by=None, now=now)
    lost("amina@diaspora.example")
    lost("bo@ports.example", at=now + MINUTE / 2)

    assert undelivered.report(now + MINUTE - timedelta(seconds=1)) == 0
    assert undelivered.report(now + MINUTE) == 2

    letters = told()
    assert [letter.to for letter in letters] == [clara.email, dina.email]
    for letter in letters:
        assert "amina@diaspora.example" in letter.text and "bo@ports.example" in letter.text
        assert "550 5.1.1" in letter.text
        assert (letter.scope, letter.kind) == (hearing.id, Kind.TRANSACTIONAL)
    assert unreported() == []
    assert undelivered.report(now + 2 * MINUTE) == 0


def test_only_those_who_may_read_letters_hear_of_them(lost, hearing, now):
    for kind in Role.Kind.values:
        user = User.objects.create_user(f"{kind}@secretariat.example")
        roles.grant(user, on=hearing, kind=kind, by=None, now=now)
    lost("amina@diaspora.example")

    undelivered.report(now + MINUTE)

    assert [letter.to for letter in told()] == [
        "manager@secretariat.example",
        "reviewer@secretariat.example",
    ]


def test_what_fails_within_the_hour_waits_and_is_named_in_the_next(lost, clara, now):
    lost("amina@diaspora.example")
    undelivered.report(now + MINUTE)
    lost("bo@ports.example", at=now + 2 * MINUTE)

    assert undelivered.report(now + HOUR) == 0
    assert unreported() == ["bo@ports.example"]
    assert undelivered.report(now + MINUTE + HOUR) == 1

    last = told()[-1]
    assert "bo@ports.example" in last.text and "amina@diaspora.example" not in last.text


def test_letters_of_another_event_are_told_to_its_own_organisers(lost, hearing, clara, now):
    other = an_event(hearing.process, "other", hearing, name_en="Another hearing")
    lost("amina@diaspora.example")
    lost("bo@ports.example", scope=other.id)
    lost("nobody@example.org", scope=None)

    assert undelivered.report(now + MINUTE) == 2

    first, second = sorted(told(), key=lambda letter: letter.scope == other.id)
    assert (first.scope, second.scope) == (hearing.id, other.id)
    assert "bo@ports.example" not in first.text and "bo@ports.example" in second.text
    assert "nobody@example.org" not in first.text + second.text


def test_whose_role_has_ended_hears_nothing_and_nothing_is_forgotten(lost, clara, hearing, now):
    lost("amina@diaspora.example")
    clara.is_active = False
    clara.save()

    assert undelivered.report(now + MINUTE) == 0
    assert unreported() == ["amina@diaspora.example"]

    clara.is_active = True
    clara.save()
    assert undelivered.report(now + HOUR) == 1


def test_set_aside_for_an_address_that_cannot_be_reached_is_named(lost, clara, now):
    Suppression.objects.add("AMINA@diaspora.example", reason="bounce", said="", now=now)
    lost("amina@diaspora.example", state=State.SUPPRESSED)

    assert undelivered.report(now + MINUTE) == 1


def test_set_aside_because_its_reader_said_so_is_not(lost, clara, hearing, now):
    preferences.stop("amina@diaspora.example", scope=hearing.id, kind=Kind.REMINDER, now=now)
    lost("amina@diaspora.example", state=State.SUPPRESSED, kind=Kind.REMINDER)

    assert undelivered.report(now + MINUTE) == 0
    assert (told(), unreported()) == ([], [])


def test_a_letter_to_an_organiser_that_is_lost_is_no_reason_for_another_one(lost, clara, now):
    lost("amina@diaspora.example")
    undelivered.report(now + MINUTE)
    Letter.objects.filter(pk=told()[0].pk).update(state=State.FAILED, ended_at=now + MINUTE)

    assert undelivered.report(now + 2 * HOUR) == 0
    assert (len(told()), unreported()) == (1, [])


def report_twice_at_once(lost, now, at_once, meeting, monkeypatch) -> None:
    """Both have looked before either writes, unless a lock lets only one have the letters."""
    lost("amina@diaspora.example")
    is_time = undelivered._is_time
    monkeypatch.setattr(undelivered, "_is_time", lambda *facts: (is_time(*facts), meeting())[0])
    moments = iter([now + MINUTE, now + MINUTE + timedelta(seconds=1)])
    for result in at_once(*[lambda at=at: undelivered.report(at) for at in moments]):
        assert isinstance(result, int), result


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_it_once(lost, clara, now, at_once, meeting, monkeypatch):
    report_twice_at_once(lost, now, at_once, meeting, monkeypatch)

    assert len(told()) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_tell_it_twice(lost, clara, now, at_once, meeting, monkeypatch):
    monkeypatch.setattr(LetterQuerySet, "select_for_update", lambda letters, **_: letters)

    report_twice_at_once(lost, now, at_once, meeting, monkeypatch)

    assert len(told()) == 2
