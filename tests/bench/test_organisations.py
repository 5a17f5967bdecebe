"""What the bench does with a list of organisations."""

from types import SimpleNamespace

import pytest

from bench import names, organisations, seed
from bench.figures import Figure
from bench.place import Trouble
from stakeholders import matching
from stakeholders.importing import Candidate, Row
from stakeholders.models import ImportRun, Organisation


class Course(SimpleNamespace):
    """Keeps what it is told."""

    def add(self, *told) -> None:
        self.figures.append(Figure(*told))


@pytest.fixture(autouse=True)
def short(monkeypatch) -> None:
    """A short list that is all alike, and little patience with it."""
    monkeypatch.setattr(organisations, "ALIKE", 3_000)
    monkeypatch.setattr(matching, "MOST_COMPARISONS", 300_000)


@pytest.fixture
def course(transactional_db, now, monkeypatch) -> Course:
    monkeypatch.setattr(organisations, "INVENTED", 60)
    monkeypatch.setattr(organisations, "ASKED", 12)
    monkeypatch.setattr(seed, "tidy", lambda: None)
    seed.people(5, now=now, tell=lambda there: None)
    return Course(figures=[])


@pytest.mark.django_db(transaction=True)
def test_a_list_is_measured_and_nothing_of_it_stays(course, now):
    before = list(Organisation.objects.order_by("pk").values())

    organisations.measure(course, now)

    assert [each.what for each in course.figures if each.is_kept is None] == [
        "rows that a person decides",
        "groups of near-duplicates",
        "search for an organisation, p95",
    ]
    assert [each.what for each in course.figures if each.is_kept] == [
        "a list of 60 organisations, read and brought in",
        "organisations that a second run adds",
        "of 12 variants, found first",
        "search for an organisation, p50",
        "of 12 strangers, joined without a person",
        "a list of 3,000 names that are all alike, refused",
    ]
    assert list(Organisation.objects.order_by("pk").values()) == before
    assert not ImportRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_given_is_measured_instead(course, now, monkeypatch, tmp_path):
    path = tmp_path / "list.csv"
    monkeypatch.setenv("BENCH_ORGANISATIONS", str(path))
    path.write_text("name\n" + "\n".join(names.invented(30, seed=1)))
    organisations.measure(course, now)
    assert course.figures[0].what.startswith("a list of 30 organisations")

    path.write_text("colour\nred")
    with pytest.raises(Trouble, match="one of them must be “name”"):
        organisations.measure(course, now)


def test_groups_are_rows_that_hang_together():
    def row(line: int, *near: int, known: str = "") -> Row:
        candidates = [Candidate("x", "", 1, line=each) for each in near]
        return Row(line, candidates=candidates + [Candidate("x", "", 1, id=known)] * bool(known))

    rows = [
        row(2),
        row(3, 2),
        row(4),
        row(5, 4),
        row(6, 5, 3),
        row(7),
        row(8, 7),
        row(9, known="x"),
    ]
    assert organisations.groups(rows) == 2
