"""People come to an organisation, work in it and leave it: through the pages, without script."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.models import Letter
from registrations.models import Registration
from stakeholders import membership
from stakeholders.models import Membership, Organisation

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


def words(response) -> str:
    """What a reader sees, in one line."""
    text = re.sub(r"<(head|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


OF_EACH_FORM = {"csrfmiddlewaretoken", "whose", "step"}


def hidden(response) -> dict[str, str]:
    html = response.content.decode()
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    return {name: value for name, value in found if name not in OF_EACH_FORM}


def page_of(thing, word: str = "organisation", *more) -> str:
    return reverse(f"stakeholders:{word}", args=[thing.pk, *more])


def link_in(letter: Letter) -> str:
    return re.search(r"^http://[^/]+(/\S+)$", letter.text, re.M)[1]


@pytest.fixture
def dana(db) -> User:
    return User.objects.create_user("dana@youth.example", name="Dana Otieno")


@pytest.fixture
def dana_in(dana) -> Client:
    return signed_in(dana)


@pytest.fixture
def amina_in(amina) -> Client:
    return signed_in(amina)


@pytest.fixture
def member(diaspora_network, dana, now) -> Membership:
    return Membership.objects.create(
        user=dana, organisation=diaspora_network, kind="member", since=now
    )


@pytest.fixture
def start(hearing) -> str:
    return reverse("registrations:start", args=[hearing.slug])


# Finding one's organisation while registering


@pytest.mark.parametrize("language", ["en", "ar"])
def test_somebody_finds_their_organisation_asks_and_is_let_in(
    dana_in, amina_in, diaspora_network, start, language
):
    start = start.replace("/en/", f"/{language}/")
    first = dana_in.get(start)
    assert 'name="find"' in first.content.decode()

    found = dana_in.post(start, {"name": "diaspora netwrok", "country": "ML", "find": "1"})
    html = found.content.decode()
    assert f'value="{diaspora_network.pk}"' in html
    assert hidden(found) == {"name": "diaspora netwrok", "country": "ML"}
    asking = dana_in.post(
        start,
        hidden(found) | {"organisation": str(diaspora_network.pk), "pick": "1"},
        follow=True,
    )
    assert asking.request["PATH_INFO"] == f"/{language}/organisations/{diaspora_network.pk}/ask/"
    assert "amina" not in asking.content.decode().lower()
    done = dana_in.post(
        asking.request["PATH_INFO"], hidden(asking) | {"note": "I run Gao."}, follow=True
    )
    assert done.request["PATH_INFO"] == f"/{language}/organisations/"
    assert "Diaspora Network" in words(done)
    assert dana_in.get(page_of(diaspora_network)).status_code == 404

    letter = Letter.objects.get(to="amina@diaspora.example")
    answer = amina_in.get(link_in(letter))
    assert "I run Gao." in words(answer)
    assert "dana@youth.example" in words(answer)
    amina_in.post(link_in(letter), {"answer": "member"})

    page = dana_in.get(page_of(diaspora_network).replace("/en/", f"/{language}/"))
    assert page.status_code == 200
    assert f'lang="{language}"' in page.content.decode()
    assert "Amina Diallo" in words(page)
    assert Letter.objects.get(to="dana@youth.example").key.startswith("joined:")


def test_an_organisation_of_a_list_is_claimed_and_registers(dana_in, dana, start):
    known = Organisation.objects.create(name="Youth Forum", acronym="YF", country="KE")
    found = dana_in.post(start, {"name": "YF", "country": "", "find": "1"})
    assert "has a focal point" not in words(found)

    asking = dana_in.post(
        start, hidden(found) | {"organisation": str(known.pk), "pick": "1"}, follow=True
    )
    assert "Nobody speaks for this organisation here yet." in words(asking)
    back = dana_in.post(asking.request["PATH_INFO"], hidden(asking), follow=True)
    assert back.request["PATH_INFO"] == start
    dana_in.post(start, {"organisation": str(known.pk), "choose": "1"})

    assert Registration.objects.get().organisation == known
    assert known.focal_points == [dana]


def test_none_of_these_is_entered_with_what_was_typed(dana_in, diaspora_network, start):
    found = dana_in.post(start, {"name": "Diaspora Networks", "country": "SN", "find": "1"})
    assert "None of these: enter it as new" in words(found)

    entering = dana_in.post(start, hidden(found) | {"organisation": "new", "pick": "1"})

    form = entering.context["form"]
    assert (form["name"].value(), form["country"].value()) == ("Diaspora Networks", "SN")
    assert hidden(entering) == {"looked_for": "Diaspora Networks"}
    facts = {"name": "Diaspora Networks", "country": "SN", "category": "diaspora", "enter": "1"}
    dana_in.post(start, hidden(entering) | facts)
    assert Registration.objects.get().organisation.name == "Diaspora Networks"


def test_without_anything_like_it_the_form_comes_at_once(dana_in, diaspora_network, start):
    entering = dana_in.post(start, {"name": "Youth Forum", "country": "KE", "find": "1"})

    assert 'name="enter"' in entering.content.decode()
    assert entering.context["form"]["name"].value() == "Youth Forum"


def test_another_name_than_was_looked_for_is_looked_for_too(dana_in, diaspora_network, start):
    facts = {
        "name": "Diaspora Netwrok", "acronym": "DNX", "country": "SN", "category": "academia",
        "website": "https://dn.example", "looked_for": "Youth Forum", "enter": "1",
    }  # fmt: skip

    picking = dana_in.post(start, facts)

    assert f'value="{diaspora_network.pk}"' in picking.content.decode()
    assert not Registration.objects.exists()
    entering = dana_in.post(start, hidden(picking) | {"organisation": "new", "pick": "1"})
    form = entering.context["form"]
    assert {name: form[name].value() for name in ("name", "acronym", "category", "website")} == {
        name: facts[name] for name in ("name", "acronym", "category", "website")
    }
    dana_in.post(start, facts | hidden(entering))
    assert Registration.objects.get().organisation.acronym == "DNX"


def test_an_exact_twin_offers_to_ask(dana_in, diaspora_network, start):
    facts = {"name": "DIASPORA network", "country": "ML", "category": "diaspora", "enter": "1"}

    page = dana_in.post(start, facts)

    assert "is known here already" in words(page)
    assert "Ask to join Diaspora Network" in words(page)
    link = f"{page_of(diaspora_network, 'ask')}?next={start.replace('/', '%2F')}"
    assert f'href="{link}"' in page.content.decode()
    assert page.context["form"]["name"].value() == "DIASPORA network"


def test_an_eleventh_organisation_in_a_day_waits(dana_in, dana, start, now):
    for n in range(10):
        membership.found(Organisation(name=f"Group {n}", country="KE"), by=dana, now=now)
    facts = {"name": "Youth Forum", "country": "KE", "category": "academia", "enter": "1"}

    page = dana_in.post(start, facts)

    (said,) = page.context["form"].errors["name"]
    assert said.startswith("You have entered 10 organisations within 24 hours.")
    assert page.context["form"]["name"].value() == "Youth Forum"
    assert not Organisation.objects.filter(name="Youth Forum").exists()


def test_a_member_begins_nothing_and_is_told_who_does(dana_in, member, draft, start):
    page = dana_in.get(start)
    assert "You are a member of Diaspora Network : a focal point of it begins" in words(page)

    dana_in.post(start, {"organisation": str(member.organisation_id), "choose": "1"})
    dana_in.post(
        start,
        {"name": "Diaspora Network", "country": "ML", "category": "diaspora", "enter": "1"},
    )

    assert Registration.objects.get() == draft
    assert dana_in.get(draft.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("step", ["find", "pick", "enter", "choose"])
@pytest.mark.parametrize(
    "typed", ["", "\x00", "x" * 300, "<script>alert(1)</script>", "{{ 7|add:7 }}", "‮ab\r\nBcc: x"]
)
def test_bad_words_are_answered_with_a_page(dana_in, diaspora_network, start, step, typed):
    page = dana_in.post(
        start, {"name": typed, "country": typed, "organisation": typed, "looked_for": "", step: "1"}
    )

    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert not Registration.objects.exists()


def test_an_organisation_that_was_not_offered_is_not_picked(
    dana_in, diaspora_network, port_workers, start
):
    for pk in (str(port_workers.pk), "no-uuid", "00000000-0000-0000-0000-000000000000"):
        page = dana_in.post(
            start, {"name": "Diaspora Network", "country": "ML", "organisation": pk, "pick": "1"}
        )
        assert "Choose one of the organisations in the list." in words(page)


def test_asking_leads_on_to_our_own_pages_only(dana_in, diaspora_network):
    ask = page_of(diaspora_network, "ask")

    page = dana_in.get(f"{ask}?next=https://evil.example/")

    assert hidden(page) == {}
    done = dana_in.post(ask, {"note": "", "next": "//evil.example/"})
    assert done.url == reverse("stakeholders:mine")


# Outside an event


def test_an_organisation_is_found_and_asked_without_an_event(dana_in, diaspora_network, now):
    find = reverse("stakeholders:find")
    found = dana_in.post(find, {"name": "DN", "country": ""})
    assert "Diaspora Network ( DN )" in words(found)
    assert "has a focal point" in words(found)
    assert "enter it as new" not in words(found)

    asking = dana_in.post(
        find, hidden(found) | {"organisation": str(diaspora_network.pk), "pick": "1"}, follow=True
    )
    dana_in.post(asking.request["PATH_INFO"], {"note": ""})
    again = dana_in.get(page_of(diaspora_network, "ask"), follow=True)

    assert "You have asked already." in words(again)
    mine = words(again)
    assert "The organisation answers until" in mine
    own = Membership.objects.get(state="asked")
    left = dana_in.post(page_of(diaspora_network, "leave"), follow=True)
    assert "Waits for an answer" not in words(left)
    own.refresh_from_db()
    assert own.state == "left"


def test_nothing_like_it_is_said(dana_in, diaspora_network):
    page = dana_in.post(reverse("stakeholders:find"), {"name": "<b>Zzz</b>", "country": ""})

    assert "Nothing here is like “ &lt;b&gt;Zzz&lt;/b&gt; ”" in words(page)


# Inviting


@pytest.mark.parametrize("language", ["en", "ar"])
def test_somebody_is_invited_signs_in_and_accepts(
    amina_in, amina, diaspora_network, language, settings
):
    settings.EMAIL_BACKEND = "notifications.backends.OutboxBackend"
    amina.language = language
    amina.save()
    page = page_of(diaspora_network).replace("/en/", f"/{language}/")

    done = amina_in.post(page, {"email": "new@youth.example", "kind": "focal_point"}, follow=True)

    assert "new@youth.example" in words(done)
    letter = Letter.objects.get(to="new@youth.example")
    assert (letter.language, letter.key.split(":")[0]) == (language, "invited_to_join")
    assert link_in(letter) == f"/{language}/organisations/"
    newcomer = Client()
    door = newcomer.get(link_in(letter), follow=True).redirect_chain[-1][0]
    typing = newcomer.post(door, {"email": "new@youth.example"}, follow=True)
    sent = Letter.objects.filter(to="new@youth.example").exclude(pk=letter.pk).get()
    code = re.search(r"^\s{4}(\S{6})$", sent.text, re.M)[1]
    mine = newcomer.post(typing.redirect_chain[-1][0], {"code": code}, follow=True)
    assert mine.request["PATH_INFO"] == f"/{language}/organisations/"
    answer = re.search(r'action="(/\w\w/organisations/[^"]+/invitation/)"', mine.content.decode())

    inside = newcomer.post(answer[1], {"answer": "yes"}, follow=True)

    assert inside.request["PATH_INFO"] == page
    assert [user.email for user in diaspora_network.focal_points] == [
        "amina@diaspora.example",
        "new@youth.example",
    ]


def test_known_and_unknown_addresses_get_the_same_page(amina_in, diaspora_network, bo):
    page = page_of(diaspora_network)

    pages = [
        words(amina_in.post(page, {"email": email, "kind": "member"}, follow=True))
        for email in ("bo@ports.example", "no@ports.example")
    ]

    assert "Bo Santos" not in pages[0]
    told = "{} is invited. The invitation holds for 30 days."
    for page, email in zip(pages, ("bo@ports.example", "no@ports.example"), strict=True):
        assert told.format(email) in page


def test_an_invitation_is_declined(amina, dana_in, dana, diaspora_network, now):
    invited = membership.invite(diaspora_network, email=dana.email, by=amina, now=now)

    page = dana_in.post(
        reverse("stakeholders:invitation", args=[diaspora_network.pk]),
        {"answer": "no"},
        follow=True,
    )

    assert "You have declined the invitation." in words(page)
    assert Membership.objects.get(pk=invited.pk).state == "left"
    again = dana_in.post(
        reverse("stakeholders:invitation", args=[diaspora_network.pk]), {"answer": "yes"}
    )
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "", "kind": "member"}, "email"),
        ({"email": "no address", "kind": "member"}, "email"),
        ({"email": "nul\x00@x.example", "kind": "member"}, "email"),
        ({"email": f"{'x' * 300}@x.example", "kind": "member"}, "email"),
        ({"email": "a@x.example\r\nBcc: b@x.example", "kind": "member"}, "email"),
        ({"email": "amina@diaspora.example", "kind": "member"}, "email"),
        ({"email": "new@x.example", "kind": "director"}, "kind"),
        ({"email": "new@x.example"}, "kind"),
    ],
)
def test_a_wrong_invitation_is_said_beside_the_field(amina_in, diaspora_network, typed, field):
    page = amina_in.post(page_of(diaspora_network), typed)

    assert page.status_code == 200
    assert list(page.context["form"].errors) == [field]
    assert not Letter.objects.exists()
    assert Membership.objects.count() == 1


def test_the_twenty_first_invitation_in_a_day_waits(amina_in, amina, diaspora_network, now):
    for n in range(20):
        invited = membership.invite(diaspora_network, email=f"{n}@youth.example", by=amina, now=now)
        membership.remove(invited, by=amina, now=now)

    page = amina_in.post(page_of(diaspora_network), {"email": "new@x.example", "kind": "member"})

    (said,) = page.context["form"].errors["email"]
    assert said.startswith("You have invited 20 times within 24 hours.")
    assert page.context["form"]["email"].value() == "new@x.example"
    assert not Letter.objects.filter(to="new@x.example").exists()


# Who sees what


def test_members_see_names_and_no_addresses(dana_in, amina, member, diaspora_network, now):
    nameless = User.objects.create_user("nameless@diaspora.example")
    Membership.objects.create(user=nameless, organisation=diaspora_network, kind="member")
    membership.invite(diaspora_network, email="guest@x.example", by=amina, now=now)
    membership.ask(
        diaspora_network, by=User.objects.create_user("eli@youth.example"), now=now, note="Me."
    )

    page = dana_in.get(page_of(diaspora_network))

    assert "Amina Diallo" in words(page)
    assert "Somebody without a name here" in words(page)
    assert set(re.findall(r"[\w.]+@[\w.]+", words(page))) <= {"secretariat@example.org"}
    assert "Invite" not in words(page)
    assert "/people/" not in page.content.decode()


def test_members_and_strangers_change_nothing(
    amina, dana_in, elsewhere, member, diaspora_network, now
):
    asked = membership.ask(
        diaspora_network, by=User.objects.create_user("eli@youth.example"), now=now
    )
    own = amina.memberships.get()
    for client in (dana_in, elsewhere):
        assert client.post(page_of(diaspora_network), {"email": "x@x.example"}).status_code == 404
        assert client.get(page_of(diaspora_network, "answer", asked.pk)).status_code == 404
        for change in ("remove", "member", "focal-point", "hand-over", "take-back"):
            url = page_of(diaspora_network, "change", own.pk, change)
            assert client.get(url).status_code == 404
            assert client.post(url).status_code == 404
    assert elsewhere.get(page_of(diaspora_network)).status_code == 404
    assert elsewhere.get(page_of(diaspora_network, "leave")).status_code == 404
    assert elsewhere.post(page_of(diaspora_network, "leave")).status_code == 404


def test_people_of_another_organisation_are_not_reached_by_ones_own(
    amina_in, diaspora_network, port_workers, bo
):
    of_bo = bo.memberships.get()

    for change in ("remove", "member", "focal-point", "hand-over"):
        url = page_of(diaspora_network, "change", of_bo.pk, change)
        assert amina_in.post(url).status_code == 404
    assert bo.memberships.get().is_focal_point


def test_whoever_is_removed_sees_nothing_at_the_next_click(
    amina_in, dana_in, draft, member, diaspora_network
):
    draft.colleagues.add(member)
    assert dana_in.get(draft.get_absolute_url()).status_code == 200
    url = page_of(diaspora_network, "change", member.pk, "remove")
    assert "Remove Dana Otieno?" in words(amina_in.get(url))

    amina_in.post(url)

    assert dana_in.get(draft.get_absolute_url()).status_code == 404
    assert dana_in.get(page_of(diaspora_network)).status_code == 404
    assert amina_in.get(url).status_code == 404


def test_inviting_an_address_does_not_tell_whose_it_is(
    amina_in, amina, dana, diaspora_network, now
):
    invited = membership.invite(diaspora_network, email=dana.email, by=amina, now=now)

    pages = [amina_in.get(page_of(diaspora_network, "change", invited.pk, "take-back"))]
    answer = amina_in.get(page_of(diaspora_network, "answer", invited.pk))
    pages.append(amina_in.get(page_of(diaspora_network)))

    assert answer.status_code == 404
    assert all("dana@youth.example" in words(page) for page in pages)
    assert not any("Dana Otieno" in words(page) for page in pages)


def test_handing_over_and_leaving(amina_in, dana_in, member, diaspora_network):
    stay = amina_in.post(page_of(diaspora_network, "leave"))
    assert "Hand over to a colleague first" in words(stay)

    amina_in.post(page_of(diaspora_network, "change", member.pk, "hand-over"))
    assert "You are a member." in words(amina_in.get(page_of(diaspora_network)))
    assert "You are a focal point." in words(dana_in.get(page_of(diaspora_network)))
    amina_in.post(page_of(diaspora_network, "leave"))

    assert amina_in.get(page_of(diaspora_network)).status_code == 404


def test_an_answer_that_a_colleague_gave_meanwhile_is_said(
    amina_in, amina, diaspora_network, dana, now
):
    asked = membership.ask(diaspora_network, by=dana, now=now)
    membership.agree(asked, by=amina, now=now)

    page = amina_in.get(page_of(diaspora_network, "answer", asked.pk), follow=True)

    assert page.request["PATH_INFO"] == page_of(diaspora_network)
    assert "does not wait for an answer any more" in words(page)


def test_a_request_without_an_answer_chosen_keeps_the_reason(amina_in, diaspora_network, dana, now):
    asked = membership.ask(diaspora_network, by=dana, now=now)

    page = amina_in.post(
        page_of(diaspora_network, "answer", asked.pk), {"answer": "", "reason": "<i>why</i>"}
    )

    assert list(page.context["form"].errors) == ["answer"]
    assert "&lt;i&gt;why&lt;/i&gt;" in page.content.decode()


def test_pages_of_an_organisation_cost_the_same_for_many_people(
    amina_in, diaspora_network, now, django_assert_num_queries
):
    for n in range(15):
        user = User.objects.create_user(f"{n}@diaspora.example")
        for state in ("active", "asked", "invited"):
            other = User.objects.create_user(f"{n}{state}@diaspora.example")
            Membership.objects.create(
                user=other, organisation=diaspora_network, kind="member", state=state, since=now
            )
        Membership.objects.create(user=user, organisation=diaspora_network, since=now)

    with django_assert_num_queries(7):
        amina_in.get(page_of(diaspora_network))


def test_anonymous_people_are_led_to_the_door(client, diaspora_network, dana):
    for url in (
        reverse("stakeholders:mine"),
        reverse("stakeholders:find"),
        page_of(diaspora_network),
        page_of(diaspora_network, "ask"),
        page_of(diaspora_network, "leave"),
    ):
        assert client.get(url).url.startswith(reverse("account_login"))
