"""What a warning calls needless is: removing it changes no run. What it calls certain holds for all values.

The judge is the interpreter itself: its scheduler walks the plan with and without an edge, its evaluator computes
conditions and comparisons.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.compile import compile_text
from orchestrator.compile.certain import decided, mismatches
from orchestrator.compile.draft import make_draft
from orchestrator.compile.nodes import node_of
from orchestrator.compile.reach import possible_ends
from orchestrator.contract.messages import JobStatus
from orchestrator.errors import SpecError
from orchestrator.expressions import condition, evaluate
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.scheduler import Omit, Ready, Scheduler, Skip
from orchestrator.plan.model import Plan
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.model import ParamShape
from orchestrator.spec.parse import read
from tests.support.nodes import container
from tests.support.plans import plan as plan_of
from tests.support.plans import state

NOW: Final = "2026-01-31T12:00:00.000Z"
NAMES: Final = ("a", "b", "c", "d", "e", "f")
CONDITIONS: Final = (None, None, None, "success", "always", "failure", "skipped")
ENDS_OF_THE_UNCONDITIONAL: st.SearchStrategy[JobStatus] = st.sampled_from(("success", "failed"))
ENDS: st.SearchStrategy[JobStatus] = st.sampled_from(("success", "failed", "skipped"))
Jobs = dict[str, dict[str, Any]]


@st.composite
def specs(draw: st.DrawFn) -> Jobs:
    """Jobs whose entries name earlier ones; dense, so that much is implied."""
    jobs: Jobs = {}
    for number, name in enumerate(NAMES):
        job: dict[str, Any] = {"image": "i"}
        entries = st.tuples(st.sampled_from(NAMES[: max(1, number)]), st.sampled_from(CONDITIONS))
        named = draw(st.lists(entries, max_size=3)) if number else []
        job["requires"] = [{"job": other, **({"condition": wish} if wish else {})} for other, wish in named]
        job["after"] = draw(st.lists(st.sampled_from(NAMES[: max(1, number)]), max_size=2)) if number else []
        if draw(st.integers(0, 3)) == 0:
            job["if"] = draw(st.sampled_from(["git.ref", "success()", "failure()", "always()"]))
        if draw(st.integers(0, 5)) == 0:
            job["on_error"] = "continue"
        if draw(st.integers(0, 5)) == 0:
            job["on_complete"] = draw(st.sampled_from(["success", "failure", "always"]))
        if number and draw(st.integers(0, 7)) == 0:
            job["parallel_with"] = [draw(st.sampled_from(NAMES[:number]))]
        if draw(st.integers(0, 3)) == 0:
            job["artifacts"] = ["x"]
        for key in ("on_success", "on_failure", "on_complete"):
            if draw(st.integers(0, 9)) == 0 and NAMES[number + 1 :] and key not in job:
                job[key] = draw(
                    st.lists(st.sampled_from(NAMES[number + 1 :]), min_size=1, max_size=2, unique=True)
                )
        jobs[name] = job
    return jobs


def compiled(jobs: Jobs) -> tuple[Plan, list[Diagnostic]] | None:
    try:
        result = compile_text(json.dumps({"name": "n", "jobs": jobs}, indent=1), "t.yaml")
    except SpecError:
        return None
    return result.plan, list(result.diagnostics)


def walk(plan: Plan, fates: Mapping[str, JobStatus], order: Mapping[str, int]) -> list[tuple[int, str, str]]:
    """What becomes of each job, and after how many jobs had ended by themselves; in no order within a step."""
    run = state(plan)
    scheduler = Scheduler(run)
    running: list[str] = []
    log: list[tuple[int, str, str]] = []
    step, finalizing = 0, False
    while True:
        while decisions := scheduler.take_decisions():
            for decision in decisions:
                if isinstance(decision, Ready):
                    log.append((step, decision.job, "starts"))
                    running.append(decision.job)
                    continue
                end: JobStatus = "omitted" if isinstance(decision, Omit) else "skipped"
                off_path = isinstance(decision, Skip) and decision.off_path
                log.append((step, decision.job, f"{end} off path" if off_path else end))
                run.settle(decision.job, Ending(end, off_path=off_path), NOW)
                scheduler.settle(decision.job)
        if running:
            running.sort(key=order.__getitem__)
            name = running.pop(0)
            step += 1
            run.settle(name, Ending(fates[name]), NOW)
            scheduler.settle(name)
        elif finalizing:
            assert scheduler.all_done
            return sorted(log)
        else:
            finalizing = True
            scheduler.begin_finalizers()


def without(jobs: Jobs, name: str, key: str, index: int) -> Jobs:
    entries = [entry for number, entry in enumerate(jobs[name][key]) if number != index]
    return {**jobs, name: {**jobs[name], key: entries}}


def needless(jobs: Jobs, found: list[Diagnostic]) -> Iterator[tuple[str, str, int]]:
    """The entries that W107 and W108 are about: job, key, and number in the list."""
    text = json.dumps({"name": "n", "jobs": jobs}, indent=1).split("\n")
    for item in found:
        if item.code in ("W107", "W108"):
            key, job = item.message.split("'")[1:4:2]
            start = text.index(f'  "{job}": {{')
            start = next(number for number in range(start, len(text)) if f'   "{key}": [' == text[number])
            opening = "    {" if key == "requires" else '    "'
            yield job, key, sum(line.startswith(opening) for line in text[start + 1 : item.line]) - 1


@settings(max_examples=1000, deadline=None)
@given(specs(), st.data())
def test_a_needless_entry_can_go_and_no_run_is_another(jobs: Jobs, data: st.DataObject) -> None:
    result = compiled(jobs)
    if result is None:
        return
    plan, found = result
    fates: dict[str, JobStatus] = {
        name: data.draw(ENDS if "if" in jobs[name] else ENDS_OF_THE_UNCONDITIONAL) for name in NAMES
    }
    order = {name: rank for rank, name in enumerate(data.draw(st.permutations(NAMES)))}
    expected = walk(plan, fates, order)
    for job, key, index in needless(jobs, found):
        other = compiled(without(jobs, job, key, index))
        assert other is not None
        assert walk(other[0], fates, order) == expected
        lost = set(container(plan, job).artifacts_from) - set(container(other[0], job).artifacts_from)
        assert not any(container(plan, name).artifacts for name in lost)


@settings(max_examples=500, deadline=None)
@given(specs(), st.data())
def test_a_job_that_starts_was_never_called_unreachable(jobs: Jobs, data: st.DataObject) -> None:
    """E106 says that a job can never start: no run of the plan starts it, where there is one all the same."""
    parsed = read(json.dumps({"name": "n", "jobs": jobs}), "t.yaml")
    assert parsed.spec is not None
    assert parsed.source is not None
    draft = make_draft(parsed.spec, parsed.source)
    if draft.graph.cycles or draft.bad_pairs:
        return
    _, found = possible_ends(draft.jobs, draft.graph)
    ranks = {name: rank for rank, name in enumerate(draft.graph.order)}
    plan = plan_of(*(node_of(draft, name, rank=ranks, commands=None, gates={}) for name in draft.graph.order))
    fates: dict[str, JobStatus] = {
        name: data.draw(ENDS if "if" in jobs[name] else ENDS_OF_THE_UNCONDITIONAL) for name in NAMES
    }
    order = {name: rank for rank, name in enumerate(data.draw(st.permutations(NAMES)))}
    started = {name for _, name, what in walk(plan, fates, order) if what == "starts"}
    assert not started & {one.job for one in found}


LITERALS = st.sampled_from(["null", "true", "false", "0", "1", "-2.5", "''", "'a'", "'true'", "'1'", "'B'"])
READS = st.sampled_from(["params.flag", "params.n", "params.word", "params.list", "params.any", "params.opt"])
PARAMS: Final = {
    name: ParamShape.model_validate(shape)
    for name, shape in {
        "flag": {"type": "boolean", "required": True},
        "n": {"type": "number", "required": True},
        "word": {"enum": ["a", "b"], "default": "a"},
        "list": {"type": "array", "required": True},
        "any": {},
        "opt": {"type": "boolean"},
    }.items()
}
SOURCES = st.recursive(
    LITERALS | READS | st.builds("{} {} {}".format, READS, st.sampled_from(["==", "!=", "<"]), LITERALS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||", "==", "!="]), inner)
        | st.builds("!({})".format, inner)
        | st.builds("contains({}, {})".format, inner, inner)
    ),
    max_leaves=6,
)
VALUES = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "n": st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False),
        "word": st.sampled_from(["a", "b"]),
        "list": st.lists(st.sampled_from(["a", "", 1]), max_size=2),
        "any": st.none() | st.sampled_from(["", "a", "1", "true"]),
        "opt": st.none() | st.booleans(),
    }
)


@settings(max_examples=600, deadline=None)
@given(SOURCES, VALUES)
def test_a_decided_condition_is_the_same_for_all_values(source: str, values: dict[str, Any]) -> None:
    found = decided(source)
    if found is not None:
        assert condition(source, {"params": values}) is found[0]


@settings(max_examples=600, deadline=None)
@given(SOURCES, VALUES)
def test_a_comparison_with_what_never_is_never_holds(source: str, values: dict[str, Any]) -> None:
    for mismatch in mismatches(source, PARAMS):
        comparison = mismatch.comparison
        value = evaluate(source[comparison.offset : comparison.end], {"params": values})
        assert value is (comparison.operator == "!=")
