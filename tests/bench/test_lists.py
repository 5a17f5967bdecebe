"""What the bench does with a list of people."""

from types import SimpleNamespace

import pytest

from bench import lists, seed
from bench.figures import Figure
from registrations.models import Delegate, ImportRun
from stakeholders.models import Organisation


class Course(SimpleNamespace):
    """Keeps what it is told."""

    def add(self, *told) -> None:
        self.figures.append(Figure(*told))


@pytest.mark.django_db(transaction=True)
def test_a_list_is_looked_at_brought_in_taken_back_and_nothing_of_it_stays(now, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 60)
    monkeypatch.setattr(lists, "NEW", 12)
    monkeypatch.setattr(seed, "tidy", lambda: None)
    seed.people(5, now=now, tell=lambda there: None)
    before = Delegate.objects.count(), Organisation.objects.count()
    course = Course(figures=[])

    lists.measure(course, now)

    assert [each.what for each in course.figures] == [
        "a list of 60 people, looked at",
        "of them, those who come in",
        "the same list, brought in",
        "the same list, taken back",
        "people who stay of it",
    ]
    assert course.figures[0].is_kept
    assert course.figures[-1].is_kept
    assert (Delegate.objects.count(), Organisation.objects.count()) == before
    assert not ImportRun.objects.exists()
