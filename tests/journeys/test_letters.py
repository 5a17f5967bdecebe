"""What stands in the letters: complete without HTML, safe with it, in the reader's language."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve

from clock import shown, walls
from events import deadlines, following
from events.models import Deadline, Event, Follower
from notifications.models import Kind, Letter
from notifications.writing import Reader
from registrations import decisions, exchanges, intake, invitations, mails, reminders
from registrations.audiences import Audience, Concerned
from registrations.models import Delegate, Invitation
from stakeholders import membership
from stakeholders.models import Organisation

pytestmark = pytest.mark.django_db

FREE = "Registration is free. Beware of anybody who sells places or invitations."
BAD = 'Eve <script>alert("x")</script> & Co\r\nBcc: all@example.org'
PLACES = re.compile(r"https?://\S+")


def letter(name: str) -> Letter:
    return Letter.objects.get(key__startswith=f"{name}:")


def every_letter(sent, clara, amina, deadline, now) -> dict[str, Letter]:
    """One of each, by the acts that bring them about."""
    head, second, speaker = sent.delegates.in_order()
    decisions.ask(sent, [speaker], by=clara, now=now, question="Which <topic>?")
    exchanges.answer(speaker, "Remittances & rights", by=amina, now=now)
    decisions.approve(sent, [head], by=clara, now=now)
    decisions.decline(sent, [second], by=clara, now=now, reason="Not on the list, she said <b>")
    intake.withdraw_person(head, by=amina, now=now)
    intake.withdraw(sent, by=amina, now=now)
    drafts = Concerned(Reader.of(amina), since={Audience.DRAFTS: now}, registrations=[sent])
    mails.reminder(deadline, "7d", [drafts], now=now)
    return {
        one.key.split(":")[0].replace("reminder", "deadline_near"): one
        for one in Letter.objects.all()
    }


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.names.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]


def links(text: str) -> list[str]:
    return [place.removeprefix(settings.BASE_URL) for place in PLACES.findall(text)]


def test_there_is_one_of_each(sent, clara, amina, deadline, now):
    assert set(every_letter(sent, clara, amina, deadline, now)) == {
        "received", "asked", "answered", "approved", "declined", "person_withdrawn", "withdrawn",
        "deadline_near",
    }  # fmt: skip


def test_each_begins_with_what_happened_the_reference_the_event_and_its_date(
    sent, clara, amina, deadline, hearing, now
):
    for name, one in every_letter(sent, clara, amina, deadline, now).items():
        first = one.text.split("\n")
        assert first[0].endswith("."), name
        top = "\n".join(first[:9])
        assert f"Reference: {sent.reference}" in top, name
        assert f"Event: {hearing.name}" in top, name
        assert f"Date: {shown.day(hearing.starts_on)}, New York" in top, name


def test_each_has_one_link_to_act_and_says_that_a_person_reads_and_nothing_is_sold(
    sent, clara, amina, deadline, now
):
    for name, one in every_letter(sent, clara, amina, deadline, now).items():
        acting, *stop, home = links(one.text)
        assert Tags(one.html).links == [settings.BASE_URL + link for link in (acting, *stop)], name
        assert len(stop) == (one.kind == Kind.REMINDER), name
        assert home == "/en/"
        assert resolve(acting).view_name in {"registrations:registration", "registrations:person"}
        for part in (one.text, one.html):
            assert (
                "Registration is free. Beware of anybody who sells places or invitations." in part
            )
            assert "hearing@secretariat.example" in part
        assert one.reply_to == "hearing@secretariat.example"


def test_each_has_a_subject_of_one_line_with_the_event_and_the_reference(
    sent, clara, amina, deadline, hearing, now
):
    subjects = {
        name: one.subject for name, one in every_letter(sent, clara, amina, deadline, now).items()
    }

    about = f"{hearing.name} ({sent.reference})"
    assert subjects == {
        "received": f"Received: {about}",
        "asked": f"A question to you: {about}",
        "answered": f"Your answer has arrived: {about}",
        "approved": f"Approved: {about}",
        "declined": f"Declined: {about}",
        "person_withdrawn": f"One person withdrawn: {about}",
        "withdrawn": f"Withdrawn: {about}",
        "deadline_near": f"Not sent yet: {about}",
    }


def test_nothing_is_fetched_and_language_and_direction_are_said(sent, clara, amina, deadline, now):
    for name, one in every_letter(sent, clara, amina, deadline, now).items():
        assert not {"img", "script", "link", "iframe", "object"} & set(Tags(one.html).names), name
        assert "url(" not in one.html
        assert '<html lang="en" dir="ltr">' in one.html
        assert "prefers-color-scheme: dark" in one.html


def test_words_of_people_are_not_escaped_in_text_and_are_escaped_in_html(
    sent, clara, amina, deadline, now
):
    found = every_letter(sent, clara, amina, deadline, now)

    assert "Not on the list, she said <b>" in found["declined"].text
    assert "Not on the list, she said &lt;b&gt;" in found["declined"].html
    assert "Which <topic>?" in found["asked"].text
    assert "Remittances & rights" in found["answered"].text
    for one in found.values():
        assert "&amp;" not in one.text
        assert "&#x27;" not in one.text


def test_markup_and_breaks_in_names_break_neither_subject_nor_html(sent, hearing, deadline, now):
    Event.objects.update(name_en=BAD)
    Organisation.objects.update(name=BAD)
    person = sent.delegates.select_related("representative").first()
    person.representative.given_names = BAD
    person.representative.save()
    sent.refresh_from_db()
    Letter.objects.all().delete()

    mails.received(sent, deadline, now=now)

    one = letter("received")
    assert "\n" not in one.subject
    assert "\r" not in one.subject
    assert one.subject.endswith(f"({sent.reference})")
    assert "script" not in Tags(one.html).names
    assert one.html.count("&lt;script&gt;") == 3


def test_received_names_everybody(sent):
    assert (
        "3 people were sent:\n"
        "- Aïssata Traoré, Head of delegation\n"
        "- Moussa Keïta, Delegate\n"
        "- Fatoumata Sow, Asks to speak\n"
    ) in letter("received").text


def test_one_approval_of_two_is_one_letter_that_names_both(sent, clara, now):
    decisions.approve(sent, sent.delegates.in_order()[:2], by=clara, now=now)

    one = letter("approved")
    assert one.text.startswith("2 people of your delegation are approved.\n")
    assert re.findall(r"^- (.*),", one.text, re.M) == ["Aïssata Traoré", "Moussa Keïta"]


def test_question_leads_to_the_page_where_it_is_answered(sent, clara, now):
    person = sent.delegates.get(role="speaker")
    decisions.ask(sent, [person], by=clara, now=now, question="Which topic?")

    assert links(letter("asked").text)[0] == person.get_absolute_url()


def test_reader_gets_their_own_language_and_links_in_it(draft, amina, now):
    amina.language = "ar"
    amina.save()

    intake.submit(draft, by=amina, now=now)

    one = letter("received")
    assert one.language == "ar"
    assert '<html lang="ar" dir="rtl">' in one.html
    assert links(one.text) == [f"/ar/registrations/{draft.reference}/", "/ar/"]
    assert "جلسة استماع بشأن الاتفاق العالمي" in one.subject


def test_each_focal_point_reads_the_letter_in_their_own_language(
    draft, amina, diaspora_network, now
):
    colleague = type(amina).objects.create_user("colleague@diaspora.example", language="ar")
    diaspora_network.memberships.create(user=colleague)

    intake.submit(draft, by=amina, now=now)

    assert {(one.to, one.language) for one in Letter.objects.all()} == {
        ("amina@diaspora.example", "en"),
        ("colleague@diaspora.example", "ar"),
    }


def test_reminder_says_the_moment_in_both_zones_and_never_how_long(draft, amina, deadline, now):
    amina.zone = "Asia/Kathmandu"
    amina.save()
    last = walls.last_minute(deadline.closes_at, deadline.zone)

    reminders.send_due(now=deadline.closes_at - timedelta(hours=20))

    one = letter("reminder")
    assert one.kind == Kind.REMINDER
    for part in (one.text, one.html):
        assert f"Registration closes: {deadline.said}" in part
        assert (
            f"In your time zone: {shown.moment(last, 'Asia/Kathmandu')}, Kathmandu time (UTC+5:45)"
        ) in part
        assert not re.search(r"\bleft\b|\bin \d+ (day|hour)|tomorrow|today", part)
    assert "23:59, New York time" in one.text
    assert one.expires_at == deadline.closes_at


def test_reader_in_the_zone_of_the_event_reads_the_moment_once(draft, amina, deadline):
    amina.zone = deadline.zone
    amina.save()

    reminders.send_due(now=deadline.closes_at - timedelta(hours=20))

    assert "In your time zone" not in letter("reminder").text


def test_reminder_of_two_drafts_names_both_and_leads_to_the_list(
    draft, amina, hearing, deadline, now
):
    second = membership.found(
        Organisation(name="Second Network", country="SN", category="diaspora"), by=amina, now=now
    )
    other = intake.begin(hearing, second, by=amina, now=now)

    reminders.send_due(now=deadline.closes_at - timedelta(hours=20))

    one = letter("reminder")
    assert one.text.startswith("Your 2 registrations are not sent yet.\n")
    assert re.findall(r"^Reference: (\S+), (.*)$", one.text, re.M) == [
        (draft.reference, "Diaspora Network"),
        (other.reference, "Second Network"),
    ]
    assert one.subject.endswith(f"({draft.reference} and 1 more)")
    assert links(one.text)[0] == "/en/registrations/"


def test_nobody_is_written_to_about_a_draft_given_up(draft, amina, now):
    intake.withdraw(draft, by=amina, now=now)

    assert not Letter.objects.exists()
    assert set(draft.delegates.values_list("state", flat=True)) == {Delegate.State.WITHDRAWN}


def test_postponed_event_has_no_date_in_its_letters(sent, hearing, amina, now):
    Event.objects.update(state=Event.State.POSTPONED)
    sent.refresh_from_db()

    intake.withdraw(sent, by=amina, now=now)

    assert "Date: postponed, the new dates are not known yet" in letter("withdrawn").text


def test_hours_of_an_event_come_with_the_zone_of_its_place(sent, hearing, amina, now):
    starts_at = walls.start_of(hearing.starts_on, hearing.zone) + timedelta(hours=10)
    Event.objects.update(starts_at=starts_at, ends_at=starts_at + timedelta(hours=8))
    sent.refresh_from_db()

    intake.withdraw(sent, by=amina, now=now)

    when = f"{shown.moment(starts_at, hearing.zone)}, {shown.zone_name(hearing.zone, starts_at)}"
    assert f"Date: {when}\n" in letter("withdrawn").text


def address_in(one: Letter) -> str:
    return links(one.text)[0]


def test_person_confirms_by_the_link_in_the_letter_without_an_account(
    sent, hearing, clara, now, client
):
    deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now + timedelta(days=12),
        by=clara,
        now=now,
    )
    head = sent.delegates.in_order()[0]
    decisions.approve(sent, [head], by=clara, now=now)
    asked = letter("confirm")
    assert asked.to == "aissata@diaspora.example"

    page = client.get(address_in(asked))
    assert "Aïssata Traoré" in page.content.decode()
    client.post(address_in(asked), {"answer": "yes"})

    head.refresh_from_db()
    assert head.state == Delegate.State.CONFIRMED
    assert letter("confirmed").to == "amina@diaspora.example"


def test_follower_confirms_is_reminded_and_stops_with_the_click_of_a_mail_program(
    hearing, deadline, now, client
):
    published_at = hearing.published_at
    following.follow("fan@press.example", on=hearing, language="en", zone="UTC", now=published_at)
    client.post(address_in(letter("follow")))
    Follower.objects.update(confirmed_at=published_at)

    reminders.send_due(now=deadline.closes_at - timedelta(hours=47))
    told = letter("reminder")
    assert told.to == "fan@press.example"
    program = Client(enforce_csrf_checks=True)
    stop = told.headers["List-Unsubscribe"].strip("<>").removeprefix(settings.BASE_URL)
    assert program.post(stop, {"List-Unsubscribe": "One-Click"}).status_code == 200

    reminders.send_due(now=deadline.closes_at - timedelta(hours=23))
    assert letter("reminder") == told


def test_invited_group_says_by_its_link_that_it_does_not_come(
    hearing, deadline, clara, now, client
):
    invitations.invite(
        hearing, addresses=[("guest@group.example", "Guests")], language="en", by=clara, now=now
    )
    asked = letter("invited")

    assert "Guests" in client.get(address_in(asked)).content.decode()
    client.post(address_in(asked))

    assert Invitation.objects.get().declined_at
    reminders.send_due(now=deadline.closes_at - timedelta(hours=23))
    assert not Letter.objects.filter(kind=Kind.REMINDER).exists()
