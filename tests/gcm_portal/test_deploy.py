"""manage.py check --deploy, and the probe of the web container."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gcm_portal import checks
from launcher import catalogues
from tests.gcm_portal import place

REAL = {
    "SECRET_KEY": "0123456789abcdef" * 6,
    "BASE_URL": "https://portal.gcm-portal.int",
    "ALLOWED_HOSTS": "portal.gcm-portal.int",
    "DATABASE_PASSWORD": "f3b9c2",
    "BROKER_PASSWORD": "a71d04",
    "EMAIL_URL": "smtp+tls://portal:word@mail.gcm-portal.int:587",
    "EMAIL_FROM": "GCM Portal <portal@gcm-portal.int>",
    "CONTACT_EMAIL": "secretariat@gcm-portal.int",
}


def checked(environment: dict[str, str], var: Path) -> subprocess.CompletedProcess:
    """What check --deploy says to exactly this environment."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=place.HOUSE,
        env={"PATH": os.environ["PATH"], "PORTAL_VAR": str(var), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def var(tmp_path) -> Path:
    """As in the image: collected and compiled."""
    catalogues.compile_all(place.HOUSE)
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "staticfiles.json").write_text("{}")
    return tmp_path


def test_the_portal_of_the_compose_file_has_nothing_to_put_right(var):
    done = checked(place.environment("web", place.example() | REAL), var)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("System check identified no issues")


def test_the_example_left_as_it_is_is_seen(var):
    left = {name: REAL[name] for name in ("SECRET_KEY", "DATABASE_PASSWORD", "BROKER_PASSWORD")}
    given = place.example() | left | {"EMAIL_URL": "smtp://mail.gcm-portal.int"}

    done = checked(place.environment("web", given), var)

    assert done.returncode == 1
    assert done.stderr.count("portal.W") == 3
    assert "BASE_URL is https://portal.example.org, which nobody finds" in done.stderr
    assert "EMAIL_FROM is “GCM Portal <portal@example.org>”" in done.stderr
    assert "CONTACT_EMAIL is “secretariat@example.org”" in done.stderr


@pytest.mark.parametrize("key", ["short", "a" * 60, "django-insecure-" + "0123456789abcdef" * 4])
def test_a_weak_key_is_seen(var, key):
    done = checked(place.environment("web", place.example() | REAL | {"SECRET_KEY": key}), var)

    assert done.returncode == 1
    assert "security.W009" in done.stderr


@pytest.fixture
def found(settings, var) -> Callable[..., list[str]]:
    """The ids of what is wrong with a real portal in which this was changed."""

    def found(**changes: object) -> list[str]:
        real = {
            **{name: REAL[name] for name in ("BASE_URL", "EMAIL_URL", "EMAIL_FROM")},
            "CONTACT_EMAIL": REAL["CONTACT_EMAIL"],
            "ALLOWED_HOSTS": [REAL["ALLOWED_HOSTS"]],
            "DEMO": False,
            "IS_SECURE": True,
            "ALLAUTH_TRUSTED_PROXY_COUNT": 1,
            "STATIC_ROOT": var / "static",
        }
        for name, value in {**real, **changes}.items():
            setattr(settings, name, value)
        return [message.id for message in checks.real_portal(None)]

    return found


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"DEMO": True}, ["portal.W001"]),
        ({"BASE_URL": "http://portal.gcm-portal.int", "IS_SECURE": False}, ["portal.W002"]),
        ({"BASE_URL": "https://portal.gcm-portal.int:8443"}, []),
        ({"BASE_URL": "https://localhost", "ALLOWED_HOSTS": ["localhost"]}, ["portal.W003"]),
        ({"BASE_URL": "https://a.test", "ALLOWED_HOSTS": ["a.test"]}, ["portal.W003"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["portal.W004"]),
        ({"ALLOWED_HOSTS": ["127.0.0.1", "localhost"]}, ["portal.W005"]),
        ({"ALLOWED_HOSTS": [".gcm-portal.int"]}, []),
        ({"ALLAUTH_TRUSTED_PROXY_COUNT": 0}, ["portal.W006"]),
        ({"EMAIL_URL": ""}, ["portal.W007"]),
        ({"EMAIL_FROM": "GCM Portal <portal@localhost>"}, ["portal.W008"]),
        ({"EMAIL_FROM": "GCM Portal"}, ["portal.W008"]),
        ({"CONTACT_EMAIL": "secretariat@example.org"}, ["portal.W008"]),
        ({"CONTACT_EMAIL": "desk@notexample.org"}, []),
        ({"STATIC_ROOT": Path("/nowhere")}, ["portal.W009"]),
    ],
)
def test_what_would_be_wrong_is_said(found, changes, ids):
    assert found(**changes) == ids


def test_a_catalogue_that_is_not_compiled_is_seen(found, settings, tmp_path):
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "locale" / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").touch()

    assert found(LOCALE_PATHS=[tmp_path / "locale"]) == ["portal.W010"]


def probed(port: int) -> int:
    return subprocess.run(
        [sys.executable, "deploy/ready.py", str(port)],
        cwd=place.HOUSE,
        env={"BASE_URL": "https://portal.gcm-portal.int"},
        timeout=30,
    ).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (400, 1)])
def test_the_container_is_well_when_the_portal_is_ready(server, status, code):
    server.status = status

    assert probed(server.server_port) == code
    assert server.asked == [("/readyz", "portal.gcm-portal.int")]


def test_the_container_is_not_well_when_nobody_answers(server):
    server.shutdown()
    server.server_close()

    assert probed(server.server_port) == 1
