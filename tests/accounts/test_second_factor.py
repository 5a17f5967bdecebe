"""No page of the organisers opens without a second factor that was used in this session."""

import re
import time
import uuid
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as portal_settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import KeptPost, User
from events import roles
from notifications.models import Letter
from tests.conftest import let_in, signed_in

CONFIRM = "/en/accounts/login/code/confirm/"
WAYS, AGAIN = "/en/accounts/factors/", "/en/accounts/factors/reauthenticate/"
SAMPLES = {"uuid": str(uuid.uuid4()), "int": "1", "path": "1", "slug": "x", "str": "x"}
AN_HOUR = 3600


def addresses_of(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    """Each address with something made up in its gaps."""
    for pattern in resolver.url_patterns:
        route = re.sub(r"\(\?P<\w+>[^)]*\)|[\\^$]", lambda found: "x" * ("(" in found[0]),
                       str(pattern.pattern))  # fmt: skip
        route = re.sub(r"<(?:(\w+):)?\w+>", lambda gap: SAMPLES[gap[1] or "str"], route)
        if isinstance(pattern, URLPattern):
            yield before + route
        else:
            yield from addresses_of(pattern, before + route)


def organisers_addresses() -> list[str]:
    (admin,) = [one for one in get_resolver().url_patterns if str(one.pattern) == "admin/"]
    found = sorted(set(addresses_of(admin, "/admin/")))
    assert len(found) > 50
    return found


def app_of(user: User) -> str:
    """Set up an app for this person: its secret."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def code_of(secret: str, *, ahead: int = 0) -> str:
    counter = int(time.time()) // 30 + ahead
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def code_for(email: str) -> str:
    letter = Letter.objects.filter(to=email).latest("posted_at")
    return re.search(r"^ +([A-Z0-9]{6})$", letter.text, re.MULTILINE)[1]


def knock(client: Client, email: str, after: str = "/admin/"):
    client.post("/en/accounts/login/", {"email": email, "next": after})
    return client.post(CONFIRM, {"code": code_for(email), "next": after})


@pytest.fixture
def mailbox_only(clara) -> Client:
    """Clara, who has shown no more than her mailbox."""
    client = Client()
    client.force_login(clara)
    return client


def age(client: Client, seconds: int) -> None:
    session = client.session
    session["seen_at"] = int(time.time()) - seconds
    session.save()


@pytest.mark.parametrize(("has_app", "superuser"), [(False, False), (True, True)])
def test_every_address_of_the_organisers_leads_to_the_factor(
    mailbox_only, clara, has_app, superuser
):
    User.objects.filter(pk=clara.pk).update(is_superuser=superuser)
    if has_app:
        app_of(clara)
    there = AGAIN if has_app else WAYS

    for address in organisers_addresses():
        for ask in (mailbox_only.get, mailbox_only.post, mailbox_only.head, mailbox_only.put):
            answer = ask(address)
            assert answer.status_code == 302, address
            assert answer["Location"].split("?")[0] == there, address
    assert not Letter.objects.exists()


def test_with_the_factor_the_same_addresses_lead_there_no_more(clara):
    client = signed_in(clara)

    answers = {address: client.get(address) for address in organisers_addresses()}

    for address, answer in answers.items():
        assert not answer.get("Location", "").startswith((WAYS, AGAIN)), address
    assert answers["/admin/"].status_code == 200


def test_every_address_of_the_organisers_leads_an_idle_one_to_the_door(clara):
    client = signed_in(clara)
    for address in organisers_addresses():
        for ask in ("get", "post"):
            let_in(client, clara)
            age(client, AN_HOUR + 1)
            answer = getattr(client, ask)(address)
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/en/accounts/login/?next="), address
            assert "_auth_user_id" not in client.session, address


def test_a_superuser_who_is_no_organiser_is_asked_too(amina):
    User.objects.filter(pk=amina.pk).update(is_superuser=True)
    client = Client()
    client.force_login(amina)

    assert client.get("/admin/")["Location"] == WAYS


def test_who_becomes_an_organiser_while_signed_in_is_asked_too(client, amina, process, clara, now):
    client.force_login(amina)
    roles.grant(amina, on=process, by=None, now=now)

    assert client.get("/admin/")["Location"] == WAYS


def test_in_the_demo_organisers_come_in_without(mailbox_only, settings):
    settings.DEMO = True

    assert mailbox_only.get("/admin/").status_code == 200


def test_other_pages_open_without(mailbox_only):
    for address in ("/en/", "/en/registrations/", "/en/accounts/me/", WAYS):
        assert mailbox_only.get(address).status_code == 200, address


@pytest.mark.django_db(transaction=True)
def test_who_has_none_is_led_to_set_one_up_and_then_on(mailbox_only, clara):
    page = mailbox_only.get("/admin/events/event/?q=hearing", follow=True)
    assert page.redirect_chain == [(WAYS, 302)]
    assert "Before a page of the organisers opens" in page.content.decode()

    page = mailbox_only.get(reverse("mfa_activate_totp"))
    secret = re.search(r'id="authenticator_secret" dir="ltr">(\w+)<', page.content.decode())[1]
    page = mailbox_only.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)

    assert page.redirect_chain == [(reverse("mfa_view_recovery_codes"), 302)]
    assert 'href="/admin/events/event/?q=hearing"' in page.content.decode()
    assert len(page.context["unused_codes"]) == 10
    assert mailbox_only.get("/admin/events/event/?q=hearing").status_code == 200
    assert "go_on_to" not in mailbox_only.session
    letter = Letter.objects.get()
    assert (letter.to, letter.subject) == (clara.email, "An app for your account at the GCM Portal")


def test_a_wrong_code_sets_nothing_up(mailbox_only, clara):
    mailbox_only.get(reverse("mfa_activate_totp"))

    page = mailbox_only.post(reverse("mfa_activate_totp"), {"code": "000000"})

    assert list(page.context["form"].errors) == ["code"]
    assert not Authenticator.objects.exists()
    assert mailbox_only.get("/admin/")["Location"] == WAYS


def test_the_secret_is_kept_in_no_readable_form(clara):
    secret = app_of(clara)

    held = Authenticator.objects.get(type="totp")

    assert secret not in str(held.data)
    assert held.wrap().validate_code(code_of(secret))


def test_a_code_of_the_mailbox_is_half_a_sign_in_for_who_has_an_app(client, clara):
    secret = app_of(clara)

    page = knock(client, clara.email)
    assert page["Location"].split("?")[0] == "/en/accounts/factors/authenticate/"
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/").status_code == 302
    page = client.post(page["Location"], {"code": code_of(secret)}, follow=True)

    assert client.session["_auth_user_id"] == str(clara.pk)
    assert client.get("/admin/").status_code == 200


def test_a_recovery_code_opens_once(client, clara):
    app_of(clara)
    rescue = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]

    for is_in in (True, False):
        page = knock(client, clara.email)
        client.post(page["Location"], {"code": rescue})
        assert ("_auth_user_id" in client.session) is is_in
        client.post("/en/accounts/logout/")


def test_an_organiser_shows_the_factor_once_more_and_goes_on(mailbox_only, clara):
    secret = app_of(clara)
    asked = mailbox_only.get("/admin/events/event/?q=hearing")

    page = mailbox_only.post(
        asked["Location"], {"code": code_of(secret), "next": "/admin/events/event/?q=hearing"}
    )

    assert page["Location"] == "/admin/events/event/?q=hearing"
    assert mailbox_only.get(page["Location"]).status_code == 200


def test_the_factor_of_one_person_opens_nothing_for_another(clara, process, now):
    eva = User.objects.create_user("eva@secretariat.example")
    roles.grant(eva, on=process, by=None, now=now)
    client = signed_in(clara)
    factor_of_clara = client.session["account_authentication_methods"]
    client.force_login(eva)
    session = client.session
    session["account_authentication_methods"] = factor_of_clara
    session.save()

    assert client.get("/admin/")["Location"] == WAYS


def test_the_last_way_of_an_organiser_cannot_be_taken_away(mailbox_only, clara):
    secret = app_of(clara)
    mailbox_only.post(AGAIN, {"code": code_of(secret)})

    page = mailbox_only.post(reverse("mfa_deactivate_totp"))

    assert "Organisers need it." in page.content.decode()
    assert Authenticator.objects.filter(type="totp").exists()


def test_the_app_of_anybody_else_can(client, amina):
    secret = app_of(amina)
    client.force_login(amina)
    client.post(AGAIN, {"code": code_of(secret)})

    client.post(reverse("mfa_deactivate_totp"))

    assert not Authenticator.objects.exists()


def test_nothing_is_set_up_by_who_cannot_show_the_factor_there_is(mailbox_only, clara):
    app_of(clara)

    for name in ("mfa_add_webauthn", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"):
        page = mailbox_only.get(reverse(name))
        assert page["Location"].split("?")[0] == AGAIN, name
    assert mailbox_only.post(reverse("mfa_generate_recovery_codes"))["Location"].startswith(AGAIN)


def test_what_was_sent_waits_until_the_factor_is_shown(mailbox_only, clara, process):
    secret = app_of(clara)
    address = f"/admin/events/process/{process.pk}/change/"

    asked = mailbox_only.post(address, {"name_en": "Ærø & co", "name_ar": "ميثاق"})

    post = KeptPost.objects.get()
    go_on = f"/en/accounts/go-on/{post.pk}/"
    assert asked["Location"] == f"{AGAIN}?next={go_on.replace('/', '%2F')}"
    page = mailbox_only.post(AGAIN, {"code": code_of(secret), "next": go_on})
    assert page["Location"] == go_on


@pytest.mark.parametrize("seconds", [0, 59 * 60])
def test_an_organiser_stays_signed_in_for_an_hour(clara, seconds):
    client = signed_in(clara)
    age(client, seconds)

    assert client.get("/admin/").status_code == 200
    assert time.time() - client.session["seen_at"] < 60


def test_each_page_of_an_organiser_begins_the_hour_anew_and_writes_once_a_minute(clara):
    client = signed_in(clara)
    age(client, 30)
    seen = client.session["seen_at"]
    client.get("/admin/")
    assert client.session["seen_at"] == seen

    age(client, 61)
    client.get("/admin/")
    assert client.session["seen_at"] > seen


def test_a_group_stays_signed_in_for_a_fortnight_from_its_last_day(client, amina):
    client.force_login(amina)
    client.get("/en/accounts/me/")
    before = client.session.get_expiry_date()
    age(client, 23 * AN_HOUR)
    client.get("/en/accounts/me/")
    assert time.time() - client.session["seen_at"] > 22 * AN_HOUR

    age(client, 25 * AN_HOUR)
    page = client.get("/en/accounts/me/")

    assert page.status_code == 200
    assert page.cookies["sessionid"]["max-age"] == 14 * 24 * AN_HOUR
    assert client.session.get_expiry_date() >= before


def test_a_page_that_everybody_may_read_is_shown_to_an_idle_organiser(clara):
    client = signed_in(clara)
    age(client, AN_HOUR + 1)

    assert client.get("/en/").status_code == 200
    assert "_auth_user_id" not in client.session


def test_an_idle_organiser_may_still_sign_out(clara):
    client = signed_in(clara)
    age(client, AN_HOUR + 1)

    assert client.post("/en/accounts/logout/").status_code == 302
    assert not KeptPost.objects.exists()


def test_the_hour_is_a_setting():
    assert portal_settings.ORGANISER_IDLE_SECONDS == AN_HOUR
