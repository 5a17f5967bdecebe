"""What is measured: the portal as production runs it, a bare view, a mail server that takes all."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import sink
from launcher import ROOT, processes, servers

APPLICATION = "gcm_portal.wsgi:application"


class Trouble(Exception):
    """Something did not run; a sentence for whoever measures."""


@dataclass(frozen=True)
class Ports:
    portal: int
    bare: int
    mail: int

    @classmethod
    def free(cls) -> "Ports":
        sockets = [socket.socket() for _name in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        numbers = [each.getsockname()[1] for each in sockets]
        for each in sockets:
            each.close()
        return cls(*numbers)


def home() -> Path:
    if servers.given():
        raise Trouble(
            "The database is filled with invented people, so none that is given is taken. Unset "
            "DATABASE_URL and REDIS_URL."
        )
    return Path(os.environ["PORTAL_VAR"])


@contextmanager
def running(
    arguments: list[str], log: Path, *, patience: float, environment: Mapping[str, str] = {}
) -> Iterator[subprocess.Popen]:
    with log.open("wb") as file:
        process = processes.start(
            arguments,
            death=signal.SIGTERM,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            processes.stop(process, (signal.SIGTERM, patience))


def wait(process: subprocess.Popen, port: int, log: Path, path: str = "") -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise Trouble(f"“{' '.join(process.args[5:])}” ended; the reason is in {log}.")
        try:
            if path:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
            else:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            return False
        return True

    if not processes.wait_until(answers, 120, pause=0.2):
        raise Trouble(f"“{' '.join(process.args[5:])}” does not answer; look into {log}.")


@contextmanager
def mail_sink(port: int, module: str = "bench.sink") -> Iterator["Post"]:
    letters, log = home() / "letters.jsonl", home() / "sink.log"
    letters.unlink(missing_ok=True)
    command = [sys.executable, "-m", module, str(port), str(letters)]
    with running(command, log, patience=5) as process:
        wait(process, port, log)
        yield Post(process.pid, letters)


@dataclass(frozen=True)
class Post:
    """The mail server, and the file in which it writes down what came."""

    pid: int
    letters: Path

    def read(self) -> list[dict[str, Any]]:
        return sink.read(self.letters)


@contextmanager
def portal(port: int) -> Iterator["Portal"]:
    """Migrated, with worker and beat, as `make run` starts it, but without the demo."""
    log = home() / "portal.log"
    with running([sys.executable, "-m", "launcher", "run"], log, patience=40) as process:
        wait(process, port, log, "/healthz")
        yield Portal(process.pid)


@contextmanager
def bare_view(port: int, web: list[str], size: int) -> Iterator[int]:
    """A Django view without anything, under the very command line that serves the portal."""
    arguments = ["bench.bare:application" if each == APPLICATION else each for each in web]
    arguments[arguments.index("--bind") + 1] = f"127.0.0.1:{port}"
    log = home() / "bare.log"
    with running(arguments, log, patience=10, environment={"BENCH_BYTES": str(size)}) as process:
        wait(process, port, log, "/")
        yield process.pid


class Portal:
    """The running processes, found by their parents."""

    def __init__(self, launcher: int) -> None:
        self.launcher = launcher

    @property
    def web(self) -> int:
        """The master of the web server."""
        return self.find(APPLICATION)

    def find(self, word: str) -> int:
        """The process that has this word in its command line."""
        found = self.found(word)
        if not found:
            raise Trouble(f"“{word}” of the portal does not run.")
        return found[0]

    def found(self, word: str) -> list[int]:
        """One that has just ended, or not begun, has no such command line."""
        return [pid for pid in children(self.launcher) if word in command(pid)]

    def pss(self) -> dict[str, float]:
        """The memory of each process in MB; what several share is counted in parts."""
        found = {}
        for pid in children(self.launcher):
            name = next(each for each in (APPLICATION, "worker", "beat") if each in command(pid))
            if name == APPLICATION:
                found["web, master"] = _pss(pid)
                for number, each in enumerate(children(pid), start=1):
                    found[f"web, process {number}"] = _pss(each)
            else:
                found[name] = _pss(pid)
        return found


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[1]) == parent:
            found.append(int(stat.parent.name))
    return sorted(found)


def command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    except OSError:
        return []


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def processor_time(master: int) -> float:
    """The seconds that the processes of a web server have worked until now."""
    ticks = 0
    for pid in children(master):
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise Trouble(f"The kernel does not tell the memory of process {pid}.")
