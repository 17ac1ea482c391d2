"""Graphs as text, whole: Mermaid and DOT of specs, with names and conditions that each syntax would stumble over.

`ORCA_UPDATE_GOLDEN=1 pytest tests/golden` writes what is drawn now; read the difference before committing it.
"""

import os
from pathlib import Path

import pytest

from orchestrator.compile import compile_text
from orchestrator.plan.graph import Graph, Standing, dot, graph_of, mermaid

HERE = Path(__file__).parent
GRAPHS = HERE / "_graphs"
SPECS = {
    "awkward": GRAPHS / "awkward.yaml",
    "pipeline": GRAPHS / "pipeline.yaml",
    "people": GRAPHS / "people.yaml",
    "conditions": HERE / "conditions" / "spec.yaml",
}
STANDINGS = {
    "build": Standing("success"),
    "test-unit": Standing("failed", "4/6 passed"),
    "test-integration": Standing("running"),
    "deploy-staging": Standing("omitted"),
    "notify": Standing("pending"),
}


def drawn(case: str) -> Graph:
    plan = compile_text(SPECS.get(case, SPECS["pipeline"]).read_bytes(), "spec.yaml").plan
    if case == "run":
        return graph_of(plan, run="ci-pipeline-abcd2345", run_status="running", standings=STANDINGS)
    return graph_of(plan)


@pytest.mark.parametrize("case", [*SPECS, "run"])
def test_graphs(case: str) -> None:
    graph = drawn(case)
    found = {f"{case}.mmd": mermaid(graph), f"{case}.dot": dot(graph)}
    if os.environ.get("ORCA_UPDATE_GOLDEN"):
        for name, text in found.items():
            (GRAPHS / name).write_text(text)
    assert {name: (GRAPHS / name).read_text() for name in found} == found
