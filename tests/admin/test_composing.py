"""Letters to people of the attendee list, as organisers write, look at, send and stop them."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from events import roles
from events.asking import Said, name_of
from notifications import preferences
from notifications.models import Kind, Letter, Suppression
from registrations import answering, composing, refusals, saved_views, tasks
from registrations.admin import audience
from registrations.models import Delegate, Message, Registration
from tests.conftest import signed_in

LIST = reverse("admin:registrations_message_changelist")
PEOPLE = reverse("admin:registrations_delegate_changelist")
EVENT = "registration__event__id__exact"
WORDS = {"subject_en": "Before you travel", "text_en": "Dear {name},\n\nthe room has changed."}
FORM = {"audience": "all", "to": "points", "confirm": "yes"} | WORDS


@pytest.fixture
def both(sent, sent_by_bo, hearing):
    """Two delegations at the hearing, and no letters yet."""
    Letter.objects.all().delete()
    return hearing


@pytest.fixture
def message(both, message) -> Message:
    return message


def write(event) -> str:
    return reverse("admin:events_event_write", args=[event.pk])


def page(word: str, message: Message) -> str:
    return reverse(f"admin:registrations_message_{word}", args=[message.pk])


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


def errors(response) -> dict:
    return {name: list(said) for name, said in response.context["form"].errors.items()}


def organiser(kind: str, on, now):
    user = User.objects.create_user(f"{kind}@secretariat.example", name="Eva")
    roles.grant(user, on=on, kind=kind, by=None, now=now)
    return user


def due(message: Message) -> None:
    """Its five minutes are over."""
    Message.objects.filter(pk=message.pk).update(leaves_at=message.made_at)


# Written


def test_a_letter_is_begun_and_looked_at(clara_in, both):
    response = clara_in.post(write(both), FORM, follow=True)

    message = Message.objects.get()
    assert response.redirect_chain[-1][0] == page("look", message)
    said = words(response)
    assert "As of now 2 letters go out" in said
    assert "The filters let 4 people through." in said
    assert "amina@diaspora.example English Diaspora Network" in said
    assert "Dear Amina Diallo, the room has changed." in said
    assert (message.query, message.to) == ("", "points")


def test_placeholders_are_explained_where_one_writes(clara_in, both):
    said = words(clara_in.get(write(both)))

    assert "{reference} The reference of the delegation" in said
    assert "{people} Those of the delegation whom you have chosen, by name" in said


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(clara_in, both):
    typed = {"subject_en": "{name}, hello", "text_en": "Dear {nmae} {", "text_fr": "Cher }"}

    response = clara_in.post(write(both), FORM | typed)

    assert errors(response) == {
        "subject_en": [
            "Names of people do not stand in subjects, which others may see: take out {name}."
        ],
        "text_en": [
            "Nothing is known by this name: {nmae}",
            "A brace stands alone here: Dear {. Braces only go around a placeholder.",
        ],
        "text_fr": ["A brace stands alone here: Cher }. Braces only go around a placeholder."],
    }
    assert response.context["form"]["text_en"].value() == "Dear {nmae} {"
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"subject_en": "a" * 300}, "subject_en"),
        ({"subject_en": "One\r\nBcc: all@example.org"}, "subject_en"),
        ({"subject_en": "a\x00b"}, "subject_en"),
        ({"text_en": "a\x00b"}, "text_en"),
        ({"text_es": "a" * 10_001}, "text_es"),
        ({"audience": ""}, "audience"),
        ({"audience": "5f0c7a52-0000-4000-8000-000000000000"}, "audience"),
        ({"to": "everybody"}, "to"),
    ],
)
def test_bad_input_gets_a_sentence(clara_in, both, typed, field):
    response = clara_in.post(write(both), FORM | typed)

    assert (response.status_code, list(errors(response))) == (200, [field])
    assert not Message.objects.exists()


def test_languages_that_are_missing_are_marked_with_their_readers(clara_in, both, amina):
    User.objects.filter(pk=amina.pk).update(language="ar")

    look = words(clara_in.post(write(both), FORM, follow=True))
    send = words(clara_in.get(page("send", Message.objects.get())))

    assert "Arabic 1 missing 1 reader gets English" in look
    assert "French 0 missing Russian 0 missing" in look
    assert "Arabic: 1 reader gets English" in send


# To whom


def test_the_attendee_list_leads_there_with_its_filters(clara_in, both):
    listed = clara_in.get(PEOPLE, {EVENT: both.pk, "state": "submitted", "q": "Jun"})
    link = listed.context["write_url"]

    assert link.startswith(f"{write(both)}?")
    assert link in html.unescape(listed.content.decode())
    assert "State: Waits for a decision" in words(clara_in.get(link))
    clara_in.post(link, FORM | {"audience": "given"})

    message = Message.objects.get()
    assert QueryDict(message.query).dict() == {"state": "submitted", "q": "Jun"}
    assert "As of now 1 letter goes out" in words(clara_in.get(page("look", message)))


def test_who_has_answered_is_written_to_and_nobody_else(clara_in, both, ask, amina, now):
    who_pays = ask("Who pays?", of="delegation")
    answered = Registration.objects.get(organisation__name="Diaspora Network")
    answering.answer(answered, {who_pays.pk: Said(text="We do")}, by=amina, now=now)
    listed = clara_in.get(PEOPLE, {EVENT: both.pk, name_of(who_pays): "yes"})

    clara_in.post(listed.context["write_url"], FORM | {"audience": "given"})

    message = Message.objects.get()
    assert QueryDict(message.query).dict() == {name_of(who_pays): "yes"}
    (one,) = clara_in.get(page("look", message)).context["addressed"].letters
    assert one.reader.email == amina.email


def test_mine_stays_mine_whoever_looks(clara_in, clara, both, sent, now):
    Registration.objects.filter(pk=sent.pk).update(assigned_to=clara)
    dora = signed_in(organiser("reviewer", both, now))

    clara_in.post(f"{write(both)}?assigned=mine", FORM | {"audience": "given"})

    message = Message.objects.get()
    assert message.query == f"assigned={clara.pk}"
    for client in (clara_in, dora):
        said = words(client.get(page("look", message)))
        assert "Looked after by: Clara Weiss" in said
        assert "amina@diaspora.example" in said


def test_where_a_filter_is_gone_nobody_is_chosen_instead(clara_in, message):
    Message.objects.update(query="tag=Gone")

    response = clara_in.get(page("words", message))

    assert "Some of these filters are no longer here." in words(response)
    assert response.context["form"]["audience"].value() is None


def test_the_list_of_several_events_leads_nowhere(clara_in, both, second, amina, now):
    Registration.objects.create(
        event=second,
        organisation=Registration.objects.first().organisation,
        reference="GCM-0000-0000",
        begun_at=now,
    )

    assert clara_in.get(PEOPLE).context["write_url"] == ""
    assert clara_in.get(PEOPLE, {EVENT: both.pk}).context["write_url"].startswith(write(both))


def test_a_saved_view_is_written_to(clara_in, clara, both, now):
    query = f"{EVENT}={both.pk}&q=Port&sort=&columns=name"
    view = saved_views.keep("Ports", query=query, by=clara, now=now)
    saved_views.keep("Elsewhere", query=f"{EVENT}={view.pk}", by=clara, now=now)

    assert "Saved view: Ports" in words(clara_in.get(write(both)))
    assert "Saved view: Elsewhere" not in words(clara_in.get(write(both)))
    clara_in.post(write(both), FORM | {"audience": str(view.pk)})

    assert Message.objects.get().query == "q=Port"
    assert "As of now 1 letter goes out" in words(clara_in.get(page("look", Message.objects.get())))


def test_what_no_list_knows_is_left_out(clara_in, both):
    bad = {"columns": "nonsense", "o": "99", "sort": "x", "password": "1", "p": "7", EVENT: "x"}

    clara_in.post(f"{write(both)}?{urlencode(bad)}", FORM)

    assert Message.objects.get().query == ""


@pytest.mark.parametrize(
    "query",
    [
        *("state=nonsense", "since=2018-99-99", "q=%00", "track=1", "q=" + "x" * 5000),
        f"answer-{'0' * 32}=yes",
    ],
)
def test_filters_that_cannot_be_read_are_refused(clara_in, both, query):
    response = clara_in.get(f"{write(both)}?{query}", follow=True)

    assert response.status_code == 200
    assert "Some of these filters are no longer here." in words(response)
    assert response.context["form"]["audience"].value() is None


def test_a_filter_that_is_gone_is_said_where_the_letter_is_looked_at(clara_in, message):
    Message.objects.update(query="state=nonsense")

    for word in ("look", "words", "send"):
        said = words(clara_in.get(page(word, message), follow=True))
        assert "Some of these filters are no longer here." in said


def test_an_event_that_nobody_registers_for_has_nobody_to_write_to(clara_in, second):
    response = clara_in.post(write(second), FORM, follow=True)
    message = Message.objects.get()

    assert "As of now 0 letters go out" in words(response)
    refused = clara_in.post(page("send", message), {"when": "soon", "confirm": "yes"})
    assert errors(refused) == {"__all__": ["Nobody would get this letter. Choose other people."]}


def test_no_more_than_fifty_readers_are_listed(clara_in, message, monkeypatch):
    monkeypatch.setattr("registrations.admin.composing.SHOWN", 1)

    response = clara_in.get(page("look", message))

    assert len(response.context["shown"]) == 1
    assert "And 1 more." in words(response)


def test_three_samples_in_each_language_as_they_will_be_read(clara_in, message, amina):
    User.objects.filter(pk=amina.pk).update(language="fr")

    samples = clara_in.get(page("look", message)).context["samples"]

    assert [(one["language"], [letter.to for letter in one["letters"]]) for one in samples] == [
        ("en", ["bo@ports.example"]),
        ("fr", ["amina@diaspora.example"]),
    ]
    assert not Letter.objects.exists()


def test_who_is_not_reached_is_counted(clara_in, message, now):
    event = message.event_id
    preferences.stop("amina@diaspora.example", scope=event, kind=Kind.ANNOUNCEMENT, now=now)
    Suppression.objects.add("bo@ports.example", reason="bounce", said="gone", now=now)

    said = words(clara_in.get(page("look", message)))

    assert "1 of them goes nowhere: letters to that address come back." in said
    assert "1 of them is not delivered: its reader wants no news of this event." in said


# Session, person, roles; the message, the right to it, the message, its event; the list: roles,
# events, tracks; deadlines; people, focal points; suppressed, unwelcome; the time.
LOOKS = 16


def test_how_much_is_asked_to_look(clara_in, message, amina, connection_queries):
    User.objects.filter(pk=amina.pk).update(language="fr")
    clara_in.get(page("look", message))

    assert connection_queries(lambda: clara_in.get(page("look", message))) == LOOKS


# Sent


def test_it_is_sent_and_leaves_after_five_minutes(clara_in, message):
    response = clara_in.post(page("send", message), {"when": "soon", "confirm": "yes"}, follow=True)

    assert "The letter leaves on" in words(response)
    assert "Sent by Clara Weiss ." in words(response)
    tasks.send_messages()
    assert not Letter.objects.exists()
    due(message)
    tasks.send_messages()
    assert sorted(Letter.objects.values_list("to", flat=True)) == [
        "amina@diaspora.example",
        "bo@ports.example",
    ]


def test_it_is_sent_at_a_moment_on_the_clocks_of_the_event(clara_in, message, now):
    typed = {"when": "later", "day": f"{now.year + 1}-01-15", "time": "09:30", "confirm": "yes"}

    response = clara_in.post(page("send", message), typed, follow=True)

    assert "15 January" in words(response)
    assert "09:30, New York time" in words(response)
    assert Message.objects.get().leaves_at.isoformat() == f"{now.year + 1}-01-15T14:30:00+00:00"


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"when": "later"}, "day", "Write the day."),
        ({"when": "later", "day": "2018-01-01"}, "day", "Choose a moment at least 5 minutes"),
        ({"when": "later", "day": "2018-13-01"}, "day", "Write a date that exists"),
        ({"when": "later", "day": "9999-12-31"}, "day", "Write a day from 1990 to 2100"),
        ({"when": "later", "day": "2090-01-01", "time": "25:00"}, "time", "in 24 hours"),
        ({"when": ""}, "when", "Choose one."),
        ({"when": "never"}, "when", "Choose one."),
    ],
)
def test_a_moment_that_cannot_be_is_refused(clara_in, message, typed, field, said):
    response = clara_in.post(page("send", message), typed | {"confirm": "yes"})

    assert said in errors(response)[field][0]
    assert Message.objects.get().state == "draft"


def test_the_second_who_sends_or_writes_on_is_told_who_was_quicker(clara_in, message, hearing, now):
    eva_in = signed_in(organiser("reviewer", hearing, now))
    clara_in.post(page("send", message), {"when": "soon", "confirm": "yes"})

    sent = eva_in.post(page("send", message), {"when": "soon", "confirm": "yes"})
    changed = eva_in.post(page("words", message), FORM | {"subject_en": "Mine"}, follow=True)

    assert "Clara Weiss has sent this letter. It leaves on" in errors(sent)["__all__"][0]
    assert "Clara Weiss has sent this letter. It leaves on" in words(changed)
    assert str(Message.objects.get()) == "Before you travel"


def test_a_draft_is_changed(clara_in, message):
    shown = clara_in.get(page("words", message))
    assert shown.context["form"]["subject_en"].value() == "Before you travel"

    clara_in.post(page("words", message), FORM | {"to": "people", "subject_fr": "Avant"})

    message.refresh_from_db()
    assert (message.to, message.subject_fr) == ("people", "Avant")


def test_a_test_goes_to_oneself(clara_in, clara, message):
    response = clara_in.post(
        page("try_out", message), {"language": "fr", "confirm": "yes"}, follow=True
    )

    assert "A test is on its way to clara@secretariat.example." in words(response)
    assert [(one.to, one.language) for one in Letter.objects.all()] == [(clara.email, "fr")]


def test_a_test_in_no_language_of_ours_is_refused(clara_in, message):
    response = clara_in.post(page("try_out", message), {"language": "xx", "confirm": "yes"})

    assert errors(response) == {"language": ["Choose one."]}
    assert not Letter.objects.exists()


# Followed and stopped


@pytest.fixture
def on_its_way(message, clara, now) -> Message:
    people = audience.of(message.event, "", clara).people
    message = composing.send(message, people=people, by=clara, now=now)
    due(message)
    tasks.send_messages()
    return message


def test_how_far_it_has_come_is_shown(clara_in, on_its_way, now):
    Letter.objects.filter(to="bo@ports.example").update(
        state="failed", ended_at=now, last_error="550 5.1.1 <gone>"
    )
    Letter.objects.filter(to="amina@diaspora.example").update(state="sent", sent_at=now)

    look = words(clara_in.get(page("look", on_its_way)))
    listed = words(clara_in.get(LIST))

    assert "1 of 2 have left" in look
    assert "bo@ports.example : failed. 550 5.1.1 <gone>" in look
    assert "1 of 2" in listed
    tasks.send_messages()
    assert Message.objects.get().state == "sent"
    assert "Sent" in words(clara_in.get(page("look", on_its_way)))


def test_who_wants_no_news_is_named_with_that_reason(clara_in, on_its_way, now):
    Letter.objects.filter(to="bo@ports.example").update(state="suppressed", ended_at=now)

    assert "bo@ports.example : not wanted there. They want no news of this event." in words(
        clara_in.get(page("look", on_its_way))
    )


def test_it_is_stopped_on_its_way(clara_in, on_its_way, now):
    Letter.objects.filter(to="amina@diaspora.example").update(state="sent", sent_at=now)

    response = clara_in.post(page("stop", on_its_way), {"confirm": "yes"}, follow=True)

    assert "The letter is stopped. 1 letter had left." in words(response)
    assert Letter.objects.get(to="bo@ports.example").state == "cancelled"
    again = clara_in.post(page("stop", on_its_way), {"confirm": "yes"})
    assert errors(again) == {"__all__": ["This letter was stopped already."]}


def test_it_is_stopped_before_it_leaves(clara_in, message):
    clara_in.post(page("send", message), {"when": "soon", "confirm": "yes"})

    response = clara_in.post(page("stop", message), {"confirm": "yes"}, follow=True)

    assert "nothing has left. It is a draft again." in words(response)


def test_who_has_lost_the_role_meanwhile_writes_to_nobody(clara_in, clara, message):
    clara_in.post(page("send", message), {"when": "soon", "confirm": "yes"})
    clara.roles.all().delete()
    due(message)

    tasks.send_messages()

    assert (Message.objects.get().state, Letter.objects.count()) == ("stopped", 0)


def test_when_it_leaves_only_those_of_its_event_are_asked_for(clara, both, message, second, now):
    message.sent_by = clara
    here = set(audience.when_it_leaves(message).values_list("pk", flat=True))

    assert here == set(Delegate.objects.values_list("pk", flat=True))
    message.query = "state=approved"
    assert not audience.when_it_leaves(message).exists()
    message.query = "state=nonsense"
    with pytest.raises(refusals.AudienceUnknown):
        audience.when_it_leaves(message)


# Who may


def test_who_may_write(clara_in, dina_in, message, hearing, now):
    reviewer = signed_in(organiser("reviewer", hearing, now))
    reader = signed_in(organiser("reader", hearing, now))
    pages = ["look", "words", "send", "stop", "try_out"]

    def answers(client) -> list[int]:
        urls = [write(hearing), *(page(word, message) for word in pages)]
        return [client.get(url).status_code for url in urls]

    assert answers(reviewer) == [200] * 6
    assert answers(reader) == [403] + [404] * 5
    assert answers(dina_in) == [404] * 6
    assert reader.get(PEOPLE, {EVENT: hearing.pk}).context["write_url"] == ""


def test_pages_are_in_the_language_of_the_organiser(clara_in, clara, message):
    User.objects.filter(pk=clara.pk).update(language="ar")
    with translation.override("ar"):
        response = clara_in.get(page("look", message))

    assert 'dir="rtl"' in response.content.decode()


def test_the_history_tells_what_was_done(clara_in, message):
    clara_in.post(page("send", message), {"when": "soon", "confirm": "yes"})
    clara_in.post(page("stop", message), {"confirm": "yes"})

    said = words(clara_in.get(page("history", message)))

    assert said.index("Stopped") < said.index("Sent") < said.index("Drafted")


def test_a_moment_that_comes_twice_is_asked_about(clara_in, message):
    """New York, the night when the clocks go back."""
    typed = {"when": "later", "day": "2090-11-05", "time": "01:30", "confirm": "yes"}

    response = clara_in.post(page("send", message), typed)

    assert "which" in errors(response)
    clara_in.post(page("send", message), typed | {"which": "1"})
    held = Message.objects.get()
    assert held.leaves_at - held.leaves_at.replace(hour=6, minute=30) == timedelta(0)
