import html
import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from events import roles
from events.models import Event, Track
from registrations.admin import on_behalf
from registrations.models import Registration
from stakeholders import membership
from stakeholders.models import Organisation
from tests.conftest import signed_in

NOBODYS = "6c1f5d0e-6d3a-4f0e-9a51-0a7b8a1f2c3d"
ADDRESS = "sani@riverside.example"
TYPED = {
    "confirm": "yes",
    "name": "Riverside Fishers",
    "acronym": "",
    "country": "NE",
    "category": "diaspora",
    "focal_point": ADDRESS,
    "people": "Sani; Abdou; sani@riverside.example; head\n\nHadiza ;Issa",
}


@pytest.fixture
def start(hearing) -> str:
    return reverse("admin:events_event_on_behalf", args=[hearing.pk])


@pytest.fixture
def new(start) -> str:
    return f"{start}?name=Riverside+Fishers&country=NE&new=1"


def words(response) -> str:
    text = re.sub(r"<(head|svg|textarea)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def errors(response) -> dict[str, list[str]]:
    return {name: list(said) for name, said in response.context["form"].errors.items()}


# Which organisation


def test_search_offers_what_is_like_it_as_radios(clara_in, start, diaspora_network):
    found = clara_in.post(start, {"name": "diaspora netwrk", "country": ""}, follow=True)

    assert found.redirect_chain[-1][0].endswith("?name=diaspora+netwrk&country=")
    assert "Diaspora Network (DN), Mali" in words(found)
    assert "None of these: enter it as new" in words(found)
    assert found.content.decode().count('type="radio"') == 2


def test_one_of_them_is_chosen(clara_in, start, diaspora_network):
    where = f"{start}?name=diaspora&country="

    chosen = clara_in.post(where, {"organisation": str(diaspora_network.pk)})

    assert chosen["Location"] == f"{start}?organisation={diaspora_network.pk}"
    page = clara_in.get(chosen["Location"])
    assert "“Diaspora Network” is known here." in words(page)
    assert 'name="category"' not in page.content.decode()


def test_none_of_them_is_a_new_one_with_what_was_typed(clara_in, start, diaspora_network):
    chosen = clara_in.post(f"{start}?name=Diaspora&country=NE", {"organisation": "new"})

    page = clara_in.get(chosen["Location"]).content.decode()
    assert 'value="Diaspora"' in page
    assert '<option value="NE" selected>' in page


def test_where_nothing_is_like_it_one_goes_on_at_once(clara_in, start):
    page = clara_in.post(start, {"name": "Riverside Fishers", "country": "NE"}, follow=True)

    assert "An organisation that is new here." in words(page)


@pytest.mark.parametrize("typed", ["", "x" * 256, "\x00"])
def test_a_search_for_nothing_gets_a_sentence(clara_in, start, typed):
    page = clara_in.post(start, {"name": typed, "country": ""})

    assert page.status_code == 200
    assert list(errors(page)) == ["name"]


@pytest.mark.parametrize(
    "asked",
    [
        "?organisation=x",
        "?organisation=",
        f"?organisation={NOBODYS}",
        "?name=%00&country=",
        "?name=a&country=XX",
        "?new=1",
        "?organisation=%00",
    ],
)
def test_an_address_that_was_made_up_breaks_nothing(clara_in, start, asked):
    for ask in (clara_in.get, clara_in.post):
        assert ask(start + asked).status_code in {200, 302, 404}


@pytest.mark.parametrize("typed", ["", "x", "\x00", NOBODYS])
def test_what_is_not_among_the_radios_gets_a_sentence(clara_in, start, diaspora_network, typed):
    page = clara_in.post(f"{start}?name=diaspora&country=", {"organisation": typed})

    assert list(errors(page)) == ["organisation"]


# Who comes


def test_a_new_group_is_registered(clara_in, new, hearing):
    done = clara_in.post(new, TYPED, follow=True)

    registration = Registration.objects.get()
    assert (
        f"Riverside Fishers is registered with 2 people: {registration.reference}. "
        f"We have written to {ADDRESS}." in words(done)
    )
    people = registration.delegates.select_related("representative").in_order()
    assert [(str(one), one.role, one.representative.email) for one in people] == [
        ("Sani Abdou", "head", ADDRESS),
        ("Hadiza Issa", "delegate", ""),
    ]


def test_the_same_form_sent_twice_registers_once(clara_in, new):
    typed = TYPED | {"entry": str(uuid4())}

    answers = [clara_in.post(new, typed) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Registration.objects.count() == 1


def test_lines_of_a_spreadsheet_and_roles_in_words(clara_in, new):
    lines = [
        "Sani\tAbdou\tsani@riverside.example\tHead of delegation\tA ramp; large print",
        "Olena\t\t\tpersonal ASSISTANT",
        "Mei;;;Interpreter",
    ]

    clara_in.post(new, TYPED | {"people": "\r\n".join(lines)})

    people = Registration.objects.get().delegates.in_order()
    assert [(one.role, one.access_needs) for one in people] == [
        ("head", "A ramp; large print"),
        ("assistant", ""),
        ("interpreter", ""),
    ]


def test_each_line_that_is_not_understood_is_told_and_everything_typed_is_kept(clara_in, new):
    people = "\n".join(
        [
            "Sani; Abdou; sani@riverside",
            "Hadiza; Issa; ; queen",
            "; Nameless",
            "a; b; c@d.example; head; x; y",
            "Fine; Person",
            f"{'x' * 256}; Long",
        ]
    )

    page = clara_in.post(new, TYPED | {"people": people})

    assert errors(page) == {
        "people": [
            "Line 1: This is not a whole email address. Write it like name@example.org",
            "Line 2: “queen” is no role. Write one of these: Head of delegation, Delegate, "
            "Asks to speak, Interpreter, Personal assistant.",
            "Line 3: Write at least one name.",
            "Line 4: there are more than five parts in it.",
            "Line 6: Ensure this value has at most 255 characters (it has 256).",
        ]
    }
    shown = html.unescape(page.content.decode())
    for typed in (people, ADDRESS, "Riverside Fishers"):
        assert typed in shown
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"focal_point": "nobody"}, "focal_point"),
        ({"focal_point": ""}, "focal_point"),
        ({"people": ""}, "people"),
        ({"people": " ;;\n\t\n"}, "people"),
        ({"people": "a\x00b"}, "people"),
        ({"people": "x" * 200_001}, "people"),
        ({"people": "Ali; Ba\n" * (on_behalf.MOST_AT_ONCE + 1)}, "people"),
        ({"people": "Ali; Ba\nAli; Ba"}, "people"),
        ({"people": "Ali; Ba; ; head\nMoussa; Ba; ; head"}, "people"),
        ({"name": ""}, "name"),
        ({"country": "XX"}, "country"),
        ({"category": ""}, "category"),
        ({"website": "javascript:alert(1)"}, "website"),
    ],
)
def test_what_is_wrong_gets_a_sentence_beside_its_field(clara_in, new, changes, field):
    page = clara_in.post(new, TYPED | changes)

    assert page.status_code == 200
    assert list(errors(page)) == [field]
    assert not Registration.objects.exists()


def test_a_focal_point_with_another_address_is_not_passed_over(clara_in, start, diaspora_network):
    page = clara_in.post(f"{start}?organisation={diaspora_network.pk}", TYPED)

    assert list(errors(page)) == ["focal_point"]
    assert "amina@" not in page.content.decode()


def test_a_name_that_is_known_is_not_entered_again(clara_in, new, diaspora_network):
    page = clara_in.post(new, TYPED | {"name": "Diaspora Network", "country": "ML"})

    assert list(errors(page)) == ["name"]


def test_what_is_missing_of_a_known_group_is_asked(clara_in, clara, start, now):
    known = membership.enter(Organisation(name="Imported Group"), by=clara, now=now)
    where = f"{start}?organisation={known.pk}"
    assert 'name="category"' in clara_in.get(where).content.decode()

    clara_in.post(where, TYPED | {"name": "Imported Group"})

    assert str(Organisation.objects.get(pk=known.pk).country) == "NE"
    assert Registration.objects.get().organisation == known


def test_a_track_is_asked_where_there_are_several(clara_in, new, hearing):
    track = Track.objects.create(event=hearing, name_en="Speakers", position=1)
    assert errors(clara_in.post(new, TYPED)) == {"track": ["Choose how your group takes part."]}

    clara_in.post(new, TYPED | {"track": str(track.pk)})

    assert Registration.objects.get().track == track


def test_a_refusal_is_shown_and_nothing_is_lost(clara_in, new, hearing):
    Event.objects.update(state="postponed")

    page = clara_in.post(new, TYPED)

    assert errors(page) == {"__all__": ["This event is postponed. Nobody can register now."]}
    assert ADDRESS in page.content.decode()


# Who may


def test_only_who_runs_the_event_finds_the_page(
    start, new, hearing, clara_in, dina_in, amina, process, now
):
    people = {}
    for kind in ("reviewer", "reader", "door"):
        user = User.objects.create_user(f"{kind}@secretariat.example")
        roles.grant(user, on=process, kind=kind, by=None, now=now)
        people[kind] = signed_in(user)

    seen = {kind: client.get(start).status_code for kind, client in people.items()}
    posted = {kind: client.post(new, TYPED).status_code for kind, client in people.items()}

    assert set(seen.values()) | set(posted.values()) <= {403, 404}
    assert dina_in.get(start).status_code == 404
    assert dina_in.post(new, TYPED).status_code == 404
    for stranger in (Client(), signed_in(amina)):
        assert stranger.post(new, TYPED).status_code in {302, 403, 404}
    assert not Registration.objects.exists()
    assert clara_in.get(start).status_code == 200


def test_the_event_leads_there_only_while_it_takes_place(clara_in, hearing, start):
    change = reverse("admin:events_event_change", args=[hearing.pk])
    assert start in clara_in.get(change).content.decode()

    Event.objects.update(state="cancelled")

    assert start not in clara_in.get(change).content.decode()
