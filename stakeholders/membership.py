"""How people come to speak for an organisation, and how that ends.

Every verb holds the organisation's row first: who may do what in it is read again under that lock.
It refuses with TakenIn where that is the same as another one by now.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Q
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from audit.models import Entry
from events.rights import Right
from notifications import recall
from notifications.models import Letter
from notifications.models import State as LetterState
from stakeholders import mails, matching, refusals
from stakeholders.models import Membership, Organisation

Kind, State = Membership.Kind, Membership.State

MOST_ASKS = 5
"""Open requests of one person."""
MOST_CLAIMS = 5
"""Organisations that one person leads, after which organisers look at a further claim."""
MOST_INVITATIONS = 20
"""Open invitations of one organisation."""
WRITTEN_AGAIN_AFTER = timedelta(days=1)
"""When somebody who is invited again gets another letter."""
WITHIN = timedelta(days=1)
MOST_INVITED = 20
"""Invitations of one person within that time, taken back or not, for whichever organisation:
another organisation is entered in a minute, but another account takes another mailbox."""
MOST_ENTERED = 10
"""Organisations that one person enters within that time."""

ENTERED = gettext_noop("organisation entered")
INVITED = gettext_noop("invited")
NAMED = gettext_noop("named focal point by the organisers")


@transaction.atomic
def found(organisation: Organisation, *, by: User, now: datetime) -> Organisation:
    """Enter an organisation that is new here; whoever enters it becomes its focal point.

    Entered twice by the same person, it is the same organisation. Refuses with KnownHere a name
    that another organisation of the same country bears, and with EnteredTooMany.
    """
    twin = _twin(organisation)
    if twin and Organisation.objects.spoken_for_by(by).contains(twin):
        return twin
    if twin:
        raise refusals.KnownHere(twin, settings.CONTACT_EMAIL)
    if again := _again(Organisation, ENTERED, MOST_ENTERED, by=by, now=now):
        raise refusals.EnteredTooMany(MOST_ENTERED, again, by.zone)
    _save_new(organisation, by=by, now=now)
    Membership.objects.create(user=by, organisation=organisation, since=now)
    return organisation


@transaction.atomic
def enter(organisation: Organisation, *, by: User, now: datetime) -> Organisation:
    """Organisers enter an organisation that is new here; nobody speaks for it yet. Refuses with
    KnownHere as `found` does."""
    twin = _twin(organisation)
    if twin:
        raise refusals.KnownHere(twin, settings.CONTACT_EMAIL)
    _save_new(organisation, by=by, now=now)
    return organisation


@transaction.atomic
def correct(organisation: Organisation, *, by: User, now: datetime, seen: str = "") -> None:
    """Keep corrected facts about an organisation; `seen` is the mark of what the form showed.

    Refuses with KnownHere as `found` does, with TakenIn, and with ChangedMeanwhile.
    """
    held = _held(organisation)
    before = {field: str(getattr(held, field)) for field in Organisation.FACTS}
    after = {field: str(getattr(organisation, field)) for field in Organisation.FACTS}
    if before == after:
        return
    if seen and seen != held.mark:
        raise refusals.ChangedMeanwhile(held)
    twin = _twin(organisation)
    if twin:
        raise refusals.KnownHere(twin, settings.CONTACT_EMAIL)
    organisation.save()
    trail.record(
        by,
        gettext_noop("organisation corrected"),
        organisation,
        at=now,
        scope=None,
        before=before,
        after=after,
    )


@transaction.atomic
def ask(organisation: Organisation, *, by: User, now: datetime, note: str = "") -> Membership:
    """Ask to join. Asking again is the same request; whoever is invited joins by it. Who asks for
    an organisation that nobody has ever spoken for becomes its focal point at once.

    The focal points are told; the organisers, where there is none. Refuses with TooManyAsks, and
    with AskedLately whoever was refused or has left a few days ago.
    """
    held = _held(organisation)
    there = _membership(held, by)
    if there and (there.state == State.ACTIVE or there.is_open(State.ASKED, now)):
        return there
    if there and there.is_open(State.INVITED, now):
        return _enter(there, there.kind, gettext_noop("invitation accepted"), by=by, now=now)
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    asked = there or Membership(user=by, organisation=held)
    if held.is_unclaimed and Organisation.objects.led_by(by).count() < MOST_CLAIMS:
        return _enter(asked, Kind.FOCAL_POINT, gettext_noop("organisation claimed"), by=by, now=now)
    _check_may_ask(asked, now)
    asked.kind, asked.state, asked.since, asked.note = Kind.MEMBER, State.ASKED, now, note
    asked.organisers_told_at = None if held.focal_points else now
    asked.save()
    _remember(asked, gettext_noop("asked to join"), by=by, now=now, reason=note)
    if asked.organisers_told_at:
        mails.ask_unanswered(asked, now=now)
    else:
        mails.asks_to_join(asked, now=now)
    return asked


@transaction.atomic
def agree(membership: Membership, *, by: User, now: datetime, kind: str = Kind.MEMBER) -> None:
    """Let in who has asked. Refuses with NotForOneself, NotYours and AnsweredAlready."""
    asked = _asked(membership, by=by, now=now)
    _enter(asked, kind, gettext_noop("request agreed to"), by=by, now=now)
    mails.joined(asked, now=now)


@transaction.atomic
def refuse_to_join(membership: Membership, *, by: User, now: datetime, reason: str = "") -> None:
    """Say no to who has asked, and who reads the reason. Refuses as `agree` does."""
    asked = _asked(membership, by=by, now=now)
    _end(asked, gettext_noop("request refused"), by=by, now=now, reason=reason)
    mails.not_joined(asked, reason=reason, now=now)


@transaction.atomic
def invite(
    organisation: Organisation, *, email: str, by: User, now: datetime, kind: str = Kind.MEMBER
) -> Membership:
    """Invite whoever reads this address; a newcomer gets an empty account. Whoever has asked to
    join is let in by it. Inviting again is the same invitation, and another letter a day later.

    Refuses with NotYours, InAlready, TooManyInvitations and InvitedTooOften.
    """
    held = _held(organisation)
    _check_leads(held, by)
    user = _account(email, like=by)
    there = _membership(held, user)
    if there and there.state == State.ACTIVE:
        raise refusals.InAlready(email, held)
    if there and there.is_open(State.ASKED, now):
        _enter(there, kind, gettext_noop("request agreed to"), by=by, now=now)
        mails.joined(there, now=now)
        return there
    is_open = there is not None and there.is_open(State.INVITED, now)
    if there and is_open and there.since and now < there.since + WRITTEN_AGAIN_AFTER:
        return there
    if not is_open and held.memberships.invited(now).count() >= MOST_INVITATIONS:
        raise refusals.TooManyInvitations(MOST_INVITATIONS)
    if again := _again(Membership, INVITED, MOST_INVITED, by=by, now=now):
        raise refusals.InvitedTooOften(MOST_INVITED, again, by.zone)
    invited = there or Membership(user=user, organisation=held)
    invited.kind, invited.state, invited.since, invited.note = kind, State.INVITED, now, ""
    invited.organisers_told_at = None
    invited.save()
    _remember(invited, INVITED, by=by, now=now)
    if not _was_written_to(invited, now):
        mails.invited_to_join(invited, now=now)
    return invited


@transaction.atomic
def accept(membership: Membership, *, by: User, now: datetime) -> None:
    """Refuses with NotYours and InvitationOver."""
    invited = _invited(membership, by=by, now=now)
    if invited.state == State.INVITED:
        _enter(invited, invited.kind, gettext_noop("invitation accepted"), by=by, now=now)


@transaction.atomic
def decline(membership: Membership, *, by: User, now: datetime) -> None:
    """Refuses with NotYours and InvitationOver."""
    invited = _invited(membership, by=by, now=now)
    if invited.state == State.ACTIVE:
        raise refusals.InvitationOver(invited.organisation)
    _end(invited, gettext_noop("invitation declined"), by=by, now=now)


@transaction.atomic
def leave(membership: Membership, *, by: User, now: datetime) -> None:
    """Leave the organisation, or take back the request to join it.

    Refuses with NotYours, NotInIt, and with LastFocalPoint as long as there are colleagues, or
    people whom the organisation has registered.
    """
    held, there = _held_with(membership)
    if there.user_id != by.pk:
        raise refusals.NotYours(held)
    if there.state == State.ASKED:
        _end(there, gettext_noop("request taken back"), by=by, now=now)
        return
    if there.state != State.ACTIVE:
        raise refusals.NotInIt(there)
    others = held.memberships.active().exclude(pk=there.pk)
    if others.exists() or held.representatives.exists():
        _check_not_last(there)
    _end(there, gettext_noop("left the organisation"), by=by, now=now)


@transaction.atomic
def hand_over(organisation: Organisation, *, to: Membership, by: User, now: datetime) -> None:
    """Make a member focal point instead of oneself. Refuses with NotYours and NotInIt."""
    held = _held(organisation)
    heir = _reread(to)
    own = held.memberships.of_focal_points().filter(user=by).select_related("user").first()
    if own is None or own.pk == heir.pk or heir.organisation_id != held.pk:
        raise refusals.NotYours(held)
    if not heir.is_active:
        raise refusals.NotInIt(heir)
    _turn_into(heir, Kind.FOCAL_POINT, by=by, now=now)
    _turn_into(own, Kind.MEMBER, by=by, now=now)


@transaction.atomic
def make_focal_point(membership: Membership, *, by: User, now: datetime) -> None:
    """Refuses with NotYours and NotInIt."""
    _turn_into(_in_it(membership, by=by), Kind.FOCAL_POINT, by=by, now=now)


@transaction.atomic
def make_member(membership: Membership, *, by: User, now: datetime) -> None:
    """Refuses with NotYours, NotInIt and LastFocalPoint."""
    there = _in_it(membership, by=by)
    _check_not_last(there)
    _turn_into(there, Kind.MEMBER, by=by, now=now)


@transaction.atomic
def remove(membership: Membership, *, by: User, now: datetime, reason: str = "") -> None:
    """End the access of somebody else at once, or take back an invitation.

    Refuses with NotForOneself, NotYours and NotInIt. Organisers may remove the last focal point.
    """
    held, there = _held_with(membership)
    if there.user_id == by.pk:
        raise refusals.NotForOneself
    _check_leads(held, by)
    if there.state == State.INVITED:
        _end(there, gettext_noop("invitation taken back"), by=by, now=now, reason=reason)
        return
    if there.state != State.ACTIVE:
        raise refusals.NotInIt(there)
    _end(there, gettext_noop("removed from the organisation"), by=by, now=now, reason=reason)
    mails.removed(there, reason=reason, now=now)


@transaction.atomic
def appoint(
    organisation: Organisation, *, email: str, by: User, now: datetime, reason: str = ""
) -> Membership:
    """Organisers name whoever reads this address focal point at once; a newcomer gets an empty
    account. Who is focal point already stays it. Refuses with ShutOut and NotForOneself."""
    held = _held(organisation)
    user = _account(email, like=by)
    if not user.is_active:
        raise refusals.ShutOut(email)
    there = _membership(held, user)
    if there and there.is_focal_point:
        return there
    if user.pk == by.pk:
        raise refusals.NotForOneself
    named = there or Membership(user=user, organisation=held)
    _enter(named, Kind.FOCAL_POINT, NAMED, by=by, now=now, reason=reason)
    mails.appointed(named, now=now)
    return named


def settle_due(*, now: datetime) -> None:
    """Tell the organisers of requests that the focal points have not answered in time, and end
    what nobody has answered at all."""
    due = Membership.objects.filter(_is_due(now)).values("organisation")
    for organisation in Organisation.objects.filter(pk__in=due).order_by("pk"):
        with suppress(refusals.TakenIn):
            _settle(organisation, now)


@transaction.atomic
def _settle(organisation: Organisation, now: datetime) -> None:
    held = _held(organisation)
    due = held.memberships.filter(_is_due(now)).select_related("user", "organisation")
    for membership in due.order_by("since", "pk"):
        if membership.is_open(State.ASKED, now):
            membership.organisers_told_at = now
            membership.save(update_fields=["organisers_told_at"])
            mails.ask_unanswered(membership, now=now)
            continue
        was_asked = membership.state == State.ASKED
        verb = gettext_noop("request lapsed") if was_asked else gettext_noop("invitation lapsed")
        _end(membership, verb, by=None, now=now)
        if was_asked:
            mails.ask_lapsed(membership, now=now)


def _is_due(now: datetime) -> Q:
    told = Q(
        state=State.ASKED, organisers_told_at=None, since__lte=now - Membership.ANSWERED_WITHIN
    )
    lapsed = Q(state__in=[State.ASKED, State.INVITED], since__lte=now - Membership.LAPSES_AFTER)
    return told | lapsed


def _held(organisation: Organisation) -> Organisation:
    held = Organisation.everyone.held(organisation)
    if held.merged_into_id:
        raise refusals.TakenIn(held)
    return held


def _held_with(membership: Membership) -> tuple[Organisation, Membership]:
    held = _held(Organisation(pk=membership.organisation_id))
    return held, _reread(membership)


def _reread(membership: Membership) -> Membership:
    return Membership.objects.select_related("user", "organisation").get(pk=membership.pk)


def _membership(organisation: Organisation, user: User) -> Membership | None:
    of_it = organisation.memberships.select_related("user", "organisation")
    return of_it.filter(user=user).first()


def _was_written_to(invited: Membership, now: datetime) -> bool:
    """Lately: also who takes an invitation back and repeats it does not write twice."""
    letters = Letter.objects.about(invited.pk).to(invited.user.email)
    lately = letters.filter(posted_at__gt=now - WRITTEN_AGAIN_AFTER)
    return lately.exclude(state=LetterState.CANCELLED).exists()


def _in_it(membership: Membership, *, by: User) -> Membership:
    """Somebody who belongs to the organisation, for somebody who leads it."""
    held, there = _held_with(membership)
    _check_leads(held, by)
    if not there.is_active:
        raise refusals.NotInIt(there)
    return there


def _asked(membership: Membership, *, by: User, now: datetime) -> Membership:
    """The request, for somebody who may answer it."""
    held, asked = _held_with(membership)
    if asked.user_id == by.pk:
        raise refusals.NotForOneself
    _check_leads(held, by)
    if not asked.is_open(State.ASKED, now):
        raise refusals.AnsweredAlready(asked)
    return asked


def _invited(membership: Membership, *, by: User, now: datetime) -> Membership:
    """The invitation, or what has become of it by the same person's yes."""
    held, invited = _held_with(membership)
    if invited.user_id != by.pk:
        raise refusals.NotYours(held)
    if invited.state != State.ACTIVE and not invited.is_open(State.INVITED, now):
        raise refusals.InvitationOver(held)
    return invited


def _check_leads(held: Organisation, by: User) -> None:
    led = Organisation.objects.led_by(by)
    if not led.contains(held) and not Organisation.objects.open_to(by, Right.RUN).contains(held):
        raise refusals.NotYours(held)


def _check_not_last(membership: Membership) -> None:
    points = membership.organisation.memberships.of_focal_points()
    if membership.kind == Kind.FOCAL_POINT and not points.exclude(pk=membership.pk).exists():
        raise refusals.LastFocalPoint(membership.organisation, settings.CONTACT_EMAIL)


def _check_may_ask(asked: Membership, now: datetime) -> None:
    has_left = asked.state == State.LEFT and asked.since
    if has_left and asked.since and now < asked.since + Membership.ASKED_AGAIN_AFTER:
        raise refusals.AskedLately(asked)
    if asked.user.memberships.asked(now).count() >= MOST_ASKS:
        raise refusals.TooManyAsks(MOST_ASKS)


def _again(
    subject: type[Model], verb: str, most: int, *, by: User, now: datetime
) -> datetime | None:
    """When this person, who has done it so often, may do it again. Whoever does it twice at once
    waits here."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    done = Entry.objects.filter(actor=by, verb=verb, subject_type=subject._meta.label_lower)
    lately = done.filter(at__gt=now - WITHIN).order_by("-at").values_list("at", flat=True)
    oldest = lately[most - 1 : most].first()
    return oldest and oldest + WITHIN


def _account(email: str, *, like: User) -> User:
    """Whose address this is. A newcomer's account is empty, and reads as `like` does."""
    known = User.objects.filter(email__iexact=email).first()
    if known:
        return known
    try:
        with transaction.atomic():
            return User.objects.create_user(email, language=like.language, zone=like.zone)
    except IntegrityError:
        return User.objects.get_by_natural_key(email)


def _enter(
    membership: Membership, kind: str, verb: str, *, by: User, now: datetime, reason: str = ""
) -> Membership:
    membership.kind, membership.state, membership.since = kind, State.ACTIVE, now
    membership.note, membership.organisers_told_at = "", None
    membership.save()
    recall.cancel(now=now, about=membership.pk)
    _remember(membership, verb, by=by, now=now, reason=reason)
    if kind == Kind.FOCAL_POINT:
        mails.point_added(membership, by=by, now=now)
    return membership


def _end(
    membership: Membership, verb: str, *, by: User | None, now: datetime, reason: str = ""
) -> None:
    """Whoever comes back later begins without the delegations that they worked on."""
    membership.state, membership.since = State.LEFT, now
    membership.note, membership.organisers_told_at = "", None
    membership.save()
    membership.registrations.clear()
    recall.cancel(now=now, about=membership.pk)
    _remember(membership, verb, by=by, now=now, reason=reason)


def _turn_into(membership: Membership, kind: str, *, by: User, now: datetime) -> None:
    if membership.kind == kind:
        return
    before = {"kind": membership.kind}
    membership.kind = kind
    membership.save(update_fields=["kind"])
    _remember(membership, gettext_noop("role changed"), by=by, now=now, before=before)
    if membership.user_id != by.pk:
        mails.role_changed(membership, now=now)
    if kind == Kind.FOCAL_POINT:
        mails.point_added(membership, by=by, now=now)


def _remember(
    membership: Membership,
    verb: str,
    *,
    by: User | None,
    now: datetime,
    before: dict[str, str] | None = None,
    reason: str = "",
) -> None:
    trail.record(
        by,
        verb,
        membership,
        at=now,
        scope=None,
        before=before,
        after={"user": str(membership.user_id), "kind": membership.kind},
        reason=reason,
    )


def _save_new(organisation: Organisation, *, by: User, now: datetime) -> None:
    organisation.save(force_insert=True)
    trail.record(
        by,
        ENTERED,
        organisation,
        at=now,
        scope=None,
        after={"name": organisation.name, "country": str(organisation.country)},
    )


def _twin(organisation: Organisation) -> Organisation | None:
    """Another one of this name and country; who enters the same name at once waits here, and
    who comes while a list is brought in."""
    key = matching.key(organisation.name)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock_shared(hashtextextended('organisations', 0)), "
            "pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{key}|{organisation.country}"],
        )
    namesakes = Organisation.objects.filter(matching_key=key, country=organisation.country)
    return namesakes.exclude(pk=organisation.pk).first()
