"""What does not depend on the machine: how many queries, how many bytes."""

import gzip
import re
import urllib.request
from urllib.parse import urljoin

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.models import User
from bench import seed, walk

BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE SAVEPOINT")
FILES = re.compile(
    r"<(?:script[^>]*\ssrc|img[^>]*\ssrc|link[^>]*\srel=\"(?:stylesheet|icon|preload)\"[^>]*\shref)"
    r"=\"([^\"]+)\""
)
FILES_OF_STYLE = re.compile(r"url\([\"']?(?!data:)([^)\"']+)")


class InProcess:
    """Django's own client as a browser."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
        if user:
            (key,) = seed.sessions([user])
            self.client.cookies[settings.SESSION_COOKIE_NAME] = key

    def open(self, path: str) -> str:
        answer = self.client.get(path)
        if answer.status_code != 200:
            raise walk.Lost(f"{path} answers {answer.status_code}")
        return answer.text

    def send(self, path: str, fields: dict[str, str]) -> tuple[str, str]:
        answer = self.client.post(path, fields, follow=True)
        if answer.status_code != 200:
            raise walk.Lost(f"{path} answers {answer.status_code}")
        return answer.redirect_chain[-1][0] if answer.redirect_chain else path, answer.text


def queries_of_page(path: str, user: User | None = None) -> int:
    """Of one that is made anew."""
    browser = InProcess(user)
    with override_settings(PAGES_KEPT_FOR=0):
        browser.open(path)
        with CaptureQueriesContext(connection) as captured:
            browser.open(path)
    return _statements(captured)


def queries_of_registration(slug: str, user: User) -> int:
    browser = InProcess(user)
    with CaptureQueriesContext(connection) as captured:
        walk.register(browser, slug)
    return _statements(captured)


def _statements(captured: CaptureQueriesContext) -> int:
    """Those that begin and end transactions are not counted."""
    return sum(not query["sql"].startswith(BRACKETS) for query in captured.captured_queries)


def weight(address: str) -> tuple[int, int]:
    """Bytes of a page with all its files, each compressed, and how many requests that is."""
    page = _fetch(address)
    files = {urljoin(address, found) for found in FILES.findall(page.decode())}
    for style in [each for each in files if each.endswith(".css")]:
        found = FILES_OF_STYLE.findall(_fetch(style).decode())
        files |= {urljoin(style, each) for each in found}
    bodies = [page, *map(_fetch, sorted(files))]
    return sum(len(gzip.compress(body, 6)) for body in bodies), len(bodies)


def _fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read()
