"""A worker of an earlier orca, as a process of its own: the latest plans are too new for it.

Arguments as of `first_host`.
"""

import asyncio
import sys

from orchestrator.plan import model
from tests.workflow.first_host import main

if __name__ == "__main__":
    model.__dict__["PLAN_VERSION"] -= 1
    asyncio.run(main(*sys.argv[1:], decides=True))
