"""The workflow of a round: jobs of every kind, which show by what they leave whether they were done once and whole.

Containers print numbered lines, collect a file whose content is known, and say which try they are. None of them fails
by itself, but for those that are there to fail.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

IMAGE: Final = "alpine:latest"
NUMBERS: Final = 2000
"""Lines of each artifact: the numbers from 1 on."""
TRIES: Final = 15
BUSY: Final = 75
"""Exit code of the job that fails at first and is retried."""
HELD: Final = 7
"""Exit code of the job that fails at first and is held."""
NO_SERVICE: Final = 9
"""Exit code of a job whose service does not answer."""
ENDED_BY_ENGINE: Final = (137, 143, 255)
"""Exit codes of containers that their engine ended, or did not see end."""
NOT_WHOLE: Final = 11
"""Exit code of a job that was handed an artifact that is not what was collected."""
CALL_UPTO: Final = 12
SERVICE_PACE: Final = 0.2
"""Seconds between two lines of a service."""
OWN_SERVICE: Final = ("beside", "web")
"""The job that has a service of its own, and that."""
SHARED_SERVICE: Final = "shared"
"""The service that jobs share."""


@dataclass(frozen=True)
class Leaf:
    """What a job, or one of its variants, leaves when it has succeeded."""

    kind: str = "container"
    status: str = "success"
    lines: int = 0
    """Numbered ones in its log."""
    pace: float = 0.0
    """Seconds that pass at least after each of them."""
    artifact: bool = False
    """It collected the numbers."""
    outputs: Mapping[str, Any] | None = None
    """Those that are known before; None: not looked at."""
    first_exit: int | None = None
    """The exit code of its first try, which fails on purpose."""

    @property
    def lasts(self) -> float:
        """Seconds that it takes at least."""
        return self.lines * self.pace


MAIN: Final[Mapping[str, Leaf]] = {
    "steady": Leaf(lines=40, pace=0.1, artifact=True),
    "burst": Leaf(lines=6000),
    "seed": Leaf(lines=3, pace=0.05, outputs={"items": [1, 2], "number": 3}),
    "grid (1, x)": Leaf(lines=12, pace=0.1, artifact=True),
    "grid (1, y)": Leaf(lines=12, pace=0.1, artifact=True),
    "grid (2, x)": Leaf(lines=12, pace=0.1, artifact=True),
    "made (1)": Leaf(lines=8, pace=0.1),
    "made (2)": Leaf(lines=8, pace=0.1),
    "items (a)": Leaf(lines=6, pace=0.1),
    "items (b)": Leaf(lines=6, pace=0.1),
    "items (c)": Leaf(lines=6, pace=0.1),
    "beside": Leaf(lines=15, pace=0.1),
    "sharing (1)": Leaf(lines=10, pace=0.1),
    "sharing (2)": Leaf(lines=10, pace=0.1),
    "shares": Leaf(lines=5, pace=0.1),
    "confirm": Leaf(kind="gate", outputs={"word": "go", "decision": "approve", "approved_by": ["ann"], "comment": ""}),
    "confirmed": Leaf(lines=2, pace=0.05),
    "nap": Leaf(kind="wait"),
    "way": Leaf(kind="choice", outputs={"branch": 1, "default": False, "chosen": ["taken"]}),
    "taken": Leaf(lines=2, pace=0.05),
    "untaken": Leaf(status="skipped"),
    "adds": Leaf(kind="call", lines=CALL_UPTO, outputs={"total": CALL_UPTO * (CALL_UPTO + 1) // 2}),
    "nest": Leaf(kind="workflow", outputs={"said": "inner"}),
    "flaky": Leaf(lines=4, pace=0.05, first_exit=BUSY),
    "hold": Leaf(lines=4, pace=0.05, first_exit=HELD),
    "reader": Leaf(lines=3, pace=0.05),
    "announce": Leaf(lines=2, pace=0.05),
    "last": Leaf(lines=3, pace=0.05),
}  # fmt: skip
"""What is to come of the jobs and variants of the main workflow, by full name."""
INNER: Final[Mapping[str, Leaf]] = {
    "first": Leaf(lines=10, pace=0.1, outputs={"said": "inner"}),
    "second": Leaf(lines=5, pace=0.1, artifact=True),
}
"""The same of the nested one."""


def write(folder: Path) -> Path:
    """Write the workflow and what it nests into a folder, and give the path of the spec."""
    (folder / "inner.yaml").write_text(json.dumps(_inner(), indent=1))
    spec = folder / "chaos.yaml"
    spec.write_text(json.dumps(_main(), indent=1))
    return spec


def _count(upto: int, pause: float) -> str:
    """A command that prints numbered lines."""
    return f'i=0; while [ "$i" -lt {upto} ]; do i=$((i+1)); echo "line $i"; sleep {pause}; done'


_COLLECT = ("mkdir -p /out", f"seq 1 {NUMBERS} >/out/numbers")
_TRY = 'echo "try=$ORCA_TRY" >>"$ORCA_OUTPUT"'


def _counting(upto: int, pause: float, *more: str, **keys: Any) -> dict[str, Any]:
    return {"commands": [_count(upto, pause), *more, _TRY], **keys}


def _serving(word: str) -> dict[str, Any]:
    """A service that prints numbered lines, and ends at once when it is told to."""
    script = (
        f'trap "exit 0" TERM; mkdir -p /www; echo {word} >/www/index.html; httpd -f -p 80 -h /www &'
        f' i=0; while :; do i=$((i+1)); echo "line $i"; sleep {SERVICE_PACE} & wait $!; done'
    )
    return {
        "image": IMAGE,
        "command": ["sh", "-c", script],
        "health_check": {"ready": {"tcp": 80}, "start_interval": "100ms"},
    }


def _asks(service: str, word: str) -> str:
    # Where it answers wrongly, who has which address says why.
    look = f"{{ ip -4 -o addr show; ip neigh; exit {NO_SERVICE}; }}"
    return f'test "$(wget -q -O - http://{service}/)" = {word} || {look}'


def _main() -> dict[str, Any]:
    whole = f"seq 1 {NUMBERS} | cmp - /out/numbers || exit {NOT_WHOLE}"
    return {
        "name": "chaos",
        "vars": {"word": "none"},
        "defaults": {"image": IMAGE, "retry": {"max_attempts": TRIES, "delay": "200ms"}},
        "services": {"shared": _serving("from-shared")},
        "jobs": {
            "steady": _counting(40, 0.1, *_COLLECT, artifacts=["/out/numbers"], on_success=["announce"]),
            "burst": {
                "commands": ["seq 1 3000 | sed 's/^/line /'", "sleep 1", "seq 3001 6000 | sed 's/^/line /'", _TRY]
            },
            "seed": _counting(
                3, 0.05, 'echo "items=[1, 2]" >>"$ORCA_OUTPUT"', 'echo "number=3" >>"$ORCA_OUTPUT"',
                outputs={
                    "items": "${{ fromJSON(jobs.seed.outputs.items) }}",
                    "number": "${{ fromJSON(jobs.seed.outputs.number) }}",
                },
            ),
            "grid": _counting(
                12, 0.1, *_COLLECT,
                artifacts=["/out/numbers"],
                matrix={"a": [1, 2], "b": ["x", "y"], "exclude": [{"a": 2, "b": "y"}], "fail_fast": False},
            ),
            "made": _counting(
                8, 0.1, requires=["seed"], fail_fast=False, matrix={"n": "${{ jobs.seed.outputs.items }}"}
            ),
            "items": _counting(6, 0.1, for_each=["a", "b", "c"], batch_size=2, fail_fast=False),
            "beside": _counting(15, 0.1, _asks("web", "from-web"), services={"web": _serving("from-web")}),
            "sharing": _counting(
                10, 0.1, _asks("shared", "from-shared"), for_each=[1, 2], fail_fast=False, services=["shared"]
            ),
            # Begins some time after others used the service, which may have been taken away meanwhile.
            "shares": _counting(
                5, 0.1, _asks("shared", "from-shared"), requires=["sharing", "nap"], services=["shared"]
            ),
            "confirm": {
                "requires": ["seed"],
                "gate": {"prompt": "Go on?", "fields": {"word": {"required": True}}, "approvers": ["user:ann"]},
            },
            "confirmed": _counting(
                2, 0.05, 'test "$WORD" = go',
                requires=["confirm"],
                env={"WORD": "${{ jobs.confirm.outputs.word }}"},
                publish={"word": "${{ jobs.confirm.outputs.word }}"},
            ),
            "nap": {"wait": "3s"},
            "way": {
                "requires": ["seed"],
                "choice": [
                    {"when": "${{ jobs.seed.outputs.number == 3 }}", "then": ["taken"]},
                    {"default": ["untaken"]},
                ],
            },
            "taken": _counting(2, 0.05),
            "untaken": _counting(2, 0.05),
            "adds": {"call": "chaos_calls:add", "with": {"upto": CALL_UPTO}},
            "nest": {"workflow": "./inner.yaml", "with": {"word": "inner"}},
            "flaky": _counting(4, 0.05, f'test "$ORCA_TRY" -ge 2 || exit {BUSY}'),
            "hold": _counting(
                4, 0.05, f'test "$ORCA_TRY" -ge 2 || exit {HELD}', on_error="hold", retry={"max_attempts": 1}
            ),
            "reader": _counting(3, 0.05, whole, requires=["steady", "nap"]),
            "announce": _counting(2, 0.05),
            "last": _counting(3, 0.05, on_complete="always"),
        },
        "outputs": {"said": "${{ jobs.nest.outputs.said }}", "word": "${{ vars.word }}"},
    }  # fmt: skip


def _inner() -> dict[str, Any]:
    return {
        "name": "inner",
        "params": {"word": {"required": True}},
        "defaults": {"image": IMAGE, "retry": {"max_attempts": TRIES, "delay": "200ms"}},
        "jobs": {
            "first": _counting(
                10, 0.1, 'echo "said=$WORD" >>"$ORCA_OUTPUT"', env={"WORD": "${{ params.word }}"}
            ),
            "second": _counting(5, 0.1, *_COLLECT, requires=["first"], artifacts=["/out/numbers"]),
        },
        "outputs": {"said": "${{ jobs.first.outputs.said }}"},
    }
