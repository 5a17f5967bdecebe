"""What rules alone cannot see: by keyboard, with wide text, in narrow windows, on paper.

`make test` looks at some pages, `make browser` at all of them (UX.md, section 5).
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ALL, Arrival, States
from tests.browser.test_pages import PUBLIC
from tests.browser.test_thin_line import HEARING

pytestmark = pytest.mark.browser

Visitor = Callable[..., BrowserContext]

EVENT = HEARING.removeprefix("/en/")
SOME = ["", "events/?q=forum&kind=forum&mode=online", EVENT, f"{EVENT}check/", "accounts/login/"]
# WCAG 2.2: 1.4.10 reflow, 1.4.12 text spacing, 1.4.4 text twice as large.
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
word-spacing: .16em !important } p { margin-block-end: 2em !important }"""
LARGE = "html { font-size: 200% !important }"
WAYS = {
    "narrow": (320, ""),
    "narrow and spaced": (320, SPACED),
    "spaced": (1280, SPACED),
    "large": (1280, LARGE),
}
# How much wider the page is than the window, and which words are cut off.
CUT = """() => [
  ...[document.documentElement.scrollWidth - innerWidth].filter(px => px > 0).map(px => px + " px"),
  ...[...document.querySelectorAll("main *")].filter(it => {
    const style = getComputedStyle(it), box = it.getBoundingClientRect();
    return ["hidden", "clip"].includes(style.overflowX) && box.width > 2 && it.innerText &&
      !it.matches(".hero") && (it.scrollWidth > it.clientWidth + 1 ||
      it.scrollHeight > it.clientHeight + 1);
  }).map(it => "cut off: " + it.innerText.slice(0, 40))]"""
STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
# What has the focus: its place in the document, whether a ring of 2 px or more is around it, and
# whether it can be seen.
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
    place: [...document.body.querySelectorAll("*")].indexOf(it),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: seen,
  };
}"""
MOST_STOPS = 300
TOO_SMALL = """async () => (await axe.run({runOnly: ["target-size"]})).violations.flatMap(
  rule => rule.nodes.map(node => "too small: " + node.target.join(" ")))"""
WITHOUT_EDGE = """() => [...document.querySelectorAll(
  ".tag, .btn, .chip, .card, .panel, .note, input, select, textarea")]
  .filter(it => it.checkVisibility() && !it.matches("[type=hidden], [type=radio], [type=checkbox]"))
  .filter(it => !(parseFloat(getComputedStyle(it).borderInlineStartWidth) >= 1))
  .map(it => "no edge: " + it.outerHTML.slice(0, 60))"""
MOVING = """() => [...document.querySelectorAll("*")].filter(it => {
  const style = getComputedStyle(it);
  return style.animationName !== "none" || /[1-9]/.test(style.transitionDuration) ||
    style.scrollBehavior === "smooth";
}).map(it => "moves: " + it.outerHTML.slice(0, 60))"""
ON_PAPER = """() => [
  ...[...document.querySelectorAll("nav, button, .btn, .skip, [role=search]")]
    .filter(it => it.checkVisibility()).map(it => "printed: " + it.outerHTML.slice(0, 60)),
  ...[...document.querySelectorAll("main :is(h1, h2, p, dd, td)")].filter(it => {
    const [r, g, b] = getComputedStyle(it).color.match(/\\d+/g).map(Number);
    return it.checkVisibility() && r + g + b > 0;
  }).map(it => "not black: " + it.innerText.slice(0, 40)),
  ...[...document.querySelectorAll("thead")].filter(
    it => getComputedStyle(it).display !== "table-header-group").map(() => "no repeated head")]"""
ARABIC_DIGITS = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
MOST_SHEETS = 4
# What tells two pages of one kind apart in their addresses.
NAMES = re.compile(r"/(?:GCM-[\w-]+|[0-9a-f-]{36}|[\w.:=~+@-]{40,}|state-\w+)/")


@pytest.fixture
def tour(arrival: Arrival, states: States) -> Callable[..., Iterator[tuple[Page, str]]]:
    """From page to page: some in `make test`, else all that somebody sees, or one of each kind."""

    def go(
        language: str = "en", some: list[str] = SOME, *, of_each_kind: bool = False
    ) -> Iterator[tuple[Page, str]]:
        places = {"anonymous": some}
        if ALL:
            places = states.seen | {"anonymous": PUBLIC + states.seen["anonymous"]}
        for who, paths in places.items():
            page = arrival(who)
            kinds = {NAMES.sub("/…/", path): path for path in reversed(paths)}
            for path in reversed(kinds.values()) if ALL and of_each_kind else paths:
                page.goto(f"/{language}/{path}")
                yield page, path

    return go


@pytest.mark.parametrize("language", ["en", "ar", "zh-hans"] if ALL else ["en", "ar"])
def test_nothing_scrolls_sideways_however_wide_the_text_is(tour, language: str) -> None:
    wrong = []
    for page, path in tour(language, PUBLIC):
        for way, (width, style) in WAYS.items():
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(STYLED, style)
            wrong += [f"{path}, {way}: {fault}" for fault in page.evaluate(CUT)]

    assert wrong == []


# A sheet that a script adds is no inline style, so the strict policy allows it.
STYLED = """style => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [sheet];
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_the_keyboard_reaches_everything_and_is_seen(tour, width: int) -> None:
    wrong = []
    for page, path in tour(some=PUBLIC, of_each_kind=True):
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{path}: {fault}" for fault in by_keyboard(page)]

    assert wrong == []


def by_keyboard(page: Page) -> list[str]:
    """What is wrong on the way from the first stop to the last."""
    wrong, places = [], []
    begins_elsewhere = page.locator("[autofocus]").count() > 0
    reachable = page.evaluate(
        "stops => [...document.querySelectorAll(stops)].filter(it => it.checkVisibility()).length",
        STOPS,
    )
    for stop in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or places[:1] == [focused["place"]]:
            break
        if stop == 0 and not begins_elsewhere and focused["name"] != "A #main":
            wrong.append(f"first stop is {focused['name']}")
        for what in ("ring", "seen"):
            if not focused[what]:
                wrong.append(f"{focused['name']}: no {what}")
        places.append(focused["place"])
    else:
        wrong.append("no end")
    if not begins_elsewhere and stop < min(reachable, MOST_STOPS) / 2:
        wrong.append(f"{stop} stops of {reachable}")
    if places != sorted(places):
        wrong.append("the order of the stops is not that of the page")
    return wrong


def test_the_keyboard_comes_back_out_of_every_field(tour) -> None:
    wrong = []
    for page, path in tour(some=SOME[-1:], of_each_kind=True):
        page.locator("footer a").last.focus()
        for _stop in range(MOST_STOPS):
            page.keyboard.press("Shift+Tab")
            if page.evaluate("document.activeElement.matches('.skip')"):
                break
        else:
            wrong.append(f"{path}: held at {page.evaluate(FOCUSED)}")

    assert wrong == []


def test_the_skip_link_leads_past_what_every_page_repeats(tour) -> None:
    for page, path in tour(some=SOME[:1], of_each_kind=True):
        page.locator(".skip").focus()
        page.keyboard.press("Enter")

        assert page.evaluate("document.activeElement.id") == "main", path


@pytest.mark.parametrize("width", [1280, 320])
def test_every_target_can_be_hit(tour, width: int) -> None:
    wrong = []
    for page, path in tour():
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(Axe().axe_script)
        wrong += [f"{path}: {fault}" for fault in page.evaluate(TOO_SMALL)]

    assert wrong == []


def test_own_colours_no_motion_and_paper_take_nothing_away(tour) -> None:
    wrong = []
    for page, path in tour():
        page.emulate_media(forced_colors="active")
        found = page.evaluate(WITHOUT_EDGE)
        page.emulate_media(forced_colors="none", reduced_motion="reduce")
        found += page.evaluate(MOVING)
        page.emulate_media(media="print", color_scheme="dark")
        found += page.evaluate(ON_PAPER)
        page.emulate_media(media="screen", color_scheme="light")
        wrong += [f"{path}: {fault}" for fault in found]

    assert wrong == []


def test_an_event_and_a_registration_fit_on_a_few_sheets(arrival: Arrival, states: States) -> None:
    sheets = {}
    for who, path in (("anonymous", "events/state-past/"), ("zora", states.named["sent"])):
        page = arrival(who)
        page.goto(f"/en/{path}")
        sheets[path] = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))

    assert [path for path, count in sheets.items() if not 0 < count <= MOST_SHEETS] == []


@pytest.mark.parametrize("language", ["en", "ar", "zh-hans"])
def test_pages_say_their_language_and_what_they_are(tour, language: str) -> None:
    """Titles tell pages apart; help and navigation stand where they stood on the page before."""
    wrong, titles, frames = [], {}, {}
    for page, path in tour(language):
        root = page.locator("html")
        said = (root.get_attribute("lang"), root.get_attribute("dir"))
        if said != (language, "rtl" if language == "ar" else "ltr"):
            wrong.append(f"{path}: {said}")
        if page.locator("h1").count() != 1:
            wrong.append(f"{path}: {page.locator('h1').count()} first headings")
        wrong += [f"{path}: {link}" for link in page.evaluate(UNSAID)]
        titles.setdefault(page.title(), set()).add(path.partition("?")[0])
        signed_in = page.locator(".nav a[href*='/accounts/me/']").count()
        frames.setdefault((signed_in, *page.evaluate(FRAME)), path)
    if not ALL:
        wrong += [f"one title: {paths}" for paths in titles.values() if len(paths) > 1]

    assert wrong == []
    assert len(frames) == len({who for who, *_frame in frames}), frames


# Languages are named in themselves, and what has no translation says in which language it is.
UNSAID = """() => {
  const own = document.documentElement.lang;
  return [
    ...[...document.querySelectorAll("a[hreflang].lang, .util a")].filter(
      it => it.lang !== it.hreflang).map(it => "unsaid language: " + it.textContent),
    ...[...document.querySelectorAll("main :is(h1, h2, h3)")].filter(it => {
      const words = [...it.childNodes].filter(one => one.nodeType === 3).map(one => one.data);
      return own !== "en" && !it.closest("[lang=en], bdi") && /[a-z]{4}.*[a-z]{4}.*[a-z]{4}/i.test(
        words.join("")) && !/[\\u0600-\\u06ff\\u4e00-\\u9fff]/.test(words.join(""));
    }).map(it => "not said to be English: " + it.textContent)];
}"""
FRAME = (
    """() => [...document.querySelectorAll(".nav a, .foot a")].map(it => it.textContent.trim())"""
)


def test_pages_are_whole_without_script(visitor: Visitor) -> None:
    contents = []
    for has_script in (True, False):
        page = visitor(java_script_enabled=has_script).new_page()
        contents.append([])
        for path in PUBLIC if ALL else SOME:
            page.goto(f"/en/{path}")
            parts = [page.locator(f"main :is({part})") for part in ("h1, h2, h3", "a[href]", STOPS)]
            contents[-1].append((path, *(part.count() for part in parts)))

    assert contents[0] == contents[1]


def test_days_are_gregorian_and_digits_latin_wherever_the_reader_is(visitor: Visitor) -> None:
    page = visitor(locale="ar-SA", timezone_id="Asia/Riyadh").new_page()
    for path in SOME[:4]:
        page.goto(f"/ar/{path}")

        assert ARABIC_DIGITS.search(page.locator("main").inner_text()) is None, path

    page.goto(f"/ar/{EVENT}")
    own = page.locator("[data-local]").first
    assert re.search(r"\b20[0-9]{2}\b", own.inner_text())
    assert (
        "الرياض" in page.locator("main").inner_text() or "Riyadh" in own.locator("..").inner_text()
    )


@pytest.mark.parametrize("has_script", [True, False])
def test_the_summary_of_errors_takes_the_focus_and_leads_to_the_field(
    visitor: Visitor, has_script: bool
) -> None:
    page = visitor(360, java_script_enabled=has_script).new_page()
    page.goto("/en/accounts/login/")
    page.get_by_label("Email address").fill("nobody@")
    page.get_by_role("button", name="Send me a code").click()

    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_role("alert")).to_be_focused()
    told = page.get_by_role("alert").get_by_role("link")
    expect(page.get_by_label("Email address")).to_have_accessible_description(
        re.compile(re.escape(told.inner_text()))
    )
    expect(page.get_by_label("Email address")).to_have_value("nobody@")
    told.press("Enter")
    expect(page.get_by_label("Email address")).to_be_focused()


def test_addresses_and_codes_can_be_pasted(visitor: Visitor) -> None:
    context = visitor(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/en/accounts/login/")
    for label, pasted in (("Email address", "pasted@nowhere.example"), ("Code", "ABC234")):
        page.evaluate("text => navigator.clipboard.writeText(text)", pasted)
        page.get_by_label(label).press("Control+V")
        expect(page.get_by_label(label)).to_have_value(pasted)
        if label == "Email address":
            page.get_by_role("button", name="Send me a code").click()


def test_browsers_fill_in_what_is_ones_own_and_nothing_of_others(
    arrival: Arrival, states: States
) -> None:
    found = {}
    for who, path in (
        ("anonymous", "accounts/login/"),
        ("anonymous", "events/state-last/follow/"),
        ("zora", "accounts/me/"),
        ("zora", "accounts/address/"),
        ("zora", "{draft}people/"),
        ("zora", "{approved}replace/"),
        ("zora", "{group}"),
    ):
        page = arrival(who)
        page.goto(f"/en/{path.format(**states.named)}")
        fields = page.locator("main :is(input[type=text], input[type=email])")
        found[path] = fields.evaluate_all("all => all.map(it => [it.name, it.autocomplete])")

    of_others = [["given_names", "off"], ["family_name", "off"], ["email", "off"]]
    assert found == {
        "accounts/login/": [["email", "email"]],
        "events/state-last/follow/": [["email", "email"]],
        "accounts/me/": [["name", "name"]],
        "accounts/address/": [["email", "email"]],
        "{draft}people/": of_others,
        "{approved}replace/": of_others,
        "{group}": [["email", "off"]],
    }


def test_nothing_is_asked_twice(arrival: Arrival) -> None:
    page = arrival("new")
    page.goto("/en/events/state-open/register/")
    page.get_by_label("Name of your organisation").fill("Quite another thing")
    page.get_by_label("Country").select_option("PH")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Which group describes you best?")).to_be_visible()
    expect(page.get_by_label("Name of your organisation")).to_have_value("Quite another thing")
    expect(page.get_by_label("Country")).to_have_value("PH")


def test_a_screen_reader_is_told_the_same_as_everybody(visitor: Visitor) -> None:
    """Names, order, and no noise."""
    page = visitor().new_page()
    page.goto("/en/accounts/login/")

    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(it => +it.tagName[1])")
    assert all(after - before <= 1 for before, after in pairwise(levels))
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - main:
        - heading "Sign in" [level=1]
        - paragraph
        - paragraph
        - text: Email address
        - paragraph
        - textbox "Email address"
        - paragraph:
          - button "Send me a code"
    """)
