"""Conditions that ask `success()`, `failure()` or `cancelled()` where there is only one answer. Warnings, each certain.

What these functions say of a job is `interpreter.contexts.status_for`; a job that runs after everything else asks how
the whole run stands, so nothing is known of it here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orchestrator.compile.certain import decided
from orchestrator.compile.draft import Draft
from orchestrator.compile.edges import Edge
from orchestrator.compile.lints import tell_idle, whole_expression
from orchestrator.compile.spare import graph_is_right
from orchestrator.errors import ExpressionError
from orchestrator.expressions.syntax import FunctionCall
from orchestrator.spec.diagnostics import Diagnostic

_AFTER_CANCEL: Final = (
    ", as no normal job starts once the run is cancelled; "
    "a job that shall run then needs 'on_complete: always' and no 'requires'"
)
_WITHOUT_FAILURE: Final = ("success", "skipped")
"""Conditions of a requirement that are met only if it did not fail, or was allowed to."""


def idle_status(draft: Draft, errors: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """A condition that comes out the same in every run because of what its status functions can say there.

    That a condition with edges never stops the job is not told: `always()` there says that it waits for them however
    they end.
    """
    if not graph_is_right(errors):
        return
    for name, job in draft.spec.jobs.items():
        edges = draft.graph.edges[name]
        for key, text in (("if", job.if_), ("unless", job.unless)):
            whole = None if text is None or "(" not in text else whole_expression(text)
            if text is None or whole is None:
                continue
            source, offset = whole
            ways = draft.graph.ways.get(name, ())
            known = _known(edges, final=name in draft.graph.final, started=bool(ways))
            try:
                found = decided(source, known) if decided(source) is None else None
            except ExpressionError:
                continue  # E201 tells
            if found is None or (found[0] is (key == "if") and (edges or ways)):
                continue
            why = _why(found[1].name.lower(), edges) if isinstance(found[1], FunctionCall) else ""
            why += "; remove it" if found[0] is (key == "if") else ""
            yield from tell_idle(draft, ("jobs", name, key), text, source, offset, found, why)


def _known(edges: Sequence[Edge], *, final: bool, started: bool) -> Mapping[str, bool]:
    """What status functions say whenever the condition of a job with these edges is asked.

    Of one that transitions start (`started`) they ask the jobs that these come from too, which may have failed.
    """
    if final:
        return {"always": True}
    known = {"always": True, "cancelled": False}
    if not started and all(edge.condition in _WITHOUT_FAILURE for edge in edges):
        known |= {"success": True, "failure": False}
    return known


def _why(function: str, edges: Sequence[Edge]) -> str:
    if function == "cancelled":
        return _AFTER_CANCEL
    if function == "always":
        return ""
    if not edges:
        return ", as the job requires none whose end it could ask"
    return ", as the job starts only if none of those that it requires failed"
