"""A group puts right what is wrong about its people: at once, and by asking the organisers."""

import pytest

from registrations import corrections, decisions
from registrations.models import Correction, Delegate

WRONG = {"given_names": "Moussa", "family_name": "Keita", "email": "", "role": "delegate"}


@pytest.fixture
def moussa(sent) -> Delegate:
    return sent.delegates.get(representative__given_names="Moussa")


@pytest.fixture
def page_of_moussa(moussa) -> str:
    return moussa.get_absolute_url()


@pytest.fixture
def approved(sent, moussa, clara, now) -> Delegate:
    decisions.approve(sent, [moussa], by=clara, now=now)
    return moussa


def test_while_nobody_has_decided_facts_are_changed_at_once(at_desk, moussa, page_of_moussa):
    status = at_desk.get(page_of_moussa).content.decode()
    assert f'href="{page_of_moussa}correct/"' in status
    seen = at_desk.get(f"{page_of_moussa}correct/").context["seen"]

    answer = at_desk.post(
        f"{page_of_moussa}correct/", WRONG | {"access_needs": "Large print", "seen": seen}
    )

    assert answer["Location"] == page_of_moussa
    moussa = Delegate.objects.get(pk=moussa.pk)
    assert (str(moussa), moussa.access_needs, moussa.state) == (
        "Moussa Keita",
        "Large print",
        "submitted",
    )


def test_afterwards_the_organisers_are_asked(at_desk, approved, page_of_moussa):
    form = at_desk.get(f"{page_of_moussa}correct/")
    assert form.context["form"]["family_name"].value() == "Keïta"

    answer = at_desk.post(
        f"{page_of_moussa}correct/", WRONG | {"reason": "As in the passport."}, follow=True
    )

    assert answer.redirect_chain == [(page_of_moussa, 302)]
    page = answer.content.decode()
    assert "Your request is with the organisers." in page
    assert "<bdi>Keïta</bdi> becomes <bdi>Keita</bdi>" in page
    assert f'href="{page_of_moussa}correct/"' not in page
    assert Correction.objects.get().wished == {"family_name": "Keita", "email": ""}
    assert at_desk.get(f"{page_of_moussa}correct/")["Location"] == page_of_moussa


def test_the_answer_stands_on_the_page_of_the_person(
    at_desk, approved, amina, clara, page_of_moussa, now
):
    asked = corrections.ask(approved, {"role": "speaker"}, reason="So.", by=amina, now=now)
    corrections.decline(asked, answer="The list of speakers is full.", by=clara, now=now)

    page = at_desk.get(page_of_moussa).content.decode()

    assert "The organisers have not made your correction" in page
    assert "The list of speakers is full." in page


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"reason": ""}, "reason", "Write why. The organisers decide by it."),
        ({"given_names": ""}, "given_names", "Write at least one name."),
        ({"role": "head"}, "role", "Aïssata Traoré is the head of your delegation."),
        (
            {"family_name": "Keïta", "email": "moussa@diaspora.example"},
            "__all__",
            "Nothing is changed.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_it(at_desk, approved, page_of_moussa, typed, field, sentence):
    answer = at_desk.post(f"{page_of_moussa}correct/", WRONG | {"reason": "So."} | typed)

    [error] = answer.context["form"].errors[field]
    assert error.startswith(sentence)
    assert answer.context["form"]["family_name"].value() == typed.get("family_name", "Keita")
    assert not Correction.objects.exists()


def test_the_form_of_a_pending_person_that_comes_after_the_decision_is_kept(
    at_desk, approved, page_of_moussa
):
    """The page says what is missing now."""
    answer = at_desk.post(f"{page_of_moussa}correct/", WRONG | {"access_needs": "", "seen": "old"})

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == ["reason"]
    assert answer.context["form"]["family_name"].value() == "Keita"


def test_the_language_is_changed_without_a_judgement(at_desk, approved, page_of_moussa):
    arabic = page_of_moussa.replace("/en/", "/ar/")

    answer = at_desk.post(f"{arabic}correct/", WRONG | {"reason": "", "keep": "again"})

    assert answer.status_code == 200
    assert not answer.context["form"].errors
    assert answer.context["form"]["family_name"].value() == "Keita"
    assert not Correction.objects.exists()


@pytest.mark.parametrize("state", ["declined", "replaced", "lapsed", "withdrawn", "draft"])
def test_there_is_no_such_page_for_others(at_desk, moussa, page_of_moussa, state):
    Delegate.objects.filter(pk=moussa.pk).update(state=state)

    assert at_desk.get(f"{page_of_moussa}correct/")["Location"] == page_of_moussa


def test_it_is_not_there_for_strangers(elsewhere, approved, page_of_moussa):
    assert elsewhere.get(f"{page_of_moussa}correct/").status_code == 404
    assert elsewhere.post(f"{page_of_moussa}correct/", WRONG).status_code == 404
