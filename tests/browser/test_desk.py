"""From 800 applications to a settled list, two days before the hearing."""

import csv
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ALL, ROOT, Sink, text_of, wait_for
from tests.browser.test_pages import listened_to

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]
CASES = 50 if ALL else 10
PACE = 180 / 50
"""Clear cases are approved by keys in so many seconds each."""
ORGANISERS = {"English": "clara", "Arabic": "ahmad"} if ALL else {"English": "clara"}
DECLINED = 20
FOCUSED_ALREADY = (
    "Autofocus processing was blocked because a document already has a focused element."
)
"""Chromium's word where keys come faster than the page."""
MISTAKE = "Declined by mistake: %s."
DAY_AFTER = """
from datetime import timedelta
from django.db.models import F
from notifications.models import Letter
from registrations.models import Batch
day = timedelta(days=1)
batches = Batch.objects.filter(event_id="{event}", undone_at=None)
letters = Letter.objects.filter(scope="{event}", state="queued")
batches.update(at=F("at") - day, leaves_at=F("leaves_at") - day)
letters.update(not_before=F("not_before") - day, next_attempt_at=F("next_attempt_at") - day)
"""
FIVE_MINUTES_LATER = """
from django.db.models import F
from registrations.models import Message
Message.objects.filter(event_id="{event}").update(leaves_at=F("made_at"))
"""


@dataclass(frozen=True)
class Desk:
    name: str
    event: str
    deadline: str
    reference: str
    sessions: dict[str, str]

    @property
    def address(self) -> str:
        return f"/admin/events/event/{self.event}/"

    @property
    def people(self) -> str:
        return f"/admin/registrations/delegate/?registration__event__id__exact={self.event}"


def shell(environment: dict[str, str], code: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("organiser", ORGANISERS.values(), ids=ORGANISERS)
def test_a_full_desk_is_settled(
    organiser: str,
    visitor: Visitor,
    sink: Sink,
    portal: str,
    portal_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    name = f"desk-of-{organiser}"
    code = f"from tests.browser import desk; desk.tell('{name}')"
    desk = Desk(name=name, **json.loads(shell(portal_environment, code)))

    def arrive(who: str) -> Page:
        context = visitor(accept_downloads=True)
        context.add_cookies([{"name": "sessionid", "value": desk.sessions[who], "url": portal}])
        return context.new_page()

    page = arrive(organiser)
    with listened_to(page) as said:
        approve_clear_cases(page, desk)
        decline_and_undo(page, desk)
        shell(portal_environment, DAY_AFTER.format(event=desk.event))
        reverse_one(page, desk, sink)
        extend_the_deadline(page, desk)
        view = ask_and_filter(page, arrive("focal point"), desk)
        export(page, view, tmp_path)
        write_to(page, view, desk)
        shell(portal_environment, FIVE_MINUTES_LATER.format(event=desk.event))
        answerer = f"focal000@{desk.name}.example"
        wait_for(
            lambda: any("Room 4" in text_of(letter) for letter in sink.to(answerer)),
            90,
            f"The letter to {answerer} did not come. {sink.last_lines()}",
        )
    readers = {letter["To"] for letter in sink.letters if f"Room 4, {name}" in text_of(letter)}
    assert readers == {answerer}
    assert [letter["To"] for letter in sink.letters if MISTAKE % name in text_of(letter)] == []
    assert [each for each in said if each != FOCUSED_ALREADY] == []


def total(page: Page) -> int:
    """How many delegations the queue shows."""
    return int(re.search(r"\d+", page.locator("#list-title").inner_text()).group())


def approve_clear_cases(page: Page, desk: Desk) -> None:
    """By keys alone; each is looked at on the page that names who, which seats, which letters."""
    page.goto(f"{desk.address}queue/")
    assert total(page) == 800
    began = time.monotonic()
    page.keyboard.press("j")
    for _case in range(CASES):
        name = page.evaluate("document.activeElement.innerText")
        page.keyboard.press("a")
        page.wait_for_selector(".confirm button[name=confirm]")
        expect(page.locator(".confirm")).to_contain_text(name)
        page.keyboard.press("Enter")
        page.wait_for_selector("#rows")
    assert time.monotonic() - began < PACE * CASES
    assert total(page) == 800 - CASES


def decline_and_undo(page: Page, desk: Desk) -> None:
    before = [page.locator("#rows tbody th a").nth(at).inner_text() for at in range(DECLINED)]
    boxes = page.locator("#rows tbody input[type=checkbox]")
    for at in range(DECLINED):
        boxes.nth(at).check()
    page.keyboard.press("d")
    page.locator("textarea").fill(MISTAKE % desk.name)
    page.locator("button[name=confirm]").click()
    page.wait_for_selector("#rows")
    assert total(page) == 800 - CASES - DECLINED
    page.locator("#rows tbody th a").first.focus()
    with page.expect_navigation():
        page.keyboard.press("z")
    page.goto(f"{desk.address}queue/")
    assert total(page) == 800 - CASES
    shown = [page.locator("#rows tbody th a").nth(at).inner_text() for at in range(DECLINED)]
    assert shown == before


def reverse_one(page: Page, desk: Desk, sink: Sink) -> None:
    """The day after, when the letters have left: by a letter of its own."""
    page.goto(f"{desk.address}queue/?status=approved")
    page.locator("#rows tbody th a").first.click()
    for box in page.locator("#case .people input[type=checkbox]").all():
        box.check()
    page.locator("#case button[value=reopen]").click()
    page.locator("textarea").fill(f"Reversed at the {desk.name}.")
    page.locator("button[name=confirm]").click()
    page.wait_for_selector("#main")
    page.goto(f"{desk.address}queue/?status=approved")
    assert total(page) == CASES - 1
    page.goto(desk.people + "&state=approved")
    wait_for(
        lambda: (
            sum(letter["To"].endswith(f"@{desk.name}.example") for letter in sink.letters) >= CASES
        ),
        90,
        f"The letters about {CASES} approvals did not come. {sink.last_lines()}",
    )


def extend_the_deadline(page: Page, desk: Desk) -> None:
    later = date.today() + timedelta(days=5)
    page.goto(f"/admin/events/deadline/{desk.deadline}/move/")
    page.locator("[name=day]").fill(later.isoformat())
    page.locator("[name=time]").fill("23:59")
    page.locator("[name=reason]").fill("The hall is larger than we knew.")
    page.locator("button[name=confirm]").click()
    expect(page.locator(".confirm")).to_contain_text("23:59")
    page.locator("button[name=confirm]").click()
    page.wait_for_url(f"**/deadline/{desk.deadline}/change/")
    expect(page.locator("main")).to_contain_text("The hall is larger than we knew.")


def ask_and_filter(page: Page, group: Page, desk: Desk) -> str:
    """A question is added, answered by one group, and filtered by: the address of that list."""
    page.goto(f"{desk.address}questions/add/")
    page.locator("[name=wording_en]").fill("Who comes by train?")
    page.locator("[name=wording_ar]").evaluate("(field) => { field.value = 'من يأتي بالقطار؟'; }")
    page.locator("[name=asked_of][value=delegation]").check()
    page.locator("[name=kind]").select_option("choice")
    page.locator("[name=choices]").fill("All of us\nNobody")
    page.locator("[name=confirm]").click()
    page.wait_for_url("**/questions/")

    group.goto(f"/en/registrations/{desk.reference}/questions/")
    group.get_by_label("All of us").check()
    group.locator("main form button").last.click()
    expect(group.locator("main")).to_contain_text("All of us")

    page.goto(desk.people)
    page.locator("#changelist-filter").get_by_text("All of us").first.click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    return page.url


def export(page: Page, view: str, folder: Path) -> None:
    """The view gets a name, is opened by it, and leaves as a file."""
    rows = page.locator("#result_list tbody tr").count()
    page.locator("a[href*='views/keep/']").click()
    page.locator("[name=name]").fill("By train")
    page.locator("button[name=confirm]").click()
    page.get_by_role("link", name="By train", exact=True).click()
    page.locator(".object-tools a[href*='export/']").click()
    page.locator("[name=kind][value=CSV]").check()
    with page.expect_download() as download:
        page.locator("button[name=confirm]").click()
    download.value.save_as(folder / "people.csv")
    with (folder / "people.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 1 + rows


def write_to(page: Page, view: str, desk: Desk) -> None:
    page.goto(view)
    page.locator(".object-tools a[href*='write/']").click()
    page.locator("[name=subject_en]").fill("Trains")
    page.locator("[name=text_en]").fill(f"{{name}}, come to Room 4, {desk.name}.")
    page.locator("button[name=confirm]").click()
    page.wait_for_url("**/look/")
    expect(page.locator("main")).to_contain_text(f"focal000@{desk.name}.example")
    page.locator("a[href$='/send/']").click()
    page.locator("button[name=confirm]").click()
    page.wait_for_url("**/look/")
