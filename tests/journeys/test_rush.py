"""Double clicks, forms that are sent again, and two colleagues on one draft: through the pages, and
beside each other where that matters."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

import clock
from accounts.models import User
from events.models import Deadline
from notifications.models import Letter
from registrations import decisions, intake
from registrations.models import Delegate, Registration, RegistrationQuerySet
from stakeholders.models import Membership, Organisation

pytestmark = pytest.mark.django_db

FACTS = {"name": "Diaspora Network", "acronym": "DN", "country": "ML", "category": "diaspora"}
BINTA = {"given_names": "Binta", "family_name": "Ba", "email": "", "role": "delegate"}


def words(response) -> str:
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def hidden(response, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]+)"', response.content.decode())[1]


def letters() -> list[str]:
    return sorted(letter.key.split(":")[0] for letter in Letter.objects.all())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def colleague(diaspora_network) -> Client:
    """Layla, of the same organisation, at her own machine."""
    layla = User.objects.create_user("layla@diaspora.example", name="Layla")
    Membership.objects.create(user=layla, organisation=diaspora_network)
    return signed_in(layla)


@pytest.fixture
def clicks(at_once, amina) -> Callable[..., list]:
    """The same form, sent so many times at once, each by a browser of its own, signed in."""

    def clicks(address: str, data: dict | None = None, times: int = 2) -> list:
        browsers = [signed_in(amina) for _time in range(times)]
        start = threading.Barrier(times)

        def send(browser: Client):
            start.wait()
            return browser.post(address, data or {})

        return at_once(*[lambda browser=browser: send(browser) for browser in browsers])

    return clicks


# One person


def test_a_double_click_adds_one_person_and_both_answers_lead_on(clicks, at_desk, page, draft):
    entry = hidden(at_desk.get(f"{page}people/"), "entry")

    answers = clicks(f"{page}people/", BINTA | {"entry": entry, "more": "1"}, times=4)

    assert {(each.status_code, each.headers["Location"]) for each in answers} == {
        (302, f"{page}people/")
    }
    assert draft.delegates.count() == 2


def test_without_its_entry_the_second_click_would_be_refused(clicks, page, draft):
    answers = clicks(f"{page}people/", BINTA | {"more": "1"})

    assert sorted(each.status_code for each in answers) == [200, 302]


def test_each_page_gives_a_new_person_an_entry_of_their_own(at_desk, page, draft):
    first, second = (hidden(at_desk.get(f"{page}people/"), "entry") for _time in range(2))
    assert first != second

    at_desk.post(f"{page}people/", BINTA | {"entry": first})
    at_desk.post(f"{page}people/", BINTA | {"entry": second, "given_names": "Cheick"})

    assert draft.delegates.count() == 3


def test_a_form_that_is_sent_again_after_a_mistake_keeps_its_entry(at_desk, page, draft):
    entry = hidden(at_desk.get(f"{page}people/"), "entry")

    wrong = at_desk.post(f"{page}people/", BINTA | {"entry": entry, "email": "nowhere"})

    assert hidden(wrong, "entry") == entry


@pytest.mark.parametrize("entry", ["", "x", "\x00", "x" * 9999, "0" * 32])
def test_an_entry_that_is_none_does_no_harm(at_desk, page, draft, entry):
    response = at_desk.post(f"{page}people/", BINTA | {"entry": entry})

    assert response.status_code == 302
    assert draft.delegates.count() == 2


def test_the_entry_of_somebody_elses_person_adds_ones_own(
    at_desk, page, draft, hearing, bo, port_workers, now
):
    other = intake.begin(hearing, port_workers, by=bo, now=now)
    pia = intake.add_person(other, intake.Person("Pia", "Reyes"), by=bo, now=now)

    response = at_desk.post(f"{page}people/", BINTA | {"entry": str(pia.pk)})

    assert response.status_code == 302
    assert sorted(str(each) for each in draft.delegates.all()) == ["Aïssata Traoré", "Binta Ba"]
    assert [str(each) for each in other.delegates.all()] == ["Pia Reyes"]


# The whole delegation


def test_a_double_click_on_send_leads_both_to_the_registration(clicks, page, draft):
    answers = clicks(f"{page}check/", times=4)

    assert {(each.status_code, each.headers["Location"]) for each in answers} == {(302, page)}
    assert all("X-Judged-At" in each.headers for each in answers)
    assert letters() == ["received"]


def test_starting_twice_is_one_organisation_and_one_draft(clicks, hearing, amina):
    entered = FACTS | {
        "name": "Sahel Women",
        "consultative_status": "",
        "website": "",
        "enter": "1",
    }

    answers = clicks(reverse("registrations:start", args=[hearing.slug]), entered, times=3)

    assert {each.status_code for each in answers} == {302}
    assert len({each.headers["Location"] for each in answers}) == 1
    assert Organisation.objects.filter(name="Sahel Women").count() == 1
    assert Registration.objects.count() == 1


def test_the_same_answer_twice_is_one_answer(clicks, sent, clara, now):
    person = sent.delegates.get(role="speaker")
    decisions.ask(sent, [person], by=clara, now=now, question="Which topic?")

    answers = clicks(person.get_absolute_url(), {"answer": "Remittances"})

    assert [each.status_code for each in answers] == [302, 302]
    assert person.exchanges.get().answer == "Remittances"
    assert letters().count("answered") == 1


# Two colleagues


def test_what_a_colleague_wrote_meanwhile_is_shown_and_not_overwritten_unseen(
    at_desk, colleague, draft, page
):
    person = draft.delegates.get()
    address = person.get_absolute_url()
    seen = hidden(at_desk.get(address), "seen")
    theirs = {"given_names": "Aïssata", "family_name": "Diop", "email": "", "role": "head"}
    colleague.post(address, theirs | {"seen": hidden(colleague.get(address), "seen")})
    mine = theirs | {"family_name": "Touré", "access_needs": "A ramp"}

    stopped = at_desk.post(address, mine | {"seen": seen})

    assert str(Delegate.objects.get()) == "Aïssata Diop"
    said = words(stopped)
    assert "Saved meanwhile: Diop" in said
    assert "Saved meanwhile: nothing" in said
    assert said.count("Saved meanwhile:") == 2
    assert 'value="Touré"' in stopped.content.decode()
    again = hidden(stopped, "seen")
    assert again != seen
    knowing = at_desk.post(address, mine | {"seen": again})

    assert knowing.status_code == 302
    assert str(Delegate.objects.get()) == "Aïssata Touré"


def test_two_who_save_at_once_do_not_overwrite_each_other_unseen(
    at_once, at_desk, colleague, draft
):
    address = draft.delegates.get().get_absolute_url()
    seen = hidden(at_desk.get(address), "seen")
    start = threading.Barrier(2)

    def save(browser: Client, name: str):
        start.wait()
        typed = {"given_names": name, "email": "", "role": "head", "seen": seen}
        return browser.post(address, typed)

    answers = at_once(lambda: save(at_desk, "Awa"), lambda: save(colleague, "Fanta"))

    assert sorted(each.status_code for each in answers) == [200, 302]
    (stopped,) = (each for each in answers if each.status_code == 200)
    assert "Saved meanwhile:" in words(stopped)


def test_without_the_lock_one_would_overwrite_the_other_unseen(
    at_once, meeting_before_writing, monkeypatch, at_desk, colleague, draft
):
    address = draft.delegates.get().get_absolute_url()
    seen = hidden(at_desk.get(address), "seen")

    def held(self, registration, event=None):
        meeting_before_writing()
        return self.get(pk=registration.pk)

    monkeypatch.setattr(RegistrationQuerySet, "held", held)

    answers = at_once(
        *[
            lambda browser=browser, name=name: browser.post(
                address, {"given_names": name, "email": "", "role": "head", "seen": seen}
            )
            for browser, name in ((at_desk, "Awa"), (colleague, "Fanta"))
        ]
    )

    assert [each.status_code for each in answers] == [302, 302]


def test_the_same_change_by_both_is_no_quarrel(at_desk, colleague, draft):
    address = draft.delegates.get().get_absolute_url()
    seen = hidden(at_desk.get(address), "seen")
    same = {"given_names": "Awa", "email": "", "role": "head", "seen": seen}

    assert [each.post(address, same).status_code for each in (at_desk, colleague)] == [302, 302]


def test_the_facts_of_the_organisation_are_not_overwritten_unseen(at_desk, colleague, page):
    address = f"{page}organisation/"
    seen = hidden(at_desk.get(address), "seen")
    colleague.post(address, FACTS | {"acronym": "DIN", "country": "SN", "seen": seen})

    stopped = at_desk.post(address, FACTS | {"acronym": "DNet", "seen": seen})

    organisation = Organisation.objects.get(acronym="DIN")
    said = words(stopped)
    assert "Saved meanwhile: DIN" in said
    assert "Saved meanwhile: Senegal" in said
    assert said.count("Saved meanwhile:") == 2
    at_desk.post(address, FACTS | {"acronym": "DNet", "seen": hidden(stopped, "seen")})
    organisation.refresh_from_db()
    assert organisation.acronym == "DNet"


@pytest.mark.parametrize("seen", ["x", "\x00", "x" * 9999])
def test_a_mark_that_is_none_stops_and_does_not_break(at_desk, draft, page, seen):
    changed = {"given_names": "Awa", "email": "", "role": "head", "seen": seen}

    for address, typed in (
        (draft.delegates.get().get_absolute_url(), changed),
        (f"{page}organisation/", FACTS | {"acronym": "DNet", "seen": seen}),
    ):
        assert at_desk.post(address, typed).status_code == 200
    assert str(draft.delegates.get()) == "Aïssata Traoré"


def test_each_keeps_their_own_words(at_desk, colleague, page, draft):
    at_desk.post(f"{page}people/", BINTA | {"email": "nowhere"})
    colleague.post(f"{page}people/", BINTA | {"given_names": "Cheick", "email": "nowhere"})

    assert 'value="Binta"' in at_desk.get(f"{page}people/").content.decode()
    assert 'value="Cheick"' in colleague.get(f"{page}people/").content.decode()
    colleague.post(f"{page}people/", BINTA | {"given_names": "", "family_name": "", "email": ""})
    assert "A colleague has typed something" in words(colleague.get(f"{page}check/"))
    assert "Go on with it" in words(at_desk.get(f"{page}check/"))


# The closing second


def test_the_answer_says_by_which_moment_it_was_judged(at_desk, page, draft):
    before = clock.now()
    answer = at_desk.post(f"{page}check/")
    after = clock.now()

    judged = datetime.fromisoformat(answer.headers["X-Judged-At"])
    draft.refresh_from_db()
    assert before < judged < after
    assert judged.utcoffset() == timedelta(0)
    assert draft.sent_at == judged
    assert "It reached us on" in words(at_desk.get(page))


def test_a_late_answer_says_it_too_and_the_draft_stays(at_desk, page, draft, deadline):
    Deadline.objects.filter(pk=deadline.pk).update(
        closes_at=clock.now(), set_at=deadline.set_at - timedelta(days=1)
    )

    late = at_desk.post(f"{page}check/")

    judged = datetime.fromisoformat(late.headers["X-Judged-At"])
    assert judged >= Deadline.objects.get().closes_at
    assert re.search(r"Registration closed on .* It reached us on .*", words(late))
    assert Registration.objects.get().is_draft


def test_many_who_send_around_the_close_are_judged_by_the_moment_they_carry(
    at_once, hearing, deadline, process
):
    """Twelve groups, a window that shuts while they send."""
    browsers = []
    for number in range(12):
        user = User.objects.create_user(f"focal{number}@example.org")
        organisation = Organisation.objects.create(
            name=f"Group {number}", country="ML", category="diaspora"
        )
        Membership.objects.create(user=user, organisation=organisation)
        draft = intake.begin(hearing, organisation, by=user, now=clock.now())
        intake.add_person(draft, intake.Person("Awa", str(number)), by=user, now=clock.now())
        browsers.append((signed_in(user), draft.get_absolute_url()))
    shut = clock.now() + timedelta(milliseconds=250)
    Deadline.objects.filter(pk=deadline.pk).update(closes_at=shut)

    answers = at_once(
        *[
            lambda browser=browser, page=page: (page, browser.post(f"{page}check/"))
            for browser, page in browsers
        ]
    )

    for page, answer in answers:
        judged = datetime.fromisoformat(answer.headers["X-Judged-At"]).astimezone(UTC)
        registration = Registration.objects.get(reference=page.split("/")[-2])
        assert answer.status_code == (302 if judged < shut else 200)
        assert registration.is_draft == (judged >= shut)
