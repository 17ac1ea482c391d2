"""What an engine's host has, for all of its containers together."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineCapacity:
    """Processors and memory that containers can have."""

    cpus: float
    memory: int
    """Bytes."""
