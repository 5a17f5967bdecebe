"""`make chaos`: the whole portal is visited while its parts are killed, and then it is counted."""

import os
import signal
import sys
import time
from urllib.parse import urlsplit

import django
import psycopg

from bench import place
from launcher import servers


def main() -> int:
    ports = place.Ports.free()
    home = place.home()
    _empty(servers.read(home)["database_url"])
    os.environ.setdefault("CHAOS_SEED", str(int(time.time())))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "gcm_portal.settings",
        "DEBUG": "0",
        "DEMO": "0",
        "LOG_LEVEL": "WARNING",
        "PORT": str(ports.portal),
        "BASE_URL": f"http://127.0.0.1:{ports.portal}",
        "EMAIL_URL": f"smtp://127.0.0.1:{ports.mail}",
    }
    django.setup()
    from chaos import course  # reads models, which are there only now

    return course.run(ports)


def check_is_ours(line: psycopg.Connection) -> None:
    """Only what an earlier run invented is thrown away."""
    is_made = line.execute("select to_regclass('events_process') is not null").fetchone()
    if is_made and is_made[0]:
        others = line.execute("select from events_process where slug <> 'chaos' limit 1")
        if others.fetchone() is not None:
            raise place.Trouble(
                "This database holds a real calendar. The chaos wants one of its own."
            )


def _empty(url: str) -> None:
    """Every run begins with nothing."""
    name = urlsplit(url).path[1:]
    with psycopg.connect(url) as line:
        check_is_ours(line)
    with psycopg.connect(url.replace(f"@/{name}?", "@/postgres?"), autocommit=True) as line:
        line.execute(f'drop database "{name}" with (force)')
        line.execute(f'create database "{name}"')


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except place.Trouble as trouble:
        sys.exit(f"\n{trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
