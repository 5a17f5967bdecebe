"""Organisers sign in to a real portal, without the demo: with an app, and with a key."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import ROOT, Sink, free_port, running_portal
from tests.browser.test_thin_line import sign_in

pytestmark = pytest.mark.browser

CLARA, DINA = "clara@secretariat.example", "dina@secretariat.example"
PEOPLE = f"""
import clock
from accounts.models import User
from events import roles
from events.models import Process
User.objects.create_superuser("{CLARA}", name="Clara")
process = Process.objects.create(slug="gcm", prefix="GCM", name_en="Global Compact")
dina = User.objects.create_user("{DINA}", name="Dina")
roles.grant(dina, on=process, by=None, now=clock.now())
"""
INSIDE = "What would you like to work on?"
EVERY_PAGE = ["/admin/", "/admin/events/event/", "/admin/registrations/delegate/"]


@pytest.fixture(scope="module")
def real_portal(sink: Sink) -> Iterator[str]:
    """Its address has a name: keys belong to names, not to numbers."""
    port = free_port()
    address = f"http://localhost:{port}"
    more = {"DEMO": "0", "BASE_URL": address, "SECRET_KEY": "only-for-this-test" * 4}
    with running_portal(sink, port, **more) as environment:
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", PEOPLE],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
        yield address


@pytest.fixture
def visitor(browser: Browser, real_portal: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=real_portal)
    context.set_default_timeout(15_000)
    yield context
    context.close()


def give_key(page: Page) -> None:
    """A device with a key in it that its owner opens by finger."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def code_of(secret: str) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


def type_code(page: Page, secret: str, button: str) -> None:
    page.locator("#id_code").fill(code_of(secret))
    page.get_by_role("button", name=button, exact=True).click()


def stays_out(page: Page) -> None:
    for address in EVERY_PAGE:
        page.goto(address)
        assert "/accounts/factors/" in page.url, address
        expect(page.get_by_text(INSIDE)).to_have_count(0)


def comes_in(page: Page) -> None:
    page.goto("/admin/")
    expect(page.get_by_text(INSIDE)).to_be_visible()


def test_an_organiser_signs_in_with_an_app(visitor: BrowserContext, browser: Browser, sink: Sink):
    page = visitor.new_page()
    page.goto("/admin/")
    sign_in(page, CLARA, sink)
    expect(page.get_by_role("heading", name="Ways to sign in", level=1)).to_be_visible()
    stays_out(page)

    page.get_by_role("link", name="Set up an app").click()
    expect(page.locator("img.qr")).to_be_visible()
    secret = page.locator("#authenticator_secret").inner_text()
    type_code(page, secret, "Set up the app")
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them. Go on").click()
    assert page.url.endswith(EVERY_PAGE[-1])
    comes_in(page)

    elsewhere = browser.new_context(base_url=page.url.split("/admin")[0]).new_page()
    elsewhere.goto("/admin/")
    sign_in(elsewhere, CLARA, sink)
    expect(elsewhere.get_by_role("heading", name="One more step")).to_be_visible()
    elsewhere.goto("/admin/")
    expect(elsewhere.get_by_label("Email address")).to_be_visible()
    sign_in(elsewhere, CLARA, sink)
    type_code(elsewhere, secret, "Sign in")
    comes_in(elsewhere)
    elsewhere.context.close()


def test_an_organiser_signs_in_with_a_key(visitor: BrowserContext, browser: Browser, sink: Sink):
    page = visitor.new_page()
    give_key(page)
    page.goto("/admin/")
    sign_in(page, DINA, sink)
    expect(page.get_by_role("heading", name="Ways to sign in", level=1)).to_be_visible()
    stays_out(page)

    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Name of this key").fill("phone")
    page.get_by_role("button", name="Add this key").click()
    page.get_by_role("link", name="I have kept them. Go on").click()
    comes_in(page)

    page.goto("/en/accounts/me/")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/admin/")
    page.get_by_role("button", name="Sign in with a key").click()
    expect(page.get_by_text(INSIDE)).to_be_visible()

    elsewhere = browser.new_context(base_url=page.url.split("/admin")[0]).new_page()
    elsewhere.goto("/admin/")
    sign_in(elsewhere, DINA, sink)
    expect(elsewhere.get_by_role("heading", name="One more step")).to_be_visible()
    give_key(elsewhere)
    elsewhere.get_by_role("button", name="Use a key").click()
    expect(elsewhere.get_by_role("alert")).to_contain_text("The key did not answer")
    elsewhere.goto("/admin/")
    expect(elsewhere.get_by_label("Email address")).to_be_visible()
    elsewhere.context.close()


def test_a_group_may_have_a_key_too_and_give_it_a_name(visitor: BrowserContext, sink: Sink):
    page = visitor.new_page()
    give_key(page)
    page.goto("/en/accounts/factors/")
    sign_in(page, "eva@kafo.example", sink)
    page.get_by_role("link", name="Add a key").click()
    page.get_by_role("button", name="Add this key").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.goto("/en/accounts/factors/webauthn/")
    expect(page.get_by_text("Opens your account alone.")).to_be_visible()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name of this key").fill("ключ")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="ключ")).to_be_visible()
