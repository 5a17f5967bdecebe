import pytest
from django.core.exceptions import ValidationError

from accounts import names
from accounts.forms import MeForm, NameField


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann\r\nBcc: x@y.example", "Ann Bcc: x@y.example"),
        ("Ann\x00\x1b[31m Lee\x7f\x9f", "Ann [31m Lee"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2069\u2067محمد\u2069 ", "محمد"),
        ("  Ana\u2028María\u00a0 ", "Ana María"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("O’Brien-D'Angelo", "O’Brien-D'Angelo"),
        ("\u202e\u202c", ""),
    ],
)
def test_a_name_is_one_line_that_leaves_its_sentence_alone(typed, kept):
    assert names.one_line(typed) == kept
    assert NameField(required=False).clean(typed) == kept


@pytest.mark.parametrize("typed", ["", "\u202e", "\x01\x02", "\u2066 \u2069"])
def test_a_name_that_nobody_sees_is_none(typed):
    assert MeForm({"name": typed, "language": "en", "zone": "UTC"}).is_valid()
    with pytest.raises(ValidationError, match="This field is required."):
        NameField().clean(typed)
