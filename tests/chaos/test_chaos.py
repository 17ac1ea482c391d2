"""The short form: rounds with fixed seeds on real parts. `make chaos` is the long one."""

import argparse
import asyncio
import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.chaos.__main__ import repeated_by
from tests.chaos.faults import BREATH, MANNERS, PARTS, schedule
from tests.chaos.lab import Lab
from tests.chaos.one_round import run_round
from tests.chaos.report import as_json, as_markdown
from tests.chaos.test_invariants import result
from tests.chaos.workflow import MAIN

SHORT = ((6, 1), (2, 2))
"""Seed and round: an engine that keeps its containers and one that does not; a worker is killed, which takes the time
after which it counts as dead."""


@pytest.fixture(name="lab")
def lab_fixture() -> Iterator[Lab]:
    """A host of its own, with an engine of its own."""
    lab = Lab("chaos")
    try:
        lab.open()
        yield lab
    finally:
        lab.close()


@pytest.mark.timeout(600)
async def test_a_run_comes_to_its_right_end_whatever_is_broken(lab: Lab, tmp_path: Path) -> None:
    results = [
        await run_round(lab, schedule(seed, number), folder=tmp_path / f"{seed}-{number}")
        for seed, number in SHORT
    ]
    report = as_json(results, command="pytest tests/chaos")
    assert report["broken"] == [], as_markdown(report)
    assert {one.part for result in results for one in result.done} == set(PARTS)
    assert report["starts"] > len(MAIN)
    assert await asyncio.to_thread(lab.host.left) == []


def test_a_schedule_follows_from_seed_and_round() -> None:
    assert schedule(5, 7) == schedule(5, 7)
    assert schedule(5, 7).faults != schedule(5, 8).faults != schedule(6, 8).faults


def test_every_part_is_hit_in_every_manner_and_one_after_the_other() -> None:
    rounds = [schedule(1, number) for number in range(1, 201)]
    hit = {(fault.part, fault.manner) for one in rounds for fault in one.faults}
    assert hit == {(part, manner) for part in PARTS for manner in MANNERS}
    assert {one.live_restore for one in rounds} == {True, False}
    assert any(fault.lasting > 15 for one in rounds for fault in one.faults)
    for one in rounds:
        assert len(one.faults) >= 2
        for part in PARTS:
            for fault, later in pairwise([fault for fault in one.faults if fault.part == part]):
                assert later.at >= round(fault.at + fault.lasting + BREATH, 2) - 0.02


def test_a_report_tells_what_each_kind_of_engine_lost() -> None:
    alive = dataclasses.replace(result(), lost=2, lost_functions=1, ended_by_itself=4, unremovable=1)
    taking = dataclasses.replace(result(), schedule=schedule(1, 2), lost=8, lost_functions=2)
    report = as_json([alive, taking], command="x")
    assert report["lost_tries"] == {"engine": 8, "live_restore": 2, "worker": 3}
    told = as_markdown(report)
    assert "| tries whose container went with its engine | 8 |" in told
    assert "| tries that an engine with `--live-restore` lost sight of | 2 |" in told
    assert "| tries whose function went with its worker | 3 |" in told
    assert "| workers that ended as their server did not answer | 4 |" in told
    assert "| containers that their engine could not remove (`dead`) | 1 |" in told


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ({"round": 0, "parallel": 2}, "python -m tests.chaos --rounds 9 --seed 3 --parallel 2"),
        ({"round": 0, "parallel": 1}, "python -m tests.chaos --rounds 9 --seed 3"),
        ({"round": 7, "parallel": 1}, "python -m tests.chaos --round 7 --seed 3"),
    ],
)
def test_a_report_says_how_to_repeat_it(words: dict[str, int], command: str) -> None:
    assert repeated_by(argparse.Namespace(seed=3, **words), last=9) == command


def test_a_report_tells_of_each_round_that_broke_something(tmp_path: Path) -> None:
    well, badly = result(), dataclasses.replace(result(), breaches=("it ran twice",), evidence=tmp_path)
    assert as_json([well], command="x")["broken"] == []
    report = as_json([well, badly], command="x")
    assert (report["rounds"], report["faults"]["kill worker"], report["adoptions"]) == (2, 2, 4)
    assert "it ran twice" in as_markdown(report)
    assert str(tmp_path) in as_markdown(report)
