"""`schema`: the JSON Schema of specs, for editors. Needs neither Temporal nor Docker."""

from orchestrator.cli import output


def schema() -> None:
    """Print the JSON Schema of workflow files, which editors check and complete with."""
    from orchestrator.spec.schema import spec_schema

    output.data_json(spec_schema())
