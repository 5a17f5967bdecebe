from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

from launcher import catalogues

TEMPLATE = """{% load i18n %}
    <p class="it's">{% translate "Hello (you" %}
  {% blocktranslate trimmed count days=n %}
    One day is left.
  {% plural %}
    {{ days }} days are left.
  {% endblocktranslate %}
</p> {% translate "May" context "month" %} {{ _("Send") }} {% include "x" with a=_("Close") %}
{% comment %}{% translate "Not this" %}{% endcomment %}
{% blocktranslate with a=b.c %}Dear {{ a }},{% endblocktranslate %} 50% ( [ "
"""
CODE = """
class Kind:
    HEARING = "hearing", _("Hearing of {name}")
    TWICE = pgettext_lazy("noun", "Close")
    MANY = ngettext("%(n)d seat", "%(n)d seats", 3)
    LONG = gettext(
        "one sentence "
        "on two lines"
    )
"""
ARABIC = {
    "Hello (you": "مرحبا (أنت",
    "May": "أيار",
    "Send": "أرسل",
    "Close": "أغلق",
    "Dear %(a)s,": "عزيزي %(a)s،",
    "Hearing of {name}": "جلسة {name}",
    "one sentence on two lines": "جملة",
    "Sign in": "ادخل",
}
FORMS = {
    "One day is left.": [
        "لا أيام",
        "يوم",
        "يومان",
        "%(days)s أيام",
        "%(days)s يوما",
        "%(days)s يوم",
    ],
    "%(n)d seat": ["لا مقاعد", "مقعد", "مقعدان", "%(n)d مقاعد", "%(n)d مقعدا", "%(n)d مقعد"],
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch) -> Path:
    """A little house whose catalogue is complete."""
    monkeypatch.setattr(catalogues, "LANGUAGES", ("ar",))
    (tmp_path / "templates" / "letters").mkdir(parents=True)
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    letter = tmp_path / "templates" / "letters" / "code.subject.txt"
    letter.write_text('{% load i18n %}{% translate "Sign in" %}')
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "models.py").write_text(CODE)
    catalogues.update(tmp_path)
    translate(tmp_path)
    return tmp_path


def translate(house: Path) -> None:
    path = catalogues.catalogue(house, "ar")
    lines, message = [], ""
    for line in path.read_text().splitlines():
        if line.startswith("msgid "):
            message = line[7:-1]
        if line.startswith("msgstr ") and message:
            line = f'msgstr "{ARABIC[message]}"'
        elif line.startswith("msgstr["):
            number = int(line[7])
            line = f'msgstr[{number}] "{FORMS[message][number]}"'
        lines.append(line)
    path.write_text("\n".join(lines) + "\n")


def change(house: Path, old: str, new: str) -> None:
    path = catalogues.catalogue(house, "ar")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_sentence_of_code_templates_and_letters_is_found(house):
    found = {(message.id, message.context) for message in catalogues.collect(house) if message.id}

    assert found == {
        ("Hello (you", None),
        (("One day is left.", "%(days)s days are left."), None),
        ("May", "month"),
        ("Send", None),
        ("Close", None),
        ("Dear %(a)s,", None),
        ("Hearing of {name}", None),
        ("Close", "noun"),
        (("%(n)d seat", "%(n)d seats"), None),
        ("one sentence on two lines", None),
        ("Sign in", None),
    }


def test_a_complete_catalogue_has_no_fault_and_stays_as_it_is(house):
    before = catalogues.catalogue(house, "ar").read_text()

    assert catalogues.check(house) == []
    catalogues.update(house)
    assert catalogues.catalogue(house, "ar").read_text() == before


def test_what_is_translated_stays_and_what_is_gone_goes(house):
    (house / "events" / "models.py").write_text('X = _("Send"), _("New")')

    catalogues.update(house)

    with catalogues.catalogue(house, "ar").open("rb") as file:
        catalogue = read_po(file)
    assert catalogue.get("Send").string == "أرسل"
    assert catalogue.get("New").string == ""
    assert catalogue.get("Hearing of {name}") is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('msgstr "أرسل"', 'msgstr ""', "not translated: Send"),
        ('msgstr "أرسل"', 'msgstr "Send"', "no letter of the language in it: Send"),
        ("جلسة {name}", "جلسة {nom}", "placeholders ['{nom}'] instead of ['{name}']: Hearing"),
        ("عزيزي %(a)s،", "عزيزي،", "placeholders [] instead of ['%(a)s']: Dear"),
        ("%(days)s يوما", "يوما", "placeholders [] instead of ['%(days)s']: One day"),
        ('msgstr[5] "%(n)d مقعد"', 'msgstr[5] ""', "a plural form is not translated: %(n)d seat"),
        ('msgstr "أرسل"', 'msgstr "أرسل 发送"', "letters of another script in it: Send"),
        ('msgid "Send"', 'msgid "Sned"', "not as in the sources; run make messages: Send"),
        ("#: templates/letters/code.subject.txt", "#, fuzzy", "marked as fuzzy: Sign in"),
    ],
)
def test_a_fault_is_named(house, old, new, fault):
    change(house, old, new)

    assert any(
        f"locale/ar/LC_MESSAGES/django.po: {fault}" in line for line in catalogues.check(house)
    )


def test_a_missing_plural_form_is_named(house):
    change(house, 'msgstr[5] "%(n)d مقعد"\n', "")

    assert any("plural" in line and "%(n)d seat" in line for line in catalogues.check(house))


def test_a_new_sentence_is_named(house):
    (house / "events" / "forms.py").write_text('label = _("Never seen")')

    assert catalogues.check(house) == [
        "locale/ar/LC_MESSAGES/django.po: not as in the sources; run make messages: Never seen"
    ]


def test_a_name_may_stay_in_its_own_letters_when_it_is_listed(house):
    change(house, 'msgstr "أرسل"', 'msgstr "Send"')
    (house / "locale" / "ar" / "unchanged.txt").write_text("Send\n")

    assert catalogues.check(house) == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("Envoyer", None),
        ("Send", "the English sentence as it is: Send"),
        ("Отправить", "no letter of the language in it: Send"),
        ("Envoyer أرسل", "letters of another script in it: Send"),
    ],
)
def test_what_is_said_in_latin_letters_is_not_taken_for_english(tmp_path, monkeypatch, said, fault):
    monkeypatch.setattr(catalogues, "LANGUAGES", ("fr",))
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "models.py").write_text('X = _("Send")')
    catalogues.update(tmp_path)
    path = catalogues.catalogue(tmp_path, "fr")
    path.write_text(path.read_text().replace('"Send"\nmsgstr ""', f'"Send"\nmsgstr "{said}"'))

    name = "locale/fr/LC_MESSAGES/django.po"
    assert catalogues.check(tmp_path)[:1] == ([f"{name}: {fault}"] if fault else [])


def test_compiling_makes_what_is_older_only(house):
    catalogues.compile_all(house)
    compiled = catalogues.catalogue(house, "ar").with_suffix(".mo")
    first = compiled.stat().st_mtime_ns

    catalogues.compile_all(house)

    assert compiled.stat().st_mtime_ns == first
    assert "أرسل".encode() in compiled.read_bytes()


def test_every_interface_language_but_english_has_a_catalogue():
    spoken = {to_locale(code) for code, _ in settings.LANGUAGES}
    assert {*catalogues.LANGUAGES} == spoken - {"en"}


def test_the_six_languages_of_the_united_nations_are_spoken():
    assert [code for code, _ in settings.LANGUAGES] == ["ar", "zh-hans", "en", "fr", "ru", "es"]
