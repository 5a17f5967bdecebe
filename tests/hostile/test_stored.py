"""Hostile texts that were taken: on every page, in every letter, in calendars and in files.

Each round is an event that somebody brings, and a group that comes to it; whatever anybody writes
in it is hostile. `make test` plays one round, `make hostile` many, each with other texts.
"""

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts import calendars, kept, names
from accounts.models import KeptPost, User
from audit.models import Entry
from events import following
from events.models import Deadline, Event
from notifications.models import Letter
from registrations import announcements, links, listing, reminders
from registrations.models import Correction, Exemption, Invitation, Registration
from registrations.models import ImportRun as PeopleRun
from stakeholders import membership
from stakeholders.models import ImportRun, Membership, Organisation
from tests import test_who_may as who
from tests.conftest import signed_in
from tests.hostile import files, letters, texts
from tests.hostile.visitors import Visitor, folded

ALL = bool(os.environ.get("HOSTILE_ALL"))
EVERY = texts.every() if ALL else list(texts.some(3))
PARTS = 8 if ALL else 1
ROUNDS = 11 if ALL else 1
A_ROUND, A_PAGE = 4, 7
"""How many texts a round, and a page in it, begins after the one before."""
ENOUGH = 40
"""So much of a text is looked for: lists shorten long ones."""
OF_EACH = "_change", "_letter_page"
"""Other pages are opened of one thing of each sort."""


@dataclass
class Round:
    """Who and what there is in it, and what was taken, by when, page and field."""

    number: int
    clara: Visitor
    root: Visitor
    process: Any
    now: Any
    taken: dict[tuple[int, str, str], str] = field(default_factory=dict)
    turn: int = 0
    event: Any = None
    registration: Any = None

    def __post_init__(self) -> None:
        self.user = self.newcomer(f"own{self.number}@group.example")
        self.own = Visitor(signed_in(self.user))

    @property
    def language(self) -> str:
        """Of the letters in this round."""
        return settings.LANGUAGES[self.number % len(settings.LANGUAGES)][0]

    def newcomer(self, email: str) -> User:
        return User.objects.create_user(email, language=self.language)

    def enter(self, visitor: Visitor, url: str, **instead: str) -> bool:
        """Every page of a round gets other texts, and in every round others than before."""
        begin = (self.number * A_ROUND + self.turn * A_PAGE) % len(EVERY)
        self.turn += 1
        taken = visitor.enter(url, *EVERY[begin:], *EVERY[:begin], **instead)
        for name, text in (taken or {}).items():
            self.keep(name_of(url), name, text)
        return taken is not None

    def keep(self, page: str, name: str, text: str) -> None:
        self.taken[self.turn, page, name] = text

    def must_enter(self, visitor: Visitor, url: str, **instead: str) -> None:
        assert self.enter(visitor, url, **instead), (url, visitor.refused[-3:])


def name_of(url: str) -> str:
    return re.sub(r"/[0-9a-f-]{36}|/[0-9A-Z]+-[0-9A-Z]{4}-[0-9A-Z]{4}|/round-\d+", "", url)


def admin(name: str, thing: Any) -> str:
    return reverse(f"admin:{name}", args=[thing.pk])


def play(it: Round) -> None:
    bring_an_event(it)
    register(it)
    belong(it)
    decide(it)
    come_late(it)
    move(it)
    come_back(it)


def bring_an_event(it: Round) -> None:
    day = (it.now + timedelta(days=40)).date()
    slug = f"round-{it.number}"
    it.must_enter(
        it.clara,
        reverse("admin:events_event_add"),
        date=str(day),
        slug=slug,
        zone="UTC",
        process=str(it.process.pk),
        lists_participants="on",
    )
    it.event = Event.objects.get(slug=slug)
    closes = str(day - timedelta(days=20))
    for kind in (Deadline.Kind.REGISTRATION, Deadline.Kind.CONFIRMATION):
        it.must_enter(
            it.clara,
            admin("events_deadline_set", it.event),
            kind=kind,
            opens_on="",
            closes_on=closes if kind == Deadline.Kind.REGISTRATION else str(day),
        )
    it.must_enter(it.clara, admin("events_event_publish", it.event))
    it.event.refresh_from_db()
    email = f"fan{it.number}@press.example"
    follower = following.follow(email, on=it.event, language=it.language, zone="UTC", now=it.now)
    following.confirm(follower, now=it.now)


def register(it: Round) -> None:
    it.must_enter(it.own, reverse("accounts:me"))
    start = reverse("registrations:start", args=[it.event.slug])
    it.must_enter(it.own, start, organisation="new")
    it.registration = Registration.objects.get(event=it.event)
    reference = [it.registration.reference]
    it.must_enter(it.own, reverse("registrations:organisation", args=reference))
    for number, role in enumerate(["head", "delegate", "delegate"]):
        email = f"person{it.number}.{number}@group.example"
        people = reverse("registrations:people", args=reference)
        it.must_enter(it.own, people, role=role, email=email)
    it.must_enter(it.own, reverse("registrations:check", args=reference))


def belong(it: Round) -> None:
    """Somebody asks to join and is refused; another is let in and removed."""
    organisation = it.registration.organisation
    for number, answer in enumerate(({"answer": "no"}, {"answer": "member", "reason": ""})):
        user = it.newcomer(f"asks{it.number}.{number}@group.example")
        other = Visitor(signed_in(user))
        it.must_enter(other, reverse("accounts:me"))
        it.must_enter(other, reverse("stakeholders:ask", args=[organisation.pk]))
        asked = Membership.objects.get(user=user)
        page = reverse("stakeholders:answer", args=[organisation.pk, asked.pk])
        it.must_enter(it.own, page, **answer)
        it.own.wrong += other.wrong
    it.must_enter(it.clara, admin("stakeholders_membership_remove", asked))
    it.must_enter(
        it.clara,
        admin("stakeholders_organisation_appoint", organisation),
        email=f"named{it.number}@group.example",
    )


def decide(it: Round) -> None:
    head, second, third = it.registration.delegates.in_order()
    it.must_enter(it.clara, admin("registrations_delegate_ask", second))
    it.must_enter(it.own, second.get_absolute_url())
    for word, delegate in (("decline", second), ("approve", head), ("approve", third)):
        it.must_enter(it.clara, admin(f"registrations_delegate_{word}", delegate))
    for delegate, word in ((head, "accept"), (third, "decline")):
        url = reverse("registrations:correct", args=[it.registration.reference, delegate.pk])
        it.must_enter(it.own, url, email=f"{word}{it.number}@group.example")
        asked = Correction.objects.get(delegate=delegate)
        it.must_enter(it.clara, admin(f"registrations_correction_{word}", asked))
    replace = reverse("registrations:replace", args=[it.registration.reference, third.pk])
    it.must_enter(it.own, replace, email=f"new{it.number}@group.example")
    head.refresh_from_db()
    listing.agree(head, now=it.now)


def come_late(it: Round) -> None:
    """Groups that are asked to come, and one that asks to."""
    name, reason = (EVERY[at % len(EVERY)].replace("\0", "") for at in (it.number, -it.number))
    late = Organisation(name=f"{names.one_line(name)[:200]} {it.number}", country="ML")
    asked = Exemption.objects.create(
        event=it.event,
        organisation=membership.enter(late, by=it.user, now=it.now),
        asked_by=it.user,
        asked_at=it.now,
        reason=reason[:2000],
    )
    it.must_enter(it.clara, admin("registrations_exemption_refuse", asked))
    it.keep("exemption", "reason", reason.strip())
    invite = admin("events_event_invite", it.event)
    assert it.clara.enter(invite, EVERY[it.number % len(EVERY)]) is not None
    for invitation in it.event.invitations.all():
        it.keep("invitation", invitation.email, invitation.name)


def move(it: Round) -> None:
    """And let the letters about it go out."""
    deadline = it.event.deadlines.get(kind=Deadline.Kind.REGISTRATION)
    before = str((deadline.closes_at - timedelta(days=2)).date())
    it.must_enter(it.clara, admin("events_deadline_move", deadline), day=before, time="12:00")
    later = str(it.event.starts_on + timedelta(days=1))
    it.must_enter(it.clara, admin("events_event_move", it.event), starts_on=later, ends_on=later)


def come_back(it: Round) -> None:
    """To what was sent when the session had ended."""
    text = EVERY[it.number % len(EVERY)]
    body = QueryDict(mutable=True)
    body.update({"reason": text, text: "name"})
    kept.keep(it.user, "/admin/", body, now=it.now)
    it.keep("accounts:kept", "reason", text)


def things_of(it: Round) -> dict[str, list]:
    """By the model that the addresses of the organisers name."""
    event, organisation = it.event, it.registration.organisation
    letters_of = Letter.objects.filter(scope=event.pk)
    entries = Entry.objects.filter(scope__in=[event.pk, organisation.pk])
    return {
        "event": [event],
        "deadline": list(event.deadlines.all()),
        "registration": [it.registration],
        "delegate": list(it.registration.delegates.all()),
        "organisation": [organisation],
        "representative": list(organisation.representatives.all()),
        "membership": list(organisation.memberships.all()),
        "correction": list(Correction.objects.filter(delegate__registration=it.registration)),
        "exemption": list(Exemption.objects.filter(event=event)),
        "invitation": list(Invitation.objects.filter(event=event)),
        "letter": one_of_each(letters_of, lambda letter: letter.key.partition(":")[0]),
        "entry": one_of_each(entries, lambda entry: entry.verb),
        "user": [it.user, *User.objects.filter(email__startswith=f"asks{it.number}.")],
        "process": [it.process],
    }


def one_of_each(things: Iterable, sort: Callable[[Any], str]) -> list:
    return list({sort(thing): thing for thing in things}.values())


def pages_of(it: Round) -> Iterator[tuple[Visitor, str]]:
    """Every page that is about something in this round, with somebody who sees it."""
    things, guest = things_of(it), Visitor(Client())
    opened = {name for name, row in who.rows(who.TABLE).items() if row[-1] == "."}
    for name, parameters in who.all_addresses().items():
        if name.startswith("admin:") and len(parameters) == 1 and name in opened:
            for number, thing in enumerate(things.get(name.split("_")[1], [])):
                if number == 0 or name.endswith(OF_EACH):
                    yield it.root, reverse(name, args=[thing.pk])
        elif parameters == ["slug"]:
            about = it.process if "process" in name else it.event
            yield it.own, reverse(name, args=[about.slug])
        elif parameters == ["reference"]:
            yield it.own, reverse(name, args=[it.registration.reference])
        elif parameters == ["reference", "pk"]:
            for delegate in things["delegate"]:
                yield it.own, reverse(name, args=[it.registration.reference, delegate.pk])
        elif name.startswith("stakeholders:") and parameters == ["pk"]:
            yield it.own, reverse(name, args=[it.registration.organisation_id])
        elif not parameters and name.startswith(("stakeholders:", "registrations:", "accounts:")):
            yield it.own, reverse(name)
    for delegate in things["delegate"]:
        yield guest, links.confirmation_path(delegate)
        yield guest, links.listing_path(delegate)
    for post in KeptPost.objects.filter(user=it.user):
        yield it.own, reverse("accounts:kept", args=[post.pk])
    for invitation in things["invitation"]:
        yield guest, links.invitation_path(invitation)


def look(it: Round) -> set[tuple[int, str, str]]:
    """At every page; what stands on none of them."""
    missing = {at: folded(text)[:ENOUGH] for at, text in it.taken.items()}
    for visitor, url in pages_of(it):
        said = folded(visitor.get(url).end.page.said)
        missing = {at: text for at, text in missing.items() if text not in said}
        it.root.wrong += visitor.wrong
        visitor.wrong = []
    return set(missing)


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_taken_is_shown_as_it_is(process, clara, now, part):
    root = Visitor(signed_in(User.objects.create_superuser("root@secretariat.example")))
    played = []
    for number in range(part * ROUNDS, (part + 1) * ROUNDS):
        it = Round(number, Visitor(signed_in(clara)), root, process, now)
        play(it)
        played.append(it)
    let_letters_out(now)

    assert {at for it in played for at in look(it)} == set()
    open_lists(root, played)
    assert [wrong for it in played for each in (it.own, it.clara) for wrong in each.wrong] == []
    assert root.wrong == []
    assert [title for title in titles() if title != names.one_line(title)] == []
    assert list(letters.wrong_with(Letter.objects.all())) == []
    assert list(files.wrong_with_attendees(root.client)) == []
    assert list(wrong_in_feeds(played)) == []


def titles() -> Iterator[str]:
    """Whatever is stored that stands in one line: names, titles and places."""
    for model in apps.get_models():
        if model._meta.app_label in {"accounts", "events", "stakeholders", "registrations"}:
            fields = [each.name for each in model._meta.fields if type(each) is models.CharField]
            for row in model._default_manager.values_list(*fields) if fields else []:
                yield from filter(None, row)


def wrong_in_feeds(played: list[Round]) -> Iterator[str]:
    """In whatever calendar programs and feed readers ask for."""
    process, events = [played[0].process.slug], [it.event for it in played]
    for it in played:
        it.event.refresh_from_db()
        calendars.renew(it.user)
        for name, value in (("event_ics", it.event.slug), ("own_ics", it.user.calendar_secret)):
            yield from files.wrong_with_calendar(asked_for(name, value), [it.event])
    yield from files.wrong_with_calendar(asked_for("process_ics", *process), events)
    yield from files.wrong_with_calendar(asked_for("deadlines_ics"), events)
    yield from files.wrong_with_news(asked_for("news_atom"))
    yield from files.wrong_with_news(asked_for("process_atom", *process))


def asked_for(name: str, *values: str) -> bytes:
    return Client().get(reverse(f"pages:{name}", args=values)).content


def let_letters_out(now: Any) -> None:
    """Those about changes, those that remind, and those about what nobody has answered."""
    announcements.tell_changes(now=now + timedelta(minutes=6))
    reminders.tell_reviewers(now=now + timedelta(days=1))
    for days in (1, 11, 17, 37):
        reminders.send_due(now=now + timedelta(days=days))
    membership.settle_due(now=now + timedelta(days=8))


def open_lists(root: Visitor, played: list[Round]) -> None:
    """Everybody and everything on one page, and what the public sees."""
    guest = Visitor(Client())
    for name in who.all_addresses():
        if name.endswith("_changelist"):
            root.get(f"{reverse(name)}?all=")
    for name in ("home", "events"):
        guest.get(reverse(f"pages:{name}"))
    events = folded(guest.get(reverse("pages:events")).page.said)
    people = folded(
        root.get(f"{reverse('admin:registrations_delegate_changelist')}?all=").page.said
    )
    for it in played:
        assert folded(it.event.name)[:ENOUGH] in events
        for delegate in it.registration.delegates.all():
            assert folded(str(delegate))[:ENOUGH] in people
    root.wrong += guest.wrong


def test_a_hostile_list_of_organisations_is_read_and_handed_back(process, clara):
    """In each row another text; what stays out comes back as a file."""
    visitor = Visitor(signed_in(clara))
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["name", "acronym", "country", "website", "other names"])
    writer.writerows([text, text[:40], "Mali", "", text] for text in EVERY)
    writer.writerows([f"Group {n}", "", text, text, ""] for n, text in enumerate(EVERY))
    name = EVERY[0].replace("/", "") + ".csv"
    sent = {"file": SimpleUploadedFile(name, lines.getvalue().encode())}

    visitor.post(reverse("admin:stakeholders_importrun_add"), sent)

    run = ImportRun.objects.get()
    for view in ("new", "near", "known", "wrong"):
        for page in range(1, 8):
            visitor.get(f"{admin('stakeholders_importrun_look', run)}?show={view}&page={page}")
    for word in ("rest", "bring_in"):
        visitor.enter(admin(f"stakeholders_importrun_{word}", run))
    for page in ("look", "stayed_out"):
        visitor.get(admin(f"stakeholders_importrun_{page}", run))
    stayed_out = visitor.client.get(admin("stakeholders_importrun_stayed_out", run))
    assert visitor.wrong == []
    assert list(files.formulas_in(files.rows_of(stayed_out.content))) == []
    run.refresh_from_db()
    assert run.applied_at
    assert Organisation.objects.count() > len(EVERY) // 2


def test_a_hostile_list_of_people_is_read_brought_in_and_taken_back(process, hearing, clara):
    """In each row another text, in every column; what stays out comes back as a file."""
    visitor = Visitor(signed_in(clara))
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(
        ["organisation", "country", "category", "given names", "email", "role", EVERY[0]]
    )
    for number, text in enumerate(EVERY):
        writer.writerow([text, "Mali", "diaspora", text, "", "", text])
        writer.writerow([f"Group {number}", text, text, text, text, text, text])
    file = SimpleUploadedFile("people.csv", lines.getvalue().encode())
    sent = {"file": file, "confirm": "yes"}
    visitor.post(reverse("admin:events_event_import_people", args=[hearing.pk]), sent)
    run = PeopleRun.objects.get()
    columns = ["organisation", "country", "category", "given_names", "email", "role", "ignored"]
    typed = {f"column-{number}": meant for number, meant in enumerate(columns)}

    visitor.post(admin("registrations_importrun_columns", run), typed | {"confirm": "yes"})
    for view in ("comes", "asks", "wrong", "there"):
        for page in range(1, 8):
            visitor.get(f"{admin('registrations_importrun_look', run)}?show={view}&page={page}")
    for word in ("bring_in", "take_back"):
        visitor.get(admin(f"registrations_importrun_{word}", run))
        visitor.post(admin(f"registrations_importrun_{word}", run), {"confirm": "yes"})
        visitor.get(admin("registrations_importrun_look", run))
    stayed_out = visitor.client.get(admin("registrations_importrun_stayed_out", run))

    assert visitor.wrong == []
    assert list(files.formulas_in(files.rows_of(stayed_out.content))) == []
    run.refresh_from_db()
    assert run.undone_at
    assert run.counts["comes"] > len(EVERY) // 2
