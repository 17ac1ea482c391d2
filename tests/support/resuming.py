"""Short ways to resume a run, for tests of the interpreter: what the client would do, with the plan that it told."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.client.resume import Resumption, Wish, plan_attempt, start_attempt
from orchestrator.contract.messages import RunRecord
from orchestrator.interpreter.forecast import Action
from orchestrator.plan.model import ContainerNode
from orchestrator.plan.parts import Requirement
from orchestrator.store.store import open_store
from tests.support.memory_engine import Program, Running
from tests.support.plans import job


@dataclass
class Starts:
    """Counts how often each job's container is started: its `NAME`, in its environment, says whose it is.

    Attributes:
        seen: starts by name since the last look.
        broken: names whose containers fail.
    """

    seen: Counter[str] = field(default_factory=Counter[str])
    broken: set[str] = field(default_factory=set[str])

    @property
    def programs(self) -> dict[str, Program]:
        return {"count": self._count}

    def take(self) -> dict[str, int]:
        """What was started since the last look."""
        seen, self.seen = dict(self.seen), Counter()
        return seen

    def _count(self, box: Running) -> int:
        name = box.env["NAME"]
        self.seen[name] += 1
        if "OUT" in box.env:
            box.write("/orca/output", box.env["OUT"].encode())
        return 3 if name in self.broken else 0


def counting(name: str, *requires: str | Requirement, **fields: Any) -> ContainerNode:
    """A job that `Starts` counts by its own name."""
    return job(name, *requires, **counted(name, **fields))


def counted(name: str, **fields: Any) -> dict[str, Any]:
    """The fields of a job that `Starts` counts."""
    return {"entrypoint": ("count",), **fields, "env": {"NAME": name, **fields.get("env", {})}}


async def planned(client: Client, run: str, store_folder: str, **wish: Any) -> Resumption:
    return await plan_attempt(client, run, Wish(**wish), store=open_store(store_folder), submitted_by="ann")


async def resumed(
    client: Client, run: str, store_folder: str, **wish: Any
) -> tuple[dict[str, Action], RunRecord]:
    """Resume `run` to its end: what was told before, by name, and the new attempt's record."""
    found = await planned(client, run, store_folder, **wish)
    await start_attempt(client, found)
    return {one.name: one.action for one in found.expected}, await runs.wait(client, run)
