"""What is typed is not lost: while somebody writes, in another language, when a session ends."""

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from accounts import kept
from accounts.models import KeptPost, User
from audit.models import Entry
from events.models import Track
from notifications.models import Letter
from registrations import intake
from registrations.intake import Person
from registrations.models import Delegate, Registration
from stakeholders.models import Membership

FORM = "application/x-www-form-urlencoded"
HALF = {"given_names": "Moussa", "email": "moussa@", "role": "", "access_needs": "Large print"}


@pytest.fixture
def aissata(draft) -> Delegate:
    return draft.delegates.get()


def unfinished(registration: Registration) -> dict:
    return Registration.objects.get(pk=registration.pk).unfinished


def values(answer) -> dict:
    form = answer.context["form"]
    return {name: form[name].value() for name in form.fields}


def inputs(answer) -> dict[str, list[str]]:
    """The hidden ones of a page, as a browser would send them."""
    page = answer.content.decode()
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    sent: dict[str, list[str]] = {}
    for name, value in found:
        sent.setdefault(unescape(name), []).append(unescape(value))
    return sent


# While somebody writes


def test_half_a_person_is_kept_and_nothing_else_happens(at_desk, draft, amina, page):
    told, written = Entry.objects.count(), Letter.objects.count()

    answer = at_desk.post(f"{page}people/", HALF | {"keep": "1", "more": "1"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert unfinished(draft) == {f"person:{amina.pk}": HALF | {"family_name": ""}}
    assert [str(one) for one in draft.delegates.all()] == ["Aïssata Traoré"]
    assert (Entry.objects.count(), Letter.objects.count()) == (told, written)
    assert values(at_desk.get(f"{page}people/"))["email"] == "moussa@"


def test_an_emptied_form_is_forgotten(at_desk, draft, page):
    at_desk.post(f"{page}people/", HALF | {"keep": "1"})

    at_desk.post(f"{page}people/", {"given_names": " ", "role": "delegate", "keep": "1"})

    assert unfinished(draft) == {}


def test_what_comes_late_of_somebody_who_is_in_already_is_no_news(at_desk, draft, page):
    entry = "6f1c1b0e-58ad-4b39-9f0c-3f8f1f6f6f10"
    whole = {"given_names": "Moussa", "family_name": "Keïta", "role": "delegate", "entry": entry}
    at_desk.post(f"{page}people/", whole)

    assert at_desk.post(f"{page}people/", whole | {"keep": "1"}).status_code == 204

    assert unfinished(draft) == {}
    assert draft.delegates.count() == 2


def test_an_open_form_that_nobody_has_changed_is_not_kept(at_desk, draft, aissata):
    same = {
        "given_names": "Aïssata",
        "family_name": "Traoré",
        "email": "aissata@diaspora.example",
        "role": "head",
    }

    assert at_desk.post(aissata.get_absolute_url(), same | {"keep": "1"}).status_code == 204

    assert unfinished(draft) == {}


def test_a_change_that_was_only_kept_changes_nobody(at_desk, draft, aissata, amina):
    form = {"given_names": "Aicha", "family_name": "Traoré", "role": "head"}

    at_desk.post(aissata.get_absolute_url(), form | {"seen": aissata.mark, "keep": "1"})

    assert str(Delegate.objects.get()) == "Aïssata Traoré"
    assert values(at_desk.get(aissata.get_absolute_url()))["given_names"] == "Aicha"


def test_a_kept_change_does_not_overwrite_what_a_colleague_has_done_since(
    at_desk, draft, aissata, bo, now
):
    form = {"given_names": "Aicha", "family_name": "Traoré", "email": "aissata@diaspora.example"}
    form |= {"role": "head"}
    at_desk.post(aissata.get_absolute_url(), form | {"seen": aissata.mark, "keep": "1"})
    corrected = Person("Aïssata", "Traoré", "new@diaspora.example", "head")
    intake.change_person(aissata, corrected, by=bo, now=now)

    back = at_desk.get(aissata.get_absolute_url())
    answer = at_desk.post(aissata.get_absolute_url(), form | {"seen": back.context["seen"]})

    assert answer.status_code == 200
    assert "was changed while you were writing" in answer.content.decode()
    assert Delegate.objects.get().representative.email == "new@diaspora.example"


def test_facts_of_the_organisation_are_kept_with_the_way_in(
    at_desk, draft, diaspora_network, hearing, page
):
    track = Track.objects.create(event=hearing, name_en="In the room")
    form = {"name": "", "country": "ML", "category": "diaspora", "website": "not one"}

    at_desk.post(f"{page}organisation/", form | {"track": track.pk, "keep": "1"})

    diaspora_network.refresh_from_db()
    assert diaspora_network.name == "Diaspora Network"
    again = at_desk.get(f"{page}organisation/")
    assert (values(again)["name"], values(again)["website"]) == ("", "not one")
    assert again.context["choosing"]["track"].value() == str(track.pk)


def test_colleagues_keep_their_own_words(at_desk, draft, page, port_workers, bo, diaspora_network):
    Membership.objects.create(
        user=bo,
        organisation=diaspora_network,
        kind="focal_point",
        state="active",
        since=draft.begun_at,
    )
    colleague = Client()
    colleague.force_login(bo)

    at_desk.post(f"{page}people/", HALF | {"keep": "1"})
    colleague.post(f"{page}people/", {"given_names": "Other", "keep": "1"})

    assert values(at_desk.get(f"{page}people/"))["given_names"] == "Moussa"
    assert values(colleague.get(f"{page}people/"))["given_names"] == "Other"


def test_what_was_sent_meanwhile_keeps_nothing_more(at_desk, sent, page):
    assert at_desk.post(f"{page}people/", HALF | {"keep": "1"}).status_code == 409

    assert unfinished(sent) == {}


def test_others_keep_nothing_in_it(elsewhere, draft, page):
    assert elsewhere.post(f"{page}people/", HALF | {"keep": "1"}).status_code == 404

    assert unfinished(draft) == {}


# On the way to another language


def test_a_draft_goes_along_to_another_language(at_desk, draft, page):
    people = at_desk.get(f"{page}people/").content.decode()
    arabic = page.replace("/en/", "/ar/") + "people/"
    assert re.search(rf'<button [^>]*name="keep" value="again" formaction="{arabic}"', people)

    answer = at_desk.post(arabic, HALF | {"keep": "again"}, follow=True)

    assert answer.redirect_chain == [(arabic, 302)]
    assert {name: values(answer)[name] for name in HALF} == HALF


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("find", {"name": "Sahel Women", "country": "SN"}),
        ("enter", {"name": "Sahel Women", "acronym": "SW", "website": "not one"}),
    ],
)
def test_what_was_typed_before_there_is_a_draft_goes_along_too(client, hearing, bo, step, typed):
    client.force_login(bo)

    answer = client.post("/ar/events/hearing/register/", typed | {"step": step, "keep": "again"})

    assert answer.context["step"] == step
    assert not answer.context["form"].errors
    assert {name: values(answer)[name] for name in typed} == typed
    assert not Registration.objects.exists()


def test_an_organisation_that_was_proposed_is_proposed_in_the_other_language(client, hearing, bo):
    client.force_login(bo)

    answer = client.post(
        "/ar/events/hearing/register/", {"name": "Port Worker", "step": "pick", "keep": "again"}
    )

    assert answer.context["step"] == "pick"
    assert ("name", "Port Worker") in list(answer.context["kept"])


@pytest.mark.parametrize("step", ["", "pick", "nonsense", "enter", "choose"])
def test_any_step_with_nothing_that_can_be_stored_is_a_page(client, hearing, bo, step):
    client.force_login(bo)

    answer = client.post(
        "/ar/events/hearing/register/", {"name": "a\x00b", "step": step, "keep": "again"}
    )

    assert answer.status_code == 200


# Nothing is asked twice (WCAG 2.2, 3.3.7)


def test_an_address_that_was_typed_before_can_be_chosen(at_desk, draft, page):
    people = at_desk.get(f"{page}people/").content.decode()

    offered = re.search(r'<datalist id="known-addresses">(.*?)</datalist>', people)[1]
    assert re.findall(r'value="([^"]*)"', offered) == [
        "amina@diaspora.example",
        "aissata@diaspora.example",
    ]
    assert re.search(r'<input type="email"[^>]* list="known-addresses"', people)


def test_the_name_that_was_looked_for_is_not_asked_again(client, bo, hearing):
    client.force_login(bo)

    answer = client.post(
        "/en/events/hearing/register/", {"name": "Sahel Women", "country": "SN", "find": "1"}
    )

    assert (values(answer)["name"], values(answer)["country"]) == ("Sahel Women", "SN")


# When the session has ended


@pytest.fixture
def cut_off(amina, draft, page) -> tuple[Client, dict]:
    """Amina's browser, with the form of a person filled in, whose session is gone."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(amina)
    form = {name: found[0] for name, found in inputs(client.get(f"{page}people/")).items()}
    del client.cookies["sessionid"]
    return client, form | {"given_names": "Moussa", "family_name": "Keïta", "role": "delegate"}


def gone_on(client: Client, go_on: str) -> list:
    """What happens when the button of the page is pressed."""
    sent = urlencode(inputs(client.get(go_on)), doseq=True)
    first = client.post(go_on, sent, content_type=FORM)
    assert first.status_code == 307
    second = client.post(first["Location"], sent, content_type=FORM)
    return [first["Location"], second.status_code]


def test_a_person_is_added_after_signing_in_again(cut_off, draft, amina, page):
    client, form = cut_off

    asked = client.post(f"{page}people/", form)

    go_on = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
    assert asked["Location"].startswith("/en/accounts/login/?")
    assert draft.delegates.count() == 1
    assert "whose" not in KeptPost.objects.get().body
    client.force_login(amina)
    assert gone_on(client, go_on) == [f"{page}people/", 302]
    assert [str(one) for one in draft.delegates.in_order()] == ["Aïssata Traoré", "Moussa Keïta"]
    assert not KeptPost.objects.exists()


def test_the_very_first_post_waits_too(hearing):
    newcomer = Client(enforce_csrf_checks=True)
    fatou = User.objects.create_user("fatou@kafo.example")
    newcomer.force_login(fatou)
    start = "/en/events/hearing/register/"
    form = {name: found[0] for name, found in inputs(newcomer.get(start)).items()}
    del newcomer.cookies["sessionid"]

    asked = newcomer.post(start, form | {"name": "Kafo Migrant Women", "find": "1"})

    go_on = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
    newcomer.force_login(fatou)
    sent = urlencode(inputs(newcomer.get(go_on)), doseq=True)
    newcomer.post(go_on, sent, content_type=FORM)
    answer = newcomer.post(start, sent, content_type=FORM)
    assert (answer.context["step"], values(answer)["name"]) == ("enter", "Kafo Migrant Women")


def test_another_person_gets_nothing_of_it(cut_off, draft, bo, page):
    client, form = cut_off
    go_on = parse_qs(urlsplit(client.post(f"{page}people/", form)["Location"]).query)["next"][0]

    client.force_login(bo)

    assert client.get(go_on).status_code == 404
    assert draft.delegates.count() == 1


def test_a_form_from_another_site_is_not_kept(cut_off, page):
    client, form = cut_off
    stranger = Client(enforce_csrf_checks=True)

    assert stranger.post(f"{page}people/", form).status_code == 403
    assert not KeptPost.objects.exists()


@pytest.mark.parametrize("whose", ["", "nobody", "0:1:2", "x" * 5000, "\x00"])
def test_a_form_of_nobody_leads_to_the_door_and_is_not_kept(cut_off, page, whose):
    client, form = cut_off

    answer = client.post(f"{page}people/", form | {"whose": whose})

    assert answer["Location"] == f"/en/accounts/login/?next={page}people/"
    assert not KeptPost.objects.exists()


def test_somebody_who_is_shut_out_has_nothing_kept(cut_off, amina, page):
    client, form = cut_off
    amina.is_active = False
    amina.save()

    client.post(f"{page}people/", form)

    assert not KeptPost.objects.exists()


def test_a_page_that_only_keeps_what_is_typed_fills_no_room(cut_off, page):
    client, form = cut_off

    assert client.post(f"{page}people/", form | {"keep": "1"}).status_code == 403

    assert not KeptPost.objects.exists()


def test_the_last_twenty_of_a_person_are_kept(cut_off, page, amina):
    client, form = cut_off

    for n in range(23):
        client.post(f"{page}people/", form | {"given_names": f"Moussa {n}"})

    posts = KeptPost.objects.order_by("at")
    assert [dict(kept.answers(one))["given_names"] for one in posts] == [
        f"Moussa {n}" for n in range(3, 23)
    ]


# What the page itself keeps


def test_a_tab_is_told_that_its_form_was_answered_well(at_desk, page):
    form = {"given_names": "Moussa", "role": "delegate", "in_tab": "k3x9"}

    good = at_desk.post(f"{page}people/", form)
    refused = at_desk.post(f"{page}people/", form | {"given_names": ""})
    strange = at_desk.post(f"{page}people/", form | {"given_names": "Awa", "in_tab": "a b\n"})

    assert good["Location"] == f"{page}check/#answered-k3x9"
    assert refused.status_code == 200
    assert strange["Location"] == f"{page}check/"


def test_a_tab_is_not_told_so_at_the_door(cut_off, page):
    client, form = cut_off

    assert "#" not in client.post(f"{page}people/", form | {"in_tab": "k3x9"})["Location"]
