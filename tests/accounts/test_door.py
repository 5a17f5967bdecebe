"""Sign-in by a code from a letter, through one door for known and unknown addresses."""

import re
import time
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Kind, Letter

DOOR = "/en/accounts/login/"
CONFIRM = "/en/accounts/login/code/confirm/"
MINE = "/en/registrations/"
A_MINUTE = 60
KNOCKS_IN_A_MINUTE = 20


def knock(client: Client, email: str, *, door: str = DOOR, **more: str):
    return client.post(door, {"email": email, **more}, follow=True)


def code_for(email: str) -> str:
    letter = Letter.objects.filter(to=email, kind=Kind.SECRET).latest("posted_at")
    (code,) = re.findall(r"^ +(\S+)$", letter.text, re.MULTILINE)
    return code


def another(code: str) -> str:
    return "BBBBBB" if code != "BBBBBB" else "CCCCCC"


def seen(page, email: str) -> str:
    """The page without what is different each time."""
    content = re.sub(r'(csrfmiddlewaretoken" value|data-now)="[^"]+"', "", page.content.decode())
    return content.replace(email, "EMAIL")


def address_of(length: int) -> str:
    domain = "@diaspora.example"
    return "a" * (length - len(domain)) + domain


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def later(monkeypatch):
    """Let so many seconds pass for those who ask the machine's clock."""

    def later(seconds: float) -> None:
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return later


def test_a_known_and_an_unknown_address_get_the_same_answer(amina):
    answers = []
    for email in ("amina@diaspora.example", "stranger@diaspora.example"):
        client = Client()
        page = knock(client, email)
        answers.append(
            (page.redirect_chain, page.status_code, seen(page, email), sorted(client.cookies))
        )

    assert answers[0] == answers[1]
    assert answers[0][0] == [(CONFIRM, 302)]
    assert "EMAIL" in answers[0][2]
    letters = Letter.objects.order_by("posted_at")
    assert [(letter.to, letter.subject, letter.kind) for letter in letters] == [
        ("amina@diaspora.example", "Your code for the GCM Portal", Kind.SECRET),
        ("stranger@diaspora.example", "Your code for the GCM Portal", Kind.SECRET),
    ]


def test_the_code_has_six_characters(client, amina):
    knock(client, amina.email)

    assert re.fullmatch(r"[A-Z0-9]{6}", code_for(amina.email))


def test_the_letter_is_no_longer_sent_when_the_code_no_longer_works(client, amina):
    knock(client, amina.email)

    letter = Letter.objects.get()
    assert (letter.expires_at - letter.posted_at).total_seconds() == 30 * A_MINUTE


def test_the_code_opens_the_door(client, amina):
    knock(client, amina.email)

    page = client.post(CONFIRM, {"code": code_for(amina.email)})

    assert (page.status_code, page["Location"]) == (302, MINE)
    assert client.session["_auth_user_id"] == str(amina.pk)


def test_a_newcomer_has_an_account_once_the_code_is_typed(client, now):
    knock(client, "stranger@diaspora.example", door="/ar/accounts/login/")

    client.post(CONFIRM, {"code": code_for("stranger@diaspora.example")})

    user = User.objects.get(email="stranger@diaspora.example")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert (user.language, user.is_staff, user.is_superuser) == ("ar", False, False)
    assert not user.has_usable_password()


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}", "{2} {3}", "{2}-{3}"])
def test_a_code_is_taken_as_people_paste_it(client, amina, typed):
    knock(client, amina.email)
    code = code_for(amina.email)

    client.post(CONFIRM, {"code": typed.format(code, code.lower(), code[:3], code[3:])})

    assert is_signed_in(client)


@pytest.mark.parametrize(
    "email", ["AMINA@Diaspora.Example", " amina@diaspora.example ", "Amina@diaspora.example"]
)
def test_an_address_is_the_same_however_it_is_written(client, amina, email):
    knock(client, email)

    assert User.objects.count() == 1
    letter = Letter.objects.get()
    assert letter.to.lower() == "amina@diaspora.example"
    client.post(CONFIRM, {"code": code_for(letter.to)})
    assert client.session["_auth_user_id"] == str(amina.pk)


def test_the_database_has_one_account_for_an_address_however_it_is_written(amina):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("AMINA@diaspora.example")


@pytest.mark.parametrize("minutes", [1, 14, 16, 29])
def test_the_code_works_for_thirty_minutes(client, amina, later, minutes):
    knock(client, amina.email)
    later(minutes * A_MINUTE)

    client.post(CONFIRM, {"code": code_for(amina.email)})

    assert is_signed_in(client)


def test_after_thirty_minutes_it_no_longer_works(client, amina, later):
    knock(client, amina.email)
    later(30 * A_MINUTE + 1)

    page = client.post(CONFIRM, {"code": code_for(amina.email)}, follow=True)

    assert page.redirect_chain[-1] == (DOOR, 302)
    assert not is_signed_in(client)


def test_a_wrong_code_is_refused_beside_the_field(client, amina):
    knock(client, amina.email)

    page = client.post(CONFIRM, {"code": another(code_for(amina.email))})

    assert page.status_code == 200
    assert page.context["verify_form"].errors == {"code": ["Incorrect code."]}
    assert not is_signed_in(client)


def test_four_wrong_codes_do_not_shut_out_the_right_one(client, amina):
    knock(client, amina.email)
    code = code_for(amina.email)
    for _attempt in range(4):
        assert client.post(CONFIRM, {"code": another(code)}).status_code == 200

    client.post(CONFIRM, {"code": code})

    assert is_signed_in(client)


def test_after_five_wrong_codes_the_right_one_is_refused(client, amina):
    knock(client, amina.email)
    code = code_for(amina.email)
    answers = [client.post(CONFIRM, {"code": another(code)}) for _attempt in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 302]

    client.post(CONFIRM, {"code": code})

    assert not is_signed_in(client)


def test_another_code_makes_the_first_one_worthless(client, amina):
    knock(client, amina.email)
    first = code_for(amina.email)

    page = client.post(CONFIRM, {"action": "resend"}, follow=True)

    assert page.redirect_chain == [(CONFIRM, 302)]
    second = code_for(amina.email)
    assert first != second
    assert Letter.objects.count() == 2
    client.post(CONFIRM, {"code": first})
    assert not is_signed_in(client)
    client.post(CONFIRM, {"code": second})
    assert is_signed_in(client)


def test_another_code_works_for_thirty_minutes_from_when_it_was_sent(client, amina, later):
    knock(client, amina.email)
    later(29 * A_MINUTE)
    client.post(CONFIRM, {"action": "resend"})
    later(29 * A_MINUTE)

    client.post(CONFIRM, {"code": code_for(amina.email)})

    assert is_signed_in(client)


def test_after_its_thirty_minutes_another_code_no_longer_works(client, amina, later):
    knock(client, amina.email)
    later(29 * A_MINUTE)
    client.post(CONFIRM, {"action": "resend"})
    later(30 * A_MINUTE + 1)

    page = client.post(CONFIRM, {"code": code_for(amina.email)}, follow=True)

    assert page.redirect_chain[-1] == (DOOR, 302)
    assert not is_signed_in(client)


def test_a_wrong_address_can_be_typed_anew(client, amina, now):
    page = knock(client, "amina@diaspora.exmaple")
    assert f'<a href="{page.context["login_url"]}">Wrong address?</a>' in page.content.decode()

    again = client.get(page.context["login_url"])
    assert again.status_code == 200
    assert again.context["form"].fields["email"]
    knock(client, amina.email)
    client.post(CONFIRM, {"code": code_for(amina.email)})

    assert client.session["_auth_user_id"] == str(amina.pk)


def test_what_is_no_address_is_refused_beside_the_field(client, now):
    page = client.post(DOOR, {"email": "amina@"})

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["email"]
    assert not User.objects.exists()
    assert not Letter.objects.exists()


@pytest.mark.parametrize("length", [255, 320])
def test_an_address_that_is_too_long_is_refused_beside_the_field(client, now, length):
    page = client.post(DOOR, {"email": address_of(length)})

    assert page.status_code == 200
    assert page.context["form"].errors == {
        "email": ["This address is too long: it has more than 254 characters."]
    }
    assert not User.objects.exists()
    assert not Letter.objects.exists()


def test_an_address_as_long_as_may_be_gets_its_code(client, now):
    email = address_of(254)

    knock(client, email)

    client.post(CONFIRM, {"code": code_for(email)})
    assert is_signed_in(client)


def test_who_may_not_sign_in_sees_the_same_page_and_gets_no_letter(client, amina, bo):
    User.objects.filter(pk=amina.pk).update(is_active=False)

    shut_out, other = knock(client, amina.email), knock(Client(), bo.email)

    assert (shut_out.redirect_chain, shut_out.status_code) == ([(CONFIRM, 302)], 200)
    assert (other.redirect_chain, other.status_code) == ([(CONFIRM, 302)], 200)
    assert seen(shut_out, amina.email) == seen(other, bo.email)
    assert [letter.to for letter in Letter.objects.all()] == [bo.email]
    assert User.objects.count() == 2


def is_let_in(visitor: str, forwarded: str, proxy: str = "10.0.0.1") -> bool:
    page = Client(REMOTE_ADDR=proxy).post(
        DOOR, {"email": f"{visitor}@diaspora.example"}, headers={"x-forwarded-for": forwarded}
    )
    return page.status_code == 302


def test_behind_a_proxy_one_visitor_does_not_use_up_the_knocks_of_another(now, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(KNOCKS_IN_A_MINUTE):
        assert is_let_in(f"many{number}", "203.0.113.7")

    assert not is_let_in("more", "203.0.113.7")
    assert not is_let_in("forged", "198.51.100.1, 203.0.113.7")
    assert is_let_in("other", "203.0.113.8")


def test_without_a_proxy_nobody_says_where_they_come_from(now):
    for number in range(KNOCKS_IN_A_MINUTE):
        assert is_let_in(f"many{number}", f"198.51.100.{number}", "203.0.113.7")

    assert not is_let_in("more", "198.51.100.99", "203.0.113.7")
    assert is_let_in("other", "198.51.100.99", "203.0.113.8")


def test_the_door_leads_on_to_where_one_wanted_to_go(client, amina, hearing):
    wanted = client.get("/en/events/hearing/register/")
    assert (wanted.status_code, wanted["Location"]) == (
        302,
        f"{DOOR}?next=/en/events/hearing/register/",
    )
    knock(client, amina.email, next="/en/events/hearing/register/")

    page = client.post(
        CONFIRM, {"code": code_for(amina.email), "next": "/en/events/hearing/register/"}
    )

    assert page["Location"] == "/en/events/hearing/register/"


def test_the_door_leads_nowhere_else(client, amina):
    knock(client, amina.email, next="https://elsewhere.example/")

    page = client.post(
        CONFIRM, {"code": code_for(amina.email), "next": "https://elsewhere.example/"}
    )

    assert page["Location"] == MINE


def test_whoever_has_to_knock_anew_still_comes_to_where_they_wanted_to_go(client, amina):
    """The answer to the right code was lost with the cookie of the new session."""
    wanted = {"next": "/en/events/hearing/register/"}
    knock(client, amina.email, **wanted)
    cookie, typed = client.cookies["sessionid"].value, {"code": code_for(amina.email)} | wanted
    client.post(CONFIRM, typed)
    client.cookies["sessionid"] = cookie

    page = client.post(CONFIRM, typed)

    assert page["Location"] == f"{DOOR}?{urlencode(wanted)}"


@pytest.mark.parametrize("address", ["signup/", "login/code/"])
def test_every_other_door_leads_to_the_one(client, now, address):
    page = client.get(f"/en/accounts/{address}")

    assert (page.status_code, page["Location"]) == (302, DOOR)


def test_signing_out_asks_first(client, amina):
    client.force_login(amina)
    assert client.get("/en/accounts/logout/").status_code == 200
    assert is_signed_in(client)

    client.post("/en/accounts/logout/")

    assert not is_signed_in(client)
