"""The door-bell of the worker: it saves waiting, and it may fail without a word to the page."""

import logging
import time

from celery import current_app

logger = logging.getLogger(__name__)

REST = 10.0
ECHO = 0.2
IMPATIENT = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "max_retries": 0,
    "retry_on_timeout": False,
}

_silent_until = 0.0


def ring() -> None:
    """Tell the worker that letters wait; the sweep finds them if nobody hears.

    Whoever comes within the echo of a ring need not ring again: the worker, once it has heard,
    looks for longer than that. A broken bell is left alone for some seconds.
    """
    global _silent_until
    began = time.monotonic()
    if began < _silent_until:
        return
    _silent_until = began + ECHO
    try:
        with current_app.connection_for_write(
            transport_options=IMPATIENT, connect_timeout=0.5
        ) as line:
            current_app.send_task(
                "notifications.deliver", connection=line, retry=False, ignore_result=True
            )
    except Exception as error:
        _silent_until = time.monotonic() + REST
        logger.warning("The worker's bell does not ring (%s); the sweep will find it.", error)
