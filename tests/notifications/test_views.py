import re
import uuid
from datetime import timedelta

import pytest

from notifications.models import Kind
from tests.notifications.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings):
    settings.DEMO = True


def shown(response) -> list[str]:
    return re.findall(r"/demo/mailbox/([0-9a-f-]{36})/", response.content.decode())


def test_a_real_portal_has_no_mailbox(client, settings, post):
    letter = post()
    settings.DEMO = False

    assert client.get("/demo/mailbox/").status_code == 404
    assert client.get(f"/demo/mailbox/{letter.pk}/").status_code == 404


def test_the_mailbox_lists_the_latest_fifty(client, post):
    letters = [post(f"letter {n}", now=NOON + timedelta(minutes=n)) for n in range(51)]

    response = client.get("/demo/mailbox/")

    assert response.status_code == 200
    assert shown(response) == [str(letter.pk) for letter in reversed(letters[1:])]
    assert response["X-Robots-Tag"] == "noindex"
    assert "no-store" in response["Cache-Control"]


def test_the_mailbox_can_be_narrowed_to_one_address(client, post):
    post("amina's")
    bos = post("bo's", to="Bo@Ports.example")

    assert shown(client.get("/demo/mailbox/", {"to": " bo@ports.example "})) == [str(bos.pk)]
    assert shown(client.get("/demo/mailbox/", {"to": "nobody\x00@example.org"})) == []


def test_a_letter_shows_its_text_and_never_its_html(client, post):
    letter = post(
        kind=Kind.SECRET,
        subject="Your <code>",
        text="7F3K92 <script>alert(1)</script>\nhttp://127.0.0.1:8000/en/?a=1&b=2",
        html="<p>in the other part</p>",
    )

    page = client.get(f"/demo/mailbox/{letter.pk}/").content.decode()

    assert "Your &lt;code&gt;" in page
    assert "7F3K92 &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'href="http://127.0.0.1:8000/en/?a=1&amp;b=2"' in page
    assert "in the other part" not in page


def test_an_unknown_letter_is_not_found(client):
    assert client.get(f"/demo/mailbox/{uuid.uuid4()}/").status_code == 404


def test_the_mailbox_only_reads(client):
    assert client.post("/demo/mailbox/").status_code == 405
