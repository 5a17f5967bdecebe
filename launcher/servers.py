"""Using the embedded servers: they start for the first user and stop with the last."""

import fcntl
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launcher import ROOT, Refusal, processes
from launcher.keeper import is_free, locked, write_private

SLOTS = 40


def given() -> bool:
    """Whether the environment names servers of its own."""
    names = [name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)]
    if len(names) == 1:
        raise Refusal(f"Only {names[0]} is set. Set DATABASE_URL and REDIS_URL together, or none.")
    return bool(names)


def make_home(home: Path) -> Path:
    home = Path(os.path.abspath(home))
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"The folder {home} cannot be made: {error.strerror}.") from None
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK) or (
        os.geteuid() and home.stat().st_uid != os.geteuid()
    ):
        raise Refusal(
            f"The folder {home} belongs to another user. Remove it, or set PORTAL_VAR to a folder "
            "of your own."
        )
    return home.resolve()


def read(home: Path) -> dict[str, str]:
    return json.loads((home / "servers.json").read_text())


def secret_key(home: Path) -> str:
    """Made once, so that sessions and signed links outlive a restart."""
    path = home / "secret_key"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def is_kept(home: Path) -> bool:
    return not is_free(home / "keeper.lock", fcntl.LOCK_EX)


def ensure(home: Path, *, fast: bool) -> subprocess.Popen | None:
    """A keeper that is ready, ours if there was none. The caller holds the lock of a user."""
    with locked(home / "start.lock", fcntl.LOCK_EX):
        if is_kept(home) and (home / "servers.json").exists():
            return None
        # One that has just been told to end has still to stop its servers.
        processes.wait_until(lambda: not is_kept(home), 40)
        with (home / "keeper.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "launcher", "keep", str(home), *(["--fast"] * fast)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )
        line = process.stdout.readline()
        process.stdout.close()
        if not line:
            process.wait()
            raise Refusal(f"The embedded servers did not start. Look into {home / 'keeper.log'}")
        if refusal := json.loads(line).get("refusal"):
            process.wait()
            raise Refusal(refusal)
        return process


def _is_left(home: Path) -> bool:
    """Whether the servers have stopped, or others use them."""
    users = home / "users.lock"
    return not is_kept(home) or (
        not is_free(users, fcntl.LOCK_EX) and is_free(users, fcntl.LOCK_SH)
    )


@contextmanager
def used(home: Path, *, fast: bool) -> Iterator[dict[str, str]]:
    """The addresses of running servers, which stop afterwards if nobody else uses them."""
    process = None
    try:
        with locked(home / "users.lock", fcntl.LOCK_SH):
            process = ensure(home, fast=fast)
            yield read(home)
    finally:
        processes.wait_until(lambda: _is_left(home), 40)
        if process and not is_kept(home):
            process.wait()


def make_database(home: Path, url: str, name: str) -> None:
    """Waits a little for a server that is just coming back."""
    import psycopg

    def is_made() -> bool:
        address = url.replace("@/portal?", "@/postgres?")
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                found = connection.execute("select 1 from pg_database where datname = %s", [name])
                if not found.fetchone():
                    connection.execute(f'create database "{name}"')
        except psycopg.OperationalError:
            return False
        return True

    with locked(home / "start.lock", fcntl.LOCK_EX):
        if not processes.wait_until(is_made, 15, pause=0.2):
            raise Refusal(f"PostgreSQL does not answer. Its log: {home / 'postgres.log'}")


@contextmanager
def own_place(home: Path, addresses: dict[str, str]) -> Iterator[Path]:
    """A database and a Valkey number of one's own: two test runs do not meet."""
    for number in range(1, SLOTS):
        place = home / str(number)
        place.mkdir(mode=0o700, exist_ok=True)
        try:
            with locked(place / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
                name = f"portal_{number}"
                make_database(home, addresses["database_url"], name)
                mine = {
                    "database_url": addresses["database_url"].replace("@/portal?", f"@/{name}?"),
                    "redis_url": re.sub(r"/0$", f"/{number}", addresses["redis_url"]),
                }
                write_private(place / "servers.json", json.dumps(mine))
                try:
                    yield place
                finally:
                    (place / "servers.json").unlink(missing_ok=True)
                return
        except BlockingIOError:
            continue
    raise Refusal(f"{SLOTS} runs use {home} already.")
