"""How an event stands: what the database counts is what one counts by hand."""

from collections import Counter
from datetime import timedelta

import pytest

from clock import walls
from events.models import Deadline
from events.regions import REGION_OF
from notifications import outbox
from notifications.models import Kind, Letter, Suppression
from registrations import figures, intake
from registrations.models import Delegate, Exchange, Registration
from stakeholders.models import Membership
from tests.registrations import crowd

DAY = timedelta(days=1)
COMES = {"submitted", "more_information", "wait_listed", "approved", "confirmed"}
WAITS = {"submitted", "more_information"}


@pytest.fixture
def crowded(hearing, now):
    """Groups of four kinds, sent within twelve days, with people in every state; some drafts."""
    kinds = [("KE", "youth", 0), ("PH", "diaspora", 4), ("", "", 7), ("FR", "youth", 12)]
    states = ["submitted", "approved", "declined", "confirmed", "more_information", "withdrawn"]
    for number, (country, category, days) in enumerate(kinds):
        groups = crowd.sent(
            hearing,
            number + 2,
            now=now,
            people=3,
            name=f"Group of {country or 'nowhere'}",
            country=country,
            category=category,
        )
        at = now - days * DAY
        own = Registration.objects.filter(pk__in=[one.pk for one in groups])
        own.update(begun_at=at - DAY, sent_at=at)
        people = Delegate.objects.filter(registration__in=own).order_by("pk")
        for position, one in enumerate(people):
            state = states[(position + number) % len(states)]
            Delegate.objects.filter(pk=one.pk).update(state=state)
    crowd.drafts(hearing, 2, now=now)
    empty = crowd.drafts(hearing, 1, now=now, people=0, name="Empty")
    assert len(empty) == 1
    return hearing


def test_people_are_counted_as_one_counts_them_by_hand(crowded, now):
    counted = figures.people(crowded, now=now)

    rows = list(Delegate.objects.select_related("registration__organisation"))
    sent = [one for one in rows if one.registration.sent_at and one.state != "draft"]
    come = [one for one in sent if one.state in COMES]
    wait = [one for one in sent if one.state in WAITS]
    groups = [one.registration.organisation for one in come]
    assert counted.states == Counter(str(one.state) for one in sent)
    assert counted.categories == Counter(group.category for group in groups)
    assert counted.regions == Counter(REGION_OF.get(str(group.country), "") for group in groups)
    days = Counter((now - one.registration.sent_at).days for one in wait)
    assert dict(counted.ages) == {
        "0-2": sum(n for age, n in days.items() if age <= 2),
        "3-5": sum(n for age, n in days.items() if 3 <= age <= 5),
        "6-10": sum(n for age, n in days.items() if 6 <= age <= 10),
        "11": sum(n for age, n in days.items() if age >= 11),
    }
    assert min(counted.ages.values()) > 0
    assert counted.oldest_sent_at == min(one.registration.sent_at for one in wait)
    assert (counted.sent, counted.may_come, counted.undecided) == (len(sent), len(come), len(wait))


@pytest.mark.parametrize(
    ("hours", "age"),
    [(0, "0-2"), (71, "0-2"), (72, "3-5"), (143, "3-5"), (144, "6-10"), (263, "6-10"), (264, "11")],
)
def test_days_of_waiting_are_whole_ones(sent, now, hours, age):
    at = now - timedelta(hours=hours)
    Registration.objects.filter(pk=sent.pk).update(begun_at=at, sent_at=at)

    ages = figures.people(sent.event, now=now).ages

    assert {name: n for name, n in ages.items() if n} == {age: 3}


def test_helpers_hold_no_seat(sent, now):
    sent.delegates.update(state="approved", asked_at=now)
    sent.delegates.filter(role="speaker").update(role="interpreter")

    counted = figures.people(sent.event, now=now)

    assert (counted.with_a_place, counted.seats_given, counted.to_confirm) == (3, 2, 3)


def test_days_are_those_of_the_event(crowded, deadline, now):
    pace = figures.pace(crowded, deadline, now=now)

    zone = walls.zone_of(crowded.zone)
    moments = [one.sent_at for one in Registration.objects.exclude(sent_at=None)]
    by_day = Counter(at.astimezone(zone).date() for at in moments)
    so_far, days = 0, []
    for day in sorted(by_day):
        so_far += by_day[day]
        days.append(figures.Day(day, by_day[day], so_far))
    assert pace.days == days
    assert pace.sent == len(moments)
    assert pace.recent == sum(at > now - 7 * DAY for at in moments)


def test_it_goes_on_as_in_the_last_seven_days(crowded, deadline, now):
    pace = figures.pace(crowded, deadline, now=now)

    ahead = (deadline.closes_at - now) / DAY
    assert pace.paced_days == 7
    assert pace.forecast == pace.sent + round(pace.recent / 7 * ahead)


def test_fewer_than_three_days_foretell_nothing(crowded, deadline, now):
    for days, is_told in ((2.9, False), (3, True)):
        deadline.opens_at = now - days * DAY
        pace = figures.pace(crowded, deadline, now=now)
        assert (pace.forecast is not None) is is_told


def test_nor_does_what_is_closed_postponed_or_never_closes(crowded, deadline, now):
    assert figures.pace(crowded, None, now=now).forecast is None
    assert figures.pace(crowded, deadline, now=deadline.closes_at).forecast is None
    crowded.state = "postponed"
    assert figures.pace(crowded, deadline, now=now).forecast is None


def test_the_funnel(crowded):
    begun = list(Registration.objects.prefetch_related("delegates"))
    sent = sum(one.sent_at is not None for one in begun)
    with_people = sum(bool(one.delegates.all()) for one in begun)

    assert figures.funnel(crowded) == figures.Funnel(len(begun), with_people, sent, 3)
    assert (len(begun), with_people, sent) == (17, 16, 14)


def test_a_focal_point_of_two_groups_reads_one_language(
    hearing, sent, port_workers, bo, amina, now
):
    intake.begin(hearing, port_workers, by=bo, now=now)
    Membership.objects.create(user=amina, organisation=port_workers)
    bo.language = "ar"
    bo.save(update_fields=["language"])

    assert figures.languages(hearing) == {"en": 1, "ar": 1}


def reminded(deadline: Deadline, to: str, code: str, *, at, state="sent") -> None:
    key = f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:{code}:{to}"
    letter = outbox.post(
        key=key,
        to=to,
        language="en",
        subject="It closes soon",
        text="It closes soon.",
        html="",
        kind=Kind.REMINDER,
        about=deadline.id,
        scope=deadline.event_id,
        now=at,
    )
    sent_at = at if state == "sent" else None
    ended_at = None if state == "sent" else at
    Letter.objects.filter(pk=letter.pk).update(state=state, sent_at=sent_at, ended_at=ended_at)


def test_a_reminder_brought_who_sent_within_48_hours(hearing, deadline, now):
    at = now - 6 * DAY
    hours = [1, 48, 49, None, -1, 2]
    groups = crowd.drafts(hearing, len(hours), now=now - 8 * DAY)
    for number, (group, after) in enumerate(zip(groups, hours, strict=True)):
        sent_at = None if after is None else at + timedelta(hours=after)
        Registration.objects.filter(pk=group.pk).update(sent_at=sent_at)
        (point,) = group.organisation.focal_points
        if number < 5:
            reminded(deadline, point.email.upper(), "7d", at=at)
    reminded(deadline, "nobody@follows.example", "7d", at=at)
    reminded(deadline, groups[3].organisation.focal_points[0].email, "48h", at=now - DAY)
    reminded(deadline, groups[5].organisation.focal_points[0].email, "9d", at=at, state="failed")

    assert figures.effects(deadline) == [
        figures.Effect("7d", at, 4, 2),
        figures.Effect("48h", now - DAY, 1, 0),
    ]


def test_two_focal_points_of_a_group_are_one_group(hearing, deadline, draft, amina, bo, now):
    Registration.objects.filter(pk=draft.pk).update(begun_at=now - 3 * DAY)
    Membership.objects.create(user=bo, organisation=draft.organisation)
    for point in (amina, bo):
        reminded(deadline, point.email, "7d", at=now - DAY)

    assert figures.effects(deadline) == [figures.Effect("7d", now - DAY, 1, 0)]


def test_answered_questions_wait_until_somebody_decides(hearing, sent, clara, now):
    asked, told, decided = sent.delegates.in_order()
    for one in (asked, told, decided):
        Exchange.objects.create(
            delegate=one,
            question="Which topic?",
            asked_by=clara,
            asked_at=now,
            answer="" if one == asked else "Wages.",
            answered_at=None if one == asked else now,
        )
    Delegate.objects.filter(pk=asked.pk).update(state="more_information")
    Delegate.objects.filter(pk=decided.pk).update(state="approved")

    assert list(figures.answered(hearing)) == [told]


def test_a_group_whose_focal_point_is_not_reached(hearing, second, sent, draft, bo, amina, now):
    Suppression.objects.create(email=amina.email.upper(), reason="bounce", since=now)
    Suppression.objects.create(email=bo.email, reason="bounce", since=now)

    assert list(figures.unreachable(hearing)) == [sent]
    assert list(figures.unreachable(second)) == []


def test_letters_of_the_event_that_do_not_leave(hearing, second, sent, now):
    own = list(Letter.objects.in_scope(hearing.pk).order_by("pk"))
    assert own
    reminded(hearing.registration_deadline, "one@groups.example", "1d", at=now, state="failed")
    Letter.objects.filter(pk=own[0].pk).update(state="held")

    assert figures.stopped_letters(hearing) == {"held": 1, "failed": 1}
    assert figures.stopped_letters(second) == {"held": 0, "failed": 0}


def test_of_nobody_nothing_is_told(second, now):
    people = figures.people(second, now=now)

    assert (people.sent, people.may_come, people.undecided, people.oldest_sent_at) == (
        0,
        0,
        0,
        None,
    )
    assert figures.pace(second, None, now=now).days == []
    assert figures.funnel(second) == figures.Funnel(0, 0, 0, 0)
    assert figures.languages(second) == {}


def test_other_events_are_not_counted(crowded, second, now):
    before = figures.people(crowded, now=now), figures.funnel(crowded)
    crowd.sent(second, 2, now=now)

    assert (figures.people(crowded, now=now), figures.funnel(crowded)) == before
    assert figures.funnel(second) == figures.Funnel(2, 2, 2, 0)
