"""Questions of an event: added, worded, moved and retired on its pages, and read in lists."""

import csv
import io

import openpyxl
import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import questions, roles
from events.asking import Said, name_of
from events.models import Option, Question
from registrations import answering, saved_views
from tests.admin.test_attendees import ALWAYS
from tests.admin.test_pages import INLINE
from tests.conftest import signed_in

LIST = reverse("admin:registrations_delegate_changelist")
EXPORT = reverse("admin:registrations_delegate_export")
NEW = {"asked_of": "person", "kind": "text", "wording_en": "Who pays?", "confirm": "yes"}


@pytest.fixture
def url(hearing) -> str:
    return reverse("admin:events_event_questions", args=[hearing.pk])


@pytest.fixture
def meal(ask) -> Question:
    return ask("What do you eat?", "choice", options=["Everything", "No meat"])


def asked(event) -> list[str]:
    return [str(question) for question in event.questions.asked().in_order()]


def option(question, name) -> Option:
    return question.options.get(name_en=name)


# Its pages


def test_a_question_is_added_looked_at_changed_and_retired(clara_in, hearing, url):
    typed = NEW | {"kind": "choice", "choices": " We \n\nThe  fund\n", "wording_fr": "Qui paie ?"}

    assert clara_in.post(f"{url}add/", typed | {"is_required": "on"}).url == url

    question = hearing.questions.get()
    assert (question.wording_fr, question.is_required) == ("Qui paie ?", True)
    assert [str(one) for one in question.options.order_by("position")] == ["We", "The fund"]
    page = clara_in.get(url)
    assert "The fund" in page.content.decode()
    assert INLINE.findall(page.content.decode()) == []
    change = f"{url}{question.pk}/"
    form = clara_in.get(change).context["form"]
    assert sorted(set(form.fields) & {"asked_of", "kind", "choices"}) == []
    clara_in.post(change, {"wording_en": "Who pays for you?", "confirm": "yes"})
    assert asked(hearing) == ["Who pays for you?"]
    clara_in.post(f"{change}add/", {"name_en": "Nobody", "limit": "2", "confirm": "yes"})
    nobody = option(question, "Nobody")
    clara_in.post(f"{change}{nobody.pk}/", {"name_en": "Nobody", "limit": "", "confirm": "yes"})
    nobody.refresh_from_db()
    assert nobody.limit is None
    clara_in.post(f"{change}{nobody.pk}/retire/", {"confirm": "yes"})
    assert clara_in.get(f"{change}{nobody.pk}/").status_code == 404
    clara_in.post(f"{change}retire/", {"what": "retire", "confirm": "yes"})
    assert asked(hearing) == []
    assert clara_in.get(change).status_code == 404
    told = clara_in.get(reverse("admin:events_event_history", args=[hearing.pk]))
    assert [line.what for line in told.context["lines"]][:6] == [
        "Question retired",
        "Choice retired",
        "Choice changed",
        "Choice added",
        "Question changed",
        "Question added",
    ]


def test_questions_are_moved_by_buttons(clara_in, hearing, ask, url):
    ask("First?")
    second = ask("Second?")

    clara_in.post(url, {"move": f"{second.pk}:up"})

    assert asked(hearing) == ["Second?", "First?"]
    again = clara_in.post(url, {"move": f"{second.pk}:up"}, follow=True)
    assert "“Second?” cannot go further." in again.content.decode()
    for typed in ("", "x:up", f"{hearing.pk}:up", "\x00"):
        assert clara_in.post(url, {"move": typed}).status_code == 404


def test_what_was_answered_is_not_removed(clara_in, sent, meal, amina, now, url):
    person = sent.delegates.first()
    given = {meal.pk: Said(options=(option(meal, "No meat").pk,))}
    answering.answer(sent, given, delegate=person, by=amina, now=now)

    refused = clara_in.post(f"{url}{meal.pk}/retire/", {"what": "remove", "confirm": "yes"})

    assert refused.context["form"].errors["what"] == [
        "“What do you eat?” was answered already. It can be retired, so that the answers stay."
    ]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"wording_en": ""}, "wording_en"),
        ({"wording_en": "a" * 301}, "wording_en"),
        ({"wording_ru": "a" * 301}, "wording_ru"),
        ({"kind": "file"}, "kind"),
        ({"asked_of": "\x00"}, "asked_of"),
        ({"kind": "choice"}, "choices"),
        ({"kind": "choice", "choices": "We\nwe"}, "choices"),
        ({"kind": "choice", "choices": "a" * 121}, "choices"),
        ({"kind": "choice", "choices": "\n".join(map(str, range(61)))}, "choices"),
        ({"kind": "choice", "choices": "a\x00b"}, "choices"),
        ({"shown_when": "00000000-0000-0000-0000-000000000001"}, "shown_when"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(clara_in, hearing, url, typed, field):
    refused = clara_in.post(f"{url}add/", NEW | typed)

    assert list(refused.context["form"].errors) == [field]
    assert asked(hearing) == []


def test_what_depends_on_another_is_asked_of_the_same(clara_in, hearing, meal, url):
    leads = str(option(meal, "Everything").pk)

    refused = clara_in.post(f"{url}add/", NEW | {"asked_of": "delegation", "shown_when": leads})
    assert list(refused.context["form"].errors) == ["shown_when"]
    clara_in.post(f"{url}add/", NEW | {"shown_when": leads})
    assert asked(hearing) == ["What do you eat?", "Who pays?"]


@pytest.mark.parametrize("limit", ["0", "-1", "many", "9" * 30, "\x00"])
def test_a_limit_is_a_number(clara_in, meal, url, limit):
    typed = {"name_en": "Nothing", "limit": limit, "confirm": "yes"}

    assert list(clara_in.post(f"{url}{meal.pk}/add/", typed).context["form"].errors) == ["limit"]


def test_questions_of_another_event_are_not_found_here(clara_in, second, meal, url):
    there = reverse("admin:events_event_questions", args=[second.pk])

    assert clara_in.get(f"{there}{meal.pk}/").status_code == 404
    assert clara_in.post(there, {"move": f"{meal.pk}:up"}).status_code == 404


# Answers in lists and files


@pytest.fixture
def answered(sent, ask, meal, amina, now):
    """The head eats no meat and needs a visa; the delegation comes by bus, and pays “=1+1”."""
    visa = ask("Do you need a visa?", "yes_no", is_sensitive=True)
    many = ask("How many bags?", "number")
    payer = ask("=Who pays?", of="delegation")
    head = sent.delegates.in_order().first()
    given = {
        meal.pk: Said(options=(option(meal, "No meat").pk,)),
        visa.pk: Said(options=(option(visa, "Yes").pk,)),
        many.pk: Said("2"),
    }
    answering.answer(sent, given, delegate=head, by=amina, now=now)
    answering.answer(sent, {payer.pk: Said("=1+1")}, by=amina, now=now)
    return {"meal": meal, "visa": visa, "many": many, "payer": payer, "head": head}


@pytest.fixture
def reader_in(hearing, now):
    user = User.objects.create_user("eva@secretariat.example", name="Eva")
    roles.grant(user, on=hearing, kind="reader", by=None, now=now)
    return signed_in(user)


def query(event, **typed) -> str:
    said = "&".join(f"{name}={value}" for name, value in typed.items())
    return f"registration__event__id__exact={event.pk}&{said}"


def names(client, event, **typed) -> list[str]:
    page = client.get(f"{LIST}?{query(event, **typed)}")
    return [str(one) for one in page.context["cl"].result_list]


def by(question, value) -> dict:
    return {name_of(question): value}


GONE = "A filter of that address is no longer here."
FILE = {"confirm": "yes", "kind": "CSV"}
ALL = ["Moussa Keïta", "Fatoumata Sow", "Aïssata Traoré"]


def test_people_are_found_by_what_they_have_answered(clara_in, hearing, answered):
    meal, visa, payer, many = (answered[name] for name in ("meal", "visa", "payer", "many"))
    no_meat, everything = (option(meal, name).pk for name in ("No meat", "Everything"))

    assert names(clara_in, hearing, **by(meal, no_meat)) == ["Aïssata Traoré"]
    assert names(clara_in, hearing, **by(meal, everything)) == []
    assert names(clara_in, hearing, **by(meal, "-")) == ["Moussa Keïta", "Fatoumata Sow"]
    assert names(clara_in, hearing, **by(visa, option(visa, "Yes").pk)) == ["Aïssata Traoré"]
    assert names(clara_in, hearing, **by(many, "yes")) == ["Aïssata Traoré"]
    assert names(clara_in, hearing, **by(payer, "yes")) == ALL
    assert names(clara_in, hearing, **by(payer, "-")) == []
    page = clara_in.get(f"{LIST}?{query(hearing, **by(meal, '-'))}")
    assert [said for said, _url in page.context["cl"].chips][-1] == (
        "What do you eat?: Not answered"
    )
    assert clara_in.get(f"{LIST}?{query(hearing, **by(meal, 'x'))}").status_code == 302


def test_a_filter_of_one_event_says_nothing_about_another(clara_in, hearing, answered):
    meal = by(answered["meal"], option(answered["meal"], "No meat").pk)
    everywhere = clara_in.get(f"{LIST}?{name_of(answered['meal'])}=-&q=a", follow=True)

    assert names(clara_in, hearing, **meal) == ["Aïssata Traoré"]
    assert everywhere.redirect_chain == [(f"{LIST}?q=a&e=1", 302)]
    assert GONE in everywhere.content.decode()
    assert [str(one) for one in everywhere.context["cl"].result_list] == ALL


def test_a_shared_view_by_answers_is_never_silently_wider(
    clara_in, reader_in, clara, hearing, answered, now
):
    visa = answered["visa"]
    asked = query(hearing, **by(visa, option(visa, "Yes").pk))
    saved_views.keep("Visa", query=asked, shared_on=hearing, by=clara, now=now)

    page = reader_in.get(f"{LIST}?{asked}", follow=True)

    assert page.redirect_chain == [(f"{LIST}?registration__event__id__exact={hearing.pk}&e=1", 302)]
    assert GONE in page.content.decode()
    for file in (EXPORT, reverse("admin:registrations_delegate_statistics")):
        for answer in (reader_in.get(f"{file}?{asked}"), reader_in.post(f"{file}?{asked}", FILE)):
            assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


def test_answers_are_columns_of_the_list_of_their_event(clara_in, hearing, answered):
    shown = ",".join(["name", *(name_of(answered[one]) for one in ("meal", "payer", "many"))])

    page = clara_in.get(f"{LIST}?{query(hearing, columns=shown)}").content.decode()

    for words in ("No meat", "=1+1", "=Who pays?"):
        assert words in page
    elsewhere = clara_in.get(f"{LIST}?columns={shown}")
    assert [column["key"] for column in elsewhere.context["columns"] if column["is_shown"]] == [
        "name"
    ]


def test_sensitive_answers_do_not_exist_without_the_right(
    clara_in, reader_in, hearing, sent, answered
):
    visa = answered["visa"]
    columns = f"name,{name_of(answered['meal'])},{name_of(visa)}"
    export = f"{EXPORT}?{query(hearing, columns=columns)}"
    person = reverse("admin:registrations_delegate_change", args=[answered["head"].pk])

    def file(client) -> list[list[str]]:
        answer = client.post(export, {"confirm": "yes", "kind": "CSV"})
        text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
        return list(csv.reader(io.StringIO(text)))

    assert file(clara_in)[0] == ["Name", "What do you eat?", "Do you need a visa?"]
    assert file(reader_in)[0] == ["Name", "What do you eat?"]
    for client, is_shown in ((clara_in, True), (reader_in, False)):
        page = client.get(f"{LIST}?{query(hearing)}").content.decode()
        assert ("Do you need a visa?" in page) == is_shown
        page = client.get(person).content.decode()
        assert ("Do you need a visa?" in page, "No meat" in page) == (is_shown, True)


def test_files_hold_answers_and_no_formula(clara_in, hearing, answered):
    columns = ",".join(["name", *(name_of(answered[one]) for one in ("payer", "many"))])
    export = f"{EXPORT}?{query(hearing, columns=columns)}"

    answer = clara_in.post(export, {"confirm": "yes", "kind": "XLSX"})
    page = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [
        ["Name", "=Who pays?", "How many bags?"],
        ["Moussa Keïta", "=1+1", None],
        ["Fatoumata Sow", "=1+1", None],
        ["Aïssata Traoré", "=1+1", 2],
    ]
    assert {cell.data_type for row in page.iter_rows() for cell in row} <= {"s", "n"}
    answer = clara_in.post(export, {"confirm": "yes", "kind": "CSV"})
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text)))[:2] == [
        ["Name", "'=Who pays?", "How many bags?"],
        ["Moussa Keïta", "'=1+1", ""],
    ]
    entry = Entry.objects.filter(verb="attendee list exported").first()
    assert entry.after["columns"] == ["name", "=Who pays?", "How many bags?"]


def test_a_delegation_and_its_people_show_their_answers(clara_in, sent, answered, clara, now):
    meal = answered["meal"]
    questions.change_option(
        option(meal, "No meat"), names={"name_en": "Vegetarian"}, limit=None, by=clara, now=now
    )

    person = reverse("admin:registrations_delegate_change", args=[answered["head"].pk])
    page = clara_in.get(person).content.decode()
    for words in ("Vegetarian", "What do you eat? No meat", "Do you need a visa?"):
        assert words in page
    whole = reverse("admin:registrations_registration_change", args=[sent.pk])
    page = clara_in.get(whole).content.decode()
    assert ("=1+1" in page, "Vegetarian" in page) == (True, False)


# What is asked of the database more: questions and their options.


def test_the_list_asks_the_same_however_many_questions(
    clara_in, sent, hearing, ask, meal, django_assert_num_queries
):
    def look(columns: str) -> None:
        url = f"{LIST}?{query(hearing, columns=columns)}"
        clara_in.get(url)
        with django_assert_num_queries(ALWAYS + 7 + 2):
            clara_in.get(url)

    for number in range(2):
        every = [name_of(one) for one in hearing.questions.asked()]
        look("name")
        look(",".join(["name", *every]))
        for more in range(4):
            ask(f"{number} {more}?", "yes_no")


def test_where_nothing_is_asked_nothing_more_is_looked_up(
    clara_in, sent, hearing, django_assert_num_queries
):
    clara_in.get(f"{LIST}?{query(hearing)}")
    with django_assert_num_queries(ALWAYS + 7):
        clara_in.get(f"{LIST}?{query(hearing)}")
