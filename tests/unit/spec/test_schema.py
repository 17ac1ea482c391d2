"""The JSON Schema and the parser agree: what compiles the schema accepts, and what has a wrong shape it refuses."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic_core import PydanticCustomError

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.spec import shapes
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.key_texts import KEY_TEXTS
from orchestrator.spec.model import Shape
from orchestrator.spec.parse import parse
from orchestrator.spec.schema import spec_schema
from orchestrator.spec.source import read_source
from tests.support.json_schema import errors, instances

ROOT = Path(__file__).parents[3]
SCHEMA = spec_schema()
COMMITTED = ROOT / "specs" / "orca.schema.json"
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*/spec.yaml"))
SHAPE_ERRORS = {"E101", "E102", "E104"}
ARITHMETIC = (
    "must be a number of seconds or a duration",
    "must be a number of bytes or a size",
    "must be at least '6m'",
    "must be a number of processors",
    "has a quote that is not closed",
    "must be a regular expression, and is none",
)
"""What a pattern cannot tell of text: ten years, six megabytes, infinity, a shell's quotes, a regular expression."""

EVERYTHING: dict[str, Any] = {
    "name": "everything",
    "description": "d",
    "version": "1",
    "labels": {"team": "a", "empty": None, "number": 5},
    "params": {
        "bare": None,
        "whole": {"type": "integer", "required": True, "default": 3, "enum": [3, 4], "description": "d"},
        "text": {"pattern": "^a", "default": None},
    },
    "env": {"A": "1", "B": 2, "C": None, "D": False, "E": "${{ params.text }}"},
    "workspace": ".",
    "defaults": {
        "image": "alpine:latest",
        "timeout": "5m",
        "retry": 3,
        "resources": {"cpus": "0.5", "memory": "64m", "pids": 10},
        "pull": "if_not_present",
        "user": 1000,
        "stop_grace": 0,
    },
    "timeout": 3600,
    "services": {
        "shared": "redis:7",
        "db": {"image": "postgres:15", "env": {"POSTGRES_PASSWORD": "x", "N": 1, "O": "${{ params.text }}"}},
    },
    "max_parallel": 2,
    "max_variants": 300,
    "cleanup_policy": "keep_on_failure",
    "jobs": {
        "a": {"commands": "true", "outputs": "x", "artifacts": "dist", "on_error": "continue"},
        "b": {
            "commands": ["true"],
            "requires": ["a", {"job": "a", "condition": "always"}],
            "outputs": {"y": 1, "z": True, "w": "${{ params.text }}"},
            "retry": {
                "max_attempts": 2,
                "delay": "1s",
                "backoff": "linear",
                "max_delay": 60,
                "multiplier": 2,
                "on": "exit",
                "exit_codes": 75,
            },
            "if": True,
            "unless": "failure()",
            "entrypoint": "sh",
            "artifacts_from": "a",
            "env": {"N": 1.10},
        },
        "m": {
            "name": "M ${{ matrix.x }}",
            "commands": "true",
            "matrix": {
                "x": [1, "two", None, {"three": 3}],
                "y": [[1]],
                "include": [{"x": 1, "z": 2}],
                "exclude": [{"x": "two"}],
                "fail_fast": False,
            },
            "include": [{"x": 5}],
            "exclude": [{"x": 1}],
            "max_parallel": 2,
        },
        "s": {
            "services": ["shared", "db", "postgres:15", "redis", f"a.b/c/d@sha256:{0:064}"],
            "commands": "true",
        },
        "t": {
            "network": "internal",
            "commands": "true",
            "services": {
                "short": "redis:7",
                "whole": {
                    "image": "x:1",
                    "env": {"A": 1, "B": None},
                    "command": "serve -p 'a b' ${{ params.text }}",
                    "entrypoint": ["/bin/sh", ""],
                    "health_check": {
                        "test": ["CMD", "true"],
                        "interval": "1m30s",
                        "timeout": 5,
                        "retries": 3,
                        "start_period": 0,
                        "start_interval": "500ms",
                    },
                    "start_timeout": "2m",
                    "ports": [80, "81", "82:80", "127.0.0.1:83:80", "[::1]:84:80", "53/udp"],
                    "resources": {"memory": "64m"},
                    "tmpfs": ["/a", "/b:64m", "/c:size=64m,mode=1777"],
                    "required": False,
                    "artifact": True,
                    "pull": "always",
                },
                "one": {
                    "image": "x",
                    "health_check": {"ready": {"http": "/"}},
                    "tmpfs": {"/d": 1024, "/e": None},
                },
                "two": {"image": "x", "health_check": {"ready": {"http": {"path": "/a", "port": 80}}}},
                "three": {"image": "x", "health_check": {"ready": {"log": "^ready$"}}, "ports": 80},
                "four": {"image": "x", "health_check": {"ready": {"tcp": 80}}, "tmpfs": "/f"},
                "five": {"image": "x", "health_check": {"disable": True}},
                "six": {"image": "x", "health_check": {"test": "true", "disable": False}},
            },
        },
        "n": {"matrix": "${{ fromJSON('{\"a\": [1]}') }}", "commands": "true"},
        "o": {
            "for_each": ["a", 1, {"b": 2}],
            "batch_size": 2,
            "max_parallel": 1,
            "fail_fast": False,
            "commands": "true",
        },
        "p": {"for_each": {"a": 1}, "commands": "true"},
        "q": {"for_each": "${{ params.text }}", "commands": "true"},
        "c": {"after": "a", "parallel_with": [], "on_complete": "always", "image": "python:3.11-slim"},
    },
    "outputs": {"o": "${{ jobs.b.outputs.y }}", "n": 1},
}
"""A spec with each key, in short forms where there are any."""


def findings(text: str) -> list[Diagnostic]:
    """The errors that parsing and compiling find."""
    try:
        compile_text(text, "spec.yaml")
    except SpecError as error:
        return [
            item for item in error.diagnostics if isinstance(item, Diagnostic) and item.severity == "error"
        ]
    return []


def wrong_shapes(found: Iterable[Diagnostic]) -> list[str]:
    """Those findings that the schema must have too."""
    wrong = [str(item) for item in found if item.code in SHAPE_ERRORS]
    return [one for one in wrong if not any(words in one for words in ARITHMETIC)]


def as_text(value: Any) -> str:
    """YAML of plain data: JSON is YAML, but for floats that JSON writes without a point."""
    return json.dumps(value)


def data_of(path: Path) -> Any:
    source, _ = read_source(path.read_bytes(), path.name)
    return None if source is None else source.data


def test_it_is_a_json_schema_of_draft_7() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_committed_schema_is_the_one_that_orca_schema_prints() -> None:
    message = "specs/orca.schema.json is not what `orca schema` prints; run: make schema"
    assert json.loads(COMMITTED.read_text()) == SCHEMA, message


def test_every_key_of_every_shape_has_a_text_and_no_other_key_has() -> None:
    for shape, texts in KEY_TEXTS.items():
        keys = [field.alias or name for name, field in shape.model_fields.items()]
        assert sorted(texts) == sorted(keys), shape.__name__
        for key, said in texts.items():
            assert said.text.endswith("."), f"{shape.__name__}.{key}"


def test_every_shape_of_the_models_has_texts() -> None:
    assert set(_all_below(Shape)) == set(KEY_TEXTS)


def _all_below(shape: type[Shape]) -> list[type[Shape]]:
    return [found for one in shape.__subclasses__() for found in (one, *_all_below(one))]


def test_every_mapping_with_known_keys_refuses_others_and_says_what_each_is() -> None:
    seen = 0
    for part in _parts(SCHEMA):
        if "properties" in part and "type" in part:
            seen += 1
            assert part["additionalProperties"] is False or isinstance(part["additionalProperties"], dict)
            assert all(one["description"] for one in part["properties"].values())
    assert seen >= len(KEY_TEXTS)


def test_every_example_of_a_key_is_one() -> None:
    for part in _parts(SCHEMA):
        for example in part.get("examples", ()) if "description" in part else ():
            holder = {**part, "definitions": SCHEMA["definitions"]}
            assert errors(holder, example) == [], part["description"]


def _parts(value: Any) -> list[dict[str, Any]]:
    """Every mapping in the schema that is a schema or holds some; examples and texts are not looked into."""
    if isinstance(value, list):
        return [found for one in value for found in _parts(one)]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return []
    inner = [one for key, one in value.items() if key not in ("examples", "default", "enum")]  # pyright: ignore[reportUnknownVariableType]
    return [value, *_parts(inner)]  # pyright: ignore[reportUnknownVariableType]


def test_a_spec_with_every_key_and_short_form_is_good_for_both() -> None:
    assert errors(SCHEMA, EVERYTHING) == []
    assert findings(as_text(EVERYTHING)) == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_it_accepts_the_examples(path: Path) -> None:
    assert errors(SCHEMA, data_of(path)) == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_the_examples_name_it_for_editors(path: Path) -> None:
    first = path.read_text().split("\n", 1)[0]
    assert first == "# yaml-language-server: $schema=./orca.schema.json"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_it_accepts_each_golden_spec_that_compiles_and_refuses_each_wrong_shape(path: Path) -> None:
    data = data_of(path)
    if data is None:  # not YAML at all
        return
    found = findings(path.read_text())
    refused = errors(SCHEMA, data)
    if not found:
        assert refused == []
    elif wrong_shapes(found):
        assert refused != []


@settings(max_examples=150, deadline=None)
@given(instances(SCHEMA))
def test_what_it_accepts_has_no_wrong_shape(value: dict[str, Any]) -> None:
    value["defaults"] = {"image": "alpine:latest", **value.get("defaults", {})}
    for param in value.get("params", {}).values():
        if param is not None:
            param.pop("default", None)
            param.pop("enum", None)
    assert errors(SCHEMA, value) == []
    _, found = parse(as_text(value), "spec.yaml")
    assert wrong_shapes(found) == []


QUANTITIES: list[Any] = [
    0, 1, 0.5, -1, 315_360_000, 315_360_001, 6_291_456, 6_291_455, True, None, [], {}, "", " ", "0", "90", "1.5", "5m",
    "1h30m", "1h 30m", " 5m ", "500ms", "2d", "1w", "5 m", "m5", "-5m", "5mm", "1.5.5s", "0s", "0.0h", "5M", "512m",
    "1g", "64MiB", "64MB", "64 MiB", "64mb", "1gi", "1t", "512mm", "1,5g", ".5", "5.", "+2", "1e3", "two", "1_0", "0e3",
    "nan", "inf", "0x10", "1" * 70,
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "accepts"),
    [
        ("stop_grace", shapes.duration),
        ("timeout", shapes.positive_duration),
        ("memory", shapes.memory),
        ("cpus", shapes.cpus),
    ],
)
@pytest.mark.parametrize("value", QUANTITIES)
def test_it_and_the_parser_agree_on_a_quantity(
    key: str, accepts: Callable[[Any], object], value: Any
) -> None:
    try:
        accepts(value)
        good = True
    except PydanticCustomError as error:
        good = isinstance(value, str) and "which is the least" in str(error)
    at = SCHEMA["definitions"]["job"]["properties"]
    schema = at["resources"]["properties"][key] if key in ("cpus", "memory") else at[key]
    assert (errors(schema, value) == []) is good


JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 300, 1.5, 10**12, 2**63, "", " ", "x", "5m", "0s", "1h 30m", "5 parsecs", "64m",
    "1k", "always", "hold", "if_not_present", "${{ params.text }}", "a b", "${{", "a ${{ 1 }}", "0.5", "1e3", [],
    [None], ["x"], [1], [[]], {}, {"a": 1}, {"a": []}, {"job": "a"}, {"job": ""}, [{"job": "a"}], {"x": {}},
    {"max_attempts": 0},
)  # fmt: skip
"""Values to put where they may not belong."""


def places_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    elif isinstance(value, list):
        inner = list(enumerate(value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return [path, *(found for key, one in inner for found in places_of(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


PLACES = [path for path in places_of(EVERYTHING) if path]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK))
def test_it_and_the_parser_agree_on_one_strange_value(path: tuple[Any, ...], junk: Any) -> None:
    value = put(EVERYTHING, path, junk)
    refused = errors(SCHEMA, value)
    found = findings(as_text(value))
    if not found:
        assert refused == [], f"{path}: {junk!r}: a false alarm"
    if wrong_shapes(found):
        assert refused != [], f"{path}: {junk!r}: {wrong_shapes(found)}"
