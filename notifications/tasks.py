import threading
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_ready

import clock
from notifications import bell, delivery
from notifications.models import Heartbeat

LOOKS_AGAIN_AFTER = 0.3  # longer than the echo of the bell

_at_work = threading.Lock()
_called = threading.Event()


@shared_task(name="notifications.deliver")
def deliver() -> None:
    """The bell has rung."""
    now = clock.now()
    Heartbeat.mark(Heartbeat.WORKER, now=now)
    _deliver()


@shared_task(name="notifications.sweep")
def sweep() -> None:
    """Beat comes by: whatever the bell missed goes out."""
    now = clock.now()
    Heartbeat.mark(Heartbeat.BEAT, Heartbeat.WORKER, now=now)
    _deliver()


def _deliver() -> None:
    """One letter in flight for each worker. Whoever calls while another thread delivers is heard by
    that one, which looks once more a moment after the last letter."""
    _called.set()
    while _called.is_set() and _at_work.acquire(blocking=False):
        try:
            _called.clear()
            delivery.deliver()
            time.sleep(LOOKS_AGAIN_AFTER)
            delivery.deliver()
        finally:
            _at_work.release()


@worker_ready.connect
def look_at_start(**_: Any) -> None:
    bell.ring()
