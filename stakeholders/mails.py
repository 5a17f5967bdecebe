"""Every letter about organisations and their people is one function here and one set of
templates. Letters to focal points go to each of them, in the language of each."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from events import mails as events_mails
from events.mails import NEVER
from notifications.models import Kind
from notifications.writing import OF_GROUP, OF_WORK, Reader, Sort
from stakeholders.models import Membership

WHILE_OPEN = "when the request or the invitation lapses"
PERSON = "whom it is about"
OTHERS = "each other focal point of the group, save who has done it"
MINE = "stakeholders:mine"

SORTS = {
    sort.name: sort
    for sort in (
        Sort(
            "asks_to_join",
            Kind.TRANSACTIONAL,
            "each focal point of the group",
            WHILE_OPEN,
            OF_GROUP,
        ),
        Sort(
            "ask_unanswered",
            Kind.TRANSACTIONAL,
            "each organiser of the group’s events; without one, the portal’s contact",
            WHILE_OPEN,
            OF_WORK,
        ),
        Sort("joined", Kind.TRANSACTIONAL, PERSON, NEVER, OF_GROUP),
        Sort("not_joined", Kind.TRANSACTIONAL, PERSON, NEVER, OF_GROUP),
        Sort("ask_lapsed", Kind.TRANSACTIONAL, PERSON, NEVER, OF_GROUP),
        Sort("invited_to_join", Kind.TRANSACTIONAL, "the invited address", WHILE_OPEN, OF_GROUP),
        Sort("appointed", Kind.TRANSACTIONAL, PERSON, NEVER, OF_GROUP),
        Sort("point_added", Kind.TRANSACTIONAL, OTHERS, NEVER, OF_GROUP),
        Sort("role_changed", Kind.TRANSACTIONAL, PERSON, NEVER, OF_GROUP),
        Sort("removed", Kind.TRANSACTIONAL, PERSON, NEVER, OF_GROUP),
    )
}
UNTIL: events_mails.Rules = {
    NEVER: lambda facts: None,
    WHILE_OPEN: lambda facts: facts["membership"].lapses_at,
}


def asks_to_join(membership: Membership, *, now: datetime) -> None:
    """Who asks, what they write, and until when it is the focal points' to answer."""
    readers = [Reader.of(user) for user in membership.organisation.focal_points]
    page = partial(reverse, "stakeholders:answer", args=[membership.organisation_id, membership.id])
    _post("asks_to_join", membership, readers, page, now=now)


def ask_unanswered(membership: Membership, *, now: datetime) -> None:
    """The request is the organisers' to answer now."""
    readers = [Reader.of(user) for user in membership.organisation.organisers]
    page = partial(reverse, "admin:stakeholders_membership_answer", args=[membership.id])
    contact = Reader(settings.CONTACT_EMAIL, settings.LANGUAGE_CODE)
    _post("ask_unanswered", membership, readers or [contact], page, now=now)


def joined(membership: Membership, *, now: datetime) -> None:
    _to_person("joined", membership, now=now)


def not_joined(membership: Membership, *, reason: str, now: datetime) -> None:
    _to_person("not_joined", membership, now=now, page=MINE, reason=reason)


def ask_lapsed(membership: Membership, *, now: datetime) -> None:
    _to_person("ask_lapsed", membership, now=now, page=MINE)


def invited_to_join(membership: Membership, *, now: datetime) -> None:
    """To nobody whose account is shut: they could not come in."""
    if membership.user.is_active:
        _to_person("invited_to_join", membership, now=now, page=MINE)


def appointed(membership: Membership, *, now: datetime) -> None:
    _to_person("appointed", membership, now=now)


def point_added(membership: Membership, *, by: User, now: datetime) -> None:
    """Who has become focal point beside them, and by whose act."""
    organisation = membership.organisation
    points = organisation.focal_points
    readers = [Reader.of(user) for user in points if user not in (by, membership.user)]
    page = partial(reverse, "stakeholders:organisation", args=[organisation.pk])
    by_colleague = by if by in points else None
    _post("point_added", membership, readers, page, now=now, by=by_colleague)


def role_changed(membership: Membership, *, now: datetime) -> None:
    _to_person("role_changed", membership, now=now)


def removed(membership: Membership, *, reason: str, now: datetime) -> None:
    _to_person("removed", membership, now=now, page=MINE, reason=reason)


def _to_person(
    name: str, membership: Membership, *, now: datetime, page: str = "", **facts: Any
) -> None:
    path = (
        partial(reverse, page)
        if page
        else partial(reverse, "stakeholders:organisation", args=[membership.organisation_id])
    )
    _post(name, membership, [Reader.of(membership.user)], path, now=now, **facts)


def _post(
    name: str,
    membership: Membership,
    readers: Iterable[Reader],
    path: partial[str],
    *,
    now: datetime,
    **facts: Any,
) -> None:
    sort = SORTS[name]
    for reader in readers:
        events_mails.post(
            sort,
            reader,
            None,
            {
                "membership": membership,
                "organisation": membership.organisation,
                "person": membership.user,
                "path": path,
            }
            | facts,
            key=f"{name}:{membership.id}:{now:%Y%m%dT%H%M%S.%fZ}:{reader.id}",
            about=membership.id if sort.until == WHILE_OPEN else membership.organisation_id,
            rules=UNTIL,
            now=now,
        )
