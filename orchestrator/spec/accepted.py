"""What each validator of `shapes` accepts, as JSON Schema: the part of the language that types do not say. Tables.

A shape that takes a short form is one schema with several types (`retry` is an integer or an object), as every
keyword speaks of one type only: editors say "expected integer or object" then, where `anyOf` would list each branch.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from orchestrator.plan import durations
from orchestrator.spec import kind_shapes, service_shapes, shapes

Schema = dict[str, Any]
Accepts = Callable[[Schema], Schema]
"""From the schema of what a validator hands on to the schema of what it takes."""

_NUMBER: Final = r"[0-9]+(\.[0-9]+)?"
_PLAIN: Final = r"^(?![\s\S]*\$\{\{)"
"""Begins a pattern of a text in which `${{ }}` is not evaluated."""
_PATTERN_HINTS: Final = "patternErrorMessage"
"""What editors show instead of a regular expression; not part of JSON Schema, and ignored by all others."""

_NAMES: Final[Schema] = {
    "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,99}$",
    _PATTERN_HINTS: "A name has letters, digits, '_' and '-', at most 100, and begins with a letter or '_'.",
}
"""Names of jobs, params and outputs; the compiler's rule E109."""
_DURATION: Final[Schema] = {
    "type": ["number", "string"],
    "minimum": 0,
    "maximum": durations.MAX_SECONDS,
    "pattern": rf"^\s*({_NUMBER}|({_NUMBER}\s*(ms|s|m|h|d)\s*)+)\s*$",
    "maxLength": 64,
    _PATTERN_HINTS: "A duration is a number of seconds or such as '90s', '5m' or '1h30m'.",
}
_EXPRESSION: Final[Schema] = {
    "type": "string",
    "pattern": r"^\$\{\{([^'}]|'[^']*'|\}(?!\}))*\}\}\s*$",
    _PATTERN_HINTS: "Text here must be one whole ${{ }} with nothing beside it.",
}
_MOUNT: Final = f"^{service_shapes.FOLDER}(:{service_shapes.MOUNT_OPTIONS})?$"
"""A folder in memory, with its mount options."""
_SERVICE_NAMES: Final[Schema] = {
    "pattern": "^(?!localhost$)[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    _PATTERN_HINTS: "A service's name is a host name: lower-case letters, digits and '-', at most 63.",
}
"""Names of services; the compiler's rule E109."""
_LINE: Final = r"(?=[\s\S]*\S)[^\u0000-\u001f]+$"
"""Ends a pattern of one line of text that is not empty."""


def either(schemas: Iterable[Schema]) -> Schema:
    """One schema for values of several types. Their keywords do not meet: each speaks of one type."""
    merged: Schema = {}
    kinds: list[str] = []
    for schema in schemas:
        merged |= schema
        kinds += [kind for kind in types_of(schema) if kind not in kinds]
    return {**merged, "type": kinds if len(kinds) > 1 else kinds[0]} if kinds else merged


def types_of(schema: Schema) -> list[str]:
    """The types that a schema names, always as a list."""
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else cast("list[str]", kind)


def accepted_by(validator: Any) -> Accepts:
    """What a validator makes of the schema of the value that it hands on: the schema of what it takes."""
    accepts = _ACCEPTED_BY.get(validator)
    if accepts is None and validator.__qualname__.startswith("one_of."):
        words = inspect.getclosurevars(validator).nonlocals["words"]
        return lambda _: {"type": "string", "enum": list(words)}
    if accepts is None:
        raise LookupError(f"what {validator.__qualname__} accepts is not written in {__name__}")
    return accepts


def _as_it_is(schema: Schema) -> Schema:
    return schema


def _instead(replacement: Schema) -> Accepts:
    return lambda _: dict(replacement)


def _or_one(schema: Schema) -> Schema:
    """A list, or one of its items alone where that is text or a number."""
    items: Schema = schema["items"]
    short = [kind for kind in types_of(items) if kind in ("string", "integer")]
    rules = {key: value for key, value in items.items() if key in _SCALAR_RULES}
    found = {**either([schema, {"type": short}]), **rules}
    if "enum" in items:  # which would speak of lists too
        found |= {"if": {"type": short}, "then": {"enum": items["enum"]}}
    return found


_SCALAR_RULES: Final = ("minLength", "maxLength", "pattern", _PATTERN_HINTS, "minimum", "maximum")


def _with(**more: Any) -> Accepts:
    return lambda schema: {**schema, **more}


def _or(short: Schema) -> Accepts:
    return lambda schema: either([short, schema])


def _or_expression(**more: Any) -> Accepts:
    return lambda schema: either([{**schema, **more}, _EXPRESSION])


def _only(schema: Schema, *keys: str) -> Schema:
    """The schema of a mapping with these of its keys, all of them."""
    return {**schema, "properties": {key: schema["properties"][key] for key in keys}, "required": list(keys)}


def _retry(schema: Schema) -> Schema:
    most: Schema = schema["properties"]["max_attempts"]
    bounds = {key: most[key] for key in ("minimum", "maximum")}
    return either([{"type": "integer", **bounds}, schema])


_APPROVER: Final[Schema] = {
    "type": "string",
    "pattern": rf"\$\{{\{{|^{kind_shapes.APPROVER}$",
    _PATTERN_HINTS: "Someone who may answer is such as 'user:ann', 'group:release' or 'ann'.",
}
_WAIT: Final[Schema] = {
    **{key: value for key, value in _DURATION.items() if key != "maxLength"},
    "exclusiveMinimum": 0,
    "pattern": r"\$\{\{|" + _DURATION["pattern"].replace("^", "^(?=.*[1-9])", 1),
}

_ACCEPTED_BY: Final[Mapping[Any, Accepts]] = {
    shapes.something: _as_it_is,
    shapes.many: _or_one,
    shapes.listed: _with(minItems=1),
    shapes.mapping: _as_it_is,
    shapes.some_jobs: _with(minProperties=1, propertyNames=_NAMES),
    shapes.duration: _instead(_DURATION),
    shapes.positive_duration: _instead(
        {
            **_DURATION,
            "exclusiveMinimum": 0,
            "pattern": _DURATION["pattern"].replace("^", "^(?=.*[1-9])", 1),
        }
    ),
    shapes.memory: _instead(
        {
            "type": ["integer", "string"],
            "minimum": shapes.MIN_MEMORY,
            "maximum": 2**63 - 1,
            "pattern": rf"^\s*{_NUMBER}\s*[kKmMgGtT]?([iI]?[bB])?\s*$",
            "maxLength": 64,
            _PATTERN_HINTS: "A size is a number of bytes or such as '512m', '1g' or '64MiB'.",
        }
    ),
    shapes.cpus: _instead(
        {
            "type": ["number", "string"],
            "exclusiveMinimum": 0,
            "pattern": r"^\s*\+?(?=[0-9_.]*[1-9])([0-9_]+\.?[0-9_]*|\.[0-9_]+)([eE][+-]?[0-9_]+)?\s*$",
            "maxLength": 19,
            _PATTERN_HINTS: "A number of processors greater than 0, such as 2 or '0.5'.",
        }
    ),
    shapes.retry: _retry,
    shapes.requirement: _or({"type": "string", "minLength": 1}),
    shapes.param: lambda schema: {"anyOf": [schema, {"type": "null"}]},
    shapes.condition: _instead(
        {"type": ["boolean", "string"], "pattern": r"\S", _PATTERN_HINTS: "Write an expression."}
    ),
    shapes.expression: _instead({"type": ["string", "number", "boolean"]}),
    shapes.job_title: _with(
        pattern="^" + _LINE, maxLength=200, **{_PATTERN_HINTS: "One line of text that is not empty."}
    ),
    shapes.matrix: _or_expression(minProperties=1),
    shapes.axis: _or_expression(minItems=1),
    shapes.entries: _or_expression(),
    shapes.entry: _or_expression(minProperties=1),
    shapes.items: _or_expression(),
    shapes.on_error: _as_it_is,
    shapes.on_complete: _instead(
        {"type": ["string", "array"], "minLength": 1, "items": {"type": "string", "minLength": 1}}
    ),
    shapes.pull: _instead(
        {"type": "string", "enum": ["missing", "if_not_present", "if-not-present", "always", "never"]}
    ),
    shapes.env_name: _with(pattern="^[^=]+$"),
    shapes.spec_name: _with(
        pattern=_PLAIN + _LINE,
        maxLength=200,
        **{_PATTERN_HINTS: "One line of text without '${{ }}'."},
    ),
    kind_shapes.function: _instead(
        {
            "type": "string",
            "pattern": f"^({'|'.join(kind_shapes.BUILT_IN)}|{kind_shapes.FUNCTION})$",
            _PATTERN_HINTS: "A function is such as 'package.module:function', or 'http'.",
        }
    ),
    kind_shapes.spec_path: _instead(
        {
            "type": "string",
            "pattern": r"^(?!/)(?![\s\S]*(\$\{\{|\u0000))[\s\S]+$",
            _PATTERN_HINTS: "The path of a spec, from the folder of this one.",
        }
    ),
    kind_shapes.gate: _or({"type": "string", "minLength": 1}),
    kind_shapes.field: lambda schema: {"anyOf": [schema, {"type": "null"}, schema["properties"]["type"]]},
    kind_shapes.field_type: _instead({"type": "string", "enum": [*kind_shapes.FIELD_TYPES, "multi-select"]}),
    kind_shapes.options: _or_expression(minItems=1),
    kind_shapes.option: _instead({"type": ["string", "number", "boolean"]}),
    kind_shapes.approvers: lambda schema: {
        **either([schema, _APPROVER]),
        **{key: _APPROVER[key] for key in ("pattern", _PATTERN_HINTS)},
    },
    kind_shapes.approver: _instead(_APPROVER),
    kind_shapes.wait: lambda schema: either([_WAIT, {**schema, "minProperties": 1, "maxProperties": 1}]),
    kind_shapes.wait_for: _instead(_WAIT),
    kind_shapes.instant: _instead(
        {
            "type": ["string", "number"],
            "minimum": 0,
            "maximum": kind_shapes.LAST_SECOND,
            "pattern": rf"\$\{{\{{|^{kind_shapes.INSTANT}$",
            _PATTERN_HINTS: "An instant is such as 2026-01-31T08:00:00Z.",
        }
    ),
    kind_shapes.branch: lambda schema: {"anyOf": [_only(schema, "when", "then"), _only(schema, "default")]},
    service_shapes.services: _or({"type": "string", "minLength": 1}),
    service_shapes.shared_services: _as_it_is,
    service_shapes.service: lambda schema: {"anyOf": [schema, {"type": "string", "minLength": 1}]},
    service_shapes.words: _instead(
        {"type": ["string", "array"], "pattern": r"\S", "items": {"type": "string"}, "minItems": 1}
    ),
    service_shapes.health_check: _with(
        dependencies={
            key: {"properties": {other: False, "disable": {"const": False}}}
            for key, other in (("test", "ready"), ("ready", "test"))
        }
    ),
    service_shapes.health_test: _instead(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^(?!\s*NONE\s*$)(?![\s\S]*\$\{\{)(?=[\s\S]*\S)[\s\S]*$"},
                *(
                    {
                        "type": "array",
                        "items": [{"enum": [kind]}],
                        "additionalItems": {"type": "string", "pattern": _PLAIN},
                        "minItems": least,
                        "maxItems": most,
                    }
                    for kind, least, most in (("CMD", 2, 1000), ("CMD-SHELL", 2, 2), ("NONE", 1, 1))
                ),
            ]
        }
    ),
    service_shapes.ready: _with(minProperties=1, maxProperties=1),
    service_shapes.http: _or({"type": "string", "pattern": f"^{service_shapes.HTTP_PATH}$"}),
    service_shapes.http_path: _with(pattern=f"^{service_shapes.HTTP_PATH}$"),
    service_shapes.log_pattern: _with(minLength=1, pattern=_PLAIN),
    service_shapes.port: _instead(
        {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": service_shapes.MAX_PORT,
            "pattern": f"^{service_shapes.PORT}$",
            _PATTERN_HINTS: "A port is such as 5432, '15432:5432', '127.0.0.1:15432:5432' or '53/udp'.",
        }
    ),
    service_shapes.tmpfs: _instead(
        {
            "type": ["array", "object", "string"],
            "pattern": _MOUNT,
            "items": {"type": "string", "pattern": _MOUNT},
            "propertyNames": {"pattern": f"^{service_shapes.FOLDER}$"},
            "additionalProperties": {
                "type": ["integer", "string", "null"],
                "minimum": 1,
                "maximum": 999_999_999,
                "pattern": f"^{service_shapes.MOUNT_OPTIONS}$",
            },
        }
    ),
}
"""For each validator, what it takes, given the schema of what it hands on. One that is missing is a LookupError."""


_TEXT_OF_ANY: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}
"""A scalar that is taken as it is written: `APP_VERSION: 1.10` is that text."""


def _plain(schema: Schema) -> Schema:
    """A text in which `${{ }}` is not evaluated: it must be known before a run."""
    return {
        **schema,
        "pattern": _PLAIN,
        _PATTERN_HINTS: "This must be known before a run: write it without '${{ }}'.",
    }


def _any_text(schema: Schema) -> Schema:
    return {**schema, "type": ["string", "number", "boolean"]}


def _named_expressions(schema: Schema) -> Schema:
    named = {**schema, "propertyNames": _NAMES}
    if "items" in schema:
        named |= {"items": {**schema["items"], **_NAMES}, **_NAMES}
    return named


AS_WRITTEN: Final[Mapping[str, Accepts]] = {
    "env": _with(additionalProperties=_TEXT_OF_ANY),
    "labels": _with(additionalProperties=_plain(_TEXT_OF_ANY)),
    "version": _any_text,
    "user": _any_text,
    "workspace": _plain,
    "shell": _plain,
    "outputs": _named_expressions,
    "params": _with(propertyNames=_NAMES),
    "vars": _with(propertyNames=_NAMES),
    "fields": _with(propertyNames=_NAMES),
    "publish": _with(propertyNames=_NAMES),
    "services": _with(propertyNames=_SERVICE_NAMES),
}
"""Keys of which parsing and the compiler's rules know more than their type says."""
