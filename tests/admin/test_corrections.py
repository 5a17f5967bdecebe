"""Requests of groups to put right a fact are accepted or declined."""

import pytest
from django.urls import reverse

from notifications.models import Letter
from registrations import corrections, decisions
from registrations.models import Correction, Delegate

LIST = reverse("admin:registrations_correction_changelist")


def page_of(correction, word) -> str:
    return reverse(f"admin:registrations_correction_{word}", args=[correction.pk])


@pytest.fixture
def moussa(sent, clara, now) -> Delegate:
    delegate = sent.delegates.get(representative__given_names="Moussa")
    decisions.approve(sent, [delegate], by=clara, now=now)
    return Delegate.objects.get(pk=delegate.pk)


@pytest.fixture
def asked(moussa, amina, now) -> Correction:
    return corrections.ask(
        moussa,
        {"family_name": "Keita <b>"},
        other="The badge in French, please",
        reason="As in the passport.",
        by=amina,
        now=now,
    )


def test_a_request_is_accepted(clara_in, clara, asked, moussa):
    page = clara_in.get(page_of(asked, "accept")).content.decode()
    assert "Family name: Keïta becomes Keita &lt;b&gt;" in page
    assert "The badge in French, please" in page
    assert "As in the passport." in page

    answer = clara_in.post(page_of(asked, "accept"), {"answer": "Done.", "confirm": "yes"})

    assert answer["Location"] == page_of(asked, "change")
    asked.refresh_from_db()
    assert (asked.is_accepted, asked.answer, asked.answered_by) == (True, "Done.", clara)
    assert str(Delegate.objects.get(pk=moussa.pk)) == "Moussa Keita <b>"
    [letter] = Letter.objects.filter(key__startswith="corrected:")
    assert letter.to == "amina@diaspora.example"


def test_a_request_is_declined_with_a_reason(clara_in, asked, moussa):
    again = clara_in.post(page_of(asked, "decline"), {"answer": " ", "confirm": "yes"})
    assert "Write the reason. The group reads it." in again.content.decode()

    clara_in.post(page_of(asked, "decline"), {"answer": "It is printed.", "confirm": "yes"})

    asked.refresh_from_db()
    assert (asked.is_accepted, asked.answer) == (False, "It is printed.")
    assert str(Delegate.objects.get(pk=moussa.pk)) == "Moussa Keïta"


def test_what_is_answered_already_says_so(clara_in, clara, asked, now):
    corrections.decline(asked, answer="No.", by=clara, now=now)

    answer = clara_in.post(page_of(asked, "accept"), {"confirm": "yes"})

    assert "has an answer already. Nothing was changed." in answer.content.decode()
    assert "Accept</a>" not in clara_in.get(page_of(asked, "change")).content.decode()


def test_the_list_counts_what_waits(clara_in, clara, dina_in, asked, now):
    other = Delegate.objects.get(role="head")
    Delegate.objects.filter(pk=other.pk).update(state="approved")
    second = corrections.ask(other, {"role": "speaker"}, reason="So.", by=clara, now=now)
    corrections.decline(second, answer="No.", by=clara, now=now)

    page = clara_in.get(LIST).content.decode()

    for words in ("Waits for an answer (1)", "Accepted (0)", "Declined (1)"):
        assert words in page
    waiting = clara_in.get(f"{LIST}?stand=waits").context["cl"].result_list
    assert list(waiting) == [asked]
    hers = dina_in.get(LIST)
    assert list(hers.context["cl"].result_list) == []
    assert "Waits for an answer (0)" in hers.content.decode()


def test_the_list_asks_as_often_for_many(clara_in, asked, sent, amina, now, connection_queries):
    clara_in.get(LIST)
    few = connection_queries(lambda: clara_in.get(LIST))
    for delegate in sent.delegates.exclude(pk=asked.delegate_id):
        Delegate.objects.filter(pk=delegate.pk).update(state="approved")
        delegate.refresh_from_db()
        corrections.ask(delegate, {}, other="Badge", reason="So.", by=amina, now=now)

    assert connection_queries(lambda: clara_in.get(LIST)) == few


def test_the_page_of_the_person_leads_to_it(clara_in, asked, moussa):
    url = reverse("admin:registrations_delegate_change", args=[moussa.pk])

    page = clara_in.get(url).content.decode()

    assert f'href="{page_of(asked, "change")}"' in page
    assert "Family name: Keïta becomes Keita &lt;b&gt;" in page


@pytest.mark.parametrize("name", ["'; drop table", "\x00", "Keita"])
def test_any_search_is_a_page(clara_in, asked, name):
    assert clara_in.get(LIST, {"q": name}, follow=True).status_code == 200
