"""Starting, ending and finding again the processes that are ours."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from launcher import child

MARK = "LAUNCHED_FOR"


def command(arguments: Sequence[str | Path], **order: Any) -> list[str]:
    """The arguments as a command line that goes through child.py."""
    return [
        sys.executable,
        "-I",
        "-S",
        child.__file__,
        json.dumps({"parent": os.getpid(), **order}),
        *map(str, arguments),
    ]


def start(
    arguments: Sequence[str | Path],
    *,
    death: signal.Signals,
    order: Mapping[str, Any] | None = None,
    **options: Any,
) -> subprocess.Popen:
    """In a session of its own: Ctrl+C reaches the launcher alone, which ends all in order."""
    return subprocess.Popen(
        command(arguments, death=int(death), **(order or {})), start_new_session=True, **options
    )


def wait_until(true: Callable[[], Any], seconds: float, pause: float = 0.02) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def stop(process: subprocess.Popen, *signals: tuple[signal.Signals, float]) -> None:
    """Asks with each signal and waits so many seconds; at the end it is killed with its session."""
    for number, seconds in signals:
        if process.poll() is not None:
            break
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    kill_session(process)


def kill_session(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _processes() -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) != os.getpid():
            yield folder


def working_in(folder: Path, program: str) -> list[int]:
    """Processes of this program whose working folder is this one: servers of an earlier start."""
    found = []
    for process in _processes():
        try:
            where = os.readlink(process / "cwd").removesuffix(" (deleted)")
            name = (process / "comm").read_text().strip()
        except OSError:
            continue
        if Path(where) == folder and name == program[:15]:
            found.append(int(process.name))
    return found


def marked(mark: str) -> list[int]:
    """Processes that an earlier start of ours has marked in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for process in _processes():
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def end_strays(find: Callable[[], Iterable[int]], *signals: tuple[signal.Signals, float]) -> None:
    """Ends what is found, asking each time who is still there."""
    for number, seconds in (*signals, (signal.SIGKILL, 5.0)):
        pids = find()
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue
        wait_until(lambda: not find(), seconds, pause=0.05)
