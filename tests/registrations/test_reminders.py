"""A hearing in New York, day by day: the sweep comes four times a day and is told the time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test.signals import template_rendered

from accounts.models import User
from audit.models import Entry
from clock import walls
from events import deadlines, following, roles, schedule, steps
from events.models import Deadline, Event, Follower, Process, ReminderStep, Role, Wish
from notifications.models import Kind, Letter
from notifications.writing import Reader
from registrations import (
    announcements,
    audiences,
    confirmations,
    intake,
    invitations,
    mails,
    refusals,
    reminders,
)
from registrations.models import Delegate, Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation, Representative

NEW_YORK = "America/New_York"
CLOSES_AT = datetime(2018, 2, 8, 5, tzinfo=UTC)  # through 7 February, New York
PUBLISHED_AT = datetime(2018, 1, 2, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def published(slug: str, *, starts_on: str, closes_at: datetime, at: datetime) -> Deadline:
    process, _is_new = Process.objects.get_or_create(slug="gcm", defaults={"name_en": "GCM"})
    event = Event.objects.create(
        process=process,
        slug=slug,
        kind=Event.Kind.HEARING,
        name_en=f"The {slug} hearing",
        starts_on=starts_on,
        ends_on=starts_on,
        zone=NEW_YORK,
    )
    deadline = deadlines.set_deadline(
        event, kind=Deadline.Kind.REGISTRATION, closes_at=closes_at, by=None, now=at
    )
    schedule.publish(event, by=None, now=at)
    return Deadline.objects.get(pk=deadline.pk)


@pytest.fixture
def february(db) -> Deadline:
    """Registration for the hearing of 21 February 2018."""
    return published("february", starts_on="2018-02-21", closes_at=CLOSES_AT, at=PUBLISHED_AT)


def focal_point(name: str, **fields: str) -> User:
    return User.objects.create_user(f"{name}@groups.example", **fields)


def group(name: str, user: User | None = None) -> tuple[User, Organisation]:
    user = user or focal_point(name)
    organisation = Organisation(name=name, country="ML", category="diaspora")
    return user, membership.found(organisation, by=user, now=PUBLISHED_AT)


def begin(deadline: Deadline, name: str, *, at: datetime, user: User | None = None) -> Registration:
    user, organisation = group(name, user)
    return intake.begin(deadline.event, organisation, by=user, now=at)


def sweep(first: datetime, last: datetime) -> None:
    while first <= last:
        announcements.tell_changes(now=first)
        reminders.send_due(now=first)
        first += 6 * HOUR


def reminded() -> list[tuple[str, str, str]]:
    """Step, reader, moment (UTC)."""
    letters = Letter.objects.filter(kind=Kind.REMINDER).order_by("posted_at", "to")
    return [
        (letter.key.split(":")[3], letter.to.split("@")[0], f"{letter.posted_at:%d %b %H:%M}")
        for letter in letters
    ]


def test_each_group_gets_the_steps_that_lie_after_it_began(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    begin(february, "tenth", at=CLOSES_AT - 10 * DAY)
    begin(february, "fourth", at=CLOSES_AT - 4 * DAY)
    begin(february, "late", at=CLOSES_AT - 30 * HOUR)
    begin(february, "last", at=CLOSES_AT - 23 * HOUR)

    sweep(CLOSES_AT - 21 * DAY, CLOSES_AT + 2 * DAY)

    assert reminded() == [
        ("14d", "early", "25 Jan 05:00"),
        ("7d", "early", "01 Feb 05:00"),
        ("7d", "tenth", "01 Feb 05:00"),
        ("48h", "early", "06 Feb 05:00"),
        ("48h", "fourth", "06 Feb 05:00"),
        ("48h", "tenth", "06 Feb 05:00"),
        ("24h", "early", "07 Feb 05:00"),
        ("24h", "fourth", "07 Feb 05:00"),
        ("24h", "late", "07 Feb 05:00"),
        ("24h", "tenth", "07 Feb 05:00"),
    ]


def test_a_draft_begun_at_the_very_moment_of_a_step_is_reminded(february):
    begin(february, "just", at=CLOSES_AT - 7 * DAY)

    reminders.send_due(now=CLOSES_AT - 7 * DAY)

    assert reminded() == [("7d", "just", "01 Feb 05:00")]


def test_a_reminder_says_what_it_is_about_and_until_when_it_is_true(february):
    draft = begin(february, "early", at=CLOSES_AT - 20 * DAY)

    reminders.send_due(now=CLOSES_AT - 7 * DAY)

    letter = Letter.objects.get()
    assert letter.key == (
        f"reminder:{february.id}:20180208T050000Z:7d:{Reader('Early@groups.example', 'en').id}"
    )
    assert (letter.about, letter.scope) == (february.id, february.event_id)
    assert letter.expires_at == CLOSES_AT
    assert "Wednesday 7 February 2018, 23:59" in letter.text
    assert "New York time (UTC−5)" in letter.text
    assert draft.reference in letter.text
    assert draft.get_absolute_url() in letter.text


def test_nobody_is_reminded_at_the_closing_moment(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)

    assert reminders.send_due(now=CLOSES_AT) == 0
    assert reminders.send_due(now=CLOSES_AT - timedelta(microseconds=1)) == 1


def test_a_sweep_that_was_down_sends_only_the_latest_step_late_and_once(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    sweep(CLOSES_AT - 21 * DAY, CLOSES_AT - 13 * DAY)

    sweep(CLOSES_AT - 36 * HOUR, CLOSES_AT - 33 * HOUR)

    assert reminded() == [("14d", "early", "25 Jan 05:00"), ("48h", "early", "06 Feb 17:00")]


def test_running_twice_sends_nothing_twice(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 7 * DAY

    assert [reminders.send_due(now=now) for _time in range(3)] == [1, 0, 0]
    assert reminded() == [("7d", "early", "01 Feb 05:00")]


def test_running_again_writes_no_letter_anew(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    reminders.send_due(now=CLOSES_AT - 7 * DAY)
    rendered = []

    def note(template, **_more):
        rendered.append(template.name)

    template_rendered.connect(note)
    try:
        reminders.send_due(now=CLOSES_AT - 6 * DAY)
    finally:
        template_rendered.disconnect(note)

    assert rendered == []


def test_two_sweeps_at_once_send_nothing_twice(at_once, february):
    for name in ("one", "two", "three"):
        begin(february, name, at=CLOSES_AT - 20 * DAY)

    def run():
        return reminders.send_due(now=CLOSES_AT - 7 * DAY)

    results = at_once(run, run)

    assert sum(results) == 3
    assert [name for _step, name, _at in reminded()] == ["one", "three", "two"]


def test_after_a_move_nobody_hears_of_a_moment_that_is_past(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    sweep(CLOSES_AT - 21 * DAY, CLOSES_AT - 3 * DAY)

    moved_at = CLOSES_AT - 3 * DAY
    deadlines.move(february, closes_at=CLOSES_AT + 5 * DAY, by=None, now=moved_at, reason="Visas")
    sweep(moved_at, CLOSES_AT + 6 * DAY)

    assert reminded() == [
        ("14d", "early", "25 Jan 05:00"),
        ("7d", "early", "01 Feb 05:00"),
        ("7d", "early", "06 Feb 05:00"),
        ("48h", "early", "11 Feb 05:00"),
        ("24h", "early", "12 Feb 05:00"),
    ]


def test_after_a_move_to_sooner_the_steps_that_were_jumped_over_are_not_owed(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    moved_at = CLOSES_AT - 16 * DAY
    deadlines.move(
        february, closes_at=CLOSES_AT - 12 * DAY, by=None, now=moved_at, reason="The room"
    )

    sweep(CLOSES_AT - 16 * DAY, CLOSES_AT)

    assert reminded() == [("48h", "early", "25 Jan 05:00"), ("24h", "early", "26 Jan 05:00")]


def test_a_move_cancels_what_waits_with_the_old_date_and_the_next_follows_the_new_one(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    reminders.send_due(now=CLOSES_AT - 2 * DAY)
    now = CLOSES_AT - 47 * HOUR

    new = walls.closing(datetime(2018, 2, 9).date(), None, NEW_YORK)
    deadlines.move(february, closes_at=new, by=None, now=now, reason="Visas")
    sweep(now, new)

    letters = Letter.objects.filter(kind=Kind.REMINDER).order_by("posted_at")
    assert [(letter.key.split(":")[3], letter.state) for letter in letters] == [
        ("48h", "cancelled"),
        ("48h", "queued"),
        ("24h", "queued"),
    ]
    assert "Friday 9 February 2018, 23:59" in letters.last().text
    assert "7 February" not in letters.last().text


def a_move_during_a_sweep(at_once, meeting, monkeypatch, deadline) -> str:
    """What becomes of the reminder with the old date."""
    begin(deadline, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 7 * DAY
    write = mails.reminder

    def slowly(*arguments, **more):
        meeting()
        meeting()
        return write(*arguments, **more)

    monkeypatch.setattr(mails, "reminder", slowly)

    def move():
        meeting()
        deadlines.move(
            Deadline.objects.get(pk=deadline.pk),
            closes_at=CLOSES_AT + DAY,
            by=None,
            now=now,
            reason="Visas",
        )
        meeting()

    results = at_once(lambda: reminders.send_due(now=now), move)

    assert results == [1, None]
    return Letter.objects.get().state


def test_a_move_during_a_sweep_leaves_no_letter_with_the_old_date(
    at_once, meeting, monkeypatch, february
):
    assert a_move_during_a_sweep(at_once, meeting, monkeypatch, february) == "cancelled"


def test_without_the_locks_a_letter_with_the_old_date_would_leave(
    at_once, meeting, monkeypatch, february
):
    for noun in (Event, Deadline):
        monkeypatch.setattr(
            type(noun.objects.all()), "select_for_update", lambda rows, **_how: rows.all()
        )

    assert a_move_during_a_sweep(at_once, meeting, monkeypatch, february) == "queued"


def test_a_delegation_that_is_sent_during_a_sweep_is_not_reminded_afterwards(
    at_once, meeting, monkeypatch, february
):
    draft = begin(february, "early", at=CLOSES_AT - 20 * DAY)
    user = User.objects.get(email="early@groups.example")
    now = CLOSES_AT - 7 * DAY
    intake.add_person(draft, intake.Person("Awa"), by=user, now=now)
    hold = audiences.hold

    def held_for_a_while(*arguments):
        is_held = hold(*arguments)
        meeting()
        meeting()
        return is_held

    monkeypatch.setattr(audiences, "hold", held_for_a_while)

    def submit():
        meeting()
        intake.submit(draft, by=user, now=now)
        meeting()

    results = at_once(lambda: reminders.send_due(now=now), submit)

    assert results == [1, None]
    assert dict(Letter.objects.values_list("kind", "state")) == {
        Kind.REMINDER: "cancelled",
        Kind.TRANSACTIONAL: "queued",
    }


def a_delegation_sent_during_a_sweep(at_once, meeting, monkeypatch, deadline) -> list[str]:
    """What becomes of the reminder."""
    draft = begin(deadline, "early", at=CLOSES_AT - 20 * DAY)
    user = User.objects.get(email="early@groups.example")
    now = CLOSES_AT - 7 * DAY
    intake.add_person(draft, intake.Person("Awa"), by=user, now=now)
    hold = audiences.hold

    def held_after_a_while(*arguments):
        meeting()
        meeting()
        return hold(*arguments)

    monkeypatch.setattr(audiences, "hold", held_after_a_while)

    def submit():
        meeting()
        intake.submit(draft, by=user, now=now)
        meeting()

    at_once(lambda: reminders.send_due(now=now), submit)
    return list(Letter.objects.filter(kind=Kind.REMINDER).values_list("state", flat=True))


def test_a_delegation_that_is_sent_before_the_sweep_holds_it_is_not_reminded(
    at_once, meeting, monkeypatch, february
):
    reminded = a_delegation_sent_during_a_sweep(at_once, meeting, monkeypatch, february)

    assert reminded == []


def test_without_holding_it_a_sent_delegation_would_be_reminded(
    at_once, meeting, monkeypatch, february
):
    monkeypatch.setattr(audiences, "hold", lambda _deadline: lambda _concerned: True)

    reminded = a_delegation_sent_during_a_sweep(at_once, meeting, monkeypatch, february)

    assert reminded == ["queued"]


def test_no_group_waits_while_words_are_written(monkeypatch, february):
    for name in ("one", "two"):
        begin(february, name, at=CLOSES_AT - 20 * DAY)
    done, hold, letter = [], audiences.hold, mails.events_mails.letter
    monkeypatch.setattr(audiences, "hold", lambda deadline: done.append("held") or hold(deadline))
    monkeypatch.setattr(
        mails.events_mails,
        "letter",
        lambda *facts, **more: done.append("written") or letter(*facts, **more),
    )

    assert reminders.send_due(now=CLOSES_AT - 7 * DAY) == 2
    assert done == ["written", "written", "held"]


@pytest.mark.parametrize("act", [schedule.postpone, schedule.cancel])
def test_what_will_not_take_place_reminds_nobody(february, act):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    act(february.event, by=None, now=CLOSES_AT - 19 * DAY, reason="The room")

    sweep(CLOSES_AT - 15 * DAY, CLOSES_AT)

    assert reminded() == []


def test_before_the_window_opens_nothing_is_due(february):
    opens_at = CLOSES_AT - 5 * DAY
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    Deadline.objects.filter(pk=february.pk).update(opens_at=opens_at)

    sweep(CLOSES_AT - 15 * DAY, CLOSES_AT)

    assert reminded() == [("48h", "early", "06 Feb 05:00"), ("24h", "early", "07 Feb 05:00")]


def test_steps_before_the_event_was_published_are_not_owed(db):
    march = published(
        "march",
        starts_on="2018-03-21",
        closes_at=CLOSES_AT,
        at=CLOSES_AT - 3 * DAY,
    )
    begin(march, "early", at=CLOSES_AT - 3 * DAY)

    sweep(CLOSES_AT - 3 * DAY, CLOSES_AT)

    assert [step for step, _name, _at in reminded()] == ["48h", "24h"]


def test_a_step_that_is_added_after_its_moment_is_not_sent(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 4 * DAY
    sweep(CLOSES_AT - 21 * DAY, now)
    for amount in (5, 3):
        ReminderStep.objects.create(deadline=february, amount=amount, unit="d", added_at=now)

    sweep(now, CLOSES_AT - 49 * HOUR)

    assert reminded() == [
        ("14d", "early", "25 Jan 05:00"),
        ("7d", "early", "01 Feb 05:00"),
        ("3d", "early", "05 Feb 05:00"),
    ]


def test_a_person_with_two_organisations_gets_one_letter_that_names_both(february):
    user = focal_point("both")
    one = begin(february, "One", at=CLOSES_AT - 20 * DAY, user=user)
    other = begin(february, "Other", at=CLOSES_AT - 8 * HOUR - 7 * DAY, user=user)

    reminders.send_due(now=CLOSES_AT - 7 * DAY)

    letter = Letter.objects.get()
    assert letter.to == "both@groups.example"
    for draft in (one, other):
        assert draft.reference in letter.text
        assert draft.reference in letter.html


def test_two_focal_points_of_one_organisation_get_a_letter_each_in_their_language(february):
    draft = begin(february, "early", at=CLOSES_AT - 20 * DAY)
    layla = focal_point("layla", language="ar")
    Membership.objects.create(user=layla, organisation=draft.organisation)
    gone = focal_point("gone")
    Membership.objects.create(user=gone, organisation=draft.organisation, state="left")

    reminders.send_due(now=CLOSES_AT - 7 * DAY)

    letters = Letter.objects.order_by("to")
    assert list(letters.values_list("to", "language")) == [
        ("early@groups.example", "en"),
        ("layla@groups.example", "ar"),
    ]
    assert "7 شباط/فبراير 2018" in letters.last().text


def test_what_was_sent_or_given_up_is_not_reminded_of(february):
    at = CLOSES_AT - 20 * DAY
    sent, given_up = begin(february, "sent", at=at), begin(february, "given-up", at=at)
    sender = User.objects.get(email="sent@groups.example")
    intake.add_person(sent, intake.Person("Awa"), by=sender, now=at)
    intake.submit(sent, by=sender, now=at)
    intake.withdraw(given_up, by=User.objects.get(email="given-up@groups.example"), now=at)

    sweep(CLOSES_AT - 15 * DAY, CLOSES_AT)

    assert reminded() == []


def test_sending_cancels_the_reminder_that_waits(february):
    draft = begin(february, "early", at=CLOSES_AT - 20 * DAY)
    user = User.objects.get(email="early@groups.example")
    now = CLOSES_AT - 7 * DAY
    intake.add_person(draft, intake.Person("Awa"), by=user, now=now)
    reminders.send_due(now=now)

    intake.submit(draft, by=user, now=now + HOUR)

    assert Letter.objects.get(kind=Kind.REMINDER).state == "cancelled"


def test_a_draft_that_was_opened_again_counts_from_then_on(february):
    draft = begin(february, "early", at=CLOSES_AT - 20 * DAY)
    user = User.objects.get(email="early@groups.example")
    intake.withdraw(draft, by=user, now=CLOSES_AT - 10 * DAY)
    intake.begin(february.event, draft.organisation, by=user, now=CLOSES_AT - 5 * DAY)

    sweep(CLOSES_AT - 5 * DAY, CLOSES_AT - 25 * HOUR)

    assert reminded() == [("48h", "early", "06 Feb 05:00")]


def test_each_hearing_reminds_its_own_groups(february):
    march = published(
        "march", starts_on="2018-03-21", closes_at=CLOSES_AT + 7 * DAY, at=PUBLISHED_AT
    )
    begin(february, "feb", at=CLOSES_AT - 20 * DAY)
    begin(march, "mar", at=CLOSES_AT - 20 * DAY)

    reminders.send_due(now=CLOSES_AT - 7 * DAY)

    assert reminded() == [("7d", "feb", "01 Feb 05:00"), ("14d", "mar", "01 Feb 05:00")]


def test_a_letter_states_the_close_on_the_readers_clocks_too(db):
    """In the weeks when only New York has changed, the clocks are five hours apart."""
    closes_at = datetime(2018, 3, 21, 4, tzinfo=UTC)
    march = published("march", starts_on="2018-04-04", closes_at=closes_at, at=PUBLISHED_AT)
    begin(march, "geneva", at=PUBLISHED_AT, user=focal_point("geneva", zone="Europe/Zurich"))

    reminders.send_due(now=closes_at - DAY)

    text = Letter.objects.get().text
    assert "Tuesday 20 March 2018, 23:59, New York time (UTC−4)" in text
    assert "Wednesday 21 March 2018, 04:59, Zurich time (UTC+1)" in text


# What followers wish


def wish(name: str, *wishes: Wish, at: datetime) -> None:
    following.choose(Follower.objects.get(email=f"{name}@groups.example"), wishes, now=at)


def test_followers_are_reminded_of_what_they_want_to_hear(february):
    opens_at = CLOSES_AT - 10 * DAY
    Deadline.objects.filter(pk=february.pk).update(opens_at=opens_at)
    for name in ("all", "news", "reminders", "changes"):
        follow(february.event, name, at=PUBLISHED_AT)
    wish("news", Wish.NEWS, at=PUBLISHED_AT)
    wish("reminders", Wish.REMINDERS, at=PUBLISHED_AT)
    wish("changes", Wish.CHANGES, at=PUBLISHED_AT)
    Letter.objects.all().delete()

    def sent(now: datetime) -> list[tuple[str, str]]:
        reminders.send_due(now=now)
        found = Letter.objects.filter(posted_at=now).order_by("to").values_list("key", "to")
        return [(key.split(":")[0], to.split("@")[0]) for key, to in found]

    assert sent(opens_at) == [("opens", "all"), ("opens", "news")]
    assert sent(CLOSES_AT - 7 * DAY) == [("reminder", "all"), ("reminder", "reminders")]


def test_nobody_is_awaited_who_wants_no_news(february, django_assert_num_queries):
    follow(february.event, "changes", at=PUBLISHED_AT - HOUR)
    wish("changes", Wish.CHANGES, at=PUBLISHED_AT)
    Letter.objects.all().delete()

    reminders.send_due(now=PUBLISHED_AT + HOUR)

    assert not Letter.objects.exists()


# Foretelling


def follow(event, name: str, *, at: datetime) -> None:
    follower = following.follow(
        f"{name}@groups.example", on=event, language="en", zone="UTC", now=at
    )
    following.confirm(follower, now=at)


def test_foretelling_says_what_each_step_would_send(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    both = begin(february, "both", at=CLOSES_AT - 20 * DAY)
    follow(february.event, "both", at=CLOSES_AT - 20 * DAY)
    follow(february.event, "dana", at=CLOSES_AT - 20 * DAY)
    invitations.invite(
        february.event,
        addresses=[("eva@groups.example", "Eva's")],
        language="en",
        by=None,
        now=CLOSES_AT - 20 * DAY,
    )
    steps.add(february, amount=3, unit="d", audience="followers", by=None, now=CLOSES_AT - 20 * DAY)
    everybody = {"drafts": 2, "invited": 1, "followers": 1}

    told = reminders.foretell(february, now=CLOSES_AT - 14 * DAY)

    assert both.is_draft
    assert [(each.step.code, each.moment, each.is_past, each.readers) for each in told] == [
        ("14d", CLOSES_AT - 14 * DAY, True, {}),
        ("7d", CLOSES_AT - 7 * DAY, False, everybody),
        ("3d", CLOSES_AT - 3 * DAY, False, {"drafts": 1, "followers": 1}),
        ("48h", CLOSES_AT - 2 * DAY, False, everybody),
        ("24h", CLOSES_AT - DAY, False, everybody),
    ]
    assert not Letter.objects.filter(kind=Kind.REMINDER).exists()


def test_foretelling_counts_nobody_before_the_window_opens(february):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    Deadline.objects.filter(pk=february.pk).update(opens_at=CLOSES_AT - 5 * DAY)
    february.refresh_from_db()

    told = reminders.foretell(february, now=CLOSES_AT - 19 * DAY)

    assert [(each.step.code, each.readers) for each in told] == [
        ("14d", {}),
        ("7d", {}),
        ("48h", {"drafts": 1}),
        ("24h", {"drafts": 1}),
    ]


def test_what_was_foretold_is_what_is_sent(february):
    for name in ("one", "two", "three"):
        begin(february, name, at=CLOSES_AT - 20 * DAY)
    foretold = {
        each.step.code: each.readers["drafts"]
        for each in reminders.foretell(february, now=CLOSES_AT - 15 * DAY)
    }

    sweep(CLOSES_AT - 15 * DAY, CLOSES_AT)

    sent = [step for step, _name, _at in reminded()]
    assert {step: sent.count(step) for step in sent} == foretold


@pytest.mark.parametrize("size", [1, 9])
def test_a_sweep_asks_the_same_questions_for_one_and_for_nine(
    february, size, django_assert_num_queries
):
    """Also the questions of the next minute, which sends nothing."""
    for number in range(size):
        begin(february, f"group{number}", at=CLOSES_AT - 20 * DAY)
        follow(february.event, f"reader{number}", at=CLOSES_AT - 20 * DAY)

    with django_assert_num_queries(20):
        assert reminders.send_due(now=CLOSES_AT - 7 * DAY) == 2 * size
    with django_assert_num_queries(16):
        assert reminders.send_due(now=CLOSES_AT - 7 * DAY + HOUR) == 0


# Reviewers

MORNING = datetime(2018, 2, 1, 13, tzinfo=UTC)  # eight in New York


def organiser(name: str, *, on, zone: str = NEW_YORK) -> User:
    user = User.objects.create_user(f"{name}@secretariat.example", zone=zone)
    roles.grant(user, on=on, by=None, now=PUBLISHED_AT)
    return user


def send(deadline: Deadline, name: str, *people: str, at: datetime) -> Registration:
    draft = begin(deadline, name, at=at)
    user = User.objects.get(email=f"{name}@groups.example")
    for person in people:
        intake.add_person(draft, intake.Person(person), by=user, now=at)
    intake.submit(draft, by=user, now=at)
    return draft


def queued() -> list[tuple[str, str]]:
    letters = Letter.objects.filter(key__startswith="queue:").order_by("posted_at", "to")
    return [(f"{letter.posted_at:%d %b %H:%M}", letter.to.split("@")[0]) for letter in letters]


def test_organisers_hear_of_their_queues_at_eight_on_their_clocks_once_a_day(february):
    organiser("clara", on=february.event.process)
    organiser("geneva", on=february.event, zone="Europe/Zurich")
    send(february, "early", "Awa", "Ben", at=MORNING - 2 * DAY)

    for hours in range(-7, 24 + 12):
        reminders.tell_reviewers(now=MORNING + hours * HOUR)

    assert queued() == [
        ("01 Feb 07:00", "geneva"),
        ("01 Feb 13:00", "clara"),
        ("02 Feb 07:00", "geneva"),
        ("02 Feb 13:00", "clara"),
    ]


def test_the_letter_names_each_event_with_its_numbers(february, monkeypatch):
    clara = organiser("clara", on=february.event.process)
    march = published("march", starts_on="2018-03-21", closes_at=CLOSES_AT, at=PUBLISHED_AT)
    first = send(february, "early", "Awa", "Ben", at=MORNING - 2 * DAY)
    send(february, "later", "Cai", at=MORNING - DAY)
    other = send(march, "other", "Dia", at=MORNING)
    send(march, "too-late", "Eli", at=MORNING + timedelta(minutes=1))
    told = []
    monkeypatch.setattr(mails, "queue", lambda *given, now: told.append(given))

    reminders.tell_reviewers(now=MORNING + 5 * HOUR)

    assert told == [
        (
            clara,
            [(february.event, 3, first.sent_at), (march.event, 1, other.sent_at)],
            MORNING.date(),
        )
    ]


def test_only_those_who_decide_hear_of_queues(february):
    for kind in Role.Kind.values:
        user = User.objects.create_user(f"{kind}@secretariat.example")
        roles.grant(user, on=february.event, kind=kind, by=None, now=PUBLISHED_AT)
    send(february, "early", "Awa", at=MORNING - 2 * DAY)

    reminders.tell_reviewers(now=MORNING)

    assert sorted(who for _at, who in queued()) == ["manager", "reviewer"]


def test_queues_are_told_after_the_close_too(february):
    organiser("clara", on=february.event)
    send(february, "early", "Awa", at=MORNING - 2 * DAY)

    reminders.tell_reviewers(now=CLOSES_AT + 12 * HOUR)

    assert queued() == [("08 Feb 17:00", "clara")]


@pytest.mark.parametrize("why", ["decided", "cancelled", "over", "nobody's", "left"])
def test_where_nothing_waits_for_them_organisers_hear_nothing(february, why):
    clara = organiser("clara", on=february.event)
    send(february, "early", "Awa", at=MORNING - 2 * DAY)
    if why == "decided":
        Delegate.objects.update(state="approved")
    if why == "cancelled":
        schedule.cancel(february.event, by=None, now=MORNING - DAY, reason="No mandate")
    if why == "over":
        Event.objects.update(starts_on="2018-01-30", ends_on="2018-01-30")
    if why == "nobody's":
        roles.revoke(clara.roles.get(), by=None, now=MORNING - DAY)
    if why == "left":
        User.objects.filter(pk=clara.pk).update(is_active=False)

    reminders.tell_reviewers(now=MORNING)

    assert queued() == []


# Delegates who must confirm


def a_confirmation_during_a_sweep(at_once, meeting, monkeypatch, deadline) -> list[str]:
    """What becomes of the reminder to confirm."""
    now = CLOSES_AT + 5 * DAY
    registration = send(deadline, "early", "Awa", at=CLOSES_AT - DAY)
    confirmation = deadlines.set_deadline(
        deadline.event,
        kind="confirmation",
        closes_at=now + DAY,
        by=None,
        now=CLOSES_AT,
    )
    Representative.objects.update(email="awa@people.example")
    registration.delegates.update(state="approved", asked_at=CLOSES_AT)
    delegate, hold = registration.delegates.get(), audiences.hold

    def held_for_a_while(*arguments):
        is_held = hold(*arguments)
        meeting()
        meeting()
        return is_held

    monkeypatch.setattr(audiences, "hold", held_for_a_while)

    def confirm():
        meeting()
        confirmations.confirm(delegate, now=now)
        meeting()

    at_once(lambda: reminders.send_due(now=now), confirm)
    reminded = Letter.objects.filter(key__startswith="reminder:").about(confirmation.id)
    return list(reminded.values_list("state", flat=True))


def test_who_confirms_during_a_sweep_is_not_reminded_afterwards(
    at_once, meeting, monkeypatch, february
):
    states = a_confirmation_during_a_sweep(at_once, meeting, monkeypatch, february)

    assert states == ["cancelled"]


def test_without_holding_them_who_has_confirmed_would_be_reminded(
    at_once, meeting, monkeypatch, february
):
    monkeypatch.setattr(audiences, "hold", lambda _deadline: lambda _concerned: True)

    states = a_confirmation_during_a_sweep(at_once, meeting, monkeypatch, february)

    assert states == ["queued"]


# What organisers skip, and send before its moment


@pytest.fixture
def clara(db) -> User:
    return User.objects.create_user("clara@secretariat.example", name="Clara")


def step_of(deadline: Deadline, code: str) -> ReminderStep:
    return next(step for step in deadline.steps.all() if step.code == code)


def verbs(deadline: Deadline) -> list[str]:
    return list(Entry.objects.about(deadline).order_by("id").values_list("verb", flat=True))[1:]


def test_what_is_skipped_is_sent_to_nobody_and_the_rest_is(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    before = CLOSES_AT - 8 * DAY
    sweep(CLOSES_AT - 15 * DAY, before)

    reminders.skip(step_of(february, "7d"), by=clara, now=before)
    sweep(before, CLOSES_AT)

    assert [code for code, _who, _when in reminded()] == ["14d", "48h", "24h"]
    assert verbs(february) == ["reminder skipped"]


def test_what_is_skipped_does_not_make_the_one_before_it_due(february, clara):
    """A sweep that was down in between sends nothing late."""
    begin(february, "early", at=CLOSES_AT - 20 * DAY)

    reminders.skip(step_of(february, "7d"), by=clara, now=CLOSES_AT - 15 * DAY)
    sweep(CLOSES_AT - 6 * DAY, CLOSES_AT - 3 * DAY)

    assert reminded() == []


def test_a_skip_is_taken_back_until_its_moment(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    step = step_of(february, "7d")
    moment = CLOSES_AT - 7 * DAY
    reminders.skip(step, by=clara, now=moment - 2 * HOUR)
    with pytest.raises(refusals.ReminderSkipped, match="7 days before is skipped"):
        reminders.skip(step, by=clara, now=moment - 2 * HOUR)

    reminders.resume(step, by=clara, now=moment - HOUR)
    with pytest.raises(refusals.ReminderNotSkipped, match="is not skipped"):
        reminders.resume(step, by=clara, now=moment - HOUR)
    reminders.skip(step, by=clara, now=moment - HOUR)
    with pytest.raises(refusals.ReminderPast, match="7 days before. is past"):
        reminders.resume(step, by=clara, now=moment)

    assert verbs(february) == ["reminder skipped", "reminder no longer skipped", "reminder skipped"]


def test_a_move_of_the_deadline_forgets_a_skip(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 10 * DAY
    reminders.skip(step_of(february, "7d"), by=clara, now=now)

    later = CLOSES_AT + 2 * DAY
    deadlines.move(february, closes_at=later, by=clara, now=now, reason="Late papers.")
    sweep(now, later - 6 * DAY)

    assert "7d" in [code for code, _who, _when in reminded()]


def test_a_deadline_that_is_moved_back_does_not_bring_a_skip_back(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 10 * DAY
    reminders.skip(step_of(february, "7d"), by=clara, now=now)

    for closes_at in (CLOSES_AT + 2 * DAY, CLOSES_AT):
        deadlines.move(february, closes_at=closes_at, by=clara, now=now, reason="Late papers.")
    sweep(now, CLOSES_AT - 6 * DAY)

    assert [code for code, _who, _when in reminded()] == ["7d"]


def test_of_two_at_one_moment_only_the_skipped_one_is_silent(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    added_at = PUBLISHED_AT + HOUR
    own = steps.add(february, amount=7, unit="d", audience="drafts", by=None, now=added_at)

    reminders.skip(own, by=clara, now=CLOSES_AT - 8 * DAY)
    sweep(CLOSES_AT - 7 * DAY, CLOSES_AT - 6 * DAY)

    assert reminded() == [("7d", "early", "01 Feb 05:00")]


def test_sent_now_it_reaches_those_of_now_and_later_only_those_who_joined(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 9 * DAY
    step = step_of(february, "7d")

    assert reminders.send_now(step, by=clara, now=now) == 1
    with pytest.raises(refusals.ReminderSent, match="has it already"):
        reminders.send_now(step, by=clara, now=now + HOUR)
    begin(february, "eighth", at=CLOSES_AT - 8 * DAY)
    [told] = [each for each in reminders.foretell(february, now=now) if each.step == step]
    assert told.readers == {"drafts": 1}
    sweep(now, CLOSES_AT - 6 * DAY)

    sent = [(who, when) for code, who, when in reminded() if code == "7d"]
    assert sent == [("early", "30 Jan 05:00"), ("eighth", "01 Feb 05:00")]
    entry = Entry.objects.about(february).get(verb="reminder sent now")
    assert (entry.actor, entry.after) == (
        clara,
        {"step": "7d", "audience": "everybody", "people": 1},
    )


def test_sent_now_it_goes_to_its_own_audience(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    added_at = PUBLISHED_AT + HOUR
    own = steps.add(february, amount=3, unit="d", audience="invited", by=None, now=added_at)

    with pytest.raises(refusals.NobodyReached, match="3 days before reaches nobody"):
        reminders.send_now(own, by=clara, now=CLOSES_AT - 9 * DAY)


def test_it_is_not_sent_now_when_it_is_past_skipped_or_gone(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    step, now = step_of(february, "7d"), CLOSES_AT - 7 * DAY

    with pytest.raises(refusals.ReminderPast):
        reminders.send_now(step, by=clara, now=now)
    reminders.skip(step, by=clara, now=now - HOUR)
    with pytest.raises(refusals.ReminderSkipped):
        reminders.send_now(step, by=clara, now=now - HOUR)
    steps.remove(step, by=clara, now=now - HOUR)
    for verb in (reminders.send_now, reminders.skip, reminders.resume):
        with pytest.raises(refusals.ReminderGone, match="was removed meanwhile"):
            verb(step, by=clara, now=now - HOUR)

    assert reminded() == []


@pytest.mark.parametrize("verb", [schedule.postpone, schedule.cancel])
def test_it_is_not_sent_now_when_the_event_does_not_take_place(february, clara, verb):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 9 * DAY
    verb(february.event, by=clara, now=now, reason="Flood.")

    with pytest.raises(refusals.RemindersRest, match="Nobody is reminded now"):
        reminders.send_now(step_of(february, "7d"), by=clara, now=now)


def test_nor_before_the_window_opens_or_while_a_move_is_untold(february, clara):
    begin(february, "early", at=CLOSES_AT - 20 * DAY)
    now = CLOSES_AT - 9 * DAY
    Deadline.objects.filter(pk=february.pk).update(opens_at=now + DAY)
    with pytest.raises(refusals.ReminderTooEarly, match="before the window opens"):
        reminders.send_now(step_of(february, "7d"), by=clara, now=now)
    Deadline.objects.filter(pk=february.pk).update(opens_at=None)

    deadlines.move(february, closes_at=CLOSES_AT + DAY, by=clara, now=now, reason="Late papers.")
    with pytest.raises(refusals.ChangeUntold, match="in a few minutes"):
        reminders.send_now(step_of(february, "7d"), by=clara, now=now)


# In the same moment

SECOND = timedelta(seconds=1)


@pytest.fixture
def unheld(monkeypatch) -> None:
    def read(seen: Deadline) -> Deadline:
        rows = Deadline.objects.select_related("event")
        return rows.prefetch_related("steps", "changes", "event__changes").get(pk=seen.pk)

    monkeypatch.setattr(reminders, "_hold", read)


@pytest.fixture
def soon(deadline, draft) -> ReminderStep:
    """Of the hearing to which Amina has a draft; its moment is to come."""
    return deadline.steps.get(amount=48)


@pytest.fixture
def skipped_and_swept(soon, clara, at_once, meeting_before_writing):
    """Whether it is skipped, and how many were reminded all the same."""
    moment = soon.due_at(soon.deadline)

    def skip() -> None:
        meeting_before_writing()
        reminders.skip(soon, by=clara, now=moment - SECOND)

    def sweep_it() -> None:
        meeting_before_writing()
        reminders.send_due(now=moment)

    def act() -> tuple[bool, int]:
        at_once(skip, sweep_it)
        soon.refresh_from_db()
        return soon.is_skipped(soon.deadline), len(reminded())

    return act


@pytest.mark.django_db(transaction=True)
def test_what_is_skipped_while_the_sweep_comes_is_skipped_or_sent(skipped_and_swept):
    assert skipped_and_swept() in [(True, 0), (False, 1)]


@pytest.mark.django_db(transaction=True)
def test_if_nobody_waited_it_would_be_skipped_and_sent(skipped_and_swept, unheld):
    assert skipped_and_swept() == (True, 1)


@pytest.fixture
def late(soon, meeting, monkeypatch) -> datetime:
    """Just before its moment. Who sends it then writes when the other is done, or waits."""
    post, at = reminders._post, soon.due_at(soon.deadline) - SECOND

    def post_late(*facts, now: datetime) -> int:
        if now == at:
            meeting()
        return post(*facts, now=now)

    monkeypatch.setattr(reminders, "_post", post_late)
    return at


@pytest.fixture
def sent_and_swept(soon, late, clara, at_once, meeting):
    """How many got it by the organiser, or why not; how many by the sweep."""

    def sweep_it() -> int:
        found = reminders.send_due(now=late + SECOND)
        meeting()
        return found

    def act() -> list:
        answers = at_once(lambda: reminders.send_now(soon, by=clara, now=late), sweep_it)
        assert len(reminded()) == 1
        return [one if isinstance(one, int) else type(one).__name__ for one in answers]

    return act


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_now_while_the_sweep_comes_is_sent_by_one(sent_and_swept):
    assert sent_and_swept() in [[1, 0], ["ReminderPast", 1]]


@pytest.mark.django_db(transaction=True)
def test_if_nobody_waited_the_organiser_would_have_sent_it_to_nobody(sent_and_swept, unheld):
    assert sent_and_swept() == [0, 1]


@pytest.fixture
def sent_and_postponed(soon, late, clara, at_once, meeting):
    """How many letters are on their way about an event that is postponed."""

    def postpone() -> None:
        schedule.postpone(soon.deadline.event, by=clara, now=late, reason="Flood.")
        meeting()

    def act() -> int:
        at_once(lambda: reminders.send_now(soon, by=clara, now=late), postpone)
        return Letter.objects.pending().filter(kind=Kind.REMINDER).count()

    return act


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_now_while_the_event_is_postponed_does_not_leave(sent_and_postponed):
    assert sent_and_postponed() == 0


@pytest.mark.django_db(transaction=True)
def test_if_nobody_waited_it_would_leave(sent_and_postponed, unheld):
    assert sent_and_postponed() == 1
