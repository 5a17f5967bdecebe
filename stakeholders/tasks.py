from celery import shared_task

import clock
from stakeholders import membership


@shared_task(name="stakeholders.settle")
def settle() -> None:
    membership.settle_due(now=clock.now())
