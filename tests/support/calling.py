"""Real modules in a folder of the test's own, and calls of their functions by a real caller."""

import textwrap
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from orchestrator.contract.calls import CallRequest
from orchestrator.contract.messages import Heartbeat, JobOutcome
from orchestrator.store.logs import LogReader
from orchestrator.store.store import Store, open_store
from workers.calling.caller import Caller
from workers.calling.record import prefix_of
from workers.settings import Calls
from workers.supervision.control import Cause


def module(folder: Path, source: str) -> str:
    """A module with that source, under a name that no other test has; its name."""
    name = f"made_{uuid4().hex[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(source))
    return name


def call_of(function: str, **fields: Any) -> CallRequest:
    """A request that no other test has."""
    usual: dict[str, Any] = {
        "run_id": f"run-{uuid4().hex[:12]}",
        "attempt": 1,
        "job": "call",
        "spec": "test",
        "function": function,
        "timeout": 30.0,
        "stop_grace": 5.0,
    }
    return CallRequest.model_validate(usual | fields)


@dataclass
class CallBench:
    """A caller whose modules lie in `folder`, and what it says."""

    folder: Path
    hosts: tuple[str, ...] = ()
    host: str = "host"
    store: Store = field(init=False)
    beats: list[Heartbeat] = field(default_factory=list[Heartbeat])
    cause: Cause = "cancel"
    leaving: bool = False

    def __post_init__(self) -> None:
        """The caller allows whatever `module` makes, and nothing else."""
        self.store = open_store(str(self.folder / "store"))
        self.caller = self.another()

    def another(self, host: str | None = None) -> Caller:
        """A caller of another process, which shares the store: on the same host or on another."""
        calls = Calls(modules=("*",), path=(self.folder,), hosts=self.hosts)
        return Caller(store=self.store, name=host or self.host, calls=calls)

    def module(self, source: str) -> str:
        """See the function of that name."""
        return module(self.folder, source)

    async def run(self, request: CallRequest, caller: Caller | None = None) -> JobOutcome:
        """To its outcome."""
        return await (caller or self.caller).run(
            request, self.beats.append, lambda: self.cause, leaving=lambda: self.leaving
        )

    async def call(self, source: str, **arguments: Any) -> JobOutcome:
        """Call function `f` of that source."""
        return await self.run(call_of(f"{self.module(source)}:f", arguments=arguments))

    async def log(self, request: CallRequest) -> list[str]:
        """The lines of its log."""
        return [line.text async for line in LogReader(self.store, prefix_of(request)).lines()]


def threads_named(name: str) -> list[threading.Thread]:
    """Those that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == name]
