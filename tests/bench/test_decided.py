"""What the bench does with a thousand people in one press."""

import pytest

from bench import decided, seed
from notifications.models import Letter
from registrations.models import Batch, Delegate
from tests.bench.test_organisations import Course


@pytest.mark.django_db(transaction=True)
def test_a_bulk_approval_is_measured_and_nothing_of_it_stays(now, monkeypatch):
    monkeypatch.setattr(decided, "PEOPLE", 8)
    monkeypatch.setattr(seed, "tidy", lambda: None)
    seed.people(200, now=now, tell=lambda there: None)
    course = Course(figures=[])
    before = list(Delegate.objects.order_by("pk").values())

    decided.measure(course, now)

    said = [each.what.partition(" of ")[0] for each in course.figures]
    assert said == ["approve 8 people", "approve 8 people", "decline 8 people", "decline 8 people"]
    assert ["undone" in each.what for each in course.figures] == [False, True, False, True]
    assert [each.promise for each in course.figures] == [5] * 4
    assert list(Delegate.objects.order_by("pk").values()) == before
    assert not Batch.objects.exists()
    assert not Letter.objects.exists()
