"""What the bench does with the review queue."""

from collections import Counter

import pytest

from bench import queue, seed
from events.models import Event
from registrations.models import Registration
from tests.admin.conftest import signed_in


@pytest.fixture
def seeded(now, monkeypatch) -> Event:
    monkeypatch.setattr(seed, "tidy", lambda: None)
    seed.people(200, now=now, tell=lambda there: None)
    return Event.objects.get(slug=seed.HEARING)


def where() -> list[tuple]:
    return list(Registration.objects.order_by("pk").values_list("pk", "event", "track"))


def test_all_are_in_one_event_meanwhile_and_back_in_theirs_afterwards(seeded):
    before = where()

    with queue.all_at(seeded):
        assert Counter(event for _pk, event, _track in where()) == {seeded.pk: len(before)}
    assert where() == before
    assert len({event for _pk, event, _track in before}) > 1


def test_they_are_put_back_when_the_run_breaks_off(seeded):
    before = where()

    with pytest.raises(KeyboardInterrupt), queue.all_at(seeded):
        raise KeyboardInterrupt

    assert where() == before


def test_each_look_is_a_page(seeded, now):
    clara = signed_in(seed.manager(now))

    with queue.all_at(seeded):
        for name, query in queue.looks(seeded).items():
            page = clara.get(f"/admin/events/event/{seeded.pk}/queue/{query}")
            assert page.status_code == 200, name
            assert (page.context_data["case"] is not None) is (name == "with a case open")
