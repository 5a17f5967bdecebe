"""The reader of pages itself: it must see what it looks for."""

import pytest

from tests.hostile import forms, texts

PAGE = """
<form method="post" action="save/"><input type="hidden" name="seen" value="a1">
<input name="name" value="Ann"><textarea name="note">x &lt; y</textarea>
<select name="role"><option value=""></option><option value="head">Head</option></select>
<input type="radio" name="way" value="one"><input type="radio" name="way" value="two" checked>
<input type="checkbox" name="more"><input type="file" name="paper">
<button name="send" value="1">Send</button></form>
"""


def test_a_form_is_read_as_a_browser_would_send_it():
    (form,) = forms.Page("/en/here/", PAGE).forms()

    assert (form.action, form.method) == ("/en/here/save/", "post")
    assert form.values == {
        "seen": ["a1"],
        "name": ["Ann"],
        "note": ["x < y"],
        "role": ["head"],
        "way": ["two"],
        "send": ["1"],
    }
    assert (form.typed, form.files) == ({"name": "", "note": "textarea"}, ["paper"])
    assert form.filled("one", "two")["note"] == ["two"]
    assert form.forged("x")["role"] == ["x"]


def test_a_row_is_added_to_a_table_as_its_script_does():
    page = """<form><input type=hidden name=parts-TOTAL_FORMS value=1>
    <input name=parts-0-name value=Old><input name=parts-__prefix__-name maxlength=5>
    <select name=parts-__prefix__-kind><option value=a></select></form>"""

    (form,) = forms.Page("/", page).forms()

    assert form.values["parts-TOTAL_FORMS"] == ["2"]
    assert form.sensible("longer")["parts-1-name"] == ["longe"]
    assert form.words == ["parts-0-name", "parts-1-name"]
    (as_it_is,) = forms.Page("/", page).forms(more_rows=0)
    assert as_it_is.words == ["parts-0-name"]


def test_what_is_no_word_is_filled_with_what_will_do():
    page = """<form><input name=name><input type=email name=email><input type=date name=day>
    <input name=slug><select name=country><option value="" selected><option value=ML></select>
    </form>"""

    (form,) = forms.Page("/", page).forms()

    assert form.sensible("<b>", date="2018-02-07") == {
        "name": ["<b>"],
        "email": ["ann@group.example"],
        "day": ["2018-02-07"],
        "slug": ["a-new-one"],
        "country": ["ML"],
    }


def test_filters_are_asked_of_their_own_page():
    page = "<a href='?state=x&amp;q='>1</a><a href='/en/?p=2'>2</a><a href='/ar/?lang=x'>3</a>"

    questions = forms.Page("/en/", page).questions

    assert [(each.action, each.chosen) for each in questions] == [
        ("/en/", ["state"]),
        ("/en/", ["q"]),
        ("/en/", ["p"]),
    ]


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<p onclick=x>",
        "<a href='JavaScript:x'>",
        "<a href='data:text/html,x'>",
        "<iframe src=x></iframe>",
        "<x-zq7>",
        "<meta http-equiv=refresh content=0>",
        "<base href=x>",
        "<p style='color:red'>",
        "<style>*{}</style>",
        "<!--zq7-->",
        "<img src=//zq7.example>",
        "<link href=https://zq7.example>",
        "<form action=//zq7.example>",
    ],
)
def test_what_is_alive_is_seen(page):
    assert forms.Page("", page).alive


@pytest.mark.parametrize("tail", [".zq7.example", "@zq7.example", ":1", ""])
def test_a_server_whose_name_begins_as_ours_is_not_ours(settings, tail):
    page = "<link rel=alternate href={}>".format
    assert forms.Page("", page(f"{settings.BASE_URL}/ar/")).alive == []
    assert forms.Page("", page(settings.BASE_URL + tail)).alive


def test_what_is_written_as_text_is_not_alive():
    page = "<p>&lt;script&gt;</p><script src=a></script><img src='data:x'><!-- ours -->"
    assert forms.Page("", page).alive == []
    assert forms.Page("", page).said.split() == ["<script>", "a", "data:x"]


def test_the_texts_are_some_hundreds_and_none_stands_twice():
    every = texts.every()
    assert len(every) == len(set(every)) > 300
