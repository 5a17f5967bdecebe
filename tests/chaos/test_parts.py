"""The parts of `make chaos`: what fate plans, what the mail server does, and who comes."""

import asyncio
import json
import random
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

import clock
from bench import seed
from bench import sink as plain
from bench.place import Trouble
from chaos import __main__ as door
from chaos import fate, groups
from chaos import sink as moody
from events.models import Process
from registrations.models import Registration


def test_the_same_number_brings_the_same_fate():
    plans = [fate.plan(120, random.Random("7")) for _time in range(2)]

    assert plans[0] == plans[1] != fate.plan(120, random.Random("8"))


@pytest.mark.parametrize("number", range(20))
def test_two_minutes_bring_twenty_kills_and_three_empty_brokers(number):
    order = fate.plan(120, random.Random(number))

    assert sum(what not in ("broker emptied", "broker frozen") for what in order) == 21
    assert order.count("broker emptied") == order.count("database") == 3
    assert all(a != b for a, b in zip(order, order[1:], strict=False))


def test_fate_knows_how_to_do_all_that_it_plans():
    assert all(hasattr(fate.Fate, "_" + what.replace(" ", "_")) for what in fate.ROUND)


@pytest.fixture
def letters(tmp_path) -> Path:
    return tmp_path / "letters.jsonl"


def _served(sink: plain.Sink) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(sink.talk, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield port
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    sink.log.close()


@pytest.fixture
def plain_sink(letters) -> Iterator[int]:
    yield from _served(plain.Sink(letters))


@pytest.fixture
def mood(letters, monkeypatch) -> moody.MoodySink:
    """In the worst of tempers: every letter is taken, and the line cut."""
    sink = moody.MoodySink(letters)
    monkeypatch.setattr(sink, "mood", lambda: (0, 1, 0))
    return sink


@pytest.fixture
def moody_sink(mood) -> Iterator[int]:
    yield from _served(mood)


LETTER = "Message-ID: <1@x>\r\nSubject: =?utf-8?q?H=C3=A9aring?=\r\n\r\nDear Amina\r\n"


def test_the_sink_writes_down_what_it_takes(plain_sink, letters):
    with smtplib.SMTP("127.0.0.1", plain_sink) as line:
        for to in ("amina@diaspora.example", "bo@ports.example"):
            line.sendmail("portal@localhost", to, LETTER)

    lines = [{name: line[name] for name in line if name != "at"} for line in plain.read(letters)]
    rest = {"id": "<1@x>", "subject": "Héaring", "answer": plain.OK}
    assert lines == [
        {"to": "amina@diaspora.example"} | rest,
        {"to": "bo@ports.example"} | rest,
    ]


def test_the_sink_takes_orders_that_come_together(plain_sink, letters):
    together = "EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n"
    with (
        socket.create_connection(("127.0.0.1", plain_sink)) as line,
        line.makefile("rb") as answers,
    ):
        line.sendall(together.encode())
        said = [answers.readline()[:3] for _order in range(6)]
        line.sendall(f"{LETTER}.\r\nQUIT\r\n".encode())
        said += [answers.readline()[:3] for _order in range(2)]

    assert said == [b"220", b"250", b"250", b"250", b"250", b"354", b"250", b"221"]
    assert [line["to"] for line in plain.read(letters)] == ["b@x"]


def test_a_line_that_is_cut_has_brought_its_letter(moody_sink, letters):
    with pytest.raises(smtplib.SMTPServerDisconnected), smtplib.SMTP("127.0.0.1", moody_sink) as it:
        it.sendmail("portal@localhost", "amina@diaspora.example", LETTER)

    assert [line["answer"] for line in plain.read(letters)] == [plain.CUT]


def test_some_mailboxes_are_refused(moody_sink, letters):
    with smtplib.SMTP("127.0.0.1", moody_sink) as line, pytest.raises(smtplib.SMTPException):
        line.sendmail("portal@localhost", f"nobody{moody.REFUSED}", LETTER)

    assert [(line["to"], line["answer"][:3]) for line in plain.read(letters)] == [
        (f"nobody{moody.REFUSED}", "550")
    ]


def test_only_our_own_database_is_emptied(now):
    connection.ensure_connection()
    seed.process("chaos", "CHA")
    door.check_is_ours(connection.connection)

    Process.objects.create(slug="gcm", prefix="GCM", name_en="Global Compact for Migration")

    with pytest.raises(Trouble, match="real calendar"):
        door.check_is_ours(connection.connection)


def test_what_groups_are_told_is_written_down(transactional_db, live_server, tmp_path):
    now = clock.now()
    seed.event(seed.process("chaos", "CHA"), "hearing", closes_at=now + timedelta(1), now=now)
    (session,) = seed.sessions(seed.newcomers(1))
    notebook = groups.Notebook(tmp_path / "groups.jsonl")
    port = int(live_server.url.rpartition(":")[2])

    groups.register(groups.Browser(port, session, notebook), "hearing", random.Random(3))

    notebook.file.close()
    lines = [json.loads(line) for line in (tmp_path / "groups.jsonl").read_text().splitlines()]
    registration = Registration.objects.get()
    people = [str(each) for each in registration.delegates.in_order()]
    assert [line["what"] for line in lines] == ["begun", *["person"] * len(people), "sent"]
    assert {line["reference"] for line in lines} == {registration.reference}
    assert [line["name"] for line in lines if "name" in line] == people
    assert registration.sent_at
