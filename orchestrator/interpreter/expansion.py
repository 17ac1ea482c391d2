"""From a job's `strategy` and the values of this moment to its variants. The rules are in `plan.variants`."""

from orchestrator.contract.messages import RunRequest
from orchestrator.expressions import render
from orchestrator.interpreter.requests import place, plain, scope
from orchestrator.interpreter.state import RunState
from orchestrator.plan import variants
from orchestrator.plan.file_hashes import known_hashes
from orchestrator.plan.model import Node, Variant
from orchestrator.plan.parts import Json, Template


def expand(node: Node, request: RunRequest, state: RunState) -> tuple[Variant, ...]:
    """The variants of a job; those of a static matrix or list are in its node.

    Raises ExpressionError or VariantsError, the place in its message.
    """
    strategy = node.strategy
    if strategy is None or not strategy.dynamic:
        return node.variants
    with place(f"`{'for_each' if strategy.matrix is None else 'matrix'}` of job '{node.name}'"):
        contexts = scope(request, state)
        functions = known_hashes(request.file_hashes)

        def evaluate(template: Template) -> Json:
            return plain(render(template, contexts, functions=functions))

        return variants.expand(strategy, evaluate, title=node.title)
