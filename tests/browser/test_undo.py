"""What an organiser decides is undone before a letter leaves, with a real mail server."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Sink, text_of, told, wait_for
from tests.browser.test_pages import check
from tests.browser.test_thin_line import let_letters_leave

pytestmark = pytest.mark.browser

MISTAKE, MEANT = "Declined by mistake.", "Declined, and meant."
TWENTY_ONE = """
import clock
from datetime import timedelta
from events.models import Event, Role
from tests.registrations import crowd

now = clock.now()
day = now.date() + timedelta(days=60)
process = Role.objects.filter(user__email="clara@secretariat.example", event=None).first().process
event = Event.objects.create(
    process=process, slug="undone", kind="hearing", name_en="Undone", zone="UTC",
    starts_on=day, ends_on=day,
)
crowd.sent(event, 21, now=now)
print(event.pk)
"""


@pytest.fixture
def waiting(portal_environment: dict[str, str]) -> str:
    """The list of 21 people of as many groups who wait for a decision, about an event that nobody
    else sees."""
    event = told(portal_environment, TWENTY_ONE)
    return f"/admin/registrations/delegate/?registration__event__id__exact={event}&state=submitted"


def decline(page: Page, waiting: str, people: int, reason: str) -> None:
    page.goto(waiting)
    boxes = page.locator("#result_list tbody input[type=checkbox]")
    for number in range(people):
        boxes.nth(number).check()
    page.get_by_label("Action:").select_option(label="Decline with a reason…")
    page.get_by_role("button", name="Go").click()
    page.locator("textarea").fill(reason)
    page.locator("button[name=confirm]").click()


def test_twenty_are_declined_and_undone_and_no_letter_leaves(
    desk_of_clara: BrowserContext, sink: Sink, waiting: str
) -> None:
    page = desk_of_clara.new_page()
    rows = page.locator("#result_list tbody tr")

    decline(page, waiting, 20, MISTAKE)
    expect(page.get_by_role("status")).to_contain_text(
        "20 people are declined. The letters leave at "
    )
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Undo").click()

    expect(
        page.get_by_text("Undone: 20 people are as before. No letter of it leaves.")
    ).to_be_visible()
    expect(rows).to_have_count(21)
    decline(page, waiting, 1, MEANT)
    let_letters_leave(page)
    wait_for(
        lambda: any(MEANT in text_of(letter) for letter in sink.letters),
        30,
        "The letter that was meant did not come.",
    )
    assert [letter["To"] for letter in sink.letters if MISTAKE in text_of(letter)] == []
    assert check(desk_of_clara.new_page(), page.url) == []
