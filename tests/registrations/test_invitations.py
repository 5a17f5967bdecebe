from datetime import timedelta

import pytest

from accounts.models import User
from audit.models import Entry
from events import schedule
from notifications.models import Letter
from registrations import (
    audiences,
    intake,
    invitations,
    links,
    refusals,
    reminders,
)
from registrations.models import Invitation

DAY = timedelta(days=1)


def invite(event, *addresses: str, now, by=None) -> tuple[int, int]:
    pairs = [(address, "A group") for address in addresses]
    return invitations.invite(event, addresses=pairs, language="en", by=by, now=now)


def test_each_group_gets_one_letter_with_its_own_link(hearing, deadline, clara, now):
    assert invite(hearing, "one@groups.example", "two@groups.example", by=clara, now=now) == (2, 0)

    for invitation in Invitation.objects.all():
        letter = Letter.objects.get(to=invitation.email)
        assert links.invitation_path(invitation) in letter.text
        assert (invitation.sent_by, invitation.sent_at) == (clara, now)
    entry = Entry.objects.about(hearing).get(verb="groups invited")
    assert (entry.actor, entry.after) == (clara, {"groups": 2})


def test_an_address_is_invited_once_however_it_is_written(hearing, deadline, now):
    invite(hearing, "one@groups.example", now=now)

    again = invite(
        hearing, "ONE@groups.example", "two@groups.example", "Two@groups.example", now=now + DAY
    )

    assert again == (1, 1)
    assert Letter.objects.count() == 2


def test_two_organisers_who_invite_at_once_invite_once(at_once, hearing, deadline, now):
    def act():
        return invite(hearing, "one@groups.example", now=now)

    assert sorted(at_once(act, act)) == [(0, 1), (1, 0)]
    assert Letter.objects.count() == 1


def test_whoever_has_an_account_reads_it_in_their_own_language(hearing, deadline, now):
    User.objects.create_user("Layla@groups.example", language="ar", zone="Africa/Cairo")

    invite(hearing, "layla@groups.example", "new@groups.example", now=now)

    assert list(Invitation.objects.order_by("email").values_list("email", "language", "zone")) == [
        ("layla@groups.example", "ar", "Africa/Cairo"),
        ("new@groups.example", "en", "America/New_York"),
    ]


@pytest.mark.parametrize(
    ("why", "refusal"),
    [
        ("postponed", refusals.NotTakingPlace),
        ("no window", refusals.NoRegistration),
        ("closed", refusals.WindowClosed),
    ],
)
def test_nobody_is_invited_to_what_cannot_be_joined(hearing, deadline, now, why, refusal):
    if why == "postponed":
        schedule.postpone(hearing, by=None, now=now, reason="The room")
    if why == "no window":
        hearing.deadlines.all().delete()
    if why == "closed":
        now = deadline.closes_at

    with pytest.raises(refusal):
        invite(hearing, "one@groups.example", now=now)

    assert not Invitation.objects.exists()
    assert not Letter.objects.exists()


def test_before_the_window_opens_groups_can_be_invited(hearing, deadline, now):
    type(deadline).objects.filter(pk=deadline.pk).update(opens_at=now + DAY)

    assert invite(hearing, "one@groups.example", now=now) == (1, 0)


def test_declining_stops_what_waits_and_is_remembered(hearing, deadline, now):
    invite(hearing, "one@groups.example", "two@groups.example", now=now)
    due = deadline.closes_at - 7 * DAY
    assert reminders.send_due(now=due) == 2
    invitation = Invitation.objects.get(email="one@groups.example")

    invitations.decline(invitation, now=due)
    invitations.decline(invitation, now=due + DAY)

    assert invitation.declined_at == due
    assert list(Entry.objects.about(invitation).values_list("verb", flat=True)) == [
        "invitation declined"
    ]
    reminded = Letter.objects.filter(key__startswith="reminder:").order_by("to")
    assert list(reminded.values_list("to", "state")) == [
        ("one@groups.example", "cancelled"),
        ("two@groups.example", "queued"),
    ]
    assert reminders.send_due(now=deadline.closes_at - DAY) == 1


def test_declining_spares_the_reminder_of_a_draft(draft, hearing, deadline, amina, now):
    invite(hearing, amina.email, now=now)
    due = deadline.closes_at - 7 * DAY
    reminders.send_due(now=due)

    invitations.decline(Invitation.objects.get(), now=due)

    assert Letter.objects.get(key__startswith="reminder:").state == "queued"


def a_decline_during_a_sweep(at_once, meeting, monkeypatch, hearing, deadline, now) -> list[str]:
    invite(hearing, "one@groups.example", now=now)
    invitation, due = Invitation.objects.get(), deadline.closes_at - 7 * DAY
    hold = audiences.hold

    def held_for_a_while(*arguments):
        is_held = hold(*arguments)
        meeting()
        meeting()
        return is_held

    monkeypatch.setattr(audiences, "hold", held_for_a_while)

    def decline():
        meeting()
        invitations.decline(invitation, now=due)
        meeting()

    at_once(lambda: reminders.send_due(now=due), decline)
    return list(Letter.objects.filter(key__startswith="reminder:").values_list("state", flat=True))


def test_declining_during_a_sweep_takes_the_reminder_back(
    at_once, meeting, monkeypatch, hearing, deadline, now
):
    states = a_decline_during_a_sweep(at_once, meeting, monkeypatch, hearing, deadline, now)

    assert states == ["cancelled"]


def test_without_holding_the_invitation_it_would_be_sent(
    at_once, meeting, monkeypatch, hearing, deadline, now
):
    monkeypatch.setattr(audiences, "hold", lambda _deadline: lambda _concerned: True)

    states = a_decline_during_a_sweep(at_once, meeting, monkeypatch, hearing, deadline, now)

    assert states == ["queued"]


def test_a_group_that_declined_may_still_register(hearing, deadline, amina, diaspora_network, now):
    invite(hearing, amina.email, now=now)
    invitations.decline(Invitation.objects.get(), now=now)

    draft = intake.begin(hearing, diaspora_network, by=amina, now=now)

    assert reminders.send_due(now=deadline.closes_at - 7 * DAY) == 1
    assert draft.reference in Letter.objects.get(key__startswith="reminder:").text


def test_a_link_names_its_invitation_and_nothing_else_does(hearing, deadline, now):
    invite(hearing, "one@groups.example", now=now)
    invitation = Invitation.objects.get()
    token = links.invitation_path(invitation).rstrip("/").rpartition("/")[2]

    assert links.invitation_id(token) == invitation.pk
    assert links.invitation_id(token[:-2]) is None
    assert links.delegate_id(token) is None
