"""An organiser sees whom letters do not reach, and what to do about it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from notifications.models import Letter, Suppression


@pytest.fixture
def url(sent) -> str:
    return reverse("admin:registrations_registration_change", args=[sent.pk])


def point(client, url):
    [found] = client.get(url).context["points"]
    return found


def test_a_focal_point_is_named_with_the_address(clara_in, sent, url):
    page = clara_in.get(url)

    assert point(clara_in, url).is_reached
    assert "amina@diaspora.example" in page.content.decode()
    assert "cannot be reached" not in page.content.decode()


def test_letters_that_come_back_are_told_with_what_the_server_said(clara_in, sent, url, now):
    Suppression.objects.create(
        email="AMINA@diaspora.example", reason="bounce", said="550 <No> such user", since=now
    )

    html = clara_in.get(url).content.decode()

    assert "This focal point cannot be reached: letters come back since" in html
    assert "550 &lt;No&gt; such user" in html
    assert "/admin/notifications/letter/?q=amina%40diaspora.example" in html
    lift = point(clara_in, url).lift_url
    assert lift in html
    assert clara_in.post(lift, {"confirm": "yes"}).status_code == 302
    assert point(clara_in, url).is_reached


def test_a_letter_that_failed_tells_so_until_another_goes_through(clara_in, sent, url, now):
    letter = Letter.objects.to("amina@diaspora.example").in_scope(sent.event_id).get()
    Letter.objects.filter(pk=letter.pk).update(
        state="failed", ended_at=now, last_error="554 mailbox full"
    )
    found = point(clara_in, url)
    assert (found.is_reached, found.said) == (False, "554 mailbox full")

    letter.pk, letter.key, letter.state = None, "later", "sent"
    letter._state.adding = True
    letter.sent_at = now + timedelta(hours=1)
    letter.save()

    assert point(clara_in, url).is_reached


def test_the_attendee_list_warns(clara_in, sent, sent_by_bo, now):
    listing = reverse("admin:registrations_delegate_changelist")
    assert "Letters come back" not in clara_in.get(listing).content.decode()

    Suppression.objects.create(email="amina@diaspora.example", reason="complaint", since=now)

    html = clara_in.get(listing).content.decode()
    assert html.count('<span class="tag bad">Letters come back</span>') == 3
