from typing import Any

from celery import shared_task
from celery.signals import worker_ready

import clock
from notifications import bell, delivery
from notifications.models import Heartbeat


@shared_task(name="notifications.deliver")
def deliver() -> None:
    """The bell has rung."""
    now = clock.now()
    Heartbeat.mark(Heartbeat.WORKER, now=now)
    delivery.deliver(now)


@shared_task(name="notifications.sweep")
def sweep() -> None:
    """Beat comes by: whatever the bell missed goes out."""
    now = clock.now()
    Heartbeat.mark(Heartbeat.BEAT, Heartbeat.WORKER, now=now)
    delivery.deliver(now)


@worker_ready.connect
def look_at_start(**_: Any) -> None:
    bell.ring()
