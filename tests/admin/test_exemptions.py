"""Groups that come after the close are let in until a moment, or not."""

from datetime import timedelta

import pytest
from django.urls import reverse

from clock import walls
from events.models import Event
from notifications.models import Letter
from registrations.models import Exemption
from stakeholders.models import Organisation
from tests.admin.conftest import NEW_YORK

LIST = reverse("admin:registrations_exemption_changelist")


def page_of(exemption, word) -> str:
    return reverse(f"admin:registrations_exemption_{word}", args=[exemption.pk])


@pytest.fixture
def group_url(hearing) -> str:
    return reverse("admin:events_event_let_in", args=[hearing.pk])


@pytest.fixture
def day(now) -> str:
    return (now + timedelta(days=12)).astimezone(walls.zone_of(NEW_YORK)).date()


def test_who_asked_is_let_in_until_a_moment(clara_in, clara, exemption, day):
    page = clara_in.get(page_of(exemption, "let_in"))
    assert "The lines were down all week." in page.content.decode()

    clara_in.post(
        page_of(exemption, "let_in"),
        {"day": day.isoformat(), "time": "23:59", "answer": "Until then.", "confirm": "yes"},
    )

    exemption.refresh_from_db()
    assert exemption.until == walls.start_of(day + timedelta(days=1), NEW_YORK)
    assert (exemption.answered_by, exemption.answer) == (clara, "Until then.")
    [letter] = Letter.objects.filter(to="amina@diaspora.example")
    assert letter.key.startswith("let_in:")
    html = clara_in.get(LIST).content.decode()
    assert "Let in</span>" in html
    history = clara_in.get(page_of(exemption, "history")).context["lines"]
    assert (history[0].what, history[0].who, history[0].reason) == (
        "Let in",
        "Clara Weiss",
        "Until then.",
    )
    assert history[0].changes[0].after.endswith(", 23:59")


@pytest.mark.parametrize("days", [-1, 400])
def test_the_moment_lies_ahead_and_before_the_event_is_over(clara_in, exemption, now, days):
    here = now.astimezone(walls.zone_of(NEW_YORK))
    day = (here + timedelta(days=days)).date().isoformat()

    page = clara_in.post(
        page_of(exemption, "let_in"), {"day": day, "time": "", "answer": "Yes.", "confirm": "yes"}
    )

    assert "Choose a moment that is still to come" in page.context["form"].errors["day"][0]
    assert "Yes." in page.content.decode()
    exemption.refresh_from_db()
    assert exemption.waits


def test_a_refusal_needs_an_answer_and_is_said_once(clara_in, exemption):
    url = page_of(exemption, "refuse")
    empty = clara_in.post(url, {"answer": " ", "confirm": "yes"})
    assert list(empty.context["form"].errors) == ["answer"]

    assert (
        clara_in.post(url, {"answer": "The list is printed.", "confirm": "yes"}).status_code == 302
    )
    again = clara_in.post(url, {"answer": "Again.", "confirm": "yes"})

    assert "has an answer already" in again.context["form"].non_field_errors()[0]
    exemption.refresh_from_db()
    assert (exemption.until, exemption.answer) == (None, "The list is printed.")
    assert Letter.objects.filter(to="amina@diaspora.example").count() == 1


def test_who_waits_stands_first(clara_in, clara, exemption, hearing, port_workers, now):
    Exemption.objects.create(
        event=hearing,
        organisation=port_workers,
        asked_at=now - timedelta(days=3),
        answered_at=now,
        answered_by=clara,
        until=now + timedelta(days=1),
    )

    def listed(**query):
        page = clara_in.get(LIST, query)
        return [str(one.organisation) for one in page.context["cl"].result_list]

    assert listed() == ["Diaspora Network", "Port Workers"]
    assert listed(stand="waits") == ["Diaspora Network"]
    assert listed(stand="let_in") == ["Port Workers"]
    assert listed(stand="refused") == []


@pytest.mark.parametrize("typed", ["diaspora network", " Diaspora  Network ", "dn", "reference"])
def test_a_group_is_let_in_by_name_or_reference(clara_in, draft, hearing, group_url, day, typed):
    typed = draft.reference.lower() if typed == "reference" else typed

    response = clara_in.post(
        group_url,
        {"group": typed, "day": day.isoformat(), "time": "", "answer": "", "confirm": "yes"},
    )

    assert response.status_code == 302
    exemption = Exemption.objects.get()
    assert (exemption.organisation, exemption.event) == (draft.organisation, hearing)
    assert exemption.asked_at is None


def test_a_group_that_is_not_clear_is_asked_for_again(
    clara_in, hearing, diaspora_network, group_url, day
):
    posted = {"day": day.isoformat(), "time": "", "answer": "Welcome.", "confirm": "yes"}
    unknown = clara_in.post(group_url, {**posted, "group": "Nobody <b>"})
    assert "No group here is called “Nobody &lt;b&gt;”" in unknown.content.decode()
    assert "Welcome." in unknown.content.decode()

    Organisation.objects.create(name="Diaspora network", country="SN", category="diaspora")
    twice = clara_in.post(group_url, {**posted, "group": "Diaspora Network"})

    assert "Several groups are called" in twice.context["form"].errors["group"][0]
    assert Exemption.objects.count() == 0


def test_an_event_that_does_not_take_place_lets_nobody_in(clara_in, hearing, draft, group_url, day):
    Event.objects.filter(pk=hearing.pk).update(state="cancelled")

    page = clara_in.post(
        group_url,
        {"group": draft.reference, "day": day.isoformat(), "time": "", "confirm": "yes"},
    )

    assert "This event is cancelled" in page.context["form"].non_field_errors()[0]
