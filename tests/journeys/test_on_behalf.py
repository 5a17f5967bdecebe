"""A group writes a letter; Clara registers it; later it signs in with that address and goes on by
itself."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from events.models import Deadline
from notifications.models import Kind, Letter
from registrations.models import Registration
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db

ADDRESS = "sani@riverside.example"


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_from_a_letter_on_paper_to_a_group_that_works_by_itself(hearing, deadline, clara, now):
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=now - timedelta(hours=1))
    organiser, group = signed_in(clara), Client()
    start = reverse("admin:events_event_on_behalf", args=[hearing.pk])
    assert start in organiser.get(f"/admin/events/event/{hearing.pk}/change/").content.decode()

    form = organiser.post(start, {"name": "Riverside Fishers", "country": "NE"}, follow=True)
    where = form.redirect_chain[-1][0]
    entered = organiser.post(
        where,
        {
            "confirm": "yes",
            "name": "Riverside Fishers",
            "country": "NE",
            "category": "diaspora",
            "focal_point": ADDRESS,
            "people": "Sani; Abdou; sani@riverside.example; Head of delegation\nHadiza; Issa",
        },
        follow=True,
    )
    registration = Registration.objects.get()
    assert f"is registered with 2 people: {registration.reference}" in words(entered)

    letter = Letter.objects.get(key__startswith="received:", to=ADDRESS)
    page = registration.get_absolute_url()
    assert page in [urlsplit(link).path for link in re.findall(r"https?://\S+", letter.text)]
    door = group.get(page, follow=True).redirect_chain[-1][0]
    code_page = group.post(door, {"email": ADDRESS}, follow=True).redirect_chain[-1][0]
    code = Letter.objects.filter(to=ADDRESS, kind=Kind.SECRET).latest("posted_at")
    typed = re.search(r"^\s{4}(\S{6})$", code.text, re.M)[1]
    home = group.post(code_page, {"code": typed}, follow=True)

    assert home.request["PATH_INFO"] == page
    assert "Sani Abdou" in words(home)
    hadiza = registration.delegates.get(representative__given_names="Hadiza")
    group.post(f"{hadiza.get_absolute_url()}withdraw/")
    hadiza.refresh_from_db()
    assert hadiza.state == "withdrawn"
    assert "Invite" in words(
        group.get(reverse("stakeholders:organisation", args=[registration.organisation_id]))
    )
