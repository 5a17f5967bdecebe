import re

import pytest
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from accounts.models import User
from notifications.models import Letter
from tests.conftest import let_in

CONFIRM = "/en/accounts/login/code/confirm/"


def test_the_admin_sends_strangers_to_the_door_of_the_portal(client, now):
    page = client.get("/admin/", follow=True)

    assert page.redirect_chain == [
        ("/admin/login/?next=/admin/", 302),
        ("/en/accounts/login/?next=%2Fadmin%2F", 302),
    ]
    assert page.status_code == 200
    assert "password" not in page.content.decode().replace("there is no password", "").lower()


def test_an_organiser_comes_in_by_a_code_as_far_as_the_second_factor(client, clara):
    client.post("/en/accounts/login/?next=/admin/", {"email": clara.email, "next": "/admin/"})
    (code,) = re.findall(r"^ +(\S+)$", Letter.objects.get().text, re.MULTILINE)

    page = client.post(CONFIRM, {"code": code, "next": "/admin/"}, follow=True)

    assert page.redirect_chain == [("/admin/", 302), ("/en/accounts/factors/", 302)]
    assert page.status_code == 200


def test_a_password_opens_nothing(client, clara):
    clara.set_password("letmein")
    clara.save()

    client.post("/admin/login/", {"username": clara.email, "password": "letmein"})

    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("address", ["/admin/", "/admin/login/?next=/admin/"])
def test_the_admin_is_closed_for_who_is_no_organiser(client, amina, address):
    client.force_login(amina)

    page = client.get(address, follow=True)

    assert page.status_code in (403, 404)


@pytest.mark.parametrize("address", ["password_change/", "password_change/done/"])
def test_nobody_has_a_password_to_change(client, clara, address):
    let_in(client, clara)

    assert client.get(f"/admin/{address}").status_code == 404


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_the_admin_speaks_the_organisers_own_language(client, clara, language, direction):
    User.objects.filter(pk=clara.pk).update(language=language)
    let_in(client, clara)

    page = client.get("/admin/", headers={"accept-language": "fr"}).content.decode()

    assert f'<html lang="{language}" dir="{direction}"' in page


def test_an_organiser_whose_last_role_ended_is_out_at_once(client, clara, now):
    from events import roles

    let_in(client, clara)
    assert client.get("/admin/").status_code == 200

    roles.revoke(clara.roles.get(), by=None, now=now)

    assert client.get("/admin/", follow=True).status_code == 404


def test_no_address_of_the_admin_tells_the_public_address_of_an_object(client, clara, draft):
    let_in(client, clara)
    kind = ContentType.objects.get_for_model(draft)

    answer = client.get(reverse("admin:view_on_site", args=[kind.pk, draft.pk]))

    assert answer.status_code == 404
