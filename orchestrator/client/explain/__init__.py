"""Why each job of a run ran, waits, was skipped or left out: read from the run's record and its plan. Pure.

The interpreter's own sentences, in the record, say why it left a job out and what its conditions saw; here they stand
beside what the plan asks for and how that ended.
"""

from orchestrator.client.explain.jobs import Explanation, RunExplained, explain_run
from orchestrator.client.explain.text import explanation_json, explanation_lines

__all__ = ["Explanation", "RunExplained", "explain_run", "explanation_json", "explanation_lines"]
