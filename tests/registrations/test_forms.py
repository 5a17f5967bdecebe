import pytest

from registrations.forms import PersonForm


def form(**typed: str) -> PersonForm:
    return PersonForm({"given_names": "Ann", "role": "delegate"} | typed)


def test_names_of_people_leave_their_sentence_alone():
    typed = form(given_names="Ann\u202e\x01 ", family_name="\u2067Lee\r\nBcc: x@y.example")

    assert typed.is_valid()
    assert typed.person().full_name == "Ann Lee Bcc: x@y.example"


@pytest.mark.parametrize("name", ["\u202e", "\x01", " \u2066\u2069"])
def test_somebody_without_a_name_is_refused(name):
    assert form(given_names=name).errors == {"given_names": ["Write at least one name."]}
