"""Matrices and lists on their way to a plan: what is expanded, what is left to the run, and commands of variants."""

# Specs stand whole, as people write them.
# ruff: noqa: E501
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.expressions import render, to_text
from orchestrator.plan.model import ContainerNode, Matrix, Strategy, Variant

READS = 'outputs: {all: "${{ toJSON(params) }}"}\n'
"""So that no param is unused."""


def job_of(text: str, *, top: str = "") -> ContainerNode:
    compiled = compile_text(
        f"name: n\n{top}\nparams: {{p: {{}}, m: {{type: object}}}}\njobs:\n  a:\n    image: i\n{text}\n{READS}",
        "t.yaml",
    )
    assert compiled.diagnostics == ()
    return compiled.plan.jobs["a"]


def errors_of(text: str, *, top: str = "") -> list[str]:
    with pytest.raises(SpecError) as caught:
        compile_text(f"name: n\n{top}\nparams: {{p: {{}}}}\njobs:\n  a:\n    image: i\n{text}", "t.yaml")
    found = [str(item).removeprefix("t.yaml:") for item in caught.value.diagnostics]
    return [line for line in found if ": warning[" not in line]


def commands_of(node: ContainerNode, params: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What each variant's shell is given, with the values of its environment put where they are used."""
    result: list[tuple[str, ...]] = []
    for variant in node.variants:
        contexts: dict[str, Any] = {"params": params, "matrix": variant.values, "item": variant.item}
        env = {name: to_text(render(value, {**contexts, "env": {}})) for name, value in node.env.items()}
        own = node.commands if variant.commands is None else variant.commands
        result.append(tuple(_filled(to_text(render(text, {**contexts, "env": env})), env) for text in own))
    return result


def _filled(text: str, env: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(ORCA_VALUE_\d+)\}", lambda found: env[found[1]], text)


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


def test_values_of_variants_alone_stay_in_one_text_for_all() -> None:
    node = job_of(
        """
    env: {E: "$$"}
    matrix: {flag: ["-v --all", "it's"]}
    commands:
      - run ${{ matrix.flag }} ${{ env.E }} ${{ format('{0}!', MATRIX.flag) }}
      - plain
"""
    )
    assert node.commands == ("run ${{ matrix.flag }} $$ ${{ format('{0}!', MATRIX.flag) }}", "plain")
    assert [variant.commands for variant in node.variants] == [None, None]
    assert commands_of(node, {}) == [
        ("run -v --all $$ -v --all!", "plain"),
        ("run it's $$ it's!", "plain"),
    ]


def test_beside_values_of_the_run_one_text_serves_all_variants_where_it_can() -> None:
    node = job_of(
        "    matrix: {v: [3.5, x-y]}\n    commands: ['t ${{ matrix.v }} ${{ params.p }} \"${{ matrix.v }}\"']\n"
    )
    assert node.commands == ('t ${{ matrix.v }} "${ORCA_VALUE_1}" "${{ matrix.v }}"',)
    assert node.env == {"ORCA_VALUE_1": "${{ params.p }}"}
    assert [variant.commands for variant in node.variants] == [None, None]


def test_a_value_that_changes_what_stands_around_it_gets_its_own_text() -> None:
    node = job_of(
        """
    for_each: [plain, "'open"]
    commands: ["echo ${{ item }} ${{ params.p }}'", "echo ${{ params.p }}"]
"""
    )
    # In the first the value stands bare, in the second in the quotes that the item opens.
    assert [variant.commands for variant in node.variants] == [
        ('echo plain "${ORCA_VALUE_1}"\'', 'echo "${ORCA_VALUE_1}"'),
        ("echo 'open '\"${ORCA_VALUE_1}\"''", 'echo "${ORCA_VALUE_1}"'),
    ]


def test_variables_have_the_same_names_in_all_variants_whatever_their_text() -> None:
    # With the second item, the first line begins a here-document: the shell comes by the values in another order.
    node = job_of(
        """
    for_each: ["", "<<E"]
    commands: ["cat ${{ item }} $(echo ${{ params.p }})\\n# ${{ params.m }}\\n${{ git.ref }}\\nE\\n"]
"""
    )
    assert node.env == {
        "ORCA_VALUE_1": "${{ params.p }}",
        "ORCA_VALUE_2": "${{ params.m }}",
        "ORCA_VALUE_3": "${{ git.ref }}",
    }
    for variant in node.variants:
        assert variant.commands is not None
        assert "echo \"${ORCA_VALUE_1}\"" in variant.commands[0]  # fmt: skip
        assert re.search(r'^"?\$\{ORCA_VALUE_3\}"?$', variant.commands[0], re.MULTILINE)


def test_a_value_of_the_run_may_be_made_of_the_variants_own() -> None:
    node = job_of(
        "    matrix: {v: [1, 2]}\n    commands: [\"echo ${{ format('{0}-{1}', params.p, matrix.v) }}\"]\n"
    )
    assert commands_of(node, {"p": "x"}) == [('echo "x-1"',), ('echo "x-2"',)]


@pytest.mark.parametrize(
    "commands",
    [
        "['echo ${{ item }}']",
        "['echo ${{ params.p }} ${{ item }}']",
        "['${{ params.p }}${{ item }}']",
        "[\"echo ${{ '$' }}{{ params.p }} ${{ item }}\"]",
        "[\"echo ${{ params.p }} ${{ '$' }}{{ params.p }} ${{ item }}\"]",
        "[\"echo ${{ '$' }}{{ params.p }}\"]",
    ],
)
def test_a_constant_that_looks_like_an_expression_is_not_evaluated_again(commands: str) -> None:
    node = job_of(
        f"""
    for_each: ["${{{{ '$' }}}}{{{{ params.p }}}}", "${{{{ format('{{0}}{{1}}', '$', '{{{{') }}}}", "$"]
    commands: {commands}
"""
    )
    found = " ".join(text for texts in commands_of(node, {"p": "SECRET"}) for text in texts)
    written = re.sub(r'"SECRET"', "", found)  # as the variable of a value that does wait for the run
    assert "SECRET" not in written
    assert "${{ params.p }}" in written


def test_constants_are_allowed_where_quotes_cannot_make_values_safe() -> None:
    node = job_of(
        "    shell: python\n    for_each: {a: 1, b: 2}\n    commands: ['print(${{ item.value }})']\n"
    )
    assert commands_of(node, {}) == [("print(1)",), ("print(2)",)]
    text = "    shell: python\n    for_each: [1]\n    commands: ['print(${{ item }}, ${{ params.p }})']\n"
    assert [line.split("cannot be passed")[0] for line in errors_of(text)] == [
        "9:36: error[E209]: command 1 of job 'a': '${{ params.p }}' "
    ]


def test_values_known_only_in_a_run_are_variables() -> None:
    node = job_of(
        "    matrix: {v: '${{ fromJSON(params.p) }}', w: [1]}\n    commands: ['echo ${{ matrix.v }} ${{ matrix.w }}']\n"
    )
    assert node.commands == ('echo "${ORCA_VALUE_1}" "${ORCA_VALUE_2}"',)
    assert node.env == {"ORCA_VALUE_1": "${{ matrix.v }}", "ORCA_VALUE_2": "${{ matrix.w }}"}


def test_an_expression_that_fails_for_one_variant_is_found_and_says_for_which() -> None:
    found = errors_of("    for_each: ['1', '{']\n    commands: ['echo ${{ fromJSON(item) }}']\n")
    assert len(found) == 1
    assert found[0].startswith("8:15: error[E210]: a constant expression in 'commands' of job 'a' fails: ")
    assert found[0].endswith("(in variant '{')")


def test_one_that_cannot_be_safe_in_some_variant_says_so() -> None:
    found = errors_of("    for_each: [echo, eval]\n    commands: ['${{ item }} ${{ params.p }}']\n")
    assert [line.split(": '$")[0] for line in found] == [
        "8:29: error[E209]: command 1 of job 'a' (in variant 'eval')"
    ]


def test_256_variants_of_a_long_script_take_little_more_than_one() -> None:
    script = "\n".join(f"      echo step {number} \"$HOME\" 'quoted' $(date)" for number in range(300))
    text = (
        "    matrix: {v: '${{ range(0, %d) }}'}\n    commands:\n    - |\n%s\n      echo ${{ params.p }}\n"
        '    - echo ${{ matrix.v }} "${{ params.p }}"\n'
    )

    def seconds(count: int) -> float:
        before = time.perf_counter()
        job_of(text % (count, script))
        return time.perf_counter() - before

    seconds(1)
    one = min(seconds(1) for _ in range(3))
    assert seconds(256) < 20 * one + 0.5


WORDS = st.text("ab'\"$ \\`|;#()-<{}", max_size=6).filter(lambda text: "${{" not in text)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(WORDS, min_size=1, max_size=3, unique=True))
def test_a_bound_command_is_what_binding_each_variant_alone_gives(values: list[str]) -> None:
    command = "'printf %s \"${{ item }}\" ${{ params.p }}'"
    for_all = plan_or_errors(f"for_each: [{', '.join(map(quoted, values))}], commands: [{command}]")
    alone = [
        plan_or_errors(f"env: {{ITEM: {quoted(value)}}}, commands: [{command.replace('item', 'env.ITEM')}]")
        for value in values
    ]
    if isinstance(for_all, list):
        assert any(isinstance(one, list) for one in alone)
        return
    for variant, one in zip(for_all.variants, alone, strict=True):
        assert isinstance(one, ContainerNode)
        own = for_all.commands if variant.commands is None else variant.commands
        assert [render(text, {"item": variant.item}) for text in own] == [
            render(text, {}) for text in one.commands
        ]


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def plan_or_errors(job: str) -> ContainerNode | list[str]:
    try:
        return compile_text(
            f"name: n\nparams: {{p: {{}}}}\njobs: {{a: {{image: i, {job}}}}}", "t.yaml"
        ).plan.jobs["a"]
    except SpecError as error:
        return [str(item) for item in error.diagnostics]
