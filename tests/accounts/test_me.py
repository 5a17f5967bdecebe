import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Letter
from tests.conftest import let_in

ME = "/en/accounts/me/"


def test_one_may_change_ones_name_language_and_zone(client, amina):
    client.force_login(amina)

    page = client.post(ME, {"name": "Amina D.", "language": "ar", "zone": "Africa/Bamako"})

    assert (page.status_code, page["Location"]) == (302, ME)
    amina.refresh_from_db()
    assert (amina.name, amina.language, amina.zone) == ("Amina D.", "ar", "Africa/Bamako")


@pytest.mark.parametrize(
    ("field", "typed"), [("zone", "Atlantis/Capital"), ("language", "tlh"), ("language", "")]
)
def test_a_zone_or_language_that_does_not_exist_is_refused(client, amina, field, typed):
    client.force_login(amina)

    page = client.post(ME, {"name": "Amina", "language": "en", "zone": "UTC"} | {field: typed})

    assert page.status_code == 200
    assert list(page.context["form"].errors) == [field]


def test_one_may_not_make_oneself_an_organiser(client, amina):
    client.force_login(amina)

    client.post(
        ME,
        {
            "name": "Amina",
            "language": "en",
            "zone": "UTC",
            "is_staff": "on",
            "is_superuser": "on",
            "email": "clara@secretariat.example",
        },
    )

    user = User.objects.get(pk=amina.pk)
    assert (user.is_staff, user.is_superuser, user.email) == (
        False,
        False,
        "amina@diaspora.example",
    )


def test_strangers_are_sent_to_the_door(client, now):
    page = client.get(ME)

    assert (page.status_code, page["Location"]) == (302, f"/en/accounts/login/?next={ME}")


def test_one_may_ask_for_subjects_that_say_nothing(client, amina, bo):
    let_in(client, amina)
    asked = {"name": "Amina", "language": "en", "zone": "UTC", "neutral_subjects": "on"}
    client.post(ME, asked)
    amina.refresh_from_db()
    assert amina.neutral_subjects

    client.post("/en/accounts/address/", {"email": "new@diaspora.example"})
    for user in (amina, bo):
        Client().post("/en/accounts/login/", {"email": user.email})

    subjects = dict(Letter.objects.values_list("to", "subject"))
    assert subjects == {
        "new@diaspora.example": "Your code",
        amina.email: "Your code",
        bo.email: "Your code for the GCM Portal",
    }

    client.post(ME, {**asked, "neutral_subjects": ""})
    amina.refresh_from_db()
    assert not amina.neutral_subjects
