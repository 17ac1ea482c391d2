"""Matrices and lists on their way to a plan: what is expanded, and what is left to the run."""

# Specs stand whole, as people write them.
# ruff: noqa: E501
import json

import pytest

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.plan.model import Matrix, Strategy, Variant
from tests.support.one_job import errors_of, job_of


def test_what_is_known_is_expanded_when_compiling() -> None:
    node = job_of(
        """
    name: Test on ${{ matrix.os }}
    matrix:
      os: [linux, "${{ format('{0}-{1}', 'mac', 14) }}"]
      level: ${{ range(1, 3) }}
      exclude: [{os: linux, level: 2}]
      max_parallel: 3
    include: [{os: linux, note: inner}]
    exclude: [{os: MAC-14, level: 1}]
    fail_fast: false
"""
    )
    assert node.strategy == Strategy(max_parallel=3, fail_fast=False)
    assert node.title == "Test on ${{ matrix.os }}"
    assert node.variants == (
        Variant(name="Test on linux", values={"os": "linux", "level": 1, "note": "inner"}),
        Variant(name="Test on mac-14", values={"os": "mac-14", "level": 2}),
    )


def test_numbers_booleans_and_parts_keep_their_types() -> None:
    node = job_of("    matrix: {v: [1, 2.5, true, null, [1], {a: b}, '1']}\n")
    assert [(type(v.values["v"]), v.values["v"]) for v in node.variants] == [
        (int, 1), (float, 2.5), (bool, True), (type(None), None), (list, [1]), (dict, {"a": "b"}), (str, "1"),
    ]  # fmt: skip


def test_what_only_a_run_knows_stays_a_template() -> None:
    node = job_of(
        """
    name: on ${{ matrix.os }}
    matrix:
      os: [linux, "${{ params.p }}"]
      level: ${{ range(1, 3) }}
      include: [{os: linux, note: inner}]
    include: [{note: "${{ params.p }}"}]
    exclude: ${{ fromJSON(params.p) }}
    max_parallel: 1
""",
        top="max_variants: 9",
    )
    assert node.variants == ()
    assert node.strategy == Strategy(
        matrix=Matrix(
            axes={"os": ["linux", "${{ params.p }}"], "level": "${{ range(1, 3) }}"},
            include=({"os": "linux", "note": "inner"}, {"note": "${{ params.p }}"}),
            exclude="${{ fromJSON(params.p) }}",
        ),
        max_parallel=1,
        max_variants=9,
    )


@pytest.mark.parametrize(
    ("text", "strategy", "names"),
    [
        ("for_each: [a, 2]", Strategy(), ["a", "2"]),
        ("for_each: {x: 1}, batch_size: 2, max_parallel: 3", Strategy(batch_size=2, max_parallel=3), ["x"]),
        ("for_each: '${{ range(0, 2) }}'", Strategy(), ["0", "1"]),
        ("for_each: '${{ params.m }}'", Strategy(items="${{ params.m }}"), []),
        ("for_each: [a, '${{ params.p }}']", Strategy(items=["a", "${{ params.p }}"]), []),
        ("matrix: '${{ params.m }}', include: [{a: 1}]", Strategy(matrix=Matrix(axes="${{ params.m }}", include=({"a": 1},))), []),
        ("matrix: '${{ fromJSON(''{\"a\": [1]}'') }}', include: [{b: 1}]", Strategy(), ["1"]),
    ],
)  # fmt: skip
def test_lists_and_whole_expressions(text: str, strategy: Strategy, names: list[str]) -> None:
    compiled = compile_text(
        f"name: n\nparams: {{p: {{}}, m: {{type: object}}}}\njobs: {{a: {{image: i, {text}}}}}", "t.yaml"
    )
    node = compiled.plan.jobs["a"]
    assert (node.strategy, [variant.name for variant in node.variants]) == (strategy, names)


def test_variants_count_in_the_estimate_and_unknown_ones_as_one() -> None:
    def estimate(text: str) -> int:
        spec = f"name: n\nparams: {{m: {{type: object}}}}\njobs: {{a: {{image: i{text}}}}}"
        return compile_text(spec, "t.yaml").plan.estimated_events

    assert estimate("") == estimate(", for_each: '${{ params.m }}'") == 8 + 6
    assert estimate(", matrix: {a: [1, 2], b: [1, 2, 3]}") == 8 + 6 * 6


@pytest.mark.parametrize(
    ("key", "entries", "left"),
    [
        ("include", [{"a": n, "c": n} for n in range(98)], 9900),
        ("exclude", [{"a": n, "b": n} for n in range(99)], 9801),
        ("exclude", [{"a": n, "b": m} for n in range(100) for m in range(90)], 900),
    ],
)
def test_all_variants_that_a_spec_asks_for_can_be_had_beside_many_filters(
    key: str, entries: list[dict[str, int]], left: int
) -> None:
    matrix = {"a": list(range(100)), "b": list(range(99)), key: entries}
    spec = {"name": "n", "max_variants": 10_000, "jobs": {"a": {"image": "i", "matrix": matrix}}}
    assert len(compile_text(json.dumps(spec), "t.yaml").plan.jobs["a"].variants) == left


def test_the_variants_of_all_jobs_together_are_bounded() -> None:
    jobs = "".join(
        f"  j{number}: {{image: i, for_each: '${{{{ range(0, 9000) }}}}'}}\n" for number in range(9)
    )
    with pytest.raises(SpecError) as caught:
        compile_text(f"name: n\nmax_variants: 10000\njobs:\n{jobs}", "t.yaml")
    assert [str(item) for item in caught.value.diagnostics] == [
        "t.yaml:8:18: error[E116]: job 'j4': the matrices and lists of this spec together have more variants and combinations than can be looked through; split the workflow"
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("    matrix:\n      a: [1]\n      exclude:\n        - a: 1\n        - b: 1\n", "11:11"),
        ("    matrix:\n      a: [1]\n    exclude:\n      - a: 1\n      - b: 1\n", "11:9"),
        ("    matrix:\n      a: [1]\n      exclude:\n        - a: 2\n    exclude:\n      - b: 1\n", "12:9"),
        ("    matrix:\n      a: ${{ params.p }}\n      exclude: [{a: 1}]\n    exclude: [{a: 2}, {b: 1}]\n", "10:24"),
        ("    matrix:\n      exclude: ${{ fromJSON('[{\"b\":1}]') }}\n      a: [1]\n", "8:7"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_stands_inside_the_matrix_or_beside_it(text: str, place: str) -> None:
    found = errors_of(text)
    assert [line.split(": ")[0:2] for line in found] == [[place, "error[E115]"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("matrix: {a: ['${{ jobs.b.outputs.x }}']}", "reads job 'b', but does not wait for it"),
        ("for_each: '${{ jobs.b.outputs.x }}'", "reads job 'b', but does not wait for it"),
        ("matrix: {a: [1], include: [{b: {c: ['${{ params.q }}']}}]}", "param 'q' is not declared"),
        ("matrix: {a: [1]}, exclude: [{a: '${{ nope.x }}'}]", "unknown context 'nope'"),
        ("matrix: {a: ['${{ success() }}']}", "'success()' has no meaning"),
    ],
)
def test_expressions_of_a_matrix_are_checked_like_others(text: str, message: str) -> None:
    spec = f"name: n\nparams: {{p: {{}}}}\njobs: {{b: {{image: i}}, a: {{image: i, {text}}}}}"
    with pytest.raises(SpecError) as caught:
        compile_text(spec, "t.yaml")
    assert any(message in str(item) for item in caught.value.diagnostics)


@pytest.mark.parametrize(
    ("reads", "warning"),
    [
        ("jobs.b.matrix[*].outputs.x", None),
        ("jobs.b.matrix[0].name", None),
        ("jobs.b.matrix.*.exit_code", None),
        ("length(jobs.b.matrix)", None),
        ("jobs.b.summary", None),
        ("jobs.b.outputs.x", None),
        ("jobs.b.matrix[*].outputs.y", "job 'b' does not list 'y' among its 'outputs'"),
        ("jobs.b.matrix[*].stauts", "a variant of job 'b' has no 'stauts'; did you mean 'status'?"),
        ("jobs.b.matrix.os", "'jobs.b.matrix' lists the variants and has no 'os'; 'jobs.b.matrix[*].os' reads it of all of them"),
        ("jobs.c.matrix[*].name", "job 'c' has neither 'matrix' nor 'for_each', so 'jobs.c.matrix' is empty"),
        ("jobs.b.matrix[1].name", None),
        ("jobs.b.matrix[1.5].name", None),
        ("jobs.d.matrix[7].name", None),
        ("jobs.b.matrix[2].name", "'jobs.b.matrix' has no entry 2: job 'b' has 2 variants, and the first is number 0"),
        ("jobs.b.matrix['7']", "'jobs.b.matrix' has no entry 7: job 'b' has 2 variants, and the first is number 0"),
        ("jobs.b.matrix[-1].name", "'jobs.b.matrix' has no entry -1: job 'b' has 2 variants, and the first is number 0"),
        ("jobs.b.matrx", "a job has no 'matrx'; did you mean 'matrix'?"),
    ],
)  # fmt: skip
def test_what_is_read_of_the_variants_of_another_job(reads: str, warning: str | None) -> None:
    found = compile_text(
        "name: n\njobs:\n  b: {image: i, matrix: {os: [x, y]}, outputs: [x]}\n  c: {image: i}\n"
        "  d: {image: i, for_each: '${{ fromJSON(jobs.c.outputs.x) }}', requires: [c]}\n"
        f"  a: {{image: i, after: [b, c, d], env: {{A: \"${{{{ {reads} }}}}\"}}}}\n",
        "t.yaml",
    ).diagnostics  # fmt: skip
    assert [str(item).split("warning[W104]: ")[1] for item in found] == ([] if warning is None else [warning])


# --- commands ---
