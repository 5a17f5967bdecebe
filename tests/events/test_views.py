"""What people ask for by their address, through HTTP."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from events import following, schedule
from events.models import Event, Follower
from notifications import preferences
from notifications.models import Kind, Letter, Preference

pytestmark = pytest.mark.django_db

FOLLOW = "/en/events/hearing/follow/"
NOT_TOKENS = ["x", "a:b", "%00", "..", "%F0%9F%98%80", "~" * 900, "1:2:3", "x" * 5000, "a%0d%0ab"]


def body(response) -> str:
    """The page without what changes each time."""
    html = response.content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|data-now="[^"]*"', "", html)


def link(page: str) -> str:
    """Where the newest letter leads, on this machine."""
    text = Letter.objects.latest("posted_at", "pk").text
    return re.search(rf"https?://[^/\s]+(/\S*{page}\S*)", text)[1]


@pytest.fixture
def followed(client, hearing) -> Follower:
    client.post(FOLLOW, {"email": "Lena@example.org"})
    return Follower.objects.get()


# Following


def test_an_address_follows_once_it_says_so_by_the_link(client, hearing, now):
    taken = client.post(FOLLOW, {"email": "lena@example.org"})
    assert "Look into your mailbox" in body(taken)
    follower = Follower.objects.get()
    assert (follower.email, follower.language, follower.zone, follower.confirmed_at) == (
        "lena@example.org",
        "en",
        "America/New_York",
        None,
    )
    address = link("follow/confirm")

    assert "Shall we tell you?" in body(client.get(address))
    assert client.head(address).status_code == 200
    follower.refresh_from_db()
    assert follower.confirmed_at is None
    told = client.post(address, follow=True)

    assert "We tell you" in body(told)
    follower.refresh_from_db()
    assert follower.confirmed_at is not None


def test_the_answer_does_not_tell_whether_an_address_follows_already(client, followed, now):
    following.confirm(followed, now=now)

    known, unknown = (
        client.post(FOLLOW, {"email": email}) for email in ("lena@example.org", "new@example.org")
    )

    assert body(known) == body(unknown)
    assert Follower.objects.count() == 2


def test_whole_processes_are_followed(client, hearing, process):
    page = client.get("/en/processes/gcm/")
    assert 'href="/en/processes/gcm/follow/"' in body(page)

    client.post("/en/processes/gcm/follow/", {"email": "lena@example.org"})
    client.post(link("follow/confirm"))

    follower = Follower.objects.get()
    assert follower.process == process
    assert follower.confirmed_at is not None


def test_the_language_is_that_of_the_page(client, hearing):
    client.post("/ar/events/hearing/follow/", {"email": "lena@example.org"})

    assert Follower.objects.get().language == "ar"
    assert link("follow/confirm").startswith("/ar/")


def test_stopping_forgets_the_address(client, followed):
    address = f"/en/follow/stop/{following.token(followed)}/"

    assert "Stop these letters?" in body(client.get(address))
    assert Follower.objects.exists()
    stopped = client.post(address, {"what": "this"})

    assert "Stopped" in body(stopped)
    assert not Follower.objects.exists()
    assert client.get(address).status_code == 404


def test_everything_is_stopped_with_one_more_button(client, followed, process):
    client.post("/en/processes/gcm/follow/", {"email": "lena@example.org"})
    client.post(FOLLOW, {"email": "other@example.org"})
    address = f"/en/follow/stop/{following.token(followed)}/"
    assert "Stop everything, 1 more too" in body(client.get(address))

    client.post(address, {"what": "everything"})

    assert [each.email for each in Follower.objects.all()] == ["other@example.org"]


@pytest.mark.parametrize(
    "typed", [{}, {"email": ""}, {"email": "lena"}, {"email": "\x00@x"}, {"email": "x" * 9999}]
)
def test_what_is_no_address_gets_a_sentence(client, hearing, typed):
    response = client.post(FOLLOW, typed)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Follower.objects.exists()


def test_a_draft_is_not_followed_and_a_cancelled_event_neither(client, hearing, clara, now):
    Event.objects.update(state="draft")
    assert client.get(FOLLOW).status_code == 404
    Event.objects.update(state="published")
    schedule.cancel(Event.objects.get(), by=clara, now=now, reason="Storm")

    response = client.post(FOLLOW, {"email": "lena@example.org"})

    assert "is cancelled" in body(response)
    assert not Follower.objects.exists()


def test_whoever_is_signed_in_need_not_type_the_address(client, hearing, amina):
    client.force_login(amina)

    assert 'value="amina@diaspora.example"' in body(client.get(FOLLOW))


def test_whoever_stopped_by_one_click_may_say_yes_again(client, followed, hearing):
    address = link("follow/confirm")
    client.post(address)
    for kind in (Kind.REMINDER, Kind.ANNOUNCEMENT):
        client.post(f"/en/letters/stop/{preferences.token(followed.email, hearing.pk, kind)}/")
    assert "Yes, tell me" in body(client.get(address))

    assert "We tell you" in body(client.post(address, follow=True))
    assert not Preference.objects.exists()


# What one hears


def choice(*followers: Follower, **chosen: list[str]) -> dict[str, list[str]]:
    """What the page of the switches posts."""
    rows = {str(each.pk): wishes for each, wishes in zip(followers, chosen.values(), strict=True)}
    return {"row": list(rows), **rows}


def wishes(follower: Follower) -> list[str]:
    return sorted(following.wishes(Follower.objects.get(pk=follower.pk)))


@pytest.fixture
def heard(followed, process, now) -> tuple[str, Follower, Follower]:
    """The link, and what the address has said yes to: the hearing, and its whole process."""
    address = link("follow/confirm")
    whole = following.follow("lena@example.org", on=process, language="en", zone="UTC", now=now)
    for each in (followed, whole):
        following.confirm(each, now=now)
    return address, followed, whole


def test_the_link_leads_to_switches_of_all_that_the_address_follows(client, heard):
    address, hearing, whole = heard
    page = client.get(address)

    assert [each for each, _field in page.context["form"].rows()] == [hearing, whole]
    assert body(page).count('type="checkbox"') == body(page).count(" checked") == 6
    assert "All events of Global Compact for Migration" in body(page)
    assert body(page).count("/follow/stop/") == 2


def test_each_switch_is_taken_for_its_own_thing(client, heard):
    address, hearing, whole = heard

    told = client.post(address, choice(hearing, whole, a=["news"], b=[]), follow=True)

    assert "Saved." in body(told)
    assert (wishes(hearing), wishes(whole)) == (["news"], [])
    assert body(told).count(" checked") == 1


def test_what_did_not_stand_on_the_page_is_left_alone(client, heard):
    address, hearing, whole = heard

    client.post(address, choice(hearing, a=["changes"]))

    assert (wishes(hearing), wishes(whole)) == (["changes"], ["changes", "news", "reminders"])


def test_what_was_stopped_meanwhile_is_not_begun_again(client, heard, now):
    address, hearing, whole = heard
    following.stop(whole, now=now)

    assert client.post(address, choice(hearing, whole, a=[], b=["news"])).status_code == 302

    assert list(Follower.objects.all()) == [hearing]


@pytest.mark.parametrize("typed", ["all", "\x00", "news\x00", "x" * 5000, "<b>"])
def test_what_is_no_switch_gets_a_sentence_and_changes_nothing(client, heard, typed):
    address, hearing, whole = heard

    page = client.post(address, choice(hearing, whole, a=[typed], b=[]))

    assert page.status_code == 200
    assert list(page.context["form"].errors) == [str(hearing.pk)]
    assert "Choose from this list." in body(page)
    assert wishes(hearing) == wishes(whole) == ["changes", "news", "reminders"]


def test_others_switches_are_not_reached(client, heard, hearing, now):
    address, *_own = heard
    other = following.follow("eva@example.org", on=hearing, language="en", zone="UTC", now=now)
    following.confirm(other, now=now)

    client.post(address, choice(other, a=[]))

    assert wishes(other) == ["changes", "news", "reminders"]
    assert str(other.pk) not in body(client.get(address))


def test_what_somebody_else_asked_for_in_ones_name_is_not_among_them(client, heard, second, now):
    address, *_own = heard
    schedule.publish(second, by=None, now=now)
    asked = following.follow("lena@example.org", on=second, language="en", zone="UTC", now=now)

    assert str(asked.pk) not in body(client.get(address))


def test_nobody_chooses_before_they_have_said_yes(client, followed):
    address = link("follow/confirm")

    page = client.post(address, choice(followed, a=["news"]))

    assert "Shall we tell you?" in body(page)
    assert Follower.objects.get().confirmed_at is None


def test_the_switch_of_what_one_click_has_stopped_is_off(client, heard, hearing):
    address, follower, whole = heard
    token = preferences.token(follower.email, hearing.pk, Kind.ANNOUNCEMENT)
    client.post(f"/en/letters/stop/{token}/")

    assert wishes(follower) == ["news", "reminders"]
    assert body(client.get(address)).count(" checked") == 5


FOLLOWED = "/en/accounts/following/"


def test_whoever_is_signed_in_has_the_same_switches(client, amina, hearing, now):
    follower = following.follow(amina.email.upper(), on=hearing, language="en", zone="UTC", now=now)
    client.force_login(amina)
    assert "You follow nothing yet." in body(client.get(FOLLOWED))
    following.confirm(follower, now=now)
    assert body(client.get(FOLLOWED)).count(" checked") == 3

    saved = client.post(FOLLOWED, choice(follower, a=["reminders"]), follow=True)

    assert "Saved." in body(saved)
    assert wishes(follower) == ["reminders"]


def test_the_account_page_leads_to_them(client, amina):
    client.force_login(amina)

    assert f'href="{FOLLOWED}"' in body(client.get("/en/accounts/me/"))


# One-click stop


@pytest.fixture
def stop(hearing) -> str:
    token = preferences.token("lena@example.org", hearing.pk, Kind.REMINDER)
    return f"/en/letters/stop/{token}/"


def test_one_click_stops_without_cookies_and_without_a_token_of_the_page(stop, hearing):
    provider = Client(enforce_csrf_checks=True)

    response = provider.post(stop, {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert not provider.cookies
    wish = Preference.objects.get()
    assert (wish.email, wish.scope, wish.kind) == ("lena@example.org", hearing.pk, Kind.REMINDER)


def test_looking_stops_nothing(client, stop, hearing):
    for look in (client.get, client.head):
        assert look(stop).status_code == 200
    page = body(client.get(stop))

    assert "Reminders before deadlines" in page
    assert hearing.name_en in page
    assert "csrfmiddlewaretoken" not in page
    assert not Preference.objects.exists()
    assert not client.cookies


def test_what_was_stopped_says_so_and_can_be_taken_back(client, stop):
    assert "These letters do not come any more." in body(client.post(stop))
    assert "These letters do not come any more." in body(client.get(stop))

    again = client.post(stop, {"again": "1"})

    assert "We write again" in body(again)
    assert not Preference.objects.exists()


def test_stopping_twice_is_stopping_once(client, stop):
    for _time in range(2):
        assert client.post(stop).status_code == 200
    assert Preference.objects.count() == 1


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_ways_of_asking_are_refused(client, stop, method):
    assert getattr(client, method)(stop).status_code == 405


@pytest.mark.parametrize("place", ["follow/confirm", "follow/stop", "letters/stop"])
@pytest.mark.parametrize("token", NOT_TOKENS)
def test_what_is_no_link_of_ours_is_a_clear_page(client, now, place, token):
    for ask in (client.get, client.head, client.post):
        assert ask(f"/en/{place}/{token}/").status_code == 404


def test_a_link_for_one_thing_does_not_open_another(client, followed, stop):
    token = following.token(followed)

    assert client.post(f"/en/letters/stop/{token}/").status_code == 404
    assert client.post(stop.replace("letters", "follow")).status_code == 404
    assert Follower.objects.exists()


def test_a_wrong_link_says_what_to_do(client, now):
    response = client.get("/en/letters/stop/a:b/")

    assert "This link does not work" in body(response)
    assert "noindex" in body(response)


def test_a_follower_of_an_event_that_was_taken_back_is_still_let_go(client, followed):
    Event.objects.update(state="draft")

    client.post(f"/en/follow/stop/{following.token(followed)}/")

    assert not Follower.objects.exists()


def test_the_letter_once_more_a_day_later_and_no_sooner(client, followed):
    client.post(FOLLOW, {"email": "lena@example.org"})
    assert Letter.objects.count() == 1
    Follower.objects.update(asked_at=followed.asked_at - timedelta(days=1))

    client.post(FOLLOW, {"email": "lena@example.org"})

    assert Letter.objects.count() == 2
