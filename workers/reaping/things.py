"""What is found on a host: containers, networks and volumes, and what their labels say whose they are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from orchestrator import ids
from orchestrator.contract import names
from orchestrator.contract.services import START_SERVICES, STOP_SERVICES

Kind = Literal["container", "network", "volume"]


@dataclass(frozen=True)
class Owner:
    """The try, or the start of a run's shared services, that something belongs to."""

    run: str
    attempt: int
    job: str
    """Empty: of the services that a run's jobs share."""
    variant: str | None
    number: int
    """The logical try; of shared services which start of them."""
    service: str | None = None
    """The service whose container it is."""

    @property
    def key(self) -> str:
        """How people name it: `test (3.11) #2`, `test (3.11) #2/db`, `services`."""
        shared = "services" if self.number == 1 else f"services #{self.number}"
        key = ids.try_key(self.job, self.variant, self.number) if self.job else shared
        return key if self.service is None else f"{key}/{self.service}"

    @property
    def activities(self) -> frozenset[str]:
        """Ids of the activities that look after it, as they are sent out the first time."""
        if self.job:
            key = ids.try_key(self.job, self.variant, self.number)
            return frozenset({key, f"{START_SERVICES}: {key}", f"{STOP_SERVICES}: {key}"})
        number = "" if self.number == 1 else f" #{self.number}"
        return frozenset({f"{START_SERVICES}{number}", f"{STOP_SERVICES}{number}"})


@dataclass(frozen=True)
class Thing:
    """One object of the engine."""

    kind: Kind
    id: str
    """By which the engine knows it, for good."""
    name: str
    labels: Mapping[str, str]
    runs: bool = False
    """A container that has not ended."""

    @property
    def ours(self) -> bool:
        """Whether orca made it."""
        return self.labels.get(names.LABEL_MARK) == "true"

    @property
    def keep(self) -> str:
        """The run's `cleanup_policy` where it is to be kept: `keep`, `keep_on_failure`; else empty."""
        return self.labels.get(names.LABEL_KEEP, "")

    @property
    def owner(self) -> Owner | None:
        """Whose it is; None where its labels do not say."""
        run = self.labels.get(names.LABEL_RUN, "")
        attempt, number = _count(self.labels, names.LABEL_ATTEMPT), _count(self.labels, names.LABEL_TRY)
        if not run or attempt is None or number is None:
            return None
        return Owner(
            run,
            attempt,
            self.labels.get(names.LABEL_JOB, ""),
            self.labels.get(names.LABEL_VARIANT),
            number,
            self.labels.get(names.LABEL_SERVICE),
        )


def _count(labels: Mapping[str, str], name: str) -> int | None:
    text = labels.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) > 0 else None
