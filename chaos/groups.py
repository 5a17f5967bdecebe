"""Groups that register, whatever happens meanwhile; each answer that says yes is written down.
A process of its own: python -m chaos.groups < order"""

import http.client
import json
import random
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import walk

PATIENCE = 30
TRIES = 12
GIVEN = ["Aïssata", "محمد", "María José", "Ольга", "秀英", "Wanjirũ"]


class Unanswered(Exception):
    """No answer, or one that is neither a page nor a redirection."""


class Notebook:
    """One line for each thing that was answered, or not."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", encoding="utf-8")
        self.lock = threading.Lock()

    def write(self, what: str, **line: Any) -> None:
        with self.lock:
            self.file.write(json.dumps({"what": what, "at": time.time(), **line}) + "\n")
            self.file.flush()


class Browser:
    """A connection for each request: nothing is tried twice without our knowing."""

    def __init__(self, port: int, session: str, notebook: Notebook) -> None:
        self.port, self.notebook = port, notebook
        self.cookies = {"sessionid": session}

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        """Where the answer sends one, and its text."""
        start = time.time()
        try:
            status, landed, text = self._answer(method, path, fields)
        except (OSError, http.client.HTTPException) as error:
            self._note(path, start, 0, type(error).__name__)
            raise Unanswered(path) from error
        if status >= 400:
            self._note(path, start, status, "")
            raise Unanswered(path)
        return landed, text

    def _note(self, path: str, start: float, status: int, error: str) -> None:
        took = time.time() - start
        self.notebook.write("no", path=path, began=start, took=took, status=status, error=error)

    def _answer(
        self, method: str, path: str, fields: dict[str, str] | None
    ) -> tuple[int, str, str]:
        headers = {"Cookie": "; ".join("=".join(pair) for pair in self.cookies.items())}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), text


def register(browser: Browser, slug: str, chance: random.Random) -> None:
    """Ends at the first step without an answer, but sends again until it is told what became of
    it: whoever clicked and saw nothing clicks once more."""
    notebook, number = browser.notebook, uuid.uuid4().hex[:12]
    start = f"/en/events/{slug}/register/"
    name = f"Chaos Network {number}"
    organisation = {"enter": "1", "name": name, "country": "ML", "category": "diaspora"}
    own = _sent(browser, start, organisation).removesuffix("people/")
    if not own:
        return
    reference = own.split("/")[-2]
    notebook.write("begun", reference=reference)
    for position in range(chance.randint(1, 3)):
        person = {
            "given_names": chance.choice(GIVEN),
            "family_name": f"{number}-{position}",
            "role": "delegate" if position else "head",
        }
        if _sent(browser, f"{own}people/", person):
            full_name = f"{person['given_names']} {person['family_name']}"
            notebook.write("person", reference=reference, name=full_name)
        else:
            return
    for _try in range(TRIES):
        try:
            if _sent(browser, f"{own}check/", {}, is_sent_already=True):
                notebook.write("sent", reference=reference)
            return
        except Unanswered:
            time.sleep(chance.uniform(0.3, 1.5))


def _sent(
    browser: Browser, path: str, fields: dict[str, str], *, is_sent_already: bool = False
) -> str:
    """Where it leads; empty, and noted, when the form comes back."""
    landed, page = browser.ask("GET", path)
    if landed and is_sent_already:
        return landed
    landed, _text = browser.ask("POST", path, walk.hidden(page) | fields)
    if not landed:
        browser.notebook.write("form came back", path=path)
    return landed


def come(order: dict[str, Any]) -> None:
    notebook = Notebook(Path(order["evidence"]))
    people: Iterator[str] = iter(order["sessions"])
    lock = threading.Lock()

    def client(number: int) -> None:
        chance = random.Random(f"{order['seed']} {number}")
        while time.time() < order["until"]:
            with lock:
                session = next(people, None)
            if session is None:
                return
            try:
                register(Browser(order["port"], session, notebook), order["slug"], chance)
            except Unanswered:
                time.sleep(chance.uniform(0.1, 0.5))
            except walk.Lost as lost:
                notebook.write("lost", error=str(lost))
            time.sleep(chance.uniform(0, order["pause"]))

    threads = [threading.Thread(target=client, args=[each]) for each in range(order["clients"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    come(json.load(sys.stdin))
