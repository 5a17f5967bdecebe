"""What was promised, against what was seen. Nothing here runs anything: it counts evidence."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Figure
from bench.sink import CUT, OK

Line = dict[str, Any]

LETTERS_MOVE_WITHIN = 60
AWAY_IS_SAID_WITHIN = 4
BACK_WITHIN = 5
ANSWERED_WITHIN = 10
# A request that a killed web process had taken is cut, at the latest when the launcher has looked
# round and ended what was left of that web server.
CUT_BY_KILL = 2
WEB_STARTS_WITHIN = 10
HEALTH = "/healthz"
TRANSACTIONAL, REMINDER = 2, 3


@dataclass
class Evidence:
    """`acknowledged`: what groups were told, as chaos.groups writes it. `registrations`: what the
    database holds, by reference: sent or not, the people's names, the address. `reminded`: who is
    owed a reminder. `letters`: the rows. `taken`: what the mail server wrote. `looks`: each look at
    a page. `deeds`: what fate did."""

    acknowledged: list[Line] = field(default_factory=list)
    registrations: dict[str, Line] = field(default_factory=dict)
    reminded: list[str] = field(default_factory=list)
    letters: list[Line] = field(default_factory=list)
    taken: list[Line] = field(default_factory=list)
    looks: list[Line] = field(default_factory=list)
    deeds: list[Line] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(deed["is_kill"] for deed in self.deeds)


def judge(evidence: Evidence) -> list[Figure]:
    return [
        *registrations(evidence),
        *letters(evidence),
        *returns(evidence),
        *pages(evidence),
    ]


def registrations(evidence: Evidence) -> list[Figure]:
    begun = _references(evidence, "begun")
    sent = _references(evidence, "sent")
    told: dict[str, set[str]] = {reference: set() for reference in begun}
    for line in evidence.acknowledged:
        if line["what"] == "person":
            told.setdefault(line["reference"], set()).add(line["name"])
    kept = evidence.registrations
    missing = {reference for reference in begun | sent if reference not in kept}
    unsent = {reference for reference in sent - missing if not kept[reference]["sent"]}
    people = sum(
        len(names - set(kept[reference]["people"]))
        for reference, names in told.items()
        if reference in kept
    )
    others = {
        reference
        for reference in sent - missing
        if sorted(told.get(reference, ())) != sorted(kept[reference]["people"])
    }
    return [
        Figure("registrations acknowledged", len(sent)),
        Figure("acknowledged registrations lost", len(missing | unsent), "", 0),
        Figure("acknowledged people lost", people, "", 0),
        Figure("sent registrations with other people", len(others), "", 0),
    ]


def _references(evidence: Evidence, what: str) -> set[str]:
    return {line["reference"] for line in evidence.acknowledged if line["what"] == what}


def letters(evidence: Evidence) -> list[Figure]:
    expected = [(to, REMINDER) for to in evidence.reminded]
    expected += [
        (row["to"], TRANSACTIONAL) for row in evidence.registrations.values() if row["sent"]
    ]
    rows: dict[tuple[str, int], list[Line]] = {}
    for row in evidence.letters:
        rows.setdefault((row["to"], row["kind"]), []).append(row)
    taken = [line for line in evidence.taken if line["answer"] in (OK, CUT)]
    came = Counter(line["id"] for line in taken)
    refusals = Counter(line["to"] for line in evidence.taken if line["answer"].startswith("5"))
    unwritten = [each for each in expected if each not in rows]
    lost = [row for row in evidence.letters if not came[row["id"]] and row["to"] not in refusals]
    unknown = sum(1 for each in came if each not in {row["id"] for row in evidence.letters})
    refused = [row for row in evidence.letters if row["to"] in refusals]
    return [
        Figure("letters expected", len(expected)),
        Figure("letters refused for good", len(refused)),
        Figure("letters missing", len(unwritten) + len(lost), "", 0),
        Figure("letters that nobody wrote or should get", unknown + _beyond(rows, expected), "", 0),
        Figure("letters doubled, with another Message-ID", _doubled(taken), "", 0),
        *_copies(came, taken, refusals, evidence.kills),
        Figure("refused for good, but not failed", sum(not _failed(row) for row in refused), "", 0),
    ]


def _failed(row: Line) -> bool:
    return row["state"] == "failed"


def _beyond(rows: dict[tuple[str, int], list[Line]], expected: Sequence[tuple[str, int]]) -> int:
    wanted = Counter(expected)
    return sum(max(len(each) - wanted[who], 0) for who, each in rows.items())


def _doubled(taken: Iterable[Line]) -> int:
    """For one reader, the same subject under more than one name."""
    names: dict[tuple[str, str], set[str]] = {}
    for line in taken:
        names.setdefault((line["to"], line["subject"]), set()).add(line["id"])
    return sum(len(each) - 1 for each in names.values())


def _copies(
    came: Counter[str], taken: Iterable[Line], refusals: Counter[str], kills: int
) -> list[Figure]:
    """Whoever hears nothing after a letter has to send it again: once for each time that the line
    was cut. All else needs a kill."""
    cuts = Counter(line["id"] for line in taken if line["answer"] == CUT)
    after_cut = sum(min(number - 1, cuts[each]) for each, number in came.items())
    others = sum(max(number - 1 - cuts[each], 0) for each, number in came.items())
    again = sum(number - 1 for number in refusals.values())
    return [
        Figure("copies after a cut line, at most one each", after_cut, "", sum(cuts.values())),
        Figure("other copies, and refused letters tried again", others + again, "", kills),
    ]


def returns(evidence: Evidence) -> list[Figure]:
    """How long letters stood still after broker or database were back."""
    moments = sorted(line["at"] for line in evidence.taken)
    waits = []
    for deed in evidence.deeds:
        if deed["part"] in ("broker", "database"):
            back = deed["back"]
            after = (moment for moment in moments if back and moment >= back)
            waits.append(next(after, float("inf")) - (back or 0))
    return [
        Figure(
            "letters move after broker or database are back, longest",
            max(waits, default=0),
            "s",
            LETTERS_MOVE_WITHIN,
        )
    ]


def pages(evidence: Evidence) -> list[Figure]:
    away = [
        (deed["at"], deed["back"] or float("inf"))
        for deed in evidence.deeds
        if deed["part"] == "database"
    ]
    killed = [deed["at"] for deed in evidence.deeds if deed["part"] == "web"]
    looks = [*evidence.looks, *(line for line in evidence.acknowledged if line["what"] == "no")]
    counts = Counter(_verdict(look, away, killed) for look in looks)
    said = [
        _waited_since(look, away)
        for look in looks
        if look["status"] == 503 and not _near(look, killed)
    ]
    return [
        Figure("looks at pages", len(evidence.looks)),
        Figure("looks cut by a kill of the web server", counts["cut by a kill"]),
        Figure("answers 503 while the database was away", counts["away"]),
        Figure("… the slowest of them", max(said, default=0), "s", AWAY_IS_SAID_WITHIN),
        Figure("answers 500", counts["error"], "", 0),
        Figure("looks refused or cut without a kill", counts["cut"], "", 0),
        Figure(f"looks of more than {ANSWERED_WITHIN} s", counts["slow"], "", 0),
        Figure(
            f"answers 503 more than {BACK_WITHIN} s after the database was back",
            counts["not back"],
            "",
            0,
        ),
    ]


def _verdict(look: Line, away: list[tuple[float, float]], killed: list[float]) -> str:
    end = look["began"] + look["took"]
    if look["took"] > ANSWERED_WITHIN:
        return "slow"
    if look["status"] == 0:
        by_kill = any(look["began"] <= at + CUT_BY_KILL and end >= at for at in killed)
        is_cut = look["error"] != "ConnectionRefusedError" and by_kill
        return "cut by a kill" if is_cut else "cut"
    if look["status"] == 503:
        is_excused = look["path"] != HEALTH and any(
            at <= end <= back + BACK_WITHIN for at, back in away
        )
        return "away" if is_excused else "not back"
    return "error" if look["status"] >= 500 else "answered"


def _waited_since(look: Line, away: list[tuple[float, float]]) -> float:
    """Whoever asked before the database went away has waited for it since it did."""
    end = look["began"] + look["took"]
    gone = [at for at, _back in away if look["began"] <= at <= end]
    return end - max(gone, default=look["began"])


def _near(look: Line, killed: list[float]) -> bool:
    """Whether it waited for a web server that was just being started."""
    end = look["began"] + look["took"]
    return any(look["began"] <= at + WEB_STARTS_WITHIN and end >= at for at in killed)
