"""The load: clients that keep their connection open. A process of its own, so that it costs the
portal nothing but the machine: python -m bench.visitors < order, answers JSON."""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from bench import walk

LONGEST = 120


class KeepAlive:
    """A small browser: one connection, its cookies, redirections followed."""

    def __init__(
        self, port: int, cookies: dict[str, str] | None = None, *, timeout: float = 30
    ) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.cookies = dict(cookies or {})

    def open(self, path: str) -> str:
        landed, text = self._ask("GET", path)
        if landed != path:
            raise walk.Lost(f"{path} sends one to {landed}")
        return text

    def send(self, path: str, fields: dict[str, str]) -> tuple[str, str]:
        return self._ask("POST", path, urlencode(fields))

    def post(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        """The answer itself, wherever it sends one."""
        began_at = time.time()
        answer = self._answer("POST", path, urlencode(fields))
        answer.read()
        return {
            "status": answer.status,
            "judged_at": answer.headers.get("X-Judged-At"),
            "began_at": began_at,
            "ended_at": time.time(),
        }

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[str, str]:
        answer = self._answer(method, path, body)
        text = answer.read()
        if answer.status in (301, 302):
            return self._ask("GET", answer.headers["Location"])
        if answer.status != 200:
            raise walk.Lost(f"{path} answers {answer.status}")
        return path, text.decode()

    def _answer(self, method: str, path: str, body: str | None) -> http.client.HTTPResponse:
        headers = {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer


def pages(
    port: int, path: str, *, clients: int, seconds: float, limit: int, session: str = ""
) -> dict[str, Any]:
    """Each client opens the page again and again, until the time or the number is over."""

    def visit(report: Callable[[float], bool], _each: Iterable[str]) -> None:
        browser = KeepAlive(port, {"sessionid": session} if session else None)
        while _timed(lambda: browser.open(path), report):
            pass

    return _together(visit, [], clients=clients, seconds=seconds, limit=limit)


def registrations(
    port: int, slug: str, *, sessions: list[str], clients: int, seconds: float
) -> dict[str, Any]:
    """Each client goes through whole registrations, each as another person."""

    def register(session: str) -> None:
        browser = KeepAlive(port, {"sessionid": session})
        walk.register(browser, slug)
        browser.connection.close()

    def visit(report: Callable[[float], bool], people: Iterable[str]) -> None:
        for session in people:
            if not _timed(lambda key=session: register(key), report):
                return

    return _together(visit, sessions, clients=clients, seconds=seconds, limit=len(sessions))


def posts(port: int, forms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each form is opened in good time, and sent by a client of its own at its moment; without
    moments, all at once when the last one is open."""
    answers: list[dict[str, Any]] = [{} for _form in forms]
    ready = threading.Barrier(len(forms), timeout=LONGEST)

    def client(number: int) -> None:
        form = forms[number]
        browser = KeepAlive(port, {"sessionid": form["session"]}, timeout=LONGEST)
        try:
            fields = walk.hidden(browser.open(form["path"]))
            browser.connection.close()
            ready.wait()
            time.sleep(max(form.get("moment", 0) - time.time(), 0))
            answers[number] = browser.post(form["path"], fields)
        except (walk.Lost, OSError, http.client.HTTPException, threading.BrokenBarrierError) as e:
            ready.abort()
            answers[number] = {"status": 0, "error": str(e) or type(e).__name__}

    threads = [threading.Thread(target=client, args=[number]) for number in range(len(forms))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def download(port: int, session: str, path: str, kind: str) -> dict[str, float]:
    """Ask for a file on its page and read it; counted from the asking to the last byte."""
    browser = KeepAlive(port, {"sessionid": session}, timeout=LONGEST)
    fields = walk.hidden(browser.open(path)) | {"kind": kind, "confirm": "yes"}
    start, size = time.perf_counter(), 0
    answer = browser._answer("POST", path, urlencode(fields))
    while part := answer.read(2**16):
        size += len(part)
    if answer.status != 200 or "attachment" not in answer.headers.get("Content-Disposition", ""):
        raise walk.Lost(f"{path} gave no file")
    return {"seconds": time.perf_counter() - start, "bytes": size}


def _timed(act: Callable[[], Any], report: Callable[[float], bool]) -> bool:
    start = time.perf_counter()
    act()
    return report(time.perf_counter() - start)


def _together(
    visit: Callable[[Callable[[float], bool], Iterable[str]], None],
    people: list[str],
    *,
    clients: int,
    seconds: float,
    limit: int,
) -> dict[str, Any]:
    times: list[float] = []
    failures: list[str] = []
    start = time.perf_counter()

    def report(lasted: float) -> bool:
        times.append(lasted)
        return not failures and len(times) < limit and time.perf_counter() - start < seconds

    def client(number: int) -> None:
        try:
            visit(report, people[number::clients])
        except (walk.Lost, OSError, http.client.HTTPException) as error:
            failures.append(str(error) or type(error).__name__)

    threads = [threading.Thread(target=client, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise walk.Lost(failures[0])
    return {"seconds": time.perf_counter() - start, "times": times}


if __name__ == "__main__":
    order = json.load(sys.stdin)
    acts = {"pages": pages, "registrations": registrations, "posts": posts, "download": download}
    act = acts[order.pop("act")]
    try:
        json.dump(act(**order), sys.stdout)
    except walk.Lost as lost:
        sys.exit(str(lost))
