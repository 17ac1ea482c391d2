"""What makes two plans the same. Pure."""

import hashlib

from orchestrator.plan.model import Plan


def digest(plan: Plan) -> str:
    """The SHA-256 of the plan's canonical JSON, as 64 hex digits.

    Canonical: fields in the order of the model, mappings in the order of the spec (an `env` value may read those
    before it, so their order has a meaning), no white space, UTF-8.
    """
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()
