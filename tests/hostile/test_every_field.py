"""Hostile texts in every field of every form of every page, as those who may open it.

`make test` sends a few to each form, and others to each; `make hostile` sends all to all.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from notifications.models import Letter
from tests import test_who_may as who
from tests.accounts.test_second_factor import app_of, code_for
from tests.hostile import forms, letters, texts
from tests.hostile.visitors import Visitor, of_itself

cast = who.cast

ALL = bool(os.environ.get("HOSTILE_ALL"))
ORGANISERS, OTHERS = ("clara", "root"), ("own", "anonymous", "clara")
PARTS = ["admin:events", "admin:(?!events)", "(?!admin)"]
# What takes no words here, and why.
TAKES_NOTHING = {
    "admin:accounts_user_forget_factors": "Amina has no key to forget",
    "admin:events_event_import_people": "one line is no list; whole lists are in test_stored",
    "admin:stakeholders_membership_answer": "hers waits for no answer",
    "admin:stakeholders_membership_lost_factors": "as above",
    "admin:stakeholders_organisation_merge": "who keeps the access is ticked",
    "mfa_add_webauthn": "no browser speaks for a key",
    "stakeholders:find": "a search",
}


def texts_for(turn: int) -> list[str]:
    return texts.every() if ALL else list(texts.some(1, turn=turn))


def seen_by(row: str, name: str, cast: who.Cast) -> list[Client]:
    """Those who see the page, of those to whom it may look otherwise."""
    seen = dict(zip(cast.people, row.replace(" ", ""), strict=True))
    if name.startswith("admin:"):
        return [cast.people[each] for each in ORGANISERS if seen[each] == "."][:1]
    return [cast.people[each] for each in OTHERS if seen[each] == "."]


def forms_on(url: str, people: list[Client]) -> Iterator[tuple[Client, forms.Form, bool]]:
    """Each form once, though several people see it; and whether it is what the page is for. What
    links ask of their own page, such as filters, is asked like a form."""
    known = []
    for client in people:
        page = Visitor(client).get(url).end.page
        questions = page.questions if ALL else page.questions[:1]
        for form in [*page.forms(), *questions]:
            fields = form.method, form.action, {*form.typed}, {*form.chosen}, {*form.files}
            if fields not in known:
                known.append(fields)
                yield client, form, form is of_itself(page)


def fillings(form: forms.Form, hostile: list[str]) -> Iterator[dict[str, list[str]]]:
    """Each field gets each text once; and what one cannot type into, a few."""
    if form.typed:
        for number in range(len(hostile) if ALL else 1):
            yield form.filled(*hostile[number:], *hostile[:number])
    if form.chosen:
        for text in hostile[:: len(hostile) // (8 if ALL else 1)]:
            yield form.forged(text)


def shares(hostile: list[str], of: int) -> Iterator[list[str]]:
    """So that each text stands in one of so many fields once."""
    for begin in range(0, len(hostile), of):
        yield hostile[begin : begin + of]


@contextmanager
def undone(client: Client) -> Iterator[None]:
    cookies = deepcopy(client.cookies)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        client.cookies = cookies


@dataclass
class Trial:
    """What went wrong, and which forms have taken words."""

    day: str
    wrong: list[tuple[str, str, object]] = field(default_factory=list)
    sent: int = 0
    asked: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    @contextmanager
    def visit(self, client: Client, form: forms.Form, said: object) -> Iterator[Visitor]:
        """Looks at what comes back, and at letters that were written; all of it is undone."""
        visitor, found = Visitor(client), list[object]()
        try:
            with undone(client):
                known = set(Letter.objects.values_list("pk", flat=True))
                yield visitor
                found += letters.wrong_with(Letter.objects.exclude(pk__in=known))
        except Exception as error:
            found.append(error)
        found += visitor.wrong
        self.wrong += [(form.action, str(said)[:300], each) for each in found]
        self.sent += 1

    def send(self, client: Client, form: forms.Form, said: dict[str, list[str]]) -> None:
        with self.visit(client, form, said) as visitor:
            if form.method == "get":
                visitor.get(f"{form.action.partition('?')[0]}?{urlencode(said, doseq=True)}")
            else:
                visitor.post(form.action, said)

    def write(self, client: Client, form: forms.Form, name: str, written: list[str]) -> None:
        """With everything else as it should be, so that the words are taken."""
        self.asked.add(name)
        with self.visit(client, form, written) as visitor:
            taken = visitor.fill(
                form, *written, date=self.day, group="Diaspora Network", answer="no"
            )
            if taken is not None:
                self.taken.add(name)


@pytest.fixture
def trial(now) -> Trial:
    return Trial(str((now + timedelta(days=12)).date()))


@pytest.mark.parametrize("part", PARTS)
def test_no_text_in_any_field_does_harm(cast, trial, part):
    for turn, (name, row) in enumerate(who.rows(who.TABLE).items()):
        if not re.match(part, name):
            continue
        hostile = texts_for(turn)
        for client, form, is_own in forms_on(who.url_of(name, cast), seen_by(row, name, cast)):
            is_written = is_own and form.words
            for said in fillings(form, hostile) if ALL or not is_written else []:
                trial.send(client, form, said)
            if is_written:
                for written in shares(hostile, len(form.words)) if ALL else [hostile[turn % 10 :]]:
                    trial.write(client, form, name, written)

    assert trial.sent > 10
    assert trial.wrong == []
    assert trial.asked - trial.taken == {name for name in TAKES_NOTHING if re.match(part, name)}


@pytest.fixture
def on_the_way_in(cast, clara, amina) -> dict[str, Client]:
    """Those who have begun to come in, or to change their address; by the page that waits."""
    door, factor, address = Client(), Client(), cast.people["own"]
    door.post(reverse("account_login"), {"email": "new@group.example"})
    app_of(clara)
    factor.post(reverse("account_login"), {"email": clara.email})
    factor.post(reverse("account_confirm_login_code"), {"code": code_for(clara.email)})
    address.post(reverse("events:address"), {"email": "amina@group.example"})
    return {
        "account_confirm_login_code": door,
        "mfa_authenticate": factor,
        "events:address_code": address,
        "mfa_deactivate_totp": cast.people["clara"],
    }


def test_nor_in_the_fields_of_those_who_come_in(on_the_way_in, trial):
    for name, client in on_the_way_in.items():
        found = list(forms_on(reverse(name), [client]))
        assert found, name
        for _client, form, _is_own in found:
            for said in fillings(form, texts_for(0)):
                trial.send(client, form, said)

    assert trial.wrong == []
