from celery import shared_task

import clock
from events import undelivered


@shared_task(name="events.report_failures")
def report_failures() -> None:
    undelivered.report(now=clock.now())
