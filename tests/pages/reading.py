"""Reads calendar files and feeds by the letter of their standards, without the libraries that wrote
them: RFC 5545 and RFC 4287."""

import re
from datetime import UTC, date, datetime
from typing import NamedTuple
from xml.etree import ElementTree

from django.http import HttpResponse

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NAME = re.compile(r"[A-Z0-9-]+")
ESCAPED = re.compile(r"\\([\\;,nN])")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:\S+")
ONCE = {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "SEQUENCE"}


class Entry(NamedTuple):
    id: str
    title: str
    updated: datetime
    link: str
    html: str

    @property
    def moments(self) -> list[datetime]:
        return [
            datetime.fromisoformat(said) for said in re.findall(r'datetime="([^"]+)"', self.html)
        ]


def calendar_of(response: HttpResponse) -> list[dict[str, str]]:
    """Of each VEVENT its properties; parameters are kept before the value, as in the file."""
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    lines = _unfolded(response.content)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    head = lines[1 : lines.index("BEGIN:VEVENT")] if "BEGIN:VEVENT" in lines else lines[1:-1]
    assert {"VERSION:2.0", "METHOD:PUBLISH"} < set(head)
    found: list[dict[str, str]] = []
    for line in lines[1 + len(head) : -1]:
        name, said = line.split(":", 1)
        if line == "BEGIN:VEVENT":
            found.append({})
        elif line != "END:VEVENT":
            name, _semicolon, parameters = name.partition(";")
            assert NAME.fullmatch(name), line
            assert name not in found[-1], line
            found[-1][name] = f"{parameters}:{said}" if parameters else said
    assert all(set(each) >= ONCE for each in found)
    uids = [each["UID"] for each in found]
    assert len(set(uids)) == len(uids)
    return found


def moment_of(said: str) -> datetime | date:
    """A moment in UTC, or a day."""
    if said.startswith("VALUE=DATE:"):
        return datetime.strptime(said, "VALUE=DATE:%Y%m%d").date()
    return datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def text_of(said: str) -> str:
    return ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], said)


def _unfolded(content: bytes) -> list[str]:
    """Lines end with CR LF and are at most 75 octets long; one that begins with a space goes on
    with the one before (RFC 5545, 3.1)."""
    assert content.endswith(b"\r\n")
    physical = content[:-2].split(b"\r\n")
    assert all(len(line) <= 75 for line in physical)
    assert not any(byte in content.replace(b"\r\n", b"") for byte in b"\r\n\x00")
    lines: list[bytes] = []
    for line in physical:
        if line.startswith((b" ", b"\t")):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return [line.decode("utf-8") for line in lines]


def feed_of(response: HttpResponse) -> tuple[ElementTree.Element, list[Entry]]:
    """The feed and its entries; each has what RFC 4287 asks for (4.1.1, 4.1.2)."""
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(response.content)
    assert feed.tag == f"{ATOM}feed"
    assert feed.find(f"{ATOM}author/{ATOM}name").text
    for one in ("id", "title", "updated"):
        assert len(feed.findall(f"{ATOM}{one}")) == 1, one
    entries = [_entry(each) for each in feed.findall(f"{ATOM}entry")]
    assert len({each.id for each in entries}) == len(entries)
    return feed, entries


def link_of(element: ElementTree.Element, rel: str) -> str:
    (link,) = [each for each in element.findall(f"{ATOM}link") if each.get("rel") == rel]
    return link.get("href")


def updated(element: ElementTree.Element) -> datetime:
    said = element.findtext(f"{ATOM}updated")
    assert RFC_3339.fullmatch(said), said
    return datetime.fromisoformat(said)


def _entry(element: ElementTree.Element) -> Entry:
    for one in ("id", "title", "updated", "summary"):
        assert len(element.findall(f"{ATOM}{one}")) == 1, one
    summary, title = element.find(f"{ATOM}summary"), element.find(f"{ATOM}title")
    assert (summary.get("type"), title.get("type", "text")) == ("html", "text")
    said = element.findtext(f"{ATOM}id")
    assert TAG.fullmatch(said), said
    return Entry(said, title.text, updated(element), link_of(element, "alternate"), summary.text)
