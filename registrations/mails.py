"""Every letter about registrations is one function here and one set of templates.

A group's letters go to its focal points, one each, in the language of each. The decision of one
act is one letter that names all the people it concerns: a focal point of twelve delegates reads
one letter, not twelve, and a delegate without an address of their own is not left out.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe

from accounts.models import User
from clock import shown, walls
from events import mails as events_mails
from events import texts
from events.mails import NEVER
from events.models import Deadline, Event
from events.rights import Right, kinds_with
from notifications import outbox, writing
from notifications.models import Kind, Letter
from notifications.writing import OF_GROUP, OF_WORK, Own, Reader, Sort, Stencils, Words
from registrations import links, placeholders
from registrations.addressees import Addressee
from registrations.audiences import Audience, Changes, Concerned, Delegation
from registrations.models import (
    Correction,
    Delegate,
    Exchange,
    Exemption,
    Invitation,
    Merge,
    Message,
    Registration,
    SegmentDecision,
)
from stakeholders.models import Membership

Told = dict[str, Any]
"""What a letter says of a person: `person`, and perhaps `place`, `given` and `waiting`."""

Hold = Callable[[], Callable[[Concerned], bool]]
"""Holds what readers are written to about, and then tells of each whether it is held."""

DECLINED = "declined"

AT_THE_CLOSE = "at the close"
UNCONFIRMABLE = "when it is too late to confirm; never where nobody is asked to"
EVENT_OVER = "when the event is over"
WHILE_SO = "when the event is over; never where it does not take place"
LET_IN_UNTIL = "when the exemption ends"
DAY_OVER = "when that day is over"

GROUP = "each focal point of the group"
ORGANISERS = "each organiser of the event; without one, its contact"
PERSON = "the delegate, at their own address"
PAGE, LIST = "registrations:registration", "registrations:mine"

SORTS = {
    sort.name: sort
    for sort in (
        Sort("received", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("withdrawn", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("person_withdrawn", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("approved", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("declined", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("reopened", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("asked", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("answered", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("wait_listed", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("moved_up", Kind.TRANSACTIONAL, GROUP, UNCONFIRMABLE),
        Sort("part_given", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("confirm", Kind.TRANSACTIONAL, PERSON, UNCONFIRMABLE),
        Sort("to_confirm", Kind.TRANSACTIONAL, GROUP, UNCONFIRMABLE),
        Sort("confirmed", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("declined_by_delegate", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("lapsed", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("not_expected", Kind.TRANSACTIONAL, PERSON, NEVER),
        Sort("listing", Kind.TRANSACTIONAL, PERSON, EVENT_OVER),
        Sort("replaced", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("asks_in", Kind.TRANSACTIONAL, ORGANISERS, EVENT_OVER, OF_WORK),
        Sort("let_in", Kind.TRANSACTIONAL, GROUP, LET_IN_UNTIL),
        Sort("not_let_in", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort(
            "asks_correction",
            Kind.TRANSACTIONAL,
            "each organiser who decides about the event; without one, its contact",
            EVENT_OVER,
        ),
        Sort("corrected", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("not_corrected", Kind.TRANSACTIONAL, GROUP, NEVER),
        Sort("invited", Kind.ANNOUNCEMENT, "the invited address", AT_THE_CLOSE),
        Sort(
            "confirm_near",
            Kind.REMINDER,
            "who has not confirmed yet; the focal point, for people without an address",
            AT_THE_CLOSE,
        ),
        Sort("deadline_near", Kind.REMINDER, "each focal point with an unsent draft", AT_THE_CLOSE),
        Sort("invitation_near", Kind.REMINDER, "invited groups without an answer", AT_THE_CLOSE),
        Sort("closes_soon", Kind.REMINDER, "followers", AT_THE_CLOSE),
        Sort("opens", Kind.REMINDER, "followers and invited groups", AT_THE_CLOSE),
        Sort(
            "changed",
            Kind.TRANSACTIONAL,
            "each focal point of a draft or a delegation; delegates asked to confirm",
            WHILE_SO,
        ),
        Sort("news", Kind.ANNOUNCEMENT, "invited groups and followers", WHILE_SO),
        Sort(
            "message",
            Kind.ANNOUNCEMENT,
            "each focal point of the groups of the chosen people, or those people themselves",
            NEVER,
        ),
        Sort(
            "queue",
            Kind.TRANSACTIONAL,
            "each organiser with people to decide about",
            DAY_OVER,
            OF_WORK,
        ),
        Sort(
            "merged",
            Kind.TRANSACTIONAL,
            "each focal point of the two, and whoever has to be let in again",
            NEVER,
            OF_GROUP,
        ),
        Sort("unmerged", Kind.TRANSACTIONAL, "each focal point of the two", NEVER, OF_GROUP),
    )
}
UNTIL: events_mails.Rules = {
    NEVER: lambda facts: None,
    AT_THE_CLOSE: lambda facts: facts["deadline"].closes_at,
    UNCONFIRMABLE: lambda facts: facts["until"],
    EVENT_OVER: lambda facts: _over(facts["event"]),
    WHILE_SO: lambda facts: _over(facts["event"]) if facts["event"].is_published else None,
    LET_IN_UNTIL: lambda facts: facts["exemption"].until,
    DAY_OVER: lambda facts: walls.start_of(facts["day"] + timedelta(days=1), facts["zone"]),
}
REMINDERS = {
    Audience.TO_CONFIRM: "confirm_near",
    Audience.DRAFTS: "deadline_near",
    Audience.INVITED: "invitation_near",
    Audience.FOLLOWERS: "closes_soon",
}


def _nothing() -> Callable[[Concerned], bool]:
    """For letters that tell of nothing which could be otherwise a moment later."""
    return lambda concerned: True


gathered, post_held = outbox.gathered, outbox.post_held


def readers_of(registration: Registration) -> list[Reader]:
    """Those whom the letters of this group go to, for a verb that reads them before it waits."""
    return readers_of_all([registration])[registration.pk]


def readers_of_all(registrations: Iterable[Registration]) -> dict[UUID, list[Reader]]:
    """The same of several groups: one query."""
    groups = {one.pk: one.organisation_id for one in registrations}
    points = Membership.objects.of_focal_points().filter(organisation__in=groups.values())
    facts = ["user__email", "user__language", "user__zone", "user__neutral_subjects"]
    readers: dict[UUID, list[Reader]] = {organisation: [] for organisation in groups.values()}
    for organisation, *who in points.order_by("user__email").values_list("organisation", *facts):
        readers[organisation].append(Reader(*who))
    return {pk: readers[organisation] for pk, organisation in groups.items()}


def received(
    registration: Registration,
    deadline: Deadline,
    *,
    now: datetime,
    people: Sequence[Delegate] | None = None,
    readers: Sequence[Reader] | None = None,
) -> None:
    if people is None:
        sent = registration.delegates.filter(state=Delegate.State.SUBMITTED)
        people = list(sent.select_related("representative").in_order())
    _to_group(registration, "received", people, now=now, readers=readers)


def withdrawn(registration: Registration, *, now: datetime) -> None:
    _to_group(registration, "withdrawn", now=now)


def person_withdrawn(registration: Registration, delegate: Delegate, *, now: datetime) -> None:
    _to_group(registration, "person_withdrawn", [delegate], now=now)


def approved(
    registration: Registration,
    people: Sequence[Delegate],
    *,
    now: datetime,
    parts: bool = True,
    readers: Sequence[Reader] | None = None,
) -> None:
    """`parts`: whether the event has any whose seats are counted by themselves."""
    told = _with_parts(people) if parts else people
    _to_group(registration, "approved", told, now=now, readers=readers, **_asked(people))


def declined(
    registration: Registration,
    people: Sequence[Delegate],
    *,
    reason: str,
    now: datetime,
    readers: Sequence[Reader] | None = None,
) -> None:
    _to_group(registration, DECLINED, people, now=now, readers=readers, reason=reason)


def reopened(
    registration: Registration,
    people: Sequence[Delegate],
    *,
    reason: str,
    now: datetime,
    readers: Sequence[Reader] | None = None,
) -> None:
    _to_group(registration, "reopened", people, now=now, readers=readers, reason=reason)


def asked(
    registration: Registration,
    people: Sequence[Delegate],
    *,
    question: str,
    now: datetime,
    readers: Sequence[Reader] | None = None,
) -> None:
    facts: dict[str, Any] = {"path": _page_of(people), "question": question}
    _to_group(registration, "asked", people, now=now, readers=readers, **facts)


def answered(
    registration: Registration, delegate: Delegate, exchange: Exchange, *, now: datetime
) -> None:
    _to_group(
        registration,
        "answered",
        [delegate],
        now=now,
        path=delegate.get_absolute_url,
        exchange=exchange,
    )


def wait_listed(
    registration: Registration,
    people: Sequence[Delegate],
    *,
    now: datetime,
    places: Mapping[UUID, int] | None = None,
    readers: Sequence[Reader] | None = None,
) -> None:
    """With the place of each in the order. Whoever waits for a seat has no part of the event."""
    told = [
        {"person": one, "place": places[one.pk] if places else _place_of(registration.event, one)}
        for one in people
    ]
    _to_group(registration, "wait_listed", told, now=now, readers=readers)


def moved_up(
    registration: Registration, people: Sequence[Delegate], *, now: datetime, parts: bool = True
) -> None:
    told = _with_parts(people) if parts else people
    _to_group(registration, "moved_up", told, now=now, **_asked(people))


def part_given(
    registration: Registration, delegate: Delegate, segment: Any, *, now: datetime
) -> None:
    _to_group(registration, "part_given", [delegate], now=now, segment=segment, key=segment.id)


def confirm(*people: Delegate, deadline: Deadline, now: datetime) -> None:
    """To the people of one delegation, each at their own address, in the language of the first
    focal point; to nobody where there is none: then the focal point confirms."""
    _to_people(
        "confirm",
        people,
        lambda person: (
            {"path": partial(links.confirmation_path, person)} | _asked([person], deadline)
        ),
        now=now,
    )


def to_confirm(registration: Registration, people: Sequence[Delegate], *, now: datetime) -> None:
    """These people, who have a place already, are asked from now on whether they come."""
    _to_group(registration, "to_confirm", people, now=now, **_asked(people))


def confirmed(registration: Registration, delegate: Delegate, *, now: datetime) -> None:
    _to_group(registration, "confirmed", [delegate], now=now)


def declined_by_delegate(registration: Registration, delegate: Delegate, *, now: datetime) -> None:
    _to_group(registration, "declined_by_delegate", [delegate], now=now)


def lapsed(registration: Registration, people: Sequence[Delegate], *, now: datetime) -> None:
    _to_group(registration, "lapsed", people, now=now)


def not_expected(people: Sequence[Delegate], *, now: datetime) -> None:
    """To those who lapsed, at their own address; focal points read that in the group's letter."""
    readers = {reader.email.lower() for reader in readers_of(people[0].registration)}
    others = [one for one in people if one.representative.email.lower() not in readers]
    _to_people(
        "not_expected",
        others,
        lambda person: {"path": person.registration.event.get_absolute_url},
        now=now,
    )


def listing(*people: Delegate, now: datetime) -> None:
    """To the people of one delegation who have a place, as `confirm`: whether the public list of
    the event may name them."""
    _to_people(
        "listing",
        people,
        lambda person: {"path": partial(links.listing_path, person)},
        now=now,
    )


def replaced(registration: Registration, old: Delegate, new: Delegate, *, now: datetime) -> None:
    """Somebody comes, or is proposed, in the place of somebody else."""
    told = _with_parts([new])
    _to_group(registration, "replaced", told, now=now, old=old, new=new, **_asked([new]))


def asks_in(exemption: Exemption, *, now: datetime) -> None:
    event = exemption.event
    for reader in _organisers_of(event, Right.RUN):
        _post(
            "asks_in",
            reader,
            event,
            {
                "exemption": exemption,
                "organisation": exemption.organisation,
                "path": partial(
                    reverse, "admin:registrations_exemption_change", args=[exemption.pk]
                ),
            },
            key=f"{exemption.id}:{now:%Y%m%dT%H%M%S.%fZ}",
            about=exemption.id,
            now=now,
        )


def asks_correction(correction: Correction, *, now: datetime) -> None:
    registration = correction.delegate.registration
    page = partial(reverse, "admin:registrations_correction_change", args=[correction.pk])
    for reader in _organisers_of(registration.event, Right.DECIDE):
        _post(
            "asks_correction",
            reader,
            registration.event,
            {"correction": correction, "registration": registration, "path": page}
            | {"organisation": registration.organisation, "people": []},
            key=f"{correction.id}",
            about=registration.id,
            now=now,
        )


def corrected(correction: Correction, *, now: datetime) -> None:
    _answer_about(correction, "corrected", now=now)


def not_corrected(correction: Correction, *, now: datetime) -> None:
    _answer_about(correction, "not_corrected", now=now)


def let_in(exemption: Exemption, *, now: datetime) -> None:
    _answer_of(exemption, "let_in", now=now)


def not_let_in(exemption: Exemption, *, now: datetime) -> None:
    _answer_of(exemption, "not_let_in", now=now)


def invited(invitation: Invitation, deadline: Deadline, *, now: datetime) -> None:
    all_invited([invitation], deadline, now=now)


def all_invited(invitations: Iterable[Invitation], deadline: Deadline, *, now: datetime) -> None:
    """To each group, at the address of its invitation."""
    invitations = list(invitations)
    discreet = User.objects.discreet(*(each.email for each in invitations))
    concerned = (
        Concerned(
            replace(Reader.of(each), is_discreet=each.email.lower() in discreet),
            since={Audience.INVITED: each.sent_at},
            invitation=each,
        )
        for each in invitations
    )
    _to_many(
        deadline.event,
        (("invited", one, {"deadline": deadline}) for one in concerned),
        begin=f"invited:{deadline.event.id}:{now:%Y%m%dT%H%M%S.%fZ}:",
        about=deadline.event.id,
        now=now,
    )


def reminder(
    deadline: Deadline,
    code: str,
    concerned: Iterable[Concerned],
    *,
    now: datetime,
    hold: Hold = _nothing,
) -> int:
    """One reminder for each reader, in the words of their highest audience. How many are new.

    `hold` is called when the words stand, so that nobody waits for them.
    """
    return _to_many(
        deadline.event,
        (
            (REMINDERS[Audience(one.audience)], one, _still_asked(one.delegates, deadline))
            for one in concerned
        ),
        begin=f"reminder:{deadline.id}:{deadline.closes_at:%Y%m%dT%H%M%SZ}:{code}:",
        about=deadline.id,
        now=now,
        hold=hold,
    )


def opens(
    deadline: Deadline, concerned: Iterable[Concerned], *, now: datetime, hold: Hold = _nothing
) -> int:
    """“Registration is open”, once for each reader. How many are new."""
    return _to_many(
        deadline.event,
        (
            ("opens", one, {"deadline": deadline, "is_invited": bool(one.invitation)})
            for one in concerned
        ),
        begin=f"opens:{deadline.id}:",
        about=deadline.id,
        now=now,
        hold=hold,
    )


def changed(event: Event, told: Iterable[tuple[Concerned, Changes]], *, now: datetime) -> int:
    """What is no longer as each reader knew it: one letter for each, naming everything."""
    return _to_many(
        event,
        (
            (
                "changed" if one.takes_part else "news",
                one,
                {
                    "changes": changes,
                    "gravest": _gravest(changes),
                    "has_page": bool(one.registrations),
                    "is_invited": bool(one.invitation),
                },
            )
            for one, changes in told
        ),
        begin=f"changed:{event.id}:{now:%Y%m%dT%H%M%S.%fZ}:",
        about=event.id,
        now=now,
    )


def message(message: Message, addressees: Iterable[Addressee], *, now: datetime) -> int:
    """What organisers have written themselves, to each of these. How many letters are new."""
    stencils = Stencils()
    return outbox.post_many(
        _of_message(message, one, f"message:{message.id}:{one.key}", message.id, stencils, now=now)
        for one in addressees
    )


def message_sample(message: Message, addressee: Addressee, *, now: datetime) -> Letter:
    """As it would read; it is not posted."""
    return _of_message(message, addressee, "sample", message.id, Stencils(), now=now)


def message_test(message: Message, addressee: Addressee, *, now: datetime) -> None:
    """The letter as this one would read it, marked as a test. It counts as none of its letters."""
    key = f"message_test:{message.id}:{now:%Y%m%dT%H%M%S.%fZ}:{addressee.reader.id}"
    about = message.event_id
    letter = _of_message(message, addressee, key, about, Stencils(), is_test=True, now=now)
    outbox.post_many([letter])


def queue(
    organiser: User,
    rows: Sequence[tuple[Event, int, datetime]],
    day: date,
    *,
    now: datetime,
) -> None:
    """How many people wait for a decision, at all events of this organiser."""
    reader = Reader.of(organiser)
    _post(
        "queue",
        reader,
        None,
        {
            "rows": rows,
            "count": sum(count for _event, count, _oldest in rows),
            "day": day,
            "zone": reader.zone,
            "path": _waiting_list_of([event for event, _count, _oldest in rows]),
        },
        key=f"{day}",
        end=str(organiser.id),
        about=organiser.id,
        now=now,
    )


def merged(
    merge: Merge, users: Iterable[User], waiting: Collection[User], *, now: datetime
) -> None:
    """That two entries are one organisation, who sees what from now on; and to those `waiting`,
    that somebody has to let them in."""
    for user in users:
        _about_merge("merged", merge, user, now=now, waits=user in waiting)


def unmerged(merge: Merge, users: Iterable[User], *, now: datetime) -> None:
    """That they are two again."""
    for user in users:
        _about_merge("unmerged", merge, user, now=now)


def _about_merge(name: str, merge: Merge, user: User, *, now: datetime, **facts: Any) -> None:
    _post(
        name,
        Reader.of(user),
        None,
        {
            "kept": merge.kept,
            "taken": merge.taken,
            "path": partial(reverse, "stakeholders:mine"),
        }
        | facts,
        key=f"{merge.id}:{now:%Y%m%dT%H%M%S.%fZ}",
        about=merge.id,
        now=now,
    )


def _of_message(
    message: Message,
    one: Addressee,
    key: str,
    about: UUID,
    stencils: Stencils,
    *,
    is_test: bool = False,
    now: datetime,
) -> Letter:
    sort, reader, event = SORTS["message"], one.reader, message.event
    stop = events_mails.stop_path(sort, reader, event)
    with translation.override(reader.language):
        own = {
            "name": texts.listed(one.names),
            "organisation": texts.listed(one.organisations),
            "people": texts.listed(one.people),
            "reference": one.reference,
            "status_page": settings.BASE_URL + writing.path(PAGE, reader.language, one.reference)
            if one.reference
            else "",
            "stop": stop,
        }
    words = stencils.words(
        (reader.language, reader.zone, is_test),
        partial(_message_words, message, reader, is_test),
        own,
    )
    return events_mails.letter(
        sort,
        reader,
        event,
        words,
        key=key,
        about=about,
        expires_at=UNTIL[sort.until]({}),
        stop=stop,
        now=now,
    )


def _message_words(message: Message, reader: Reader, is_test: bool, own: Own) -> Words:
    """What organisers write is text: in the HTML nothing of it, nor of what is filled in, is more
    than words and line breaks, but for the one link."""
    event = message.event
    language = message.language_for(reader.language)
    subject, text = message.written_in(language)
    deadline = event.registration_deadline
    with translation.override(reader.language):
        values = own | {
            "event": event.name,
            "deadline": shown.closing_and_zone(deadline.closes_at, deadline.zone)
            if deadline
            else "",
        }
    url = own["status_page"]
    in_html = {name: escape(value) for name, value in values.items()}
    in_html["status_page"] = format_html('<a href="{}">{}</a>', url, url)
    is_linked = "status_page" in placeholders.used(text)
    facts = {
        "subject": placeholders.fill(subject, values),
        "text": placeholders.fill(text, values),
        "html": mark_safe(placeholders.fill(escape(text), in_html)),  # noqa: S308
        "written_in": language,
        "is_test": is_test,
        "path": "" if is_linked else writing.path("pages:event", reader.language, event.slug),
    }
    return _written(SORTS["message"], reader, event, facts, {"stop": own["stop"]})


def _to_group(
    registration: Registration,
    name: str,
    people: Sequence[Delegate | Told] = (),
    *,
    now: datetime,
    key: UUID | None = None,
    readers: Sequence[Reader] | None = None,
    **facts: Any,
) -> None:
    """To each focal point, in words that are written once for each language and zone."""
    told = [one if isinstance(one, dict) else {"person": one} for one in people]
    whose = [registration.id, *(one["person"].id for one in told[:1]), *([key] if key else [])]
    sort, event = SORTS[name], registration.event
    facts = {
        "event": event,
        "registration": registration,
        "organisation": registration.organisation,
        "people": told,
        "path": registration.get_absolute_url,
        "now": now,
        "stop": "",
    } | facts
    words: dict[Hashable, Words] = {}
    letters = []
    for reader in readers_of(registration) if readers is None else readers:
        look = reader.language, reader.zone
        if look not in words:
            words[look] = events_mails.written(sort, reader, event, facts)
        letters.append(_about(registration, sort, reader, words[look], facts, whose=whose, now=now))
    outbox.post_many(letters)


def _to_people(
    name: str,
    people: Sequence[Delegate],
    facts_of: Callable[[Delegate], dict[str, Any]],
    *,
    now: datetime,
) -> None:
    """To those of one delegation who have an address of their own."""
    addressed = [person for person in people if person.representative.email]
    if not addressed:
        return
    registration = addressed[0].registration
    readers = _readers_like(registration, {one.representative.email for one in addressed})
    letters = []
    for person in addressed:
        sort, event, reader = SORTS[name], registration.event, readers[person.representative.email]
        facts = {
            "event": event,
            "delegate": person,
            "organisation": registration.organisation,
            "now": now,
            "stop": "",
        } | facts_of(person)
        words = events_mails.written(sort, reader, event, facts)
        letters.append(_about(registration, sort, reader, words, facts, whose=[person.id], now=now))
    outbox.post_many(letters)


def _about(
    registration: Registration,
    sort: Sort,
    reader: Reader,
    words: Words,
    facts: dict[str, Any],
    *,
    whose: Sequence[UUID],
    now: datetime,
) -> Letter:
    """A letter about a delegation, which is posted once for a reader and a moment."""
    return events_mails.letter(
        sort,
        reader,
        registration.event,
        words,
        key=f"{sort.name}:{':'.join(map(str, whose))}:{now:%Y%m%dT%H%M%S.%fZ}:{reader.id}",
        about=registration.id,
        expires_at=UNTIL[sort.until](facts),
        stop="",
        now=now,
    )


def _over(event: Event) -> datetime:
    return walls.closing(event.ends_on, None, event.zone)


def _organisers_of(event: Event, right: Right) -> list[Reader]:
    """Those with this right; without one, the event's contact."""
    organisers = User.objects.filter(
        Q(roles__event=event) | Q(roles__process=event.process_id),
        is_active=True,
        roles__kind__in=kinds_with(right),
    ).distinct()
    readers = [Reader.of(organiser) for organiser in organisers.order_by("email")]
    return readers or [Reader(event.contact, settings.LANGUAGE_CODE, event.zone)]


def _answer_about(correction: Correction, name: str, *, now: datetime) -> None:
    delegate = correction.delegate
    _to_group(
        delegate.registration,
        name,
        [delegate],
        now=now,
        path=delegate.get_absolute_url,
        correction=correction,
    )


def _answer_of(exemption: Exemption, name: str, *, now: datetime) -> None:
    event, organisation = exemption.event, exemption.organisation
    draft = event.registrations.filter(organisation=organisation).first()
    start = partial(reverse, "registrations:start", args=[event.slug])
    without = start if name == "let_in" else event.get_absolute_url
    for user in organisation.focal_points:
        _post(
            name,
            Reader.of(user),
            event,
            {
                "exemption": exemption,
                "organisation": organisation,
                "registration": draft,
                "path": draft.get_absolute_url if draft else without,
            },
            key=f"{exemption.id}:{now:%Y%m%dT%H%M%S.%fZ}",
            about=exemption.id,
            now=now,
        )


def _post(
    name: str,
    reader: Reader,
    event: Event | None,
    facts: dict[str, Any],
    *,
    key: str,
    about: UUID,
    now: datetime,
    end: str = "",
) -> None:
    events_mails.post(
        SORTS[name],
        reader,
        event,
        {"event": event} | facts,
        key=f"{name}:{key}:{end or reader.id}",
        about=about,
        rules=UNTIL,
        now=now,
    )


def _page_of(people: Sequence[Delegate]) -> Callable[[], str]:
    """Of the person, or of the delegation where there are several."""
    one = people[0]
    return one.get_absolute_url if len(people) == 1 else one.registration.get_absolute_url


def _waiting_list_of(events: Sequence[Event]) -> str:
    """Where organisers see who waits for a decision, of one event or of all."""
    place = reverse("admin:registrations_delegate_changelist") + "?state=submitted"
    if len(events) > 1:
        return place
    return f"{place}&registration__event__id__exact={events[0].pk}"


def _asked(people: Sequence[Delegate], deadline: Deadline | None = None) -> dict[str, Any]:
    """Until when these people may say that they come, if they are asked to."""
    moments = [moment for one in people if (moment := links.answer_until(one))]
    if not moments:
        return {"until": None}
    asks = deadline or people[0].registration.event.confirmation_deadline
    return {"until": max(moments), "until_zone": asks.zone if asks else "UTC"}


def _still_asked(people: Sequence[Delegate], deadline: Deadline) -> dict[str, Any]:
    """As `_asked`, of people who are reminded of the deadline: most were asked long before it."""
    late = [
        one
        for one in people
        if one.asked_at and one.asked_at + links.TIME_TO_ANSWER > deadline.closes_at
    ]
    facts = {"deadline": deadline, "until": deadline.closes_at, "until_zone": deadline.zone}
    return facts | _asked(late, deadline) if late else facts


def _with_parts(people: Sequence[Delegate]) -> list[Told]:
    """Each person with the parts of the event that they have or wait for."""
    State = SegmentDecision.State
    parts = defaultdict(list)
    asked_for = SegmentDecision.objects.filter(delegate__in=people).select_related("segment")
    for part in asked_for.order_by("segment__date", "segment__starts_at", "segment__name_en"):
        parts[part.delegate_id, part.state].append(part.segment)
    return [
        {
            "person": person,
            "given": parts[person.id, State.GIVEN],
            "waiting": parts[person.id, State.WAIT_LISTED],
        }
        for person in people
    ]


def _place_of(event: Event, person: Delegate) -> int | None:
    if person.waits_as is None:
        return None
    before = Delegate.objects.waiting().filter(registration__event=event)
    return before.filter(waits_as__lt=person.waits_as).count() + 1


def _readers_like(registration: Registration, addresses: Iterable[str]) -> dict[str, Reader]:
    """Whoever has an account reads as they like; somebody of the group without one reads as its
    first focal point does."""
    of_any = Q(pk=None)
    for address in addresses:
        of_any |= Q(email__iexact=address)
    accounts = User.objects.filter(of_any, is_active=True)
    known = {account.email.lower(): Reader.of(account) for account in accounts}
    first = next(iter(readers_of(registration)), None) or Reader.of(User())
    return {
        address: replace(known.get(address.lower(), first), email=address) for address in addresses
    }


def _to_many(
    event: Event,
    letters: Iterable[tuple[str, Concerned, dict[str, Any]]],
    *,
    begin: str,
    about: UUID,
    now: datetime,
    hold: Hold = _nothing,
) -> int:
    """Letters that differ in little: written once, and filled in for each reader. Posted are those
    whose reader is held then."""
    stencils, rows = Stencils(), []
    for name, one, facts in letters:
        sort, reader = SORTS[name], one.reader
        stop = events_mails.stop_path(sort, reader, event)
        facts = facts | {"event": event}
        own = _own(name, event, one) | {"stop": stop}
        look = (name, reader.language, reader.zone, _look(facts))
        words = stencils.words(look, partial(_written, sort, reader, event, facts), own)
        letter = events_mails.letter(
            sort,
            reader,
            event,
            words,
            key=f"{begin}{one.reader.id}",
            about=about,
            expires_at=UNTIL[sort.until](facts),
            stop=stop,
            now=now,
            audience=one.audience,
        )
        rows.append((one, letter))
    is_held = hold()
    return outbox.post_many(letter for one, letter in rows if is_held(one))


def _written(sort: Sort, reader: Reader, event: Event, facts: dict[str, Any], own: Own) -> Words:
    return events_mails.written(sort, Reader("", reader.language, reader.zone), event, facts | own)


def _look(facts: dict[str, Any]) -> Hashable:
    """What else than the reader's own makes these words differ from those of another letter."""
    changes = facts.get("changes")
    if changes is None:
        return facts.get("until"), facts.get("is_invited")
    return (
        facts["has_page"],
        facts["is_invited"],
        changes.state,
        changes.old_state,
        changes.old_days,
        changes.new_days,
        tuple((deadline.id, old) for deadline, old in changes.deadlines),
        tuple(changes.reasons),
    )


def _gravest(changes: Changes) -> str:
    """What the subject says of several changes."""
    if changes.state != changes.old_state:
        return changes.state
    return "days" if changes.new_days else "deadlines"


def _own(name: str, event: Event, one: Concerned) -> Own:
    """What stands in this reader's letter alone: their people or delegations, and their links."""
    language = one.reader.language
    if name == "confirm_near":
        rows = [_person(delegate, one.reader) for delegate in one.delegates]
        path = "" if len(rows) > 1 else rows[0]["path"]
    elif name == "deadline_near" or (name == "changed" and one.registrations):
        rows = [
            _delegation(registration)
            | {"path": writing.path(PAGE, language, registration.reference)}
            for registration in one.registrations
        ]
        path = rows[0]["path"] if len(rows) == 1 else _spoken(language, reverse, LIST)
    elif name == "changed":
        rows = [
            _delegation(delegate.registration) | {"name": str(delegate)}
            for delegate in one.delegates
        ]
        path = writing.path("pages:event", language, event.slug)
    else:
        rows = []
        path = (
            _spoken(language, links.invitation_path, one.invitation)
            if one.invitation
            else writing.path("pages:event", language, event.slug)
        )
    return {
        "group": one.invitation.name if one.invitation else "",
        "rows": rows,
        "path": path,
    }


def _delegation(registration: Registration | Delegation) -> Own:
    return {
        "reference": registration.reference,
        "organisation": str(registration.organisation),
    }


def _person(delegate: Delegate, reader: Reader) -> Own:
    """The delegate's own link; where the focal point reads, the page of that person."""
    is_own = delegate.representative.email.lower() == reader.email.lower()
    return _delegation(delegate.registration) | {
        "name": str(delegate),
        "path": _spoken(reader.language, links.confirmation_path, delegate)
        if is_own
        else _spoken(reader.language, delegate.get_absolute_url),
    }


def _spoken(language: str, say: Callable[..., str], *said: Any) -> str:
    with translation.override(language):
        return say(*said)
