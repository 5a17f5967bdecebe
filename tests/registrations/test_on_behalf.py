from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import User
from audit.models import Entry
from clock import walls
from events import capacity
from events.models import Deadline, Event, Track
from notifications.models import Letter
from registrations import exemptions, intake, on_behalf, refusals, timeline
from registrations.intake import Person
from registrations.models import Exemption, Registration
from stakeholders import membership
from stakeholders import refusals as stakeholder_refusals
from stakeholders.models import Membership, Organisation, Representative

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ADDRESS = "sani@riverside.example"
PEOPLE = [
    Person("Sani", "Abdou", ADDRESS, role="head"),
    Person("Hadiza", "Issa", access_needs="A ramp"),
]


def new_group() -> Organisation:
    return Organisation(name="Riverside Fishers", country="NE", category="diaspora")


@pytest.fixture
def enter(hearing, clara, now) -> Callable[..., Registration]:
    """Clara registers a group, as it has written."""

    def enter(organisation: Organisation | None = None, **facts: object) -> Registration:
        said = {"focal_point": ADDRESS, "people": PEOPLE, "by": clara, "now": now} | facts
        return on_behalf.enter(hearing, organisation or new_group(), **said)

    return enter


def letters(to: str = ADDRESS) -> list[str]:
    keys = Letter.objects.filter(to=to).exclude(state="cancelled").values_list("key", flat=True)
    return sorted(key.split(":")[0] for key in keys)


def states(registration: Registration) -> list[tuple[str, str]]:
    people = registration.delegates.select_related("representative").in_order()
    return [(str(one), one.state) for one in people]


def closed(deadline: Deadline, now) -> None:
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now - timedelta(minutes=1))


def test_a_new_group_is_registered_with_its_people_and_a_focal_point(enter, clara, now):
    registration = enter()

    assert states(registration) == [("Sani Abdou", "submitted"), ("Hadiza Issa", "submitted")]
    assert registration.delegates.get(representative__given_names="Hadiza").access_needs == "A ramp"
    assert Registration.objects.get().sent_at == now
    (point,) = Organisation.objects.get(name="Riverside Fishers").focal_points
    assert point.email == ADDRESS
    assert list(Registration.objects.of(point)) == [registration]


def test_clara_does_not_speak_for_the_group(enter, clara):
    enter()

    assert not Membership.objects.filter(user=clara).exists()
    assert not Registration.objects.of(clara).exists()


def test_the_group_gets_the_letters_of_any_group(enter):
    enter()

    assert letters() == ["appointed", "received"]


def test_history_says_that_it_was_on_behalf_and_who_did_it(enter, clara):
    registration = enter()

    entries = Entry.objects.about(registration).order_by("id")
    assert [(entry.verb, entry.actor) for entry in entries] == [
        ("draft begun", clara),
        ("entered on behalf", clara),
        ("sent", clara),
    ]
    told = [line["what"] for line in timeline.of(registration, [])]
    assert "Entered by the organisers, for a group that wrote to them" in told


def test_first_come_gives_seats_at_once(enter, hearing):
    Event.objects.filter(pk=hearing.pk).update(admission="first_come", seats=1)

    registration = enter()

    assert states(registration) == [("Sani Abdou", "approved"), ("Hadiza Issa", "wait_listed")]
    assert letters() == ["appointed", "approved", "wait_listed"]


# A group that is known here


def test_a_known_group_without_a_focal_point_gets_one(enter, clara, now):
    known = membership.enter(new_group(), by=clara, now=now)

    registration = enter(known)

    assert registration.organisation == known
    assert [user.email for user in known.focal_points] == [ADDRESS]


def test_a_known_group_keeps_the_focal_point_who_wrote(enter, diaspora_network, amina):
    enter(diaspora_network, focal_point="Amina@Diaspora.example")

    assert [user.email for user in diaspora_network.focal_points] == ["amina@diaspora.example"]
    assert letters(amina.email) == ["received"]


def test_nobody_becomes_focal_point_beside_another_one(enter, diaspora_network):
    with pytest.raises(refusals.LedByOthers, match="has a focal point with another address"):
        enter(diaspora_network)

    assert not Registration.objects.exists()
    assert not User.objects.filter(email=ADDRESS).exists()


def test_a_group_of_other_events_gets_no_focal_point_by_this_one(enter, now):
    root = User.objects.create_superuser("root@secretariat.example")
    known = membership.enter(new_group(), by=root, now=now)
    Representative.objects.create(organisation=known, given_names="Sani")

    with pytest.raises(refusals.NotYoursToLead, match="Who becomes it is not for you to say"):
        enter(known)

    assert not User.objects.filter(email=ADDRESS).exists()
    assert enter(known, by=root).organisation == known


def test_a_group_that_is_claimed_meanwhile_gets_no_second_focal_point(
    at_once, meeting, enter, clara, bo, now, monkeypatch
):
    known = membership.enter(new_group(), by=clara, now=now)
    check = on_behalf._check_focal_point

    def checks(*facts: object) -> None:
        check(*facts)
        meeting()
        meeting()

    def claims() -> None:
        meeting()
        membership.ask(known, by=bo, now=now)
        meeting()

    monkeypatch.setattr(on_behalf, "_check_focal_point", checks)
    at_once(lambda: enter(known), claims)

    assert len(known.focal_points) == 1


def test_a_new_group_of_a_name_that_is_known_is_refused(enter, diaspora_network):
    twin = Organisation(name="DIASPORA network", country="ML", category="diaspora")

    with pytest.raises(refusals.KnownToUs, match="Go back and choose it"):
        enter(twin)


def test_what_was_missing_of_a_known_group_is_kept(enter, clara, now):
    known = membership.enter(Organisation(name="Imported Group"), by=clara, now=now)
    with pytest.raises(refusals.OrganisationIncomplete):
        enter(known)
    known.country, known.category = "NE", "diaspora"

    enter(known)

    known.refresh_from_db()
    assert (known.country, known.category) == ("NE", "diaspora")


def test_what_is_known_of_a_group_in_full_is_not_changed(enter, diaspora_network):
    diaspora_network.name = "Something else"

    enter(diaspora_network, focal_point="amina@diaspora.example")

    assert Organisation.objects.get(pk=diaspora_network.pk).name == "Diaspora Network"


def test_who_may_not_sign_in_becomes_no_focal_point(enter):
    User.objects.create_user(ADDRESS, is_active=False)

    with pytest.raises(stakeholder_refusals.ShutOut):
        enter()


@pytest.mark.parametrize("stage", ["draft", "sent"])
def test_a_group_that_has_registered_itself_is_left_alone(
    request, enter, stage, diaspora_network, amina
):
    theirs = request.getfixturevalue(stage)
    before = states(theirs)

    with pytest.raises(refusals.RegisteredAlready, match=theirs.reference):
        enter(diaspora_network, focal_point=amina.email)

    assert states(theirs) == before


def test_of_a_withdrawn_registration_only_who_is_named_now_comes(
    enter, sent, amina, diaspora_network, now
):
    intake.withdraw(sent, by=amina, now=now)

    again = enter(diaspora_network, focal_point=amina.email)

    assert again == sent
    assert states(again) == [("Sani Abdou", "submitted"), ("Hadiza Issa", "submitted")]


# After the close


def test_after_the_close_too_and_the_group_is_let_in_for_that_only(enter, deadline, hearing, now):
    closed(deadline, now)

    registration = enter()

    assert states(registration) == [("Sani Abdou", "submitted"), ("Hadiza Issa", "submitted")]
    exemption = Exemption.objects.get()
    assert (exemption.until, exemption.organisation) == (
        now + timedelta(minutes=1),
        registration.organisation,
    )
    assert letters() == ["appointed", "received"]


def test_a_group_that_was_let_in_already_keeps_its_time(
    enter, deadline, hearing, diaspora_network, amina, clara, now
):
    closed(deadline, now)
    until = walls.closing((now + 3 * DAY).date(), None, hearing.zone)
    exemptions.grant((hearing, diaspora_network), until=until, by=clara, now=now)

    enter(diaspora_network, focal_point=amina.email)

    assert Exemption.objects.get().until == until
    assert letters(amina.email) == ["let_in", "received"]


def test_a_group_that_waits_to_be_let_in_is_let_in(
    enter, deadline, hearing, diaspora_network, amina, now
):
    closed(deadline, now)
    Exemption.objects.create(
        event=hearing, organisation=diaspora_network, asked_by=amina, asked_at=now, reason="Late"
    )

    enter(diaspora_network, focal_point=amina.email)

    assert Exemption.objects.get().is_open(now)


def test_not_before_the_window_opens(enter, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(opens_at=now + DAY)

    with pytest.raises(refusals.WindowNotOpen):
        enter()


def test_not_after_the_event(enter, hearing, now):
    with pytest.raises(refusals.HasBegun):
        enter(now=now + 30 * DAY)


@pytest.mark.parametrize("state", ["draft", "postponed", "cancelled"])
def test_not_where_the_event_does_not_take_place(enter, hearing, state):
    Event.objects.update(state=state)

    with pytest.raises(refusals.NotTakingPlace):
        enter()


# Nothing is half done


def undone() -> bool:
    return not (
        Registration.objects.exists()
        or Organisation.objects.filter(name="Riverside Fishers").exists()
        or User.objects.filter(email=ADDRESS).exists()
        or Exemption.objects.exists()
        or Letter.objects.exists()
    )


@pytest.mark.parametrize(
    ("people", "refusal"),
    [
        ([], refusals.NobodyIn),
        ([PEOPLE[1], PEOPLE[1]], refusals.ListedAlready),
        ([PEOPLE[0], Person("Ali", role="head")], refusals.TwoHeads),
        ([*PEOPLE, Person("Ali")], refusals.OverCap),
    ],
)
def test_what_is_refused_leaves_nothing_behind(enter, hearing, deadline, now, people, refusal):
    Event.objects.update(cap=2)
    closed(deadline, now)

    with pytest.raises(refusal):
        enter(people=people)

    assert undone()


def test_a_track_is_chosen_where_there_are_several(enter, hearing):
    with_voice = Track.objects.create(event=hearing, name_en="Speakers", position=1)
    with pytest.raises(refusals.TrackMissing):
        enter()
    assert undone()

    assert enter(track=with_voice).track == with_voice


# A second click


def test_the_same_form_sent_twice_registers_once(enter):
    entry = uuid4()

    assert enter(entry=entry) == enter(entry=entry)
    assert Registration.objects.count() == 1
    assert letters() == ["appointed", "received"]


def test_another_form_is_another_request(enter):
    enter(entry=uuid4())

    with pytest.raises(refusals.KnownToUs):
        enter(entry=uuid4())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False])
def test_two_clicks_at_once_register_once(at_once, meeting, enter, monkeypatch, is_locked):
    """Without the lock the second one does not see what the first one makes."""
    entry, check = uuid4(), on_behalf._known

    def dawdle(*args: object, **facts: object) -> Organisation:
        meeting()
        return check(*args, **facts)

    monkeypatch.setattr(on_behalf, "_known", dawdle)
    if not is_locked:
        monkeypatch.setattr(capacity, "_lock", lambda name: None)

    made = at_once(*[lambda: enter(entry=entry)] * 2)

    assert Registration.objects.count() == 1
    were_both_told = all(isinstance(each, Registration) for each in made)
    assert were_both_told is is_locked
