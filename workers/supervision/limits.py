"""How patient supervision is. Durations in seconds."""

from dataclasses import dataclass

from orchestrator.contract.names import HEARTBEAT_INTERVAL


@dataclass(frozen=True)
class Limits:
    """Knobs that tests turn; people have no need to."""

    heartbeat: float = HEARTBEAT_INTERVAL
    first_patience: float = 3.0
    """How long to look for an engine that was never there."""
    patience: float = 60.0
    """How long to wait for one to come back, once a container was seen."""
    outages: int = 20
    """How many short outages in a row are borne."""
    surprises: int = 40
    """How often the engine may say that a container is there and then that it is not."""
    pause: float = 0.5
    """Between two looks."""
    stop_margin: float = 5.0
    """How long after the grace period the engine may take before we kill ourselves."""
    log_stall: float = 5.0
    """How long the log may stand still after the container's end before it is read again."""
    store_patience: float = 30.0
    """How long after the container's end a store that fails may keep its log waiting."""
    image_facts: float = 1.5
    """How long an image's facts are taken as true."""
    removers: int = 2
    """Containers that are removed at the same time."""
    beside: float = 2.0
    """Between two looks at the services beside a job."""
    attention: float = 10.0
    """Between two looks at a running container that nothing else asks for."""
    settling: float = 0.5
    """How long a service that cannot be checked must run to count as started."""
    network_patience: float = 10.0
    """How long a network may have containers in it that are just being removed."""
    busy_pause: float = 0.02
    """Between two attempts to remove such a network."""
