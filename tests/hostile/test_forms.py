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
    (form,) = forms.of_page("/en/here/", PAGE)

    assert (form.action, form.method) == ("/en/here/save/", "post")
    assert form.values == {
        "seen": ["a1"],
        "name": ["Ann"],
        "note": ["x < y"],
        "role": ["head"],
        "way": ["two"],
        "send": ["1"],
    }
    assert (form.typed, form.files) == (["name", "note"], ["paper"])
    assert form.filled("one", "two")["note"] == ["two"]
    assert form.forged("x")["role"] == ["x"]


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
    ],
)
def test_what_is_alive_is_seen(page):
    assert forms.alive_in(page)


def test_what_is_written_as_text_is_not_alive():
    assert forms.alive_in("<p>&lt;script&gt;</p><script src=a></script><img src='data:x'>") == []


def test_the_texts_are_some_hundreds_and_none_stands_twice():
    every = texts.every()
    assert len(every) == len(set(every)) > 300
