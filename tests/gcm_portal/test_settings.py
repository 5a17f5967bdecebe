"""The settings, read anew from an environment of the test's own."""

import json
import os
import runpy
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.core.exceptions import ImproperlyConfigured

FILE = portal_settings.BASE_DIR / "gcm_portal" / "settings.py"
REAL = {
    "DATABASE_URL": "postgresql://portal:secret@database.example/portal",
    "REDIS_URL": "redis://:secret@broker.example:6379/0",
    "SECRET_KEY": "for this test",
    "BASE_URL": "https://portal.example.org",
    "ALLOWED_HOSTS": "portal.example.org",
}
DEMO = {"DEMO": "1", "SECRET_KEY": "for this test", "BASE_URL": "http://127.0.0.1:8000"}


@pytest.fixture
def settings_of(monkeypatch, tmp_path) -> Callable:
    addresses = {"database_url": "postgresql://portal@/portal", "redis_url": "redis://127.0.0.1"}
    (tmp_path / "servers.json").write_text(json.dumps(addresses))

    def settings_of(environment: dict[str, str], **changes: str) -> dict[str, Any]:
        monkeypatch.setattr(os, "environ", environment | {"PORTAL_VAR": str(tmp_path)} | changes)
        return runpy.run_path(str(FILE))

    return settings_of


def test_a_real_portal_has_no_demo_and_keeps_to_tls(settings_of):
    found = settings_of(REAL)

    assert (found["DEMO"], found["DEBUG"]) == (False, False)
    assert found["ALLOWED_HOSTS"] == ["portal.example.org"]
    assert found["SECURE_SSL_REDIRECT"] and found["SESSION_COOKIE_SECURE"]


@pytest.mark.parametrize(
    "hosts", ["", "127.0.0.1", "localhost,127.0.0.1,[::1]", "LOCALHOST", "::1"]
)
def test_a_demo_on_this_machine_starts(settings_of, hosts):
    assert settings_of(DEMO, ALLOWED_HOSTS=hosts)["DEMO"] is True


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"DATABASE_URL": REAL["DATABASE_URL"], "REDIS_URL": REAL["REDIS_URL"]},
            "DEMO is set together with DATABASE_URL. A real portal has no demo.",
        ),
        (
            {"BASE_URL": "http://192.0.2.7:8000"},
            "DEMO is set, but http://192.0.2.7:8000 can be reached from other machines.",
        ),
        (
            {"BASE_URL": "https://portal.example.org"},
            "DEMO is set, but https://portal.example.org can be reached from other machines.",
        ),
        *(
            (
                {"ALLOWED_HOSTS": hosts},
                f"DEMO is set, but ALLOWED_HOSTS lets others in: {name}",
            )
            for hosts, name in [
                ("*", "*"),
                ("127.0.0.1,portal.example.org", "portal.example.org"),
                ("192.0.2.7", "192.0.2.7"),
                (".localhost.example.org", ".localhost.example.org"),
            ]
        ),
    ],
)
def test_a_demo_that_others_could_reach_does_not_start(settings_of, changes, sentence):
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(DEMO, **changes)

    assert str(refused.value) == sentence


@pytest.mark.parametrize("name", ["SECRET_KEY", "BASE_URL"])
def test_what_is_needed_is_asked_for(settings_of, name):
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(REAL, **{name: ""})

    assert str(refused.value) == f"{name} is not set. The portal does not start without it."


@pytest.mark.parametrize(("typed", "count"), [("", 0), ("1", 1), ("2", 2)])
def test_as_many_proxies_are_trusted_as_there_are(settings_of, typed, count):
    assert settings_of(REAL, TRUSTED_PROXIES=typed)["ALLAUTH_TRUSTED_PROXY_COUNT"] == count


def test_a_count_of_proxies_that_is_none_is_refused(settings_of):
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES is “all”"):
        settings_of(REAL, TRUSTED_PROXIES="all")
