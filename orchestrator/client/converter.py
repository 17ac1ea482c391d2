"""How values and failures are written in Temporal: pydantic's JSON, and failures without our own stack frames.

Shared by clients and workers, which must agree on it.
"""

import dataclasses

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError


class ReadableFailures(DefaultFailureConverter):
    """Leaves out the stack of failures that orca raises on purpose: a person reads them in the Web UI.

    Those are the ApplicationErrors that carry details (an outcome, a record). A fault of orca itself keeps its stack.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Write `exception` into `failure`."""
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError) and exception.details:
            failure.stack_trace = ""


data_converter = dataclasses.replace(pydantic_data_converter, failure_converter_class=ReadableFailures)
