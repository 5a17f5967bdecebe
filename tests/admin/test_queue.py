"""The review queue of an event: which delegations it shows, and what is decided in it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from events import capacity, roles
from events.models import Segment, Track
from notifications.models import Letter
from registrations import decisions, exchanges, queue
from registrations.models import Delegate, Exchange, Registration, SegmentDecision
from stakeholders.models import Organisation
from tests.admin.conftest import signed_in
from tests.conftest import an_event
from tests.registrations import crowd

DAY = timedelta(days=1)
ALL = "?status=all"


@pytest.fixture
def url(hearing) -> str:
    return reverse("admin:events_event_queue", args=[hearing.pk])


@pytest.fixture
def crowded(hearing, now):
    """Groups that stand in every way, of four regions; one draft."""
    for name, n, country, category, days, states in (
        ("Anchor", 2, "KE", "youth", 9, ["submitted", "submitted"]),
        ("Bridge", 1, "PH", "diaspora", 4, ["approved", "submitted"]),
        ("Cedar", 1, "FR", "academia", 2, ["more_information", "approved"]),
        ("Delta", 1, "", "", 12, ["declined", "withdrawn"]),
        ("Ember", 1, "KE", "academia", 1, ["wait_listed", "confirmed"]),
    ):
        groups = crowd.sent(
            hearing, n, now=now, people=2, name=name, country=country, category=category
        )
        own = Registration.objects.filter(pk__in=[one.pk for one in groups])
        own.update(begun_at=now - (days + 1) * DAY, sent_at=now - days * DAY)
        for position, state in enumerate(states):
            place = 1 if state == "wait_listed" else None
            Delegate.objects.filter(registration__in=own, position=position).update(
                state=state, waits_as=place
            )
    for number, one in enumerate(Registration.objects.filter(organisation__name__startswith="An")):
        Registration.objects.filter(pk=one.pk).update(sent_at=one.sent_at - number * DAY)
    crowd.drafts(hearing, 1, now=now, name="Feather")
    for organisation in Organisation.objects.all():
        organisation.save()
    return hearing


def names(page) -> list[str]:
    return [str(row.registration.organisation).split()[0] for row in page.context_data["rows"]]


def counts(page) -> dict[str, dict[str, int]]:
    return {
        facet.name: {option: n for option, _words, n, _is_chosen in facet.shown}
        for facet in page.context_data["asked"].facets
    }


def of(name) -> Registration:
    return Registration.objects.filter(organisation__name__startswith=name).first()


def states_of(registration) -> list[str]:
    return list(registration.delegates.order_by("position").values_list("state", flat=True))


def said(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


# What it shows


def test_it_shows_what_waits_for_a_decision_longest_first(clara_in, crowded, url):
    page = clara_in.get(url)

    assert names(page) == ["Anchor", "Anchor", "Bridge"]
    assert [row.waited for row in page.context_data["rows"]] == [
        "10 days ago",
        "9 days ago",
        "4 days ago",
    ]
    text = page.content.decode()
    assert "3 delegations, longest waiting first" in text
    assert "Feather" not in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=all", ["Delta", "Anchor", "Anchor", "Bridge", "Cedar", "Ember"]),
        ("status=waits", ["Anchor", "Anchor", "Bridge"]),
        ("status=asked", ["Cedar"]),
        ("status=wait_listed", ["Ember"]),
        ("status=approved", ["Bridge", "Cedar", "Ember"]),
        ("status=declined", ["Delta"]),
        ("status=gone", ["Delta"]),
        ("status=asked&status=declined", ["Delta", "Cedar"]),
        ("status=all&category=academia", ["Cedar", "Ember"]),
        ("status=all&category=academia&category=youth", ["Anchor", "Anchor", "Cedar", "Ember"]),
        ("status=all&category=-", ["Delta"]),
        ("status=all&region=002", ["Anchor", "Anchor", "Ember"]),
        ("status=all&region=-&region=150", ["Delta", "Cedar"]),
        ("category=youth&region=142", []),
        ("q=bridge", ["Bridge"]),
        ("status=all&q=CEDAR+hearing", ["Cedar"]),
        ("status=all&q=nobody", []),
        ("sort=newest", ["Bridge", "Anchor", "Anchor"]),
        (
            "status=all&sort=newest&page=1",
            ["Ember", "Cedar", "Bridge", "Anchor", "Anchor", "Delta"],
        ),
    ],
)
def test_each_filter_shows_exactly_these(clara_in, crowded, url, query, shown):
    page = clara_in.get(f"{url}?{query}")

    assert names(page) == shown
    assert page.context_data["total"] == len(shown)


def test_by_name_the_order_is_that_of_the_names(clara_in, crowded, url):
    page = clara_in.get(f"{url}{ALL}&sort=name")

    assert names(page) == ["Anchor", "Anchor", "Bridge", "Cedar", "Delta", "Ember"]


@pytest.mark.parametrize("word", ["Keïta", "keita", "moussa", "diaspora net", "DN"])
def test_a_search_finds_people_and_groups(clara_in, crowded, sent, url, word):
    assert names(clara_in.get(url, {"q": word})) == ["Diaspora"]


def test_a_search_finds_a_reference(clara_in, crowded, sent, url):
    assert names(clara_in.get(url, {"q": sent.reference.lower()})) == ["Diaspora"]


def test_a_search_finds_nobody_of_another_event(clara_in, crowded, sent, second):
    url = reverse("admin:events_event_queue", args=[second.pk])

    assert names(clara_in.get(url, {"q": "Keïta", "status": "all"})) == []


def test_each_option_says_what_it_would_show(clara_in, crowded, url):
    assert counts(clara_in.get(url)) == {
        "status": {
            "waits": 3,
            "asked": 1,
            "wait_listed": 1,
            "approved": 3,
            "declined": 1,
            "gone": 1,
        },
        "category": {"diaspora": 1, "youth": 2},
        "region": {"002": 2, "142": 1},
    }
    assert counts(clara_in.get(f"{url}?status=all&category=academia&region=002")) == {
        "status": {"wait_listed": 1, "approved": 1},
        "category": {"academia": 1, "youth": 2},
        "region": {"002": 1, "150": 1},
    }


@pytest.mark.parametrize("query", ["status=all&q=cedar", "status=asked&q=hearing"])
def test_counts_are_those_of_the_search(clara_in, crowded, url, query):
    page = clara_in.get(f"{url}?{query}")

    for facet in page.context_data["asked"].facets:
        for option, _words, n, _is_chosen in facet.shown:
            asked = page.context_data["asked"].anew(**{facet.name: option})
            assert clara_in.get(url + asked).context_data["total"] == n, (facet.name, option)


def test_what_is_chosen_stands_above_and_is_taken_away_one_by_one(clara_in, crowded, url):
    page = clara_in.get(f"{url}?status=waits&status=asked&region=002&q=anchor&sort=newest&page=1")

    chips = {words: parse_qs(urlsplit(link).query) for words, link in page.context_data["chips"]}
    asked = {
        "status": ["waits", "asked"],
        "region": ["002"],
        "q": ["anchor"],
        "sort": ["newest"],
    }
    assert chips == {
        "Status: Waits for a decision": asked | {"status": ["asked"]},
        "Status: Asked, waits for the answer": asked | {"status": ["waits"]},
        "Region: Africa": {name: asked[name] for name in ("status", "q", "sort")},
        "Search: anchor": {name: asked[name] for name in ("status", "region", "sort")},
    }
    assert page.context_data["asked"].everything == "?status=all&sort=newest"


def test_without_its_last_status_it_shows_all(clara_in, crowded, url):
    ((_words, link),) = clara_in.get(url).context_data["chips"]

    page = clara_in.get(url + link)

    assert len(names(page)) == 6
    assert page.context_data["chips"] == []


def test_fifty_stand_on_a_page(clara_in, hearing, url, now):
    crowd.sent(hearing, 53, now=now)

    first, last = clara_in.get(url), clara_in.get(f"{url}?page=2")

    assert [len(names(page)) for page in (first, last)] == [50, 3]
    shown = [row.registration.pk for page in (first, last) for row in page.context_data["rows"]]
    assert len(set(shown)) == 53


@pytest.mark.parametrize(
    "query",
    [
        {"status": "nonsense", "category": "nonsense", "region": "999"},
        {"page": "-3"},
        {"page": "9" * 6000},
        {"page": "x"},
        {"sort": "\x00", "case": "\x00", "at": "\x00", "page": "\x00"},
        {"q": "\x00"},
        {"case": "GCM-" + "9" * 300},
        {"self": "1", "changes": "2", "name": "3"},
        {"q": "' or 1=1 -- %s {} \ud7ff"},
    ],
)
def test_an_address_that_makes_no_sense_is_a_page_like_others(clara_in, crowded, url, query):
    page = clara_in.get(url, query)

    assert page.status_code == 200
    assert page.context_data["case"] is None


# What its rows say


def test_a_row_names_the_head_and_counts_the_others(clara_in, sent, url):
    (row,) = clara_in.get(url).context_data["rows"]

    assert (row.lead, row.others) == ("Aïssata Traoré", 2)
    assert (row.category, row.region) == ("Diaspora organisation", "Africa")
    assert row.waited == "less than a day ago"


def marks(page) -> dict[str, list[str]]:
    return {
        str(row.registration.organisation).split()[0]: [
            mark.partition(">")[2].partition("<")[0] for mark in row.marks
        ]
        for row in page.context_data["rows"]
        if row.marks
    }


def test_two_groups_of_one_name_are_marked_and_lead_to_each_other(clara_in, crowded, sent, url):
    twin = of("Bridge")
    for name, one in (("The Diaspora Network", twin.organisation), ("", sent.organisation)):
        one.name = name or one.name
        one.save()

    page = clara_in.get(f"{url}?case={sent.reference}")

    assert marks(page) == {"The": ["Possible duplicate"], "Diaspora": ["Possible duplicate"]}
    assert page.context_data["case"].doubles == [twin]
    assert twin.reference in page.content.decode()


def test_an_entry_that_was_taken_in_is_no_duplicate_any_more(clara_in, crowded, sent, url):
    stub = of("Bridge").organisation
    stub.name, stub.merged_into = "Diaspora Network", sent.organisation
    stub.save()

    page = clara_in.get(f"{url}?status=all")

    assert [each for each in marks(page).values() if "Possible duplicate" in each] == []


def test_a_like_name_of_a_draft_or_at_another_event_is_no_duplicate(
    clara_in, crowded, sent, second, url, now
):
    drafted = of("Feather").organisation
    elsewhere = crowd.sent(second, 1, now=now)[0].organisation
    for one in (drafted, elsewhere):
        one.name = "Diaspora Network"
        one.save()

    page = clara_in.get(f"{url}?case={sent.reference}")

    assert marks(page) == {}
    assert page.context_data["case"].doubles == []


def test_who_stands_in_for_somebody_is_marked(clara_in, sent, url):
    old, new, _third = sent.delegates.in_order()
    Delegate.objects.filter(pk=old.pk).update(state="approved")
    Delegate.objects.filter(pk=new.pk).update(replaces=old)

    assert marks(clara_in.get(url)) == {"Diaspora": ["Replaces somebody"]}


def test_questions_are_marked_until_they_are_decided(
    clara_in, process, sent, clara, amina, url, now
):
    first, second, _third = sent.delegates.in_order()
    decisions.ask(sent, [first, second], by=clara, now=now, question="Which?")
    Exchange.objects.update(asked_at=now - 6 * DAY)
    first.refresh_from_db()
    exchanges.answer(first, "Wages.", by=amina, now=now)
    reader = User.objects.create_user("reader@secretariat.example")
    roles.grant(reader, on=process, kind="reader", by=None, now=now)

    assert marks(clara_in.get(url)) == {
        "Diaspora": ["Question open: asked 6 days ago", "Question answered"]
    }
    assert marks(signed_in(reader).get(url)) == {}
    for one in (first, second):
        Delegate.objects.filter(pk=one.pk).update(state="declined")
    assert marks(clara_in.get(url)) == {}


# Seats


def limits(page) -> list[tuple]:
    return [
        (one.words, one.limit, one.given, one.left, one.undecided, one.waiting)
        for one in page.context_data["limits"]
    ]


def test_seats_are_in_sight_without_a_limit(clara_in, crowded, url):
    assert limits(clara_in.get(url)) == [(str(crowded), None, 3, None, 6, 1)]


def test_seats_are_in_sight_by_part_and_quota(clara_in, crowded, clara, url, now):
    track = Track.objects.create(event=crowded, name_en="Applies anew")
    Registration.objects.filter(pk=of("Cedar").pk).update(track=track)
    panel = Segment.objects.create(event=crowded, name_en="Panel", date=crowded.starts_on, seats=2)
    for name, state in (("Bridge", "given"), ("Cedar", "asked"), ("Ember", "wait_listed")):
        SegmentDecision.objects.create(
            delegate=of(name).delegates.order_by("position")[1 if name == "Ember" else 0],
            segment=panel,
            state=state,
            waits_as=1 if state == "wait_listed" else None,
        )
    Delegate.objects.filter(registration=of("Anchor"), position=1).update(role="interpreter")
    capacity.change(
        crowded,
        admission=crowded.admission,
        seats=4,
        cap=None,
        segments={},
        quotas=[
            capacity.Share(3, category="academia"),
            capacity.Share(1, region="002"),
            capacity.Share(9, track=track),
        ],
        by=clara,
        now=now,
    )

    page = clara_in.get(f"{url}?q=bridge")

    assert sorted(limits(page)[2:]) == [
        ("Academic institution", 3, 2, 1, 1, 1),
        ("Africa", 1, 1, 0, 3, 1),
        ("Applies anew", 9, 1, 8, 1, 0),
    ]
    assert limits(page)[:2] == [
        (str(crowded), 4, 3, 1, 5, 1),
        ("Panel", 2, 1, 1, 1, 1),
    ]


# The case that is open


def test_a_case_shows_its_people_its_facts_and_what_it_takes(clara_in, sent, clara, url, now):
    sent.delegates.update(access_needs="A wheelchair")
    page = clara_in.get(f"{url}?case={sent.reference}")

    case = page.context_data["case"]
    assert [(one.name, one.role, one.is_chosen) for one in case.people] == [
        ("Aïssata Traoré", "Head of delegation", True),
        ("Moussa Keïta", "Delegate", True),
        ("Fatoumata Sow", "Asks to speak", True),
    ]
    assert dict(case.facts) == {
        "Stakeholder group": "Diaspora organisation",
        "Country": "Mali",
        "Region": "Africa",
        "People": "3",
        "Sent": dict(case.facts)["Sent"],
    }
    assert case.seats == [
        "“\u2068Hearing on the Global Compact\u2069”: this takes 3 seats; there is no limit."
    ]
    assert [one["word"] for one in case.buttons] == ["approve", "ask", "wait_list", "decline"]
    assert [(line.what, line.people, line.by) for line in case.lines] == [
        ("Registration sent", "", "Amina Diallo"),
        ("Draft begun", "", "Amina Diallo"),
    ]
    assert "A wheelchair" in page.content.decode()
    assert page.content.decode().count('aria-current="true"') == 1


def test_what_was_done_to_several_at_once_is_one_line(clara_in, sent, clara, url, now):
    people = sent.delegates.in_order()
    decisions.decline(sent, people[1:], by=clara, now=now, reason="The list is full.")

    case = clara_in.get(f"{url}?case={sent.reference}").context_data["case"]

    line = case.lines[0]
    assert (line.what, line.people, line.by, line.reason) == (
        "Declined",
        "Fatoumata Sow, Moussa Keïta",
        "Clara Weiss",
        "The list is full.",
    )
    assert [one.is_chosen for one in case.people] == [True, False, False]
    assert [one["word"] for one in case.buttons][-1] == "reopen"


@pytest.mark.parametrize(
    ("kind", "needs", "history", "buttons"),
    [
        ("manager", True, True, True),
        ("reviewer", False, True, True),
        ("reader", False, False, False),
    ],
)
def test_each_sees_of_a_case_what_their_rights_open(
    sent, process, clara, url, now, kind, needs, history, buttons
):
    sent.delegates.update(access_needs="A wheelchair")
    decisions.ask(sent, sent.delegates.all()[:1], by=clara, now=now, question="Who pays?")
    user = User.objects.create_user("somebody@secretariat.example")
    roles.grant(user, on=process, kind=kind, by=None, now=now)

    page = signed_in(user).get(f"{url}?case={sent.reference}")

    text = page.content.decode()
    assert ("A wheelchair" in text) is needs
    assert ("Who pays?" in text) is history
    assert bool(page.context_data["case"].lines) is history
    assert bool(page.context_data["case"].buttons) is buttons
    assert ('type="checkbox" name="delegation"' in text) is buttons
    assert ('name="_selected_action"' in text) is buttons


def test_a_case_that_the_filters_leave_out_can_be_open(clara_in, crowded, sent, url):
    page = clara_in.get(f"{url}?status=declined&case={sent.reference}")

    assert page.context_data["case"].registration == sent
    assert names(page) == ["Delta"]


def test_a_draft_or_a_case_of_another_event_cannot(clara_in, crowded, second, url, now):
    (elsewhere,) = crowd.sent(second, 1, now=now, name="Elsewhere")

    for other in (elsewhere, of("Feather")):
        page = clara_in.get(f"{url}?case={other.reference}")
        assert page.context_data["case"] is None
        assert str(other.organisation) not in page.content.decode()


# Who may


def test_whoever_keeps_a_door_or_runs_another_process_finds_nothing(
    dina_in, crowded, process, url, now
):
    door = User.objects.create_user("door@secretariat.example")
    roles.grant(door, on=process, kind="door", by=None, now=now)

    assert dina_in.get(url).status_code == 404
    assert dina_in.post(url, {"action": "approve"}).status_code == 404
    assert signed_in(door).get(url).status_code == 404


def test_whoever_only_looks_decides_nothing(sent, process, url, now):
    reader = User.objects.create_user("reader@secretariat.example")
    roles.grant(reader, on=process, kind="reader", by=None, now=now)
    typed = {"action": "approve", "delegation": sent.pk, "confirm": "yes"}

    assert signed_in(reader).post(url, typed).status_code == 403
    assert states_of(sent) == ["submitted"] * 3


# What is decided in it


@pytest.fixture
def no_letters(crowded, sent):
    Letter.objects.all().delete()


def test_what_is_chosen_goes_to_the_page_before(clara_in, crowded, sent, url, no_letters):
    page = clara_in.post(url, {"action": "approve", "delegation": [sent.pk, of("Bridge").pk]})

    assert sorted(page.context_data["people"]) == sorted(
        [
            f"Aïssata Traoré, Diaspora Network ({sent.reference})",
            f"Moussa Keïta, Diaspora Network ({sent.reference})",
            f"Fatoumata Sow, Diaspora Network ({sent.reference})",
            f"Person 1 Bridge hearing 000, Bridge hearing 000 ({of('Bridge').reference})",
        ]
    )
    assert "2 letters go to" in page.context_data["letters"]
    assert page.context_data["seats"]
    assert "autofocus>Approve" in page.content.decode()
    assert states_of(sent) == ["submitted"] * 3


def test_what_is_to_be_typed_has_the_focus(clara_in, sent, url):
    page = clara_in.post(url, {"action": "decline", "delegation": sent.pk})

    assert page.content.decode().count("autofocus") == 1
    assert "autofocus" in page.content.decode().partition("<textarea")[2].partition(">")[0]


def test_once_confirmed_the_next_one_has_the_focus(clara_in, crowded, url, no_letters):
    rows = [row.registration for row in clara_in.get(url).context_data["rows"]]
    preview = clara_in.post(url, {"action": "approve", "delegation": rows[0].pk})
    hidden = dict(preview.context_data["hidden"])

    answer = clara_in.post(url, {"action": "approve", "confirm": "yes", **hidden})
    page = clara_in.get(answer.url)

    assert hidden == {"_selected_action": ",".join(people(rows[0]))}
    assert f"at={rows[0].reference}" in preview.context_data["cancel_url"]
    assert answer.url == f"{url}?at={rows[1].reference}"
    assert "2 people are approved." in page.content.decode()
    assert [row.registration for row in page.context_data["rows"]][0] == rows[1]
    assert [row.is_next for row in page.context_data["rows"]] == [True, False, False]
    assert page.content.decode().count("autofocus") == 1
    assert states_of(rows[0]) == ["approved", "approved"]
    assert Letter.objects.filter(key__startswith="approved:").count() == 1


def people(registration) -> list[str]:
    return [str(pk) for pk in registration.delegates.in_order().values_list("pk", flat=True)]


def test_the_case_that_is_open_gives_way_to_the_next(clara_in, crowded, url, no_letters):
    rows = [row.registration for row in clara_in.get(url).context_data["rows"]]
    here = f"{url}?sort=newest&case={rows[1].reference}"

    answer = clara_in.post(
        here, {"action": "approve", "confirm": "yes", "_selected_action": people(rows[1])}
    )

    asked = parse_qs(urlsplit(answer.url).query)
    assert asked == {"sort": ["newest"], "at": [rows[0].reference], "case": [rows[0].reference]}


def test_after_the_last_row_the_one_before_it_has_the_focus(clara_in, crowded, url, no_letters):
    rows = [row.registration for row in clara_in.get(url).context_data["rows"]]

    answer = clara_in.post(
        url, {"action": "approve", "confirm": "yes", "_selected_action": people(rows[-1])}
    )

    assert f"at={rows[-2].reference}" in answer.url


def test_after_all_of_them_nothing_is_left_to_stand_at(clara_in, sent, url):
    answer = clara_in.post(
        url, {"action": "approve", "confirm": "yes", "_selected_action": people(sent)}
    )
    page = clara_in.get(answer.url)

    assert names(page) == []
    assert "No delegation fits." in page.content.decode()


def test_of_a_case_only_those_ticked_are_decided(clara_in, sent, url):
    one, *_others = sent.delegates.order_by("position")
    typed = {"action": "decline", "_selected_action": [one.pk]}
    here = f"{url}?case={sent.reference}"

    preview = clara_in.post(here, typed)
    clara_in.post(here, {**typed, "confirm": "yes", "reason": "The list is full."})

    assert preview.context_data["people"] == [
        f"Aïssata Traoré, Diaspora Network ({sent.reference})"
    ]
    assert states_of(sent) == ["declined", "submitted", "submitted"]


@pytest.mark.parametrize(
    ("action", "name", "concerned"),
    [
        ("approve", "Cedar", 1),
        ("ask", "Cedar", 0),
        ("ask", "Bridge", 1),
        ("decline", "Ember", 1),
        ("approve", "Ember", 0),
        ("wait_list", "Bridge", 1),
        ("reopen", "Delta", 1),
        ("reopen", "Ember", 1),
        ("approve", "Delta", 0),
    ],
)
def test_a_decision_concerns_those_about_whom_it_can_be_taken(
    clara_in, crowded, url, action, name, concerned
):
    page = clara_in.post(url + ALL, {"action": action, "delegation": of(name).pk})

    if concerned:
        assert len(page.context_data["people"]) == concerned
    else:
        assert said(clara_in.get(page.url)) == ["Nobody is chosen about whom this can be decided."]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"action": "approve"},
        {"action": "nonsense", "delegation": "{own}"},
        {"action": "approve", "delegation": "nonsense"},
        {"action": "approve", "delegation": "\x00"},
        {"action": "approve", "_selected_action": "9" * 300, "confirm": "yes"},
        {"action": "approve", "delegation": "{elsewhere}", "confirm": "yes"},
        {"action": "approve", "_selected_action": "{person}", "confirm": "yes"},
    ],
)
def test_what_is_not_of_this_queue_decides_nothing(
    clara_in, crowded, sent, second, url, now, typed
):
    (elsewhere,) = crowd.sent(second, 1, now=now, name="Elsewhere")
    person = elsewhere.delegates.get()
    told = {
        name: value.format(own=sent.pk, elsewhere=elsewhere.pk, person=person.pk)
        for name, value in typed.items()
    }
    before = Entry.objects.count()

    answer = clara_in.post(url, told)

    assert said(clara_in.get(answer.url)) == ["Nobody is chosen about whom this can be decided."]
    assert Entry.objects.count() == before
    assert states_of(elsewhere) == ["submitted"]


def test_a_colleague_who_was_quicker_is_told_of(clara_in, root_in, sent, url):
    typed = {"action": "approve", "confirm": "yes", "_selected_action": people(sent)}
    root_in.post(url, typed)

    page = clara_in.post(url, typed | {"action": "decline", "reason": "Too late."})

    (refusal,) = page.context_data["form"].non_field_errors()
    assert "no longer wait for a decision" in refusal
    assert "Too late." in page.content.decode()
    assert states_of(sent) == ["approved"] * 3


# Ways to it, and what it costs


def test_the_event_and_its_overview_lead_to_it(clara_in, crowded, url):
    page = clara_in.get(reverse("admin:events_event_change", args=[crowded.pk]))
    overview = clara_in.get(reverse("admin:events_event_overview", args=[crowded.pk]))

    assert page.context_data["tools"][1] == ("Review queue", url)
    waits = overview.content.decode().partition('id="waits"')[2].partition("</section>")[0]
    assert f'href="{url}"' in waits


LOOK, CASE, SEARCH = 17, 9, 1


@pytest.mark.parametrize(
    ("query", "queries"),
    [("", LOOK), ("?status=all&region=002&sort=name", LOOK), ("?q=group", LOOK + SEARCH)],
)
def test_a_look_costs_the_same_whatever_the_number_of_delegations(
    clara_in, hearing, url, now, connection_queries, query, queries
):
    counted = []
    for n in (2, 48):
        crowd.sent(hearing, n, now=now, people=3, name=f"Group of {n}")
        counted.append(connection_queries(lambda: clara_in.get(url + query)))

    assert counted == [queries, queries]


def test_a_case_costs_the_same_whatever_the_number_of_its_people(
    clara_in, hearing, clara, url, now, connection_queries
):
    counted = []
    for n in (2, 9):
        (own,) = crowd.sent(hearing, 1, now=now, people=n, name=f"Group of {n}")
        decisions.ask(own, own.delegates.all()[: n // 2], by=clara, now=now, question="Who?")
        here = f"{url}?case={own.reference}"
        counted.append(connection_queries(lambda here=here: clara_in.get(here)))

    assert counted == [LOOK + CASE] * 2


def test_every_state_but_a_draft_is_a_way_to_stand():
    stands = [state for states in queue.STATUSES.values() for state in states]

    assert sorted(stands) == sorted(set(Delegate.State) - {Delegate.State.DRAFT})


def test_an_event_without_delegations_has_an_empty_queue(clara_in, process, hearing):
    empty = an_event(process, "empty", hearing)

    page = clara_in.get(reverse("admin:events_event_queue", args=[empty.pk]))

    assert names(page) == []
    assert limits(page) == [(str(empty), None, 0, None, 0, 0)]
