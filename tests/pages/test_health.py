import json
import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from notifications.models import Heartbeat

ADDRESSES = ["/en/", "/ar/events/", "/en/registrations/", "/admin/", "/readyz", "/healthz"]
ASK = """
import json, time, django
from django.conf import settings
settings.STORAGES["staticfiles"] = {{
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}}
django.setup()
from django.test import Client
answers = []
for address in {addresses!r}:
    began = time.monotonic()
    client = Client(raise_request_exception=False)
    answer = client.get(address, headers={{"cookie": "sessionid=" + "x" * 32}})
    answers.append([address, answer.status_code, time.monotonic() - began,
                    answer.headers.get("Retry-After", ""), answer.content.decode()])
print(json.dumps(answers))
"""


def ask(port: int, *addresses: str) -> list[list]:
    """What a portal answers whose database is said to be at this port."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DEMO", "EMAIL_URL")
    } | {
        "DATABASE_URL": f"postgresql://portal@127.0.0.1:{port}/portal",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "for this test",
        "BASE_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "gcm_portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(addresses=list(addresses))],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_healthz_asks_nobody(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_a_probe_is_answered_without_tls_and_nobody_else(db, settings, address):
    settings.SECURE_SSL_REDIRECT = True
    client = Client()

    assert client.get(address).status_code == 200
    assert client.get("/en/")["Location"] == "https://testserver/en/"
    assert client.get(f"/en{address}").status_code == 301


def test_readyz_says_that_the_database_is_there_and_whole(client, db):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": True, "migrated": True, "seen": {}}


def test_readyz_says_when_worker_and_beat_were_last_seen(client, now):
    Heartbeat.mark("worker", now=now - timedelta(seconds=7))
    Heartbeat.mark("beat", now=now - timedelta(minutes=5))

    seen = client.get("/readyz").json()["seen"]

    assert seen.keys() == {"worker", "beat"}
    assert 7 <= seen["worker"] <= 9
    assert 300 <= seen["beat"] <= 302


def test_readyz_is_not_ready_while_a_migration_is_missing(client, db):
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'registrations'")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert (answer.json()["ready"], answer.json()["migrated"]) == (False, False)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_without_a_database_pages_say_back_in_a_moment(closed_port):
    page = (settings.BASE_DIR / "static" / "503.html").read_text()

    answers = ask(closed_port, *ADDRESSES)

    assert [(address, status) for address, status, *_more in answers] == [
        ("/en/", 503),
        ("/ar/events/", 503),
        ("/en/registrations/", 503),
        ("/admin/", 503),
        ("/readyz", 503),
        ("/healthz", 200),
    ]
    for _address, status, _took, retry_after, content in answers:
        if status == 503:
            assert (retry_after, content) == ("5", page)


@pytest.mark.parametrize("address", ["/en/", "/en/registrations/"])
def test_a_database_that_does_not_answer_is_given_up_within_four_seconds(address):
    with socket.socket() as frozen:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen()
        ((_address, status, took, *_more),) = ask(frozen.getsockname()[1], address)

    assert status == 503
    assert took < 4
