import os
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

from launcher import portal, processes
from tests.launcher.conftest import left_of


@pytest.fixture
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def until(run, words: str) -> str:
    lines = []
    for line in run.stdout:
        lines.append(line)
        if words in line:
            return line
    raise AssertionError("".join(lines))


def status(port: str, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def pids(home, word: str) -> list[int]:
    return [pid for pid in processes.marked(str(home)) if word in command_line(pid)]


def command_line(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read().replace("\0", " ")


def test_run_is_killed_started_again_and_told_to_end(launcher, home, port):
    first = launcher("run", PORT=port, DEMO="0")
    assert f"http://127.0.0.1:{port}" in until(first, "The portal answers")
    assert status(port, "/healthz") == 200

    neighbour = launcher("run", PORT=port, DEMO="0")
    output, _ = neighbour.communicate(timeout=30)
    assert (neighbour.returncode, "runs already" in output) == (1, True)

    first.kill()
    first.wait()
    second = launcher("run", PORT=port, DEMO="0")
    until(second, "The portal answers")
    assert status(port, "/healthz") == 200

    # Web dies unasked and comes back; who knocks meanwhile waits.
    os.kill(min(pids(home, "gunicorn")), signal.SIGKILL)
    until(second, "web died")
    assert status(port, "/healthz") == 200

    second.terminate()
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert left_of(home) == []
    with pytest.raises(OSError, match="refused"):
        status(port, "/healthz")


def test_a_taken_port_gets_a_sentence_and_leaves_nothing(launcher, home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        run = launcher("run", PORT=str(port))
        output, _ = run.communicate(timeout=30)

    assert run.returncode == 1
    assert output.startswith(f"Port {port} is taken by another program.")
    assert left_of(home) == []


@pytest.mark.parametrize("wanted", ["eight", "0", "70000", "-1"])
def test_a_port_that_is_none_gets_a_sentence(launcher, wanted):
    run = launcher("run", PORT=wanted)

    output, _ = run.communicate(timeout=30)

    assert (run.returncode, output) == (
        1,
        f"PORT is “{wanted}”. Write a number from 1 to 65535.\n",
    )


def test_a_process_that_dies_at_once_ends_the_portal_after_three_times(capsys):
    process = portal.Process(
        "web",
        ["false"],
        environment={"PATH": os.environ["PATH"]},
        signals=((signal.SIGTERM, 1.0),),
        death=signal.SIGKILL,
    )

    def look_for_ten_seconds() -> None:
        for _ in range(500):
            process.look()
            time.sleep(0.02)

    with pytest.raises(portal.Refusal, match="web died 3 times, each time at once"):
        look_for_ten_seconds()

    assert capsys.readouterr().out.count("is started again") == 2
