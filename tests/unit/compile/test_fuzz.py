"""Whatever the bytes: a plan, or findings that can be shown. Never another error, and no plan with an error."""

import json
from pathlib import Path
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.plan.model import Plan
from orchestrator.plan.render import plan_json, plan_text
from orchestrator.spec import text as texts
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.explanations import EXPLANATIONS
from orchestrator.spec.sarif import sarif_log

CONTROLS: Final = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
"""What must not reach a terminal."""
ROOT = Path(__file__).parents[3]
SEEDS = [
    path.read_bytes()
    for path in (
        *sorted((ROOT / "specs").glob("*.yaml")),
        *sorted((ROOT / "tests" / "golden").glob("*/spec.yaml")),
    )
]
_SIGNS = rb"""&a |*a|<<: |[|]|{|}|: |- |  |${{ | }}|!!str |? |'|"|null|1e999|.nan|0x|---|%YAML 1.3|jobs|build
|requires: |parallel_with: |,|\0|on_complete: |failure|env.A|jobs.build.outputs.x|('|&&|if: |retry: |-1|true
|matrix: |for_each: |matrix.a|item|include: |exclude: |max_variants: |fromJSON(|range(0, 9)|batch_size:
|gate: |wait: |choice: |call: |workflow: |with: |vars: |vars.a|publish: |on_success: |on_failure: |error_handlers:
|fields: |until: |when: |then: |default: |reminder: |on_error: hold"""
_ODD = (b"|\n", b"\t", b"\xff", b"\0", b"\xc2\x85", b"\xe2\x80\xa8", b"\x1b", b"\n  - ")
PIECES = st.sampled_from([*_SIGNS.split(b"|"), *_ODD])


def check(data: bytes) -> None:
    try:
        compiled = compile_text(data, "f.yaml")
    except SpecError as error:
        found = error.diagnostics
        assert any(isinstance(item, Diagnostic) and item.severity == "error" for item in found)
    else:
        found = compiled.diagnostics
        assert all(isinstance(item, Diagnostic) and item.severity == "warning" for item in found)
        assert Plan.model_validate_json(compiled.plan.model_dump_json()) == compiled.plan
        assert plan_text(compiled.plan)
        assert plan_json(compiled.plan)["spec"] == compiled.plan.spec
    check_findings(data, tuple(item for item in found if isinstance(item, Diagnostic)))


def check_findings(data: bytes, found: tuple[Diagnostic, ...]) -> None:
    """Every form in which findings are shown, and that their places are in the text."""
    lines = texts.lines(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    for item in found:
        assert item.code in EXPLANATIONS
        assert 1 <= item.line <= len(lines)
        assert 1 <= item.column <= len(lines[item.line - 1]) + 1
        assert item.end is None or item.column < item.end <= len(lines[item.line - 1]) + 1
        assert item.source_line in ("", lines[item.line - 1])
        assert "\n" not in str(item)
        assert str(item) in item.pretty()
        assert not set(CONTROLS) & set(item.pretty().replace("\n", "").replace("\t", ""))
        for leak in ("pydantic", "Input should", "validation error", "Traceback"):
            assert leak not in item.message
    shown = [item.to_json() for item in found]
    assert json.loads(json.dumps(shown)) == shown
    log = sarif_log(found, uris={"f.yaml": "f.yaml"}, base="file:///", version="1.0.0")
    (run,) = json.loads(json.dumps(log))["runs"]
    assert [result["ruleId"] for result in run["results"]] == [item.code for item in found]
    prints = [result["partialFingerprints"]["orcaFinding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    for result in run["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        line = lines[int(region["startLine"]) - 1]
        assert region["startColumn"] <= region["endColumn"] <= len(line) + 2


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
@example(b"[" * 100_000)
@example(b"? " * 10_000)
@example(b"- " * 10_000)
@example(b"'" + b"${{" * 10_000)
@example(b"name: n\njobs: {a: {image: x, if: '" + b"(" * 5000 + b"'}}")
@example(b"name: n\njobs: {a: {image: x, if: '" + b"!" * 5000 + b"true'}}")
@example(b"name: n\nparams: {p: {pattern: '" + b"(" * 3000 + b"'}}\njobs: {a: {image: x}}")
@example(b"name: n\nparams: {p: {pattern: 'a{99999999999}', default: b}}\njobs: {a: {image: x}}")
@example(
    b"name: n\nparams: {p: {type: object, default: "
    + b"{a: " * 90
    + b"1"
    + b"}" * 90
    + b"}}\njobs: {a: {image: x}}"
)
def test_any_bytes(data: bytes) -> None:
    check(data)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_specs_with_changes(data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        text[at : at + length] = data.draw(PIECES)
    check(bytes(text))
