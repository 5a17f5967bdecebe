"""Reminders of a deadline: added and taken away after a look at what they do."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse

from audit.models import Entry
from events import deadlines
from events.models import Follower
from notifications.models import Letter


@pytest.fixture
def add_url(deadline) -> str:
    return reverse("admin:events_deadline_add_step", args=[deadline.pk])


@pytest.fixture
def follower(hearing, now) -> Follower:
    return Follower.objects.create(
        event=hearing,
        email="nadia@news.example",
        language="en",
        asked_at=now - timedelta(days=20),
        confirmed_at=now - timedelta(days=20),
    )


LANGUAGES = [code for code, _name in settings.CONTENT_LANGUAGES]
TYPED = {"amount": "3", "unit": "d", "audience": "everybody"}


def test_what_a_reminder_sends_and_when_is_shown_before_it_is_added(
    clara_in, clara, draft, follower, invitation, deadline, add_url
):
    shown = clara_in.post(add_url, {**TYPED, "previewed": "", "confirm": "yes"})

    [line] = shown.context["people"]
    assert line.startswith("3 days before: ")
    assert line.endswith(
        "New York time (UTC−5); to 1 focal point with an unsent draft, 1 invited person without "
        "an answer, 1 follower as of now"
    )
    assert deadline.steps.count() == 4
    assert Letter.objects.about(deadline.pk).count() == 0
    assert [sample.audience for sample in shown.context["samples"]] == [
        "Groups with an unsent draft",
        "Invited groups without an answer",
        "Followers",
    ]

    posted = {**TYPED, **dict(shown.context["hidden"]), "confirm": "yes"}
    assert clara_in.post(add_url, posted).status_code == 302

    assert deadline.steps.get(amount=3).audience == "everybody"
    entry = Entry.objects.about(deadline).get(verb="reminder added")
    assert entry.actor == clara
    history = clara_in.get(reverse("admin:events_deadline_history", args=[deadline.pk]))
    told = history.context["lines"][0]
    assert [(change.label, change.after) for change in told.changes] == [
        ("Reminder", "3 days before"),
        ("To whom", "Everybody concerned"),
    ]
    again = clara_in.post(add_url, {**TYPED, "previewed": "", "confirm": "yes"})
    assert list(again.context["form"].errors) == ["amount"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": "three"}, "amount"),
        ({"amount": "366"}, "amount"),
        ({"amount": "721", "unit": "h"}, "amount"),
        ({"unit": "weeks"}, "unit"),
        ({"audience": "to_confirm"}, "audience"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(clara_in, deadline, add_url, typed, field):
    page = clara_in.post(add_url, {**TYPED, **typed, "previewed": "", "confirm": "yes"})

    assert list(page.context["form"].errors) == [field]
    assert deadline.steps.count() == 4


def test_thirty_days_may_be_said_in_hours(clara_in, deadline, add_url):
    typed = {"amount": "720", "unit": "h", "audience": "everybody"}
    shown = clara_in.post(add_url, {**typed, "previewed": "", "confirm": "yes"})

    clara_in.post(add_url, {**typed, **dict(shown.context["hidden"]), "confirm": "yes"})

    assert deadline.steps.filter(amount=720, unit="h").exists()


def test_a_confirmation_deadline_reminds_those_who_must_confirm(clara_in, clara, hearing, now):
    deadline = deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=now + timedelta(days=15), by=clara, now=now
    )
    add = reverse("admin:events_deadline_add_step", args=[deadline.pk])

    choices = clara_in.get(add).context["form"].fields["audience"].choices
    letters = clara_in.get(reverse("admin:events_deadline_letters", args=[deadline.pk]))

    assert [value for value, _words in choices] == ["everybody", "to_confirm"]
    samples = letters.context["samples"]
    assert {sample.audience for sample in samples} == {"People who have not confirmed yet"}
    assert "Sample Network" in samples[LANGUAGES.index("en")].text


def test_letters_are_read_in_all_languages(clara_in, deadline, hearing):
    page = clara_in.get(reverse("admin:events_deadline_letters", args=[deadline.pk]))

    samples = page.context["samples"]
    assert [sample.language for sample in samples] == LANGUAGES * 3
    of_arabic = [sample for sample in samples if sample.language == "ar"]
    assert all(hearing.name_ar in sample.text for sample in of_arabic)
    others = [sample for sample in samples if sample.language != "ar"]
    assert all(hearing.name_en in sample.text for sample in others)
    assert Letter.objects.count() == 0


def test_what_a_new_reminder_says_is_read_in_english_and_in_the_organisers_language(
    clara_in, clara, add_url
):
    clara.language = "ar"
    clara.save()

    shown = clara_in.post(add_url, {**TYPED, "previewed": "", "confirm": "yes"})

    assert [sample.language for sample in shown.context["samples"]] == ["en", "ar"] * 3


def test_a_reminder_is_removed_once(clara_in, deadline):
    url = reverse("admin:events_deadline_remove_step", args=[deadline.pk])
    step = deadline.steps.get(amount=48)
    assert len(clara_in.get(url).context["people"]) == 4

    assert clara_in.post(url, {"step": step.pk, "confirm": "yes"}).status_code == 302
    again = clara_in.post(url, {"step": step.pk, "confirm": "yes"})

    assert again.context["form"].errors == {
        "step": ["It has been removed already. Choose another one."]
    }
    assert deadline.steps.count() == 3


def test_other_deadlines_remind_nobody(clara_in, clara, hearing, now):
    deadline = deadlines.set_deadline(
        hearing, kind="speaking", closes_at=now + timedelta(days=5), by=clara, now=now
    )
    for word in ("add_step", "remove_step", "letters"):
        url = reverse(f"admin:events_deadline_{word}", args=[deadline.pk])
        assert clara_in.get(url).status_code == 404
    page = clara_in.get(reverse("admin:events_deadline_change", args=[deadline.pk]))
    assert "Add a reminder" not in page.content.decode()


def test_who_hears_of_a_change_is_said_before(clara_in, draft, follower, invitation, hearing):
    for word in ("postpone", "move", "cancel"):
        page = clara_in.get(reverse(f"admin:events_event_{word}", args=[hearing.pk]))
        assert page.context["letters"] == (
            "Told of it as of now: 1 focal point of a group, 1 invited person without an answer, "
            "1 follower. Each gets one letter, five minutes after the last change. Who changes it "
            "back before that tells nobody."
        )
