"""Validators of single values: short forms become long ones, and what is wrong is said in plain English.

Each takes plain data and returns plain data, or raises `wrong(...)` whose text goes on after the value's
name, as in "'timeout' of job 'build' *must be …*". They know no other part of the spec.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic_core import PydanticCustomError

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, segments
from orchestrator.plan import durations
from orchestrator.sizes import parse_size

WRONG: Final = "orca_wrong"
COMPLETIONS: Final = ("success", "failure", "always")
"""Words after `on_complete` that are a condition; another text names a job."""

MIN_MEMORY: Final = 6 * 1024 * 1024
"""Bytes; Docker refuses less."""
_EXAMPLES: Final = "a number of seconds or a duration such as '90s', '5m' or '1h30m'"


def wrong(wish: str, choices: Sequence[str] = (), *, complete: bool = False) -> PydanticCustomError:
    """The error that a value is not as it must be.

    Args:
        wish: What must stand there, as in "must be a list".
        choices: Words from which the one that was probably meant is suggested.
        complete: The wish says all; the value that was found is not added.
    """
    return PydanticCustomError(
        WRONG, "{wish}", {"wish": wish, "choices": tuple(choices), "complete": complete}
    )


def something(value: Any) -> Any:
    """Anything but nothing."""
    if value is None:
        raise wrong("has no value; write one or remove the key", complete=True)
    return value


def many(value: Any) -> tuple[Any, ...]:
    """A list; one text or number alone counts as a list of one."""
    if isinstance(value, list | tuple):
        return tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, str | int) and not isinstance(value, bool):
        return (value,)
    raise wrong("must be a list")


def listed(value: Any) -> tuple[Any, ...]:
    """A list that has at least one item."""
    if isinstance(value, list) and value:
        return tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    raise wrong("must be a list with at least one item", complete=value == [])


def mapping(value: Any) -> Any:
    """A mapping; the items are checked by the field."""
    if not isinstance(value, dict):
        raise wrong("must be a mapping of names to values")
    return value  # pyright: ignore[reportUnknownVariableType]


def some_jobs(value: Any) -> Any:
    """A mapping with at least one job."""
    if not isinstance(value, dict):
        raise wrong("must be a mapping of job names to jobs")
    if not value:
        raise wrong("must name at least one job", complete=True)
    return value  # pyright: ignore[reportUnknownVariableType]


def duration(value: Any) -> float:
    """Seconds, 0 included."""
    seconds = durations.duration(value)
    if seconds is None:
        raise wrong(f"must be {_EXAMPLES}")
    return seconds


def positive_duration(value: Any) -> float:
    """Seconds, more than 0."""
    seconds = duration(value)
    if seconds <= 0:
        raise wrong("must be longer than 0 seconds")
    return seconds


def memory(value: Any) -> int:
    """Bytes, at least what Docker accepts."""
    size = parse_size(value)
    if size is None:
        raise wrong("must be a number of bytes or a size such as '512m', '1g' or '64MiB'")
    if size < MIN_MEMORY:
        raise wrong("must be at least '6m', which is the least that Docker accepts")
    return size


def cpus(value: Any) -> float:
    """A number of processors, as a number or as text."""
    if isinstance(value, str) and len(value) < 20:
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise wrong("must be a number of processors greater than 0, such as 2 or '0.5'")
    return float(value)


def retry(value: Any) -> Any:
    """A number is short for `max_attempts`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"max_attempts": value}
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType]
    raise wrong("must be a number of tries, or a mapping with 'max_attempts', 'delay' and so on")


def requirement(value: Any) -> Any:
    """A text is short for `job`."""
    if isinstance(value, str):
        return {"job": value}
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType]
    raise wrong("must be a job's name, or a mapping with 'job' and 'condition'")


def param(value: Any) -> Any:
    """A name with nothing after it is a param with all defaults."""
    return {} if value is None else value


def condition(value: Any) -> str:
    """`if` and `unless`: text, or true or false."""
    if isinstance(value, bool):
        return "${{ true }}" if value else "${{ false }}"
    if not isinstance(value, str):
        raise wrong("must be an expression such as ${{ params.deploy }}")
    if not value.strip():
        raise wrong("has no value; write one or remove the key", complete=True)
    return value


def expression(value: Any) -> str:
    """A text; a number, true or false becomes the expression that is it, and so keeps its type."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return "${{ " + json.dumps(value) + " }}"
    raise wrong("must be text, a number, or an expression such as ${{ jobs.build.outputs.image }}")


def outputs_form(value: Any) -> str | None:
    """Which of the two forms of `outputs` it is."""
    if isinstance(value, dict):
        return "\0map"
    return "\0list" if isinstance(value, list | tuple | str) else None


def matrix(value: Any) -> Any:
    """A mapping of axes, or one expression."""
    return _filled(value, dict, "name at least one axis", "a mapping of axes to their values", "matrix")


def axis(value: Any) -> Any:
    """The values of an axis: a list, or one expression."""
    return _filled(value, list, "be a list with at least one value", "a list of values", "versions")


def entries(value: Any) -> Any:
    """`include` and `exclude`: a list, or one expression."""
    if isinstance(value, list):
        return tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return _expression_or("a list of mappings", "entries", value)


def entry(value: Any) -> Any:
    """One of `include` or `exclude`: a mapping with at least one key, or one expression."""
    return _filled(value, dict, "name at least one value", "a mapping of names to values", "entry")


def items(value: Any) -> Any:
    """`for_each`: a list, a mapping, or one expression."""
    if isinstance(value, list | dict):
        return value  # pyright: ignore[reportUnknownVariableType]
    return _expression_or("a list, a mapping", "files", value)


def _filled(value: Any, kind: type[Any], least: str, wish: str, output: str) -> Any:
    """`value` where it is a `kind` with something in it, or one expression; else the error that it must `least`."""
    if not isinstance(value, kind):
        return _expression_or(wish, output, value)
    if not value:
        raise wrong(f"must {least}", complete=True)
    return value


def _expression_or(wish: str, output: str, value: Any) -> str:
    """`value` where it is one expression, else the error that it is not what `wish` says either."""
    if not is_expression(value):
        if isinstance(value, str) and "${{" in value:
            raise wrong(
                f"must be {wish}, or one '${{{{ }}}}' with no text beside it: with text it is text",
                complete=True,
            )
        raise wrong(
            f"must be {wish}, or one expression such as ${{{{ fromJSON(jobs.list.outputs.{output}) }}}}"
        )
    return str(value).rstrip()  # what a block scalar leaves behind it would make it a text


def map_or_text(value: Any) -> str | None:
    """Which of the two forms a `matrix` has."""
    return "\0text" if isinstance(value, str) else "\0map"


def list_or_text(value: Any) -> str | None:
    """Which of the two forms `include` or `exclude` has."""
    return "\0text" if isinstance(value, str) else "\0list"


def is_expression(value: Any) -> bool:
    """Whether `value` is one whole `${{ }}`, which can give any value; what is wrong inside is for others to say."""
    if not isinstance(value, str) or not value.startswith("${{"):
        return False
    try:
        found = segments(value.rstrip())
    except ExpressionError:
        return True
    return len(found) == 1 and isinstance(found[0], Hole)


def job_title(value: Any) -> Any:
    """What people are shown for a job: one line of text."""
    return _one_line(value)


def on_error(value: Any) -> Any:
    """What a failure means."""
    if isinstance(value, bool):
        raise wrong("must be 'continue' for a job that may fail, or 'stop'")
    return _word(value, ("stop", "continue", "hold"))


def on_complete(value: Any) -> Any:
    """One of three words, or a list of jobs; another text counts as a list of one."""
    if isinstance(value, list):
        return tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, str):
        return value if value in COMPLETIONS else (value,)
    raise wrong(f"must be {one_of_words(COMPLETIONS)}, or a list of jobs to go to")


def word_or_list(value: Any) -> str | None:
    """Which of the two forms `on_complete` has."""
    return "\0list" if isinstance(value, tuple) else "\0word"


def pull(value: Any) -> Any:
    """`if_not_present` is another word for `missing`."""
    if value in ("if_not_present", "if-not-present"):
        return "missing"
    return _word(value, ("missing", "if_not_present", "always", "never"))


def one_of(words: Sequence[str]) -> Callable[[Any], Any]:
    """A validator that accepts these words alone."""

    def check(value: Any) -> Any:
        return _word(value, words)

    return check


def env_name(value: str) -> str:
    """A name that the environment of a process can hold."""
    if not value or "=" in value:
        raise wrong(
            "is not a name that an environment can hold: it must not be empty or hold '='", complete=True
        )
    return value


def spec_name(value: Any) -> str:
    """One line of text."""
    return _one_line(value)


def _one_line(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise wrong("must be text")
    if len(value) > 200 or any(ord(char) < 32 for char in value):
        raise wrong("must be one line of at most 200 characters", complete=True)
    return value


def _word(value: Any, words: Sequence[str]) -> Any:
    if not isinstance(value, str) or value not in words:
        raise wrong(f"must be {one_of_words(words)}", words)
    return value


def one_of_words(words: Sequence[str]) -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
