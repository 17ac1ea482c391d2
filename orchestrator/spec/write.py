"""A spec as YAML text, from plain Python values: what `parse` reads again as the same values."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

_PLAIN: Final = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./-]|:(?=[A-Za-z0-9_./]))*(?: [A-Za-z0-9_./-]+)*")
_NO_TEXT: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for something else than text."""


class _Writer(yaml.SafeDumper):
    """Quotes every text that is not plainly one: PyYAML's own rules are those of YAML 1.1."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts out: an anchor is nothing that a person would have written."""
        return True


def _text(_: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'"
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT:
        style = None
    elif "\n" in text and text.isprintable() is False and _fits_a_block(text):
        style = "|"
    elif not text.isprintable():
        style = '"'
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)


def _fits_a_block(text: str) -> bool:
    """Whether a literal block holds the text as it is."""
    lines = text.split("\n")
    return all(line.isprintable() and line == line.rstrip() for line in lines) and not text[0].isspace()


_Writer.add_representer(str, _text)


def write_spec(spec: Mapping[str, Any]) -> str:
    """The text of a spec.

    Args:
        spec: as YAML would be read: mappings, lists and tuples, texts, numbers, booleans and None.

    Raises:
        ValueError: it holds something else; the message names its type.
    """
    try:
        return yaml.dump(
            _plain(spec),
            Dumper=_Writer,
            sort_keys=False,
            allow_unicode=True,
            width=110,
            default_flow_style=False,
        )
    except yaml.YAMLError as error:
        raise ValueError(f"a spec cannot hold this: {error}") from error


def _plain(value: Any) -> Any:
    """Tuples as lists, mappings as dicts."""
    match value:
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple():
            return [_plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
