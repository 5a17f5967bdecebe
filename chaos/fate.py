"""What happens to the portal: who is killed, frozen, emptied, in an order that a number decides."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import redis

from bench import place
from launcher import processes

ROUND_LASTS = 40.0
PATIENCE = 60
AWAY = 6.0
# A round: seven kills, and the broker emptied and frozen.
ROUND = (
    *("worker", "worker", "web process", "web master", "beat"),
    *("database", "broker stopped", "broker emptied", "broker frozen"),
)


@dataclass
class Deed:
    what: str
    part: str
    is_kill: bool
    at: float
    back: float | None = None

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def plan(seconds: float, chance: random.Random) -> list[str]:
    """In each round another order; never the same twice in a row, as the launcher gives up on
    whatever dies three times at once."""
    order: list[str] = []
    for _round in range(max(round(seconds / ROUND_LASTS), 1)):
        while True:
            shuffled = chance.sample(ROUND, len(ROUND))
            together = [*order[-1:], *shuffled]
            if all(a != b for a, b in zip(together, together[1:], strict=False)):
                break
        order += shuffled
    return order


class Fate:
    def __init__(
        self, portal: place.Portal, post: place.Post, addresses: dict[str, str], seed: str
    ) -> None:
        self.portal, self.post, self.addresses = portal, post, addresses
        self.chance = random.Random(seed)
        self.deeds: list[Deed] = []

    def storm(self, seconds: float, tell: Callable[[str], None]) -> None:
        order = plan(seconds, self.chance)
        start, gap = time.time(), seconds / len(order)
        for number, what in enumerate(order):
            moment = start + gap * (number + self.chance.uniform(0.2, 0.8))
            time.sleep(max(moment - time.time(), 0))
            tell(f"{what} ({number + 1} of {len(order)})")
            self.strike(what)

    def strike(self, what: str) -> Deed:
        act = getattr(self, "_" + what.replace(" ", "_"))
        deed: Deed = act()
        return deed

    def _done(self, what: str, part: str, *, is_kill: bool = True) -> Deed:
        deed = Deed(what, part, is_kill, time.time())
        self.deeds.append(deed)
        return deed

    def _kill(self, pid: int, part: str, what: str = "") -> Deed:
        deed = self._done(what or f"{part} killed", part)
        os.kill(pid, signal.SIGKILL)
        return deed

    def _worker(self) -> Deed:
        """Rather while it sends."""
        before = self.post.letters.stat().st_size
        processes.wait_until(lambda: self.post.letters.stat().st_size > before, 2)
        return self._kill(self._found("worker"), "worker")

    def _beat(self) -> Deed:
        return self._kill(self._found("beat"), "beat")

    def _web_master(self) -> Deed:
        return self._kill(self._found(place.APPLICATION), "web", "web master killed")

    def _web_process(self) -> Deed:
        master = self._found(place.APPLICATION)
        processes.wait_until(lambda: place.children(master), 10)
        return self._kill(self.chance.choice(place.children(master)), "web", "web process killed")

    def _found(self, word: str) -> int:
        """Wait for one that was only just killed."""
        processes.wait_until(lambda: self.portal.found(word), PATIENCE)
        return self.portal.find(word)

    def _database(self) -> Deed:
        """Killed at once, or told to shut down at once; in half of the cases it stays away."""
        server = self._server("postgres")
        hard = self.chance.random() < 0.5
        with self._keeper_waits(self.chance.choice([0.0, AWAY])):
            deed = self._done(f"database {'killed' if hard else 'shut down at once'}", "database")
            os.kill(server, signal.SIGKILL if hard else signal.SIGQUIT)
        return self._back(deed, self.database_answers)

    def _broker_stopped(self) -> Deed:
        server = self._server("valkey")
        with self._keeper_waits(AWAY):
            deed = self._kill(server, "broker", "broker killed, and away for a while")
        return self._back(deed, self._broker_answers)

    def _broker_emptied(self) -> Deed:
        deed = self._done("broker emptied", "broker", is_kill=False)
        with redis.Redis.from_url(self.addresses["redis_url"]) as broker:
            broker.flushall()
        return self._back(deed, self._broker_answers)

    def _broker_frozen(self) -> Deed:
        server = self._server("valkey")
        deed = self._done("broker frozen", "broker", is_kill=False)
        os.kill(server, signal.SIGSTOP)
        try:
            time.sleep(self.chance.uniform(2, 5))
        finally:
            os.kill(server, signal.SIGCONT)
        return self._back(deed, self._broker_answers)

    @contextmanager
    def _keeper_waits(self, seconds: float) -> Iterator[None]:
        """What is done here, the keeper sees and mends only after so many seconds."""
        keeper = int(self.addresses["keeper"])
        if seconds:
            os.kill(keeper, signal.SIGSTOP)
        try:
            yield
            time.sleep(seconds)
        finally:
            os.kill(keeper, signal.SIGCONT)

    def _server(self, name: str) -> int:
        def found() -> list[int]:
            children = place.children(int(self.addresses["keeper"]))
            return [pid for pid in children if place.name(pid).startswith(name)]

        processes.wait_until(found, PATIENCE)
        return found()[0]

    def _back(self, deed: Deed, answers: Callable[[], bool]) -> Deed:
        if not processes.wait_until(answers, PATIENCE, pause=0.05):
            raise place.Trouble(f"After “{deed.what}” it did not come back.")
        deed.back = time.time()
        return deed

    def database_answers(self) -> bool:
        try:
            with psycopg.connect(self.addresses["database_url"], connect_timeout=2) as line:
                line.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def _broker_answers(self) -> bool:
        try:
            with redis.Redis.from_url(
                self.addresses["redis_url"], socket_timeout=1, socket_connect_timeout=1
            ) as broker:
                return bool(broker.ping())
        except redis.RedisError:
            return False
