from datetime import UTC, datetime, timedelta

import pytest

from audit.models import Entry
from clock import shown
from events import refusals, schedule
from events.models import Event, EventChange
from notifications import outbox
from notifications.models import Kind, Letter

A_WEEK = timedelta(days=7)


@pytest.fixture
def plan(process) -> Event:
    """A hearing that is not shown yet."""
    return Event.objects.create(
        process=process,
        slug="plan",
        kind=Event.Kind.HEARING,
        name_en="Hearing to come",
        starts_on="2018-05-21",
        ends_on="2018-05-21",
        zone="America/New_York",
    )


def move(event, *, by, now, days=A_WEEK, reason="The room was taken"):
    schedule.move(
        event,
        starts_on=event.starts_on + days,
        ends_on=event.ends_on + days,
        starts_at=None,
        ends_at=None,
        by=by,
        now=now,
        reason=reason,
    )


def remembered(event) -> list[tuple]:
    return list(
        Entry.objects.about(event).order_by("id").values_list("verb", "before", "after", "reason")
    )


def test_publishing_shows_the_event_from_that_moment_on(plan, clara, client, now):
    assert client.get(plan.get_absolute_url()).status_code == 404

    schedule.publish(plan, by=clara, now=now)

    assert (plan.state, plan.published_at) == ("published", now)
    assert client.get(plan.get_absolute_url()).status_code == 200
    assert remembered(plan) == [("published", {"state": "draft"}, {"state": "published"}, "")]


def test_an_event_without_a_name_is_not_published(plan, clara, now):
    Event.objects.filter(pk=plan.pk).update(name_en="")

    with pytest.raises(refusals.NothingToShow) as refused:
        schedule.publish(plan, by=clara, now=now)

    assert str(refused.value) == "The event cannot be published yet: it has no name."
    plan.refresh_from_db()
    assert plan.state == "draft"


def test_what_is_published_is_not_published_again(hearing, clara, now):
    published_at = hearing.published_at

    with pytest.raises(refusals.NotPossibleNow) as refused:
        schedule.publish(hearing, by=clara, now=now)

    assert str(refused.value) == (
        "“Hearing on the Global Compact” is published. That cannot be done now."
    )
    hearing.refresh_from_db()
    assert hearing.published_at == published_at


def test_postponing_keeps_the_days_and_the_address(hearing, clara, client, now):
    address, starts_on = hearing.get_absolute_url(), hearing.starts_on

    schedule.postpone(hearing, by=clara, now=now, reason="The room was taken")

    assert (hearing.state, hearing.starts_on) == ("postponed", starts_on)
    assert hearing.get_absolute_url() == address
    page = client.get(address)
    assert page.status_code == 200
    assert "The new dates are not known yet." in page.content.decode()
    assert remembered(hearing)[-1] == (
        "postponed",
        {"state": "published"},
        {"state": "postponed"},
        "The room was taken",
    )


@pytest.mark.parametrize("is_postponed", [False, True])
def test_moving_keeps_the_old_days_to_be_struck_out(hearing, clara, client, now, is_postponed):
    address, first, last = hearing.get_absolute_url(), hearing.starts_on, hearing.ends_on
    if is_postponed:
        schedule.postpone(hearing, by=clara, now=now, reason="The room was taken")

    move(hearing, by=clara, now=now)

    assert hearing.state == "published"
    assert (hearing.previous_starts_on, hearing.previous_ends_on) == (first, last)
    assert (hearing.starts_on, hearing.ends_on) == (first + A_WEEK, last + A_WEEK)
    assert hearing.get_absolute_url() == address
    page = client.get(address)
    assert page.status_code == 200
    assert f'<s class="mute">{shown.days(first, last)}</s>' in page.content.decode()
    assert shown.day(first + A_WEEK, weekday=True) in page.content.decode()


def test_moving_takes_the_hours_that_come_with_it(hearing, clara, now):
    begins, ends = datetime(2018, 5, 21, 14, tzinfo=UTC), datetime(2018, 5, 21, 22, tzinfo=UTC)

    schedule.move(
        hearing,
        starts_on=begins.date(),
        ends_on=begins.date(),
        starts_at=begins,
        ends_at=ends,
        by=clara,
        now=now,
        reason="The room was taken",
    )

    assert (hearing.starts_at, hearing.ends_at) == (begins, ends)


def test_moving_is_remembered_with_both_dates(hearing, clara, now):
    first = hearing.starts_on

    move(hearing, by=clara, now=now)

    assert remembered(hearing)[-1] == (
        "moved",
        {
            "state": "published",
            "starts_on": first.isoformat(),
            "ends_on": first.isoformat(),
        },
        {
            "state": "published",
            "starts_on": (first + A_WEEK).isoformat(),
            "ends_on": (first + A_WEEK).isoformat(),
        },
        "The room was taken",
    )


@pytest.mark.parametrize("is_postponed", [False, True])
def test_cancelling_leaves_the_page_which_says_so(hearing, clara, client, now, is_postponed):
    if is_postponed:
        schedule.postpone(hearing, by=clara, now=now, reason="The room was taken")

    schedule.cancel(hearing, by=clara, now=now, reason="No mandate")

    assert hearing.state == "cancelled"
    page = client.get(hearing.get_absolute_url())
    assert page.status_code == 200
    assert "This event is cancelled" in page.content.decode()


def test_each_change_is_left_to_be_announced(hearing, clara, now):
    first = hearing.starts_on

    schedule.postpone(hearing, by=clara, now=now, reason="The room")
    move(hearing, by=clara, now=now + A_WEEK, reason="A room")
    schedule.cancel(hearing, by=clara, now=now + 2 * A_WEEK, reason="No mandate")

    facts = ("old_state", "new_state", "old_starts_on", "new_starts_on", "reason", "by", "at")
    moved = first + A_WEEK
    assert list(EventChange.objects.unannounced().order_by("at").values_list(*facts)) == [
        ("published", "postponed", first, first, "The room", clara.id, now),
        ("postponed", "published", first, moved, "A room", clara.id, now + A_WEEK),
        ("published", "cancelled", moved, moved, "No mandate", clara.id, now + 2 * A_WEEK),
    ]
    assert EventChange.objects.filter(event=hearing).count() == 3


def test_publishing_is_no_change_to_anybody(plan, clara, now):
    schedule.publish(plan, by=clara, now=now)

    assert not EventChange.objects.exists()


@pytest.mark.parametrize("act", [schedule.postpone, schedule.cancel, move])
def test_a_change_takes_back_what_was_said_of_an_earlier_one(hearing, clara, now, act):
    for key in (f"changed:{hearing.id}:one", "changed:another event", "approved:one"):
        outbox.post(
            key=key,
            to="amina@diaspora.example",
            language="en",
            subject=key,
            text=key,
            html="",
            kind=Kind.TRANSACTIONAL,
            now=now,
            scope=hearing.id,
        )

    act(hearing, by=clara, now=now, reason="No mandate")

    assert dict(Letter.objects.values_list("key", "state")) == {
        f"changed:{hearing.id}:one": "cancelled",
        "changed:another event": "queued",
        "approved:one": "queued",
    }


@pytest.mark.parametrize("act", [schedule.postpone, schedule.cancel])
def test_what_will_not_take_place_reminds_nobody(hearing, deadline, clara, now, act):
    for key, kind, about in (
        ("about the deadline", Kind.REMINDER, deadline.id),
        ("about something else", Kind.REMINDER, hearing.id),
        ("an answer", Kind.TRANSACTIONAL, deadline.id),
    ):
        outbox.post(
            key=key,
            to="amina@diaspora.example",
            language="en",
            subject=key,
            text=key,
            html="",
            kind=kind,
            now=now,
            about=about,
        )

    act(hearing, by=clara, now=now, reason="No mandate")

    assert dict(Letter.objects.values_list("subject", "state")) == {
        "about the deadline": "cancelled",
        "about something else": "queued",
        "an answer": "queued",
    }


@pytest.mark.parametrize(
    ("act", "state"),
    [
        ("postpone", "draft"),
        ("postpone", "postponed"),
        ("postpone", "cancelled"),
        ("move", "draft"),
        ("move", "cancelled"),
        ("cancel", "draft"),
        ("cancel", "cancelled"),
        ("publish", "postponed"),
        ("publish", "cancelled"),
    ],
)
def test_what_a_state_does_not_allow_is_refused_and_changes_nothing(
    hearing, clara, now, act, state
):
    Event.objects.filter(pk=hearing.pk).update(state=state)
    before = Event.objects.filter(pk=hearing.pk).values().get()
    entries = Entry.objects.count()
    verbs = {
        "publish": lambda: schedule.publish(hearing, by=clara, now=now),
        "postpone": lambda: schedule.postpone(hearing, by=clara, now=now, reason="No"),
        "cancel": lambda: schedule.cancel(hearing, by=clara, now=now, reason="No"),
        "move": lambda: move(hearing, by=clara, now=now),
    }

    with pytest.raises(refusals.NotPossibleNow):
        verbs[act]()

    assert Event.objects.filter(pk=hearing.pk).values().get() == before
    assert Entry.objects.count() == entries
