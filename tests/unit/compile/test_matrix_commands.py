"""Commands of variants: what of their values is text, and what a variable."""

# Specs stand whole, as people write them.
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
from orchestrator.plan.model import ContainerNode
from tests.support.nodes import container
from tests.support.one_job import errors_of, job_of


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
        compiled = compile_text(f"name: n\nparams: {{p: {{}}}}\njobs: {{a: {{image: i, {job}}}}}", "t.yaml")
        return container(compiled.plan, "a")
    except SpecError as error:
        return [str(item) for item in error.diagnostics]
