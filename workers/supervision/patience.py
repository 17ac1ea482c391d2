"""How long an engine that went away is waited for."""

import time

from orchestrator.contract.failures import FailureKind
from orchestrator.errors import EngineError
from workers.engine.failures import ContainerGone, EngineUnreachable, HalfStarted, NameTaken
from workers.supervision.limits import Limits
from workers.supervision.reasons import TryFailed


class Patience:
    """Counts the outages and contradictions of an engine while something is tried again and again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._begun = time.monotonic()
        self._outage_since: float | None = None
        self._outages = 0
        self._outages_since = self._begun
        self._surprises = 0
        self.engine_was_there = False
        """An engine that has answered before is waited for longer."""

    def begin(self) -> None:
        """Another go begins."""
        self._begun = time.monotonic()

    def answered(self) -> None:
        """The engine is there."""
        self.engine_was_there = True
        self._outage_since = None

    def bear(self, error: EngineError) -> None:
        """Take note of what went wrong in a go; returns when it is worth another one.

        Raises:
            TryFailed: it is not.
        """
        match error:
            case NameTaken() | ContainerGone() | HalfStarted():
                self._surprises += 1
                if self._surprises > self._limits.surprises:
                    raise TryFailed(FailureKind.DOCKER, f"the engine contradicts itself: {error}") from error
            case EngineUnreachable():
                self._bear_outage(error)
            case _:
                raise TryFailed(FailureKind.DOCKER, str(error)) from error

    def _bear_outage(self, error: EngineUnreachable) -> None:
        now, limits = time.monotonic(), self._limits
        if self._outage_since is None:
            self._outage_since = now
            # Outages far apart are each a new one; an engine that always breaks off at the same point is not.
            if self._outages == 0 or now - self._begun > limits.patience:
                self._outages, self._outages_since = 0, now
            self._outages += 1
        patience = limits.patience if self.engine_was_there else limits.first_patience
        # One that is shutting down still answers on old connections for as long as its containers take to stop.
        breaks_off = self._outages > limits.outages and now - self._outages_since >= patience
        if now - self._outage_since >= patience or breaks_off:
            raise TryFailed(FailureKind.DOCKER, str(error)) from error
