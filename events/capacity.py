"""How many may come: seats, caps and quotas are set here, and held while anybody counts them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext_noop

from accounts.models import User
from audit import trail
from events import refusals
from events.models import Event, Quota, Segment, Track


@dataclass(frozen=True)
class Share:
    """A quota as it is asked for: so many seats for one category, one region or one track."""

    seats: int
    category: str = ""
    region: str = ""
    track: Track | None = None

    @property
    def of(self) -> tuple[str, str, UUID | None]:
        return self.category, self.region, self.track.pk if self.track else None


def hold(event: Event) -> Event:
    """The event, read anew under its lock, which lasts until the transaction ends.

    Every verb that gives or frees a seat, or says how many there are, takes it before any row:
    one after the other, each sees what the one before has done.

    Who holds several things takes them in this order, so that nobody waits in a circle: this
    lock; the event's row, then its deadlines'; the registration's row, then its people's; letters
    last: those about one deadline in one statement, and deadlines by their kinds. A sweep leaves
    what it would have to wait for to the next one.
    """
    hold_only(event)
    return Event.objects.prefetch_related("deadlines").get(pk=event.pk)


def hold_only(event: Event) -> None:
    """The same lock, for a verb that then reads the event together with another row."""
    _lock(f"seats:{event.pk}")


@transaction.atomic
def change(
    event: Event,
    *,
    admission: str,
    seats: int | None,
    cap: int | None,
    by: User | None,
    now: datetime,
    segments: Mapping[UUID, int | None] | None = None,
    quotas: Sequence[Share] | None = None,
) -> None:
    """Say how many may come; None is no limit. Segments that are not named stay as they are;
    quotas become exactly those named. Whoever has a seat keeps it.

    Refuses with LessThanNobody, ShareUnclear, ShareTwice and RemovedMeanwhile.
    """
    segments = segments or {}
    _check_numbers([seats, cap, *segments.values(), *(share.seats for share in quotas or ())])
    _check_shares(quotas or ())
    held = hold(event)
    before = _facts(held)
    held.admission, held.seats, held.cap = admission, seats, cap
    held.save(update_fields=["admission", "seats", "cap"])
    _change_segments(held, segments)
    if quotas is not None:
        _change_quotas(held, quotas)
    after = _facts(held)
    if before != after:
        trail.record(
            by,
            gettext_noop("capacity changed"),
            held,
            at=now,
            scope=held.id,
            before=_only(before, after),
            after=_only(after, before),
        )
    event.refresh_from_db()


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _check_numbers(numbers: Iterable[int | None]) -> None:
    for number in numbers:
        if number is not None and number < 0:
            raise refusals.LessThanNobody(number)


def _check_shares(quotas: Sequence[Share]) -> None:
    named = set()
    for share in quotas:
        if sum(bool(part) for part in share.of) != 1:
            raise refusals.ShareUnclear
        if share.of in named:
            raise refusals.ShareTwice(_quota(share))
        named.add(share.of)


def _change_segments(event: Event, segments: Mapping[UUID, int | None]) -> None:
    known = {segment.pk: segment for segment in event.segments.filter(pk__in=segments)}
    if len(known) < len(segments):
        raise refusals.RemovedMeanwhile
    for pk, seats in segments.items():
        known[pk].seats = seats
    Segment.objects.bulk_update(known.values(), ["seats"])


def _change_quotas(event: Event, quotas: Sequence[Share]) -> None:
    tracks = {share.track.pk for share in quotas if share.track}
    if event.tracks.filter(pk__in=tracks).count() < len(tracks):
        raise refusals.RemovedMeanwhile
    known = {(quota.category, quota.region, quota.track_id): quota for quota in event.quotas.all()}
    for share in quotas:
        quota = known.pop(share.of, None) or _quota(share, event)
        quota.seats = share.seats
        quota.save()
    event.quotas.filter(pk__in=[quota.pk for quota in known.values()]).delete()


def _quota(share: Share, event: Event | None = None) -> Quota:
    return Quota(
        event=event,
        category=share.category,
        region=share.region,
        track=share.track,
        seats=share.seats,
    )


def _facts(event: Event) -> dict[str, Any]:
    """What can be changed here, with the rows under their names, for the memory."""
    with translation.override("en"):
        segments, quotas = event.segments.all(), event.quotas.select_related("track")
        return {
            "admission": event.admission,
            "seats": event.seats,
            "cap": event.cap,
            "segment": {f"{each.date} {each}": {"seats": each.seats} for each in segments},
            "quota": {str(each): {"seats": each.seats} for each in quotas},
        }


def _only(facts: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Those of the facts that differ from the others; of rows, the rows that do."""
    differing: dict[str, Any] = {}
    for name, value in facts.items():
        other = others.get(name)
        if isinstance(value, dict) and isinstance(other, dict) and value != other:
            differing[name] = _only(value, other)
        elif value != other:
            differing[name] = value
    return differing
