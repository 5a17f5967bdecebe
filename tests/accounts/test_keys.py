"""What browsers say of keys, and what nobody's browser would say. (Real keys are used in
tests/browser/test_second_factor.py.)"""

import base64
import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from tests.accounts.test_second_factor import app_of, code_of
from tests.conftest import let_in


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def said(**response: object) -> str:
    return json.dumps(
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": {}}
        | {"response": response}
    )


CLIENT = b64(json.dumps({"type": "webauthn.get", "challenge": "AA", "origin": "x"}).encode())
HOSTILE = [
    "",
    "null",
    "1",
    '"x"',
    "[]",
    "[[]]",
    "{}",
    "{",
    '{"response": 1}',
    '{"response": []}',
    '{"response": {}}',
    '{"response": {"userHandle": 1}}',
    '{"response": {"userHandle": null}, "id": "\\u0000"}',
    '{"response": {"userHandle": "AAAA"}, "id": 5, "rawId": [], "type": {}}',
    '{"a": ' * 5000 + "1" + "}" * 5000,
    "[" * 100_000,
    "9" * 10_000,
    "NaN",
    said(),
    said(userHandle=b64(b"not a uuid"), clientDataJSON="", authenticatorData="", signature=""),
    said(userHandle="é", clientDataJSON="{}", authenticatorData="AA", signature="AA"),
    said(userHandle=b64(b"\xff"), clientDataJSON=CLIENT, authenticatorData="AAAA", signature="AA"),
    said(
        userHandle=b64(b"0" * 32),
        clientDataJSON=CLIENT,
        authenticatorData=b64(b"\0" * 37),
        signature=b64(b"\0"),
    ),
    said(clientDataJSON=CLIENT, attestationObject=b64(b"\xa1\x00")),
    said(clientDataJSON=CLIENT, attestationObject=b64(b"\xff" * 50)),
    said(clientDataJSON=b64(b"[]"), attestationObject=b64(b"\xa0")),
    said(clientDataJSON=b64(b"\xff"), attestationObject="!"),
]


@pytest.mark.parametrize("credential", HOSTILE)
def test_what_is_no_key_opens_nothing_at_the_door(client, amina, credential):
    client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"})

    answer = client.post(reverse("mfa_login_webauthn"), {"credential": credential})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/en/accounts/login/")
    assert "_auth_user_id" not in client.session


@pytest.fixture
def with_app(amina) -> Client:
    client = Client()
    let_in(client, amina)
    client.post(reverse("mfa_reauthenticate"), {"code": code_of(app_of(amina))})
    return client


def test_what_is_no_key_is_not_added(with_app, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    for credential in HOSTILE:
        with_app.get(reverse("mfa_add_webauthn"))
        page = with_app.post(reverse("mfa_add_webauthn"), {"credential": credential, "name": "a"})
        assert page.status_code == 200, credential[:100]
        assert page.context["form"].errors
    assert not Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b"])
def test_a_name_that_cannot_be_kept_is_refused_beside_its_field(with_app, name):
    with_app.get(reverse("mfa_add_webauthn"))

    page = with_app.post(reverse("mfa_add_webauthn"), {"credential": "{}", "name": name})

    assert "name" in page.context["form"].errors


def test_what_is_no_key_is_no_second_half_of_a_sign_in(with_app, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    for credential in HOSTILE:
        page = with_app.post(reverse("mfa_reauthenticate_webauthn"), {"credential": credential})
        assert page.status_code in (200, 302), credential[:100]


@pytest.mark.parametrize("address", ["authenticate/", "webauthn/keys/1/remove/", "totp/activate/"])
def test_strangers_are_sent_to_the_door(client, now, address):
    answer = client.get(f"/en/accounts/factors/{address}")

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/en/accounts/login/")


@pytest.mark.parametrize("code", ["", "x" * 5000, "\x00", "١٢٣٤٥٦", "<b>", "000000"])
def test_a_code_that_is_none_is_refused_beside_its_field(with_app, code):
    page = with_app.post(reverse("mfa_reauthenticate"), {"code": code})

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["code"]
