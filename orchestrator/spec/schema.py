"""The language as a JSON Schema, for editors: read from the models and from what their validators accept.

Draft 7, and not 2020-12: yaml-language-server and what embeds it have read draft 7 for years and later drafts only
recently, and nothing here needs more. Nothing stands beside a `$ref`, which draft 7 would ignore.

The schema never refuses what the compiler accepts. What it cannot say, such as whether a job exists, it leaves to
`orca validate`.
"""

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from orchestrator.spec.accepted import AS_WRITTEN, Schema, accepted_by, either
from orchestrator.spec.key_texts import KEY_TEXTS
from orchestrator.spec.model import JOB_KINDS, JobShape, ParamShape, ServiceShape, Spec
from orchestrator.spec.service_shapes import PortWords
from orchestrator.spec.values import Shape

DRAFT: Final = "http://json-schema.org/draft-07/schema#"


def spec_schema() -> Schema:
    """The JSON Schema of a whole spec."""
    schema: Schema = {
        "$schema": DRAFT,
        "title": "orca workflow",
        "description": "A workflow of containers, functions, people and other workflows.",
        **_object(Spec),
    }
    schema["definitions"] = {name: _object(shape) for shape, name in _DEFINED.items()}
    schema["definitions"]["param"].update(_fitting_values())
    schema["definitions"]["job"].update(_together())
    # Without an image for all, each job needs its own or is of another kind.
    has_image: Schema = {"required": ["defaults"], "properties": {"defaults": {"required": ["image"]}}}
    of_some_kind: Schema = {"anyOf": [{"required": [key]} for key in ("image", *JOB_KINDS)]}
    schema["if"] = has_image
    schema["else"] = {"properties": {"jobs": {"additionalProperties": of_some_kind}}}
    return schema


_DEFINED: Final[Mapping[type[Shape], str]] = {
    JobShape: "job",
    ParamShape: "param",
    ServiceShape: "service",
}
"""Shapes that stand under a name of their own, as many values have them; all others stand where they are used."""


def _object(shape: type[Shape]) -> Schema:
    hints = get_type_hints(shape, include_extras=True)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for name, field in shape.model_fields.items():
        key = field.alias or name
        properties[key] = {
            **_said(shape, key, field),
            **AS_WRITTEN.get(key, lambda found: found)(_of(hints[name])),
        }
        if field.is_required():
            required.append(key)
    found: Schema = {
        "type": "object",
        "additionalProperties": _others(shape, hints),
        "properties": properties,
    }
    return {**found, "required": required} if required else found


def _others(shape: type[Shape], hints: Mapping[str, Any]) -> bool | Schema:
    """What keys beside the shape's own may hold: nothing, or an axis of a matrix."""
    if shape.model_config.get("extra") == "forbid":
        return False
    return _of(get_args(hints["__pydantic_extra__"])[1])


def _said(shape: type[Shape], key: str, field: FieldInfo) -> Schema:
    """What is said of a key: its text, with its default, and examples."""
    text = KEY_TEXTS[shape][key]
    said: Schema = {"description": text.text}
    default: Any = None if field.is_required() else field.get_default(call_default_factory=True)
    if text.default:
        said["description"] += f" Default: {text.default}."
    elif isinstance(default, bool | int | float | str) and default != "":
        said["default"] = default
    if text.examples:
        said["examples"] = list(text.examples)
    return said


def _of(kind: Any) -> Schema:
    """The schema of a type as the models write it."""
    if isinstance(kind, type) and issubclass(kind, Shape):
        return {"$ref": f"#/definitions/{_DEFINED[kind]}"} if kind in _DEFINED else _object(kind)
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    return _GENERIC[get_origin(kind)](get_args(kind))


def _dict(arguments: tuple[Any, ...]) -> Schema:
    found: Schema = {"type": "object", "additionalProperties": _of(arguments[1])}
    names = {key: value for key, value in _of(arguments[0]).items() if key != "type"}
    return {**found, "propertyNames": names} if names else found


def _union(arguments: tuple[Any, ...]) -> Schema:
    # None only stands for a key that is not there.
    return either(_of(one) for one in arguments if one is not types.NoneType)


def _annotated(schema: Schema, notes: Iterable[Any]) -> Schema:
    for note in notes:
        for one in note.metadata if isinstance(note, FieldInfo) else (note,):
            schema = _noted(schema, one)
    return schema


def _noted(schema: Schema, note: Any) -> Schema:
    match note:
        case BeforeValidator():
            return accepted_by(note.func)(schema)
        case annotated_types.Ge():
            return {**schema, "minimum": note.ge}
        case annotated_types.Le():
            return {**schema, "maximum": note.le}
        case annotated_types.MinLen():
            return {**schema, "minLength": note.min_length}
        case _:
            return schema


_GENERIC: Final[Mapping[Any, Callable[[tuple[Any, ...]], Schema]]] = {
    Annotated: lambda arguments: _annotated(_of(arguments[0]), arguments[1:]),
    Literal: lambda arguments: {"type": "string", "enum": list(arguments)},
    Union: _union,
    types.UnionType: _union,
    tuple: lambda arguments: {"type": "array", "items": _of(arguments[0])},
    dict: _dict,
}
_SCALARS: Final[Mapping[Any, Schema]] = {
    list[Any]: {"type": "array"},
    dict[str, Any]: {"type": "object"},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    PortWords: {},
    Any: {},
}


def _together() -> Schema:
    """Which keys of a job need another, and which exclude each other."""
    either_of: Schema = {"anyOf": [{"required": ["matrix"]}, {"required": ["for_each"]}]}
    return {
        "dependencies": {
            "include": ["matrix"],
            "exclude": ["matrix"],
            "batch_size": ["for_each"],
            "max_parallel": either_of,
            "fail_fast": either_of,
            "matrix": {"properties": {"for_each": False}},
        },
    }


def _fitting_values() -> Schema:
    """A param's default and allowed values are of its type; null as a default means that there is none."""
    kinds = ("integer", "number", "boolean", "array", "object")
    rules = [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": kind}}},
            "then": {"properties": {"default": {"type": [kind, "null"]}, "enum": {"items": {"type": kind}}}},
        }
        for kind in kinds
    ]
    text = {"properties": {"default": {"type": ["string", "null"]}, "enum": {"items": {"type": "string"}}}}
    return {"allOf": [*rules, {"if": {"properties": {"type": {"const": "string"}}}, "then": text}]}
