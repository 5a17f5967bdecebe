"""How much a group of five types and presses the first time, until it has its reference.

UX.md, section 5, has the measure of a “five-person delegation, first time”: one by one 19 typed
fields (“email, code, organisation, country, 5 × 3”), 2 choices and 15 clicks; from a spreadsheet 4
typed fields and 1 paste, 2 choices and 13 clicks. So a field is typed when words or figures go into
it, and a country counts, whose name is typed into the list. A choice is one of some options that
stand there to be read. A click is a link or a button; choices are held to the same number here, so
that nothing hangs on what is called a click.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator

from tests.browser.conftest import Sink, code_in, text_of

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

EVENT = "Applications for the GFMD Civil Society Days"
PEOPLE = [
    ("Oumou", "Sangaré", "oumou@{}"),
    ("Ибрагим", "Садыков", "ibragim@{}"),
    ("نور", "الهادي", "nour@{}"),
    ("秀英", "王", "xiuying@{}"),
    ("María José", "Nuñez", "maria@{}"),
]
CITIES = ["Kayes", "Gao", "Mopti", "Ségou"]
OF_THE_GROUP = ["Email address", "Code", "Name of your organisation", "Country"]
OF_A_PERSON = ["Given names", "Family name", "Email address"]
CHOICES = ["Is it one of these?", "Which group describes you best?"]
TO_THE_PEOPLE = [
    EVENT,
    "Register for the waiting list",
    "Send me a code",
    "Sign in",
    "Continue",
    "Continue",
    "Save and continue",
]
MOST_TYPED, MOST_TYPED_WITH_PASTE, MOST_CLICKS = 19, 5, 15


class Hand:
    """All that somebody does at a page goes through it, and is counted."""

    def __init__(self, context: BrowserContext) -> None:
        self._page = context.new_page()
        self._page.goto("/en/")
        self.typed: list[str] = []
        self.choices: list[str] = []
        self.clicks: list[str] = []

    def reads(self, words: re.Pattern[str]) -> str:
        return self._page.get_by_text(words).inner_text()

    def reads_heading(self) -> str:
        return self._page.get_by_role("heading", level=1).inner_text()

    def reads_people(self) -> list[str]:
        people = self._page.get_by_role("region", name=re.compile("People"))
        return people.locator("li strong").all_inner_texts()

    def follows(self, link: str) -> None:
        self._press(self._page.get_by_role("main").get_by_role("link", name=link).first, link)

    def answers(self, button: str, **answers: str) -> None:
        """Fill in the form that has this button, as far as it asks, and press it. What is asked
        and is not among the answers must be optional, or stand there already."""
        pressed = self._page.get_by_role("button", name=button, exact=True)
        form = self._page.get_by_role("main").locator("form").filter(has=pressed)
        asked = form.locator("input:not([type=hidden]), select, textarea").all()
        for name in dict.fromkeys(field.get_attribute("name") for field in asked):
            fields = form.locator(f"[name={name}]")
            if name in answers:
                self._answer(form, fields, answers.pop(name))
            else:
                assert self._stands(form, fields), f"{button}: nobody knows what to say of {name}."
        assert answers == {}, f"{button}: this is not asked."
        self._press(pressed, button)

    def _answer(self, form: Locator, fields: Locator, answer: str) -> None:
        label = self._label(form, fields).removesuffix(" (optional)")
        if is_group(fields):
            form.get_by_label(answer).check()
            self.choices.append(label)
        elif label == "Country":
            fields.press_sequentially(answer)
            assert fields.locator(":checked").inner_text() == answer
            self.typed.append(label)
        elif fields.evaluate("field => field.localName") == "select":
            fields.select_option(label=answer)
            self.choices.append(label)
        else:
            fields.fill(answer)
            self.typed.append(label)

    def _stands(self, form: Locator, fields: Locator) -> bool:
        if self._label(form, fields).endswith(" (optional)"):
            return True
        if is_group(fields):
            return form.locator(f"[name={fields.first.get_attribute('name')}]:checked").count() > 0
        return fields.input_value() != ""

    def _label(self, form: Locator, fields: Locator) -> str:
        if is_group(fields):
            return fields.first.locator("xpath=ancestor::fieldset/legend").inner_text()
        return form.locator(f"label[for={fields.get_attribute('id')}]").inner_text()

    def _press(self, what: Locator, label: str) -> None:
        with self._page.expect_navigation():
            what.click()
        self.clicks.append(label)


def is_group(fields: Locator) -> bool:
    return fields.first.get_attribute("type") in ("radio", "checkbox")


def group_of(with_script: bool, way: str) -> tuple[str, str]:
    """A new organisation, whose name is like that of another one, and where its letters go."""
    number = 2 * (way == "paste") + with_script
    return f"Atlas Migrants’ Forum of {CITIES[number]}", f"{way}{number}.example"


def enter(context: BrowserContext, sink: Sink, organisation: str, at: str) -> Hand:
    """From the home page until the people are asked for."""
    hand = Hand(context)
    hand.follows(EVENT)
    hand.follows("Register for the waiting list")
    hand.answers("Send me a code", email=f"oumou@{at}")
    hand.answers("Sign in", code=code_in(sink.next_to(f"oumou@{at}", 0)))
    hand.answers("Continue", name=organisation, country="Mali")
    hand.answers("Continue", organisation="None of these: enter it as new")
    hand.answers("Save and continue", category="Diaspora organisation")
    return hand


def check_sent(hand: Hand, sink: Sink, organisation: str, at: str) -> None:
    """The page with the reference names the five, and so does the letter."""
    reference = hand.reads(re.compile(r"^GCM-[2-9A-Z]{4}-[2-9A-Z]{4}$"))
    assert hand.reads_heading() == organisation
    assert hand.reads_people() == [f"{given} {family}" for given, family, _ in PEOPLE]
    assert reference in text_of(sink.next_to(f"oumou@{at}", 1))


@pytest.mark.parametrize("with_script", [True, False])
def test_five_people_one_by_one(visitor: Visitor, sink: Sink, with_script: bool) -> None:
    organisation, at = group_of(with_script, "one")
    hand = enter(visitor(java_script_enabled=with_script), sink, organisation, at)
    for number, (given, family, email) in enumerate(PEOPLE, start=1):
        button = "Save and add another person" if number < len(PEOPLE) else "Save and continue"
        hand.answers(button, given_names=given, family_name=family, email=email.format(at))
    hand.answers("Send registration for 5 people")

    check_sent(hand, sink, organisation, at)
    assert hand.typed == [*OF_THE_GROUP, *5 * OF_A_PERSON]
    assert hand.choices == CHOICES
    assert hand.clicks == [
        *TO_THE_PEOPLE,
        *4 * ["Save and add another person"],
        "Save and continue",
        "Send registration for 5 people",
    ]
    assert len(hand.typed) <= MOST_TYPED
    assert len(hand.clicks) + len(hand.choices) <= MOST_CLICKS


@pytest.mark.parametrize("with_script", [True, False])
def test_five_people_from_a_spreadsheet(visitor: Visitor, sink: Sink, with_script: bool) -> None:
    organisation, at = group_of(with_script, "paste")
    hand = enter(visitor(java_script_enabled=with_script), sink, organisation, at)
    rows = "\n".join("\t".join(person).format(at) for person in PEOPLE)
    hand.follows("Paste from a spreadsheet")
    hand.answers("Look at the rows", rows=rows)
    hand.answers("Add 5 people")
    hand.follows("Go on to check and send")
    hand.answers("Send registration for 5 people")

    check_sent(hand, sink, organisation, at)
    assert hand.typed == [*OF_THE_GROUP, "Rows of your spreadsheet"]
    assert hand.choices == CHOICES
    assert hand.clicks == [
        *TO_THE_PEOPLE,
        "Paste from a spreadsheet",
        "Look at the rows",
        "Add 5 people",
        "Go on to check and send",
        "Send registration for 5 people",
    ]
    assert len(hand.typed) <= MOST_TYPED_WITH_PASTE
    assert len(hand.clicks) + len(hand.choices) <= MOST_CLICKS
