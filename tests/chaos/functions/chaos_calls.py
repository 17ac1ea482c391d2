"""What the chaos workflow calls. Each start leaves a line in the file that `CHAOS_CALLS` names."""

import os
import time
from pathlib import Path
from typing import Any

from orchestrator.handlers import Context


def add(ctx: Context, config: dict[str, Any]) -> dict[str, Any]:
    """Add the numbers up to `upto`, slowly, with a numbered line for each."""
    with Path(os.environ["CHAOS_CALLS"]).open("ab", buffering=0) as starts:
        starts.write(f"{ctx.run_id} {ctx.job} {ctx.try_number}\n".encode())
    total = 0
    for number in range(1, config["upto"] + 1):
        total += number
        ctx.log(f"line {number}")
        time.sleep(0.15)
    return {"total": total}
