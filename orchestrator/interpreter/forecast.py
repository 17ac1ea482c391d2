"""What a resumed run will do with each job, told before it begins: by the same rules as while it goes. Pure.

The plan is walked as far as earlier attempts say how jobs end. From the first job that runs on nobody knows what comes,
so of what is behind it is told what is certain, and of the rest that it is decided later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.contract.messages import Earlier, JobOutcome, Reuse, RunRequest
from orchestrator.errors import ExpressionError, UsageError
from orchestrator.interpreter.expansion import expand
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.interpreter.job_state import Ending, JobState, ending_of
from orchestrator.interpreter.lineage import upstream_of
from orchestrator.interpreter.nodes.choice import branch_taken, choice_outputs, chosen_jobs
from orchestrator.interpreter.requests import admit
from orchestrator.interpreter.reusing import (
    CHANGED,
    DOUBTED,
    ONLY_FAILED,
    Runs,
    always_runs,
    doubted,
    earlier_of,
    judged,
    take_over,
)
from orchestrator.interpreter.scheduler import Omit, Ready, Scheduler, Skip
from orchestrator.interpreter.state import RunState
from orchestrator.interpreter.variables import publishing, set_first_values
from orchestrator.plan.model import ChoiceNode, Node, Plan
from orchestrator.plan.variants import VariantsError

Action = Literal["reuse", "run", "ask", "skip", "open", "hold"]
"""`open`: decided when it is its turn. `hold`: put before a person before it runs."""

_KEYS: Final = {
    "image": "image",
    "commands": "commands",
    "variants": "matrix or list",
    "env": "env",
    "artifacts": "artifacts",
    "artifacts_from": "artifacts_from",
    "entrypoint": "entrypoint",
    "shell": "shell",
    "working_dir": "working_dir",
    "user": "user",
    "services": "services",
    "network": "network",
    "function": "call",
    "arguments": "with",
    "workflow": "workflow",
    "duration": "wait",
    "until": "wait",
    "outputs": "outputs",
    "required_outputs": "outputs",
}
"""A node's fields that count, and the spec's keys that they come from."""


@dataclass(frozen=True)
class Expected:
    """What becomes of one job without variants, or of one variant."""

    name: str
    """In full; a job's own where its variants are not known yet."""
    action: Action
    why: str
    attempt: int | None = None
    """From which it is taken over."""


def forecast(request: RunRequest, before: Plan) -> list[Expected]:
    """What the attempt that `request` starts will do, in the order of the plan's jobs.

    Args:
        request: of an attempt that resumes an earlier one, whose plan was `before`.
        before: see above.

    Raises UsageError where the run's variables cannot be set.
    """
    walk = _Walk(request, request.reuse or Reuse(attempt=request.attempt - 1), before)
    walk.run()
    return walk.told()


class _Walk:
    """Goes as far as is known."""

    def __init__(self, request: RunRequest, reuse: Reuse, before: Plan) -> None:
        self._request, self._reuse, self._before = request, reuse, before
        self._state = RunState(request.plan, request.run_id, request.attempt, request.created_at)
        self._state.reuse = reuse
        self._scheduler = Scheduler(self._state)
        self._told: dict[str, list[Expected]] = {}

    def run(self) -> None:
        problem = set_first_values(self._request, self._state)
        if problem is not None:
            raise UsageError(f"the run's variables could not be set: {problem}")
        while decisions := self._scheduler.take_decisions():
            for decision in decisions:
                match decision:
                    case Ready(job=name):
                        self._start(self._state.jobs[name])
                    case Omit(job=name, reason=reason):
                        self._skip(name, Ending("omitted", reason))
                    case Skip(job=name, reason=reason, off_path=off_path):
                        self._skip(name, Ending("skipped", reason, off_path=off_path))

    def told(self) -> list[Expected]:
        """Of every job, in the plan's order."""
        found: list[Expected] = []
        for name, job in self._state.jobs.items():
            found += self._told[name] if name in self._told else self._not_reached(job.node)
        return found

    def _start(self, job: JobState) -> None:
        name = job.node.name
        try:
            admission = admit(job.node, self._request, self._state)
            if not admission.admitted:
                self._skip(name, Ending("skipped", admission.reason))
            elif isinstance(job.node, ChoiceNode):
                self._choose(job.node, job)
            elif job.node.strategy is None:
                self._tell(name, [self._leaf(job)])
                self._settle_reused(job)
            else:
                self._fan_out(job)
        except (ExpressionError, VariantsError) as error:
            self._tell(name, [Expected(name, "run", f"it will fail: {error}")])

    def _fan_out(self, job: JobState) -> None:
        name = job.node.name
        variants = expand(job.node, self._request, self._state)
        if not variants:
            self._skip(name, Ending("skipped", "skipped: `for_each` has no items"))
            return
        fan = self._state.fan_out(job, variants)
        self._tell(name, [self._leaf(leaf) for leaf in fan.listed])
        for leaf in fan.listed:
            if leaf.reused is not None:
                leaf.settle(Ending("success"), self._request.created_at)
        self._settle_reused(job)

    def _leaf(self, leaf: JobState) -> Expected:
        def now() -> str:
            return fingerprint(leaf, self._request, self._state)

        earlier = earlier_of(leaf, self._reuse)
        if earlier is not None and doubted(leaf.node, leaf.key, earlier, self._reuse):
            return Expected(leaf.key, "hold", DOUBTED)
        verdict = judged(leaf, self._reuse, self._state, now)
        if isinstance(verdict, Runs):
            if leaf.node.kind == "gate":
                return Expected(leaf.key, "ask", verdict.why)
            why = self._what_changed(leaf.node) if verdict.why == CHANGED else verdict.why
            return Expected(leaf.key, "run", why)
        take_over(leaf, verdict.earlier, self._state)
        return Expected(leaf.key, "reuse", verdict.why, verdict.earlier.attempt)

    def _settle_reused(self, job: JobState) -> None:
        """Bring to its end what has all been taken over; what runs stays open."""
        leaves = job.fan.listed if job.fan else (job,)
        if any(leaf.reused is None for leaf in leaves):
            return
        outcome = JobOutcome(status="success", outputs=job.outputs, updates=job.updates)
        self._settle(job.node.name, ending_of(publishing(job, outcome, self._request, self._state)))

    def _choose(self, node: ChoiceNode, job: JobState) -> None:
        number, why = branch_taken(node, job, self._request, self._state)
        job.outputs, job.chosen = choice_outputs(node, number), chosen_jobs(node, number)
        self._tell(node.name, [Expected(node.name, "run", f"it is decided again: {why}")])
        self._settle(node.name, Ending("success"))

    def _skip(self, name: str, ending: Ending) -> None:
        self._tell(name, [Expected(name, "skip", ending.reason or ending.status)])
        self._settle(name, ending)

    def _settle(self, name: str, ending: Ending) -> None:
        self._state.settle(name, ending, self._request.created_at)
        self._scheduler.settle(name)

    def _tell(self, name: str, expected: list[Expected]) -> None:
        self._told[name] = expected

    def _what_changed(self, node: Node) -> str:
        """Which of the spec's keys did; else it is the values that they read."""
        old = self._before.jobs.get(node.name)
        if old is None or old.kind != node.kind:
            return "it is another kind of job now"
        was, now = old.model_dump(), node.model_dump()
        keys = dict.fromkeys(key for field, key in _KEYS.items() if was.get(field) != now.get(field))
        if keys:
            named = ", ".join(f"`{key}`" for key in keys)
            return f"its {named} changed"
        if self._before.workflows != self._request.plan.workflows and node.kind == "workflow":
            return "the workflow that it runs changed"
        return "values or files that it reads changed"

    def _not_reached(self, node: Node) -> Iterator[Expected]:
        """Of a job that something before it keeps open."""
        job, earlier = self._state.jobs[node.name], self._reuse.jobs.get(node.name)
        after = next((name for name in upstream_of(node) if not self._state.jobs[name].settled), "")
        fixed = always_runs(job)
        if node.kind == "gate":
            yield Expected(node.name, "ask", fixed or "")
        elif fixed is not None:
            certain = node.finalizer and node.on_complete == "always" and not node.triggers
            yield Expected(node.name, "run" if certain and not _conditional(node) else "open", fixed)
        elif earlier is not None and earlier.variants:
            for key, variant in earlier.variants.items():
                yield self._behind(node, key, variant, after)
        else:
            yield self._behind(node, node.name, earlier, after)

    def _behind(self, node: Node, name: str, earlier: Earlier | None, after: str) -> Expected:
        again = name in self._reuse.again or node.name in self._reuse.again
        if self._reuse.only_failed and earlier is not None and earlier.status == "success" and not again:
            if any(edge.condition != "always" for edge in node.requires) or _conditional(node):
                return Expected(name, "open", f"it is reused where '{after}' lets it start")
            return Expected(name, "reuse", ONLY_FAILED, earlier.attempt)
        if earlier is not None and doubted(node, name, earlier, self._reuse):
            return Expected(name, "open" if _conditional(node) else "hold", DOUBTED)
        action: Action = "open" if _conditional(node) else "run"
        return Expected(name, action, f"after '{after}'" if after else "it had not run")


def _conditional(node: Node) -> bool:
    """Whether what becomes of it depends on how others end."""
    asks = node.condition is not None or node.unless is not None or bool(node.triggers)
    return asks or any(edge.condition in ("failure", "skipped") for edge in node.requires)


def counts(expected: list[Expected]) -> Mapping[Action, int]:
    """How many jobs and variants there are of each kind."""
    found: dict[Action, int] = {}
    for one in expected:
        found[one.action] = found.get(one.action, 0) + 1
    return found
