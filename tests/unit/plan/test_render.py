"""The plan as JSON and its digest."""

from typing import Any

import pytest

from orchestrator.plan.fingerprint import digest
from orchestrator.plan.graph import graph_of
from orchestrator.plan.model import ContainerNode, Matrix, Plan, Strategy, Variant
from orchestrator.plan.parts import Requirement
from orchestrator.plan.render import plan_json, plan_text
from orchestrator.plan.service_model import Service


def plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "spec": "s",
        "env": {"A": "1", "B": "${{ env.A }}"},
        "jobs": {
            "a": ContainerNode(name="a", image="i"),
            "b": ContainerNode(
                name="b",
                image="i",
                requires=(Requirement(job="a", condition="failure"),),
                variants=(Variant(name="x", values={"v": 1}), Variant(name="y", item=None)),
            ),
        },
        "order": ("a", "b"),
        "levels": (("a",), ("b",)),
        "critical_path": ("a", "b"),
        "estimated_events": 20,
    }
    return Plan(**{**values, **changes})


def test_the_json_has_the_promised_shape() -> None:
    assert plan_json(plan()) == {
        "spec": "s",
        "digest": digest(plan()),
        "levels": [["a"], ["b"]],
        "critical_path": ["a", "b"],
        "estimated_events": 20,
        "jobs": {
            "a": {"kind": "container", "requires": [], "variants": []},
            "b": {
                "kind": "container",
                "requires": [{"job": "a", "condition": "failure"}],
                "variants": [
                    {"name": "b (x)", "values": {"v": 1}},
                    {"name": "b (y)", "values": {"item": None}},
                ],
            },
        },
    }


def one(**fields: Any) -> Plan:
    node = ContainerNode(name="a", image="i", **fields)
    return plan(jobs={"a": node}, order=("a",), levels=(("a",),), critical_path=("a",))


def facts(of: Plan) -> list[str]:
    """The lines about the last job, without the name and its column."""
    return [line[5:] for line in plan_text(of, width=200).partition("\nlevel 1")[2].splitlines()[1:]]


def test_the_text_names_variants() -> None:
    assert plan_text(plan()).splitlines() == [
        "s",
        "2 jobs in 2 levels, with 2 variants, about 20 Temporal events without retries",
        "longest chain (2 jobs): a -> b",
        "",
        "level 1",
        "  a  i",
        "",
        "level 2",
        "  b  i",
        "     2 variants: (x), (y)",
        "     waits for a (if it fails)",
    ]


def test_many_variants_are_counted_and_options_told() -> None:
    variants = tuple(Variant(name=f"v{number}", values={"v": number}) for number in range(2000))
    strategy = Strategy(max_parallel=3, fail_fast=False, batch_size=10)
    shown = facts(one(variants=variants, strategy=strategy))
    names = ", ".join(f"(v{number})" for number in range(12))
    assert shown == [
        "i",
        f"2,000 variants: {names} and 1,988 more",
        "in batches of 10, 3 at a time, a failure leaves the others running (fail_fast: false)",
    ]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (
            Strategy(matrix=Matrix(axes="${{ fromJSON(needs.list.outputs.all) }}")),
            "variants from fromJSON(needs.list.outputs.all), known when list has ended",
        ),
        (
            Strategy(
                matrix=Matrix(
                    axes={"os": ["a"], "py": "${{ params.py }}"}, include=({"x": "${{ git.ref }}"},)
                )
            ),
            "variants from params.py and git.ref, known when the run is submitted",
        ),
        (Strategy(items=["${{ run.id }}", "b"]), "variants from run.id, known when the job starts"),
        (
            Strategy(items="${{ jobs.a.x || jobs['b'].y }}"),
            "variants from jobs.a.x || jobs['b'].y, known when a, b have ended",
        ),
    ],
)
def test_a_dynamic_job_says_what_its_variants_come_from(strategy: Strategy, expected: str) -> None:
    of = one(strategy=strategy)
    assert facts(of)[1] == expected
    assert "with variants known only in the run, at least 20 Temporal events" in plan_text(of)
    assert plan_json(of)["jobs"]["a"] == {
        "kind": "container",
        "requires": [],
        "variants": [],
        "dynamic": True,
    }


REQUIRED = (Requirement(job="x", condition="always"), Requirement(job="y", condition="always"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"condition": "github.ref == 'refs/heads/main'"},
            ["if github.ref == 'refs/heads/main'  (reads git.ref)"],
        ),
        (
            {"unless": "${{ contains(needs.*.result, 'x') && inputs[env.K] }}"},
            [
                "unless contains(needs.*.result, 'x') && inputs[env.K]  (reads jobs.*.result, params[…], env.K)"
            ],
        ),
        (
            {"condition": "${{ failure() && params.a }}", "requires": REQUIRED},
            [
                "waits for x, y",
                "if failure() && params.a  (reads params.a; asks how x, y ended)",
            ],
        ),
        (
            {"condition": "success() || cancelled()", "finalizer": True, "on_complete": "always"},
            [
                "however the run ends",
                "if success() || cancelled()  (asks how the whole run stands; asks whether the run was cancelled)",
            ],
        ),
        (
            {"condition": "failure()"},
            ["if failure()  (asks over nothing: the job requires none)"],
        ),
        ({"condition": "always()"}, ["if always()"]),
        (
            {"condition": "${{ Success() }}", "requires": REQUIRED},
            ["waits for x, y", "if Success()  (only if all of x, y ended well)"],
        ),
        (
            {"condition": "success()", "requires": REQUIRED[:1]},
            ["waits for x", "if success()  (only if x ended well)"],
        ),
        (
            {"condition": "failure()", "requires": REQUIRED},
            ["waits for x, y", "if failure()  (only if one of x, y failed)"],
        ),
        (
            {"condition": "failure()", "requires": (REQUIRED[0], Requirement(job="z", condition="skipped"))},
            ["waits for x, z (if it is skipped)", "if failure()  (only if one of x, z failed)"],
        ),
        (
            {"condition": "success()", "unless": "git.ref", "requires": REQUIRED[:1]},
            ["waits for x", "if success()  (asks how x ended)", "unless git.ref  (reads git.ref)"],
        ),
        (
            {"condition": "always() && git.ref", "requires": REQUIRED[:1]},
            ["waits for x (however it ends)", "if always() && git.ref  (reads git.ref)"],
        ),
        (
            {"requires": REQUIRED, "on_complete": "failure"},
            ["waits for x, y", "only if one of x, y failed"],
        ),
    ],
)
def test_a_condition_says_what_it_depends_on(fields: dict[str, Any], expected: list[str]) -> None:
    assert facts(one(**fields))[1:] == expected


def test_the_json_has_conditions_and_what_they_read() -> None:
    of = one(condition="github.ref == 'x'", unless="${{ needs.x.outputs.y }}")
    assert plan_json(of)["jobs"]["a"] == {
        "kind": "container",
        "requires": [],
        "variants": [],
        "if": "github.ref == 'x'",
        "unless": "${{ needs.x.outputs.y }}",
        "reads": ["git.ref", "jobs.x.outputs.y"],
    }


def test_no_line_is_wider_than_the_terminal() -> None:
    condition = " && ".join(f"params.flag{number}" for number in range(40))
    of = one(condition=condition, requires=tuple(Requirement(job=f"job{number}") for number in range(400)))
    for width in (40, 80, 100, 200):
        assert max(map(len, plan_text(of, width=width).splitlines())) <= width


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_a_large_plan_is_told_in_part(shape: str) -> None:
    names = tuple(f"j{number}" for number in range(5000))
    jobs = {name: ContainerNode(name=name, image="i") for name in names}
    levels = tuple((name,) for name in names) if shape == "chain" else (names,)
    path = names if shape == "chain" else names[:1]
    text = plan_text(plan(jobs=jobs, order=names, levels=levels, critical_path=path))
    assert text.count("\n") < 1000
    last = {
        "chain": "and 4,700 jobs in 4,700 more levels; 'orca plan -o json' has them all",
        "fan": "  and 4,940 more jobs; 'orca plan -o json' has them all",
    }
    assert text.splitlines()[-1] == last[shape]
    if shape == "chain":
        assert "-> j11 -> (4,976 more) -> j4988 ->" in " ".join(text.split())


def test_the_digest_is_of_the_whole_plan_and_survives_a_round_trip() -> None:
    first = digest(plan())
    assert len(first) == 64
    assert digest(Plan.model_validate_json(plan().model_dump_json())) == first
    changed = [
        plan(description="x"),
        plan(env={"B": "${{ env.A }}", "A": "1"}),
        plan(jobs={"a": plan().jobs["a"], "b": ContainerNode(name="b", image="j")}),
    ]
    assert len({first, *(digest(other) for other in changed)}) == 4


def test_services_are_told_where_there_are_any() -> None:
    found = plan(
        services=(Service(name="db", image="d:1"),),
        jobs={
            "a": ContainerNode(name="a", image="i"),
            "b": ContainerNode(
                name="b",
                image="i",
                services=(Service(name="redis", image="redis:7"),),
                shared_services=("db",),
                network="internal",
            ),
        },
    )
    assert plan_json(found)["services"] == {"db": {"image": "d:1"}}
    assert plan_json(found)["jobs"] == {
        "a": {"kind": "container", "requires": [], "variants": []},
        "b": {
            "kind": "container",
            "requires": [],
            "variants": [],
            "services": {"redis": {"image": "redis:7"}, "db": {"shared": True}},
            "network": "internal",
        },
    }
    assert "services that jobs share: db (d:1)\n" in plan_text(found)
    assert facts(found)[-4:] == [
        "i",
        "with redis (redis:7)",
        "shares db",
        "reaches its services alone (network: internal)",
    ]
    assert [node.lines for node in graph_of(found).nodes] == [("a", "i"), ("b", "i", "with redis, db")]
