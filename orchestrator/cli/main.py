"""The `orca` command: help without loading anything, the commands, and the one place where an error is an exit code."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; ends the process with one of the exit codes of `overview.EXIT_CODES`."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        from orchestrator.cli.overview import show

        sys.exit(show(2 if not words else 0))
    from orchestrator.client.leave import leave

    leave(_run())


def _run() -> int:
    from orchestrator.cli.app import app
    from orchestrator.cli.output import INTERRUPTED, fail
    from orchestrator.errors import OrcaError

    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except OrcaError as error:
        fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has gone: not an error, and nothing more can be printed.
        return 0
    return 0
