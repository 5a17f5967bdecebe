from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail
from django.utils import translation

import clock
from notifications import delivery
from notifications.models import Kind, Letter, State


@pytest.fixture(autouse=True)
def outbox_backend(settings):
    settings.EMAIL_BACKEND = "notifications.backends.OutboxBackend"
    settings.DEMO = False


@pytest.mark.django_db
def test_a_code_is_a_secret_letter_that_expires_with_the_code(settings):
    settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
    before = clock.now()

    with translation.override("ar"):
        message = EmailMultiAlternatives(
            "Your code", "7F3K92", to=["amina@diaspora.example"], reply_to=["Desk <a@example.org>"]
        )
        message.attach_alternative("<b>7F3K92</b>", "text/html")
        assert message.send() == 1

    letter = Letter.objects.get()
    assert (letter.kind, letter.state) == (Kind.SECRET, State.QUEUED)
    assert (letter.to, letter.language) == ("amina@diaspora.example", "ar")
    assert (letter.text, letter.html) == ("7F3K92", "<b>7F3K92</b>")
    assert letter.reply_to == "a@example.org"
    assert letter.expires_at - letter.posted_at == timedelta(minutes=10)
    assert before <= letter.posted_at <= clock.now()


@pytest.mark.django_db
def test_each_recipient_gets_a_letter_of_their_own():
    sent = send_mail("Code", "Text", None, ["Amina <amina@diaspora.example>", "bo@ports.example"])

    assert sent == 2
    assert sorted(Letter.objects.values_list("to", flat=True)) == [
        "amina@diaspora.example",
        "bo@ports.example",
    ]
    assert Letter.objects.values("key").distinct().count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_code_overtakes_what_waits_and_is_wiped_when_sent(sink, post):
    post("answer", now=clock.now() - timedelta(minutes=1))
    send_mail("Code", "7F3K92", None, ["amina@diaspora.example"])

    delivery.deliver()

    assert sink.subjects == ["Code", "answer"]
    assert "7F3K92" in sink.letters[0].get_content()
    assert list(Letter.objects.order_by("kind").values_list("state", "text")) == [
        (State.SENT, ""),
        (State.SENT, "Your delegation is registered."),
    ]


@pytest.mark.django_db
def test_a_mail_server_that_is_away_does_not_reach_the_page(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:1"

    assert send_mail("Code", "7F3K92", None, ["amina@diaspora.example"]) == 1
