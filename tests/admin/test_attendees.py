"""The attendee list: its filters and their counts, its columns, and what each role sees of it."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import User
from events import roles
from events.models import Event, Track
from notifications.models import Suppression
from registrations import exports
from registrations.admin import attendees, cells, columns, filters
from registrations.models import Delegate, Registration
from stakeholders.models import Organisation, Representative
from tests.conftest import an_event, signed_in

LIST = reverse("admin:registrations_delegate_changelist")
EVENT = "registration__event__id__exact"


@pytest.fixture
def second(process, hearing) -> Event:
    """Of the same process, a day later."""
    kind, zone = Event.Kind.WORKSHOP, "Africa/Nairobi"
    days = {name: getattr(hearing, name) + timedelta(days=1) for name in ("starts_on", "ends_on")}
    return an_event(process, "second", hearing, kind=kind, zone=zone, **days)


def enter(event, group, names, now, *, state="submitted", number=1, **facts):
    """A delegation that was sent, without its letters."""
    registration = Registration.objects.create(
        event=event,
        organisation=group,
        reference=f"{event.slug[:3].upper()}-{group.name[:4].upper()}-{number:04}",
        begun_at=now,
        sent_at=now,
    )
    return [
        Delegate.objects.create(
            registration=registration,
            representative=Representative.objects.create(
                organisation=group, given_names=given, family_name=family
            ),
            state=state,
            **facts,
        )
        for given, family in (name.split() for name in names)
    ]


@pytest.fixture
def everybody(sent, sent_by_bo, second, now):
    """Three of Diaspora Network (ML) and one of Port Workers (PH) at the hearing, all submitted but
    one approved; two of a group in Egypt at the second event, one of them declined."""
    sent.delegates.filter(role="head").update(state="approved")
    group = Organisation.objects.create(
        name="اتحاد جمعيات المهاجرين", acronym="UMA", country="EG", category="diaspora"
    )
    enter(second, group, ["محمد الخطيب", "ليلى النجار"], now)
    Delegate.objects.filter(representative__given_names="ليلى").update(state="declined")
    return second


def names(response) -> list[str]:
    return [str(delegate) for delegate in response.context["cl"].result_list]


def counts(client, **query) -> dict[str, dict[str, int]]:
    """What each filter says, but for options that show nobody."""
    listed = client.get(LIST, query).context["cl"]
    return {
        facet.parameter_name: {
            choice["display"]: choice["n"] for choice in facet.choices(listed) if choice["n"]
        }
        for facet in listed.filter_specs
    }


def pk_of(given):
    return Delegate.objects.get(representative__given_names=given).pk


# Counts


def test_each_option_says_how_many_people_it_shows(clara_in, everybody, hearing):
    assert counts(clara_in) == {
        "state": {
            "Has a place": 1,
            "Waits for a decision": 4,
            "Approved": 1,
            "Declined": 1,
        },
        EVENT: {"Hearing on the Global Compact": 4, "Second": 2},
        "role": {"Head of delegation": 1, "Delegate": 4, "Asks to speak": 1},
        "category": {"Diaspora organisation": 5, "Trade union": 1},
        "region": {"Africa": 5, "Asia": 1},
        "country": {"Egypt": 2, "Mali": 3, "Philippines": 1},
        "organisation": {"Diaspora Network": 3, "Port Workers": 1, "اتحاد جمعيات المهاجرين": 2},
        "since": {"In the last 24 hours": 6, "In the last 7 days": 6},
        "assigned": {"Nobody": 6},
        "tag": {},
    }


def test_counts_are_of_whom_all_other_filters_let_through(clara_in, everybody):
    found = counts(clara_in, state="submitted", region="002")

    assert found["state"] == {
        "Has a place": 1,
        "Waits for a decision": 3,
        "Approved": 1,
        "Declined": 1,
    }
    assert found["region"] == {"Africa": 3, "Asia": 1}
    assert found["country"] == {"Egypt": 1, "Mali": 2}
    assert found["organisation"] == {"Diaspora Network": 2, "اتحاد جمعيات المهاجرين": 1}
    assert found[EVENT] == {"Hearing on the Global Compact": 2, "Second": 1}


def test_the_event_that_is_chosen_still_shows_what_the_others_hold(clara_in, everybody):
    found = counts(clara_in, **{EVENT: everybody.pk, "state": "submitted"})

    assert found[EVENT] == {"Hearing on the Global Compact": 3, "Second": 1}
    assert found["state"] == {"Waits for a decision": 1, "Declined": 1}
    assert found["country"] == {"Egypt": 1}


def test_so_does_the_organisation_that_is_chosen(clara_in, everybody, diaspora_network):
    found = counts(clara_in, organisation=diaspora_network.pk, role="delegate")

    assert found["organisation"] == {
        "Diaspora Network": 1,
        "Port Workers": 1,
        "اتحاد جمعيات المهاجرين": 2,
    }
    assert found["role"] == {"Head of delegation": 1, "Delegate": 1, "Asks to speak": 1}


def test_a_search_narrows_the_counts(clara_in, everybody):
    assert counts(clara_in, q="الخطيب")["country"] == {"Egypt": 1}


def test_since_counts_by_when_a_delegation_was_sent(clara_in, everybody, sent, now):
    Registration.objects.filter(pk=sent.pk).update(
        begun_at=now - timedelta(days=4), sent_at=now - timedelta(days=3)
    )

    assert counts(clara_in)["since"] == {"In the last 24 hours": 3, "In the last 7 days": 6}
    assert len(names(clara_in.get(LIST, {"since": "day"}))) == 3
    assert len(names(clara_in.get(LIST, {"since": "week"}))) == 6
    day = (now - timedelta(days=2)).date()
    assert len(names(clara_in.get(LIST, {"since": day}))) == 3
    found = counts(clara_in, since=day, state="submitted")
    assert found["since"] == {"In the last 24 hours": 2, "In the last 7 days": 4}
    assert found["country"] == {"Egypt": 1, "Philippines": 1}


def test_tracks_are_named_with_their_event_where_there_are_several(clara_in, everybody, sent):
    track = Track.objects.create(event=sent.event, name_en="In consultative status")
    Registration.objects.filter(pk=sent.pk).update(track=track)

    assert counts(clara_in)["track"] == {
        "In consultative status (Hearing on the Global Compact)": 3,
        "None": 3,
    }
    assert counts(clara_in, **{EVENT: sent.event_id})["track"] == {
        "In consultative status": 3,
        "None": 1,
    }
    assert len(names(clara_in.get(LIST, {"track": track.pk}))) == 3
    assert len(names(clara_in.get(LIST, {"track": "-"}))) == 3


def test_many_people_are_counted_on_request(clara_in, everybody, monkeypatch):
    monkeypatch.setattr(attendees, "MOST_COUNTED", 3)

    page = clara_in.get(LIST)
    assert not page.context["cl"].shows_counts
    assert "Show counts" in page.content.decode()
    assert page.context["cl"].result_count == 6
    assert clara_in.get(LIST, {"state": "submitted"}).context["cl"].result_count == 4
    assert {n for facet in counts(clara_in).values() for n in facet.values()} == set()

    asked = clara_in.get(LIST + page.context["cl"].add_facet_link).context["cl"]
    assert asked.shows_counts
    assert counts(clara_in, _facets="True")["country"] == {
        "Egypt": 2,
        "Mali": 3,
        "Philippines": 1,
    }
    assert counts(clara_in, q="Reyes")["country"] == {"Philippines": 1}


def test_where_it_is_not_known_there_is_an_option_for_that(clara_in, everybody):
    Organisation.objects.filter(acronym="UMA").update(country="", category="")

    found = counts(clara_in)

    assert found["country"]["Not known"] == found["region"]["Not known"] == 2
    assert found["category"]["Not known"] == 2
    for name in ("country", "region", "category"):
        assert len(names(clara_in.get(LIST, {name: "-"}))) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "seated"}, ["Aïssata Traoré"]),
        ({"country": "PH"}, ["Jun Reyes"]),
        ({"region": "142"}, ["Jun Reyes"]),
        ({"category": "trade_union"}, ["Jun Reyes"]),
        ({"role": "speaker"}, ["Fatoumata Sow"]),
        ({"organisation": "uma"}, ["محمد الخطيب", "ليلى النجار"]),
        ({"organisation": "PORT"}, ["Jun Reyes"]),
        ({"q": "traore"}, ["Aïssata Traoré"]),
        ({"q": "AÏSSATA traoré"}, ["Aïssata Traoré"]),
        ({"q": "network sow"}, ["Fatoumata Sow"]),
        ({"q": "احمد"}, []),
        ({"q": "مُحَمَّد"}, ["محمد الخطيب"]),
        ({"q": "الاتحاد"}, ["محمد الخطيب", "ليلى النجار"]),
        ({"q": "اتحاد ليلى"}, ["ليلى النجار"]),
        ({"q": "nobody"}, []),
    ],
)
def test_filters_and_words_in_any_script_find(clara_in, everybody, query, found):
    assert sorted(names(clara_in.get(LIST, query))) == sorted(found)


def test_many_are_found_as_a_few_are(clara_in, everybody, monkeypatch):
    looks = ["network", "reyes", "network keita", "fatoum", "work"]
    few = [names(clara_in.get(LIST, {"q": words})) for words in looks]
    monkeypatch.setattr(filters, "FEW", 0)

    assert [names(clara_in.get(LIST, {"q": words})) for words in looks] == few
    assert [len(each) for each in few] == [3, 1, 1, 1, 4]


def test_a_name_is_found_without_its_accents_and_sorted_without_them(clara_in, hearing, now):
    group = Organisation.objects.create(name="Group")
    enter(hearing, group, ["A Zulu", "B Émile", "C eden", "D Fox"], now)

    assert names(clara_in.get(LIST)) == ["C eden", "B Émile", "D Fox", "A Zulu"]
    assert names(clara_in.get(LIST, {"q": "EMILE"})) == ["B Émile"]


# Chips


def test_each_chosen_filter_is_a_chip_that_takes_it_away(clara_in, everybody, hearing):
    page = clara_in.get(LIST, {"state": "submitted", "country": "ML", "q": "keïta", "o": "2"})

    chips = page.context["cl"].chips
    assert [said for said, _url in chips] == [
        "State: Waits for a decision",
        "Country: Mali",
        "Search: keïta",
    ]
    assert chips[0][1] == "?country=ML&o=2&q=ke%C3%AFta"
    assert chips[2][1] == "?country=ML&o=2&state=submitted"
    for _said, url in chips:
        assert clara_in.get(LIST + url).status_code == 200
    assert names(clara_in.get(LIST + page.context["cl"].clear_all_filters_qs)) == ["Moussa Keïta"]


def test_a_day_that_is_none_is_said_beside_its_field(clara_in, everybody):
    for typed in ("tomorrow", "2018-02-30", "0001-01-01", "9999-12-31"):
        page = clara_in.get(LIST, {"since": typed})
        assert f"“{typed}” is no day like 2018-02-21." in page.content.decode()
        assert f'value="{typed}"' in page.content.decode()
        assert len(names(page)) == 6


@pytest.mark.parametrize(
    "query",
    ["state=draft", "state=none", "country=XX", "region=1", "role=", "track=x", f"{EVENT}=x"],
)
def test_an_option_that_is_none_leads_to_the_whole_list(clara_in, everybody, query):
    response = clara_in.get(f"{LIST}?{query}", follow=True)

    assert len(names(response)) == 6


# Columns


def heads(response) -> list[str]:
    """The columns, but that of the boxes."""
    display = response.context["cl"].list_display
    return [cells.KEYS.get(one, one) for one in display if one != "action_checkbox"]


def test_columns_are_chosen_kept_in_the_address_and_in_the_session(clara_in, everybody):
    assert heads(clara_in.get(LIST)) == columns.DEFAULT

    chosen = clara_in.get(
        LIST, {"columns": ["name", "country", "email"], "sort": "-name", "q": "network"}
    )
    assert chosen.status_code == 302
    assert chosen.url == f"{LIST}?columns=name,country,email&q=network&o=-1"

    page = clara_in.get(chosen.url)
    assert heads(page) == ["name", "country", "email"]
    assert names(page) == ["Aïssata Traoré", "Fatoumata Sow", "Moussa Keïta"]
    assert "moussa@diaspora.example" in page.content.decode()
    assert heads(clara_in.get(LIST)) == ["name", "country", "email"]
    assert heads(clara_in.get(LIST, {"columns": "state,nonsense,state"})) == ["name", "state"]


def test_a_sorted_column_stays_sorted_when_others_are_chosen(clara_in, everybody):
    page = clara_in.get(LIST, {"o": "-2.1"})
    assert page.context["sorted_by"] == "-organisation.name"

    chosen = clara_in.get(
        LIST, {"columns": ["name", "acronym", "organisation"], "sort": "-organisation.name"}
    )

    assert chosen.url == f"{LIST}?columns=name,organisation,acronym&o=-2.1"


def test_every_column_is_shown_and_sorted(root_in, everybody):
    every = list(exports.COLUMNS)
    page = root_in.get(LIST, {"columns": ",".join(every)})

    assert heads(page) == every
    for number, key in enumerate(every, start=1):
        for order in (f"{number}", f"-{number}"):
            found = root_in.get(LIST, {"columns": ",".join(every), "o": order}).context["cl"]
            assert len(found.result_list) == 6, key
        is_sorted = found.get_ordering_field(found.list_display[number]) is not None
        assert is_sorted == (key not in {"email", "access_needs", "tags"})


def test_late_pages_go_on_where_the_ones_before_end(clara_in, hearing, now, monkeypatch):
    group = Organisation.objects.create(name="Group")
    enter(hearing, group, [f"P {number:02}" for number in range(23)], now)
    monkeypatch.setattr(admin.site.get_model_admin(Delegate), "list_per_page", 5)

    pages = [names(clara_in.get(LIST, {"p": number})) for number in range(1, 6)]

    assert sum(pages, []) == [f"P {number:02}" for number in range(23)]
    backwards = [names(clara_in.get(LIST, {"p": number, "o": "-1"})) for number in range(1, 6)]
    assert sum(backwards, []) == [f"P {number:02}" for number in reversed(range(23))]
    assert clara_in.get(LIST, {"p": 6}).status_code == 302


@pytest.mark.parametrize("direction", ["", "-"])
def test_pages_in_the_order_of_events_go_on_from_one_event_to_the_next(
    clara_in, hearing, second, process, now, monkeypatch, direction
):
    same_day = an_event(process, "same-day", hearing, zone="Asia/Manila")
    group = Organisation.objects.create(name="Group")
    for event, n in ((hearing, 4), (second, 7), (same_day, 3)):
        enter(event, group, [f"{event.slug} {number:02}" for number in range(n)], now)
    monkeypatch.setattr(admin.site.get_model_admin(Delegate), "list_per_page", 3)
    columns_of = {"columns": "name,event", "o": f"{direction}2.1"}

    pages = [names(clara_in.get(LIST, columns_of | {"p": number})) for number in range(1, 6)]

    first = [f"{hearing.slug} {number:02}" for number in range(4)]
    first += [f"same-day {number:02}" for number in range(3)]
    first.sort(key=lambda name: name.split()[::-1])
    days = [first, [f"second {number:02}" for number in range(7)]]
    assert sum(pages, []) == sum(reversed(days) if direction else days, [])
    assert clara_in.get(LIST, columns_of | {"p": 6}).status_code == 302
    filtered = columns_of | {EVENT: second.pk, "p": 3}
    assert names(clara_in.get(LIST, filtered)) == ["second 06"]
    searched = clara_in.get(LIST, columns_of | {"q": "same-day"})
    assert names(searched) == [f"same-day {number:02}" for number in range(3)]


def test_the_waiting_list_says_the_place_of_each_event_by_itself(
    clara_in, everybody, hearing, sent
):
    second = Delegate.objects.filter(registration__event=everybody)
    for number, one in enumerate([*sent.delegates.order_by("position"), *second]):
        one.state, one.waits_as = "wait_listed", 100 - number
        one.save()

    found = clara_in.get(LIST, {"state": "wait_listed"}).context["cl"].result_list

    assert [(one.event_said, one.place) for one in found] == [
        ("Hearing on the Global Compact", 1),
        ("Hearing on the Global Compact", 2),
        ("Hearing on the Global Compact", 3),
        ("Second", 1),
        ("Second", 2),
    ]


# Rights


@pytest.fixture
def organiser(process, now):
    def organiser(*given) -> User:
        """With these roles, each a kind and where."""
        user = User.objects.create_user("eva@secretariat.example", name="Eva")
        for kind, on in given:
            roles.grant(user, on=on, kind=kind, by=None, now=now)
        return user

    return organiser


ALL = "name,organisation,email,access_needs"


def test_a_reader_sees_no_address_and_no_access_needs(organiser, everybody, process, sent):
    sent.delegates.update(access_needs="A ramp")
    eva_in = signed_in(organiser(("reader", process)))

    page = eva_in.get(LIST, {"columns": ALL})

    assert heads(page) == ["name", "organisation"]
    assert len(names(page)) == 6
    assert "moussa@diaspora.example" not in page.content.decode()
    assert "A ramp" not in page.content.decode()
    person = eva_in.get(
        reverse("admin:registrations_delegate_change", args=[sent.delegates.first().pk])
    ).content.decode()
    assert "diaspora.example" not in person
    assert "A ramp" not in person
    assert "email address" not in person.lower()


def test_a_reviewer_sees_addresses_but_no_access_needs(organiser, everybody, process, sent):
    sent.delegates.update(access_needs="A ramp")
    eva_in = signed_in(organiser(("reviewer", process)))

    page = eva_in.get(LIST, {"columns": ALL})

    assert heads(page) == ["name", "organisation", "email"]
    person = eva_in.get(
        reverse("admin:registrations_delegate_change", args=[pk_of("Aïssata")])
    ).content.decode()
    assert "aissata@diaspora.example" in person
    assert "A ramp" not in person


def test_with_several_roles_each_row_shows_what_its_event_allows(
    organiser, everybody, hearing, sent
):
    Delegate.objects.update(access_needs="A ramp")
    Representative.objects.update(email="somebody@example.org")
    eva_in = signed_in(organiser(("reader", hearing), ("manager", everybody)))

    page = eva_in.get(LIST, {"columns": ALL})

    assert heads(page) == ["name", "organisation", "email", "access_needs"]
    assert page.content.decode().count("somebody@example.org") == 2
    assert page.content.decode().count("A ramp") == 2


def test_questions_are_part_of_the_history(organiser, clara_in, process, sent):
    person = sent.delegates.first()
    clara_in.post(
        reverse("admin:registrations_delegate_ask", args=[person.pk]),
        {"question": "Who pays?", "confirm": "yes"},
    )
    url = reverse("admin:registrations_delegate_change", args=[person.pk])

    assert "Who pays?" in clara_in.get(url).content.decode()
    eva_in = signed_in(organiser(("reader", process)))
    assert "Who pays?" not in eva_in.get(url).content.decode()


def test_that_letters_come_back_is_for_those_who_may_write(organiser, clara_in, process, sent, now):
    Suppression.objects.create(email="amina@diaspora.example", since=now, reason="bounce")

    assert clara_in.get(LIST).content.decode().count("Letters come back") == 3
    eva_in = signed_in(organiser(("reader", process)))
    assert "Letters come back" not in eva_in.get(LIST).content.decode()


def test_the_door_sees_who_has_a_place_and_no_more(organiser, everybody, hearing, sent):
    eva_in = signed_in(organiser(("door", hearing)))

    page = eva_in.get(LIST, {"columns": "name,reference,email,sent,country"})

    assert heads(page) == ["name", "organisation", "event", "role", "state"]
    assert names(page) == ["Aïssata Traoré"]
    told = page.content.decode()
    assert sent.reference not in told
    assert "_selected_action" not in told
    assert page.context["export_url"] == ""
    assert page.context["columns"] == []
    person = reverse("admin:registrations_delegate_change", args=[pk_of("Aïssata")])
    assert person not in told
    assert eva_in.get(person).status_code == 302


@pytest.mark.parametrize(
    "query", ["country=ML", "region=002", "category=diaspora", "track=-", "since=day"]
)
def test_the_door_asks_nothing_else(organiser, everybody, hearing, query):
    eva_in = signed_in(organiser(("door", hearing)))

    assert eva_in.get(f"{LIST}?{query}").status_code == 400


def test_nor_finds_by_what_it_does_not_see(organiser, everybody, hearing, sent):
    eva_in = signed_in(organiser(("door", hearing)))

    assert names(eva_in.get(LIST, {"q": "traore"})) == ["Aïssata Traoré"]
    assert names(eva_in.get(LIST, {"q": sent.reference})) == []
    assert names(eva_in.get(LIST, {"q": "keita"})) == []


def test_who_looks_here_and_keeps_the_door_there_has_two_lists(organiser, everybody, hearing):
    """So that no filter of the one tells anything of the people of the other."""
    eva_in = signed_in(organiser(("reader", everybody), ("door", hearing)))

    assert sorted(names(eva_in.get(LIST))) == ["ليلى النجار", "محمد الخطيب"]
    arrivals = eva_in.get(LIST, {EVENT: hearing.pk})
    assert names(arrivals) == ["Aïssata Traoré"]
    assert heads(arrivals) == ["name", "organisation", "event", "role", "state"]
    assert eva_in.get(LIST, {EVENT: hearing.pk, "country": "ML"}).status_code == 400
    assert counts(eva_in)["country"] == {"Egypt": 2}
    person = reverse("admin:registrations_delegate_change", args=[pk_of("Aïssata")])
    assert eva_in.get(f"{person}?{EVENT}={hearing.pk}").status_code == 302


def test_counts_and_options_are_of_own_events_only(dina_in, organiser, everybody, hearing):
    assert names(dina_in.get(LIST)) == []
    assert all(not facet for facet in counts(dina_in).values())
    eva_in = signed_in(organiser(("reader", everybody)))

    found = counts(eva_in)

    assert found["country"] == {"Egypt": 2}
    assert found["organisation"] == {"اتحاد جمعيات المهاجرين": 2}
    assert found[EVENT] == {"Second": 2}
    assert "Diaspora Network" not in eva_in.get(LIST, {"q": "diaspora"}).content.decode()


def test_an_organisation_out_of_sight_is_as_unknown_as_none(organiser, everybody, diaspora_network):
    eva_in = signed_in(organiser(("reader", everybody)))

    foreign = eva_in.get(LIST, {"organisation": diaspora_network.pk})
    none = eva_in.get(LIST, {"organisation": "7d1f1d3e-0000-4000-8000-000000000000"})

    assert (foreign.status_code, names(foreign)) == (none.status_code, names(none)) == (200, [])
    assert "Diaspora Network" not in foreign.content.decode()


# How much is asked. Session, person, roles, events, tracks, who looks after delegations, tags,
# saved views, and then:
ALWAYS = 8


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        # counted, options counted, organisations, ids, people
        ("", ALWAYS + 5),
        ("o=-8", ALWAYS + 5),
        # ids of two events
        ("o=3", ALWAYS + 6),
        # and whom each word finds
        ("q=network", ALWAYS + 6),
        ("q=network sow", ALWAYS + 7),
        # of nobody there are no tags
        ("q=nobody", ALWAYS),
        ("state=submitted", ALWAYS + 5),
        ("country=ML&role=head&since=week", ALWAYS + 5),
        # and which organisations these are, and whether the others are few
        ("organisation=network", ALWAYS + 7),
        ("_facets=True", ALWAYS + 5),
    ],
)
def test_the_list_asks_as_much_as_it_should(
    clara_in, everybody, query, queries, django_assert_num_queries
):
    clara_in.get(LIST)
    with django_assert_num_queries(queries):
        clara_in.get(f"{LIST}?{query}")


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        # counted, ids, people
        ("", ALWAYS + 3),
        ("o=-8", ALWAYS + 3),
        ("o=3", ALWAYS + 4),
        # and where the word stands, and with whom
        ("q=a", ALWAYS + 5),
        # whether they are few, counted, ids, people
        ("state=submitted", ALWAYS + 4),
    ],
)
def test_a_long_list_asks_less(
    clara_in, everybody, query, queries, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(attendees, "MOST_COUNTED", 1)
    clara_in.get(LIST)
    with django_assert_num_queries(queries):
        clara_in.get(f"{LIST}?{query}")
