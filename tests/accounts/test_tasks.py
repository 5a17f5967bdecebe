from datetime import datetime, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import QueryDict

from accounts import kept, tasks, throttles
from accounts.models import KeptPost, Try, User
from accounts.throttles import What
from audit import trail
from events import roles
from tests.conftest import signed_in


@pytest.fixture
def begun(now):
    """An account of so many days, begun at the door and never opened."""

    def begun(name: str, *, days: int = 8, **facts) -> User:
        user = User.objects.create_user(f"{name}@door.example", **facts)
        User.objects.filter(pk=user.pk).update(date_joined=now - timedelta(days=days))
        return user

    return begun


def left() -> set[str]:
    return {user.email.split("@")[0] for user in User.objects.all()}


def test_accounts_that_nobody_opened_are_forgotten_after_a_week(begun, now):
    begun("old")
    begun("young", days=6)
    begun("seen", last_login=now - timedelta(days=8))
    begun("staff", is_staff=True)
    begun("shut_out", is_active=False)

    tasks.sweep()

    assert left() == {"young", "seen", "staff", "shut_out"}


def test_whoever_has_something_stays(begun, amina, diaspora_network, process, clara, now):
    member, organiser, remembered = begun("member"), begun("organiser"), begun("remembered")
    diaspora_network.memberships.create(user=member, since=now)
    roles.grant(organiser, on=process, by=None, now=now)
    User.objects.filter(pk=organiser.pk).update(is_staff=False)
    trail.record(remembered, "asked", remembered, at=now, scope=None)
    begun("nobody")

    tasks.sweep()

    assert left() == {"member", "organiser", "remembered", "amina", "clara"}


def test_who_signs_in_is_kept(client, now):
    from tests.accounts.test_second_factor import code_for

    client.post("/en/accounts/login/", {"email": "new@door.example"})
    client.post("/en/accounts/login/code/confirm/", {"code": code_for("new@door.example")})
    User.objects.update(date_joined=now - timedelta(days=30))

    tasks.sweep()

    assert left() == {"new"}


def test_who_types_a_code_after_the_account_was_forgotten_knocks_again(client, now):
    from tests.accounts.test_second_factor import code_for

    client.post("/en/accounts/login/", {"email": "new@door.example"})
    User.objects.all().delete()

    answer = client.post("/en/accounts/login/code/confirm/", {"code": code_for("new@door.example")})

    assert (answer.status_code, answer["Location"]) == (302, "/en/accounts/login/")


def test_kept_posts_go_after_a_day_and_tries_after_an_hour(amina, now):
    for hours in (23, 25):
        kept.keep(amina, f"/{hours}/", QueryDict("a=1"), now=now - timedelta(hours=hours))
    for minutes in (59, 61):
        throttles.begin(What.CODE, f"{minutes}", now=now - timedelta(minutes=minutes))

    tasks.sweep()

    assert [post.path for post in KeptPost.objects.all()] == ["/23/"]
    assert Try.objects.count() == 1


def a_session(amina, name: str, *, expires_at: datetime | None) -> None:
    """One of Amina's, with its line in her list; without a moment, the line alone."""
    UserSession.objects.create(user=amina, session_key=name, ip="127.0.0.1", user_agent=name)
    if expires_at:
        Session.objects.create(session_key=name, session_data="", expire_date=expires_at)


def test_sessions_go_when_they_are_over_and_their_lines_with_them(amina, now):
    a_session(amina, "over", expires_at=now - timedelta(minutes=1))
    a_session(amina, "open", expires_at=now + timedelta(minutes=1))
    a_session(amina, "gone", expires_at=None)
    Session.objects.create(session_key="nobodys", session_data="", expire_date=now)

    tasks.sweep()

    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == ["open"]


def test_who_is_signed_in_stays_so(amina):
    client = signed_in(amina)

    tasks.sweep()

    assert client.get("/en/accounts/me/").status_code == 200


def test_it_is_done_once_a_day():
    line = settings.CELERY_BEAT_SCHEDULE["accounts"]

    assert (line["task"], line["schedule"]) == (tasks.sweep.name, 24 * 3600)
