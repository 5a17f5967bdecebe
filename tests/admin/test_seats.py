"""How many may come: typed beside what is given, looked at before it is set."""

import threading
from datetime import timedelta

import pytest
from django.urls import reverse

import clock
from audit.models import Entry
from clock import shown as shown_at
from events import capacity, deadlines
from events.models import Quota, Segment, Track
from notifications.models import Letter
from registrations import decisions, intake
from registrations.admin import counting, seats
from registrations.intake import Person
from registrations.models import Delegate
from tests.admin.conftest import NEW_YORK, signed_in


@pytest.fixture
def url(hearing) -> str:
    return reverse("admin:events_event_seats", args=[hearing.pk])


def limit(event, by, *, seats=None, cap=None, quotas=(), admission="reviewed"):
    capacity.change(
        event,
        admission=admission,
        seats=seats,
        cap=cap,
        quotas=list(quotas),
        by=by,
        now=clock.now(),
    )


def shown(client, url, **typed):
    """The page with what will happen."""
    hidden = dict(client.get(url).context["hidden"])
    return client.post(url, {"admission": "reviewed", **typed, **hidden, "confirm": "yes"})


def confirmed(client, url, page, **typed):
    hidden = dict(page.context["hidden"])
    return client.post(url, {"admission": "reviewed", **typed, **hidden, "confirm": "yes"})


def approve(sent, by):
    decisions.approve(sent, list(sent.delegates.all()), by=by, now=clock.now())


def test_what_will_happen_is_shown_before_it_is_set(clara_in, clara, sent, hearing, url):
    approve(sent, clara)
    typed = {"seats": "2", "cap": "2", "category_diaspora": "5", "region_002": "1"}

    page = shown(clara_in, url, **typed)

    assert page.context_data["people"] == [
        "“Hearing on the Global Compact”: 3 are seated, 2 seats: nobody loses a seat, nobody new "
        "gets one until 2 are free.",
        "“Africa”: 3 are seated, 1 seat: nobody loses a seat, nobody new gets one until 3 are "
        "free.",
        "1 group has more seats than the cap of 2: it keeps them and gets no more.",
        "Nobody waits for a seat.",
    ]
    hearing.refresh_from_db()
    assert (hearing.seats, hearing.cap, Quota.objects.count()) == (None, None, 0)
    assert not Entry.objects.about(hearing).filter(verb="capacity changed").exists()

    assert confirmed(clara_in, url, page, **typed).status_code == 302

    hearing.refresh_from_db()
    assert (hearing.seats, hearing.cap) == (2, 2)
    assert {str(quota): quota.seats for quota in hearing.quotas.all()} == {
        "Diaspora organisation": 5,
        "Africa": 1,
    }
    entry = Entry.objects.about(hearing).get(verb="capacity changed")
    assert entry.actor == clara
    assert sent.delegates.seated().count() == 3


def test_who_would_move_up_is_named_and_does_not_yet(
    clara_in, clara, sent, sent_by_bo, hearing, url
):
    limit(hearing, clara, seats=1)
    approve(sent_by_bo, clara)
    decisions.wait_list(sent, list(sent.delegates.in_order()), by=clara, now=clock.now())
    letters = Letter.objects.count()

    page = shown(clara_in, url, seats="3")

    assert page.context_data["people"] == [
        "2 people on the waiting list would get a seat within a minute: Aïssata Traoré, "
        "Moussa Keïta."
    ]
    assert sent.delegates.seated().count() == 0
    assert Letter.objects.count() == letters
    still = shown(clara_in, url, seats="1")
    assert still.context_data["people"] == ["Nobody on the waiting list gets a seat by this."]


def test_given_left_and_waiting_stand_beside_each_number(
    clara_in, clara, sent, sent_by_bo, hearing, url
):
    limit(hearing, clara, seats=3, quotas=[capacity.Share(2, category="diaspora")])
    first, *rest = sent.delegates.in_order()
    decisions.approve(sent, [first], by=clara, now=clock.now())
    approve(sent_by_bo, clara)
    limit(hearing, clara, seats=2, quotas=[capacity.Share(2, category="diaspora")])
    decisions.wait_list(sent, rest, by=clara, now=clock.now())

    rows = {
        str(row["field"].label): row["stand"]
        for _title, rows in clara_in.get(url).context["groups"]
        for row in rows
        if "stand" in row
    }

    def numbers(name):
        stand = rows[name]
        return (stand.limit, stand.given, stand.left, stand.waiting)

    assert numbers("Seats") == (2, 2, 0, 2)
    assert numbers("Diaspora and migrant organisations") == (2, 1, 1, 2)
    assert numbers("Trade unions") == (None, 1, None, 0)
    assert numbers("Africa") == (None, 1, None, 2)
    assert numbers("Asia") == (None, 1, None, 0)
    stand = counting.Stand(hearing)
    for quota, tally in stand.table.quotas.items():
        assert stand.of_quota(quota).given == tally.given


def test_parts_and_tracks_have_numbers_too(clara_in, hearing, url):
    segment = Segment.objects.create(event=hearing, name_en="Morning", date=hearing.starts_on)
    track = Track.objects.create(event=hearing, name_en="Applies anew")
    typed = {f"segment_{segment.pk.hex}": "7", f"track_{track.pk.hex}": "4"}

    page = shown(clara_in, url, **typed)
    assert confirmed(clara_in, url, page, **typed).status_code == 302

    segment.refresh_from_db()
    assert segment.seats == 7
    assert [(str(quota), quota.seats) for quota in hearing.quotas.all()] == [("Applies anew", 4)]
    page = shown(clara_in, url)
    confirmed(clara_in, url, page)
    segment.refresh_from_db()
    assert (segment.seats, hearing.quotas.count()) == (None, 0)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("seats", "many", "Write a whole number, or leave it empty for no limit."),
        ("seats", "-1", "Write at least 0, or leave it empty."),
        ("cap", "0", "Write at least 1, or leave it empty."),
        ("region_002", "9" * 30, "Write at most 1000000."),
        ("category_diaspora", "1.5", "Write a whole number, or leave it empty for no limit."),
        ("admission", "by_lot", "Select a valid choice"),
    ],
)
def test_a_bad_number_is_said_beside_its_field_and_kept(
    clara_in, hearing, url, field, value, sentence
):
    page = shown(clara_in, url, **{"seats": "12", "region_019": "3", field: value})

    assert list(page.context["form"].errors) == [field]
    assert sentence in page.context["form"].errors[field][0]
    html = page.content.decode()
    assert sentence in html
    assert 'value="3"' in html
    assert field == "admission" or f'value="{value}"' in html
    hearing.refresh_from_db()
    assert hearing.seats is None


def test_admission_says_what_becomes_of_who_waits_for_a_decision(clara_in, sent, url):
    page = shown(clara_in, url, admission="first_come")

    assert page.context_data["people"][0] == (
        "Who registers from now on gets a seat at once, or a place on the waiting list. 3 people "
        "who registered before still wait for your decision."
    )


@pytest.mark.parametrize("at", ["the preview", "the end"])
def test_the_second_of_two_is_told_what_stands_now(clara_in, clara, root_in, hearing, url, at):
    opened = dict(clara_in.get(url).context["hidden"])
    if at == "the end":
        opened = dict(shown(clara_in, url, seats="12").context["hidden"])
    page = shown(root_in, url, seats="50", cap="4")
    confirmed(root_in, url, page, seats="50", cap="4")

    typed = {"admission": "reviewed", "seats": "12", "confirm": "yes"}
    refused = clara_in.post(url, {**typed, **opened})

    assert refused.context["form"].non_field_errors() == [
        "A colleague has changed the seats meanwhile. Nothing of yours is set. Now it is: Seats: "
        "50; Seats for one organisation: 4. Look at your numbers again."
    ]
    assert 'value="12"' in refused.content.decode()
    hearing.refresh_from_db()
    assert hearing.seats == 50
    again = clara_in.post(url, {**typed, **dict(refused.context["hidden"])})
    assert clara_in.post(url, {**typed, **dict(again.context["hidden"])}).status_code == 302
    hearing.refresh_from_db()
    assert (hearing.seats, hearing.cap) == (12, None)


def race(at_once, url, hidden, *people):
    """Everybody confirms in one moment what each was shown; the statuses."""
    start = threading.Barrier(len(people))

    def act(user, number):
        client = signed_in(user)

        def post():
            start.wait(timeout=10)
            typed = {"admission": "reviewed", "seats": number, "confirm": "yes"}
            return client.post(url, {**typed, **hidden[number]}).status_code

        return post

    return sorted(at_once(*(act(user, number) for user, number in people)))


def shown_to_both(clara_in, url):
    return {n: dict(shown(clara_in, url, seats=n).context["hidden"]) for n in ("10", "20")}


def test_of_two_at_once_one_is_told(at_once, meeting, monkeypatch, clara, root, hearing, url):
    hidden = shown_to_both(signed_in(clara), url)
    real = seats.set_numbers

    def slowly(*args):
        meeting()
        real(*args)

    monkeypatch.setattr(seats, "set_numbers", slowly)
    assert race(at_once, url, hidden, (clara, "10"), (root, "20")) == [200, 302]


def test_without_the_lock_both_would_win(at_once, meeting, monkeypatch, clara, root, hearing, url):
    hidden = shown_to_both(signed_in(clara), url)
    real = seats.set_numbers

    def slowly(*args):
        meeting()
        real(*args)

    monkeypatch.setattr(seats, "set_numbers", slowly)
    monkeypatch.setattr(capacity, "_lock", lambda name: None)
    assert race(at_once, url, hidden, (clara, "10"), (root, "20")) == [302, 302]


def test_a_track_with_seats_of_its_own_stays(clara_in, clara, hearing):
    track = Track.objects.create(event=hearing, name_en="Applies anew")
    limit(hearing, clara, quotas=[capacity.Share(4, track=track)])
    change = reverse("admin:events_event_change", args=[hearing.pk])
    posted = clara_in.get(change).context["adminform"].form.initial
    posted = {name: value for name, value in posted.items() if value}
    for prefix in ("segments", "documents", "tracks"):
        posted |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    posted |= {
        "tracks-TOTAL_FORMS": 1,
        "tracks-INITIAL_FORMS": 1,
        "tracks-0-id": track.pk,
        "tracks-0-name_en": "Applies anew",
        "tracks-0-position": 0,
        "tracks-0-DELETE": "on",
    }

    refused = clara_in.post(change, posted)

    assert "has seats of its own" in refused.content.decode()
    limit(hearing, clara)
    gone = clara_in.post(change, posted)
    assert gone.status_code == 302, gone.context["errors"]
    assert not hearing.tracks.exists()


def test_the_events_page_says_seats_and_followers(clara_in, clara, hearing):
    limit(hearing, clara, seats=40, cap=4, admission="first_come")

    page = clara_in.get(reverse("admin:events_event_change", args=[hearing.pk])).content.decode()

    assert "40 seats, at most 4 for one organisation. First come, first served." in page
    assert "0 of the event, 0 of its process" in page


def test_approving_says_what_it_takes_and_what_is_left(clara_in, clara, sent, sent_by_bo, hearing):
    limit(hearing, clara, seats=4, cap=3, quotas=[capacity.Share(2, region="002")])
    url = reverse("admin:registrations_delegate_changelist")
    chosen = [*sent.delegates.all(), *sent_by_bo.delegates.all()]
    posted = {"action": "approve", "_selected_action": [one.pk for one in chosen]}

    page = clara_in.post(url, posted)

    told = [
        line.replace(counting.ISOLATE, "").replace(counting.END, "")
        for line in page.context["seats"]
    ]
    assert sorted(told) == [
        "“Africa”: this takes 3 seats; 2 of 2 are left.",
        "“Diaspora Network”: this takes 3 seats; 3 of 3 are left.",
        "“Hearing on the Global Compact”: this takes 4 seats; 4 of 4 are left.",
        "“Port Workers”: this takes 1 seat; 3 of 3 are left.",
    ]
    after = clara_in.get(clara_in.post(url, {**posted, "confirm": "yes"}).url)
    said = [str(message) for message in after.context["messages"]]
    assert [line.partition(":")[0] for line in said] == [str(sent)]
    assert "1 person is approved. The letters leave at " in after.content.decode()
    assert sent.delegates.seated().count() == 0


def test_people_are_put_on_the_waiting_list_and_stand_in_its_order(
    clara_in, clara, sent, sent_by_bo, hearing
):
    limit(hearing, clara, seats=0)
    url = reverse("admin:registrations_delegate_changelist")
    for people in (sent_by_bo.delegates.all(), sent.delegates.all()):
        posted = {"action": "wait_list", "_selected_action": [one.pk for one in people]}
        assert clara_in.post(url, posted).context["title"] == "Put on the waiting list"
        assert clara_in.post(url, {**posted, "confirm": "yes"}).status_code == 302

    listed = clara_in.get(f"{url}?state=wait_listed").context["cl"].result_list

    assert [(str(one), one.place) for one in listed] == [
        ("Jun Reyes", 1),
        ("Aïssata Traoré", 2),
        ("Moussa Keïta", 3),
        ("Fatoumata Sow", 4),
    ]
    page = clara_in.get(reverse("admin:registrations_delegate_change", args=[listed[1].pk]))
    assert "Waiting list" in page.content.decode()


def test_a_persons_page_tells_of_parts_and_of_who_comes_instead(
    clara_in, clara, amina, draft, hearing
):
    segment = Segment.objects.create(
        event=hearing, name_en="Morning", date=hearing.starts_on, seats=1
    )
    moussa = Person("Moussa", "Keïta", "m@diaspora.example", segments=(segment.pk,))
    intake.add_person(draft, moussa, by=amina, now=clock.now())
    intake.submit(draft, by=amina, now=clock.now())
    aissata, moussa = draft.delegates.in_order()
    Delegate.objects.filter(pk=moussa.pk).update(replaces=aissata)

    page = clara_in.get(reverse("admin:registrations_delegate_change", args=[moussa.pk]))
    other = clara_in.get(reverse("admin:registrations_delegate_change", args=[aissata.pk]))

    html = page.content.decode()
    assert "Morning" in html
    assert "Asked for" in html
    assert f">{aissata}</a>" in html
    assert f">{moussa}</a>" in other.content.decode()


def test_who_must_confirm_is_told_with_the_last_moment(clara_in, clara, sent, hearing, deadline):
    closes_at = deadline.closes_at + timedelta(days=5)
    deadlines.set_deadline(
        hearing, kind="confirmation", closes_at=closes_at, by=clara, now=clock.now()
    )
    first = sent.delegates.first()
    before = clara_in.get(reverse("admin:registrations_delegate_approve", args=[first.pk]))
    assert before.context["letters"].endswith(
        "Each of the people is asked at their own address whether they come."
    )
    approve(sent, clara)

    page = clara_in.get(reverse("admin:registrations_delegate_change", args=[first.pk]))

    assert "May confirm until" in page.content.decode()
    assert shown_at.closing_and_zone(closes_at, NEW_YORK) in page.content.decode()
