import pytest

from notifications.models import Kind, Letter

SIGNED = (
    "Take it back: https://portal.example.org/en/listing/"
    "ImFtaW5hIg:1tXyZ9:8sJ3kQvGm4Wc0pUu2rTzB7nHfE5dLxYa1oKiVbQwC9M/?from=letter now.\n"
    "Or https://portal.example.org/en/no?t=eyJhIjoxfQ:8sJ3kQvGm4Wc0pUu2rTzB7nHfE5dLxYa1oKiVbQwC9M"
)
PLAIN = "See https://portal.example.org:8443/en/events/hearing-of-the-21-of-february/ at 10:00."


def test_the_message_id_follows_from_the_key(settings):
    settings.BASE_URL = "https://portal.example.org:8443"
    one, same, other = Letter(key="a"), Letter(key="a"), Letter(key="b")

    assert one.message_id == "<ca978112ca1bbdcafac231b39a23dc4d@portal.example.org>"
    assert one.message_id == same.message_id != other.message_id


def test_signed_links_are_masked_and_plain_ones_are_not(settings):
    settings.DEMO = False

    assert Letter(kind=Kind.TRANSACTIONAL, text=SIGNED).shown_text() == (
        "Take it back: https://portal.example.org/en/listing/… now.\n"
        "Or https://portal.example.org/en/no?t=…"
    )
    assert Letter(kind=Kind.TRANSACTIONAL, text=PLAIN).shown_text() == PLAIN


@pytest.mark.parametrize("text", ["7F3K92", ""])
def test_a_code_is_never_shown(settings, text):
    settings.DEMO = False

    assert Letter(kind=Kind.SECRET, text=text).shown_text() == "(a sign-in code; not shown)"


def test_the_demo_shows_everything_it_still_has(settings):
    settings.DEMO = True

    assert Letter(kind=Kind.SECRET, text="7F3K92").shown_text() == "7F3K92"
    assert Letter(kind=Kind.TRANSACTIONAL, text=SIGNED).shown_text() == SIGNED
    assert "no longer valid" in Letter(kind=Kind.SECRET, text="").shown_text()
