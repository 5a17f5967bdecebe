import re
from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse

from clock import shown, walls
from events import deadlines, schedule
from events.models import Deadline, Document, Event, Process, Segment
from registrations import intake
from tests.conftest import let_in

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
POLICY = {
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
}


@pytest.fixture
def publish(process, now):
    """An event, published ten days ago, so many days from now."""

    def publish(
        slug: str,
        *,
        days: int = 30,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
        kind: str = Event.Kind.THEMATIC_SESSION,
        of: Process = process,
    ) -> Event:
        event = Event.objects.create(
            process=of,
            slug=slug,
            kind=kind,
            name_en=f"Meeting {slug}",
            starts_on=now.date() + days * DAY,
            ends_on=now.date() + days * DAY,
            zone="Europe/Zurich",
        )
        if closes_at:
            deadlines.set_deadline(
                event,
                kind=Deadline.Kind.REGISTRATION,
                opens_at=opens_at,
                closes_at=closes_at,
                by=None,
                now=now - 10 * DAY,
            )
        schedule.publish(event, by=None, now=now - 10 * DAY)
        return event

    return publish


def slugs(rows) -> list[str]:
    return [row["event"].slug for row in rows]


def read(client, event: Event, language: str = "en") -> str:
    page = client.get(f"/{language}/events/{event.slug}/")
    assert page.status_code == 200
    return page.content.decode()


# Home


def test_home_lists_what_is_open_the_soonest_to_close_first(client, publish, now):
    publish("later", closes_at=now + 9 * DAY)
    publish("sooner", closes_at=now + 2 * DAY, opens_at=now - DAY)
    publish("shut", closes_at=now - HOUR)
    publish("without")

    page = client.get("/en/")

    assert slugs(page.context["open"]) == ["sooner", "later"]
    assert page.context["soon"] == []
    text = page.content.decode()
    assert text.index("Meeting sooner") < text.index("Meeting later")
    assert "Meeting shut" not in text
    assert "Meeting without" not in text


def test_home_lists_what_opens_later_the_first_to_open_first(client, publish, now):
    publish("second", opens_at=now + 5 * DAY, closes_at=now + 6 * DAY)
    publish("first", opens_at=now + 3 * DAY, closes_at=now + 9 * DAY)

    page = client.get("/en/")

    assert page.context["open"] == []
    assert slugs(page.context["soon"]) == ["first", "second"]
    assert "Nothing is open for registration at the moment." in page.content.decode()


@pytest.mark.parametrize("state", ["draft", "postponed", "cancelled"])
def test_home_does_not_invite_to_what_does_not_take_place(client, publish, now, state):
    event = publish("meeting", closes_at=now + 2 * DAY)
    Event.objects.filter(pk=event.pk).update(state=state)

    page = client.get("/en/")

    assert page.context["open"] == page.context["soon"] == []


def test_home_says_where_the_process_stands(client, publish, now):
    publish("past", days=-40)
    publish("coming", closes_at=now + 2 * DAY)
    publish("round", days=60, kind=Event.Kind.NEGOTIATION_ROUND)

    page = client.get("/en/")

    assert [(step["title"], step["state"]) for step in page.context["steps"]] == [
        ("Thematic sessions", "current"),
        ("Negotiations", "next"),
    ]


def test_home_stands_without_any_event(client, now):
    assert client.get("/en/").status_code == 200


def test_the_bare_address_leads_to_the_readers_language(client, now):
    arabic = client.get("/", headers={"accept-language": "ar,en;q=0.5"})
    other = client.get("/", headers={"accept-language": "sw"})

    assert (arabic.status_code, arabic["Location"]) == (302, "/ar/")
    assert (other.status_code, other["Location"]) == (302, "/en/")


# Lists


def test_an_event_is_past_when_its_last_day_is_over_where_it_takes_place(publish, now):
    event = publish("last-day", days=0)
    over = walls.closing(event.ends_on, None, "Europe/Zurich")

    assert not event.is_over(over - timedelta(microseconds=1))
    assert event.is_over(over)


def test_the_page_of_a_process_shows_its_events_and_categories_only(client, publish, process):
    other = Process.objects.create(slug="other", name_en="Another process")
    publish("ours")
    publish("theirs", of=other)

    page = client.get("/en/processes/gcm/")

    assert slugs(page.context["coming"]) == ["ours"]
    assert [category.name for category in page.context["categories"]] == [
        "Diaspora and migrant organisations",
        "Trade unions",
        "Academia",
    ]


@pytest.mark.parametrize("address", ["events/nowhere/", "processes/nowhere/"])
def test_what_does_not_exist_is_not_found(client, now, address):
    assert client.get(f"/en/{address}").status_code == 404


FAR_DAYS = ["0001-01-01", "9999-12-31"]
FAR = ["Write a day from 1990 to 2100, like 2018-02-07."]


@pytest.mark.parametrize("day", FAR_DAYS)
def test_an_event_moved_to_a_day_far_from_ours_takes_no_page_down(client, hearing, clara, day):
    let_in(client, clara)

    answer = client.post(
        reverse("admin:events_event_move", args=[hearing.pk]),
        {"starts_on": day, "ends_on": day, "reason": "The room", "confirm": "yes"},
    )

    assert answer.context["form"].errors == {"starts_on": FAR, "ends_on": FAR}
    for address in ("", "events/", "processes/gcm/", "events/hearing/"):
        assert client.get(f"/en/{address}").status_code == 200
    assert client.get(hearing.calendar_url).status_code == 200


@pytest.mark.parametrize("day", FAR_DAYS)
def test_an_event_entered_for_a_day_far_from_ours_is_refused(client, process, clara, day):
    let_in(client, clara)
    lists = {
        f"{name}-{count}": 0
        for name in ("segments", "documents")
        for count in ("TOTAL_FORMS", "INITIAL_FORMS")
    }

    answer = client.post(
        reverse("admin:events_event_add"),
        {
            "process": process.pk,
            "kind": "hearing",
            "slug": "far",
            "name_en": "Far hearing",
            "zone": "Europe/Zurich",
            "starts_on": day,
            "ends_on": day,
            "mode": "in_person",
            **lists,
        },
    )

    assert answer.context["adminform"].form.errors == {"starts_on": FAR, "ends_on": FAR}
    assert not Event.objects.exists()


# One event


def test_a_draft_of_an_event_is_not_found(client, hearing, clara):
    Event.objects.filter(pk=hearing.pk).update(state="draft")

    assert client.get("/en/events/hearing/").status_code == 404
    assert client.get("/en/events/hearing/calendar.ics").status_code == 404


def test_an_open_event_says_until_when_and_where_to_begin(client, hearing, deadline):
    page = read(client, hearing)

    assert '<span class="tag ok">Registration open</span>' in page
    assert shown.closing(deadline.closes_at, deadline.zone) in page
    assert ", 23:59" in shown.closing(deadline.closes_at, deadline.zone)
    assert deadline.zone_said in page
    assert 'href="/en/events/hearing/register/"' in page


def test_before_the_window_opens_one_cannot_begin(client, hearing, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(opens_at=now + DAY)

    page = read(client, hearing)

    assert "Registration not open yet" in page
    assert shown.moment(now + DAY, deadline.zone) in page
    assert "/register/" not in page


def test_after_the_close_one_cannot_begin(client, hearing, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now)

    page = read(client, hearing)

    assert '<span class="tag">Registration closed</span>' in page
    assert "/register/" not in page


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (schedule.postpone, "This event is postponed"),
        (schedule.cancel, "This event is cancelled"),
    ],
)
def test_what_does_not_take_place_says_so_and_takes_nobody(client, hearing, now, act, said):
    act(hearing, by=None, now=now, reason="The room was taken")

    page = read(client, hearing)

    assert said in page
    assert "/register/" not in page


def test_who_sent_a_delegation_to_a_cancelled_event_sees_it_still(client, sent, amina, now):
    schedule.cancel(sent.event, by=None, now=now, reason="No mandate")
    client.force_login(amina)

    page = read(client, sent.event)

    assert "This event is cancelled" in page
    assert f'href="{sent.get_absolute_url()}"' in page


def test_a_moved_deadline_shows_the_old_date_struck_out_and_the_reason(
    client, hearing, deadline, now
):
    old = shown.closing(deadline.closes_at, deadline.zone)
    deadlines.move(
        deadline,
        closes_at=deadline.closes_at + 3 * DAY,
        by=None,
        now=now,
        reason="Visas take <longer>",
    )

    page = read(client, hearing)

    assert page.count(f">{old}</s>") == 2
    assert shown.closing(deadline.closes_at, deadline.zone) in page
    assert "The date was extended: Visas take &lt;longer&gt;" in page


def test_after_two_moves_the_date_before_the_last_one_is_struck_out(client, hearing, deadline, now):
    first = shown.closing(deadline.closes_at, deadline.zone)
    for days, reason in ((3, "Visas"), (5, "Holidays")):
        deadlines.move(
            deadline,
            closes_at=deadline.closes_at + days * DAY,
            by=None,
            now=now + days * HOUR,
            reason=reason,
        )
    second = shown.closing(deadline.last_change.old_closes_at, deadline.zone)

    page = read(client, hearing)

    assert first != second
    assert f">{second}</s>" in page
    assert f">{first}</s>" not in page
    assert "The date was extended: Holidays" in page


def test_a_past_event_says_so(client, publish):
    page = read(client, publish("past", days=-3))

    assert '<span class="tag">Past event</span>' in page
    assert "/register/" not in page


def test_an_event_shows_its_days_and_documents_in_order(client, hearing):
    for name, hour in (("Second panel", 15), ("First panel", 10)):
        Segment.objects.create(
            event=hearing,
            date=hearing.starts_on,
            name_en=name,
            starts_at=datetime.combine(
                hearing.starts_on, datetime.min.time(), walls.zone_of(hearing.zone)
            )
            + hour * HOUR,
        )
    Document.objects.create(event=hearing, title_en="Programme", url="https://example.org/p.pdf")

    page = read(client, hearing)

    assert page.index("First panel") < page.index("Second panel")
    assert '<a href="https://example.org/p.pdf">Programme</a>' in page


def test_key_dates_stand_in_order_of_time(client, hearing, deadline, now):
    deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.SPEAKING,
        opens_at=now - DAY,
        closes_at=now + DAY,
        by=None,
        now=now,
    )

    page = client.get("/en/events/hearing/")

    assert [(step["title"], step["state"]) for step in page.context["key_dates"]] == [
        ("Speaking requests: opens", "done"),
        ("Speaking requests: closes", "current"),
        ("Registration: closes", "next"),
        ("Hearing", "next"),
    ]


def test_the_reader_is_led_on_to_a_draft_of_their_own_and_of_nobody_else(
    client, hearing, draft, amina, bo
):
    client.force_login(amina)
    assert f'href="{draft.get_absolute_url()}"' in read(client, hearing)

    client.force_login(bo)
    page = read(client, hearing)
    assert draft.reference not in page
    assert 'href="/en/events/hearing/register/"' in page


def test_nobody_is_published(client, hearing, sent):
    page = read(client, hearing)

    for words in ("Traoré", "Keïta", "Sow", "Diaspora Network", sent.reference):
        assert words not in page


def test_who_sent_a_delegation_sees_it_after_the_close_too(
    client, hearing, deadline, sent, amina, now
):
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now)
    client.force_login(amina)

    assert f'href="{sent.get_absolute_url()}"' in read(client, hearing)


def test_the_arabic_page_runs_from_right_to_left_with_latin_digits(client, hearing, deadline):
    page = read(client, hearing, "ar")

    assert '<html lang="ar" dir="rtl"' in page
    assert not set(page) & set("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")
    local = walls.last_minute(deadline.closes_at, deadline.zone)
    assert f"{local.day} {shown.UN_MONTHS[local.month - 1]} {local.year}" in page


# Every page


@pytest.fixture
def addresses(hearing) -> list[str]:
    names = [
        reverse("pages:home"),
        reverse("pages:events"),
        reverse("pages:process", args=["gcm"]),
        reverse("pages:event", args=["hearing"]),
        reverse("pages:event_ics", args=["hearing"]),
        "/en/nowhere/",
    ]
    return [*names, *(name.replace("/en/", "/ar/", 1) for name in names)]


def test_pages_for_everybody_set_no_cookie(client, addresses):
    answers = {address: client.get(address) for address in addresses}

    assert {address: list(answer.cookies) for address, answer in answers.items()} == dict.fromkeys(
        addresses, []
    )
    assert "csrfmiddlewaretoken" not in "".join(
        answer.content.decode() for answer in answers.values()
    )


def test_every_answer_carries_the_strict_policy(client, addresses, clara):
    let_in(client, clara)
    for address in [*addresses, "/healthz", "/readyz", "/admin/", "/en/registrations/"]:
        policy = client.get(address)["Content-Security-Policy"]
        assert set(policy.split("; ")) == POLICY, address


def test_no_page_has_a_style_or_a_script_within(client, addresses):
    for address in addresses:
        page = client.get(address).content.decode()
        assert " style=" not in page, address
        assert "<style" not in page, address
        assert " onclick=" not in page, address
        assert "<script>" not in page, address


@pytest.mark.parametrize("address", ["/en/", "/en/events/", "/en/processes/gcm/"])
def test_more_events_do_not_need_more_queries(
    client, publish, now, django_assert_max_num_queries, address
):
    for number in range(12):
        publish(f"m{number}", days=number, closes_at=now + 2 * DAY)

    with django_assert_max_num_queries(8):
        client.get(address)


def test_the_days_of_an_event_are_those_of_its_place(client, hearing):
    Event.objects.filter(pk=hearing.pk).update(
        starts_on=date(2030, 2, 21),
        ends_on=date(2030, 2, 21),
        starts_at=walls.moment(date(2030, 2, 21), datetime(2030, 1, 1, 20).time(), hearing.zone),
    )

    page = read(client, hearing)

    assert "Thursday 21 February 2030, 20:00" in page
    assert "New York time (UTC−5)" in page


def test_a_draft_begun_elsewhere_counts_as_the_readers_own(
    client, hearing, diaspora_network, amina, bo, now
):
    from stakeholders.models import Membership

    Membership.objects.create(user=bo, organisation=diaspora_network, kind="focal_point")
    registration = intake.begin(hearing, diaspora_network, by=amina, now=now)
    client.force_login(bo)

    assert f'href="{registration.get_absolute_url()}"' in read(client, hearing)


# Being told


def test_an_event_that_has_been_offers_no_news(client, publish):
    assert "/follow/" not in read(client, publish("past", days=-3))
    assert 'href="/en/events/coming/follow/"' in read(client, publish("coming"))


def test_the_offer_says_what_there_is_to_hear(client, publish, now):
    for slug, window, words in (
        ("ahead", {"opens_at": now + DAY, "closes_at": now + 3 * DAY}, "when it opens"),
        ("open", {"closes_at": now + 3 * DAY}, "before it closes"),
        ("shut", {"closes_at": now - HOUR}, "when something moves"),
        ("without", {}, "when something moves"),
    ):
        assert f"Tell me {words}" in read(client, publish(slug, **window))


def test_no_page_for_everybody_sets_a_cookie_or_carries_a_form(client, publish, now):
    event = publish("meeting", closes_at=now + 3 * DAY)

    for address in (event.get_absolute_url(), "/en/processes/gcm/", "/en/"):
        assert "<form" not in client.get(address).content.decode()
    assert not client.cookies


@pytest.mark.parametrize("over", ["cancelled", "postponed"])
def test_seats_are_not_offered_for_what_does_not_take_place(client, publish, now, over):
    event = publish("meeting", closes_at=now + 3 * DAY)
    Event.objects.filter(pk=event.pk).update(seats=50, admission="first_come")
    assert "50 seats" in read(client, event)

    Event.objects.filter(pk=event.pk).update(state=over)

    assert "50 seats" not in read(client, event)


# The states of an event


def aside(page: str) -> str:
    """The words of the card beside the text."""
    card = re.search(r"<aside.*?</aside>", page, re.DOTALL).group()
    return " ".join(re.sub(r"<[^>]+>", " ", card).split())


def test_before_it_opens_one_can_ask_to_be_told(client, hearing, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(opens_at=now + DAY)

    page = read(client, hearing)

    assert f'<a class="btn wide alt" href="{reverse("events:follow", args=["hearing"])}">' in page
    assert "Registration opens" in aside(page)
    assert f'data-local="{(now + DAY).strftime("%Y-%m-%dT%H:%M:%SZ")}"' in page
    assert aside(page).count("Tell me") == 1


def test_the_last_24_hours_are_said_calmly(client, hearing, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now + DAY)

    page = read(client, hearing)

    assert '<span class="tag ok">Registration open</span>' in page
    assert '<span class="tag warn">Last 24 hours</span>' in page
    assert "What you save is kept in any case." in aside(page)
    assert 'class="tag bad"' not in page


def test_an_earlier_close_is_no_extension(client, hearing, deadline, now):
    deadlines.move(
        deadline, closes_at=deadline.closes_at - DAY, by=None, now=now, reason="The room"
    )

    assert "The date was changed: The room" in aside(read(client, hearing))


def test_where_all_seats_are_given_one_registers_for_the_waiting_list(client, hearing):
    Event.objects.filter(pk=hearing.pk).update(seats=0, admission="first_come")

    page = read(client, hearing)

    assert '<span class="tag warn">Full: waiting list</span>' in page
    assert "Register for the waiting list" in aside(page)
    assert "new people wait in the order of their registration" in aside(page)
    assert "Start registration" not in page


def test_after_the_close_a_draft_is_found_again(client, hearing, deadline, now):
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now)

    page = read(client, hearing)

    assert "Your draft is kept, and you can ask from it to be let in." in aside(page)
    assert f'href="{reverse("registrations:mine")}"' in re.search(r"<aside.*", page, re.S).group()


@pytest.mark.parametrize("act", [schedule.postpone, schedule.cancel])
def test_why_it_does_not_take_place_is_said(client, hearing, now, act):
    act(hearing, by=None, now=now, reason="The <room> was taken")

    page = read(client, hearing)

    assert "Why: The &lt;room&gt; was taken" in aside(page)
    assert ("Tell me when the new dates are known" in aside(page)) is (act == schedule.postpone)


def test_why_it_was_moved_is_said_beside_the_old_days(client, hearing, now):
    old = shown.days(hearing.starts_on, hearing.ends_on)
    later = hearing.starts_on + 7 * DAY
    days = {"starts_on": later, "ends_on": later, "starts_at": None, "ends_at": None}
    schedule.move(hearing, **days, by=None, now=now, reason="A holiday")

    page = read(client, hearing)

    assert f'<s class="mute">{old}</s>' in page
    assert "Why it was moved: <bdi>A holiday</bdi>" in page


def test_a_postponed_event_is_not_over_when_its_old_days_are(client, publish, now):
    event = publish("old-days", days=-3)
    Event.objects.filter(pk=event.pk).update(state="postponed")

    page = read(client, event)

    assert "This event is postponed" in aside(page)
    assert "/follow/" in page


def test_an_event_that_has_been_says_what_there_is_of_it(client, publish, now):
    event = publish("past", days=-3, closes_at=now - 5 * DAY)
    assert "No recording and no document of it is known here." in aside(read(client, event))
    Event.objects.filter(pk=event.pk).update(recording_url="https://media.example.org/1")
    Segment.objects.create(event=event, date=event.starts_on, name_en="Opening")
    Document.objects.create(
        event=event, title_en="Summary", url="https://www.un.org/doc/summary.pdf", language="fr"
    )

    page = read(client, event)

    assert aside(page) == (
        "This event has been What there is of it: Recording Programme Documents and outcome"
        " Other events of this process"
    )
    assert '<h2 id="documents-title">Documents and outcome</h2>' in page
    assert "(PDF, French, " in page
    assert '<bdi dir="ltr">un.org</bdi>' in page
    assert "Registration closed" not in aside(page)


def test_an_address_without_an_ending_is_no_file(client, hearing):
    Document.objects.create(event=hearing, title_en="Page", url="https://example.org/a.b/page.v2")

    assert '(<bdi dir="ltr">example.org</bdi>)' in read(client, hearing)


@pytest.mark.parametrize("turned", [None, schedule.postpone, schedule.cancel])
def test_an_event_page_asks_the_database_as_seldom_as_it_can(
    client, hearing, clara, now, django_assert_num_queries, turned
):
    Segment.objects.create(event=hearing, name_en="Opening", date=hearing.starts_on)
    Document.objects.create(event=hearing, title_en="Agenda", url="https://example.org/a.pdf")
    if turned:
        turned(hearing, by=clara, now=now, reason="The room")

    # clock; event with all that is its own; windows; their moves
    with django_assert_num_queries(4):
        page = read(client, hearing)
    assert all(word in page for word in ("Opening", "Agenda", "The room" if turned else "Opening"))
