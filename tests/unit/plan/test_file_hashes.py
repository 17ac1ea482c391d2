"""What replayed code knows of `hashFiles`: the hashes that came with the run, and nothing else."""

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.expressions import evaluate
from orchestrator.plan.file_hashes import calls_of, known_hashes
from tests.support.plans import job, plan


def test_a_hash_is_looked_up_by_its_patterns() -> None:
    functions = known_hashes({"a\n!b": "12", "5": ""})
    assert evaluate("hashFiles('a', '!b')", {}, functions=functions) == "12"
    assert evaluate("hashFiles(format('{0}', 'a'), '!b')", {}, functions=functions) == "12"
    assert evaluate("hashFiles(5)", {}, functions=functions) == ""


def test_one_that_did_not_come_is_an_error_in_words() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("hashFiles('a', 'c')", {}, functions=known_hashes({"a": "12"}))
    assert str(caught.value) == "hashFiles('a', 'c') was not computed when the run was submitted"


def test_a_plan_whose_patterns_only_a_run_knows_is_refused() -> None:
    with pytest.raises(ExpressionError, match="known only when it runs"):
        calls_of(plan(job("a", env={"N": "${{ hashFiles(params.x) }}"})))


def test_what_is_only_shown_is_no_call() -> None:
    shown = job("a", commands=("echo hashFiles(x)",), titles=("echo ${{ hashFiles('b') }}",))
    assert calls_of(plan(shown)) == ()
