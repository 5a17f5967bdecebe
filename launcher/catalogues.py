"""The catalogues of the interface languages, without GNU gettext on the machine.

python -m launcher.catalogues extract | compile | check
"""

import argparse
import gettext
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from launcher import ROOT

LANGUAGES = ("ar", "es", "fr", "ru", "zh_Hans")
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
LETTERS = {
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "es": LATIN,
    "fr": LATIN,
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "zh_Hans": re.compile(r"[\u4e00-\u9fff]"),
}
# The usual order of the six Arabic forms, which is not Babel's: 0, 1, 2, 3–10, 11–99, 100–102.
PLURALS = {
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
    "n%100>=11 && n%100<=99 ? 4 : 5);"
}
OUTSIDE = {"launcher", "tests", "bench", "chaos", "var", "node_modules", "deploy", "docs", "static"}
ONE, PLURAL = (1,), (1, 2)
CONTEXT, CONTEXT_PLURAL = ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], ONE),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], PLURAL),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], CONTEXT),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], CONTEXT_PLURAL),
}
NAMED = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%[sd]")
NOT_WORDS = re.compile(rf"{NAMED.pattern}|<[^>]*>|&\w+;")
NO_LETTER, SAME = "no letter of the language in it", "the English sentence as it is"
# What would change with the day or the version, or says nothing.
LEFT_OUT = (
    *('"POT-Creation-Date', '"PO-Revision-Date', '"Last-Translator', '"Language-Team'),
    *('"Project-Id-Version', '"Report-Msgid-Bugs-To', '"Generated-By'),
)


def catalogue(root: Path, language: str) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def _sources(root: Path) -> Iterator[Path]:
    folders = [
        folder
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in OUTSIDE
    ]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(root).parts
            is_code = path.suffix == ".py" and "migrations" not in parts
            is_template = path.suffix in {".html", ".txt"} and "templates" in parts
            if path.is_file() and (is_code or is_template):
                yield path


def _as_python(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    # Inside brackets Python sees no indentation in what is left of a template.
    return text if path.suffix == ".py" else f"(\n{templatize(text, origin=str(path))}\n)"


def collect(root: Path) -> Catalog:
    """Every sentence of the sources, with the files that say it."""
    found = Catalog()
    for path in _sources(root):
        code = io.BytesIO(_as_python(path).encode())
        for _, message, comments, context in extract(
            "python", code, KEYWORDS, ["Translators"], {"encoding": "utf-8"}
        ):
            found.add(
                message,
                locations=[(path.relative_to(root).as_posix(), 0)],
                auto_comments=comments,
                context=context,
            )
    return found


def _empty(language: str) -> Catalog:
    empty = Catalog(locale=language, header_comment="")
    if language in PLURALS:
        empty.mime_headers = [("Plural-Forms", PLURALS[language])]
    return empty


def _read(root: Path, language: str) -> Catalog:
    path = catalogue(root, language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _key(message: Message) -> tuple:
    return message.id, message.context


def _messages(source: Catalog) -> list[Message]:
    return [message for message in source if message.id]


def _written(found: Catalog, old: Catalog, language: str) -> str:
    """The sentences as they are now, with the translations that there are."""
    known = {_key(message): message for message in _messages(old)}
    new = _empty(language)
    for message in _messages(found):
        before = known.get(_key(message))
        new.add(
            message.id,
            before.string if before else None,
            locations=sorted(set(message.locations)),
            flags=message.flags - {"fuzzy"},
            auto_comments=message.auto_comments,
            user_comments=before.user_comments if before else (),
            context=message.context,
        )
    target = io.BytesIO()
    write_po(target, new, width=98, sort_output=True, include_lineno=False)
    lines = target.getvalue().decode().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("msgid"))
    return "".join(line for line in lines[start:] if not line.startswith(LEFT_OUT))


def update(root: Path) -> None:
    found = collect(root)
    for language in LANGUAGES:
        text = _written(found, _read(root, language), language)
        path = catalogue(root, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def compile_all(root: Path) -> None:
    for source in sorted(root.glob("locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        unfinished = target.with_suffix(".mo.unfinished")
        with source.open("rb") as file, unfinished.open("wb") as out:
            write_mo(out, read_po(file, locale=source.parent.parent.name))
        unfinished.replace(target)


def _names(text: str) -> list[str]:
    return sorted(NAMED.findall(text.replace("%%", "")))


def _numbers(form: int, plural: str) -> int:
    """How many of the numbers up to 200 take this form. One that is alone may go unsaid; so may one
    of which nobody counts none."""
    rule = gettext.c2py(plural)
    return sum(rule(number) == form for number in range(200))


def _faults(message: Message, old: Catalog, language: str) -> Iterator[str]:
    forms = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    plural = isinstance(message.id, (tuple, list))
    if plural and len(forms) != old.num_plurals:
        yield f"{len(forms)} plural forms, {old.num_plurals} are needed"
    if not all(forms):
        yield "a plural form is not translated" if any(forms) else "not translated"
        return
    if message.fuzzy:
        yield "marked as fuzzy"
    wanted = _names(message.id[1] if plural else message.id)
    for number, form in enumerate(forms):
        names = _names(form)
        unsaid = plural and _numbers(number, old.plural_expr) <= 2
        if names != wanted and not (unsaid and set(names) <= set(wanted)):
            yield f"placeholders {names} instead of {wanted}"
    source = NOT_WORDS.sub("", message.id[0] if plural else message.id)
    words = [NOT_WORDS.sub("", form) for form in forms]
    has_words = LATIN.search(source) is not None
    if has_words and not all(LETTERS[language].search(form) for form in words):
        yield NO_LETTER
    elif has_words and message.string == message.id:
        yield SAME
    for letters in {*LETTERS.values()} - {LATIN, LETTERS[language]}:
        if any(letters.search(form) for form in words) and not letters.search(source):
            yield "letters of another script in it"


def _label(message: Message) -> str:
    text = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
    return text if len(text) < 80 else f"{text[:77]}…"


def check(root: Path) -> list[str]:
    """One line for each fault."""
    found, lines = collect(root), []
    wanted = {_key(message) for message in _messages(found)}
    for language in LANGUAGES:
        path = catalogue(root, language)
        name = path.relative_to(root).as_posix()
        if not path.exists():
            lines.append(f"{name}: missing; run make messages")
            continue
        old = _read(root, language)
        unchanged = root / "locale" / language / "unchanged.txt"
        allowed = set(unchanged.read_text().splitlines()) if unchanged.exists() else set()
        known = {_key(message) for message in _messages(old)}
        stale = [m for m in _messages(found) if _key(m) not in known]
        stale += [m for m in _messages(old) if _key(m) not in wanted]
        for message in stale:
            lines.append(f"{name}: not as in the sources; run make messages: {_label(message)}")
        for message in _messages(old):
            for fault in _faults(message, old, language):
                if not (_label(message) in allowed and fault in (NO_LETTER, SAME)):
                    lines.append(f"{name}: {fault}: {_label(message)}")
        if not stale and path.read_text(encoding="utf-8") != _written(found, old, language):
            lines.append(f"{name}: not as make messages writes it; run it")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m launcher.catalogues", description=__doc__)
    parser.add_argument("act", choices=["extract", "compile", "check"])
    act = parser.parse_args().act
    if act == "extract":
        update(ROOT)
    elif act == "compile":
        compile_all(ROOT)
    else:
        lines = check(ROOT)
        print(*lines or ["The catalogues are complete."], sep="\n")
        return 1 if lines else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
