"""What rules alone cannot see: public pages by keyboard, with wide text and in narrow windows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.test_pages import PUBLIC

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

# WCAG 2.2: 1.4.10 reflow, 1.4.12 text spacing, 1.4.4 text twice as large.
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
word-spacing: .16em !important } p { margin-block-end: 2em !important }"""
LARGE = "html { font-size: 200% !important }"
WAYS = [(320, "/* as it is */"), (320, SPACED), (1280, SPACED), (1280, LARGE)]
WIDE = "document.documentElement.scrollWidth - window.innerWidth"
# What has the focus: whether a ring of 2 px or more is around it, and whether it can be seen.
FOCUSED = """() => {
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  const style = getComputedStyle(it), boxes = [...it.getClientRects()];
  const seen = boxes.some(box => {
    const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
    const there = document.elementFromPoint(
      middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
    return there && (it.contains(there) || there.contains(it) || (it.labels && [...it.labels].some(
      label => label.contains(there))));
  });
  return {
    name: it.tagName + " " + (it.getAttribute("href") || it.name || it.textContent).slice(0, 60),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: seen,
  };
}"""
MOST_STOPS = 300


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(
    ("width", "style"), WAYS, ids=["narrow", "narrow and spaced", "spaced", "large"]
)
def test_nothing_scrolls_sideways_however_wide_the_text_is(
    visitor: Visitor, language: str, width: int, style: str
) -> None:
    page = visitor(width, bypass_csp=True).new_page()
    wrong = []
    for address in PUBLIC:
        page.goto(f"/{language}/{address}")
        page.add_style_tag(content=style)
        if (wide := page.evaluate(WIDE)) > 0:
            wrong.append(f"{address}: {wide} px wider than the window")

    assert wrong == []


@pytest.mark.parametrize("width", [1280, 360])
def test_the_keyboard_reaches_everything_and_is_seen(visitor: Visitor, width: int) -> None:
    page = visitor(width).new_page()
    wrong = []
    for address in PUBLIC:
        page.goto(f"/en/{address}")
        wrong += [f"{address}: {fault}" for fault in by_keyboard(page)]

    assert wrong == []


def by_keyboard(page: Page) -> list[str]:
    """What is wrong on the way from the first stop to the last."""
    wrong = []
    begins_elsewhere = page.locator("[autofocus]").count() > 0
    reachable = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select,"
        ' textarea, summary, [tabindex="0"]\')].filter(it => it.checkVisibility()).length'
    )
    for stop in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        if stop == 0 and not begins_elsewhere and focused["name"] != "A #main":
            wrong.append(f"first stop is {focused['name']}")
        for what in ("ring", "seen"):
            if not focused[what]:
                wrong.append(f"{focused['name']}: no {what}")
    else:
        wrong.append("no end")
    if not begins_elsewhere and stop < min(reachable, MOST_STOPS) / 2:
        wrong.append(f"{stop} stops of {reachable}")
    return wrong
