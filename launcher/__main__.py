"""The portal and its servers: python -m launcher run | test | exec -- command…"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from launcher import ROOT, Refusal, child, keeper, portal, servers, testing


@contextmanager
def place() -> Iterator[dict[str, str]]:
    """The environment for a command: given servers, those of PORTAL_VAR, or a place for tests."""
    wanted = os.environ.get("PORTAL_VAR")
    home = servers.make_home(Path(wanted or ROOT / "var" / "test"))
    with ExitStack() as stack:
        if not servers.given():
            addresses = stack.enter_context(servers.used(home, fast=not wanted))
            if wanted:
                servers.make_database(home, addresses["database_url"], "portal")
            else:
                home = stack.enter_context(servers.own_place(home, addresses))
        defaults = {"SECRET_KEY": servers.secret_key(home), "BASE_URL": "http://127.0.0.1:8000"}
        yield {**defaults, **os.environ, "PORTAL_VAR": str(home)}


def execute(command: list[str]) -> int:
    if servers.given():
        os.execvp(command[0], command)
    with place() as environment:
        process: subprocess.Popen | None = None
        told_before: list[int] = []

        def pass_on(number: int, _: object) -> None:
            # Ctrl+C reaches the command by itself, from the terminal.
            if number == signal.SIGINT and sys.stdin.isatty():
                return
            if process is None:
                told_before.append(number)
            else:
                process.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, pass_on)
        try:
            process = subprocess.Popen(command, env=environment)
        except OSError as error:
            raise Refusal(f"{command[0]} cannot be run: {error.strerror}.") from None
        for number in told_before:
            process.send_signal(number)
        code = process.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m launcher", description=__doc__)
    doors = parser.add_subparsers(dest="door", required=True)
    door = doors.add_parser("exec", help="run a command with the servers it needs")
    door.add_argument("command", nargs=argparse.REMAINDER)
    doors.add_parser("test", help="run all tests")
    door = doors.add_parser("run", help="run the portal until told to end")
    door.add_argument("--follow", action="store_true", help="end when the parent process ends")
    door = doors.add_parser("keep", help="hold the servers (started by the other two)")
    door.add_argument("home", type=Path)
    door.add_argument("--fast", action="store_true")
    arguments = parser.parse_args()
    if arguments.door == "keep":
        keeper.keep(arguments.home, fast=arguments.fast)
        return 0
    if arguments.door == "run":
        if arguments.follow:
            child.die_with_parent(os.getppid(), signal.SIGTERM)
        return portal.run()
    if arguments.door == "test":
        with place() as environment:
            return testing.test(environment)
    command = arguments.command[arguments.command[:1] == ["--"] :]
    if not command:
        parser.error("say which command: python -m launcher exec -- command…")
    return execute(command)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refusal as refusal:
        sys.exit(str(refusal))
