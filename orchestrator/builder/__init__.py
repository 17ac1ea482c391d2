"""Workflows written in Python. They say what a YAML spec says, and become one: the compiler sees no difference.

from orchestrator.builder import Step, Workflow

workflow = Workflow("refresh", steps=[Step.call("ingest", "feeds:ingest"), Step.wait("pause", "5m")])
print(workflow.to_yaml())
"""

from orchestrator.builder.steps import Step
from orchestrator.builder.workflow import Workflow

__all__ = ["Step", "Workflow"]
