"""A new event that begins as another one."""

from datetime import UTC, date, datetime

import pytest

from audit.models import Entry
from clock import walls
from events import capacity, copying, deadlines, refusals, steps
from events.capacity import Share
from events.models import Deadline, Document, Event, Follower, Role, Segment, Track

pytestmark = pytest.mark.django_db

NEW_YORK = "America/New_York"


@pytest.fixture
def february(process, clara, now) -> Event:
    """The hearing of 21 February 2018, with everything that one can set up."""
    event = Event.objects.create(
        process=process,
        slug="february",
        kind=Event.Kind.HEARING,
        name_en="Hearing of February",
        name_ar="جلسة شباط",
        summary_en="A full day.",
        summary_ar="يوم كامل.",
        venue_en="Trusteeship Council Chamber",
        city_en="New York",
        country="US",
        zone=NEW_YORK,
        mode="hybrid",
        interpretation=["ar", "en"],
        contact_email="hearing@secretariat.example",
        recording_url="https://webtv.example/february",
        source="A page",
        note="Ours",
        evidence="V",
        lists_participants=True,
        starts_on=date(2018, 2, 21),
        ends_on=date(2018, 2, 22),
        starts_at=datetime(2018, 2, 21, 15, tzinfo=UTC),
        ends_at=datetime(2018, 2, 22, 23, tzinfo=UTC),
    )
    track = Track.objects.create(event=event, name_en="In the room", name_fr="En salle")
    Segment.objects.create(
        event=event,
        name_en="Panel",
        date=date(2018, 2, 22),
        starts_at=datetime(2018, 2, 22, 15, tzinfo=UTC),
        seats=20,
    )
    Document.objects.create(event=event, title_en="Note", url="https://un.example/note")
    Follower.objects.create(event=event, email="fan@press.example", language="en", asked_at=now)
    shares = [Share(seats=9, category="diaspora"), Share(seats=5, track=track)]
    capacity.change(
        event, admission="first_come", seats=40, cap=4, quotas=shares, by=clara, now=now
    )
    deadline = deadlines.set_deadline(
        event,
        kind=Deadline.Kind.REGISTRATION,
        opens_at=walls.start_of(date(2018, 1, 10), NEW_YORK),
        closes_at=walls.closing(date(2018, 2, 7), None, NEW_YORK),
        is_hour_stated=False,
        by=clara,
        now=datetime(2018, 1, 1, tzinfo=UTC),
    )
    before = datetime(2018, 1, 2, tzinfo=UTC)
    steps.add(deadline, amount=3, unit="d", audience="drafts", by=clara, now=before)
    event.refresh_from_db()
    return event


def begin(event, clara, now, slug="may", name="Hearing of May") -> Event:
    starts_on = date(2018, 5, 21)
    new = copying.begin_like(event, name=name, slug=slug, starts_on=starts_on, by=clara, now=now)
    return Event.objects.get(pk=new.pk)


def test_texts_place_and_seats_come_along(february, clara, now):
    new = begin(february, clara, now)

    assert (new.state, new.name_en, new.name_ar) == ("draft", "Hearing of May", "")
    assert (new.summary_en, new.summary_ar) == ("A full day.", "يوم كامل.")
    for fact in [*copying.PLAIN, *copying.SEATS, "venue_en", "city_en"]:
        assert getattr(new, fact) == getattr(february, fact), fact
    assert (new.seats, new.cap, new.admission) == (40, 4, "first_come")
    assert [(t.name_en, t.name_fr) for t in new.tracks.all()] == [("In the room", "En salle")]
    quotas = new.quotas.order_by("-category")
    assert [(q.category, q.track and q.track.event_id, q.seats) for q in quotas] == [
        ("diaspora", None, 9),
        ("", new.pk, 5),
    ]


def test_what_belongs_to_the_old_one_alone_stays_there(february, clara, now):
    new = begin(february, clara, now)

    assert (new.recording_url, new.source, new.note, new.evidence) == ("", "", "", "")
    assert not new.documents.exists()
    assert not new.followers.exists()
    assert not Role.objects.filter(event=new).exists()
    assert (new.published_at, new.previous_starts_on) == (None, None)
    assert february.documents.count() == february.deadlines.count() == 1


def test_all_is_as_many_days_later_at_the_same_time_of_day(february, clara, now):
    """New York has changed its clocks between the two, on 11 March 2018."""
    new = begin(february, clara, now)

    assert (new.starts_on, new.ends_on) == (date(2018, 5, 21), date(2018, 5, 22))
    assert (new.starts_at, new.ends_at) == (
        datetime(2018, 5, 21, 14, tzinfo=UTC),
        datetime(2018, 5, 22, 22, tzinfo=UTC),
    )
    (panel,) = new.segments.all()
    assert (panel.name_en, panel.seats, panel.date) == ("Panel", 20, date(2018, 5, 22))
    assert (panel.starts_at, panel.ends_at) == (datetime(2018, 5, 22, 14, tzinfo=UTC), None)
    (deadline,) = new.deadlines.all()
    assert deadline.opens_at == walls.start_of(date(2018, 4, 9), NEW_YORK)
    assert deadline.closes_at == walls.closing(date(2018, 5, 7), None, NEW_YORK)
    assert (deadline.is_hour_stated, deadline.set_at) == (False, now)
    found = deadline.steps.order_by("unit", "-amount").values_list("amount", "unit", "audience")
    assert list(found) == [
        (14, "d", "everybody"),
        (7, "d", "everybody"),
        (3, "d", "drafts"),
        (48, "h", "everybody"),
        (24, "h", "everybody"),
    ]


def test_its_history_says_where_it_comes_from(february, clara, now):
    new = begin(february, clara, now)

    (entry,) = Entry.objects.filter(scope=new.pk)
    assert (entry.verb, entry.after, entry.actor) == (
        "begun as another one",
        {"as": "february"},
        clara,
    )


def test_an_address_that_is_taken_is_refused_and_nothing_is_begun(february, clara, now):
    with pytest.raises(refusals.SlugTaken, match="february"):
        begin(february, clara, now, slug="february")

    assert (Event.objects.count(), Segment.objects.count(), Track.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_take_an_address_at_once_one_is_refused(
    february, clara, now, at_once, meeting_before_writing
):
    def act() -> str:
        meeting_before_writing()
        return begin(february, clara, now).slug

    answers = sorted(str(each) for each in at_once(act, act))

    assert answers == ["Another event has this address already: may", "may"]
    assert Event.objects.filter(slug="may").count() == 1
