"""Letters that have not left yet are taken back when they are no longer true."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from notifications import models


def cancel(
    *,
    now: datetime,
    about: uuid.UUID | None = None,
    to: str | None = None,
    scope: uuid.UUID | None = None,
    kinds: Iterable[models.Kind] | None = None,
    spare: str = "",
) -> int:
    """Cancel what waits or is claimed and fits everything named; how many letters that were.

    Letters whose key begins with `spare` stay: what they say is still true.
    """
    letters = models.Letter.objects.pending()
    if about is None and to is None and scope is None:
        raise ValueError("Name what to cancel: about, to or scope.")
    if about is not None:
        letters = letters.about(about)
    if to is not None:
        letters = letters.to(to)
    if scope is not None:
        letters = letters.in_scope(scope)
    if kinds is not None:
        letters = letters.filter(kind__in=list(kinds))
    if spare:
        letters = letters.exclude(key__startswith=f"{spare}:")
    with transaction.atomic():
        held = list(letters.order_by("pk").select_for_update().values_list("pk", flat=True))
        return models.Letter.objects.filter(pk__in=held).update(
            state=models.State.CANCELLED,
            ended_at=now,
            claim=None,
            claimed_until=None,
            **models.without_codes(),
        )
