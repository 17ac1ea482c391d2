"""What is done to the parts of a round, and when. Pure: a function of the seed and the round's number."""

import random
from dataclasses import dataclass
from typing import Final, Literal

Part = Literal["worker", "server", "engine"]
Manner = Literal["kill", "stop", "freeze"]
"""`kill`: SIGKILL, and started again. `stop`: asked to end, and started again. `freeze`: SIGSTOP, then SIGCONT."""

PARTS: Final[tuple[Part, ...]] = ("worker", "server", "engine")
MANNERS: Final[tuple[Manner, ...]] = ("kill", "stop", "freeze")
FIRST, LAST = 0.3, 10.0
"""Seconds after submission between which the first fault of a part may begin. A round without faults takes about 13."""
AWAY: Final = 3.0
"""Seconds at most that a part is gone, or frozen."""
LONG_FREEZE: Final = (16.5, 19.0)
"""Seconds: longer than a worker may be silent, so that its work is given to another while it still has it."""
LONG_FREEZES: Final = 0.04
"""Their share of a worker's faults. Each makes its round much longer."""
BREATH: Final = 1.5
"""Seconds between two faults of one part: it is to be there again in between, if not for long."""


@dataclass(frozen=True)
class Fault:
    """One thing done to one part. Times are in seconds after the run's submission."""

    part: Part
    manner: Manner
    at: float
    lasting: float
    """Until it is started again, or goes on."""

    def __str__(self) -> str:
        return f"{self.manner} {self.part} at {self.at:.2f} s for {self.lasting:.2f} s"


@dataclass(frozen=True)
class Schedule:
    """One round."""

    seed: int
    number: int
    """From 1."""
    live_restore: bool
    """Whether containers go on while their engine is away. Else its restart ends them."""
    faults: tuple[Fault, ...]
    """By time."""


def schedule(seed: int, number: int) -> Schedule:
    """What happens in round `number` of `seed`. Every other round's engine keeps its containers alive."""
    chance = random.Random(f"{seed}/{number}")
    faults: list[Fault] = []
    ready = dict.fromkeys(PARTS, 0.0)
    for _ in range(chance.choice((2, 3, 3, 4, 4, 5))):
        part, manner = chance.choice(PARTS), chance.choice(MANNERS)
        at = max(chance.uniform(FIRST, LAST), ready[part])
        lasting = chance.uniform(0.1, AWAY)
        if manner == "freeze" and part == "worker" and chance.random() < LONG_FREEZES * len(MANNERS):
            lasting = chance.uniform(*LONG_FREEZE)
        ready[part] = at + lasting + BREATH
        faults.append(Fault(part, manner, round(at, 2), round(lasting, 2)))
    return Schedule(seed, number, number % 2 == 1, tuple(sorted(faults, key=lambda fault: fault.at)))
