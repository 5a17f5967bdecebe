"""Who is concerned by a deadline or an event, and since when.

One reader for each address, however it is written and whatever audiences it is in. The number of
queries is the same for ten people and for ten thousand.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User, wants_neutral_subjects
from events.models import Deadline, Event, Follower, ReminderStep, Wish
from notifications import preferences
from notifications.models import Kind
from notifications.writing import Reader
from registrations.models import SEATED, Delegate, DelegateQuerySet, Invitation, Registration
from stakeholders.models import Membership

Audience = ReminderStep.Audience
OF_WINDOWS = (Wish.REMINDERS, Wish.NEWS)
"""What of a follower's wishes is about windows that open and close."""
NEUTRAL = wants_neutral_subjects("email")
PRECEDENCE = (Audience.TO_CONFIRM, Audience.DRAFTS, Audience.INVITED, Audience.FOLLOWERS)


class Delegation(NamedTuple):
    """What a letter says of a registration; rows in full would cost ten thousand readers half a
    second."""

    pk: UUID
    reference: str
    organisation: str
    begun_at: datetime
    sent_at: datetime | None


@dataclass
class Concerned:
    """One reader, and everything for which that reader is written to."""

    reader: Reader
    since: dict[str, datetime] = field(default_factory=dict)
    delegates: list[Delegate] = field(default_factory=list)
    registrations: list[Registration | Delegation] = field(default_factory=list)
    invitation: Invitation | None = None
    follower: Follower | None = None
    wishes: dict[str, datetime] = field(default_factory=dict)
    seen: list[datetime] = field(default_factory=list)

    @property
    def audience(self) -> str:
        """The highest of the reader's audiences decides the words of the letter."""
        return next(audience for audience in PRECEDENCE if audience in self.since)

    @property
    def takes_part(self) -> bool:
        """Has a delegation or a place in one: not only invited, not only curious."""
        return Audience.TO_CONFIRM in self.since or Audience.DRAFTS in self.since

    @property
    def needs(self) -> set[UUID]:
        """The rows by which this reader is concerned."""
        rows = [*self.delegates, *self.registrations, self.invitation, self.follower]
        return {row.pk for row in rows if row is not None}

    def joins(self, audience: str, *moments: datetime) -> None:
        """In this audience since the first of these moments; at each, saw how things stood."""
        self.since[audience] = min(self.since.get(audience, moments[0]), *moments)
        self.seen += moments


@dataclass(frozen=True)
class Changes:
    """What is other for one reader than when that reader last looked."""

    state: str
    old_state: str
    old_days: tuple[date, date] | None = None
    new_days: tuple[date, date] | None = None
    deadlines: list[tuple[Deadline, datetime]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class _Readers:
    """The concerned by their addresses; the first mention of an address is its spelling."""

    def __init__(self) -> None:
        self.by_address: dict[str, Concerned] = {}

    def of(self, reader: Reader) -> Concerned:
        address = reader.email.lower()
        concerned = self.by_address.get(address)
        if concerned is None:
            concerned = self.by_address[address] = Concerned(reader)
        return concerned

    def who_want(self, event: Event, kind: Kind, *, always: bool = False) -> list[Concerned]:
        """Without those who stopped letters of this kind; what concerns their own part in the
        event goes to them all the same where it `always` does."""
        unwanted = preferences.unwanted(event.id, kind)
        return [
            concerned
            for address, concerned in self.by_address.items()
            if address not in unwanted or (always and concerned.takes_part)
        ]


class _Group(NamedTuple):
    """A focal point of an organisation that has begun a registration for the event."""

    email: str
    language: str
    zone: str
    neutral_subjects: bool
    withdrawn_at: datetime | None
    delegation: Delegation

    @property
    def address(self) -> str:
        return self.email.lower()


def of_deadline(deadline: Deadline) -> list[Concerned]:
    """Everybody whom a reminder of this deadline would concern now, and who wants reminders.

    Four queries for registration, three for confirmation.
    """
    readers = _Readers()
    if deadline.kind == Deadline.Kind.CONFIRMATION:
        _add_delegates(readers, Delegate.objects.to_confirm(), deadline.event)
    else:
        _add_drafts_invited_and_followers(readers, deadline.event)
    return readers.who_want(deadline.event, Kind.REMINDER)


def hold(deadline: Deadline) -> Callable[[Concerned], bool]:
    """Hold what its readers are written to about until the transaction ends, and tell of a reader
    whether all of theirs is held: whoever answers in this moment is left to the next sweep."""
    event = deadline.event
    if deadline.kind == Deadline.Kind.CONFIRMATION:
        held = _held(Delegate.objects.to_confirm().filter(registration__event=event))
    else:
        held = _held(Registration.objects.drafts().filter(event=event))
        held |= _held(Invitation.objects.filter(event=event, declined_at=None))
        followers = _locked(Follower.objects.wanting(*OF_WINDOWS).of(event))
        wished = {follower.pk: follower.wishes for follower in followers}
        held |= wished.keys()
        return lambda concerned: concerned.needs <= held and _wishes_so(concerned, wished)
    return lambda concerned: concerned.needs <= held


def of_event(event: Event) -> list[Concerned]:
    """Everybody who was told of this event: groups with a draft or a delegation, people who were
    asked to confirm, invited groups and followers who want announcements. Six queries."""
    readers = _Readers()
    asked = Delegate.objects.filter(state__in=SEATED, asked_at__isnull=False)
    _add_delegates(readers, asked, event)
    answered = set()
    for group in _groups(event):
        if group.delegation.sent_at:
            answered.add(group.address)
        if group.withdrawn_at is None:
            concerned = _add_group(readers, group)
            if group.delegation.sent_at:
                concerned.seen.append(group.delegation.sent_at)
    _add_invited(readers, event, answered=answered)
    _add_followers(readers, event, [Wish.CHANGES])
    return readers.who_want(event, Kind.ANNOUNCEMENT, always=True)


def _add_drafts_invited_and_followers(readers: _Readers, event: Event) -> None:
    """Who has sent a delegation, or is about to, need not be told that the window closes."""
    answered, coming = set(), set()
    for group in _groups(event):
        if group.delegation.sent_at:
            answered.add(group.address)
            if group.withdrawn_at is None:
                coming.add(group.address)
        elif group.withdrawn_at is None:
            _add_group(readers, group)
    declined = _add_invited(readers, event, answered=answered)
    _add_followers(readers, event, OF_WINDOWS, but=coming | declined)


def _groups(event: Event) -> Iterable[_Group]:
    """Each focal point of each organisation with a registration for this event."""
    points = Membership.objects.of_focal_points().filter(organisation__registrations__event=event)
    rows = points.order_by("user__email", "organisation__name").values_list(
        "user__email",
        "user__language",
        "user__zone",
        "user__neutral_subjects",
        "organisation__registrations__withdrawn_at",
        "organisation__registrations__pk",
        "organisation__registrations__reference",
        "organisation__name",
        "organisation__registrations__begun_at",
        "organisation__registrations__sent_at",
    )
    return (_Group(*row[:5], Delegation(*row[5:])) for row in rows)


def _add_group(readers: _Readers, group: _Group) -> Concerned:
    concerned = readers.of(Reader.of(group))
    concerned.registrations.append(group.delegation)
    concerned.joins(Audience.DRAFTS, group.delegation.begun_at)
    return concerned


def _add_invited(readers: _Readers, event: Event, *, answered: set[str]) -> set[str]:
    """The invited without an answer; returns the addresses of those who have declined."""
    declined = set()
    invitations = Invitation.objects.filter(event=event).annotate(neutral_subjects=NEUTRAL)
    for invitation in invitations.order_by("sent_at", "email"):
        address = invitation.email.lower()
        if invitation.declined_at is not None:
            declined.add(address)
        elif address not in answered:
            concerned = readers.of(Reader.of(invitation))
            concerned.invitation = invitation
            concerned.joins(Audience.INVITED, invitation.sent_at)
    return declined


def _add_followers(
    readers: _Readers, event: Event, wishes: Sequence[Wish], *, but: Iterable[str] = ()
) -> None:
    """Of the event first, then of its process: who follows both is told once, and may stop."""
    following = Follower.objects.wanting(*wishes).of(event).annotate(neutral_subjects=NEUTRAL)
    for follower in following.order_by("event_id", "email"):
        since = follower.confirmed_at
        if since and follower.email.lower() not in but:
            concerned = readers.of(Reader.of(follower))
            concerned.follower = concerned.follower or follower
            concerned.joins(Audience.FOLLOWERS, since)
            for wish in follower.wishes:
                concerned.wishes[wish] = min(concerned.wishes.get(wish, since), since)


def _add_delegates(readers: _Readers, people: DelegateQuerySet, event: Event) -> None:
    """Each by their own address; whoever has none, by the focal points of the organisation.

    Someone without an account is written to as the first focal point is.
    """
    people = people.filter(registration__event=event, registration__withdrawn_at=None)
    people = people.select_related("representative", "registration__organisation")
    delegates = list(
        people.annotate(neutral_subjects=wants_neutral_subjects("representative__email")).order_by(
            "registration__begun_at", "position", "id"
        )
    )
    points: dict[UUID, list[User]] = {}
    memberships = Membership.objects.of_focal_points().filter(
        organisation__in=people.values("registration__organisation")
    )
    for membership in memberships.select_related("user").order_by("user__email"):
        points.setdefault(membership.organisation_id, []).append(membership.user)
    for delegate in delegates:
        delegate.registration.event = event
        focal_points = points.get(delegate.registration.organisation_id, [])
        for reader in _readers_of(delegate, focal_points):
            concerned = readers.of(reader)
            concerned.delegates.append(delegate)
            if delegate.asked_at:
                concerned.joins(Audience.TO_CONFIRM, delegate.asked_at)


def _readers_of(delegate: Any, focal_points: list[User]) -> list[Reader]:
    email = delegate.representative.email
    if not email:
        return [Reader.of(user) for user in focal_points]
    own = (user for user in focal_points if user.email.lower() == email.lower())
    like = next(own, None) or next(iter(focal_points), None)
    is_discreet = delegate.neutral_subjects or (like is not None and like.neutral_subjects)
    language, zone = (like.language, like.zone) if like else (settings.LANGUAGE_CODE, "UTC")
    return [Reader(email, language, zone, is_discreet)]


def _held(rows: QuerySet) -> set[UUID]:
    """What nobody else is changing, held; a row that is being changed is left out."""
    return set(_locked(rows).values_list("pk", flat=True))


def _locked(rows: QuerySet) -> QuerySet:
    return rows.order_by().select_for_update(of=("self",), skip_locked=True, no_key=True)


def _wishes_so(concerned: Concerned, wished: dict[UUID, set[Wish]]) -> bool:
    """Whether a follower still wants to hear of the same."""
    follower = concerned.follower
    return follower is None or follower.wishes == wished[follower.pk]
