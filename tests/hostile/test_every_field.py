"""Hostile texts in every field of every form of every page, as somebody who may open it.

`make test` sends one of each kind, and others to each field; `make hostile` sends all of them.
"""

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from urllib.parse import urlencode

import pytest
from django.core.validators import validate_email
from django.db import transaction
from django.test import Client

from notifications import mime
from notifications.models import Letter
from tests import test_who_may as who
from tests.hostile import forms, texts

cast = who.cast

OF_EACH_KIND = 1
SENDERS = ("own", "clara", "root", "anonymous", "other")
PARTS = ["account|mfa|user", "admin:[ae-n]", "admin:[o-z]", "(?!account|mfa|user|admin)"]


def texts_for(turn: int) -> list[str]:
    if os.environ.get("HOSTILE_ALL"):
        return texts.every()
    return list(texts.some(OF_EACH_KIND, turn=turn))


def sender(row: str, cast: who.Cast) -> Client | None:
    """The first of those who see the page."""
    seen = dict(zip(cast.people, row.replace(" ", ""), strict=True))
    return next((cast.people[name] for name in SENDERS if seen[name] == "."), None)


def body_of(response) -> str:
    return b"".join(response).decode(errors="replace") if response.streaming else response.text


def send(client: Client, form: forms.Form, said: dict[str, list[str]]) -> list[str]:
    """What is wrong with the answer, with the page it leads to, and with letters that were
    written; all of it is undone."""
    cookies = deepcopy(client.cookies)
    wrong = []
    with transaction.atomic():
        known = set(Letter.objects.values_list("pk", flat=True))
        if form.method == "get":
            response = client.get(f"{form.action.partition('?')[0]}?{urlencode(said, doseq=True)}")
        else:
            response = client.post(form.action, said)
        if response.status_code in (302, 307):
            response = client.get(response.url)
        if response.status_code >= 500:
            wrong.append(f"answers {response.status_code}")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            wrong += [f"alive: {what}" for what in forms.alive_in(body_of(response))]
        for letter in Letter.objects.exclude(pk__in=known):
            wrong += wrong_with(letter)
        transaction.set_rollback(True)
    client.cookies = cookies
    return wrong


def wrong_with(letter: Letter) -> list[str]:
    validate_email(letter.to)
    wrong = [f"letter: {what}" for what in forms.alive_in(letter.html) if what != "style"]
    head = mime.message(letter).partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ")
    names = [line.partition(b":")[0].lower() for line in re.split(rb"\r\n|\r|\n", head)]
    if b"bcc" in names or len(names) != len(set(names)):
        wrong.append(f"letter: head {names}")
    return wrong


def every_filling(
    client: Client, url: str, hostile: list[str]
) -> Iterator[tuple[forms.Form, dict[str, list[str]]]]:
    """Each field gets each text once; and what one cannot type into, a few."""
    response = client.get(url)
    if not response.headers.get("Content-Type", "").startswith("text/html"):
        return
    for form in forms.of_page(url, body_of(response)):
        if form.typed:
            for number in range(len(hostile)):
                yield form, form.filled(*hostile[number:], *hostile[:number])
        if form.chosen:
            for text in hostile[:: len(hostile) // 4]:
                yield form, form.forged(text)


@pytest.mark.parametrize("part", PARTS)
def test_no_text_in_any_field_does_harm(cast, part):
    wrong: list[tuple] = []
    tried = 0
    for turn, (name, row) in enumerate(who.rows(who.TABLE).items()):
        client = sender(row, cast)
        if client is None or not re.match(part, name):
            continue
        for form, said in every_filling(client, who.url_of(name, cast), texts_for(turn)):
            wrong += [(name, str(said)[:300], each) for each in send(client, form, said)]
            tried += 1

    assert tried > 30
    assert wrong == []
