"""The runs whose histories are kept: their plans, what their containers do, and how dry runs end."""

from collections.abc import Callable

from orchestrator.client.resume import Wish
from orchestrator.compile import compile_text
from orchestrator.contract.mocks import Mock, Mocks
from orchestrator.plan.model import Matrix, Param, Plan, Strategy
from orchestrator.plan.parts import Requirement
from tests.support.house import service, with_services
from tests.support.kinds import call, choice, gate, nested, wait, ways
from tests.support.memory_engine import Program, Running
from tests.support.plans import for_each, job, matrix, plan
from workers.engine.interface import ImageFacts

ERROR_HANDLERS = """
name: handlers
vars: {seen: nobody}
error_handlers: {build: [notify, undo], notify: undo}
jobs:
  build: {image: alpine:latest, entrypoint: [fail], on_error: continue}
  notify: {image: alpine:latest, entrypoint: [fail], on_error: continue, on_complete: [last]}
  undo: {image: alpine:latest, entrypoint: [out], env: {TEXT: n=1}, publish: {seen: "${{ jobs.undo.outputs.n }}"}}
  last: {image: alpine:latest, if: "vars.seen != 'nobody' || true", entrypoint: [nothing]}
"""
"""As the compiler makes transitions of them."""

PLANS: dict[str, Callable[[], Plan]] = {
    "diamond": lambda: plan(
        job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c"), outputs={"end": "${{ jobs.d.status }}"}
    ),
    "conditions": lambda: plan(
        job("a", condition="${{ git.ref == 'refs/heads/main' }}"),
        job("b", "a"),
        job("bad", entrypoint=("fail",), on_error="continue"),
        job("heal", Requirement(job="bad", condition="failure")),
        job("error", env={"N": "${{ fromJSON('{') }}"}, on_error="continue"),
        job("left", Requirement(job="a", condition="failure")),
        job("end", finalizer=True, on_complete="always"),
        job("alert", finalizer=True, on_complete="failure"),
    ),
    "retries": lambda: plan(job("a", entrypoint=("fail",), retry={"max_attempts": 3, "delay": 0.1})),
    "limits": lambda: plan(*(job(f"job{number}") for number in range(12)), max_parallel=3),
    "timeout": lambda: plan(
        job("nap", entrypoint=("nap",)),
        job("b", "nap"),
        job("end", finalizer=True, on_complete="always"),
        timeout=1,
    ),
    "matrix": lambda: plan(
        matrix(
            "test",
            {"python": ["3.11", "3.12"], "does": ["nothing", "fail"]},
            entrypoint=("${{ matrix.does }}",),
            max_parallel=3,
            fail_fast=False,
            retry={"max_attempts": 2, "delay": 0.1},
        ),
        job("after", Requirement(job="test", condition="failure")),
        matrix("end", {"n": [1, 2]}, finalizer=True, on_complete="always"),
    ),
    "dynamic-matrix": lambda: plan(
        job("list", env={"TEXT": 'all=["a","b"]'}, entrypoint=("out",)),
        job(
            "test",
            "list",
            strategy=Strategy(matrix=Matrix(axes={"n": "${{ fromJSON(jobs.list.outputs.all) }}"})),
            env={"TEXT": "n=${{ matrix.n }}"},
            entrypoint=("out",),
        ),
        job("use", "test", env={"ALL": "${{ join(jobs.test.matrix[*].outputs.n) }}"}),
        job("none", strategy=Strategy(items="${{ fromJSON('[]') }}")),
        outputs={"all": "${{ join(jobs.test.matrix[*].outputs.n) }}"},
    ),
    "batches": lambda: plan(for_each("test", ["a", "b", "c", "d", "e"], batch_size=2)),
    "fail-fast": lambda: plan(
        for_each("test", ["nap", "fail", "nothing"], max_parallel=2, entrypoint=("${{ item }}",)),
        job("after", "test"),
    ),
    "hashes": lambda: plan(
        job(
            "a",
            condition="hashFiles('a', '!b') == '12'",
            env={"TEXT": "n=${{ hashFiles('c') }}"},
            entrypoint=("${{ hashFiles('nothing') || 'out' }}",),
        ),
        job("unknown", env={"N": "${{ hashFiles('not computed') }}"}, on_error="continue"),
        outputs={"all": "${{ jobs.a.outputs.n }}${{ hashFiles('a', '!b') }}"},
    ),
    "cancel": lambda: plan(
        job("nap", entrypoint=("nap",)), job("b", "nap"), job("end", finalizer=True, on_complete="always")
    ),
    "gate": lambda: plan(
        gate("go", form=[{"name": "n", "type": "number"}], limit=3600),
        gate("both", items=["a", "b"], min_approvals=2),
        gate("late", limit=0.7, on_timeout="reject", remind_every=0.3, reminder="tell", on_error="continue"),
        job("tell", reminds="late"),
        job(
            "after",
            "go",
            "both",
            Requirement(job="late", condition="failure"),
            publish={"n": "${{ jobs.go.outputs.n }}"},
        ),
        gate("open", "after"),
        job("end", finalizer=True, on_complete="always"),
        vars={"n": "${{ 0 }}"},
    ),
    "wait": lambda: plan(
        wait("nap", duration="${{ '300ms' }}"),
        wait("past", until="2020-01-01T00:00:00Z"),
        job("after", "nap", "past"),
    ),
    "ways": lambda: plan(
        choice("route", ("git.ref == 'x'", "left"), ("git.ref == 'refs/heads/dev'", "right"), (None, "left")),
        job("left", triggers=ways("route chosen")),
        job("right", triggers=ways("route chosen"), entrypoint=("fail",), on_error="continue"),
        job("heal", triggers=ways("left failure", "right failure")),
        job("join", "left", "right", "heal"),
        job("none", triggers=ways("heal failure")),
        job("behind", "none"),
    ),
    "hold": lambda: plan(
        job("again", entrypoint=("fail",), on_error="hold", retry={"max_attempts": 2, "delay": 0.1}),
        for_each("each", ["fail", "nothing"], entrypoint=("${{ item }}",), on_error="hold"),
        job("after", "again", "each"),
    ),
    "call": lambda: plan(
        call("good", "json:loads", given={"s": '{"n": ${{ length(git.ref) }}}'}),
        call(
            "bad",
            "json:loads",
            given={"s": "{"},
            retry={"max_attempts": 2, "delay": 0.1},
            on_error="continue",
        ),
        call("unknown", "os:getcwd", retry={"max_attempts": 3}, on_error="continue"),
        call("each", "json:loads", "good", items=["a", "b"], given={"s": '{"n": "${{ item }}"}'}),
        outputs={"all": "${{ join(jobs.each.matrix[*].outputs.n) }}${{ jobs.good.outputs.n }}"},
    ),
    "nested": lambda: plan(
        nested("sub", "p", items=[1, 2], given={"n": "${{ item }}"}),
        nested("fails", "f", retry={"max_attempts": 2, "delay": 0.1}, on_error="continue"),
        nested("unfit", "p", given={"n": "many"}, on_error="continue"),
        nested("late", "g", "sub", limit=0.5),
        workflows={
            "p": plan(
                nested("down", "f", on_error="continue"),
                job("a"),
                params=(Param(name="n", type="integer"),),
                outputs={"n": "${{ params.n }}"},
            ),
            "f": plan(job("a", entrypoint=("fail",))),
            "g": plan(gate("open")),
        },
    ),
    "dry-run": lambda: plan(
        job("a", retry={"max_attempts": 3, "delay": 60}),
        gate("go", "a", limit=60, min_approvals=2),
        wait("nap", "go", duration=60),
        choice("route", ("jobs.a.outputs.n == 1", "left"), (None, "right"), requires=("nap",)),
        call("left", "json:loads", triggers=ways("route chosen")),
        for_each("right", [1, 2], triggers=ways("route chosen")),
        nested("sub", "p", "left", "right"),
        workflows={"p": plan(job("inner"))},
    ),
    "pause": lambda: plan(gate("go"), job("a", "go"), for_each("b", [1, 2], "go", max_parallel=1)),
    "services": lambda: plan(
        job("before"),
        with_services(
            "test", "before", service("db"), service("cache"), env={"AT": "${{ services.db.host }}"}
        ),
        for_each("each", ["a", "b"], "test", services=(service(),), entrypoint=("${{ item }}",)),
        job("after", "each"),
    ),
    "service-failure": lambda: plan(
        with_services(
            "test", service(), service("bad", does="early"), retry={"max_attempts": 2, "delay": 0.1}
        ),
        with_services("other", service("bad", does="early", required=False)),
    ),
    "services-cancel": lambda: plan(
        with_services("nap", service(), does="nap", shared_services=("shared",)),
        job("b", "nap"),
        job("end", finalizer=True, on_complete="always"),
        services=(service("shared"),),
    ),
    "services-start-cancel": lambda: plan(with_services("nap", service(does="mute", start_timeout=600))),
    "shared-services": lambda: plan(
        job("before"),
        with_services("one", "before", shared_services=("db",)),
        with_services("two", "one", service("own"), shared_services=("db",)),
        job("after", "two"),
        services=(service("db"), service("unused")),
    ),
    "shared-service-failure": lambda: plan(
        with_services("one", shared_services=("db",), retry={"max_attempts": 2, "delay": 0.1}),
        with_services("two", shared_services=("db",)),
        services=(service("db", does="early"),),
    ),
    "shared-service-end": lambda: plan(
        with_services("one", shared_services=("db",)),
        wait("pause", "one", duration=2),
        with_services("two", "pause", shared_services=("db",)),
        with_services("brief", "two", shared_services=("db",), does="brief"),
        with_services("three", "brief", shared_services=("db",)),
        services=(service("db", does="ends"),),
    ),
    "drain": lambda: plan(
        nested("sub", "c"),
        for_each("each", [1, 2, 3], max_parallel=2, entrypoint=("brief",)),
        with_services("brief", service(), does="brief", retry={"max_attempts": 2}),
        gate("go"),
        job("after", "sub", "brief"),
        job("end", finalizer=True, on_complete="always"),
        workflows={"c": plan(job("inner", entrypoint=("brief",)), job("more", "inner"), spec="c")},
    ),
    "force": lambda: plan(
        nested("sub", "c"),
        with_services("nap", service(), does="nap", shared_services=("shared",)),
        for_each("each", [1, 2, 3], max_parallel=2, entrypoint=("nap",)),
        job("end", finalizer=True, on_complete="always"),
        services=(service("shared"),),
        workflows={"c": plan(job("inner", entrypoint=("nap",)), spec="c")},
    ),
    "cancel-signal": lambda: plan(
        job("nap", entrypoint=("nap",)), job("b", "nap"), job("end", finalizer=True, on_complete="always")
    ),
    "cancel-twice": lambda: plan(
        nested("sub", "c"),
        job("a"),
        gate("sign", finalizer=True, on_complete="always"),
        job("end", "sign", finalizer=True, on_complete="always"),
        workflows={"c": plan(gate("go"), gate("bye", finalizer=True, on_complete="always"), spec="c")},
    ),
    "drain-finalizer": lambda: plan(
        job("brief", entrypoint=("brief",)),
        nested("end", "c", finalizer=True, on_complete="always"),
        workflows={"c": plan(job("inner"), job("more", "inner"), spec="c")},
    ),
    "drain-timeout": lambda: plan(
        job("nap", entrypoint=("nap",)), job("end", finalizer=True, on_complete="always"), timeout=15
    ),
    "cancel-late": lambda: plan(
        with_services("work", shared_services=("db",)), services=(service("db", does="linger"),)
    ),
    "error-handlers": lambda: compile_text(ERROR_HANDLERS, file="spec.yaml").plan,
    "networks": lambda: plan(
        job("inside", network="internal"), job("alone", network="none"), job("after", "inside", "alone")
    ),
    "resume-images": lambda: plan(
        matrix("m", {"i": ["app", "lib"]}, image="${{ matrix.i }}"),
        job("app", image="app"),
        job("lib", image="lib"),
        job("after", "lib", "app"),
        with_services("side", service(image="db"), does="nothing"),
        nested("good", "p", given={"does": "nothing"}),
        nested("bad", "p", given={"does": "fail"}),
        workflows={
            "p": plan(
                job("first", image="app"),
                job("then", "first", entrypoint=("${{ params.does }}",)),
                spec="inner",
                params=(Param(name="does", required=True),),
            )
        },
    ),
    "resume-doubt": lambda: plan(
        job("nap", entrypoint=("${{ run.attempt == 1 && 'nap' || 'nothing' }}",), idempotent=False),
        job("after", "nap"),
    ),
    "resume": lambda: plan(
        job(
            "a",
            entrypoint=("out",),
            env={"TEXT": "n=${{ params.n }}"},
            artifacts=("/orca/output",),
            publish={"v": "${{ jobs.a.outputs.n }}"},
        ),
        matrix(
            "test", {"does": ["nothing", "fail"]}, "a", entrypoint=("${{ matrix.does }}",), fail_fast=False
        ),
        wait("pause", "a", duration=0.05),
        call("read", "json:loads", "a", given={"s": '{"v": ${{ vars.v }}}'}),
        choice("route", ("jobs.a.outputs.n == '1'", "left"), (None, "right"), requires=("a",)),
        job("left", triggers=ways("route chosen")),
        job("right", triggers=ways("route chosen")),
        nested("good", "p", "a", given={"does": "nothing"}),
        nested("bad", "p", "a", given={"does": "fail"}),
        job("again", "left"),
        job("after", "again"),
        job("end", finalizer=True, on_complete="always"),
        params=(Param(name="n", default="1", has_default=True),),
        vars={"v": "0"},
        workflows={
            "p": plan(
                job("first"),
                job("then", "first", entrypoint=("${{ params.does }}",)),
                spec="inner",
                params=(Param(name="does", required=True),),
            )
        },
    ),
}

MOCKS = {
    "dry-run": Mocks(
        jobs={"a": Mock(tries=(Mock(status="failed"), Mock(outputs={"n": 1})), outputs={"n": 1})}
    )
}
"""Of those that are dry runs."""

WISHES = {"resume": Wish(again=("again",)), "resume-images": Wish(), "resume-doubt": Wish()}
"""Of those that are resumed: the second attempt's history is kept."""

REPLACED = {"resume-images": {"app": ImageFacts(id="sha256:app-2"), "db": ImageFacts(id="sha256:db-2")}}
"""Names that stand for other images by then."""


def images_of() -> dict[str, ImageFacts]:
    """Those of a host at the start of each run."""
    return {name: ImageFacts(id=f"sha256:{name}-1") for name in ("alpine:latest", "app", "lib", "db")}


def _nap(box: Running) -> int:
    box.sleep(60, until_stopped=True)
    return 143


def _brief(box: Running) -> int:
    box.sleep(3)
    return 0


def _serve(box: Running) -> int:
    box.out("ready")
    box.sleep(600, until_stopped=True)
    return 143


def _linger(box: Running) -> int:
    box.out("ready")
    box.sleep(600)
    return 143


def _mute(box: Running) -> int:
    box.sleep(600, until_stopped=True)
    return 143


def _ends(box: Running) -> int:
    box.out("ready")
    box.sleep(1.5, until_stopped=True)
    return 1


def _early(box: Running) -> int:
    box.out("no password given")
    return 1


def _out(box: Running) -> int:
    box.write("/orca/output", box.env["TEXT"].encode())
    return 0


PROGRAMS: dict[str, Program] = {
    "fail": lambda _: 3,
    "nap": _nap,
    "brief": _brief,
    "out": _out,
    "serve": _serve,
    "linger": _linger,
    "mute": _mute,
    "early": _early,
    "ends": _ends,
}
