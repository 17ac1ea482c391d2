"""How facts are judged, and what people are told to do."""

from dataclasses import replace

import pytest

from orchestrator.client.doctor.checks import Check, Level, checks
from orchestrator.client.doctor.facts import Facts, ServerFacts, StoreFacts
from orchestrator.contract.doctor import (
    EngineReport,
    HostReport,
    LeftOver,
    WorkerReport,
    read_identity,
    worker_identity,
)

GIB = 1024**3
WORKER = WorkerReport(host="h1", version="0.1.0", plan_version=4, seen=1.6)
SERVER = ServerFacts("t:7233", "default", version="1.32.0", ahead=0.2, workers=(WORKER,))
STORE = StoreFacts("/store", took=0.25, free=100 * GIB, size=200 * GIB, ahead=0.0)
ENGINE = EngineReport(
    address="unix:///d.sock",
    version="29.0",
    root="/var/lib/docker",
    free=100 * GIB,
    size=200 * GIB,
    ahead=-0.3,
)
HOST = HostReport(host="h1", engine=ENGINE, grace=600.0)
FINE = Facts("orca", 4, "/home/ann/.orca", SERVER, STORE, host=HOST)


def left(fate: str, *, kind: str = "container", **fields: object) -> LeftOver:
    usual = {"kind": kind, "id": "c1", "name": "orca-c1", "fate": fate, "why": "its run has ended"}
    return LeftOver.model_validate(usual | fields)


def check(facts: Facts, name: str) -> Check:
    (found,) = (one for one in checks(facts) if one.name == name)
    return found


def with_host(**fields: object) -> Facts:
    return replace(FINE, host=HOST.model_copy(update=fields))


def test_where_all_is_well() -> None:
    assert checks(FINE) == (
        Check("temporal", "ok", "t:7233, namespace 'default', version 1.32.0"),
        Check("workers", "ok", "1 on task queue 'orca': 'h1' (0.1.0, plan version 4, seen 2 s ago)"),
        Check(
            "docker",
            "ok",
            "unix:///d.sock, version 29.0; its folder /var/lib/docker has 100.0 GiB of 200.0 GiB left",
        ),
        Check(
            "store",
            "ok",
            "'/store' takes, lists, gives and deletes an object in 0.25 s; it has 100.0 GiB of 200.0 GiB left",
        ),
        Check("clocks", "ok", "the server, the engine, the store and this machine agree to within 0.3 s"),
        Check("state", "ok", "'/home/ann/.orca' can be written"),
        Check("leftovers", "ok", "on host 'h1': none"),
    )


@pytest.mark.parametrize(
    ("server", "level", "text", "advice"),
    [
        (replace(SERVER, error="no Temporal server answers"), "wrong", "no Temporal server answers", ""),
        (
            replace(SERVER, missing_namespace=True),
            "wrong",
            "t:7233 has no namespace 'default'",
            "temporal operator namespace create default",
        ),
        (
            replace(SERVER, missing_attributes=("OrcaSpec",)),
            "warning",
            "are missing: OrcaSpec",
            "registered when a worker",
        ),
        (replace(SERVER, unknown="not allowed"), "ok", "is not known: not allowed", ""),
    ],
)
def test_the_server(server: ServerFacts, level: Level, text: str, advice: str) -> None:
    found = check(replace(FINE, server=server), "temporal")
    assert (found.level, text in found.text, advice in found.advice) == (level, True, True)
    assert bool(found.advice) == bool(advice)


@pytest.mark.parametrize(
    ("workers", "level", "text", "advice"),
    [
        ((), "wrong", "none on task queue 'orca'", "orca worker"),
        (
            (WORKER.model_copy(update={"seen": 200.0}),),
            "wrong",
            "none on task queue 'orca'; the last one, on host 'h1', was seen 3 m 20 s ago",
            "orca worker",
        ),
        (
            (WORKER.model_copy(update={"plan_version": 3}),),
            "wrong",
            "plan version 3",
            "upgrade the workers on 'h1'",
        ),
        (
            (WORKER, WORKER.model_copy(update={"plan_version": 3, "host": "h2"})),
            "warning",
            "2 on task queue",
            "upgrade the workers on 'h2'",
        ),
        ((WorkerReport(host="77@box", seen=3.0),), "ok", "'77@box' (seen 3 s ago)", ""),
    ],
)
def test_workers(workers: tuple[WorkerReport, ...], level: Level, text: str, advice: str) -> None:
    found = check(replace(FINE, server=replace(SERVER, workers=workers)), "workers")
    assert (found.level, text in found.text, advice in found.advice) == (level, True, True)


def test_an_engine_is_needed_where_no_other_host_has_one() -> None:
    silent = with_host(engine=EngineReport(address="unix:///d.sock", error="no Docker engine answers"))
    assert check(silent, "docker") == Check("docker", "wrong", "no Docker engine answers")
    other = WORKER.model_copy(update={"host": "h2"})
    elsewhere = replace(silent, server=replace(SERVER, workers=(other,)))
    assert check(elsewhere, "docker") == Check(
        "docker", "warning", "no Docker engine answers", "jobs can still run on the other hosts"
    )
    blind = replace(FINE, host=None, host_error="it took too long")
    assert check(blind, "docker").text == "nobody could look: it took too long"
    assert check(blind, "leftovers").level == "warning"


@pytest.mark.parametrize(
    ("free", "size", "level"),
    [
        (GIB // 2, 2 * GIB, "wrong"),
        (9 * GIB, 200 * GIB, "warning"),
        (9 * GIB, 100 * GIB, "ok"),
        (30 * GIB, 9000 * GIB, "ok"),
    ],
)
def test_room_on_disks(free: int, size: int, level: Level) -> None:
    engine = ENGINE.model_copy(update={"free": free, "size": size})
    assert check(with_host(engine=engine), "docker").level == level
    assert check(replace(FINE, store=replace(STORE, free=free, size=size)), "store").level == level


def test_a_store_that_fails() -> None:
    found = check(replace(FINE, store=StoreFacts("s3://b", error="no answer")), "store")
    assert (found.level, found.text) == ("wrong", "'s3://b' cannot be used: no answer")
    assert "ORCA_STORE" in found.advice


def test_clocks_that_differ_are_named() -> None:
    engine = ENGINE.model_copy(update={"ahead": 90.4})
    found = check(replace(with_host(engine=engine), server=replace(SERVER, ahead=-7.0)), "clocks")
    assert (found.level, found.text) == (
        "warning",
        "the server's clock is 7 s behind this machine's, the engine's clock is 1 m 30 s ahead of this machine's",
    )
    dark = replace(FINE, host=None, server=replace(SERVER, ahead=None), store=StoreFacts("/s"))
    assert check(dark, "clocks").level == "warning"


def test_what_is_left_over_is_counted_by_what_becomes_of_it() -> None:
    found = (left("remove", wait=5.0), left("stop", wait=0.0), left("remove", kind="network", wait=1.0))
    stays = (left("live"), left("kept"), left("foreign", kind="volume"))
    both = with_host(found=(*found, *stays))
    assert check(both, "leftovers") == Check(
        "leftovers",
        "ok",
        "on host 'h1': 2 containers, 1 network that nobody needs; 1 container, 1 volume left alone",
        "the worker here removes them after 10 m; 'orca doctor --reap' does it now",
    )
    away = check(replace(both, server=replace(SERVER, workers=())), "leftovers")
    assert away.advice == "no worker is here to remove them; 'orca doctor --reap' does it now"
    never = replace(both, host=HOST.model_copy(update={"found": found, "grace": None}))
    assert check(never, "leftovers").level == "warning"
    done = with_host(found=tuple(one.model_copy(update={"done": True}) for one in found))
    assert (
        check(done, "leftovers").text == "on host 'h1': 2 containers, 1 network removed or stopped just now"
    )
    failed = with_host(found=(left("remove", wait=0.0, failed="in use"),))
    assert check(failed, "leftovers").text == "1 container could not be removed: in use"


def test_workers_say_who_they_are_to_temporal() -> None:
    assert worker_identity("h-1.x", "0.1.0", 4) == "orca@h-1.x/0.1.0/plan-4"
    assert read_identity("orca@h-1.x/0.1.0/plan-4") == ("h-1.x", "0.1.0", 4)
    assert read_identity("orca@h-1.x") == ("h-1.x", "", None)
    assert read_identity("12@laptop") == ("12@laptop", "", None)
