"""The whole portal, as `make run` starts it, with a real mail server to write to, in Chromium."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import mkdtemp

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ALL = os.environ.get("BROWSER_ALL") == "1"
"""Not a share of the combinations, but every one."""
START_WITHIN, STOP_WITHIN = 120, 40
LETTER_WITHIN = 90
"""A line that broke rests for a minute."""
LAST_LINES = 40
SESSION = """
from accounts.models import User
from tests.conftest import signed_in

clara = User.objects.get(email="clara@secretariat.example")
print(signed_in(clara).cookies["sessionid"].value)
"""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OF_THE_OUTER_RUN = {"DATABASE_URL", "REDIS_URL", "PORTAL_VAR", "DEMO", "BASE_URL", "SECRET_KEY"}


@dataclass(frozen=True)
class States:
    """Where each state is seen, by whom; their sessions; and where things can be done wrong."""

    seen: dict[str, list[str]]
    sessions: dict[str, str]
    named: dict[str, str]


Arrival = Callable[[str], Page]


def wait_for(
    what: Callable[[], object], seconds: float, sentence: str | Callable[[], str]
) -> object:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(sentence if isinstance(sentence, str) else sentence())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sink:
    """A mail server that takes everything and forgets nothing."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.logs: list[Path] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in self.letters if letter["To"] == address]

    def next_to(self, address: str, seen: int) -> EmailMessage:
        """The letter after the first `seen` to this address, as soon as it is there."""
        wait_for(
            lambda: len(self.to(address)) > seen,
            LETTER_WITHIN,
            lambda: (
                f"No letter number {seen + 1} to {address} came within {LETTER_WITHIN} seconds."
                f" {self.last_lines()}"
            ),
        )
        return self.to(address)[seen]

    def last_lines(self) -> str:
        """What the portals that write here have said."""
        lines = [line for log in self.logs for line in log.read_text().splitlines()[-LAST_LINES:]]
        return "\n".join(["They have said:", *lines])


def text_of(letter: EmailMessage) -> str:
    return letter.get_body(("plain",)).get_content()


def code_in(letter: EmailMessage) -> str:
    return re.search(r"^\s*([0-9A-Z]{6})\s*$", text_of(letter), re.MULTILINE).group(1)


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    sink.url = f"smtp://127.0.0.1:{controller.port}"
    yield sink
    controller.stop()


@contextmanager
def running_portal(sink: Sink, port: int, **more: str) -> Iterator[dict[str, str]]:
    """A portal of its own that posts its letters to the sink: the environment it runs in."""
    home = Path(mkdtemp(prefix="portal-"))
    environment = {name: v for name, v in os.environ.items() if name not in OF_THE_OUTER_RUN}
    environment |= {"PORTAL_VAR": str(home), "PORT": str(port), "EMAIL_URL": sink.url} | more
    log = (home / "log").open("wb")
    sink.logs.append(home / "log")
    running = subprocess.Popen(
        [sys.executable, "-m", "launcher", "run"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
    )

    def answers() -> bool:
        assert running.poll() is None, (home / "log").read_text()
        try:
            return (
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status == 200
            )
        except OSError:
            return False

    try:
        wait_for(answers, START_WITHIN, f"The portal did not start: {home}/log")
        yield environment
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(STOP_WITHIN)
        log.close()
        sink.logs.remove(home / "log")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def portal_environment(sink: Sink) -> Iterator[dict[str, str]]:
    """What a portal in demo mode runs in, and commands for it."""
    port = free_port()
    more = {"BASE_URL": f"http://127.0.0.1:{port}", "SECRET_KEY": "only-for-this-test" * 4}
    with running_portal(sink, port, DEMO="1", **more) as environment:
        yield environment


@pytest.fixture(scope="session")
def portal(portal_environment: dict[str, str]) -> str:
    """Its address."""
    return portal_environment["BASE_URL"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, portal: str) -> Iterator[Callable[..., BrowserContext]]:
    """Makes somebody with a browser of their own: `visitor(width=360, color_scheme="dark")`."""
    contexts = []

    def make(width: int = 1280, **options) -> BrowserContext:
        context = browser.new_context(
            base_url=portal, viewport={"width": width, "height": 900}, **options
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


def told(environment: dict[str, str], script: str) -> str:
    """What a script prints that runs in a portal's own shell."""
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="session")
def session_of_clara(portal_environment: dict[str, str]) -> str:
    return told(portal_environment, SESSION)


@pytest.fixture
def desk_of_clara(
    visitor: Callable[..., BrowserContext], session_of_clara: str, portal: str
) -> BrowserContext:
    """The browser of an organiser who came in before: the door takes three knocks a minute from
    one address, and tests come in any order."""
    context = visitor()
    session = {"name": "sessionid", "value": session_of_clara, "url": portal}
    context.add_cookies([session])
    return context


@pytest.fixture(scope="session")
def states(portal_environment: dict[str, str]) -> States:
    """Made once, in a running portal."""
    script = "from tests.browser import states; states.tell()"
    return States(**json.loads(told(portal_environment, script)))


@pytest.fixture
def arrival(visitor: Callable[..., BrowserContext], states: States, portal: str) -> Arrival:
    """A page of somebody, in which colours do not fade from one scheme into the other."""

    def arrive(who: str) -> Page:
        context = visitor(reduced_motion="reduce")
        if who in states.sessions:
            session = {"name": "sessionid", "value": states.sessions[who], "url": portal}
            context.add_cookies([session])
        return context.new_page()

    return arrive
