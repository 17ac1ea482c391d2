"""Values that a JSON Schema accepts, and a validator for it: for the few keywords that the schema of specs uses."""

from collections.abc import Callable
from typing import Any, cast

from hypothesis import strategies as st
from jsonschema import Draft7Validator

Schema = dict[str, Any]


def errors(schema: Schema, value: object) -> list[str]:
    """What the schema refuses in `value`: where, and why."""
    validator = Draft7Validator(schema)
    found = cast("Any", validator).iter_errors(value)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in found]


def instances(schema: Schema, root: Schema | None = None) -> st.SearchStrategy[Any]:
    """Values of a schema. Of `if` only that is looked at which gives text an `enum`."""
    root = schema if root is None else root
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        return instances(root["definitions"][name], root)
    if "anyOf" in schema:
        return st.one_of(*(instances(one, root) for one in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", ["null", "boolean", "integer", "string", "array"])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return st.one_of(*(_of_type(kind, schema, root) for kind in kinds))


def _of_type(kind: str, schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    make: dict[str, Callable[[Schema, Schema], st.SearchStrategy[Any]]] = {
        "null": lambda _schema, _root: st.none(),
        "boolean": lambda _schema, _root: st.booleans(),
        "integer": lambda schema, _root: st.integers(
            schema.get("minimum", -1000), schema.get("maximum", 1000)
        ),
        "number": lambda schema, _root: _number(schema),
        "string": lambda schema, _root: _text(schema),
        "array": _list,
        "object": _mapping,
    }
    return make[kind](schema, root)


def _number(schema: Schema) -> st.SearchStrategy[float]:
    open_ = "exclusiveMinimum" in schema
    least = schema.get("exclusiveMinimum", schema.get("minimum", -1000))
    most = schema.get("maximum", 1000)
    floats = st.floats(least, min(most, 2.0**31), exclude_min=open_, width=32)
    return floats | st.integers(least + open_, int(most))


def _list(schema: Schema, root: Schema) -> st.SearchStrategy[list[Any]]:
    if isinstance(schema.get("items"), list):
        first = [instances(one, root) for one in schema["items"]]
        more = st.lists(
            instances(schema["additionalItems"], root),
            min_size=schema["minItems"] - len(first),
            max_size=min(schema["maxItems"] - len(first), 3),
        )
        return st.tuples(*first, more).map(lambda found: [*found[:-1], *found[-1]])
    items = instances(schema.get("items", {"type": "string"}), root)
    return st.lists(items, min_size=schema.get("minItems", 0), max_size=3)


def _text(schema: Schema) -> st.SearchStrategy[str]:
    if "enum" in schema.get("then", {}):
        return st.sampled_from(schema["then"]["enum"])
    if "pattern" in schema and not schema["pattern"].endswith("{\\{)"):
        found = st.from_regex(schema["pattern"].removesuffix("$") + r"\Z", alphabet=_ALPHABET)
    else:
        found = st.text(_ALPHABET, min_size=schema.get("minLength", 0), max_size=20)
        found = found | st.just("${{ 1 }}") if "pattern" not in schema else found
    return found.filter(lambda text: schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 1000))


_ALPHABET = st.characters(min_codepoint=32, max_codepoint=126)


def _mapping(schema: Schema, root: Schema) -> st.SearchStrategy[dict[str, Any]]:
    known = {key: instances(one, root) for key, one in schema.get("properties", {}).items()}
    required = {key: known.pop(key) for key in schema.get("required", ())}
    # A few keys of many: each value stays small enough to be made quickly and to be read.
    most = min(schema.get("maxProperties", 6), 6)
    least = schema["minProperties"] if "maxProperties" in schema else 0
    names_of = (
        st.lists(st.sampled_from(sorted(known)), unique=True, min_size=least, max_size=most)
        if known
        else None
    )
    chosen = st.just([]) if names_of is None else names_of
    found = chosen.flatmap(
        lambda keys: st.fixed_dictionaries({**required, **{key: known[key] for key in keys}})
    )
    rest: Schema | bool = schema.get("additionalProperties", {})
    if not isinstance(rest, bool):
        names = _text({"minLength": 1, **schema.get("propertyNames", {})}).map(lambda name: name[:20])
        more = st.dictionaries(
            names, instances(rest, root), min_size=schema.get("minProperties", 0), max_size=2
        )
        found = st.tuples(found, more).map(lambda both: {**both[1], **both[0]})
    return found.map(lambda value: _settled(value, schema))


def _settled(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """`value` without keys that exclude each other, and without those whose partner is missing."""
    for key, needs in schema.get("dependencies", {}).items():
        if key not in value:
            continue
        if isinstance(needs, dict):
            rule = cast("Schema", needs)
            for other in rule.get("properties", ()):
                value.pop(other, None)
            ways: list[list[str]] = [one["required"] for one in rule.get("anyOf", ({"required": []},))]
        else:
            ways = [needs]
        if not any(all(need in value for need in way) for way in ways):
            value.pop(key)
    return value
