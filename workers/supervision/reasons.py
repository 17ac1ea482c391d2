"""Why a try did not succeed, in words. Pure."""

import signal
from collections.abc import Sequence

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ContainerRequest
from orchestrator.sizes import size_text
from workers.supervision.transcript import Transcript, first_line

_MAX_MESSAGE = 2000
_MAX_QUOTE = 120
_CANNOT_EXECUTE = 126
_NOT_FOUND = 127


class TryFailed(Exception):
    """A step failed in a way that is the try's end. Never leaves this room: it becomes an outcome."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.reason = reason(kind, message)


def reason(kind: FailureKind, message: str) -> FailureReason:
    """A reason whose message is not longer than the contract allows."""
    return FailureReason(kind=kind, message=message if len(message) <= _MAX_MESSAGE else message[:1999] + "…")


def exit_reason(request: ContainerRequest, exit_code: int, transcript: Transcript) -> FailureReason:
    """For a container that ended with `exit_code`, which is not zero, by its own."""
    where = _where(request.titles or request.commands, transcript.current)
    silent = transcript.current is None and len(transcript.tail) <= 1
    by_init = bool(transcript.tail) and transcript.tail[-1].startswith("[FATAL tini")
    if (request.commands or by_init) and silent and exit_code in (_CANNOT_EXECUTE, _NOT_FOUND):
        # Nothing ran: what little was printed is the engine's init saying so.
        key, name = ("entrypoint", request.entrypoint[0]) if request.entrypoint else ("shell", request.shell)
        return reason(
            FailureKind.START,
            f"the {key} '{name}' could not be started in image '{request.image}' (exit code"
            f" {exit_code}); use an image that has it, or name another one with '{key}'",
        )
    if exit_code == _NOT_FOUND:
        text = f"command not found in {where.rstrip(',')} (exit code {exit_code})"
    elif exit_code == _CANNOT_EXECUTE:
        text = f"{where} cannot be executed (exit code {exit_code})"
    elif name := _signal(exit_code):
        text = f"{where} was ended by {name} (exit code {exit_code})"
    else:
        text = f"{where} ended with exit code {exit_code}"
    last = transcript.tail[-1] if transcript.tail else ""
    return reason(FailureKind.EXIT, f"{text}; last line: {last.strip()[:_MAX_QUOTE]}" if last else text)


def oom_reason(memory: int | None) -> FailureReason:
    """For a container that the kernel killed over its memory."""
    limit = f"its memory limit of {size_text(memory)}" if memory else "the memory of its host"
    return reason(FailureKind.OOM, f"the container went over {limit}")


def timeout_reason(seconds: float) -> FailureReason:
    """For a try that ran into its time limit."""
    return reason(
        FailureKind.TIMEOUT, f"the job took longer than its limit of {duration_text(seconds)} and was stopped"
    )


def cancelled_reason() -> FailureReason:
    """For a try that was told to end."""
    return reason(FailureKind.CANCELLED, "the job was cancelled")


def duration_text(seconds: float) -> str:
    """`1 h 30 min`, `2.5 s`."""
    if seconds < 60:
        return f"{seconds:.4g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def _where(commands: Sequence[str], index: int | None) -> str:
    if index is None or index >= len(commands):
        return "the container"
    return f"command {index + 1} of {len(commands)}, '{first_line(commands[index], limit=_MAX_QUOTE)}',"


def _signal(exit_code: int) -> str | None:
    try:
        return signal.Signals(exit_code - 128).name
    except ValueError:
        return None
