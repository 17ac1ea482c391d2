"""Ending a process that has used Temporal's SDK."""

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with `code`, all output written, without the interpreter's own tear-down.

    The SDK's native threads may still answer a call while Python tears itself down, and then abort the process with a
    wrong exit code (temporalio/sdk-python, issue 300).
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # The reader has gone; nobody is left to be told.
            stream.flush()
    os._exit(code)
