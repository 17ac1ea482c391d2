"""The `${{ }}` language: GitHub Actions' expressions to the letter, and orca's additions to their functions.

    numbers, values      what values are and how they become one another
    lexer, parser, syntax    source -> tokens -> tree
    functions, additions, names    GitHub's functions; orca's; which names there are
    survey, analysis, host_calls    what an expression names, and what is wrong with it, without evaluating it
    evaluator, templates    tree + contexts -> value; text with `${{ }}` in it

Pure, bounded and total: replayed workflow code evaluates with it. Standard library and `orchestrator.errors`
only.
"""

from orchestrator.expressions.analysis import Problem, ProblemKind, check, explain
from orchestrator.expressions.evaluator import HostFunctions, Status, evaluate
from orchestrator.expressions.host_calls import HostCall, host_calls
from orchestrator.expressions.lexer import ParseError
from orchestrator.expressions.limits import shared_work
from orchestrator.expressions.names import ALIASES, KNOWN_CONTEXTS, KNOWN_FUNCTIONS
from orchestrator.expressions.parser import parse
from orchestrator.expressions.survey import (
    WILDCARD,
    Call,
    Reference,
    called_functions,
    has_status_function,
    references,
)
from orchestrator.expressions.syntax import Node
from orchestrator.expressions.templates import Hole, Segment, Text, condition, render, segments
from orchestrator.expressions.values import Value, equal, look_up, to_text, truthy

__all__ = [
    "ALIASES",
    "KNOWN_CONTEXTS",
    "KNOWN_FUNCTIONS",
    "WILDCARD",
    "Call",
    "Hole",
    "HostCall",
    "HostFunctions",
    "Node",
    "ParseError",
    "Problem",
    "ProblemKind",
    "Reference",
    "Segment",
    "Status",
    "Text",
    "Value",
    "called_functions",
    "check",
    "condition",
    "equal",
    "evaluate",
    "explain",
    "has_status_function",
    "host_calls",
    "look_up",
    "parse",
    "references",
    "render",
    "segments",
    "shared_work",
    "to_text",
    "truthy",
]
