"""A worker as `orca worker` starts it, whose SDK never brings its shutdown to an end.

`python -m tests.workflow.hanging_host await`: it is waited for without end; `block`: it holds up the event loop.
"""

import asyncio
import sys
import time

from temporalio.bridge.worker import Worker

from workers.main import main


async def hang(self: Worker) -> None:
    """As the SDK does against a server that does not let it go."""
    if sys.argv[1] == "block":
        time.sleep(3600)  # noqa: ASYNC251 - this is what is tried
    await asyncio.Event().wait()


if __name__ == "__main__":
    Worker.finalize_shutdown = hang
    main()
