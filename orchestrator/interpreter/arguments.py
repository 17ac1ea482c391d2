"""What stands in `with`, in the values of this moment."""

from collections.abc import Mapping

from orchestrator.contract.calls import MAX_ARGUMENTS_BYTES, CallRequest
from orchestrator.contract.messages import RunRequest
from orchestrator.errors import ExpressionError
from orchestrator.expressions import render
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.requests import place, plain, scope
from orchestrator.interpreter.state import RunState
from orchestrator.interpreter.telling import size_of
from orchestrator.plan.file_hashes import known_hashes
from orchestrator.plan.model import CallNode
from orchestrator.plan.parts import Json, Template
from orchestrator.plan.variants.values import filled

MAX_GIVEN_BYTES = 1_500_000
"""All that a function is given, params and outputs included: Temporal takes 2 MB."""


def evaluate_arguments(
    arguments: Mapping[str, Json], leaf: JobState, request: RunRequest, state: RunState, *, try_number: int
) -> dict[str, Json]:
    """`with` of a job, to plain JSON. Raises ExpressionError with the place in its message."""
    contexts = scope(request, state, leaf=leaf, try_number=try_number)
    functions = known_hashes(request.file_hashes)

    def evaluate(template: Template) -> Json:
        return plain(render(template, contexts, functions=functions))

    values: dict[str, Json] = {}
    for name, value in arguments.items():
        with place(f"`with.{name}` of job '{leaf.key}'"):
            values[name] = filled(value, evaluate)
    return values


def call_request(
    node: CallNode, leaf: JobState, request: RunRequest, state: RunState, *, try_number: int
) -> CallRequest:
    """The request for one try of a call.

    Raises ExpressionError with the place in its message, also where a function would be given too much.
    """
    sources = dict.fromkeys([edge.job for edge in (*node.requires, *node.triggers)])
    found = CallRequest(
        run_id=state.run_id,
        attempt=state.attempt,
        job=node.name,
        variant=leaf.variant.name if leaf.variant else None,
        try_number=try_number,
        spec=state.plan.spec,
        function=node.function,
        arguments=evaluate_arguments(node.arguments, leaf, request, state, try_number=try_number),
        params=request.params,
        outputs={name: outputs for name in sources if (outputs := state.jobs[name].outputs)},
        vars=state.vars,
        timeout=node.timeout,
        stop_grace=node.stop_grace,
    )
    if (size := size_of(found.arguments)) > MAX_ARGUMENTS_BYTES:
        raise ExpressionError(
            f"`with` of job '{leaf.key}' takes {size:,} bytes as JSON, and {MAX_ARGUMENTS_BYTES:,} is the limit; put "
            "large data where the function finds it and give it the place"
        )
    if (size := len(found.model_dump_json())) > MAX_GIVEN_BYTES:
        raise ExpressionError(
            f"what the function of job '{leaf.key}' is given (`with`, params, variables, and outputs of the jobs that "
            f"it requires) takes {size:,} bytes as JSON, and {MAX_GIVEN_BYTES:,} is the limit"
        )
    return found
