"""Seats, waiting lists, replacements and late arrivals, as groups see them through the pages."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

import clock
from events import capacity
from events.models import Deadline, Event, Segment, Track
from registrations import decisions, exemptions, intake
from registrations.intake import Person
from registrations.models import Delegate, Exemption, Registration

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FACTS = {"name": "Diaspora Network", "acronym": "DN", "country": "ML", "category": "diaspora"}
BINTA = {"given_names": "Binta", "family_name": "Ba", "email": "", "role": "delegate"}


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture
def first_come(hearing) -> Event:
    Event.objects.filter(pk=hearing.pk).update(admission="first_come", seats=2)
    return Event.objects.get(pk=hearing.pk)


@pytest.fixture
def three(draft, amina, now) -> Registration:
    """A draft with three people."""
    for name in ("Moussa", "Fatoumata"):
        intake.add_person(draft, Person(name, "Keïta"), by=amina, now=now)
    return draft


@pytest.fixture
def closed(deadline, now) -> Deadline:
    """The window of the hearing has shut an hour ago."""
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now - HOUR, set_at=now - 9 * DAY)
    deadline.refresh_from_db()
    return deadline


def of_bo(event, bo, port_workers, now, people: int = 1) -> Registration:
    other = intake.begin(event, port_workers, by=bo, now=now)
    for number in range(people):
        intake.add_person(other, Person("Pia", str(number)), by=bo, now=now)
    intake.submit(other, by=bo, now=now)
    return other


# First come, first served


def test_the_confirmation_says_who_has_a_place_and_who_waits(at_desk, three, first_come, page):
    sent = at_desk.post(f"{page}check/", follow=True)

    said = words(sent)
    assert "2 people have a place. 1 person is on the waiting list. It reached us on" in said
    assert "Number 1 on the waiting list" in said
    waits = three.delegates.get(state="wait_listed")
    assert "Number 1 of 1 on the waiting list" in words(at_desk.get(waits.get_absolute_url()))


@pytest.mark.parametrize("shown", ["postponed", "cancelled"])
def test_nobody_is_promised_a_place_at_what_does_not_take_place(
    at_desk, three, first_come, page, shown
):
    at_desk.post(f"{page}check/")
    waits = three.delegates.get(state="wait_listed").get_absolute_url()
    assert "You get a letter at once." in words(at_desk.get(waits))
    Event.objects.update(state=shown)

    seen = words(at_desk.get(waits))

    assert f"This event is {shown}." in seen
    assert "You get a letter at once." not in seen


def test_the_place_on_the_list_counts_those_before(
    at_desk, three, first_come, page, bo, port_workers, now
):
    of_bo(first_come, bo, port_workers, now, people=4)
    at_desk.post(f"{page}check/")

    last = three.delegates.get(representative__given_names="Fatoumata")

    assert "Number 5 of 5 on the waiting list" in words(at_desk.get(last.get_absolute_url()))


def test_the_event_page_says_what_is_left(client, first_come, bo, port_workers, now):
    address = first_come.get_absolute_url()
    assert "2 seats; 2 left" in words(client.get(address))
    of_bo(first_come, bo, port_workers, now)
    assert "2 seats; 1 left" in words(client.get(address))


def test_the_event_page_says_when_it_is_full(client, first_come, bo, port_workers, now):
    of_bo(first_come, bo, port_workers, now, people=3)

    page = words(client.get(first_come.get_absolute_url()))

    assert "2 seats Full New registrations go to the waiting list." in page


def test_where_organisers_decide_the_page_does_not_say_what_is_left(client, hearing, clara, now):
    capacity.change(hearing, admission="reviewed", seats=50, cap=None, by=clara, now=now)

    page = words(client.get(hearing.get_absolute_url()))

    assert "50 seats The organisers decide about each person" in page
    assert "left" not in page.split("Seats")[1].split("Questions")[0]


def test_the_event_page_with_seats_asks_the_database_as_little(
    client, first_come, django_assert_num_queries
):
    with django_assert_num_queries(4):
        client.get(first_come.get_absolute_url())


# Parts and tracks


def test_parts_are_asked_for_only_where_their_seats_are_counted(at_desk, hearing, page):
    Segment.objects.create(event=hearing, name_en="Opening", date=hearing.starts_on)
    assert 'name="segments"' not in at_desk.get(f"{page}people/").content.decode()
    panel = Segment.objects.create(
        event=hearing, name_en="Panel 1", date=hearing.starts_on, seats=20
    )

    form = at_desk.get(f"{page}people/").content.decode()
    assert form.count('name="segments"') == 1
    at_desk.post(f"{page}people/", BINTA | {"segments": [str(panel.pk)]})

    binta = Delegate.objects.get(representative__given_names="Binta")
    assert [part.segment for part in binta.segments.all()] == [panel]
    assert "Panel 1" in words(at_desk.get(f"{page}check/"))
    shown = at_desk.get(binta.get_absolute_url()).content.decode()
    assert re.search(rf'value="{panel.pk}"[^>]*checked', shown)


@pytest.mark.parametrize("typed", ["x", "\x00", "6a1d3c1e-0000-4000-8000-000000000000"])
def test_a_part_that_is_none_gets_a_sentence(at_desk, hearing, page, typed):
    Segment.objects.create(event=hearing, name_en="Panel 1", date=hearing.starts_on, seats=20)

    response = at_desk.post(f"{page}people/", BINTA | {"segments": [typed]})

    assert response.context["form"].errors == {"segments": ["Choose from the parts in the list."]}
    kept = at_desk.get(f"{page}people/")
    assert 'value="Binta"' in kept.content.decode()


def test_the_page_of_a_person_says_what_became_of_the_parts(
    at_desk, first_come, three, page, amina, now
):
    panel = Segment.objects.create(
        event=first_come, name_en="Panel 1", date=first_come.starts_on, seats=1
    )
    for delegate in three.delegates.all():
        delegate.segments.create(segment=panel)
    at_desk.post(f"{page}check/")

    first, second, third = (
        words(at_desk.get(each.get_absolute_url())) for each in three.delegates.in_order()
    )

    assert "Panel 1 Given" in first
    assert "Panel 1 On the waiting list" in second
    assert "Panel 1 Asked for" in third


def test_the_track_is_asked_only_where_there_are_tracks(at_desk, hearing, page, draft):
    assert 'name="track"' not in at_desk.get(f"{page}organisation/").content.decode()
    first = Track.objects.create(event=hearing, name_en="In consultative status")
    Track.objects.create(event=hearing, name_en="Applies anew", position=1)
    hub = at_desk.get(page)
    assert [task["status"] for task in hub.context["tasks"]][0] == "In progress"

    missing = at_desk.post(f"{page}organisation/", FACTS)
    assert "Choose how your group takes part." in words(missing)
    at_desk.post(f"{page}organisation/", FACTS | {"track": str(first.pk)})

    draft.refresh_from_db()
    assert draft.track == first
    assert "In consultative status" in words(at_desk.get(f"{page}check/"))
    assert [task["status"] for task in at_desk.get(page).context["tasks"]][0] == "Completed"


@pytest.mark.parametrize("typed", ["x", "\x00", "6a1d3c1e-0000-4000-8000-000000000000"])
def test_a_track_that_is_none_gets_a_sentence(at_desk, hearing, page, typed):
    Track.objects.create(event=hearing, name_en="In consultative status")

    response = at_desk.post(f"{page}organisation/", FACTS | {"track": typed})

    assert response.status_code == 200
    assert "Choose one from the list." in words(response)


# Somebody else comes


def test_a_person_is_replaced_where_it_is_first_come(at_desk, three, first_come, page):
    at_desk.post(f"{page}check/")
    head = three.delegates.get(role="head")
    assert (
        f'href="{head.get_absolute_url()}replace/"'
        in at_desk.get(head.get_absolute_url()).content.decode()
    )
    assert "Who comes in place of" in words(at_desk.get(f"{head.get_absolute_url()}replace/"))

    new = at_desk.post(f"{head.get_absolute_url()}replace/", BINTA | {"role": "head"}, follow=True)

    assert "Binta Ba comes in place of Aïssata Traoré." in words(new)
    assert "In place of Aïssata Traoré ." in words(new)
    assert "Binta Ba comes instead." in words(at_desk.get(head.get_absolute_url()))


def test_where_organisers_decide_the_old_one_stays_until_then(at_desk, sent, clara, now):
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    moussa = sent.delegates.get(representative__given_names="Moussa")

    for _time in range(2):
        new = at_desk.post(f"{moussa.get_absolute_url()}replace/", BINTA, follow=True)

    assert "The organisers decide; you get a letter." in words(new)
    assert sent.delegates.count() == 4
    page = at_desk.get(moussa.get_absolute_url())
    assert "Binta Ba is named instead." in words(page)
    assert "Replace this person" not in words(page)


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"given_names": "\x00"},
        {"given_names": "x" * 5000, "role": "king"},
        BINTA | {"role": ""},
    ],
)
def test_a_replacement_that_is_nobody_gets_sentences(at_desk, sent, clara, now, typed):
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    moussa = sent.delegates.get(representative__given_names="Moussa")

    response = at_desk.post(f"{moussa.get_absolute_url()}replace/", typed)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert sent.delegates.count() == 3


def test_another_group_replaces_nobody(elsewhere, client, sent):
    address = f"{sent.delegates.first().get_absolute_url()}replace/"

    assert elsewhere.post(address, BINTA).status_code == 404
    assert client.post(address, BINTA).status_code == 302
    assert sent.delegates.count() == 3


# Too late


def test_a_late_draft_is_kept_and_asks_once(at_desk, page, draft, closed, clara, hearing):
    hub = words(at_desk.get(page))
    assert f"It closed on {closed.said}." in hub
    assert "Everything you typed is kept." in hub
    assert "Ask to be let in" in hub
    assert 'name="given_names"' not in at_desk.get(f"{page}people/").content.decode()
    empty = at_desk.post(f"{page}ask/", {"reason": " "})
    assert "Write why you come late." in words(empty)

    asked = at_desk.post(f"{page}ask/", {"reason": "The power was cut."}, follow=True)

    assert "Your request is with the organisers." in words(asked)
    assert "You asked on" in words(asked)
    assert "Ask to be let in" not in words(asked)
    assert at_desk.get(f"{page}ask/").status_code == 302
    at_desk.post(f"{page}ask/", {"reason": "Again."})
    assert Exemption.objects.get().reason == "The power was cut."


def test_what_is_typed_after_the_close_is_kept_and_not_added(at_desk, page, draft, closed):
    response = at_desk.post(f"{page}people/", BINTA)

    assert f"Registration closed on {closed.said}." in words(response)
    assert 'value="Binta"' in response.content.decode()
    assert draft.delegates.count() == 1
    assert "Typed, not added Binta Ba" in words(at_desk.get(f"{page}people/"))


def test_who_is_let_in_goes_on_as_if_it_were_open(at_desk, page, draft, closed, amina, clara, now):
    asked = exemptions.ask(draft, reason="The power was cut.", by=amina, now=now)
    exemptions.grant(asked, until=now + DAY, by=clara, now=now, answer="Until tomorrow.")

    hub = at_desk.get(page)
    assert "You are let in" in words(hub)
    assert "Until tomorrow." in words(hub)
    assert [task["status"] for task in hub.context["tasks"]][-1] == "Ready to send"
    mine = words(at_desk.get(reverse("registrations:mine")))
    assert "Closes in" in mine
    at_desk.post(f"{page}people/", BINTA)
    sent = at_desk.post(f"{page}check/", follow=True)

    assert "Your delegation is registered." in words(sent)
    assert Delegate.objects.filter(state="submitted").count() == 2


def test_after_that_moment_it_says_until_when_it_was(at_desk, page, draft, closed, clara, now):
    grant = exemptions.grant((draft.event, draft.organisation), until=now + DAY, by=clara, now=now)
    Exemption.objects.filter(pk=grant.pk).update(until=now - HOUR)

    hub = words(at_desk.get(page))
    late = at_desk.post(f"{page}check/")

    assert "Your group was let in until" in hub
    assert "Registration closed on" in words(late)
    assert Registration.objects.get().is_draft


def test_a_no_is_shown_with_its_reason(at_desk, page, draft, closed, amina, clara, now):
    asked = exemptions.ask(draft, reason="The power was cut.", by=amina, now=now)
    exemptions.refuse(asked, answer="The list is with security.", by=clara, now=now)

    hub = words(at_desk.get(page))

    assert "The organisers said no: The list is with security." in hub
    assert "Ask to be let in" not in hub


def test_a_group_that_is_let_in_begins_after_the_close_and_others_do_not(
    at_desk, elsewhere, hearing, closed, diaspora_network, port_workers, clara, now
):
    exemptions.grant((hearing, diaspora_network), until=now + DAY, by=clara, now=now)
    start = reverse("registrations:start", args=[hearing.slug])

    assert "You cannot register now" in words(elsewhere.get(start))
    refused = elsewhere.post(start, {"organisation": port_workers.pk, "choose": "1"})
    assert "Registration closed on" in words(refused)
    assert "You are let in" in words(at_desk.get(start))
    begun = at_desk.post(start, {"organisation": diaspora_network.pk, "choose": "1"}, follow=True)

    assert "Draft, not sent" in words(begun)
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("reason", ["", "\x00", "x" * 9999])
def test_bad_reasons_get_sentences(at_desk, page, draft, closed, reason):
    response = at_desk.post(f"{page}ask/", {"reason": reason})

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Exemption.objects.exists()


def test_nobody_asks_while_it_is_open_or_for_what_is_sent(at_desk, page, draft, amina):
    assert at_desk.get(f"{page}ask/").status_code == 302
    refused = at_desk.post(f"{page}ask/", {"reason": "Please"}, follow=True)
    assert "has not closed. You need not ask." in words(refused)
    intake.submit(draft, by=amina, now=clock.now())
    at_desk.post(f"{page}ask/", {"reason": "Please"})

    assert not Exemption.objects.exists()
