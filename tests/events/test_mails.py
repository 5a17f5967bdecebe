import re

import pytest
from django.conf import settings

from events import following, mails
from events.models import Follower
from notifications.models import Kind, Letter

pytestmark = pytest.mark.django_db


def follower_of(now, **what) -> Follower:
    return Follower.objects.create(
        email="fan@press.example", language="ar", zone="Asia/Tehran", asked_at=now, **what
    )


def test_link_in_the_letter_is_the_followers(hearing, now):
    follower = follower_of(now, event=hearing)

    mails.follow(follower, now=now)

    letter = Letter.objects.get()
    assert (letter.to, letter.language, letter.scope) == (follower.email, "ar", hearing.id)
    assert letter.kind == Kind.TRANSACTIONAL
    token = re.search(r"/ar/follow/confirm/(\S+)/", letter.text)[1]
    assert following.read(token) == follower
    assert token in letter.html


def test_process_is_followed_with_the_portals_own_contact(process, now):
    follower = follower_of(now, process=process)
    Follower.objects.update(language="en")
    follower.refresh_from_db()

    mails.follow(follower, now=now)

    letter = Letter.objects.get()
    assert letter.subject == "Please confirm: Global Compact for Migration"
    assert "Process: Global Compact for Migration\n" in letter.text
    assert "Date:" not in letter.text
    assert (letter.reply_to, letter.scope) == (settings.CONTACT_EMAIL, None)


def test_twenty_addresses_are_named_each_once_and_the_rest_is_counted(hearing, clara, now):
    letters = [
        Letter(to=f"gone{n:02}@group.example", last_error=f"550 no user {n}", state="failed")
        for n in range(23)
    ]

    mails.unreachable(hearing, clara, [*letters, Letter(to="GONE00@group.example")], now=now)

    letter = Letter.objects.get()
    assert letter.text.startswith("23 addresses could not be reached.\n")
    named = re.findall(r"^- (\S+@\S+): (.*)$", letter.text, re.M)
    assert len(named) == 20
    assert ("gone01@group.example", "550 no user 1") in named
    assert "And 3 more addresses.\n" in letter.text
    assert "/admin/notifications/letter/?state__exact=failed\n" in letter.text


def test_organiser_reads_it_in_their_own_language(hearing, clara, now):
    clara.language = "ar"

    mails.unreachable(hearing, clara, [Letter(to="gone@group.example")], now=now)

    letter = Letter.objects.get()
    assert (letter.to, letter.language) == (clara.email, "ar")
    assert '<html lang="ar" dir="rtl">' in letter.html
