"""Regular expressions of params and of services' logs. Pure, and linear in the text: none can take for ever.

The syntax is that of Rust's `regex`, which pydantic brings: all of the usual but look-around and backreferences. A
pattern must be found somewhere in the text, as in JSON Schema; anchor it with `^` and `$` to match the whole.
"""

import re
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

MAX_LENGTH: Final = 1000
"""Characters of a pattern."""
MAX_WEIGHT: Final = 25_000
"""What a pattern may weigh: about 0.1 s to compile."""
BASE_WEIGHT: Final = 50
"""What any pattern weighs on top, when those of one spec are added up."""
MAX_TOTAL_WEIGHT: Final = 150_000
"""What all patterns of one spec may weigh."""
_CLASS: Final = 100
"""What `\\w`, `\\p{L}` and the like weigh, which stand for hundreds of ranges; all else weighs 1."""
_MANY: Final = re.compile(r"\{(\d{0,9})(?:,(\d{0,9}))?\}")
_ATOM: Final = re.compile(r"\\[wWdDsSpP]|\[(?:\\.|[^\]\\])*\]|\\.|.", re.DOTALL)


def problem(pattern: str) -> str | None:
    """Why `pattern` cannot be used, as the end of a sentence, if it cannot."""
    if len(pattern) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    if weight(pattern) > MAX_WEIGHT:
        return "it repeats too much, written out"
    try:
        _compiled(pattern)
    except SchemaError as error:
        return str(error).rpartition("error: ")[2].strip().replace("\n", " ")
    return None


def is_found(pattern: str, text: str) -> bool:
    """Whether `pattern`, with which there is no problem, is found in `text`."""
    try:
        _compiled(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


def weight(pattern: str) -> int:
    """About how large the pattern is with its counted repetitions written out."""
    sums, last, at = [0], 0, 0
    while at < len(pattern):
        if pattern[at] == "{" and (many := _MANY.match(pattern, at)):
            counts = [int(count) for count in many.groups() if count]
            last *= max([1, *counts])
            at = many.end()
            continue
        sums[-1] += last
        found = _ATOM.match(pattern, at)
        atom = found[0] if found else pattern[at]
        at += len(atom)
        last = 1
        if atom == "(":
            sums.append(0)
            last = 0
        elif atom == ")" and len(sums) > 1:
            last = sums.pop()
        elif re.search(r"\\[wWdDsSpP]", atom):
            last = _CLASS
    return sum(sums) + last


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
