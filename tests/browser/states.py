"""Every state that an event, a group and a person can be in, made by verbs in a running portal.

Run by its own `manage.py shell`: prints where each state is seen, and by whom.
"""

import json
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.internal.flows import login
from django.db import transaction
from django.http import QueryDict

import clock
from accounts import calendars, kept
from accounts.models import User
from clock import walls
from events import capacity, deadlines, following, mails, schedule
from events.models import Deadline, Document, Event, Process, Segment, Track
from notifications import preferences
from notifications.models import Kind
from registrations import (
    colleagues,
    confirmations,
    corrections,
    decisions,
    exchanges,
    exemptions,
    intake,
    invitations,
    links,
    listing,
    replacements,
)
from registrations.intake import Person
from registrations.models import Delegate, Invitation, Registration
from stakeholders import membership
from stakeholders.models import Organisation
from tests.conftest import signed_in

ZONE = "America/New_York"
DAY = timedelta(days=1)
ROLE, STATE = Delegate.Role, Delegate.State
LANGUAGES = ["en", "ar", "zh_hans", "fr", "ru", "es"]
WHY = "The room was flooded. سوف نعلن الموعد الجديد."
LONG = "Wolfeschlegelsteinhausenbergerdorff"
ADDRESS = "a-rather-long-address-of-one-person@an-organisation-with-a-long-name.example"


class Stage:
    """Who plays, and when."""

    def __init__(self) -> None:
        self.now = clock.now()
        self.before = self.now - 30 * DAY
        self.process = Process.objects.get(slug="gcm-live")
        self.clara = User.objects.get(email="clara@secretariat.example")
        self.zora = self.person("zora@everywhere.example", "Zora Nélson")
        self.group = membership.found(
            Organisation(name="Everywhere Friends", country="KE", category="diaspora"),
            by=self.zora,
            now=self.before,
        )
        self.seen: dict[str, list[str]] = {}
        self.named: dict[str, str] = {}
        """Where something can be done wrong."""

    def person(self, email: str, name: str) -> User:
        return User.objects.create_user(email, name=name, language="en", zone="Africa/Nairobi")

    def shows(self, who: str, *paths: str) -> None:
        self.seen.setdefault(who, []).extend(path.removeprefix("/en/") for path in paths)

    def names(self, name: str, path: str) -> None:
        self.named[name] = path.removeprefix("/en/")

    def event(
        self,
        slug: str,
        *,
        closes_at: datetime,
        opens_at: datetime | None = None,
        starts_in: int = 40,
        **facts: Any,
    ) -> Event:
        starts_on = (self.now + starts_in * DAY).date()
        told: dict[str, Any] = {
            "kind": Event.Kind.CONSULTATION,
            "name_en": f"State {slug}: consultation with diaspora organisations",
            "name_ar": f"حالة {slug}: مشاورة مع منظمات المهاجرين",
            "summary_en": "One event for each state that an event can be in.",
            "starts_on": starts_on,
            "ends_on": starts_on + DAY,
            "zone": ZONE,
            "city_en": "New York",
            "country": "US",
            "contact_email": "hearing@secretariat.example",
        }
        event = Event.objects.create(process=self.process, slug=f"state-{slug}", **(told | facts))
        deadlines.set_deadline(
            event,
            kind=Deadline.Kind.REGISTRATION,
            opens_at=opens_at,
            closes_at=closes_at,
            by=None,
            now=self.before,
        )
        schedule.publish(event, by=None, now=self.before)
        self.shows("anonymous", *(f"events/{event.slug}/{page}" for page in ("", "follow/")))
        return event

    def draft(self, event: Event, *people: Person, at: datetime | None = None) -> Registration:
        at = at or self.before
        draft = intake.begin(event, self.group, by=self.zora, now=at)
        for one in people:
            intake.add_person(draft, one, by=self.zora, now=at)
        return draft

    def sent(self, event: Event, *people: Person, at: datetime | None = None) -> Registration:
        draft = self.draft(event, *people, at=at)
        intake.submit(draft, by=self.zora, now=at or self.before)
        return draft

    def shows_draft(self, draft: Registration, *more: str) -> None:
        own = f"registrations/{draft.reference}/"
        pages = ["", "organisation/", "people/", "people/paste/", "people/choose/", *more]
        self.shows("zora", *(own + page for page in pages))
        self.shows("zora", *(one.get_absolute_url() for one in draft.delegates.all()[:1]))

    def shows_sent(self, sent: Registration) -> None:
        self.shows("zora", f"registrations/{sent.reference}/")
        self.shows("zora", *(one.get_absolute_url() for one in sent.delegates.in_order()))


def make() -> dict[str, Any]:
    stage = Stage()
    _events_without_a_group(stage)
    _drafts(stage)
    _people(stage)
    _sent(stage)
    _past(stage)
    _letters(stage)
    _organisation(stage)
    _account(stage)
    people = {"zora": stage.zora, "mia": User.objects.get(email="mia@everywhere.example")}
    people["new"] = stage.person("new@nowhere.example", "")
    stage.shows("new", "registrations/", "organisations/", "events/state-open/register/")
    sessions = {who: _session(user) for who, user in people.items()}
    return {"seen": stage.seen, "sessions": sessions, "named": stage.named}


def _session(user: User) -> str:
    """Somebody who has just shown that it is them, and stays so."""
    session = signed_in(user).session
    later = time.time() + DAY.total_seconds()
    for method in session[login.AUTHENTICATION_METHODS_SESSION_KEY]:
        method["at"] = later
    session.save()
    return session.session_key


def _events_without_a_group(stage: Stage) -> None:
    now = stage.now
    stage.event("ahead", opens_at=now + 3 * DAY, closes_at=now + 20 * DAY)
    last = stage.event("last", opens_at=now - 40 * DAY, closes_at=now + timedelta(hours=10))
    extended = stage.event("extended", closes_at=now + 2 * DAY)
    deadlines.move(
        extended.registration_deadline, closes_at=now + 9 * DAY, by=None, now=now, reason=WHY
    )
    moved = stage.event("moved", closes_at=now + 8 * DAY)
    schedule.move(
        moved,
        starts_on=moved.starts_on + 7 * DAY,
        ends_on=moved.ends_on + 7 * DAY,
        starts_at=None,
        ends_at=None,
        by=None,
        now=now,
        reason=WHY,
    )
    for event in (last, extended):
        stage.shows("anonymous", f"events/{event.slug}/check/?group=diaspora")
    stage.shows("zora", *(f"events/state-{slug}/register/" for slug in ("ahead", "last", "moved")))


def _drafts(stage: Stage) -> None:
    now = stage.now
    opened = stage.event("open", opens_at=now - 40 * DAY, closes_at=now + 10 * DAY)
    Track.objects.create(event=opened, position=1, name_en="In consultative status")
    Track.objects.create(event=opened, position=2, name_en="Applies for this event only")
    Segment.objects.create(event=opened, name_en="First panel", date=opened.starts_on, seats=5)
    draft = stage.draft(
        opened,
        Person("Zora", LONG, ADDRESS, ROLE.HEAD, "A wheelchair\nand large print"),
        Person("نور", "حداد", "nour@everywhere.example", ROLE.SPEAKER),
        Person("Li", "", role=ROLE.INTERPRETER),
    )
    intake.choose_track(draft, opened.tracks.first(), by=stage.zora, now=now)
    intake.keep_typed(draft, "paste", {"rows": f"Given\tFamily\tEmail\nAna\t{LONG}\tana@"},
                      by=stage.zora)  # fmt: skip
    stage.shows_draft(draft, "check/", "colleagues/", "withdraw/")
    stage.names("draft", f"registrations/{draft.reference}/")
    stage.names("person", draft.delegates.in_order()[0].get_absolute_url())

    empty = stage.draft(Event.objects.get(slug="state-last"))
    intake.keep_typed(empty, "person", {"given_names": "Ana", "email": "ana@"}, by=stage.zora)
    stage.shows_draft(empty, "check/")

    for slug, answer in (("closed", None), ("asked", "waits"), ("refused", "no"), ("late", "yes")):
        event = stage.event(slug, closes_at=now - DAY)
        late = stage.draft(event, Person("Ana", "Costa", role=ROLE.HEAD))
        if not answer:
            stage.names("ask", f"registrations/{late.reference}/ask/")
        if answer:
            asked = exemptions.ask(late, reason=WHY, by=stage.zora, now=now)
        if answer == "no":
            exemptions.refuse(asked, answer=WHY, by=stage.clara, now=now)
        if answer == "yes":
            exemptions.grant(asked, until=now + 3 * DAY, by=stage.clara, now=now)
        stage.shows_draft(late, *(["ask/"] if not answer else []), "check/")


def _people(stage: Stage) -> None:
    """One delegation with somebody in every state."""
    now = stage.now
    hall = stage.event("hall", closes_at=now + 12 * DAY, lists_participants=True)
    capacity.change(hall, admission="reviewed", seats=8, cap=None, by=stage.clara, now=stage.before)
    deadlines.set_deadline(
        hall,
        kind=Deadline.Kind.CONFIRMATION,
        closes_at=now + 30 * DAY,
        by=None,
        now=stage.before,
    )
    names = [
        *("Confirmed", "Approved", "Wishes", "Corrected", "Uncorrected", "Replaced", "Named"),
        *("Gone", "Waits", "Declined", "Asked", "Answered", "Withdrawn", "Sent"),
    ]
    sent = stage.sent(
        hall,
        *(Person(f"{name} {LONG}", "نور", f"{name.lower()}-{ADDRESS}") for name in names),
    )
    by_name = {one.representative.given_names.split()[0]: one for one in sent.delegates.in_order()}
    decisions.approve(sent, [by_name[name] for name in names[:8]], by=stage.clara, now=now)
    for one in by_name.values():
        one.refresh_from_db()
    confirmations.confirm(by_name["Confirmed"], now=now)
    _agree(by_name["Confirmed"], now)
    for name, answer in (("Wishes", None), ("Corrected", True), ("Uncorrected", False)):
        facts = corrections.facts_of(by_name[name]) | {"family_name": "Nour"}
        asked = corrections.ask(
            by_name[name], facts, reason="As in the passport.", by=stage.zora, now=now
        )
        if answer:
            corrections.accept(asked, by=stage.clara, now=now)
        elif answer is False:
            corrections.decline(asked, answer=WHY, by=stage.clara, now=now)
    new = replacements.replace(
        by_name["Replaced"], Person("Newcomer", "Osei"), by=stage.zora, now=now
    )
    decisions.approve(sent, [new], by=stage.clara, now=now)
    replacements.replace(by_name["Named"], Person("Instead", "Owusu"), by=stage.zora, now=now)
    decisions.wait_list(sent, [by_name["Waits"]], by=stage.clara, now=now)
    decisions.decline(sent, [by_name["Declined"]], by=stage.clara, now=now, reason=WHY)
    questions = [by_name["Asked"], by_name["Answered"]]
    decisions.ask(sent, questions, by=stage.clara, now=now, question="Which topic? أي موضوع؟")
    exchanges.answer(by_name["Answered"], "نعم", by=stage.zora, now=now)
    intake.withdraw_person(by_name["Withdrawn"], by=stage.zora, now=now)
    # The seat of who does not come is not given to who waits: there is none left for them.
    capacity.change(hall, admission="reviewed", seats=7, cap=None, by=stage.clara, now=now)
    confirmations.decline(by_name["Gone"], now=now)
    stage.shows_sent(sent)
    own = f"registrations/{sent.reference}/"
    approved, checked = (f"{own}people/{by_name[name].pk}/" for name in ("Approved", "Sent"))
    stage.shows("zora", f"{own}withdraw/", f"{checked}correct/", f"{checked}withdraw/")
    stage.shows("zora", *(f"{approved}{page}/" for page in ("correct", "replace", "withdraw")))
    stage.shows("anonymous", f"events/{hall.slug}/participants/")
    stage.shows("anonymous", f"events/{hall.slug}/participants/?q=nobody")
    stage.names("sent", own)
    stage.names("approved", approved)
    stage.names("asked", by_name["Asked"].get_absolute_url())
    asked_by_letter = [by_name[name] for name in ("Confirmed", "Approved", "Gone", "Declined")]
    stage.shows("anonymous", *(links.confirmation_path(one) for one in asked_by_letter))
    stage.shows("anonymous", *(links.listing_path(one) for one in asked_by_letter[:3]))


def _agree(delegate: Delegate, now: datetime) -> None:
    delegate.refresh_from_db()
    listing.agree(delegate, now=now)


def _sent(stage: Stage) -> None:
    now, before = stage.now, stage.before
    pair = (Person("Ana", "Costa", role=ROLE.HEAD), Person("Ben", "Osei"), Person("Li", "Wu"))
    full = stage.event("full", closes_at=now + 11 * DAY)
    capacity.change(full, admission="first_come", seats=2, cap=None, by=stage.clara, now=before)
    stage.shows_sent(stage.sent(full, *pair))
    stage.shows("anonymous", f"events/{full.slug}/check/")
    stage.shows_sent(stage.sent(Event.objects.get(slug="state-extended"), *pair[:1]))

    lapsed = stage.event("lapsed", closes_at=now - 6 * DAY)
    deadlines.set_deadline(
        lapsed, kind=Deadline.Kind.CONFIRMATION, closes_at=now - DAY, by=None, now=before
    )
    late = stage.sent(lapsed, *pair[:1])
    decisions.approve(late, late.delegates.all(), by=stage.clara, now=before)
    confirmations.lapse_due(now=now)
    stage.shows_sent(late)
    stage.shows("anonymous", links.confirmation_path(late.delegates.get()))

    for slug, turn in (("postponed", schedule.postpone), ("cancelled", schedule.cancel)):
        event = stage.event(slug, closes_at=now + 12 * DAY)
        sent = stage.sent(event, *pair)
        decisions.approve(sent, sent.delegates.all()[:1], by=stage.clara, now=before)
        turn(event, by=None, now=now, reason=WHY)
        stage.shows_sent(sent)
        stage.shows("zora", f"events/{event.slug}/register/")
        stage.shows("anonymous", links.confirmation_path(sent.delegates.all()[0]))

    gone = stage.sent(stage.event("left", closes_at=now + 13 * DAY), *pair)
    intake.withdraw(gone, by=stage.zora, now=now)
    stage.shows_sent(gone)


def _past(stage: Stage) -> None:
    """With agenda, documents, recording, outcome, and who was there."""
    now = stage.now
    past = stage.event(
        "past",
        closes_at=now - 20 * DAY,
        starts_in=-5,
        lists_participants=True,
        webcast_url="https://webcast.example/live",
        recording_url="https://webcast.example/recording",
        source="https://source.example/a-long-address-without-any-space-in-it",
        evidence=Event.Evidence.PARTLY,
        interpretation=["en", "ar", "fr"],
        **{f"eligibility_{code}": f"Diaspora organisations ({code})" for code in LANGUAGES},
        venue_en="United Nations Headquarters",
        room_en="Trusteeship Council Chamber",
    )
    for hour in (9, 15):
        at = walls.start_of(past.starts_on, ZONE) + timedelta(hours=hour)
        Segment.objects.create(
            event=past,
            name_en=f"Panel {hour}: what works, and for whom",
            name_zh_hans=f"第{hour}场讨论",
            date=past.starts_on,
            starts_at=at,
            ends_at=at + timedelta(hours=3),
        )
    for ending, language in (("pdf", "en"), ("docx", "ar"), ("html", "")):
        Document.objects.create(
            event=past,
            title_en=f"Summary of the consultation ({ending})",
            url=f"https://documents.example/outcome.{ending}",
            language=language,
        )
    sent = stage.sent(
        past, Person("Ana", "Costa", ADDRESS, ROLE.HEAD), Person("Ben", "Osei"), at=now - 25 * DAY
    )
    decisions.approve(sent, sent.delegates.all(), by=stage.clara, now=now - 22 * DAY)
    for one in sent.delegates.filter(listing_asked_at__isnull=False):
        _agree(one, now - 21 * DAY)
    stage.shows_sent(sent)
    stage.shows("anonymous", f"events/{past.slug}/participants/")


def _letters(stage: Stage) -> None:
    """The pages behind links that need no account."""
    now = stage.now
    events = {
        slug: Event.objects.get(slug=f"state-{slug}") for slug in ("open", "full", "cancelled")
    }
    invitations.invite(
        events["open"],
        addresses=[("a@invited.example", "Invited Union"), ("b@invited.example", "")],
        language="en",
        by=stage.clara,
        now=stage.before,
    )
    asked, declined = Invitation.objects.filter(event=events["open"]).order_by("email")
    invitations.decline(declined, now=now)
    elsewhere = [
        Invitation.objects.create(
            event=Event.objects.get(slug=f"state-{slug}"),
            email="c@invited.example",
            language="en",
            sent_at=stage.before,
        )
        for slug in ("closed", "past", "postponed", "cancelled")
    ]
    stage.shows("anonymous", *map(links.invitation_path, (asked, declined, *elsewhere)))

    fan = "fan@press.example"
    followers = {
        slug: following.follow(fan, on=on, language="en", zone="UTC", now=stage.before)
        for slug, on in (events | {"process": stage.process}).items()
        if slug != "cancelled"
    }
    for slug in ("full", "process"):
        following.confirm(followers[slug], now=now)
    for follower in (followers["open"], followers["full"]):
        stage.shows("anonymous", f"follow/confirm/{mails.follow_token(follower)}/")
    stage.shows("anonymous", f"follow/stop/{following.token(followers['full'])}/")
    for kind in (Kind.REMINDER, Kind.ANNOUNCEMENT):
        token = preferences.token(fan, events["full"].pk, kind)
        stage.shows("anonymous", f"letters/stop/{token}/")
    stage.shows("anonymous", "processes/gcm-live/", "processes/gcm-live/follow/", "calendar/")
    for answered in (links.confirmation_path, links.listing_path):
        stage.shows("nothing", answered(Delegate(pk=UUID(int=0), representative_id=UUID(int=0))))


def _organisation(stage: Stage) -> None:
    now, group = stage.now, stage.group
    mia, ida, ned = (
        stage.person(f"{name.lower()}@everywhere.example", name) for name in ("Mia", "Ida", "Ned")
    )
    for one, kind in ((mia, "member"), (ida, "focal_point")):
        invited = membership.invite(group, email=one.email, kind=kind, by=stage.zora, now=now)
        membership.accept(invited, by=one, now=now)
    asked = membership.ask(group, by=ned, now=now, note=WHY)
    invited = membership.invite(group, email=ADDRESS, by=stage.zora, now=now)
    draft = Registration.objects.get(event__slug="state-open", organisation=group)
    member = group.memberships.get(user=mia)
    colleagues.change(draft, on=[member], by=stage.zora, now=now)

    ports = Organisation.objects.get(name="Port Workers")
    atlas = Organisation.objects.get(name="Valley Farm Workers")
    membership.ask(ports, by=stage.zora, now=now, note="")
    membership.invite(atlas, email=stage.zora.email, by=atlas.focal_points[0], now=now)
    own = f"organisations/{group.pk}/"
    changes = [
        *(f"people/{member.pk}/{change}/" for change in ("remove", "focal-point", "hand-over")),
        f"people/{group.memberships.get(user=ida).pk}/member/",
        f"people/{invited.pk}/take-back/",
        f"people/{asked.pk}/answer/",
    ]
    stage.shows("zora", "organisations/", "organisations/find/", own, f"{own}leave/")
    stage.shows("zora", *(own + change for change in changes))
    other = Organisation.objects.get(name="Diaspora Network")
    stage.shows("zora", f"organisations/{other.pk}/ask/")
    stage.names("group", own)
    stage.names("answer", f"{own}people/{asked.pk}/answer/")
    stage.shows("mia", "registrations/", "organisations/", own, f"{own}leave/")
    stage.shows("mia", f"registrations/{draft.reference}/")
    stage.shows("mia", f"registrations/{draft.reference}/organisation/")
    stage.shows("mia", "events/state-moved/register/")


def _account(stage: Stage) -> None:
    calendars.renew(stage.zora)
    following.confirm(
        following.follow(
            stage.zora.email, on=stage.process, language="en", zone="UTC", now=stage.now
        ),
        now=stage.now,
    )
    post = kept.keep(stage.zora, "/en/registrations/", _typed(), now=stage.now)
    stage.shows("zora", f"accounts/go-on/{post.pk}/", "registrations/", "events/state-open/")
    stage.shows("zora", *(f"accounts/{page}/" for page in ACCOUNT))
    stage.shows("mia", "accounts/following/", "accounts/me/")


ACCOUNT = [
    *("me", "following", "address", "sessions", "logout", "factors", "factors/totp/activate"),
    *("factors/webauthn/add", "factors/webauthn", "factors/recovery-codes/generate"),
]


def _typed() -> Any:
    return QueryDict(f"given_names={LONG}&answer=%D9%86%D8%B9%D9%85", mutable=True)


def tell() -> None:
    with transaction.atomic():
        print(json.dumps(make()))
