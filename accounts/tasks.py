from datetime import timedelta

from celery import shared_task
from django.db import transaction

import clock
from accounts import factors, kept, throttles
from accounts.models import User

UNUSED_AFTER = timedelta(days=7)


@shared_task(name="accounts.sweep")
def sweep() -> None:
    """Forget what nobody needs any more: kept posts, counted tries, sessions that are over, and
    accounts that were begun at the door and never opened."""
    now = clock.now()
    kept.sweep(now=now)
    throttles.sweep(now=now)
    factors.sweep(now=now)
    with transaction.atomic():
        begun = User.objects.unused().filter(date_joined__lt=now - UNUSED_AFTER)
        held = list(begun.select_for_update(skip_locked=True).values_list("pk", flat=True))
        User.objects.filter(pk__in=held).unused().delete()
