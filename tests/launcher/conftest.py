"""A home of its own for each test, and a look at what is left of it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import ROOT, processes

# What the run of the tests itself was started with.
INHERITED = ("DATABASE_URL", "REDIS_URL", "PORTAL_VAR", "SECRET_KEY", "BASE_URL", "DEMO", "PORT")


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="launcher-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def surroundings(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in INHERITED}
    return {**kept, "PORTAL_VAR": str(home), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def launcher(surroundings: dict[str, str]) -> Callable[..., subprocess.Popen]:
    """Starts the launcher; what a failing test leaves is killed."""
    started = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher", *arguments],
            env={**surroundings, **environment},
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def left_of(home: Path) -> list[str]:
    """The command lines of processes that work for this home, and live for more than a moment: who
    was just killed needs one to go."""
    processes.wait_until(lambda: not _working_for(home), 2)
    return _working_for(home)


def _working_for(home: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            surroundings = (process / "environ").read_bytes().decode(errors="replace")
            folder = os.readlink(process / "cwd")
        except OSError:
            continue
        if int(process.name) != os.getpid() and str(home) in f"{words} {surroundings} {folder}":
            found.append(words)
    return found
