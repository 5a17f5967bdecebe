"""Whether a group can register, in a minute."""

import re
from datetime import timedelta

import pytest

from events import deadlines, schedule
from events.models import Category, Deadline, Event, Track
from pages.forms import CheckForm
from tests.conftest import an_event

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CONSULTATIVE = "Organisations in consultative status with ECOSOC."


@pytest.fixture(autouse=True)
def window(deadline) -> Deadline:
    return deadline


@pytest.fixture
def ask(client):
    def ask(answers: str = "", language: str = "en"):
        response = client.get(f"/{language}/events/hearing/check/{answers}")
        assert response.status_code == 200
        return response

    return ask


def words(response) -> str:
    main = re.search(r"<main.*</main>", response.content.decode(), re.S).group()
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def questions(response) -> list[str]:
    return list(response.context["form"].fields)


def verdict(response) -> str | None:
    return response.context.get("verdict")


def test_it_asks_of_what_kind_the_group_is_as_the_process_names_them(ask):
    page = ask()

    assert questions(page) == ["group"]
    assert [label for _code, label in page.context["form"].fields["group"].choices] == [
        "Diaspora and migrant organisations",
        "Trade unions",
        "Academia",
        "None of these",
    ]
    assert verdict(page) is None


def test_it_asks_for_the_status_only_where_the_organisers_have_written_of_it(ask):
    Event.objects.update(eligibility_en="Everybody.")
    assert questions(ask()) == ["group"]

    for text in (CONSULTATIVE, "Entities accredited to the process."):
        Event.objects.update(eligibility_en=text)
        assert questions(ask()) == ["group", "status"]


def test_it_asks_for_the_way_in_where_there_are_several(ask, hearing):
    Track.objects.create(event=hearing, name_en="Applies anew")

    assert questions(ask()) == ["group", "track"]


def test_without_any_condition_a_group_of_the_process_can_register(ask):
    page = ask("?group=diaspora")

    assert verdict(page) == "can"
    assert "You can register" in words(page)
    assert '<a class="btn" href="/en/events/hearing/register/">' in page.content.decode()
    assert "<title>You can register - " in page.content.decode()


def test_the_words_of_the_organisers_are_shown_and_not_interpreted(ask):
    Event.objects.update(eligibility_en="By <invitation> of the network.")

    page = ask("?group=diaspora")

    assert verdict(page) == "but"
    assert "By &lt;invitation&gt; of the network." in words(page)


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        ("ecosoc", "but", "and your group has one"),
        ("accredited", "but", "and your group has one"),
        ("neither", "ask", "and your group has none"),
        ("unknown", "ask", "Find out how your group stands"),
    ],
)
def test_what_only_the_organisers_know_is_said_to_be_unknown(ask, status, answer, said):
    Event.objects.update(eligibility_en=CONSULTATIVE)

    page = ask(f"?group=diaspora&status={status}")

    assert verdict(page) == answer
    assert said in words(page)
    assert CONSULTATIVE in words(page)
    assert ("hearing@secretariat.example" in words(page)) is (answer == "ask")
    assert ("/register/" in page.content.decode()) is (answer == "but")


def test_who_has_no_status_is_shown_where_to_be_accredited(ask, process, hearing, now):
    Event.objects.update(eligibility_en=CONSULTATIVE)
    for slug, closes_at in (("late", now + 3 * DAY), ("over", now), ("unseen", now + DAY)):
        window = an_event(process, slug, hearing, kind="window", name_en=f"Window {slug}")
        kind = Deadline.Kind.ACCREDITATION
        deadlines.set_deadline(window, kind=kind, closes_at=closes_at, by=None, now=now - DAY)
        if slug != "unseen":
            schedule.publish(window, by=None, now=now - DAY)

    page = ask("?group=diaspora&status=neither")

    assert [each.event.slug for each in page.context["accreditations"]] == ["late"]
    assert "Window late" in words(page)
    assert "accreditations" not in ask().context


def test_others_are_told_whom_the_event_is_for(ask):
    page = ask("?group=none")

    assert verdict(page) == "not_for"
    assert page.context["for_whom"] == [
        "Diaspora and migrant organisations",
        "Trade unions",
        "Academia",
    ]
    assert "hearing@secretariat.example" in words(page)
    assert "/register/" not in page.content.decode()


def test_ways_in_are_answered_too(ask, hearing):
    way = Track.objects.create(event=hearing, name_en="Applies anew")

    assert verdict(ask(f"?group=diaspora&track={way.pk}")) == "can"
    assert verdict(ask("?group=diaspora&track=unknown")) == "ask"
    none = ask("?group=diaspora&track=none")
    assert verdict(none) == "not_for"
    assert none.context["for_whom"] == ["Applies anew"]


def test_where_all_seats_are_given_new_people_wait(ask):
    Event.objects.update(seats=0, admission="first_come")

    page = ask("?group=diaspora")

    assert verdict(page) == "but"
    assert "new people wait in the order of their registration" in words(page)


def test_before_registration_opens_it_says_when(ask, now):
    Deadline.objects.update(opens_at=now + DAY)

    page = ask("?group=diaspora")

    assert verdict(page) == "can"
    assert "Registration opens on" in words(page)
    assert 'href="/en/events/hearing/follow/">Tell me when it opens' in page.content.decode()
    assert "/register/" not in page.content.decode()


def test_after_the_close_it_asks_nothing(ask, now):
    Deadline.objects.update(closes_at=now)

    page = ask("?group=diaspora")

    assert verdict(page) is None
    assert "Nobody can register now" in words(page)
    assert "<form" not in page.content.decode()


@pytest.mark.parametrize("state", ["postponed", "cancelled"])
def test_of_what_does_not_take_place_it_asks_nothing(ask, state):
    Event.objects.update(state=state)

    assert f"This event is {state}" in words(ask("?group=diaspora"))


def test_a_draft_is_not_found(client):
    Event.objects.update(state="draft")

    assert client.get("/en/events/hearing/check/").status_code == 404


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        ("?status=ecosoc", {"group": ["Choose the group that describes you best."]}),
        (
            "?group=diaspora",
            {"status": ["Choose one, or that you do not know."]},
        ),
        (
            "?group=<b>&status=%00",
            {"group": ["Choose one from the list."], "status": ["Choose one from the list."]},
        ),
    ],
)
def test_what_is_left_out_or_is_no_answer_gets_a_sentence(ask, answers, errors):
    Event.objects.update(eligibility_en=CONSULTATIVE)

    page = ask(answers)

    assert dict(page.context["form"].errors) == errors
    assert "<title>Error: Can you register?" in page.content.decode()
    assert verdict(page) is None


def test_nothing_is_kept_and_nobody_gets_a_cookie(ask, client):
    page = ask("?group=diaspora")

    assert not client.cookies
    assert "csrf" not in page.content.decode()
    assert '<meta name="robots" content="noindex">' in page.content.decode()


def test_the_event_leads_there_while_one_can_register_or_will(client, now):
    def leads() -> bool:
        return "/en/events/hearing/check/" in client.get("/en/events/hearing/").content.decode()

    assert leads()
    Deadline.objects.update(opens_at=now + DAY)
    assert leads()
    Deadline.objects.update(opens_at=None, closes_at=now)
    assert not leads()


def test_a_process_without_names_of_its_own_asks_for_every_group(ask):
    Category.objects.all().delete()

    choices = ask().context["form"].fields["group"].choices
    assert len(choices) == 15
    assert choices[-1][0] == CheckForm.NONE


def test_it_is_answered_with_few_queries(ask, django_assert_num_queries):
    with django_assert_num_queries(6):  # clock; event, windows, their moves; groups; ways in
        ask("?group=diaspora")
