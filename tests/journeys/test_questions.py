"""What organisers ask beside: a group answers, and an organiser finds who has answered what."""

import csv
import io

import pytest
from django.urls import reverse

from events import questions
from events.asking import name_of
from registrations import answering, decisions, intake
from registrations.models import Delegate, Registration
from tests.conftest import signed_in

LIST = reverse("admin:registrations_delegate_changelist")
EXPORT = reverse("admin:registrations_delegate_export")
MOUSSA = {"given_names": "Moussa", "family_name": "Keïta", "email": "", "role": "delegate"}


@pytest.fixture
def payer(ask):
    return ask("Who pays?", of="delegation", is_required=True)


@pytest.fixture
def meal(ask):
    return ask("What do you eat?", "choice", options=["Everything", "No meat"], is_required=True)


@pytest.fixture
def visa(ask):
    return ask("Do you need a visa?", "yes_no", is_sensitive=True)


@pytest.fixture
def aissata(draft) -> Delegate:
    return draft.delegates.get()


def option(question, name) -> str:
    return str(question.options.get(name_en=name).pk)


def said(of) -> list[str]:
    return [str(one) for one in of.answers.select_related("question").in_order()]


def tasks(answer) -> list[tuple[str, str]]:
    return [(task["title"], task["status"]) for task in answer.context["tasks"]]


def of(person) -> dict:
    facts = person.representative
    return {
        "given_names": facts.given_names,
        "family_name": facts.family_name,
        "email": facts.email,
        "role": person.role,
    }


def test_a_group_answers_and_an_organiser_filters_and_exports(
    at_desk, clara, draft, aissata, payer, meal, visa, page
):
    assert tasks(at_desk.get(page)) == [
        ("Your organisation", "Completed"),
        ("People in your delegation", "In progress"),
        ("Questions of the organisers", "Not started"),
        ("Check and send", "Answers are missing"),
    ]
    at_desk.post(f"{page}questions/", {name_of(payer): "We do"})
    at_desk.post(f"{page}people/", MOUSSA | {name_of(meal): option(meal, "No meat"), "more": "1"})

    refused = at_desk.post(f"{page}check/")
    assert refused.context["refusal"] == (
        "Answer this question about Aïssata Traoré first: “What do you eat?”"
    )
    [row] = refused.context["unanswered"]
    assert (str(row["who"]), row["url"]) == ("Aïssata Traoré", aissata.get_absolute_url())

    answer = {name_of(meal): option(meal, "Everything"), name_of(visa): option(visa, "Yes")}
    at_desk.post(aissata.get_absolute_url(), of(aissata) | answer)
    check = at_desk.get(f"{page}check/").content.decode()
    for words in ("Who pays?", "We do", "What do you eat?", "No meat", "Do you need a visa?"):
        assert words in check
    sent = at_desk.post(f"{page}check/", follow=True)
    assert "We do" in sent.content.decode()

    desk = signed_in(clara)
    event = f"registration__event__id__exact={draft.event_id}"
    columns = f"columns=name,{name_of(payer)},{name_of(meal)},{name_of(visa)}"

    def found(query: str) -> list[str]:
        return [str(one) for one in desk.get(f"{LIST}?{event}&{query}").context["cl"].result_list]

    assert found(f"{name_of(meal)}={option(meal, 'No meat')}") == ["Moussa Keïta"]
    assert found(f"{name_of(visa)}=-") == ["Moussa Keïta"]
    assert found(f"{name_of(payer)}=yes") == ["Moussa Keïta", "Aïssata Traoré"]
    answer = desk.post(
        f"{EXPORT}?{event}&{columns}&{name_of(visa)}=-", {"confirm": "yes", "kind": "CSV"}
    )
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text))) == [
        ["Name", "Who pays?", "What do you eat?", "Do you need a visa?"],
        ["Moussa Keïta", "We do", "No meat", ""],
    ]


def test_where_nothing_is_asked_there_is_no_task_and_no_page(at_desk, draft, page):
    assert [title for title, _status in tasks(at_desk.get(page))] == [
        "Your organisation",
        "People in your delegation",
        "Check and send",
    ]
    assert at_desk.get(f"{page}questions/").url == page
    assert at_desk.post(f"{page}questions/", {}).url == page


def test_half_an_answer_is_kept_and_stands_there_again(at_desk, draft, payer, ask, amina, page):
    pets = ask("How many?", "number", of="delegation")
    typed = {name_of(payer): "We", name_of(pets): "many"}

    kept = at_desk.post(f"{page}questions/", typed | {"keep": "1"})
    assert kept.status_code == 204
    refused = at_desk.post(f"{page}questions/", typed)
    assert list(refused.context["form"].errors) == [name_of(pets)]
    assert said(draft) == []

    form = at_desk.get(f"{page}questions/").context["form"]
    assert {name: form[name].value() for name in form.fields} == typed
    assert at_desk.get(f"{page}check/").context["has_unsaved_answers"]
    at_desk.post(f"{page}questions/", typed | {name_of(pets): "2"})
    assert said(draft) == ["We", "2"]
    assert Registration.objects.get().unfinished == {}


def test_a_choice_alone_is_kept_too(at_desk, draft, ask, amina, page):
    bus = ask("Do you come by bus?", "yes_no", of="delegation")
    yes = option(bus, "Yes")

    at_desk.post(f"{page}questions/", {name_of(bus): yes, "keep": "1"})

    assert Registration.objects.get().typed("questions", amina) == {name_of(bus): yes}


def test_a_person_is_kept_with_half_their_answers(at_desk, draft, meal, aissata, page):
    typed = MOUSSA | {name_of(meal): option(meal, "No meat"), "email": "moussa@"}

    at_desk.post(f"{page}people/", typed)

    form = at_desk.get(f"{page}people/").context["form"]
    assert form[name_of(meal)].value() == option(meal, "No meat")
    assert [str(one) for one in draft.delegates.all()] == ["Aïssata Traoré"]


def test_what_a_choice_leaves_unasked_is_not_kept(at_desk, draft, aissata, visa, ask, page):
    passport = ask(
        "Number of the passport", shown_when=visa.options.get(name_en="Yes"), is_required=True
    )
    typed = {name_of(visa): option(visa, "No"), name_of(passport): "A 12"}

    form = at_desk.get(aissata.get_absolute_url()).context["form"]
    assert form[name_of(passport)].help_text == (
        "Only if the answer to “Do you need a visa?” is “Yes”."
    )
    at_desk.post(aissata.get_absolute_url(), of(aissata) | typed)
    assert said(aissata) == ["No"]


def test_after_sending_the_group_answers_what_was_asked_since(
    at_desk, clara, sent, ask, amina, now
):
    page = f"/en/registrations/{sent.reference}/"
    person = sent.delegates.in_order().first()
    meal = ask("What do you eat?", "choice", options=["Everything"], is_required=True)
    url = f"{person.get_absolute_url()}questions/"

    status = at_desk.get(page)
    assert [row["url"] for row in status.context["unanswered"]] == [
        f"{one.get_absolute_url()}questions/" for one in sent.delegates.in_order()
    ]
    assert status.context["things_to_do"] == 1
    assert list(at_desk.post(url, {}).context["form"].errors) == [name_of(meal)]
    assert at_desk.post(url, {name_of(meal): option(meal, "Everything")}).url == (
        person.get_absolute_url()
    )
    assert "Everything" in at_desk.get(person.get_absolute_url()).content.decode()
    decisions.approve(sent, sent.delegates.all(), by=clara, now=now)
    assert at_desk.get(url).url == person.get_absolute_url()


def test_what_another_group_answers_does_not_exist(elsewhere, sent, payer, meal, amina, now):
    person = sent.delegates.first()

    for url in (f"/en/registrations/{sent.reference}/", person.get_absolute_url()):
        assert elsewhere.get(f"{url}questions/").status_code == 404
        assert elsewhere.post(f"{url}questions/", {name_of(payer): "We"}).status_code == 404


@pytest.mark.parametrize("typed", ["\x00", "a" * 5000, "00000000-0000-0000-0000-000000000001"])
def test_hostile_answers_are_no_answers(at_desk, draft, meal, payer, ask, page, typed):
    several = ask("Which days?", "choices", of="delegation", options=["One", "Two"])

    refused = at_desk.post(f"{page}questions/", {name_of(several): [typed, option(several, "One")]})

    assert list(refused.context["form"].errors) == [name_of(several)]
    assert at_desk.get(f"{page}questions/").status_code == 200
    assert at_desk.post(f"{page}people/", MOUSSA | {name_of(meal): typed}).status_code == 200


def test_what_is_removed_or_retired_meanwhile_is_no_trouble(
    at_desk, draft, aissata, meal, payer, clara, now, page
):
    at_desk.post(f"{page}questions/", {name_of(payer): "We"})
    typed = of(aissata) | {name_of(meal): option(meal, "No meat")}
    questions.remove(meal, by=clara, now=now)
    questions.retire(payer, by=clara, now=now)

    assert at_desk.post(aissata.get_absolute_url(), typed).status_code == 302
    assert "Who pays?" in at_desk.get(f"{page}check/").content.decode()
    at_desk.post(f"{page}check/")
    assert Registration.objects.get().sent_at is not None


def test_questions_cost_as_much_for_many_people_as_for_one(
    at_desk, draft, meal, payer, amina, now, page, django_assert_num_queries
):
    at_desk.get(f"{page}check/")
    with django_assert_num_queries(13):
        at_desk.get(f"{page}check/")
    for number in range(5):
        person = intake.Person("Awa", f"Diop {number}")
        given = {meal.pk: answering.Said(options=(meal.options.first().pk,))}
        intake.add_person(draft, person, answers=given, by=amina, now=now)
    with django_assert_num_queries(13):
        at_desk.get(f"{page}check/")
