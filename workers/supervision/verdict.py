"""Whether a container's end that nobody here asked for was its own, or came from outside. Pure.

Docker's exit code alone does not tell: a container that a person removes, or that an engine takes with it when it is
stopped, ends like one whose commands were killed, and a server that is told to stop ends with 0 as if it were done.
"""

from dataclasses import dataclass
from typing import Final

from orchestrator.contract.times import parse_rfc3339
from workers.engine.interface import ObservedContainer

_BY_SIGNAL: Final = (137, 143)
"""What a container ends with that is killed or told to stop."""
_UNKNOWN: Final = 255
"""What an engine says of a container of which it does not know how it ended: its host went off."""
_SHUTDOWN: Final = 60.0
"""Seconds before an engine began in which an end of any code may be of the earlier one's making."""


@dataclass(frozen=True)
class End:
    """A container's end as it was seen."""

    container: str
    """Id."""
    host: str
    exit_code: int
    started_at: str | None
    """When it began that time that it was taken up, by its engine's clock; RFC 3339 in UTC."""
    whole: bool
    """Its script said that it came to its end."""
    told: bool
    """Its script said at least that it ended."""
    seen: bool
    """A worker was there, and the engine goes on to answer."""
    code: int | None = None
    """The exit code that its script said; None where it said none."""
    told_at: str = ""
    """When its script said that it ended, by the engine's count; RFC 3339 in UTC."""
    engine: str = ""
    """When the engine began under which it was last seen to run, by that engine's clock; empty where nobody knows."""


@dataclass(frozen=True)
class Foul:
    """The end came from outside: how the job would have ended is not known."""

    why: str
    """A sentence for people."""
    leaves: bool = True
    """There is a container to take artifacts from."""
    runs: bool = False
    """It runs again."""


def by_signal(exit_code: int) -> bool:
    """Whether it is what a container ends with that is told to."""
    return exit_code in _BY_SIGNAL


def doubtful(end: End) -> bool:
    """Whether the end may have come from outside, so that the container is worth a look."""
    return end.exit_code != 0 or not end.whole


def unsettled(end: End, observed: ObservedContainer | None) -> bool:
    """Whether it is worth another look a little later: what ends a container goes on from there."""
    stands = observed is not None and observed.state in ("exited", "dead") and not observed.oom_killed
    odd = end.exit_code == 0 and end.told and not end.whole
    return stands and (odd or end.exit_code in _BY_SIGNAL)


def judge(end: End, observed: ObservedContainer | None) -> Foul | None:
    """What a look after the end says; None where nothing speaks against its own."""
    name = f"the container {end.container[:12]}"
    if observed is None:
        if end.exit_code not in _BY_SIGNAL:
            return None
        return Foul(
            f"{name} was removed from host '{end.host}' while it ran, by hand or by another program, so that nobody"
            " knows how the job would have ended; see to it that nothing there removes containers of running jobs",
            leaves=False,
        )
    if observed.state in ("running", "paused") or _again(end, observed):
        return Foul(
            f"{name} was stopped and started again on host '{end.host}', by hand or by another program (its first"
            f" run ended with exit code {end.exit_code}), so that nobody knows how the job would have ended",
            leaves=False,
            runs=observed.state in ("running", "paused"),
        )
    if _unseen(end, observed):
        return Foul(
            f"{name} ended as the Docker engine of host '{end.host}' did, which does not know how it came out"
            f" (exit code {end.exit_code})"
        )
    return None


def asks_for_engine(end: End) -> bool:
    """Whether it matters when the engine began."""
    return end.exit_code in (*_BY_SIGNAL, _UNKNOWN) or (end.exit_code == 0 and not end.whole)


def judge_engine(end: End, observed: ObservedContainer, engine_started: str | None) -> Foul | None:
    """What it means for the end that the engine began at `engine_started`.

    Whether it is another than the one under which the container ran is told by that alone, where somebody saw it run:
    an engine that began before its clock was set back seems to be younger than its containers. Else by order.
    """
    started = observed.started_at or end.started_at
    if engine_started is None or observed.oom_killed:
        return None
    began = parse_rfc3339(engine_started)
    same = started is None or began <= parse_rfc3339(started)
    if end.engine:
        same = began == parse_rfc3339(end.engine)
    if same:
        return None
    ended = began if observed.finished_at is None else parse_rfc3339(observed.finished_at)
    if end.exit_code == 0 and (began - ended).total_seconds() > _SHUTDOWN:
        return None
    return Foul(
        f"the Docker engine of host '{end.host}' was stopped, or its host went off, while the job ran, and took the"
        f" container {end.container[:12]} with it (exit code {end.exit_code}); an engine with `live-restore` lets"
        " containers run on when it is restarted"
    )


def _unseen(end: End, observed: ObservedContainer) -> bool:
    """Whether the engine did not see a container's end. It takes it for unknown then, or for none, at its own return.

    When the engine began does not tell that where it let other containers run on.
    """
    if end.exit_code == 0 and end.code:
        return True
    if end.exit_code != _UNKNOWN or not end.told or observed.oom_killed:
        return False
    if end.whole:
        return True
    if end.seen or not end.told_at or observed.finished_at is None:
        return False
    late = parse_rfc3339(observed.finished_at) - parse_rfc3339(end.told_at)
    return late.total_seconds() > _SAME_END


def _again(end: End, observed: ObservedContainer) -> bool:
    """Whether it has run once more since it was taken up. Both times are its engine's, whose clock people may set."""
    if end.started_at is None or observed.started_at is None:
        return False
    return parse_rfc3339(observed.started_at) != parse_rfc3339(end.started_at)


_SAME_END: Final = 0.5
"""Seconds that a script takes at most to end once it has said so. No engine is back as soon."""
