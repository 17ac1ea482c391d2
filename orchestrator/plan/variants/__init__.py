"""From a matrix or a list to the variants of a job, by GitHub Actions' rules. Pure.

limits        what expanding may cost, and the error that it cannot be done
checks        what can be said of a matrix before it is expanded
combinations  excludes, then includes
names         how variants are called
expand        all of it together
"""

from orchestrator.plan.variants.checks import check_matrix
from orchestrator.plan.variants.expand import expand, expand_items, expand_matrix
from orchestrator.plan.variants.limits import MAX_VARIANTS, Effort, Fault, VariantsError
from orchestrator.plan.variants.names import MAX_NAME

__all__ = [
    "MAX_NAME",
    "MAX_VARIANTS",
    "Effort",
    "Fault",
    "VariantsError",
    "check_matrix",
    "expand",
    "expand_items",
    "expand_matrix",
]
