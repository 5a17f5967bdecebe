"""The way out of the page on safety."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route

from pages.views.about import ELSEWHERE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("has_script", [True, False])
def test_the_way_out_leads_elsewhere_at_once_and_tells_nobody(
    visitor: Callable[..., BrowserContext], portal: str, has_script: bool
) -> None:
    page = visitor(360, java_script_enabled=has_script).new_page()
    asked: list[tuple[str, str | None]] = []

    def elsewhere(route: Route) -> None:
        asked.append((route.request.url, route.request.headers.get("referer")))
        route.fulfill(body="<title>Weather</title>", content_type="text/html")

    page.route(lambda url: not url.startswith(portal), elsewhere)
    page.goto("/en/help/")
    page.goto("/en/privacy/")
    assert asked == []

    page.get_by_role("link", name="Leave this page").click()
    page.wait_for_url(ELSEWHERE)

    assert asked == [(ELSEWHERE, None)]
    page.go_back()
    assert page.url.endswith("/en/help/" if has_script else "/en/privacy/")
