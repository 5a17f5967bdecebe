from datetime import timedelta

import pytest

from events import deadlines, following, mails, refusals, schedule
from events.models import Event, Follower, Wish
from notifications import outbox, preferences
from notifications.models import Kind, Letter

A_DAY = timedelta(days=1)
DANA = "dana@readers.example"


def follow(on, *, now, email=DANA, language="en", zone="Europe/Zurich") -> Follower:
    return following.follow(email, on=on, language=language, zone=zone, now=now)


def test_following_asks_the_address_and_tells_it_nothing_yet(hearing, now):
    follower = follow(hearing, now=now, language="ar")

    assert (follower.event, follower.process, follower.confirmed_at) == (hearing, None, None)
    assert (follower.language, follower.zone, follower.asked_at) == ("ar", "Europe/Zurich", now)
    letter = Letter.objects.get()
    assert (letter.to, letter.language, letter.kind) == (DANA, "ar", Kind.TRANSACTIONAL)
    assert following.token(follower) in letter.text
    assert list(Follower.objects.confirmed()) == []


def test_asking_again_writes_at_most_once_a_day(hearing, now):
    first = follow(hearing, now=now)
    again = follow(hearing, now=now + A_DAY - timedelta(seconds=1), email=DANA.upper())
    assert (again, Letter.objects.count()) == (first, 1)

    follow(hearing, now=now + A_DAY)

    assert (Follower.objects.count(), Letter.objects.count()) == (1, 2)


def test_an_address_with_letters_that_are_the_same_in_small_is_the_same_address(hearing, now):
    first = follow(hearing, now=now, email="kim@readers.example")

    assert follow(hearing, now=now, email="\N{KELVIN SIGN}im@readers.example") == first


def test_two_who_ask_at_once_get_one_letter(at_once, hearing, now):
    results = at_once(lambda: follow(hearing, now=now), lambda: follow(hearing, now=now))

    assert results[0] == results[1] == Follower.objects.get()
    assert Letter.objects.count() == 1


def test_confirming_counts_from_the_first_time(hearing, now):
    follower = follow(hearing, now=now)

    following.confirm(follower, now=now + A_DAY)
    following.confirm(follower, now=now + 2 * A_DAY)

    assert follower.confirmed_at == now + A_DAY
    assert list(Follower.objects.confirmed().of(hearing)) == [follower]


def test_a_follower_of_the_process_follows_its_events(hearing, process, now):
    follower = follow(process, now=now)
    following.confirm(follower, now=now)

    assert (follower.event, follower.process) == (None, process)
    assert list(Follower.objects.confirmed().of(hearing)) == [follower]


def test_following_again_brings_back_what_was_stopped(hearing, now):
    for kind in (Kind.REMINDER, Kind.ANNOUNCEMENT):
        preferences.stop(DANA, scope=hearing.id, kind=kind, now=now)

    following.confirm(follow(hearing, now=now), now=now)

    assert preferences.unwanted(hearing.id, Kind.REMINDER) == set()
    assert preferences.unwanted(hearing.id, Kind.ANNOUNCEMENT) == set()


def test_saying_yes_again_brings_back_what_was_stopped_meanwhile(hearing, now):
    follower = follow(hearing, now=now)
    following.confirm(follower, now=now)
    preferences.stop(DANA, scope=hearing.id, kind=Kind.REMINDER, now=now + A_DAY)
    assert not following.is_heard(follower)

    again = follow(hearing, now=now + 2 * A_DAY)
    following.confirm(again, now=now + 2 * A_DAY)

    assert preferences.unwanted(hearing.id, Kind.REMINDER) == set()
    assert following.is_heard(again)
    assert again.confirmed_at == now


def cancel(hearing, now):
    schedule.cancel(hearing, by=None, now=now, reason="No mandate")


def end(hearing, now):
    day = now.date() - 2 * A_DAY
    Event.objects.filter(pk=hearing.pk).update(starts_on=day, ends_on=day)


def hide(hearing, now):
    Event.objects.filter(pk=hearing.pk).update(state="draft")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (cancel, "is cancelled. There is nothing more to hear of."),
        (end, "is over. There is nothing more to hear of."),
        (hide, "is not published. It cannot be followed yet."),
    ],
)
def test_what_will_not_be_heard_of_is_not_followed(hearing, now, act, words):
    follower = follow(hearing, now=now)
    act(hearing, now)
    hearing.refresh_from_db()

    with pytest.raises(refusals.NotToFollow) as refused:
        follow(hearing, now=now, email="eva@readers.example")
    assert str(refused.value) == f"“{hearing}” {words}"

    with pytest.raises(refusals.NotToFollow):
        following.confirm(follower, now=now)
    assert not Follower.objects.confirmed().exists()


def test_a_postponed_event_can_be_followed(hearing, now):
    schedule.postpone(hearing, by=None, now=now, reason="The room")

    following.confirm(follow(hearing, now=now), now=now)

    assert Follower.objects.confirmed().exists()


def waiting(key, event, now, *, to=DANA, kind=Kind.REMINDER, audience="followers") -> None:
    outbox.post(
        headers={"List-Id": mails.list_id(event, audience)} if audience else {},
        key=key,
        to=to,
        language="en",
        subject=key,
        text=key,
        html="",
        kind=kind,
        now=now,
        scope=event.id,
    )


@pytest.fixture
def other(process, now) -> Event:
    event = Event.objects.create(
        process=process,
        slug="other",
        kind=Event.Kind.HEARING,
        name_en="Other hearing",
        starts_on=now.date() + 60 * A_DAY,
        ends_on=now.date() + 60 * A_DAY,
        zone="UTC",
    )
    deadlines.set_deadline(event, kind="registration", closes_at=now + 40 * A_DAY, by=None, now=now)
    schedule.publish(event, by=None, now=now)
    return event


def test_stopping_forgets_the_address_and_takes_back_what_waits(hearing, other, now):
    follower = follow(hearing, now=now)
    Letter.objects.all().delete()
    waiting("reminder", hearing, now, to=DANA.upper())
    waiting("news", hearing, now, kind=Kind.ANNOUNCEMENT)
    waiting("an answer", hearing, now, kind=Kind.TRANSACTIONAL, audience="")
    waiting("of a draft", hearing, now, audience="drafts")
    waiting("of an invitation", hearing, now, kind=Kind.ANNOUNCEMENT, audience="invited")
    waiting("of another event", other, now)
    waiting("to somebody else", hearing, now, to="eva@readers.example")
    token = following.token(follower)

    following.stop(follower, now=now)
    following.stop(follower, now=now)

    assert not Follower.objects.exists()
    assert following.read(token) is None
    assert dict(Letter.objects.values_list("key", "state")) == {
        "reminder": "cancelled",
        "news": "cancelled",
        "an answer": "queued",
        "of a draft": "queued",
        "of an invitation": "queued",
        "of another event": "queued",
        "to somebody else": "queued",
    }


def test_stopping_the_process_spares_an_event_that_is_followed_by_itself(
    hearing, other, process, now
):
    whole, one = follow(process, now=now), follow(other, now=now)
    following.confirm(whole, now=now)
    following.confirm(one, now=now)
    Letter.objects.all().delete()
    waiting("hearing", hearing, now)
    waiting("other", other, now)

    following.stop(whole, now=now)

    assert list(Follower.objects.all()) == [one]
    assert dict(Letter.objects.values_list("key", "state")) == {
        "hearing": "cancelled",
        "other": "queued",
    }


def test_a_link_names_its_follower_and_nothing_else_does(hearing, now):
    follower = follow(hearing, now=now)
    token = following.token(follower)

    assert following.read(token) == follower
    assert following.read(f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}") is None
    assert following.read(str(follower.id)) is None
    assert following.read("") is None


# Wishes


def wishes(follower: Follower) -> list[str]:
    return sorted(following.wishes(Follower.objects.get(pk=follower.pk)))


@pytest.fixture
def followed(hearing, now) -> Follower:
    follower = follow(hearing, now=now)
    following.confirm(follower, now=now)
    Letter.objects.all().delete()
    return follower


def test_whoever_says_yes_hears_of_everything(followed):
    assert wishes(followed) == ["changes", "news", "reminders"]


@pytest.mark.parametrize("chosen", [[], [Wish.NEWS], [Wish.CHANGES, Wish.REMINDERS]])
def test_one_chooses_what_to_hear(followed, now, chosen):
    following.choose(followed, chosen, now=now)

    assert wishes(followed) == sorted(chosen)
    assert [each for each in Wish if Follower.objects.wanting(each).exists()] == [
        each for each in Wish if each in chosen
    ]


@pytest.mark.parametrize(
    ("dropped", "cancelled"),
    [(Wish.REMINDERS, "reminder:1"), (Wish.NEWS, "opens:1"), (Wish.CHANGES, "changed:1")],
)
def test_what_waits_of_a_dropped_wish_is_taken_back(followed, hearing, now, dropped, cancelled):
    waiting("reminder:1", hearing, now)
    waiting("opens:1", hearing, now)
    waiting("changed:1", hearing, now, kind=Kind.ANNOUNCEMENT)
    waiting("reminder:of a draft", hearing, now, audience="drafts")

    following.choose(followed, set(Wish) - {dropped}, now=now)

    states = dict(Letter.objects.values_list("key", "state"))
    assert [key for key, state in states.items() if state == "cancelled"] == [cancelled]


def test_a_dropped_wish_spares_what_is_followed_by_another_way(followed, hearing, process, now):
    whole = follow(process, now=now)
    following.confirm(whole, now=now)
    following.choose(whole, [Wish.REMINDERS], now=now)
    Letter.objects.all().delete()
    waiting("reminder:1", hearing, now)
    waiting("opens:1", hearing, now)

    following.choose(followed, [], now=now)

    assert dict(Letter.objects.values_list("key", "state")) == {
        "reminder:1": "queued",
        "opens:1": "cancelled",
    }


def test_what_was_stopped_by_one_click_is_off_and_can_be_chosen_again(followed, hearing, now):
    preferences.stop(DANA, scope=hearing.id, kind=Kind.REMINDER, now=now)
    assert wishes(followed) == ["changes"]

    following.choose(followed, [Wish.CHANGES, Wish.NEWS], now=now)

    assert wishes(followed) == ["changes", "news"]
    assert preferences.unwanted(hearing.id, Kind.REMINDER) == set()


def test_what_stays_off_stays_stopped_by_one_click(followed, hearing, now):
    """A draft of their own would else bring reminders again."""
    preferences.stop(DANA, scope=hearing.id, kind=Kind.REMINDER, now=now)

    following.choose(followed, [Wish.CHANGES], now=now)

    assert preferences.unwanted(hearing.id, Kind.REMINDER) == {DANA}


def test_saying_yes_again_brings_everything_back(followed, now):
    following.choose(followed, [], now=now)

    following.confirm(followed, now=now)

    assert wishes(followed) == ["changes", "news", "reminders"]


def test_who_has_stopped_chooses_nothing(followed, now):
    following.stop(followed, now=now)

    with pytest.raises(refusals.FollowsNoMore, match="These letters were stopped meanwhile."):
        following.choose(followed, [Wish.NEWS], now=now)


def test_who_has_not_said_yes_chooses_nothing(hearing, now):
    with pytest.raises(refusals.FollowsNoMore):
        following.choose(follow(hearing, now=now), [Wish.NEWS], now=now)
