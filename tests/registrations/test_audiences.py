"""One reader for each address, in as many queries for one as for a hundred."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import User
from events import deadlines, following
from events.models import Deadline, Follower, Wish
from notifications import preferences
from notifications.models import Kind, Letter
from registrations import audiences, intake, invitations
from registrations.intake import Person
from registrations.models import Delegate, Invitation, Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def begin(event, name, *, at, email="", user=None) -> Registration:
    user = user or User.objects.create_user(email or f"{name}@groups.example")
    organisation = Organisation(name=name, country="ML", category="diaspora")
    return intake.begin(event, membership.found(organisation, by=user, now=at), by=user, now=at)


def follow(on, email, *, now) -> Follower:
    follower = following.follow(email, on=on, language="en", zone="UTC", now=now)
    following.confirm(follower, now=now)
    return follower


def invite(event, email, *, now) -> Invitation:
    invitations.invite(event, addresses=[(email, "A group")], language="en", by=None, now=now)
    return Invitation.objects.get(email=email)


def by_address(concerned) -> dict[str, list[str]]:
    return {
        each.reader.email: [audience for audience in audiences.PRECEDENCE if audience in each.since]
        for each in concerned
    }


def references(concerned) -> list[str]:
    return [registration.reference for registration in concerned.registrations]


def send(draft, *, now) -> None:
    by = draft.organisation.focal_points[0]
    intake.add_person(draft, Person("Awa", email="awa@people.example"), by=by, now=now)
    intake.submit(draft, by=by, now=now)


def asked(registration, *, now, email="awa@people.example") -> Delegate:
    """Seated, and asked to confirm."""
    delegate = registration.delegates.get(representative__email=email)
    Delegate.objects.filter(pk=delegate.pk).update(state="approved", asked_at=now)
    return delegate


# One reader each


def test_one_reader_for_one_address_however_it_is_written(hearing, process, deadline, now):
    draft = begin(hearing, "one", at=now, email="Bea@Groups.example")
    invitation = invite(hearing, "BEA@groups.example", now=now - HOUR)
    follower = follow(hearing, "bea@groups.EXAMPLE", now=now - 2 * HOUR)
    follow(process, "bea@groups.example", now=now - 3 * HOUR)

    (concerned,) = audiences.of_deadline(deadline)

    assert concerned.reader.email == "Bea@Groups.example"
    assert concerned.audience == "drafts"
    assert references(concerned) == [draft.reference]
    assert (concerned.invitation, concerned.follower) == (invitation, follower)
    assert concerned.since == {
        "drafts": now,
        "invited": now - HOUR,
        "followers": now - 3 * HOUR,
    }


def test_a_focal_point_of_two_organisations_has_both_drafts(hearing, deadline, now):
    other = begin(hearing, "Other", at=now, email="both@groups.example")
    user = User.objects.get(email="both@groups.example")
    first = begin(hearing, "First", at=now - HOUR, user=user)

    (concerned,) = audiences.of_deadline(deadline)

    assert references(concerned) == [first.reference, other.reference]
    assert concerned.since == {"drafts": now - HOUR}


def test_only_those_who_speak_for_the_group_today(hearing, deadline, now):
    draft = begin(hearing, "one", at=now)
    for name, fields in (("colleague", {}), ("gone", {"state": "left"}), ("shut", {})):
        user = User.objects.create_user(f"{name}@groups.example", is_active=name != "shut")
        Membership.objects.create(user=user, organisation=draft.organisation, **fields)

    assert by_address(audiences.of_deadline(deadline)) == {
        "colleague@groups.example": ["drafts"],
        "one@groups.example": ["drafts"],
    }


def test_whoever_has_answered_is_left_in_peace(hearing, deadline, now):
    for name in ("sent", "withdrawn", "silent"):
        email = f"{name}@groups.example"
        invite(hearing, email, now=now)
        follow(hearing, email, now=now)
    send(begin(hearing, "sent", at=now), now=now)
    withdrawn = begin(hearing, "withdrawn", at=now)
    send(withdrawn, now=now)
    intake.withdraw(withdrawn, by=withdrawn.organisation.focal_points[0], now=now)
    follow(hearing, "declined@groups.example", now=now)
    invitations.decline(invite(hearing, "declined@groups.example", now=now), now=now)

    assert by_address(audiences.of_deadline(deadline)) == {
        "silent@groups.example": ["invited", "followers"],
        "withdrawn@groups.example": ["followers"],
    }


def test_a_group_with_a_second_draft_has_not_answered_for_it(hearing, deadline, now):
    sent = begin(hearing, "Sent", at=now, email="both@groups.example")
    send(sent, now=now)
    draft = begin(hearing, "Draft", at=now, user=sent.organisation.focal_points[0])

    (concerned,) = audiences.of_deadline(deadline)

    assert references(concerned) == [draft.reference]


def test_nobody_else_is_concerned(hearing, process, deadline, now):
    """Another event's people, unconfirmed followers, and those who want no reminders."""
    following.follow("asked@groups.example", on=hearing, language="en", zone="UTC", now=now)
    begin(hearing, "stopped", at=now)
    preferences.stop("STOPPED@groups.example", scope=hearing.id, kind=Kind.REMINDER, now=now)
    other = deadlines.Event.objects.create(
        process=process, slug="other", kind="hearing", name_en="Other", zone="UTC",
        starts_on=hearing.starts_on, ends_on=hearing.ends_on,
        state="published", published_at=now,
    )  # fmt: skip
    deadlines.set_deadline(other, kind="registration", closes_at=now + DAY, by=None, now=now)
    begin(other, "elsewhere", at=now)
    invite(other, "invited@groups.example", now=now)

    assert audiences.of_deadline(deadline) == []


# Delegates who must confirm


@pytest.fixture
def confirmation(hearing, now) -> Deadline:
    return deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + 14 * DAY, by=None, now=now
    )


def test_delegates_are_asked_themselves_and_focal_points_for_those_without_address(
    hearing, sent, confirmation, amina, now
):
    User.objects.filter(pk=amina.pk).update(language="ar", zone="Africa/Bamako")
    colleague = User.objects.create_user("zoe@diaspora.example")
    Membership.objects.create(user=colleague, organisation=sent.organisation)
    aissata = asked(sent, now=now, email="aissata@diaspora.example")
    moussa = asked(sent, now=now + HOUR, email="moussa@diaspora.example")
    moussa.representative.email = ""
    moussa.representative.save()

    concerned = audiences.of_deadline(confirmation)

    assert [
        (each.reader.email, each.reader.language, each.reader.zone, each.delegates, each.since)
        for each in concerned
    ] == [
        ("aissata@diaspora.example", "ar", "Africa/Bamako", [aissata], {"to_confirm": now}),
        ("amina@diaspora.example", "ar", "Africa/Bamako", [moussa], {"to_confirm": now + HOUR}),
        ("zoe@diaspora.example", "en", "UTC", [moussa], {"to_confirm": now + HOUR}),
    ]


def test_a_shared_address_is_one_reader(hearing, sent, confirmation, now):
    one = asked(sent, now=now + HOUR, email="aissata@diaspora.example")
    other = asked(sent, now=now, email="moussa@diaspora.example")
    other.representative.email = "AISSATA@diaspora.example"
    other.representative.save()

    (concerned,) = audiences.of_deadline(confirmation)

    assert concerned.delegates == [one, other]
    assert concerned.since == {"to_confirm": now}


@pytest.mark.parametrize("state", ["confirmed", "declined_by_delegate", "lapsed", "withdrawn"])
def test_whoever_has_said_it_or_is_gone_is_not_asked(hearing, sent, confirmation, now, state):
    delegate = asked(sent, now=now, email="moussa@diaspora.example")
    Delegate.objects.filter(pk=delegate.pk).update(state=state)

    assert audiences.of_deadline(confirmation) == []


# Of an event


def test_everybody_who_was_told_of_the_event(hearing, confirmation, sent, amina, now):
    """With the moments at which each saw how things stood."""
    asked(sent, now=now + HOUR, email="aissata@diaspora.example")
    confirmed = asked(sent, now=now + HOUR, email="moussa@diaspora.example")
    Delegate.objects.filter(pk=confirmed.pk).update(state="confirmed")
    begin(hearing, "draft", at=now)
    invite(hearing, "invited@groups.example", now=now)
    invitations.decline(invite(hearing, "declined@groups.example", now=now), now=now)
    follow(hearing, "dana@groups.example", now=now)
    gone = begin(hearing, "gone", at=now)
    intake.withdraw(gone, by=gone.organisation.focal_points[0], now=now)

    concerned = audiences.of_event(hearing)

    assert by_address(concerned) == {
        "aissata@diaspora.example": ["to_confirm"],
        "moussa@diaspora.example": ["to_confirm"],
        "amina@diaspora.example": ["drafts"],
        "draft@groups.example": ["drafts"],
        "invited@groups.example": ["invited"],
        "dana@groups.example": ["followers"],
    }
    seen = {each.reader.email: each.seen for each in concerned}
    assert seen["amina@diaspora.example"] == [sent.begun_at, sent.sent_at]
    assert seen["aissata@diaspora.example"] == [now + HOUR]


def test_news_is_stopped_by_whoever_only_looks_on(hearing, sent, amina, now):
    follow(hearing, "dana@groups.example", now=now)
    for email in (amina.email, "dana@groups.example"):
        preferences.stop(email, scope=hearing.id, kind=Kind.ANNOUNCEMENT, now=now)

    assert by_address(audiences.of_event(hearing)) == {amina.email: ["drafts"]}


# Queries


def crowd(hearing, n, *, now) -> None:
    for number in range(n):
        begin(hearing, f"draft{number}", at=now)
        invite(hearing, f"invited{number}@groups.example", now=now)
        follow(hearing, f"follower{number}@groups.example", now=now)
        registration = begin(hearing, f"sent{number}", at=now)
        send(registration, now=now)
        asked(registration, now=now)


@pytest.mark.parametrize("size", [1, 7])
def test_the_queries_do_not_grow(
    hearing, deadline, confirmation, now, size, django_assert_num_queries
):
    crowd(hearing, size, now=now)

    with django_assert_num_queries(4):
        concerned = audiences.of_deadline(deadline)
    with django_assert_num_queries(3):
        to_confirm = audiences.of_deadline(confirmation)
    with django_assert_num_queries(6):
        everybody = audiences.of_event(hearing)

    assert len(concerned) == 3 * size
    assert (len(to_confirm), len(to_confirm[0].delegates)) == (1, size)
    assert len(everybody) == 4 * size + 1
    with django_assert_num_queries(0):
        for each in (*concerned, *to_confirm, *everybody):
            for delegate in each.delegates:
                assert delegate.registration.event and delegate.registration.organisation.name
            for registration in each.registrations:
                assert registration.reference and registration.organisation


# What followers wish


@pytest.mark.parametrize(
    ("wishes", "of_deadline", "of_event"),
    [
        ([Wish.REMINDERS], 1, 0),
        ([Wish.NEWS], 1, 0),
        ([Wish.CHANGES], 0, 1),
        ([], 0, 0),
    ],
)
def test_followers_are_concerned_by_what_they_want_to_hear(
    hearing, deadline, now, wishes, of_deadline, of_event
):
    following.choose(follow(hearing, "dana@groups.example", now=now), wishes, now=now)

    assert len(audiences.of_deadline(deadline)) == of_deadline
    assert len(audiences.of_event(hearing)) == of_event


def test_who_follows_twice_hears_what_either_wants(hearing, process, deadline, now):
    one = follow(hearing, "dana@groups.example", now=now)
    whole = follow(process, "dana@groups.example", now=now - HOUR)
    following.choose(one, [Wish.REMINDERS], now=now)
    following.choose(whole, [Wish.NEWS], now=now)

    (concerned,) = audiences.of_deadline(deadline)

    assert concerned.wishes == {Wish.REMINDERS: now, Wish.NEWS: now - HOUR}


def test_who_changes_their_wishes_meanwhile_is_left_to_the_next_sweep(
    at_once, hearing, deadline, meeting, now
):
    follower = follow(hearing, "dana@groups.example", now=now)

    def choose():
        meeting()
        following.choose(follower, [Wish.NEWS], now=now)
        meeting()

    def sweep():
        with transaction.atomic():
            concerned = audiences.of_deadline(deadline)
            meeting()
            meeting()
            is_held = audiences.hold(deadline)
            return [each.reader.email for each in concerned if is_held(each)]

    assert at_once(choose, sweep) == [None, []]


# Neutral subjects


def test_readers_have_the_wish_of_the_account_at_their_address(
    hearing, deadline, confirmation, now
):
    """Whatever they are written to for; the others are as they were."""
    for name in ("follower", "invited", "awa"):
        User.objects.create_user(f"{name.upper()}@groups.example")
    follow(hearing, "follower@groups.example", now=now)
    follow(hearing, "other@groups.example", now=now)
    invite(hearing, "invited@groups.example", now=now)
    invite(hearing, "guest@groups.example", now=now)
    begin(hearing, "point", at=now)
    plain = begin(hearing, "plain", at=now)
    awa = Person("Awa", email="awa@groups.example")
    intake.add_person(plain, awa, by=plain.organisation.focal_points[0], now=now)
    Delegate.objects.update(state="approved", asked_at=now)
    User.objects.exclude(email__startswith="plain").update(neutral_subjects=True)

    concerned = [*audiences.of_deadline(deadline), *audiences.of_deadline(confirmation)]

    assert sorted((each.reader.email, each.reader.is_discreet) for each in concerned) == [
        ("awa@groups.example", True),
        ("follower@groups.example", True),
        ("guest@groups.example", False),
        ("invited@groups.example", True),
        ("other@groups.example", False),
        ("plain@groups.example", False),
        ("point@groups.example", True),
    ]


def test_invitations_and_links_to_follow_too(hearing, deadline, now):
    for name in ("follower", "invited"):
        User.objects.create_user(f"{name.upper()}@groups.example", neutral_subjects=True)

    following.follow("follower@groups.example", on=hearing, language="en", zone="UTC", now=now)
    invite(hearing, "invited@groups.example", now=now)

    assert dict(Letter.objects.values_list("to", "subject")) == {
        "follower@groups.example": "Please confirm your wish",
        "invited@groups.example": "News for you",
    }


# Holding


def test_what_is_being_changed_is_left_to_the_next_sweep(at_once, hearing, deadline, meeting, now):
    """One who is about to send is not told that it closes soon, as a follower either."""
    busy, idle = begin(hearing, "busy", at=now), begin(hearing, "idle", at=now)
    follow(hearing, "busy@groups.example", now=now)

    def change():
        with transaction.atomic():
            Registration.objects.held(busy)
            meeting()
            meeting()

    def sweep():
        meeting()
        with transaction.atomic():
            concerned = audiences.of_deadline(deadline)
            is_held = audiences.hold(deadline)
            found = [references(each) for each in concerned if is_held(each)]
        meeting()
        return found

    assert at_once(change, sweep) == [None, [[idle.reference]]]
