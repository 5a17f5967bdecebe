import logging
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from celery import current_app

from notifications import bell
from tests.notifications.conftest import free_port


@pytest.fixture
def broker(monkeypatch):
    """Points the bell at a broker; the app's own settings come back afterwards."""

    def use(url: str) -> None:
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)

    monkeypatch.setattr(bell, "_silent_until", 0.0)
    return use


@pytest.fixture
def frozen():
    """Accepts and never answers, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken, at_work = [], threading.Event()

        def accept() -> None:
            at_work.set()
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        at_work.wait(timeout=5)
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
        for line in taken:
            line.close()


def seconds_of_a_ring() -> float:
    start = time.monotonic()
    bell.ring()
    return time.monotonic() - start


def test_the_bell_puts_one_nudge_before_the_worker_however_often_it_is_rung_at_once(
    broker, settings
):
    apart = urlsplit(settings.REDIS_URL)._replace(path="/15").geturl()
    broker(apart)
    with current_app.connection_for_read(apart) as line:
        queue = line.SimpleQueue(current_app.conf.task_default_queue)
        queue.clear()

        bell.ring()
        bell.ring()

        nudge = queue.get(timeout=5)
        nudge.ack()
        assert nudge.headers["task"] == "notifications.deliver"
        assert nudge.payload[:2] == [[], {}]
        assert nudge.headers["eta"] is None
        with pytest.raises(queue.Empty):
            queue.get(block=False)


def test_a_broker_that_refuses_does_not_hurt(broker, caplog):
    broker(f"redis://127.0.0.1:{free_port()}/0")

    with caplog.at_level(logging.WARNING):
        assert seconds_of_a_ring() < 1.5

    assert [record.name for record in caplog.records] == ["notifications.bell"]


def test_a_frozen_broker_does_not_hurt_and_the_next_pages_do_not_pay(broker, frozen, caplog):
    port, taken = frozen
    broker(f"redis://127.0.0.1:{port}/0")

    with caplog.at_level(logging.WARNING):
        first = seconds_of_a_ring()
        knocks = len(taken)
        next_ones = sum(seconds_of_a_ring() for _ in range(20))

    assert 0.4 < first < 1.5
    assert next_ones < 0.1
    assert knocks == len(taken) > 0
    assert len(caplog.records) == 1


def test_the_bell_is_tried_again_after_its_rest(broker, frozen, monkeypatch):
    port, taken = frozen
    broker(f"redis://127.0.0.1:{port}/0")
    bell.ring()
    knocks = len(taken)
    monkeypatch.setattr(bell, "_silent_until", time.monotonic() - 1)

    bell.ring()

    assert len(taken) > knocks
