import re
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

import clock
from accounts import kept
from accounts.models import KeptPost
from notifications.models import Letter
from tests.conftest import let_in, signed_in

FORM = "application/x-www-form-urlencoded"
CONFIRM = "/en/accounts/login/code/confirm/"


def idle(user) -> Client:
    client = signed_in(user)
    session = client.session
    session["seen_at"] = int(time.time()) - 3601
    session.save()
    return client


@pytest.fixture
def change(process) -> str:
    return reverse("admin:events_process_change", args=[process.pk])


@pytest.fixture
def typed(clara, change) -> dict[str, str]:
    """What Clara's own page of the process would send, with another name in it."""
    form = signed_in(clara).get(change).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()} | {
        "name_en": "Compact & <more>"
    }


@pytest.fixture
def formsets(clara, change) -> dict[str, str]:
    sent = {}
    for one in signed_in(clara).get(change).context["inline_admin_formsets"]:
        for form in [one.formset.management_form, *one.formset.forms]:
            for field in form:
                sent[field.html_name] = "" if field.value() is None else field.value()
    return sent


def hidden(page) -> dict[str, list[str]]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    from html import unescape

    sent: dict[str, list[str]] = {}
    for name, value in found:
        sent.setdefault(unescape(name), []).append(unescape(value))
    return sent


def test_what_an_idle_organiser_sends_survives_signing_in_again(
    clara, change, typed, formsets, process
):
    client = idle(clara)

    asked = client.post(change, urlencode(typed | formsets), content_type=FORM)

    post = KeptPost.objects.get()
    go_on = f"/en/accounts/go-on/{post.pk}/"
    assert asked["Location"] == "/en/accounts/login/?" + urlencode({"next": go_on})
    process.refresh_from_db()
    assert process.name_en != "Compact & <more>"

    client.post("/en/accounts/login/", {"email": clara.email, "next": go_on})
    code = re.search(r"^ +(\w{6})$", Letter.objects.get().text, re.MULTILINE)[1]
    answer = client.post(CONFIRM, {"code": code, "next": go_on})
    assert answer["Location"] == go_on
    let_in(client, clara)
    page = client.get(go_on).content.decode()
    sent = hidden(page)
    assert sent["name_en"] == ["Compact & <more>"]
    answer = client.post(go_on, urlencode(sent, doseq=True), content_type=FORM)
    assert (answer.status_code, answer["Location"]) == (307, change)
    client.post(change, urlencode(sent, doseq=True), content_type=FORM)

    process.refresh_from_db()
    assert process.name_en == "Compact & <more>"
    assert client.get(go_on).status_code == 404
    assert client.post(go_on).status_code == 404


def test_it_goes_on_its_way_once(clara, now):
    post = kept.keep(clara, "/admin/", QueryDict("a=1"), now=now)
    client = signed_in(clara)

    answers = [client.post(f"/en/accounts/go-on/{post.pk}/").status_code for _time in range(2)]

    assert answers == [307, 404]


def test_each_of_several_answers_of_one_name_is_kept_and_the_token_is_not(clara, now):
    body = QueryDict("who=1&who=2&note=a%0Ab%00&csrfmiddlewaretoken=secret&empty=")

    post = kept.keep(clara, "/admin/", body, now=now)

    assert kept.answers(post) == [("who", "1"), ("who", "2"), ("note", "a\nb\x00"), ("empty", "")]
    assert "secret" not in post.body


@pytest.mark.parametrize(("letters", "is_kept"), [(1024 * 1024 - 2, True), (1024 * 1024, False)])
def test_up_to_a_megabyte_is_kept(clara, now, letters, is_kept):
    body = QueryDict(mutable=True)
    body["a"] = "x" * letters

    assert (kept.keep(clara, "/admin/", body, now=now) is not None) is is_kept


def test_an_address_that_is_too_long_is_not_kept(clara, now):
    assert kept.keep(clara, "/admin/?q=" + "x" * 2000, QueryDict("a=1"), now=now) is None


def test_a_file_is_not_kept_and_the_page_says_so(clara):
    client = idle(clara)

    answer = client.post("/admin/", {"list": SimpleUploadedFile("a.csv", b"a,b")}, follow=True)

    assert answer.redirect_chain == [("/en/accounts/login/?next=%2Fadmin%2F", 302)]
    assert "could not be kept" in answer.content.decode()
    assert not KeptPost.objects.exists()


def test_what_comes_from_another_site_is_not_kept(clara):
    client = Client(enforce_csrf_checks=True)
    let_in(client, clara)
    session = client.session
    session["seen_at"] = int(time.time()) - 3601
    session.save()

    assert client.post("/admin/", {"a": "1"}).status_code == 403
    assert not KeptPost.objects.exists()


def test_what_was_typed_to_sign_in_is_not_kept(clara):
    idle(clara).post("/en/accounts/factors/reauthenticate/", {"code": "123456"})

    assert not KeptPost.objects.exists()


def test_another_person_does_not_find_it(clara, amina, now):
    post = kept.keep(clara, "/admin/", QueryDict("a=1"), now=now)
    client = signed_in(amina)

    assert client.get(f"/en/accounts/go-on/{post.pk}/").status_code == 404
    assert client.post(f"/en/accounts/go-on/{post.pk}/").status_code == 404
    assert KeptPost.objects.exists()


def test_after_a_day_nobody_does(clara, now):
    post = kept.keep(clara, "/admin/", QueryDict("a=1"), now=clock.now() - timedelta(hours=24))

    assert signed_in(clara).get(f"/en/accounts/go-on/{post.pk}/").status_code == 404


def test_strangers_are_sent_to_the_door(client, clara, now):
    post = kept.keep(clara, "/admin/", QueryDict("a=1"), now=now)

    answer = client.get(f"/en/accounts/go-on/{post.pk}/")

    assert answer["Location"] == f"/en/accounts/login/?next=/en/accounts/go-on/{post.pk}/"


def test_two_at_once_send_it_once(clara, now, at_once):
    post = kept.keep(clara, "/admin/", QueryDict("a=1"), now=now)

    taken = at_once(*[lambda: kept.take(clara, post.pk, now=now)] * 2)

    assert sorted(one is None for one in taken) == [False, True]
