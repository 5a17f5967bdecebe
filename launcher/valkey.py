"""The embedded Valkey: on a free port of this machine only, behind a password, keeping nothing."""

import contextlib
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from launcher import Refusal, binaries, processes

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
databases 64
save ""
appendonly no
daemonize no
loglevel warning
"""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Valkey:
    name = "Valkey"

    def __init__(self, home: Path, *, before: str = "") -> None:
        """`before` is the address of an earlier start, kept if it can be: others may know it."""
        self.program = binaries.valkey()
        self.folder = home / "valkey"
        self.log = home / "valkey.log"
        old = urlsplit(before)
        self.port = old.port or 0
        self.password = old.password or secrets.token_urlsafe(24)
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        processes.end_strays(
            lambda: processes.working_in(self.folder, self.program.name), (signal.SIGTERM, 3.0)
        )

    def start(self) -> None:
        """The configuration goes in by stdin: a command line could be read by everybody."""
        if not self.port or not _is_free(self.port):
            self.port = _free_port()
        with self.log.open("wb") as log:
            self.process = processes.start(
                [self.program, "-"],
                death=signal.SIGKILL,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        configuration = CONFIGURATION.format(
            port=self.port, password=self.password, folder=self.folder
        )
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(configuration.encode())
        if not processes.wait_until(lambda: self._answers() or self.process.poll() is not None, 20):
            self.stop()
            raise Refusal(f"Valkey did not start within 20 seconds. Its log: {self.log}")
        if self.process.returncode is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-8:]
            raise Refusal("\n".join(["Valkey did not start. The end of its log:", *lines]))

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        return False
                    answer += part
                return answer == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False

    def stop(self) -> None:
        processes.stop(self.process, (signal.SIGTERM, 5.0))
