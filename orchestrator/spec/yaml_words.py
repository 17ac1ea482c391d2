"""The YAML reader's complaints in plain English. Words only; it reads no YAML."""

# A table of sentences reads best with one on each line.
# ruff: noqa: E501
from typing import Any, Final

from orchestrator.spec import text as texts

_PLAIN: Final = (
    ("mapping values are not allowed", "a ':' is not possible here; put the text in quotes, or check the indentation"),
    ("could not find expected ':'", "a ':' is missing after this key, or a quote is not closed"),
    ("did not find expected key", "the indentation does not match the lines above, or a quote or bracket is not closed"),
    ("did not find expected '-'", "a list item must begin with '-' and be indented like the ones above"),
    ("did not find expected ',' or ']'", "a ',' or ']' is missing in this list"),
    ("did not find expected ',' or '}'", "a ',' or '}' is missing in this mapping"),
    ("did not find expected node content", "a value is missing here"),
    ("did not find expected <document start>", "the text goes on after the end of the document; check the indentation"),
    ("did not find expected <stream-start>", "the text cannot be read from its beginning"),
    ("found character that cannot start any token", "this character cannot begin a value; put the text in quotes (and indent with spaces, not tabs)"),
    ("found a tab character", "a tab is used for indentation; use spaces"),
    ("unexpected end of stream", "a quote is not closed before the end of the file"),
    ("found unexpected end of stream", "a quote is not closed before the end of the file"),
    ("found unknown escape character", "this escape does not exist in double quotes; use single quotes, or write the backslash twice"),
    ("found unexpected ':'", "a ':' is not possible here; put the text in quotes"),
    ("block sequence entries are not allowed", "a list cannot begin here; put it on the next line, indented"),
    ("found incompatible yaml document", "this version of YAML is not supported; leave the %YAML line out"),
    ("found duplicate %yaml directive", "the %YAML line stands twice; leave it out"),
    ("found undefined tag handle", "tags (`!name`) are not supported; put the text in quotes"),
    ("did not find expected alphabetic or numeric", "the name of an anchor or alias is missing after '&' or '*'; put the text in quotes if it is none"),
    ("block collections are not allowed", "a list or mapping cannot begin here; put it on the next line, indented"),
    ("did not find the expected", "the indentation or the order of the signs is wrong here"),
)  # fmt: skip


def explain(error: Any, text: str) -> tuple[int, int, str]:
    """Line and column, from 0, and a sentence for an error of the YAML reader."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    if mark is not None:
        line, column = mark.line, mark.column
    else:
        line, column = texts.place(text, min(int(getattr(error, "position", 0) or 0), len(text)))
    lowered = f"{getattr(error, 'context', None) or ''} {problem}".lower()
    words = next((words for start, words in _PLAIN if start in lowered), None)
    message = f"not valid YAML: {words}" if words else f"not valid YAML: {problem}"
    begin = getattr(error, "context_mark", None)
    if begin is not None and begin.line != line:
        message += f" (in what begins in line {begin.line + 1})"
    shown = texts.lines(text)
    if line >= len(shown):
        # The reader's end of the text lies on a line that is not there.
        line, column = len(shown) - 1, len(shown[-1])
    if line < len(shown) and "${{" in shown[line] and any(sign in shown[line] for sign in "[{"):
        message += "; text that holds '${{ }}' inside [ ] or { } must be in quotes"
    return line, column, message
