"""One ratio: a floor and orca, measured by turns, and the medians of both."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Measure:
    """Seconds of the floor and of orca, round by round."""

    name: str
    goal: float
    floor: list[float] = field(default_factory=list[float])
    orca: list[float] = field(default_factory=list[float])

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return statistics.median(self.orca) / statistics.median(self.floor)

    def line(self) -> str:
        """A row of the report."""
        floor, orca = statistics.median(self.floor), statistics.median(self.orca)
        met = "met" if self.ratio <= self.goal else "not met"
        return f"{self.name:<34} {_time(floor)} {_time(orca)} {self.ratio:7.2f} {self.goal:7.2f}  {met}"


def _time(seconds: float) -> str:
    """Ten characters: seconds, or microseconds where these say more."""
    return f"{seconds:8.2f} s" if seconds >= 0.01 else f"{seconds * 1e6:7.1f} µs"
