"""Large specs: linear work, counted in steps and not in seconds, and no recursion."""

import math
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from orchestrator.compile import compile_text
from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.components import components


def chain(number: int) -> str:
    jobs = ["  j0: {image: i}\n"]
    jobs += [
        f"  j{n}: {{image: i, requires: [j{n - 1}], env: {{X: '${{{{ jobs.j{n // 2}.status }}}}'}}}}\n"
        for n in range(1, number)
    ]
    return "name: n\njobs:\n" + "".join(jobs)


def fan(number: int) -> str:
    jobs = [f"  j{n}: {{image: i, parallel_with: [j{max(n - 1, 0)}]}}\n" for n in range(1, number)]
    every = ", ".join(f"j{n}" for n in range(number))
    return (
        "name: n\njobs:\n  j0: {image: i}\n" + "".join(jobs) + f"  end: {{image: i, requires: [{every}]}}\n"
    )


def dense(number: int) -> str:
    """Jobs that require all before them, ten times `number` edges."""
    jobs = range(math.isqrt(20 * number))
    return "name: n\ndefaults: {image: i}\njobs:\n" + "".join(
        f"  j{n}: {{requires: [{', '.join(f'j{m}' for m in range(n))}]}}\n" for n in jobs
    )


def layers(number: int) -> str:
    """Layers that require all of the one before, ten times `number` edges, none of them needless."""
    width = math.isqrt(10 * number // 4)
    return "name: n\ndefaults: {image: i}\njobs:\n" + "".join(
        f"  j{layer}-{n}: {{requires: [{', '.join(f'j{layer - 1}-{m}' for m in range(width if layer else 0))}]}}\n"
        for layer in range(5)
        for n in range(width)
    )


def started(number: int) -> str:
    """A chain of transitions, beside choices, in which every job publishes."""
    jobs = [
        f"  j{n}: {{image: i, on_success: [j{n + 1}], on_failure: [j{n + 1}], publish: {{v: 1}}}}\n"
        for n in range(number - 1)
    ]
    jobs.append(f"  j{number - 1}: {{choice: [{{when: run.id, then: left}}, {{default: right}}]}}\n")
    ends = "  left: {image: i, publish: {w: 1}}\n  right: {image: i, publish: {w: 1}}\n"
    reads = "outputs: {v: '${{ vars.v }}', w: '${{ vars.w }}'}\n"
    return "name: n\nvars: {v: 0, w: 0}\njobs:\n" + "".join(jobs) + ends + reads


def variants(number: int) -> str:
    return (
        "name: n\nmax_variants: 10000\nparams: {p: {}}\njobs:\n  a:\n    image: i:${{ matrix.a }}\n"
        f"    name: v ${{{{ matrix.a }}}} ${{{{ matrix.b }}}}\n    matrix: {{a: '${{{{ range(0, {number // 20}) }}}}', "
        "b: '${{ range(0, 20) }}', include: [{a: 1, c: 2}], exclude: [{a: 2}]}\n"
        "    commands: ['echo ${{ matrix.a }} ${{ matrix.c }} ${{ params.p }}']\n"
    )


def calls_of(work: Callable[[], object]) -> int:
    count = 0

    def profile(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", [chain, fan, dense, layers, started, variants])
def test_twice_the_jobs_are_twice_the_steps(shape: Callable[[int], str]) -> None:
    small, large = shape(400), shape(800)
    for text in (small, large):
        compile_text(text, "warm.yaml")
    one = calls_of(lambda: compile_text(small, "s.yaml"))
    two = calls_of(lambda: compile_text(large, "l.yaml"))
    assert two < 2.2 * one


def test_a_chain_of_20_000_jobs() -> None:
    plan = compile_text(chain(20_000), "t.yaml").plan
    names = tuple(f"j{number}" for number in range(20_000))
    assert (plan.order, plan.critical_path, len(plan.levels)) == (names, names, 20_000)


def test_more_pairs_than_one_set_of_bits_holds() -> None:
    number = 10_000
    order = [f"j{n}" for n in range(number)]
    waits_for = {name: ([order[n - 2]] if n > 1 else []) for n, name in enumerate(order)}
    pairs = [(order[n], order[n // 2]) for n in range(number)]
    expected = {(order[n], order[n // 2]) for n in range(1, number) if (n - n // 2) % 2 == 0}
    assert ancestor_pairs(order, waits_for, pairs) == expected


def test_components_come_after_what_they_lead_to() -> None:
    links = {"a": ["b"], "b": ["c", "d"], "c": ["b"], "d": ["e"], "e": [], "f": ["f"]}
    assert [sorted(group) for group in components(links)] == [["e"], ["d"], ["b", "c"], ["a"], ["f"]]
