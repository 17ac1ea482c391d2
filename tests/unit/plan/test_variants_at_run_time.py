"""Matrices and lists that are known only when their job starts: evaluated, then expanded by the same rules."""

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.expressions import render
from orchestrator.plan.model import Matrix, Strategy
from orchestrator.plan.parts import Json
from orchestrator.plan.variants import VariantsError, expand


def test_templates_are_evaluated_wherever_they_stand_and_keep_their_types() -> None:
    strategy = Strategy(
        matrix=Matrix(
            axes={"v": "${{ params.versions }}", "os": ["a", "${{ params.os }}-x", {"deep": ["${{ params.n }}"]}]},
            include=("${{ params.entry }}", {"v": 2, "note": "${{ params.n }}"}),
            exclude="${{ params.none }}",
        )
    )  # fmt: skip
    params = {"versions": [1, 2], "os": "b", "n": 7, "entry": {"all": True}, "none": None}
    found = expand(strategy, lambda template: render(template, {"params": params}))
    assert [variant.values for variant in found] == [
        {"v": v, "os": os, "all": True, **({"note": 7} if v == 2 else {})}
        for v in (1, 2)
        for os in ("a", "b-x", {"deep": [7]})
    ]


def test_entries_beside_a_matrix_that_an_expression_gives_come_after_its_own() -> None:
    whole = {"a": [1, 2], "include": [{"x": "inner"}], "exclude": [{"a": 1}]}
    strategy = Strategy(matrix=Matrix(axes="${{ params.m }}", include=({"x": "outer"}, {"a": 9})))
    found = expand(strategy, lambda template: render(template, {"params": {"m": whole}}))
    assert [variant.values for variant in found] == [{"a": 2, "x": "outer"}, {"a": 9}]


@pytest.mark.parametrize("value", [None, 3, "text", [1]])
def test_a_matrix_that_an_expression_gives_must_be_a_mapping(value: Json) -> None:
    strategy = Strategy(matrix=Matrix(axes="${{ params.m }}"))
    with pytest.raises(VariantsError, match="a matrix must be a mapping of axes to their values, not"):
        expand(strategy, lambda template: render(template, {"params": {"m": value}}))


def test_a_list_that_an_expression_gives_is_bounded_by_the_strategy() -> None:
    strategy = Strategy(items="${{ range(0, 5) }}", max_variants=4)
    with pytest.raises(VariantsError, match="there are 5 variants, and this spec allows 4"):
        expand(strategy, lambda template: render(template, {}))


def test_an_expression_that_fails_is_said_as_it_is() -> None:
    with pytest.raises(ExpressionError):
        expand(Strategy(items="${{ fromJSON('[') }}"), lambda template: render(template, {}))
