import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from launcher import Refusal, __main__, binaries, processes, servers
from launcher.postgres import Postgres, folder_elsewhere
from tests.launcher.conftest import left_of

TALK = """
import json, os, psycopg, redis
address = json.load(open(os.environ["PORTAL_VAR"] + "/servers.json"))
with psycopg.connect(address["database_url"]) as connection:
    print(*connection.execute("select current_database(), lower('Ä')").fetchone())
print(redis.Redis.from_url(address["redis_url"]).ping(), flush=True)
"""
PATIENTLY = "import time; time.sleep(2)\n"
UNTIL_TOLD = ("sh", "-c", "echo up; exec sleep 60")


def test_a_command_finds_a_database_and_a_broker(launcher, home):
    run = launcher("exec", "--", sys.executable, "-c", TALK)

    output, _ = run.communicate(timeout=60)

    assert (run.returncode, output.split()) == (0, ["portal", "ä", "True"])
    assert left_of(home) == []
    assert not (home / "servers.json").exists()


def test_the_command_decides_the_exit_code(launcher, home):
    run = launcher("exec", "--", sys.executable, "-c", "raise SystemExit(7)")

    assert run.wait(60) == 7
    assert left_of(home) == []


def test_addresses_and_password_are_for_our_eyes_only(launcher, home):
    run = launcher("exec", "--", *UNTIL_TOLD)
    run.stdout.readline()

    address = json.loads((home / "servers.json").read_text())
    password = urlsplit(address["redis_url"]).password
    socket_folder = Path(address["socket"])

    assert (home / "servers.json").stat().st_mode & 0o077 == 0
    assert socket_folder.stat().st_mode & 0o077 == 0
    assert len(str(socket_folder / ".s.PGSQL.5432")) <= 107
    assert password
    assert not any(password in line for line in left_of(home))
    with socket.create_connection(("127.0.0.1", urlsplit(address["redis_url"]).port)) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    run.terminate()
    assert run.wait(30) == 128 + signal.SIGTERM
    assert not socket_folder.exists()
    assert left_of(home) == []


def test_two_commands_share_the_servers_and_the_last_stops_them(launcher, home):
    first, second = launcher("exec", "--", *UNTIL_TOLD), launcher("exec", "--", *UNTIL_TOLD)
    first.stdout.readline(), second.stdout.readline()
    keeper = json.loads((home / "servers.json").read_text())["keeper"]

    first.terminate()
    first.wait(30)

    assert json.loads((home / "servers.json").read_text())["keeper"] == keeper
    second.terminate()
    second.wait(30)
    assert left_of(home) == []


def test_killed_servers_come_back_at_the_same_address(launcher, home):
    run = launcher("exec", "--", *UNTIL_TOLD)
    run.stdout.readline()
    before = (home / "servers.json").read_text()
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    for victim in [postmaster, *processes.working_in(home / "valkey", "valkey-server")]:
        os.kill(victim, signal.SIGKILL)

    again = launcher("exec", "--", sys.executable, "-c", PATIENTLY + TALK)
    output, _ = again.communicate(timeout=60)

    assert (again.returncode, output.split()) == (0, ["portal", "ä", "True"])
    assert (home / "servers.json").read_text() == before
    run.terminate()
    run.wait(30)
    assert left_of(home) == []


def test_killed_with_its_keeper_it_leaves_no_server_and_the_next_start_works(launcher, home):
    run = launcher("exec", "--", *UNTIL_TOLD)
    run.stdout.readline()
    keeper = json.loads((home / "servers.json").read_text())["keeper"]
    run.kill()
    os.kill(keeper, signal.SIGKILL)

    again = launcher("exec", "--", sys.executable, "-c", TALK)
    output, _ = again.communicate(timeout=60)

    assert (again.returncode, output.split()) == (0, ["portal", "ä", "True"])
    assert [line for line in left_of(home) if "sleep" not in line] == []


def test_a_stale_number_in_the_pid_file_does_not_hinder_and_hurts_nobody(launcher, home):
    launcher("exec", "--", "true").wait(60)
    bystander = launcher("exec", "--", "sleep", "20", DATABASE_URL="x", REDIS_URL="x")
    (home / "postgres" / "postmaster.pid").write_text(f"{bystander.pid}\n{home}/postgres\n")

    again = launcher("exec", "--", sys.executable, "-c", TALK)

    assert again.wait(60) == 0
    assert bystander.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_without_namespaces_postgres_runs_as_a_user_that_nobody_is(launcher, home):
    folder = folder_elsewhere(home)
    run = launcher("exec", "--", *UNTIL_TOLD, PORTAL_NO_NAMESPACE="1")
    run.stdout.readline()
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    owner = (folder / "postgres").stat()
    runs_as = Path(f"/proc/{postmaster}").stat().st_uid

    second = launcher("exec", "--", sys.executable, "-c", TALK, PORTAL_NO_NAMESPACE="1")
    output, _ = second.communicate(timeout=60)

    assert output.split() == ["portal", "ä", "True"]
    assert runs_as == owner.st_uid >= 40_000
    assert owner.st_mode & 0o077 == 0
    run.terminate()
    run.wait(30)
    assert processes.working_in(folder / "postgres", "postgres") == []
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_a_planted_folder_is_refused(home, monkeypatch):
    planted = folder_elsewhere(home)
    planted.mkdir()
    os.chown(planted, 65534, 65534)
    monkeypatch.setenv("PORTAL_NO_NAMESPACE", "1")

    with pytest.raises(Refusal, match="is not ours"):
        Postgres(home, home, fast=True)

    planted.rmdir()


def test_without_a_wheel_the_machine_is_asked_and_then_a_sentence_helps(monkeypatch):
    monkeypatch.setattr(binaries, "packaged_postgres", lambda: None)
    monkeypatch.setattr(binaries, "installed_postgres", lambda: None)

    with pytest.raises(Refusal, match="apt-get install postgresql"):
        binaries.postgres()


def test_one_address_without_the_other_is_refused(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/portal")
    monkeypatch.delenv("REDIS_URL", raising=False)

    with pytest.raises(Refusal, match="Only DATABASE_URL is set"):
        servers.given()


def test_given_servers_are_used_and_none_is_started(launcher, home):
    run = launcher(
        "exec",
        "--",
        sys.executable,
        "-c",
        "import os; print(os.environ['DATABASE_URL'])",
        DATABASE_URL="postgresql://elsewhere/portal",
        REDIS_URL="redis://elsewhere",
    )

    output, _ = run.communicate(timeout=30)

    assert output.strip() == "postgresql://elsewhere/portal"
    assert list(home.iterdir()) == []


def test_a_command_is_told_to_end_even_while_it_starts(monkeypatch):
    def told_meanwhile(*arguments, **options) -> subprocess.Popen:
        process = start(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        return process

    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", told_meanwhile)
    monkeypatch.setattr(__main__, "place", lambda: nullcontext({"PATH": os.environ["PATH"]}))
    monkeypatch.setattr(servers, "given", lambda: False)
    before = {
        each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    }

    try:
        assert __main__.execute(["sleep", "60"]) == 128 + signal.SIGTERM
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
