"""How much of a host: places for jobs, processors, memory. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from orchestrator.contract.capacity import Ask
from orchestrator.plan.parts import Resources


@dataclass(frozen=True)
class Amount:
    """Places, processors and memory: what work asks for, a host offers, or has left; the last may be negative."""

    jobs: int = 0
    cpus: float = 0.0
    memory: int = 0
    """Bytes."""

    def __add__(self, other: "Amount") -> "Amount":
        """Both together."""
        # Rounded as the engine counts processors, so that ten tenths are one.
        return Amount(self.jobs + other.jobs, round(self.cpus + other.cpus, 9), self.memory + other.memory)

    def __sub__(self, other: "Amount") -> "Amount":
        """What is left."""
        return Amount(self.jobs - other.jobs, round(self.cpus - other.cpus, 9), self.memory - other.memory)

    @classmethod
    def total(cls, amounts: "Iterable[Amount]") -> "Amount":
        """All together."""
        return sum(amounts, start=Amount())

    @classmethod
    def of(cls, *asks: Ask | Resources, jobs: int = 0) -> "Amount":
        """What these ask for together; what they do not say counts nothing."""
        return cls(jobs) + cls.total(cls(0, ask.cpus or 0.0, ask.memory or 0) for ask in asks)

    def fits(self, room: Self) -> bool:
        """Whether `room` has what this asks for. What it does not ask for does not matter."""
        return (
            (self.jobs == 0 or self.jobs <= room.jobs)
            and (self.cpus == 0 or self.cpus <= room.cpus)
            and (self.memory == 0 or self.memory <= room.memory)
        )

    def not_negative(self) -> "Amount":
        """Of what is left: nothing where more was taken than there is."""
        return Amount(max(0, self.jobs), max(0.0, self.cpus), max(0, self.memory))

    @property
    def bounded(self) -> bool:
        """Whether it asks for processors or memory, which hosts have more or less of."""
        return self.cpus > 0 or self.memory > 0


NOTHING = Amount()
UNLIMITED = Amount(2**31, math.inf, 2**62)
"""More than anything asks for."""
