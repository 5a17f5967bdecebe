import pytest
from django.utils import translation

from events.models import Event
from events.texts import text_and_language


@pytest.mark.parametrize(
    ("language", "name", "shown_in"),
    [
        ("en", "Hearing on the Global Compact", "en"),
        ("ar", "جلسة استماع بشأن الاتفاق العالمي", "ar"),
    ],
)
def test_a_text_is_read_in_the_readers_language(hearing, language, name, shown_in):
    with translation.override(language):
        assert hearing.name == name
        assert text_and_language(hearing, "name") == (name, shown_in)


def test_a_text_that_is_not_translated_is_read_in_english(hearing):
    hearing.name_ar = ""

    with translation.override("ar"):
        assert hearing.name == "Hearing on the Global Compact"
        assert text_and_language(hearing, "name") == ("Hearing on the Global Compact", "en")


def test_a_text_without_english_is_read_in_whatever_language_it_has(hearing):
    hearing.city_en, hearing.city_fr = "", "New York (États-Unis)"

    assert text_and_language(hearing, "city") == ("New York (États-Unis)", "fr")


def test_a_text_that_nobody_wrote_is_empty(hearing):
    with translation.override("ar"):
        assert hearing.summary == ""
        assert text_and_language(hearing, "summary") == ("", "ar")


def test_an_english_name_on_the_arabic_page_is_marked_as_english(hearing, client):
    Event.objects.filter(pk=hearing.pk).update(name_ar="")

    page = client.get("/ar/events/hearing/").content.decode()

    assert '<html lang="ar" dir="rtl"' in page
    assert '<span lang="en" dir="ltr">Hearing on the Global Compact</span></h1>' in page


def test_an_arabic_name_on_the_arabic_page_needs_no_mark(hearing, client):
    page = client.get("/ar/events/hearing/").content.decode()

    assert "<h1>جلسة استماع بشأن الاتفاق العالمي</h1>" in page
