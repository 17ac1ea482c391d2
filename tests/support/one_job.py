"""One job of a spec, compiled: what tests of variants look at."""

import pytest

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.plan.model import ContainerNode

READS = 'outputs: {all: "${{ toJSON(params) }}"}\n'
"""So that no param is unused."""


def job_of(text: str, *, top: str = "") -> ContainerNode:
    compiled = compile_text(
        f"name: n\n{top}\nparams: {{p: {{}}, m: {{type: object}}}}\njobs:\n  a:\n    image: i\n{text}\n{READS}",
        "t.yaml",
    )
    assert compiled.diagnostics == ()
    node = compiled.plan.jobs["a"]
    assert isinstance(node, ContainerNode)
    return node


def errors_of(text: str, *, top: str = "") -> list[str]:
    with pytest.raises(SpecError) as caught:
        compile_text(f"name: n\n{top}\nparams: {{p: {{}}}}\njobs:\n  a:\n    image: i\n{text}", "t.yaml")
    found = [str(item).removeprefix("t.yaml:") for item in caught.value.diagnostics]
    return [line for line in found if ": warning[" not in line]
