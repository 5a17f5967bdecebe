"""The forms of a page as a browser knows them, and what in a page is alive."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

from django.conf import settings

from tests.hostile.texts import MARK

TYPED = {"text", "search", "email", "url", "tel", "password", "number", "date", "time", ""}
WORDS = {"text", "search", "textarea", ""}
FETCHING = {"iframe", "frame", "object", "embed", "applet", "base", "style"}
FETCHED = {"src", "srcset", "action", "formaction", "poster", "data", "background"}
# What will do where no words are asked for: by the name of the field, or by the type of its input.
BY_NAME = {"slug": "a-new-one", "prefix": "ZQ", "zone": "UTC"}
BY_TYPE = {"email": "ann@group.example", "url": "https://group.example/", "number": "3"}
# What the words stand in, where a line of them has parts.
AROUND = {"groups": "{} <ann@group.example>", "people": "{0}; {0}; ann@group.example; ; {0}"}


@dataclass
class Form:
    """What would be sent: of each name its values; and which of the names one types in."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    """And the type of the input."""
    longest: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    """The first in each list that says something."""

    @property
    def words(self) -> list[str]:
        """Where one writes what one likes."""
        typed = self.typed.items()
        return [name for name, kind in typed if kind in WORDS and _last(name) not in BY_NAME]

    def filled(self, *texts: str) -> dict[str, list[str]]:
        """Each field that one types in gets one of the texts, in turn."""
        typed = {name: [texts[at % len(texts)]] for at, name in enumerate(self.typed)}
        return self.values | typed

    def forged(self, text: str) -> dict[str, list[str]]:
        """What one chooses or does not see gets the text too."""
        return self.filled(text) | {name: [text] for name in self.chosen}

    def sensible(self, *texts: str, **instead: str) -> dict[str, list[str]]:
        """One of the texts, in turn, where words are asked for, as long as it may be; elsewhere
        what stands there, or what will do. `instead` says more, by name or by type of input."""
        known = BY_TYPE | BY_NAME | instead
        said = {name: instead[name] for name in instead if name in {*self.values, *self.chosen}}
        for at, name in enumerate(self.words):
            said.setdefault(name, self.worded(name, texts[at % len(texts)]))
        for name in {**self.typed, **self.options}:
            there = self.values.get(name, [""])[0] or self.options.get(name)
            sort = self.typed.get(name, "")
            said.setdefault(name, there or known.get(_last(name), known.get(sort, "")))
        return self.values | {name: [value] for name, value in said.items()}

    def worded(self, name: str, text: str) -> str:
        """The text as this field asks for it."""
        around = AROUND.get(name, "{}")
        return around.format(text[: self.longest.get(name)])

    def with_rows(self, more: int) -> "Form":
        """One more in each table, as the script of the page makes it from an empty row; or none."""
        for total in [name for name in self.values if name.endswith("-TOTAL_FORMS")]:
            empty, number = total.replace("TOTAL_FORMS", "__prefix__"), self.values[total][0]
            row = total.replace("TOTAL_FORMS", number)
            is_one = more and any(name.startswith(empty) for name in self.values)
            if is_one and number.isdigit():
                self.values[total] = [str(int(number) + more)]
            for names in (self.values, self.typed, self.longest, self.options):
                for name in [name for name in names if name.startswith(empty)]:
                    value = names.pop(name)
                    if is_one:
                        names[name.replace(empty, row)] = value
            self.chosen = [
                name.replace(empty, row)
                for name in self.chosen
                if is_one or not name.startswith(empty)
            ]
        return self


def _last(name: str) -> str:
    """Without the table and the row that the field stands in."""
    return re.sub(r"^.*-\d+-", "", name)


class Page(HTMLParser):
    """The forms of a page, what is alive in it and none of ours, and whatever it says."""

    def __init__(self, url: str, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.found: list[Form] = []
        self.asked: dict[str, Form] = {}
        self.alive: list[str] = []
        self.told: list[str] = []
        self.form: Form | None = None
        self.select = ""
        self.textarea = ""
        self.has_button = False
        self.feed(page)
        self.close()

    @property
    def said(self) -> str:
        """Tags taken away; what their attributes say is kept."""
        return "".join(self.told)

    def forms(self, *, more_rows: int = 1) -> list[Form]:
        return [form.with_rows(more_rows) for form in self.found]

    @property
    def questions(self) -> list[Form]:
        """What its links ask of the page itself, as a form for each word in their addresses."""
        return list(self.asked.values())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self._look(tag, told)
        self.told += ["\n", *told.values(), "\n"]
        if tag == "a":
            self._link(told.get("href", ""))
        if tag == "form":
            action = urljoin(self.url, told.get("action") or self.url)
            self.form = Form(action, told.get("method", "get").lower())
            self.found.append(self.form)
            self.has_button = False
        name = told.get("name", "")
        is_button = tag == "button" and told.get("type", "submit") == "submit"
        if self.form is None or not (name or is_button or tag == "option"):
            return
        if tag == "input":
            self._input(name, told)
        elif tag == "textarea":
            self.textarea = name
            self._typed(name, "textarea", told)
        elif tag == "select":
            self.select = name
            self.form.chosen.append(name)
        elif tag == "option" and self.select:
            value = told.get("value", "")
            if "selected" in told or (value and not self.form.values.get(self.select)):
                self.form.values[self.select] = [value]
            if value:
                self.form.options.setdefault(self.select, value)
        elif is_button:
            self._button(name, told)

    def _link(self, href: str) -> None:
        to, here = urlsplit(urljoin(self.url, href)), urlsplit(self.url).path
        said = parse_qs(to.query, keep_blank_values=True) if to.path == here else {}
        for name in said:
            self.asked.setdefault(name, Form(to.path, "get", said, chosen=[name]))

    def _typed(self, name: str, kind: str, told: dict[str, str]) -> None:
        assert self.form
        self.form.typed[name] = "number" if told.get("inputmode") == "numeric" else kind
        self.form.values[name] = [told.get("value", "")]
        if told.get("maxlength"):
            self.form.longest[name] = int(told["maxlength"])

    def _button(self, name: str, told: dict[str, str]) -> None:
        """A form is sent by one of them."""
        assert self.form
        if name and not self.has_button:
            self.form.values[name] = [told.get("value", "")]
        self.has_button = True

    def _input(self, name: str, told: dict[str, str]) -> None:
        assert self.form
        kind, value = told.get("type", ""), told.get("value", "")
        if kind == "file":
            self.form.files.append(name)
        elif kind in TYPED:
            self._typed(name, kind, told)
        elif kind in {"radio", "checkbox"}:
            self.form.chosen.append(name)
            if "checked" in told or (kind == "radio" and name not in self.form.values):
                self.form.values[name] = [value or "on"]
        elif kind == "submit":
            self._button(name, told)
        elif name != "csrfmiddlewaretoken":
            self.form.chosen.append(name)
            self.form.values.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        if tag == "select":
            self.select = ""
        if tag == "textarea":
            self.textarea = ""

    def handle_data(self, data: str) -> None:
        self.told.append(data)
        if self.textarea and self.form:
            self.form.values[self.textarea][0] += data

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.alive.append("comment")

    def _look(self, tag: str, told: dict[str, str]) -> None:
        """Our pages have no such thing; where one stands, somebody's text has become it."""
        is_data = told.get("type") in {"application/json", "text/template"}
        is_letter = tag == "iframe" and "sandbox" in told
        if tag == "script" and "src" not in told and not is_data:
            self.alive.append("script")
        if (tag in FETCHING and not is_letter) or MARK in tag:
            self.alive.append(tag)
        if tag == "meta" and told.get("http-equiv", "").lower() == "refresh":
            self.alive.append("refresh")
        for name, value in told.items():
            fetches = name in FETCHED or (name == "href" and tag != "a")
            if name.startswith("on") or name == "style" or MARK in name:
                self.alive.append(name)
            elif (fetches and not _is_ours(tag, value)) or (name == "href" and _acts(value)):
                self.alive.append(f"{tag} {name}")


def _is_ours(tag: str, address: str) -> bool:
    """On this very server; of pictures, in the page itself."""
    address = address.strip().removeprefix(f"{settings.BASE_URL}/")
    if tag == "img" and address.startswith("data:"):
        return True
    return not re.match(r"//|\\|[a-z][a-z0-9+.-]*:", address, re.IGNORECASE)


def _acts(address: str) -> bool:
    return re.match(r"(javascript|vbscript|data):", address.strip(), re.IGNORECASE) is not None
