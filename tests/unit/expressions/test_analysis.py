"""What is known of an expression before a run, and what explains it after one."""

import pytest

from orchestrator.expressions import (
    ALIASES,
    KNOWN_CONTEXTS,
    WILDCARD,
    Call,
    Problem,
    Value,
    called_functions,
    check,
    explain,
    has_status_function,
    references,
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("jobs.build.outputs.image", [(("jobs", "build", "outputs", "image"), "jobs.build.outputs.image")]),
        (
            "${{ jobs['build'].outputs[0] }}",
            [(("jobs", "build", "outputs", "0"), "jobs['build'].outputs[0]")],
        ),
        ("Params.X == (env).Y", [(("Params", "X"), "Params.X"), (("env", "Y"), "(env).Y")]),
        ("jobs.*.outputs[*]", [(("jobs", WILDCARD, "outputs", WILDCARD), "jobs.*.outputs[*]")]),
        (
            "jobs[matrix.job].outputs.x || item",
            [
                (("jobs", None, "outputs", "x"), "jobs[matrix.job].outputs.x"),
                (("matrix", "job"), "matrix.job"),
                (("item",), "item"),
            ],
        ),
        ("format('{0}', fromJSON(vars.a)[vars.b].c)", [(("vars", "a"), "vars.a"), (("vars", "b"), "vars.b")]),
        ("!(1 < run.n)", [(("run", "n"), "run.n")]),
        ("'jobs.x'", []),
    ],
)
def test_references(source: str, expected: list[tuple[tuple[str | None, ...], str]]) -> None:
    assert [(found.path, source[found.offset : found.end]) for found in references(source)] == expected


def test_called_functions() -> None:
    source = "${{ always() && Format('{0}', join(vars.x, ',')) }}"
    assert called_functions(source) == (Call("always", 4, 0), Call("Format", 16, 2), Call("join", 30, 2))
    assert [has_status_function(s) for s in (source, "Failure()", "vars.always", "'success()'")] == [
        True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("params.x && needs.a.outputs.b", ()),
        ("1 +", (Problem(2, "Unexpected symbol: '+'", "syntax"),)),
        ('"x"', (Problem(0, "Unexpected symbol: '\"x\"'; a text is written in single quotes", "syntax"),)),
        ("${{ }}", (Problem(0, "An expression was expected", "syntax"),)),
        (
            "parms.x && lowr(1) || join() || case(true, 1)",
            (
                Problem(0, "unknown context 'parms'", "context", "params"),
                Problem(11, "unknown function 'lowr'", "function", "lower"),
                Problem(22, "Too few parameters supplied: 'join'", "arity"),
                Problem(32, "Too few parameters supplied: 'case'", "arity"),
            ),
        ),
        ("startWith('a', 'b')", (Problem(0, "unknown function 'startWith'", "function", "startsWith"),)),
    ],
)
def test_check(source: str, expected: tuple[Problem, ...]) -> None:
    assert check(source) == expected


def test_check_knows_contexts_that_are_not_available_here() -> None:
    assert check("ENV.a || item", contexts=("params", "env")) == (
        Problem(9, "context 'item' is not available here", "context"),
    )


def test_aliases_are_contexts() -> None:
    assert {*ALIASES, *ALIASES.values()} <= set(KNOWN_CONTEXTS)


def test_explain() -> None:
    contexts: dict[str, Value] = {
        "jobs": {"a": {"status": "failed"}},
        "params": {"env": "dev"},
        "matrix": {"x": "a"},
    }
    source = (
        "params.env == 'prod' && (needs.a.status == 'success' || params.env) && jobs[matrix.x].status "
        "&& jobs.*.status && failure() && vars[fromJSON('bad')].x"
    )
    assert explain(source, contexts) == (
        ("params.env", "dev"),
        ("needs.a.status", "failed"),
        ("jobs[matrix.x].status", "failed"),
        ("matrix.x", "a"),
        ("jobs.*.status", ["failed"]),
        ("vars[fromJSON('bad')].x", None),
    )
    assert explain("1 +", contexts) == ()
    assert explain("jobs[fromJSON('bad')]", contexts) == ()
