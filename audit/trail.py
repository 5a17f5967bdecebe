from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Model

from audit import models

if TYPE_CHECKING:
    from django.contrib.auth.models import _User


def act(
    by: "_User | None",
    verb: str,
    subject: Model,
    *,
    at: datetime,
    scope: UUID | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> models.Entry:
    """An act that is not remembered yet; nobody (None) is the clock."""
    return models.Entry(
        actor=by,
        verb=verb,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        scope=scope,
        before=before,
        after=after,
        reason=reason,
        at=at,
    )


def record(
    by: "_User | None",
    verb: str,
    subject: Model,
    *,
    at: datetime,
    scope: UUID | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> models.Entry:
    """Remember an act."""
    entry = act(by, verb, subject, at=at, scope=scope, before=before, after=after, reason=reason)
    entry.save(force_insert=True)
    return entry


def record_many(acts: Iterable[models.Entry]) -> None:
    """Remember several acts in one statement, in their order."""
    models.Entry.objects.bulk_create(acts)
