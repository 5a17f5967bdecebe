"""Figures, the promises beside them, and how both are shown."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

LEAST, MOST = "at least", "at most"


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    unit: str = ""
    promise: float | None = None
    bound: str = MOST

    @property
    def is_kept(self) -> bool | None:
        if self.promise is None:
            return None
        return self.value >= self.promise if self.bound == LEAST else self.value <= self.promise

    def as_data(self) -> dict[str, Any]:
        return asdict(self) | {"kept": self.is_kept}


def percentile(times: Sequence[float], share: float) -> float:
    """The smallest of them that this share of them does not exceed."""
    return sorted(times)[max(math.ceil(share * len(times)), 1) - 1]


def milliseconds(times: Sequence[float], share: float) -> float:
    return 1000 * percentile(times, share)


def table(figures: Sequence[Figure]) -> str:
    rows = [("what", "measured", "promise", "")]
    for each in figures:
        promise = "" if each.promise is None else f"{each.bound} {_said(each.promise, each.unit)}"
        verdict = {True: "kept", False: "MISSED", None: ""}[each.is_kept]
        rows.append((each.what, _said(each.value, each.unit), promise, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{what:<{widths[0]}}  {value:>{widths[1]}}  {promise:<{widths[2]}}  {verdict}".rstrip()
        for what, value, promise, verdict in rows
    ]
    return "\n".join([lines[0], "-" * sum(widths, 6), *lines[1:]])


def _said(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()
