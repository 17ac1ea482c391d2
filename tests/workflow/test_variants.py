"""Jobs with variants on a real server: how many at a time, in what batches, with what values."""

from collections import Counter

import pytest
from temporalio.client import Client

from orchestrator.client import runs
from orchestrator.plan.model import Matrix, Strategy
from orchestrator.plan.parts import Requirement
from tests.support.memory_engine import Running
from tests.support.plans import for_each, job, matrix, plan
from tests.support.workshop import ITEM, LETTERS, OUT, WORK, Workshop
from tests.workflow.conftest import Serve


async def test_each_variant_has_its_own_record_and_the_job_theirs(client: Client, serve: Serve) -> None:
    shop = Workshop(fails=("b",), lasts=0)
    node = matrix("test", {"n": ["a", "b"], "os": ["x", "y"]}, fail_fast=False, **WORK)
    async with serve(client, shop.programs) as runner:
        handle = await runner.start(plan(node, job("after", "test")))
        record = await runs.wait(client, handle.id)
        history = await handle.fetch_history()
    test = record.jobs["test"]
    assert {key: (found.status, found.exit_code, found.tries) for key, found in test.variants.items()} == {
        "test (a, x)": ("success", 0, 1),
        "test (a, y)": ("success", 0, 1),
        "test (b, x)": ("failed", 3, 1),
        "test (b, y)": ("failed", 3, 1),
    }
    assert (test.status, test.summary, test.exit_code, test.tries) == ("failed", "2/4 passed", 3, 4)
    said = "the container ended with exit code 3"
    assert test.reason == f"exit: 2 of 4 variants failed: test (b, x): {said}; also test (b, y)"
    assert (record.status, record.jobs["after"].status) == ("failed", "omitted")
    assert record.error == f"job 'test' failed: {test.reason}"
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert [(each.activity_type.name, each.activity_id) for each in scheduled] == [
        (key, key) for key in test.variants
    ]


async def test_max_parallel_bounds_one_job_s_variants_and_no_other_s(client: Client, serve: Serve) -> None:
    shop = Workshop()
    node = for_each("test", LETTERS, max_parallel=2, **ITEM)
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(node, job("other")))
    assert (record.status, record.jobs["test"].summary) == ("success", "6/6 passed")
    assert shop.most_at_once == 2


async def test_the_run_s_max_parallel_bounds_variants_too(client: Client, serve: Serve) -> None:
    shop = Workshop()
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(for_each("test", LETTERS, max_parallel=4, **ITEM), max_parallel=3))
    assert record.status == "success"
    assert shop.most_at_once == 3


async def test_a_batch_waits_for_the_whole_one_before_it(client: Client, serve: Serve) -> None:
    shop = Workshop(lasts=0.1)
    async with serve(client, shop.programs) as runner:
        record = await runner.run(plan(for_each("test", LETTERS, batch_size=4, **ITEM)))
    assert record.status == "success"
    first_batch_ended = max(shop.spans[name][1] for name in LETTERS[:4])
    assert all(shop.spans[name][0] >= first_batch_ended for name in LETTERS[4:])
    assert shop.most_at_once > 2


async def test_each_variant_has_its_own_tries(client: Client, serve: Serve) -> None:
    tries: Counter[str] = Counter()

    def third_time(box: Running) -> int:
        tries[box.env["NAME"]] += 1
        return int(box.env["NAME"] == "b" and tries["b"] < 3)

    retry = {"max_attempts": 3, "delay": 0.05}
    async with serve(client, {"work": third_time}) as runner:
        record = await runner.run(plan(for_each("test", ["a", "b"], retry=retry, **ITEM)))
    test = record.jobs["test"]
    assert (test.status, test.summary, test.tries) == ("success", "2/2 passed", 4)
    assert {key: found.tries for key, found in test.variants.items()} == {"test (a)": 1, "test (b)": 3}


async def test_a_matrix_from_an_output_and_outputs_from_a_matrix(client: Client, serve: Serve) -> None:
    listing = job("list", env={"TEXT": 'all=["3.11","3.12"]'}, **OUT)
    node = job(
        "test",
        "list",
        strategy=Strategy(
            matrix=Matrix(
                axes={"python": "${{ fromJSON(jobs.list.outputs.all) }}", "n": [1]},
                exclude="${{ fromJSON('[]') }}",
                include=({"python": "${{ jobs.list.status }}", "n": 2},),
            )
        ),
        env={"TEXT": "python=${{ matrix.python }}\nkind=${{ matrix.n == 1 && 'old' || 'old' }}"},
        outputs={"tag": "v${{ jobs.test.outputs.python }}"},
        **OUT,
    )
    outputs = {
        "pythons": "${{ join(jobs.test.matrix[*].outputs.python) }}",
        "tags": "${{ jobs.test.matrix[*].outputs.tag }}",
        "names": "${{ jobs.test.matrix[*].name }}",
        "values": "${{ jobs.test.matrix[1].matrix }}",
        "kind": "${{ jobs.test.outputs.kind }}",
        "summary": "${{ jobs.test.summary }}",
    }
    async with serve(client, Workshop().programs) as runner:
        record = await runner.run(plan(listing, node, outputs=outputs))
    assert record.error is None
    assert record.outputs == {
        "pythons": "3.11,3.12,success",
        "tags": ["v3.11", "v3.12", "vsuccess"],
        "names": ["test (3.11, 1)", "test (3.12, 1)", "test (success, 2)"],
        "values": {"python": "3.12", "n": 1},
        "kind": "old",
        "summary": "3/3 passed",
    }
    assert record.jobs["test"].outputs == {"kind": "old"}


@pytest.mark.parametrize(
    "reader", ["${{ jobs.test.outputs.n }}", "${{ toJSON(jobs.test.outputs) }}", "${{ jobs.test.outputs.* }}"]
)
async def test_reading_an_output_on_which_variants_differ_is_an_error(
    client: Client, serve: Serve, reader: str
) -> None:
    node = for_each("test", [1, "1", 1], env={"TEXT": "n=${{ item }}"}, outputs=_TYPED, **OUT)
    async with serve(client, Workshop().programs) as runner:
        record = await runner.run(plan(node, job("use", "test", env={"N": reader})))
    use = record.jobs["use"]
    assert use.status == "failed"
    assert use.reason == (
        "expression: N in `env` of job 'use': the variants of job 'test' do not agree on the output 'n': "
        "it is 1 in 'test (1)' and \"1\" in 'test (1 #2)'; read jobs.test.matrix[*].outputs.n for all of them"
    )


_TYPED = {"n": "${{ item }}"}


async def test_an_empty_list_skips_the_job_and_satisfies_its_dependents(client: Client, serve: Serve) -> None:
    node = job("test", strategy=Strategy(items="${{ fromJSON('[]') }}"))
    async with serve(client) as runner:
        record = await runner.run(plan(node, job("after", "test")))
    assert (record.status, record.jobs["after"].status) == ("success", "success")
    assert (record.jobs["test"].status, record.jobs["test"].reason, record.jobs["test"].variants) == (
        "skipped",
        "skipped: `for_each` has no items",
        {},
    )


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        (
            Strategy(matrix=Matrix(axes={"n": "${{ params.none }}"})),
            "expression: `matrix` of job 'test': axis 'n' of the matrix must be a list of values, not nothing",
        ),
        (
            Strategy(items="${{ fromJSON('{') }}"),
            "expression: `for_each` of job 'test': Error parsing fromJSON: Expecting property name enclosed in "
            "double quotes: line 1 column 2 (char 1)",
        ),
        (
            Strategy(items="${{ range(0, 300) }}"),
            "expression: `for_each` of job 'test': there are 300 variants, and this spec allows 256; raise "
            "'max_variants' at its top level",
        ),
        (
            Strategy(items="${{ range(0, 1200) }}", max_variants=5000),
            "expression: with the 1,200 variants of 'test' the run would hold more than 1,000 jobs and variants; "
            "split the spec, or let one variant do more",
        ),
    ],
)
async def test_a_strategy_that_cannot_be_expanded_fails_the_job(
    client: Client, serve: Serve, strategy: Strategy, reason: str
) -> None:
    shape = plan(job("test", strategy=strategy), job("heal", Requirement(job="test", condition="failure")))
    async with serve(client) as runner:
        record = await runner.run(shape)
    assert (record.jobs["test"].status, record.jobs["test"].reason) == ("failed", reason)
    assert record.jobs["heal"].status == "success"


async def test_artifacts_of_all_variants_reach_the_job_that_requires_them(
    client: Client, serve: Serve
) -> None:
    def make(box: Running) -> int:
        name = box.env["NAME"]
        box.write(f"/out/{name}.txt", name.encode())
        return 0

    found: list[bytes] = []

    def read(box: Running) -> int:
        found.extend(box.read(f"/out/{name}.txt") for name in ("a", "b"))
        return 0

    node = for_each(
        "test", ["a", "b"], **{**ITEM, "entrypoint": ("make",)}, artifacts=("/out/${{ item }}.txt",)
    )
    use = job("use", "test", entrypoint=("read",), artifacts_from=("test",))
    async with serve(client, {"make": make, "read": read}) as runner:
        record = await runner.run(plan(node, use))
    assert (record.status, found) == ("success", [b"a", b"b"])
    assert [ref.path for leaf in record.jobs["test"].variants.values() for ref in leaf.artifacts] == [
        "/out/a.txt",
        "/out/b.txt",
    ]


async def test_a_thousand_variants(client: Client, serve: Serve) -> None:
    node = for_each("test", [f"item-{number}" for number in range(1000)])
    async with serve(client) as runner:
        handle = await runner.start(plan(node))
        record = await runs.wait(client, handle.id)
        found = await handle.describe()
    assert (record.status, record.jobs["test"].summary) == ("success", "1000/1000 passed")
    assert found.raw_description.workflow_execution_info.history_length < 1000 * 6


async def test_the_record_of_a_thousand_failures_fits(client: Client, serve: Serve) -> None:
    node = for_each(
        "test",
        [f"a rather long name of an item, as they are in tests: {n}" for n in range(1000)],
        entrypoint=("${{ item }} is no program " + "x" * 3000,),
        image="nowhere.example/${{ item }}",
        fail_fast=False,
        outputs={"x": "y" * 400},
    )
    async with serve(client) as runner:
        record = await runner.run(plan(node))
    assert record.jobs["test"].summary == "0/1000 passed"
    assert len(record.model_dump_json().encode()) < 1_500_000
