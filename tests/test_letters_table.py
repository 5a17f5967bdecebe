"""docs/letters.md tells of every letter that the portal can send; here it is held to the code."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template import engines
from django.utils import translation

from accounts.models import User
from clock import shown, walls
from events import deadlines
from events import mails as events_mails
from events.models import Deadline, Follower, Role, Segment
from notifications import preferences, writing
from notifications.models import Kind, Letter
from registrations import mails
from registrations.addressees import Addressee
from registrations.audiences import Audience, Changes, Concerned
from registrations.models import (
    Correction,
    Delegate,
    Exchange,
    Exemption,
    Invitation,
    Merge,
    Message,
    SegmentDecision,
)
from stakeholders import mails as stakeholders_mails
from stakeholders.models import Membership, Organisation

pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)
SORTS = events_mails.SORTS | stakeholders_mails.SORTS | mails.SORTS
SIGN_IN = "sign_in_code"
TEHRAN, NEW_YORK = "Asia/Tehran", "America/New_York"
FREE = "Registration is free. Beware of anybody who sells places or invitations."
RELATIVE = re.compile(
    r"\b(today|tomorrow|yesterday|soon|shortly|in \d+ (day|hour|minute)s?|\d+ (day|hour)s? left)\b",
    re.I,
)
HOME = "/en/"


class Cast(SimpleNamespace):
    """Whoever and whatever a letter may be about."""

    is_discreet = False

    def concerned(self, audience: Audience, **what: object) -> Concerned:
        email = what.pop("email", self.amina.email)
        reader = events_mails.Reader(email, "en", TEHRAN, self.is_discreet)
        return Concerned(reader, since={audience: self.now}, **what)


@pytest.fixture
def cast(sent, amina, clara, hearing, process, now) -> Cast:
    for user in (amina, clara):
        user.zone = TEHRAN
        user.save()
    confirmation = deadlines.set_deadline(
        hearing,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now.replace(second=0, microsecond=0) + timedelta(days=15),
        by=None,
        now=now,
    )
    head, second, speaker = sent.delegates.in_order()
    Delegate.objects.filter(pk=head.pk).update(state="approved", asked_at=now)
    Delegate.objects.filter(pk=second.pk).update(state="wait_listed", waits_as=7)
    panel = Segment.objects.create(
        event=hearing, name_en="Panel & <debate>", date=hearing.starts_on, seats=3
    )
    SegmentDecision.objects.create(delegate=head, segment=panel, state="given")
    exemption = Exemption.objects.create(
        event=hearing,
        organisation=sent.organisation,
        asked_by=amina,
        asked_at=now,
        reason="Our line was down.",
        answered_by=clara,
        answered_at=now,
        answer="Be quick.",
        until=now.replace(second=0, microsecond=0) + timedelta(days=12),
    )
    invitation = Invitation.objects.create(
        event=hearing, email="guest@group.example", name="Guests & Co", language="en",
        zone=TEHRAN, sent_by=clara, sent_at=now,
    )  # fmt: skip
    follower = Follower.objects.create(
        event=hearing, email="fan@press.example", language="en", zone=TEHRAN, asked_at=now
    )
    exchange = Exchange.objects.create(
        delegate=speaker, question="Which topic?", asked_by=clara, asked_at=now,
        answer="Remittances", answered_by=amina, answered_at=now,
    )  # fmt: skip
    Letter.objects.all().delete()
    head, second, speaker = sent.delegates.select_related("representative").in_order()
    registration = type(sent).objects.get(pk=sent.pk)
    for person in (head, second, speaker):
        person.registration = registration
    return Cast(
        registration=registration, head=head, second=second, speaker=speaker, panel=panel,
        exemption=exemption, invitation=invitation, follower=follower, exchange=exchange,
        event=registration.event, confirmation=confirmation, amina=amina, clara=clara, now=now,
        deadline=hearing.deadlines.get(kind=Deadline.Kind.REGISTRATION),
    )  # fmt: skip


def changes(cast: Cast) -> Changes:
    event = cast.event
    old = (event.starts_on - timedelta(days=3), event.ends_on - timedelta(days=2))
    return Changes(
        state="published",
        old_state="published",
        old_days=old,
        new_days=(event.starts_on, event.ends_on),
        deadlines=[(cast.deadline, cast.deadline.closes_at - timedelta(days=3))],
        reasons=["The hall was taken <twice>."],
    )


def undelivered(cast: Cast) -> Letter:
    return Letter(to="gone@group.example", last_error="550 5.1.1 <gone> no such user")


def role(cast: Cast) -> Role:
    return Role(user=cast.clara, event=cast.event, kind=Role.Kind.REVIEWER)


def merge(cast: Cast) -> Merge:
    other = Organisation.objects.create(name="Diaspora & Net")
    own = cast.registration.organisation
    facts = {"kept_id": own.pk, "taken_id": other.pk, "by": cast.clara, "at": cast.now}
    return Merge(kind=Merge.Kind.ORGANISATION, organisation=own, **facts)


def membership(cast: Cast, **facts: object) -> Membership:
    organisation = cast.registration.organisation
    return Membership(user=cast.amina, organisation=organisation, since=cast.now, **facts)


def request(cast: Cast) -> Membership:
    return membership(cast, kind="member", state="asked", note="I run <the> office & more.")


def correction(cast: Cast, **facts: object) -> Correction:
    return Correction(
        delegate=cast.head,
        was={"family_name": "", "role": "delegate"},
        wished={"family_name": "Traore & <Sons>", "role": "head"},
        other="The <badge>, please",
        reason="A typo <sorry>",
        asked_by=cast.amina,
        asked_at=cast.now,
        **facts,
    )


def message(cast: Cast) -> Message:
    return Message(
        event=cast.event,
        by=cast.clara,
        subject_en="The room has changed",
        text_en="Dear {name} of {organisation},\n\nbring <your> badge & come early.",
    )


POSTS: dict[str, Callable[[Cast], object]] = {
    "received": lambda c: mails.received(c.registration, c.deadline, now=c.now),
    "withdrawn": lambda c: mails.withdrawn(c.registration, now=c.now),
    "person_withdrawn": lambda c: mails.person_withdrawn(c.registration, c.head, now=c.now),
    "approved": lambda c: mails.approved(c.registration, [c.head, c.speaker], now=c.now),
    "declined": lambda c: mails.declined(
        c.registration, [c.second], reason="Not <on> the list", now=c.now
    ),
    "reopened": lambda c: mails.reopened(
        c.registration, [c.second], reason="The list was <wrong>", now=c.now
    ),
    "asked": lambda c: mails.asked(c.registration, [c.speaker], question="Which topic?", now=c.now),
    "answered": lambda c: mails.answered(c.registration, c.speaker, c.exchange, now=c.now),
    "wait_listed": lambda c: mails.wait_listed(c.registration, [c.second], now=c.now),
    "moved_up": lambda c: mails.moved_up(c.registration, [c.head], now=c.now),
    "part_given": lambda c: mails.part_given(c.registration, c.head, c.panel, now=c.now),
    "confirm": lambda c: mails.confirm(c.head, deadline=c.confirmation, now=c.now),
    "to_confirm": lambda c: mails.to_confirm(c.registration, [c.head], now=c.now),
    "confirmed": lambda c: mails.confirmed(c.registration, c.head, now=c.now),
    "declined_by_delegate": lambda c: mails.declined_by_delegate(c.registration, c.head, now=c.now),
    "lapsed": lambda c: mails.lapsed(c.registration, [c.head], now=c.now),
    "not_expected": lambda c: mails.not_expected([c.head], now=c.now),
    "listing": lambda c: mails.listing(c.head, now=c.now),
    "replaced": lambda c: mails.replaced(c.registration, c.second, c.head, now=c.now),
    "asks_in": lambda c: mails.asks_in(c.exemption, now=c.now),
    "let_in": lambda c: mails.let_in(c.exemption, now=c.now),
    "not_let_in": lambda c: mails.not_let_in(c.exemption, now=c.now),
    "asks_correction": lambda c: mails.asks_correction(correction(c), now=c.now),
    "corrected": lambda c: mails.corrected(correction(c), now=c.now),
    "not_corrected": lambda c: mails.not_corrected(correction(c, answer="Not <so>"), now=c.now),
    "invited": lambda c: mails.invited(c.invitation, c.deadline, now=c.now),
    "confirm_near": lambda c: mails.reminder(
        c.confirmation,
        "48h",
        [c.concerned(Audience.TO_CONFIRM, delegates=[c.head], email="aissata@diaspora.example")],
        now=c.now,
    ),
    "deadline_near": lambda c: mails.reminder(
        c.deadline,
        "7d",
        [c.concerned(Audience.DRAFTS, registrations=[c.registration])],
        now=c.now,
    ),
    "invitation_near": lambda c: mails.reminder(
        c.deadline,
        "7d",
        [c.concerned(Audience.INVITED, invitation=c.invitation, email=c.invitation.email)],
        now=c.now,
    ),
    "closes_soon": lambda c: mails.reminder(
        c.deadline,
        "7d",
        [c.concerned(Audience.FOLLOWERS, follower=c.follower, email=c.follower.email)],
        now=c.now,
    ),
    "opens": lambda c: mails.opens(
        c.deadline,
        [c.concerned(Audience.FOLLOWERS, follower=c.follower, email=c.follower.email)],
        now=c.now,
    ),
    "changed": lambda c: mails.changed(
        c.event,
        [(c.concerned(Audience.DRAFTS, registrations=[c.registration]), changes(c))],
        now=c.now,
    ),
    "news": lambda c: mails.changed(
        c.event,
        [
            (
                c.concerned(Audience.FOLLOWERS, follower=c.follower, email=c.follower.email),
                changes(c),
            )
        ],
        now=c.now,
    ),
    "message": lambda c: mails.message(
        message(c),
        [
            Addressee(
                writing.Reader(c.amina.email, "en", TEHRAN, c.is_discreet),
                names=["Amina <Diallo>"],
                organisations=["Diaspora & Network"],
            )
        ],
        now=c.now,
    ),
    "queue": lambda c: mails.queue(
        c.clara, [(c.event, 3, c.now - timedelta(hours=20))], c.now.date(), now=c.now
    ),
    "merged": lambda c: mails.merged(merge(c), [c.amina], [c.amina], now=c.now),
    "unmerged": lambda c: mails.unmerged(merge(c), [c.amina], now=c.now),
    "follow": lambda c: events_mails.follow(c.follower, now=c.now),
    "unreachable": lambda c: events_mails.unreachable(
        c.event, c.clara, [undelivered(c)], now=c.now
    ),
    "asks_to_join": lambda c: stakeholders_mails.asks_to_join(request(c), now=c.now),
    "ask_unanswered": lambda c: stakeholders_mails.ask_unanswered(request(c), now=c.now),
    "joined": lambda c: stakeholders_mails.joined(membership(c, kind="member"), now=c.now),
    "not_joined": lambda c: stakeholders_mails.not_joined(
        request(c), reason="Nobody <knows> you", now=c.now
    ),
    "ask_lapsed": lambda c: stakeholders_mails.ask_lapsed(request(c), now=c.now),
    "invited_to_join": lambda c: stakeholders_mails.invited_to_join(
        membership(c, kind="member", state="invited"), now=c.now
    ),
    "appointed": lambda c: stakeholders_mails.appointed(membership(c), now=c.now),
    "point_added": lambda c: stakeholders_mails.point_added(
        Membership(user=c.clara, organisation=c.registration.organisation), by=c.clara, now=c.now
    ),
    "role_changed": lambda c: stakeholders_mails.role_changed(membership(c), now=c.now),
    "removed": lambda c: stakeholders_mails.removed(
        membership(c), reason="Works <elsewhere>", now=c.now
    ),
    "role_given": lambda c: events_mails.role_given(role(c), by=c.amina, now=c.now),
    "role_taken": lambda c: events_mails.role_taken(role(c), by=c.amina, now=c.now),
    "address_changed": lambda c: events_mails.address_changed(
        c.amina, "old@diaspora.example", now=c.now
    ),
    "account_moved": lambda c: events_mails.account_moved(c.amina, by=c.clara, now=c.now),
    "factors_forgotten": lambda c: events_mails.factors_forgotten(c.amina, by=c.clara, now=c.now),
}
OF_NO_EVENT = {
    "queue",
    "merged",
    "unmerged",
    "address_changed",
    "account_moved",
    "factors_forgotten",
    *stakeholders_mails.SORTS,
}
TO = {
    "confirm": "aissata@diaspora.example",
    "confirm_near": "aissata@diaspora.example",
    "not_expected": "aissata@diaspora.example",
    "listing": "aissata@diaspora.example",
    "address_changed": "old@diaspora.example",
    "invited": "guest@group.example",
    "invitation_near": "guest@group.example",
    **dict.fromkeys(["closes_soon", "opens", "news", "follow"], "fan@press.example"),
    **dict.fromkeys(
        [
            "asks_in",
            "asks_correction",
            "queue",
            "unreachable",
            "role_given",
            "role_taken",
            "ask_unanswered",
        ],
        "clara@secretariat.example",
    ),
}
KEYS = {
    **dict.fromkeys(
        ["confirm_near", "deadline_near", "invitation_near", "closes_soon"], "reminder"
    ),
    "news": "changed",
}
ENDS: dict[str, Callable[[Cast], object]] = {
    events_mails.NEVER: lambda c: None,
    events_mails.A_DAY_LATER: lambda c: c.now + timedelta(days=1),
    mails.AT_THE_CLOSE: lambda c: c.deadline.closes_at,
    mails.UNCONFIRMABLE: lambda c: c.confirmation.closes_at,
    mails.EVENT_OVER: lambda c: walls.start_of(c.event.ends_on + timedelta(days=1), NEW_YORK),
    mails.WHILE_SO: lambda c: walls.start_of(c.event.ends_on + timedelta(days=1), NEW_YORK),
    mails.LET_IN_UNTIL: lambda c: c.exemption.until,
    stakeholders_mails.WHILE_OPEN: lambda c: c.now + Membership.LAPSES_AFTER,
    mails.DAY_OVER: lambda c: walls.start_of(c.now.date() + timedelta(days=1), TEHRAN),
}
MOMENTS: dict[str, Callable[[Cast], object]] = {
    **dict.fromkeys(
        ["approved", "moved_up", "confirm", "to_confirm", "confirm_near", "replaced"],
        lambda c: c.confirmation.closes_at,
    ),
    **dict.fromkeys(
        ["deadline_near", "invitation_near", "closes_soon", "opens", "invited", "changed", "news"],
        lambda c: c.deadline.closes_at,
    ),
    "let_in": lambda c: c.exemption.until,
}
"""The letters that are about a deadline, and which moment that is."""


@pytest.fixture
def letters(cast) -> dict[str, Letter]:
    """Every letter of the registries, each posted by its own function, to one reader."""
    posted = {}
    for name in SORTS:
        POSTS[name](cast)
        posted[name] = Letter.objects.get()
        posted[name].delete()
    return posted


def rows() -> list[list[str]]:
    lines = (ROOT / "docs/letters.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return cells[2:]


def plain(html: str) -> str:
    """The words of an HTML letter, with the places that its links lead to."""
    body = html.split("<body", 1)[1].split(">", 1)[1]
    with_links = re.sub(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', r"\2 \1 ", body, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", with_links)).split())


def test_table_tells_of_every_letter_and_of_no_other():
    names = [row[0].strip("`") for row in rows()]

    assert names == list(dict.fromkeys(names))
    assert set(names) == {*SORTS, SIGN_IN}
    found = {path.name.split(".")[0] for path in (ROOT / "templates/letters").glob("*.subject.txt")}
    assert found == set(SORTS)


def test_table_says_to_whom_what_kind_and_how_long_each_is_true():
    said = {row[0].strip("`"): tuple(row[2:]) for row in rows()}
    minutes = settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60

    assert said.pop(SIGN_IN) == ("whoever signs in", "secret", f"{minutes} minutes later")
    assert said == {
        sort.name: (sort.to, sort.kind.name.lower(), sort.until) for sort in SORTS.values()
    }


def test_table_says_when_each_is_sent():
    assert all(row[1] for row in rows())


def test_each_is_posted_once_here():
    assert set(POSTS) == set(SORTS)


def test_sign_in_code_is_as_the_table_says(client, amina, now):
    client.post("/en/accounts/login/", {"email": amina.email})

    code = Letter.objects.get()
    assert (code.to, code.kind) == (amina.email, Kind.SECRET)
    assert code.expires_at - code.posted_at == timedelta(
        seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT
    )


def test_each_has_a_subject_a_text_and_html():
    for name in SORTS:
        for part in ("subject.txt", "txt", "html"):
            engines["django"].get_template(f"letters/{name}.{part}")


def test_each_goes_to_one_reader_with_the_kind_and_the_end_of_the_table(letters, cast):
    for name, letter in letters.items():
        sort = SORTS[name]
        ends = cast.confirmation.closes_at if name == "confirm_near" else ENDS[sort.until](cast)
        assert letter.to == TO.get(name, "amina@diaspora.example"), name
        assert (letter.kind, letter.expires_at) == (sort.kind, ends), name
        assert letter.key.split(":")[0] == KEYS.get(name, name)


def test_each_belongs_to_its_event_and_is_answered_to_a_person(letters, cast):
    for name, letter in letters.items():
        of_none = name in OF_NO_EVENT
        assert letter.scope == (None if of_none else cast.event.id), name
        contact = settings.CONTACT_EMAIL if of_none else "hearing@secretariat.example"
        assert letter.reply_to == contact, name


def test_html_says_what_the_text_says(letters):
    for name, letter in letters.items():
        words = plain(letter.html)
        lines = letter.text.split("\n--\n")[0].splitlines()
        for line in filter(None, (" ".join(line.lstrip("- ").split()) for line in lines)):
            assert line.rstrip(":") in words, (name, line)


def test_each_says_that_it_is_free_and_who_answers(letters):
    for name, letter in letters.items():
        for part in (letter.text, plain(letter.html)):
            assert FREE in part, name
            assert f"write to {letter.reply_to}: a person reads it." in part, name


def test_no_words_become_untrue_by_waiting(letters):
    for name, letter in letters.items():
        for part in (letter.subject, letter.text, plain(letter.html)):
            assert not RELATIVE.search(part), name


def test_no_hole_in_the_words(letters):
    for name, letter in letters.items():
        assert letter.subject, name
        assert letter.subject == " ".join(letter.subject.split()), name
        for part in (letter.subject, letter.text, letter.html):
            assert not re.search(r"None|\{[{%]|[%}]\}|\ue000|&amp;amp;", part), name
        assert "\n\n\n" not in letter.text, name
        assert "&#x27;" not in letter.text, name


def test_moment_stands_at_the_top_in_both_zones(letters, cast):
    for name, letter in letters.items():
        if name not in MOMENTS:
            assert "In your time zone" not in letter.text, name
            continue
        moment = MOMENTS[name](cast)
        last = walls.last_minute(moment, NEW_YORK)
        top = "\n".join(letter.text.splitlines()[:6])
        for words in (top, plain(letter.html)):
            assert shown.closing_and_zone(moment, NEW_YORK) in words, name
            assert f"In your time zone: {shown.moment_and_zone(last, TEHRAN)}" in words, name


def test_one_click_stops_reminders_and_announcements_and_nothing_else(letters, cast):
    for name, letter in letters.items():
        if SORTS[name].kind not in {Kind.REMINDER, Kind.ANNOUNCEMENT}:
            assert letter.headers == {}, name
            assert "/letters/stop/" not in letter.text, name
            continue
        link = letter.headers["List-Unsubscribe"].strip("<>")
        assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in letter.text, name
        assert f'href="{link}"' in letter.html, name
        assert preferences.read(link.rstrip("/").rpartition("/")[2]) == preferences.Stop(
            letter.to, cast.event.id, letter.kind
        )


def test_one_action_and_pages_that_need_no_sign_in_for_whoever_has_no_account(
    letters, client, cast
):
    for name, letter in letters.items():
        links = re.findall(rf"{re.escape(settings.BASE_URL)}(\S+)", letter.text)
        assert links[-1] == HOME, name
        assert len(links) == (3 if letter.headers else 2), name
        if not User.objects.filter(email=letter.to).exists():
            assert client.get(links[0]).status_code == 200, name


SAYING = re.compile(r"migra|compact|GCM|hearing|event|organisation|diaspora|DN|guest", re.I)
NEUTRAL = {
    *map(str, writing.NEUTRAL.values()),
    *map(str, (writing.OF_ACCOUNT, writing.OF_GROUP, writing.OF_WISH, writing.OF_WORK)),
}


def same(words: str) -> str:
    """Without the ids of rows that are made anew for each letter here."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", words)


def wish_neutral_subjects(cast: Cast) -> None:
    """Everybody to whom a letter goes; those without an account have one now."""
    cast.is_discreet = True
    for email in ("aissata@diaspora.example", "fan@press.example", "guest@group.example"):
        User.objects.create_user(email.upper(), zone=TEHRAN)
    User.objects.update(neutral_subjects=True)
    for user in (cast.amina, cast.clara):
        user.refresh_from_db()


def test_neutral_subjects_say_nothing_and_the_words_stay(letters, cast):
    wish_neutral_subjects(cast)

    for name, sort in SORTS.items():
        POSTS[name](cast)
        letter = Letter.objects.get()
        letter.delete()
        assert letter.subject == sort.neutral_subject(), name
        assert letter.subject != letters[name].subject, name
        assert same(letter.text) == same(letters[name].text), name
        assert same(letter.html) == same(letters[name].html), name
        assert letter.headers == letters[name].headers, name


def test_what_a_neutral_subject_is():
    assert {sort.neutral_subject() for sort in SORTS.values()} == NEUTRAL
    assert [subject for subject in NEUTRAL if SAYING.search(subject)] == []


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_a_neutral_subject_is_in_the_language_of_its_reader(cast, language):
    User.objects.update(neutral_subjects=True, language=language)

    mails.withdrawn(cast.registration, now=cast.now)

    with translation.override(language):
        assert Letter.objects.get().subject == SORTS["withdrawn"].neutral_subject()


def test_only_whoever_wants_it_gets_a_neutral_subject(cast, bo):
    organisation = cast.registration.organisation
    Membership.objects.create(
        user=bo, organisation=organisation, kind="focal_point", state="active", since=cast.now
    )
    User.objects.filter(pk=bo.pk).update(neutral_subjects=True)

    mails.withdrawn(cast.registration, now=cast.now)

    subjects = dict(Letter.objects.values_list("to", "subject"))
    assert subjects.pop(bo.email) == "News about your registration"
    assert list(subjects) == [cast.amina.email]
    assert cast.registration.event.name in subjects[cast.amina.email]
