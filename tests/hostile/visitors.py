"""Somebody who fills in forms, and looks at every page that comes back."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from secrets import token_hex
from unicodedata import category
from urllib.parse import urlsplit

from django.contrib.admin.helpers import AdminForm, InlineAdminFormSet
from django.forms import BaseForm, BaseFormSet
from django.http import HttpResponse
from django.test import Client

from tests.hostile import forms

SLOWEST = 5
MOST_STEPS = 8
UNSEEN = {
    code: None for code in range(0x110000) if category(chr(code)) in {"Cc", "Cf", "Zs", "Zl", "Zp"}
}


class Visitor:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.wrong: list[tuple[str, str]] = []
        self.refused: list[tuple[str, str]] = []

    def get(self, url: str) -> HttpResponse:
        return self._look(url, lambda: self.client.get(url))

    def post(self, url: str, said: dict) -> HttpResponse:
        return self._look(url, lambda: self.client.post(url, said))

    def _look(self, url: str, ask: Callable[[], HttpResponse]) -> HttpResponse:
        """At the answer, and at the page that it leads to."""
        before = time.process_time()
        response = ask()
        response.page = forms.Page(url, body_of(response) if is_page(response) else "")
        took = time.process_time() - before
        self.wrong += [(url, what) for what in wrong_with(response)]
        if took > SLOWEST:
            self.wrong.append((url, f"takes {took:.0f} s of the processor"))
        response.end = response
        if response.status_code in (302, 307):
            response.end = self.get(response.url).end
        return response

    def enter(self, url: str, *texts: str, **instead: str) -> dict[str, str] | None:
        """Fill in the form of this page and those that it leads to, until it is taken: the words
        that were taken, by field. What a field refuses is replaced. None: nothing was taken."""
        form = of_itself(self.get(url).end.page)
        return self.fill(form, *texts, **instead) if form else None

    def fill(self, form: forms.Form, *texts: str, **instead: str) -> dict[str, str] | None:
        taken: dict[str, str] = {}
        for _ in range(MOST_STEPS):
            said = form.sensible(*texts, **instead)
            words = {name: said[name][0] for name in form.words if name not in instead}
            response = self.post(form.action, said)
            if is_taken(response, form):
                return taken | words
            errors = errors_of(response.end)
            self.refused += errors
            self.wrong += [(form.action, f"mute: {name}") for name in mute(response.end, errors)]
            tame = words.keys() & {field for field, _sentence in errors}
            if errors and not tame:
                return None
            instead |= {name: form.worded(name, f"Word {token_hex(4)}") for name in tame}
            taken |= {} if errors else words
            more = of_itself(response.end.page, more_rows=0)
            if more is None:
                return None
            form = more
        return None


def is_taken(response: HttpResponse, form: forms.Form) -> bool:
    """It leads elsewhere, or to its own page without any more to ask."""
    if response.status_code != 302:
        return False
    to = urlsplit(response.url)
    return not to.query or to.path != urlsplit(form.action).path


def is_page(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def body_of(response: HttpResponse) -> str:
    parts = response if response.streaming else [response.content]
    return b"".join(parts).decode(errors="replace")


def wrong_with(response: HttpResponse) -> Iterator[str]:
    if response.status_code >= 500:
        yield f"answers {response.status_code}"
    yield from (f"alive: {what}" for what in response.page.alive)


def of_itself(page: forms.Page, *, more_rows: int = 1) -> forms.Form | None:
    """The form of a page that is sent to the page itself: the one with the most to write."""
    path = urlsplit(page.url).path
    found = [
        form
        for form in page.forms(more_rows=more_rows)
        if form.method == "post" and urlsplit(form.action).path == path
    ]
    return max(found, key=lambda form: len(form.words), default=None)


def errors_of(response: HttpResponse) -> list[tuple[str, str]]:
    """Of every field that says what is wrong: its name, and the sentence."""
    return [
        (form.add_prefix(name), str(sentence))
        for form in forms_in(response)
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]


def mute(response: HttpResponse, errors: list[tuple[str, str]]) -> list[str]:
    """Fields that refuse, and whose page does not say why."""
    said = folded(response.page.said)
    return [name for name, why in errors if not why.strip() or folded(why) not in said]


def folded(text: str) -> str:
    """Without spaces, and without what nobody sees: names are kept in one line."""
    return text.translate(UNSEEN)


def forms_in(response: HttpResponse) -> list[BaseForm]:
    contexts = chain.from_iterable(each.dicts for each in response.context or [])
    values = chain.from_iterable(each.values() for each in contexts)
    found = {id(form): form for value in values for form in _forms(value)}
    return [form for form in found.values() if form.is_bound]


def _forms(value: object) -> Iterable[BaseForm]:
    match value:
        case BaseForm():
            yield value
        case AdminForm():
            yield value.form
        case InlineAdminFormSet():
            yield from value.formset.forms
        case BaseFormSet():
            yield from value.forms
        case list() | tuple():
            for each in value:
                yield from _forms(each)
