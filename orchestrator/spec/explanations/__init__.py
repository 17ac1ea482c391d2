"""Each code explained: what it means, a spec that is wrong, and the same spec mended.

Words only. A test compiles every example, so none can go stale; what the wrong one says is computed when it is shown.

    explanation.py   what an explanation is
    files.py         E0..: the file itself
    shapes.py        E1..: keys, values, jobs and their order
    kinds.py         E123.., W117, W120: kinds of jobs, transitions, variables
    services.py      E118.., W115..: services and networks
    expressions.py   E2..: `${{ }}`
    warnings.py      W1..: what runs, but hardly as meant
"""

from collections.abc import Mapping
from typing import Final

from orchestrator.spec.explanations.explanation import Explanation
from orchestrator.spec.explanations.expressions import EXPRESSIONS
from orchestrator.spec.explanations.files import FILES
from orchestrator.spec.explanations.kinds import KIND_WARNINGS, KINDS
from orchestrator.spec.explanations.services import SERVICE_SHAPES, SERVICE_WARNINGS
from orchestrator.spec.explanations.shapes import SHAPES
from orchestrator.spec.explanations.warnings import WARNINGS

__all__ = ["EXPLANATIONS", "Explanation"]

EXPLANATIONS: Final[Mapping[str, Explanation]] = {
    found.code: found
    for found in sorted(
        (
            *FILES,
            *SHAPES,
            *SERVICE_SHAPES,
            *KINDS,
            *EXPRESSIONS,
            *WARNINGS,
            *SERVICE_WARNINGS,
            *KIND_WARNINGS,
        ),
        key=lambda found: found.code,
    )
}
"""Every code of the language. Codes never change their meaning: scripts rely on them."""
