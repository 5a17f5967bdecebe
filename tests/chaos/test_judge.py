"""The judge of `make chaos` on made-up evidence: it finds each thing that may go wrong."""

import copy
from collections.abc import Callable

import pytest

from bench.sink import CUT, OK
from chaos import judge
from chaos.judge import REMINDER, TRANSACTIONAL, Evidence

PAGE = "/en/events/chaos-hearing/"


def all_well() -> Evidence:
    """Amina's group sent two people, one draft was reminded, a mailbox does not exist; the
    database was away from 100 to 103, the web server killed at 200, the worker at 300."""
    return Evidence(
        acknowledged=[
            {"what": "begun", "reference": "CHA-1"},
            {"what": "person", "reference": "CHA-1", "name": "Aïssata Traoré"},
            {"what": "person", "reference": "CHA-1", "name": "Moussa Keïta"},
            {"what": "sent", "reference": "CHA-1"},
        ],
        registrations={
            "CHA-1": {
                "sent": True,
                "people": ["Aïssata Traoré", "Moussa Keïta"],
                "to": "amina@diaspora.example",
            }
        },
        reminded=["bo@ports.example", "nobody@refused.example"],
        letters=[
            letter("<1>", "amina@diaspora.example", TRANSACTIONAL),
            letter("<2>", "bo@ports.example", REMINDER),
            letter("<3>", "nobody@refused.example", REMINDER) | {"state": "failed"},
        ],
        taken=[
            taken("<1>", "amina@diaspora.example"),
            taken("<2>", "bo@ports.example"),
            {"at": 110.0, "to": "nobody@refused.example", "answer": "550 no such mailbox"},
        ],
        looks=[look(began, 200) for began in (50, 150, 250)],
        deeds=[
            deed("database killed", "database", at=100.0, back=103.0),
            deed("web master killed", "web", at=200.0),
            deed("worker killed", "worker", at=300.0),
        ],
    )


def letter(name: str, to: str, kind: int) -> dict:
    return {"id": name, "to": to, "kind": kind, "subject": "Hearing", "state": "sent"}


def taken(name: str, to: str, answer: str = OK, subject: str = "Hearing") -> dict:
    return {"at": 110.0, "id": name, "to": to, "subject": subject, "answer": answer}


def look(
    began: float, status: int, *, took: float = 0.1, path: str = PAGE, error: str = ""
) -> dict:
    return {"path": path, "began": began, "took": took, "status": status, "error": error}


def deed(what: str, part: str, *, at: float, back: float | None = None) -> dict:
    return {"what": what, "part": part, "is_kill": True, "at": at, "back": back}


def missed(evidence: Evidence) -> list[str]:
    return [each.what for each in judge.judge(evidence) if each.is_kept is False]


def test_all_well_is_all_kept():
    assert missed(all_well()) == []


def _registration_lost(seen: Evidence) -> None:
    seen.registrations.clear()
    seen.letters, seen.taken = seen.letters[1:], seen.taken[1:]


def _draft_lost(seen: Evidence) -> None:
    seen.acknowledged.append({"what": "begun", "reference": "CHA-2"})


def _a_draft_again(seen: Evidence) -> None:
    seen.registrations["CHA-1"]["sent"] = False
    seen.letters, seen.taken = seen.letters[1:], seen.taken[1:]


def _person_lost(seen: Evidence) -> None:
    seen.registrations["CHA-1"]["people"].pop()


def _person_twice(seen: Evidence) -> None:
    seen.registrations["CHA-1"]["people"].append("Moussa Keïta")


def _never_written(seen: Evidence) -> None:
    seen.letters, seen.taken = seen.letters[1:], seen.taken[1:]


def _never_sent(seen: Evidence) -> None:
    seen.taken = seen.taken[1:]


def _put_off_for_ever(seen: Evidence) -> None:
    seen.taken[0] = taken("<1>", "amina@diaspora.example", answer="451 not now")


def _doubled(seen: Evidence) -> None:
    seen.letters.append(letter("<4>", "bo@ports.example", REMINDER))
    seen.taken.append(taken("<4>", "bo@ports.example"))


def _from_nowhere(seen: Evidence) -> None:
    seen.taken.append(taken("<5>", "clara@secretariat.example"))


def _copied(seen: Evidence) -> None:
    seen.taken += [taken("<1>", "amina@diaspora.example")] * 4


def _copied_after_one_cut(seen: Evidence) -> None:
    seen.taken[0]["answer"] = CUT
    seen.taken += [taken("<1>", "amina@diaspora.example")] * 5


def _refused_and_tried_on(seen: Evidence) -> None:
    seen.taken += [seen.taken[2]] * 4


def _refused_and_waiting(seen: Evidence) -> None:
    seen.letters[2]["state"] = "queued"


def _still(seen: Evidence) -> None:
    for line in seen.taken:
        line["at"] = 164.0


def _never_again(seen: Evidence) -> None:
    for line in seen.taken:
        line["at"] = 99.0


BEYOND = "letters that nobody wrote or should get"
DOUBLED = "letters doubled, with another Message-ID"
COPIES = "other copies, and refused letters tried again"
MOVE = "letters move after broker or database are back, longest"


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (_registration_lost, ["acknowledged registrations lost"]),
        (_draft_lost, ["acknowledged registrations lost"]),
        (_a_draft_again, ["acknowledged registrations lost"]),
        (
            _person_lost,
            ["acknowledged people lost", "sent registrations with other people"],
        ),
        (_person_twice, ["sent registrations with other people"]),
        (_never_written, ["letters missing"]),
        (_never_sent, ["letters missing"]),
        (_put_off_for_ever, ["letters missing"]),
        (_doubled, [BEYOND, DOUBLED]),
        (_from_nowhere, [BEYOND]),
        (_copied, [COPIES]),
        (_copied_after_one_cut, [COPIES]),
        (_refused_and_tried_on, [COPIES]),
        (_refused_and_waiting, ["refused for good, but not failed"]),
        (_still, [MOVE]),
        (_never_again, [MOVE]),
    ],
)
def test_the_judge_finds_it(spoil: Callable[[Evidence], None], found: list[str]):
    seen = all_well()
    spoil(seen)

    assert missed(seen) == found


def test_one_copy_after_each_cut_line_is_nobodys_fault():
    seen = all_well()
    seen.taken[0]["answer"] = CUT
    seen.taken.append(taken("<1>", "amina@diaspora.example"))
    seen.deeds = [each | {"is_kill": False} for each in seen.deeds]

    assert missed(seen) == []


def test_as_many_copies_as_kills_are_no_fault():
    seen = all_well()
    seen.taken += [taken("<1>", "amina@diaspora.example")] * 3

    assert missed(seen) == []


NOT_BACK = "answers 503 more than 5 s after the database was back"
CUT_OFF = "looks refused or cut without a kill"


@pytest.mark.parametrize(
    ("seen_look", "found"),
    [
        (look(50, 500), ["answers 500"]),
        (look(101, 500), ["answers 500"]),
        (look(50, 200, took=11), ["looks of more than 10 s"]),
        (look(199, 0, took=20, error="TimeoutError"), ["looks of more than 10 s"]),
        (look(101, 503, took=3.9), []),
        (look(101, 503, took=4.5), ["… the slowest of them"]),
        (look(99, 503, took=4.5), []),
        (look(99, 503, took=5.5), ["… the slowest of them"]),
        (look(107, 503), []),
        (look(109, 503), [NOT_BACK]),
        (look(107, 503, took=2), [NOT_BACK]),
        (look(101, 503, path=judge.HEALTH), [NOT_BACK]),
        (look(200, 0, error="ConnectionResetError"), []),
        (look(200, 0, error="ConnectionRefusedError"), [CUT_OFF]),
        (look(210, 0, error="ConnectionResetError"), [CUT_OFF]),
        (look(101, 0, error="RemoteDisconnected"), [CUT_OFF]),
    ],
)
def test_the_judge_of_pages(seen_look: dict, found: list[str]):
    for_pages, for_groups = all_well(), all_well()
    for_pages.looks.append(seen_look)
    for_groups.acknowledged.append({"what": "no", **copy.copy(seen_look)})

    assert missed(for_pages) == found
    assert missed(for_groups) == found
