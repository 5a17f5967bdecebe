"""Who gets which letter, with which words; that letters to thousands are what each would have been
by itself is shown here too."""

import re
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clock import shown
from events import deadlines, roles
from events.models import Deadline, Event, Role, Segment
from notifications import writing
from notifications.models import Kind, Letter
from notifications.writing import Reader, Stencil, Stencils, Words
from registrations import intake, links, mails
from registrations.audiences import Audience, Changes, Concerned
from registrations.models import Delegate, Exemption, Invitation, Registration, SegmentDecision
from stakeholders.models import Membership, Organisation, Representative

pytestmark = pytest.mark.django_db

NASTY = [
    "<b>Bold</b> & \"quoted\" 'names'",
    "{{ base_url }} {% url 'x' %} %(name)s %s {}",
    "שלום \u202eRTL\u202c \u200f(marks)",
    "two\nlines\r\nand\ttabs  and  spaces",
    "\ue0000:1\ue001 \ue000secret:0\ue001",
    "\ue001\ue000&amp;",
    " 日本 ",
]


@pytest.fixture
def asks(hearing, now) -> Deadline:
    """The hearing asks people to confirm, within fifteen days."""
    return deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now.replace(second=0, microsecond=0) + timedelta(days=15),
        by=None,
        now=now,
    )


def fresh(registration: Registration) -> tuple[Registration, list[Delegate]]:
    Letter.objects.all().delete()
    found = Registration.objects.select_related("event", "organisation").get(pk=registration.pk)
    people = list(found.delegates.select_related("representative").in_order())
    for person in people:
        person.registration = found
    return found, people


def several(event: Event, now) -> list[Concerned]:
    """Readers of every audience, with nasty names, in two languages and two zones."""
    readers = []
    for place, name in enumerate(NASTY):
        registration = Registration(
            event=event, organisation=Organisation(name=name), reference=f"GCM-000{place}-ABCD"
        )
        person = Representative(given_names=name, family_name=name[::-1])
        delegate = Delegate(registration=registration, representative=person, asked_at=now)
        guest = Invitation(event=event, name=name)
        nameless = Invitation(event=event)
        for number, (audience, what) in enumerate(
            [
                (Audience.TO_CONFIRM, {"delegates": [delegate]}),
                (Audience.TO_CONFIRM, {"delegates": [delegate, delegate]}),
                (Audience.DRAFTS, {"registrations": [registration]}),
                (Audience.DRAFTS, {"registrations": [registration] * 2}),
                (Audience.INVITED, {"invitation": guest}),
                (Audience.INVITED, {"invitation": nameless}),
                (Audience.FOLLOWERS, {}),
            ]
        ):
            reader = Reader(
                f"reader{place}{number}@groups.example",
                "ar" if place % 2 else "en",
                "Asia/Tehran" if place % 3 else "America/New_York",
            )
            readers.append(Concerned(reader, since={audience: now}, **what))
    return readers


def other_days(event: Event, **more) -> Changes:
    day = event.starts_on - timedelta(days=7)
    new_days = (event.starts_on, event.ends_on)
    return Changes("published", "published", old_days=(day, day), new_days=new_days, **more)


class ByItself:
    """In the place of Stencils: each letter is rendered for its reader alone."""

    def words(self, look, write, own) -> Words:
        return write(own)


def post_all(event: Event, deadline: Deadline, readers: list[Concerned], now) -> list[tuple]:
    moved = other_days(
        event, deadlines=[(deadline, deadline.closes_at - timedelta(days=2))], reasons=["<i>", "&"]
    )
    cancelled = Changes("cancelled", "published", reasons=["<i>"])
    mails.reminder(deadline, "7d", readers, now=now)
    mails.opens(deadline, readers, now=now)
    mails.changed(event, [(one, moved) for one in readers], now=now)
    mails.changed(event, [(one, cancelled) for one in readers], now=now + timedelta(seconds=1))
    posted = Letter.objects.order_by("key").values_list("key", "subject", "text", "html", "headers")
    return list(posted)


def test_filled_in_is_the_same_as_written_by_itself(hearing, deadline, now, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1.5e9)
    readers = several(hearing, now)
    filled_in = post_all(hearing, deadline, readers, now)
    Letter.objects.all().delete()
    monkeypatch.setattr(mails, "Stencils", ByItself)

    assert filled_in == post_all(hearing, deadline, readers, now)
    assert len(filled_in) == len(NASTY) * 7 * 4


def test_one_stencil_serves_names_of_every_sort(monkeypatch):
    """Also where a name is what a gap would be, were the secret known."""
    monkeypatch.setattr(writing.secrets, "token_hex", lambda length: "secret")

    def write(own) -> Words:
        said = f"{own['name']}, {own['rows'][0]['name']}"
        return Words(" ".join(said.split()), said, writing.escape(said))

    def own(first: str, second: str) -> dict:
        return {"name": first, "rows": [{"name": second}]}

    stencil = Stencil(write, own("any", "other"))
    for name in NASTY:
        for other in NASTY:
            assert stencil.fill(own(name, other)) == write(own(name, other))


def test_words_that_say_nothing_get_a_stencil_of_their_own():
    stencils = Stencils()

    def write(own) -> Words:
        said = f"for {own['group']}" if own["group"] else "for all"
        return Words(said, said, said)

    said = [stencils.words("look", write, {"group": name}).text for name in ("A", "", "B")]
    assert said == ["for A", "for all", "for B"]
    assert len(stencils.cut) == 2


def test_thousand_reminders_are_rendered_once_for_each_look(hearing, deadline, now, monkeypatch):
    rendered = []
    render = writing.render
    monkeypatch.setattr(
        writing, "render", lambda name, context: rendered.append(name) or render(name, context)
    )
    readers = [
        Concerned(
            Reader(f"p{n}@groups.example", "ar" if n % 2 else "en", "Asia/Tehran"),
            since={Audience.DRAFTS: now},
            registrations=[
                Registration(
                    event=hearing, organisation=Organisation(name=f"Group {n}"), reference=f"G-{n}"
                )
            ],
        )
        for n in range(1000)
    ]

    with CaptureQueriesContext(connection) as few:
        mails.reminder(deadline, "14d", readers[:200], now=now)
    with CaptureQueriesContext(connection) as many:
        assert mails.reminder(deadline, "7d", readers, now=now) == 1000

    assert rendered == ["deadline_near"] * 4
    assert len(many) == len(few)
    texts = dict(Letter.objects.filter(key__contains=":7d:").values_list("to", "text"))
    assert all(f"Group {n}\n" in texts[f"p{n}@groups.example"] for n in range(1000))


def test_second_sweep_posts_nothing_twice(hearing, deadline, sent, amina, now):
    one = Concerned(Reader.of(amina), since={Audience.DRAFTS: now}, registrations=[sent])

    assert mails.reminder(deadline, "7d", [one], now=now) == 1
    assert mails.reminder(deadline, "7d", [one], now=now + timedelta(minutes=1)) == 0
    letter = Letter.objects.get(kind=Kind.REMINDER)
    assert letter.key == (
        f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:7d:{Reader.of(amina).id}"
    )


def test_path_is_what_reverse_says(sent):
    for language in ("en", "ar"):
        with writing.translation.override(language):
            page = sent.get_absolute_url()
            odd = writing.reverse("events:stop", args=["a+b@c.example:x~y="])
        assert writing.path("registrations:registration", language, sent.reference) == page
        assert writing.path("events:stop", language, "a+b@c.example:x~y=") == odd


def test_two_moved_up_in_one_sweep_one_by_one_are_two_letters(sent, now):
    registration, (head, second, _speaker) = fresh(sent)

    mails.moved_up(registration, [head], now=now)
    mails.moved_up(registration, [second], now=now)

    assert Letter.objects.count() == 2


def test_waiting_list_letter_says_the_place_in_the_order(sent, hearing, port_workers, bo, now):
    other = intake.begin(hearing, port_workers, by=bo, now=now)
    intake.add_person(other, intake.Person("Ana"), by=bo, now=now)
    other.delegates.update(state="wait_listed", waits_as=3)
    for place, person in enumerate(sent.delegates.in_order()):
        Delegate.objects.filter(pk=person.pk).update(state="wait_listed", waits_as=5 + place)
    registration, people = fresh(sent)

    mails.wait_listed(registration, people[:2], now=now)

    letter = Letter.objects.get()
    assert re.findall(r"^- (.*?),.*\n  Place in the order: (\d)", letter.text, re.M) == [
        ("Aïssata Traoré", "2"),
        ("Moussa Keïta", "3"),
    ]


def test_focal_points_who_read_alike_get_the_same_words_written_once(sent, now, monkeypatch):
    for name, language in (("dede", "en"), ("eva", "ar"), ("fadi", "ar")):
        user = User.objects.create_user(f"{name}@diaspora.example", language=language)
        Membership.objects.create(user=user, organisation=sent.organisation)
    rendered = []
    render = writing.render
    monkeypatch.setattr(
        writing, "render", lambda name, context: rendered.append(name) or render(name, context)
    )
    registration, _people = fresh(sent)

    with CaptureQueriesContext(connection) as asked:
        mails.withdrawn(registration, now=now)

    assert rendered == ["withdrawn"] * 2
    assert len(asked) == 2
    words = {letter.to.split("@")[0]: (letter.text, letter.html) for letter in Letter.objects.all()}
    assert words["amina"] == words["dede"] != words["eva"] == words["fadi"]
    assert len(set(Letter.objects.values_list("key", flat=True))) == 4


def test_approval_names_the_parts_that_are_given_and_those_that_are_full(sent, hearing, now):
    morning, evening = [
        Segment.objects.create(event=hearing, name_en=name, date=hearing.starts_on, seats=1)
        for name in ("Morning", "Evening & night")
    ]
    registration, (head, *_others) = fresh(sent)
    SegmentDecision.objects.create(delegate=head, segment=morning, state="given")
    SegmentDecision.objects.create(delegate=head, segment=evening, state="wait_listed", waits_as=1)

    mails.approved(registration, [head], now=now)

    letter = Letter.objects.get()
    assert "  Has a place in: Morning\n  On the waiting list of: Evening & night\n" in letter.text
    assert "On the waiting list of: <bdi>Evening &amp; night</bdi>" in letter.html
    assert "Please confirm" not in letter.text
    assert letter.expires_at is None


def test_approval_with_confirmation_says_until_when_and_how(sent, asks, now):
    Delegate.objects.update(state="approved", asked_at=now)
    registration, (head, *_others) = fresh(sent)

    mails.approved(registration, [head], now=now)

    letter = Letter.objects.get()
    assert f"Please confirm by: {asks.said}\n" in letter.text
    assert "gets a letter with a link to confirm." in letter.text


def test_confirmation_is_asked_for_at_the_own_address_as_the_first_focal_point_reads(
    sent, asks, amina, now
):
    amina.language, amina.zone = "ar", "Asia/Tehran"
    amina.save()
    Delegate.objects.update(state="approved", asked_at=now)
    _registration, (head, *_others) = fresh(sent)

    mails.confirm(head, deadline=asks, now=now)

    letter = Letter.objects.get()
    assert (letter.to, letter.language) == ("aissata@diaspora.example", "ar")
    assert letter.expires_at == asks.closes_at
    assert letter.about == sent.id
    token = re.search(r"/ar/confirm/(\S+)/", letter.text)[1]
    assert links.delegate_id(token) == head.id


def test_whoever_has_an_account_is_asked_in_their_own_language(sent, asks, now):
    User.objects.create_user("AISSATA@diaspora.example", language="ar")
    Delegate.objects.update(state="approved", asked_at=now)
    _registration, (head, *_others) = fresh(sent)

    mails.confirm(head, deadline=asks, now=now)

    assert Letter.objects.get().language == "ar"


def test_nobody_is_asked_to_confirm_without_an_address(sent, asks, now):
    Delegate.objects.update(state="approved", asked_at=now)
    _registration, (head, *_others) = fresh(sent)
    head.representative.email = ""

    mails.confirm(head, deadline=asks, now=now)

    assert not Letter.objects.exists()


def test_whoever_was_asked_late_reads_the_later_moment_in_the_reminder_too(sent, asks, now):
    asked_at = asks.closes_at - timedelta(hours=30)
    Delegate.objects.update(state="approved", asked_at=asked_at)
    _registration, (head, *_others) = fresh(sent)
    one = Concerned(
        Reader(head.representative.email, "en"),
        since={Audience.TO_CONFIRM: asked_at},
        delegates=[head],
    )

    mails.reminder(asks, "24h", [one], now=asks.closes_at - timedelta(hours=24))

    letter = Letter.objects.get()
    until = links.answer_until(head)
    assert until == asked_at + timedelta(hours=48)
    assert f"Please confirm by: {shown.closing_and_zone(until, asks.zone)}\n" in letter.text


def test_focal_point_confirms_on_the_page_of_each_person_without_an_address(sent, asks, amina, now):
    Delegate.objects.update(state="approved", asked_at=now)
    _registration, people = fresh(sent)
    for person in people:
        person.representative.email = ""
    one = Concerned(Reader.of(amina), since={Audience.TO_CONFIRM: now}, delegates=people[:2])

    mails.reminder(asks, "48h", [one], now=now)

    letter = Letter.objects.get()
    assert letter.text.startswith("2 confirmations are still missing.\n")
    for person in people[:2]:
        page = f"{settings.BASE_URL}{person.get_absolute_url()}"
        assert f"- {person}, Diaspora Network ({sent.reference})\n  {page}\n" in letter.text
        assert f'href="{page}"' in letter.html
    assert 'class="act"' not in letter.html


@pytest.mark.parametrize(
    ("state", "old_state", "subject", "first"),
    [
        ("cancelled", "published", "Cancelled", "This event is cancelled."),
        ("cancelled", "postponed", "Cancelled", "This event is cancelled."),
        ("postponed", "published", "Postponed", "This event is postponed."),
        ("published", "postponed", "It takes place", "This event takes place after all."),
    ],
)
def test_gravest_change_is_the_subject(state, old_state, subject, first, sent, hearing, amina, now):
    _registration, _people = fresh(sent)
    one = Concerned(Reader.of(amina), since={Audience.DRAFTS: now}, registrations=[sent])
    new_days = (hearing.starts_on, hearing.ends_on)
    told = Changes(state, old_state, new_days if state == "published" else None, new_days)
    hearing.state = state

    mails.changed(hearing, [(one, told)], now=now)

    letter = Letter.objects.get()
    assert letter.subject == f"{subject}: {hearing.name}"
    assert letter.text.startswith(first)
    assert ("It was to take place on:" in letter.text) == (state != "published")


def test_moved_deadline_is_said_as_it_is_and_as_it_was(sent, hearing, deadline, amina, now):
    _registration, _people = fresh(sent)
    one = Concerned(Reader.of(amina), since={Audience.DRAFTS: now}, registrations=[sent])
    before = deadline.closes_at - timedelta(days=2)
    told = Changes(
        "published", "published", deadlines=[(deadline, before)], reasons=["Late invitations"]
    )

    mails.changed(hearing, [(one, told)], now=now)

    letter = Letter.objects.get()
    assert letter.subject == f"Another deadline: {hearing.name}"
    assert letter.kind == Kind.TRANSACTIONAL
    was, now_is = (
        letter.text.index(said)
        for said in (shown.closing_and_zone(before, deadline.zone), deadline.said)
    )
    assert now_is < was
    assert letter.text.count("In your time zone:") == 2
    assert "The reason:\nLate invitations\n" in letter.text
    assert f"{settings.BASE_URL}{sent.get_absolute_url()}" in letter.text


def test_delegate_without_an_account_is_led_to_the_event(sent, hearing, now):
    _registration, (head, *_others) = fresh(sent)
    one = Concerned(
        Reader(head.representative.email, "en"),
        since={Audience.TO_CONFIRM: now},
        delegates=[head],
    )

    mails.changed(hearing, [(one, other_days(hearing))], now=now)

    letter = Letter.objects.get()
    assert letter.kind == Kind.TRANSACTIONAL
    assert f"See the event\n{settings.BASE_URL}{hearing.get_absolute_url()}\n" in letter.text
    assert f"Reference: {sent.reference}, Diaspora Network\n" in letter.text


def test_invited_group_gets_news_that_it_may_stop(hearing, clara, now):
    guest = Invitation.objects.create(
        event=hearing, email="guest@group.example", language="en", sent_by=clara, sent_at=now
    )
    one = Concerned(Reader.of(guest), since={Audience.INVITED: now}, invitation=guest)

    mails.changed(hearing, [(one, other_days(hearing))], now=now)

    letter = Letter.objects.get()
    assert letter.kind == Kind.ANNOUNCEMENT
    assert "List-Unsubscribe" in letter.headers
    assert f"See the invitation\n{settings.BASE_URL}{links.invitation_path(guest)}" in letter.text


def test_every_organiser_reads_that_a_group_asks_in(sent, clara, hearing, now):
    assistant = User.objects.create_user("dora@secretariat.example")
    roles.grant(assistant, on=hearing, by=clara, now=now)
    roles.grant(clara, on=hearing, by=clara, now=now)
    User.objects.create_user("left@secretariat.example", is_active=False)
    _registration, _people = fresh(sent)
    exemption = Exemption.objects.create(
        event=hearing, organisation=sent.organisation, asked_at=now, reason="Late"
    )

    mails.asks_in(exemption, now=now)

    assert sorted(letter.to for letter in Letter.objects.all()) == [
        "clara@secretariat.example",
        "dora@secretariat.example",
    ]


def test_contact_reads_it_where_nobody_organises(sent, clara, hearing, now):
    Role.objects.all().delete()
    _registration, _people = fresh(sent)
    exemption = Exemption.objects.create(
        event=hearing, organisation=sent.organisation, asked_at=now, reason="Late"
    )

    mails.asks_in(exemption, now=now)

    assert Letter.objects.get().to == "hearing@secretariat.example"


def test_group_without_a_draft_is_let_in_at_the_start(diaspora_network, hearing, clara, now):
    exemption = Exemption.objects.create(
        event=hearing,
        organisation=diaspora_network,
        answered_by=clara,
        answered_at=now,
        until=now + timedelta(days=2),
    )

    mails.let_in(exemption, now=now)

    letter = Letter.objects.get()
    assert f"Register\n{settings.BASE_URL}/en/events/hearing/register/\n" in letter.text
    assert letter.expires_at == exemption.until
    assert "Reference:" not in letter.text


def test_replacement_that_awaits_a_decision_says_that_nothing_changed_yet(sent, now):
    registration, (head, second, _speaker) = fresh(sent)

    mails.replaced(registration, head, second, now=now)

    letter = Letter.objects.get()
    assert letter.text.startswith("You ask to replace one person of your delegation.\n")
    assert "Until they have decided, everything stays as it was." in letter.text


def test_queue_leads_to_those_who_wait_and_comes_once_a_day(hearing, clara, now):
    rows = [(hearing, 2, now)]

    mails.queue(clara, rows, now.date(), now=now)
    mails.queue(clara, rows, now.date(), now=now + timedelta(minutes=5))

    letter = Letter.objects.get()
    assert letter.key == f"queue:{now.date()}:{clara.id}"
    assert (
        "/admin/registrations/delegate/?state=submitted"
        f"&registration__event__id__exact={hearing.id}\n"
    ) in letter.text
