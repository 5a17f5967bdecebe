import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from notifications import delivery, preferences
from notifications.models import Kind, Letter, Preference, State, Suppression
from notifications.preferences import Stop
from tests.notifications.conftest import NOON

pytestmark = pytest.mark.django_db
HEARING, OTHER = uuid.uuid4(), uuid.uuid4()
LATER = NOON + timedelta(hours=1)
AMINA = "amina@diaspora.example"


def states() -> dict[str, str]:
    return dict(Letter.objects.values_list("key", "state"))


def test_stopping_keeps_the_wish_and_takes_back_what_waits(post):
    post("reminder", kind=Kind.REMINDER, scope=HEARING)
    post("of another event", kind=Kind.REMINDER, scope=OTHER)
    post("announcement", kind=Kind.ANNOUNCEMENT, scope=HEARING)
    post("answer", scope=HEARING)
    post("bo's", kind=Kind.REMINDER, scope=HEARING, to="bo@ports.example")

    preferences.stop("Amina@Diaspora.example", scope=HEARING, kind=Kind.REMINDER, now=LATER)
    preferences.stop(AMINA, scope=HEARING, kind=Kind.REMINDER, now=LATER)

    assert Preference.objects.count() == 1
    assert {key for key, state in states().items() if state == State.CANCELLED} == {"reminder"}
    assert preferences.unwanted(HEARING, Kind.REMINDER) == {AMINA}
    assert preferences.unwanted(HEARING, Kind.ANNOUNCEMENT) == set()
    assert preferences.unwanted(OTHER, Kind.REMINDER) == set()


def test_without_an_event_everything_of_that_kind_stops(post):
    post("reminder", kind=Kind.REMINDER, scope=HEARING)
    post("of another event", kind=Kind.REMINDER, scope=OTHER)

    preferences.stop(AMINA, scope=None, kind=Kind.REMINDER, now=LATER)

    assert set(states().values()) == {State.CANCELLED}
    assert preferences.unwanted(OTHER, Kind.REMINDER) == {AMINA}
    assert preferences.unwanted(None, Kind.REMINDER) == {AMINA}


@pytest.mark.parametrize("kind", [Kind.SECRET, Kind.TRANSACTIONAL])
def test_codes_and_answers_always_go(post, kind):
    with pytest.raises(ValueError, match="always go"):
        preferences.stop(AMINA, scope=None, kind=kind, now=NOON)

    with pytest.raises(IntegrityError, match="answers_always_go"), transaction.atomic():
        Preference.objects.create(email=AMINA, scope=None, kind=kind, since=NOON)


def test_what_was_stopped_can_be_resumed():
    preferences.stop(AMINA, scope=HEARING, kind=Kind.REMINDER, now=NOON)
    preferences.stop(AMINA, scope=None, kind=Kind.ANNOUNCEMENT, now=NOON)

    assert preferences.resume("AMINA@diaspora.example", scope=HEARING, kind=Kind.REMINDER, now=NOON)
    assert not preferences.resume(AMINA, scope=HEARING, kind=Kind.REMINDER, now=NOON)
    assert preferences.unwanted(HEARING, Kind.REMINDER) == set()
    assert preferences.unwanted(HEARING, Kind.ANNOUNCEMENT) == {AMINA}


@pytest.mark.parametrize("scope", [HEARING, None])
def test_a_link_says_what_it_stops(scope):
    token = preferences.token(AMINA, scope, Kind.ANNOUNCEMENT)

    assert preferences.read(token) == Stop(AMINA, scope, Kind.ANNOUNCEMENT)


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: f"x{t}", lambda t: "", str.upper])
def test_a_link_that_is_not_ours_says_nothing(spoil):
    assert preferences.read(spoil(preferences.token(AMINA, HEARING, Kind.REMINDER))) is None


def test_an_address_is_written_to_again_once_it_is_lifted(post):
    Suppression.objects.add(AMINA, reason="bounce", said="550 5.1.1", now=NOON)

    assert not preferences.lift("bo@ports.example", NOON)
    assert not preferences.lift(AMINA, NOON - timedelta(minutes=1))
    assert preferences.lift("Amina@diaspora.example", NOON)
    assert not Suppression.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scope", [HEARING, None])
def test_a_letter_that_was_queued_before_the_wish_is_set_aside(sink, post, scope):
    wish = Preference(email="Amina@diaspora.example", scope=scope, kind=Kind.REMINDER, since=NOON)
    wish.save()
    post("reminder", kind=Kind.REMINDER, scope=HEARING)
    post("without an event", kind=Kind.REMINDER)
    post("announcement", kind=Kind.ANNOUNCEMENT, scope=HEARING)

    delivery.deliver(NOON)

    unwanted = {key for key, state in states().items() if state == State.SUPPRESSED}
    assert unwanted == ({"reminder"} if scope else {"reminder", "without an event"})
    assert sorted(sink.subjects) == sorted(states().keys() - unwanted)


@pytest.mark.django_db(transaction=True)
def test_a_wish_that_comes_after_the_sweep_has_looked_is_kept_too(sink, post, monkeypatch):
    monkeypatch.setattr(delivery, "_set_aside", lambda now: None)
    preferences.stop(AMINA, scope=HEARING, kind=Kind.REMINDER, now=NOON)
    post("reminder", kind=Kind.REMINDER, scope=HEARING)

    assert delivery.deliver(NOON) == 0
    assert states() == {"reminder": State.QUEUED}
