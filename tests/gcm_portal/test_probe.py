"""The launcher asks whether the portal answers, by the name that the portal answers to."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from launcher.portal import Portal


class Asked(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Asked) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
