"""What the language costs: validating and compiling large specs, evaluating in large runs, expanding matrices.

Everything but the one line about the process is measured inside this process. Specs are compiled under other names of
their jobs each time, so that no cache knows their expressions.
"""

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import yaml

from benchmarks.measure import Measure
from orchestrator.client.prepare import compile_file
from orchestrator.compile import compile_text
from orchestrator.contract.messages import RunRequest
from orchestrator.expressions import evaluate
from orchestrator.interpreter.contexts import contexts_for
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import ContainerNode, Node, Plan

VALIDATED = 5_000
COMPILED = (2_000, 20_000)
EVALUATED = (10, 10_000)
EXPANDED = (1_000, 10_000)
CALLS = 2_000
"""Evaluations in one measure."""
CREATED = "2026-01-31T12:00:00.000Z"


def jobs_spec(jobs: int) -> str:
    """Jobs as people write them: each requires one or two before it, reads an output, has commands and a condition."""
    texts = [
        f"  job-{number}:\n"
        f"    image: python:3.11-slim\n"
        f"    {'requires: [' + ', '.join(_before(number)) + ']' if number >= 7 else 'timeout: 10m'}\n"
        f"    {_reads(number)}\n"
        "    commands:\n"
        f"      - python -m build --part {number}\n"
        f'      - echo "part={number}" >> "$ORCA_OUTPUT"\n'
        "    outputs: [part]\n"
        for number in range(jobs)
    ]
    return f"name: large\nenv: {{STAGE: test}}\njobs:\n{''.join(texts)}"


def _before(number: int) -> list[str]:
    return [f"job-{other}" for other in (number - 7, number - 11) if other >= 0]


def _reads(number: int) -> str:
    if number % 3 == 1 and number >= 7:
        return f"env: {{PART: '${{{{ jobs.job-{number - 7}.outputs.part }}}}', STAGE: build}}"
    return "if: ${{ github.ref == 'refs/heads/main' }}" if number % 3 == 2 else "on_error: continue"


def fresh(text: str) -> Callable[[], str]:
    """Gives a spec with other names of its jobs each time; as long as the original within a few bytes for each name."""
    turns = count()
    return lambda: text.replace("job-", f"j{next(turns)}-")


def matrix_spec(variants: int) -> str:
    """One job with a matrix of two axes; one of them has ten values."""
    rows = ", ".join(str(number) for number in range(variants // 10))
    return (
        f"name: matrix\nmax_variants: 10000\njobs:\n  test:\n    image: 'alpine:${{{{ matrix.column }}}}'\n"
        f"    matrix:\n      row: [{rows}]\n      column: [a, b, c, d, e, f, g, h, i, j]\n"
        "    commands:\n      - make test ROW=${{ matrix.row }} COLUMN=${{ matrix.column }}\n"
    )


def evaluation(jobs: int) -> Callable[[], None]:
    """Evaluate a condition over and over in a run of `jobs` jobs, contexts built each time as the interpreter does."""
    nodes: dict[str, Node] = {
        f"job-{number}": ContainerNode(name=f"job-{number}", image="alpine") for number in range(jobs)
    }
    plan = Plan(
        spec="run",
        jobs=nodes,
        order=tuple(nodes),
        levels=(tuple(nodes),),
        critical_path=(),
        estimated_events=0,
    )
    request = RunRequest(run_id="r", plan=plan, plan_digest="d", created_at=CREATED, task_queue="q")
    state = RunState(plan, "r", 1, CREATED)
    state.jobs["job-5"].outputs["tag"] = "v1"
    text = "jobs.job-5.outputs.tag == 'v1' && contains(needs.job-7.result, 'skip')"

    def work() -> None:
        for _ in range(CALLS):
            if evaluate(text, contexts_for(request, state)) is not True:
                raise RuntimeError(f"{text} is not true")

    return work


def seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, which others on the machine disturb little; garbage is collected before."""
    gc.collect()
    begin = time.process_time()
    work()
    return time.process_time() - begin


def by_turns(
    measure: Measure, rounds: int, floor: Callable[[], object], orca: Callable[[], object]
) -> Measure:
    """Warm both up once, then measure them in turn."""
    floor()
    orca()
    for _ in range(rounds):
        measure.floor.append(seconds(floor))
        measure.orca.append(seconds(orca))
    return measure


def bench(rounds: int) -> tuple[list[Measure], list[str]]:
    """All measures, and lines for information."""
    with tempfile.TemporaryDirectory(prefix="orca-bench-") as folder:
        path = Path(folder) / "large.yaml"
        text = jobs_spec(VALIDATED)
        path.write_text(text)
        named = fresh(text)

        def renamed(path: Path) -> Path:
            path.write_text(named())
            return path

        validated = by_turns(
            Measure(f"validate {VALIDATED:,} jobs / CSafeLoader", 10),
            rounds,
            lambda: yaml.load(text, Loader=yaml.CSafeLoader),
            lambda: compile_file(renamed(path)),
        )
        command = [str(Path(sys.executable).with_name("orca")), "validate", str(path)]
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        process = time.perf_counter() - begin
    small, large = (fresh(jobs_spec(jobs)) for jobs in COMPILED)
    compiled = by_turns(
        Measure("compile 20,000 jobs / 2,000", 11),
        rounds,
        lambda: compile_text(small(), "small.yaml"),
        lambda: compile_text(large(), "large.yaml"),
    )
    few, many = (evaluation(jobs) for jobs in EVALUATED)
    evaluated = by_turns(Measure("evaluate in 10,000 jobs / in 10", 1.1), rounds, few, many)
    evaluated.floor = [spent / CALLS for spent in evaluated.floor]
    evaluated.orca = [spent / CALLS for spent in evaluated.orca]
    thousand, ten_thousand = (matrix_spec(variants) for variants in EXPANDED)
    expanded = by_turns(
        Measure("10,000 matrix variants / 1,000", 11),
        rounds,
        lambda: compile_text(thousand, "small.yaml"),
        lambda: compile_text(ten_thousand, "large.yaml"),
    )
    return [validated, compiled, evaluated, expanded], [
        f"'orca validate' of the {VALIDATED:,} jobs as a process: {process:.2f} s"
    ]
