from celery import shared_task

import clock
from registrations import reminders


@shared_task(name="registrations.remind")
def remind() -> None:
    reminders.send_due(now=clock.now())
