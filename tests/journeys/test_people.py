"""Several people at once: pasted from a spreadsheet, or chosen among those of earlier events."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from events import deadlines, schedule
from events.models import Deadline
from registrations import intake
from registrations.intake import Person
from registrations.models import Registration
from stakeholders.models import Membership, Representative
from tests.conftest import an_event
from tests.hostile import texts
from tests.hostile.forms import Page
from tests.journeys.test_register import close, words

pytestmark = pytest.mark.django_db

ROWS = "Moussa\tKeïta\tmoussa@diaspora.example\r\nOlga\tBa\t\tinterpreter\r\n"
WRONG = "Awa\tBa\tawa.diaspora.example"


def hidden(response, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())[1]


def looked_at(client: Client, address: str, rows: str) -> dict[str, str]:
    """The form as the page shows it with its table."""
    response = client.post(address, {"rows": rows, "look": "1"})
    names = ("seen", "entry")
    return {"rows": rows, "add": "1"} | {name: hidden(response, name) for name in names}


def people(registration: Registration) -> list[tuple[str, str]]:
    delegates = registration.delegates.select_related("representative").order_by("position")
    return [(str(delegate), delegate.role) for delegate in delegates]


def kept(registration: Registration, by: User) -> str:
    registration.refresh_from_db()
    return registration.typed("paste", by).get("rows", "")


# Pasting


def test_rows_are_explained_before_anybody_is_added(at_desk, page, draft, amina):
    rows = (
        f"{ROWS}{WRONG}\r\nAïssata\tTraoré\tAissata@diaspora.example\r\nOlga\tBa\r\n"
        "Karim\tSy\t\thead"
    )

    response = at_desk.post(f"{page}people/paste/", {"rows": rows, "look": "1"})

    assert [(row.line, row.becomes) for row in response.context["pasted"].rows] == [
        (1, "ready"),
        (2, "ready"),
        (3, "wrong"),
        (4, "there"),
        (5, "twice"),
        (6, "wrong"),
    ]
    said = words(response)
    assert "Rows 3, 6 have to be mended. What to do stands beside each." in said
    assert "Aïssata Traoré is the head of your delegation. There can be only one." in said
    assert "Add 2 people" in said
    assert people(draft) == [("Aïssata Traoré", "head")]
    assert kept(draft, amina) == rows


def test_one_click_adds_those_who_can_be_added_and_keeps_the_others(at_desk, page, draft, amina):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, f"{ROWS}{WRONG}")

    response = at_desk.post(address, form, follow=True)

    assert response.redirect_chain == [(address, 302)]
    assert "2 people are in your delegation." in words(response)
    assert people(draft)[1:] == [("Moussa Keïta", "delegate"), ("Olga Ba", "interpreter")]
    assert kept(draft, amina) == WRONG
    assert WRONG in response.content.decode()
    assert [row.becomes for row in response.context["pasted"].rows] == ["wrong"]
    assert "typed but not saved yet" in words(at_desk.get(f"{page}check/"))


def test_when_all_are_in_the_page_of_people_comes(at_desk, page, draft, amina):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, ROWS)

    answers = [at_desk.post(address, form, follow=True) for _time in range(2)]

    for response in answers:
        assert response.redirect_chain == [(f"{page}people/", 302)]
        assert "2 people are in your delegation." in words(response)
    assert len(people(draft)) == 3
    assert kept(draft, amina) == ""


def test_a_post_that_comes_twice_says_the_same_where_rows_are_wrong(at_desk, page, draft, amina):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, f"{ROWS}{WRONG}")

    answers = [at_desk.post(address, form, follow=True) for _time in range(2)]

    assert [each.redirect_chain for each in answers] == [[(address, 302)]] * 2
    assert all("2 people are in your delegation." in words(each) for each in answers)
    assert len(people(draft)) == 3
    assert kept(draft, amina) == WRONG


def test_rows_that_were_not_looked_at_are_not_added(at_desk, page, draft):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, ROWS)

    response = at_desk.post(address, form | {"rows": f"{ROWS}Karim"})

    assert "The rows have changed. Look at them once more, then add them." in words(response)
    assert "Add 3 people" in words(response)
    assert len(people(draft)) == 1


def test_somebody_whom_a_colleague_adds_meanwhile_is_not_doubled(
    at_desk, page, draft, amina, now, monkeypatch
):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, ROWS)
    asked = intake.why_not

    def why_not(registration, people):
        monkeypatch.undo()
        reasons = asked(registration, people)
        intake.add_person(draft, Person("Olga", "Ba"), by=amina, now=now)
        return reasons

    monkeypatch.setattr(intake, "why_not", why_not)

    response = at_desk.post(address, form)

    assert (
        "Row 2: Olga Ba with this email address is in your delegation already. Nobody was added."
    ) in words(response)
    assert [row.becomes for row in response.context["pasted"].rows] == ["ready", "there"]
    assert people(draft)[1:] == [("Olga Ba", "delegate")]


def test_the_cap_of_the_event_is_said_of_each_row(at_desk, page, draft, hearing):
    hearing.cap = 2
    hearing.save(update_fields=["cap"])

    response = at_desk.post(f"{page}people/paste/", {"rows": f"{ROWS}Karim", "look": "1"})

    assert [row.becomes for row in response.context["pasted"].rows] == ["ready", "ready", "wrong"]
    assert "One organisation can send 2 people who take a seat." in words(response)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", "Paste at least one row."),
        (" \r\n\t", "Nobody stands in these rows."),
        ("Email;Role\r\na@b.example;", "No column holds names."),
        ("Awa\r\n" * 201, "There are 201 rows."),
        ("Awa\r\n" * 30_000, "These rows are more than 100 KB."),
        ("ä" * 60_000, "These rows are more than 100 KB."),
    ],
)
@pytest.mark.parametrize("button", ["look", "add"])
def test_what_cannot_be_read_is_kept_and_answered_with_a_sentence(
    at_desk, page, draft, amina, rows, sentence, button
):
    response = at_desk.post(f"{page}people/paste/", {"rows": rows, button: "1"})

    assert response.status_code == 200
    assert response.content.decode().count(sentence) == 2
    assert "<title>Error:" in response.content.decode()
    assert kept(draft, amina) == (rows[: 100 * 1024] if rows.strip() else "")
    assert len(people(draft)) == 1
    assert at_desk.get(f"{page}people/paste/").status_code == 200


def test_200_people_come_in_at_once(at_desk, page, draft):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, "\r\n".join(f"Person {number}" for number in range(200)))

    at_desk.post(address, form)

    assert len(people(draft)) == 201


def test_hostile_rows_are_stored_as_texts_or_refused(at_desk, page, draft):
    address = f"{page}people/paste/"
    hostile = [text for text in texts.every() if len(text) < 500 and not {*"\r\n"} & {*text}]
    for first in range(0, len(hostile), 180):
        cells = [text.replace('"', '""') for text in hostile[first : first + 180]]
        rows = "Name\tEmail\tRole\n" + "\n".join(f'"{cell}"\t\t' for cell in cells)
        response = at_desk.post(address, {"rows": rows, "look": "1"})
        assert response.status_code == 200
        assert Page(address, response.content.decode()).alive == []
        if response.context["pasted"].ready:
            assert at_desk.post(address, looked_at(at_desk, address, rows)).status_code == 302

    assert len(people(draft)) > 100
    for name, _role in people(draft):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", name)
    assert Page(page, at_desk.get(f"{page}people/").content.decode()).alive == []


def test_after_the_close_what_was_pasted_is_shown_and_nobody_is_added(
    at_desk, page, draft, amina, deadline, now
):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, ROWS)
    close(deadline, now)

    refused = at_desk.post(address, form)
    shown = at_desk.get(address)

    assert "Registration closed on" in words(refused)
    assert "Pasted, not added" in words(shown)
    assert "<textarea" not in shown.content.decode()
    assert kept(draft, amina) == ROWS
    assert len(people(draft)) == 1


def test_nobody_is_pasted_or_chosen_into_what_was_sent(at_desk, sent, page):
    for way in ("paste", "choose"):
        address = f"{page}people/{way}/"
        assert at_desk.get(address).url == page
    form = {"rows": ROWS, "look": "1"}
    seen = hidden(at_desk.post(f"{page}people/paste/", form), "seen")

    response = at_desk.post(f"{page}people/paste/", {"rows": ROWS, "add": "1", "seen": seen})

    assert "It is no longer a draft." in words(response)
    assert "Moussa" in response.content.decode()
    assert len(people(sent)) == 3


def test_what_is_being_pasted_is_kept_while_somebody_writes(at_desk, page, draft, amina):
    address = f"{page}people/paste/"

    for _time in range(2):
        assert at_desk.post(address, {"rows": "Awa", "keep": "1"}).status_code == 204
        assert kept(draft, amina) == "Awa"


def test_what_is_kept_too_late_does_not_come_back(at_desk, page, draft, amina):
    address = f"{page}people/paste/"
    form = looked_at(at_desk, address, ROWS)
    at_desk.post(address, form)

    late = {"rows": ROWS, "entry": form["entry"], "keep": "1"}

    assert at_desk.post(address, late).status_code == 204
    assert kept(draft, amina) == ""


@pytest.mark.parametrize("rows", ["Karim", "Karim\nAwa\nOlga\nBintou"])
def test_many_rows_cost_as_many_queries_as_one(at_desk, page, django_assert_num_queries, rows):
    address = f"{page}people/paste/"

    with django_assert_num_queries(14):
        response = at_desk.post(address, {"rows": rows, "look": "1"})
    form = {"rows": rows, "add": "1", "seen": hidden(response, "seen")}
    with django_assert_num_queries(26):
        at_desk.post(address, form)


# Choosing


@pytest.fixture
def second_window(second, now):
    """One registers for the other event too."""
    deadlines.set_deadline(
        second,
        kind=Deadline.Kind.REGISTRATION,
        closes_at=now + timedelta(days=9),
        by=None,
        now=now - timedelta(days=3),
    )
    schedule.publish(second, by=None, now=now - timedelta(days=3))
    return second


@pytest.fixture
def again(sent, second_window, amina, diaspora_network, now) -> Registration:
    """Amina's draft for the other event; three people were named for the hearing."""
    return intake.begin(second_window, diaspora_network, by=amina, now=now)


@pytest.fixture
def choosing(again) -> str:
    return f"{again.get_absolute_url()}people/choose/"


@pytest.fixture
def moussa(sent) -> Representative:
    return Representative.objects.get(given_names="Moussa")


def listed(response) -> list[tuple[str, str]]:
    return [(str(each), str(each.last)) for each, _box, _role in response.context["form"].lines()]


def test_people_of_earlier_events_are_listed_with_their_last_one(at_desk, choosing):
    event = "Hearing on the Global Compact"

    assert listed(at_desk.get(choosing)) == [
        ("Moussa Keïta", event),
        ("Fatoumata Sow", event),
        ("Aïssata Traoré", event),
    ]


def test_those_who_are_ticked_come_in_as_the_same_people(at_desk, choosing, again, moussa, sent):
    head = sent.delegates.get(role="head").representative
    form = {
        "people": [str(moussa.pk), str(head.pk)],
        f"role-{head.pk}": "head",
        f"role-{moussa.pk}": "interpreter",
        "entry": str(uuid4()),
    }

    answers = [at_desk.post(choosing, form, follow=True) for _time in range(2)]

    for response in answers:
        assert response.redirect_chain == [(f"{again.get_absolute_url()}people/", 302)]
        assert "2 people are in your delegation." in words(response)
    assert people(again) == [("Moussa Keïta", "interpreter"), ("Aïssata Traoré", "head")]
    assert Representative.objects.count() == 3
    assert listed(at_desk.get(choosing)) == [
        ("Fatoumata Sow", "Hearing on the Global Compact"),
    ]


def test_whoever_has_no_role_comes_as_a_delegate(at_desk, choosing, again, moussa):
    at_desk.post(choosing, {"people": [str(moussa.pk)]})

    assert people(again) == [("Moussa Keïta", "delegate")]


def test_two_heads_are_refused_beside_the_second_and_ticks_stay(at_desk, choosing, again, sent):
    ids = [each.pk for each in Representative.objects.order_by("search_text")][:2]
    form = {"people": [str(pk) for pk in ids]} | {f"role-{pk}": "head" for pk in ids}

    response = at_desk.post(choosing, form)

    assert response.context["form"].errors == {
        f"role-{ids[1]}": ["Moussa Keïta is the head of your delegation. There can be only one."]
    }
    assert len(re.findall(r'type="checkbox"[^>]*\schecked', response.content.decode())) == 2
    assert people(again) == []


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Tick at least one person."),
        ({"people": ["x", "\x00", ""]}, "Somebody whom you ticked is no longer in the list."),
        ({"people": [str(uuid4())]}, "Somebody whom you ticked is no longer in the list."),
    ],
)
def test_bad_choices_are_answered_with_a_sentence(at_desk, choosing, again, form, sentence):
    response = at_desk.post(choosing, form)

    assert response.content.decode().count(sentence) == 2
    assert people(again) == []


def test_a_role_that_is_none_is_answered_with_a_sentence(at_desk, choosing, again, moussa):
    response = at_desk.post(choosing, {"people": [str(moussa.pk)], f"role-{moussa.pk}": "king\x00"})

    assert "Choose a role from the list." in words(response)
    assert people(again) == []


def test_ticks_come_along_to_another_language(at_desk, choosing, again, moussa):
    form = {"people": [str(moussa.pk)], f"role-{moussa.pk}": "interpreter", "keep": "again"}

    html = at_desk.post(choosing.replace("/en/", "/fr/"), form).content.decode()

    assert re.search(rf'value="{moussa.pk}"[^>]*\schecked', html)
    assert '<option value="interpreter" selected>' in html
    assert people(again) == []


def test_people_of_another_group_are_not_chosen(elsewhere, choosing, again, bo, port_workers, now):
    begun = intake.begin(again.event, port_workers, by=bo, now=now)
    theirs = Representative.objects.get(given_names="Moussa")
    address = f"{begun.get_absolute_url()}people/choose/"

    assert elsewhere.get(choosing).status_code == 404
    assert "Everybody whom you have registered before" in words(elsewhere.get(address))
    response = elsewhere.post(address, {"people": [str(theirs.pk)]})

    assert "Moussa" not in response.content.decode()
    assert people(begun) == []


@pytest.fixture
def member(diaspora_network, now) -> Membership:
    return Membership.objects.create(
        user=User.objects.create_user("dana@diaspora.example", name="Dana"),
        organisation=diaspora_network,
        kind="member",
        state="active",
        since=now,
    )


def test_a_member_chooses_among_people_of_their_own_delegations_only(
    client, choosing, again, sent, member, moussa
):
    again.colleagues.add(member)
    client.force_login(member.user)

    before = client.get(choosing)
    forged = client.post(choosing, {"people": [str(moussa.pk)]})
    sent.colleagues.add(member)
    after = client.get(choosing)

    assert before.context["form"].known == []
    assert "Moussa" not in before.content.decode() + forged.content.decode()
    assert people(again) == []
    assert [name for name, _event in listed(after)] == [
        "Moussa Keïta",
        "Fatoumata Sow",
        "Aïssata Traoré",
    ]


def test_a_member_is_not_told_of_events_of_others(
    client, again, sent, member, moussa, amina, diaspora_network, process, hearing, now
):
    """Moussa is named for a later event too, on whose delegation the member does not work."""
    later = an_event(
        process,
        "later",
        hearing,
        starts_on=hearing.starts_on + timedelta(days=1),
        ends_on=hearing.ends_on + timedelta(days=1),
    )
    Registration.objects.create(
        event=later, organisation=diaspora_network, reference="GCM-LATR-LATR", begun_at=now
    ).delegates.create(representative=moussa)
    choosing = f"{again.get_absolute_url()}people/choose/"
    for each in (sent, again):
        each.colleagues.add(member)
    client.force_login(member.user)
    focal_point = Client()
    focal_point.force_login(amina)

    assert listed(client.get(choosing))[0] == ("Moussa Keïta", "Hearing on the Global Compact")
    assert listed(focal_point.get(choosing))[0] == ("Moussa Keïta", "Later")


@pytest.fixture
def crowd(sent, amina, diaspora_network) -> list[Representative]:
    """Sixty more who were named for the hearing."""
    many = [
        Representative(
            organisation=diaspora_network,
            given_names=f"Person {number:02}",
            family_name="Zed",
            email=f"p{number:02}@diaspora.example",
        )
        for number in range(60)
    ]
    for each in many:
        each.save()
        sent.delegates.create(representative=each, state="submitted")
    return many


def test_many_are_searched_and_stand_on_pages_of_50(at_desk, choosing, crowd):
    first, second = at_desk.get(choosing), at_desk.get(f"{choosing}?page=2")
    found = at_desk.get(f"{choosing}?q=zed+P07@")
    nobody = at_desk.get(f"{choosing}?q=%00%27nobody")

    assert [len(listed(each)) for each in (first, second)] == [50, 13]
    assert 'name="q"' in first.content.decode()
    assert listed(found) == [("Person 07 Zed", "Hearing on the Global Compact")]
    assert "Nobody of that name can be chosen." in words(nobody)
    assert at_desk.get(f"{choosing}?page=x&q={'y' * 5000}").status_code == 200


def test_those_of_the_second_page_are_added(at_desk, choosing, again, crowd):
    last = crowd[-1]

    at_desk.post(f"{choosing}?page=2", {"people": [str(last.pk)]})

    assert people(again) == [("Person 59 Zed", "delegate")]


def test_few_are_not_searched(at_desk, choosing):
    assert 'name="q"' not in at_desk.get(choosing).content.decode()


def test_choosing_among_many_costs_as_many_queries_as_among_three(
    at_desk, choosing, again, moussa, request, django_assert_num_queries
):
    with django_assert_num_queries(12):
        at_desk.get(choosing)
    crowd = request.getfixturevalue("crowd")
    with django_assert_num_queries(12):
        at_desk.get(choosing)
    with django_assert_num_queries(17):
        at_desk.post(choosing, {"people": [str(each.pk) for each in crowd[:40]]})
    assert len(people(again)) == 40
    with django_assert_num_queries(17):
        at_desk.post(choosing, {"people": [str(moussa.pk)]})


# The ways


def test_three_ways_stand_above_the_form_where_they_lead_somewhere(
    at_desk, page, draft, again, deadline, now
):
    first, other = page, again.get_absolute_url()

    def ways(address: str) -> list[str]:
        html = at_desk.get(f"{address}people/").content.decode()
        found = re.search(r'<nav class="ways.*?</nav>', html, re.S)
        return re.findall(r'href="[^"]*/([a-z]+)/"', found[0]) if found else []

    assert ways(other) == ["people", "paste", "choose"]
    Deadline.objects.filter(event=again.event).update(
        opens_at=now - timedelta(days=9), closes_at=now - timedelta(seconds=1)
    )
    assert ways(other) == []
    assert first != other


def test_without_anybody_known_before_there_are_two(at_desk, page):
    html = at_desk.get(f"{page}people/").content.decode()

    assert "people/paste/" in html
    assert "people/choose/" not in html
