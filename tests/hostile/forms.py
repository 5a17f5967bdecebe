"""The forms of a page as a browser knows them, and what in a page is alive."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

TYPED = {"text", "search", "email", "url", "tel", "password", "number", "date", "time", ""}
VOID = {"input", "br", "img", "meta", "link", "hr", "source", "embed", "area", "base", "col", "wbr"}
FETCHING = {"iframe", "frame", "object", "embed", "applet", "base"}


@dataclass
class Form:
    """What would be sent: of each name its values; and which of the names one types in."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)

    def filled(self, *texts: str) -> dict[str, list[str]]:
        """Each field that one types in gets one of the texts, in turn."""
        typed = {name: [texts[at % len(texts)]] for at, name in enumerate(self.typed)}
        return self.values | typed

    def forged(self, text: str) -> dict[str, list[str]]:
        """What one chooses or does not see gets the text too."""
        return self.filled(text) | {name: [text] for name in self.chosen}


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.forms: list[Form] = []
        self.alive: list[str] = []
        self.form: Form | None = None
        self.select = ""
        self.textarea = ""
        self.is_in_frame = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self._look(tag, said)
        if tag == "form":
            action = urljoin(self.url, said.get("action") or self.url)
            self.form = Form(action, said.get("method", "get").lower())
            self.forms.append(self.form)
        if self.form is None or not (name := said.get("name", "")) and tag != "option":
            return
        if tag == "input":
            self._input(name, said)
        elif tag == "textarea":
            self.textarea = name
            self.form.typed.append(name)
            self.form.values[name] = [""]
        elif tag == "select":
            self.select = name
            self.form.chosen.append(name)
        elif tag == "option" and self.select:
            value = said.get("value", "")
            if "selected" in said or (value and not self.form.values.get(self.select)):
                self.form.values[self.select] = [value]
        elif tag == "button" and said.get("type", "submit") == "submit":
            self.form.values.setdefault(name, [said.get("value", "")])

    def _input(self, name: str, said: dict[str, str]) -> None:
        assert self.form
        kind, value = said.get("type", ""), said.get("value", "")
        if kind == "file":
            self.form.files.append(name)
        elif kind in TYPED:
            self.form.typed.append(name)
            self.form.values[name] = [value]
        elif kind in {"radio", "checkbox"}:
            self.form.chosen.append(name)
            if "checked" in said or (kind == "radio" and name not in self.form.values):
                self.form.values[name] = [value or "on"]
        elif kind == "submit":
            self.form.values.setdefault(name, [value])
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
        if self.textarea and self.form:
            self.form.values[self.textarea][0] += data

    def _look(self, tag: str, said: dict[str, str]) -> None:
        """Our pages have no such thing; where one stands, somebody's text has become it."""
        is_data = said.get("type") in {"application/json", "text/template"}
        is_letter = tag == "iframe" and "sandbox" in said
        if tag == "script" and "src" not in said and not is_data:
            self.alive.append("script")
        if (tag in FETCHING and not is_letter) or tag.startswith("x-"):
            self.alive.append(tag)
        if tag == "meta" and said.get("http-equiv", "").lower() == "refresh":
            self.alive.append("refresh")
        self.alive += [name for name in said if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "data"):
            address = said.get(name, "").strip().lower()
            if address.startswith(("javascript:", "vbscript:")) or (
                address.startswith("data:") and tag != "img"
            ):
                self.alive.append(f"{tag} {name}")


def of_page(url: str, page: str) -> list[Form]:
    reader = _Reader(url)
    reader.feed(page)
    return reader.forms


def alive_in(page: str) -> list[str]:
    """What is alive in a page and none of ours."""
    reader = _Reader("")
    reader.feed(page)
    return reader.alive
