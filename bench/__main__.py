"""`make bench`: measures the portal in a database of its own, beside a bare Django view."""

import os
import signal
import sys

import django

from bench import place


def main() -> int:
    ports = place.Ports.free()
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
    from bench import course  # reads models, which are there only now

    return course.run(ports)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except place.Trouble as trouble:
        sys.exit(f"\n{trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
