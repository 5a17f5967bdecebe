"""The launcher asks whether the portal answers, by the name that the portal answers to."""

import pytest

from launcher.portal import Portal


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://portal.example.org", "portal.example.org"),
        ("http://portal.example.org:8080", "portal.example.org:8080"),
    ],
)
def test_the_probe_sends_the_host_name_of_the_portal(monkeypatch, tmp_path, server, address, host):
    monkeypatch.setenv("DATABASE_URL", "postgresql://database.example/portal")
    monkeypatch.setenv("REDIS_URL", "redis://broker.example")
    monkeypatch.setenv("BASE_URL", address)
    portal = Portal(tmp_path, server.server_port, server.socket)

    assert portal.answers()
    assert server.asked == [("/healthz", host)]
