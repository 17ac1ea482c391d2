"""Findings as SARIF: right by the standard's own JSON Schema, at the right places, the same in every run.

`sarif-2.1.0.schema.json` is the schema of the OASIS standard as SchemaStore has it (Apache-2.0).
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.client.validation import as_sarif, verdicts
from orchestrator.spec.explanations import EXPLANATIONS

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.schema.json").read_text())
WRONG = "name: n\njobs:\n  build: {image: i, name: 'a😀', comands: [make]}\n  deploy: {image: i, requires: [biuld]}\n"
GOOD = "name: n\njobs: {build: {image: i}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here" / "a ü#%").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    Path("wrong.yaml").write_text(WRONG)
    Path("a ü#%", "good:1.yml").write_text(GOOD)
    Path("..", "outside.yaml").write_text("")
    return Path.cwd()


def sarif(*given: str, stdin: bytes = b"") -> dict[str, Any]:
    log = as_sarif(list(verdicts([Path(name) for name in given], read_stdin=lambda: stdin)), base=Path.cwd())
    log = json.loads(json.dumps(log))
    validator: Any = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(log)] == []
    return log


def run_of(log: dict[str, Any]) -> dict[str, Any]:
    (run,) = log["runs"]
    return run


def test_a_whole_result(folder: Path) -> None:
    log = sarif("wrong.yaml")
    first, second = run_of(log)["results"]
    fingerprints = first.pop("partialFingerprints")
    assert first == {
        "ruleId": "E101",
        "ruleIndex": list(EXPLANATIONS).index("E101"),
        "level": "error",
        "message": {"text": "job 'build' has the unknown key 'comands'; did you mean 'commands'?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "wrong.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 3, "startColumn": 33, "endColumn": 40},
                }
            }
        ],
    }
    assert len(fingerprints["orcaFinding/v1"]) == 32
    assert second["ruleId"] == "E103"
    assert run_of(log)["originalUriBaseIds"] == {"%SRCROOT%": {"uri": f"{folder.as_uri()}/"}}


def test_columns_count_characters_and_the_log_says_so(folder: Path) -> None:
    run = run_of(sarif("wrong.yaml"))
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    line = WRONG.split("\n")[int(region["startLine"]) - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "comands"
    assert run["columnKind"] == "unicodeCodePoints"


def test_every_rule_is_described() -> None:
    rules = run_of(sarif())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(EXPLANATIONS)
    for rule in rules:
        found = EXPLANATIONS[rule["id"]]
        assert rule["defaultConfiguration"] == {"level": found.severity}
        assert rule["name"].lower() == found.slug.replace("-", "")
        assert f"```{found.language}\n{found.mended}```" in rule["help"]["markdown"]


def test_paths_are_relative_to_the_folder_and_escaped(folder: Path) -> None:
    run = run_of(sarif(".", "../outside.yaml", "missing.yaml", "-", stdin=b"x: 1"))
    assert [item["location"] for item in run["artifacts"]] == [
        {"uri": "wrong.yaml", "uriBaseId": "%SRCROOT%"},
        {"uri": "a%20%C3%BC%23%25/good%3A1.yml", "uriBaseId": "%SRCROOT%"},
        {"uri": (folder.parent / "outside.yaml").as_uri()},
        {"uri": "missing.yaml", "uriBaseId": "%SRCROOT%"},
        {"uri": "%3Cstdin%3E", "uriBaseId": "%SRCROOT%"},
    ]
    places = {
        item["ruleId"]: item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for item in run["results"]
    }
    assert places["E014"] == (folder.parent / "outside.yaml").as_uri()
    assert places["E016"] == "missing.yaml"


def test_a_fingerprint_stays_when_lines_move_and_tells_equal_findings_apart(folder: Path) -> None:
    before = [item["partialFingerprints"] for item in run_of(sarif("wrong.yaml"))["results"]]
    Path("wrong.yaml").write_text(f"# one more line\n\n{WRONG}")
    after = run_of(sarif("wrong.yaml"))["results"]
    assert [item["partialFingerprints"] for item in after] == before
    assert after[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 5
    Path("twice.yaml").write_text("name: n\njobs: {a: {image: i, requires: [x, y]}}\n")
    twice = run_of(sarif("twice.yaml"))["results"]
    assert [item["ruleId"] for item in twice] == ["E103", "E103"]
    assert twice[0]["partialFingerprints"] != twice[1]["partialFingerprints"]


@pytest.mark.parametrize("text", ["", "a: [1", "name: n\njobs: {a: {image: i, if: }}", "a: 1\nb: \x07"])
def test_a_place_never_reaches_beyond_its_line(folder: Path, text: str) -> None:
    Path("odd.yaml").write_text(text)
    for item in run_of(sarif("odd.yaml"))["results"]:
        region = item["locations"][0]["physicalLocation"]["region"]
        assert 1 <= region["startColumn"] <= region["endColumn"]
        line = text.split("\n")[int(region["startLine"]) - 1]
        assert region["endColumn"] <= max(2, len(line) + 1)
