"""`make run`: the servers, the steps before the first page, then web, worker and beat."""

import fcntl
import hashlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from launcher import ROOT, Refusal, processes, servers
from launcher.keeper import QUICK, QUICK_DEATHS, locked

SCRIPTS = Path(sys.executable).parent
# Celery warns against root; here it is the newcomer's own machine or container.
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"


class Told(Exception):
    """We were told to end."""


def _port() -> int:
    wanted = os.environ.get("PORT", "").strip() or "8000"
    if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
        raise Refusal(f"PORT is “{wanted}”. Write a number from 1 to 65535.")
    return int(wanted)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """Ours from the first moment, and through every restart of the web server."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except PermissionError:
            raise Refusal(
                f"Port {port} is not for ordinary users. Set PORT to 1024 or more."
            ) from None
        except OSError:
            raise Refusal(
                f"Port {port} is taken by another program. Stop it, or choose another port: "
                f"PORT={port + 1 if port < 65535 else 8000} make run"
            ) from None
        yield listener


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    def is_ours() -> bool:
        try:
            stack.enter_context(locked(home / "run.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    with ExitStack() as stack:
        if not processes.wait_until(is_ours, 3, pause=0.1):
            raise Refusal(f"The portal of {home} runs already. Stop it first.")
        yield


class Process:
    """One of ours: started, written down line by line, started again when it dies unasked."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        *,
        environment: Mapping[str, str],
        signals: tuple[tuple[signal.Signals, float], ...],
        death: signal.Signals,
        listener: socket.socket | None = None,
    ) -> None:
        self.name, self.arguments, self.environment = name, arguments, dict(environment)
        self.signals, self.death, self.listener = signals, death, listener
        self.quick_deaths = 0
        self.start()

    def start(self) -> None:
        self.again_at = None
        self.started_at = time.monotonic()
        self.process = processes.start(
            self.arguments,
            death=self.death,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[self.listener.fileno()] if self.listener else [],
        )
        self.reader = threading.Thread(target=self._write_down, args=(self.process,), daemon=True)
        self.reader.start()

    def _write_down(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            say(line.decode(errors="replace").rstrip(), self.name)

    def look(self) -> None:
        if self.again_at is not None:
            if time.monotonic() >= self.again_at:
                self.start()
        elif self.process.poll() is not None:
            lived = time.monotonic() - self.started_at
            processes.kill_session(self.process)
            self.quick_deaths = self.quick_deaths + 1 if lived < QUICK else 0
            if self.quick_deaths == QUICK_DEATHS:
                raise Refusal(
                    f"{self.name} died {QUICK_DEATHS} times, each time at once. Its last lines "
                    "are above. The portal stops."
                )
            say(f"{self.name} died after {lived:.0f} s and is started again.")
            self.again_at = time.monotonic() + 0.5 * self.quick_deaths

    def stop(self) -> None:
        processes.stop(self.process, *self.signals)
        self.reader.join(2)


def say(line: str, name: str = "") -> None:
    """One write for one line: several threads speak."""
    sys.stdout.write(f"{name:<6} | {line}\n" if name else f"{line}\n")
    sys.stdout.flush()


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        found = file.stat()
        digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _static_files() -> Iterator[Path]:
    yield ROOT / "requirements.txt"
    for folder in (ROOT / "static", *ROOT.glob("*/static")):
        yield from (path for path in folder.rglob("*") if path.is_file())


class Portal:
    def __init__(self, home: Path, port: int, listener: socket.socket) -> None:
        self.home, self.port, self.listener = home, port, listener
        self.orders: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.processes: list[Process] = []
        given = servers.given()
        defaults = {"BASE_URL": f"http://127.0.0.1:{port}"}
        if not given:
            defaults |= {"DEMO": "1", "SECRET_KEY": servers.secret_key(home)}
        self.environment = {
            **defaults,
            **os.environ,
            "PORTAL_VAR": str(home),
            "PYTHONUNBUFFERED": "1",
            processes.MARK: str(home),
        }

    def rest(self, seconds: float) -> None:
        try:
            self.orders.get(timeout=seconds)
        except queue.Empty:
            return
        raise Told

    def step(self, *arguments: str) -> subprocess.Popen:
        return processes.start(
            arguments,
            death=signal.SIGKILL,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )

    def manage(self, *arguments: str) -> subprocess.Popen:
        return self.step(sys.executable, "manage.py", *arguments)

    def finish(self, *steps: subprocess.Popen) -> None:
        try:
            while any(step.poll() is None for step in steps):
                self.rest(0.05)
        finally:
            for step in steps:
                processes.kill_session(step)
        for step in steps:
            if step.returncode:
                raise Refusal(f"“{' '.join(step.args[5:])}” failed; the reason is above.")

    def prepare(self) -> None:
        """What has to be done before the first page, as much of it at once as may be."""
        steps = [
            self.manage("migrate", "--noinput", "--verbosity", "0"),
            self.step(sys.executable, "-m", "launcher.catalogues", "compile"),
        ]
        stamp, wanted = self.home / "static.stamp", _fingerprint(_static_files())
        collected = stamp.exists() and stamp.read_text() == wanted
        if not collected:
            steps.append(self.manage("collectstatic", "--noinput", "--clear", "--verbosity", "0"))
        self.finish(*steps)
        stamp.write_text(wanted)
        if self.environment.get("DEMO") == "1":
            self.finish(self.manage("load_demo"))

    def start(self) -> None:
        celery = [str(SCRIPTS / "celery"), "--quiet", "--app", "gcm_portal"]
        web = [
            *(str(SCRIPTS / "gunicorn"), "gcm_portal.wsgi:application"),
            *("--bind", f"fd://{self.listener.fileno()}"),
        ]
        worker = [
            *(*celery, "worker", "--pool", "threads", "--concurrency", "2"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            *("--loglevel", "INFO"),
        ]
        beat = [*celery, "beat", "--schedule", str(self.home / "beat"), "--pidfile", ""]
        self.listener.listen(2048)
        self.processes = [
            Process(
                "web",
                web,
                environment=self.environment,
                signals=((signal.SIGTERM, 10.0), (signal.SIGQUIT, 2.0)),
                death=signal.SIGQUIT,
                listener=self.listener,
            ),
            Process(
                "beat",
                beat,
                environment=self.environment,
                signals=((signal.SIGTERM, 5.0),),
                death=signal.SIGKILL,
            ),
            Process(
                "worker",
                worker,
                environment={**self.environment, "PYTHONWARNINGS": ROOT_IS_FINE},
                signals=((signal.SIGTERM, 10.0), (signal.SIGQUIT, 2.0)),
                death=signal.SIGKILL,
            ),
        ]

    def answers(self) -> bool:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/healthz",
            headers={"Host": urlsplit(self.environment["BASE_URL"]).netloc},
        )
        try:
            with urllib.request.urlopen(request, timeout=2):  # noqa: S310 (our own address)
                return True
        except OSError:
            return False

    def watch(self) -> None:
        told = False
        while True:
            self.rest(0.2)
            for process in self.processes:
                process.look()
            if not servers.given() and not servers.is_kept(self.home):
                say("The keeper of PostgreSQL and Valkey died and is started again.")
                servers.ensure(self.home, fast=False)
            if not told and self.answers():
                told = True
                say(f"\nThe portal answers at http://127.0.0.1:{self.port}")
                if self.environment.get("DEMO") == "1":
                    say("It is a demo; whom to sign in as is printed above. Ctrl+C ends it.\n")

    def stop(self) -> None:
        self.listener.close()
        for process in self.processes:
            process.stop()


def run() -> int:
    home = servers.make_home(Path(os.environ.get("PORTAL_VAR") or ROOT / "var" / "run"))
    port = _port()
    with ExitStack() as stack:
        stack.enter_context(_alone(home))
        processes.end_strays(lambda: processes.marked(str(home)), (signal.SIGQUIT, 2.0))
        portal = Portal(home, port, stack.enter_context(_listening(port)))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: portal.orders.put(number))
        try:
            if not servers.given():
                addresses = stack.enter_context(servers.used(home, fast=False))
                servers.make_database(home, addresses["database_url"], "portal")
            portal.rest(0.001)
            portal.prepare()
            portal.start()
            portal.watch()
        except Told:
            say("\nThe portal ends.")
        finally:
            portal.stop()
    return 0
