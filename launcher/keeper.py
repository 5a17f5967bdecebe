"""The process that holds PostgreSQL and Valkey for as long as somebody uses them.

Users hold a shared lock on one file of the home folder. The keeper waits for that file alone: it
gets it when the last user has left or died, and then stops the servers. So no user, however it
ends, leaves servers behind or takes them away from another.
"""

import fcntl
import json
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from launcher import Refusal, processes
from launcher.postgres import Postgres
from launcher.valkey import Valkey

QUICK = 5.0
QUICK_DEATHS = 3
SOCKET_LIMIT = 107


@contextmanager
def locked(path: Path, kind: int):
    """The file locked; raises BlockingIOError if it may not wait and is taken."""
    with path.open("a") as file:
        os.fchmod(file.fileno(), 0o600)
        fcntl.flock(file, kind)
        yield


def is_free(path: Path, kind: int) -> bool:
    try:
        with locked(path, kind | fcntl.LOCK_NB):
            return True
    except BlockingIOError:
        return False


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for our eyes only."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    unfinished.replace(path)


def _written(home: Path) -> dict[str, str]:
    try:
        return json.loads((home / "servers.json").read_text())
    except (OSError, ValueError):
        return {}


def _socket_folder(before: str) -> Path:
    """Short and private: a socket's path may have 107 characters, and a home can be deep."""
    old = Path(before) if before else None
    if old and old.is_dir() and not old.is_symlink():
        found = old.lstat()
        if not stat.S_IMODE(found.st_mode) & 0o077 and (
            found.st_uid == os.geteuid() or not os.geteuid()
        ):
            return old
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    fits = runtime and len(runtime) < SOCKET_LIMIT - 40 and os.access(runtime, os.W_OK)
    # An unprivileged PostgreSQL of root could not enter root's own runtime folder.
    base = runtime if fits and os.geteuid() else "/tmp"  # noqa: S108 (mkdtemp makes it private)
    return Path(tempfile.mkdtemp(prefix="gcm-portal-", dir=base))


def _watch(servers: list[Postgres | Valkey], over: threading.Event) -> None:
    """Starts again what died unasked; gives up on what dies at once, three times in a row."""
    quick = {server.name: 0 for server in servers}
    started = {server.name: time.monotonic() for server in servers}
    while not over.wait(0.2):
        for server in servers:
            if server.process.poll() is None:
                continue
            lived = time.monotonic() - started[server.name]
            quick[server.name] = quick[server.name] + 1 if lived < QUICK else 0
            print(f"{server.name} died after {lived:.0f} s.", file=sys.stderr, flush=True)
            if quick[server.name] == QUICK_DEATHS:
                raise Refusal(f"{server.name} died three times, each time at once.")
            processes.kill_session(server.process)
            if over.wait(0.5 * quick[server.name]):
                return
            try:
                server.prepare()
                server.start()
            except Refusal as refusal:
                print(refusal, file=sys.stderr, flush=True)
            started[server.name] = time.monotonic()


def keep(home: Path, *, fast: bool) -> None:
    """Started by launcher.servers; says on stdout, in one line, that it is ready or why not."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def say(**answer: str) -> None:
        print(json.dumps(answer), flush=True)

    def wait_for_users() -> None:
        fcntl.flock(users, fcntl.LOCK_EX)
        over.set()

    # Locked to the very end, so that a new user waits until all has stopped.
    users = (home / "users.lock").open("a")
    with locked(home / "keeper.lock", fcntl.LOCK_EX):
        servers: list[Postgres | Valkey] = []
        socket = None
        try:
            before = _written(home)
            socket = _socket_folder(before.get("socket", ""))
            postgres = Postgres(home, socket, fast=fast)
            valkey = Valkey(home, before=before.get("redis_url", ""))
            for server in (valkey, postgres):
                server.prepare()
                server.start()
                servers.append(server)
            addresses = {"database_url": postgres.url, "redis_url": valkey.url}
            write_private(
                home / "servers.json",
                json.dumps({**addresses, "socket": str(socket), "keeper": os.getpid()}),
            )
            say(ready="yes")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            threading.Thread(target=wait_for_users, daemon=True).start()
            _watch(servers, over)
        except Refusal as refusal:
            say(refusal=str(refusal))
            print(refusal, file=sys.stderr, flush=True)
            sys.exit(1)
        finally:
            for server in reversed(servers):
                server.stop()
            (home / "servers.json").unlink(missing_ok=True)
            if socket:
                shutil.rmtree(socket, ignore_errors=True)
