"""Calendar files are read here by tests.pages.reading, not by the library that writes them."""

from datetime import date, time, timedelta

import pytest
from django.test import Client

from accounts import calendars
from accounts.models import User
from clock import walls
from events import deadlines, schedule
from events.models import Deadline, Event, Process
from registrations import decisions, intake
from registrations.models import Delegate, Exemption
from stakeholders.models import Membership
from tests.conftest import an_event
from tests.pages.reading import calendar_of, moment_of, text_of

pytestmark = pytest.mark.django_db

ALL, OF_PROCESS = "/en/deadlines.ics", "/en/processes/gcm/calendar.ics"
EVENT = "/en/events/hearing/calendar.ics"
ME, RESET = "/en/accounts/me/", "/en/accounts/me/calendar/"
DAY = timedelta(days=1)
NAMES = ["Traor", "Ke", "Sow", "Amina", "Diallo", "aissata", "Diaspora"]


def uids(entries) -> list[str]:
    return [entry["UID"].removesuffix("@127.0.0.1") for entry in entries]


def closing(event: Event, closes_at, now, *, kind=Deadline.Kind.REGISTRATION) -> Deadline:
    return deadlines.set_deadline(event, kind=kind, closes_at=closes_at, by=None, now=now)


@pytest.fixture
def elsewhere(hearing, now) -> Event:
    """Of another process, over already."""
    other = Process.objects.create(slug="other", prefix="OTH", name_en="Other process")
    event = an_event(other, "elsewhere", hearing, starts_on=date(2018, 4, 1), ends_on="2018-04-02")
    closing(event, now - 30 * DAY, now - 90 * DAY)
    schedule.publish(event, by=None, now=now - 90 * DAY)
    return event


@pytest.fixture
def shown(second, now) -> Event:
    closing(second, now + 5 * DAY, now)
    schedule.publish(second, by=None, now=now)
    return second


# Whole processes, and all deadlines


def test_a_process_file_has_its_events_and_their_deadlines(client, hearing, shown, elsewhere):
    entries = calendar_of(client.get(OF_PROCESS))

    assert uids(entries) == [
        str(hearing.id),
        str(hearing.registration_deadline.id),
        str(shown.id),
        str(shown.registration_deadline.id),
    ]
    assert moment_of(entries[1]["DTSTART"]) == hearing.registration_deadline.closes_at
    assert moment_of(entries[2]["DTSTART"]) == shown.starts_on


def test_all_deadlines_stand_in_one_file_the_first_first(client, hearing, shown, elsewhere):
    entries = calendar_of(client.get(ALL))

    windows = list(Deadline.objects.order_by("closes_at"))
    assert uids(entries) == [str(window.id) for window in windows]
    assert [moment_of(entry["DTSTART"]) for entry in entries] == [
        window.closes_at.replace(microsecond=0) for window in windows
    ]
    assert [text_of(entry["DESCRIPTION"]) for entry in entries] == [each.said for each in windows]


@pytest.mark.parametrize("address", [ALL, OF_PROCESS])
def test_drafts_stand_in_no_file(client, hearing, second, now, address):
    draft = closing(second, now + DAY, now)

    assert {str(second.id), str(draft.id)}.isdisjoint(uids(calendar_of(client.get(address))))


def test_an_entry_is_the_same_in_every_file(client, hearing, deadline, now):
    deadlines.move(
        deadline, closes_at=deadline.closes_at + DAY, by=None, now=now, reason="Visas; and, more"
    )
    schedule.cancel(hearing, by=None, now=now, reason="No mandate")

    meeting, window = calendar_of(client.get(EVENT))

    assert calendar_of(client.get(OF_PROCESS)) == [meeting, window]
    assert calendar_of(client.get(ALL)) == [window]
    assert (meeting["STATUS"], window["STATUS"]) == ("CANCELLED", "CANCELLED")
    assert (meeting["SEQUENCE"], window["SEQUENCE"]) == ("1", "2")


def test_a_file_has_a_name_and_says_when_to_look_again(client, hearing):
    content = client.get(OF_PROCESS).content.decode()

    assert "NAME:Global Compact for Migration\r\n" in content
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n" in content
    assert client.get(OF_PROCESS)["Content-Disposition"] == 'attachment; filename="gcm.ics"'


def test_long_names_in_any_script_are_folded_between_characters(client, hearing):
    name = "جلسة استماع; بشأن, الاتفاق \\ العالمي 移民问题 " * 4
    Event.objects.filter(pk=hearing.pk).update(name_en=name.strip())

    meeting, window = calendar_of(client.get(EVENT))

    assert text_of(meeting["SUMMARY"]) == name.strip()
    assert text_of(window["SUMMARY"]) == f"Registration closes: {name.strip()}"


@pytest.mark.parametrize("address", [ALL, OF_PROCESS])
def test_files_ask_as_much_for_many_events_as_for_few(
    client, hearing, process, now, address, django_assert_num_queries
):
    for number in range(4):
        event = an_event(process, f"more-{number}", hearing)
        closing(event, now + DAY, now)
        schedule.publish(event, by=None, now=now)

    with django_assert_num_queries(4 if address == ALL else 5):
        client.get(address)


def test_a_file_that_is_known_is_not_sent_again(client, hearing, deadline, now):
    known = client.get(ALL)["ETag"]
    assert client.get(ALL, headers={"if-none-match": known}).status_code == 304

    deadlines.move(deadline, closes_at=deadline.closes_at + DAY, by=None, now=now, reason="Visas")

    assert client.get(ALL, headers={"if-none-match": known}).status_code == 200


def test_no_such_process(client, now):
    assert client.get("/en/processes/none/calendar.ics").status_code == 404


# The weeks in March 2018 in which New York had changed its clocks and Geneva had not


@pytest.fixture
def march(process, now) -> list[Event]:
    """In New York and in Geneva, before, between and after both changes: a meeting at ten, and a
    close at the end of the day."""
    events = []
    for zone in ("America/New_York", "Europe/Zurich"):
        for day in (date(2018, 3, 10), date(2018, 3, 11), date(2018, 3, 24), date(2018, 3, 25)):
            at = walls.moment(day, time(10), zone)
            event = Event.objects.create(
                process=process, slug=f"{zone[:2].lower()}-{day}", kind="hearing",
                name_en=f"{zone} {day}", starts_on=day, ends_on=day, zone=zone,
                starts_at=at, ends_at=at + timedelta(hours=8),
            )  # fmt: skip
            closing(event, walls.closing(day, None, zone), now)
            schedule.publish(event, by=None, now=now)
            events.append(event)
    return events


def test_files_carry_the_moments_of_the_database_over_both_changes_of_the_clocks(client, march):
    entries = {entry["UID"]: entry for entry in calendar_of(client.get(OF_PROCESS))}

    assert len(entries) == 2 * len(march)
    for event in march:
        event.refresh_from_db()
        meeting = entries[f"{event.id}@127.0.0.1"]
        window = entries[f"{event.registration_deadline.id}@127.0.0.1"]
        assert moment_of(meeting["DTSTART"]) == event.starts_at
        assert moment_of(meeting["DTEND"]) == event.ends_at
        assert moment_of(window["DTSTART"]) == event.registration_deadline.closes_at
    assert [entries[f"{event.id}@127.0.0.1"]["DTSTART"] for event in march] == [
        "20180310T150000Z", "20180311T140000Z", "20180324T140000Z", "20180325T140000Z",
        "20180310T090000Z", "20180311T090000Z", "20180324T090000Z", "20180325T080000Z",
    ]  # fmt: skip
    closings = [f"{event.registration_deadline.id}@127.0.0.1" for event in march]
    assert [entries[uid]["DTSTART"] for uid in closings] == [
        "20180311T050000Z", "20180312T040000Z", "20180325T040000Z", "20180326T040000Z",
        "20180310T230000Z", "20180311T230000Z", "20180324T230000Z", "20180325T220000Z",
    ]  # fmt: skip


# One's own


def own(user: User) -> str:
    user.refresh_from_db()
    return f"/en/calendars/{user.calendar_secret}.ics"


@pytest.fixture
def amina_subscribes(amina) -> str:
    calendars.renew(amina)
    return own(amina)


def test_the_owner_makes_resets_and_takes_away_the_address(client, amina, sent):
    client.force_login(amina)
    assert "calendars/" not in client.get(ME).content.decode()

    assert client.post(RESET)["Location"] == f"{ME}#calendar"
    first = own(amina)
    assert f'value="http://127.0.0.1:8000{first}"' in client.get(ME).content.decode()
    assert Client().get(first).status_code == 200

    client.post(RESET)
    second = own(amina)
    assert (Client().get(first).status_code, Client().get(second).status_code) == (404, 200)

    client.post(RESET, {"end": "1"})
    assert amina.refresh_from_db() or amina.calendar_secret == ""
    assert Client().get(second).status_code == 404


def test_it_has_the_events_of_ones_registrations_and_no_others(
    amina_subscribes, hearing, sent, shown, elsewhere, deadline, now
):
    confirmation = closing(hearing, now + 12 * DAY, now, kind=Deadline.Kind.CONFIRMATION)

    entries = calendar_of(Client().get(amina_subscribes))

    assert uids(entries) == [str(hearing.id), str(deadline.id), str(confirmation.id)]
    assert entries[0]["DESCRIPTION"] == f"Your registration: {sent.reference}"
    assert moment_of(entries[1]["DTSTART"]) == deadline.closes_at
    assert moment_of(entries[2]["DTSTART"]) == confirmation.closes_at.replace(microsecond=0)


def test_it_says_what_the_public_file_says_but_for_the_reference(
    client, amina_subscribes, sent, hearing
):
    (meeting, *windows) = calendar_of(client.get(amina_subscribes))
    meeting.pop("DESCRIPTION")

    assert [meeting, *windows] == calendar_of(client.get(EVENT))


def test_it_names_nobody(amina_subscribes, sent):
    content = Client().get(amina_subscribes).content.decode()

    assert sent.reference in content
    assert [name for name in NAMES if name in content] == []


def test_it_is_for_nobody_else_to_keep(amina_subscribes, sent):
    answer = Client().get(amina_subscribes)

    assert {"private", "no-store"} <= set(answer["Cache-Control"].replace(",", "").split())
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies


def test_what_is_withdrawn_leaves_it(amina_subscribes, amina, sent, now):
    intake.withdraw(sent, by=amina, now=now)

    assert calendar_of(Client().get(amina_subscribes)) == []


def test_whoever_leaves_the_group_reads_no_more_of_it(amina_subscribes, amina, sent):
    Membership.objects.filter(user=amina).update(state="left")

    assert calendar_of(Client().get(amina_subscribes)) == []


def test_whoever_may_not_sign_in_has_no_calendar(amina_subscribes, amina):
    User.objects.filter(pk=amina.pk).update(is_active=False)

    assert Client().get(amina_subscribes).status_code == 404


@pytest.mark.parametrize("guess", ["", "x", "A" * 43, "%00" * 43, "A" * 42 + "%0a", "é" * 43])
def test_nobody_guesses_an_address(client, amina, bo, guess):
    assert client.get(f"/en/calendars/{guess}.ics").status_code == 404


def test_looking_at_the_address_resets_nothing(client, amina, amina_subscribes):
    client.force_login(amina)

    assert client.get(RESET).status_code == 405
    assert own(amina) == amina_subscribes


def test_a_place_that_came_late_is_confirmed_later(amina_subscribes, hearing, sent, clara, now):
    """Two days at least, though the deadline for all is tomorrow."""
    confirmation = closing(hearing, now + DAY, now - DAY, kind=Deadline.Kind.CONFIRMATION)
    Delegate.objects.filter(registration=sent).update(state="submitted")
    decisions.approve(sent, list(sent.delegates.in_order()[:1]), by=clara, now=now)

    *_others, own_one = calendar_of(Client().get(amina_subscribes))

    assert own_one["UID"] == f"confirmation-{sent.id}@127.0.0.1"
    assert moment_of(own_one["DTSTART"]) == (now + 2 * DAY).replace(microsecond=0)
    assert moment_of(own_one["DTSTART"]) > confirmation.closes_at
    assert own_one["DESCRIPTION"] == f"Your registration: {sent.reference}"


def test_whoever_is_let_in_late_sees_until_when(amina_subscribes, amina, hearing, draft, now):
    exemption = Exemption.objects.create(
        event=hearing, organisation=draft.organisation, asked_by=amina, asked_at=now,
        reason="Late.", answered_by=amina, answered_at=now, until=now + 11 * DAY,
    )  # fmt: skip

    *_others, own_one = calendar_of(Client().get(amina_subscribes))

    assert own_one["UID"] == f"{exemption.id}@127.0.0.1"
    assert own_one["SUMMARY"] == "Registration closes: Hearing on the Global Compact"
    assert moment_of(own_one["DTSTART"]) == exemption.until.replace(microsecond=0)


def test_its_queries_are_counted(amina_subscribes, sent, hearing, django_assert_num_queries):
    """The owner; the registrations; events, deadlines and their changes; what happened to them; who
    has yet to confirm; who is let in."""
    with django_assert_num_queries(8):
        Client().get(amina_subscribes)
