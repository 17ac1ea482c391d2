"""Warnings about what a spec hardly means: what is told, and above all what is not."""

from pathlib import Path
from typing import Any, get_args

import pytest

from orchestrator.client.git import git_context
from orchestrator.compile import compile_text
from orchestrator.compile.expression_checks import GIT_KEYS
from orchestrator.compile.spare import MAX_NEEDLESS
from orchestrator.errors import SpecError
from orchestrator.spec.diagnostics import Diagnostic

PARAMS = """
  flag: {type: boolean, default: false}
  count: {type: integer, required: true}
  list: {type: array, default: []}
  target: {enum: [dev, Prod], default: dev}
  level: {type: integer, enum: [1, 2]}
  text: {}
"""


def warnings_of(text: str) -> list[Diagnostic]:
    try:
        found = compile_text(text, "t.yaml").diagnostics
    except SpecError as error:
        found = error.diagnostics
    return [item for item in found if isinstance(item, Diagnostic)]


def told(jobs: str, *, params: str = "") -> list[str]:
    """`code word: message` of each finding; the word is what the caret spans."""
    lines = "".join(f"  {line}\n" for line in jobs.strip().splitlines())
    text = f"name: n\n{f'params:{params}' if params else ''}defaults: {{image: i}}\njobs:\n{lines}"
    return [
        f"{item.code} {item.source_line[item.column - 1 : (item.end or item.column + 1) - 1]}"
        for item in warnings_of(text)
    ]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("if: true", ["W105 true"]),
        ("unless: false", ["W105 false"]),
        ("if: ${{ 1 == 1 }}", ["W105 ${{ 1 == 1 }}"]),
        ("if: git.ref == 'a' || 'b'", ["W105 'b'"]),
        ("if: ${{ git.ref == 'a' || 'b' }}", ["W105 'b'"]),
        ("if: git.ref || !'' || run.id", ["W105 ''"]),
        ("if: always() || true", ["W105 true"]),
        ("if: git.ref == 'a' || contains('abc', 'B')", ["W105 contains('abc', 'B')"]),
        ("unless: git.ref && false", ["W105 false"]),
        ("if: false", ["W102 false"]),
        ("if: git.ref && null", ["W102 null"]),
        ("unless: git.ref || 1", ["W102 1"]),
        ("if: git.ref == 'a' || git.ref == 'b'", []),
        ("if: git.ref && 'b'", []),
        ("if: git.ref || ''", []),
        ("if: always()", ["W105 always()"]),
        ("if: ${{ !cancelled() }}", ["W105 cancelled()"]),
        ("if: hashFiles('x') == ''", ["E213 hashFiles"]),
        ("if: ${{ true }} && git.ref", ["E207 ${{ true }} && git.ref"]),
        ("if: true ||", ["E201 ||"]),
        ("if: fromJSON('{') || git.ref", []),
    ],
)
def test_conditions_that_decide_nothing(condition: str, expected: list[str]) -> None:
    assert told(f"a:\n  {condition}") == expected


def test_a_condition_that_is_decided_says_by_what() -> None:
    (one,) = warnings_of("name: n\njobs: {a: {image: i, if: \"git.ref == 'a' || 'b'\"}}")
    assert one.message == (
        "'if' of job 'a' is always true because of 'b', as any text counts as true; compare it with something"
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("jobs.a.result == 'failed'", ["W109 'failed'"]),
        ("'SUCCESS' == jobs.a.result", []),
        ("needs.a.Result != 'succeeded'", ["W109 'succeeded'"]),
        ("jobs.a.status == 'failure'", ["W109 'failure'"]),
        ("jobs.a.status == 'failed'", []),
        ("jobs['a'].status == 'running'", ["W109 'running'"]),
        ("run.status == 'partial'", []),
        ("run.status == 'done'", ["W109 'done'"]),
        ("jobs.a.outputs.status == 'done'", []),
        ("jobs.a.exit_code == '137'", []),
        ("jobs.a.exit_code == 'one'", ["W109 'one'"]),
        ("params.flag == 'true'", ["W109 'true'"]),
        ("params.flag == true", []),
        ("params.flag == 1 || params.flag == '1' || params.flag == ''", []),
        ("params.count == 'many'", ["W109 'many'"]),
        ("params.count == '0x10' || params.count == 3 || params.count == null", []),
        ("params.list == ''", ["W109 ''"]),
        ("params.list != null", ["W109 null"]),
        ("params.target == 'production'", ["W109 'production'"]),
        ("inputs.TARGET == 'prod' || params.target == 'DEV'", []),
        ("params.level == 3", ["W109 3"]),
        ("params.level == '2' || params.level == null", []),
        ("params.text == 'anything'", []),
        ("contains(git.ref, 'x') == 'true'", ["W109 'true'"]),
        ("(git.ref == 'a') == 'yes'", ["W109 'yes'"]),
        ("!git.ref == 'yes'", ["W109 'yes'"]),
        ("jobs.a.result < 'failed'", []),
        ("jobs.a.result == jobs.a.outputs.x", []),
        ("jobs.b.status == 'failure'", ["E203 jobs.b.status", "W109 'failure'"]),
        ("'a' == 'b' || git.ref", []),
    ],
)
def test_comparisons_that_come_out_the_same(expression: str, expected: list[str]) -> None:
    jobs = f'a: {{}}\nb: {{requires: [{{job: a, condition: always}}], if: "{expression}"}}'
    assert [line for line in told(jobs, params=PARAMS) if not line.startswith("W106")] == expected


@pytest.mark.parametrize(
    ("expression", "message", "suggestion"),
    [
        (
            "jobs.a.result == 'failed'",
            "`jobs.a.result` is 'success', 'failure', 'cancelled' or 'skipped' and never 'failed', so the comparison "
            "is always false",
            "failure",
        ),
        (
            "params.flag != 'true'",
            "`params.flag` is true or false and never 'true', so the comparison is always true; "
            "write true without quotes",
            None,
        ),
    ],
)
def test_a_comparison_says_what_there_is(expression: str, message: str, suggestion: str | None) -> None:
    text = (
        "name: n\nparams: {flag: {type: boolean, default: true}}\njobs:\n  a: {image: i}\n"
        f'  b: {{image: i, after: [a], env: {{X: "${{{{ {expression} }}}} ${{{{ params.flag }}}}"}}}}\n'
    )
    (one,) = warnings_of(text)
    assert (one.code, one.message, one.suggestion) == ("W109", message, suggestion)


def test_a_job_that_reads_itself_has_not_ended() -> None:
    assert told("a: {outputs: {x: \"${{ jobs.a.status == 'running' }}\"}}") == []


@pytest.mark.parametrize(
    ("reader", "unused"),
    [
        ("", ["p", "Q"]),
        ("env: {X: '${{ params.p }}'}", ["Q"]),
        ("env: {X: '${{ INPUTS.P }} ${{ params[''q''] }}'}", []),
        ("if: params.q", ["p"]),
        ("commands: ['echo ${{ toJSON(params) }}']", []),
        ("commands: ['echo ${{ params[git.ref] }}']", []),
        ("commands: ['echo ${{ join(params.*) }}']", []),
        ("commands: ['echo $p params.p']", ["p", "Q"]),
        ("for_each: '${{ fromJSON(params.q) }}'", ["p"]),
        # Beside errors: what cannot be read, or is not where it should be, may be what reads a param.
        ("env: {X: '${{ params.nothing }}'}", ["p", "Q"]),
        ("requires: [nobody]", ["p", "Q"]),
        ("env: {X: '${{ params.p == }}'}", ["Q"]),
        ("iff: inputs.Q == 1", ["p"]),
        ("iff: contains(params, 1)", []),
        ("env: {X: '${{ params.qq }} ${{ nobody }}'}", ["p"]),
    ],
)
def test_params_that_nothing_reads(reader: str, unused: list[str]) -> None:
    found = warnings_of(f"name: n\nparams: {{p: {{}}, Q: {{}}}}\njobs: {{a: {{image: i, {reader}}}}}")
    assert [item.message.split("'")[1] for item in found if item.code == "W106"] == unused


def test_params_are_read_in_every_part_of_a_spec() -> None:
    text = """
name: n
params: {a: {}, b: {}, c: {}, d: {}, e: {}}
env: {A: "${{ params.a }}"}
defaults: {image: "i:${{ params.b }}"}
jobs:
  one: {outputs: {x: "${{ params.c }}"}, artifacts: ["${{ params.d }}"]}
outputs: {y: "${{ params.e }}"}
"""
    assert warnings_of(text) == []


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("requires: [a, a]", ["W108 a"]),
        ("requires: [a, {job: a, condition: success}]", ["W108 a"]),
        ("requires: [a], after: [a, b]", ["W108 a"]),
        ("after: [b, b, b]", ["W108 b", "W108 b"]),
        ("parallel_with: [b, b]", ["W108 b"]),
        ("requires: [a], artifacts_from: [a]", ["W108 a"]),
        ("after: [a, b], artifacts_from: [a, b, a]", ["W108 a"]),
        ("requires: [a], after: [b], artifacts_from: [b]", []),
        ("requires: [a], parallel_with: [b]", []),
    ],
)
def test_jobs_that_are_named_twice(job: str, expected: list[str]) -> None:
    assert told(f"a: {{artifacts: [x]}}\nb: {{artifacts: [x]}}\nc: {{{job}}}") == expected


CHAIN = "a: {}\nb: {requires: [a]}\n"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        # Nothing to ask.
        ("if: success()", ["W105 success()"]),
        ("if: success() || git.ref", ["W105 success()"]),
        ("if: success() && git.ref", []),
        ("if: failure()", ["W102 failure()"]),
        ("if: git.ref && FAILURE()", ["W102 FAILURE()"]),
        ("if: failure() || git.ref", []),
        ('if: "!failure()"', ["W105 failure()"]),
        ("if: cancelled()", ["W102 cancelled()"]),
        ("unless: success()", ["W102 success()"]),
        ("unless: failure()", ["W105 failure()"]),
        ("unless: always()", ["W102 always()"]),
        ("unless: always() && git.ref", []),
        # Something to ask.
        ("requires: [a], if: success()", []),
        ("requires: [a], if: failure()", []),
        ("requires: [a], if: always()", []),
        ('requires: [a], if: "!cancelled()"', []),
        ("after: [a], if: failure()", []),
        ("parallel_with: [b], if: failure()", ["W102 failure()"]),
        ("on_complete: always, if: success()", []),
        ("on_complete: always, if: failure()", []),
        ("on_complete: always, if: cancelled()", []),
        ("requires: [a], unless: success()", []),
        # Asked only when the answer is known.
        ("requires: [a], if: cancelled()", ["W102 cancelled()"]),
        ("requires: [a], unless: always()", ["W102 always()"]),
        ("on_complete: always, unless: always()", ["W102 always()"]),
        ("requires: [{job: a, condition: success}], if: failure()", ["W102 failure()"]),
        ("requires: [{job: a, condition: success}], unless: success()", ["W102 success()"]),
        ("requires: [{job: a, condition: failure}], if: failure()", []),
        ("requires: [{job: a, condition: success}, b], if: failure()", []),
        # What is wrong elsewhere may be what is asked.
        ("requires: [nobody], if: failure()", ["E103 nobody"]),
        ("require: [a], if: failure()", ["E101 require"]),
        ("if: failure(1)", ["E205 failure"]),
    ],
)
def test_status_functions_that_can_say_only_one_thing(job: str, expected: list[str]) -> None:
    assert told(f"{CHAIN}c: {{{job}}}") == expected


def test_a_status_function_that_can_say_only_one_thing_says_why() -> None:
    found = warnings_of(
        "name: n\ndefaults: {image: i}\njobs:\n  a: {if: failure()}\n  b: {if: success()}\n"
        "  c: {requires: [a], if: cancelled()}\n  d: {requires: [{job: a, condition: success}], if: failure()}\n"
    )
    assert [item.message for item in found] == [
        "'if' of job 'a' is always false because of `failure()`, as the job requires none whose end it could ask; "
        "the job will always be skipped",
        "'if' of job 'b' is always true because of `success()`, as the job requires none whose end it could ask; "
        "remove it",
        "'if' of job 'c' is always false because of `cancelled()`, as no normal job starts once the run is cancelled; "
        "a job that shall run then needs 'on_complete: always' and no 'requires'; the job will always be skipped",
        "'if' of job 'd' is always false because of `failure()`, as the job starts only if none of those that it "
        "requires failed; the job will always be skipped",
    ]


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        (CHAIN + "c: {requires: [a, b]}", ["W107 a"]),
        (CHAIN + "c: {requires: [b], after: [a]}", ["W107 a"]),
        (CHAIN + "c: {requires: [b]}\nd: {requires: [c, a]}", ["W107 a"]),
        ("a: {}\nb: {requires: [{job: a, condition: success}, {job: a, condition: always}]}", ["W107 a"]),
        (
            "a: {if: git.ref}\nb: {requires: [{job: a, condition: skipped}]}\nc: {requires: [a, b]}",
            ["W107 a"],
        ),
        # An `always` on the way tells nothing of what is before it: it may have been omitted at once.
        ("a: {}\nb: {after: [a]}\nc: {requires: [a, b]}", []),
        ("a: {}\nb: {after: [a]}\nc: {requires: [b], after: [a]}", ["W107 a"]),
        (CHAIN + "c: {requires: [a], after: [b]}", []),
        (CHAIN + "c: {after: [a, b]}", []),
        (CHAIN + "c: {requires: [{job: a, condition: failure}, b]}", []),
        # What else an edge does.
        ("a: {artifacts: [x]}\nb: {requires: [a]}\nc: {requires: [a, b]}", []),
        ("a: {artifacts: [x]}\nb: {requires: [a]}\nc: {requires: [b], after: [a]}", ["W107 a"]),
        (CHAIN + "c: {requires: [a, b], if: success()}", []),
        (CHAIN + "c: {requires: [a, b], unless: failure()}", []),
        (CHAIN + "c: {requires: [a, b], on_complete: failure}", []),
        (CHAIN + "c: {requires: [a, b]}\nd: {parallel_with: [c]}", []),
        (CHAIN + "c: {requires: [a, b], parallel_with: [d]}\nd: {}", []),
        (CHAIN + "c: {requires: [a, b], env: {X: '${{ jobs.A.status }}'}}", []),
        (CHAIN + "c: {requires: [a, b], env: {X: '${{ toJSON(needs) }}'}}", []),
        (CHAIN + "c: {requires: [a, b], env: {X: '${{ jobs.b.status }}'}}", ["W107 a"]),
        # The end of everything.
        (CHAIN + "c: {on_complete: always, after: [a]}", ["W107 a"]),
        ("a: {on_complete: always}\nb: {on_complete: always, after: [a]}", []),
        ("a: {}\nf: {on_complete: always}\ng: {requires: [f], after: [a]}", ["W107 a"]),
        ("a: {}\nf: {on_complete: always}\ng: {requires: [f, a]}", []),
        ("a: {}\nf: {on_complete: always}\ng: {requires: [f], after: [a], if: failure()}", []),
        # With an error in the graph nothing is said: half of one would mislead. Others leave it as it is.
        (CHAIN + "c: {requires: [a, b, x]}", ["E103 x"]),
        (CHAIN + "c: {requires: [a, b], iff: failure()}", ["E101 iff"]),
        (CHAIN + "c: {requires: [a, b], if: failur()}", ["E204 failur"]),
        (CHAIN + "c: {requires: [a, b], env: {X: '${{ jobs. }}'}}", ["E201 ."]),
        (CHAIN + "c: {requires: [a, b], env: {X: '${{ params.p }}'}}", ["W107 a", "E206 params.p"]),
    ],
)
def test_dependencies_that_others_imply(jobs: str, expected: list[str]) -> None:
    assert told(jobs) == expected


def test_a_param_whose_name_is_misspelt_where_it_is_read_is_not_unused() -> None:
    found = warnings_of(
        "name: n\nparams: {target: {}}\njobs: {a: {image: i, env: {X: '${{ params.targte }}'}}}"
    )
    assert [(item.code, item.suggestion) for item in found] == [("E206", "target")]


def test_more_needless_dependencies_than_anybody_reads_are_not_looked_for() -> None:
    jobs = [
        "j0: {}",
        *(f"j{n}: {{requires: [{', '.join(f'j{m}' for m in range(n))}]}}" for n in range(1, 60)),
    ]
    found = warnings_of("name: n\ndefaults: {image: i}\njobs:\n" + "".join(f"  {job}\n" for job in jobs))
    assert {item.code for item in found} == {"W107"}
    assert len(found) == MAX_NEEDLESS
    assert [item.message.partition("; there are more")[1] for item in found if "more" in item.message] == [
        "; there are more"
    ]


def test_a_needless_dependency_says_who_implies_it() -> None:
    (one,) = warnings_of(
        "name: n\ndefaults: {image: i}\njobs:\n  a: {}\n  b: {requires: [a]}\n  c: {requires: [a, b]}\n"
    )
    assert one.message == (
        "'requires' of job 'c' names 'a' needlessly: 'b', which it waits for too, already waits for that"
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("github.event_name", ["W104 github.event_name"]),
        ("github.event.pull_request.title", ["W104 github.event.pull_request.title"]),
        ("\"git.REF_NAME && github['sha'] && toJSON(git) && git.* && git[run.id]\"", []),
        ("git.foo && run.number", ["W104 git.foo", "W104 run.number"]),
    ],
)
def test_what_git_and_run_do_not_have(expression: str, expected: list[str]) -> None:
    assert told(f"a: {{if: {expression}, env: {{X: '${{{{ git.ref }}}}'}}}}") == expected


def test_what_git_does_not_have_is_told_with_what_it_has() -> None:
    (one,) = warnings_of("name: n\njobs: {a: {image: i, if: github.ref_nam == 'main'}}")
    assert one.message == (
        "'github' has no 'ref_nam'; it has 'ref', 'ref_name', 'ref_type', 'branch', 'sha', 'repository', 'actor'"
    )
    assert one.suggestion == "ref_name"


def test_git_has_what_a_client_gives(tmp_path: Path) -> None:
    assert set(GIT_KEYS) == set(git_context(tmp_path))


def test_the_words_are_those_of_the_interpreter() -> None:
    from orchestrator.compile.certain import ENDS, RESULTS, VERDICTS
    from orchestrator.contract.messages import JobStatus, RunStatus
    from orchestrator.interpreter.contexts import JobsView
    from orchestrator.interpreter.job_state import TERMINAL, Ending, JobState
    from tests.support.plans import job

    assert set(ENDS) == set(TERMINAL)
    assert set(VERDICTS) == set(get_args(RunStatus)) - {"pending", "running"}
    assert set(ENDS) < set(get_args(JobStatus))
    seen: dict[str, str] = {}
    for end in ENDS:
        one = JobState(job("a"))
        one.status = Ending(end).status
        value: Any = JobsView({"a": one}, None)["a"]
        seen[value["status"]] = value["result"]
    assert tuple(seen) == ENDS
    assert set(seen.values()) == set(RESULTS)
