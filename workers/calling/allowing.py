"""What a call needs of a worker's settings, so that one which lacks it can tell who has it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.contract.calls import HTTP, CallRequest
from workers.calling.http.hosts import allows, barred, shown, target
from workers.calling.loading import covers
from workers.settings import Calls

MAX_TOLD: Final = 5
"""Workers of which a message says what they allow."""


@dataclass(frozen=True)
class Need:
    """A module that has to be allowed or, where there is a `port`, a host that requests go to."""

    name: str
    port: int | None
    refused: str
    """For people: `'travel.tools:find' is not called`."""

    @property
    def what(self) -> str:
        """`module 'travel.tools'`."""
        return f"module '{self.name}'" if self.port is None else f"host '{self.name}'"

    def met_by(self, calls: Calls) -> bool:
        """Whether what a worker allows is enough."""
        if self.port is None:
            return any(covers(pattern, self.name) for pattern in calls.modules)
        return allows(self.name, self.port, calls.hosts) and not barred(self.name, self.port, calls.hosts)

    def nowhere(self, workers: Sequence[tuple[str, Calls]]) -> str:
        """Why it fails where none of these workers meets it: each by its host and what it allows."""
        told = [f"host '{host}' allows {self._listed(calls)}" for host, calls in workers[:MAX_TOLD]]
        if len(workers) > MAX_TOLD:
            told.append(f"{len(workers) - MAX_TOLD} more")
        setting, option = (
            ("ORCA_CALL_MODULES", "--allow-calls")
            if self.port is None
            else ("ORCA_HTTP_HOSTS", "--allow-hosts")
        )
        return (
            f"{self.refused}: no worker allows {self.what} ({'; '.join(told)}); add '{self.name}' to the {setting} of "
            f"one of them, or start one with {option} {self.name}"
        )

    def _listed(self, calls: Calls) -> str:
        return ", ".join(calls.modules if self.port is None else calls.hosts) or "none"


def need_of(request: CallRequest) -> Need | None:
    """What the call needs; None where it is not known what is to be asked, which any worker can say."""
    if request.function != HTTP:
        return Need(request.function.partition(":")[0], None, f"'{request.function}' is not called")
    url = request.arguments.get("url")
    try:
        found = target(url) if isinstance(url, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    host, port = found
    return Need(host, port, f"'{shown(str(url))}' is not asked")
