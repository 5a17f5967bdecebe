import pytest

from accounts.apps import safe_factors

REAL = {"DEBUG": False, "BASE_URL": "https://portal.example.org"}


def found(settings, **values) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    return [message.id for message in safe_factors(app_configs=None)]


def test_as_it_is_nothing_is_found(settings):
    assert found(settings, **REAL) == []


def test_a_code_that_opens_every_account_is_found(settings):
    assert found(settings, **REAL, MFA_TOTP_INSECURE_BYPASS_CODE="123456") == ["accounts.E001"]


@pytest.mark.parametrize(
    ("debug", "base_url", "ids"),
    [
        (False, "https://portal.example.org", ["accounts.E002"]),
        (True, "https://portal.example.org", ["accounts.E002"]),
        (False, "http://127.0.0.1:8000", ["accounts.E002"]),
        (True, "http://127.0.0.1:8000", []),
        (True, "http://localhost.example.org", ["accounts.E002"]),
    ],
)
def test_keys_of_other_sites_are_for_trying_out_alone(settings, debug, base_url, ids):
    values = {"DEBUG": debug, "BASE_URL": base_url, "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": True}

    assert found(settings, **values) == ids
