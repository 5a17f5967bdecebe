"""A mail server with moods: python -m chaos.sink port log. CHAOS_SEED makes them repeatable;
told by SIGUSR1, it is calm for good, but goes on refusing whom it refuses."""

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from bench.sink import CUT, OK, Sink

REFUSED = "@refused.example"
MOOD_LASTS = 6.0
PACE = 0.015
# For each mood: the share of recipients that are put off, that of letters taken and then cut
# short, and the pause before each answer.
MOODS = {
    "calm": (0.0, 0.0, PACE),
    "busy": (0.25, 0.0, PACE),
    "cutting": (0.0, 0.1, PACE),
    "slow": (0.0, 0.0, 0.15),
    "bad": (0.25, 0.1, PACE),
}


class MoodySink(Sink):
    def __init__(self, log: Path) -> None:
        super().__init__(log)
        self.chance = random.Random(os.environ.get("CHAOS_SEED", "0"))
        self.is_calm = False
        self.changes_at = 0.0
        self.shares = MOODS["calm"]

    def mood(self) -> tuple[float, float, float]:
        if self.is_calm:
            return 0.0, 0.0, 0.0
        if time.monotonic() > self.changes_at:
            self.shares = MOODS[self.chance.choice(list(MOODS))]
            self.changes_at = time.monotonic() + MOOD_LASTS
        return self.shares

    async def recipient(self, to: str) -> str:
        put_off, _cut, _pause = self.mood()
        if to.endswith(REFUSED):
            return "550 no such mailbox"
        return "451 not now" if self.chance.random() < put_off else OK

    async def letter(self, to: str) -> str:
        _put_off, cut, pause = self.mood()
        await asyncio.sleep(pause)
        return CUT if self.chance.random() < cut else OK

    def calm(self) -> None:
        self.is_calm = True


async def main() -> None:
    sink = MoodySink(Path(sys.argv[2]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, sink.calm)
    await sink.serve(int(sys.argv[1]))


if __name__ == "__main__":
    asyncio.run(main())
