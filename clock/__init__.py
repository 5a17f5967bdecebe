"""The one clock. Doors read the time once, here, and hand it in as `now`."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The moment, in UTC, by the database's clock: web and workers judge by the same one."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment
